#!/usr/bin/env python3
"""Makes finding do more than it may, or believe more, one defect at a time: the unit tests that bound it must notice.

  seeded.py BUILD SOURCE [NAME...]     all of them, or those named"""

import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # leaves nothing in the sources
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from mutation import Build  # noqa: E402

PATIENCE = 120
NODE, LOOKUP, STORE, FIND, VIEW = "vault/keys/node_file.cc", "vault/catalog/lookup.cc", "vault/catalog/store.cc", "vault/vault_find.cc", "vault/journal/view.cc"
KEYS, CATALOG, VAULT, JOURNAL = "tests/test_keys", "tests/test_catalog", "tests/vault/test_vault", "tests/test_journal"
# name, the guarantee it breaks, file, old, new, program, its test
SEEDED = [
    ("row_not_guessed", "one row of a full node costs a few of its pieces", NODE,
     "std::size_t probe = static_cast<std::size_t>(lead * count_ >> 32);\n  std::size_t step = kFirstStep;\n  bool was_less = false, was_more = false;",
     "std::size_t probe = count_ / 2;\n  std::size_t step = kFirstStep;\n  bool was_less = lead != 1, was_more = lead != 1;", KEYS, "one row of a full node*"),
    ("way_forgotten", "a search reads one page of each bucket", LOOKUP, "if (const Bytes* kept = upper_->find(number)) return ByteView(*kept);",
     "if (const Bytes* kept = upper_->find(number); kept != nullptr && number == meta_.main.root) return ByteView(*kept);", CATALOG, "a search reads one page*"),
    ("old_transaction_believed", "what is kept is of one transaction", STORE, "if (!known_ || known_->transaction != snapshot.meta.transaction) {",
     "if (!known_) {", CATALOG, "what is kept of one transaction*"),
    ("replaced_file_believed", "what is kept is of one file", STORE, "  env_.reset();\n  known_.reset();\n", "  env_.reset();\n", CATALOG,
     "what is kept of one catalogue*"),
    ("whole_day_opened", "a page of a day opens no node that is older than it", FIND, "      if (oldest_shown_ && span.last < *oldest_shown_) break;\n", "", VAULT,
     "a page of a day opens no node*"),
    ("page_too_short", "a page of a day is the newest of it", FIND, "if (oldest_shown_ && span.last < *oldest_shown_) break;",
     "if (!found.empty()) break;", VAULT, "a page of a day opens no node*"),
    ("last_entry_believed", "an append looks at the journal's last entry", VIEW, "    if (!last || leaf_hash(*last) != proved.last_leaf) return false;",
     "    if (!last) return false;", JOURNAL, "what a process has proved*"),
    ("checkpoint_not_looked_at", "what was proved is proved of one checkpoint", VIEW, "known->text == base::as_text(*text)", "!known->text.empty()", JOURNAL,
     "what a process has proved*"),
]


def notices(build, path, edits, program, test):
    folder = tempfile.mkdtemp(prefix="callvault-seeded-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
    try:
        mutant = os.path.join(folder, "mutant")
        build.link(program, [build.compile(path, edits, folder)], mutant)
        done = subprocess.run([mutant, "--no-colors=true", f"--test-case={test}"], env={**os.environ, "TMPDIR": folder}, timeout=PATIENCE,
                              capture_output=True, text=True, errors="replace", check=False)
        ran = " 0 passed | 0 failed" not in done.stdout
        return ran and done.returncode != 0, done.stdout[-600:]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    build, wanted = Build(sys.argv[1], sys.argv[2]), sys.argv[3:]
    bad = len(set(wanted) - {s[0] for s in SEEDED})
    for name, guarantee, path, old, new, program, test in SEEDED:
        if wanted and name not in wanted:
            continue
        found, said = notices(build, path, [(old, new)], program, test)
        print(f"{'caught' if found else 'NOT CAUGHT'}: {name}: {guarantee}" + ("" if found else f"\n{said}"), flush=True)
        bad += 0 if found else 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
