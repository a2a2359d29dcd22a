"""Builds a program with a few lines of the library changed: compiles the changed files alone and puts them before the
libraries, so that a linker takes them instead. Needs a finished build and its compile_commands.json."""

import json
import os
import shlex
import subprocess
import tempfile

SLOW_FLAGS = ["-O0", "-g0", "-w", "-U_FORTIFY_SOURCE", "-DCALLVAULT_MUTANT"]


class Stale(Exception):
    """A text to be replaced is not there exactly once, or a mutant does not build."""


class Build:
    def __init__(self, build, source):
        self.build, self.source = os.path.abspath(build), os.path.abspath(source)
        with open(os.path.join(self.build, "compile_commands.json"), encoding="utf-8") as file:
            self.commands = {os.path.realpath(e["file"]): e for e in json.load(file)}

    def _run(self, command):
        done = subprocess.run(command, cwd=self.build, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Stale(f"does not build: {shlex.join(command)[:300]}\n{done.stderr[:3000]}")

    def compile(self, name, edits, folder):
        """An object for the file (relative to the sources) with each (old, new) replaced."""
        path = os.path.join(self.source, name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for old, new in edits:
            if text.count(old) != 1:
                raise Stale(f"{name}: found {text.count(old)} times instead of once: {old!r}")
            text = text.replace(old, new)
        changed = os.path.join(folder, name.replace("/", "_"))
        with open(changed, "w", encoding="utf-8") as file:
            file.write(text)
        entry, compiled = self.commands.get(os.path.realpath(path)), changed
        if entry is None:
            entry, compiled = self._united(path, changed)
        words = shlex.split(entry["command"])
        obj = changed + ".o"
        words[words.index("-o") + 1] = obj
        words[words.index("-c") + 1] = compiled
        self._run([w for w in words if w != "-Werror"] + ["-I", os.path.dirname(path)] + SLOW_FLAGS)
        return obj

    def _united(self, path, changed):
        """In a unity build: the command for the file's whole layer, and that layer with the changed file in it."""
        for unity, entry in self.commands.items():
            if "/Unity/" not in unity or f"{os.sep}callvault_" not in unity:
                continue
            with open(unity, encoding="utf-8") as file:
                text = file.read()
            if f'"{path}"' in text:
                with open(changed + ".cxx", "w", encoding="utf-8") as file:
                    file.write(text.replace(f'"{path}"', f'"{changed}"'))
                return entry, changed + ".cxx"
        raise Stale(f"{path} is compiled nowhere")

    def link(self, target, objects, output):
        """The target (its path in the build folder) once more, with these objects first."""
        words = shlex.split(self._link_line(target))
        at = words.index("-o")
        words[at + 1] = output
        first = next(i for i, w in enumerate(words) if w.endswith(".o"))
        self._run(words[:first] + objects + words[first:])

    def _link_line(self, target):
        folder, name = os.path.split(target)
        makefile = os.path.join(self.build, folder, "CMakeFiles", name + ".dir", "link.txt")
        if os.path.exists(makefile):
            with open(makefile, encoding="utf-8") as file:
                return file.read().strip()
        done = subprocess.run(["ninja", "-t", "commands", target], cwd=self.build, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise Stale(done.stderr)
        # ": && c++ ... && :"
        return next(part for part in done.stdout.strip().splitlines()[-1].split("&&") if " -o " in part).strip()


def survivors(build, source, seeds, failure):
    """Runs each seed's scenario (a function of a command's path, which raises `failure` where it finds a bug) against a
    command with that seed's change: (name, guarantee, scenario, file, old, new). Prints what became of each; how many survived."""
    maker, bad = Build(build, source), 0
    for name, guarantee, scenario, path, old, new in seeds:
        with tempfile.TemporaryDirectory(prefix="callvault-seeded-") as folder:
            maker.link("cli/callvault", [maker.compile(path, [(old, new)], folder)], folder + "/callvault")
            try:
                scenario(folder + "/callvault")
                verdict = "SURVIVED"
            except failure as why:
                verdict = "caught: " + str(why)[:150].replace("\n", " ")
        bad += verdict == "SURVIVED"
        print(f"{name}: {guarantee}: {verdict}", flush=True)
    return bad
