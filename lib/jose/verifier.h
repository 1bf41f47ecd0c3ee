/* lib/jose/verifier.h - what the engine needs of a verifier beyond jwt.h. */
#ifndef MRU_JOSE_VERIFIER_H
#define MRU_JOSE_VERIFIER_H

#include <mereau/jwt.h>

#include "key.h"

/* A claim of tokens whose iat is ahead of their time, because of a not-before at
 * one level, so that it cannot be compared with those of the other levels: the
 * seconds at which it was issued, and the not-befores of tenant, app, subject and
 * device that were known then (0: none). */
#define MRU_CLAIM_BEFORE "mereau_before"
#define MRU_BEFORE_LEVELS 4

/* One thing that a verifier of our own tenant refuses though the signature is
 * right: tokens of an app, subject, device or session that were issued at or
 * before not_before_at (INT64_MAX: all of them). */
struct mru_notice {
    char kind;      /* 't' tenant, 'a' app, 's' subject, 'd' device, 'f' family;
                       'o': a key (kid) of one app only, 'k': the app it is of (kid,
                       line feed, client_id) */
    const char *id; /* client_id, sub, device_id, sid; "" for the tenant */
    int64_t not_before_at;
};

/* Puts keys (a JWK Set) and notices of our own tenant in place, at once, under
 * running verifications; the verifier may be ready or not. loaded_at is the time
 * of the snapshot. MEREAU_E_ISSUER when the verifier was made for another issuer.
 * A token refused by a notice is MEREAU_E_NOT_BEFORE, rule "jwt.not_before". */
mereau_status mru_verifier_load(mereau_verifier *verifier, const char *issuer,
                                const char *jwks, size_t jwks_len,
                                const struct mru_notice *notices, size_t n,
                                int64_t loaded_at, mereau_error *err);

/* Makes a JWT: header {"alg","typ","kid"}, payload as given, both base64url with
 * a dot between: what is to be signed. 0 or -1. Then mru_jws_finish appends the
 * signature. */
int mru_jws_begin(struct mru_buf *out, int32_t alg, const char *typ,
                  const char *kid, const void *payload, size_t len);
int mru_jws_finish(struct mru_buf *out, const uint8_t *sig, size_t sig_len);

/* Reads header and payload of a compact JWS without trusting them: only to find
 * out which keys and records to ask for. The JSON is checked. payload and header
 * are appended to the buffers. */
mereau_status mru_jws_peek(const char *token, size_t len,
                           struct mru_buf *header, struct mru_buf *payload,
                           mereau_error *err);

#endif
