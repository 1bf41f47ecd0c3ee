#!/usr/bin/env bash
# fuzz.sh DIR FUZZER... - each for FUZZ_SECONDS, starting from tests/fuzz/corpus/NAME
# when there is one. What is found by luck stays in DIR, and so do crashes.
set -u
dir=$1; shift
passed=0 failed=0
for fuzzer in "$@"; do
    name=$(basename "$fuzzer")
    mkdir -p "$dir/corpus/$name"
    seeds=tests/fuzz/corpus/$name
    [ "$name" != json ] || seeds=tests/vectors/json-test-suite
    [ "$name" != pem ] || seeds=tests/vectors/pem
    [ -d "$seeds" ] || seeds=
    # shellcheck disable=SC2086
    if "$fuzzer" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=20 -rss_limit_mb=1024 \
        -print_final_stats=1 -artifact_prefix="$dir/$name-" "$dir/corpus/$name" $seeds \
        >"$dir/$name.log" 2>&1 </dev/null; then
        runs=$(sed -nE 's/^stat::number_of_executed_units: *//p' "$dir/$name.log")
        printf 'ok   %-40s %s runs\n' "$name" "$runs"
        passed=$((passed + 1))
    else
        printf 'FAIL %s\n' "$name"
        tail -n 40 "$dir/$name.log" | sed 's/^/     | /'
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed != 0 ]
