/* tests/vectors/wycheproof.c - reading and counting for wycheproof.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "wycheproof.h"

const cJSON *wyc_member(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

int wyc_number(const cJSON *object, const char *name) {
    const cJSON *number = wyc_member(object, name);
    assert_true(cJSON_IsNumber(number));
    return number->valueint;
}

int wyc_is(const cJSON *test, const char *result) {
    return strcmp(vec_text(test, "result"), result) == 0;
}

void wyc_load(struct wyc *w, const char *name) {
    char path[128];
    memset(w, 0, sizeof *w);
    w->count.file = name;
    snprintf(path, sizeof path, "tests/vectors/wycheproof/%s", name);
    w->root = vec_load(path);
    w->groups = wyc_member(w->root, "testGroups");
    assert_true(cJSON_IsArray(w->groups));
}

void wyc_answer(struct wyc *w, const cJSON *test, int accepted) {
    char id[16];
    snprintf(id, sizeof id, "%d", wyc_number(test, "tcId"));
    vec_case(&w->count, id, vec_text(test, "comment"),
             wyc_is(test, "valid") == accepted);
}

void wyc_unsupported(struct wyc *w, int tests, const char *why) {
    size_t i = 0;
    w->count.unsupported += tests;
    while (w->reasons[i].why && strcmp(w->reasons[i].why, why) != 0)
        i++;
    assert_true(i < sizeof w->reasons / sizeof w->reasons[0] - 1);
    w->reasons[i].why = why;
    w->reasons[i].n += tests;
}

void wyc_unsupported_group(struct wyc *w, const cJSON *group, const char *why) {
    wyc_unsupported(w, cJSON_GetArraySize(wyc_member(group, "tests")), why);
}

void wyc_end(struct wyc *w, int ran) {
    int all = 0;
    const cJSON *group;
    cJSON_ArrayForEach(group, w->groups) all +=
        cJSON_GetArraySize(wyc_member(group, "tests"));
    for (size_t i = 0; w->reasons[i].why; i++)
        print_message("%s: %d unsupported: %s\n", w->count.file,
                      w->reasons[i].n, w->reasons[i].why);
    vec_end(&w->count, ran);
    assert_int_equal(w->count.run, ran);
    assert_int_equal(w->count.run + w->count.unsupported, all);
    cJSON_Delete(w->root);
}
