/* lib/engine/list.c - pages of lists. A page is one bounded scan; where the next
 * one begins is a key, which the op keeps and the cursor says. A cursor is no
 * secret and needs no proof: it is only a place inside the operation's own range
 * of the tenant's own partition. */
#include "list.h"

#define DEFAULT_PAGE 100

static mereau_status not_ours(mereau_op *op) {
    return mru_refuse(&op->err, MEREAU_E_MALFORMED, "list.cursor", NULL,
                      "a cursor of the same list", "another text");
}

/* The first key behind one. 0, or -1 when there is no room for it. */
static int behind(struct mru_rkey *key) {
    if (key->len == 0 || key->len >= sizeof key->data)
        return -1;
    key->data[key->len++] = 0;
    return 0;
}

static mereau_status read_cursor(mereau_op *op, const struct mru_rkey *prefix,
                                 const char *cursor, struct mru_rkey *start) {
    uint8_t bytes[MEREAU_MAX_KEY + 2];
    size_t len = strlen(cursor);
    ptrdiff_t n;
    if (len > MRU_B64_LEN(MEREAU_MAX_KEY))
        return not_ours(op);
    n = mru_b64_decode(bytes, cursor, len);
    if (n < (ptrdiff_t)prefix->len || n > MEREAU_MAX_KEY ||
        memcmp(bytes, prefix->data, prefix->len) != 0)
        return not_ours(op);
    start->len = (size_t)n;
    memcpy(start->data, bytes, start->len);
    return behind(start) == 0 ? MEREAU_OK : not_ours(op);
}

/* Where this page begins: behind the last one, at the cursor, or at `from`. */
static mereau_status find_start(mereau_op *op, const struct mru_rkey *prefix,
                                const struct mru_rkey *from,
                                struct mru_rkey *start) {
    const char *cursor = mru_bag_text(&op->in, MEREAU_CURSOR);
    mereau_status status = MEREAU_OK;
    *start = *from;
    if (op->next_key.len > 0)
        *start = op->next_key;
    else if (cursor != NULL)
        status = read_cursor(op, prefix, cursor, start);
    if (status == MEREAU_OK && mru_rkey_compare(start, from) < 0)
        *start = *from;
    return status;
}

static mereau_status find_size(mereau_op *op, size_t *size) {
    int64_t most = op->tenant->ctx->max_page;
    int64_t value = mru_bag_int(&op->in, MEREAU_PAGE_SIZE);
    mereau_status status = mru_check_range(op, MEREAU_PAGE_SIZE, 1, most);
    if (value == MEREAU_UNSET)
        value = most < DEFAULT_PAGE ? most : DEFAULT_PAGE;
    *size = (size_t)value;
    return status;
}

static mereau_status
call_rows(mereau_op *op, const struct mru_scan *scan, size_t n,
          mereau_status (*row)(mereau_op *op, const struct mru_rec *)) {
    mereau_status status = MEREAU_OK;
    for (size_t i = 0; i < n && status >= 0; i++) {
        mereau_status one = row(op, &scan->found[i]);
        if (one != MEREAU_OK)
            status = one;
    }
    return status;
}

/* There is another page: says where, and keeps it for the next run. */
static mereau_status say_more(mereau_op *op, const struct mru_rkey *last) {
    char text[MRU_B64_LEN(MEREAU_MAX_KEY) + 1];
    struct mru_rkey next = *last;
    if (behind(&next) != 0)
        return MEREAU_E_INTERNAL;
    mru_b64_encode(text, last->data, last->len);
    text[MRU_B64_LEN(last->len)] = '\0';
    mru_bag_set_text(&op->out, MEREAU_CURSOR, text);
    if (op->out.failed)
        return MEREAU_E_NOMEM;
    op->next_key = next;
    op->has_more = 1;
    return MEREAU_OK;
}

mereau_status mru_list_range(
    mereau_op *op, const struct mru_rkey *prefix, const struct mru_rkey *from,
    const struct mru_rkey *to,
    mereau_status (*row)(mereau_op *op, const struct mru_rec *entry)) {
    const struct mru_scan *scan = NULL;
    struct mru_rkey start;
    size_t size, n;
    mereau_status status = find_size(op, &size);
    if (status == MEREAU_OK)
        status = find_start(op, prefix, from, &start);
    if (status != MEREAU_OK)
        return status;
    if (to->len > 0 && mru_rkey_compare(&start, to) >= 0)
        return MEREAU_OK; /* nothing can be there */
    status = mru_tx_scan(&op->tx, &start, to, size + 1, &scan);
    if (status != MEREAU_OK)
        return status;
    n = scan->n < size ? scan->n : size;
    status = call_rows(op, scan, n, row);
    if (status == MEREAU_OK && scan->n > size)
        status = say_more(op, &scan->found[n - 1].key);
    return status;
}

mereau_status mru_list_page(mereau_op *op, const struct mru_rkey *prefix,
                            mereau_status (*row)(mereau_op *op,
                                                 const struct mru_rec *entry)) {
    struct mru_rkey to;
    mru_rkey_after(&to, prefix);
    return mru_list_range(op, prefix, prefix, &to, row);
}
