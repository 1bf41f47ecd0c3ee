/* lib/crypto/openssl/hash.c - SHA-2 and HMAC (RFC 2104). */
#include "ossl.h"

static int is_sha2(int hash) {
    return hash == MRU_SHA256 || hash == MRU_SHA384 || hash == MRU_SHA512;
}

static int add_parts(EVP_MD_CTX *ctx, const mereau_slice *parts, size_t n) {
    int ok = 1;
    for (size_t i = 0; ok && i < n; i++)
        if (parts[i].len > 0)
            ok = EVP_DigestUpdate(ctx, parts[i].data, parts[i].len);
    return ok;
}

int mru_hash(int hash, const mereau_slice *parts, size_t n, uint8_t *out) {
    if (!is_sha2(hash))
        return -1;
    mru_ossl_begin();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx && EVP_DigestInit_ex(ctx, mru_ossl_md(hash), NULL) == 1 &&
             add_parts(ctx, parts, n) && EVP_DigestFinal_ex(ctx, out, NULL);
    EVP_MD_CTX_free(ctx);
    if (ok)
        return 0;
    memset(out, 0, (size_t)hash);
    mru_ossl_begin();
    return -1;
}

struct mru_hasher {
    int hash;
    struct mru_pool pool; /* contexts that have begun */
};

static void *copy_digest(const void *master) {
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx && EVP_MD_CTX_copy_ex(ctx, master) == 1)
        return ctx;
    EVP_MD_CTX_free(ctx);
    return NULL;
}

static void drop_digest(void *context) { EVP_MD_CTX_free(context); }

mru_hasher *mru_hasher_new(int hash) {
    mru_hasher *hasher = is_sha2(hash) ? mru_alloc(sizeof *hasher) : NULL;
    if (!hasher)
        return NULL;
    mru_ossl_begin();
    EVP_MD_CTX *master = EVP_MD_CTX_new();
    if (!master || EVP_DigestInit_ex(master, mru_ossl_md(hash), NULL) != 1) {
        EVP_MD_CTX_free(master);
        mru_free(hasher);
        mru_ossl_begin();
        return NULL;
    }
    hasher->hash = hash;
    mru_pool_init(&hasher->pool, master, copy_digest, drop_digest);
    return hasher;
}

/* A context that is given back has begun again. */
int mru_hasher_run(const mru_hasher *hasher, const mereau_slice *parts,
                   size_t n, uint8_t *out) {
    mru_ossl_begin();
    struct mru_loan loan = mru_pool_borrow(&hasher->pool);
    int ok = loan.context && add_parts(loan.context, parts, n) &&
             EVP_DigestFinal_ex(loan.context, out, NULL) == 1 &&
             EVP_DigestInit_ex(loan.context, NULL, NULL) == 1;
    if (loan.context)
        mru_pool_return(&hasher->pool, loan, ok);
    if (ok)
        return 0;
    memset(out, 0, (size_t)hasher->hash);
    mru_ossl_begin();
    return -1;
}

void mru_hasher_free(mru_hasher *hasher) {
    if (!hasher)
        return;
    mru_pool_free(&hasher->pool);
    mru_free(hasher);
}

/* --- HMAC --- */

struct mru_mac {
    int hash;
    struct mru_pool pool; /* contexts that have taken the key */
};

static void *copy_mac(const void *master) { return EVP_MAC_CTX_dup(master); }

static void drop_mac(void *context) { EVP_MAC_CTX_free(context); }

/* A context that has taken the key, or NULL with errors in the queue. */
static EVP_MAC_CTX *keyed(int hash, const uint8_t *key, size_t key_len) {
    const uint8_t none[1] = {0};
    OSSL_PARAM params[2];
    char name[16];
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac);
    mru_say(name, sizeof name, "SHA%d", hash * 8);
    params[0] =
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
    params[1] = OSSL_PARAM_construct_end();
    if (ctx &&
        EVP_MAC_init(ctx, key_len > 0 ? key : none, key_len, params) == 1)
        return ctx;
    EVP_MAC_CTX_free(ctx);
    return NULL;
}

/* Of a context that has just been initialised. */
static int run_mac(EVP_MAC_CTX *ctx, int hash, const mereau_slice *parts,
                   size_t n, uint8_t *out) {
    size_t len = 0;
    int ok = 1;
    for (size_t i = 0; ok && i < n; i++)
        if (parts[i].len > 0)
            ok = EVP_MAC_update(ctx, parts[i].data, parts[i].len);
    ok = ok && EVP_MAC_final(ctx, out, &len, (size_t)hash) == 1 &&
         len == (size_t)hash;
    if (!ok)
        memset(out, 0, (size_t)hash);
    return ok;
}

int mru_hmac(int hash, const uint8_t *key, size_t key_len,
             const mereau_slice *parts, size_t n, uint8_t *out) {
    if (!is_sha2(hash))
        return -1;
    mru_ossl_begin();
    EVP_MAC_CTX *ctx = keyed(hash, key, key_len);
    int ok = ctx && run_mac(ctx, hash, parts, n, out);
    EVP_MAC_CTX_free(ctx);
    if (ok)
        return 0;
    memset(out, 0, (size_t)hash);
    mru_ossl_begin();
    return -1;
}

mru_mac *mru_mac_new(int hash, const uint8_t *key, size_t key_len) {
    if (!is_sha2(hash))
        return NULL;
    mru_mac *mac = mru_alloc(sizeof *mac);
    if (!mac)
        return NULL;
    mru_ossl_begin();
    EVP_MAC_CTX *master = keyed(hash, key, key_len);
    if (!master) {
        mru_ossl_begin();
        mru_free(mac);
        return NULL;
    }
    mac->hash = hash;
    mru_pool_init(&mac->pool, master, copy_mac, drop_mac);
    return mac;
}

int mru_mac_run(const mru_mac *mac, const mereau_slice *parts, size_t n,
                uint8_t *out) {
    mru_ossl_begin();
    struct mru_loan loan = mru_pool_borrow(&mac->pool);
    int ok = loan.context && EVP_MAC_init(loan.context, NULL, 0, NULL) == 1 &&
             run_mac(loan.context, mac->hash, parts, n, out);
    if (loan.context)
        mru_pool_return(&mac->pool, loan, ok);
    if (ok)
        return 0;
    memset(out, 0, (size_t)mac->hash);
    mru_ossl_begin();
    return -1;
}

void mru_mac_free(mru_mac *mac) {
    if (!mac)
        return;
    mru_pool_free(&mac->pool);
    mru_free_wiped(mac, sizeof *mac);
}
