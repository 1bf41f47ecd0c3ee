/* tests/flow/test_live.c - verifying against the store and introspection: what is
 * good now, what it says, and why something is not. */
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
    return 0;
}

static int teardown(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

static struct flow_pair enrol(struct flow *f, const char *app) {
    flow_app(f, app);
    return flow_enrol(
        f, flow_mint_with(f, 9, DAY, "{\"subject\":\"ann\"}").text, "d1");
}

static mereau_op *live(struct flow *f, const char *token) {
    return mereau_token_verify_live(f->tenant, token);
}

static mereau_op *inspect(struct flow *f, const char *token) {
    return DONE(f, mereau_token_introspect(f->tenant, token));
}

static void inactive(struct flow *f, const char *token, const char *rule) {
    mereau_op *op = inspect(f, token);
    assert_int_equal(mereau_op_int(op, MEREAU_ACTIVE), 0);
    assert_string_equal(mereau_op_text(op, MEREAU_RULE), rule);
    assert_string_equal(mereau_op_json(op), "{\"active\":false}");
    assert_null(mereau_op_text(op, MEREAU_SUBJECT));
    assert_null(mereau_op_text(op, MEREAU_CLAIMS));
}

static void says_what_it_is(struct flow *f, mereau_op *op,
                            const struct flow_pair *p) {
    (void)f;
    assert_string_equal(mereau_op_text(op, MEREAU_SUBJECT), "ann");
    assert_string_equal(mereau_op_text(op, MEREAU_CLIENT_ID), "app");
    assert_string_equal(mereau_op_text(op, MEREAU_DEVICE_ID), "d1");
    assert_string_equal(mereau_op_text(op, MEREAU_SCOPE), "read write print");
    assert_string_equal(mereau_op_text_at(op, MEREAU_AUDIENCE, 0), API);
    assert_string_equal(mereau_op_text(op, MEREAU_FAMILY_ID), p->family);
}

static void a_jwt_says_what_it_is(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *op = DONE(f, live(f, p.access));
    says_what_it_is(f, op, &p);
    assert_int_equal(mereau_op_int(op, MEREAU_ISSUED_AT), T0);
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_AT), T0 + 300);
    assert_non_null(mereau_op_text(op, MEREAU_JTI));
    assert_string_equal(mereau_op_text(op, MEREAU_CLAIMS),
                        mereau_op_text(p.op, MEREAU_CLAIMS));
}

static void an_opaque_token_says_what_it_is(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, "{\"token_format\":\"opaque\"}");
    mereau_op *op = DONE(f, live(f, p.access));
    says_what_it_is(f, op, &p);
    assert_int_equal(mereau_op_int(op, MEREAU_ISSUED_AT), T0);
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_AT), T0 + 300);
    assert_non_null(mereau_op_text(op, MEREAU_JTI));
}

static void a_refresh_token_says_what_it_is(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *op = DONE(f, live(f, p.refresh));
    says_what_it_is(f, op, &p);
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_AT), T0 + 30 * DAY);
}

static void introspection_has_the_names_of_rfc_7662(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    char wanted[1024];
    mereau_op *op = inspect(f, p.access);
    snprintf(wanted, sizeof wanted,
             "{\"active\":true,\"scope\":\"read write print\","
             "\"client_id\":\"app\",\"sub\":\"ann\",\"jti\":\"%s\","
             "\"iat\":1800000000,\"exp\":1800000300,\"sid\":\"%s\","
             "\"device_id\":\"d1\",\"aud\":[\"" API "\"]}",
             mereau_op_text(op, MEREAU_JTI), p.family);
    assert_string_equal(mereau_op_json(op), wanted);
    assert_int_equal(mereau_op_int(op, MEREAU_ACTIVE), 1);
    assert_null(mereau_op_text(op, MEREAU_RULE));
}

static void expiry_is_exact(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    f->now_at = T0 + 299;
    DONE(f, live(f, p.access));
    f->now_at = T0 + 300;
    REFUSED(f, live(f, p.access), MEREAU_E_EXPIRED, "jwt.exp");
    assert_string_equal(flow_error.wanted, "used before 1800000300");
    inactive(f, p.access, "jwt.exp");
    f->now_at = T0 + 30 * DAY - 1;
    DONE(f, live(f, p.refresh));
    f->now_at = T0 + 30 * DAY;
    REFUSED(f, live(f, p.refresh), MEREAU_E_EXPIRED, "refresh_token.lifetime");
    inactive(f, p.refresh, "refresh_token.lifetime");
}

static void a_rotated_refresh_token_is_not_good(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL), q;
    q = flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, p.refresh)));
    REFUSED(f, live(f, p.refresh), MEREAU_E_REVOKED, "refresh_token.rotated");
    inactive(f, p.refresh, "refresh_token.rotated");
    DONE(f, live(f, q.refresh));
    DONE(f, live(f, p.access)); /* until it expires */
}

static void looking_at_a_used_token_ends_nothing(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL), q;
    struct flow_records before, after;
    q = flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, p.refresh)));
    q = flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, q.refresh)));
    flow_records_take(f, &before);
    REFUSED(f, live(f, p.refresh), MEREAU_E_REVOKED, NULL);
    inactive(f, p.refresh, "refresh_token.rotated");
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after));
    flow_records_free(&before);
    flow_records_free(&after);
    DONE(f, live(f, q.refresh));
}

static void audience_scope_and_key_may_be_wanted(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *op = live(f, p.access);
    mereau_op_set_text(op, MEREAU_AUDIENCE, "https://other");
    REFUSED(f, op, MEREAU_E_AUDIENCE, "token.audience");
    op = live(f, p.access);
    mereau_op_add_text(op, MEREAU_AUDIENCE, "https://other");
    mereau_op_add_text(op, MEREAU_AUDIENCE, API);
    DONE(f, op);
    op = live(f, p.access);
    mereau_op_set_text(op, MEREAU_SCOPE, "read admin");
    REFUSED(f, op, MEREAU_E_SCOPE, "token.scope");
    assert_string_equal(flow_error.wanted, "read admin");
    assert_string_equal(flow_error.found, "read write print");
    op = live(f, p.access);
    mereau_op_set_text(op, MEREAU_SCOPE, "print read");
    DONE(f, op);
}

static void a_bound_token_wants_its_key(void **state) {
    struct flow *f = *state;
    mereau_op *op;
    flow_app(f, NULL);
    op = DONE(f, flow_redeem_key(f, flow_mint(f, 1, DAY).text, "d1", JKT));
    op = mereau_auth_token_exchange(f->tenant,
                                    mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_set_text(op, MEREAU_DEVICE_JKT, JKT);
    struct flow_pair p = flow_pair_of(DONE(f, op));
    REFUSED(f, live(f, p.access), MEREAU_E_DEVICE, "token.device_key");
    op = live(f, p.access);
    mereau_op_set_text(op, MEREAU_DEVICE_JKT, JKT2);
    REFUSED(f, op, MEREAU_E_DEVICE, "token.device_key");
    op = live(f, p.access);
    mereau_op_set_text(op, MEREAU_DEVICE_JKT, JKT);
    DONE(f, op);
}

static void what_stands_above_decides_too(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    DONE(f, op);
    REFUSED(f, live(f, p.access), MEREAU_E_DISABLED, "app.enabled");
    inactive(f, p.access, "app.enabled");
    op = mereau_app_update(f->tenant, "app");
    mereau_op_set_int(op, MEREAU_ENABLED, 1);
    DONE(f, op);
    DONE(f, live(f, p.access));
    op = mereau_tenant_update(f->tenant);
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    DONE(f, op);
    REFUSED(f, live(f, p.access), MEREAU_E_DISABLED, "tenant.enabled");
    op = mereau_tenant_update(f->tenant);
    mereau_op_set_int(op, MEREAU_ENABLED, 1);
    DONE(f, op);
    DONE(f, mereau_app_delete(f->tenant, "app"));
    REFUSED(f, live(f, p.access), MEREAU_E_UNKNOWN, "app.unknown");
    inactive(f, p.access, "app.unknown");
}

static void another_context_sees_a_revocation_at_once(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    struct flow other;
    struct flow_setup setup_other = {.seed = 2, .no_tenant = 1};
    setup_other.share = &f->front;
    flow_open(&other, &setup_other);
    DONE(&other, live(&other, p.access)); /* all of it is cached now */
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    DONE(f, op);
    REFUSED(&other, live(&other, p.access), MEREAU_E_DISABLED, NULL);
    op = mereau_app_update(f->tenant, "app");
    mereau_op_set_int(op, MEREAU_ENABLED, 1);
    DONE(f, op);
    DONE(&other, live(&other, p.access));
    DONE(f,
         mereau_not_before_raise(f->tenant, MEREAU_SUBJECT, "ann", MEREAU_NOW));
    REFUSED(&other, live(&other, p.access), MEREAU_E_NOT_BEFORE, NULL);
    flow_close(&other);
}

static void altered_tokens_are_not_good(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    char text[2048];
    size_t len = strlen(p.access);
    for (size_t i = 0; i < len; i++) {
        mereau_op *op;
        memcpy(text, p.access, len + 1);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        op = live(f, text);
        if (mereau_op_run(op, NULL) == MEREAU_OK)
            fail_msg("character %d of a JWT may be changed", (int)i);
        mereau_op_free(op);
    }
    len = strlen(p.refresh);
    for (size_t i = 0; i < len; i++) {
        mereau_op *op;
        memcpy(text, p.refresh, len + 1);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        op = live(f, text);
        assert_int_not_equal(mereau_op_run(op, NULL), MEREAU_OK);
        mereau_op_free(op);
    }
}

static void other_tokens_are_inactive(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    struct flow_token t = flow_mint(f, 1, DAY);
    struct flow other;
    struct flow_setup setup_other = {.seed = 2, .tenant = "other"};
    inactive(f, p.auth, "credential.kind");
    inactive(f, t.text, "credential.kind");
    REFUSED(f, live(f, p.auth), MEREAU_E_KIND, "credential.kind");
    REFUSED(f, live(f, "noise"), MEREAU_E_MALFORMED, NULL);
    REFUSED(f, live(f, ""), MEREAU_E_MALFORMED, NULL);
    assert_int_equal(mereau_op_int(inspect(f, "noise"), MEREAU_ACTIVE), 0);
    setup_other.share = &f->front;
    flow_open(&other, &setup_other);
    REFUSED(&other, live(&other, p.refresh), MEREAU_E_UNKNOWN,
            "credential.tenant");
    REFUSED(&other, live(&other, p.access), MEREAU_E_UNKNOWN, NULL);
    inactive(&other, p.refresh, "credential.tenant");
    flow_close(&other);
}

static void a_failing_store_is_no_inactive_token(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    flow_fail(f, 1, MEREAU_STORE_IO, 0);
    REFUSED(f, mereau_token_introspect(f->tenant, p.access), MEREAU_E_STORE,
            "store.get");
    DONE(f, live(f, p.access));
}

static void a_dropped_key_verifies_nothing(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, NULL);
    mereau_op *op = DONE(f, mereau_tenant_get(f->tenant));
    DONE(f, mereau_key_revoke(f->tenant, mereau_op_text(op, MEREAU_KID)));
    op = live(f, p.access);
    assert_int_not_equal(mereau_op_run(op, NULL), MEREAU_OK);
    mereau_op_free(op);
    assert_int_equal(mereau_op_int(inspect(f, p.access), MEREAU_ACTIVE), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_jwt_says_what_it_is),
        TEST(an_opaque_token_says_what_it_is),
        TEST(a_refresh_token_says_what_it_is),
        TEST(introspection_has_the_names_of_rfc_7662),
        TEST(expiry_is_exact),
        TEST(a_rotated_refresh_token_is_not_good),
        TEST(looking_at_a_used_token_ends_nothing),
        TEST(audience_scope_and_key_may_be_wanted),
        TEST(a_bound_token_wants_its_key),
        TEST(what_stands_above_decides_too),
        TEST(another_context_sees_a_revocation_at_once),
        TEST(altered_tokens_are_not_good),
        TEST(other_tokens_are_inactive),
        TEST(a_failing_store_is_no_inactive_token),
        TEST(a_dropped_key_verifies_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
