/* tests/unit/tokens.c - tokens for tests. See tokens.h. */
#include "tokens.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "jose/verifier.h"

const uint8_t token_secret[32] = "another secret of 32 bytes, used";

static int draw(void *arg, uint8_t *out, size_t len) {
    (void)arg;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(i * 11 + 3);
    return 0;
}

char *token_signed(const mru_key *key, const char *header,
                   const char *payload) {
    struct mru_buf out = {0};
    uint8_t sig[MRU_MAX_SIG];
    size_t len = 0;
    mru_buf_add_b64(&out, (const uint8_t *)header, strlen(header));
    mru_buf_add_byte(&out, '.');
    mru_buf_add_b64(&out, (const uint8_t *)payload, strlen(payload));
    assert_int_equal(
        mru_key_sign(key, draw, NULL, out.data, out.len, sig, &len), MEREAU_OK);
    assert_int_equal(mru_jws_finish(&out, sig, len), 0);
    return (char *)out.data;
}

char *token_secret_signed(const char *header, const char *payload) {
    mereau_error err = MEREAU_ERROR_INIT;
    mru_key *key = NULL;
    assert_int_equal(mru_key_from_secret(&key, token_secret,
                                         sizeof token_secret, MEREAU_ALG_HS256,
                                         &err),
                     MEREAU_OK);
    char *token = token_signed(key, header, payload);
    mru_key_free(key);
    return token;
}

mru_key *token_key(const char *pem, int32_t alg) {
    mereau_error err = MEREAU_ERROR_INIT;
    mru_key *key = NULL;
    assert_int_equal(mru_key_from_pem(&key, pem, strlen(pem), alg, 0, &err),
                     MEREAU_OK);
    return key;
}
