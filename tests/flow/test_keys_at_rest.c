/* tests/flow/test_keys_at_rest.c - the private half of a signing key that the
 * library made itself never leaves it readable: not into a record, not into the
 * SQLite file or its log, not into an event, not into a result. The test takes
 * the key from inside the library to know what to search for. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/engine.h"
#include "model/keyring.h"

#define MAX_NEEDLES 400

struct needle {
    uint8_t bytes[1100];
    size_t len;
};

struct search {
    struct flow flow;
    struct needle *needles;
    size_t n_needles, n_keys;
    char *results; /* all that ops gave, as JSON */
    size_t results_len;
};

/* --- what to search for --- */

static void add(struct search *s, const void *bytes, size_t len) {
    struct needle *one = &s->needles[s->n_needles++];
    assert_true(s->n_needles <= MAX_NEEDLES);
    assert_true(len >= 20 && len <= sizeof one->bytes);
    memcpy(one->bytes, bytes, len);
    one->len = len;
}

static void add_forms(struct search *s, const uint8_t *bytes, size_t len) {
    static const char digits[] = "0123456789abcdef";
    uint8_t padded[520] = {0};
    char text[1100];
    add(s, bytes, len);
    for (size_t shift = 0; shift < 3; shift++) {
        memcpy(padded + shift, bytes, len);
        mru_b64_encode(text, padded, len + shift);
        add(s, text + 4, strlen(text) - 8); /* the ends lean on neighbours */
    }
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    add(s, text, 2 * len);
}

/* The private members of a JWK (RFC 7518 sections 6.2.2, 6.3.2). */
static void add_key(struct search *s, const mru_key *key) {
    static const char *const members[] = {"\"d\":\"",  "\"p\":\"",
                                          "\"q\":\"",  "\"dp\":\"",
                                          "\"dq\":\"", "\"qi\":\""};
    struct mru_buf jwk = {0};
    size_t before = s->n_needles;
    assert_int_equal(mru_key_print_private(&jwk, key), 0);
    mru_buf_add_byte(&jwk, 0);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const char *at = strstr((const char *)jwk.data, members[i]);
        uint8_t bytes[512];
        ptrdiff_t len;
        if (at == NULL)
            continue;
        at += strlen(members[i]);
        len = mru_b64_decode(bytes, at, strcspn(at, "\""));
        assert_true(len >= 32);
        add_forms(s, bytes, (size_t)len);
    }
    assert_true(s->n_needles > before);
    s->n_keys++;
    mru_buf_free(&jwk);
}

/* The keys, prepared, as the context holds them. */
static void add_ring(struct search *s) {
    struct flow_records records;
    struct mru_cached *ring = NULL;
    struct mru_rkey key;
    mru_key_keyring(&key);
    flow_records_take(&s->flow, &records);
    for (size_t i = 0; i < records.n && ring == NULL; i++)
        ring = mru_cache_find(s->flow.ctx->cache, "test", &key,
                              records.all[i].version);
    flow_records_free(&records);
    assert_non_null(ring);
    for (size_t i = 0; i < ring->keyring->n; i++)
        if (ring->keyring->keys[i].key != NULL)
            add_key(s, ring->keyring->keys[i].key);
    mru_cached_release(ring);
}

/* --- a life of keys --- */

static mereau_op *act(struct search *s, mereau_op *op) {
    const char *json;
    size_t len;
    DONE(&s->flow, op);
    json = mereau_op_json(op);
    assert_non_null(json);
    len = strlen(json);
    s->results = realloc(s->results, s->results_len + len + 1);
    assert_non_null(s->results);
    memcpy(s->results + s->results_len, json, len + 1);
    s->results_len += len;
    return op;
}

static void use(struct search *s, const char *device) {
    struct flow *f = &s->flow;
    struct flow_pair pair = flow_enrol(f, flow_mint(f, 1, DAY).text, device);
    act(s, mereau_token_refresh(f->tenant, pair.refresh));
    add_ring(s);
}

static void scenario(struct search *s) {
    struct flow *f = &s->flow;
    mereau_op *op;
    flow_app(f, NULL);
    use(s, "first");
    op = act(s, mereau_key_generate(f->tenant, MEREAU_ALG_ES384));
    const char *kid = mereau_op_text(op, MEREAU_KID);
    op = mereau_key_generate(f->tenant, MEREAU_ALG_ES256);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "app");
    act(s, op);
    act(s, mereau_key_generate(f->tenant, MEREAU_ALG_RS256));
    use(s, "second");
    f->now_at += 2 * DAY;
    use(s, "third");
    act(s, mereau_key_retire(f->tenant, kid));
    act(s, mereau_key_revoke(f->tenant, kid));
    f->now_at += 2;
    use(s, "fourth");
    act(s, mereau_key_list(f->tenant));
    act(s, mereau_key_jwks(f->tenant));
    op = mereau_key_jwks(f->tenant);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "app");
    act(s, op);
    act(s, mereau_audit_list(f->tenant));
}

/* --- searching --- */

static int holds(const uint8_t *in, size_t in_len, const struct needle *one) {
    for (size_t i = 0; i + one->len <= in_len; i++) {
        const uint8_t *at =
            memchr(in + i, one->bytes[0], in_len - one->len - i + 1);
        if (at == NULL)
            return 0;
        i = (size_t)(at - in);
        if (memcmp(at, one->bytes, one->len) == 0)
            return 1;
    }
    return 0;
}

static void search(const struct search *s, const void *in, size_t len,
                   const char *where) {
    for (size_t i = 0; i < s->n_needles; i++)
        if (holds(in, len, &s->needles[i]))
            fail_msg("a private key stands in %s", where);
}

static size_t search_file(const struct search *s, const char *path) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes;
    long len;
    if (file == NULL)
        return 0;
    fseek(file, 0, SEEK_END);
    len = ftell(file);
    rewind(file);
    bytes = malloc((size_t)len + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)len, file), (size_t)len);
    fclose(file);
    search(s, bytes, (size_t)len, path);
    free(bytes);
    return (size_t)len;
}

static void search_all(struct search *s, const char *path, const char *log) {
    struct flow_records records;
    assert_true(s->n_keys >= 10);
    flow_records_take(&s->flow, &records);
    for (size_t i = 0; i < records.n; i++) {
        search(s, records.all[i].key, records.all[i].key_len, "a key");
        search(s, records.all[i].value, records.all[i].value_len, "a record");
    }
    flow_records_free(&records);
    search(s, s->flow.told, s->flow.told_len, "the events");
    search(s, s->results, s->results_len, "a result");
    if (path != NULL)
        assert_true(search_file(s, path) + search_file(s, log) > 10000);
}

static void begin(struct search *s, const char *path) {
    const struct flow_setup setup = {
        .seed = 11, .keep_events = 1, .sqlite = path};
    memset(s, 0, sizeof *s);
    s->needles = calloc(MAX_NEEDLES, sizeof *s->needles);
    assert_non_null(s->needles);
    flow_open(&s->flow, &setup);
}

static void end(struct search *s) {
    flow_close(&s->flow);
    free(s->needles);
    free(s->results);
}

static void a_generated_key_stands_in_no_record(void **state) {
    struct search s;
    (void)state;
    begin(&s, NULL);
    scenario(&s);
    search_all(&s, NULL, NULL);
    end(&s);
}

static void a_generated_key_stands_in_no_file(void **state) {
    char folder[] = "/tmp/mereau-flow-XXXXXX", path[64], log[80], shm[80];
    struct search s;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/store.db", folder);
    snprintf(log, sizeof log, "%s-wal", path);
    snprintf(shm, sizeof shm, "%s-shm", path);
    begin(&s, path);
    scenario(&s);
    search_all(&s, path, log);
    end(&s);
    unlink(path);
    unlink(log);
    unlink(shm);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_generated_key_stands_in_no_record),
        cmocka_unit_test(a_generated_key_stands_in_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
