/* tests/flow/test_redeem.c - redeeming registration tokens: who gets an auth
 * token, who does not and is told why, and what a lost answer costs. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#define JKT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define JKT2 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static int setup(void **state) {
    struct flow *f = malloc(sizeof *f);
    if (f == NULL)
        return -1;
    *state = f;
    flow_start(f);
    flow_app(f, NULL);
    flow_forget_events(f);
    return 0;
}

static int teardown(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

static void redeem_gives_an_auth_token_and_takes_a_count(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 1));
    assert_int_equal(
        strncmp(mereau_op_text(op, MEREAU_AUTH_TOKEN), "mereau_aut_", 11), 0);
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN_ID));
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 0);
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_AT), T0 + 30 * DAY);
    assert_int_equal(flow_used(f, t.id), 1);
}

static void same_device_and_nonce_gets_the_same_answer(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *a = DONE(f, flow_redeem(f, t.text, "d1", 1));
    f->now_at += 5;
    mereau_op *b = DONE(f, flow_redeem(f, t.text, "d1", 1));
    assert_string_equal(mereau_op_text(a, MEREAU_AUTH_TOKEN),
                        mereau_op_text(b, MEREAU_AUTH_TOKEN));
    assert_string_equal(mereau_op_text(a, MEREAU_AUTH_TOKEN_ID),
                        mereau_op_text(b, MEREAU_AUTH_TOKEN_ID));
    assert_int_equal(mereau_op_int(a, MEREAU_EXPIRES_AT),
                     mereau_op_int(b, MEREAU_EXPIRES_AT));
    assert_int_equal(mereau_op_int(b, MEREAU_REPEATED), 1);
    assert_int_equal(flow_used(f, t.id), 1);
}

static void a_second_device_takes_a_count_of_its_own(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *a = DONE(f, flow_redeem(f, t.text, "d1", 1));
    mereau_op *b = DONE(f, flow_redeem(f, t.text, "d2", 1));
    assert_string_not_equal(mereau_op_text(a, MEREAU_AUTH_TOKEN),
                            mereau_op_text(b, MEREAU_AUTH_TOKEN));
    assert_int_equal(flow_used(f, t.id), 2);
    REFUSED(f, flow_redeem(f, t.text, "d3", 1), MEREAU_E_USED_UP,
            "registration_token.count");
    assert_string_equal(flow_error.wanted, "at most 2 devices");
    assert_string_equal(flow_error.found, "one more");
    assert_int_equal(flow_used(f, t.id), 2);
}

static void a_known_device_with_another_secret_is_enrolled(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    DONE(f, flow_redeem(f, t.text, "d1", 1));
    flow_forget_events(f);
    REFUSED(f, flow_redeem(f, t.text, "d1", 2), MEREAU_E_ENROLLED,
            "device.enrolled");
    assert_int_equal(f->n_told, 1);
    assert_true(flow_told(f, "\"outcome\":\"refused\""));
    assert_true(flow_told(f, "\"rule\":\"device.enrolled\""));
    assert_true(flow_told(f, "\"device_id\":\"d1\""));
    assert_int_equal(flow_used(f, t.id), 1);
    /* and the one it belongs to still gets its answer */
    mereau_op *again = DONE(f, flow_redeem(f, t.text, "d1", 1));
    assert_int_equal(mereau_op_int(again, MEREAU_REPEATED), 1);
}

static void ids_are_compared_within_one_token_only(void **state) {
    struct flow *f = *state;
    struct flow_token a = flow_mint(f, 1, DAY), b = flow_mint(f, 1, DAY);
    mereau_op *x = DONE(f, flow_redeem(f, a.text, "d1", 1));
    mereau_op *y = DONE(f, flow_redeem(f, b.text, "d1", 2));
    assert_string_not_equal(mereau_op_text(x, MEREAU_AUTH_TOKEN_ID),
                            mereau_op_text(y, MEREAU_AUTH_TOKEN_ID));
}

static void expiry_is_the_first_instant_that_does_not_work(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 9, 100);
    f->now_at = T0 + 99;
    DONE(f, flow_redeem(f, t.text, "d1", 1));
    f->now_at = T0 + 100;
    REFUSED(f, flow_redeem(f, t.text, "d2", 1), MEREAU_E_EXPIRED,
            "registration_token.expires_at");
    assert_string_equal(flow_error.wanted, "redeemed before 1800000100");
    assert_string_equal(flow_error.found, "redeemed at 1800000100");
    f->now_at = T0 + 101;
    REFUSED(f, flow_redeem(f, t.text, "d2", 1), MEREAU_E_EXPIRED,
            "registration_token.expires_at");
    assert_int_equal(flow_used(f, t.id), 1);
}

static void a_start_is_the_first_instant_that_works(void **state) {
    struct flow *f = *state;
    struct flow_token t =
        flow_mint_with(f, 1, 100, "{\"starts_at\":1800000050}");
    f->now_at = T0 + 49;
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_NOT_YET,
            "registration_token.starts_at");
    f->now_at = T0 + 50;
    DONE(f, flow_redeem(f, t.text, "d1", 1));
}

static void a_repeat_works_when_the_token_has_expired_meanwhile(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, 100);
    mereau_op *a = DONE(f, flow_redeem(f, t.text, "d1", 1));
    f->now_at = T0 + 100;
    mereau_op *b = DONE(f, flow_redeem(f, t.text, "d1", 1));
    assert_string_equal(mereau_op_text(a, MEREAU_AUTH_TOKEN),
                        mereau_op_text(b, MEREAU_AUTH_TOKEN));
}

static void a_repeat_works_when_the_token_is_used_up_meanwhile(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, 100);
    mereau_op *a = DONE(f, flow_redeem(f, t.text, "d1", 1));
    DONE(f, flow_redeem(f, t.text, "d2", 1));
    assert_string_equal(flow_state(f, t.id), "used_up");
    mereau_op *b = DONE(f, flow_redeem(f, t.text, "d1", 1));
    assert_string_equal(mereau_op_text(a, MEREAU_AUTH_TOKEN),
                        mereau_op_text(b, MEREAU_AUTH_TOKEN));
}

static void a_repeat_ends_with_the_auth_token(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    DONE(f, flow_redeem(f, t.text, "d1", 1));
    f->now_at = T0 + 30 * DAY - 1;
    DONE(f, flow_redeem(f, t.text, "d1", 1));
    f->now_at = T0 + 30 * DAY;
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_EXPIRED,
            "auth_token.lifetime");
}

static void a_repeat_after_the_exchange_is_enrolled(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 1));
    DONE(f, mereau_auth_token_exchange(f->tenant,
                                       mereau_op_text(op, MEREAU_AUTH_TOKEN)));
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_ENROLLED,
            "auth_token.used");
    assert_int_equal(flow_used(f, t.id), 1);
}

static void a_revoked_token_refuses_everybody(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    DONE(f, flow_redeem(f, t.text, "d1", 1));
    DONE(f, mereau_registration_token_revoke(f->tenant, t.id));
    REFUSED(f, flow_redeem(f, t.text, "d2", 1), MEREAU_E_REVOKED,
            "registration_token.revoked");
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_REVOKED,
            "registration_token.revoked");
}

static void update_json(struct flow *f, const char *id, const char *json) {
    mereau_op *op = mereau_registration_token_update(f->tenant, id);
    mereau_op_set_json(op, json, strlen(json));
    DONE(f, op);
}

static void a_disabled_token_works_again_once_enabled(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    update_json(f, t.id, "{\"enabled\":false}");
    assert_string_equal(flow_state(f, t.id), "disabled");
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_DISABLED,
            "registration_token.enabled");
    assert_int_equal(flow_used(f, t.id), 0);
    update_json(f, t.id, "{\"enabled\":true}");
    DONE(f, flow_redeem(f, t.text, "d1", 1));
}

static void revoked_goes_before_expired_before_disabled(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, 100);
    update_json(f, t.id, "{\"enabled\":false}");
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_DISABLED, NULL);
    f->now_at += 100;
    assert_string_equal(flow_state(f, t.id), "expired");
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_EXPIRED, NULL);
    DONE(f, mereau_registration_token_revoke(f->tenant, t.id));
    assert_string_equal(flow_state(f, t.id), "revoked");
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_REVOKED, NULL);
}

static void the_app_that_is_named_must_be_the_tokens(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    mereau_op *op = flow_redeem(f, t.text, "d1", 1);
    flow_app_named(f, "other", NULL);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "other");
    REFUSED(f, op, MEREAU_E_WRONG_APP, "registration_token.client_id");
    op = flow_redeem(f, t.text, "d1", 1);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "app");
    DONE(f, op);
}

static void a_disabled_app_redeems_nothing(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    DONE(f, flow_redeem(f, t.text, "d1", 1));
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    DONE(f, op);
    REFUSED(f, flow_redeem(f, t.text, "d2", 1), MEREAU_E_DISABLED,
            "app.enabled");
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_DISABLED,
            "app.enabled");
    op = mereau_app_update(f->tenant, "app");
    mereau_op_set_int(op, MEREAU_ENABLED, 1);
    DONE(f, op);
    DONE(f, flow_redeem(f, t.text, "d2", 1));
}

static void a_deleted_app_redeems_nothing(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    DONE(f, mereau_app_delete(f->tenant, "app"));
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_UNKNOWN,
            "app.unknown");
}

static void a_disabled_tenant_redeems_nothing(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *op = mereau_tenant_update(f->tenant);
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    DONE(f, op);
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_DISABLED,
            "tenant.enabled");
}

static void an_app_without_the_grant_redeems_nothing(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_text(op, MEREAU_GRANT_TYPE, "refresh_token");
    DONE(f, op);
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_POLICY,
            "app.grant_type");
}

static void a_list_of_devices_lets_in_no_other(void **state) {
    struct flow *f = *state;
    struct flow_token t =
        flow_mint_with(f, 2, DAY, "{\"allowed_device_id\":[\"d1\",\"d2\"]}");
    DONE(f, flow_redeem(f, t.text, "d2", 1));
    REFUSED(f, flow_redeem(f, t.text, "d3", 1), MEREAU_E_DEVICE,
            "registration_token.allowed_device_id");
    REFUSED(f, flow_redeem(f, t.text, "d", 1), MEREAU_E_DEVICE, NULL);
    REFUSED(f, flow_redeem(f, t.text, "D1", 1), MEREAU_E_DEVICE, NULL);
    assert_int_equal(flow_used(f, t.id), 1);
}

static void a_list_of_keys_lets_in_no_other(void **state) {
    struct flow *f = *state;
    struct flow_token t =
        flow_mint_with(f, 2, DAY, "{\"allowed_device_jkt\":[\"" JKT "\"]}");
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_DEVICE,
            "registration_token.allowed_device_jkt");
    assert_string_equal(flow_error.found, "none");
    REFUSED(f, flow_redeem_key(f, t.text, "d1", JKT2), MEREAU_E_DEVICE,
            "registration_token.allowed_device_jkt");
    DONE(f, flow_redeem_key(f, t.text, "d1", JKT));
}

static void a_device_key_proves_a_repeat(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *a = DONE(f, flow_redeem_key(f, t.text, "d1", JKT));
    mereau_op *b = DONE(f, flow_redeem_key(f, t.text, "d1", JKT));
    assert_string_equal(mereau_op_text(a, MEREAU_AUTH_TOKEN),
                        mereau_op_text(b, MEREAU_AUTH_TOKEN));
    REFUSED(f, flow_redeem_key(f, t.text, "d1", JKT2), MEREAU_E_ENROLLED,
            "device.enrolled");
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_ENROLLED, NULL);
    assert_int_equal(flow_used(f, t.id), 1);
}

static void a_blocked_device_redeems_nothing(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY), u = flow_mint(f, 2, DAY);
    mereau_op *before = DONE(f, flow_redeem(f, t.text, "d1", 1));
    struct flow_pair old = flow_enrol(f, u.text, "d1");
    DONE(f, mereau_device_block(f->tenant, "d1"));
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_BLOCKED,
            "device.blocked");
    REFUSED(f, flow_redeem(f, u.text, "d1", 1), MEREAU_E_BLOCKED, NULL);
    DONE(f, flow_redeem(f, t.text, "d2", 1));
    /* what it has lives on */
    DONE(f, mereau_token_refresh(f->tenant, old.refresh));
    DONE(f, mereau_auth_token_exchange(
                f->tenant, mereau_op_text(before, MEREAU_AUTH_TOKEN)));
    /* blocked twice is blocked once */
    DONE(f, mereau_device_block(f->tenant, "d1"));
    DONE(f, mereau_device_unblock(f->tenant, "d1"));
    REFUSED(f, mereau_device_unblock(f->tenant, "d1"), MEREAU_E_UNKNOWN,
            "device.blocked");
    struct flow_token v = flow_mint(f, 1, DAY);
    DONE(f, flow_redeem(f, v.text, "d1", 3));
}

static void a_rearmed_device_enrols_again_without_a_count(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    struct flow_pair old = flow_enrol(f, t.text, "d1");
    REFUSED(f, flow_redeem(f, t.text, "d1", 9), MEREAU_E_ENROLLED, NULL);
    DONE(f, mereau_device_rearm(f->tenant, t.id, "d1"));
    /* what it had has ended at once */
    REFUSED(f, mereau_token_verify_live(f->tenant, old.access),
            MEREAU_E_REVOKED, NULL);
    REFUSED(f, mereau_token_refresh(f->tenant, old.refresh), MEREAU_E_REVOKED,
            NULL);
    REFUSED(f, mereau_auth_token_exchange(f->tenant, old.auth),
            MEREAU_E_REVOKED, NULL);
    /* no way to keep it out */
    DONE(f, mereau_token_revoke(f->tenant, old.access));
    DONE(f, mereau_token_revoke(f->tenant, old.refresh));
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 9));
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 0);
    assert_string_not_equal(mereau_op_text(op, MEREAU_AUTH_TOKEN), old.auth);
    assert_int_equal(flow_used(f, t.id), 1);
    /* and with the new secret it is settled again */
    REFUSED(f, flow_redeem(f, t.text, "d1", 7), MEREAU_E_ENROLLED, NULL);
    op = DONE(f, mereau_auth_token_exchange(
                     f->tenant, mereau_op_text(op, MEREAU_AUTH_TOKEN)));
    struct flow_pair fresh = flow_pair_of(op);
    /* what it had before stays dead, and cannot end what is new */
    REFUSED(f, mereau_token_verify_live(f->tenant, old.access),
            MEREAU_E_REVOKED, "family.rearmed");
    DONE(f, mereau_token_revoke(f->tenant, old.access));
    DONE(f, mereau_token_verify_live(f->tenant, fresh.access));
    DONE(f, mereau_token_refresh(f->tenant, fresh.refresh));
    REFUSED(f, mereau_token_refresh(f->tenant, old.refresh), MEREAU_E_UNKNOWN,
            NULL);
}

static void a_device_may_be_rearmed_again_and_again(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    struct flow_pair lives[4];
    for (uint8_t i = 0; i < 4; i++) {
        mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", (uint8_t)(i + 1)));
        const char *auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
        lives[i] =
            flow_pair_of(DONE(f, mereau_auth_token_exchange(f->tenant, auth)));
        for (uint8_t old = 0; old < i; old++)
            REFUSED(f, mereau_token_verify_live(f->tenant, lives[old].access),
                    MEREAU_E_REVOKED, "family.rearmed");
        DONE(f, mereau_token_verify_live(f->tenant, lives[i].access));
        DONE(f, mereau_device_rearm(f->tenant, t.id, "d1"));
        REFUSED(f, mereau_auth_token_exchange(f->tenant, auth),
                MEREAU_E_REVOKED, "auth_token.rearmed");
    }
    assert_int_equal(flow_used(f, t.id), 1);
}

static void rearming_needs_an_enrolment(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY), u = flow_mint(f, 1, DAY);
    DONE(f, flow_redeem(f, t.text, "d1", 1));
    REFUSED(f, mereau_device_rearm(f->tenant, t.id, "d2"), MEREAU_E_UNKNOWN,
            "device.enrolled");
    REFUSED(f, mereau_device_rearm(f->tenant, u.id, "d1"), MEREAU_E_UNKNOWN,
            "device.enrolled");
    REFUSED(f, mereau_device_rearm(f->tenant, "noise", "d1"), MEREAU_E_UNKNOWN,
            NULL);
}

static void a_revoked_auth_token_gives_no_count_back(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 1));
    DONE(f, mereau_auth_token_revoke(f->tenant,
                                     mereau_op_text(op, MEREAU_AUTH_TOKEN_ID)));
    assert_int_equal(flow_used(f, t.id), 1);
    REFUSED(f, flow_redeem(f, t.text, "d2", 1), MEREAU_E_USED_UP, NULL);
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_REVOKED,
            "auth_token.revoked");
}

static void hot_tokens_use_all_their_counts_and_no_more(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2000, DAY);
    char device[32];
    for (int i = 0; i < 2000; i++) {
        snprintf(device, sizeof device, "device-%d", i);
        mereau_op *op = flow_redeem(f, t.text, device, 1);
        mereau_status status = mereau_op_run(op, &flow_error);
        if (status != MEREAU_OK)
            fail_msg("device %d: %s", i, flow_error.text);
        mereau_op_free(op);
    }
    assert_int_equal(flow_used(f, t.id), 2000);
    REFUSED(f, flow_redeem(f, t.text, "one more", 1), MEREAU_E_USED_UP, NULL);
    assert_string_equal(flow_error.wanted, "at most 2000 devices");
}

static void counts_that_do_not_divide_by_the_slots_all_work(void **state) {
    struct flow *f = *state;
    static const int counts[] = {1, 2, 127, 128, 129, 193};
    char device[32];
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        struct flow_token t = flow_mint(f, counts[c], DAY);
        for (int i = 0; i < counts[c]; i++) {
            snprintf(device, sizeof device, "x%d", i);
            mereau_op *op = flow_redeem(f, t.text, device, 1);
            assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
            mereau_op_free(op);
        }
        assert_int_equal(flow_used(f, t.id), counts[c]);
        REFUSED(f, flow_redeem(f, t.text, "more", 1), MEREAU_E_USED_UP, NULL);
    }
}

static void the_ledger_says_who_used_the_counts(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    mereau_op *op = flow_redeem(f, t.text, "laptop", 1);
    const char *json =
        "{\"remote_address\":\"192.0.2.7\",\"user_agent\":\"agent/1\","
        "\"host_name\":\"lap.example\",\"system_user\":\"root\","
        "\"device_info\":{\"mac\":\"00:11\"},\"reference\":[\"r1\",\"r2\"]}";
    mereau_op_set_json(op, json, strlen(json));
    DONE(f, op);
    op = mereau_auth_token_list(f->tenant);
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN_ID, t.id);
    DONE(f, op);
    assert_int_equal(mereau_op_next_row(op), 1);
    assert_string_equal(mereau_op_text(op, MEREAU_DEVICE_ID), "laptop");
    assert_string_equal(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID), t.id);
    assert_string_equal(mereau_op_text(op, MEREAU_REMOTE_ADDRESS), "192.0.2.7");
    assert_string_equal(mereau_op_text(op, MEREAU_HOST_NAME), "lap.example");
    assert_string_equal(mereau_op_text(op, MEREAU_SYSTEM_USER), "root");
    assert_string_equal(mereau_op_text(op, MEREAU_DEVICE_INFO),
                        "{\"mac\":\"00:11\"}");
    assert_string_equal(mereau_op_text_at(op, MEREAU_REFERENCE, 1), "r2");
    assert_int_equal(mereau_op_int(op, MEREAU_CREATED_AT), T0);
    assert_int_equal(mereau_op_next_row(op), 0);
}

static void a_repeat_keeps_what_the_first_one_told(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    mereau_op *op = flow_redeem(f, t.text, "d1", 1);
    mereau_op_set_text(op, MEREAU_HOST_NAME, "first");
    DONE(f, op);
    op = flow_redeem(f, t.text, "d1", 1);
    mereau_op_set_text(op, MEREAU_HOST_NAME, "second");
    DONE(f, op);
    op = DONE(f, mereau_auth_token_list(f->tenant));
    assert_int_equal(mereau_op_next_row(op), 1);
    assert_string_equal(mereau_op_text(op, MEREAU_HOST_NAME), "first");
}

static void noise_and_typing_errors_read_no_store(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    char text[512];
    size_t len = strlen(t.text);
    flow_count_from_here(f);
    for (size_t i = 0; i < len; i++) {
        memcpy(text, t.text, len + 1);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        mereau_op *op = flow_redeem(f, text, "d1", 1);
        mereau_status status = mereau_op_run(op, &flow_error);
        assert_true(status == MEREAU_E_MALFORMED || status == MEREAU_E_KIND);
        mereau_op_free(op);
    }
    assert_int_equal(f->gets, 0);
    assert_int_equal(f->commits, 0);
}

static void the_wrong_secret_is_unknown_like_no_record(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    struct flow other;
    struct flow_setup setup = {.seed = 1, .bad_root = 1, .no_tenant = 1};
    setup.share = &f->front;
    /* the same token under a root key that is not its own */
    flow_open(&other, &setup);
    REFUSED(&other, flow_redeem(&other, t.text, "d1", 1), MEREAU_E_UNKNOWN,
            "registration_token.secret");
    flow_close(&other);
    assert_int_equal(mereau_status_http(MEREAU_E_UNKNOWN),
                     mereau_status_http(MEREAU_E_USED_UP));
    assert_string_equal(mereau_status_oauth(MEREAU_E_UNKNOWN),
                        mereau_status_oauth(MEREAU_E_USED_UP));
}

static void another_tenants_token_is_unknown(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    struct flow other;
    struct flow_setup setup = {.seed = 2, .tenant = "other"};
    setup.share = &f->front;
    flow_open(&other, &setup);
    flow_count_from_here(f);
    REFUSED(&other, flow_redeem(&other, t.text, "d1", 1), MEREAU_E_UNKNOWN,
            "credential.tenant");
    assert_int_equal(f->gets, 0);
    flow_close(&other);
    assert_int_equal(flow_used(f, t.id), 0);
}

static void other_kinds_of_tokens_are_refused(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    REFUSED(f, flow_redeem(f, p.auth, "d2", 1), MEREAU_E_KIND,
            "credential.kind");
    REFUSED(f, flow_redeem(f, p.refresh, "d2", 1), MEREAU_E_KIND, NULL);
    REFUSED(f, flow_redeem(f, p.access, "d2", 1), MEREAU_E_MALFORMED, NULL);
}

static void nonces_are_16_to_64_bytes(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 9, DAY);
    uint8_t bytes[65] = {1};
    static const struct {
        size_t len;
        mereau_status status;
    } rows[] = {{0, MEREAU_E_ARG},
                {15, MEREAU_E_ARG},
                {16, MEREAU_OK},
                {64, MEREAU_OK},
                {65, MEREAU_E_ARG}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char device[8];
        snprintf(device, sizeof device, "d%d", (int)i);
        mereau_op *op = mereau_registration_token_redeem(
            f->tenant, t.text, device, bytes, rows[i].len);
        assert_int_equal(mereau_op_run(op, &flow_error), rows[i].status);
        mereau_op_free(op);
    }
    REFUSED(f,
            mereau_registration_token_redeem(f->tenant, t.text, "dx", NULL, 0),
            MEREAU_E_FIELD, "retry_nonce.missing");
    assert_int_equal(flow_used(f, t.id), 2);
}

static void device_ids_are_1_to_128_bytes(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 9, DAY);
    char id[130];
    memset(id, 'x', sizeof id);
    id[129] = '\0';
    REFUSED(f, flow_redeem(f, t.text, id, 1), MEREAU_E_TOO_LONG, "op.length");
    id[128] = '\0';
    DONE(f, flow_redeem(f, t.text, id, 1));
    REFUSED(f, flow_redeem(f, t.text, "", 1), MEREAU_E_ARG, "op.length");
    REFUSED(f, flow_redeem(f, t.text, NULL, 1), MEREAU_E_FIELD, "op.field");
}

static void a_dry_run_decides_alike_and_changes_nothing(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    struct flow_records before, after;
    mereau_op *op = flow_redeem(f, t.text, "d1", 1);
    flow_records_take(f, &before);
    flow_forget_events(f);
    assert_int_equal(mereau_op_dry_run(op, &flow_error), MEREAU_OK);
    assert_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN_ID));
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_AT), T0 + 30 * DAY);
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after));
    flow_records_free(&before);
    flow_records_free(&after);
    assert_int_equal(f->n_told, 0);
    DONE(f, op); /* and then it can be run */
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
    op = flow_redeem(f, t.text, "d2", 1);
    assert_int_equal(mereau_op_dry_run(op, &flow_error), MEREAU_E_USED_UP);
    assert_string_equal(flow_error.rule, "registration_token.count");
    mereau_op_free(op);
}

static void refusals_of_every_kind_take_no_count(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    struct flow_records before, after;
    mereau_op *op;
    DONE(f, mereau_device_block(f->tenant, "bad"));
    flow_records_take(f, &before);
    REFUSED(f, flow_redeem(f, t.text, "bad", 1), MEREAU_E_BLOCKED, NULL);
    op = flow_redeem(f, t.text, "d1", 1);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "nobody");
    REFUSED(f, op, MEREAU_E_WRONG_APP, NULL);
    f->clock_code = 5;
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_CLOCK, NULL);
    assert_int_equal(flow_error.host_code, 5);
    f->clock_code = 0;
    f->random_code = 6;
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_RANDOM, NULL);
    assert_int_equal(flow_error.host_code, 6);
    f->random_code = 0;
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after));
    flow_records_free(&before);
    flow_records_free(&after);
    DONE(f, flow_redeem(f, t.text, "d1", 1));
    assert_int_equal(flow_used(f, t.id), 1);
}

static void clocks_out_of_their_range_decide_nothing(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    static const int64_t bad[] = {-1, INT64_MIN, INT64_MIN + 1, INT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        f->now_at = bad[i];
        REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_CLOCK,
                "clock.now");
    }
}

static void without_linear_nothing_is_counted(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    struct flow other;
    struct flow_setup setup = {
        .seed = 1, .no_tenant = 1, .without_caps = MEREAU_CAP_LINEAR};
    setup.share = &f->front;
    flow_open(&other, &setup);
    REFUSED(&other, flow_redeem(&other, t.text, "d1", 1), MEREAU_E_UNSUPPORTED,
            "store.linear");
    flow_close(&other);
}

static void a_not_before_ends_a_repeat_too(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    DONE(f, flow_redeem(f, t.text, "d1", 1));
    DONE(f, mereau_not_before_raise(f->tenant, MEREAU_DEVICE_ID, "d1",
                                    MEREAU_NOW));
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_NOT_BEFORE,
            "not_before");
}

static void events_name_who_and_hold_no_credential(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *op = flow_redeem(f, t.text, "d1", 1);
    mereau_op_set_text(op, MEREAU_CORRELATION_ID, "corr-1");
    mereau_op_set_text(op, MEREAU_ACTOR, "helpdesk");
    mereau_op_set_text(op, MEREAU_REMOTE_ADDRESS, "192.0.2.9");
    flow_forget_events(f);
    DONE(f, op);
    assert_int_equal(f->n_told, 1);
    assert_true(flow_told(f, "\"event\":\"registration_token.redeem\""));
    assert_true(flow_told(f, "\"outcome\":\"allowed\""));
    assert_true(flow_told(f, "\"device_id\":\"d1\""));
    assert_true(flow_told(f, "\"correlation_id\":\"corr-1\""));
    assert_true(flow_told(f, "\"actor\":\"helpdesk\""));
    assert_true(flow_told(f, "\"remote_address\":\"192.0.2.9\""));
    assert_true(flow_told(f, "\"client_id\":\"app\""));
    assert_true(flow_told(f, t.id));
    assert_false(flow_told(f, "mereau_aut_"));
    assert_false(flow_told(f, "mereau_reg_"));
    assert_false(flow_told(f, "nonce"));
}

static void done_ops_are_not_run_again(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 1));
    assert_int_equal(mereau_op_run(op, &flow_error), MEREAU_E_STATE);
    assert_string_equal(flow_error.rule, "op.done");
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN)); /* results stay */
    assert_int_equal(flow_used(f, t.id), 1);
}

static void a_refused_op_can_be_run_again(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    mereau_op *op = flow_redeem(f, t.text, "d1", 1);
    f->clock_code = 1;
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_E_CLOCK);
    f->clock_code = 0;
    DONE(f, op);
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(redeem_gives_an_auth_token_and_takes_a_count),
        TEST(same_device_and_nonce_gets_the_same_answer),
        TEST(a_second_device_takes_a_count_of_its_own),
        TEST(a_known_device_with_another_secret_is_enrolled),
        TEST(ids_are_compared_within_one_token_only),
        TEST(expiry_is_the_first_instant_that_does_not_work),
        TEST(a_start_is_the_first_instant_that_works),
        TEST(a_repeat_works_when_the_token_has_expired_meanwhile),
        TEST(a_repeat_works_when_the_token_is_used_up_meanwhile),
        TEST(a_repeat_ends_with_the_auth_token),
        TEST(a_repeat_after_the_exchange_is_enrolled),
        TEST(a_revoked_token_refuses_everybody),
        TEST(a_disabled_token_works_again_once_enabled),
        TEST(revoked_goes_before_expired_before_disabled),
        TEST(the_app_that_is_named_must_be_the_tokens),
        TEST(a_disabled_app_redeems_nothing),
        TEST(a_deleted_app_redeems_nothing),
        TEST(a_disabled_tenant_redeems_nothing),
        TEST(an_app_without_the_grant_redeems_nothing),
        TEST(a_list_of_devices_lets_in_no_other),
        TEST(a_list_of_keys_lets_in_no_other),
        TEST(a_device_key_proves_a_repeat),
        TEST(a_blocked_device_redeems_nothing),
        TEST(a_rearmed_device_enrols_again_without_a_count),
        TEST(a_device_may_be_rearmed_again_and_again),
        TEST(rearming_needs_an_enrolment),
        TEST(a_revoked_auth_token_gives_no_count_back),
        TEST(hot_tokens_use_all_their_counts_and_no_more),
        TEST(counts_that_do_not_divide_by_the_slots_all_work),
        TEST(the_ledger_says_who_used_the_counts),
        TEST(a_repeat_keeps_what_the_first_one_told),
        TEST(noise_and_typing_errors_read_no_store),
        TEST(the_wrong_secret_is_unknown_like_no_record),
        TEST(another_tenants_token_is_unknown),
        TEST(other_kinds_of_tokens_are_refused),
        TEST(nonces_are_16_to_64_bytes),
        TEST(device_ids_are_1_to_128_bytes),
        TEST(a_dry_run_decides_alike_and_changes_nothing),
        TEST(refusals_of_every_kind_take_no_count),
        TEST(clocks_out_of_their_range_decide_nothing),
        TEST(without_linear_nothing_is_counted),
        TEST(a_not_before_ends_a_repeat_too),
        TEST(events_name_who_and_hold_no_credential),
        TEST(done_ops_are_not_run_again),
        TEST(a_refused_op_can_be_run_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
