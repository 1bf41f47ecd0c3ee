/* lib/adapters/redis/keys.c - the names of keys. The partition is the hash tag,
 * so that all keys of a commit are in one slot of a cluster; written so that no
 * byte of it can end the tag, and two partitions never have one name. */
#include "redis_store.h"

static int is_plain(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

void mru_redis_stem(struct mru_buf *buf, const struct mru_redis *store,
                    const mereau_need *need) {
    static const char hex[] = "0123456789abcdef";

    mru_buf_add_text(buf, store->set.prefix);
    mru_buf_add_text(buf, ":{");
    for (size_t i = 0; i < need->partition_len; i++) {
        uint8_t c = need->partition[i];
        if (is_plain(c)) {
            mru_buf_add_byte(buf, c);
        } else {
            mru_buf_add_byte(buf, '%');
            mru_buf_add_byte(buf, (uint8_t)hex[c >> 4]);
            mru_buf_add_byte(buf, (uint8_t)hex[c & 15]);
        }
    }
    /* An empty tag is none: Redis would hash the whole key. */
    if (need->partition_len == 0)
        mru_buf_add_byte(buf, '%');
    mru_buf_add_text(buf, "}:");
}

/* CRC-16/XMODEM of what stands between the braces, modulo 16384. */
uint32_t mru_redis_slot(const struct mru_buf *stem) {
    const uint8_t *at = memchr(stem->data, '{', stem->len);
    const uint8_t *end = stem->data + stem->len - 2;
    uint32_t crc = 0;

    for (at++; at < end; at++) {
        crc ^= (uint32_t)*at << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
    }
    return crc & 16383;
}
