/* tests/vectors/vec_jose.c - what test vectors of JOSE have in common. */
#include "vec_jose.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

mereau_jwks *vec_key(const cJSON *jwk, const char *alg, mereau_error *err) {
    mereau_jwks *set = mereau_jwks_new();
    mereau_jwk *key = NULL;
    cJSON *copy = cJSON_Duplicate(jwk, 1);
    if (alg && !cJSON_GetObjectItemCaseSensitive(copy, "alg"))
        cJSON_AddStringToObject(copy, "alg", alg);
    char *text = cJSON_PrintUnformatted(copy);
    mereau_status status = mereau_jwk_read(&key, text, strlen(text), 0, err);
    if (status == MEREAU_OK)
        status = mereau_jwks_add(set, key, err);
    mereau_jwk_free(key);
    free(text);
    cJSON_Delete(copy);
    if (status == MEREAU_OK)
        return set;
    mereau_jwks_free(set);
    return NULL;
}

const mereau_jwk *vec_only(const mereau_jwks *set) {
    return mereau_jwks_at(set, 0);
}

int vec_alg_not_done(const char *alg) {
    return strncmp(alg, "PBES2", 5) == 0 || strcmp(alg, "RSA1_5") == 0 ||
           strstr(alg, "192") != NULL || strstr(alg, "GCMKW") != NULL;
}

const char *vec_not_done(const char *jwe) {
    size_t len = strcspn(jwe, ".");
    uint8_t *text = calloc(1, len + 1);
    const char *what = NULL;
    if (mru_b64_decode(NULL, jwe, len) >= 0)
        mru_b64_decode(text, jwe, len);
    cJSON *header = cJSON_Parse((const char *)text);
    if (vec_alg_not_done(vec_text(header, "alg")))
        what = "alg";
    else if (vec_alg_not_done(vec_text(header, "enc")))
        what = "enc";
    else if (cJSON_GetObjectItemCaseSensitive(header, "zip"))
        what = "zip";
    cJSON_Delete(header);
    free(text);
    return what;
}

int vec_decrypts(const mereau_jwks *keys, const char *token,
                 const uint8_t *wanted, size_t len, mereau_error *err) {
    mereau_bytes *plain = mereau_bytes_new();
    size_t n = 0;
    int right = mereau_jwe_decrypt(plain, NULL, keys, token, strlen(token),
                                   err) == MEREAU_OK;
    const uint8_t *got = mereau_bytes_data(plain, &n);
    right = right && n == len && memcmp(got, wanted, n) == 0;
    mereau_bytes_free(plain);
    return right;
}

int vec_verifies(const mereau_jwks *keys, const char *token,
                 const uint8_t *wanted, size_t len, mereau_error *err) {
    mereau_bytes *payload = mereau_bytes_new();
    size_t n = 0;
    int right = mereau_jws_verify(payload, NULL, keys, token, strlen(token),
                                  NULL, 0, 0, err) == MEREAU_OK;
    const uint8_t *got = mereau_bytes_data(payload, &n);
    right = right && n == len && memcmp(got, wanted, n) == 0;
    mereau_bytes_free(payload);
    return right;
}
