#!/usr/bin/env python3
"""shmatch top on a terminal: the second screen, its refreshing, and that everything is put back.

usage: top_on_a_terminal.py SHMATCHD SHMATCH
"""

import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest

SHMATCHD = ""
SHMATCH = ""
DEADLINE_SECONDS = 60

ENTER = b"\x1b[?1049h"
LEAVE = b"\x1b[?1049l"
SHOW_CURSOR = b"\x1b[?25h"
HOME = b"\x1b[H"


class TopTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.socket = str(pathlib.Path(folder.name) / "engine.sock")
        self.engine = subprocess.Popen([SHMATCHD, "--socket", self.socket, "--idle", "sleep"],
                                       text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end_engine)
        self.assertIn("ready", self.engine.stdout.readline())
        # The other end stays open, so that the terminal's settings can be asked for at the end.
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        self.settings = termios.tcgetattr(self.slave)
        self.seen = b""
        self.top = subprocess.Popen([SHMATCH, "--socket", self.socket, "top", "--interval", "0.05"],
                                    stdin=self.slave, stdout=self.slave, stderr=subprocess.PIPE)
        self.addCleanup(self.end_top)

    def end_engine(self):
        self.engine.kill()
        self.engine.communicate()

    def end_top(self):
        if self.top.poll() is None:
            self.top.kill()
        self.top.communicate()

    def read_until(self, condition):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            left = deadline - time.monotonic()
            self.assertGreater(left, 0, self.seen)
            if select.select([self.master], [], [], min(left, 0.1))[0]:
                self.seen += os.read(self.master, 65536)

    def expect_restored(self, status):
        # The terminal takes what is written only as long as somebody reads.
        self.read_until(lambda: self.top.poll() is not None and LEAVE in self.seen)
        self.assertEqual(self.top.returncode, status)
        self.assertIn(SHOW_CURSOR, self.seen)
        self.assertEqual(self.settings, termios.tcgetattr(self.slave))

    def test_refreshes_until_q(self):
        self.read_until(lambda: self.seen.count(HOME) >= 3)
        self.assertIn(ENTER, self.seen)
        self.assertIn(b"serving", self.seen)
        self.assertFalse(termios.tcgetattr(self.slave)[3] & termios.ECHO)
        os.write(self.master, b"xq")
        self.expect_restored(0)

    def test_sigint_ends_it(self):
        self.read_until(lambda: HOME in self.seen)
        self.top.send_signal(signal.SIGINT)
        self.expect_restored(0)

    def test_the_engines_death_ends_it(self):
        self.read_until(lambda: HOME in self.seen)
        self.engine.kill()
        self.expect_restored(4)
        self.assertIn(b"the engine went away", self.top.stderr.read())


if __name__ == "__main__":
    SHMATCHD, SHMATCH = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
