/* tests/postgres/test_restored.c - PostgreSQL goes back in time, in each of the ways
 * in which it does, and the steps of docs/operations.md are taken
 * (tests/flow/restored.h): a dump is restored, the log is replayed up to a point, a
 * standby that lacked commits is promoted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <mereau/postgres.h>

#include "../flow/restored.h"
#include "server.h"

/* The service's server, and the one that takes its place. */
struct place {
    struct server server, standby;
    char conninfo[256]; /* the service's */
};

static void run(const struct server *server, const char *const *argv) {
    assert_int_equal(server_run(server, argv), 0);
}

static void sql(const struct server *server, const char *text) {
    assert_int_equal(server_sql(server->conninfo, text, NULL, 0), 0);
}

/* Asks again until the answer is this, for half a minute. */
static void wait_until(const struct server *server, const char *question,
                       const char *answer) {
    const struct timespec pause = {0, 50000000};
    char out[64] = "";
    for (int i = 0; i < 600 && strcmp(out, answer) != 0; i++) {
        nanosleep(&pause, NULL);
        assert_int_equal(
            server_sql(server->conninfo, question, out, sizeof out), 0);
    }
    assert_string_equal(out, answer);
}

static mereau_store *open_store(void *at) {
    const struct place *place = at;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    if (mereau_postgres_open(&store, place->conninfo, &err) != MEREAU_OK)
        print_error("%s\n", err.text);
    return store;
}

static void rehearse(struct place *place, void (*back_up)(void *),
                     void (*put_back)(void *)) {
    struct restored_way way = {open_store, back_up, put_back, place, 0};
    restored_rehearse(&way);
}

static int set_up(void **state) {
    static struct place place;
    memset(&place, 0, sizeof place);
    *state = &place;
    return 0;
}

static int tear_down(void **state) {
    struct place *place = *state;
    if (place->standby.folder[0] != 0)
        server_remove(&place->standby);
    server_remove(&place->server);
    return 0;
}

static void open_place(struct place *place) {
    assert_int_equal(server_make(&place->server), 0);
    snprintf(place->conninfo, sizeof place->conninfo, "%s",
             place->server.conninfo);
}

/* --- a dump --- */

static void dump(void *at) {
    const struct place *place = at;
    const char *const argv[] = {"pg_dump", "-d",       place->server.conninfo,
                                "-Fc",     "-f",       "dump",
                                "-t",      "mereau_*", NULL};
    run(&place->server, argv);
}

static void restore_the_dump(void *at) {
    const struct place *place = at;
    const char *const argv[] = {"pg_restore",
                                "-d",
                                place->server.conninfo,
                                "--clean",
                                "--if-exists",
                                "--exit-on-error",
                                "--single-transaction",
                                "dump",
                                NULL};
    run(&place->server, argv);
}

static void a_dump_is_restored(void **state) {
    struct place *place = *state;
    open_place(place);
    rehearse(place, dump, restore_the_dump);
}

/* --- a point in time --- */

/* A base backup, and the log of changes kept from then on. */
static void keep_the_log(struct place *place) {
    struct server *server = &place->server;
    const char *const argv[] = {"pg_basebackup", "-d", server->conninfo, "-D",
                                "base",          "-c", "fast",           "-R",
                                "--no-sync",     NULL};
    char archive[96];
    snprintf(archive, sizeof archive, "%s/archive", server->folder);
    assert_int_equal(mkdir(archive, 0755), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(archive, server->uid, server->gid), 0);
    sql(server, "ALTER SYSTEM SET archive_mode = on");
    sql(server, "ALTER SYSTEM SET archive_command ="
                " 'test ! -f ../archive/%f && cp %p ../archive/%f'");
    server_stop(server, SIGINT);
    assert_int_equal(server_start(server, NULL), 0);
    run(server, argv);
}

static void name_the_point(void *at) {
    const struct place *place = at;
    sql(&place->server, "SELECT pg_create_restore_point('backup')");
    sql(&place->server, "SELECT pg_switch_wal()");
}

static void move(const struct server *server, const char *from,
                 const char *to) {
    char old[128], new[128];
    snprintf(old, sizeof old, "%s/%s", server->folder, from);
    snprintf(new, sizeof new, "%s/%s", server->folder, to);
    assert_int_equal(rename(old, new), 0);
}

static void replay_up_to_the_point(void *at) {
    struct place *place = at;
    struct server *server = &place->server;
    char path[128];
    FILE *settings;
    server_stop(server, SIGINT); /* what it has is archived now */
    move(server, "data", "old");
    move(server, "base", "data");
    move(server, "data/standby.signal", "data/recovery.signal");
    snprintf(path, sizeof path, "%s/data/postgresql.auto.conf", server->folder);
    settings = fopen(path, "a");
    assert_non_null(settings);
    fputs("restore_command = 'cp ../archive/%f %p'\n"
          "recovery_target_name = 'backup'\n"
          "recovery_target_action = 'promote'\n",
          settings);
    assert_int_equal(fclose(settings), 0);
    assert_int_equal(server_start(server, NULL), 0);
    wait_until(server, "SELECT pg_is_in_recovery()", "f");
}

static void the_log_is_replayed_up_to_a_point(void **state) {
    struct place *place = *state;
    open_place(place);
    keep_the_log(place);
    rehearse(place, name_the_point, replay_up_to_the_point);
}

/* --- a standby that lacks commits --- */

/* It follows asynchronously, as standbys do unless they are told otherwise. */
static void add_standby(struct place *place) {
    struct server *standby = &place->standby;
    const char *const argv[] = {"pg_basebackup",
                                "-d",
                                place->server.conninfo,
                                "-D",
                                "data",
                                "-c",
                                "fast",
                                "-R",
                                "--no-sync",
                                NULL};
    assert_int_equal(server_make_empty(standby), 0);
    run(standby, argv);
    assert_int_equal(server_start(standby, NULL), 0);
    snprintf(place->conninfo, sizeof place->conninfo,
             "host=%s,%s user=mereau dbname=postgres", place->server.folder,
             standby->folder);
}

static void cut_replication(void *at) {
    const struct place *place = at;
    char lsn[64], caught_up[160];
    assert_int_equal(server_sql(place->server.conninfo,
                                "SELECT pg_current_wal_lsn()", lsn, sizeof lsn),
                     0);
    snprintf(caught_up, sizeof caught_up,
             "SELECT pg_last_wal_replay_lsn() >= '%s'", lsn);
    wait_until(&place->standby, caught_up, "t");
    sql(&place->standby, "ALTER SYSTEM SET primary_conninfo = ''");
    sql(&place->standby, "SELECT pg_reload_conf()");
    wait_until(&place->standby, "SELECT count(*) FROM pg_stat_wal_receiver",
               "0");
}

static void fail_over(void *at) {
    struct place *place = at;
    server_stop(&place->server, SIGQUIT);
    sql(&place->standby, "SELECT pg_promote()");
    wait_until(&place->standby, "SELECT pg_is_in_recovery()", "f");
}

static void a_standby_that_lacks_commits_is_promoted(void **state) {
    struct place *place = *state;
    open_place(place);
    add_standby(place);
    rehearse(place, cut_replication, fail_over);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_dump_is_restored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_log_is_replayed_up_to_a_point,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_standby_that_lacks_commits_is_promoted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
