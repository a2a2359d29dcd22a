"""Is what is cheaper also worse? The sealed audio, opened and decoded, against the others' at equal settings."""
from harness import audio
from harness.chains import ffmpeg_words, opusenc_words
from harness.core import command
from harness.results import number

TITLE = "Quality at equal settings"


def run(bench):
    rows, worst = [], {}
    seconds = 60 if not bench.options.quick else 15
    for rate in (8000, 16000):
        original = audio.voice(bench, rate, seconds)
        path = audio.write(bench.work / "call.wav", original, rate)
        for complexity in (0, 10):
            vault = bench.new_vault("quality")
            ident = bench.ingest(vault, path, "--complexity", str(complexity))["lines"][0]["id"]
            files = {n: bench.work / f"{n}.opus" for n in ("callvault", "ffmpeg", "opusenc")}
            bench.measure([bench.program, "play", ident, "--purpose", "service_quality", "--format", "opus", "-o", files["callvault"]], vault)
            command("sh", "-c", f"{ffmpeg_words(path, audio.BITRATE[rate], complexity)} -y {files['ffmpeg']}")
            command("sh", "-c", f"{opusenc_words(path, audio.BITRATE[rate], complexity)} {files['opusenc']}")
            bench.remove_vault(vault)
            found = {}
            for name, file in files.items():
                copy = audio.decode(bench, file, rate, name)[:, 0]
                found[name] = audio.compare(original.astype(float), copy, rate)
                file_bytes = file.stat().st_size
                rows.append((f"{rate // 1000} kHz", complexity, name, f"{found[name][0]:.2f}", f"{found[name][1]:.2f}", f"{file_bytes * 3600 / seconds / 1e6:.2f}",
                             f"{len(copy) / rate:.3f} s of {seconds}"))
                file.unlink()
            for peer in ("ffmpeg", "opusenc"):
                worst[peer] = min(worst.get(peer, 99), found["callvault"][1] - found[peer][1])
    bench.table("Decoded by opusdec and compared with the original, frames of 20 ms with speech: segmental SNR, and the same weighted by bands of the ear (fwSegSNR)",
                ("rate", "complexity", "", "segSNR, dB", "fwSegSNR, dB", "MB an hour, opened", "length"), rows)
    for peer, difference in worst.items():
        bench.figure(f"fwSegSNR minus that of {peer}, the least of all settings", difference, "dB", -0.1, at_least=True)
    bench.info("what it says", "a difference under 0.1 dB is none. callvault and ffmpeg ask libopus for its voice application, which takes off rumble by a filter that "
               "turns the phase of low tones: that holds the waveform's SNR at 8 to 9 dB, and says nothing of what is heard (ffmpeg with `-application audio` has "
               "22 to 24). opusenc has no such filter, and encodes 8 kHz as if it were wideband")
    bench.info("bytes", "callvault's file is longer because its pages are padded to 1,024")
