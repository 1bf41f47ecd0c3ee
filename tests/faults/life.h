/* tests/faults/life.h - what clients do to a store while it is harmed, and how it
 * is found afterwards that nothing was lost or doubled.
 *
 * A life is a number of devices under one registration token. Each redeems,
 * exchanges and refreshes, step after step; some sign out at the end. A step that
 * failed is asked for again with the same proof, by whichever process has the
 * device next. What was begun and what was answered stands in shared memory, outside
 * the store and safe from a kill. */
#ifndef TEST_LIFE_H
#define TEST_LIFE_H

#include <stdatomic.h>

#include <mereau/mereau.h>

#include "disk.h"

enum {
    LIFE_DEVICES = 40,
    LIFE_STEPS =
        24, /* 0 redeem, 1 exchange, then refresh; the last: sign out */
    LIFE_COUNTS = 160 /* enough to be split over several records */
};

struct life_act {
    atomic_int begun, done;
    char answer[200]; /* the token that came of it */
};

struct life {
    char token[160], token_id[32];
    atomic_int ready; /* tenant, app and token are there */
    int64_t first; /* where its clock began: the real time, since a server may
                      drop by its own clock what is over */
    atomic_llong now_at;
    atomic_uint problems; /* answers that a client must not get */
    atomic_uint refused; /* answers by which it is told to try again */
    atomic_uint answered;
    void (*mark)(uint32_t what); /* told of each begun and each done; or NULL */
    int steps; /* at most LIFE_STEPS */
    int impatient; /* nobody sleeps between two attempts */
    struct life_act acts[LIFE_DEVICES][LIFE_STEPS];
};

/* In memory that children share. NULL without. */
struct life *life_new(void (*mark)(uint32_t what));
void life_free(struct life *life);

/* A context on a store. */
struct host {
    struct life *life;
    mereau_store *store; /* closed with it when it was opened here */
    mereau_ctx *ctx;
    mereau_tenant *tenant;
};
mereau_status host_open(struct host *host, struct life *life, const char *path);
mereau_status host_open_on(struct host *host, struct life *life,
                           const mereau_store *store);
void host_close(struct host *host);

/* Tenant, app, registration token; again after a failure. */
mereau_status life_begin(struct life *life, struct host *host);
/* The next step of a device, or the last one again if it got no answer.
 * MEREAU_OK; *over when it has none left. */
mereau_status life_step(struct life *life, struct host *host, int device,
                        int *over);
/* As life_step(), and counts: a refusal that no client may get is a problem. */
int life_live(struct life *life, struct host *host, int device);
/* How many steps were answered. */
unsigned life_answers(const struct life *life);

/* What was begun and done at some instant. */
struct life_view {
    int ready;
    char begun[LIFE_DEVICES][LIFE_STEPS], done[LIFE_DEVICES][LIFE_STEPS];
};
enum { LIFE_READY = 1000000 };
void life_view_mark(struct life_view *view, uint32_t what);
void life_view_now(struct life_view *view, const struct life *life);

struct life_found {
    unsigned lost; /* answered, and not in the store */
    unsigned doubled; /* counted or enrolled twice, answered in two ways */
    unsigned broken; /* the store or a record of it cannot be read */
    unsigned checked; /* answers that were looked for */
    int print;
};
/* Everything that was answered must be there, once. Goes on with what was begun,
 * so that the store is another one afterwards. */
void life_check(struct life *life, struct host *host,
                const struct life_view *view, struct life_found *found);

#endif
