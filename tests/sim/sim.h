/* tests/sim/sim.h - a deterministic simulator of many callers on one store.
 *
 * The engine is the real one, driven by mereau_op_step(), _feed() and _answer().
 * Everything around it is simulated: the store, the clock, the random source, the
 * processes (contexts with caches of their own), and who runs when. One run is a
 * list of choices; the same choices give the same run to the byte.
 *
 *   store.c     the records, and batches of writes that may land late
 *   hash.c      hashing, and the set of fingerprints that were seen
 *   fingerprint.c  what makes two states one
 *   world.c     processes, callers, what they ask for, serving their needs
 *   truth.c     what must hold after every commit
 *   verdict.c   what must hold of every answer
 *   quiet.c     what must hold when everybody is done
 *   ask.c       the op that a step of a script stands for
 *   explore.c   which choices there are; every one of them, or some at random
 *   edges.c     what no script does
 *   cases.c     small cases by name, and scripts drawn at random */
#ifndef SIM_H
#define SIM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mereau/mereau.h>

#include "engine/engine.h"
#include "engine/enrolment.h"

#define SIM_TENANT "t"
#define SIM_START 1800000000
#define SIM_EXTENDED (SIM_START + 10 * MRU_DAY_S) /* see SIM_EXTEND */
#define SIM_DEVICES 5
#define SIM_KEYED 4 /* this device proves itself by a key */
#define SIM_BASE_TOKENS 6
#define SIM_TOKENS 10
#define SIM_FAMILIES (SIM_TOKENS * SIM_DEVICES)
#define SIM_APPS 2
#define SIM_CALLERS 6
#define SIM_SCRIPT 12
#define SIM_PROCS 12
#define SIM_GENERATIONS 24
#define SIM_LATE 6
#define SIM_INSTS 256
#define SIM_JUMPS 6

/* --- hash.c --- */
uint64_t sim_mix(uint64_t hash, uint64_t value);
uint64_t sim_bytes(uint64_t hash, const void *data, size_t len);

/* Random values, numbered in the order in which one fingerprint meets them. */
#define SIM_NAMES 4096
struct sim_names {
    uint64_t value[SIM_NAMES];
    uint32_t number[SIM_NAMES];
    uint32_t round[SIM_NAMES];
    uint32_t now, n;
};
void sim_names_begin(struct sim_names *names);
uint32_t sim_name(struct sim_names *names, uint64_t value);

/* A set of 64-bit fingerprints. */
struct sim_set {
    uint64_t *slots;
    size_t n, cap;
};
int sim_set_add(struct sim_set *set, uint64_t fingerprint); /* 1: it is new */
void sim_set_free(struct sim_set *set);

/* --- store.c --- */
#define SIM_ATOMS 24
struct sim_rec {
    unsigned refs;
    uint64_t fixed; /* hash of key and value without what is random in them */
    uint32_t n_atoms;
    uint64_t atoms[SIM_ATOMS]; /* what is random: versions, salts */
    uint64_t version;
    int64_t drop_at;
    size_t key_len, value_len;
    uint8_t *key, *value;
    uint8_t bytes[];
};
struct sim_store {
    struct sim_rec **rows;
    size_t n, cap;
};
void sim_rec_free(struct sim_rec *rec);
void sim_store_copy(struct sim_store *to, const struct sim_store *from);
void sim_store_free(struct sim_store *store);
struct sim_rec *sim_find(const struct sim_store *store, const void *key,
                         size_t len);
size_t sim_place(const struct sim_store *store, const void *key, size_t len);
/* Decodes a record; 1 when there is one. The bag must be freed. */
int sim_bag(const struct sim_store *store, const struct mru_rkey *key,
            struct mru_bag *bag);

/* One commit, on its way. */
struct sim_batch {
    size_t n;
    int inst; /* whose */
    struct {
        uint32_t kind;
        uint64_t expect;
        struct sim_rec *rec; /* of a CHECK or DELETE its key only */
        struct sim_rec *old; /* what an apply replaced */
    } writes[];
};
/* NULL when the need breaks the contract. */
struct sim_batch *sim_batch_new(const mereau_need *need, int inst);
void sim_batch_free(struct sim_batch *batch);
/* MEREAU_STORE_OK or _CONFLICT. */
int32_t sim_batch_apply(struct sim_store *store, struct sim_batch *batch);

/* --- scripts --- */
enum sim_kind {
    SIM_REDEEM = 1, /* token, device; arg: whose nonce, 0 the device's own */
    SIM_EXCHANGE, /* token, device; arg: SIM_NO_NONCE ... */
    SIM_REFRESH,
    SIM_STEAL, /* token, device; arg: the generation that is presented */
    SIM_VERIFY, /* the newest access token */
    SIM_VERIFY_REFRESH,
    SIM_INTROSPECT,
    SIM_REVOKE_TOKEN, /* token; arg: with cascade */
    SIM_REVOKE_AUTH,
    SIM_REVOKE_FAMILY,
    SIM_REVOKE_HELD,
    SIM_RAISE, /* arg: level; token (its app), device */
    SIM_APP_ENABLE, /* arg: 0 or 1; token: its app */
    SIM_APP_DELETE,
    SIM_APP_LABEL,
    SIM_BLOCK,
    SIM_UNBLOCK,
    SIM_REARM,
    SIM_COUNT, /* token; arg: the new count */
    SIM_EXTEND, /* token; to another end */
    SIM_REISSUE, /* token; arg: the place of the new one */
    SIM_MINT, /* arg: the place; device: the count; token 0: without an
                    idempotency key */
    SIM_PURGE,
    SIM_KEY_REVOKE, /* the signer's key */
    SIM_TENANT_ENABLE, /* arg: 0 or 1 */
    SIM_KINDS
};
enum { SIM_NONCE = 0, SIM_NO_NONCE = 1, SIM_NARROW = 2, SIM_OWN_NONCE = 4 };
struct sim_step {
    uint8_t kind, token, device, arg;
};

/* How the store or fate answers. */
enum {
    SIM_OK,
    SIM_CONFLICT,
    SIM_BUSY,
    SIM_UNKNOWN_NOW,
    SIM_UNKNOWN_NEVER,
    SIM_UNKNOWN_LATE,
    SIM_CRASH_BEFORE,
    SIM_CRASH_AFTER,
    SIM_CRASH_LATE,
    SIM_HOWS
};
#define SIM_ALL_FAULTS ((1u << SIM_HOWS) - 2u)
#define SIM_FAULT(how) (1u << (how))

struct sim_case {
    const char *name;
    struct sim_step scripts[SIM_CALLERS][SIM_SCRIPT];
    uint32_t faults; /* bits: SIM_FAULT */
    int budget; /* how many of them in one run */
    int64_t jumps[SIM_JUMPS]; /* of the clock, each once, in this order */
    int procs; /* callers share so many processes; 0: one each */
    int all_ok; /* every step must be allowed in the end */
    int jwt; /* signed access tokens */
    uint32_t before; /* bits: steps done before, SIM_BEFORE_* */
};
/* Device 0 has redeemed token 1; and exchanged; and refreshed once. */
enum { SIM_BEFORE_REDEEM = 1, SIM_BEFORE_EXCHANGE = 2, SIM_BEFORE_REFRESH = 4 };

/* --- what is true --- */

/* When (in commits) something was done; 0: not. */
struct sim_truth {
    uint32_t seq;
    struct {
        uint32_t revoked, cascaded;
    } token[SIM_TOKENS];
    struct {
        uint32_t born, ended, rearmed, generation;
    } family[SIM_FAMILIES];
    uint32_t raised_tenant, raised_app[SIM_APPS];
    uint32_t raised_subject[SIM_DEVICES + 1], raised_device[SIM_DEVICES];
    uint8_t blocked[SIM_DEVICES];
    uint8_t app_off[SIM_APPS], app_gone[SIM_APPS], tenant_off;
};

/* One call of an operation: an op from its start to its end or its crash. */
struct sim_inst {
    struct sim_step step;
    int caller, pos;
    uint32_t presented; /* generation */
    int has_nonce;
    int keeps_events; /* its process does */
    uint8_t nonce[32];
    int64_t now_at;
    uint64_t version; /* of its last attempt */
    int applied; /* commits of it */
    uint32_t birth; /* of its family: at the start, at its commit */
    int unknowns;
    int ended; /* with `status` */
    int crashed;
    int alarm; /* it ended its family because of a reuse */
    mereau_status status;
    char rule[48];
};

struct sim_token {
    char text[MRU_CRED_MAX], id[MRU_ID_TEXT];
    uint8_t raw[MRU_ID_LEN];
    int there, app, subject; /* subject 1: of its own, not the device's */
    int64_t limit, expires_at;
};

struct sim_family {
    char *auth, *access, *refresh[SIM_GENERATIONS];
    uint64_t answer[SIM_GENERATIONS]; /* what a presented generation got */
    uint64_t enrolled; /* what its redemption got */
    uint32_t held; /* the newest generation that is held */
    int64_t access_ends;
    int purged;
    int narrowed; /* somebody asked for less scope */
    int nonce_of; /* arg of the redemption that counts */
};

enum { SIM_AT_IDLE, SIM_AT_READ, SIM_AT_COMMIT, SIM_AT_SIGN };
struct sim_caller {
    struct sim_step script[SIM_SCRIPT];
    int n, pos, retry, proc, at, inst;
    mereau_op *op;
    const mereau_need *need;
    struct sim_batch *batch;
    uint32_t presented;
    struct sim_truth seen; /* when it read last */
    uint32_t seen_used; /* counts of its token then */
    uint8_t seen_proof[32]; /* of the last step of its family; or zeros */
    mereau_status last;
};

struct sim_proc {
    mereau_ctx *ctx;
    mereau_tenant *tenant;
    int used;
};

struct sim_base {
    int jwt;
    struct sim_store store;
    struct sim_token tokens[SIM_TOKENS];
    uint8_t enrolment[SIM_FAMILIES][MRU_ID_LEN];
    struct mereau_jwk *key; /* the signer's, private; NULL without jwt */
};

/* The world as a case finds it. */
struct sim_ready {
    const struct sim_base *base; /* NULL: none */
    uint32_t before;
    struct sim_store store;
    struct sim_truth truth;
    struct sim_family families[SIM_FAMILIES];
    uint8_t secrets[96][32];
    int n_secrets, steps;
};

struct sim_world {
    struct sim_ready ready;
    const struct sim_base *base;
    const struct sim_case *the_case;
    struct sim_store store;
    int64_t now_at;
    struct sim_proc procs[SIM_PROCS];
    int next_proc;
    struct sim_caller callers[SIM_CALLERS];
    int n_callers;
    struct sim_batch *late[SIM_LATE];
    int n_late;
    int budget, next_jump;
    int64_t farthest; /* the latest instant that the clock showed */
    struct sim_truth truth;
    struct sim_token tokens[SIM_TOKENS];
    uint8_t enrolment[SIM_FAMILIES][MRU_ID_LEN];
    struct sim_family families[SIM_FAMILIES];
    struct sim_inst insts[SIM_INSTS];
    int n_insts;
    int made[SIM_CALLERS][SIM_SCRIPT]; /* tokens under an idempotency key */
    uint8_t secrets[96][32];
    int n_secrets;
    uint64_t draw; /* what the random source gives next */
    struct sim_names names;
    int verbose, preparing;
    int signer_failed;
    struct {
        int n; /* of the op that is being stepped */
        mereau_status status;
        char device[16], auth[MRU_ID_TEXT], family[MRU_ID_TEXT];
        int secret;
    } told;
    struct {
        uint64_t input;
        uint8_t sig[256];
    } signed_before[64]; /* the signer is slow, and its answers do not change */
    int steps;
    char wrong[400]; /* the first thing that did not hold */
    char check[48]; /* its name */
};

/* --- world.c --- */
void sim_world_init(struct sim_world *w);
void sim_world_close(struct sim_world *w);
int sim_base_make(struct sim_base *base, struct sim_world *w, int jwt);
void sim_base_free(struct sim_base *base);
void sim_begin(struct sim_world *w, const struct sim_base *base,
               const struct sim_case *one);
void sim_end(struct sim_world *w);
/* The caller goes on; how: what its store answers to a commit, or SIM_BUSY,
 * SIM_CRASH_BEFORE where it reads. */
void sim_advance(struct sim_world *w, int caller, int how);
void sim_land(struct sim_world *w, int late);
void sim_jump(struct sim_world *w);
/* Runs an op to its end, undisturbed, on a process of its own. */
mereau_status sim_run(struct sim_world *w, mereau_op *op, mereau_error *err);
mereau_tenant *sim_tenant(struct sim_world *w, int proc);
/* Runs a step undisturbed, as caller 0 would. */
void sim_do(struct sim_world *w, struct sim_step step);
int sim_family_of(const struct sim_step *step);
const char *sim_device(int device);
const char *sim_kind_name(int kind);
const char *sim_how_name(int how);
void sim_wrong(struct sim_world *w, const char *check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void sim_forget(struct sim_family *family);

/* --- ask.c: an op for a step --- */
/* NULL: the caller does not have what it needs for it. */
mereau_op *sim_ask(struct sim_world *w, struct sim_caller *caller,
                   mereau_tenant *tenant, struct sim_inst *inst);
/* Proves the device's key, if it has one. Returns op. */
mereau_op *sim_keyed(mereau_op *op, int device,
                     const struct sim_family *family);

/* --- truth.c --- */
void sim_applied(struct sim_world *w, struct sim_batch *batch);
int sim_alive(const struct sim_truth *truth, const struct sim_world *w,
              int family);
/* Whether a not-before was raised since it was born. */
int sim_raised(const struct sim_truth *truth, const struct sim_world *w,
               int family);
int64_t sim_used(const struct sim_world *w, int token, int64_t *quota,
                 int *there);

/* --- verdict.c, quiet.c --- */
void sim_answered(struct sim_world *w, struct sim_caller *caller,
                  struct sim_inst *inst, mereau_op *op);
void sim_quiet(struct sim_world *w);
void sim_told(struct sim_world *w, const struct sim_inst *inst);

/* --- fingerprint.c --- */
uint64_t sim_fingerprint(struct sim_world *w);
/* The same with all that a search must not mix up. */
uint64_t sim_search_key(struct sim_world *w, uint64_t fingerprint);

/* --- explore.c --- */
struct sim_search {
    struct sim_world *w;
    struct sim_set *states; /* of all cases together */
    struct sim_set visited; /* of this one */
    size_t runs, steps, pruned;
    int cut; /* stopped by the limit of runs */
};
/* 0, or -1 with w->wrong, which was printed with all that replays it. */
int sim_every(struct sim_search *search, const struct sim_base *base,
              const struct sim_case *one, size_t max_runs);
/* n runs of one case at random. */
int sim_walks(struct sim_search *search, const struct sim_base *base,
              const struct sim_case *one, size_t n);
int sim_random(struct sim_search *search, const struct sim_base *base,
               uint64_t seed);
/* Replays a path of choices and prints it. */
int sim_replay(struct sim_search *search, const struct sim_base *base,
               const struct sim_case *one, const int *path, size_t n);

/* --- edges.c --- */
void sim_edge_mint(struct sim_world *w);
void sim_edge_empty_id(struct sim_world *w);
void sim_edge_restored(struct sim_world *w);
void sim_edge_purge(struct sim_world *w);
void sim_edge_unknown_fields(struct sim_world *w);
void sim_edge_golden(struct sim_world *w);
void sim_edge_extended(struct sim_world *w);

/* --- cases.c --- */
extern const struct sim_case sim_cases[];
extern const size_t sim_n_cases;
uint64_t sim_draw(uint64_t *state);
void sim_case_random(struct sim_case *one, uint64_t *state);

#endif
