#!/usr/bin/env bash
# headers.sh - every public header compiles alone, as C99 and as C++11, without a
# warning, with gcc, and with clang when it is there (CLANG=1: it must be).
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
flags="-pedantic -Wall -Wextra -Wconversion -Werror -Iinclude -fsyntax-only"
compilers="gcc:c:-std=c99 g++:c++:-std=c++11"
if [ "${CLANG:-}" ] || command -v clang++ >/dev/null; then
    compilers="$compilers clang:c:-std=c99 clang++:c++:-std=c++11"
fi
bad=0 good=0
for header in include/mereau/*.h; do
    printf '#include <mereau/%s>\ntypedef int not_empty;\n' "${header##*/}" >"$dir/alone"
    for c in $compilers; do
        IFS=: read -r cc lang std <<<"$c"
        # shellcheck disable=SC2086
        if "$cc" -x "$lang" "$std" $flags "$dir/alone"; then
            good=$((good + 1))
        else
            echo "$header: not with $cc $std"
            bad=$((bad + 1))
        fi
    done
done
echo "$good headers and compilers, $bad refused"
[ $bad = 0 ] && [ $good != 0 ]
