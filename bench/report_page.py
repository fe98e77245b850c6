"""The report as one HTML page that loads nothing."""

import html

from report_chart import (Axis, Series, chart, each_axis, linear_axis, log_axis, nines, short)

KINDS = (("cancel_receipt", "cancel receipt"), ("cancel_outcome", "cancel outcome"),
         ("send_receipt", "send receipt"))
# The engine without and with a journal; and without, with replies in place.
MODES = ("none", "async", "in_place")
COLOURS = 6

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2430; --soft: #5a6675;
  --line: #d9dee5; --card: #f5f7fa; --floor: #6b7684; --c0: #1f5fbf; --c1: #b8500f; --c2: #1b7a43;
  --c3: #8a3fa8; --c4: #a3264d; --c5: #0e7886; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181e; --ink: #e4e8ee; --soft: #9da8b6;
  --line: #333c47; --card: #1c222a; --floor: #98a3b1; --c0: #74a9ff; --c1: #f59b5c; --c2: #63cf90;
  --c3: #cf95ea; --c4: #f08aa6; --c5: #5ccbd9; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 64rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem; }
p { margin: .25rem 0 .75rem; max-width: 46rem; } .soft { color: var(--soft); }
.warning { border-left: 4px solid var(--c1); padding: .25rem .75rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.4rem, 1fr));
  gap: .75rem; margin: 1.25rem 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: .75rem 1rem; }
.tile b { display: block; font-size: 1.55rem; line-height: 1.3; } .tile span { display: block; }
.tile .soft { font-size: .85rem; }
figure { margin: .75rem 0; overflow-x: auto; } figure > svg { width: 100%; min-width: 32rem; }
.legend { list-style: none; margin: 0 0 .25rem; padding: 0; display: flex; flex-wrap: wrap;
  gap: .2rem 1.25rem; font-size: .9rem; }
.legend svg { width: 28px; height: 8px; margin-right: .4rem; vertical-align: middle; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .75rem .3rem 0; text-align: right; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th { font-weight: 600; color: var(--soft); } th:first-child, td:first-child { text-align: left; }
.two td:nth-child(2) { text-align: left; }
table.facts td { text-align: left; white-space: normal; }
svg text { fill: var(--soft); font-size: 12px; }
svg text.label { fill: var(--ink); font-size: 13px; }
.grid { stroke: var(--line); stroke-width: 1; fill: none; }
.axis { stroke: var(--soft); stroke-width: 1; fill: none; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.dashed { stroke-dasharray: 6 4; }
.band { stroke: none; opacity: .13; } .reach { fill: transparent; }
""" + "".join(
    f".line.{name} {{ stroke: var(--{name}); }} "
    f".dot.{name}, .band.{name} {{ fill: var(--{name}); }}\n"
    for name in ("floor", *(f"c{i}" for i in range(COLOURS))))


def round_trips(report):
    """(mode, kind in words, row) of each measured round trip."""
    return [(mode, words, report["rtt"][mode][key])
            for mode in MODES for key, words in KINDS]


def table(head, rows, style=""):
    cells = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
                   for row in rows)
    head_row = f"<tr>{cells}</tr>" if head else ""
    return f'<div class="scroll"><table class="{style}">{head_row}{body}</table></div>'


def with_range(row, key, digits=2):
    return (f"{row[key]:,.{digits}f} ({row[key + '_low']:,.{digits}f} to "
            f"{row[key + '_high']:,.{digits}f})")


def section(title, text, *parts):
    return f"<h2>{html.escape(title)}</h2><p>{html.escape(text)}</p>" + "".join(parts)


def tiles(report):
    floor, jitter, throughput = report["floor"], report["floor"]["jitter"], report["throughput"]
    cancel = report["rtt"]["none"]["cancel_receipt"]
    journal = report["rtt"]["async"]["cancel_receipt"]
    shown = (
        (f"{floor['rtt_p50_ns']:.0f} ns", "floor, p50", "one cache line there, one back"),
        (f"{cancel['ratio_p50']:.2f} ×", "the floor: cancel to receipt, p50",
         f"{cancel['p50_ns']:.0f} ns; rounds from {cancel['ratio_p50_low']:.2f} to "
         f"{cancel['ratio_p50_high']:.2f}"),
        (f"{journal['ratio_p50']:.2f} ×", "the floor: the same with a journal (async)",
         f"{journal['p50_ns']:.0f} ns; rounds from {journal['ratio_p50_low']:.2f} to "
         f"{journal['ratio_p50_high']:.2f}"),
        (f"{throughput['cancels_per_second'] / 1e6:.2f} M", "cancels a second, one client",
         f"the {throughput['limited_by']} limits"),
        (f"{jitter['gaps_per_second']:.0f} / s", "gaps of a spinning core above 1 µs",
         f"{100 * jitter['lost_share']:.2f} % of its time; largest "
         f"{jitter['largest_ns'] / 1e6:.2f} ms"))
    return '<div class="tiles">' + "".join(
        f'<div class="tile"><b>{html.escape(value)}</b><span>{html.escape(name)}</span>'
        f'<span class="soft">{html.escape(more)}</span></div>' for value, name, more in shown
    ) + "</div>"


def percentile_chart(report, durability):
    fractions = report["curve_fractions"]

    def series(name, values, style, dashed=False):
        return Series(name, [(fraction, value, f"{100 * fraction:g} %: {value:.0f} ns")
                             for fraction, value in zip(fractions, values)], style, dashed,
                      marks=False)

    drawn = [series("floor: bare ping-pong", report["floor"]["curve_ns"], "floor", True)]
    drawn += [series(words, report["rtt"][durability][key]["curve_ns"], f"c{i}")
              for i, (key, words) in enumerate(KINDS)]
    ticks = [(fraction, f"{100 * fraction:g}") for fraction in (0, .5, .9, .99, .999, .9999)]
    x_axis = Axis("percent of all round trips that took at most so long", ticks, fractions[0],
                  fractions[-1], nines)
    values = [value for one in drawn for _, value, _ in one.points]
    y_axis = log_axis("nanoseconds (logarithmic)", values)
    return chart(x_axis, y_axis, drawn, f"Percentile curves, durability {durability}")


def latency(report):
    rt, jitter = report["rtt"], report["floor"]["jitter"]
    once_in = rt["none"]["cancel_outcome"]["p50_ns"] * jitter["gaps_per_second"] / 1e9
    text = (f"Medians over {rt['rounds']} rounds of {rt['round_trips_a_round']:,} round trips "
            f"each ({rt['rounds_discarded']} more, during which the floor moved, were discarded); "
            f"{rt['resting_orders']:,} orders rest in the book. The machine takes a "
            f"spinning core away {jitter['gaps_per_second']:.0f} times a second, so about "
            f"{100 * once_in:.3f} percent of the round trips meet such a gap: to the right of "
            f"{100 - 100 * once_in:.2f} percent the curves show the machine.")
    rows = [("floor", "ping-pong", *(f"{report['floor'][f'rtt_{p}_ns']:.0f}"
                                     for p in ("p50", "p90", "p99", "p999")), "1")]
    rows += [(mode, words, *(f"{row[f'{p}_ns']:.0f}" for p in ("p50", "p90", "p99", "p999")),
              with_range(row, "ratio_p50")) for mode, words, row in round_trips(report)]
    counts = [(mode, who, *did.values()) for mode in MODES
              for who, did in rt[mode]["window"].items()]
    if report["machine"]["processors"] == 2:
        text += (" With two processors the journal's thread has to share the client's: see the "
                 "client's involuntary switches, and async from 99 percent on.")
    return section(
        "Round trips", text,
        "<p><b>Without a journal</b></p>", percentile_chart(report, "none"),
        "<p><b>With a journal, durability async</b></p>", percentile_chart(report, "async"),
        table(("mode", "", "p50 ns", "p90 ns", "p99 ns", "p99.9 ns",
               "p50 / floor (rounds)"), rows, "two"),
        "<p>What the kernel did to the two threads in the measured window:</p>",
        table(("mode", "thread", "voluntary switches", "involuntary", "minor faults",
               "major faults"), counts, "two"))


def clients(report):
    rows = report["clients"]

    def series(name, key, style):
        return Series(name, [(row["n"], row[key], f"{row['n']} clients: {row[key]:.2f}")
                             for row in rows], style,
                      band=[(row["n"], row[key + "_low"], row[key + "_high"]) for row in rows])

    drawn = [Series("floor", [(row["n"], 1, "1") for row in rows], "floor", True, False),
             series("the others are idle", "ratio_p50", "c0"),
             series("all of them active, in turn", "active_ratio_p50", "c1")]
    high = max(max(row["ratio_p50"], row["active_ratio_p50"]) for row in rows)
    return section(
        "Cost by clients",
        "A cancel's way to its receipt, p50 as a multiple of the floor of the same round, by the "
        "number of sessions that are logged on. Shaded: from the lowest to the highest round, as "
        "far as it is on the chart.",
        chart(each_axis("sessions logged on (logarithmic)", [row["n"] for row in rows]),
              linear_axis("p50 / floor p50", 1.6 * high), drawn, "Cost by clients"),
        table(("clients", "idle: p50 ns", "p99 ns", "p50 / floor (rounds)", "active: p50 ns",
               "p99 ns", "p50 / floor (rounds)"),
              [(row["n"], f"{row['p50_ns']:.0f}", f"{row['p99_ns']:.0f}",
                with_range(row, "ratio_p50"), f"{row['active_p50_ns']:.0f}",
                f"{row['active_p99_ns']:.0f}", with_range(row, "active_ratio_p50"))
               for row in rows]))


def throughput(report):
    result = report["throughput"]
    rows = result["batch"]
    ends = (rows[0]["under_way"], rows[-1]["under_way"])

    def level(name, value, style):
        text = f"{value / 1e6:.2f} million a second"
        return Series(name, [(x, value, text) for x in ends], style, True, False)

    drawn = [
        level("floor: one ping-pong after the other", 1e9 / result["floor_p50_ns"], "floor"),
        level("256 under way", result["cancels_per_second"], "c1"),
        level("the same with a journal (async)", result["async"]["cancels_per_second"], "c2"),
        Series("so many under way", [
            (row["under_way"], row["cancels_per_second"],
             f"{row['under_way']} under way: {row['cancels_per_second'] / 1e6:.2f} million / s")
            for row in rows], "c0",
               band=[(row["under_way"], row["cancels_per_second_low"],
                      row["cancels_per_second_high"]) for row in rows])]
    high = max(point[1] for one in drawn for point in one.points)
    limits = [(name, with_range(row, "cancels_per_second", 0), f"{row['ns_per_cancel']:.0f}",
               f"{row['ns_per_entry']:.0f}", row["limited_by"],
               f"{100 * row['waiting_share']:.0f} %", f"{row['under_way_mean']:.0f}")
              for name, row in (("none", result), ("async", result["async"]))]
    return section(
        "Throughput by batch",
        "Cancels a second of one client that keeps so many under way, receipt and outcome both "
        f"delivered; medians of {result['rounds']} rounds of {result['cancels_a_round']:,}. "
        "Shaded: from the lowest to the highest round.",
        chart(each_axis("cancels under way (logarithmic)", [row["under_way"] for row in rows]),
              linear_axis("cancels a second", 1.1 * high), drawn, "Throughput by batch"),
        table(("durability", "cancels a second (rounds)", "ns a cancel", "ns an entry",
               "limited by", "client waited", "mean under way"), limits))


def core(report):
    rows = report["core"]
    if not rows:
        return ""

    def series(name, op, key, style, dashed=False):
        points = [(row["live_orders"], row[key],
                   f"{short(row['live_orders'])} live orders: {row[key]:.0f} ns")
                  for row in rows if row["op"] == op]
        return Series(name, points, style, dashed)

    ops = list(dict.fromkeys(row["op"] for row in rows))
    drawn = [series(f"floor: what memory needs ({ops[0]})", ops[0], "bound_ns", "floor", True)]
    for i, op in enumerate(ops):
        drawn.append(series(op, op, "ns_per_op", f"c{i % COLOURS}"))
        drawn.append(series(f"{op}: baseline", op, "baseline_ns", f"c{i % COLOURS}", True))
    values = [point[1] for one in drawn for point in one.points]
    return section(
        "Cost by live orders",
        "The engine alone on one thread, beside a baseline of library parts that does the same in "
        "the same rounds, and beside a bare cancel that does no more than touch the memory that "
        "it cannot do without.",
        chart(each_axis("live orders (logarithmic)", [row["live_orders"] for row in rows], short),
              log_axis("nanoseconds an operation (logarithmic)", values), drawn,
              "Cost by live orders"),
        table(("operation", "live orders", "ns (rounds)", "bare ns", "baseline ns",
               "speedup (rounds)", "bytes an order"),
              [(row["op"], f"{row['live_orders']:,}", with_range(row, "ns_per_op", 1),
                f"{row['bound_ns']:.1f}", f"{row['baseline_ns']:.1f}", with_range(row, "speedup"),
                f"{row['bytes_per_order']:.0f}") for row in rows]))


def workload(report):
    rows = report["workload"]
    if not rows:
        return ""
    return section(
        "Workloads",
        "Nanoseconds a message: the engine alone, the baseline alone, and all of it, through the "
        "ring.",
        table(("scenario", "engine ns (rounds)", "baseline ns", "speedup (rounds)",
               "in all ns (rounds)"),
              [(row["scenario"], with_range(row, "core_ns_per_message", 0),
                f"{row['baseline_ns_per_message']:.0f}", with_range(row, "core_speedup"),
                with_range(row, "total_ns_per_message", 0)) for row in rows]))


def ring(report):
    return section(
        "The ring alone",
        "Between two threads of one process: a message there and one back, and a stream one way.",
        table(("", "our ring, ns (repetitions)", "baseline", "ns (repetitions)", "speedup"),
              [(row["op"].replace("_", " "), with_range(row, "ns", 1), row["baseline"],
                with_range(row, "baseline_ns", 1), f"{row['speedup']:.2f}")
               for row in report["ring"]]))


def facts(report):
    machine, build, pinning = report["machine"], report["build"], report["pinning"]
    huge = machine["huge_pages"]
    rows = (
        ("machine", f"{machine['cpu']}, {machine['processors']} processors"
                    f"{', virtual' if machine['virtual'] else ''}, "
                    f"{machine['memory_bytes'] / 2**30:.0f} GiB"),
        ("caches", ", ".join(machine["caches"])),
        ("system", f"{machine['system']}, Linux {machine['kernel']}"),
        ("pinning", f"engine on cpu {pinning['engine_cpu']}, client on cpu "
                    f"{pinning['client_cpu']}; isolated: {machine['isolated_cpus']}"),
        ("idle mode", pinning["idle"]),
        ("governor", machine["governor"]),
        ("huge pages", f"transparent: {huge['transparent']}; shared memory: "
                       f"{huge['shared_memory']}; reserved: {huge['reserved']}"),
        ("timer", f"{machine['timer_source']}; {report['floor']['timer_ns']:.0f} ns a reading; "
                  f"clocksource {machine['clocksource']}"),
        ("load at start", f"{machine['load_at_start']:.2f}"),
        ("compiler", f"{build['compiler']}; {build['flags']}"),
        ("commit", build["commit"] + (", modified" if build["modified"] else "")),
        ("run", f"{report['run']['mode']}, {report['run']['started']}, "
                f"{report['run']['seconds']:.0f} s"),
    )
    return "<h2>Machine and build</h2>" + table((), rows, "facts")


def warnings(report):
    said = []
    if report["run"]["mode"] == "smoke":
        said.append("A smoke run: it shows that everything runs, and its figures mean nothing.")
    if report["machine"]["virtual"]:
        said.append("A virtual machine: compare ratios and medians of this one run; p99.9 and "
                    "rarer belong beside the jitter.")
    floor = report["floor"]
    if floor["rtt_p50_ns_high"] > 1.5 * floor["rtt_p50_ns_low"]:
        said.append(f"The floor itself moved from {floor['rtt_p50_ns_low']:.0f} to "
                    f"{floor['rtt_p50_ns_high']:.0f} ns between rounds: the two cores were not "
                    "equally near all the time.")
    return "".join(f'<p class="warning">{html.escape(one)}</p>' for one in said)


def watching(report):
    result = report["watching"]
    return section(
        "Being watched",
        f"Cancel round trips of an engine whose counters somebody reads "
        f"{result['looks_per_second']:.0f} times a second, beside those of one that nobody "
        f"watches: {with_range(result, 'ratio', 3)} times as long (median over "
        f"{result['pairs']} pairs, and its 95 % interval).")


def page(report):
    """The whole page as text."""
    parts = (warnings, tiles, latency, core, clients, throughput, workload, ring, watching, facts)
    body = "".join(part(report) for part in parts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>shmatch benchmark report</title><style>{STYLE}</style></head><body><main>"
        "<h1>shmatch benchmark report</h1>"
        '<p class="soft">Every figure beside its floor or its baseline, measured in turn in one '
        "run. What each one is: docs/BENCHMARK.md; all of them: bench-report.json.</p>"
        f"{body}</main></body></html>\n")
