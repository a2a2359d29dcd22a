"""What commands did to the disk, call by call, in a form that crash_explorer replays.

A recording is a text file, one event a line. Nodes are numbers: files and folders, whatever they are called.

  node N d|f                        what there was before: folders, and files ...
  content N PATH                    ... whose bytes lie in PATH
  entry FOLDER NAME N               ... under these names; node 0 is the root
  name FOLDER NAME N d|f            a new folder or an empty file gets its name
  move FOLDER NAME FOLDER NAME      remove FOLDER NAME
  write N OFFSET LENGTH AT 0|1      LENGTH bytes, from AT of the file of bytes beside this one; 1 = O_DSYNC
  cut N SIZE                        grow N SIZE
  sync N                            fsync or fdatasync
  fact WORDS                        what was promised, begun or read by now: crash_explorer knows the words

What follows '#' says for people, and for mutations, which path it was."""

import json
import os
import re
import shutil
import subprocess

CALLS = ("openat,write,pwrite64,writev,pwritev,ftruncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,unlink,"
         "unlinkat,mkdir,mkdirat,rmdir,lseek,close,dup,dup2,fcntl")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
NOT_KEPT = "lock.mdb"  # LMDB's reader table means nothing after a restart
LIVE_CHUNK = 4000  # bytes fed at once


class Failed(Exception):
    """A command did not do what a recording needs."""


class Recording:
    """Runs commands below `root`, and writes down what they do there."""

    def __init__(self, root, path):
        self.root, self.path = os.path.abspath(root), path
        self.lines, self.bytes = [], open(path + ".bytes", "wb")
        self._live, self._count, self._size = {}, 0, {}
        self._before = path + ".before"
        shutil.copytree(self.root, self._before)
        self._take_base(self.root)

    def _node(self, path):
        self._live[path] = self._count
        self._size[self._count] = 0
        self._count += 1
        return self._live[path]

    def _take_base(self, path):
        node = self._node(path)
        self.lines.append(f"node {node} d # {path}")
        for entry in sorted(os.scandir(path), key=lambda e: e.name):
            if entry.name == NOT_KEPT:
                continue
            if entry.is_dir(follow_symlinks=False):
                child = self._take_base(entry.path)
            else:
                child = self._node(entry.path)
                self._size[child] = entry.stat().st_size
                self.lines.append(f"node {child} f # {self._short(entry.path)}")
                self.lines.append(f"content {child} {self._before}/{os.path.relpath(entry.path, self.root)}")
            self.lines.append(f"entry {node} {entry.name} {child}")
        return node

    def _short(self, path):
        return os.path.relpath(path, self.root)

    def fact(self, *words):
        self.lines.append("fact " + " ".join(words))

    def close(self):
        self.bytes.close()
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("\n".join(self.lines) + "\n")

    def run(self, command, env, codes=(0,), sound=None, inject=None, tells_of_calls=False):
        """One command. `sound`: PCM to feed as a live call. Returns what it printed."""
        trace = self.path + ".trace"
        calls = CALLS + (",read" if sound is not None else "")
        under = ["strace", "-f", "-qq", "-xx", "-s", "1000000000", "-e", "trace=" + calls, "-e", "signal=none",
                 "-o", trace, *(["-e", "inject=" + inject] if inject else [])]
        with subprocess.Popen([*under, *command], env=env, stdin=subprocess.PIPE if sound is not None else subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
            if sound is not None:
                feed(process.stdin, sound)
            out, err = process.communicate(timeout=120)
        if process.returncode not in codes:
            raise Failed(f"{command[1:]} exits {process.returncode}: {(err or out).decode(errors='replace')[:300]}")
        self._open, self._tells = {}, tells_of_calls
        with open(trace, encoding="utf-8", errors="replace") as file:
            for line in whole_lines(file):
                self._take(line)
        os.remove(trace)
        return out.decode(errors="replace")

    def _take(self, line):
        match = re.match(r"(\w+)\((.*)\)\s*=\s*(-?\d+)", line)
        if not match or match.group(3).startswith("-"):
            return
        call, arguments, result = match.group(1), match.group(2), int(match.group(3))
        texts = [bytes.fromhex(t.replace("\\x", "")) for t in TEXT.findall(arguments)]
        first = re.match(r"-?\d+", arguments)
        number = int(first.group()) if first else None
        handle = self._open.get(number)
        add = self.lines.append
        if call == "openat":
            self._open.pop(result, None)
            self._opened(texts[0].decode(), arguments, result)
        elif call == "close":
            self._open.pop(number, None)
        elif call in ("dup", "dup2", "fcntl"):
            if handle and (call != "fcntl" or "F_DUPFD" in arguments):
                self._open[result] = handle
        elif call == "lseek" and handle:
            handle["at"] = result
        elif call == "read":
            if number == 0 and not handle and result > 0:
                self.fact("read", str(result))
        elif call in ("write", "writev", "pwrite64", "pwritev"):
            data = b"".join(texts)[:result]
            if handle:
                self._written(handle, call, arguments, data)
            elif number == 1 and self._tells:
                self._said(data)
        elif call == "ftruncate" and handle:
            self._size[handle["node"]] = int(arguments.rsplit(",", 1)[1])
            add(f"cut {handle['node']} {self._size[handle['node']]} # {self._short(handle['path'])}")
        elif call == "fallocate" and handle and "KEEP_SIZE" not in arguments:  # else no reader sees it
            numbers = [int(x) for x in re.findall(r", (\d+)", arguments)]
            add(f"grow {handle['node']} {numbers[-1] + numbers[-2]} # {self._short(handle['path'])}")
        elif call in ("fsync", "fdatasync") and handle:
            add(f"sync {handle['node']} # {self._short(handle['path'])} {call}")
        elif call in ("mkdir", "mkdirat"):
            path = texts[-1].decode()
            if self._inside(path):
                add(f"name {self._parent(path)} {os.path.basename(path)} {self._node(path)} d # {self._short(path)}")
        elif call.startswith("rename"):
            self._renamed(texts[-2].decode(), texts[-1].decode())
        elif call in ("unlink", "unlinkat", "rmdir"):
            path = texts[-1].decode()
            if self._live.pop(path, None) is not None:
                add(f"remove {self._parent(path)} {os.path.basename(path)} # {self._short(path)}")

    def _inside(self, path):
        return path.startswith(self.root + "/") and os.path.basename(path) != NOT_KEPT

    def _parent(self, path):
        return self._live[os.path.dirname(path)]

    def _opened(self, path, arguments, result):
        path = os.path.normpath(path)
        if path != self.root and not self._inside(path):
            return
        if path not in self._live:
            self.lines.append(f"name {self._parent(path)} {os.path.basename(path)} {self._node(path)} f # "
                              f"{self._short(path)}")
        if "O_TRUNC" in arguments:
            self.lines.append(f"cut {self._live[path]} 0 # {self._short(path)}")
        self._open[result] = {"node": self._live[path], "at": 0, "durable": "SYNC" in arguments, "path": path}

    def _written(self, handle, call, arguments, data):
        positioned = call in ("pwrite64", "pwritev")
        at = int(arguments.rsplit(",", 1)[1]) if positioned else handle["at"]
        if not positioned:
            handle["at"] += len(data)
        self.lines.append(f"write {handle['node']} {at} {len(data)} {self.bytes.tell()} {int(handle['durable'])} # "
                          f"{self._short(handle['path'])}")
        self.bytes.write(data)

    def _renamed(self, old, new):
        if old not in self._live:
            return
        self.lines.append(f"move {self._parent(old)} {os.path.basename(old)} {self._parent(new)} "
                          f"{os.path.basename(new)} # {self._short(new)}")
        for path in [p for p in self._live if p == old or p.startswith(old + "/")]:
            self._live[new + path[len(old):]] = self._live.pop(path)

    def renamed(self, old, new):
        """Somebody else's rename in the root, durable."""
        os.rename(f"{self.root}/{old}", f"{self.root}/{new}")
        self._renamed(f"{self.root}/{old}", f"{self.root}/{new}")
        self.lines.append(f"sync {self._live[self.root]} # . fsync")

    def _said(self, data):
        for line in data.decode(errors="replace").splitlines():
            told = json.loads(line)
            if told.get("type") == "started":
                self.fact("started", told["id"])
            elif told.get("type") == "sealed":
                self.fact("made", told["id"])


def feed(pipe, sound):
    try:
        for at in range(0, len(sound), LIVE_CHUNK):
            pipe.write(sound[at:at + LIVE_CHUNK])
            pipe.flush()
    except BrokenPipeError:
        pass  # the recorder was killed


def whole_lines(file):
    """The calls, without the process numbers; one that another thread interrupted in one piece."""
    pending = {}
    for line in file:
        process, rest = line.rstrip("\n").split(None, 1)
        if rest.endswith("<unfinished ...>"):
            pending[process] = rest[:-len("<unfinished ...>")].rstrip()
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", rest)
        yield pending.pop(process, "") + resumed.group(1).lstrip() if resumed else rest
