/* tests/flow/test_regressions.c - bugs that happened to others, each by its name.
 * Callers at once are operations stepped by hand, so that each of them has read
 * before any of them writes. Bugs that have their test elsewhere:
 *
 *   0 count, 0 expiry (keycloak#18445)        s05_*, s07_* of test_products.c
 *   lost response ends session (MAS#2795)     an_unproved_repeat_gives_the_same_once
 *   mass revocation (openiddict#1381)         a_family_of_any_age_is_revoked_at_...
 *   key used before it is known (hydra#2535)  a_new_key_is_published_a_day_before_...
 *   two keys of one algorithm (SAS#1005)      the_one_that_began_last_signs
 *   old rows after an upgrade (SAS#397)       test_golden_records.c
 *   already used, by whom? (spire#1523)       the_ledger_says_who_used_the_counts
 *   scope ignored on refresh (fosite)         a_narrower_scope_is_for_one_token
 *   pruning skips rows (openiddict#1216)      a_purge_takes_what_is_over_in_bounded_...
 *   jti found, then saved; PKCE omitted; metadata that does not answer: with the
 *   endpoints, which do not exist yet. */
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

static int32_t feed(void *op, size_t index, const mereau_record *record) {
    return mereau_op_feed(op, index, record);
}

/* Steps until the op wants to commit. */
static const mereau_need *to_the_commit(struct flow *f, mereau_op *op) {
    const mereau_need *need;
    for (;;) {
        assert_int_equal(mereau_op_step(op, &need, NULL), MEREAU_OK);
        assert_non_null(need);
        if (need->kind == MEREAU_NEED_COMMIT)
            return need;
        assert_int_equal(need->kind, MEREAU_NEED_GET);
        mereau_op_answer(op, f->real.get(f->real.user, need, feed, op),
                         SIZE_MAX);
    }
}

/* Goes on to the end. */
static mereau_status to_the_end(struct flow *f, mereau_op *op) {
    const mereau_need *need;
    for (;;) {
        size_t failed = SIZE_MAX;
        int32_t result = MEREAU_STORE_OK;
        mereau_error_init(&flow_error, sizeof flow_error);
        mereau_status status = mereau_op_step(op, &need, &flow_error);
        if (status != MEREAU_OK || need == NULL)
            return status;
        if (need->kind == MEREAU_NEED_GET)
            result = f->real.get(f->real.user, need, feed, op);
        else if (need->kind == MEREAU_NEED_COMMIT)
            result = f->real.commit(f->real.user, need, &failed);
        mereau_op_answer(op, result, failed);
    }
}

enum { CALLERS = 8 };

/* All of them have read, then each goes on; how many were let through? */
static int at_once(struct flow *f, mereau_op *const ops[CALLERS],
                   mereau_status otherwise) {
    int n = 0;
    for (int i = 0; i < CALLERS; i++)
        to_the_commit(f, ops[i]);
    for (int i = 0; i < CALLERS; i++) {
        mereau_status status = to_the_end(f, ops[i]);
        n += status == MEREAU_OK;
        /* A reuse that was found has ended the family for all others. */
        if (status != MEREAU_OK && status != otherwise)
            assert_true(otherwise == MEREAU_E_REUSED &&
                        status == MEREAU_E_REVOKED);
    }
    return n;
}

static void free_all(mereau_op *const ops[CALLERS]) {
    for (int i = 0; i < CALLERS; i++)
        mereau_op_free(ops[i]);
}

/* keycloak#27294; MAS registration_token.rs:495 (used + 1 after a stale check). */
static void callers_at_once_take_no_more_than_the_count(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    mereau_op *ops[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        char device[] = {'d', (char)('0' + i), '\0'};
        ops[i] = flow_redeem(f, t.text, device, 1);
    }
    assert_int_equal(at_once(f, ops, MEREAU_E_USED_UP), 3);
    assert_int_equal(flow_used(f, t.id), 3);
    free_all(ops);
}

/* CVE-2026-1035: a refresh token used by many at once. */
static void callers_at_once_get_one_successor(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    const char *successor = NULL;
    mereau_op *ops[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        ops[i] = mereau_token_refresh(f->tenant, p.refresh);
    /* One, and one more within the grace time, with the same answer. */
    assert_in_range(at_once(f, ops, MEREAU_E_REUSED), 1, 2);
    for (int i = 0; i < CALLERS; i++) {
        const char *text = mereau_op_text(ops[i], MEREAU_REFRESH_TOKEN);
        if (text != NULL && successor != NULL)
            assert_string_equal(text, successor);
        successor = text == NULL ? successor : text;
    }
    assert_non_null(successor);
    free_all(ops);
}

/* supabase#2613, twenty#26025, keycloak#48902: what is good once, at once. */
static void an_auth_token_at_once_leads_to_one_family(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    mereau_op *redeem = DONE(f, flow_redeem(f, t.text, "d1", 1));
    mereau_op *ops[CALLERS];
    int rows = 0;
    for (int i = 0; i < CALLERS; i++) {
        ops[i] = mereau_auth_token_exchange(
            f->tenant, mereau_op_text(redeem, MEREAU_AUTH_TOKEN));
        flow_nonce(ops[i], (uint8_t)i); /* each a caller of its own */
    }
    assert_in_range(at_once(f, ops, MEREAU_E_REUSED), 1, 2);
    mereau_op *list = DONE(f, mereau_family_list(f->tenant));
    while (mereau_op_next_row(list))
        rows++;
    assert_int_equal(rows, 1);
    free_all(ops);
}

/* keycloak#51312: a revocation lost to a refresh in flight. */
static void a_revocation_wins_over_a_refresh_in_flight(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 4, DAY);
    for (int how = 0; how < 4; how++) {
        char device[] = {'d', (char)('0' + how), '\0'};
        struct flow_pair p = flow_enrol(f, t.text, device);
        mereau_op *op = mereau_token_refresh(f->tenant, p.refresh);
        to_the_commit(f, op);
        if (how == 0)
            DONE(f, mereau_family_revoke(f->tenant, p.family));
        else if (how == 1)
            DONE(f, mereau_auth_token_revoke(f->tenant, p.auth_id));
        else if (how == 2)
            DONE(f, mereau_not_before_raise(f->tenant, MEREAU_DEVICE_ID, device,
                                            MEREAU_NOW));
        else
            DONE(f, mereau_app_delete(f->tenant, "app"));
        assert_int_not_equal(to_the_end(f, op), MEREAU_OK);
        assert_null(mereau_op_text(op, MEREAU_ACCESS_TOKEN));
        mereau_op_free(op);
    }
}

/* everruns#2427: whether the spending succeeded was not asked. */
static void nothing_is_given_for_a_count_that_was_not_taken(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    mereau_op *op = flow_redeem(f, t.text, "d1", 1);
    to_the_commit(f, op);
    DONE(f, flow_redeem(f, t.text, "d2", 1));
    assert_int_equal(to_the_end(f, op), MEREAU_E_USED_UP);
    assert_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_free(op);
}

/* OAS store.rs: an update put a client back that was deleted meanwhile. */
static void a_deleted_app_is_not_put_back_by_an_update(void **state) {
    struct flow *f = *state;
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_text(op, MEREAU_LABEL, "x");
    to_the_commit(f, op);
    DONE(f, mereau_app_delete(f->tenant, "app"));
    assert_int_equal(to_the_end(f, op), MEREAU_E_UNKNOWN);
    mereau_op_free(op);
    REFUSED(f, mereau_app_get(f->tenant, "app"), MEREAU_E_UNKNOWN, NULL);
}

/* OAS 0.9.1: what was granted after a revocation was refused as well. */
static void what_is_granted_after_a_revocation_works(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 9, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    mereau_op *op = mereau_registration_token_revoke(f->tenant, t.id);
    mereau_op_set_int(op, MEREAU_CASCADE, 1);
    DONE(f, op);
    DONE(f, mereau_not_before_raise(f->tenant, MEREAU_DEVICE_ID, "d1",
                                    MEREAU_NOW));
    REFUSED(f, mereau_token_refresh(f->tenant, p.refresh), MEREAU_E_REVOKED,
            NULL);
    p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1"); /* the same second */
    DONE(f, mereau_token_verify_live(f->tenant, p.access));
    DONE(f, mereau_token_refresh(f->tenant, p.refresh));
}

/* OAS 0.9.1: an empty id revoked everything. */
static void an_empty_id_revokes_nothing(void **state) {
    struct flow *f = *state;
    struct flow_records before, after;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    flow_records_take(f, &before);
    for (int what = 0; what < 10; what++) {
        const char *id = what % 2 == 0 ? "" : NULL;
        mereau_op *op =
            what < 2   ? mereau_family_revoke(f->tenant, id)
            : what < 4 ? mereau_auth_token_revoke(f->tenant, id)
            : what < 6 ? mereau_registration_token_revoke(f->tenant, id)
            : what < 8 ? mereau_token_revoke(f->tenant, id)
                       : mereau_not_before_raise(f->tenant, MEREAU_SUBJECT, id,
                                                 MEREAU_NOW);
        /* RFC 7009: revoking a token that is none is no refusal. */
        if (mereau_op_run(op, NULL) == MEREAU_OK)
            assert_int_equal(what, 6);
        mereau_op_free(op);
    }
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after));
    flow_records_free(&before);
    flow_records_free(&after);
    DONE(f, mereau_token_refresh(f->tenant, p.refresh));
}

/* nebula-mesh#150, aos-ce#187: a later step failed, the token was burnt. */
static void a_failed_step_burns_no_auth_token(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    mereau_op *redeem = DONE(f, flow_redeem(f, t.text, "d1", 1));
    const char *auth = mereau_op_text(redeem, MEREAU_AUTH_TOKEN);
    mereau_op *op = mereau_auth_token_exchange(f->tenant, auth);
    mereau_op_set_text(op, MEREAU_SCOPE, "admin");
    REFUSED(f, op, MEREAU_E_SCOPE, NULL);
    f->random_code = 1;
    op = mereau_auth_token_exchange(f->tenant, auth);
    mereau_op_run(op, NULL);
    mereau_op_free(op);
    f->random_code = 0;
    flow_fail(f, 2, MEREAU_STORE_IO, 0);
    REFUSED(f, mereau_auth_token_exchange(f->tenant, auth), MEREAU_E_STORE,
            NULL);
    flow_fail(f, 0, 0, 0);
    op = DONE(f, mereau_auth_token_exchange(f->tenant, auth));
    assert_int_equal(flow_used(f, t.id), 1);
}

/* hydra#1639: the sweep took what a reuse is found by. */
static void a_purge_leaves_what_a_reuse_is_found_by(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1"), q;
    q = flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, p.refresh)));
    q = flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, q.refresh)));
    f->now_at += 20 * DAY;
    DONE(f, mereau_tenant_purge(f->tenant));
    REFUSED(f, mereau_token_refresh(f->tenant, p.refresh), MEREAU_E_REUSED,
            NULL);
    DONE(f, mereau_tenant_purge(f->tenant));
    REFUSED(f, mereau_token_refresh(f->tenant, q.refresh), MEREAU_E_REVOKED,
            NULL);
}

/* shadow-ai-guard#191: a device that was revoked enrolled again. */
static void a_revoked_device_does_not_enrol_again(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 9, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1"); /* with nonce 7 */
    DONE(f, mereau_auth_token_revoke(f->tenant, p.auth_id));
    REFUSED(f, flow_redeem(f, t.text, "d1", 7), MEREAU_E_REVOKED, NULL);
    REFUSED(f, flow_redeem(f, t.text, "d1", 8), MEREAU_E_ENROLLED, NULL);
    DONE(f, mereau_device_block(f->tenant, "d1"));
    REFUSED(f, flow_redeem(f, flow_mint(f, 1, DAY).text, "d1", 7),
            MEREAU_E_BLOCKED, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(callers_at_once_take_no_more_than_the_count),
        TEST(callers_at_once_get_one_successor),
        TEST(an_auth_token_at_once_leads_to_one_family),
        TEST(a_revocation_wins_over_a_refresh_in_flight),
        TEST(nothing_is_given_for_a_count_that_was_not_taken),
        TEST(a_deleted_app_is_not_put_back_by_an_update),
        TEST(what_is_granted_after_a_revocation_works),
        TEST(an_empty_id_revokes_nothing),
        TEST(a_failed_step_burns_no_auth_token),
        TEST(a_purge_leaves_what_a_reuse_is_found_by),
        TEST(a_revoked_device_does_not_enrol_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
