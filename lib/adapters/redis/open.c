/* lib/adapters/redis/open.c - opens and closes a Redis store. */
#define _POSIX_C_SOURCE 200809L
#include "redis_store.h"

#include <stdlib.h>
#include <time.h>

void mereau_redis_settings_init(mereau_redis_settings *settings, size_t size) {
    if (settings == NULL || size < sizeof settings->size)
        return;
    if (size > sizeof *settings)
        size = sizeof *settings;
    memset(settings, 0, size);
    settings->size = (uint32_t)size;
}

/* --- settings --- */

static int is_prefix(const char *text) {
    size_t len = strlen(text);
    return len >= 1 && len <= 32 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789._-:") == len;
}

static const char *fault_of(const mereau_redis_settings *set) {
    if (set->port > 65535)
        return "a port above 65535";
    if (set->prefix != NULL && !is_prefix(set->prefix))
        return "a prefix that is not of that form";
    if ((set->take == NULL) != (set->give == NULL))
        return "one of take and give";
    if (set->user != NULL && set->password == NULL && set->take == NULL)
        return "a user without a password";
    return NULL;
}

/* A copy of our own, or 0 for text that was not given. */
static int own(const char **text, const char *otherwise) {
    const char *from = *text != NULL && **text != 0 ? *text : otherwise;
    *text = from == NULL ? NULL : mru_dup(from, strlen(from));
    return from == NULL || *text != NULL ? 0 : -1;
}

static void set_numbers(mereau_redis_settings *set) {
    if (set->port == 0)
        set->port = 6379;
    if (set->connections == 0)
        set->connections = 16;
    if (set->connect_timeout_ms == 0)
        set->connect_timeout_ms = 2000;
    if (set->timeout_ms == 0)
        set->timeout_ms = 2000;
    if (set->keep_longer_s == 0)
        set->keep_longer_s = 3600;
}

/* The texts are ours afterwards, also after a failure. */
static int own_texts(mereau_redis_settings *set) {
    int failed = own(&set->host, "127.0.0.1");
    failed |= own(&set->user, NULL);
    failed |= own(&set->password, NULL);
    failed |= own(&set->prefix, "mereau");
    return failed;
}

/* --- the store --- */

static void free_texts(mereau_redis_settings *set) {
    mru_free((char *)(uintptr_t)set->host);
    mru_free((char *)(uintptr_t)set->user);
    if (set->password != NULL)
        mru_free_wiped((char *)(uintptr_t)set->password, strlen(set->password));
    mru_free((char *)(uintptr_t)set->prefix);
}

static void redis_close(void *user) {
    struct mru_redis *store = user;
    mru_redis_drain(store);
    /* In a forked child the lock may be in the hands of a thread that is not
     * there. */
    if (store->process == mru_process_id()) {
        (void)pthread_cond_destroy(&store->given);
        (void)pthread_mutex_destroy(&store->lock);
    }
    free_texts(&store->set);
    mru_free(store);
}

/* 0, or an errno. */
static int init_locks(struct mru_redis *store) {
    pthread_condattr_t attr;
    int code = pthread_condattr_init(&attr);
    if (code != 0)
        return code;
    code = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (code == 0)
        code = pthread_cond_init(&store->given, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (code != 0)
        return code;
    code = pthread_mutex_init(&store->lock, NULL);
    if (code != 0)
        (void)pthread_cond_destroy(&store->given);
    return code;
}

static struct mru_redis *store_new(const mereau_redis_settings *settings) {
    struct mru_redis *store = mru_alloc(sizeof *store);
    if (store == NULL)
        return NULL;
    store->set = *settings;
    set_numbers(&store->set);
    if (own_texts(&store->set) != 0 || init_locks(store) != 0) {
        free_texts(&store->set);
        mru_free(store);
        return NULL;
    }
    store->process = mru_process_id();
    mereau_store_init(&store->table, sizeof store->table);
    store->table.user = store;
    store->table.get = mru_redis_get;
    store->table.commit = mru_redis_commit;
    store->table.scan = mru_redis_scan;
    store->table.close = redis_close;
    return store;
}

/* The first connection says what can be promised. */
static mereau_status look(struct mru_redis *store, mereau_error *err) {
    struct mru_redis_conn *conn = NULL;
    mereau_status status =
        mru_redis_take(store, MEREAU_REDIS_ANY_SLOT, &conn, err);

    if (status != MEREAU_OK)
        return status;
    status = mru_redis_look(conn, &store->facts, err);
    mru_redis_give(store, conn, status != MEREAU_OK);
    store->table.caps = MEREAU_CAP_SHARED | MEREAU_CAP_LINEAR |
                        MEREAU_CAP_ORDERED | MEREAU_CAP_EXPIRES;
    if (store->facts.durable)
        store->table.caps |= MEREAU_CAP_DURABLE;
    return status;
}

mereau_status mereau_redis_open(mereau_store **out,
                                const mereau_redis_settings *settings,
                                mereau_error *err) {
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    struct mru_redis *store = NULL;
    mereau_status status = mru_error_reset(err);
    const char *fault;

    if (out != NULL)
        *out = NULL;
    if (status != MEREAU_OK)
        return status;
    if (settings != NULL) {
        if (settings->size < sizeof settings->size ||
            settings->size > sizeof set)
            return mru_refuse(err, MEREAU_E_SIZE, "redis_open.size", NULL,
                              "the size of mereau_redis_settings",
                              "another one");
        memcpy(&set, settings, settings->size);
    }
    fault = out == NULL ? "no place for the store" : fault_of(&set);
    if (fault != NULL)
        return mru_refuse(err, MEREAU_E_ARG, "redis_open.settings", NULL,
                          "settings as mereau/redis.h describes them", fault);
    store = store_new(&set);
    if (store == NULL)
        return mru_refuse(err, MEREAU_E_NOMEM, "memory", NULL, NULL, NULL);
    status = look(store, err);
    if (status == MEREAU_OK)
        *out = &store->table;
    else
        redis_close(store);
    mru_wipe(&set, sizeof set);
    return status;
}

const char *mereau_redis_warning(const mereau_store *store) {
    if (store == NULL || store->get != mru_redis_get)
        return "";
    return ((const struct mru_redis *)store->user)->facts.warning;
}
