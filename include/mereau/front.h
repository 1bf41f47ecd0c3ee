/* mereau/front.h - stores in front of a store: one that joins the commits of many
 * threads, one that remembers what was read. Library mereau-front; any store may
 * stand behind them, and they may stand behind each other. */
#ifndef MEREAU_FRONT_H
#define MEREAU_FRONT_H

#include <mereau/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Opens a store that joins commits which wait at the same time into one commit of
 * the store behind it: one round trip and one sync for many. Nothing waits for
 * company: who finds the store idle commits at once, and who comes meanwhile goes
 * together. Joined are commits of one tenant that do not touch the same record
 * (the same CHECK may be in several), up to MEREAU_MAX_WRITES writes.
 *
 * A condition that does not hold fails only its own commit: the others of the
 * group are committed again without it. Lost replies (MEREAU_STORE_UNKNOWN) and
 * failures of the store are told to all that were in the group. Reads go through.
 * The SQLite store joins commits by itself and gains nothing.
 *
 * In:      below   the store behind; taken over when this succeeds: it is closed
 *                  together with the new one
 * Out:     *out    the store, with the capabilities of below; NULL after failure
 * Returns: MEREAU_OK, MEREAU_E_ARG, MEREAU_E_NOMEM.
 * Owns:    the caller; close with mereau_store_close(), when no context uses it.
 * Threads: any. Since: 0.2. */
MEREAU_API mereau_status mereau_group_open(mereau_store **out,
                                           mereau_store *below,
                                           mereau_error *err);

/** Opens a store that remembers reads. It answers from memory only what says that
 * it may (MEREAU_READ_STALE_OK: live verification, introspection, key sets and
 * loads of verifiers); whatever is read to decide about spending, rotating or
 * revoking goes to the store behind, always, and so does what would be refused. A remembered answer is one that was true, whole, at
 * one instant at most max_stale_ms ago, and is forgotten at once when one of its
 * records is written through this store; writes by other processes are seen when
 * the time is over. With it mereau_token_verify_live() sees a revocation of
 * another process after max_stale_ms at the latest, no longer at once.
 *
 * In:      below          the store behind; taken over as in mereau_group_open()
 *          max_bytes      of memory for answers, 4096 up; the oldest go first
 *          max_stale_ms   1 to 3600000
 * Out:     *out           the store, with the capabilities of below and
 *                         MEREAU_CAP_STALE; NULL after failure
 * Returns: MEREAU_OK, MEREAU_E_ARG, MEREAU_E_NOMEM.
 * Owns:    the caller; close with mereau_store_close(), when no context uses it.
 * Threads: any. Since: 0.2. */
MEREAU_API mereau_status mereau_read_cache_open(mereau_store **out,
                                                mereau_store *below,
                                                size_t max_bytes,
                                                int64_t max_stale_ms,
                                                mereau_error *err);

/** How often a read cache was asked where it may answer, how often it did, and how
 * much it remembers.
 *
 * In:      store    as opened by mereau_read_cache_open()
 * Out:     *asked, *answered   counts since it was opened; *bytes of answers that
 *                   are remembered now; each NULL if not wanted
 * Returns: MEREAU_OK; MEREAU_E_ARG when store is no read cache.
 * Threads: any. Since: 0.2. */
MEREAU_API mereau_status mereau_read_cache_counts(const mereau_store *store,
                                                  uint64_t *asked,
                                                  uint64_t *answered,
                                                  size_t *bytes);

#ifdef __cplusplus
}
#endif
#endif
