#!/usr/bin/env bash
# fuzz_files.sh PROGRAM... - runs each fuzz target, built to read files, once over its
# seeds: what `make fuzz-files` does, for compilers without libFuzzer.
set -eu
for program in "$@"; do
    name=$(basename "$program" -files)
    seeds=tests/fuzz/corpus/$name
    [ "$name" != json ] || seeds=tests/vectors/json-test-suite
    [ "$name" != pem ] || seeds=tests/vectors/pem
    [ -d "$seeds" ] || { echo "$name has no seeds"; continue; }
    "$program" "$seeds"/*
    printf 'ok   %-20s %s seeds\n' "$name" "$(ls "$seeds" | wc -l)"
done
