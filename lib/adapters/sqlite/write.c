/* lib/adapters/sqlite/write.c - commit. Whoever comes while nobody writes becomes
 * the writer for all that wait: one transaction, one sync. Each commit sees those
 * before it in the same transaction, so the group is as if they had come one
 * after the other; if the transaction fails, none of them was applied.
 *
 * It never reports a success before COMMIT returned, and never calls a commit
 * undone of which it does not know. */
#include "sqlite_store.h"

/* --- one commit inside the transaction --- */

/* The version that is there, or ABSENT. A code of SQLite. */
static int version_of(struct mru_sqlite_conn *conn, const mereau_need *need,
                      const mereau_record *record, uint64_t *version) {
    int code;
    sqlite3_stmt *stmt = mru_sqlite_stmt(conn, MRU_SQL_VERSION, &code);
    sqlite3_int64 bits;

    *version = MEREAU_VERSION_ABSENT;
    if (stmt == NULL)
        return code;
    code = mru_sqlite_bind(stmt, 1, need->partition, need->partition_len);
    if (code == SQLITE_OK)
        code = mru_sqlite_bind(stmt, 2, record->key, record->key_len);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        bits = sqlite3_column_int64(stmt, 0);
        memcpy(version, &bits, sizeof bits);
    }
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* *failed: the first write whose condition does not hold, or n_writes. */
static int examine(struct mru_sqlite_conn *conn, const mereau_need *need,
                   size_t *failed) {
    for (size_t i = 0; i < need->n_writes; i++) {
        const mereau_write *write = &need->writes[i];
        uint64_t version;
        int code;
        if (write->expect == MEREAU_VERSION_ANY)
            continue;
        code = version_of(conn, need, &write->record, &version);
        if (code != SQLITE_OK)
            return code;
        if (version != write->expect) {
            *failed = i;
            return SQLITE_OK;
        }
    }
    *failed = need->n_writes;
    return SQLITE_OK;
}

static int apply_one(struct mru_sqlite_conn *conn, const mereau_need *need,
                     const mereau_write *write) {
    const mereau_record *record = &write->record;
    int put = write->kind == MEREAU_WRITE_PUT, code;
    sqlite3_stmt *stmt =
        mru_sqlite_stmt(conn, put ? MRU_SQL_PUT : MRU_SQL_DELETE, &code);
    sqlite3_int64 bits;

    if (stmt == NULL)
        return code;
    code = mru_sqlite_bind(stmt, 1, need->partition, need->partition_len);
    if (code == SQLITE_OK)
        code = mru_sqlite_bind(stmt, 2, record->key, record->key_len);
    if (code == SQLITE_OK && put)
        code = mru_sqlite_bind(stmt, 3, record->value, record->value_len);
    memcpy(&bits, &record->version, sizeof bits);
    if (code == SQLITE_OK && put)
        code = sqlite3_bind_int64(stmt, 4, bits);
    if (code == SQLITE_OK && put)
        code = sqlite3_bind_int64(stmt, 5, record->drop_at);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Decides one commit and applies it if it holds. A code of SQLite; any other
 * than SQLITE_OK spoils the transaction. */
static int decide(struct mru_sqlite_conn *conn, struct mru_sqlite_turn *turn) {
    const mereau_need *need = turn->need;
    size_t failed = 0;
    int code = examine(conn, need, &failed);

    if (code != SQLITE_OK)
        return code;
    if (failed < need->n_writes) {
        turn->failed = failed;
        turn->result = MEREAU_STORE_CONFLICT;
        return SQLITE_OK;
    }
    for (size_t i = 0; i < need->n_writes && code == SQLITE_OK; i++)
        if (need->writes[i].kind != MEREAU_WRITE_CHECK)
            code = apply_one(conn, need, &need->writes[i]);
    turn->result = MEREAU_STORE_OK;
    return code;
}

/* --- a group of commits --- */

/* All, or only those that would have succeeded, get this answer. */
static void answer(struct mru_sqlite_turn *turns, int32_t result, int all) {
    for (struct mru_sqlite_turn *t = turns; t != NULL; t = t->next)
        if (all || t->result == MEREAU_STORE_OK)
            t->result = result;
}

/* What a failed COMMIT means. BUSY leaves the transaction open, to be rolled
 * back; a full disk kept the last page, which makes it valid, from being
 * written. After an I/O error the pages may be in the log or not. */
static int32_t result_of_commit(int code) {
    switch (code & 0xff) {
    case SQLITE_BUSY:
        return MEREAU_STORE_BUSY;
    case SQLITE_FULL:
        return MEREAU_STORE_LIMIT;
    default:
        return MEREAU_STORE_UNKNOWN;
    }
}

/* Returns 1 when the connection can go on being used. */
static int write_group(struct mru_sqlite_conn *conn,
                       struct mru_sqlite_turn *turns) {
    int code = mru_sqlite_run(conn, MRU_SQL_BEGIN_WRITE);
    if (code != SQLITE_OK) {
        answer(turns, mru_sqlite_result(code), 1);
        return (code & 0xff) == SQLITE_BUSY;
    }
    for (struct mru_sqlite_turn *t = turns; t && code == SQLITE_OK; t = t->next)
        code = decide(conn, t);
    if (code != SQLITE_OK) {
        answer(turns, mru_sqlite_result(code), 1);
    } else {
        code = mru_sqlite_run(conn, MRU_SQL_COMMIT);
        if (code == SQLITE_OK)
            return 1;
        answer(turns, result_of_commit(code), 0);
    }
    if (sqlite3_get_autocommit(conn->db) == 0)
        (void)mru_sqlite_run(conn, MRU_SQL_ROLLBACK);
    return 0;
}

static void set_shaken(struct mru_sqlite *store, int shaken) {
    pthread_mutex_lock(&store->lock);
    store->shaken = shaken;
    pthread_mutex_unlock(&store->lock);
}

/* A new connection, after a failure. */
static int recover(struct mru_sqlite *store) {
    int code = mru_sqlite_conn_open(store, 1, &store->writer);
    if (code == SQLITE_OK && store->shaken) {
        /* The log is opened, and what is in it found, by reading. */
        code = sqlite3_exec(store->writer->db, "SELECT 1 FROM record LIMIT 1",
                            NULL, NULL, NULL);
        if (code == SQLITE_OK)
            code = mru_sqlite_settle(store->writer);
        if (code == SQLITE_OK)
            set_shaken(store, 0);
    }
    if (code != SQLITE_OK) {
        mru_sqlite_conn_close(store->writer);
        store->writer = NULL;
    }
    return code;
}

/* As the writer, without the lock; nobody else changes `shaken`. */
static void write_turns(struct mru_sqlite *store,
                        struct mru_sqlite_turn *turns) {
    int code = store->writer == NULL ? recover(store) : SQLITE_OK;
    if (code != SQLITE_OK) {
        answer(turns, mru_sqlite_result(code), 1);
    } else if (!write_group(store->writer, turns)) {
        set_shaken(store, 1); /* before the last connection may be gone */
        mru_sqlite_conn_close(store->writer);
        store->writer = NULL;
        mru_sqlite_drop_idle(store);
    }
}

void mru_sqlite_hand_on(struct mru_sqlite *store) {
    store->taken = store->first != NULL;
    if (store->first != NULL) {
        store->first->leads = 1;
        (void)pthread_cond_signal(&store->first->woken);
    } else {
        (void)pthread_cond_signal(&store->freed);
    }
}

/* With the lock taken, as the owner of `writer`: writes for all that wait, the
 * caller among them, lets them go, and hands on. */
static void lead(struct mru_sqlite *store) {
    struct mru_sqlite_turn *turns = store->first, *next;
    store->first = NULL;
    store->last = &store->first;
    pthread_mutex_unlock(&store->lock);
    write_turns(store, turns);
    pthread_mutex_lock(&store->lock);
    mru_sqlite_hand_on(store);
    for (; turns != NULL; turns = next) {
        next = turns->next; /* gone as soon as its owner sees `done` */
        turns->done = 1;
        (void)pthread_cond_signal(&turns->woken);
    }
}

/* --- the callback --- */

static void wait_and_write(struct mru_sqlite *store,
                           struct mru_sqlite_turn *turn) {
    pthread_mutex_lock(&store->lock);
    *store->last = turn;
    store->last = &turn->next;
    if (!store->taken)
        store->taken = turn->leads = 1;
    while (!turn->done) {
        if (turn->leads)
            lead(store);
        else
            (void)pthread_cond_wait(&turn->woken, &store->lock);
    }
    pthread_mutex_unlock(&store->lock);
}

int32_t mru_sqlite_commit(void *user, const mereau_need *need, size_t *failed) {
    struct mru_sqlite *store = user;
    struct mru_sqlite_turn turn;
    int32_t result;

    if (store->process != mru_process_id())
        return MEREAU_STORE_IO; /* a fork: the parent's locks are not ours */
    result = mru_writes_allowed(need);
    if (result != MEREAU_STORE_OK)
        return result;
    memset(&turn, 0, sizeof turn);
    turn.need = need;
    turn.failed = SIZE_MAX;
    turn.result = MEREAU_STORE_IO;
    if (pthread_cond_init(&turn.woken, NULL) != 0)
        return MEREAU_STORE_BUSY;
    wait_and_write(store, &turn);
    (void)pthread_cond_destroy(&turn.woken);
    if (turn.result == MEREAU_STORE_CONFLICT && failed != NULL)
        *failed = turn.failed;
    return turn.result;
}
