/* lib/crypto/pem.c - PEM, the text form of DER (RFC 7468), read and written. What
 * stands outside of blocks is explanation and is passed over; inside there is
 * base64 with white space and nothing else, so what is encrypted (it has headers
 * there) is refused. */
#include "der.h"

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char dashes[] = "-----";

enum { MAX_LABEL = 64, LINE = 64 };

/* Where mark first stands, or NULL. */
static const uint8_t *find(const uint8_t *data, size_t len, const char *mark) {
    size_t n = strlen(mark);
    for (size_t i = 0; len >= n && i <= len - n; i++)
        if (memcmp(data + i, mark, n) == 0)
            return data + i;
    return NULL;
}

int mru_pem_is(const uint8_t *data, size_t len) {
    return find(data, len, begin_mark) != NULL;
}

int mru_pem_is_encrypted(const uint8_t *data, size_t len) {
    return find(data, len, "-----BEGIN ENCRYPTED PRIVATE KEY-----") != NULL ||
           find(data, len, "Proc-Type: 4,ENCRYPTED") != NULL;
}

/* The value of a character; -1 white space, -2 padding, -3 none of them. No table
 * and no branch on the value: it may be a private key. */
static int value_of(uint8_t c) {
    int v = -3;
    v += (c >= 'A' && c <= 'Z') * (c - 'A' + 3);
    v += (c >= 'a' && c <= 'z') * (c - 'a' + 26 + 3);
    v += (c >= '0' && c <= '9') * (c - '0' + 52 + 3);
    v += (c == '+') * (62 + 3) + (c == '/') * (63 + 3);
    v += (c == ' ' || c == '\t' || c == '\r' || c == '\n') * 2 + (c == '=');
    return v;
}

/* Base64 with padding (RFC 4648 section 4), unused bits zero. */
static int decode(struct mru_buf *out, const uint8_t *text, size_t len) {
    uint32_t group = 0;
    unsigned n = 0, padding = 0;
    uint8_t *at = mru_buf_extend(out, len / 4 * 3 + 3);
    size_t done = 0;
    if (!at)
        return -2;
    for (size_t i = 0; i < len; i++) {
        int v = value_of(text[i]);
        if (v == -1)
            continue;
        if (v == -2 && n >= 2 && n + padding < 4) {
            padding++;
            continue;
        }
        if (v < 0 || padding > 0)
            return -1;
        group = group << 6 | (uint32_t)v;
        if (++n == 4) {
            at[done++] = (uint8_t)(group >> 16);
            at[done++] = (uint8_t)(group >> 8);
            at[done++] = (uint8_t)group;
            group = 0;
            n = 0;
        }
    }
    if (n != 0 && (n + padding != 4 || (group & (n == 2 ? 0xf : 0x3)) != 0))
        return -1;
    if (n >= 2)
        at[done++] = (uint8_t)(n == 2 ? group >> 4 : group >> 10);
    if (n == 3)
        at[done++] = (uint8_t)(group >> 2);
    mru_wipe(&group, sizeof group);
    out->len -= len / 4 * 3 + 3 - done;
    return done > 0 ? 0 : -1;
}

int mru_pem_next(const uint8_t **data, size_t *len, mereau_slice *label,
                 struct mru_buf *der) {
    const uint8_t *end = *data + *len, *p = find(*data, *len, begin_mark), *q;
    if (!p)
        return 1;
    label->data = p + sizeof begin_mark - 1;
    q = find(label->data, (size_t)(end - label->data), dashes);
    label->len = q ? (size_t)(q - label->data) : 0;
    if (label->len == 0 || label->len > MAX_LABEL)
        return -1;
    p = q + sizeof dashes - 1;
    q = find(p, (size_t)(end - p), end_mark);
    if (!q)
        return -1;
    size_t text = (size_t)(q - p);
    q += sizeof end_mark - 1;
    size_t left = (size_t)(end - q), tail = label->len + sizeof dashes - 1;
    if (left < tail || memcmp(q, label->data, label->len) != 0 ||
        memcmp(q + label->len, dashes, sizeof dashes - 1) != 0)
        return -1;
    *data = q + tail;
    *len = left - tail;
    return decode(der, p, text);
}

void mru_pem_add(struct mru_buf *out, const char *label, const uint8_t *der,
                 size_t len) {
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
        "uvwxyz0123456789+/";
    mru_buf_add_text(out, begin_mark);
    mru_buf_add_text(out, label);
    mru_buf_add_text(out, "-----\n");
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t group = (uint32_t)der[i] << 16;
        char four[4] = {'=', '=', '=', '='};
        if (n > 1)
            group |= (uint32_t)der[i + 1] << 8;
        if (n > 2)
            group |= der[i + 2];
        for (size_t k = 0; k <= n; k++)
            four[k] = digits[group >> (18 - 6 * k) & 0x3f];
        mru_buf_add(out, four, sizeof four);
        if (i + n == len || (i + n) % (LINE / 4 * 3) == 0)
            mru_buf_add_byte(out, '\n');
    }
    mru_buf_add_text(out, end_mark);
    mru_buf_add_text(out, label);
    mru_buf_add_text(out, "-----\n");
}
