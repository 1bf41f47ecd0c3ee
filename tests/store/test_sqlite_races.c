/* tests/store/test_sqlite_races.c - processes on one SQLite file that race for what
 * may be had once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <mereau/sqlite.h>

#include "race.h"
#include "support.h"

static mereau_store *open_file(void *path) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    if (mereau_sqlite_open(&store, path, &err) != MEREAU_OK)
        print_error("%s\n", err.text);
    return store;
}

static void on_a_file(void (*race)(race_open *open, void *user)) {
    struct folder folder;
    char path[128];
    assert_int_equal(folder_make(&folder), 0);
    folder_file(&folder, "store.db", path);
    race(open_file, path);
    folder_remove(&folder);
}

static void one_process_has_the_last_count(void **state) {
    (void)state;
    on_a_file(race_for_the_last_count);
}

static void one_process_exchanges_an_auth_token(void **state) {
    (void)state;
    on_a_file(race_for_the_one_exchange);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_process_has_the_last_count),
        cmocka_unit_test(one_process_exchanges_an_auth_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
