/* tests/postgres/lives.h - lives (../faults/crowd.h) on a PostgreSQL server. */
#ifndef TEST_POSTGRES_LIVES_H
#define TEST_POSTGRES_LIVES_H

#include "../faults/crowd.h"
#include "server.h"

/* A store, or NULL after having said why not. */
mereau_store *lives_open(const char *conninfo);
/* As crowd_open(), on an empty table; lock_ms: how long a commit waits for locks,
 * 0: as by default. */
void lives_begin(struct server *server, struct crowd *crowd,
                 const char *conninfo, uint32_t lock_ms);
/* Stops it, closes it and looks what came of it. */
void lives_end(struct server *server, struct crowd *crowd,
               struct crowd_sum *sum);

#endif
