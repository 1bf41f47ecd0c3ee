#!/usr/bin/env python3
"""Symbols of the static libraries in $O: nothing in them is static and mutable, and
every name that a linker sees begins with mereau_ (public) or mru_ (ours), and is in
one library only."""
import os
import re
import subprocess
import sys

build = os.environ.get("O", "build")
nm = os.environ.get("NM", "nm")
ALLOWED = set()  # (object, name) of static mutable data, each with its reason
# Constant, though it lies in a data section until addresses are filled in.
CONSTANT = re.compile(r"\.(rodata|data\.rel\.ro|text|eh_frame|debug|comment|note|init_array\b)")
home = {}  # name: the library that has it
bad, seen = [], 0  # (__x86.get_pc_thunk: made by the compiler, on 32 bits)

with open(f"{build}/libraries") as f:  # adapters that were left out were not built
    built = f.read().split()
for library in built:
    out = subprocess.run([nm, "-f", "sysv", "--defined-only", f"{build}/lib{library}.a"],
                         capture_output=True, text=True)
    if out.returncode:
        bad.append(out.stderr.strip())
    member = "?"
    for line in out.stdout.splitlines():
        m = re.match(r"Symbols from .*\[(.+)\]:", line)
        if m:
            member = m.group(1)
        part = [p.strip() for p in line.split("|")]
        if len(part) != 7 or part[0] == "Name":
            continue
        name, kind, section = part[0], part[2], part[6]
        seen += 1
        if kind.isupper() and not re.match(r"mereau_|mru_|__x86\.", name):
            bad.append(f"lib{library}.a: {member}: {name} has neither prefix")
        if kind.isupper() and not name.startswith("__x86.") and \
                home.setdefault(name, library) != library:
            bad.append(f"lib{library}.a: {member}: {name} is in lib{home[name]}.a as well")
        if re.match(r"\.(data|bss|tdata|tbss)|\*COM\*", section) and \
                not CONSTANT.match(section) and (member, name) not in ALLOWED:
            bad.append(f"lib{library}.a: {member}: {name} is mutable static data")

print("\n".join(bad) or f"{seen} symbols, none mutable, all with a prefix")
sys.exit(bool(bad) or not seen)
