/* lib/record/encode.c - the stored form of a bag: 'M', the format, then for each
 * item its field (varint), type (byte), length (varint) and bytes; numbers are
 * zigzag varints; at last four bytes that check all of it. What a newer minor
 * release adds is kept, not understood. */
#include "bag.h"

static int get_varint(const uint8_t **p, const uint8_t *end, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (*p == end)
            return -1;
        uint8_t byte = *(*p)++;
        if (shift == 63 && byte > 1)
            return -1;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return byte == 0 && shift > 0 ? -1 : 0;
    }
    return -1;
}

static uint64_t zigzag(int64_t num) {
    return num < 0 ? ~((uint64_t)num << 1) : (uint64_t)num << 1;
}

static int64_t unzigzag(uint64_t value) {
    return (value & 1) != 0 ? -(int64_t)(value >> 1) - 1
                            : (int64_t)(value >> 1);
}

/* FNV-1a: one changed byte always shows, and a record that was cut short never
 * passes for one that says less ("not revoked"). It keeps nobody from writing
 * another record on purpose. */
uint32_t mru_bag_checksum(const uint8_t *data, size_t len) {
    uint32_t sum = UINT32_C(0x811c9dc5);
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ data[i]) * UINT32_C(0x01000193);
    return sum;
}

static size_t varint_len(uint64_t value) {
    size_t len = 1;
    for (; value >= 0x80; value >>= 7)
        len++;
    return len;
}

static uint8_t *put_varint(uint8_t *p, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        *p++ = (uint8_t)(value | 0x80);
    *p++ = (uint8_t)value;
    return p;
}

static int is_number(const struct mru_item *item) {
    return item->type == 'I' || item->type == 'B';
}

size_t mru_bag_encoded_len(const struct mru_bag *bag) {
    size_t len = 2 + 4;
    for (size_t i = 0; i < bag->n; i++) {
        const struct mru_item *item = &bag->items[i];
        len += varint_len((uint64_t)item->field) + 1;
        if (is_number(item))
            len += varint_len(zigzag(item->num));
        else
            len += varint_len(item->len) + item->len;
    }
    return len;
}

int mru_bag_encode(struct mru_buf *out, const struct mru_bag *bag) {
    size_t len = mru_bag_encoded_len(bag);
    uint8_t *from, *p;
    if (bag->failed || (from = mru_buf_extend(out, len)) == NULL)
        return -1;
    p = from;
    *p++ = 'M';
    *p++ = MRU_FORMAT;
    for (size_t i = 0; i < bag->n; i++) {
        const struct mru_item *item = &bag->items[i];
        p = put_varint(p, (uint64_t)item->field);
        *p++ = (uint8_t)item->type;
        if (is_number(item)) {
            p = put_varint(p, zigzag(item->num));
        } else {
            p = put_varint(p, item->len);
            if (item->len > 0)
                memcpy(p, item->data, item->len);
            p += item->len;
        }
    }
    mru_put_u32(p, mru_bag_checksum(from, len - 4));
    return 0;
}

static size_t count_list(const uint8_t *data, size_t len) {
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += data[i] == 0;
    return n;
}

/* The number of rows, or -1 when their lengths do not add up. */
static ptrdiff_t count_rows(const uint8_t *data, size_t len) {
    ptrdiff_t n = 0;
    for (size_t at = 0; at < len; n++) {
        if (len - at < 4)
            return -1;
        size_t row = mru_get_u32(data + at);
        at += 4;
        if (len - at < row)
            return -1;
        at += row;
    }
    return n;
}

static mereau_status decode_bytes(struct mru_bag *out, int32_t field, char type,
                                  const uint8_t *data, size_t len) {
    size_t count = 0;
    if (type == 'L') {
        if (len > 0 && data[len - 1] != 0)
            return MEREAU_E_CORRUPT;
        count = count_list(data, len);
    } else if (type == 'R') {
        ptrdiff_t rows = count_rows(data, len);
        if (rows < 0)
            return MEREAU_E_CORRUPT;
        count = (size_t)rows;
    } else if (type == 'T' && memchr(data, 0, len) != NULL) {
        return MEREAU_E_CORRUPT;
    }
    mru_bag_set_data(out, field, type, data, len);
    if (out->failed)
        return MEREAU_E_NOMEM;
    out->items[out->n - 1].count = count;
    return MEREAU_OK;
}

static mereau_status decode_item(struct mru_bag *out, const uint8_t **p,
                                 const uint8_t *end) {
    uint64_t field, value;
    if (get_varint(p, end, &field) != 0 || field > INT32_MAX || *p == end)
        return MEREAU_E_CORRUPT;
    char type = (char)*(*p)++;
    if (get_varint(p, end, &value) != 0 || mru_bag_has(out, (int32_t)field))
        return MEREAU_E_CORRUPT;
    if (type == 'I' || type == 'B') {
        mru_bag_set_int(out, (int32_t)field, type, unzigzag(value));
        return out->failed ? MEREAU_E_NOMEM : MEREAU_OK;
    }
    if (type == 0 || strchr("TLJDR", type) == NULL ||
        value > (uint64_t)(end - *p))
        return MEREAU_E_CORRUPT;
    mereau_status status =
        decode_bytes(out, (int32_t)field, type, *p, (size_t)value);
    *p += value;
    return status;
}

mereau_status mru_bag_decode(struct mru_bag *out, const uint8_t *data,
                             size_t len) {
    const uint8_t *p = data, *end;
    mereau_status status = MEREAU_OK;
    if (len < 2 || data[0] != 'M' || data[1] == 0)
        return MEREAU_E_CORRUPT;
    if (data[1] > MRU_FORMAT)
        return MEREAU_E_UNSUPPORTED;
    if (len < 6 ||
        mru_get_u32(data + len - 4) != mru_bag_checksum(data, len - 4))
        return MEREAU_E_CORRUPT;
    end = data + len - 4;
    /* An item is 3 bytes at least, and 10 on average. What is set afterwards
     * goes into the block too. */
    mru_bag_reserve(out, 4 + len / 10, len + 128);
    if (out->failed)
        status = MEREAU_E_NOMEM;
    for (p += 2; p < end && status == MEREAU_OK;)
        status = decode_item(out, &p, end);
    if (status != MEREAU_OK)
        mru_bag_free(out);
    return status;
}
