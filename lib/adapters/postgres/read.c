/* lib/adapters/postgres/read.c - get and scan. Each is one statement, which the
 * server answers from one snapshot. Nothing was applied, so whatever ends the
 * connection is BUSY. */
#include "postgres_store.h"

/* A row as it came: key, value, version, drop_at. 0, or -1: not such a row. */
static int read_row(const PGresult *result, int row, mereau_record *record) {
    if (PQnfields(result) != 4 || PQgetisnull(result, row, 0) ||
        PQgetisnull(result, row, 1) || PQgetlength(result, row, 2) != 8 ||
        PQgetlength(result, row, 3) != 8)
        return -1;
    memset(record, 0, sizeof *record);
    record->key = (const uint8_t *)PQgetvalue(result, row, 0);
    record->key_len = (size_t)PQgetlength(result, row, 0);
    record->value = (const uint8_t *)PQgetvalue(result, row, 1);
    record->value_len = (size_t)PQgetlength(result, row, 1);
    record->version = mru_get_u64((const uint8_t *)PQgetvalue(result, row, 2));
    record->drop_at =
        (int64_t)mru_get_u64((const uint8_t *)PQgetvalue(result, row, 3));
    return 0;
}

/* --- a question and its rows --- */

struct reading {
    struct mru_postgres *store;
    PGconn *conn;
    int64_t deadline;
    int32_t result;
    int broken;
};

/* Takes a connection and sends the statement. */
static void ask(struct reading *reading, enum mru_postgres_sql sql,
                const struct mru_postgres_params *params) {
    reading->result = mru_postgres_take(reading->store, &reading->conn);
    if (reading->result != MEREAU_STORE_OK)
        return;
    reading->deadline =
        mru_postgres_now_ms() + reading->store->options.timeout_ms;
    if (!mru_postgres_send(reading->store, reading->conn, sql, params)) {
        reading->result = MEREAU_STORE_BUSY;
        reading->broken = 1;
    }
}

static void judge(struct reading *reading, const PGresult *result) {
    struct mru_postgres_verdict verdict = mru_postgres_judge(result);
    if (verdict.forgotten)
        mru_postgres_forget(reading->conn);
    reading->broken |= verdict.broken;
    /* Not to know, or to have lost a race, is to ask again. */
    reading->result = verdict.result == MEREAU_STORE_UNKNOWN ||
                              verdict.result == MEREAU_STORE_CONFLICT
                          ? MEREAU_STORE_BUSY
                          : verdict.result;
}

/* The next result with rows, perhaps none; NULL at the end or after a failure. */
static PGresult *next(struct reading *reading) {
    PGresult *result;
    ExecStatusType status;
    if (reading->conn == NULL || reading->broken)
        return NULL;
    if (mru_postgres_wait(reading->conn, reading->deadline) != 0) {
        reading->broken = 1;
        reading->result = MEREAU_STORE_BUSY;
        return NULL;
    }
    result = PQgetResult(reading->conn);
    if (result == NULL)
        return NULL;
    status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_SINGLE_TUPLE) {
        judge(reading, result);
        /* A result without rows: the last one, NULL, may still have to be
         * fetched. */
        if (status != PGRES_FATAL_ERROR)
            reading->broken = 1;
    }
    return result;
}

static int32_t finish(struct reading *reading, int stopped) {
    mru_postgres_give(reading->store, reading->conn, reading->broken);
    if (reading->result == MEREAU_STORE_OK && stopped)
        return MEREAU_STORE_STOPPED;
    return reading->result;
}

/* --- get --- */

/* bytea[] in the server's binary form: dimensions, no NULLs, the type of the
 * elements, length and first index, then each element with its length. */
static void array_of(struct mru_buf *out, const mereau_need *need) {
    mru_buf_add_u32(out, 1);
    mru_buf_add_u32(out, 0);
    mru_buf_add_u32(out, 17); /* bytea */
    mru_buf_add_u32(out, (uint32_t)need->n_keys);
    mru_buf_add_u32(out, 1);
    for (size_t i = 0; i < need->n_keys; i++) {
        mru_buf_add_u32(out, (uint32_t)need->keys[i].len);
        mru_buf_add(out, need->keys[i].data, need->keys[i].len);
    }
}

/* The row of a key, or -1. They come in the order of the keys, which the engine
 * does not promise: from is where this one is expected. */
static int row_of(const PGresult *result, const mereau_slice *key, int from) {
    int n = PQntuples(result);
    for (int i = 0; i < n; i++) {
        int row = (from + i) % n;
        if ((size_t)PQgetlength(result, row, 0) == key->len &&
            memcmp(PQgetvalue(result, row, 0), key->data, key->len) == 0)
            return row;
    }
    return -1;
}

/* Emits each key; a row that belongs to no key is a broken answer. 0, 1 when emit
 * said stop, -1. */
static int emit_keys(const PGresult *result, const mereau_need *need,
                     mereau_emit emit, void *arg) {
    int found = 0;
    mereau_record record;
    for (size_t i = 0; i < need->n_keys; i++) {
        int row = row_of(result, &need->keys[i], found);
        if (row >= 0) {
            found++;
            if (read_row(result, row, &record) != 0)
                return -1;
        }
        if (emit(arg, i, row >= 0 ? &record : NULL) != 0)
            return 1;
    }
    return found == PQntuples(result) ? 0 : -1;
}

int32_t mru_postgres_get(void *user, const mereau_need *need, mereau_emit emit,
                         void *arg) {
    struct reading reading = {user, NULL, 0, MEREAU_STORE_OK, 0};
    struct mru_postgres_params params = {0};
    struct mru_buf keys = {0};
    PGresult *result;
    int outcome = 0;

    if (reading.store->process != mru_process_id())
        return MEREAU_STORE_IO; /* a fork: the parent's sockets are not ours */
    if (need->n_keys > INT32_MAX / (MEREAU_MAX_KEY + 4) - 8)
        return MEREAU_STORE_LIMIT;
    array_of(&keys, need);
    if (keys.failed) {
        mru_buf_free(&keys);
        return MEREAU_STORE_BUSY;
    }
    mru_postgres_bytes(&params, need->partition, need->partition_len);
    mru_postgres_bytes(&params, keys.data, keys.len);
    ask(&reading, MRU_PG_GET, &params);
    while ((result = next(&reading)) != NULL) {
        if (PQresultStatus(result) == PGRES_TUPLES_OK)
            outcome = emit_keys(result, need, emit, arg);
        PQclear(result);
    }
    mru_buf_free(&keys);
    if (outcome < 0 && reading.result == MEREAU_STORE_OK)
        reading.result = MEREAU_STORE_IO;
    return finish(&reading, outcome > 0);
}

/* --- scan --- */

int32_t mru_postgres_scan(void *user, const mereau_need *need, mereau_emit emit,
                          void *arg) {
    struct reading reading = {user, NULL, 0, MEREAU_STORE_OK, 0};
    struct mru_postgres_params params = {0};
    mereau_record record;
    PGresult *result;
    size_t index = 0;
    int stopped = 0, bad = 0;

    if (reading.store->process != mru_process_id())
        return MEREAU_STORE_IO; /* a fork: the parent's sockets are not ours */
    mru_postgres_bytes(&params, need->partition, need->partition_len);
    mru_postgres_bytes(&params, need->from, need->from_len);
    mru_postgres_number(&params,
                        need->limit > INT32_MAX ? INT32_MAX : need->limit);
    if (need->to_len > 0)
        mru_postgres_bytes(&params, need->to, need->to_len);
    ask(&reading, need->to_len > 0 ? MRU_PG_SCAN_TO : MRU_PG_SCAN, &params);
    /* Row by row: a page of large values need not be in memory at once. */
    if (reading.conn != NULL && !reading.broken)
        (void)PQsetSingleRowMode(reading.conn);
    while ((result = next(&reading)) != NULL) {
        for (int row = 0; row < PQntuples(result) && !stopped && !bad; row++) {
            bad = read_row(result, row, &record);
            if (!bad)
                stopped = emit(arg, index++, &record) != 0;
        }
        PQclear(result);
    }
    if (bad && reading.result == MEREAU_STORE_OK)
        reading.result = MEREAU_STORE_IO;
    return finish(&reading, stopped);
}
