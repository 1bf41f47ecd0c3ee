/* tests/flow/test_exchange.c - exchanging an auth token for the first access and
 * refresh token: what they say, for how long, to whom, and what a lost answer
 * costs. */
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

/* The auth token of device d1. */
static const char *auth_of(struct flow *f) {
    struct flow_token t = flow_mint(f, 9, DAY);
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 1));
    return mereau_op_text(op, MEREAU_AUTH_TOKEN);
}

static mereau_op *exchange(struct flow *f, const char *auth, const char *json) {
    mereau_op *op = mereau_auth_token_exchange(f->tenant, auth);
    if (json != NULL)
        mereau_op_set_json(op, json, strlen(json));
    return op;
}

static void the_answer_is_that_of_a_token_endpoint(void **state) {
    struct flow *f = *state;
    char wanted[4096];
    flow_app(f, NULL);
    mereau_op *op = DONE(f, exchange(f, auth_of(f), NULL));
    snprintf(wanted, sizeof wanted,
             "{\"access_token\":\"%s\",\"token_type\":\"Bearer\","
             "\"expires_in\":300,\"refresh_token\":\"%s\","
             "\"refresh_expires_in\":2592000,"
             "\"scope\":\"read write print\",\"session_state\":\"%s\","
             "\"not-before-policy\":0}",
             mereau_op_text(op, MEREAU_ACCESS_TOKEN),
             mereau_op_text(op, MEREAU_REFRESH_TOKEN),
             mereau_op_text(op, MEREAU_FAMILY_ID));
    assert_string_equal(mereau_op_json(op), wanted);
    assert_string_equal(mereau_op_text(op, MEREAU_TOKEN_TYPE), "Bearer");
    assert_string_equal(mereau_op_text(op, MEREAU_SESSION_STATE),
                        mereau_op_text(op, MEREAU_FAMILY_ID));
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_IN), 300);
    assert_int_equal(mereau_op_int(op, MEREAU_ISSUED_AT), T0);
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 0);
    assert_int_equal(mereau_op_int(op, MEREAU_NOT_BEFORE_POLICY), 0);
}

static void the_jwt_says_what_rfc_9068_wants(void **state) {
    struct flow *f = *state;
    mereau_claims *claims = mereau_claims_new();
    mereau_verifier *verifier = mereau_verifier_new(ISSUER, API);
    flow_app(f, NULL);
    mereau_op *op = DONE(f, exchange(f, auth_of(f), NULL));
    const char *jwt = mereau_op_text(op, MEREAU_ACCESS_TOKEN);
    DONE(f, mereau_verifier_load(f->tenant, verifier));
    assert_int_equal(mereau_verifier_ready(verifier, NULL), MEREAU_OK);
    assert_int_equal(
        mereau_jwt_verify(verifier, claims, jwt, strlen(jwt), f->now_at, NULL),
        MEREAU_OK);
    assert_string_equal(mereau_claims_text(claims, "iss"), ISSUER);
    assert_string_equal(mereau_claims_text(claims, "sub"), "d1");
    assert_string_equal(mereau_claims_text(claims, "aud"), API);
    assert_string_equal(mereau_claims_text(claims, "client_id"), "app");
    assert_int_equal(mereau_claims_int(claims, "iat"), T0);
    assert_int_equal(mereau_claims_int(claims, "exp"), T0 + 300);
    assert_non_null(mereau_claims_text(claims, "jti"));
    assert_true(mereau_claims_has_scope(claims, "print"));
    assert_string_equal(mereau_claims_text(claims, "sid"),
                        mereau_op_text(op, MEREAU_FAMILY_ID));
    assert_string_equal(mereau_claims_json(claims, NULL),
                        mereau_op_text(op, MEREAU_CLAIMS));
    f->now_at = T0 + 299;
    assert_int_equal(
        mereau_jwt_verify(verifier, claims, jwt, strlen(jwt), f->now_at, NULL),
        MEREAU_OK);
    f->now_at = T0 + 300;
    assert_int_equal(
        mereau_jwt_verify(verifier, claims, jwt, strlen(jwt), f->now_at, NULL),
        MEREAU_E_EXPIRED);
    mereau_claims_free(claims);
    mereau_verifier_free(verifier);
}

static void the_subject_is_the_registration_tokens(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    struct flow_token t = flow_mint_with(f, 2, DAY, "{\"subject\":\"ann\"}");
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    assert_non_null(
        strstr(mereau_op_text(p.op, MEREAU_CLAIMS), "\"sub\":\"ann\""));
    assert_non_null(
        strstr(mereau_op_text(p.op, MEREAU_CLAIMS), "\"device_id\":\"d1\""));
}

static void an_unproved_repeat_gives_the_same_once(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    const char *auth = auth_of(f);
    mereau_op *a = DONE(f, exchange(f, auth, NULL));
    f->now_at += 9;
    flow_forget_events(f);
    mereau_op *b = DONE(f, exchange(f, auth, NULL));
    flow_same_access(mereau_op_text(a, MEREAU_ACCESS_TOKEN),
                     mereau_op_text(b, MEREAU_ACCESS_TOKEN));
    assert_string_equal(mereau_op_text(a, MEREAU_REFRESH_TOKEN),
                        mereau_op_text(b, MEREAU_REFRESH_TOKEN));
    assert_int_equal(mereau_op_int(b, MEREAU_REPEATED), 1);
    assert_int_equal(mereau_op_int(b, MEREAU_EXPIRES_IN), 291);
    assert_int_equal(f->n_told, 1);
    assert_true(flow_told(f, "\"repeated\":true"));
    REFUSED(f, exchange(f, auth, NULL), MEREAU_E_REUSED, "family.reuse");
    REFUSED(f, exchange(f, auth, NULL), MEREAU_E_REVOKED, "family.ended");
}

static void a_proved_repeat_gives_the_same_each_time(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    const char *auth = auth_of(f);
    mereau_op *a = exchange(f, auth, NULL);
    flow_nonce(a, 3);
    DONE(f, a);
    for (int i = 0; i < 5; i++) {
        f->now_at += 20; /* no grace is needed */
        mereau_op *b = exchange(f, auth, NULL);
        flow_nonce(b, 3);
        DONE(f, b);
        flow_same_access(mereau_op_text(a, MEREAU_ACCESS_TOKEN),
                         mereau_op_text(b, MEREAU_ACCESS_TOKEN));
        assert_string_equal(mereau_op_text(a, MEREAU_REFRESH_TOKEN),
                            mereau_op_text(b, MEREAU_REFRESH_TOKEN));
        assert_int_equal(mereau_op_int(b, MEREAU_REPEATED), 1);
    }
}

static void after_the_successor_was_used_a_repeat_ends_all(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    const char *auth = auth_of(f);
    mereau_op *a = exchange(f, auth, NULL);
    flow_nonce(a, 3);
    struct flow_pair first = flow_pair_of(DONE(f, a));
    struct flow_pair next =
        flow_pair_of(DONE(f, mereau_token_refresh(f->tenant, first.refresh)));
    a = exchange(f, auth, NULL);
    flow_nonce(a, 3);
    REFUSED(f, a, MEREAU_E_REUSED, "family.reuse");
    assert_string_equal(flow_error.found,
                        "one that was used before, 2 steps back");
    REFUSED(f, mereau_token_refresh(f->tenant, next.refresh), MEREAU_E_REVOKED,
            NULL);
    REFUSED(f, mereau_token_verify_live(f->tenant, next.access),
            MEREAU_E_REVOKED, NULL);
}

static void an_auth_token_waits_for_30_days(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    const char *auth = auth_of(f);
    f->now_at = T0 + 30 * DAY;
    REFUSED(f, exchange(f, auth, NULL), MEREAU_E_EXPIRED,
            "auth_token.lifetime");
    f->now_at = T0 + 30 * DAY - 1;
    DONE(f, exchange(f, auth, NULL));
}

static void the_registration_token_may_be_over_by_then(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    struct flow_token t = flow_mint(f, 1, 100);
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 1));
    f->now_at += 101;
    DONE(f, mereau_registration_token_revoke(f->tenant, t.id));
    DONE(f, exchange(f, mereau_op_text(op, MEREAU_AUTH_TOKEN), NULL));
}

static void scope_may_be_narrower_never_wider(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    struct flow_token t =
        flow_mint_with(f, 3, DAY, "{\"scope\":\"print read\"}");
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 1));
    const char *auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    REFUSED(f, exchange(f, auth, "{\"scope\":\"read write\"}"), MEREAU_E_SCOPE,
            "scope.granted");
    REFUSED(f, exchange(f, auth, "{\"scope\":\"read\\tprint\"}"),
            MEREAU_E_SCOPE, "scope.form");
    REFUSED(f, exchange(f, auth, "{\"scope\":\"read read\"}"), MEREAU_E_SCOPE,
            "scope.form");
    REFUSED(f, exchange(f, auth, "{\"scope\":\"read \"}"), MEREAU_E_SCOPE,
            "scope.form");
    REFUSED(f, exchange(f, auth, "{\"scope\":\"READ\"}"), MEREAU_E_SCOPE,
            "scope.granted");
    op = DONE(f, exchange(f, auth, "{\"scope\":\"read\"}"));
    assert_string_equal(mereau_op_text(op, MEREAU_SCOPE), "read");
    assert_non_null(
        strstr(mereau_op_text(op, MEREAU_CLAIMS), "\"scope\":\"read\""));
    /* the grant stays */
    op = DONE(f, mereau_token_refresh(
                     f->tenant, mereau_op_text(op, MEREAU_REFRESH_TOKEN)));
    assert_string_equal(mereau_op_text(op, MEREAU_SCOPE), "print read");
}

static void audience_may_be_narrower_never_wider(void **state) {
    struct flow *f = *state;
    flow_app(f, "{\"audience\":[\"https://a\",\"https://b\",\"https://c\"]}");
    const char *auth = auth_of(f);
    REFUSED(f,
            exchange(f, auth, "{\"audience\":[\"https://a\",\"https://x\"]}"),
            MEREAU_E_AUDIENCE, "audience.granted");
    mereau_op *op =
        DONE(f, exchange(f, auth, "{\"audience\":[\"https://c\"]}"));
    assert_non_null(
        strstr(mereau_op_text(op, MEREAU_CLAIMS), "\"aud\":\"https://c\""));
    op = DONE(f, mereau_token_refresh(
                     f->tenant, mereau_op_text(op, MEREAU_REFRESH_TOKEN)));
    assert_non_null(
        strstr(mereau_op_text(op, MEREAU_CLAIMS),
               "\"aud\":[\"https://a\",\"https://b\",\"https://c\"]"));
}

static void without_audience_it_is_the_issuer(void **state) {
    struct flow *f = *state;
    flow_app_named(f, "app", NULL);
    mereau_op *op = DONE(f, exchange(f, auth_of(f), NULL));
    assert_non_null(
        strstr(mereau_op_text(op, MEREAU_CLAIMS), "\"aud\":\"" ISSUER "\""));
    assert_null(mereau_op_text(op, MEREAU_SCOPE));
    assert_null(strstr(mereau_op_json(op), "scope"));
}

static void the_app_that_is_named_must_be_the_tokens(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    flow_app_named(f, "other", NULL);
    const char *auth = auth_of(f);
    REFUSED(f, exchange(f, auth, "{\"client_id\":\"other\"}"),
            MEREAU_E_WRONG_APP, "token.client_id");
    DONE(f, exchange(f, auth, "{\"client_id\":\"app\"}")); /* unharmed */
}

static void a_confidential_app_proves_itself(void **state) {
    struct flow *f = *state;
    flow_app(f, "{\"confidential\":true}");
    mereau_op *secret = DONE(f, mereau_app_secret_add(f->tenant, "app"));
    const char *text = mereau_op_text(secret, MEREAU_CLIENT_SECRET);
    char json[512];
    const char *auth = auth_of(f);
    REFUSED(f, exchange(f, auth, NULL), MEREAU_E_CLIENT, "client.missing");
    REFUSED(f, exchange(f, auth, "{\"client_secret\":\"wrong\"}"),
            MEREAU_E_CLIENT, "client.secret");
    REFUSED(f, exchange(f, auth, "{\"client_secret\":\"\"}"), MEREAU_E_CLIENT,
            "client.missing");
    snprintf(json, sizeof json, "{\"client_secret\":\"%s\"}", text);
    mereau_op *a = DONE(f, exchange(f, auth, json));
    /* it is the proof of a repeat too */
    f->now_at += 100;
    mereau_op *b = DONE(f, exchange(f, auth, json));
    assert_string_equal(mereau_op_text(a, MEREAU_REFRESH_TOKEN),
                        mereau_op_text(b, MEREAU_REFRESH_TOKEN));
    assert_int_equal(mereau_op_int(b, MEREAU_REPEATED), 1);
}

static void a_wrong_secret_of_a_public_app_is_refused(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    REFUSED(f, exchange(f, auth_of(f), "{\"client_secret\":\"wrong\"}"),
            MEREAU_E_CLIENT, "client.secret");
}

static void a_devices_key_binds_what_it_gets(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *op = DONE(f, flow_redeem_key(f, t.text, "d1", JKT));
    const char *auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    REFUSED(f, exchange(f, auth, NULL), MEREAU_E_DEVICE, "token.device_key");
    REFUSED(f, exchange(f, auth, "{\"device_jkt\":\"" JKT2 "\"}"),
            MEREAU_E_DEVICE, "token.device_key");
    op = DONE(f, exchange(f, auth, "{\"device_jkt\":\"" JKT "\"}"));
    assert_non_null(strstr(mereau_op_text(op, MEREAU_CLAIMS),
                           "\"cnf\":{\"jkt\":\"" JKT "\"}"));
    /* the key is the proof of a repeat */
    f->now_at += 100;
    op = DONE(f, exchange(f, auth, "{\"device_jkt\":\"" JKT "\"}"));
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 1);
}

static void typ_is_the_apps(void **state) {
    struct flow *f = *state;
    flow_app(f, "{\"access_token_typ\":\"JWT\"}");
    mereau_op *op = DONE(f, exchange(f, auth_of(f), NULL));
    const char *jwt = mereau_op_text(op, MEREAU_ACCESS_TOKEN);
    assert_int_equal(flow_verify(f, jwt), MEREAU_E_KIND);
    DONE(f, mereau_token_verify_live(f->tenant, jwt));
}

static void opaque_tokens_are_short_and_live(void **state) {
    struct flow *f = *state;
    flow_app(f, "{\"token_format\":\"opaque\"}");
    const char *auth = auth_of(f);
    mereau_op *op = exchange(f, auth, NULL);
    flow_nonce(op, 3);
    DONE(f, op);
    const char *token = mereau_op_text(op, MEREAU_ACCESS_TOKEN);
    assert_int_equal(strncmp(token, "mereau_acc_", 11), 0);
    assert_true(strlen(token) < 300);
    mereau_op *again = exchange(f, auth, NULL);
    flow_nonce(again, 3);
    DONE(f, again);
    assert_string_equal(mereau_op_text(again, MEREAU_ACCESS_TOKEN), token);
    DONE(f, mereau_token_verify_live(f->tenant, token));
    f->now_at = T0 + 299;
    DONE(f, mereau_token_verify_live(f->tenant, token));
    f->now_at = T0 + 300;
    REFUSED(f, mereau_token_verify_live(f->tenant, token), MEREAU_E_EXPIRED,
            "access_token.expires_at");
}

static void lifetime_0_gives_a_refresh_token_that_has_expired(void **state) {
    struct flow *f = *state;
    flow_app(f, "{\"refresh_lifetime_s\":0}");
    mereau_op *op = DONE(f, exchange(f, auth_of(f), NULL));
    assert_int_equal(mereau_op_int(op, MEREAU_REFRESH_EXPIRES_IN), 0);
    assert_non_null(strstr(mereau_op_json(op), "\"refresh_expires_in\":0"));
    REFUSED(f,
            mereau_token_refresh(f->tenant,
                                 mereau_op_text(op, MEREAU_REFRESH_TOKEN)),
            MEREAU_E_EXPIRED, "refresh_token.lifetime");
    /* which ends nothing */
    DONE(f, mereau_token_verify_live(f->tenant,
                                     mereau_op_text(op, MEREAU_ACCESS_TOKEN)));
}

static void lifetime_0_may_give_no_refresh_token_at_all(void **state) {
    struct flow *f = *state;
    flow_app(f, "{\"refresh_lifetime_s\":0,\"omit_expired_refresh\":true}");
    mereau_op *op = DONE(f, exchange(f, auth_of(f), NULL));
    assert_null(mereau_op_text(op, MEREAU_REFRESH_TOKEN));
    assert_int_equal(mereau_op_int(op, MEREAU_REFRESH_EXPIRES_IN),
                     MEREAU_UNSET);
    assert_null(strstr(mereau_op_json(op), "refresh"));
}

static void with_lifetime_0_a_lost_answer_comes_again(void **state) {
    struct flow *f = *state;
    flow_app(f, "{\"refresh_lifetime_s\":0}");
    const char *auth = auth_of(f);
    mereau_op *a = exchange(f, auth, NULL);
    flow_nonce(a, 3);
    DONE(f, a);
    f->now_at += 299;
    mereau_op *b = exchange(f, auth, NULL);
    flow_nonce(b, 3);
    DONE(f, b);
    flow_same_access(mereau_op_text(a, MEREAU_ACCESS_TOKEN),
                     mereau_op_text(b, MEREAU_ACCESS_TOKEN));
    assert_int_equal(mereau_op_int(b, MEREAU_REFRESH_EXPIRES_IN), 0);
    f->now_at++;
    b = exchange(f, auth, NULL);
    flow_nonce(b, 3);
    REFUSED(f, b, MEREAU_E_EXPIRED, "refresh_token.lifetime");
}

static void without_the_grant_there_is_no_refresh_token(void **state) {
    struct flow *f = *state;
    flow_app(f, "{\"grant_type\":[\"registration_token\"]}");
    mereau_op *op = DONE(f, exchange(f, auth_of(f), NULL));
    assert_null(mereau_op_text(op, MEREAU_REFRESH_TOKEN));
    assert_null(strstr(mereau_op_json(op), "refresh_token"));
    assert_non_null(mereau_op_text(op, MEREAU_ACCESS_TOKEN));
}

static void lifetimes_are_the_apps_else_the_tenants(void **state) {
    struct flow *f = *state;
    mereau_op *op = mereau_tenant_update(f->tenant);
    mereau_op_set_int(op, MEREAU_ACCESS_LIFETIME_S, 111);
    mereau_op_set_int(op, MEREAU_REFRESH_LIFETIME_S, 222);
    DONE(f, op);
    flow_app(f, "{\"access_lifetime_s\":77}");
    op = DONE(f, exchange(f, auth_of(f), NULL));
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_IN), 77);
    assert_int_equal(mereau_op_int(op, MEREAU_REFRESH_EXPIRES_IN), 222);
}

static void the_absolute_end_bounds_the_others(void **state) {
    struct flow *f = *state;
    flow_app(f, "{\"family_lifetime_s\":100,\"refresh_idle_s\":60}");
    mereau_op *op = DONE(f, exchange(f, auth_of(f), NULL));
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_IN), 100);
    assert_int_equal(mereau_op_int(op, MEREAU_REFRESH_EXPIRES_IN), 60);
}

static void a_revoked_auth_token_is_refused(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    struct flow_token t = flow_mint(f, 2, DAY);
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 1));
    DONE(f, mereau_auth_token_revoke(f->tenant,
                                     mereau_op_text(op, MEREAU_AUTH_TOKEN_ID)));
    REFUSED(f, exchange(f, mereau_op_text(op, MEREAU_AUTH_TOKEN), NULL),
            MEREAU_E_REVOKED, "family.ended");
}

static void other_kinds_and_tenants_are_refused(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    struct flow_token t = flow_mint(f, 2, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    struct flow other;
    struct flow_setup setup_other = {.seed = 2, .tenant = "other"};
    REFUSED(f, exchange(f, p.refresh, NULL), MEREAU_E_KIND, "credential.kind");
    REFUSED(f, exchange(f, t.text, NULL), MEREAU_E_KIND, "credential.kind");
    REFUSED(f, exchange(f, p.access, NULL), MEREAU_E_MALFORMED, NULL);
    REFUSED(f, exchange(f, "", NULL), MEREAU_E_MALFORMED, NULL);
    REFUSED(f, exchange(f, NULL, NULL), MEREAU_E_FIELD, "op.field");
    setup_other.share = &f->front;
    flow_open(&other, &setup_other);
    flow_count_from_here(f);
    REFUSED(&other, exchange(&other, p.auth, NULL), MEREAU_E_UNKNOWN,
            "credential.tenant");
    assert_int_equal(f->gets, 0);
    flow_close(&other);
}

static void a_dry_run_says_what_the_real_one_will(void **state) {
    struct flow *f = *state;
    struct flow_records before, after;
    char claims[1024];
    flow_app(f, NULL);
    mereau_op *op = exchange(f, auth_of(f), NULL);
    flow_records_take(f, &before);
    flow_forget_events(f);
    assert_int_equal(mereau_op_dry_run(op, NULL), MEREAU_OK);
    assert_null(mereau_op_text(op, MEREAU_ACCESS_TOKEN));
    assert_null(mereau_op_text(op, MEREAU_REFRESH_TOKEN));
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_IN), 300);
    snprintf(claims, sizeof claims, "%s", mereau_op_text(op, MEREAU_CLAIMS));
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after));
    assert_int_equal(f->n_told, 0);
    DONE(f, op);
    assert_string_equal(mereau_op_text(op, MEREAU_CLAIMS), claims);
    flow_records_free(&before);
    flow_records_free(&after);
}

static void events_tell_of_it_without_credentials(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    const char *auth = auth_of(f);
    flow_forget_events(f);
    mereau_op *op = DONE(f, exchange(f, auth, NULL));
    assert_int_equal(f->n_told, 1);
    assert_true(flow_told(f, "\"event\":\"auth_token.exchange\""));
    assert_true(flow_told(f, "\"device_id\":\"d1\""));
    assert_true(flow_told(f, "\"client_id\":\"app\""));
    assert_true(flow_told(f, mereau_op_text(op, MEREAU_FAMILY_ID)));
    assert_false(flow_told(f, "mereau_aut_"));
    assert_false(flow_told(f, "mereau_ref_"));
    assert_false(flow_told(f, "eyJ"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_answer_is_that_of_a_token_endpoint),
        TEST(the_jwt_says_what_rfc_9068_wants),
        TEST(the_subject_is_the_registration_tokens),
        TEST(an_unproved_repeat_gives_the_same_once),
        TEST(a_proved_repeat_gives_the_same_each_time),
        TEST(after_the_successor_was_used_a_repeat_ends_all),
        TEST(an_auth_token_waits_for_30_days),
        TEST(the_registration_token_may_be_over_by_then),
        TEST(scope_may_be_narrower_never_wider),
        TEST(audience_may_be_narrower_never_wider),
        TEST(without_audience_it_is_the_issuer),
        TEST(the_app_that_is_named_must_be_the_tokens),
        TEST(a_confidential_app_proves_itself),
        TEST(a_wrong_secret_of_a_public_app_is_refused),
        TEST(a_devices_key_binds_what_it_gets),
        TEST(typ_is_the_apps),
        TEST(opaque_tokens_are_short_and_live),
        TEST(lifetime_0_gives_a_refresh_token_that_has_expired),
        TEST(lifetime_0_may_give_no_refresh_token_at_all),
        TEST(with_lifetime_0_a_lost_answer_comes_again),
        TEST(without_the_grant_there_is_no_refresh_token),
        TEST(lifetimes_are_the_apps_else_the_tenants),
        TEST(the_absolute_end_bounds_the_others),
        TEST(a_revoked_auth_token_is_refused),
        TEST(other_kinds_and_tenants_are_refused),
        TEST(a_dry_run_says_what_the_real_one_will),
        TEST(events_tell_of_it_without_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
