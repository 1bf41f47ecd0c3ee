/* mereau/json.h - JSON documents: building one (the claims of a token, the further
 * members of a header), and the one spelling that is hashed. To read a verified
 * token, see claims.h. */
#ifndef MEREAU_JSON_H
#define MEREAU_JSON_H

#include <mereau/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A JSON object that is being built. Setters keep the first mistake, which
 * mereau_json_print() reports; a member that is set again is replaced. Since:
 * 0.2. */
typedef struct mereau_json mereau_json;

/** Makes an empty object. Returns: NULL only without memory (every function
 * accepts that NULL).
 * Owns: the caller; free with mereau_json_free(). Threads: any. Since: 0.2. */
MEREAU_API mereau_json *mereau_json_new(void);

/** Wipes the texts in it and frees it. In: doc, or NULL. Threads: one owner.
 * Since: 0.2. */
MEREAU_API void mereau_json_free(mereau_json *doc);

/** Sets a member to a text. In: name and text, UTF-8 without NUL, copied.
 * Mistakes: kept for mereau_json_print(). Threads: one owner. Since: 0.2. */
MEREAU_API void mereau_json_set_text(mereau_json *doc, const char *name,
                                     const char *text);

/** Sets a member to a whole number, written exactly. Mistakes, threads: as
 * above. Since: 0.2. */
MEREAU_API void mereau_json_set_int(mereau_json *doc, const char *name,
                                    int64_t value);

/** Sets a member to a number, written in the fewest digits that give it back.
 * In: value, finite. Mistakes, threads: as above. Since: 0.2. */
MEREAU_API void mereau_json_set_number(mereau_json *doc, const char *name,
                                       double value);

/** Sets a member to true (value not 0) or false. Mistakes, threads: as above.
 * Since: 0.2. */
MEREAU_API void mereau_json_set_bool(mereau_json *doc, const char *name,
                                     int32_t value);

/** Sets a member to a value that is given as JSON: an object, a list, null. In:
 * json, len: one value, strictly checked, copied. Mistakes, threads: as above.
 * Since: 0.2. */
MEREAU_API void mereau_json_set_json(mereau_json *doc, const char *name,
                                     const char *json, size_t len);

/** Appends a text to the list of that name, which is made when it is not there
 * yet. Mistakes (also: the member is no list), threads: as above. Since: 0.2. */
MEREAU_API void mereau_json_add_text(mereau_json *doc, const char *name,
                                     const char *text);

/** Writes the document as JSON, in the order of the setters, without white
 * space. The document can be changed and printed again.
 *
 * Out:     *out   the text; empty after failure
 * Returns: MEREAU_OK; the first mistake of a setter: MEREAU_E_ARG (rule
 *          "json.name" or "json.value"), MEREAU_E_MALFORMED, MEREAU_E_TOO_LONG
 *          (more than MEREAU_MAX_JSON bytes); MEREAU_E_NOMEM.
 * Threads: one owner of both. Since: 0.2. */
MEREAU_API mereau_status mereau_json_print(mereau_bytes *out,
                                           const mereau_json *doc,
                                           mereau_error *err);

/** Writes a JSON text in its canonical form: members sorted, numbers and strings
 * in one spelling, no white space. Two texts that mean the same have the same
 * form, and so the same hash.
 *
 * In:      json, len   any JSON value, strictly checked
 * Out:     *out        the form, UTF-8; empty after failure
 * Returns: MEREAU_OK; MEREAU_E_MALFORMED, MEREAU_E_TOO_LONG as of every JSON
 *          text; MEREAU_E_MALFORMED with rule "json.number" for a number that no
 *          double holds: too large, or a whole number beyond 2^53 whose last digits
 *          would change; MEREAU_E_NOMEM.
 * Threads: one owner of out. Since: 0.2.
 * Source:  RFC 8785; stricter than it about whole numbers. */
MEREAU_API mereau_status mereau_json_canonical(mereau_bytes *out,
                                               const char *json, size_t len,
                                               mereau_error *err);

#ifdef __cplusplus
}
#endif
#endif
