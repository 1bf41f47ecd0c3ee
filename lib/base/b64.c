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

/* The value of each character, shifted to where it belongs in 24 bits, so that four
 * looks make three bytes. XX, the top bit, marks what is not in the alphabet. */
#define XX UINT32_C(0x80000000)
/* clang-format off */
#define TABLE \
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, \
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, \
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, V(62), XX, XX, \
    V(52), V(53), V(54), V(55), V(56), V(57), V(58), V(59), V(60), V(61), XX, XX, XX, XX, XX, XX, \
    XX, V(0), V(1), V(2), V(3), V(4), V(5), V(6), V(7), V(8), V(9), V(10), V(11), V(12), V(13), V(14), \
    V(15), V(16), V(17), V(18), V(19), V(20), V(21), V(22), V(23), V(24), V(25), XX, XX, XX, XX, V(63), \
    XX, V(26), V(27), V(28), V(29), V(30), V(31), V(32), V(33), V(34), V(35), V(36), V(37), V(38), V(39), V(40), \
    V(41), V(42), V(43), V(44), V(45), V(46), V(47), V(48), V(49), V(50), V(51), XX, XX, XX, XX, XX, \
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, \
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, \
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, \
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, \
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, \
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, \
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, \
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX
#define V(value) (UINT32_C(value) << 18)
static const uint32_t first[256] = {TABLE};
#undef V
#define V(value) (UINT32_C(value) << 12)
static const uint32_t second[256] = {TABLE};
#undef V
#define V(value) (UINT32_C(value) << 6)
static const uint32_t third[256] = {TABLE};
#undef V
#define V(value) UINT32_C(value)
static const uint32_t values[256] = {TABLE};
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

/* Four characters as 24 bits, and XX. */
static inline uint32_t four(const uint8_t *in) {
    return first[in[0]] | second[in[1]] | third[in[2]] | values[in[3]];
}

ptrdiff_t mru_b64_decode(uint8_t *out, const char *text, size_t text_len) {
    const uint8_t *in = (const uint8_t *)text;
    size_t tail = text_len % 4;
    size_t n = text_len / 4 * 3 + (tail > 0 ? tail - 1 : 0);
    uint32_t bad = 0;
    if (tail == 1 || n > PTRDIFF_MAX)
        return -1;
    size_t left = text_len / 4;
    for (; out == NULL && left > 0; left--, in += 4)
        bad |= values[in[0]] | values[in[1]] | values[in[2]] | values[in[3]];
    /* One byte more is written than meant, while there is another group behind. */
    for (; left > 1; left--, in += 4, out += 3) {
        uint32_t bits = four(in);
        bad |= bits;
        bits <<= 8;
        out[0] = (uint8_t)(bits >> 24);
        out[1] = (uint8_t)(bits >> 16);
        out[2] = (uint8_t)(bits >> 8);
        out[3] = (uint8_t)bits;
    }
    if (left == 1) {
        uint32_t bits = four(in);
        bad |= bits;
        out[0] = (uint8_t)(bits >> 16);
        out[1] = (uint8_t)(bits >> 8);
        out[2] = (uint8_t)bits;
        out += 3;
        in += 4;
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
