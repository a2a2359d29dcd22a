#!/usr/bin/env python3
"""A full ext4, where names, extents and delayed writes need room of their own: what tests/system/full_disk.py does on tmpfs;
settling; and a disk that fills up in the middle of a rotation.

  full_ext4.py CALLVAULT LIBRARY [--long]"""

import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))
sys.dont_write_bytecode = True  # leaves nothing in the sources
import faults  # noqa: E402
import full_disk  # noqa: E402
from full_disk import Disk, expect_stairs, fresh_copy, stairs  # noqa: E402
from rig import Skip, expect, main  # noqa: E402
from stopped import stopped_at  # noqa: E402

LIBRARY = os.path.abspath(sys.argv[2])
STEP = 2 if "--long" in sys.argv else 9  # of the changing calls of a rotation


class Ext4(Disk):
    def mount(self):
        image = self.path + ".image"
        with open(image, "wb") as file:
            file.truncate(full_disk.SIZE + (8 << 20))
        for words in (["mkfs.ext4", "-q", "-F", "-m", "0", "-b", "4096", image], ["mount", "-o", "loop", image, self.path]):
            try:
                done = subprocess.run(words, capture_output=True, check=False)
            except FileNotFoundError:
                raise Skip("no " + words[0]) from None
            if done.returncode != 0:
                raise Skip(f"{words[0]} cannot: {done.stderr.decode().strip()}")
        os.rmdir(self.path + "/lost+found")

    def leave(self, pages):
        os.sync()
        super().leave(pages)
        os.sync()


def settle(rig, disk):
    """Calls wait, and there is no room to settle them: nothing is lost, and they are settled when there is."""
    known = {r["id"] for r in rig.json("find")}
    calls = [rig.ingest(stairs(2), "--consent", "granted")["id"] for _ in range(5)]
    for pages in (0, 1, 3):
        disk.leave(pages)
        done = rig.run("recover")
        expect(done.code in (0, 75), f"settling with {pages} pages: {done}")
        disk.free()
    expect({r["id"] for r in rig.json("find")} - known == set(calls), "a call is lost in settling")
    for call in calls:
        samples, rate, _ = rig.play(call)
        expect(expect_stairs(samples, rate) == 2.0, "a call does not play whole")
    rig.sound()


def rotation(rig, disk, master, victims, survivors):
    """A purge stops before one of its calls, the disk fills up, and it goes on."""
    fresh_copy(rig, disk, master)
    log = rig.folder + "/calls"
    done, calls = faults.calls_of([rig.binary, "purge"], rig.env, LIBRARY, log)
    expect(done.code == 0, f"an undisturbed purge exits {done.code}: {done.err}")
    places = [c for c in calls if c.changes()][::STEP]
    expect(len(places) >= 8, f"a purge has {len(places)} places")
    for place in places:
        fresh_copy(rig, disk, master)
        process = rig.start("purge", env={"LD_PRELOAD": LIBRARY, "CALLVAULT_FAULT": f"io {place.nth} stop once",
                                          "CALLVAULT_FAULT_LOG": log})
        while process.poll() is None and not stopped_at(process):
            time.sleep(0.01)
        disk.leave(0)
        if process.poll() is None:
            os.kill(process.pid, 18)  # SIGCONT
        out, err = process.communicate(timeout=60)
        where = f"full before {place.name} of {place.path}"
        expect(process.returncode in (0, 75), f"{where}: exit {process.returncode}: {out} {err}")
        again = rig.run("purge")
        expect(again.code == 0, f"{where}: a purge cannot finish on the full disk: {again}; first {process.returncode} {err}")
        for victim in victims:
            expect(rig.run("show", victim).code == 21, f"{where}: {victim} is not gone")
        disk.free()
        rig.good("prove-gone", victims[0])
        for survivor in survivors:
            rig.good("show", survivor)
        rig.sound()
    print(f"{len(places)} places of a rotation")


def more(rig, disk, master, victims, survivors):
    rotation(rig, disk, master, victims, survivors)
    fresh_copy(rig, disk, master)
    settle(rig, disk)


if __name__ == "__main__":
    main(lambda binary: full_disk.test(binary, kind=Ext4, more=more, lead=8))
