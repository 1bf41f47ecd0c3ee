#!/bin/sh
# demo.sh PROGRAM - runs the demo on a SQLite file of its own and takes it away.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" "$dir/demo.db"
