"""What a user would pick instead: an encoder and a cipher, by pipe or by an encrypted folder."""
import os
import shutil
import subprocess
import time
from pathlib import Path

from harness.core import command
from harness.results import Failed

TICKS = os.sysconf("SC_CLK_TCK")


class AgeKey:
    def __init__(self, bench):
        self.file = bench.work / "age.key"
        if not self.file.exists():
            command("age-keygen", "-o", self.file)
        self.recipient = command("age-keygen", "-y", self.file).strip()


def ffmpeg_words(audio, bitrate, complexity):
    return f"ffmpeg -v error -i {audio} -c:a libopus -b:a {bitrate} -application voip -compression_level {complexity} -threads 1 -f opus"


def opusenc_words(audio, bitrate, complexity):
    return f"opusenc --quiet --bitrate {bitrate / 1000:g} --comp {complexity} --speech {audio}"


# {name: shell line that leaves sealed files, the last word of each `age` its path}; `bitrate` of one party.
def chains(bench, audio, bitrate, complexity, parties):
    out = [bench.work / f"peer{n}.age" for n in range(parties)]
    age = [f"age -r {AgeKey(bench).recipient} -o {path}" for path in out]
    lines = {"flac, age": f"flac --silent --stdout {audio} | {age[0]}"}
    if parties == 1:
        lines["ffmpeg, age"] = f"{ffmpeg_words(audio, bitrate, complexity)} - | {age[0]}"
        lines["opusenc, age"] = f"{opusenc_words(audio, bitrate, complexity)} - | {age[0]}"
        return lines, out
    # A track a party, as callvault makes them. ffmpeg writes the second one to its descriptor 3.
    split = f"ffmpeg -v error -i {audio} -filter_complex 'asplit[a][b];[a]pan=mono|c0=c0[l];[b]pan=mono|c0=c1[r]'"
    settings = ffmpeg_words("", bitrate, complexity).split("-i  ", 1)[1]
    lines["ffmpeg, age"] = f"{{ {{ {split} -map '[l]' {settings} pipe:1 -map '[r]' {settings} pipe:3 | {age[0]} >&2; }} 3>&1; }} | {age[1]}"
    lines["opusenc, age"] = " && ".join(f"sox {audio} -t wav - remix {n + 1} | {opusenc_words('-', bitrate, complexity)} - | {age[n]}" for n in (0, 1))
    return lines, out


class EncryptedFolder:
    """gocryptfs over a folder, its own CPU counted: user and system time of the process that serves it."""

    def __init__(self, bench):
        for needed in ("gocryptfs", "fusermount"):
            if not shutil.which(needed):
                raise Failed(f"{needed} is not installed")
        self.sealed, self.plain = bench.work / "gocryptfs.sealed", bench.work / "gocryptfs"
        self.sealed.mkdir()
        self.plain.mkdir()
        words = ["-q", "-extpass", f"cat {bench.passphrase}"]
        command("gocryptfs", "-init", "-scryptn", "10", *words, self.sealed)
        self.process = subprocess.Popen(["gocryptfs", "-fg", *words, str(self.sealed), str(self.plain)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(200):
            if os.path.ismount(self.plain):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.close()
        raise Failed("gocryptfs does not mount here")

    def cpu_ms(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / TICKS

    def close(self):
        subprocess.run(["fusermount", "-u", str(self.plain)], capture_output=True)
        self.process.terminate()
        self.process.wait()
