/* lib/engine/notices.c - keeping record v short and true. */
#include "notices.h"

/* Beyond the longest lifetime: the most skew that a verifier forgives. */
#define MARGIN_S MEREAU_MAX_SKEW_S

int64_t mru_longest_access(const struct mru_bag *tenant) {
    return mru_bag_int_or(tenant, MRU_F_LONGEST_ACCESS, MRU_DEFAULT_ACCESS_S);
}

int mru_note_access(struct mru_bag *tenant, int64_t access_s) {
    if (access_s <= mru_longest_access(tenant))
        return 0;
    mru_bag_set_int(tenant, MRU_F_LONGEST_ACCESS, 'I', access_s);
    return 1;
}

mereau_status mru_notice_want(mereau_op *op) {
    struct mru_rkey key;
    mru_key_notices(&key);
    return mru_tx_want(&op->tx, &key);
}

static int is_about(const struct mru_bag *row, const char kind[2],
                    const char *id) {
    const char *k = mru_bag_text(row, MEREAU_REASON);
    const char *i = mru_bag_text(row, MEREAU_LABEL);
    return k != NULL && i != NULL && strcmp(k, kind) == 0 && strcmp(i, id) == 0;
}

struct kept {
    struct mru_bag *rows;
    size_t n, bytes;
    int found; /* one of them was about what is added or lifted */
    int64_t old; /* and said this */
};

static void free_kept(struct kept *kept, size_t cap) {
    for (size_t i = 0; kept->rows != NULL && i < cap; i++)
        mru_bag_free(&kept->rows[i]);
    mru_free(kept->rows);
}

/* A row's bytes, nearly. */
static size_t row_bytes(const struct mru_bag *row) {
    const char *id = mru_bag_text(row, MEREAU_LABEL);
    return 96 + (id == NULL ? 0 : strlen(id));
}

/* The entries that still matter, without those about kind and id. */
static mereau_status keep_rows(struct kept *kept, const struct mru_bag *record,
                               const char kind[2], const char *id,
                               int64_t now_at) {
    size_t n = mru_bag_count(record, MRU_F_NOTICES);
    for (size_t i = 0; i < n; i++) {
        struct mru_bag *row = &kept->rows[kept->n];
        mereau_status status = mru_bag_row(record, MRU_F_NOTICES, i, row);
        if (status != MEREAU_OK)
            return status;
        if (is_about(row, kind, id)) {
            kept->found = 1;
            kept->old = mru_bag_int(row, MEREAU_NOT_BEFORE_AT);
            mru_bag_free(row);
        } else if (mru_bag_int(row, MEREAU_EXPIRES_AT) <= now_at) {
            mru_bag_free(row);
        } else {
            kept->bytes += row_bytes(row);
            kept->n++;
        }
    }
    return MEREAU_OK;
}

/* Takes away the entry that would be forgotten first. */
static void drop_first(struct kept *kept) {
    size_t first = 0;
    for (size_t i = 1; i < kept->n; i++)
        if (mru_bag_int(&kept->rows[i], MEREAU_EXPIRES_AT) <
            mru_bag_int(&kept->rows[first], MEREAU_EXPIRES_AT))
            first = i;
    kept->bytes -= row_bytes(&kept->rows[first]);
    mru_bag_free(&kept->rows[first]);
    kept->n--;
    memmove(&kept->rows[first], &kept->rows[first + 1],
            (kept->n - first) * sizeof kept->rows[0]);
    memset(&kept->rows[kept->n], 0, sizeof kept->rows[0]);
}

static void add_row(struct kept *kept, const char kind[2], const char *id,
                    int64_t not_before_at, int64_t expires_at) {
    struct mru_bag *row = &kept->rows[kept->n];
    mru_bag_set_text(row, MEREAU_REASON, kind);
    mru_bag_set_text(row, MEREAU_LABEL, id);
    mru_bag_set_int(row, MEREAU_NOT_BEFORE_AT, 'I', not_before_at);
    mru_bag_set_int(row, MEREAU_EXPIRES_AT, 'I', expires_at);
    kept->bytes += row_bytes(row);
    kept->n++;
}

static mereau_status put_rows(mereau_op *op, const struct mru_rkey *key,
                              struct mru_bag *record, const struct kept *kept) {
    mru_bag_unset(record, MRU_F_NOTICES);
    for (size_t i = 0; i < kept->n; i++) {
        if (kept->rows[i].failed)
            return MEREAU_E_NOMEM;
        mru_bag_add_row(record, MRU_F_NOTICES, &kept->rows[i]);
    }
    if (record->failed)
        return MEREAU_E_NOMEM;
    return mru_tx_put(&op->tx, key, record, 0);
}

static void make_room(struct kept *kept) {
    while (kept->n > 0 && (kept->n >= MRU_MAX_NOTICES ||
                           kept->bytes > MRU_MAX_NOTICE_BYTES - 4096))
        drop_first(kept);
}

/* Rewrites the record with an entry for kind and id. lift: whatever the old one
 * said; MEREAU_UNSET: with none. */
static mereau_status change(mereau_op *op, char kind_letter, const char *id,
                            int64_t not_before_at, int64_t longest_access_s,
                            int lift) {
    const char kind[2] = {kind_letter, '\0'};
    struct mru_bag record = {0};
    struct kept kept = {0};
    struct mru_rkey key;
    size_t cap = 0;
    int there;
    mru_key_notices(&key);
    mereau_status status = mru_tx_get_bag(&op->tx, &key, &record, &there);
    if (status != MEREAU_OK)
        goto end;
    cap = mru_bag_count(&record, MRU_F_NOTICES) + 1;
    kept.rows = mru_alloc(cap * sizeof *kept.rows);
    status = kept.rows == NULL
                 ? MEREAU_E_NOMEM
                 : keep_rows(&kept, &record, kind, id, op->now_at);
    if (status != MEREAU_OK || (not_before_at == MEREAU_UNSET && !kept.found))
        goto end;
    if (!lift && kept.found && kept.old > not_before_at)
        not_before_at = kept.old;
    make_room(&kept);
    if (not_before_at != MEREAU_UNSET)
        add_row(
            &kept, kind, id, not_before_at,
            mru_add_time(mru_add_time(op->now_at, longest_access_s), MARGIN_S));
    status = put_rows(op, &key, &record, &kept);
end:
    free_kept(&kept, cap);
    mru_bag_free(&record);
    return status;
}

mereau_status mru_notice_add(mereau_op *op, char kind, const char *id,
                             int64_t not_before_at, int64_t longest_access_s) {
    return change(op, kind, id, not_before_at, longest_access_s, 0);
}

mereau_status mru_notice_lift(mereau_op *op, char kind, const char *id,
                              int64_t not_before_at, int64_t longest_access_s) {
    return change(op, kind, id, not_before_at, longest_access_s, 1);
}
