/* lib/engine/app.c - apps: registered, read, changed, deleted, listed. Every
 * change rewrites the tenant's head, so that whatever is being issued meanwhile
 * notices. */
#include <mereau/app.h>

#include "app.h"
#include "classes_app.h"
#include "list.h"

void mru_key_used(struct mru_rkey *key, const char *client_id) {
    mru_rkey_set(key, 'u', client_id, strlen(client_id));
}

mereau_status mru_app_open(mereau_op *op, uint32_t with,
                           struct mru_admin *admin, struct mru_bag *app) {
    const char *client_id = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    mereau_status status =
        mru_gather_want(op, with | MRU_WITH_FRESH | MRU_WITH_APP, client_id);
    mru_bag_set_text(&op->event, MEREAU_CLIENT_ID, client_id);
    if (status == MEREAU_OK)
        status = mru_admin_open(op, admin, (with & MRU_WITH_KEYS) != 0);
    if (status == MEREAU_OK)
        status = mru_admin_app(op, client_id, app);
    return status;
}

mereau_status mru_app_put(mereau_op *op, struct mru_bag *app) {
    const char *client_id = mru_bag_text(app, MEREAU_CLIENT_ID);
    struct mru_rkey key;
    mereau_status status;
    if (client_id == NULL || app->failed)
        return app->failed ? MEREAU_E_NOMEM : MEREAU_E_CORRUPT;
    mru_key_app(&key, client_id);
    status = mru_tx_put(&op->tx, &key, app, 0);
    mru_tx_witness(&op->tx, &key);
    if (status == MEREAU_OK)
        status = mru_bump_head(op);
    return status;
}

/* Switching one off needs no room of its own. */
static int fills(const mereau_op *op) {
    for (size_t f = 0; mru_app_settings[f] != 0; f++)
        if (mru_app_settings[f] != MEREAU_ENABLED &&
            mru_bag_has(&op->in, mru_app_settings[f]))
            return 1;
    return 0;
}

/* Stages the app, and the tenant when no app's access tokens lived so long
 * before: keys are kept for verifiers that long. */
static mereau_status put_settings(mereau_op *op, struct mru_admin *admin,
                                  struct mru_bag *app) {
    int64_t access_s = mru_bag_int(app, MEREAU_ACCESS_LIFETIME_S);
    struct mru_rkey key;
    mereau_status status =
        fills(op) ? mru_check_room(op, app, MRU_ROOM_TO_END) : MEREAU_OK;
    mru_key_tenant(&key);
    if (status == MEREAU_OK && access_s != MEREAU_UNSET &&
        mru_note_access(&admin->tenant, access_s))
        status = admin->tenant.failed
                     ? MEREAU_E_NOMEM
                     : mru_tx_put(&op->tx, &key, &admin->tenant, 0);
    if (status == MEREAU_OK)
        status = mru_app_put(op, app);
    return status;
}

/* --- create --- */

static int is_id_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c != '\0' && strchr("._~-", c) != NULL);
}

/* The host's choice, or a random one. */
static mereau_status choose_id(mereau_op *op, char out[MRU_MAX_CLIENT_ID + 1]) {
    const char *given = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    uint8_t id[MRU_ID_LEN];
    size_t len = given == NULL ? 0 : strlen(given);
    int bad = given != NULL && (len == 0 || len > MRU_MAX_CLIENT_ID);
    if (given == NULL) {
        if (mru_tx_random(&op->tx, "client id", 0, id, sizeof id) != 0)
            return MEREAU_E_CRYPTO;
        mru_id_print(out, id);
        return MEREAU_OK;
    }
    for (size_t i = 0; i < len && !bad; i++)
        bad = !is_id_character(given[i]);
    if (bad)
        return mru_refuse(&op->err, MEREAU_E_MALFORMED, "app.client_id", NULL,
                          "1..128 of A-Z a-z 0-9 . _ ~ -",
                          "another length or character");
    memcpy(out, given, len + 1);
    return MEREAU_OK;
}

static mereau_status check_free(mereau_op *op, const char *client_id) {
    struct mru_bag old = {0};
    struct mru_rkey key;
    int there;
    mereau_status status;
    mru_key_app(&key, client_id);
    status = mru_tx_get_bag(&op->tx, &key, &old, &there);
    if (status == MEREAU_OK && there)
        status = mru_refuse(&op->err, MEREAU_E_EXISTS, "app.client_id", NULL,
                            "an id that was never given",
                            mru_bag_int_or(&old, MRU_F_DELETED, 0) != 0
                                ? "that of a deleted app"
                                : "that of an app");
    mru_bag_free(&old);
    return status;
}

static mereau_status create(mereau_op *op, struct mru_admin *admin,
                            struct mru_bag *app, const char *client_id) {
    mereau_status status = mru_admin_open(op, admin, 1);
    if (status == MEREAU_OK)
        status = check_free(op, client_id);
    if (status != MEREAU_OK)
        return status;
    mru_bag_set_text(app, MEREAU_CLIENT_ID, client_id);
    mru_app_apply(op, app);
    mru_bag_set_int(app, MEREAU_CREATED_AT, 'I', op->now_at);
    mru_bag_set_int(app, MEREAU_CHANGED_AT, 'I', op->now_at);
    status = mru_app_check(op, app, admin->ring);
    if (status == MEREAU_OK)
        status = put_settings(op, admin, app);
    if (status != MEREAU_OK)
        return status;
    mru_app_show(&op->out, app, NULL);
    return mru_idempotent_keep(op, 0, &op->out);
}

static mereau_status decide_create(mereau_op *op) {
    struct mru_admin admin = {0};
    struct mru_bag app = {0};
    char client_id[MRU_MAX_CLIENT_ID + 1];
    int done = 0;
    mereau_status status = choose_id(op, client_id);
    mru_bag_copy(&op->event, &op->in, MEREAU_NAME);
    if (status == MEREAU_OK)
        status = mru_app_check_inputs(op, 0);
    if (status == MEREAU_OK)
        status = mru_gather_want(
            op, MRU_WITH_FRESH | MRU_WITH_KEYS | MRU_WITH_APP, client_id);
    if (status == MEREAU_OK)
        status = mru_idempotent_find(op, 0, &done);
    if (status == MEREAU_OK && done)
        mru_bag_copy(&op->event, &op->out, MEREAU_CLIENT_ID);
    else if (status == MEREAU_OK) {
        mru_bag_set_text(&op->event, MEREAU_CLIENT_ID, client_id);
        status = create(op, &admin, &app, client_id);
    }
    mru_bag_free(&app);
    mru_admin_close(&admin);
    return status;
}

static const int32_t create_must[] = {MEREAU_NAME, 0};
static const int32_t create_takes[] = {MEREAU_CLIENT_ID, MEREAU_IDEMPOTENCY_KEY,
                                       MRU_APP_SETTINGS, 0};
const struct mru_op_class mru_class_app_create = {
    "app_create", "app.create", 0, create_must, create_takes,
    NULL,         decide_create};

mereau_op *mereau_app_create(const mereau_tenant *tenant, const char *name) {
    mereau_op *op = mru_op_make(tenant, &mru_class_app_create);
    mereau_op_set_text(op, MEREAU_NAME, name);
    return op;
}

/* --- get --- */

static mereau_status decide_get(mereau_op *op) {
    const char *client_id = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    struct mru_bag app = {0}, used = {0};
    struct mru_rkey key;
    int there = 0;
    mereau_status status;
    mru_key_used(&key, client_id);
    status = mru_tx_want(&op->tx, &key);
    if (status == MEREAU_OK)
        status = mru_admin_app(op, client_id, &app);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &key, &used, &there);
    if (status == MEREAU_OK)
        mru_app_show(&op->out, &app, &used);
    mru_bag_free(&app);
    mru_bag_free(&used);
    return status;
}

static const int32_t get_must[] = {MEREAU_CLIENT_ID, 0};
const struct mru_op_class mru_class_app_get = {
    "app_get", "app.get", MRU_OP_QUIET, get_must, NULL, NULL, decide_get};

mereau_op *mereau_app_get(const mereau_tenant *tenant, const char *client_id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_app_get);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    return op;
}

/* --- update --- */

/* Somebody else was faster. Instants of change grow with every change, also
 * within one second. */
static mereau_status check_unchanged(mereau_op *op, const struct mru_bag *app) {
    int64_t seen_at = mru_bag_int(&op->in, MEREAU_CHANGED_AT);
    char wanted[96], found[96];
    int64_t at = mru_bag_int_or(app, MEREAU_CHANGED_AT, 0);
    if (seen_at == MEREAU_UNSET || seen_at == at)
        return MEREAU_OK;
    mru_say(wanted, sizeof wanted, "changed_at %lld", (long long)seen_at);
    mru_say(found, sizeof found, "%lld", (long long)at);
    return mru_refuse(&op->err, MEREAU_E_EXISTS, "app.changed_at", NULL, wanted,
                      found);
}

/* Verifiers without a store are told when an app is switched off or on. */
static mereau_status note_enabled(mereau_op *op, const struct mru_admin *admin,
                                  const struct mru_bag *app, int was) {
    const char *client_id = mru_bag_text(app, MEREAU_CLIENT_ID);
    int is = mru_bag_int_or(app, MEREAU_ENABLED, 1) != 0;
    if (was && !is)
        return mru_notice_add(op, 'a', client_id, INT64_MAX,
                              mru_longest_access(&admin->tenant));
    if (!was && is)
        return mru_notice_lift(op, 'a', client_id,
                               mru_bag_int(app, MEREAU_NOT_BEFORE_AT),
                               mru_longest_access(&admin->tenant));
    return MEREAU_OK;
}

static mereau_status update(mereau_op *op, struct mru_admin *admin,
                            struct mru_bag *app) {
    int was = mru_bag_int_or(app, MEREAU_ENABLED, 1) != 0;
    int64_t changed_at =
        mru_add_time(mru_bag_int_or(app, MEREAU_CHANGED_AT, 0), 1);
    mereau_status status = check_unchanged(op, app);
    if (status != MEREAU_OK)
        return status;
    mru_app_apply(op, app);
    if (changed_at < op->now_at)
        changed_at = op->now_at;
    mru_bag_set_int(app, MEREAU_CHANGED_AT, 'I', changed_at);
    status = mru_app_check(op, app, admin->ring);
    if (status == MEREAU_OK)
        status = put_settings(op, admin, app);
    if (status == MEREAU_OK)
        status = note_enabled(op, admin, app, was);
    return status;
}

static mereau_status decide_update(mereau_op *op) {
    struct mru_admin admin = {0};
    struct mru_bag app = {0}, used = {0};
    struct mru_rkey key;
    int there = 0;
    mereau_status status = mru_app_check_inputs(op, 1);
    mru_key_used(&key, mru_bag_text(&op->in, MEREAU_CLIENT_ID));
    if (status == MEREAU_OK)
        status = mru_tx_want(&op->tx, &key);
    if (status == MEREAU_OK && mru_bag_has(&op->in, MEREAU_ENABLED))
        status = mru_notice_want(op);
    if (status == MEREAU_OK)
        status = mru_app_open(op, MRU_WITH_KEYS, &admin, &app);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &key, &used, &there);
    if (status == MEREAU_OK)
        status = update(op, &admin, &app);
    mru_bag_copy(&op->event, &op->in, MEREAU_ENABLED);
    if (status == MEREAU_OK)
        mru_app_show(&op->out, &app, &used);
    mru_bag_free(&app);
    mru_bag_free(&used);
    mru_admin_close(&admin);
    return status;
}

static const int32_t update_must[] = {MEREAU_CLIENT_ID, 0};
static const int32_t update_takes[] = {MEREAU_NAME, MEREAU_CHANGED_AT,
                                       MRU_APP_SETTINGS, 0};
const struct mru_op_class mru_class_app_update = {
    "app_update", "app.update", 0, update_must, update_takes,
    NULL,         decide_update};

mereau_op *mereau_app_update(const mereau_tenant *tenant,
                             const char *client_id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_app_update);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    return op;
}

/* --- delete --- */

/* What is left of an app: nothing that works, and its id is taken for ever. */
static mereau_status put_tombstone(mereau_op *op, const struct mru_bag *app) {
    struct mru_bag left = {0};
    mereau_status status;
    mru_bag_copy(&left, app, MEREAU_CLIENT_ID);
    mru_bag_copy(&left, app, MEREAU_NAME);
    mru_bag_copy(&left, app, MRU_F_TAGS);
    mru_bag_set_int(&left, MRU_F_DELETED, 'B', 1);
    mru_bag_set_int(&left, MEREAU_ENABLED, 'B', 0);
    mru_bag_set_int(&left, MEREAU_CHANGED_AT, 'I', op->now_at);
    status = mru_app_put(op, &left);
    mru_bag_free(&left);
    return status;
}

static mereau_status decide_delete(mereau_op *op) {
    const char *client_id = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    struct mru_admin admin = {0};
    struct mru_bag app = {0};
    struct mru_rkey key;
    mereau_status status = mru_notice_want(op);
    if (status == MEREAU_OK)
        status = mru_app_open(op, 0, &admin, &app);
    if (status == MEREAU_OK)
        status = put_tombstone(op, &app);
    mru_key_used(&key, client_id);
    if (status == MEREAU_OK)
        status = mru_tx_delete_any(&op->tx, &key);
    if (status == MEREAU_OK)
        status = mru_notice_add(op, 'a', client_id, INT64_MAX,
                                mru_longest_access(&admin.tenant));
    mru_bag_copy(&op->event, &app, MEREAU_NAME);
    mru_bag_free(&app);
    mru_admin_close(&admin);
    return status;
}

static const int32_t delete_must[] = {MEREAU_CLIENT_ID, 0};
const struct mru_op_class mru_class_app_delete = {
    "app_delete", "app.delete", 0, delete_must, NULL, NULL, decide_delete};

mereau_op *mereau_app_delete(const mereau_tenant *tenant,
                             const char *client_id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_app_delete);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    return op;
}

/* --- list --- */

static int wanted(const mereau_op *op, const struct mru_bag *app) {
    const char *state = mru_bag_text(&op->in, MEREAU_STATE);
    int enabled = mru_bag_int_or(app, MEREAU_ENABLED, 1) != 0;
    return mru_bag_int_or(app, MRU_F_DELETED, 0) == 0 &&
           (state == NULL ||
            strcmp(state, enabled ? "active" : "disabled") == 0);
}

static mereau_status add_row(mereau_op *op, const struct mru_bag *app) {
    const char *client_id = mru_bag_text(app, MEREAU_CLIENT_ID);
    struct mru_bag used = {0}, *row;
    struct mru_rkey key;
    int there;
    mereau_status status;
    if (client_id == NULL)
        return MEREAU_E_CORRUPT;
    mru_key_used(&key, client_id);
    status = mru_tx_get_bag(&op->tx, &key, &used, &there);
    if (status == MEREAU_OK) {
        row = mru_op_add_row(op);
        if (row == NULL)
            status = MEREAU_E_NOMEM;
        else
            mru_app_show(row, app, &used);
    }
    mru_bag_free(&used);
    return status;
}

static mereau_status list_row(mereau_op *op, const struct mru_rec *entry) {
    struct mru_bag app = {0};
    mereau_status status = mru_bag_decode(&app, entry->value, entry->value_len);
    if (status == MEREAU_OK && wanted(op, &app))
        status = add_row(op, &app);
    mru_bag_free(&app);
    return status;
}

static mereau_status decide_list(mereau_op *op) {
    struct mru_rkey prefix;
    mru_rkey_set(&prefix, 'a', NULL, 0);
    return mru_list_page(op, &prefix, list_row);
}

static const int32_t list_takes[] = {MEREAU_PAGE_SIZE, MEREAU_CURSOR,
                                     MEREAU_STATE, 0};
const struct mru_op_class mru_class_app_list = {
    "app_list", "app.list", MRU_OP_LIST | MRU_OP_ORDERED | MRU_OP_QUIET,
    NULL,       list_takes, NULL,
    decide_list};

mereau_op *mereau_app_list(const mereau_tenant *tenant) {
    return mru_op_make(tenant, &mru_class_app_list);
}
