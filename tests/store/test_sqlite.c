/* tests/store/test_sqlite.c - the SQLite store: the kit, its file, its schema,
 * forks, kills and a disk that fails. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include <mereau/sqlite.h>

#include "support.h"

struct place {
    struct folder folder;
    char path[128];
};

static int set_up(void **state) {
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL || folder_make(&place->folder) != 0)
        return -1;
    folder_file(&place->folder, "store", place->path);
    *state = place;
    return 0;
}

static int tear_down(void **state) {
    struct place *place = *state;
    folder_remove(&place->folder);
    free(place);
    return 0;
}

static mereau_store *open_store(const char *path) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    if (mereau_sqlite_open(&store, path, &err) != MEREAU_OK)
        print_message("%s\n", err.text);
    assert_non_null(store);
    return store;
}

/* Runs SQL on a file as another program would. */
static void run_sql(const char *path, const char *sql) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void ask_sql(const char *path, const char *sql, char out[64]) {
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    snprintf(out, 64, "%s", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* --- the kit --- */

static int32_t open_for_kit(void *user, mereau_store **out) {
    return mereau_sqlite_open(out, user, NULL);
}

static void run_kit(struct place *place, uint64_t seed, uint32_t threads,
                    uint32_t processes) {
    mereau_store_kit kit = MEREAU_STORE_KIT_INIT;
    struct noted noted = {.print = 1};
    kit.caps = MEREAU_CAP_DURABLE | MEREAU_CAP_SHARED | MEREAU_CAP_LINEAR |
               MEREAU_CAP_ORDERED;
    kit.user = place->path;
    kit.open = open_for_kit;
    kit.seed = seed;
    kit.threads = threads;
    kit.processes = processes;
    assert_int_equal(mereau_store_kit_run(&kit, note, &noted), 0);
    assert_int_equal(noted.n_failed, 0);
    assert_int_equal(noted.n_skipped, 0);
    assert_true(noted.n_passed > 50);
}

static void passes_the_store_kit(void **state) { run_kit(*state, 1, 0, 0); }

static void passes_the_store_kit_twice_on_one_file(void **state) {
    char left[64];
    struct place *place = *state;
    run_kit(place, 2, 32, 8);
    run_kit(place, 3, 2, 2);
    ask_sql(place->path, "SELECT count(*) FROM record", left);
    assert_string_equal(left, "0"); /* the kit swept up */
    ask_sql(place->path, "PRAGMA integrity_check", left);
    assert_string_equal(left, "ok");
}

/* --- the file --- */

static mode_t mode_of(const char *path, const char *suffix) {
    char name[160];
    struct stat info;
    snprintf(name, sizeof name, "%s%s", path, suffix);
    assert_int_equal(stat(name, &info), 0);
    return info.st_mode & 0777;
}

static void new_files_are_for_their_owner_only(void **state) {
    struct place *place = *state;
    mode_t before = umask(0);
    mereau_store *store = open_store(place->path);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    umask(before);
    assert_int_equal(mode_of(place->path, ""), 0600);
    assert_int_equal(mode_of(place->path, "-wal"), 0600);
    assert_int_equal(mode_of(place->path, "-shm"), 0600);
    mereau_store_close(store);
}

static void rights_of_a_file_that_is_there_are_kept(void **state) {
    struct place *place = *state;
    mereau_store_close(open_store(place->path));
    assert_int_equal(chmod(place->path, 0640), 0);
    mereau_store_close(open_store(place->path));
    assert_int_equal(mode_of(place->path, ""), 0640);
}

static void bad_paths_are_refused(void **state) {
    struct place *place = *state;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    char path[192];

    assert_int_equal(mereau_sqlite_open(NULL, place->path, &err), MEREAU_E_ARG);
    assert_int_equal(mereau_sqlite_open(&store, NULL, &err), MEREAU_E_ARG);
    assert_int_equal(mereau_sqlite_open(&store, "", &err), MEREAU_E_ARG);
    assert_int_equal(mereau_sqlite_open(&store, ":memory:", &err),
                     MEREAU_E_ARG);
    snprintf(path, sizeof path, "%s/none/store", place->folder.path);
    assert_int_equal(mereau_sqlite_open(&store, path, &err), MEREAU_E_STORE);
    assert_int_equal(err.host_code, SQLITE_CANTOPEN);
    assert_int_equal(mereau_sqlite_open(&store, place->folder.path, NULL),
                     MEREAU_E_STORE);
    assert_null(store);
}

static void store_survives_a_change_of_the_working_folder(void **state) {
    struct place *place = *state;
    char before[256];
    mereau_store *store;

    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(place->folder.path), 0);
    store = open_store("store");
    assert_int_equal(chdir(before), 0);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(version_of(store, "a", NULL), 1);
    mereau_store_close(store);
    assert_int_equal(mode_of(place->path, ""), 0600);
}

static void two_stores_on_one_file_see_each_other(void **state) {
    struct place *place = *state;
    mereau_store *one = open_store(place->path);
    mereau_store *two = open_store(place->path);
    assert_int_equal(put(one, "a", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(version_of(two, "a", NULL), 1);
    assert_int_equal(put(two, "a", 1, 2, "y"), MEREAU_STORE_OK);
    assert_int_equal(put(one, "a", 1, 3, "z"), MEREAU_STORE_CONFLICT);
    mereau_store_close(one);
    assert_int_equal(version_of(two, "a", NULL), 2);
    mereau_store_close(two);
}

/* --- the schema --- */

static void file_says_whose_it_is_and_how_old(void **state) {
    struct place *place = *state;
    char found[64];
    mereau_store_close(open_store(place->path));
    ask_sql(place->path, "PRAGMA application_id", found);
    assert_string_equal(found, "1835364965");
    ask_sql(place->path, "PRAGMA user_version", found);
    assert_string_equal(found, "1");
    ask_sql(place->path, "PRAGMA journal_mode", found);
    assert_string_equal(found, "wal");
}

static void newer_schema_is_refused_and_not_touched(void **state) {
    struct place *place = *state;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = open_store(place->path);
    char found[64];

    assert_int_equal(put(store, "a", 0, 7, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
    run_sql(place->path, "PRAGMA user_version=2");
    assert_int_equal(mereau_sqlite_open(&store, place->path, &err),
                     MEREAU_E_UNSUPPORTED);
    assert_null(store);
    assert_string_equal(err.rule, "sqlite.schema");
    ask_sql(place->path, "PRAGMA user_version", found);
    assert_string_equal(found, "2");
    /* Back at what this release knows, everything is still there. */
    run_sql(place->path, "PRAGMA user_version=1");
    store = open_store(place->path);
    assert_int_equal(version_of(store, "a", NULL), 7);
    mereau_store_close(store);
}

static void
database_of_another_program_is_refused_and_not_touched(void **state) {
    static const char *const marks[] = {"CREATE TABLE theirs(x)",
                                        "PRAGMA user_version=1",
                                        "PRAGMA application_id=77"};
    struct place *place = *state;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    char found[64];

    for (size_t i = 0; i < 3; i++) {
        unlink(place->path);
        run_sql(place->path, marks[i]);
        assert_int_equal(mereau_sqlite_open(&store, place->path, &err),
                         MEREAU_E_STORE);
        assert_null(store);
        assert_int_equal(err.host_code, SQLITE_NOTADB);
        ask_sql(place->path, "PRAGMA journal_mode", found);
        assert_string_equal(found, "delete");
        ask_sql(place->path,
                "SELECT count(*) FROM sqlite_master WHERE name='record'",
                found);
        assert_string_equal(found, "0");
    }
}

static void file_that_is_no_database_is_refused_and_not_touched(void **state) {
    struct place *place = *state;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    char text[200];
    FILE *file = fopen(place->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 500; i++)
        fputs("these are not the bytes of a database ", file);
    fclose(file);
    assert_int_equal(mereau_sqlite_open(&store, place->path, &err),
                     MEREAU_E_STORE);
    assert_int_equal(err.host_code & 0xff, SQLITE_NOTADB);
    file = fopen(place->path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    fclose(file);
    assert_int_equal(strncmp(text, "these are not", 13), 0);
}

static void older_schema_is_upgraded_in_place(void **state) {
    struct place *place = *state;
    mereau_store *store;
    char found[64];
    /* The oldest there is: marked as ours, without a table. */
    run_sql(place->path, "PRAGMA application_id=1835364965");
    store = open_store(place->path);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
    ask_sql(place->path, "PRAGMA user_version", found);
    assert_string_equal(found, "1");
}

static void known_sqlite_bug_is_told_by_version(void **state) {
    int version = sqlite3_libversion_number();
    int told = mereau_sqlite_warning()[0] != 0;
    (void)state;
    if (version >= 3051003)
        assert_false(told);
    else if (version < 3044006)
        assert_true(told);
}

/* --- locks and groups --- */

static void locked_file_is_busy_and_nothing_applies(void **state) {
    struct place *place = *state;
    mereau_store *store = open_store(place->path);
    sqlite3 *other = NULL;

    assert_int_equal(sqlite3_open(place->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_BUSY);
    assert_int_equal(version_of(store, "a", NULL), MEREAU_VERSION_ABSENT);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
}

/* --- a disk that fails: a file system of SQLite's with planted faults --- */

static struct faults {
    pthread_mutex_t lock;
    int sync_code; /* what syncs of the log answer; 0: they work */
    int write_code; /* what writes of the log answer */
    unsigned syncs;
    sqlite3_vfs *real, shim;
    sqlite3_io_methods methods;
    int (*sync)(sqlite3_file *, int);
    int (*write)(sqlite3_file *, const void *, int, sqlite3_int64);
} faults = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int faulty_sync(sqlite3_file *file, int flags) {
    int code;
    pthread_mutex_lock(&faults.lock);
    faults.syncs++;
    code = faults.sync_code;
    pthread_mutex_unlock(&faults.lock);
    return code != 0 ? code : faults.sync(file, flags);
}

static int faulty_write(sqlite3_file *file, const void *data, int len,
                        sqlite3_int64 at) {
    int code;
    pthread_mutex_lock(&faults.lock);
    code = faults.write_code;
    pthread_mutex_unlock(&faults.lock);
    return code != 0 ? code : faults.write(file, data, len, at);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
                       int flags, int *out) {
    int code = faults.real->xOpen(faults.real, name, file, flags, out);
    (void)vfs;
    if (code != SQLITE_OK || !(flags & SQLITE_OPEN_WAL))
        return code;
    pthread_mutex_lock(&faults.lock);
    if (faults.sync == NULL) {
        faults.methods = *file->pMethods;
        faults.sync = file->pMethods->xSync;
        faults.write = file->pMethods->xWrite;
        faults.methods.xSync = faulty_sync;
        faults.methods.xWrite = faulty_write;
    }
    pthread_mutex_unlock(&faults.lock);
    file->pMethods = &faults.methods;
    return code;
}

static int set_up_faults(void **state) {
    faults.real = sqlite3_vfs_find(NULL);
    faults.shim = *faults.real;
    faults.shim.zName = "faulty";
    faults.shim.xOpen = faulty_open;
    faults.sync_code = faults.write_code = 0;
    if (sqlite3_vfs_register(&faults.shim, 1) != SQLITE_OK)
        return -1;
    return set_up(state);
}

static int tear_down_faults(void **state) {
    sqlite3_vfs_unregister(&faults.shim);
    sqlite3_vfs_register(faults.real, 1);
    return tear_down(state);
}

static void set_faults(int sync_code, int write_code) {
    pthread_mutex_lock(&faults.lock);
    faults.sync_code = sync_code;
    faults.write_code = write_code;
    pthread_mutex_unlock(&faults.lock);
}

static void failed_sync_of_a_commit_is_unknown(void **state) {
    struct place *place = *state;
    mereau_store *store = open_store(place->path);
    uint64_t version;

    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    set_faults(SQLITE_IOERR_FSYNC, 0);
    assert_int_equal(put(store, "a", 1, 2, "y"), MEREAU_STORE_UNKNOWN);
    set_faults(0, 0);
    /* One or the other, and the store works again. */
    version = version_of(store, "a", NULL);
    assert_true(version == 1 || version == 2);
    assert_int_equal(put(store, "a", version, 3, "z"), MEREAU_STORE_OK);
    assert_int_equal(version_of(store, "a", NULL), 3);
    mereau_store_close(store);
}

static void
nothing_is_answered_from_a_log_that_could_not_be_synced(void **state) {
    struct place *place = *state;
    mereau_store *store = open_store(place->path);
    int32_t result;

    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    set_faults(SQLITE_IOERR_FSYNC, 0);
    assert_int_equal(put(store, "a", 1, 2, "y"), MEREAU_STORE_UNKNOWN);
    (void)version_of(store, "a", &result);
    assert_int_equal(result, MEREAU_STORE_IO);
    assert_int_equal(put(store, "a", 1, 2, "y"), MEREAU_STORE_IO);
    set_faults(0, 0);
    assert_true(version_of(store, "a", &result) <= 2);
    assert_int_equal(result, MEREAU_STORE_OK);
    mereau_store_close(store);
}

static void log_that_is_found_is_synced_before_use(void **state) {
    struct place *place = *state;
    mereau_store *store = open_store(place->path), *other = NULL;
    unsigned before;

    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    before = faults.syncs;
    other = open_store(place->path);
    assert_true(faults.syncs > before);
    mereau_store_close(other);
    set_faults(SQLITE_IOERR_FSYNC, 0);
    assert_int_equal(mereau_sqlite_open(&other, place->path, NULL),
                     MEREAU_E_STORE);
    assert_null(other);
    set_faults(0, 0);
    mereau_store_close(store);
}

static void failed_write_of_a_commit_is_unknown(void **state) {
    struct place *place = *state;
    mereau_store *store = open_store(place->path);

    set_faults(0, SQLITE_IOERR_WRITE);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_UNKNOWN);
    set_faults(0, 0);
    assert_int_equal(put(store, "b", 0, 1, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
}

static void full_disk_is_a_limit_and_nothing_applies(void **state) {
    struct place *place = *state;
    mereau_store *store = open_store(place->path);

    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    set_faults(0, SQLITE_FULL);
    assert_int_equal(put(store, "a", 1, 2, "y"), MEREAU_STORE_LIMIT);
    assert_int_equal(version_of(store, "a", NULL), 1); /* reads go on */
    set_faults(0, 0);
    mereau_store_close(store);
    store = open_store(place->path);
    assert_int_equal(version_of(store, "a", NULL), 1);
    assert_int_equal(put(store, "a", 1, 2, "y"), MEREAU_STORE_OK);
    mereau_store_close(store);
}

static void conflict_stays_a_conflict_on_a_failing_disk(void **state) {
    struct place *place = *state;
    mereau_store *store = open_store(place->path);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    set_faults(SQLITE_IOERR_FSYNC, SQLITE_IOERR_WRITE);
    assert_int_equal(put(store, "a", 0, 2, "y"), MEREAU_STORE_CONFLICT);
    set_faults(0, 0);
    mereau_store_close(store);
}

/* A batch that does not fit the cache is written before its COMMIT. */
static void
failed_write_before_the_commit_is_io_and_nothing_applies(void **state) {
    static uint8_t bytes[MEREAU_MAX_VALUE];
    struct place *place = *state;
    mereau_store *store = open_store(place->path);
    mereau_need need = {0};
    mereau_write writes[64] = {{0}};
    char keys[64][8];
    size_t failed = SIZE_MAX;

    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_COMMIT;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.writes = writes;
    need.n_writes = 64;
    for (unsigned i = 0; i < 64; i++) {
        snprintf(keys[i], sizeof keys[i], "k%02u", i);
        writes[i].kind = MEREAU_WRITE_PUT;
        writes[i].record.key = (const uint8_t *)keys[i];
        writes[i].record.key_len = 3;
        writes[i].record.value = bytes;
        writes[i].record.value_len = sizeof bytes;
        writes[i].record.version = 1;
    }
    set_faults(0, SQLITE_IOERR_WRITE);
    assert_int_equal(store->commit(store->user, &need, &failed),
                     MEREAU_STORE_IO);
    set_faults(0, 0);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(version_of(store, keys[i], NULL),
                         MEREAU_VERSION_ABSENT);
    assert_int_equal(store->commit(store->user, &need, &failed),
                     MEREAU_STORE_OK);
    mereau_store_close(store);
}

/* --- one sync for many callers --- */

enum { CALLERS = 16, EACH = 30 };

struct caller {
    mereau_store *store;
    unsigned index;
    int failures;
};

/* Also reads: more callers than there are connections to read with. */
static void *commit_each(void *arg) {
    struct caller *caller = arg;
    char key[32];
    for (unsigned i = 0; i < EACH; i++) {
        snprintf(key, sizeof key, "%u-%u", caller->index, i);
        caller->failures +=
            put(caller->store, key, 0, i + 1, "x") != MEREAU_STORE_OK ||
            version_of(caller->store, key, NULL) != i + 1;
    }
    return NULL;
}

static int slow_sync(sqlite3_file *file, int flags) {
    struct timespec time = {0, 2000000}; /* a disk of 2 ms */
    nanosleep(&time, NULL);
    return faulty_sync(file, flags);
}

static void callers_at_once_share_syncs(void **state) {
    struct place *place = *state;
    mereau_store *store = open_store(place->path);
    struct caller callers[CALLERS];
    pthread_t ids[CALLERS];
    unsigned before;

    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    faults.methods.xSync = slow_sync;
    before = faults.syncs;
    for (unsigned i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){store, i, 0};
        assert_int_equal(
            pthread_create(&ids[i], NULL, commit_each, &callers[i]), 0);
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        pthread_join(ids[i], NULL);
        assert_int_equal(callers[i].failures, 0);
    }
    faults.methods.xSync = faulty_sync;
    /* Alone they would take one each. */
    assert_true(faults.syncs - before < CALLERS * EACH / 3);
    assert_true(faults.syncs - before >= EACH);
    mereau_store_close(store);
}

static void every_commit_is_synced(void **state) {
    struct place *place = *state;
    mereau_store *store = open_store(place->path);
    char key[16];
    unsigned before = faults.syncs;
    for (unsigned i = 0; i < 10; i++) {
        snprintf(key, sizeof key, "%u", i);
        assert_int_equal(put(store, key, 0, 1, "x"), MEREAU_STORE_OK);
    }
    assert_true(faults.syncs - before >= 10);
    mereau_store_close(store);
}

/* --- processes --- */

static void store_is_not_used_across_a_fork(void **state) {
    struct place *place = *state;
    mereau_store *store = open_store(place->path);
    int status;
    pid_t child;

    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    child = fork();
    if (child == 0) {
        int32_t result = MEREAU_STORE_OK;
        int wrong = put(store, "a", 1, 2, "y") != MEREAU_STORE_IO;
        version_of(store, "a", &result);
        wrong |= result != MEREAU_STORE_IO;
        mereau_store_close(store); /* leaves the parent's file alone */
        _exit(wrong);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(put(store, "a", 1, 2, "y"), MEREAU_STORE_OK);
    assert_int_equal(version_of(store, "a", NULL), 2);
    mereau_store_close(store);
}

static void make_at_once(const char *path) {
    enum { N = 8 };
    pid_t children[N];
    mereau_store *store;
    char key[8];

    for (unsigned i = 0; i < N; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            int32_t result = MEREAU_STORE_IO;
            if (mereau_sqlite_open(&store, path, NULL) == MEREAU_OK) {
                snprintf(key, sizeof key, "k%u", i);
                result = put(store, key, 0, i + 1, "x");
                mereau_store_close(store);
            }
            _exit(result != MEREAU_STORE_OK);
        }
        assert_true(children[i] > 0);
    }
    for (unsigned i = 0; i < N; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    store = open_store(path);
    for (unsigned i = 0; i < N; i++) {
        snprintf(key, sizeof key, "k%u", i);
        assert_int_equal(version_of(store, key, NULL), i + 1);
    }
    mereau_store_close(store);
}

static void processes_make_a_new_file_at_once(void **state) {
    struct place *place = *state;
    char name[16], path[128];
    for (unsigned round = 0; round < 25; round++) {
        snprintf(name, sizeof name, "new%u", round);
        make_at_once(folder_file(&place->folder, name, path));
    }
}

/* The child counts up one key and says each number that was answered with OK. */
static void count_until_killed(const char *path, int out) {
    mereau_store *store = NULL;
    uint64_t version;
    if (mereau_sqlite_open(&store, path, NULL) != MEREAU_OK)
        _exit(1);
    for (version = version_of(store, "a", NULL);; version++)
        if (put(store, "a", version, version + 1, "x") != MEREAU_STORE_OK ||
            write(out, &version, sizeof version) != sizeof version)
            _exit(1);
}

static void killed_writer_loses_nothing_that_was_answered(void **state) {
    struct place *place = *state;
    char found[64];
    for (int round = 0; round < 12; round++) {
        uint64_t last = 0, now;
        struct timespec time = {0, (round * 7 % 40 + 2) * 1000000L};
        mereau_store *store;
        int ends[2], status;
        pid_t child;

        assert_int_equal(pipe(ends), 0);
        child = fork();
        if (child == 0) {
            close(ends[0]);
            count_until_killed(place->path, ends[1]);
        }
        assert_true(child > 0);
        close(ends[1]);
        assert_int_equal(read(ends[0], &last, sizeof last), sizeof last);
        nanosleep(&time, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        while (read(ends[0], &now, sizeof now) == sizeof now)
            last = now;
        close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        store = open_store(place->path);
        now = version_of(store, "a", NULL);
        /* The answered ones, and at most the one under way. */
        assert_true(now == last + 1 || now == last + 2);
        mereau_store_close(store);
    }
    ask_sql(place->path, "PRAGMA integrity_check", found);
    assert_string_equal(found, "ok");
}

#define WITH_FOLDER(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define WITH_FAULTS(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up_faults, tear_down_faults)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(passes_the_store_kit),
        WITH_FOLDER(passes_the_store_kit_twice_on_one_file),
        WITH_FOLDER(new_files_are_for_their_owner_only),
        WITH_FOLDER(rights_of_a_file_that_is_there_are_kept),
        WITH_FOLDER(bad_paths_are_refused),
        WITH_FOLDER(store_survives_a_change_of_the_working_folder),
        WITH_FOLDER(two_stores_on_one_file_see_each_other),
        WITH_FOLDER(file_says_whose_it_is_and_how_old),
        WITH_FOLDER(newer_schema_is_refused_and_not_touched),
        WITH_FOLDER(database_of_another_program_is_refused_and_not_touched),
        WITH_FOLDER(file_that_is_no_database_is_refused_and_not_touched),
        WITH_FOLDER(older_schema_is_upgraded_in_place),
        WITH_FOLDER(known_sqlite_bug_is_told_by_version),
        WITH_FOLDER(locked_file_is_busy_and_nothing_applies),
        WITH_FAULTS(failed_sync_of_a_commit_is_unknown),
        WITH_FAULTS(nothing_is_answered_from_a_log_that_could_not_be_synced),
        WITH_FAULTS(log_that_is_found_is_synced_before_use),
        WITH_FAULTS(failed_write_of_a_commit_is_unknown),
        WITH_FAULTS(full_disk_is_a_limit_and_nothing_applies),
        WITH_FAULTS(conflict_stays_a_conflict_on_a_failing_disk),
        WITH_FAULTS(failed_write_before_the_commit_is_io_and_nothing_applies),
        WITH_FAULTS(callers_at_once_share_syncs),
        WITH_FAULTS(every_commit_is_synced),
        WITH_FOLDER(store_is_not_used_across_a_fork),
        WITH_FOLDER(processes_make_a_new_file_at_once),
        WITH_FOLDER(killed_writer_loses_nothing_that_was_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
