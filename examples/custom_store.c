/* custom_store.c - a store of your own: a linked list and a mutex, and the kit
 * that says whether it is one.
 *
 * A store promises two things. get: all keys of one need are read as of one
 * instant. commit: at one instant all conditions hold and all writes apply, or
 * nothing does. Everything that the library promises rests on these two.
 *
 * docs/store-guide.md walks through this file. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/mereau.h>
#include <mereau/testing.h>

struct row {
    struct row *next;
    uint64_t version;
    int64_t drop_at;
    size_t partition_len, key_len, value_len;
    uint8_t bytes[]; /* partition, key, value */
};

struct list {
    mereau_store table; /* what the library holds */
    pthread_mutex_t lock;
    struct row *first;
};

/* Lengths are compared too: "ab" + "c" is not "a" + "bc". */
static int is_named(const struct row *row, const mereau_need *need,
                    const uint8_t *key, size_t key_len) {
    return row->partition_len == need->partition_len &&
           row->key_len == key_len &&
           memcmp(row->bytes, need->partition, row->partition_len) == 0 &&
           memcmp(row->bytes + row->partition_len, key, key_len) == 0;
}

/* The link that leads to a row, or the last one if there is no such row. */
static struct row **find(struct list *list, const mereau_need *need,
                         const uint8_t *key, size_t key_len) {
    struct row **link = &list->first;
    while (*link != NULL && !is_named(*link, need, key, key_len))
        link = &(*link)->next;
    return link;
}

static int32_t list_get(void *user, const mereau_need *need, mereau_emit emit,
                        void *arg) {
    struct list *list = user;
    int32_t stop = 0;

    pthread_mutex_lock(&list->lock); /* one instant for all keys */
    for (size_t i = 0; i < need->n_keys && !stop; i++) {
        const mereau_slice *key = &need->keys[i];
        const struct row *row = *find(list, need, key->data, key->len);
        if (row == NULL) {
            stop = emit(arg, i, NULL); /* absent is an answer, too */
            continue;
        }
        mereau_record record = {.key = key->data,
                                .key_len = key->len,
                                .value = row->bytes + row->partition_len +
                                         row->key_len,
                                .value_len = row->value_len,
                                .version = row->version,
                                .drop_at = row->drop_at};
        stop = emit(arg, i, &record);
    }
    pthread_mutex_unlock(&list->lock);
    return stop ? MEREAU_STORE_STOPPED : MEREAU_STORE_OK;
}

static struct row *new_row(const mereau_need *need, const mereau_record *from) {
    size_t p = need->partition_len, k = from->key_len;
    struct row *row = malloc(sizeof *row + p + k + from->value_len);
    if (row == NULL)
        return NULL;
    *row = (struct row){.version = from->version,
                        .drop_at = from->drop_at,
                        .partition_len = p,
                        .key_len = k,
                        .value_len = from->value_len};
    memcpy(row->bytes, need->partition, p);
    memcpy(row->bytes + p, from->key, k);
    if (from->value_len > 0)
        memcpy(row->bytes + p + k, from->value, from->value_len);
    return row;
}

static int holds(const mereau_write *write, const struct row *row) {
    if (write->expect == MEREAU_VERSION_ANY)
        return 1;
    return write->expect == (row ? row->version : MEREAU_VERSION_ABSENT);
}

/* Applies a write; returns the row that is no longer in the list, or NULL. */
static struct row *apply(struct list *list, const mereau_need *need,
                         const mereau_write *write, struct row *fresh) {
    struct row **link =
        find(list, need, write->record.key, write->record.key_len);
    struct row *old = *link;
    if (write->kind == MEREAU_WRITE_CHECK)
        return NULL;
    if (old != NULL)
        *link = old->next;
    if (fresh != NULL) {
        fresh->next = *link;
        *link = fresh;
    }
    return old;
}

static int32_t list_commit(void *user, const mereau_need *need,
                           size_t *failed) {
    struct list *list = user;
    struct row *rows[MEREAU_MAX_WRITES] = {NULL};
    int32_t result = MEREAU_STORE_OK;
    size_t i;

    if (need->n_writes > MEREAU_MAX_WRITES)
        return MEREAU_STORE_LIMIT;
    /* First what can fail, outside the lock: nothing is applied yet. */
    for (i = 0; i < need->n_writes; i++)
        if (need->writes[i].kind == MEREAU_WRITE_PUT &&
            (rows[i] = new_row(need, &need->writes[i].record)) == NULL)
            result = MEREAU_STORE_BUSY;

    pthread_mutex_lock(&list->lock);
    for (i = 0; i < need->n_writes && result == MEREAU_STORE_OK; i++) {
        const mereau_write *write = &need->writes[i];
        if (!holds(write, *find(list, need, write->record.key,
                                write->record.key_len))) {
            result = MEREAU_STORE_CONFLICT;
            *failed = i;
        }
    }
    /* Then what cannot. */
    for (i = 0; i < need->n_writes && result == MEREAU_STORE_OK; i++)
        rows[i] = apply(list, need, &need->writes[i], rows[i]);
    pthread_mutex_unlock(&list->lock);

    /* The rows that were replaced, or those that were not applied. */
    for (i = 0; i < need->n_writes; i++)
        free(rows[i]);
    return result;
}

static void list_close(void *user) {
    struct list *list = user;
    while (list->first != NULL) {
        struct row *row = list->first;
        list->first = row->next;
        free(row);
    }
    pthread_mutex_destroy(&list->lock);
    free(list);
}

/* For a context: mereau_ctx_set_store(ctx, store). */
static int32_t list_open(void *unused, mereau_store **out) {
    struct list *list = calloc(1, sizeof *list);
    (void)unused;
    if (list == NULL)
        return 1;
    pthread_mutex_init(&list->lock, NULL);
    list->table = (mereau_store)MEREAU_STORE_INIT;
    list->table.caps = MEREAU_CAP_LINEAR; /* not durable, not shared, no scan */
    list->table.user = list;
    list->table.get = list_get;
    list->table.commit = list_commit;
    list->table.close = list_close;
    *out = &list->table;
    return 0;
}

int main(void) {
    mereau_store_kit kit = MEREAU_STORE_KIT_INIT;
    kit.open = list_open;
    kit.seed = 1;
    kit.threads = 8;
    kit.records = 1000; /* a list is walked from its begin */
    return mereau_store_kit_table(&kit) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
