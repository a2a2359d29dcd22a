"""CPU that a second of speech costs, sealed, against libopus alone and against what a user would pick instead."""
from harness import audio
from harness.chains import AgeKey, EncryptedFolder, chains, ffmpeg_words, opusenc_words
from harness.core import command, median
from harness.results import Failed, number
from harness.setup import note

TITLE = "Ingest: CPU per hour of speech"
COMPLEXITIES = (0, 5, 10)
TARGETS = {"ffmpeg, age": 1.2, "opusenc, age": 2.7}


def run(bench):
    o = bench.options
    minutes = min(o.minutes, 1)
    rows, stereo_rows = [], []
    folder = None
    try:
        folder = EncryptedFolder(bench)
    except Failed as why:
        bench.info("gocryptfs was left out", str(why))
    try:
        for rate in (8000, 16000):
            for parties in (1, 2):
                for complexity in COMPLEXITIES:
                    one(bench, rate, parties, complexity, minutes, folder, rows)
            stereo(bench, rate, minutes, stereo_rows)
    finally:
        if folder:
            folder.close()
    bench.table("CPU seconds per hour of call (user and system, every process of the chain, median; in brackets: callvault needs this part of it)",
                ("rate", "parties", "complexity", "callvault", "bare libopus, same frames", "ffmpeg, age", "opusenc, age", "ffmpeg, gocryptfs (stereo)",
                 "flac, age (stereo)"), rows)
    bench.table("Two parties, complexity 10: what libopus makes of them as one stereo file. B: 16 kbit/s at 8 kHz, 24 at 16 kHz. Alone: libopus by itself on the frames that the chain gives it",
                ("rate", "chain", "asked for", "mode", "kbit/s spent", "CPU s an hour", "alone", "chain / alone"), stereo_rows)
    bench.info("equal settings", "for each track the same bits a second, complexity, frames of 20 ms, VBR, and the voice setting of each program: libopus then runs in the same mode, "
               "SILK, in all of them. Two parties are two tracks, of callvault and of the chains. As one stereo file with 2 B libopus takes another mode at 16 kHz, CELT, which "
               "costs a quarter, and spends the bits of both on the one who speaks: see the second table, and the quality of both below. At 8 kHz it stays with SILK")
    bench.info("limit", "libopus alone with callvault's settings on the frames that callvault encodes: no program that calls it can be further from a chain than that. "
               "At 8 kHz opusenc is far, since it encodes wideband whatever comes in; at 16 kHz it does the same work as callvault")
    long_one(bench)


def per_hour(ms, minutes):
    return ms / 1000 * 60 / minutes


def bare(bench, path, rate, channels, complexity, bitrate, *words):
    return bench.measure([bench.build / "bench/bare_opus", path, rate, channels, complexity, bitrate, *words], short=False)["cpu_ms"]


def label_of(rate, parties):
    return f"{rate // 1000} kHz, {'two parties' if parties == 2 else 'mono'}, complexity 10"


def one(bench, rate, parties, complexity, minutes, folder, rows):
    note(f"{rate} Hz, {parties} parties, complexity {complexity}")
    samples = audio.voice(bench, rate, minutes * 60) if parties == 1 else audio.two_parties(bench, rate, minutes * 60)
    path = audio.write(bench.work / "call.wav", samples, rate)
    bitrate = audio.BITRATE[rate]
    vault = bench.new_vault("ingest")
    lines, sealed = chains(bench, path, bitrate, complexity, parties)

    def chain(line):
        for file in sealed:
            file.unlink(missing_ok=True)
        taken = bench.measure(["sh", "-c", line], short=False)["cpu_ms"]
        # A pipeline's exit code is its last command's.
        if any(file.exists() and file.stat().st_size < 2000 for file in sealed):
            raise Failed(f"it sealed nothing: {line}")
        return taken

    def in_folder():
        before = folder.cpu_ms()
        line = f"{ffmpeg_words(path, bitrate * parties, complexity)} -y {folder.plain}/call.opus && sync -f {folder.plain}/call.opus"
        return bench.measure(["sh", "-c", line], short=False)["cpu_ms"] + folder.cpu_ms() - before

    steps = {"ours": lambda: bench.ingest(vault, path, "--complexity", str(complexity))["cpu_ms"],
             "bare": lambda: bare(bench, path, rate, parties, complexity, bitrate)}
    steps |= {name: lambda line=line: chain(line) for name, line in lines.items()}
    if folder:
        steps["gocryptfs"] = in_folder
    taken = {name: per_hour(median(runs), minutes) for name, runs in bench.interleave(steps).items()}
    bench.remove_vault(vault)
    ours = taken["ours"]
    shown = [taken.get(n) for n in ("bare", "ffmpeg, age", "opusenc, age", "gocryptfs", "flac, age")]
    rows.append([f"{rate // 1000} kHz", parties, complexity, number(ours)] + [f"{number(v)} ({ours / v:.2f})" if v else "-" for v in shown])
    if complexity == 10:
        for name, target in TARGETS.items():
            bench.figure(f"CPU of {name} / ingest, {label_of(rate, parties)}", taken[name] / ours, "x", target, at_least=True, limit=taken[name] / taken["bare"])


# Two parties as one stereo file: at the bits of both tracks, and at those of one, which is what callvault spends on two
# who take turns.
def stereo(bench, rate, minutes, rows):
    note(f"{rate} Hz, stereo files")
    samples = audio.two_parties(bench, rate, minutes * 60)
    path = audio.write(bench.work / "call.wav", samples, rate)
    full = bench.work / "call-48000.wav"
    command("sox", path, "-r", "48000", full)
    bitrate = audio.BITRATE[rate]
    out, age = bench.work / "peer.opus", f"age -r {AgeKey(bench).recipient} -o {bench.work / 'peer.age'}"
    vault = bench.new_vault("ingest")
    steps = {"ours": lambda: bench.ingest(vault, path, "--complexity", "10")["cpu_ms"], "bare": lambda: bare(bench, path, rate, 2, 10, bitrate)}
    modes = {}
    for times in (2, 1):
        words = {"ffmpeg": ffmpeg_words(path, bitrate * times, 10), "opusenc": opusenc_words(path, bitrate * times, 10)}
        frames = {"ffmpeg": (path, rate, ("joint", "voip")), "opusenc": (full, 48000, ("joint",))}
        for name, line in words.items():
            command("sh", "-c", f"{line} {'-y ' if name == 'ffmpeg' else ''}{out}")
            modes[name, times] = audio.mode(out)

            def sealed(line=line):
                (bench.work / "peer.age").unlink(missing_ok=True)
                return bench.measure(["sh", "-c", f"{line} - | {age}"], short=False)["cpu_ms"]

            def alone(frames=frames[name], times=times):
                return bare(bench, frames[0], frames[1], 2, 10, bitrate * times, *frames[2])

            steps |= {(name, times): sealed, (name, times, "alone"): alone}
    taken = {name: per_hour(median(runs), minutes) for name, runs in bench.interleave(steps).items()}
    ident = bench.ingest(vault, path, "--complexity", "10")["lines"][0]["id"]
    tracks = [audio.mode(bench.opened(vault, ident, out, "--track", track)) for track in ("caller", "agent")]
    bench.remove_vault(vault)
    khz = f"{rate // 1000} kHz"
    # Of callvault's packets the padding of pages is a part, in silence nearly all.
    rows.append((khz, "callvault", "two tracks, B each", tracks[0][0], f"{sum(t[1] for t in tracks):.1f}, padded", number(taken["ours"]), number(taken["bare"]), f"{taken['ours'] / taken['bare']:.2f}"))
    for (name, times), (mode, spent) in modes.items():
        chain, alone = taken[name, times], taken[name, times, "alone"]
        rows.append((khz, f"{name} stereo, age", "2 B" if times == 2 else "B", mode, f"{spent:.1f}", number(chain), number(alone), f"{chain / alone:.2f}"))
        if times == 2:
            bench.figure(f"CPU of {name} as one stereo file, age / ingest, {label_of(rate, 2)}", chain / taken["ours"], "x", TARGETS[f"{name}, age"],
                         at_least=True, limit=chain / taken["bare"])


# Long enough that starting and closing weigh nothing.
def long_one(bench):
    o = bench.options
    samples = audio.voice(bench, 8000, o.minutes * 60)
    path = audio.write(bench.work / "long.wav", samples, 8000)
    vault = bench.new_vault("ingest")
    runs = bench.interleave({"ours": lambda: bench.ingest(vault, path, "--complexity", "10")["cpu_ms"],
                             "bare": lambda: bare(bench, path, 8000, 1, 10, 16000)})
    bench.remove_vault(vault)
    ratios = [a / b for a, b in zip(runs["ours"], runs["bare"])]
    bench.figure(f"ingest of {o.minutes:g} min, 8 kHz mono, complexity 10: CPU / bare libopus", median(runs["ours"]) / median(runs["bare"]), "x", 1.03)
    bench.info("of each round", " ".join(f"{r:.3f}" for r in ratios))
    bench.info("speed", f"{o.minutes * 60e3 / median(runs['ours']):.0f} times real time, bare libopus {o.minutes * 60e3 / median(runs['bare']):.0f} ({bench.origin})")
    bench.info("the chains", "`ffmpeg -c:a libopus -b:a B -application voip -compression_level C -f opus - | age -r KEY -o FILE`, `opusenc --bitrate B "
               "--comp C --speech FILE - | age`, `flac --stdout FILE | age`, ffmpeg into a folder of gocryptfs. Two parties, two tracks: ffmpeg's pan into two "
               "encoders, sox' remix into two of opusenc")
