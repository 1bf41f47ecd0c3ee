/* tests/bench/jose/peer_librhonabwy.c - rhonabwy: the key is imported once. */
#include "bench.h"

#include <rhonabwy.h>
#include <stdlib.h>
#include <string.h>

struct self {
    jwa_alg alg;
    jwk_t *private_key, *public_key;
};

static void *open_key(const struct bench_key *key) {
    jwa_alg alg = r_str_to_jwa_alg(key->name);
    if (alg == R_JWA_ALG_UNKNOWN)
        return NULL;
    struct self *self = calloc(1, sizeof *self);
    self->alg = alg;
    r_global_init();
    r_jwk_init(&self->private_key);
    r_jwk_init(&self->public_key);
    if (r_jwk_import_from_json_str(self->private_key, key->jwk_private) !=
            RHN_OK ||
        r_jwk_import_from_json_str(self->public_key, key->jwk_public) != RHN_OK)
        abort();
    return self;
}

static int sign(void *arg, const char *claims, size_t len) {
    struct self *self = arg;
    jwt_t *jwt = NULL;
    char *token = NULL;
    (void)len;
    if (r_jwt_init(&jwt) == RHN_OK &&
        r_jwt_set_full_claims_json_str(jwt, claims) == RHN_OK &&
        r_jwt_set_sign_alg(jwt, self->alg) == RHN_OK)
        token = r_jwt_serialize_signed(jwt, self->private_key, 0);
    int ret = token == NULL;
    r_free(token);
    r_jwt_free(jwt);
    return ret;
}

static int verify(void *arg, const char *token, size_t len) {
    struct self *self = arg;
    jwt_t *jwt = NULL;
    int good = r_jwt_init(&jwt) == RHN_OK &&
               r_jwt_parsen(jwt, token, len, 0) == RHN_OK &&
               r_jwt_get_sign_alg(jwt) == self->alg &&
               r_jwt_verify_signature(jwt, self->public_key, 0) == RHN_OK &&
               r_jwt_validate_claims(jwt, R_JWT_CLAIM_ISS, ISSUER,
                                     R_JWT_CLAIM_AUD, AUDIENCE, R_JWT_CLAIM_EXP,
                                     NOW_AT, R_JWT_CLAIM_NOP) == RHN_OK;
    r_jwt_free(jwt);
    return !good;
}

static void close_key(void *arg) {
    struct self *self = arg;
    r_jwk_free(self->private_key);
    r_jwk_free(self->public_key);
    free(self);
}

const struct contender peer_rhonabwy = {"rhonabwy", open_key, sign, verify,
                                        close_key};
