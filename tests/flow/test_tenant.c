/* tests/flow/test_tenant.c - tenants: made, changed, their not-befores raised,
 * purged. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/testing.h>

#include "alloc.h"
#include "record/bag.h"

#define NOW INT64_C(1700000000)
#define NONCE (const uint8_t *)"0123456789abcdef"
#define ISSUER "https://id.example/acme"

/* A bed, and beside its tenant "test" another one that does not exist yet. */
struct place {
    mereau_testbed *bed;
    const mereau_tenant *test;
    mereau_tenant *acme;
    mereau_error err;
};

static int set_up(void **state) {
    struct place *p = calloc(1, sizeof *p);
    if (p == NULL)
        return -1;
    mereau_error_init(&p->err, sizeof p->err);
    p->bed = mereau_testbed_new(1, NOW);
    p->test = mereau_testbed_tenant(p->bed);
    p->acme = mereau_tenant_open(mereau_testbed_ctx(p->bed), "acme");
    *state = p;
    return p->acme == NULL ? -1 : 0;
}

static int tear_down(void **state) {
    struct place *p = *state;
    mereau_tenant_free(p->acme);
    mereau_testbed_free(p->bed);
    free(p);
    return 0;
}

static uint64_t calls(const struct place *p, uint32_t kind) {
    return mereau_testbed_store_calls(p->bed, kind);
}

/* Runs it, wants a status and, of a refusal, a rule; frees it. */
static void refused(struct place *p, mereau_op *op, mereau_status status,
                    const char *rule) {
    uint64_t commits = calls(p, MEREAU_NEED_COMMIT);
    assert_string_equal(mereau_status_name(mereau_op_run(op, &p->err)),
                        mereau_status_name(status));
    assert_string_equal(p->err.rule, rule);
    assert_null(mereau_op_json(op));
    assert_true(calls(p, MEREAU_NEED_COMMIT) == commits);
    mereau_op_free(op);
}

static mereau_op *done(struct place *p, mereau_op *op) {
    mereau_status status = mereau_op_run(op, &p->err);
    assert_string_equal(status == MEREAU_OK ? "" : p->err.text, "");
    return op;
}

static void done_and_freed(struct place *p, mereau_op *op) {
    mereau_op_free(done(p, op));
}

/* --- creating --- */

static void a_new_tenant_has_a_key_that_signs_and_a_standby(void **state) {
    struct place *p = *state;
    mereau_op *op = done(p, mereau_tenant_create(p->acme, ISSUER));
    assert_string_equal(mereau_op_text(op, MEREAU_TENANT_ID), "acme");
    assert_string_equal(mereau_op_text(op, MEREAU_ISSUER), ISSUER);
    assert_string_equal(mereau_op_text(op, MEREAU_ALG), "ES256");
    assert_true(mereau_op_int(op, MEREAU_CREATED_AT) == NOW);
    assert_true(mereau_op_int(op, MEREAU_REPEATED) == 0);
    assert_true(calls(p, MEREAU_NEED_GET) == 1);
    assert_true(calls(p, MEREAU_NEED_COMMIT) == 1);
    mereau_op *list = done(p, mereau_key_list(p->acme));
    assert_int_equal(mereau_op_next_row(list), 1);
    assert_string_equal(mereau_op_text(list, MEREAU_STATE), "signing");
    assert_string_equal(mereau_op_text(list, MEREAU_KID),
                        mereau_op_text(op, MEREAU_KID));
    assert_int_equal(mereau_op_next_row(list), 1);
    assert_string_equal(mereau_op_text(list, MEREAU_STATE), "published");
    assert_true(mereau_op_int(list, MEREAU_SIGNS_AT) == MEREAU_UNSET);
    assert_int_equal(mereau_op_next_row(list), 0);
    mereau_op_free(list);
    mereau_op_free(op);
}

static void creating_again_is_repeated_and_another_issuer_refused(void **s) {
    struct place *p = *s;
    mereau_op *first = done(p, mereau_tenant_create(p->acme, ISSUER));
    mereau_op *again = mereau_tenant_create(p->acme, ISSUER);
    mereau_op_set_int(again, MEREAU_GRACE_S, 77);
    done(p, again);
    assert_true(mereau_op_int(again, MEREAU_REPEATED) == 1);
    assert_true(mereau_op_int(again, MEREAU_GRACE_S) == 10);
    assert_string_equal(mereau_op_text(again, MEREAU_KID),
                        mereau_op_text(first, MEREAU_KID));
    assert_true(calls(p, MEREAU_NEED_COMMIT) == 1);
    refused(p, mereau_tenant_create(p->acme, ISSUER "2"), MEREAU_E_EXISTS,
            "tenant.issuer");
    mereau_op_free(again);
    mereau_op_free(first);
}

static void an_issuer_is_an_https_url_without_query_and_fragment(void **state) {
    static const char *const bad[] = {"http://id.example",
                                      "https://",
                                      "https:///path",
                                      "https://:443",
                                      "https://id.example?x",
                                      "https://id.example/#x",
                                      "https://me@id.example",
                                      "https://id.example/a b",
                                      "https://id.example/%4",
                                      "https://id.example/%zz",
                                      "https://id.example/\xc3\xa4",
                                      "https://id.example/\"",
                                      "HTTPS://id.example",
                                      "id.example"};
    struct place *p = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(p, mereau_tenant_create(p->acme, bad[i]), MEREAU_E_MALFORMED,
                "tenant.issuer");
    refused(p, mereau_tenant_create(p->acme, ""), MEREAU_E_ARG, "op.length");
    refused(p, mereau_tenant_create(p->acme, NULL), MEREAU_E_FIELD, "op.field");
    done_and_freed(
        p, mereau_tenant_create(p->acme, "https://[::1]:8443/a/%C3%A4/@b;c=d"));
}

static void settings_out_of_range_are_refused(void **state) {
    static const struct {
        int32_t field;
        int64_t value;
    } bad[] = {
        {MEREAU_ACCESS_LIFETIME_S, 0},   {MEREAU_ACCESS_LIFETIME_S, 86401},
        {MEREAU_REFRESH_LIFETIME_S, -1}, {MEREAU_REFRESH_LIFETIME_S, INT64_MAX},
        {MEREAU_REFRESH_IDLE_S, 0},      {MEREAU_FAMILY_LIFETIME_S, 0},
        {MEREAU_AUTH_LIFETIME_S, 0},     {MEREAU_GRACE_S, -1},
        {MEREAU_GRACE_S, 601},           {MEREAU_MAX_LIFETIME_S, 0}};
    struct place *p = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mereau_op *op = mereau_tenant_create(p->acme, ISSUER);
        mereau_op_set_int(op, bad[i].field, bad[i].value);
        refused(p, op, MEREAU_E_POLICY, "op.range");
        op = mereau_tenant_update(p->test);
        mereau_op_set_int(op, bad[i].field, bad[i].value);
        refused(p, op, MEREAU_E_POLICY, "op.range");
    }
}

static void a_first_key_needs_a_private_half(void **state) {
    struct place *p = *state;
    mereau_op *op = mereau_tenant_create(p->acme, ISSUER);
    mereau_op_set_text(op, MEREAU_ALG, "HS256");
    refused(p, op, MEREAU_E_ALG, "key.alg");
    op = mereau_tenant_create(p->acme, ISSUER);
    mereau_op_set_text(op, MEREAU_ALG, "none");
    refused(p, op, MEREAU_E_ALG, "key.alg");
}

static void what_is_set_at_creation_is_read_back(void **state) {
    struct place *p = *state;
    mereau_op *op = mereau_tenant_create(p->acme, ISSUER);
    mereau_op_set_text(op, MEREAU_ALG, "ES384");
    mereau_op_set_text(op, MEREAU_LABEL, "Acme");
    mereau_op_set_int(op, MEREAU_REFRESH_LIFETIME_S, 0);
    mereau_op_set_int(op, MEREAU_FAMILY_LIFETIME_S, 99);
    mereau_op_set_text(op, MEREAU_REASON, "because");
    done_and_freed(p, op);
    op = done(p, mereau_tenant_get(p->acme));
    assert_string_equal(mereau_op_text(op, MEREAU_ALG), "ES384");
    assert_string_equal(mereau_op_text(op, MEREAU_LABEL), "Acme");
    assert_true(mereau_op_int(op, MEREAU_REFRESH_LIFETIME_S) == 0);
    assert_true(mereau_op_int(op, MEREAU_FAMILY_LIFETIME_S) == 99);
    assert_true(mereau_op_int(op, MEREAU_ACCESS_LIFETIME_S) == 300);
    assert_true(mereau_op_int(op, MEREAU_ENABLED) == 1);
    assert_true(mereau_op_int(op, MEREAU_NOT_BEFORE_AT) == MEREAU_UNSET);
    assert_null(mereau_op_text(op, MEREAU_REASON));
    mereau_op_free(op);
}

static void a_lost_reply_to_a_creation_is_settled(void **state) {
    struct place *p = *state;
    for (int applied = 0; applied <= 1; applied++) {
        mereau_tenant *one = mereau_tenant_open(mereau_testbed_ctx(p->bed),
                                                applied ? "one" : "two");
        mereau_testbed_fail_store(p->bed, 2, MEREAU_STORE_UNKNOWN, applied);
        mereau_op *op = done(p, mereau_tenant_create(one, ISSUER));
        assert_true(mereau_op_int(op, MEREAU_REPEATED) == 0);
        mereau_op *get = done(p, mereau_tenant_get(one));
        assert_string_equal(mereau_op_text(get, MEREAU_KID),
                            mereau_op_text(op, MEREAU_KID));
        mereau_op_free(get);
        mereau_op_free(op);
        mereau_tenant_free(one);
    }
}

static void two_who_create_make_one_tenant(void **state) {
    struct place *p = *state;
    mereau_op *slow = mereau_tenant_create(p->acme, ISSUER);
    const mereau_need *need;
    /* The slow one has read that there is none when the other one commits. */
    assert_int_equal(mereau_op_step(slow, &need, &p->err), MEREAU_OK);
    for (size_t i = 0; i < need->n_keys; i++)
        mereau_op_feed(slow, i, NULL);
    mereau_op_answer(slow, MEREAU_STORE_OK, SIZE_MAX);
    assert_int_equal(mereau_op_step(slow, &need, &p->err), MEREAU_OK);
    assert_int_equal(need->kind, MEREAU_NEED_COMMIT);
    done_and_freed(p, mereau_tenant_create(p->acme, ISSUER));
    const mereau_store *store = mereau_testbed_store(p->bed);
    size_t failed = SIZE_MAX;
    assert_int_equal(store->commit(store->user, need, &failed),
                     MEREAU_STORE_CONFLICT);
    mereau_op_free(slow);
}

static void nothing_works_on_a_tenant_that_is_not_there(void **state) {
    struct place *p = *state;
    mereau_op *ops[] = {
        mereau_tenant_get(p->acme),
        mereau_tenant_update(p->acme),
        mereau_not_before_raise(p->acme, MEREAU_TENANT_ID, NULL, MEREAU_NOW),
        mereau_not_before_raise(p->acme, MEREAU_DEVICE_ID, "d", MEREAU_NOW),
        mereau_not_before_raise(p->acme, MEREAU_CLIENT_ID, "c", MEREAU_NOW),
        mereau_key_generate(p->acme, MEREAU_ALG_ES256),
        mereau_key_retire(p->acme, "k"),
        mereau_key_revoke(p->acme, "k"),
        mereau_key_list(p->acme),
        mereau_key_jwks(p->acme)};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        refused(p, ops[i], MEREAU_E_UNKNOWN, "tenant.unknown");
}

/* --- updating --- */

static void an_update_changes_what_is_set_and_nothing_else(void **state) {
    struct place *p = *state;
    mereau_op *op = mereau_tenant_update(p->test);
    mereau_op_set_int(op, MEREAU_GRACE_S, 0);
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    mereau_testbed_advance(p->bed, 5);
    done(p, op);
    assert_true(calls(p, MEREAU_NEED_GET) == 1);
    assert_true(calls(p, MEREAU_NEED_COMMIT) == 1);
    assert_true(mereau_op_int(op, MEREAU_GRACE_S) == 0);
    mereau_op *get = done(p, mereau_tenant_get(p->test));
    assert_string_equal(mereau_op_json(get), mereau_op_json(op));
    assert_true(mereau_op_int(get, MEREAU_GRACE_S) == 0);
    assert_true(mereau_op_int(get, MEREAU_ENABLED) == 0);
    assert_true(mereau_op_int(get, MEREAU_ACCESS_LIFETIME_S) == 300);
    assert_true(mereau_op_int(get, MEREAU_CHANGED_AT) == NOW + 5);
    assert_true(mereau_op_int(get, MEREAU_CREATED_AT) == NOW);
    mereau_op_free(get);
    mereau_op_free(op);
}

static void the_issuer_stays_for_ever(void **state) {
    struct place *p = *state;
    mereau_op *op = mereau_tenant_update(p->test);
    mereau_op_set_text(op, MEREAU_ISSUER, ISSUER);
    refused(p, op, MEREAU_E_FIELD, "op.field");
}

static void an_algorithm_that_no_key_signs_with_is_refused(void **state) {
    struct place *p = *state;
    mereau_op *op = mereau_tenant_update(p->test);
    mereau_op_set_text(op, MEREAU_ALG, "RS256");
    refused(p, op, MEREAU_E_POLICY, "tenant.alg");
    op = mereau_tenant_update(p->test);
    mereau_op_set_text(op, MEREAU_ALG, "ES256");
    done_and_freed(p, op);
}

static void a_dry_run_changes_nothing(void **state) {
    struct place *p = *state;
    mereau_op *op = mereau_tenant_update(p->test);
    mereau_op_set_int(op, MEREAU_GRACE_S, 99);
    assert_int_equal(mereau_op_dry_run(op, &p->err), MEREAU_OK);
    assert_true(mereau_op_int(op, MEREAU_GRACE_S) == 99);
    assert_true(calls(p, MEREAU_NEED_COMMIT) == 0);
    mereau_op_free(op);
    op = done(p, mereau_tenant_get(p->test));
    assert_true(mereau_op_int(op, MEREAU_GRACE_S) == 10);
    mereau_op_free(op);
}

/* --- not-before --- */

static void a_raise_to_now_covers_other_clocks_and_costs_one_round(void **s) {
    static const int32_t whose[] = {MEREAU_TENANT_ID, MEREAU_SUBJECT,
                                    MEREAU_DEVICE_ID};
    struct place *p = *s;
    for (uint64_t i = 0; i < 3; i++) {
        mereau_op *op =
            done(p, mereau_not_before_raise(p->test, whose[i],
                                            i == 0 ? NULL : "x", MEREAU_NOW));
        assert_true(mereau_op_int(op, MEREAU_NOT_BEFORE_AT) == NOW + 30);
        assert_true(calls(p, MEREAU_NEED_GET) == i + 1);
        assert_true(calls(p, MEREAU_NEED_COMMIT) == i + 1);
        mereau_op_free(op);
    }
    mereau_op *get = done(p, mereau_tenant_get(p->test));
    assert_true(mereau_op_int(get, MEREAU_NOT_BEFORE_AT) == NOW + 30);
    mereau_op_free(get);
}

static void an_app_is_raised_when_it_is_there(void **state) {
    struct place *p = *state;
    mereau_op *app = done(p, mereau_app_create(p->test, "Printer"));
    const char *id = mereau_op_text(app, MEREAU_CLIENT_ID);
    mereau_op *op = done(
        p, mereau_not_before_raise(p->test, MEREAU_CLIENT_ID, id, MEREAU_NOW));
    assert_true(mereau_op_int(op, MEREAU_NOT_BEFORE_AT) == NOW + 30);
    refused(
        p,
        mereau_not_before_raise(p->test, MEREAU_CLIENT_ID, "other", MEREAU_NOW),
        MEREAU_E_UNKNOWN, "app.unknown");
    done_and_freed(p, mereau_app_delete(p->test, id));
    refused(p,
            mereau_not_before_raise(p->test, MEREAU_CLIENT_ID, id, MEREAU_NOW),
            MEREAU_E_UNKNOWN, "app.unknown");
    mereau_op_free(op);
    mereau_op_free(app);
}

static void nobody_means_everybody_by_mistake(void **state) {
    struct place *p = *state;
    mereau_op *bad[] = {
        mereau_not_before_raise(p->test, MEREAU_SUBJECT, "", MEREAU_NOW),
        mereau_not_before_raise(p->test, MEREAU_DEVICE_ID, NULL, MEREAU_NOW),
        mereau_not_before_raise(p->test, MEREAU_CLIENT_ID, "", MEREAU_NOW),
        mereau_not_before_raise(p->test, MEREAU_TENANT_ID, "", MEREAU_NOW),
        mereau_not_before_raise(p->test, MEREAU_TENANT_ID, "acme", MEREAU_NOW),
        mereau_not_before_raise(p->test, MEREAU_TENANT_ID, NULL, MEREAU_NOW)};
    mereau_op_set_text(bad[5], MEREAU_SUBJECT, "both");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(p, bad[i], MEREAU_E_FIELD, "not_before.whose");
    refused(p, mereau_not_before_raise(p->test, MEREAU_LABEL, "x", MEREAU_NOW),
            MEREAU_E_FIELD, "op.field");
    refused(
        p,
        mereau_not_before_raise(p->test, MEREAU_TENANT_ID, NULL, MEREAU_UNSET),
        MEREAU_E_FIELD, "op.field");
}

static void a_lower_instant_changes_nothing_and_commits_nothing(void **state) {
    struct place *p = *state;
    done_and_freed(
        p, mereau_not_before_raise(p->test, MEREAU_DEVICE_ID, "d", NOW - 5));
    uint64_t commits = calls(p, MEREAU_NEED_COMMIT);
    mereau_op *op = done(
        p, mereau_not_before_raise(p->test, MEREAU_DEVICE_ID, "d", NOW - 50));
    assert_true(mereau_op_int(op, MEREAU_NOT_BEFORE_AT) == NOW - 5);
    assert_true(calls(p, MEREAU_NEED_COMMIT) == commits);
    mereau_op_free(op);
    refused(p, mereau_not_before_raise(p->test, MEREAU_DEVICE_ID, "d", NOW + 1),
            MEREAU_E_POLICY, "not_before.at");
}

static void a_raise_whose_reply_is_lost_is_made_once(void **state) {
    struct place *p = *state;
    mereau_testbed_fail_store(p->bed, 2, MEREAU_STORE_UNKNOWN, 1);
    mereau_op *op = done(p, mereau_not_before_raise(p->test, MEREAU_TENANT_ID,
                                                    NULL, MEREAU_NOW));
    assert_true(mereau_op_int(op, MEREAU_NOT_BEFORE_AT) == NOW + 30);
    assert_true(calls(p, MEREAU_NEED_COMMIT) == 1);
    mereau_op_free(op);
    op = done(p, mereau_tenant_get(p->test));
    assert_true(mereau_op_int(op, MEREAU_NOT_BEFORE_AT) == NOW + 30);
    mereau_op_free(op);
}

static void too_many_raises_within_a_minute_are_told_to_wait(void **state) {
    struct place *p = *state;
    for (int i = 0; i < 30; i++)
        done_and_freed(p, mereau_not_before_raise(p->test, MEREAU_TENANT_ID,
                                                  NULL, MEREAU_NOW));
    refused(
        p, mereau_not_before_raise(p->test, MEREAU_TENANT_ID, NULL, MEREAU_NOW),
        MEREAU_E_BUSY, "not_before.rate");
    mereau_testbed_advance(p->bed, 1);
    done_and_freed(p, mereau_not_before_raise(p->test, MEREAU_TENANT_ID, NULL,
                                              MEREAU_NOW));
}

static void a_blocked_device_stays_blocked(void **state) {
    struct place *p = *state;
    done_and_freed(p, mereau_device_block(p->test, "d"));
    done_and_freed(
        p, mereau_not_before_raise(p->test, MEREAU_DEVICE_ID, "d", MEREAU_NOW));
    mereau_op *app = done(p, mereau_app_create(p->test, "Printer"));
    mereau_op *mint =
        done(p, mereau_registration_token_mint(
                    p->test, mereau_op_text(app, MEREAU_CLIENT_ID), 1, 3600));
    mereau_op *redeem = mereau_registration_token_redeem(
        p->test, mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN), "d", NONCE,
        16);
    assert_int_equal(mereau_op_run(redeem, &p->err), MEREAU_E_BLOCKED);
    mereau_op_free(redeem);
    mereau_op_free(mint);
    mereau_op_free(app);
}

/* --- purge --- */

static void put_record(struct place *p, const char *key, int64_t drop_at) {
    const mereau_store *store = mereau_testbed_store(p->bed);
    struct mru_bag bag = {0};
    struct mru_buf value = {0};
    mereau_write write = {0};
    mereau_need need = {0};
    size_t failed;
    assert_int_equal(mru_bag_encode(&value, &bag), 0);
    write.kind = MEREAU_WRITE_PUT;
    write.expect = MEREAU_VERSION_ANY;
    write.record.key = (const uint8_t *)key;
    write.record.key_len = strlen(key);
    write.record.value = value.data;
    write.record.value_len = value.len;
    write.record.version = 7;
    write.record.drop_at = drop_at;
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_COMMIT;
    need.partition = (const uint8_t *)"test";
    need.partition_len = 4;
    need.writes = &write;
    need.n_writes = 1;
    assert_int_equal(store->commit(store->user, &need, &failed),
                     MEREAU_STORE_OK);
    mru_buf_free(&value);
}

static int32_t count_record(void *arg, size_t index,
                            const mereau_record *record) {
    (void)record;
    *(size_t *)arg = index + 1;
    return 0;
}

static size_t count_records(struct place *p, const char *from, const char *to) {
    const mereau_store *store = mereau_testbed_store(p->bed);
    mereau_need need = {0};
    size_t n = 0;
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_SCAN;
    need.partition = (const uint8_t *)"test";
    need.partition_len = 4;
    need.from = (const uint8_t *)from;
    need.from_len = strlen(from);
    need.to = (const uint8_t *)to;
    need.to_len = strlen(to);
    need.limit = 10000;
    assert_int_equal(store->scan(store->user, &need, count_record, &n),
                     MEREAU_STORE_OK);
    return n;
}

static int64_t purge_all(struct place *p, int *steps) {
    mereau_op *op = mereau_tenant_purge(p->test);
    int64_t sum = 0;
    *steps = 0;
    do {
        done(p, op);
        assert_in_range(mereau_op_int(op, MEREAU_DONE_COUNT), 0, 64);
        sum += mereau_op_int(op, MEREAU_DONE_COUNT);
        ++*steps;
    } while (mereau_op_has_more(op));
    mereau_op_free(op);
    return sum;
}

static void a_purge_takes_what_is_over_in_bounded_steps(void **state) {
    struct place *p = *state;
    size_t before = count_records(p, "a", "");
    char key[16];
    int steps;
    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "o%03d", i);
        put_record(p, key, i % 2 == 0 ? NOW : NOW + 1);
    }
    assert_int_equal(purge_all(p, &steps), 150);
    assert_in_range(steps, 3, 6);
    assert_int_equal(count_records(p, "a", ""), before + 150);
    assert_int_equal(purge_all(p, &steps), 0);
    mereau_testbed_advance(p->bed, 1);
    assert_int_equal(purge_all(p, &steps), 150);
    assert_int_equal(count_records(p, "a", ""), before);
}

static void a_record_that_changed_meanwhile_is_not_purged(void **state) {
    struct place *p = *state;
    const mereau_need *need;
    size_t failed;
    put_record(p, "o1", NOW);
    mereau_op *op = mereau_tenant_purge(p->test);
    assert_int_equal(mereau_op_step(op, &need, &p->err), MEREAU_OK);
    assert_int_equal(need->kind, MEREAU_NEED_SCAN);
    mereau_record old = {0};
    struct mru_bag bag = {0};
    struct mru_buf value = {0};
    assert_int_equal(mru_bag_encode(&value, &bag), 0);
    old.key = (const uint8_t *)"o1";
    old.key_len = 2;
    old.value = value.data;
    old.value_len = value.len;
    old.version = 6; /* what it was before */
    old.drop_at = NOW;
    assert_int_equal(mereau_op_feed(op, 0, &old), 0);
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    assert_int_equal(mereau_op_step(op, &need, &p->err), MEREAU_OK);
    assert_int_equal(need->kind, MEREAU_NEED_COMMIT);
    const mereau_store *store = mereau_testbed_store(p->bed);
    assert_int_equal(store->commit(store->user, need, &failed),
                     MEREAU_STORE_CONFLICT);
    assert_int_equal(count_records(p, "o", "p"), 1);
    mru_buf_free(&value);
    mereau_op_free(op);
}

static void an_enrolment_goes_with_its_entries_of_lists(void **state) {
    struct place *p = *state;
    mereau_op *app = done(p, mereau_app_create(p->test, "Printer"));
    mereau_op *mint =
        done(p, mereau_registration_token_mint(
                    p->test, mereau_op_text(app, MEREAU_CLIENT_ID), 1, 3600));
    mereau_op *redeem =
        done(p, mereau_registration_token_redeem(
                    p->test, mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN),
                    "d", NONCE, 16));
    int steps;
    assert_true(count_records(p, "e", "f") == 1);
    assert_true(count_records(p, "i", "j") > 2);
    assert_int_equal(purge_all(p, &steps), 0);
    mereau_testbed_advance(p->bed, INT64_C(20) * 366 * 86400);
    assert_true(purge_all(p, &steps) > 0);
    assert_int_equal(count_records(p, "e", "f"), 0);
    assert_int_equal(count_records(p, "r", "s"), 0);
    assert_int_equal(count_records(p, "i", "j"), 0);
    mereau_op_free(redeem);
    mereau_op_free(mint);
    mereau_op_free(app);
}

/* --- without memory --- */

/* Each of the first 300 allocations, then a growing choice of them: the
 * mathematics of keys makes thousands, all in the same few places. */

static mereau_op *make(struct place *p, int which) {
    switch (which) {
    case 0:
        return mereau_tenant_get(p->test);
    case 1: {
        mereau_op *op = mereau_tenant_update(p->test);
        mereau_op_set_text(op, MEREAU_LABEL, "x");
        return op;
    }
    case 2:
        return mereau_not_before_raise(p->test, MEREAU_SUBJECT, "s", NOW);
    case 3:
        return mereau_tenant_purge(p->test);
    case 4:
        return mereau_tenant_create(p->acme, ISSUER);
    default:
        return NULL;
    }
}

static void open_acme(struct place *p, unsigned long n) {
    char name[32];
    snprintf(name, sizeof name, "acme%lu", n);
    mereau_tenant_free(p->acme);
    p->acme = mereau_tenant_open(mereau_testbed_ctx(p->bed), name);
    assert_non_null(p->acme);
}

static void every_failing_allocation_is_reported_and_leaks_nothing(void **s) {
    struct place *p = *s;
    if (!test_alloc_available())
        skip();
    put_record(p, "o1", NOW);
    for (int which = 0; which <= 4; which++) {
        unsigned long n = 0;
        for (int over = 0; !over;) {
            test_alloc_fail_at(n += 1 + n / 300 * 20);
            mereau_op *op = make(p, which);
            mereau_status status = mereau_op_run(op, &p->err);
            mereau_op_free(op);
            over = test_alloc_pending();
            test_alloc_fail_at(0);
            /* The store may be what failed; nothing says done that is not. */
            if (status != MEREAU_OK)
                assert_true(
                    status == MEREAU_E_NOMEM || status == MEREAU_E_STORE ||
                    status == MEREAU_E_CRYPTO || status == MEREAU_E_UNCERTAIN);
            if (over)
                assert_int_equal(status, MEREAU_OK);
            else if (status == MEREAU_OK && which == 4)
                open_acme(p, n); /* done all the same: another one */
            assert_in_range(n, 1, 1000000);
        }
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_new_tenant_has_a_key_that_signs_and_a_standby),
        TEST(creating_again_is_repeated_and_another_issuer_refused),
        TEST(an_issuer_is_an_https_url_without_query_and_fragment),
        TEST(settings_out_of_range_are_refused),
        TEST(a_first_key_needs_a_private_half),
        TEST(what_is_set_at_creation_is_read_back),
        TEST(a_lost_reply_to_a_creation_is_settled),
        TEST(two_who_create_make_one_tenant),
        TEST(nothing_works_on_a_tenant_that_is_not_there),
        TEST(an_update_changes_what_is_set_and_nothing_else),
        TEST(the_issuer_stays_for_ever),
        TEST(an_algorithm_that_no_key_signs_with_is_refused),
        TEST(a_dry_run_changes_nothing),
        TEST(a_raise_to_now_covers_other_clocks_and_costs_one_round),
        TEST(an_app_is_raised_when_it_is_there),
        TEST(nobody_means_everybody_by_mistake),
        TEST(a_lower_instant_changes_nothing_and_commits_nothing),
        TEST(a_raise_whose_reply_is_lost_is_made_once),
        TEST(too_many_raises_within_a_minute_are_told_to_wait),
        TEST(a_blocked_device_stays_blocked),
        TEST(a_purge_takes_what_is_over_in_bounded_steps),
        TEST(a_record_that_changed_meanwhile_is_not_purged),
        TEST(an_enrolment_goes_with_its_entries_of_lists),
        TEST(every_failing_allocation_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
