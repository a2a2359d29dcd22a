"""One fault in one run of the command, and which faults a call can meet."""

import ctypes
import errno
import os
import subprocess

SKIPPED = 77
CODES = {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 24, 25, 74, 75, 130}  # docs/CLI.md
TIMEOUT = 90
NO_RANDOM_ADDRESSES = 0x0040000

READ = ("EIO", "EINTR", "short")
WRITE = ("EIO", "ENOSPC", "EDQUOT", "EINTR", "short")
SYNC = ("EIO", "ENOSPC", "EDQUOT", "EINTR")
NAME = ("EIO", "ENOSPC", "EDQUOT")
# What a call of the C library can meet. "open+" makes a file.
ERRORS = {
    "open": ("EIO", "EINTR", "EMFILE"), "open+": ("EIO", "ENOSPC", "EDQUOT", "EINTR", "EMFILE"),
    "openat": ("EIO", "EMFILE"), "fopen": ("EIO", "EMFILE"), "fopen64": ("EIO", "EMFILE"), "opendir": ("EIO", "EMFILE"),
    "readdir": ("EIO",), "read": READ, "pread": READ, "fread": ("EIO",),
    "write": WRITE, "pwrite": WRITE, "writev": WRITE,
    "fsync": SYNC, "fdatasync": SYNC, "msync": SYNC, "ftruncate": SYNC, "fallocate": SYNC, "posix_fallocate": SYNC,
    "rename": NAME, "renameat2": NAME, "mkdir": NAME, "unlink": ("EIO", "ENOSPC"), "unlinkat": ("EIO",), "rmdir": ("EIO",),
    "stat": ("EIO",), "lstat": ("EIO",), "fstat": ("EIO",), "statvfs": ("EIO",),
    "chmod": ("EIO",), "fchmod": ("EIO",), "chown": ("EIO",), "fchown": ("EIO",),
    "flock": ("EINTR", "ENOLCK"), "fcntl": ("EINTR", "ENOLCK"), "dup": ("EMFILE",), "close": ("EIO", "EINTR"),
    "poll": ("EINTR",), "waitpid": ("EINTR",), "recv": ("EINTR", "EIO"), "send": ("EINTR", "EIO"),
    "recvmsg": ("EINTR", "EIO", "short"), "sendmsg": ("EINTR", "EIO", "short"), "connect": ("EINTR", "EIO"),
    "accept4": ("EINTR", "EMFILE"), "socket": ("EMFILE",),
    "pipe2": ("EMFILE",), "socketpair": ("EMFILE",), "fork": ("EAGAIN",), "mmap": ("ENOMEM",), "mlock": ("ENOMEM",),
}
CHANGING = {"open+", "write", "pwrite", "writev", "fsync", "fdatasync", "msync", "ftruncate", "fallocate", "posix_fallocate",
            "rename", "renameat2", "mkdir", "unlink", "unlinkat", "rmdir", "chmod", "fchmod", "chown", "fchown"}


class Call:
    """One call of a run: which, on what, and from where in the program."""

    def __init__(self, line):
        nth, self.name, self.stack, self.fd, self.path = line.rstrip("\n").split(" ", 4)
        self.nth = int(nth)

    def changes(self):
        return self.name in CHANGING


class Done:
    def __init__(self, code, out, err, hit):
        self.code, self.out, self.err, self.hit = code, out, err, hit


def _still_addresses():
    ctypes.CDLL(None).personality(NO_RANDOM_ADDRESSES)  # the same stack has the same hash in every run


def run(command, env, library, fault, log=None, stdin=None):
    """fault: what CALLVAULT_FAULT says, or None. `hit`: whether it happened."""
    more = {}
    if fault:
        more = {"LD_PRELOAD": library, "CALLVAULT_FAULT": fault, "CALLVAULT_FAULT_LOG": log}
        if os.path.exists(log):
            os.remove(log)
    with subprocess.Popen(command, env={**env, **more}, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                          preexec_fn=_still_addresses if fault and " 0 0 " in fault else None) as process:
        try:
            out, err = process.communicate(stdin, timeout=TIMEOUT)
            code = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            code = None
    hit = ""
    if fault and os.path.exists(log):
        with open(log, encoding="utf-8", errors="replace") as file:
            hit = file.read()
    return Done(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), hit)


def calls_of(command, env, library, log, stdin=None):
    done = run(command, env, library, "io 0 0 once", log, stdin)
    return done, [Call(line) for line in done.hit.splitlines()]


def allocations_of(command, env, library, log, stdin=None):
    """(index, hash of the stack) of the first allocation from each place, and how the run ended."""
    done = run(command, env, library, "memory 0 0 once", log, stdin)
    return done, [(int(a), b) for a, b in (line.split() for line in done.hit.splitlines())]


def io_fault(nth, error, ever):
    number = "short" if error == "short" else getattr(errno, error)
    return f"io {nth} {number} {'ever' if ever else 'once'}"
