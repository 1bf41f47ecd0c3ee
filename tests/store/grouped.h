/* tests/store/grouped.h - a group of commits (mereau/front.h) over a store that passes
 * on to an engine: slow, so that commits wait for each other's company; losing replies,
 * refusing, and seldom saying which condition it was that failed. */
#ifndef TEST_GROUPED_H
#define TEST_GROUPED_H

#include <pthread.h>

#include <mereau/host.h>

/* Without scan. */
struct shaky {
    mereau_store table, *to;
    pthread_mutex_t lock; /* guards what follows */
    uint64_t random;
    unsigned commits, faults;
    unsigned
        joined; /* commits with writes of several operations of a history */
};

struct grouped {
    struct shaky below;
    mereau_store *store;
};

/* Takes over the engine: closing the store closes all. */
void grouped_open(struct grouped *grouped, mereau_store *engine);
/* The test fails unless commits were joined, and some of those failed. */
void grouped_has_joined(const struct grouped *grouped);

/* $HISTORIES of them, over a group over this engine, which is closed then. */
void grouped_is_linearizable(mereau_store *engine, const char *name);

#endif
