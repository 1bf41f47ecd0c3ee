#!/usr/bin/env bash
# check_all.sh PART... - runs `make PART` for each, one after the other, and prints
# how many passed and failed and the minutes of each. A part that ends badly without
# saying how many failed counts as one failure. The last line is the sum.
set -u
log=build-check-all
mkdir -p $log
passed=0 failed=0 table= sum_of_seconds=0
for part in "$@"; do
    echo "== make $part"
    start=$(date +%s)
    make --no-print-directory "$part" </dev/null 2>&1 | tee "$log/$part.log"
    rc=${PIPESTATUS[0]}
    seconds=$(($(date +%s) - start))
    # What parts in several steps print in each, is added up.
    read -r good bad <<<"$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' \
        "$log/$part.log" | awk '{g += $1; b += $2} END {print g + 0, b + 0}')"
    if [ "$rc" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
    if [ "$good" = 0 ] && [ "$bad" = 0 ]; then bad=1; fi
    passed=$((passed + good)) failed=$((failed + bad))
    sum_of_seconds=$((sum_of_seconds + seconds))
    table+=$(printf '%-16s %6d passed %4d failed %5d.%d min' "$part" "$good" "$bad" \
        $((seconds / 60)) $((seconds % 60 / 6)))$'\n'
done
echo "== parts"
printf '%s' "$table"
printf '%-16s %6d passed %4d failed %5d.%d min\n' together $passed $failed \
    $((sum_of_seconds / 60)) $((sum_of_seconds % 60 / 6))
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed != 0 ]
