/* lib/engine/purge.c - mereau_tenant_purge(): takes away what is over, a bounded
 * step at a time. A record says itself when it may go (drop_at), with the margin
 * for clocks that differ already in it; the entries of lists that name it go with
 * it. A store that drops records by itself leaves such entries behind: there they
 * are looked at one by one. */
#include <mereau/tenant.h>

#include "admin.h"
#include "classes_admin.h"
#include "enrolment.h"
#include "registration.h"

#define SCANNED 256 /* records looked at in one step */
#define DELETED 64 /* deletions in one commit, entries of lists among them */

/* The entries of lists that a record owns: how many, or a status. */
static mereau_status owned(const struct mru_rec *rec, struct mru_rkey *keys,
                           int *n) {
    struct mru_bag record = {0};
    uint8_t id[MRU_ID_LEN];
    char kind = (char)rec->key.data[0];
    mereau_status status;
    *n = 0;
    if ((kind != 'e' && kind != 'r') || rec->key.len != 1 + MRU_ID_LEN)
        return MEREAU_OK;
    memcpy(id, rec->key.data + 1, MRU_ID_LEN);
    status = mru_bag_decode(&record, rec->value, rec->value_len);
    if (status == MEREAU_OK)
        *n = kind == 'e' ? mru_enrolment_index_keys(&record, id, keys,
                                                    MRU_ENROLMENT_INDEXES)
                         : mru_registration_index_keys(&record, id, keys,
                                                       MRU_ENROLMENT_INDEXES);
    mru_bag_free(&record);
    /* What cannot be read goes all the same: its time is over. */
    return status == MEREAU_E_NOMEM ? status : MEREAU_OK;
}

/* Stages one record's end. *full 1: it does not fit into this commit. */
static mereau_status delete_one(mereau_op *op, const struct mru_rec *rec,
                                int *full) {
    struct mru_rkey keys[MRU_ENROLMENT_INDEXES];
    int n;
    mereau_status status = owned(rec, keys, &n);
    *full = op->tx.n_stages + 1 + (size_t)n > DELETED;
    if (status != MEREAU_OK || *full)
        return status;
    for (int i = 0; status == MEREAU_OK && i < n; i++)
        status = mru_tx_delete_any(&op->tx, &keys[i]);
    if (status == MEREAU_OK)
        status = mru_tx_delete_found(&op->tx, rec);
    return status;
}

/* Where the next step begins: behind a record, or at it. */
static void go_on(mereau_op *op, const struct mru_rkey *at, int behind) {
    op->next_key = *at;
    op->has_more = 1;
    if (behind && op->next_key.len < MEREAU_MAX_KEY)
        op->next_key.data[op->next_key.len++] = 0;
}

/* Looks at the records that the entries name, where they may be gone without the
 * library knowing. MEREAU_OK when all are known, or MRU_MORE. */
static mereau_status look_at_named(mereau_op *op, const struct mru_scan *scan) {
    const struct mru_rec *there;
    struct mru_rkey named;
    mereau_status status = MEREAU_OK;
    if ((mru_op_caps(op) & MEREAU_CAP_EXPIRES) == 0)
        return MEREAU_OK;
    for (size_t i = 0; i < scan->n && status >= 0; i++)
        if (mru_rkey_named(&named, &scan->found[i].key)) {
            mereau_status one = mru_tx_get(&op->tx, &named, &there);
            status = one != MEREAU_OK ? one : status;
        }
    return status;
}

/* Whether a record's time is over, or it is an entry that names nothing. */
static int is_due(mereau_op *op, const struct mru_rec *rec) {
    const struct mru_rec *there = NULL;
    struct mru_rkey named;
    if (rec->drop_at != 0)
        return rec->drop_at <= op->now_at;
    return (mru_op_caps(op) & MEREAU_CAP_EXPIRES) != 0 &&
           mru_rkey_named(&named, &rec->key) &&
           mru_tx_get(&op->tx, &named, &there) == MEREAU_OK && there == NULL;
}

static mereau_status delete_due(mereau_op *op, const struct mru_scan *scan,
                                int64_t *deleted) {
    mereau_status status = MEREAU_OK;
    size_t i;
    for (i = 0; status == MEREAU_OK && i < scan->n; i++) {
        const struct mru_rec *rec = &scan->found[i];
        int full = 0;
        if (!is_due(op, rec))
            continue;
        status = delete_one(op, rec, &full);
        if (full) {
            go_on(op, &rec->key, 0);
            return status;
        }
        ++*deleted;
    }
    if (status == MEREAU_OK && scan->n == SCANNED)
        go_on(op, &scan->found[scan->n - 1].key, 1);
    return status;
}

/* Where this step begins: kept over conflicts, while next_key moves on. */
static mereau_status find_start(mereau_op *op, const struct mru_rkey **from) {
    struct mru_rkey *start = op->tx.memo[0].p;
    if (start == NULL) {
        start = mru_alloc(sizeof *start);
        if (start == NULL)
            return MEREAU_E_NOMEM;
        *start = op->next_key;
        if (start->len == 0)
            mru_rkey_set(start, '\0', NULL, 0);
        op->tx.memo[0].p = start;
        op->tx.memo[0].release = mru_free;
    }
    *from = start;
    return MEREAU_OK;
}

static mereau_status decide_purge(mereau_op *op) {
    const struct mru_rkey *from, end = {0};
    const struct mru_scan *scan;
    int64_t deleted = 0;
    mereau_status status = find_start(op, &from);
    if (status == MEREAU_OK)
        status = mru_tx_scan(&op->tx, from, &end, SCANNED, &scan);
    if (status != MEREAU_OK)
        return status;
    op->has_more = 0;
    status = look_at_named(op, scan);
    if (status != MEREAU_OK)
        return status;
    status = delete_due(op, scan, &deleted);
    mru_bag_set_int(&op->out, MEREAU_DONE_COUNT, 'I', deleted);
    mru_bag_copy(&op->event, &op->out, MEREAU_DONE_COUNT);
    return status;
}

const struct mru_op_class mru_class_tenant_purge = {
    "tenant_purge", "tenant.purge", MRU_OP_STEPS | MRU_OP_ORDERED, NULL, NULL,
    NULL,           decide_purge};

mereau_op *mereau_tenant_purge(const mereau_tenant *tenant) {
    return mru_op_make(tenant, &mru_class_tenant_purge);
}
