#!/usr/bin/env python3
"""Rows of docs/products.md, as an administrator of another language meets them.
$O, or the folder given as argument, holds libmereau.so."""
import json
import os
import sys
import time

os.environ["MEREAU_LIBDIR"] = os.path.abspath(
    sys.argv[1] if len(sys.argv) > 1 else os.environ.get("O", "build"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import mereau  # noqa: E402


class House:
    """A tenant with an app."""

    def __init__(self, **settings):
        self.t = mereau.Context(mereau.memory(), {"k": os.urandom(32)}).tenant("house")
        self.t.tenant_create(issuer="https://house.example", **settings)
        self.client_id = self.t.app_create(name="Door", scope="open close").client_id

    def mint(self, count=1, lifetime_s=3600, **more):
        return self.t.registration_token_mint(client_id=self.client_id, count=count,
                                              lifetime_s=lifetime_s, **more)

    def redeem(self, token, device, nonce=None):
        return self.t.registration_token_redeem(registration_token=token, device_id=device,
                                                retry_nonce=nonce or os.urandom(16))

    def pair(self, token, device):
        return self.t.auth_token_exchange(auth_token=self.redeem(token, device).auth_token)

    def record(self, minted):
        return self.t.registration_token_get(registration_token_id=minted.registration_token_id)


def refused(status, call, *arguments, **inputs):
    try:
        call(*arguments, **inputs)
    except mereau.Refused as why:
        assert why.name == status, why
        return why
    raise AssertionError(f"not refused with {status}")


def s5_count_must_be_given():
    house = House()
    for count in (0, -1):
        refused("MEREAU_E_POLICY", house.mint, count=count)
    refused("MEREAU_E_FIELD", house.t.registration_token_mint, client_id=house.client_id,
            lifetime_s=60)


def s7_end_must_be_given_and_30_days_are_the_most():
    house = House()
    refused("MEREAU_E_FIELD", house.t.registration_token_mint, client_id=house.client_id, count=1)
    house.mint(lifetime_s=30 * 86400)
    refused("MEREAU_E_POLICY", house.mint, lifetime_s=30 * 86400 + 1)
    shorter = House(max_lifetime_s=60)
    refused("MEREAU_E_POLICY", shorter.mint, lifetime_s=61)


def s12_tokens_are_read_and_listed_by_what_the_host_knows():
    house = House()
    mine = house.mint(count=3, recipient="ann", label="hall", reference=["order-1"])
    house.mint(recipient="bob")
    got = house.record(mine)
    assert (got.count, got.used_count, got.state) == (3, 0, "active"), got.json()
    assert (got.recipient, got.label, got.reference) == ("ann", "hall", ["order-1"])
    assert mine.registration_token not in got.json()
    for filters in ({"recipient": "ann"}, {"reference": "order-1"}):
        rows = [r.registration_token_id for r in house.t.registration_token_list(**filters)]
        assert rows == [mine.registration_token_id], (filters, rows)
    assert len([r.state for r in house.t.registration_token_list()]) == 2


def s16_cascade_ends_all_that_a_token_led_to():
    house = House()
    mint, other = house.mint(count=2), house.mint()
    pair, spared = house.pair(mint.registration_token, "a"), house.pair(other.registration_token, "a")
    kept = house.redeem(mint.registration_token, "b")
    house.t.registration_token_revoke(registration_token_id=mint.registration_token_id,
                                      cascade=True)
    for token in (pair.access_token, pair.refresh_token):
        refused("MEREAU_E_REVOKED", house.t.token_verify_live, token=token)
    refused("MEREAU_E_REVOKED", house.t.token_refresh, refresh_token=pair.refresh_token)
    refused("MEREAU_E_REVOKED", house.t.auth_token_exchange, auth_token=kept.auth_token)
    house.t.token_refresh(refresh_token=spared.refresh_token)


def s16_without_cascade_what_it_led_to_lives():
    house = House()
    mint = house.mint(count=2)
    pair = house.pair(mint.registration_token, "a")
    house.t.registration_token_revoke(registration_token_id=mint.registration_token_id)
    refused("MEREAU_E_REVOKED", house.redeem, mint.registration_token, "b")
    house.t.token_refresh(refresh_token=pair.refresh_token)


def s17_many_are_minted_one_for_each_recipient():
    house = House()
    many = house.t.registration_token_mint_many(client_id=house.client_id, count=5,
                                                lifetime_s=60)
    tokens = [row.registration_token for row in many]
    assert len(set(tokens)) == 5, tokens
    for i, token in enumerate(tokens):
        house.redeem(token, f"device-{i}")
        refused("MEREAU_E_USED_UP", house.redeem, token, "another")


def s18_two_instances_each_are_two_counts_each():
    for instances in (1, 2):
        house = House()
        token = house.mint(count=100 * instances).registration_token
        for user in range(100):
            for instance in range(instances):
                house.redeem(token, f"user-{user}/{instance}")
        refused("MEREAU_E_USED_UP", house.redeem, token, "user-100/0")


def s20_expired_is_said_and_the_rest_is_reissued():
    house = House()
    mint = house.mint(count=3, lifetime_s=1)
    house.redeem(mint.registration_token, "a")
    time.sleep(2.1)
    assert refused("MEREAU_E_EXPIRED", house.redeem, mint.registration_token,
                   "b").oauth == "invalid_grant"
    refused("MEREAU_E_EXPIRED", house.t.registration_token_update,
            registration_token_id=mint.registration_token_id, count=9)
    assert house.record(mint).state == "expired"
    next_one = house.t.registration_token_reissue(
        registration_token_id=mint.registration_token_id, lifetime_s=3600)
    assert next_one.count == 2
    for device in ("b", "c"):
        house.redeem(next_one.registration_token, device)
    refused("MEREAU_E_USED_UP", house.redeem, next_one.registration_token, "d")


def s21_a_count_is_raised_and_never_below_what_is_used():
    house = House()
    mint = house.mint(count=1)
    house.redeem(mint.registration_token, "a")
    refused("MEREAU_E_USED_UP", house.redeem, mint.registration_token, "b")
    house.t.registration_token_update(registration_token_id=mint.registration_token_id, count=2)
    house.redeem(mint.registration_token, "b")
    why = refused("MEREAU_E_POLICY", house.t.registration_token_update,
                  registration_token_id=mint.registration_token_id, count=1)
    assert why.rule == "registration_token.used_count"


def s24_minting_again_with_a_key_mints_once():
    house = House()
    one, two = house.mint(idempotency_key="order-1"), house.mint(idempotency_key="order-1")
    assert one.registration_token == two.registration_token and two.repeated
    refused("MEREAU_E_EXISTS", house.mint, count=2, idempotency_key="order-1")
    assert len(list(house.t.registration_token_list())) == 1


def i9_introspection_asks_every_level():
    for level, who in (("not_before_raise", {}), ("not_before_raise", {"subject": "a"}),
                       ("not_before_raise", {"device_id": "a"}), ("app_update", {"enabled": False})):
        house = House()
        pair = house.pair(house.mint().registration_token, "a")
        assert house.t.token_introspect(token=pair.access_token).active
        if level == "app_update":
            house.t.app_update(client_id=house.client_id, **who)
        else:
            who = who or {"tenant_id": "house"}
            house.t.not_before_raise(not_before_at=mereau.NOW, **who)
        for token in (pair.access_token, pair.refresh_token):
            answer = house.t.token_introspect(token=token)
            assert not answer.active and json.loads(answer.json()) == {"active": False}, who
    refused("MEREAU_E_FIELD", House().t.not_before_raise, not_before_at=mereau.NOW)


TESTS = [value for name, value in list(globals().items())
         if name[0] in "si" and name[1].isdigit() and callable(value)]
for test in TESTS:
    test()
    print("ok", test.__name__)
assert len(TESTS) == 11
