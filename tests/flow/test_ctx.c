/* tests/flow/test_ctx.c - the context: what it must be given, each mistake of a
 * setter, what it may not become once ready, root keys that follow one another,
 * and handles that are let go in any order. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

static int32_t now(void *user, int64_t *now_at) {
    (void)user;
    *now_at = T0;
    return 0;
}

static int32_t fill(void *user, uint8_t *out, size_t len) {
    memset(out, 7, len);
    return user == NULL ? 0 : *(const int *)user;
}

static const uint8_t key_a[32] = {1}, key_b[64] = {2}, key_c[65] = {3};

static mereau_ctx *bare(void) {
    const mereau_clock clock = {(uint32_t)sizeof clock, 0, NULL, now};
    mereau_ctx *ctx = mereau_ctx_new();
    mereau_ctx_set_clock(ctx, &clock);
    mereau_ctx_add_root_key(ctx, "a", key_a, sizeof key_a);
    return ctx;
}

/* Not ready, for this reason; the mistake is said once, then it can be mended. */
static void says(mereau_ctx *ctx, mereau_status status, const char *rule) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_status found = mereau_ctx_ready(ctx, &err);
    if (found != status || strcmp(err.rule, rule) != 0)
        fail_msg("wanted %s (%s), found %s", mereau_status_name(status), rule,
                 err.text);
}

static void mends(mereau_ctx *ctx) {
    assert_int_equal(mereau_ctx_ready(ctx, NULL), MEREAU_OK);
    mereau_ctx_free(ctx);
}

static void a_clock_and_a_root_key_must_be_given(void **state) {
    const mereau_clock clock = {(uint32_t)sizeof clock, 0, NULL, now};
    mereau_ctx *ctx = mereau_ctx_new();
    (void)state;
    says(ctx, MEREAU_E_INCOMPLETE, "ctx.clock");
    mereau_ctx_set_clock(ctx, &clock);
    says(ctx, MEREAU_E_INCOMPLETE, "ctx.root_key");
    mereau_ctx_add_root_key(ctx, "a", key_a, sizeof key_a);
    mends(ctx);
}

static void tables_say_their_size_and_have_their_callbacks(void **state) {
    mereau_clock clock = {0, 0, NULL, now};
    mereau_random random = {(uint32_t)sizeof random, 0, NULL, NULL};
    mereau_signer signer = {(uint32_t)sizeof signer, 0, NULL, NULL};
    mereau_events events = {(uint32_t)sizeof events, 0, NULL, NULL};
    mereau_waiter waiter = {(uint32_t)sizeof waiter, 0, NULL, NULL};
    mereau_ctx *ctx = bare();
    (void)state;
    mereau_ctx_set_clock(ctx, &clock);
    says(ctx, MEREAU_E_SIZE, "ctx.clock");
    clock.size = (uint32_t)sizeof clock - 1;
    mereau_ctx_set_clock(ctx, &clock);
    says(ctx, MEREAU_E_SIZE, "ctx.clock");
    clock.size = (uint32_t)sizeof clock;
    clock.now = NULL;
    mereau_ctx_set_clock(ctx, &clock);
    says(ctx, MEREAU_E_INCOMPLETE, "ctx.clock");
    clock.now = now;
    mereau_ctx_set_clock(ctx, &clock);
    mereau_ctx_set_random(ctx, &random);
    says(ctx, MEREAU_E_INCOMPLETE, "ctx.random");
    mereau_ctx_set_signer(ctx, &signer);
    says(ctx, MEREAU_E_INCOMPLETE, "ctx.signer");
    mereau_ctx_set_events(ctx, &events);
    says(ctx, MEREAU_E_INCOMPLETE, "ctx.events");
    mereau_ctx_set_waiter(ctx, &waiter);
    says(ctx, MEREAU_E_INCOMPLETE, "ctx.waiter");
    mereau_ctx_set_random(ctx, NULL);
    says(ctx, MEREAU_E_ARG, "ctx.random");
    mereau_ctx_free(ctx);
}

static void a_store_has_what_it_claims(void **state) {
    mereau_store *memory = NULL;
    mereau_store store;
    mereau_ctx *ctx = bare();
    (void)state;
    assert_int_equal(mereau_memory_open(&memory, NULL), MEREAU_OK);
    mereau_ctx_set_store(ctx, NULL);
    says(ctx, MEREAU_E_ARG, "ctx.store");
    mereau_store_init(&store, sizeof store);
    mereau_ctx_set_store(ctx, &store);
    says(ctx, MEREAU_E_INCOMPLETE, "ctx.store");
    store = *memory;
    store.scan = NULL; /* and claims to be ordered */
    mereau_ctx_set_store(ctx, &store);
    says(ctx, MEREAU_E_UNSUPPORTED, "ctx.store");
    store.caps &= ~(uint32_t)MEREAU_CAP_ORDERED;
    mereau_ctx_set_store(ctx, &store);
    mends(ctx);
    mereau_store_close(memory);
}

/* A host that was built with an older header has a shorter table. */
static void a_shorter_table_of_an_older_host_is_taken(void **state) {
    mereau_store *memory = NULL;
    mereau_store store;
    mereau_ctx *ctx = bare();
    (void)state;
    assert_int_equal(mereau_memory_open(&memory, NULL), MEREAU_OK);
    store = *memory;
    store.size = (uint32_t)offsetof(mereau_store, scan);
    store.caps &= ~(uint32_t)MEREAU_CAP_ORDERED;
    mereau_ctx_set_store(ctx, &store);
    assert_int_equal(mereau_ctx_ready(ctx, NULL), MEREAU_OK);
    mereau_tenant *tenant = mereau_tenant_open(ctx, "t");
    mereau_op *op = mereau_tenant_create(tenant, ISSUER);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    mereau_op_free(op);
    op = mereau_app_list(tenant);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_E_UNSUPPORTED);
    mereau_op_free(op);
    mereau_tenant_free(tenant);
    mereau_ctx_free(ctx);
    mereau_store_close(memory);
}

static void randomness_that_fails_is_noticed(void **state) {
    int code = 9;
    const mereau_random random = {(uint32_t)sizeof random, 0, &code, fill};
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_ctx *ctx = bare();
    (void)state;
    mereau_ctx_set_random(ctx, &random);
    assert_int_equal(mereau_ctx_ready(ctx, &err), MEREAU_E_RANDOM);
    assert_int_equal(err.host_code, 9);
    code = 0;
    mends(ctx);
}

static void root_keys_have_names_and_32_to_64_bytes(void **state) {
    mereau_ctx *ctx = bare();
    (void)state;
    mereau_ctx_add_root_key(ctx, NULL, key_b, 32);
    says(ctx, MEREAU_E_ARG, "ctx.root_key");
    mereau_ctx_add_root_key(ctx, "", key_b, 32);
    says(ctx, MEREAU_E_ARG, "ctx.root_key");
    mereau_ctx_add_root_key(ctx, "123456789012345678901234567890123", key_b,
                            32);
    says(ctx, MEREAU_E_ARG, "ctx.root_key");
    mereau_ctx_add_root_key(ctx, "b", key_b, 31);
    says(ctx, MEREAU_E_ARG, "ctx.root_key");
    mereau_ctx_add_root_key(ctx, "b", key_c, 65);
    says(ctx, MEREAU_E_ARG, "ctx.root_key");
    mereau_ctx_add_root_key(ctx, "b", NULL, 32);
    says(ctx, MEREAU_E_ARG, "ctx.root_key");
    mereau_ctx_add_root_key(ctx, "a", key_b, 32); /* the name is taken */
    says(ctx, MEREAU_E_EXISTS, "ctx.root_key");
    mereau_ctx_free(ctx);
    ctx = bare();
    mereau_ctx_add_root_key(ctx, "12345678901234567890123456789012", key_b, 64);
    mends(ctx);
}

static void at_most_eight_root_keys(void **state) {
    mereau_ctx *ctx = bare();
    char name[4];
    (void)state;
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "k%d", i);
        mereau_ctx_add_root_key(ctx, name, key_b, 32);
    }
    mereau_ctx_add_root_key(ctx, "more", key_b, 32);
    says(ctx, MEREAU_E_ARG, "ctx.root_key");
    mends(ctx);
}

static void limits_are_set_lower_never_higher(void **state) {
    static const struct {
        const char *name;
        int64_t most;
    } limits[] = {{"max_token", MEREAU_MAX_TOKEN},
                  {"max_json", MEREAU_MAX_JSON},
                  {"max_list", MEREAU_MAX_LIST},
                  {"max_text", MEREAU_MAX_TEXT},
                  {"max_page", MEREAU_MAX_PAGE}};
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        mereau_ctx *ctx = bare();
        mereau_ctx_set_limit(ctx, limits[i].name, limits[i].most + 1);
        says(ctx, MEREAU_E_ARG, "ctx.limit");
        mereau_ctx_set_limit(ctx, limits[i].name, 0);
        says(ctx, MEREAU_E_ARG, "ctx.limit");
        mereau_ctx_set_limit(ctx, limits[i].name, -1);
        says(ctx, MEREAU_E_ARG, "ctx.limit");
        mereau_ctx_set_limit(ctx, limits[i].name, 1);
        mereau_ctx_set_limit(ctx, limits[i].name, limits[i].most);
        mends(ctx);
    }
    mereau_ctx *ctx = bare();
    mereau_ctx_set_limit(ctx, "max_luck", 1);
    says(ctx, MEREAU_E_ARG, "ctx.limit");
    mereau_ctx_set_limit(ctx, NULL, 1);
    says(ctx, MEREAU_E_ARG, "ctx.limit");
    mereau_ctx_free(ctx);
}

static void a_lower_limit_holds(void **state) {
    mereau_ctx *ctx = bare();
    mereau_tenant *tenant;
    mereau_op *op;
    (void)state;
    mereau_ctx_set_limit(ctx, "max_text", 4);
    mereau_ctx_set_limit(ctx, "max_list", 1);
    mereau_ctx_set_limit(ctx, "max_token", 10);
    assert_int_equal(mereau_ctx_ready(ctx, NULL), MEREAU_OK);
    tenant = mereau_tenant_open(ctx, "t");
    op = mereau_app_create(tenant, "12345");
    assert_int_equal(mereau_op_run(op, &flow_error), MEREAU_E_TOO_LONG);
    assert_string_equal(flow_error.found, "name");
    mereau_op_free(op);
    op = mereau_app_create(tenant, "1234");
    mereau_op_add_text(op, MEREAU_CONTACT, "a");
    mereau_op_add_text(op, MEREAU_CONTACT, "b");
    assert_int_equal(mereau_op_run(op, &flow_error), MEREAU_E_TOO_LONG);
    mereau_op_free(op);
    op = mereau_token_introspect(tenant, "12345678901");
    assert_int_equal(mereau_op_run(op, &flow_error), MEREAU_E_TOO_LONG);
    mereau_op_free(op);
    mereau_tenant_free(tenant);
    mereau_ctx_free(ctx);
}

static void a_ready_context_is_not_changed(void **state) {
    const mereau_clock clock = {(uint32_t)sizeof clock, 0, NULL, now};
    mereau_ctx *ctx = bare();
    (void)state;
    assert_int_equal(mereau_ctx_ready(ctx, NULL), MEREAU_OK);
    assert_int_equal(mereau_ctx_ready(ctx, NULL), MEREAU_OK);
    mereau_ctx_set_clock(ctx, &clock);
    says(ctx, MEREAU_E_STATE, "ctx.ready");
    mereau_ctx_keep_events(ctx);
    says(ctx, MEREAU_E_STATE, "ctx.ready");
    mereau_ctx_add_root_key(ctx, "b", key_b, 32);
    says(ctx, MEREAU_E_STATE, "ctx.ready");
    mereau_ctx_set_limit(ctx, "max_page", 5);
    says(ctx, MEREAU_E_STATE, "ctx.ready");
    mereau_ctx_free(ctx);
}

static void before_ready_nothing_is_run(void **state) {
    mereau_ctx *ctx = bare();
    mereau_tenant *tenant = mereau_tenant_open(ctx, "t");
    mereau_op *op = mereau_tenant_get(tenant);
    (void)state;
    assert_int_equal(mereau_op_run(op, &flow_error), MEREAU_E_STATE);
    assert_string_equal(flow_error.rule, "ctx.ready");
    mereau_op_free(op);
    mereau_tenant_free(tenant);
    mereau_ctx_free(ctx);
}

static void handles_are_let_go_in_any_order(void **state) {
    struct flow f;
    mereau_ctx *ctx = bare();
    mereau_tenant *tenant;
    mereau_op *op;
    (void)state;
    assert_int_equal(mereau_ctx_ready(ctx, NULL), MEREAU_OK);
    tenant = mereau_tenant_open(ctx, "t");
    op = mereau_tenant_get(tenant);
    mereau_ctx_free(ctx);
    mereau_tenant_free(tenant);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_E_UNSUPPORTED); /* alive */
    mereau_op_free(op);
    flow_start(&f);
    op = mereau_tenant_get(f.tenant);
    mereau_tenant_free(f.tenant);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    mereau_op_free(op);
    f.tenant = NULL;
    flow_close(&f);
}

static void tenants_names_are_of_few_characters(void **state) {
    static const char *const bad[] = {
        "",
        "A",
        "a b",
        "a/b",
        "\xc3\xa9",
        "a\n",
        "12345678901234567890123456789012345678901234567890123456789012345"};
    static const char *const good[] = {
        "a", "0", "._-", "acme.example",
        "1234567890123456789012345678901234567890123456789012345678901234"};
    struct flow f;
    (void)state;
    flow_start(&f);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mereau_tenant *tenant = mereau_tenant_open(f.ctx, bad[i]);
        REFUSED(&f, mereau_tenant_create(tenant, ISSUER), MEREAU_E_ARG,
                "tenant.name");
        mereau_tenant_free(tenant);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        mereau_tenant *tenant = mereau_tenant_open(f.ctx, good[i]);
        mereau_op *op = mereau_tenant_create(tenant, ISSUER);
        assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
        mereau_op_free(op);
        mereau_tenant_free(tenant);
    }
    flow_close(&f);
}

static void an_error_of_another_size_is_not_written(void **state) {
    struct flow f;
    mereau_error err = MEREAU_ERROR_INIT, copy;
    mereau_op *op;
    (void)state;
    flow_start(&f);
    err.size = 100;
    copy = err;
    op = mereau_tenant_get(f.tenant);
    assert_int_equal(mereau_op_run(op, &err), MEREAU_E_SIZE);
    assert_int_equal(mereau_op_dry_run(op, &err), MEREAU_E_SIZE);
    assert_int_equal(mereau_ctx_ready(f.ctx, &err), MEREAU_E_SIZE);
    assert_memory_equal(&err, &copy, sizeof err);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    mereau_op_free(op);
    flow_close(&f);
}

/* --- root keys that follow one another --- */

struct keyed {
    mereau_ctx *ctx;
    mereau_tenant *tenant;
};

/* On the records of a flow, with the root keys "test" (the flow's own), "b" or
 * both. */
static struct keyed open_keyed(struct flow *f, int with_test, int with_b) {
    static const uint8_t root[32] = "tests/flow: a root key of no use";
    const mereau_clock clock = {(uint32_t)sizeof clock, 0, NULL, now};
    struct keyed k;
    k.ctx = mereau_ctx_new();
    mereau_ctx_set_clock(k.ctx, &clock);
    mereau_ctx_set_store(k.ctx, &f->front);
    if (with_test)
        mereau_ctx_add_root_key(k.ctx, "test", root, sizeof root);
    if (with_b)
        mereau_ctx_add_root_key(k.ctx, "b", key_b, sizeof key_b);
    assert_int_equal(mereau_ctx_ready(k.ctx, NULL), MEREAU_OK);
    k.tenant = mereau_tenant_open(k.ctx, "test");
    return k;
}

static void close_keyed(struct keyed *k) {
    mereau_tenant_free(k->tenant);
    mereau_ctx_free(k->ctx);
}

static void a_refresh_moves_to_the_newest_root_key(void **state) {
    struct flow f;
    struct flow_pair p, q;
    struct flow_token t;
    struct keyed both, only_b;
    (void)state;
    flow_start(&f);
    flow_app(&f, NULL);
    t = flow_mint(&f, 3, DAY);
    p = flow_enrol(&f, t.text, "d1");
    both = open_keyed(&f, 1, 1);
    DONE(&f, mereau_token_verify_live(both.tenant, p.refresh));
    q = flow_pair_of(DONE(&f, mereau_token_refresh(both.tenant, p.refresh)));
    DONE(&f, mereau_token_verify_live(both.tenant, q.refresh));
    DONE(&f, mereau_token_verify_live(both.tenant, q.access));
    /* the first root key alone knows the new token not */
    REFUSED(&f, mereau_token_refresh(f.tenant, q.refresh), MEREAU_E_UNKNOWN,
            "credential.epoch");
    only_b = open_keyed(&f, 0, 1);
    REFUSED(&f, mereau_token_refresh(only_b.tenant, p.refresh),
            MEREAU_E_UNKNOWN, "credential.epoch");
    /* private keys are still sealed under the first */
    REFUSED(&f, mereau_token_refresh(only_b.tenant, q.refresh),
            MEREAU_E_INCOMPLETE, "ctx.root_key");
    DONE(&f, mereau_token_refresh(both.tenant, q.refresh));
    close_keyed(&both);
    close_keyed(&only_b);
    flow_close(&f);
}

static void old_registration_tokens_live_beside_a_newer_root_key(void **state) {
    struct flow f;
    struct flow_token t;
    struct keyed both;
    mereau_op *op;
    (void)state;
    flow_start(&f);
    flow_app(&f, NULL);
    t = flow_mint(&f, 3, DAY);
    both = open_keyed(&f, 1, 1);
    op = flow_redeem(&f, t.text, "d1", 1);
    DONE(&f, op);
    uint8_t nonce[16];
    memset(nonce, 1, sizeof nonce);
    mereau_op *again = mereau_registration_token_redeem(
        both.tenant, t.text, "d1", nonce, sizeof nonce);
    DONE(&f, again);
    assert_string_equal(mereau_op_text(op, MEREAU_AUTH_TOKEN),
                        mereau_op_text(again, MEREAU_AUTH_TOKEN));
    close_keyed(&both);
    flow_close(&f);
}

static void a_wrong_root_key_of_the_same_name_opens_nothing(void **state) {
    struct flow f, other;
    struct flow_setup setup = {.seed = 4, .bad_root = 1, .no_tenant = 1};
    (void)state;
    flow_start(&f);
    flow_app(&f, NULL);
    setup.share = &f.front;
    flow_open(&other, &setup);
    mereau_verifier *v = mereau_verifier_new(ISSUER, API);
    REFUSED(&other, mereau_verifier_load(other.tenant, v), MEREAU_E_CORRUPT,
            "record.sealed");
    mereau_verifier_free(v);
    flow_close(&other);
    flow_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_and_a_root_key_must_be_given),
        cmocka_unit_test(tables_say_their_size_and_have_their_callbacks),
        cmocka_unit_test(a_store_has_what_it_claims),
        cmocka_unit_test(a_shorter_table_of_an_older_host_is_taken),
        cmocka_unit_test(randomness_that_fails_is_noticed),
        cmocka_unit_test(root_keys_have_names_and_32_to_64_bytes),
        cmocka_unit_test(at_most_eight_root_keys),
        cmocka_unit_test(limits_are_set_lower_never_higher),
        cmocka_unit_test(a_lower_limit_holds),
        cmocka_unit_test(a_ready_context_is_not_changed),
        cmocka_unit_test(before_ready_nothing_is_run),
        cmocka_unit_test(handles_are_let_go_in_any_order),
        cmocka_unit_test(tenants_names_are_of_few_characters),
        cmocka_unit_test(an_error_of_another_size_is_not_written),
        cmocka_unit_test(a_refresh_moves_to_the_newest_root_key),
        cmocka_unit_test(old_registration_tokens_live_beside_a_newer_root_key),
        cmocka_unit_test(a_wrong_root_key_of_the_same_name_opens_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
