/* tests/flow/test_keys.c - a tenant's signing keys: generated, imported, rotated,
 * retired, revoked, published, and loaded into verifiers. */
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
#include "jose/verifier.h"
#include "port/port.h"
#include "key_texts.h"

#define NOW INT64_C(1700000000)
#define HOUR 3600
#define DAY 86400
#define ISSUER "https://id.test.example"

struct place {
    mereau_testbed *bed;
    const mereau_tenant *test;
    mereau_error err;
};

static int set_up(void **state) {
    struct place *p = calloc(1, sizeof *p);
    if (p == NULL)
        return -1;
    mereau_error_init(&p->err, sizeof p->err);
    p->bed = mereau_testbed_new(1, NOW);
    p->test = mereau_testbed_tenant(p->bed);
    *state = p;
    return p->test == NULL ? -1 : 0;
}

static int tear_down(void **state) {
    struct place *p = *state;
    mereau_testbed_free(p->bed);
    free(p);
    return 0;
}

static uint64_t calls(const struct place *p, uint32_t kind) {
    return mereau_testbed_store_calls(p->bed, kind);
}

static void refused(struct place *p, mereau_op *op, mereau_status status,
                    const char *rule) {
    uint64_t commits = calls(p, MEREAU_NEED_COMMIT);
    assert_string_equal(mereau_status_name(mereau_op_run(op, &p->err)),
                        mereau_status_name(status));
    assert_string_equal(p->err.rule, rule);
    assert_true(calls(p, MEREAU_NEED_COMMIT) == commits);
    mereau_op_free(op);
}

static mereau_op *done(struct place *p, mereau_op *op) {
    mereau_status status = mereau_op_run(op, &p->err);
    assert_string_equal(status == MEREAU_OK ? "" : p->err.text, "");
    return op;
}

/* Runs it and copies one text of its results. */
static void done_for(struct place *p, mereau_op *op, int32_t field,
                     char out[129]) {
    done(p, op);
    const char *text = mereau_op_text(op, field);
    snprintf(out, 129, "%s", text == NULL ? "" : text);
    mereau_op_free(op);
}

static void done_and_freed(struct place *p, mereau_op *op) {
    mereau_op_free(done(p, op));
}

/* The states of all keys, oldest first, with a space behind each. */
static void states(struct place *p, char out[512]) {
    mereau_op *list = done(p, mereau_key_list(p->test));
    size_t used = 0;
    while (mereau_op_next_row(list))
        used += (size_t)snprintf(out + used, 512 - used, "%s ",
                                 mereau_op_text(list, MEREAU_STATE));
    out[used] = '\0';
    mereau_op_free(list);
}

static void assert_states(struct place *p, const char *wanted) {
    char found[512];
    states(p, found);
    assert_string_equal(found, wanted);
}

/* The kid of the i-th key, from 0. */
static void kid_of(struct place *p, int i, char out[129]) {
    mereau_op *list = done(p, mereau_key_list(p->test));
    for (int row = 0; row <= i; row++)
        assert_int_equal(mereau_op_next_row(list), 1);
    snprintf(out, 129, "%s", mereau_op_text(list, MEREAU_KID));
    mereau_op_free(list);
}

static int is_published(struct place *p, const char *kid) {
    char wanted[160];
    mereau_op *op = done(p, mereau_key_jwks(p->test));
    snprintf(wanted, sizeof wanted, "\"kid\":\"%s\"", kid);
    int found = strstr(mereau_op_text(op, MEREAU_JWKS), wanted) != NULL;
    mereau_op_free(op);
    return found;
}

/* --- generating --- */

static void a_new_key_is_published_a_day_before_it_signs(void **state) {
    struct place *p = *state;
    mereau_op *op = mereau_key_generate(p->test, MEREAU_ALG_ES256);
    mereau_op_set_text(op, MEREAU_LABEL, "spring");
    done(p, op);
    assert_string_equal(mereau_op_text(op, MEREAU_STATE), "published");
    assert_string_equal(mereau_op_text(op, MEREAU_LABEL), "spring");
    assert_true(mereau_op_int(op, MEREAU_PUBLISHED_AT) == NOW);
    assert_true(mereau_op_int(op, MEREAU_SIGNS_AT) == NOW + DAY);
    assert_null(strstr(mereau_op_text(op, MEREAU_JWK), "\"d\""));
    assert_true(calls(p, MEREAU_NEED_GET) == 1);
    assert_true(calls(p, MEREAU_NEED_COMMIT) == 1);
    assert_int_equal(is_published(p, mereau_op_text(op, MEREAU_KID)), 1);
    assert_states(p, "signing published published ");
    mereau_testbed_advance(p->bed, DAY);
    assert_states(p, "verifying published signing ");
    mereau_op *get = done(p, mereau_tenant_get(p->test));
    assert_string_equal(mereau_op_text(get, MEREAU_KID),
                        mereau_op_text(op, MEREAU_KID));
    mereau_op_free(get);
    mereau_op_free(op);
}

static void a_key_that_verifiers_may_not_have_by_then_is_refused(void **s) {
    struct place *p = *s;
    static const int64_t early[] = {MEREAU_NOW, 0, NOW, NOW + HOUR - 1};
    for (size_t i = 0; i < 4; i++) {
        mereau_op *op = mereau_key_generate(p->test, MEREAU_ALG_ES256);
        mereau_op_set_int(op, MEREAU_SIGNS_AT, early[i]);
        refused(p, op, MEREAU_E_TOO_EARLY, "key.signs_at");
    }
    mereau_op *op = mereau_key_generate(p->test, MEREAU_ALG_ES256);
    mereau_op_set_int(op, MEREAU_SIGNS_AT, NOW + HOUR);
    done_and_freed(p, op);
    op = mereau_key_generate(p->test, MEREAU_ALG_ES256);
    mereau_op_set_int(op, MEREAU_SIGNS_AT, INT64_MAX);
    refused(p, op, MEREAU_E_POLICY, "op.range");
}

static void a_secret_or_an_unknown_algorithm_is_refused(void **state) {
    struct place *p = *state;
    refused(p, mereau_key_generate(p->test, MEREAU_ALG_HS256), MEREAU_E_ALG,
            "key.alg");
    refused(p, mereau_key_generate(p->test, 0), MEREAU_E_ALG, "key.alg");
    refused(p, mereau_key_generate(p->test, 999), MEREAU_E_ALG, "key.alg");
}

static void a_key_of_an_app_needs_the_app(void **state) {
    struct place *p = *state;
    mereau_op *op = mereau_key_generate(p->test, MEREAU_ALG_ES256);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "nobody");
    refused(p, op, MEREAU_E_UNKNOWN, "app.unknown");
    op = mereau_key_jwks(p->test);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "nobody");
    refused(p, op, MEREAU_E_UNKNOWN, "app.unknown");
}

static void a_key_is_made_once_whatever_the_store_answers(void **state) {
    char kids[4][129];
    (void)state;
    for (uint64_t i = 0; i < 4; i++) { /* one seed, four fates */
        struct place p = {0};
        mereau_error_init(&p.err, sizeof p.err);
        p.bed = mereau_testbed_new(5, NOW);
        p.test = mereau_testbed_tenant(p.bed);
        if (i == 1)
            mereau_testbed_fail_store(p.bed, 2, MEREAU_STORE_CONFLICT, 0);
        if (i > 1)
            mereau_testbed_fail_store(p.bed, 2, MEREAU_STORE_UNKNOWN, i == 2);
        done_for(&p, mereau_key_generate(p.test, MEREAU_ALG_ES256), MEREAU_KID,
                 kids[i]);
        assert_string_equal(kids[i], kids[0]);
        assert_states(&p, "signing published published ");
        mereau_testbed_free(p.bed);
    }
}

/* --- what is in the store --- */

static int32_t look_for_private(void *arg, size_t index,
                                const mereau_record *record) {
    (void)index;
    for (size_t i = 0; i + 4 <= record->value_len; i++)
        if (memcmp(record->value + i, "\"d\":", 4) == 0)
            ++*(int *)arg;
    return 0;
}

static void no_private_key_is_readable_in_the_store(void **state) {
    struct place *p = *state;
    const mereau_store *store = mereau_testbed_store(p->bed);
    mereau_need need = {0};
    int found = 0;
    done_and_freed(p, mereau_key_generate(p->test, MEREAU_ALG_ES384));
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_SCAN;
    need.partition = (const uint8_t *)"test";
    need.partition_len = 4;
    need.from = (const uint8_t *)"a";
    need.from_len = 1;
    need.limit = 1000;
    assert_int_equal(store->scan(store->user, &need, look_for_private, &found),
                     MEREAU_STORE_OK);
    assert_int_equal(found, 0);
}

/* --- importing --- */

static mereau_op *import_pem(struct place *p, int32_t alg, const char *pem) {
    mereau_op *op = mereau_key_import(p->test, alg);
    mereau_op_set_text(op, MEREAU_PEM, pem);
    return op;
}

static void a_private_key_is_imported_once(void **state) {
    struct place *p = *state;
    mereau_op *op = import_pem(p, MEREAU_ALG_ES256, ec_pkcs8);
    mereau_op_set_text(op, MEREAU_KID, "ours");
    done(p, op);
    assert_string_equal(mereau_op_text(op, MEREAU_KID), "ours");
    assert_string_equal(mereau_op_text(op, MEREAU_STATE), "published");
    assert_null(strstr(mereau_op_json(op), "\"d\""));
    mereau_op_free(op);
    assert_int_equal(is_published(p, "ours"), 1);
    refused(p, import_pem(p, MEREAU_ALG_ES256, ec_pkcs8), MEREAU_E_EXISTS,
            "key.thumbprint");
    op = import_pem(p, MEREAU_ALG_RS256, rsa_pkcs8);
    mereau_op_set_text(op, MEREAU_KID, "ours");
    refused(p, op, MEREAU_E_EXISTS, "key.kid");
    done_and_freed(p, import_pem(p, MEREAU_ALG_RS256, rsa_pkcs8));
}

static void what_cannot_sign_is_not_imported(void **state) {
    struct place *p = *state;
    mereau_op *op = import_pem(p, MEREAU_ALG_ES256, ec_spki);
    refused(p, op, MEREAU_E_KEY, "key.public");
    op = import_pem(p, MEREAU_ALG_RS256, ec_pkcs8);
    assert_int_not_equal(mereau_op_run(op, &p->err), MEREAU_OK);
    mereau_op_free(op);
    op = import_pem(p, MEREAU_ALG_ES256, ec_spki);
    mereau_op_set_text(op, MEREAU_KEY_LABEL, "hsm-1");
    refused(p, op, MEREAU_E_INCOMPLETE, "key.signer");
    refused(p, mereau_key_import(p->test, MEREAU_ALG_ES256), MEREAU_E_FIELD,
            "op.field");
    op = import_pem(p, MEREAU_ALG_ES256, ec_pkcs8);
    mereau_op_set_text(op, MEREAU_JWK, "{}");
    refused(p, op, MEREAU_E_FIELD, "op.field");
    op = mereau_key_import(p->test, MEREAU_ALG_ES256);
    mereau_op_set_text(op, MEREAU_JWK, "{\"kty\":\"EC\"}");
    assert_int_not_equal(mereau_op_run(op, &p->err), MEREAU_OK);
    mereau_op_free(op);
}

static int32_t sign_nothing(void *user, const mereau_need *need,
                            mereau_emit_bytes emit, void *arg) {
    (void)user;
    (void)need;
    (void)emit;
    (void)arg;
    return MEREAU_SIGN_FAILED;
}

static int32_t fixed_now(void *user, int64_t *now_at) {
    (void)user;
    *now_at = NOW;
    return 0;
}

static void a_key_outside_is_published_by_its_public_half(void **state) {
    static const uint8_t root[32] = "libmereau-testing: not a secret";
    static const mereau_signer signer = {(uint32_t)sizeof signer, 0, NULL,
                                         sign_nothing};
    static const mereau_clock clock = {(uint32_t)sizeof clock, 0, NULL,
                                       fixed_now};
    struct place *p = *state;
    mereau_ctx *ctx = mereau_ctx_new();
    mereau_ctx_set_store(ctx, mereau_testbed_store(p->bed));
    mereau_ctx_set_clock(ctx, &clock);
    mereau_ctx_set_signer(ctx, &signer);
    mereau_ctx_add_root_key(ctx, "test", root, sizeof root);
    assert_int_equal(mereau_ctx_ready(ctx, &p->err), MEREAU_OK);
    mereau_tenant *test = mereau_tenant_open(ctx, "test");
    mereau_op *op = mereau_key_import(test, MEREAU_ALG_ES256);
    mereau_op_set_text(op, MEREAU_PEM, ec_pkcs8);
    mereau_op_set_text(op, MEREAU_KEY_LABEL, "hsm-1");
    refused(p, op, MEREAU_E_KEY, "key.private");
    op = mereau_key_import(test, MEREAU_ALG_ES256);
    mereau_op_set_text(op, MEREAU_PEM, ec_spki);
    mereau_op_set_text(op, MEREAU_KEY_LABEL, "hsm-1");
    done(p, op);
    assert_string_equal(mereau_op_text(op, MEREAU_KEY_LABEL), "hsm-1");
    assert_int_equal(is_published(p, mereau_op_text(op, MEREAU_KID)), 1);
    mereau_op_free(op);
    mereau_tenant_free(test);
    mereau_ctx_free(ctx);
}

/* --- retiring --- */

static void the_last_key_that_signs_is_not_retired(void **state) {
    struct place *p = *state;
    char first[129], next[129];
    kid_of(p, 0, first);
    refused(p, mereau_key_retire(p->test, first), MEREAU_E_TOO_EARLY,
            "key.last");
    done_for(p, mereau_key_generate(p->test, MEREAU_ALG_ES256), MEREAU_KID,
             next);
    refused(p, mereau_key_retire(p->test, first), MEREAU_E_TOO_EARLY,
            "key.last"); /* the next one does not sign yet */
    mereau_testbed_advance(p->bed, DAY);
    done_and_freed(p, mereau_key_retire(p->test, first));
    refused(p, mereau_key_retire(p->test, next), MEREAU_E_TOO_EARLY,
            "key.last");
    refused(p, mereau_key_retire(p->test, "other"), MEREAU_E_UNKNOWN,
            "key.unknown");
}

static void a_retired_key_verifies_until_its_last_token_is_over(void **state) {
    struct place *p = *state;
    char first[129];
    kid_of(p, 0, first);
    /* The longest lifetime that there ever was counts, not today's. */
    mereau_op *op = mereau_tenant_update(p->test);
    mereau_op_set_int(op, MEREAU_ACCESS_LIFETIME_S, 5000);
    done_and_freed(p, op);
    op = mereau_tenant_update(p->test);
    mereau_op_set_int(op, MEREAU_ACCESS_LIFETIME_S, 10);
    done_and_freed(p, op);
    done_and_freed(p, mereau_key_generate(p->test, MEREAU_ALG_ES256));
    mereau_testbed_advance(p->bed, DAY);
    op = done(p, mereau_key_retire(p->test, first));
    assert_string_equal(mereau_op_text(op, MEREAU_STATE), "verifying");
    assert_true(mereau_op_int(op, MEREAU_VERIFIES_UNTIL) ==
                NOW + DAY + 5000 + 60);
    mereau_op_free(op);
    mereau_testbed_advance(p->bed, 5059);
    assert_int_equal(is_published(p, first), 1);
    /* Once more changes nothing. */
    op = done(p, mereau_key_retire(p->test, first));
    assert_true(mereau_op_int(op, MEREAU_VERIFIES_UNTIL) ==
                NOW + DAY + 5000 + 60);
    mereau_op_free(op);
    mereau_testbed_advance(p->bed, 1);
    assert_int_equal(is_published(p, first), 0);
    assert_states(p, "dropped published signing ");
}

static void a_key_whose_place_was_taken_is_retired_by_itself(void **state) {
    struct place *p = *state;
    char first[129];
    kid_of(p, 0, first);
    done_and_freed(p, mereau_key_generate(p->test, MEREAU_ALG_ES256));
    mereau_testbed_advance(p->bed, DAY + 60);
    done_and_freed(p, mereau_key_generate(p->test, MEREAU_ALG_ES256));
    mereau_testbed_advance(p->bed, 359);
    assert_int_equal(is_published(p, first), 1);
    mereau_testbed_advance(p->bed, 1);
    assert_int_equal(is_published(p, first), 0);
    /* And is forgotten a season later. */
    mereau_testbed_advance(p->bed, 91 * DAY);
    assert_states(p, "dropped published verifying signing ");
    done_and_freed(p, mereau_key_generate(p->test, MEREAU_ALG_ES256));
    assert_states(p, "published verifying signing published ");
}

/* --- revoking --- */

static void a_leaked_key_is_replaced_by_the_standby_at_once(void **state) {
    struct place *p = *state;
    char first[129], standby[129], signs[129];
    kid_of(p, 0, first);
    kid_of(p, 1, standby);
    mereau_op *op = done(p, mereau_key_revoke(p->test, first));
    assert_string_equal(mereau_op_text(op, MEREAU_KID), standby);
    assert_true(mereau_op_int(op, MEREAU_NOT_BEFORE_AT) == NOW + 30);
    assert_true(calls(p, MEREAU_NEED_COMMIT) == 1);
    mereau_op_free(op);
    assert_states(p, "dropped signing published ");
    assert_int_equal(is_published(p, first), 0);
    op = done(p, mereau_tenant_get(p->test));
    assert_true(mereau_op_int(op, MEREAU_NOT_BEFORE_AT) == NOW + 30);
    mereau_op_free(op);
    /* Again: as it is. */
    done_for(p, mereau_key_revoke(p->test, first), MEREAU_KID, signs);
    assert_string_equal(signs, standby);
    assert_true(calls(p, MEREAU_NEED_COMMIT) == 1);
    assert_states(p, "dropped signing published ");
    refused(p, mereau_key_revoke(p->test, "other"), MEREAU_E_UNKNOWN,
            "key.unknown");
}

static void a_leaked_standby_is_replaced_and_signing_goes_on(void **state) {
    struct place *p = *state;
    char first[129], standby[129], signs[129];
    kid_of(p, 0, first);
    kid_of(p, 1, standby);
    done_for(p, mereau_key_revoke(p->test, standby), MEREAU_KID, signs);
    assert_string_equal(signs, first);
    assert_states(p, "signing dropped published ");
}

static void without_a_standby_a_key_is_made(void **state) {
    struct place *p = *state;
    char kid[129], standby[129], signs[129];
    kid_of(p, 1, standby);
    done_for(p, import_pem(p, MEREAU_ALG_RS256, rsa_pkcs8), MEREAU_KID, kid);
    mereau_testbed_advance(p->bed, DAY);
    done_for(p, mereau_key_revoke(p->test, kid), MEREAU_KID, signs);
    assert_string_not_equal(signs, kid);
    /* Of its algorithm there was none: a new RSA key; the standby stays one. */
    assert_states(p, "signing published dropped signing ");
    kid_of(p, 3, kid);
    assert_string_equal(signs, kid);
}

static void a_leaked_key_does_not_come_back(void **state) {
    struct place *p = *state;
    char kid[129];
    done_for(p, import_pem(p, MEREAU_ALG_ES256, ec_pkcs8), MEREAU_KID, kid);
    done_and_freed(p, mereau_key_revoke(p->test, kid));
    mereau_op *op = import_pem(p, MEREAU_ALG_ES256, ec_sec1);
    mereau_op_set_text(op, MEREAU_KID, "another-name");
    refused(p, op, MEREAU_E_EXISTS, "key.thumbprint");
}

static void a_lost_reply_to_a_revocation_is_settled(void **state) {
    struct place *p = *state;
    char first[129], standby[129], signs[129];
    kid_of(p, 0, first);
    kid_of(p, 1, standby);
    mereau_testbed_fail_store(p->bed, 2, MEREAU_STORE_UNKNOWN, 1);
    done_for(p, mereau_key_revoke(p->test, first), MEREAU_KID, signs);
    assert_string_equal(signs, standby);
    assert_states(p, "dropped signing published ");
}

/* --- an app's own keys --- */

static mereau_op *app_key(struct place *p, const char *client_id) {
    mereau_op *op = mereau_key_generate(p->test, MEREAU_ALG_ES256);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    return op;
}

static size_t set_size(struct place *p, const char *client_id) {
    mereau_op *op = mereau_key_jwks(p->test);
    size_t n = 0;
    if (client_id != NULL)
        mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    done(p, op);
    for (const char *at = mereau_op_text(op, MEREAU_JWKS);
         (at = strstr(at, "\"kid\"")) != NULL; at++)
        n++;
    mereau_op_free(op);
    return n;
}

static void an_app_with_keys_has_a_set_of_its_own(void **state) {
    struct place *p = *state;
    mereau_op *app = done(p, mereau_app_create(p->test, "Printer"));
    const char *id = mereau_op_text(app, MEREAU_CLIENT_ID);
    char own[129], signs[129];
    assert_int_equal(set_size(p, id), 2);
    done_for(p, app_key(p, id), MEREAU_KID, own);
    assert_int_equal(set_size(p, id), 3);
    assert_int_equal(set_size(p, NULL), 3);
    mereau_testbed_advance(p->bed, DAY);
    assert_int_equal(set_size(p, id), 3); /* older tokens live on */
    mereau_testbed_advance(p->bed, DAY + 61);
    assert_int_equal(set_size(p, id), 1);
    refused(p, mereau_key_retire(p->test, own), MEREAU_E_TOO_EARLY, "key.last");
    /* Its leak concerns the app, not the tenant. */
    mereau_op *op = done(p, mereau_key_revoke(p->test, own));
    assert_true(mereau_op_int(op, MEREAU_NOT_BEFORE_AT) ==
                mereau_testbed_now(p->bed) + 30);
    snprintf(signs, sizeof signs, "%s", mereau_op_text(op, MEREAU_KID));
    mereau_op_free(op);
    assert_states(p, "signing published dropped signing published ");
    kid_of(p, 3, own);
    assert_string_equal(signs, own);
    op = done(p, mereau_tenant_get(p->test));
    assert_true(mereau_op_int(op, MEREAU_NOT_BEFORE_AT) == MEREAU_UNSET);
    mereau_op_free(op);
    op = mereau_key_list(p->test);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, id);
    mereau_op_set_text(op, MEREAU_STATE, "signing");
    done(p, op);
    assert_int_equal(mereau_op_next_row(op), 1);
    assert_string_equal(mereau_op_text(op, MEREAU_KID), own);
    assert_int_equal(mereau_op_next_row(op), 0);
    mereau_op_free(op);
    mereau_op_free(app);
}

static void a_leak_before_an_app_s_key_ever_signed_changes_no_signer(void **s) {
    struct place *p = *s;
    mereau_op *app = done(p, mereau_app_create(p->test, "Printer"));
    const char *id = mereau_op_text(app, MEREAU_CLIENT_ID);
    char own[129], first[129], signs[129];
    kid_of(p, 0, first);
    done_for(p, app_key(p, id), MEREAU_KID, own);
    done_for(p, mereau_key_revoke(p->test, own), MEREAU_KID, signs);
    assert_string_equal(signs, first);
    assert_states(p, "signing published dropped ");
    mereau_op_free(app);
}

/* --- verifiers --- */

/* A token as the tenant would sign it with the imported key "ours". */
static void make_token(struct place *p, struct mru_buf *out,
                       const char *client_id, const char *sub, int64_t iat) {
    char claims[512];
    uint8_t sig[MRU_MAX_SIG];
    size_t sig_len;
    mru_key *key = NULL;
    snprintf(claims, sizeof claims,
             "{\"iss\":\"" ISSUER "\",\"aud\":\"api\",\"sub\":\"%s\","
             "\"client_id\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"jti\":\"1\"}",
             sub, client_id, (long long)iat, (long long)iat + 300);
    assert_int_equal(mru_key_from_pem(&key, ec_pkcs8, strlen(ec_pkcs8),
                                      MEREAU_ALG_ES256, MRU_KEY_PRIVATE,
                                      &p->err),
                     MEREAU_OK);
    assert_int_equal(mru_jws_begin(out, MEREAU_ALG_ES256, "at+jwt", "ours",
                                   claims, strlen(claims)),
                     0);
    assert_int_equal(mru_key_sign(key, mru_os_random, NULL, out->data, out->len,
                                  sig, &sig_len),
                     MEREAU_OK);
    assert_int_equal(mru_jws_finish(out, sig, sig_len), 0);
    mru_key_free(key);
}

/* What a verifier says that has just been loaded. */
static void assert_verdict(struct place *p, const char *client_id,
                           const char *sub, int64_t iat, mereau_status wanted) {
    struct mru_buf token = {0};
    make_token(p, &token, client_id, sub, iat);
    mereau_status status = mereau_testbed_verify(
        p->bed, NULL, (const char *)token.data, "api", &p->err);
    assert_string_equal(mereau_status_name(status), mereau_status_name(wanted));
    mru_buf_free(&token);
}

static void import_ours(struct place *p) {
    mereau_op *op = import_pem(p, MEREAU_ALG_ES256, ec_pkcs8);
    mereau_op_set_text(op, MEREAU_KID, "ours");
    done_and_freed(p, op);
}

static void a_loaded_verifier_knows_keys_and_not_befores(void **state) {
    struct place *p = *state;
    import_ours(p);
    assert_verdict(p, "c", "s", NOW, MEREAU_OK);
    done_and_freed(
        p, mereau_not_before_raise(p->test, MEREAU_SUBJECT, "s", MEREAU_NOW));
    assert_verdict(p, "c", "s", NOW, MEREAU_E_NOT_BEFORE);
    assert_verdict(p, "c", "s", NOW + 30, MEREAU_E_NOT_BEFORE);
    assert_verdict(p, "c", "s", NOW + 31, MEREAU_OK);
    assert_verdict(p, "c", "s2", NOW, MEREAU_OK);
    done_and_freed(p, mereau_not_before_raise(p->test, MEREAU_TENANT_ID, NULL,
                                              MEREAU_NOW));
    assert_verdict(p, "c", "s2", NOW, MEREAU_E_NOT_BEFORE);
    assert_verdict(p, "c", "s2", NOW + 31, MEREAU_OK);
    done_and_freed(p, mereau_key_revoke(p->test, "ours"));
    assert_verdict(p, "c", "s2", NOW + 60, MEREAU_E_KEY_UNKNOWN);
}

static void a_disabled_tenant_is_refused_by_verifiers(void **state) {
    struct place *p = *state;
    import_ours(p);
    for (int64_t enabled = 0; enabled <= 1; enabled++) {
        mereau_op *op = mereau_tenant_update(p->test);
        mereau_op_set_int(op, MEREAU_ENABLED, enabled);
        done_and_freed(p, op);
        assert_verdict(p, "c", "s", NOW,
                       enabled ? MEREAU_OK : MEREAU_E_NOT_BEFORE);
    }
}

static void an_app_enabled_again_keeps_its_not_before(void **state) {
    struct place *p = *state;
    mereau_op *app = done(p, mereau_app_create(p->test, "Printer"));
    const char *id = mereau_op_text(app, MEREAU_CLIENT_ID);
    import_ours(p);
    done_and_freed(
        p, mereau_not_before_raise(p->test, MEREAU_CLIENT_ID, id, MEREAU_NOW));
    assert_verdict(p, id, "s", NOW + 31, MEREAU_OK);
    for (int64_t enabled = 0; enabled <= 1; enabled++) {
        mereau_op *op = mereau_app_update(p->test, id);
        mereau_op_set_int(op, MEREAU_ENABLED, enabled);
        done_and_freed(p, op);
        assert_verdict(p, id, "s", NOW, MEREAU_E_NOT_BEFORE);
        assert_verdict(p, id, "s", NOW + 31,
                       enabled ? MEREAU_OK : MEREAU_E_NOT_BEFORE);
    }
    mereau_op_free(app);
}

static void a_disabled_app_whose_not_before_is_raised_stays_refused(void **s) {
    struct place *p = *s;
    mereau_op *app = done(p, mereau_app_create(p->test, "Printer"));
    const char *id = mereau_op_text(app, MEREAU_CLIENT_ID);
    mereau_op *op = mereau_app_update(p->test, id);
    import_ours(p);
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    done_and_freed(p, op);
    done_and_freed(
        p, mereau_not_before_raise(p->test, MEREAU_CLIENT_ID, id, MEREAU_NOW));
    assert_verdict(p, id, "s", NOW + 31, MEREAU_E_NOT_BEFORE);
    mereau_op_free(app);
}

static void notices_are_bounded_and_the_newest_stay(void **state) {
    struct place *p = *state;
    char name[16];
    import_ours(p);
    for (int i = 0; i < 410; i++) {
        snprintf(name, sizeof name, "s%d", i);
        done_and_freed(p, mereau_not_before_raise(p->test, MEREAU_SUBJECT, name,
                                                  MEREAU_NOW));
        if (i == 9)
            mereau_testbed_advance(p->bed, 1);
    }
    assert_verdict(p, "c", "s9", NOW, MEREAU_OK); /* had to make room */
    assert_verdict(p, "c", "s10", NOW, MEREAU_E_NOT_BEFORE);
    assert_verdict(p, "c", "s409", NOW, MEREAU_E_NOT_BEFORE);
}

static void a_notice_is_forgotten_with_the_last_token_it_concerns(void **s) {
    struct place *p = *s;
    import_ours(p);
    done_and_freed(
        p, mereau_not_before_raise(p->test, MEREAU_SUBJECT, "s", MEREAU_NOW));
    mereau_testbed_advance(p->bed, 300 + 600 - 1);
    done_and_freed(
        p, mereau_not_before_raise(p->test, MEREAU_SUBJECT, "x", MEREAU_NOW));
    mereau_testbed_advance(p->bed, -899);
    assert_verdict(p, "c", "s", NOW, MEREAU_E_NOT_BEFORE);
    mereau_testbed_advance(p->bed, 300 + 600);
    done_and_freed(
        p, mereau_not_before_raise(p->test, MEREAU_SUBJECT, "y", MEREAU_NOW));
    mereau_testbed_advance(p->bed, -900);
    assert_verdict(p, "c", "s", NOW, MEREAU_OK);
}

static void a_verifier_is_loaded_again_and_again(void **state) {
    struct place *p = *state;
    mereau_verifier *verifier = mereau_verifier_new(ISSUER, "api");
    mereau_op *load = mereau_verifier_load(p->test, verifier);
    struct mru_buf token = {0};
    done(p, load);
    assert_int_equal(mereau_verifier_ready(verifier, &p->err), MEREAU_OK);
    make_token(p, &token, "c", "s", NOW);
    assert_int_equal(mereau_jwt_verify(verifier, NULL, (const char *)token.data,
                                       token.len, NOW, &p->err),
                     MEREAU_E_KEY_UNKNOWN);
    import_ours(p);
    done(p, load);
    assert_int_equal(mereau_jwt_verify(verifier, NULL, (const char *)token.data,
                                       token.len, NOW, &p->err),
                     MEREAU_OK);
    mru_buf_free(&token);
    mereau_op_free(load);
    mereau_verifier_free(verifier);
}

static void a_verifier_of_another_issuer_is_not_loaded(void **state) {
    struct place *p = *state;
    mereau_verifier *verifier = mereau_verifier_new(ISSUER "/other", "api");
    mereau_op *load = mereau_verifier_load(p->test, verifier);
    assert_int_equal(mereau_op_run(load, &p->err), MEREAU_E_ISSUER);
    mereau_op_free(load);
    mereau_verifier_free(verifier);
    load = mereau_verifier_load(p->test, NULL);
    assert_int_equal(mereau_op_run(load, &p->err), MEREAU_E_NOMEM);
    mereau_op_free(load);
}

/* --- with tokens --- */

/* What a device gets: access and refresh token. */
static mereau_op *enrol(struct place *p, const char *client_id,
                        const char *device_id) {
    static const uint8_t nonce[16] = {1};
    mereau_op *mint =
        done(p, mereau_registration_token_mint(p->test, client_id, 1, HOUR));
    mereau_op *redeem =
        done(p, mereau_registration_token_redeem(
                    p->test, mereau_op_text(mint, MEREAU_REGISTRATION_TOKEN),
                    device_id, nonce, sizeof nonce));
    mereau_op *exchange =
        done(p, mereau_auth_token_exchange(
                    p->test, mereau_op_text(redeem, MEREAU_AUTH_TOKEN)));
    mereau_op_free(redeem);
    mereau_op_free(mint);
    return exchange;
}

static mereau_status verdict(struct place *p, const mereau_op *tokens) {
    return mereau_testbed_verify(p->bed, NULL,
                                 mereau_op_text(tokens, MEREAU_ACCESS_TOKEN),
                                 "api", &p->err);
}

static mereau_op *create_app(struct place *p) {
    mereau_op *app = mereau_app_create(p->test, "Printer");
    mereau_op_add_text(app, MEREAU_AUDIENCE, "api");
    return done(p, app);
}

static void after_a_leak_nothing_old_is_good_and_everything_new_is(void **s) {
    struct place *p = *s;
    mereau_op *app = create_app(p);
    const char *id = mereau_op_text(app, MEREAU_CLIENT_ID);
    char first[129];
    mereau_op *old = enrol(p, id, "d1");
    assert_string_equal(mereau_status_name(verdict(p, old)), "MEREAU_OK");
    kid_of(p, 0, first);
    done_and_freed(p, mereau_key_revoke(p->test, first));
    assert_int_equal(verdict(p, old), MEREAU_E_KEY_UNKNOWN);
    mereau_op *refresh = mereau_token_refresh(
        p->test, mereau_op_text(old, MEREAU_REFRESH_TOKEN));
    assert_int_equal(mereau_op_run(refresh, &p->err), MEREAU_E_NOT_BEFORE);
    mereau_op *fresh = enrol(p, id, "d2"); /* in the same second */
    assert_string_equal(mereau_status_name(verdict(p, fresh)), "MEREAU_OK");
    mereau_op_free(fresh);
    mereau_op_free(refresh);
    mereau_op_free(old);
    mereau_op_free(app);
}

static void a_rotation_is_not_noticed_by_who_has_tokens(void **state) {
    struct place *p = *state;
    mereau_op *app = create_app(p);
    const char *id = mereau_op_text(app, MEREAU_CLIENT_ID);
    char first[129];
    kid_of(p, 0, first);
    done_and_freed(p, mereau_key_generate(p->test, MEREAU_ALG_ES256));
    mereau_testbed_advance(p->bed, DAY - 1);
    mereau_op *old = enrol(p, id, "d1"); /* the first key's last token */
    mereau_testbed_advance(p->bed, 1);
    mereau_op *fresh = enrol(p, id, "d2");
    done_and_freed(p, mereau_key_retire(p->test, first));
    mereau_testbed_advance(p->bed, 298);
    assert_string_equal(mereau_status_name(verdict(p, old)), "MEREAU_OK");
    assert_string_equal(mereau_status_name(verdict(p, fresh)), "MEREAU_OK");
    mereau_testbed_advance(p->bed, 1);
    assert_int_equal(verdict(p, old), MEREAU_E_EXPIRED);
    mereau_op_free(fresh);
    mereau_op_free(old);
    mereau_op_free(app);
}

/* --- without memory --- */

/* Each of the first 300 allocations, then a growing choice of them: the
 * mathematics of keys makes thousands, all in the same few places. */

static mereau_op *make(struct place *p, int which, const char *kid,
                       mereau_verifier *verifier) {
    switch (which) {
    case 0:
        return mereau_key_list(p->test);
    case 1:
        return mereau_key_jwks(p->test);
    case 2:
        return mereau_verifier_load(p->test, verifier);
    case 3:
        return mereau_key_generate(p->test, MEREAU_ALG_ES256);
    case 4:
        return import_pem(p, MEREAU_ALG_ES256, ec_pkcs8);
    default:
        return mereau_key_revoke(p->test, kid);
    }
}

static void new_bed(struct place *p, char kid[129]) {
    mereau_testbed_free(p->bed);
    p->bed = mereau_testbed_new(1, NOW);
    p->test = mereau_testbed_tenant(p->bed);
    kid_of(p, 0, kid);
}

static void every_failing_allocation_is_reported_and_leaks_nothing(void **s) {
    struct place *p = *s;
    char kid[129];
    if (!test_alloc_available())
        skip();
    kid_of(p, 0, kid);
    for (int which = 0; which <= 5; which++) {
        unsigned long n = 0;
        for (int over = 0; !over;) {
            mereau_verifier *verifier = mereau_verifier_new(ISSUER, "api");
            test_alloc_fail_at(n += 1 + n / 300 * 20);
            mereau_op *op = make(p, which, kid, verifier);
            mereau_status status = mereau_op_run(op, &p->err);
            mereau_op_free(op);
            over = test_alloc_pending();
            test_alloc_fail_at(0);
            mereau_verifier_free(verifier);
            /* mbedTLS reads PEM by trying, and does not say why it failed. */
            if (which == 4 && status == MEREAU_E_MALFORMED)
                continue;
            if (status != MEREAU_OK)
                assert_true(
                    status == MEREAU_E_NOMEM || status == MEREAU_E_STORE ||
                    status == MEREAU_E_CRYPTO || status == MEREAU_E_UNCERTAIN);
            else if (which > 2 && !over)
                new_bed(p, kid); /* done all the same: start over */
            assert_in_range(n, 1, 1000000);
        }
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_new_key_is_published_a_day_before_it_signs),
        TEST(a_key_that_verifiers_may_not_have_by_then_is_refused),
        TEST(a_secret_or_an_unknown_algorithm_is_refused),
        TEST(a_key_of_an_app_needs_the_app),
        TEST(a_key_is_made_once_whatever_the_store_answers),
        TEST(no_private_key_is_readable_in_the_store),
        TEST(a_private_key_is_imported_once),
        TEST(what_cannot_sign_is_not_imported),
        TEST(a_key_outside_is_published_by_its_public_half),
        TEST(the_last_key_that_signs_is_not_retired),
        TEST(a_retired_key_verifies_until_its_last_token_is_over),
        TEST(a_key_whose_place_was_taken_is_retired_by_itself),
        TEST(a_leaked_key_is_replaced_by_the_standby_at_once),
        TEST(a_leaked_standby_is_replaced_and_signing_goes_on),
        TEST(without_a_standby_a_key_is_made),
        TEST(a_leaked_key_does_not_come_back),
        TEST(a_lost_reply_to_a_revocation_is_settled),
        TEST(an_app_with_keys_has_a_set_of_its_own),
        TEST(a_leak_before_an_app_s_key_ever_signed_changes_no_signer),
        TEST(a_loaded_verifier_knows_keys_and_not_befores),
        TEST(a_disabled_tenant_is_refused_by_verifiers),
        TEST(an_app_enabled_again_keeps_its_not_before),
        TEST(a_disabled_app_whose_not_before_is_raised_stays_refused),
        TEST(notices_are_bounded_and_the_newest_stay),
        TEST(a_notice_is_forgotten_with_the_last_token_it_concerns),
        TEST(a_verifier_is_loaded_again_and_again),
        TEST(a_verifier_of_another_issuer_is_not_loaded),
        TEST(after_a_leak_nothing_old_is_good_and_everything_new_is),
        TEST(a_rotation_is_not_noticed_by_who_has_tokens),
        TEST(every_failing_allocation_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
