/* lib/json/scan.c - the strict scanner: says whether bytes are one JSON text
 * (RFC 8259) that every parser reads alike. It refuses what parsers disagree
 * about: doubled members, NUL, lone surrogates, a BOM, anything behind the value.
 *
 * One pass, no allocation, no recursion: containers are kept on a stack of
 * MEREAU_MAX_DEPTH levels, and the names of all open objects on another one. */
#include "json.h"
#include "scan.h"

const struct mru_json_limits mru_json_default_limits = {
    MEREAU_MAX_JSON, MEREAU_MAX_DEPTH, MEREAU_MAX_MEMBERS};

/* ASCII that stands for itself inside of a string. */
/* clang-format off */
static const uint8_t plain[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};
/* clang-format on */

enum { MAX_NAMES = MEREAU_MAX_DEPTH * MEREAU_MAX_MEMBERS };

struct level {
    uint8_t close; /* ']' or '}' */
    uint32_t items; /* begun so far */
    size_t names_at; /* where the names of this object begin */
};

struct scan {
    const uint8_t *start;
    const uint8_t *p;
    const uint8_t *end;
    uint32_t max_depth;
    uint32_t max_items;
    uint32_t depth;
    size_t n_names;
    /* What is written down in passing; each may be NULL. */
    struct mru_jindex *index;
    uint8_t *texts;
    /* Of the mistake. */
    mereau_status status;
    const char *rule;
    const char *wanted;
    /* Large, and so not cleared before use. */
    struct level levels[MEREAU_MAX_DEPTH];
    uint32_t hashes[MAX_NAMES];
    uint32_t names[MAX_NAMES]; /* offsets, behind the opening quote */
};

static int fail(struct scan *s, mereau_status status, const char *rule,
                const char *wanted) {
    s->status = status;
    s->rule = rule;
    s->wanted = wanted;
    return -1;
}

static int malformed(struct scan *s, const char *rule, const char *wanted) {
    return fail(s, MEREAU_E_MALFORMED, rule, wanted);
}

/* The byte at hand, or 0, which fits nowhere outside of strings, at the end. */
static uint8_t peek(const struct scan *s) { return s->p < s->end ? *s->p : 0; }

static void skip_space(struct scan *s) {
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

/* --- strings --- */

static uint32_t hex_value(uint8_t c) {
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10) : 16;
}

/* Four hexadecimal digits, or a number above 0xFFFF. */
static uint32_t hex4(const uint8_t *p) {
    uint32_t a = hex_value(p[0]), b = hex_value(p[1]);
    uint32_t c = hex_value(p[2]), d = hex_value(p[3]);
    return (a | b | c | d) > 15 ? UINT32_MAX : a << 12 | b << 8 | c << 4 | d;
}

/* \uXXXX at s->p: one character of its own, or a whole surrogate pair. */
static int scan_unicode_escape(struct scan *s) {
    const uint8_t *p = s->p;
    size_t left = (size_t)(s->end - p);
    uint32_t unit = left < 6 ? UINT32_MAX : hex4(p + 2);
    if (unit > 0xFFFF)
        return malformed(s, "json.string", "four hexadecimal digits");
    if (unit == 0)
        return malformed(s, "json.string", "no NUL");
    if (unit < 0xD800 || unit > 0xDFFF) {
        s->p += 6;
        return 0;
    }
    if (unit > 0xDBFF || left < 12 || p[6] != '\\' || p[7] != 'u' ||
        hex4(p + 8) < 0xDC00 || hex4(p + 8) > 0xDFFF)
        return malformed(s, "json.string", "surrogates in pairs");
    s->p += 12;
    return 0;
}

static int scan_escape(struct scan *s) {
    uint8_t c = s->end - s->p < 2 ? 0 : s->p[1];
    switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        s->p += 2;
        return 0;
    case 'u':
        return scan_unicode_escape(s);
    default:
        return malformed(s, "json.string", "an escape of RFC 8259");
    }
}

/* Eight bytes at once: a top bit where one does not stand for itself (above 0x7F,
 * below 0x20, a quote, a backslash). The borrow of such a byte may set bits behind
 * it, never before it: 0 is exact, and so is the first one. */
static uint64_t stops(uint64_t w) {
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t quote = w ^ ones * '"', backslash = w ^ ones * '\\';
    uint64_t control = (w - ones * 0x20) & ~w;
    quote = (quote - ones) & ~quote;
    backslash = (backslash - ones) & ~backslash;
    return (w | control | quote | backslash) & tops;
}

/* The first byte from p on that does not stand for itself, or end. */
static const uint8_t *skip_plain(const uint8_t *p, const uint8_t *end) {
    while (end - p >= 8) {
        uint64_t word, stop;
        memcpy(&word, p, sizeof word);
        stop = stops(word);
        if (stop != 0) {
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return p + (__builtin_ctzll(stop) >> 3);
#else
            break;
#endif
        }
        p += 8;
    }
    while (p < end && plain[*p])
        p++;
    return p;
}

/* Ends the copy of a string whose closing quote is at s->p: a NUL takes the place
 * of the quote, or stands earlier when escapes were undone. */
static void end_text(const struct scan *s, const uint8_t *from, int escaped) {
    uint8_t *out = s->texts + (from - s->start);
    if (!escaped) {
        s->texts[s->p - s->start] = 0;
        return;
    }
    while (from < s->p) {
        uint8_t unit[4];
        size_t n = mru_json_unit(&from, unit);
        memcpy(out, unit, n);
        out += n;
    }
    *out = 0;
}

/* A string from its opening quote on; *escaped becomes 1 when it has escapes. */
static int scan_string(struct scan *s, int *escaped) {
    const uint8_t *from = s->p + 1;
    *escaped = 0;
    s->p++;
    for (;;) {
        const uint8_t *p = skip_plain(s->p, s->end);
        s->p = p;
        if (p == s->end)
            return malformed(s, "json.syntax", "the end of the string");
        if (*p == '"') {
            if (s->texts != NULL)
                end_text(s, from, *escaped);
            s->p++;
            return 0;
        }
        if (*p == '\\') {
            *escaped = 1;
            if (scan_escape(s) != 0)
                return -1;
        } else if (*p < 0x20) {
            return malformed(s, "json.string", "no control characters");
        } else {
            size_t n = mru_utf8_character(p, (size_t)(s->end - p));
            if (n == 0)
                return malformed(s, "json.utf8", "UTF-8");
            s->p += n;
        }
    }
}

/* The UTF-8 of a character above U+007F. */
static size_t encode(uint32_t c, uint8_t out[4]) {
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
    out[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

size_t mru_json_unit(const uint8_t **p, uint8_t out[4]) {
    static const char escapes[] = "b\bf\fn\nr\rt\t";
    const uint8_t *at = *p;
    uint32_t c = *at;
    *p = at + 1;
    if (c == '\\') {
        c = at[1];
        *p = at + 2;
        if (c == 'u') {
            c = hex4(at + 2);
            *p = at + 6;
            if (c >= 0xD800 && c <= 0xDBFF) {
                c = 0x10000 + ((c - 0xD800) << 10) + (hex4(at + 8) - 0xDC00);
                *p = at + 12;
            }
            if (c > 0x7F)
                return encode(c, out);
        } else {
            for (size_t i = 0; i < sizeof escapes - 1; i += 2)
                if (c == (uint8_t)escapes[i]) {
                    c = (uint8_t)escapes[i + 1];
                    break;
                }
        }
    }
    out[0] = (uint8_t)c;
    return 1;
}

/* --- names --- */

/* 1 when two names, each from behind its opening quote on, are equal once their
 * escapes are undone. */
static int same_name(const uint8_t *a, const uint8_t *b) {
    uint8_t x[4], y[4];
    size_t n = 0, m = 0, i = 0, j = 0;
    for (;;) {
        if (i == n) {
            i = 0;
            n = *a == '"' ? 0 : mru_json_unit(&a, x);
        }
        if (j == m) {
            j = 0;
            m = *b == '"' ? 0 : mru_json_unit(&b, y);
        }
        if (n == 0 || m == 0)
            return n == m;
        if (x[i++] != y[j++])
            return 0;
    }
}

/* A running hash: eight bytes are one word, as most names are. */
struct hash {
    uint64_t state, word;
    size_t n;
};

static void hash_word(struct hash *h) {
    h->state = (h->state ^ h->word) * UINT64_C(0x9E3779B97F4A7C15);
    h->state ^= h->state >> 32;
    h->word = 0;
}

static void hash_byte(struct hash *h, uint8_t byte) {
    h->word = h->word << 8 | byte;
    if ((++h->n & 7) == 0)
        hash_word(h);
}

static uint32_t hash_end(struct hash *h) {
    h->word ^= (uint64_t)h->n << 56;
    hash_word(h);
    return (uint32_t)h->state;
}

/* Of the name's characters, not of how they are escaped. Guessable on purpose:
 * equal hashes cost a comparison and decide nothing. */
static uint32_t hash_name(const uint8_t *p, const uint8_t *end, int escaped) {
    struct hash h = {0, 0, 0};
    uint8_t bytes[4];
    if (!escaped) {
        while (p < end)
            hash_byte(&h, *p++);
        return hash_end(&h);
    }
    while (p < end) {
        size_t n = mru_json_unit(&p, bytes);
        for (size_t i = 0; i < n; i++)
            hash_byte(&h, bytes[i]);
    }
    return hash_end(&h);
}

uint32_t mru_json_hash(const char *name) {
    return hash_name((const uint8_t *)name,
                     (const uint8_t *)name + strlen(name), 0);
}

/* A member's name, new in its object, and the colon. */
static int scan_name(struct scan *s) {
    const uint8_t *name = s->p + 1;
    const struct level *level = &s->levels[s->depth - 1];
    int escaped;
    if (peek(s) != '"')
        return malformed(s, "json.syntax", "a member's name");
    if (scan_string(s, &escaped) != 0)
        return -1;
    uint32_t hash = hash_name(name, s->p - 1, escaped);
    for (size_t i = level->names_at; i < s->n_names; i++)
        if (s->hashes[i] == hash && same_name(s->start + s->names[i], name))
            return malformed(s, "json.duplicate", "each member once");
    s->hashes[s->n_names] = hash;
    s->names[s->n_names] = (uint32_t)(name - s->start);
    s->n_names++;
    skip_space(s);
    if (peek(s) != ':')
        return malformed(s, "json.syntax", "a colon");
    s->p++;
    return 0;
}

/* --- values --- */

/* Returns -1 when there is no digit. */
static int scan_digits(struct scan *s) {
    const uint8_t *from = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > from ? 0 : malformed(s, "json.number", "a digit");
}

static int scan_number(struct scan *s) {
    if (peek(s) == '-')
        s->p++;
    if (peek(s) == '0')
        s->p++;
    else if (scan_digits(s) != 0)
        return -1;
    if (peek(s) == '.') {
        s->p++;
        if (scan_digits(s) != 0)
            return -1;
    }
    if ((peek(s) | 0x20) != 'e')
        return 0;
    s->p++;
    if (peek(s) == '+' || peek(s) == '-')
        s->p++;
    return scan_digits(s);
}

static int scan_word(struct scan *s, const char *word) {
    size_t len = strlen(word);
    if ((size_t)(s->end - s->p) < len || memcmp(s->p, word, len) != 0)
        return malformed(s, "json.syntax", "a value");
    s->p += len;
    return 0;
}

static int open_container(struct scan *s, uint8_t close) {
    if (s->depth == s->max_depth)
        return fail(s, MEREAU_E_TOO_LONG, "json.depth", "less nesting");
    s->levels[s->depth].close = close;
    s->levels[s->depth].items = 0;
    s->levels[s->depth].names_at = s->n_names;
    s->depth++;
    s->p++;
    return 1;
}

/* A scalar (0), the opening of a container (1), or a mistake (-1). */
static int scan_value(struct scan *s) {
    int escaped;
    switch (peek(s)) {
    case '"':
        return scan_string(s, &escaped);
    case '{':
        return open_container(s, '}');
    case '[':
        return open_container(s, ']');
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return scan_number(s);
    default:
        return malformed(s, "json.syntax", "a value");
    }
}

/* Where the member that is being read is written down; NULL when it is not one
 * of the top level, or not one of the first. */
static struct mru_jmember *indexed(const struct scan *s) {
    const struct level *top = &s->levels[0];
    if (s->index == NULL || s->depth != 1 || top->close != '}' ||
        top->items > MRU_JINDEX_MAX)
        return NULL;
    return &s->index->member[top->items - 1];
}

static void index_value(const struct scan *s, struct mru_jmember *member,
                        const uint8_t *from, int opened) {
    member->hash = s->hashes[s->levels[0].items - 1];
    member->name = s->names[s->levels[0].items - 1];
    member->value = (uint32_t)(from - s->start);
    member->len = opened ? 0 : (uint32_t)(s->p - from);
    member->kind = mru_json_kind(*from);
}

/* An element, or a member: up to its value, if that is a container only its
 * opening. As scan_value. */
static int scan_item(struct scan *s) {
    struct level *level = &s->levels[s->depth - 1];
    struct mru_jmember *member;
    const uint8_t *from;
    int opened;
    skip_space(s);
    /* The names of an object are kept while it is open; elements are not. */
    if (level->items == s->max_items ||
        (level->close == '}' && level->items == MEREAU_MAX_MEMBERS))
        return fail(s, MEREAU_E_TOO_LONG, "json.members", "fewer members");
    level->items++;
    if (level->close == '}') {
        if (scan_name(s) != 0)
            return -1;
        skip_space(s);
    }
    member = indexed(s);
    from = s->p;
    opened = scan_value(s);
    if (member != NULL && opened >= 0)
        index_value(s, member, from, opened);
    return opened;
}

static void close_container(struct scan *s) {
    struct mru_jmember *member;
    s->n_names = s->levels[s->depth - 1].names_at;
    s->depth--;
    s->p++;
    member = s->depth == 1 ? indexed(s) : NULL;
    if (member != NULL)
        member->len = (uint32_t)((size_t)(s->p - s->start) - member->value);
}

/* Goes on behind a value, or behind the opening of a container (opened): closes
 * what ends here. Returns 1 when an item follows, 0 at the end of the document,
 * -1 for a mistake. */
static int scan_between(struct scan *s, int opened) {
    while (s->depth > 0) {
        const struct level *level = &s->levels[s->depth - 1];
        skip_space(s);
        if (peek(s) == level->close) {
            close_container(s);
            opened = 0;
            continue;
        }
        if (opened)
            return 1;
        if (peek(s) != ',')
            return malformed(s, "json.syntax", "a comma or the end");
        s->p++;
        return 1;
    }
    return 0;
}

static int scan_document(struct scan *s, struct mru_jval *root) {
    skip_space(s);
    const uint8_t *from = s->p;
    int opened = scan_value(s);
    while (opened >= 0) {
        int more = scan_between(s, opened);
        if (more < 0)
            return -1;
        if (more == 0) {
            root->p = (const char *)from;
            root->len = (size_t)(s->p - from);
            root->kind = mru_json_kind(*from);
            skip_space(s);
            if (s->p < s->end)
                return malformed(s, "json.syntax", "nothing behind the value");
            return 0;
        }
        opened = scan_item(s);
    }
    return -1;
}

char mru_json_kind(uint8_t first) {
    switch (first) {
    case '{':
        return 'o';
    case '[':
        return 'a';
    case '"':
        return 's';
    case 't':
    case 'f':
        return (char)first;
    case 'n':
        return '0';
    default:
        return 'n';
    }
}

static mereau_status refuse(const struct scan *s, mereau_error *err) {
    char found[48];
    mru_say(found, sizeof found, "%s at byte %lu",
            s->status == MEREAU_E_TOO_LONG ? "more" : "something else",
            (unsigned long)(s->p - s->start));
    return mru_refuse(err, s->status, s->rule, "RFC 8259", s->wanted, found);
}

mereau_status mru_json_check(struct mru_jval *root, const void *text,
                             size_t len, const struct mru_json_limits *limits,
                             mereau_error *err) {
    return mru_json_index(root, NULL, NULL, text, len, limits, err);
}

mereau_status mru_json_index(struct mru_jval *root, struct mru_jindex *index,
                             uint8_t *texts, const void *text, size_t len,
                             const struct mru_json_limits *limits,
                             mereau_error *err) {
    struct scan s;
    struct mru_jval value = {NULL, 0, 0};
    *root = value;
    if (limits == NULL)
        limits = &mru_json_default_limits;
    if (len > limits->max_len || len > MEREAU_MAX_JSON) {
        char found[32];
        mru_say(found, sizeof found, "%lu bytes", (unsigned long)len);
        return mru_refuse(err, MEREAU_E_TOO_LONG, "json.length", NULL,
                          "a shorter document", found);
    }
    if (text == NULL || len == 0)
        return mru_refuse(err, MEREAU_E_MALFORMED, "json.syntax", "RFC 8259",
                          "a value", "nothing");
    s.start = s.p = text;
    s.end = s.start + len;
    s.max_depth = limits->max_depth < MEREAU_MAX_DEPTH ? limits->max_depth
                                                       : MEREAU_MAX_DEPTH;
    s.max_items = limits->max_members < MEREAU_MAX_JWKS ? limits->max_members
                                                        : MEREAU_MAX_JWKS;
    s.depth = 0;
    s.n_names = 0;
    s.index = index;
    s.texts = texts;
    if (index != NULL)
        index->n = 0;
    if (texts != NULL)
        memcpy(texts, text, len);
    if (scan_document(&s, &value) != 0)
        return refuse(&s, err);
    if (index != NULL && value.kind == 'o')
        index->n = s.levels[0].items;
    *root = value;
    return MEREAU_OK;
}
