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


# {name: shell line that leaves a sealed file}; `bitrate` of all channels together.
def chains(bench, audio, bitrate, complexity):
    out = bench.work / "peer.age"
    age = f"age -r {AgeKey(bench).recipient} -o {out}"
    return {"ffmpeg, age": f"{ffmpeg_words(audio, bitrate, complexity)} - | {age}",
            "opusenc, age": f"{opusenc_words(audio, bitrate, complexity)} - | {age}",
            "flac, age": f"flac --silent --stdout {audio} | {age}"}, out


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
