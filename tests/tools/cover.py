#!/usr/bin/env python3
"""cover.py DIR - the lines of lib/ that ran, by file and together, from what gcov
says about a build with --coverage in DIR."""
import glob
import json
import os
import subprocess
import sys

build = os.path.abspath(sys.argv[1])
lines = {}
for note in glob.glob(f"{build}/lib/**/*.gcno", recursive=True):
    out = subprocess.run(["gcov", "--json-format", "--stdout", note],
                         capture_output=True, check=False).stdout
    for text in out.splitlines():
        for f in json.loads(text)["files"]:
            if f["file"].startswith("lib/"):
                seen = lines.setdefault(f["file"], {})
                for line in f["lines"]:
                    n = line["line_number"]
                    seen[n] = max(seen.get(n, 0), line["count"])

total = ran = 0
for name in sorted(lines):
    have, did = len(lines[name]), sum(c > 0 for c in lines[name].values())
    total, ran = total + have, ran + did
    missed = [n for n in sorted(lines[name]) if not lines[name][n]]
    print(f"{name:44} {100 * did / max(have, 1):6.1f} % of {have:5}"
          f"   {' '.join(map(str, missed[:12]))}{' ...' if len(missed) > 12 else ''}")
print(f"{'lib/':44} {100 * ran / max(total, 1):6.1f} % of {total:5}")
sys.exit(not total)
