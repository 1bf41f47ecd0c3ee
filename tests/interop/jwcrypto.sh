#!/usr/bin/env bash
# jwcrypto (Python) verifies the access token of the demo with the demo's JWKS, and
# refuses it when one byte was changed.
set -eu
. "$(dirname "$0")/demo_output.bash"
python=python3
$python -c 'import jwcrypto' 2>/dev/null || python=/usr/bin/python3
$python - "$jwt" "$jwks" <<'PY'
import json, sys
from jwcrypto import jwk, jws, jwt
token, keys = sys.argv[1], jwk.JWKSet.from_json(sys.argv[2])
good = jwt.JWT()
good.deserialize(token, keys)
header, claims = json.loads(good.header), json.loads(good.claims)
for name in ("iss", "exp", "iat", "aud", "sub", "jti", "client_id"):  # RFC 9068
    assert name in claims, name + " is missing"
assert header["typ"] in ("at+jwt", "application/at+jwt"), header
head, body, sig = token.split(".")
for i, part in ((0, body), (1, sig)):
    other = part[:20] + ("A" if part[20] != "A" else "B") + part[21:]
    forged = ".".join((head, other, sig) if i == 0 else (head, body, other))
    try:
        jwt.JWT().deserialize(forged, keys)
    except (jws.InvalidJWSSignature, ValueError, jwt.JWTMissingKey):
        continue
    sys.exit("a forged token was accepted")
print(header["alg"], claims["iss"])
PY
