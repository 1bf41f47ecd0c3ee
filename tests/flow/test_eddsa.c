/* tests/flow/test_eddsa.c - a tenant that signs with Ed25519 (RFC 8037, RFC 9864),
 * where the provider has it; where not, it is refused by name and nothing is
 * written. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#include "jose/jws.h"

/* RFC 8037 appendix A.1. */
#define OKP                                                                    \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","                                    \
    "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","                   \
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
#define OKP_KID "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

static int is_here(void) {
    if (mru_crypto_has() & MRU_HAS_ED25519)
        return 1;
    print_message("unsupported: EdDSA on %s\n", mru_crypto_name());
    return 0;
}

static mereau_op *imported(struct flow *f) {
    mereau_op *op = mereau_key_import(f->tenant, MEREAU_ALG_EDDSA);
    mereau_op_set_text(op, MEREAU_JWK, OKP);
    return op;
}

/* Mints, redeems, exchanges and verifies, without the store and with it. */
static void tokens_live(struct flow *f, const char *kid) {
    char header[128];
    struct mru_buf out = {0};
    flow_app(f, "{\"alg\":\"EdDSA\"}");
    struct flow_pair pair =
        flow_enrol(f, flow_mint(f, 1, 86400).text, "device");
    snprintf(header, sizeof header,
             "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", kid);
    mru_buf_add_b64(&out, (const uint8_t *)header, strlen(header));
    assert_memory_equal(pair.access, out.data, out.len);
    mru_buf_free(&out);
    assert_int_equal(flow_verify(f, pair.access), MEREAU_OK);
    DONE(f, mereau_token_verify_live(f->tenant, pair.access));
    char *bad = strdup(pair.access);
    char *first = strrchr(bad, '.') + 1;
    *first = *first == 'A' ? 'B' : 'A';
    assert_int_equal(flow_verify(f, bad), MEREAU_E_SIGNATURE);
    free(bad);
}

static void a_tenant_signs_with_a_key_made_here(void **state) {
    struct flow f;
    (void)state;
    flow_start(&f);
    if (!is_here()) {
        REFUSED(&f, mereau_key_generate(f.tenant, MEREAU_ALG_EDDSA),
                MEREAU_E_ALG, "key.eddsa");
        flow_close(&f);
        return;
    }
    mereau_op *made = DONE(&f, mereau_key_generate(f.tenant, MEREAU_ALG_EDDSA));
    f.now_at += 2 * 86400; /* the new key has been published long enough */
    mereau_op *jwks = DONE(&f, mereau_key_jwks(f.tenant));
    const char *set = mereau_op_text(jwks, MEREAU_JWKS);
    assert_non_null(strstr(set, "\"kty\":\"OKP\""));
    assert_null(strstr(set, "\"d\":"));
    tokens_live(&f, mereau_op_text(made, MEREAU_KID));
    flow_close(&f);
}

static void a_tenant_signs_with_a_key_it_brings(void **state) {
    struct flow f;
    (void)state;
    flow_start(&f);
    if (!is_here()) {
        REFUSED(&f, imported(&f), MEREAU_E_ALG, "key.eddsa");
        flow_close(&f);
        return;
    }
    DONE(&f, imported(&f));
    f.now_at += 2 * 86400;
    tokens_live(&f, OKP_KID);
    flow_close(&f);
}

static void a_tenant_is_created_with_it(void **state) {
    const struct flow_setup setup = {.seed = 1, .no_tenant = 1};
    struct flow f;
    (void)state;
    flow_open(&f, &setup);
    mereau_op *op = mereau_tenant_create(f.tenant, "https://id.test.example");
    mereau_op_set_text(op, MEREAU_ALG, "EdDSA");
    if (!is_here()) {
        REFUSED(&f, op, MEREAU_E_ALG, "key.eddsa");
    } else {
        DONE(&f, op);
        op = DONE(&f, mereau_key_jwks(f.tenant));
        assert_non_null(
            strstr(mereau_op_text(op, MEREAU_JWKS), "\"alg\":\"EdDSA\""));
    }
    flow_close(&f);
}

/* --- a verifier with a set, and both names of the algorithm --- */

static int no_draw(void *arg, uint8_t *out, size_t len) {
    (void)arg, (void)out, (void)len;
    return -1; /* Ed25519 needs none */
}

static mru_key *rfc_key(void) {
    struct mru_jval root;
    mereau_error err = MEREAU_ERROR_INIT;
    mru_key *key = NULL;
    assert_int_equal(
        mru_json_check(&root, OKP, strlen(OKP), &mru_json_default_limits, &err),
        MEREAU_OK);
    assert_int_equal(
        mru_key_from_jwk(&key, &root, MEREAU_ALG_EDDSA, MRU_KEY_PRIVATE, &err),
        MEREAU_OK);
    return key;
}

static char *signed_by(const mru_key *key, const char *alg) {
    char header[64];
    static const char claims[] =
        "{\"iss\":\"https://id.example\",\"aud\":\"api\",\"sub\":\"s\","
        "\"client_id\":\"c\",\"iat\":1800000000,\"exp\":1800000600,"
        "\"jti\":\"j\"}";
    struct mru_buf out = {0};
    uint8_t sig[MRU_MAX_SIG];
    size_t len = 0;
    snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"at+jwt\"}", alg);
    mru_buf_add_b64(&out, (const uint8_t *)header, strlen(header));
    mru_buf_add_byte(&out, '.');
    mru_buf_add_b64(&out, (const uint8_t *)claims, strlen(claims));
    assert_int_equal(
        mru_key_sign(key, no_draw, NULL, out.data, out.len, sig, &len),
        MEREAU_OK);
    assert_int_equal(mru_jws_finish(&out, sig, len), 0);
    return (char *)out.data;
}

static void both_names_of_the_algorithm_are_one(void **state) {
    static const struct {
        const char *alg;
        mereau_status status;
    } cases[] = {{"EdDSA", MEREAU_OK},
                 {"Ed25519", MEREAU_OK},
                 {"ed25519", MEREAU_E_ALG},
                 {"Ed448", MEREAU_E_ALG},
                 {"ES256", MEREAU_E_ALG}};
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_buf set = {0};
    (void)state;
    if (!is_here())
        return;
    mru_key *key = rfc_key();
    mru_buf_add_text(&set, "{\"keys\":[");
    assert_int_equal(mru_key_print_public(&set, key), 0);
    mru_buf_add_text(&set, "]}");
    mereau_verifier *v = mereau_verifier_new("https://id.example", "api");
    mereau_verifier_set_jwks(v, (const char *)set.data, set.len);
    assert_int_equal(mereau_verifier_ready(v, &err), MEREAU_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *token = signed_by(key, cases[i].alg);
        mereau_status status = mereau_jwt_verify(v, NULL, token, strlen(token),
                                                 INT64_C(1800000001), &err);
        if (status != cases[i].status)
            fail_msg("%s: %s", cases[i].alg, err.text);
        mru_free(token);
    }
    mereau_verifier_free(v);
    mru_buf_free(&set);
    mru_key_free(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenant_signs_with_a_key_made_here),
        cmocka_unit_test(a_tenant_signs_with_a_key_it_brings),
        cmocka_unit_test(a_tenant_is_created_with_it),
        cmocka_unit_test(both_names_of_the_algorithm_are_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
