/* lib/adapters/front/group.c - joins the commits that wait at the same time into one
 * commit of the store behind.
 *
 * No thread of its own: whoever comes and finds nobody leading leads. The leader
 * takes from the front of the queue what goes together, commits it, tells each
 * member its result, and hands the lead to the next in the queue. */
#define _POSIX_C_SOURCE 200809L
#include <mereau/front.h>

#include <pthread.h>
#include <stdlib.h>

#include "../../base/base.h"

/* A commit that waits; it lives on the stack of its thread. */
struct member {
    const mereau_need *need;
    size_t *failed;
    int32_t result;
    int done, leads;
    pthread_cond_t woken;
    struct member *next;
};

struct group {
    mereau_store store; /* what the context sees */
    mereau_store *below;
    pthread_mutex_t lock;
    struct member *first, *last;
    int led; /* somebody leads */
    /* The leader's own: a joined commit. */
    struct member *members[MEREAU_MAX_WRITES];
    size_t n_members;
    mereau_write writes[MEREAU_MAX_WRITES];
    size_t n_writes;
};

/* --- what goes together --- */

static int compare_keys(const mereau_record *a, const mereau_record *b) {
    size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
    int order = memcmp(a->key, b->key, len);
    if (order != 0)
        return order;
    return (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static int compare_writes(const void *a, const void *b) {
    return compare_keys(&((const mereau_write *)a)->record,
                        &((const mereau_write *)b)->record);
}

/* The write of the same record that is in the joined commit, or NULL. */
static const mereau_write *same_record(const struct group *g,
                                       const mereau_write *write) {
    for (size_t i = 0; i < g->n_writes; i++)
        if (compare_keys(&g->writes[i].record, &write->record) == 0)
            return &g->writes[i];
    return NULL;
}

static int same_check(const mereau_write *a, const mereau_write *b) {
    return a->kind == MEREAU_WRITE_CHECK && b->kind == MEREAU_WRITE_CHECK &&
           a->expect == b->expect;
}

/* Adds a member's writes if they go together with those that are there. */
static int join(struct group *g, struct member *m) {
    const mereau_need *first = g->n_members > 0 ? g->members[0]->need : NULL;
    const mereau_need *need = m->need;
    size_t before = g->n_writes;
    if (first &&
        (first->partition_len != need->partition_len ||
         memcmp(first->partition, need->partition, need->partition_len) != 0))
        return 0;
    for (size_t i = 0; i < need->n_writes; i++) {
        const mereau_write *there = same_record(g, &need->writes[i]);
        if (there && same_check(there, &need->writes[i]))
            continue;
        if (there || g->n_writes == MEREAU_MAX_WRITES) {
            g->n_writes = before;
            return 0;
        }
        g->writes[g->n_writes++] = need->writes[i];
    }
    g->members[g->n_members++] = m;
    return 1;
}

/* --- committing --- */

static int32_t commit_alone(struct group *g, const struct member *m) {
    return g->below->commit(g->below->user, m->need, m->failed);
}

/* Commits what members have joined. *failed: the write that failed, in g->writes;
 * SIZE_MAX when that is not known. */
static int32_t commit_joined(struct group *g, size_t *failed) {
    mereau_need need = *g->members[0]->need;
    qsort(g->writes, g->n_writes, sizeof g->writes[0], compare_writes);
    need.writes = g->writes;
    need.n_writes = g->n_writes;
    *failed = SIZE_MAX;
    return g->below->commit(g->below->user, &need, failed);
}

/* The place of a write in a member's own commit, or SIZE_MAX. */
static size_t place_in(const struct member *m, const mereau_write *write) {
    for (size_t i = 0; i < m->need->n_writes; i++)
        if (compare_keys(&m->need->writes[i].record, &write->record) == 0)
            return i;
    return SIZE_MAX;
}

/* Takes those out whose condition failed; *g then holds the rest, joined anew.
 * Returns how many went. */
static size_t take_out(struct group *g, size_t failed) {
    struct member *rest[MEREAU_MAX_WRITES];
    mereau_write culprit = g->writes[failed];
    size_t n = 0, out = 0;
    for (size_t i = 0; i < g->n_members; i++) {
        size_t place = place_in(g->members[i], &culprit);
        if (place == SIZE_MAX) {
            rest[n++] = g->members[i];
            continue;
        }
        g->members[i]->result = MEREAU_STORE_CONFLICT;
        if (g->members[i]->failed)
            *g->members[i]->failed = place;
        out++;
    }
    g->n_members = g->n_writes = 0;
    for (size_t i = 0; i < n; i++)
        (void)join(g, rest[i]); /* they went together before */
    return out;
}

/* Gives each member of the joined commit its result. What applied to none of them
 * is tried again in smaller parts where that tells them apart. */
static void commit_members(struct group *g) {
    while (g->n_members > 1) {
        size_t failed;
        int32_t result = commit_joined(g, &failed);
        if (result == MEREAU_STORE_CONFLICT && failed < g->n_writes &&
            take_out(g, failed) > 0)
            continue;
        int apart =
            result == MEREAU_STORE_CONFLICT || result == MEREAU_STORE_LIMIT;
        for (size_t i = 0; i < g->n_members; i++)
            g->members[i]->result =
                apart ? commit_alone(g, g->members[i]) : result;
        return;
    }
    if (g->n_members == 1)
        g->members[0]->result = commit_alone(g, g->members[0]);
}

/* --- the queue --- */

/* Moves what goes together from the queue, whose first always does, into a joined
 * commit. What does not stays in its place. */
static size_t gather(struct group *g, struct member **taken) {
    struct member **link = &g->first, *last = NULL;
    size_t n = 0;
    g->n_members = g->n_writes = 0;
    while (*link) {
        struct member *m = *link;
        if (n < MEREAU_MAX_WRITES && join(g, m)) {
            taken[n++] = m;
            *link = m->next;
        } else {
            last = m;
            link = &m->next;
        }
    }
    g->last = last;
    return n;
}

/* Commits one group, with the lock given away meanwhile, and hands on the lead. */
static void lead(struct group *g) {
    struct member *taken[MEREAU_MAX_WRITES];
    size_t n = gather(g, taken);
    pthread_mutex_unlock(&g->lock);
    commit_members(g);
    pthread_mutex_lock(&g->lock);
    for (size_t i = 0; i < n; i++) {
        taken[i]->done = 1;
        pthread_cond_signal(&taken[i]->woken);
    }
    g->led = g->first != NULL;
    if (g->first) {
        g->first->leads = 1;
        pthread_cond_signal(&g->first->woken);
    }
}

static int32_t group_commit(void *user, const mereau_need *need,
                            size_t *failed) {
    struct group *g = user;
    struct member me;
    if (failed)
        *failed = SIZE_MAX;
    if (need->n_writes == 0 || need->n_writes > MEREAU_MAX_WRITES)
        return g->below->commit(g->below->user, need, failed);
    memset(&me, 0, sizeof me);
    me.need = need;
    me.failed = failed;
    me.result = MEREAU_STORE_IO;
    if (pthread_cond_init(&me.woken, NULL) != 0)
        return MEREAU_STORE_BUSY;
    pthread_mutex_lock(&g->lock);
    if (g->last)
        g->last->next = &me;
    else
        g->first = &me;
    g->last = &me;
    if (!g->led)
        g->led = me.leads = 1;
    while (!me.done) {
        if (me.leads)
            lead(g); /* this one is the first of the queue */
        else
            pthread_cond_wait(&me.woken, &g->lock);
    }
    pthread_mutex_unlock(&g->lock);
    pthread_cond_destroy(&me.woken);
    return me.result;
}

static int32_t group_get(void *user, const mereau_need *need, mereau_emit emit,
                         void *arg) {
    struct group *g = user;
    return g->below->get(g->below->user, need, emit, arg);
}

static int32_t group_scan(void *user, const mereau_need *need, mereau_emit emit,
                          void *arg) {
    struct group *g = user;
    return g->below->scan(g->below->user, need, emit, arg);
}

static void group_close(void *user) {
    struct group *g = user;
    mereau_store_close(g->below);
    pthread_mutex_destroy(&g->lock);
    mru_free(g);
}

mereau_status mereau_group_open(mereau_store **out, mereau_store *below,
                                mereau_error *err) {
    mereau_status status = mru_error_reset(err);
    if (out)
        *out = NULL;
    if (status != MEREAU_OK)
        return status;
    if (!out || !below)
        return mru_refuse(err, MEREAU_E_ARG, "front.below", NULL,
                          "a store to stand in front of", "none");
    struct group *g = mru_alloc(sizeof *g);
    if (!g || pthread_mutex_init(&g->lock, NULL) != 0) {
        mru_free(g);
        return mru_refuse(err, MEREAU_E_NOMEM, NULL, NULL, NULL, NULL);
    }
    g->below = below;
    mereau_store_init(&g->store, sizeof g->store);
    g->store.caps = below->caps;
    g->store.user = g;
    g->store.get = group_get;
    g->store.commit = group_commit;
    g->store.scan = below->scan ? group_scan : NULL;
    g->store.close = group_close;
    *out = &g->store;
    return MEREAU_OK;
}
