/* lib/engine/read.c - reading the results of an operation. */
#include "op.h"

/* What getters read: the row that next_row went to, else the results. */
static const struct mru_bag *results(const mereau_op *op) {
    if (op == NULL)
        return NULL;
    return op->row == 0 ? &op->out : &op->rows[op->row - 1];
}

const char *mereau_op_text(const mereau_op *op, int32_t field) {
    const struct mru_bag *bag = results(op);
    return bag == NULL ? NULL : mru_bag_text(bag, field);
}

const char *mereau_op_text_at(const mereau_op *op, int32_t field, size_t i) {
    const struct mru_bag *bag = results(op);
    return bag == NULL ? NULL : mru_bag_text_at(bag, field, i);
}

int64_t mereau_op_int(const mereau_op *op, int32_t field) {
    const struct mru_bag *bag = results(op);
    return bag == NULL ? MEREAU_UNSET : mru_bag_int(bag, field);
}

const uint8_t *mereau_op_bytes(const mereau_op *op, int32_t field,
                               size_t *len) {
    const struct mru_bag *bag = results(op);
    size_t unused;
    if (len == NULL)
        len = &unused;
    *len = 0;
    return bag == NULL ? NULL : mru_bag_data(bag, field, len);
}

static int print_rows(mereau_op *op) {
    mru_buf_add_text(&op->json, "{\"rows\":[");
    for (size_t i = 0; i < op->n_rows; i++) {
        if (i > 0)
            mru_buf_add_byte(&op->json, ',');
        if (mru_bag_print(&op->json, &op->rows[i], op->class->json) != 0)
            return -1;
    }
    mru_buf_add_byte(&op->json, ']');
    if (op->has_more) { /* base64url: nothing to escape */
        mru_buf_add_text(&op->json, ",\"cursor\":\"");
        mru_buf_add_text(&op->json, mru_bag_text(&op->out, MEREAU_CURSOR));
        mru_buf_add_byte(&op->json, '"');
    }
    mru_buf_add_byte(&op->json, '}');
    return op->json.failed ? -1 : 0;
}

const char *mereau_op_json(mereau_op *op) {
    int failed;
    if (op == NULL || op->state != MRU_OP_DONE)
        return NULL;
    mru_buf_free(&op->json);
    if (op->wire.len > 0)
        return (const char *)op->wire.data;
    if ((op->class->flags & MRU_OP_LIST) != 0 || op->n_rows > 0)
        failed = print_rows(op);
    else
        failed = mru_bag_print(&op->json, &op->out, op->class->json);
    if (failed) {
        mru_buf_free(&op->json);
        return NULL;
    }
    return (const char *)op->json.data;
}

int32_t mereau_op_next_row(mereau_op *op) {
    if (op == NULL || op->row > op->n_rows)
        return 0;
    op->row++;
    if (op->row <= op->n_rows)
        return 1;
    op->row = 0; /* the end of the page: getters read the results again */
    return 0;
}

int32_t mereau_op_has_more(const mereau_op *op) {
    return op != NULL && op->has_more;
}
