#!/usr/bin/env python3
"""Vaults that are newer, damaged, moved or not there, wrong keepers and passphrases, hostile names and data: each gives
its documented code and one clear message, and nothing is changed that need not be."""

import json
import os
import random
import shutil
import subprocess

from rig import RATE, Failed, Rig, expect, main, changes, tone, tree

HOSTILE_IDS = ["../../etc/passwd", "/etc/passwd", "..", "", " ", "a" * 10240, "k3vq7n\x01", "\x1b]0;x\x07abcdef", "κλμνξοπρ",
               "📞" * 26, "%s%n%d%s%n", "abcdef/../../x", "-" * 26, "A" * 26, "1" * 26, "aaaaaa'; drop table", "\xff\xfe" * 13]
HOSTILE_TEXTS = ["\x1b[2J\x1b]0;owned\x07", "line\nline\ncallvault: forged message", "\u202eevil\u202c", "\t\r\x7f", "\u0000x",
                 "'\"\\`$(touch /tmp/x)", "{\"error\":{}}", "é́" * 40, "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")]
NUMBER = "+40722123456"


class Bench:
    """A sound vault that is set aside, and brought back before each case."""

    def __init__(self, binary):
        self.rig = Rig("bad", binary)
        self.ids = [self.rig.ingest(tone(1, 300 + 50 * i), "--consent", "granted", "--caller", NUMBER, "--agent", "ana",
                                    "--call-id", f"c{i}", "--started-at", f"2026-11-{10 + i}T10:00:00+02:00")["id"]
                    for i in range(4)]
        self.rig.json("find")
        self.rig.good("erase", self.ids[3], "--request", "R-1", "--reason", "asked")
        self.rig.good("hold", self.ids[2], "--matter", "case 1")
        self.found = self.rig.json("find")
        self.by_caller = self.rig.json("find", "--caller", NUMBER)
        expect(len(self.found) == len(self.by_caller) == 3, f"found: {self.found}")
        self.gone = self.rig.json("find", "--state", "gone")
        self.rig.secrets += [NUMBER, "0722123456"]
        for name in ("vault", "vault.keeper"):
            shutil.copytree(f"{self.rig.folder}/{name}", f"{self.rig.folder}/{name}.good")

    def restore(self):
        for name in ("vault", "vault.keeper"):
            path = f"{self.rig.folder}/{name}"
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            elif os.path.lexists(path):
                os.remove(path)
            shutil.copytree(path + ".good", path)

    def path(self, *names):
        return os.path.join(self.rig.vault, *names)

    def untouched(self, code, *words, says="", without=("catalog/lock.mdb", "keys/lock"), **more):
        """Fails so, and leaves vault and keeper as they were."""
        before = tree(self.rig.vault, self.rig.keeper, without=without)
        self.rig.fails(code, *words, says=says, **more)
        changed = changes(before, tree(self.rig.vault, self.rig.keeper, without=without))
        expect(not changed, f"{words} changed {changed}")

    def same_answers(self):
        rig = self.rig
        expect(rig.json("find") == self.found, "other answers")
        expect(rig.json("find", "--caller", "0722 123 456") == self.by_caller, "other answers by caller")
        expect(rig.json("find", "--state", "gone") == self.gone, "other tombstones")
        expect(rig.run("show", self.ids[3]).code == 21, "a shredded recording is not gone any more")
        rig.sound()


def commands(bench):
    """One of each kind that opens a vault."""
    one = bench.ids[0]
    return (("find",), ("show", one), ("play", one, "--purpose", "complaint"), ("purge",), ("check",), ("recover",),
            ("status",), ("reindex",), ("journal", "verify"), ("prove-gone", one), ("person", "list"), ("doctor",),
            ("erase", one, "--request", "R", "--reason", "x"), ("hold", one, "--matter", "m"),
            ("consent", one, "--party", "caller", "--set", "withdrawn"), ("person", "passwd", "officer"))


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def ingest_words(*more):
    return ("ingest", "--direction", "in", "--format", "s16le", *more)


def newer_version(bench):
    config = read(bench.path("vault.toml"))
    write(bench.path("vault.toml"), config.replace(b"version = 1", b"version = 2"))
    expect(read(bench.path("vault.toml")) != config, "vault.toml has no version")
    for words in commands(bench):
        bench.untouched(13, *words, says="version 2")
    bench.untouched(13, *ingest_words(), says="version 2", stdin=tone(1, 440))


def no_vault(bench):
    rig = bench.rig
    for name in ("nothing-here", "deep/er/nothing", "passphrase", "empty"):
        path = f"{rig.folder}/{name}"
        if name == "empty":
            os.makedirs(path, exist_ok=True)
        for words in (("find",), ("purge",), ("status",), ("reindex",)):
            rig.fails((10, 74) if name == "passphrase" else 10, "--vault", path, *words)
        rig.fails((10, 74) if name == "passphrase" else 10, "--vault", path, *ingest_words(), stdin=tone(1, 440))
    expect(os.listdir(f"{rig.folder}/empty") == [] and not os.path.exists(f"{rig.folder}/nothing-here"), "litter")
    rig.fails(10, "--vault", "x" * 255, "find")
    rig.fails((2, 10, 74), "--vault", "x" * 5000, "find")


def bad_config(bench):
    good = read(bench.path("vault.toml"))
    for text in (b"", b"[vault", os.urandom(300), good.replace(b"Europe/Bucharest", b"Moon/Crater"),
                 good.replace(b"6mo", b"forever"), good.replace(b"version = 1", b"version = \"1\""), good * 2,
                 b"x" * 300_000, good.replace(b"default", b"other")):
        write(bench.path("vault.toml"), text)
        for words in (("find",), ("purge",), ("status",)):
            bench.untouched((2, 22), *words)
        bench.untouched((2, 22), *ingest_words(), stdin=tone(1, 440))
    os.remove(bench.path("vault.toml"))
    os.mkdir(bench.path("vault.toml"))
    bench.untouched((22, 74), "find")
    if os.geteuid() != 0:
        os.rmdir(bench.path("vault.toml"))
        write(bench.path("vault.toml"), good)
        os.chmod(bench.path("vault.toml"), 0)
        bench.untouched(23, "find", says="[Pp]ermission")


def catalogue(bench):
    """Damaged any way, the catalogue is told of or made again, and the answers are those of before."""
    rig, data = bench.rig, bench.path("catalog", "data.mdb")
    whole = read(data)
    rnd = random.Random(7)
    used = [i for i in range(0, len(whole), 4096) if any(whole[i:i + 4096])]

    def flipped(count):
        out = bytearray(whole)
        for _ in range(count):
            out[rnd.choice(used) + rnd.randrange(4096)] ^= 1 << rnd.randrange(8)
        return bytes(out)

    cases = [("empty", b""), ("cut to a byte", whole[:1]), ("cut to a page", whole[:4096]),
             ("cut to half", whole[:len(used) // 2 * 4096 + 100]), ("zeros", bytes(len(whole))),
             ("noise", rnd.randbytes(64 * 1024)), ("text", b"not a database\n" * 1000)]
    cases += [(f"flipped {n}", flipped(n)) for n in (1, 1, 1, 1, 3, 10, 100, 1000)]
    for name, content in cases + [("missing", None), ("no folder", None), ("a file for a folder", None),
                                  ("older", None)]:
        bench.restore()
        if name == "missing":
            os.remove(data)
        elif name == "no folder":
            shutil.rmtree(bench.path("catalog"))
        elif name == "a file for a folder":
            shutil.rmtree(bench.path("catalog"))
            write(bench.path("catalog"), b"x")
            rig.fails(74, "find", says="File exists")
            continue
        elif name == "older":
            # An old copy, from before an erasure: it must not bring anything back.
            old = read(data)
            rig.good("erase", bench.ids[0], "--request", "R-2", "--reason", "asked")
            write(data, old)
            expect(rig.run("show", bench.ids[0]).code == 21, "an old catalogue brings a shredded recording back")
            expect(rig.run("find").code in (0, 22), "find")
            rig.good("reindex")
            expect({r["id"] for r in rig.json("find")} == set(bench.ids[1:3]), "reindex finds others")
            continue
        else:
            write(data, content)
        done = rig.run("--json", "find")
        expect(done.code in (0, 22), f"catalogue {name}: {done}")
        if done.code == 0:
            expect(done.lines() == bench.found, f"catalogue {name}: other answers without a word: {done}")
        else:
            expect("reindex" in done.out, f"catalogue {name}: nobody says reindex: {done}")
        counts = rig.json("reindex")[0]
        expect(counts == {"recordings": 3, "tombstones": 1, "problems": []}, f"catalogue {name}: reindex counts {counts}")
        bench.same_answers()


def key_state(bench):
    """Damage to what cannot be derived is said, and nothing is made worse."""
    rnd = random.Random(8)
    buckets = [f"keys/buckets/{name}" for name in os.listdir(bench.path("keys/buckets"))]
    for name in ("keys/directory", "journal/entries", *buckets[:1]):
        good = read(bench.path(name))
        broken = [b"", good[:len(good) // 2], good[:-1], rnd.randbytes(len(good))]
        for _ in range(6):
            flipped = bytearray(good)
            flipped[rnd.randrange(len(good))] ^= 1 << rnd.randrange(8)
            broken.append(bytes(flipped))
        for content in broken:
            write(bench.path(name), content)
            for words in (("purge",), ("find",), ("play", bench.ids[0], "--purpose", "complaint"),
                          ("erase", bench.ids[1], "--request", "R", "--reason", "x")):
                done = bench.rig.run(*words)
                # One bucket of several may be another than the one that is asked for.
                # And what is inside an old entry of the journal is for `check` and `journal verify` to find.
                inside = name in buckets or (name == "journal/entries" and len(content) == len(good))
                expect(done.code == 22 or (inside and done.code == 0), f"{name} damaged: {done}")
            expect(bench.rig.run("check").code == 22, f"check finds nothing wrong with {name}")
            bench.restore()
        os.remove(bench.path(name))
        bench.rig.fails((20, 22), "check" if name not in buckets else "purge")
        bench.restore()
        bench.same_answers()
        bench.restore()
    # A recorder needs none of these.
    os.remove(bench.path("keys/directory"))
    bench.rig.ingest(tone(1, 440))
    shutil.copy(bench.path("keys/buckets", os.path.basename(buckets[0])), bench.path("keys/directory"))
    bench.untouched(22, "find", without=("incoming", "catalog", "keys/lock"))


def recorder_keys(bench):
    for name in ("keys/review.pub", "keys/intake/" + os.listdir(bench.path("keys/intake"))[0]):
        good = read(bench.path(name))
        for content in (b"", good[:-1], b"x" * len(good), good[:20] + bytes([good[20] ^ 1]) + good[21:], good * 3):
            write(bench.path(name), content)
            bench.untouched(22, *ingest_words(), stdin=tone(1, 440))
        os.remove(bench.path(name))
        bench.untouched((20, 22), *ingest_words(), stdin=tone(1, 440))
        bench.restore()


def keepers(bench):
    rig = bench.rig
    shutil.rmtree(rig.keeper)
    for words in commands(bench):
        if words[0] == "doctor":
            continue
        bench.untouched(22, *words, says="no keeper")
    rig.ingest(tone(1, 440))  # a recorder needs none
    bench.restore()

    other = Rig("other", rig.binary)
    try:
        for words in (("find",), ("purge",), ("check",), ("erase", bench.ids[0], "--request", "R", "--reason", "x")):
            bench.untouched(22, "--keeper", other.keeper, *words)
        before = tree(other.keeper)
        shutil.rmtree(rig.keeper)
        shutil.copytree(other.keeper, rig.keeper)
        bench.untouched(22, "purge")
        bench.untouched(22, "find")
        expect(not changes(before, tree(other.keeper)), "another vault's keeper was written to")
    finally:
        other.remove()
    bench.restore()
    root = read(rig.keeper + "/root")
    for content in (b"", root[:4096], root[:len(root) // 2], bytes(len(root)), os.urandom(len(root))):
        write(rig.keeper + "/root", content)
        for words in (("find",), ("purge",), ("recover",)):
            bench.untouched(22, *words)
    bench.restore()
    shutil.rmtree(rig.keeper)
    write(rig.keeper, b"x")
    rig.fails((22, 74), "find")
    bench.restore()
    # Inside the vault: refused; accepted only in so many words, and the doctor says so.
    inside = f"{rig.folder}/second"
    fast = ("--unsafe-fast-passphrase",)
    rig.fails(23, "init", inside, "--keeper", inside + "/keeper", *fast, says="inside")
    expect(not os.path.exists(inside), "a refused vault is left")
    rig.good("init", inside, "--keeper", inside + "/keeper", "--unsafe-keeper", *fast)
    doctor = rig.run("--vault", inside, "doctor")
    expect(doctor.code == 3 and "inside the vault" in doctor.out, str(doctor))
    shutil.rmtree(inside)


def passphrases(bench):
    rig = bench.rig
    wrong = rig.folder + "/wrong"
    rig.secrets += ["battery staple", "guess-me-not"]
    for name, text in (("empty", b""), ("newline", b"\n"), ("wrong", b"guess-me-not\n"), ("long", b"x" * 100_000),
                       ("nul", b"correct horse battery staple\0\n"), ("longer", b"correct horse battery staple \n"),
                       ("case", b"Correct horse battery staple\n")):
        write(wrong, text)
        os.chmod(wrong, 0o600)
        code = {"empty": (2, 12), "newline": (2, 12), "long": (2, 12)}.get(name, 12)
        for words in (("find",), ("play", bench.ids[0], "--purpose", "complaint"), ("person", "list"),
                      ("erase", bench.ids[0], "--request", "R", "--reason", "x")):
            bench.untouched(code, "--passphrase-file", wrong, *words, without=("journal", "keys", "catalog"))
    # Who does not exist is told from who mistyped by nobody.
    told = {rig.fails(12, "--as", name, "--passphrase-file", wrong, "find").err for name in ("officer", "nobody-known")}
    expect(len(told) == 1, f"a person's existence is told: {told}")
    for name in ("../people/officer", "", "officer\n", "x" * 10_000, "..", "офицер"):
        rig.fails((2, 12), "--as", name, "find")
    entries = rig.json("journal", "verify")[0]
    expect(entries["ok"], f"journal: {entries}")
    rig.fails(74, "--passphrase-file", rig.folder + "/no-such-file", "find")
    rig.fails((2, 74), "--passphrase-file", rig.folder, "find")
    person = bench.path("people", "officer")
    good = read(person)
    for content in (b"", good[:-2], os.urandom(len(good)), good[:50] + bytes([good[50] ^ 1]) + good[51:]):
        write(person, content)
        rig.fails((12, 22), "find")
    bench.restore()
    expect(rig.json("find") == bench.found, "what was refused changed something")


def hostile_ids(bench):
    rig = bench.rig
    for text in HOSTILE_IDS:
        for words in (("show",), ("prove-gone",), ("hold", "--matter", "m"), ("play", "--purpose", "complaint"),
                      ("erase", "--request", "R", "--reason", "x"), ("consent", "--party", "caller", "--set", "granted")):
            bench.untouched((2, 20), words[0], *words[1:], "--", text, without=("journal", "keys", "catalog"))
    rig.fails((22, 74), "inspect", "../../etc/passwd")
    for path in ("/etc/passwd", "/dev/null", "/proc/self/mem", rig.folder, rig.vault + "/vault.toml", "/dev/zero"):
        rig.fails((2, 22, 74), "inspect", path)
    expect(rig.json("find") == bench.found, "a hostile id changed something")


def hostile_data(bench):
    rig = bench.rig
    rig.secrets += ["forged message"]
    for number, text in enumerate(HOSTILE_TEXTS):
        meta = rig.folder + "/meta.json"
        with open(meta, "w", encoding="utf-8") as file:
            json.dump({"caller": text, "agent": text, "call_id": text, "notice": text, "consent": "granted"}, file)
        done = rig.run("--json", *ingest_words("--meta-file", meta), stdin=tone(0.5, 440))
        expect(done.code in (0, 2), f"{text!r}: {done}")
        expect(done.raw.isascii(), f"{text!r}: {done}")
        if done.code == 2:
            continue
        call = done.lines()[0]["id"]
        told = rig.json("show", call)[0]
        expect(told["agent"] == text, f"{text!r} comes back as {told['agent']!r}")
        shown = rig.good("show", call)
        table = rig.good("find", "--call-id", text)
        for out in (shown.out, table.out):
            bad = [c for c in out if (ord(c) < 32 and c != "\n") or ord(c) == 127 or 0x202a <= ord(c) <= 0x202e]
            expect(not bad, f"{text!r} reaches the terminal as {bad}: {out!r}")
            expect(not any(line.startswith("callvault: forged") for line in out.splitlines()), f"forged: {out!r}")
        matter = text.replace("\0", "")
        held = rig.run("hold", call, "--matter", matter)
        expect(held.code in (0, 2), str(held))
        if held.code == 0:
            expect([h["matter"] for h in rig.json("show", call)[0]["holds"]] == [matter], f"{number}: another matter")
            rig.good("unhold", call, "--matter", matter)
        rig.good("erase", call, "--request", "R-2", "--reason", matter or "x")
    for text in (b"", b"{", b"[]", b"null", b"{\"caller\": 5}", b"{\"unknown\": \"x\"}", b"\xff\xfe{}", b"{\"caller\": \"" +
                 b"9" * 70_000 + b"\"}", b"[" * 60_000, b"{\"caller\":\"a\",\"caller\":\"b\"}", b"{\"notice_played\":\"x\"}",
                 b"{\"consent\":\"maybe\"}", b"{\"caller\":\"\xc3\x28\"}"):
        write(rig.folder + "/meta.json", text)
        rig.fails(2, *ingest_words("--meta-file", rig.folder + "/meta.json"), stdin=tone(0.5, 440))
    for words in (("--caller", "9" * 10_000), ("--agent", "x" * 10_000), ("--call-id", "x" * 10_000), ("--class", "../x"),
                  ("--notice", "x" * 10_000), ("--rate", "-1"), ("--rate", "99999999999999999999"), ("--bitrate", "nan"),
                  ("--started-at", "yesterday"), ("--started-at", "9" * 5000), ("--complexity", "11")):
        rig.fails((2, 23), *ingest_words(*words), stdin=tone(0.5, 440))
    for sound in (b"", b"\0", b"RIFF", b"RIFF\0\0\0\0WAVE", b"RIFF" + b"\xff" * 200, os.urandom(64), b"OggS" + bytes(200)):
        done = rig.run("ingest", "--direction", "in", stdin=sound)
        expect(done.code == 2, f"{sound[:12]!r}: {done}")
    expect(os.listdir(bench.path("incoming")) == [], "what was refused is left in incoming/")
    rig.sound()


def odd_places(bench):
    rig = bench.rig
    # The vault through a link, a relative path, a path with dots and a slash at its end.
    os.symlink(rig.vault, rig.folder + "/link")
    for path in ("vault", "./vault/", "vault/../vault", rig.vault + "//"):
        expect(rig.json("--vault", path, "find") == bench.found, f"--vault {path}")
    linked = rig.run("--json", "--vault", rig.folder + "/link", "--keeper", rig.keeper, "find")
    expect(linked.code == 0 and linked.lines() == bench.found, str(linked))
    # A folder of the vault that leads elsewhere, or is none.
    for name in ("incoming", "recordings", "journal", "keys", "keys/buckets", "keys/intake"):
        shutil.move(bench.path(name), rig.folder + "/aside")
        for words in (("find",), ("purge",), ("status",)):
            done = rig.run(*words)
            expect(done.code in (20, 22, 74) or (name == "recordings" and done.code == 0) or
                   (name == "keys/intake" and done.code in (0, 22)), f"without {name}: {done}")
            expect(len(done.err.splitlines()) <= 2, f"without {name}: {done}")
        shutil.rmtree(rig.folder + "/aside")
        bench.restore()
    bench.same_answers()
    # A recording that is missing.
    for place, _, files in os.walk(bench.path("recordings")):
        for file in files:
            if file.startswith(bench.ids[0]):
                os.remove(os.path.join(place, file))
    rig.fails((20, 22), "play", bench.ids[0], "--purpose", "complaint", says=bench.ids[0])
    expect(rig.run("check").code == 22, "check misses no recording")
    expect(rig.json("find") == bench.found, "find needs the sound")
    rig.good("erase", bench.ids[0], "--request", "R", "--reason", "x")
    rig.good("prove-gone", bench.ids[0])
    # Two vaults never share a folder.
    rig.fails(2, "init", rig.vault, "--unsafe-keeper", "--unsafe-fast-passphrase", says="not empty")
    rig.fails((2, 74), "init", rig.folder + "/passphrase", "--unsafe-keeper", "--unsafe-fast-passphrase")
    rig.fails((2, 23), "init", rig.folder + "/third", "--keeper", rig.keeper, "--unsafe-keeper",
              "--unsafe-fast-passphrase", says="keeper")
    expect(os.path.exists(rig.keeper + "/root"), "init removed another vault's keeper")
    rig.sound()


def journal_checkpoint(bench):
    """Without a genuine checkpoint nothing is changed and all is said, until `recover` signs what the pin vouches for."""
    rig, path = bench.rig, bench.path("journal", "checkpoint")
    good = read(path)
    entries = read(bench.path("journal", "entries"))
    for content in (None, b"", good[:-1], good[:60] + bytes([good[60] ^ 1]) + good[61:], good.replace(b"\n", b"\n\n", 1)):
        if content is None:
            os.remove(path)
        else:
            write(path, content)
        for words in (("purge",), ("erase", bench.ids[0], "--request", "R", "--reason", "x"), ("reindex",),
                      ("hold", bench.ids[1], "--matter", "m"), ("play", bench.ids[0], "--purpose", "complaint")):
            bench.untouched(22, *words, says="journal checkpoint: .*/journal/checkpoint; 'callvault recover'",
                            without=("catalog", "keys/lock", "journal/lock"))
        rig.good("status")
        rig.good("prove-gone", bench.ids[3])
        for words in (("check",), ("journal", "verify")):
            done = rig.run("--json", *words)
            expect(done.code == 22 and not done.lines()[0]["ok"] and "callvault recover" in done.out, str(done))
        expect(rig.json("recover")[0]["journal_signed"], "recover does not say that it signed")
        expect(read(bench.path("journal", "entries")).startswith(entries), "recover changed entries")
        told = [line for line in rig.json("journal", "log") if line["event"] == "checkpoint_signed"]
        expect(len(told) == 1 and int(told[0]["facts"]["remembered"]) > 0, f"the journal says {told}")
        expect(not rig.json("recover")[0]["journal_signed"], "recover signs twice")
        bench.same_answers()
        bench.restore()
    # Entries that are not the pinned ones are not signed.
    for cut in (entries[:entries.index(b"\n") + 1], entries.replace(b"erased", b"expire", 1)):
        os.remove(path)
        write(bench.path("journal", "entries"), cut)
        bench.untouched(22, "recover", says="nothing was signed", without=("catalog", "keys/lock", "journal/lock"))
        bench.restore()
    # An older checkpoint is what a crash leaves.
    rig.good("unhold", bench.ids[2], "--matter", "case 1")
    write(path, good)
    rig.sound()
    rig.good("hold", bench.ids[2], "--matter", "case 1")
    expect(read(path) != good, "the checkpoint is not brought up to date")
    bench.same_answers()
    # Derived files: named by check, which finds no fault; made again by recover.
    for name in ("hashes", "offsets"):
        whole = read(bench.path("journal", name))
        for content in (None, b"", whole[:40] + bytes(24) + whole[64:]):
            if content is None:
                os.remove(bench.path("journal", name))
            else:
                write(bench.path("journal", name), content)
            noted = rig.json("check")[0]
            expect(noted["ok"] and len(noted["notes"]) == 1 and "journal/" + name in noted["notes"][0], f"check: {noted}")
            expect(rig.json("recover")[0]["journal_rebuilt"], f"recover does not rebuild {name}")
            expect(rig.json("check")[0]["notes"] == [], f"{name} is still not right")
            expect(read(bench.path("journal", name)).startswith(whole), f"{name} is made another")


CASES = (newer_version, no_vault, bad_config, catalogue, key_state, journal_checkpoint, recorder_keys, keepers,
         passphrases, hostile_ids, hostile_data, odd_places)


def test(binary):
    bench, wrong = Bench(binary), []
    try:
        for case in CASES:
            bench.restore()
            try:
                case(bench)
            except Failed as why:
                wrong.append(f"{case.__name__}: {why}")
        expect(not wrong, "\n".join(wrong))
    finally:
        bench.rig.remove()


if __name__ == "__main__":
    main(test)
