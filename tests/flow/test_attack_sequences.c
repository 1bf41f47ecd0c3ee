/* tests/flow/test_attack_sequences.c - attacks in several steps, each with the id of
 * its row in the project's list (tests/vectors/hostile has the others' data). Rows
 * of authorization codes are played with auth tokens, which are their like here.
 *
 * Rows that have their test elsewhere: RT-03 an_unproved_repeat_gives_the_same_once,
 * grace_0_is_never; RT-04 grace_ends_after_its_seconds; RT-05 another_apps_attempt_
 * leaves_the_family_unharmed; RT-06 scope_is_never_wider; RT-11 CODE-09
 * other_kinds_and_tenants_are_refused; RT-12 the_absolute_end_does_not_move; RT-13
 * lifetime_0_gives_a_refresh_token_that_has_expired; REG-05 expiry_is_the_first_
 * instant_that_does_not_work; REG-07 REG-08 s16_*; REG-09 another_tenants_token_is_
 * unknown; REG-10 CODE-04 the_app_that_is_named_must_be_the_tokens; REG-11
 * same_device_and_nonce_gets_the_same_answer; REG-12
 * contention_without_end_is_busy; REG-19 a_purge_takes_what_is_over_in_
 * bounded_steps; CODE-07 an_auth_token_waits_for_30_days; CODE-10 a_devices_key_
 * binds_what_it_gets; CODE-11 CODE-12 scope_, audience_may_be_narrower_never_wider;
 * TEN-04 TEN-05 test_keys.c; TIME-03 clocks_out_of_their_range_decide_nothing;
 * TIME-05 TIME-06 test_json.c; FAULT-01 test_golden_records.c; FAULT-02 FAULT-03
 * REG-13 test_faults.c; FAULT-11 test_null.c; FAULT-15 no_event_holds_a_credential;
 * PARAM-06 test_bad_input.c. REG-02, CODE-02: tests/sim and test_regressions.c.
 *
 * TEN-10 differs: a tenant cannot be deleted, only disabled, so its name is never
 * given again. An app's id is not either: of_a_deleted_app_only_its_name_is_left. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

#include "credential/credential.h"

static int setup(void **state) {
    struct flow *f = malloc(sizeof *f);
    if (f == NULL)
        return -1;
    *state = f;
    flow_start(f);
    flow_app(f, NULL);
    return 0;
}

static int teardown(void **state) {
    flow_close(*state);
    free(*state);
    return 0;
}

static mereau_op *with(mereau_op *op, int32_t field, const char *text) {
    mereau_op_set_text(op, field, text);
    return op;
}

static mereau_op *with_int(mereau_op *op, int32_t field, int64_t number) {
    mereau_op_set_int(op, field, number);
    return op;
}

static mereau_op *refresh(struct flow *f, const char *token) {
    return mereau_token_refresh(f->tenant, token);
}

static mereau_op *scoped(struct flow *f, const char *token, const char *scope) {
    return with(refresh(f, token), MEREAU_SCOPE, scope);
}

static struct flow_pair next(struct flow *f, const char *token) {
    return flow_pair_of(DONE(f, refresh(f, token)));
}

static struct flow_pair enrol(struct flow *f, const char *device) {
    return flow_enrol(f, flow_mint(f, 1, DAY).text, device);
}

static int is_active(struct flow *f, const char *token) {
    return (int)mereau_op_int(
        DONE(f, mereau_token_introspect(f->tenant, token)), MEREAU_ACTIVE);
}

/* RT-01: reuse ends the family, its successor and its access tokens. */
static void rt_01_reuse_ends_all_of_the_family(void **state) {
    struct flow *f = *state;
    struct flow_pair a = enrol(f, "d1"), b = next(f, a.refresh),
                     c = next(f, b.refresh);
    assert_int_equal(is_active(f, b.access), 1);
    REFUSED(f, refresh(f, a.refresh), MEREAU_E_REUSED, NULL);
    REFUSED(f, refresh(f, c.refresh), MEREAU_E_REVOKED, NULL);
    const char *const all[] = {a.access,  b.access,  c.access,
                               a.refresh, b.refresh, c.refresh};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        assert_int_equal(is_active(f, all[i]), 0);
}

/* RT-07: narrower, then wide again, up to the grant and no further. */
static void rt_07_narrowed_scope_widens_up_to_the_grant(void **state) {
    struct flow *f = *state;
    struct flow_token t =
        flow_mint_with(f, 1, DAY, "{\"scope\":\"read write\"}");
    struct flow_pair p = flow_enrol(f, t.text, "d1");
    p = flow_pair_of(DONE(f, scoped(f, p.refresh, "read")));
    p = flow_pair_of(DONE(f, scoped(f, p.refresh, "read write")));
    REFUSED(f, scoped(f, p.refresh, "read write print"), MEREAU_E_SCOPE, NULL);
}

/* RT-08, PARAM-04: scope is words of RFC 6749 appendix A.4 with one space between.
 * Stricter than the row: superfluous spaces and doubles are refused, too. */
static void rt_08_scope_has_one_form(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, "d1");
    static const char *const bad[] = {
        "read\twrite", "read\nwrite", "READ",     "re\"ad",
        "re\\ad",      "read,write",  "\xc3\xa9", "read\x7f"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mereau_op *op = scoped(f, p.refresh, bad[i]);
        mereau_status status = mereau_op_run(op, NULL);
        assert_true(status == MEREAU_E_SCOPE || status == MEREAU_E_MALFORMED);
        mereau_op_free(op);
    }
    static const char *const loose[] = {" read", "read ", "read  write",
                                        "read read"};
    for (size_t i = 0; i < sizeof loose / sizeof loose[0]; i++) {
        mereau_op *op = scoped(f, p.refresh, loose[i]);
        assert_int_equal(mereau_op_run(op, NULL), MEREAU_E_SCOPE);
        mereau_op_free(op);
    }
    mereau_op *op = DONE(f, scoped(f, p.refresh, "write read")); /* any order */
    assert_string_equal(mereau_op_text(op, MEREAU_SCOPE), "read write");
}

/* RT-10: a refresh token is no bearer token. */
static void rt_10_a_refresh_token_is_no_bearer_token(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, "d1");
    assert_int_not_equal(flow_verify(f, p.refresh), MEREAU_OK);
    assert_int_not_equal(flow_verify(f, p.auth), MEREAU_OK);
}

/* RT-14, RT-19: whatever ended above (a changed password is a not-before of the
 * subject), the refresh is refused. */
static void rt_14_what_ended_above_ends_refreshing(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint_with(f, 9, DAY, "{\"subject\":\"ann\"}");
    struct flow_pair p[5];
    for (int i = 0; i < 5; i++) {
        char device[] = {'d', (char)('0' + i), '\0'};
        p[i] = flow_enrol(f, t.text, device);
    }
    DONE(f, mereau_family_revoke(f->tenant, p[0].family));
    REFUSED(f, refresh(f, p[0].refresh), MEREAU_E_REVOKED, NULL);
    DONE(f, mereau_auth_token_revoke(f->tenant, p[1].auth_id));
    REFUSED(f, refresh(f, p[1].refresh), MEREAU_E_REVOKED, NULL);
    p[2] = next(f, p[2].refresh); /* the others live */
    DONE(f,
         mereau_not_before_raise(f->tenant, MEREAU_SUBJECT, "ann", MEREAU_NOW));
    REFUSED(f, refresh(f, p[2].refresh), MEREAU_E_NOT_BEFORE, NULL);
    struct flow_pair q = enrol(f, "other");
    DONE(f, with_int(mereau_tenant_update(f->tenant), MEREAU_ENABLED, 0));
    REFUSED(f, refresh(f, q.refresh), MEREAU_E_DISABLED, NULL);
    DONE(f, with_int(mereau_tenant_update(f->tenant), MEREAU_ENABLED, 1));
    DONE(f, mereau_app_delete(f->tenant, "app"));
    mereau_op *op = refresh(f, q.refresh);
    assert_int_not_equal(mereau_op_run(op, NULL), MEREAU_OK);
    mereau_op_free(op);
}

/* RT-17: a refresh token with any bit flipped is refused, and kills nothing. */
static void rt_17_no_bit_of_a_refresh_token_is_free(void **state) {
    struct flow *f = *state;
    struct flow_pair p = enrol(f, "d1");
    struct mru_cred cred;
    char text[MRU_CRED_MAX];
    assert_int_equal(mru_cred_parse(&cred, MRU_CRED_REFRESH, p.refresh,
                                    strlen(p.refresh), NULL),
                     MEREAU_OK);
    for (size_t bit = 0; bit < 256; bit++) { /* with a checksum that fits */
        struct mru_cred other = cred;
        other.secret[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_true(mru_cred_print(text, &other) > 0);
        REFUSED(f, refresh(f, text), MEREAU_E_UNKNOWN, NULL);
    }
    for (size_t i = 11; i < strlen(p.refresh); i++) { /* and without */
        assert_true(strlen(p.refresh) < sizeof text);
        memcpy(text, p.refresh, strlen(p.refresh) + 1);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        mereau_op *op = refresh(f, text);
        assert_int_not_equal(mereau_op_run(op, NULL), MEREAU_OK);
        mereau_op_free(op);
    }
    DONE(f, refresh(f, p.refresh));
}

/* REG-03: no count wraps. */
static void reg_03_large_counts_are_refused_or_exact(void **state) {
    struct flow *f = *state;
    static const int64_t counts[] = {INT64_C(1) << 31, INT64_C(1) << 32,
                                     INT64_MAX};
    for (size_t i = 0; i < 3; i++)
        REFUSED(
            f, mereau_registration_token_mint(f->tenant, "app", counts[i], DAY),
            MEREAU_E_POLICY, "op.range");
    struct flow_token t = flow_mint(f, 1000000000, DAY);
    DONE(f, flow_redeem(f, t.text, "d1", 1));
    assert_int_equal(flow_used(f, t.id), 1);
}

/* REG-06: an expiry is a future within the horizon; milliseconds are not. */
static void reg_06_an_end_in_other_units_is_refused(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    static const int64_t ends[] = {0, T0 - 1, T0, (T0 + DAY) * 1000, INT64_MAX};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        mereau_op *op = mereau_registration_token_update(f->tenant, t.id);
        REFUSED(f, with_int(op, MEREAU_EXPIRES_AT, ends[i]), MEREAU_E_POLICY,
                NULL);
    }
    DONE(f, flow_redeem(f, t.text, "d1", 1));
}

/* REG-18, RT-16: a restored backup. Counts come back with it, which no library can
 * see; but a family that went back is noticed, and nobody is called a thief. */
static void reg_18_a_restored_backup_is_noticed(void **state) {
    struct flow *f = *state;
    struct flow_records backup;
    struct flow_token t = flow_mint(f, 2, DAY);
    struct flow_pair p = flow_enrol(f, t.text, "d1"), q;
    flow_records_take(f, &backup);
    q = next(f, p.refresh);
    q = next(f, q.refresh);
    DONE(f, flow_redeem(f, t.text, "d2", 1));
    flow_records_put(f, &backup);
    flow_records_free(&backup);
    assert_int_equal(flow_used(f, t.id), 1);
    REFUSED(f, refresh(f, q.refresh), MEREAU_E_RESTORED, NULL);
    next(f, p.refresh); /* not ended */
}

/* REG-20: redeeming asks for no scope; exchanging for none that is wider. */
static void reg_20_no_scope_is_wider_than_the_tokens(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint_with(f, 1, DAY, "{\"scope\":\"read\"}");
    REFUSED(f,
            with(flow_redeem(f, t.text, "d1", 1), MEREAU_SCOPE, "read write"),
            MEREAU_E_FIELD, "op.field");
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 1));
    const char *auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    REFUSED(f,
            with(mereau_auth_token_exchange(f->tenant, auth), MEREAU_SCOPE,
                 "read write"),
            MEREAU_E_SCOPE, NULL);
}

/* CODE-08: parts, additions, length. */
static void code_08_parts_and_additions_are_refused(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    mereau_op *redeem = DONE(f, flow_redeem(f, t.text, "d1", 1));
    const char *auth = mereau_op_text(redeem, MEREAU_AUTH_TOKEN);
    size_t len = strlen(auth);
    char *text = calloc(1, 65537);
    assert_non_null(text);
    flow_count_from_here(f);
    for (size_t i = 0; i < 5; i++) {
        static const size_t lens[] = {0, 10, 11, 12, 100};
        memcpy(text, auth, lens[i]);
        text[lens[i]] = '\0';
        mereau_op *op = mereau_auth_token_exchange(f->tenant, text);
        assert_int_not_equal(mereau_op_run(op, NULL), MEREAU_OK);
        mereau_op_free(op);
    }
    snprintf(text, 65537, "%sA", auth);
    REFUSED(f, mereau_auth_token_exchange(f->tenant, text), MEREAU_E_MALFORMED,
            NULL);
    memset(text, 'A', 65536);
    memcpy(text, auth, 11);
    REFUSED(f, mereau_auth_token_exchange(f->tenant, text), MEREAU_E_TOO_LONG,
            NULL);
    memcpy(text, auth, len + 1); /* FAULT-12: a NUL is not the end */
    memcpy(text + len + 1, "junk", 4);
    mereau_op *op = mereau_auth_token_exchange(f->tenant, NULL);
    mereau_op_set_bytes(op, MEREAU_AUTH_TOKEN, text, len + 5);
    REFUSED(f, op, MEREAU_E_MALFORMED, NULL);
    assert_int_equal(f->gets + f->commits, 0);
    free(text);
    DONE(f, mereau_auth_token_exchange(f->tenant, auth));
}

/* CODE-13: what changed between giving and exchanging counts. */
static void code_13_what_changed_meanwhile_counts(void **state) {
    struct flow *f = *state;
    struct flow_token t = flow_mint(f, 1, DAY);
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 1));
    const char *auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    DONE(f, with_int(mereau_app_update(f->tenant, "app"), MEREAU_ENABLED, 0));
    REFUSED(f, mereau_auth_token_exchange(f->tenant, auth), MEREAU_E_DISABLED,
            NULL);
    DONE(f, with_int(mereau_app_update(f->tenant, "app"), MEREAU_ENABLED, 1));
    DONE(f,
         with_int(mereau_app_update(f->tenant, "app"), MEREAU_CONFIDENTIAL, 1));
    REFUSED(f, mereau_auth_token_exchange(f->tenant, auth), MEREAU_E_CLIENT,
            NULL);
    DONE(f,
         with_int(mereau_app_update(f->tenant, "app"), MEREAU_CONFIDENTIAL, 0));
    DONE(f, mereau_not_before_raise(f->tenant, MEREAU_DEVICE_ID, "d1",
                                    MEREAU_NOW));
    REFUSED(f, mereau_auth_token_exchange(f->tenant, auth), MEREAU_E_NOT_BEFORE,
            NULL);
}

/* CODE-14, TIME-11: with a clock that went back nothing is used twice and nothing
 * lives longer; a family that is of a later time waits for the clock. */
static void code_14_a_clock_that_went_back_gives_nothing_twice(void **state) {
    struct flow *f = *state;
    f->now_at = T0 + 2 * DAY; /* a tenant whose keys are older than that */
    struct flow_token t = flow_mint(f, 1, DAY);
    mereau_op *op = DONE(f, flow_redeem(f, t.text, "d1", 1));
    const char *auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    f->now_at -= 3600;
    REFUSED(f, flow_redeem(f, t.text, "d2", 1), MEREAU_E_USED_UP, NULL);
    struct flow_pair p =
        flow_pair_of(DONE(f, mereau_auth_token_exchange(f->tenant, auth)));
    assert_int_equal(flow_number(mereau_op_text(p.op, MEREAU_CLAIMS), "exp"),
                     f->now_at + 300);
    next(f, p.refresh);
    REFUSED(f, mereau_auth_token_exchange(f->tenant, auth), MEREAU_E_REUSED,
            NULL);
    f->now_at = T0 + 2 * DAY;
    p = enrol(f, "d3");
    f->now_at -= DAY;
    REFUSED(f, refresh(f, p.refresh), MEREAU_E_CLOCK, "clock.back");
    f->now_at += DAY;
    struct flow_pair q = next(f, p.refresh); /* nothing was ended */
    const char *first = strstr(mereau_op_text(p.op, MEREAU_CLAIMS), "\"jti\":");
    const char *second =
        strstr(mereau_op_text(q.op, MEREAU_CLAIMS), "\"jti\":");
    assert_int_not_equal(strncmp(first, second, 20), 0);
}

/* TEN-02: keys and issuers of two tenants do not mix. */
static void ten_02_another_tenants_token_is_refused(void **state) {
    struct flow *f = *state;
    const struct flow_setup how = {
        .seed = 3, .share = &f->front, .tenant = "two"};
    struct flow two;
    struct flow_pair p = enrol(f, "d1");
    flow_open(&two, &how);
    flow_app(&two, NULL);
    REFUSED(&two, mereau_token_verify_live(two.tenant, p.access),
            MEREAU_E_UNKNOWN, NULL);
    REFUSED(&two, refresh(&two, p.refresh), MEREAU_E_UNKNOWN, NULL);
    assert_int_equal(flow_verify(&two, p.access), MEREAU_E_KEY_UNKNOWN);
    flow_close(&two);
}

/* TIME-01, TIME-10: at the ends of 31, 32 and more bits the lifetimes are right. */
static void time_01_no_instant_wraps(void **state) {
    struct flow *f = *state;
    static const int64_t nows[] = {
        INT64_C(2147483647), INT64_C(2147483648),   INT64_C(4294967295),
        INT64_C(4294967296), INT64_C(253402300799), INT64_C(253402300800)};
    for (size_t i = 0; i < sizeof nows / sizeof nows[0]; i++) {
        char device[] = {'d', (char)('0' + i), '\0'};
        f->now_at = nows[i];
        struct flow_pair p = enrol(f, device);
        const char *claims = mereau_op_text(p.op, MEREAU_CLAIMS);
        assert_int_equal(flow_number(claims, "iat"), nows[i]);
        assert_int_equal(flow_number(claims, "exp"),
                         nows[i] + mereau_op_int(p.op, MEREAU_EXPIRES_IN));
        f->now_at = nows[i] + 299;
        assert_int_equal(flow_verify(f, p.access), MEREAU_OK);
        f->now_at = nows[i] + 300;
        assert_int_equal(flow_verify(f, p.access), MEREAU_E_EXPIRED);
        p = next(f, p.refresh);
        assert_int_equal(mereau_op_int(p.op, MEREAU_REFRESH_EXPIRES_IN),
                         30 * DAY);
    }
}

/* TIME-08: a skew is 0 to 600 seconds. */
static void time_08_skew_has_bounds(void **state) {
    static const struct {
        int64_t skew_s;
        int good;
    } skews[] = {{0, 1}, {60, 1}, {600, 1}, {-1, 0}, {601, 0}, {INT64_MAX, 0}};
    struct flow *f = *state;
    for (size_t i = 0; i < sizeof skews / sizeof skews[0]; i++) {
        mereau_verifier *verifier = mereau_verifier_new(ISSUER, API);
        mereau_verifier_set_skew_s(verifier, skews[i].skew_s);
        mereau_op *op = mereau_verifier_load(f->tenant, verifier);
        mereau_status status = mereau_op_run(op, NULL);
        if (status == MEREAU_OK)
            status = mereau_verifier_ready(verifier, NULL);
        assert_int_equal(status == MEREAU_OK, skews[i].good);
        mereau_op_free(op);
        mereau_verifier_free(verifier);
    }
}

/* FAULT-04: a random source that repeats itself gives no token twice. */
static void fault_04_constant_randomness_gives_no_token_twice(void **state) {
    struct flow *f = *state;
    uint64_t random_state = f->random_state;
    struct flow_token t = flow_mint(f, 1, DAY);
    f->random_state = random_state;
    f->now_at += 1;
    mereau_op *op = mereau_registration_token_mint(f->tenant, "app", 1, DAY);
    mereau_status status = mereau_op_run(op, NULL);
    const char *text = mereau_op_text(op, MEREAU_REGISTRATION_TOKEN);
    assert_int_equal(status == MEREAU_OK, text != NULL);
    if (text != NULL)
        assert_string_not_equal(text, t.text);
    mereau_op_free(op);
    assert_int_equal(flow_used(f, t.id), 0);
}

/* FAULT-13: a struct of a size that is none is refused. */
static void fault_13_sizes_are_looked_at(void **state) {
    struct flow *f = *state;
    mereau_ctx *ctx = mereau_ctx_new();
    mereau_store store = f->front;
    mereau_error err = MEREAU_ERROR_INIT;
    store.size = 0;
    mereau_ctx_set_store(ctx, &store);
    assert_int_equal(mereau_ctx_ready(ctx, &err), MEREAU_E_SIZE);
    mereau_ctx_free(ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(rt_01_reuse_ends_all_of_the_family),
        TEST(rt_07_narrowed_scope_widens_up_to_the_grant),
        TEST(rt_08_scope_has_one_form),
        TEST(rt_10_a_refresh_token_is_no_bearer_token),
        TEST(rt_14_what_ended_above_ends_refreshing),
        TEST(rt_17_no_bit_of_a_refresh_token_is_free),
        TEST(reg_03_large_counts_are_refused_or_exact),
        TEST(reg_06_an_end_in_other_units_is_refused),
        TEST(reg_18_a_restored_backup_is_noticed),
        TEST(reg_20_no_scope_is_wider_than_the_tokens),
        TEST(code_08_parts_and_additions_are_refused),
        TEST(code_13_what_changed_meanwhile_counts),
        TEST(code_14_a_clock_that_went_back_gives_nothing_twice),
        TEST(ten_02_another_tenants_token_is_refused),
        TEST(time_01_no_instant_wraps),
        TEST(time_08_skew_has_bounds),
        TEST(fault_04_constant_randomness_gives_no_token_twice),
        TEST(fault_13_sizes_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
