/* tests/bench/bare.h - what the benchmarks on SQLite share: a store that writes
 * down what one operation asked of it, and the bare transaction: SQLite's own
 * API, the same file settings and statements, which reads and writes the same
 * bytes, but decides nothing and derives nothing. */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <unistd.h>

#include <sqlite3.h>

#include <mereau/sqlite.h>
#include <mereau/system.h>

#include "measure.h"

/* Passes on; writes down when `trace` is set (one thread only). */
struct traced {
    mereau_store table, *inner;
    struct trace *trace;
};

static inline int32_t traced_get(void *user, const mereau_need *need,
                                 mereau_emit emit, void *arg) {
    struct traced *traced = user;
    if (traced->trace != NULL)
        trace_get(traced->trace, need);
    return traced->inner->get(traced->inner->user, need, emit, arg);
}

static inline int32_t traced_commit(void *user, const mereau_need *need,
                                    size_t *failed) {
    struct traced *traced = user;
    if (traced->trace != NULL)
        trace_commit(traced->trace, need);
    return traced->inner->commit(traced->inner->user, need, failed);
}

static inline int32_t traced_scan(void *user, const mereau_need *need,
                                  mereau_emit emit, void *arg) {
    struct traced *traced = user;
    return traced->inner->scan(traced->inner->user, need, emit, arg);
}

static inline void traced_over(struct traced *traced, mereau_store *inner) {
    traced->inner = inner;
    traced->trace = NULL;
    traced->table = *inner;
    traced->table.user = traced;
    traced->table.get = traced_get;
    traced->table.commit = traced_commit;
    traced->table.scan = traced_scan;
    traced->table.close = NULL;
}

/* --- the engine on a store --- */

struct engine {
    struct traced store;
    mereau_ctx *ctx;
    mereau_tenant *tenant;
    char *token; /* of a million counts, of app "opaque" */
};

/* A tenant, its apps "opaque" and "jwt", and a registration token of each: on a
 * store that has them not yet. */
static inline char *engine_mint(struct engine *engine, const char *client_id) {
    mereau_op *op = run(mereau_registration_token_mint(
        engine->tenant, client_id, 1000000, 86400));
    char *token = strdup(mereau_op_text(op, MEREAU_REGISTRATION_TOKEN));
    check(token != NULL, "no memory");
    mereau_op_free(op);
    return token;
}

static inline void engine_open(struct engine *engine, mereau_store *store) {
    static const uint8_t root[32] = "a benchmark's root key, 32 bytes";
    static const char *const formats[] = {"opaque", "jwt"};
    mereau_error err = MEREAU_ERROR_INIT;
    traced_over(&engine->store, store);
    engine->ctx = mereau_ctx_new();
    mereau_ctx_set_store(engine->ctx, &engine->store.table);
    mereau_ctx_set_clock(engine->ctx, mereau_system_clock());
    mereau_ctx_add_root_key(engine->ctx, "bench", root, sizeof root);
    check(mereau_ctx_ready(engine->ctx, &err) == MEREAU_OK, err.text);
    engine->tenant = mereau_tenant_open(engine->ctx, "bench");
    mereau_op_free(
        run(mereau_tenant_create(engine->tenant, "https://id.bench.example")));
    for (int i = 0; i < 2; i++) {
        mereau_op *op = mereau_app_create(engine->tenant, formats[i]);
        mereau_op_set_text(op, MEREAU_CLIENT_ID, formats[i]);
        mereau_op_set_text(op, MEREAU_TOKEN_FORMAT, formats[i]);
        mereau_op_free(run(op));
    }
    engine->token = engine_mint(engine, "opaque");
}

static inline void engine_close(struct engine *engine) {
    free(engine->token);
    mereau_tenant_free(engine->tenant);
    mereau_ctx_free(engine->ctx);
    mereau_store_close(engine->store.inner);
}

enum { REDEEM, EXCHANGE, REFRESH, KINDS };

/* The next step of a device; token: its newest one, replaced. */
static inline void step_of(struct engine *engine, int kind, const char *from,
                           const char *device, char token[200]) {
    static const uint8_t nonce[16] = "a nonce of bench";
    mereau_op *op;
    if (kind == REDEEM) {
        op = mereau_registration_token_redeem(engine->tenant, from, device,
                                              nonce, sizeof nonce);
    } else {
        op = kind == EXCHANGE
                 ? mereau_auth_token_exchange(engine->tenant, token)
                 : mereau_token_refresh(engine->tenant, token);
        mereau_op_set_bytes(op, MEREAU_RETRY_NONCE, nonce, sizeof nonce);
    }
    run(op);
    snprintf(token, 200, "%s",
             mereau_op_text(op, kind == REDEEM ? MEREAU_AUTH_TOKEN
                                               : MEREAU_REFRESH_TOKEN));
    mereau_op_free(op);
}

/* --- the bare client --- */

enum { BEGIN, COMMIT, GET, PUT, REMOVE, STATEMENTS };

struct bare {
    sqlite3 *db;
    sqlite3_stmt *stmts[STATEMENTS];
};

static inline void bare_exec(const struct bare *bare, const char *sql) {
    check(sqlite3_exec(bare->db, sql, NULL, NULL, NULL) == SQLITE_OK,
          sqlite3_errmsg(bare->db));
}

/* Of a file that the store made. Settings as lib/adapters/sqlite/conn.c. */
static inline void bare_open(struct bare *bare, const char *path) {
    static const char *const texts[STATEMENTS] = {
        "BEGIN IMMEDIATE", "COMMIT",
        "SELECT key,value,version,drop_at FROM record"
        " WHERE partition=CAST('bench' AS BLOB) AND key=?1",
        "REPLACE INTO record(partition,key,value,version,drop_at)"
        " VALUES(CAST('bench' AS BLOB),?1,?2,?3,?4)",
        "DELETE FROM record WHERE partition=CAST('bench' AS BLOB) AND key=?1"};
    check(sqlite3_open_v2(path, &bare->db,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                          NULL) == SQLITE_OK,
          "no file");
    bare_exec(bare, "PRAGMA synchronous=FULL;PRAGMA mmap_size=0;"
                    "PRAGMA cache_size=-512;"
                    "PRAGMA journal_size_limit=16777216;");
    for (int i = 0; i < STATEMENTS; i++)
        check(sqlite3_prepare_v3(bare->db, texts[i], -1,
                                 SQLITE_PREPARE_PERSISTENT, &bare->stmts[i],
                                 NULL) == SQLITE_OK,
              sqlite3_errmsg(bare->db));
}

static inline void bare_close(struct bare *bare) {
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(bare->stmts[i]);
    sqlite3_close(bare->db);
}

static inline int bare_step(const struct bare *bare, int which) {
    int code = sqlite3_step(bare->stmts[which]);
    check(code == SQLITE_ROW || code == SQLITE_DONE, sqlite3_errmsg(bare->db));
    sqlite3_reset(bare->stmts[which]);
    return code == SQLITE_ROW;
}

static inline void bare_put(const struct bare *bare,
                            const mereau_record *record) {
    sqlite3_stmt *put = bare->stmts[PUT];
    sqlite3_int64 version;
    memcpy(&version, &record->version, sizeof version);
    sqlite3_bind_blob64(put, 1, record->key, record->key_len, SQLITE_STATIC);
    if (record->value_len == 0)
        sqlite3_bind_zeroblob(put, 2, 0);
    else
        sqlite3_bind_blob64(put, 2, record->value, record->value_len,
                            SQLITE_STATIC);
    sqlite3_bind_int64(put, 3, version);
    sqlite3_bind_int64(put, 4, record->drop_at);
    bare_step(bare, PUT);
}

/* Reads one record, its columns too. 1 when it is there. */
static inline size_t bare_get(const struct bare *bare,
                              const mereau_slice *key) {
    sqlite3_stmt *get = bare->stmts[GET];
    uint8_t value[MEREAU_MAX_VALUE];
    size_t found = 0;
    int code;
    sqlite3_bind_blob64(get, 1, key->data, key->len, SQLITE_STATIC);
    code = sqlite3_step(get);
    check(code == SQLITE_ROW || code == SQLITE_DONE, sqlite3_errmsg(bare->db));
    if (code == SQLITE_ROW) {
        const void *blob = sqlite3_column_blob(get, 1);
        size_t len = (size_t)sqlite3_column_bytes(get, 1);
        check(len <= sizeof value && sqlite3_column_blob(get, 0) != NULL &&
                  sqlite3_column_int64(get, 2) != 0 &&
                  sqlite3_column_int64(get, 3) >= 0,
              "not a record");
        if (len > 0)
            memcpy(value, blob, len);
        found = 1;
    }
    sqlite3_reset(get);
    return found;
}

/* One transaction: reads what was read, writes what was written. Returns how many
 * of the records were there. */
static inline size_t bare_again(const struct bare *bare,
                                const struct trace *trace) {
    size_t found = 0;
    bare_step(bare, BEGIN);
    for (size_t i = 0; i < trace->n_keys; i++)
        found += bare_get(bare, &trace->keys[i]);
    for (size_t i = 0; i < trace->n_writes; i++) {
        const mereau_write *write = &trace->writes[i];
        if (write->kind == MEREAU_WRITE_PUT) {
            bare_put(bare, &write->record);
        } else if (write->kind == MEREAU_WRITE_DELETE) {
            sqlite3_bind_blob64(bare->stmts[REMOVE], 1, write->record.key,
                                write->record.key_len, SQLITE_STATIC);
            bare_step(bare, REMOVE);
        }
    }
    bare_step(bare, COMMIT);
    return found;
}

/* --- files --- */

/* A name for a file that is not there. */
static inline void file_name(char path[32]) {
    int fd;
    snprintf(path, 32, "mereau-bench-XXXXXX");
    fd = mkstemp(path);
    check(fd >= 0 && close(fd) == 0 && remove(path) == 0, "no file");
}

static inline void file_remove(const char *path) {
    char more[48];
    remove(path);
    snprintf(more, sizeof more, "%s-wal", path);
    remove(more);
    snprintf(more, sizeof more, "%s-shm", path);
    remove(more);
}

/* Of a file that nobody writes to: its pages, when all is moved into it. */
static inline double file_bytes(const char *path) {
    sqlite3_stmt *pages = NULL;
    struct bare bare;
    double n;
    bare_open(&bare, path);
    bare_exec(&bare, "PRAGMA wal_checkpoint(TRUNCATE)");
    check(sqlite3_prepare_v2(bare.db, "PRAGMA page_count", -1, &pages, NULL) ==
                  SQLITE_OK &&
              sqlite3_step(pages) == SQLITE_ROW,
          "no size");
    n = sqlite3_column_double(pages, 0);
    sqlite3_finalize(pages);
    check(sqlite3_prepare_v2(bare.db, "PRAGMA page_size", -1, &pages, NULL) ==
                  SQLITE_OK &&
              sqlite3_step(pages) == SQLITE_ROW,
          "no size");
    n *= sqlite3_column_double(pages, 0);
    sqlite3_finalize(pages);
    bare_close(&bare);
    return n;
}

static inline mereau_store *file_store(const char *path) {
    mereau_store *store = NULL;
    mereau_error err = MEREAU_ERROR_INIT;
    check(mereau_sqlite_open(&store, path, &err) == MEREAU_OK, err.text);
    return store;
}

#endif
