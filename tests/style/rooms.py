#!/usr/bin/env python3
"""Rooms: nobody includes upwards, and only the room made for it sees a library of
others or the operating system.

Read from the compiler's own dependency output, the .d files of the last build in $O,
so an include that arrives through another header counts as well."""
import glob
import os
import re
import sys

build = os.environ.get("O", "build")
# room: the rooms it may include; what those include comes with them.
ARROWS = {
    "base": "",
    "port": "base",
    "json": "base",
    "crypto": "base",
    # port: a verifier's keys are replaced under a lock.
    "jose": "json crypto port",
    "credential": "base crypto",
    "record": "json crypto",
    # jose: a keyring, whose stages the model decides, holds keys.
    "model": "credential record jose",
    "transact": "record port",
    "engine": "model transact jose",
    # Libraries of their own: the public headers, and helpers that are linked twice.
    "adapters": "base port",
    "testing": "base port",
}
# C11, all of it that needs no operating system.
C11 = set("assert complex ctype errno float inttypes iso646 limits math setjmp "
          "stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib string".split())
OTHERS = {"json": r"(cjson/)?cJSON", "crypto/mbedtls": r"(mbedtls|psa)/\w+",
          "crypto/openssl": r"openssl/\w+"}
PROVIDERS = ["crypto/mbedtls", "crypto/openssl"]  # one of them is in a build
ANY = {"port", "adapters", "testing"}


def reach(room):
    seen, todo = {room}, ARROWS[room].split()
    while todo:
        r = todo.pop()
        if r not in seen:
            seen.add(r)
            todo += ARROWS[r].split()
    return seen


def room_of(path):
    m = re.match(r"lib/(\w+)/", path)
    return m and m.group(1)


def place_of(path):
    return os.path.dirname(path)[len("lib/"):]


def included(source):
    """All headers of the tree that the compiler read for a source."""
    with open(f"{build}/{source[:-2]}.d") as f:
        words = f.read().replace("\\\n", " ").split("\n")[0].split()[1:]
    return [os.path.normpath(w) for w in words]


bad = []
with open(f"{build}/libraries") as f:  # adapters that were left out were not built
    built = {name.replace("mereau-", "lib/adapters/") for name in f.read().split()}
sources = sorted(glob.glob("lib/*/*.c") +
                 [p for p in glob.glob("lib/adapters/*/*.c") if os.path.dirname(p) in built])
providers = {p: sorted(glob.glob(f"lib/{p}/*.c")) for p in PROVIDERS}
chosen = [p for p in PROVIDERS if glob.glob(f"{build}/lib/{p}/*.d")]
if not chosen:
    bad.append(f"no provider was built in {build}")
for p in chosen:
    sources += providers[p]
for source in sources:
    room = room_of(source)
    if room not in ARROWS:
        bad.append(f"{source}: the room {room} is in no rule")
        continue
    try:
        paths = included(source)
    except FileNotFoundError:
        bad.append(f"{source}: not built in {build}")
        continue
    for path in paths:
        other = room_of(path)
        if other and other not in reach(room):
            bad.append(f"{source}: {room} includes {path}")
        if place_of(path) in PROVIDERS and place_of(path) != place_of(source):
            bad.append(f"{source}: sees the inside of {place_of(path)}")

for path in sorted(set(sources).union(*providers.values())) + sorted(glob.glob("lib/**/*.h", recursive=True)):
    room = room_of(path)
    if room in ANY or room is None:
        continue
    with open(path) as f:
        for name in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)\.h[>"]', f.read(), re.M):
            if re.fullmatch(r"mereau/\w+|((\.\./)+(\w+/)?)?\w+", name):
                if name in C11 or name.startswith("mereau/") or \
                        os.path.exists(os.path.join(os.path.dirname(path), name + ".h")):
                    continue
            if not re.fullmatch(OTHERS.get(place_of(path), "$^"), name):
                bad.append(f"{path}: {room} includes <{name}.h>")

print("\n".join(bad) or f"{len(sources)} sources keep to their rooms")
sys.exit(bool(bad) or not sources)
