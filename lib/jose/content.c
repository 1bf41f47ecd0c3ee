/* lib/jose/content.c - content encryption of a JWE: the table of algorithms, GCM
 * by the provider, and AES_CBC_HMAC_SHA2 (RFC 7518 section 5.2) of its parts.
 * The tag is proved before anything is decrypted, so the padding, looked at last,
 * tells nobody anything. */
#include "content.h"

enum { BLOCK = 16 };

static const struct mru_enc encs[] = {
    {MEREAU_ENC_A128GCM, "A128GCM", 16, 12, 16, 0},
    {MEREAU_ENC_A256GCM, "A256GCM", 32, 12, 16, 0},
    {MEREAU_ENC_A128CBC_HS256, "A128CBC-HS256", 32, 16, 16, MRU_SHA256},
    {MEREAU_ENC_A256CBC_HS512, "A256CBC-HS512", 64, 16, 32, MRU_SHA512},
};

const struct mru_enc *mru_enc_info(int32_t enc) {
    for (size_t i = 0; i < sizeof encs / sizeof encs[0]; i++)
        if (encs[i].id == enc)
            return &encs[i];
    return NULL;
}

const struct mru_enc *mru_enc_find(const char *name, size_t len) {
    for (size_t i = 0; i < sizeof encs / sizeof encs[0]; i++)
        if (strlen(encs[i].name) == len && memcmp(encs[i].name, name, len) == 0)
            return &encs[i];
    return NULL;
}

size_t mru_content_len(const struct mru_enc *enc, size_t len) {
    return enc->hash == 0 ? len : len - len % BLOCK + BLOCK;
}

int mru_content_may(const struct mru_enc *enc, size_t len) {
    return enc->hash == 0 || (len > 0 && len % BLOCK == 0);
}

/* The MAC half of the CEK comes first (section 5.2.2.1); the tag is the first
 * half of the HMAC. */
static int make_tag(const struct mru_enc *enc, const uint8_t *cek,
                    const uint8_t *iv, const mereau_slice *aad,
                    const uint8_t *cipher, size_t len,
                    uint8_t tag[MRU_MAX_HASH]) {
    uint8_t bits[8];
    const mereau_slice parts[4] = {
        *aad, {iv, BLOCK}, {cipher, len}, {bits, sizeof bits}};
    mru_put_u64(bits, (uint64_t)aad->len * 8);
    return mru_hmac(enc->hash, cek, enc->key_len / 2, parts, 4, tag);
}

static int cbc_seal(const struct mru_enc *enc, const uint8_t *cek,
                    const uint8_t *iv, const mereau_slice *aad,
                    const uint8_t *in, size_t len, uint8_t *out, uint8_t *tag) {
    size_t half = enc->key_len / 2, total = mru_content_len(enc, len);
    uint8_t whole[MRU_MAX_HASH] = {0};
    if (len > 0)
        memmove(out, in, len);
    memset(out + len, (int)(total - len), total - len); /* PKCS #7 */
    int ret = mru_cbc_encrypt(cek + half, half, iv, out, total, out);
    if (ret == 0)
        ret = make_tag(enc, cek, iv, aad, out, total, whole);
    memcpy(tag, whole, enc->tag_len);
    mru_wipe(whole, sizeof whole);
    return ret;
}

/* The length without padding; len when the padding is none. The whole last block
 * is looked at, whatever it holds. */
static size_t unpadded(const uint8_t *data, size_t len) {
    size_t pad = data[len - 1], bad = pad == 0 || pad > BLOCK;
    for (size_t i = 1; i <= BLOCK; i++)
        bad |= (size_t)(i <= pad) & (size_t)(data[len - i] != pad);
    return bad ? len : len - pad;
}

static int cbc_open(const struct mru_enc *enc, const uint8_t *cek,
                    const uint8_t *iv, const mereau_slice *aad,
                    const uint8_t *in, size_t len, const uint8_t *tag,
                    uint8_t *out, size_t *out_len) {
    size_t half = enc->key_len / 2;
    uint8_t whole[MRU_MAX_HASH];
    if (make_tag(enc, cek, iv, aad, in, len, whole) != 0)
        return -2;
    int same = mru_equal_ct(whole, tag, enc->tag_len);
    mru_wipe(whole, sizeof whole);
    if (!same)
        return -1;
    if (mru_cbc_decrypt(cek + half, half, iv, in, len, out) != 0)
        return -2;
    *out_len = unpadded(out, len);
    return *out_len < len ? 0 : -1;
}

int mru_content_seal(const struct mru_enc *enc, const uint8_t *cek,
                     const uint8_t *iv, const mereau_slice *aad,
                     const uint8_t *in, size_t len, uint8_t *out,
                     uint8_t *tag) {
    int ret = enc->hash == 0
                  ? mru_gcm_seal(cek, enc->key_len, iv, aad, in, len, out, tag)
                  : cbc_seal(enc, cek, iv, aad, in, len, out, tag);
    if (ret != 0) {
        mru_wipe(out, mru_content_len(enc, len));
        mru_wipe(tag, enc->tag_len);
    }
    return ret;
}

int mru_content_open(const struct mru_enc *enc, const uint8_t *cek,
                     const uint8_t *iv, const mereau_slice *aad,
                     const uint8_t *in, size_t len, const uint8_t *tag,
                     uint8_t *out, size_t *out_len) {
    int ret;
    *out_len = 0;
    if (enc->hash != 0) {
        ret = cbc_open(enc, cek, iv, aad, in, len, tag, out, out_len);
    } else {
        ret = mru_gcm_open(cek, enc->key_len, iv, aad, in, len, tag, out);
        *out_len = ret == 0 ? len : 0;
    }
    if (ret != 0) {
        mru_wipe(out, len);
        *out_len = 0;
    }
    return ret;
}
