/* tests/unit/jose_kit.h - keys of every algorithm, and tokens with any header, for
 * the tests of JWS and JWE. */
#ifndef TEST_JOSE_KIT_H
#define TEST_JOSE_KIT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <mereau/verify.h>

#include "base/base.h"

/* A private or secret key; NULL when this build cannot have it (EdDSA), which is
 * then said by name. dir: bits of the secret, ECDH-ES: the curve, else 0. */
mereau_jwk *kit_key(int32_t alg, int32_t bits);
/* A key pair as DER knows it: without a kid. */
mereau_jwk *kit_unnamed(int32_t alg);
mereau_jwk *kit_named(int32_t alg, int32_t bits, const char *kid);
/* A set that holds this key alone, which may then be freed. */
mereau_jwks *kit_set(const mereau_jwk *key);
/* The secret of the keys above that have one: bytes 1, 2, 3 ... */
const uint8_t *kit_secret(void);
enum { KIT_SECRET = 64 };

/* A JWS under the HS256 key above, with any header and any text as its payload
 * segment; to be freed. input: what is signed, NULL: header.payload. */
char *kit_forged(const char *header, const char *payload_segment,
                 const char *input);
/* base64url of a text, to be freed. */
char *kit_b64(const char *text);
/* The token with another header; to be freed. */
char *kit_with_header(const char *token, const char *header);
/* Its header as text; to be freed. */
char *kit_header(const char *token);

#endif
