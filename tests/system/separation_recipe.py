#!/usr/bin/env python3
"""Runs docs/SEPARATION.md: its commands, with accounts, folders and the socket where it says, and the units' checks.
All in a mount namespace of its own, over copies: nothing of the host is changed."""

import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from rig import PASSPHRASE, Failed, Skip, expect, main, tone

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def sh(script, **more):
    return subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=False, timeout=120, **more)


def good(script, **more):
    done = sh(script, **more)
    expect(done.returncode == 0, f"{script}\n  exits {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def stage(folder, binary):
    """Copies in place of what the recipe changes; gone with this process's namespace."""
    os.chmod(folder, 0o755)
    os.makedirs(folder + "/bin")
    shutil.copy(binary, folder + "/bin/callvault")
    os.chmod(folder + "/bin/callvault", 0o755)
    good(f"cp -a /etc {folder}/etc && mount --bind {folder}/etc /etc && "
         "for place in /var/lib /home /run /var/spool; do mount -t tmpfs -o mode=755 tmpfs $place; done")
    with open(folder + "/passphrase", "w", encoding="utf-8") as file:
        file.write(PASSPHRASE + "\n")
    os.chmod(folder + "/passphrase", 0o644)
    command = f"cat {folder}/passphrase"
    os.environ.update(PATH=f"{folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin", CALLVAULT_PASSPHRASE_COMMAND=command)
    for name in [n for n in os.environ if n.startswith("CALLVAULT_") and n != "CALLVAULT_PASSPHRASE_COMMAND"]:
        del os.environ[name]


def recipe():
    with open(os.path.join(ROOT, "docs", "SEPARATION.md"), encoding="utf-8") as file:
        blocks = re.findall(r"^```(sh|console)\n(.*?)^```", file.read(), re.M | re.S)
    expect(len(blocks) == 5 and blocks[3][0] == "console", "the recipe has another form")
    return [text for _, text in blocks]


def units(binary, folder):
    """As systemd reads them, with the command where it is here."""
    tool = shutil.which("systemd-analyze")
    built = os.path.join(os.path.dirname(binary), "..", "packaging", "systemd")
    names = glob.glob(built + "/callvault-*")
    expect(len(names) == 6, f"units: {names}")
    os.makedirs(folder + "/units")
    for name in names:
        with open(name, encoding="utf-8") as file:
            text = re.sub(r"=/\S*/callvault ", f"={folder}/bin/callvault ", file.read())
        with open(f"{folder}/units/{os.path.basename(name)}", "w", encoding="utf-8") as file:
            file.write(text)
    if tool is None:
        print("SKIPPED: no systemd-analyze to verify the units")
        return
    paths = [f"{folder}/units/{os.path.basename(n)}".replace("@.", "@call.") for n in names]
    for name in names:
        if "@." in name:
            shutil.copy(f"{folder}/units/{os.path.basename(name)}", f"{folder}/units/{os.path.basename(name).replace('@.', '@call.')}")
    done = subprocess.run([tool, "verify", "--man=no", *paths], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "callvault" in line]
    expect(done.returncode == 0 or not ours, f"systemd-analyze verify: {done.stderr}")
    expect(not ours, f"systemd-analyze verify: {ours}")


def serve(folder):
    """What callvault-keeper.socket and .service do, as far as it goes without systemd."""
    with open(folder + "/units/callvault-keeper.socket", encoding="utf-8") as file:
        unit = dict(re.findall(r"^(\w+)=(.*)$", file.read(), re.M))
    with open(folder + "/units/callvault-keeper.service", encoding="utf-8") as file:
        command = re.search(r"^ExecStart=(.*)$", file.read(), re.M).group(1).split()
    path = unit["ListenStream"]
    os.makedirs(os.path.dirname(path), mode=0o755)
    tool = shutil.which("systemd-socket-activate")
    if tool is None:
        os.chown(os.path.dirname(path), int(good("id -u callvault")), -1)
        command = ["setpriv", "--reuid=callvault", "--regid=callvault", "--init-groups", *command]
    else:
        command = [tool, "-l", path, "--setenv=PATH", "setpriv", "--reuid=callvault", "--regid=callvault", "--init-groups",
                   "--no-new-privs", "--bounding-set=-all", *command]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for _ in range(100):
        if os.path.exists(path):
            break
        time.sleep(0.05)
    good(f"chmod {unit['SocketMode']} {path}; chgrp {unit['SocketGroup']} {path}")
    return server


def follow(folder, binary):
    accounts, vault, people, _, work = recipe()
    units(binary, folder)
    good(accounts)
    good(vault.replace(" init ", " init --unsafe-keeper --unsafe-fast-passphrase "))
    good(people)
    with open(folder + "/call.pcm", "wb") as file:
        file.write(tone(2, 440))
    sealed = good(f"setpriv --reuid=callvault-recorder --regid=callvault-record --clear-groups callvault ingest "
                  f"--format s16le --direction in --caller 0722123456 --consent granted < {folder}/call.pcm").split()[0]
    before = sh("runuser -u chief -- callvault person list")
    expect(before.returncode == 23 and "Permission denied" in before.stderr, f"not separated before: {before}")
    server = serve(folder)
    try:
        # In the recipe the officer is asked for both passphrases.
        done = good(work.replace("--role reviewer", f"--role reviewer --new-passphrase-command 'cat {folder}/passphrase'"))
        expect(sealed[:10] in done and "may be recorded" in done, f"the recipe prints {done}")
        good(f"runuser -u ana -- callvault play {sealed} --purpose complaint > {folder}/heard.wav")
        expect(os.path.getsize(folder + "/heard.wav") == 44 + 2 * 2 * 8000, "not the whole call is played")
        for account in ("ana", "chief", "pbx", "callvault-recorder"):
            for path in ("/var/lib/callvault/keys/directory", "/var/lib/callvault.keeper/root", "/var/lib/callvault/people/ana",
                         "/var/lib/callvault/journal/entries", f"/var/lib/callvault/recordings/*/{sealed}*"):
                tried = sh(f"setpriv --reuid={account} --regid=callvault-users --init-groups cat {path}")
                expect(tried.returncode != 0, f"{account} reads {path}")
        expect(sh("runuser -u pbx -- callvault find --as ana").returncode == 23, "the telephone system finds calls")
        refused = sh("setpriv --reuid=callvault-recorder --regid=callvault-record --clear-groups callvault find")
        expect(refused.returncode == 23, f"a recorder finds calls: {refused}")
        doctor = sh("runuser -u callvault -- callvault doctor").stdout
        expect(re.search(r"ok +separation +separated", doctor), f"doctor says: {doctor}")
        journal = good("runuser -u chief -- callvault --json journal log")
        expect('"opened","actor":"ana"' in journal.replace(" ", ""), f"the opening is not journalled: {journal}")
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            raise Failed("the service does not stop") from None


def test(binary):
    if os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("useradd") is None:
        raise Skip("needs root, unshare and useradd")
    if os.environ.get("CALLVAULT_RECIPE_INSIDE") != "1":
        probe = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
        if probe.returncode != 0:
            raise Skip("no mount namespace to be had")
        folder = tempfile.mkdtemp(prefix="callvault-recipe-")
        try:
            done = subprocess.run(["unshare", "--mount", "--propagation", "private", sys.executable, "-B", __file__, binary],
                                  env={**os.environ, "CALLVAULT_RECIPE_INSIDE": "1", "CALLVAULT_RECIPE_FOLDER": folder},
                                  check=False)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        sys.exit(done.returncode)
    folder = os.environ["CALLVAULT_RECIPE_FOLDER"]
    stage(folder, binary)
    follow(folder, binary)


if __name__ == "__main__":
    main(test)
