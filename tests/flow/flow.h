/* tests/flow/flow.h - what the tests of whole flows share: a context with a clock
 * that stands still, randomness from a seed, a store that counts its calls and
 * fails when told to, and events that are written down. Each test owns one. */
#ifndef TEST_FLOW_H
#define TEST_FLOW_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <mereau/mereau.h>

#define T0 INT64_C(1800000000) /* where clocks stand at first */
#define DAY INT64_C(86400)
#define API "https://api.example"
#define ISSUER "https://id.test.example"

struct flow_ran;

struct flow_setup {
    const char *sqlite; /* a file; NULL: in memory */
    const mereau_store *share; /* the records of another flow */
    const char *tenant; /* NULL: "test" */
    uint64_t seed;
    int64_t now_at; /* 0: T0 */
    uint32_t without_caps;
    int keep_events;
    int no_tenant; /* it is not created */
    int no_store; /* operations are stepped */
    int bad_root; /* another root key under the same name */
    const mereau_signer *signer;
};

struct flow {
    int64_t now_at;
    int32_t clock_code;
    uint64_t clock_reads, clock_fails_at; /* from which reading on; 0: never */
    uint64_t random_state;
    int32_t random_code;
    mereau_store *under; /* opened here; NULL when shared */
    mereau_store real, front;
    mereau_ctx *ctx;
    mereau_tenant *tenant;
    uint64_t gets, commits, scans, waits;
    uint64_t fail_in; /* calls until the one that fails; 0: none */
    uint64_t fail_for; /* and how many after it fail too */
    int32_t fail_result;
    int32_t fail_after; /* what every call after it answers; 0: as usual */
    int fail_applied; /* with MEREAU_STORE_UNKNOWN: was it, all the same? */
    int failed; /* how many calls failed so */
    char *told; /* events as lines of JSON */
    size_t told_len, told_cap;
    int n_told;
    struct flow_ran *ran;
};

void flow_open(struct flow *flow, const struct flow_setup *setup);
/* With the defaults. */
void flow_start(struct flow *flow);
void flow_close(struct flow *flow);

/* Runs an op that must succeed; it lives as long as the flow. */
#define DONE(flow, op) flow_done(flow, op, __FILE__, __LINE__)
mereau_op *flow_done(struct flow *flow, mereau_op *op, const char *file,
                     int line);
/* Runs an op that must be refused with this status and rule (NULL: any); it must
 * leave no result. */
#define REFUSED(flow, op, status, rule)                                        \
    flow_refused(flow, op, status, rule, __FILE__, __LINE__)
void flow_refused(struct flow *flow, mereau_op *op, mereau_status status,
                  const char *rule, const char *file, int line);
/* The last refusal. */
extern mereau_error flow_error;

/* An app "app" of scope "read write print" and audience API, with more set by
 * JSON. */
mereau_op *flow_app(struct flow *flow, const char *json);
/* The app with this name and id, nothing else but the JSON. */
mereau_op *flow_app_named(struct flow *flow, const char *id, const char *json);
/* A registration token of app "app": its text, its id. */
struct flow_token {
    const char *text, *id;
};
struct flow_token flow_mint(struct flow *flow, int64_t count,
                            int64_t lifetime_s);
struct flow_token flow_mint_with(struct flow *flow, int64_t count,
                                 int64_t lifetime_s, const char *json);
/* Not yet run. nonce: what fills the 16 bytes. */
mereau_op *flow_redeem(struct flow *flow, const char *token,
                       const char *device_id, uint8_t nonce);
mereau_op *flow_redeem_key(struct flow *flow, const char *token,
                           const char *device_id, const char *jkt);
void flow_nonce(mereau_op *op, uint8_t nonce);
/* Redeemed and exchanged: access and refresh token of a new device. */
struct flow_pair {
    const char *auth, *auth_id, *access, *refresh, *family;
    mereau_op *op;
};
struct flow_pair flow_enrol(struct flow *flow, const char *token,
                            const char *device_id);
struct flow_pair flow_pair_of(mereau_op *op);

int64_t flow_used(struct flow *flow, const char *token_id);
const char *flow_state(struct flow *flow, const char *token_id);
/* A claim that is a number, in JSON; MEREAU_UNSET without. */
int64_t flow_number(const char *json, const char *name);
/* As a server without the store would. */
mereau_status flow_verify(struct flow *flow, const char *token);
/* Asserts that two access tokens are the same one: equal, but for the signature
 * where the provider's ECDSA is not deterministic. */
void flow_same_access(const char *a, const char *b);
/* Whether a text stands in the events told so far. */
int flow_told(const struct flow *flow, const char *text);
void flow_forget_events(struct flow *flow);
/* The nth call of the store from now answers result; 0: none does. */
void flow_fail(struct flow *flow, uint64_t nth, int32_t result, int applied);
void flow_count_from_here(struct flow *flow);

/* --- the records --- */

struct flow_record {
    uint8_t key[MEREAU_MAX_KEY];
    size_t key_len;
    uint8_t *value;
    size_t value_len;
    uint64_t version;
    int64_t drop_at;
};
struct flow_records {
    struct flow_record *all;
    size_t n;
};
void flow_records_take(struct flow *flow, struct flow_records *records);
/* Everything else is removed. */
void flow_records_put(struct flow *flow, const struct flow_records *records);
int flow_records_equal(const struct flow_records *a,
                       const struct flow_records *b);
void flow_records_free(struct flow_records *records);

#endif
