/* lib/engine/verifier_load.c - mereau_verifier_load(): keys and not-befores of one
 * of our own tenants for verifiers that read no store. */
#include <mereau/jwt.h>

#include "../jose/verifier.h"
#include "classes_admin.h"
#include "notices.h"

struct list {
    struct mru_notice *notices;
    struct mru_bag *rows; /* what the notices' ids are in */
    size_t n, n_rows;
    char **pairs; /* kid, line feed, client_id */
    size_t n_pairs;
};

static void free_list(struct list *list) {
    for (size_t i = 0; i < list->n_rows; i++)
        mru_bag_free(&list->rows[i]);
    for (size_t i = 0; i < list->n_pairs; i++)
        mru_free(list->pairs[i]);
    mru_free(list->pairs);
    mru_free(list->rows);
    mru_free(list->notices);
}

static void add(struct list *list, char kind, const char *id,
                int64_t not_before_at) {
    struct mru_notice *one = &list->notices[list->n++];
    one->kind = kind;
    one->id = id;
    one->not_before_at = not_before_at;
}

static mereau_status add_row(struct list *list, const struct mru_bag *record,
                             size_t i) {
    struct mru_bag *row = &list->rows[list->n_rows++];
    mereau_status status = mru_bag_row(record, MRU_F_NOTICES, i, row);
    const char *kind = mru_bag_text(row, MEREAU_REASON);
    const char *id = mru_bag_text(row, MEREAU_LABEL);
    if (status != MEREAU_OK)
        return status;
    if (kind == NULL || id == NULL)
        return MEREAU_E_CORRUPT;
    add(list, kind[0], id, mru_bag_int(row, MEREAU_NOT_BEFORE_AT));
    return MEREAU_OK;
}

/* The key of one app proves nothing about another. */
static mereau_status add_owner(struct list *list,
                               const struct mru_ring_key *key) {
    struct mru_buf pair = {0};
    mru_buf_add_text(&pair, key->kid);
    mru_buf_add_byte(&pair, '\n');
    mru_buf_add_text(&pair, key->client_id);
    char *text = pair.failed ? NULL : mru_dup(pair.data, pair.len);
    mru_buf_free(&pair);
    if (text == NULL)
        return MEREAU_E_NOMEM;
    list->pairs[list->n_pairs++] = text;
    add(list, 'o', key->kid, 0);
    add(list, 'k', text, 0);
    return MEREAU_OK;
}

/* All notices: the tenant's own from its record, the others from record v. */
static mereau_status make_list(struct list *list, const struct mru_bag *tenant,
                               const struct mru_keyring *ring,
                               const struct mru_bag *record) {
    size_t n = mru_bag_count(record, MRU_F_NOTICES);
    int64_t not_before_at = mru_bag_int(tenant, MEREAU_NOT_BEFORE_AT);
    mereau_status status = MEREAU_OK;
    list->notices = mru_alloc((n + 1 + 2 * ring->n) * sizeof *list->notices);
    list->rows = mru_alloc((n + 1) * sizeof *list->rows);
    list->pairs = mru_alloc((ring->n + 1) * sizeof *list->pairs);
    if (list->notices == NULL || list->rows == NULL || list->pairs == NULL)
        return MEREAU_E_NOMEM;
    if (mru_bag_int_or(tenant, MEREAU_ENABLED, 1) == 0)
        not_before_at = INT64_MAX; /* nothing of it is good */
    if (not_before_at != MEREAU_UNSET)
        add(list, 't', "", not_before_at);
    for (size_t i = 0; status == MEREAU_OK && i < n; i++)
        status = add_row(list, record, i);
    for (size_t i = 0; status == MEREAU_OK && i < ring->n; i++)
        if (ring->keys[i].client_id != NULL && !ring->keys[i].dropped)
            status = add_owner(list, &ring->keys[i]);
    return status;
}

static mereau_status load(mereau_op *op, const struct mru_above *above,
                          const struct mru_bag *record) {
    struct mru_buf jwks = {0};
    struct list list = {0};
    mereau_status status =
        make_list(&list, above->tenant, above->keyring, record);
    if (status == MEREAU_OK &&
        mru_keyring_print(&jwks, above->keyring, NULL, op->now_at) != 0)
        status = MEREAU_E_NOMEM;
    if (status == MEREAU_OK && !op->dry)
        status = mru_verifier_load(op->verifier,
                                   mru_bag_text(above->tenant, MEREAU_ISSUER),
                                   (const char *)jwks.data, jwks.len,
                                   list.notices, list.n, op->now_at, &op->err);
    mru_buf_free(&jwks);
    free_list(&list);
    return status;
}

static mereau_status decide_load(mereau_op *op) {
    struct mru_above above;
    struct mru_bag record = {0};
    struct mru_rkey key;
    int there;
    mereau_status status;
    if (op->verifier == NULL)
        return mru_refuse(&op->err, MEREAU_E_NOMEM, "verifier", NULL,
                          "a verifier", "NULL");
    mru_key_notices(&key);
    status = mru_notice_want(op);
    if (status == MEREAU_OK)
        status = mru_gather(op, MRU_WITH_KEYS | MRU_WITH_FRESH, NULL, &above);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &key, &record, &there);
    if (status == MEREAU_OK)
        status = load(op, &above, &record);
    mru_bag_free(&record);
    return status;
}

const struct mru_op_class mru_class_verifier_load = {
    "verifier_load",
    "verifier.load",
    MRU_OP_QUIET | MRU_OP_AGAIN | MRU_OP_STALE_OK,
    NULL,
    NULL,
    NULL,
    decide_load};

mereau_op *mereau_verifier_load(const mereau_tenant *tenant,
                                mereau_verifier *verifier) {
    mereau_op *op = mru_op_make(tenant, &mru_class_verifier_load);
    if (op != NULL)
        op->verifier = verifier;
    return op;
}
