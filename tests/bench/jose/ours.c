/* tests/bench/jose/ours.c - libmereau as a contender, with and without the cache of
 * verified tokens. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/verify.h>

struct self {
    mereau_jwk *key;
    mereau_verifier *verifier;
    mereau_claims *claims;
    mereau_bytes *out;
};

static void check(mereau_status status, const mereau_error *err) {
    if (status == MEREAU_OK)
        return;
    fprintf(stderr, "%s\n", err->text);
    abort();
}

static void *open_with(const struct bench_key *key, size_t cache_bytes) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct self *self = calloc(1, sizeof *self);
    if (key->secret_len > 0)
        check(mereau_jwk_from_secret(&self->key, key->secret, key->secret_len,
                                     key->alg, &err),
              &err);
    else
        check(mereau_jwk_read(&self->key, key->jwk_private,
                              strlen(key->jwk_private), 0, &err),
              &err);
    self->verifier =
        mereau_verifier_new_for(MEREAU_PROFILE_JWT, ISSUER, AUDIENCE);
    if (key->secret_len > 0)
        mereau_verifier_add_jwk(self->verifier, self->key);
    else
        mereau_verifier_add_key(self->verifier, key->jwk_public,
                                strlen(key->jwk_public), key->alg);
    if (cache_bytes > 0)
        mereau_verifier_set_cache_bytes(self->verifier, cache_bytes);
    check(mereau_verifier_ready(self->verifier, &err), &err);
    self->claims = mereau_claims_new();
    self->out = mereau_bytes_new();
    return self;
}

static void *open_plain(const struct bench_key *key) {
    return open_with(key, 0);
}

static void *open_cached(const struct bench_key *key) {
    return open_with(key, 1 << 20);
}

static int sign(void *arg, const char *claims, size_t len) {
    struct self *self = arg;
    return mereau_jwt_sign(self->out, self->key, "JWT", claims, len, NULL,
                           NULL) != MEREAU_OK;
}

static int verify(void *arg, const char *token, size_t len) {
    struct self *self = arg;
    return mereau_jwt_verify(self->verifier, self->claims, token, len, NOW_AT,
                             NULL) != MEREAU_OK;
}

static void close_key(void *arg) {
    struct self *self = arg;
    mereau_jwk_free(self->key);
    mereau_verifier_free(self->verifier);
    mereau_claims_free(self->claims);
    mereau_bytes_free(self->out);
    free(self);
}

const struct contender ours = {"libmereau", open_plain, sign, verify,
                               close_key};
const struct contender ours_cached = {"cache hit", open_cached, sign, verify,
                                      close_key};
