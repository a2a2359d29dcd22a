#!/usr/bin/env python3
"""The keeper's service, from real Unix accounts that can read neither keeper nor key state.

separation.py COMMAND                      the test
separation.py --seeded BUILD SOURCE        each guarantee's deliberate defect must be caught
"""

import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mutation import Build  # noqa: E402
from rig import PASSPHRASE, Failed, Rig, Skip, expect, main, pitch, speech, tone  # noqa: E402
from users import account, as_user, everything, probe  # noqa: E402

OWNER, CHIEF, ANA, ION, STRANGER, PBX, GHOST = 61001, 61002, 61003, 61004, 61005, 61006, 61007
WHO = {"chief": CHIEF, "ana": ANA, "ion": ION}
OTHER_PASSPHRASE = "another passphrase for ana"

# Every command is here or in AT_HOME: a new one needs a way over the socket, or a reason to have none. What it is asked,
# by whom, and with which exit code it answers. {call}: a recording; {gone}: a shredded one; {request}: a request.
OVER_SOCKET = {
    "find": ("ana", [], 0),
    "show": ("ana", ["{call}"], 0),
    "play": ("ana", ["{call}", "--purpose", "complaint"], 0),
    "consent": ("chief", ["{call}", "--party", "caller", "--set", "granted"], 0),
    "hold": ("chief", ["{call}", "--matter", "M-1"], 0),
    "unhold": ("chief", ["{call}", "--matter", "M-1"], 0),
    "erase": ("chief", ["{call}", "--request", "R-1", "--reason", "asked", "--dry-run"], 0),
    "prove-gone": ("chief", ["{gone}"], 0),
    "pause": ("chief", ["{call}"], 23),
    "resume": ("chief", ["{call}"], 23),
    "may-record": ("chief", ["0722000009"], 0),
    "opt-out add": ("chief", ["0722000008"], 0),
    "opt-out remove": ("chief", ["0722000008"], 0),
    "alias add": ("chief", ["0722000001", "0722000002", "--request", "R-1"], 0),
    "alias show": ("chief", ["0722000001"], 0),
    "alias remove": ("chief", ["0722000002"], 0),
    "rectify": ("chief", ["{call}", "--set", "agent=ana", "--request", "R-1"], 0),
    "restrict": ("chief", ["{call}", "--reason", "disputed"], 0),
    "unrestrict": ("chief", ["{call}", "--reason", "settled"], 0),
    "request open": ("chief", ["--kind", "access", "--channel", "post", "--name", "Ion Popescu",
                                "--number", "0722000001"], 0),
    "request assign": ("chief", ["{request}", "--to", "ana"], 0),
    "request extend": ("chief", ["{request}", "--reason", "complex"], 0),
    "request decide": ("chief", ["{request}", "--decision", "granted"], 0),
    "request party": ("chief", ["{request}", "--recording", "{call}", "--party", "caller", "--answer", "yes"], 0),
    "request answer": ("chief", ["{request}", "-o", "-"], 0),
    "request close": ("chief", ["{request}"], 0),
    "request show": ("chief", ["{request}"], 0),
    "request list": ("chief", [], 0),
    "breach open": ("chief", ["--nature", "confidentiality", "--summary", "a laptop was lost"], 0),
    "breach assess": ("chief", ["{breach}", "--risk", "some", "--reason", "unencrypted"], 0),
    "breach notify": ("chief", ["{breach}", "--whom", "authority", "--reference", "A-1"], 0),
    "breach note": ("chief", ["{breach}", "--text", "told the office"], 0),
    "breach close": ("chief", ["{breach}", "--note", "done"], 0),
    "breach show": ("chief", ["{breach}"], 0),
    "breach list": ("chief", [], 0),
    "breach scope": ("chief", ["--from", "2026-01-01", "--to", "2027-01-01", "--exposed", "disk"], 0),
    "notice add": ("chief", ["9", "--text", "{folder}/notice.txt", "--from", "2026-01-01"], 0),
    "notice list": ("chief", [], 0),
    "notice show": ("chief", ["9"], 0),
    "report notice": ("chief", ["{call}"], 0),
    "report processing": ("chief", [], 0),
    "report data-map": ("chief", [], 0),
    "report retention": ("chief", [], 0),
    "report accesses": ("chief", [], 0),
    "report requests": ("chief", [], 0),
    "person add": ("chief", ["nou", "--role", "reviewer", "--new-passphrase-command", "cat {folder}/passphrase"], 0),
    "person list": ("chief", [], 0),
    "person show": ("chief", ["ana"], 0),
    "person passwd": ("ana", ["ana", "--new-passphrase-command", "cat {folder}/passphrase"], 0),
    "person disable": ("chief", ["nou"], 0),
    "person assess": ("chief", ["ana", "--date", "2026-01-01"], 0),
    "person renew": ("chief", ["ana", "--until", "2099-01-01"], 0),
    "person accept": ("ana", [], 20),
    "duty show": ("ana", [], 20),
    "duty set": ("chief", ["{folder}/empty.txt"], 2),
    "approve": ("chief", ["A-2026-0099"], 20),
    "approvals list": ("chief", [], 0),
    "journal log": ("chief", [], 0),
    "journal checkpoint": ("chief", [], 0),
}
# Why: the nightly duties and repairs are the vault account's, a recorder has its own way in, an outsider needs no vault.
# What leaves the vault for outsiders, copy and disclose, is not served yet.
AT_HOME = {"copy", "disclose", "backup", "restore", "keeper rotate", "keeper mirror", "review split", "review join", "init", "ingest", "inspect", "purge", "check", "recover", "reindex", "status", "doctor", "journal verify",
           "journal prove", "keeper status", "keeper serve"}


class Bench:
    def __init__(self, binary, **policy):
        self.rig = rig = Rig("separation", binary, make=False)
        os.chmod(rig.folder, 0o755)
        os.chmod(rig.folder + "/passphrase", 0o644)  # even who knows every passphrase ...
        self.probe_tool = rig.folder + "/probe"
        tool = os.path.join(os.path.dirname(binary), "..", "tests", "system", "service_probe")
        self.has_probe = os.path.exists(tool)
        for source, target in ((binary, rig.folder + "/callvault"), (tool, self.probe_tool)):
            if os.path.exists(source):
                shutil.copy(source, target)
                os.chmod(target, 0o755)
        for name, owner in (("srv", OWNER), ("run", OWNER), ("out", ANA), ("false", ION)):
            os.mkdir(f"{rig.folder}/{name}")
            os.chown(f"{rig.folder}/{name}", owner, owner)
        rig.binary, rig.vault = rig.folder + "/callvault", rig.folder + "/srv/vault"
        rig.keeper = rig.vault + ".keeper"
        rig.env["CALLVAULT_DIR"] = rig.vault
        rig.env["CALLVAULT_PASSPHRASE_COMMAND"] = "cat " + rig.env.pop("CALLVAULT_PASSPHRASE_FILE")
        del rig.env["CALLVAULT_USER"]
        self.socket = rig.folder + "/run/keeper.sock"
        with open(rig.folder + "/notice.txt", "w", encoding="utf-8") as file:
            file.write("Calls are recorded.\n")
        os.chmod(rig.folder + "/notice.txt", 0o644)
        with open(rig.folder + "/empty.txt", "w", encoding="utf-8"):
            pass
        os.chmod(rig.folder + "/empty.txt", 0o644)
        self.server = None
        self.home("init", rig.vault, "--unsafe-keeper", "--unsafe-fast-passphrase", "--user", "chief")
        for name in ("ana", "ion"):
            self.home("--as", "chief", "person", "add", name, "--role", "reviewer,auditor" if name == "ion" else "reviewer",
                      "--new-passphrase-command", f"cat {rig.folder}/passphrase")
        self.configure(**policy)

    def configure(self, **policy):
        path = self.rig.vault + "/vault.toml"
        with open(path, encoding="utf-8") as file:
            text = file.read().split("\n[service]")[0]
        with open(path, "w", encoding="utf-8") as file:
            file.write(text + f'\n[service]\nsocket = "{self.socket}"\nmay_record = ["{PBX}"]\n')
            file.writelines(f"{key} = {value}\n" for key, value in policy.items())
            file.write("\n[service.people]\n" + "".join(f'{name} = "{uid}"\n' for name, uid in WHO.items()))
            file.write(f'ghost = "{GHOST}"\n')  # bound, but no person of this vault

    def act(self, uid):
        """Others may not read vault.toml, so they are told where the service is, as a profile would."""
        self.rig.env.pop("CALLVAULT_SOCKET", None)
        if uid != OWNER and os.path.exists(self.socket):
            self.rig.env["CALLVAULT_SOCKET"] = self.socket
        self.rig.identity = account(uid, uid)
        return self.rig

    def home(self, *words, **more):
        return self.act(OWNER).good(*words, **more)

    def serve(self, *words, under=()):
        self.act(OWNER)
        self.server = self.rig.start("keeper", "serve", *words, under=under)
        deadline = time.monotonic() + 10
        line = self.server.stderr.readline().decode()
        while "serving at" not in line:
            expect(line and time.monotonic() < deadline, f"the service does not start: {line!r}")
            line = self.server.stderr.readline().decode()

    def stop(self):
        if self.server is None:
            return
        server, self.server = self.server, None
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            raise Failed("the service does not stop") from None
        expect(server.returncode == 0, f"the service exits {server.returncode}: {server.stderr.read().decode()}")

    def journal(self):
        return self.act(OWNER).json("--as", "chief", "journal", "log")

    def last(self, event):
        return [e for e in self.journal() if e["event"] == event][-1]

    def hostile(self, uid, name, call, track, how):
        done = subprocess.run([self.probe_tool, self.socket, name, self.rig.folder + "/passphrase", call, track, how],
                              env=self.rig.env, capture_output=True, text=True, check=False, timeout=60,
                              **account(uid, uid))
        return done.stdout.strip()

    def refused(self, code, uid, *words, says="", event="refused", result=None):
        """Refused with the code, and the refusal is in the journal."""
        before = len(self.journal())
        done = self.act(uid).run(*words)
        expect(done.code == code and re.search(says, done.err), f"expected exit {code} and /{says}/: {done}")
        news = [e for e in self.journal()[before:] if e["event"] == event]
        expect(news and (result is None or news[-1]["facts"].get("result") == result),
               f"not journalled as {event} {result}: {news}")

    def remove(self):
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.wait()
        self.rig.remove()


def kept_out(bench):
    """No account but the vault's reads, writes, lists or moves anything of the vault and the keeper."""
    rig = bench.rig
    paths = everything(rig.vault, rig.keeper)
    kinds = {os.path.relpath(path, rig.vault).split(os.sep)[0] for path, _ in paths}
    expect({"keys", "people", "recordings", "journal", "catalog", "vault.toml"} <= kinds, f"not a whole vault: {kinds}")
    for uid in (CHIEF, ANA, PBX, STRANGER):
        may = as_user(account(uid, uid), lambda: probe(paths))
        expect(not any(may.values()), f"account {uid} may {may}")


def plays(bench, call, sound):
    """Real audio, from another account, the same samples as at home; and as a copy, and one track."""
    at_home, rate, _ = bench.act(OWNER).play(call, "--as", "chief")
    rig = bench.act(ANA)
    samples, same_rate, channels = rig.play(call)
    expect(samples == at_home and rate == same_rate and channels == 2, "another sound is played")
    expect(len(samples) >= 2 * sound * rate, f"{len(samples)} samples of {sound} s are played")
    path = rig.folder + "/out/copy.opus"
    rig.good("play", call, "--track", "caller", "--format", "opus", "--purpose", "complaint", "-o", path)
    with open(path, "rb") as file:
        expect(file.read(4) == b"OggS", "the copy is no Ogg")
    exported = bench.last("exported")
    expect(exported["actor"] == "ana" and exported["facts"]["tracks"] == "caller", f"journalled as {exported}")


def every_command(bench, call, gone, binary):
    """The registry's commands: each goes over the socket, or says that it is the vault's own account's."""
    text = subprocess.run([binary, "--help"], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^  ([a-z-]+) ", text[text.index("Subcommands:"):], re.M)
    commands = []
    for name in names:
        text = subprocess.run([binary, name, "--help"], capture_output=True, text=True, check=True).stdout
        inner = re.findall(r"^  ([a-z-]+) ", text.partition("Subcommands:")[2], re.M)
        commands += [f"{name} {word}" for word in inner] or [name]
    known = set(OVER_SOCKET) | AT_HOME
    expect(len(commands) >= 42, f"the help was not understood: {commands}")
    expect(set(commands) == known,
           f"neither over the socket nor kept at home (see CONTRIBUTING.md): {sorted(set(commands) ^ known)}")
    values = {"call": call, "gone": gone, "folder": bench.rig.folder, "request": "", "breach": ""}
    for command, (name, words, code) in OVER_SOCKET.items():
        words = [word.format(**values) for word in words]
        done = bench.act(WHO[name]).run(*command.split(), *words, *([] if command == "play" else ["--json"]))
        expect(done.code == code, str(done))
        if command == "request open":
            values["request"] = done.lines()[0]["id"]
        if command == "breach open":
            values["breach"] = done.lines()[0]["id"]
        if command == "play":
            expect(done.raw[:4] == b"RIFF", "nothing is played")
    for command in ("purge", "check", "recover", "reindex", "status", "doctor", "journal verify", "keeper status"):
        bench.act(CHIEF).fails(23, *command.split(), says="vault's own account")
    # A person made over the socket can do what one made at home can.
    bench.act(OWNER).fails(23, "--as", "nou", "play", call, "--purpose", "complaint", says="disabled")
    bench.act(ANA).good("person", "passwd", "ana", "--new-passphrase-command", f"echo {OTHER_PASSPHRASE}")
    bench.rig.secrets.append(OTHER_PASSPHRASE)
    bench.refused(12, ANA, "find", event="unlock_failed", result="wrong_passphrase")
    bench.act(ANA).good("person", "passwd", "ana", "--passphrase-command", f"echo {OTHER_PASSPHRASE}",
                        "--new-passphrase-command", f"cat {bench.rig.folder}/passphrase")
    bench.act(ANA).good("find")


def duties(bench, call):
    """A duty text, assessed and signed for over the socket: the signature is made where the key is."""
    bench.act(CHIEF).good("duty", "set", bench.rig.folder + "/notice.txt")
    bench.act(ANA).fails(23, "pause", call, says="has not accepted")
    bench.act(CHIEF).good("person", "assess", "chief", "--date", "2026-01-01")
    bench.act(CHIEF).good("person", "accept")
    bench.act(CHIEF).good("person", "assess", "ana", "--date", "2026-01-01")
    bench.act(ANA).fails(23, "pause", call, says="has not accepted")
    bench.act(ANA).good("person", "accept")
    bench.act(ANA).fails(23, "pause", call, says="has ended")  # what is counted as a listing is used up


def strangers(bench, call):
    bench.refused(23, ANA, "--as", "chief", "find", says="may not act as chief", result="account")
    bench.refused(23, ANA, "--as", "nobody", "find", says="may not act as nobody", result="account")
    bench.refused(12, GHOST, "find", says="wrong passphrase, or no such person",
                  event="unlock_failed", result="wrong_passphrase")
    bench.refused(23, STRANGER, "find", says="may not use the keeper's service", result="account")
    # Once a minute is enough: nobody fills the journal.
    size = len(bench.journal())
    bench.act(STRANGER).fails(23, "find", says="may not use the keeper's service")
    expect(len(bench.journal()) <= size + 1, "a stranger writes the journal full")
    bench.refused(23, PBX, "--as", "ana", "find", says="numbers only", result="account")
    bench.act(PBX).good("may-record", "0722000009")
    bench.act(CHIEF).good("opt-out", "add", "0722000007")
    expect(bench.act(PBX).run("may-record", "0722000007").code == 23, "an opted-out number may be recorded")
    bench.act(PBX).fails(23, "journal", "checkpoint", says="numbers only")
    bench.act(ANA).fails(2, "play", call, says="--purpose")
    bench.act(ANA).fails(23, "person", "list", says="no role")
    expect(bench.last("refused")["facts"] == {"verb": "person_list", "result": "role"}, "a role is refused unseen")


def hostile(bench, call):
    """One thing wrong with an otherwise honest request."""
    if not bench.has_probe:
        raise Failed("the service's probe is not built: ninja service_probe")
    expect(bench.hostile(ANA, "ana", call, "both", "honest") == "released 2 3", "an honest request is refused")
    # One track asked for, one handed over: s_0 and its own secret, and one file.
    expect(bench.hostile(ANA, "ana", call, "caller", "honest") == "released 1 2", "more is released than was asked for")
    for how in ("unsigned", "wrong_key", "wrong_uid", "tampered", "replayed", "other_vault"):
        before = len(bench.journal())
        said = bench.hostile(ANA, "ana", call, "both", how)
        expect(said.startswith("failed refused the request is not signed by ana"), f"{how}: {said}")
        news = [(e["event"], e["facts"].get("result"), e["actor"]) for e in bench.journal()[before:]]
        expect(("refused", "signature", f"uid {ANA}") in news, f"{how} is not journalled: {news}")
    # ana's identity and passphrase, both stolen, from ion's account.
    stolen = bench.rig.folder + "/stolen"
    shutil.copy(bench.rig.vault + "/people/ana", stolen)
    os.chmod(stolen, 0o644)
    said = bench.hostile(ION, "ana", call, "both", stolen)
    expect(said.startswith("failed refused this account may not act as ana"), f"another account: {said}")
    said = bench.hostile(ANA, "ana", call, "both", "other_person")
    expect(said.startswith("failed refused this account may not act as somebody"), f"another person: {said}")


def raw(bench, *parts):
    """The frames (kind, payload) that the service sends ana's account for these bytes, its greeting first."""
    path = bench.socket

    def talk():
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(20)
            line.connect(path)
            got = line.recv(65536)
            for part in parts:
                line.sendall(bytes.fromhex(part))
            line.shutdown(socket.SHUT_WR)
            try:
                while more := line.recv(65536):
                    got += more
            except ConnectionError:  # it ended with bytes of ours unread
                pass
            return got.hex()
    got, frames = bytes.fromhex(as_user(account(ANA, ANA), talk)), []
    while got:
        end = 5 + int.from_bytes(got[:4], "little")
        frames.append((got[4], got[5:end]))
        got = got[end:]
    return frames


def rude(bench, call):
    """Garbage, halves, silence, and readers who never read: nobody else waits for them."""
    greeting = raw(bench)[0]
    expect(greeting[0] == 1 and b"vault" in greeting[1], f"no greeting: {greeting!r}")
    for part in ("00", "ffffffff02", "00000000ff", "0100000002", "10000000020100" + "ff" * 14, os.urandom(5000).hex(),
                 "05000000020900000000"):
        answers = raw(bench, part)[1:]
        expect(all(kind == 5 for kind, _ in answers), f"{part[:40]} is not refused: {answers!r}")
    answers = raw(bench, "10000000020100" + "ff" * 14)[1:]
    expect([kind for kind, _ in answers] == [5], f"a malformed request is not refused: {answers!r}")
    holders = []
    for _ in range(4):  # silent for as long as they may
        line = socket.socket(socket.AF_UNIX)
        holders.append((os.fork(), line))
        if holders[-1][0] == 0:
            os.setgid(ION)
            os.setuid(ION)
            line.connect(bench.socket)
            time.sleep(60)
            os._exit(0)
    deaf = subprocess.Popen([bench.probe_tool, bench.socket, "ana", bench.rig.folder + "/passphrase", call, "both",
                             "unread"], env=bench.rig.env, stdout=subprocess.DEVNULL, **account(ANA, ANA))
    time.sleep(0.5)
    start = time.monotonic()
    bench.act(ION).good("find")
    bench.act(CHIEF).good("hold", call, "--matter", "M-2")  # a change, which needs the vault alone
    expect(time.monotonic() - start < 9, f"others wait {time.monotonic() - start:.1f} s for the rude")
    for child, line in holders:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        line.close()
    deaf.wait(20)
    bench.act(CHIEF).good("unhold", call, "--matter", "M-2")


def together(bench, call):
    runs = []
    for uid, words in ((ANA, ["play", call, "--purpose", "complaint"]), (ION, ["find"]),
                       (CHIEF, ["hold", call, "--matter", "M-3"]), (ION, ["play", call, "--purpose", "complaint"]),
                       (ANA, ["show", call]), (CHIEF, ["unhold", call, "--matter", "M-3"])):
        runs.append((words, bench.act(uid).start(*words)))
    for words, process in runs:
        out, err = process.communicate(timeout=60)
        expect(process.returncode == 0 or words[0] == "unhold", f"{words} beside others exits {process.returncode}: {err}")
        if words[0] == "play":
            expect(out[:4] == b"RIFF", "nothing is played")


def killed(bench, call):
    """A client or the service killed at any moment leaves nothing broken, and no opening without its entry."""
    for delay in (0.0, 0.01, 0.03, 0.06):
        process = bench.act(ANA).start("play", call, "--purpose", "complaint")
        time.sleep(delay)
        process.kill()
        process.communicate()
    bench.act(ANA).good("find")
    if shutil.which("strace"):
        bench.stop()
        # The one sendmsg is the release: killed at it, the secret has not left and the entry stands.
        bench.serve(under=("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=sendmsg",
                           "-e", "inject=sendmsg:signal=KILL:when=1"))
        before = len([e for e in bench.journal() if e["event"] == "opened"])
        said = bench.hostile(ANA, "ana", call, "both", "honest")
        expect(said.startswith("failed"), f"killed before it released, the service answers {said}")
        after = len([e for e in bench.journal() if e["event"] == "opened"])
        expect(after == before + 1, "what was about to be released is not in the journal")
        with open(f"/proc/{bench.server.pid}/task/{bench.server.pid}/children", encoding="ascii") as file:
            front = [int(pid) for pid in file.read().split()]
    else:
        print("SKIPPED: no strace to kill the service by")
        front = [bench.server.pid]
    for pid in front:
        os.kill(pid, signal.SIGKILL)
    bench.server.wait(20)
    bench.server = None
    bench.act(ANA).fails(11, "find", says="nobody answers")
    bench.serve()  # over the socket that the killed one left
    bench.act(ANA).good("play", call, "--purpose", "complaint")
    bench.act(OWNER).sound()


def limits(bench, call):
    bench.stop()
    bench.configure(openings_per_minute=2, listings_per_minute=3, requests_per_minute=40)
    bench.serve()
    for _ in range(2):
        bench.act(ANA).good("play", call, "--purpose", "complaint")
    bench.refused(23, ANA, "play", call, "--purpose", "complaint", says="over the limit of openings", result="limit")
    bench.act(ION).good("play", call, "--purpose", "complaint")
    for _ in range(3):
        bench.act(ANA).good("find")
    bench.refused(23, ANA, "find", says="over the limit of listings", result="limit")
    bench.act(ION).good("find")
    codes = [bench.act(CHIEF).run("may-record", "0722000009").code for _ in range(24)]  # two connections each
    expect(codes[:15] == [0] * 15 and codes[-1] == 23, f"requests are not counted: {codes}")
    news = [e for e in bench.journal() if e["event"] == "refused" and e["actor"] == f"uid {CHIEF}"]
    expect(len([e for e in news if e["facts"] == {"verb": "connect", "result": "limit"}]) == 1, f"journalled: {news}")


def impostor(bench):
    """A socket that another account serves is not talked to."""
    bench.stop()
    path = bench.rig.folder + "/false/keeper.sock"
    false = os.fork()
    if false == 0:
        os.setgid(ION)
        os.setuid(ION)
        line = socket.socket(socket.AF_UNIX)
        line.bind(path)
        os.chmod(path, 0o666)
        line.listen()
        time.sleep(20)
        os._exit(0)
    try:
        time.sleep(0.5)
        bench.act(ANA).fails(23, "--socket", path, "find", says="is not served by the account of")
    finally:
        os.kill(false, signal.SIGKILL)
        os.waitpid(false, 0)
    bench.act(ANA).fails(23, "find", says="[Pp]ermission denied")  # nobody serves: as before


def activated(bench):
    """By the protocol of sd_listen_fds: the socket outlives the service, which ends when idle."""
    tool = shutil.which("systemd-socket-activate")
    if tool is None:
        print("SKIPPED: no systemd-socket-activate")
        return
    bench.act(OWNER)
    env = [f"--setenv={name}" for name in ("CALLVAULT_DIR", "PATH", "HOME", "LC_ALL")]
    server = subprocess.Popen([tool, "-l", bench.socket, *env, bench.rig.binary, "keeper", "serve", "--idle-exit", "1"],
                              env=bench.rig.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **account(OWNER, OWNER))
    bench.server = server
    for _ in range(100):
        if os.path.exists(bench.socket):
            break
        time.sleep(0.05)
    os.chmod(bench.socket, 0o666)
    bench.act(ANA).good("find")
    server.wait(20)
    expect(server.returncode == 0, f"activated, the service exits {server.returncode}: {server.stdout.read().decode()}")
    bench.server = None


def make_calls(bench):
    rig, sound = bench.act(OWNER), 3
    pcm = speech(sound)
    other = tone(sound, 330)
    both = b"".join(pcm[i:i + 2] + other[i:i + 2] for i in range(0, len(pcm), 2))
    call = rig.ingest(both, "--channels", "caller,agent", "--consent", "granted", "--caller", "0722000001")["id"]
    gone = rig.ingest(tone(1, 440), "--consent", "granted")["id"]
    rig.good("--as", "chief", "erase", gone, "--request", "R-1", "--reason", "asked")
    return call, gone, sound


def test(binary, parts=None):
    if os.geteuid() != 0:
        raise Skip("needs root, to act as other accounts")
    bench = Bench(binary)
    try:
        call, gone, sound = make_calls(bench)
        if parts is None:
            bench.act(ANA).fails(23, "find", says="[Pp]ermission denied")
            kept_out(bench)
            bench.serve()
            status = bench.act(OWNER).json("keeper", "status")[0]
            expect(status["separated"] and status["roots"] == ["2"] and status["socket"] == bench.socket, f"{status}")
            findings = bench.act(OWNER).run("doctor", "--json").lines()[0]["findings"]
            expect(any(f["subject"] == "separation" and f["level"] == "ok" for f in findings), f"{findings}")
            plays(bench, call, sound)
            every_command(bench, call, gone, binary)
            kept_out(bench)
        else:
            bench.serve()
        for part in parts or (strangers, hostile, rude, together, killed, limits):
            part(bench, call)
        if parts is None:
            impostor(bench)
            activated(bench)
            bench.serve()
            duties(bench, call)
        bench.stop()
        bench.act(OWNER).sound()
    finally:
        bench.remove()


SEEDED = [
    ("no_uid_check", "vault/vault_service.cc",
     [("if (std::ranges::find(people_, request.person) == people_.end())", "if (false)")], (hostile,)),
    ("no_signature_check", "vault/vault_service.cc",
     [("if (!who || !is_signed)", "if (!who)")], (hostile,)),
    ("any_identity", "vault/vault_service.cc",
     [("if (std::ranges::find(asked.people, name) != asked.people.end()) return {};", "if (true) return {};")], (strangers,)),
    ("nonce_repeats", "vault/vault_service.cc", [("    crypto::fill_random(hello_.nonce);\n", "")], (hostile,)),
    ("uid_not_signed", "vault/service/protocol.cc", [("  encode(out, uid);\n", "  encode(out, 0 * uid);\n")], (hostile,)),
    ("release_before_journal", "vault/review/release.cc",
     [("    CALLVAULT_TRY(journal(*row, occasion_.event, {}));\n", "")], (killed,)),
    ("all_tracks_released", "vault/review/release.cc", [("if (track.name == name) CALLVAULT_TRY", "if (name == out_.tracks.front()) CALLVAULT_TRY")],
     (hostile,)),
    ("openings_not_counted", "vault/vault_service.cc",
     [("    CALLVAULT_TRY(stay_within(vault, verb, request.person));\n", "")], (limits,)),
]


def seeded(build, source):
    if os.geteuid() != 0:
        print("SKIPPED: needs root, to act as other accounts")
        sys.exit(77)
    maker, bad = Build(build, source), 0
    probe_tool = os.path.join(build, "tests", "system", "service_probe")
    for name, file, edits, parts in SEEDED:
        with tempfile.TemporaryDirectory(prefix="callvault-seeded-") as folder:
            os.makedirs(folder + "/cli")
            os.makedirs(folder + "/tests/system")
            shutil.copy(probe_tool, folder + "/tests/system/service_probe")
            maker.link("cli/callvault", [maker.compile(file, edits, folder)], folder + "/cli/callvault")
            if file.startswith("vault/service/"):  # both ends of the protocol
                maker.link("tests/system/service_probe", [maker.compile(file, edits, folder)],
                           folder + "/tests/system/service_probe")
            try:
                test(folder + "/cli/callvault", parts)
                verdict = "SURVIVED"
            except Failed as why:
                verdict = "caught: " + str(why)[:100].replace("\n", " ")
        bad += verdict == "SURVIVED"
        print(f"{name}: {verdict}", flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    if sys.argv[1] == "--seeded":
        seeded(*sys.argv[2:])
    main(test)
