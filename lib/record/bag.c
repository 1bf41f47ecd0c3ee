/* lib/record/bag.c - setting and reading the fields of a bag. */
#include "bag.h"

enum { FIRST_ITEMS = 16, FIRST_BYTES = 512 };

static void drop_data(struct mru_item *item) {
    mru_wipe(item->data, item->len);
    if (!item->inside)
        mru_free(item->data);
    item->data = NULL;
    item->inside = 0;
    item->len = 0;
}

static void clear_item(struct mru_item *item) {
    drop_data(item);
    item->count = 0;
    item->num = 0;
}

void mru_bag_free(struct mru_bag *bag) {
    if (bag == NULL)
        return;
    for (size_t i = 0; i < bag->n; i++)
        clear_item(&bag->items[i]);
    mru_free(bag->items);
    mru_free_wiped(bag->block, bag->block_len);
    memset(bag, 0, sizeof *bag);
}

void mru_bag_reserve(struct mru_bag *bag, size_t items, size_t bytes) {
    if (bag->items != NULL || bag->block != NULL)
        return;
    bag->items = mru_alloc(items * sizeof *bag->items);
    bag->block = mru_alloc(bytes);
    bag->cap = bag->items == NULL ? 0 : items;
    bag->block_cap = bag->block == NULL ? 0 : bytes;
    bag->failed |= bag->items == NULL || bag->block == NULL;
}

/* Where len bytes and a NUL go: into the block while it has room. NULL without
 * memory. */
static uint8_t *room_for(struct mru_bag *bag, size_t len, uint8_t *inside) {
    uint8_t *at;
    if (bag->block == NULL && len < FIRST_BYTES) {
        if ((bag->block = mru_alloc(FIRST_BYTES)) == NULL)
            return NULL;
        bag->block_cap = FIRST_BYTES;
    }
    *inside = len < bag->block_cap - bag->block_len;
    if (!*inside)
        return mru_alloc(len + 1);
    at = bag->block + bag->block_len;
    bag->block_len += len + 1;
    return at;
}

const struct mru_item *mru_bag_find(const struct mru_bag *bag, int32_t field) {
    for (size_t i = 0; i < bag->n; i++)
        if (bag->items[i].field == field)
            return &bag->items[i];
    return NULL;
}

int mru_bag_has(const struct mru_bag *bag, int32_t field) {
    return mru_bag_find(bag, field) != NULL;
}

void mru_bag_unset(struct mru_bag *bag, int32_t field) {
    for (size_t i = 0; i < bag->n; i++)
        if (bag->items[i].field == field) {
            clear_item(&bag->items[i]);
            memmove(&bag->items[i], &bag->items[i + 1],
                    (bag->n - i - 1) * sizeof bag->items[0]);
            bag->n--;
            return;
        }
}

/* The item of a field, emptied; made when it is not there. NULL: no memory. */
static struct mru_item *item_for(struct mru_bag *bag, int32_t field, char type,
                                 int keep) {
    for (size_t i = 0; i < bag->n; i++)
        if (bag->items[i].field == field) {
            if (!keep || bag->items[i].type != type)
                clear_item(&bag->items[i]);
            bag->items[i].type = type;
            return &bag->items[i];
        }
    if (bag->n == bag->cap) {
        size_t cap = bag->cap == 0 ? FIRST_ITEMS : bag->cap * 2;
        struct mru_item *items = mru_alloc(cap * sizeof *items);
        if (items == NULL) {
            bag->failed = 1;
            return NULL;
        }
        if (bag->n > 0)
            memcpy(items, bag->items, bag->n * sizeof *items);
        mru_free(bag->items);
        bag->items = items;
        bag->cap = cap;
    }
    struct mru_item *item = &bag->items[bag->n++];
    memset(item, 0, sizeof *item);
    item->field = field;
    item->type = type;
    return item;
}

void mru_bag_set_int(struct mru_bag *bag, int32_t field, char type,
                     int64_t num) {
    struct mru_item *item = item_for(bag, field, type, 0);
    if (item != NULL)
        item->num = num;
}

void mru_bag_set_data(struct mru_bag *bag, int32_t field, char type,
                      const void *data, size_t len) {
    uint8_t inside = 0;
    uint8_t *copy = room_for(bag, len, &inside);
    struct mru_item *item = NULL;
    if (copy != NULL && len > 0) /* data may be the item's own */
        memcpy(copy, data, len);
    if (copy != NULL)
        item = item_for(bag, field, type, 0);
    if (item == NULL) {
        if (!inside)
            mru_free_wiped(copy, copy == NULL ? 0 : len);
        bag->failed = 1;
        return;
    }
    item->data = copy;
    item->inside = inside;
    item->len = len;
}

void mru_bag_set_text(struct mru_bag *bag, int32_t field, const char *text) {
    if (text == NULL)
        mru_bag_unset(bag, field);
    else
        mru_bag_set_data(bag, field, 'T', text, strlen(text));
}

/* Makes an item longer by `more` bytes; where they go, or NULL. */
static uint8_t *lengthen(struct mru_bag *bag, struct mru_item *item,
                         size_t more) {
    size_t at = item->len;
    uint8_t *data = mru_alloc(at + more + 1);
    if (data == NULL) {
        bag->failed = 1;
        return NULL;
    }
    if (at > 0)
        memcpy(data, item->data, at);
    drop_data(item);
    item->data = data;
    item->len = at + more;
    item->count++;
    return data + at;
}

void mru_bag_add_text(struct mru_bag *bag, int32_t field, const char *text,
                      size_t len) {
    struct mru_item *item = item_for(bag, field, 'L', 1);
    uint8_t *to = item == NULL ? NULL : lengthen(bag, item, len + 1);
    if (to != NULL && len > 0)
        memcpy(to, text, len);
}

void mru_bag_add_row(struct mru_bag *bag, int32_t field,
                     const struct mru_bag *row) {
    struct mru_buf buf = {0};
    struct mru_item *item = item_for(bag, field, 'R', 1);
    if (item == NULL || mru_bag_encode(&buf, row) != 0) {
        bag->failed = 1;
    } else {
        uint8_t *to = lengthen(bag, item, buf.len + 4);
        if (to != NULL) {
            mru_put_u32(to, (uint32_t)buf.len);
            memcpy(to + 4, buf.data, buf.len);
        }
    }
    mru_buf_free(&buf);
}

static void copy_item(struct mru_bag *to, const struct mru_item *from) {
    if (from->type == 'I' || from->type == 'B') {
        mru_bag_set_int(to, from->field, from->type, from->num);
        return;
    }
    mru_bag_set_data(to, from->field, from->type, from->data, from->len);
    if (!to->failed)
        item_for(to, from->field, from->type, 1)->count = from->count;
}

void mru_bag_copy(struct mru_bag *to, const struct mru_bag *from,
                  int32_t field) {
    const struct mru_item *item = mru_bag_find(from, field);
    if (item != NULL)
        copy_item(to, item);
}

void mru_bag_copy_all(struct mru_bag *to, const struct mru_bag *from) {
    for (size_t i = 0; i < from->n; i++)
        copy_item(to, &from->items[i]);
    if (from->failed)
        to->failed = 1;
}

const char *mru_bag_text(const struct mru_bag *bag, int32_t field) {
    const struct mru_item *item = mru_bag_find(bag, field);
    if (item == NULL || item->type == 'I' || item->type == 'B' ||
        item->type == 'R' || item->type == 'D')
        return NULL;
    return item->type == 'L' && item->count == 0 ? NULL
                                                 : (const char *)item->data;
}

const char *mru_bag_text_at(const struct mru_bag *bag, int32_t field,
                            size_t i) {
    const struct mru_item *item = mru_bag_find(bag, field);
    if (item == NULL)
        return NULL;
    if (item->type != 'L')
        return i == 0 ? mru_bag_text(bag, field) : NULL;
    if (i >= item->count)
        return NULL;
    const char *text = (const char *)item->data;
    for (; i > 0; i--)
        text += strlen(text) + 1;
    return text;
}

size_t mru_bag_count(const struct mru_bag *bag, int32_t field) {
    const struct mru_item *item = mru_bag_find(bag, field);
    if (item == NULL)
        return 0;
    return item->type == 'L' || item->type == 'R' ? item->count : 1;
}

int mru_bag_lists(const struct mru_bag *bag, int32_t field, const char *text) {
    size_t n = mru_bag_count(bag, field);
    for (size_t i = 0; i < n; i++)
        if (strcmp(mru_bag_text_at(bag, field, i), text) == 0)
            return 1;
    return 0;
}

int64_t mru_bag_int_or(const struct mru_bag *bag, int32_t field,
                       int64_t otherwise) {
    const struct mru_item *item = mru_bag_find(bag, field);
    if (item == NULL || (item->type != 'I' && item->type != 'B'))
        return otherwise;
    return item->num;
}

int64_t mru_bag_int(const struct mru_bag *bag, int32_t field) {
    return mru_bag_int_or(bag, field, MEREAU_UNSET);
}

const uint8_t *mru_bag_data(const struct mru_bag *bag, int32_t field,
                            size_t *len) {
    const struct mru_item *item = mru_bag_find(bag, field);
    int has = item != NULL && item->type != 'I' && item->type != 'B' &&
              item->type != 'R';
    *len = 0;
    if (!has)
        return NULL;
    *len = item->type == 'L' ? strlen((const char *)item->data) : item->len;
    return item->data;
}

int mru_bag_bytes(const struct mru_bag *bag, int32_t field, uint8_t *out,
                  size_t len) {
    const struct mru_item *item = mru_bag_find(bag, field);
    if (item == NULL || item->type != 'D' || item->len != len)
        return 0;
    memcpy(out, item->data, len);
    return 1;
}

mereau_status mru_bag_row(const struct mru_bag *bag, int32_t field, size_t i,
                          struct mru_bag *out) {
    const struct mru_item *item = mru_bag_find(bag, field);
    if (item == NULL || item->type != 'R' || i >= item->count)
        return MEREAU_E_CORRUPT;
    const uint8_t *p = item->data, *end = item->data + item->len;
    for (;; i--) {
        if ((size_t)(end - p) < 4)
            return MEREAU_E_CORRUPT;
        size_t len = mru_get_u32(p);
        p += 4;
        if ((size_t)(end - p) < len)
            return MEREAU_E_CORRUPT;
        if (i == 0)
            return mru_bag_decode(out, p, len);
        p += len;
    }
}
