/* tests/vectors/vec_jose.h - what test vectors of JOSE have in common: their keys,
 * and the forms that this library refuses on purpose. */
#ifndef VEC_JOSE_H
#define VEC_JOSE_H

#include <mereau/verify.h>

#include "vec.h"

/* A set with one key, or NULL with *err. alg: for a JWK that names none. */
mereau_jwks *vec_key(const cJSON *jwk, const char *alg, mereau_error *err);
/* Its only key. */
const mereau_jwk *vec_only(const mereau_jwks *set);

/* What a compact JWE asks for that is not done here (PBES2, RSA1_5, A192*,
 * A*GCMKW, zip); NULL: nothing. */
const char *vec_not_done(const char *jwe);
/* The same of the name of an algorithm. */
int vec_alg_not_done(const char *alg);

/* 1 when the token is decrypted (verified) to these bytes. *err says why not. */
int vec_decrypts(const mereau_jwks *keys, const char *token,
                 const uint8_t *wanted, size_t len, mereau_error *err);
int vec_verifies(const mereau_jwks *keys, const char *token,
                 const uint8_t *wanted, size_t len, mereau_error *err);

#endif
