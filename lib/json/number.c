/* lib/json/number.c - numbers as doubles: read with correct rounding, written with
 * as few digits as give the same double back (ECMA-262 6.1.6.1.20, which RFC 8785
 * section 3.2.2.3 asks for).
 *
 * strtod and snprintf know the decimal point of a locale, so they are never shown
 * one, and the one that they print is stepped over. */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Beyond this many digits all that matters is whether they are zeros. */
enum { MAX_DIGITS = 800 };
/* Beyond this a number is 0 or too large, whatever its digits (1 MiB of them). */
static const int64_t max_exponent = 4000000;

/* A number as digits, without zeros in front, times a power of ten. */
struct decimal {
    char digits[MAX_DIGITS + 1];
    size_t n;
    int64_t exponent;
};

/* The digits before the exponent's letter. Returns where that is. */
static const char *read_digits(struct decimal *d, const char *p,
                               const char *end) {
    int behind_point = 0;
    d->n = 0;
    d->exponent = 0;
    for (; p < end && (*p | 0x20) != 'e'; p++) {
        if (*p == '.') {
            behind_point = 1;
            continue;
        }
        d->exponent -= behind_point;
        if (d->n == 0 && *p == '0')
            continue;
        if (d->n < MAX_DIGITS - 1) {
            d->digits[d->n++] = *p;
        } else {
            d->exponent++;
            if (*p != '0') /* the last one says: and a bit more */
                d->digits[MAX_DIGITS - 1] = '1';
        }
    }
    return p;
}

static int64_t read_exponent(const char *p, const char *end) {
    int64_t value = 0;
    int negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end; p++)
        if (value < max_exponent)
            value = value * 10 + (*p - '0');
    return negative ? -value : value;
}

int mru_json_number(const struct mru_jval *number, double *out) {
    struct decimal d;
    char text[MAX_DIGITS + 32];
    *out = 0;
    if (number->kind != 'n')
        return -1;
    const char *p = number->p, *end = p + number->len;
    int negative = *p == '-';
    d.digits[MAX_DIGITS - 1] = '0';
    p = read_digits(&d, p + negative, end);
    if (p < end)
        d.exponent += read_exponent(p + 1, end);
    if (d.n == 0) { /* 0, however it is spelt */
        *out = negative ? -0.0 : 0.0;
        return 0;
    }
    if (d.n == MAX_DIGITS - 1) {
        d.n++;
        d.exponent--;
    }
    if (d.exponent > max_exponent)
        return -1;
    if (d.exponent < -max_exponent)
        d.exponent = -max_exponent;
    mru_say(text, sizeof text, "%s%.*se%lld", negative ? "-" : "", (int)d.n,
            d.digits, (long long)d.exponent);
    double value = strtod(text, NULL);
    if (!isfinite(value))
        return -1;
    *out = value;
    return 0;
}

/* --- writing --- */

/* Whether digits times ten to the exponent is read as value. */
static int gives(uint64_t digits, int exponent, double value) {
    char text[48];
    mru_say(text, sizeof text, "%llue%d", (unsigned long long)digits, exponent);
    return strtod(text, NULL) == value;
}

/* The shortest digits of a positive number, and its exponent when a point stands
 * behind the first of them. */
static size_t shortest(double value, char out[20], int *exponent) {
    char text[40];
    for (int n = 1; n <= 17; n++) {
        uint64_t digits = 0;
        mru_say(text, sizeof text, "%.*e", n - 1, value);
        char *p = text;
        for (; *p != 'e'; p++)
            if (*p >= '0' && *p <= '9')
                digits = digits * 10 + (uint64_t)(*p - '0');
        *exponent = (int)strtol(p + 1, NULL, 10);
        /* Above a power of two the gaps are twice as wide as below it, so the
         * next one up may do where the nearest does not. */
        if (n < 17 && !gives(digits, *exponent - n + 1, value)) {
            digits++;
            if (!gives(digits, *exponent - n + 1, value))
                continue;
        }
        mru_say(out, 20, "%llu", (unsigned long long)digits);
        if (strlen(out) > (size_t)n) /* 9.9 went up to 10.0 */
            ++*exponent;
        break;
    }
    size_t len = strlen(out);
    while (len > 1 && out[len - 1] == '0')
        out[--len] = '\0';
    return len;
}

static void add_zeros(struct mru_buf *out, int n) {
    while (n-- > 0)
        mru_buf_add_byte(out, '0');
}

int mru_json_add_number(struct mru_buf *out, double value) {
    char digits[20], tail[16];
    int exponent = 0;
    if (!isfinite(value))
        return -1;
    if (value == 0) {
        mru_buf_add_byte(out, '0');
        return out->failed ? -1 : 0;
    }
    if (value < 0)
        mru_buf_add_byte(out, '-');
    size_t k = shortest(fabs(value), digits, &exponent);
    int n = exponent + 1, len = (int)k; /* n digits stand before the point */
    if (len <= n && n <= 21) {
        mru_buf_add(out, digits, k);
        add_zeros(out, n - len);
    } else if (0 < n && n < len) {
        mru_buf_add(out, digits, (size_t)n);
        mru_buf_add_byte(out, '.');
        mru_buf_add(out, digits + n, k - (size_t)n);
    } else if (-6 < n && n <= 0) {
        mru_buf_add_text(out, "0.");
        add_zeros(out, -n);
        mru_buf_add(out, digits, k);
    } else {
        mru_buf_add(out, digits, 1);
        if (k > 1) {
            mru_buf_add_byte(out, '.');
            mru_buf_add(out, digits + 1, k - 1);
        }
        mru_say(tail, sizeof tail, "e%+d", exponent);
        mru_buf_add_text(out, tail);
    }
    return out->failed ? -1 : 0;
}
