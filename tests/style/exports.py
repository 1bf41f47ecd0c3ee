#!/usr/bin/env python3
"""Exports are headers are documentation: what the shared libraries in $O export is
what the public headers declare, each with a comment that says since when; and every
name that a comment mentions exists."""
import glob
import os
import re
import subprocess
import sys

build = os.environ.get("O", "build")
nm = os.environ.get("NM", "nm")
with open(f"{build}/libraries") as f:  # adapters that were left out were not built
    built = f.read().split()
ADAPTERS = ["mereau-" + os.path.basename(p) for p in glob.glob("lib/adapters/*")]
OWN = {name.replace("mereau-", "") + ".h": name for name in ADAPTERS + ["mereau-testing"]}
with open("include/mereau/verify.h") as f:  # the umbrella names what belongs to it
    OWN.update({name: "mereau-verify" for name in re.findall(r"<mereau/(\w+\.h)>", f.read())})
bad = []
declared = {name: set() for name in {"mereau", *built, *OWN.values()}}
constants, comments = set(), ""

for path in sorted(glob.glob("include/mereau/*.h")):
    with open(path) as f:
        text = f.read()
    code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    comments += "\n".join(re.findall(r"/\*.*?\*/", text, re.S))
    constants |= set(re.findall(r"\b(MEREAU_[A-Z0-9_]+)\b", code))
    library = declared[OWN.get(os.path.basename(path), "mereau")]
    for m in re.finditer(r"(/\*\*(?:(?!\*/).)*\*/)?\s*MEREAU_API ([^;{]*?)\b"
                         r"(mereau_\w+)\(([^;]*?)\);", text, re.S):
        comment, _, name, _ = m.groups()
        if name in library:
            bad.append(f"{path}: {name} is declared twice")
        library.add(name)
        if not comment or "Since:" not in comment:
            bad.append(f"{path}: {name} has no comment with Since:")
    if len(re.findall(r"\bMEREAU_API\b", re.sub(r"#define MEREAU_API.*", "", code))) != \
            len(re.findall(r"MEREAU_API [^;{]*?\bmereau_\w+\([^;]*?\);", code, re.S)):
        bad.append(f"{path}: a MEREAU_API that this check cannot read")

names = set().union(*declared.values())
for name in sorted(set(re.findall(r"\b(mereau_\w+)\(\)", comments)) - names):
    bad.append(f"a comment mentions {name}()")
for name in sorted(set(re.findall(r"\bMEREAU_[A-Z0-9_]*[A-Z0-9]\b", comments)) - constants):
    bad.append(f"a comment mentions {name}")

for library, wanted in declared.items():
    if library not in built:
        print(f"lib{library}.so was left out of {build}")
        continue
    out = subprocess.run([nm, "-D", "--defined-only", f"{build}/lib{library}.so"],
                         capture_output=True, text=True)
    if out.returncode:
        bad.append(out.stderr.strip())
        continue
    exported = {line.split()[-1] for line in out.stdout.splitlines() if " A " not in line}
    # What libmereau uses inside libmereau-verify, under a version of its own.
    private = {name for name in exported if library == "mereau-verify" and
               re.fullmatch(r"mru_\w+@@MEREAU_PRIVATE_[\d.]+", name)}
    found = {name.split("@")[0] for name in exported - private}
    for name in sorted(wanted - found):
        bad.append(f"lib{library}.so lacks {name}")
    for name in sorted(found - wanted):
        bad.append(f"lib{library}.so exports {name}, which no header declares")

print("\n".join(bad) or f"{len(names)} symbols, exported, declared and documented")
sys.exit(bool(bad) or not names)
