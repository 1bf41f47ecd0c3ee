/* lib/testing/kit_run.c - runs the checks of the store kit, one after the other,
 * and sweeps up after each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit_run.h"

void mereau_store_kit_init(mereau_store_kit *kit, size_t size) {
    if (kit == NULL || size < sizeof kit->size)
        return;
    if (size > sizeof *kit)
        size = sizeof *kit;
    memset(kit, 0, size);
    kit->size = (uint32_t)size;
}

/* --- the store, open and closed --- */

int mru_kit_open(struct mru_kit *kit) {
    mereau_store *store = NULL;
    if (kit->given.open(kit->given.user, &store) != 0 || store == NULL) {
        mru_kit_fail(kit, "the store cannot be opened");
        return -1;
    }
    kit->store = store;
    return 0;
}

void mru_kit_close(struct mru_kit *kit) {
    mereau_store *store = kit->store;
    kit->store = NULL;
    if (store == NULL)
        return;
    if (kit->given.close != NULL)
        kit->given.close(kit->given.user, store);
    else
        mereau_store_close(store);
}

void mru_kit_partition(struct mru_kit *kit, const char *suffix) {
    snprintf(kit->partition, sizeof kit->partition, "%.40s%.20s", kit->own,
             suffix);
}

/* --- sweeping up --- */

static int left_order(const void *a, const void *b) {
    const struct mru_kit_left *x = *(struct mru_kit_left *const *)a;
    const struct mru_kit_left *y = *(struct mru_kit_left *const *)b;
    int order = strcmp(x->partition, y->partition);
    return order != 0 ? order : mru_kit_key_compare(&x->key, &y->key);
}

/* Deletes some records of one partition; *list is sorted. Returns how many of
 * the list are done. */
static size_t delete_some(struct mru_kit *kit, struct mru_kit_left **list,
                          size_t n, struct mru_kit_batch *batch) {
    size_t i = 0;
    mru_kit_begin(batch);
    memcpy(kit->partition, list[0]->partition, sizeof kit->partition);
    for (; i < n && batch->n < MEREAU_MAX_WRITES / 2 &&
           strcmp(list[i]->partition, kit->partition) == 0;
         i++)
        if (i == 0 ||
            mru_kit_key_compare(&list[i - 1]->key, &list[i]->key) != 0)
            mru_kit_delete(batch, &list[i]->key, MEREAU_VERSION_ANY);
    mru_kit_commit(kit, batch);
    return i;
}

static void sweep(struct mru_kit *kit) {
    struct mru_kit_batch *batch = calloc(1, sizeof *batch);
    struct mru_kit_left **list = NULL;
    size_t n = 0;

    for (struct mru_kit_left *left = kit->left; left != NULL; left = left->next)
        n++;
    list = calloc(n + 1, sizeof *list);
    if (list != NULL && batch != NULL && kit->store != NULL) {
        n = 0;
        for (struct mru_kit_left *left = kit->left; left; left = left->next)
            list[n++] = left;
        qsort(list, n, sizeof *list, left_order);
        for (size_t i = 0; i < n;)
            i += delete_some(kit, list + i, n - i, batch);
    }
    while (kit->left != NULL) {
        struct mru_kit_left *left = kit->left;
        kit->left = left->next;
        free(left);
    }
    free(list);
    free(batch);
}

/* --- the run --- */

struct run {
    struct mru_kit kit;
    mereau_store_kit_report report;
    void *arg;
    uint32_t number; /* of the check */
    int32_t failures;
};

static void tell(struct run *run, const char *name, int32_t outcome,
                 const char *why) {
    run->failures += outcome == MEREAU_KIT_FAILED;
    if (run->report != NULL)
        run->report(run->arg, name, outcome, why);
}

/* Each check needs one capability at most. */
static const char *lack(uint32_t needs) {
    switch (needs) {
    case MEREAU_CAP_ORDERED:
        return "only with MEREAU_CAP_ORDERED";
    case MEREAU_CAP_DURABLE:
        return "only with MEREAU_CAP_DURABLE";
    default:
        return "only with MEREAU_CAP_SHARED";
    }
}

static void run_check(struct run *run, const struct mru_kit_check *check) {
    struct mru_kit *kit = &run->kit;
    char why[sizeof kit->why];

    run->number++;
    if (kit->given.only != NULL && strcmp(kit->given.only, check->name) != 0)
        return;
    if ((kit->caps & check->needs) != check->needs) {
        tell(run, check->name, MEREAU_KIT_SKIPPED, lack(check->needs));
        return;
    }
    kit->failed = 0;
    kit->why[0] = 0;
    kit->random = kit->given.seed * 1000 + run->number;
    snprintf(kit->own, sizeof kit->own, "mereau-kit-%08x-%u",
             (unsigned)(kit->given.seed ^ kit->given.seed >> 32), run->number);
    mru_kit_partition(kit, "");
    if (kit->store != NULL || mru_kit_open(kit) == 0)
        check->run(kit);
    memcpy(why, kit->why, sizeof why);
    tell(run, check->name, kit->failed ? MEREAU_KIT_FAILED : MEREAU_KIT_PASSED,
         why);
    sweep(kit);
}

/* What has to hold before anything can be called. */
static const char *fault_of_table(const mereau_store_kit *given,
                                  const mereau_store *store) {
    size_t all = offsetof(mereau_store, close) + sizeof store->close;
    if (store->size < all)
        return "size is not that of mereau_store";
    if (store->get == NULL || store->commit == NULL)
        return "get and commit must be set";
    if ((store->caps & MEREAU_CAP_ORDERED) && store->scan == NULL)
        return "MEREAU_CAP_ORDERED is claimed, and scan is NULL";
    if ((store->caps & given->caps) != given->caps)
        return "a capability is missing that the kit was told to expect";
    if (store->caps &
        ~(uint32_t)(MEREAU_CAP_DURABLE | MEREAU_CAP_SHARED | MEREAU_CAP_LINEAR |
                    MEREAU_CAP_ORDERED | MEREAU_CAP_EXPIRES | MEREAU_CAP_STALE))
        return "caps holds a bit that means nothing";
    return "";
}

static uint32_t within(uint32_t value, uint32_t usual, uint32_t most) {
    if (value == 0)
        return usual;
    if (value < 2)
        return 2;
    return value < most ? value : most;
}

static void run_all(struct run *run) {
    static const struct mru_kit_check *const groups[] = {
        mru_kit_conditions, mru_kit_records, mru_kit_scans, mru_kit_threads,
        mru_kit_processes};
    struct mru_kit *kit = &run->kit;
    const char *fault;

    if (mru_kit_open(kit) != 0) {
        tell(run, "store_can_be_opened", MEREAU_KIT_FAILED, kit->why);
        return;
    }
    kit->caps = kit->store->caps;
    fault = fault_of_table(&kit->given, kit->store);
    tell(run, "table_is_complete",
         *fault ? MEREAU_KIT_FAILED : MEREAU_KIT_PASSED, fault);
    for (size_t g = 0; *fault == 0 && g < sizeof groups / sizeof *groups; g++)
        for (const struct mru_kit_check *c = groups[g]; c->name != NULL; c++)
            run_check(run, c);
    mru_kit_close(kit);
}

int32_t mereau_store_kit_run(const mereau_store_kit *kit,
                             mereau_store_kit_report report, void *arg) {
    struct run *run = calloc(1, sizeof *run);
    int32_t failures;

    if (run == NULL || kit == NULL || kit->size < sizeof *kit ||
        kit->open == NULL) {
        if (report != NULL)
            report(arg, "kit_is_complete", MEREAU_KIT_FAILED,
                   "size and open must be set");
        free(run);
        return 1;
    }
    run->report = report;
    run->arg = arg;
    run->kit.given = *kit;
    run->kit.given.threads = within(kit->threads, 8, 64);
    run->kit.given.processes = within(kit->processes, 4, 16);
    run->kit.given.records = within(kit->records, 20000, 100000000);
    run->kit.given.race_ms = within(kit->race_ms, 700, 60000);
    pthread_mutex_init(&run->kit.lock, NULL);
    run_all(run);
    pthread_mutex_destroy(&run->kit.lock);
    failures = run->failures;
    free(run);
    return failures;
}

/* --- the table --- */

struct table {
    int32_t counts[3];
};

static void print_line(void *arg, const char *name, int32_t outcome,
                       const char *why) {
    static const char *const words[] = {"FAIL", "ok", "-"};
    struct table *table = arg;
    table->counts[outcome]++;
    if (*why)
        printf("%-4s %-38s %s\n", words[outcome], name, why);
    else
        printf("%-4s %s\n", words[outcome], name);
    fflush(stdout);
}

int32_t mereau_store_kit_table(const mereau_store_kit *kit) {
    struct table table = {{0, 0, 0}};
    int32_t failures = mereau_store_kit_run(kit, print_line, &table);
    printf("%d passed, %d failed, %d skipped\n",
           (int)table.counts[MEREAU_KIT_PASSED],
           (int)table.counts[MEREAU_KIT_FAILED],
           (int)table.counts[MEREAU_KIT_SKIPPED]);
    return failures;
}
