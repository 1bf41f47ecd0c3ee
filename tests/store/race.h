/* tests/store/race.h - processes that race each other on one store, round after
 * round, each with a context and a connection of its own: for the last count of a
 * registration token, and for the one exchange of an auth token. */
#ifndef TEST_STORE_RACE_H
#define TEST_STORE_RACE_H

#include <mereau/mereau.h>

/* Opens the store anew; NULL: it cannot, and has said why. */
typedef mereau_store *race_open(void *user);

/* Each counts what came of each round; both assert. */
void race_for_the_last_count(race_open *open, void *user);
void race_for_the_one_exchange(race_open *open, void *user);

#endif
