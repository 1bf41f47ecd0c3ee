/* lib/crypto/mbedtls/mbed.h - mbedTLS 2.28 and 3.6 as one: every difference between the
 * two that this room meets is settled here. Only included by lib/crypto/mbedtls. */
#ifndef MRU_MBED_H
#define MRU_MBED_H

#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#include <mbedtls/version.h>

#include <mbedtls/aes.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/gcm.h>
#include <mbedtls/md.h>
#include <mbedtls/rsa.h>
#include <mbedtls/sha256.h>
#include <mbedtls/sha512.h>

#include "../provider.h"

#if MBEDTLS_VERSION_NUMBER >= 0x04000000
#error "mbedTLS 4 has PSA only: this is the classic back end for 2.28 and 3.6"
#elif MBEDTLS_VERSION_NUMBER >= 0x03000000
#define MRU_MBED_3 1
#else
#define MRU_MBED_3 0
#endif

/* Hashes: 2.x has the fallible calls under names with _ret. */
#if MRU_MBED_3
#define mru_sha256_starts mbedtls_sha256_starts
#define mru_sha256_update mbedtls_sha256_update
#define mru_sha256_finish mbedtls_sha256_finish
#define mru_sha512_starts mbedtls_sha512_starts
#define mru_sha512_update mbedtls_sha512_update
#define mru_sha512_finish mbedtls_sha512_finish
#else
#define mru_sha256_starts mbedtls_sha256_starts_ret
#define mru_sha256_update mbedtls_sha256_update_ret
#define mru_sha256_finish mbedtls_sha256_finish_ret
#define mru_sha512_starts mbedtls_sha512_starts_ret
#define mru_sha512_update mbedtls_sha512_update_ret
#define mru_sha512_finish mbedtls_sha512_finish_ret
#endif

/* RSA: 2.x takes the padding at init and a mode at each call. */
#if MRU_MBED_3
#define mru_rsa_init(ctx) mbedtls_rsa_init(ctx)
#define mru_rsa_v15_sign(ctx, rng, arg, md, len, hash, sig)                    \
    mbedtls_rsa_rsassa_pkcs1_v15_sign(ctx, rng, arg, md, len, hash, sig)
#define mru_rsa_v15_verify(ctx, md, len, hash, sig)                            \
    mbedtls_rsa_rsassa_pkcs1_v15_verify(ctx, md, len, hash, sig)
#define mru_rsa_pss_verify(ctx, md, len, hash, salt, sig)                      \
    mbedtls_rsa_rsassa_pss_verify_ext(ctx, md, len, hash, md, salt, sig)
#define mru_rsa_oaep_encrypt(ctx, rng, arg, len, in, out)                      \
    mbedtls_rsa_rsaes_oaep_encrypt(ctx, rng, arg, NULL, 0, len, in, out)
#define mru_rsa_oaep_decrypt(ctx, rng, arg, len, in, out, cap)                 \
    mbedtls_rsa_rsaes_oaep_decrypt(ctx, rng, arg, NULL, 0, len, in, out, cap)
#else
#define mru_rsa_init(ctx) mbedtls_rsa_init(ctx, MBEDTLS_RSA_PKCS_V15, 0)
#define mru_rsa_v15_sign(ctx, rng, arg, md, len, hash, sig)                    \
    mbedtls_rsa_rsassa_pkcs1_v15_sign(ctx, rng, arg, MBEDTLS_RSA_PRIVATE, md,  \
                                      len, hash, sig)
#define mru_rsa_v15_verify(ctx, md, len, hash, sig)                            \
    mbedtls_rsa_rsassa_pkcs1_v15_verify(ctx, NULL, NULL, MBEDTLS_RSA_PUBLIC,   \
                                        md, len, hash, sig)
#define mru_rsa_pss_verify(ctx, md, len, hash, salt, sig)                      \
    mbedtls_rsa_rsassa_pss_verify_ext(ctx, NULL, NULL, MBEDTLS_RSA_PUBLIC, md, \
                                      len, hash, md, salt, sig)
#define mru_rsa_oaep_encrypt(ctx, rng, arg, len, in, out)                      \
    mbedtls_rsa_rsaes_oaep_encrypt(ctx, rng, arg, MBEDTLS_RSA_PUBLIC, NULL, 0, \
                                   len, in, out)
#define mru_rsa_oaep_decrypt(ctx, rng, arg, len, in, out, cap)                 \
    mbedtls_rsa_rsaes_oaep_decrypt(ctx, rng, arg, MBEDTLS_RSA_PRIVATE, NULL,   \
                                   0, len, in, out, cap)
#endif

/* MEREAU_E_NOMEM when ret means that memory ran out, else `other`. */
mereau_status mru_mbed_status(int ret, mereau_status other);
/* The mbedTLS name of a hash. */
mbedtls_md_type_t mru_mbed_md(int hash);

/* A generator for blinding what is computed while a key is read, when no caller
 * has one to lend. Keyed by the private part itself: who does not know that
 * cannot predict it, and nothing but blinding is ever taken from it. */
struct mru_self_rng {
    uint8_t key[32];
    uint64_t counter;
};
int mru_self_rng_seed(struct mru_self_rng *self, const uint8_t *secret,
                      size_t len);
int mru_self_rng_draw(void *self, unsigned char *out, size_t len);

#endif
