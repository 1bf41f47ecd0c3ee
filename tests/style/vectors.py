#!/usr/bin/env python3
"""Every file of test data under tests/vectors is in exactly one list of
tests/vectors/files.tsv (run, unsupported, another issue), each file that is run is there
and named in a test, and each folder says in a README where it comes from."""
import collections
import fnmatch
import glob
import os
import re
import sys

HOME = "tests/vectors"
LISTS = ("run", "unsupported", "another issue")
bad, rows = [], []
with open(f"{HOME}/files.tsv") as f:
    for line in f.read().splitlines():
        if line and not line.startswith("#"):
            rows.append(line.split("\t"))
for row in rows:
    if len(row) != 2 or row[0] not in LISTS:
        bad.append(f"files.tsv: not a list and a file: {row}")
rows = [row for row in rows if len(row) == 2]
for pattern, n in collections.Counter(pattern for _, pattern in rows).items():
    if n > 1:
        bad.append(f"files.tsv: {pattern} is named {n} times")

data = sorted(os.path.relpath(p, HOME) for p in glob.glob(f"{HOME}/*/**", recursive=True)
              if os.path.isfile(p) and os.path.basename(p) not in ("README.md", "LICENSE"))
for path in data:
    lists = [name for name, pattern in rows if fnmatch.fnmatchcase(path, pattern)]
    if len(lists) != 1:
        bad.append(f"{path}: in {len(lists)} lists of files.tsv")

tests = ""
for path in glob.glob("tests/*/*.[ch]"):
    with open(path) as f:
        tests += re.sub(r'"\s*\n\s*"', "", f.read())  # strings over several lines
counts = collections.Counter()
for name, pattern in rows:
    there = fnmatch.filter(data, pattern)
    counts[name] += len(there) or 1
    if name != "run":
        continue
    folder, base = os.path.split(pattern)
    if not there:
        bad.append(f"{pattern}: to be run, and not there")
    if (folder if base == "*" else base) not in tests:
        bad.append(f"{pattern}: to be run, and named in no test")
for folder in sorted({path.split("/")[0] for path in data}):
    if not os.path.exists(f"{HOME}/{folder}/README.md"):
        bad.append(f"{folder}: no README.md that says where it comes from")

print("\n".join(bad) or ", ".join(f"{counts[name]} {name}" for name in LISTS))
sys.exit(bool(bad) or not data)
