#!/usr/bin/env python3
"""quickstart.c, from Python: the life of a token on one SQLite file.

    MEREAU_LIBDIR=build python3 examples/python/quickstart.py [FILE]
"""
import json
import os
import sys

import mereau

ISSUER, PRINT_API = "https://id.acme.example", "https://print.acme.example"


def main(path):
    ctx = mereau.Context(mereau.sqlite(path),
                         root_keys={"2026": b"an example: 32 bytes of nothing!"})
    acme = ctx.tenant("acme")
    acme.tenant_create(issuer=ISSUER)
    app = acme.app_create(name="Label printer", scope="print", audience=PRINT_API)
    mint = acme.registration_token_mint(client_id=app.client_id, count=2, lifetime_s=86400)

    def redeem(device, nonce):
        return acme.registration_token_redeem(registration_token=mint.registration_token,
                                              device_id=device, retry_nonce=nonce)

    nonce = os.urandom(16)
    one = redeem("printer-1", nonce)
    redeem("printer-2", os.urandom(16))
    print("asked again, the same answer:", redeem("printer-1", nonce).auth_token == one.auth_token)
    try:
        redeem("printer-3", os.urandom(16))
    except mereau.Refused as why:
        print(f"a third device: {why.name}, wanted {why.wanted}, found {why.found} ({why.rule})")

    first = acme.auth_token_exchange(auth_token=one.auth_token)
    verifier = mereau.Verifier(ISSUER, PRINT_API, acme.key_jwks().jwks)
    claims = json.loads(verifier.verify(first.access_token))
    print("verified:", claims["sub"], "may", claims["scope"])

    second = acme.token_refresh(refresh_token=first.refresh_token)
    acme.token_refresh(refresh_token=second.refresh_token)
    try:
        acme.token_refresh(refresh_token=first.refresh_token)
    except mereau.Refused as why:
        print(f"the thief: {why.name} ({why.rule}); the caller hears {why.oauth}")
    for row in acme.auth_token_list(registration_token_id=mint.registration_token_id):
        print("enrolled:", row.device_id, row.state)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "quickstart.db")
