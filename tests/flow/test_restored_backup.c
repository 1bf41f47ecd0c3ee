/* tests/flow/test_restored_backup.c - a SQLite file is restored from a backup, step
 * by step as docs/operations.md says (tests/flow/restored.h). Of the other engines:
 * tests/postgres/test_restored.c, tests/redis/test_restored.c. */
#include <stdio.h>
#include <stdlib.h>
#include <sqlite3.h>
#include <unistd.h>

#include <mereau/sqlite.h>

#include "flow.h"
#include "restored.h"

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
static void back_up_by_sql(void *at) {
    const struct files *files = at;
    sqlite3 *db = NULL;
    char sql[160];
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", files->backup);
    assert_int_equal(sqlite3_open(files->store, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void back_up_by_api(void *at) {
    const struct files *files = at;
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
static void put_backup_in_place(void *at) {
    const struct files *files = at;
    (void)unlink(files->wal);
    (void)unlink(files->shm);
    assert_int_equal(rename(files->backup, files->store), 0);
}

static mereau_store *open_files(void *at) {
    const struct files *files = at;
    mereau_store *store = NULL;
    (void)mereau_sqlite_open(&store, files->store, NULL);
    return store;
}

static void rehearse(void (*back_up)(void *)) {
    struct files files;
    struct restored_way way = {open_files, back_up, put_backup_in_place, &files,
                               0};
    files_make(&files);
    restored_rehearse(&way);
    files_remove(&files);
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
