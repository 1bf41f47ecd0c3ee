/* tests/flow/test_apps.c - apps: registered, read, changed, deleted, listed, asked
 * about. */
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "flow.h"

static int set_up(void **state) {
    struct flow *flow = malloc(sizeof *flow);
    if (flow == NULL)
        return -1;
    flow_start(flow);
    *state = flow;
    return 0;
}

static int tear_down(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

static mereau_op *with(mereau_op *op, const char *json) {
    mereau_op_set_json(op, json, strlen(json));
    return op;
}

static mereau_op *create(struct flow *flow, const char *json) {
    return with(mereau_app_create(flow->tenant, "Label printer"), json);
}

static mereau_op *update(struct flow *flow, const char *json) {
    return with(mereau_app_update(flow->tenant, "app"), json);
}

static mereau_op *get(struct flow *flow) {
    return DONE(flow, mereau_app_get(flow->tenant, "app"));
}

static void assert_text(const mereau_op *op, int32_t field, const char *text) {
    const char *found = mereau_op_text(op, field);
    if (text == NULL)
        assert_null(found);
    else
        assert_string_equal(found == NULL ? "(absent)" : found, text);
}

static const char everything[] =
    "{\"client_id\":\"app\",\"scope\":\"read print\","
    "\"audience\":[\"https://a.example\",\"https://b.example\"],"
    "\"alg\":\"ES256\",\"access_lifetime_s\":60,\"refresh_lifetime_s\":0,"
    "\"refresh_idle_s\":3600,\"family_lifetime_s\":7200,"
    "\"description\":\"Prints labels\",\"label\":\"printer\","
    "\"reference\":[\"crm-1\",\"crm-2\"],\"contact\":[\"ops@app.example\"],"
    "\"information\":\"Hall 3\",\"logo_uri\":\"https://app.example/logo.png\","
    "\"redirect_uri\":[\"https://app.example/cb\",\"http://127.0.0.1/cb\","
    "\"com.example.app:/cb\"],"
    "\"access_denied_uri\":\"https://app.example/denied\","
    "\"failed_uri\":\"https://app.example/failed\","
    "\"error_uri\":\"https://app.example/error\",\"enabled\":true,"
    "\"external\":true,\"native\":true,\"confidential\":true,"
    "\"pkce_required\":false,"
    "\"grant_type\":[\"authorization_code\",\"client_credentials\"],"
    "\"token_format\":\"opaque\",\"access_token_typ\":\"JWT\","
    "\"omit_expired_refresh\":true}";

static void assert_everything(mereau_op *op) {
    static const char *const said[] = {
        "\"client_id\":\"app\"",
        "\"name\":\"Label printer\"",
        "\"scope\":\"read print\"",
        "\"audience\":[\"https://a.example\",\"https://b.example\"]",
        "\"alg\":\"ES256\"",
        "\"access_lifetime_s\":60",
        "\"refresh_lifetime_s\":0",
        "\"refresh_idle_s\":3600",
        "\"family_lifetime_s\":7200",
        "\"description\":\"Prints labels\"",
        "\"label\":\"printer\"",
        "\"reference\":[\"crm-1\",\"crm-2\"]",
        "\"contact\":[\"ops@app.example\"]",
        "\"information\":\"Hall 3\"",
        "\"logo_uri\":\"https://app.example/logo.png\"",
        ("\"redirect_uri\":[\"https://app.example/cb\",\"http://127.0.0.1/cb\","
         "\"com.example.app:/cb\"]"),
        "\"access_denied_uri\":\"https://app.example/denied\"",
        "\"failed_uri\":\"https://app.example/failed\"",
        "\"error_uri\":\"https://app.example/error\"",
        "\"enabled\":true",
        "\"external\":true",
        "\"native\":true",
        "\"confidential\":true",
        "\"pkce_required\":false",
        "\"grant_type\":[\"authorization_code\",\"client_credentials\"]",
        "\"token_format\":\"opaque\"",
        "\"access_token_typ\":\"JWT\"",
        "\"omit_expired_refresh\":true",
        "\"created_at\":1800000000",
    };
    const char *json = mereau_op_json(op);
    assert_non_null(json);
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        if (strstr(json, said[i]) == NULL)
            fail_msg("%s is missing in %s", said[i], json);
}

static void all_that_is_set_is_given_again(void **state) {
    struct flow *flow = *state;
    assert_everything(DONE(flow, create(flow, everything)));
    assert_everything(get(flow));
    assert_text(get(flow), MEREAU_STATE, "active");
    assert_true(flow_told(flow, "\"event\":\"app.create\""));
    assert_true(flow_told(flow, "\"client_id\":\"app\""));
}

static void an_id_is_drawn_when_none_is_chosen(void **state) {
    struct flow *flow = *state;
    mereau_op *a = DONE(flow, create(flow, "{}"));
    mereau_op *b = DONE(flow, create(flow, "{}"));
    assert_int_equal(strlen(mereau_op_text(a, MEREAU_CLIENT_ID)), 22);
    assert_string_not_equal(mereau_op_text(a, MEREAU_CLIENT_ID),
                            mereau_op_text(b, MEREAU_CLIENT_ID));
    DONE(flow,
         mereau_app_get(flow->tenant, mereau_op_text(b, MEREAU_CLIENT_ID)));
}

static void creating_and_reading_cost_what_is_promised(void **state) {
    struct flow *flow = *state;
    DONE(flow, create(flow, everything));
    assert_int_equal(flow->gets, 1);
    assert_int_equal(flow->commits, 1);
    flow_count_from_here(flow);
    get(flow);
    assert_int_equal(flow->gets, 1);
    assert_int_equal(flow->commits, 0);
    flow_count_from_here(flow);
    DONE(flow, update(flow, "{\"enabled\":false}"));
    assert_int_equal(flow->gets, 1);
    assert_int_equal(flow->commits, 1);
    flow_count_from_here(flow);
    DONE(flow, mereau_app_delete(flow->tenant, "app"));
    assert_int_equal(flow->gets, 1);
    assert_int_equal(flow->commits, 1);
}

static void an_id_can_be_given_once(void **state) {
    struct flow *flow = *state;
    DONE(flow, create(flow, "{\"client_id\":\"app\"}"));
    REFUSED(flow, create(flow, "{\"client_id\":\"app\"}"), MEREAU_E_EXISTS,
            "app.client_id");
    DONE(flow, mereau_app_delete(flow->tenant, "app"));
    REFUSED(flow, create(flow, "{\"client_id\":\"app\"}"), MEREAU_E_EXISTS,
            "app.client_id");
}

static void what_may_not_be_set_is_refused_by_name(void **state) {
    static const struct {
        const char *json;
        mereau_status status;
        const char *rule;
    } wrong[] = {
        {"{\"client_id\":\"\"}", MEREAU_E_MALFORMED, "app.client_id"},
        {"{\"client_id\":\"a b\"}", MEREAU_E_MALFORMED, "app.client_id"},
        {"{\"client_id\":\"a/b\"}", MEREAU_E_MALFORMED, "app.client_id"},
        {"{\"name\":\"\"}", MEREAU_E_ARG, "op.length"},
        {"{\"label\":\"\"}", MEREAU_E_ARG, "op.length"},
        {"{\"audience\":[\"a\",\"\"]}", MEREAU_E_ARG, "op.length"},
        {"{\"scope\":\"a  b\"}", MEREAU_E_SCOPE, "scope.form"},
        {"{\"scope\":\"a a\"}", MEREAU_E_SCOPE, "scope.form"},
        {"{\"access_lifetime_s\":0}", MEREAU_E_POLICY, "op.range"},
        {"{\"access_lifetime_s\":86401}", MEREAU_E_POLICY, "op.range"},
        {"{\"refresh_lifetime_s\":-1}", MEREAU_E_POLICY, "op.range"},
        {"{\"refresh_idle_s\":0}", MEREAU_E_POLICY, "op.range"},
        {"{\"family_lifetime_s\":0}", MEREAU_E_POLICY, "op.range"},
        {"{\"alg\":\"none\"}", MEREAU_E_ALG, "app.alg"},
        {"{\"alg\":\"HS256\"}", MEREAU_E_ALG, "app.alg"},
        {"{\"alg\":\"RS256\"}", MEREAU_E_ALG, "app.alg"},
        {"{\"grant_type\":[\"password\"]}", MEREAU_E_POLICY, "app.grant_type"},
        {"{\"grant_type\":[\"client_credentials\"]}", MEREAU_E_POLICY,
         "app.confidential"},
        {"{\"token_format\":\"saml\"}", MEREAU_E_POLICY, "app.token_format"},
        {"{\"access_token_typ\":\"at\"}", MEREAU_E_POLICY,
         "app.access_token_typ"},
        {"{\"redirect_uri\":[\"javascript:alert(1)\"]}", MEREAU_E_MALFORMED,
         "app.redirect_uri"},
        {"{\"redirect_uri\":[\"http://app.example/cb\"]}", MEREAU_E_MALFORMED,
         "app.redirect_uri"},
        {"{\"redirect_uri\":[\"https://app.example/cb\",\"com.a:/cb\"]}",
         MEREAU_E_MALFORMED, "app.redirect_uri"},
        {"{\"error_uri\":\"data:text/html,x\"}", MEREAU_E_MALFORMED,
         "app.redirect_uri"},
        {"{\"failed_uri\":\"//app.example\"}", MEREAU_E_MALFORMED,
         "app.redirect_uri"},
        {"{\"access_denied_uri\":\"/denied\"}", MEREAU_E_MALFORMED,
         "app.redirect_uri"},
        {"{\"native\":true,\"logo_uri\":\"com.a:/logo\"}", MEREAU_E_MALFORMED,
         "app.redirect_uri"},
        {"{\"idempotency_key\":\"\"}", MEREAU_E_ARG, "op.length"},
        {"{\"changed_at\":1}", MEREAU_E_FIELD, "op.field"},
    };
    struct flow *flow = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        print_message("%s\n", wrong[i].json);
        REFUSED(flow, create(flow, wrong[i].json), wrong[i].status,
                wrong[i].rule);
    }
    REFUSED(flow, mereau_app_create(flow->tenant, NULL), MEREAU_E_FIELD,
            "op.field");
    assert_int_equal(flow->commits, 0);
}

static void an_id_of_128_characters_is_the_longest(void **state) {
    struct flow *flow = *state;
    char id[130];
    mereau_op *op = create(flow, "{}");
    memset(id, '~', sizeof id);
    id[128] = '\0';
    mereau_op_set_text(op, MEREAU_CLIENT_ID, id);
    DONE(flow, op);
    DONE(flow, mereau_app_get(flow->tenant, id));
    id[128] = '~';
    id[129] = '\0';
    op = create(flow, "{}");
    mereau_op_set_text(op, MEREAU_CLIENT_ID, id);
    REFUSED(flow, op, MEREAU_E_MALFORMED, "app.client_id");
    REFUSED(flow, mereau_app_get(flow->tenant, id), MEREAU_E_UNKNOWN,
            "app.unknown");
}

static void an_app_has_at_most_64_audiences(void **state) {
    struct flow *flow = *state;
    mereau_op *most = create(flow, "{}"), *more = create(flow, "{}");
    char text[16];
    for (int i = 0; i < 65; i++) {
        snprintf(text, sizeof text, "aud-%d", i);
        if (i < 64)
            mereau_op_add_text(most, MEREAU_AUDIENCE, text);
        mereau_op_add_text(more, MEREAU_AUDIENCE, text);
    }
    DONE(flow, most);
    REFUSED(flow, more, MEREAU_E_TOO_LONG, "app.audience");
}

static void a_tenant_that_was_never_created_has_no_apps(void **state) {
    struct flow *flow = *state;
    mereau_tenant *other = mereau_tenant_open(flow->ctx, "other");
    DONE(flow, create(flow, everything));
    REFUSED(flow, mereau_app_create(other, "x"), MEREAU_E_UNKNOWN,
            "tenant.unknown");
    REFUSED(flow, mereau_app_get(other, "app"), MEREAU_E_UNKNOWN,
            "app.unknown");
    REFUSED(flow, mereau_app_update(other, "app"), MEREAU_E_UNKNOWN,
            "tenant.unknown");
    mereau_tenant_free(other);
}

/* --- update --- */

static void an_update_changes_what_is_set_and_nothing_else(void **state) {
    struct flow *flow = *state;
    mereau_op *op;
    DONE(flow, create(flow, everything));
    flow->now_at += 10;
    op = DONE(flow, update(flow, "{\"label\":\"new\",\"scope\":\"\","
                                 "\"reference\":[\"\"],\"contact\":[\"a\"]}"));
    assert_text(op, MEREAU_LABEL, "new");
    assert_text(op, MEREAU_STATE, "active");
    op = get(flow);
    assert_text(op, MEREAU_LABEL, "new");
    assert_text(op, MEREAU_SCOPE, NULL);
    assert_text(op, MEREAU_REFERENCE, NULL);
    assert_text(op, MEREAU_CONTACT, "a");
    assert_text(op, MEREAU_INFORMATION, "Hall 3");
    assert_int_equal(mereau_op_int(op, MEREAU_ACCESS_LIFETIME_S), 60);
    assert_int_equal(mereau_op_int(op, MEREAU_CREATED_AT), T0);
    assert_int_equal(mereau_op_int(op, MEREAU_CHANGED_AT), T0 + 10);
}

static void an_update_of_what_somebody_else_changed_is_refused(void **state) {
    struct flow *flow = *state;
    int64_t seen_at;
    mereau_op *op;
    DONE(flow, create(flow, everything));
    seen_at = mereau_op_int(get(flow), MEREAU_CHANGED_AT);
    op = update(flow, "{\"label\":\"mine\"}");
    mereau_op_set_int(op, MEREAU_CHANGED_AT, seen_at);
    DONE(flow, op); /* in the same second */
    op = update(flow, "{\"label\":\"theirs\"}");
    mereau_op_set_int(op, MEREAU_CHANGED_AT, seen_at);
    REFUSED(flow, op, MEREAU_E_EXISTS, "app.changed_at");
    assert_text(get(flow), MEREAU_LABEL, "mine");
}

static void an_update_is_checked_as_a_whole(void **state) {
    struct flow *flow = *state;
    DONE(flow, create(flow, everything));
    REFUSED(flow, update(flow, "{\"native\":false}"), MEREAU_E_MALFORMED,
            "app.redirect_uri");
    REFUSED(flow, update(flow, "{\"confidential\":false}"), MEREAU_E_POLICY,
            "app.confidential");
    REFUSED(flow, update(flow, "{\"name\":\"\"}"), MEREAU_E_ARG, "op.length");
    REFUSED(flow, update(flow, "{\"alg\":\"PS512\"}"), MEREAU_E_ALG, "app.alg");
    REFUSED(flow, mereau_app_update(flow->tenant, "nobody"), MEREAU_E_UNKNOWN,
            "app.unknown");
    DONE(flow, update(flow, "{\"native\":false,\"redirect_uri\":"
                            "[\"https://app.example/cb\"]}"));
}

static void a_disabled_app_is_refused_until_it_is_enabled_again(void **state) {
    struct flow *flow = *state;
    struct flow_token token;
    mereau_op *op;
    flow_app(flow, "{\"redirect_uri\":[\"https://app.example/cb\"]}");
    token = flow_mint(flow, 2, DAY);
    DONE(flow, update(flow, "{\"enabled\":false}"));
    assert_text(get(flow), MEREAU_STATE, "disabled");
    assert_int_equal(mereau_op_int(get(flow), MEREAU_ENABLED), 0);
    REFUSED(flow, flow_redeem(flow, token.text, "d1", 1), MEREAU_E_DISABLED,
            "app.enabled");
    REFUSED(flow, mereau_registration_token_mint(flow->tenant, "app", 1, DAY),
            MEREAU_E_DISABLED, "app.enabled");
    op = mereau_app_redirect_check(flow->tenant, "app",
                                   "https://app.example/cb");
    REFUSED(flow, op, MEREAU_E_DISABLED, "app.enabled");
    DONE(flow, update(flow, "{\"enabled\":true}"));
    DONE(flow, flow_redeem(flow, token.text, "d1", 1));
}

static void verifiers_hear_of_an_app_that_is_disabled(void **state) {
    struct flow *flow = *state;
    struct flow_pair pair;
    flow_app(flow, NULL);
    pair = flow_enrol(flow, flow_mint(flow, 1, DAY).text, "d1");
    assert_int_equal(flow_verify(flow, pair.access), MEREAU_OK);
    DONE(flow, update(flow, "{\"enabled\":false}"));
    assert_int_equal(flow_verify(flow, pair.access), MEREAU_E_NOT_BEFORE);
    DONE(flow, update(flow, "{\"label\":\"still off\"}"));
    assert_int_equal(flow_verify(flow, pair.access), MEREAU_E_NOT_BEFORE);
    DONE(flow, update(flow, "{\"enabled\":true}"));
    assert_int_equal(flow_verify(flow, pair.access), MEREAU_OK);
}

static void what_was_issued_keeps_its_lifetime(void **state) {
    struct flow *flow = *state;
    struct flow_pair pair;
    flow_app(flow, "{\"access_lifetime_s\":100}");
    pair = flow_enrol(flow, flow_mint(flow, 1, DAY).text, "d1");
    DONE(flow, update(flow, "{\"access_lifetime_s\":10}"));
    flow->now_at += 50;
    assert_int_equal(flow_verify(flow, pair.access), MEREAU_OK);
    flow->now_at += 50;
    assert_int_equal(flow_verify(flow, pair.access), MEREAU_E_EXPIRED);
}

/* --- delete --- */

static void a_deleted_app_is_gone_with_all_it_was_given(void **state) {
    struct flow *flow = *state;
    struct flow_pair pair;
    struct flow_token token;
    flow_app(flow, NULL);
    token = flow_mint(flow, 2, DAY);
    pair = flow_enrol(flow, token.text, "d1");
    DONE(flow, mereau_app_delete(flow->tenant, "app"));
    assert_true(flow_told(flow, "\"event\":\"app.delete\""));
    REFUSED(flow, mereau_app_get(flow->tenant, "app"), MEREAU_E_UNKNOWN,
            "app.unknown");
    REFUSED(flow, mereau_app_delete(flow->tenant, "app"), MEREAU_E_UNKNOWN,
            "app.unknown");
    REFUSED(flow, update(flow, "{\"enabled\":true}"), MEREAU_E_UNKNOWN,
            "app.unknown");
    REFUSED(flow, mereau_app_secret_add(flow->tenant, "app"), MEREAU_E_UNKNOWN,
            "app.unknown");
    REFUSED(flow, flow_redeem(flow, token.text, "d2", 1), MEREAU_E_UNKNOWN,
            NULL);
    REFUSED(flow, mereau_token_refresh(flow->tenant, pair.refresh),
            MEREAU_E_UNKNOWN, NULL);
    assert_int_equal(flow_verify(flow, pair.access), MEREAU_E_NOT_BEFORE);
    assert_false(mereau_op_next_row(DONE(flow, mereau_app_list(flow->tenant))));
}

static void
keys_stay_as_long_as_the_longest_access_token_of_an_app(void **state) {
    struct flow *flow = *state;
    mereau_op *op;
    DONE(flow, create(flow, "{\"client_id\":\"app\","
                            "\"access_lifetime_s\":7200}"));
    DONE(flow, update(flow, "{\"access_lifetime_s\":60}"));
    op = DONE(flow, mereau_tenant_get(flow->tenant));
    DONE(flow, mereau_key_generate(flow->tenant, MEREAU_ALG_ES256));
    flow->now_at = T0 + DAY; /* the new key signs */
    op = DONE(flow,
              mereau_key_retire(flow->tenant, mereau_op_text(op, MEREAU_KID)));
    assert_true(mereau_op_int(op, MEREAU_VERIFIES_UNTIL) >= T0 + DAY + 7200);
}

static void of_a_deleted_app_only_its_name_is_left(void **state) {
    struct flow *flow = *state;
    struct flow_records records = {0};
    mereau_op *op;
    int seen = 0;
    DONE(flow, create(flow, everything));
    op = DONE(flow, mereau_app_secret_add(flow->tenant, "app"));
    DONE(flow,
         mereau_app_authenticate(flow->tenant, "app",
                                 mereau_op_text(op, MEREAU_CLIENT_SECRET)));
    DONE(flow, mereau_app_delete(flow->tenant, "app"));
    flow_records_take(flow, &records);
    for (size_t i = 0; i < records.n; i++) {
        const struct flow_record *one = &records.all[i];
        assert_int_not_equal(one->key[0], 'u');
        if (one->key_len != 4 || memcmp(one->key, "aapp", 4) != 0)
            continue;
        seen = 1;
        assert_true(one->value_len < 100);
    }
    assert_true(seen);
    flow_records_free(&records);
}

/* --- idempotency --- */

static void the_same_call_again_gives_the_same_app(void **state) {
    struct flow *flow = *state;
    const char *json = "{\"idempotency_key\":\"k1\",\"scope\":\"a b\"}";
    mereau_op *one = DONE(flow, create(flow, json)), *two;
    assert_int_equal(mereau_op_int(one, MEREAU_REPEATED), MEREAU_UNSET);
    flow->now_at += 3 * DAY;
    flow_count_from_here(flow);
    two = create(flow, json);
    mereau_op_set_text(two, MEREAU_CORRELATION_ID, "another request");
    DONE(flow, two);
    assert_int_equal(flow->gets, 1);
    assert_int_equal(flow->commits, 0);
    assert_int_equal(mereau_op_int(two, MEREAU_REPEATED), 1);
    assert_string_equal(mereau_op_text(one, MEREAU_CLIENT_ID),
                        mereau_op_text(two, MEREAU_CLIENT_ID));
    assert_int_equal(mereau_op_int(two, MEREAU_CREATED_AT), T0);
    assert_text(two, MEREAU_SCOPE, "a b");
    assert_true(flow_told(flow, "\"repeated\":true"));
}

static void the_order_of_setting_does_not_make_another_call(void **state) {
    struct flow *flow = *state;
    DONE(flow, create(flow, "{\"idempotency_key\":\"k1\",\"scope\":\"a\","
                            "\"label\":\"l\",\"audience\":[\"x\",\"y\"]}"));
    mereau_op *op =
        DONE(flow, create(flow, "{\"audience\":[\"x\",\"y\"],\"label\":\"l\","
                                "\"scope\":\"a\",\"idempotency_key\":\"k1\"}"));
    assert_int_equal(mereau_op_int(op, MEREAU_REPEATED), 1);
}

static void one_key_for_two_calls_is_refused(void **state) {
    struct flow *flow = *state;
    DONE(flow, create(flow, "{\"idempotency_key\":\"k1\"}"));
    REFUSED(flow, create(flow, "{\"idempotency_key\":\"k1\",\"label\":\"x\"}"),
            MEREAU_E_EXISTS, "idempotency_key");
    DONE(flow, create(flow, "{\"idempotency_key\":\"k2\",\"label\":\"x\"}"));
}

static void an_idempotency_key_is_free_again_after_a_week(void **state) {
    struct flow *flow = *state;
    mereau_op *one = DONE(flow, create(flow, "{\"idempotency_key\":\"k1\"}"));
    flow->now_at += 7 * DAY - 1;
    assert_int_equal(
        mereau_op_int(DONE(flow, create(flow, "{\"idempotency_key\":\"k1\"}")),
                      MEREAU_REPEATED),
        1);
    flow->now_at += 1;
    mereau_op *two = DONE(flow, create(flow, "{\"idempotency_key\":\"k1\"}"));
    assert_int_equal(mereau_op_int(two, MEREAU_REPEATED), MEREAU_UNSET);
    assert_string_not_equal(mereau_op_text(one, MEREAU_CLIENT_ID),
                            mereau_op_text(two, MEREAU_CLIENT_ID));
}

static int apps(struct flow *flow) {
    mereau_op *op = DONE(flow, mereau_app_list(flow->tenant));
    int n = 0;
    while (mereau_op_next_row(op))
        n++;
    return n;
}

static void a_lost_reply_does_not_make_two_apps(void **state) {
    struct flow *flow = *state;
    for (int applied = 0; applied < 2; applied++) {
        int before = apps(flow);
        flow->fail_in = 2; /* get, then the commit */
        flow->fail_result = MEREAU_STORE_UNKNOWN;
        flow->fail_applied = applied;
        flow->failed = 0;
        DONE(flow, create(flow, "{}"));
        assert_int_equal(flow->failed, 1);
        assert_int_equal(apps(flow), before + 1);
    }
}

static void a_lost_reply_to_a_change_is_settled(void **state) {
    struct flow *flow = *state;
    flow_app(flow, NULL);
    for (int applied = 0; applied < 2; applied++) {
        mereau_op *op = update(flow, "{\"label\":\"x\"}");
        mereau_op_set_int(op, MEREAU_CHANGED_AT,
                          mereau_op_int(get(flow), MEREAU_CHANGED_AT));
        flow->fail_in = 2;
        flow->fail_result = MEREAU_STORE_UNKNOWN;
        flow->fail_applied = applied;
        flow->failed = 0;
        DONE(flow, op);
        assert_int_equal(flow->failed, 1);
        assert_int_equal(mereau_op_int(get(flow), MEREAU_CHANGED_AT),
                         mereau_op_int(op, MEREAU_CHANGED_AT));
    }
    flow->fail_in = 2;
    flow->fail_result = MEREAU_STORE_UNKNOWN;
    flow->fail_applied = 1;
    DONE(flow, mereau_app_delete(flow->tenant, "app"));
}

/* --- redirect_check --- */

static void a_user_goes_back_only_to_a_registered_uri(void **state) {
    struct flow *flow = *state;
    mereau_op *op;
    DONE(flow, create(flow, everything));
    op = DONE(flow, mereau_app_redirect_check(flow->tenant, "app",
                                              "https://app.example/cb"));
    assert_text(op, MEREAU_REDIRECT_URI, "https://app.example/cb");
    assert_int_equal(mereau_op_int(op, MEREAU_PKCE_REQUIRED), 0);
    assert_int_equal(mereau_op_int(op, MEREAU_CONFIDENTIAL), 1);
    assert_text(op, MEREAU_ACCESS_DENIED_URI, "https://app.example/denied");
    assert_text(op, MEREAU_FAILED_URI, "https://app.example/failed");
    assert_text(op, MEREAU_ERROR_URI, "https://app.example/error");
    assert_text(op, MEREAU_GRANT_TYPE, "authorization_code");
    op = DONE(flow, mereau_app_redirect_check(flow->tenant, "app",
                                              "http://127.0.0.1:4711/cb"));
    assert_text(op, MEREAU_REDIRECT_URI, "http://127.0.0.1:4711/cb");
    REFUSED(flow,
            mereau_app_redirect_check(flow->tenant, "app",
                                      "https://app.example/cb/"),
            MEREAU_E_POLICY, "app.redirect_uri");
    REFUSED(flow,
            mereau_app_redirect_check(flow->tenant, "nobody",
                                      "https://app.example/cb"),
            MEREAU_E_UNKNOWN, "app.unknown");
    REFUSED(flow, mereau_app_redirect_check(flow->tenant, "app", NULL),
            MEREAU_E_FIELD, "op.field");
    op = mereau_app_redirect_check(flow->tenant, "app",
                                   "https://app.example/cb");
    mereau_op_add_text(op, MEREAU_REDIRECT_URI, "https://evil.example/");
    REFUSED(flow, op, MEREAU_E_POLICY, "app.redirect_uri");
    /* What was allowed is no event; what was refused is one. */
    assert_false(flow_told(flow, "\"event\":\"app.redirect_check\","
                                 "\"outcome\":\"allowed\""));
    assert_true(flow_told(flow, "\"event\":\"app.redirect_check\","
                                "\"outcome\":\"refused\""));
}

static void an_app_without_uris_is_asked_back_to_nowhere(void **state) {
    struct flow *flow = *state;
    mereau_op *op;
    DONE(flow, create(flow, "{\"client_id\":\"app\"}"));
    REFUSED(flow, mereau_app_redirect_check(flow->tenant, "app", ""),
            MEREAU_E_POLICY, "app.redirect_uri");
    DONE(flow, update(flow, "{\"redirect_uri\":[\"https://a.example/\"]}"));
    op = DONE(flow, mereau_app_redirect_check(flow->tenant, "app",
                                              "https://a.example/"));
    assert_int_equal(mereau_op_int(op, MEREAU_PKCE_REQUIRED), 1);
    assert_int_equal(mereau_op_int(op, MEREAU_CONFIDENTIAL), 0);
    assert_text(op, MEREAU_GRANT_TYPE, "registration_token");
    assert_string_equal(mereau_op_text_at(op, MEREAU_GRANT_TYPE, 1),
                        "refresh_token");
}

/* --- faults --- */

/* Every op of apps once. */
static mereau_op *make(struct flow *flow, int which) {
    switch (which) {
    case 0:
        return with(create(flow, everything),
                    "{\"client_id\":\"new\",\"idempotency_key\":\"k\"}");
    case 1:
        return mereau_app_get(flow->tenant, "app");
    case 2:
        return mereau_app_list(flow->tenant);
    case 3:
        return mereau_app_redirect_check(flow->tenant, "app",
                                         "https://app.example/cb");
    case 4:
        return update(flow, "{\"enabled\":false,\"label\":\"x\","
                            "\"access_lifetime_s\":4000}");
    default:
        return mereau_app_delete(flow->tenant, "app");
    }
}

static void a_failing_allocation_is_said(void **state) {
    struct flow *flow = *state;
    if (!test_alloc_available())
        skip();
    DONE(flow, create(flow, everything));
    for (int which = 0; which < 6; which++)
        for (unsigned long n = 1, over = 0; !over; n++) {
            mereau_status status;
            test_alloc_fail_at(n);
            mereau_op *op = make(flow, which);
            status = mereau_op_run(op, NULL);
            over = (unsigned long)test_alloc_pending();
            test_alloc_fail_at(0);
            mereau_op_free(op);
            if (status != MEREAU_OK && status != MEREAU_E_NOMEM &&
                status != MEREAU_E_STORE && status != MEREAU_E_CRYPTO)
                fail_msg("op %d, allocation %lu: %s", which, n,
                         mereau_status_name(status));
            if (status == MEREAU_OK && (which == 0 || which == 5))
                over = 1; /* it cannot be done twice */
        }
}

static void a_failing_store_changes_nothing(void **state) {
    struct flow *flow = *state;
    struct flow_records before = {0}, after = {0};
    DONE(flow, create(flow, everything));
    flow_records_take(flow, &before);
    for (int which = 0; which < 6; which++)
        for (uint64_t n = 1; n <= 2; n++) {
            flow->fail_in = n;
            flow->fail_result = MEREAU_STORE_IO;
            flow->failed = 0;
            mereau_op *op = make(flow, which);
            mereau_status status = mereau_op_run(op, NULL);
            mereau_op_free(op);
            flow->fail_in = 0;
            if (flow->failed)
                assert_int_equal(status, MEREAU_E_STORE);
        }
    flow_records_take(flow, &after);
    assert_true(flow_records_equal(&before, &after));
    flow_records_free(&before);
    flow_records_free(&after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(all_that_is_set_is_given_again),
        TEST(an_id_is_drawn_when_none_is_chosen),
        TEST(creating_and_reading_cost_what_is_promised),
        TEST(an_id_can_be_given_once),
        TEST(what_may_not_be_set_is_refused_by_name),
        TEST(an_id_of_128_characters_is_the_longest),
        TEST(an_app_has_at_most_64_audiences),
        TEST(a_tenant_that_was_never_created_has_no_apps),
        TEST(an_update_changes_what_is_set_and_nothing_else),
        TEST(an_update_of_what_somebody_else_changed_is_refused),
        TEST(an_update_is_checked_as_a_whole),
        TEST(a_disabled_app_is_refused_until_it_is_enabled_again),
        TEST(verifiers_hear_of_an_app_that_is_disabled),
        TEST(what_was_issued_keeps_its_lifetime),
        TEST(a_deleted_app_is_gone_with_all_it_was_given),
        TEST(keys_stay_as_long_as_the_longest_access_token_of_an_app),
        TEST(of_a_deleted_app_only_its_name_is_left),
        TEST(the_same_call_again_gives_the_same_app),
        TEST(the_order_of_setting_does_not_make_another_call),
        TEST(one_key_for_two_calls_is_refused),
        TEST(an_idempotency_key_is_free_again_after_a_week),
        TEST(a_lost_reply_does_not_make_two_apps),
        TEST(a_lost_reply_to_a_change_is_settled),
        TEST(a_user_goes_back_only_to_a_registered_uri),
        TEST(an_app_without_uris_is_asked_back_to_nowhere),
        TEST(a_failing_allocation_is_said),
        TEST(a_failing_store_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
