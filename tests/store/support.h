/* tests/store/support.h - what the tests of stores share: a report that notes
 * which checks of the kit failed, single records, and folders of their own. */
#ifndef TEST_STORE_SUPPORT_H
#define TEST_STORE_SUPPORT_H

#include <mereau/testing.h>

/* --- the kit's report --- */

struct noted {
    char failed[64][48]; /* names */
    size_t n_failed;
    size_t n_passed;
    size_t n_skipped;
    int print; /* print what failed, with the reason */
};
void note(void *arg, const char *name, int32_t outcome, const char *why);
int noted_failure(const struct noted *noted, const char *name);

/* --- single records of partition "p", keys and values as texts --- */

int32_t put(mereau_store *store, const char *key, uint64_t expect,
            uint64_t version, const char *value);
/* The version that is there, MEREAU_VERSION_ABSENT, or MEREAU_VERSION_ANY when
 * the store answered something else than OK; that goes to *result. */
uint64_t version_of(mereau_store *store, const char *key, int32_t *result);

/* --- a folder that is removed again --- */

struct folder {
    char path[64];
};
int folder_make(struct folder *folder);
void folder_remove(struct folder *folder);
/* folder/name, into a buffer of 128. */
const char *folder_file(const struct folder *folder, const char *name,
                        char out[128]);

#endif
