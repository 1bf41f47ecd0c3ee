/* tests/bench/jose/peer_cjose.c - cjose: the key is imported once; its users parse
 * the claims with jansson. */
#include "bench.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct self {
    const char *alg;
    cjose_jwk_t *private_key, *public_key;
};

static void *open_key(const struct bench_key *key) {
    cjose_err err;
    struct self *self = calloc(1, sizeof *self);
    self->alg = key->name;
    self->private_key =
        cjose_jwk_import(key->jwk_private, strlen(key->jwk_private), &err);
    self->public_key =
        cjose_jwk_import(key->jwk_public, strlen(key->jwk_public), &err);
    if (self->private_key && self->public_key)
        return self;
    cjose_jwk_release(self->private_key);
    cjose_jwk_release(self->public_key);
    free(self);
    return NULL; /* a kind of key that it does not have */
}

static int sign(void *arg, const char *claims, size_t len) {
    struct self *self = arg;
    const char *token = NULL;
    cjose_err err;
    cjose_header_t *header = cjose_header_new(&err);
    cjose_header_set(header, CJOSE_HDR_ALG, self->alg, &err);
    cjose_jws_t *jws = cjose_jws_sign(self->private_key, header,
                                      (const uint8_t *)claims, len, &err);
    int ret = !(jws && cjose_jws_export(jws, &token, &err) && token);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return ret;
}

static int is(const json_t *claims, const char *name, const char *wanted) {
    const char *value = json_string_value(json_object_get(claims, name));
    return value && strcmp(value, wanted) == 0;
}

static int verify(void *arg, const char *token, size_t len) {
    struct self *self = arg;
    cjose_err err;
    uint8_t *payload = NULL;
    size_t n = 0;
    json_t *claims = NULL;
    cjose_jws_t *jws = cjose_jws_import(token, len, &err);
    int good = jws &&
               strcmp(cjose_header_get(cjose_jws_get_protected(jws),
                                       CJOSE_HDR_ALG, &err),
                      self->alg) == 0 &&
               cjose_jws_verify(jws, self->public_key, &err) &&
               cjose_jws_get_plaintext(jws, &payload, &n, &err);
    if (good)
        claims =
            json_loadb((const char *)payload, n, JSON_REJECT_DUPLICATES, NULL);
    good = good && claims && is(claims, "iss", ISSUER) &&
           is(claims, "aud", AUDIENCE) &&
           json_integer_value(json_object_get(claims, "exp")) > NOW_AT;
    json_decref(claims);
    cjose_jws_release(jws);
    return !good;
}

static void close_key(void *arg) {
    struct self *self = arg;
    cjose_jwk_release(self->private_key);
    cjose_jwk_release(self->public_key);
    free(self);
}

const struct contender peer_cjose = {"cjose", open_key, sign, verify,
                                     close_key};
