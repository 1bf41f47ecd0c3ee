#!/usr/bin/env bash
# bare.sh SUITE [ARCH] - `make check` on a machine that has nothing but make: what is
# missing is installed by the project's own deps.
set -eu
exec tests/tools/fresh.sh -q ${2:+-a "$2"} -c . "$1" make -- make check JOBS="${JOBS:-2}"
