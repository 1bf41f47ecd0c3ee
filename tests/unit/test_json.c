/* tests/unit/test_json.c - the strict scanner, the reader and the writer
 * (lib/json). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "json/json.h"

#define SUITE "tests/vectors/json-test-suite/"

/* Checks an exact copy on the heap, so that a sanitizer sees a byte too many.
 * Reads all of it when it is accepted. */
static mereau_status check_limits(const void *text, size_t len,
                                  const struct mru_json_limits *limits) {
    struct mru_jval root, name, value, again;
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    if (len > 0)
        memcpy(copy, text, len);
    mereau_status status = mru_json_check(&root, copy, len, limits, NULL);
    assert_int_equal(root.kind == 0, status != MEREAU_OK);
    size_t pos = 0, n = 0;
    while (mru_json_next(&root, &pos, &name, &value)) {
        struct mru_buf buf = {0};
        int64_t number;
        int fraction;
        size_t text_len;
        assert_true(value.p >= copy && value.p + value.len <= copy + len);
        (void)mru_json_seconds(&value, &number, &fraction);
        (void)mru_json_count(&value);
        if (root.kind == 'o') {
            assert_int_equal(mru_json_add_text(&buf, &name), 0);
            assert_int_equal(mru_json_text(&name, NULL, 0, &text_len), 0);
            assert_int_equal(text_len, buf.len);
            assert_true(mru_utf8_valid(buf.data, buf.len));
            assert_null(memchr(buf.data, 0, buf.len));
            assert_int_equal(
                mru_json_member(&again, &root, (const char *)buf.data), 1);
            assert_ptr_equal(again.p, value.p);
            mru_buf_free(&buf);
        }
        if (mru_json_add_text(&buf, &value) == 0)
            assert_true(mru_utf8_valid(buf.data, buf.len));
        mru_buf_free(&buf);
        n++;
    }
    assert_int_equal(mru_json_count(&root), n);
    free(copy);
    return status;
}

static mereau_status check(const char *text) {
    return check_limits(text, strlen(text), NULL);
}

static struct mru_jval parse(const char *text) {
    struct mru_jval root;
    mereau_error err = MEREAU_ERROR_INIT;
    if (mru_json_check(&root, text, strlen(text), NULL, &err) != MEREAU_OK)
        fail_msg("%s: %s", text, err.text);
    return root;
}

/* --- the scanner --- */

/* What the suite asks for, and where we are stricter (its README). */
static int is_accepted(const char *file) {
    static const char *const stricter[] = {
        "y_object_duplicated_key.json",
        "y_object_duplicated_key_and_value.json"};
    static const char *const open[] = {"i_number_", "transform__number_",
                                       "transform__object_key_nf"};
    for (size_t i = 0; i < sizeof stricter / sizeof *stricter; i++)
        if (strcmp(file, stricter[i]) == 0)
            return 0;
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (strncmp(file, open[i], strlen(open[i])) == 0)
            return 1;
    return file[0] == 'y';
}

static size_t read_file(const char *name, char *out, size_t cap) {
    char path[256];
    snprintf(path, sizeof path, SUITE "%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(out, 1, cap, file);
    assert_int_equal(ferror(file), 0);
    fclose(file);
    assert_true(len < cap);
    return len;
}

static void json_is_accepted_as_the_suite_asks_or_stricter(void **state) {
    static char text[65536];
    int ran = 0, accepted = 0;
    struct dirent *entry;
    (void)state;
    DIR *dir = opendir(SUITE);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (strstr(entry->d_name, ".json") == NULL)
            continue;
        size_t len = read_file(entry->d_name, text, sizeof text);
        int good = check_limits(text, len, NULL) == MEREAU_OK;
        if (good != is_accepted(entry->d_name))
            fail_msg("%s", entry->d_name);
        accepted += good;
        ran++;
    }
    closedir(dir);
    assert_int_equal(ran, 239);
    printf("%d cases, %d accepted\n", ran, accepted);
}

static void nesting_of_any_length_is_refused_without_recursion(void **state) {
    enum { TIMES = 100000 };
    static char text[5 * TIMES];
    (void)state;
    memset(text, '[', TIMES);
    assert_int_equal(check_limits(text, TIMES, NULL), MEREAU_E_TOO_LONG);
    for (int i = 0; i < TIMES; i++)
        memcpy(text + 5 * (size_t)i, "[{\"\":", 5);
    assert_int_equal(check_limits(text, sizeof text, NULL), MEREAU_E_TOO_LONG);
}

/* Doubled members in every disguise; the last ones only look like it. */
static void a_member_stands_once_however_it_is_spelt(void **state) {
    static const char *const bad[] = {
        "{\"a\":1,\"a\":1}",
        "{\"a\":1,\"b\":{},\"a\":1}",
        "{\"a\":1,\"\\u0061\":1}",
        "{\"\\u0061\":1,\"a\":1}",
        "{\"\":1,\"\":1}",
        "{\"\\/\":1,\"/\":1}",
        "{\"\\n\":1,\"\\u000A\":1}",
        "{\"\\ud834\\udd1e\":1,\"\xf0\x9d\x84\x9e\":1}",
        "{\"\\u00e9\":1,\"\xc3\xa9\":1}",
        "{\"\\u20AC\":1,\"\xe2\x82\xac\":1}",
        "[{\"x\":{\"a\":1,\"a\":1}}]",
        "{\"x\":{\"a\":1},\"a\":1,\"y\":[{\"b\":1}],\"a\":2}",
        "{\"exp\":1,\"e\\u0078p\":2}"};
    static const char *const good[] = {
        "{\"a\":1,\"A\":1}", "{\"a\":1,\"b\":{\"a\":{\"a\":1}}}",
        "[{\"a\":1},{\"a\":1}]", "{\"a\":1,\"\\u0061b\":1,\"aa\":2,\"\":3}",
        "{\"\\\"\":1,\"\\\\\":1,\"\\\\\\\"\":1}", "{\"x\":[{\"a\":1}],\"a\":1}",
        /* Different names of one hash (FNV-1a); the last pair is a prefix. */
        "{\"costarring\":1,\"liquid\":2,\"altarage\":3,\"zinke\":4}",
        "{\"a\":1,\"arslGqQ\":2}", "{\"arslGqQ\":1,\"a\":2}"};
    mereau_error err = MEREAU_ERROR_INIT;
    struct mru_jval root;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(
            mru_json_check(&root, bad[i], strlen(bad[i]), NULL, &err),
            MEREAU_E_MALFORMED);
        assert_string_equal(err.rule, "json.duplicate");
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(check(good[i]), MEREAU_OK);
}

/* An object of n members "k0" ..., the last one named `last`. */
static size_t make_object(char *out, int n, const char *last) {
    size_t len = 0;
    out[len++] = '{';
    for (int i = 0; i < n; i++) {
        if (i == n - 1 && last != NULL)
            len += (size_t)sprintf(out + len, "\"%s\":0", last);
        else
            len += (size_t)sprintf(out + len, "\"k%d\":0,", i);
    }
    if (out[len - 1] == ',')
        len--;
    out[len++] = '}';
    return len;
}

static void a_double_is_found_among_all_members_allowed(void **state) {
    static char text[8192];
    char name[16];
    (void)state;
    assert_int_equal(
        check_limits(text, make_object(text, MEREAU_MAX_MEMBERS, "z"), NULL),
        MEREAU_OK);
    for (int i = 0; i < MEREAU_MAX_MEMBERS - 1; i++) {
        sprintf(name, "k%d", i);
        size_t len = make_object(text, MEREAU_MAX_MEMBERS, name);
        assert_int_equal(check_limits(text, len, NULL), MEREAU_E_MALFORMED);
    }
}

static void limits_hold_at_their_edges_and_only_downwards(void **state) {
    static char text[MEREAU_MAX_JSON + 2];
    const struct mru_json_limits small = {10, 2, 3};
    const struct mru_json_limits huge = {SIZE_MAX, UINT32_MAX, UINT32_MAX};
    const struct mru_json_limits none = {100, 0, 100};
    (void)state;
    assert_int_equal(check_limits("[[1,2,3]]", 9, &small), MEREAU_OK);
    assert_int_equal(check_limits("[[1,2,3] ]", 10, &small), MEREAU_OK);
    assert_int_equal(check_limits("[[1,2,3]  ]", 11, &small),
                     MEREAU_E_TOO_LONG);
    assert_int_equal(check_limits("[[[1]]]", 7, &small), MEREAU_E_TOO_LONG);
    assert_int_equal(check_limits("[1,2,3,4]", 9, &small), MEREAU_E_TOO_LONG);
    assert_int_equal(check_limits("[]", 2, &none), MEREAU_E_TOO_LONG);
    assert_int_equal(check_limits("0", 1, &none), MEREAU_OK);
    for (int over = 0; over < 2; over++) {
        mereau_status want = over ? MEREAU_E_TOO_LONG : MEREAU_OK;
        size_t len = make_object(text, MEREAU_MAX_MEMBERS + over, NULL);
        assert_int_equal(check_limits(text, len, &huge), want);
        len = (size_t)(MEREAU_MAX_DEPTH + over);
        memset(text, '[', len);
        memset(text + len, ']', len);
        assert_int_equal(check_limits(text, 2 * len, &huge), want);
        len = (size_t)(MEREAU_MAX_JSON + over);
        memset(text, ' ', len);
        text[len - 1] = '1';
        assert_int_equal(check_limits(text, len, &huge), want);
    }
}

static void arrays_of_full_objects_are_checked_at_every_level(void **state) {
    /* As many open names as there may be: 16 levels, each full. */
    static char text[MEREAU_MAX_DEPTH * 4096];
    size_t len = 0;
    (void)state;
    for (int level = 0; level < MEREAU_MAX_DEPTH; level++) {
        len += make_object(text + len, MEREAU_MAX_MEMBERS, "x");
        len -= 2; /* the 0 of "x", and the bracket: the next level */
    }
    text[len++] = '0';
    memset(text + len, '}', MEREAU_MAX_DEPTH);
    assert_int_equal(check_limits(text, len + MEREAU_MAX_DEPTH, NULL),
                     MEREAU_OK);
    assert_int_equal(check_limits(text, len + MEREAU_MAX_DEPTH - 1, NULL),
                     MEREAU_E_MALFORMED);
}

static void control_characters_and_bad_escapes_are_refused(void **state) {
    static const char *const bad[] = {"\"\\ud800\\ue000\"",
                                      "\"\\ud800\\udbff\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\udc00\\ud800\"",
                                      "\"\\ud800udc00\"",
                                      "\"\\ud800\\ndc00\"",
                                      "\"\\u00g0\"",
                                      "\"\\u000\"",
                                      "\"\\U0041\"",
                                      "\"\\a\"",
                                      "\"\\0\"",
                                      "\"\\'\""};
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char text[3] = {'"', (char)c, '"'},
                   escape[4] = {'"', '\\', (char)c, '"'};
        int is_plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
        assert_int_equal(check_limits(text, 3, NULL) == MEREAU_OK, is_plain);
        assert_int_equal(check_limits(escape, 4, NULL) == MEREAU_OK,
                         c != 0 && strchr("\"\\/bfnrt", c) != NULL);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(check(bad[i]), MEREAU_E_MALFORMED);
    assert_int_equal(check("\"\\udbff\\udfff\\uD800\\uDC00\""), MEREAU_OK);
}

static void mistakes_are_named_with_rule_and_place(void **state) {
    static const struct {
        const char *text, *rule, *found;
        mereau_status status;
    } cases[] = {
        {"", "json.syntax", "nothing", MEREAU_E_MALFORMED},
        {"  ", "json.syntax", "something else at byte 2", MEREAU_E_MALFORMED},
        {"[1 2]", "json.syntax", "something else at byte 3",
         MEREAU_E_MALFORMED},
        {"{\"a\" 1}", "json.syntax", "something else at byte 5",
         MEREAU_E_MALFORMED},
        {"[1]]", "json.syntax", "something else at byte 3", MEREAU_E_MALFORMED},
        {"\xef\xbb\xbf{}", "json.syntax", "something else at byte 0",
         MEREAU_E_MALFORMED},
        {"\"\xc3(\"", "json.utf8", "something else at byte 1",
         MEREAU_E_MALFORMED},
        {"\"\\u0000\"", "json.string", "something else at byte 1",
         MEREAU_E_MALFORMED},
        {"\"\\ud800\"", "json.string", "something else at byte 1",
         MEREAU_E_MALFORMED},
        {"\"\n\"", "json.string", "something else at byte 1",
         MEREAU_E_MALFORMED},
        {"-", "json.number", "something else at byte 1", MEREAU_E_MALFORMED},
        {"[[[[[[[[[[[[[[[[[", "json.depth", "more at byte 16",
         MEREAU_E_TOO_LONG}};
    struct mru_jval root;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mereau_error err = MEREAU_ERROR_INIT;
        assert_int_equal(mru_json_check(&root, cases[i].text,
                                        strlen(cases[i].text), NULL, &err),
                         cases[i].status);
        assert_int_equal(err.status, cases[i].status);
        assert_string_equal(err.rule, cases[i].rule);
        assert_string_equal(err.found, cases[i].found);
    }
    assert_int_equal(mru_json_check(&root, NULL, 0, NULL, NULL),
                     MEREAU_E_MALFORMED);
}

static const char sample[] =
    "{ \"iss\" : \"https://a.example\", \"aud\":[\"x\",\"y\\u00e9\"],\n"
    "\"exp\":1.7e9,\t\"n\":null,\"t\":true,\"f\":false,\"\\u006e\\\"\":-0.5E-3,"
    "\"o\":{\"\":[[],{}],\"\xe2\x82\xac\":\"\\ud834\\udd1e\\\\\"}}";

static void a_document_cut_short_is_refused(void **state) {
    (void)state;
    assert_int_equal(check(sample), MEREAU_OK);
    for (size_t len = 0; len < sizeof sample - 1; len++)
        assert_int_equal(check_limits(sample, len, NULL), MEREAU_E_MALFORMED);
}

static void no_byte_put_anywhere_breaks_the_reader(void **state) {
    char text[sizeof sample];
    int ran = 0;
    (void)state;
    for (size_t at = 0; at < sizeof sample - 1; at++)
        for (int byte = 0; byte < 256; byte++, ran++) {
            memcpy(text, sample, sizeof sample);
            text[at] = (char)byte;
            (void)check_limits(text, sizeof sample - 1, NULL);
            memmove(text + at, sample + at + 1, sizeof sample - 1 - at);
            (void)check_limits(text, sizeof sample - 2, NULL);
        }
    printf("%d cases\n", ran);
}

/* --- the reader --- */

static void members_are_found_by_their_exact_name(void **state) {
    struct mru_jval root = parse(sample), value, inner;
    (void)state;
    assert_int_equal(root.kind, 'o');
    assert_int_equal(mru_json_member(&value, &root, "iss"), 1);
    assert_int_equal(value.kind, 's');
    assert_int_equal(value.len, strlen("\"https://a.example\""));
    assert_int_equal(mru_json_is(&value, "https://a.example", 17), 1);
    assert_int_equal(mru_json_member(&value, &root, "exp"), 1);
    assert_int_equal(value.kind, 'n');
    assert_int_equal(mru_json_member(&value, &root, "n"), 1);
    assert_int_equal(value.kind, '0');
    assert_int_equal(mru_json_member(&value, &root, "t"), 1);
    assert_int_equal(value.kind, 't');
    assert_int_equal(mru_json_member(&value, &root, "f"), 1);
    assert_int_equal(value.kind, 'f');
    assert_int_equal(mru_json_member(&value, &root, "n\""), 1);
    assert_int_equal(value.len, strlen("-0.5E-3"));
    assert_int_equal(mru_json_member(&value, &root, "o"), 1);
    assert_int_equal(value.kind, 'o');
    assert_int_equal(mru_json_member(&inner, &value, ""), 1);
    assert_int_equal(mru_json_count(&inner), 2);
    assert_int_equal(mru_json_member(&inner, &value, "\xe2\x82\xac"), 1);
    assert_int_equal(mru_json_is(&inner, "\xf0\x9d\x84\x9e\\", 5), 1);
    static const char *const absent[] = {"ISS", "is", "isss", "", "x", "aud "};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_int_equal(mru_json_member(&value, &root, absent[i]), 0);
        assert_int_equal(value.kind, 0);
    }
    root = parse("[\"a\",1]");
    assert_int_equal(mru_json_member(&value, &root, "a"), 0);
}

static void containers_are_walked_in_order_to_their_end(void **state) {
    struct mru_jval root =
        parse(" [ 1 ,[2,3] , {\"a\":\"]}\\\"\"} ,\"4\\\\\" ] ");
    struct mru_jval value, name;
    size_t pos = 0;
    (void)state;
    assert_int_equal(mru_json_count(&root), 4);
    assert_int_equal(mru_json_next(&root, &pos, NULL, &value), 1);
    assert_int_equal(value.len, 1);
    assert_int_equal(mru_json_next(&root, &pos, &name, &value), 1);
    assert_int_equal(value.kind, 'a');
    assert_int_equal(name.kind, 0);
    assert_int_equal(mru_json_next(&root, &pos, NULL, &value), 1);
    assert_memory_equal(value.p, "{\"a\":\"]}\\\"\"}", value.len);
    assert_int_equal(mru_json_next(&root, &pos, NULL, &value), 1);
    assert_int_equal(mru_json_is(&value, "4\\", 2), 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mru_json_next(&root, &pos, &name, &value), 0);
        assert_int_equal(value.kind, 0);
    }
    static const char *const empty[] = {"[]", "{ }",     "[\n]",
                                        "1",  "\"[1]\"", "null"};
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        root = parse(empty[i]);
        assert_int_equal(mru_json_count(&root), 0);
    }
}

static void strings_are_unescaped_and_measured(void **state) {
    struct mru_jval s = parse(
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u00e9\\u20AC\\uD834\\uDD1e z\"");
    static const char want[] =
        "\"\\/\b\f\n\r\t\x01\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e z";
    const size_t want_len = sizeof want - 1;
    char out[64];
    size_t len;
    struct mru_buf buf = {0};
    (void)state;
    assert_int_equal(mru_json_text(&s, NULL, 0, &len), 0);
    assert_int_equal(len, want_len);
    memset(out, '#', sizeof out);
    assert_int_equal(mru_json_text(&s, out, want_len, &len), 0);
    assert_memory_equal(out, want, want_len);
    assert_int_equal(out[want_len], '#');
    for (size_t cap = 0; cap < want_len; cap++) {
        memset(out, '#', sizeof out);
        assert_int_equal(mru_json_text(&s, out, cap, &len), -1);
        assert_int_equal(len, want_len);
        assert_int_equal(out[cap], '#');
    }
    assert_int_equal(mru_json_add_text(&buf, &s), 0);
    assert_string_equal((char *)buf.data, want);
    mru_buf_free(&buf);
    assert_int_equal(mru_json_is(&s, want, want_len), 1);
    assert_int_equal(mru_json_is(&s, want, want_len - 1), 0);
    assert_int_equal(mru_json_is(&s, want, want_len + 1), 0);
    s = parse("1");
    assert_int_equal(mru_json_text(&s, NULL, 0, &len), -1);
    assert_int_equal(mru_json_add_text(&buf, &s), -1);
    assert_int_equal(mru_json_is(&s, "1", 1), 0);
    s = parse("\"\"");
    assert_int_equal(mru_json_is(&s, "", 0), 1);
    assert_int_equal(mru_json_add_text(&buf, &s), 0);
    assert_string_equal((char *)buf.data, "");
    mru_buf_free(&buf);
}

static void strings_are_compared_as_text_not_as_spelt(void **state) {
    struct mru_jval s = parse("\"a\\u0062c\"");
    (void)state;
    assert_int_equal(mru_json_is(&s, "abc", 3), 1);
    assert_int_equal(mru_json_is(&s, "a\\u0062c", 8), 0);
    assert_int_equal(mru_json_is(&s, "ab", 2), 0);
    assert_int_equal(mru_json_is(&s, "abcd", 4), 0);
    s = parse("\"a\\\\\"");
    assert_int_equal(mru_json_is(&s, "a\\\\", 3), 0);
    assert_int_equal(mru_json_is(&s, "a\\", 2), 1);
}

struct number {
    const char *text;
    int64_t floor_s;
    int fraction; /* -1: not to be had */
};

static void numbers_are_exact_or_refused(void **state) {
    static const struct number cases[] = {
        {"0", 0, 0},
        {"-0", 0, 0},
        {"-0.0e5", 0, 0},
        {"1", 1, 0},
        {"-1", -1, 0},
        {"1.0", 1, 0},
        {"15e8", 1500000000, 0},
        {"1.7e9", 1700000000, 0},
        {"1E6", 1000000, 0},
        {"100e-2", 1, 0},
        {"0.01E+2", 1, 0},
        {"1e0", 1, 0},
        {"9007199254740993", INT64_C(9007199254740993), 0},
        {"9223372036854775807", INT64_MAX, 0},
        {"9223372036854775807.0", INT64_MAX, 0},
        {"9223372036854775.807e3", INT64_MAX, 0},
        {"92233720368547758070000e-4", INT64_MAX, 0},
        {"-9223372036854775808", INT64_MIN, 0},
        {"-9223372036854775807", -INT64_MAX, 0},
        {"9223372036854775808", 0, -1},
        {"-9223372036854775809", 0, -1},
        {"18446744073709551615", 0, -1},
        {"-18446744073709551615.5", 0, -1},
        {"18446744073709551616", 0, -1},
        {"18446744073709551617", 0, -1},
        {"184467440737095516160", 0, -1},
        {"10000000000000000999", 0, -1},
        {"1e19", 0, -1},
        {"1e400", 0, -1},
        {"1e99999999999999999999999", 0, -1},
        {"-1e99999999999999999999999", 0, -1},
        {"0e99999999999999999999999", 0, 0},
        {"0.000e99999999999999999999999", 0, 0},
        {"1.5", 1, 1},
        {"-1.5", -2, 1},
        {"0.5", 0, 1},
        {"-0.5", -1, 1},
        {"1.000000000000000000005", 1, 1},
        {"-1.000000000000000000005", -2, 1},
        {"1e-999", 0, 1},
        {"-1e-999", -1, 1},
        {"1e-99999999999999999999999", 0, 1},
        {"0e-99999999999999999999999", 0, 0},
        {"12345e-3", 12, 1},
        {"12000e-3", 12, 0},
        {"9223372036854775807.9", INT64_MAX, 1},
        {"-9223372036854775807.9", INT64_MIN, 1},
        {"-9223372036854775808.1", 0, -1},
        {"1700000000.999999999", 1700000000, 1},
        {"true", 0, -1},
        {"\"1\"", 0, -1},
        {"null", 0, -1},
        {"[1]", 0, -1}};
    const size_t n = sizeof cases / sizeof *cases;
    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct mru_jval value = parse(cases[i].text);
        int64_t whole = 77, floor_s = 77;
        int fraction = 77;
        int got = mru_json_seconds(&value, &floor_s, &fraction);
        if (got != (cases[i].fraction < 0 ? -1 : 0))
            fail_msg("%s", cases[i].text);
        if (got == 0 &&
            (floor_s != cases[i].floor_s || fraction != cases[i].fraction))
            fail_msg("%s: %lld %d", cases[i].text, (long long)floor_s,
                     fraction);
        got = mru_json_int(&value, &whole);
        assert_int_equal(got, cases[i].fraction == 0 ? 0 : -1);
        assert_true(whole == (got == 0 ? cases[i].floor_s : 77));
    }
    printf("%d cases\n", (int)n);
}

/* i_number_* and the like: accepted as text, but never as a rounded integer. */
static void numbers_of_the_suite_are_never_rounded(void **state) {
    static const char *const no_integer[] = {
        "i_number_double_huge_neg_exp.json",
        "i_number_huge_exp.json",
        "i_number_neg_int_huge_exp.json",
        "i_number_pos_double_huge_exp.json",
        "i_number_real_neg_overflow.json",
        "i_number_real_pos_overflow.json",
        "i_number_real_underflow.json",
        "i_number_very_big_negative_int.json",
        "transform__number_1e-999.json",
        "transform__number_9223372036854775808.json"};
    char text[512];
    struct mru_jval root, value;
    int64_t number;
    (void)state;
    for (size_t i = 0; i < sizeof no_integer / sizeof *no_integer; i++) {
        size_t len = read_file(no_integer[i], text, sizeof text), pos = 0;
        assert_int_equal(mru_json_check(&root, text, len, NULL, NULL), 0);
        assert_int_equal(mru_json_next(&root, &pos, NULL, &value), 1);
        assert_int_equal(mru_json_int(&value, &number), -1);
    }
}

/* --- the writer --- */

static void a_document_prints_as_it_was_built(void **state) {
    struct mru_buf out = {0};
    mru_jdoc *doc = mru_jdoc_object(), *list = mru_jdoc_array();
    (void)state;
    mru_buf_add_text(&out, "before");
    assert_int_equal(mru_jdoc_add_text(list, NULL, "x\"\\\n\x01\xc3\xa9/"), 0);
    assert_int_equal(mru_jdoc_add_int(list, NULL, INT64_MIN), 0);
    assert_int_equal(mru_jdoc_add_bool(list, NULL, 7), 0);
    assert_int_equal(mru_jdoc_add_doc(list, NULL, mru_jdoc_object()), 0);
    assert_int_equal(mru_jdoc_add_int(doc, "max", INT64_MAX), 0);
    assert_int_equal(mru_jdoc_add_int(doc, "big", INT64_C(9007199254740993)),
                     0);
    assert_int_equal(mru_jdoc_add_doc(doc, "l\"", list), 0);
    assert_int_equal(mru_jdoc_add_bool(doc, "no", 0), 0);
    assert_int_equal(mru_jdoc_add_raw(doc, "raw", "{\"a\":[1]}garbage", 9), 0);
    assert_int_equal(mru_jdoc_print(&out, doc), 0);
    assert_string_equal(
        (char *)out.data,
        "before{\"max\":9223372036854775807,\"big\":9007199254740993,"
        "\"l\\\"\":[\"x\\\"\\\\\\n\\u0001\xc3\xa9/\",-9223372036854775808,true,"
        "{}],\"no\":false,\"raw\":{\"a\":[1]}}");
    assert_int_equal(out.len, strlen((char *)out.data));
    mru_jdoc_free(doc);
    mru_buf_free(&out);
}

static void empty_documents_print_as_brackets(void **state) {
    struct mru_buf out = {0};
    mru_jdoc *object = mru_jdoc_object(), *array = mru_jdoc_array();
    (void)state;
    assert_int_equal(mru_jdoc_print(&out, object), 0);
    assert_int_equal(mru_jdoc_print(&out, array), 0);
    assert_string_equal((char *)out.data, "{}[]");
    mru_buf_free(&out);
    mru_jdoc_free(object);
    mru_jdoc_free(array);
    mru_jdoc_free(NULL);
}

/* The worst case of escaping must fit the space that printing takes. */
static void strings_of_control_characters_print_whole(void **state) {
    char text[301];
    struct mru_buf out = {0};
    mru_jdoc *doc = mru_jdoc_object();
    (void)state;
    memset(text, 1, 300);
    text[300] = '\0';
    assert_int_equal(mru_jdoc_add_text(doc, text, text), 0);
    assert_int_equal(mru_jdoc_print(&out, doc), 0);
    assert_int_equal(out.len, 2 * (2 + 6 * 300) + 3);
    mru_buf_free(&out);
    mru_jdoc_free(doc);
}

static void what_cannot_be_written_is_never_printed(void **state) {
    struct mru_buf out = {0};
    (void)state;
    static const char *const bad[] = {"\xff", "\xed\xa0\x80", NULL};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mru_jdoc *doc = mru_jdoc_object();
        assert_int_equal(mru_jdoc_add_text(doc, "a", bad[i]), -1);
        assert_int_equal(mru_jdoc_add_int(doc, "b", 1), -1);
        assert_int_equal(mru_jdoc_print(&out, doc), -1);
        /* A part that failed makes the whole fail. */
        mru_jdoc *whole = mru_jdoc_array();
        assert_int_equal(mru_jdoc_add_doc(whole, NULL, doc), -1);
        assert_int_equal(mru_jdoc_print(&out, whole), -1);
        mru_jdoc_free(whole);
    }
    /* A name where none belongs, and none where one does. */
    mru_jdoc *object = mru_jdoc_object(), *array = mru_jdoc_array();
    assert_int_equal(mru_jdoc_add_int(object, NULL, 1), -1);
    assert_int_equal(mru_jdoc_add_int(array, "a", 1), -1);
    mru_jdoc_free(object);
    mru_jdoc_free(array);
    assert_int_equal(mru_jdoc_add_text(NULL, "a", "b"), -1);
    assert_int_equal(mru_jdoc_add_doc(NULL, "a", mru_jdoc_array()), -1);
    assert_int_equal(mru_jdoc_print(&out, NULL), -1);
    assert_int_equal(out.len, 0);
    mru_buf_free(&out);
}

static void what_is_written_is_read_back_alike(void **state) {
    char text[256 + 128];
    size_t n = 0, len;
    struct mru_buf out = {0};
    struct mru_jval root, value;
    int64_t number;
    mru_jdoc *doc = mru_jdoc_object();
    (void)state;
    for (int c = 1; c < 256; c++) {
        if (c >= 0x80)
            text[n++] = (char)(0xC0 | c >> 6);
        text[n++] = (char)(c < 0x80 ? c : 0x80 | (c & 63));
    }
    text[n] = '\0';
    mru_jdoc_add_text(doc, text, text);
    mru_jdoc_add_int(doc, "i", INT64_MIN);
    assert_int_equal(mru_jdoc_print(&out, doc), 0);
    assert_int_equal(mru_json_check(&root, out.data, out.len, NULL, NULL), 0);
    assert_int_equal(mru_json_member(&value, &root, text), 1);
    assert_int_equal(mru_json_is(&value, text, n), 1);
    assert_int_equal(mru_json_text(&value, NULL, 0, &len), 0);
    assert_int_equal(len, n);
    assert_int_equal(mru_json_member(&value, &root, "i"), 1);
    assert_int_equal(mru_json_int(&value, &number), 0);
    assert_true(number == INT64_MIN);
    mru_buf_free(&out);
    mru_jdoc_free(doc);
}

static int build(struct mru_buf *out) {
    mru_jdoc *doc = mru_jdoc_object();
    mru_jdoc *list = mru_jdoc_array();
    mru_jdoc_add_text(list, NULL, "secret");
    mru_jdoc_add_int(list, NULL, 5);
    mru_jdoc_add_raw(list, NULL, "[]", 2);
    mru_jdoc_add_bool(doc, "b", 1);
    mru_jdoc_add_doc(doc, "list", list);
    mru_jdoc_add_text(doc, "t", "text");
    int result = mru_jdoc_print(out, doc);
    mru_jdoc_free(doc);
    return result;
}

static void without_memory_nothing_is_printed_and_nothing_leaks(void **state) {
    (void)state;
    if (!test_alloc_available())
        skip();
    const long live = test_alloc_live();
    unsigned long n = 1;
    for (;; n++) {
        struct mru_buf out = {0};
        test_alloc_fail_at(n);
        int result = build(&out);
        int pending = test_alloc_pending();
        test_alloc_fail_at(0);
        assert_int_equal(result, pending ? 0 : -1);
        assert_true(pending || out.len == 0);
        if (pending)
            assert_string_equal(
                (char *)out.data,
                "{\"b\":true,\"list\":[\"secret\",5,[]],\"t\":\"text\"}");
        mru_buf_free(&out);
        assert_true(test_alloc_live() == live);
        if (pending)
            break;
    }
    /* 5 where only our own fail (TEST_ALLOC_WRAP), and more with cJSON's. */
    assert_true(n >= 5);
    printf("%lu failing allocations\n", n - 1);
}

static void reading_allocates_nothing(void **state) {
    struct mru_jval root, value;
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    if (!test_alloc_available())
        skip();
    unsigned long before = test_alloc_count();
    mru_json_check(&root, sample, sizeof sample - 1, NULL, &err);
    mru_json_member(&value, &root, "o");
    mru_json_check(&root, "[", 1, NULL, &err);
    assert_true(test_alloc_count() == before);
    struct mru_jval text = parse("\"a\\nb\"");
    struct mru_buf buf = {0};
    test_alloc_fail_at(1);
    int result = mru_json_add_text(&buf, &text);
    test_alloc_fail_at(0);
    assert_int_equal(result, -1);
    mru_buf_free(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_accepted_as_the_suite_asks_or_stricter),
        cmocka_unit_test(nesting_of_any_length_is_refused_without_recursion),
        cmocka_unit_test(a_member_stands_once_however_it_is_spelt),
        cmocka_unit_test(a_double_is_found_among_all_members_allowed),
        cmocka_unit_test(limits_hold_at_their_edges_and_only_downwards),
        cmocka_unit_test(arrays_of_full_objects_are_checked_at_every_level),
        cmocka_unit_test(control_characters_and_bad_escapes_are_refused),
        cmocka_unit_test(mistakes_are_named_with_rule_and_place),
        cmocka_unit_test(a_document_cut_short_is_refused),
        cmocka_unit_test(no_byte_put_anywhere_breaks_the_reader),
        cmocka_unit_test(members_are_found_by_their_exact_name),
        cmocka_unit_test(containers_are_walked_in_order_to_their_end),
        cmocka_unit_test(strings_are_unescaped_and_measured),
        cmocka_unit_test(strings_are_compared_as_text_not_as_spelt),
        cmocka_unit_test(numbers_are_exact_or_refused),
        cmocka_unit_test(numbers_of_the_suite_are_never_rounded),
        cmocka_unit_test(a_document_prints_as_it_was_built),
        cmocka_unit_test(empty_documents_print_as_brackets),
        cmocka_unit_test(strings_of_control_characters_print_whole),
        cmocka_unit_test(what_cannot_be_written_is_never_printed),
        cmocka_unit_test(what_is_written_is_read_back_alike),
        cmocka_unit_test(without_memory_nothing_is_printed_and_nothing_leaks),
        cmocka_unit_test(reading_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
