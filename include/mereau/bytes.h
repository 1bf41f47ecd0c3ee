/* mereau/bytes.h - bytes: borrowed ones, and those that the library wrote. */
#ifndef MEREAU_BYTES_H
#define MEREAU_BYTES_H

#include <mereau/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A borrowed run of bytes. len 0 may have data NULL. Since: 0.1. */
typedef struct mereau_slice {
    const uint8_t *data;
    size_t len;
} mereau_slice;

/** Bytes that the library wrote: a token, a printed key, a decrypted message.
 * One object is used for one result after the other and keeps its memory, so
 * that the second of a kind allocates nothing; what it held is wiped when it is
 * used again and when it is freed. Since: 0.2. */
typedef struct mereau_bytes mereau_bytes;

/** Makes empty bytes. Returns: NULL only without memory (every function accepts
 * that NULL and reports MEREAU_E_NOMEM).
 * Owns: the caller; free with mereau_bytes_free(). Threads: any. Since: 0.2. */
MEREAU_API mereau_bytes *mereau_bytes_new(void);

/** Wipes and frees bytes. In: bytes, or NULL. Threads: one owner. Since: 0.2. */
MEREAU_API void mereau_bytes_free(mereau_bytes *bytes);

/** What the last call wrote. Out: *len if not NULL, in bytes; borrowed until the
 * bytes are used again or freed. Returns: never NULL, and a NUL follows the last
 * byte; length 0 when the last call failed. Threads: const. Since: 0.2. */
MEREAU_API const uint8_t *mereau_bytes_data(const mereau_bytes *bytes,
                                            size_t *len);

/** The same, as text: for what is one (tokens, JSON, PEM). Out: NUL-terminated,
 * borrowed likewise. Returns: "" when empty. Threads: const. Since: 0.2. */
MEREAU_API const char *mereau_bytes_text(const mereau_bytes *bytes);

#ifdef __cplusplus
}
#endif
#endif
