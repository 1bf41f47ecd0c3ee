/* tests/bench/jose/bench.h - what is measured against what: contenders that sign and
 * verify the same JWT with the same key, and the provider's bare primitive. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#define ISSUER "https://id.acme.example"
#define AUDIENCE "https://print.acme.example"
#define NOW_AT 1800000000

struct bench_key {
    int32_t alg; /* MEREAU_ALG_* */
    const char *name; /* "ES256" */
    char pem_private[8192], pem_public[2048]; /* "" for HS */
    char jwk_private[8192], jwk_public[2048];
    uint8_t secret[64]; /* HS only */
    size_t secret_len;
};

/* Somebody's library. open gives NULL when it cannot do the algorithm. */
struct contender {
    const char *name;
    void *(*open)(const struct bench_key *key);
    /* Claims (JSON text) to compact serialization: 0 when it was made. */
    int (*sign)(void *self, const char *claims, size_t len);
    /* Signature, parse, and iss, aud, exp as wanted: 0 when the token is good. */
    int (*verify)(void *self, const char *token, size_t len);
    void (*close)(void *self);
};
extern const struct contender ours, ours_cached;
extern const struct contender peer_libjwt, peer_rhonabwy, peer_cjose, peer_jose;

/* The provider alone, with all that can be kept kept (raw_*.c). */
struct raw;
extern const char raw_name[];
struct raw *raw_open(const struct bench_key *key);
/* Over the bytes that a JWS signs. 0 when it worked. */
int raw_sign(struct raw *raw, const uint8_t *input, size_t len);
int raw_verify(struct raw *raw, const uint8_t *input, size_t len,
               const uint8_t *sig, size_t sig_len);
void raw_close(struct raw *raw);
/* The targets (docs/performance.md): ours / raw at most. 0: none is set. */
double raw_target(const char *alg, int is_sign);
/* The same for a hit of the cache, against HMAC-SHA256. */
extern const double cache_target;

#endif
