#!/usr/bin/env python3
"""Checks what no compiler checks: line and file sizes, the arrows between folders, words that do
not belong. Prints `file:line: reason` for each fault and ends with status 1 if there is one.

usage: check_style.py PROJECT_FOLDER
"""

import pathlib
import re
import sys

COLUMNS_MAX = 100
LINES_MAX = 700

# Which folders a file may include from, by the folder that it lies in.
MAY_INCLUDE = {
    "core": {"core"},
    "ipc": {"core", "ipc"},
    "tools": {"core", "ipc", "tools"},
    "bench": {"core", "ipc", "tools", "bench", "tests"},
    "tests": {"core", "ipc", "tools", "bench", "tests"},
    "docs": {"core", "ipc"},
}

# A strategy's process never gets to know the engine: nothing that these files include, directly or
# through others, may be one of the engine's headers.
CLIENT_ROOTS = ("ipc/client.h", "ipc/client.cpp", "ipc/reference_data.cpp")
CLIENT_CORE_HEADERS = {
    "core/check.h",
    "core/configuration.h",
    "core/decimal.h",
    "core/message.h",
    "core/message_layout.h",
    "core/message_types.h",
    "core/prefetch.h",
    "core/reject.h",
    "core/report_port.h",
    "core/types.h",
}

# The core has no clock, no thread, no input or output, no randomness, and allocates nothing.
CORE_BANNED_HEADERS = {
    "atomic", "barrier", "chrono", "condition_variable", "cstdio", "ctime", "filesystem", "fstream",
    "future", "iostream", "latch", "mutex", "random", "semaphore", "shared_mutex", "stop_token",
    "thread", "unordered_map",
}
CORE_PURE_LIBRARIES = {"crc32c/crc32c.h", "emmintrin.h", "xxhash.h"}
CORE_BANNED_WORDS = [
    # Placement new, which has an argument list, allocates nothing.
    (re.compile(r"\bnew\b(?!\s*\()"), "new"),
    (re.compile(r"\b(?:malloc|calloc|realloc|aligned_alloc)\b"), "malloc"),
    (re.compile(r"\bmake_(?:unique|shared)\b"), "an allocating smart pointer"),
    (re.compile(r"\b(?:throw|catch)\b"), "an exception"),
    (re.compile(r"\b(?:float|double)\b"), "a floating point type"),
    (re.compile(r"\bs?rand\b"), "rand"),
]

# First folders of absolute paths under which people and build machines keep their own files.
PRIVATE_ROOTS = {"Users", "build", "builds", "data", "home", "media", "mnt", "opt", "repo", "root",
                 "src", "srv", "work", "workspace", "workspaces"}
ABSOLUTE_PATH = re.compile(r"""(?:^|(?<=[\s"'(=`<,;]))/(\w[\w.-]*)/\w""")
LEAVING_PATH = re.compile(r"\.\./\w")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')

CODE_SUFFIXES = {".h", ".cpp"}
TEXT_SUFFIXES = CODE_SUFFIXES | {".cmake", ".in", ".json", ".md", ".py", ".toml", ".txt", ""}
SKIPPED_FOLDERS = {".git", "build", "__pycache__"}


def text_files(root):
    """Paths, relative to `root`, of the project's own text files, in order."""
    found = []
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        if SKIPPED_FOLDERS & set(relative.parts[:-1]) or not path.is_file():
            continue
        if path.suffix in TEXT_SUFFIXES:
            found.append(relative)
    return sorted(found)


def read_lines(root, path):
    """The file's lines without their ends; empty for what is no text."""
    try:
        return (root / path).read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError:
        return []


def without_comments_and_strings(text):
    """C++ `text` with the same line numbers, but blanks for comments and literals."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
    # 1'000'000 is a number with separators, not a character literal.
    text = re.sub(r"(?<=[0-9A-Fa-f])'(?=[0-9A-Fa-f])", "", text)
    return token.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def includes(lines):
    """(line number, quoted name or None, angle name or None) of each include."""
    for number, line in enumerate(lines, 1):
        if match := INCLUDE.match(line):
            yield number, match.group(1), match.group(2)


def check_layout(path, lines):
    """Columns, blanks, file length."""
    prose_or_data = path.suffix in {".md", ".json"}
    if prose_or_data or (path.suffix == ".txt" and path.name != "CMakeLists.txt"):
        return
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns, more than {COLUMNS_MAX}"
        if line != line.rstrip():
            yield number, "blanks at the end of the line"
        if "\t" in line:
            yield number, "a tab"
    if lines and lines[-1] != "":
        yield len(lines), "no line end at the end of the file"
    if path.suffix in CODE_SUFFIXES | {".py"} and len(lines) - 1 > LINES_MAX:
        yield len(lines) - 1, f"a file of more than {LINES_MAX} lines: split it"
    if path.suffix == ".h" and "#pragma once" not in lines:
        yield 1, "a header without #pragma once"


def check_words(path, lines):
    """Unfinished work, and paths that exist on one machine only."""
    if path.parts[:2] == ("tests", "style"):
        return  # This checker and its test have to name what they look for.
    for number, line in enumerate(lines, 1):
        if match := UNFINISHED.search(line):
            yield number, f"unfinished work: {match.group()}"
        for match in ABSOLUTE_PATH.finditer(line):
            if match.group(1) in PRIVATE_ROOTS:
                yield number, f"an absolute path of one machine: /{match.group(1)}/..."
        # Only continuous integration knows what lies beside the project.
        if path.suffix != ".md" and path.parts[0] != ".ci" and LEAVING_PATH.search(line):
            yield number, "a relative path that leaves its folder"


def check_arrows(path, lines):
    """Includes go from tests and bench to tools, to ipc, to core, never back."""
    room = path.parts[0]
    if path.suffix not in CODE_SUFFIXES or room not in MAY_INCLUDE:
        return
    for number, quoted, angle in includes(lines):
        if quoted is not None:
            target = quoted.split("/")[0]
            if "/" not in quoted or target not in MAY_INCLUDE:
                yield number, f'include "{quoted}" from the project folder, as "core/x.h"'
            elif target not in MAY_INCLUDE[room]:
                yield number, f"{room} must not include {target}"
        elif room == "core":
            if angle in CORE_BANNED_HEADERS:
                yield number, f"core must not include <{angle}>"
            elif ("/" in angle or "." in angle) and angle not in CORE_PURE_LIBRARIES:
                yield number, f"core must not include the system header <{angle}>"


def check_core_words(path, lines):
    """What the core must not do."""
    if path.parts[0] != "core" or path.suffix not in CODE_SUFFIXES:
        return
    code = without_comments_and_strings("\n".join(lines)).split("\n")
    for number, line in enumerate(code, 1):
        if INCLUDE.match(lines[number - 1]):
            continue
        for pattern, what in CORE_BANNED_WORDS:
            if pattern.search(line):
                yield number, f"core must not use {what}"


def check_client_closure(root):
    """The client library must not reach the engine's headers."""
    reached = {}
    waiting = [(name, name) for name in CLIENT_ROOTS if (root / name).is_file()]
    while waiting:
        name, through = waiting.pop()
        if name in reached or not (root / name).is_file():
            continue
        reached[name] = through
        for _, quoted, _ in includes(read_lines(root, pathlib.Path(name))):
            if quoted is not None:
                waiting.append((quoted, name))
    for name, through in sorted(reached.items()):
        if name.startswith("core/") and name not in CLIENT_CORE_HEADERS:
            yield through, f"the client library must not include {name}"


def faults(root):
    """All faults of the project in `root`, as sentences."""
    result = []
    for path in text_files(root):
        lines = read_lines(root, path)
        for check in (check_layout, check_words, check_arrows, check_core_words):
            result += [f"{path}:{number}: {reason}" for number, reason in check(path, lines)]
    result += [f"{name}:1: {reason}" for name, reason in check_client_closure(root)]
    return result


def main():
    if len(sys.argv) != 2:
        print("usage: check_style.py PROJECT_FOLDER", file=sys.stderr)
        return 2
    found = faults(pathlib.Path(sys.argv[1]))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
