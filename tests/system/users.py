#!/usr/bin/env python3
"""Real Unix accounts: the vault's own, two that may only record, and one that may nothing."""

import grp
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time

from rig import Rig, Skip, expect, main, pitch, tone

OWNER, RECORDER, SECOND, STRANGER = 61001, 61002, 61003, 61004
DENIED = "[Pp]ermission denied"


def account(uid, gid, *groups):
    return {"user": uid, "group": gid, "extra_groups": list(groups)}


def as_user(who, job):
    """What `job` returns (as JSON) when the account `who` runs it."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups(who["extra_groups"])
            os.setgid(who["group"])
            os.setuid(who["user"])
            answer = json.dumps(job()).encode()
        except BaseException as error:  # pylint: disable=broad-except
            answer = json.dumps({"failed": repr(error)}).encode()
        with os.fdopen(theirs, "wb") as file:
            file.write(answer)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as file:
        answer = json.loads(file.read())
    os.waitpid(child, 0)
    expect(not (isinstance(answer, dict) and "failed" in answer), f"the probe broke: {answer}")
    return answer


def allowed(job, *arguments):
    try:
        job(*arguments)
        return True
    except OSError:
        return False


def opens(path, flags):
    os.close(os.open(path, flags | os.O_NONBLOCK))


def creates_in(folder):
    path = os.path.join(folder, "probe")
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    os.remove(path)


def moves(path):
    os.rename(path, path + "-moved")
    os.rename(path + "-moved", path)


def probe(paths):
    """Which of `paths` the present account may read, write, list, add to, move and remove."""
    out = {"read": [], "write": [], "list": [], "create": [], "move": [], "remove": []}
    for path, folder in paths:
        if folder:
            tries = (("list", os.listdir, path), ("create", creates_in, path), ("move", moves, path))
        else:
            tries = (("read", opens, path, os.O_RDONLY), ("write", opens, path, os.O_WRONLY), ("move", moves, path))
        for what, job, *arguments in tries:
            if allowed(job, *arguments):
                out[what].append(path)
    # Last, since what could be removed is then missing.
    for path, folder in paths:
        if allowed(os.rmdir if folder else os.remove, path):
            out["remove"].append(path)
    return out


def everything(*folders):
    out = []
    for top in folders:
        out.append((top, True))
        for place, names, files in os.walk(top):
            out += [(os.path.join(place, name), True) for name in names]
            out += [(os.path.join(place, name), False) for name in files]
    return out


class Accounts:
    def __init__(self, rig):
        self.rig = rig
        names = [name for name in ("audio", "games", "voice", "users") if name in {g.gr_name for g in grp.getgrall()}]
        if not names:
            raise Skip("no group to give to recorders")
        self.group = names[0]
        gid = grp.getgrnam(self.group).gr_gid
        self.owner = account(OWNER, OWNER, gid)
        self.recorder = account(RECORDER, gid)
        self.second = account(SECOND, SECOND, gid)
        self.stranger = account(STRANGER, STRANGER)

    def become(self, who):
        self.rig.identity = who
        return self.rig


def may_record(accounts, call):
    """The account records from a file and from a pipe; the vault's own finds and plays it."""
    recorder = accounts.become(accounts.recorder)
    made = recorder.ingest(tone(2, 440), "--consent", "granted", "--caller", "0722000001")["id"]
    second = accounts.become(accounts.second).ingest(tone(2, 700), "--consent", "granted")["id"]
    owner = accounts.become(accounts.owner)
    found = {record["id"]: record for record in owner.json("find")}
    expect({made, second, call} <= found.keys(), f"found: {list(found)}")
    expect(found[made]["caller"] == "+40722000001", f"found: {found[made]}")
    for one, hertz in ((made, 440), (second, 700)):
        samples, rate, _ = owner.play(one)
        expect(len(samples) == 2 * rate and abs(pitch(samples, rate) - hertz) < 8, "another sound is played")
    expect(os.listdir(owner.vault + "/incoming") == [], "what was recorded is not settled")


def may_do_no_more(accounts, waiting, waiting_too):
    """Every path of the vault and the keeper, tried every way."""
    rig = accounts.rig
    paths = everything(rig.vault, rig.keeper)
    inside = {os.path.relpath(path, rig.vault): path for path, _ in paths}
    kinds = {path.split(os.sep)[0] for path in inside}
    expect({"keys", "people", "recordings", "journal", "catalog", "incoming", "vault.toml"} <= kinds and
           rig.keeper + "/root" in [path for path, _ in paths], f"not a whole vault: {kinds}")
    incoming = rig.vault + "/incoming"
    own = [path for path, folder in paths if not folder and path.startswith(f"{incoming}/{waiting}")]
    other = [path for path, folder in paths if not folder and path.startswith(f"{incoming}/{waiting_too}")]
    intake = [path for name, path in inside.items() if name.startswith("keys/intake/")]
    public = [inside["vault.toml"], inside["keys/review.pub"], *intake]
    expect(own and other and intake, "nothing to try")

    got = as_user(accounts.recorder, lambda: probe(paths))
    # What is in incoming/ is the group's: the vault's account must read it, and complete what a dead recorder left.
    expect(sorted(got["read"]) == sorted(public + own + other), f"a recorder reads {got['read']}")
    expect(sorted(got["write"]) == sorted(own + other), f"a recorder writes {got['write']}")
    expect(sorted(got["list"]) == sorted([incoming, inside["keys/intake"]]), f"a recorder lists {got['list']}")
    expect(got["create"] == [incoming], f"a recorder adds to {got['create']}")
    expect(sorted(got["move"]) == sorted(own), f"a recorder moves {got['move']}")
    expect(sorted(got["remove"]) == sorted(own), f"a recorder removes {got['remove']}")
    nothing = as_user(accounts.stranger, lambda: probe(everything(rig.vault, rig.keeper)))
    expect(not any(nothing.values()), f"a stranger may {nothing}")


def are_told_so(accounts, call):
    """Every other command says why not, with the passphrase in hand."""
    rig = accounts.rig
    commands = (("find",), ("show", call), ("play", call, "--purpose", "complaint"), ("pause", call),
                ("purge",), ("check",), ("recover",), ("reindex",), ("status",), ("journal", "verify"),
                ("prove-gone", call), ("hold", call, "--matter", "x"), ("erase", call, "--request", "R", "--reason", "x"),
                ("person", "list"), ("doctor",))
    for who in (accounts.recorder, accounts.stranger):
        accounts.become(who)
        for words in commands:
            rig.fails(23, *words, says=DENIED)
    rig.fails(23, "ingest", "--direction", "in", "--format", "s16le", says=DENIED, stdin=tone(1, 440))


def harm_none(accounts):
    """What a recorder may put into incoming/ must not stop, mislead or harm the vault's own account."""
    rig, incoming = accounts.rig, accounts.rig.vault + "/incoming"
    names = ["a" * 26, "b" * 26, "c" * 26, "d" * 26, "e" * 26, "f" * 26]

    def litter():
        os.mkfifo(f"{incoming}/{names[0]}.mixed")
        os.mkfifo(f"{incoming}/{names[1]}.mixed.part")
        os.mkdir(f"{incoming}/{names[2]}.mixed")
        os.symlink(f"{rig.vault}/keys/directory", f"{incoming}/{names[3]}.mixed")
        os.symlink(f"{rig.vault}/keys/directory", f"{incoming}/{names[4]}.mixed.part")
        with open(f"{incoming}/{names[5]}.caller", "wb") as file:
            file.write(b"CV" + os.urandom(5000))
        with open(f"{incoming}/..hidden", "wb") as file:
            file.write(b"x")
        return True

    as_user(accounts.recorder, litter)
    owner = accounts.become(accounts.owner)
    before = open(f"{rig.vault}/keys/directory", "rb").read()
    call = accounts.become(accounts.recorder).ingest(tone(1, 440), "--consent", "granted")["id"]
    accounts.become(accounts.owner)
    for words, codes in ((("find",), (0,)), (("recover",), (0, 3)), (("purge",), (0, 3)), (("status",), (0,)),
                         (("check", "--deep"), (0, 22))):
        done = owner.run(*words, timeout=20)
        expect(done.code in codes, str(done))
    expect(call in [record["id"] for record in owner.json("find")], "litter keeps a call from being settled")
    expect(owner.play(call)[1] == 8000, "not played")
    expect(len(before) > 0 and not os.path.islink(f"{rig.vault}/keys/directory"), "the directory was moved")
    expect(not [p for p, _ in everything(rig.vault + "/recordings") if stat.S_ISREG(os.lstat(p).st_mode) == 0 and
                not os.path.isdir(p)], "litter came into recordings/")
    for name in os.listdir(incoming):
        path = f"{incoming}/{name}"
        (os.rmdir if os.path.isdir(path) and not os.path.islink(path) else os.remove)(path)
    owner.sound()


def stop_no_erasure(accounts):
    """A file in incoming/ that the vault's account may not read is named, and keeps nobody from being erased."""
    rig, name = accounts.rig, "b" * 25 + "a"
    path = f"{rig.vault}/incoming/{name}.mixed"
    owner = accounts.become(accounts.owner)
    call = owner.ingest(tone(1, 440), "--consent", "granted")["id"]
    owner.json("find")

    def close_one():
        with open(path, "wb") as file:
            file.write(b"\x89CVLT\r\n\x1a" + bytes(2000))
        os.chmod(path, 0)

    as_user(accounts.recorder, close_one)
    checked = owner.run("check")
    expect(checked.code == 22 and f"recording {name} in incoming/" in checked.out + checked.err, str(checked))
    purged = owner.run("purge")
    expect(purged.code == 3 and name in purged.err, f"not named: {purged}")
    owner.good("erase", call, "--request", "R-4", "--reason", "asked")
    owner.good("prove-gone", call)
    keys = len(os.listdir(rig.vault + "/keys/intake"))
    owner.run("purge")
    expect(len(os.listdir(rig.vault + "/keys/intake")) == keys == 1, "intake keys pile up")
    os.remove(path)
    owner.good("purge")
    owner.sound()


def record_on(accounts):
    """A live call, an erasure of it, new intake keys, a dead recorder: all across the two accounts."""
    recorder = accounts.become(accounts.recorder)
    live = recorder.start("--json", "ingest", "--direction", "in", "--consent", "granted", "--format", "s16le",
                          stdin=subprocess.PIPE)
    live.stdin.write(tone(2, 440))
    live.stdin.flush()
    one = json.loads(live.stdout.readline())["id"]
    dead = recorder.start("--json", "ingest", "--direction", "in", "--consent", "granted", "--format", "s16le",
                          stdin=subprocess.PIPE)
    dead.stdin.write(tone(4, 550))
    dead.stdin.flush()
    two = json.loads(dead.stdout.readline())["id"]
    time.sleep(0.5)
    dead.send_signal(signal.SIGKILL)
    dead.communicate()
    owner = accounts.become(accounts.owner)
    owner.good("erase", one, "--request", "R-9", "--reason", "asked")
    live.communicate(timeout=20)
    expect(live.returncode == 0, f"the recorder of an erased call exits {live.returncode}")
    owner.good("recover")
    found = {record["id"]: record for record in owner.json("find")}
    expect(one not in found and two in found, f"found: {list(found)}")
    samples, rate, _ = owner.play(two)
    expect(2 * rate <= len(samples) and abs(pitch(samples, rate) - 550) < 8, "the dead recorder's call is not heard")
    owner.good("prove-gone", one)
    owner.good("purge")
    # The intake key is another now, and recorders may read it.
    accounts.become(accounts.recorder).ingest(tone(1, 440), "--consent", "granted")
    accounts.become(accounts.owner).good("find")
    owner.sound()


def test(binary):
    if os.geteuid() != 0:
        raise Skip("needs root, to act as other accounts")
    rig = Rig("users", binary, make=False)
    try:
        accounts = Accounts(rig)
        os.chmod(rig.folder, 0o755)
        os.chmod(rig.folder + "/passphrase", 0o644)  # even who knows the passphrase ...
        rig.env["CALLVAULT_PASSPHRASE_COMMAND"] = "cat " + rig.env.pop("CALLVAULT_PASSPHRASE_FILE")
        shutil.copy(binary, rig.folder + "/callvault")
        os.chmod(rig.folder + "/callvault", 0o755)
        os.mkdir(rig.folder + "/srv")
        os.chown(rig.folder + "/srv", OWNER, OWNER)
        rig.binary, rig.vault = rig.folder + "/callvault", rig.folder + "/srv/vault"
        rig.keeper = rig.vault + ".keeper"
        rig.env["CALLVAULT_DIR"] = rig.vault
        owner = accounts.become(accounts.owner)
        make = ("init", rig.vault, "--unsafe-keeper", "--unsafe-fast-passphrase", "--recorder-group")
        rig.fails(2, *make, "no-such-group", says="no such group: no-such-group")
        expect(not os.path.exists(rig.vault) and not os.path.exists(rig.keeper), "a half made vault is left")
        owner.good(*make, accounts.group)
        call = owner.ingest(tone(1, 440), "--consent", "granted")["id"]
        may_record(accounts, call)
        waiting = accounts.become(accounts.recorder).ingest(tone(1, 440))["id"]
        waiting_too = accounts.become(accounts.second).ingest(tone(1, 440))["id"]
        may_do_no_more(accounts, waiting, waiting_too)
        accounts.become(accounts.owner).good("recover")
        are_told_so(accounts, call)
        harm_none(accounts)
        stop_no_erasure(accounts)
        record_on(accounts)
        # Root is the vault's account of many: the same holds, and files are given to the group.
        rig.identity = {}
        rig.vault = rig.folder + "/of-root"
        rig.keeper = rig.vault + ".keeper"
        rig.env["CALLVAULT_DIR"] = rig.vault
        rig.good("init", rig.vault, *make[2:], accounts.group)
        rig.ingest(tone(1, 440))
        rig.good("find")
        waiting = accounts.become(accounts.recorder).ingest(tone(1, 440))["id"]
        waiting_too = accounts.become(accounts.second).ingest(tone(1, 440))["id"]
        may_do_no_more(accounts, waiting, waiting_too)
    finally:
        rig.remove()


if __name__ == "__main__":
    main(test)
