#!/usr/bin/env python3
"""Places that do not forget, really mounted: `init` refuses them for a keeper and leaves nothing, and takes them when
told that they are accepted; then, and when a place that was good turns bad, `doctor` calls it a danger."""

import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from full_disk import private_mounts  # noqa: E402
from rig import RATE, Rig, Skip, expect, main, tone  # noqa: E402

SBIN = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
# What mountinfo calls what this host cannot mount, or what stands for the many that it cannot.
ELSEWHERE = {
    "nfs": "another machine", "nfs4": "another machine", "cifs": "another machine", "smb3": "another machine",
    "ceph": "other machines", "9p": "another machine", "virtiofs": "another machine",
    "fuse.sshfs": "served by a program", "fuse.glusterfs": "served by a program", "zfs": "never overwrites in place",
    "f2fs": "writes to a log", "bcachefs": "never overwrites in place", "ocfs2": "not known to overwrite",
    "afs": "not known to overwrite",
}


def run(*words, fine=False):
    try:
        done = subprocess.run(words, capture_output=True, check=False, env=SBIN, timeout=60)
    except FileNotFoundError:
        return f"no {words[0]}"
    return "" if fine or done.returncode == 0 else f"{words[0]}: {done.stderr.decode().strip()[:120]}"


class Place:
    """A file system of its own on a loop device; `why` it cannot be had here, or empty."""

    def __init__(self, folder, kind, options="", tune=()):
        self.point = tempfile.mkdtemp(dir=folder)
        image = self.point + ".image"
        with open(image, "wb") as file:
            file.truncate(320 << 20)
        self.why = run("mkfs." + kind, "-q", image) or (run("tune2fs", *tune, image) if tune else "") or \
            run("mount", "-t", kind, "-o", "loop" + (options and "," + options), image, self.point)


def overlay(folder):
    """An overlay whose layers lie on a file system that would be good."""
    below = Place(folder, "ext4")
    below.why = below.why or run("mkdir", *(f"{below.point}/{name}" for name in ("lower", "upper", "work", "merged"))) or \
        run("mount", "-t", "overlay", "overlay", "-o",
            ",".join(f"{name}dir={below.point}/{name}" for name in ("lower", "upper", "work")), below.point + "/merged")
    below.point += "/merged"
    return below


def memory(folder):
    place = Place.__new__(Place)
    place.point = tempfile.mkdtemp(dir=folder)
    place.why = run("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place.point)
    return place


def mounts_in(folder):
    with open("/proc/self/mounts", encoding="utf-8") as file:
        return [line.split()[1] for line in file if line.split()[1].startswith(folder + "/")]


def danger(rig, says):
    report = json.loads(rig.run("--json", "doctor").out)
    found = [f for f in report["findings"] if f["subject"] == "keeper" and f["level"] == "danger"]
    expect(any(re.search(says, f["message"]) for f in found), f"doctor does not tell of /{says}/: {report}")
    expect(rig.run("doctor").code == 3, "doctor finds a danger and does not exit with 3")


def move_to(rig, point):
    rig.vault = point + "/vault"
    rig.keeper = rig.vault + ".keeper"
    rig.env["CALLVAULT_DIR"] = rig.vault


INIT = ("--organisation", "Example SRL", "--unsafe-fast-passphrase")


def bad_place(rig, point, says):
    move_to(rig, point)
    rig.fails(23, "init", rig.vault, *INIT, says=says)
    expect(os.listdir(point) == [] or "vault" not in os.listdir(point), f"init refuses and leaves {os.listdir(point)}")
    expect(not os.path.exists(rig.keeper), "init refuses and leaves a keeper")
    warned = rig.good("init", rig.vault, *INIT, "--unsafe-keeper")
    expect("keeper" in warned.err and "warning" in warned.err, f"no warning: {warned}")
    danger(rig, says)


def good_place(rig, point, sound):
    """`sound`: this host's own disk would be, so a loop device on it is."""
    move_to(rig, point)
    if not sound:
        print(f"SKIPPED: {point}: a loop device is as good as the place of its file, and that is not good here")
        return False
    rig.good("init", rig.vault, *INIT)
    report = json.loads(rig.run("--json", "doctor").out)
    expect(any(f["subject"] == "keeper" and f["level"] == "ok" for f in report["findings"]), f"doctor tells {report}")
    return True


def turns_bad(rig, spoil, says, mend):
    """A keeper whose place was good when it was made: no shred is called done while it is not."""
    call = rig.ingest(tone(1, 440), "--consent", "granted")["id"]
    rig.good("status")
    spoil()
    danger(rig, says)
    done = rig.run("--json", "erase", call, "--request", "R-1", "--reason", "asked")
    expect(done.code == 23 and re.search(says, done.out), f"an erasure on a place that turned bad: {done}")
    expect(rig.run("prove-gone", call).code == 24, "refused, and gone")
    mend()
    rig.good("purge")  # what was asked for stays asked for
    expect(rig.run("show", call).code in (0, 21), "show")
    if rig.run("show", call).code == 0:
        rig.good("erase", call, "--request", "R-1", "--reason", "asked")
    rig.good("prove-gone", call)
    rig.sound()


def as_if_mounted(binary, kind):
    """The command with a mountinfo that calls the file system of its vault by another name."""
    script = ('sed "s| - [a-z0-9]* | - $1 |" /proc/self/mountinfo > "$2" && mount --bind "$2" /proc/$$/mountinfo && '
              'shift 2 && exec "$@"')
    return ("unshare", "--mount", "sh", "-c", script, "sh", kind, binary + ".mountinfo")


def elsewhere(rig):
    point = tempfile.mkdtemp(dir=rig.folder)
    move_to(rig, point)
    for kind, says in ELSEWHERE.items():
        under = as_if_mounted(rig.folder + "/fake", kind)
        done = rig.run("init", rig.vault, *INIT, under=under)
        if "mount:" in done.err:
            print("SKIPPED: file systems that cannot be mounted here: " + done.err.strip()[:120])
            return
        expect(done.code == 23 and kind in done.err and re.search(says, done.err), f"on {kind}: {done}")
        expect(os.listdir(point) == [], f"init refuses {kind} and leaves {os.listdir(point)}")
    rig.good("init", rig.vault, *INIT, "--unsafe-keeper")
    for kind, says in ELSEWHERE.items():
        done = rig.run("--json", "doctor", under=as_if_mounted(rig.folder + "/fake", kind))
        expect(done.code == 3 and re.search(f"{kind} .*{says}", done.out), f"doctor on {kind}: {done}")


def test(binary):
    private_mounts()
    folder = tempfile.mkdtemp(prefix="callvault-places-", dir=os.environ.get("TMPDIR"))
    rig = Rig("places", binary, make=False, folder=folder)
    mounted = 0
    try:
        for name, place, says in (
                ("btrfs", Place(folder, "btrfs"), "btrfs never overwrites in place"),
                ("ext4 data=journal", Place(folder, "ext4", "data=journal"), "data=journal"),
                ("ext4 data=journal by default", Place(folder, "ext4", tune=("-o", "journal_data")), "data=journal"),
                ("overlay", overlay(folder), "overlay may copy"),
                ("tmpfs", memory(folder), "tmpfs lives in memory")):
            if place.why:
                print(f"SKIPPED: {name}: {place.why}")
                continue
            bad_place(rig, place.point, says)
            mounted += 1
        elsewhere(rig)
        move_to(rig, tempfile.mkdtemp(dir=folder))
        sound = rig.run("init", rig.vault, *INIT).code == 0
        for kind in ("ext4", "xfs"):
            place = Place(folder, kind)
            if place.why:
                print(f"SKIPPED: {kind}: {place.why}")
                continue
            mounted += 1
            if not good_place(rig, place.point, sound):
                continue
            root, copy = rig.keeper + "/root", rig.keeper + "/../copy"
            turns_bad(rig, lambda r=root, c=copy: os.link(r, c), "second name", lambda c=copy: os.remove(c))
            if kind == "xfs" and not run("cp", "--reflink=always", root, copy):
                danger(rig, "shared with another file")
                call = rig.ingest(tone(1, 440), "--consent", "granted")["id"]
                rig.fails(23, "erase", call, "--request", "R-1", "--reason", "asked", says="shared")
                expect(rig.run("prove-gone", call).code == 24, "refused, and gone")
        if not mounted:
            raise Skip("no file system can be mounted here")
        print(f"{mounted} file systems mounted, {len(ELSEWHERE)} named")
    finally:
        for point in reversed(mounts_in(folder)):
            run("umount", "-l", point)
        rig.remove()


if __name__ == "__main__":
    main(test)
