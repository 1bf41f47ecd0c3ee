/* lib/crypto/kdf.c - derivation of keys: HKDF (RFC 5869) and the Concat KDF of
 * ECDH-ES (RFC 7518 section 4.6.2, NIST SP 800-56A 5.8.1), with SHA-256. */
#include "crypto.h"

/* Lengths are written in 32 bits; one less, so that it is a limit where size_t has
 * no more than those. */
#define MAX (UINT32_MAX - 1)

int mru_hkdf_expand(const uint8_t prk[MRU_SHA256], const mereau_slice *info,
                    uint8_t *out, size_t out_len) {
    uint8_t block[MRU_SHA256];
    mereau_slice parts[3] = {{block, 0}, {NULL, 0}, {NULL, 1}};
    uint8_t counter = 0;
    int ret = 0;
    if (out_len > 255 * (size_t)MRU_SHA256)
        return -1;
    if (info)
        parts[1] = *info;
    parts[2].data = &counter;
    for (size_t done = 0; ret == 0 && done < out_len;) {
        size_t step =
            out_len - done < sizeof block ? out_len - done : sizeof block;
        counter = (uint8_t)(counter + 1);
        ret = mru_hmac(MRU_SHA256, prk, MRU_SHA256, parts, 3, block);
        parts[0].len = sizeof block;
        if (ret == 0)
            memcpy(out + done, block, step);
        done += step;
    }
    mru_wipe(block, sizeof block);
    if (ret != 0)
        mru_wipe(out, out_len);
    return ret == 0 ? 0 : -1;
}

int mru_hkdf(const uint8_t *key, size_t key_len, const mereau_slice *salt,
             const mereau_slice *info, uint8_t *out, size_t out_len) {
    uint8_t prk[MRU_SHA256];
    mereau_slice ikm = {key, key_len};
    /* No salt is a salt of zeros, which HMAC pads to the same key. */
    int ret = mru_hmac(MRU_SHA256, salt ? salt->data : NULL,
                       salt ? salt->len : 0, &ikm, 1, prk);
    if (ret == 0)
        ret = mru_hkdf_expand(prk, info, out, out_len);
    else if (out_len <= 255 * (size_t)MRU_SHA256)
        mru_wipe(out, out_len);
    mru_wipe(prk, sizeof prk);
    return ret == 0 ? 0 : -1;
}

int mru_concat_kdf(const uint8_t *z, size_t z_len, const char *alg_id,
                   const mereau_slice *apu, const mereau_slice *apv,
                   uint8_t *out, size_t out_len) {
    static const uint8_t nothing[1] = {0};
    const mereau_slice empty = {nothing, 0};
    uint8_t round[4], lens[3][4], bits[4], block[MRU_SHA256];
    mereau_slice id = {(const uint8_t *)alg_id, strlen(alg_id)};
    const mereau_slice *u = apu ? apu : &empty, *v = apv ? apv : &empty;
    mereau_slice parts[] = {{round, 4},   {z, z_len},   {lens[0], 4},
                            id,           {lens[1], 4}, *u,
                            {lens[2], 4}, *v,           {bits, 4}};
    int ret = 0;
    if (out_len > MAX / 8 || u->len > MAX || v->len > MAX)
        return -1;
    mru_put_u32(lens[0], (uint32_t)id.len);
    mru_put_u32(lens[1], (uint32_t)u->len);
    mru_put_u32(lens[2], (uint32_t)v->len);
    mru_put_u32(bits, (uint32_t)(8 * out_len));
    uint32_t count = 0;
    for (size_t done = 0; ret == 0 && done < out_len;) {
        size_t step =
            out_len - done < sizeof block ? out_len - done : sizeof block;
        mru_put_u32(round, ++count);
        ret =
            mru_hash(MRU_SHA256, parts, sizeof parts / sizeof parts[0], block);
        memcpy(out + done, block, step);
        done += step;
    }
    mru_wipe(block, sizeof block);
    if (ret != 0)
        mru_wipe(out, out_len);
    return ret == 0 ? 0 : -1;
}
