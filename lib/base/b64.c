/* lib/base/b64.c - base64url without padding (RFC 4648 section 5).
 *
 * One byte string has exactly one text: unused bits must be zero, and nothing
 * outside of the alphabet is skipped. */
#include "base.h"

static const char alphabet[64] = {
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M',
    'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
    'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '-', '_'};

/* The value of each character; XX, alone in having its top bit set, marks
 * those that are not in the alphabet. */
#define XX 0x80
/* clang-format off */
static const uint8_t values[256] = {
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, 62, XX, XX,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, XX, XX, XX, XX, XX, XX,
    XX, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, XX, XX, XX, XX, 63,
    XX, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
};
/* clang-format on */

void mru_b64_encode(char *out, const uint8_t *data, size_t len) {
    while (len >= 3) {
        uint32_t v = (uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2];
        out[0] = alphabet[v >> 18];
        out[1] = alphabet[v >> 12 & 63];
        out[2] = alphabet[v >> 6 & 63];
        out[3] = alphabet[v & 63];
        out += 4;
        data += 3;
        len -= 3;
    }
    if (len == 0)
        return;
    uint32_t v = (uint32_t)data[0] << 16;
    if (len == 2)
        v |= (uint32_t)data[1] << 8;
    out[0] = alphabet[v >> 18];
    out[1] = alphabet[v >> 12 & 63];
    if (len == 2)
        out[2] = alphabet[v >> 6 & 63];
}

/* The last 2 or 3 characters: 1 or 2 bytes. Returns -1 when bits that belong to
 * no byte are set. */
static int decode_tail(uint8_t *out, const uint8_t *in, size_t len) {
    uint32_t a = values[in[0]], b = values[in[1]];
    uint32_t c = len == 3 ? values[in[2]] : 0;
    uint32_t unused = len == 3 ? c & 3 : b & 15;
    if (((a | b | c) & XX) != 0 || unused != 0)
        return -1;
    if (out != NULL) {
        out[0] = (uint8_t)(a << 2 | b >> 4);
        if (len == 3)
            out[1] = (uint8_t)(b << 4 | c >> 2);
    }
    return 0;
}

ptrdiff_t mru_b64_decode(uint8_t *out, const char *text, size_t text_len) {
    const uint8_t *in = (const uint8_t *)text;
    size_t tail = text_len % 4;
    size_t n = text_len / 4 * 3 + (tail > 0 ? tail - 1 : 0);
    uint32_t bad = 0;
    if (tail == 1 || n > PTRDIFF_MAX)
        return -1;
    for (size_t left = text_len / 4; left > 0; left--, in += 4) {
        uint32_t a = values[in[0]], b = values[in[1]];
        uint32_t c = values[in[2]], d = values[in[3]];
        bad |= a | b | c | d;
        if (out != NULL) {
            out[0] = (uint8_t)(a << 2 | b >> 4);
            out[1] = (uint8_t)(b << 4 | c >> 2);
            out[2] = (uint8_t)(c << 6 | d);
            out += 3;
        }
    }
    if ((bad & XX) != 0 || (tail > 0 && decode_tail(out, in, tail) != 0))
        return -1;
    return (ptrdiff_t)n;
}

void mru_buf_add_b64(struct mru_buf *buf, const uint8_t *data, size_t len) {
    if (len > SIZE_MAX / 4 - 1) {
        buf->failed = 1;
        return;
    }
    char *at = (char *)mru_buf_extend(buf, MRU_B64_LEN(len));
    if (at != NULL)
        mru_b64_encode(at, data, len);
}
