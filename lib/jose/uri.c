/* lib/jose/uri.c - whether two URIs of requests are the same once they are
 * normalized (RFC 3986 sections 6.2.2, 6.2.3). What proxies and frameworks do to a
 * request's URI on its way must not matter; what names another thing must. */
#include "dpop.h"

/* A URI being read, and its normal form: never longer than the URI and a slash. */
struct uri {
    const char *p;
    char out[MRU_URI_MAX + 2];
    size_t len;
};

static void put(struct uri *u, char c) { u->out[u->len++] = c; }

static int is_alpha(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static int is_unreserved(char c) {
    return is_alpha(c) || is_digit(c) || (c != '\0' && strchr("-._~", c));
}

static int is_sub_delim(char c) {
    return c != '\0' && strchr("!$&'()*+,;=", c) != NULL;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static int hex(char c) {
    if (is_digit(c))
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX: decoded where it stands for an unreserved character, else in upper case.
 * Host names are in lower case besides. */
static int put_escape(struct uri *u, int in_host) {
    static const char digits[] = "0123456789ABCDEF";
    int high = hex(u->p[1]), low = high < 0 ? -1 : hex(u->p[2]);
    if (low < 0 || high + low == 0)
        return -1;
    char c = (char)(high * 16 + low);
    u->p += 3;
    if (is_unreserved(c)) {
        put(u, in_host ? lower(c) : c);
        return 0;
    }
    put(u, '%');
    put(u, digits[high]);
    put(u, digits[low]);
    return 0;
}

/* http or https, and "://". */
static int put_scheme(struct uri *u) {
    static const char http[] = "http";
    for (size_t i = 0; i < 4; i++, u->p++)
        if (lower(*u->p) != http[i])
            return -1;
        else
            put(u, http[i]);
    if (lower(*u->p) == 's') {
        put(u, 's');
        u->p++;
    }
    if (strncmp(u->p, "://", 3) != 0)
        return -1;
    u->p += 3;
    put(u, '|');
    return 0;
}

/* An address in brackets: digits, colons and dots are all that it may hold. */
static int put_address(struct uri *u) {
    for (put(u, *u->p++); *u->p != ']'; u->p++) {
        if (*u->p == '\0' || (hex(*u->p) < 0 && !strchr(":.", *u->p)))
            return -1;
        put(u, lower(*u->p));
    }
    put(u, *u->p++);
    return 0;
}

/* No user information: nobody's request has it. */
static int put_host(struct uri *u) {
    size_t start = u->len;
    if (*u->p == '[')
        return put_address(u);
    while (is_unreserved(*u->p) || is_sub_delim(*u->p) || *u->p == '%') {
        if (*u->p == '%') {
            if (put_escape(u, 1) != 0)
                return -1;
        } else {
            put(u, lower(*u->p++));
        }
    }
    return u->len > start ? 0 : -1;
}

/* None, an empty one and the scheme's own are the same. */
static int put_port(struct uri *u, int is_https) {
    uint32_t port = 0;
    size_t digits = 0;
    if (*u->p == ':') {
        for (u->p++; is_digit(*u->p); u->p++, digits++) {
            port = port * 10 + (uint32_t)(*u->p - '0');
            if (port > 65535)
                return -1;
        }
    }
    if (digits == 0)
        port = is_https ? 443 : 80;
    put(u, ':');
    for (uint32_t unit = 10000; unit > 0; unit /= 10)
        put(u, (char)('0' + port / unit % 10));
    return *u->p == '\0' || strchr("/?#", *u->p) ? 0 : -1;
}

/* A segment that ends here, behind a slash: "." is nothing, ".." takes away the
 * one before it. 1 when it was one of these. */
static int end_segment(struct uri *u, size_t root, size_t segment) {
    const char *text = u->out + segment;
    size_t len = u->len - segment;
    if (len == 0 || len > 2 || text[0] != '.' || text[len - 1] != '.')
        return 0;
    u->len = segment;
    if (len == 2 && segment > root + 1) {
        u->len--; /* the slash behind the one before */
        while (u->out[u->len - 1] != '/')
            u->len--;
    }
    return 1;
}

static int put_path(struct uri *u) {
    size_t root = u->len, segment = root + 1;
    put(u, '/');
    if (*u->p == '/')
        u->p++;
    while (*u->p != '\0' && *u->p != '?' && *u->p != '#') {
        if (*u->p == '%') {
            if (put_escape(u, 0) != 0)
                return -1;
        } else if (*u->p == '/') {
            if (!end_segment(u, root, segment))
                put(u, '/');
            u->p++;
            segment = u->len;
        } else if (is_unreserved(*u->p) || is_sub_delim(*u->p) ||
                   *u->p == ':' || *u->p == '@') {
            put(u, *u->p++);
        } else {
            return -1;
        }
    }
    end_segment(u, root, segment);
    return 0;
}

static int normalize(struct uri *u, const char *text) {
    size_t room = strlen(text);
    u->p = text;
    u->len = 0;
    /* The written port is up to 5 characters longer than none. */
    if (room > MRU_URI_MAX - 8 || put_scheme(u) != 0)
        return -1;
    if (put_host(u) != 0 || put_port(u, u->out[4] == 's') != 0)
        return -1;
    return put_path(u);
}

int mru_uri_same(const char *a, const char *b) {
    struct uri x, y;
    return normalize(&x, a) == 0 && normalize(&y, b) == 0 && x.len == y.len &&
           memcmp(x.out, y.out, x.len) == 0;
}
