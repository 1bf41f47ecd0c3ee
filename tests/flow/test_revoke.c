/* tests/flow/test_revoke.c - taking things back: by the holder, by an
 * administrator, with all that came of it; what is dead afterwards, everywhere,
 * and what is not. */
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

static int is_active(struct flow *f, const char *token) {
    mereau_op *op = DONE(f, mereau_token_introspect(f->tenant, token));
    return mereau_op_int(op, MEREAU_ACTIVE) == 1;
}

static void is_dead(struct flow *f, const struct flow_pair *p) {
    REFUSED(f, mereau_token_refresh(f->tenant, p->refresh), MEREAU_E_REVOKED,
            NULL);
    REFUSED(f, mereau_token_verify_live(f->tenant, p->access), MEREAU_E_REVOKED,
            NULL);
    REFUSED(f, mereau_token_verify_live(f->tenant, p->refresh),
            MEREAU_E_REVOKED, NULL);
    assert_false(is_active(f, p->access));
    assert_false(is_active(f, p->refresh));
}

static void is_alive(struct flow *f, const struct flow_pair *p) {
    DONE(f, mereau_token_verify_live(f->tenant, p->access));
    DONE(f, mereau_token_verify_live(f->tenant, p->refresh));
    assert_true(is_active(f, p->access));
}

static void the_holder_ends_the_family_with_either_token(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 9, DAY);
    struct flow_pair a = flow_enrol(f, t.text, "d1");
    struct flow_pair b = flow_enrol(f, t.text, "d2");
    struct flow_pair c = flow_enrol(f, t.text, "d3");
    DONE(f, mereau_token_revoke(f->tenant, a.refresh));
    is_dead(f, &a);
    DONE(f, mereau_token_revoke(f->tenant, b.access));
    is_dead(f, &b);
    is_alive(f, &c);
    assert_int_equal(flow_used(f, t.id), 3); /* no count comes back */
}

static void revoking_twice_is_done(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    DONE(f, mereau_token_revoke(f->tenant, p.refresh));
    DONE(f, mereau_token_revoke(f->tenant, p.refresh));
    DONE(f, mereau_token_revoke(f->tenant, p.access));
    mereau_op *op = DONE(f, mereau_family_revoke(f->tenant, p.family));
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 1);
    op = DONE(f, mereau_auth_token_revoke(f->tenant, p.auth_id));
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 1);
}

static void what_is_not_known_is_no_refusal(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    struct flow_records before, after;
    char text[2048];
    size_t len = strlen(p.refresh);
    flow_records_take(f, &before);
    DONE(f, mereau_token_revoke(f->tenant, "garbage"));
    DONE(f, mereau_token_revoke(f->tenant, ""));
    DONE(f, mereau_token_revoke(f->tenant, p.auth));
    snprintf(text, sizeof text, "%s", p.refresh);
    text[len - 8] = text[len - 8] == 'x' ? 'y' : 'x';
    DONE(f, mereau_token_revoke(f->tenant, text));
    snprintf(text, sizeof text, "%s", p.access);
    len = strlen(text);
    text[len - 8] = text[len - 8] == 'x' ? 'y' : 'x';
    DONE(f, mereau_token_revoke(f->tenant, text)); /* a wrong signature */
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after));
    flow_records_free(&before);
    flow_records_free(&after);
    is_alive(f, &p);
}

static void an_older_refresh_token_ends_the_family_too(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1"), q;
    q = flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, p.refresh)));
    DONE(f, mereau_token_revoke(f->tenant, p.refresh));
    is_dead(f, &q);
}

static void an_expired_access_token_ends_the_family_too(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    f->now_at += 1000;
    DONE(f, mereau_token_revoke(f->tenant, p.access));
    REFUSED(f, mereau_token_refresh(f->tenant, p.refresh), MEREAU_E_REVOKED,
            NULL);
}

static void another_app_revokes_nothing(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    mereau_op *op;
    flow_app_named(f, "other", NULL);
    op = mereau_token_revoke(f->tenant, p.refresh);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "other");
    REFUSED(f, op, MEREAU_E_WRONG_APP, "token.client_id");
    op = mereau_token_revoke(f->tenant, p.access);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "other");
    REFUSED(f, op, MEREAU_E_WRONG_APP, "token.client_id");
    is_alive(f, &p);
}

static void a_confidential_app_proves_itself(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_int(op, MEREAU_CONFIDENTIAL, 1);
    DONE(f, op);
    mereau_op *secret = DONE(f, mereau_app_secret_add(f->tenant, "app"));
    REFUSED(f, mereau_token_revoke(f->tenant, p.refresh), MEREAU_E_CLIENT,
            "client.missing");
    op = mereau_token_revoke(f->tenant, p.refresh);
    mereau_op_set_text(op, MEREAU_CLIENT_SECRET, "wrong");
    REFUSED(f, op, MEREAU_E_CLIENT, "client.secret");
    is_alive(f, &p);
    op = mereau_token_revoke(f->tenant, p.refresh);
    mereau_op_set_text(op, MEREAU_CLIENT_SECRET,
                       mereau_op_text(secret, MEREAU_CLIENT_SECRET));
    DONE(f, op);
    is_dead(f, &p);
}

static void another_tenant_revokes_nothing(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    struct flow other;
    struct flow_setup setup_other = {.seed = 2, .tenant = "other"};
    setup_other.share = &f->front;
    flow_open(&other, &setup_other);
    DONE(&other, mereau_token_revoke(other.tenant, p.refresh));
    DONE(&other, mereau_token_revoke(other.tenant, p.access));
    REFUSED(&other, mereau_family_revoke(other.tenant, p.family),
            MEREAU_E_UNKNOWN, "credential.id");
    REFUSED(&other, mereau_auth_token_revoke(other.tenant, p.auth_id),
            MEREAU_E_UNKNOWN, "credential.id");
    flow_close(&other);
    is_alive(f, &p);
}

static void an_administrator_ends_a_family_by_its_id(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 2, DAY);
    struct flow_pair a = flow_enrol(f, t.text, "d1");
    struct flow_pair b = flow_enrol(f, t.text, "d2");
    assert_int_equal(flow_verify(f, a.access), MEREAU_OK);
    mereau_op *op = mereau_family_revoke(f->tenant, a.family);
    mereau_op_set_text(op, MEREAU_REASON, "lost laptop");
    mereau_op_set_text(op, MEREAU_ACTOR, "helpdesk");
    flow_forget_events(f);
    DONE(f, op);
    assert_true(flow_told(f, "\"event\":\"family.revoke\""));
    assert_true(flow_told(f, "\"reason\":\"lost laptop\""));
    assert_true(flow_told(f, "\"actor\":\"helpdesk\""));
    assert_true(flow_told(f, a.family));
    is_dead(f, &a);
    is_alive(f, &b);
    /* verifiers that load their snapshot know it too */
    assert_int_equal(flow_verify(f, a.access), MEREAU_E_NOT_BEFORE);
    assert_int_equal(flow_verify(f, b.access), MEREAU_OK);
}

static void unknown_ids_are_unknown(void **state) {
    struct flow *f = *state;
    mereau_op *op;
    static const char *const ids[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAA",
                                      "AAAAAAAAAAAAAAAAAAAAAB",
                                      "AAAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        REFUSED(f, mereau_family_revoke(f->tenant, ids[i]), MEREAU_E_UNKNOWN,
                NULL);
        REFUSED(f, mereau_auth_token_revoke(f->tenant, ids[i]),
                MEREAU_E_UNKNOWN, NULL);
        REFUSED(f, mereau_registration_token_revoke(f->tenant, ids[i]),
                MEREAU_E_UNKNOWN, NULL);
    }
    REFUSED(f, mereau_family_revoke(f->tenant, NULL), MEREAU_E_FIELD, NULL);
    /* an auth token that was not exchanged is no family */
    op = DONE(f, flow_redeem(f, flow_mint(f, 1, DAY).text, "d1", 1));
    REFUSED(f,
            mereau_family_revoke(f->tenant,
                                 mereau_op_text(op, MEREAU_AUTH_TOKEN_ID)),
            MEREAU_E_UNKNOWN, "credential.id");
}

static void an_auth_token_ends_with_all_below_it(void **state) {
    struct flow *f = *state;
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1"), q;
    q = flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, p.refresh)));
    DONE(f, mereau_auth_token_revoke(f->tenant, p.auth_id));
    is_dead(f, &q);
    REFUSED(f, mereau_auth_token_exchange(f->tenant, p.auth), MEREAU_E_REVOKED,
            NULL);
}

static void a_registration_token_ends_alone(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    mereau_op *waiting = DONE(f, flow_redeem(f, t.text, "d2", 1));
    DONE(f, mereau_registration_token_revoke(f->tenant, t.id));
    is_alive(f, &p);
    DONE(f, mereau_auth_token_exchange(
                f->tenant, mereau_op_text(waiting, MEREAU_AUTH_TOKEN)));
    REFUSED(f, flow_redeem(f, t.text, "d3", 1), MEREAU_E_REVOKED, NULL);
}

static void or_with_all_it_led_to(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 60, DAY), u = flow_mint(f, 2, DAY);
    struct flow_pair all[20], other = flow_enrol(f, u.text, "other");
    mereau_op *waiting = DONE(f, flow_redeem(f, t.text, "waiting", 1));
    for (int i = 0; i < 20; i++) {
        char device[16];
        snprintf(device, sizeof device, "d%d", i);
        all[i] = flow_enrol(f, t.text, device);
    }
    mereau_op *op = mereau_registration_token_revoke(f->tenant, t.id);
    mereau_op_set_int(op, MEREAU_CASCADE, 1);
    DONE(f, op);
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 0);
    for (int i = 0; i < 20; i++)
        is_dead(f, &all[i]);
    REFUSED(f,
            mereau_auth_token_exchange(
                f->tenant, mereau_op_text(waiting, MEREAU_AUTH_TOKEN)),
            MEREAU_E_REVOKED, "registration_token.cascade");
    is_alive(f, &other);
    op = mereau_registration_token_revoke(f->tenant, t.id);
    mereau_op_set_int(op, MEREAU_CASCADE, 1);
    DONE(f, op);
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 1);
}

static void a_cascade_may_follow(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    DONE(f, mereau_registration_token_revoke(f->tenant, t.id));
    is_alive(f, &p);
    mereau_op *op = mereau_registration_token_revoke(f->tenant, t.id);
    mereau_op_set_int(op, MEREAU_CASCADE, 1);
    DONE(f, op);
    is_dead(f, &p);
}

static void a_reused_device_stays_out_after_a_revoke(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    DONE(f, mereau_auth_token_revoke(f->tenant, p.auth_id));
    REFUSED(f, flow_redeem(f, t.text, "d1", 7), MEREAU_E_REVOKED, NULL);
    REFUSED(f, flow_redeem(f, t.text, "d1", 8), MEREAU_E_ENROLLED, NULL);
    assert_int_equal(flow_used(f, t.id), 1);
}

static void a_purge_keeps_the_evidence(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 3, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1"), q;
    q = flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, p.refresh)));
    q = flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, q.refresh)));
    REFUSED(f, mereau_token_refresh(f->tenant, p.refresh), MEREAU_E_REUSED,
            NULL);
    f->now_at += 31 * DAY;
    DONE(f, mereau_tenant_purge(f->tenant));
    REFUSED(f, mereau_token_refresh(f->tenant, q.refresh), MEREAU_E_REVOKED,
            NULL);
    REFUSED(f, flow_redeem(f, t.text, "d1", 8), MEREAU_E_ENROLLED, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_holder_ends_the_family_with_either_token),
        TEST(revoking_twice_is_done),
        TEST(what_is_not_known_is_no_refusal),
        TEST(an_older_refresh_token_ends_the_family_too),
        TEST(an_expired_access_token_ends_the_family_too),
        TEST(another_app_revokes_nothing),
        TEST(a_confidential_app_proves_itself),
        TEST(another_tenant_revokes_nothing),
        TEST(an_administrator_ends_a_family_by_its_id),
        TEST(unknown_ids_are_unknown),
        TEST(an_auth_token_ends_with_all_below_it),
        TEST(a_registration_token_ends_alone),
        TEST(or_with_all_it_led_to),
        TEST(a_cascade_may_follow),
        TEST(a_reused_device_stays_out_after_a_revoke),
        TEST(a_purge_keeps_the_evidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
