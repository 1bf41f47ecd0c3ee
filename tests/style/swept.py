#!/usr/bin/env python3
"""Every function of libmereau-verify is called in a test that lets each allocation fail
in turn (it includes "alloc.h"). libmereau's own are counted in tests/flow/test_faults.c,
and all that take NULL in tests/flow/test_null.c."""
import glob
import re
import sys

with open("include/mereau/verify.h") as f:
    headers = re.findall(r"<(mereau/\w+\.h)>", f.read())
names = set()
for header in headers:
    with open(f"include/{header}") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    names |= set(re.findall(r"MEREAU_API [^;{]*?\b(mereau_\w+)\(", text))

sweeps = ""
for path in glob.glob("tests/*/test_*.c"):
    with open(path) as f:
        text = f.read()
    if re.search(r'include.*[/"]alloc\.h"', text):
        sweeps += text

# They take no handle and allocate nothing.
EXEMPT = {"mereau_version", "mereau_unset", "mereau_constant", "mereau_error_init",
          "mereau_status_name", "mereau_status_text", "mereau_status_oauth",
          "mereau_status_http", "mereau_status_can_retry", "mereau_system_clock"}
bad = [f"{n}: in no test with failing allocations" for n in sorted(names - EXEMPT)
       if not re.search(rf"\b{n}\b", sweeps)]
print("\n".join(bad) or f"{len(names)} functions of libmereau-verify are swept")
sys.exit(bool(bad) or not names)
