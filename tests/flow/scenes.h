/* tests/flow/scenes.h - every operation once, ready to be run in a world where it
 * has something to do, and what must hold after it failed: for the sweeps of
 * faults. */
#ifndef TEST_SCENES_H
#define TEST_SCENES_H

#include "flow.h"

#define NONCE 9 /* of every device that proves something */

struct world {
    struct flow f;
    struct flow_records start;
    char mint_text[256], mint_id[32]; /* count 2, one used by d1 */
    char hot_text[256]; /* count 2000 */
    char auth[512], auth_id[32]; /* of device "fresh", not exchanged */
    char refresh[512], access[2048], family[32]; /* of d1 */
    char first[512]; /* an older refresh token of d3 */
    char opaque[512], opaque_refresh[512];
    char secret[256], secret_id[32], key_kid[128], kid[128], standby[128];
};

#define KEEP(out, op, field)                                                   \
    scenes_keep(out, sizeof(out), mereau_op_text(op, field))
void scenes_keep(char *out, size_t cap, const char *text);
void open_world(struct world *w);
void close_world(struct world *w);

enum {
    NOT_AGAIN = 1, /* once more is another one, or a refusal */
    REFUSES = 2, /* with MEREAU_E_POLICY: the refusal must be the same */
    NO_STORE_SWEEP = 4
};

struct scene {
    const char *function; /* without "mereau_" */
    mereau_op *(*make)(struct world *w);
    int flags;
};
extern const struct scene scenes[];
extern const size_t n_scenes;
/* Those that tests name. */
mereau_op *scene_redeem(struct world *w);
mereau_op *scene_exchange(struct world *w);
mereau_op *scene_refresh(struct world *w);
mereau_op *scene_verify_live(struct world *w);

/* What a run without failures ends with. */
mereau_status wanted_of(const struct scene *scene);
/* Several commits: each of them is all or nothing. */
int changes_little_by_little(const struct scene *scene);

/* Kinds and lengths of all keys, before and after a run without failures, and how
 * many counts of the two registration tokens are used then. */
struct outcome {
    size_t before[256], after[256];
    int64_t used, used_hot;
};
void run_clean(struct world *w, const struct scene *scene,
               struct outcome *outcome);
/* The same call again, without failures: complete, and nothing twice. */
void run_again(struct world *w, const struct scene *scene,
               const struct outcome *outcome, const char *what,
               unsigned long n);
void reset(struct world *w);
int is_unchanged(struct world *w);
int has_shape(struct world *w, const size_t wanted[256]);
/* What returned has happened: of a revocation a shape does not show it. */
int has_happened(struct world *w, const struct scene *scene);
/* An introspection without memory must not say that a token is dead. */
int has_right_answer(const struct scene *scene, const mereau_op *op);

/* What was found wrong: all of it is printed, then the test fails. */
extern int problems;
#define BAD(...)                                                               \
    do {                                                                       \
        print_error(__VA_ARGS__);                                              \
        print_error("\n");                                                     \
        problems++;                                                            \
    } while (0)
void no_problems(void);

#endif
