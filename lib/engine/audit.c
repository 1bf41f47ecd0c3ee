/* lib/engine/audit.c - reading events: in the host's callback, and as a list of
 * those that were kept. */
#include "classes_app.h"
#include "event.h"
#include "list.h"

const char *mereau_event_text(const mereau_event *event, int32_t field) {
    return event == NULL ? NULL : mru_bag_text(event->bag, field);
}

int64_t mereau_event_int(const mereau_event *event, int32_t field) {
    return event == NULL ? MEREAU_UNSET : mru_bag_int(event->bag, field);
}

mereau_status mereau_event_status(const mereau_event *event) {
    if (event == NULL)
        return MEREAU_E_ARG;
    return (mereau_status)mru_bag_int_or(event->bag, MRU_F_STATUS, MEREAU_OK);
}

const char *mereau_event_json(const mereau_event *event) {
    if (event == NULL)
        return NULL;
    if (event->json->len == 0 &&
        mru_bag_print(event->json, event->bag, NULL) != 0) {
        mru_buf_free(event->json);
        return NULL;
    }
    return (const char *)event->json->data;
}

/* --- the list --- */

static const int32_t filters[] = {
    MEREAU_CLIENT_ID, MEREAU_SUBJECT,
    MEREAU_DEVICE_ID, MEREAU_REGISTRATION_TOKEN_ID,
    MEREAU_EVENT,     MEREAU_OUTCOME};

static int wanted(const mereau_op *op, const struct mru_bag *event) {
    int64_t at = mru_bag_int_or(event, MEREAU_CREATED_AT, 0);
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        const char *want = mru_bag_text(&op->in, filters[i]);
        const char *have = mru_bag_text(event, filters[i]);
        if (want != NULL && (have == NULL || strcmp(want, have) != 0))
            return 0;
    }
    return at >= mru_bag_int_or(&op->in, MEREAU_SINCE_AT, INT64_MIN) &&
           at < mru_bag_int_or(&op->in, MEREAU_UNTIL_AT, INT64_MAX);
}

static mereau_status add_row(mereau_op *op, const struct mru_rec *entry) {
    struct mru_bag event = {0}, *row;
    mereau_status status =
        mru_bag_decode(&event, entry->value, entry->value_len);
    if (status == MEREAU_OK && wanted(op, &event)) {
        row = mru_op_add_row(op);
        if (row == NULL)
            status = MEREAU_E_NOMEM;
        else
            mru_bag_copy_all(row, &event);
    }
    mru_bag_free(&event);
    return status;
}

/* The range of keys for the instants asked for: newest first. An instant that no
 * event can have is no bound. */
static void find_range(const mereau_op *op, struct mru_rkey *from,
                       struct mru_rkey *to) {
    int64_t since = mru_bag_int(&op->in, MEREAU_SINCE_AT);
    int64_t until = mru_bag_int(&op->in, MEREAU_UNTIL_AT);
    struct mru_rkey prefix;
    mru_key_events(&prefix);
    *from = prefix;
    if (until != MEREAU_UNSET && until > 0)
        mru_rkey_add_newest(from, until - 1);
    mru_rkey_after(to, &prefix);
    if (since != MEREAU_UNSET && since > 0) {
        *to = prefix;
        mru_rkey_add_newest(to, since - 1);
    }
}

static mereau_status list(mereau_op *op) {
    struct mru_rkey prefix, from, to;
    if (!op->tenant->ctx->keep_events)
        return mru_refuse(&op->err, MEREAU_E_UNSUPPORTED, "ctx.keep_events",
                          NULL, "a context that keeps events", "another one");
    mru_key_events(&prefix);
    find_range(op, &from, &to);
    return mru_list_range(op, &prefix, &from, &to, add_row);
}

static const int32_t list_takes[] = {MEREAU_CLIENT_ID,
                                     MEREAU_SUBJECT,
                                     MEREAU_DEVICE_ID,
                                     MEREAU_REGISTRATION_TOKEN_ID,
                                     MEREAU_EVENT,
                                     MEREAU_OUTCOME,
                                     MEREAU_SINCE_AT,
                                     MEREAU_UNTIL_AT,
                                     MEREAU_PAGE_SIZE,
                                     MEREAU_CURSOR,
                                     0};
const struct mru_op_class mru_class_audit_list = {
    "audit_list", "audit.list", MRU_OP_LIST | MRU_OP_ORDERED | MRU_OP_QUIET,
    NULL,         list_takes,   NULL,
    list};

mereau_op *mereau_audit_list(const mereau_tenant *tenant) {
    return mru_op_make(tenant, &mru_class_audit_list);
}
