#!/usr/bin/env python3
"""The binding and its quickstart, against the library that was just built: $O, or
the folder given as argument, holds libmereau.so."""
import contextlib
import gc
import io
import os
import sys
import tempfile

os.environ["MEREAU_LIBDIR"] = os.path.abspath(
    sys.argv[1] if len(sys.argv) > 1 else os.environ.get("O", "build"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import mereau  # noqa: E402
import quickstart  # noqa: E402

KEYS = {"k": os.urandom(32)}


def the_quickstart_tells_its_story():
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):  # a second run on the same file works, too
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                quickstart.main(os.path.join(folder, "quickstart.db"))
            gc.collect()
            for text in ("the same answer: True", "a third device: MEREAU_E_USED_UP",
                         "wanted at most 2 devices, found one more (registration_token.count)",
                         "verified: printer-1 may print", "the thief: MEREAU_E_REUSED",
                         "invalid_grant", "enrolled: printer-1 revoked",
                         "enrolled: printer-2 active"):
                assert text in out.getvalue(), (text, out.getvalue())


def refused(status, call, *arguments, **inputs):
    try:
        call(*arguments, **inputs)
    except mereau.Refused as why:
        assert why.name == status, why
        return why
    raise AssertionError(f"not refused with {status}")


def acme_of(ctx):
    acme = ctx.tenant("acme")
    acme.tenant_create(issuer="https://id.acme.example")
    return acme


def mistakes_are_named():
    acme = acme_of(mereau.Context(mereau.memory(), KEYS))
    try:
        acme.app_create(nmae="x")
        raise AssertionError("a misspelt field was accepted")
    except AttributeError as why:
        assert "nmae" in str(why)
    refused("MEREAU_E_FIELD", acme.app_create, name="x", count=1)
    refused("MEREAU_E_UNSUPPORTED", acme.no_such_operation)
    refused("MEREAU_E_INCOMPLETE", mereau.Context, mereau.memory(), {})
    refused("MEREAU_E_MALFORMED", mereau.Verifier, "https://a.example", "b", "no keys")
    refused("MEREAU_E_STORE", mereau.sqlite, "/nowhere/at/all.db")
    app = acme.app_create(name="x")
    why = refused("MEREAU_E_POLICY", acme.registration_token_mint,
                  client_id=app.client_id, count=0, lifetime_s=60)
    assert why.rule == "op.range" and why.wanted.startswith("count of 1 to")
    assert why.oauth and why.http == 403 and not why.can_retry


def values_have_their_types():
    acme = acme_of(mereau.Context(mereau.memory(), KEYS))
    app = acme.app_create(name="Küche", audience=["https://a.example", "https://b.example"],
                          enabled=True)
    again = acme.app_get(client_id=app.client_id)
    assert again.name == "Küche" and again.enabled is True and again.description is None
    assert again.audience == ["https://a.example", "https://b.example"]
    assert isinstance(again.created_at, int) and again.last_used_at is None
    assert '"Küche"' in again.json()
    for i in range(7):
        acme.app_create(name=f"app {i}")
    assert len([row.name for row in acme.app_list(page_size=3)]) == 8


def a_dry_run_changes_nothing_and_gives_no_credential():
    acme = acme_of(mereau.Context(mereau.memory(), KEYS))
    app = acme.app_create(name="x")
    dry = acme.registration_token_mint(dry_run=True, client_id=app.client_id, count=1,
                                       lifetime_s=60)
    assert dry.registration_token is None and dry.expires_at is not None
    assert list(acme.registration_token_list()) == []


def finalizers_run_in_any_order():
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)):
        store = mereau.memory()
        ctx = mereau.Context(store, KEYS)
        acme = acme_of(ctx)
        op = acme.app_create(name="x")
        things = [store, ctx, acme, op]
        del store, ctx, acme, op
        for i in order:
            things[i] = None
            gc.collect()
    # A tenant whose context is gone works as long as it is held.
    acme = acme_of(mereau.Context(mereau.memory(), KEYS))
    gc.collect()
    assert acme.tenant_get().issuer == "https://id.acme.example"


TESTS = [the_quickstart_tells_its_story, mistakes_are_named, values_have_their_types,
         a_dry_run_changes_nothing_and_gives_no_credential, finalizers_run_in_any_order]
for test in TESTS:
    test()
    print("ok", test.__name__)
