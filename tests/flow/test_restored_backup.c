/* tests/flow/test_restored_backup.c - a backup is restored, step by step as
 * docs/operations.md says: what comes back, what the library says of it, and that
 * after the steps nothing of before is good any more. */
#include <stdio.h>
#include <stdlib.h>
#include <sqlite3.h>
#include <unistd.h>

#include "flow.h"

/* --- the steps that are the host's code --- */

/* [after_a_restore] */
/* On a restored store, before the service is opened. */
static mereau_status after_a_restore(mereau_tenant *acme) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_op *op, *list = mereau_registration_token_list(acme);
    mereau_status status;
    int more = 1;

    /* Nothing issued before now is good: refresh, auth and access tokens. */
    op = mereau_not_before_raise(acme, MEREAU_TENANT_ID, NULL, MEREAU_NOW);
    status = mereau_op_run(op, &err);
    mereau_op_free(op);
    /* Counts are not to be believed, nor that a token was still open. */
    while (status == MEREAU_OK && more) {
        status = mereau_op_run(list, &err);
        while (status == MEREAU_OK && mereau_op_next_row(list)) {
            op = mereau_registration_token_revoke(
                acme, mereau_op_text(list, MEREAU_REGISTRATION_TOKEN_ID));
            status = mereau_op_run(op, &err);
            mereau_op_free(op);
        }
        more = mereau_op_has_more(list);
    }
    mereau_op_free(list);
    if (status != MEREAU_OK)
        fprintf(stderr, "%s\n", err.text); /* do not open; run it again */
    return status;
}
/* [/after_a_restore] */

/* --- files --- */

struct files {
    char folder[64], store[96], backup[96], wal[112], shm[112];
};

static void files_make(struct files *files) {
    const char *base = getenv("TMPDIR");
    snprintf(files->folder, sizeof files->folder,
             "%.30s/mereau-restored-XXXXXX",
             base != NULL && *base != 0 ? base : "/tmp");
    assert_non_null(mkdtemp(files->folder));
    snprintf(files->store, sizeof files->store, "%s/store", files->folder);
    snprintf(files->backup, sizeof files->backup, "%s/backup", files->folder);
    snprintf(files->wal, sizeof files->wal, "%s-wal", files->store);
    snprintf(files->shm, sizeof files->shm, "%s-shm", files->store);
}

static void files_remove(struct files *files) {
    (void)unlink(files->wal);
    (void)unlink(files->shm);
    (void)unlink(files->store);
    (void)unlink(files->backup);
    assert_int_equal(rmdir(files->folder), 0);
}

/* While the store is in use. */
static void back_up_by_sql(const struct files *files) {
    sqlite3 *db = NULL;
    char sql[160];
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", files->backup);
    assert_int_equal(sqlite3_open(files->store, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void back_up_by_api(const struct files *files) {
    sqlite3 *from = NULL, *to = NULL;
    sqlite3_backup *backup;
    assert_int_equal(sqlite3_open(files->store, &from), SQLITE_OK);
    assert_int_equal(sqlite3_open(files->backup, &to), SQLITE_OK);
    backup = sqlite3_backup_init(to, "main", from, "main");
    assert_non_null(backup);
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
    assert_int_equal(sqlite3_close(from), SQLITE_OK);
    assert_int_equal(sqlite3_close(to), SQLITE_OK);
}

/* Log and index of the old file must not meet the new one. */
static void put_backup_in_place(const struct files *files) {
    (void)unlink(files->wal);
    (void)unlink(files->shm);
    assert_int_equal(rename(files->backup, files->store), 0);
}

/* --- the story --- */

/* Texts outlive the flow that made them. */
#define KEEP(out, text) snprintf(out, sizeof(out), "%s", text)

struct story {
    struct files files;
    struct flow f;
    char open[160], open_id[40]; /* 5 counts, 3 used at the backup */
    char later[160]; /* minted after the backup */
    char d1_old[256], d1_new[256], d1_access[2048]; /* refreshed since */
    char d2[256]; /* its family was revoked since */
    char d4_auth[256]; /* enrolled since */
    char kid[128]; /* leaked and was revoked since */
};

static void open_flow(struct story *s, int again) {
    struct flow_setup setup = {.sqlite = s->files.store, .seed = 1};
    setup.no_tenant = again;
    flow_open(&s->f, &setup);
}

static mereau_op *refresh(struct flow *f, const char *token) {
    mereau_op *op = mereau_token_refresh(f->tenant, token);
    flow_nonce(op, 3);
    return op;
}

static void until_the_backup(struct story *s) {
    struct flow *f = &s->f;
    struct flow_token token;
    mereau_op *keys;
    open_flow(s, 0);
    flow_app(f, NULL);
    flow_app_named(f, "other", NULL);
    token = flow_mint(f, 5, 30 * DAY);
    KEEP(s->open, token.text);
    KEEP(s->open_id, token.id);
    KEEP(s->d1_old, flow_enrol(f, s->open, "d1").refresh);
    KEEP(s->d2, flow_enrol(f, s->open, "d2").refresh);
    flow_enrol(f, s->open, "d3");
    keys = DONE(f, mereau_key_list(f->tenant));
    while (mereau_op_next_row(keys))
        if (strcmp(mereau_op_text(keys, MEREAU_STATE), "signing") == 0)
            KEEP(s->kid, mereau_op_text(keys, MEREAU_KID));
    assert_true(s->kid[0] != 0);
}

static void after_the_backup(struct story *s) {
    struct flow *f = &s->f;
    struct flow_pair pair;
    f->now_at += 100;
    pair = flow_pair_of(DONE(f, refresh(f, s->d1_old)));
    pair = flow_pair_of(DONE(f, refresh(f, pair.refresh)));
    KEEP(s->d1_new, pair.refresh);
    KEEP(s->d1_access, pair.access);
    DONE(f, mereau_token_revoke(f->tenant, s->d2));
    KEEP(s->d4_auth, mereau_op_text(DONE(f, flow_redeem(f, s->open, "d4", 7)),
                                    MEREAU_AUTH_TOKEN));
    KEEP(s->later, flow_mint(f, 5, 30 * DAY).text);
    DONE(f, mereau_device_block(f->tenant, "d9"));
    DONE(f, mereau_app_delete(f->tenant, "other"));
    DONE(f, mereau_key_revoke(f->tenant, s->kid));
    assert_int_equal(flow_used(f, s->open_id), 4);
    f->now_at += 100;
}

static int publishes(struct flow *f, const char *kid) {
    mereau_op *op = DONE(f, mereau_key_jwks(f->tenant));
    return strstr(mereau_op_text(op, MEREAU_JWKS), kid) != NULL;
}

/* What the steps are for. On a copy: a thief would be as quick. */
static void what_came_back(struct story *s) {
    struct flow *f = &s->f;
    struct flow_records before, after;
    flow_records_take(f, &before);
    REFUSED(f, refresh(f, s->d1_new), MEREAU_E_RESTORED, "family.restored");
    flow_records_take(f, &after);
    assert_true(flow_records_equal(&before, &after)); /* nothing is ended */
    flow_records_free(&after);
    assert_true(
        flow_told(f, "family.restored")); /* an alert can be made of it */
    REFUSED(f, mereau_auth_token_exchange(f->tenant, s->d4_auth),
            MEREAU_E_UNKNOWN, NULL);
    REFUSED(f, flow_redeem(f, s->later, "d5", 7), MEREAU_E_UNKNOWN, NULL);
    assert_int_equal(flow_used(f, s->open_id), 3);
    DONE(f, flow_redeem(f, s->open, "d4", 9)); /* the count, once more */
    DONE(f, refresh(f, s->d2)); /* was revoked */
    DONE(f, refresh(f, s->d1_old)); /* was used up */
    DONE(f, flow_redeem(f, s->open, "d9", 7)); /* was blocked */
    DONE(f, mereau_app_get(f->tenant, "other")); /* was deleted */
    assert_true(publishes(f, s->kid)); /* was revoked */
    flow_records_put(f, &before);
    flow_records_free(&before);
}

/* From the host's own log of events: all that took something away. */
static void by_hand(struct story *s) {
    struct flow *f = &s->f;
    DONE(f, mereau_key_revoke(f->tenant, s->kid));
    DONE(f, mereau_app_delete(f->tenant, "other"));
    DONE(f, mereau_device_block(f->tenant, "d9"));
}

static void nothing_of_before_is_good(struct story *s) {
    struct flow *f = &s->f;
    mereau_status status;
    mereau_op *live;
    REFUSED(f, refresh(f, s->d1_old), MEREAU_E_NOT_BEFORE, NULL);
    REFUSED(f, refresh(f, s->d2), MEREAU_E_NOT_BEFORE, NULL);
    live = refresh(f, s->d1_new);
    status = mereau_op_run(live, NULL);
    mereau_op_free(live);
    assert_true(status == MEREAU_E_NOT_BEFORE || status == MEREAU_E_RESTORED);
    live = mereau_token_verify_live(f->tenant, s->d1_access);
    assert_int_not_equal(mereau_op_run(live, NULL), MEREAU_OK);
    mereau_op_free(live);
    assert_int_not_equal(flow_verify(f, s->d1_access), MEREAU_OK);
    REFUSED(f, mereau_auth_token_exchange(f->tenant, s->d4_auth),
            MEREAU_E_UNKNOWN, NULL);
    REFUSED(f, flow_redeem(f, s->open, "d6", 7), MEREAU_E_REVOKED, NULL);
    REFUSED(f, flow_redeem(f, s->open, "d1", 7), MEREAU_E_REVOKED, NULL);
}

static void devices_enrol_again(struct story *s) {
    struct flow *f = &s->f;
    struct flow_token token = flow_mint(f, 5, 30 * DAY);
    struct flow_pair pair = flow_enrol(f, token.text, "d1");
    assert_int_equal(flow_verify(f, pair.access), MEREAU_OK);
    DONE(f, mereau_token_verify_live(f->tenant, pair.access));
    DONE(f, refresh(f, pair.refresh));
    flow_enrol(f, token.text, "d4");
    REFUSED(f, flow_redeem(f, token.text, "d9", 7), MEREAU_E_BLOCKED, NULL);
}

static void rehearse(void (*back_up)(const struct files *)) {
    struct story *s = calloc(1, sizeof *s);
    assert_non_null(s);
    files_make(&s->files);
    until_the_backup(s);
    back_up(&s->files);
    after_the_backup(s);
    int64_t now_at = s->f.now_at;
    flow_close(&s->f); /* every process is stopped */
    put_backup_in_place(&s->files);
    open_flow(s, 1);
    s->f.now_at = now_at;
    what_came_back(s);
    assert_int_equal(after_a_restore(s->f.tenant), MEREAU_OK);
    nothing_of_before_is_good(s);
    by_hand(s);
    nothing_of_before_is_good(s);
    assert_false(publishes(&s->f, s->kid));
    devices_enrol_again(s);
    flow_close(&s->f);
    files_remove(&s->files);
    free(s);
}

static void a_backup_by_vacuum_into_is_restored(void **state) {
    (void)state;
    rehearse(back_up_by_sql);
}

static void a_backup_by_the_backup_api_is_restored(void **state) {
    (void)state;
    rehearse(back_up_by_api);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_backup_by_vacuum_into_is_restored),
        cmocka_unit_test(a_backup_by_the_backup_api_is_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
