/* tests/flow/test_step_order.c - operations driven step by step beside others:
 * stepping gives the bytes that blocking gives, two ops on one store come to one
 * outcome in every order of their steps, and a commit whose reply was lost counts
 * once wherever it lands. */
#include "script.h"
#include "step.h"

#include <stdlib.h>

/* --- each test has one store, with an app and a token --- */

struct place {
    struct flow flow;
    struct flow_token token;
};

static int setup(void **state) {
    struct place *p = calloc(1, sizeof *p);
    flow_start(&p->flow);
    flow_app(&p->flow, NULL);
    p->token = flow_mint(&p->flow, 3, DAY);
    *state = p;
    return 0;
}

static int teardown(void **state) {
    struct place *p = *state;
    flow_close(&p->flow);
    free(p);
    return 0;
}

/* --- the same bytes --- */

static void play(struct flow *f, struct script *s, int steps) {
    const struct flow_setup setup = {
        .seed = 5, .no_tenant = 1, .no_store = steps, .keep_events = 1};
    memset(s, 0, sizeof *s);
    flow_open(f, &setup);
    s->flow = f;
    s->run = steps ? step_through : script_block;
    s->format = "opaque";
    script_play(s);
}

static void stepping_gives_the_bytes_that_blocking_gives(void **state) {
    struct flow a, b;
    struct script x, y;
    struct flow_records of_a, of_b;
    (void)state;
    play(&a, &x, 0);
    play(&b, &y, 1);
    assert_non_null(strstr(x.text, "refresh: MEREAU_OK"));
    assert_string_equal(x.text, y.text);
    assert_string_equal(a.told, b.told);
    assert_int_equal(a.gets, b.gets);
    assert_int_equal(a.commits, b.commits);
    assert_int_equal(a.scans, b.scans);
    flow_records_take(&a, &of_a);
    flow_records_take(&b, &of_b);
    assert_int_equal(of_a.n, of_b.n);
    for (size_t i = 0; i < of_a.n; i++) {
        struct flow_record *r = &of_a.all[i], *q = &of_b.all[i];
        assert_int_equal(r->key_len, q->key_len);
        assert_memory_equal(r->key, q->key, r->key_len);
        assert_true(r->version == q->version);
        assert_true(r->drop_at == q->drop_at);
        if (r->key[0] == 'k') /* a key that was generated */
            continue;
        assert_int_equal(r->value_len, q->value_len);
        assert_memory_equal(r->value, q->value, r->value_len);
    }
    flow_records_free(&of_a);
    flow_records_free(&of_b);
    script_free(&x);
    script_free(&y);
    flow_close(&a);
    flow_close(&b);
}

/* --- lost replies --- */

/* A commit on its way, kept by a slow network. */
struct parcel {
    mereau_need need;
    mereau_write writes[MEREAU_MAX_WRITES];
    uint8_t *owned[MEREAU_MAX_WRITES];
};

static void pack(struct parcel *parcel, const mereau_need *need) {
    memset(parcel, 0, sizeof *parcel);
    parcel->need = *need;
    parcel->need.writes = parcel->writes;
    for (size_t i = 0; i < need->n_writes; i++) {
        mereau_record *r = &parcel->writes[i].record;
        uint8_t *own;
        parcel->writes[i] = need->writes[i];
        parcel->owned[i] = own = malloc(r->key_len + r->value_len + 1);
        assert_non_null(own);
        memcpy(own, r->key, r->key_len);
        if (r->value_len > 0)
            memcpy(own + r->key_len, r->value, r->value_len);
        r->key = own;
        r->value = own + r->key_len;
    }
}

static int32_t deliver(struct flow *f, struct parcel *parcel) {
    size_t failed;
    parcel->need.partition = (const uint8_t *)"test";
    int32_t result = f->real.commit(f->real.user, &parcel->need, &failed);
    for (size_t i = 0; i < parcel->need.n_writes; i++)
        free(parcel->owned[i]);
    return result;
}

/* lands: before the records are read back, before the next commit, or never. */
static void lose_a_reply(struct place *p, mereau_op *op, int lands) {
    struct flow *f = &p->flow;
    struct parcel parcel;
    const mereau_need *need = step_to(f, op, MEREAU_NEED_COMMIT);
    pack(&parcel, need);
    mereau_op_answer(op, MEREAU_STORE_UNKNOWN, SIZE_MAX);
    step_to(f, op, MEREAU_NEED_GET);
    if (lands == 1) {
        assert_int_equal(deliver(f, &parcel), MEREAU_STORE_OK);
    } else {
        step_to(f, op, MEREAU_NEED_COMMIT);
        if (lands == 2)
            assert_int_equal(deliver(f, &parcel), MEREAU_STORE_OK);
    }
    STEPPED(f, op);
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 0);
    if (lands == 0) /* too late: its conditions do not hold any more */
        assert_int_equal(deliver(f, &parcel), MEREAU_STORE_CONFLICT);
}

static void a_lost_reply_is_settled_wherever_the_commit_lands(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    static const char *const devices[] = {"d0", "d1", "d2"};
    struct flow_pair pair;
    for (int lands = 0; lands < 3; lands++) {
        mereau_op *op = flow_redeem(f, p->token.text, devices[lands], 1);
        mereau_op *again;
        lose_a_reply(p, op, lands);
        assert_int_equal(flow_used(f, p->token.id), lands + 1);
        again = STEPPED(f, flow_redeem(f, p->token.text, devices[lands], 1));
        assert_int_equal(mereau_op_int(again, MEREAU_REPEATED), 1);
        assert_string_equal(mereau_op_text(op, MEREAU_AUTH_TOKEN),
                            mereau_op_text(again, MEREAU_AUTH_TOKEN));
        mereau_op_free(op);
        mereau_op_free(again);
    }
    p->token = flow_mint(f, 3, DAY);
    pair = flow_enrol(f, p->token.text, "x");
    for (int lands = 0; lands < 3; lands++) {
        mereau_op *op = mereau_token_refresh(f->tenant, pair.refresh);
        lose_a_reply(p, op, lands);
        pair = flow_pair_of(op);
        op = DONE(f, mereau_token_refresh(f->tenant, pair.refresh));
        mereau_op_free(pair.op);
        pair = flow_pair_of(op);
    }
}

/* --- two at once --- */

struct runner {
    mereau_op *op;
    int over;
    mereau_status status;
};

/* One event of a runner: it is stepped, and what it needs is served. */
static void advance(struct flow *f, struct runner *r) {
    const mereau_need *need;
    if (r->over)
        return;
    r->status = mereau_op_step(r->op, &need, &flow_error);
    if (r->status != MEREAU_OK || need == NULL)
        r->over = 1;
    else
        step_answer(f, r->op, need);
}

/* All orders of the first 9 events of two ops. Returns how many ended with both
 * done. */
static int interleave(struct place *p, mereau_op *(*make)(struct place *, int),
                      void (*check)(struct place *, const struct runner *)) {
    struct flow *f = &p->flow;
    struct flow_records start;
    int both = 0;
    flow_records_take(f, &start);
    for (unsigned order = 0; order < 512; order++) {
        struct runner r[2];
        memset(r, 0, sizeof r);
        r[0].op = make(p, 0);
        r[1].op = make(p, 1);
        for (unsigned i = 0; i < 9; i++)
            advance(f, &r[(order >> i) & 1]);
        for (int i = 0; i < 100 && !(r[0].over && r[1].over); i++)
            advance(f, &r[i & 1]);
        assert_true(r[0].over && r[1].over);
        check(p, r);
        both += r[0].status == MEREAU_OK && r[1].status == MEREAU_OK;
        mereau_op_free(r[0].op);
        mereau_op_free(r[1].op);
        flow_records_put(f, &start);
    }
    flow_records_free(&start);
    return both;
}

static mereau_op *redeem_the_last(struct place *p, int i) {
    return flow_redeem(&p->flow, p->token.text, i == 0 ? "da" : "db", 1);
}

static void check_the_last(struct place *p, const struct runner *r) {
    int won = r[0].status == MEREAU_OK ? 0 : 1;
    assert_int_equal(r[won].status, MEREAU_OK);
    assert_int_equal(r[!won].status, MEREAU_E_USED_UP);
    assert_non_null(mereau_op_text(r[won].op, MEREAU_AUTH_TOKEN));
    assert_null(mereau_op_text(r[!won].op, MEREAU_AUTH_TOKEN));
    assert_int_equal(flow_used(&p->flow, p->token.id), 1);
}

static void two_ops_for_the_last_count_in_every_order(void **state) {
    struct place *p = *state;
    p->token = flow_mint(&p->flow, 1, DAY);
    assert_int_equal(interleave(p, redeem_the_last, check_the_last), 0);
}

static mereau_op *redeem_alike(struct place *p, int i) {
    (void)i;
    return flow_redeem(&p->flow, p->token.text, "d", 1);
}

static void check_alike(struct place *p, const struct runner *r) {
    assert_int_equal(r[0].status, MEREAU_OK);
    assert_int_equal(r[1].status, MEREAU_OK);
    assert_string_equal(mereau_op_text(r[0].op, MEREAU_AUTH_TOKEN),
                        mereau_op_text(r[1].op, MEREAU_AUTH_TOKEN));
    assert_int_equal(mereau_op_int(r[0].op, MEREAU_REPEATED) +
                         mereau_op_int(r[1].op, MEREAU_REPEATED),
                     1);
    assert_int_equal(flow_used(&p->flow, p->token.id), 1);
}

static void one_device_asking_twice_at_once_gets_one_answer(void **state) {
    struct place *p = *state;
    p->token = flow_mint(&p->flow, 2, DAY);
    assert_int_equal(interleave(p, redeem_alike, check_alike), 512);
}

static mereau_op *redeem_or_revoke(struct place *p, int i) {
    if (i == 0)
        return flow_redeem(&p->flow, p->token.text, "d", 1);
    return mereau_registration_token_revoke(p->flow.tenant, p->token.id);
}

static void check_revoked(struct place *p, const struct runner *r) {
    int redeemed = r[0].status == MEREAU_OK;
    assert_true(redeemed || r[0].status == MEREAU_E_REVOKED);
    assert_int_equal(r[1].status, MEREAU_OK);
    assert_int_equal(flow_used(&p->flow, p->token.id), redeemed);
    assert_string_equal(flow_state(&p->flow, p->token.id), "revoked");
}

static void a_revocation_comes_before_or_after_never_within(void **state) {
    struct place *p = *state;
    int both = interleave(p, redeem_or_revoke, check_revoked);
    assert_true(both > 0 && both < 512);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(stepping_gives_the_bytes_that_blocking_gives),
        TEST(a_lost_reply_is_settled_wherever_the_commit_lands),
        TEST(two_ops_for_the_last_count_in_every_order),
        TEST(one_device_asking_twice_at_once_gets_one_answer),
        TEST(a_revocation_comes_before_or_after_never_within),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
