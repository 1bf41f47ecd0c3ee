/* tests/flow/test_step_form.c - operations driven step by step, as an event loop
 * does it: answers in any order, late, partial, doubled, of the wrong kind; two
 * operations at once on one store; the same results as run. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

/* Two contexts on the same records: one runs, the other is stepped. */
struct pair {
    struct flow run, steps;
    struct flow_token token;
};

static int setup(void **state) {
    struct pair *p = malloc(sizeof *p);
    struct flow_setup stepped = {.seed = 50, .no_tenant = 1, .no_store = 1};
    if (p == NULL)
        return -1;
    *state = p;
    flow_start(&p->run);
    flow_app(&p->run, NULL);
    p->token = flow_mint(&p->run, 3, DAY);
    stepped.share = p->run.under;
    flow_open(&p->steps, &stepped);
    return 0;
}

static int teardown(void **state) {
    struct pair *p = *state;
    flow_close(&p->steps);
    flow_close(&p->run);
    free(p);
    return 0;
}

/* --- serving needs --- */

struct kept {
    struct flow_record all[64];
    int there[64];
    size_t n;
};

static int32_t keep(void *arg, size_t index, const mereau_record *record) {
    struct kept *kept = arg;
    struct flow_record *one = &kept->all[index];
    if (kept->n < index + 1)
        kept->n = index + 1;
    kept->there[index] = record != NULL;
    if (record == NULL)
        return 0;
    memcpy(one->key, record->key, record->key_len);
    one->key_len = record->key_len;
    one->value = malloc(record->value_len + 1);
    if (one->value == NULL)
        abort();
    memcpy(one->value, record->value, record->value_len);
    one->value_len = record->value_len;
    one->version = record->version;
    one->drop_at = record->drop_at;
    return 0;
}

static void read_all(struct flow *f, const mereau_need *need,
                     struct kept *kept) {
    memset(kept, 0, sizeof *kept);
    assert_int_equal(f->real.get(f->real.user, need, keep, kept),
                     MEREAU_STORE_OK);
    assert_int_equal(kept->n, need->n_keys);
}

static void kept_free(struct kept *kept) {
    for (size_t i = 0; i < kept->n; i++)
        free(kept->all[i].value);
    memset(kept, 0, sizeof *kept);
}

static mereau_record record_of(const struct flow_record *one) {
    mereau_record record = {one->key,       one->key_len, one->value,
                            one->value_len, one->version, one->drop_at};
    return record;
}

static int32_t feed_one(mereau_op *op, const struct kept *kept, size_t i) {
    mereau_record record = record_of(&kept->all[i]);
    return mereau_op_feed(op, i, kept->there[i] ? &record : NULL);
}

static int32_t feed(void *arg, size_t index, const mereau_record *record) {
    return mereau_op_feed(arg, index, record);
}

/* Serves one need as it should be. */
static void serve(struct flow *f, mereau_op *op, const mereau_need *need) {
    size_t failed = SIZE_MAX;
    int32_t result = MEREAU_STORE_OK;
    if (need->kind == MEREAU_NEED_GET)
        result = f->real.get(f->real.user, need, feed, op);
    else if (need->kind == MEREAU_NEED_COMMIT)
        result = f->real.commit(f->real.user, need, &failed);
    else if (need->kind == MEREAU_NEED_SCAN)
        result = f->real.scan(f->real.user, need, feed, op);
    else
        assert_int_equal(need->kind, MEREAU_NEED_WAIT);
    mereau_op_answer(op, result, failed);
}

static const mereau_need *step(mereau_op *op) {
    const mereau_need *need = NULL;
    mereau_error_init(&flow_error, sizeof flow_error);
    mereau_status status = mereau_op_step(op, &need, &flow_error);
    if (status != MEREAU_OK)
        fail_msg("step: %s", flow_error.text);
    return need;
}

static void to_the_end(struct flow *f, mereau_op *op) {
    const mereau_need *need;
    while ((need = step(op)) != NULL)
        serve(f, op, need);
}

/* Up to the first need of a kind, which is left unanswered. */
static const mereau_need *up_to(struct flow *f, mereau_op *op, uint32_t kind) {
    const mereau_need *need;
    while ((need = step(op)) != NULL && need->kind != kind)
        serve(f, op, need);
    assert_non_null(need);
    return need;
}

static void ends_with(mereau_op *op, mereau_status status, const char *rule) {
    const mereau_need *need = (const mereau_need *)op;
    mereau_status found = mereau_op_step(op, &need, &flow_error);
    if (found != status || strcmp(flow_error.rule, rule) != 0)
        fail_msg("wanted %s (%s), found %s", mereau_status_name(status), rule,
                 flow_error.text);
    assert_null(need);
    assert_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
}

static mereau_op *redeem(struct pair *p, const char *device) {
    return flow_redeem(&p->steps, p->token.text, device, 1);
}

/* --- as it should be --- */

static void stepping_and_running_give_the_same(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1"), *again;
    to_the_end(&p->steps, op);
    again = DONE(&p->run, flow_redeem(&p->run, p->token.text, "d1", 1));
    assert_string_equal(mereau_op_text(op, MEREAU_AUTH_TOKEN),
                        mereau_op_text(again, MEREAU_AUTH_TOKEN));
    assert_int_equal(mereau_op_int(again, MEREAU_REPEATED), 1);
    mereau_op *next = mereau_auth_token_exchange(
        p->steps.tenant, mereau_op_text(op, MEREAU_AUTH_TOKEN));
    to_the_end(&p->steps, next);
    DONE(&p->run,
         mereau_token_verify_live(p->run.tenant,
                                  mereau_op_text(next, MEREAU_ACCESS_TOKEN)));
    mereau_op_free(op);
    mereau_op_free(next);
}

static void lists_are_stepped_too(void **state) {
    struct pair *p = *state;
    mereau_op *op = mereau_registration_token_list(p->steps.tenant);
    to_the_end(&p->steps, op);
    assert_int_equal(mereau_op_next_row(op), 1);
    assert_string_equal(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN_ID),
                        p->token.id);
    mereau_op_free(op);
}

static void keys_are_distinct_and_ascending(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need = up_to(&p->steps, op, MEREAU_NEED_GET);
    assert_string_equal((const char *)need->partition, "test");
    assert_int_equal(need->partition_len, 4);
    for (size_t i = 1; i < need->n_keys; i++) {
        size_t a = need->keys[i - 1].len, b = need->keys[i].len;
        int order =
            memcmp(need->keys[i - 1].data, need->keys[i].data, a < b ? a : b);
        assert_true(order < 0 || (order == 0 && a < b));
    }
    need = up_to(&p->steps, op, MEREAU_NEED_COMMIT);
    for (size_t i = 1; i < need->n_writes; i++) {
        size_t a = need->writes[i - 1].record.key_len;
        size_t b = need->writes[i].record.key_len;
        int order = memcmp(need->writes[i - 1].record.key,
                           need->writes[i].record.key, a < b ? a : b);
        assert_true(order < 0 || (order == 0 && a < b));
    }
    mereau_op_free(op); /* in the middle */
    assert_int_equal(flow_used(&p->run, p->token.id), 0);
}

static void keys_may_be_fed_in_any_order(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need;
    struct kept kept;
    while ((need = step(op)) != NULL) {
        if (need->kind != MEREAU_NEED_GET) {
            serve(&p->steps, op, need);
            continue;
        }
        read_all(&p->steps, need, &kept);
        for (size_t i = need->n_keys; i > 0; i--)
            assert_int_equal(feed_one(op, &kept, i - 1), 0);
        kept_free(&kept);
        mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    }
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_free(op);
}

static void what_is_fed_is_copied(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need;
    struct kept kept;
    while ((need = step(op)) != NULL) {
        if (need->kind != MEREAU_NEED_GET) {
            serve(&p->steps, op, need);
            continue;
        }
        read_all(&p->steps, need, &kept);
        for (size_t i = 0; i < need->n_keys; i++) {
            feed_one(op, &kept, i);
            if (kept.there[i])
                memset(kept.all[i].value, 0xee, kept.all[i].value_len);
        }
        kept_free(&kept);
        mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    }
    mereau_op_free(op);
}

static void stepping_again_gives_the_same_need(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need = step(op);
    assert_ptr_equal(step(op), need);
    assert_ptr_equal(step(op), need);
    serve(&p->steps, op, need);
    to_the_end(&p->steps, op);
    assert_int_equal(flow_used(&p->run, p->token.id), 1);
    mereau_op_free(op);
}

static void a_late_answer_meets_what_happened_meanwhile(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "late");
    const mereau_need *need = up_to(&p->steps, op, MEREAU_NEED_COMMIT);
    /* others take all the counts before it is served */
    for (int i = 0; i < 3; i++) {
        char device[8];
        snprintf(device, sizeof device, "d%d", i);
        DONE(&p->run, flow_redeem(&p->run, p->token.text, device, 1));
    }
    serve(&p->steps, op, need); /* a conflict */
    while (mereau_op_step(op, &need, &flow_error) == MEREAU_OK && need != NULL)
        serve(&p->steps, op, need);
    assert_int_equal(flow_error.status, MEREAU_E_USED_UP);
    assert_int_equal(flow_used(&p->run, p->token.id), 3);
    mereau_op_free(op);
}

/* Both to the end, a step each. */
static void in_turn(struct flow *f, mereau_op *a, mereau_op *b) {
    const mereau_need *x, *y;
    do {
        x = mereau_op_json(a) == NULL ? step(a) : NULL;
        y = mereau_op_json(b) == NULL ? step(b) : NULL;
        if (x != NULL)
            serve(f, a, x);
        if (y != NULL)
            serve(f, b, y);
    } while (x != NULL || y != NULL);
}

static void two_at_once_on_one_store_get_two_counts(void **state) {
    struct pair *p = *state;
    mereau_op *a = redeem(p, "a"), *b = redeem(p, "b");
    in_turn(&p->steps, a, b);
    assert_string_not_equal(mereau_op_text(a, MEREAU_AUTH_TOKEN),
                            mereau_op_text(b, MEREAU_AUTH_TOKEN));
    assert_int_equal(flow_used(&p->run, p->token.id), 2);
    mereau_op_free(a);
    mereau_op_free(b);
}

static void two_of_one_device_get_one_count(void **state) {
    struct pair *p = *state;
    mereau_op *a = redeem(p, "same"), *b = redeem(p, "same");
    in_turn(&p->steps, a, b);
    assert_string_equal(mereau_op_text(a, MEREAU_AUTH_TOKEN),
                        mereau_op_text(b, MEREAU_AUTH_TOKEN));
    assert_int_equal(mereau_op_int(a, MEREAU_REPEATED) +
                         mereau_op_int(b, MEREAU_REPEATED),
                     1);
    assert_int_equal(flow_used(&p->run, p->token.id), 1);
    mereau_op_free(a);
    mereau_op_free(b);
}

static void a_commit_whose_answer_is_lost_is_settled_by_reading(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need = up_to(&p->steps, op, MEREAU_NEED_COMMIT);
    size_t failed;
    assert_int_equal(p->steps.real.commit(p->steps.real.user, need, &failed),
                     MEREAU_STORE_OK);
    mereau_op_answer(op, MEREAU_STORE_UNKNOWN, SIZE_MAX);
    to_the_end(&p->steps, op);
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 0);
    assert_int_equal(flow_used(&p->run, p->token.id), 1);
    mereau_op_free(op);
}

static void a_wait_is_a_need(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need = step(op);
    assert_int_equal(need->kind, MEREAU_NEED_GET);
    mereau_op_answer(op, MEREAU_STORE_BUSY, SIZE_MAX);
    need = step(op);
    assert_int_equal(need->kind, MEREAU_NEED_WAIT);
    assert_true(need->wait_ms >= 1 && need->wait_ms <= 64);
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    to_the_end(&p->steps, op);
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_free(op);
}

static void a_wait_that_is_refused_ends_it_busy(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    step(op);
    mereau_op_answer(op, MEREAU_STORE_BUSY, SIZE_MAX);
    assert_int_equal(step(op)->kind, MEREAU_NEED_WAIT);
    mereau_op_answer(op, MEREAU_STORE_BUSY, SIZE_MAX);
    ends_with(op, MEREAU_E_BUSY, "store.wait");
    mereau_op_free(op);
}

/* --- as it should not be --- */

/* Each of them ends the operation with nothing decided, and it may be run anew. */
static void goes_wrong_and_starts_over(struct pair *p, mereau_op *op,
                                       mereau_status status, const char *rule) {
    ends_with(op, status, rule);
    assert_int_equal(flow_used(&p->run, p->token.id), 0);
    to_the_end(&p->steps, op);
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
    assert_int_equal(flow_used(&p->run, p->token.id), 1);
    mereau_op_free(op);
}

static void a_key_left_out_decides_nothing(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need = step(op);
    struct kept kept;
    read_all(&p->steps, need, &kept);
    for (size_t i = 0; i + 1 < need->n_keys; i++)
        feed_one(op, &kept, i);
    kept_free(&kept);
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    goes_wrong_and_starts_over(p, op, MEREAU_E_STORE, "store.get");
}

static void nothing_fed_decides_nothing(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    step(op);
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    goes_wrong_and_starts_over(p, op, MEREAU_E_STORE, "store.get");
}

static void a_key_fed_twice_decides_nothing(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need = step(op);
    struct kept kept;
    read_all(&p->steps, need, &kept);
    for (size_t i = 0; i < need->n_keys; i++)
        feed_one(op, &kept, i);
    assert_int_not_equal(feed_one(op, &kept, 0), 0);
    kept_free(&kept);
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    goes_wrong_and_starts_over(p, op, MEREAU_E_STORE, "store.get");
}

static void a_key_not_asked_for_decides_nothing(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need = step(op);
    struct kept kept;
    read_all(&p->steps, need, &kept);
    for (size_t i = 0; i < need->n_keys; i++)
        feed_one(op, &kept, i);
    assert_int_not_equal(mereau_op_feed(op, need->n_keys, NULL), 0);
    assert_int_not_equal(mereau_op_feed(op, SIZE_MAX, NULL), 0);
    kept_free(&kept);
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    goes_wrong_and_starts_over(p, op, MEREAU_E_STORE, "store.get");
}

static void another_keys_record_decides_nothing(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need = step(op);
    struct kept kept;
    size_t some = 0;
    read_all(&p->steps, need, &kept);
    while (!kept.there[some])
        some++;
    for (size_t i = 0; i < need->n_keys; i++) {
        mereau_record record = record_of(&kept.all[some]);
        if (i == some + 1)
            assert_int_not_equal(mereau_op_feed(op, i, &record), 0);
        else
            feed_one(op, &kept, i);
    }
    kept_free(&kept);
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    goes_wrong_and_starts_over(p, op, MEREAU_E_STORE, "store.get");
}

static void a_value_that_is_too_long_decides_nothing(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need = step(op);
    static uint8_t big[MEREAU_MAX_VALUE + 1];
    mereau_record record = {
        need->keys[0].data, need->keys[0].len, big, sizeof big, 5, 0};
    assert_int_not_equal(mereau_op_feed(op, 0, &record), 0);
    for (size_t i = 1; i < need->n_keys; i++)
        mereau_op_feed(op, i, NULL);
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    goes_wrong_and_starts_over(p, op, MEREAU_E_STORE, "store.get");
}

static void an_answer_without_a_need_is_a_mistake(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    mereau_op_answer(op, MEREAU_STORE_OK, 0); /* before the first step */
    ends_with(op, MEREAU_E_STATE, "op.answer");
    mereau_op_free(op);
    op = redeem(p, "d1");
    serve(&p->steps, op, step(op));
    mereau_op_answer(op, MEREAU_STORE_OK, 0); /* a second one */
    ends_with(op, MEREAU_E_STATE, "op.answer");
    assert_int_equal(flow_used(&p->run, p->token.id), 0);
    mereau_op_free(op);
}

static void feeding_a_commit_or_a_signature_is_ignored(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need = up_to(&p->steps, op, MEREAU_NEED_COMMIT);
    assert_int_not_equal(mereau_op_feed(op, 0, NULL), 0);
    assert_int_not_equal(mereau_op_feed_bytes(op, (const uint8_t *)"x", 1), 0);
    serve(&p->steps, op, need);
    to_the_end(&p->steps, op);
    assert_int_equal(flow_used(&p->run, p->token.id), 1);
    mereau_op_free(op);
}

static void feeding_before_and_after_is_refused(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    assert_int_not_equal(mereau_op_feed(op, 0, NULL), 0);
    to_the_end(&p->steps, op);
    assert_int_not_equal(mereau_op_feed(op, 0, NULL), 0);
    assert_int_not_equal(mereau_op_feed_bytes(op, NULL, 0), 0);
    assert_non_null(mereau_op_text(op, MEREAU_AUTH_TOKEN));
    mereau_op_free(op);
}

static void unknown_answers_tell_nothing(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    up_to(&p->steps, op, MEREAU_NEED_COMMIT);
    mereau_op_answer(op, 4711, SIZE_MAX); /* applied or not: it is looked at */
    assert_int_not_equal(step(op)->kind, MEREAU_NEED_COMMIT);
    to_the_end(&p->steps, op);
    assert_int_equal(flow_used(&p->run, p->token.id), 1);
    mereau_op_free(op);
    op = redeem(p, "d2");
    up_to(&p->steps, op, MEREAU_NEED_GET);
    mereau_op_answer(op, 4711, SIZE_MAX);
    ends_with(op, MEREAU_E_STORE, "store.get");
    assert_int_equal(flow_error.host_code, 4711);
    mereau_op_free(op);
}

static void a_scan_out_of_order_is_refused(void **state) {
    struct pair *p = *state;
    struct kept kept;
    mereau_op *op;
    const mereau_need *need;
    flow_mint(&p->run, 1, DAY);
    op = mereau_registration_token_list(p->steps.tenant);
    need = up_to(&p->steps, op, MEREAU_NEED_SCAN);
    memset(&kept, 0, sizeof kept);
    assert_int_equal(p->steps.real.scan(p->steps.real.user, need, keep, &kept),
                     MEREAU_STORE_OK);
    assert_int_equal(kept.n, 2);
    mereau_record first = record_of(&kept.all[0]);
    mereau_record second = record_of(&kept.all[1]);
    assert_int_equal(mereau_op_feed(op, 0, &second), 0);
    assert_int_not_equal(mereau_op_feed(op, 1, &first), 0);
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    ends_with(op, MEREAU_E_STORE, "store.scan");
    need = up_to(&p->steps, op, MEREAU_NEED_SCAN);
    assert_int_not_equal(mereau_op_feed(op, 1, &first), 0); /* index 0 first */
    mereau_op_answer(op, MEREAU_STORE_OK, SIZE_MAX);
    ends_with(op, MEREAU_E_STORE, "store.scan");
    (void)need;
    kept_free(&kept);
    mereau_op_free(op);
}

static void parked_too_long_commits_nothing(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need = step(op);
    p->steps.now_at += 61;
    while (mereau_op_step(op, &need, &flow_error) == MEREAU_OK &&
           need != NULL && need->kind == MEREAU_NEED_GET)
        serve(&p->steps, op, need);
    assert_null(need);
    assert_int_equal(flow_error.status, MEREAU_E_BUSY);
    assert_string_equal(flow_error.rule, "op.parked");
    assert_int_equal(flow_used(&p->run, p->token.id), 0);
    mereau_op_free(op);
}

static void a_stepped_op_is_not_run_or_set(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need = step(op);
    assert_int_equal(mereau_op_run(op, &flow_error), MEREAU_E_STATE);
    assert_int_equal(mereau_op_dry_run(op, &flow_error), MEREAU_E_STATE);
    serve(&p->steps, op, need);
    to_the_end(&p->steps, op);
    mereau_op_free(op);
    op = redeem(p, "d1");
    assert_int_equal(mereau_op_run(op, &flow_error), MEREAU_E_UNSUPPORTED);
    assert_string_equal(flow_error.rule, "ctx.store");
    mereau_op_free(op);
}

static void freed_at_any_step_nothing_leaks_and_nothing_is_lost(void **state) {
    struct pair *p = *state;
    for (int steps = 0; steps < 4; steps++) {
        mereau_op *op = redeem(p, "d1");
        const mereau_need *need = NULL;
        for (int i = 0; i < steps; i++) {
            need = step(op);
            if (need != NULL && need->kind == MEREAU_NEED_GET)
                serve(&p->steps, op, need);
        }
        mereau_op_free(op);
    }
    assert_int_equal(flow_used(&p->run, p->token.id), 0);
}

static void events_are_told_once_after_the_outcome(void **state) {
    struct pair *p = *state;
    mereau_op *op = redeem(p, "d1");
    const mereau_need *need;
    flow_forget_events(&p->steps);
    while ((need = step(op)) != NULL) {
        assert_int_equal(p->steps.n_told, 0);
        serve(&p->steps, op, need);
    }
    assert_int_equal(p->steps.n_told, 1);
    mereau_op_free(op);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(stepping_and_running_give_the_same),
        TEST(lists_are_stepped_too),
        TEST(keys_are_distinct_and_ascending),
        TEST(keys_may_be_fed_in_any_order),
        TEST(what_is_fed_is_copied),
        TEST(stepping_again_gives_the_same_need),
        TEST(a_late_answer_meets_what_happened_meanwhile),
        TEST(two_at_once_on_one_store_get_two_counts),
        TEST(two_of_one_device_get_one_count),
        TEST(a_commit_whose_answer_is_lost_is_settled_by_reading),
        TEST(a_wait_is_a_need),
        TEST(a_wait_that_is_refused_ends_it_busy),
        TEST(a_key_left_out_decides_nothing),
        TEST(nothing_fed_decides_nothing),
        TEST(a_key_fed_twice_decides_nothing),
        TEST(a_key_not_asked_for_decides_nothing),
        TEST(another_keys_record_decides_nothing),
        TEST(a_value_that_is_too_long_decides_nothing),
        TEST(an_answer_without_a_need_is_a_mistake),
        TEST(feeding_a_commit_or_a_signature_is_ignored),
        TEST(feeding_before_and_after_is_refused),
        TEST(unknown_answers_tell_nothing),
        TEST(a_scan_out_of_order_is_refused),
        TEST(parked_too_long_commits_nothing),
        TEST(a_stepped_op_is_not_run_or_set),
        TEST(freed_at_any_step_nothing_leaks_and_nothing_is_lost),
        TEST(events_are_told_once_after_the_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
