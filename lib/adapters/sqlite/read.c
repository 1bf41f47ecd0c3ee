/* lib/adapters/sqlite/read.c - get and scan. A get of several keys is one read
 * transaction, which in WAL mode is one snapshot that no writer disturbs. */
#include "sqlite_store.h"

/* The row that stmt stands on. 0, or -1 without memory. */
static int read_row(sqlite3_stmt *stmt, mereau_record *record) {
    static const uint8_t nothing[1] = {0};
    sqlite3_int64 version = sqlite3_column_int64(stmt, 2);

    memset(record, 0, sizeof *record);
    record->key = sqlite3_column_blob(stmt, 0);
    record->key_len = (size_t)sqlite3_column_bytes(stmt, 0);
    record->value = sqlite3_column_blob(stmt, 1);
    record->value_len = (size_t)sqlite3_column_bytes(stmt, 1);
    /* The bits of a uint64_t, as write.c stored them. */
    memcpy(&record->version, &version, sizeof version);
    record->drop_at = sqlite3_column_int64(stmt, 3);
    if (record->key == NULL || (record->value == NULL && record->value_len > 0))
        return -1;
    if (record->value == NULL)
        record->value = nothing;
    return 0;
}

/* Emits one key of a get. SQLITE_OK, SQLITE_ABORT when emit said stop, or
 * another code. */
static int get_one(sqlite3_stmt *stmt, const mereau_need *need, size_t index,
                   mereau_emit emit, void *arg) {
    mereau_record record;
    int32_t stop = 0;
    int code = mru_sqlite_bind(stmt, 1, need->partition, need->partition_len);
    if (code == SQLITE_OK)
        code = mru_sqlite_bind(stmt, 2, need->keys[index].data,
                               need->keys[index].len);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    if (code == SQLITE_DONE) {
        stop = emit(arg, index, NULL);
    } else if (code == SQLITE_ROW) {
        if (read_row(stmt, &record) != 0)
            code = SQLITE_NOMEM;
        else
            stop = emit(arg, index, &record);
    }
    (void)sqlite3_reset(stmt);
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        return code;
    return stop != 0 ? SQLITE_ABORT : SQLITE_OK;
}

static int get_all(struct mru_sqlite_conn *conn, const mereau_need *need,
                   mereau_emit emit, void *arg) {
    int many = need->n_keys > 1, code;
    sqlite3_stmt *stmt = mru_sqlite_stmt(conn, MRU_SQL_GET, &code);

    if (stmt == NULL)
        return code;
    if (many && (code = mru_sqlite_run(conn, MRU_SQL_BEGIN)) != SQLITE_OK)
        return code;
    for (size_t i = 0; i < need->n_keys && code == SQLITE_OK; i++)
        code = get_one(stmt, need, i, emit, arg);
    (void)sqlite3_clear_bindings(stmt);
    if (many)
        (void)mru_sqlite_run(conn, MRU_SQL_ROLLBACK);
    return code;
}

/* LIMIT takes a signed number; a negative one would mean all. */
static sqlite3_int64 limit_of(const mereau_need *need) {
    return need->limit > INT32_MAX ? INT32_MAX : (sqlite3_int64)need->limit;
}

static int scan_all(struct mru_sqlite_conn *conn, const mereau_need *need,
                    mereau_emit emit, void *arg) {
    int bounded = need->to_len > 0, code;
    sqlite3_stmt *stmt =
        mru_sqlite_stmt(conn, bounded ? MRU_SQL_SCAN_TO : MRU_SQL_SCAN, &code);
    mereau_record record;
    size_t index = 0;
    int32_t stop = 0;

    if (stmt == NULL)
        return code;
    code = mru_sqlite_bind(stmt, 1, need->partition, need->partition_len);
    if (code == SQLITE_OK)
        code = mru_sqlite_bind(stmt, 2, need->from, need->from_len);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(stmt, 3, limit_of(need));
    if (code == SQLITE_OK && bounded)
        code = mru_sqlite_bind(stmt, 4, need->to, need->to_len);
    if (code == SQLITE_OK)
        code = SQLITE_ROW;
    while (code == SQLITE_ROW && stop == 0 &&
           (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (read_row(stmt, &record) != 0)
            code = SQLITE_NOMEM;
        else
            stop = emit(arg, index++, &record);
    }
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        return code;
    return stop != 0 ? SQLITE_ABORT : SQLITE_OK;
}

/* Asked after reading: the last connection may have been closed just before it. */
static int is_shaken(struct mru_sqlite *store) {
    int shaken;
    pthread_mutex_lock(&store->lock);
    shaken = store->shaken;
    pthread_mutex_unlock(&store->lock);
    return shaken;
}

static int32_t read_with(int (*read)(struct mru_sqlite_conn *,
                                     const mereau_need *, mereau_emit, void *),
                         int quick, struct mru_sqlite *store,
                         const mereau_need *need, mereau_emit emit, void *arg) {
    struct mru_sqlite_conn *conn = NULL;
    int code;

    if (store->process != mru_process_id())
        return MEREAU_STORE_IO; /* a fork: the parent's locks are not ours */
    code = mru_sqlite_take(store, quick, &conn);
    if (code != SQLITE_OK)
        return mru_sqlite_result(code);
    code = read(conn, need, emit, arg);
    if (code == SQLITE_OK && is_shaken(store))
        code = mru_sqlite_settle(conn);
    mru_sqlite_give(store, conn,
                    (code != SQLITE_OK && code != SQLITE_ABORT) ||
                        sqlite3_get_autocommit(conn->db) == 0);
    return code == SQLITE_ABORT ? MEREAU_STORE_STOPPED
                                : mru_sqlite_result(code);
}

int32_t mru_sqlite_get(void *user, const mereau_need *need, mereau_emit emit,
                       void *arg) {
    return read_with(get_all, 1, user, need, emit, arg);
}

int32_t mru_sqlite_scan(void *user, const mereau_need *need, mereau_emit emit,
                        void *arg) {
    return read_with(scan_all, 0, user, need, emit, arg);
}
