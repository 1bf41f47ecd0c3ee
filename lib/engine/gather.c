/* lib/engine/gather.c - what stands above an operation: the tenant's head, and
 * tenant, keyring and app under it; the heads that a batch checks or rewrites. */
#include "engine.h"
#include "keyring_record.h"

void mru_key_head(struct mru_rkey *key) { mru_rkey_set(key, 'h', NULL, 0); }

void mru_key_tenant(struct mru_rkey *key) { mru_rkey_set(key, 't', NULL, 0); }

void mru_key_keyring(struct mru_rkey *key) { mru_rkey_set(key, 'k', NULL, 0); }

void mru_key_notices(struct mru_rkey *key) { mru_rkey_set(key, 'v', NULL, 0); }

void mru_key_app(struct mru_rkey *key, const char *client_id) {
    mru_rkey_set(key, 'a', client_id, strlen(client_id));
}

void mru_key_names(struct mru_rkey *key, char kind, const uint8_t *head) {
    mru_rkey_set(key, 'n', &kind, 1);
    mru_rkey_add(key, head, MRU_HEAD_LEN);
}

/* Keeps a reference until the next decision. */
static mereau_status hold(mereau_op *op, struct mru_cached *one) {
    if (op->n_held == MRU_MAX_HELD) {
        mru_cached_release(one);
        return MEREAU_E_INTERNAL;
    }
    op->held[op->n_held++] = one;
    return MEREAU_OK;
}

/* Decodes what was read and puts it into the cache. */
static mereau_status prepare(mereau_op *op, const struct mru_rkey *key,
                             uint64_t head, struct mru_cached **out) {
    struct mru_cached *one = mru_alloc(sizeof *one);
    mereau_status status;
    *out = NULL;
    if (one == NULL)
        return MEREAU_E_NOMEM;
    atomic_init(&one->refs, 1);
    one->key = *key;
    one->head = head;
    strcpy(one->tenant, op->tenant->name);
    status = mru_tx_get_bag(&op->tx, key, &one->bag, &one->there);
    if (status == MEREAU_OK && one->there && key->data[0] == 'k')
        status = mru_keyring_load(op, &one->bag, &one->keyring);
    if (status != MEREAU_OK) {
        mru_cached_release(one);
        return status;
    }
    mru_cache_put(op->tenant->ctx->cache, one);
    *out = one;
    return MEREAU_OK;
}

/* One record under the head. */
static mereau_status under_head(mereau_op *op, const struct mru_rkey *key,
                                uint64_t head, struct mru_cached **out) {
    mereau_status status = MEREAU_OK;
    *out = mru_cache_find(op->tenant->ctx->cache, op->tenant->name, key, head);
    if (*out == NULL)
        status = prepare(op, key, head, out);
    if (status == MEREAU_OK)
        status = hold(op, *out);
    return status;
}

static mereau_status want_under(mereau_op *op, uint32_t with,
                                const char *client_id) {
    struct mru_rkey key;
    mereau_status status;
    mru_key_tenant(&key);
    status = mru_tx_want(&op->tx, &key);
    mru_key_keyring(&key);
    if (status == MEREAU_OK && (with & MRU_WITH_KEYS) != 0)
        status = mru_tx_want(&op->tx, &key);
    if (status == MEREAU_OK && (with & MRU_WITH_APP) != 0 &&
        client_id != NULL) {
        mru_key_app(&key, client_id);
        status = mru_tx_want(&op->tx, &key);
    }
    return status;
}

mereau_status mru_gather_want(mereau_op *op, uint32_t with,
                              const char *client_id) {
    struct mru_rkey key;
    mereau_status status;
    mru_key_head(&key);
    status = mru_tx_want(&op->tx, &key);
    if (status == MEREAU_OK && (with & MRU_WITH_FRESH) != 0)
        status = want_under(op, with, client_id);
    return status;
}

/* What is not in the cache is wanted all at once, so that it costs one get. */
static mereau_status want_missing(mereau_op *op, uint32_t with,
                                  const char *client_id, uint64_t head) {
    struct mru_cache *cache = op->tenant->ctx->cache;
    struct mru_rkey keys[3];
    size_t n = 0;
    mereau_status status = MEREAU_OK;
    mru_key_tenant(&keys[n++]);
    if ((with & MRU_WITH_KEYS) != 0)
        mru_key_keyring(&keys[n++]);
    if ((with & MRU_WITH_APP) != 0)
        mru_key_app(&keys[n++], client_id);
    for (size_t i = 0; i < n && status == MEREAU_OK; i++) {
        struct mru_cached *one =
            mru_cache_find(cache, op->tenant->name, &keys[i], head);
        if (one == NULL)
            status = mru_tx_want(&op->tx, &keys[i]);
        mru_cached_release(one);
    }
    return status;
}

mereau_status mru_gather(mereau_op *op, uint32_t with, const char *client_id,
                         struct mru_above *above) {
    struct mru_rkey key;
    const struct mru_rec *head;
    struct mru_cached *one;
    mereau_status status = mru_gather_want(op, with, client_id);
    memset(above, 0, sizeof *above);
    mru_key_head(&key);
    if (status == MEREAU_OK)
        status = mru_tx_get(&op->tx, &key, &head);
    if (status != MEREAU_OK)
        return status;
    if (head == NULL)
        return mru_refuse(&op->err, MEREAU_E_UNKNOWN, "tenant.unknown", NULL,
                          "a tenant that was created", "none of this name");
    status = want_missing(op, with, client_id, head->version);
    mru_key_tenant(&key);
    if (status == MEREAU_OK)
        status = under_head(op, &key, head->version, &one);
    if (status == MEREAU_OK && !one->there)
        status = MEREAU_E_CORRUPT;
    if (status == MEREAU_OK)
        above->tenant = &one->bag;
    mru_key_keyring(&key);
    if (status == MEREAU_OK && (with & MRU_WITH_KEYS) != 0) {
        status = under_head(op, &key, head->version, &one);
        if (status == MEREAU_OK && !one->there)
            status = MEREAU_E_CORRUPT;
        if (status == MEREAU_OK)
            above->keyring = one->keyring;
    }
    if (status == MEREAU_OK && (with & MRU_WITH_APP) != 0) {
        mru_key_app(&key, client_id);
        status = under_head(op, &key, head->version, &one);
        if (status == MEREAU_OK && one->there)
            above->app = &one->bag;
    }
    return status;
}

mereau_status mru_check_tenant(mereau_op *op, const struct mru_above *above) {
    if (mru_bag_int_or(above->tenant, MEREAU_ENABLED, 1) != 0)
        return MEREAU_OK;
    return mru_refuse(&op->err, MEREAU_E_DISABLED, "tenant.enabled", NULL,
                      "an enabled tenant", "a disabled one");
}

mereau_status mru_check_app(mereau_op *op, const struct mru_above *above) {
    if (above->app == NULL || mru_bag_int_or(above->app, MRU_F_DELETED, 0))
        return mru_refuse(&op->err, MEREAU_E_UNKNOWN, "app.unknown", NULL,
                          "a registered app",
                          above->app == NULL ? "none" : "a deleted one");
    if (mru_bag_int_or(above->app, MEREAU_ENABLED, 1) == 0)
        return mru_refuse(&op->err, MEREAU_E_DISABLED, "app.enabled", NULL,
                          "an enabled app", "a disabled one");
    return MEREAU_OK;
}

int64_t mru_setting(const struct mru_above *above, int32_t field,
                    int64_t otherwise) {
    int64_t value = MEREAU_UNSET;
    if (above->app != NULL)
        value = mru_bag_int(above->app, field);
    if (value == MEREAU_UNSET)
        value = mru_bag_int(above->tenant, field);
    return value == MEREAU_UNSET ? otherwise : value;
}

mereau_status mru_check_head(mereau_op *op) {
    struct mru_rkey key;
    mru_key_head(&key);
    return mru_tx_check(&op->tx, &key);
}

/* Rewrites a head: its version is all that matters. */
static mereau_status bump(mereau_op *op, const struct mru_rkey *key) {
    struct mru_bag bag = {0};
    int there;
    mereau_status status = mru_tx_get_bag(&op->tx, key, &bag, &there);
    if (status == MEREAU_OK) {
        mru_bag_set_int(&bag, MRU_F_REVISION, 'I',
                        mru_bag_int_or(&bag, MRU_F_REVISION, 0) + 1);
        status = mru_tx_put(&op->tx, key, &bag, 0);
    }
    mru_bag_free(&bag);
    return status;
}

mereau_status mru_bump_head(mereau_op *op) {
    struct mru_rkey key;
    mru_key_head(&key);
    return bump(op, &key);
}

mereau_status mru_check_bucket(mereau_op *op, const uint8_t *head) {
    struct mru_rkey key;
    mru_rkey_bucket(&key, head);
    return mru_tx_check(&op->tx, &key);
}

mereau_status mru_bump_bucket(mereau_op *op, const uint8_t *head) {
    struct mru_rkey key;
    mru_rkey_bucket(&key, head);
    return bump(op, &key);
}
