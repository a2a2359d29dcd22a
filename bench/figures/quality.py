"""Is what is cheaper also worse? The sealed audio, opened and decoded, against the others' at equal settings."""
from harness import audio
from harness.chains import ffmpeg_words, opusenc_words
from harness.core import command
from harness.results import number

TITLE = "Quality at equal settings"


SECONDS = 60
PEERS = {"ffmpeg": (ffmpeg_words, "-y "), "opusenc": (opusenc_words, "")}


def run(bench):
    seconds = SECONDS if not bench.options.quick else 15
    rows, worst = [], {}
    for rate in (8000, 16000):
        for complexity in (0, 5, 10):
            mono(bench, rate, complexity, seconds, rows, worst)
    bench.table("One voice. Decoded by opusdec and compared with the original, frames of 20 ms with speech: segmental SNR, and the same weighted by bands of the ear (fwSegSNR)",
                ("rate", "complexity", "", "mode", "kbit/s", "segSNR, dB", "fwSegSNR, dB", "MB an hour, opened", "length", "samples late"), rows)
    rows = []
    for rate in (8000, 16000):
        two(bench, rate, seconds, rows)
    bench.table("Two parties in turns, complexity 10: the caller's channel in the turns in which the caller speaks", ("rate", "", "mode", "segSNR, dB", "fwSegSNR, dB", "MB an hour, opened"), rows)
    for peer, difference in worst.items():
        bench.figure(f"fwSegSNR minus that of {peer}, the least of all settings", difference, "dB", -0.1, at_least=True)
    bench.info("what it says", "a difference under 0.1 dB is none. callvault and opusenc tell libopus that the signal is voice, and leave it whole; ffmpeg asks for its voice "
               "application, which takes off rumble by a filter that turns the phase of low tones: that holds the waveform's SNR at 8 to 9 dB, whatever is heard. opusenc encodes "
               "8 kHz as if it were wideband, at the same bits")
    bench.info("samples late", "by cross-correlation over the first 10 s; what is left, a part of a sample by the resamplers of libopus and opusdec, is taken out before the comparison")
    bench.info("bytes", "callvault's file is longer because its pages are padded to 1,024")


def mono(bench, rate, complexity, seconds, rows, worst):
    original = audio.voice(bench, rate, seconds)
    path = audio.write(bench.work / "call.wav", original, rate)
    vault = bench.new_vault("quality")
    ident = bench.ingest(vault, path, "--complexity", str(complexity))["lines"][0]["id"]
    files = {"callvault": bench.opened(vault, ident, bench.work / "callvault.opus")}
    bench.remove_vault(vault)
    for peer, (words, over) in PEERS.items():
        files[peer] = bench.work / f"{peer}.opus"
        command("sh", "-c", f"{words(path, audio.BITRATE[rate], complexity)} {over}{files[peer]}")
    found = {}
    for name, file in files.items():
        copy = audio.decode(bench, file, rate, name)[:, 0]
        found[name] = audio.compare(original.astype(float), copy, rate)
        mode, spent = audio.mode(file)
        rows.append((f"{rate // 1000} kHz", complexity, name, mode, f"{spent:.1f}", f"{found[name][0]:.2f}", f"{found[name][1]:.2f}",
                     f"{file.stat().st_size * 3600 / seconds / 1e6:.2f}", f"{len(copy) / rate:.3f} s of {seconds}", found[name][2]))
        file.unlink()
    for peer in PEERS:
        worst[peer] = min(worst.get(peer, 99), found["callvault"][1] - found[peer][1])


def two(bench, rate, seconds, rows):
    samples = audio.two_parties(bench, rate, seconds)
    path = audio.write(bench.work / "call.wav", samples, rate)
    bitrate = audio.BITRATE[rate]

    def row(name, files, copy):
        mode, _ = audio.mode(files[0])
        segmental, weighted, _ = audio.compare(samples[:, 0].astype(float), copy, rate)
        size = sum(file.stat().st_size for file in files) * 3600 / seconds / 1e6
        rows.append((f"{rate // 1000} kHz", name, mode, f"{segmental:.2f}", f"{weighted:.2f}", f"{size:.2f}"))

    vault = bench.new_vault("quality")
    ident = bench.ingest(vault, path, "--complexity", "10")["lines"][0]["id"]
    files = [bench.opened(vault, ident, bench.work / f"{track}.opus", "--track", track) for track in ("caller", "agent")]
    bench.remove_vault(vault)
    row("callvault, two tracks, B each", files, audio.decode(bench, files[0], rate, "callvault")[:, 0])
    out = bench.work / "stereo.opus"
    for peer, (words, over) in PEERS.items():
        for times in (2, 1):
            command("sh", "-c", f"{words(path, bitrate * times, 10)} {over}{out}")
            row(f"{peer}, stereo, {'2 B' if times == 2 else 'B'}", [out], audio.decode(bench, out, rate, "stereo")[:, 0])
            out.unlink()
