/* tests/faults/crowd.h - a life (life.h) on threads or in processes of a store
 * whose server, connections or clock the test harms meanwhile; and what came of
 * it. */
#ifndef TEST_CROWD_H
#define TEST_CROWD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "life.h"

enum { CROWD_THREADS = 8, CROWD_PROCESSES = 3 };

struct crowd {
    struct life *life;
    struct host host;
    pthread_t threads[CROWD_THREADS];
    struct crowd_one {
        struct crowd *crowd;
        int number;
    } ones[CROWD_THREADS];
    atomic_int over;
};

/* What was done and found in several lives. */
struct crowd_sum {
    struct life_found found;
    unsigned harm; /* how often something went wrong; counted by the test */
    unsigned answers;
};

/* n, or ten times as many with MEREAU_SOAK. */
unsigned crowd_rounds(unsigned n);

/* A new life, its tenant, app and token made in a store that has none of them;
 * the store is closed by crowd_close(). */
void crowd_open(struct crowd *crowd, mereau_store *store);
/* Devices live on threads, until they are over or stopped. */
void crowd_start(struct crowd *crowd);
/* Until there were so many more answers, however fast the machine is; 2 s at most. */
void crowd_await(const struct crowd *crowd, unsigned answers);
void crowd_stop(struct crowd *crowd);
void crowd_close(struct crowd *crowd);
/* What came of it, read through another store, which is closed; the end of the
 * life. print: say what is wrong. */
void crowd_check(struct crowd *crowd, mereau_store *store,
                 struct crowd_sum *sum, int print);
/* Says what was done and found, by engine and kind; the test fails unless there
 * were as many harms as wanted and nothing was lost or doubled. */
void crowd_must_be_whole(const char *engine, const char *kind,
                         const struct crowd_sum *sum, unsigned wanted);

/* The devices of an opened and closed crowd live in processes, each with a store
 * of its own; so many of them are killed at random, and others go on. Up to 9 kills, a life
 * is not over before. */
void crowd_kill_clients(struct crowd *crowd, mereau_store *(*open)(void *arg),
                        void *arg, unsigned kills, uint64_t *random,
                        struct crowd_sum *sum);
/* Sets the clock of the threads so many times, by up to an hour back or forward,
 * and right again. A life lasts for 20 times. */
void crowd_set_clock(struct crowd *crowd, unsigned times, uint64_t *random,
                     struct crowd_sum *sum);

#endif
