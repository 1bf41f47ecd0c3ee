/* lib/engine/credential_app.c - what an app proves itself with: client secrets,
 * kept as digests, and public keys. */
#include <mereau/app.h>

#include "app.h"
#include "classes_app.h"
#include "client_auth.h"

/* Of a secret's text: the prefix and the tenant's tag are the same for all, the
 * characters behind them belong to its public id. */
#define HINT_LEN (11 + 10)

/* --- what both kinds share --- */

static int64_t instant(const mereau_op *op, int32_t field, int64_t otherwise) {
    int64_t at = mru_bag_int_or(&op->in, field, otherwise);
    return at == MEREAU_NOW ? op->now_at : at;
}

/* A window in which it can work. */
static mereau_status check_window(mereau_op *op) {
    int64_t starts_at = instant(op, MEREAU_STARTS_AT, op->now_at);
    int64_t expires_at = instant(op, MEREAU_EXPIRES_AT, INT64_MAX);
    if (expires_at > op->now_at && expires_at > starts_at)
        return mru_check_length(op, MEREAU_LABEL, 256);
    return mru_refuse(&op->err, MEREAU_E_POLICY, "credential.expires_at", NULL,
                      "an end after now and after the start", "an earlier one");
}

static mereau_status check_room(mereau_op *op, const struct mru_bag *app,
                                int32_t list) {
    if (mru_bag_count(app, list) < MRU_MAX_CREDENTIALS)
        return MEREAU_OK;
    return mru_refuse(&op->err, MEREAU_E_POLICY, "app.credentials", NULL,
                      "at most 16 of a kind in one app", "16: remove one");
}

/* What is kept of either kind, and shown. */
static void describe(const mereau_op *op, struct mru_bag *row) {
    static const int32_t instants[] = {MEREAU_STARTS_AT, MEREAU_EXPIRES_AT};
    mru_bag_copy(row, &op->in, MEREAU_LABEL);
    for (size_t i = 0; i < 2; i++)
        if (mru_bag_has(&op->in, instants[i]))
            mru_bag_set_int(row, instants[i], 'I', instant(op, instants[i], 0));
    mru_bag_set_int(row, MEREAU_CREATED_AT, 'I', op->now_at);
}

static mereau_status add_row(mereau_op *op, struct mru_bag *app, int32_t list,
                             const struct mru_bag *row) {
    mru_bag_add_row(app, list, row);
    if (row->failed || app->failed)
        return MEREAU_E_NOMEM;
    return mru_check_room(op, app, MRU_ROOM_TO_END);
}

/* Takes the row with this id out of a list; *found 0: it was not there. */
static mereau_status take_out(struct mru_bag *app, int32_t list, int32_t field,
                              const char *id, int *found) {
    struct mru_bag left = {0};
    size_t n = mru_bag_count(app, list);
    mereau_status status = MEREAU_OK;
    *found = 0;
    for (size_t i = 0; i < n && status == MEREAU_OK; i++) {
        struct mru_bag row = {0};
        const char *text;
        status = mru_bag_row(app, list, i, &row);
        text = mru_bag_text(&row, field);
        if (status == MEREAU_OK && text != NULL && strcmp(text, id) == 0)
            *found = 1;
        else if (status == MEREAU_OK)
            mru_bag_add_row(&left, list, &row);
        mru_bag_free(&row);
    }
    mru_bag_unset(app, list);
    mru_bag_copy(app, &left, list);
    if (left.failed)
        app->failed = 1;
    mru_bag_free(&left);
    return status;
}

static mereau_status remove_one(mereau_op *op, int32_t list, int32_t field) {
    const char *id = mru_bag_text(&op->in, field);
    struct mru_admin admin = {0};
    struct mru_bag app = {0};
    int found = 0;
    mereau_status status = mru_app_open(op, 0, &admin, &app);
    mru_bag_set_text(&op->event, field, id);
    if (status == MEREAU_OK)
        status = take_out(&app, list, field, id, &found);
    if (status == MEREAU_OK && !found)
        status = mru_refuse(&op->err, MEREAU_E_UNKNOWN, "credential.unknown",
                            NULL, "a credential of the app", "none of this id");
    if (status == MEREAU_OK)
        status = mru_app_put(op, &app);
    mru_bag_free(&app);
    mru_admin_close(&admin);
    return status;
}

/* --- secrets --- */

/* Draws a secret; its text in out. 0 or -1. */
static int draw_secret(mereau_op *op, char out[MRU_CRED_MAX],
                       char id[MRU_ID_TEXT]) {
    struct mru_cred cred = {0};
    int failed;
    cred.kind = MRU_CRED_CLIENT;
    memcpy(cred.tag, op->tenant->tag, sizeof cred.tag);
    failed = mru_tx_random(&op->tx, "secret id", 0, cred.id, sizeof cred.id) ||
             mru_tx_random(&op->tx, "client secret", 0, cred.secret,
                           sizeof cred.secret) ||
             mru_cred_print(out, &cred) == 0;
    mru_id_print(id, cred.id);
    mru_wipe(&cred, sizeof cred);
    return failed ? -1 : 0;
}

static mereau_status add_secret(mereau_op *op, struct mru_bag *app) {
    char secret[MRU_CRED_MAX], id[MRU_ID_TEXT], hint[HINT_LEN + 1];
    uint8_t digest[32];
    struct mru_bag row = {0};
    mereau_status status = check_room(op, app, MRU_F_SECRETS);
    if (status != MEREAU_OK)
        return status;
    if (draw_secret(op, secret, id) != 0 ||
        mru_client_digest(digest, secret) != 0) {
        status = MEREAU_E_CRYPTO;
    } else {
        memcpy(hint, secret, HINT_LEN);
        hint[HINT_LEN] = '\0';
        mru_bag_set_text(&row, MEREAU_SECRET_ID, id);
        mru_bag_set_data(&row, MRU_F_DIGEST, 'D', digest, sizeof digest);
        mru_bag_set_text(&row, MEREAU_HINT, hint);
        describe(op, &row);
        status = add_row(op, app, MRU_F_SECRETS, &row);
    }
    if (status == MEREAU_OK) {
        mru_bag_set_text(&op->out, MEREAU_CLIENT_SECRET, secret);
        mru_bag_copy(&op->out, &row, MEREAU_SECRET_ID);
        mru_bag_copy(&op->out, &row, MEREAU_HINT);
        mru_bag_copy(&op->out, &row, MEREAU_STARTS_AT);
        mru_bag_copy(&op->out, &row, MEREAU_EXPIRES_AT);
        mru_bag_copy(&op->event, &row, MEREAU_SECRET_ID);
    }
    mru_bag_free(&row);
    mru_wipe(secret, sizeof secret);
    return status;
}

static mereau_status decide_secret_add(mereau_op *op) {
    struct mru_admin admin = {0};
    struct mru_bag app = {0};
    mereau_status status = check_window(op);
    if (status == MEREAU_OK)
        status = mru_app_open(op, 0, &admin, &app);
    if (status == MEREAU_OK)
        status = add_secret(op, &app);
    if (status == MEREAU_OK)
        status = mru_app_put(op, &app);
    mru_bag_free(&app);
    mru_admin_close(&admin);
    return status;
}

static const int32_t add_must[] = {MEREAU_CLIENT_ID, 0};
static const int32_t secret_add_takes[] = {MEREAU_LABEL, MEREAU_STARTS_AT,
                                           MEREAU_EXPIRES_AT, 0};
const struct mru_op_class mru_class_app_secret_add = {
    "app_secret_add", "app.secret_add", 0, add_must, secret_add_takes, NULL,
    decide_secret_add};

mereau_op *mereau_app_secret_add(const mereau_tenant *tenant,
                                 const char *client_id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_app_secret_add);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    return op;
}

static mereau_status decide_secret_remove(mereau_op *op) {
    return remove_one(op, MRU_F_SECRETS, MEREAU_SECRET_ID);
}

static const int32_t secret_remove_must[] = {MEREAU_CLIENT_ID, MEREAU_SECRET_ID,
                                             0};
const struct mru_op_class mru_class_app_secret_remove = {
    "app_secret_remove", "app.secret_remove", 0, secret_remove_must, NULL, NULL,
    decide_secret_remove};

mereau_op *mereau_app_secret_remove(const mereau_tenant *tenant,
                                    const char *client_id,
                                    const char *secret_id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_app_secret_remove);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    mereau_op_set_text(op, MEREAU_SECRET_ID, secret_id);
    return op;
}

/* --- keys --- */

/* The algorithm asked for, and 0 where a JWK may name it. */
static mereau_status asked_alg(mereau_op *op, int32_t *alg) {
    const char *name = mru_bag_text(&op->in, MEREAU_ALG);
    *alg = name == NULL ? 0 : mru_alg_find(name, strlen(name));
    if (name == NULL || *alg >= MEREAU_ALG_RS256)
        return MEREAU_OK;
    return mru_refuse(&op->err, MEREAU_E_ALG, "key.alg", "RFC 7518 3.1",
                      "an algorithm with a public and a private key",
                      *alg == 0 ? "an unknown one" : name);
}

/* Another algorithm may fit the key; a private one is none to be tried on. */
static int may_try_on(mereau_status status, const mereau_error *err) {
    return (status == MEREAU_E_KEY || status == MEREAU_E_ALG) &&
           strstr(err->rule, "private") == NULL;
}

/* Reads a key that does not say its algorithm: the usual one of its kind. Of
 * several refusals the first one is told. */
static mereau_status read_any(mru_key **key, const struct mru_jval *jwk,
                              const char *pem, mereau_error *err) {
    static const int32_t usual[] = {MEREAU_ALG_ES256,  MEREAU_ALG_RS256,
                                    MEREAU_ALG_ES384,  MEREAU_ALG_ES512,
                                    MEREAU_ALG_ES256K, MEREAU_ALG_EDDSA};
    mereau_error first = MEREAU_ERROR_INIT;
    mereau_status status = MEREAU_E_KEY;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0] &&
                       (i == 0 || may_try_on(status, err));
         i++) {
        status = pem == NULL
                     ? mru_key_from_jwk(key, jwk, usual[i], MRU_KEY_PUBLIC, err)
                     : mru_key_from_pem(key, pem, strlen(pem), usual[i],
                                        MRU_KEY_PUBLIC, err);
        if (i == 0)
            first = *err;
    }
    if (may_try_on(status, err)) {
        *err = first;
        status = first.status;
    }
    return status;
}

static mereau_status read_key(mereau_op *op, mru_key **key) {
    const char *json = mru_bag_text(&op->in, MEREAU_JWK);
    const char *pem = mru_bag_text(&op->in, MEREAU_PEM);
    struct mru_jval jwk = {0}, named;
    int32_t alg;
    mereau_status status = asked_alg(op, &alg);
    if (status == MEREAU_OK && (json == NULL) == (pem == NULL))
        status =
            mru_refuse(&op->err, MEREAU_E_FIELD, "op.field", NULL,
                       "one of jwk and pem", json == NULL ? "none" : "both");
    if (status == MEREAU_OK && json != NULL)
        status = mru_json_check(&jwk, json, strlen(json),
                                &mru_json_default_limits, &op->err);
    if (status != MEREAU_OK)
        return status;
    if (json != NULL &&
        (alg != 0 || jwk.kind != 'o' || mru_json_member(&named, &jwk, "alg")))
        return mru_key_from_jwk(key, &jwk, alg, MRU_KEY_PUBLIC, &op->err);
    if (json == NULL && alg != 0)
        return mru_key_from_pem(key, pem, strlen(pem), alg, MRU_KEY_PUBLIC,
                                &op->err);
    return read_any(key, &jwk, pem, &op->err);
}

static mereau_status check_kid(mereau_op *op, const struct mru_bag *app,
                               const char *kid) {
    size_t n = mru_bag_count(app, MRU_F_PUBLIC_KEYS);
    mereau_status status = check_room(op, app, MRU_F_PUBLIC_KEYS);
    for (size_t i = 0; i < n && status == MEREAU_OK; i++) {
        struct mru_bag row = {0};
        const char *text;
        status = mru_bag_row(app, MRU_F_PUBLIC_KEYS, i, &row);
        text = mru_bag_text(&row, MEREAU_KID);
        if (status == MEREAU_OK && text != NULL && strcmp(text, kid) == 0)
            status = mru_refuse(&op->err, MEREAU_E_EXISTS, "key.kid", NULL,
                                "a kid that the app does not have", kid);
        mru_bag_free(&row);
    }
    return status;
}

static mereau_status add_key(mereau_op *op, struct mru_bag *app,
                             const mru_key *key) {
    const char *kid = mru_key_kid(key);
    struct mru_buf json = {0};
    struct mru_bag row = {0};
    mereau_status status = check_kid(op, app, kid);
    if (status == MEREAU_OK && mru_key_print_public(&json, key) != 0)
        status = MEREAU_E_NOMEM;
    if (status == MEREAU_OK) {
        mru_bag_set_text(&row, MEREAU_KID, kid);
        mru_bag_set_text(&row, MEREAU_ALG, mru_alg_name(mru_key_alg(key)));
        mru_bag_set_data(&row, MEREAU_JWK, 'J', json.data, json.len);
        describe(op, &row);
        status = add_row(op, app, MRU_F_PUBLIC_KEYS, &row);
    }
    if (status == MEREAU_OK) {
        mru_bag_set_text(&op->out, MEREAU_KID, kid);
        mru_bag_copy(&op->out, &row, MEREAU_ALG);
        mru_bag_set_text(&op->event, MEREAU_KID, kid);
    }
    mru_bag_free(&row);
    mru_buf_free(&json);
    return status;
}

static mereau_status decide_key_add(mereau_op *op) {
    struct mru_admin admin = {0};
    struct mru_bag app = {0};
    mru_key *key = NULL;
    mereau_status status = check_window(op);
    if (status == MEREAU_OK)
        status = mru_app_open(op, 0, &admin, &app);
    if (status == MEREAU_OK)
        status = read_key(op, &key);
    if (status == MEREAU_OK)
        status = add_key(op, &app, key);
    if (status == MEREAU_OK)
        status = mru_app_put(op, &app);
    mru_key_free(key);
    mru_bag_free(&app);
    mru_admin_close(&admin);
    return status;
}

static const int32_t key_add_takes[] = {
    MEREAU_JWK,       MEREAU_PEM,        MEREAU_ALG, MEREAU_LABEL,
    MEREAU_STARTS_AT, MEREAU_EXPIRES_AT, 0};
const struct mru_op_class mru_class_app_key_add = {
    "app_key_add", "app.key_add", 0, add_must, key_add_takes,
    NULL,          decide_key_add};

mereau_op *mereau_app_key_add(const mereau_tenant *tenant,
                              const char *client_id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_app_key_add);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    return op;
}

static mereau_status decide_key_remove(mereau_op *op) {
    return remove_one(op, MRU_F_PUBLIC_KEYS, MEREAU_KID);
}

static const int32_t key_remove_must[] = {MEREAU_CLIENT_ID, MEREAU_KID, 0};
const struct mru_op_class mru_class_app_key_remove = {
    "app_key_remove", "app.key_remove", 0, key_remove_must, NULL, NULL,
    decide_key_remove};

mereau_op *mereau_app_key_remove(const mereau_tenant *tenant,
                                 const char *client_id, const char *kid) {
    mereau_op *op = mru_op_make(tenant, &mru_class_app_key_remove);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    mereau_op_set_text(op, MEREAU_KID, kid);
    return op;
}

/* --- list --- */

static const char *state_of(const mereau_op *op, const struct mru_bag *row) {
    if (op->now_at >= mru_bag_int_or(row, MEREAU_EXPIRES_AT, INT64_MAX))
        return "expired";
    if (op->now_at < mru_bag_int_or(row, MEREAU_STARTS_AT, INT64_MIN))
        return "not_yet";
    return "active";
}

static mereau_status list_rows(mereau_op *op, const struct mru_bag *app,
                               const struct mru_bag *used, int32_t list,
                               int32_t field) {
    static const int32_t shown[] = {MEREAU_SECRET_ID,  MEREAU_KID,
                                    MEREAU_ALG,        MEREAU_HINT,
                                    MEREAU_LABEL,      MEREAU_STARTS_AT,
                                    MEREAU_EXPIRES_AT, MEREAU_CREATED_AT};
    size_t n = mru_bag_count(app, list);
    mereau_status status = MEREAU_OK;
    for (size_t i = 0; i < n && status == MEREAU_OK; i++) {
        struct mru_bag row = {0}, *out = mru_op_add_row(op);
        const char *id;
        int64_t last_at = MEREAU_UNSET;
        status = out == NULL ? MEREAU_E_NOMEM : mru_bag_row(app, list, i, &row);
        if (status == MEREAU_OK) {
            for (size_t f = 0; f < sizeof shown / sizeof shown[0]; f++)
                mru_bag_copy(out, &row, shown[f]);
            mru_bag_set_text(out, MEREAU_STATE, state_of(op, &row));
            id = mru_bag_text(&row, field);
            if (id != NULL)
                last_at = mru_client_last_use(used, field, id);
            if (last_at != MEREAU_UNSET)
                mru_bag_set_int(out, MEREAU_LAST_USED_AT, 'I', last_at);
        }
        mru_bag_free(&row);
    }
    return status;
}

static mereau_status decide_list(mereau_op *op) {
    const char *client_id = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    struct mru_bag app = {0}, used = {0};
    struct mru_rkey key;
    int there;
    mereau_status status;
    mru_key_used(&key, client_id);
    status = mru_tx_want(&op->tx, &key);
    if (status == MEREAU_OK)
        status = mru_admin_app(op, client_id, &app);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &key, &used, &there);
    if (status == MEREAU_OK)
        status = list_rows(op, &app, &used, MRU_F_SECRETS, MEREAU_SECRET_ID);
    if (status == MEREAU_OK)
        status = list_rows(op, &app, &used, MRU_F_PUBLIC_KEYS, MEREAU_KID);
    mru_bag_free(&app);
    mru_bag_free(&used);
    return status;
}

const struct mru_op_class mru_class_app_credential_list = {
    "app_credential_list",
    "app.credential_list",
    MRU_OP_LIST | MRU_OP_QUIET,
    add_must,
    NULL,
    NULL,
    decide_list};

mereau_op *mereau_app_credential_list(const mereau_tenant *tenant,
                                      const char *client_id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_app_credential_list);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    return op;
}
