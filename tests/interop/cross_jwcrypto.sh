#!/usr/bin/env bash
# jwcrypto (Python) verifies and decrypts what we made with every algorithm, and we
# what it made.
set -eu
tool=$(realpath "${TOOL:-build/tests/interop/tool}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$tool" make "$dir"
python=python3
$python -c 'import jwcrypto' 2>/dev/null || python=/usr/bin/python3
$python - "$dir" <<'PY'
import json, sys
from jwcrypto import jwe, jwk, jws
where = sys.argv[1]


def load(name):
    with open(f"{where}/{name}", "rb") as f:
        return f.read()


payload = load("payload")
for line in load("list").decode().splitlines():
    kind, alg, enc, key_name, ours, theirs = line.split("\t")
    members = json.loads(load(key_name))
    for name in ("use", "key_ops", "alg"):
        members.pop(name, None)
    key = jwk.JWK(**members)
    token = load(ours).decode()
    header = {"alg": alg} if kind == "jws" else {"alg": alg, "enc": enc}
    if kind == "jws":
        box = jws.JWS()
        box.allowed_algs = [alg]
        box.deserialize(token, key)
        assert box.payload == payload, (alg, "another payload")
        made = jws.JWS(payload)
        made.allowed_algs = [alg]
        made.add_signature(key, alg, json.dumps(header))
    else:
        box = jwe.JWE(algs=[alg, enc])
        box.deserialize(token, key)
        assert box.payload == payload, (alg, enc, "another content")
        made = jwe.JWE(payload, json.dumps(header), algs=[alg, enc])
        made.add_recipient(key)
    with open(f"{where}/{theirs}", "w") as f:
        f.write(made.serialize(compact=True))
PY
"$tool" check "$dir"
