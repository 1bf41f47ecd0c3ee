/* lib/testing/kit_together.c - starts the threads of a check at once, lets them
 * meet, and waits for their ends. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "kit_together.h"

struct mru_kit_gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t waiting, left, round;
};

int mru_kit_meet(struct mru_kit_thread *self) {
    struct mru_kit_gate *gate = self->gate;
    uint32_t round;
    int all;

    pthread_mutex_lock(&gate->lock);
    round = gate->round;
    if (++gate->waiting == self->n) {
        gate->waiting = 0;
        gate->round++;
        pthread_cond_broadcast(&gate->changed);
    }
    while (gate->round == round && gate->left == 0)
        pthread_cond_wait(&gate->changed, &gate->lock);
    all = gate->round != round;
    pthread_mutex_unlock(&gate->lock);
    return all;
}

static void leave(struct mru_kit_gate *gate) {
    pthread_mutex_lock(&gate->lock);
    gate->left++;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

int mru_kit_gate_read(struct mru_kit_gate *gate, const int *flag) {
    int value;
    pthread_mutex_lock(&gate->lock);
    value = *flag;
    pthread_mutex_unlock(&gate->lock);
    return value;
}

void mru_kit_gate_write(struct mru_kit_gate *gate, int *flag, int value) {
    pthread_mutex_lock(&gate->lock);
    *flag = value;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

uint64_t mru_kit_gate_count(struct mru_kit_gate *gate, uint64_t *number,
                            uint64_t add) {
    uint64_t value;
    pthread_mutex_lock(&gate->lock);
    value = *number += add;
    pthread_mutex_unlock(&gate->lock);
    return value;
}

int mru_kit_gate_wait(struct mru_kit_gate *gate, const int *flag, int64_t ms) {
    struct timespec until;
    int value, timed_out = 0;

    /* Conditions wait by this clock; a step of it only makes the wait shorter or
     * longer. */
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&gate->lock);
    while (*flag == 0 && !timed_out)
        timed_out =
            pthread_cond_timedwait(&gate->changed, &gate->lock, &until) != 0;
    value = *flag;
    pthread_mutex_unlock(&gate->lock);
    return value;
}

static void *begin(void *arg) {
    struct mru_kit_thread *self = arg;
    if (mru_kit_meet(self))
        self->part(self);
    leave(self->gate);
    return NULL;
}

int mru_kit_together(struct mru_kit *kit,
                     void (*const parts[])(struct mru_kit_thread *),
                     size_t n_parts, uint32_t n, void *arg) {
    enum { MOST = 64 };
    struct mru_kit_gate gate = {PTHREAD_MUTEX_INITIALIZER,
                                PTHREAD_COND_INITIALIZER, 0, 0, 0};
    struct mru_kit_thread threads[MOST];
    pthread_t ids[MOST];
    uint32_t started = 0;

    for (; started < n && started < MOST; started++) {
        struct mru_kit_thread self = {kit, &gate, started,
                                      n,   arg,   parts[started % n_parts]};
        threads[started] = self;
        if (pthread_create(&ids[started], NULL, begin, &threads[started]) != 0)
            break;
    }
    if (started < n) {
        mru_kit_fail(kit, "the kit cannot start %u threads", (unsigned)n);
        leave(&gate); /* those that wait for the rest go home */
    }
    for (uint32_t i = 0; i < started; i++)
        pthread_join(ids[i], NULL);
    pthread_cond_destroy(&gate.changed);
    pthread_mutex_destroy(&gate.lock);
    return mru_kit_failed(kit) ? -1 : 0;
}
