#!/usr/bin/env python3
"""What leaves the vault, judged by other people's tools: age, tar, sha256sum, openssl, ffmpeg, and a schema of vCon."""

import base64
import hashlib
import json
import os
import shutil
import subprocess

from rig import RATE, Rig, Skip, changes, expect, main, pitch, tone, tree

TOOLS = ("age", "age-keygen", "tar", "sha256sum", "openssl", "ffmpeg")
CALLER, AGENT = 440.0, 1000.0
NUMBER = "0722123456"
SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "vectors", "vcon.schema.json")


def stereo(left, right):
    return b"".join(left[i:i + 2] + right[i:i + 2] for i in range(0, len(left), 2))


class Outside:
    """Somebody who has age and a key, or a passphrase."""

    def __init__(self, rig):
        self.folder = os.path.join(rig.folder, "outside")
        os.mkdir(self.folder)
        self.key = os.path.join(self.folder, "key")
        self.tool("age-keygen", "-o", self.key)
        self.recipient = self.tool("age-keygen", "-y", self.key).decode().strip()

    def tool(self, *words, stdin=None):
        done = subprocess.run(words, input=stdin, capture_output=True, cwd=self.folder, check=False, timeout=60)
        expect(done.returncode == 0, f"{words} exits {done.returncode}: {done.stderr.decode()}")
        return done.stdout

    def opened(self, path):
        return self.tool("age", "-d", "-i", self.key, path)

    def heard(self, audio):
        """Pitches of the channels, as ffmpeg decodes them."""
        probe = self.tool("ffmpeg", "-v", "error", "-i", "-", "-f", "wav", "-ar", str(RATE), "-", stdin=audio)
        channels = int.from_bytes(probe[22:24], "little")
        start = probe.index(b"data") + 8
        samples = memoryview(probe[start:start + (len(probe) - start) // (2 * channels) * 2 * channels]).cast("h")
        return [round(pitch(list(samples[c::channels]), RATE)) for c in range(channels)]


def near(heard, wanted):
    return len(heard) == len(wanted) and all(abs(a - b) < 12 for a, b in zip(heard, wanted))


def check_vcon(document):
    import jsonschema  # python3-jsonschema
    with open(SCHEMA, encoding="utf-8") as file:
        jsonschema.validate(document, json.load(file))
    drafted(document)
    return document


def drafted(document):
    """What the draft's text asks of a document (core-03, syntax 0.4.0), whatever our schema says: the parameters that
    are not marked optional, what excludes what, and indices that lead somewhere."""
    def has(item, what, *names):
        expect(all(name in item for name in names), f"a vCon's {what} lacks one of {names}: {sorted(item)}")

    has(document, "top level", "vcon", "uuid", "created_at", "parties")
    expect(document["vcon"] == "0.4.0" and not ("redacted" in document and "amended" in document), "another vCon")
    if "redacted" in document:
        has(document["redacted"], "redacted", "uuid", "type")
        expect(document["redacted"]["uuid"] != document["uuid"], "a redacted vCon refers to itself")
    parties, dialogs = len(document["parties"]), len(document["dialog"])
    for party in document["parties"]:
        anonymous = party == {"name": "anonymous"}
        expect(anonymous or "name" not in party or "validation" in party, f"a name without validation: {party}")
    for dialog in document["dialog"]:
        if not dialog:
            expect("redacted" in document, "an empty dialog in what is not redacted")
            continue
        has(dialog, "dialog", "type", "start", "parties", "mediatype", "body", "encoding")
        named = dialog["parties"] if isinstance(dialog["parties"], list) else [dialog["parties"]]
        expect(all(i < parties for i in [*named, dialog.get("originator", 0)]), "a party of a dialog is nobody")
        expect(dialog.get("originator") != named[0], "an originator that needs no saying")
        expect(isinstance(dialog["duration"], float) and "=" not in dialog["body"], "a duration or body of another form")
    for attachment in document["attachments"]:
        has(attachment, "attachment", "start", "party", "dialog", "mediatype", "body", "encoding")
        expect(attachment["dialog"] < dialogs and attachment["party"] < parties, "an index of the vCon leads nowhere")


def sound_of(dialog):
    return base64.urlsafe_b64decode(dialog["body"] + "=" * (-len(dialog["body"]) % 4))


def copies(rig, outside, call):
    """Own track, then all of it, in each form."""
    def out(name):
        return os.path.join(rig.folder, name)

    def copy(name, *more, request="R-2026-0001", to=("--recipient", outside.recipient)):
        return ("copy", call, "--request", request, "--purpose", "complaint", *to, "-o", out(name), *more)

    rig.fails(20, *copy("none.age"), says="no request R-2026-0001")
    request = rig.json("request", "open", "--kind", "copy", "--channel", "post", "--number", NUMBER, "--requester",
                       "caller", "--document-hash", hashlib.sha256(b"letter").hexdigest(),
                       "--received", "2026-01-02")[0]["id"]
    rig.fails(23, *copy("none.age", request=request), says="not decided")
    rig.good("request", "decide", request, "--decision", "granted")
    def state():
        return tree(rig.vault, without=("catalog/lock.mdb",))

    before = state()
    rig.fails(2, *copy("none.age", request=request, to=("--recipient", "age1qqqq")), says="not of the right length")
    expect(not changes(before, state()), f"a bad recipient changed {changes(before, state())}")

    rig.good(*copy("own.age", request=request))
    expect(os.stat(out("own.age")).st_mode & 0o777 == 0o600, "a copy can be read by others")
    own = outside.opened(out("own.age"))
    expect(near(outside.heard(own), [CALLER]), f"the own track holds {outside.heard(own)}")
    document = check_vcon(json.loads(outside.opened(
        rig.good(*copy("own-vcon.age", "--format", "vcon", request=request)) and out("own-vcon.age"))))
    expect([d.get("parties") for d in document["dialog"]] == [0, None] and "ana" not in json.dumps(document),
           "a vCon of the own track tells of the other party")
    rig.fails(2, *copy("own.age", request=request), says="exists")

    rig.good("request", "party", request, "--party", "agent", "--recording", call, "--answer", "yes")
    rig.good(*copy("whole.age", request=request))
    expect(near(outside.heard(outside.opened(out("whole.age"))), [CALLER, AGENT]), "a whole copy is not both parties")
    rig.fails(2, *copy("none.age", "--format", "opus", request=request), says="wav or vcon")
    rig.good(*copy("vcon.age", "--format", "vcon", request=request))
    document = check_vcon(json.loads(outside.opened(out("vcon.age"))))
    for dialog, wanted in zip(document["dialog"], (CALLER, AGENT)):
        expect(near(outside.heard(sound_of(dialog)), [wanted]), "a vCon's audio is another")
    # The last answer counts, and a file that is not whole never has its name.
    rig.good("request", "party", request, "--party", "agent", "--recording", call, "--answer", "no")
    rig.good(*copy("again.age", "--format", "opus", request=request))
    expect(near(outside.heard(outside.opened(out("again.age"))), [CALLER]), "a party that says no is heard")
    expect(not [n for n in os.listdir(rig.folder) if n.endswith(".part") or n == "none.age"], "half a file is left")
    shown = rig.json("request", "show", request)[0]
    expect([c["tracks"] for c in shown["copies"]] == [["caller"], ["caller"], ["caller", "agent"], ["caller", "agent"],
                                                       ["caller"]], f"the request's record: {shown['copies']}")
    return request


def bundle(rig, outside, calls):
    """An authority verifies a bundle with nothing of ours."""
    path = os.path.join(rig.folder, "bundle.age")
    rig.good("disclose", *calls, "--authority", "Parchetul Bucuresti", "--reference", "123/P/2026", "--basis",
             "Art. 170 CPP", "--recipient", outside.recipient, "-o", path)
    outside.tool("tar", "-x", stdin=outside.opened(path))
    folder = os.path.join(outside.folder, "disclosure")

    def verified():
        sums = subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"], cwd=folder,
                              capture_output=True, check=False).returncode == 0
        signed = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "vault-key.pem", "-rawin", "-in",
                                 "SHA256SUMS", "-sigfile", "SHA256SUMS.sig"], cwd=folder, capture_output=True,
                                check=False).returncode == 0
        return sums, signed

    expect(verified() == (True, True), f"the bundle does not verify: {verified()}")
    listed = {line.split("  ", 1)[1] for line in open(os.path.join(folder, "SHA256SUMS"), encoding="utf-8").read().splitlines()}
    there = {os.path.relpath(os.path.join(p, f), folder) for p, _, fs in os.walk(folder) for f in fs}
    expect(there - listed == {"SHA256SUMS", "SHA256SUMS.sig", "vault-key.pem"} and listed <= there,
           f"not every file is in the list: {there ^ listed}")
    for call in calls:
        place = os.path.join(folder, "recordings", call)
        for track, wanted in (("caller", CALLER), ("agent", AGENT)):
            with open(os.path.join(place, track + ".opus"), "rb") as file:
                expect(near(outside.heard(file.read()), [wanted]), f"{track} of the bundle is another")
        with open(os.path.join(place, "access.json"), encoding="utf-8") as file:
            steps = json.load(file)
        expect(steps[-1]["event"] == "disclosed" or call != calls[-1], f"its own disclosure is missing: {steps[-1]}")
        expect({s["facts"]["id"] for s in steps} == {call}, "another recording stands in the history")
        for step in steps:
            rig.good("journal", "verify", "--proof", os.path.join(place, step["proof"]), "--key",
                     os.path.join(folder, "journal", "key.pub"))
    # Who changes anything is found out.
    with open(os.path.join(folder, "disclosure.json"), "a", encoding="utf-8") as file:
        file.write(" ")
    expect(verified() == (False, True), "a changed file is not noticed")
    with open(os.path.join(folder, "SHA256SUMS"), "a", encoding="utf-8") as file:
        file.write("\n")
    expect(not verified()[1], "a changed list is not noticed")
    shutil.rmtree(folder)


def passphrase(rig, outside, call, request):
    """Sealed to a passphrase, in the form that age reads; age itself asks a terminal for it."""
    path, secret = os.path.join(rig.folder, "pass.age"), os.path.join(rig.folder, "secret")
    with open(secret, "w", encoding="utf-8") as file:
        os.chmod(secret, 0o600)
        file.write("a long enough one\n")
    rig.good("copy", call, "--request", request, "--purpose", "complaint", "--recipient-passphrase-file", secret, "-o", path)
    main_end, other_end = os.openpty()
    out = os.path.join(rig.folder, "pass.wav")
    process = subprocess.Popen(["setsid", "-c", "-w", "age", "-d", "-o", out, path], stdin=other_end, stdout=other_end,
                               stderr=other_end, cwd=outside.folder)
    os.close(other_end)
    said = b""
    while b"passphrase" not in said.lower():
        said += os.read(main_end, 1000)
    os.write(main_end, b"a long enough one\n")
    try:
        while os.read(main_end, 1000):
            pass
    except OSError:
        pass
    expect(process.wait(60) == 0, "age does not open what is sealed to a passphrase")
    with open(out, "rb") as file:
        expect(near(outside.heard(file.read()), [CALLER]), "another sound")


def gone(rig, outside, call, request):
    """After the shred a document without personal data is left, and nothing else."""
    rig.good("erase", call, "--request", "R-9", "--reason", "asked")
    path = os.path.join(rig.folder, "stub.age")
    words = ("copy", call, "--request", request, "--purpose", "complaint", "--recipient", outside.recipient, "-o", path)
    rig.fails(21, *words)
    expect(not os.path.exists(path), "a file of nothing")
    done = rig.run(*words, "--format", "vcon")
    expect(done.code == 21 and os.path.exists(path), f"no document of what is gone: {done}")
    text = outside.opened(path).decode()
    document = check_vcon(json.loads(text))
    expect(document["redacted"]["type"] == "shredded" and "722123456" not in text and "ana" not in text,
           "the document of what is gone tells of people")
    rig.fails(21, "disclose", call, "--authority", "A", "--reference", "R", "--basis", "B", "--recipient",
              outside.recipient, "-o", path + "2")


def damaged(rig, outside, call, request):
    """What does not authenticate leaves no file behind, under any name."""
    for place, _, names in os.walk(os.path.join(rig.vault, "recordings")):
        for name in names:
            if name == call + ".caller":
                with open(os.path.join(place, name), "r+b") as file:
                    file.seek(os.fstat(file.fileno()).st_size // 2)
                    byte = file.read(1)
                    file.seek(-1, os.SEEK_CUR)
                    file.write(bytes([byte[0] ^ 1]))
    before = set(os.listdir(rig.folder))
    to = ("--recipient", outside.recipient, "-o", os.path.join(rig.folder, "damaged.age"))
    rig.fails(22, "disclose", call, "--authority", "A", "--reference", "R", "--basis", "B", *to)
    for form in ("wav", "vcon"):
        rig.fails(22, "copy", call, "--request", request, "--purpose", "complaint", "--format", form, *to)
    expect(set(os.listdir(rig.folder)) == before, f"left: {set(os.listdir(rig.folder)) - before}")


def test(binary):
    missing = [t for t in TOOLS if shutil.which(t) is None]
    if missing:
        raise Skip("not installed: " + ", ".join(missing))
    rig = Rig("leaving", binary)
    rig.secrets += ["722123456", "Parchetul", "123/P/2026"]
    try:
        outside = Outside(rig)
        pcm = stereo(tone(3, CALLER), tone(3, AGENT))
        calls = [rig.ingest(pcm, "--channels", "caller,agent", "--caller", NUMBER, "--agent", "ana", "--consent",
                            "implied", "--notice", "v3")["id"] for _ in range(2)]
        rig.good("consent", calls[0], "--party", "caller", "--set", "granted", "--evidence", "a letter")
        request = copies(rig, outside, calls[0])
        bundle(rig, outside, sorted(calls))
        passphrase(rig, outside, calls[0], request)
        everything = b"".join(open(os.path.join(p, f), "rb").read() for p, _, fs in os.walk(rig.vault) for f in fs)
        for personal in (b"722123456", b"Parchetul", b"123/P/2026", b"a letter", outside.recipient.encode()):
            expect(personal not in everything, f"{personal!r} stands in the clear in the vault")
        gone(rig, outside, calls[0], request)
        rig.good("check", "--deep")
        damaged(rig, outside, calls[1], request)
        print("copies, a bundle and vCons verify with age, tar, sha256sum, openssl, ffmpeg and a schema")
    finally:
        rig.remove()


if __name__ == "__main__":
    main(test)
