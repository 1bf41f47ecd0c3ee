#!/usr/bin/env bash
# run_tests.sh DIR PROGRAM... - runs test programs from the root of the repository,
# JOBS (2) at once, and prints a line for each in the order given, whoever ended
# first. Output of programs that failed follows their line; all of it is in DIR.
#
# Programs of cmocka count each of their tests; a script (*.sh, *.py) is one test,
# passed when it exits with 0, and so is an example, which is given a file of its own
# to keep its store in. A program that crashes, hangs, skips or has no tests
# is a failure. The last line is "N passed, M failed"; the exit is 0 only without
# failures and with at least one test.
#
# RUN       what runs a program: "valgrind -q", "qemu-s390x -L /"; not for scripts
# TIMEOUT   seconds for one program (1200)
set -u
log=$1; shift
jobs=${JOBS:-2}
mkdir -p "$log"
export LC_ALL=C CMOCKA_MESSAGE_OUTPUT=STDOUT
export RUN_LOG=$log RUN=${RUN:-} TIMEOUT=${TIMEOUT:-1200}

name() { # a file name for a program
    local n=${1#"$ROOT_OF_BUILD"}
    printf '%s' "${n//\//.}"
}
export -f name
export ROOT_OF_BUILD=${ROOT_OF_BUILD:-}

one() {
    local out start rc file= program
    case $1 in /*) program=$1 ;; *) program=$PWD/$1 ;; esac
    out=$RUN_LOG/$(name "$1")
    rm -f "$out.rc"
    start=$(date +%s%N)
    case $1 in
    *.sh) timeout -k 10 "$TIMEOUT" bash "$1" ;;
    *.py) timeout -k 10 "$TIMEOUT" python3 "$1" ;;
    */examples/*)
        file=$(mktemp -d)/example.db
        # shellcheck disable=SC2086
        (cd "${file%/*}" && timeout -k 10 "$TIMEOUT" $RUN "$program" "$file") ;;
    *) # RUN may be several words.
        # shellcheck disable=SC2086
        timeout -k 10 "$TIMEOUT" $RUN "$1" ;;
    esac >"$out.out" 2>"$out.err" </dev/null
    rc=$?
    [ -z "$file" ] || rm -rf "${file%/*}"
    echo "$rc $(($(date +%s%N) - start))" >"$out.part"
    mv "$out.part" "$out.rc"
}
export -f one

for p in "$@"; do rm -f "$log/$(name "$p").rc"; done
# The simulator takes longest, so it begins first.
order() {
    for p in "$@"; do case $p in */sim/*) printf '%s\0' "$p" ;; esac done
    for p in "$@"; do case $p in */sim/*) ;; *) printf '%s\0' "$p" ;; esac done
}
order "$@" | xargs -0 -n1 -P"$jobs" bash -c 'one "$1"' one &
pool=$!
trap 'kill $pool 2>/dev/null' EXIT

passed=0 failed=0
for p in "$@"; do
    f=$log/$(name "$p")
    while [ ! -e "$f.rc" ]; do
        kill -0 $pool 2>/dev/null || { [ -e "$f.rc" ] || echo "255 0" >"$f.rc"; }
        sleep 0.05
    done
    read -r rc ns <"$f.rc"
    case $p in
    *.sh | *.py | */examples/*)
        good=0 bad=0
        if [ "$rc" = 0 ]; then good=1; else bad=1; fi
        ;;
    *)
        # cmocka names a failed test again in its summary: names are counted once.
        good=$(grep -c '^\[       OK \]' "$f.out")
        bad=$(cat "$f.out" "$f.err" |
            sed -nE 's/^\[ *(FAILED|SKIPPED|ERROR) *\] //p' |
            grep -vE '^---|listed below|test\(s\)' | sort -u | wc -l)
        begun=$(grep -c '^\[ RUN      \]' "$f.out")
        [ "$begun" -le $((good + bad)) ] || bad=$((begun - good))
        if [ "$rc" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
        if [ "$good" = 0 ] && [ "$bad" = 0 ]; then bad=1; fi
        ;;
    esac
    word=ok
    [ "$bad" = 0 ] || word=FAIL
    printf '%-4s %-50s %4d passed' "$word" "${p#"$ROOT_OF_BUILD"}" "$good"
    [ "$bad" = 0 ] || printf ', %d failed (exit %d)' "$bad" "$rc"
    printf ' %6d.%d s\n' $((ns / 1000000000)) $((ns / 100000000 % 10))
    if [ "$bad" != 0 ]; then
        cat "$f.out" "$f.err" | grep -vE '^\[ RUN      \]|^\[       OK \]' |
            head -n 60 | cut -c1-400 | sed 's/^/     | /'
    fi
    passed=$((passed + good)) failed=$((failed + bad))
done
wait $pool
trap - EXIT
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed != 0 ]
