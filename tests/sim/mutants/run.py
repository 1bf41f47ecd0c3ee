#!/usr/bin/env python3
"""Plants each bug of list.py into a copy of lib/, builds, and runs the simulator
(and, where a mutant names them, other tests) until something fails. A mutant that
survives, or that no longer applies, makes the run fail. Stores that need a server are
tried where client library and server are installed; elsewhere the run says so.

    run.py [name ...]      JOBS=2 at once; O=build-mutants
"""
import concurrent.futures
import functools
import glob
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from list import MUTANTS  # noqa: E402

OUT = os.environ.get("O") or "build-mutants"
BASE = os.path.join(OUT, "base")
CC = os.environ.get("CC") or "gcc"
STD = "-std=c11 -O1 -fPIC -fvisibility=hidden -Iinclude".split()
SECONDS = 240
JOBS = int(os.environ.get("JOBS") or 2)
# Stores that need a server: where its program may be.
SERVERS = {"postgres": ["/usr/lib/postgresql/*/bin/postgres"], "redis": []}


def make(*targets):
    subprocess.run(["make", "-s", "--no-print-directory", f"-j{JOBS}", f"O={BASE}",
                    "CFLAGS=-O1", *[os.path.join(BASE, t) for t in targets]], check=True)


@functools.lru_cache(maxsize=None)
def ask(*names):
    """What variables of the Makefile stand for, as lists of words."""
    show = "include Makefile\nshow:\n" + "".join(f"\t@echo $({n})\n" for n in names)
    lines = subprocess.run(
        ["make", "-s", "--no-print-directory", f"O={BASE}", "-f", "-", "show"],
        check=True, input=show, capture_output=True, text=True).stdout.split("\n")
    return [line.split() for line in lines[:len(names)]]


def server_of(test):
    folder = test.split("/")[0]
    return folder if folder in SERVERS else None


def is_here(server):
    program = {"redis": "redis-server"}.get(server, server)
    return server in ask("adapters")[0] and bool(
        shutil.which(program) or any(glob.glob(p) for p in SERVERS[server]))


def plant(text, old, new):
    """Replaces one piece, white space apart. None: not there exactly once."""
    pattern = r"\s*".join(re.escape(part) for part in
                          re.findall(r"\w+|[^\w\s]", old))
    found = list(re.finditer(pattern, text))
    if len(found) != 1:
        return None
    return text[:found[0].start()] + new + text[found[0].end():]


def objects_of(test):
    folder = os.path.join("tests", os.path.dirname(test))
    shared = [f for f in sorted(os.listdir(folder)) if f.endswith(".c")
              and not f.startswith("test_") and f not in ("alloc.c", "preload.c")]
    files = [f"tests/{test}.o"] + [os.path.join(folder, f[:-2] + ".o") for f in shared]
    source = open(f"tests/{test}.c", encoding="utf-8").read()
    if re.search(r'include.*[/"]alloc\.h"', source):
        files.append("tests/unit/alloc.o")
    files = [os.path.join(BASE, f) for f in files]
    return files + ask("of_stores")[0] if server_of(test) else files


def link(folder, test, mutated, libs):
    program = os.path.join(folder, os.path.basename(test))
    server = server_of(test)
    subprocess.run([CC, "-o", program, *objects_of(test), *mutated,
                    *[os.path.join(BASE, f"libmereau-{s}.a") for s in [server] if s],
                    *libs, *(ask(f"{server}_libs")[0] if server else [])], check=True)
    return program


def run(program, only=None):
    """None: it passed. Else what failed, in one line."""
    env = dict(os.environ, MEREAU_SIM_SHORT="1", HISTORIES="200",
               CMOCKA_MESSAGE_OUTPUT="STDOUT")
    if only:
        env["MEREAU_SIM_ONLY"] = only
    try:
        done = subprocess.run([program], env=env, capture_output=True, text=True,
                              errors="replace", timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"no end within {SECONDS} s"
    if done.returncode == 0:
        return None
    text = done.stdout + done.stderr
    case = re.search(r"sim: case (\w+): (\w+)", text)
    if case:
        return f"{case.group(2)} in {case.group(1)}"
    caught = re.search(r"sim: caught by (\w+)", text)
    failed = re.search(r"FAILED +\] (\w+)", text)
    if failed:
        return ((caught.group(1) + ": ") if caught else "") + failed.group(1)
    return f"ended with {done.returncode}"


def try_one(mutant, libs):
    started = time.time()
    folder = os.path.join(OUT, mutant["name"])
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree("lib", os.path.join(folder, "lib"))
    files = []
    for file, old, new in mutant["edits"]:
        path = os.path.join(folder, "lib", file)
        with open(path, encoding="utf-8") as f:
            text = plant(f.read(), old, new)
        if text is None:
            return False, "does not apply to " + file, time.time() - started
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        if path not in files:
            files.append(path)
    objects = []
    flags = [f for t in mutant["tests"] if server_of(t)
             for f in ask(f"{server_of(t)}_cflags")[0]]
    for path in files:
        built = subprocess.run([CC, *STD, *flags, "-I" + os.path.join(folder, "lib"), "-c",
                                "-o", path[:-2] + ".o", path],
                               capture_output=True, text=True)
        if built.returncode != 0:
            return False, "does not compile: " + built.stderr[:300], 0
        objects.append(path[:-2] + ".o")
    caught = None
    if mutant["cases"] != "none":
        program = link(folder, "sim/test_sim", objects, libs)
        if mutant["cases"]:
            caught = run(program, mutant["cases"])
        caught = caught or run(program)
    for test in mutant["tests"]:
        if not caught:
            caught = run(link(folder, test, objects, libs))
            caught = caught and f"{test}: {caught}"
    shutil.rmtree(folder, ignore_errors=True)
    return bool(caught), caught or "SURVIVED", time.time() - started


def main():
    chosen = [m for m in MUTANTS if not sys.argv[1:] or m["name"] in sys.argv[1:]]
    assert chosen, "no such mutant"
    wanted = {server_of(t) for m in chosen for t in m["tests"]} - {None}
    absent = {s for s in wanted if not is_here(s)}
    left_out = [m for m in chosen if absent & {server_of(t) for t in m["tests"]}]
    chosen = [m for m in chosen if m not in left_out]
    tests = {"sim/test_sim"} | {t for m in chosen for t in m["tests"]}
    make("libmereau.a", "libmereau-verify.a", "libmereau-sqlite.a", "libmereau-testing.a",
         "libmereau-front.a", *[f"tests/{t}" for t in sorted(tests)])
    libs = ask("link_libs", "CMOCKA_LIBS")
    libs = libs[0] + libs[1]
    for test in sorted(t for t in tests if t == "sim/test_sim" or server_of(t)):
        before = run(os.path.join(BASE, "tests", test))
        if before:
            sys.exit(f"without a mutant, {test} already fails: {before}")
    bad = 0
    width = max(len(m["name"]) for m in chosen)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for mutant, (good, what, seconds) in zip(
                chosen, pool.map(lambda m: try_one(m, libs), chosen)):
            bad += not good
            print(f"{'caught' if good else 'FAILED'}  {mutant['name']:{width}}  "
                  f"{what}  [{mutant['source']}]  {seconds:.0f} s", flush=True)
    for mutant in left_out:
        print(f"not tried  {mutant['name']}: {' or '.join(sorted(absent))} is not here")
    print(f"{len(chosen) - bad} of {len(chosen)} mutants caught"
          + (f", {len(left_out)} not tried" if left_out else ""))
    sys.exit(1 if bad else 0)


main()
