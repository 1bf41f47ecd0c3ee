/* tests/fuzz/keys.c - key sets and keys as strangers publish them: JWKS, JWK, PEM,
 * certificates. */
#include <mereau/mereau.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static const int32_t algs[] = {MEREAU_ALG_ES256, MEREAU_ALG_RS256};
    mereau_verifier *v = mereau_verifier_new("https://id.example", "api");
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier_set_jwks(v, (const char *)data, len);
    (void)mereau_verifier_ready(v, &err);
    mereau_verifier_free(v);
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        v = mereau_verifier_new("https://id.example", "api");
        mereau_verifier_add_key(v, (const char *)data, len, algs[i]);
        (void)mereau_verifier_ready(v, &err);
        mereau_verifier_free(v);
    }
    return 0;
}
