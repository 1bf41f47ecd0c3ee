/* lib/engine/registration.c - the record of a registration token: its keys, its
 * credential, minting it, reading it. */
#include "registration.h"

#include "../model/registration.h"
#include "classes_core.h"
#include "registration_int.h"

void mru_key_registration(struct mru_rkey *key, const uint8_t id[MRU_ID_LEN]) {
    mru_rkey_set(key, 'r', id, MRU_ID_LEN);
}

void mru_key_slot(struct mru_rkey *key, const uint8_t id[MRU_ID_LEN],
                  uint8_t slot) {
    mru_rkey_set(key, 's', id, MRU_ID_LEN);
    mru_rkey_add(key, &slot, 1);
}

int mru_registration_index_keys(const struct mru_bag *record,
                                const uint8_t id[MRU_ID_LEN],
                                struct mru_rkey *keys, size_t max) {
    const char *client = mru_bag_text(record, MEREAU_CLIENT_ID);
    int64_t at = mru_bag_int_or(record, MEREAU_CREATED_AT, 0);
    if (max < MRU_REGISTRATION_INDEXES || client == NULL)
        return 0;
    mru_rkey_entry(&keys[0], MRU_LIST_REGISTRATIONS, NULL, 0, at, id);
    mru_rkey_entry(&keys[1], MRU_LIST_APP_REGISTRATIONS, client, strlen(client),
                   at, id);
    return MRU_REGISTRATION_INDEXES;
}

int64_t mru_registration_drop_at(const struct mru_bag *record) {
    return mru_add_time(mru_bag_int_or(record, MEREAU_EXPIRES_AT, 0),
                        MRU_LEDGER_S);
}

mereau_status mru_registration_print(mereau_op *op,
                                     const struct mru_bag *record,
                                     const uint8_t id[MRU_ID_LEN],
                                     char out[MRU_CRED_MAX]) {
    const char *subject = mru_bag_text(record, MEREAU_SUBJECT);
    const struct mru_root_key *root = NULL;
    struct mru_cred cred = {0};
    uint8_t salt[MRU_SALT_LEN];
    mereau_status status = MEREAU_OK;
    cred.kind = MRU_CRED_REGISTRATION;
    memcpy(cred.tag, op->tenant->tag, sizeof cred.tag);
    memcpy(cred.id, id, MRU_ID_LEN);
    cred.slots = (uint8_t)mru_bag_int_or(record, MRU_F_SLOTS, 1);
    if (mru_bag_bytes(record, MRU_F_EPOCH, cred.epoch, 2))
        root = mru_root_find(op, cred.epoch);
    if (root == NULL)
        return mru_refuse(&op->err, MEREAU_E_INCOMPLETE, "ctx.root_key", NULL,
                          "the root key that made this token",
                          "a context without it");
    if (!mru_bag_bytes(record, MRU_F_SALT, salt, sizeof salt))
        return MEREAU_E_CORRUPT;
    if ((subject != NULL && mru_head(cred.subject, 's', subject) != 0) ||
        mru_cred_derive(&cred, root->derive, op->tenant->name, salt) != 0 ||
        mru_cred_print(out, &cred) == 0)
        status = MEREAU_E_CRYPTO;
    mru_wipe(&cred, sizeof cred);
    return status;
}

/* --- reading --- */

mereau_status mru_registration_read(mereau_op *op, struct mru_registration *r,
                                    const uint8_t id[MRU_ID_LEN]) {
    int there = 0;
    mereau_status status;
    memcpy(r->id, id, MRU_ID_LEN);
    mru_key_registration(&r->key, id);
    status = mru_tx_want(&op->tx, &r->key);
    for (uint8_t i = 0; i < MRU_MAX_SLOTS && status == MEREAU_OK; i++) {
        mru_key_slot(&r->slot_keys[i], id, i);
        status = mru_tx_want(&op->tx, &r->slot_keys[i]);
    }
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &r->key, &r->record, &there);
    if (status == MEREAU_OK && !there)
        return mru_refuse(&op->err, MEREAU_E_UNKNOWN, "registration_token.id",
                          NULL, "a token of this tenant", "no such record");
    r->n_slots = (size_t)mru_bag_int_or(&r->record, MRU_F_SLOTS, 1);
    if (status == MEREAU_OK && (r->n_slots == 0 || r->n_slots > MRU_MAX_SLOTS))
        return MEREAU_E_CORRUPT;
    for (size_t i = 0; i < r->n_slots && status == MEREAU_OK; i++) {
        status =
            mru_tx_get_bag(&op->tx, &r->slot_keys[i], &r->slots[i], &there);
        r->used += mru_bag_int_or(&r->slots[i], MRU_F_USED, 0);
        int64_t at = mru_bag_int_or(&r->slots[i], MEREAU_LAST_USED_AT, 0);
        r->last_used_at = at > r->last_used_at ? at : r->last_used_at;
    }
    return status;
}

mereau_status mru_registration_named(mereau_op *op,
                                     struct mru_registration *r) {
    const char *text = mru_bag_text(&op->in, MEREAU_REGISTRATION_TOKEN_ID);
    uint8_t id[MRU_ID_LEN];
    if (mru_id_read(id, text) != 0)
        return mru_refuse(&op->err, MEREAU_E_UNKNOWN, "registration_token.id",
                          NULL, "an id of this library", "another text");
    mru_bag_set_text(&op->event, MEREAU_REGISTRATION_TOKEN_ID, text);
    return mru_registration_read(op, r, id);
}

void mru_registration_free(struct mru_registration *r) {
    mru_bag_free(&r->record);
    for (size_t i = 0; i < MRU_MAX_SLOTS; i++)
        mru_bag_free(&r->slots[i]);
}

void mru_registration_show(mereau_op *op, struct mru_bag *out,
                           const struct mru_registration *r) {
    static const int32_t shown[] = {MEREAU_CLIENT_ID,
                                    MEREAU_COUNT,
                                    MEREAU_CREATED_AT,
                                    MEREAU_STARTS_AT,
                                    MEREAU_EXPIRES_AT,
                                    MEREAU_REVOKED_AT,
                                    MEREAU_ENABLED,
                                    MEREAU_SCOPE,
                                    MEREAU_AUDIENCE,
                                    MEREAU_SUBJECT,
                                    MEREAU_RECIPIENT,
                                    MEREAU_ALLOWED_DEVICE_ID,
                                    MEREAU_ALLOWED_DEVICE_JKT,
                                    MEREAU_LABEL,
                                    MEREAU_REFERENCE,
                                    0};
    char id[MRU_ID_TEXT];
    mru_id_print(id, r->id);
    mru_bag_set_text(out, MEREAU_REGISTRATION_TOKEN_ID, id);
    for (size_t i = 0; shown[i] != 0; i++)
        mru_bag_copy(out, &r->record, shown[i]);
    mru_bag_set_int(out, MEREAU_USED_COUNT, 'I', r->used);
    if (r->last_used_at > 0)
        mru_bag_set_int(out, MEREAU_LAST_USED_AT, 'I', r->last_used_at);
    mru_bag_set_text(out, MEREAU_STATE,
                     mru_registration_state(&r->record, r->used, op->now_at));
}

/* By id, or by the token itself, which must prove itself. */
static mereau_status decide_get(mereau_op *op) {
    struct mru_registration r = {0};
    struct mru_cred cred;
    char text[MRU_CRED_MAX];
    size_t len;
    const char *token =
        (const char *)mru_bag_data(&op->in, MEREAU_REGISTRATION_TOKEN, &len);
    mereau_status status;
    if (token == NULL && !mru_bag_has(&op->in, MEREAU_REGISTRATION_TOKEN_ID))
        return mru_refuse(&op->err, MEREAU_E_FIELD, "op.field", NULL,
                          "registration_token_id or registration_token",
                          "neither");
    if (token == NULL) {
        status = mru_registration_named(op, &r);
    } else {
        status =
            mru_cred_parse(&cred, MRU_CRED_REGISTRATION, token, len, &op->err);
        if (status == MEREAU_OK &&
            memcmp(cred.tag, op->tenant->tag, sizeof cred.tag) != 0)
            status =
                mru_refuse(&op->err, MEREAU_E_UNKNOWN, "credential.tenant",
                           NULL, "a token of this tenant", "another tenant's");
        if (status == MEREAU_OK)
            status = mru_registration_read(op, &r, cred.id);
        if (status == MEREAU_OK)
            status = mru_registration_print(op, &r.record, cred.id, text);
        if (status == MEREAU_OK &&
            (strlen(text) != len || !mru_equal_ct(text, token, len)))
            status = mru_refuse(
                &op->err, MEREAU_E_UNKNOWN, "registration_token.secret", NULL,
                "a token that this tenant issued", "a wrong secret");
        mru_wipe(text, sizeof text);
        mru_wipe(&cred, sizeof cred);
    }
    if (status == MEREAU_OK)
        mru_registration_show(op, &op->out, &r);
    mru_registration_free(&r);
    return status;
}

static const int32_t get_takes[] = {MEREAU_REGISTRATION_TOKEN_ID,
                                    MEREAU_REGISTRATION_TOKEN, 0};

const struct mru_op_class mru_class_registration_token_get = {
    "registration_token_get",
    "registration_token.get",
    MRU_OP_QUIET,
    NULL,
    get_takes,
    NULL,
    decide_get};

mereau_op *mereau_registration_token_get(const mereau_tenant *tenant,
                                         const char *id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_registration_token_get);
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN_ID, id);
    return op;
}

/* --- lists --- */

static int passes(const mereau_op *op, const struct mru_bag *row) {
    static const int32_t texts[] = {MEREAU_CLIENT_ID, MEREAU_STATE,
                                    MEREAU_RECIPIENT, 0};
    const char *reference = mru_bag_text(&op->in, MEREAU_REFERENCE);
    for (size_t i = 0; texts[i] != 0; i++) {
        const char *wanted = mru_bag_text(&op->in, texts[i]);
        const char *found = mru_bag_text(row, texts[i]);
        if (wanted != NULL && (found == NULL || strcmp(wanted, found) != 0))
            return 0;
    }
    return reference == NULL || mru_bag_lists(row, MEREAU_REFERENCE, reference);
}

static mereau_status add_row(mereau_op *op, const struct mru_rec *entry) {
    struct mru_registration r = {0};
    struct mru_bag shown = {0}, *row;
    mereau_status status = mru_registration_read(
        op, &r, entry->key.data + entry->key.len - MRU_ID_LEN);
    if (status == MEREAU_OK) {
        mru_registration_show(op, &shown, &r);
        row = passes(op, &shown) ? mru_op_add_row(op) : NULL;
        if (row != NULL)
            *row = shown;
        else
            mru_bag_free(&shown);
    } else if (status == MEREAU_E_UNKNOWN) {
        status = MEREAU_OK; /* purged since the entry was read */
    }
    mru_registration_free(&r);
    return status;
}

static mereau_status decide_list(mereau_op *op) {
    const char *client = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    struct mru_rkey prefix;
    if (client != NULL)
        mru_rkey_list(&prefix, MRU_LIST_APP_REGISTRATIONS, client,
                      strlen(client));
    else
        mru_rkey_list(&prefix, MRU_LIST_REGISTRATIONS, NULL, 0);
    return mru_list_page(op, &prefix, add_row);
}

static const int32_t list_takes[] = {MEREAU_CLIENT_ID,
                                     MEREAU_STATE,
                                     MEREAU_RECIPIENT,
                                     MEREAU_REFERENCE,
                                     MEREAU_PAGE_SIZE,
                                     MEREAU_CURSOR,
                                     0};

const struct mru_op_class mru_class_registration_token_list = {
    "registration_token_list",
    "registration_token.list",
    MRU_OP_LIST | MRU_OP_ORDERED | MRU_OP_QUIET,
    NULL,
    list_takes,
    NULL,
    decide_list};

mereau_op *mereau_registration_token_list(const mereau_tenant *tenant) {
    return mru_op_make(tenant, &mru_class_registration_token_list);
}
