/* tests/flow/step.h - a host that drives operations step by step and serves their
 * needs rightly, from the store of a flow. */
#ifndef TEST_FLOW_STEP_H
#define TEST_FLOW_STEP_H

#include "flow.h"

/* Serves a need without answering it; the result. */
int32_t step_serve(struct flow *f, mereau_op *op, const mereau_need *need,
                   size_t *failed);
/* And answers it. */
void step_answer(struct flow *f, mereau_op *op, const mereau_need *need);
/* To the end. */
mereau_status step_through(struct flow *f, mereau_op *op, mereau_error *err);
/* Serves needs until the first of this kind, which is left open. */
const mereau_need *step_to(struct flow *f, mereau_op *op, uint32_t kind);
/* To the end, which must be good. */
#define STEPPED(f, op) step_stepped(f, op, __FILE__, __LINE__)
mereau_op *step_stepped(struct flow *f, mereau_op *op, const char *file,
                        int line);
/* The last step: refused so, with no result. */
#define ENDS(op, status, rule) step_ends(op, status, rule, __FILE__, __LINE__)
void step_ends(mereau_op *op, mereau_status status, const char *rule,
               const char *file, int line);

#endif
