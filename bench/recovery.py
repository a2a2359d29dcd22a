"""The figure `recovery` of bench/run: half recordings made whole, the catalogue made anew, everything checked."""
import json
import os
import signal
import statistics
import subprocess
import time
from pathlib import Path

HALVES = 500
AT_ONCE = 25  # recorders that live at a time
SECONDS = 10  # of sound that each had taken
RECORDINGS = 100_000
SMALL = 4  # chunks of each: what counts is how many there are
LONG, LARGE = 1_000, 300  # recordings and chunks, 2.5 minutes of speech each: what counts is how much there is


def run(bench):
    quick = bench.options.quick
    halves(bench, 50 if quick else HALVES)
    many(bench, 5_000 if quick else RECORDINGS)
    much(bench, 50 if quick else LONG)


def halves(bench, count):
    """Recorders that are killed in the middle of a call; then `recover`."""
    vault = bench.new_vault("halves")
    audio = bench.speech(1).read_bytes()[44:44 + SECONDS * 16000]
    begun = 0
    while begun < count:
        some = [start(bench, vault) for _ in range(min(AT_ONCE, count - begun))]
        for process in some:
            process.stdin.write(audio)
            process.stdin.flush()
        until = time.monotonic() + 60
        while any(unread(process) for process in some) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.2)
        for process in some:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        begun += len(some)
    result = bench.measure([bench.program, "--json", "recover"], vault)
    report = result["lines"][-1]
    if report["interrupted_sealed"] != count or report["problems"]:
        raise bench.failed(f"recover made {report['interrupted_sealed']} of {count} whole: {report['problems'][:1]}")
    bench.figure(f"recover {count} half recordings: whole command", result["wall_ms"] / 1e3, "s", 5 * count / HALVES)
    bench.info("  of it CPU", f"{result['cpu_ms'] / 1e3:.2f} s")


def start(bench, vault):
    words = [bench.program, "--json", "ingest", "--direction", "in", "--format", "s16le", "--consent", "implied",
             "--complexity", "0"]
    return subprocess.Popen([str(w) for w in words], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, env=bench.environment | {"CALLVAULT_DIR": str(vault)})


def unread(process):
    """Bytes that wait in its pipe."""
    import fcntl
    import struct
    import termios
    return struct.unpack("i", fcntl.ioctl(process.stdin.fileno(), termios.FIONREAD, b"\0" * 4))[0]


def many(bench, count):
    vault = bench.work / "many"
    bench.generate(vault, count, 180, 1, f"sealed={SMALL}")
    os.sync()
    scale = count / RECORDINGS
    for words, target in (("check", 30), ("reindex", 60)):
        leave_the_cache(vault)
        cold = bench.measure([bench.program, "--json", words], vault)
        warm = bench.measure([bench.program, "--json", words], vault)
        if cold["lines"][-1]["recordings"] != count or cold["lines"][-1]["problems"]:
            raise bench.failed(f"{words} of {count} tells {str(cold['lines'][-1])[:300]}")
        bench.figure(f"{words} of {count} recordings: whole command, from the disk", cold["wall_ms"] / 1e3, "s", target * scale)
        bench.info("  from the cache", f"{warm['wall_ms'] / 1e3:.2f} s, CPU {warm['cpu_ms'] / 1e3:.2f} s")


def much(bench, count):
    """`check --deep` against the slower of reading the same files and of libsodium's ChaCha20-Poly1305."""
    vault = bench.work / "much"
    bench.generate(vault, count, 10, 1, f"sealed={LARGE}")
    os.sync()
    files = sorted(vault.glob("recordings/*/*"))
    size = sum(file.stat().st_size for file in files) / 1e6
    shallow = bench.measure([bench.program, "--json", "check"], vault)["wall_ms"]
    deep, disk, warm = [], [], []
    for _ in range(bench.options.rounds):
        leave_the_cache(vault)
        disk.append(size / bench.measure(["sh", "-c", 'cat "$@" >/dev/null', "sh", *files])["wall_ms"] * 1e3)
        leave_the_cache(vault)
        deep.append(size / bench.measure([bench.program, "--json", "check", "--deep"], vault)["wall_ms"] * 1e3)
        warm.append(size / (bench.measure([bench.program, "--json", "check", "--deep"], vault)["wall_ms"]) * 1e3)
    aead = opened_per_second(bench)
    ours, peer = statistics.median(deep), min(statistics.median(disk), aead)
    bench.figure(f"check --deep of {size:.0f} MB from the disk: MB/s / slower of disk and AEAD", ours / peer, "x", 0.90, at_least=True)
    bench.info("  speed", f"{ours:.0f} MB/s; the same files read {statistics.median(disk):.0f} MB/s, libsodium opens {aead:.0f} MB/s")
    bench.info("  from the cache", f"{statistics.median(warm):.0f} MB/s; without --deep {shallow:.0f} ms")


def opened_per_second(bench):
    """libsodium alone, on the chunks of a long track."""
    vault = bench.new_vault("opened")
    ident = bench.ingest(vault, bench.speech(bench.options.hour), "--complexity", "0")["lines"][0]["id"]
    words = [bench.build / "bench/open_track", vault, bench.passphrase, "bench", ident, "whole", 20]
    done = subprocess.run([str(w) for w in words], env=bench.environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["raw_mb_s"]


def leave_the_cache(vault):
    for place, _, names in os.walk(vault):
        for name in names:
            fd = os.open(Path(place) / name, os.O_RDONLY)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)
