#!/usr/bin/env python3
"""The style checker finds each kind of fault, and only that."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import check_style  # noqa: E402


class CheckStyleTest(unittest.TestCase):
    def faults_of(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
            return check_style.faults(root)

    def assert_fault(self, name, text, expected):
        self.assertEqual(self.faults_of({name: text}), [expected])

    def assert_clean(self, name, text):
        self.assertEqual(self.faults_of({name: text}), [])

    def test_columns_are_characters_and_comments_count(self):
        self.assert_clean("ipc/a.cpp", "// " + "é" * 97 + "\n")
        self.assert_fault("ipc/a.cpp", "// " + "x" * 98 + "\n",
                          "ipc/a.cpp:1: 101 columns, more than 100")

    def test_blanks_tabs_and_last_line_end(self):
        self.assert_fault("ipc/a.cpp", "int a; \n", "ipc/a.cpp:1: blanks at the end of the line")
        self.assert_fault("ipc/a.cpp", "\tint a;\n", "ipc/a.cpp:1: a tab")
        self.assert_fault("ipc/a.cpp", "int a;", "ipc/a.cpp:1: no line end at the end of the file")

    def test_file_length(self):
        self.assert_clean("ipc/a.cpp", "\n" * 700)
        self.assert_fault("ipc/a.cpp", "\n" * 701,
                          "ipc/a.cpp:701: a file of more than 700 lines: split it")

    def test_header_guard(self):
        self.assert_fault("ipc/a.h", "int a;\n", "ipc/a.h:1: a header without #pragma once")

    def test_arrows(self):
        self.assert_clean("ipc/a.cpp", '#include "core/types.h"\n')
        self.assert_fault("core/a.cpp", '#include "ipc/client.h"\n',
                          "core/a.cpp:1: core must not include ipc")
        self.assert_fault("ipc/a.cpp", '#include "tools/json.h"\n',
                          "ipc/a.cpp:1: ipc must not include tools")
        self.assert_fault("tools/a.cpp", '#include "tests/x.h"\n',
                          "tools/a.cpp:1: tools must not include tests")
        self.assert_fault("ipc/a.cpp", '#include "b.h"\n',
                          'ipc/a.cpp:1: include "b.h" from the project folder, as "core/x.h"')

    def test_core_headers(self):
        self.assert_clean("core/a.cpp", "#include <bit>\n#include <new>\n")
        self.assert_fault("core/a.cpp", "#include <atomic>\n",
                          "core/a.cpp:1: core must not include <atomic>")
        self.assert_fault("core/a.cpp", "#include <sys/mman.h>\n",
                          "core/a.cpp:1: core must not include the system header <sys/mman.h>")

    def test_core_words_in_code_only(self):
        self.assert_clean("core/a.cpp", '// a new double\nconst char* a = "throw";\n')
        self.assert_clean("core/a.cpp", "auto* a = new (place) A;\nint renew = 1'000'000;\n")
        for code, what in [("auto* a = new A;", "new"),
                           ("void* a = malloc(8);", "malloc"),
                           ("throw 1;", "an exception"),
                           ("double a;", "a floating point type"),
                           ("int a = rand();", "rand"),
                           ("auto a = std::make_unique<int>();", "an allocating smart pointer")]:
            self.assert_fault("core/a.cpp", "int b = 1'000;\n" + code + "\n",
                              f"core/a.cpp:2: core must not use {what}")
            self.assert_clean("ipc/a.cpp", code + "\n")

    def test_client_never_reaches_the_engine(self):
        files = {
            "ipc/client.cpp": '#include "ipc/ring.h"\n',
            "ipc/ring.h": '#pragma once\n#include "core/message.h"\n#include "core/order_book.h"\n',
            "core/message.h": "#pragma once\n",
            "core/order_book.h": "#pragma once\n",
        }
        self.assertEqual(self.faults_of(files), [
            "ipc/ring.h:1: the client library must not include core/order_book.h"])

    def test_unfinished_work(self):
        self.assert_fault("README.md", "TODO: write this\n", "README.md:1: unfinished work: TODO")

    def test_paths_of_one_machine(self):
        self.assert_clean("tools/run", "cat /proc/self/maps /tmp/shmatch-0/engine.sock a/b/c\n")
        self.assert_clean("README.md", "See https://example.com/home/ann and [x](../README.md)\n")
        self.assert_fault("tools/run", "cat /home/ann/notes\n",
                          "tools/run:1: an absolute path of one machine: /home/...")
        self.assert_fault("tools/run", "cat ../other/file\n",
                          "tools/run:1: a relative path that leaves its folder")


if __name__ == "__main__":
    unittest.main()
