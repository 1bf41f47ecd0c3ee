/* lib/jose/jwe.h - a JWE in compact serialization (RFC 7516): read before
 * anything of it is believed, opened with one key, and made. */
#ifndef MRU_JOSE_JWE_H
#define MRU_JOSE_JWE_H

#include "../crypto/pkey.h"
#include "content.h"
#include "key.h"

enum {
    MRU_JWE_HEADER,
    MRU_JWE_KEY,
    MRU_JWE_IV,
    MRU_JWE_CIPHER,
    MRU_JWE_TAG,
    MRU_JWE_PARTS
};

/* The five segments, still base64url, and what the header says; all of it points
 * into the token or into the buffer that the header was decoded to. */
struct mru_jwe {
    const char *part[MRU_JWE_PARTS];
    size_t len[MRU_JWE_PARTS];
    struct mru_jval header;
    struct mru_jval kid; /* kind 0: none */
    struct mru_jval cty; /* kind 0: none */
    const struct mru_alg *alg;
    const struct mru_enc *enc;
};

/* 1 when a token has five segments, whatever is in them. */
int mru_jwe_is(const char *token, size_t len);

/* Splits a token and reads its header (appended to *header), refusing what no
 * key could make good: another form, an alg or enc that is not taken here, zip,
 * crit, segments of another length than alg and enc make. MEREAU_OK,
 * _MALFORMED, _TOO_LONG, _ALG, _NOMEM. */
mereau_status mru_jwe_read(struct mru_jwe *jwe, struct mru_buf *header,
                           const char *token, size_t len, mereau_error *err);

/* Decrypts with one key and appends to *plain. Whatever is wrong with the
 * encrypted key, tag or padding is MEREAU_E_SIGNATURE, rule "jwe.tag"; the rest
 * can be seen by everybody in the token: MEREAU_E_MALFORMED, _ALG, _KEY.
 * Also MEREAU_E_NOMEM, _CRYPTO, _RANDOM. rng blinds. */
mereau_status mru_jwe_open(const struct mru_jwe *jwe, const mru_key *key,
                           mru_rng rng, void *rng_arg, struct mru_buf *plain,
                           mereau_error *err);

/* Reads a token and opens it with the key of the set that it means. */
mereau_status mru_jwe_decrypt(struct mru_buf *plain, struct mru_buf *header,
                              struct mru_jwe *jwe, const mereau_jwks *keys,
                              const char *token, size_t len, mereau_error *err);

/* Encrypts, and appends the token to *out. header: the caller's members, or
 * NULL. MEREAU_OK, _ARG, _MALFORMED, _KEY, _ALG, _TOO_LONG, _RANDOM, _NOMEM,
 * _CRYPTO; *out is as it was then. */
mereau_status mru_jwe_make(struct mru_buf *out, const mru_key *key, int32_t enc,
                           const char *header, const uint8_t *plain, size_t len,
                           mru_rng rng, void *rng_arg, mereau_error *err);

/* --- key management, RFC 7518 section 4 (jwe_key.c) --- */

/* The content key of a token. *right is 0 when it could not be had for reasons
 * that an attacker must not learn; cek is then of no use, and the caller goes on
 * as if it were. */
mereau_status mru_cek_get(const struct mru_jwe *jwe, const mru_key *key,
                          mru_rng rng, void *rng_arg, uint8_t cek[MRU_MAX_CEK],
                          int *right, mereau_error *err);

/* A content key for one token, and what goes into the token to find it: the
 * encrypted key, and for ECDH-ES the member epk (JSON, else ""). */
struct mru_cek {
    uint8_t key[MRU_MAX_CEK];
    uint8_t encrypted[MRU_RSA_MAX];
    size_t encrypted_len;
    char epk[320];
};
/* extra: the caller's header, where apu and apv are. The caller wipes *cek.
 * MEREAU_OK, _MALFORMED, _KEY, _RANDOM, _NOMEM, _CRYPTO. */
mereau_status mru_cek_make(struct mru_cek *cek, const struct mru_enc *enc,
                           const mru_key *key, const struct mru_jval *extra,
                           mru_rng rng, void *rng_arg, mereau_error *err);

#endif
