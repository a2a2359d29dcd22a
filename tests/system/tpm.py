#!/usr/bin/env python3
"""A keeper in a TPM 2.0: the whole life of a vault over swtpm, what a chip may do to it, and a chip and a file as mirrors."""

import os
import shutil
import signal
import subprocess
import time

from rig import Rig, Skip, expect, main, pitch, tone

INDEX = 0x01800100
LISTEN = ("--purpose", "complaint")


class Chip:
    """A TPM in software, with its state in a folder."""

    def __init__(self, folder):
        self.state, self.process = os.path.join(folder, "tpm"), None
        self.socket = os.path.join(folder, "tpm.sock")
        os.makedirs(self.state)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--server", f"type=unixio,path={self.socket}", "--ctrl",
             f"type=unixio,path={self.socket}.ctrl", "--tpmstate", f"dir={self.state}", "--flags",
             "not-need-init,startup-clear"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            if os.path.exists(self.socket) and os.path.exists(self.socket + ".ctrl"):
                return
            time.sleep(0.05)
        raise Skip("swtpm does not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        for path in (self.socket, self.socket + ".ctrl"):
            if os.path.exists(path):
                os.remove(path)

    def tcti(self):
        return f"swtpm:path={self.socket}"


def killed_somewhere(rig, words, when):
    """Killed at its n-th message to the chip."""
    done = rig.start(*words, under=("strace", "-f", "-o", "/dev/null", "-e", "trace=sendto,write,writev", "-e",
                                    f"inject=sendto,write,writev:signal=SIGKILL:when={when}"))
    done.communicate(timeout=120)
    return done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


def life(rig, chip):
    first = rig.ingest(tone(1.5, 440), "--consent", "granted")["id"]
    second = rig.ingest(tone(1.5, 660), "--consent", "granted")["id"]
    samples, rate, _ = rig.play(first)
    expect(abs(pitch(samples, rate) - 440) < 20, "another sound")
    status = rig.json("keeper", "status")[0]
    expect(status["kind"] == "tpm" and status["sound"] and status["roots"] == ["1"], f"keeper: {status}")
    expect(sorted(os.listdir(rig.keeper)) == ["tpm", "tpm.auth"], str(os.listdir(rig.keeper)))
    old = os.path.join(rig.folder, "old")
    shutil.copytree(rig.vault, old)
    rig.good("erase", second, "--request", "R-1", "--reason", "asked")
    expect(rig.json("prove-gone", second)[0]["gone"], "not gone")
    status = rig.json("keeper", "status")[0]
    expect(status["roots"] == ["2"] and status["vault_epoch"] == 2 and not status["unfinished"], f"keeper: {status}")
    # The folder of before, with the chip of today, opens nothing.
    rig.fails(22, "find", says="keeper has no root", env={"CALLVAULT_DIR": old, "CALLVAULT_KEEPER": rig.keeper})
    # The chip keeps it through a restart of the host.
    chip.stop()
    rig.fails(74, "find", says="cannot reach the TPM")
    chip.start()
    rig.play(first)
    expect(rig.json("keeper", "rotate")[0]["epoch"] == 3, "no rotation")
    rig.play(first)
    rig.sound()
    copy = os.path.join(rig.folder, "copy")
    rig.good("backup", copy)
    shutil.rmtree(rig.vault)
    rig.good("restore", copy)
    rig.play(first)
    return first


def refusals(rig, chip):
    other = os.path.join(rig.folder, "other")
    rig.fails(23, "init", other, "--keeper", f"tpm:{INDEX:#x},{chip.tcti()}", "--unsafe-fast-passphrase",
              says="in use already")
    expect(not os.path.exists(other) and not os.path.exists(other + ".keeper"), "a refused init left something")
    for wrong in ("tpm:", "tpm:0x81000000", "tpm:keeper"):
        rig.fails(2, "init", other, "--keeper", wrong, says="NV index")
    auth = os.path.join(rig.keeper, "tpm.auth")
    with open(auth, "rb") as file:
        right = file.read()
    with open(auth, "wb") as file:
        file.write(bytes(32))
    rig.fails((22, 23), "find", says="auth")
    os.truncate(auth, 5)
    rig.fails(22, "find", says="auth value is damaged")
    with open(auth, "wb") as file:
        file.write(right)
    rig.good("find")
    place = os.path.join(rig.keeper, "tpm")
    with open(place, encoding="ascii") as file:
        text = file.read()
    with open(place, "w", encoding="ascii") as file:
        file.write(text.replace("0x018001", "0x018002"))
    rig.fails(22, "find", says="description is damaged")
    with open(place, "w", encoding="ascii") as file:
        file.write(text)
    rig.good("find")


def kills(rig, chip, first):
    """The host dies anywhere in a rotation: the next command finds one root, and everything."""
    if not shutil.which("strace"):
        print("SKIPPED the kills: no strace here")
        return
    count = 0
    for when in range(1, 400, 2):
        if not killed_somewhere(rig, ("keeper", "rotate"), when):
            break
        count += 1
        chip.stop()  # and with it the session that nobody closed: here is no resource manager that does
        chip.start()
        rig.good("recover")
        status = rig.json("keeper", "status")[0]
        expect(len(status["roots"]) == 1 and not status["problem"], f"killed at {when}: {status}")
        rig.play(first)
    expect(count > 3, f"{count} kills only")
    print(f"{count} kills")


def cleared(rig, chip):
    """A chip that was cleared, or is another one, has no keeper: said, and nothing wiped."""
    chip.stop()
    os.rename(chip.state, chip.state + ".aside")
    os.makedirs(chip.state)
    chip.start()
    rig.fails(22, "find", says="cleared, or is another")
    chip.stop()
    shutil.rmtree(chip.state)
    os.rename(chip.state + ".aside", chip.state)
    chip.start()
    rig.good("find")


def standing(rig):
    done = rig.run("--json", "keeper", "status")
    return done.code, [k["standing"] for k in done.lines()[0]["keepers"]]


def shred_without(rig, call, back):
    """What is shredded while one keeper is away is outstanding until that one is back and has forgotten, too."""
    done = rig.run("--json", "erase", call, "--request", "R-1", "--reason", "asked")
    expect(done.code == 3 and "not final" in done.out, str(done))
    expect(rig.run("play", call, *LISTEN).code == 21, "still heard")
    expect(rig.run("prove-gone", call).code == 24, "gone, while a keeper may still open it")
    back()
    done = rig.run("--json", "purge")
    expect(done.code == 0 and done.lines()[-1]["shredded"] == 1 and done.lines()[-1]["outstanding"] == 0, str(done))
    expect(rig.json("prove-gone", call)[0]["gone"], "not gone")
    expect(standing(rig) == (0, ["current", "current"]), f"{standing(rig)}")


def opens_old(rig, copy, keeper, call):
    there = {"CALLVAULT_DIR": copy, "CALLVAULT_KEEPER": keeper}
    return rig.run("play", call, *LISTEN, env=there).code == 0


def mirrored(binary, first_in_chip):
    """One keeper in a file and one in a chip, either of them the first."""
    rig = Rig("tpm-mirror-" + ("chip" if first_in_chip else "file"), binary, make=False)
    chip = Chip(rig.folder)
    try:
        place = f"tpm:{INDEX:#x},{chip.tcti()}"
        in_file = os.path.join(rig.folder, "other-disk") if first_in_chip else rig.keeper
        in_chip = rig.keeper if first_in_chip else rig.vault + ".mirror"
        keeper, mirror = ((place, in_file) if first_in_chip else (in_file, place))
        rig.good("init", rig.vault, "--keeper", keeper, "--unsafe-keeper", "--unsafe-fast-passphrase")
        one, two, three, last = (rig.ingest(tone(1, 440), "--consent", "granted")["id"] for _ in range(4))
        rig.good("find")
        made = rig.json("keeper", "mirror", mirror, "--unsafe-keeper")[0]
        expect(made["path"] == (in_file if first_in_chip else in_chip), f"made {made}")
        old = os.path.join(rig.folder, "old")
        shutil.copytree(rig.vault, old)
        for place in (in_file, in_chip):
            expect(opens_old(rig, old, place, one), f"no teeth: {place} does not open a present copy")

        # Both there: final at once. One away, the file and the chip in turn: outstanding until it is back.
        rig.good("erase", one, "--request", "R-1", "--reason", "asked")
        expect(rig.json("prove-gone", one)[0]["gone"], "not gone")
        chip.stop()
        if not first_in_chip:
            shred_without(rig, two, chip.start)
        else:
            expect("opened by its mirror" in rig.good("play", two, *LISTEN).err, "silently opened by the mirror")
            shred_without(rig, two, chip.start)
        os.rename(in_file, in_file + ".away")
        shred_without(rig, three, lambda: os.rename(in_file + ".away", in_file))
        for call in (one, two, three):
            for place in (in_file, in_chip):
                expect(not opens_old(rig, old, place, call), f"{place} and an old copy open what was shredded")

        # An old state of the chip, and an old copy of the file, are refused; nothing is wiped.
        aside, stale = in_file + ".aside", chip.state + ".stale"
        shutil.copytree(in_file, in_file + ".stale")
        chip.stop()
        shutil.copytree(chip.state, stale)
        chip.start()
        rig.good("keeper", "rotate")
        chip.stop()
        os.rename(chip.state, chip.state + ".now")
        os.rename(stale, chip.state)
        chip.start()
        os.rename(in_file, aside)
        rig.fails(22, "find", says="is behind|holds none of the roots|no root for keys/directory")
        os.rename(in_file + ".stale", in_file)
        rig.fails(22, "purge", says="is behind|holds none of the roots|no root for keys/directory")
        shutil.rmtree(in_file)
        chip.stop()
        shutil.rmtree(chip.state)
        os.rename(chip.state + ".now", chip.state)
        chip.start()

        # The file is lost: the chip alone opens the vault, and a new file is made beside it.
        done = rig.good("play", last, *LISTEN)
        expect(first_in_chip or "opened by its mirror" in done.err, f"silently: {done.err}")
        rig.good("keeper", "mirror", in_file, "--remove", "--destroyed")
        rig.good("keeper", "mirror", in_file, "--unsafe-keeper")
        rig.good("keeper", "rotate")
        expect(standing(rig) == (0, ["current", "current"]), f"{standing(rig)}")
        # And the other way round: the chip was cleared.
        chip.stop()
        shutil.rmtree(chip.state)
        os.makedirs(chip.state)
        chip.start()
        rig.good("play", last, *LISTEN)
        rig.good("keeper", "mirror", in_chip, "--remove", "--destroyed")
        rig.good("erase", last, "--request", "R-1", "--reason", "asked")
        expect(rig.json("prove-gone", last)[0]["gone"], "not gone")
        rig.sound()
    finally:
        chip.stop()
        rig.remove()


def test(binary):
    if not shutil.which("swtpm"):
        raise Skip("needs swtpm, a TPM in software")
    rig = Rig("tpm", binary, make=False)
    chip = None
    try:
        chip = Chip(rig.folder)
        made = rig.run("init", rig.vault, "--keeper", f"tpm:{INDEX:#x},{chip.tcti()}", "--unsafe-fast-passphrase")
        if "built without TPM" in made.err:
            raise Skip("this callvault was built without TPM keepers")
        expect(made.code == 0, str(made))
        first = life(rig, chip)
        refusals(rig, chip)
        kills(rig, chip, first)
        cleared(rig, chip)
        rig.sound()
    finally:
        if chip:
            chip.stop()
        rig.remove()
    for first_in_chip in (False, True):
        mirrored(binary, first_in_chip)


if __name__ == "__main__":
    main(test)
