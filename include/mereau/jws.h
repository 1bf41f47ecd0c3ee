/* mereau/jws.h - signatures over any bytes, in the compact serialization of a
 * JWS. For tokens with claims see jwt.h, which checks more. */
#ifndef MEREAU_JWS_H
#define MEREAU_JWS_H

#include <mereau/bytes.h>
#include <mereau/claims.h>
#include <mereau/jwk.h>
#include <mereau/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Forms of a JWS; 0 is the usual one. Twin: mereau_constant("JWS_DETACHED") and
 * so on. Since: 0.2. Source: RFC 7515 appendix F, RFC 7797. */
enum {
    MEREAU_JWS_DETACHED = 1, /* the payload is not in it, and sent otherwise */
    MEREAU_JWS_UNENCODED = 2 /* b64 false: the payload is signed as it is, not
                                as base64url; crit says so */
};

/** Signs bytes. The header has alg, the key's kid if it was given one, and what
 * the caller adds.
 *
 * In:      key            for signatures, private or a secret
 *          header         more members, as the text of a JSON object, or NULL.
 *                         Not alg, crit, b64, enc, zip or another one that the
 *                         library writes or does not do; kid only when the key
 *                         was given none; jwk only public
 *          payload, len   any bytes; payload may be NULL with len 0. UNENCODED
 *                         and not DETACHED: printable ASCII without a full stop
 *          flags          MEREAU_JWS_*
 *          random         blinds, and is the salt of PS*; NULL: the system's. Not
 *                         asked on OpenSSL, which draws from its own generator
 * Out:     *out           the JWS; empty after failure
 * Returns: MEREAU_OK; MEREAU_E_ARG (also: a header member that is not taken, rule
 *          "jws.header"); MEREAU_E_MALFORMED: header is no JSON object, or payload
 *          cannot stand in the JWS (rule "jws.payload"); MEREAU_E_ALG, the key is
 *          for encryption; MEREAU_E_KEY, it is public or its key_ops forbid it;
 *          MEREAU_E_TOO_LONG: a JWS above MEREAU_MAX_TOKEN bytes, a detached
 *          payload not counted; MEREAU_E_RANDOM, _SIZE, _NOMEM, _CRYPTO.
 * Threads: key any, out one owner. Since: 0.2.
 * Source:  RFC 7515 section 5.1, RFC 7797 section 3. */
MEREAU_API mereau_status mereau_jws_sign(mereau_bytes *out,
                                         const mereau_jwk *key,
                                         const char *header,
                                         const uint8_t *payload, size_t len,
                                         uint32_t flags,
                                         const mereau_random *random,
                                         mereau_error *err);

/** Verifies a JWS. Its key is the one that its kid names, or, without kid, the
 * only one of its alg; a key that was given no kid may answer for any. A key
 * verifies with its own algorithm only.
 *
 * In:      keys              those for signatures are looked at
 *          token, len        at most MEREAU_MAX_TOKEN bytes
 *          detached, detached_len   the payload, with MEREAU_JWS_DETACHED; else
 *                            NULL, 0
 *          flags             MEREAU_JWS_*: what is expected. A JWS of another
 *                            form is refused
 * Out:     *payload          what was signed; empty with MEREAU_JWS_DETACHED
 *          *header           its protected header, for typed reading; NULL if not
 *                            wanted. Both are empty after failure
 * Returns: MEREAU_OK; MEREAU_E_MALFORMED, _TOO_LONG; MEREAU_E_ALG, an algorithm
 *          of none of the keys; MEREAU_E_KEY_UNKNOWN, MEREAU_E_SIGNATURE,
 *          MEREAU_E_KEY (key_ops forbid it), MEREAU_E_ARG, _NOMEM, _CRYPTO.
 * Threads: keys const, payload and header one owner. Since: 0.2.
 * Source:  RFC 7515 section 5.2, RFC 7797 sections 3, 6, RFC 8725 section 3. */
MEREAU_API mereau_status mereau_jws_verify(
    mereau_bytes *payload, mereau_claims *header, const mereau_jwks *keys,
    const char *token, size_t len, const uint8_t *detached,
    size_t detached_len, uint32_t flags, mereau_error *err);

#ifdef __cplusplus
}
#endif
#endif
