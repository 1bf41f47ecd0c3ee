/* tests/flow/test_credentials.c - what apps prove themselves with: secrets, public
 * keys, and client authentication. */
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "flow.h"
#include "key_texts.h"

/* RFC 7517 appendix A.1, with and without what it leaves out. */
#define EC_XY                                                                  \
    "\"kty\":\"EC\",\"crv\":\"P-256\","                                        \
    "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","                   \
    "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\""
static const char ec_jwk[] = "{" EC_XY ",\"kid\":\"one\",\"use\":\"sig\"}";
static const char ec_private[] =
    "{" EC_XY ",\"d\":\"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE\"}";

static int set_up(void **state) {
    struct flow *flow = malloc(sizeof *flow);
    if (flow == NULL)
        return -1;
    flow_start(flow);
    flow_app(flow, "{\"confidential\":true}");
    flow_count_from_here(flow);
    flow_forget_events(flow);
    *state = flow;
    return 0;
}

static int tear_down(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

static mereau_op *secret_add(struct flow *flow, int64_t starts_at,
                             int64_t expires_at) {
    mereau_op *op = mereau_app_secret_add(flow->tenant, "app");
    mereau_op_set_int(op, MEREAU_STARTS_AT, starts_at);
    mereau_op_set_int(op, MEREAU_EXPIRES_AT, expires_at);
    return op;
}

static const char *secret(struct flow *flow) {
    return mereau_op_text(
        DONE(flow, secret_add(flow, MEREAU_UNSET, MEREAU_UNSET)),
        MEREAU_CLIENT_SECRET);
}

static mereau_op *authenticate(struct flow *flow, const char *text) {
    return mereau_app_authenticate(flow->tenant, "app", text);
}

/* The row of a credential in the list; fails without. */
static mereau_op *row_of(struct flow *flow, int32_t field, const char *id) {
    mereau_op *op = DONE(flow, mereau_app_credential_list(flow->tenant, "app"));
    while (mereau_op_next_row(op)) {
        const char *found = mereau_op_text(op, field);
        if (found != NULL && strcmp(found, id) == 0)
            return op;
    }
    fail_msg("no row of %s", id);
    return NULL;
}

static int rows(struct flow *flow) {
    mereau_op *op = DONE(flow, mereau_app_credential_list(flow->tenant, "app"));
    int n = 0;
    while (mereau_op_next_row(op))
        n++;
    return n;
}

/* --- secrets --- */

static void a_secret_is_given_once_and_kept_as_a_digest(void **state) {
    struct flow *flow = *state;
    struct flow_records records = {0};
    mereau_op *op = DONE(flow, secret_add(flow, MEREAU_UNSET, MEREAU_UNSET));
    const char *text = mereau_op_text(op, MEREAU_CLIENT_SECRET);
    const char *hint = mereau_op_text(op, MEREAU_HINT);
    assert_int_equal(flow->gets, 1);
    assert_int_equal(flow->commits, 1);
    assert_int_equal(strncmp(text, "mereau_sec_", 11), 0);
    assert_int_equal(strncmp(text, hint, strlen(hint)), 0);
    assert_true(strlen(hint) < strlen(text) / 2);
    flow_records_take(flow, &records);
    for (size_t i = 0; i < records.n; i++)
        for (size_t at = 0; at + 20 < records.all[i].value_len; at++)
            assert_int_not_equal(
                memcmp(records.all[i].value + at, text + strlen(text) - 20, 20),
                0);
    flow_records_free(&records);
    assert_false(flow_told(flow, text));
    op = row_of(flow, MEREAU_SECRET_ID, mereau_op_text(op, MEREAU_SECRET_ID));
    assert_null(mereau_op_text(op, MEREAU_CLIENT_SECRET));
    assert_null(strstr(mereau_op_json(op), text));
}

static void hints_tell_secrets_apart(void **state) {
    struct flow *flow = *state;
    mereau_op *a = DONE(flow, secret_add(flow, MEREAU_UNSET, MEREAU_UNSET));
    mereau_op *b = DONE(flow, secret_add(flow, MEREAU_UNSET, MEREAU_UNSET));
    assert_string_not_equal(mereau_op_text(a, MEREAU_HINT),
                            mereau_op_text(b, MEREAU_HINT));
}

static void several_secrets_work_at_once(void **state) {
    struct flow *flow = *state;
    const char *a = secret(flow), *b = secret(flow);
    mereau_op *one = DONE(flow, authenticate(flow, a));
    mereau_op *two = DONE(flow, authenticate(flow, b));
    assert_string_not_equal(mereau_op_text(one, MEREAU_SECRET_ID),
                            mereau_op_text(two, MEREAU_SECRET_ID));
    assert_true(flow_told(flow, "\"event\":\"app.authenticate\""));
    assert_true(flow_told(flow, mereau_op_text(two, MEREAU_SECRET_ID)));
    assert_false(flow_told(flow, a));
}

static void every_refusal_is_one_status_with_its_own_rule(void **state) {
    struct flow *flow = *state;
    const char *text = secret(flow);
    char *wrong = malloc(strlen(text) + 2);
    mereau_op *later = DONE(flow, secret_add(flow, T0 + 10, T0 + 20));
    const char *windowed = mereau_op_text(later, MEREAU_CLIENT_SECRET);
    strcpy(wrong, text);
    REFUSED(flow, authenticate(flow, NULL), MEREAU_E_CLIENT, "client.missing");
    REFUSED(flow, authenticate(flow, ""), MEREAU_E_CLIENT, "client.missing");
    REFUSED(flow, authenticate(flow, "guess"), MEREAU_E_CLIENT,
            "client.secret");
    wrong[strlen(text) - 1] ^= 1;
    REFUSED(flow, authenticate(flow, wrong), MEREAU_E_CLIENT, "client.secret");
    strcpy(wrong, text);
    wrong[strlen(text) - 1] = '\0';
    REFUSED(flow, authenticate(flow, wrong), MEREAU_E_CLIENT, "client.secret");
    sprintf(wrong, "%sx", text);
    REFUSED(flow, authenticate(flow, wrong), MEREAU_E_CLIENT, "client.secret");
    REFUSED(flow, mereau_app_authenticate(flow->tenant, "nobody", text),
            MEREAU_E_CLIENT, "client.unknown");
    flow_app_named(flow, "other", NULL);
    REFUSED(flow, mereau_app_authenticate(flow->tenant, "other", text),
            MEREAU_E_CLIENT, "client.secret");
    flow->now_at = T0 + 9;
    REFUSED(flow, authenticate(flow, windowed), MEREAU_E_CLIENT,
            "client.secret_not_yet");
    flow->now_at = T0 + 10;
    DONE(flow, authenticate(flow, windowed));
    flow->now_at = T0 + 19;
    DONE(flow, authenticate(flow, windowed));
    flow->now_at = T0 + 20;
    REFUSED(flow, authenticate(flow, windowed), MEREAU_E_CLIENT,
            "client.secret_expired");
    assert_true(flow_told(flow, "\"rule\":\"client.secret_expired\""));
    assert_false(flow_told(flow, "guess"));
    free(wrong);
}

static void a_removed_secret_is_refused_at_once(void **state) {
    struct flow *flow = *state;
    mereau_op *a = DONE(flow, secret_add(flow, MEREAU_UNSET, MEREAU_UNSET));
    const char *b = secret(flow);
    const char *id = mereau_op_text(a, MEREAU_SECRET_ID);
    DONE(flow, mereau_app_secret_remove(flow->tenant, "app", id));
    REFUSED(flow, authenticate(flow, mereau_op_text(a, MEREAU_CLIENT_SECRET)),
            MEREAU_E_CLIENT, "client.secret");
    DONE(flow, authenticate(flow, b));
    REFUSED(flow, mereau_app_secret_remove(flow->tenant, "app", id),
            MEREAU_E_UNKNOWN, "credential.unknown");
    REFUSED(flow, mereau_app_secret_remove(flow->tenant, "nobody", id),
            MEREAU_E_UNKNOWN, "app.unknown");
    assert_int_equal(rows(flow), 1);
}

static void a_disabled_or_deleted_app_is_nobody(void **state) {
    struct flow *flow = *state;
    const char *text = secret(flow);
    mereau_op *op = mereau_app_update(flow->tenant, "app");
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    DONE(flow, op);
    REFUSED(flow, authenticate(flow, text), MEREAU_E_CLIENT, "client.disabled");
    REFUSED(flow, authenticate(flow, "guess"), MEREAU_E_CLIENT,
            "client.secret");
    DONE(flow, mereau_app_delete(flow->tenant, "app"));
    REFUSED(flow, authenticate(flow, text), MEREAU_E_CLIENT, "client.unknown");
}

static void a_secret_of_another_tenant_is_none(void **state) {
    struct flow *flow = *state;
    const struct flow_setup setup = {
        .seed = 2, .share = &flow->front, .tenant = "other"};
    struct flow *other = malloc(sizeof *other);
    const char *text = secret(flow);
    assert_non_null(other);
    flow_open(other, &setup);
    flow_app(other, NULL);
    REFUSED(other, authenticate(other, text), MEREAU_E_CLIENT, "client.secret");
    flow_close(other);
    free(other);
}

static void an_app_has_at_most_16_secrets(void **state) {
    struct flow *flow = *state;
    const char *last = NULL;
    for (int i = 0; i < 16; i++)
        last = secret(flow);
    REFUSED(flow, mereau_app_secret_add(flow->tenant, "app"), MEREAU_E_POLICY,
            "app.credentials");
    DONE(flow, authenticate(flow, last));
    assert_int_equal(rows(flow), 16);
}

static void a_secret_that_could_never_work_is_refused(void **state) {
    struct flow *flow = *state;
    REFUSED(flow, secret_add(flow, MEREAU_UNSET, T0), MEREAU_E_POLICY,
            "credential.expires_at");
    REFUSED(flow, secret_add(flow, T0 + 10, T0 + 10), MEREAU_E_POLICY,
            "credential.expires_at");
    REFUSED(flow, secret_add(flow, MEREAU_UNSET, MEREAU_NOW), MEREAU_E_POLICY,
            "credential.expires_at");
    mereau_op *op = DONE(flow, secret_add(flow, MEREAU_NOW, T0 + 1));
    assert_int_equal(mereau_op_int(op, MEREAU_STARTS_AT), T0);
    REFUSED(flow, mereau_app_secret_add(flow->tenant, "nobody"),
            MEREAU_E_UNKNOWN, "app.unknown");
}

static void a_list_says_which_ones_work(void **state) {
    struct flow *flow = *state;
    mereau_op *op = mereau_app_secret_add(flow->tenant, "app");
    const char *id;
    mereau_op_set_text(op, MEREAU_LABEL, "for the night shift");
    mereau_op_set_int(op, MEREAU_STARTS_AT, T0 + 10);
    mereau_op_set_int(op, MEREAU_EXPIRES_AT, T0 + 20);
    id = mereau_op_text(DONE(flow, op), MEREAU_SECRET_ID);
    op = row_of(flow, MEREAU_SECRET_ID, id);
    assert_string_equal(mereau_op_text(op, MEREAU_STATE), "not_yet");
    assert_string_equal(mereau_op_text(op, MEREAU_LABEL),
                        "for the night shift");
    assert_int_equal(mereau_op_int(op, MEREAU_STARTS_AT), T0 + 10);
    assert_int_equal(mereau_op_int(op, MEREAU_EXPIRES_AT), T0 + 20);
    assert_int_equal(mereau_op_int(op, MEREAU_CREATED_AT), T0);
    assert_int_equal(mereau_op_int(op, MEREAU_LAST_USED_AT), MEREAU_UNSET);
    flow->now_at = T0 + 10;
    op = row_of(flow, MEREAU_SECRET_ID, id);
    assert_string_equal(mereau_op_text(op, MEREAU_STATE), "active");
    flow->now_at = T0 + 20;
    op = row_of(flow, MEREAU_SECRET_ID, id);
    assert_string_equal(mereau_op_text(op, MEREAU_STATE), "expired");
}

static void secrets_do_not_count_as_a_change_of_settings(void **state) {
    struct flow *flow = *state;
    mereau_op *op = mereau_app_update(flow->tenant, "app");
    int64_t seen_at = mereau_op_int(
        DONE(flow, mereau_app_get(flow->tenant, "app")), MEREAU_CHANGED_AT);
    flow->now_at += 5;
    secret(flow);
    mereau_op_set_int(op, MEREAU_CHANGED_AT, seen_at);
    mereau_op_set_text(op, MEREAU_LABEL, "x");
    DONE(flow, op);
}

static void a_lost_reply_does_not_add_two_secrets(void **state) {
    struct flow *flow = *state;
    for (int applied = 0; applied < 2; applied++) {
        flow->fail_in = 2;
        flow->fail_result = MEREAU_STORE_UNKNOWN;
        flow->fail_applied = applied;
        flow->failed = 0;
        const char *text = secret(flow);
        assert_int_equal(flow->failed, 1);
        DONE(flow, authenticate(flow, text));
        assert_int_equal(rows(flow), applied + 1);
    }
}

/* --- last use --- */

static int64_t last_use(struct flow *flow, const char *id) {
    return mereau_op_int(row_of(flow, MEREAU_SECRET_ID, id),
                         MEREAU_LAST_USED_AT);
}

static void a_last_use_is_noted_once_an_hour(void **state) {
    struct flow *flow = *state;
    mereau_op *op = DONE(flow, secret_add(flow, MEREAU_UNSET, MEREAU_UNSET));
    const char *text = mereau_op_text(op, MEREAU_CLIENT_SECRET);
    const char *id = mereau_op_text(op, MEREAU_SECRET_ID);
    DONE(flow, authenticate(flow, text));
    assert_int_equal(last_use(flow, id), T0);
    flow_count_from_here(flow);
    for (int i = 0; i < 10; i++)
        DONE(flow, authenticate(flow, text));
    assert_int_equal(flow->gets, 10);
    assert_int_equal(flow->commits, 0);
    flow->now_at = T0 + 3599;
    DONE(flow, authenticate(flow, text));
    assert_int_equal(last_use(flow, id), T0);
    flow->now_at = T0 + 3600;
    DONE(flow, authenticate(flow, text));
    assert_int_equal(last_use(flow, id), T0 + 3600);
    assert_int_equal(flow->commits, 1);
    assert_int_equal(
        mereau_op_int(DONE(flow, mereau_app_get(flow->tenant, "app")),
                      MEREAU_LAST_USED_AT),
        T0 + 3600);
    op = DONE(flow, mereau_app_list(flow->tenant));
    assert_int_equal(mereau_op_next_row(op), 1);
    assert_int_equal(mereau_op_int(op, MEREAU_LAST_USED_AT), T0 + 3600);
}

static size_t size_of_notes(struct flow *flow) {
    struct flow_records records = {0};
    size_t size = 0;
    flow_records_take(flow, &records);
    for (size_t i = 0; i < records.n; i++)
        if (records.all[i].key[0] == 'u')
            size += records.all[i].value_len;
    flow_records_free(&records);
    return size;
}

static void notes_do_not_grow_with_use(void **state) {
    struct flow *flow = *state;
    const char *text = secret(flow);
    size_t size = 0;
    for (int i = 0; i < 30; i++) {
        flow->now_at += 3600;
        DONE(flow, authenticate(flow, text));
        if (i == 10)
            size = size_of_notes(flow);
    }
    assert_true(size > 0);
    assert_int_equal(size_of_notes(flow), size);
}

static void each_secret_has_a_last_use_of_its_own(void **state) {
    struct flow *flow = *state;
    mereau_op *a = DONE(flow, secret_add(flow, MEREAU_UNSET, MEREAU_UNSET));
    mereau_op *b = DONE(flow, secret_add(flow, MEREAU_UNSET, MEREAU_UNSET));
    DONE(flow, authenticate(flow, mereau_op_text(a, MEREAU_CLIENT_SECRET)));
    flow->now_at += 100;
    DONE(flow, authenticate(flow, mereau_op_text(b, MEREAU_CLIENT_SECRET)));
    assert_int_equal(last_use(flow, mereau_op_text(a, MEREAU_SECRET_ID)), T0);
    assert_int_equal(last_use(flow, mereau_op_text(b, MEREAU_SECRET_ID)),
                     T0 + 100);
}

static void a_note_that_fails_does_not_refuse(void **state) {
    struct flow *flow = *state;
    mereau_op *op = DONE(flow, secret_add(flow, MEREAU_UNSET, MEREAU_UNSET));
    const char *text = mereau_op_text(op, MEREAU_CLIENT_SECRET);
    DONE(flow, authenticate(flow, text));
    flow->now_at += 3600;
    flow->fail_in = 2; /* behind the get that decides */
    flow->fail_for = 100;
    flow->fail_result = MEREAU_STORE_IO;
    flow->failed = 0;
    op = DONE(flow, authenticate(flow, text));
    assert_true(flow->failed > 0);
    assert_non_null(mereau_op_text(op, MEREAU_SECRET_ID));
    flow->fail_in = 0;
    flow->fail_for = 0;
}

static void
a_confidential_app_proves_itself_at_every_token_request(void **state) {
    struct flow *flow = *state;
    const char *text = secret(flow), *refresh;
    const char *token = flow_mint(flow, 1, DAY).text;
    mereau_op *op = DONE(flow, flow_redeem(flow, token, "d1", 1));
    const char *auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    REFUSED(flow, mereau_auth_token_exchange(flow->tenant, auth),
            MEREAU_E_CLIENT, "client.missing");
    op = mereau_auth_token_exchange(flow->tenant, auth);
    mereau_op_set_text(op, MEREAU_CLIENT_SECRET, "guess");
    REFUSED(flow, op, MEREAU_E_CLIENT, "client.secret");
    op = mereau_auth_token_exchange(flow->tenant, auth);
    mereau_op_set_text(op, MEREAU_CLIENT_SECRET, text);
    refresh = mereau_op_text(DONE(flow, op), MEREAU_REFRESH_TOKEN);
    REFUSED(flow, mereau_token_refresh(flow->tenant, refresh), MEREAU_E_CLIENT,
            "client.missing");
    op = mereau_token_refresh(flow->tenant, refresh);
    mereau_op_set_text(op, MEREAU_CLIENT_SECRET, text);
    DONE(flow, op);
}

/* --- keys --- */

static mereau_op *key_add(struct flow *flow, int32_t field, const char *text) {
    mereau_op *op = mereau_app_key_add(flow->tenant, "app");
    mereau_op_set_text(op, field, text);
    return op;
}

static void a_public_key_is_added_listed_and_removed(void **state) {
    struct flow *flow = *state;
    mereau_op *op = DONE(flow, key_add(flow, MEREAU_JWK, ec_jwk));
    assert_string_equal(mereau_op_text(op, MEREAU_KID), "one");
    assert_string_equal(mereau_op_text(op, MEREAU_ALG), "ES256");
    op = row_of(flow, MEREAU_KID, "one");
    assert_string_equal(mereau_op_text(op, MEREAU_STATE), "active");
    assert_string_equal(mereau_op_text(op, MEREAU_ALG), "ES256");
    REFUSED(flow, key_add(flow, MEREAU_JWK, ec_jwk), MEREAU_E_EXISTS,
            "key.kid");
    DONE(flow, mereau_app_key_remove(flow->tenant, "app", "one"));
    assert_int_equal(rows(flow), 0);
    REFUSED(flow, mereau_app_key_remove(flow->tenant, "app", "one"),
            MEREAU_E_UNKNOWN, "credential.unknown");
    assert_true(flow_told(flow, "\"kid\":\"one\""));
}

static void pem_keys_and_certificates_are_taken(void **state) {
    struct flow *flow = *state;
    mereau_op *op = DONE(flow, key_add(flow, MEREAU_PEM, ec_certificate));
    assert_string_equal(mereau_op_text(op, MEREAU_ALG), "ES256");
    op = DONE(flow, key_add(flow, MEREAU_PEM, rsa_spki));
    assert_string_equal(mereau_op_text(op, MEREAU_ALG), "RS256");
    assert_int_equal(strlen(mereau_op_text(op, MEREAU_KID)), 43);
    op = DONE(flow, key_add(flow, MEREAU_PEM, p384_spki));
    assert_string_equal(mereau_op_text(op, MEREAU_ALG), "ES384");
    assert_int_equal(rows(flow), 3);
}

static void an_algorithm_may_be_asked_for(void **state) {
    struct flow *flow = *state;
    mereau_op *op = key_add(flow, MEREAU_PEM, rsa_spki);
    mereau_op_set_text(op, MEREAU_ALG, "PS256");
    assert_string_equal(mereau_op_text(DONE(flow, op), MEREAU_ALG), "PS256");
    op = key_add(flow, MEREAU_JWK, ec_jwk);
    mereau_op_set_text(op, MEREAU_ALG, "RS256");
    REFUSED(flow, op, MEREAU_E_KEY, NULL);
    op = key_add(flow, MEREAU_JWK, ec_jwk);
    mereau_op_set_text(op, MEREAU_ALG, "HS256");
    REFUSED(flow, op, MEREAU_E_ALG, "key.alg");
}

static void private_keys_and_secrets_are_refused(void **state) {
    static const char *const pems[] = {rsa_pkcs8, rsa_pkcs1, ec_sec1, ec_pkcs8};
    struct flow *flow = *state;
    REFUSED(flow, key_add(flow, MEREAU_JWK, ec_private), MEREAU_E_KEY,
            "jwk.private");
    for (size_t i = 0; i < sizeof pems / sizeof pems[0]; i++)
        REFUSED(flow, key_add(flow, MEREAU_PEM, pems[i]), MEREAU_E_KEY,
                "key.private");
    REFUSED(flow,
            key_add(flow, MEREAU_JWK,
                    "{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":"
                    "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}"),
            MEREAU_E_KEY, NULL);
    REFUSED(flow, key_add(flow, MEREAU_PEM, "no key"), MEREAU_E_MALFORMED,
            NULL);
    REFUSED(flow, key_add(flow, MEREAU_JWK, "[]"), MEREAU_E_MALFORMED, NULL);
    REFUSED(flow, key_add(flow, MEREAU_JWK, NULL), MEREAU_E_FIELD, "op.field");
    mereau_op *both = key_add(flow, MEREAU_JWK, ec_jwk);
    mereau_op_set_text(both, MEREAU_PEM, ec_spki);
    REFUSED(flow, both, MEREAU_E_FIELD, "op.field");
    assert_int_equal(rows(flow), 0);
}

static void an_app_has_at_most_16_keys(void **state) {
    struct flow *flow = *state;
    char jwk[400];
    for (int i = 0; i < 17; i++) {
        snprintf(jwk, sizeof jwk, "{" EC_XY ",\"kid\":\"k%d\"}", i);
        mereau_op *op = key_add(flow, MEREAU_JWK, jwk);
        if (i < 16)
            DONE(flow, op);
        else
            REFUSED(flow, op, MEREAU_E_POLICY, "app.credentials");
    }
}

/* --- faults --- */

static mereau_op *make(struct flow *flow, int which, const char *text) {
    switch (which) {
    case 0:
        return authenticate(flow, text);
    case 1:
        return mereau_app_credential_list(flow->tenant, "app");
    case 2:
        return key_add(flow, MEREAU_JWK, ec_jwk);
    case 3:
        return secret_add(flow, MEREAU_NOW, MEREAU_UNSET);
    default:
        return mereau_app_key_remove(flow->tenant, "app", "one");
    }
}

static void a_failing_allocation_is_said(void **state) {
    struct flow *flow = *state;
    const char *text = secret(flow);
    if (!test_alloc_available())
        skip();
    for (int which = 0; which < 5; which++)
        for (unsigned long n = 1, over = 0; !over; n++) {
            mereau_status status;
            flow->now_at += 3600; /* a last use is due */
            test_alloc_fail_at(n);
            mereau_op *op = make(flow, which, text);
            status = mereau_op_run(op, NULL);
            over = (unsigned long)test_alloc_pending();
            test_alloc_fail_at(0);
            mereau_op_free(op);
            if (status != MEREAU_OK && status != MEREAU_E_NOMEM &&
                status != MEREAU_E_STORE && status != MEREAU_E_CRYPTO)
                fail_msg("op %d, allocation %lu: %s", which, n,
                         mereau_status_name(status));
            if (status == MEREAU_OK && which > 1)
                over = 1; /* it cannot be done twice */
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_secret_is_given_once_and_kept_as_a_digest),
        TEST(hints_tell_secrets_apart),
        TEST(several_secrets_work_at_once),
        TEST(every_refusal_is_one_status_with_its_own_rule),
        TEST(a_removed_secret_is_refused_at_once),
        TEST(a_disabled_or_deleted_app_is_nobody),
        TEST(a_secret_of_another_tenant_is_none),
        TEST(an_app_has_at_most_16_secrets),
        TEST(a_secret_that_could_never_work_is_refused),
        TEST(a_list_says_which_ones_work),
        TEST(secrets_do_not_count_as_a_change_of_settings),
        TEST(a_lost_reply_does_not_add_two_secrets),
        TEST(a_last_use_is_noted_once_an_hour),
        TEST(notes_do_not_grow_with_use),
        TEST(each_secret_has_a_last_use_of_its_own),
        TEST(a_note_that_fails_does_not_refuse),
        TEST(a_confidential_app_proves_itself_at_every_token_request),
        TEST(a_public_key_is_added_listed_and_removed),
        TEST(pem_keys_and_certificates_are_taken),
        TEST(an_algorithm_may_be_asked_for),
        TEST(private_keys_and_secrets_are_refused),
        TEST(an_app_has_at_most_16_keys),
        TEST(a_failing_allocation_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
