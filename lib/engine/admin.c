/* lib/engine/admin.c - reading and changing a tenant's own records. */
#include "admin.h"

mereau_status mru_admin_open(mereau_op *op, struct mru_admin *admin,
                             int with_keys) {
    struct mru_rkey key;
    int there = 0;
    mereau_status status = mru_gather_want(
        op, MRU_WITH_FRESH | (with_keys ? MRU_WITH_KEYS : 0), NULL);
    memset(admin, 0, sizeof *admin);
    mru_key_tenant(&key);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &key, &admin->tenant, &there);
    if (status == MEREAU_OK && !there)
        return mru_refuse(&op->err, MEREAU_E_UNKNOWN, "tenant.unknown", NULL,
                          "a tenant that was created", "none of this name");
    if (status != MEREAU_OK || !with_keys)
        return status;
    mru_key_keyring(&key);
    status = mru_tx_get_bag(&op->tx, &key, &admin->record, &there);
    if (status == MEREAU_OK && !there)
        status = mru_refuse(&op->err, MEREAU_E_CORRUPT, "record.keyring", NULL,
                            "the tenant's keyring", "none");
    if (status == MEREAU_OK)
        status = mru_keyring_parse(op, &admin->record, &admin->ring);
    return status;
}

void mru_admin_close(struct mru_admin *admin) {
    mru_keyring_free(admin->ring);
    mru_bag_free(&admin->record);
    mru_bag_free(&admin->tenant);
    memset(admin, 0, sizeof *admin);
}

static mereau_status put_tenant(mereau_op *op, struct mru_admin *admin) {
    struct mru_rkey key;
    mru_key_tenant(&key);
    mru_bag_set_int(&admin->tenant, MEREAU_CHANGED_AT, 'I', op->now_at);
    if (admin->tenant.failed)
        return MEREAU_E_NOMEM;
    mru_tx_witness(&op->tx, &key);
    return mru_tx_put(&op->tx, &key, &admin->tenant, 0);
}

static mereau_status put_keyring(mereau_op *op, struct mru_admin *admin) {
    struct mru_rkey key;
    mereau_status status =
        mru_keyring_write(&admin->record, admin->ring, op->now_at,
                          mru_longest_access(&admin->tenant));
    mru_key_keyring(&key);
    if (status != MEREAU_OK)
        return status;
    mru_tx_witness(&op->tx, &key);
    return mru_tx_put(&op->tx, &key, &admin->record, 0);
}

mereau_status mru_admin_commit(mereau_op *op, struct mru_admin *admin,
                               uint32_t changed) {
    mereau_status status = MEREAU_OK;
    if ((changed & MRU_CHANGED_TENANT) != 0)
        status = put_tenant(op, admin);
    if (status == MEREAU_OK && (changed & MRU_CHANGED_KEYS) != 0)
        status = put_keyring(op, admin);
    if (status == MEREAU_OK && changed != 0)
        status = mru_bump_head(op);
    return status;
}

mereau_status mru_admin_app(mereau_op *op, const char *client_id,
                            struct mru_bag *app) {
    struct mru_rkey key;
    int there;
    mereau_status status;
    mru_key_app(&key, client_id);
    status = mru_tx_get_bag(&op->tx, &key, app, &there);
    if (status == MEREAU_OK &&
        (!there || mru_bag_int_or(app, MRU_F_DELETED, 0) != 0))
        status =
            mru_refuse(&op->err, MEREAU_E_UNKNOWN, "app.unknown", NULL,
                       "a registered app", there ? "a deleted one" : "none");
    return status;
}

/* --- keys made here --- */

struct draw {
    struct mru_tx *tx;
    size_t slot;
    uint32_t n;
    int failed; /* the provider did, not a random source */
};

/* Random bytes out of the operation's seed, never the same twice. */
static int draw_bytes(void *arg, uint8_t *out, size_t len) {
    struct draw *draw = arg;
    const char *label = draw->slot == 0 ? "key" : "second key";
    while (len > 0) {
        size_t part = len < 4096 ? len : 4096; /* HKDF gives at most 8160 */
        draw->failed =
            mru_tx_random(draw->tx, label, draw->n++, out, part) != 0;
        if (draw->failed)
            return -1;
        out += part;
        len -= part;
    }
    return 0;
}

static void release_key(void *key) { mru_key_free(key); }

mereau_status mru_made_key(mereau_op *op, size_t slot, int32_t alg,
                           const mru_key **key) {
    struct draw draw = {&op->tx, slot, 0, 0};
    mru_key *made = op->tx.memo[slot].p;
    *key = NULL;
    if (made == NULL || mru_key_alg(made) != alg) {
        mru_key_free(made);
        op->tx.memo[slot].p = made = NULL;
        op->tx.memo[slot].release = release_key;
        mereau_status status =
            mru_key_generate(&made, alg, draw_bytes, &draw, &op->err);
        if (draw.failed)
            status = mru_refuse(&op->err, MEREAU_E_CRYPTO, "key.generate", NULL,
                                NULL, NULL);
        if (status != MEREAU_OK)
            return status;
        op->tx.memo[slot].p = made;
    }
    *key = made;
    return MEREAU_OK;
}

mereau_status mru_asked_alg(mereau_op *op, int32_t otherwise, int32_t *alg) {
    const char *name = mru_bag_text(&op->in, MEREAU_ALG);
    *alg = name == NULL ? otherwise : mru_alg_find(name, strlen(name));
    if (*alg >= MEREAU_ALG_RS256)
        return MEREAU_OK;
    return mru_refuse(&op->err, MEREAU_E_ALG, "key.alg", "RFC 7518 3.1",
                      "an algorithm with a public and a private key",
                      *alg == 0 ? "an unknown one" : name);
}
