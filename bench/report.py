#!/usr/bin/env python3
"""Runs the benchmarks of a build, merges what they print into bench-report.json, draws
bench-report.html and prints a short table. tools/bench builds and then runs this.

docs/BENCHMARK.md documents every key.
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import report_machine
import report_page

SCHEMA_VERSION = 2
PROJECT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM_SECONDS_MAX = 900


class ReportError(Exception):
    """What a person is told in one sentence."""


def as_printed(result):
    return result


def ring_rows(result):
    """Google Benchmark's repetitions as rows: our ring and its baseline."""
    times = {}
    for run in result["benchmarks"]:
        if run["run_type"] == "iteration":
            times.setdefault(run["run_name"].split("/")[0], []).append(run["real_time"])
    rows = []
    for name, op in (("RoundTrip", "round_trip"), ("Stream", "stream")):
        ours, theirs = times[f"{name}<OurRing>"], times[f"{name}<BoostRing>"]
        rows.append({
            "op": op, "repetitions": len(ours),
            "ns": statistics.median(ours), "ns_low": min(ours), "ns_high": max(ours),
            "baseline": "boost::lockfree::spsc_queue",
            "baseline_ns": statistics.median(theirs),
            "baseline_ns_low": min(theirs), "baseline_ns_high": max(theirs),
            "speedup": statistics.median(theirs) / statistics.median(ours),
        })
    return {"ring": rows}


# What is run, in this order: program, flags by mode, what becomes of its JSON. Each program
# measures its floor or its baseline in turn with its subject, in rounds of its own.
GOOGLE = ["--benchmark_format=json", "--benchmark_enable_random_interleaving=true"]
PROGRAMS = [
    ("round_trip", {
        "smoke": ["--json", "--rounds", "5", "--count", "1000", "--jitter-ms", "10"],
        "quick": ["--json", "--rounds", "101", "--count", "20000", "--jitter-ms", "50"],
        "full": ["--json", "--rounds", "301", "--count", "50000", "--jitter-ms", "50"],
    }, as_printed),
    ("clients", {
        "smoke": ["--json", "--rounds", "5", "--count", "1000"],
        "quick": ["--json", "--rounds", "61", "--count", "5000"],
        "full": ["--json", "--rounds", "201", "--count", "10000"],
    }, as_printed),
    ("throughput", {
        "smoke": ["--json", "--rounds", "5", "--orders", "1000"],
        "quick": ["--json", "--rounds", "61", "--orders", "10000"],
        "full": ["--json", "--rounds", "301", "--orders", "10000"],
    }, as_printed),
    ("ring_benchmark", {
        "smoke": GOOGLE + ["--benchmark_repetitions=5", "--benchmark_min_time=0.001"],
        "quick": GOOGLE + ["--benchmark_repetitions=9", "--benchmark_min_time=0.05"],
        "full": GOOGLE + ["--benchmark_repetitions=21", "--benchmark_min_time=0.2"],
    }, ring_rows),
    ("watch_cost", {
        "smoke": ["--json", "--pairs", "5", "--count", "1000"],
        "quick": ["--json", "--pairs", "15", "--count", "20000"],
        "full": ["--json", "--pairs", "51", "--count", "20000"],
    }, lambda result: {"watching": result}),
    ("core_rows", {
        "smoke": ["--json", "--rounds", "5"],
        "quick": ["--json", "--rounds", "9"],
        "full": ["--json", "--rounds", "9", "--large"],
    }, as_printed),
    ("workload_cost", {
        "smoke": ["--json", "--rounds", "5", "--orders", "2000"],
        "quick": ["--json"],
        "full": ["--json"],
    }, as_printed),
]


def run_program(programs, name, flags):
    """The JSON that a program prints, and the seconds that it took."""
    begin = time.monotonic()
    try:
        done = subprocess.run([programs / name, *flags], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False,
                              timeout=PROGRAM_SECONDS_MAX)
    except OSError as error:
        raise ReportError(f"{name} could not be run: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise ReportError(f"{name} did not end within {PROGRAM_SECONDS_MAX} seconds") from error
    if done.returncode != 0:
        reason = done.stderr.strip().split("\n")[-1]
        raise ReportError(f"{name} ended with status {done.returncode}: {reason}")
    try:
        return json.loads(done.stdout), time.monotonic() - begin
    except ValueError as error:
        raise ReportError(f"{name} did not print one JSON object: {error}") from error


def measure(build, mode):
    """The whole report."""
    if len(os.sched_getaffinity(0)) < 2:
        raise ReportError("two processors are needed: engine and client each spin on their own")
    began = time.monotonic()
    run = {
        "mode": mode,
        "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "programs": [],
    }
    report = {
        "schema_version": SCHEMA_VERSION,
        "run": run,
        "machine": report_machine.machine(),
        "build": report_machine.build_facts(PROJECT, build),
    }
    for name, flags, rows_of in PROGRAMS:
        print(f"Measuring: {name}", flush=True)
        result, seconds = run_program(build / "bin", name, flags[mode])
        run["programs"].append({"name": name, "flags": " ".join(flags[mode]), "seconds": seconds})
        report.update(rows_of(result))
    run["seconds"] = time.monotonic() - began
    return report


def print_summary(report):
    floor, jitter, rt = report["floor"], report["floor"]["jitter"], report["rtt"]
    machine, build, pinning = report["machine"], report["build"], report["pinning"]
    huge = machine["huge_pages"]
    print(f"""
machine    {machine['cpu']}, {machine['processors']} processors\
{', virtual' if machine['virtual'] else ''}; {machine['system']}, Linux {machine['kernel']}
settings   engine on cpu {pinning['engine_cpu']}, client on cpu {pinning['client_cpu']}, \
idle mode {pinning['idle']}; governor {machine['governor']}
           huge pages: transparent {huge['transparent']}, shared memory {huge['shared_memory']}, \
reserved {huge['reserved']}; timer: {machine['timer_source']}
build      {build['compiler']}; {build['flags']}
commit     {build['commit']}{', modified' if build['modified'] else ''}; \
{rt['rounds']} rounds of {rt['round_trips_a_round']} round trips, \
{rt['rounds_discarded']} more discarded because the floor moved

floor      p50 {floor['rtt_p50_ns']:.0f} ns ({floor['rtt_p50_ns_low']:.0f} to \
{floor['rtt_p50_ns_high']:.0f}), p99 {floor['rtt_p99_ns']:.0f} ns; a timer reading \
{floor['timer_ns']:.0f} ns
jitter     {jitter['gaps_per_second']:.0f} gaps above 1 microsecond a second, \
{100 * jitter['lost_share']:.2f} % of the time, at most {jitter['largest_ns'] / 1e6:.2f} ms
""")
    head = f"{'mode':<11}{'':<16}{'p50':>8}{'p90':>8}{'p99':>8}{'p99.9':>9} ns"
    print(head + "   p50 / floor (range)")
    for mode, kind, row in report_page.round_trips(report):
        print(f"{mode:<11}{kind:<16}{row['p50_ns']:8.0f}{row['p90_ns']:8.0f}"
              f"{row['p99_ns']:8.0f}{row['p999_ns']:9.0f}      {row['ratio_p50']:.2f} "
              f"({row['ratio_p50_low']:.2f} to {row['ratio_p50_high']:.2f})")
    print()
    for mode in report_page.MODES:
        for who, did in rt[mode]["window"].items():
            print(f"{mode:<11}{who:<8}{did['voluntary_switches']} voluntary and "
                  f"{did['involuntary_switches']} involuntary context switches, "
                  f"{did['minor_faults']} minor and {did['major_faults']} major page faults")
    print(f"\n{'clients':<11}{'p50':>8} ns   p50 / floor (range)")
    for row in report["clients"]:
        print(f"{row['n']:<11}{row['p50_ns']:8.0f}      {row['ratio_p50']:.2f} "
              f"({row['ratio_p50_low']:.2f} to {row['ratio_p50_high']:.2f}); all of them active: "
              f"{row['active_ratio_p50']:.2f}")
    throughput = report["throughput"]
    for name, row in (("none", throughput), ("async", throughput["async"])):
        print(f"\n{name:<11}{row['cancels_per_second'] / 1e6:.2f} million cancels a second "
              f"({row['cancels_per_second_low'] / 1e6:.2f} to "
              f"{row['cancels_per_second_high'] / 1e6:.2f}), one client; the {row['limited_by']} "
              "limits", end="")
    print()
    if report["core"]:
        print(f"\n{'operation':<16}{'live orders':>12}{'ns':>8}{'bound':>8}{'baseline':>10}  "
              "speedup")
    for row in report["core"]:
        print(f"{row['op']:<16}{row['live_orders']:>12,}{row['ns_per_op']:8.0f}"
              f"{row['bound_ns']:8.0f}{row['baseline_ns']:10.0f}  {row['speedup']:.1f} "
              f"({row['speedup_low']:.1f} to {row['speedup_high']:.1f})")
    if report["workload"]:
        print(f"\n{'workload':<16}{'core ns':>10}{'baseline':>10}{'in all':>8}  speedup")
    for row in report["workload"]:
        print(f"{row['scenario']:<16}{row['core_ns_per_message']:10.0f}"
              f"{row['baseline_ns_per_message']:10.0f}{row['total_ns_per_message']:8.0f}  "
              f"{row['core_speedup']:.1f} ({row['core_speedup_low']:.1f} to "
              f"{row['core_speedup_high']:.1f})")
    watching = report["watching"]
    print(f"\nwatched ({watching['looks_per_second']:.0f} looks a second) / unwatched round trip: "
          f"{watching['ratio']:.3f} ({watching['ratio_low']:.3f} to {watching['ratio_high']:.3f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    modes = parser.add_mutually_exclusive_group(required=True)
    for mode in ("smoke", "quick", "full"):
        modes.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="the build's folder")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="where the report goes")
    arguments = parser.parse_args()
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        report = measure(arguments.build, arguments.mode)
        as_json = arguments.out / "bench-report.json"
        as_page = arguments.out / "bench-report.html"
        as_json.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        as_page.write_text(report_page.page(report), encoding="utf-8")
    except (OSError, ReportError) as error:
        print(f"tools/bench: {error}", file=sys.stderr)
        return 1
    print_summary(report)
    if arguments.mode == "smoke":
        print("\nThis was a smoke run: its figures mean nothing.")
    print(f"\n{as_json.resolve()}\n{as_page.resolve()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
