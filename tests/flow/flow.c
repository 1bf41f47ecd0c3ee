/* tests/flow/flow.c - see flow.h. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#include <mereau/sqlite.h>

#include "crypto/crypto.h"

struct flow_ran {
    struct flow_ran *next;
    mereau_op *op;
};

mereau_error flow_error = MEREAU_ERROR_INIT;

/* --- the host --- */

static int32_t now(void *user, int64_t *now_at) {
    struct flow *flow = user;
    *now_at = flow->now_at;
    flow->clock_reads++;
    if (flow->clock_fails_at > 0 && flow->clock_reads >= flow->clock_fails_at)
        return 77;
    return flow->clock_code;
}

static int32_t fill(void *user, uint8_t *out, size_t len) {
    struct flow *flow = user;
    for (size_t i = 0; i < len; i++) {
        uint64_t z = flow->random_state += UINT64_C(0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        out[i] = (uint8_t)(z ^ (z >> 31));
    }
    return flow->random_code;
}

static int32_t wait_nothing(void *user, uint32_t wait_ms) {
    struct flow *flow = user;
    (void)wait_ms;
    flow->waits++;
    return 0;
}

static int fails(struct flow *flow) {
    if (flow->fail_in == 0 && flow->failed > 0 && flow->fail_after != 0) {
        flow->fail_result = flow->fail_after;
        flow->fail_applied = 0;
        return 1;
    }
    if (flow->fail_in == 0)
        return 0;
    if (flow->fail_in > 1) {
        flow->fail_in--;
        return 0;
    }
    if (flow->fail_for > 0)
        flow->fail_for--;
    else
        flow->fail_in = 0;
    flow->failed++;
    return 1;
}

static int32_t front_get(void *user, const mereau_need *need, mereau_emit emit,
                         void *arg) {
    struct flow *flow = user;
    flow->gets++;
    if (fails(flow))
        return flow->fail_result;
    return flow->real.get(flow->real.user, need, emit, arg);
}

static int32_t front_commit(void *user, const mereau_need *need,
                            size_t *failed) {
    struct flow *flow = user;
    int32_t result;
    flow->commits++;
    if (!fails(flow))
        return flow->real.commit(flow->real.user, need, failed);
    if (!flow->fail_applied)
        return flow->fail_result;
    result = flow->real.commit(flow->real.user, need, failed);
    return result == MEREAU_STORE_OK ? flow->fail_result : result;
}

static int32_t front_scan(void *user, const mereau_need *need, mereau_emit emit,
                          void *arg) {
    struct flow *flow = user;
    flow->scans++;
    if (fails(flow))
        return flow->fail_result;
    return flow->real.scan(flow->real.user, need, emit, arg);
}

static int32_t tell(void *user, const mereau_event *event) {
    struct flow *flow = user;
    const char *json = mereau_event_json(event);
    size_t len = json == NULL ? 0 : strlen(json);
    flow->n_told++;
    if (flow->told_len + len + 2 > flow->told_cap) {
        size_t cap = (flow->told_len + len + 2) * 2;
        char *more = realloc(flow->told, cap);
        if (more == NULL)
            return 1;
        flow->told = more;
        flow->told_cap = cap;
    }
    if (len > 0)
        memcpy(flow->told + flow->told_len, json, len);
    flow->told_len += len;
    memcpy(flow->told + flow->told_len++, "\n", 2);
    return 0;
}

static void open_store(struct flow *flow, const struct flow_setup *setup) {
    mereau_error err = MEREAU_ERROR_INIT;
    if (setup->share != NULL) {
        flow->real = *setup->share;
    } else {
        mereau_status status =
            setup->sqlite != NULL
                ? mereau_sqlite_open(&flow->under, setup->sqlite, &err)
                : mereau_memory_open(&flow->under, &err);
        if (status != MEREAU_OK)
            fail_msg("no store: %s", err.text);
        flow->real = *flow->under;
    }
    mereau_store_init(&flow->front, sizeof flow->front);
    flow->front.caps = flow->real.caps & ~setup->without_caps;
    flow->front.user = flow;
    flow->front.get = front_get;
    flow->front.commit = front_commit;
    flow->front.scan = front_scan;
}

void flow_open(struct flow *flow, const struct flow_setup *setup) {
    static const uint8_t root[32] = "tests/flow: a root key of no use";
    static const uint8_t other[32] = "tests/flow: and another one.....";
    mereau_clock clock = {(uint32_t)sizeof clock, 0, flow, now};
    mereau_random random = {(uint32_t)sizeof random, 0, flow, fill};
    mereau_waiter waiter = {(uint32_t)sizeof waiter, 0, flow, wait_nothing};
    mereau_events events = {(uint32_t)sizeof events, 0, flow, tell};
    mereau_error err = MEREAU_ERROR_INIT;
    memset(flow, 0, sizeof *flow);
    flow->now_at = setup->now_at != 0 ? setup->now_at : T0;
    flow->random_state = setup->seed;
    open_store(flow, setup);
    flow->ctx = mereau_ctx_new();
    if (!setup->no_store)
        mereau_ctx_set_store(flow->ctx, &flow->front);
    mereau_ctx_set_clock(flow->ctx, &clock);
    mereau_ctx_set_random(flow->ctx, &random);
    mereau_ctx_set_waiter(flow->ctx, &waiter);
    mereau_ctx_set_events(flow->ctx, &events);
    if (setup->signer != NULL)
        mereau_ctx_set_signer(flow->ctx, setup->signer);
    if (setup->keep_events)
        mereau_ctx_keep_events(flow->ctx);
    mereau_ctx_add_root_key(flow->ctx, "test", setup->bad_root ? other : root,
                            sizeof root);
    if (mereau_ctx_ready(flow->ctx, &err) != MEREAU_OK)
        fail_msg("the context is not ready: %s", err.text);
    flow->tenant = mereau_tenant_open(
        flow->ctx, setup->tenant == NULL ? "test" : setup->tenant);
    if (!setup->no_tenant)
        DONE(flow, mereau_tenant_create(flow->tenant, ISSUER));
    flow_forget_events(flow);
    flow_count_from_here(flow);
}

void flow_start(struct flow *flow) {
    const struct flow_setup setup = {.seed = 1};
    flow_open(flow, &setup);
}

void flow_close(struct flow *flow) {
    while (flow->ran != NULL) {
        struct flow_ran *next = flow->ran->next;
        mereau_op_free(flow->ran->op);
        free(flow->ran);
        flow->ran = next;
    }
    mereau_tenant_free(flow->tenant);
    mereau_ctx_free(flow->ctx);
    mereau_store_close(flow->under);
    free(flow->told);
    memset(flow, 0, sizeof *flow);
}

/* --- running --- */

mereau_op *flow_done(struct flow *flow, mereau_op *op, const char *file,
                     int line) {
    struct flow_ran *one = malloc(sizeof *one);
    mereau_error_init(&flow_error, sizeof flow_error);
    mereau_status status = mereau_op_run(op, &flow_error);
    if (one == NULL)
        abort();
    one->op = op;
    one->next = flow->ran;
    flow->ran = one;
    if (status != MEREAU_OK) {
        print_error("%s:%d: refused: %s: %s\n", file, line,
                    mereau_status_name(status), flow_error.text);
        _fail(file, line);
    }
    if (flow_error.status != MEREAU_OK || flow_error.text[0] != '\0') {
        print_error("%s:%d: an error after success: %s\n", file, line,
                    flow_error.text);
        _fail(file, line);
    }
    return op;
}

static int has_result(const mereau_op *op) {
    for (int32_t field = 100; field < 1000; field++) {
        if (mereau_op_text(op, field) != NULL ||
            mereau_op_int(op, field) != MEREAU_UNSET)
            return field;
    }
    return 0;
}

void flow_refused(struct flow *flow, mereau_op *op, mereau_status status,
                  const char *rule, const char *file, int line) {
    (void)flow;
    mereau_error_init(&flow_error, sizeof flow_error);
    mereau_status found = mereau_op_run(op, &flow_error);
    int result = has_result(op), bad = 0;
    if (found != status || flow_error.status != found ||
        (rule != NULL && strcmp(flow_error.rule, rule) != 0)) {
        print_error("%s:%d: wanted %s (%s), found %s: %s\n", file, line,
                    mereau_status_name(status), rule == NULL ? "" : rule,
                    mereau_status_name(found), flow_error.text);
        bad = 1;
    }
    if (result != 0 || mereau_op_json(op) != NULL) {
        print_error("%s:%d: a result after a refusal: %s\n", file, line,
                    result == 0 ? "json" : mereau_field_name(result));
        bad = 1;
    }
    if (found != MEREAU_OK && flow_error.text[0] == '\0') {
        print_error("%s:%d: a refusal without words\n", file, line);
        bad = 1;
    }
    mereau_op_free(op);
    if (bad)
        _fail(file, line);
}

/* --- the usual things --- */

mereau_op *flow_app_named(struct flow *flow, const char *id, const char *json) {
    mereau_op *op = mereau_app_create(flow->tenant, id);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, id);
    if (json != NULL)
        mereau_op_set_json(op, json, strlen(json));
    return DONE(flow, op);
}

mereau_op *flow_app(struct flow *flow, const char *json) {
    mereau_op *op = mereau_app_create(flow->tenant, "app");
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "app");
    mereau_op_set_text(op, MEREAU_SCOPE, "read write print");
    mereau_op_set_text(op, MEREAU_AUDIENCE, API);
    if (json != NULL)
        mereau_op_set_json(op, json, strlen(json));
    return DONE(flow, op);
}

struct flow_token flow_mint_with(struct flow *flow, int64_t count,
                                 int64_t lifetime_s, const char *json) {
    mereau_op *op =
        mereau_registration_token_mint(flow->tenant, "app", count, lifetime_s);
    struct flow_token token;
    if (json != NULL)
        mereau_op_set_json(op, json, strlen(json));
    DONE(flow, op);
    token.text = mereau_op_text(op, MEREAU_REGISTRATION_TOKEN);
    token.id = mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID);
    assert_non_null(token.text);
    assert_non_null(token.id);
    return token;
}

struct flow_token flow_mint(struct flow *flow, int64_t count,
                            int64_t lifetime_s) {
    return flow_mint_with(flow, count, lifetime_s, NULL);
}

void flow_nonce(mereau_op *op, uint8_t nonce) {
    uint8_t bytes[16];
    memset(bytes, nonce, sizeof bytes);
    mereau_op_set_bytes(op, MEREAU_RETRY_NONCE, bytes, sizeof bytes);
}

mereau_op *flow_redeem(struct flow *flow, const char *token,
                       const char *device_id, uint8_t nonce) {
    uint8_t bytes[16];
    memset(bytes, nonce, sizeof bytes);
    return mereau_registration_token_redeem(flow->tenant, token, device_id,
                                            bytes, sizeof bytes);
}

mereau_op *flow_redeem_key(struct flow *flow, const char *token,
                           const char *device_id, const char *jkt) {
    mereau_op *op = mereau_registration_token_redeem(flow->tenant, token,
                                                     device_id, NULL, 0);
    mereau_op_set_text(op, MEREAU_DEVICE_JKT, jkt);
    return op;
}

struct flow_pair flow_pair_of(mereau_op *op) {
    struct flow_pair pair = {0};
    pair.access = mereau_op_text(op, MEREAU_ACCESS_TOKEN);
    pair.refresh = mereau_op_text(op, MEREAU_REFRESH_TOKEN);
    pair.family = mereau_op_text(op, MEREAU_FAMILY_ID);
    pair.op = op;
    return pair;
}

struct flow_pair flow_enrol(struct flow *flow, const char *token,
                            const char *device_id) {
    mereau_op *redeem = DONE(flow, flow_redeem(flow, token, device_id, 7));
    const char *auth = mereau_op_text(redeem, MEREAU_AUTH_TOKEN);
    mereau_op *op = DONE(flow, mereau_auth_token_exchange(flow->tenant, auth));
    struct flow_pair pair = flow_pair_of(op);
    pair.auth = auth;
    pair.auth_id = mereau_op_text(redeem, MEREAU_AUTH_TOKEN_ID);
    return pair;
}

int64_t flow_used(struct flow *flow, const char *token_id) {
    mereau_op *op =
        DONE(flow, mereau_registration_token_get(flow->tenant, token_id));
    return mereau_op_int(op, MEREAU_USED_COUNT);
}

const char *flow_state(struct flow *flow, const char *token_id) {
    mereau_op *op =
        DONE(flow, mereau_registration_token_get(flow->tenant, token_id));
    return mereau_op_text(op, MEREAU_STATE);
}

int64_t flow_number(const char *json, const char *name) {
    char member[64];
    const char *at;
    long long number;
    snprintf(member, sizeof member, "\"%s\":", name);
    at = json == NULL ? NULL : strstr(json, member);
    if (at == NULL || sscanf(at + strlen(member), "%lld", &number) != 1)
        return MEREAU_UNSET;
    return number;
}

mereau_status flow_verify(struct flow *flow, const char *token) {
    mereau_verifier *verifier = mereau_verifier_new(ISSUER, API);
    mereau_op *load = mereau_verifier_load(flow->tenant, verifier);
    mereau_error_init(&flow_error, sizeof flow_error);
    mereau_status status = mereau_op_run(load, &flow_error);
    if (status == MEREAU_OK)
        status = mereau_verifier_ready(verifier, &flow_error);
    assert_int_equal(status, MEREAU_OK);
    status = mereau_jwt_verify(verifier, NULL, token, strlen(token),
                               flow->now_at, &flow_error);
    mereau_op_free(load);
    mereau_verifier_free(verifier);
    return status;
}

void flow_same_access(const char *a, const char *b) {
    const char *dot = a == NULL ? NULL : strrchr(a, '.');
    if ((mru_crypto_has() & MRU_HAS_DETERMINISTIC_ECDSA) || dot == NULL ||
        b == NULL)
        assert_string_equal(a, b);
    else
        assert_int_equal(strncmp(a, b, (size_t)(dot - a) + 1), 0);
}

int flow_told(const struct flow *flow, const char *text) {
    return flow->told_len > 0 && strstr(flow->told, text) != NULL;
}

void flow_fail(struct flow *flow, uint64_t nth, int32_t result, int applied) {
    flow->fail_in = nth;
    flow->fail_for = 0;
    flow->fail_result = result;
    flow->fail_applied = applied;
    flow->fail_after = 0;
    flow->failed = 0;
}

void flow_forget_events(struct flow *flow) {
    flow->told_len = 0;
    flow->n_told = 0;
    if (flow->told != NULL)
        flow->told[0] = '\0';
}

void flow_count_from_here(struct flow *flow) {
    flow->gets = flow->commits = flow->scans = flow->waits = 0;
}

/* --- the records --- */

static int32_t take_one(void *arg, size_t index, const mereau_record *record) {
    struct flow_records *records = arg;
    struct flow_record *one;
    (void)index;
    if ((records->n & (records->n - 1)) == 0) { /* a power of 2, or 0 */
        size_t cap = records->n == 0 ? 1 : records->n * 2;
        one = realloc(records->all, cap * sizeof *one);
        if (one == NULL)
            abort();
        records->all = one;
    }
    one = &records->all[records->n++];
    memset(one, 0, sizeof *one);
    memcpy(one->key, record->key, record->key_len);
    one->key_len = record->key_len;
    one->value = malloc(record->value_len + 1);
    if (one->value == NULL)
        abort();
    if (record->value_len > 0)
        memcpy(one->value, record->value, record->value_len);
    one->value_len = record->value_len;
    one->version = record->version;
    one->drop_at = record->drop_at;
    return 0;
}

static mereau_need need_of(uint32_t kind) {
    mereau_need need = {0};
    need.size = (uint32_t)sizeof need;
    need.kind = kind;
    need.partition = (const uint8_t *)"test";
    need.partition_len = 4;
    return need;
}

void flow_records_take(struct flow *flow, struct flow_records *records) {
    uint8_t from[MEREAU_MAX_KEY + 1] = {0};
    size_t before;
    mereau_need need = need_of(MEREAU_NEED_SCAN);
    memset(records, 0, sizeof *records);
    need.from = from;
    need.from_len = 1;
    need.limit = 100;
    do {
        before = records->n;
        assert_int_equal(
            flow->real.scan(flow->real.user, &need, take_one, records),
            MEREAU_STORE_OK);
        if (records->n > 0) {
            const struct flow_record *last = &records->all[records->n - 1];
            memcpy(from, last->key, last->key_len);
            from[last->key_len] = 0;
            need.from_len = last->key_len + 1;
        }
    } while (records->n == before + 100);
}

static void write_all(struct flow *flow, const struct flow_records *records,
                      uint32_t kind) {
    mereau_write writes[100];
    for (size_t i = 0; i < records->n; i += 100) {
        mereau_need need = need_of(MEREAU_NEED_COMMIT);
        size_t failed, n = records->n - i < 100 ? records->n - i : 100;
        memset(writes, 0, sizeof writes);
        for (size_t j = 0; j < n; j++) {
            const struct flow_record *one = &records->all[i + j];
            writes[j].kind = kind;
            writes[j].expect = MEREAU_VERSION_ANY;
            writes[j].record.key = one->key;
            writes[j].record.key_len = one->key_len;
            writes[j].record.value = one->value;
            writes[j].record.value_len = one->value_len;
            writes[j].record.version = one->version;
            writes[j].record.drop_at = one->drop_at;
        }
        need.writes = writes;
        need.n_writes = n;
        assert_int_equal(flow->real.commit(flow->real.user, &need, &failed),
                         MEREAU_STORE_OK);
    }
}

void flow_records_put(struct flow *flow, const struct flow_records *records) {
    struct flow_records old;
    flow_records_take(flow, &old);
    write_all(flow, &old, MEREAU_WRITE_DELETE);
    write_all(flow, records, MEREAU_WRITE_PUT);
    flow_records_free(&old);
}

int flow_records_equal(const struct flow_records *a,
                       const struct flow_records *b) {
    if (a->n != b->n)
        return 0;
    for (size_t i = 0; i < a->n; i++) {
        const struct flow_record *x = &a->all[i], *y = &b->all[i];
        if (x->key_len != y->key_len || x->value_len != y->value_len ||
            x->version != y->version || x->drop_at != y->drop_at ||
            memcmp(x->key, y->key, x->key_len) != 0 ||
            memcmp(x->value, y->value, x->value_len) != 0)
            return 0;
    }
    return 1;
}

void flow_records_free(struct flow_records *records) {
    for (size_t i = 0; i < records->n; i++)
        free(records->all[i].value);
    free(records->all);
    memset(records, 0, sizeof *records);
}
