"""From unlocked to the first byte of audio, at any place of calls of any length."""
import json
import os

from harness.chains import AgeKey
from harness.core import USER, command, median
from harness.results import number
from harness.setup import note

TITLE = "Hearing: time to the first audio"


def run(bench):
    o = bench.options
    lengths = (1, 4) if o.quick else (1, 10, 60, 480)
    vault = bench.new_vault("hear")
    key = AgeKey(bench)
    rows, curves, worst, measured = [], {}, 0, {}
    for minutes in lengths:
        note(f"{minutes} minutes of audio go in")
        ident = bench.ingest(vault, bench.speech(minutes), "--complexity", "0")["lines"][0]["id"]
        opened = bench.work / "call.opus"
        bench.measure([bench.program, "play", ident, "--purpose", "complaint", "--format", "opus", "-o", opened], vault, short=False)
        sealed = bench.work / "call.age"
        command("age", "-r", key.recipient, "-o", sealed, opened)
        opened.unlink()
        (bench.work / f"speech-{minutes:g}.wav").unlink(missing_ok=True)
        for place, seconds in (("start", 0), ("middle", minutes * 30), ("5 s before the end", minutes * 60 - 5)):
            todo = steps(bench, vault, ident, sealed, key, seconds)
            slow = {"piped": todo.pop("piped")} if minutes >= 60 else {}  # seconds to half a minute each, and nearly the same each time
            runs = bench.interleave(todo) | bench.interleave(slow, 1)
            first, whole, piped, kept = (median(runs[n]) for n in ("first", "whole", "piped", "kept"))
            worst = max(worst, first)
            measured[(minutes, place)] = first
            rows.append((f"{minutes:g} min", place, number(first), number(whole), number(piped), number(kept), f"{piped / whole:.1f}"))
            if place != "middle":
                curves.setdefault(f"callvault, {place}", []).append((minutes, whole))
                curves.setdefault(f"age, ffmpeg, {place}", []).append((minutes, piped))
        if minutes == lengths[-2 if not o.quick else -1]:
            throughput(bench, vault, ident)
        sealed.unlink()
    bench.table("Milliseconds to the first byte of audio. Unlocked: in a process that has unlocked. The others are whole commands from their start, "
                "`callvault play --from` with a cheap passphrase step, `age -d | ffmpeg -i - -ss` (a pipe is decoded up to the place; from an hour on one round), and `age -d` into memory (tmpfs) before `ffmpeg -ss` on the open file",
                ("call", "place", "unlocked", "`callvault play`", "`age -d`, pipe, `ffmpeg -ss`", "`age -d` to tmpfs, `ffmpeg -ss`", "pipe / callvault"), rows)
    bench.plot("hear", "Time to the first audio, whole command", "minutes of call", "ms", curves)
    bench.figure("unlocked to the first audio, the worst of all lengths and places", worst, "ms", 10)
    short, long = (measured[(m, "5 s before the end")] for m in (lengths[0], lengths[-1]))
    bench.figure(f"the end of {lengths[-1]} min / of {lengths[0]} min", long / short, "x", 1.5)


def steps(bench, vault, ident, sealed, key, seconds):
    place = f"{int(seconds // 60)}:{int(seconds % 60):02}"
    opener = [*bench.ahead, bench.build / "bench/open_track", vault, bench.passphrase, USER, ident, "first", seconds]
    play = [bench.program, "play", ident, "--purpose", "complaint", "--from", place, "-o", "-"]
    ffmpeg = f"ffmpeg -v error -ss {seconds} -i"
    line = f"age -d -i {key.file} {sealed} | ffmpeg -v error -i - -ss {seconds} -f s16le -"  # a pipe cannot seek: it is decoded up to there
    shared = f"/dev/shm/callvault-bench-{os.getpid()}.opus"
    copy = f"age -d -i {key.file} -o {shared} {sealed}; {ffmpeg} {shared} -f s16le -; rm -f {shared}"
    return {"first": lambda: json.loads(command(*opener))["first_audio_ms"],
            "whole": lambda: bench.measure(play, vault, until=45)["until_ms"],
            "piped": lambda: bench.measure(["sh", "-c", line])["until_ms"],
            "kept": lambda: bench.measure(["sh", "-c", copy])["until_ms"]}


def throughput(bench, vault, ident):
    opener = [*bench.ahead, bench.build / "bench/open_track", vault, bench.passphrase, USER, ident, "whole", 3 if bench.options.quick else 20]
    written = json.loads(command(*opener))
    leave_the_cache(next(vault.glob(f"recordings/*/{ident}*")))
    runs = [json.loads(command(*opener)) for _ in range(bench.options.rounds)]
    if runs[0]["raw_mb_s"] == 0:
        bench.info("a whole track opened", "the track is too short to tell")
        return
    ratio = median(r["ours_mb_s"] / r["raw_mb_s"] for r in runs)
    bench.figure("a whole track opened: MB/s / libsodium alone on such chunks", ratio, "x", 0.95, at_least=True)
    bench.info("while the cache holds it as it was written", f"{written['ours_mb_s'] / written['raw_mb_s']:.2f}")
    bench.info("speed", f"{max(r['ours_mb_s'] for r in runs):.0f} MB/s against {max(r['raw_mb_s'] for r in runs):.0f} MB/s; "
                        f"play of the whole track as opus {min(r['play_ms'] for r in runs):.1f} ms")


# What is played was recorded long ago, and callvault itself reads it from the disk.
def leave_the_cache(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
