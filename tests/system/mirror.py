#!/usr/bin/env python3
"""Two keepers: the loss of one, a shred while one is away, and old copies of one.

  mirror.py CALLVAULT
  mirror.py --seeded BUILD SOURCE    seeded bugs, each of which must be caught"""

import os
import shutil
import sys

from rig import Failed, Rig, expect, main, tone

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from mutation import survivors  # noqa: E402

ERASE = ("--request", "R-1", "--reason", "asked")
LISTEN = ("--purpose", "complaint")


class Pair:
    """A vault with a mirror, two calls, and ways to take a keeper away."""

    def __init__(self, binary, name):
        self.rig = Rig("mirror-" + name, binary)
        self.mirror = os.path.join(self.rig.folder, "other-disk", "mirror")
        os.makedirs(os.path.dirname(self.mirror))
        self.calls = [self.rig.ingest(tone(1, 440), "--consent", "granted")["id"] for _ in range(2)]
        self.rig.good("find")
        made = self.rig.json("keeper", "mirror", self.mirror, "--unsafe-keeper")[0]
        expect(made["path"] == self.mirror and made["epoch"] == 1, f"made {made}")

    def away(self, keeper):
        os.rename(keeper, keeper + ".away")

    def back(self, keeper):
        os.rename(keeper + ".away", keeper)

    def copy_of_vault(self, name):
        path = os.path.join(self.rig.folder, name)
        shutil.copytree(self.rig.vault, path)
        return path

    def standing(self):
        done = self.rig.run("--json", "keeper", "status")
        return done.code, {k["path"]: k["standing"] for k in done.lines()[0]["keepers"]}

    def opens_old(self, copy, call):
        """Whether somebody with that old copy and today's keepers hears the call."""
        for keeper in (self.rig.keeper, self.mirror):
            there = {"CALLVAULT_DIR": copy, "CALLVAULT_KEEPER": keeper}
            if os.path.exists(keeper) and self.rig.run("play", call, *LISTEN, env=there).code == 0:
                return True
        return False

    def proven(self, call):
        return self.rig.run("--json", "prove-gone", call)


def both(pair):
    """With both there everything is as with one; a shred is final at once, on both."""
    rig, (one, two) = pair.rig, pair.calls
    old = pair.copy_of_vault("old")
    expect(pair.opens_old(old, one), "the test has no teeth: the present keepers do not open a present copy")
    expect(pair.standing() == (0, {rig.keeper: "current", pair.mirror: "current"}), f"{pair.standing()}")
    expect(rig.json("erase", one, *ERASE)[0]["epoch"] == 2, "no rotation")
    expect(not pair.opens_old(old, one), "an old copy opens what was shredded")
    expect(pair.proven(one).code == 0, str(pair.proven(one)))
    rig.good("play", two, *LISTEN)
    rig.good("status")
    rig.sound()
    findings = rig.run("--json", "doctor").lines()[0]["findings"]
    expect(any(f["subject"] == "mirror" and "on one disk" in f["message"] for f in findings), f"doctor: {findings}")


def lost_first(pair):
    """The mirror opens the vault, and says so; with the first keeper back, behind by then, all is as before."""
    rig, (one, two) = pair.rig, pair.calls
    pair.away(rig.keeper)
    done = rig.good("play", one, *LISTEN)
    expect("no keeper in" in done.err and "opened by its mirror in" in done.err, f"silently: {done.err}")
    rig.ingest(tone(1, 660))
    rig.good("purge")
    code, standing = pair.standing()
    expect(code == 3 and standing == {rig.keeper: "missing", pair.mirror: "current"}, f"{code} {standing}")
    done = rig.run("--json", "erase", one, *ERASE)
    expect(done.code == 3 and "not final" in done.out and rig.keeper in done.out, str(done))
    pair.back(rig.keeper)
    expect(pair.standing()[1][rig.keeper] == "behind", f"{pair.standing()}")
    report = rig.json("recover")[0]
    expect(report["finalised"] == 1, f"{report}")
    expect(pair.standing() == (0, {rig.keeper: "current", pair.mirror: "current"}), f"{pair.standing()}")
    expect(pair.proven(one).code == 0, str(pair.proven(one)))
    # Gone for good: said so, and another made in its place.
    shutil.rmtree(rig.keeper)
    expect(rig.run("keeper", "mirror", rig.keeper, "--remove").code == 23, "a lost keeper is given up without a word")
    rig.good("keeper", "mirror", rig.keeper, "--remove", "--destroyed")
    rig.good("keeper", "mirror", rig.keeper, "--unsafe-keeper")
    expect(pair.standing() == (0, {rig.keeper: "current", pair.mirror: "current"}), f"{pair.standing()}")
    rig.good("keeper", "rotate")
    expect("mirror" not in rig.good("play", two, *LISTEN).err, "the new keeper is not used")
    rig.sound()


def missing_mirror(pair):
    """A shred while the mirror is away takes the call from the vault at once, and is not final before it is back."""
    rig, (one, two) = pair.rig, pair.calls
    old = pair.copy_of_vault("old")
    pair.away(pair.mirror)
    done = rig.run("--json", "erase", one, *ERASE)
    expect(done.code == 3 and "outstanding" in done.out and pair.mirror in done.out, str(done))
    rig.fails(21, "play", one, *LISTEN)
    expect(not pair.opens_old(old, one), "the keeper that is there opens it")
    done = pair.proven(one)
    expect(done.code == 24 and "not final" in done.out, str(done))
    done = rig.run("--json", "status")
    status = done.lines()[0]
    expect(done.code == 25 and status["outstanding"] == 1 and status["mirrors_behind"] == [pair.mirror], str(done))
    metrics = os.path.join(rig.folder, "metrics")
    done = rig.run("--json", "purge", "--metrics-file", metrics)
    expect(done.code == 3 and done.lines()[-1]["outstanding"] == 1 and done.lines()[-1]["shredded"] == 0, str(done))
    with open(metrics, encoding="utf-8") as file:
        text = file.read()
    expect("callvault_outstanding 1\n" in text and "callvault_mirrors_behind 1\n" in text and
           "callvault_last_purge_success 0\n" in text, text)
    done = rig.run("--json", "keeper", "rotate")
    expect(done.code == 3 and done.lines()[-1]["mirrors_behind"] == [pair.mirror], str(done))
    pair.back(pair.mirror)
    # This is what it waits for.
    expect(pair.opens_old(old, one), "the test has no teeth: the mirror has forgotten while it was away")
    done = rig.run("--json", "purge")
    expect(done.code == 0 and done.lines()[-1]["shredded"] == 1 and done.lines()[-1]["outstanding"] == 0, str(done))
    expect(not pair.opens_old(old, one), "an old copy opens what was shredded")
    expect(pair.proven(one).code == 0, str(pair.proven(one)))
    rig.good("status")
    # And it is a mirror again.
    pair.away(rig.keeper)
    rig.good("play", two, *LISTEN)
    pair.back(rig.keeper)
    rig.sound()


def stale_mirror(pair):
    """One that was away at a rotation opens nothing, whatever old copies are brought with it."""
    rig, (one, two) = pair.rig, pair.calls
    old_mirror, old_keys = pair.mirror + ".copy", os.path.join(rig.folder, "old-keys")
    shutil.copytree(pair.mirror, old_mirror)
    shutil.copytree(os.path.join(rig.vault, "keys"), old_keys)
    pair.away(pair.mirror)
    expect(rig.run("erase", one, *ERASE).code == 3, "a shred is final without the mirror")
    pair.away(rig.keeper)
    pair.back(pair.mirror)
    rig.fails(22, "find", says="no keeper opens keys/directory.*is behind")
    rig.fails(22, "purge", says="is behind")
    # The key state of then is there again as well: the journal tells.
    os.rename(os.path.join(rig.vault, "keys"), os.path.join(rig.folder, "new-keys"))
    shutil.copytree(old_keys, os.path.join(rig.vault, "keys"))
    done = rig.run("play", one, *LISTEN)
    expect(done.code == 22 and "journal knows of a shred in epoch 2" in done.err, str(done))
    pair.back(rig.keeper)
    rig.fails(22, "play", one, *LISTEN, says="old copy of one of the two was brought back")
    shutil.rmtree(os.path.join(rig.vault, "keys"))
    os.rename(os.path.join(rig.folder, "new-keys"), os.path.join(rig.vault, "keys"))
    rig.good("recover")
    # A copy of the mirror from before that: it is not taken for the mirror, and nothing in it is touched.
    pair.away(pair.mirror)
    os.rename(old_mirror, pair.mirror)
    with open(pair.mirror + "/root", "rb") as file:
        before = file.read()
    rig.good("play", two, *LISTEN)
    expect(pair.standing() == (3, {rig.keeper: "current", pair.mirror: "strange"}), f"{pair.standing()}")
    expect(rig.run("keeper", "rotate").code == 3, "an old copy of a mirror is taken for it")
    expect(rig.run("keeper", "mirror", pair.mirror, "--remove").code == 23, "what is not the mirror is wiped")
    with open(pair.mirror + "/root", "rb") as file:
        expect(file.read() == before, "an old copy of a mirror was written to")
    pair.away(rig.keeper)
    rig.fails(22, "find", says="holds none of the roots that it should")
    pair.back(rig.keeper)
    # The whole vault is an old copy, and only the mirror knows.
    shutil.rmtree(pair.mirror)
    pair.back(pair.mirror)
    expect(rig.run("recover").code == 0, "the mirror is not brought in")
    everything = pair.copy_of_vault("rolled-back"), rig.keeper + ".copy"
    shutil.copytree(rig.keeper, everything[1])
    rig.good("keeper", "rotate")
    shutil.rmtree(rig.vault)
    shutil.rmtree(rig.keeper)
    os.rename(everything[0], rig.vault)
    os.rename(everything[1], rig.keeper)
    rig.fails(22, "purge", says="has forgotten epoch")


def removal(pair):
    """Wiped before it is let go; given up only on somebody's word."""
    rig, (one, _) = pair.rig, pair.calls
    old = pair.copy_of_vault("old")
    shutil.copytree(pair.mirror, pair.mirror + ".copy")
    expect(rig.run("keeper", "mirror", pair.mirror, "--destroyed").code == 2, "--destroyed alone")
    expect(rig.run("keeper", "mirror", rig.folder + "/nowhere", "--remove").code == 20, "no such mirror")
    expect(rig.run("keeper", "mirror", rig.keeper, "--remove").code == 23, "the keeper in use is removed")
    expect(rig.run("keeper", "mirror", rig.vault + "/mirror", "--unsafe-keeper").code == 23, "a mirror inside the vault")
    expect(rig.run("keeper", "mirror", pair.mirror, "--unsafe-keeper").code == 23, "a second one in one place")
    rig.good("keeper", "mirror", pair.mirror, "--remove")
    expect(not os.path.exists(pair.mirror), "it is still there")
    rig.good("erase", one, *ERASE)
    expect(pair.proven(one).code == 0, str(pair.proven(one)))
    # What was given up by word while it is in fact there is what nobody can see: the journal says whose word it was.
    rig.good("keeper", "mirror", pair.mirror, "--unsafe-keeper")
    pair.away(pair.mirror)
    last = rig.ingest(tone(1, 880), "--consent", "granted")["id"]
    expect(rig.run("erase", last, *ERASE).code == 3, "a shred is final without the mirror")
    expect(rig.run("keeper", "mirror", pair.mirror, "--remove").code == 23, "given up without a word")
    expect(rig.json("keeper", "mirror", pair.mirror, "--remove", "--destroyed")[0]["finalised"] == 1, "not final")
    expect(pair.proven(last).code == 0, str(pair.proven(last)))
    events = [e for e in rig.json("journal", "log") if e["event"] == "mirror_removed"]
    expect(len(events) == 2, f"{events}")
    expect(not pair.opens_old(old, one), "an old copy opens what was shredded")
    rig.sound()


SCENARIOS = (both, lost_first, missing_mirror, stale_mirror, removal)


def run(binary, scenario):
    pair = Pair(binary, scenario.__name__)
    try:
        scenario(pair)
    finally:
        pair.rig.remove()


def test(binary):
    for scenario in SCENARIOS:
        run(binary, scenario)
        print("good:", scenario.__name__, flush=True)


def seeds():
    """Name, guarantee, where it shows, and what is changed."""
    keepers, shred = "vault/keys/keepers.cc", "vault/shred/shred.cc"
    return [
        ("done_without_mirror", "a shred is not done before the mirror has forgotten", missing_mirror, shred,
         "if (keys::forgotten_before(context_.state.directory(), report_.epoch)) {", "if (true) {"),
        ("wait_forgotten", "what waits for a mirror is remembered", missing_mirror, keepers,
         "    entry.waiting += shreds;\n", ""),
        ("proof_without_mirror", "prove-gone asks what a mirror may still hold", missing_mirror, "vault/vault_checks.cc",
         "const bool forgot = k.entry.oldest >= (report_.tombstone ? report_.tombstone->epoch : now);",
         "const bool forgot = true; (void)now;"),
        ("mirror_not_wiped", "a mirror that is back forgets before its shreds are final", missing_mirror,
         "vault/keys/key_state.cc", "  CALLVAULT_TRY(commit());\n  CALLVAULT_TRY(wipe_old());\n",
         "  for (auto& e : directory_.keepers) { e.oldest = directory_.epoch; finalised_ += std::exchange(e.waiting, 0); }\n"
         "  CALLVAULT_TRY(commit());\n"),
        ("mirror_not_rotated", "a rotation is done on both", both, keepers,
         "auto wiped = one.keeper->wipe_all_but(directory.epoch);",
         "auto wiped = i == opener_ ? one.keeper->wipe_all_but(directory.epoch) : Result<void>();"),
        ("stale_accepted", "a mirror that was away opens no old key state", stale_mirror, "vault/session.cc",
         "if (state_.opened_instead().empty()) return {};", "return {};"),
        ("old_first_overruled", "a mirror does not decide against a first keeper that is there", stale_mirror, keepers,
         "  // There, and not the one that it was: whether the directory or the keeper is old, a mirror must not decide.\n",
         "  return {};\n"),
        ("rollback_unseen", "a mirror that knows more than the vault is heard", stale_mirror, keepers,
         "if (has_forgotten(*slots, head.epoch))", "if (false)"),
        ("stranger_wiped", "what is not the mirror is never written to", stale_mirror, keepers,
         "if (one.keeper == nullptr || one.standing == Standing::strange)", "if (one.keeper == nullptr)"),
        ("silent_mirror", "it is said that a mirror opens the vault", lost_first, "vault/vault.cc",
         "    why_mirror = all->instead();\n", "    (void)all->instead();\n"),
    ]


def seeded(build, source):
    changed = [(name, guarantee, lambda binary, s=scenario: run(binary, s), path, old, new)
               for name, guarantee, scenario, path, old, new in seeds()]
    sys.exit(1 if survivors(build, source, changed, Failed) else 0)


if __name__ == "__main__":
    if sys.argv[1] == "--seeded":
        main(lambda _: seeded(*sys.argv[2:]))
    main(test)
