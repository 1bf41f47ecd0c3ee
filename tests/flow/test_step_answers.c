/* tests/flow/test_step_answers.c - operations driven step by step by hosts that are
 * slow, hasty, mistaken or broken: a wrong answer ends the op with its named
 * status and nothing decided, a late one costs nothing. */
#include "step.h"

#include <stdio.h>
#include <stdlib.h>

#include "jose/key.h"
#include "unit/key_texts.h"

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

/* --- wrong answers to a get --- */

struct copies {
    mereau_record all[16];
    uint8_t *owned[16]; /* the value, then the key */
    int there[16];
};

static int32_t copy(void *arg, size_t index, const mereau_record *record) {
    struct copies *c = arg;
    assert_true(index < 16);
    c->there[index] = record != NULL;
    if (record == NULL)
        return 0;
    c->all[index] = *record;
    c->owned[index] = malloc(record->value_len + record->key_len + 1);
    assert_non_null(c->owned[index]);
    if (record->value_len > 0)
        memcpy(c->owned[index], record->value, record->value_len);
    memcpy(c->owned[index] + record->value_len, record->key, record->key_len);
    c->all[index].value = c->owned[index];
    c->all[index].key = c->owned[index] + record->value_len;
    return 0;
}

static void copies_free(struct copies *c) {
    for (size_t i = 0; i < 16; i++)
        free(c->owned[i]);
    memset(c, 0, sizeof *c);
}

static int32_t hand(mereau_op *op, const struct copies *c, size_t i) {
    return mereau_op_feed(op, i, c->there[i] ? &c->all[i] : NULL);
}

enum wrong {
    NO_KEYS,
    FIRST_MISSING,
    LAST_MISSING,
    DOUBLED,
    DOUBLED_ABSENT,
    UNASKED,
    UNASKED_FAR,
    OTHER_KEY,
    SHORTER_KEY,
    LONGER_VALUE,
    FED_AFTER,
    MISSING_FED_AFTER,
    FED_BYTES_AFTER_MISSING,
    ANSWERED_TWICE,
    FAILED_IO,
    FAILED_LIMIT,
    FAILED_STOPPED,
    FAILED_UNKNOWN,
    FAILED_UNSUPPORTED,
    FAILED_OTHERWISE,
    WRONGS
};

/* A present record, whose key and value can be spoilt. */
static size_t present(const struct copies *c, size_t n) {
    size_t i = 0;
    while (i < n && !c->there[i])
        i++;
    assert_true(i < n);
    return i;
}

static void hand_all(mereau_op *op, const struct copies *c, size_t n) {
    for (size_t i = 0; i < n; i++)
        assert_int_equal(hand(op, c, i), 0);
}

static void hand_spoilt(mereau_op *op, const struct copies *c, size_t n,
                        enum wrong wrong) {
    static uint8_t big[MEREAU_MAX_VALUE + 1];
    uint8_t key[MEREAU_MAX_KEY];
    size_t at = present(c, n);
    mereau_record bad = c->all[at];
    for (size_t i = 0; i < n; i++)
        if (i != at)
            assert_int_equal(hand(op, c, i), 0);
    memcpy(key, bad.key, bad.key_len);
    bad.key = key;
    if (wrong == OTHER_KEY)
        key[bad.key_len - 1] ^= 1;
    else if (wrong == SHORTER_KEY)
        bad.key_len--;
    else {
        bad.value = big;
        bad.value_len = sizeof big;
    }
    assert_int_not_equal(mereau_op_feed(op, at, &bad), 0);
}

static void hand_wrongly(mereau_op *op, const struct copies *c, size_t n,
                         enum wrong wrong) {
    switch (wrong) {
    case NO_KEYS:
    case FED_BYTES_AFTER_MISSING:
        break;
    case FIRST_MISSING:
        for (size_t i = 1; i < n; i++)
            hand(op, c, i);
        break;
    case LAST_MISSING:
    case MISSING_FED_AFTER:
        hand_all(op, c, n - 1);
        break;
    case DOUBLED:
        hand_all(op, c, n);
        assert_int_not_equal(hand(op, c, 0), 0);
        break;
    case DOUBLED_ABSENT:
        hand_all(op, c, n);
        assert_int_not_equal(mereau_op_feed(op, present(c, n), NULL), 0);
        break;
    case UNASKED:
        hand_all(op, c, n);
        assert_int_not_equal(mereau_op_feed(op, n, NULL), 0);
        break;
    case UNASKED_FAR:
        hand_all(op, c, n);
        assert_int_not_equal(mereau_op_feed(op, SIZE_MAX, &c->all[0]), 0);
        break;
    case OTHER_KEY:
    case SHORTER_KEY:
    case LONGER_VALUE:
        hand_spoilt(op, c, n, wrong);
        break;
    default:
        hand_all(op, c, n);
        break;
    }
}

static int32_t result_of(enum wrong wrong) {
    switch (wrong) {
    case FAILED_IO:
        return MEREAU_STORE_IO;
    case FAILED_LIMIT:
        return MEREAU_STORE_LIMIT;
    case FAILED_STOPPED:
        return MEREAU_STORE_STOPPED;
    case FAILED_UNKNOWN:
        return MEREAU_STORE_UNKNOWN;
    case FAILED_UNSUPPORTED:
        return MEREAU_STORE_UNSUPPORTED;
    case FAILED_OTHERWISE:
        return -7;
    default:
        return MEREAU_STORE_OK;
    }
}

/* The op's nth get is answered wrongly. 0: it has not so many. */
static int answer_wrongly(struct flow *f, mereau_op *op, int nth,
                          enum wrong wrong) {
    struct copies c;
    const mereau_need *need;
    int32_t result = result_of(wrong);
    memset(&c, 0, sizeof c);
    for (;;) {
        assert_int_equal(mereau_op_step(op, &need, &flow_error), MEREAU_OK);
        assert_non_null(need);
        if (need->kind == MEREAU_NEED_COMMIT)
            return 0;
        assert_int_equal(need->kind, MEREAU_NEED_GET);
        if (nth-- == 0)
            break;
        step_answer(f, op, need);
    }
    assert_true(need->n_keys > 0 && need->n_keys <= 16);
    assert_int_equal(f->real.get(f->real.user, need, copy, &c), 0);
    hand_wrongly(op, &c, need->n_keys, wrong);
    if (wrong == FED_BYTES_AFTER_MISSING)
        assert_int_not_equal(mereau_op_feed_bytes(op, (const uint8_t *)"x", 1),
                             0);
    mereau_op_answer(op, result, SIZE_MAX);
    if (wrong == FED_AFTER)
        assert_int_not_equal(hand(op, &c, 0), 0);
    if (wrong == MISSING_FED_AFTER)
        assert_int_not_equal(hand(op, &c, need->n_keys - 1), 0);
    if (wrong == ANSWERED_TWICE)
        mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    if (wrong == ANSWERED_TWICE) {
        ENDS(op, MEREAU_E_STATE, "op.answer");
        assert_int_equal(flow_error.host_code, 0);
    } else {
        ENDS(op,
             wrong == FAILED_UNSUPPORTED ? MEREAU_E_UNSUPPORTED
                                         : MEREAU_E_STORE,
             "store.get");
        assert_int_equal(flow_error.host_code,
                         result == MEREAU_STORE_OK ? MEREAU_STORE_IO : result);
    }
    copies_free(&c);
    return 1;
}

enum what { REDEEM, EXCHANGE, REFRESH, REVOKE, LIVE, WHATS };

static mereau_op *op_of(struct place *p, const struct flow_pair *pair,
                        const char *auth, enum what what) {
    struct flow *f = &p->flow;
    mereau_op *op;
    switch (what) {
    case REDEEM:
        return flow_redeem(f, p->token.text, "new", 1);
    case EXCHANGE:
        op = mereau_auth_token_exchange(f->tenant, auth);
        break;
    case REFRESH:
        op = mereau_token_refresh(f->tenant, pair->refresh);
        break;
    case REVOKE:
        return mereau_token_revoke(f->tenant, pair->refresh);
    default:
        return mereau_token_verify_live(f->tenant, pair->access);
    }
    flow_nonce(op, 1);
    return op;
}

static void a_wrong_answer_to_a_get_decides_nothing(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow, cold;
    struct flow_setup setup = {.seed = 3, .no_tenant = 1, .no_store = 1};
    struct flow_pair pair = flow_enrol(f, p->token.text, "d1");
    mereau_op *redeem = DONE(f, flow_redeem(f, p->token.text, "d2", 2));
    const char *auth = mereau_op_text(redeem, MEREAU_AUTH_TOKEN);
    struct flow_records before, after;
    int n = 0;
    setup.share = &f->real;
    flow_records_take(f, &before);
    for (int what = 0; what < WHATS; what++)
        for (int wrong = 0; wrong < WRONGS; wrong++)
            for (int nth = 0; nth < 2; nth++) {
                mereau_tenant *usual = f->tenant;
                mereau_op *op;
                int done;
                flow_open(&cold, &setup); /* so that there are two gets */
                f->tenant = cold.tenant;
                op = op_of(p, &pair, auth, (enum what)what);
                f->tenant = usual;
                if (what == LIVE && nth == 1) {
                    mereau_op_free(op); /* one get */
                    flow_close(&cold);
                    continue;
                }
                done = answer_wrongly(&cold, op, nth, (enum wrong)wrong);
                n += done;
                flow_records_take(f, &after);
                assert_true(flow_records_equal(&before, &after));
                flow_records_free(&after);
                if (done && wrong == LAST_MISSING) /* it can start over */
                    STEPPED(&cold, op);
                mereau_op_free(op);
                flow_close(&cold);
                flow_records_put(f, &before);
            }
    if (n < WHATS * WRONGS + 2 * WRONGS)
        fail_msg("only %d wrong answers", n);
    flow_records_free(&before);
}

/* --- right answers, in an unusual way --- */

static void answers_may_come_in_any_order(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    mereau_op *op = flow_redeem(f, p->token.text, "d1", 1);
    struct copies c;
    const mereau_need *need = step_to(f, op, MEREAU_NEED_GET);
    size_t n = need->n_keys;
    memset(&c, 0, sizeof c);
    assert_true(n > 2);
    f->real.get(f->real.user, need, copy, &c);
    for (size_t i = n; i-- > 0;)
        assert_int_equal(hand(op, &c, i), 0);
    copies_free(&c); /* it was copied */
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    STEPPED(f, op);
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
    assert_int_equal(flow_used(f, p->token.id), 1);
    mereau_op_free(op);
}

static void stepping_without_an_answer_gives_the_same_need(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    mereau_op *op = flow_redeem(f, p->token.text, "d1", 1);
    const mereau_need *need, *same;
    do {
        assert_int_equal(mereau_op_step(op, &need, NULL), MEREAU_OK);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(mereau_op_step(op, &same, NULL), MEREAU_OK);
            assert_ptr_equal(need, same);
        }
        assert_int_equal(mereau_op_run(op, &flow_error), MEREAU_E_STATE);
        assert_string_equal(flow_error.rule, "op.stepped");
        assert_int_equal(mereau_op_dry_run(op, &flow_error), MEREAU_E_STATE);
        if (need != NULL)
            step_answer(f, op, need);
    } while (need != NULL && need->kind != MEREAU_NEED_COMMIT);
    STEPPED(f, op);
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_free(op);
}

static void late_answers_within_a_minute_are_good(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    mereau_op *op = flow_redeem(f, p->token.text, "d1", 1);
    const mereau_need *need = step_to(f, op, MEREAU_NEED_GET);
    f->now_at += 60;
    step_answer(f, op, need);
    STEPPED(f, op);
    mereau_op_free(op);
    assert_int_equal(flow_used(f, p->token.id), 1);
}

static void nothing_is_committed_after_a_longer_pause(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    mereau_op *op = flow_redeem(f, p->token.text, "d1", 1);
    struct flow_records before, after;
    const mereau_need *need = step_to(f, op, MEREAU_NEED_GET);
    flow_records_take(f, &before);
    f->now_at += 61;
    step_answer(f, op, need);
    ENDS(op, MEREAU_E_BUSY, "op.parked");
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after));
    flow_records_free(&before);
    flow_records_free(&after);
    STEPPED(f, op); /* at the time it is now */
    assert_int_equal(flow_used(f, p->token.id), 1);
    mereau_op_free(op);
}

/* The reply is as late as can be, but the commit was applied in time. */
static void a_commit_may_answer_late(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    mereau_op *op = flow_redeem(f, p->token.text, "d1", 1);
    const mereau_need *need = step_to(f, op, MEREAU_NEED_COMMIT);
    size_t failed;
    assert_int_equal(step_serve(f, op, need, &failed), MEREAU_STORE_OK);
    f->now_at += 10 * DAY;
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    STEPPED(f, op);
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_free(op);
}

/* --- answers that nobody asked for --- */

static void an_answer_before_the_first_need_is_refused(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    mereau_op *op = flow_redeem(f, p->token.text, "d1", 1);
    assert_int_not_equal(mereau_op_feed(op, 0, NULL), 0);
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    flow_count_from_here(f);
    ENDS(op, MEREAU_E_STATE, "op.answer");
    assert_int_equal(f->gets, 0);
    mereau_op_free(op);
    assert_int_equal(flow_used(f, p->token.id), 0);
}

static void feeding_what_was_not_asked_for_is_not_taken(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    mereau_op *op = flow_redeem(f, p->token.text, "d1", 1);
    const mereau_need *need;
    assert_int_not_equal(mereau_op_feed(op, 0, NULL), 0);
    assert_int_not_equal(mereau_op_feed_bytes(op, NULL, 0), 0);
    need = step_to(f, op, MEREAU_NEED_COMMIT);
    assert_int_not_equal(mereau_op_feed(op, 0, NULL), 0);
    step_answer(f, op, need);
    STEPPED(f, op); /* the commit was good all the same */
    assert_int_not_equal(mereau_op_feed(op, 0, NULL), 0);
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_free(op);
}

static void an_answer_after_the_end_takes_no_result(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    mereau_op *op = STEPPED(f, flow_redeem(f, p->token.text, "d1", 1));
    const mereau_need *need;
    char auth[512];
    snprintf(auth, sizeof auth, "%s", mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_answer(op, MEREAU_STORE_CONFLICT, 0);
    assert_string_equal(mereau_op_text(op, MEREAU_AUTH_TOKEN), auth);
    assert_int_equal(mereau_op_step(op, &need, &flow_error), MEREAU_E_STATE);
    assert_null(need);
    assert_string_equal(mereau_op_text(op, MEREAU_AUTH_TOKEN), auth);
    mereau_op_free(op);
    assert_int_equal(flow_used(f, p->token.id), 1);
}

/* The host mixed up its replies after the store had committed: the caller is not
 * told yes, but asking again costs nothing. */
static void a_commit_answered_twice_can_be_asked_for_again(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    mereau_op *op = flow_redeem(f, p->token.text, "d1", 1), *again;
    const mereau_need *need = step_to(f, op, MEREAU_NEED_COMMIT);
    step_answer(f, op, need);
    mereau_op_answer(op, MEREAU_STORE_CONFLICT, 0);
    ENDS(op, MEREAU_E_STATE, "op.answer");
    mereau_op_free(op);
    again = STEPPED(f, flow_redeem(f, p->token.text, "d1", 1));
    assert_int_equal(mereau_op_int(again, MEREAU_REPEATED), 1);
    assert_int_equal(flow_used(f, p->token.id), 1);
    mereau_op_free(again);
}

static void null_is_answered_and_fed_without_harm(void **state) {
    const mereau_need *need = (const mereau_need *)state;
    struct place *p = *state;
    mereau_op *op = flow_redeem(&p->flow, p->token.text, "d1", 1);
    mereau_op_answer(NULL, 0, 0);
    assert_int_not_equal(mereau_op_feed(NULL, 0, NULL), 0);
    assert_int_not_equal(mereau_op_feed_bytes(NULL, NULL, 0), 0);
    assert_int_equal(mereau_op_step(NULL, &need, NULL), MEREAU_E_NOMEM);
    assert_null(need);
    assert_int_equal(mereau_op_step(op, NULL, &flow_error), MEREAU_E_ARG);
    mereau_op_free(op);
}

/* --- commits --- */

static void answer_commit(struct flow *f, mereau_op *op, int32_t result) {
    step_to(f, op, MEREAU_NEED_COMMIT);
    mereau_op_answer(op, result, SIZE_MAX);
}

static void a_broken_commit_ends_with_its_status(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    static const struct {
        int32_t result;
        mereau_status status;
    } rows[] = {{MEREAU_STORE_IO, MEREAU_E_STORE},
                {MEREAU_STORE_LIMIT, MEREAU_E_STORE},
                {MEREAU_STORE_STOPPED, MEREAU_E_STORE},
                {MEREAU_STORE_UNSUPPORTED, MEREAU_E_STORE}};
    struct flow_records before, after;
    flow_records_take(f, &before);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mereau_op *op = flow_redeem(f, p->token.text, "d1", 1);
        answer_commit(f, op, rows[i].result);
        ENDS(op, rows[i].status, "store.commit");
        assert_int_equal(flow_error.host_code, rows[i].result);
        mereau_op_free(op);
    }
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after));
    flow_records_free(&before);
    flow_records_free(&after);
}

/* It may have been applied: the records are read back. */
static void a_code_without_meaning_is_a_lost_reply(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    for (int applied = 0; applied < 2; applied++) {
        mereau_op *op = flow_redeem(f, p->token.text, applied ? "d1" : "d0", 1);
        const mereau_need *need = step_to(f, op, MEREAU_NEED_COMMIT);
        size_t failed;
        if (applied)
            assert_int_equal(step_serve(f, op, need, &failed), MEREAU_STORE_OK);
        mereau_op_answer(op, 12345, SIZE_MAX);
        STEPPED(f, op);
        assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 0);
        assert_int_equal(flow_used(f, p->token.id), applied + 1);
        mereau_op_free(op);
    }
}

static void conflicts_and_busy_stores_are_asked_again(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    mereau_op *op = flow_redeem(f, p->token.text, "d1", 1);
    const mereau_need *need;
    answer_commit(f, op, MEREAU_STORE_CONFLICT);
    assert_int_equal(mereau_op_step(op, &need, NULL), MEREAU_OK);
    assert_int_equal(need->kind, MEREAU_NEED_GET); /* all is read again */
    answer_commit(f, op, MEREAU_STORE_BUSY);
    assert_int_equal(mereau_op_step(op, &need, NULL), MEREAU_OK);
    assert_int_equal(need->kind, MEREAU_NEED_WAIT);
    assert_true(need->wait_ms > 0 && need->wait_ms <= 64);
    STEPPED(f, op);
    assert_int_equal(flow_used(f, p->token.id), 1);
    mereau_op_free(op);
}

static void a_wait_that_fails_ends_the_op(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    mereau_op *op = flow_redeem(f, p->token.text, "d1", 1);
    answer_commit(f, op, MEREAU_STORE_BUSY);
    step_to(f, op, MEREAU_NEED_WAIT);
    mereau_op_answer(op, MEREAU_STORE_IO, SIZE_MAX);
    ENDS(op, MEREAU_E_BUSY, "store.wait");
    mereau_op_free(op);
    assert_int_equal(flow_used(f, p->token.id), 0);
}

/* --- ops that are given up --- */

static void an_op_given_up_anywhere_changes_nothing(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    struct flow_pair pair = flow_enrol(f, p->token.text, "d1");
    mereau_op *redeem = DONE(f, flow_redeem(f, p->token.text, "d2", 2));
    const char *auth = mereau_op_text(redeem, MEREAU_AUTH_TOKEN);
    struct flow_records before, after;
    int given_up = 0;
    flow_records_take(f, &before);
    for (int what = 0; what < WHATS; what++)
        for (int left = 1;; left++) {
            mereau_op *op = op_of(p, &pair, auth, (enum what)what);
            const mereau_need *need = NULL;
            int served = 0;
            for (;;) {
                assert_int_equal(mereau_op_step(op, &need, NULL), MEREAU_OK);
                if (need == NULL || need->kind == MEREAU_NEED_COMMIT ||
                    ++served == left)
                    break;
                step_answer(f, op, need);
            }
            mereau_op_free(op); /* with its need left open */
            given_up++;
            if (served < left)
                break;
        }
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after));
    flow_records_free(&before);
    flow_records_free(&after);
    assert_true(given_up >= 2 * WHATS);
    REFUSED(f, flow_redeem(f, p->token.text, "d1", 9), MEREAU_E_ENROLLED, NULL);
}

static void tenant_and_context_may_go_before_the_op(void **state) {
    struct place *p = *state;
    struct flow other;
    struct flow_setup setup = {.seed = 3, .no_tenant = 1, .no_store = 1};
    mereau_op *op;
    const mereau_need *need;
    setup.share = &p->flow.real;
    flow_open(&other, &setup);
    op = flow_redeem(&other, p->token.text, "d1", 1);
    need = step_to(&other, op, MEREAU_NEED_GET);
    mereau_tenant_free(other.tenant);
    mereau_ctx_free(other.ctx);
    other.tenant = NULL;
    other.ctx = NULL;
    step_answer(&other, op, need);
    STEPPED(&other, op);
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_free(op);
    flow_close(&other);
}

static void without_a_store_an_op_can_only_be_stepped(void **state) {
    struct place *p = *state;
    struct flow other;
    struct flow_setup setup = {.seed = 3, .no_tenant = 1, .no_store = 1};
    setup.share = &p->flow.real;
    flow_open(&other, &setup);
    REFUSED(&other, flow_redeem(&other, p->token.text, "d1", 1),
            MEREAU_E_UNSUPPORTED, "ctx.store");
    mereau_op_free(
        STEPPED(&other, flow_redeem(&other, p->token.text, "d1", 1)));
    flow_close(&other);
}

/* --- scans --- */

static void a_wrong_answer_to_a_scan_gives_no_rows(void **state) {
    struct place *p = *state;
    struct flow *f = &p->flow;
    for (int i = 0; i < 4; i++)
        flow_mint(f, 1, DAY);
    for (int wrong = 0; wrong < 8; wrong++) {
        mereau_op *op = mereau_registration_token_list(f->tenant);
        const mereau_need *need = step_to(f, op, MEREAU_NEED_SCAN);
        struct copies c;
        mereau_record far;
        int bad = 1, result = MEREAU_STORE_OK;
        memset(&c, 0, sizeof c);
        assert_int_equal(f->real.scan(f->real.user, need, copy, &c), 0);
        assert_true(c.there[4]);
        far = c.all[0];
        far.key = (const uint8_t *)"\1";
        far.key_len = 1;
        if (wrong == 0) /* descending */
            bad = mereau_op_feed(op, 0, &c.all[1]) != 0 ||
                  mereau_op_feed(op, 1, &c.all[0]) != 0;
        else if (wrong == 1) /* twice */
            bad = mereau_op_feed(op, 0, &c.all[0]) != 0 ||
                  mereau_op_feed(op, 1, &c.all[0]) != 0;
        else if (wrong == 2) /* not from 0 on */
            bad = mereau_op_feed(op, 1, &c.all[0]) != 0;
        else if (wrong == 3)
            bad = mereau_op_feed(op, 0, NULL) != 0;
        else if (wrong == 4) /* not in the range */
            bad = mereau_op_feed(op, 0, &far) != 0;
        else if (wrong == 5)
            result = MEREAU_STORE_IO;
        else if (wrong == 6)
            result = MEREAU_STORE_STOPPED;
        else { /* after the answer */
            mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
            bad = mereau_op_feed(op, 0, &c.all[0]) != 0;
        }
        assert_int_equal(bad, 1);
        if (wrong != 7)
            mereau_op_answer(op, result, SIZE_MAX);
        ENDS(op, MEREAU_E_STORE, "store.scan");
        assert_int_equal(mereau_op_next_row(op), 0);
        copies_free(&c);
        STEPPED(f, op);
        for (int i = 0; i < 5; i++)
            assert_int_equal(mereau_op_next_row(op), 1);
        mereau_op_free(op);
    }
}

/* --- signatures --- */

static int32_t never_sign(void *user, const mereau_need *need,
                          mereau_emit_bytes emit, void *arg) {
    (void)user;
    (void)need;
    (void)emit;
    (void)arg;
    return MEREAU_SIGN_FAILED;
}

static int rng(void *arg, uint8_t *out, size_t len) {
    (void)arg;
    memset(out, 9, len);
    return 0;
}

static void sign(const mereau_need *need, uint8_t sig[MRU_MAX_SIG],
                 size_t *len) {
    mru_key *key = NULL;
    assert_int_equal(mru_key_from_pem(&key, ec_pkcs8, sizeof ec_pkcs8 - 1,
                                      MEREAU_ALG_ES256, MRU_KEY_PRIVATE, NULL),
                     MEREAU_OK);
    assert_int_equal(
        mru_key_sign(key, rng, NULL, need->input, need->input_len, sig, len),
        MEREAU_OK);
    mru_key_free(key);
}

static void a_wrong_signature_issues_nothing(void **state) {
    static const mereau_signer signer = {(uint32_t)sizeof signer, 0, NULL,
                                         never_sign};
    const struct flow_setup setup = {.seed = 4, .signer = &signer};
    struct flow f;
    struct flow_records before, after;
    const char *auth;
    mereau_op *op;
    (void)state;
    flow_open(&f, &setup);
    op = mereau_key_import(f.tenant, MEREAU_ALG_ES256);
    mereau_op_set_text(op, MEREAU_PEM, ec_spki);
    mereau_op_set_text(op, MEREAU_KEY_LABEL, "hsm-1");
    DONE(&f, op);
    f.now_at += 2 * DAY;
    flow_app(&f, NULL);
    op = DONE(&f, flow_redeem(&f, flow_mint(&f, 1, DAY).text, "d", 1));
    auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    flow_records_take(&f, &before);
    for (int wrong = 0; wrong < 8; wrong++) {
        uint8_t sig[MRU_MAX_SIG];
        size_t len;
        int32_t result = MEREAU_SIGN_OK;
        op = mereau_auth_token_exchange(f.tenant, auth);
        const mereau_need *need = step_to(&f, op, MEREAU_NEED_SIGN);
        assert_string_equal(need->key_label, "hsm-1");
        assert_int_equal(need->alg, MEREAU_ALG_ES256);
        sign(need, sig, &len);
        assert_int_equal(len, 64);
        if (wrong == 0)
            sig[5] ^= 1;
        if (wrong == 1)
            len--;
        if (wrong == 2)
            assert_int_not_equal(mereau_op_feed(op, 0, NULL), 0);
        if (wrong != 2)
            mereau_op_feed_bytes(op, sig, len);
        if (wrong == 3) /* twice */
            assert_int_not_equal(mereau_op_feed_bytes(op, sig, len), 0);
        if (wrong == 4)
            result = MEREAU_SIGN_FAILED;
        if (wrong == 5)
            result = MEREAU_SIGN_UNSUPPORTED;
        if (wrong == 6)
            result = MEREAU_SIGN_UNKNOWN_KEY;
        mereau_op_answer(op, result, SIZE_MAX);
        if (wrong == 7) /* after the answer */
            assert_int_not_equal(mereau_op_feed_bytes(op, sig, len), 0);
        ENDS(op, MEREAU_E_SIGNER,
             wrong < 2 ? "signer.signature" : "signer.sign");
        assert_int_equal(flow_error.host_code, result);
        mereau_op_free(op);
        flow_records_take(&f, &after);
        assert_true(flow_records_equal(&before, &after));
        flow_records_free(&after);
    }
    flow_records_free(&before);
    op = mereau_auth_token_exchange(f.tenant, auth);
    uint8_t sig[MRU_MAX_SIG];
    size_t len;
    sign(step_to(&f, op, MEREAU_NEED_SIGN), sig, &len);
    assert_int_equal(mereau_op_feed_bytes(op, sig, len), 0);
    mereau_op_answer(op, MEREAU_SIGN_OK, SIZE_MAX);
    STEPPED(&f, op);
    assert_int_equal(flow_verify(&f, mereau_op_text(op, MEREAU_ACCESS_TOKEN)),
                     MEREAU_OK);
    mereau_op_free(op);
    flow_close(&f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_wrong_answer_to_a_get_decides_nothing),
        TEST(answers_may_come_in_any_order),
        TEST(stepping_without_an_answer_gives_the_same_need),
        TEST(late_answers_within_a_minute_are_good),
        TEST(nothing_is_committed_after_a_longer_pause),
        TEST(a_commit_may_answer_late),
        TEST(an_answer_before_the_first_need_is_refused),
        TEST(feeding_what_was_not_asked_for_is_not_taken),
        TEST(an_answer_after_the_end_takes_no_result),
        TEST(a_commit_answered_twice_can_be_asked_for_again),
        TEST(null_is_answered_and_fed_without_harm),
        TEST(a_broken_commit_ends_with_its_status),
        TEST(a_code_without_meaning_is_a_lost_reply),
        TEST(conflicts_and_busy_stores_are_asked_again),
        TEST(a_wait_that_fails_ends_the_op),
        TEST(an_op_given_up_anywhere_changes_nothing),
        TEST(tenant_and_context_may_go_before_the_op),
        TEST(without_a_store_an_op_can_only_be_stepped),
        TEST(a_wrong_answer_to_a_scan_gives_no_rows),
        TEST(a_wrong_signature_issues_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
