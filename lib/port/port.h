/* lib/port/port.h - what the operating system gives: locks, sleep, clock,
 * randomness. The only room of the core that sees POSIX. */
#ifndef MRU_PORT_H
#define MRU_PORT_H

#include <mereau/system.h>

#include "../base/base.h"

typedef struct mru_lock mru_lock;
mru_lock *mru_lock_new(void); /* NULL without memory */
void mru_lock_free(mru_lock *lock);
void mru_lock_take(mru_lock *lock);
void mru_lock_give(mru_lock *lock);

void mru_sleep_ms(uint32_t ms);
/* Unpredictable bytes of the operating system (getrandom, or /dev/urandom): 0,
 * or an errno. Nothing is kept between calls, so a fork cannot repeat it. */
int mru_os_random(void *unused, uint8_t *out, size_t len);
/* Random bytes for one call: of the host's table, or with NULL of the operating
 * system. check: MEREAU_OK, _SIZE, _ARG; draw is an mru_rng whose argument is the
 * table, and zeroes out when it fails. */
mereau_status mru_random_check(const mereau_random *random, mereau_error *err);
int mru_random_draw(void *random, uint8_t *out, size_t len);
/* The table as the argument of an mru_rng. */
void *mru_random_arg(const mereau_random *random);
/* A number that changes with every fork. */
uint64_t mru_process_id(void);

#endif
