/* lib/adapters/sqlite/sqlite_store.h - inside of the SQLite store.
 *
 * One connection of the process writes, and takes all commits that wait in one
 * transaction (write.c): one sync for many callers. Who reads while nobody writes
 * borrows it, since its cache is warm: another connection's is empty after each
 * commit. Who reads meanwhile has a connection of a pool (conn.c).
 * Nothing here survives a fork: SQLite's locks do not. */
#ifndef MRU_SQLITE_STORE_H
#define MRU_SQLITE_STORE_H

#include <pthread.h>
#include <sqlite3.h>

#include <mereau/host.h>

#include "../../base/need.h"
#include "../../port/port.h"

/* The statements of a connection, prepared at first use and kept. */
enum mru_sqlite_sql {
    MRU_SQL_BEGIN,
    MRU_SQL_BEGIN_WRITE,
    MRU_SQL_COMMIT,
    MRU_SQL_ROLLBACK,
    MRU_SQL_GET,
    MRU_SQL_VERSION,
    MRU_SQL_PUT,
    MRU_SQL_DELETE,
    MRU_SQL_SCAN,
    MRU_SQL_SCAN_TO,
    MRU_SQL_COUNT
};

/* A connection; used by one thread at a time. */
struct mru_sqlite_conn {
    struct mru_sqlite_conn *next;
    sqlite3 *db;
    int writes; /* it is the one that writes */
    sqlite3_stmt *stmts[MRU_SQL_COUNT];
};

/* A commit that waits for its turn; on its caller's stack. */
struct mru_sqlite_turn {
    struct mru_sqlite_turn *next;
    const mereau_need *need;
    size_t failed;
    int32_t result;
    int done;
    int leads; /* to write for all that wait, this one among them */
    pthread_cond_t woken;
};

struct mru_sqlite {
    mereau_store table; /* first: what the caller holds */
    char *path; /* absolute */
    uint64_t process;
    pthread_mutex_t opening; /* held, alone, while a connection is opened */
    pthread_mutex_t lock; /* guards all that follows */
    struct mru_sqlite_conn *idle; /* readers */
    size_t n_readers; /* those in use, too */
    pthread_cond_t freed; /* a reader, or the writer */
    int taken; /* a caller owns `writer`, to write or to read */
    struct mru_sqlite_conn *writer; /* NULL: to be opened by the next writer */
    int shaken; /* a commit failed: see mru_sqlite_settle() */
    struct mru_sqlite_turn *first, **last;
};

/* --- conn.c --- */

/* SQLITE_OK and *out, or a code of SQLite. One at a time: see conn.c. */
int mru_sqlite_conn_open(struct mru_sqlite *store, int writes,
                         struct mru_sqlite_conn **out);
/* Also after a failure in the middle: what was begun is rolled back. */
void mru_sqlite_conn_close(struct mru_sqlite_conn *conn);
/* NULL: *code says why. */
sqlite3_stmt *mru_sqlite_stmt(struct mru_sqlite_conn *conn,
                              enum mru_sqlite_sql sql, int *code);
/* Runs a statement that has no rows and no parameters. */
int mru_sqlite_run(struct mru_sqlite_conn *conn, enum mru_sqlite_sql sql);
/* Binds bytes; an empty run is an empty blob, never NULL. */
int mru_sqlite_bind(sqlite3_stmt *stmt, int at, const uint8_t *data,
                    size_t len);
/* Syncs the log. The first connection to a file finds what was in the log, synced or
 * not: a process that was killed, or a commit whose sync failed, left it there.
 * Nobody may be answered from that before it is safe. */
int mru_sqlite_settle(struct mru_sqlite_conn *conn);
/* What a store answers for a code when nothing was applied. */
int32_t mru_sqlite_result(int code);
/* A connection to read with, and back. quick: for no longer than a few look-ups
 * that call nobody: it may be the writer's, and is waited for when there are
 * enough; otherwise one of the pool, or a new one. broken: it is closed. */
int mru_sqlite_take(struct mru_sqlite *store, int quick,
                    struct mru_sqlite_conn **out);
void mru_sqlite_give(struct mru_sqlite *store, struct mru_sqlite_conn *conn,
                     int broken);

/* Closes the readers that nobody uses, after a failure. */
void mru_sqlite_drop_idle(struct mru_sqlite *store);

/* --- schema.c --- */

/* Makes the file when it is not there, readable by its owner only. 0 or an
 * errno. */
int mru_sqlite_touch(const char *path);
/* Creates or upgrades the schema of an open file, or refuses it. */
mereau_status mru_sqlite_schema(struct mru_sqlite_conn *conn,
                                mereau_error *err);

/* --- read.c, write.c --- */

int32_t mru_sqlite_get(void *user, const mereau_need *need, mereau_emit emit,
                       void *arg);
int32_t mru_sqlite_scan(void *user, const mereau_need *need, mereau_emit emit,
                        void *arg);
int32_t mru_sqlite_commit(void *user, const mereau_need *need, size_t *failed);
/* With the lock taken: the caller owns `writer` no more; the first that waits
 * does. */
void mru_sqlite_hand_on(struct mru_sqlite *store);

#endif
