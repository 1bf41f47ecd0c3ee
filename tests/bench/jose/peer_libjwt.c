/* tests/bench/jose/peer_libjwt.c - libjwt 1.x: reads the key in every call, as its
 * interface wants it. */
#include "bench.h"

#include <jwt.h>
#include <stdlib.h>
#include <string.h>

struct self {
    const struct bench_key *key;
    jwt_alg_t alg;
};

static void *open_key(const struct bench_key *key) {
    jwt_alg_t alg = jwt_str_alg(key->name);
    if (alg == JWT_ALG_INVAL)
        return NULL;
    struct self *self = calloc(1, sizeof *self);
    self->key = key;
    self->alg = alg;
    return self;
}

static const unsigned char *text_of(const struct bench_key *key, int is_private,
                                    int *len) {
    const char *pem = is_private ? key->pem_private : key->pem_public;
    if (key->secret_len > 0) {
        *len = (int)key->secret_len;
        return key->secret;
    }
    *len = (int)strlen(pem);
    return (const unsigned char *)pem;
}

static int sign(void *arg, const char *claims, size_t len) {
    struct self *self = arg;
    jwt_t *jwt = NULL;
    char *token = NULL;
    int key_len, ret;
    const unsigned char *key = text_of(self->key, 1, &key_len);
    (void)len;
    ret = jwt_new(&jwt);
    if (ret == 0)
        ret = jwt_add_grants_json(jwt, claims);
    if (ret == 0)
        ret = jwt_set_alg(jwt, self->alg, key, key_len);
    if (ret == 0)
        token = jwt_encode_str(jwt);
    ret = token == NULL;
    free(token);
    jwt_free(jwt);
    return ret;
}

static int is(jwt_t *jwt, const char *name, const char *wanted) {
    const char *value = jwt_get_grant(jwt, name);
    return value && strcmp(value, wanted) == 0;
}

static int verify(void *arg, const char *token, size_t len) {
    struct self *self = arg;
    jwt_t *jwt = NULL;
    int key_len;
    const unsigned char *key = text_of(self->key, 0, &key_len);
    (void)len;
    int good = jwt_decode(&jwt, token, key, key_len) == 0 &&
               jwt_get_alg(jwt) == self->alg && is(jwt, "iss", ISSUER) &&
               is(jwt, "aud", AUDIENCE) &&
               jwt_get_grant_int(jwt, "exp") > NOW_AT;
    jwt_free(jwt);
    return !good;
}

const struct contender peer_libjwt = {"libjwt", open_key, sign, verify, free};
