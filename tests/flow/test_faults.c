/* tests/flow/test_faults.c - every public call while memory runs out: each
 * allocation in turn. Afterwards nothing is half done, nothing leaks, the status
 * is one of those that the headers name, and the same call again gives the right
 * answer. The list of calls is the library's own table of symbols, so that none is
 * forgotten; what else may fail is in test_faults_of_hosts.c. */
#include "scenes.h"

#include <stdio.h>
#include <stdlib.h>

#include <mereau/system.h>

#include "alloc.h"
#include "key_texts.h"

/* --- allocations --- */

/* How many a run makes. */
static unsigned long count_allocations(struct world *w,
                                       const struct scene *scene) {
    unsigned long before = test_alloc_count();
    mereau_op *op = scene->make(w);
    (void)mereau_op_run(op, NULL);
    before = test_alloc_count() - before;
    mereau_op_free(op);
    reset(w);
    return before;
}

/* The next one that is to fail. Each in turn, but of the thousands that the
 * crypto provider makes for one signature or key in the middle only some, unless
 * there is all the time in the world. */
static unsigned long next_allocation(unsigned long n, unsigned long total) {
    if (n < 130 || n + 40 >= total || getenv("MEREAU_SOAK") != NULL)
        return n + 1;
    return n + 1 + (total - 170) / 15;
}

/* The provider tells lack of memory and a bad key apart only sometimes. */
static int is_of_no_memory(const struct scene *scene, mereau_status status) {
    if (status == MEREAU_E_NOMEM || status == MEREAU_E_CRYPTO)
        return 1;
    return (status == MEREAU_E_MALFORMED || status == MEREAU_E_KEY) &&
           (strcmp(scene->function, "app_key_add") == 0 ||
            strcmp(scene->function, "key_import") == 0);
}

static void sweep_allocations(struct world *w, const struct scene *scene) {
    struct outcome outcome;
    unsigned long n = 1, total = count_allocations(w, scene);
    int pending = 0;
    run_clean(w, scene, &outcome);
    for (; !pending; n = next_allocation(n, total)) {
        mereau_op *op;
        mereau_status status;
        mereau_error err = MEREAU_ERROR_INIT;
        const char *json;
        test_alloc_fail_at(n);
        op = scene->make(w);
        status = mereau_op_run(op, &err);
        json = mereau_op_json(op);
        (void)json;
        pending = test_alloc_pending();
        test_alloc_fail_at(0);
        if (status == MEREAU_OK &&
            (!has_right_answer(scene, op) || !has_happened(w, scene)))
            BAD("%s, allocation %lu: a wrong answer", scene->function, n);
        mereau_op_free(op);
        if (!is_of_no_memory(scene, status) && status != wanted_of(scene))
            BAD("%s, allocation %lu: %s %s", scene->function, n,
                mereau_status_name(status), err.text);
        if (err.status != status)
            BAD("%s, allocation %lu: %s, but the error says %s",
                scene->function, n, mereau_status_name(status),
                mereau_status_name(err.status));
        if (status == MEREAU_OK && !has_shape(w, outcome.after))
            BAD("%s, allocation %lu: done, but not all", scene->function, n);
        if (status != MEREAU_OK && strcmp(scene->function, "tenant_purge") &&
            strcmp(scene->function, "registration_token_mint_many") &&
            !is_unchanged(w))
            BAD("%s, allocation %lu: %s, and a change", scene->function, n,
                mereau_status_name(status));
        if (status != MEREAU_OK)
            run_again(w, scene, &outcome, "allocation", n);
        reset(w);
    }
    assert_true(n > 3);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    if (!test_alloc_available())
        return;
    for (size_t i = 0; i < n_scenes; i++) {
        struct world w;
        long live = test_alloc_live();
        open_world(&w);
        sweep_allocations(&w, &scenes[i]);
        close_world(&w);
        if (test_alloc_live() != live)
            BAD("%s: %ld blocks leaked", scenes[i].function,
                test_alloc_live() - live);
    }
    no_problems();
}

/* The first call of a context reads and prepares more than later ones. */
/* One run in a context that has read nothing yet, the nth allocation failing.
 * Returns how many were made. */
static unsigned long run_cold(struct world *w, const struct scene *scene,
                              unsigned long n, int *pending) {
    struct world cold = *w; /* its strings */
    struct flow_setup setup = {.seed = 100 + n, .no_tenant = 1};
    mereau_error err = MEREAU_ERROR_INIT;
    unsigned long before;
    mereau_op *op;
    mereau_status status;
    setup.share = w->f.under;
    flow_open(&cold.f, &setup);
    before = test_alloc_count();
    test_alloc_fail_at(n);
    op = scene->make(&cold);
    status = mereau_op_run(op, &err);
    *pending = test_alloc_pending();
    test_alloc_fail_at(0);
    before = test_alloc_count() - before;
    mereau_op_free(op);
    if (status != MEREAU_OK) {
        if (!is_of_no_memory(scene, status))
            BAD("%s, cold, allocation %lu: %s", scene->function, n, err.text);
        assert_true(is_unchanged(w));
        op = scene->make(&cold);
        assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
        mereau_op_free(op);
    }
    flow_close(&cold.f);
    reset(w);
    return before;
}

static void sweep_cold(struct world *w, const struct scene *scene) {
    int pending = 0;
    unsigned long total = run_cold(w, scene, 0, &pending);
    pending = 0;
    for (unsigned long n = 1; !pending; n = next_allocation(n, total))
        run_cold(w, scene, n, &pending);
}

static void every_allocation_may_fail_on_a_cold_start(void **state) {
    (void)state;
    if (!test_alloc_available())
        return;
    for (size_t i = 0; i < n_scenes; i++) {
        struct world w;
        long live;
        if (scenes[i].make != scene_redeem &&
            scenes[i].make != scene_exchange &&
            scenes[i].make != scene_refresh &&
            scenes[i].make != scene_verify_live)
            continue;
        open_world(&w);
        live = test_alloc_live();
        sweep_cold(&w, &scenes[i]);
        assert_int_equal(test_alloc_live(), live);
        close_world(&w);
    }
    no_problems();
}

/* --- calls that are no operations --- */

static mereau_status make_context(void) {
    static const uint8_t root[32] = {1};
    mereau_error err = MEREAU_ERROR_INIT;
    uint8_t bytes[16];
    mereau_store *store = NULL;
    mereau_status status = mereau_memory_open(&store, &err), ready;
    mereau_ctx *ctx = mereau_ctx_new();
    mereau_tenant *tenant;
    mereau_op *op;
    mereau_ctx_set_store(ctx, store);
    mereau_ctx_set_clock(ctx, mereau_system_clock());
    (void)mereau_system_random(bytes, sizeof bytes, NULL);
    mereau_ctx_add_root_key(ctx, "r", root, sizeof root);
    mereau_ctx_keep_events(ctx);
    mereau_ctx_set_limit(ctx, "max_page", 10);
    ready = mereau_ctx_ready(ctx, &err);
    tenant = mereau_tenant_open(ctx, "t");
    op = mereau_tenant_create(tenant, ISSUER);
    if (status == MEREAU_OK && ready == MEREAU_OK)
        status = mereau_op_run(op, &err);
    else if (status == MEREAU_OK)
        status = ready;
    mereau_op_free(op);
    mereau_tenant_free(tenant);
    mereau_ctx_free(ctx);
    mereau_store_close(store);
    return status;
}

static char sweep_jwks[4096], sweep_jwt[2048];

static mereau_status make_verifier(void) {
    mereau_verifier *v = mereau_verifier_new(ISSUER, "https://other");
    mereau_claims *claims = mereau_claims_new();
    mereau_status status;
    char header[2100];
    mereau_verifier_add_audience(v, API);
    mereau_verifier_set_jwks(v, sweep_jwks, strlen(sweep_jwks));
    mereau_verifier_add_key(v, ec_spki, strlen(ec_spki), MEREAU_ALG_ES256);
    mereau_verifier_add_alg(v, MEREAU_ALG_ES256);
    mereau_verifier_set_type(v, "at+jwt");
    mereau_verifier_add_claim(v, "client_id", "app");
    mereau_verifier_set_skew_s(v, 10);
    mereau_verifier_set_max_age_s(v, 1000);
    mereau_verifier_set_max_snapshot_age_s(v, 1000);
    status = mereau_verifier_ready(v, &flow_error);
    snprintf(header, sizeof header, "Bearer %s", sweep_jwt);
    if (status == MEREAU_OK)
        status = mereau_jwt_verify(v, claims, sweep_jwt, strlen(sweep_jwt), T0,
                                   &flow_error);
    if (status == MEREAU_OK)
        status = mereau_jwt_verify_bearer(v, claims, header, strlen(header), T0,
                                          &flow_error);
    if (status == MEREAU_OK) /* it is bound to no key */
        status = mereau_jwt_verify_bound(
            v, claims, sweep_jwt, strlen(sweep_jwt),
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", T0, &flow_error);
    if (status == MEREAU_E_DEVICE)
        status = mereau_jwt_verify(v, claims, sweep_jwt, strlen(sweep_jwt), T0,
                                   &flow_error);
    if (status == MEREAU_OK &&
        (claims == NULL || mereau_claims_text(claims, "sub") == NULL ||
         mereau_claims_has_scope(claims, "read") != 1))
        status = MEREAU_E_NOMEM;
    if (status == MEREAU_OK)
        status = mereau_verifier_replace_jwks(v, sweep_jwks, strlen(sweep_jwks),
                                              T0, &flow_error);
    mereau_claims_free(claims);
    mereau_verifier_free(v);
    return status;
}

static mereau_status make_shared_verifier(void) {
    static const uint8_t secret[32] = {2};
    mereau_verifier *v = mereau_verifier_new(ISSUER, API);
    mereau_status status;
    mereau_verifier_add_secret(v, secret, sizeof secret, MEREAU_ALG_HS256);
    status = mereau_verifier_ready(v, NULL);
    mereau_verifier_free(v);
    return status;
}

static mereau_status set_fields(void) {
    static const char json[] = "{\"description\":\"x\",\"reference\":[\"1\"]}";
    static const uint8_t root[32] = {1};
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_ctx *ctx = mereau_ctx_new();
    mereau_tenant *tenant;
    mereau_op *op;
    mereau_status status;
    mereau_ctx_set_clock(ctx, mereau_system_clock());
    mereau_ctx_add_root_key(ctx, "r", root, sizeof root);
    status = mereau_ctx_ready(ctx, &err);
    tenant = mereau_tenant_open(ctx, "t");
    op = mereau_app_create(tenant, "name");
    mereau_op_add_text(op, MEREAU_CONTACT, "a");
    mereau_op_add_text(op, MEREAU_CONTACT, "b");
    mereau_op_set_bytes(op, MEREAU_LABEL, "label", 5);
    mereau_op_set_int(op, MEREAU_NATIVE, 1);
    mereau_op_set_json(op, json, strlen(json));
    if (status == MEREAU_OK)
        status = mereau_op_run(op, &err);
    mereau_op_free(op);
    mereau_tenant_free(tenant);
    mereau_ctx_free(ctx);
    return status == MEREAU_E_UNSUPPORTED ? MEREAU_OK : status; /* no store */
}

static void sweep_plain(const char *name, mereau_status (*call)(void)) {
    int pending = 0;
    unsigned long total = test_alloc_count();
    if (call() != MEREAU_OK)
        fail_msg("%s: %s", name, flow_error.text);
    total = test_alloc_count() - total;
    for (unsigned long n = 1; !pending; n = next_allocation(n, total)) {
        long live = test_alloc_live();
        mereau_status status;
        test_alloc_fail_at(n);
        status = call();
        pending = test_alloc_pending();
        test_alloc_fail_at(0);
        if (status != MEREAU_OK && status != MEREAU_E_NOMEM &&
            status != MEREAU_E_CRYPTO)
            fail_msg("%s, allocation %lu: %s", name, n,
                     mereau_status_name(status));
        if (test_alloc_live() != live)
            fail_msg("%s, allocation %lu: leaked", name, n);
    }
}

static void contexts_and_verifiers_survive_each_allocation(void **state) {
    struct world w;
    mereau_op *op;
    (void)state;
    if (!test_alloc_available())
        return;
    open_world(&w);
    op = DONE(&w.f, mereau_key_jwks(w.f.tenant));
    KEEP(sweep_jwks, op, MEREAU_JWKS);
    scenes_keep(sweep_jwt, sizeof sweep_jwt, w.access);
    close_world(&w);
    sweep_plain("context", make_context);
    sweep_plain("verifier", make_verifier);
    sweep_plain("verifier with a secret", make_shared_verifier);
    sweep_plain("fields", set_fields);
}

/* Loads a verifier, the nth allocation failing, and once more without. Returns how
 * many were made. */
static unsigned long load_verifier(struct world *w, unsigned long n,
                                   int *pending) {
    mereau_verifier *v = mereau_verifier_new(ISSUER, API);
    mereau_op *op = mereau_verifier_load(w->f.tenant, v);
    unsigned long before = test_alloc_count();
    mereau_status status;
    test_alloc_fail_at(n);
    status = mereau_op_run(op, &flow_error);
    *pending = test_alloc_pending();
    test_alloc_fail_at(0);
    before = test_alloc_count() - before;
    assert_true(status == MEREAU_OK || status == MEREAU_E_NOMEM ||
                status == MEREAU_E_CRYPTO);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    assert_int_equal(mereau_verifier_ready(v, NULL), MEREAU_OK);
    assert_int_equal(
        mereau_jwt_verify(v, NULL, w->access, strlen(w->access), T0, NULL),
        MEREAU_OK);
    mereau_op_free(op);
    mereau_verifier_free(v);
    return before;
}

static void loading_a_verifier_survives_everything(void **state) {
    struct world w;
    mereau_verifier *v;
    mereau_op *op;
    unsigned long total;
    int pending;
    (void)state;
    open_world(&w);
    total = load_verifier(&w, 0, &pending);
    pending = !test_alloc_available();
    for (unsigned long n = 1; !pending; n = next_allocation(n, total))
        load_verifier(&w, n, &pending);
    flow_fail(&w.f, 1, MEREAU_STORE_IO, 0);
    v = mereau_verifier_new(ISSUER, API);
    op = mereau_verifier_load(w.f.tenant, v);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_E_STORE);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    mereau_op_free(op);
    mereau_verifier_free(v);
    close_world(&w);
}

/* --- the list is complete --- */

/* What the sweeps above call, besides the makers of scenes[]. */
static const char *const swept[] = {
    "ctx_new", "ctx_free", "ctx_set_store", "ctx_set_clock", "ctx_set_random",
    "ctx_set_waiter", "ctx_set_events", "ctx_set_signer", "ctx_add_root_key",
    "ctx_keep_events", "ctx_set_limit", "ctx_ready", "tenant_open",
    "tenant_free", "memory_open", "store_close", "op_free", "op_run",
    "op_set_text", "op_set_bytes", "op_set_int", "op_set_json", "op_add_text",
    "op_json", "op_text", "verifier_new", "verifier_free", "verifier_set_jwks",
    "verifier_add_key", "verifier_add_secret", "verifier_add_audience",
    "verifier_add_alg", "verifier_set_type", "verifier_add_claim",
    "verifier_set_skew_s", "verifier_set_max_age_s", "verifier_ready",
    "verifier_replace_jwks", "verifier_load", "jwt_verify", "jwt_verify_bearer",
    "claims_new", "claims_free", "claims_text", "claims_has_scope",
    "event_json", "verifier_set_max_snapshot_age_s", "jwt_verify_bound",
    /* test_step_form.c does these, failures included */
    "op_step", "op_feed", "op_feed_bytes", "op_answer"};

/* They allocate nothing, call no host and answer with what is there. */
static const char *const harmless[] = {
    "version", "unset", "constant", "error_init", "status_name", "status_text",
    "status_oauth", "status_http", "status_can_retry", "field_name",
    "field_find", "field_type", "store_init", "system_clock", "system_random",
    "event_text", "event_int", "event_status", "op_text_at", "op_int",
    "op_bytes", "op_next_row", "op_has_more", "claims_int", "claims_text_at",
    "claims_json", "verifier_wants_jwks", "verifier_accept_any_audience",
    /* the same code as op_run, with one branch before the commit */
    "op_dry_run"};

static int is_covered(const char *name) {
    for (size_t i = 0; i < n_scenes; i++)
        if (strcmp(scenes[i].function, name) == 0)
            return 1;
    for (size_t i = 0; i < sizeof swept / sizeof swept[0]; i++)
        if (strcmp(swept[i], name) == 0)
            return 1;
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (strcmp(harmless[i], name) == 0)
            return 1;
    return 0;
}

static char library[512];

/* Those of libmereau-verify are swept in tests/unit; tests/style/swept.py looks. */
static void no_exported_function_is_forgotten(void **state) {
    char command[600], line[256];
    FILE *nm;
    int n = 0, missing = 0;
    (void)state;
    snprintf(command, sizeof command, "nm -g --defined-only '%s'", library);
    nm = popen(command, "r");
    assert_non_null(nm);
    while (fgets(line, sizeof line, nm) != NULL) {
        char *at = strstr(line, " T mereau_");
        if (at == NULL)
            continue;
        at += strlen(" T mereau_");
        at[strcspn(at, "\n")] = '\0';
        n++;
        if (!is_covered(at)) {
            print_error("mereau_%s is not swept\n", at);
            missing++;
        }
    }
    pclose(nm);
    assert_true(n > 80);
    assert_int_equal(missing, 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_exported_function_is_forgotten),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(every_allocation_may_fail_on_a_cold_start),
        cmocka_unit_test(contexts_and_verifiers_survive_each_allocation),
        cmocka_unit_test(loading_a_verifier_survives_everything),
    };
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    /* The program is in tests/flow of the folder that the library is in. */
    snprintf(library, sizeof library, "%.*s/../../libmereau.a",
             slash == NULL ? 1 : (int)(slash - argv[0]),
             slash == NULL ? "." : argv[0]);
    if (getenv("MEREAU_TEST") != NULL)
        cmocka_set_test_filter(getenv("MEREAU_TEST"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
