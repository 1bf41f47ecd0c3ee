/* tests/vectors/vec.h - reading files of test vectors, and counting cases. */
#ifndef VEC_H
#define VEC_H

#include <stddef.h>
#include <stdint.h>

#include <cJSON.h>

/* The bytes of a file that is not empty, a NUL behind them, to be freed; fails the
 * test when it cannot be read. len may be NULL. */
char *vec_read(const char *path, size_t *len);
/* The file as JSON; fails the test when it cannot be read. \u0000 becomes U+E000,
 * as cJSON cannot hold it. */
cJSON *vec_load(const char *path);
/* A text member, or "". */
const char *vec_text(const cJSON *object, const char *name);
/* A member in hexadecimal as bytes, to be freed; never NULL. */
uint8_t *vec_hex(const cJSON *object, const char *name, size_t *len);
/* A text whose code units are bytes (U+E000: NUL), appended; returns the new
 * length. out must have room for strlen(text) more. */
size_t vec_latin1(char *out, size_t len, const char *text);

/* What became of the cases of one file. */
struct vec_count {
    const char *file;
    int run;
    int unsupported; /* never counted as run */
    int wrong;
};
/* One case: says so when the answer is wrong. */
void vec_case(struct vec_count *count, const char *id, const char *comment,
              int right);
/* Prints the counts and fails unless all were right and at least `least` ran. */
void vec_end(const struct vec_count *count, int least);

#endif
