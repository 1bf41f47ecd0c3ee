/* tests/flow/test_review.c - what a hostile reader tried: records filled up to
 * their limit so that nothing can end them any more, another app's key, purges
 * that do not fit, dry runs that tell. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#include "jose/jws.h"
#include "jose/key.h"
#include "json/json.h"

#define YEAR (366 * DAY)

/* The nth call of the store from now answers so. */
static void fail_at(struct flow *f, uint64_t nth, int32_t result, int applied) {
    f->fail_in = nth;
    f->fail_result = result;
    f->fail_applied = applied;
    f->failed = 0;
}

/* --- a record is never so full that it cannot be ended --- */

/* An op with references of so many bytes in all. */
static void refer(mereau_op *op, size_t bytes) {
    char text[1025];
    while (bytes > 0) {
        size_t len = bytes < 1024 ? bytes : 1024;
        memset(text, 'x', len);
        text[len] = '\0';
        mereau_op_add_text(op, MEREAU_REFERENCE, text);
        bytes -= len;
    }
}

static mereau_op *fat_redeem(struct flow *f, const char *token, size_t bytes) {
    char device_id[32];
    snprintf(device_id, sizeof device_id, "device %zu", bytes);
    mereau_op *op = flow_redeem(f, token, device_id, 1);
    refer(op, bytes);
    return op;
}

/* The most that is taken, found by halving. */
static size_t most(struct flow *f,
                   mereau_op *(*make)(struct flow *, const char *, size_t),
                   const char *of) {
    size_t low = 1, high = 70000;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        mereau_op *op = make(f, of, middle);
        mereau_status status = mereau_op_run(op, NULL);
        if (status == MEREAU_OK)
            low = middle;
        else {
            assert_int_equal(status, MEREAU_E_TOO_LONG);
            high = middle;
        }
        mereau_op_free(op);
    }
    return low;
}

static void set_reason(mereau_op *op) {
    char reason[1025];
    memset(reason, 'r', sizeof reason - 1);
    reason[1024] = '\0';
    mereau_op_set_text(op, MEREAU_REASON, reason);
}

static void a_device_cannot_say_so_much_that_it_cannot_be_revoked(void **s) {
    struct flow *f = *s;
    flow_app(f, NULL);
    struct flow_token t = flow_mint(f, 1000, DAY);
    size_t bytes = most(f, fat_redeem, t.text);
    mereau_op *redeem = DONE(f, fat_redeem(f, t.text, bytes));
    mereau_op *op = mereau_auth_token_exchange(
        f->tenant, mereau_op_text(redeem, MEREAU_AUTH_TOKEN));
    flow_nonce(op, 1);
    DONE(f, op);
    for (int i = 0; i < 10; i++) {
        op = mereau_token_refresh(f->tenant,
                                  mereau_op_text(op, MEREAU_REFRESH_TOKEN));
        flow_nonce(op, 1);
        DONE(f, op);
    }
    op = mereau_family_revoke(f->tenant, mereau_op_text(op, MEREAU_FAMILY_ID));
    set_reason(op);
    DONE(f, op);
}

static mereau_op *fat_mint(struct flow *f, const char *unused, size_t bytes) {
    (void)unused;
    mereau_op *op = mereau_registration_token_mint(f->tenant, "app", 1, DAY);
    refer(op, bytes);
    return op;
}

static mereau_op *fat_registration_update(struct flow *f, const char *id,
                                          size_t bytes) {
    mereau_op *op = mereau_registration_token_update(f->tenant, id);
    refer(op, bytes);
    return op;
}

static void no_registration_token_is_too_long_to_be_revoked(void **s) {
    struct flow *f = *s;
    flow_app(f, NULL);
    mereau_op *mint = DONE(f, fat_mint(f, NULL, most(f, fat_mint, NULL)));
    const char *id = mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN_ID);
    DONE(f,
         fat_registration_update(f, id, most(f, fat_registration_update, id)));
    mereau_op *op = mereau_registration_token_revoke(f->tenant, id);
    mereau_op_set_int(op, MEREAU_CASCADE, 1);
    set_reason(op);
    DONE(f, op);
}

static mereau_op *fat_app(struct flow *f, const char *id, size_t bytes) {
    mereau_op *op = mereau_app_update(f->tenant, id);
    refer(op, bytes);
    return op;
}

static void no_app_is_too_long_to_be_ended(void **s) {
    struct flow *f = *s;
    flow_app(f, NULL);
    DONE(f, fat_app(f, "app", most(f, fat_app, "app")));
    for (int i = 0; i < 16; i++) { /* as many as there is room for */
        mereau_op *op = mereau_app_secret_add(f->tenant, "app");
        mereau_status status = mereau_op_run(op, NULL);
        assert_true(status == MEREAU_OK || status == MEREAU_E_TOO_LONG);
        mereau_op_free(op);
    }
    DONE(f, mereau_not_before_raise(f->tenant, MEREAU_CLIENT_ID, "app",
                                    MEREAU_NOW));
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    DONE(f, op);
    DONE(f, mereau_app_delete(f->tenant, "app"));
}

static void no_keyring_is_too_full_for_a_leak_to_be_ended(void **s) {
    struct flow *f = *s;
    char label[257];
    int n = 0;
    mereau_status status;
    mereau_op *keys;
    memset(label, 'l', 256);
    label[256] = '\0';
    do {
        char id[129];
        memset(id, 'a', 128);
        id[128] = '\0';
        snprintf(id, 8, "app%d", n);
        id[strlen(id)] = '-';
        flow_app_named(f, id, NULL);
        mereau_op *op = mereau_key_generate(f->tenant, MEREAU_ALG_ES512);
        mereau_op_set_text(op, MEREAU_CLIENT_ID, id);
        mereau_op_set_text(op, MEREAU_LABEL, label);
        status = mereau_op_run(op, NULL);
        mereau_op_free(op);
        n++;
    } while (status == MEREAU_OK && n < 70);
    assert_int_equal(status, MEREAU_E_TOO_LONG);
    f->now_at += 2 * DAY; /* all of them sign now */
    keys = DONE(f, mereau_key_list(f->tenant));
    while (mereau_op_next_row(keys))
        if (mereau_op_text(keys, MEREAU_CLIENT_ID) != NULL)
            break;
    DONE(f, mereau_key_revoke(f->tenant, mereau_op_text(keys, MEREAU_KID)));
}

/* --- purging --- */

static void purge(struct flow *f) {
    mereau_op *op = mereau_tenant_purge(f->tenant);
    mereau_status status;
    while ((status = mereau_op_run(op, NULL)) == MEREAU_OK &&
           mereau_op_has_more(op))
        continue;
    mereau_op_free(op);
    assert_int_equal(status, MEREAU_OK);
}

static mereau_op *revoke_all(struct flow *f, const char *id) {
    mereau_op *op = mereau_registration_token_revoke(f->tenant, id);
    mereau_op_set_int(op, MEREAU_CASCADE, 1);
    return op;
}

static void what_a_purged_token_led_to_can_still_be_revoked(void **s) {
    struct flow *f = *s;
    flow_app(f, NULL);
    struct flow_token t = flow_mint(f, 1, DAY);
    const char *refresh = flow_enrol(f, t.text, "d1").refresh;
    for (int i = 0; i < 5; i++) {
        f->now_at += 25 * DAY;
        mereau_op *op = DONE(f, mereau_token_refresh(f->tenant, refresh));
        refresh = mereau_op_text(op, MEREAU_REFRESH_TOKEN);
        purge(f);
    }
    REFUSED(f, mereau_registration_token_get(f->tenant, t.id), MEREAU_E_UNKNOWN,
            "registration_token.id");
    REFUSED(f, mereau_registration_token_revoke(f->tenant, t.id),
            MEREAU_E_UNKNOWN, "registration_token.id");
    REFUSED(f, revoke_all(f, "AAAAAAAAAAAAAAAAAAAAAA"), MEREAU_E_UNKNOWN,
            "registration_token.id");
    mereau_op *op = DONE(f, revoke_all(f, t.id));
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 0);
    REFUSED(f, mereau_token_refresh(f->tenant, refresh), MEREAU_E_REVOKED,
            "registration_token.cascade");
    op = DONE(f, revoke_all(f, t.id));
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 1);
}

static void a_purge_that_keeps_its_event_fits_into_one_commit(void **s) {
    struct flow plain = {0}, *f = &plain;
    const struct flow_setup setup = {.seed = 1, .keep_events = 1};
    (void)s;
    flow_open(f, &setup);
    flow_app(f, NULL);
    struct flow_token t = {0};
    for (int i = 0; i < 2; i++) /* two records of one write ... */
        t = flow_mint_with(f, 100, DAY,
                           i == 0 ? "{\"idempotency_key\":\"0\"}"
                                  : "{\"idempotency_key\":\"1\"}");
    for (int i = 0; i < 30; i++) { /* ... and ten of six are 62 */
        char device_id[16];
        snprintf(device_id, sizeof device_id, "d%d", i);
        DONE(f, flow_redeem(f, t.text, device_id, 1));
    }
    f->now_at += 20 * YEAR;
    int64_t deleted = 0;
    mereau_op *op = mereau_tenant_purge(f->tenant);
    do {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_status status = mereau_op_run(op, &err);
        if (status != MEREAU_OK)
            fail_msg("%s", err.text);
        deleted += mereau_op_int(op, MEREAU_DONE_COUNT);
    } while (mereau_op_has_more(op));
    mereau_op_free(op);
    assert_true(deleted > 60);
    flow_close(f);
}

static void a_purge_whose_reply_is_lost_is_settled(void **s) {
    struct flow plain = {0}, *f = &plain;
    const struct flow_setup setup = {.seed = 1, .keep_events = 1};
    (void)s;
    flow_open(f, &setup);
    flow_app(f, NULL);
    struct flow_token t = flow_mint(f, 100, DAY);
    for (int i = 0; i < 80; i++) {
        char device_id[16];
        snprintf(device_id, sizeof device_id, "d%d", i);
        DONE(f, flow_redeem(f, t.text, device_id, 1));
    }
    f->now_at += 20 * YEAR;
    flow_count_from_here(f);
    mereau_op *op = mereau_tenant_purge(f->tenant);
    DONE(f, op); /* how many calls are before its commit */
    uint64_t before = f->gets + f->scans;
    fail_at(f, before + 1, MEREAU_STORE_UNKNOWN, 1);
    flow_count_from_here(f);
    DONE(f, mereau_tenant_purge(f->tenant));
    assert_int_equal(f->failed, 1);
    assert_int_equal(f->commits, 1);
    flow_close(f);
}

/* --- stores --- */

static void a_code_that_nobody_defined_is_a_lost_reply(void **s) {
    struct flow *f = *s;
    flow_app(f, NULL);
    for (int applied = 0; applied < 2; applied++) {
        flow_count_from_here(f);
        fail_at(f, 2, 99, applied); /* 1 get, 1 commit */
        struct flow_token t = flow_mint(f, 1, DAY);
        assert_int_equal(f->failed, 1);
        assert_int_equal(f->commits, applied ? 1 : 2);
        DONE(f, flow_redeem(f, t.text, "d1", 1));
    }
}

/* A store whose records all have one version. */
struct one_version {
    mereau_store real;
    uint64_t version;
    mereau_emit emit;
    void *arg;
};

static int32_t emit_changed(void *arg, size_t index,
                            const mereau_record *record) {
    struct one_version *one = arg;
    mereau_record changed;
    if (record == NULL)
        return one->emit(one->arg, index, NULL);
    changed = *record;
    changed.version = one->version;
    return one->emit(one->arg, index, &changed);
}

static int32_t get_changed(void *user, const mereau_need *need,
                           mereau_emit emit, void *arg) {
    struct one_version *one = user;
    one->emit = emit;
    one->arg = arg;
    return one->real.get(one->real.user, need, emit_changed, one);
}

static int32_t commit_as_is(void *user, const mereau_need *need,
                            size_t *failed) {
    struct one_version *one = user;
    return one->real.commit(one->real.user, need, failed);
}

static void a_version_with_a_meaning_of_its_own_is_refused(void **s) {
    struct flow *f = *s;
    static const uint64_t versions[] = {MEREAU_VERSION_ABSENT,
                                        MEREAU_VERSION_ANY};
    flow_app(f, NULL);
    struct one_version one = {f->real, 0, NULL, NULL};
    for (size_t i = 0; i < 2; i++) {
        one.version = versions[i];
        f->real.user = &one;
        f->real.get = get_changed;
        f->real.commit = commit_as_is;
        flow_count_from_here(f);
        REFUSED(f, mereau_app_secret_add(f->tenant, "app"), MEREAU_E_STORE,
                "store.get");
        assert_int_equal(f->commits, 0);
        f->real = one.real;
    }
}

/* --- keys of an app --- */

/* A key whose private part is public: made for this test, of no use. */
static const char other_key[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"other\","
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
    "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}";

static int no_rng(void *arg, uint8_t *out, size_t len) {
    (void)arg;
    memset(out, 1, len);
    return 0;
}

static void sign_with_other(struct mru_buf *jwt, const char *claims) {
    struct mru_jval root;
    mru_key *key = NULL;
    uint8_t sig[MRU_MAX_SIG];
    size_t sig_len = 0;
    assert_int_equal(mru_json_check(&root, other_key, strlen(other_key),
                                    &mru_json_default_limits, NULL),
                     MEREAU_OK);
    assert_int_equal(
        mru_key_from_jwk(&key, &root, MEREAU_ALG_ES256, MRU_KEY_PRIVATE, NULL),
        MEREAU_OK);
    assert_int_equal(mru_jws_begin(jwt, MEREAU_ALG_ES256, "at+jwt", "other",
                                   (const uint8_t *)claims, strlen(claims)),
                     0);
    assert_int_equal(
        mru_key_sign(key, no_rng, NULL, jwt->data, jwt->len, sig, &sig_len),
        MEREAU_OK);
    assert_int_equal(mru_jws_finish(jwt, sig, sig_len), 0);
    mru_key_free(key);
}

static void the_key_of_one_app_proves_nothing_about_another(void **s) {
    struct flow *f = *s;
    struct mru_buf jwt = {0};
    flow_app(f, NULL);
    flow_app_named(f, "other", NULL);
    mereau_op *op = mereau_key_import(f->tenant, MEREAU_ALG_ES256);
    mereau_op_set_text(op, MEREAU_JWK, other_key);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "other");
    DONE(f, op);
    struct flow_pair p = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    const char *claims = mereau_op_text(p.op, MEREAU_CLAIMS);
    assert_non_null(claims);
    sign_with_other(&jwt, claims);
    DONE(f, mereau_token_verify_live(f->tenant, p.access));
    REFUSED(f, mereau_token_verify_live(f->tenant, (const char *)jwt.data),
            MEREAU_E_KEY_UNKNOWN, "jwt.kid");
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v = mereau_verifier_new(ISSUER, API);
    DONE(f, mereau_verifier_load(f->tenant, v));
    assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_OK);
    assert_int_equal(
        mereau_jwt_verify(v, NULL, p.access, strlen(p.access), f->now_at, &err),
        MEREAU_OK);
    assert_int_equal(mereau_jwt_verify(v, NULL, (const char *)jwt.data, jwt.len,
                                       f->now_at, &err),
                     MEREAU_E_CLAIM);
    assert_string_equal(err.rule, "jwt.client_id");
    mereau_verifier_free(v);
    mru_buf_free(&jwt);
}

/* --- dry runs --- */

static void a_dry_run_gives_no_token_in_its_rows(void **s) {
    struct flow *f = *s;
    mereau_error err = MEREAU_ERROR_INIT;
    flow_app(f, NULL);
    for (int dry = 0; dry < 2; dry++) {
        mereau_op *op =
            mereau_registration_token_mint_many(f->tenant, "app", 3, DAY);
        mereau_op_set_text(op, MEREAU_IDEMPOTENCY_KEY, "k");
        assert_int_equal(dry ? mereau_op_dry_run(op, &err)
                             : mereau_op_run(op, &err),
                         MEREAU_OK);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(mereau_op_next_row(op), 1);
            assert_non_null(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID));
            assert_int_equal(
                mereau_op_text(op, MEREAU_REGISTRATION_TOKEN) == NULL, dry);
        }
        mereau_op_free(op);
    }
}

/* --- audiences --- */

static void what_can_be_minted_can_be_exchanged(void **s) {
    struct flow *f = *s;
    flow_app(f, NULL);
    mereau_op *op = mereau_registration_token_mint(f->tenant, "app", 1, DAY);
    for (int i = 0; i < 65; i++)
        mereau_op_add_text(op, MEREAU_AUDIENCE, API);
    REFUSED(f, op, MEREAU_E_TOO_LONG, "registration_token.audience");
}

/* --- times and keys --- */

static void no_extension_outlives_the_evidence(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    struct flow_token token = flow_mint(f, 2, DAY);
    mereau_op *op = mereau_registration_token_update(f->tenant, token.id);
    mereau_op_set_int(op, MEREAU_EXPIRES_AT, T0 + 30 * DAY);
    DONE(f, op);
    f->now_at += 20 * DAY;
    op = mereau_registration_token_update(f->tenant, token.id);
    mereau_op_set_int(op, MEREAU_EXPIRES_AT, T0 + 30 * DAY + 1);
    REFUSED(f, op, MEREAU_E_POLICY, "registration_token.expires_at");
}

static void a_leaked_key_is_dropped_whatever_the_clock_says(void **state) {
    struct flow *f = *state;
    mereau_op *keys;
    const char *kid;
    f->now_at += DAY; /* ahead by mistake, while a not-before is raised */
    DONE(f, mereau_not_before_raise(f->tenant, MEREAU_TENANT_ID, NULL,
                                    MEREAU_NOW));
    f->now_at -= DAY;
    keys = DONE(f, mereau_key_list(f->tenant));
    assert_true(mereau_op_next_row(keys));
    kid = mereau_op_text(keys, MEREAU_KID);
    DONE(f, mereau_key_revoke(f->tenant, kid));
    const char *jwks =
        mereau_op_text(DONE(f, mereau_key_jwks(f->tenant)), MEREAU_JWKS);
    assert_null(strstr(jwks, kid));
}

static void the_algorithm_of_the_tenant_signs(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    DONE(f, mereau_key_generate(f->tenant, MEREAU_ALG_ES384));
    f->now_at += 2 * DAY; /* it signs, and began last */
    struct flow_pair pair = flow_enrol(f, flow_mint(f, 1, DAY).text, "d1");
    char header[128] = {0};
    assert_true(mru_b64_decode((uint8_t *)header, pair.access, 64) > 0);
    assert_non_null(strstr(header, "ES256"));
}

static void the_life_of_an_auth_token_is_a_setting(void **state) {
    struct flow *f = *state;
    flow_app(f, "{\"auth_lifetime_s\": 60}");
    struct flow_token token = flow_mint(f, 2, DAY);
    mereau_op *one = DONE(f, flow_redeem(f, token.text, "d1", 1));
    mereau_op *two = DONE(f, flow_redeem(f, token.text, "d2", 2));
    assert_int_equal(mereau_op_int(one, MEREAU_EXPIRES_AT), T0 + 60);
    f->now_at += 59;
    DONE(f, mereau_auth_token_exchange(f->tenant,
                                       mereau_op_text(one, MEREAU_AUTH_TOKEN)));
    f->now_at += 1;
    REFUSED(f,
            mereau_auth_token_exchange(f->tenant,
                                       mereau_op_text(two, MEREAU_AUTH_TOKEN)),
            MEREAU_E_EXPIRED, "auth_token.lifetime");
}

static void a_list_of_devices_can_be_taken_away_again(void **state) {
    struct flow *f = *state;
    flow_app(f, NULL);
    struct flow_token token = flow_mint(f, 2, DAY);
    mereau_op *op = mereau_registration_token_update(f->tenant, token.id);
    mereau_op_set_text(op, MEREAU_ALLOWED_DEVICE_ID, "d1");
    DONE(f, op);
    REFUSED(f, flow_redeem(f, token.text, "d2", 2), MEREAU_E_DEVICE, NULL);
    op = mereau_registration_token_update(f->tenant, token.id);
    mereau_op_set_text(op, MEREAU_ALLOWED_DEVICE_ID, "");
    DONE(f, op);
    DONE(f, flow_redeem(f, token.text, "d2", 2));
}

static int begin(void **state) {
    struct flow *flow = malloc(sizeof *flow);
    if (flow == NULL)
        return -1;
    flow_start(flow);
    *state = flow;
    return 0;
}

static int end(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_device_cannot_say_so_much_that_it_cannot_be_revoked),
        TEST(no_registration_token_is_too_long_to_be_revoked),
        TEST(no_app_is_too_long_to_be_ended),
        TEST(no_keyring_is_too_full_for_a_leak_to_be_ended),
        cmocka_unit_test(a_purge_that_keeps_its_event_fits_into_one_commit),
        cmocka_unit_test(a_purge_whose_reply_is_lost_is_settled),
        TEST(what_a_purged_token_led_to_can_still_be_revoked),
        TEST(a_code_that_nobody_defined_is_a_lost_reply),
        TEST(a_version_with_a_meaning_of_its_own_is_refused),
        TEST(the_key_of_one_app_proves_nothing_about_another),
        TEST(a_dry_run_gives_no_token_in_its_rows),
        TEST(what_can_be_minted_can_be_exchanged),
        TEST(no_extension_outlives_the_evidence),
        TEST(a_leaked_key_is_dropped_whatever_the_clock_says),
        TEST(the_algorithm_of_the_tenant_signs),
        TEST(the_life_of_an_auth_token_is_a_setting),
        TEST(a_list_of_devices_can_be_taken_away_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
