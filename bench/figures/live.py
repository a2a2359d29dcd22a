"""A call that is recorded while it lasts: how soon, with how much memory, and what a killed recorder loses."""
import json
import os
import random
import signal
import statistics
import subprocess
import time
from pathlib import Path

from harness.core import CONSENT

TITLE = "Live: start, memory, what a kill loses"
START_WORDS = ("ingest", "--direction", "in", "--format", "s16le", *CONSENT)


def run(bench):
    vault = bench.new_vault("live")
    start(bench, vault)
    memory(bench, vault)
    lost = lost_seconds(bench, vault)
    bench.figure("live ingest: audio lost by kill -9 (worst of several)", max(lost), "s", 2)
    bench.info("each call", " ".join(f"{s:.2f}" for s in sorted(lost)) + " s")


def samples(bench):
    return bench.speech(1).read_bytes()[44:]


# From just before the process is made until its "started" line is here; 100 ms of audio wait in the pipe.
def start(bench, vault):
    starts = []
    for _ in range(bench.options.starts):
        read_end, write_end = os.pipe()
        os.write(write_end, samples(bench)[:1600])
        os.close(write_end)
        starts.append(bench.measure([bench.program, "--json", *START_WORDS], vault, stdin=read_end)["until_ms"])
        os.close(read_end)
    bench.figure('live ingest: start to "started", header durable', statistics.median(starts), "ms", 20)
    bench.info("fastest, slowest", f"{min(starts):.1f} ms, {max(starts):.1f} ms; a new file and its folder synced by anyone here: {sync_cost(bench):.2f} ms")


def live_process(bench, vault, seconds):
    process = subprocess.Popen([str(bench.program), "--json", *START_WORDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               env=bench.environment | {"CALLVAULT_DIR": str(vault)})
    process.stdin.write(samples(bench)[: int(seconds * 16000)])
    process.stdin.flush()
    return process, json.loads(process.stdout.readline())["id"]


# After 50 s of audio, with the pipe still open.
def memory(bench, vault):
    process, _ = live_process(bench, vault, 50)
    time.sleep(2)
    try:
        own, libraries = private_memory(process.pid)
        bench.figure("live ingest: PSS without shared libraries", own, "MiB", 3)
        bench.info("of shared libraries", f"PSS {libraries['pss']:.2f} MiB, of it private and written {libraries['dirty']:.2f} MiB")
    except PermissionError:
        bench.info("memory was not measured", "the process forbids others to look (run as root)")
    process.stdin.close()
    process.wait()


def private_memory(pid):
    """PSS of every mapping that is not backed by a shared library's file, in MiB: heap, stack, locked pages, and the
    program's own file; and, apart, what the libraries' mappings take."""
    total, libraries, dirty, library = 0, 0, 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            path = words[5] if len(words) > 5 else ""
            library = ".so" in Path(path).name
        elif words[0] == "Pss:":
            total, libraries = (total, libraries + int(words[1])) if library else (total + int(words[1]), libraries)
        elif words[0] == "Private_Dirty:" and library:
            dirty += int(words[1])
    return total / 1024, {"pss": libraries / 1024, "dirty": dirty / 1024}


# Calls in real time, each recorder killed at a moment of its own; what is left of each when recovered?
def lost_seconds(bench, vault):
    calls = []
    count = bench.options.calls
    for i in range(count):
        process, ident = live_process(bench, vault, 0.02)
        calls.append({"process": process, "id": ident, "sent": 320, "until": 3 + 2 * (i + random.random()) / count})
    audio = samples(bench)
    begin = time.monotonic()
    while living := [c for c in calls if c["process"].returncode is None]:
        now = time.monotonic() - begin
        for call in living:
            upto = int(min(now, call["until"]) * 8000) * 2
            call["process"].stdin.write(audio[call["sent"]:upto])
            call["process"].stdin.flush()
            call["sent"] = max(upto, call["sent"])
            if now >= call["until"]:
                call["process"].send_signal(signal.SIGKILL)
                call["process"].wait()
        time.sleep(0.02)
    bench.measure([bench.program, "--json", "recover"], vault)
    lost = []
    for call in calls:
        played = bench.measure([bench.program, "play", call["id"], "--purpose", "service_quality", "-o", "-"], vault)
        lost.append(call["sent"] / 16000 - (played["bytes"] - 44) / 16000)
    return lost


def sync_cost(bench):
    times = []
    for i in range(20):
        begin = time.monotonic()
        fd = os.open(bench.work / f"probe-{i}", os.O_CREAT | os.O_WRONLY)
        os.write(fd, b"x" * 700)
        os.fdatasync(fd)
        os.close(fd)
        folder = os.open(bench.work, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        times.append((time.monotonic() - begin) * 1e3)
    return statistics.median(times)
