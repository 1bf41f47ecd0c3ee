#!/usr/bin/env bash
# tidy.sh - clang-tidy (.clang-tidy) over every source of lib/, and cppcheck over all
# of them. Each source is one check, cppcheck another.
set -u
flags="-std=c11 -Iinclude -Ilib $(for p in libcjson libpq hiredis; do
    pkg-config --cflags $p 2>/dev/null
done | tr '\n' ' ')"
log=${O:-build-tidy}
mkdir -p "$log"
one() {
    local out
    out=$log/$(echo "$1" | tr / .).txt
    # shellcheck disable=SC2086
    if clang-tidy --quiet --warnings-as-errors='*' "$1" -- $flags >"$out" 2>/dev/null; then
        echo "$1" >>"$log/good"
    else
        { echo "FAIL clang-tidy $1"; grep -E 'error:|warning:' "$out" | head -20; } >&2
        echo "$1" >>"$log/bad"
    fi
}
export -f one
export flags log
: >"$log/good"; : >"$log/bad"
find lib -name '*.c' | sort | xargs -n1 -P"${JOBS:-2}" bash -c 'one "$1"' one
if cppcheck -q --std=c11 --enable=warning,performance,portability --inline-suppr \
    --error-exitcode=1 -Iinclude -Ilib -j "${JOBS:-2}" --suppress=missingInclude \
    --suppress=normalCheckLevelMaxBranches lib; then
    echo cppcheck >>"$log/good"
else
    echo "FAIL cppcheck"
    echo cppcheck >>"$log/bad"
fi
bad=$(wc -l <"$log/bad") good=$(wc -l <"$log/good")
echo "$good passed, $bad failed"
[ "$bad" = 0 ] && [ "$good" -gt 1 ]
