/* tests/flow/test_taken_back.c - what is taken back, and who learns of it: verifiers
 * that load notices, the host by its events, and a redemption under way while the
 * rest of its token is reissued. */
#include "step.h"

#include <stdio.h>
#include <stdlib.h>

struct place {
    struct flow f;
    struct flow_token token; /* of app "app"; count 3, used by d1 */
    struct flow_pair mine, other; /* of d1; of d2, of another app */
};

static void open_place(struct place *p) {
    struct flow *f = &p->f;
    mereau_op *op;
    memset(p, 0, sizeof *p);
    flow_start(f);
    flow_app(f, NULL);
    flow_app_named(f, "two", "{\"audience\":[\"" API "\"]}");
    p->token = flow_mint(f, 3, DAY);
    p->mine = flow_enrol(f, p->token.text, "d1");
    op = DONE(f, mereau_registration_token_mint(f->tenant, "two", 1, DAY));
    p->other =
        flow_enrol(f, mereau_op_text(op, MEREAU_REGISTRATION_TOKEN), "d2");
    f->now_at = T0 + 10;
    flow_forget_events(f);
}

static int setup(void **state) {
    struct place *p = malloc(sizeof *p);
    if (p == NULL)
        return -1;
    *state = p;
    open_place(p);
    return 0;
}

static int teardown(void **state) {
    struct place *p = *state;
    flow_close(&p->f);
    free(p);
    return 0;
}

/* --- everything that ends the tokens of d1 --- */

static mereau_op *switch_off(mereau_op *op) {
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    return op;
}
#define ENDING(name) static mereau_op *name(const struct place *p)
#define TENANT p->f.tenant
ENDING(family) { return mereau_family_revoke(TENANT, p->mine.family); }
ENDING(auth) { return mereau_auth_token_revoke(TENANT, p->mine.auth_id); }
ENDING(subject) {
    return mereau_not_before_raise(TENANT, MEREAU_SUBJECT, "d1", MEREAU_NOW);
}
ENDING(device) {
    return mereau_not_before_raise(TENANT, MEREAU_DEVICE_ID, "d1", MEREAU_NOW);
}
ENDING(app) {
    return mereau_not_before_raise(TENANT, MEREAU_CLIENT_ID, "app", T0 + 5);
}
ENDING(app_off) { return switch_off(mereau_app_update(TENANT, "app")); }
ENDING(app_gone) { return mereau_app_delete(TENANT, "app"); }
ENDING(tenant) {
    return mereau_not_before_raise(TENANT, MEREAU_TENANT_ID, NULL, MEREAU_NOW);
}
ENDING(tenant_off) { return switch_off(mereau_tenant_update(TENANT)); }
ENDING(access) { return mereau_token_revoke(TENANT, p->mine.access); }
ENDING(refresh) { return mereau_token_revoke(TENANT, p->mine.refresh); }
ENDING(cascade) {
    mereau_op *op = mereau_registration_token_revoke(TENANT, p->token.id);
    mereau_op_set_int(op, MEREAU_CASCADE, 1);
    return op;
}
ENDING(rearm) { return mereau_device_rearm(TENANT, p->token.id, "d1"); }

enum { OTHERS = 1, NO_NOTICE = 2 };
static const struct end {
    const char *event; /* as it is told */
    mereau_op *(*make)(const struct place *p);
    int flags; /* does it end those of others; is it no notice */
    mereau_status live;
    const char *told; /* which id stands in the event; NULL: the family's */
} ends[] = {
    {"family.revoke", family, 0, MEREAU_E_REVOKED, NULL},
    {"auth_token.revoke", auth, 0, MEREAU_E_REVOKED, "\"auth_token_id\":\""},
    {"token.revoke", access, NO_NOTICE, MEREAU_E_REVOKED, NULL},
    {"token.revoke", refresh, NO_NOTICE, MEREAU_E_REVOKED, NULL},
    {"registration_token.revoke", cascade, NO_NOTICE, MEREAU_E_REVOKED,
     "\"registration_token_id\":\""},
    {"device.rearm", rearm, NO_NOTICE, MEREAU_E_REVOKED,
     "\"device_id\":\"d1\""},
    {"not_before.raise", subject, 0, MEREAU_E_NOT_BEFORE, "\"subject\":\"d1\""},
    {"not_before.raise", device, 0, MEREAU_E_NOT_BEFORE,
     "\"device_id\":\"d1\""},
    {"not_before.raise", app, 0, MEREAU_E_NOT_BEFORE, "\"client_id\":\"app\""},
    {"app.update", app_off, 0, MEREAU_E_DISABLED, "\"client_id\":\"app\""},
    {"app.delete", app_gone, 0, MEREAU_E_UNKNOWN, "\"client_id\":\"app\""},
    {"not_before.raise", tenant, OTHERS, MEREAU_E_NOT_BEFORE,
     "\"tenant_id\":\"test\""},
    {"tenant.update", tenant_off, OTHERS, MEREAU_E_DISABLED,
     "\"tenant_id\":\"test\""},
};
#define EACH_END(e)                                                            \
    for (const struct end *e = ends; e < ends + sizeof ends / sizeof ends[0];  \
         e++)

static void live(struct place *p, const char *token, mereau_status wanted,
                 const char *what) {
    mereau_op *op = mereau_token_verify_live(TENANT, token);
    mereau_status status = mereau_op_run(op, &flow_error);
    if (status != wanted) {
        print_error("%s: %s\n", what, flow_error.text);
        fail();
    }
    mereau_op_free(op);
}

/* From the moment that it returned, with the store and nothing else. */
static void what_is_taken_back_is_dead_at_once(void **state) {
    (void)state;
    EACH_END(e) {
        struct place here, *p = &here;
        open_place(p);
        live(p, p->mine.access, MEREAU_OK, e->event);
        DONE(&p->f, e->make(p));
        live(p, p->mine.access, e->live, e->event);
        live(p, p->mine.refresh, e->live, e->event);
        live(p, p->other.access, e->flags & OTHERS ? e->live : MEREAU_OK,
             e->event);
        REFUSED(&p->f, mereau_token_refresh(TENANT, p->mine.refresh), e->live,
                NULL);
        flow_close(&p->f);
    }
}

static void what_is_taken_back_is_told(void **state) {
    (void)state;
    EACH_END(e) {
        struct place here, *p = &here;
        char event[64];
        mereau_op *op;
        open_place(p);
        op = e->make(p);
        mereau_op_set_text(op, MEREAU_ACTOR, "helpdesk");
        mereau_op_set_text(op, MEREAU_REASON, "lost");
        DONE(&p->f, op);
        snprintf(event, sizeof event, "\"event\":\"%s\"", e->event);
        assert_int_equal(p->f.n_told, 1);
        assert_true(flow_told(&p->f, event));
        assert_true(flow_told(&p->f, "\"outcome\":\"allowed\""));
        assert_true(flow_told(&p->f, "\"actor\":\"helpdesk\""));
        assert_true(flow_told(&p->f, "\"reason\":\"lost\""));
        assert_true(
            flow_told(&p->f, e->told == NULL ? p->mine.family : e->told));
        assert_false(flow_told(&p->f, p->mine.refresh + 30));
        flow_close(&p->f);
    }
}

/* --- verifiers that load --- */

struct loaded {
    mereau_verifier *verifier;
    mereau_op *load;
};

static void reload(struct loaded *v) {
    assert_int_equal(mereau_op_run(v->load, NULL), MEREAU_OK);
}

static void open_loaded(struct place *p, struct loaded *v) {
    v->verifier = mereau_verifier_new(ISSUER, API);
    v->load = mereau_verifier_load(TENANT, v->verifier);
    reload(v);
    assert_int_equal(mereau_verifier_ready(v->verifier, NULL), MEREAU_OK);
}

static void close_loaded(struct loaded *v) {
    mereau_op_free(v->load);
    mereau_verifier_free(v->verifier);
}

static void verified(struct place *p, struct loaded *v, const char *token,
                     mereau_status wanted, const char *what) {
    mereau_status status = mereau_jwt_verify(
        v->verifier, NULL, token, strlen(token), p->f.now_at, &flow_error);
    if (status != wanted || (wanted != MEREAU_OK &&
                             strcmp(flow_error.rule, "jwt.not_before") != 0)) {
        print_error("%s: %s %s\n", what, mereau_status_name(status),
                    flow_error.text);
        fail();
    }
}

static void a_verifier_learns_of_it_when_it_loads_again(void **state) {
    (void)state;
    EACH_END(e) {
        struct place here, *p = &here;
        struct loaded v;
        if (e->flags & NO_NOTICE)
            continue;
        open_place(p);
        open_loaded(p, &v);
        DONE(&p->f, e->make(p));
        /* it knows what it has loaded, and no more */
        verified(p, &v, p->mine.access, MEREAU_OK, e->event);
        reload(&v);
        verified(p, &v, p->mine.access, MEREAU_E_NOT_BEFORE, e->event);
        verified(p, &v, p->other.access,
                 e->flags & OTHERS ? MEREAU_E_NOT_BEFORE : MEREAU_OK, e->event);
        close_loaded(&v);
        flow_close(&p->f);
    }
}

static void a_verifier_learns_that_an_app_is_enabled_again(void **state) {
    struct place *p = *state;
    struct loaded v;
    mereau_op *op = mereau_app_update(TENANT, "app");
    open_loaded(p, &v);
    DONE(&p->f, app_off(p));
    reload(&v);
    verified(p, &v, p->mine.access, MEREAU_E_NOT_BEFORE, "off");
    mereau_op_set_int(op, MEREAU_ENABLED, 1);
    DONE(&p->f, op);
    reload(&v);
    verified(p, &v, p->mine.access, MEREAU_OK, "on");
    close_loaded(&v);
}

/* --- a device that is kept out --- */

static void a_revoked_device_that_is_blocked_enrols_nowhere(void **state) {
    struct place *p = *state;
    struct flow_token another = flow_mint(&p->f, 2, DAY);
    DONE(&p->f, family(p));
    DONE(&p->f, mereau_device_block(TENANT, "d1"));
    assert_true(flow_told(&p->f, "\"event\":\"device.block\""));
    for (uint8_t nonce = 7; nonce < 9; nonce++) {
        REFUSED(&p->f, flow_redeem(&p->f, p->token.text, "d1", nonce),
                MEREAU_E_BLOCKED, "device.blocked");
        REFUSED(&p->f, flow_redeem(&p->f, another.text, "d1", nonce),
                MEREAU_E_BLOCKED, "device.blocked");
    }
    /* re-arming does not let it in past the block */
    DONE(&p->f, mereau_device_rearm(TENANT, p->token.id, "d1"));
    REFUSED(&p->f, flow_redeem(&p->f, p->token.text, "d1", 9), MEREAU_E_BLOCKED,
            "device.blocked");
    assert_int_equal(flow_used(&p->f, another.id), 0);
    DONE(&p->f, mereau_device_unblock(TENANT, "d1"));
    assert_true(flow_told(&p->f, "\"event\":\"device.unblock\""));
    DONE(&p->f, flow_redeem(&p->f, p->token.text, "d1", 9));
    assert_int_equal(flow_used(&p->f, p->token.id), 1);
    live(p, p->mine.access, MEREAU_E_REVOKED, "what it had before");
}

/* --- reissuing while a redemption is under way --- */

struct runner {
    mereau_op *op;
    int over;
    mereau_status status;
};

static void advance(struct flow *f, struct runner *r) {
    const mereau_need *need;
    if (r->over)
        return;
    r->status = mereau_op_step(r->op, &need, &flow_error);
    r->over = r->status != MEREAU_OK || need == NULL;
    if (!r->over)
        step_answer(f, r->op, need);
}

/* Every order of the first events: no count is lost and none is given twice. */
static void a_reissue_and_a_redemption_never_share_a_count(void **state) {
    struct place *p = *state;
    struct flow *f = &p->f;
    struct flow_records start;
    int redeemed = 0, refused = 0;
    flow_records_take(f, &start);
    for (unsigned order = 0; order < 256; order++) {
        struct runner r[2];
        int64_t used, left;
        memset(r, 0, sizeof r);
        r[0].op = flow_redeem(f, p->token.text, "new", 1);
        r[1].op = mereau_registration_token_reissue(TENANT, p->token.id, DAY);
        for (unsigned i = 0; i < 8; i++)
            advance(f, &r[(order >> i) & 1]);
        for (int i = 0; i < 100 && !(r[0].over && r[1].over); i++)
            advance(f, &r[i & 1]);
        assert_true(r[0].over && r[1].over);
        assert_int_equal(r[1].status, MEREAU_OK);
        used = flow_used(f, p->token.id);
        left = mereau_op_int(r[1].op, MEREAU_COUNT);
        assert_int_equal(used + left, 3);
        assert_int_equal(used, r[0].status == MEREAU_OK ? 2 : 1);
        if (r[0].status == MEREAU_OK) {
            redeemed++;
        } else {
            assert_int_equal(r[0].status, MEREAU_E_REVOKED);
            refused++;
        }
        mereau_op_free(r[0].op);
        mereau_op_free(r[1].op);
        flow_records_put(f, &start);
    }
    assert_true(redeemed > 0 && refused > 0);
    flow_records_free(&start);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_back_is_dead_at_once),
        cmocka_unit_test(what_is_taken_back_is_told),
        cmocka_unit_test(a_verifier_learns_of_it_when_it_loads_again),
        T(a_verifier_learns_that_an_app_is_enabled_again),
        T(a_revoked_device_that_is_blocked_enrols_nowhere),
        T(a_reissue_and_a_redemption_never_share_a_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
