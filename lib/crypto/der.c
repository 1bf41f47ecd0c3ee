/* lib/crypto/der.c - elements of DER, read strictly and written (X.690). */
#include "der.h"

/* --- reading --- */

int mru_der_peek(const mereau_slice *in) {
    return in->len > 0 ? in->data[0] : -1;
}

/* The length of an element at `in`, whose header takes *header bytes. */
static int read_length(const mereau_slice *in, size_t *header, size_t *len) {
    if (in->len < 2)
        return -1;
    size_t n = in->data[1];
    *header = 2;
    *len = n;
    if (n >= 0x80) {
        n &= 0x7f;
        if (n < 1 || n > 4 || in->len < 2 + n || in->data[2] == 0)
            return -1;
        *len = 0;
        for (size_t i = 0; i < n; i++)
            *len = *len << 8 | in->data[2 + i];
        if (*len < 0x80)
            return -1;
        *header = 2 + n;
    }
    return *len <= in->len - *header ? 0 : -1;
}

int mru_der_take(mereau_slice *in, int tag, mereau_slice *value) {
    size_t header, len;
    if (mru_der_peek(in) != tag || read_length(in, &header, &len) != 0)
        return -1;
    value->data = in->data + header;
    value->len = len;
    in->data += header + len;
    in->len -= header + len;
    return 0;
}

int mru_der_skip(mereau_slice *in, mereau_slice *whole) {
    mereau_slice before = *in, value;
    /* Tags of more than one byte (31 in the low bits) stand in no key. */
    if (in->len == 0 || (in->data[0] & 0x1f) == 0x1f ||
        mru_der_take(in, in->data[0], &value) != 0)
        return -1;
    before.len -= in->len;
    if (whole)
        *whole = before;
    return 0;
}

int mru_der_number(mereau_slice *in, mereau_slice *number) {
    mereau_slice rest = *in;
    if (mru_der_take(&rest, MRU_DER_INTEGER, number) != 0 || number->len == 0 ||
        (number->data[0] & 0x80))
        return -1;
    if (number->data[0] == 0) {
        number->data++;
        number->len--;
        if (number->len > 0 && !(number->data[0] & 0x80))
            return -1; /* not shortest */
    }
    *in = rest;
    return 0;
}

int mru_der_bits(mereau_slice *in, int tag, mereau_slice *value) {
    mereau_slice rest = *in;
    if (mru_der_take(&rest, tag, value) != 0 || value->len == 0 ||
        value->data[0] != 0)
        return -1;
    value->data++;
    value->len--;
    *in = rest;
    return 0;
}

/* --- writing --- */

static void add_header(struct mru_buf *out, int tag, size_t len) {
    int bytes = 0;
    mru_buf_add_byte(out, (uint8_t)tag);
    if (len < 0x80) {
        mru_buf_add_byte(out, (uint8_t)len);
        return;
    }
    for (size_t rest = len; rest > 0; rest >>= 8)
        bytes++;
    mru_buf_add_byte(out, (uint8_t)(0x80 | bytes));
    while (bytes-- > 0)
        mru_buf_add_byte(out, (uint8_t)(len >> 8 * bytes));
}

void mru_der_add(struct mru_buf *out, int tag, const void *data, size_t len) {
    add_header(out, tag, len);
    mru_buf_add(out, data, len);
}

void mru_der_add_number(struct mru_buf *out, const uint8_t *number,
                        size_t len) {
    while (len > 0 && number[0] == 0) {
        number++;
        len--;
    }
    /* A leading bit would be a sign; zero is one byte. */
    int zero = len == 0 || (number[0] & 0x80);
    add_header(out, MRU_DER_INTEGER, len + (size_t)zero);
    if (zero)
        mru_buf_add_byte(out, 0);
    mru_buf_add(out, number, len);
}

void mru_der_add_bits(struct mru_buf *out, int tag, const void *data,
                      size_t len) {
    add_header(out, tag, len + 1);
    mru_buf_add_byte(out, 0); /* no unused bits */
    mru_buf_add(out, data, len);
}
