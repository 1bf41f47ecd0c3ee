/* tests/fuzz/jwk.c - keys and sets of keys as strangers publish them, JWK and JWKS:
 * by a verifier, and one by one. What is read is written, read again and the same;
 * no public form has a secret. */
#include <stdlib.h>
#include <string.h>

#include <mereau/verify.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int held) {
    if (!held)
        abort();
}

static void by_a_verifier(const char *text, size_t len) {
    static const int32_t algs[] = {MEREAU_ALG_ES256, MEREAU_ALG_RS256};
    mereau_verifier *v = mereau_verifier_new("https://id.example", "api");
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier_set_jwks(v, text, len);
    (void)mereau_verifier_ready(v, &err);
    mereau_verifier_free(v);
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        v = mereau_verifier_new("https://id.example", "api");
        mereau_verifier_add_key(v, text, len, algs[i]);
        (void)mereau_verifier_ready(v, &err);
        mereau_verifier_free(v);
    }
}

/* Whole and public forms of a key that was read. */
static void comes_back(const mereau_jwk *key) {
    int is_private = mereau_jwk_is_private(key);
    mereau_bytes *out = mereau_bytes_new();
    mereau_jwk *back = NULL;
    must(mereau_jwk_write(out, key,
                          is_private ? MEREAU_JWK_PRIVATE : MEREAU_JWK_PUBLIC,
                          NULL) == MEREAU_OK);
    must(mereau_jwk_read(&back, mereau_bytes_text(out),
                         strlen(mereau_bytes_text(out)), 0, NULL) == MEREAU_OK);
    must(strcmp(mereau_jwk_kid(back), mereau_jwk_kid(key)) == 0);
    must(mereau_jwk_alg(back) == mereau_jwk_alg(key));
    must(mereau_jwk_is_private(back) == is_private);
    mereau_jwk_free(back);
    if (mereau_jwk_write(out, key, MEREAU_JWK_PUBLIC, NULL) == MEREAU_OK)
        must(strcmp(mereau_jwk_kty(key), "oct") != 0);
    mereau_bytes_free(out);
}

static void as_a_set(const char *text, size_t len) {
    mereau_jwks *set = NULL;
    if (mereau_jwks_read(&set, text, len, NULL) != MEREAU_OK) {
        must(set == NULL);
        return;
    }
    must(mereau_jwks_count(set) > 0);
    for (size_t i = 0; i < mereau_jwks_count(set); i++) {
        const mereau_jwk *key = mereau_jwks_at(set, i);
        must(mereau_jwks_find(set, mereau_jwk_kid(key)) != NULL);
        if (i < 4)
            comes_back(key);
    }
    mereau_jwks_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static const int32_t algs[] = {0, MEREAU_ALG_ES256, MEREAU_ALG_PS256,
                                   MEREAU_ALG_ECDH_ES, MEREAU_ALG_DIR};
    const char *text = (const char *)data;
    by_a_verifier(text, len);
    as_a_set(text, len);
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        mereau_jwk *key = NULL;
        if (mereau_jwk_read(&key, text, len, algs[i], NULL) == MEREAU_OK)
            comes_back(key);
        else
            must(key == NULL);
        mereau_jwk_free(key);
    }
    return 0;
}
