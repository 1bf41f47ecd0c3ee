/* lib/engine/registration_admin.c - changing and revoking registration tokens. */
#include "../model/registration.h"
#include "classes_core.h"
#include "enrolment.h"
#include "registration_int.h"

/* Raising adds to one sub-count; lowering takes what is unused, from all. */
static mereau_status change_count(mereau_op *op, struct mru_registration *r,
                                  int64_t count) {
    int64_t change = count - mru_bag_int_or(&r->record, MEREAU_COUNT, 0);
    mereau_status status = MEREAU_OK;
    char wanted[96];
    mru_say(wanted, sizeof wanted, "a count of at least %lld",
            (long long)r->used);
    if (count < r->used)
        return mru_refuse(&op->err, MEREAU_E_POLICY,
                          "registration_token.used_count", NULL, wanted,
                          "less than is used");
    for (size_t i = 0; i < r->n_slots && status == MEREAU_OK; i++) {
        int64_t quota = mru_bag_int_or(&r->slots[i], MRU_F_QUOTA, 0);
        int64_t used = mru_bag_int_or(&r->slots[i], MRU_F_USED, 0);
        int64_t mine = change > 0 ? change : used - quota;
        if (change == 0)
            break;
        mine = change < 0 && mine < change ? change : mine;
        change -= mine;
        if (mine == 0) {
            status = mru_tx_check(&op->tx, &r->slot_keys[i]);
            continue;
        }
        mru_bag_set_int(&r->slots[i], MRU_F_QUOTA, 'I', quota + mine);
        status = mru_tx_put(&op->tx, &r->slot_keys[i], &r->slots[i],
                            mru_registration_drop_at(&r->record));
    }
    mru_bag_set_int(&r->record, MEREAU_COUNT, 'I', count);
    return status;
}

static mereau_status change_times(mereau_op *op, struct mru_registration *r,
                                  const struct mru_above *above) {
    int64_t expires_at = mru_bag_int(&op->in, MEREAU_EXPIRES_AT);
    /* from its minting on: records of what it led to are kept so long */
    int64_t most = mru_add_time(
        mru_bag_int_or(&r->record, MEREAU_CREATED_AT, op->now_at),
        mru_setting(above, MEREAU_MAX_LIFETIME_S, MRU_DEFAULT_MAX_LIFETIME_S));
    if (expires_at == MEREAU_UNSET)
        return MEREAU_OK;
    if (expires_at <= op->now_at || expires_at > most)
        return mru_refuse(&op->err, MEREAU_E_POLICY,
                          "registration_token.expires_at", NULL,
                          "an end ahead, within the tenant's longest validity",
                          "another one");
    mru_bag_set_int(&r->record, MEREAU_EXPIRES_AT, 'I', expires_at);
    return MEREAU_OK;
}

/* Sub-counts live as long as their token. */
static mereau_status keep_slots(mereau_op *op, struct mru_registration *r) {
    mereau_status status = MEREAU_OK;
    for (size_t i = 0; i < r->n_slots && status == MEREAU_OK; i++)
        status = mru_tx_put(&op->tx, &r->slot_keys[i], &r->slots[i],
                            mru_registration_drop_at(&r->record));
    return status;
}

/* A list of one empty text takes the list away. */
static mereau_status change_field(mereau_op *op, struct mru_registration *r,
                                  int32_t field) {
    size_t n = mru_bag_count(&op->in, field);
    if (mereau_field_type(field) == 'L' && n == 1 &&
        *mru_bag_text_at(&op->in, field, 0) == '\0') {
        mru_bag_unset(&r->record, field);
        return MEREAU_OK;
    }
    for (size_t i = 0; i < n && field == MEREAU_ALLOWED_DEVICE_ID; i++) {
        size_t len = strlen(mru_bag_text_at(&op->in, field, i));
        if (len == 0 || len > 128)
            return mru_refuse(&op->err, MEREAU_E_ARG, "device_id.length", NULL,
                              "device ids of 1..128 bytes", "another length");
    }
    mru_bag_copy(&r->record, &op->in, field);
    return MEREAU_OK;
}

static mereau_status update(mereau_op *op, struct mru_registration *r,
                            const struct mru_above *above) {
    static const int32_t copied[] = {MEREAU_ENABLED,
                                     MEREAU_ALLOWED_DEVICE_ID,
                                     MEREAU_ALLOWED_DEVICE_JKT,
                                     MEREAU_LABEL,
                                     MEREAU_REFERENCE,
                                     MEREAU_RECIPIENT,
                                     0};
    int64_t count = mru_bag_int(&op->in, MEREAU_COUNT);
    mereau_status status = MEREAU_OK;
    if (mru_bag_has(&r->record, MEREAU_REVOKED_AT))
        return mru_registration_open(&r->record, op->now_at, &op->err);
    if (op->now_at >= mru_bag_int_or(&r->record, MEREAU_EXPIRES_AT, 0))
        return mru_registration_open(&r->record, op->now_at, &op->err);
    status = mru_check_range(op, MEREAU_COUNT, 1, INT64_C(1000000000));
    if (status == MEREAU_OK)
        status = change_times(op, r, above);
    if (status == MEREAU_OK && count != MEREAU_UNSET)
        status = change_count(op, r, count);
    if (status == MEREAU_OK && mru_bag_has(&op->in, MEREAU_EXPIRES_AT))
        status = keep_slots(op, r);
    for (size_t i = 0; copied[i] != 0 && status == MEREAU_OK; i++)
        status = change_field(op, r, copied[i]);
    if (status == MEREAU_OK)
        status = mru_check_head(op);
    if (status == MEREAU_OK)
        status = mru_check_room(op, &r->record, MRU_ROOM_TO_END);
    if (status == MEREAU_OK) {
        mru_tx_witness(&op->tx, &r->key);
        status = mru_tx_put(&op->tx, &r->key, &r->record,
                            mru_registration_drop_at(&r->record));
    }
    if (status == MEREAU_OK)
        mru_registration_show(op, &op->out, r);
    return status;
}

static mereau_status decide_update(mereau_op *op) {
    struct mru_registration r = {0};
    struct mru_above above;
    mereau_status status = mru_gather_want(op, MRU_WITH_FRESH, NULL);
    if (status == MEREAU_OK)
        status = mru_registration_named(op, &r);
    if (status == MEREAU_OK)
        status = mru_gather(op, MRU_WITH_FRESH, NULL, &above);
    if (status == MEREAU_OK)
        status = mru_check_tenant(op, &above);
    if (status == MEREAU_OK)
        status = update(op, &r, &above);
    mru_registration_free(&r);
    return status;
}

/* The mark of all that a token led to; the head is rewritten, so that nothing under
 * way passes it by. */
static mereau_status put_mark(mereau_op *op, const uint8_t id[MRU_ID_LEN]) {
    struct mru_bag mark = {0};
    struct mru_rkey key;
    mereau_status status;
    mru_bag_set_int(&mark, MEREAU_REVOKED_AT, 'I', op->now_at);
    mru_key_cascade(&key, id);
    status = mru_tx_put_any(&op->tx, &key, &mark, 0);
    if (status == MEREAU_OK)
        status = mru_bump_head(op);
    mru_bag_free(&mark);
    return status;
}

/* The token's record is purged some time after its end; what it led to may live on
 * and must still be stopped. */
static mereau_status revoke_gone(mereau_op *op, const uint8_t id[MRU_ID_LEN]) {
    const mereau_error unknown = op->err;
    const struct mru_rec *mark, *head;
    const struct mru_scan *scan;
    struct mru_rkey key, from, to;
    mereau_status status;
    if (mru_bag_int_or(&op->in, MEREAU_CASCADE, 0) == 0 ||
        (mru_op_caps(op) & MEREAU_CAP_ORDERED) == 0)
        return MEREAU_E_UNKNOWN;
    mru_key_head(&key);
    status = mru_tx_get(&op->tx, &key, &head);
    if (status == MEREAU_OK && head == NULL)
        return MEREAU_E_UNKNOWN; /* no such tenant */
    mru_key_cascade(&key, id);
    if (status == MEREAU_OK)
        status = mru_tx_get(&op->tx, &key, &mark);
    mru_rkey_list(&from, MRU_LIST_TOKEN_ENROLMENTS, id, MRU_ID_LEN);
    mru_rkey_after(&to, &from);
    if (status == MEREAU_OK)
        status = mru_tx_scan(&op->tx, &from, &to, 1, &scan);
    if (status != MEREAU_OK)
        return status;
    if (scan->n == 0 && mark == NULL) {
        op->err = unknown;
        return MEREAU_E_UNKNOWN;
    }
    mru_error_reset(&op->err);
    mru_bag_set_int(&op->out, MEREAU_REPEATED, 'B', mark != NULL);
    return mark != NULL ? MEREAU_OK : put_mark(op, id);
}

/* One commit on the token, and with cascade one mark that all it led to
 * reads. */
static mereau_status revoke(mereau_op *op, struct mru_registration *r) {
    int cascade = mru_bag_int_or(&op->in, MEREAU_CASCADE, 0) != 0;
    mereau_status status = MEREAU_OK;
    if (mru_bag_has(&r->record, MEREAU_REVOKED_AT) &&
        (!cascade || mru_bag_int_or(&r->record, MRU_F_CASCADED, 0) != 0)) {
        mru_bag_set_int(&op->out, MEREAU_REPEATED, 'B', 1);
        return MEREAU_OK;
    }
    if (!mru_bag_has(&r->record, MEREAU_REVOKED_AT))
        mru_bag_set_int(&r->record, MEREAU_REVOKED_AT, 'I', op->now_at);
    mru_bag_copy(&r->record, &op->in, MEREAU_REASON);
    if (cascade) {
        mru_bag_set_int(&r->record, MRU_F_CASCADED, 'B', 1);
        status = put_mark(op, r->id);
    }
    if (status == MEREAU_OK) {
        mru_tx_witness(&op->tx, &r->key);
        status = mru_tx_put(&op->tx, &r->key, &r->record,
                            mru_registration_drop_at(&r->record));
    }
    mru_bag_set_int(&op->out, MEREAU_REPEATED, 'B', 0);
    return status;
}

static mereau_status decide_revoke(mereau_op *op) {
    struct mru_registration r = {0};
    mereau_status status = mru_gather_want(op, 0, NULL);
    if (status == MEREAU_OK)
        status = mru_registration_named(op, &r);
    mru_bag_copy(&op->event, &op->in, MEREAU_CASCADE);
    if (status == MEREAU_OK)
        status = revoke(op, &r);
    else if (status == MEREAU_E_UNKNOWN && r.key.len > 0) /* its id is one */
        status = revoke_gone(op, r.id);
    mru_registration_free(&r);
    return status;
}

static const int32_t must[] = {MEREAU_REGISTRATION_TOKEN_ID, 0};
static const int32_t update_takes[] = {MEREAU_COUNT,
                                       MEREAU_EXPIRES_AT,
                                       MEREAU_ENABLED,
                                       MEREAU_ALLOWED_DEVICE_ID,
                                       MEREAU_ALLOWED_DEVICE_JKT,
                                       MEREAU_LABEL,
                                       MEREAU_REFERENCE,
                                       MEREAU_RECIPIENT,
                                       0};
static const int32_t revoke_takes[] = {MEREAU_CASCADE, 0};

const struct mru_op_class mru_class_registration_token_update = {
    "registration_token_update",
    "registration_token.update",
    MRU_OP_LINEAR,
    must,
    update_takes,
    NULL,
    decide_update};
const struct mru_op_class mru_class_registration_token_revoke = {
    "registration_token_revoke",
    "registration_token.revoke",
    0,
    must,
    revoke_takes,
    NULL,
    decide_revoke};

mereau_op *mereau_registration_token_update(const mereau_tenant *tenant,
                                            const char *id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_registration_token_update);
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN_ID, id);
    return op;
}

mereau_op *mereau_registration_token_revoke(const mereau_tenant *tenant,
                                            const char *id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_registration_token_revoke);
    mereau_op_set_text(op, MEREAU_REGISTRATION_TOKEN_ID, id);
    return op;
}
