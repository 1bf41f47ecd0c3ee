/* lib/base/error.c - the error struct: why something was refused, in printable
 * ASCII that is safe in any log. */
#include "base.h"

#include <stdarg.h>
#include <stdio.h>

/* A text that grows inside an array and is cut when it is full. */
struct sentence {
    char *out;
    size_t cap;
    size_t len;
};

/* Adds one unit (a character, or an escape) whole or, when it does not fit, not
 * at all, and then nothing after it. */
static void add_unit(struct sentence *to, const char *unit, size_t len) {
    if (to->cap - to->len <= len) {
        to->cap = to->len + 1;
        return;
    }
    memcpy(to->out + to->len, unit, len);
    to->len += len;
    to->out[to->len] = '\0';
}

/* Adds text with everything but printable ASCII as \xNN, the backslash too, so
 * that what stands in a log has one reading. */
static void add_escaped(struct sentence *to, const char *text) {
    static const char hex[] = "0123456789abcdef";
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        char unit[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
        if (c >= 0x20 && c < 0x7F && c != '\\')
            add_unit(to, text, 1);
        else
            add_unit(to, unit, sizeof unit);
    }
}

static void set_text(char *out, size_t cap, const char *text) {
    struct sentence to = {out, cap, 0};
    out[0] = '\0';
    if (text != NULL)
        add_escaped(&to, text);
}

/* Adds lead and part, already escaped, unless part is empty. Returns 1 when it
 * did. */
static int add_part(struct sentence *to, const char *lead, const char *part) {
    if (part[0] == '\0')
        return 0;
    for (; *lead != '\0'; lead++)
        add_unit(to, lead, 1);
    for (; *part != '\0'; part++)
        add_unit(to, part, 1);
    return 1;
}

static void compose(mereau_error *err) {
    struct sentence to = {err->text, sizeof err->text, 0};
    char code[16] = "";
    if (err->host_code != 0)
        mru_say(code, sizeof code, "%d", (int)err->host_code);
    add_part(&to, "", mereau_status_text(err->status));
    int said = add_part(&to, ": wanted ", err->wanted);
    said |= add_part(&to, said ? ", found " : ": found ", err->found);
    add_part(&to, said ? ", host code " : ": host code ", code);
    said = add_part(&to, " (", err->rule);
    said |= add_part(&to, said ? ", " : " (", err->source);
    if (said)
        add_unit(&to, ")", 1);
}

void mereau_error_init(mereau_error *err, size_t size) {
    if (err == NULL || size < sizeof err->size || size > UINT32_MAX)
        return;
    memset(err, 0, size);
    err->size = (uint32_t)size;
}

mereau_status mru_error_reset(mereau_error *err) {
    if (err == NULL)
        return MEREAU_OK;
    if (err->size != sizeof *err)
        return MEREAU_E_SIZE;
    mereau_error_init(err, sizeof *err);
    return MEREAU_OK;
}

mereau_status mru_refuse_host(mereau_error *err, mereau_status status,
                              int32_t host_code, const char *rule,
                              const char *wanted, const char *found) {
    (void)mru_refuse(err, status, rule, NULL, wanted, found);
    if (err != NULL && err->size == sizeof *err) {
        err->host_code = host_code;
        compose(err);
    }
    return status;
}

mereau_status mru_refuse(mereau_error *err, mereau_status status,
                         const char *rule, const char *source,
                         const char *wanted, const char *found) {
    mereau_error made = MEREAU_ERROR_INIT;
    if (err == NULL || err->size != sizeof *err)
        return status;
    /* The texts given may be those of *err itself. */
    made.status = status;
    set_text(made.rule, sizeof made.rule, rule);
    set_text(made.source, sizeof made.source, source);
    set_text(made.wanted, sizeof made.wanted, wanted);
    set_text(made.found, sizeof made.found, found);
    compose(&made);
    *err = made;
    return status;
}

void mru_say(char *out, size_t cap, const char *format, ...) {
    va_list args;
    if (cap == 0)
        return;
    va_start(args, format);
    if (vsnprintf(out, cap, format, args) < 0)
        out[0] = '\0';
    va_end(args);
}
