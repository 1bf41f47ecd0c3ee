/* lib/engine/idempotent.c - calls that create may carry a key: the same call
 * again finds the answer of the first one instead of creating twice. The answer
 * is kept without its secrets, under a hash of the key, beside a hash of the
 * inputs, so that one key cannot be used for two different calls. */
#include "engine.h"
#include "secret.h"

/* A key may be used again for something else after this. */
#define KEPT_S (7 * MRU_DAY_S)

static mereau_status record_key(const mereau_op *op, uint32_t part,
                                struct mru_rkey *key) {
    const char *name = mru_bag_text(&op->in, MEREAU_IDEMPOTENCY_KEY);
    struct mru_buf buf = {0};
    uint8_t digest[32] = {0};
    mereau_status status = MEREAU_OK;
    mru_buf_add_text(&buf, op->class->name);
    mru_buf_add_byte(&buf, 0);
    mru_buf_add_text(&buf, name);
    mru_buf_add_byte(&buf, 0);
    mru_buf_add_u32(&buf, part);
    if (buf.failed)
        status = MEREAU_E_NOMEM;
    else if (mru_digest(digest, "mereau idempotency key", buf.data, buf.len))
        status = MEREAU_E_CRYPTO;
    mru_buf_free(&buf);
    mru_rkey_set(key, 'd', digest, sizeof digest);
    return status;
}

/* The field with the smallest number above one; NULL: none. */
static const struct mru_item *next_item(const struct mru_bag *bag,
                                        int32_t above) {
    const struct mru_item *best = NULL;
    for (size_t i = 0; i < bag->n; i++)
        if (bag->items[i].field > above &&
            (best == NULL || bag->items[i].field < best->field))
            best = &bag->items[i];
    return best;
}

/* A hash of all inputs in the order of their numbers. A repeated request has a
 * correlation id of its own. */
static mereau_status hash_request(const mereau_op *op, uint8_t out[32]) {
    struct mru_bag bag = {0};
    struct mru_buf buf = {0};
    const struct mru_item *item = NULL;
    mereau_status status = MEREAU_OK;
    while ((item = next_item(&op->in, item == NULL ? 0 : item->field)) != NULL)
        if (item->field != MEREAU_IDEMPOTENCY_KEY &&
            item->field != MEREAU_CORRELATION_ID)
            mru_bag_copy(&bag, &op->in, item->field);
    if (bag.failed || mru_bag_encode(&buf, &bag) != 0)
        status = MEREAU_E_NOMEM;
    else if (mru_digest(out, "mereau idempotent request", buf.data, buf.len))
        status = MEREAU_E_CRYPTO;
    mru_buf_free(&buf);
    mru_bag_free(&bag);
    return status;
}

/* Takes the answer out of a kept record: the first row is the result, the
 * others are rows of the operation. */
static mereau_status give_again(mereau_op *op, const struct mru_bag *kept) {
    size_t n = mru_bag_count(kept, MRU_F_RESULT);
    mereau_status status = n == 0 ? MEREAU_E_CORRUPT : MEREAU_OK;
    for (size_t i = 0; i < n && status == MEREAU_OK; i++) {
        struct mru_bag one = {0};
        struct mru_bag *to = i == 0 ? &op->out : mru_op_add_row(op);
        status = to == NULL ? MEREAU_E_NOMEM
                            : mru_bag_row(kept, MRU_F_RESULT, i, &one);
        if (status == MEREAU_OK)
            mru_bag_copy_all(to, &one);
        mru_bag_free(&one);
    }
    mru_bag_set_int(&op->out, MEREAU_REPEATED, 'B', 1);
    mru_bag_set_int(&op->event, MEREAU_REPEATED, 'B', 1);
    if (op->out.failed || op->event.failed)
        status = MEREAU_E_NOMEM;
    return status;
}

mereau_status mru_idempotent_find(mereau_op *op, uint32_t part, int *done) {
    struct mru_rkey key;
    struct mru_bag kept = {0};
    uint8_t request[32], before[32];
    int there = 0;
    mereau_status status;
    *done = 0;
    if (!mru_bag_has(&op->in, MEREAU_IDEMPOTENCY_KEY))
        return MEREAU_OK;
    status = mru_check_length(op, MEREAU_IDEMPOTENCY_KEY, 128);
    if (status == MEREAU_OK)
        status = record_key(op, part, &key);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &key, &kept, &there);
    if (status == MEREAU_OK && there &&
        mru_bag_int_or(&kept, MEREAU_EXPIRES_AT, 0) > op->now_at) {
        status = hash_request(op, request);
        if (status == MEREAU_OK &&
            (!mru_bag_bytes(&kept, MRU_F_REQUEST, before, sizeof before) ||
             !mru_equal_ct(request, before, sizeof before)))
            status =
                mru_refuse(&op->err, MEREAU_E_EXISTS, "idempotency_key", NULL,
                           "the same inputs under the same key", "other ones");
        if (status == MEREAU_OK) {
            status = give_again(op, &kept);
            *done = status == MEREAU_OK;
        }
    }
    mru_bag_free(&kept);
    return status;
}

static void keep_one(struct mru_bag *kept, const struct mru_bag *from) {
    struct mru_bag one = {0};
    for (size_t i = 0; i < from->n; i++)
        if (!mru_field_is_secret(from->items[i].field))
            mru_bag_copy(&one, from, from->items[i].field);
    if (one.failed)
        kept->failed = 1;
    mru_bag_add_row(kept, MRU_F_RESULT, &one);
    mru_bag_free(&one);
}

mereau_status mru_idempotent_keep(mereau_op *op, uint32_t part,
                                  const struct mru_bag *result) {
    struct mru_rkey key;
    struct mru_bag kept = {0};
    uint8_t request[32];
    int64_t until = mru_add_time(op->now_at, KEPT_S);
    mereau_status status;
    if (!mru_bag_has(&op->in, MEREAU_IDEMPOTENCY_KEY))
        return MEREAU_OK;
    status = record_key(op, part, &key);
    if (status == MEREAU_OK)
        status = hash_request(op, request);
    if (status != MEREAU_OK)
        return status;
    mru_bag_set_data(&kept, MRU_F_REQUEST, 'D', request, sizeof request);
    mru_bag_set_int(&kept, MEREAU_CREATED_AT, 'I', op->now_at);
    mru_bag_set_int(&kept, MEREAU_EXPIRES_AT, 'I', until);
    keep_one(&kept, result);
    for (size_t i = op->first_row; i < op->n_rows; i++)
        keep_one(&kept, &op->rows[i]);
    status = kept.failed ? MEREAU_E_NOMEM
                         : mru_tx_put(&op->tx, &key, &kept,
                                      mru_add_time(until, MRU_EVIDENCE_S));
    if (status == MEREAU_OK)
        mru_tx_witness(&op->tx, &key);
    mru_bag_free(&kept);
    return status;
}
