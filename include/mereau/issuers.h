/* mereau/issuers.h - a set of trusted issuers: for each its own verifier, with its
 * own audiences, algorithms, keys, largest scope and longest lifetime. The iss of a
 * token, not verified yet, only picks the verifier; everything else is up to that
 * one, so no issuer can speak for another. */
#ifndef MEREAU_ISSUERS_H
#define MEREAU_ISSUERS_H

#include <mereau/jwt.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Trusted issuers. Since: 0.2. */
typedef struct mereau_issuers mereau_issuers;

/** Makes an empty set. Returns: NULL only without memory (every function accepts
 * that NULL). Owns: the caller; free with mereau_issuers_free(). Threads: any.
 * Since: 0.2. */
MEREAU_API mereau_issuers *mereau_issuers_new(void);

/** Frees a set, and the verifiers that nobody else holds. In: issuers, or NULL.
 * Threads: one owner, nobody verifying. Since: 0.2. */
MEREAU_API void mereau_issuers_free(mereau_issuers *issuers);

/** Trusts an issuer, at any time, also while others verify. One that is in the set
 * already is replaced: verifications that began before end with the old verifier.
 *
 * In:      verifier   ready, with an issuer; a reference is held, so the caller may
 *                     free his own handle
 * Returns: MEREAU_OK; MEREAU_E_STATE for a verifier that is not ready; MEREAU_E_ARG
 *          for one without issuer (DPoP); MEREAU_E_NOMEM. After failure the set is
 *          as before.
 * Threads: any. Since: 0.2. */
MEREAU_API mereau_status mereau_issuers_add(mereau_issuers *issuers,
                                            mereau_verifier *verifier,
                                            mereau_error *err);

/** Trusts an issuer no longer; verifications that began before end with it.
 * In: issuer. Returns: 1, or 0 when it was not there. Threads: any. Since: 0.2. */
MEREAU_API int32_t mereau_issuers_remove(mereau_issuers *issuers,
                                         const char *issuer);

/** The verifier of one issuer, for mereau_verifier_replace_jwks(). In: issuer,
 * compared exactly. Out: borrowed, until the issuer is removed or replaced.
 * Returns: NULL when it is not trusted. Threads: any. Since: 0.2. */
MEREAU_API const mereau_verifier *
mereau_issuers_find(const mereau_issuers *issuers, const char *issuer);

/** An issuer whose key set should be fetched again (as
 * mereau_verifier_wants_jwks()); call it again for the next one. In: now_at. Out:
 * borrowed as from mereau_issuers_find(). Returns: NULL when there is none.
 * Threads: any. Since: 0.2. */
MEREAU_API const char *
mereau_issuers_wants_jwks(const mereau_issuers *issuers, int64_t now_at);

/** Verifies a JWT of any of the issuers: with the verifier that its iss picks, as
 * mereau_jwt_verify().
 *
 * In:      token, len; now_at, Unix seconds
 * Out:     *claims   what it said; empty after failure. NULL if not wanted
 * Returns: as mereau_jwt_verify(); MEREAU_E_ISSUER when iss is missing or not
 *          trusted, whatever the signature.
 * Threads: issuers shared, claims one owner. Since: 0.2. Source: RFC 8725
 *          section 3.8. */
MEREAU_API mereau_status mereau_issuers_verify(const mereau_issuers *issuers,
                                               mereau_claims *claims,
                                               const char *token, size_t len,
                                               int64_t now_at,
                                               mereau_error *err);

/** The same for one request, as mereau_jwt_verify_expecting().
 *
 * In:      as mereau_issuers_verify(); expect
 * Out:     as mereau_issuers_verify()
 * Returns: as mereau_issuers_verify() and mereau_jwt_verify_expecting().
 * Threads: as mereau_issuers_verify(); expect is read only. Since: 0.2. */
MEREAU_API mereau_status mereau_issuers_verify_expecting(
    const mereau_issuers *issuers, mereau_claims *claims, const char *token,
    size_t len, const mereau_expect *expect, int64_t now_at, mereau_error *err);

#ifdef __cplusplus
}
#endif
#endif
