/* lib/base/b64.c - base64url without padding (RFC 4648 section 5).
 *
 * One byte string has exactly one text: unused bits must be zero, and nothing
 * outside of the alphabet is skipped. */
#include "base.h"

/* Every pair of characters, so that 12 bits are one look. */
/* clang-format off */
#define ROW(a) \
    {a,'A'},{a,'B'},{a,'C'},{a,'D'},{a,'E'},{a,'F'},{a,'G'},{a,'H'}, \
    {a,'I'},{a,'J'},{a,'K'},{a,'L'},{a,'M'},{a,'N'},{a,'O'},{a,'P'}, \
    {a,'Q'},{a,'R'},{a,'S'},{a,'T'},{a,'U'},{a,'V'},{a,'W'},{a,'X'}, \
    {a,'Y'},{a,'Z'},{a,'a'},{a,'b'},{a,'c'},{a,'d'},{a,'e'},{a,'f'}, \
    {a,'g'},{a,'h'},{a,'i'},{a,'j'},{a,'k'},{a,'l'},{a,'m'},{a,'n'}, \
    {a,'o'},{a,'p'},{a,'q'},{a,'r'},{a,'s'},{a,'t'},{a,'u'},{a,'v'}, \
    {a,'w'},{a,'x'},{a,'y'},{a,'z'},{a,'0'},{a,'1'},{a,'2'},{a,'3'}, \
    {a,'4'},{a,'5'},{a,'6'},{a,'7'},{a,'8'},{a,'9'},{a,'-'},{a,'_'}
static const char pairs[4096][2] = {
    ROW('A'), ROW('B'), ROW('C'), ROW('D'), ROW('E'), ROW('F'), ROW('G'), ROW('H'),
    ROW('I'), ROW('J'), ROW('K'), ROW('L'), ROW('M'), ROW('N'), ROW('O'), ROW('P'),
    ROW('Q'), ROW('R'), ROW('S'), ROW('T'), ROW('U'), ROW('V'), ROW('W'), ROW('X'),
    ROW('Y'), ROW('Z'), ROW('a'), ROW('b'), ROW('c'), ROW('d'), ROW('e'), ROW('f'),
    ROW('g'), ROW('h'), ROW('i'), ROW('j'), ROW('k'), ROW('l'), ROW('m'), ROW('n'),
    ROW('o'), ROW('p'), ROW('q'), ROW('r'), ROW('s'), ROW('t'), ROW('u'), ROW('v'),
    ROW('w'), ROW('x'), ROW('y'), ROW('z'), ROW('0'), ROW('1'), ROW('2'), ROW('3'),
    ROW('4'), ROW('5'), ROW('6'), ROW('7'), ROW('8'), ROW('9'), ROW('-'), ROW('_'),
};
#undef ROW
/* clang-format on */

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
        memcpy(out, pairs[v >> 12], 2);
        memcpy(out + 2, pairs[v & 4095], 2);
        out += 4;
        data += 3;
        len -= 3;
    }
    if (len == 0)
        return;
    uint32_t v = (uint32_t)data[0] << 16;
    if (len == 2)
        v |= (uint32_t)data[1] << 8;
    memcpy(out, pairs[v >> 12], 2);
    if (len == 2)
        out[2] = pairs[v & 4095][0];
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
