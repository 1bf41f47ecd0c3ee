/* tests/flow/test_round_trips.c - what each call costs the store, counted: gets
 * and commits, when nothing above has changed and after a cold start. The numbers
 * are those of the headers; a number that grows is a failure. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

struct world {
    struct flow f;
    struct flow_token token, hot;
    struct flow_pair pair;
};

static int setup(void **state) {
    struct world *w = malloc(sizeof *w);
    if (w == NULL)
        return -1;
    *state = w;
    flow_start(&w->f);
    flow_app(&w->f, NULL);
    w->token = flow_mint(&w->f, 100, DAY);
    w->hot = flow_mint(&w->f, 2000, DAY);
    w->pair = flow_enrol(&w->f, w->token.text, "d1");
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    flow_close(&w->f);
    free(w);
    return 0;
}

#define COSTS(flow, op, n_gets, n_commits)                                     \
    costs(flow, op, n_gets, n_commits, 0, __FILE__, __LINE__)

static mereau_op *costs(struct flow *f, mereau_op *op, uint64_t gets,
                        uint64_t commits, uint64_t scans, const char *file,
                        int line) {
    flow_count_from_here(f);
    flow_done(f, op, file, line);
    if (f->gets != gets || f->commits != commits || f->scans != scans) {
        print_error("%s:%d: %d gets, %d commits, %d scans\n", file, line,
                    (int)f->gets, (int)f->commits, (int)f->scans);
        _fail(file, line);
    }
    return op;
}

/* The same records in a context that has read nothing yet. */
static void open_cold(struct flow *cold, struct world *w) {
    struct flow_setup setup_cold = {.seed = 99, .no_tenant = 1};
    setup_cold.share = w->f.under;
    flow_open(cold, &setup_cold);
}

static void warm_redeem_is_one_get_and_one_commit(void **state) {
    struct world *w = *state;
    COSTS(&w->f, flow_redeem(&w->f, w->token.text, "d2", 1), 1, 1);
    COSTS(&w->f, flow_redeem(&w->f, w->hot.text, "d2", 1), 1, 1);
}

static void cold_redeem_is_two_gets_and_one_commit(void **state) {
    struct world *w = *state;
    struct flow cold;
    open_cold(&cold, w);
    COSTS(&cold, flow_redeem(&cold, w->token.text, "d2", 1), 2, 1);
    COSTS(&cold, flow_redeem(&cold, w->token.text, "d3", 1), 1, 1);
    flow_close(&cold);
}

static void redeem_again_is_one_get(void **state) {
    struct world *w = *state;
    DONE(&w->f, flow_redeem(&w->f, w->token.text, "d2", 1));
    COSTS(&w->f, flow_redeem(&w->f, w->token.text, "d2", 1), 1, 0);
}

static void redeem_when_the_devices_slot_is_empty_is_two_gets(void **state) {
    struct world *w = *state;
    struct flow *f = &w->f;
    struct flow_token t = flow_mint(f, 128, DAY); /* two sub-counts of 64 */
    int ones = 0, twos = 0;
    for (int i = 0; i < 128; i++) {
        char device[16];
        snprintf(device, sizeof device, "x%d", i);
        flow_count_from_here(f);
        mereau_op *op = flow_redeem(f, t.text, device, 1);
        assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
        mereau_op_free(op);
        assert_int_equal(f->commits, 1);
        ones += f->gets == 1;
        twos += f->gets == 2;
    }
    assert_int_equal(ones + twos, 128);
    assert_true(ones > 64);
    flow_count_from_here(f);
    REFUSED(f, flow_redeem(f, t.text, "more", 1), MEREAU_E_USED_UP, NULL);
    assert_int_equal(f->gets, 2);
    assert_int_equal(f->commits, 0);
}

static void after_an_edit_redeem_is_two_gets_once(void **state) {
    struct world *w = *state;
    struct flow *f = &w->f;
    mereau_op *op = mereau_app_update(f->tenant, "app");
    mereau_op_set_text(op, MEREAU_LABEL, "x");
    DONE(f, op);
    COSTS(f, flow_redeem(f, w->token.text, "d2", 1), 2, 1);
    COSTS(f, flow_redeem(f, w->token.text, "d3", 1), 1, 1);
}

static void warm_exchange_is_one_get_and_one_commit(void **state) {
    struct world *w = *state;
    struct flow *f = &w->f;
    mereau_op *op = DONE(f, flow_redeem(f, w->token.text, "d2", 1));
    const char *auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    op = mereau_auth_token_exchange(f->tenant, auth);
    flow_nonce(op, 1);
    COSTS(f, op, 1, 1);
    op = mereau_auth_token_exchange(f->tenant, auth);
    flow_nonce(op, 1);
    COSTS(f, op, 1, 0); /* proved */
    op = mereau_auth_token_exchange(f->tenant, auth);
    COSTS(f, op, 1, 1); /* unproved: noted */
}

static void cold_exchange_is_two_gets_and_one_commit(void **state) {
    struct world *w = *state;
    struct flow cold;
    mereau_op *op = DONE(&w->f, flow_redeem(&w->f, w->token.text, "d2", 1));
    open_cold(&cold, w);
    COSTS(&cold,
          mereau_auth_token_exchange(cold.tenant,
                                     mereau_op_text(op, MEREAU_AUTH_TOKEN)),
          2, 1);
    flow_close(&cold);
}

static mereau_op *refresh(struct flow *f, const char *token, int nonce) {
    mereau_op *op = mereau_token_refresh(f->tenant, token);
    if (nonce)
        flow_nonce(op, (uint8_t)nonce);
    return op;
}

static void warm_refresh_is_one_get_and_one_commit(void **state) {
    struct world *w = *state;
    struct flow *f = &w->f;
    mereau_op *op = COSTS(f, refresh(f, w->pair.refresh, 1), 1, 1);
    COSTS(f, refresh(f, w->pair.refresh, 1), 1, 0); /* proved */
    COSTS(f, refresh(f, w->pair.refresh, 0), 1, 1); /* unproved */
    op =
        COSTS(f, refresh(f, mereau_op_text(op, MEREAU_REFRESH_TOKEN), 0), 1, 1);
    flow_count_from_here(f);
    REFUSED(f, refresh(f, w->pair.refresh, 0), MEREAU_E_REUSED, NULL);
    assert_int_equal(f->gets, 1); /* the end of a family costs no more */
    assert_int_equal(f->commits, 1);
}

static void cold_refresh_is_two_gets_and_one_commit(void **state) {
    struct world *w = *state;
    struct flow cold;
    open_cold(&cold, w);
    COSTS(&cold, refresh(&cold, w->pair.refresh, 0), 2, 1);
    flow_close(&cold);
}

static void after_a_not_before_refresh_is_two_gets_once(void **state) {
    struct world *w = *state;
    struct flow *f = &w->f;
    struct flow_pair p = w->pair;
    DONE(f, mereau_not_before_raise(f->tenant, MEREAU_TENANT_ID, NULL, 1));
    p = flow_pair_of(COSTS(f, refresh(f, p.refresh, 0), 2, 1));
    COSTS(f, refresh(f, p.refresh, 0), 1, 1);
    /* of another subject: nothing of ours has changed */
    DONE(f, mereau_not_before_raise(f->tenant, MEREAU_SUBJECT, "else",
                                    MEREAU_NOW));
}

static void revocations_are_one_get_and_one_commit(void **state) {
    struct world *w = *state;
    struct flow *f = &w->f;
    struct flow_pair p = flow_enrol(f, w->token.text, "d2");
    COSTS(f, mereau_token_revoke(f->tenant, p.refresh), 1, 1);
    p = flow_enrol(f, w->token.text, "d3");
    COSTS(f, mereau_token_revoke(f->tenant, p.access), 1, 1);
    p = flow_enrol(f, w->token.text, "d4");
    COSTS(f, mereau_family_revoke(f->tenant, p.family), 1, 1);
    p = flow_enrol(f, w->token.text, "d5");
    COSTS(f, mereau_auth_token_revoke(f->tenant, p.auth_id), 1, 1);
    COSTS(f, mereau_registration_token_revoke(f->tenant, w->hot.id), 1, 1);
    mereau_op *op = mereau_registration_token_revoke(f->tenant, w->token.id);
    mereau_op_set_int(op, MEREAU_CASCADE, 1);
    COSTS(f, op, 1, 1);
    COSTS(f, mereau_device_block(f->tenant, "d9"), 1, 1);
    COSTS(f, mereau_device_unblock(f->tenant, "d9"), 1, 1);
    COSTS(f,
          mereau_not_before_raise(f->tenant, MEREAU_SUBJECT, "s", MEREAU_NOW),
          1, 1);
    COSTS(
        f,
        mereau_not_before_raise(f->tenant, MEREAU_TENANT_ID, NULL, MEREAU_NOW),
        1, 1);
}

static void a_family_of_any_age_is_revoked_at_the_same_cost(void **state) {
    struct world *w = *state;
    struct flow *f = &w->f;
    char token[512];
    snprintf(token, sizeof token, "%s", w->pair.refresh);
    for (int i = 0; i < 500; i++) {
        mereau_op *op = refresh(f, token, 0);
        assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
        snprintf(token, sizeof token, "%s",
                 mereau_op_text(op, MEREAU_REFRESH_TOKEN));
        mereau_op_free(op);
    }
    COSTS(f, mereau_family_revoke(f->tenant, w->pair.family), 1, 1);
}

static void live_verification_is_one_get(void **state) {
    struct world *w = *state;
    struct flow *f = &w->f, cold;
    COSTS(f, mereau_token_verify_live(f->tenant, w->pair.access), 1, 0);
    COSTS(f, mereau_token_verify_live(f->tenant, w->pair.refresh), 1, 0);
    COSTS(f, mereau_token_introspect(f->tenant, w->pair.access), 1, 0);
    open_cold(&cold, w); /* a JWT says what to read */
    COSTS(&cold, mereau_token_verify_live(cold.tenant, w->pair.access), 1, 0);
    flow_close(&cold);
    open_cold(&cold, w);
    COSTS(&cold, mereau_token_verify_live(cold.tenant, w->pair.refresh), 2, 0);
    COSTS(&cold, mereau_token_verify_live(cold.tenant, w->pair.refresh), 1, 0);
    flow_close(&cold);
}

static void verification_reads_no_store(void **state) {
    struct world *w = *state;
    struct flow *f = &w->f;
    mereau_verifier *v = mereau_verifier_new(ISSUER, API);
    COSTS(f, mereau_verifier_load(f->tenant, v), 1, 0);
    assert_int_equal(mereau_verifier_ready(v, NULL), MEREAU_OK);
    flow_count_from_here(f);
    for (int i = 0; i < 10; i++)
        assert_int_equal(mereau_jwt_verify(v, NULL, w->pair.access,
                                           strlen(w->pair.access), T0, NULL),
                         MEREAU_OK);
    assert_int_equal(f->gets + f->commits + f->scans, 0);
    mereau_verifier_free(v);
}

static void administration_costs_what_the_headers_say(void **state) {
    struct world *w = *state;
    struct flow *f = &w->f;
    mereau_op *op;
    COSTS(f, mereau_registration_token_mint(f->tenant, "app", 5, DAY), 1, 1);
    COSTS(f, mereau_registration_token_mint_many(f->tenant, "app", 20, DAY), 1,
          1);
    COSTS(f, mereau_registration_token_get(f->tenant, w->token.id), 1, 0);
    op = mereau_registration_token_update(f->tenant, w->token.id);
    mereau_op_set_int(op, MEREAU_COUNT, 101);
    COSTS(f, op, 1, 1);
    COSTS(f, mereau_registration_token_reissue(f->tenant, w->token.id, DAY), 1,
          1);
    COSTS(f, mereau_device_rearm(f->tenant, w->token.id, "d1"), 1, 1);
    op = mereau_app_create(f->tenant, "another");
    COSTS(f, op, 1, 1);
    COSTS(f, mereau_app_get(f->tenant, "app"), 1, 0);
    op = mereau_app_update(f->tenant, "app");
    mereau_op_set_text(op, MEREAU_LABEL, "l");
    COSTS(f, op, 1, 1);
    op = COSTS(f, mereau_app_secret_add(f->tenant, "app"), 1, 1);
    COSTS(f,
          mereau_app_authenticate(f->tenant, "app",
                                  mereau_op_text(op, MEREAU_CLIENT_SECRET)),
          3, 1); /* after an edit; and its first use is noted */
    COSTS(f,
          mereau_app_authenticate(f->tenant, "app",
                                  mereau_op_text(op, MEREAU_CLIENT_SECRET)),
          1, 0);
    COSTS(f, mereau_app_credential_list(f->tenant, "app"), 1, 0);
    COSTS(f, mereau_tenant_get(f->tenant), 1, 0);
    COSTS(f, mereau_tenant_update(f->tenant), 1, 1);
    COSTS(f, mereau_key_generate(f->tenant, MEREAU_ALG_ES256), 1, 1);
    COSTS(f, mereau_key_list(f->tenant), 1, 0);
    COSTS(f, mereau_key_jwks(f->tenant), 1, 0);
    COSTS(f, mereau_app_delete(f->tenant, "app"), 1, 1);
}

static void a_page_is_one_scan_and_one_get(void **state) {
    struct world *w = *state;
    struct flow *f = &w->f;
    costs(f, mereau_registration_token_list(f->tenant), 1, 0, 1, __FILE__,
          __LINE__);
    costs(f, mereau_auth_token_list(f->tenant), 1, 0, 1, __FILE__, __LINE__);
    costs(f, mereau_family_list(f->tenant), 1, 0, 1, __FILE__, __LINE__);
    costs(f, mereau_app_list(f->tenant), 1, 0, 1, __FILE__, __LINE__);
    costs(f, mereau_tenant_purge(f->tenant), 0, 0, 1, __FILE__, __LINE__);
}

static void kept_events_cost_no_round_trip(void **state) {
    struct world *w = *state;
    struct flow keeps;
    struct flow_setup setup_keeps = {
        .seed = 5, .no_tenant = 1, .keep_events = 1};
    setup_keeps.share = w->f.under;
    flow_open(&keeps, &setup_keeps);
    COSTS(&keeps, flow_redeem(&keeps, w->token.text, "d2", 1), 2, 1);
    COSTS(&keeps, flow_redeem(&keeps, w->token.text, "d3", 1), 1, 1);
    COSTS(&keeps, mereau_token_refresh(keeps.tenant, w->pair.refresh), 2, 1);
    flow_close(&keeps);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(warm_redeem_is_one_get_and_one_commit),
        TEST(cold_redeem_is_two_gets_and_one_commit),
        TEST(redeem_again_is_one_get),
        TEST(redeem_when_the_devices_slot_is_empty_is_two_gets),
        TEST(after_an_edit_redeem_is_two_gets_once),
        TEST(warm_exchange_is_one_get_and_one_commit),
        TEST(cold_exchange_is_two_gets_and_one_commit),
        TEST(warm_refresh_is_one_get_and_one_commit),
        TEST(cold_refresh_is_two_gets_and_one_commit),
        TEST(after_a_not_before_refresh_is_two_gets_once),
        TEST(revocations_are_one_get_and_one_commit),
        TEST(a_family_of_any_age_is_revoked_at_the_same_cost),
        TEST(live_verification_is_one_get),
        TEST(verification_reads_no_store),
        TEST(administration_costs_what_the_headers_say),
        TEST(a_page_is_one_scan_and_one_get),
        TEST(kept_events_cost_no_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
