/* tests/faults/crowd.c - see crowd.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "crowd.h"

static void pause_ms(uint64_t ms) {
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

unsigned crowd_rounds(unsigned n) {
    return getenv("MEREAU_SOAK") != NULL ? 10 * n : n;
}

void crowd_await(const struct crowd *crowd, unsigned answers) {
    unsigned wanted = crowd->life->answered + answers;
    for (int i = 0; i < 2000 && crowd->life->answered < wanted; i++)
        pause_ms(1);
}

/* --- on threads --- */

static void *live(void *arg) {
    struct crowd_one *one = arg;
    struct crowd *crowd = one->crowd;
    int busy = 1;
    while (busy && !crowd->over) {
        busy = 0;
        for (int d = one->number; d < LIFE_DEVICES; d += CROWD_THREADS)
            if (!crowd->over)
                busy |= life_live(crowd->life, &crowd->host, d);
    }
    return NULL;
}

void crowd_open(struct crowd *crowd, mereau_store *store) {
    memset(crowd, 0, sizeof *crowd);
    crowd->life = life_new(NULL);
    assert_non_null(crowd->life);
    assert_non_null(store);
    assert_int_equal(host_open_on(&crowd->host, crowd->life, store), MEREAU_OK);
    crowd->host.store = store;
    assert_int_equal(life_begin(crowd->life, &crowd->host), MEREAU_OK);
}

void crowd_start(struct crowd *crowd) {
    for (int i = 0; i < CROWD_THREADS; i++) {
        crowd->ones[i].crowd = crowd;
        crowd->ones[i].number = i;
        assert_int_equal(
            pthread_create(&crowd->threads[i], NULL, live, &crowd->ones[i]), 0);
    }
}

void crowd_stop(struct crowd *crowd) {
    crowd->over = 1;
    for (int i = 0; i < CROWD_THREADS; i++)
        pthread_join(crowd->threads[i], NULL);
}

void crowd_close(struct crowd *crowd) { host_close(&crowd->host); }

/* --- afterwards --- */

void crowd_check(struct crowd *crowd, mereau_store *store,
                 struct crowd_sum *sum, int print) {
    struct life_view view;
    struct host host = {0};
    assert_non_null(store);
    sum->found.print = print;
    assert_int_equal(host_open_on(&host, crowd->life, store), MEREAU_OK);
    host.store = store;
    life_view_now(&view, crowd->life);
    life_check(crowd->life, &host, &view, &sum->found);
    sum->found.broken += crowd->life->problems;
    sum->answers += life_answers(crowd->life);
    host_close(&host);
    life_free(crowd->life);
    crowd->life = NULL;
}

void crowd_must_be_whole(const char *engine, const char *kind,
                         const struct crowd_sum *sum, unsigned wanted) {
    printf("faults: %s, %s: %u, %u answers, %u looked for again, %u lost, "
           "%u doubled, %u broken\n",
           engine, kind, sum->harm, sum->answers, sum->found.checked,
           sum->found.lost, sum->found.doubled, sum->found.broken);
    assert_int_equal(sum->found.lost, 0);
    assert_int_equal(sum->found.doubled, 0);
    assert_int_equal(sum->found.broken, 0);
    assert_true(sum->found.checked > 0);
    assert_true(sum->answers > sum->harm / 4);
    assert_in_range(sum->harm, wanted, UINT32_MAX);
}

/* --- in processes --- */

/* Lives some of the devices; all of them are reached by all processes together. */
static void child(struct life *life, mereau_store *store, int number) {
    struct host host = {0};
    int busy = 1;
    if (store == NULL || host_open_on(&host, life, store) != MEREAU_OK)
        _exit(1);
    while (busy) {
        busy = 0;
        for (int d = number; d < LIFE_DEVICES; d += CROWD_PROCESSES)
            busy |= life_live(life, &host, d);
    }
    host_close(&host);
    mereau_store_close(store);
    _exit(0);
}

void crowd_kill_clients(struct crowd *crowd, mereau_store *(*open)(void *arg),
                        void *arg, unsigned kills, uint64_t *random,
                        struct crowd_sum *sum) {
    pid_t pids[CROWD_PROCESSES] = {0};
    for (unsigned n = 0; n < kills + CROWD_PROCESSES; n++) {
        int which = (int)(n % CROWD_PROCESSES), status;
        if (pids[which] > 0) {
            crowd_await(crowd, (unsigned)(next_random(random) % 80));
            kill(pids[which], SIGKILL);
            assert_int_equal(waitpid(pids[which], &status, 0), pids[which]);
            sum->harm += WIFSIGNALED(status) != 0;
        }
        if (n < kills) {
            pids[which] = fork();
            if (pids[which] == 0)
                child(crowd->life, open(arg), which);
            assert_true(pids[which] > 0);
        }
    }
}

/* --- the clock --- */

void crowd_set_clock(struct crowd *crowd, unsigned times, uint64_t *random,
                     struct crowd_sum *sum) {
    const int64_t first = crowd->life->first;
    int64_t latest = crowd->life->now_at;
    for (unsigned i = 0; i < times; i++) {
        int64_t now_at =
            crowd->life->now_at + (int64_t)(next_random(random) % 7200) - 3600;
        now_at = now_at < first ? first : now_at;
        latest = now_at > latest ? now_at : latest;
        crowd->life->now_at = now_at;
        sum->harm++;
        crowd_await(crowd, (unsigned)(next_random(random) % 40));
    }
    crowd->life->now_at = latest;
}
