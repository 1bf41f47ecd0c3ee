#!/usr/bin/env python3
"""What README.md and docs/ say about the code is so:

- every ```c block is checked, by the comment above it:
    <!-- from FILE: MARK -->   is, byte for byte, what stands in FILE between
                               the lines /* [MARK] */ and /* [/MARK] */
    none                       stands in an example as it is
    <!-- complete -->          compiles as a file of its own
    <!-- fragment -->          compiles inside a function that has the usual names
                               (`readme_code.py fill` copies it from there)
- every mereau_ function, MEREAU_ constant, path of the tree, make target and test
  that is named exists.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

PRELUDE = """
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <mereau/mereau.h>
#include <mereau/sqlite.h>
#include <mereau/system.h>
#include <mereau/testing.h>
void fragment(mereau_ctx *ctx, mereau_tenant *acme, mereau_store *store, mereau_op *op,
              mereau_verifier *verifier, mereau_claims *claims, mereau_testbed *bed,
              const char *token, const char *jwt, const char *jwks, const char *client_id,
              const char *device_id, const char *kid, const char *id, const uint8_t *nonce,
              const uint8_t *key_2026, const uint8_t *key_2027, const char *header,
              mereau_status status, int64_t now_at);
void fragment(mereau_ctx *ctx, mereau_tenant *acme, mereau_store *store, mereau_op *op,
              mereau_verifier *verifier, mereau_claims *claims, mereau_testbed *bed,
              const char *token, const char *jwt, const char *jwks, const char *client_id,
              const char *device_id, const char *kid, const char *id, const uint8_t *nonce,
              const uint8_t *key_2026, const uint8_t *key_2027, const char *header,
              mereau_status status, int64_t now_at)
{
    mereau_error err = MEREAU_ERROR_INIT;
    (void)ctx, (void)acme, (void)store, (void)op, (void)verifier, (void)claims, (void)bed;
    (void)token, (void)jwt, (void)jwks, (void)client_id, (void)device_id, (void)kid, (void)id;
    (void)nonce, (void)key_2026, (void)key_2027, (void)header, (void)status, (void)now_at;
    (void)err;
    {
"""
pages = sorted(["README.md", "SECURITY.md", "CHANGELOG.md"] + glob.glob("docs/**/*.md",
                                                                          recursive=True))
bad, blocks, names = [], 0, 0
fill = sys.argv[1:] == ["fill"]


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def compiles(code):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "block.c")
        with open(path, "w", encoding="utf-8") as f:
            f.write(code)
        done = subprocess.run(
            [os.environ.get("CC", "cc"), "-std=c11", "-Wall", "-Wextra", "-Werror", "-Iinclude",
             "-fsyntax-only", path], capture_output=True, text=True)
        return "" if done.returncode == 0 else done.stderr.replace(path, "block")


def marked(path, mark):
    m = re.search(r"^/\* \[%s\] \*/\n(.*?)^/\* \[/%s\] \*/$" % (mark, mark), read(path),
                  re.S | re.M)
    return m.group(1).strip("\n") + "\n" if m else None


examples = [read(path) for path in glob.glob("examples/*.c")]
for page in pages:
    lines = read(page).split("\n")
    i = 0
    while i < len(lines):
        if lines[i].strip() == "```c":
            end = next(j for j in range(i + 1, len(lines)) if lines[j].strip() == "```")
            code = "\n".join(lines[i + 1:end]) + "\n"
            above = lines[i - 1].strip()
            where = f"{page}:{i + 1}"
            m = re.fullmatch(r"<!-- from (\S+): (\S+) -->", above)
            if m:
                if fill and marked(m.group(1), m.group(2)):
                    lines[i + 1:end] = marked(m.group(1), m.group(2)).rstrip("\n").split("\n")
                    with open(page, "w", encoding="utf-8") as f:
                        f.write("\n".join(lines))
                    end = next(j for j in range(i + 1, len(lines)) if lines[j].strip() == "```")
                elif marked(m.group(1), m.group(2)) != code:
                    bad.append(f"{where}: is not what {m.group(1)} has under [{m.group(2)}]")
            elif above == "<!-- complete -->":
                why = compiles(code)
                bad += [f"{where}: {why}"] if why else []
            elif above == "<!-- fragment -->":
                why = compiles(PRELUDE + code + "}}\n")
                bad += [f"{where}: {why}"] if why else []
            elif not any(code in text for text in examples):
                bad.append(f"{where}: a block that nobody checks")
            blocks += 1
            i = end
        i += 1

headers = "".join(read(p) for p in glob.glob("include/mereau/*.h"))
sources = "".join(read(p) for p in glob.glob("lib/**/*.[ch]", recursive=True))
tests = {m for p in glob.glob("tests/**/*.c", recursive=True)
         for m in re.findall(r"static void (\w+)\(void \*\*", read(p))}
tests |= {m for p in glob.glob("examples/python/test_*.py")
          for m in re.findall(r"^def (\w+)\(", read(p), re.M)}
targets = set(re.findall(r"^([\w-]+):(?!=)", read("Makefile"), re.M))
# Of each adapter that has a server: a part of check-all, and a benchmark.
targets |= {f"{what}-{os.path.basename(path)}" for path in glob.glob("lib/adapters/*")
            for what in ("check", "bench")}
targets |= set(re.search(r"^parts = (.*?)\n\.PHONY", read("Makefile"), re.M | re.S).group(1)
               .replace("\\\n", " ").split())
for line in re.findall(r"^\.PHONY: (.*)$", read("Makefile"), re.M):
    targets |= set(line.split())

for page in pages:
    for n, line in enumerate(read(page).split("\n"), 1):
        for name in re.findall(r"\b(?:mereau|MEREAU)_\w*\w\b(?!\*)", line):
            names += 1
            whole = re.search(r"\b%s" % re.escape(name) + (r"\b" if not name.endswith("_") else ""),
                              headers)
            if not whole and not re.fullmatch(r"mereau_(reg|aut|ref|acc|sec|heads|rearmed|before)_?", name) \
                    and name not in ("MEREAU_LIBDIR", "MEREAU_SOAK"):
                bad.append(f"{page}:{n}: {name} is not in the headers")
        for name in re.findall(r"\bmru_\w+\b(?!\*)", line):
            if not re.search(r"\b%s\b" % name, sources):
                bad.append(f"{page}:{n}: {name} is nowhere in lib/")
        for path in re.findall(r"(?:`|\()((?:lib|include|tests|docs|examples|pkgconfig)/[\w./-]*[\w/])",
                               line):
            names += 1
            if not os.path.exists(path):
                bad.append(f"{page}:{n}: there is no {path}")
        for path in re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", line):
            if not os.path.exists(os.path.join(os.path.dirname(page), path)):
                bad.append(f"{page}:{n}: there is no {path}")
        for target in re.findall(r"(?:^|`|\$ )make ([a-z][\w-]*)", line):
            names += 1
            if target not in targets:
                bad.append(f"{page}:{n}: make has no target {target}")
        if page == "docs/products.md":  # `tests.like_this` are functions of the tests
            for name in re.findall(r"`([a-z][a-z0-9]*(?:_[a-z0-9]+){2,})`", line):
                names += 1
                if name not in tests and not re.search(r"\b%s\b" % name, headers):
                    bad.append(f"{page}:{n}: there is no test {name}")

print("\n".join(bad) or f"{blocks} blocks, {names} names")
sys.exit(bool(bad) or blocks < 5 or names < 50)
