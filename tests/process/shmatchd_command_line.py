#!/usr/bin/env python3
"""shmatchd as a person or a script meets it: flags, exit statuses, the ready line, a clean stop.

usage: shmatchd_command_line.py SHMATCHD
"""

import os
import pathlib
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

SHMATCHD = ""
DEADLINE_SECONDS = 30


def run(*arguments):
    """Runs shmatchd to its end: (status, standard output, standard error)."""
    done = subprocess.run([SHMATCHD, *arguments], capture_output=True, text=True, check=False,
                          timeout=DEADLINE_SECONDS)
    return done.returncode, done.stdout, done.stderr


class Engine:
    """An engine that serves until it is stopped."""

    def __init__(self, *arguments, environment=None):
        self.process = subprocess.Popen([SHMATCHD, "--idle", "sleep", *arguments], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment)

    def first_line(self):
        readable, _, _ = select.select([self.process.stdout], [], [], DEADLINE_SECONDS)
        return self.process.stdout.readline() if readable else "nothing in time"

    def stop(self, how):
        """(status, rest of standard output, standard error)."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=DEADLINE_SECONDS)
        return self.process.returncode, out, err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


class CommandLineTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.socket = str(self.folder / "engine.sock")

    def write_config(self, text):
        path = self.folder / "engine.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def assert_usage_fault(self, arguments, sentence):
        status, out, err = run(*arguments)
        self.assertEqual((status, out), (2, ""))
        self.assertEqual(err.count("\n"), 1, err)
        self.assertIn(sentence, err)

    def test_wrong_command_lines_are_one_sentence_and_status_2(self):
        self.assert_usage_fault(["--nonsense"], "--nonsense")
        self.assert_usage_fault(["extra"], "extra")
        self.assert_usage_fault(["--journal"], "--journal")
        self.assert_usage_fault(["--durability", "sync"], "--journal")
        self.assert_usage_fault(["--idle", "doze"], "doze")
        self.assert_usage_fault(["--cpu", "-1"], "-1")
        self.assert_usage_fault(["--cpu", "one"], "one")
        self.assert_usage_fault(["--socket"], "--socket")

    def test_help_and_version(self):
        status, out, err = run("--help")
        self.assertEqual((status, err), (0, ""))
        for flag in ("--config", "--socket", "--cpu", "--idle", "--durability", "--journal",
                     "--capture", "--check-config"):
            self.assertIn(flag, out)
        status, out, err = run("--version")
        self.assertEqual((status, err), (0, ""))
        self.assertRegex(out, r"^shmatchd \d+\.\d+\.\d+\n$")

    def test_check_config(self):
        self.assertEqual(run("--check-config"), (
            0, "ok: embedded default: instruments 3, users 5, accounts 8\n", ""))
        config = self.write_config("oms_id = 1\nomsid = 2\n")
        self.assert_usage_fault(["--check-config", "--config", config],
                                f"{config}:2: unknown key `omsid`")
        missing = str(self.folder / "missing.toml")
        self.assert_usage_fault(["--config", missing], f"cannot open {missing}")

    def test_serves_until_sigterm_or_sigint_and_leaves_nothing(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with Engine("--socket", self.socket, "--durability", "none") as engine:
                self.assertEqual(engine.first_line(), f"ready {self.socket}\n")
                self.assertTrue(stat.S_ISSOCK(os.stat(self.socket).st_mode))
                status, out, err = engine.stop(how)
            self.assertEqual((status, out), (0, ""), err)
            self.assertIn("durability none", err)
            self.assertEqual(os.listdir(self.folder), [])

    def test_default_socket_is_private(self):
        environment = dict(os.environ, XDG_RUNTIME_DIR=str(self.folder))
        with Engine(environment=environment) as engine:
            path = self.folder / "shmatch" / "engine.sock"
            self.assertEqual(engine.first_line(), f"ready {path}\n")
            self.assertEqual(stat.S_IMODE(os.stat(path.parent).st_mode), 0o700)
            self.assertEqual(engine.stop(signal.SIGTERM)[0], 0)

    def test_flags_win_over_the_file(self):
        config = self.write_config(
            '[[instrument]]\nid = 1\nsymbol = "A"\ntick = "1"\nlot = "1"\n'
            '[[user]]\nid = 1\nname = "a"\nunix_users = []\npermissions = ["Trading"]\n'
            f'accounts = [1]\n[socket]\npath = "{self.folder}/file.sock"\nmode = "0666"\n')
        with Engine("--config", config) as engine:
            self.assertEqual(engine.first_line(), f"ready {self.folder}/file.sock\n")
            mode = os.stat(self.folder / "file.sock").st_mode
            self.assertEqual(stat.S_IMODE(mode), 0o666)
        with Engine("--config", config, "--socket", self.socket) as engine:
            self.assertEqual(engine.first_line(), f"ready {self.socket}\n")

    def test_second_engine_on_the_same_socket_is_refused(self):
        with Engine("--socket", self.socket) as engine:
            engine.first_line()
            status, out, err = run("--socket", self.socket)
            self.assertEqual((status, out), (1, ""))
            self.assertIn(self.socket, err)
            self.assertEqual(engine.stop(signal.SIGTERM)[0], 0)

    def test_stale_socket_is_replaced_but_nothing_else(self):
        stale = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stale.bind(self.socket)
        stale.close()
        with Engine("--socket", self.socket) as engine:
            self.assertEqual(engine.first_line(), f"ready {self.socket}\n")
        file = self.folder / "notes"
        file.write_text("keep", encoding="utf-8")
        status, out, _ = run("--socket", str(file))
        self.assertEqual((status, out), (1, ""))
        self.assertEqual(file.read_text(encoding="utf-8"), "keep")

    def test_a_lost_reader_of_its_output_does_not_stop_it(self):
        with Engine("--socket", self.socket) as engine:
            engine.first_line()
            engine.process.stdout.close()
            engine.process.stderr.close()
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            client.connect(self.socket)
            client.close()
            engine.process.send_signal(signal.SIGTERM)
            self.assertEqual(engine.process.wait(DEADLINE_SECONDS), 0)
            engine.process.stdout = engine.process.stderr = None


if __name__ == "__main__":
    SHMATCHD = sys.argv.pop(1)
    unittest.main()
