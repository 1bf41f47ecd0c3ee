/* mereau/op.h - the operation: everything that reads or writes the store is one
 * of these.
 *
 *     op = mereau_auth_token_exchange(acme, auth_token);  make: what must be
 *     mereau_op_set_text(op, MEREAU_SCOPE, "print");      set: what may be
 *     status = mereau_op_run(op, &err);                   run (or step)
 *     token = mereau_op_text(op, MEREAU_ACCESS_TOKEN);    read
 *     mereau_op_free(op);                                 free
 *
 * Makers. A function that returns mereau_op * makes an operation and does
 * nothing else: no reading, no deciding, no error. It copies what it is given.
 * It returns NULL only without memory, and every function here accepts that
 * NULL, so that a program checks one thing, the status of run or step: a
 * missing, malformed or unknown input is kept and reported there, with the
 * field's name. A maker's comment says what the op takes, gives and refuses,
 * and what it costs the store; it also refuses MEREAU_E_FIELD, _NOMEM and what
 * its callbacks fail with. The caller owns the op. Makers may be called from
 * any thread, on a shared tenant; one op has one owner at a time.
 *
 * Texts are NUL-terminated UTF-8. A host whose texts have a length gives NULL
 * to the maker and the text to mereau_op_set_bytes(), under the field that the
 * maker's comment names in brackets.
 *
 * Failure. An op that was refused gives no result (every getter says absent),
 * has changed nothing unless its comment says so, and may be run again: it
 * starts over, with a new reading of the clock. */
#ifndef MEREAU_OP_H
#define MEREAU_OP_H

#include <mereau/ctx.h>
#include <mereau/field.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One operation, from its inputs to its results. Since: 0.1. */
typedef struct mereau_op mereau_op;

/** Makes any operation by name, for bindings, command lines and data:
 * "app_create" is what mereau_app_create() makes, with nothing set yet.
 *
 * In:      name   a maker's name without "mereau_"; not message_new and
 *                 verifier_load, which take more than fields
 * Returns: as every maker; an unknown name is MEREAU_E_UNSUPPORTED when run.
 * Threads: any. Since: 0.1. */
MEREAU_API mereau_op *mereau_op_new(const mereau_tenant *tenant,
                                    const char *name);

/** Frees an op, wiping its inputs and results. In: op, or NULL. Threads: one
 * owner. Since: 0.1. */
MEREAU_API void mereau_op_free(mereau_op *op);

/** Sets a text, replacing what was set; splits nothing, trims nothing.
 * In: field of type T or J, or L for a list of one; text, copied; NULL takes
 *     the field away again.
 * Mistakes: kept for run. Threads: one owner. Since: 0.1. */
MEREAU_API void mereau_op_set_text(mereau_op *op, int32_t field,
                                   const char *text);

/** Sets bytes, or a text that comes with its length. A text must be UTF-8
 * without NUL.
 * In: field of type D, T, J or L; data, len, copied; NULL takes the field away
 *     again.
 * Mistakes: kept for run. Threads: one owner. Since: 0.1. */
MEREAU_API void mereau_op_set_bytes(mereau_op *op, int32_t field,
                                    const void *data, size_t len);

/** Adds a text to a list. In: field of type L; text, copied. Mistakes: kept for
 * run.
 * Threads: one owner. Since: 0.1. */
MEREAU_API void mereau_op_add_text(mereau_op *op, int32_t field,
                                   const char *text);

/** Sets a number. In: field of type I or B; MEREAU_UNSET takes the field away
 * again. Mistakes: kept for run. Threads: one owner. Since: 0.1. */
MEREAU_API void mereau_op_set_int(mereau_op *op, int32_t field, int64_t value);

/** Sets many fields from one JSON object whose members are field names:
 * {"count": 2, "label": "x"}.
 * In: json, len. An unknown member is refused, null takes a field away.
 *     Mistakes: kept for run.
 * Threads: one owner. Since: 0.1. */
MEREAU_API void mereau_op_set_json(mereau_op *op, const char *json, size_t len);

/** Runs an op to its end on the context's store. On a list: fetches the next
 * page.
 *
 * Out:     *err   overwritten: the explanation of a refusal
 * Returns: MEREAU_OK, and results can be read; what the op's maker says it
 *          refuses; the first mistake of its setters; MEREAU_E_UNSUPPORTED
 *          without a store; MEREAU_E_STATE when it was done before;
 *          MEREAU_E_BUSY when others kept interfering; MEREAU_E_STORE,
 *          _UNCERTAIN, _CLOCK, _RANDOM, _SIGNER from the host; MEREAU_E_NOMEM. It
 *          waits between attempts only by calling the store again.
 * Threads: one owner; as many ops at once as there are threads. Since: 0.1. */
MEREAU_API mereau_status mereau_op_run(mereau_op *op, mereau_error *err);

/** Decides as mereau_op_run() would, by the same code, and commits nothing.
 * Credentials are left out of the results; MEREAU_CLAIMS and all else is there.
 * The op can then be run. Out, Returns, Threads: as mereau_op_run(). Since:
 * 0.1. */
MEREAU_API mereau_status mereau_op_dry_run(mereau_op *op, mereau_error *err);

/** Goes on until the op needs something or is done; never blocks, never calls
 * the store.
 *
 * Out:     *need  what it needs, the library's until answered; NULL: done, or
 *                 failed
 *          *err   as mereau_op_run()
 * Returns: MEREAU_OK with a need: serve it, feed, answer, step again. MEREAU_OK
 *          without: results can be read. Otherwise as mereau_op_run(). Stepping
 *          again without an answer gives the same need.
 * Threads: one owner; each step may be on another thread. Since: 0.1. */
MEREAU_API mereau_status mereau_op_step(mereau_op *op, const mereau_need **need,
                                        mereau_error *err);

/** Hands in one key's answer to a get, or one record of a scan.
 * In: index of the key in the need (0, 1, 2 ... in a scan); record, copied, NULL
 * when the key is absent. A key left out, given twice or not asked for ends the
 * op at the next step with nothing decided. Returns: 0, or nonzero when no more
 * is wanted (so that it can serve as an emit). Threads: one owner. Since: 0.1. */
MEREAU_API int32_t mereau_op_feed(mereau_op *op, size_t index,
                                  const mereau_record *record);

/** Hands in the signature that a MEREAU_NEED_SIGN asked for. In: data, len,
 * copied. Returns: as mereau_op_feed(). Threads: one owner. Since: 0.1. */
MEREAU_API int32_t mereau_op_feed_bytes(mereau_op *op, const uint8_t *data,
                                        size_t len);

/** Says that the answer to a need is complete; the next step goes on from it.
 *
 * In:      result   MEREAU_STORE_*, or MEREAU_SIGN_* for a signature;
 *                   MEREAU_STORE_OK after a wait
 *          failed   index of the write whose condition failed; SIZE_MAX when
 *                   not known
 * An answer without a need is MEREAU_E_STATE at the next step. Threads: one
 * owner. Since: 0.1. */
MEREAU_API void mereau_op_answer(mereau_op *op, int32_t result, size_t failed);

/** Reads a text result; of a list, its first. After mereau_op_next_row(): of
 * that row.
 * Out: NUL-terminated UTF-8, borrowed until op is run, set or freed. Returns:
 *      NULL when absent.
 * Threads: const. Since: 0.1. */
MEREAU_API const char *mereau_op_text(const mereau_op *op, int32_t field);

/** Reads the i-th text of a list result, from 0. Out, Threads: as
 * mereau_op_text(). Returns: NULL from the end on. Since: 0.1. */
MEREAU_API const char *mereau_op_text_at(const mereau_op *op, int32_t field,
                                         size_t i);

/** Reads a number result. Returns: MEREAU_UNSET when absent. Threads: const.
 * Since: 0.1. */
MEREAU_API int64_t mereau_op_int(const mereau_op *op, int32_t field);

/** Reads bytes, or a text with its length. Out: *len, 0 when absent; the bytes
 * borrowed as in mereau_op_text(). Returns: NULL when absent. Threads: const.
 * Since: 0.1. */
MEREAU_API const uint8_t *mereau_op_bytes(const mereau_op *op, int32_t field,
                                          size_t *len);

/** Reads all results as one JSON object, members named and typed as the wire
 * wants them; of an exchange or refresh it is the token endpoint's answer, of a
 * list {"rows":[...],"cursor":"..."}.
 * Out: borrowed as in mereau_op_text(). Returns: NULL when the op is not done
 *      or without memory.
 * Threads: one owner. Since: 0.1. Source: RFC 6749 section 5.1. */
MEREAU_API const char *mereau_op_json(mereau_op *op);

/** Goes to the next row of the page that a list has run; before the first call,
 * to the first.
 * Returns: 1, and getters read that row; 0 at the end of the page. Reads no
 *          store.
 * Threads: one owner. Since: 0.1. */
MEREAU_API int32_t mereau_op_next_row(mereau_op *op);

/** Whether a list has another page: run it again for that, or keep
 * mereau_op_text(op, MEREAU_CURSOR) and set it on another list later. Returns:
 * 1 or 0. Threads: const. Since: 0.1. */
MEREAU_API int32_t mereau_op_has_more(const mereau_op *op);

#ifdef __cplusplus
}
#endif
#endif
