/* lib/engine/op.h - between the files of the operation itself: setting fields,
 * running, reading results. */
#ifndef MRU_ENGINE_OP_H
#define MRU_ENGINE_OP_H

#include "engine.h"

/* The first mistake of a setter. */
void mru_op_mistake(mereau_op *op, mereau_status status, const char *rule,
                    const char *wanted, int32_t field);
/* Lets go of results, so that the op can be set and run again. */
void mru_op_reset(mereau_op *op);

#endif
