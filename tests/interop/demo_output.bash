# Read by the programs beside it: runs the demo once, and sets `jwt` and `jwks` to
# what it printed after "JWT " and "JWKS ", and `dir` to a folder that goes away.
demo=${DEMO:-build/examples/demo}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$demo" "$dir/demo.db" >"$dir/out" || { echo "the demo failed"; exit 1; }
# shellcheck disable=SC2034
jwt=$(sed -nE 's/^JWT:? +([^ ]+) *$/\1/p' "$dir/out" | tail -n 1)
# shellcheck disable=SC2034
jwks=$(sed -nE 's/^JWKS:? +(\{.*\}) *$/\1/p' "$dir/out" | tail -n 1)
[ -n "$jwt" ] && [ -n "$jwks" ] || { echo "the demo printed no JWT or JWKS"; exit 1; }
