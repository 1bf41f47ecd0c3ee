/* lib/adapters/sqlite/schema.c - the file: made private, its schema created,
 * upgraded in place, or refused.
 *
 * application_id says that a file is ours, user_version which schema it has. A
 * step of `steps` leads from one version to the next and is never changed once
 * released; all that are missing run in one transaction. */
#if !defined(_XOPEN_SOURCE) || _XOPEN_SOURCE < 700
#undef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "sqlite_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x6d657265 /* "mere" */

static const char *const steps[] = {
    /* 0 -> 1 */
    "CREATE TABLE record("
    " partition BLOB NOT NULL,"
    " key BLOB NOT NULL,"
    " value BLOB NOT NULL,"
    " version INTEGER NOT NULL," /* a uint64_t, bit by bit */
    " drop_at INTEGER NOT NULL," /* Unix seconds; 0: keep */
    " PRIMARY KEY(partition,key)"
    ") WITHOUT ROWID;"
    "PRAGMA application_id=1835364965;"
    "PRAGMA user_version=1;"};

enum { NEWEST = (int)(sizeof steps / sizeof steps[0]) };

int mru_sqlite_touch(const char *path) {
    int file;
    /* SQLite would make it readable for all that umask allows, and its log and
     * index after its example. Not opened here: to close a file drops every lock
     * that this process has on it. */
    if (mknod(path, S_IFREG | S_IRUSR | S_IWUSR, 0) == 0 || errno == EEXIST)
        return 0;
    /* Systems where only root may do that: then the file is new, and nobody has
     * a lock on it yet. */
    file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0)
        return errno == EEXIST ? 0 : errno;
    (void)close(file);
    return 0;
}

static int ask_number(sqlite3 *db, const char *sql, int64_t *number) {
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        *number = sqlite3_column_int64(stmt, 0);
        code = SQLITE_OK;
    } else if (code == SQLITE_DONE) {
        code = SQLITE_ERROR; /* a question that always has an answer */
    }
    (void)sqlite3_finalize(stmt);
    return code;
}

struct facts {
    int64_t application_id, schema, tables;
};

static int look(sqlite3 *db, struct facts *facts) {
    int code = ask_number(db, "PRAGMA application_id", &facts->application_id);
    if (code == SQLITE_OK)
        code = ask_number(db, "PRAGMA user_version", &facts->schema);
    if (code == SQLITE_OK)
        code = ask_number(db, "SELECT count(*) FROM sqlite_master",
                          &facts->tables);
    return code;
}

static mereau_status fail(mereau_error *err, int code, const char *doing) {
    mereau_status status =
        (code & 0xff) == SQLITE_NOMEM ? MEREAU_E_NOMEM : MEREAU_E_STORE;
    return mru_refuse_host(err, status, code, "sqlite.open", doing,
                           sqlite3_errstr(code));
}

static mereau_status judge(const struct facts *facts, mereau_error *err) {
    char wanted[64], found[64];
    if (facts->application_id != APPLICATION_ID &&
        (facts->application_id != 0 || facts->schema != 0 ||
         facts->tables != 0))
        return mru_refuse_host(err, MEREAU_E_STORE, SQLITE_NOTADB,
                               "sqlite.application_id",
                               "a new file, or one of this library",
                               "a database of another program");
    if (facts->schema <= NEWEST && facts->schema >= 0)
        return MEREAU_OK;
    mru_say(wanted, sizeof wanted, "at most schema %d", (int)NEWEST);
    mru_say(found, sizeof found, "schema %lld", (long long)facts->schema);
    return mru_refuse(err, MEREAU_E_UNSUPPORTED, "sqlite.schema", NULL, wanted,
                      found);
}

/* The change of the journal is not covered by the busy handler in all cases, and
 * several processes may open a new file at once. */
static int set_wal(sqlite3 *db) {
    int code = SQLITE_BUSY;
    for (int i = 0; i < 200 && (code & 0xff) == SQLITE_BUSY; i++) {
        sqlite3_stmt *stmt = NULL;
        if (i > 0)
            mru_sleep_ms(10);
        code =
            sqlite3_prepare_v2(db, "PRAGMA journal_mode=WAL", -1, &stmt, NULL);
        if (code == SQLITE_OK)
            code = sqlite3_step(stmt);
        if (code == SQLITE_ROW) {
            const unsigned char *mode = sqlite3_column_text(stmt, 0);
            code = mode != NULL && strcmp((const char *)mode, "wal") == 0
                       ? SQLITE_OK
                       : SQLITE_CANTOPEN; /* this file system cannot */
        } else if (code == SQLITE_DONE) {
            code = SQLITE_ERROR;
        }
        (void)sqlite3_finalize(stmt);
    }
    return code;
}

/* Looks again inside the transaction: another process may have been first. */
static mereau_status upgrade(struct mru_sqlite_conn *conn, mereau_error *err) {
    struct facts facts = {0, 0, 0};
    mereau_status status;
    int code = mru_sqlite_run(conn, MRU_SQL_BEGIN_WRITE);

    if (code != SQLITE_OK)
        return fail(err, code, "the lock for writing");
    code = look(conn->db, &facts);
    status = code == SQLITE_OK ? judge(&facts, err)
                               : fail(err, code, "to read the schema");
    while (status == MEREAU_OK && facts.schema < NEWEST) {
        code = sqlite3_exec(conn->db, steps[facts.schema++], NULL, NULL, NULL);
        if (code != SQLITE_OK)
            status = fail(err, code, "to write the schema");
    }
    if (status == MEREAU_OK &&
        (code = mru_sqlite_run(conn, MRU_SQL_COMMIT)) != SQLITE_OK)
        status = fail(err, code, "to write the schema");
    if (sqlite3_get_autocommit(conn->db) == 0)
        (void)mru_sqlite_run(conn, MRU_SQL_ROLLBACK);
    return status;
}

mereau_status mru_sqlite_schema(struct mru_sqlite_conn *conn,
                                mereau_error *err) {
    struct facts facts = {0, 0, 0};
    /* In one snapshot: another process may be making the schema. */
    int code = mru_sqlite_run(conn, MRU_SQL_BEGIN);
    mereau_status status;

    if (code == SQLITE_OK) {
        code = look(conn->db, &facts);
        (void)mru_sqlite_run(conn, MRU_SQL_ROLLBACK);
    }
    if (code != SQLITE_OK)
        return fail(err, code, "to read the file");
    status = judge(&facts, err); /* before anything of it is changed */
    if (status != MEREAU_OK)
        return status;
    code = set_wal(conn->db);
    if (code != SQLITE_OK)
        return fail(err, code, "write-ahead logging");
    if (facts.schema == NEWEST)
        return MEREAU_OK;
    return upgrade(conn, err);
}
