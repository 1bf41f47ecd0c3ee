/* tests/flow/test_stale.c - servers behind a read cache: what an older state may
 * answer, and what it never does. Two servers share one store; one has the cache. */
#include "flow.h"

#include <stdlib.h>

#include "adapters/front/read_cache.h"

struct servers {
    struct flow plain, cached;
    mereau_store *cache;
    int64_t now_ms;
    mereau_store borrowed; /* of the plain one: not closed with the cache */
};

static int64_t clock_of(void *arg) { return *(int64_t *)arg; }

static int setup(void **state) {
    struct servers *s = calloc(1, sizeof *s);
    struct flow_setup setup = {0};
    if (s == NULL)
        return -1;
    *state = s;
    flow_start(&s->plain);
    s->borrowed = *s->plain.under;
    s->borrowed.close = NULL;
    if (mru_read_cache_open(&s->cache, &s->borrowed, 1 << 20, 1000, clock_of,
                            &s->now_ms, NULL) != MEREAU_OK)
        return -1;
    setup.share = s->cache;
    setup.no_tenant = 1;
    setup.seed = 5;
    flow_open(&s->cached, &setup);
    flow_app(&s->plain, NULL);
    return 0;
}

static int teardown(void **state) {
    struct servers *s = *state;
    flow_close(&s->cached);
    mereau_store_close(s->cache);
    flow_close(&s->plain);
    free(s);
    return 0;
}

static struct flow_pair enrol(struct servers *s) {
    return flow_enrol(&s->plain, flow_mint(&s->plain, 9, DAY).text, "d1");
}

static uint64_t answered(const struct servers *s) {
    uint64_t n = 0;
    mereau_read_cache_counts(s->cache, NULL, &n, NULL);
    return n;
}

static void verify_live(struct servers *s, const char *token) {
    DONE(&s->cached, mereau_token_verify_live(s->cached.tenant, token));
}

static void a_good_token_is_read_once(void **state) {
    struct servers *s = *state;
    struct flow_pair p = enrol(s);
    verify_live(s, p.access);
    uint64_t before = answered(s);
    verify_live(s, p.access);
    verify_live(s, p.access);
    assert_true(answered(s) >= before + 2);
}

static void a_revocation_elsewhere_is_seen_when_the_time_is_over(void **state) {
    struct servers *s = *state;
    struct flow_pair p = enrol(s);
    verify_live(s, p.access);
    DONE(&s->plain, mereau_token_revoke(s->plain.tenant, p.refresh));
    verify_live(s, p.access); /* that is the price, and it ends */
    s->now_ms += 1001;
    REFUSED(&s->cached, mereau_token_verify_live(s->cached.tenant, p.access),
            MEREAU_E_REVOKED, NULL);
}

static void a_revocation_here_is_seen_at_once(void **state) {
    struct servers *s = *state;
    struct flow_pair p = enrol(s);
    verify_live(s, p.access);
    DONE(&s->cached, mereau_token_revoke(s->cached.tenant, p.refresh));
    REFUSED(&s->cached, mereau_token_verify_live(s->cached.tenant, p.access),
            MEREAU_E_REVOKED, NULL);
}

static void what_is_too_new_for_the_cache_is_not_refused(void **state) {
    struct servers *s = *state;
    struct flow_pair p = enrol(s), next;
    verify_live(s, p.access);
    /* Rotated elsewhere: the new access token is of a generation that the cache
     * has never heard of. */
    next = flow_pair_of(
        DONE(&s->plain, mereau_token_refresh(s->plain.tenant, p.refresh)));
    verify_live(s, next.access);
    mereau_op *op = DONE(
        &s->cached, mereau_token_introspect(s->cached.tenant, next.access));
    assert_int_equal(mereau_op_int(op, MEREAU_ACTIVE), 1);
}

static void introspection_says_inactive_of_the_present_only(void **state) {
    struct servers *s = *state;
    struct flow_pair p = enrol(s);
    mereau_op *op =
        DONE(&s->cached, mereau_token_introspect(s->cached.tenant, p.access));
    assert_int_equal(mereau_op_int(op, MEREAU_ACTIVE), 1);
    DONE(&s->cached, mereau_token_revoke(s->cached.tenant, p.refresh));
    op = DONE(&s->cached, mereau_token_introspect(s->cached.tenant, p.access));
    assert_int_equal(mereau_op_int(op, MEREAU_ACTIVE), 0);
}

static void spending_never_asks_the_cache(void **state) {
    struct servers *s = *state;
    uint64_t asked = 0, before = 0;
    struct flow_token t = flow_mint(&s->plain, 1, DAY);
    mereau_read_cache_counts(s->cache, &before, NULL, NULL);
    struct flow_pair p = flow_enrol(&s->cached, t.text, "d1");
    p = flow_pair_of(
        DONE(&s->cached, mereau_token_refresh(s->cached.tenant, p.refresh)));
    REFUSED(&s->cached, flow_redeem(&s->cached, t.text, "d2", 2),
            MEREAU_E_USED_UP, NULL);
    DONE(&s->cached, mereau_token_revoke(s->cached.tenant, p.refresh));
    mereau_read_cache_counts(s->cache, &asked, NULL, NULL);
    assert_true(asked == before);
}

static void without_a_cache_no_read_may_be_stale(void **state) {
    struct servers *s = *state;
    struct flow_pair p = enrol(s);
    DONE(&s->plain, mereau_token_verify_live(s->plain.tenant, p.access));
    DONE(&s->plain, mereau_token_revoke(s->plain.tenant, p.refresh));
    uint64_t gets = s->plain.gets;
    REFUSED(&s->plain, mereau_token_verify_live(s->plain.tenant, p.access),
            MEREAU_E_REVOKED, NULL);
    assert_true(s->plain.gets == gets + 1); /* and not a second look */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_token_is_read_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_revocation_elsewhere_is_seen_when_the_time_is_over, setup,
            teardown),
        cmocka_unit_test_setup_teardown(a_revocation_here_is_seen_at_once,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_is_too_new_for_the_cache_is_not_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(
            introspection_says_inactive_of_the_present_only, setup, teardown),
        cmocka_unit_test_setup_teardown(spending_never_asks_the_cache, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(without_a_cache_no_read_may_be_stale,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
