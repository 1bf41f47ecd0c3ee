/* tests/flow/script.h - one life of an app and its tokens, played by whoever runs
 * the ops, and written down: every status, every result. Two players that are to
 * behave alike must write the same. */
#ifndef TEST_FLOW_SCRIPT_H
#define TEST_FLOW_SCRIPT_H

#include "flow.h"

struct script {
    struct flow *flow;
    /* Runs the op to its end. */
    mereau_status (*run)(struct flow *flow, mereau_op *op, mereau_error *err);
    const char *format; /* of access tokens: "jwt", "opaque" */
    char *text; /* what was written down */
    size_t len, cap;
};

/* The flow must have been opened without tenant; the script creates it. */
void script_play(struct script *script);
void script_free(struct script *script);
/* FNV-1a of 64 bits. */
uint64_t script_hash(const void *data, size_t len);
/* A player: mereau_op_run(). */
mereau_status script_block(struct flow *flow, mereau_op *op, mereau_error *err);

#endif
