/* lib/base/buf.c - the growing buffer, and numbers as big-endian bytes.
 *
 * realloc is never used: it may leave a copy of a secret behind. */
#include "base.h"

enum { FIRST_CAP = 64 };

/* Makes room for more bytes and the NUL behind them. */
static int reserve(struct mru_buf *buf, size_t more) {
    size_t need, size, cap = buf->cap > 0 ? buf->cap : FIRST_CAP;
    if (buf->failed)
        return -1;
    if (mru_add_size(buf->len, more, &need) != 0)
        goto failed;
    if (buf->data != NULL && need <= buf->cap)
        return 0;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (mru_add_size(cap, 1, &size) != 0)
        goto failed;
    uint8_t *data = mru_alloc(size);
    if (data == NULL)
        goto failed;
    if (buf->len > 0)
        memcpy(data, buf->data, buf->len);
    mru_free_wiped(buf->data, buf->cap);
    buf->data = data;
    buf->cap = cap;
    return 0;
failed:
    buf->failed = 1;
    return -1;
}

uint8_t *mru_buf_extend(struct mru_buf *buf, size_t len) {
    if (reserve(buf, len) != 0)
        return NULL;
    uint8_t *at = buf->data + buf->len;
    buf->len += len;
    buf->data[buf->len] = 0;
    return at;
}

void mru_buf_add(struct mru_buf *buf, const void *data, size_t len) {
    uint8_t *at = mru_buf_extend(buf, len);
    if (at != NULL && len > 0)
        memcpy(at, data, len);
}

void mru_buf_add_text(struct mru_buf *buf, const char *text) {
    mru_buf_add(buf, text, strlen(text));
}

void mru_buf_add_byte(struct mru_buf *buf, uint8_t byte) {
    mru_buf_add(buf, &byte, 1);
}

void mru_buf_add_u32(struct mru_buf *buf, uint32_t value) {
    uint8_t bytes[4];
    mru_put_u32(bytes, value);
    mru_buf_add(buf, bytes, sizeof bytes);
}

void mru_buf_add_u64(struct mru_buf *buf, uint64_t value) {
    uint8_t bytes[8];
    mru_put_u64(bytes, value);
    mru_buf_add(buf, bytes, sizeof bytes);
}

void mru_buf_reuse(struct mru_buf *buf) {
    if (buf->failed)
        mru_buf_free(buf);
    mru_wipe(buf->data, buf->len);
    buf->len = 0;
}

void mru_buf_free(struct mru_buf *buf) {
    /* All of cap: a caller may have shortened len. */
    mru_free_wiped(buf->data, buf->cap);
    memset(buf, 0, sizeof *buf);
}

uint32_t mru_get_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           (uint32_t)p[3];
}

uint64_t mru_get_u64(const uint8_t *p) {
    return (uint64_t)mru_get_u32(p) << 32 | mru_get_u32(p + 4);
}

void mru_put_u32(uint8_t *p, uint32_t value) {
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

void mru_put_u64(uint8_t *p, uint64_t value) {
    mru_put_u32(p, (uint32_t)(value >> 32));
    mru_put_u32(p + 4, (uint32_t)value);
}
