/* lib/jose/content.h - content encryption of a JWE (RFC 7518 section 5): AES-GCM,
 * and AES-CBC with HMAC, which is put together here for all providers. */
#ifndef MRU_JOSE_CONTENT_H
#define MRU_JOSE_CONTENT_H

#include "../crypto/crypto.h"

struct mru_enc {
    int32_t id; /* MEREAU_ENC_* */
    const char *name; /* "A128CBC-HS256" */
    size_t key_len; /* of the whole CEK */
    size_t iv_len;
    size_t tag_len;
    int hash; /* of the HMAC; 0: GCM */
};
#define MRU_MAX_CEK 64
#define MRU_MAX_IV 16
#define MRU_MAX_TAG 32

/* NULL for an unknown one. */
const struct mru_enc *mru_enc_info(int32_t enc);
const struct mru_enc *mru_enc_find(const char *name, size_t len);

/* Bytes of the ciphertext of len bytes, which fits in any buffer that len and
 * a block fit in. */
size_t mru_content_len(const struct mru_enc *enc, size_t len);
/* 1 when a ciphertext may have this length. */
int mru_content_may(const struct mru_enc *enc, size_t len);

/* Encrypts in[0..len) to out (mru_content_len bytes) and tag. 0, or -1 when the
 * provider failed (out and tag are zeroed then). */
int mru_content_seal(const struct mru_enc *enc, const uint8_t *cek,
                     const uint8_t *iv, const mereau_slice *aad,
                     const uint8_t *in, size_t len, uint8_t *out, uint8_t *tag);
/* Proves the tag, and only then decrypts in[0..len), a length that
 * mru_content_may allows, to out, which has room for len bytes, and *out_len. 0;
 * -1 for a wrong tag or padding; -2 when the provider failed. After a failure
 * out is zeroed and *out_len 0. */
int mru_content_open(const struct mru_enc *enc, const uint8_t *cek,
                     const uint8_t *iv, const mereau_slice *aad,
                     const uint8_t *in, size_t len, const uint8_t *tag,
                     uint8_t *out, size_t *out_len);

#endif
