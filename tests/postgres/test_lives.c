/* tests/postgres/test_lives.c - devices enrol, exchange and refresh on PostgreSQL
 * while the server is stopped as by a crash, while clients are killed and while
 * connections are cut: what was answered is there afterwards, once. Each kind is
 * counted; MEREAU_SOAK=1 runs ten times as many. */
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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <mereau/postgres.h>

#include "../faults/life.h"
#include "../faults/proxy.h"
#include "server.h"

enum { THREADS = 8, PROCESSES = 3 };

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

static unsigned rounds(unsigned n) {
    return getenv("MEREAU_SOAK") != NULL ? 10 * n : n;
}

static void pause_ms(uint64_t ms) {
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static mereau_store *open_on(const char *conninfo) {
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;
    if (mereau_postgres_open(&store, conninfo, &err) != MEREAU_OK)
        fprintf(stderr, "%s\n", err.text);
    return store;
}

/* --- a life: on threads, or of one process --- */

struct crowd {
    struct life *life;
    struct host host;
    mereau_store *store;
    pthread_t threads[THREADS];
    struct one {
        struct crowd *crowd;
        int number;
    } ones[THREADS];
    atomic_int over;
};

static void *live(void *arg) {
    struct one *one = arg;
    struct crowd *crowd = one->crowd;
    int busy = 1;
    while (busy && !crowd->over) {
        busy = 0;
        for (int d = one->number; d < LIFE_DEVICES; d += THREADS)
            if (!crowd->over)
                busy |= life_live(crowd->life, &crowd->host, d);
    }
    return NULL;
}

/* A life on an empty database; its context on a connection string. */
static void crowd_open(struct crowd *crowd, const char *conninfo) {
    memset(crowd, 0, sizeof *crowd);
    crowd->life = life_new(NULL);
    assert_non_null(crowd->life);
    crowd->store = open_on(conninfo);
    assert_non_null(crowd->store);
    assert_int_equal(
        server_sql(server.conninfo, "DELETE FROM mereau_record", NULL, 0), 0);
    assert_int_equal(host_open_on(&crowd->host, crowd->life, crowd->store),
                     MEREAU_OK);
    assert_int_equal(life_begin(crowd->life, &crowd->host), MEREAU_OK);
}

static void crowd_start(struct crowd *crowd) {
    for (int i = 0; i < THREADS; i++) {
        crowd->ones[i].crowd = crowd;
        crowd->ones[i].number = i;
        assert_int_equal(
            pthread_create(&crowd->threads[i], NULL, live, &crowd->ones[i]), 0);
    }
}

static void crowd_stop(struct crowd *crowd) {
    crowd->over = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(crowd->threads[i], NULL);
}

static void crowd_close(struct crowd *crowd) {
    host_close(&crowd->host);
    mereau_store_close(crowd->store);
}

struct sum {
    struct life_found found;
    unsigned harm, answers;
};

/* What came of it, read by another context; the end of the life. */
static void crowd_check(struct crowd *crowd, struct sum *sum, int print) {
    struct life_view view;
    struct host host = {0};
    mereau_store *store = open_on(server.conninfo);
    assert_non_null(store);
    sum->found.print = print;
    assert_int_equal(host_open_on(&host, crowd->life, store), MEREAU_OK);
    life_view_now(&view, crowd->life);
    life_check(crowd->life, &host, &view, &sum->found);
    sum->found.broken += crowd->life->problems;
    sum->answers += life_answers(crowd->life);
    host_close(&host);
    mereau_store_close(store);
    life_free(crowd->life);
}

static void must_be_whole(const char *kind, const struct sum *sum) {
    printf("faults: PostgreSQL, %s: %u, %u answers, %u looked for again, "
           "%u lost, %u doubled, %u broken\n",
           kind, sum->harm, sum->answers, sum->found.checked, sum->found.lost,
           sum->found.doubled, sum->found.broken);
    assert_int_equal(sum->found.lost, 0);
    assert_int_equal(sum->found.doubled, 0);
    assert_int_equal(sum->found.broken, 0);
    assert_true(sum->found.checked > 0);
    assert_true(sum->answers > sum->harm / 4);
}

/* --- the server --- */

static void stop_and_start(struct sum *sum, uint64_t *random, int sig) {
    pause_ms(5 + next_random(random) % 60);
    server_stop(&server, sig);
    pause_ms(next_random(random) % 20);
    assert_int_equal(server_start(&server, NULL), 0);
    sum->harm++;
}

static void stops(const char *kind, int sig) {
    struct sum sum = {0};
    uint64_t random = (uint64_t)sig;
    for (unsigned i = 0; i < rounds(5); i++) {
        struct crowd crowd;
        crowd_open(&crowd, server.conninfo);
        crowd_start(&crowd);
        stop_and_start(&sum, &random, sig);
        stop_and_start(&sum, &random, sig);
        pause_ms(20);
        crowd_stop(&crowd);
        crowd_close(&crowd);
        crowd_check(&crowd, &sum, 1);
    }
    must_be_whole(kind, &sum);
}

static void immediate_stops_lose_and_double_nothing(void **state) {
    (void)state;
    stops("immediate stops", SIGQUIT);
}

static void ordered_stops_lose_and_double_nothing(void **state) {
    (void)state;
    stops("fast stops", SIGINT);
}

/* One process of the server dies: it ends all others and recovers. */
static void a_killed_backend_loses_and_doubles_nothing(void **state) {
    struct sum sum = {0};
    uint64_t random = 9;
    (void)state;
    for (unsigned i = 0; i < rounds(5); i++) {
        struct crowd crowd;
        char pid[16];
        crowd_open(&crowd, server.conninfo);
        crowd_start(&crowd);
        for (int n = 0; n < 2; n++) {
            pause_ms(5 + next_random(&random) % 60);
            if (server_sql(server.conninfo,
                           "SELECT max(pid) FROM pg_stat_activity"
                           " WHERE application_name='mereau'",
                           pid, sizeof pid) == 0 &&
                atoi(pid) > 1)
                sum.harm += kill((pid_t)atoi(pid), SIGKILL) == 0;
            pause_ms(60); /* until the server has noticed */
            assert_int_equal(server_wait(&server), 0);
        }
        pause_ms(20);
        crowd_stop(&crowd);
        crowd_close(&crowd);
        crowd_check(&crowd, &sum, 1);
    }
    must_be_whole("backend killed", &sum);
}

/* --- clients --- */

/* A process that lives some of the devices, all of them reached by all. */
static void child(struct crowd *crowd, int number) {
    int busy = 1;
    crowd->store = open_on(server.conninfo);
    if (crowd->store == NULL ||
        host_open_on(&crowd->host, crowd->life, crowd->store) != MEREAU_OK)
        _exit(1);
    while (busy) {
        busy = 0;
        for (int d = number; d < LIFE_DEVICES; d += PROCESSES)
            busy |= life_live(crowd->life, &crowd->host, d);
    }
    crowd_close(crowd);
    _exit(0);
}

static void killed_clients_lose_and_double_nothing(void **state) {
    struct sum sum = {0};
    uint64_t random = 5;
    (void)state;
    for (unsigned i = 0; i < rounds(4); i++) {
        struct crowd crowd;
        pid_t pids[PROCESSES];
        crowd_open(&crowd, server.conninfo);
        crowd_close(&crowd);
        for (int n = 0; n < 12; n++) {
            int which = n % PROCESSES, status;
            if (n >= PROCESSES) {
                pause_ms(4 + next_random(&random) % 40);
                kill(pids[which], SIGKILL);
                assert_int_equal(waitpid(pids[which], &status, 0), pids[which]);
                sum.harm += WIFSIGNALED(status) != 0;
            }
            pids[which] = fork();
            if (pids[which] == 0)
                child(&crowd, which);
            assert_true(pids[which] > 0);
        }
        for (int n = 0; n < PROCESSES; n++) {
            pause_ms(30);
            kill(pids[n], SIGKILL);
            assert_int_equal(waitpid(pids[n], NULL, 0), pids[n]);
        }
        crowd_check(&crowd, &sum, 1);
    }
    must_be_whole("clients killed", &sum);
    assert_true(sum.harm > 20);
}

/* --- connections --- */

static void cut_connections_lose_and_double_nothing(void **state) {
    struct sum sum = {0};
    char through[192];
    struct sockaddr_un at;
    struct proxy *proxy;
    struct proxy_cuts cuts = {0, 0};
    unsigned wanted = rounds(200);
    (void)state;
    server_address(&server, &at);
    proxy = proxy_start((struct sockaddr *)&at, sizeof at);
    assert_non_null(proxy);
    server_through(proxy_port(proxy), through, sizeof through);
    for (unsigned i = 0; cuts.requests + cuts.replies < wanted && i < wanted;
         i++) {
        struct crowd crowd;
        proxy_cut_at_random(proxy, i, 0, 0);
        crowd_open(&crowd, through);
        /* What a new connection is asked first takes about 2500 bytes. */
        proxy_cut_at_random(proxy, i, 20000, 20000);
        crowd_start(&crowd);
        for (int n = 0; n < 30; n++) {
            proxy_cut_once(proxy, n % 2, (uint32_t)(n * 37 % 800));
            pause_ms(10);
        }
        crowd_stop(&crowd);
        crowd_close(&crowd);
        crowd_check(&crowd, &sum, 1);
        cuts = proxy_cuts(proxy);
    }
    proxy_stop(proxy);
    sum.harm = cuts.requests + cuts.replies;
    assert_true(cuts.requests > wanted / 5 && cuts.replies > wanted / 5);
    must_be_whole("connections cut", &sum);
}

/* Without durability a crash of the machine takes answers back, and the check
 * must see such a loss: here the table is what it was before. */
static void a_database_that_went_back_is_noticed(void **state) {
    struct crowd crowd;
    struct sum sum = {0};
    (void)state;
    crowd_open(&crowd, server.conninfo);
    crowd_start(&crowd);
    pause_ms(60);
    assert_int_equal(server_sql(server.conninfo,
                                "CREATE TABLE before AS"
                                " SELECT * FROM mereau_record",
                                NULL, 0),
                     0);
    pause_ms(60);
    crowd_stop(&crowd);
    crowd_close(&crowd);
    assert_int_equal(server_sql(server.conninfo,
                                "DELETE FROM mereau_record; INSERT INTO"
                                " mereau_record SELECT * FROM before;"
                                "DROP TABLE before",
                                NULL, 0),
                     0);
    crowd_check(&crowd, &sum, 0);
    assert_true(sum.found.lost + sum.found.broken > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(immediate_stops_lose_and_double_nothing),
        cmocka_unit_test(ordered_stops_lose_and_double_nothing),
        cmocka_unit_test(a_killed_backend_loses_and_doubles_nothing),
        cmocka_unit_test(killed_clients_lose_and_double_nothing),
        cmocka_unit_test(cut_connections_lose_and_double_nothing),
        cmocka_unit_test(a_database_that_went_back_is_noticed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
