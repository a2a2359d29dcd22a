#!/usr/bin/env python3
"""No branch and no address in our code depends on a secret: secrets_probe under valgrind; with --seeded once more for
each of some bugs in the code, which must be seen.

  secrets.py BUILD SOURCE [--seeded]
"""

import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # leaves nothing in the sources
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from mutation import Build, Stale  # noqa: E402

PROGRAM = "tests/hostile/secrets_probe"
SKIPPED = 77

# name, the path of the probe that must see it, edits of a file
BUGS = [
    ("memcmp_on_secrets", "compare", "vault/crypto/hash.cc",
     [("sodium_memcmp(a.data(), b.data(), a.size()) == 0", "std::equal(a.begin(), a.end(), b.begin())"),
      ("#include <sodium.h>\n", "#include <sodium.h>\n#include <algorithm>\n")]),
    ("commitment_compared_early_out", "header", "vault/sealed/header.cc",
     [("!crypto::equal(commitment_to(key), header.commitment())",
       "!std::ranges::equal(commitment_to(key), header.commitment())"),
      ('#include "sealed/header.h"\n', '#include "sealed/header.h"\n#include <algorithm>\n')]),
    ("secret_zero_refused", "derive", "vault/crypto/secret.cc",
     [("  Hasher hasher(*this);\n", "  if (at_[0] == std::byte{0}) return Error{};\n  Hasher hasher(*this);\n")]),
    ("digits_from_a_table", "share", "vault/keys/review_share.cc",
     [("return static_cast<char>(value + '0' + ((9U - value) >> 8U & ('a' - '9' - 1U)));",
       "return \"0123456789abcdef\"[value];")]),
]


def valgrind(program, path=()):
    return subprocess.run(["valgrind", "--quiet", "--error-exitcode=9", "--undef-value-errors=yes", "--track-origins=no",
                           program, *path], capture_output=True, text=True, check=False)


def main():
    build, source = sys.argv[1:3]
    program = os.path.join(build, PROGRAM)
    done = valgrind(program)
    print(done.stdout, end="")
    if done.returncode == 3:
        print("SKIPPED: valgrind gives no locked memory here")
        return SKIPPED
    if done.returncode != 0 or "DEPENDS" in done.stdout:
        print(f"FAILED: a branch or an address depends on a secret\n{done.stderr[:6000]}")
        return 1
    if "--seeded" not in sys.argv:
        return 0
    made, failed = Build(build, source), 0
    with tempfile.TemporaryDirectory(prefix="callvault-secrets-") as folder:
        for name, path, file, edits in BUGS:
            try:
                changed = os.path.join(folder, name)
                made.link(PROGRAM, [made.compile(file, edits, folder)], changed)
            except Stale as why:
                print(f"FAILED: {name}: {why}")
                failed += 1
                continue
            seen = "DEPENDS ON A SECRET" in valgrind(changed, (path,)).stdout
            print(f"seeded bug {name:32} {'seen' if seen else 'NOT SEEN'}")
            failed += not seen
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
