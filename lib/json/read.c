/* lib/json/read.c - reading of a checked text: members, elements, strings and
 * exact numbers, without copying or allocating. Nothing here may be used on a
 * text that mru_json_check has not accepted. */
#include "json.h"
#include "scan.h"

/* --- walking --- */

static int is_space(uint8_t c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const uint8_t *skip_space(const uint8_t *p, const uint8_t *end) {
    while (p < end && is_space(*p))
        p++;
    return p;
}

/* Behind the closing quote of the string that opens at p: the first quote with
 * an even number of backslashes before it. */
static const uint8_t *skip_string(const uint8_t *p, const uint8_t *end) {
    for (p++; p < end; p++) {
        const uint8_t *quote = memchr(p, '"', (size_t)(end - p));
        if (quote == NULL)
            return end;
        const uint8_t *back = quote;
        while (back[-1] == '\\')
            back--;
        if ((quote - back) % 2 == 0)
            return quote + 1;
        p = quote;
    }
    return end;
}

static const uint8_t *skip_container(const uint8_t *p, const uint8_t *end) {
    size_t depth = 0;
    while (p < end) {
        uint8_t c = *p;
        if (c == '"') {
            p = skip_string(p, end);
            continue;
        }
        p++;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            break;
    }
    return p;
}

/* Behind the value at p, which must not be the end. */
static const uint8_t *skip_value(const uint8_t *p, const uint8_t *end) {
    if (*p == '"')
        return skip_string(p, end);
    if (*p == '{' || *p == '[')
        return skip_container(p, end);
    while (p < end && *p != ',' && *p != '}' && *p != ']' && !is_space(*p))
        p++;
    return p;
}

static const uint8_t *take(struct mru_jval *value, const uint8_t *p,
                           const uint8_t *end) {
    const uint8_t *behind = skip_value(p, end);
    value->p = (const char *)p;
    value->len = (size_t)(behind - p);
    value->kind = mru_json_kind(*p);
    return behind;
}

static const struct mru_jval nothing = {NULL, 0, 0};

int mru_json_next(const struct mru_jval *container, size_t *pos,
                  struct mru_jval *name, struct mru_jval *value) {
    struct mru_jval found_name = nothing, found = nothing;
    int more = 0;
    if (container->kind == 'o' || container->kind == 'a') {
        const uint8_t *start = (const uint8_t *)container->p;
        const uint8_t *end = start + container->len - 1; /* the bracket */
        const uint8_t *p = start + (*pos > 0 ? *pos : 1);
        p = skip_space(p, end);
        if (p < end && *p == ',')
            p = skip_space(p + 1, end);
        if (p < end && container->kind == 'o') {
            p = skip_space(take(&found_name, p, end), end);
            p = skip_space(p + 1, end); /* the colon */
        }
        if (p < end) {
            p = take(&found, p, end);
            more = 1;
        }
        *pos = (size_t)(p - start);
    }
    if (name != NULL)
        *name = found_name;
    *value = found;
    return more;
}

int mru_json_member(struct mru_jval *value, const struct mru_jval *object,
                    const char *name) {
    struct mru_jval found_name, found;
    size_t pos = 0, len = strlen(name);
    *value = nothing;
    if (object->kind != 'o')
        return 0;
    while (mru_json_next(object, &pos, &found_name, &found))
        if (mru_json_is(&found_name, name, len)) {
            *value = found;
            return 1;
        }
    return 0;
}

size_t mru_json_count(const struct mru_jval *container) {
    struct mru_jval value;
    size_t pos = 0, n = 0;
    while (mru_json_next(container, &pos, NULL, &value))
        n++;
    return n;
}

/* --- strings --- */

/* The bytes between the quotes; 0 when it is no string. */
static int inside(const struct mru_jval *string, const uint8_t **p,
                  const uint8_t **end) {
    if (string->kind != 's')
        return 0;
    *p = (const uint8_t *)string->p + 1;
    *end = (const uint8_t *)string->p + string->len - 1;
    return 1;
}

int mru_json_text(const struct mru_jval *string, char *out, size_t cap,
                  size_t *len) {
    const uint8_t *p, *end;
    uint8_t unit[4];
    size_t total = 0;
    *len = 0;
    if (!inside(string, &p, &end))
        return -1;
    while (p < end) {
        size_t n = mru_json_unit(&p, unit);
        if (out != NULL && total <= cap && n <= cap - total)
            memcpy(out + total, unit, n);
        total += n;
    }
    *len = total;
    return out == NULL && cap == 0 ? 0 : (total <= cap ? 0 : -1);
}

int mru_json_add_text(struct mru_buf *buf, const struct mru_jval *string) {
    const uint8_t *p, *end;
    uint8_t unit[4];
    if (!inside(string, &p, &end))
        return -1;
    while (p < end) {
        const uint8_t *from = p;
        while (p < end && *p != '\\')
            p++;
        mru_buf_add(buf, from, (size_t)(p - from));
        if (p < end)
            mru_buf_add(buf, unit, mru_json_unit(&p, unit));
    }
    /* An empty string is a text, too. */
    mru_buf_add(buf, NULL, 0);
    return buf->failed ? -1 : 0;
}

int mru_json_is(const struct mru_jval *string, const char *text, size_t len) {
    const uint8_t *p, *end;
    const uint8_t *want = (const uint8_t *)text;
    uint8_t unit[4];
    size_t raw;
    if (!inside(string, &p, &end))
        return 0;
    raw = (size_t)(end - p);
    if (raw < len)
        return 0; /* escapes only make it longer */
    if (raw == len && memchr(p, '\\', raw) == NULL)
        return memcmp(p, want, len) == 0;
    while (p < end) {
        size_t n = mru_json_unit(&p, unit);
        if (n > len || memcmp(unit, want, n) != 0)
            return 0;
        want += n;
        len -= n;
    }
    return len == 0;
}

/* --- numbers --- */

/* The digits of a number and how many of them, counted from its first one,
 * stand before the decimal point once the exponent is applied. */
struct decimal {
    const uint8_t *p;
    const uint8_t *end;
    int64_t n_digits;
    int64_t n_whole; /* may be negative, or more than n_digits */
    int negative;
};

/* Far beyond what a document's own digits could make good again. */
static const int64_t exponent_cap = INT64_C(1) << 40;

static int64_t read_exponent(const uint8_t *p, const uint8_t *end) {
    int64_t value = 0;
    int negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end; p++)
        if (value < exponent_cap)
            value = value * 10 + (*p - '0');
    return negative ? -value : value;
}

static void split(struct decimal *d, const struct mru_jval *number) {
    const uint8_t *p = (const uint8_t *)number->p;
    const uint8_t *end = p + number->len;
    int64_t whole = -1;
    d->negative = *p == '-';
    d->p = p += d->negative;
    d->n_digits = 0;
    for (; p < end && (*p | 0x20) != 'e'; p++) {
        if (*p == '.')
            whole = d->n_digits;
        else
            d->n_digits++;
    }
    d->end = p;
    d->n_whole = whole >= 0 ? whole : d->n_digits;
    if (p < end)
        d->n_whole += read_exponent(p + 1, end);
}

static int append_digit(uint64_t *value, uint64_t digit) {
    if (*value > (UINT64_MAX - digit) / 10)
        return -1;
    *value = *value * 10 + digit;
    return 0;
}

/* |number|, cut to a whole one; *fraction 1 when something was cut off. */
static int magnitude(const struct decimal *d, uint64_t *value, int *fraction) {
    int64_t i = 0;
    *value = 0;
    *fraction = 0;
    for (const uint8_t *p = d->p; p < d->end; p++) {
        if (*p == '.')
            continue;
        if (i++ < d->n_whole) {
            if (append_digit(value, (uint64_t)(*p - '0')) != 0)
                return -1;
        } else if (*p != '0') {
            *fraction = 1;
        }
    }
    /* At most 20 rounds: then it has overflowed. */
    for (; i < d->n_whole && *value != 0; i++)
        if (append_digit(value, 0) != 0)
            return -1;
    return 0;
}

/* What nearly all numbers are: up to 18 digits and nothing else. */
static int plain_digits(const struct mru_jval *number, int64_t *out) {
    int64_t value = 0;
    if (number->len > 18)
        return 0;
    for (size_t i = 0; i < number->len; i++) {
        char c = number->p[i];
        if (c < '0' || c > '9')
            return 0;
        value = value * 10 + (c - '0');
    }
    *out = value;
    return 1;
}

int mru_json_seconds(const struct mru_jval *number, int64_t *floor_s,
                     int *fraction) {
    const uint64_t half = UINT64_C(1) << 63;
    struct decimal d;
    uint64_t value;
    int cut;
    if (number->kind != 'n')
        return -1;
    *fraction = 0;
    if (plain_digits(number, floor_s))
        return 0;
    split(&d, number);
    if (magnitude(&d, &value, &cut) != 0)
        return -1;
    if (!d.negative) {
        if (value >= half)
            return -1;
        *floor_s = (int64_t)value;
    } else {
        /* Tested before: value may be all ones. */
        if (value > half - (uint64_t)cut)
            return -1;
        value += (uint64_t)cut;
        *floor_s = value == half ? INT64_MIN : -(int64_t)value;
    }
    *fraction = cut;
    return 0;
}

int mru_json_int(const struct mru_jval *number, int64_t *out) {
    int64_t value;
    int fraction;
    if (mru_json_seconds(number, &value, &fraction) != 0 || fraction)
        return -1;
    *out = value;
    return 0;
}
