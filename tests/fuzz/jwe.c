/* tests/fuzz/jwe.c - what decryption does with a token of a stranger, who has every
 * public key, and with one whose tag is right: its header is then the attacker's
 * choice. */
#include <stdlib.h>
#include <string.h>

#include <mereau/mereau.h>

#include "base/base.h"
#include "jose/content.h"
#include "key_texts.h"

static const uint8_t secret[32] = "a secret that everybody knows";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void add(mereau_jwks *keys, mereau_status status, mereau_jwk *key) {
    if (status != MEREAU_OK || mereau_jwks_add(keys, key, NULL) != MEREAU_OK)
        abort();
    mereau_jwk_free(key);
}

/* One key of every kind; of each algorithm only one, so that a token needs no kid
 * to find it. */
static mereau_jwks *make_keys(void) {
    static const struct {
        int32_t alg;
        const char *pem; /* NULL: the secret */
        size_t len;
    } kinds[] = {{MEREAU_ALG_DIR, NULL, 32},
                 {MEREAU_ALG_A128KW, NULL, 16},
                 {MEREAU_ALG_A256KW, NULL, 32},
                 {MEREAU_ALG_RSA_OAEP, rsa_pkcs8, 0},
                 {MEREAU_ALG_RSA_OAEP_256, rsa_pkcs8, 0},
                 {MEREAU_ALG_ECDH_ES, ec_pkcs8, 0},
                 {MEREAU_ALG_ECDH_ES_A128KW, ec_pkcs8, 0},
                 {MEREAU_ALG_ECDH_ES_A256KW, ec_pkcs8, 0}};
    mereau_jwks *keys = mereau_jwks_new();
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        mereau_jwk *key = NULL;
        mereau_status status =
            kinds[i].pem
                ? mereau_jwk_read_encoded(&key, (const uint8_t *)kinds[i].pem,
                                          strlen(kinds[i].pem), kinds[i].alg,
                                          NULL)
                : mereau_jwk_from_secret(&key, secret, kinds[i].len,
                                         kinds[i].alg, NULL);
        add(keys, status, key);
    }
    return keys;
}

/* Decrypts; wanted: what may come out when it succeeds, or NULL for anything. */
static void decrypt(const mereau_jwks *keys, const char *token, size_t len,
                    const uint8_t *wanted, size_t wanted_len) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_bytes *plain = mereau_bytes_new();
    mereau_claims *header = mereau_claims_new();
    size_t n = 0, header_len = 0;
    mereau_status status =
        mereau_jwe_decrypt(plain, header, keys, token, len, &err);
    const uint8_t *out = mereau_bytes_data(plain, &n);
    mereau_claims_json(header, &header_len);
    if (status == MEREAU_OK) {
        if (!mereau_claims_text(header, "alg") ||
            !mereau_claims_text(header, "enc"))
            abort();
        if (wanted && (n != wanted_len || memcmp(out, wanted, n) != 0))
            abort();
    } else if (n != 0 || header_len != 0 || err.rule[0] == '\0') {
        abort(); /* something was given out, or there is no reason */
    }
    mereau_bytes_free(plain);
    mereau_claims_free(header);
}

/* The line before the first line feed is the header, the rest the content, under
 * the dir key with A256GCM, whatever the header says. */
static void seal(struct mru_buf *token, const uint8_t *data, size_t head,
                 const uint8_t *content, size_t len) {
    static const uint8_t iv[12] = {1};
    uint8_t tag[MRU_MAX_TAG], *cipher = mru_alloc(len);
    mru_buf_add_b64(token, data, head);
    mereau_slice aad = {token->data, token->len};
    if (!cipher || token->failed ||
        mru_content_seal(mru_enc_info(MEREAU_ENC_A256GCM), secret, iv, &aad,
                         content, len, cipher, tag) != 0)
        abort();
    mru_buf_add_text(token, "..");
    mru_buf_add_b64(token, iv, sizeof iv);
    mru_buf_add_byte(token, '.');
    mru_buf_add_b64(token, cipher, len);
    mru_buf_add_byte(token, '.');
    mru_buf_add_b64(token, tag, 16);
    mru_free(cipher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static mereau_jwks *keys;
    struct mru_buf token = {0};
    if (!keys)
        keys = make_keys();
    decrypt(keys, (const char *)data, len, NULL, 0);
    const uint8_t *end = len > 0 ? memchr(data, '\n', len) : NULL;
    size_t head = end ? (size_t)(end - data) : len;
    const uint8_t *content = end ? end + 1 : data + len;
    size_t left = len - head - (end != NULL);
    seal(&token, data, head, content, left);
    if (!token.failed)
        decrypt(keys, (const char *)token.data, token.len, content, left);
    mru_buf_free(&token);
    return 0;
}
