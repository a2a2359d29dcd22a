"""CPU that a second of speech costs, sealed, against libopus alone and against what a user would pick instead."""
from harness import audio
from harness.chains import EncryptedFolder, chains, ffmpeg_words
from harness.core import median
from harness.results import Failed, number
from harness.setup import note

TITLE = "Ingest: CPU per hour of speech"
COMPLEXITIES = (0, 5, 10)


def run(bench):
    o = bench.options
    minutes = min(o.minutes, 1)
    rows, curve = [], {}
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
    finally:
        if folder:
            folder.close()
    bench.table("CPU seconds per hour of call (user and system, every process of the chain, median; in brackets: callvault needs this part of it)",
                ("rate", "parties", "complexity", "callvault", "bare libopus", "ffmpeg, age", "opusenc, age", "ffmpeg, gocryptfs",
                 "flac, age"), rows)
    long_one(bench)


def per_hour(ms, minutes):
    return ms / 1000 * 60 / minutes


def one(bench, rate, parties, complexity, minutes, folder, rows):
    note(f"{rate} Hz, {parties} parties, complexity {complexity}")
    samples = audio.voice(bench, rate, minutes * 60) if parties == 1 else audio.two_parties(bench, rate, minutes * 60)
    path = audio.write(bench.work / "call.wav", samples, rate)
    bitrate = audio.BITRATE[rate] * parties
    vault = bench.new_vault("ingest")
    lines, sealed = chains(bench, path, bitrate, complexity)
    steps = {"ours": lambda: bench.ingest(vault, path, "--complexity", str(complexity))["cpu_ms"],
             "bare": lambda: bench.measure([bench.build / "bench/bare_opus", path, rate, parties, complexity, audio.BITRATE[rate]], short=False)["cpu_ms"]}

    def chain(line):
        sealed.unlink(missing_ok=True)
        return bench.measure(["sh", "-c", line], short=False)["cpu_ms"]

    def in_folder():
        before = folder.cpu_ms()
        line = f"{ffmpeg_words(path, bitrate, complexity)} -y {folder.plain}/call.opus && sync -f {folder.plain}/call.opus"
        return bench.measure(["sh", "-c", line], short=False)["cpu_ms"] + folder.cpu_ms() - before

    steps |= {name: lambda line=line: chain(line) for name, line in lines.items()}
    if folder:
        steps["gocryptfs"] = in_folder
    taken = {name: per_hour(median(runs), minutes) for name, runs in bench.interleave(steps).items()}
    bench.remove_vault(vault)
    ours = taken["ours"]
    shown = [taken.get(n) for n in ("bare", "ffmpeg, age", "opusenc, age", "gocryptfs", "flac, age")]
    rows.append([f"{rate // 1000} kHz", parties, complexity, number(ours)] + [f"{number(v)} ({ours / v:.2f})" if v else "-" for v in shown])
    if complexity == 10:
        label = f"{rate // 1000} kHz, {'two parties' if parties == 2 else 'mono'}, complexity 10"
        bench.figure(f"CPU of ffmpeg, age / ingest, {label}", taken["ffmpeg, age"] / ours, "x", 1.2, at_least=True)
        bench.figure(f"CPU of opusenc, age / ingest, {label}", taken["opusenc, age"] / ours, "x", 2.7, at_least=True)


# Long enough that starting and closing weigh nothing. Speech without pauses: what callvault saves in silence is no part.
def long_one(bench):
    o = bench.options
    samples = audio.voice(bench, 8000, o.minutes * 60)
    path = audio.write(bench.work / "long.wav", samples, 8000)
    vault = bench.new_vault("ingest")
    runs = bench.interleave({"ours": lambda: bench.ingest(vault, path, "--complexity", "10")["cpu_ms"],
                             "bare": lambda: bench.measure([bench.build / "bench/bare_opus", path, 8000, 1, 10, 16000], short=False)["cpu_ms"]})
    bench.remove_vault(vault)
    ratios = [a / b for a, b in zip(runs["ours"], runs["bare"])]
    bench.figure(f"ingest of {o.minutes:g} min, 8 kHz mono, complexity 10: CPU / bare libopus", median(runs["ours"]) / median(runs["bare"]), "x", 1.03)
    bench.info("of each round", " ".join(f"{r:.3f}" for r in ratios))
    bench.info("speed", f"{o.minutes * 60e3 / median(runs['ours']):.0f} times real time, bare libopus {o.minutes * 60e3 / median(runs['bare']):.0f} ({bench.origin})")
    bench.info("the chains", "`ffmpeg -c:a libopus -b:a B -application voip -compression_level C -f opus - | age -r KEY -o FILE`, `opusenc --bitrate B "
               "--comp C --speech FILE - | age`, `flac --stdout FILE | age`, ffmpeg into a folder of gocryptfs. Two parties: two tracks of callvault, "
               "stereo of the others, at the same bits in all. bare_opus: one encoder a party, its packets thrown away")
