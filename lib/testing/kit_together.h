/* lib/testing/kit_together.h - several threads that begin at once and meet. */
#ifndef MRU_TESTING_KIT_TOGETHER_H
#define MRU_TESTING_KIT_TOGETHER_H

#include "kit.h"

/* A place where threads wait for each other, and a lock for what they share. */
struct mru_kit_gate;

struct mru_kit_thread {
    struct mru_kit *kit;
    struct mru_kit_gate *gate;
    uint32_t index, n;
    void *arg;
    void (*part)(struct mru_kit_thread *self);
};

/* Runs n threads to their ends, thread i as parts[i % n_parts]. 0, or -1 after
 * having failed the check. */
int mru_kit_together(struct mru_kit *kit,
                     void (*const parts[])(struct mru_kit_thread *),
                     size_t n_parts, uint32_t n, void *arg);

/* Returns when all n are here. Once a thread has left for good, nobody waits
 * any more: then 0, else 1. */
int mru_kit_meet(struct mru_kit_thread *self);

int mru_kit_gate_read(struct mru_kit_gate *gate, const int *flag);
void mru_kit_gate_write(struct mru_kit_gate *gate, int *flag, int value);
uint64_t mru_kit_gate_count(struct mru_kit_gate *gate, uint64_t *number,
                            uint64_t add);
/* Waits at most ms until *flag is set; its value. */
int mru_kit_gate_wait(struct mru_kit_gate *gate, const int *flag, int64_t ms);

#endif
