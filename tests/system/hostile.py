#!/usr/bin/env python3
"""Hostile words and files for the whole command (tests/vectors/hostile/command): each gets its exit code and one clear
message within a second of processor time and 64 MiB, and changes nothing."""

import os
import re
import resource
import shlex

from rig import Failed, Rig, expect, main, tone

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "hostile", "command")
MOST_SECONDS, MOST_KIB = 1.0, 64 * 1024
# What no file of words can hold well.
WORDS = {"@long": ["a" * 10000], "@digits": ["9" * 10000], "@esc": ["\x1b]0;x\x07\x1b[2J"], "@nl": ["ana\ncallvault: forged"],
         "@ff": [b"\xff\xfe"], "@129": ["9" * 129], "@100k": ["9" * 100_000], "@5k": ["x" * 5000],
         "@words": ["x"] * 5000}


def unescape(text):
    out = re.sub(rb"\\(x[0-9a-f]{2}|.)", lambda m: bytes([int(m[1][1:], 16)]) if m[1][:1] == b"x" and len(m[1]) == 3
                 else {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(m[1], m[1]), text.encode("utf-8"))
    return out


def vectors():
    for name in sorted(os.listdir(FOLDER)):
        with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
            vector = None
            for line in file.read().split("\n"):
                what, _, value = line.partition(":")
                value = value[1:]
                if line.startswith("#") or not line:
                    continue
                if what == "vector":
                    if vector:
                        yield vector
                    vector = {"name": f"{name}: {value}", "file": None, "sound": False}
                elif what in ("text", "backup"):
                    vector["file"] = (vector["file"] or b"") + unescape(value)
                elif what == "times":
                    count, _, text = value.partition(" ")
                    vector["file"] = (vector["file"] or b"") + int(count) * unescape(text)
                elif what == "sound":
                    vector["sound"] = True
                else:
                    vector[what] = value
            if vector:
                yield vector


def words_of(vector, places):
    out = []
    for word in shlex.split(vector["run"]):
        out += WORDS.get(word) or [word.format(**places) if "{" in word else word]
    return out


def test(binary):
    rig, wrong, count, slowest, names = Rig("hostile", binary), [], 0, (0.0, ""), set()
    try:
        ids = [rig.ingest(tone(1, hertz), "--consent", "granted")["id"] for hertz in (300, 500)]
        rig.json("find")
        rig.good("erase", ids[1], "--request", "R-1", "--reason", "asked")
        places = {"id": ids[0], "id5": ids[0][:5], "gone": ids[1], "meta": rig.folder + "/meta", "dir": rig.folder + "/dir",
                  "bdir": rig.folder + "/backup"}
        for name in ("dir", "backup"):
            os.mkdir(os.path.join(rig.folder, name))
        found, sound = rig.json("find"), tone(0.5, 440)
        for vector in vectors():
            expect(vector["name"] not in names, f"{vector['name']} stands twice")
            names.add(vector["name"])
            with open(rig.folder + ("/backup/backup.json" if "{bdir}" in vector["run"] else "/meta"), "wb") as file:
                file.write(vector["file"] or b"")
            os.chmod(places["meta"], 0o600)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            try:
                done = rig.run(*words_of(vector, places), stdin=sound if vector["sound"] else None)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                expect(done.code == int(vector["expect"]), f"expected exit {vector['expect']}: {done}")
                lines = done.err.splitlines()
                expect((1 if not done.raw else 0) <= len(lines) <= 3 and all(re.fullmatch(r"callvault: [ -~]+", line) for line in lines),
                       f"not one clear message: {lines}")
                spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                slowest = max(slowest, (spent, vector["name"]))
                if "ASAN_OPTIONS" not in os.environ:
                    expect(spent < MOST_SECONDS, f"{spent:.2f} s of processor time")
            except Failed as why:
                wrong.append(f"{vector['name']}: {why}")
            count += 1
        expect(not wrong, f"{len(wrong)} of {count}:\n" + "\n".join(wrong))
        expect(rig.json("find") == found, "something was changed")
        expect(os.listdir(os.path.join(rig.vault, "incoming")) == [], "what was refused is left in incoming/")
        rig.sound()
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        expect(peak < MOST_KIB, f"a command took {peak / 1024:.1f} MiB")
        print(f"{count} hostile commands; slowest {slowest[0]:.3f} s ({slowest[1]}); peak memory {peak / 1024:.1f} MiB")
    finally:
        rig.remove()


if __name__ == "__main__":
    main(test)
