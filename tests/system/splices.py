#!/usr/bin/env python3
"""Recordings put together from pieces of others, and single files of the vault rolled back to what they were: each is
named by `check --deep`, and nothing is played that was not said there.

  splices.py PROGRAM
  splices.py --seeded BUILD SOURCE      breaks one guarantee at a time and expects this to notice
"""

import os
import shutil
import struct
import sys

from rig import RATE, Failed, Rig, expect, main, tone

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from mutation import survivors  # noqa: E402

CHUNK, TRAILER = 1040, 256
WHO = ("--consent", "granted", "--agent-consent", "granted")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


class Sealed:
    """The parts of a sealed file."""

    def __init__(self, data):
        size = struct.unpack_from("<I", data, 12)[0]
        body = data[size:-TRAILER]
        self.header, self.trailer = data[:size], data[-TRAILER:]
        self.chunks = [body[at:at + CHUNK] for at in range(0, len(body), CHUNK)]
        expect(len(self.chunks) >= 4 and len(body) % CHUNK == 0, "not a finished recording of four chunks")

    def made(self, header=None, chunks=None, trailer=None):
        return (header or self.header) + b"".join(self.chunks if chunks is None else chunks) + (
            self.trailer if trailer is None else trailer)


class Bench:
    def __init__(self, binary):
        self.rig = rig = Rig("splices", binary)
        say = lambda hertz, *words: rig.ingest(tone(3.5, hertz), *WHO, "--started-at", "2026-11-20T10:00:00+02:00", *words)["id"]
        self.ids = [say(300), say(520)]
        left, right = tone(3.5, 400), tone(3.5, 700)
        stereo = b"".join(left[i:i + 2] + right[i:i + 2] for i in range(0, len(left), 2))
        self.ids.append(rig.ingest(stereo, *WHO, "--channels", "caller,agent", "--started-at", "2026-11-20T11:00:00+02:00")["id"])
        rig.json("find")
        self.files = {}
        for place, _, names in os.walk(os.path.join(rig.vault, "recordings")):
            self.files.update({name: os.path.join(place, name) for name in names})
        self.one, self.two = (f"{id}.mixed" for id in self.ids[:2])
        self.caller, self.agent = f"{self.ids[2]}.caller", f"{self.ids[2]}.agent"
        self.good = {name: read(path) for name, path in self.files.items()}
        self.sound = {id: self.heard(id)[1] for id in self.ids}
        rig.sound()

    def heard(self, call, *words):
        done = self.rig.run("play", call, "--purpose", "complaint", "--format", "opus", *words)
        return done, done.raw

    def restore(self, names):
        for name in names:
            path = self.files[name]
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            elif os.path.lexists(path):
                os.remove(path)
            write(path, self.good[name])


def opus_of(bench, call):
    """What both tracks are, as `play --format opus` gives them one at a time."""
    tracks = ("caller", "agent") if call == bench.ids[2] else (None,)
    return {t: bench.heard(call, *(("--track", t) if t else ())) for t in tracks}


def judge(bench, what, changed):
    """`changed`: name -> bytes, or a function that puts something else in the file's place."""
    rig = bench.rig
    for name, data in changed.items():
        if callable(data):
            os.remove(bench.files[name])
            data(bench.files[name])
        else:
            write(bench.files[name], data)
    calls = sorted({name[:26] for name in changed})
    report = rig.run("--json", "check", "--deep", timeout=20)
    expect(report.code == 22, f"{what}: check --deep finds nothing: {report}")
    told = report.lines()[0]
    for call in calls:
        expect(any(call in problem for problem in told["problems"]), f"{what}: check does not name {call}: {told}")
    expect(len(told["problems"]) <= len(changed), f"{what}: more than what was done: {told}")
    for call in calls:
        for track in (("caller", "agent") if call == bench.ids[2] else (None,)):
            name = f"{call}.{track or 'mixed'}"
            done, sound = bench.heard(call, *(("--track", track) if track else ()))
            right = bench.tracks[name]
            expect(right.startswith(sound), f"{what}: other sound is heard of {name}")
            if name in changed:
                named = done.code == 0 and "warning: the recording was interrupted; this is what is sound of it" in done.err
                expect(done.code in (3, 22) or named, f"{what}: {name} is played as if nothing were wrong: {done.code} {done.err}")
    verified = rig.run("journal", "verify")
    expect(verified.code == 0, f"{what}: the journal has nothing to do with it: {verified}")
    bench.restore(changed)


def splices(bench):
    a, b = Sealed(bench.good[bench.one]), Sealed(bench.good[bench.two])
    c, d = Sealed(bench.good[bench.caller]), Sealed(bench.good[bench.agent])
    n = len(a.chunks)
    exchanged = lambda s, i, j: [s.chunks[j if k == i else i if k == j else k] for k in range(len(s.chunks))]
    cases = {
        "first two chunks exchanged": a.made(chunks=exchanged(a, 0, 1)),
        "two chunks in the middle exchanged": a.made(chunks=exchanged(a, 1, 2)),
        "first and last chunk exchanged": a.made(chunks=exchanged(a, 0, n - 1)),
        "chunks the other way round": a.made(chunks=a.chunks[::-1]),
        "a chunk repeated": a.made(chunks=a.chunks[:2] + a.chunks[1:]),
        "a chunk repeated in another's place": a.made(chunks=a.chunks[:2] + a.chunks[1:2] + a.chunks[3:]),
        "the last chunk repeated": a.made(chunks=a.chunks + a.chunks[-1:]),
        "the first chunk dropped": a.made(chunks=a.chunks[1:]),
        "a chunk in the middle dropped": a.made(chunks=a.chunks[:1] + a.chunks[2:]),
        "the last chunk dropped": a.made(chunks=a.chunks[:-1]),
        "all chunks dropped": a.made(chunks=[]),
        "a chunk of another recording inserted": a.made(chunks=a.chunks[:2] + b.chunks[2:3] + a.chunks[2:]),
        "a chunk of another recording in its place": a.made(chunks=a.chunks[:2] + b.chunks[2:3] + a.chunks[3:]),
        "the last chunk of another recording in its place": a.made(chunks=a.chunks[:-1] + b.chunks[-1:]),
        "another recording's sound": a.made(chunks=b.chunks),
        "another recording's sound and trailer": a.made(chunks=b.chunks, trailer=b.trailer),
        "another recording's header": a.made(header=b.header),
        "another recording's trailer": a.made(trailer=b.trailer),
        "another recording altogether": bench.good[bench.two],
        "both trailers, its own last": a.made(trailer=b.trailer + a.trailer),
        "both trailers, the other's last": a.made(trailer=a.trailer + b.trailer),
        "its trailer twice": a.made(trailer=a.trailer * 2),
        "a chunk of zeros": a.made(chunks=a.chunks[:1] + [bytes(CHUNK)] + a.chunks[2:]),
        "itself behind itself": bench.good[bench.one] * 2,
        "empty": b"",
    }
    for what, data in cases.items():
        judge(bench, what, {bench.one: data})
    judge(bench, "two recordings exchanged", {bench.one: bench.good[bench.two], bench.two: bench.good[bench.one]})
    judge(bench, "sound of two recordings exchanged", {bench.one: a.made(chunks=b.chunks), bench.two: b.made(chunks=a.chunks)})
    # One call, two voices: whoever exchanges them would put words in the other's mouth.
    for what, data in {
            "the agent's voice as the caller's": bench.good[bench.agent],
            "the agent's sound under the caller's header": c.made(chunks=d.chunks),
            "a chunk of the agent's among the caller's": c.made(chunks=c.chunks[:1] + d.chunks[1:2] + c.chunks[2:]),
            "the agent's header over the caller's sound": c.made(header=d.header),
            "the agent's trailer behind the caller's sound": c.made(trailer=d.trailer)}.items():
        judge(bench, what, {bench.caller: data})
    judge(bench, "both voices exchanged", {bench.caller: bench.good[bench.agent], bench.agent: bench.good[bench.caller]})
    # What is no file is neither followed nor waited for.
    judge(bench, "a link to another recording", {bench.one: lambda path: os.symlink(bench.files[bench.two], path)})
    judge(bench, "a link to nothing", {bench.one: lambda path: os.symlink("/nowhere", path)})
    judge(bench, "a folder", {bench.one: os.mkdir})
    judge(bench, "a named pipe", {bench.one: os.mkfifo})
    return len(cases) + 12


def unsettled(bench):
    """Files that wait in incoming/: a header on another name is settled for nobody, and `recover` says so."""
    rig, cases = bench.rig, ("another's header", "another recording", "another's sound")
    for what in cases:
        ids = [rig.ingest(tone(2.5, hertz), *WHO)["id"] for hertz in (350, 650)]
        paths = [os.path.join(rig.vault, "incoming", f"{id}.mixed") for id in ids]
        good = [read(path) for path in paths]
        a, b = map(Sealed, good)
        write(paths[0], {"another's header": a.made(header=b.header), "another recording": good[1],
                         "another's sound": a.made(chunks=b.chunks, trailer=b.trailer)}[what])
        settled = rig.run("recover")
        seen = rig.run("--json", "check", "--deep")
        told = settled.err + "".join(seen.lines()[0]["problems"])
        expect(ids[0] in told and (settled.code, seen.code) != (0, 0),
               f"unsettled, {what}: nobody names it: {settled}\n{seen}")
        done, sound = bench.heard(ids[0])
        expect(done.code in (3, 11, 20, 22) and not sound, f"unsettled, {what}: played as if nothing were wrong: {done.code} {done.err}")
        done, sound = bench.heard(ids[1])
        expect(done.code == 0 and sound, f"unsettled, {what}: the other one is not to be heard: {done}")
        left = [os.path.join(place, f"{ids[0]}.mixed") for place, _, names in os.walk(rig.vault) if f"{ids[0]}.mixed" in names]
        expect(len(left) == 1, f"unsettled, {what}: the file is gone")
        write(left[0], good[0])
        rig.good("recover")
        rig.sound()
    return len(cases)


# Files that follow from others, the one that a crash may leave older, and identities, which nothing vouches for: rolled
# back they change no answer.
DERIVED = ("people/", "catalog/", "journal/hashes", "journal/offsets", "journal/checkpoint", "keys/lock", "journal/lock", "keys/spare/")


def snapshot(rig):
    out = {}
    for place, _, names in os.walk(rig.vault):
        for name in names:
            path = os.path.join(place, name)
            out[os.path.relpath(path, rig.vault)] = read(path)
    return out


def answers(rig):
    listed = [rig.json("find"), rig.json("find", "--state", "gone"), rig.json("person", "list"), rig.json("request", "list")]
    return [[{k: v for k, v in row.items()} for row in rows] for rows in listed]


def rollbacks(bench):
    rig, one, two = bench.rig, *bench.ids[:2]
    fresh = os.path.join(rig.folder, "fresh")
    write(fresh, b"another passphrase\n")
    os.chmod(fresh, 0o600)
    steps = {
        "a hold": ("hold", one, "--matter", "case 7"),
        "the end of a hold": ("unhold", one, "--matter", "case 7"),
        "a restriction": ("restrict", two, "--reason", "contested"),
        "a person": ("person", "add", "eva", "--role", "reviewer", "--new-passphrase-file", fresh),
        "a person disabled": ("person", "disable", "eva"),
        "a request": ("request", "open", "--kind", "access", "--channel", "post", "--name", "Ion"),
        "an opt-out": ("opt-out", "add", "+40722000001"),
        "a consent withdrawn": ("consent", one, "--party", "caller", "--set", "withdrawn"),
        "an erasure": ("erase", bench.ids[2], "--request", "R-8", "--reason", "asked"),
    }
    # Of each register there is one already: the first of its kind leaves no file that an old directory would miss.
    for words in (("person", "add", "ion", "--role", "reviewer", "--new-passphrase-file", fresh),
                  ("request", "open", "--kind", "access", "--channel", "post", "--name", "Ana"), ("opt-out", "add", "+40722000009")):
        rig.good(*words)
    count, tolerated = 0, 0
    for what, words in steps.items():
        before = snapshot(rig)
        done = rig.run(*words)
        expect(done.code == 0, f"{what}: {done}")
        rig.sound()
        after, right = snapshot(rig), answers(rig)
        after = snapshot(rig)
        for name in sorted(before):
            if before[name] == after.get(name):
                continue
            path = os.path.join(rig.vault, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write(path, before[name])
            gone = name not in after
            report = rig.run("--json", "check", "--deep")
            verified = rig.run("--json", "journal", "verify")
            if gone or name.startswith(DERIVED):
                # What nobody names any more, or follows from the rest: it may come back and says nothing.
                # A recording that came back is named as a stranger.
                named = any(name in problem for problem in report.lines()[0]["problems"])
                expect(report.code == 0 or named or name == "journal/checkpoint", f"{what}: {name} rolled back: {report}")
                expect(answers(rig) == right, f"{what}: {name} rolled back changes what is answered")
                tolerated += 1
            else:
                expect(report.code == 22, f"{what}: {name} rolled back to before it, and nobody notices: {report}")
                expect(name != "journal/entries" or verified.code == 22, f"{what}: journal verify: {verified}")
                recovered = rig.run("recover")
                expect(recovered.code == 22 or rig.run("check").code == 22 or answers(rig) == right,
                       f"{what}: {name}: recover believes it: {recovered}")
                count += 1
            for other, data in after.items():
                if read_or_none(os.path.join(rig.vault, other)) != data:
                    write(os.path.join(rig.vault, other), data)
            for other in snapshot(rig):
                if other not in after:
                    os.remove(os.path.join(rig.vault, other))
        rig.sound()
    return count, tolerated


def read_or_none(path):
    return read(path) if os.path.exists(path) else None


def test(binary):
    bench, wrong = Bench(binary), []
    try:
        bench.tracks = {}
        for call in bench.ids:
            for track, (done, sound) in opus_of(bench, call).items():
                expect(done.code == 0 and len(sound) > 1000, f"{call} {track}: {done.code} {done.err}")
                bench.tracks[f"{call}.{track or 'mixed'}"] = sound
        spliced = splices(bench)
        waiting = unsettled(bench)
        rolled, harmless = rollbacks(bench)
        print(f"{spliced + waiting} splices and {rolled} rollbacks noticed; {harmless} rollbacks without effect")
    finally:
        bench.rig.remove()


SEEDS = [
    ("superseded_nodes_stay", "an old directory misses the node it names", test, "vault/vault_changes.cc",
     "  CALLVAULT_TRY(context.state.remove_superseded());\n", ""),
    ("people_not_written_anew", "an old directory misses the people it names", test, "vault/vault_people.cc",
     "    CALLVAULT_TRY(people.stage(session->context()));  // as in register_person\n", "    (void)people;\n"),
    ("review_key_not_compared", "an old review key is named", test, "vault/vault_checks.cc",
     "    check_review_key();\n", ""),
]


if __name__ == "__main__":
    if sys.argv[1] == "--seeded":
        sys.exit(1 if survivors(sys.argv[2], sys.argv[3], SEEDS, Failed) else 0)
    main(test)
