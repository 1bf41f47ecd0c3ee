/* tests/bench/jose/bench_jose.c - what signing and verifying a JWT costs, as ratios
 * within one run: against the crypto provider's bare primitive, and against the
 * libraries that are installed beside it. `make bench` runs it; docs/performance.md
 * says how to read it.
 *
 * Contenders take turns in slices of a few milliseconds of CPU time, so that what
 * else the machine does hits all of them alike; of five runs the median counts. */
#include "bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mereau/verify.h>

enum { RUNS = 5, SLICES = 8, MAX_LANES = 8 };
static const double slice_s = 0.003;

/* 394 bytes, 11 claims: an access token of RFC 9068 with a session. */
static const char claims[] =
    "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\","
    "\"sub\":\"248289761001\",\"client_id\":\"s6BhdRkqt3\",\"exp\":1800000300,"
    "\"iat\":1799999990,\"nbf\":1799999990,"
    "\"jti\":\"n1dY3Yp9mQ2kVb7sT0xWcA\","
    "\"scope\":\"print status queue:read queue:write queue:admin tray:read "
    "toner:read\","
    "\"sid\":\"0b9f2a8c-4f55-4c0e-9a57-2f1f0c6f7d11\","
    "\"device_id\":\"printer-in-the-hall-of-the-second-floor-of-the-north-wing-"
    "1\"}";

/* --- counting calls of the heap --- */

static unsigned long heap_calls;
#if defined(__GLIBC__)
#define COUNTS_HEAP 1
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
void *malloc(size_t size) {
    __atomic_fetch_add(&heap_calls, 1, __ATOMIC_RELAXED);
    return __libc_malloc(size);
}
void *calloc(size_t n, size_t size) {
    __atomic_fetch_add(&heap_calls, 1, __ATOMIC_RELAXED);
    return __libc_calloc(n, size);
}
void *realloc(void *p, size_t size) {
    __atomic_fetch_add(&heap_calls, 1, __ATOMIC_RELAXED);
    return __libc_realloc(p, size);
}
#else
#define COUNTS_HEAP 0
#endif

/* --- lanes: what is measured in turns --- */

struct lane {
    const char *name;
    const struct contender *contender; /* NULL: the bare primitive */
    void *self;
    struct raw *raw;
    int is_sign;
    const char *token; /* to be verified */
    size_t len, signed_len;
    uint8_t sig[1024];
    size_t sig_len;
    long each; /* calls in one slice */
    double cost[RUNS], median; /* microseconds of CPU */
    double heap;
};

static double cpu_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int once(struct lane *lane) {
    if (lane->contender && lane->is_sign)
        return lane->contender->sign(lane->self, claims, sizeof claims - 1);
    if (lane->contender)
        return lane->contender->verify(lane->self, lane->token, lane->len);
    const uint8_t *input = (const uint8_t *)lane->token;
    if (lane->is_sign)
        return raw_sign(lane->raw, input, lane->signed_len);
    return raw_verify(lane->raw, input, lane->signed_len, lane->sig,
                      lane->sig_len);
}

static double slice(struct lane *lane) {
    double start = cpu_seconds();
    int bad = 0;
    for (long i = 0; i < lane->each; i++)
        bad |= once(lane);
    if (bad) {
        fprintf(stderr, "%s failed while it was measured\n", lane->name);
        exit(1);
    }
    return cpu_seconds() - start;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values) {
    double sorted[RUNS];
    memcpy(sorted, values, sizeof sorted);
    qsort(sorted, RUNS, sizeof sorted[0], by_size);
    return sorted[RUNS / 2];
}

/* How many calls fill a slice; and calls of the heap of one warm call. */
static void calibrate(struct lane *lane) {
    lane->each = 1;
    while (slice(lane) < slice_s && lane->each < 1000000)
        lane->each *= 2;
    unsigned long before = heap_calls;
    for (int i = 0; i < 10; i++)
        once(lane);
    lane->heap = (double)(heap_calls - before) / 10;
}

static void measure(struct lane *lanes, size_t n) {
    for (size_t i = 0; i < n; i++)
        calibrate(&lanes[i]);
    for (int run = 0; run < RUNS; run++) {
        double sum[MAX_LANES] = {0};
        for (int s = 0; s < SLICES; s++)
            for (size_t i = 0; i < n; i++)
                sum[i] += slice(&lanes[i]);
        for (size_t i = 0; i < n; i++)
            lanes[i].cost[run] =
                sum[i] * 1e6 / ((double)lanes[i].each * SLICES);
    }
    for (size_t i = 0; i < n; i++)
        lanes[i].median = median(lanes[i].cost);
}

/* Of ratios within each run, the median. */
static double ratio(const struct lane *a, const struct lane *b) {
    double ratios[RUNS];
    for (int i = 0; i < RUNS; i++)
        ratios[i] = a->cost[i] / b->cost[i];
    return median(ratios);
}

/* --- keys and tokens --- */

static void check(mereau_status status, const mereau_error *err) {
    if (status == MEREAU_OK)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static void write_key(char *out, size_t cap, const mereau_jwk *key,
                      int32_t form) {
    mereau_bytes *bytes = mereau_bytes_new();
    mereau_error err = MEREAU_ERROR_INIT;
    check(mereau_jwk_write(bytes, key, form, &err), &err);
    snprintf(out, cap, "%s", mereau_bytes_text(bytes));
    mereau_bytes_free(bytes);
}

/* 0 when the provider does not have the algorithm. */
static int make_key(struct bench_key *key, int32_t alg, const char *name) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_jwk *made = NULL;
    memset(key, 0, sizeof *key);
    key->alg = alg;
    key->name = name;
    mereau_status status = mereau_jwk_generate(&made, alg, 0, NULL, &err);
    if (status == MEREAU_E_ALG)
        return 0;
    check(status, &err);
    write_key(key->jwk_private, sizeof key->jwk_private, made,
              MEREAU_JWK_PRIVATE);
    if (alg <= MEREAU_ALG_HS512) {
        key->secret_len = (size_t)(16 + 16 * alg);
        for (size_t i = 0; i < key->secret_len; i++)
            key->secret[i] = (uint8_t)(i * 7 + 1);
        mereau_jwk_free(made);
        check(mereau_jwk_from_secret(&made, key->secret, key->secret_len, alg,
                                     &err),
              &err);
        write_key(key->jwk_private, sizeof key->jwk_private, made,
                  MEREAU_JWK_PRIVATE);
        memcpy(key->jwk_public, key->jwk_private, sizeof key->jwk_public);
    } else {
        write_key(key->jwk_public, sizeof key->jwk_public, made,
                  MEREAU_JWK_PUBLIC);
        write_key(key->pem_private, sizeof key->pem_private, made,
                  MEREAU_PEM_PRIVATE);
        write_key(key->pem_public, sizeof key->pem_public, made,
                  MEREAU_PEM_PUBLIC);
    }
    mereau_jwk_free(made);
    return 1;
}

static char *make_token(const struct bench_key *key) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_bytes *out = mereau_bytes_new();
    mereau_jwk *made = NULL;
    check(mereau_jwk_read(&made, key->jwk_private, strlen(key->jwk_private), 0,
                          &err),
          &err);
    check(mereau_jwt_sign(out, made, "JWT", claims, sizeof claims - 1, NULL,
                          &err),
          &err);
    char *token = strdup(mereau_bytes_text(out));
    mereau_jwk_free(made);
    mereau_bytes_free(out);
    return token;
}

static void lane_token(struct lane *lane, const char *token) {
    const char *dot = strrchr(token, '.') + 1;
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopq"
                                   "rstuvwxyz0123456789-_";
    uint32_t bits = 0;
    int n = 0;
    lane->token = token;
    lane->len = strlen(token);
    lane->signed_len = (size_t)(dot - 1 - token);
    for (; *dot; dot++) {
        bits = bits << 6 | (uint32_t)(strchr(alphabet, *dot) - alphabet);
        n += 6;
        if (n >= 8) {
            n -= 8;
            lane->sig[lane->sig_len++] = (uint8_t)(bits >> n);
        }
    }
}

/* --- the tables --- */

static int missed;

static void print_target(double found, double target) {
    if (target <= 0)
        printf("%8s  ", "");
    else
        printf("<= %.2f  %s", target, found <= target ? "" : "MISSED ");
    missed += target > 0 && found > target;
}

static const struct contender *const peers[] = {
#ifdef HAVE_libjwt
    &peer_libjwt,
#endif
#ifdef HAVE_librhonabwy
    &peer_rhonabwy,
#endif
#ifdef HAVE_cjose
    &peer_cjose,
#endif
#ifdef HAVE_jose
    &peer_jose,
#endif
    NULL};

static void print_row(const char *what, const struct lane *lanes, size_t n) {
    double r = ratio(&lanes[1], &lanes[0]);
    printf("%-14s %9.2f %9.2f  %6.3f  ", what, lanes[0].median, lanes[1].median,
           r);
    print_target(r, raw_target(lanes[1].name, lanes[0].is_sign));
    if (COUNTS_HEAP)
        printf(" heap %.0f, raw %.0f", lanes[1].heap, lanes[0].heap);
    for (size_t i = 2; i < n; i++)
        printf("; %s %.1f us (%.1f x ours)", lanes[i].name, lanes[i].median,
               ratio(&lanes[i], &lanes[1]));
    printf("\n");
    fflush(stdout);
}

static void bench_one(const struct bench_key *key, const char *token,
                      int is_sign) {
    struct lane lanes[MAX_LANES];
    size_t n = 0;
    char what[24];
    memset(lanes, 0, sizeof lanes);
    lanes[n].name = raw_name;
    lanes[n].raw = raw_open(key);
    n++;
    lanes[n].name = key->name; /* ours */
    lanes[n].contender = &ours;
    lanes[n].self = ours.open(key);
    n++;
    for (size_t i = 0; peers[i]; i++) {
        lanes[n].name = peers[i]->name;
        lanes[n].contender = peers[i];
        lanes[n].self = peers[i]->open(key);
        lanes[n].is_sign = is_sign;
        if (!lanes[n].self)
            continue;
        lane_token(&lanes[n], token);
        if (once(&lanes[n]) == 0) {
            n++;
            continue;
        }
        printf("  %s does not %s %s\n", peers[i]->name,
               is_sign ? "sign" : "verify", key->name);
        peers[i]->close(lanes[n].self);
        memset(&lanes[n], 0, sizeof lanes[n]);
    }
    for (size_t i = 0; i < n; i++) {
        lanes[i].is_sign = is_sign;
        lanes[i].sig_len = 0;
        lane_token(&lanes[i], token);
    }
    measure(lanes, n);
    snprintf(what, sizeof what, "%s %s", key->name,
             is_sign ? "sign" : "verify");
    print_row(what, lanes, n);
    raw_close(lanes[0].raw);
    for (size_t i = 1; i < n; i++)
        lanes[i].contender->close(lanes[i].self);
}

static void bench_cache(const struct bench_key *key, const char *token) {
    struct lane lanes[2];
    memset(lanes, 0, sizeof lanes);
    lanes[0].name = raw_name;
    lanes[0].raw = raw_open(key);
    lanes[1].name = "cache";
    lanes[1].contender = &ours_cached;
    lanes[1].self = ours_cached.open(key);
    for (size_t i = 0; i < 2; i++)
        lane_token(&lanes[i], token);
    measure(lanes, 2);
    double r = ratio(&lanes[1], &lanes[0]);
    printf("%-14s %9.2f %9.2f  %6.3f  ", "cache hit", lanes[0].median,
           lanes[1].median, r);
    print_target(r, cache_target);
    if (COUNTS_HEAP)
        printf(" heap %.0f, raw %.0f", lanes[1].heap, lanes[0].heap);
    printf(" (raw: HMAC-SHA256)\n");
    raw_close(lanes[0].raw);
    ours_cached.close(lanes[1].self);
}

/* --- two threads --- */

struct turn {
    const mereau_verifier *verifier;
    const char *token;
    size_t len;
    long n;
    int bad;
};

static void *verify_often(void *arg) {
    struct turn *turn = arg;
    mereau_claims *own = mereau_claims_new();
    for (long i = 0; i < turn->n; i++)
        turn->bad |= mereau_jwt_verify(turn->verifier, own, turn->token,
                                       turn->len, NOW_AT, NULL) != MEREAU_OK;
    mereau_claims_free(own);
    return NULL;
}

static double wall_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double both(struct turn turns[2]) {
    pthread_t threads[2];
    double start = wall_seconds();
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, verify_often, &turns[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    double took = wall_seconds() - start;
    if (turns[0].bad || turns[1].bad) {
        fprintf(stderr, "a thread's token was refused\n");
        exit(1);
    }
    return took;
}

static mereau_verifier *verifier_of(const struct bench_key *key) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_verifier *v =
        mereau_verifier_new_for(MEREAU_PROFILE_JWT, ISSUER, AUDIENCE);
    if (key->secret_len > 0)
        mereau_verifier_add_secret(v, key->secret, key->secret_len, key->alg);
    else
        mereau_verifier_add_key(v, key->jwk_public, strlen(key->jwk_public),
                                key->alg);
    check(mereau_verifier_ready(v, &err), &err);
    return v;
}

static void bench_threads(const struct bench_key *key, const char *token) {
    mereau_verifier *a = verifier_of(key), *b = verifier_of(key);
    size_t len = strlen(token);
    struct turn apart[2] = {{a, token, len, 0, 0}, {b, token, len, 0, 0}};
    struct turn shared[2] = {{a, token, len, 0, 0}, {a, token, len, 0, 0}};
    double ratios[RUNS];
    long n = 64;
    for (double took = 0; took < 0.02; n *= 2) {
        apart[0].n = apart[1].n = n;
        took = both(apart);
    }
    for (int i = 0; i < 2; i++)
        apart[i].n = shared[i].n = n;
    for (int run = 0; run < RUNS; run++) {
        double with_one = 0, with_two = 0;
        for (int s = 0; s < SLICES; s++) {
            with_two += both(apart);
            with_one += both(shared);
        }
        ratios[run] = with_two / with_one;
    }
    double r = median(ratios);
    printf("%-6s two threads on one key: %.3f of the rate with a key each, "
           "wanted >= 0.95%s\n",
           key->name, r, r >= 0.95 ? "" : "  MISSED");
    missed += r < 0.95;
    mereau_verifier_free(a);
    mereau_verifier_free(b);
}

int main(int argc, char **argv) {
    static const struct {
        int32_t alg;
        const char *name;
        int threads;
    } algs[] = {{MEREAU_ALG_HS256, "HS256", 1}, {MEREAU_ALG_RS256, "RS256", 1},
                {MEREAU_ALG_PS256, "PS256", 0}, {MEREAU_ALG_ES256, "ES256", 1},
                {MEREAU_ALG_ES384, "ES384", 0}, {MEREAU_ALG_EDDSA, "EdDSA", 0}};
    const char *only = argc > 1 ? argv[1] : NULL;
    printf("payload of %zu bytes; provider %s; microseconds of CPU a call\n",
           sizeof claims - 1, raw_name);
    printf("%-14s %9s %9s  %6s\n", "", "raw", "libmereau", "ratio");
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        struct bench_key key;
        if (only && strcmp(only, algs[i].name) != 0)
            continue;
        if (!make_key(&key, algs[i].alg, algs[i].name)) {
            printf("%s: not in this provider\n", algs[i].name);
            continue;
        }
        char *token = make_token(&key);
        bench_one(&key, token, 0);
        bench_one(&key, token, 1);
        if (i == 0)
            bench_cache(&key, token);
        if (algs[i].threads)
            bench_threads(&key, token);
        free(token);
    }
    printf(missed ? "%d targets MISSED\n" : "every target reached\n", missed);
    return 0;
}
