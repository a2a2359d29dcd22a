#!/usr/bin/env python3
"""The golden vaults of every format version stay readable, and usable, by the present code."""

import hashlib
import json
import os
import shutil
import stat

from rig import Rig, expect, main, speech

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")
FOLDERS = ("incoming", "recordings", "people", "journal", "keys/buckets", "keys/intake")


def load(folder):
    with open(os.path.join(folder, "expected.json"), encoding="utf-8") as file:
        return json.load(file)


def bring(rig, source):
    """A copy, with the folders and modes that a version control system does not keep."""
    for name in ("vault", "vault.keeper"):
        shutil.copytree(os.path.join(source, name), os.path.join(rig.folder, name))
    for name in FOLDERS:
        os.makedirs(os.path.join(rig.vault, name), exist_ok=True)
    for place, _, files in os.walk(rig.folder):
        os.chmod(place, 0o700)
        for name in files:
            if name != "callvault":
                os.chmod(os.path.join(place, name), stat.S_IRUSR | stat.S_IWUSR)


def tracks(rig, record_id, names):
    return {name: hashlib.sha256(rig.good("play", record_id, "--purpose", "legal_claims", "--format", "opus", "--track",
                                          name if name != "mixed" else "both").raw).hexdigest() for name in names}


def by_id(records):
    return sorted(records, key=lambda record: record["id"])


def one(binary, source):
    rig = Rig("golden", binary, make=False)
    try:
        bring(rig, source)
        expected = load(source)
        late = expected["unsettled"]
        found = by_id(rig.json("find"))
        new = {late["finished"]["record"]["id"], late["killed"]["id"]}
        expect([r for r in found if r["id"] not in new] == expected["records"],
               f"other records: {found}\nexpected: {expected['records']}")
        expect({r["id"] for r in found} >= new, "what a recorder left is not found")
        expect(by_id(rig.json("find", "--state", "gone")) == expected["gone"], "other tombstones")
        for record in expected["records"]:
            told = rig.json("show", record["id"])[0]
            expect(all(told[key] == value for key, value in record.items()), f"another record is shown: {told}")
            sound = expected["tracks"][record["id"]]
            expect(tracks(rig, record["id"], sound) == sound, f"another sound in {record['id']}")
        # Found by what is blinded in the catalogue, under each spelling of a number.
        for record in expected["records"]:
            for key in ("caller", "called", "agent", "call_id"):
                if record[key]:
                    hits = rig.json("find", "--" + key.replace("_", "-"), record[key])
                    expect(record in hits, f"not found by {key}")
        settled = [r for r in found if r["id"] == late["finished"]["record"]["id"]]
        expect(settled == [late["finished"]["record"]], f"settled as {settled}")
        for part in (late["finished"]["record"]["id"], late["finished"]), (late["killed"]["id"], late["killed"]):
            expect(tracks(rig, part[0], part[1]["tracks"]) == part[1]["tracks"], f"another sound in {part[0]}")
        killed = [r for r in found if r["id"] == late["killed"]["id"]][0]
        expect("interrupted" in killed["flags"], f"recovered as {killed}")
        if "opted_out" in expected:
            expect(rig.run("may-record", expected["opted_out"]).code == 23, "an opt-out is lost")
        for request in expected.get("requests", []):
            told = rig.json("request", "show", request["id"])[0]
            # A later callvault may tell more of it.
            expect({**told, **request, "overdue": None} == {**told, "overdue": None}, f"another request: {told}")
        events = [[line["event"], line["facts"]] for line in rig.json("journal", "log")]
        expect(events[:len(expected["events"])] == expected["events"], "another journal")
        office(rig, expected)
        rig.sound()
        for tombstone in expected["gone"]:
            proof = rig.json("prove-gone", tombstone["id"])[0]
            expect(proof["gone"] and proof["tombstone"] == tombstone, f"proof: {proof}")
        rig.good("reindex")
        expect(by_id(rig.json("find")) == found, "reindex gives other answers")
        in_use(rig, expected)
    finally:
        rig.remove()


def office(rig, expected):
    """What the office keeps, since version 3: people, duties, notices, aliases, breaches."""
    for key, words in (("people", ("person", "list")), ("breaches", ("breach", "list")), ("notices", ("notice", "list")),
                       ("duty", ("duty", "show"))):
        if key not in expected:
            continue
        told = rig.json(*words)
        for known in expected[key]:
            # A later callvault may tell more of it.
            expect(any(one == {**one, **known} for one in told), f"{key}: {known} is not among {told}")
    for record_id, state in expected.get("states", {}).items():
        expect(rig.json("show", record_id)[0]["state"] == state, f"{record_id} is not {state}")
    if "aliases" in expected:
        numbers = rig.json("alias", "show", expected["aliases"][0])[0]["numbers"]
        expect(len(numbers) == len(expected["aliases"]), f"aliases: {numbers}")
    persons = [[line["event"], line["person"]] for line in rig.json("journal", "log") if line["person"]]
    expect(persons[:len(expected.get("persons", []))] == expected.get("persons", []), f"journal of people: {persons}")


def in_use(rig, expected):
    """What is old takes part: another reader, another call, an erasure with its rotation."""
    with open(rig.folder + "/second", "w", encoding="utf-8") as file:
        os.chmod(file.fileno(), 0o600)
        file.write(expected["passphrases"]["maria"] + "\n")
    first = expected["records"][0]
    rig.good("--as", "maria", "--passphrase-file", rig.folder + "/second", "play", first["id"], "--purpose",
             "legal_claims")
    rig.fails(12, "find", env={"CALLVAULT_USER": "maria"})
    added = rig.ingest(speech(1), "--started-at", "2026-01-15T12:00:00+02:00", "--consent", "granted")["id"]
    victim = next(r for r in expected["records"] if not r["holds"] and r["state"] == "live")
    rig.good("erase", victim["id"], "--request", "R-18", "--reason", "asked")
    rig.good("prove-gone", victim["id"])
    found = {r["id"] for r in rig.json("find")}
    expect(added in found and victim["id"] not in found, f"found: {found}")
    held = next(r for r in expected["records"] if r["holds"])
    refused = rig.run("--json", "erase", held["id"], "--request", "R-19", "--reason", "asked")
    expect(refused.code == 23 and refused.lines()[0]["items"][0]["reason"] == "held", str(refused))
    rig.sound()


def test(binary):
    versions = sorted(name for name in os.listdir(GOLDEN) if name.startswith("v"))
    expect(versions, "no golden vault")
    for version in versions:
        one(binary, os.path.join(GOLDEN, version))


if __name__ == "__main__":
    main(test)
