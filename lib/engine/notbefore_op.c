/* lib/engine/notbefore_op.c - mereau_not_before_raise(): one number refuses all
 * that was issued before. */
#include <mereau/tenant.h>

#include "../model/notbefore.h"
#include "admin.h"
#include "classes_admin.h"

static const int32_t whose_fields[] = {MEREAU_TENANT_ID, MEREAU_CLIENT_ID,
                                       MEREAU_SUBJECT, MEREAU_DEVICE_ID};

/* Exactly one of the four is set, and not empty: nothing may mean everybody by
 * mistake. */
static mereau_status check(mereau_op *op, int32_t *whose, const char **id) {
    size_t n = 0;
    for (size_t i = 0; i < 4; i++) {
        const char *text = mru_bag_text(&op->in, whose_fields[i]);
        if (text == NULL)
            continue;
        *whose = whose_fields[i];
        *id = text;
        n++;
    }
    if (n != 1)
        return mru_refuse(&op->err, MEREAU_E_FIELD, "not_before.whose", NULL,
                          "one of tenant_id, client_id, subject, device_id",
                          n == 0 ? "none" : "more than one");
    if (**id == '\0')
        return mru_refuse(&op->err, MEREAU_E_FIELD, "not_before.whose", NULL,
                          "an id: an empty one would mean everybody",
                          mereau_field_name(*whose));
    if (*whose == MEREAU_TENANT_ID && strcmp(*id, op->tenant->name) != 0)
        return mru_refuse(&op->err, MEREAU_E_FIELD, "not_before.whose", NULL,
                          "tenant_id of this tenant, or NULL", "another one");
    if (*whose != MEREAU_SUBJECT && *whose != MEREAU_TENANT_ID)
        return mru_check_length(op, *whose, 128);
    return MEREAU_OK;
}

/* One level: where its record is, and what is told with it. */
struct level {
    int32_t whose;
    const char *id;
    char kind; /* of its notice, and of its names record */
    uint8_t head[MRU_HEAD_LEN];
    struct mru_rkey key;
    struct mru_bag record;
};

static mereau_status find_level(struct level *level) {
    switch (level->whose) {
    case MEREAU_TENANT_ID:
        level->kind = 't';
        mru_key_tenant(&level->key);
        return MEREAU_OK;
    case MEREAU_CLIENT_ID:
        level->kind = 'a';
        mru_key_app(&level->key, level->id);
        return MEREAU_OK;
    default:
        level->kind = level->whose == MEREAU_SUBJECT ? 's' : 'd';
        if (mru_head(level->head, level->kind, level->id) != 0)
            return MEREAU_E_CRYPTO;
        mru_key_names(&level->key, level->kind, level->head);
        return MEREAU_OK;
    }
}

static int has_names(const struct level *level) {
    return level->kind == 's' || level->kind == 'd';
}

/* Everything in one get. */
static mereau_status want(mereau_op *op, const struct level *level) {
    struct mru_rkey bucket;
    mereau_status status = mru_tx_want(&op->tx, &level->key);
    if (status == MEREAU_OK && level->kind != 't')
        status = mru_notice_want(op);
    if (status == MEREAU_OK && has_names(level)) {
        mru_rkey_bucket(&bucket, level->head);
        status = mru_tx_want(&op->tx, &bucket);
    }
    return status;
}

static mereau_status read_level(mereau_op *op, struct level *level) {
    int there;
    if (level->kind == 'a')
        return mru_admin_app(op, level->id, &level->record);
    mereau_status status =
        mru_tx_get_bag(&op->tx, &level->key, &level->record, &there);
    /* Whose record it is, for who reads the store; it is found by its head. */
    if (status == MEREAU_OK && !there && has_names(level))
        mru_bag_set_text(&level->record, level->whose, level->id);
    return status;
}

/* The raised record, its head and its notice, all in one commit. */
static mereau_status put_level(mereau_op *op, struct level *level,
                               const struct mru_bag *tenant) {
    mereau_status status;
    if (level->record.failed)
        return MEREAU_E_NOMEM;
    mru_tx_witness(&op->tx, &level->key);
    status = mru_tx_put(&op->tx, &level->key, &level->record, 0);
    if (status == MEREAU_OK)
        status = has_names(level) ? mru_bump_bucket(op, level->head)
                                  : mru_bump_head(op);
    /* how long its notice is kept hangs on the tenant's record */
    if (status == MEREAU_OK && has_names(level))
        status = mru_check_head(op);
    if (status == MEREAU_OK && level->kind != 't')
        status =
            mru_notice_add(op, level->kind, level->id,
                           mru_bag_int(&level->record, MEREAU_NOT_BEFORE_AT),
                           mru_longest_access(tenant));
    return status;
}

static mereau_status raise_level(mereau_op *op, struct level *level) {
    struct mru_admin admin = {0};
    int64_t before;
    mereau_status status = find_level(level);
    if (status == MEREAU_OK)
        status = want(op, level);
    if (status == MEREAU_OK)
        status = mru_admin_open(op, &admin, 0);
    if (status == MEREAU_OK)
        status = read_level(op, level);
    if (status != MEREAU_OK)
        goto end;
    before = mru_bag_int(&level->record, MEREAU_NOT_BEFORE_AT);
    status = mru_not_before_raise_level(
        &level->record, mru_bag_int(&op->in, MEREAU_NOT_BEFORE_AT), op->now_at,
        &op->err);
    if (status == MEREAU_OK &&
        mru_bag_int(&level->record, MEREAU_NOT_BEFORE_AT) != before)
        status = put_level(op, level, &admin.tenant);
    if (status == MEREAU_OK) {
        mru_bag_copy(&op->out, &level->record, MEREAU_NOT_BEFORE_AT);
        mru_bag_copy(&op->event, &level->record, MEREAU_NOT_BEFORE_AT);
    }
end:
    mru_admin_close(&admin);
    return status;
}

static mereau_status decide_raise(mereau_op *op) {
    struct level level = {0};
    mereau_status status = check(op, &level.whose, &level.id);
    if (status == MEREAU_OK) {
        mru_bag_copy(&op->event, &op->in, level.whose);
        status = raise_level(op, &level);
    }
    mru_bag_free(&level.record);
    return status;
}

static const int32_t raise_must[] = {MEREAU_NOT_BEFORE_AT, 0};
static const int32_t raise_takes[] = {MEREAU_TENANT_ID, MEREAU_CLIENT_ID,
                                      MEREAU_SUBJECT, MEREAU_DEVICE_ID, 0};

const struct mru_op_class mru_class_not_before_raise = {
    "not_before_raise", "not_before.raise", 0, raise_must, raise_takes, NULL,
    decide_raise};

mereau_op *mereau_not_before_raise(const mereau_tenant *tenant, int32_t whose,
                                   const char *id, int64_t at) {
    mereau_op *op = mru_op_make(tenant, &mru_class_not_before_raise);
    mereau_op_set_int(op, MEREAU_NOT_BEFORE_AT, at);
    if (op != NULL && whose == MEREAU_TENANT_ID && id == NULL)
        id = op->tenant->name;
    mereau_op_set_text(op, whose, id);
    return op;
}
