/* tests/postgres/lives.c - see lives.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <mereau/postgres.h>

#include "lives.h"

static mereau_store *open_with(const char *conninfo, uint32_t lock_ms) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    options.conninfo = conninfo;
    options.lock_ms = lock_ms;
    if (mereau_postgres_open_with(&store, &options, &err) != MEREAU_OK)
        fprintf(stderr, "%s\n", err.text);
    return store;
}

mereau_store *lives_open(const char *conninfo) {
    return open_with(conninfo, 0);
}

void lives_begin(struct server *server, struct crowd *crowd,
                 const char *conninfo, uint32_t lock_ms) {
    mereau_store *store = open_with(conninfo, lock_ms); /* makes the table */
    assert_int_equal(
        server_sql(server->conninfo, "TRUNCATE mereau_record", NULL, 0), 0);
    crowd_open(crowd, store);
}

void lives_end(struct server *server, struct crowd *crowd,
               struct crowd_sum *sum) {
    crowd_stop(crowd);
    crowd_close(crowd);
    crowd_check(crowd, lives_open(server->conninfo), sum, 1);
}
