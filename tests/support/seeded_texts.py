#!/usr/bin/env python3
"""Every seeded bug replaces a text that stands in its file exactly once: else it breaks nothing, and only the long runs
would notice. Reads the lists of all scripts that use mutation.py, and runs none of them.

  seeded_texts.py SOURCE

A list names a file of the product, and after it the old text and the new, or a list of such pairs."""

import ast
import glob
import os
import re
import sys

PRODUCT = re.compile(r"(vault|cli)/[\w/]+\.(cc|h)")


def value_of(node, names):
    """A text made of literals and names, or nothing."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = value_of(node.left, names), value_of(node.right, names)
        return None if left is None or right is None else left + right
    return None


def names_in(tree):
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            target = node.targets[0]
            pairs = zip(target.elts, node.value.elts) if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) else [(target, node.value)]
            for name, value in pairs:
                if isinstance(name, ast.Name) and (text := value_of(value, names)) is not None:
                    names[name.id] = text
    return names


def edits_in(text):
    """(line, file, old text) of each edit."""
    tree = ast.parse(text)
    names = names_in(tree)
    for node in ast.walk(tree):
        items = node.elts if isinstance(node, (ast.Tuple, ast.List)) else []
        for at, item in enumerate(items[:-1]):
            path = value_of(item, names)
            if path is None or not PRODUCT.fullmatch(path):
                continue
            after = items[at + 1]
            olds = [pair.elts[0] for pair in after.elts] if isinstance(after, ast.List) else [after]
            for old in olds:
                words = value_of(old, names)
                if words is not None and not PRODUCT.fullmatch(words):
                    yield old.lineno, path, words


def check(source):
    bad = count = 0
    for script in sorted(glob.glob(os.path.join(source, "tests", "*", "*.py"))):
        with open(script, encoding="utf-8") as file:
            text = file.read()
        if "\nfrom mutation import" not in text:
            continue
        edits = list(edits_in(text))
        where = os.path.relpath(script, source)
        if not edits:
            print(f"{where}: seeds bugs, and no edit of it is understood")
            bad += 1
        for line, path, old in edits:
            with open(os.path.join(source, path), encoding="utf-8") as file:
                times = file.read().count(old)
            if times != 1:
                print(f"{where}:{line}: {path}: found {times} times instead of once: {old!r}")
                bad += 1
        count += len(edits)
    print(f"{count} texts that seeded bugs replace, {bad} problems")
    return bad


def self_test():
    """Each way in which the scripts write their lists."""
    lists = {"S = [('n', 'g', 'vault/a.cc', 'old', 'new')]": ["old"], "F = 'vault/a.cc'\nS = [('n', [(F, 'a' + 'b', 'c')])]": ["ab"],
             "S = [('n', 'vault/a.cc', [('x', 'y'), ('z', '')])]": ["x", "z"], "def f():\n    a, b = 'vault/a.cc', 'vault/b.cc'\n    return [('n', a, 'o', 'p')]": ["o"]}
    for text, olds in lists.items():
        if [old for _, _, old in edits_in(text)] != olds:
            sys.exit(f"not understood: {text}")


if __name__ == "__main__":
    self_test()
    sys.exit(1 if check(sys.argv[1]) else 0)
