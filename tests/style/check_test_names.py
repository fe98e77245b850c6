#!/usr/bin/env python3
"""Checks that the tests named in documents exist: check_test_names.py SOURCE_FOLDER DOCUMENT...

A name is `Suite.Case` or `Suite.*` in backquotes, as GoogleTest calls it, with or without the
prefix of an instantiation. A promise whose test was renamed or removed is then noticed.
"""
import pathlib
import re
import sys

NAME = re.compile(r"`(?:\w+/)?([A-Z]\w*)\.(\*|[A-Z]\w*)`")
CASE = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)")


def cases(source):
    known = set()
    for path in (source / "tests").rglob("*.cpp"):
        known.update(CASE.findall(path.read_text()))
    return known


def main():
    source = pathlib.Path(sys.argv[1])
    known = cases(source)
    suites = {suite for suite, _ in known}
    missing = 0
    named = 0
    for document in sys.argv[2:]:
        for number, line in enumerate((source / document).read_text().splitlines(), 1):
            for suite, case in NAME.findall(line):
                named += 1
                if (suite, case) in known or (case == "*" and suite in suites):
                    continue
                print(f"{document}:{number}: there is no test {suite}.{case}")
                missing += 1
    if named == 0:
        print("no test is named at all: is the pattern wrong?")
    return 1 if missing or named == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
