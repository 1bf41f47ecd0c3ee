/* lib/model/redirect.c - redirect URIs at registration and at a request. */
#include "redirect.h"

struct text {
    const char *p;
    size_t len;
};

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static int is_lower(char c) { return c >= 'a' && c <= 'z'; }

static int is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

static int hex_value(char c) {
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int begins(struct text text, const char *with) {
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.p, with, len) == 0;
}

static struct text skip(struct text text, size_t n) {
    text.p += n;
    text.len -= n;
    return text;
}

/* --- characters --- */

/* RFC 3986 section 2 without '*' (never a wildcard) and '#' (no fragment); '['
 * and ']' are for hosts and looked at there. */
static const char *check_character(struct text uri, size_t i) {
    char c = uri.p[i];
    int high, low;
    if (is_letter(c) || is_digit(c))
        return NULL;
    if (c == '#')
        return "a fragment";
    if (c == '*')
        return "a wildcard";
    if (c != '%')
        return c != '\0' && strchr("-._~:/?[]@!$&'()+,;=", c) != NULL
                   ? NULL
                   : "a character that must not be in a URI";
    if (uri.len - i < 3)
        return "an incomplete escape";
    high = hex_value(uri.p[i + 1]);
    low = hex_value(uri.p[i + 2]);
    if (high < 0 || low < 0)
        return "an incomplete escape";
    if (high < 2 || (high == 7 && low == 15))
        return "an encoded control character";
    return NULL;
}

static const char *check_characters(struct text uri) {
    const char *problem = NULL;
    for (size_t i = 0; i < uri.len && problem == NULL; i++)
        problem = check_character(uri, i);
    return problem;
}

/* "." and "..", with dots encoded or not: browsers take them away, so the answer
 * would go elsewhere. */
static int is_dot_segment(struct text segment) {
    size_t dots = 0;
    while (segment.len > 0) {
        size_t n = segment.p[0] == '.' ? 1 : 0;
        if (n == 0 && segment.len >= 3 && segment.p[0] == '%' &&
            hex_value(segment.p[1]) == 2 && hex_value(segment.p[2]) == 14)
            n = 3;
        if (n == 0)
            return 0;
        dots++;
        segment = skip(segment, n);
    }
    return dots == 1 || dots == 2;
}

/* What follows the authority (or the scheme of a custom one). */
static const char *check_path(struct text rest) {
    struct text segment = {rest.p, 0};
    size_t i = 0;
    for (; i < rest.len && rest.p[i] != '?'; i++) {
        if (rest.p[i] == '[' || rest.p[i] == ']')
            return "a character that must not be in a URI";
        if (rest.p[i] != '/') {
            segment.len++;
            continue;
        }
        if (is_dot_segment(segment))
            return "a dot segment";
        segment.p = rest.p + i + 1;
        segment.len = 0;
    }
    if (is_dot_segment(segment))
        return "a dot segment";
    for (; i < rest.len; i++)
        if (rest.p[i] == '[' || rest.p[i] == ']')
            return "a character that must not be in a URI";
    return NULL;
}

/* --- hosts --- */

/* A decimal number of 1..max_digits without leading zeros; -1 if it is none. */
static long read_number(struct text text, size_t max_digits) {
    long value = 0;
    if (text.len == 0 || text.len > max_digits ||
        (text.len > 1 && text.p[0] == '0'))
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.p[i]))
            return -1;
        value = value * 10 + (text.p[i] - '0');
    }
    return value;
}

static int is_port(struct text text) {
    long port = read_number(text, 5);
    return port >= 1 && port <= 65535;
}

/* Takes the part before a character, or all of it. */
static struct text take(struct text *rest, char before) {
    struct text part = {rest->p, 0};
    while (part.len < rest->len && rest->p[part.len] != before)
        part.len++;
    *rest = skip(*rest, part.len < rest->len ? part.len + 1 : part.len);
    return part;
}

static int is_ipv4(struct text host) {
    int n = 0;
    for (; n < 4; n++) {
        int last = memchr(host.p, '.', host.len) == NULL;
        long value = read_number(take(&host, '.'), 3);
        if (value < 0 || value > 255 || last != (n == 3))
            return 0;
    }
    return host.len == 0;
}

/* RFC 4291 section 2.2: groups of hex digits, "::" once, an IPv4 tail. */
static int is_ipv6(struct text host) {
    int groups = 0, gap = 0;
    if (begins(host, "::")) {
        gap = 1;
        host = skip(host, 2);
    }
    while (host.len > 0) {
        size_t n = 0;
        while (n < host.len && hex_value(host.p[n]) >= 0)
            n++;
        if (n < host.len && host.p[n] == '.')
            return is_ipv4(host) && (gap ? groups + 2 < 8 : groups + 2 == 8);
        if (n < 1 || n > 4 || ++groups > 8)
            return 0;
        host = skip(host, n);
        if (host.len == 0)
            break;
        if (host.p[0] != ':' || host.len == 1)
            return 0;
        host = skip(host, 1);
        if (host.p[0] == ':') {
            if (gap)
                return 0;
            gap = 1;
            host = skip(host, 1);
        }
    }
    return gap ? groups < 8 : groups == 8;
}

/* A name whose last label is a number is read as an IPv4 address by browsers. */
static int ends_in_number(struct text label) {
    if (label.len == 0 || !is_digit(label.p[0]))
        return 0;
    if (label.len >= 2 && (label.p[1] == 'x' || label.p[1] == 'X'))
        return 1;
    for (size_t i = 0; i < label.len; i++)
        if (!is_digit(label.p[i]))
            return 0;
    return 1;
}

static int is_name(struct text host) {
    struct text label = {NULL, 0}, all = host;
    if (host.len == 0 || host.len > 253 || host.p[host.len - 1] == '.')
        return 0;
    while (host.len > 0) {
        label = take(&host, '.');
        if (label.len == 0 || label.len > 63)
            return 0;
        for (size_t i = 0; i < label.len; i++)
            if (!is_letter(label.p[i]) && !is_digit(label.p[i]) &&
                label.p[i] != '-' && label.p[i] != '_')
                return 0;
    }
    return !ends_in_number(label) || is_ipv4(all);
}

static const char *check_host(struct text host, struct text port,
                              int has_port) {
    if (has_port && !is_port(port))
        return "a port that is none";
    if (host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']') {
        host.p++;
        host.len -= 2;
        return is_ipv6(host) ? NULL : "an address that is none";
    }
    return is_name(host) ? NULL : "no host name";
}

/* Takes host and port behind "//"; rest: path and query. */
static const char *take_authority(struct text *rest, struct text *host) {
    struct text all = {rest->p, 0}, port = {NULL, 0};
    size_t colon, bracket = 0;
    while (all.len < rest->len && rest->p[all.len] != '/' &&
           rest->p[all.len] != '?')
        all.len++;
    *rest = skip(*rest, all.len);
    if (memchr(all.p, '@', all.len) != NULL)
        return "user information";
    while (bracket < all.len && all.p[0] == '[' && all.p[bracket] != ']')
        bracket++;
    colon = bracket;
    while (colon < all.len && all.p[colon] != ':')
        colon++;
    host->p = all.p;
    host->len = colon;
    if (colon < all.len)
        port = skip(all, colon + 1);
    return check_host(*host, port, colon < all.len);
}

/* --- registration --- */

/* Whether it is one of the two literals that mean this machine (RFC 8252 section
 * 8.3: not localhost, which a resolver may answer otherwise). */
static int is_loopback(struct text host) {
    return (host.len == 9 && memcmp(host.p, "127.0.0.1", 9) == 0) ||
           (host.len == 5 && memcmp(host.p, "[::1]", 5) == 0);
}

static const char *check_web(struct text rest, int loopback_only) {
    struct text host;
    const char *problem = take_authority(&rest, &host);
    if (problem != NULL)
        return problem;
    if (loopback_only && !is_loopback(host))
        return "http to another machine";
    return check_path(rest);
}

/* RFC 8252 section 7.1: a domain name in reverse order, "com.example.app:/cb". */
static const char *check_custom(struct text uri, size_t colon, int native) {
    struct text scheme = {uri.p, colon}, rest = skip(uri, colon + 1), host;
    const char *problem = NULL;
    if (memchr(scheme.p, '.', scheme.len) == NULL)
        return "a scheme that is not allowed";
    if (!native)
        return "a custom scheme of an app that is not native";
    while (scheme.len > 0) {
        int dot = memchr(scheme.p, '.', scheme.len) != NULL;
        if (take(&scheme, '.').len == 0 || (dot && scheme.len == 0))
            return "a scheme that is no domain name";
    }
    if (rest.len == 0)
        return "nothing behind the scheme";
    if (begins(rest, "//")) {
        rest = skip(rest, 2);
        problem = take_authority(&rest, &host);
    }
    return problem != NULL ? problem : check_path(rest);
}

const char *mru_redirect_problem(const char *uri, size_t len, int native) {
    struct text all = {uri, len};
    size_t colon = 0;
    const char *problem;
    if (len == 0)
        return "nothing";
    if (len > MRU_MAX_REDIRECT)
        return "more than 1024 bytes";
    problem = check_characters(all);
    if (problem != NULL)
        return problem;
    while (colon < len &&
           (is_lower(uri[colon]) ||
            (colon > 0 && (is_digit(uri[colon]) || uri[colon] == '+' ||
                           uri[colon] == '-' || uri[colon] == '.'))))
        colon++;
    if (colon == 0 || colon == len || uri[colon] != ':')
        return "no scheme in lower case";
    if (begins(all, "https://"))
        return check_web(skip(all, 8), 0);
    if (begins(all, "http://"))
        return check_web(skip(all, 7), 1);
    return check_custom(all, colon, native);
}

/* --- requests --- */

/* Splits http://<loopback>[:port]<rest>; 0 when it is something else. */
static int split_loopback(struct text uri, struct text *host,
                          struct text *rest) {
    struct text port = {NULL, 0};
    if (!begins(uri, "http://"))
        return 0;
    uri = skip(uri, 7);
    *host = uri;
    host->len = begins(uri, "[::1]") ? 5 : 9;
    if (uri.len < host->len || !is_loopback(*host))
        return 0;
    uri = skip(uri, host->len);
    if (uri.len > 0 && uri.p[0] == ':') {
        uri = skip(uri, 1);
        port.p = uri.p;
        while (port.len < uri.len && is_digit(uri.p[port.len]))
            port.len++;
        if (!is_port(port))
            return 0;
        uri = skip(uri, port.len);
    }
    *rest = uri;
    return uri.len == 0 || uri.p[0] == '/' || uri.p[0] == '?';
}

static int same(struct text a, struct text b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

int mru_redirect_match(const char *registered, size_t registered_len,
                       const char *requested, size_t requested_len) {
    struct text ours = {registered, registered_len};
    struct text theirs = {requested, requested_len};
    struct text our_host, our_rest, their_host, their_rest;
    if (ours.len == 0)
        return 0;
    if (same(ours, theirs))
        return 1;
    return split_loopback(ours, &our_host, &our_rest) &&
           split_loopback(theirs, &their_host, &their_rest) &&
           same(our_host, their_host) && same(our_rest, their_rest);
}
