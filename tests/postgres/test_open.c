/* tests/postgres/test_open.c - opening a PostgreSQL store: its options, its tables,
 * other people's tables, what the server promises, the host's pool, forks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include <mereau/postgres.h>

#include "../store/support.h"
#include "server.h"

static struct server server;

static int set_up(void **state) {
    (void)state;
    return server_make(&server);
}

static int tear_down(void **state) {
    (void)state;
    server_remove(&server);
    return 0;
}

static void sql(const char *text) {
    assert_int_equal(server_sql(server.conninfo, text, NULL, 0), 0);
}

static void assert_answer(const char *text, const char *wanted) {
    char found[128];
    assert_int_equal(server_sql(server.conninfo, text, found, sizeof found), 0);
    assert_string_equal(found, wanted);
}

/* Each test begins without tables. */
static int without_tables(void **state) {
    (void)state;
    return server_sql(server.conninfo,
                      "DROP TABLE IF EXISTS mereau_record, mereau_schema", NULL,
                      0);
}

static mereau_store *open_store(void) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    if (mereau_postgres_open(&store, server.conninfo, &err) != MEREAU_OK)
        print_message("%s\n", err.text);
    assert_non_null(store);
    return store;
}

/* "42P01" as a number of base 36, as err.host_code gives it. */
static int32_t state_number(const char *state) {
    return (int32_t)strtol(state, NULL, 36);
}

/* --- options --- */

static int32_t take_nothing(void *user, struct pg_conn **out) {
    (void)user;
    (void)out;
    return MEREAU_STORE_BUSY;
}

static void give_nothing(void *user, struct pg_conn *conn, int32_t broken) {
    (void)user;
    (void)conn;
    (void)broken;
}

static void nulls_and_wrong_options_are_refused(void **state) {
    mereau_store *store = NULL;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_postgres_options o;
    const mereau_postgres_options none = MEREAU_POSTGRES_OPTIONS_INIT;
    (void)state;

    mereau_postgres_options_init(NULL, sizeof o);
    mereau_postgres_options_init(&o, sizeof o);
    assert_memory_equal(&o, &none, sizeof o);
    assert_string_equal(mereau_postgres_warning(NULL), "");
    assert_int_equal(mereau_postgres_open(NULL, server.conninfo, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_postgres_open(&store, NULL, NULL), MEREAU_E_ARG);
    assert_int_equal(mereau_postgres_open_with(NULL, &none, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_postgres_open_with(&store, NULL, &err),
                     MEREAU_E_ARG);
    assert_int_equal(mereau_postgres_open_with(&store, &none, &err),
                     MEREAU_E_ARG);
#define REFUSED(member, value, status)                                         \
    o = none;                                                                  \
    o.conninfo = server.conninfo;                                              \
    o.member = value;                                                          \
    assert_int_equal(mereau_postgres_open_with(&store, &o, &err), status);     \
    assert_null(store)
    REFUSED(size, 8, MEREAU_E_SIZE);
    REFUSED(size, sizeof o + 8, MEREAU_E_SIZE);
    REFUSED(flags, 8, MEREAU_E_ARG);
    REFUSED(reserved, 1, MEREAU_E_ARG);
    REFUSED(max_connections, 1001, MEREAU_E_ARG);
    REFUSED(lock_ms, 15000, MEREAU_E_ARG);
    REFUSED(timeout_ms, 2000, MEREAU_E_ARG);
    REFUSED(timeout_ms, 3600001, MEREAU_E_ARG);
    REFUSED(take, take_nothing, MEREAU_E_ARG);
    o.conninfo = NULL;
    assert_int_equal(mereau_postgres_open_with(&store, &o, &err), MEREAU_E_ARG);
    o.give = give_nothing;
    assert_int_equal(mereau_postgres_open_with(&store, &o, &err),
                     MEREAU_E_STORE);
}

static void a_password_is_in_no_error(void **state) {
    static const char *const strings[] = {
        "host=127.0.0.1 password='geheim",
        "geheim",
        "geheim host=x",
        "postgresql://user:geheim@127.0.0.1:x/db",
        "nonsense=geheim",
        "host=127.0.0.1 port=1 user=u password=geheim dbname=d",
        "postgresql://u:geheim@127.0.0.1:1/d?connect_timeout=2"};
    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        mereau_error err = MEREAU_ERROR_INIT;
        mereau_store *store = NULL;
        mereau_status status = mereau_postgres_open(&store, strings[i], &err);
        assert_true(status == MEREAU_E_ARG || status == MEREAU_E_STORE);
        assert_null(store);
        assert_null(strstr(err.text, "geheim"));
        assert_true(err.text[0] != 0);
    }
}

/* --- tables --- */

static void tables_are_made_once(void **state) {
    mereau_store *store = open_store();
    (void)state;
    assert_answer("SELECT version FROM mereau_schema", "1");
    assert_answer("SELECT count(*) FROM mereau_schema", "1");
    assert_int_equal(put(store, "a", 0, 7, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
    store = open_store();
    assert_int_equal(version_of(store, "a", NULL), 7);
    mereau_store_close(store);
}

static void newer_schema_is_refused_and_not_touched(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    (void)state;
    mereau_store_close(open_store());
    sql("UPDATE mereau_schema SET version=2");
    assert_int_equal(mereau_postgres_open(&store, server.conninfo, &err),
                     MEREAU_E_UNSUPPORTED);
    assert_null(store);
    assert_string_equal(err.rule, "postgres.schema");
    assert_answer("SELECT version FROM mereau_schema", "2");
}

/* As an engine leaves it that does not undo the making of a table. */
static void half_made_tables_are_finished(void **state) {
    mereau_store *store;
    (void)state;
    sql("CREATE TABLE mereau_schema(id integer PRIMARY KEY,"
        "version integer NOT NULL,probe bigint NOT NULL)");
    store = open_store();
    assert_int_equal(put(store, "a", 0, 7, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
    sql("UPDATE mereau_schema SET version=0");
    store = open_store();
    assert_int_equal(version_of(store, "a", NULL), 7);
    assert_answer("SELECT version FROM mereau_schema", "1");
    mereau_store_close(store);
}

static void table_of_another_program_is_refused_and_not_touched(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    (void)state;
    sql("CREATE TABLE mereau_record(theirs integer)");
    assert_int_equal(mereau_postgres_open(&store, server.conninfo, &err),
                     MEREAU_E_STORE);
    assert_null(store);
    assert_string_equal(err.rule, "postgres.schema");
    assert_answer("SELECT count(*) FROM information_schema.tables"
                  " WHERE table_name='mereau_schema'",
                  "0");
}

static void a_user_without_rights_is_told_the_state(void **state) {
    char conninfo[256];
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    (void)state;
    mereau_store_close(open_store());
    sql("DROP ROLE IF EXISTS guest");
    sql("CREATE ROLE guest LOGIN");
    snprintf(conninfo, sizeof conninfo, "%s user=guest", server.conninfo);
    assert_int_equal(mereau_postgres_open(&store, conninfo, &err),
                     MEREAU_E_STORE);
    assert_int_equal(err.host_code, state_number("42501"));
}

static void processes_make_the_tables_at_once(void **state) {
    enum { N = 8, ROUNDS = 6 };
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        pid_t children[N];
        mereau_store *store;
        char key[8];
        without_tables(NULL);
        for (unsigned i = 0; i < N; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                int32_t result = MEREAU_STORE_IO;
                mereau_error err = MEREAU_ERROR_INIT;
                if (mereau_postgres_open(&store, server.conninfo, &err) ==
                    MEREAU_OK) {
                    snprintf(key, sizeof key, "k%u", i);
                    result = put(store, key, 0, i + 1, "x");
                    mereau_store_close(store);
                } else {
                    fprintf(stderr, "%s\n", err.text);
                }
                _exit(result != MEREAU_STORE_OK);
            }
            assert_true(children[i] > 0);
        }
        for (unsigned i = 0; i < N; i++) {
            int status;
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_true(WIFEXITED(status));
            assert_int_equal(WEXITSTATUS(status), 0);
        }
        assert_answer("SELECT count(*) FROM mereau_record", "8");
        assert_answer("SELECT count(*) FROM mereau_schema", "1");
    }
}

/* --- what the server promises --- */

static void durable_only_when_the_server_earns_it(void **state) {
    static const char *const settings[] = {"fsync=off", "full_page_writes=off",
                                           "synchronous_commit=off"};
    mereau_store *store = open_store();
    (void)state;
    assert_true((store->caps & MEREAU_CAP_DURABLE) != 0);
    assert_string_equal(mereau_postgres_warning(store), "");
    mereau_store_close(store);
    for (int i = 0; i < 3; i++) {
        server_stop(&server, SIGINT);
        assert_int_equal(server_start(&server, settings[i]), 0);
        store = open_store();
        assert_true((store->caps & MEREAU_CAP_DURABLE) == 0);
        assert_non_null(strstr(mereau_postgres_warning(store), settings[i]));
        mereau_store_close(store);
    }
    server_stop(&server, SIGINT);
    assert_int_equal(server_start(&server, NULL), 0);
}

static void a_durable_store_does_not_go_on_without(void **state) {
    mereau_store *store = open_store();
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    server_stop(&server, SIGINT);
    assert_int_equal(server_start(&server, "fsync=off"), 0);
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_IO);
    server_stop(&server, SIGINT);
    assert_int_equal(server_start(&server, NULL), 0);
    assert_int_equal(version_of(store, "a", NULL), 1);
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
}

static void what_a_session_began_with_it_keeps(void **state) {
    mereau_store *store = open_store();
    char found[16];
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    sql("ALTER SYSTEM SET synchronous_commit=off");
    sql("SELECT pg_reload_conf()");
    for (int i = 0; i < 1000; i++) { /* a connection each: a while */
        assert_int_equal(server_sql(server.conninfo, "SHOW synchronous_commit",
                                    found, sizeof found),
                         0);
        if (strcmp(found, "off") == 0)
            break;
    }
    assert_string_equal(found, "off");
    /* The one session that there is goes on durably. */
    sql("CREATE TABLE seen(v text)");
    sql("CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO seen VALUES(current_setting('synchronous_commit'));"
        " RETURN NULL; END $$");
    sql("CREATE TRIGGER look AFTER UPDATE ON mereau_record"
        " FOR EACH ROW EXECUTE FUNCTION look()");
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_OK);
    assert_answer("SELECT v FROM seen", "on");
    sql("DROP FUNCTION look() CASCADE");
    sql("DROP TABLE seen");
    sql("ALTER SYSTEM RESET synchronous_commit");
    sql("SELECT pg_reload_conf()");
    mereau_store_close(store);
}

static void a_server_without_writes_is_refused(void **state) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    char conninfo[300];
    (void)state;
    snprintf(conninfo, sizeof conninfo,
             "%s options=-cdefault_transaction_read_only=on", server.conninfo);
    assert_int_equal(mereau_postgres_open(&store, conninfo, &err),
                     MEREAU_E_STORE);
    assert_string_equal(err.rule, "postgres.connect");
}

/* --- the host's pool --- */

struct pool {
    PGconn *conn;
    int n_taken, n_given, n_broken;
    int32_t answer;
};

static int32_t take(void *user, struct pg_conn **out) {
    struct pool *pool = user;
    if (pool->answer != 0)
        return pool->answer;
    pool->n_taken++;
    *out = pool->conn;
    return 0;
}

static void give(void *user, struct pg_conn *conn, int32_t broken) {
    struct pool *pool = user;
    assert_ptr_equal(conn, pool->conn);
    pool->n_given++;
    pool->n_broken += broken;
    if (broken)
        PQreset(conn);
}

static mereau_store *open_on(struct pool *pool, uint32_t flags) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    mereau_store *store = NULL;
    memset(pool, 0, sizeof *pool);
    pool->conn = PQconnectdb(server.conninfo);
    options.user = pool;
    options.take = take;
    options.give = give;
    options.flags = flags;
    assert_int_equal(mereau_postgres_open_with(&store, &options, NULL),
                     MEREAU_OK);
    return store;
}

static void host_sql(struct pool *pool, const char *text) {
    PGresult *result = PQexec(pool->conn, text);
    assert_true(PQresultStatus(result) == PGRES_COMMAND_OK ||
                PQresultStatus(result) == PGRES_TUPLES_OK);
    PQclear(result);
}

static void the_hosts_connections_are_borrowed_and_given_back(void **state) {
    struct pool pool;
    mereau_store *store = open_on(&pool, 0);
    int32_t result;
    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(put(store, "a", i, i + 1, "x"), MEREAU_STORE_OK);
        assert_int_equal(version_of(store, "a", NULL), i + 1);
        assert_int_equal(pool.n_taken, pool.n_given);
        /* As it was: blocking, no pipeline, no transaction. */
        assert_int_equal(PQisnonblocking(pool.conn), 0);
        host_sql(&pool, "SELECT 1");
    }
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_CONFLICT);
    assert_int_equal(pool.n_broken, 0);
    host_sql(&pool, "SHOW lock_timeout"); /* and not set by us */
    pool.answer = MEREAU_STORE_BUSY;
    assert_int_equal(put(store, "a", 10, 11, "x"), MEREAU_STORE_BUSY);
    version_of(store, "a", &result);
    assert_int_equal(result, MEREAU_STORE_BUSY);
    mereau_store_close(store);
    PQfinish(pool.conn);
}

static void a_conflict_costs_no_connection(void **state) {
    static const uint32_t flags[] = {0, MEREAU_POSTGRES_EXPLICIT,
                                     MEREAU_POSTGRES_POOLER};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct pool pool;
        mereau_store *store = open_on(&pool, flags[i]);
        assert_int_equal(put(store, "a", MEREAU_VERSION_ANY, 1, "x"),
                         MEREAU_STORE_OK);
        assert_int_equal(put(store, "a", 7, 8, "x"), MEREAU_STORE_CONFLICT);
        assert_int_equal(put(store, "a", 0, 8, "x"), MEREAU_STORE_CONFLICT);
        assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_OK);
        assert_int_equal(pool.n_broken, 0);
        mereau_store_close(store);
        PQfinish(pool.conn);
    }
}

static void statements_are_prepared_anew_where_they_are_gone(void **state) {
    struct pool pool;
    mereau_store *store = open_on(&pool, 0);
    int32_t result;
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    host_sql(&pool, "DISCARD ALL");
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_BUSY);
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_OK);
    host_sql(&pool, "DEALLOCATE ALL");
    version_of(store, "a", &result);
    assert_int_equal(result, MEREAU_STORE_BUSY);
    assert_int_equal(version_of(store, "a", NULL), 2);
    assert_int_equal(pool.n_broken, 0);
    PQreset(pool.conn); /* told by libpq: no call is lost */
    assert_int_equal(put(store, "a", 2, 3, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
    PQfinish(pool.conn);
}

static void a_connection_that_is_in_use_is_not_used(void **state) {
    struct pool pool;
    mereau_store *store = open_on(&pool, 0);
    (void)state;
    host_sql(&pool, "BEGIN");
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_IO);
    assert_int_equal(pool.n_broken, 1);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
    PQfinish(pool.conn);
}

/* --- the own pool --- */

enum { CALLERS = 24 };

struct caller {
    mereau_store *store;
    unsigned index;
    int wrong;
};

static void *commit_each(void *arg) {
    struct caller *caller = arg;
    char key[16];
    for (unsigned i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "%u-%u", caller->index, i);
        caller->wrong += put(caller->store, key, 0, 1, "x") != MEREAU_STORE_OK;
    }
    return NULL;
}

static void no_more_connections_than_allowed(void **state) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    struct caller callers[CALLERS];
    pthread_t threads[CALLERS];
    mereau_store *store = NULL;
    (void)state;
    options.conninfo = server.conninfo;
    options.max_connections = 3;
    assert_int_equal(mereau_postgres_open_with(&store, &options, NULL),
                     MEREAU_OK);
    for (unsigned i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){store, i, 0};
        assert_int_equal(
            pthread_create(&threads[i], NULL, commit_each, &callers[i]), 0);
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(callers[i].wrong, 0);
    }
    assert_answer("SELECT count(*) FROM pg_stat_activity"
                  " WHERE application_name='mereau'",
                  "3");
    mereau_store_close(store);
}

/* --- processes --- */

static void store_is_not_used_across_a_fork(void **state) {
    mereau_store *store = open_store();
    int status;
    pid_t child;
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    child = fork();
    if (child == 0) {
        int32_t result = MEREAU_STORE_OK;
        int wrong = put(store, "a", 1, 2, "y") != MEREAU_STORE_IO;
        version_of(store, "a", &result);
        wrong |= result != MEREAU_STORE_IO;
        mereau_store_close(store); /* leaves the parent's session alone */
        _exit(wrong);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_answer("SELECT count(*) FROM pg_stat_activity"
                  " WHERE application_name='mereau'",
                  "1");
    assert_int_equal(put(store, "a", 1, 2, "y"), MEREAU_STORE_OK);
    mereau_store_close(store);
}

#define FRESH(test) cmocka_unit_test_setup_teardown(test, without_tables, NULL)

int main(void) {
    const struct CMUnitTest tests[] = {
        FRESH(nulls_and_wrong_options_are_refused),
        FRESH(a_password_is_in_no_error),
        FRESH(tables_are_made_once),
        FRESH(newer_schema_is_refused_and_not_touched),
        FRESH(half_made_tables_are_finished),
        FRESH(table_of_another_program_is_refused_and_not_touched),
        FRESH(a_user_without_rights_is_told_the_state),
        FRESH(processes_make_the_tables_at_once),
        FRESH(durable_only_when_the_server_earns_it),
        FRESH(a_durable_store_does_not_go_on_without),
        FRESH(what_a_session_began_with_it_keeps),
        FRESH(a_server_without_writes_is_refused),
        FRESH(the_hosts_connections_are_borrowed_and_given_back),
        FRESH(a_conflict_costs_no_connection),
        FRESH(statements_are_prepared_anew_where_they_are_gone),
        FRESH(a_connection_that_is_in_use_is_not_used),
        FRESH(no_more_connections_than_allowed),
        FRESH(store_is_not_used_across_a_fork),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
