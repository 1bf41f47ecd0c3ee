/* lib/testing/testbed.c - a ready context on a memory store, with a clock that
 * stands still, randomness from a seed, and a store that counts its calls and
 * fails when told to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/testing.h>

struct ran {
    struct ran *next;
    mereau_op *op;
};

struct mereau_testbed {
    uint64_t random_state;
    int64_t now_at;
    mereau_store *memory;
    mereau_store store; /* in front of it */
    mereau_ctx *ctx;
    mereau_tenant *tenant;
    struct ran *ran;
    uint64_t calls[MEREAU_NEED_SCAN + 1];
    uint64_t fail_in; /* calls until the one that fails; 0: none */
    int32_t fail_result;
    int32_t fail_applied;
};

static int32_t bed_now(void *user, int64_t *now_at) {
    const mereau_testbed *bed = user;
    *now_at = bed->now_at;
    return 0;
}

/* splitmix64: the same bytes everywhere, and no secret at all. */
static int32_t bed_fill(void *user, uint8_t *out, size_t len) {
    mereau_testbed *bed = user;
    for (size_t i = 0; i < len; i++) {
        uint64_t z = bed->random_state += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        out[i] = (uint8_t)(z ^ (z >> 31));
    }
    return 0;
}

static int32_t bed_wait(void *user, uint32_t wait_ms) {
    (void)user;
    (void)wait_ms;
    return 0; /* the clock stands still: nobody sleeps */
}

/* 1 when this call is the one that fails. */
static int fails(mereau_testbed *bed, uint32_t kind) {
    bed->calls[kind]++;
    return bed->fail_in > 0 && --bed->fail_in == 0;
}

static int32_t bed_get(void *user, const mereau_need *need, mereau_emit emit,
                       void *arg) {
    mereau_testbed *bed = user;
    if (fails(bed, MEREAU_NEED_GET))
        return bed->fail_result;
    return bed->memory->get(bed->memory->user, need, emit, arg);
}

static int32_t bed_commit(void *user, const mereau_need *need, size_t *failed) {
    mereau_testbed *bed = user;
    int32_t result;
    if (!fails(bed, MEREAU_NEED_COMMIT))
        return bed->memory->commit(bed->memory->user, need, failed);
    if (!bed->fail_applied)
        return bed->fail_result;
    result = bed->memory->commit(bed->memory->user, need, failed);
    return result == MEREAU_STORE_OK ? bed->fail_result : result;
}

static int32_t bed_scan(void *user, const mereau_need *need, mereau_emit emit,
                        void *arg) {
    mereau_testbed *bed = user;
    if (fails(bed, MEREAU_NEED_SCAN))
        return bed->fail_result;
    return bed->memory->scan(bed->memory->user, need, emit, arg);
}

static int set_up(mereau_testbed *bed) {
    static const uint8_t root[32] = "libmereau-testing: not a secret";
    const mereau_clock clock = {(uint32_t)sizeof clock, 0, bed, bed_now};
    const mereau_random random = {(uint32_t)sizeof random, 0, bed, bed_fill};
    const mereau_waiter waiter = {(uint32_t)sizeof waiter, 0, bed, bed_wait};
    mereau_op *create;
    int failed;
    if (mereau_memory_open(&bed->memory, NULL) != MEREAU_OK)
        return -1;
    mereau_store_init(&bed->store, sizeof bed->store);
    bed->store.caps = bed->memory->caps;
    bed->store.user = bed;
    bed->store.get = bed_get;
    bed->store.commit = bed_commit;
    bed->store.scan = bed_scan;
    bed->ctx = mereau_ctx_new();
    mereau_ctx_set_store(bed->ctx, &bed->store);
    mereau_ctx_set_clock(bed->ctx, &clock);
    mereau_ctx_set_random(bed->ctx, &random);
    mereau_ctx_set_waiter(bed->ctx, &waiter);
    mereau_ctx_add_root_key(bed->ctx, "test", root, sizeof root);
    if (mereau_ctx_ready(bed->ctx, NULL) != MEREAU_OK)
        return -1;
    bed->tenant = mereau_tenant_open(bed->ctx, "test");
    create = mereau_tenant_create(bed->tenant, "https://id.test.example");
    failed = mereau_op_run(create, NULL) != MEREAU_OK;
    mereau_op_free(create);
    memset(bed->calls, 0, sizeof bed->calls);
    return failed ? -1 : 0;
}

mereau_testbed *mereau_testbed_new(uint64_t seed, int64_t now_at) {
    mereau_testbed *bed = calloc(1, sizeof *bed);
    if (bed == NULL)
        return NULL;
    bed->random_state = seed;
    bed->now_at = now_at;
    if (set_up(bed) != 0) {
        mereau_testbed_free(bed);
        return NULL;
    }
    return bed;
}

void mereau_testbed_free(mereau_testbed *bed) {
    if (bed == NULL)
        return;
    while (bed->ran != NULL) {
        struct ran *next = bed->ran->next;
        mereau_op_free(bed->ran->op);
        free(bed->ran);
        bed->ran = next;
    }
    mereau_tenant_free(bed->tenant);
    mereau_ctx_free(bed->ctx);
    mereau_store_close(bed->memory);
    free(bed);
}

const mereau_tenant *mereau_testbed_tenant(const mereau_testbed *bed) {
    return bed == NULL ? NULL : bed->tenant;
}

const mereau_ctx *mereau_testbed_ctx(const mereau_testbed *bed) {
    return bed == NULL ? NULL : bed->ctx;
}

const mereau_store *mereau_testbed_store(const mereau_testbed *bed) {
    return bed == NULL ? NULL : &bed->store;
}

void mereau_testbed_run(mereau_testbed *bed, mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    struct ran *one = bed == NULL ? NULL : malloc(sizeof *one);
    if (one == NULL || mereau_op_run(op, &err) != MEREAU_OK) {
        fprintf(stderr, "mereau_testbed_run: %s: %s\n",
                mereau_status_name(err.status), err.text);
        abort();
    }
    one->op = op;
    one->next = bed->ran;
    bed->ran = one;
}

void mereau_testbed_advance(mereau_testbed *bed, int64_t seconds) {
    if (bed != NULL)
        bed->now_at += seconds;
}

int64_t mereau_testbed_now(const mereau_testbed *bed) {
    return bed == NULL ? MEREAU_UNSET : bed->now_at;
}

mereau_status mereau_testbed_verify(mereau_testbed *bed, mereau_claims *claims,
                                    const char *token, const char *audience,
                                    mereau_error *err) {
    mereau_verifier *verifier =
        mereau_verifier_new("https://id.test.example", audience);
    mereau_op *load =
        mereau_verifier_load(mereau_testbed_tenant(bed), verifier);
    mereau_status status = mereau_op_run(load, err);
    if (status == MEREAU_OK)
        status = mereau_verifier_ready(verifier, err);
    if (status == MEREAU_OK)
        status = mereau_jwt_verify(verifier, claims, token,
                                   token == NULL ? 0 : strlen(token),
                                   mereau_testbed_now(bed), err);
    mereau_op_free(load);
    mereau_verifier_free(verifier);
    return status;
}

void mereau_testbed_fail_store(mereau_testbed *bed, uint64_t nth,
                               int32_t result, int32_t applied) {
    if (bed == NULL)
        return;
    bed->fail_in = nth;
    bed->fail_result = result;
    bed->fail_applied = applied;
}

uint64_t mereau_testbed_store_calls(const mereau_testbed *bed, uint32_t kind) {
    if (bed == NULL || kind > MEREAU_NEED_SCAN)
        return 0;
    return bed->calls[kind];
}
