#!/usr/bin/env python3
"""The benchmark report of a smoke run: its keys are the documented ones, its page is whole.

usage: report_test.py PROJECT_FOLDER BUILD_FOLDER
"""

import copy
import html.parser
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path()
BUILD = pathlib.Path()
DEADLINE_SECONDS = 240
MIN_ROUNDS = 5


def expanded(pattern):
    """`a.{b,c}.d` as a.b.d and a.c.d."""
    parts = [part[1:-1].split(",") if part.startswith("{") else [part]
             for part in re.split(r"(\{[^}]*\})", pattern)]
    return {"".join(words) for words in itertools.product(*parts)}


def documented_keys(text):
    """The keys that the document's last section lists in the first column of its table."""
    section = text.split("## Keys of bench-report.json")[1]
    keys = set()
    for pattern in re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE):
        keys |= expanded(pattern)
    return keys


def keys_of(value, path=""):
    """Paths of all leaves; an array's elements are called []. An empty array is a leaf."""
    if isinstance(value, dict):
        return {key for name, member in value.items()
                for key in keys_of(member, f"{path}.{name}" if path else name)}
    if isinstance(value, list):
        return {key for member in value for key in keys_of(member, path + "[]")} or {path + "[]"}
    return {path}


class Page(html.parser.HTMLParser):
    """Elements that are open, and what the page would load."""
    VOID = {"meta", "br", "link", "img", "input"}

    def __init__(self):
        super().__init__()
        self.open, self.loads, self.drawings, self.wrong = [], [], 0, []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.drawings += tag == "figure"
        if tag in {"link", "script", "img", "iframe", "object"}:
            self.loads.append(tag)
        self.loads += [value for name, value in attrs if name in {"src", "href"}]
        self.wrong += [value for _, value in attrs if re.search(r"\bnan\b|\binf\b", value or "")]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def parsed(text):
    page = Page()
    page.feed(text)
    page.close()
    return page


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if len(os.sched_getaffinity(0)) < 2:
            raise unittest.SkipTest("engine and client need a processor each")
        with tempfile.TemporaryDirectory() as folder:
            temporary = pathlib.Path(folder) / "tmp"
            temporary.mkdir()
            out = pathlib.Path(folder) / "new" / "out"
            cls.done = subprocess.run(
                [sys.executable, PROJECT / "bench" / "report.py", "--smoke", "--build", BUILD,
                 "--out", out],
                capture_output=True, text=True, check=False, timeout=DEADLINE_SECONDS,
                env=dict(os.environ, TMPDIR=str(temporary), PYTHONDONTWRITEBYTECODE="1"))
            cls.left_behind = os.listdir(temporary)
            if cls.done.returncode == 0:
                cls.report = json.loads((out / "bench-report.json").read_text(encoding="utf-8"))
                cls.page = (out / "bench-report.html").read_text(encoding="utf-8")

    def setUp(self):
        self.assertEqual((self.done.returncode, self.done.stderr), (0, ""), self.done.stdout)

    def test_its_keys_are_the_documented_ones(self):
        documented = documented_keys((PROJECT / "docs" / "BENCHMARK.md").read_text("utf-8"))
        present = keys_of(self.report)
        self.assertEqual(sorted(documented - present), [], "documented, and not in the report")
        self.assertEqual(sorted(present - documented), [], "in the report, and not documented")

    def test_every_array_has_the_rows_that_it_is_documented_with(self):
        self.assertEqual([row["n"] for row in self.report["clients"]], [1, 8, 64, 256])
        self.assertEqual([row["under_way"] for row in self.report["throughput"]["batch"]],
                         [1, 2, 4, 8, 16, 64, 256, 1024])
        self.assertEqual([row["op"] for row in self.report["ring"]], ["round_trip", "stream"])
        self.assertGreaterEqual(self.report["rtt"]["rounds"], MIN_ROUNDS)

    def test_medians_lie_between_low_and_high_and_percentiles_ascend(self):
        def look(value, path):
            if isinstance(value, list):
                for member in value:
                    look(member, path + "[]")
            if not isinstance(value, dict):
                return
            for key, member in value.items():
                look(member, f"{path}.{key}")
                if key + "_low" in value:
                    self.assertLessEqual(value[key + "_low"], member, f"{path}.{key}")
                    self.assertLessEqual(member, value[key + "_high"], f"{path}.{key}")
                if key == "curve_ns":
                    self.assertEqual(len(member), len(self.report["curve_fractions"]), path)
                    self.assertEqual(member, sorted(member), path)
        look(self.report, "")

    def test_the_page_is_whole_and_loads_nothing(self):
        page = parsed(self.page)
        self.assertEqual((page.open, page.wrong, page.loads), ([], [], []))
        self.assertEqual(page.drawings, 4 + bool(self.report["core"]))
        self.assertNotIn("url(", self.page)

    def test_the_page_draws_any_number_of_rows_and_names(self):
        sys.path.insert(0, str(PROJECT / "bench"))
        sys.dont_write_bytecode = True
        import report_page  # pylint: disable=import-error,import-outside-toplevel

        def ranged(**values):
            return {key + end: value for key, value in values.items()
                    for end in ("", "_low", "_high")}

        for sizes in ((1000,), (1000, 1000000, 10000000)):
            report = copy.deepcopy(self.report)
            report["core"] = [
                {"op": op, "live_orders": orders, "bytes_per_order": 99.5,
                 **ranged(ns_per_op=20.5, bound_ns=0.0, baseline_ns=1e9, speedup=0.1)}
                for orders in sizes for op in ("a <cancel>", *"bcdefgh")]
            report["workload"] = [{"scenario": "a & b", **ranged(
                core_ns_per_message=1.0, baseline_ns_per_message=2.0, core_speedup=2.0,
                total_ns_per_message=3.0)}]
            page = parsed(report_page.page(report))
            self.assertEqual((page.open, page.wrong, page.loads), ([], [], []))
            self.assertEqual(page.drawings, 5)

    def test_nothing_is_left_behind(self):
        self.assertEqual(self.left_behind, [])

    def test_it_says_where_the_files_are_and_that_the_figures_mean_nothing(self):
        self.assertIn("smoke run: its figures mean nothing", self.done.stdout)
        self.assertRegex(self.done.stdout, r"/new/out/bench-report\.html\n$")


class RefusalTest(unittest.TestCase):
    def refused(self, status, sentence, *command):
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=DEADLINE_SECONDS)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(sentence, done.stderr)

    def test_wrong_arguments_are_one_sentence_and_status_2(self):
        script = PROJECT / "tools" / "bench"
        self.refused(2, "unknown argument --nonsense", script, "--nonsense")
        self.refused(2, "--out needs a folder", script, "--quick", "--out")

    def test_what_cannot_be_measured_is_one_sentence_and_status_1(self):
        with tempfile.TemporaryDirectory() as folder:
            self.refused(1, "compile_commands.json", sys.executable,
                         PROJECT / "bench" / "report.py", "--smoke", "--build", folder,
                         "--out", folder)


class KeysTest(unittest.TestCase):
    """The comparison itself."""

    def test_braces_and_arrays(self):
        self.assertEqual(expanded("a.{b,c}.d[]"), {"a.b.d[]", "a.c.d[]"})
        self.assertEqual(keys_of({"a": {"b": [{"c": 1}, {"d": 2}]}, "e": [], "f": [1]}),
                         {"a.b[].c", "a.b[].d", "e[]", "f[]"})


if __name__ == "__main__":
    PROJECT, BUILD = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    unittest.main(argv=sys.argv[:1])
