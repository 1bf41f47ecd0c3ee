/* tests/vectors/test_jcs.c - the canonical form of RFC 8785: its example documents,
 * its table of numbers, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/json.h>

#include "json/json.h"
#include "vec.h"

static size_t read_file(const char *name, const char *kind, char *out,
                        size_t cap) {
    char path[128];
    snprintf(path, sizeof path, "tests/vectors/jcs/%s.%s.json", name, kind);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(out, 1, cap - 1, file);
    fclose(file);
    out[len] = '\0';
    return len;
}

static void the_example_documents_have_the_form_of_the_rfc(void **state) {
    static const char *const names[] = {"arrays", "french", "values", "weird"};
    struct vec_count count = {"jcs", 0, 0, 0};
    mereau_bytes *out = mereau_bytes_new();
    char input[4096], output[4096];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = read_file(names[i], "input", input, sizeof input);
        read_file(names[i], "output", output, sizeof output);
        mereau_status status = mereau_json_canonical(out, input, len, NULL);
        vec_case(&count, names[i], "canonical form",
                 status == MEREAU_OK &&
                     strcmp(mereau_bytes_text(out), output) == 0);
        /* The form of the form is the form. */
        status = mereau_json_canonical(out, output, strlen(output), NULL);
        vec_case(&count, names[i], "canonical already",
                 status == MEREAU_OK &&
                     strcmp(mereau_bytes_text(out), output) == 0);
    }
    mereau_bytes_free(out);
    vec_end(&count, 8);
}

/* RFC 8785 appendix B. */
static const struct {
    uint64_t bits;
    const char *text;
} numbers[] = {{0x0000000000000000, "0"},
               {0x8000000000000000, "0"},
               {0x0000000000000001, "5e-324"},
               {0x8000000000000001, "-5e-324"},
               {0x7fefffffffffffff, "1.7976931348623157e+308"},
               {0xffefffffffffffff, "-1.7976931348623157e+308"},
               {0x4340000000000000, "9007199254740992"},
               {0xc340000000000000, "-9007199254740992"},
               {0x4430000000000000, "295147905179352830000"},
               {0x44b52d02c7e14af5, "9.999999999999997e+22"},
               {0x44b52d02c7e14af6, "1e+23"},
               {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
               {0x444b1ae4d6e2ef4e, "999999999999999700000"},
               {0x444b1ae4d6e2ef4f, "999999999999999900000"},
               {0x444b1ae4d6e2ef50, "1e+21"},
               {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
               {0x3eb0c6f7a0b5ed8d, "0.000001"},
               {0x41b3de4355555553, "333333333.3333332"},
               {0x41b3de4355555554, "333333333.33333325"},
               {0x41b3de4355555555, "333333333.3333333"},
               {0x41b3de4355555556, "333333333.3333334"},
               {0x41b3de4355555557, "333333333.33333343"},
               {0xbecbf647612f3696, "-0.0000033333333333333333"},
               {0x43143ff3c1cb0959, "1424953923781206.2"}};

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int reads_back(const char *text, size_t len, double value) {
    struct mru_jval root;
    double back = 1;
    return mru_json_check(&root, text, len, NULL, NULL) == MEREAU_OK &&
           mru_json_number(&root, &back) == 0 && back == value;
}

static void numbers_are_written_as_the_rfc_says_in_every_locale(void **state) {
    static const char *const locales[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8"};
    (void)state;
    for (size_t l = 0; l < 3; l++) {
        if (!setlocale(LC_NUMERIC, locales[l]))
            continue; /* not installed: "C" always is */
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
            struct mru_buf out = {0};
            double value = double_of(numbers[i].bits);
            assert_int_equal(mru_json_add_number(&out, value), 0);
            assert_string_equal((char *)out.data, numbers[i].text);
            assert_true(reads_back((char *)out.data, out.len, value));
            mru_buf_free(&out);
        }
    }
    setlocale(LC_NUMERIC, "C");
}

static void infinities_and_what_is_no_number_are_not_written(void **state) {
    struct mru_buf out = {0};
    (void)state;
    assert_int_equal(mru_json_add_number(&out, double_of(0x7ff0000000000000)),
                     -1);
    assert_int_equal(mru_json_add_number(&out, double_of(0xfff0000000000000)),
                     -1);
    assert_int_equal(mru_json_add_number(&out, double_of(0x7ff8000000000001)),
                     -1);
    assert_int_equal(out.len, 0);
    mru_buf_free(&out);
}

/* Of doubles of every size, among them all neighbours of powers of two, where the
 * nearest short number is not always one that reads back. */
static void the_shortest_digits_read_back_and_none_shorter_do(void **state) {
    uint64_t seed = 88172645463325252u;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct mru_buf out = {0};
        char shorter[40];
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        uint64_t bits = seed;
        if (i % 4 == 0)
            bits = (uint64_t)(1 + i / 4 % 2045) << 52;
        if (i % 4 == 1)
            bits = ((uint64_t)(1 + i / 4 % 2045) << 52) - 1;
        if ((bits >> 52 & 0x7ff) == 0x7ff)
            bits &= ~(UINT64_C(1) << 62);
        double value = double_of(bits);
        assert_int_equal(mru_json_add_number(&out, value), 0);
        assert_true(reads_back((char *)out.data, out.len, value));
        int digits = 0, leading = 1;
        for (size_t k = 0; k < out.len && out.data[k] != 'e'; k++)
            if (out.data[k] >= '0' && out.data[k] <= '9') {
                leading = leading && out.data[k] == '0';
                digits += !leading;
            }
        if (digits > 1 && digits <= 17) { /* zeros at the end are no digits */
            snprintf(shorter, sizeof shorter, "%.*e", digits - 2, value);
            if (out.data[out.len - 1] != '0')
                assert_false(strtod(shorter, NULL) == value);
        }
        mru_buf_free(&out);
    }
}

static double read_number(const char *text) {
    struct mru_jval root;
    double value = -1;
    assert_int_equal(mru_json_check(&root, text, strlen(text), NULL, NULL),
                     MEREAU_OK);
    assert_int_equal(mru_json_number(&root, &value), 0);
    return value;
}

static void numbers_are_rounded_once_however_long_they_are(void **state) {
    struct mru_jval root;
    double value;
    char text[1100];
    (void)state;
    assert_true(read_number("9007199254740993") == 9007199254740992.0);
    assert_true(read_number("-0.0") == 0);
    assert_true(read_number("0e999999999") == 0);
    assert_true(read_number("1e-999999999999") == 0);
    /* The cast: a literal may be kept in more digits than a double has. */
    assert_true(read_number("123.456e-2") == (double)1.23456);
    assert_true(read_number("0.00012e4") == (double)1.2);
    /* Half way between two doubles, and a bit more, a thousand digits on. */
    memset(text, '0', sizeof text);
    memcpy(text, "9007199254740993.", 17);
    text[1000] = '\0';
    assert_true(read_number(text) == 9007199254740992.0);
    text[999] = '1';
    assert_true(read_number(text) == 9007199254740994.0);
    static const char *const too_large[] = {"1e309", "-1e400", "1e999999999"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(mru_json_check(&root, too_large[i],
                                        strlen(too_large[i]), NULL, NULL),
                         MEREAU_OK);
        assert_int_equal(mru_json_number(&root, &value), -1);
    }
}

static void canonical_is(const char *input, const char *wanted) {
    mereau_bytes *out = mereau_bytes_new();
    assert_int_equal(mereau_json_canonical(out, input, strlen(input), NULL),
                     MEREAU_OK);
    assert_string_equal(mereau_bytes_text(out), wanted);
    mereau_bytes_free(out);
}

static void members_are_sorted_by_utf16_and_nothing_is_lost(void **state) {
    (void)state;
    canonical_is(" \"\\u0041\\/\" ", "\"A/\"");
    canonical_is("{}", "{}");
    canonical_is("[ ]", "[]");
    canonical_is("null", "null");
    canonical_is(
        "{\"b\":[{\"z\":1,\"y\":{}},[]],\"\":false,\"a\":\"\\u001f\"}",
        "{\"\":false,\"a\":\"\\u001f\",\"b\":[{\"y\":{},\"z\":1},[]]}");
    canonical_is("{\"ab\":1,\"a\":2,\"abc\":3}",
                 "{\"a\":2,\"ab\":1,\"abc\":3}");
    /* U+1F600 is D83D DE00 in UTF-16, and so before U+FB33 and U+E000. */
    canonical_is(
        "{\"\\ufb33\":1,\"\\ue000\":2,\"\\ud83d\\ude00\":3,\"\\u20ac\":4}",
        "{\"\xe2\x82\xac\":4,\"\xf0\x9f\x98\x80\":3,\"\xee\x80\x80\":2,"
        "\"\xef\xac\xb3\":1}");
}

static void what_a_double_would_change_is_refused(void **state) {
    static const char *const refused[] = {"9007199254740993",
                                          "[-9007199254740993]",
                                          "9007199254740993.0",
                                          "[-9007199254740993.000]",
                                          "{\"a\":9223372036854775807}",
                                          "18446744073709551616",
                                          "2036372036854775808",
                                          "1e400"};
    static const char *const form[] = {"{", "{\"a\":1,\"a\":2}", "\"\\ud800\"",
                                       "01"};
    mereau_bytes *out = mereau_bytes_new();
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(
            mereau_json_canonical(out, refused[i], strlen(refused[i]), &err),
            MEREAU_E_MALFORMED);
        assert_string_equal(err.rule, "json.number");
        assert_string_equal(mereau_bytes_text(out), "");
    }
    for (size_t i = 0; i < sizeof form / sizeof form[0]; i++)
        assert_int_equal(
            mereau_json_canonical(out, form[i], strlen(form[i]), &err),
            MEREAU_E_MALFORMED);
    canonical_is("[295147905179352830000]", "[295147905179352830000]");
    canonical_is("[9007199254740994.0]", "[9007199254740994]");
    canonical_is("[9007199254740992,-9007199254740991,1E30,4.50]",
                 "[9007199254740992,-9007199254740991,1e+30,4.5]");
    mereau_bytes_free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_documents_have_the_form_of_the_rfc),
        cmocka_unit_test(numbers_are_written_as_the_rfc_says_in_every_locale),
        cmocka_unit_test(infinities_and_what_is_no_number_are_not_written),
        cmocka_unit_test(the_shortest_digits_read_back_and_none_shorter_do),
        cmocka_unit_test(numbers_are_rounded_once_however_long_they_are),
        cmocka_unit_test(members_are_sorted_by_utf16_and_nothing_is_lost),
        cmocka_unit_test(what_a_double_would_change_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
