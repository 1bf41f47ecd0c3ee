/* lib/engine/mint.c - minting registration tokens, one or many, and reissuing
 * the rest of an old one. */
#include "../model/registration.h"
#include "app.h"
#include "classes_core.h"
#include "registration_int.h"

#define MAX_COUNT INT64_C(1000000000)
#define MANY_A_BATCH 20
#define MAX_MANY 1000

static mereau_status stage_slots(mereau_op *op, const struct mru_bag *record,
                                 const uint8_t id[MRU_ID_LEN]) {
    uint8_t slots = (uint8_t)mru_bag_int_or(record, MRU_F_SLOTS, 1);
    int64_t count = mru_bag_int_or(record, MEREAU_COUNT, 0);
    mereau_status status = MEREAU_OK;
    for (uint8_t i = 0; i < slots && status == MEREAU_OK; i++) {
        struct mru_bag slot = {0};
        struct mru_rkey key;
        mru_key_slot(&key, id, i);
        mru_bag_set_int(&slot, MRU_F_QUOTA, 'I',
                        mru_registration_quota(count, slots, i));
        mru_bag_set_int(&slot, MRU_F_USED, 'I', 0);
        status = mru_tx_put_new(&op->tx, &key, &slot,
                                mru_registration_drop_at(record));
        mru_bag_free(&slot);
    }
    return status;
}

/* Its id comes from the seed, so its place can be read before: absent, it is
 * the witness of the batch. */
static mereau_status new_key(mereau_op *op, uint32_t index,
                             uint8_t id[MRU_ID_LEN], struct mru_rkey *key) {
    if (mru_tx_random(&op->tx, "registration id", index, id, MRU_ID_LEN) != 0)
        return MEREAU_E_CRYPTO;
    mru_key_registration(key, id);
    return index == 0 ? mru_tx_want(&op->tx, key) : MEREAU_OK;
}

mereau_status mru_registration_stage(mereau_op *op, struct mru_bag *record,
                                     uint32_t index, struct mru_bag *out) {
    uint8_t id[MRU_ID_LEN], salt[MRU_SALT_LEN];
    struct mru_rkey key, keys[MRU_REGISTRATION_INDEXES];
    char text[MRU_CRED_MAX], id_text[MRU_ID_TEXT];
    mereau_status status;
    int n;
    const struct mru_rec *none;
    status = new_key(op, index, id, &key);
    if (status == MEREAU_OK && index == 0)
        status = mru_tx_get(&op->tx, &key, &none);
    if (status != MEREAU_OK)
        return status;
    if (mru_tx_random(&op->tx, "salt", index, salt, sizeof salt) != 0)
        return MEREAU_E_CRYPTO;
    mru_bag_set_data(record, MRU_F_SALT, 'D', salt, sizeof salt);
    mru_bag_set_data(record, MRU_F_EPOCH, 'D', mru_root_newest(op)->epoch, 2);
    mru_bag_set_int(record, MEREAU_CREATED_AT, 'I', op->now_at);
    mru_bag_set_int(
        record, MRU_F_SLOTS, 'I',
        mru_registration_slots(mru_bag_int_or(record, MEREAU_COUNT, 0)));
    status = mru_check_room(op, record, MRU_ROOM_TO_END);
    if (status == MEREAU_OK)
        status = mru_registration_print(op, record, id, text);
    if (status == MEREAU_OK && index == 0) {
        mru_tx_witness(&op->tx, &key);
        status =
            mru_tx_put(&op->tx, &key, record, mru_registration_drop_at(record));
    } else if (status == MEREAU_OK) {
        status = mru_tx_put_new(&op->tx, &key, record,
                                mru_registration_drop_at(record));
    }
    if (status == MEREAU_OK)
        status = stage_slots(op, record, id);
    n = mru_registration_index_keys(record, id, keys, MRU_REGISTRATION_INDEXES);
    if (status == MEREAU_OK)
        status = mru_put_index(op, keys, n, 0);
    if (status == MEREAU_OK) {
        mru_id_print(id_text, id);
        mru_bag_set_text(out, MEREAU_REGISTRATION_TOKEN, text);
        mru_bag_set_text(out, MEREAU_REGISTRATION_TOKEN_ID, id_text);
        mru_bag_copy(out, record, MEREAU_EXPIRES_AT);
        mru_bag_copy(out, record, MEREAU_COUNT);
        mru_bag_set_text(&op->event, MEREAU_REGISTRATION_TOKEN_ID, id_text);
    }
    mru_wipe(text, sizeof text);
    return status;
}

/* --- what may be minted --- */

static mereau_status check_subset(mereau_op *op,
                                  const struct mru_above *above) {
    const char *scope = mru_bag_text(&op->in, MEREAU_SCOPE);
    const char *granted = mru_bag_text(above->app, MEREAU_SCOPE);
    size_t n = mru_bag_count(&op->in, MEREAU_AUDIENCE);
    uint64_t mask;
    if (scope != NULL) {
        mereau_status status = mru_check_scope(op, scope);
        if (status != MEREAU_OK)
            return status;
        if (mru_scope_mask(granted == NULL ? "" : granted, scope, &mask) != 0)
            return mru_refuse(&op->err, MEREAU_E_SCOPE, "scope.app", NULL,
                              "not more than the app may have", "more");
    }
    for (size_t i = 0; i < n; i++)
        if (!mru_bag_lists(above->app, MEREAU_AUDIENCE,
                           mru_bag_text_at(&op->in, MEREAU_AUDIENCE, i)))
            return mru_refuse(&op->err, MEREAU_E_SCOPE, "audience.app", NULL,
                              "an audience of the app", "another one");
    if (n > MRU_MAX_AUDIENCES) /* some of them twice */
        return mru_refuse(&op->err, MEREAU_E_TOO_LONG,
                          "registration_token.audience", NULL,
                          "at most 64 audiences", "more");
    return MEREAU_OK;
}

static mereau_status check_texts(mereau_op *op) {
    size_t n = mru_bag_count(&op->in, MEREAU_ALLOWED_DEVICE_ID);
    mereau_status status = mru_check_length(op, MEREAU_SUBJECT, 255);
    if (status == MEREAU_OK)
        status = mru_check_length(op, MEREAU_RECIPIENT, 255);
    for (size_t i = 0; i < n && status == MEREAU_OK; i++) {
        size_t len =
            strlen(mru_bag_text_at(&op->in, MEREAU_ALLOWED_DEVICE_ID, i));
        if (len == 0 || len > 128)
            status =
                mru_refuse(&op->err, MEREAU_E_ARG, "device_id.length", NULL,
                           "device ids of 1..128 bytes", "another length");
    }
    return status;
}

static mereau_status check_times(mereau_op *op, const struct mru_above *above) {
    int64_t most =
        mru_setting(above, MEREAU_MAX_LIFETIME_S, MRU_DEFAULT_MAX_LIFETIME_S);
    int64_t expires_at =
        mru_add_time(op->now_at, mru_bag_int_or(&op->in, MEREAU_LIFETIME_S, 0));
    int64_t starts_at = mru_bag_int_or(&op->in, MEREAU_STARTS_AT, 0);
    mereau_status status = mru_check_range(op, MEREAU_LIFETIME_S, 1, most);
    if (status == MEREAU_OK && starts_at >= expires_at)
        status = mru_refuse(&op->err, MEREAU_E_POLICY,
                            "registration_token.starts_at", NULL,
                            "a start before the end", "a later one");
    return status;
}

static mereau_status want_first(mereau_op *op) {
    uint8_t id[MRU_ID_LEN];
    struct mru_rkey key;
    mereau_status status = new_key(op, 0, id, &key);
    if (status == MEREAU_OK)
        status = mru_gather_want(op, MRU_WITH_APP | MRU_WITH_FRESH,
                                 mru_bag_text(&op->in, MEREAU_CLIENT_ID));
    return status;
}

static mereau_status above_mint(mereau_op *op, struct mru_above *above) {
    const char *client = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    mereau_status status =
        mru_gather(op, MRU_WITH_APP | MRU_WITH_FRESH, client, above);
    if (status == MEREAU_OK)
        status = mru_check_tenant(op, above);
    if (status == MEREAU_OK)
        status = mru_check_app(op, above);
    if (status == MEREAU_OK &&
        mru_bag_count(above->app, MEREAU_GRANT_TYPE) > 0 &&
        !mru_bag_lists(above->app, MEREAU_GRANT_TYPE, "registration_token"))
        status = mru_refuse(
            &op->err, MEREAU_E_POLICY, "app.grant_type", "RFC 7591 2",
            "an app that may use registration tokens", "one that may not");
    if (status == MEREAU_OK)
        status = check_subset(op, above);
    if (status == MEREAU_OK)
        status = check_texts(op);
    return status == MEREAU_OK ? check_times(op, above) : status;
}

static void fill(mereau_op *op, struct mru_bag *record, int64_t count) {
    static const int32_t copied[] = {MEREAU_CLIENT_ID,
                                     MEREAU_SCOPE,
                                     MEREAU_AUDIENCE,
                                     MEREAU_STARTS_AT,
                                     MEREAU_SUBJECT,
                                     MEREAU_ALLOWED_DEVICE_ID,
                                     MEREAU_ALLOWED_DEVICE_JKT,
                                     MEREAU_RECIPIENT,
                                     MEREAU_LABEL,
                                     MEREAU_REFERENCE,
                                     0};
    for (size_t i = 0; copied[i] != 0; i++)
        mru_bag_copy(record, &op->in, copied[i]);
    mru_bag_set_int(record, MEREAU_COUNT, 'I', count);
    mru_bag_set_int(
        record, MEREAU_EXPIRES_AT, 'I',
        mru_add_time(op->now_at,
                     mru_bag_int_or(&op->in, MEREAU_LIFETIME_S, 0)));
}

/* The token of an answer that was given before. */
static mereau_status restore(mereau_op *op, struct mru_bag *out) {
    struct mru_bag record = {0};
    struct mru_rkey key;
    uint8_t id[MRU_ID_LEN];
    char text[MRU_CRED_MAX];
    int there;
    mereau_status status;
    if (mru_id_read(id, mru_bag_text(out, MEREAU_REGISTRATION_TOKEN_ID)) != 0)
        return MEREAU_E_CORRUPT;
    mru_key_registration(&key, id);
    status = mru_tx_get_bag(&op->tx, &key, &record, &there);
    if (status == MEREAU_OK && !there)
        status = mru_refuse(&op->err, MEREAU_E_UNKNOWN, "registration_token.id",
                            NULL, "a token of this tenant", "one that is gone");
    if (status == MEREAU_OK)
        status = mru_registration_print(op, &record, id, text);
    if (status == MEREAU_OK)
        mru_bag_set_text(out, MEREAU_REGISTRATION_TOKEN, text);
    mru_wipe(text, sizeof text);
    mru_bag_free(&record);
    return status;
}

static mereau_status decide_mint(mereau_op *op) {
    struct mru_above above;
    struct mru_bag record = {0};
    int done;
    mereau_status status = mru_check_range(op, MEREAU_COUNT, 1, MAX_COUNT);
    mru_bag_copy(&op->event, &op->in, MEREAU_CLIENT_ID);
    if (status == MEREAU_OK)
        status = want_first(op);
    if (status == MEREAU_OK)
        status = mru_idempotent_find(op, 0, &done);
    if (status != MEREAU_OK)
        return status;
    if (done)
        return restore(op, &op->out);
    status = above_mint(op, &above);
    fill(op, &record, mru_bag_int_or(&op->in, MEREAU_COUNT, 0));
    if (status == MEREAU_OK)
        status = mru_registration_stage(op, &record, 0, &op->out);
    if (status == MEREAU_OK)
        status = mru_check_head(op);
    if (status == MEREAU_OK)
        status = mru_idempotent_keep(op, 0, &op->out);
    mru_bag_free(&record);
    return status;
}

/* Many of one count each: bounded commits, each resumed by the idempotency
 * key. */
static mereau_status decide_mint_many(mereau_op *op) {
    struct mru_above above;
    int64_t all = mru_bag_int_or(&op->in, MEREAU_COUNT, 0);
    int64_t left = all - (int64_t)op->batch * MANY_A_BATCH;
    int done;
    mereau_status status = mru_check_range(op, MEREAU_COUNT, 1, MAX_MANY);
    mru_bag_copy(&op->event, &op->in, MEREAU_CLIENT_ID);
    mru_bag_copy(&op->event, &op->in, MEREAU_COUNT);
    if (status == MEREAU_OK)
        status = want_first(op);
    if (status == MEREAU_OK)
        status = mru_idempotent_find(op, op->batch, &done);
    if (status != MEREAU_OK)
        return status;
    op->again = left > MANY_A_BATCH;
    if (done) {
        for (size_t i = op->first_row; i < op->n_rows && status == MEREAU_OK;
             i++)
            status = restore(op, &op->rows[i]);
        return status;
    }
    status = above_mint(op, &above);
    for (uint32_t i = 0;
         i < MANY_A_BATCH && (int64_t)i < left && status == MEREAU_OK; i++) {
        struct mru_bag record = {0}, *row = mru_op_add_row(op);
        fill(op, &record, 1);
        status = row == NULL ? MEREAU_E_NOMEM
                             : mru_registration_stage(op, &record, i, row);
        mru_bag_free(&record);
    }
    if (status == MEREAU_OK)
        status = mru_check_head(op);
    if (status == MEREAU_OK)
        status = mru_idempotent_keep(op, op->batch, &op->out);
    return status;
}

static const int32_t must[] = {MEREAU_CLIENT_ID, MEREAU_COUNT,
                               MEREAU_LIFETIME_S, 0};
static const int32_t takes[] = {MEREAU_SCOPE,
                                MEREAU_AUDIENCE,
                                MEREAU_STARTS_AT,
                                MEREAU_SUBJECT,
                                MEREAU_ALLOWED_DEVICE_ID,
                                MEREAU_ALLOWED_DEVICE_JKT,
                                MEREAU_RECIPIENT,
                                MEREAU_LABEL,
                                MEREAU_REFERENCE,
                                MEREAU_IDEMPOTENCY_KEY,
                                0};

const struct mru_op_class mru_class_registration_token_mint = {
    "registration_token_mint",
    "registration_token.mint",
    MRU_OP_LINEAR,
    must,
    takes,
    NULL,
    decide_mint};
const struct mru_op_class mru_class_registration_token_mint_many = {
    "registration_token_mint_many",
    "registration_token.mint_many",
    MRU_OP_LINEAR,
    must,
    takes,
    NULL,
    decide_mint_many};

static mereau_op *make(const mereau_tenant *tenant,
                       const struct mru_op_class *class, const char *client_id,
                       int64_t count, int64_t lifetime_s) {
    mereau_op *op = mru_op_make(tenant, class);
    mereau_op_set_text(op, MEREAU_CLIENT_ID, client_id);
    mereau_op_set_int(op, MEREAU_COUNT, count);
    mereau_op_set_int(op, MEREAU_LIFETIME_S, lifetime_s);
    return op;
}

mereau_op *mereau_registration_token_mint(const mereau_tenant *tenant,
                                          const char *client_id, int64_t count,
                                          int64_t lifetime_s) {
    return make(tenant, &mru_class_registration_token_mint, client_id, count,
                lifetime_s);
}

mereau_op *mereau_registration_token_mint_many(const mereau_tenant *tenant,
                                               const char *client_id,
                                               int64_t count,
                                               int64_t lifetime_s) {
    return make(tenant, &mru_class_registration_token_mint_many, client_id,
                count, lifetime_s);
}

/* --- reissue --- */

static mereau_status reissue(mereau_op *op, struct mru_registration *old) {
    static const int32_t dropped[] = {
        MEREAU_EXPIRES_AT, MEREAU_STARTS_AT, MRU_F_TAGS, MEREAU_CREATED_AT,
        MEREAU_REVOKED_AT, MEREAU_ENABLED,   0};
    struct mru_above above;
    struct mru_bag record = {0};
    int64_t left = mru_bag_int_or(&old->record, MEREAU_COUNT, 0) - old->used;
    const char *client = mru_bag_text(&old->record, MEREAU_CLIENT_ID);
    mereau_status status = mru_gather(op, MRU_WITH_APP, client, &above);
    if (status == MEREAU_OK)
        status = mru_check_tenant(op, &above);
    if (status == MEREAU_OK)
        status = mru_check_app(op, &above);
    if (status == MEREAU_OK)
        status = check_times(op, &above);
    if (status != MEREAU_OK)
        return status;
    if (mru_bag_has(&old->record, MEREAU_REVOKED_AT))
        return mru_registration_open(&old->record, op->now_at, &op->err);
    if (left <= 0)
        return mru_refuse(&op->err, MEREAU_E_USED_UP,
                          "registration_token.count", NULL,
                          "counts that are left", "none");
    mru_bag_copy_all(&record, &old->record);
    for (size_t i = 0; dropped[i] != 0; i++)
        mru_bag_unset(&record, dropped[i]);
    mru_bag_set_int(&record, MEREAU_COUNT, 'I', left);
    mru_bag_set_int(
        &record, MEREAU_EXPIRES_AT, 'I',
        mru_add_time(op->now_at,
                     mru_bag_int_or(&op->in, MEREAU_LIFETIME_S, 0)));
    status = mru_registration_stage(op, &record, 0, &op->out);
    mru_bag_set_int(&old->record, MEREAU_REVOKED_AT, 'I', op->now_at);
    mru_bag_set_text(&old->record, MRU_F_SUCCESSOR,
                     mru_bag_text(&op->out, MEREAU_REGISTRATION_TOKEN_ID));
    if (status == MEREAU_OK)
        status = mru_tx_put(&op->tx, &old->key, &old->record,
                            mru_registration_drop_at(&old->record));
    /* a redemption under way moves a sub-count: then the rest is another */
    for (size_t i = 0; i < old->n_slots && status == MEREAU_OK; i++)
        status = mru_tx_check(&op->tx, &old->slot_keys[i]);
    if (status == MEREAU_OK)
        status = mru_check_head(op);
    mru_bag_free(&record);
    return status;
}

static mereau_status decide_reissue(mereau_op *op) {
    struct mru_registration old = {0};
    int done;
    mereau_status status = mru_idempotent_find(op, 0, &done);
    if (status == MEREAU_OK && done)
        return restore(op, &op->out);
    if (status == MRU_MORE || status == MEREAU_OK) {
        uint8_t id[MRU_ID_LEN];
        struct mru_rkey key;
        mereau_status read = mru_gather_want(op, 0, NULL);
        if (read == MEREAU_OK)
            read = new_key(op, 0, id, &key);
        if (read == MEREAU_OK)
            read = mru_registration_named(op, &old);
        status = status == MRU_MORE && read == MEREAU_OK ? MRU_MORE : read;
    }
    if (status == MEREAU_OK)
        status = reissue(op, &old);
    if (status == MEREAU_OK)
        status = mru_idempotent_keep(op, 0, &op->out);
    mru_registration_free(&old);
    return status;
}

static const int32_t reissue_must[] = {MEREAU_REGISTRATION_TOKEN_ID,
                                       MEREAU_LIFETIME_S, 0};
static const int32_t reissue_takes[] = {MEREAU_IDEMPOTENCY_KEY, 0};

const struct mru_op_class mru_class_registration_token_reissue = {
    "registration_token_reissue",
    "registration_token.reissue",
    MRU_OP_LINEAR,
    reissue_must,
    reissue_takes,
    NULL,
    decide_reissue};

mereau_op *mereau_registration_token_reissue(const mereau_tenant *tenant,
                                             const char *id,
                                             int64_t lifetime_s) {
    mereau_op *op = mru_op_make(tenant, &mru_class_registration_token_reissue);
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN_ID, id);
    mereau_op_set_int(op, MEREAU_LIFETIME_S, lifetime_s);
    return op;
}
