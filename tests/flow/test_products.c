/* tests/flow/test_products.c - docs/products.md, row by row: what products of this
 * kind say about registration tokens (S), refreshing (I) and apps (E). Each test
 * bears the number of its row; rows without one belong to a later part. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#include "credential/credential.h"
#include "key_texts.h"

#define JKT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static int setup(void **state) {
    const struct flow_setup with = {.seed = 26, .keep_events = 1};
    struct flow *f = malloc(sizeof *f);
    if (f == NULL)
        return -1;
    *state = f;
    flow_open(f, &with);
    flow_app(f, NULL);
    flow_forget_events(f);
    return 0;
}

static int teardown(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

static mereau_op *with(mereau_op *op, int32_t field, const char *text) {
    mereau_op_set_text(op, field, text);
    return op;
}

static mereau_op *with_int(mereau_op *op, int32_t field, int64_t number) {
    mereau_op_set_int(op, field, number);
    return op;
}

static mereau_op *refresh(struct flow *f, const char *token) {
    return mereau_token_refresh(f->tenant, token);
}

static struct flow_pair next(struct flow *f, const char *token) {
    return flow_pair_of(DONE(f, refresh(f, token)));
}

static mereau_op *live(struct flow *f, const char *token) {
    return mereau_token_verify_live(f->tenant, token);
}

static mereau_op *token_update(struct flow *f, struct flow_token t) {
    return mereau_registration_token_update(f->tenant, t.id);
}

static mereau_op *ledger(struct flow *f, struct flow_token t) {
    return with(mereau_auth_token_list(f->tenant), MEREAU_REGISTRATION_TOKEN_ID,
                t.id);
}

static int rows(struct flow *f, mereau_op *list) {
    int n = 0;
    for (DONE(f, list); mereau_op_next_row(list);)
        n++;
    return n;
}

static struct flow_token minted(mereau_op *op) {
    struct flow_token t = {mereau_op_text(op, MEREAU_REGISTRATION_TOKEN),
                           mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID)};
    assert_non_null(t.text);
    assert_non_null(t.id);
    return t;
}

/* Redeems for n devices of this name, each with another number. */
static void redeem_many(struct flow *f, struct flow_token t, const char *name,
                        int n) {
    for (int i = 0; i < n; i++) {
        char device[64];
        snprintf(device, sizeof device, "%s%d", name, i);
        mereau_op *op = flow_redeem(f, t.text, device, 1);
        assert_int_equal(mereau_op_run(op, &flow_error), MEREAU_OK);
        mereau_op_free(op);
    }
}

/* Whether any stored record or event holds this text. */
static int is_kept(struct flow *f, const char *text) {
    struct flow_records records;
    size_t len = strlen(text);
    int found = flow_told(f, text);
    flow_records_take(f, &records);
    for (size_t i = 0; i < records.n; i++)
        for (size_t at = 0; at + len <= records.all[i].value_len; at++)
            found |= memcmp(records.all[i].value + at, text, len) == 0;
    flow_records_free(&records);
    return found;
}

/* --- S: registration tokens --- */

static void s01_a_registration_token_generates_auth_tokens(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    assert_memory_equal(t.text, "mereau_reg_", 11);
    assert_memory_equal(p.auth, "mereau_aut_", 11);
    assert_memory_equal(p.refresh, "mereau_ref_", 11);
    assert_int_equal(flow_verify(f, p.access), MEREAU_OK);
    /* It is for nothing else. */
    REFUSED(f, mereau_auth_token_exchange(f->tenant, t.text), MEREAU_E_KIND,
            NULL);
    REFUSED(f, live(f, t.text), MEREAU_E_KIND, NULL);
}

static void s02_each_auth_token_knows_user_and_device(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *op = flow_redeem(f, t.text, "office-7", 1);
    with(op, MEREAU_HOST_NAME, "office-7.example.com");
    with(op, MEREAU_SYSTEM_USER, "ann");
    with(op, MEREAU_REFERENCE, "ref-1");
    mereau_op_add_text(op, MEREAU_REFERENCE, "ref-2");
    with(op, MEREAU_DEVICE_INFO, "{\"mac\":\"00:00:5e:00:53:01\"}");
    DONE(f, op);
    DONE(f, flow_redeem(f, t.text, "office-8", 2));
    op = DONE(f, ledger(f, t));
    assert_true(mereau_op_next_row(op));
    if (strcmp(mereau_op_text(op, MEREAU_DEVICE_ID), "office-7") != 0)
        assert_true(mereau_op_next_row(op));
    assert_string_equal(mereau_op_text(op, MEREAU_HOST_NAME),
                        "office-7.example.com");
    assert_string_equal(mereau_op_text(op, MEREAU_SYSTEM_USER), "ann");
    assert_string_equal(mereau_op_text_at(op, MEREAU_REFERENCE, 1), "ref-2");
    assert_string_equal(mereau_op_text(op, MEREAU_DEVICE_INFO),
                        "{\"mac\":\"00:00:5e:00:53:01\"}");
}

static void s03_each_instance_needs_one_even_on_one_device(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    DONE(f, flow_redeem(f, t.text, "pc1/first", 1));
    DONE(f, flow_redeem(f, t.text, "pc1/second", 2));
    assert_int_equal(flow_used(f, t.id), 2);
    /* Again with the same secret: the same answer; with another: refused. */
    DONE(f, flow_redeem(f, t.text, "pc1/first", 1));
    REFUSED(f, flow_redeem(f, t.text, "pc1/first", 9), MEREAU_E_ENROLLED, NULL);
    REFUSED(f, flow_redeem(f, t.text, "pc1/third", 3), MEREAU_E_USED_UP, NULL);
    assert_int_equal(flow_used(f, t.id), 2);
}

static void s04_the_auth_token_is_needed_once(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    for (int i = 0; i < 5; i++) {
        f->now_at += DAY; /* the registration token expires on the way */
        p = next(f, p.refresh);
    }
    assert_string_equal(flow_state(f, t.id), "expired");
    assert_int_equal(flow_used(f, t.id), 1);
    p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d2");
    next(f, p.refresh);
    REFUSED(f, mereau_auth_token_exchange(f->tenant, p.auth), MEREAU_E_REUSED,
            NULL);
}

static void s05_count_must_be_given(void **state) {
    struct flow *f = *state;
    static const int64_t bad[] = {0, -1, MEREAU_NOW, INT64_MIN + 2};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        REFUSED(f,
                mereau_registration_token_mint(f->tenant, "app", bad[i], DAY),
                MEREAU_E_POLICY, "op.range");
    REFUSED(f,
            mereau_registration_token_mint(f->tenant, "app", MEREAU_UNSET, DAY),
            MEREAU_E_FIELD, "op.field");
    assert_int_equal(rows(f, mereau_registration_token_list(f->tenant)), 0);
    assert_int_equal(flow_used(f, flow_mint(f, 1, DAY).id), 0);
}

static void s06_no_use_once_all_counts_are_taken(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    redeem_many(f, t, "d", 3);
    for (int i = 0; i < 20; i++)
        REFUSED(f, flow_redeem(f, t.text, "one more", 1), MEREAU_E_USED_UP,
                "registration_token.count");
    assert_int_equal(flow_used(f, t.id), 3);
    assert_string_equal(flow_state(f, t.id), "used_up");
    assert_string_equal(mereau_status_oauth(MEREAU_E_USED_UP), "invalid_grant");
}

static void s07_an_end_must_be_given_within_30_days(void **state) {
    struct flow *f = *state;
    static const int64_t bad[] = {0, -1, 30 * DAY + 1, INT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        REFUSED(f, mereau_registration_token_mint(f->tenant, "app", 1, bad[i]),
                MEREAU_E_POLICY, "op.range");
    REFUSED(f,
            mereau_registration_token_mint(f->tenant, "app", 1, MEREAU_UNSET),
            MEREAU_E_FIELD, "op.field");
    struct flow_token t = flow_mint(f, 2, 30 * DAY);
    f->now_at = T0 + 30 * DAY - 1;
    DONE(f, flow_redeem(f, t.text, "in time", 1));
    f->now_at++;
    REFUSED(f, flow_redeem(f, t.text, "too late", 1), MEREAU_E_EXPIRED, NULL);
    DONE(f, with_int(mereau_tenant_update(f->tenant), MEREAU_MAX_LIFETIME_S,
                     3600));
    REFUSED(f, mereau_registration_token_mint(f->tenant, "app", 1, 3601),
            MEREAU_E_POLICY, "op.range");
    flow_mint(f, 1, 3600);
}

static void s08_counts_are_not_licences(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    for (int i = 0; i < 30; i++) /* no use of the program is counted */
        p = next(f, p.refresh);
    assert_int_equal(flow_used(f, t.id), 1);
}

static void s09_who_created_it_is_in_the_trail(void **state) {
    struct flow *f = *state;
    mereau_op *op = mereau_registration_token_mint(f->tenant, "app", 1, DAY);
    DONE(f, with(op, MEREAU_ACTOR, "contact@customer.example"));
    assert_true(flow_told(f, "\"event\":\"registration_token.mint\""));
    assert_true(flow_told(f, "\"actor\":\"contact@customer.example\""));
}

static void s11_an_administrators_scope_is_verified(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint_with(f, 1, DAY, "{\"scope\":\"read\"}");
    struct flow_pair p = flow_enrol(f, t.text, "console");
    DONE(f, with(live(f, p.access), MEREAU_SCOPE, "read"));
    REFUSED(f, with(live(f, p.access), MEREAU_SCOPE, "write"), MEREAU_E_SCOPE,
            NULL);
}

static void s12_tokens_are_read_by_id_or_text_and_listed(void **state) {
    struct flow *f = *state;
    struct flow_token t =
        flow_mint_with(f, 7, DAY,
                       "{\"recipient\":\"ann\",\"reference\":[\"po-1\","
                       "\"po-2\"],\"label\":\"printers\"}");
    flow_mint(f, 1, DAY);
    mereau_op *by_id = DONE(f, mereau_registration_token_get(f->tenant, t.id));
    mereau_op *by_text =
        DONE(f, with(mereau_registration_token_get(f->tenant, NULL),
                     MEREAU_REGISTRATION_TOKEN, t.text));
    assert_string_equal(mereau_op_json(by_id), mereau_op_json(by_text));
    assert_non_null(strstr(mereau_op_json(by_id), "\"count\":7"));
    assert_non_null(strstr(mereau_op_json(by_id), "\"used_count\":0"));
    assert_non_null(strstr(mereau_op_json(by_id), "\"label\":\"printers\""));
    assert_null(strstr(mereau_op_json(by_id), "mereau_reg_"));
    static const struct {
        int32_t field;
        const char *text;
        int found;
    } lists[] = {
        {MEREAU_CLIENT_ID, "app", 2}, {MEREAU_RECIPIENT, "ann", 1},
        {MEREAU_RECIPIENT, "bob", 0}, {MEREAU_REFERENCE, "po-2", 1},
        {MEREAU_STATE, "active", 2},  {MEREAU_STATE, "expired", 0},
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        assert_int_equal(rows(f, with(mereau_registration_token_list(f->tenant),
                                      lists[i].field, lists[i].text)),
                         lists[i].found);
}

static void s13_expired_with_counts_left_is_expired(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 9, DAY);
    f->now_at += DAY;
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_EXPIRED,
            "registration_token.expires_at");
    assert_string_equal(flow_state(f, t.id), "expired");
    REFUSED(f, with_int(token_update(f, t), MEREAU_COUNT, 10), MEREAU_E_EXPIRED,
            NULL);
    REFUSED(f, with_int(token_update(f, t), MEREAU_EXPIRES_AT, f->now_at + DAY),
            MEREAU_E_EXPIRED, NULL);
}

static void s14_one_token_serves_all_devices(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 12, DAY);
    redeem_many(f, t, "d", 12);
    assert_int_equal(rows(f, ledger(f, t)), 12);
}

static void s15_no_secret_of_a_machine_is_in_the_store(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    assert_true(strlen(t.text) >= 11 + 43); /* 256 bits and more */
    /* The part after the prefix, of which no piece may be found. */
    assert_false(is_kept(f, t.text + 40));
    assert_false(is_kept(f, p.auth + 40));
    assert_false(is_kept(f, p.refresh + 40));
    assert_false(is_kept(f, p.access));
    assert_true(is_kept(f, "d1")); /* the search does find */
}

static void s16_deleting_auth_tokens_prevents_use(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    struct flow_pair a = flow_enrol(f, t.text, "a");
    struct flow_pair b = flow_enrol(f, t.text, "b");
    DONE(f, mereau_auth_token_revoke(f->tenant, a.auth_id));
    REFUSED(f, refresh(f, a.refresh), MEREAU_E_REVOKED, NULL);
    REFUSED(f, live(f, a.access), MEREAU_E_REVOKED, NULL);
    assert_int_equal(flow_used(f, t.id), 2); /* the count does not come back */
    b = next(f, b.refresh);
    DONE(f, mereau_registration_token_revoke(f->tenant, t.id));
    b = next(f, b.refresh); /* what came of it lives on ... */
    struct flow_token u = flow_mint(f, 2, DAY);
    struct flow_pair c = flow_enrol(f, u.text, "c");
    DONE(f, with_int(mereau_registration_token_revoke(f->tenant, u.id),
                     MEREAU_CASCADE, 1));
    REFUSED(f, refresh(f, c.refresh), MEREAU_E_REVOKED, NULL); /* ... or not */
    REFUSED(f, live(f, c.access), MEREAU_E_REVOKED, NULL);
}

static void s17_one_for_many_or_one_for_each(void **state) {
    struct flow *f = *state;
    mereau_op *op =
        mereau_registration_token_mint_many(f->tenant, "app", 45, DAY);
    struct flow_token first = {0};
    int n = 0;
    for (DONE(f, op); mereau_op_next_row(op); n++)
        first = minted(op);
    assert_int_equal(n, 45);
    DONE(f, flow_redeem(f, first.text, "a", 1));
    REFUSED(f, flow_redeem(f, first.text, "b", 1), MEREAU_E_USED_UP, NULL);
    struct flow_token named =
        flow_mint_with(f, 2, DAY, "{\"allowed_device_id\":[\"x\",\"y\"]}");
    REFUSED(f, flow_redeem(f, named.text, "z", 1), MEREAU_E_DEVICE, NULL);
    DONE(f, flow_redeem(f, named.text, "y", 1));
    struct flow_token keyed =
        flow_mint_with(f, 2, DAY, "{\"allowed_device_jkt\":[\"" JKT "\"]}");
    REFUSED(f, flow_redeem(f, keyed.text, "k", 1), MEREAU_E_DEVICE, NULL);
    DONE(f, flow_redeem_key(f, keyed.text, "k", JKT));
}

static void s18_a_hundred_users_and_two_instances_of_each(void **state) {
    struct flow *f = *state;
    struct flow_token one = flow_mint(f, 100, DAY);
    redeem_many(f, one, "user", 100);
    REFUSED(f, flow_redeem(f, one.text, "user100", 1), MEREAU_E_USED_UP, NULL);
    assert_int_equal(flow_used(f, one.id), 100);
    struct flow_token two = flow_mint(f, 200, DAY);
    redeem_many(f, two, "laptop of user", 100);
    redeem_many(f, two, "desktop of user", 100);
    REFUSED(f, flow_redeem(f, two.text, "tablet", 1), MEREAU_E_USED_UP, NULL);
    assert_int_equal(flow_used(f, two.id), 200);
}

static void s19_a_token_of_each_recipient_ends_alone(void **state) {
    struct flow *f = *state;
    struct flow_token ann =
        flow_mint_with(f, 2, DAY, "{\"recipient\":\"ann\"}");
    struct flow_token bob =
        flow_mint_with(f, 2, DAY, "{\"recipient\":\"bob\"}");
    DONE(f, flow_redeem(f, ann.text, "a stranger", 1));
    assert_int_equal(rows(f, ledger(f, ann)), 1);
    assert_int_equal(rows(f, ledger(f, bob)), 0);
    DONE(f, with_int(mereau_registration_token_revoke(f->tenant, ann.id),
                     MEREAU_CASCADE, 1));
    REFUSED(f, flow_redeem(f, ann.text, "another", 1), MEREAU_E_REVOKED, NULL);
    DONE(f, flow_redeem(f, bob.text, "bob's", 1));
}

static void s20_an_expired_token_gets_a_successor(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 5, DAY);
    char wrong[MRU_CRED_MAX];
    redeem_many(f, t, "d", 2);
    f->now_at += DAY;
    REFUSED(f, flow_redeem(f, t.text, "late", 1), MEREAU_E_EXPIRED, NULL);
    /* Who does not have the token does not learn that it has expired. */
    struct mru_cred cred;
    assert_int_equal(mru_cred_parse(&cred, MRU_CRED_REGISTRATION, t.text,
                                    strlen(t.text), NULL),
                     MEREAU_OK);
    cred.secret[0] ^= 1;
    assert_true(mru_cred_print(wrong, &cred) > 0);
    REFUSED(f, flow_redeem(f, wrong, "guess", 1), MEREAU_E_UNKNOWN, NULL);
    struct flow_token next_one = minted(
        DONE(f, mereau_registration_token_reissue(f->tenant, t.id, DAY)));
    redeem_many(f, next_one, "late", 3); /* the rest of the counts */
    REFUSED(f, flow_redeem(f, next_one.text, "4th", 1), MEREAU_E_USED_UP, NULL);
    REFUSED(f, flow_redeem(f, t.text, "late", 1), MEREAU_E_REVOKED, NULL);
}

static void s21_too_few_counts_are_raised(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    redeem_many(f, t, "d", 2);
    REFUSED(f, flow_redeem(f, t.text, "third", 1), MEREAU_E_USED_UP, NULL);
    REFUSED(f, with_int(token_update(f, t), MEREAU_COUNT, 1), MEREAU_E_POLICY,
            "registration_token.used_count");
    DONE(f, with_int(token_update(f, t), MEREAU_COUNT, 3));
    DONE(f, flow_redeem(f, t.text, "third", 1));
    REFUSED(f, flow_redeem(f, t.text, "fourth", 1), MEREAU_E_USED_UP, NULL);
}

static void s22_who_used_up_the_counts_is_found(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    int seen = 0;
    DONE(f, flow_redeem(f, t.text, "ours", 1));
    for (int i = 0; i < 2; i++) {
        f->now_at += 60;
        DONE(f, with(flow_redeem(f, t.text, i == 0 ? "x0" : "x1", 1),
                     MEREAU_REMOTE_ADDRESS, "198.51.100.66"));
    }
    mereau_op *op = DONE(f, ledger(f, t));
    while (mereau_op_next_row(op)) {
        const char *from = mereau_op_text(op, MEREAU_REMOTE_ADDRESS);
        if (from == NULL || strcmp(from, "198.51.100.66") != 0)
            continue;
        seen++;
        assert_true(mereau_op_int(op, MEREAU_CREATED_AT) > T0);
        DONE(f, mereau_auth_token_revoke(
                    f->tenant, mereau_op_text(op, MEREAU_AUTH_TOKEN_ID)));
        DONE(f, mereau_device_block(f->tenant,
                                    mereau_op_text(op, MEREAU_DEVICE_ID)));
    }
    assert_int_equal(seen, 2);
    DONE(f, with_int(token_update(f, t), MEREAU_COUNT, 4));
    REFUSED(f, flow_redeem(f, t.text, "x1", 1), MEREAU_E_BLOCKED, NULL);
    DONE(f, flow_redeem(f, t.text, "ours too", 1));
}

static void s23_disabled_until_enabled_and_editable_between(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    DONE(f, with_int(token_update(f, t), MEREAU_ENABLED, 0));
    assert_string_equal(flow_state(f, t.id), "disabled");
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_DISABLED, NULL);
    DONE(f, with_int(token_update(f, t), MEREAU_COUNT, 2));
    DONE(f, with_int(token_update(f, t), MEREAU_ENABLED, 1));
    redeem_many(f, t, "d", 2);
}

static void s24_a_retry_burns_no_count(void **state) {
    struct flow *f = *state;
    struct flow_token t = {0};
    for (int i = 0; i < 3; i++) { /* the creation itself */
        mereau_op *op =
            with(mereau_registration_token_mint(f->tenant, "app", 2, DAY),
                 MEREAU_IDEMPOTENCY_KEY, "form-17");
        struct flow_token again = minted(DONE(f, op));
        assert_int_equal(mereau_op_int(op, MEREAU_REPEATED) == 1, i > 0);
        if (i > 0)
            assert_string_equal(again.text, t.text);
        t = again;
    }
    assert_int_equal(rows(f, mereau_registration_token_list(f->tenant)), 1);
    flow_fail(f, 2, MEREAU_STORE_IO, 0); /* the use: "HTTP 500, retry" */
    REFUSED(f, flow_redeem(f, t.text, "d1", 1), MEREAU_E_STORE, NULL);
    flow_fail(f, 0, 0, 0);
    assert_int_equal(flow_used(f, t.id), 0);
    for (int i = 0; i < 4; i++) {
        DONE(f, flow_redeem(f, t.text, "d1", 1));
        assert_int_equal(flow_used(f, t.id), 1);
    }
}

/* --- I: the refresh cycle --- */

static void i01_the_answer_is_a_bearer_token(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    assert_string_equal(mereau_op_text(p.op, MEREAU_TOKEN_TYPE), "Bearer");
    /* Grants that nobody serves yet cannot be promised to an app. */
    mereau_op *op = mereau_app_create(f->tenant, "other");
    REFUSED(f, with(op, MEREAU_GRANT_TYPE, "password"), MEREAU_E_POLICY, NULL);
}

static void i02_the_bearer_header_is_read(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    mereau_verifier *verifier = mereau_verifier_new(ISSUER, API);
    static const struct {
        const char *before, *after;
        mereau_status status;
    } headers[] = {
        {"Bearer ", "", MEREAU_OK},
        {"bearer ", "", MEREAU_OK},
        {"BEARER ", "", MEREAU_OK},
        {"Basic ", "", MEREAU_E_MALFORMED},
        {"Bearer", "", MEREAU_E_MALFORMED},
        {"Bearer \"", "\"", MEREAU_E_MALFORMED},
        {"Bearer ", ", Bearer x", MEREAU_E_MALFORMED},
        {"Bearer ", " x", MEREAU_E_MALFORMED},
    };
    DONE(f, mereau_verifier_load(f->tenant, verifier));
    assert_int_equal(mereau_verifier_ready(verifier, NULL), MEREAU_OK);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        char header[4096];
        int len = snprintf(header, sizeof header, "%s%s%s", headers[i].before,
                           p.access, headers[i].after);
        assert_int_equal(mereau_jwt_verify_bearer(verifier, NULL, header,
                                                  (size_t)len, f->now_at, NULL),
                         headers[i].status);
    }
    mereau_verifier_free(verifier);
}

static void i03_lifetimes_follow_the_tenant_unless_the_app_says(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 9, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "a");
    assert_int_equal(mereau_op_int(p.op, MEREAU_EXPIRES_IN), 300);
    DONE(f, with_int(mereau_tenant_update(f->tenant), MEREAU_ACCESS_LIFETIME_S,
                     180));
    p = next(f, p.refresh);
    assert_int_equal(mereau_op_int(p.op, MEREAU_EXPIRES_IN), 180);
    DONE(f, with_int(mereau_app_update(f->tenant, "app"),
                     MEREAU_ACCESS_LIFETIME_S, 60));
    p = next(f, p.refresh);
    assert_int_equal(mereau_op_int(p.op, MEREAU_EXPIRES_IN), 60);
    f->now_at += 59;
    assert_int_equal(flow_verify(f, p.access), MEREAU_OK);
    f->now_at++;
    assert_int_equal(flow_verify(f, p.access), MEREAU_E_EXPIRED);
}

static void i04_an_expired_token_is_401_and_says_so(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    f->now_at += 300;
    REFUSED(f, live(f, p.access), MEREAU_E_EXPIRED, NULL);
    assert_int_equal(mereau_status_http(MEREAU_E_EXPIRED), 401);
    assert_int_equal(flow_verify(f, next(f, p.refresh).access), MEREAU_OK);
}

static void i05_refreshing_takes_client_id_and_secret(void **state) {
    struct flow *f = *state;
    DONE(f,
         with_int(mereau_app_update(f->tenant, "app"), MEREAU_CONFIDENTIAL, 1));
    const char *secret = mereau_op_text(
        DONE(f, mereau_app_secret_add(f->tenant, "app")), MEREAU_CLIENT_SECRET);
    mereau_op *op = DONE(f, flow_redeem(f, flow_mint(f, 1, DAY).text, "d1", 1));
    op = mereau_auth_token_exchange(f->tenant,
                                    mereau_op_text(op, MEREAU_AUTH_TOKEN));
    struct flow_pair p =
        flow_pair_of(DONE(f, with(op, MEREAU_CLIENT_SECRET, secret)));
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_CLIENT, NULL);
    REFUSED(f, with(refresh(f, p.refresh), MEREAU_CLIENT_SECRET, "guess"),
            MEREAU_E_CLIENT, NULL);
    op = with(refresh(f, p.refresh), MEREAU_CLIENT_SECRET, secret);
    REFUSED(f, with(op, MEREAU_CLIENT_ID, "other"), MEREAU_E_WRONG_APP, NULL);
    op = with(refresh(f, p.refresh), MEREAU_CLIENT_SECRET, secret);
    DONE(f, with(op, MEREAU_CLIENT_ID, "app"));
}

static void i06_answer_has_the_wire_members(void **state) {
    struct flow *f = *state;
    DONE(f, with_int(mereau_tenant_update(f->tenant), MEREAU_ACCESS_LIFETIME_S,
                     180));
    DONE(f, with_int(mereau_tenant_update(f->tenant), MEREAU_REFRESH_LIFETIME_S,
                     1800));
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    const char *json = mereau_op_json(next(f, p.refresh).op);
    static const char *const members[] = {
        "\"access_token\":\"", "\"token_type\":\"Bearer\"",
        "\"refresh_token\":\"", "\"scope\":\"read write print\"",
        "\"session_state\":\""};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        assert_non_null(strstr(json, members[i]));
    assert_int_equal(flow_number(json, "expires_in"), 180);
    assert_int_equal(flow_number(json, "refresh_expires_in"), 1800);
    assert_int_equal(flow_number(json, "not-before-policy"), 0);
    assert_null(strstr(json, "id_token")); /* a place for it, and none yet */
}

static void i07_the_scope_of_the_answer_is_what_was_given(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    mereau_op *op =
        DONE(f, with(refresh(f, p.refresh), MEREAU_SCOPE, "print read"));
    assert_string_equal(mereau_op_text(op, MEREAU_SCOPE), "read print");
    assert_non_null(
        strstr(mereau_op_text(op, MEREAU_CLAIMS), "\"scope\":\"read print\""));
    REFUSED(f,
            with(refresh(f, flow_pair_of(op).refresh), MEREAU_SCOPE, "email"),
            MEREAU_E_SCOPE, NULL);
}

static void i08_old_refresh_tokens_are_disposed_of(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    struct flow_pair a = next(f, p.refresh);
    assert_string_not_equal(p.refresh, a.refresh);
    /* All of it within one second: order is that of generations. */
    struct flow_pair b = next(f, a.refresh);
    mereau_op *op = DONE(f, mereau_token_introspect(f->tenant, a.refresh));
    assert_int_equal(mereau_op_int(op, MEREAU_ACTIVE), 0);
    assert_string_equal(mereau_op_json(op), "{\"active\":false}");
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_REUSED, NULL);
    REFUSED(f, refresh(f, b.refresh), MEREAU_E_REVOKED, NULL);
    REFUSED(f, live(f, b.access), MEREAU_E_REVOKED, NULL);
}

/* CVE-2026-8922 of Keycloak: one way of asking forgot one level. */
static void i09_each_not_before_counts_wherever_one_asks(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint_with(f, 9, DAY, "{\"subject\":\"ann\"}");
    static const struct {
        int32_t whose;
        const char *id;
    } levels[] = {{MEREAU_DEVICE_ID, "d"},
                  {MEREAU_SUBJECT, "ann"},
                  {MEREAU_CLIENT_ID, "app"},
                  {MEREAU_TENANT_ID, NULL}};
    for (size_t i = 0; i < 4; i++) {
        char device[] = {(char)('d' + i), '\0'};
        struct flow_pair p = flow_enrol(f, t.text, device);
        const char *id = i == 0 ? device : levels[i].id;
        DONE(f, mereau_not_before_raise(f->tenant, levels[i].whose, id,
                                        MEREAU_NOW));
        /* A lower one of the app does not hide that of the tenant. */
        DONE(f, mereau_not_before_raise(f->tenant, MEREAU_CLIENT_ID, "app", 1));
        REFUSED(f, live(f, p.access), MEREAU_E_NOT_BEFORE, NULL);
        REFUSED(f, refresh(f, p.refresh), MEREAU_E_NOT_BEFORE, NULL);
        const char *const asked[] = {p.access, p.refresh};
        for (size_t j = 0; j < 2; j++)
            assert_int_equal(mereau_op_int(DONE(f, mereau_token_introspect(
                                                       f->tenant, asked[j])),
                                           MEREAU_ACTIVE),
                             0);
        f->now_at += 5; /* and what comes after it works */
    }
    struct flow_pair p = flow_enrol(f, t.text, "later");
    DONE(f, live(f, p.access));
    assert_true(mereau_op_int(p.op, MEREAU_NOT_BEFORE_POLICY) > 0);
}

static void i10_session_state_stays_and_ends_the_session(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    const char *session = mereau_op_text(p.op, MEREAU_SESSION_STATE);
    for (int i = 0; i < 3; i++) {
        p = next(f, p.refresh);
        assert_string_equal(mereau_op_text(p.op, MEREAU_SESSION_STATE),
                            session);
    }
    DONE(f, mereau_family_revoke(f->tenant, session));
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_REVOKED, NULL);
}

static void i12_refusals_are_told_without_the_credential(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    struct flow_pair a = next(f, p.refresh);
    next(f, a.refresh);
    flow_forget_events(f);
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_REUSED, NULL);
    assert_true(flow_told(f, "\"event\":\"token.refresh\""));
    assert_true(flow_told(f, "\"outcome\":\"refused\""));
    assert_false(flow_told(f, "mereau_ref_"));
    assert_null(strstr(flow_error.text, "mereau_ref_"));
}

/* --- E: apps --- */

static void e01_name_redirect_uris_and_permissions(void **state) {
    struct flow *f = *state;
    flow_app_named(f, "shop",
                   "{\"name\":\"The shop\",\"scope\":\"buy\","
                   "\"redirect_uri\":[\"https://shop.example/back\"],"
                   "\"reference\":[\"object-7\"]}");
    mereau_op *op = DONE(f, mereau_app_get(f->tenant, "shop"));
    assert_string_equal(mereau_op_text(op, MEREAU_NAME), "The shop");
    assert_string_equal(mereau_op_text(op, MEREAU_SCOPE), "buy");
    DONE(f, mereau_app_redirect_check(f->tenant, "shop",
                                      "https://shop.example/back"));
    REFUSED(f,
            mereau_app_redirect_check(f->tenant, "shop",
                                      "https://shop.example/back/"),
            MEREAU_E_POLICY, "app.redirect_uri");
}

static void e02_an_id_is_unique_within_its_tenant(void **state) {
    struct flow *f = *state;
    mereau_op *a = DONE(f, mereau_app_create(f->tenant, "same name"));
    mereau_op *b = DONE(f, mereau_app_create(f->tenant, "same name"));
    assert_string_not_equal(mereau_op_text(a, MEREAU_CLIENT_ID),
                            mereau_op_text(b, MEREAU_CLIENT_ID));
    REFUSED(
        f, with(mereau_app_create(f->tenant, "again"), MEREAU_CLIENT_ID, "app"),
        MEREAU_E_EXISTS, NULL);
}

static void e03_an_app_authenticates_itself(void **state) {
    struct flow *f = *state;
    const char *secret = mereau_op_text(
        DONE(f, mereau_app_secret_add(f->tenant, "app")), MEREAU_CLIENT_SECRET);
    mereau_op *op = DONE(f, mereau_app_authenticate(f->tenant, "app", secret));
    assert_null(mereau_op_text(op, MEREAU_REFRESH_TOKEN));
    REFUSED(f, mereau_app_authenticate(f->tenant, "nobody", secret),
            MEREAU_E_CLIENT, "client.unknown");
}

static void e04_a_token_says_app_permissions_and_end(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    const char *claims = mereau_op_text(p.op, MEREAU_CLAIMS);
    static const char *const texts[] = {
        "\"iss\":\"" ISSUER "\"",         "\"aud\":\"" API "\"",
        "\"client_id\":\"app\"",          "\"sub\":\"d1\"",
        "\"scope\":\"read write print\"", "\"jti\":\""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_non_null(strstr(claims, texts[i]));
    assert_int_equal(flow_number(claims, "iat"), T0);
    assert_int_equal(flow_number(claims, "exp"), T0 + 300);
}

static void e05_what_is_wrong_with_a_token_is_told_apart(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 9, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    char forged[4096];
    snprintf(forged, sizeof forged, "%s", p.access);
    char *last = strrchr(forged, '.') + 10;
    *last = *last == 'A' ? 'B' : 'A';
    REFUSED(f, live(f, "no token"), MEREAU_E_MALFORMED, NULL);
    REFUSED(f, live(f, forged), MEREAU_E_SIGNATURE, NULL);
    REFUSED(f,
            with(live(f, p.access), MEREAU_AUDIENCE, "https://other.example"),
            MEREAU_E_AUDIENCE, NULL);
    REFUSED(f, with(live(f, p.access), MEREAU_SCOPE, "admin"), MEREAU_E_SCOPE,
            NULL);
    DONE(f, with_int(mereau_app_update(f->tenant, "app"), MEREAU_ENABLED, 0));
    REFUSED(f, live(f, p.access), MEREAU_E_DISABLED, NULL);
    DONE(f, with_int(mereau_app_update(f->tenant, "app"), MEREAU_ENABLED, 1));
    DONE(f, live(f, p.access));
    DONE(f, mereau_token_revoke(f->tenant, p.access));
    REFUSED(f, live(f, p.access), MEREAU_E_REVOKED, NULL);
    p = flow_enrol(f, t.text, "d2");
    f->now_at += 300;
    REFUSED(f, live(f, p.access), MEREAU_E_EXPIRED, NULL);
}

static void e06_secret_is_shown_once(void **state) {
    struct flow *f = *state;
    mereau_op *op = DONE(f, mereau_app_secret_add(f->tenant, "app"));
    const char *secret = mereau_op_text(op, MEREAU_CLIENT_SECRET);
    const char *hint = mereau_op_text(op, MEREAU_HINT);
    assert_memory_equal(secret, "mereau_sec_", 11); /* scanners find it */
    assert_false(is_kept(f, secret + 30));
    op = DONE(f, mereau_app_credential_list(f->tenant, "app"));
    assert_true(mereau_op_next_row(op));
    assert_null(mereau_op_text(op, MEREAU_CLIENT_SECRET));
    assert_string_equal(mereau_op_text(op, MEREAU_HINT), hint);
    assert_true(strlen(hint) < strlen(secret) - 40);
    assert_null(strstr(mereau_op_json(op), secret + 30));
}

static void e07_a_copied_token_is_of_no_use(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *op = DONE(f, flow_redeem_key(f, t.text, "d1", JKT));
    const char *auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    REFUSED(f, mereau_auth_token_exchange(f->tenant, auth), MEREAU_E_DEVICE,
            NULL);
    struct flow_pair p =
        flow_pair_of(DONE(f, with(mereau_auth_token_exchange(f->tenant, auth),
                                  MEREAU_DEVICE_JKT, JKT)));
    REFUSED(f, live(f, p.access), MEREAU_E_DEVICE, NULL);
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_DEVICE, NULL);
    DONE(f, with(live(f, p.access), MEREAU_DEVICE_JKT, JKT));
    DONE(f, with(refresh(f, p.refresh), MEREAU_DEVICE_JKT, JKT));
}

static void e08_scope_is_what_was_asked_granted_and_allowed(void **state) {
    struct flow *f = *state;
    REFUSED(f,
            with(mereau_registration_token_mint(f->tenant, "app", 1, DAY),
                 MEREAU_SCOPE, "read admin"),
            MEREAU_E_SCOPE, NULL);
    struct flow_token t =
        flow_mint_with(f, 1, DAY, "{\"scope\":\"read write\"}");
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 1));
    const char *auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    REFUSED(f,
            with(mereau_auth_token_exchange(f->tenant, auth), MEREAU_SCOPE,
                 "print"),
            MEREAU_E_SCOPE, NULL);
    op = DONE(f, with(mereau_auth_token_exchange(f->tenant, auth), MEREAU_SCOPE,
                      "write"));
    assert_string_equal(mereau_op_text(op, MEREAU_SCOPE), "write");
    DONE(f, with(mereau_app_update(f->tenant, "app"), MEREAU_SCOPE, "read"));
    op = DONE(f, refresh(f, flow_pair_of(op).refresh));
    assert_string_equal(mereau_op_text(op, MEREAU_SCOPE), "read");
}

static void e09_who_used_what_when_is_in_the_trail(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    mereau_op *op = refresh(f, p.refresh);
    with(op, MEREAU_CORRELATION_ID, "request-9");
    DONE(f, with(op, MEREAU_REMOTE_ADDRESS, "192.0.2.1"));
    REFUSED(f, flow_redeem(f, flow_mint(f, 1, DAY).text, "", 1), MEREAU_E_ARG,
            NULL);
    REFUSED(f, with(live(f, p.access), MEREAU_SCOPE, "admin"), MEREAU_E_SCOPE,
            NULL);
    assert_true(flow_told(f, "\"correlation_id\":\"request-9\""));
    assert_true(flow_told(f, "\"outcome\":\"refused\""));
    op = DONE(
        f, with(mereau_audit_list(f->tenant), MEREAU_EVENT, "token.refresh"));
    assert_true(mereau_op_next_row(op));
    assert_string_equal(mereau_op_text(op, MEREAU_CLIENT_ID), "app");
    assert_string_equal(mereau_op_text(op, MEREAU_DEVICE_ID), "d1");
    assert_string_equal(mereau_op_text(op, MEREAU_REMOTE_ADDRESS), "192.0.2.1");
    assert_int_equal(mereau_op_int(op, MEREAU_CREATED_AT), T0);
}

static void e10_secrets_and_certificates_live_side_by_side(void **state) {
    struct flow *f = *state;
    const char *secrets[3];
    for (int i = 0; i < 3; i++) {
        mereau_op *op = mereau_app_secret_add(f->tenant, "app");
        with(op, MEREAU_LABEL, "one of three");
        secrets[i] = mereau_op_text(
            DONE(f, with_int(op, MEREAU_EXPIRES_AT, T0 + DAY + i)),
            MEREAU_CLIENT_SECRET);
    }
    DONE(f, with(mereau_app_key_add(f->tenant, "app"), MEREAU_PEM,
                 ec_certificate));
    DONE(f, with(mereau_app_key_add(f->tenant, "app"), MEREAU_PEM, rsa_spki));
    assert_int_equal(rows(f, mereau_app_credential_list(f->tenant, "app")), 5);
    for (int i = 0; i < 3; i++)
        DONE(f, mereau_app_authenticate(f->tenant, "app", secrets[i]));
    f->now_at = T0 + DAY + 1;
    REFUSED(f, mereau_app_authenticate(f->tenant, "app", secrets[1]),
            MEREAU_E_CLIENT, "client.secret_expired");
    DONE(f, mereau_app_authenticate(f->tenant, "app", secrets[2]));
}

static void e11_the_exchange_authenticates_the_app(void **state) {
    struct flow *f = *state;
    DONE(f,
         with_int(mereau_app_update(f->tenant, "app"), MEREAU_CONFIDENTIAL, 1));
    mereau_op *op = DONE(f, mereau_app_secret_add(f->tenant, "app"));
    const char *secret = mereau_op_text(op, MEREAU_CLIENT_SECRET);
    op = DONE(f, flow_redeem(f, flow_mint(f, 1, DAY).text, "d1", 1));
    const char *auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    REFUSED(f, mereau_auth_token_exchange(f->tenant, auth), MEREAU_E_CLIENT,
            NULL);
    assert_string_equal(mereau_status_oauth(MEREAU_E_CLIENT), "invalid_client");
    DONE(f, with(mereau_auth_token_exchange(f->tenant, auth),
                 MEREAU_CLIENT_SECRET, secret));
}

static void e12_the_store_alone_opens_nothing(void **state) {
    struct flow *f = *state;
    const struct flow_setup wrong = {
        .seed = 2, .share = &f->front, .bad_root = 1, .no_tenant = 1};
    struct flow_token t = flow_mint(f, 2, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    struct flow thief;
    flow_open(&thief, &wrong); /* all records, another root key */
    REFUSED(&thief, flow_redeem(&thief, t.text, "d2", 1), MEREAU_E_UNKNOWN,
            NULL);
    mereau_op *op = refresh(&thief, p.refresh);
    assert_int_not_equal(mereau_op_run(op, NULL), MEREAU_OK);
    mereau_op_free(op);
    flow_close(&thief);
    assert_int_equal(flow_used(f, t.id), 1);
    assert_false(is_kept(f, "PRIVATE KEY"));
    assert_false(is_kept(f, "\"d\":"));
    DONE(f, refresh(f, p.refresh));
}

static void e13_the_old_and_the_new_overlap(void **state) {
    struct flow *f = *state;
    mereau_op *first = DONE(f, mereau_app_secret_add(f->tenant, "app"));
    mereau_op *second = DONE(f, mereau_app_secret_add(f->tenant, "app"));
    const char *a = mereau_op_text(first, MEREAU_CLIENT_SECRET);
    const char *b = mereau_op_text(second, MEREAU_CLIENT_SECRET);
    DONE(f, mereau_app_authenticate(f->tenant, "app", a));
    DONE(f, mereau_app_authenticate(f->tenant, "app", b));
    DONE(f, mereau_app_secret_remove(f->tenant, "app",
                                     mereau_op_text(first, MEREAU_SECRET_ID)));
    REFUSED(f, mereau_app_authenticate(f->tenant, "app", a), MEREAU_E_CLIENT,
            "client.secret");
    DONE(f, mereau_app_authenticate(f->tenant, "app", b));
    /* Of the keys of the tenant likewise: no token stops working. */
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    mereau_op *key = DONE(f, mereau_key_generate(f->tenant, MEREAU_ALG_ES256));
    f->now_at += DAY - 299;
    p = next(f, p.refresh);
    f->now_at += 299; /* the new one signs from now on */
    struct flow_pair q = next(f, p.refresh);
    DONE(f, live(f, p.access));
    DONE(f, live(f, q.access));
    assert_string_equal(
        mereau_op_text(DONE(f, mereau_tenant_get(f->tenant)), MEREAU_KID),
        mereau_op_text(key, MEREAU_KID));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(s01_a_registration_token_generates_auth_tokens),
        TEST(s02_each_auth_token_knows_user_and_device),
        TEST(s03_each_instance_needs_one_even_on_one_device),
        TEST(s04_the_auth_token_is_needed_once),
        TEST(s05_count_must_be_given),
        TEST(s06_no_use_once_all_counts_are_taken),
        TEST(s07_an_end_must_be_given_within_30_days),
        TEST(s08_counts_are_not_licences),
        TEST(s09_who_created_it_is_in_the_trail),
        TEST(s11_an_administrators_scope_is_verified),
        TEST(s12_tokens_are_read_by_id_or_text_and_listed),
        TEST(s13_expired_with_counts_left_is_expired),
        TEST(s14_one_token_serves_all_devices),
        TEST(s15_no_secret_of_a_machine_is_in_the_store),
        TEST(s16_deleting_auth_tokens_prevents_use),
        TEST(s17_one_for_many_or_one_for_each),
        TEST(s18_a_hundred_users_and_two_instances_of_each),
        TEST(s19_a_token_of_each_recipient_ends_alone),
        TEST(s20_an_expired_token_gets_a_successor),
        TEST(s21_too_few_counts_are_raised),
        TEST(s22_who_used_up_the_counts_is_found),
        TEST(s23_disabled_until_enabled_and_editable_between),
        TEST(s24_a_retry_burns_no_count),
        TEST(i01_the_answer_is_a_bearer_token),
        TEST(i02_the_bearer_header_is_read),
        TEST(i03_lifetimes_follow_the_tenant_unless_the_app_says),
        TEST(i04_an_expired_token_is_401_and_says_so),
        TEST(i05_refreshing_takes_client_id_and_secret),
        TEST(i06_answer_has_the_wire_members),
        TEST(i07_the_scope_of_the_answer_is_what_was_given),
        TEST(i08_old_refresh_tokens_are_disposed_of),
        TEST(i09_each_not_before_counts_wherever_one_asks),
        TEST(i10_session_state_stays_and_ends_the_session),
        TEST(i12_refusals_are_told_without_the_credential),
        TEST(e01_name_redirect_uris_and_permissions),
        TEST(e02_an_id_is_unique_within_its_tenant),
        TEST(e03_an_app_authenticates_itself),
        TEST(e04_a_token_says_app_permissions_and_end),
        TEST(e05_what_is_wrong_with_a_token_is_told_apart),
        TEST(e06_secret_is_shown_once),
        TEST(e07_a_copied_token_is_of_no_use),
        TEST(e08_scope_is_what_was_asked_granted_and_allowed),
        TEST(e09_who_used_what_when_is_in_the_trail),
        TEST(e10_secrets_and_certificates_live_side_by_side),
        TEST(e11_the_exchange_authenticates_the_app),
        TEST(e12_the_store_alone_opens_nothing),
        TEST(e13_the_old_and_the_new_overlap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
