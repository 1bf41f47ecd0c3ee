/* lib/base/base.h - the ground floor: memory, bytes, text, errors. Knows
 * nothing of tokens, stores or time. Every name inside the library begins with
 * mru_; nothing of it is exported. */
#ifndef MRU_BASE_H
#define MRU_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <mereau/bytes.h>
#include <mereau/error.h>

/* --- memory (mem.c) --- */

/* Zeroed memory, or NULL. A size of 0 gives a pointer that can be freed. */
void *mru_alloc(size_t size);
void mru_free(void *p);
/* Overwrites len bytes in a way that compilers keep. p may be NULL. */
void mru_wipe(void *p, size_t len);
/* Wipes, then frees. */
void mru_free_wiped(void *p, size_t len);
/* A NUL-terminated copy of len bytes, or NULL. */
char *mru_dup(const void *data, size_t len);
/* 1 when equal; time depends on len only. */
int mru_equal_ct(const void *a, const void *b, size_t len);
/* 0 and *out = a + b (a * b), or -1 when it does not fit. */
int mru_add_size(size_t a, size_t b, size_t *out);
int mru_mul_size(size_t a, size_t b, size_t *out);
/* a + b, clamped to INT64_MIN + 2 .. INT64_MAX (MEREAU_UNSET and MEREAU_NOW are
 * never made by arithmetic). */
int64_t mru_add_time(int64_t a, int64_t b);

/* --- growing buffer (buf.c) --- */

/* Bytes that grow. A failure sticks: test `failed` once, at the end. Growth
 * never leaves a copy behind (new block, copy, wipe, free), so a buffer may hold
 * secrets. {0} is an empty one. */
struct mru_buf {
    uint8_t *data; /* NULL when empty; always followed by a NUL byte */
    size_t len;
    size_t cap;
    int failed;
};
void mru_buf_add(struct mru_buf *buf, const void *data, size_t len);
void mru_buf_add_text(struct mru_buf *buf, const char *text);
void mru_buf_add_byte(struct mru_buf *buf, uint8_t byte);
/* Big-endian. */
void mru_buf_add_u32(struct mru_buf *buf, uint32_t value);
void mru_buf_add_u64(struct mru_buf *buf, uint64_t value);
/* Room for len more bytes, to be written by the caller; NULL without memory. */
uint8_t *mru_buf_extend(struct mru_buf *buf, size_t len);
/* Wipes and frees; the buffer is empty again. */
void mru_buf_free(struct mru_buf *buf);
/* Wipes what is in a buffer that is used again and again, and keeps its room. */
void mru_buf_reuse(struct mru_buf *buf);

/* Behind include/mereau/bytes.h. */
struct mereau_bytes {
    struct mru_buf buf;
};

uint32_t mru_get_u32(const uint8_t *p);
uint64_t mru_get_u64(const uint8_t *p);
void mru_put_u32(uint8_t *p, uint32_t value);
void mru_put_u64(uint8_t *p, uint64_t value);

/* --- base64url without padding, RFC 4648 section 5 (b64.c) --- */

#define MRU_B64_LEN(n) (((n) * 4 + 2) / 3)
/* Writes MRU_B64_LEN(len) characters, no NUL. */
void mru_b64_encode(char *out, const uint8_t *data, size_t len);
/* Strict: alphabet only, no padding, no white space, unused bits zero. Returns
 * the number of bytes, at most text_len / 4 * 3 + 2, or -1. out may be NULL when
 * only the form is to be checked. */
ptrdiff_t mru_b64_decode(uint8_t *out, const char *text, size_t text_len);
void mru_buf_add_b64(struct mru_buf *buf, const uint8_t *data, size_t len);

/* --- UTF-8, RFC 3629 (utf8.c) --- */

/* 1 when data is well-formed UTF-8 (no surrogates, no overlong forms, at most
 * U+10FFFF). NUL is a valid character; see mru_text_valid. */
int mru_utf8_valid(const uint8_t *data, size_t len);
/* 1 when it is UTF-8 without NUL and other control characters than tab, CR, LF. */
int mru_text_valid(const uint8_t *data, size_t len);
/* The length, 1..4, of the character that data begins with; 0 when it is not
 * well-formed or left is 0. */
size_t mru_utf8_character(const uint8_t *data, size_t left);

/* --- errors (error.c) --- */

/* Fills *err (which may be NULL) and returns status. rule, source, wanted and
 * found may be NULL. Texts are cut to fit and made printable ASCII. found and
 * wanted hold field names, counts, limits, times and the values of iss, aud,
 * typ, alg, kid, scope only: never a credential, key, nonce or sub. */
mereau_status mru_refuse(mereau_error *err, mereau_status status,
                         const char *rule, const char *source,
                         const char *wanted, const char *found);
/* As mru_refuse, and with what the host's callback answered. */
mereau_status mru_refuse_host(mereau_error *err, mereau_status status,
                              int32_t host_code, const char *rule,
                              const char *wanted, const char *found);
/* Clears *err to MEREAU_OK. Returns MEREAU_E_SIZE when its size member is wrong
 * (nothing is written then), else MEREAU_OK; err may be NULL. */
mereau_status mru_error_reset(mereau_error *err);
/* What a call with a result of bytes begins with: clears err and empties out.
 * MEREAU_OK, MEREAU_E_SIZE (of err), MEREAU_E_NOMEM when out is NULL. */
mereau_status mru_bytes_begin(mereau_bytes *out, mereau_error *err);
/* Short texts for wanted and found; out is always NUL-terminated. */
void mru_say(char *out, size_t cap, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

#endif
