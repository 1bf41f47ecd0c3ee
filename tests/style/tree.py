#!/usr/bin/env python3
"""What must not stand in the tree: paths of somebody's machine, hosts of package
registries and mirrors, files made by a build."""
import os
import re
import subprocess
import sys

ME = "tests/style/tree.py"
WORDS = [
    (r"(?<![\w.$})/-])/(work|farm|home/\w+|root|Users/\w+)/", "a path of a machine"),
    (r"/tmp/(?!fresh\b|[\w.-]*XXXXXX)[\w.-]+", "a fixed path in /tmp"),
    (r"https?://[^/\s\"'>]*(registry|mirror|artifact|nexus|npmjs|pypi|proxy\.golang"
     r"|(deb|archive|security)\.(debian|ubuntu))", "a registry or mirror"),
    (r"\bTODO\b|\bFIXME\b|\bXXX\b", "a note to oneself"),
]
MADE = re.compile(r"\.(o|a|so|gcda|gcno|d|pyc|log|db|orig|rej)$|(^|/)(build[^/]*|node_modules)/")
# Data of others is kept as it was published.
DATA = re.compile(r"^tests/vectors/|^tests/golden/|^tests/fuzz/corpus/")

try:
    paths = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"],
                           capture_output=True, text=True, check=True).stdout.split("\0")
except (OSError, subprocess.CalledProcessError):  # a copy without history
    paths = [os.path.relpath(os.path.join(d, f)) for d, _, files in os.walk(".") for f in files
             if not re.match(r"\./(build|\.git)", d)]
paths = sorted(p for p in paths if p)
bad = []
for path in paths:
    if MADE.search(path):
        bad.append(f"{path}: made by a build")
    if path == ME or DATA.search(path):
        continue
    try:
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
    except FileNotFoundError:
        continue
    except UnicodeDecodeError:
        bad.append(f"{path}: not text")
        continue
    for n, line in enumerate(lines, 1):
        for pattern, what in WORDS:
            if re.search(pattern, line):
                bad.append(f"{path}:{n}: {what}: {line.strip()[:100]}")

print("\n".join(bad) or f"{len(paths)} files")
sys.exit(bool(bad) or not paths)
