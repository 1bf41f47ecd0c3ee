#!/usr/bin/env bash
# mutants.sh [NAME...] - plants each bug of mutants/list.py into a copy of lib/ and
# sees it caught. What survives, or no longer applies, is a failure.
set -eu
cd "$(dirname "$0")/../.."
exec python3 tests/sim/mutants/run.py "$@"
