/* tests/store/history.h - what several threads saw of one store, and whether that
 * can be explained: is there an order of the operations, each at an instant between
 * its call and its answer, in which one after the other would have given the same
 * answers?
 *
 * A commit whose reply was lost may stand anywhere after its call, or nowhere. A get
 * that may be stale may stand some time before its call, but not before a commit that
 * wrote one of its records the same way and had been answered. */
#ifndef TEST_HISTORY_H
#define TEST_HISTORY_H

#include <stdatomic.h>

#include <mereau/testing.h>

enum { HISTORY_KEYS = 3, HISTORY_THREADS = 4, HISTORY_OPS = 48 };

/* A key of a get with the version that was seen, or one write of a commit. */
struct history_part {
    int key;
    uint32_t kind; /* MEREAU_WRITE_*; of a get 0 */
    uint64_t expect;
    uint64_t version; /* seen, or put; 0: absent */
};

struct history_op {
    uint64_t began, ended; /* instants, all different; UINT64_MAX: no reply */
    int is_commit;
    int way; /* through which store of the place */
    uint64_t stale; /* of a get: how long before it began its instant may be */
    int32_t result;
    size_t failed; /* of a CONFLICT: the part that is blamed, or SIZE_MAX */
    int n_parts;
    struct history_part parts[HISTORY_KEYS];
};

struct history {
    int n;
    struct history_op ops[HISTORY_OPS + 1]; /* and a last get of all keys */
};

/* --- the checker --- */

enum { HISTORY_WRONG = 0, HISTORY_LINEAR = 1, HISTORY_TOO_HARD = 2 };
int history_check(const struct history *history);
void history_print(const struct history *history);

/* --- histories of real runs --- */

/* Mistakes between the threads and the store, that the checker must find. */
enum history_plant {
    PLANT_NONE,
    PLANT_DELIVERS_TWICE, /* a commit arrives again, later */
    PLANT_ANSWERS_EARLY, /* OK is said before it is applied */
    PLANT_CALLS_LATE_BUSY, /* BUSY is said of what is still under way */
    PLANT_CALLS_UNKNOWN_BUSY /* BUSY is said where the store says UNKNOWN */
};

/* A way to a store on which connections are really cut. */
struct history_wire {
    mereau_store *direct; /* beside it, for the last look */
    void (*cut)(void *arg, uint64_t random); /* a connection, soon */
    /* Returns when nothing that was sent is under way any more. */
    void (*settle)(void *arg);
    void *arg;
};

/* Where histories are recorded. */
struct history_place {
    mereau_store *ways[2]; /* to the same records: of the threads with an even
                            * number, and of the others; the second may be NULL */
    const struct history_wire *wire; /* NULL: faults are played */
    uint64_t stale; /* ticks that most gets of the first way may be late */
    atomic_ullong ticks; /* the clock; goes on with each call and answer */
};

/* Calls are answered BUSY or CONFLICT without reaching the store; replies get lost,
 * requests too, and some of those arrive later. Where there is a wire, nothing is
 * played: it is cut meanwhile, and what the store answers is written down. Returns
 * 0, or -1 when threads could not be started. */
int history_record(struct history_place *place, uint64_t seed,
                   enum history_plant plant, struct history *history);

/* Records and checks n histories, prints what they held, and stops at the first that
 * is wrong. Returns how many were good. */
int histories_run(mereau_store *store, const char *engine, uint64_t seed, int n,
                  enum history_plant plant, int print);
/* The same through a wire, or anywhere. */
int histories_run_cut(mereau_store *store, const struct history_wire *wire,
                      const char *engine, uint64_t seed, int n,
                      enum history_plant plant, int print);
int histories_run_at(struct history_place *place, const char *engine,
                     uint64_t seed, int n, enum history_plant plant, int print);
/* $HISTORIES, or 60. */
int histories_wanted(void);

#endif
