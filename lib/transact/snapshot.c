/* lib/transact/snapshot.c - the records a decision wants, and the writes it
 * stages. */
#include "tx.h"

#include "../crypto/crypto.h"

/* The place of a key among the sorted records: 1 when it is there. */
static int find_rec(const struct mru_tx *tx, const struct mru_rkey *key,
                    size_t *at) {
    size_t low = 0, high = tx->n_recs;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = mru_rkey_compare(&tx->recs[middle]->key, key);
        if (order == 0) {
            *at = middle;
            return 1;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    return 0;
}

mereau_status mru_tx_want(struct mru_tx *tx, const struct mru_rkey *key) {
    size_t at;
    if (find_rec(tx, key, &at))
        return MEREAU_OK;
    if (tx->n_recs == tx->cap_recs) {
        size_t cap = tx->cap_recs == 0 ? 16 : tx->cap_recs * 2;
        struct mru_rec **recs = mru_alloc(cap * sizeof *recs);
        if (recs == NULL)
            return MEREAU_E_NOMEM;
        if (tx->n_recs > 0)
            memcpy(recs, tx->recs, tx->n_recs * sizeof *recs);
        mru_free(tx->recs);
        tx->recs = recs;
        tx->cap_recs = cap;
    }
    struct mru_rec *rec = mru_alloc(sizeof *rec);
    if (rec == NULL)
        return MEREAU_E_NOMEM;
    rec->key = *key;
    memmove(&tx->recs[at + 1], &tx->recs[at],
            (tx->n_recs - at) * sizeof tx->recs[0]);
    tx->recs[at] = rec;
    tx->n_recs++;
    return MEREAU_OK;
}

mereau_status mru_tx_get(struct mru_tx *tx, const struct mru_rkey *key,
                         const struct mru_rec **rec) {
    size_t at;
    *rec = NULL;
    if (!find_rec(tx, key, &at)) {
        mereau_status status = mru_tx_want(tx, key);
        return status == MEREAU_OK ? MRU_MORE : status;
    }
    if (tx->recs[at]->state == MRU_REC_WANTED)
        return MRU_MORE;
    if (tx->recs[at]->state == MRU_REC_PRESENT)
        *rec = tx->recs[at];
    return MEREAU_OK;
}

static mereau_status corrupt(struct mru_tx *tx, mereau_status status) {
    if (status == MEREAU_E_UNSUPPORTED)
        return mru_refuse(tx->err, status, "record.format", NULL, "format 1",
                          "a record of a newer release");
    if (status == MEREAU_E_CORRUPT)
        return mru_refuse(tx->err, status, "record.form", NULL,
                          "a record of this library", "something else");
    return status;
}

mereau_status mru_tx_get_bag(struct mru_tx *tx, const struct mru_rkey *key,
                             struct mru_bag *bag, int *there) {
    const struct mru_rec *rec;
    mereau_status status = mru_tx_get(tx, key, &rec);
    *there = 0;
    if (status != MEREAU_OK || rec == NULL)
        return status;
    status = mru_bag_decode(bag, rec->value, rec->value_len);
    *there = status == MEREAU_OK;
    return corrupt(tx, status);
}

/* --- staging --- */

static struct mru_stage *find_stage(struct mru_tx *tx,
                                    const struct mru_rkey *key) {
    for (size_t i = 0; i < tx->n_stages; i++)
        if (mru_rkey_compare(&tx->stages[i]->key, key) == 0)
            return tx->stages[i];
    return NULL;
}

/* Adds a write, or takes the place of one of the same key; a CHECK gives way to
 * any other. */
static mereau_status stage(struct mru_tx *tx, uint32_t kind, uint64_t expect,
                           const struct mru_rkey *key, struct mru_stage **out) {
    struct mru_stage *one = find_stage(tx, key);
    *out = NULL;
    if (one != NULL && kind == MEREAU_WRITE_CHECK)
        return MEREAU_OK;
    if (one == NULL) {
        if (tx->n_stages == MEREAU_MAX_WRITES)
            return mru_refuse(tx->err, MEREAU_E_TOO_LONG, "commit.writes", NULL,
                              "at most 128 writes", "more");
        one = mru_alloc(sizeof *one);
        if (one == NULL)
            return MEREAU_E_NOMEM;
        tx->stages[tx->n_stages++] = one;
        one->expect = expect;
    }
    one->kind = kind;
    one->key = *key;
    one->drop_at = 0;
    mru_buf_free(&one->value);
    *out = one;
    return MEREAU_OK;
}

static mereau_status stage_put(struct mru_tx *tx, const struct mru_rkey *key,
                               uint64_t expect, const struct mru_bag *bag,
                               int64_t drop_at) {
    struct mru_stage *one;
    mereau_status status = stage(tx, MEREAU_WRITE_PUT, expect, key, &one);
    if (status != MEREAU_OK)
        return status;
    one->drop_at = drop_at;
    if (mru_bag_encode(&one->value, bag) != 0)
        return MEREAU_E_NOMEM;
    if (one->value.len > MEREAU_MAX_VALUE)
        return mru_refuse(tx->err, MEREAU_E_TOO_LONG, "record.size", NULL,
                          "at most 65536 bytes in one record", "more");
    return MEREAU_OK;
}

/* The versions of the last writes travel in the record. */
static void remember(struct mru_bag *bag, uint64_t version) {
    uint8_t tags[8 * MRU_HISTORY];
    size_t len;
    const uint8_t *old = mru_bag_data(bag, MRU_F_TAGS, &len);
    if (len > sizeof tags - 8)
        len = sizeof tags - 8;
    mru_put_u64(tags, version);
    if (len > 0)
        memcpy(tags + 8, old, len);
    mru_bag_set_data(bag, MRU_F_TAGS, 'D', tags, len + 8);
}

mereau_status mru_tx_put(struct mru_tx *tx, const struct mru_rkey *key,
                         struct mru_bag *bag, int64_t drop_at) {
    const struct mru_rec *rec;
    mereau_status status = mru_tx_get(tx, key, &rec);
    if (status != MEREAU_OK)
        return status == MRU_MORE ? MEREAU_E_INTERNAL : status;
    if (rec != NULL)
        remember(bag, rec->version);
    if (tx->witness.len == 0) /* unless the decision names a better one */
        tx->witness = *key;
    return stage_put(tx, key,
                     rec != NULL ? rec->version : MEREAU_VERSION_ABSENT, bag,
                     drop_at);
}

mereau_status mru_tx_put_any(struct mru_tx *tx, const struct mru_rkey *key,
                             const struct mru_bag *bag, int64_t drop_at) {
    return stage_put(tx, key, MEREAU_VERSION_ANY, bag, drop_at);
}

mereau_status mru_tx_put_new(struct mru_tx *tx, const struct mru_rkey *key,
                             const struct mru_bag *bag, int64_t drop_at) {
    return stage_put(tx, key, MEREAU_VERSION_ABSENT, bag, drop_at);
}

mereau_status mru_tx_delete(struct mru_tx *tx, const struct mru_rkey *key) {
    struct mru_stage *one;
    const struct mru_rec *rec;
    mereau_status status = mru_tx_get(tx, key, &rec);
    if (status != MEREAU_OK || rec == NULL)
        return status == MRU_MORE ? MEREAU_E_INTERNAL : status;
    return stage(tx, MEREAU_WRITE_DELETE, rec->version, key, &one);
}

mereau_status mru_tx_delete_any(struct mru_tx *tx, const struct mru_rkey *key) {
    struct mru_stage *one;
    return stage(tx, MEREAU_WRITE_DELETE, MEREAU_VERSION_ANY, key, &one);
}

mereau_status mru_tx_delete_found(struct mru_tx *tx,
                                  const struct mru_rec *found) {
    struct mru_stage *one;
    return stage(tx, MEREAU_WRITE_DELETE, found->version, &found->key, &one);
}

mereau_status mru_tx_check(struct mru_tx *tx, const struct mru_rkey *key) {
    struct mru_stage *one;
    const struct mru_rec *rec;
    mereau_status status = mru_tx_get(tx, key, &rec);
    if (status != MEREAU_OK || rec == NULL)
        return status == MEREAU_OK || status == MRU_MORE ? MEREAU_E_INTERNAL
                                                         : status;
    return stage(tx, MEREAU_WRITE_CHECK, rec->version, key, &one);
}

void mru_tx_witness(struct mru_tx *tx, const struct mru_rkey *key) {
    tx->witness = *key;
}

/* --- scan, signature, memo, randomness --- */

mereau_status mru_tx_scan(struct mru_tx *tx, const struct mru_rkey *from,
                          const struct mru_rkey *to, size_t limit,
                          const struct mru_scan **scan) {
    struct mru_scan *mine = &tx->scan;
    *scan = mine;
    if (mine->done && mru_rkey_compare(&mine->from, from) == 0 &&
        mru_rkey_compare(&mine->to, to) == 0 && mine->limit == limit)
        return MEREAU_OK;
    mine->from = *from;
    mine->to = *to;
    mine->limit = limit;
    mine->done = 0;
    tx->scan_wanted = 1;
    return MRU_MORE;
}

mereau_status mru_tx_sign(struct mru_tx *tx, int32_t alg, const char *label,
                          const uint8_t *input, size_t len,
                          const struct mru_buf **signature) {
    *signature = &tx->signature;
    if (tx->sign_state == 2 && tx->sign_alg == alg &&
        strcmp(tx->sign_label, label) == 0 && tx->sign_input.len == len &&
        memcmp(tx->sign_input.data, input, len) == 0)
        return MEREAU_OK;
    mru_buf_free(&tx->sign_input);
    mru_buf_free(&tx->signature);
    mru_buf_add(&tx->sign_input, input, len);
    if (tx->sign_input.failed || strlen(label) >= sizeof tx->sign_label)
        return MEREAU_E_NOMEM;
    tx->sign_alg = alg;
    strcpy(tx->sign_label, label);
    tx->sign_state = 1;
    return MRU_MORE;
}

const void *mru_tx_keep(struct mru_tx *tx, size_t slot, const void *data,
                        size_t len) {
    void *copy = mru_alloc(len);
    if (copy == NULL)
        return NULL;
    memcpy(copy, data, len);
    tx->memo[slot].p = copy;
    tx->memo[slot].len = len;
    return copy;
}

/* HKDF's second step (RFC 5869 2.3): the seed is a random key already, so that
 * the first is left out (3.3). */
int mru_tx_random(struct mru_tx *tx, const char *label, uint32_t index,
                  uint8_t *out, size_t len) {
    const mereau_slice text = {(const uint8_t *)label, strlen(label)};
    uint8_t info[8 + MRU_TX_LABEL];
    mereau_slice all = {info, 8 + text.len};
    if (text.len > MRU_TX_LABEL) {
        mru_wipe(out, len);
        return -1;
    }
    mru_put_u32(info, index);
    mru_put_u32(info + 4, tx->batches);
    memcpy(info + 8, text.data, text.len);
    return mru_hkdf_expand(tx->seed, &all, out, len);
}
