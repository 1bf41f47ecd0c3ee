/* lib/testing/kit_run.h - the state of a run of the store kit; only kit_core.c
 * and kit_run.c look inside. */
#ifndef MRU_TESTING_KIT_RUN_H
#define MRU_TESTING_KIT_RUN_H

#include <pthread.h>

#include "kit.h"

#define MRU_KIT_PARTITION 64

/* A record that is to be removed after the check. */
struct mru_kit_left {
    struct mru_kit_left *next;
    char partition[MRU_KIT_PARTITION];
    struct mru_kit_key key;
};

struct mru_kit {
    mereau_store_kit given; /* with its zeros filled in */
    mereau_store *store; /* NULL while closed */
    uint32_t caps;
    char own[MRU_KIT_PARTITION]; /* the check's partition */
    char partition[MRU_KIT_PARTITION]; /* the one in use */
    uint64_t versions; /* how many were given out */
    uint64_t random;
    pthread_mutex_t lock; /* guards what follows, and versions */
    int failed;
    char why[256];
    struct mru_kit_left *left;
};

#endif
