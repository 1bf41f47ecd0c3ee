/* lib/base/utf8.c - well-formed UTF-8 (RFC 3629 section 4, Unicode table 3-7).
 */
#include "base.h"

/* Overlong forms, surrogates and numbers above U+10FFFF all show in the second
 * byte. */
size_t mru_utf8_character(const uint8_t *p, size_t left) {
    uint8_t low = 0x80, high = 0xBF;
    size_t len;
    if (left > 0 && p[0] < 0x80)
        return 1;
    if (left == 0 || p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (left < len)
        return 0;
    if (p[0] == 0xE0)
        low = 0xA0;
    else if (p[0] == 0xED)
        high = 0x9F;
    else if (p[0] == 0xF0)
        low = 0x90;
    else if (p[0] == 0xF4)
        high = 0x8F;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

int mru_utf8_valid(const uint8_t *data, size_t len) {
    size_t i = 0;
    while (i < len) {
        size_t n = mru_utf8_character(data + i, len - i);
        if (n == 0)
            return 0;
        i += n;
    }
    return 1;
}

/* Unicode's category Cc, without tab, line feed and carriage return. */
static int is_control(const uint8_t *p, size_t n) {
    if (n == 2)
        return p[0] == 0xC2 && p[1] < 0xA0;
    if (n > 2)
        return 0;
    if (p[0] == '\t' || p[0] == '\n' || p[0] == '\r')
        return 0;
    return p[0] < 0x20 || p[0] == 0x7F;
}

int mru_text_valid(const uint8_t *data, size_t len) {
    size_t i = 0;
    while (i < len) {
        size_t n = mru_utf8_character(data + i, len - i);
        if (n == 0 || is_control(data + i, n))
            return 0;
        i += n;
    }
    return 1;
}
