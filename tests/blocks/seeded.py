#!/usr/bin/env python3
"""Breaks one guarantee at a time and expects the tests of this folder to notice.

  seeded.py BUILD SOURCE FAILING_DISK [NAME...]     all of them, or those named
"""

import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True  # leaves nothing in the sources
from mutation import Build  # noqa: E402

KEEPER, WRITER, RECORDER = "vault/keys/file_keeper.cc", "vault/sealed/writer.cc", "vault/capture/recorder.cc"
TRACK, ROW, LOG = "vault/capture/track_recorder.cc", "vault/catalog/row.cc", "vault/context/log.cc"
VAULT, JOURNAL = "vault/vault.cc", "vault/journal/journal.cc"
UNVERIFIED = ("vault/shred/shred.cc", "if (!gone) return fail", "if (false) return fail")
STAGED = "  CALLVAULT_TRY(blocks_->write_verified(material.reveal(), keys_at(target)));\n"
LEAK = "  {{ os::Path t = {path}; t += \".tmp\"; (void)os::write_new_file(t, {what}); (void)os::remove_file(t); }}\n"


def leak(path, what):
    """A file that is written, synced and removed again."""
    return LEAK.format(path=path, what=what)


# name, the guarantee it breaks, edits (file, old, new); what the search must complain of
REMNANTS = [
    ("keeper_not_wiped", "the old root is wiped", [(KEEPER, "    CALLVAULT_TRY(wipe_slot(i));", "    (void)i;"), UNVERIFIED],
     "found == roots"),
    ("keeper_header_wiped_only", "the old root's bytes are wiped, not only its name",
     [(KEEPER, "  return blocks_->write_verified(filler.reveal(), keys_at(index));", "  return {};"), UNVERIFIED], "an old root"),
    ("root_in_a_temporary_file", "a root is written into its slot and nowhere else",
     [(KEEPER, STAGED, STAGED + leak("blocks_->path()", "material.reveal()"))], "root"),
    ("root_as_text", "a root key itself is never written",
     [(KEEPER, STAGED, STAGED + leak("blocks_->path()", "base::as_bytes(base::to_base64(root.reveal()))")),
      (KEEPER, '#include "crypto/random.h"\n', '#include "base/text.h"\n#include "crypto/random.h"\n')], "a root key"),
    ("sound_in_a_temporary_file", "sound is never written in the clear",
     [(RECORDER, "Result<void> Recording::take(std::span<const std::int16_t> frames) {\n",
       "Result<void> Recording::take(std::span<const std::int16_t> frames) {\n" +
       leak('view_.layout().incoming() / "sound"', "std::as_bytes(frames)"))], "the sound of a call"),
    ("page_in_a_temporary_file", "an Opus packet is never written in the clear",
     [(WRITER, "  hash_->add(chunk);\n", "  hash_->add(chunk);\n" + leak("path_", "page"))], "the Opus packets of a call"),
    ("plain_row", "catalogue rows are sealed",
     [(ROW, "  return crypto::seal(key, id.bytes(), plain);", "  return plain;"),
      (ROW, 'CALLVAULT_TRY_ASSIGN(const Bytes plain, crypto::open_plain(key, id.bytes(), sealed, "catalogue row " + id.text()));',
       "const Bytes plain = base::to_bytes(sealed);")], "Zoe Agent"),
    ("secret_in_journal", "no secret stands in the journal",
     [(LOG, "  entry.note_key = id.text();", "  entry.note_key = id.text();\n"
       "  entry.facts[\"ref\"] = base::to_hex(record_secret.reveal());")], "a recording's secret"),
    ("passphrase_kept", "a passphrase is never written",
     [(VAULT, "  CALLVAULT_TRY_ASSIGN(const auto review, crypto::make_key_pair());\n",
       "  CALLVAULT_TRY_ASSIGN(const auto review, crypto::make_key_pair());\n" +
       '  (void)os::write_new_file(layout.root / "once", passphrase.reveal());\n')], "correct horse"),
]

# name, the guarantee it breaks, edits
FAILING = [
    ("failed_sync_believed", "what is told to be safe was synced",
     [(TRACK, "  if (auto synced = writer_->sync(); !synced) {\n    give_up_segment(synced.error());\n    return synced;\n  }\n",
       "  (void)writer_->sync();\n"),
      (WRITER, "  CALLVAULT_TRY(remember(file_.sync_data()));\n", "  (void)file_.sync_data();\n")]),
    ("dies_of_errors", "an I/O error is an answer, and no signal",
     [(JOURNAL, "  if (auto synced = file.sync_data(); !synced) {\n", "  if (auto synced = file.sync_data(); !synced) {\n    std::abort();\n")]),
]


def find_remnants(build, folder, edits, says):
    program = os.path.join(folder, "test_blocks")
    link(build, folder, "tests/blocks/test_blocks", edits, program)
    done = subprocess.run([program, "--no-colors=true", "--test-case=*left on ext4*"], timeout=300, capture_output=True,
                          text=True, errors="replace", check=False)
    if "SKIPPED" in done.stdout:
        print("SKIPPED: " + done.stdout.split("SKIPPED: ")[1].splitlines()[0])
        sys.exit(77)
    told = [line for line in done.stdout.splitlines() if says in line]
    return done.returncode != 0 and told, (told or done.stdout.strip().splitlines()[-1:] or [done.stderr])[0].strip()


def find_lies(build, folder, edits, disk):
    program = os.path.join(folder, "callvault")
    link(build, folder, "cli/callvault", edits, program)
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-B", HERE + "/failing_disk.py", program, disk, "--rounds", "200", "--seed", "7"],
                          timeout=1200, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        print(done.stdout.strip())
        sys.exit(77)
    told = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    return bool(told), f"after {time.monotonic() - begun:.0f} s: {(told or done.stdout.splitlines()[-1:] or [''])[0]}"


def link(build, folder, target, edits, output):
    files = {}
    for path, old, new in edits:
        files.setdefault(path, []).append((old, new))
    build.link(target, [build.compile(path, changes, folder) for path, changes in files.items()], output)


def main():
    build, disk, wanted, bad, count = Build(*sys.argv[1:3]), sys.argv[3], sys.argv[4:], 0, 0
    for test, seeded in ((find_remnants, REMNANTS), (find_lies, FAILING)):
        for name, guarantee, edits, *says in seeded:
            if wanted and name not in wanted:
                continue
            with tempfile.TemporaryDirectory(prefix="callvault-seeded-") as folder:
                caught, detail = test(build, folder, edits, *(says or [disk]))
            count, bad = count + 1, bad + (not caught)
            print(f"{'caught' if caught else 'SURVIVED':9}{name:26} {guarantee}: {detail[:150]}", flush=True)
    print(f"{count} seeded bugs, {bad} problems")
    sys.exit(1 if bad or not count else 0)


if __name__ == "__main__":
    main()
