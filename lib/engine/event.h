/* lib/engine/event.h - one event, as the host's callback reads it. */
#ifndef MRU_ENGINE_EVENT_H
#define MRU_ENGINE_EVENT_H

#include "engine.h"

struct mereau_event {
    const struct mru_bag *bag;
    struct mru_buf *json; /* filled when it is asked for */
};

/* Of kept events: how long, and the beginning of their keys. */
#define MRU_EVENT_KEPT_S (90 * MRU_DAY_S)
void mru_key_events(struct mru_rkey *key);

#endif
