/* tests/flow/restored.h - a store goes back in time, whatever engine it is on: what
 * comes back, what the library says of it, and that after the steps of
 * docs/operations.md nothing of before is good any more. */
#ifndef TEST_RESTORED_H
#define TEST_RESTORED_H

#include <mereau/host.h>

/* How an engine is backed up, and the backup put in its place. */
struct restored_way {
    mereau_store *(*open)(void *at);
    void (*back_up)(void *at); /* while the store is in use */
    void (*put_back)(void *at); /* when nobody has it open */
    void *at;
    int64_t now_at; /* when it begins; 0: T0 of flow.h. An engine that expires
                     * records itself has a clock of its own */
};

void restored_rehearse(const struct restored_way *way);

#endif
