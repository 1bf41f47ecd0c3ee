/* tests/unit/test_field.c - the dictionary agrees with its header, which is its
 * documentation (include/mereau/field.h). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <mereau/field.h>

enum { LAST_NUMBER = 2000 };

/* "MEREAU_ACCESS_TOKEN" -> "access_token" */
static void lower(char *out, const char *constant) {
    for (constant += strlen("MEREAU_"); *constant != '\0'; constant++)
        *out++ = (char)tolower((unsigned char)*constant);
    *out = '\0';
}

static void
every_field_of_the_header_has_its_name_number_and_type(void **state) {
    char line[256], constant[64], name[64], type[2];
    int number, ran = 0, in_table = 0, last = 0;
    (void)state;
    FILE *file = fopen("include/mereau/field.h", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, " MEREAU_%*[A-Z0-9_] = %d", &number) != 1)
            continue;
        assert_int_equal(sscanf(line, " %63[A-Z0-9_] = %*d%*[, ] /* %1[TLIBDJ]",
                                constant, type),
                         2);
        lower(name, constant);
        if (number == MEREAU_NOT_BEFORE_POLICY)
            strcpy(name, "not-before-policy");
        assert_true(number > last); /* never two of one number */
        last = number;
        assert_non_null(mereau_field_name(number));
        assert_string_equal(mereau_field_name(number), name);
        assert_int_equal(mereau_field_find(name), number);
        assert_int_equal(mereau_field_type(number), type[0]);
        ran++;
    }
    fclose(file);
    for (number = 0; number <= LAST_NUMBER; number++)
        in_table += mereau_field_name(number) != NULL;
    assert_int_equal(in_table, ran);
    assert_in_range(ran, 100, LAST_NUMBER);
    printf("%d cases\n", ran);
}

static void unknown_fields_have_no_name_and_no_type(void **state) {
    static const int32_t unknown[] = {0,   -1,        99,       115,
                                      908, INT32_MIN, INT32_MAX};
    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        assert_null(mereau_field_name(unknown[i]));
        assert_int_equal(mereau_field_type(unknown[i]), 0);
    }
}

static void names_are_found_exactly_or_not_at_all(void **state) {
    (void)state;
    assert_int_equal(mereau_field_find(NULL), 0);
    assert_int_equal(mereau_field_find(""), 0);
    assert_int_equal(mereau_field_find("SCOPE"), 0);
    assert_int_equal(mereau_field_find("scop"), 0);
    assert_int_equal(mereau_field_find("scopes"), 0);
    assert_int_equal(mereau_field_find("not_before_policy"), 0);
    assert_int_equal(mereau_field_find("not-before-policy"),
                     MEREAU_NOT_BEFORE_POLICY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            every_field_of_the_header_has_its_name_number_and_type),
        cmocka_unit_test(unknown_fields_have_no_name_and_no_type),
        cmocka_unit_test(names_are_found_exactly_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
