/* lib/crypto/mbedtls/hash.c - SHA-2, HMAC (RFC 2104). Allocates
 * nothing: the provider's contexts live on the stack. */
#include "mbed.h"

/* One running hash of any of the three lengths. */
struct running {
    int hash;
    mbedtls_sha256_context s256;
    mbedtls_sha512_context s512; /* also SHA-384 */
};

static int hash_known(int hash) {
    return hash == MRU_SHA256 || hash == MRU_SHA384 || hash == MRU_SHA512;
}

static int run_start(struct running *run, int hash) {
    run->hash = hash;
    if (hash == MRU_SHA256) {
        mbedtls_sha256_init(&run->s256);
        return mru_sha256_starts(&run->s256, 0);
    }
    mbedtls_sha512_init(&run->s512);
    return mru_sha512_starts(&run->s512, hash == MRU_SHA384);
}

static int run_add(struct running *run, const uint8_t *data, size_t len) {
    if (len == 0)
        return 0;
    if (run->hash == MRU_SHA256)
        return mru_sha256_update(&run->s256, data, len);
    return mru_sha512_update(&run->s512, data, len);
}

static int run_parts(struct running *run, const mereau_slice *parts, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (run_add(run, parts[i].data, parts[i].len) != 0)
            return -1;
    return 0;
}

static int run_finish(struct running *run, uint8_t *out) {
    uint8_t full[MRU_MAX_HASH];
    int ret;
    if (run->hash == MRU_SHA256)
        ret = mru_sha256_finish(&run->s256, full);
    else
        ret = mru_sha512_finish(&run->s512, full);
    if (ret == 0)
        memcpy(out, full, (size_t)run->hash);
    mru_wipe(full, sizeof full);
    return ret;
}

static void run_free(struct running *run) {
    if (run->hash == MRU_SHA256)
        mbedtls_sha256_free(&run->s256);
    else
        mbedtls_sha512_free(&run->s512);
}

int mru_hash(int hash, const mereau_slice *parts, size_t n, uint8_t *out) {
    struct running run;
    if (!hash_known(hash))
        return -1;
    int ret = run_start(&run, hash);
    if (ret == 0)
        ret = run_parts(&run, parts, n);
    if (ret == 0)
        ret = run_finish(&run, out);
    run_free(&run);
    if (ret != 0)
        memset(out, 0, (size_t)hash);
    return ret == 0 ? 0 : -1;
}

/* Nothing can be prepared: a context begins on the stack. */
struct mru_hasher {
    int hash;
};

mru_hasher *mru_hasher_new(int hash) {
    mru_hasher *hasher = hash_known(hash) ? mru_alloc(sizeof *hasher) : NULL;
    if (hasher)
        hasher->hash = hash;
    return hasher;
}

int mru_hasher_run(const mru_hasher *hasher, const mereau_slice *parts,
                   size_t n, uint8_t *out) {
    return mru_hash(hasher->hash, parts, n, out);
}

void mru_hasher_free(mru_hasher *hasher) { mru_free(hasher); }

/* --- HMAC --- */

/* One layer is H(pad, parts); a state has the pad in it already. */
struct mru_mac {
    struct running inner, outer;
};

static void run_copy(struct running *to, const struct running *from) {
    to->hash = from->hash;
    if (from->hash == MRU_SHA256) {
        mbedtls_sha256_init(&to->s256);
        mbedtls_sha256_clone(&to->s256, &from->s256);
    } else {
        mbedtls_sha512_init(&to->s512);
        mbedtls_sha512_clone(&to->s512, &from->s512);
    }
}

static int mac_start(struct mru_mac *mac, int hash, const uint8_t *key,
                     size_t key_len) {
    uint8_t pad[128] = {0};
    size_t block = hash == MRU_SHA256 ? 64 : 128;
    int ret = 0;
    if (key_len > block) {
        mereau_slice whole = {key, key_len};
        ret = mru_hash(hash, &whole, 1, pad);
    } else if (key_len > 0) {
        memcpy(pad, key, key_len);
    }
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36;
    ret |= run_start(&mac->inner, hash);
    if (ret == 0)
        ret = run_add(&mac->inner, pad, block);
    for (size_t i = 0; i < block; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    ret |= run_start(&mac->outer, hash);
    if (ret == 0)
        ret = run_add(&mac->outer, pad, block);
    mru_wipe(pad, sizeof pad);
    return ret;
}

/* Uses up both layers, which are freed after it. */
static int mac_finish(struct running *inner, struct running *outer,
                      const mereau_slice *parts, size_t n, uint8_t *out) {
    uint8_t digest[MRU_MAX_HASH];
    size_t len = (size_t)inner->hash;
    int ret = run_parts(inner, parts, n);
    if (ret == 0)
        ret = run_finish(inner, digest);
    if (ret == 0)
        ret = run_add(outer, digest, len);
    if (ret == 0)
        ret = run_finish(outer, out);
    mru_wipe(digest, sizeof digest);
    if (ret != 0)
        memset(out, 0, len);
    return ret == 0 ? 0 : -1;
}

mru_mac *mru_mac_new(int hash, const uint8_t *key, size_t key_len) {
    mru_mac *mac = hash_known(hash) ? mru_alloc(sizeof *mac) : NULL;
    if (mac && mac_start(mac, hash, key, key_len) != 0) {
        mru_mac_free(mac);
        return NULL;
    }
    return mac;
}

int mru_mac_run(const mru_mac *mac, const mereau_slice *parts, size_t n,
                uint8_t *out) {
    struct running inner, outer;
    run_copy(&inner, &mac->inner);
    run_copy(&outer, &mac->outer);
    int ret = mac_finish(&inner, &outer, parts, n, out);
    run_free(&inner);
    run_free(&outer);
    return ret;
}

void mru_mac_free(mru_mac *mac) {
    if (!mac)
        return;
    run_free(&mac->inner);
    run_free(&mac->outer);
    mru_free_wiped(mac, sizeof *mac);
}

int mru_hmac(int hash, const uint8_t *key, size_t key_len,
             const mereau_slice *parts, size_t n, uint8_t *out) {
    struct mru_mac mac;
    if (!hash_known(hash))
        return -1;
    int ret = mac_start(&mac, hash, key, key_len);
    if (ret == 0)
        ret = mac_finish(&mac.inner, &mac.outer, parts, n, out);
    else
        memset(out, 0, (size_t)hash);
    run_free(&mac.inner);
    run_free(&mac.outer);
    return ret == 0 ? 0 : -1;
}
