/* mereau/ctx.h - the context (what the host brought) and the tenant (whose
 * records these are).
 *
 * A context is made, set up, made ready, and from then on never changes: any
 * number of threads may share it. All state lives in the store. */
#ifndef MEREAU_CTX_H
#define MEREAU_CTX_H

#include <mereau/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the host brought: store, clock, random source, signer, event sink, root
 * keys. Since: 0.1. */
typedef struct mereau_ctx mereau_ctx;

/** One tenant: an issuer with its own keys, settings and records. Nothing
 * crosses. Since: 0.1. */
typedef struct mereau_tenant mereau_tenant;

/** Makes an empty context. Returns: NULL only without memory (every function
 * accepts that NULL).
 * Owns: the caller; free with mereau_ctx_free(). Threads: any. Since: 0.1. */
MEREAU_API mereau_ctx *mereau_ctx_new(void);

/** Lets go of a context; it and its keys are wiped when its tenants and ops are
 * freed too, in any order, as finalizers of other languages do. What it was
 * given (store, clock ...) must last till then.
 * In: ctx, or NULL. Threads: one owner. Since: 0.1. */
MEREAU_API void mereau_ctx_free(mereau_ctx *ctx);

/** Sets the store. Without one, operations can only be stepped
 * (mereau_op_step()).
 * In: store, copied; its user must outlive ctx. Owns: the caller keeps it. A
 *     mistake is reported by
 * mereau_ctx_ready(). Threads: one owner. Since: 0.1. */
MEREAU_API void mereau_ctx_set_store(mereau_ctx *ctx,
                                     const mereau_store *store);

/** Sets the clock. There is no default: mereau_system_clock() (system.h) is the
 * usual one. Ownership, mistakes, threads: as mereau_ctx_set_store(). Since:
 * 0.1. */
MEREAU_API void mereau_ctx_set_clock(mereau_ctx *ctx,
                                     const mereau_clock *clock);

/** Sets the random source instead of the built-in generator. Ownership,
 * mistakes, threads: as mereau_ctx_set_store(). Since: 0.1. */
MEREAU_API void mereau_ctx_set_random(mereau_ctx *ctx,
                                      const mereau_random *random);

/** Sets the signer for keys that live outside. Ownership, mistakes, threads: as
 * mereau_ctx_set_store(). Since: 0.1. */
MEREAU_API void mereau_ctx_set_signer(mereau_ctx *ctx,
                                      const mereau_signer *signer);

/** Sets where events go. Ownership, mistakes, threads: as
 * mereau_ctx_set_store(). Since: 0.1. */
MEREAU_API void mereau_ctx_set_events(mereau_ctx *ctx,
                                      const mereau_events *events);

/** Sets who waits between two attempts of mereau_op_run() under contention,
 * instead of a sleep in the calling thread. Ownership, mistakes, threads: as
 * mereau_ctx_set_store(). Since: 0.1. */
MEREAU_API void mereau_ctx_set_waiter(mereau_ctx *ctx,
                                      const mereau_waiter *waiter);

/** Also keeps every event of a decision that commits as a record, in the same
 * commit as what it tells of;
 * read with mereau_audit_list(). Costs no round trip. Threads: one owner.
 * Since: 0.1. */
MEREAU_API void mereau_ctx_keep_events(mereau_ctx *ctx);

/** Adds a root key: it wraps private keys at rest and derives the tokens that
 * can be asked for again, so it must never be in the store. The last one added
 * is used for new records; older ones stay for what they made.
 *
 * In:      name      1..32 bytes, stored beside what the key made: "2026"
 *          key, key_len   32..64 random bytes, copied, wiped by
 *                         mereau_ctx_free()
 * Mistakes, threads: as mereau_ctx_set_store(). Since: 0.1. Source: NIST SP
 * 800-108 (derivation), 800-38D (wrapping). */
MEREAU_API void mereau_ctx_add_root_key(mereau_ctx *ctx, const char *name,
                                        const uint8_t *key, size_t key_len);

/** Sets a limit lower than its MEREAU_MAX_ value.
 * In: limit_name, "max_token"; value, 1 up to the constant. Mistakes, threads:
 *     as
 * mereau_ctx_set_store(). Since: 0.1. */
MEREAU_API void mereau_ctx_set_limit(mereau_ctx *ctx, const char *limit_name,
                                     int64_t value);

/** Checks all that was set and closes the context for changes.
 *
 * Returns: MEREAU_OK; the first mistake of a setter; MEREAU_E_INCOMPLETE
 *          without a clock or root key; MEREAU_E_UNSUPPORTED when a store says
 *          a capability that it has no callback for; MEREAU_E_RANDOM when the
 *          random source does not answer; MEREAU_E_NOMEM. After failure it can
 *          be set further and made ready again.
 * Threads: one owner before, any number after. Since: 0.1. */
MEREAU_API mereau_status mereau_ctx_ready(mereau_ctx *ctx, mereau_error *err);

/** Names a tenant of a ready context; reads and writes nothing, so it may not
 * exist yet.
 *
 * In:      name   1..64 bytes of a-z 0-9 . _ -
 * Returns: the tenant; NULL only without memory. A mistake is reported by the
 *          first op of it.
 * Owns:    the caller; free with mereau_tenant_free().
 * Threads: any; the tenant may be shared. Since: 0.1. */
MEREAU_API mereau_tenant *mereau_tenant_open(const mereau_ctx *ctx,
                                             const char *name);

/** Lets go of a tenant's handle, also while ops of it are left; its records
 * stay. In: tenant, or NULL.
 * Threads: one owner. Since: 0.1. */
MEREAU_API void mereau_tenant_free(mereau_tenant *tenant);

#ifdef __cplusplus
}
#endif
#endif
