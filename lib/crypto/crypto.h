/* lib/crypto/crypto.h - what the rest needs of a crypto provider. The only room
 * that includes mbedTLS; its types stay inside. Key objects are immutable once
 * made and may be shared by threads. */
#ifndef MRU_CRYPTO_H
#define MRU_CRYPTO_H

#include "../base/base.h"

/* Hashes, by output length. */
enum { MRU_SHA256 = 32, MRU_SHA384 = 48, MRU_SHA512 = 64 };
#define MRU_MAX_HASH 64

/* All return 0, or -1 when the provider failed (outputs are then zeroed). */
int mru_hash(int hash, const mereau_slice *parts, size_t n, uint8_t *out);
int mru_hmac(int hash, const uint8_t *key, size_t key_len,
             const mereau_slice *parts, size_t n, uint8_t *out);
/* RFC 5869 with SHA-256. */
int mru_hkdf(const uint8_t *key, size_t key_len, const mereau_slice *salt,
             const mereau_slice *info, uint8_t *out, size_t out_len);
/* AES-256-GCM, 12-byte nonce, 16-byte tag behind the ciphertext. seal writes
 * len + 16 bytes; open writes len - 16 and returns -1 for a wrong tag, -2 when the
 * provider failed (nothing but zeros is in out then). */
int mru_seal(const uint8_t key[32], const uint8_t nonce[12],
             const mereau_slice *aad, const uint8_t *in, size_t len,
             uint8_t *out);
int mru_open(const uint8_t key[32], const uint8_t nonce[12],
             const mereau_slice *aad, const uint8_t *in, size_t len,
             uint8_t *out);

/* Random bytes for key generation and blinding: 0, or a host code. */
typedef int (*mru_rng)(void *arg, uint8_t *out, size_t len);

#endif
