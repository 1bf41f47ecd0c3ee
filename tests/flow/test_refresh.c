/* tests/flow/test_refresh.c - refresh tokens: rotation, lost answers, stolen
 * tokens, ends, scopes, not-befores, clocks and stores that go back. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#define JKT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static int setup(void **state) {
    struct flow *f = malloc(sizeof *f);
    if (f == NULL)
        return -1;
    *state = f;
    flow_start(f);
    return 0;
}

static int teardown(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

static struct flow_pair enrol(struct flow *f, const char *app) {
    flow_app(f, app);
    return flow_enrol(f, flow_mint(f, 50, DAY).text, "d1");
}

static mereau_op *refresh(struct flow *f, const char *token) {
    return mereau_token_refresh(f->tenant, token);
}

static mereau_op *proved(struct flow *f, const char *token, uint8_t nonce) {
    mereau_op *op = refresh(f, token);
    flow_nonce(op, nonce);
    return op;
}

static mereau_op *scoped(struct flow *f, const char *token, const char *scope) {
    mereau_op *op = refresh(f, token);
    mereau_op_set_text(op, MEREAU_SCOPE, scope);
    return op;
}

static struct flow_pair next(struct flow *f, const char *token) {
    return flow_pair_of(DONE(f, refresh(f, token)));
}

/* --- rotation --- */

static void each_use_gives_another_refresh_token(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    const char *family = p.family;
    for (int i = 0; i < 20; i++) {
        struct flow_pair q;
        f->now_at += 100;
        q = next(f, p.refresh);
        assert_string_not_equal(p.refresh, q.refresh);
        assert_string_not_equal(p.access, q.access);
        assert_string_equal(q.family, family);
        assert_int_equal(mereau_op_int(q.op, MEREAU_REPEATED), 0);
        p = q;
    }
}

static void a_family_is_one_record_however_often_it_rotates(void **state) {
    struct flow *f = *state;
    struct flow_records before, after;
    struct flow_pair p = enrol(f, NULL);
    char token[512];
    p = next(f, p.refresh);
    flow_records_take(f, &before);
    snprintf(token, sizeof token, "%s", p.refresh);
    for (int i = 0; i < 1000; i++) {
        mereau_op *op = refresh(f, token);
        assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
        snprintf(token, sizeof token, "%s",
                 mereau_op_text(op, MEREAU_REFRESH_TOKEN));
        mereau_op_free(op);
    }
    DONE(f, mereau_token_verify_live(f->tenant, token));
    flow_records_take(f, &after);
    assert_int_equal(before.n, after.n);
    flow_records_free(&before);
    flow_records_free(&after);
}

/* --- lost answers --- */

static void an_unproved_repeat_gives_the_same_once(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL), a, b;
    a = next(f, p.refresh);
    f->now_at += 9;
    b = next(f, p.refresh);
    assert_string_equal(a.refresh, b.refresh);
    flow_same_access(a.access, b.access);
    assert_int_equal(mereau_op_int(b.op, MEREAU_REPEATED), 1);
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_REUSED, "family.reuse");
}

static void each_generation_has_its_grace(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL), q;
    for (int i = 0; i < 3; i++) {
        q = next(f, p.refresh);
        assert_string_equal(next(f, p.refresh).refresh, q.refresh);
        p = q;
    }
    next(f, p.refresh);
}

static void grace_ends_after_its_seconds(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL), a;
    a = next(f, p.refresh);
    f->now_at += 10;
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_REUSED, "family.reuse");
    REFUSED(f, refresh(f, a.refresh), MEREAU_E_REVOKED, "family.ended");
    assert_string_equal(flow_error.found, "one that a reuse has ended");
}

static void grace_0_is_never(void **state) {
    struct flow *f = *state;
    struct flow_pair p;
    mereau_op *op = mereau_tenant_update(f->tenant);
    mereau_op_set_int(op, MEREAU_GRACE_S, 0);
    DONE(f, op);
    p = enrol(f, NULL);
    next(f, p.refresh);
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_REUSED, NULL);
}

static void grace_0_spares_who_proves_it(void **state) {
    struct flow *f = *state;
    struct flow_pair p;
    mereau_op *op = mereau_tenant_update(f->tenant);
    mereau_op_set_int(op, MEREAU_GRACE_S, 0);
    DONE(f, op);
    p = enrol(f, NULL);
    mereau_op *a = DONE(f, proved(f, p.refresh, 1));
    mereau_op *b = DONE(f, proved(f, p.refresh, 1));
    assert_string_equal(mereau_op_text(a, MEREAU_REFRESH_TOKEN),
                        mereau_op_text(b, MEREAU_REFRESH_TOKEN));
}

static void a_proved_repeat_works_until_the_next_was_used(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *a = DONE(f, proved(f, p.refresh, 1)), *b;
    f->now_at += DAY;
    b = DONE(f, proved(f, p.refresh, 1));
    assert_string_equal(mereau_op_text(a, MEREAU_REFRESH_TOKEN),
                        mereau_op_text(b, MEREAU_REFRESH_TOKEN));
    assert_int_equal(mereau_op_int(b, MEREAU_EXPIRES_IN), 0);
    assert_int_equal(mereau_op_int(b, MEREAU_REFRESH_EXPIRES_IN), 29 * DAY);
    next(f, mereau_op_text(b, MEREAU_REFRESH_TOKEN));
    REFUSED(f, proved(f, p.refresh, 1), MEREAU_E_REUSED, NULL);
}

static void another_nonce_proves_nothing(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    DONE(f, proved(f, p.refresh, 1));
    f->now_at += 11;
    REFUSED(f, proved(f, p.refresh, 2), MEREAU_E_REUSED, NULL);
}

static void a_nonce_proves_its_own_step_only(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL), q;
    q = flow_pair_of(DONE(f, proved(f, p.refresh, 1)));
    next(f, q.refresh); /* without one */
    f->now_at += 11;
    REFUSED(f, proved(f, q.refresh, 1), MEREAU_E_REUSED, NULL);
}

static void a_repeat_with_other_parameters_is_none(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *a = DONE(f, proved(f, p.refresh, 1));
    mereau_op *b = scoped(f, p.refresh, "read");
    flow_nonce(b, 1);
    REFUSED(f, b, MEREAU_E_POLICY, "family.repeat"); /* and nothing dies */
    b = DONE(f, proved(f, p.refresh, 1));
    assert_string_equal(mereau_op_text(a, MEREAU_REFRESH_TOKEN),
                        mereau_op_text(b, MEREAU_REFRESH_TOKEN));
    REFUSED(f, scoped(f, p.refresh, "read"), MEREAU_E_REUSED, NULL);
}

static void a_repeat_says_that_it_is_one(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    next(f, p.refresh);
    flow_forget_events(f);
    next(f, p.refresh);
    assert_int_equal(f->n_told, 1);
    assert_true(flow_told(f, "\"repeated\":true"));
    assert_true(flow_told(f, "\"outcome\":\"allowed\""));
}

static void an_unproved_repeat_moves_no_idle_end(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, "{\"refresh_idle_s\":100}"), a;
    a = next(f, p.refresh);
    f->now_at += 9;
    next(f, p.refresh);
    f->now_at = T0 + 100;
    REFUSED(f, refresh(f, a.refresh), MEREAU_E_EXPIRED, "family.idle");
}

/* --- stolen --- */

static void an_older_token_ends_the_family(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL), a, b;
    a = next(f, p.refresh);
    b = next(f, a.refresh);
    flow_forget_events(f);
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_REUSED, "family.reuse");
    assert_string_equal(flow_error.source, "RFC 9700 4.14.2");
    assert_string_equal(flow_error.found,
                        "one that was used before, 2 steps back");
    assert_int_equal(f->n_told, 1);
    assert_true(flow_told(f, "\"rule\":\"family.reuse\""));
    assert_true(flow_told(f, p.family));
    REFUSED(f, refresh(f, b.refresh), MEREAU_E_REVOKED, "family.ended");
    REFUSED(f, mereau_token_verify_live(f->tenant, b.access), MEREAU_E_REVOKED,
            "family.ended");
    REFUSED(f, mereau_token_verify_live(f->tenant, p.access), MEREAU_E_REVOKED,
            NULL);
    mereau_op *op = DONE(f, mereau_token_introspect(f->tenant, b.access));
    assert_int_equal(mereau_op_int(op, MEREAU_ACTIVE), 0);
}

static void without_a_reuse_there_is_no_alarm(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    flow_forget_events(f);
    for (int i = 0; i < 10; i++)
        p = next(f, p.refresh);
    assert_false(flow_told(f, "reuse"));
}

static void a_reuse_that_cannot_be_committed_is_told_as_failure(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL), a, b;
    a = next(f, p.refresh);
    b = next(f, a.refresh);
    flow_forget_events(f);
    f->fail_in = 2; /* the commit */
    f->fail_result = MEREAU_STORE_IO;
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_STORE, "store.commit");
    assert_true(flow_told(f, "\"outcome\":\"refused\""));
    assert_true(flow_told(f, "store.commit"));
    DONE(f, mereau_token_verify_live(f->tenant, b.access));
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_REUSED, NULL);
    REFUSED(f, refresh(f, b.refresh), MEREAU_E_REVOKED, NULL);
}

static void guessing_kills_nothing(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    struct flow other;
    struct flow_setup setup_other = {.seed = 1, .bad_root = 1, .no_tenant = 1};
    char text[512];
    size_t len = strlen(p.refresh);
    next(f, p.refresh);
    for (size_t i = 0; i < len; i++) {
        memcpy(text, p.refresh, len + 1);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        mereau_op *op = refresh(f, text);
        assert_int_not_equal(mereau_op_run(op, NULL), MEREAU_OK);
        assert_int_not_equal(mereau_op_run(op, NULL), MEREAU_E_REUSED);
        mereau_op_free(op);
    }
    setup_other.share = &f->front;
    flow_open(&other, &setup_other); /* as if the secret were wrong */
    f->now_at += 100;
    REFUSED(&other, refresh(&other, p.refresh), MEREAU_E_UNKNOWN,
            "credential.secret");
    flow_close(&other);
    f->now_at -= 100;
    next(f, p.refresh);
}

static void another_apps_attempt_leaves_the_family_unharmed(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    flow_app_named(f, "other", NULL);
    next(f, p.refresh);
    f->now_at += 100; /* a reuse, if it were the app's own */
    mereau_op *op = refresh(f, p.refresh);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "other");
    REFUSED(f, op, MEREAU_E_WRONG_APP, "token.client_id");
    DONE(f, mereau_token_verify_live(f->tenant, p.access));
}

static void a_confidential_apps_token_alone_kills_nothing(void **state) {
    struct flow *f = *state;
    char secret[256];
    flow_app(f, "{\"confidential\":true}");
    mereau_op *op = DONE(f, mereau_app_secret_add(f->tenant, "app"));
    snprintf(secret, sizeof secret, "%s",
             mereau_op_text(op, MEREAU_CLIENT_SECRET));
    op = DONE(f, flow_redeem(f, flow_mint(f, 1, DAY).text, "d1", 1));
    op = mereau_auth_token_exchange(f->tenant,
                                    mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_set_text(op, MEREAU_CLIENT_SECRET, secret);
    struct flow_pair p = flow_pair_of(DONE(f, op));
    op = refresh(f, p.refresh);
    mereau_op_set_text(op, MEREAU_CLIENT_SECRET, secret);
    struct flow_pair a = flow_pair_of(DONE(f, op));
    f->now_at += 100;
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_CLIENT, "client.missing");
    DONE(f, mereau_token_verify_live(f->tenant, a.access));
    op = refresh(f, p.refresh); /* the client itself: a repeat */
    mereau_op_set_text(op, MEREAU_CLIENT_SECRET, secret);
    op = DONE(f, op);
    assert_string_equal(mereau_op_text(op, MEREAU_REFRESH_TOKEN), a.refresh);
}

/* --- ends --- */

static void a_refresh_token_ends_after_its_lifetime(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, "{\"refresh_lifetime_s\":1000}");
    f->now_at = T0 + 1000;
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_EXPIRED,
            "refresh_token.lifetime");
    f->now_at = T0 + 1001;
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_EXPIRED, NULL);
    f->now_at = T0 + 999;
    p = next(f, p.refresh);
    f->now_at = T0 + 1998; /* each has its own */
    next(f, p.refresh);
}

static void idle_families_end(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, "{\"refresh_idle_s\":100}");
    f->now_at += 99;
    p = next(f, p.refresh);
    f->now_at += 99;
    p = next(f, p.refresh);
    f->now_at += 100;
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_EXPIRED, "family.idle");
}

static void the_absolute_end_does_not_move(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, "{\"family_lifetime_s\":1000}");
    f->now_at = T0 + 900;
    p = next(f, p.refresh);
    assert_int_equal(mereau_op_int(p.op, MEREAU_REFRESH_EXPIRES_IN), 100);
    assert_int_equal(mereau_op_int(p.op, MEREAU_EXPIRES_IN), 100);
    f->now_at = T0 + 1000;
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_EXPIRED, "family.lifetime");
    f->now_at = T0 + 999;
    next(f, p.refresh);
}

static void editing_a_lifetime_leaves_what_was_issued(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, "{\"refresh_lifetime_s\":1000}");
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_int(op, MEREAU_REFRESH_LIFETIME_S, 10);
    mereau_op_set_int(op, MEREAU_ACCESS_LIFETIME_S, 5);
    DONE(f, op);
    f->now_at = T0 + 299;
    DONE(f, mereau_token_verify_live(f->tenant, p.access));
    f->now_at = T0 + 999;
    p = next(f, p.refresh);
    assert_int_equal(mereau_op_int(p.op, MEREAU_REFRESH_EXPIRES_IN), 10);
    assert_int_equal(mereau_op_int(p.op, MEREAU_EXPIRES_IN), 5);
}

static void an_expired_registration_token_ends_nothing(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    struct flow_token t = flow_mint(f, 1, 100);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    f->now_at += 1000;
    p = next(f, p.refresh);
    assert_int_equal(flow_used(f, t.id), 1);
}

/* --- scope and audience --- */

static void a_narrower_scope_is_for_one_token(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *op = DONE(f, scoped(f, p.refresh, "print"));
    assert_string_equal(mereau_op_text(op, MEREAU_SCOPE), "print");
    assert_non_null(
        strstr(mereau_op_text(op, MEREAU_CLAIMS), "\"scope\":\"print\""));
    p = next(f, mereau_op_text(op, MEREAU_REFRESH_TOKEN));
    assert_string_equal(mereau_op_text(p.op, MEREAU_SCOPE), "read write print");
}

static void scope_is_never_wider(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    struct flow_token t = flow_mint_with(f, 1, DAY, "{\"scope\":\"read\"}");
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    static const char *const wider[] = {"read write", "write", "admin",
                                        "rea",        "readx", "Read"};
    for (size_t i = 0; i < sizeof wider / sizeof wider[0]; i++)
        REFUSED(f, scoped(f, p.refresh, wider[i]), MEREAU_E_SCOPE,
                "scope.granted");
    next(f, p.refresh); /* none of that used it */
}

static void the_app_may_lose_scope_meanwhile(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_text(op, MEREAU_SCOPE, "read");
    DONE(f, op);
    p = next(f, p.refresh);
    assert_string_equal(mereau_op_text(p.op, MEREAU_SCOPE), "read");
    REFUSED(f, scoped(f, p.refresh, "write"), MEREAU_E_SCOPE, "scope.app");
    REFUSED(f, scoped(f, p.refresh, "read write"), MEREAU_E_SCOPE, "scope.app");
    op = mereau_app_update(f->tenant, "app");
    mereau_op_set_text(op, MEREAU_SCOPE, "read write print admin");
    DONE(f, op);
    p = next(f, p.refresh); /* the grant stays what it was */
    assert_string_equal(mereau_op_text(p.op, MEREAU_SCOPE), "read write print");
}

static void order_of_scope_is_that_of_the_grant(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *op = DONE(f, scoped(f, p.refresh, "print read"));
    assert_string_equal(mereau_op_text(op, MEREAU_SCOPE), "read print");
}

/* --- not-before --- */

static void raise_one(struct flow *f, int32_t whose, const char *id) {
    DONE(f, mereau_not_before_raise(f->tenant, whose, id, MEREAU_NOW));
}

static void a_raise_refuses_what_was_issued_before(void **state) {
    struct flow *f = *state;
    static const struct {
        int32_t whose;
        const char *id, *rule;
    } levels[] = {{MEREAU_DEVICE_ID, "d1", "not_before.device"},
                  {MEREAU_SUBJECT, "ann", "not_before.subject"},
                  {MEREAU_CLIENT_ID, "app", "not_before.app"},
                  {MEREAU_TENANT_ID, NULL, "not_before.tenant"}};
    flow_app(f, NULL);
    for (size_t i = 0; i < 4; i++) {
        struct flow_token t =
            flow_mint_with(f, 5, DAY, "{\"subject\":\"ann\"}");
        struct flow_pair p = flow_enrol(f, t.text, "d1"), q;
        mereau_op *waiting = DONE(f, flow_redeem(f, t.text, "d2", 1));
        raise_one(f, levels[i].whose, levels[i].id);
        REFUSED(f, refresh(f, p.refresh), MEREAU_E_NOT_BEFORE, levels[i].rule);
        REFUSED(f, mereau_token_verify_live(f->tenant, p.access),
                MEREAU_E_NOT_BEFORE, levels[i].rule);
        REFUSED(f, mereau_token_verify_live(f->tenant, p.refresh),
                MEREAU_E_NOT_BEFORE, levels[i].rule);
        mereau_op *op = DONE(f, mereau_token_introspect(f->tenant, p.access));
        assert_int_equal(mereau_op_int(op, MEREAU_ACTIVE), 0);
        assert_int_equal(flow_verify(f, p.access), MEREAU_E_NOT_BEFORE);
        op = mereau_auth_token_exchange(
            f->tenant, mereau_op_text(waiting, MEREAU_AUTH_TOKEN));
        if (levels[i].whose == MEREAU_DEVICE_ID)
            DONE(f, op); /* another device's */
        else
            REFUSED(f, op, MEREAU_E_NOT_BEFORE, levels[i].rule);
        /* what is issued after it works in the same second, everywhere */
        t = flow_mint_with(f, 5, DAY, "{\"subject\":\"ann\"}");
        q = flow_enrol(f, t.text, "d1");
        DONE(f, mereau_token_verify_live(f->tenant, q.access));
        assert_int_equal(flow_verify(f, q.access), MEREAU_OK);
        q = next(f, q.refresh);
        assert_int_equal(flow_verify(f, q.access), MEREAU_OK);
        DONE(f, mereau_token_verify_live(f->tenant, q.access));
    }
}

static void raises_can_be_repeated_within_a_second(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    for (int i = 0; i < 10; i++) {
        struct flow_token t = flow_mint(f, 1, DAY);
        struct flow_pair p = flow_enrol(f, t.text, "d1");
        assert_int_equal(flow_verify(f, p.access), MEREAU_OK);
        raise_one(f, MEREAU_TENANT_ID, NULL);
        assert_int_equal(flow_verify(f, p.access), MEREAU_E_NOT_BEFORE);
        REFUSED(f, refresh(f, p.refresh), MEREAU_E_NOT_BEFORE, NULL);
    }
}

static void others_are_spared_by_a_raise(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    struct flow_token t = flow_mint(f, 5, DAY);
    struct flow_pair a = flow_enrol(f, t.text, "d1");
    struct flow_pair b = flow_enrol(f, t.text, "d2");
    raise_one(f, MEREAU_DEVICE_ID, "d1");
    raise_one(f, MEREAU_SUBJECT, "d1");
    REFUSED(f, refresh(f, a.refresh), MEREAU_E_NOT_BEFORE, NULL);
    assert_int_equal(flow_verify(f, b.access), MEREAU_OK);
    next(f, b.refresh);
}

static void an_instant_in_the_past_parts_the_two(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    struct flow_token t = flow_mint(f, 5, DAY);
    struct flow_pair a = flow_enrol(f, t.text, "d1"), b, c;
    f->now_at = T0 + 50;
    b = flow_enrol(f, t.text, "d2");
    f->now_at = T0 + 51;
    c = flow_enrol(f, t.text, "d3");
    f->now_at = T0 + 100;
    mereau_op *op = DONE(
        f, mereau_not_before_raise(f->tenant, MEREAU_TENANT_ID, NULL, T0 + 50));
    assert_int_equal(mereau_op_int(op, MEREAU_NOT_BEFORE_AT), T0 + 50);
    REFUSED(f, refresh(f, a.refresh), MEREAU_E_NOT_BEFORE, NULL);
    REFUSED(f, refresh(f, b.refresh), MEREAU_E_NOT_BEFORE, NULL);
    c = next(f, c.refresh);
    assert_int_equal(mereau_op_int(c.op, MEREAU_NOT_BEFORE_POLICY), T0 + 50);
    /* a lower one changes nothing */
    op = DONE(f, mereau_not_before_raise(f->tenant, MEREAU_TENANT_ID, NULL, 1));
    assert_int_equal(mereau_op_int(op, MEREAU_NOT_BEFORE_AT), T0 + 50);
    REFUSED(
        f, mereau_not_before_raise(f->tenant, MEREAU_TENANT_ID, NULL, T0 + 101),
        MEREAU_E_POLICY, "not_before.at");
}

static void an_instant_before_it_spares_what_a_raise_put_ahead(void **state) {
    struct flow *f = *state;
    struct flow_pair p;
    flow_app(f, NULL);
    raise_one(f, MEREAU_DEVICE_ID, "d1");
    p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    assert_int_equal(mereau_op_int(p.op, MEREAU_ISSUED_AT), T0 + 31);
    f->now_at += 100;
    DONE(f, mereau_not_before_raise(f->tenant, MEREAU_TENANT_ID, NULL, T0 - 1));
    assert_int_equal(flow_verify(f, p.access), MEREAU_OK);
    DONE(f, mereau_token_verify_live(f->tenant, p.access));
    DONE(f,
         mereau_not_before_raise(f->tenant, MEREAU_TENANT_ID, NULL, T0 + 31));
    assert_int_equal(flow_verify(f, p.access), MEREAU_E_NOT_BEFORE);
    REFUSED(f, mereau_token_verify_live(f->tenant, p.access),
            MEREAU_E_NOT_BEFORE, NULL);
}

static void an_empty_id_does_not_mean_everybody(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    static const int32_t whose[] = {MEREAU_CLIENT_ID, MEREAU_SUBJECT,
                                    MEREAU_DEVICE_ID};
    for (size_t i = 0; i < 3; i++) {
        REFUSED(f, mereau_not_before_raise(f->tenant, whose[i], "", MEREAU_NOW),
                MEREAU_E_FIELD, "not_before.whose");
        REFUSED(f,
                mereau_not_before_raise(f->tenant, whose[i], NULL, MEREAU_NOW),
                MEREAU_E_FIELD, "not_before.whose");
    }
    next(f, p.refresh);
}

/* --- clocks and stores that go back --- */

static void a_clock_that_went_back_decides_nothing(void **state) {
    struct flow *f = *state;
    struct flow_records before, after;
    struct flow_pair p = enrol(f, NULL), a;
    f->now_at += 1000;
    a = next(f, p.refresh);
    flow_records_take(f, &before);
    f->now_at -= 61;
    REFUSED(f, refresh(f, a.refresh), MEREAU_E_CLOCK, "clock.back");
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_CLOCK, "clock.back");
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after)); /* nothing was killed */
    flow_records_free(&before);
    flow_records_free(&after);
    f->now_at += 1; /* 60 s are what clocks may differ by */
    next(f, a.refresh);
}

static void
a_token_newer_than_its_record_proves_a_restored_store(void **state) {
    struct flow *f = *state;
    struct flow_records backup;
    struct flow_pair p = enrol(f, NULL), a, b;
    a = next(f, p.refresh);
    flow_records_take(f, &backup);
    b = next(f, a.refresh);
    flow_records_put(f, &backup);
    flow_forget_events(f);
    REFUSED(f, refresh(f, b.refresh), MEREAU_E_RESTORED, "family.restored");
    assert_true(flow_told(f, "family.restored"));
    next(f, a.refresh); /* nothing was killed */
    flow_records_free(&backup);
}

/* --- the rest --- */

static void a_disabled_app_refreshes_nothing(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    DONE(f, op);
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_DISABLED, "app.enabled");
    op = mereau_app_update(f->tenant, "app");
    mereau_op_set_int(op, MEREAU_ENABLED, 1);
    DONE(f, op);
    next(f, p.refresh);
    DONE(f, mereau_app_delete(f->tenant, "app"));
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_UNKNOWN, "app.unknown");
}

static void an_app_may_lose_the_grant_to_refresh(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_text(op, MEREAU_GRANT_TYPE, "registration_token");
    DONE(f, op);
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_POLICY, "app.grant_type");
}

static void a_bound_token_wants_its_key(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    mereau_op *op =
        DONE(f, flow_redeem_key(f, flow_mint(f, 1, DAY).text, "d1", JKT));
    op = mereau_auth_token_exchange(f->tenant,
                                    mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_set_text(op, MEREAU_DEVICE_JKT, JKT);
    struct flow_pair p = flow_pair_of(DONE(f, op));
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_DEVICE, "token.device_key");
    op = refresh(f, p.refresh);
    mereau_op_set_text(op, MEREAU_DEVICE_JKT, JKT);
    struct flow_pair a = flow_pair_of(DONE(f, op));
    f->now_at += 1000;
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_DEVICE, NULL); /* no kill */
    op = refresh(f, p.refresh);
    mereau_op_set_text(op, MEREAU_DEVICE_JKT, JKT);
    op = DONE(f, op);
    assert_string_equal(mereau_op_text(op, MEREAU_REFRESH_TOKEN), a.refresh);
}

static void other_kinds_and_tenants_are_refused(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    struct flow other;
    struct flow_setup setup_other = {.seed = 2, .tenant = "other"};
    REFUSED(f, refresh(f, p.auth), MEREAU_E_KIND, "credential.kind");
    REFUSED(f, refresh(f, p.access), MEREAU_E_MALFORMED, NULL);
    REFUSED(f, refresh(f, ""), MEREAU_E_MALFORMED, NULL);
    REFUSED(f, refresh(f, NULL), MEREAU_E_FIELD, "op.field");
    setup_other.share = &f->front;
    flow_open(&other, &setup_other);
    REFUSED(&other, refresh(&other, p.refresh), MEREAU_E_UNKNOWN,
            "credential.tenant");
    flow_close(&other);
}

static void opaque_and_jwt_rotate_alike(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, "{\"token_format\":\"opaque\"}"), a, b;
    a = next(f, p.refresh);
    b = next(f, p.refresh);
    flow_same_access(a.access, b.access);
    DONE(f, mereau_token_verify_live(f->tenant, p.access)); /* still good */
    DONE(f, mereau_token_verify_live(f->tenant, a.access));
    f->now_at += 20;
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_REUSED, NULL);
    REFUSED(f, mereau_token_verify_live(f->tenant, a.access), MEREAU_E_REVOKED,
            NULL);
}

static void far_instants_do_not_wrap(void **state) {
    struct flow *f = *state;
    static const int64_t nows[] = {
        INT64_C(2147483647), INT64_C(2147483648),   INT64_C(4294967295),
        INT64_C(4294967296), INT64_C(253402300799), INT64_C(253402300800)};
    flow_app(f, NULL);
    for (size_t i = 0; i < sizeof nows / sizeof nows[0]; i++) {
        char device[16];
        f->now_at = nows[i];
        snprintf(device, sizeof device, "d%d", (int)i);
        struct flow_token t = flow_mint(f, 1, DAY);
        struct flow_pair p = flow_enrol(f, t.text, device);
        assert_int_equal(
            flow_number(mereau_op_text(p.op, MEREAU_CLAIMS), "exp"),
            nows[i] + 300);
        assert_int_equal(mereau_op_int(p.op, MEREAU_REFRESH_EXPIRES_IN),
                         30 * DAY);
        p = next(f, p.refresh);
        DONE(f, mereau_token_verify_live(f->tenant, p.access));
        f->now_at += 300;
        REFUSED(f, mereau_token_verify_live(f->tenant, p.access),
                MEREAU_E_EXPIRED, "jwt.exp");
    }
}

static void a_dry_run_rotates_nothing(void **state) {
    struct flow *f = *state;
    struct flow_records before, after;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *op = refresh(f, p.refresh);
    assert_int_equal(mereau_op_dry_run(op, NULL), MEREAU_OK);
    assert_null(mereau_op_text(op, MEREAU_REFRESH_TOKEN));
    mereau_op_free(op);
    next(f, p.refresh);
    next(f, p.refresh);
    flow_records_take(f, &before);
    op = refresh(f, p.refresh); /* would end the family */
    assert_int_equal(mereau_op_dry_run(op, &flow_error), MEREAU_E_REUSED);
    mereau_op_free(op);
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after));
    flow_records_free(&before);
    flow_records_free(&after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_use_gives_another_refresh_token),
        TEST(a_family_is_one_record_however_often_it_rotates),
        TEST(an_unproved_repeat_gives_the_same_once),
        TEST(each_generation_has_its_grace),
        TEST(grace_ends_after_its_seconds),
        TEST(grace_0_is_never),
        TEST(grace_0_spares_who_proves_it),
        TEST(a_proved_repeat_works_until_the_next_was_used),
        TEST(another_nonce_proves_nothing),
        TEST(a_nonce_proves_its_own_step_only),
        TEST(a_repeat_with_other_parameters_is_none),
        TEST(a_repeat_says_that_it_is_one),
        TEST(an_unproved_repeat_moves_no_idle_end),
        TEST(an_older_token_ends_the_family),
        TEST(without_a_reuse_there_is_no_alarm),
        TEST(a_reuse_that_cannot_be_committed_is_told_as_failure),
        TEST(guessing_kills_nothing),
        TEST(another_apps_attempt_leaves_the_family_unharmed),
        TEST(a_confidential_apps_token_alone_kills_nothing),
        TEST(a_refresh_token_ends_after_its_lifetime),
        TEST(idle_families_end),
        TEST(the_absolute_end_does_not_move),
        TEST(editing_a_lifetime_leaves_what_was_issued),
        TEST(an_expired_registration_token_ends_nothing),
        TEST(a_narrower_scope_is_for_one_token),
        TEST(scope_is_never_wider),
        TEST(the_app_may_lose_scope_meanwhile),
        TEST(order_of_scope_is_that_of_the_grant),
        TEST(a_raise_refuses_what_was_issued_before),
        TEST(raises_can_be_repeated_within_a_second),
        TEST(others_are_spared_by_a_raise),
        TEST(an_instant_in_the_past_parts_the_two),
        TEST(an_instant_before_it_spares_what_a_raise_put_ahead),
        TEST(an_empty_id_does_not_mean_everybody),
        TEST(a_clock_that_went_back_decides_nothing),
        TEST(a_token_newer_than_its_record_proves_a_restored_store),
        TEST(a_disabled_app_refreshes_nothing),
        TEST(an_app_may_lose_the_grant_to_refresh),
        TEST(a_bound_token_wants_its_key),
        TEST(other_kinds_and_tenants_are_refused),
        TEST(opaque_and_jwt_rotate_alike),
        TEST(far_instants_do_not_wrap),
        TEST(a_dry_run_rotates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
