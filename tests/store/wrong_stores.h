/* tests/store/wrong_stores.h - stores with one planted fault each. */
#ifndef TEST_WRONG_STORES_H
#define TEST_WRONG_STORES_H

#include <mereau/testing.h>

enum wrong_base {
    WRONG_MEMORY, /* round a new store in memory */
    WRONG_KEPT, /* round one store in memory that outlives close */
    WRONG_SQLITE /* round a SQLite file */
};

enum fault {
    FAULT_NONE,
    /* reading */
    GET_MISSES_ABSENT_KEYS,
    GET_DOUBLES_A_KEY,
    GET_MIXES_UP_INDEXES,
    GET_SHOWS_ABSENT_AS_EMPTY,
    GET_GOES_ON_AFTER_STOP,
    GET_READS_KEY_BY_KEY,
    GET_ANSWERS_FROM_A_CACHE,
    GET_LOSES_VERSIONS,
    /* conditions */
    PUT_IGNORES_ABSENT,
    PUT_IGNORES_VERSION,
    PUT_ANY_ONLY_UPDATES,
    DELETE_IGNORES_VERSION,
    DELETE_ANY_WANTS_A_RECORD,
    DELETE_DOES_NOTHING,
    CHECK_IGNORED,
    CHECK_WRITES,
    CHECK_BEFORE_THE_LOCK,
    CONFLICT_APPLIES_WHAT_WENT_BEFORE,
    CONFLICT_BLAMES_THE_FIRST,
    DELETES_LOST_BESIDE_PUTS,
    /* races */
    WRITES_ONE_BY_ONE,
    LAST_WRITE_WINS,
    ABSENT_THEN_INSERT,
    /* records */
    KEYS_END_AT_NUL,
    KEYS_ARE_7_BIT,
    KEYS_WITHOUT_CASE,
    KEYS_ARE_TRIMMED,
    KEYS_ARE_CUT,
    VALUES_ARE_TEXT,
    VALUES_ARE_CUT,
    EMPTY_VALUE_DELETES,
    BATCH_IS_CUT,
    VERSIONS_OF_32_BITS,
    VERSIONS_OF_63_BITS,
    DROPS_A_DAY_EARLY,
    DROPS_BY_32_BITS,
    PARTITIONS_IGNORED,
    PARTITION_AND_KEY_JOINED,
    FULL_AFTER_1000,
    /* scans */
    SCAN_BACKWARDS,
    SCAN_WITHOUT_VALUES,
    SCAN_BEHIND_FROM,
    SCAN_INCLUDES_TO,
    SCAN_IGNORES_LIMIT,
    SCAN_SKIPS_AT_CURSORS,
    SCAN_GOES_ON_AFTER_STOP,
    SCAN_RUNS_INTO_NEIGHBOURS,
    SCAN_BY_OFFSET
};

/* How a wrong store is opened: the `user` of a kit. */
struct wrong {
    enum fault fault;
    enum wrong_base base;
    uint32_t caps; /* claimed beside those of the base */
    const char *path; /* of a SQLite file */
    mereau_store *kept; /* WRONG_KEPT: closed by wrong_forget */
};
int32_t wrong_open(void *user, mereau_store **out);
void wrong_forget(struct wrong *wrong);

#endif
