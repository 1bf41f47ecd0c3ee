/* tests/sim/store.c - see sim.h. Records never change: a write puts a new one in
 * the old one's place, so that a store is copied by counting references. */
#include "sim.h"

void sim_rec_free(struct sim_rec *rec) {
    if (rec != NULL && --rec->refs == 0)
        free(rec);
}

static void atom(struct sim_rec *rec, uint64_t value) {
    if (rec->n_atoms < SIM_ATOMS)
        rec->atoms[rec->n_atoms++] = value;
}

/* Times count from the start, so that they are small and the same everywhere. */
static uint64_t fix_item(struct sim_rec *rec, uint64_t hash,
                         const struct mru_item *item) {
    hash = sim_mix(hash, (uint64_t)item->field);
    switch (item->field) {
    case MRU_F_TAGS:
        for (size_t i = 0; i + 8 <= item->len; i += 8)
            atom(rec, mru_get_u64(item->data + i));
        return hash;
    case MRU_F_SALT:
        atom(rec, mru_get_u64(item->data));
        return hash;
    case MRU_F_SEALED:
        return hash;
    default:
        hash = sim_mix(hash, (uint64_t)item->num);
        return item->data == NULL ? hash
                                  : sim_bytes(hash, item->data, item->len);
    }
}

/* Splits what is random from what is not. */
static void describe(struct sim_rec *rec) {
    struct mru_bag bag = {0};
    uint64_t hash = sim_bytes(1, rec->key, rec->key_len);
    hash = sim_mix(hash, (uint64_t)rec->drop_at);
    if (rec->version != 0)
        atom(rec, rec->version);
    if (rec->value_len > 0 &&
        mru_bag_decode(&bag, rec->value, rec->value_len) == MEREAU_OK) {
        for (size_t i = 0; i < bag.n; i++)
            hash = fix_item(rec, hash, &bag.items[i]);
    } else {
        hash = sim_bytes(hash, rec->value, rec->value_len);
    }
    mru_bag_free(&bag);
    rec->fixed = hash;
}

static struct sim_rec *make(const mereau_record *from, int value) {
    size_t value_len = value ? from->value_len : 0;
    struct sim_rec *rec = calloc(1, sizeof *rec + from->key_len + value_len);
    if (rec == NULL)
        abort();
    rec->refs = 1;
    rec->key = rec->bytes;
    rec->key_len = from->key_len;
    rec->value = rec->bytes + from->key_len;
    rec->value_len = value_len;
    memcpy(rec->key, from->key, from->key_len);
    if (value_len > 0)
        memcpy(rec->value, from->value, value_len);
    if (value) {
        rec->version = from->version;
        rec->drop_at = from->drop_at;
    }
    describe(rec);
    return rec;
}

/* --- the store --- */

static int order(const void *a, size_t a_len, const void *b, size_t b_len) {
    int result = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return result != 0 ? result : (a_len > b_len) - (a_len < b_len);
}

size_t sim_place(const struct sim_store *store, const void *key, size_t len) {
    size_t low = 0, high = store->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct sim_rec *rec = store->rows[middle];
        if (order(rec->key, rec->key_len, key, len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct sim_rec *sim_find(const struct sim_store *store, const void *key,
                         size_t len) {
    size_t at = sim_place(store, key, len);
    if (at == store->n || store->rows[at]->key_len != len ||
        memcmp(store->rows[at]->key, key, len) != 0)
        return NULL;
    return store->rows[at];
}

int sim_bag(const struct sim_store *store, const struct mru_rkey *key,
            struct mru_bag *bag) {
    const struct sim_rec *rec = sim_find(store, key->data, key->len);
    memset(bag, 0, sizeof *bag);
    return rec != NULL &&
           mru_bag_decode(bag, rec->value, rec->value_len) == MEREAU_OK;
}

static void grow(struct sim_store *store, size_t n) {
    if (n <= store->cap)
        return;
    store->cap = n * 2 + 64;
    store->rows = realloc(store->rows, store->cap * sizeof(struct sim_rec *));
    if (store->rows == NULL)
        abort();
}

void sim_store_free(struct sim_store *store) {
    for (size_t i = 0; i < store->n; i++)
        sim_rec_free(store->rows[i]);
    free(store->rows);
    memset(store, 0, sizeof *store);
}

void sim_store_copy(struct sim_store *to, const struct sim_store *from) {
    for (size_t i = 0; i < to->n; i++)
        sim_rec_free(to->rows[i]);
    grow(to, from->n);
    to->n = from->n;
    for (size_t i = 0; i < from->n; i++) {
        to->rows[i] = from->rows[i];
        to->rows[i]->refs++;
    }
}

/* Puts rec (NULL: nothing) where its key belongs; returns what was there. */
static struct sim_rec *replace(struct sim_store *store, const uint8_t *key,
                               size_t len, struct sim_rec *rec) {
    size_t at = sim_place(store, key, len);
    struct sim_rec *old = sim_find(store, key, len);
    if (old != NULL && rec != NULL) {
        store->rows[at] = rec;
    } else if (old != NULL) {
        memmove(&store->rows[at], &store->rows[at + 1],
                (store->n - at - 1) * sizeof store->rows[0]);
        store->n--;
    } else if (rec != NULL) {
        grow(store, store->n + 1);
        memmove(&store->rows[at + 1], &store->rows[at],
                (store->n - at) * sizeof store->rows[0]);
        store->rows[at] = rec;
        store->n++;
    }
    if (rec != NULL)
        rec->refs++;
    return old;
}

/* --- batches --- */

static int keeps_contract(const mereau_need *need, size_t i) {
    const mereau_write *write = &need->writes[i];
    const mereau_record *record = &write->record;
    if (record->key_len == 0 || record->key_len > MEREAU_MAX_KEY)
        return 0;
    if (i > 0 && order(need->writes[i - 1].record.key,
                       need->writes[i - 1].record.key_len, record->key,
                       record->key_len) >= 0)
        return 0;
    switch (write->kind) {
    case MEREAU_WRITE_PUT:
        return record->version != MEREAU_VERSION_ABSENT &&
               record->version != MEREAU_VERSION_ANY &&
               record->value_len <= MEREAU_MAX_VALUE;
    case MEREAU_WRITE_DELETE:
        return write->expect != MEREAU_VERSION_ABSENT;
    case MEREAU_WRITE_CHECK:
        return write->expect != MEREAU_VERSION_ABSENT &&
               write->expect != MEREAU_VERSION_ANY;
    default:
        return 0;
    }
}

struct sim_batch *sim_batch_new(const mereau_need *need, int inst) {
    struct sim_batch *batch;
    for (size_t i = 0; i < need->n_writes; i++)
        if (!keeps_contract(need, i))
            return NULL;
    if (need->n_writes == 0 || need->n_writes > MEREAU_MAX_WRITES)
        return NULL;
    batch = calloc(1, sizeof *batch + need->n_writes * sizeof batch->writes[0]);
    if (batch == NULL)
        abort();
    batch->n = need->n_writes;
    batch->inst = inst;
    for (size_t i = 0; i < need->n_writes; i++) {
        const mereau_write *write = &need->writes[i];
        batch->writes[i].kind = write->kind;
        batch->writes[i].expect = write->expect;
        batch->writes[i].rec =
            make(&write->record, write->kind == MEREAU_WRITE_PUT);
    }
    return batch;
}

void sim_batch_free(struct sim_batch *batch) {
    if (batch == NULL)
        return;
    for (size_t i = 0; i < batch->n; i++) {
        sim_rec_free(batch->writes[i].rec);
        sim_rec_free(batch->writes[i].old);
    }
    free(batch);
}

int32_t sim_batch_apply(struct sim_store *store, struct sim_batch *batch) {
    for (size_t i = 0; i < batch->n; i++) {
        const struct sim_rec *rec = batch->writes[i].rec;
        const struct sim_rec *now = sim_find(store, rec->key, rec->key_len);
        if (batch->writes[i].expect != MEREAU_VERSION_ANY &&
            batch->writes[i].expect !=
                (now == NULL ? MEREAU_VERSION_ABSENT : now->version))
            return MEREAU_STORE_CONFLICT;
    }
    for (size_t i = 0; i < batch->n; i++) {
        struct sim_rec *rec = batch->writes[i].rec;
        if (batch->writes[i].kind != MEREAU_WRITE_CHECK)
            batch->writes[i].old =
                replace(store, rec->key, rec->key_len,
                        batch->writes[i].kind == MEREAU_WRITE_PUT ? rec : NULL);
    }
    return MEREAU_STORE_OK;
}
