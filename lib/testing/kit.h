/* lib/testing/kit.h - inside of the store conformance kit: what its checks share.
 * The kit sees a store only through host.h, as the library does. */
#ifndef MRU_TESTING_KIT_H
#define MRU_TESTING_KIT_H

#include <mereau/testing.h>

/* The state of one run. A check may use it from several threads. */
struct mru_kit;

/* --- keys and what is read --- */

struct mru_kit_key {
    size_t len;
    uint8_t data[MEREAU_MAX_KEY];
};
struct mru_kit_key mru_kit_key(const void *data, size_t len);
struct mru_kit_key mru_kit_key_text(const char *text);
/* prefix and six digits, so that numbers and bytes have one order. */
struct mru_kit_key mru_kit_key_number(const char *prefix, uint32_t number);
int mru_kit_key_compare(const struct mru_kit_key *a,
                        const struct mru_kit_key *b);

/* One answer of a get or scan. Of the value its length, a hash and its begin. */
struct mru_kit_row {
    struct mru_kit_key key;
    uint32_t answers; /* how often it was emitted */
    int there;
    uint64_t version;
    int64_t drop_at;
    size_t value_len;
    uint64_t hash;
    uint8_t head[16];
};
uint64_t mru_kit_hash(const uint8_t *data, size_t len);
/* The number that mru_kit_put_number wrote. */
uint64_t mru_kit_row_number(const struct mru_kit_row *row);

/* --- reading --- */

/* Gets keys, which need not be sorted, one row for each in their order. Waits
 * out BUSY. 0, or -1 after having failed the check: the store answered something
 * else, or broke the rules of emitting. */
int mru_kit_get(struct mru_kit *kit, const struct mru_kit_key *keys, size_t n,
                struct mru_kit_row *rows);
int mru_kit_get_one(struct mru_kit *kit, const struct mru_kit_key *key,
                    struct mru_kit_row *row);
/* Scans [from, to) (NULL: no bound) into at most room rows; *n how many. */
int mru_kit_scan(struct mru_kit *kit, const struct mru_kit_key *from,
                 const struct mru_kit_key *to, size_t limit,
                 struct mru_kit_row *rows, size_t room, size_t *n);
/* As a need, for checks that emit by themselves. */
void mru_kit_need(const struct mru_kit *kit, mereau_need *need, uint32_t kind);

/* The record must be there, or not there, just like this; else the check fails
 * and the answer is -1. */
int mru_kit_expect(struct mru_kit *kit, const struct mru_kit_key *key,
                   uint64_t version, const void *value, size_t value_len);
int mru_kit_expect_absent(struct mru_kit *kit, const struct mru_kit_key *key);

/* --- writing --- */

struct mru_kit_batch {
    size_t n;
    size_t failed; /* the hint of the last commit; SIZE_MAX: none */
    mereau_write writes[MEREAU_MAX_WRITES];
    struct mru_kit_key keys[MEREAU_MAX_WRITES];
    uint8_t numbers[MEREAU_MAX_WRITES][8];
};
void mru_kit_begin(struct mru_kit_batch *batch);
/* value is borrowed until the commit. */
void mru_kit_put(struct mru_kit_batch *batch, const struct mru_kit_key *key,
                 uint64_t expect, uint64_t version, const void *value,
                 size_t value_len);
void mru_kit_put_number(struct mru_kit_batch *batch,
                        const struct mru_kit_key *key, uint64_t expect,
                        uint64_t version, uint64_t number);
void mru_kit_delete(struct mru_kit_batch *batch, const struct mru_kit_key *key,
                    uint64_t expect);
void mru_kit_check(struct mru_kit_batch *batch, const struct mru_kit_key *key,
                   uint64_t expect);
/* Sorts and commits; waits out BUSY. OK or CONFLICT; any other answer fails the
 * check. */
int32_t mru_kit_commit(struct mru_kit *kit, struct mru_kit_batch *batch);
/* Commits and fails the check when the answer is another: 0 or -1. what names
 * the batch in the explanation. */
int mru_kit_commit_as(struct mru_kit *kit, struct mru_kit_batch *batch,
                      int32_t wanted, const char *what);
/* A batch of one PUT; the same. */
int mru_kit_put_as(struct mru_kit *kit, const struct mru_kit_key *key,
                   uint64_t expect, uint64_t version, const char *value,
                   int32_t wanted, const char *what);

/* A version that no write had before. */
uint64_t mru_kit_version(struct mru_kit *kit);
/* A random number below n (n > 0), from the seed. Not for threads. */
uint32_t mru_kit_random(struct mru_kit *kit, uint32_t n);

/* --- the run --- */

/* Fails the check; only the first reason is kept. Threads: any. */
void mru_kit_fail(struct mru_kit *kit, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;
int mru_kit_failed(struct mru_kit *kit);
const mereau_store *mru_kit_store(const struct mru_kit *kit);
uint32_t mru_kit_caps(const struct mru_kit *kit);
const mereau_store_kit *mru_kit_given(const struct mru_kit *kit);
/* Closes the store; opens it again. 0, or -1 after having failed the check. */
void mru_kit_close(struct mru_kit *kit);
int mru_kit_open(struct mru_kit *kit);
/* Uses another partition from now on in this check: its name with suffix. */
void mru_kit_partition(struct mru_kit *kit, const char *suffix);
/* To be removed after the check though another process wrote it. */
void mru_kit_remember(struct mru_kit *kit, const struct mru_kit_key *key);
/* Makes versions of a child process differ from all others'. */
void mru_kit_be_child(struct mru_kit *kit, uint32_t index);
const char *mru_kit_why(const struct mru_kit *kit);

/* Milliseconds of a clock that only goes forward; sleeping. */
int64_t mru_kit_now_ms(void);
void mru_kit_sleep_ms(int64_t ms);
/* How long a race is to be run. */
int64_t mru_kit_race_ms(const struct mru_kit *kit);

/* --- checks --- */

struct mru_kit_check {
    const char *name; /* stable */
    uint32_t needs; /* MEREAU_CAP_* without which it does not apply */
    void (*run)(struct mru_kit *kit);
};
/* Each ends with a NULL name. */
extern const struct mru_kit_check mru_kit_conditions[];
extern const struct mru_kit_check mru_kit_records[];
extern const struct mru_kit_check mru_kit_scans[];
extern const struct mru_kit_check mru_kit_threads[];
extern const struct mru_kit_check mru_kit_processes[];

#endif
