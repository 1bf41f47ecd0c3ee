#!/usr/bin/env python3
"""docs/products.md has all rows, each names a test that exists, or says that it comes
later or is deliberately other; and each test of tests/flow/test_products.c stands in the
row whose number it bears."""
import glob
import re
import sys

ROWS = [f"{letter}{n}" for letter, last in (("S", 24), ("I", 12), ("E", 13))
        for n in range(1, last + 1)]
bad = []


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


headers = "".join(read(p) for p in glob.glob("include/mereau/*.h"))
tests = {name for p in glob.glob("tests/**/*.c", recursive=True)
         for name in re.findall(r"\bstatic void\s+(\w+)\(void \*\*", read(p))}
tests |= {name for p in glob.glob("examples/python/test_*.py")
          for name in re.findall(r"^def (\w+)\(\):", read(p), re.M)}
numbered = re.findall(r"TEST\(([sie]\d\d_\w+)\)", read("tests/flow/test_products.c"))

rows = {}
for line in read("docs/products.md").split("\n"):
    cells = re.match(r"\| ([A-Z]\d+) \| (.+?) \| (.+) \|$", line)
    if cells:
        if cells.group(1) in rows:
            bad.append(f"{cells.group(1)}: stands there twice")
        rows[cells.group(1)] = cells.group(3)

named = 0
for row in ROWS:
    text = rows.get(row, "")
    names = {name for name in re.findall(r"`([a-z]\w+)`", text)
             if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+){2,}", name)
             and not re.search(r"\b%s\b" % name, headers)}
    named += len(names)
    bad += [f"{row}: there is no test {name}" for name in sorted(names - tests)]
    if row not in rows:
        bad.append(f"{row}: has no row")
    elif not names & tests and not re.search(r"\blater\b|\*[Oo]ther\*", text):
        bad.append(f"{row}: neither a test nor a reason")
    own = {name for name in numbered if int(name[1:3]) == int(row[1:]) and name[0] == row[0].lower()}
    bad += [f"{row}: does not name {name}" for name in sorted(own - names)]

print("\n".join(bad) or f"{len(rows)} rows, {named} tests")
sys.exit(bool(bad) or not numbered)
