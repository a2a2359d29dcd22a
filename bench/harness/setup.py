"""The peers and the build that are measured."""
import os
import shutil
import subprocess
import sys

from harness.machine import ROOT

BUILT = ("callvault_command", "measure", "bare_opus", "open_track", "generate_vault", "find_rows", "sqlite_rows", "benchmarks")


def note(text):
    print(f"  .. {text}", file=sys.stderr, flush=True)


def missing():
    wanted = [line.split("#")[0].strip() for line in (ROOT / "bench/packages.txt").read_text().splitlines()]
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *filter(None, wanted)],
                          capture_output=True, text=True)
    there = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    return [p for p in wanted if p and p not in there]


def install():
    lacking = missing()
    if not lacking:
        return
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    if as_root and not shutil.which("sudo"):
        sys.exit("bench/run: there is neither root nor sudo to install " + " ".join(lacking))
    note("installing " + " ".join(lacking))
    subprocess.run([*as_root, "apt-get", "update", "-q"], stdout=sys.stderr)
    done = subprocess.run([*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q", "--no-install-recommends",
                           *lacking], stdout=sys.stderr)
    if done.returncode != 0:
        sys.exit("bench/run: apt-get could not install " + " ".join(missing()))


def make_build(folder):
    note(f"building into {folder}")
    launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    for words in (["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCALLVAULT_DEVELOPER=ON", *launcher],
                  ["cmake", "--build", folder, "--target", *BUILT]):
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"bench/run: {' '.join(str(w) for w in words)} failed:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
