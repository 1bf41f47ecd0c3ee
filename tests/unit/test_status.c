/* tests/unit/test_status.c - statuses, the error struct, and constants by name:
 * they agree with the headers, and tell callers no more than they should. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include <mereau/host.h>

#include "base/base.h"

static int is_one_of(const char *word, const char *const *words) {
    for (; *words != NULL; words++)
        if (strcmp(word, *words) == 0)
            return 1;
    return 0;
}

/* --- statuses --- */

static void every_status_of_the_header_is_in_the_table(void **state) {
    static const char *const words[] = {
        "server_error",   "invalid_request", "invalid_token", "invalid_grant",
        "invalid_client", "invalid_scope",   "access_denied", NULL};
    char line[256], name[64];
    int number, ran = 0;
    (void)state;
    FILE *file = fopen("include/mereau/error.h", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, " %63[A-Z0-9_] = %d", name, &number) != 2)
            continue;
        assert_string_equal(mereau_status_name(number), name);
        assert_true(strlen(mereau_status_text(number)) > 5);
        assert_true(is_one_of(mereau_status_oauth(number), words));
        int32_t http = mereau_status_http(number);
        assert_true(http == 400 || http == 401 || http == 403 || http == 500 ||
                    http == 503);
        assert_int_equal(http >= 500, strcmp(mereau_status_oauth(number),
                                             "server_error") == 0);
        if (number > -200 || number < -400)
            assert_string_equal(mereau_status_oauth(number), "server_error");
        ran++;
    }
    fclose(file);
    assert_in_range(ran, 44, 200);
    printf("%d cases\n", ran);
}

static void ok_is_done_and_has_no_word(void **state) {
    (void)state;
    assert_string_equal(mereau_status_name(MEREAU_OK), "MEREAU_OK");
    assert_string_equal(mereau_status_oauth(MEREAU_OK), "");
    assert_int_equal(mereau_status_http(MEREAU_OK), 200);
    assert_int_equal(mereau_status_can_retry(MEREAU_OK), 0);
}

static void
a_bad_credential_is_invalid_grant_whatever_the_reason(void **state) {
    static const mereau_status statuses[] = {
        MEREAU_E_MALFORMED, MEREAU_E_KIND,       MEREAU_E_UNKNOWN,
        MEREAU_E_EXPIRED,   MEREAU_E_NOT_YET,    MEREAU_E_USED_UP,
        MEREAU_E_REUSED,    MEREAU_E_REVOKED,    MEREAU_E_DISABLED,
        MEREAU_E_WRONG_APP, MEREAU_E_NOT_BEFORE, MEREAU_E_DEVICE,
        MEREAU_E_BLOCKED,   MEREAU_E_ENROLLED};
    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        assert_string_equal(mereau_status_oauth(statuses[i]), "invalid_grant");
    /* Guessing must not tell form from secret. */
    assert_int_equal(mereau_status_http(MEREAU_E_MALFORMED),
                     mereau_status_http(MEREAU_E_UNKNOWN));
}

static void a_jwt_that_does_not_prove_itself_is_401(void **state) {
    static const mereau_status statuses[] = {
        MEREAU_E_ALG,    MEREAU_E_KEY_UNKNOWN, MEREAU_E_SIGNATURE,
        MEREAU_E_KIND,   MEREAU_E_EXPIRED,     MEREAU_E_NOT_YET,
        MEREAU_E_ISSUER, MEREAU_E_AUDIENCE,    MEREAU_E_NOT_BEFORE,
        MEREAU_E_CLAIM,  MEREAU_E_CLIENT};
    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        assert_int_equal(mereau_status_http(statuses[i]), 401);
    assert_string_equal(mereau_status_oauth(MEREAU_E_SIGNATURE),
                        "invalid_token");
    assert_string_equal(mereau_status_oauth(MEREAU_E_CLIENT), "invalid_client");
    assert_string_equal(mereau_status_oauth(MEREAU_E_SCOPE), "invalid_scope");
}

static void
what_passes_by_itself_can_be_retried_and_nothing_else(void **state) {
    static const mereau_status can[] = {
        MEREAU_E_BUSY,  MEREAU_E_UNCERTAIN, MEREAU_E_STORE, MEREAU_E_NOMEM,
        MEREAU_E_CLOCK, MEREAU_E_RANDOM,    MEREAU_E_SIGNER};
    int n = 0;
    (void)state;
    for (size_t i = 0; i < sizeof can / sizeof *can; i++)
        assert_int_equal(mereau_status_can_retry(can[i]), 1);
    for (mereau_status s = -1000; s <= 1000; s++)
        n += mereau_status_can_retry(s);
    assert_int_equal(n, (int)(sizeof can / sizeof *can));
    assert_int_equal(mereau_status_http(MEREAU_E_BUSY), 503);
    assert_int_equal(mereau_status_http(MEREAU_E_UNCERTAIN), 503);
    assert_int_equal(mereau_status_http(MEREAU_E_STORE), 503);
}

static void an_unknown_status_is_treated_as_its_class(void **state) {
    (void)state;
    assert_string_equal(mereau_status_name(-199), "MEREAU_E_1XX");
    assert_string_equal(mereau_status_oauth(-100), "server_error");
    assert_string_equal(mereau_status_name(-299), "MEREAU_E_2XX");
    assert_string_equal(mereau_status_name(-399), "MEREAU_E_3XX");
    assert_string_equal(mereau_status_oauth(-399), "invalid_grant");
    assert_string_equal(mereau_status_name(-499), "MEREAU_E_4XX");
    assert_string_equal(mereau_status_name(-599), "MEREAU_E_5XX");
    /* What is no status at all never looks like success. */
    const mereau_status strange[] = {1, -1, -99, -600, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        assert_string_equal(mereau_status_name(strange[i]), "MEREAU_E_5XX");
        assert_int_equal(mereau_status_http(strange[i]), 500);
    }
}

/* --- the error struct --- */

static void a_refusal_explains_itself_in_one_sentence(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    assert_int_equal(mru_refuse(&err, MEREAU_E_USED_UP,
                                "registration_token.count", "PRODUCTS S4",
                                "at most 2 devices", "a third device"),
                     MEREAU_E_USED_UP);
    assert_int_equal(err.status, MEREAU_E_USED_UP);
    assert_int_equal(err.host_code, 0);
    assert_string_equal(err.rule, "registration_token.count");
    assert_string_equal(err.source, "PRODUCTS S4");
    assert_string_equal(err.wanted, "at most 2 devices");
    assert_string_equal(err.found, "a third device");
    assert_string_equal(err.text,
                        "all its counts are taken: wanted at most 2 devices, "
                        "found a third device (registration_token.count, "
                        "PRODUCTS S4)");
}

static void absent_parts_are_left_out_of_the_sentence(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    mru_refuse(&err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    assert_string_equal(err.text, "out of memory");
    mru_refuse(&err, MEREAU_E_NOMEM, "r", NULL, NULL, NULL);
    assert_string_equal(err.text, "out of memory (r)");
    mru_refuse(&err, MEREAU_E_NOMEM, NULL, "s", NULL, "f");
    assert_string_equal(err.text, "out of memory: found f (s)");
    mru_refuse(&err, MEREAU_E_NOMEM, NULL, NULL, "w", "");
    assert_string_equal(err.text, "out of memory: wanted w");
    mru_refuse_host(&err, MEREAU_E_CLOCK, -7, "clock.now", NULL, NULL);
    assert_string_equal(err.text, "the clock failed: host code -7 (clock.now)");
    assert_int_equal(err.host_code, -7);
    mru_refuse_host(&err, MEREAU_E_STORE, 4, NULL, "w", NULL);
    assert_string_equal(err.text, "the store failed: wanted w, host code 4");
    mru_refuse(&err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    assert_int_equal(err.host_code, 0);
}

static void what_came_from_outside_cannot_forge_a_log_line(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    mru_refuse(&err, MEREAU_E_ISSUER, NULL, NULL, NULL,
               "a\nb\\\x1b[0m\xc3\xa9\x7f");
    assert_string_equal(err.found, "a\\x0ab\\x5c\\x1b[0m\\xc3\\xa9\\x7f");
    assert_null(strchr(err.text, '\n'));
}

static void long_texts_are_cut_between_characters(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    char text[600];
    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    mru_refuse(&err, MEREAU_E_ARG, text, text, text, text);
    assert_int_equal(strlen(err.rule), sizeof err.rule - 1);
    assert_int_equal(strlen(err.source), sizeof err.source - 1);
    assert_int_equal(strlen(err.wanted), sizeof err.wanted - 1);
    assert_int_equal(strlen(err.found), sizeof err.found - 1);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    memset(text, 'a', 45);
    strcpy(text + 45, "\nb"); /* 48 - 1 - 45 is too little for \x0a */
    mru_refuse(&err, MEREAU_E_ARG, text, NULL, NULL, NULL);
    assert_int_equal(strlen(err.rule), 45);
}

static void an_error_may_be_explained_with_its_own_texts(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    (void)state;
    mru_refuse(&err, MEREAU_E_ARG, "rule", NULL, "w", "f");
    mru_refuse(&err, MEREAU_E_FIELD, err.rule, NULL, err.found, err.wanted);
    assert_string_equal(err.wanted, "f");
    assert_string_equal(err.found, "w");
}

static void a_struct_of_another_size_is_left_alone(void **state) {
    mereau_error err, before;
    (void)state;
    memset(&err, 0x5A, sizeof err);
    err.size = sizeof err - 1;
    before = err;
    assert_int_equal(mru_refuse(&err, MEREAU_E_ARG, "r", "s", "w", "f"),
                     MEREAU_E_ARG);
    assert_int_equal(mru_refuse_host(&err, MEREAU_E_STORE, 1, "r", "w", "f"),
                     MEREAU_E_STORE);
    assert_int_equal(mru_error_reset(&err), MEREAU_E_SIZE);
    assert_memory_equal(&err, &before, sizeof err);
    assert_int_equal(mru_refuse(NULL, MEREAU_E_ARG, "r", "s", "w", "f"),
                     MEREAU_E_ARG);
    assert_int_equal(mru_error_reset(NULL), MEREAU_OK);
    mereau_error_init(NULL, sizeof err);
}

static void reset_and_init_clear_everything(void **state) {
    mereau_error err = MEREAU_ERROR_INIT, empty = MEREAU_ERROR_INIT;
    (void)state;
    mru_refuse_host(&err, MEREAU_E_STORE, 1, "r", "w", "f");
    assert_int_equal(mru_error_reset(&err), MEREAU_OK);
    assert_memory_equal(&err, &empty, sizeof err);
    memset(&err, 0x5A, sizeof err);
    mereau_error_init(&err, sizeof err);
    assert_memory_equal(&err, &empty, sizeof err);
    assert_int_equal(sizeof err, 512);
}

static void say_is_cut_and_terminated(void **state) {
    char out[4] = "zzz";
    (void)state;
    mru_say(out, sizeof out, "%d", 123456);
    assert_string_equal(out, "123");
    mru_say(out, 0, "%d", 9);
    assert_string_equal(out, "123");
}

/* --- constants by name --- */

/* Takes the constants of one header: those of an enum, and those #defined with
 * a value. Fields are not meant (field.h), nor is what is no number. */
static int check_header(const char *path) {
    char line[256], name[64], value[64];
    int ran = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        name[0] = value[0] = '\0';
        int is_enum =
            sscanf(line, " MEREAU_%63[A-Z0-9_] = %63[0-9-]", name, value) == 2;
        if (!is_enum &&
            sscanf(line, "#define MEREAU_%63[A-Z0-9_] %63s", name, value) < 2)
            continue;
        if (strcmp(name, "API") == 0 || strstr(name, "_INIT") != NULL)
            continue;
        int64_t found = mereau_constant(name);
        if (strcmp(name, "UNSET") != 0 && found == MEREAU_UNSET)
            fail_msg("%s of %s is forgotten", name, path);
        if (is_enum)
            assert_int_equal(found, strtol(value, NULL, 10));
        ran++;
    }
    fclose(file);
    return ran;
}

static void every_constant_of_the_headers_is_found_by_name(void **state) {
    static const char *const headers[] = {
        "app",          "audit",  "base",   "ctx",     "error",    "host",
        "jwt",          "key",    "mereau", "op",      "sqlite",   "system",
        "registration", "tenant", "token",  "testing", "postgres", NULL};
    char path[64];
    int ran = 0;
    (void)state;
    for (size_t i = 0; headers[i] != NULL; i++) {
        snprintf(path, sizeof path, "include/mereau/%s.h", headers[i]);
        ran += check_header(path);
    }
    assert_in_range(ran, 100, 1000);
    printf("%d cases\n", ran);
}

static void constants_without_a_type_of_their_own(void **state) {
    (void)state;
    assert_true(mereau_constant("UNSET") == MEREAU_UNSET);
    assert_true(mereau_constant("NOW") == MEREAU_NOW);
    assert_true((uint64_t)mereau_constant("VERSION_ANY") == MEREAU_VERSION_ANY);
    assert_true(mereau_constant("VERSION_ABSENT") == 0);
    assert_true(mereau_constant("OK") == 0);
    assert_true(mereau_unset() == MEREAU_UNSET);
    assert_true(mereau_constant(NULL) == MEREAU_UNSET);
    assert_true(mereau_constant("MEREAU_OK") == MEREAU_UNSET);
    assert_true(mereau_constant("ok") == MEREAU_UNSET);
    assert_true(mereau_constant("SCOPE") == MEREAU_UNSET);
    assert_string_equal(mereau_version(), "0.2.0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_of_the_header_is_in_the_table),
        cmocka_unit_test(ok_is_done_and_has_no_word),
        cmocka_unit_test(a_bad_credential_is_invalid_grant_whatever_the_reason),
        cmocka_unit_test(a_jwt_that_does_not_prove_itself_is_401),
        cmocka_unit_test(what_passes_by_itself_can_be_retried_and_nothing_else),
        cmocka_unit_test(an_unknown_status_is_treated_as_its_class),
        cmocka_unit_test(a_refusal_explains_itself_in_one_sentence),
        cmocka_unit_test(absent_parts_are_left_out_of_the_sentence),
        cmocka_unit_test(what_came_from_outside_cannot_forge_a_log_line),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(an_error_may_be_explained_with_its_own_texts),
        cmocka_unit_test(a_struct_of_another_size_is_left_alone),
        cmocka_unit_test(reset_and_init_clear_everything),
        cmocka_unit_test(say_is_cut_and_terminated),
        cmocka_unit_test(every_constant_of_the_headers_is_found_by_name),
        cmocka_unit_test(constants_without_a_type_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
