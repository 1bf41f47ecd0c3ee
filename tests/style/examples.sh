#!/usr/bin/env bash
# The examples do what they say: each is run, exits with 0 and prints the lines that
# its story is about. Those that keep a file are run on it twice.
set -u
O=${O:-build}
bin=$O/examples
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0 count=0

# shows NAME TEXT... : what the last program printed has each text, in this order.
shows() {
    local name=$1 at=1 found
    shift
    for want in "$@"; do
        count=$((count + 1))
        found=$(tail -n +$at "$dir/out" | grep -nFm1 -e "$want" | cut -d: -f1)
        if [ -z "$found" ]; then
            echo "$name does not print (in this order): $want"
            bad=1
            return
        fi
        at=$((at + found - 1))
    done
}
run() {
    "$@" >"$dir/out" 2>&1 </dev/null || { echo "$1: exit $?"; head -n 20 "$dir/out"; bad=1; }
}

for time in first second; do
    run "$bin/demo" "$dir/demo.db"
    shows "demo, $time time" "for 2 devices" "printer-3" "MEREAU_E_USED_UP" \
        "registration_token.count" "at most 2 devices" "one more" "invalid_grant" \
        "byte for byte" "MEREAU_E_ENROLLED" "good: sub printer-1" "MEREAU_E_REUSED" \
        "MEREAU_E_REVOKED" "verify_live" "JWT ey" 'JWKS {"keys":['
    run "$bin/quickstart" "$dir/quickstart.db"
    shows "quickstart, $time time" "a third device: MEREAU_E_USED_UP" \
        "asked again: the same answer" "verified: printer-1 may print" \
        "the thief: MEREAU_E_REUSED" "the device: MEREAU_E_REVOKED"
    run "$bin/embed" "$dir/embed.db"
    shows "embed, $time time" "front door may open close" \
        "refused: MEREAU_E_REVOKED (family.ended)"
done
if grep -q "$(printf '\033')" "$dir/out"; then echo "colour without a terminal"; bad=1; fi

# Without a file the demo takes a temporary one away again.
mkdir "$dir/tmp"
TMPDIR=$dir/tmp run "$bin/demo"
[ -z "$(ls "$dir/tmp")" ] || { echo "the demo leaves $(ls "$dir/tmp")"; bad=1; }

jwt=$(sed -n 's/^JWT //p' "$dir/out") jwks=$(sed -n 's/^JWKS //p' "$dir/out")
run "$bin/verify_only" "$jwks" "Bearer $jwt"
shows verify_only "hello, printer-2"
"$bin/verify_only" "$jwks" "Bearer ${jwt%?????}AAAAA" >"$dir/out" 2>&1 &&
    { echo "verify_only accepts a forged token"; bad=1; }
shows "verify_only of a forged token" "HTTP 401"

run "$bin/tokens"
shows tokens "ID token: good" "it is alice" "found in the cache: 1" \
    "ID token, replayed: jwt.nonce" "DPoP proof: good" \
    "DPoP proof of another request: jwt.htm" "encrypted token: good" "net 2714" \
    "the same, only signed: jwt.encryption"

run "$bin/admin"
shows admin "stranger   active   from 203.0.113.9" "2 of 4 used" \
    "the stranger again: device.blocked" "stranger   revoked" '{"rows":[{'
shows admin "the stranger again" "printer-2  active   from 192.0.2.8" '{"rows":[{'
run "$bin/policy_test"
shows policy_test "ok a_printer_may_print" "ok a_printer_silent" "ok a_lost_reply"
run "$bin/step_driven"
shows step_driven "printer-1: 200 mereau_aut_" "printer-2  is told: conflict" \
    "printer-2: 400 invalid_grant (registration_token.count)"
run "$bin/custom_store"
shows custom_store "ok   put_is_read_back" "ok   write_skew_by_check" " passed, 0 failed"
run "$bin/hsm_signer"
shows hsm_signer "signs in 24 hours" "1 signature of the HSM, verified"

[ $bad = 0 ] && echo "$count texts"
[ $bad = 0 ] && [ $count -gt 40 ]
