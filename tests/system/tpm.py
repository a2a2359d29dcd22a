#!/usr/bin/env python3
"""A keeper in a TPM 2.0: the whole life of a vault over swtpm, and what a chip may do to it."""

import os
import shutil
import signal
import subprocess
import time

from rig import Rig, Skip, expect, main, pitch, tone

INDEX = 0x01800100


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


if __name__ == "__main__":
    main(test)
