/* mereau/jwk.h - keys: read from JWK, PEM or DER, made, printed, and kept in sets.
 * A key object is immutable and prepared once; it has one kind and one algorithm,
 * and nothing that a token says changes either. Keys count their references, so a
 * key may be freed while sets and verifiers still use it.
 *
 * What a key refuses to be: an HMAC secret shorter than its hash, one that was
 * published, or one that is the text of another key; RSA below 2048 bits, or with
 * an even exponent or one below 65537; a point that is not on its curve; a key
 * whose use, key_ops, alg or certificate says something else than it is. */
#ifndef MEREAU_JWK_H
#define MEREAU_JWK_H

#include <mereau/bytes.h>
#include <mereau/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One key, public, private or secret, with its algorithm. Immutable: shared by
 * any number of threads. Since: 0.2. */
typedef struct mereau_jwk mereau_jwk;

/** A set of keys, found by their kid in the same time however many there are.
 * Built by one owner, then shared const. Since: 0.2. */
typedef struct mereau_jwks mereau_jwks;

/** Forms that keys are written in. The private ones hold all of the key: whoever
 * reads them can sign or decrypt. Twin: mereau_constant("JWK_PUBLIC") and so on.
 * Since: 0.2. */
enum {
    MEREAU_JWK_PUBLIC = 1, /* JWK (RFC 7517) */
    MEREAU_JWK_PRIVATE = 2, /* JWK, of an oct key its secret */
    MEREAU_PEM_PUBLIC = 3, /* PEM of SubjectPublicKeyInfo, "PUBLIC KEY" */
    MEREAU_PEM_PRIVATE = 4, /* PEM of PKCS#8, not encrypted, "PRIVATE KEY" */
    MEREAU_DER_PUBLIC = 5, /* the same in DER */
    MEREAU_DER_PRIVATE = 6
};

/** Reads a JWK: RSA, EC, oct or OKP; public, private or secret. Its use, key_ops,
 * x5c and x5t#S256 are checked and kept; x5u and x5t are not looked at.
 *
 * In:      json, len   at most MEREAU_MAX_JSON bytes
 *          alg         MEREAU_ALG_*, which the JWK's own must then be; or 0 for
 *                      its own. One of the two must be there, as it does not
 *                      follow from the kind. A JWK whose "alg" is a content
 *                      encryption ("A256GCM") is a MEREAU_ALG_DIR key for that
 *                      one alone.
 * Out:     *out        the key; NULL after failure
 * Returns: MEREAU_OK; MEREAU_E_MALFORMED, _TOO_LONG; MEREAU_E_ALG (none, unknown,
 *          another, or not in this build: EdDSA with mbedTLS, rule "key.eddsa");
 *          MEREAU_E_KEY with the rule that it breaks; MEREAU_E_ARG, _NOMEM,
 *          _CRYPTO.
 * Owns:    the caller; free with mereau_jwk_free(). Threads: any. Since: 0.2.
 * Source:  RFC 7517 section 4, RFC 7518 section 6, RFC 8037, RFC 8725 section
 *          3. */
MEREAU_API mereau_status mereau_jwk_read(mereau_jwk **out, const char *json,
                                         size_t len, int32_t alg,
                                         mereau_error *err);

/** Reads PEM or DER: SubjectPublicKeyInfo, PKCS#1, PKCS#8, SEC1 (also behind "EC
 * PARAMETERS"), or X.509 certificates, of which the first one's key is taken and
 * all are kept. Whom a certificate names, who signed it and how long it is valid
 * is not looked at: the caller trusts the key.
 *
 * In:      data, len   at most MEREAU_MAX_VALUE bytes; PEM needs no NUL
 *          alg         MEREAU_ALG_* of RSA, EC or OKP; it does not follow from
 *                      the data, so it must be given
 * Out, Owns, Threads: as mereau_jwk_read().
 * Returns: as mereau_jwk_read(); an encrypted private key is MEREAU_E_KEY, rule
 *          "key.encrypted".
 * Since:   0.2. Source: RFC 7468, RFC 5280 section 4.1, RFC 5958, RFC 5915, RFC
 *          8017 appendix A. */
MEREAU_API mereau_status mereau_jwk_read_encoded(mereau_jwk **out,
                                                 const uint8_t *data,
                                                 size_t len, int32_t alg,
                                                 mereau_error *err);

/** Makes a key of a shared secret.
 *
 * In:      secret, len   copied. HS*: at least as long as the hash, at most 1024
 *                        bytes; A128KW 16, A256KW 32; dir 16, 32 or 64
 *          alg           MEREAU_ALG_* of an oct key
 * Out, Owns, Threads: as mereau_jwk_read().
 * Returns: as mereau_jwk_read(); an HMAC secret out of public lists of leaked
 *          ones is MEREAU_E_KEY, rule "key.leaked".
 * Since:   0.2. Source: RFC 7518 section 3.2, RFC 8725 section 3.5. */
MEREAU_API mereau_status mereau_jwk_from_secret(mereau_jwk **out,
                                                const uint8_t *secret,
                                                size_t len, int32_t alg,
                                                mereau_error *err);

/** Makes a new key.
 *
 * In:      alg      MEREAU_ALG_*
 *          bits     0: the algorithm's own. Else RSA: 2048 to 8192, a multiple of
 *                   8 (its own: 2048, of *384 3072, of *512 4096); ECDH-ES*: 256,
 *                   384, 521 (its own: 256); dir: 128, 256, 512 (its own: 256);
 *                   others: only what the algorithm says
 *          random   NULL: the system's generator
 * Out, Owns: as mereau_jwk_read(). A key pair has its thumbprint as kid, and the
 *          tokens that it signs name it; a secret has none.
 * Returns: MEREAU_OK; MEREAU_E_ALG, MEREAU_E_KEY (bits), MEREAU_E_RANDOM,
 *          MEREAU_E_SIZE (of random), MEREAU_E_ARG, _NOMEM, _CRYPTO.
 * Threads: any; of RSA it takes a second or more. Since: 0.2. */
MEREAU_API mereau_status mereau_jwk_generate(mereau_jwk **out, int32_t alg,
                                             int32_t bits,
                                             const mereau_random *random,
                                             mereau_error *err);

/** The public half of a key, with its kid and certificates. Of a public key, the
 * same. In: key, RSA, EC or OKP. Out, Owns: as mereau_jwk_read(). Returns:
 * MEREAU_OK; MEREAU_E_KEY for a secret, rule "key.secret"; MEREAU_E_ARG, _NOMEM,
 * _CRYPTO. Threads: any. Since: 0.2. */
MEREAU_API mereau_status mereau_jwk_public(mereau_jwk **out,
                                           const mereau_jwk *key,
                                           mereau_error *err);

/** The same key under another name. In: key; kid, 1 to 128 bytes. Out, Owns: as
 * mereau_jwk_read(); it shares what was prepared. Returns: MEREAU_OK;
 * MEREAU_E_KEY (kid), MEREAU_E_ARG, _NOMEM. Threads: any. Since: 0.2. */
MEREAU_API mereau_status mereau_jwk_with_kid(mereau_jwk **out,
                                             const mereau_jwk *key,
                                             const char *kid,
                                             mereau_error *err);

/** Gives up a key; its secret parts are wiped when nobody holds it any more.
 * In: key, or NULL. Threads: any. Since: 0.2. */
MEREAU_API void mereau_jwk_free(mereau_jwk *key);

/** Its algorithm, MEREAU_ALG_*; 0 of NULL. Threads: any. Since: 0.2. */
MEREAU_API int32_t mereau_jwk_alg(const mereau_jwk *key);

/** Its name: the kid it was given, else its thumbprint. Out: borrowed from the
 * key; "" of NULL. Threads: any. Since: 0.2. */
MEREAU_API const char *mereau_jwk_kid(const mereau_jwk *key);

/** Its kind: "RSA", "EC", "oct" or "OKP". Out: static; "" of NULL. Threads: any.
 * Since: 0.2. */
MEREAU_API const char *mereau_jwk_kty(const mereau_jwk *key);

/** Its curve, "P-256" or another name of RFC 7518 section 6.2.1.1, RFC 8812 or
 * RFC 8037. Out: static; "" of keys that have none and of NULL. Threads: any.
 * Since: 0.2. */
MEREAU_API const char *mereau_jwk_crv(const mereau_jwk *key);

/** Its size in bits: of the modulus, of the curve, of the secret; 0 of NULL.
 * Threads: any. Since: 0.2. */
MEREAU_API int32_t mereau_jwk_bits(const mereau_jwk *key);

/** 1 when it can sign or decrypt (a secret always can), 0 when it is public or
 * NULL. Threads: any. Since: 0.2. */
MEREAU_API int32_t mereau_jwk_is_private(const mereau_jwk *key);

/** Writes its SHA-256 thumbprint, 43 characters. Of a secret it is a hash of the
 * secret itself: fit as a name where the secret is random, and not to be published
 * where it might be guessed.
 * Out: *out, empty after failure. Returns: MEREAU_OK; MEREAU_E_ARG, _NOMEM.
 * Threads: key any, out one owner. Since: 0.2. Source: RFC 7638 section 3. */
MEREAU_API mereau_status mereau_jwk_thumbprint(mereau_bytes *out,
                                               const mereau_jwk *key,
                                               mereau_error *err);

/** Writes its thumbprint as a URI,
 * "urn:ietf:params:oauth:jwk-thumbprint:sha-256:...". Out, Returns, Threads: as
 * mereau_jwk_thumbprint(). Since: 0.2. Source: RFC 9278 section 3. */
MEREAU_API mereau_status mereau_jwk_thumbprint_uri(mereau_bytes *out,
                                                   const mereau_jwk *key,
                                                   mereau_error *err);

/** Writes the SHA-256 thumbprint of the certificate that the key came with, 43
 * characters ("x5t#S256"; "cnf" of a token bound to a client certificate). Out,
 * Threads: as mereau_jwk_thumbprint(). Returns: MEREAU_OK; MEREAU_E_KEY when it
 * came with none, rule "key.certificate"; MEREAU_E_ARG, _NOMEM. Since: 0.2.
 * Source: RFC 7517 section 4.9, RFC 8705 section 3.1. */
MEREAU_API mereau_status mereau_jwk_certificate_thumbprint(
    mereau_bytes *out, const mereau_jwk *key, mereau_error *err);

/** Writes a key. A JWK has kid and alg, use or key_ops, and x5c and x5t#S256 when
 * the key came with them; PEM and DER are the key alone. What was written is read
 * to the same key.
 *
 * In:      form   MEREAU_JWK_PUBLIC and so on
 * Out:     *out   the text, or DER; empty after failure
 * Returns: MEREAU_OK; MEREAU_E_KEY: the private form of a public key (rule
 *          "key.public"), a public form of a secret ("key.secret"), PEM or DER of
 *          a secret ("key.kind"); MEREAU_E_ARG, _NOMEM, _CRYPTO.
 * Threads: key any, out one owner. Since: 0.2. Source: RFC 7517, RFC 7468, RFC
 *          5958. */
MEREAU_API mereau_status mereau_jwk_write(mereau_bytes *out,
                                          const mereau_jwk *key, int32_t form,
                                          mereau_error *err);

/** Makes an empty set. Returns: NULL only without memory (every function accepts
 * that NULL). Owns: the caller; free with mereau_jwks_free(). Threads: any.
 * Since: 0.2. */
MEREAU_API mereau_jwks *mereau_jwks_new(void);

/** Frees a set and gives up its keys. In: set, or NULL. Threads: one owner,
 * nobody using it. Since: 0.2. */
MEREAU_API void mereau_jwks_free(mereau_jwks *set);

/** Adds a key, which the set holds as well from then on.
 * Returns: MEREAU_OK; MEREAU_E_KEY: a kid that the set has (rule "jwks.kid"), or
 *          an HMAC secret beside a public or private key for signatures
 *          ("jwks.mixed"); MEREAU_E_TOO_LONG above MEREAU_MAX_JWKS keys;
 *          MEREAU_E_ARG, _NOMEM. The set is then as before.
 * Threads: one owner of set. Since: 0.2. Source: RFC 7517 section 4.5, RFC 8725
 *          section 3.1. */
MEREAU_API mereau_status mereau_jwks_add(mereau_jwks *set,
                                         const mereau_jwk *key,
                                         mereau_error *err);

/** Reads a JWK Set. Keys that cannot be used (another kind, curve, size or
 * algorithm, no alg, use or key_ops of something else) are left out and counted;
 * a broken one makes the whole set refused, and so does what mereau_jwks_add()
 * refuses.
 *
 * In:      json, len   at most MEREAU_MAX_JSON bytes and MEREAU_MAX_JWKS keys
 * Out:     *out        the set; NULL after failure
 * Returns: as mereau_jwk_read() and mereau_jwks_add(); MEREAU_E_INCOMPLETE when no
 *          key is left, with the rule that the first one broke.
 * Owns:    the caller; free with mereau_jwks_free(). Threads: any. Since: 0.2.
 * Source:  RFC 7517 section 5. */
MEREAU_API mereau_status mereau_jwks_read(mereau_jwks **out, const char *json,
                                          size_t len, mereau_error *err);

/** How many keys reading left out; 0 of NULL. Threads: const. Since: 0.2. */
MEREAU_API size_t mereau_jwks_skipped(const mereau_jwks *set);

/** The key of that kid, which may be the thumbprint of one that has no other
 * name. Out: borrowed from the set; NULL when there is none. Threads: const.
 * Since: 0.2. */
MEREAU_API const mereau_jwk *mereau_jwks_find(const mereau_jwks *set,
                                              const char *kid);

/** How many keys it has; 0 of NULL. Threads: const. Since: 0.2. */
MEREAU_API size_t mereau_jwks_count(const mereau_jwks *set);

/** The i-th key, in the order in which they came. Out: borrowed from the set; NULL
 * from the end on. Threads: const. Since: 0.2. */
MEREAU_API const mereau_jwk *mereau_jwks_at(const mereau_jwks *set, size_t i);

/** Writes a JWK Set.
 * In: form, MEREAU_JWK_PUBLIC or MEREAU_JWK_PRIVATE; of public keys the private
 *     form is the public one.
 * Out: *out, empty after failure. Returns: MEREAU_OK; MEREAU_E_KEY when a public
 * set would hold a secret, rule "key.secret"; MEREAU_E_ARG, _NOMEM, _CRYPTO.
 * Threads: set const, out one owner. Since: 0.2. Source: RFC 7517 section 5. */
MEREAU_API mereau_status mereau_jwks_write(mereau_bytes *out,
                                           const mereau_jwks *set, int32_t form,
                                           mereau_error *err);

#ifdef __cplusplus
}
#endif
#endif
