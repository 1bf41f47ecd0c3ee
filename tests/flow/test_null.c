/* tests/flow/test_null.c - NULL for every pointer of every public function: where
 * it means something it is that, elsewhere a named status or nothing, never a
 * crash. The calls are written by hand; the headers say whether one is missing. */
#include "flow.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <mereau/front.h>
#include <mereau/json.h>
#include <mereau/sqlite.h>
#include <mereau/system.h>
#include <mereau/testing.h>

#define MAX_NAMES 512
static const char *tried_names[MAX_NAMES];
static size_t n_tried;

static void tried(const char *name) {
    for (size_t i = 0; i < n_tried; i++)
        if (strcmp(tried_names[i], name) == 0)
            return;
    assert_true(n_tried < MAX_NAMES);
    tried_names[n_tried++] = name;
}

/* A call, written down. */
#define CALL(function, args) (tried(#function), function args)

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

/* --- makers: no tenant is no memory; a NULL input is a missing one --- */

#define MAKER(function, with, without)                                         \
    do {                                                                       \
        assert_null(CALL(function, without));                                  \
        is_missing(f, function with, #function);                               \
    } while (0)

static void is_missing(struct flow *f, mereau_op *op, const char *name) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_status status;
    assert_non_null(op);
    flow_count_from_here(f);
    status = mereau_op_run(op, &err);
    if (status != MEREAU_E_FIELD || f->gets != 0) {
        print_error("%s: %s\n", name, err.text);
        fail();
    }
    mereau_op_free(op);
}

static void makers_with_texts(struct flow *f) {
    const uint8_t nonce[16] = {0};
#define M1(function) MAKER(function, (f->tenant, NULL), (NULL, NULL))
    M1(mereau_tenant_create);
    M1(mereau_app_create);
    M1(mereau_app_get);
    M1(mereau_app_update);
    M1(mereau_app_delete);
    M1(mereau_app_secret_add);
    M1(mereau_app_key_add);
    M1(mereau_app_credential_list);
    M1(mereau_registration_token_update);
    M1(mereau_registration_token_revoke);
    M1(mereau_device_block);
    M1(mereau_device_unblock);
    M1(mereau_auth_token_exchange);
    M1(mereau_auth_token_revoke);
    M1(mereau_token_refresh);
    M1(mereau_token_introspect);
    M1(mereau_token_verify_live);
    M1(mereau_token_revoke);
    M1(mereau_family_revoke);
    M1(mereau_key_retire);
    M1(mereau_key_revoke);
#define M2(function)                                                           \
    MAKER(function, (f->tenant, NULL, "x"), (NULL, NULL, "x"));                \
    MAKER(function, (f->tenant, "x", NULL), (NULL, "x", NULL))
    M2(mereau_app_redirect_check);
    M2(mereau_app_secret_remove);
    M2(mereau_app_key_remove);
    M2(mereau_device_rearm);
    MAKER(mereau_app_authenticate, (f->tenant, NULL, "x"), (NULL, "a", "x"));
    MAKER(mereau_registration_token_mint, (f->tenant, NULL, 1, 1),
          (NULL, "app", 1, 1));
    MAKER(mereau_registration_token_mint_many, (f->tenant, NULL, 1, 1),
          (NULL, "app", 1, 1));
    MAKER(mereau_registration_token_reissue, (f->tenant, NULL, 1),
          (NULL, "x", 1));
    MAKER(mereau_registration_token_redeem,
          (f->tenant, NULL, "d", nonce, sizeof nonce),
          (NULL, "x", "d", nonce, sizeof nonce));
    MAKER(mereau_registration_token_redeem,
          (f->tenant, "x", NULL, nonce, sizeof nonce),
          (NULL, "x", NULL, nonce, sizeof nonce));
    MAKER(mereau_not_before_raise, (f->tenant, MEREAU_SUBJECT, NULL, T0),
          (NULL, MEREAU_SUBJECT, "x", T0));
#undef M1
#undef M2
}

static void makers_without_texts(struct flow *f) {
    mereau_op *op;
    assert_null(CALL(mereau_tenant_get, (NULL)));
    assert_null(CALL(mereau_tenant_update, (NULL)));
    assert_null(CALL(mereau_tenant_purge, (NULL)));
    assert_null(CALL(mereau_app_list, (NULL)));
    assert_null(CALL(mereau_registration_token_list, (NULL)));
    assert_null(CALL(mereau_auth_token_list, (NULL)));
    assert_null(CALL(mereau_family_list, (NULL)));
    assert_null(CALL(mereau_key_generate, (NULL, MEREAU_ALG_ES256)));
    assert_null(CALL(mereau_key_import, (NULL, MEREAU_ALG_ES256)));
    assert_null(CALL(mereau_key_list, (NULL)));
    assert_null(CALL(mereau_key_jwks, (NULL)));
    assert_null(CALL(mereau_audit_list, (NULL)));
    assert_null(CALL(mereau_verifier_load, (NULL, NULL)));
    assert_null(CALL(mereau_op_new, (NULL, "app_get")));
    REFUSED(f, mereau_op_new(f->tenant, NULL), MEREAU_E_UNSUPPORTED, "op.name");
    REFUSED(f, mereau_verifier_load(f->tenant, NULL), MEREAU_E_NOMEM, NULL);
    /* by token, which is not set either */
    assert_null(CALL(mereau_registration_token_get, (NULL, NULL)));
    REFUSED(f, mereau_registration_token_get(f->tenant, NULL), MEREAU_E_FIELD,
            NULL);
    /* neither nonce nor key */
    op = mereau_registration_token_redeem(f->tenant, flow_mint(f, 1, 9).text,
                                          "d", NULL, 0);
    REFUSED(f, op, MEREAU_E_FIELD, NULL);
    /* no secret is a wrong one */
    REFUSED(f, mereau_app_authenticate(f->tenant, "app", NULL), MEREAU_E_CLIENT,
            "client.missing");
    /* of the tenant there is only one */
    DONE(f, mereau_not_before_raise(f->tenant, MEREAU_TENANT_ID, NULL, T0 - 9));
}

/* --- operations --- */

static void null_operations(void) {
    const mereau_record record = {0};
    const mereau_need *need = &(const mereau_need){0};
    mereau_error err = MEREAU_ERROR_INIT;
    size_t len = 7;
    assert_int_equal(CALL(mereau_op_run, (NULL, &err)), MEREAU_E_NOMEM);
    assert_int_equal(err.status, MEREAU_E_NOMEM);
    assert_int_equal(mereau_op_run(NULL, NULL), MEREAU_E_NOMEM);
    assert_int_equal(CALL(mereau_op_dry_run, (NULL, &err)), MEREAU_E_NOMEM);
    assert_int_equal(mereau_op_dry_run(NULL, NULL), MEREAU_E_NOMEM);
    assert_int_equal(CALL(mereau_op_step, (NULL, &need, &err)), MEREAU_E_NOMEM);
    assert_null(need);
    assert_int_equal(mereau_op_step(NULL, NULL, NULL), MEREAU_E_NOMEM);
    CALL(mereau_op_free, (NULL));
    CALL(mereau_op_set_text, (NULL, MEREAU_LABEL, "x"));
    CALL(mereau_op_set_bytes, (NULL, MEREAU_LABEL, "x", 1));
    CALL(mereau_op_add_text, (NULL, MEREAU_REFERENCE, "x"));
    CALL(mereau_op_set_int, (NULL, MEREAU_COUNT, 1));
    CALL(mereau_op_set_json, (NULL, "{}", 2));
    assert_int_not_equal(CALL(mereau_op_feed, (NULL, 0, &record)), 0);
    assert_int_not_equal(
        CALL(mereau_op_feed_bytes, (NULL, (const uint8_t *)"x", 1)), 0);
    CALL(mereau_op_answer, (NULL, MEREAU_STORE_OK, 0));
    assert_null(CALL(mereau_op_text, (NULL, MEREAU_LABEL)));
    assert_null(CALL(mereau_op_text_at, (NULL, MEREAU_REFERENCE, 0)));
    assert_true(CALL(mereau_op_int, (NULL, MEREAU_COUNT)) == MEREAU_UNSET);
    assert_null(CALL(mereau_op_bytes, (NULL, MEREAU_LABEL, &len)));
    assert_int_equal(len, 0);
    assert_null(CALL(mereau_op_json, (NULL)));
    assert_int_equal(CALL(mereau_op_next_row, (NULL)), 0);
    assert_int_equal(CALL(mereau_op_has_more, (NULL)), 0);
}

static void null_for_operations(struct flow *f) {
    mereau_op *op = mereau_app_get(f->tenant, "app");
    mereau_error err = MEREAU_ERROR_INIT;
    size_t len;
    mereau_op_set_text(op, MEREAU_ACTOR, NULL);
    mereau_op_set_bytes(op, MEREAU_ACTOR, NULL, 5);
    assert_int_equal(mereau_op_step(op, NULL, &err), MEREAU_E_ARG);
    assert_int_equal(mereau_op_step(op, NULL, NULL), MEREAU_E_ARG);
    assert_int_not_equal(mereau_op_feed(op, 0, NULL), 0); /* no need yet */
    assert_int_not_equal(mereau_op_feed_bytes(op, NULL, 4), 0);
    assert_int_equal(mereau_op_dry_run(op, NULL), MEREAU_OK);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    assert_non_null(mereau_op_bytes(op, MEREAU_NAME, NULL));
    assert_non_null(mereau_op_bytes(op, MEREAU_NAME, &len));
    assert_int_equal(len, 3);
    mereau_op_free(op);
    op = mereau_app_update(f->tenant, "app");
    mereau_op_add_text(op, MEREAU_REFERENCE, NULL); /* nothing to add */
    DONE(f, op);
    assert_null(mereau_op_text_at(op, MEREAU_REFERENCE, 0));
    op = mereau_app_get(f->tenant, "app");
    mereau_op_set_json(op, NULL, 0);
    REFUSED(f, op, MEREAU_E_MALFORMED, "op.json");
}

/* A key that is absent is fed as NULL: what is awaited is served so. */
static void null_is_an_absent_record(struct flow *f) {
    mereau_op *op = mereau_app_get(f->tenant, "app");
    const mereau_need *need;
    assert_int_equal(mereau_op_step(op, &need, NULL), MEREAU_OK);
    assert_non_null(need);
    for (size_t i = 0; i < need->n_keys; i++)
        assert_int_equal(mereau_op_feed(op, i, NULL), 0);
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    assert_int_equal(mereau_op_step(op, &need, NULL), MEREAU_E_UNKNOWN);
    mereau_op_free(op);
}

/* --- contexts and tenants --- */

/* A mistake of a setter is kept for ready. */
static void keeps(mereau_ctx *ctx, mereau_status wanted) {
    mereau_error err = MEREAU_ERROR_INIT;
    assert_int_equal(mereau_ctx_ready(ctx, &err), wanted);
    assert_int_equal(err.status, wanted);
}

static void null_contexts(struct flow *f) {
    const uint8_t key[32] = {1};
    const mereau_clock *clock = CALL(mereau_system_clock, ());
    mereau_ctx *ctx = CALL(mereau_ctx_new, ());
    mereau_tenant *tenant;
    CALL(mereau_ctx_set_store, (NULL, &f->front));
    CALL(mereau_ctx_set_clock, (NULL, clock));
    CALL(mereau_ctx_set_random, (NULL, &(const mereau_random){0}));
    CALL(mereau_ctx_set_signer, (NULL, &(const mereau_signer){0}));
    CALL(mereau_ctx_set_events, (NULL, &(const mereau_events){0}));
    CALL(mereau_ctx_set_waiter, (NULL, &(const mereau_waiter){0}));
    CALL(mereau_ctx_keep_events, (NULL));
    CALL(mereau_ctx_add_root_key, (NULL, "a", key, sizeof key));
    CALL(mereau_ctx_set_limit, (NULL, "max_text", 5));
    assert_int_equal(CALL(mereau_ctx_ready, (NULL, NULL)), MEREAU_E_NOMEM);
    keeps(NULL, MEREAU_E_NOMEM);
    mereau_ctx_set_store(ctx, NULL);
    keeps(ctx, MEREAU_E_ARG);
    mereau_ctx_set_clock(ctx, NULL);
    keeps(ctx, MEREAU_E_ARG);
    mereau_ctx_set_random(ctx, NULL);
    keeps(ctx, MEREAU_E_ARG);
    mereau_ctx_set_signer(ctx, NULL);
    keeps(ctx, MEREAU_E_ARG);
    mereau_ctx_set_events(ctx, NULL);
    keeps(ctx, MEREAU_E_ARG);
    mereau_ctx_set_waiter(ctx, NULL);
    keeps(ctx, MEREAU_E_ARG);
    mereau_ctx_set_limit(ctx, NULL, 5);
    keeps(ctx, MEREAU_E_ARG);
    mereau_ctx_add_root_key(ctx, NULL, key, sizeof key);
    keeps(ctx, MEREAU_E_ARG);
    mereau_ctx_add_root_key(ctx, "a", NULL, sizeof key);
    keeps(ctx, MEREAU_E_ARG);
    mereau_ctx_set_clock(ctx, clock);
    mereau_ctx_add_root_key(ctx, "a", key, sizeof key);
    assert_int_equal(mereau_ctx_ready(ctx, NULL), MEREAU_OK);
    assert_null(CALL(mereau_tenant_open, (NULL, "a")));
    tenant = mereau_tenant_open(ctx, NULL);
    assert_non_null(tenant);
    REFUSED(f, mereau_tenant_get(tenant), MEREAU_E_ARG, "tenant.name");
    mereau_tenant_free(tenant);
    CALL(mereau_tenant_free, (NULL));
    mereau_ctx_free(ctx);
    CALL(mereau_ctx_free, (NULL));
}

/* --- verifiers and claims --- */

static mereau_verifier *made_for(const char *issuer, const char *audience) {
    return CALL(mereau_verifier_new, (issuer, audience));
}

/* The mistake is what ready says. */
static void wrong(mereau_verifier *v) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_status status = mereau_verifier_ready(v, &err);
    assert_true(status < -100 && status > -300);
    assert_int_not_equal(status, MEREAU_E_INCOMPLETE);
    assert_int_equal(err.status, status);
    mereau_verifier_free(v);
}

static void null_verifiers(void) {
    const uint8_t secret[32] = {1};
    mereau_verifier *v;
    CALL(mereau_verifier_add_decryption_key, (NULL, NULL));
    CALL(mereau_verifier_accept_unencrypted, (NULL));
    CALL(mereau_verifier_set_jwks, (NULL, "{}", 2));
    CALL(mereau_verifier_add_key, (NULL, "{}", 2, MEREAU_ALG_ES256));
    CALL(mereau_verifier_add_secret, (NULL, secret, 32, MEREAU_ALG_HS256));
    CALL(mereau_verifier_add_jwk, (NULL, NULL));
    CALL(mereau_verifier_add_audience, (NULL, "a"));
    CALL(mereau_verifier_add_alg, (NULL, MEREAU_ALG_ES256));
    CALL(mereau_verifier_set_type, (NULL, "JWT"));
    CALL(mereau_verifier_add_claim, (NULL, "a", "b"));
    CALL(mereau_verifier_set_skew_s, (NULL, 1));
    CALL(mereau_verifier_set_max_age_s, (NULL, 1));
    CALL(mereau_verifier_set_max_snapshot_age_s, (NULL, 1));
    CALL(mereau_verifier_accept_any_audience, (NULL));
    CALL(mereau_verifier_accept_any_type, (NULL));
    CALL(mereau_verifier_accept_any_subject, (NULL));
    CALL(mereau_verifier_accept_audience_list, (NULL));
    CALL(mereau_verifier_set_subject, (NULL, "a"));
    CALL(mereau_verifier_set_max_lifetime_s, (NULL, 1));
    CALL(mereau_verifier_set_max_scope, (NULL, "a"));
    CALL(mereau_verifier_set_check, (NULL, NULL, NULL));
    CALL(mereau_verifier_set_cache_bytes, (NULL, 1));
    assert_true(CALL(mereau_verifier_cache_count, (NULL, MEREAU_CACHE_HITS)) ==
                0);
    CALL(mereau_verifier_free, (NULL));
    assert_int_equal(CALL(mereau_verifier_ready, (NULL, NULL)), MEREAU_E_NOMEM);
    assert_int_equal(
        CALL(mereau_verifier_replace_jwks, (NULL, "{}", 2, T0, NULL)),
        MEREAU_E_NOMEM);
    assert_int_equal(CALL(mereau_verifier_wants_jwks, (NULL, T0)), 0);
    wrong(made_for(NULL, API));
    wrong(made_for(ISSUER, NULL));
    wrong(CALL(mereau_verifier_new_for, (MEREAU_PROFILE_SSO, NULL, NULL)));
#define WRONG(call)                                                            \
    v = made_for(ISSUER, API);                                                 \
    mereau_verifier_add_secret(v, secret, 32, MEREAU_ALG_HS256);               \
    call;                                                                      \
    wrong(v)
    WRONG(mereau_verifier_add_decryption_key(v, NULL));
    WRONG(mereau_verifier_set_jwks(v, NULL, 9));
    WRONG(mereau_verifier_add_key(v, NULL, 9, MEREAU_ALG_ES256));
    WRONG(mereau_verifier_add_secret(v, NULL, 32, MEREAU_ALG_HS256));
    WRONG(mereau_verifier_add_audience(v, NULL));
    WRONG(mereau_verifier_set_type(v, NULL));
    WRONG(mereau_verifier_add_claim(v, NULL, "x"));
    WRONG(mereau_verifier_add_jwk(v, NULL));
    WRONG(mereau_verifier_set_subject(v, NULL));
    WRONG(mereau_verifier_set_max_scope(v, NULL));
#undef WRONG
}

static void null_for_verifying(void) {
    const uint8_t secret[32] = {1};
    mereau_verifier *v = made_for(ISSUER, API);
    mereau_claims *c = CALL(mereau_claims_new, ());
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier_add_secret(v, secret, 32, MEREAU_ALG_HS256);
    mereau_verifier_add_claim(v, "any", NULL);
    mereau_verifier_set_check(v, NULL, NULL);
    assert_int_equal(mereau_verifier_ready(v, NULL), MEREAU_OK);
    assert_int_equal(mereau_verifier_replace_jwks(v, NULL, 2, T0, NULL),
                     MEREAU_E_ARG);
    assert_int_equal(CALL(mereau_jwt_verify, (NULL, c, "a", 1, T0, &err)),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_jwt_verify(v, c, NULL, 1, T0, &err), MEREAU_E_ARG);
    assert_int_equal(mereau_jwt_verify(v, NULL, "a.b.c", 5, T0, NULL),
                     MEREAU_E_MALFORMED);
    assert_int_equal(
        CALL(mereau_jwt_verify_bound, (NULL, c, "a", 1, NULL, T0, &err)),
        MEREAU_E_ARG);
    assert_int_equal(
        mereau_jwt_verify_bound(NULL, NULL, NULL, 1,
                                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                T0, NULL),
        MEREAU_E_NOMEM);
    assert_int_equal(
        CALL(mereau_jwt_verify_bearer, (NULL, NULL, "Bearer x", 8, T0, NULL)),
        MEREAU_E_NOMEM);
    assert_int_equal(mereau_jwt_verify_bearer(v, c, NULL, 9, T0, &err),
                     MEREAU_E_MALFORMED);
    mereau_verifier_free(v);
    mereau_claims_free(c);
}

static void null_front(void) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *out = (mereau_store *)&err;
    uint64_t n = 7;
    assert_int_equal(CALL(mereau_group_open, (NULL, NULL, NULL)), MEREAU_E_ARG);
    assert_int_equal(mereau_group_open(&out, NULL, &err), MEREAU_E_ARG);
    assert_null(out);
    assert_int_equal(CALL(mereau_read_cache_open, (NULL, NULL, 4096, 1, NULL)),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_read_cache_open(&out, NULL, 4096, 1, &err),
                     MEREAU_E_ARG);
    assert_int_equal(CALL(mereau_read_cache_counts, (NULL, &n, NULL, NULL)),
                     MEREAU_E_ARG);
    assert_true(n == 0);
}

static void null_bytes(void) {
    size_t len = 7;
    mereau_bytes *bytes = CALL(mereau_bytes_new, ());
    CALL(mereau_bytes_free, (NULL));
    assert_string_equal((const char *)CALL(mereau_bytes_data, (NULL, &len)),
                        "");
    assert_int_equal(len, 0);
    assert_string_equal((const char *)mereau_bytes_data(bytes, NULL), "");
    assert_string_equal(CALL(mereau_bytes_text, (NULL)), "");
    mereau_bytes_free(bytes);
}

static void null_json(void) {
    mereau_json *doc = CALL(mereau_json_new, ());
    mereau_bytes *out = mereau_bytes_new();
    CALL(mereau_json_free, (NULL));
    CALL(mereau_json_set_text, (NULL, "a", "b"));
    CALL(mereau_json_set_int, (NULL, "a", 1));
    CALL(mereau_json_set_number, (NULL, "a", 1));
    CALL(mereau_json_set_bool, (NULL, "a", 1));
    CALL(mereau_json_set_json, (NULL, "a", "1", 1));
    CALL(mereau_json_add_text, (NULL, "a", "b"));
    mereau_json_add_text(doc, "a", NULL);
    assert_int_equal(CALL(mereau_json_print, (NULL, doc, NULL)),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_json_print(out, NULL, NULL), MEREAU_E_NOMEM);
    assert_int_equal(mereau_json_print(out, doc, NULL), MEREAU_E_ARG);
    assert_int_equal(CALL(mereau_json_canonical, (NULL, "1", 1, NULL)),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_json_canonical(out, NULL, 1, NULL),
                     MEREAU_E_MALFORMED);
    mereau_bytes_free(out);
    mereau_json_free(doc);
}

/* The makers of keys: without a place, without what they are made of. */
static void null_for_messages(void) {
    const uint8_t byte = 1;
    const int32_t gcm = MEREAU_ENC_A256GCM;
    mereau_bytes *out = mereau_bytes_new();
    mereau_jwks *set = mereau_jwks_new();
    mereau_jwk *key = NULL, *to = NULL;
    assert_int_equal(mereau_jwk_generate(&key, MEREAU_ALG_HS256, 0, NULL, NULL),
                     MEREAU_OK);
    assert_int_equal(mereau_jwk_generate(&to, MEREAU_ALG_A256KW, 0, NULL, NULL),
                     MEREAU_OK);
    assert_int_equal(
        CALL(mereau_jws_sign, (NULL, key, NULL, &byte, 1, 0, NULL, NULL)),
        MEREAU_E_NOMEM);
    assert_int_equal(mereau_jws_sign(out, NULL, NULL, &byte, 1, 0, NULL, NULL),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_jws_sign(out, key, NULL, NULL, 1, 0, NULL, NULL),
                     MEREAU_E_ARG);
    assert_int_equal(
        CALL(mereau_jws_verify, (NULL, NULL, set, "a", 1, NULL, 0, 0, NULL)),
        MEREAU_E_NOMEM);
    assert_int_equal(
        mereau_jws_verify(out, NULL, NULL, "a", 1, NULL, 0, 0, NULL),
        MEREAU_E_NOMEM);
    assert_int_equal(
        mereau_jws_verify(out, NULL, set, NULL, 1, NULL, 0, 0, NULL),
        MEREAU_E_ARG);
    assert_int_equal(mereau_jws_verify(out, NULL, set, "a", 1, NULL, 1,
                                       MEREAU_JWS_DETACHED, NULL),
                     MEREAU_E_ARG);
    assert_int_equal(
        CALL(mereau_jwe_encrypt, (NULL, to, gcm, NULL, &byte, 1, NULL, NULL)),
        MEREAU_E_NOMEM);
    assert_int_equal(
        mereau_jwe_encrypt(out, NULL, gcm, NULL, &byte, 1, NULL, NULL),
        MEREAU_E_ARG);
    assert_int_equal(
        mereau_jwe_encrypt(out, to, gcm, NULL, NULL, 1, NULL, NULL),
        MEREAU_E_ARG);
    assert_int_equal(CALL(mereau_jwe_decrypt, (NULL, NULL, set, "a", 1, NULL)),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_jwe_decrypt(out, NULL, NULL, "a", 1, NULL),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_jwe_decrypt(out, NULL, set, NULL, 1, NULL),
                     MEREAU_E_ARG);
    assert_int_equal(
        CALL(mereau_jwt_sign, (NULL, key, NULL, "{}", 2, NULL, NULL)),
        MEREAU_E_NOMEM);
    assert_int_equal(mereau_jwt_sign(out, NULL, NULL, "{}", 2, NULL, NULL),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_jwt_sign(out, key, NULL, NULL, 2, NULL, NULL),
                     MEREAU_E_ARG);
    assert_int_equal(CALL(mereau_jwt_sign_encrypted,
                          (NULL, key, to, gcm, NULL, "{}", 2, NULL, NULL)),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_jwt_sign_encrypted(out, NULL, to, gcm, NULL, "{}",
                                               2, NULL, NULL),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_jwt_sign_encrypted(out, key, NULL, gcm, NULL, "{}",
                                               2, NULL, NULL),
                     MEREAU_E_ARG);
    assert_int_equal(
        mereau_jwt_sign_encrypted(out, key, to, gcm, NULL, NULL, 2, NULL, NULL),
        MEREAU_E_ARG);
    mereau_jwk_free(key);
    mereau_jwk_free(to);
    mereau_jwks_free(set);
    mereau_bytes_free(out);
}

static void null_makers_of_keys(const mereau_jwk *key) {
    const uint8_t secret[32] = {1};
    mereau_error small = {8, 0, 0, 0, "", "", "", "", ""};
    mereau_random random = {0, 0, NULL, NULL};
    mereau_jwk *made;
#define MAKES(function, without_place, without_input)                          \
    made = (mereau_jwk *)(uintptr_t)&made;                                     \
    assert_int_equal(CALL(function, without_place), MEREAU_E_ARG);             \
    assert_int_equal(function without_input, MEREAU_E_ARG);                    \
    assert_null(made)
    MAKES(mereau_jwk_read, (NULL, "{}", 2, 0, NULL), (&made, NULL, 2, 0, NULL));
    MAKES(mereau_jwk_read_encoded, (NULL, secret, 2, MEREAU_ALG_ES256, NULL),
          (&made, NULL, 2, MEREAU_ALG_ES256, NULL));
    MAKES(mereau_jwk_from_secret, (NULL, secret, 32, MEREAU_ALG_HS256, NULL),
          (&made, NULL, 32, MEREAU_ALG_HS256, NULL));
    MAKES(mereau_jwk_public, (NULL, key, NULL), (&made, NULL, NULL));
    MAKES(mereau_jwk_with_kid, (NULL, key, "k", NULL),
          (&made, key, NULL, NULL));
    MAKES(mereau_jwk_with_kid, (NULL, key, "k", NULL),
          (&made, NULL, "k", NULL));
#undef MAKES
    assert_int_equal(
        CALL(mereau_jwk_generate, (NULL, MEREAU_ALG_HS256, 0, NULL, NULL)),
        MEREAU_E_ARG);
    assert_int_equal(
        mereau_jwk_generate(&made, MEREAU_ALG_HS256, 0, &random, NULL),
        MEREAU_E_SIZE);
    random.size = sizeof random;
    assert_int_equal(
        mereau_jwk_generate(&made, MEREAU_ALG_HS256, 0, &random, NULL),
        MEREAU_E_ARG);
    assert_int_equal(
        mereau_jwk_from_secret(&made, secret, 32, MEREAU_ALG_HS256, &small),
        MEREAU_E_SIZE);
    assert_null(made);
}

static void null_keys(void) {
    mereau_jwk *key = NULL;
    mereau_bytes *out = mereau_bytes_new();
    assert_int_equal(mereau_jwk_generate(&key, MEREAU_ALG_HS256, 0, NULL, NULL),
                     MEREAU_OK);
    null_makers_of_keys(key);
    CALL(mereau_jwk_free, (NULL));
    assert_int_equal(CALL(mereau_jwk_alg, (NULL)), 0);
    assert_string_equal(CALL(mereau_jwk_kid, (NULL)), "");
    assert_string_equal(CALL(mereau_jwk_kty, (NULL)), "");
    assert_string_equal(CALL(mereau_jwk_crv, (NULL)), "");
    assert_int_equal(CALL(mereau_jwk_bits, (NULL)), 0);
    assert_int_equal(CALL(mereau_jwk_is_private, (NULL)), 0);
#define WRITES(function, ...)                                                  \
    assert_int_equal(CALL(function, (NULL, key, __VA_ARGS__)),                 \
                     MEREAU_E_NOMEM);                                          \
    assert_int_equal(function(out, NULL, __VA_ARGS__), MEREAU_E_ARG);          \
    assert_string_equal(mereau_bytes_text(out), "")
    WRITES(mereau_jwk_thumbprint, NULL);
    WRITES(mereau_jwk_thumbprint_uri, NULL);
    WRITES(mereau_jwk_certificate_thumbprint, NULL);
    WRITES(mereau_jwk_write, MEREAU_JWK_PRIVATE, NULL);
#undef WRITES
    mereau_jwk_free(key);
    mereau_bytes_free(out);
}

static void null_sets_of_keys(void) {
    mereau_jwks *set = CALL(mereau_jwks_new, ()), *read;
    mereau_bytes *out = mereau_bytes_new();
    mereau_jwk *key = NULL;
    assert_int_equal(mereau_jwk_generate(&key, MEREAU_ALG_HS256, 0, NULL, NULL),
                     MEREAU_OK);
    CALL(mereau_jwks_free, (NULL));
    assert_int_equal(CALL(mereau_jwks_add, (NULL, key, NULL)), MEREAU_E_NOMEM);
    assert_int_equal(mereau_jwks_add(set, NULL, NULL), MEREAU_E_ARG);
    assert_int_equal(CALL(mereau_jwks_read, (NULL, "{}", 2, NULL)),
                     MEREAU_E_ARG);
    read = set;
    assert_int_equal(mereau_jwks_read(&read, NULL, 2, NULL), MEREAU_E_ARG);
    assert_null(read);
    assert_int_equal(CALL(mereau_jwks_skipped, (NULL)), 0);
    assert_int_equal(CALL(mereau_jwks_count, (NULL)), 0);
    assert_null(CALL(mereau_jwks_at, (NULL, 0)));
    assert_null(mereau_jwks_at(set, 0));
    assert_null(CALL(mereau_jwks_find, (NULL, "k")));
    assert_null(mereau_jwks_find(set, NULL));
    assert_int_equal(
        CALL(mereau_jwks_write, (NULL, set, MEREAU_JWK_PUBLIC, NULL)),
        MEREAU_E_NOMEM);
    assert_int_equal(mereau_jwks_write(out, NULL, MEREAU_JWK_PUBLIC, NULL),
                     MEREAU_E_ARG);
    mereau_jwk_free(key);
    mereau_jwks_free(set);
    mereau_bytes_free(out);
}

static void null_expectations(void) {
    mereau_expect *e = CALL(mereau_expect_new, ());
    mereau_error err = MEREAU_ERROR_INIT;
    CALL(mereau_expect_free, (NULL));
    CALL(mereau_expect_reset, (NULL));
    CALL(mereau_expect_set, (NULL, MEREAU_EXPECT_NONCE, "a"));
    CALL(mereau_expect_set_int, (NULL, MEREAU_EXPECT_MAX_AUTH_AGE_S, 1));
    assert_int_equal(CALL(mereau_jwt_verify_expecting,
                          (NULL, NULL, NULL, 1, NULL, T0, &err)),
                     MEREAU_E_NOMEM);
    assert_int_equal(
        mereau_jwt_verify_expecting(NULL, NULL, "a", 1, e, T0, NULL),
        MEREAU_E_NOMEM);
    mereau_expect_free(e);
}

static void null_issuers(void) {
    mereau_issuers *set = CALL(mereau_issuers_new, ());
    mereau_expect *e = mereau_expect_new();
    mereau_error err = MEREAU_ERROR_INIT;
    CALL(mereau_issuers_free, (NULL));
    assert_int_equal(CALL(mereau_issuers_add, (NULL, NULL, NULL)),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_issuers_add(set, NULL, &err), MEREAU_E_NOMEM);
    assert_int_equal(CALL(mereau_issuers_remove, (NULL, "a")), 0);
    assert_int_equal(mereau_issuers_remove(set, NULL), 0);
    assert_null(CALL(mereau_issuers_find, (NULL, "a")));
    assert_null(mereau_issuers_find(set, NULL));
    assert_null(CALL(mereau_issuers_wants_jwks, (NULL, T0)));
    assert_int_equal(
        CALL(mereau_issuers_verify, (NULL, NULL, "a", 1, T0, NULL)),
        MEREAU_E_NOMEM);
    assert_int_equal(mereau_issuers_verify(set, NULL, NULL, 1, T0, &err),
                     MEREAU_E_ARG);
    assert_int_equal(CALL(mereau_issuers_verify_expecting,
                          (set, NULL, "a", 1, NULL, T0, &err)),
                     MEREAU_E_NOMEM);
    assert_int_equal(
        mereau_issuers_verify_expecting(set, NULL, NULL, 1, e, T0, NULL),
        MEREAU_E_ARG);
    mereau_expect_free(e);
    mereau_issuers_free(set);
}

static void null_claims(void) {
    double number = 7;
    mereau_claims *c = mereau_claims_new();
    size_t len = 7;
    assert_null(CALL(mereau_claims_text, (NULL, "sub")));
    assert_null(mereau_claims_text(c, NULL));
    assert_true(CALL(mereau_claims_int, (NULL, "exp")) == MEREAU_UNSET);
    assert_true(mereau_claims_int(c, NULL) == MEREAU_UNSET);
    assert_null(CALL(mereau_claims_text_at, (NULL, "aud", 0)));
    assert_null(mereau_claims_text_at(c, NULL, 0));
    assert_int_equal(CALL(mereau_claims_has_scope, (NULL, "read")), 0);
    assert_int_equal(mereau_claims_has_scope(c, NULL), 0);
    assert_int_equal(CALL(mereau_claims_kind, (NULL, "a")), MEREAU_JSON_NONE);
    assert_int_equal(mereau_claims_kind(c, NULL), MEREAU_JSON_NONE);
    assert_int_equal(CALL(mereau_claims_number, (NULL, "a", &number)), 0);
    assert_true(number == 0);
    assert_int_equal(mereau_claims_number(c, NULL, NULL), 0);
    assert_int_equal(CALL(mereau_claims_bool, (NULL, "a")), -1);
    assert_int_equal(mereau_claims_bool(c, NULL), -1);
    assert_int_equal(CALL(mereau_claims_count, (NULL, "a")), 0);
    assert_int_equal(mereau_claims_count(c, NULL), 0);
    assert_null(CALL(mereau_claims_raw, (NULL, "a", &len)));
    assert_null(mereau_claims_raw(c, NULL, NULL));
    assert_string_equal(CALL(mereau_claims_thumbprint, (NULL)), "");
    assert_string_equal(CALL(mereau_claims_json, (NULL, &len)), "");
    assert_int_equal(len, 0);
    assert_string_equal(mereau_claims_json(c, NULL), "");
    mereau_claims_free(c);
    CALL(mereau_claims_free, (NULL));
}

/* --- the small ones --- */

static void null_for_the_rest(void) {
    uint8_t byte = 1;
    mereau_store *store = NULL;
    CALL(mereau_error_init, (NULL, sizeof(mereau_error)));
    assert_non_null(CALL(mereau_status_name, (1)));
    assert_non_null(CALL(mereau_status_text, (1)));
    assert_non_null(CALL(mereau_status_oauth, (1)));
    assert_int_not_equal(CALL(mereau_status_http, (1)), 0);
    assert_int_equal(CALL(mereau_status_can_retry, (1)), 0);
    assert_null(CALL(mereau_field_name, (1)));
    assert_int_equal(CALL(mereau_field_find, (NULL)), 0);
    assert_int_equal(CALL(mereau_field_type, (1)), 0);
    assert_non_null(CALL(mereau_version, ()));
    assert_true(CALL(mereau_unset, ()) == MEREAU_UNSET);
    assert_true(CALL(mereau_constant, (NULL)) == MEREAU_UNSET);
    CALL(mereau_store_init, (NULL, sizeof(mereau_store)));
    CALL(mereau_store_close, (NULL));
    assert_int_equal(CALL(mereau_memory_open, (NULL, NULL)), MEREAU_E_ARG);
    assert_int_equal(CALL(mereau_system_random, (NULL, 4, NULL)), MEREAU_E_ARG);
    assert_int_equal(mereau_system_random(&byte, 1, NULL), MEREAU_OK);
    assert_int_equal(CALL(mereau_sqlite_open, (NULL, "x", NULL)), MEREAU_E_ARG);
    assert_int_equal(mereau_sqlite_open(&store, NULL, NULL), MEREAU_E_ARG);
    assert_non_null(CALL(mereau_sqlite_warning, ()));
    assert_null(CALL(mereau_event_text, (NULL, MEREAU_EVENT)));
    assert_true(CALL(mereau_event_int, (NULL, MEREAU_COUNT)) == MEREAU_UNSET);
    assert_int_not_equal(CALL(mereau_event_status, (NULL)), MEREAU_OK);
    assert_null(CALL(mereau_event_json, (NULL)));
}

static void null_testbeds(void) {
    const mereau_store_kit empty = MEREAU_STORE_KIT_INIT;
    mereau_testbed *bed = CALL(mereau_testbed_new, (1, T0));
    assert_null(CALL(mereau_testbed_tenant, (NULL)));
    assert_null(CALL(mereau_testbed_ctx, (NULL)));
    assert_null(CALL(mereau_testbed_store, (NULL)));
    assert_true(CALL(mereau_testbed_now, (NULL)) == MEREAU_UNSET);
    assert_int_equal(CALL(mereau_testbed_store_calls, (NULL, 1)), 0);
    CALL(mereau_testbed_advance, (NULL, 1));
    CALL(mereau_testbed_fail_store, (NULL, 1, 1, 1));
    assert_int_equal(CALL(mereau_testbed_verify, (NULL, NULL, "x", "y", NULL)),
                     MEREAU_E_NOMEM);
    assert_int_equal(mereau_testbed_verify(bed, NULL, NULL, "y", NULL),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_testbed_verify(bed, NULL, "x", NULL, NULL),
                     MEREAU_E_ARG);
    mereau_testbed_free(bed);
    CALL(mereau_testbed_free, (NULL));
    CALL(mereau_store_kit_init, (NULL, 8));
    assert_int_equal(CALL(mereau_store_kit_run, (NULL, NULL, NULL)), 1);
    assert_int_equal(mereau_store_kit_run(&empty, NULL, NULL), 1);
    assert_int_equal(CALL(mereau_store_kit_table, (NULL)), 1);
}

/* An op of a setup that must succeed: else it says why and aborts. */
static void a_setup_without_bed_or_op_aborts(void) {
    for (int which = 0; which < 2; which++) {
        int status = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            mereau_testbed *bed = mereau_testbed_new(1, T0);
            mereau_op *op = mereau_tenant_get(mereau_testbed_tenant(bed));
            signal(SIGABRT, SIG_DFL);
            signal(SIGSEGV, SIG_DFL);
            if (freopen("/dev/null", "w", stderr) == NULL)
                _exit(1);
            mereau_testbed_run(which ? NULL : bed, which ? op : NULL);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
    }
    tried("mereau_testbed_run");
}

/* --- none is forgotten --- */

static int was_tried(const char *name, size_t len) {
    for (size_t i = 0; i < n_tried; i++)
        if (strlen(tried_names[i]) == len &&
            memcmp(tried_names[i], name, len) == 0)
            return 1;
    return 0;
}

/* The names behind MEREAU_API in one header. Returns how many; *missing more. */
static size_t look_for_names(const char *path, size_t *missing) {
    char *text = calloc(1, 1 << 20);
    FILE *file = fopen(path, "r");
    size_t n = 0;
    assert_non_null(text);
    assert_non_null(file);
    assert_in_range(fread(text, 1, (1 << 20) - 1, file), 1, (1 << 20) - 2);
    fclose(file);
    for (const char *at = text; (at = strstr(at, "\nMEREAU_API ")) != NULL;) {
        const char *end = at += 12, *start;
        while (*end != '(' && *end != ';' && *end != '\0')
            end++;
        for (start = end; start > at && strchr(" *\n", start[-1]) == NULL;)
            start--;
        assert_int_equal(strncmp(start, "mereau_", 7), 0);
        n++;
        if (!was_tried(start, (size_t)(end - start))) {
            print_error("%s: %.*s was not tried\n", path, (int)(end - start),
                        start);
            ++*missing;
        }
    }
    free(text);
    return n;
}

/* Stores that need a server are tried in folders of tests of their own. */
static int is_tried_elsewhere(const char *header, const char *dot) {
    char path[320];
    snprintf(path, sizeof path, "tests/%.*s/server.h", (int)(dot - header),
             header);
    return access(path, F_OK) == 0;
}

static void look_into_the_headers(void) {
    DIR *folder = opendir("include/mereau");
    const struct dirent *entry;
    size_t n = 0, missing = 0;
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        char path[320];
        const char *dot = strrchr(entry->d_name, '.');
        if (dot == NULL || strcmp(dot, ".h") != 0 ||
            is_tried_elsewhere(entry->d_name, dot))
            continue;
        snprintf(path, sizeof path, "include/mereau/%s", entry->d_name);
        n += look_for_names(path, &missing);
    }
    closedir(folder);
    assert_int_equal(missing, 0);
    assert_int_equal(n, n_tried); /* nor is one tried that is gone */
}

static void null_for_every_pointer_of_every_function(void **state) {
    struct flow *f = *state;
    makers_with_texts(f);
    makers_without_texts(f);
    null_operations();
    null_for_operations(f);
    null_is_an_absent_record(f);
    null_contexts(f);
    null_verifiers();
    null_for_verifying();
    null_front();
    null_bytes();
    null_json();
    null_keys();
    null_sets_of_keys();
    null_expectations();
    null_issuers();
    null_claims();
    null_for_the_rest();
    null_testbeds();
    null_for_messages();
    a_setup_without_bed_or_op_aborts();
    look_into_the_headers();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            null_for_every_pointer_of_every_function, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
