#!/usr/bin/env bash
# latchset jose (Debian's `jose`) verifies and decrypts what we made with every
# algorithm, and we what it made.
set -eu
tool=$(realpath "${TOOL:-build/tests/interop/tool}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$tool" make "$dir"
: >"$dir/left_out"
: >"$dir/out"
offered=$(jose alg 2>/dev/null)
offers() { grep -qxF -- "$1" <<<"$offered"; }
while IFS=$'\t' read -r kind alg enc key ours theirs; do
    cd "$dir"
    # Its dir keys have enc for an alg; without any it takes the header's word.
    sed -E 's/"(alg|use)":"[^"]*",?//g; s/,\}/}/' "$key" >key.jwk
    # It offers what `jose alg` prints; the rest is said, not passed.
    if ! offers "$alg" || { [ "$enc" != - ] && ! offers "$enc"; }; then
        echo "$alg $enc" >>left_out
        continue
    fi
    if [ "$kind" = jws ]; then
        jose jws ver -i "$ours" -k key.jwk -O out
        jose jws sig -I payload -k key.jwk -s "{\"protected\":{\"alg\":\"$alg\"}}" -c -o "$theirs"
    else
        jose jwe dec -i "$ours" -k key.jwk -O out
        jose jwe enc -I payload -k key.jwk -i "{\"protected\":{\"alg\":\"$alg\",\"enc\":\"$enc\"}}" \
            -c -o "$theirs"
    fi
    cmp payload out
    cd - >/dev/null
done <"$dir/list"
sort -u "$dir/left_out" | sed 's/^/not offered: /'
"$tool" check "$dir"
