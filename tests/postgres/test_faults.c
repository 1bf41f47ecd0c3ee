/* tests/postgres/test_faults.c - what goes wrong in a PostgreSQL server, and what
 * the store makes of it: locks, deadlocks, sessions that are ended, a server that
 * is down, hangs or crashes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* Each test begins without tables, and without what a failed one left open. */
static int empty(void **state) {
    (void)state;
    if (server_sql(server.conninfo,
                   "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                   " WHERE datname='postgres' AND pid<>pg_backend_pid()",
                   NULL, 0) != 0)
        return -1;
    return server_sql(server.conninfo,
                      "DROP TABLE IF EXISTS mereau_record, mereau_schema", NULL,
                      0);
}

static void pause_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static mereau_store *open_with(const char *setting, uint32_t lock_ms,
                               uint32_t timeout_ms) {
    mereau_postgres_options options = MEREAU_POSTGRES_OPTIONS_INIT;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    char conninfo[320];
    snprintf(conninfo, sizeof conninfo, "%s %s", server.conninfo, setting);
    options.conninfo = conninfo;
    options.lock_ms = lock_ms;
    options.timeout_ms = timeout_ms;
    if (mereau_postgres_open_with(&store, &options, &err) != MEREAU_OK)
        print_message("%s\n", err.text);
    assert_non_null(store);
    return store;
}

static mereau_store *open_store(void) { return open_with("", 0, 0); }

/* --- another session, and a commit in another thread --- */

static PGconn *session(void) {
    PGconn *conn = PQconnectdb(server.conninfo);
    assert_int_equal(PQstatus(conn), CONNECTION_OK);
    return conn;
}

static void say(PGconn *conn, const char *text) {
    PGresult *result = PQexec(conn, text);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        print_message("%s: %s", text, PQerrorMessage(conn));
    assert_true(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
    PQclear(result);
}

struct late {
    pthread_t thread;
    mereau_store *store;
    mereau_write writes[2];
    size_t n, failed;
    int32_t result;
};

static void *run_late(void *arg) {
    struct late *late = arg;
    mereau_need need = {0};
    need.size = (uint32_t)sizeof need;
    need.kind = MEREAU_NEED_COMMIT;
    need.partition = (const uint8_t *)"p";
    need.partition_len = 1;
    need.writes = late->writes;
    need.n_writes = late->n;
    late->failed = SIZE_MAX;
    late->result = late->store->commit(late->store->user, &need, &late->failed);
    return NULL;
}

static void add(struct late *late, uint32_t kind, const char *key,
                uint64_t expect, uint64_t version) {
    mereau_write *write = &late->writes[late->n++];
    memset(write, 0, sizeof *write);
    write->kind = kind;
    write->expect = expect;
    write->record.key = (const uint8_t *)key;
    write->record.key_len = 1;
    write->record.version = version;
}

static void begin(struct late *late) {
    assert_int_equal(pthread_create(&late->thread, NULL, run_late, late), 0);
}

static int32_t end(struct late *late) {
    pthread_join(late->thread, NULL);
    return late->result;
}

/* Until a session of the store waits for a lock. */
static void until_it_waits(void) {
    char found[16] = "";
    for (int i = 0; i < 1000 && strcmp(found, "1") != 0; i++)
        assert_int_equal(
            server_sql(server.conninfo,
                       "SELECT count(*) FROM pg_stat_activity WHERE"
                       " application_name='mereau'"
                       " AND wait_event_type='Lock'",
                       found, sizeof found),
            0);
    assert_string_equal(found, "1");
}

#define LOCK_A "UPDATE mereau_record SET drop_at=drop_at WHERE key='a'"
#define LOCK_B "UPDATE mereau_record SET drop_at=drop_at WHERE key='b'"

/* --- locks --- */

static void a_lock_that_is_held_too_long_is_busy(void **state) {
    mereau_store *store = open_with("", 300, 5000);
    PGconn *other = session();
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    say(other, "BEGIN");
    say(other, LOCK_A);
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_BUSY);
    say(other, "ROLLBACK");
    assert_int_equal(version_of(store, "a", NULL), 1);
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_OK);
    PQfinish(other);
    mereau_store_close(store);
}

static void a_check_waits_for_who_changes_its_record(void **state) {
    static const char *const ends[] = {"ROLLBACK", "COMMIT"};
    mereau_store *store = open_store();
    PGconn *other = session();
    uint64_t b = 0;
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    for (int i = 0; i < 2; i++) {
        struct late late = {.store = store};
        say(other, "BEGIN");
        say(other, "UPDATE mereau_record SET version=2 WHERE key='a'");
        add(&late, MEREAU_WRITE_CHECK, "a", 1, 0);
        add(&late, MEREAU_WRITE_PUT, "b", b, b + 1);
        begin(&late);
        until_it_waits();
        say(other, ends[i]);
        assert_int_equal(end(&late),
                         i == 0 ? MEREAU_STORE_OK : MEREAU_STORE_CONFLICT);
        assert_true(i == 0 || late.failed == 0);
        b = 1;
        assert_int_equal(version_of(store, "b", NULL), 1);
    }
    PQfinish(other);
    mereau_store_close(store);
}

/* The other way round: who changes it waits for the CHECK. */
static void a_checked_record_is_not_changed_before_the_commit(void **state) {
    mereau_store *store = open_store();
    PGconn *other = session();
    struct late late = {.store = store};
    PGresult *result;
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(put(store, "b", 0, 1, "x"), MEREAU_STORE_OK);
    say(other, "BEGIN");
    say(other, LOCK_B);
    add(&late, MEREAU_WRITE_CHECK, "a", 1, 0);
    add(&late, MEREAU_WRITE_PUT, "b", 1, 2);
    begin(&late);
    until_it_waits(); /* for b; a is checked */
    result = PQexec(other, "SELECT 1 FROM mereau_record WHERE key='a'"
                           " FOR NO KEY UPDATE NOWAIT");
    assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "55P03");
    PQclear(result);
    say(other, "ROLLBACK");
    assert_int_equal(end(&late), MEREAU_STORE_OK);
    PQfinish(other);
    mereau_store_close(store);
}

/* What another commit is just making is there, or will be: to take it away, it
 * has to be waited for. */
static void a_delete_of_anything_meets_what_is_being_made(void **state) {
    mereau_store *store = open_store();
    PGconn *other = session();
    struct late late = {.store = store};
    (void)state;
    say(other, "BEGIN");
    say(other, "INSERT INTO mereau_record VALUES('p','a','x',1,0)");
    add(&late, MEREAU_WRITE_DELETE, "a", MEREAU_VERSION_ANY, 0);
    begin(&late);
    until_it_waits();
    say(other, "COMMIT");
    assert_int_equal(end(&late), MEREAU_STORE_OK);
    assert_int_equal(version_of(store, "a", NULL), MEREAU_VERSION_ABSENT);
    PQfinish(other);
    mereau_store_close(store);
}

static void a_deadlock_is_a_conflict(void **state) {
    /* Looked for once, so long after the wait began: the other half of it has to
     * be there by then, on a busy machine, too. */
    mereau_store *store =
        open_with("options=-cdeadlock_timeout=1500", 12000, 0);
    PGconn *other = session();
    struct late late = {.store = store};
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(put(store, "b", 0, 1, "x"), MEREAU_STORE_OK);
    say(other, "SET deadlock_timeout='10s'");
    say(other, "BEGIN");
    say(other, LOCK_B);
    add(&late, MEREAU_WRITE_PUT, "a", 1, 2);
    add(&late, MEREAU_WRITE_PUT, "b", 1, 2);
    begin(&late);
    until_it_waits();
    say(other, LOCK_A);
    assert_int_equal(end(&late), MEREAU_STORE_CONFLICT);
    say(other, "ROLLBACK");
    assert_int_equal(version_of(store, "a", NULL), 1);
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_OK);
    PQfinish(other);
    mereau_store_close(store);
}

static void a_serialization_failure_is_a_conflict(void **state) {
    mereau_store *store =
        open_with("options=-cdefault_transaction_isolation=serializable", 0, 0);
    PGconn *other = session();
    struct late late = {.store = store};
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(put(store, "b", 0, 1, "x"), MEREAU_STORE_OK);
    say(other, "BEGIN");
    say(other, LOCK_B);
    add(&late, MEREAU_WRITE_PUT, "a", 1, 2);
    add(&late, MEREAU_WRITE_PUT, "b", 1, 2); /* still holds, yet 40001 */
    begin(&late);
    until_it_waits();
    say(other, "COMMIT");
    assert_int_equal(end(&late), MEREAU_STORE_CONFLICT);
    assert_int_equal(version_of(store, "a", NULL), 1);
    PQfinish(other);
    mereau_store_close(store);
}

enum { CHECKERS = 6, HEADS = 40 };

struct checker {
    pthread_t thread;
    mereau_store *store;
    char key[2];
    volatile int *over;
    unsigned n;
};

static void *check_and_put(void *arg) {
    struct checker *checker = arg;
    while (!*checker->over) {
        struct late late = {.store = checker->store};
        int32_t ignored;
        uint64_t head = version_of(checker->store, "a", &ignored);
        add(&late, MEREAU_WRITE_CHECK, "a", head, 0);
        add(&late, MEREAU_WRITE_PUT, checker->key, MEREAU_VERSION_ANY, 1);
        run_late(&late);
        checker->n += late.result == MEREAU_STORE_OK;
    }
    return NULL;
}

/* A revocation rewrites the head that all who issue CHECK at that moment. */
static void many_checks_do_not_keep_a_write_out(void **state) {
    mereau_store *store = open_store();
    struct checker checkers[CHECKERS];
    volatile int over = 0;
    unsigned n = 0;
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    for (int i = 0; i < CHECKERS; i++) {
        checkers[i].store = store;
        checkers[i].key[0] = (char)('b' + i);
        checkers[i].key[1] = 0;
        checkers[i].over = &over;
        checkers[i].n = 0;
        assert_int_equal(pthread_create(&checkers[i].thread, NULL,
                                        check_and_put, &checkers[i]),
                         0);
    }
    for (uint64_t version = 1; version <= HEADS; version++) {
        pause_ms(2);
        assert_int_equal(put(store, "a", version, version + 1, "x"),
                         MEREAU_STORE_OK);
    }
    over = 1;
    for (int i = 0; i < CHECKERS; i++) {
        pthread_join(checkers[i].thread, NULL);
        n += checkers[i].n;
    }
    assert_true(n > HEADS);
    mereau_store_close(store);
}

/* --- sessions that are ended --- */

#define OURS " FROM pg_stat_activity WHERE application_name='mereau'"

static void end_sessions(const char *function) {
    char text[128];
    snprintf(text, sizeof text, "SELECT %s(pid)" OURS, function);
    assert_int_equal(server_sql(server.conninfo, text, NULL, 0), 0);
}

static void an_idle_session_that_was_ended_is_not_used(void **state) {
    mereau_store *store = open_store();
    char found[16] = "";
    (void)state;
    for (uint64_t i = 0; i < 5; i++) {
        assert_int_equal(put(store, "a", i, i + 1, "x"), MEREAU_STORE_OK);
        end_sessions("pg_terminate_backend");
        do
            server_sql(server.conninfo, "SELECT count(*)" OURS, found,
                       sizeof found);
        while (strcmp(found, "0") != 0);
    }
    mereau_store_close(store);
}

/* Runs a commit that waits for a lock, ends it in a way, and gives its answer. */
static int32_t end_in_the_middle(mereau_store *store, const char *function) {
    struct late late = {.store = store};
    PGconn *other = session();
    say(other, "BEGIN");
    say(other, LOCK_A);
    add(&late, MEREAU_WRITE_PUT, "a", 1, 2);
    begin(&late);
    until_it_waits();
    end_sessions(function);
    (void)end(&late);
    say(other, "ROLLBACK");
    PQfinish(other);
    assert_int_equal(version_of(store, "a", NULL), 1);
    return late.result;
}

static void a_session_ended_in_a_commit_is_unknown(void **state) {
    mereau_store *store = open_store();
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(end_in_the_middle(store, "pg_terminate_backend"),
                     MEREAU_STORE_UNKNOWN);
    mereau_store_close(store);
}

static void a_cancelled_commit_is_busy(void **state) {
    mereau_store *store = open_store();
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(end_in_the_middle(store, "pg_cancel_backend"),
                     MEREAU_STORE_BUSY);
    mereau_store_close(store);
}

static void too_many_connections_is_busy(void **state) {
    mereau_store *store;
    char conninfo[256], found[16] = "";
    PGconn *other;
    int32_t result = MEREAU_STORE_BUSY;
    (void)state;
    mereau_store_close(open_store());
    assert_int_equal(
        server_sql(server.conninfo,
                   "CREATE ROLE few LOGIN CONNECTION LIMIT 1;"
                   /* docs/store-guide.md: these rights are enough. */
                   "GRANT SELECT, INSERT, UPDATE, DELETE ON mereau_record"
                   " TO few; GRANT SELECT, UPDATE ON mereau_schema TO few",
                   NULL, 0),
        0);
    store = open_with("user=few", 0, 0);
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    end_sessions("pg_terminate_backend");
    do
        server_sql(server.conninfo, "SELECT count(*)" OURS, found,
                   sizeof found);
    while (strcmp(found, "0") != 0);
    snprintf(conninfo, sizeof conninfo, "%s user=few", server.conninfo);
    other = PQconnectdb(conninfo);
    assert_int_equal(PQstatus(other), CONNECTION_OK);
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_BUSY);
    PQfinish(other);
    /* The server counts it a moment longer than it shows it. */
    for (int i = 0; i < 2000 && result == MEREAU_STORE_BUSY; i++) {
        pause_ms(5);
        result = put(store, "a", 1, 2, "x");
    }
    assert_int_equal(result, MEREAU_STORE_OK);
    mereau_store_close(store);
    server_sql(server.conninfo, "DROP OWNED BY few; DROP ROLE few", NULL, 0);
}

/* --- what the server reports --- */

/* A trigger reports a state in place of faults that cannot be made here. */
static void states_mean_what_they_say(void **state) {
    static const struct {
        const char *state;
        int32_t answer;
    } cases[] = {
        {"40001", MEREAU_STORE_CONFLICT}, {"40P01", MEREAU_STORE_CONFLICT},
        {"40002", MEREAU_STORE_CONFLICT}, {"40003", MEREAU_STORE_UNKNOWN},
        {"53100", MEREAU_STORE_LIMIT},    {"53400", MEREAU_STORE_LIMIT},
        {"54000", MEREAU_STORE_LIMIT},    {"53200", MEREAU_STORE_BUSY},
        {"53300", MEREAU_STORE_BUSY},     {"55P03", MEREAU_STORE_BUSY},
        {"57014", MEREAU_STORE_BUSY},     {"25006", MEREAU_STORE_BUSY},
        {"57P01", MEREAU_STORE_UNKNOWN},  {"08006", MEREAU_STORE_UNKNOWN},
        {"58030", MEREAU_STORE_IO},       {"XX001", MEREAU_STORE_IO},
        {"42501", MEREAU_STORE_IO},
    };
    mereau_store *store = open_store();
    char text[400];
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(text, sizeof text,
                 "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS"
                 " $$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE='%s';"
                 " END $$; CREATE TRIGGER fault AFTER UPDATE ON mereau_record"
                 " FOR EACH ROW EXECUTE FUNCTION fault()",
                 cases[i].state);
        assert_int_equal(server_sql(server.conninfo, text, NULL, 0), 0);
        assert_int_equal(put(store, "a", 1, 2, "x"), cases[i].answer);
        assert_int_equal(server_sql(server.conninfo,
                                    "DROP FUNCTION fault() CASCADE", NULL, 0),
                         0);
        assert_int_equal(version_of(store, "a", NULL), 1);
    }
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
}

/* At the very end: a constraint that is looked at when the transaction commits. */
static void a_failure_at_the_commit_itself_applies_nothing(void **state) {
    mereau_store *store = open_store();
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    assert_int_equal(
        server_sql(server.conninfo,
                   "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS"
                   " $$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE='40001';"
                   " END $$; CREATE CONSTRAINT TRIGGER fault AFTER UPDATE ON"
                   " mereau_record DEFERRABLE INITIALLY DEFERRED"
                   " FOR EACH ROW EXECUTE FUNCTION fault()",
                   NULL, 0),
        0);
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_CONFLICT);
    assert_int_equal(version_of(store, "a", NULL), 1);
    assert_int_equal(
        server_sql(server.conninfo, "DROP FUNCTION fault() CASCADE", NULL, 0),
        0);
    assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_OK);
    mereau_store_close(store);
}

/* --- the server --- */

static void a_server_that_is_down_is_busy(void **state) {
    mereau_store *store = open_store();
    int32_t result;
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    for (uint64_t i = 1; i < 4; i++) {
        server_stop(&server, i % 2 ? SIGQUIT : SIGINT);
        assert_int_equal(put(store, "a", i, i + 1, "x"), MEREAU_STORE_BUSY);
        version_of(store, "a", &result);
        assert_int_equal(result, MEREAU_STORE_BUSY);
        assert_int_equal(server_start(&server, NULL), 0);
        assert_int_equal(version_of(store, "a", NULL), i);
        assert_int_equal(put(store, "a", i, i + 1, "x"), MEREAU_STORE_OK);
    }
    mereau_store_close(store);
}

static void a_server_that_says_nothing_is_given_up(void **state) {
    mereau_store *store = open_with("", 300, 700);
    char found[16];
    uint64_t version;
    int32_t result;
    pid_t pid;
    (void)state;
    assert_int_equal(put(store, "a", 0, 1, "x"), MEREAU_STORE_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(version_of(store, "a", NULL), 1);
        server_sql(server.conninfo, "SELECT max(pid)" OURS, found,
                   sizeof found);
        pid = (pid_t)atoi(found);
        assert_true(pid > 1);
        assert_int_equal(kill(pid, SIGSTOP), 0);
        if (i == 0) {
            version_of(store, "a", &result);
            assert_int_equal(result, MEREAU_STORE_BUSY);
        } else {
            assert_int_equal(put(store, "a", 1, 2, "x"), MEREAU_STORE_UNKNOWN);
        }
        assert_int_equal(kill(pid, SIGCONT), 0);
    }
    /* It may be applied now, or not. */
    version = version_of(store, "a", NULL);
    assert_true(version == 1 || version == 2);
    mereau_store_close(store);
}

#define EMPTY(test) cmocka_unit_test_setup_teardown(test, empty, NULL)

int main(void) {
    const struct CMUnitTest tests[] = {
        EMPTY(a_lock_that_is_held_too_long_is_busy),
        EMPTY(a_check_waits_for_who_changes_its_record),
        EMPTY(a_checked_record_is_not_changed_before_the_commit),
        EMPTY(a_delete_of_anything_meets_what_is_being_made),
        EMPTY(a_deadlock_is_a_conflict),
        EMPTY(a_serialization_failure_is_a_conflict),
        EMPTY(many_checks_do_not_keep_a_write_out),
        EMPTY(an_idle_session_that_was_ended_is_not_used),
        EMPTY(a_session_ended_in_a_commit_is_unknown),
        EMPTY(a_cancelled_commit_is_busy),
        EMPTY(too_many_connections_is_busy),
        EMPTY(states_mean_what_they_say),
        EMPTY(a_failure_at_the_commit_itself_applies_nothing),
        EMPTY(a_server_that_is_down_is_busy),
        EMPTY(a_server_that_says_nothing_is_given_up),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
