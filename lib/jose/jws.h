/* lib/jose/jws.h - a JWS in compact serialization (RFC 7515), before anything of
 * it is believed. */
#ifndef MRU_JOSE_JWS_H
#define MRU_JOSE_JWS_H

#include "verifier.h"

/* What a JWS is read as. */
enum {
    MRU_JWS_JWT = 0x100, /* a token: none of the forms below (RFC 7797 7) */
    MRU_JWS_DETACHED = 1, /* MEREAU_JWS_DETACHED */
    MRU_JWS_UNENCODED = 2 /* MEREAU_JWS_UNENCODED */
};

/* The three segments, still base64url, and what the header says. All of it
 * points into the token or into the buffer that the header was decoded to. */
struct mru_jws {
    const char *token;
    uint32_t form; /* MRU_JWS_* */
    size_t header_len; /* characters of the first segment */
    size_t signed_len; /* characters before the second dot */
    const char *sig;
    size_t sig_len;
    struct mru_jval header;
    struct mru_jval typ; /* kind 0: none */
    struct mru_jval kid; /* kind 0: none */
    int32_t alg;
};

/* Splits a token and reads its header (appended to *header), refusing what no
 * key could make good: another form, an unknown alg, crit, b64, zip, enc.
 * MEREAU_OK, _MALFORMED, _TOO_LONG, _ALG, _NOMEM. */
mereau_status mru_jws_read(struct mru_jws *jws, struct mru_buf *header,
                           const char *token, size_t len, mereau_error *err);
/* The same of a JWS that is no JWT, in the form that is expected: flags are
 * MEREAU_JWS_*. Rules begin with "jws", not "jwt". */
mereau_status mru_jws_read_as(struct mru_jws *jws, struct mru_buf *header,
                              const char *token, size_t len, uint32_t flags,
                              mereau_error *err);
/* Verifies the signature with one key, whose alg must be the header's.
 * MEREAU_OK, _ALG, _SIGNATURE, _NOMEM, _CRYPTO. */
mereau_status mru_jws_verify(const struct mru_jws *jws, const mru_key *key,
                             mereau_error *err);
/* The same of a detached payload. */
mereau_status mru_jws_verify_detached(const struct mru_jws *jws,
                                      const mru_key *key,
                                      const uint8_t *payload, size_t len,
                                      mereau_error *err);
/* Decodes the payload (copies an unencoded one): to be called after
 * mru_jws_verify only. MEREAU_OK, _MALFORMED, _NOMEM. */
mereau_status mru_jws_payload(const struct mru_jws *jws,
                              struct mru_buf *payload, mereau_error *err);

#endif
