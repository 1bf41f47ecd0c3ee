/* mereau/claims.h - what a verified token said, read without copying. Claims
 * belong to one thread while they are filled and are used again and again, so that
 * a verification allocates nothing once they have grown; filled ones may be read by
 * several threads.
 *
 * A name is that of a top-level member, or, when it begins with '/', an RFC 6901
 * pointer: "/cnf/jkt", "/aud/0", "/https:~1~1example.com~1roles/0". Case matters.
 * What is handed out is borrowed until the claims are used again or freed. */
#ifndef MEREAU_CLAIMS_H
#define MEREAU_CLAIMS_H

#include <mereau/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a verified token said. Since: 0.1. */
typedef struct mereau_claims mereau_claims;

/** Kinds of a claim. Since: 0.2. */
enum {
    MEREAU_JSON_NONE = 0, /* there is no such claim */
    MEREAU_JSON_TEXT = 1,
    MEREAU_JSON_NUMBER = 2,
    MEREAU_JSON_BOOL = 3,
    MEREAU_JSON_NULL = 4,
    MEREAU_JSON_LIST = 5,
    MEREAU_JSON_OBJECT = 6
};

/** Makes empty claims. Returns: NULL only without memory (every function
 * accepts that NULL).
 * Owns: the caller; free with mereau_claims_free(). Threads: any. Since: 0.1.
 *       */
MEREAU_API mereau_claims *mereau_claims_new(void);

/** Frees claims. In: claims, or NULL. Threads: one owner. Since: 0.1. */
MEREAU_API void mereau_claims_free(mereau_claims *claims);

/** The kind of a claim. In: name. Returns: MEREAU_JSON_TEXT ..., or
 * MEREAU_JSON_NONE. Threads: const. Since: 0.2. */
MEREAU_API int32_t mereau_claims_kind(const mereau_claims *claims,
                                      const char *name);

/** Reads a claim that is a text. In: name. Out: NUL-terminated, borrowed. Returns:
 * NULL when absent or not a text.
 * Threads: const. Since: 0.1. */
MEREAU_API const char *mereau_claims_text(const mereau_claims *claims,
                                          const char *name);

/** Reads a claim that is a whole number, exactly; of exp, nbf, iat and auth_time,
 * the seconds (rounded down). In: name.
 * Returns: MEREAU_UNSET when absent, not a number, with a fraction elsewhere, or
 * beyond 64 bits. Threads: const. Since: 0.1. */
MEREAU_API int64_t mereau_claims_int(const mereau_claims *claims,
                                     const char *name);

/** Reads a claim that is a number, as the nearest double. In: name. Out: *out,
 * else 0. Returns: 1, or 0 when absent, not a number, or beyond what a double can
 * hold. Threads: const. Since: 0.2. */
MEREAU_API int32_t mereau_claims_number(const mereau_claims *claims,
                                        const char *name, double *out);

/** Reads a claim that is true or false. In: name. Returns: 1, 0, or -1 when absent
 * or something else. Threads: const. Since: 0.2. */
MEREAU_API int32_t mereau_claims_bool(const mereau_claims *claims,
                                      const char *name);

/** Reads the i-th text of a claim that is a list; of a single text, i = 0. In:
 * name, i, counting texts only. Out, Threads: as mereau_claims_text(). Returns:
 * NULL from the end on. Since: 0.1. */
MEREAU_API const char *mereau_claims_text_at(const mereau_claims *claims,
                                             const char *name, size_t i);

/** How much a claim holds: elements of a list, members of an object, 1 for any
 * other value, 0 when absent. In: name. Threads: const. Since: 0.2. */
MEREAU_API size_t mereau_claims_count(const mereau_claims *claims,
                                      const char *name);

/** A claim of any kind as the JSON text that was signed. In: name. Out: *len if
 * not NULL; borrowed, not NUL-terminated. Returns: NULL with length 0 when absent.
 * Threads: const. Since: 0.2. */
MEREAU_API const char *mereau_claims_raw(const mereau_claims *claims,
                                         const char *name, size_t *len);

/** Whether the scope claim has one word. In: word. Returns: 1 or 0.
 * Threads: const. Since: 0.1.
 * Source: RFC 6749 section 3.3, RFC 9068 section 2.2.3. */
MEREAU_API int32_t mereau_claims_has_scope(const mereau_claims *claims,
                                           const char *word);

/** All claims as the JSON text that was signed. Out: *len if not NULL; borrowed,
 * NUL-terminated. Returns: "" with length 0 when empty.
 * Threads: const. Since: 0.1. */
MEREAU_API const char *mereau_claims_json(const mereau_claims *claims,
                                          size_t *len);

/** The RFC 7638 SHA-256 thumbprint of the key that verified, 43 characters; of a
 * DPoP proof, the key whose possession it proves: what cnf.jkt of the access token
 * must be. Out: borrowed. Returns: "" when empty, and for shared secrets, of which
 * nothing is told. Threads: const. Since: 0.2. Source: RFC 7638, RFC 9449
 * section 6.1. */
MEREAU_API const char *mereau_claims_thumbprint(const mereau_claims *claims);

#ifdef __cplusplus
}
#endif
#endif
