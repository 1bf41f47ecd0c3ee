/* tests/bench/jose/peer_jose.c - latchset jose: works on JSON objects of jansson, so
 * its users take the compact form apart. */
#include "bench.h"

#include <jansson.h>
#include <jose/b64.h>
#include <jose/jws.h>
#include <stdlib.h>
#include <string.h>

struct self {
    const char *alg;
    json_t *private_key, *public_key;
};

static void *open_key(const struct bench_key *key) {
    struct self *self = calloc(1, sizeof *self);
    self->alg = key->name;
    self->private_key = json_loads(key->jwk_private, 0, NULL);
    self->public_key = json_loads(key->jwk_public, 0, NULL);
    /* Whether it knows the algorithm shows when it signs. */
    return self;
}

static int sign(void *arg, const char *claims, size_t len) {
    struct self *self = arg;
    json_t *jws = json_object(), *sig;
    char token[4096];
    json_object_set_new(jws, "payload", jose_b64_enc(claims, len));
    sig = json_pack("{s:{s:s}}", "protected", "alg", self->alg);
    int ret = !jose_jws_sig(NULL, jws, sig, self->private_key);
    const char *p = json_string_value(json_object_get(jws, "protected"));
    const char *b = json_string_value(json_object_get(jws, "payload"));
    const char *s = json_string_value(json_object_get(jws, "signature"));
    if (ret == 0 && p && b && s &&
        strlen(p) + strlen(b) + strlen(s) + 3 < sizeof token) {
        strcpy(token, p);
        strcat(strcat(token, "."), b);
        strcat(strcat(token, "."), s);
    } else {
        ret = 1;
    }
    json_decref(sig);
    json_decref(jws);
    return ret;
}

static int is(const json_t *claims, const char *name, const char *wanted) {
    const char *value = json_string_value(json_object_get(claims, name));
    return value && strcmp(value, wanted) == 0;
}

static int verify(void *arg, const char *token, size_t len) {
    struct self *self = arg;
    const char *dot = memchr(token, '.', len);
    const char *dot2 = dot ? strchr(dot + 1, '.') : NULL;
    if (!dot2)
        return 1;
    json_t *jws = json_object();
    json_object_set_new(jws, "protected",
                        json_stringn(token, (size_t)(dot - token)));
    json_object_set_new(jws, "payload",
                        json_stringn(dot + 1, (size_t)(dot2 - dot - 1)));
    json_object_set_new(jws, "signature", json_string(dot2 + 1));
    json_t *header = jose_jws_hdr(jws), *claims = NULL;
    int good = is(header, "alg", self->alg) &&
               jose_jws_ver(NULL, jws, NULL, self->public_key, false);
    if (good)
        claims = jose_b64_dec_load(json_object_get(jws, "payload"));
    good = good && claims && is(claims, "iss", ISSUER) &&
           is(claims, "aud", AUDIENCE) &&
           json_integer_value(json_object_get(claims, "exp")) > NOW_AT;
    json_decref(claims);
    json_decref(header);
    json_decref(jws);
    return !good;
}

static void close_key(void *arg) {
    struct self *self = arg;
    json_decref(self->private_key);
    json_decref(self->public_key);
    free(self);
}

const struct contender peer_jose = {"jose", open_key, sign, verify, close_key};
