/* tests/unit/test_document.c - building JSON documents (include/mereau/json.h), and
 * what happens to them without memory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <mereau/json.h>

#include "alloc.h"

static void build(mereau_json *doc) {
    mereau_json_set_text(doc, "sub", "ann \"\xc3\xa9\"\n");
    mereau_json_set_int(doc, "exp", INT64_C(9007199254740993));
    mereau_json_set_number(doc, "score", 0.1);
    mereau_json_set_bool(doc, "admin", 0);
    mereau_json_set_json(doc, "cnf", " {\"jkt\": \"x\"} ", 14);
    mereau_json_add_text(doc, "aud", "a");
    mereau_json_add_text(doc, "aud", "b");
}

static const char built[] =
    "{\"sub\":\"ann \\\"\xc3\xa9\\\"\\n\",\"exp\":9007199254740993,"
    "\"score\":0.1,\"admin\":false,\"cnf\":{\"jkt\": \"x\"},"
    "\"aud\":[\"a\",\"b\"]}";

static void a_document_is_what_was_set_in_order(void **state) {
    mereau_json *doc = mereau_json_new();
    mereau_bytes *out = mereau_bytes_new();
    (void)state;
    assert_int_equal(mereau_json_print(out, doc, NULL), MEREAU_OK);
    assert_string_equal(mereau_bytes_text(out), "{}");
    build(doc);
    assert_int_equal(mereau_json_print(out, doc, NULL), MEREAU_OK);
    assert_string_equal(mereau_bytes_text(out), built);
    mereau_json_free(doc);
    mereau_bytes_free(out);
}

static void a_member_that_is_set_again_is_replaced(void **state) {
    mereau_json *doc = mereau_json_new();
    mereau_bytes *out = mereau_bytes_new();
    (void)state;
    mereau_json_set_text(doc, "a", "1");
    mereau_json_set_int(doc, "b", 2);
    mereau_json_set_json(doc, "a", "[3]", 3);
    assert_int_equal(mereau_json_print(out, doc, NULL), MEREAU_OK);
    assert_string_equal(mereau_bytes_text(out), "{\"b\":2,\"a\":[3]}");
    mereau_json_free(doc);
    mereau_bytes_free(out);
}

/* A document that is a server's template: what it once held takes no room when it
 * is printed. Were it counted, these would be more than 2 GiB. */
static void a_document_may_be_filled_for_ever(void **state) {
    enum { LONG = 1000000, ROUNDS = 400 };
    mereau_json *doc = mereau_json_new();
    mereau_bytes *out = mereau_bytes_new();
    char *text = calloc(1, LONG + 1);
    (void)state;
    assert_non_null(text);
    memset(text, 'x', LONG);
    mereau_json_add_text(doc, "c", "d\"");
    for (int i = 0; i < ROUNDS; i++) {
        mereau_json_set_text(doc, "a", text);
        mereau_json_set_bool(doc, "b", 1);
        mereau_json_set_text(doc, "a", "");
        mereau_json_set_int(doc, "c", INT64_MIN);
        mereau_json_set_json(doc, "b", "null", 4);
    }
    assert_int_equal(mereau_json_print(out, doc, NULL), MEREAU_OK);
    assert_string_equal(mereau_bytes_text(out),
                        "{\"a\":\"\",\"c\":-9223372036854775808,"
                        "\"b\":null}");
    free(text);
    mereau_json_free(doc);
    mereau_bytes_free(out);
}

static void refused(mereau_json *doc, mereau_status status, const char *rule) {
    mereau_bytes *out = mereau_bytes_new();
    mereau_error err = MEREAU_ERROR_INIT;
    assert_int_equal(mereau_json_print(out, doc, &err), status);
    assert_string_equal(err.rule, rule);
    assert_string_equal(mereau_bytes_text(out), "");
    mereau_bytes_free(out);
    mereau_json_free(doc);
}

static void the_first_mistake_is_kept_and_named(void **state) {
    (void)state;
    mereau_json *doc = mereau_json_new();
    mereau_json_set_text(doc, NULL, "x");
    mereau_json_set_text(doc, "a", "x");
    refused(doc, MEREAU_E_ARG, "json.name");
    doc = mereau_json_new();
    mereau_json_set_text(doc, "a", "\xff");
    refused(doc, MEREAU_E_ARG, "json.value");
    doc = mereau_json_new();
    mereau_json_set_text(doc, "a", NULL);
    refused(doc, MEREAU_E_ARG, "json.value");
    doc = mereau_json_new();
    mereau_json_set_number(doc, "a", 1e308 * 10);
    refused(doc, MEREAU_E_ARG, "json.value");
    doc = mereau_json_new();
    mereau_json_set_text(doc, "a", "x");
    mereau_json_add_text(doc, "a", "y");
    refused(doc, MEREAU_E_ARG, "json.value");
    doc = mereau_json_new();
    mereau_json_set_json(doc, "a", "{\"b\":1,\"b\":2}", 13);
    mereau_json_set_json(doc, "a", "1", 1);
    refused(doc, MEREAU_E_MALFORMED, "json.duplicate");
    doc = mereau_json_new();
    mereau_json_set_json(doc, "a", NULL, 0);
    refused(doc, MEREAU_E_MALFORMED, "json.syntax");
}

static void without_memory_there_is_no_document(void **state) {
    (void)state;
    if (!test_alloc_available())
        skip();
    for (unsigned long n = 1;; n++) {
        long live = test_alloc_live();
        mereau_error err = MEREAU_ERROR_INIT;
        test_alloc_fail_at(n);
        mereau_json *doc = mereau_json_new();
        mereau_bytes *out = mereau_bytes_new();
        build(doc);
        mereau_status status = mereau_json_print(out, doc, &err);
        if (status == MEREAU_OK)
            status =
                mereau_json_canonical(out, "{\"b\":[1],\"a\":\"x\"}", 17, &err);
        int over = test_alloc_pending();
        test_alloc_fail_at(0);
        if (over) {
            assert_int_equal(status, MEREAU_OK);
            assert_string_equal(mereau_bytes_text(out),
                                "{\"a\":\"x\",\"b\":[1]}");
        } else if (test_alloc_reaches_others() || status != MEREAU_OK) {
            assert_int_equal(status, MEREAU_E_NOMEM);
            assert_string_equal(mereau_bytes_text(out), "");
        }
        mereau_json_free(doc);
        mereau_bytes_free(out);
        assert_int_equal(test_alloc_live(), live);
        if (over)
            break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_what_was_set_in_order),
        cmocka_unit_test(a_member_that_is_set_again_is_replaced),
        cmocka_unit_test(a_document_may_be_filled_for_ever),
        cmocka_unit_test(the_first_mistake_is_kept_and_named),
        cmocka_unit_test(without_memory_there_is_no_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
