/* tests/flow/test_equal_work.c - who asks with a client secret learns nothing from
 * the work that it makes: hashes, comparisons and store calls are counted (the
 * linker puts the counters in between), not timed. */
#include "flow.h"

#include <stdlib.h>

int __real_mru_hash(int hash, const mereau_slice *parts, size_t n,
                    uint8_t *out);
int __wrap_mru_hash(int hash, const mereau_slice *parts, size_t n,
                    uint8_t *out);
int __real_mru_equal_ct(const void *a, const void *b, size_t len);
int __wrap_mru_equal_ct(const void *a, const void *b, size_t len);

static unsigned long hashes, comparisons;

int __wrap_mru_hash(int hash, const mereau_slice *parts, size_t n,
                    uint8_t *out) {
    hashes++;
    return __real_mru_hash(hash, parts, n, out);
}

int __wrap_mru_equal_ct(const void *a, const void *b, size_t len) {
    comparisons++;
    return __real_mru_equal_ct(a, b, len);
}

struct work {
    unsigned long hashes, comparisons;
    uint64_t gets, commits;
};

/* What one question costs when it is not the first one of its kind. */
static struct work work_of(struct flow *f, const char *client_id,
                           const char *secret, mereau_status status) {
    struct work work = {0};
    for (int i = 0; i < 2; i++) {
        mereau_op *op = mereau_app_authenticate(f->tenant, client_id, secret);
        flow_count_from_here(f);
        hashes = comparisons = 0;
        assert_int_equal(mereau_op_run(op, NULL), status);
        work = (struct work){hashes, comparisons, f->gets, f->commits};
        mereau_op_free(op);
    }
    return work;
}

static void assert_same(struct work a, struct work b) {
    assert_true(a.hashes > 0 && a.comparisons > 0);
    assert_int_equal(a.hashes, b.hashes);
    assert_int_equal(a.comparisons, b.comparisons);
    assert_int_equal(a.gets, b.gets);
    assert_int_equal(a.commits, b.commits);
}

static char *add_secret(struct flow *f, const char *client_id) {
    mereau_op *op = DONE(f, mereau_app_secret_add(f->tenant, client_id));
    return strdup(mereau_op_text(op, MEREAU_CLIENT_SECRET));
}

static void an_unknown_app_costs_what_a_wrong_secret_costs(void **state) {
    struct flow *f = *state;
    flow_app_named(f, "one", NULL);
    flow_app_named(f, "many", NULL);
    flow_app_named(f, "none", NULL);
    char *one = add_secret(f, "one"), *many[5];
    for (size_t i = 0; i < 5; i++)
        many[i] = add_secret(f, "many");
    struct work wrong = work_of(f, "one", many[0], MEREAU_E_CLIENT);
    assert_same(wrong, work_of(f, "unknown", many[0], MEREAU_E_CLIENT));
    assert_same(wrong, work_of(f, "none", many[0], MEREAU_E_CLIENT));
    assert_same(wrong, work_of(f, "many", one, MEREAU_E_CLIENT));
    assert_same(wrong, work_of(f, "one", "guess", MEREAU_E_CLIENT));
    free(one);
    for (size_t i = 0; i < 5; i++)
        free(many[i]);
}

static int begin(void **state) {
    struct flow *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    flow_start(f);
    *state = f;
    return 0;
}

static int end(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_unknown_app_costs_what_a_wrong_secret_costs, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
