/* lib/json/canonical.c - the one spelling of a document (RFC 8785): for what is
 * hashed or signed as JSON. Members are sorted by their UTF-16 code units, numbers
 * and strings are written in one way, and there is no white space. */
#include "json.h"

#include <math.h>
#include <stdlib.h>

/* One member of an object, with its name unescaped. */
struct member {
    const uint8_t *name;
    size_t name_len;
    size_t name_at; /* in texts, before that stops moving */
    struct mru_jval value;
};

/* A container being written. */
struct frame {
    struct mru_jval container;
    struct member *members; /* of an object: sorted; of an array: NULL */
    size_t n, done;
    size_t pos; /* of an array: as for mru_json_next */
    struct mru_buf texts;
};

struct writing {
    struct mru_buf *out;
    struct frame frames[MEREAU_MAX_DEPTH];
    size_t depth;
    mereau_error *err;
};

/* --- order --- */

/* The next character of checked UTF-8. */
static uint32_t character(const uint8_t **p) {
    const uint8_t *at = *p;
    uint32_t c = *at;
    size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    *p = at + n;
    if (n > 1)
        c &= 0x7Fu >> n;
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (at[i] & 0x3F);
    return c;
}

/* A number in the order of UTF-16: characters above U+FFFF are surrogates there,
 * and come before U+E000. */
static uint32_t utf16_rank(uint32_t c) {
    if (c >= 0x10000)
        return c - 0x10000 + 0xD800;
    return c >= 0xE000 ? c + 0x100000 : c;
}

static int compare(const void *x, const void *y) {
    const struct member *a = x, *b = y;
    const uint8_t *p = a->name, *p_end = p + a->name_len;
    const uint8_t *q = b->name, *q_end = q + b->name_len;
    while (p < p_end && q < q_end) {
        uint32_t c = utf16_rank(character(&p)), d = utf16_rank(character(&q));
        if (c != d)
            return c < d ? -1 : 1;
    }
    return (p < p_end) - (q < q_end);
}

/* --- scalars --- */

/* The letter of a two-character escape, or 0. */
static uint8_t short_escape(uint8_t c) {
    switch (c) {
    case '\b':
        return 'b';
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\f':
        return 'f';
    case '\r':
        return 'r';
    case '"':
    case '\\':
        return c;
    default:
        return 0;
    }
}

static int write_string(struct mru_buf *out, const uint8_t *p, size_t len) {
    static const char hex[] = "0123456789abcdef";
    mru_buf_add_byte(out, '"');
    for (const uint8_t *end = p + len; p < end; p++) {
        uint8_t letter = short_escape(*p);
        if (letter) {
            mru_buf_add_byte(out, '\\');
            mru_buf_add_byte(out, letter);
        } else if (*p < 0x20) {
            mru_buf_add_text(out, "\\u00");
            mru_buf_add_byte(out, (uint8_t)hex[*p >> 4]);
            mru_buf_add_byte(out, (uint8_t)hex[*p & 15]);
        } else {
            mru_buf_add_byte(out, *p);
        }
    }
    mru_buf_add_byte(out, '"');
    return out->failed ? -1 : 0;
}

static mereau_status no_memory(const struct writing *w) {
    return mru_refuse(w->err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
}

static mereau_status write_text(struct writing *w,
                                const struct mru_jval *text) {
    struct mru_buf plain = {0};
    int ret = mru_json_add_text(&plain, text);
    if (ret == 0)
        ret = write_string(w->out, plain.data, plain.len);
    mru_buf_free(&plain);
    return ret == 0 ? MEREAU_OK : no_memory(w);
}

/* How long a whole number is, without a fraction of zeros; 0: it is none, or
 * written with an exponent. */
static size_t whole_len(const struct mru_jval *number) {
    const char *p = number->p;
    size_t len = 0, at;
    while (len < number->len &&
           (p[len] == '-' || (p[len] >= '0' && p[len] <= '9')))
        len++;
    for (at = len; at < number->len; at++)
        if (p[at] != (at == len ? '.' : '0'))
            return 0;
    return len;
}

/* A large whole number with all its digits, of which a double keeps but the first
 * ones, would become another number: it is refused, unless it is spelt as that
 * double is (RFC 8785 section 3.1). */
static mereau_status write_number(struct writing *w,
                                  const struct mru_jval *number) {
    const double exact = 9007199254740992.0;
    double value = 0;
    size_t from = w->out->len, whole = whole_len(number);
    int ret = mru_json_number(number, &value);
    if (ret == 0 && mru_json_add_number(w->out, value) != 0)
        return no_memory(w);
    if (ret == 0 && fabs(value) >= exact && whole > 0 &&
        (w->out->len - from != whole ||
         memcmp(w->out->data + from, number->p, whole) != 0))
        ret = -1;
    if (ret == 0)
        return MEREAU_OK;
    return mru_refuse(w->err, MEREAU_E_MALFORMED, "json.number", "RFC 8785 3.1",
                      "a number that a double can hold", "another");
}

/* --- containers --- */

static void leave(struct writing *w) {
    struct frame *frame = &w->frames[--w->depth];
    mru_free(frame->members);
    mru_buf_free(&frame->texts);
}

static mereau_status sort_members(struct writing *w, struct frame *frame) {
    struct mru_jval name, value;
    size_t pos = 0, size, i = 0;
    frame->n = mru_json_count(&frame->container);
    if (mru_mul_size(frame->n, sizeof *frame->members, &size) != 0)
        return no_memory(w);
    frame->members = mru_alloc(size);
    if (!frame->members)
        return no_memory(w);
    while (mru_json_next(&frame->container, &pos, &name, &value)) {
        struct member *m = &frame->members[i++];
        m->name_at = frame->texts.len;
        m->value = value;
        if (mru_json_add_text(&frame->texts, &name) != 0)
            return no_memory(w);
        m->name_len = frame->texts.len - m->name_at;
    }
    for (i = 0; i < frame->n; i++)
        frame->members[i].name = frame->texts.data + frame->members[i].name_at;
    if (frame->n > 1)
        qsort(frame->members, frame->n, sizeof *frame->members, compare);
    return MEREAU_OK;
}

static mereau_status enter(struct writing *w,
                           const struct mru_jval *container) {
    struct frame *frame = &w->frames[w->depth++];
    memset(frame, 0, sizeof *frame);
    frame->container = *container;
    mru_buf_add_byte(w->out, container->kind == 'o' ? '{' : '[');
    return container->kind == 'o' ? sort_members(w, frame) : MEREAU_OK;
}

static mereau_status write_value(struct writing *w,
                                 const struct mru_jval *value) {
    if (value->kind == 'o' || value->kind == 'a')
        return enter(w, value);
    if (value->kind == 's')
        return write_text(w, value);
    if (value->kind == 'n')
        return write_number(w, value);
    mru_buf_add(w->out, value->p, value->len);
    return MEREAU_OK;
}

/* The next item of the innermost container, or its end. */
static mereau_status step(struct writing *w) {
    struct frame *frame = &w->frames[w->depth - 1];
    struct mru_jval value;
    int is_object = frame->container.kind == 'o';
    if (is_object
            ? frame->done == frame->n
            : !mru_json_next(&frame->container, &frame->pos, NULL, &value)) {
        mru_buf_add_byte(w->out, is_object ? '}' : ']');
        leave(w);
        return MEREAU_OK;
    }
    if (frame->done > 0)
        mru_buf_add_byte(w->out, ',');
    if (is_object) {
        const struct member *m = &frame->members[frame->done];
        if (write_string(w->out, m->name, m->name_len) != 0)
            return no_memory(w);
        mru_buf_add_byte(w->out, ':');
        value = m->value;
    }
    frame->done++;
    return write_value(w, &value);
}

mereau_status mru_json_canonical(struct mru_buf *out,
                                 const struct mru_jval *root,
                                 mereau_error *err) {
    struct writing w;
    w.out = out;
    w.depth = 0;
    w.err = err;
    mereau_status status = write_value(&w, root);
    while (status == MEREAU_OK && w.depth > 0)
        status = step(&w);
    while (w.depth > 0)
        leave(&w);
    if (status == MEREAU_OK && out->failed)
        status = no_memory(&w);
    return status;
}
