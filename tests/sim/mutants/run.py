#!/usr/bin/env python3
"""Plants each bug of list.py into a copy of lib/, builds, and runs the simulator
(and, where a mutant names them, other tests) until something fails. A mutant that
survives, or that no longer applies, makes the run fail.

    run.py [name ...]      JOBS=2 at once; O=build-mutants
"""
import concurrent.futures
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


def make(*targets):
    subprocess.run(["make", "-s", "--no-print-directory", f"-j{JOBS}", f"O={BASE}",
                    "CFLAGS=-O1", *[os.path.join(BASE, t) for t in targets]], check=True)


def libraries():
    text = subprocess.run(
        ["make", "-s", "--no-print-directory", "-f", "-", "show"], check=True,
        input="include Makefile\nshow:\n\t@echo $(link_libs) $(CMOCKA_LIBS)\n",
        capture_output=True, text=True).stdout.split()
    return [w for w in text if not w.startswith("build")]


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
              and not f.startswith("test_") and f != "alloc.c"]
    files = [f"tests/{test}.o"] + [os.path.join(folder, f[:-2] + ".o") for f in shared]
    source = open(f"tests/{test}.c", encoding="utf-8").read()
    if re.search(r'include.*[/"]alloc\.h"', source):
        files.append("tests/unit/alloc.o")
    return [os.path.join(BASE, f) for f in files]


def link(folder, test, mutated, libs):
    program = os.path.join(folder, os.path.basename(test))
    subprocess.run([CC, "-o", program, *objects_of(test), *mutated,
                    *[os.path.join(BASE, f"libmereau{n}.a")
                      for n in ("-testing", "-front", "-sqlite", "", "-verify")],
                    *libs], check=True)
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
    for path in files:
        built = subprocess.run([CC, *STD, "-I" + os.path.join(folder, "lib"), "-c",
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
    tests = {"sim/test_sim"} | {t for m in chosen for t in m["tests"]}
    make("libmereau.a", "libmereau-verify.a", "libmereau-sqlite.a", "libmereau-front.a",
         "libmereau-testing.a",
         *[f"tests/{t}" for t in sorted(tests)])
    libs = libraries()
    before = run(os.path.join(BASE, "tests/sim/test_sim"))
    if before:
        sys.exit(f"without a mutant, the simulator already fails: {before}")
    bad = 0
    width = max(len(m["name"]) for m in chosen)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for mutant, (good, what, seconds) in zip(
                chosen, pool.map(lambda m: try_one(m, libs), chosen)):
            bad += not good
            print(f"{'caught' if good else 'FAILED'}  {mutant['name']:{width}}  "
                  f"{what}  [{mutant['source']}]  {seconds:.0f} s", flush=True)
    print(f"{len(chosen) - bad} of {len(chosen)} mutants caught")
    sys.exit(1 if bad else 0)


main()
