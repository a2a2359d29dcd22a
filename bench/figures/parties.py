"""Two people who take turns: what does the one who is silent cost?"""
from harness import audio
from harness.chains import ffmpeg_words, opusenc_words
from harness.core import median
from harness.results import number
from harness.setup import note

TITLE = "Two parties, one of them silent"


def run(bench):
    minutes = min(bench.options.minutes, 1)
    rows = []
    kinds = {"both lines quiet (zeros) between turns": ("zeros", (True, True)),
             "comfort noise (-66 dBFS) between turns": ("noise", (True, True)),
             "the agent never speaks: zeros": ("zeros", (True, False)),
             "nobody speaks: zeros": ("zeros", (False, False))}
    cost = {}
    for what, (silence, talking) in kinds.items():
        note(what)
        samples = audio.two_parties(bench, 8000, minutes * 60, silence, talking)
        path = audio.write(bench.work / "call.wav", samples, 8000)
        mono = audio.write(bench.work / "caller.wav", samples[:, 0], 8000)
        vault = bench.new_vault("parties")
        sizes = {}

        def ours():
            done = bench.ingest(vault, path, "--complexity", "10")
            sizes["callvault"] = done["lines"][-1]["bytes"]
            sizes["tracks"] = [t["bytes"] for t in done["lines"][-1]["tracks"]]
            return done["cpu_ms"]

        def peer(name, line):
            out = bench.work / "peer.opus"
            done = bench.measure(["sh", "-c", f"{line} {out}"], short=False)["cpu_ms"]
            sizes[name] = out.stat().st_size
            out.unlink()
            return done

        runs = bench.interleave({
            "callvault": ours,
            "one party alone": lambda: bench.ingest(vault, mono, "--complexity", "10", "--channels", "caller")["cpu_ms"],
            "bare libopus": lambda: bench.measure([bench.build / "bench/bare_opus", path, 8000, 2, 10, 16000, "every"], short=False)["cpu_ms"],
            "ffmpeg stereo": lambda: peer("ffmpeg stereo", ffmpeg_words(path, 32000, 10) + " -y"),
            "opusenc stereo": lambda: peer("opusenc stereo", opusenc_words(path, 32000, 10))})
        bench.remove_vault(vault)
        hour = {n: median(r) / 1000 * 60 / minutes for n, r in runs.items()}
        size = {n: s / 1e6 * 60 / minutes for n, s in sizes.items() if n != "tracks"}
        cost[what] = hour
        tracks = " + ".join(f"{t / 1e6 * 60 / minutes:.2f}" for t in sizes["tracks"])
        rows.append((what, f"{size['callvault']:.2f} ({tracks})", f"{size['ffmpeg stereo']:.2f}", f"{size['opusenc stereo']:.2f}", number(hour["callvault"]),
                     number(hour["bare libopus"]), number(hour["ffmpeg stereo"]), number(hour["opusenc stereo"])))
    bench.table("8 kHz, complexity 10, 16 kbit/s a party (stereo: 32 kbit/s); sealed files of callvault, open ones of the others",
                ("call", "callvault, MB an hour (tracks)", "ffmpeg stereo", "opusenc stereo", "callvault, CPU s an hour", "bare libopus", "ffmpeg stereo", "opusenc stereo"), rows)
    speech, silent = cost["both lines quiet (zeros) between turns"], cost["nobody speaks: zeros"]
    bench.figure("CPU of a call in which nobody speaks / of one in which somebody always does", silent["callvault"] / speech["callvault"], "x", 0.1)
    bench.figure("CPU of two parties in turns / bare libopus on both", speech["callvault"] / speech["bare libopus"], "x", 0.75)
    bench.info("bytes", "a silent party is one sealed chunk a second, 3.7 MB an hour: no page holds more than a second of audio, so that a power cut takes no more "
               "(decision 111)")
    long_lines(bench)


# Long enough that starting and closing weigh nothing: one line on which somebody speaks, one on which nobody does.
def long_lines(bench):
    minutes = bench.options.minutes
    voice = audio.voice(bench, 8000, minutes * 60)
    paths = {"speech": audio.write(bench.work / "speech.wav", voice, 8000), "silence": audio.write(bench.work / "silence.wav", voice * 0, 8000)}
    vault = bench.new_vault("parties")
    steps = {(what, complexity): lambda path=path, complexity=complexity: bench.ingest(vault, path, "--complexity", str(complexity), "--channels", "caller")["cpu_ms"]
             for what, path in paths.items() for complexity in (0, 5, 10)}
    hour = {n: median(r) / 1000 * 60 / minutes for n, r in bench.interleave(steps, rounds=3).items()}
    bench.remove_vault(vault)
    bench.table(f"One line of {minutes:g} min, 8 kHz: CPU seconds an hour", ("complexity", "somebody speaks", "nobody speaks", "ratio"),
                [(c, number(hour["speech", c]), number(hour["silence", c]), f"{hour['silence', c] / hour['speech', c]:.3f}") for c in (0, 5, 10)])
    bench.figure(f"CPU of a silent line of {minutes:g} min / of one with speech, complexity 5", hour["silence", 5] / hour["speech", 5], "x", 0.1)
