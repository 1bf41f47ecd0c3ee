/* tests/flow/test_scale.c - what does not grow with use: a family with its
 * rotations, a revocation with what it ends, a purge with what is over. Counted by
 * a store that looks into each commit.
 *
 * With MEREAU_SOAK a family rotates 10^6 times and an app has 10^6 sessions, each
 * enrolled as devices are: minutes, and 2 GB of memory. Without, 1000 rotations and
 * 10^5 sessions, most of them copies. */
#include "flow.h"

#include <stdio.h>
#include <stdlib.h>

enum { WATCHED = 100 }; /* sessions that are tried when all are ended */

struct world {
    struct flow f;
    mereau_store *memory;
    mereau_store table; /* passes on, and counts */
    size_t gets, commits, scans, writes, deletes; /* since they were set to 0 */
    size_t most_deletes; /* in one commit */
};

static int32_t count_get(void *user, const mereau_need *need, mereau_emit emit,
                         void *arg) {
    struct world *w = user;
    w->gets++;
    return w->memory->get(w->memory->user, need, emit, arg);
}

static int32_t count_commit(void *user, const mereau_need *need,
                            size_t *failed) {
    struct world *w = user;
    size_t deletes = 0;
    for (size_t i = 0; i < need->n_writes; i++)
        deletes += need->writes[i].kind == MEREAU_WRITE_DELETE;
    w->commits++;
    w->writes += need->n_writes;
    w->deletes += deletes;
    if (deletes > w->most_deletes)
        w->most_deletes = deletes;
    return w->memory->commit(w->memory->user, need, failed);
}

static int32_t count_scan(void *user, const mereau_need *need, mereau_emit emit,
                          void *arg) {
    struct world *w = user;
    w->scans++;
    return w->memory->scan(w->memory->user, need, emit, arg);
}

/* --- how much --- */

static int is_soak(void) { return getenv("MEREAU_SOAK") != NULL; }

static int rotations(void) { return is_soak() ? 1000000 : 1000; }

static size_t sessions(void) { return is_soak() ? 1000000 : 100000; }

/* Of those, enrolled by the engine. */
static size_t enrolled(void) { return is_soak() ? sessions() : 1000; }

static int setup(void **state) {
    struct world *w = calloc(1, sizeof *w);
    struct flow_setup with = {.seed = 1};
    if (w == NULL || mereau_memory_open(&w->memory, NULL) != MEREAU_OK)
        return -1;
    *state = w;
    w->table = *w->memory;
    w->table.user = w;
    w->table.get = count_get;
    w->table.commit = count_commit;
    w->table.scan = count_scan;
    with.share = &w->table;
    flow_open(&w->f, &with);
    flow_app(&w->f, "{\"token_format\":\"opaque\"}");
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    flow_close(&w->f);
    mereau_store_close(w->memory);
    free(w);
    return 0;
}

static void count_from_here(struct world *w) {
    w->gets = w->commits = w->scans = w->writes = w->deletes = 0;
    w->most_deletes = 0;
}

static size_t how_many(struct flow *f, size_t *bytes) {
    struct flow_records all;
    size_t n;
    flow_records_take(f, &all);
    n = all.n;
    *bytes = 0;
    for (size_t i = 0; i < n; i++)
        *bytes += all.all[i].key_len + all.all[i].value_len;
    flow_records_free(&all);
    return n;
}

/* --- a family --- */

static mereau_op *rotate(struct flow *f, const char *token) {
    mereau_op *op = mereau_token_refresh(f->tenant, token);
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    return op;
}

/* Rotates this often, each time for a new token; the last answer. */
static mereau_op *rotate_often(struct flow *f, const char *token, int n) {
    mereau_op *op = rotate(f, token);
    for (int i = 1; i < n; i++) {
        const char *newest = mereau_op_text(op, MEREAU_REFRESH_TOKEN);
        mereau_op *next = rotate(f, newest);
        assert_string_not_equal(mereau_op_text(next, MEREAU_REFRESH_TOKEN),
                                newest);
        mereau_op_free(op);
        op = next;
        flow_forget_events(f);
    }
    return op;
}

static void a_family_takes_the_same_room_however_often_it_rotated(void **s) {
    struct world *w = *s;
    struct flow *f = &w->f;
    struct flow_token t = flow_mint(f, 10, DAY);
    struct flow_pair pair = flow_enrol(f, t.text, "d1");
    size_t bytes, later, n;
    mereau_op *op = rotate_often(f, pair.refresh, 200);
    n = how_many(f, &bytes);
    mereau_op *last =
        rotate_often(f, mereau_op_text(op, MEREAU_REFRESH_TOKEN), rotations());
    assert_int_equal(how_many(f, &later), n);
    assert_in_range(later, bytes - 8, bytes + 8); /* numbers of other lengths */
    mereau_op_free(op);
    mereau_op_free(last);
}

static void revoking_a_family_that_rotated_often_is_one_commit(void **s) {
    struct world *w = *s;
    struct flow *f = &w->f;
    struct flow_token t = flow_mint(f, 10, DAY);
    struct flow_pair young = flow_enrol(f, t.text, "d1");
    struct flow_pair old = flow_enrol(f, t.text, "d2");
    mereau_op *op;
    size_t writes;

    count_from_here(w);
    op = rotate_often(f, old.refresh, rotations());
    assert_int_equal(w->commits, rotations());
    count_from_here(w);
    DONE(f, mereau_family_revoke(f->tenant, young.family));
    writes = w->writes;
    assert_int_equal(w->commits, 1);
    count_from_here(w);
    DONE(f, mereau_family_revoke(f->tenant, old.family));
    assert_int_equal(w->gets, 1);
    assert_int_equal(w->scans, 0);
    assert_int_equal(w->commits, 1);
    assert_int_equal(w->writes, writes);
    REFUSED(f,
            mereau_token_refresh(f->tenant,
                                 mereau_op_text(op, MEREAU_REFRESH_TOKEN)),
            MEREAU_E_REVOKED, NULL);
    mereau_op_free(op);
    print_message("scale: revoking a family of %d rotations: %zu commit, "
                  "%zu writes\n",
                  rotations(), w->commits, writes);
}

/* --- many sessions --- */

/* Copies of an enrolment's record and of its entries under other ids: what a
 * store holds of so many sessions. The id is the last 16 bytes of each key. */
static void multiply(struct world *w, size_t n) {
    enum { COPIES = 20, IDS = 16 };
    struct flow_records all;
    mereau_write writes[MEREAU_MAX_WRITES];
    uint8_t keys[MEREAU_MAX_WRITES][MEREAU_MAX_KEY];
    const struct flow_record *from[8];
    const uint8_t *id = NULL;
    size_t n_from = 0;
    flow_records_take(&w->f, &all);
    for (size_t i = 0; i < all.n && id == NULL; i++)
        if (all.all[i].key[0] == 'e' && all.all[i].key_len == 1 + IDS)
            id = all.all[i].key + 1;
    assert_non_null(id);
    for (size_t i = 0; i < all.n; i++) {
        const struct flow_record *one = &all.all[i];
        if (one->key_len > IDS &&
            memcmp(one->key + one->key_len - IDS, id, IDS) == 0) {
            assert_true(n_from < 6);
            from[n_from++] = one;
        }
    }
    assert_int_equal(n_from, 6); /* the record and its five entries */
    for (size_t i = 0; i < n; i += COPIES) {
        mereau_need need = {.size = (uint32_t)sizeof need,
                            .kind = MEREAU_NEED_COMMIT,
                            .partition = (const uint8_t *)"test",
                            .partition_len = 4,
                            .writes = writes};
        memset(writes, 0, sizeof writes);
        /* Ascending: by what is copied, then by the number of the copy. */
        for (size_t k = 0; k < n_from; k++)
            for (size_t j = 0; j < COPIES; j++) {
                mereau_write *write = &writes[need.n_writes];
                uint8_t *key = keys[need.n_writes++];
                memcpy(key, from[k]->key, from[k]->key_len);
                for (int b = 0; b < 8; b++)
                    key[from[k]->key_len - 8 + (size_t)b] =
                        (uint8_t)((uint64_t)(i + j) >> (56 - 8 * b));
                write->kind = MEREAU_WRITE_PUT;
                write->expect = MEREAU_VERSION_ANY;
                write->record.key = key;
                write->record.key_len = from[k]->key_len;
                write->record.value = from[k]->value;
                write->record.value_len = from[k]->value_len;
                write->record.version = from[k]->version;
                write->record.drop_at = from[k]->drop_at;
            }
        assert_int_equal(w->memory->commit(w->memory->user, &need, NULL),
                         MEREAU_STORE_OK);
    }
    flow_records_free(&all);
}

/* One more device, by redemption and exchange; its refresh token. */
static mereau_op *enrol(struct flow *f, const char *token, size_t number) {
    char name[32];
    mereau_op *redeem, *op;
    snprintf(name, sizeof name, "device-%zu", number);
    redeem = flow_redeem(f, token, name, 7);
    assert_int_equal(mereau_op_run(redeem, NULL), MEREAU_OK);
    op = mereau_auth_token_exchange(f->tenant,
                                    mereau_op_text(redeem, MEREAU_AUTH_TOKEN));
    assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    mereau_op_free(redeem);
    flow_forget_events(f);
    return op;
}

/* As many as there are to be, beside the first; keeps some of those that are
 * enrolled, evenly spread. */
static void add_sessions(struct world *w, const char *token,
                         mereau_op *watched[WATCHED]) {
    size_t n = enrolled(), each = n / WATCHED;
    if (sessions() > n)
        multiply(w, sessions() - n);
    count_from_here(w);
    for (size_t i = 0; i < n; i++) {
        mereau_op *op = enrol(&w->f, token, i);
        if (i % each == 0)
            watched[i / each] = op;
        else
            mereau_op_free(op);
    }
    assert_int_equal(w->commits, 2 * n);
}

/* Runs it on a store with one session and on one with many; what then becomes of
 * them. */
static void costs_the_same(struct world *w, const char *what,
                           mereau_op *(*make)(struct flow *, const char *),
                           mereau_status refused) {
    struct flow *f = &w->f;
    struct flow_token t = flow_mint(f, (int64_t)sessions() + 1, DAY);
    struct flow_pair pair = flow_enrol(f, t.text, "d1");
    mereau_op *watched[WATCHED];
    struct flow_records few;
    size_t gets, writes;

    flow_records_take(f, &few);
    count_from_here(w);
    DONE(f, make(f, t.id));
    gets = w->gets;
    writes = w->writes;
    assert_int_equal(w->commits, 1);
    assert_int_equal(w->scans, 0);

    flow_records_put(f, &few);
    flow_records_free(&few);
    add_sessions(w, t.text, watched);
    count_from_here(w);
    DONE(f, make(f, t.id));
    assert_int_equal(w->commits, 1);
    assert_int_equal(w->writes, writes);
    assert_int_equal(w->gets, gets);
    assert_int_equal(w->scans, 0);
    REFUSED(f, mereau_token_refresh(f->tenant, pair.refresh), refused, NULL);
    for (size_t i = 0; i < WATCHED; i++) {
        const char *last = mereau_op_text(watched[i], MEREAU_REFRESH_TOKEN);
        REFUSED(f, mereau_token_refresh(f->tenant, last), refused, NULL);
        mereau_op_free(watched[i]);
    }
    print_message("scale: %s, %zu sessions: 1 commit, %zu writes\n", what,
                  sessions(), writes);
}

static mereau_op *delete_app(struct flow *f, const char *id) {
    (void)id;
    return mereau_app_delete(f->tenant, "app");
}

static mereau_op *raise_app(struct flow *f, const char *id) {
    (void)id;
    return mereau_not_before_raise(f->tenant, MEREAU_CLIENT_ID, "app",
                                   MEREAU_NOW);
}

static mereau_op *cascade(struct flow *f, const char *id) {
    mereau_op *op = mereau_registration_token_revoke(f->tenant, id);
    mereau_op_set_int(op, MEREAU_CASCADE, 1);
    return op;
}

static void deleting_an_app_of_many_sessions_is_one_commit(void **state) {
    costs_the_same(*state, "deleting an app", delete_app, MEREAU_E_UNKNOWN);
}

static void ending_all_sessions_of_an_app_is_one_commit(void **state) {
    costs_the_same(*state, "ending all of an app", raise_app,
                   MEREAU_E_NOT_BEFORE);
}

static void ending_all_that_a_token_led_to_is_one_commit(void **state) {
    costs_the_same(*state, "revoking a token with all that it led to", cascade,
                   MEREAU_E_REVOKED);
}

/* --- purge --- */

static void a_purge_commits_at_most_64_deletions(void **state) {
    struct world *w = *state;
    struct flow *f = &w->f;
    struct flow_token t = flow_mint(f, 10, DAY);
    size_t bytes, before = how_many(f, &bytes), after;
    mereau_op *op;

    flow_enrol(f, t.text, "d1");
    after = how_many(f, &bytes) - before;
    multiply(w, 1000);
    f->now_at += 20 * 365 * DAY;
    count_from_here(w);
    op = mereau_tenant_purge(f->tenant);
    do
        assert_int_equal(mereau_op_run(op, NULL), MEREAU_OK);
    while (mereau_op_has_more(op));
    mereau_op_free(op);
    assert_in_range(w->most_deletes, 60, 64);
    assert_true(w->deletes >= 1000 * 6 + after);
    assert_true(how_many(f, &bytes) <= before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_family_takes_the_same_room_however_often_it_rotated),
        TEST(revoking_a_family_that_rotated_often_is_one_commit),
        TEST(deleting_an_app_of_many_sessions_is_one_commit),
        TEST(ending_all_sessions_of_an_app_is_one_commit),
        TEST(ending_all_that_a_token_led_to_is_one_commit),
        TEST(a_purge_commits_at_most_64_deletions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
