/* tests/fuzz/pem.c - keys and certificates in PEM and DER. What is read has the
 * algorithm it was read for, is written in every form and read to the same key; and
 * nothing that is a key here is a secret elsewhere. */
#include <stdlib.h>
#include <string.h>

#include <mereau/verify.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int held) {
    if (!held)
        abort();
}

static void comes_back(const mereau_jwk *key, int32_t form) {
    mereau_bytes *out = mereau_bytes_new();
    mereau_jwk *back = NULL;
    size_t len = 0;
    must(mereau_jwk_write(out, key, form, NULL) == MEREAU_OK);
    const uint8_t *data = mereau_bytes_data(out, &len);
    mereau_status status =
        form <= MEREAU_JWK_PRIVATE
            ? mereau_jwk_read(&back, (const char *)data, len, 0, NULL)
            : mereau_jwk_read_encoded(&back, data, len, mereau_jwk_alg(key),
                                      NULL);
    must(status == MEREAU_OK);
    must(strcmp(mereau_jwk_kid(back), mereau_jwk_kid(key)) == 0);
    must(mereau_jwk_is_private(back) == (form % 2 == 0));
    mereau_jwk_free(back);
    mereau_bytes_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static const int32_t algs[] = {MEREAU_ALG_ES256,  MEREAU_ALG_ES384,
                                   MEREAU_ALG_ES512,  MEREAU_ALG_ES256K,
                                   MEREAU_ALG_RS256,  MEREAU_ALG_EDDSA,
                                   MEREAU_ALG_ECDH_ES};
    mereau_jwk *key = NULL, *secret = NULL;
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        if (mereau_jwk_read_encoded(&key, data, len, algs[i], NULL) !=
            MEREAU_OK) {
            must(key == NULL);
            continue;
        }
        must(mereau_jwk_alg(key) == algs[i]);
        for (int32_t form = MEREAU_JWK_PUBLIC; form <= MEREAU_DER_PRIVATE;
             form++)
            if (form % 2 == 1 || mereau_jwk_is_private(key))
                comes_back(key, form);
        must(mereau_jwk_from_secret(&secret, data, len, MEREAU_ALG_HS256,
                                    NULL) != MEREAU_OK);
        mereau_jwk_free(key);
    }
    return 0;
}
