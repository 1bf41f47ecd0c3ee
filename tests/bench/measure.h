/* tests/bench/measure.h - what the benchmarks of stores share: a clock, the middle
 * of some values, and what one operation asked of its store, written down for a
 * bare client that asks the same. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mereau/mereau.h>

enum {
    MOST = 24, /* keys of a get, writes of a commit */
    ROOM = 1 << 13 /* bytes of all of them */
};

static inline double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void check(int good, const char *what) {
    if (!good) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static inline mereau_op *run(mereau_op *op) {
    mereau_error err = MEREAU_ERROR_INIT;
    check(mereau_op_run(op, &err) == MEREAU_OK, err.text);
    return op;
}

static inline int smaller(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double median(double *values, size_t n) {
    qsort(values, n, sizeof *values, smaller);
    return values[n / 2];
}

/* --- what one operation asked of its store --- */

struct trace {
    size_t n_keys, n_writes, used;
    size_t commits; /* since it was zeroed; the rest is of the last one */
    mereau_slice keys[MOST];
    mereau_write writes[MOST];
    uint8_t bytes[ROOM]; /* no malloc: the engine's time is being taken */
};

static inline const uint8_t *trace_copy(struct trace *trace,
                                        const uint8_t *data, size_t len) {
    uint8_t *mine = trace->bytes + trace->used;
    check(len <= ROOM - trace->used, "too many bytes");
    if (len > 0)
        memcpy(mine, data, len);
    trace->used += len;
    return mine;
}

/* An operation that meets a conflict reads again: the last attempt counts. */
static inline void trace_get(struct trace *trace, const mereau_need *need) {
    trace->used = trace->n_writes = 0;
    check(need->n_keys <= MOST, "too many keys");
    for (size_t i = 0; i < need->n_keys; i++) {
        trace->keys[i].len = need->keys[i].len;
        trace->keys[i].data =
            trace_copy(trace, need->keys[i].data, need->keys[i].len);
    }
    trace->n_keys = need->n_keys;
}

static inline void trace_commit(struct trace *trace, const mereau_need *need) {
    check(need->n_writes <= MOST, "too many writes");
    for (size_t i = 0; i < need->n_writes; i++) {
        mereau_record *mine = &trace->writes[i].record;
        trace->writes[i] = need->writes[i];
        mine->key = trace_copy(trace, mine->key, mine->key_len);
        mine->value = trace_copy(trace, mine->value, mine->value_len);
    }
    trace->n_writes = need->n_writes;
    trace->commits++;
}

#endif
