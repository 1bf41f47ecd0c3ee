/* lib/record/keys.c - making the keys of stored records. */
#include "keys.h"

void mru_rkey_add(struct mru_rkey *key, const void *data, size_t len) {
    if (len > sizeof key->data - key->len)
        len = sizeof key->data - key->len;
    if (len > 0)
        memcpy(key->data + key->len, data, len);
    key->len += len;
}

void mru_rkey_set(struct mru_rkey *key, char kind, const void *data,
                  size_t len) {
    key->data[0] = (uint8_t)kind;
    key->len = 1;
    mru_rkey_add(key, data, len);
}

void mru_rkey_add_newest(struct mru_rkey *key, int64_t at) {
    uint8_t bytes[8];
    mru_put_u64(bytes, UINT64_MAX - ((uint64_t)at ^ (UINT64_C(1) << 63)));
    mru_rkey_add(key, bytes, sizeof bytes);
}

void mru_rkey_after(struct mru_rkey *to, const struct mru_rkey *prefix) {
    *to = *prefix;
    while (to->len > 0 && to->data[to->len - 1] == 0xff)
        to->len--;
    if (to->len > 0)
        to->data[to->len - 1]++;
}

int mru_rkey_compare(const struct mru_rkey *a, const struct mru_rkey *b) {
    size_t len = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->data, b->data, len);
    if (order != 0)
        return order;
    return a->len < b->len ? -1 : a->len > b->len;
}

void mru_rkey_bucket(struct mru_rkey *key, const uint8_t *head) {
    uint8_t number = head[0] % MRU_BUCKETS;
    mru_rkey_set(key, 'b', &number, 1);
}

void mru_rkey_list(struct mru_rkey *key, char list, const void *owner,
                   size_t owner_len) {
    uint8_t len = (uint8_t)owner_len;
    mru_rkey_set(key, 'i', &list, 1);
    mru_rkey_add(key, &len, 1);
    mru_rkey_add(key, owner, owner_len);
}

void mru_rkey_entry(struct mru_rkey *key, char list, const void *owner,
                    size_t owner_len, int64_t at, const uint8_t id[16]) {
    mru_rkey_list(key, list, owner, owner_len);
    mru_rkey_add_newest(key, at);
    mru_rkey_add(key, id, 16);
}

int mru_rkey_named(struct mru_rkey *record, const struct mru_rkey *entry) {
    size_t least = 3 + 8 + 16; /* list, no owner, time, id */
    char kind = 'e';
    if (entry->len < least || entry->data[0] != 'i')
        return 0;
    if (entry->data[1] == MRU_LIST_REGISTRATIONS ||
        entry->data[1] == MRU_LIST_APP_REGISTRATIONS)
        kind = 'r';
    mru_rkey_set(record, kind, entry->data + entry->len - 16, 16);
    return 1;
}
