/* tests/store/grouped.c - see grouped.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <mereau/front.h>

#include "grouped.h"
#include "history.h"

/* --- the store below --- */

/* Versions tell of which operation they are (history_record.c). */
static int is_joined(const mereau_need *need) {
    uint64_t of = 0;
    for (size_t i = 0; i < need->n_writes; i++) {
        uint64_t version = need->writes[i].record.version;
        if (version != 0 && of != 0 && (version - 1) / HISTORY_KEYS + 1 != of)
            return 1;
        if (version != 0)
            of = (version - 1) / HISTORY_KEYS + 1;
    }
    return 0;
}

static unsigned luck_of(struct shaky *s, const mereau_need *need) {
    unsigned luck;
    pthread_mutex_lock(&s->lock);
    s->commits++;
    s->joined += is_joined(need) != 0;
    s->random = s->random * UINT64_C(6364136223846793005) + 1;
    luck = (unsigned)((s->random >> 33) % 100);
    s->faults += luck < 16;
    pthread_mutex_unlock(&s->lock);
    return luck;
}

static void be_slow(void) {
    const struct timespec slow = {0, 150000};
    nanosleep(&slow, NULL);
}

/* While this one is under way, others wait for each other's company. */
static int32_t pass_commit(void *user, const mereau_need *need,
                           size_t *failed) {
    struct shaky *s = user;
    unsigned luck = luck_of(s, need);
    int32_t result = MEREAU_STORE_UNKNOWN;
    be_slow();
    if (luck < 4)
        return MEREAU_STORE_UNKNOWN;
    if (luck >= 8 && luck < 16) /* and says of no write that it was the one */
        return luck < 11   ? MEREAU_STORE_BUSY
               : luck < 14 ? MEREAU_STORE_CONFLICT
                           : MEREAU_STORE_LIMIT;
    result = s->to->commit(s->to->user, need, failed);
    if (luck < 30)
        *failed = SIZE_MAX;
    return luck < 8 && result == MEREAU_STORE_OK ? MEREAU_STORE_UNKNOWN
                                                 : result;
}

/* Writes overtake what was read. */
static int32_t pass_get(void *user, const mereau_need *need, mereau_emit emit,
                        void *arg) {
    struct shaky *s = user;
    int32_t result = s->to->get(s->to->user, need, emit, arg);
    be_slow();
    return result;
}

static void pass_close(void *user) {
    struct shaky *s = user;
    mereau_store_close(s->to);
    pthread_mutex_destroy(&s->lock);
}

static mereau_store *shaky_open(struct shaky *s, mereau_store *to) {
    memset(s, 0, sizeof *s);
    s->to = to;
    s->random = 77;
    pthread_mutex_init(&s->lock, NULL);
    mereau_store_init(&s->table, sizeof s->table);
    s->table.caps = to->caps;
    s->table.user = s;
    s->table.get = pass_get;
    s->table.commit = pass_commit;
    s->table.close = pass_close;
    return &s->table;
}

/* --- the group --- */

void grouped_open(struct grouped *g, mereau_store *engine) {
    assert_int_equal(
        mereau_group_open(&g->store, shaky_open(&g->below, engine), NULL),
        MEREAU_OK);
}

void grouped_has_joined(const struct grouped *g) {
    print_message("faults: group: %u commits of it, %u with writes of several, "
                  "%u that failed\n",
                  g->below.commits, g->below.joined, g->below.faults);
    assert_true(g->below.joined > g->below.commits / 50);
    assert_true(g->below.faults > g->below.commits / 10);
}

void grouped_is_linearizable(mereau_store *engine, const char *name) {
    struct grouped g;
    int n = histories_wanted();
    grouped_open(&g, engine);
    assert_int_equal(histories_run(g.store, name, 1, n, PLANT_NONE, 1), n);
    grouped_has_joined(&g);
    mereau_store_close(g.store);
}
