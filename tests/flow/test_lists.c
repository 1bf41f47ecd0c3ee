/* tests/flow/test_lists.c - pages, cursors, and what happens to a list while it is
 * read. */
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "flow.h"

#define N 7

static void add(struct flow *flow, const char *id) {
    flow_app_named(flow, id, NULL);
}

static int set_up(void **state) {
    const struct flow_setup setup = {.seed = 1, .keep_events = 1};
    struct flow *flow = malloc(sizeof *flow);
    char id[16];
    if (flow == NULL)
        return -1;
    flow_open(flow, &setup);
    for (int i = 0; i < N; i++) {
        snprintf(id, sizeof id, "app-%d", i);
        add(flow, id);
    }
    flow_count_from_here(flow);
    *state = flow;
    return 0;
}

static int tear_down(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

static mereau_op *list(struct flow *flow, int64_t size, const char *cursor) {
    mereau_op *op = mereau_app_list(flow->tenant);
    mereau_op_set_int(op, MEREAU_PAGE_SIZE, size);
    mereau_op_set_text(op, MEREAU_CURSOR, cursor);
    return op;
}

/* Appends the ids of a page's rows, with a space behind each. */
static void take(mereau_op *op, char *out, size_t cap) {
    while (mereau_op_next_row(op)) {
        size_t len = strlen(out);
        snprintf(out + len, cap - len, "%s ",
                 mereau_op_text(op, MEREAU_CLIENT_ID));
    }
}

static const char all[] = "app-0 app-1 app-2 app-3 app-4 app-5 app-6 ";

static void any_page_size_gives_each_row_once_in_order(void **state) {
    struct flow *flow = *state;
    for (int64_t size = 1; size <= N + 1; size++) {
        char out[200] = "";
        mereau_op *op = list(flow, size, NULL);
        int pages = 0;
        do {
            assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
            take(op, out, sizeof out);
            pages++;
        } while (mereau_op_has_more(op));
        assert_string_equal(out, all);
        assert_int_equal(pages, (N + size - 1) / size);
        assert_int_equal(mereau_op_run(op, NULL), MEREAU_E_STATE);
        mereau_op_free(op);
    }
}

static void a_cursor_goes_on_in_another_operation(void **state) {
    struct flow *flow = *state;
    char out[200] = "", cursor[400];
    mereau_op *op = DONE(flow, list(flow, 3, NULL));
    take(op, out, sizeof out);
    assert_true(mereau_op_has_more(op));
    snprintf(cursor, sizeof cursor, "%s", mereau_op_text(op, MEREAU_CURSOR));
    op = DONE(flow, list(flow, 10, cursor));
    take(op, out, sizeof out);
    assert_string_equal(out, all);
    assert_false(mereau_op_has_more(op));
    assert_null(mereau_op_text(op, MEREAU_CURSOR));
}

static void a_page_costs_one_scan_and_one_get(void **state) {
    struct flow *flow = *state;
    DONE(flow, list(flow, 3, NULL));
    assert_int_equal(flow->scans, 1);
    assert_int_equal(flow->gets, 1);
    assert_int_equal(flow->commits, 0);
}

static void rows_that_come_and_go_disturb_no_other(void **state) {
    struct flow *flow = *state;
    char out[200] = "";
    mereau_op *op = DONE(flow, list(flow, 3, NULL));
    take(op, out, sizeof out);
    DONE(flow, mereau_app_delete(flow->tenant, "app-2")); /* the cursor's */
    DONE(flow, mereau_app_delete(flow->tenant, "app-3"));
    add(flow, "app-00"); /* before */
    add(flow, "app-55"); /* behind */
    op = DONE(flow, list(flow, 10, mereau_op_text(op, MEREAU_CURSOR)));
    take(op, out, sizeof out);
    assert_string_equal(out, "app-0 app-1 app-2 app-4 app-5 app-55 app-6 ");
}

static void a_state_may_be_asked_for(void **state) {
    struct flow *flow = *state;
    mereau_op *op = mereau_app_update(flow->tenant, "app-4");
    char out[200] = "";
    mereau_op_set_int(op, MEREAU_ENABLED, 0);
    DONE(flow, op);
    op = list(flow, 2, NULL);
    mereau_op_set_text(op, MEREAU_STATE, "disabled");
    do {
        assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
        take(op, out, sizeof out);
    } while (mereau_op_has_more(op));
    mereau_op_free(op);
    assert_string_equal(out, "app-4 ");
}

static void an_empty_list_is_a_page_without_rows(void **state) {
    struct flow *flow = *state;
    mereau_tenant *other = mereau_tenant_open(flow->ctx, "other");
    mereau_op *op = mereau_app_list(other);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    assert_int_equal(mereau_op_next_row(op), 0);
    assert_int_equal(mereau_op_has_more(op), 0);
    assert_string_equal(mereau_op_json(op), "{\"rows\":[]}");
    mereau_op_free(op);
    mereau_tenant_free(other);
}

static void a_page_is_one_json_object_with_its_cursor(void **state) {
    struct flow *flow = *state;
    mereau_op *op = DONE(flow, list(flow, 1, NULL));
    const char *json = mereau_op_json(op);
    char end[420];
    assert_int_equal(strncmp(json, "{\"rows\":[{\"client_id\":\"app-0\",", 30),
                     0);
    snprintf(end, sizeof end, "}],\"cursor\":\"%s\"}",
             mereau_op_text(op, MEREAU_CURSOR));
    assert_non_null(strstr(json, end));
}

static void a_cursor_not_ours_is_refused(void **state) {
    static const char *const bad[] = {"",   "!",       "YQ==",   "Yg",
                                      "YR", "b3h4eHg", "YXBw YQ"};
    struct flow *flow = *state;
    char longest[400];
    mereau_op *op;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        REFUSED(flow, list(flow, 3, bad[i]), MEREAU_E_MALFORMED, "list.cursor");
    memset(longest, 'Y', sizeof longest);
    longest[399] = '\0';
    REFUSED(flow, list(flow, 3, longest), MEREAU_E_MALFORMED, "list.cursor");
    longest[340] = '\0'; /* 255 bytes: no key can follow it */
    memcpy(longest, "YWFh", 4);
    REFUSED(flow, list(flow, 3, longest), MEREAU_E_MALFORMED, "list.cursor");
    op = mereau_audit_list(flow->tenant);
    mereau_op_set_int(op, MEREAU_PAGE_SIZE, 1);
    DONE(flow, op);
    REFUSED(flow, list(flow, 3, mereau_op_text(op, MEREAU_CURSOR)),
            MEREAU_E_MALFORMED, "list.cursor");
}

static void a_cursor_of_another_tenant_shows_only_ours(void **state) {
    struct flow *flow = *state;
    const struct flow_setup setup = {
        .seed = 2, .share = &flow->front, .tenant = "other"};
    struct flow *other = malloc(sizeof *other);
    mereau_op *op = DONE(flow, list(flow, 3, NULL));
    assert_non_null(other);
    flow_open(other, &setup);
    op = DONE(other, list(other, 3, mereau_op_text(op, MEREAU_CURSOR)));
    assert_int_equal(mereau_op_next_row(op), 0);
    flow_close(other);
    free(other);
}

static void a_page_has_1_to_1000_rows(void **state) {
    struct flow *flow = *state;
    REFUSED(flow, list(flow, 0, NULL), MEREAU_E_POLICY, "op.range");
    REFUSED(flow, list(flow, -1, NULL), MEREAU_E_POLICY, "op.range");
    REFUSED(flow, list(flow, MEREAU_MAX_PAGE + 1, NULL), MEREAU_E_POLICY,
            "op.range");
    DONE(flow, list(flow, MEREAU_MAX_PAGE, NULL));
    assert_int_equal(flow->scans, 1);
}

static void a_page_has_100_rows_unless_asked_otherwise(void **state) {
    struct flow *flow = *state;
    mereau_op *op;
    char id[16];
    int n = 0;
    for (int i = 0; i < 100 - N; i++) {
        snprintf(id, sizeof id, "more-%d", i);
        add(flow, id);
    }
    assert_false(
        mereau_op_has_more(DONE(flow, list(flow, MEREAU_UNSET, NULL))));
    add(flow, "last");
    op = DONE(flow, list(flow, MEREAU_UNSET, NULL));
    assert_true(mereau_op_has_more(op));
    while (mereau_op_next_row(op))
        n++;
    assert_int_equal(n, 100);
}

static void a_page_that_fails_gives_nothing_and_can_be_run_again(void **state) {
    struct flow *flow = *state;
    mereau_op *op = list(flow, 3, NULL);
    char out[200] = "";
    flow->fail_in = 1;
    flow->fail_result = MEREAU_STORE_IO;
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_E_STORE);
    assert_int_equal(mereau_op_next_row(op), 0);
    assert_false(mereau_op_has_more(op));
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    take(op, out, sizeof out);
    assert_string_equal(out, "app-0 app-1 app-2 ");
    mereau_op_free(op);
}

static void a_busy_store_is_asked_again(void **state) {
    struct flow *flow = *state;
    char out[200] = "";
    flow->fail_in = 1;
    flow->fail_for = 3;
    flow->fail_result = MEREAU_STORE_BUSY;
    take(DONE(flow, list(flow, 10, NULL)), out, sizeof out);
    assert_string_equal(out, all);
    assert_true(flow->failed >= 3);
}

static void a_dry_run_of_a_page_does_not_move_on(void **state) {
    struct flow *flow = *state;
    mereau_op *op = list(flow, 3, NULL);
    char out[200] = "";
    assert_int_equal(mereau_op_dry_run(op, NULL), MEREAU_OK);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    take(op, out, sizeof out);
    assert_string_equal(out, "app-0 app-1 app-2 ");
    mereau_op_free(op);
}

static void without_an_ordered_store_there_are_no_lists(void **state) {
    const struct flow_setup setup = {.seed = 1,
                                     .without_caps = MEREAU_CAP_ORDERED};
    struct flow *flow = malloc(sizeof *flow);
    (void)state;
    assert_non_null(flow);
    flow_open(flow, &setup);
    REFUSED(flow, mereau_app_list(flow->tenant), MEREAU_E_UNSUPPORTED,
            "store.ordered");
    flow_close(flow);
    free(flow);
}

/* Takes away what the library still counts on finding: the tokens and enrolments,
 * or only every second of these. */
static void drop_records(struct flow *flow, int whole) {
    struct flow_records records, left;
    int n = 0;
    flow_records_take(flow, &records);
    left.all = malloc(records.n * sizeof *left.all);
    assert_non_null(left.all);
    left.n = 0;
    for (size_t i = 0; i < records.n; i++) {
        const struct flow_record *record = &records.all[i];
        char kind = record->key_len == 17 ? (char)record->key[0] : 0;
        if ((whole && kind == 'r') || (kind == 'e' && (whole || n++ % 2 == 0)))
            continue;
        left.all[left.n++] = *record;
    }
    flow_records_put(flow, &left);
    free(left.all);
    flow_records_free(&records);
}

static size_t count_entries(struct flow *flow) {
    struct flow_records records;
    size_t n = 0;
    flow_records_take(flow, &records);
    for (size_t i = 0; i < records.n; i++)
        n += records.all[i].key[0] == 'i';
    flow_records_free(&records);
    return n;
}

static void purge(struct flow *flow) {
    mereau_op *op = mereau_tenant_purge(flow->tenant);
    do
        assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    while (mereau_op_has_more(op));
    mereau_op_free(op);
}

/* A store with MEREAU_CAP_EXPIRES has no enrolments left to take entries along. */
static void entries_of_what_a_store_dropped_are_purged(void **state) {
    enum { DEVICES = 120, TOKEN = 2, DEVICE = 5 };
    mereau_store *memory = NULL;
    (void)state;
    for (int expires = 0; expires < 2; expires++) {
        struct flow *flow = malloc(sizeof *flow);
        struct flow_setup setup = {.seed = 1};
        struct flow_token token;
        assert_non_null(flow);
        assert_int_equal(mereau_memory_open(&memory, NULL), MEREAU_OK);
        if (expires)
            memory->caps |= MEREAU_CAP_EXPIRES;
        setup.share = memory;
        flow_open(flow, &setup);
        flow_app(flow, NULL);
        token = flow_mint(flow, DEVICES, DAY);
        for (int i = 0; i < DEVICES; i++) {
            char device[16];
            snprintf(device, sizeof device, "d%d", i);
            flow_enrol(flow, token.text, device);
        }
        drop_records(flow, 0);
        purge(flow);
        assert_int_equal(count_entries(flow),
                         TOKEN + DEVICES * DEVICE / (expires ? 2 : 1));
        drop_records(flow, 1);
        purge(flow);
        assert_int_equal(count_entries(flow),
                         expires ? 0 : TOKEN + DEVICES * DEVICE);
        flow_close(flow);
        mereau_store_close(memory);
        free(flow);
    }
}

static void a_failing_allocation_is_said(void **state) {
    struct flow *flow = *state;
    if (!test_alloc_available())
        skip();
    for (unsigned long n = 1, over = 0; !over; n++) {
        mereau_status status;
        test_alloc_fail_at(n);
        mereau_op *op = list(flow, 3, NULL);
        status = mereau_op_run(op, NULL);
        if (status == MEREAU_OK)
            (void)mereau_op_json(op);
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
        TEST(any_page_size_gives_each_row_once_in_order),
        TEST(a_cursor_goes_on_in_another_operation),
        TEST(a_page_costs_one_scan_and_one_get),
        TEST(rows_that_come_and_go_disturb_no_other),
        TEST(a_state_may_be_asked_for),
        TEST(an_empty_list_is_a_page_without_rows),
        TEST(a_page_is_one_json_object_with_its_cursor),
        TEST(a_cursor_not_ours_is_refused),
        TEST(a_cursor_of_another_tenant_shows_only_ours),
        TEST(a_page_has_1_to_1000_rows),
        TEST(a_page_has_100_rows_unless_asked_otherwise),
        TEST(a_page_that_fails_gives_nothing_and_can_be_run_again),
        TEST(a_busy_store_is_asked_again),
        TEST(a_dry_run_of_a_page_does_not_move_on),
        cmocka_unit_test(without_an_ordered_store_there_are_no_lists),
        cmocka_unit_test(entries_of_what_a_store_dropped_are_purged),
        TEST(a_failing_allocation_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
