#!/usr/bin/env python3
"""A function of more than 100 lines or a file of more than 1000 is two things under
one name: refused in include/, lib/ and examples/."""
import glob
import re
import sys

FUNCTION, FILE = 100, 1000
bad, count, longest = [], 0, (0, "")


def functions(lines):
    """(name, first, last) of functions laid out by clang-format: a definition begins
    and ends in the first column."""
    first = None
    for i, line in enumerate(lines):
        if re.match(r"[A-Za-z_]", line) and first is None:
            first = i
        if line.startswith("}") and first is not None:
            head = " ".join(lines[first:i + 1])
            m = re.match(r"[^{;=]*?\b(\w+)\([^{;]*\)\s*\{", head)
            if m:
                yield m.group(1), first, i
            first = None
        elif first is not None and (line.rstrip().endswith(";") and
                                    "{" not in " ".join(lines[first:i + 1])):
            first = None


for path in sorted(p for d in ("include", "lib", "examples")
                   for e in ("c", "h", "cc") for p in glob.glob(f"{d}/**/*.{e}", recursive=True)):
    with open(path) as f:
        lines = f.read().split("\n")
    if len(lines) - 1 > FILE:
        bad.append(f"{path}: {len(lines) - 1} lines")
    for name, first, last in functions(lines):
        count += 1
        longest = max(longest, (last - first + 1, name))
        if last - first + 1 > FUNCTION:
            bad.append(f"{path}:{first + 1}: {name} has {last - first + 1} lines")

print("\n".join(bad) or f"{count} functions, the longest {longest[1]} with {longest[0]} lines")
sys.exit(bool(bad) or not count)
