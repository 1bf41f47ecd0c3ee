/* lib/adapters/sqlite/open.c - opens and closes a SQLite store. */
#if !defined(_XOPEN_SOURCE) || _XOPEN_SOURCE < 700
#undef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "sqlite_store.h"

#include <errno.h>
#include <stdlib.h>

#include <mereau/sqlite.h>

static void sqlite_close(void *user) {
    struct mru_sqlite *store = user;
    /* In a forked child the connections are the parent's: even to close them
     * would touch its locks. They are left alone. */
    if (store->process == mru_process_id()) {
        mru_sqlite_drop_idle(store);
        mru_sqlite_conn_close(store->writer);
        (void)pthread_mutex_destroy(&store->opening);
        (void)pthread_cond_destroy(&store->freed);
        (void)pthread_mutex_destroy(&store->lock);
    }
    free(store->path);
    mru_free(store);
}

static struct mru_sqlite *store_new(void) {
    struct mru_sqlite *store = mru_alloc(sizeof *store);
    if (store == NULL)
        return NULL;
    if (pthread_mutex_init(&store->lock, NULL) != 0) {
        mru_free(store);
        return NULL;
    }
    if (pthread_cond_init(&store->freed, NULL) != 0) {
        (void)pthread_mutex_destroy(&store->lock);
        mru_free(store);
        return NULL;
    }
    if (pthread_mutex_init(&store->opening, NULL) != 0) {
        (void)pthread_cond_destroy(&store->freed);
        (void)pthread_mutex_destroy(&store->lock);
        mru_free(store);
        return NULL;
    }
    store->process = mru_process_id();
    store->last = &store->first;
    mereau_store_init(&store->table, sizeof store->table);
    store->table.caps = MEREAU_CAP_DURABLE | MEREAU_CAP_SHARED |
                        MEREAU_CAP_LINEAR | MEREAU_CAP_ORDERED;
    store->table.user = store;
    store->table.get = mru_sqlite_get;
    store->table.commit = mru_sqlite_commit;
    store->table.scan = mru_sqlite_scan;
    store->table.close = sqlite_close;
    return store;
}

static mereau_status open_file(struct mru_sqlite *store, const char *path,
                               mereau_error *err) {
    mereau_status status;
    int code = mru_sqlite_touch(path);
    if (code != 0)
        return mru_refuse_host(err, MEREAU_E_STORE, SQLITE_CANTOPEN,
                               "sqlite.open", "a file that can be made",
                               "no such folder, or no right to write there");
    /* Absolute: the working folder may change before another connection is
     * opened, and a name cannot be taken for a URI or ":memory:". */
    store->path = realpath(path, NULL);
    if (store->path == NULL)
        return errno == ENOMEM
                   ? mru_refuse(err, MEREAU_E_NOMEM, "memory", NULL, NULL, NULL)
                   : mru_refuse_host(err, MEREAU_E_STORE, SQLITE_CANTOPEN,
                                     "sqlite.open", "a file", "none");
    code = mru_sqlite_conn_open(store, 1, &store->writer);
    if (code != SQLITE_OK)
        return mru_refuse_host(
            err,
            (code & 0xff) == SQLITE_NOMEM ? MEREAU_E_NOMEM : MEREAU_E_STORE,
            code, "sqlite.open", "a database", sqlite3_errstr(code));
    status = mru_sqlite_schema(store->writer, err);
    if (status != MEREAU_OK)
        return status;
    code = mru_sqlite_settle(store->writer);
    return code == SQLITE_OK
               ? MEREAU_OK
               : mru_refuse_host(err, MEREAU_E_STORE, code, "sqlite.open",
                                 "a log that can be synced",
                                 sqlite3_errstr(code));
}

mereau_status mereau_sqlite_open(mereau_store **out, const char *path,
                                 mereau_error *err) {
    struct mru_sqlite *store = NULL;
    mereau_status status = mru_error_reset(err);

    if (out != NULL)
        *out = NULL;
    if (status != MEREAU_OK)
        return status;
    if (out == NULL || path == NULL || *path == 0 ||
        strcmp(path, ":memory:") == 0)
        return mru_refuse(err, MEREAU_E_ARG, "sqlite_open.path", NULL,
                          "the path of a file, and a place for the store",
                          path == NULL || out == NULL ? "NULL" : "no file");
    if (sqlite3_threadsafe() == 0)
        return mru_refuse(err, MEREAU_E_UNSUPPORTED, "sqlite.threads", NULL,
                          "a SQLite that is built for threads",
                          "one that is not");
    store = store_new();
    if (store == NULL)
        return mru_refuse(err, MEREAU_E_NOMEM, "memory", NULL, NULL, NULL);
    status = open_file(store, path, err);
    if (status == MEREAU_OK)
        *out = &store->table;
    else
        sqlite_close(store);
    return status;
}

const char *mereau_sqlite_warning(void) {
    int version = sqlite3_libversion_number();
    /* https://sqlite.org/wal.html#walresetbug */
    int fixed = version >= 3051003 ||
                (version >= 3050007 && version < 3051000) ||
                (version >= 3044006 && version < 3045000);
    return fixed ? ""
                 : "This SQLite may have the WAL-reset bug (3.7.0 to 3.51.2): "
                   "use 3.51.3 or later when several processes share a file.";
}
