/* tests/flow/test_events.c - the audit trail: what is told to the host, what is
 * kept, and how it is read. */
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "flow.h"

static int start(void **state, int keep) {
    const struct flow_setup setup = {.seed = 1, .keep_events = keep};
    struct flow *flow = malloc(sizeof *flow);
    if (flow == NULL)
        return -1;
    flow_open(flow, &setup);
    *state = flow;
    return 0;
}

static int set_up(void **state) { return start(state, 1); }

static int set_up_forgetful(void **state) { return start(state, 0); }

static int tear_down(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

/* How many lines with this text were told. */
static int told(const struct flow *flow, const char *text) {
    const char *at = flow->told;
    int n = 0;
    while (at != NULL && (at = strstr(at, text)) != NULL) {
        at += strlen(text);
        n++;
    }
    return n;
}

static mereau_op *list(struct flow *flow, const char *json) {
    mereau_op *op = mereau_audit_list(flow->tenant);
    if (json != NULL)
        mereau_op_set_json(op, json, strlen(json));
    return op;
}

static int listed(struct flow *flow, const char *json) {
    mereau_op *op = DONE(flow, list(flow, json));
    int n = 0;
    while (mereau_op_next_row(op))
        n++;
    return n;
}

/* --- told --- */

static void every_decision_is_told_once(void **state) {
    struct flow *flow = *state;
    struct flow_token token;
    flow_app(flow, NULL);
    assert_int_equal(flow->n_told, 1);
    token = flow_mint(flow, 1, DAY);
    DONE(flow, flow_redeem(flow, token.text, "d1", 1));
    assert_int_equal(flow->n_told, 3);
    REFUSED(flow, flow_redeem(flow, token.text, "d2", 2), MEREAU_E_USED_UP,
            NULL);
    assert_int_equal(flow->n_told, 4);
    assert_int_equal(told(flow, "\"outcome\":\"allowed\""), 3);
    assert_int_equal(told(flow, "\"outcome\":\"refused\""), 1);
    assert_int_equal(told(flow, "\"tenant_id\":\"test\""), 4);
    assert_int_equal(told(flow, "\"event_id\":\""), 4);
    assert_int_equal(told(flow, "\"created_at\":1800000000"), 4);
    assert_int_equal(told(flow, "\"rule\":\""), 1);
}

static void no_event_holds_a_credential(void **state) {
    struct flow *flow = *state;
    struct flow_token token;
    struct flow_pair pair;
    const char *secret;
    flow_app(flow, NULL);
    secret =
        mereau_op_text(DONE(flow, mereau_app_secret_add(flow->tenant, "app")),
                       MEREAU_CLIENT_SECRET);
    token = flow_mint(flow, 1, DAY);
    pair = flow_enrol(flow, token.text, "d1");
    DONE(flow, mereau_token_refresh(flow->tenant, pair.refresh));
    DONE(flow, mereau_app_authenticate(flow->tenant, "app", secret));
    REFUSED(flow, mereau_app_authenticate(flow->tenant, "nobody", secret),
            MEREAU_E_CLIENT, NULL);
    assert_int_equal(told(flow, secret + 30), 0);
    assert_int_equal(told(flow, token.text + 30), 0);
    assert_int_equal(told(flow, pair.auth + 30), 0);
    assert_int_equal(told(flow, pair.access + 30), 0);
    assert_int_equal(told(flow, pair.refresh + 30), 0);
    mereau_op *op = DONE(flow, list(flow, NULL));
    const char *json = mereau_op_json(op);
    assert_null(strstr(json, secret + 30));
    assert_null(strstr(json, token.text + 30));
    assert_null(strstr(json, pair.refresh + 30));
}

static void who_asked_and_why_is_told(void **state) {
    struct flow *flow = *state;
    mereau_op *op;
    flow_app(flow, NULL);
    flow_forget_events(flow);
    op = mereau_app_delete(flow->tenant, "app");
    mereau_op_set_text(op, MEREAU_ACTOR, "eve");
    mereau_op_set_text(op, MEREAU_REASON, "retired");
    mereau_op_set_text(op, MEREAU_CORRELATION_ID, "req-1");
    DONE(flow, op);
    assert_int_equal(told(flow, "\"actor\":\"eve\""), 1);
    assert_int_equal(told(flow, "\"reason\":\"retired\""), 1);
    assert_int_equal(told(flow, "\"correlation_id\":\"req-1\""), 1);
    assert_int_equal(listed(flow, "{\"event\":\"app.delete\"}"), 1);
}

static void what_only_reads_is_told_when_it_is_refused(void **state) {
    struct flow *flow = *state;
    flow_app(flow, NULL);
    flow_forget_events(flow);
    DONE(flow, mereau_app_get(flow->tenant, "app"));
    DONE(flow, mereau_app_list(flow->tenant));
    assert_int_equal(flow->n_told, 0);
    REFUSED(flow, mereau_app_get(flow->tenant, "nobody"), MEREAU_E_UNKNOWN,
            NULL);
    assert_int_equal(flow->n_told, 1);
    assert_int_equal(told(flow, "\"rule\":\"app.unknown\""), 1);
    assert_int_equal(told(flow, "\"client_id\":\"nobody\""), 1);
}

static void a_program_mistake_and_a_dry_run_are_no_decisions(void **state) {
    struct flow *flow = *state;
    mereau_op *op = mereau_app_create(flow->tenant, "x");
    flow_app(flow, NULL);
    flow_forget_events(flow);
    assert_int_equal(mereau_op_dry_run(op, NULL), MEREAU_OK);
    mereau_op_set_int(op, MEREAU_COUNT, 1);
    REFUSED(flow, op, MEREAU_E_FIELD, NULL);
    assert_int_equal(flow->n_told, 0);
}

static void a_store_that_fails_is_told(void **state) {
    struct flow *flow = *state;
    flow->fail_in = 1;
    flow->fail_result = MEREAU_STORE_IO;
    REFUSED(flow, mereau_app_create(flow->tenant, "x"), MEREAU_E_STORE, NULL);
    assert_int_equal(told(flow, "\"rule\":\"store.get\""), 1);
}

/* What a callback sees. */
struct seen {
    int n;
    mereau_status status;
    int64_t created_at, count;
    char event[64], rule[64], id[64];
    int same_json;
};

static int32_t look(void *user, const mereau_event *event) {
    struct seen *seen = user;
    const char *rule = mereau_event_text(event, MEREAU_RULE);
    const char *json = mereau_event_json(event);
    seen->n++;
    seen->status = mereau_event_status(event);
    seen->created_at = mereau_event_int(event, MEREAU_CREATED_AT);
    seen->count = mereau_event_int(event, MEREAU_COUNT);
    snprintf(seen->event, sizeof seen->event, "%s",
             mereau_event_text(event, MEREAU_EVENT));
    snprintf(seen->id, sizeof seen->id, "%s",
             mereau_event_text(event, MEREAU_EVENT_ID));
    snprintf(seen->rule, sizeof seen->rule, "%s", rule == NULL ? "" : rule);
    seen->same_json = json != NULL && json == mereau_event_json(event) &&
                      strchr(json, '\n') == NULL;
    return 1; /* ignored */
}

static int32_t now(void *user, int64_t *now_at) {
    *now_at = *(int64_t *)user;
    return 0;
}

static void a_callback_reads_status_texts_numbers_and_json(void **state) {
    static const uint8_t root[32] = "another root key for this test";
    struct flow *flow = *state;
    struct seen seen = {0};
    mereau_events events = {(uint32_t)sizeof events, 0, &seen, look};
    mereau_clock clock = {(uint32_t)sizeof clock, 0, &flow->now_at, now};
    mereau_ctx *ctx = mereau_ctx_new();
    mereau_ctx_set_store(ctx, &flow->front);
    mereau_ctx_set_clock(ctx, &clock);
    mereau_ctx_set_events(ctx, &events);
    mereau_ctx_add_root_key(ctx, "other", root, sizeof root);
    assert_int_equal(mereau_ctx_ready(ctx, NULL), MEREAU_OK);
    mereau_tenant *tenant = mereau_tenant_open(ctx, "test");
    mereau_op *op = mereau_app_create(tenant, "x");
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    mereau_op_free(op);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.status, MEREAU_OK);
    assert_int_equal(seen.created_at, T0);
    assert_int_equal(seen.count, MEREAU_UNSET);
    assert_string_equal(seen.event, "app.create");
    assert_string_equal(seen.rule, "");
    assert_int_equal(strlen(seen.id), 22);
    assert_true(seen.same_json);
    op = mereau_app_get(tenant, "nobody");
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_E_UNKNOWN);
    mereau_op_free(op);
    assert_int_equal(seen.status, MEREAU_E_UNKNOWN);
    assert_string_equal(seen.rule, "app.unknown");
    mereau_tenant_free(tenant);
    mereau_ctx_free(ctx);
    assert_null(mereau_event_text(NULL, MEREAU_EVENT));
    assert_null(mereau_event_json(NULL));
    assert_int_equal(mereau_event_int(NULL, MEREAU_COUNT), MEREAU_UNSET);
}

/* --- kept --- */

static void what_was_told_is_kept_in_the_same_commit(void **state) {
    struct flow *flow = *state;
    mereau_op *op;
    const char *id;
    flow_app(flow, NULL);
    assert_int_equal(flow->gets, 1);
    assert_int_equal(flow->commits, 1);
    op = DONE(flow, list(flow, "{\"event\":\"app.create\"}"));
    assert_int_equal(mereau_op_next_row(op), 1);
    id = mereau_op_text(op, MEREAU_EVENT_ID);
    assert_int_equal(told(flow, id), 1);
    assert_string_equal(mereau_op_text(op, MEREAU_OUTCOME), "allowed");
    assert_string_equal(mereau_op_text(op, MEREAU_TENANT_ID), "test");
    assert_string_equal(mereau_op_text(op, MEREAU_CLIENT_ID), "app");
    assert_int_equal(mereau_op_int(op, MEREAU_CREATED_AT), T0);
    assert_int_equal(mereau_op_next_row(op), 0);
}

static void a_refusal_that_writes_nothing_is_not_kept(void **state) {
    struct flow *flow = *state;
    int before = listed(flow, NULL);
    REFUSED(flow, mereau_app_delete(flow->tenant, "nobody"), MEREAU_E_UNKNOWN,
            NULL);
    assert_int_equal(listed(flow, NULL), before);
}

static void a_lost_reply_does_not_tell_or_keep_twice(void **state) {
    struct flow *flow = *state;
    for (int applied = 0; applied < 2; applied++) {
        int before = listed(flow, NULL);
        flow_forget_events(flow);
        flow->fail_in = 2;
        flow->fail_result = MEREAU_STORE_UNKNOWN;
        flow->fail_applied = applied;
        DONE(flow, mereau_app_create(flow->tenant, "x"));
        assert_int_equal(flow->n_told, 1);
        assert_int_equal(listed(flow, NULL), before + 1);
    }
}

static void a_note_of_a_last_use_is_no_event_of_its_own(void **state) {
    struct flow *flow = *state;
    mereau_op *op;
    const char *id;
    int before;
    flow_app(flow, NULL);
    op = DONE(flow, mereau_app_secret_add(flow->tenant, "app"));
    before = listed(flow, NULL);
    flow_forget_events(flow);
    flow_count_from_here(flow);
    DONE(flow,
         mereau_app_authenticate(flow->tenant, "app",
                                 mereau_op_text(op, MEREAU_CLIENT_SECRET)));
    assert_int_equal(flow->commits, 1); /* the note */
    assert_int_equal(flow->n_told, 1);
    assert_int_equal(listed(flow, NULL), before);
    id = mereau_op_text(op, MEREAU_SECRET_ID);
    assert_int_equal(told(flow, id), 1);
}

static void each_batch_of_a_bulk_call_is_kept(void **state) {
    struct flow *flow = *state;
    int before;
    flow_app(flow, NULL);
    before = listed(flow, NULL);
    flow_forget_events(flow);
    flow_count_from_here(flow);
    DONE(flow,
         mereau_registration_token_mint_many(flow->tenant, "app", 45, DAY));
    assert_int_equal(flow->commits, 3);
    assert_int_equal(listed(flow, NULL), before + 3);
    assert_int_equal(flow->n_told, 1);
}

static void kept_events_come_newest_first(void **state) {
    struct flow *flow = *state;
    mereau_op *op;
    int64_t last_at = INT64_MAX;
    int n = 0;
    for (int i = 0; i < 5; i++) {
        DONE(flow, mereau_app_create(flow->tenant, "x"));
        flow->now_at += 10;
    }
    op = DONE(flow, list(flow, NULL));
    while (mereau_op_next_row(op)) {
        int64_t at = mereau_op_int(op, MEREAU_CREATED_AT);
        assert_true(at <= last_at);
        last_at = at;
        n++;
    }
    assert_int_equal(n, 6); /* and the tenant's creation */
}

static void filters_leave_the_others_out(void **state) {
    struct flow *flow = *state;
    struct flow_token token;
    flow_app(flow, NULL);
    flow->now_at = T0 + 10;
    token = flow_mint(flow, 1, DAY);
    flow->now_at = T0 + 20;
    DONE(flow, flow_redeem(flow, token.text, "d1", 1));
    assert_int_equal(listed(flow, "{\"device_id\":\"d1\"}"), 1);
    assert_int_equal(listed(flow, "{\"device_id\":\"d2\"}"), 0);
    assert_int_equal(listed(flow, "{\"client_id\":\"app\"}"), 3);
    assert_int_equal(listed(flow, "{\"event\":\"registration_token.redeem\"}"),
                     1);
    assert_int_equal(listed(flow, "{\"outcome\":\"refused\"}"), 0);
    assert_int_equal(listed(flow, "{\"since_at\":1800000010}"), 2);
    assert_int_equal(listed(flow, "{\"since_at\":1800000011}"), 1);
    assert_int_equal(listed(flow, "{\"until_at\":1800000020}"), 3);
    assert_int_equal(listed(flow, "{\"until_at\":1800000021}"), 4);
    assert_int_equal(listed(flow, "{\"since_at\":1800000010,"
                                  "\"until_at\":1800000020}"),
                     1);
    assert_int_equal(listed(flow, "{\"since_at\":1800000020,"
                                  "\"until_at\":1800000010}"),
                     0);
    assert_int_equal(listed(flow, "{\"since_at\":-5,\"until_at\":0}"), 0);
}

static void pages_of_events_hold_each_once(void **state) {
    struct flow *flow = *state;
    int rows = 0, pages = 0;
    for (int i = 0; i < 6; i++)
        DONE(flow, mereau_app_create(flow->tenant, "x"));
    mereau_op *op = list(flow, "{\"page_size\":3}");
    do {
        assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
        pages++;
        while (mereau_op_next_row(op))
            rows++;
    } while (mereau_op_has_more(op));
    mereau_op_free(op);
    assert_int_equal(rows, 7);
    assert_int_equal(pages, 3);
}

static void without_keeping_there_is_no_list(void **state) {
    struct flow *flow = *state;
    REFUSED(flow, list(flow, NULL), MEREAU_E_UNSUPPORTED, "ctx.keep_events");
    flow_app(flow, NULL);
    assert_int_equal(flow->n_told, 2);
}

static void a_failing_allocation_is_said(void **state) {
    struct flow *flow = *state;
    if (!test_alloc_available())
        skip();
    flow_app(flow, NULL);
    for (unsigned long n = 1, over = 0; !over; n++) {
        mereau_status status;
        test_alloc_fail_at(n);
        mereau_op *op = list(flow, "{\"client_id\":\"app\"}");
        status = mereau_op_run(op, NULL);
        over = (unsigned long)test_alloc_pending();
        test_alloc_fail_at(0);
        mereau_op_free(op);
        if (status != MEREAU_OK && status != MEREAU_E_NOMEM &&
            status != MEREAU_E_STORE)
            fail_msg("allocation %lu: %s", n, mereau_status_name(status));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_decision_is_told_once),
        TEST(no_event_holds_a_credential),
        TEST(who_asked_and_why_is_told),
        TEST(what_only_reads_is_told_when_it_is_refused),
        TEST(a_program_mistake_and_a_dry_run_are_no_decisions),
        TEST(a_store_that_fails_is_told),
        TEST(a_callback_reads_status_texts_numbers_and_json),
        TEST(what_was_told_is_kept_in_the_same_commit),
        TEST(a_refusal_that_writes_nothing_is_not_kept),
        TEST(a_lost_reply_does_not_tell_or_keep_twice),
        TEST(a_note_of_a_last_use_is_no_event_of_its_own),
        TEST(each_batch_of_a_bulk_call_is_kept),
        TEST(kept_events_come_newest_first),
        TEST(filters_leave_the_others_out),
        TEST(pages_of_events_hold_each_once),
        cmocka_unit_test_setup_teardown(without_keeping_there_is_no_list,
                                        set_up_forgetful, tear_down),
        TEST(a_failing_allocation_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
