#!/usr/bin/env python3
"""The written contract follows the command: help, man pages, completions, docs/CLI.md and the table of exit codes."""

import os
import re
import subprocess
import sys

SECRET_FLAGS = {"init": {"--unsafe-fast-passphrase"}}  # accepted, in the man page, not in --help


def main():
    binary, root = os.path.abspath(sys.argv[1]), sys.argv[2]
    problems = []

    def read(*path):
        try:
            with open(os.path.join(root, *path), encoding="utf-8") as file:
                return file.read()
        except OSError as error:
            problems.append(str(error))
            return ""

    def help_of(*words):
        done = subprocess.run([binary, *words, "--help"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            problems.append(f"'{' '.join(words)} --help' exits {done.returncode}")
        return done.stdout

    def flags(text):
        return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))

    registry = read("cli", "registry.cc")
    commands = re.findall(r'\{"([a-z -]+)", "[^"]+", make_', registry)
    groups = re.findall(r'\{"([a-z]+)", "[^"]+"\}', registry)
    common = flags(help_of("find").partition("Options of every command")[2]) | {"--help"}
    if len(commands) < 24 or len(common) < 8:
        problems.append("the registry or the help was not understood")

    bash, zsh, fish = read("completions", "callvault.bash"), read("completions", "_callvault"), read(
        "completions", "callvault.fish")
    document = read("docs", "CLI.md")
    top_help, top_page = help_of(), read("docs", "man", "callvault.1.scd")

    for flag in common | {"--version"}:
        for where, text in (("callvault(1)", top_page), ("bash", bash), ("zsh", zsh), ("docs/CLI.md", document)):
            if flag not in flags(text):
                problems.append(f"{where} lacks {flag}")
        if not re.search(rf"-l {flag[2:]}\b(?!-)", fish):
            problems.append(f"fish lacks {flag}")

    for command in commands:
        words = command.split()
        own = flags(help_of(*words).partition("Options of every command")[0]) - common
        page = read("docs", "man", f"callvault-{'-'.join(words)}.1.scd")
        wanted = own | SECRET_FLAGS.get(command, set())
        stray = {f for f in re.findall(r"^\*(--[a-z-]+)\*", page, re.M)} - wanted
        for flag in sorted(wanted - flags(page)):
            problems.append(f"man page of {command} lacks {flag}")
        for flag in sorted(stray):
            problems.append(f"man page of {command} has {flag}, the command has not")

        line = re.search(rf'^    (?:"{command}"|{command})\) words="([^"]*)"', bash, re.M)
        in_bash = flags(line.group(1)) if line else set()
        quoted = f"'{command}'" if len(words) == 2 else command
        part = re.search(rf"^    {quoted}\)\n(.*?)^      ;;", zsh, re.M | re.S)
        in_zsh = flags(re.sub(r"\[.*?\]", "", part.group(1))) if part else set()
        condition = "; and ".join("__fish_seen_subcommand_from " + w for w in words)
        lines = [l for l in fish.splitlines() if f"-n '{condition}'" in l]
        in_fish = {"--" + m.group(1) for l in lines if (m := re.search(r" -l ([a-z-]+)", l))}
        for shell, found in (("bash", in_bash), ("zsh", in_zsh), ("fish", in_fish)):
            if found != own:
                problems.append(f"{shell} completion of {command}: missing {sorted(own - found)}, "
                                f"too many {sorted(found - own)}")
        if f"*callvault-{'-'.join(words)}*(1)" not in top_page:
            problems.append(f"callvault(1) does not name {command}")
        if f"`{command}" not in document:
            problems.append(f"docs/CLI.md does not tell of {command}")
        for flag in sorted(own - flags(document)):
            problems.append(f"docs/CLI.md lacks {flag} of {command}")
        if len(words) == 1 and not re.search(rf"^  {command} ", top_help, re.M):
            problems.append(f"callvault --help does not list {command}")

    for group in groups:
        line = re.search(rf'^    {group}\) words="([^"]*)"', bash, re.M)
        listed = sorted(line.group(1).split()) if line else []
        if listed != sorted(c.split()[1] for c in commands if c.startswith(group + " ")):
            problems.append(f"bash completion of {group} lists {listed}")

    codes = dict(re.findall(r"Exit::(\w+), \"", read("cli", "exit_codes.cc")) and
                 re.findall(r"^  (\w+) = (\d+),", read("cli", "exit_codes.h"), re.M))
    for name, code in codes.items():
        if f"| {code} |" not in document:
            problems.append(f"docs/CLI.md lacks exit code {code} ({name})")
        if not re.search(rf"\*{code}\*\n:", top_page):
            problems.append(f"callvault(1) lacks exit code {code} ({name})")
    if len(codes) != 17:
        problems.append(f"{len(codes)} exit codes found, expected 17")

    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
