/* tests/flow/test_registration_admin.c - minting, reading, changing, reissuing and
 * listing registration tokens. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

static int setup(void **state) {
    struct flow *f = malloc(sizeof *f);
    if (f == NULL)
        return -1;
    *state = f;
    flow_start(f);
    flow_app(f, NULL);
    return 0;
}

static int teardown(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

static mereau_op *mint(struct flow *f, int64_t count, int64_t lifetime_s) {
    return mereau_registration_token_mint(f->tenant, "app", count, lifetime_s);
}

static mereau_op *update(struct flow *f, const char *id, const char *json) {
    mereau_op *op = mereau_registration_token_update(f->tenant, id);
    mereau_op_set_json(op, json, strlen(json));
    return op;
}

static mereau_op *get(struct flow *f, const char *id) {
    return DONE(f, mereau_registration_token_get(f->tenant, id));
}

static void use(struct flow *f, const char *token, int from, int to) {
    for (int i = from; i < to; i++) {
        char device[16];
        snprintf(device, sizeof device, "u%d", i);
        mereau_op *op = flow_redeem(f, token, device, 1);
        if (mereau_op_run(op, &flow_error) != MEREAU_OK)
            fail_msg("device %d: %s", i, flow_error.text);
        mereau_op_free(op);
    }
}

/* --- minting --- */

static void a_count_is_1_to_a_billion(void **state) {
    struct flow *f = *state;
    static const int64_t bad[] = {0,
                                  -1,
                                  INT64_MIN + 2,
                                  INT64_C(1000000001),
                                  INT64_C(2147483648),
                                  INT64_C(4294967296),
                                  INT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        REFUSED(f, mint(f, bad[i], DAY), MEREAU_E_POLICY, "op.range");
    REFUSED(f, mint(f, MEREAU_UNSET, DAY), MEREAU_E_FIELD, "op.field");
    assert_string_equal(flow_error.wanted, "count");
    DONE(f, mint(f, 1, DAY));
    DONE(f, mint(f, INT64_C(1000000000), DAY));
}

static void a_validity_is_1_s_to_the_tenants_longest(void **state) {
    struct flow *f = *state;
    static const int64_t bad[] = {0, -1, 30 * DAY + 1, INT64_MAX,
                                  INT64_C(1800000000000)};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        REFUSED(f, mint(f, 1, bad[i]), MEREAU_E_POLICY, "op.range");
    REFUSED(f, mint(f, 1, MEREAU_UNSET), MEREAU_E_FIELD, "op.field");
    mereau_op *op = DONE(f, mint(f, 1, 30 * DAY));
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_AT), T0 + 30 * DAY);
    op = DONE(f, mint(f, 1, 1));
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_AT), T0 + 1);
    op = mereau_tenant_update(f->tenant);
    mereau_op_set_int(op, MEREAU_MAX_LIFETIME_S, 100);
    DONE(f, op);
    REFUSED(f, mint(f, 1, 101), MEREAU_E_POLICY, "op.range");
    DONE(f, mint(f, 1, 100));
}

static void scope_and_audience_are_not_more_than_the_apps(void **state) {
    struct flow *f = *state;
    mereau_op *op = mint(f, 1, DAY);
    mereau_op_set_text(op, MEREAU_SCOPE, "read admin");
    REFUSED(f, op, MEREAU_E_SCOPE, "scope.app");
    op = mint(f, 1, DAY);
    mereau_op_set_text(op, MEREAU_SCOPE, "read  write");
    REFUSED(f, op, MEREAU_E_SCOPE, "scope.form");
    op = mint(f, 1, DAY);
    mereau_op_set_text(op, MEREAU_AUDIENCE, "https://other");
    REFUSED(f, op, MEREAU_E_SCOPE, "audience.app");
    op = mint(f, 1, DAY);
    mereau_op_set_text(op, MEREAU_SCOPE, "print");
    mereau_op_set_text(op, MEREAU_AUDIENCE, API);
    DONE(f, op);
}

static void an_app_must_be_there_and_enabled(void **state) {
    struct flow *f = *state;
    REFUSED(f, mereau_registration_token_mint(f->tenant, "nobody", 1, DAY),
            MEREAU_E_UNKNOWN, "app.unknown");
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    DONE(f, op);
    REFUSED(f, mint(f, 1, DAY), MEREAU_E_DISABLED, "app.enabled");
}

static void a_start_lies_before_the_end(void **state) {
    struct flow *f = *state;
    mereau_op *op = mint(f, 1, 100);
    mereau_op_set_int(op, MEREAU_STARTS_AT, T0 + 100);
    REFUSED(f, op, MEREAU_E_POLICY, "registration_token.starts_at");
    op = mint(f, 1, 100);
    mereau_op_set_int(op, MEREAU_STARTS_AT, T0 + 99);
    DONE(f, op);
}

static void a_key_gives_the_same_token_again(void **state) {
    struct flow *f = *state;
    struct flow_records before, after;
    mereau_op *a = mint(f, 5, DAY), *b;
    mereau_op_set_text(a, MEREAU_IDEMPOTENCY_KEY, "order-7");
    DONE(f, a);
    flow_records_take(f, &before);
    f->now_at += 60;
    b = mint(f, 5, DAY);
    mereau_op_set_text(b, MEREAU_IDEMPOTENCY_KEY, "order-7");
    DONE(f, b);
    assert_string_equal(mereau_op_text(a, MEREAU_REGISTRATION_TOKEN),
                        mereau_op_text(b, MEREAU_REGISTRATION_TOKEN));
    assert_int_equal(mereau_op_int(a, MEREAU_EXPIRES_AT),
                     mereau_op_int(b, MEREAU_EXPIRES_AT));
    assert_int_equal(mereau_op_int(b, MEREAU_REPEATED), 1);
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after));
    flow_records_free(&before);
    flow_records_free(&after);
    b = mint(f, 6, DAY);
    mereau_op_set_text(b, MEREAU_IDEMPOTENCY_KEY, "order-7");
    REFUSED(f, b, MEREAU_E_EXISTS, "idempotency_key");
    b = mint(f, 5, DAY);
    mereau_op_set_text(b, MEREAU_IDEMPOTENCY_KEY, "order-8");
    DONE(f, b);
    assert_string_not_equal(mereau_op_text(a, MEREAU_REGISTRATION_TOKEN),
                            mereau_op_text(b, MEREAU_REGISTRATION_TOKEN));
}

/* --- many --- */

static mereau_op *mint_many(struct flow *f, int64_t n) {
    mereau_op *op =
        mereau_registration_token_mint_many(f->tenant, "app", n, DAY);
    mereau_op_set_text(op, MEREAU_IDEMPOTENCY_KEY, "all");
    return op;
}

static void many_are_one_count_each(void **state) {
    struct flow *f = *state;
    mereau_op *op = DONE(f, mint_many(f, 45));
    const char *last = "";
    int n = 0;
    while (mereau_op_next_row(op)) {
        const char *token = mereau_op_text(op, MEREAU_REGISTRATION_TOKEN);
        const char *id = mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID);
        assert_string_not_equal(token, last);
        last = token;
        mereau_op *read = get(f, id);
        assert_int_equal(mereau_op_int(read, MEREAU_COUNT), 1);
        DONE(f, flow_redeem(f, token, "d1", 1));
        REFUSED(f, flow_redeem(f, token, "d2", 1), MEREAU_E_USED_UP, NULL);
        n++;
    }
    assert_int_equal(n, 45);
}

static void an_interrupted_call_goes_on_where_it_stopped(void **state) {
    struct flow *f = *state;
    char first[300];
    int n = 0;
    mereau_op *op = mint_many(f, 45); /* three commits */
    flow_fail(f, 4, MEREAU_STORE_IO, 0); /* the second one */
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_E_STORE);
    assert_int_equal(mereau_op_next_row(op), 0);
    mereau_op_free(op);
    op = DONE(f, mereau_registration_token_list(f->tenant));
    while (mereau_op_next_row(op))
        n++;
    assert_int_equal(n, 20);
    flow_count_from_here(f);
    op = DONE(f, mint_many(f, 45));
    for (n = 0; mereau_op_next_row(op); n++)
        if (n == 0)
            snprintf(first, sizeof first, "%s",
                     mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
    assert_int_equal(n, 45);
    assert_int_equal(f->commits, 2);
    op = mereau_registration_token_list(f->tenant);
    mereau_op_set_int(op, MEREAU_PAGE_SIZE, 1000);
    DONE(f, op);
    for (n = 0; mereau_op_next_row(op);)
        n++;
    assert_int_equal(n, 45);
    op = DONE(f, mint_many(f, 45)); /* and once more: the same */
    assert_int_equal(mereau_op_next_row(op), 1);
    assert_string_equal(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN), first);
}

static void many_are_bounded(void **state) {
    struct flow *f = *state;
    REFUSED(f, mint_many(f, 0), MEREAU_E_POLICY, "op.range");
    REFUSED(f, mint_many(f, 1001), MEREAU_E_POLICY, "op.range");
    DONE(f, mint_many(f, 1000));
}

/* --- reading --- */

static void a_token_is_read_by_id_or_by_itself(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint_with(
        f, 3, DAY,
        "{\"scope\":\"read\",\"subject\":\"ann\",\"recipient\":\"bob\","
        "\"label\":\"batch\",\"reference\":[\"r1\",\"r2\"],"
        "\"allowed_device_id\":[\"d1\",\"d2\"]}");
    DONE(f, flow_redeem(f, t.text, "d1", 1));
    for (int by_token = 0; by_token < 2; by_token++) {
        mereau_op *op =
            mereau_registration_token_get(f->tenant, by_token ? NULL : t.id);
        if (by_token)
            mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN, t.text);
        DONE(f, op);
        assert_string_equal(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID),
                            t.id);
        assert_null(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
        assert_string_equal(mereau_op_text(op, MEREAU_CLIENT_ID), "app");
        assert_string_equal(mereau_op_text(op, MEREAU_STATE), "active");
        assert_string_equal(mereau_op_text(op, MEREAU_SCOPE), "read");
        assert_string_equal(mereau_op_text(op, MEREAU_SUBJECT), "ann");
        assert_string_equal(mereau_op_text(op, MEREAU_RECIPIENT), "bob");
        assert_string_equal(mereau_op_text(op, MEREAU_LABEL), "batch");
        assert_string_equal(mereau_op_text_at(op, MEREAU_REFERENCE, 1), "r2");
        assert_string_equal(mereau_op_text_at(op, MEREAU_ALLOWED_DEVICE_ID, 1),
                            "d2");
        assert_int_equal(mereau_op_int(op, MEREAU_COUNT), 3);
        assert_int_equal(mereau_op_int(op, MEREAU_USED_COUNT), 1);
        assert_int_equal(mereau_op_int(op, MEREAU_CREATED_AT), T0);
        assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_AT), T0 + DAY);
        assert_int_equal(mereau_op_int(op, MEREAU_LAST_USED_AT), T0);
        assert_null(strstr(mereau_op_json(op), "mereau_reg_"));
    }
}

static void unknown_tokens_are_unknown(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    struct flow other;
    struct flow_setup setup_other = {.seed = 2, .tenant = "other"};
    mereau_op *op;
    REFUSED(f, mereau_registration_token_get(f->tenant, "x"), MEREAU_E_UNKNOWN,
            "registration_token.id");
    REFUSED(f, mereau_registration_token_get(f->tenant, NULL), MEREAU_E_FIELD,
            "op.field");
    setup_other.share = &f->front;
    flow_open(&other, &setup_other);
    REFUSED(&other, mereau_registration_token_get(other.tenant, t.id),
            MEREAU_E_UNKNOWN, NULL);
    op = mereau_registration_token_get(other.tenant, NULL);
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN, t.text);
    REFUSED(&other, op, MEREAU_E_UNKNOWN, NULL);
    flow_close(&other);
}

/* --- counts --- */

static void a_raised_count_works_at_once(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    use(f, t.text, 0, 2);
    REFUSED(f, flow_redeem(f, t.text, "x", 1), MEREAU_E_USED_UP, NULL);
    mereau_op *op = DONE(f, update(f, t.id, "{\"count\":5}"));
    assert_int_equal(mereau_op_int(op, MEREAU_COUNT), 5);
    assert_int_equal(mereau_op_int(op, MEREAU_USED_COUNT), 2);
    assert_string_equal(mereau_op_text(op, MEREAU_STATE), "active");
    use(f, t.text, 2, 5);
    REFUSED(f, flow_redeem(f, t.text, "x", 1), MEREAU_E_USED_UP, NULL);
    assert_int_equal(flow_used(f, t.id), 5);
}

static void a_count_is_not_lowered_below_what_is_used(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 10, DAY);
    use(f, t.text, 0, 4);
    REFUSED(f, update(f, t.id, "{\"count\":3}"), MEREAU_E_POLICY,
            "registration_token.used_count");
    assert_string_equal(flow_error.wanted, "a count of at least 4");
    REFUSED(f, update(f, t.id, "{\"count\":0}"), MEREAU_E_POLICY, "op.range");
    REFUSED(f, update(f, t.id, "{\"count\":-1}"), MEREAU_E_POLICY, "op.range");
    mereau_op *op = DONE(f, update(f, t.id, "{\"count\":4}"));
    assert_string_equal(mereau_op_text(op, MEREAU_STATE), "used_up");
    REFUSED(f, flow_redeem(f, t.text, "x", 1), MEREAU_E_USED_UP, NULL);
    DONE(f, update(f, t.id, "{\"count\":5}"));
    use(f, t.text, 4, 5);
    REFUSED(f, flow_redeem(f, t.text, "x", 1), MEREAU_E_USED_UP, NULL);
}

static void hot_counts_are_changed_over_all_slots(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1500, DAY);
    use(f, t.text, 0, 700);
    DONE(f, update(f, t.id, "{\"count\":710}"));
    use(f, t.text, 700, 710);
    REFUSED(f, flow_redeem(f, t.text, "x", 1), MEREAU_E_USED_UP, NULL);
    DONE(f, update(f, t.id, "{\"count\":900}"));
    use(f, t.text, 710, 900);
    REFUSED(f, flow_redeem(f, t.text, "x", 1), MEREAU_E_USED_UP, NULL);
    assert_int_equal(flow_used(f, t.id), 900);
}

/* --- the other settings --- */

static void an_expiry_moves_within_the_tenants_longest(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, 100);
    char json[64];
    REFUSED(f, update(f, t.id, "{\"expires_at\":1800000000}"), MEREAU_E_POLICY,
            "registration_token.expires_at");
    snprintf(json, sizeof json, "{\"expires_at\":%lld}",
             (long long)(T0 + 30 * DAY + 1));
    REFUSED(f, update(f, t.id, json), MEREAU_E_POLICY,
            "registration_token.expires_at");
    DONE(f, update(f, t.id, "{\"expires_at\":1800000200}"));
    f->now_at = T0 + 199;
    use(f, t.text, 0, 1);
    f->now_at = T0 + 200;
    REFUSED(f, flow_redeem(f, t.text, "x", 1), MEREAU_E_EXPIRED, NULL);
    REFUSED(f, update(f, t.id, "{\"expires_at\":1800009999}"), MEREAU_E_EXPIRED,
            "registration_token.expires_at");
    REFUSED(f, update(f, t.id, "{\"count\":9}"), MEREAU_E_EXPIRED, NULL);
}

static void words_and_devices_can_be_changed(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    mereau_op *op = DONE(
        f, update(f, t.id,
                  "{\"label\":\"l\",\"recipient\":\"r\",\"reference\":[\"a\"],"
                  "\"allowed_device_id\":[\"only\"]}"));
    assert_string_equal(mereau_op_text(op, MEREAU_LABEL), "l");
    assert_string_equal(mereau_op_text(op, MEREAU_RECIPIENT), "r");
    REFUSED(f, flow_redeem(f, t.text, "x", 1), MEREAU_E_DEVICE, NULL);
    DONE(f, flow_redeem(f, t.text, "only", 1));
}

static void a_disabled_token_can_be_changed(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    DONE(f, update(f, t.id, "{\"enabled\":false}"));
    mereau_op *op = DONE(f, update(f, t.id, "{\"count\":4}"));
    assert_string_equal(mereau_op_text(op, MEREAU_STATE), "disabled");
    assert_int_equal(mereau_op_int(op, MEREAU_COUNT), 4);
}

static void a_revoked_token_cannot_be_changed(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    DONE(f, mereau_registration_token_revoke(f->tenant, t.id));
    REFUSED(f, update(f, t.id, "{\"enabled\":true}"), MEREAU_E_REVOKED,
            "registration_token.revoked");
    mereau_op *op = DONE(f, mereau_registration_token_revoke(f->tenant, t.id));
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 1);
    op = get(f, t.id);
    assert_int_equal(mereau_op_int(op, MEREAU_REVOKED_AT), T0);
}

static void states_have_an_order(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, 100);
    assert_string_equal(flow_state(f, t.id), "active");
    DONE(f, update(f, t.id, "{\"enabled\":false}"));
    assert_string_equal(flow_state(f, t.id), "disabled");
    DONE(f, update(f, t.id, "{\"enabled\":true}"));
    use(f, t.text, 0, 1);
    DONE(f, update(f, t.id, "{\"enabled\":false}"));
    assert_string_equal(flow_state(f, t.id), "used_up");
    f->now_at += 100;
    assert_string_equal(flow_state(f, t.id), "expired");
    DONE(f, mereau_registration_token_revoke(f->tenant, t.id));
    assert_string_equal(flow_state(f, t.id), "revoked");
}

/* --- reissuing --- */

static void the_rest_of_an_expired_token_is_reissued(void **state) {
    struct flow *f = *state;
    struct flow_token t =
        flow_mint_with(f, 10, 100, "{\"scope\":\"read\",\"label\":\"l\"}");
    use(f, t.text, 0, 4);
    f->now_at += 100;
    mereau_op *op =
        DONE(f, mereau_registration_token_reissue(f->tenant, t.id, DAY));
    assert_int_equal(mereau_op_int(op, MEREAU_COUNT), 6);
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_AT), T0 + 100 + DAY);
    const char *token = mereau_op_text(op, MEREAU_REGISTRATION_TOKEN);
    const char *id = mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID);
    assert_string_not_equal(token, t.text);
    assert_string_equal(flow_state(f, t.id), "revoked");
    use(f, token, 100, 106);
    REFUSED(f, flow_redeem(f, token, "x", 1), MEREAU_E_USED_UP, NULL);
    op = get(f, id);
    assert_string_equal(mereau_op_text(op, MEREAU_SCOPE), "read");
    assert_string_equal(mereau_op_text(op, MEREAU_LABEL), "l");
    REFUSED(f, mereau_registration_token_reissue(f->tenant, t.id, DAY),
            MEREAU_E_REVOKED, "registration_token.revoked");
    REFUSED(f, mereau_registration_token_reissue(f->tenant, id, DAY),
            MEREAU_E_USED_UP, "registration_token.count");
}

static void reissuing_keeps_to_the_rules_of_minting(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 10, 100);
    REFUSED(f, mereau_registration_token_reissue(f->tenant, t.id, 0),
            MEREAU_E_POLICY, "op.range");
    REFUSED(f, mereau_registration_token_reissue(f->tenant, t.id, 31 * DAY),
            MEREAU_E_POLICY, "op.range");
    REFUSED(f, mereau_registration_token_reissue(f->tenant, "x", DAY),
            MEREAU_E_UNKNOWN, NULL);
    assert_string_equal(flow_state(f, t.id), "active");
}

static void a_reissued_disabled_token_is_enabled(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, 100);
    use(f, t.text, 0, 1);
    mereau_op *op =
        DONE(f, mereau_registration_token_reissue(f->tenant, t.id, DAY));
    use(f, mereau_op_text(op, MEREAU_REGISTRATION_TOKEN), 50, 51);
    REFUSED(f, flow_redeem(f, t.text, "x", 1), MEREAU_E_REVOKED, NULL);
}

/* --- lists --- */

static void tokens_are_listed_newest_first_and_filtered(void **state) {
    struct flow *f = *state;
    struct flow_token t[5];
    mereau_op *op;
    int n = 0;
    for (int i = 0; i < 5; i++) {
        f->now_at++;
        t[i] = flow_mint_with(f, 1, DAY,
                              i == 2 ? "{\"recipient\":\"bob\"}" : "{}");
    }
    DONE(f, mereau_registration_token_revoke(f->tenant, t[3].id));
    op = DONE(f, mereau_registration_token_list(f->tenant));
    for (; mereau_op_next_row(op); n++)
        assert_string_equal(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID),
                            t[4 - n].id);
    assert_int_equal(n, 5);
    op = mereau_registration_token_list(f->tenant);
    mereau_op_set_text(op, MEREAU_RECIPIENT, "bob");
    DONE(f, op);
    assert_int_equal(mereau_op_next_row(op), 1);
    assert_string_equal(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID),
                        t[2].id);
    assert_int_equal(mereau_op_next_row(op), 0);
    op = mereau_registration_token_list(f->tenant);
    mereau_op_set_text(op, MEREAU_STATE, "revoked");
    DONE(f, op);
    assert_int_equal(mereau_op_next_row(op), 1);
    assert_string_equal(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID),
                        t[3].id);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_count_is_1_to_a_billion),
        TEST(a_validity_is_1_s_to_the_tenants_longest),
        TEST(scope_and_audience_are_not_more_than_the_apps),
        TEST(an_app_must_be_there_and_enabled),
        TEST(a_start_lies_before_the_end),
        TEST(a_key_gives_the_same_token_again),
        TEST(many_are_one_count_each),
        TEST(an_interrupted_call_goes_on_where_it_stopped),
        TEST(many_are_bounded),
        TEST(a_token_is_read_by_id_or_by_itself),
        TEST(unknown_tokens_are_unknown),
        TEST(a_raised_count_works_at_once),
        TEST(a_count_is_not_lowered_below_what_is_used),
        TEST(hot_counts_are_changed_over_all_slots),
        TEST(an_expiry_moves_within_the_tenants_longest),
        TEST(words_and_devices_can_be_changed),
        TEST(a_disabled_token_can_be_changed),
        TEST(a_revoked_token_cannot_be_changed),
        TEST(states_have_an_order),
        TEST(the_rest_of_an_expired_token_is_reissued),
        TEST(reissuing_keeps_to_the_rules_of_minting),
        TEST(a_reissued_disabled_token_is_enabled),
        TEST(tokens_are_listed_newest_first_and_filtered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
