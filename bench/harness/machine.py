"""Where and with what was measured."""
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

VERSIONS = {  # program: how it tells its version
    "ffmpeg": ["ffmpeg", "-version"], "opusenc": ["opusenc", "--version"], "sox": ["sox", "--version"], "flac": ["flac", "--version"],
    "age": ["age", "--version"], "gocryptfs": ["gocryptfs", "-version"], "restic": ["restic", "version"], "borg": ["borg", "--version"],
    "SQLite": ["sqlite3", "--version"], "hyperfine": ["hyperfine", "--version"], "g++": ["g++", "-dumpfullversion"],
}
LIBRARIES = {"libopus": "opus", "libsodium": "libsodium", "LMDB": "lmdb", "libogg": "ogg", "libsndfile": "sndfile"}


def first_line(words):
    if not shutil.which(words[0]):
        return None
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found.group(0) if found else None


def versions():
    out = {}
    for name, package in LIBRARIES.items():
        version = first_line(["pkg-config", "--modversion", package])
        if version:
            out[name] = version
    for name, words in VERSIONS.items():
        version = first_line(words)
        if version:
            out[name] = version
    return out


def commit():
    done = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    changed = subprocess.run(["git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no", "--", "vault", "cli", "include", "bench"],
                             capture_output=True, text=True)
    return done.stdout.strip() + (" with changes" if changed.stdout.strip() else "") if done.returncode == 0 else "?"


def words_after(path, key, by):
    try:
        return next((line.split(by, 1)[1].strip().strip('"') for line in open(path) if line.startswith(key)), "")
    except OSError:
        return ""


def filesystem(folder):
    done = subprocess.run(["findmnt", "-no", "FSTYPE", "-T", str(folder)], capture_output=True, text=True)
    return done.stdout.strip() or "?"


def describe(work, build):
    memory = words_after("/proc/meminfo", "MemTotal", ":").split()
    return {"cpu": f"{os.cpu_count()} x {words_after('/proc/cpuinfo', 'model name', ':') or platform.machine()}",
            "memory": f"{int(memory[0]) / 2**20:.0f} GiB" if memory else "?",
            "system": f"{words_after('/etc/os-release', 'PRETTY_NAME', '=')}, Linux {'.'.join(platform.release().split('.')[:2])}",
            "disk": f"{filesystem(work)} on {'a virtual' if Path('/sys/class/block/vda').exists() else 'a'} disk",
            "versions": versions(), "commit": commit(),
            "build": words_after(build / "CMakeCache.txt", "CMAKE_BUILD_TYPE", "=") or "?"}
