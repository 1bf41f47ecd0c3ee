/* lib/engine/auth_token.c - auth tokens and families for administrators: ending
 * one by its id, listing them. */
#include "classes_core.h"
#include "enrolment.h"
#include "notices.h"

/* Reads one enrolment by its id in the inputs, with the tenant above it. */
static mereau_status read_named(mereau_op *op, int32_t field,
                                struct mru_family *family) {
    const char *text = mru_bag_text(&op->in, field);
    uint8_t id[MRU_ID_LEN];
    int there = 0;
    mereau_status status;
    if (mru_id_read(id, text) != 0)
        return mru_refuse(&op->err, MEREAU_E_UNKNOWN, "credential.id", NULL,
                          "an id of this library", "another text");
    mru_bag_set_text(&op->event, field, text);
    mru_key_enrolment(&family->key, id);
    status = mru_tx_want(&op->tx, &family->key);
    if (status == MEREAU_OK)
        status = mru_notice_want(op);
    if (status == MEREAU_OK)
        status = mru_gather(op, MRU_WITH_FRESH, NULL, &family->above);
    if (status == MEREAU_OK)
        status = mru_tx_get_bag(&op->tx, &family->key, &family->record, &there);
    if (status == MEREAU_OK && !there)
        status = mru_refuse(&op->err, MEREAU_E_UNKNOWN, "credential.id", NULL,
                            "a record of this tenant", "no such record");
    return status;
}

static mereau_status decide_end(mereau_op *op, int32_t field) {
    struct mru_family family = {0};
    mereau_status status = read_named(op, field, &family);
    if (status == MEREAU_OK && field == MEREAU_FAMILY_ID &&
        mru_bag_int_or(&family.record, MRU_F_GENERATION, 0) == 0)
        status = mru_refuse(&op->err, MEREAU_E_UNKNOWN, "credential.id", NULL,
                            "a family", "an auth token not yet exchanged");
    mru_bag_copy(&op->event, &family.record, MEREAU_CLIENT_ID);
    mru_bag_copy(&op->event, &family.record, MEREAU_DEVICE_ID);
    if (status == MEREAU_OK &&
        mru_bag_int(&family.record, MRU_F_STEP) == MRU_STEP_ENDED) {
        mru_bag_set_int(&op->out, MEREAU_REPEATED, 'B', 1);
    } else if (status == MEREAU_OK) {
        char id[MRU_ID_TEXT];
        mru_id_print(id, family.key.data + 1);
        mru_bag_copy(&family.record, &op->in, MEREAU_REASON);
        status = mru_family_end(op, &family, "administrator");
        if (status == MEREAU_OK) /* for how long its notice is kept */
            status = mru_check_head(op);
        if (status == MEREAU_OK)
            status = mru_notice_add(op, 'f', id, INT64_MAX,
                                    mru_longest_access(family.above.tenant));
        mru_bag_set_int(&op->out, MEREAU_REPEATED, 'B', 0);
    }
    mru_family_free(&family);
    return status;
}

static mereau_status decide_auth_revoke(mereau_op *op) {
    return decide_end(op, MEREAU_AUTH_TOKEN_ID);
}

static mereau_status decide_family_revoke(mereau_op *op) {
    return decide_end(op, MEREAU_FAMILY_ID);
}

static const int32_t auth_must[] = {MEREAU_AUTH_TOKEN_ID, 0};
static const int32_t family_must[] = {MEREAU_FAMILY_ID, 0};

const struct mru_op_class mru_class_auth_token_revoke = {
    "auth_token_revoke", "auth_token.revoke", 0, auth_must, NULL, NULL,
    decide_auth_revoke};
const struct mru_op_class mru_class_family_revoke = {
    "family_revoke",     "family.revoke", 0, family_must, NULL, NULL,
    decide_family_revoke};

mereau_op *mereau_auth_token_revoke(const mereau_tenant *tenant,
                                    const char *id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_auth_token_revoke);
    mereau_op_set_text(op, MEREAU_AUTH_TOKEN_ID, id);
    return op;
}

mereau_op *mereau_family_revoke(const mereau_tenant *tenant, const char *id) {
    mereau_op *op = mru_op_make(tenant, &mru_class_family_revoke);
    mereau_op_set_text(op, MEREAU_FAMILY_ID, id);
    return op;
}

/* --- lists --- */

static int passes(const mereau_op *op, const struct mru_bag *row,
                  int families) {
    static const int32_t texts[] = {MEREAU_REGISTRATION_TOKEN_ID,
                                    MEREAU_CLIENT_ID,
                                    MEREAU_DEVICE_ID,
                                    MEREAU_SUBJECT,
                                    MEREAU_STATE,
                                    MEREAU_AUTH_TOKEN_ID,
                                    0};
    int64_t at = mru_bag_int_or(row, MEREAU_CREATED_AT, 0);
    for (size_t i = 0; texts[i] != 0; i++) {
        const char *wanted = mru_bag_text(&op->in, texts[i]);
        const char *found = mru_bag_text(row, texts[i]);
        if (wanted != NULL && (found == NULL || strcmp(wanted, found) != 0))
            return 0;
    }
    if (at < mru_bag_int_or(&op->in, MEREAU_SINCE_AT, at) ||
        at >= mru_bag_int_or(&op->in, MEREAU_UNTIL_AT, INT64_MAX))
        return 0;
    return !families || mru_bag_has(row, MEREAU_FAMILY_ID);
}

static mereau_status add_entry(mereau_op *op, const struct mru_rec *entry,
                               int families) {
    const uint8_t *id = entry->key.data + entry->key.len - MRU_ID_LEN;
    struct mru_bag record = {0}, shown = {0}, *row = NULL;
    struct mru_rkey key;
    int there = 0;
    mereau_status status;
    mru_key_enrolment(&key, id);
    status = mru_tx_get_bag(&op->tx, &key, &record, &there);
    if (status == MEREAU_OK && there) {
        mru_enrolment_show(&shown, &record, id, op->now_at);
        if (passes(op, &shown, families)) {
            row = mru_op_add_row(op);
            if (row == NULL)
                status = MEREAU_E_NOMEM;
        }
        if (row != NULL)
            *row = shown;
        else
            mru_bag_free(&shown);
    }
    mru_bag_free(&record);
    return status;
}

static mereau_status add_auth(mereau_op *op, const struct mru_rec *entry) {
    return add_entry(op, entry, 0);
}

static mereau_status add_family(mereau_op *op, const struct mru_rec *entry) {
    return add_entry(op, entry, 1);
}

/* The narrowest range there is for the filters. */
static int choose_range(const mereau_op *op, struct mru_rkey *prefix) {
    const char *token = mru_bag_text(&op->in, MEREAU_REGISTRATION_TOKEN_ID);
    const char *device = mru_bag_text(&op->in, MEREAU_DEVICE_ID);
    const char *subject = mru_bag_text(&op->in, MEREAU_SUBJECT);
    const char *client = mru_bag_text(&op->in, MEREAU_CLIENT_ID);
    uint8_t id[MRU_ID_LEN] = {0}, head[MRU_HEAD_LEN];
    int failed = 0;
    if (token != NULL) {
        (void)mru_id_read(id, token); /* of an unknown one the list is empty */
        mru_rkey_list(prefix, MRU_LIST_TOKEN_ENROLMENTS, id, MRU_ID_LEN);
    } else if (device != NULL) {
        failed = mru_head(head, 'd', device);
        mru_rkey_list(prefix, MRU_LIST_DEVICE_ENROLMENTS, head, MRU_HEAD_LEN);
    } else if (subject != NULL) {
        failed = mru_head(head, 's', subject);
        mru_rkey_list(prefix, MRU_LIST_SUBJECT_ENROLMENTS, head, MRU_HEAD_LEN);
    } else if (client != NULL) {
        mru_rkey_list(prefix, MRU_LIST_APP_ENROLMENTS, client, strlen(client));
    } else {
        mru_rkey_list(prefix, MRU_LIST_ENROLMENTS, NULL, 0);
    }
    return failed;
}

static mereau_status decide_list(mereau_op *op,
                                 mereau_status (*row)(mereau_op *,
                                                      const struct mru_rec *)) {
    struct mru_rkey prefix;
    if (choose_range(op, &prefix) != 0)
        return MEREAU_E_CRYPTO;
    return mru_list_page(op, &prefix, row);
}

static mereau_status decide_auth_list(mereau_op *op) {
    return decide_list(op, add_auth);
}

static mereau_status decide_family_list(mereau_op *op) {
    return decide_list(op, add_family);
}

static const int32_t list_takes[] = {MEREAU_REGISTRATION_TOKEN_ID,
                                     MEREAU_CLIENT_ID,
                                     MEREAU_DEVICE_ID,
                                     MEREAU_SUBJECT,
                                     MEREAU_STATE,
                                     MEREAU_SINCE_AT,
                                     MEREAU_UNTIL_AT,
                                     MEREAU_PAGE_SIZE,
                                     MEREAU_CURSOR,
                                     MEREAU_AUTH_TOKEN_ID,
                                     0};

const struct mru_op_class mru_class_auth_token_list = {
    "auth_token_list",
    "auth_token.list",
    MRU_OP_LIST | MRU_OP_ORDERED | MRU_OP_QUIET,
    NULL,
    list_takes,
    NULL,
    decide_auth_list};
const struct mru_op_class mru_class_family_list = {
    "family_list",
    "family.list",
    MRU_OP_LIST | MRU_OP_ORDERED | MRU_OP_QUIET,
    NULL,
    list_takes,
    NULL,
    decide_family_list};

mereau_op *mereau_auth_token_list(const mereau_tenant *tenant) {
    return mru_op_make(tenant, &mru_class_auth_token_list);
}

mereau_op *mereau_family_list(const mereau_tenant *tenant) {
    return mru_op_make(tenant, &mru_class_family_list);
}
