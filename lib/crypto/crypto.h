/* lib/crypto/crypto.h - what the rest needs of a crypto provider: hashes, MACs,
 * derivation and symmetric encryption; keys that sign are in pkey.h. A provider
 * (mbedtls/ or openssl/, chosen when the library is built) stands behind it, and
 * none of its types comes out. Nothing here keeps state, so every function may
 * be called by any thread. */
#ifndef MRU_CRYPTO_H
#define MRU_CRYPTO_H

#include "../base/base.h"

/* Hashes, by output length. */
enum { MRU_SHA256 = 32, MRU_SHA384 = 48, MRU_SHA512 = 64 };
#define MRU_MAX_HASH 64

/* What this build's provider can, beside what every one must. */
enum {
    MRU_HAS_ED25519 = 1,
    MRU_HAS_DETERMINISTIC_ECDSA = 2, /* RFC 6979 */
    MRU_HAS_SEEDED_RSA = 4, /* equal random bytes make equal RSA keys */
    /* Blinding, salts and nonces come from the provider's own generator: the
     * caller's makes keys, and is not asked when one is used. */
    MRU_HAS_OWN_RANDOM = 8
};
uint32_t mru_crypto_has(void);
/* Its name and the version it was built for, "mbedTLS 2.28.3": static text. */
const char *mru_crypto_name(void);

/* --- hashes and MACs --- */

/* All return 0, or -1 when the provider failed (outputs are then zeroed). */
int mru_hash(int hash, const mereau_slice *parts, size_t n, uint8_t *out);
int mru_hmac(int hash, const uint8_t *key, size_t key_len,
             const mereau_slice *parts, size_t n, uint8_t *out);

/* An HMAC key prepared once (its two midstates are kept): immutable, shared by
 * threads without a lock. */
typedef struct mru_mac mru_mac;
/* NULL without memory, or when the provider failed. */
mru_mac *mru_mac_new(int hash, const uint8_t *key, size_t key_len);
/* As mru_hmac. Allocates nothing on mbedTLS. */
int mru_mac_run(const mru_mac *mac, const mereau_slice *parts, size_t n,
                uint8_t *out);
void mru_mac_free(mru_mac *mac); /* wipes */

/* A hash function with all that can be prepared of it; shared by threads. For who
 * hashes again and again: some providers look for it by name each time. */
typedef struct mru_hasher mru_hasher;
mru_hasher *mru_hasher_new(int hash); /* NULL without memory or provider */
int mru_hasher_run(const mru_hasher *hasher, const mereau_slice *parts,
                   size_t n, uint8_t *out);
void mru_hasher_free(mru_hasher *hasher);

/* --- derivation --- */

/* RFC 5869 with SHA-256: the second step, from the pseudorandom key that the
 * first one extracted. 0 or -1 (out is then zeroed). */
int mru_hkdf_expand(const uint8_t prk[MRU_SHA256], const mereau_slice *info,
                    uint8_t *out, size_t out_len);
/* Both steps. 0 or -1 (out is then zeroed). */
int mru_hkdf(const uint8_t *key, size_t key_len, const mereau_slice *salt,
             const mereau_slice *info, uint8_t *out, size_t out_len);
/* Concat KDF with SHA-256 (RFC 7518 section 4.6.2): out_len bytes from the
 * shared secret z; alg_id is the AlgorithmID's name, apu and apv may be NULL.
 * SuppPubInfo is the length in bits. 0 or -1 (out is then zeroed). */
int mru_concat_kdf(const uint8_t *z, size_t z_len, const char *alg_id,
                   const mereau_slice *apu, const mereau_slice *apv,
                   uint8_t *out, size_t out_len);

/* --- symmetric encryption: AES with keys of 16 or 32 bytes --- */

/* GCM (NIST SP 800-38D). aad may be NULL. out has len bytes and may be in. seal:
 * 0 or -1; open: 0, -1 for a wrong tag, -2 when the provider failed. After a
 * failure there is nothing but zeros in out. */
int mru_gcm_seal(const uint8_t *key, size_t key_len, const uint8_t nonce[12],
                 const mereau_slice *aad, const uint8_t *in, size_t len,
                 uint8_t *out, uint8_t tag[16]);
int mru_gcm_open(const uint8_t *key, size_t key_len, const uint8_t nonce[12],
                 const mereau_slice *aad, const uint8_t *in, size_t len,
                 const uint8_t tag[16], uint8_t *out);
/* The same with a key of 32 bytes, the tag behind the ciphertext: seal writes
 * len + 16 bytes, open writes len - 16. */
int mru_seal(const uint8_t key[32], const uint8_t nonce[12],
             const mereau_slice *aad, const uint8_t *in, size_t len,
             uint8_t *out);
int mru_open(const uint8_t key[32], const uint8_t nonce[12],
             const mereau_slice *aad, const uint8_t *in, size_t len,
             uint8_t *out);

/* CBC (NIST SP 800-38A) of whole blocks: no padding is added or taken away, and
 * nothing proves what was decrypted, which is the caller's part. len is a
 * multiple of 16; out may be in. 0 or -1 (out is then zeroed). */
int mru_cbc_encrypt(const uint8_t *key, size_t key_len, const uint8_t iv[16],
                    const uint8_t *in, size_t len, uint8_t *out);
int mru_cbc_decrypt(const uint8_t *key, size_t key_len, const uint8_t iv[16],
                    const uint8_t *in, size_t len, uint8_t *out);

/* Key wrap (RFC 3394). wrap takes a key of 16 to 64 bytes, a multiple of 8, and
 * writes len + 8: 0 or -1. unwrap takes 24 to 72 bytes and writes len - 8: 0; -1
 * for what was not wrapped with this key; -2 when the provider failed. For another
 * length both answer -1 and write nothing; after another failure out is zeroed.
 * out is not in. */
enum { MRU_KW_MIN = 16, MRU_KW_MAX = 64 };
int mru_kw_wrap(const uint8_t *kek, size_t kek_len, const uint8_t *key,
                size_t len, uint8_t *out);
int mru_kw_unwrap(const uint8_t *kek, size_t kek_len, const uint8_t *in,
                  size_t len, uint8_t *out);

/* Random bytes for key generation and blinding: 0, or a host code. */
typedef int (*mru_rng)(void *arg, uint8_t *out, size_t len);

#endif
