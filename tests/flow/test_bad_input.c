/* tests/flow/test_bad_input.c - what comes from outside and is not as it should be:
 * every field of every operation, every credential altered, NULL for every
 * pointer. Each case is told by name, from the class that the headers say, and
 * changes nothing. The operations and their fields are the library's own table,
 * so that none is forgotten. */
#include "flow.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include <mereau/sqlite.h>
#include <mereau/system.h>
#include <mereau/testing.h>

#include "key_texts.h"

#include "engine/engine.h"

#define JKT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct world {
    struct flow f, other; /* the other tenant, on the same records */
    struct flow_records start;
    const char *reg, *reg_id, *auth, *auth_id;
    struct flow_pair jwt, opaque; /* of d1; of d2 */
    const char *secret, *secret_id, *app_kid, *standby;
    const char *their_reg, *their_auth, *their_secret;
    struct flow_pair theirs, their_opaque;
    int bad; /* found wrong, and printed */
} world;

static void make_other(struct world *w) {
    struct flow *f = &w->other;
    const struct flow_setup setup = {
        .seed = 2, .tenant = "other", .share = &w->f.real};
    struct flow_token t;
    mereau_op *op;
    flow_open(f, &setup);
    flow_app(f, NULL);
    flow_app_named(f, "opq", "{\"token_format\":\"opaque\"}");
    t = flow_mint(f, 9, DAY);
    w->their_reg = t.text;
    w->theirs = flow_enrol(f, t.text, "d1");
    w->their_auth = mereau_op_text(DONE(f, flow_redeem(f, t.text, "fresh", 9)),
                                   MEREAU_AUTH_TOKEN);
    op = DONE(f, mereau_registration_token_mint(f->tenant, "opq", 9, DAY));
    w->their_opaque =
        flow_enrol(f, mereau_op_text(op, MEREAU_REGISTRATION_TOKEN), "d2");
    op = DONE(f, mereau_app_secret_add(f->tenant, "app"));
    w->their_secret = mereau_op_text(op, MEREAU_CLIENT_SECRET);
}

static int open_world(void **state) {
    struct world *w = &world;
    struct flow *f = &w->f;
    const struct flow_setup setup = {.seed = 1, .keep_events = 1};
    struct flow_token t;
    mereau_op *op;
    memset(w, 0, sizeof *w);
    flow_open(f, &setup);
    flow_app(f, "{\"redirect_uri\":[\"https://a.example/cb\"]}");
    flow_app_named(f, "opq", "{\"token_format\":\"opaque\"}");
    t = flow_mint(f, 9, DAY);
    w->reg = t.text;
    w->reg_id = t.id;
    w->jwt = flow_enrol(f, t.text, "d1");
    op = DONE(f, flow_redeem(f, t.text, "fresh", 9));
    w->auth = mereau_op_text(op, MEREAU_AUTH_TOKEN);
    w->auth_id = mereau_op_text(op, MEREAU_AUTH_TOKEN_ID);
    op = DONE(f, mereau_registration_token_mint(f->tenant, "opq", 9, DAY));
    w->opaque =
        flow_enrol(f, mereau_op_text(op, MEREAU_REGISTRATION_TOKEN), "d2");
    op = DONE(f, mereau_app_secret_add(f->tenant, "app"));
    w->secret = mereau_op_text(op, MEREAU_CLIENT_SECRET);
    w->secret_id = mereau_op_text(op, MEREAU_SECRET_ID);
    op = mereau_app_key_add(f->tenant, "app");
    mereau_op_set_text(op, MEREAU_PEM, ec_spki);
    w->app_kid = mereau_op_text(DONE(f, op), MEREAU_KID);
    op = DONE(f, mereau_key_generate(f->tenant, MEREAU_ALG_ES256));
    w->standby = mereau_op_text(op, MEREAU_KID);
    DONE(f, mereau_device_block(f->tenant, "bad"));
    make_other(w);
    flow_records_take(f, &w->start);
    *state = w;
    return 0;
}

static int close_world(void **state) {
    struct world *w = *state;
    flow_records_free(&w->start);
    flow_close(&w->other);
    flow_close(&w->f);
    return 0;
}

#define BAD(...)                                                               \
    do {                                                                       \
        print_error(__VA_ARGS__);                                              \
        print_error("\n");                                                     \
        world.bad++;                                                           \
    } while (0)

static void nothing_bad(void) {
    int bad = world.bad;
    world.bad = 0;
    assert_int_equal(bad, 0);
}

/* --- an operation that would succeed --- */

static int listed(const int32_t *fields, int32_t field) {
    for (; fields != NULL && *fields != 0; fields++)
        if (*fields == field)
            return 1;
    return 0;
}

static int is_op(const struct mru_op_class *class, const char *name) {
    return strcmp(class->name, name) == 0;
}

/* A value with which the operation works. */
static const char *good_text(const struct world *w,
                             const struct mru_op_class *class, int32_t field) {
    switch (field) {
    case MEREAU_CLIENT_ID:
        return is_op(class, "app_create") ? "new" : "app";
    case MEREAU_SECRET_ID:
        return w->secret_id;
    case MEREAU_REGISTRATION_TOKEN_ID:
        return w->reg_id;
    case MEREAU_AUTH_TOKEN_ID:
        return w->auth_id;
    case MEREAU_FAMILY_ID:
        return w->jwt.family;
    case MEREAU_KID:
        return is_op(class, "app_key_remove") ? w->app_kid : w->standby;
    case MEREAU_DEVICE_ID:
        return is_op(class, "device_unblock") ? "bad" : "d1";
    case MEREAU_DEVICE_JKT:
    case MEREAU_ALLOWED_DEVICE_JKT:
        return JKT;
    case MEREAU_CLIENT_SECRET:
        return w->secret;
    case MEREAU_REGISTRATION_TOKEN:
        return w->reg;
    case MEREAU_AUTH_TOKEN:
        return w->auth;
    case MEREAU_REFRESH_TOKEN:
        return w->jwt.refresh;
    case MEREAU_TOKEN:
        return w->jwt.access;
    case MEREAU_SCOPE:
        return "read";
    case MEREAU_AUDIENCE:
        return API;
    case MEREAU_REDIRECT_URI:
        return "https://a.example/cb";
    case MEREAU_ISSUER:
        return ISSUER;
    case MEREAU_ALG:
        return "ES256";
    case MEREAU_PEM:
        return is_op(class, "key_import") ? ec_pkcs8 : rsa_spki;
    case MEREAU_JWK:
        return "{}";
    default:
        return "word";
    }
}

static int64_t good_int(int32_t field) {
    switch (field) {
    case MEREAU_COUNT:
        return 12;
    case MEREAU_NOT_BEFORE_AT:
        return T0 - 5;
    case MEREAU_EXPIRES_AT:
        return T0 + DAY;
    default:
        return 1;
    }
}

static void set_good(const struct world *w, mereau_op *op, int32_t field) {
    const struct mru_op_class *class = op->class;
    switch (mereau_field_type(field)) {
    case 'I':
    case 'B':
        mereau_op_set_int(op, field, good_int(field));
        break;
    case 'D':
        flow_nonce(op, 9);
        break;
    case 'J':
        mereau_op_set_text(op, field, "{}");
        break;
    default:
        mereau_op_set_text(op, field, good_text(w, class, field));
    }
}

/* What it must have, except one field (0: all of it). */
static mereau_op *good_op(const struct world *w, const mereau_tenant *tenant,
                          const struct mru_op_class *class, int32_t without) {
    mereau_op *op = mereau_op_new(tenant, class->name);
    assert_non_null(op);
    for (const int32_t *f = class->must; f != NULL && *f != 0; f++)
        if (*f != without)
            set_good(w, op, *f);
    if (is_op(class, "registration_token_redeem")) {
        mereau_op_set_text(op, MEREAU_DEVICE_ID,
                           without == MEREAU_DEVICE_ID ? NULL : "new");
        flow_nonce(op, 9);
    }
    if (is_op(class, "registration_token_get") &&
        without != MEREAU_REGISTRATION_TOKEN)
        set_good(w, op, MEREAU_REGISTRATION_TOKEN_ID);
    if (is_op(class, "app_authenticate"))
        set_good(w, op, MEREAU_CLIENT_SECRET);
    if ((is_op(class, "key_import") || is_op(class, "app_key_add")) &&
        without != MEREAU_JWK)
        set_good(w, op, MEREAU_PEM);
    if (is_op(class, "app_key_add"))
        mereau_op_set_text(op, MEREAU_ALG, "RS256");
    if (is_op(class, "not_before_raise") && without != MEREAU_TENANT_ID &&
        without != MEREAU_CLIENT_ID && without != MEREAU_DEVICE_ID)
        mereau_op_set_text(op, MEREAU_SUBJECT, "d1");
    return op;
}

/* --- judging --- */

static int unchanged(struct world *w) {
    struct flow_records now;
    int same;
    flow_records_take(&w->f, &now);
    same = flow_records_equal(&w->start, &now);
    flow_records_free(&now);
    return same;
}

static void restore(struct world *w) {
    if (!unchanged(w))
        flow_records_put(&w->f, &w->start);
}

/* Runs and frees it. A refusal is one of program, input or rule, in words,
 * without a result, and has changed nothing. */
static mereau_status judge(struct world *w, mereau_op *op, const char *what) {
    const char *name = op->class->name;
    mereau_status status;
    mereau_error_init(&flow_error, sizeof flow_error);
    flow_count_from_here(&w->f);
    status = mereau_op_run(op, &flow_error);
    if (status == MEREAU_OK) {
        mereau_op_free(op);
        restore(w);
        return status;
    }
    if (status > -101 || status < -320 ||
        strcmp(mereau_status_name(status), "MEREAU_E_") == 0)
        BAD("%s, %s: %s", name, what, mereau_status_name(status));
    if (flow_error.status != status || flow_error.text[0] == '\0' ||
        flow_error.rule[0] == '\0')
        BAD("%s, %s: %s without words", name, what, mereau_status_name(status));
    if (mereau_op_json(op) != NULL)
        BAD("%s, %s: a result", name, what);
    /* a mistake of the program is found before the store is asked */
    if (status > -200 && w->f.commits != 0)
        BAD("%s, %s: a commit", name, what);
    if (!unchanged(w)) {
        BAD("%s, %s: %s has changed the store", name, what,
            mereau_status_name(status));
        restore(w);
    }
    mereau_op_free(op);
    return status;
}

static void want(struct world *w, mereau_op *op, int32_t field,
                 const char *what, mereau_status wanted, const char *rule) {
    const char *name = mereau_field_name(field);
    char all[160];
    mereau_status status;
    const struct mru_op_class *class = op->class;
    snprintf(all, sizeof all, "%s: %s", name == NULL ? "?" : name, what);
    status = judge(w, op, all);
    if (status != wanted ||
        (rule != NULL && strcmp(flow_error.rule, rule) != 0))
        BAD("%s, %s: %s (%s)", class->name, all, mereau_status_name(status),
            flow_error.rule);
    else if (name != NULL && strstr(flow_error.text, name) == NULL)
        BAD("%s, %s: not said which: %s", class->name, all, flow_error.text);
    else if (wanted != MEREAU_OK && (w->f.gets != 0 || w->f.scans != 0))
        BAD("%s, %s: the store was read", class->name, all);
}

#define EACH_CLASS(class)                                                      \
    for (const struct mru_op_class *const *p_ = mru_op_classes, *class;        \
         (class = *p_) != NULL; p_++)

/* Fields that an operation takes, one after the other. */
static int32_t taken(const struct mru_op_class *class, size_t i) {
    static const int32_t always[] = {MEREAU_ACTOR, MEREAU_CORRELATION_ID,
                                     MEREAU_REASON, 0};
    const int32_t *lists[] = {class->must, class->takes, always};
    for (size_t l = 0; l < 3; l++)
        for (const int32_t *f = lists[l]; f != NULL && *f != 0; f++)
            if (i-- == 0)
                return *f;
    return 0;
}

static void every_operation_works_when_nothing_is_wrong(void **state) {
    struct world *w = *state;
    size_t n = 0;
    EACH_CLASS(class) {
        mereau_status status = judge(w, good_op(w, w->f.tenant, class, 0), "");
        if (status != MEREAU_OK)
            BAD("%s: %s", class->name, flow_error.text);
        n++;
    }
    assert_true(n >= 44);
    nothing_bad();
}

static void what_is_missing_is_named(void **state) {
    struct world *w = *state;
    EACH_CLASS(class)
    for (const int32_t *f = class->must; f != NULL && *f != 0; f++) {
        mereau_op *op = good_op(w, w->f.tenant, class, *f);
        mereau_op_set_text(op, MEREAU_ACTOR, "me");
        want(w, op, *f, "missing", MEREAU_E_FIELD, "op.field");
        op = good_op(w, w->f.tenant, class, 0);
        if (strchr("TJLD", (char)mereau_field_type(*f)) != NULL)
            mereau_op_set_bytes(op, *f, NULL, 7);
        else
            mereau_op_set_int(op, *f, MEREAU_UNSET);
        want(w, op, *f, "NULL", MEREAU_E_FIELD, "op.field");
    }
    nothing_bad();
}

static const struct {
    const char *bytes;
    size_t len;
} bad_texts[] = {
    {"\x80", 1},         {"a\xc3", 2},    {"\xc0\xaf", 2},
    {"\xed\xa0\x80", 3}, {"\xff", 1},     {"\xf4\x90\x80\x80", 4},
    {"\xe2\x82", 2},     {"a\0b", 3},     {"\0", 1},
    {"a\x01", 2},        {"\x1b[31m", 5}, {"a\x7f", 2},
    {"\xc2\x85", 2},
};

static size_t limit_of(int32_t field, int32_t type) {
    if (field >= MEREAU_CLIENT_SECRET && field <= MEREAU_TOKEN)
        return MEREAU_MAX_TOKEN;
    if (type == 'J' || field == MEREAU_PEM)
        return 32768;
    return field == MEREAU_SCOPE ? 4096 : MEREAU_MAX_TEXT;
}

static void try_texts(struct world *w, const struct mru_op_class *class,
                      int32_t field, int32_t type) {
    const size_t limit = limit_of(field, type);
    char *much = malloc(limit + 2);
    mereau_op *op;
    assert_non_null(much);
    memset(much, 'a', limit + 1);
    much[limit + 1] = '\0';
    op = good_op(w, w->f.tenant, class, field);
    mereau_op_set_text(op, field, much);
    want(w, op, field, "over-long", MEREAU_E_TOO_LONG, "op.length");
    free(much);
    if (type == 'D')
        return;
    for (size_t i = 0; i < sizeof bad_texts / sizeof bad_texts[0]; i++) {
        char what[32];
        snprintf(what, sizeof what, "bad text %d", (int)i);
        op = good_op(w, w->f.tenant, class, field);
        mereau_op_set_bytes(op, field, bad_texts[i].bytes, bad_texts[i].len);
        want(w, op, field, what, MEREAU_E_MALFORMED, "op.text");
    }
    if (type != 'J')
        return;
    op = good_op(w, w->f.tenant, class, field);
    mereau_op_set_text(op, field, "{\"a\":");
    want(w, op, field, "no JSON", MEREAU_E_MALFORMED, "op.json");
}

static void texts_are_utf8_without_control_characters(void **state) {
    struct world *w = *state;
    EACH_CLASS(class)
    for (size_t i = 0; taken(class, i) != 0; i++) {
        int32_t field = taken(class, i), type = mereau_field_type(field);
        if (type == 'T' || type == 'L' || type == 'J')
            try_texts(w, class, field, type);
    }
    nothing_bad();
}

static void set_json(mereau_op *op, int32_t field, const char *value) {
    char json[160];
    int n = snprintf(json, sizeof json, "{\"%s\":%s}", mereau_field_name(field),
                     value);
    assert_in_range(n, 1, sizeof json - 1);
    mereau_op_set_json(op, json, (size_t)n);
}

static void try_json(struct world *w, const struct mru_op_class *class,
                     int32_t field, const char *value) {
    mereau_op *op = good_op(w, w->f.tenant, class, field);
    set_json(op, field, value);
    want(w, op, field, value, MEREAU_E_FIELD, "op.json");
}

static void try_types(struct world *w, const struct mru_op_class *class,
                      int32_t field) {
    int32_t type = mereau_field_type(field);
    mereau_op *op = good_op(w, w->f.tenant, class, field);
    if (type == 'I' || type == 'B')
        mereau_op_set_text(op, field, "1");
    else
        mereau_op_set_int(op, field, 1);
    want(w, op, field, "another type", MEREAU_E_FIELD, "op.field");
    op = good_op(w, w->f.tenant, class, field);
    if (type != 'L') {
        mereau_op_add_text(op, field, "one of a list");
        want(w, op, field, "a list", MEREAU_E_FIELD, "op.field");
    } else {
        for (int i = 0; i <= MEREAU_MAX_LIST; i++)
            mereau_op_add_text(op, field, "one");
        want(w, op, field, "a long list", MEREAU_E_TOO_LONG, "op.list");
        try_json(w, class, field, "[\"a\",1]");
    }
    if (type == 'D') {
        op = good_op(w, w->f.tenant, class, field);
        mereau_op_set_text(op, field, "0123456789abcdef");
        want(w, op, field, "a text", MEREAU_E_FIELD, "op.field");
        try_json(w, class, field, "\"0123456789abcdef\"");
    } else if (type != 'J') {
        try_json(w, class, field, "{\"a\":1}");
        try_json(w, class, field, type == 'I' ? "\"1\"" : "1");
        try_json(w, class, field, "1.5");
        if (type == 'I')
            try_json(w, class, field, "9223372036854775808");
    }
    if (type == 'B')
        for (int64_t value = -1; value <= 2; value += 3) {
            op = good_op(w, w->f.tenant, class, field);
            mereau_op_set_int(op, field, value);
            want(w, op, field, "neither 0 nor 1", MEREAU_E_ARG, "op.bool");
        }
}

static void values_have_the_types_of_their_fields(void **state) {
    struct world *w = *state;
    EACH_CLASS(class)
    for (size_t i = 0; taken(class, i) != 0; i++)
        try_types(w, class, taken(class, i));
    nothing_bad();
}

static void fields_that_are_not_taken_are_refused(void **state) {
    static const int32_t numbers[] = {0,    -1,   1,         99,        115,
                                      1000, 9999, INT32_MAX, INT32_MIN, 0};
    struct world *w = *state;
    EACH_CLASS(class) {
        mereau_op *op;
        for (int32_t field = 100; field < 1000; field++) {
            size_t i = 0;
            while (taken(class, i) != 0 && taken(class, i) != field)
                i++;
            if (mereau_field_name(field) == NULL || taken(class, i) != 0)
                continue;
            op = good_op(w, w->f.tenant, class, 0);
            set_good(w, op, field);
            want(w, op, field, "not taken", MEREAU_E_FIELD, "op.field");
        }
        for (size_t i = 0; i == 0 || numbers[i] != 0; i++) {
            op = good_op(w, w->f.tenant, class, 0);
            mereau_op_set_text(op, numbers[i], "x");
            want(w, op, numbers[i], "no field", MEREAU_E_FIELD, "op.field");
            op = good_op(w, w->f.tenant, class, 0);
            mereau_op_set_int(op, numbers[i], 1);
            want(w, op, numbers[i], "no field", MEREAU_E_FIELD, "op.field");
        }
    }
    nothing_bad();
}

static void json_that_is_no_object_of_fields_is_refused(void **state) {
    static const struct {
        const char *json;
        mereau_status status;
    } cases[] = {
        {"", MEREAU_E_MALFORMED},
        {"[]", MEREAU_E_MALFORMED},
        {"\"actor\"", MEREAU_E_MALFORMED},
        {"{", MEREAU_E_MALFORMED},
        {"{\"actor\":\"a\"} x", MEREAU_E_MALFORMED},
        {"{\"actor\":\"a\",\"actor\":\"b\"}", MEREAU_E_MALFORMED},
        {"{\"actor\":\"\xff\"}", MEREAU_E_MALFORMED},
        {"{\"actor\":\"a\\u0000b\"}", MEREAU_E_MALFORMED},
        {"{\"nobody\":\"a\"}", MEREAU_E_FIELD},
        {"{\"Actor\":\"a\"}", MEREAU_E_FIELD},
        {"{\"\":1}", MEREAU_E_FIELD},
        {"{\"actor\\u0000\":\"a\"}", MEREAU_E_MALFORMED},
    };
    struct world *w = *state;
    EACH_CLASS(class) {
        mereau_op *op = good_op(w, w->f.tenant, class, 0);
        mereau_op_set_json(op, NULL, 3);
        want(w, op, 0, "NULL", MEREAU_E_MALFORMED, "op.json");
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            op = good_op(w, w->f.tenant, class, 0);
            mereau_op_set_json(op, cases[i].json, strlen(cases[i].json));
            want(w, op, 0, cases[i].json, cases[i].status, NULL);
        }
    }
    nothing_bad();
}

/* --- values of the right type that make no sense --- */

/* Operations that answer instead of refusing. */
static int only_answers(const struct mru_op_class *class, int32_t field) {
    return (is_op(class, "token_introspect") || is_op(class, "token_revoke")) &&
           field == MEREAU_TOKEN;
}

static void empty_and_senseless_texts_are_no_names(void **state) {
    static const char *const senseless[] = {"",
                                            " ",
                                            "~~~ nothing of ours ~~~",
                                            "\xf0\x9f\x98\x80",
                                            "../../etc",
                                            "' OR 1=1 --",
                                            "%s%s%n"};
    struct world *w = *state;
    EACH_CLASS(class)
    for (const int32_t *f = class->must; f != NULL && *f != 0; f++)
        for (size_t i = 0; i < sizeof senseless / sizeof senseless[0]; i++) {
            mereau_op *op;
            mereau_status status;
            int free_text = *f == MEREAU_NAME || *f == MEREAU_DEVICE_ID ||
                            only_answers(class, *f);
            if (strchr("TL", (char)mereau_field_type(*f)) == NULL)
                continue;
            op = good_op(w, w->f.tenant, class, *f);
            mereau_op_set_text(op, *f, senseless[i]);
            status = judge(w, op, mereau_field_name(*f));
            if (status == MEREAU_OK &&
                (!free_text || (i == 0 && !only_answers(class, *f))))
                BAD("%s, %s: \"%s\" is taken", class->name,
                    mereau_field_name(*f), senseless[i]);
        }
    nothing_bad();
}

static void optional_texts_of_no_sense_do_no_harm(void **state) {
    static const char *const senseless[] = {"",   " ",      "\xf0\x9f\x98\x80",
                                            "{}", "[\"\"]", "a b  c"};
    struct world *w = *state;
    EACH_CLASS(class)
    for (size_t i = 0; taken(class, i) != 0; i++) {
        int32_t field = taken(class, i);
        if (strchr("TLJ", (char)mereau_field_type(field)) == NULL)
            continue;
        for (size_t k = 0; k < sizeof senseless / sizeof senseless[0]; k++) {
            mereau_op *op = good_op(w, w->f.tenant, class, field);
            mereau_op_set_text(op, field, senseless[k]);
            (void)judge(w, op, mereau_field_name(field));
        }
    }
    nothing_bad();
}

/* Where a number of any size makes sense. */
static int takes_number(const struct mru_op_class *class, int32_t field,
                        int64_t value) {
    switch (field) {
    case MEREAU_SINCE_AT:
    case MEREAU_UNTIL_AT:
        return 1; /* filters */
    case MEREAU_NOT_BEFORE_AT:
        return value <= T0; /* all was issued later */
    case MEREAU_STARTS_AT: /* of a credential: never; since ever */
        return value <= T0 || is_op(class, "app_secret_add") ||
               is_op(class, "app_key_add");
    case MEREAU_EXPIRES_AT:
        return value > T0 && !is_op(class, "registration_token_update");
    case MEREAU_SIGNS_AT:
        return value > T0;
    default:
        return 0;
    }
}

static void numbers_out_of_their_range_are_refused(void **state) {
    static const int64_t numbers[] = {-1,
                                      INT64_MIN + 2,
                                      -INT64_MAX / 2,
                                      INT64_MAX,
                                      INT64_MAX - 1,
                                      INT64_MAX / 4 + 1,
                                      INT64_C(1) << 40};
    struct world *w = *state;
    EACH_CLASS(class)
    for (size_t i = 0; taken(class, i) != 0; i++) {
        int32_t field = taken(class, i);
        if (mereau_field_type(field) != 'I')
            continue;
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
            mereau_op *op = good_op(w, w->f.tenant, class, field);
            char what[80];
            mereau_status status;
            snprintf(what, sizeof what, "%s = %lld", mereau_field_name(field),
                     (long long)numbers[k]);
            mereau_op_set_int(op, field, numbers[k]);
            status = judge(w, op, what);
            if (status == MEREAU_OK && !takes_number(class, field, numbers[k]))
                BAD("%s, %s: is taken", class->name, what);
        }
    }
    nothing_bad();
}

static void nonces_have_16_to_64_bytes(void **state) {
    static const size_t lengths[] = {0, 1, 15, 65, 1024};
    uint8_t bytes[1025] = {1};
    struct world *w = *state;
    EACH_CLASS(class) {
        if (!listed(class->takes, MEREAU_RETRY_NONCE) &&
            !listed(class->must, MEREAU_RETRY_NONCE))
            continue;
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            mereau_op *op = good_op(w, w->f.tenant, class, MEREAU_RETRY_NONCE);
            mereau_op_set_bytes(op, MEREAU_RETRY_NONCE, bytes, lengths[i]);
            mereau_status status = judge(w, op, "retry_nonce");
            if (status != MEREAU_E_ARG && status != MEREAU_E_TOO_LONG)
                BAD("%s: %d bytes: %s", class->name, (int)lengths[i],
                    mereau_status_name(status));
        }
        mereau_op *op = good_op(w, w->f.tenant, class, MEREAU_RETRY_NONCE);
        mereau_op_set_bytes(op, MEREAU_RETRY_NONCE, bytes, sizeof bytes);
        want(w, op, MEREAU_RETRY_NONCE, "over-long", MEREAU_E_TOO_LONG,
             "op.length");
    }
    nothing_bad();
}

/* --- credentials --- */

/* All of what there is, ours and the other tenant's. */
struct credential {
    int32_t kind; /* MRU_CRED_*; 0: a JWT */
    const char *text;
};
#define N_CREDENTIALS 6

static void credentials_of(const struct world *w, int theirs,
                           struct credential out[N_CREDENTIALS]) {
    const struct credential all[N_CREDENTIALS] = {
        {MRU_CRED_REGISTRATION, theirs ? w->their_reg : w->reg},
        {MRU_CRED_AUTH, theirs ? w->their_auth : w->auth},
        {MRU_CRED_REFRESH, theirs ? w->theirs.refresh : w->jwt.refresh},
        {MRU_CRED_ACCESS, theirs ? w->their_opaque.access : w->opaque.access},
        {MRU_CRED_CLIENT, theirs ? w->their_secret : w->secret},
        {0, theirs ? w->theirs.access : w->jwt.access}};
    memcpy(out, all, sizeof all);
}

static int fits(int32_t field, int32_t kind) {
    switch (field) {
    case MEREAU_CLIENT_SECRET:
        return kind == MRU_CRED_CLIENT;
    case MEREAU_REGISTRATION_TOKEN:
        return kind == MRU_CRED_REGISTRATION;
    case MEREAU_AUTH_TOKEN:
        return kind == MRU_CRED_AUTH;
    case MEREAU_REFRESH_TOKEN:
        return kind == MRU_CRED_REFRESH;
    default:
        return kind == 0 || kind == MRU_CRED_ACCESS || kind == MRU_CRED_REFRESH;
    }
}

static int one_of(mereau_status status, const mereau_status *wanted) {
    for (; *wanted != 0; wanted++)
        if (*wanted == status)
            return 1;
    return 0;
}

/* Every class and credential that it takes. */
#define EACH_CREDENTIAL(class, field)                                          \
    EACH_CLASS(class)                                                          \
    for (int32_t field = MEREAU_CLIENT_SECRET; field <= MEREAU_TOKEN; field++) \
        if (listed(class->must, field) || listed(class->takes, field))

/* A bad credential in a good operation: one of these statuses. Those that answer
 * say inactive, or have nothing to revoke. */
static void try_credential(struct world *w, const struct mru_op_class *class,
                           int32_t field, const char *text, size_t len,
                           const char *what, const mereau_status *wanted) {
    static const mereau_status client[] = {MEREAU_E_CLIENT, 0};
    int answers = only_answers(class, field) && len <= MEREAU_MAX_TOKEN;
    mereau_op *op = good_op(w, w->f.tenant, class, field);
    mereau_status status;
    if (field == MEREAU_CLIENT_SECRET && len <= MEREAU_MAX_TOKEN)
        wanted = client;
    mereau_op_set_bytes(op, field, text, len);
    if (!answers) {
        status = judge(w, op, what);
        if (!one_of(status, wanted))
            BAD("%s, %s: %s: %s (%s)", class->name, mereau_field_name(field),
                what, mereau_status_name(status), flow_error.rule);
        /* one of this library's says itself whose it is */
        if (status == MEREAU_E_UNKNOWN && strncmp(text, "mereau_", 7) == 0 &&
            strcmp(flow_error.rule, "credential.tenant") != 0)
            BAD("%s: %s: %s", class->name, what, flow_error.rule);
        return;
    }
    status = mereau_op_run(op, &flow_error);
    if (status != MEREAU_OK)
        BAD("%s: %s: %s", class->name, what, mereau_status_name(status));
    else if (is_op(class, "token_introspect") &&
             (mereau_op_int(op, MEREAU_ACTIVE) != 0 ||
              mereau_op_text(op, MEREAU_RULE) == NULL ||
              strcmp(mereau_op_json(op), "{\"active\":false}") != 0))
        BAD("%s: %s: %s", class->name, what, mereau_op_json(op));
    if (!unchanged(w)) {
        BAD("%s: %s: the store has changed", class->name, what);
        restore(w);
    }
    mereau_op_free(op);
}

static void another_kind_of_credential_is_refused(void **state) {
    static const mereau_status kind[] = {MEREAU_E_KIND, 0};
    static const mereau_status form[] = {MEREAU_E_MALFORMED, 0};
    struct world *w = *state;
    struct credential all[N_CREDENTIALS];
    credentials_of(w, 0, all);
    EACH_CREDENTIAL(class, field)
    for (size_t i = 0; i < N_CREDENTIALS; i++)
        if (!fits(field, all[i].kind))
            try_credential(w, class, field, all[i].text, strlen(all[i].text),
                           "another kind", all[i].kind == 0 ? form : kind);
    nothing_bad();
}

static void the_credentials_of_another_tenant_are_unknown(void **state) {
    static const mereau_status wanted[] = {MEREAU_E_UNKNOWN, 0};
    struct world *w = *state;
    struct credential all[N_CREDENTIALS];
    credentials_of(w, 1, all);
    EACH_CREDENTIAL(class, field)
    for (size_t i = 0; i < N_CREDENTIALS; i++)
        if (fits(field, all[i].kind))
            try_credential(w, class, field, all[i].text, strlen(all[i].text),
                           "another tenant's", wanted);
    nothing_bad();
}

static void noise_is_malformed(void **state) {
    static const mereau_status form[] = {MEREAU_E_MALFORMED, 0};
    static const mereau_status much[] = {MEREAU_E_TOO_LONG, 0};
    static const char *const noise[] = {"",
                                        " ",
                                        "x",
                                        "Bearer",
                                        "mereau_",
                                        "mereau_reg_",
                                        "mereau_xxx_AAAA",
                                        "MEREAU_REG_AAAA",
                                        "..",
                                        "a.b.c",
                                        "e30.e30.",
                                        "eyJhbGciOiJub25lIn0.e30.",
                                        "eyJhbGciOiJub25lIn0.e30.AAAA",
                                        "{\"alg\":\"none\"}",
                                        "../../../../etc/passwd",
                                        "\xe2\x98\x83\xe2\x98\x83"};
    struct world *w = *state;
    char *big = malloc(MEREAU_MAX_TOKEN + 1);
    assert_non_null(big);
    EACH_CREDENTIAL(class, field) {
        static const mereau_status any[] = {MEREAU_E_MALFORMED, MEREAU_E_KIND,
                                            0};
        static const mereau_status alg[] = {MEREAU_E_ALG, 0};
        for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++)
            try_credential(
                w, class, field, noise[i], strlen(noise[i]), noise[i],
                strcmp(noise[i], "mereau_reg_") == 0 ? any
                : strncmp(noise[i], "eyJ", 3) == 0 && field == MEREAU_TOKEN
                    ? alg
                    : form);
        for (size_t i = 0; i <= MEREAU_MAX_TOKEN; i++)
            big[i] = "mereau_AZaz09-_.."[(i * 7 + i / 11) % 17];
        try_credential(w, class, field, big, MEREAU_MAX_TOKEN, "16 KiB", form);
        try_credential(w, class, field, big, MEREAU_MAX_TOKEN + 1, "16 KiB + 1",
                       much);
        memset(big, '.', MEREAU_MAX_TOKEN);
        try_credential(w, class, field, big, MEREAU_MAX_TOKEN, "dots", form);
    }
    free(big);
    nothing_bad();
}

/* What an altered JWT may be called: it is not known which claim was hit. */
static const mereau_status altered_jwt[] = {
    MEREAU_E_MALFORMED, MEREAU_E_ALG,        MEREAU_E_KEY_UNKNOWN,
    MEREAU_E_SIGNATURE, MEREAU_E_KIND,       MEREAU_E_UNKNOWN,
    MEREAU_E_CLAIM,     MEREAU_E_NOT_BEFORE, 0};
static const mereau_status altered[] = {MEREAU_E_MALFORMED, MEREAU_E_KIND, 0};

static void alter(struct world *w, const struct mru_op_class *class,
                  int32_t field, const struct credential *c) {
    const mereau_status *wanted = c->kind == 0 ? altered_jwt : altered;
    size_t len = strlen(c->text);
    char text[4096], what[64];
    assert_true(len < sizeof text);
    for (size_t i = 0; i < len; i++) {
        memcpy(text, c->text, len + 1);
        text[i] = text[i] == 'A' ? 'B' : text[i] == 'B' ? 'C' : 'A';
        snprintf(what, sizeof what, "kind %d, character %d", (int)c->kind,
                 (int)i);
        try_credential(w, class, field, text, len, what, wanted);
    }
}

static void one_character_altered_is_noticed(void **state) {
    struct world *w = *state;
    struct credential all[N_CREDENTIALS];
    credentials_of(w, 0, all);
    EACH_CREDENTIAL(class, field)
    for (size_t i = 0; i < N_CREDENTIALS; i++)
        if (fits(field, all[i].kind))
            alter(w, class, field, &all[i]);
    nothing_bad();
}

static void a_part_of_a_credential_is_none(void **state) {
    struct world *w = *state;
    struct credential all[N_CREDENTIALS];
    credentials_of(w, 0, all);
    EACH_CREDENTIAL(class, field)
    for (size_t i = 0; i < N_CREDENTIALS; i++)
        for (size_t len = 0; len < strlen(all[i].text); len++) {
            char what[64];
            if (!fits(field, all[i].kind))
                continue;
            snprintf(what, sizeof what, "kind %d, first %d", (int)all[i].kind,
                     (int)len);
            try_credential(w, class, field, all[i].text, len, what,
                           all[i].kind == 0 ? altered_jwt : altered);
        }
    nothing_bad();
}

static void more_than_a_credential_is_none(void **state) {
    static const char *const more[] = {"A", " ", "=", "\n", "AAAA", ".", ".A"};
    struct world *w = *state;
    struct credential all[N_CREDENTIALS];
    char text[4096];
    credentials_of(w, 0, all);
    EACH_CREDENTIAL(class, field)
    for (size_t i = 0; i < N_CREDENTIALS; i++)
        for (size_t k = 0; k < sizeof more / sizeof more[0]; k++) {
            if (!fits(field, all[i].kind))
                continue;
            snprintf(text, sizeof text, "%s%s", all[i].text, more[k]);
            try_credential(w, class, field, text, strlen(text), "more behind",
                           all[i].kind == 0 ? altered_jwt : altered);
            snprintf(text, sizeof text, "%s%s", more[k], all[i].text);
            try_credential(w, class, field, text, strlen(text), "more before",
                           all[i].kind == 0 ? altered_jwt : altered);
        }
    nothing_bad();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_works_when_nothing_is_wrong),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(texts_are_utf8_without_control_characters),
        cmocka_unit_test(values_have_the_types_of_their_fields),
        cmocka_unit_test(fields_that_are_not_taken_are_refused),
        cmocka_unit_test(json_that_is_no_object_of_fields_is_refused),
        cmocka_unit_test(empty_and_senseless_texts_are_no_names),
        cmocka_unit_test(optional_texts_of_no_sense_do_no_harm),
        cmocka_unit_test(numbers_out_of_their_range_are_refused),
        cmocka_unit_test(nonces_have_16_to_64_bytes),
        cmocka_unit_test(another_kind_of_credential_is_refused),
        cmocka_unit_test(the_credentials_of_another_tenant_are_unknown),
        cmocka_unit_test(noise_is_malformed),
        cmocka_unit_test(one_character_altered_is_noticed),
        cmocka_unit_test(a_part_of_a_credential_is_none),
        cmocka_unit_test(more_than_a_credential_is_none),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
