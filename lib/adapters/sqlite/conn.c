/* lib/adapters/sqlite/conn.c - connections of the SQLite store: how they are set
 * up, their statements, the pool of readers, and what codes mean. */
#include "sqlite_store.h"

#include <stdlib.h>

/* More at once get nothing done sooner: SQLite's allocator has one lock, and a
 * connection that is opened for one read costs as much as ten. */
enum { MAX_READERS = 8 };

/* SQLite waits by polling; several processes may want to write. Quick at first,
 * then slower, about 2 s in all; after that the library is told BUSY and waits
 * in its own way. */
static int wait_for_lock(void *unused, int count) {
    (void)unused;
    if (count >= 240)
        return 0;
    mru_sleep_ms(count < 20 ? 1 : count < 60 ? 4 : 10);
    return 1;
}

static int set_up(sqlite3 *db) {
    /* synchronous=FULL: a commit that was answered survives a power loss. No
     * mmap: it makes damage out of I/O errors. The cache is small, a decision
     * reads a few records. */
    static const char sql[] = "PRAGMA synchronous=FULL;"
                              "PRAGMA fullfsync=1;"
                              "PRAGMA checkpoint_fullfsync=1;"
                              "PRAGMA mmap_size=0;"
                              "PRAGMA cache_size=-512;"
                              "PRAGMA journal_size_limit=16777216;";
    int code;
    (void)sqlite3_extended_result_codes(db, 1);
    code = sqlite3_busy_handler(db, wait_for_lock, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return code;
}

static int open_one(const char *path, int writes,
                    struct mru_sqlite_conn **out) {
    /* Each connection is used by one thread at a time, so it needs no lock of
     * its own. */
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    struct mru_sqlite_conn *conn = mru_alloc(sizeof *conn);
    int code = SQLITE_NOMEM;

    *out = NULL;
    if (conn == NULL)
        return code;
    code = sqlite3_open_v2(path, &conn->db, flags, NULL);
    /* What may not be written is opened to read: no use, and see below. */
    if (code == SQLITE_OK && sqlite3_db_readonly(conn->db, "main") == 1)
        code = SQLITE_READONLY;
    if (code == SQLITE_OK)
        code = set_up(conn->db);
    /* Only the writer moves the log into the file. */
    if (code == SQLITE_OK && !writes)
        (void)sqlite3_db_config(conn->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                                NULL);
    conn->writes = writes;
    if (code != SQLITE_OK) {
        mru_sqlite_conn_close(conn);
        return code;
    }
    *out = conn;
    return SQLITE_OK;
}

/* All connections of a process share what SQLite keeps of a file. When it could not
 * write to its shared memory once, it has opened that to read only, and no
 * connection gets anywhere (each tries for 10 s) until the last one is closed. So
 * they are opened one after the other, and a failure closes those that rest: then
 * the next one starts anew. */
int mru_sqlite_conn_open(struct mru_sqlite *store, int writes,
                         struct mru_sqlite_conn **out) {
    int code;
    pthread_mutex_lock(&store->opening);
    code = open_one(store->path, writes, out);
    if (code != SQLITE_OK)
        mru_sqlite_drop_idle(store);
    pthread_mutex_unlock(&store->opening);
    return code;
}

void mru_sqlite_conn_close(struct mru_sqlite_conn *conn) {
    if (conn == NULL)
        return;
    for (size_t i = 0; i < MRU_SQL_COUNT; i++)
        (void)sqlite3_finalize(conn->stmts[i]);
    (void)sqlite3_close_v2(conn->db);
    mru_free(conn);
}

sqlite3_stmt *mru_sqlite_stmt(struct mru_sqlite_conn *conn,
                              enum mru_sqlite_sql sql, int *code) {
    static const char *const texts[MRU_SQL_COUNT] = {
        "BEGIN",
        "BEGIN IMMEDIATE",
        "COMMIT",
        "ROLLBACK",
        "SELECT key,value,version,drop_at FROM record"
        " WHERE partition=?1 AND key=?2",
        "SELECT version FROM record WHERE partition=?1 AND key=?2",
        "REPLACE INTO record(partition,key,value,version,drop_at)"
        " VALUES(?1,?2,?3,?4,?5)",
        "DELETE FROM record WHERE partition=?1 AND key=?2",
        "SELECT key,value,version,drop_at FROM record"
        " WHERE partition=?1 AND key>=?2 ORDER BY key LIMIT ?3",
        "SELECT key,value,version,drop_at FROM record"
        " WHERE partition=?1 AND key>=?2 AND key<?4 ORDER BY key LIMIT ?3"};
    *code = SQLITE_OK;
    if (conn->stmts[sql] == NULL)
        *code = sqlite3_prepare_v3(conn->db, texts[sql], -1,
                                   SQLITE_PREPARE_PERSISTENT, &conn->stmts[sql],
                                   NULL);
    return conn->stmts[sql];
}

int mru_sqlite_run(struct mru_sqlite_conn *conn, enum mru_sqlite_sql sql) {
    int code;
    sqlite3_stmt *stmt = mru_sqlite_stmt(conn, sql, &code);
    if (stmt == NULL)
        return code;
    code = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int mru_sqlite_bind(sqlite3_stmt *stmt, int at, const uint8_t *data,
                    size_t len) {
    if (len == 0)
        return sqlite3_bind_zeroblob(stmt, at, 0);
    return sqlite3_bind_blob64(stmt, at, data, len, SQLITE_STATIC);
}

int mru_sqlite_settle(struct mru_sqlite_conn *conn) {
    sqlite3_file *log = NULL;
    int code = sqlite3_file_control(conn->db, "main",
                                    SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (code != SQLITE_OK || log == NULL || log->pMethods == NULL)
        return code;
    return log->pMethods->xSync(log, SQLITE_SYNC_FULL);
}

int32_t mru_sqlite_result(int code) {
    if (code == SQLITE_IOERR_NOMEM)
        return MEREAU_STORE_BUSY;
    switch (code & 0xff) {
    case SQLITE_OK:
        return MEREAU_STORE_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: /* a race at the start of a read; gone next time */
    case SQLITE_NOMEM: /* may work when there is memory again */
    case SQLITE_INTERRUPT: /* nobody interrupts here; nothing was applied */
        return MEREAU_STORE_BUSY;
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
        return MEREAU_STORE_LIMIT;
    default:
        return MEREAU_STORE_IO;
    }
}

/* --- the pool --- */

/* A connection that is free now; NULL: none. */
static struct mru_sqlite_conn *free_conn(struct mru_sqlite *store, int borrow) {
    struct mru_sqlite_conn *conn = store->idle;
    if (borrow && !store->taken && store->writer != NULL) {
        store->taken = 1;
        return store->writer;
    }
    if (conn != NULL)
        store->idle = conn->next;
    return conn;
}

static void one_reader_less(struct mru_sqlite *store) {
    store->n_readers--;
    (void)pthread_cond_signal(&store->freed);
}

int mru_sqlite_take(struct mru_sqlite *store, int quick,
                    struct mru_sqlite_conn **out) {
    int code = SQLITE_OK;

    pthread_mutex_lock(&store->lock);
    while ((*out = free_conn(store, quick)) == NULL && quick &&
           store->n_readers >= MAX_READERS)
        (void)pthread_cond_wait(&store->freed, &store->lock);
    store->n_readers += *out == NULL;
    pthread_mutex_unlock(&store->lock);
    if (*out != NULL)
        return SQLITE_OK;
    code = mru_sqlite_conn_open(store, 0, out);
    if (code != SQLITE_OK) {
        pthread_mutex_lock(&store->lock);
        one_reader_less(store);
        pthread_mutex_unlock(&store->lock);
    }
    return code;
}

void mru_sqlite_give(struct mru_sqlite *store, struct mru_sqlite_conn *conn,
                     int broken) {
    int closed = broken;
    pthread_mutex_lock(&store->lock);
    if (conn->writes) {
        if (broken)
            store->writer = NULL; /* the next writer opens one */
        mru_sqlite_hand_on(store);
    } else if (broken || store->n_readers > MAX_READERS) {
        one_reader_less(store);
        closed = 1;
    } else {
        conn->next = store->idle;
        store->idle = conn;
        (void)pthread_cond_signal(&store->freed);
    }
    pthread_mutex_unlock(&store->lock);
    if (closed)
        mru_sqlite_conn_close(conn);
}

void mru_sqlite_drop_idle(struct mru_sqlite *store) {
    struct mru_sqlite_conn *idle, *next;
    pthread_mutex_lock(&store->lock);
    idle = store->idle;
    store->idle = NULL;
    for (next = idle; next != NULL; next = next->next)
        one_reader_less(store);
    pthread_mutex_unlock(&store->lock);
    for (; idle != NULL; idle = next) {
        next = idle->next;
        mru_sqlite_conn_close(idle);
    }
}
