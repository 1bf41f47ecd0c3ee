#!/usr/bin/env bash
# verify_only_test.sh - the example verify_only admits the bearer of the JWT that the
# demo prints, given the JWKS that it prints, and nobody whose JWT is one byte off.
set -eu
O=${O:-build}
DEMO=$O/examples/demo
. tests/interop/demo_output.bash
"$O/examples/verify_only" "$jwks" "Bearer $jwt"
forged=${jwt%????????}AAAAAAAA
if "$O/examples/verify_only" "$jwks" "Bearer $forged"; then
    echo "a forged JWT was admitted"
    exit 1
fi
