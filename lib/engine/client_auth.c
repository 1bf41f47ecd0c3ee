/* lib/engine/client_auth.c - client authentication by secret, and the note of its
 * last use. */
#include "client_auth.h"

#include "app.h"
#include "touch.h"

int mru_client_digest(uint8_t out[32], const char *secret) {
    return mru_digest(out, "mereau client secret", secret, strlen(secret));
}

/* --- last use --- */

#define MAX_USES (2 * MRU_MAX_CREDENTIALS)

/* Record u has a row for each credential that was used, the last one first. */
static mereau_status find_use(const struct mru_bag *used, size_t i,
                              int32_t field, const char *id, int *same,
                              struct mru_bag *row) {
    mereau_status status = mru_bag_row(used, MRU_F_SECRETS, i, row);
    const char *text = mru_bag_text(row, field);
    *same = status == MEREAU_OK && text != NULL && strcmp(text, id) == 0;
    return status;
}

int64_t mru_client_last_use(const struct mru_bag *used, int32_t field,
                            const char *id) {
    int64_t at = MEREAU_UNSET;
    for (size_t i = 0;
         at == MEREAU_UNSET && i < mru_bag_count(used, MRU_F_SECRETS); i++) {
        struct mru_bag row = {0};
        int same;
        if (find_use(used, i, field, id, &same, &row) == MEREAU_OK && same)
            at = mru_bag_int(&row, MEREAU_LAST_USED_AT);
        mru_bag_free(&row);
    }
    return at;
}

/* Record u with this use in front of the others. */
static mereau_status add_use(struct mru_bag *to, const struct mru_bag *used,
                             const char *secret_id, int64_t now_at) {
    struct mru_bag row = {0};
    size_t n = mru_bag_count(used, MRU_F_SECRETS);
    mereau_status status = MEREAU_OK;
    mru_bag_set_int(to, MEREAU_LAST_USED_AT, 'I', now_at);
    mru_bag_set_text(&row, MEREAU_SECRET_ID, secret_id);
    mru_bag_set_int(&row, MEREAU_LAST_USED_AT, 'I', now_at);
    if (row.failed)
        to->failed = 1;
    mru_bag_add_row(to, MRU_F_SECRETS, &row);
    mru_bag_free(&row);
    for (size_t i = 0; i < n && i < MAX_USES - 1 && status == MEREAU_OK; i++) {
        int same;
        status = find_use(used, i, MEREAU_SECRET_ID, secret_id, &same, &row);
        if (status == MEREAU_OK && !same)
            mru_bag_add_row(to, MRU_F_SECRETS, &row);
        mru_bag_free(&row);
    }
    return to->failed ? MEREAU_E_NOMEM : status;
}

/* After the commit of what was authenticated for; nothing depends on it. */
static mereau_status note_use(mereau_op *op) {
    const char *client_id = mru_bag_text(&op->event, MEREAU_CLIENT_ID);
    const char *secret_id = mru_bag_text(&op->event, MEREAU_SECRET_ID);
    struct mru_cache *cache = op->tenant->ctx->cache;
    struct mru_bag used = {0}, now = {0};
    struct mru_rkey key;
    uint8_t id[32];
    int there;
    mereau_status status;
    if (client_id == NULL || secret_id == NULL ||
        mru_digest(id, op->tenant->name, secret_id, strlen(secret_id)) != 0 ||
        !mru_cache_touch_due(cache, id, op->now_at))
        return MEREAU_OK;
    mru_key_used(&key, client_id);
    status = mru_tx_get_bag(&op->tx, &key, &used, &there);
    if (status == MEREAU_OK) {
        int64_t last_at =
            mru_client_last_use(&used, MEREAU_SECRET_ID, secret_id);
        mru_cache_touch(cache, id, op->now_at);
        if (last_at == MEREAU_UNSET ||
            op->now_at >= mru_add_time(last_at, MRU_TOUCH_S)) {
            status = add_use(&now, &used, secret_id, op->now_at);
            if (status == MEREAU_OK)
                status = mru_tx_put(&op->tx, &key, &now, 0);
        }
    }
    mru_bag_free(&used);
    mru_bag_free(&now);
    return status;
}

/* --- the check --- */

struct known {
    uint8_t digest[32];
    int there;
    int64_t starts_at, expires_at;
    char id[MRU_ID_TEXT];
};

/* The app's secrets, and empty places up to a constant number. */
static mereau_status load_known(const struct mru_bag *app,
                                struct known known[MRU_MAX_CREDENTIALS]) {
    size_t n = app == NULL ? 0 : mru_bag_count(app, MRU_F_SECRETS);
    mereau_status status = MEREAU_OK;
    memset(known, 0, MRU_MAX_CREDENTIALS * sizeof *known);
    for (size_t i = 0; i < n && i < MRU_MAX_CREDENTIALS && status == MEREAU_OK;
         i++) {
        struct mru_bag row = {0};
        const char *id;
        status = mru_bag_row(app, MRU_F_SECRETS, i, &row);
        id = mru_bag_text(&row, MEREAU_SECRET_ID);
        if (status == MEREAU_OK &&
            (id == NULL || strlen(id) >= sizeof known[i].id ||
             !mru_bag_bytes(&row, MRU_F_DIGEST, known[i].digest, 32)))
            status = MEREAU_E_CORRUPT;
        if (status == MEREAU_OK) {
            strcpy(known[i].id, id);
            known[i].starts_at =
                mru_bag_int_or(&row, MEREAU_STARTS_AT, INT64_MIN);
            known[i].expires_at =
                mru_bag_int_or(&row, MEREAU_EXPIRES_AT, INT64_MAX);
            known[i].there = 1;
        }
        mru_bag_free(&row);
    }
    return status;
}

static mereau_status refuse(mereau_op *op, const char *rule,
                            const char *found) {
    return mru_refuse(&op->err, MEREAU_E_CLIENT, rule, "RFC 6749 2.3.1",
                      "a client secret of the app", found);
}

mereau_status mru_client_authenticate(mereau_op *op,
                                      const struct mru_above *above,
                                      const char *secret) {
    const struct mru_bag *app = above->app;
    struct known known[MRU_MAX_CREDENTIALS];
    const struct known *which = NULL;
    uint8_t digest[32];
    mereau_status status;
    if (app != NULL && mru_bag_int_or(app, MRU_F_DELETED, 0) != 0)
        app = NULL;
    status = load_known(app, known);
    if (status != MEREAU_OK)
        return status;
    if (mru_client_digest(digest, secret == NULL ? "" : secret) != 0)
        return MEREAU_E_CRYPTO;
    for (size_t i = 0; i < MRU_MAX_CREDENTIALS; i++) {
        int same = mru_equal_ct(digest, known[i].digest, sizeof digest);
        if (same & known[i].there)
            which = &known[i];
    }
    mru_wipe(digest, sizeof digest);
    if (secret == NULL || secret[0] == '\0')
        return refuse(op, "client.missing", "none");
    if (app == NULL)
        return refuse(op, "client.unknown", "no such app");
    if (which == NULL)
        return refuse(op, "client.secret", "another one");
    if (op->now_at < which->starts_at)
        return refuse(op, "client.secret_not_yet", "one of later");
    if (op->now_at >= which->expires_at)
        return refuse(op, "client.secret_expired", "an expired one");
    mru_bag_copy(&op->event, app, MEREAU_CLIENT_ID);
    mru_bag_set_text(&op->event, MEREAU_SECRET_ID, which->id);
    op->after = note_use;
    return MEREAU_OK;
}
