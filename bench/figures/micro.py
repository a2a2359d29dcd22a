"""The parts, alone, by Google Benchmark."""
import json

from harness.core import command
from harness.results import number

TITLE = "The parts alone (Google Benchmark)"


def run(bench):
    rows, taken = [], {}
    for program in sorted(bench.build.glob("bench/micro_*")):
        least = "0.01" if bench.options.quick else "0.1"
        found = json.loads(command(*bench.ahead, program, "--benchmark_format=json", f"--benchmark_repetitions={bench.options.rounds}",
                                   f"--benchmark_min_time={least}", "--benchmark_report_aggregates_only=true"))
        for b in found["benchmarks"]:
            if b.get("aggregate_name") != "median":
                continue
            name = b["run_name"]
            taken[name] = b["cpu_time"]
            speed = f"{b['bytes_per_second'] / 1e6:.0f} MB/s" if "bytes_per_second" in b else ""
            rows.append((program.name.replace("micro_", ""), f"`{name}`", f"{number(b['cpu_time'])} {b['time_unit']}", speed))
    bench.table(f"CPU time, median of {bench.options.rounds}", ("layer", "what", "each", ""), rows)
    if "open_chunk" in taken:
        bench.figure("a chunk opened, libsodium alone / callvault", taken["raw_open_chunk"] / taken["open_chunk"], "x", 0.95, at_least=True)
