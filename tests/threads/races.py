#!/usr/bin/env python3
"""No data race between the threads of 'ingest --listen', and that this sees one. In a build with TSan only.

  races.py BUILD SOURCE

TSan writes what it finds into a file as it finds it, so that a listener that is killed has told it, too."""

import os
import sys
import tempfile

sys.dont_write_bytecode = True  # leaves nothing in the sources
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "system"), os.path.join(HERE, "..", "support")]
import listen  # noqa: E402
from mutation import survivors  # noqa: E402
from rig import Failed, main  # noqa: E402

LIVE = "vault/capture/live_calls.cc"
SEEDS = [
    ("turn_without_lock", "whose turn it is, under the lock", LIVE, "    const std::lock_guard guard(mutex_);\n    for (const auto& line : lines_) {",
     "    for (const auto& line : lines_) {"),
    ("told_by_all", "no state that the calls share without the lock", LIVE, r'  const std::string text = words + "\n";',
     r'  static unsigned told = 0; ++told; const std::string text = words + "\n";'),
]


class Raced(Failed):
    pass


def run(binary, scenarios):
    """The scenarios; Raced with the first report of a race."""
    with tempfile.TemporaryDirectory(prefix="callvault-races-") as folder:
        # What a race breaks besides is not the question here.
        os.environ["TSAN_OPTIONS"] = f"log_path={folder}/race exitcode=0"
        trouble = None
        for scenario in scenarios:
            try:
                listen.with_rig(binary, scenario)
            except Failed as why:
                trouble = trouble or why
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                raise Raced(next((line for line in file if "SUMMARY" in line), name).strip())
        if trouble:
            raise trouble


def test(build, source):
    run(os.path.join(build, "cli", "callvault"), listen.SCENARIOS)
    print("no race in " + ", ".join(s.__name__ for s in listen.SCENARIOS))
    seeds = [(name, guarantee, lambda program: run(program, [listen.governs]), *change)
             for name, guarantee, *change in SEEDS]
    sys.exit(1 if survivors(build, source, seeds, Raced) else 0)


if __name__ == "__main__":
    main(lambda build: test(build, sys.argv[2]))
