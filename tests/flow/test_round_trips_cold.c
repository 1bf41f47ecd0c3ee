/* tests/flow/test_round_trips_cold.c - what an operation costs the store when
 * nothing above it has changed, and what it costs the first time and the second
 * after something has: a cold start, or an edit of app, tenant, keys or
 * not-befores. Counted by the store of the testbed. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#include <mereau/testing.h>

struct place {
    mereau_testbed *bed;
    mereau_ctx *cold_ctx; /* the same records, nothing read yet */
    mereau_tenant *cold;
    const mereau_tenant *tenant; /* of the ops: the bed's, or the cold one */
    const char *format;
    char token[512];
    int devices;
};

static void run(struct place *p, mereau_op *op) {
    mereau_testbed_run(p->bed, op); /* aborts when refused */
}

static int32_t now(void *user, int64_t *now_at) {
    *now_at = mereau_testbed_now(user);
    return 0;
}

static void place_open(struct place *p, const char *format) {
    mereau_op *op;
    memset(p, 0, sizeof *p);
    p->bed = mereau_testbed_new(1, T0);
    assert_non_null(p->bed);
    p->tenant = mereau_testbed_tenant(p->bed);
    p->format = format;
    op = mereau_app_create(p->tenant, "app");
    mereau_op_set_text(op, MEREAU_CLIENT_ID, "app");
    mereau_op_set_text(op, MEREAU_SCOPE, "read write");
    mereau_op_set_text(op, MEREAU_AUDIENCE, API);
    mereau_op_set_text(op, MEREAU_TOKEN_FORMAT, format);
    run(p, op);
    op = mereau_registration_token_mint(p->tenant, "app", 60, DAY);
    run(p, op);
    snprintf(p->token, sizeof p->token, "%s",
             mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
}

static void place_close(struct place *p) {
    mereau_tenant_free(p->cold);
    mereau_ctx_free(p->cold_ctx);
    mereau_testbed_free(p->bed);
}

/* --- what may have changed --- */

enum change { NOTHING, COLD, APP, TENANT, KEYS, NOT_BEFORE, CHANGES };

static void go_cold(struct place *p) {
    static const uint8_t root[32] = "libmereau-testing: not a secret";
    const mereau_clock clock = {(uint32_t)sizeof clock, 0, p->bed, now};
    p->cold_ctx = mereau_ctx_new();
    mereau_ctx_set_store(p->cold_ctx, mereau_testbed_store(p->bed));
    mereau_ctx_set_clock(p->cold_ctx, &clock);
    mereau_ctx_add_root_key(p->cold_ctx, "test", root, sizeof root);
    assert_int_equal(mereau_ctx_ready(p->cold_ctx, NULL), MEREAU_OK);
    p->cold = mereau_tenant_open(p->cold_ctx, "test");
    p->tenant = p->cold;
}

static void apply(struct place *p, enum change change) {
    mereau_op *op = NULL;
    switch (change) {
    case COLD:
        go_cold(p);
        return;
    case APP:
        op = mereau_app_update(p->tenant, "app");
        mereau_op_set_text(op, MEREAU_LABEL, "edited");
        break;
    case TENANT:
        op = mereau_tenant_update(p->tenant);
        mereau_op_set_text(op, MEREAU_LABEL, "edited");
        break;
    case KEYS:
        op = mereau_key_generate(p->tenant, MEREAU_ALG_ES256);
        break;
    case NOT_BEFORE:
        op = mereau_not_before_raise(p->tenant, MEREAU_CLIENT_ID, "app",
                                     T0 - DAY);
        break;
    default:
        return;
    }
    run(p, op);
}

/* --- the ops --- */

enum what {
    REDEEM,
    EXCHANGE,
    REFRESH,
    REVOKE_BY_REFRESH,
    REVOKE_BY_ACCESS,
    REVOKE_FAMILY,
    REVOKE_AUTH,
    LIVE_ACCESS,
    LIVE_REFRESH,
    WHATS
};

/* What one device has. */
struct have {
    char auth[512], auth_id[64], access[2048], refresh[512], family[64];
};

static mereau_op *next_redeem(struct place *p) {
    char device[32];
    uint8_t nonce[16] = {1};
    snprintf(device, sizeof device, "device-%d", p->devices++);
    return mereau_registration_token_redeem(p->tenant, p->token, device, nonce,
                                            sizeof nonce);
}

static void keep(char *out, size_t cap, const mereau_op *op, int32_t field) {
    const char *text = mereau_op_text(op, field);
    assert_non_null(text);
    assert_true(strlen(text) < cap);
    strcpy(out, text);
}

static void enrol(struct place *p, struct have *h, int exchanged) {
    mereau_op *op = next_redeem(p);
    run(p, op);
    keep(h->auth, sizeof h->auth, op, MEREAU_AUTH_TOKEN);
    keep(h->auth_id, sizeof h->auth_id, op, MEREAU_AUTH_TOKEN_ID);
    if (!exchanged)
        return;
    op = mereau_auth_token_exchange(p->tenant, h->auth);
    run(p, op);
    keep(h->access, sizeof h->access, op, MEREAU_ACCESS_TOKEN);
    keep(h->refresh, sizeof h->refresh, op, MEREAU_REFRESH_TOKEN);
    keep(h->family, sizeof h->family, op, MEREAU_FAMILY_ID);
}

static mereau_op *op_of(struct place *p, const struct have *h, enum what what) {
    switch (what) {
    case REDEEM:
        return next_redeem(p);
    case EXCHANGE:
        return mereau_auth_token_exchange(p->tenant, h->auth);
    case REFRESH:
        return mereau_token_refresh(p->tenant, h->refresh);
    case REVOKE_BY_REFRESH:
        return mereau_token_revoke(p->tenant, h->refresh);
    case REVOKE_BY_ACCESS:
        return mereau_token_revoke(p->tenant, h->access);
    case REVOKE_FAMILY:
        return mereau_family_revoke(p->tenant, h->family);
    case REVOKE_AUTH:
        return mereau_auth_token_revoke(p->tenant, h->auth_id);
    case LIVE_ACCESS:
        return mereau_token_verify_live(p->tenant, h->access);
    default:
        return mereau_token_verify_live(p->tenant, h->refresh);
    }
}

static void cost(struct place *p, mereau_op *op, uint64_t *gets,
                 uint64_t *commits) {
    uint64_t scans = mereau_testbed_store_calls(p->bed, MEREAU_NEED_SCAN);
    *gets = mereau_testbed_store_calls(p->bed, MEREAU_NEED_GET);
    *commits = mereau_testbed_store_calls(p->bed, MEREAU_NEED_COMMIT);
    run(p, op);
    *gets = mereau_testbed_store_calls(p->bed, MEREAU_NEED_GET) - *gets;
    *commits =
        mereau_testbed_store_calls(p->bed, MEREAU_NEED_COMMIT) - *commits;
    assert_int_equal(
        mereau_testbed_store_calls(p->bed, MEREAU_NEED_SCAN) - scans, 0);
}

/* --- the promise --- */

/* How many gets the first op after the change may cost. */
static uint64_t gets_of(const struct place *p, enum what what,
                        enum change change) {
    int jwt = strcmp(p->format, "jwt") == 0;
    if (change == NOTHING)
        return 1;
    if (what == REVOKE_FAMILY || what == REVOKE_AUTH)
        return 1; /* by id, whatever the app says */
    if ((what == LIVE_ACCESS || what == REVOKE_BY_ACCESS) && jwt)
        return 1; /* it says itself what is to be read */
    return 2;
}

static void check(const char *format, enum what what, enum change change) {
    struct place p;
    struct have first, second, warm;
    uint64_t gets, commits, wanted, more = what < LIVE_ACCESS;
    place_open(&p, format);
    enrol(&p, &warm, 1);
    enrol(&p, &first, what != EXCHANGE);
    enrol(&p, &second, what != EXCHANGE);
    if (what >= LIVE_ACCESS) /* verifying has read what it needs */
        run(&p, op_of(&p, &warm, what));
    apply(&p, change);
    wanted = gets_of(&p, what, change);
    cost(&p, op_of(&p, &first, what), &gets, &commits);
    if (gets != wanted || commits != more)
        fail_msg("op %d, change %d, %s: %d gets, %d commits", (int)what,
                 (int)change, format, (int)gets, (int)commits);
    cost(&p, op_of(&p, &second, what), &gets, &commits);
    if (gets != 1 || commits != more)
        fail_msg("op %d, second after change %d, %s: %d gets, %d commits",
                 (int)what, (int)change, format, (int)gets, (int)commits);
    place_close(&p);
}

static void one_get_when_nothing_above_changed(void **state) {
    (void)state;
    for (int what = 0; what < WHATS; what++) {
        check("jwt", (enum what)what, NOTHING);
        check("opaque", (enum what)what, NOTHING);
    }
}

static void two_gets_once_after_a_cold_start(void **state) {
    (void)state;
    for (int what = 0; what < WHATS; what++) {
        check("jwt", (enum what)what, COLD);
        check("opaque", (enum what)what, COLD);
    }
}

static void two_gets_once_after_an_edit(void **state) {
    (void)state;
    for (int what = 0; what < WHATS; what++)
        for (int change = APP; change < CHANGES; change++) {
            check("jwt", (enum what)what, (enum change)change);
            check("opaque", (enum what)what, (enum change)change);
        }
}

/* --- asked again --- */

static mereau_op *ask(struct place *p, const struct have *h, int exchange,
                      int proof) {
    mereau_op *op = op_of(p, h, exchange ? EXCHANGE : REFRESH);
    if (proof)
        flow_nonce(op, 1);
    return op;
}

static void repeats(const char *format, int exchange, int proof) {
    struct place p;
    struct have h;
    uint64_t gets, commits;
    mereau_op *op;
    place_open(&p, format);
    enrol(&p, &h, !exchange);
    run(&p, ask(&p, &h, exchange, 1));
    op = ask(&p, &h, exchange, proof);
    cost(&p, op, &gets, &commits);
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 1);
    assert_int_equal(gets, 1);
    assert_int_equal(commits, proof ? 0 : 1);
    place_close(&p);
}

static void
a_proved_repeat_is_one_get_an_unproved_one_a_commit_more(void **state) {
    (void)state;
    for (int exchange = 0; exchange < 2; exchange++)
        for (int proof = 0; proof < 2; proof++) {
            repeats("jwt", exchange, proof);
            repeats("opaque", exchange, proof);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_get_when_nothing_above_changed),
        cmocka_unit_test(two_gets_once_after_a_cold_start),
        cmocka_unit_test(two_gets_once_after_an_edit),
        cmocka_unit_test(
            a_proved_repeat_is_one_get_an_unproved_one_a_commit_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
