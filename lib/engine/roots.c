/* lib/engine/roots.c - what the root keys make: sealed fields. */
#include "engine.h"

const struct mru_root_key *mru_root_newest(const mereau_op *op) {
    const mereau_ctx *ctx = op->tenant->ctx;
    return &ctx->roots[ctx->n_roots - 1];
}

const struct mru_root_key *mru_root_find(const mereau_op *op,
                                         const uint8_t epoch[2]) {
    const mereau_ctx *ctx = op->tenant->ctx;
    for (size_t i = 0; i < ctx->n_roots; i++)
        if (memcmp(ctx->roots[i].epoch, epoch, 2) == 0)
            return &ctx->roots[i];
    return NULL;
}

/* Binds what is sealed to its tenant and place. */
static int bind(struct mru_buf *aad, const mereau_op *op, const char *label) {
    mru_buf_add_text(aad, "mereau seal");
    mru_buf_add(aad, op->tenant->name, strlen(op->tenant->name) + 1);
    mru_buf_add_text(aad, label);
    return aad->failed ? -1 : 0;
}

mereau_status mru_seal_field(mereau_op *op, struct mru_bag *bag,
                             const char *label, const uint8_t *plain,
                             size_t len) {
    const struct mru_root_key *root = mru_root_newest(op);
    struct mru_buf aad = {0}, sealed = {0};
    uint8_t *out;
    uint8_t nonce[12];
    mereau_status status = MEREAU_E_NOMEM;
    if (bind(&aad, op, label) != 0 ||
        mru_tx_random(&op->tx, label, 0x5ea1, nonce, sizeof nonce) != 0)
        goto end;
    mru_buf_add(&sealed, nonce, sizeof nonce);
    out = mru_buf_extend(&sealed, len + 16);
    if (out == NULL)
        goto end;
    mereau_slice bound = {aad.data, aad.len};
    status = MEREAU_E_CRYPTO;
    if (mru_seal(root->wrap, nonce, &bound, plain, len, out) != 0)
        goto end;
    mru_bag_set_data(bag, MRU_F_SEALED, 'D', sealed.data, sealed.len);
    mru_bag_set_data(bag, MRU_F_EPOCH, 'D', root->epoch, 2);
    status = bag->failed ? MEREAU_E_NOMEM : MEREAU_OK;
end:
    mru_buf_free(&aad);
    mru_buf_free(&sealed);
    return status;
}

mereau_status mru_unseal_field(mereau_op *op, const struct mru_bag *bag,
                               const char *label, struct mru_buf *plain) {
    const struct mru_root_key *root = NULL;
    struct mru_buf aad = {0};
    uint8_t epoch[2], *out;
    size_t len;
    const uint8_t *sealed = mru_bag_data(bag, MRU_F_SEALED, &len);
    mereau_status status;
    if (mru_bag_bytes(bag, MRU_F_EPOCH, epoch, 2))
        root = mru_root_find(op, epoch);
    if (root == NULL)
        return mru_refuse(&op->err, MEREAU_E_INCOMPLETE, "ctx.root_key", NULL,
                          "the root key that sealed this record",
                          "a context without it");
    if (sealed == NULL || len < 12 + 16)
        return MEREAU_E_CORRUPT;
    status = MEREAU_E_NOMEM;
    if (bind(&aad, op, label) != 0)
        goto end;
    out = mru_buf_extend(plain, len - 12 - 16);
    if (out == NULL)
        goto end;
    mereau_slice bound = {aad.data, aad.len};
    int failed =
        mru_open(root->wrap, sealed, &bound, sealed + 12, len - 12, out);
    status = failed == 0 ? MEREAU_OK : MEREAU_E_CRYPTO;
    if (failed == -1)
        status = mru_refuse(&op->err, MEREAU_E_CORRUPT, "record.sealed", NULL,
                            "a sealed field of this place and root key",
                            "an altered one");
end:
    mru_buf_free(&aad);
    return status;
}
