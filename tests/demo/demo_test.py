#!/usr/bin/env python3
"""shmatch-demo as a person meets it: what it prints, how it ends, what it leaves behind.

usage: demo_test.py SHMATCH_DEMO TOOLS_FOLDER
"""

import json
import lzma
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile
import unittest

DEMO = ""
TOOLS = pathlib.Path()
DEADLINE_SECONDS = 120


def order(account, client_id, side, price, quantity=1, **more):
    return {"OMSId": 1, "AccountId": account, "ClientOrderId": client_id, "InstrumentId": 3,
            "Side": side, "OrderType": 2, "TimeInForce": 1, "Quantity": quantity,
            "LimitPrice": price, **more}


def cancel(account, client_id):
    return {"OMSId": 1, "AccountId": account, "ClOrderId": client_id}


def frame(user, function, payload):
    return json.dumps({"m": 0, "i": 2, "n": function, "u": user, "o": payload})


# One user, so one client: its requests are executed in this order, and every count is certain.
SMALL_LOG = [
    frame("trader1", "SendOrder", order(1, 1, 1, 100, 5)),
    frame("trader1", "SendOrder", order(1, 2, 0, 90)),
    frame("trader1", "SendOrder", order(5, 3, 0, 100, 2)),                      # trades, filled
    frame("trader1", "SendOrder", order(5, 4, 0, 100, 9, TimeInForce=3)),       # trades, ends
    frame("trader1", "SendOrder", order(5, 5, 0, 80)),                          # stays
    frame("trader1", "CancelOrder", cancel(1, 2)),
    frame("trader1", "CancelOrder", cancel(1, 2)),                              # 104, canceled
    frame("trader1", "CancelOrder", cancel(1, 1)),                              # 104, filled
    frame("trader1", "CancelOrder", cancel(2, 1)),                              # 20
    frame("trader1", "SendOrder", order(1, 6, 0, 90, 1.5)),                     # 100
    frame("trader1", "SendOrder", order("x", 7, 0, 90)),                        # 100 by the codec
    frame("trader1", "GetOpenOrders", {"OMSId": 1, "AccountId": 5}),
    frame("trader1", "GetL2Snapshot", {"OMSId": 1, "InstrumentId": 3, "Depth": 5}),
    frame("trader1", "GetOrderStatus", {"OMSId": 1, "OrderId": 999999999}),     # 104
    frame("trader1", "Ping", {}),
    frame("trader1", "MakeCoffee", {}),
    json.dumps({"m": 1, "i": 2, "n": "Ping", "o": {}}),
    "no frame",
]


def squeezed(text):
    """`text` with single blanks, so that the width of columns does not matter."""
    return re.sub(r"[ \t]+", " ", text)


class DemoTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.environment = dict(os.environ, TMPDIR=str(self.temporary))

    def tearDown(self):
        self.assertEqual(os.listdir(self.temporary), [], "the demo left files behind")

    def write_log(self, lines, name="log.jsonl"):
        data = "".join(line + "\n" for line in lines).encode()
        path = self.folder / name
        path.write_bytes(lzma.compress(data) if name.endswith(".xz") else data)
        return str(path)

    def run_demo(self, *arguments):
        done = subprocess.run([DEMO, *arguments], capture_output=True, text=True, check=False,
                              timeout=DEADLINE_SECONDS, env=self.environment)
        return done.returncode, squeezed(done.stdout), done.stderr

    def check_small_log(self, path):
        status, out, err = self.run_demo("--no-latency", path)
        self.assertEqual((status, err), (0, ""), out)
        for line in (
                " 15 frames: 7 orders, 4 cancels, 4 queries",
                " left out: 1 frame whose m is not 0",
                " left out: 1 frame of functions that this engine does not have",
                " left out: 1 line without a frame; the first is line 18: not JSON",
                " 100 % 14 of 14 answered",
                " trader1 15 5 1 3 6 2 ",
                " orders 7 sent, 5 accepted, 2 refused",
                " of those accepted: 2 filled, 1 canceled by request,",
                " 1 ended for lack of a market (IOC, FOK, Market), 1 still working",
                " cancels 4 sent, 1 done, 3 refused",
                " trades 2",
                " 20 Not Authorized: ForeignAccount 0 1 0",
                " 100 Invalid Request: NotMultiple 1 0 0",
                " 100 Invalid Request: Malformed 1 0 0",
                " 104 Resource Not Found: UnknownOrder 0 0 1",
                " 104 Resource Not Found: Filled 0 1 0",
                " 104 Resource Not Found: CanceledByUser 0 1 0",
                " e.g. the order was canceled by user trader1, engine sequence ",
                " TEST 1 80 - 0 100",
                " not shown: --no-latency"):
            self.assertIn("\n" + line, out)

    def test_counts_of_a_small_log(self):
        self.check_small_log(self.write_log(SMALL_LOG))

    def test_the_same_from_xz(self):
        self.check_small_log(self.write_log(SMALL_LOG, "log.jsonl.xz"))

    def test_clients_of_several_users_run_at_once(self):
        log = self.write_log(frame(f"trader{k}", "SendOrder", order(k, n, 0, 100 + k))
                             for n in range(1, 501) for k in (1, 2, 3, 4))
        status, out, err = self.run_demo("--no-latency", log)
        self.assertEqual((status, err), (0, ""), out)
        for trader in (1, 2, 3, 4):
            self.assertIn(f"\n trader{trader} 500 500 0 0 0 0 500\n", out)
        self.assertIn("\n all 2,000 2,000 0 0 0 0 2,000\n", out)
        self.assertIn("\n TEST 4 104 - 0 -\n", out)

    def test_a_user_that_cannot_log_on_is_told_and_the_others_go_on(self):
        log = self.write_log([frame("stranger", "Ping", {}), frame("trader1", "Ping", {})])
        status, out, err = self.run_demo("--no-latency", log)
        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("\n stranger could not log on, its frames were not sent: ", out)
        self.assertIn("\n trader1 1 0 0 1 0 0 0\n", out)

    def test_the_log_of_the_repository_is_what_its_script_makes(self):
        made = subprocess.run([sys.executable, str(TOOLS / "make-demo-log.py")], check=True,
                              capture_output=True, timeout=DEADLINE_SECONDS)
        self.assertEqual(made.stdout, (TOOLS / "demo.jsonl").read_bytes())

    def test_the_log_of_the_repository_runs(self):
        status, out, err = self.run_demo("--no-latency", str(TOOLS / "demo.jsonl"))
        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("\n 3,000 frames: ", out)
        self.assertIn("\n clients 4 processes", out)
        self.assertRegex(out, r"\n trades [1-9]")
        self.assertIn("\n The clients race", out)

    def test_the_captured_log_through_one_client_is_exact(self):
        data = os.environ.get("SHMATCH_DATA")
        if not data:
            self.skipTest("SHMATCH_DATA is not set")
        captured = pathlib.Path(data) / "bitstamp-btcusd-l3" / "2015-05-01.requests.jsonl.xz"
        text = lzma.decompress(captured.read_bytes()).decode()
        log = self.write_log([re.sub(r'"u":"\w+"', '"u":"operator"', text).rstrip("\n")])
        status, out, err = self.run_demo("--no-latency", log)
        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("\n operator 49,232 24,894 24,133 0 205 557 ", out)
        self.assertRegex(out, r"\n BTCUSD 96 \S+ \S+ 81 ")

    def assert_refused(self, status, sentence, *arguments):
        result = self.run_demo(*arguments)
        self.assertEqual(result[0], status, result)
        self.assertEqual(result[1], "")
        self.assertEqual(result[2].count("\n"), 1, result[2])
        self.assertIn(sentence, result[2])

    def test_wrong_logs_and_command_lines_are_one_sentence_and_status_2(self):
        self.assert_refused(2, "LOG", "--no-latency")
        self.assert_refused(2, "--nonsense", "--nonsense", "log")
        self.assert_refused(2, "No such file", str(self.folder / "missing"))
        self.assert_refused(2, "cannot read", str(self.folder))
        self.assert_refused(2, "holds no request", self.write_log([]))
        self.assert_refused(2, "line 1: not JSON", self.write_log(["what"]))
        self.assert_refused(2, "more than 16 users",
                            self.write_log(frame(f"u{n}", "Ping", {}) for n in range(17)))
        whole = pathlib.Path(self.write_log(SMALL_LOG, "log.xz")).read_bytes()
        cut = self.folder / "cut.xz"
        cut.write_bytes(whole[:len(whole) // 2])
        self.assert_refused(2, "ends too early", str(cut))
        damaged = self.folder / "damaged.xz"
        damaged.write_bytes(whole[:40] + b"damage" + whole[46:])
        self.assert_refused(2, "damaged", str(damaged))

    def interrupt(self, act):
        """Runs a long log; `act(demo, engine process id)` comes while it is being replayed."""
        log = self.write_log(SMALL_LOG[:9] * 20_000)
        with subprocess.Popen([DEMO, "--no-latency", log], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=self.environment) as demo:
            try:
                out = b""
                while b" answered" not in out:
                    readable, _, _ = select.select([demo.stdout], [], [], DEADLINE_SECONDS)
                    block = os.read(demo.stdout.fileno(), 4096) if readable else b""
                    self.assertTrue(block, "no progress")
                    out += block
                engine = int(re.search(rb"engine +process (\d+)", out).group(1))
                act(demo, engine)
                _, err = demo.communicate(timeout=DEADLINE_SECONDS)
            finally:
                demo.kill()
        self.assertFalse(pathlib.Path(f"/proc/{engine}").exists(), "the engine outlived the demo")
        self.assertEqual(err.count(b"\n"), 1, err)
        return demo.returncode, err.decode()

    def test_ctrl_c_stops_everything(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            status, err = self.interrupt(lambda demo, _, n=number: demo.send_signal(n))
            self.assertEqual(status, 128 + number)
            self.assertIn("interrupted", err)

    def test_an_engine_that_dies_is_one_sentence_and_status_4(self):
        status, err = self.interrupt(lambda _, engine: os.kill(engine, signal.SIGKILL))
        self.assertEqual(status, 4)
        self.assertIn("the engine", err)


if __name__ == "__main__":
    TOOLS = pathlib.Path(sys.argv.pop(2))
    DEMO = sys.argv.pop(1)
    unittest.main()
