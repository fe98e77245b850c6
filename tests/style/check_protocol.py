#!/usr/bin/env python3
"""Compares docs/PROTOCOL.md with the asserts of core/message_layout.h, ipc/counters_layout.h and
core/reject.h.

usage: check_protocol.py PROJECT

Exit status 0 when every byte table of the document says what the compiler asserts, and every
asserted field and every detail is in the document; else 1, with a line for each difference.
"""
import re
import sys
from pathlib import Path


def asserted_layout(text):
    fields = {}
    for message, field, byte, size in re.findall(
            r"SHMATCH_FIELD\((\w+), (\w+), (\d+), (\d+)\)", text):
        fields.setdefault(message, []).append((field, int(byte), int(size)))
    return fields


def documented_layout(text):
    fields = {}
    message = None
    for line in text.splitlines():
        title = re.match(r"(?:### )?`(\w+)`(?: \(type \d+\)|, \d+ bytes:)?$", line)
        if title:
            message = title.group(1)
        row = re.match(r"\| (\d+) \| (\d+) \| `(\w+)` \|", line)
        if row and message:
            byte, size, field = row.groups()
            fields.setdefault(message, []).append((field, int(byte), int(size)))
    return fields


def types(text, pattern):
    return {name: int(value) for name, value in re.findall(pattern, text)}


def main(project):
    root = Path(project)
    document = (root / "docs/PROTOCOL.md").read_text()
    messages = (root / "core/message_types.h").read_text()
    faults = []

    asserted = asserted_layout((root / "core/message_layout.h").read_text() +
                               (root / "ipc/counters_layout.h").read_text())
    documented = documented_layout(document)
    for message in sorted(asserted.keys() | documented.keys()):
        if asserted.get(message) != documented.get(message):
            faults.append(f"{message}: the code asserts {asserted.get(message)}, "
                          f"the document says {documented.get(message)}")

    titles = types(document, r"### `(\w+)` \(type (\d+)\)")
    numbers = {}
    for enum in ("RequestType", "ReportType"):
        body = re.search(rf"enum class {enum}.*?\}};", messages, re.S).group(0)
        numbers.update({f"{enum}::k{name}": value
                        for name, value in types(body, r"k(\w+) = (\d+),").items()})
    kinds = dict(re.findall(r"struct (?:\[\[.*\]\] )?(\w+) \{\n"
                            r"  static constexpr \w+ kType = (\w+::k\w+);", messages))
    kinds.update(dict(re.findall(r"using (\w+) = OrderObject<(ReportType::k\w+)>", messages)))
    for message, number in titles.items():
        if numbers.get(kinds.get(message)) != number:
            faults.append(f"{message}: the document says type {number}, "
                          f"the code {numbers.get(kinds.get(message))}")
    for message in kinds.keys() - titles.keys():
        faults.append(f"{message}: not in the document")

    details = re.search(r"enum class Detail.*?\};", (root / "core/reject.h").read_text(), re.S)
    in_code = types(details.group(0), r"k(\w+) = (\d+)")
    in_document = {name: int(value)
                   for value, name in re.findall(r"^\| (\d+) \| (\w+) \| ",
                                              document.split("## Details")[-1], re.M)}
    for name in sorted(in_code.keys() | in_document.keys()):
        if in_code.get(name) != in_document.get(name):
            faults.append(f"detail {name}: {in_code.get(name)} in the code, "
                          f"{in_document.get(name)} in the document")

    if not asserted or not titles or not in_code:
        faults.append("nothing to compare: a pattern of this script no longer fits the files")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
