"""What a disk may hold after a power cut: a recorded run, replayed up to a point without some of what was never synced.

Model: written data is volatile until the file is synced (or was opened O_DSYNC), names until their folder is synced.
Memory maps are not modelled: the vault writes none that must survive."""

import collections
import hashlib
import os
import random
import re
import shutil

CALLS = ("openat,write,pwrite64,writev,pwritev,ftruncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,unlink,"
         "unlinkat,mkdir,mkdirat,rmdir,lseek,close,dup,dup2,fcntl")
STRACE = ["strace", "-f", "-qq", "-xx", "-s", "1000000000", "-e", "trace=" + CALLS, "-e", "signal=none"]
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
UNSAVED = "lock.mdb"  # LMDB's reader table means nothing after a restart

Event = collections.namedtuple("Event", "kind node at data durable", defaults=(None, None, False))


class Node:
    """A file or a folder, whatever it is called."""

    def __init__(self, content=None):
        self.content = content  # bytes, or None for a folder
        self.names = {}


def read_tree(folder):
    node = Node()
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            node.names[entry.name] = read_tree(entry.path)
        else:
            with open(entry.path, "rb") as file:
                node.names[entry.name] = Node(file.read())
    return node


class Recording:
    """The events of one traced run below `root`."""

    def __init__(self, trace, root, before, finished):
        self.root, self.tree, self.events = os.path.abspath(root), before, []
        self._live = {self.root: before}
        self._name_all(self.root, before)
        self._open = {}
        self._said = b""
        self._finished = finished
        self.keeper_at = 0  # the first event that writes to the keeper
        with open(trace, encoding="utf-8", errors="replace") as file:
            for line in file:
                self._take(line.split(None, 1)[1])

    def _name_all(self, path, node):
        for name, child in node.names.items():
            self._live[path + "/" + name] = child
            self._name_all(path + "/" + name, child)

    def _take(self, line):
        match = re.match(r"(\w+)\((.*)\)\s*=\s*(-?\d+)", line)
        if not match or match.group(3).startswith("-"):
            return
        call, arguments, result = match.group(1), match.group(2), int(match.group(3))
        texts = [bytes.fromhex(t.replace("\\x", "")) for t in TEXT.findall(arguments)]
        first = re.match(r"-?\d+", arguments)
        handle = self._open.get(int(first.group())) if first else None
        add = self.events.append
        if call == "openat":
            path = texts[0].decode()
            self._open.pop(result, None)
            if path != self.root and not path.startswith(self.root + "/"):
                return
            if path not in self._live:
                node = self._live[path] = Node(b"")
                add(Event("name", self._parent(path), os.path.basename(path), node))
            if "O_TRUNC" in arguments:
                add(Event("cut", self._live[path], 0))
            self._open[result] = [self._live[path], 0, "SYNC" in arguments, path]
        elif call == "close":
            self._open.pop(int(first.group()), None)
        elif call in ("dup", "dup2", "fcntl"):
            if handle and (call != "fcntl" or "F_DUPFD" in arguments):
                self._open[result] = handle
        elif call == "lseek" and handle:
            handle[1] = result
        elif call in ("write", "writev", "pwrite64", "pwritev"):
            if first.group() == "1" and not handle:
                self._said += b"".join(texts)
                if self._finished(self._said):
                    add(Event("done", None, None))
            if not handle:
                return
            positioned = call in ("pwrite64", "pwritev")
            at = int(arguments.rsplit(",", 1)[1]) if positioned else handle[1]
            if not positioned:
                handle[1] += result
            if self.keeper_at == 0 and handle[3].endswith("vault.keeper/root"):
                self.keeper_at = len(self.events)
            add(Event("write", handle[0], at, b"".join(texts)[:result], handle[2]))
        elif call == "ftruncate" and handle:
            add(Event("cut", handle[0], int(arguments.rsplit(",", 1)[1])))
        elif call == "fallocate" and handle and "KEEP_SIZE" not in arguments:  # else no reader sees it
            numbers = [int(x) for x in re.findall(r", (\d+)", arguments)]
            add(Event("grow", handle[0], numbers[-1] + numbers[-2]))
        elif call in ("fsync", "fdatasync") and handle:
            add(Event("sync", handle[0], None))
        elif call in ("mkdir", "mkdirat"):
            path = texts[-1].decode()
            if path.startswith(self.root + "/"):
                self._live[path] = Node()
                add(Event("name", self._parent(path), os.path.basename(path), self._live[path]))
        elif call.startswith("rename"):
            old, new = texts[-2].decode(), texts[-1].decode()
            if old in self._live:
                add(Event("move", self._parent(old), os.path.basename(old), (self._parent(new), os.path.basename(new))))
                self._live[new] = self._live.pop(old)
        elif call in ("unlink", "unlinkat", "rmdir"):
            path = texts[-1].decode()
            if self._live.pop(path, None):
                add(Event("remove", self._parent(path), os.path.basename(path)))

    def _parent(self, path):
        return self._live[os.path.dirname(path)]

    def points(self):
        """Indices behind which something may have changed, the beginning included."""
        return [0] + [i + 1 for i, e in enumerate(self.events)]

    def acknowledged(self, point):
        return any(e.kind == "done" for e in self.events[:point])

    def _durable(self, index, point):
        event = self.events[index]
        if event.durable:
            return True
        folders = {event.node} | ({event.data[0]} if event.kind == "move" else set())
        return any(e.kind == "sync" and e.node in folders for e in self.events[index + 1:point])

    def choices(self, point, more=0):
        """Sets of events that may be on disk when the power goes at this point: (what is lost, set of indices)."""
        changes = [i for i in range(point) if self.events[i].kind not in ("sync", "done")]
        safe = {i for i in changes if self._durable(i, point)}
        loose = [i for i in changes if i not in safe]
        names = {i for i in loose if self.events[i].kind in ("name", "move", "remove")}
        yield "nothing lost", set(changes)
        yield "everything unsynced lost", safe
        yield "unsynced data lost, names kept", safe | names
        yield "unsynced names lost, data kept", safe | (set(loose) - names)
        for one in loose[-more:] if more else ():
            yield "one change lost", set(changes) - {one}
        chance = random.Random(point)
        for _ in range(more):
            yield "some unsynced lost", safe | {i for i in loose if chance.random() < 0.5}

    def state(self, kept):
        """{relative path: bytes, or None for a folder}"""
        names, data = {}, {}

        def names_of(node):
            return names.setdefault(id(node), dict(node.names))

        for index in sorted(kept):
            kind, node, at, what, _ = self.events[index]
            if kind in ("sync", "done"):
                continue
            if kind == "name":
                names_of(node)[at] = what
            elif kind == "remove":
                names_of(node).pop(at, None)
            elif kind == "move":
                moved = names_of(node).pop(at, None)
                if moved is not None:
                    names_of(what[0])[what[1]] = moved
            else:
                content = data.setdefault(id(node), bytearray(node.content or b""))
                end = at + len(what) if kind == "write" else at
                if kind == "cut":
                    del content[end:]
                content.extend(bytes(max(0, end - len(content))))
                if kind == "write":
                    content[at:end] = what
        out = {}

        def walk(node, path):
            for name, child in sorted(names_of(node).items()):
                if child.content is None:
                    out[path + name] = None
                    walk(child, path + name + "/")
                else:
                    out[path + name] = bytes(data.get(id(child), child.content))

        walk(self.tree, "")
        return out


def fingerprint(state):
    digest = hashlib.blake2b()
    for path, content in sorted(state.items()):
        if not path.endswith(UNSAVED):
            digest.update(repr((path, None if content is None else hashlib.blake2b(content).digest())).encode())
    return digest.digest()


def write_tree(state, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, mode=0o700)
    for path, content in state.items():
        if content is None:
            os.makedirs(f"{folder}/{path}", mode=0o700, exist_ok=True)
        else:
            with open(os.open(f"{folder}/{path}", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(content)
