/* mereau/jwe.h - encryption of any bytes, in the compact serialization of a JWE.
 * What a key does is its algorithm (MEREAU_ALG_DIR, _A128KW, _A256KW, _RSA_OAEP,
 * _RSA_OAEP_256, _ECDH_ES, _ECDH_ES_A128KW, _ECDH_ES_A256KW); how the content is
 * encrypted is MEREAU_ENC_*.
 *
 * Refused, whatever the key: compression (zip), passwords (PBES2), RSA1_5, AES of
 * 192 bits, AES-GCM as key wrap, and the JSON serializations. */
#ifndef MEREAU_JWE_H
#define MEREAU_JWE_H

#include <mereau/bytes.h>
#include <mereau/claims.h>
#include <mereau/jwk.h>
#include <mereau/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Encrypts bytes. The header has alg, enc, the key's kid if it was given one, epk
 * for ECDH-ES, and what the caller adds. Content key and IV are drawn anew, so
 * that no two are alike.
 *
 * In:      key          for encryption; the public half of a key pair is enough
 *          enc          MEREAU_ENC_*; with MEREAU_ALG_DIR the one that the key is
 *                       as long as
 *          header       more members, as the text of a JSON object, or NULL: cty,
 *                       typ; for ECDH-ES apu and apv (base64url). Not what the
 *                       library writes or does not do; kid only when the key was
 *                       given none
 *          plain, len   any bytes; plain may be NULL with len 0. The JWE must not
 *                       have more than MEREAU_MAX_TOKEN bytes, which leaves about
 *                       11000 for plain
 *          random       NULL: the system's generator. A weak one gives the content
 *                       away
 * Out:     *out         the JWE; empty after failure
 * Returns: MEREAU_OK; MEREAU_E_ARG (also: a header member that is not taken, rule
 *          "jwe.header"); MEREAU_E_MALFORMED, header is no JSON object;
 *          MEREAU_E_ALG, the key is for signatures, or enc is unknown or another
 *          than the key's; MEREAU_E_KEY, a dir key of another length, or key_ops
 *          forbid it; MEREAU_E_TOO_LONG, MEREAU_E_RANDOM, _SIZE, _NOMEM, _CRYPTO.
 * Threads: key any, out one owner. Since: 0.2.
 * Source:  RFC 7516 section 5.1, RFC 7518 sections 4, 5. */
MEREAU_API mereau_status mereau_jwe_encrypt(mereau_bytes *out,
                                            const mereau_jwk *key, int32_t enc,
                                            const char *header,
                                            const uint8_t *plain, size_t len,
                                            const mereau_random *random,
                                            mereau_error *err);

/** Decrypts a JWE. Its key is found as for mereau_jws_verify(). Nothing is given
 * out before its tag was right; and whatever is wrong with encrypted key, tag or
 * padding is one status and one rule.
 *
 * In:      keys         those for encryption are looked at; private, or secrets
 *          token, len   at most MEREAU_MAX_TOKEN bytes
 * Out:     *plain       the content
 *          *header      its protected header, for typed reading; NULL if not
 *                       wanted. Both are empty after failure. A right tag says
 *                       that nobody changed header and content, and, unless the
 *                       key is a secret, nothing of who made them: everybody has
 *                       the public key
 * Returns: MEREAU_OK; MEREAU_E_SIGNATURE, rule "jwe.tag"; MEREAU_E_MALFORMED,
 *          _TOO_LONG; MEREAU_E_ALG, an alg or enc that is not taken, or of none
 *          of the keys; MEREAU_E_KEY_UNKNOWN; MEREAU_E_KEY, a public key, a dir
 *          key of another length, or key_ops forbid it; MEREAU_E_ARG, _RANDOM,
 *          _NOMEM, _CRYPTO.
 * Threads: keys const, plain and header one owner. Since: 0.2.
 * Source:  RFC 7516 sections 5.2, 11.5, RFC 8725 section 3. */
MEREAU_API mereau_status mereau_jwe_decrypt(mereau_bytes *plain,
                                            mereau_claims *header,
                                            const mereau_jwks *keys,
                                            const char *token, size_t len,
                                            mereau_error *err);

#ifdef __cplusplus
}
#endif
#endif
