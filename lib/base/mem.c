/* lib/base/mem.c - memory that is zeroed, wiped and never overflows a sum. */
#include "base.h"

#include <stdlib.h>

/* glibc before 2.41 serves calloc past its fast lists of small blocks, so for
 * those malloc and zeroing cost less than half; large ones may come from the
 * system zeroed already. */
enum { SMALL = 1024 };

void *mru_alloc(size_t size) {
    if (size == 0)
        size = 1;
    if (size > SMALL)
        return calloc(1, size);
    void *p = malloc(size);
#if defined(__GNUC__) && !defined(__clang_analyzer__)
    /* Or the compiler makes one call to calloc of the two. */
    __asm__("" : "+r"(p));
#endif
    if (p != NULL)
        memset(p, 0, size);
    return p;
}

void mru_free(void *p) { free(p); }

void mru_wipe(void *p, size_t len) {
    if (p == NULL || len == 0)
        return;
#if defined(__GNUC__)
    memset(p, 0, len);
    /* The compiler must believe that somebody reads the zeros. */
    __asm__ __volatile__("" : : "r"(p) : "memory");
#else
    volatile uint8_t *bytes = p;
    while (len-- > 0)
        *bytes++ = 0;
#endif
}

void mru_free_wiped(void *p, size_t len) {
    mru_wipe(p, len);
    free(p);
}

char *mru_dup(const void *data, size_t len) {
    size_t size;
    if (mru_add_size(len, 1, &size) != 0)
        return NULL;
    char *copy = mru_alloc(size);
    if (copy != NULL && len > 0)
        memcpy(copy, data, len);
    return copy;
}

int mru_equal_ct(const void *a, const void *b, size_t len) {
    const volatile uint8_t *x = a;
    const volatile uint8_t *y = b;
    unsigned differ = 0;
    for (size_t i = 0; i < len; i++)
        differ |= (unsigned)(x[i] ^ y[i]);
    /* differ is 0..255: bit 31 of differ - 1 is set for 0 only. */
    return (int)((differ - 1u) >> 31);
}

int mru_add_size(size_t a, size_t b, size_t *out) {
    if (b > SIZE_MAX - a)
        return -1;
    *out = a + b;
    return 0;
}

int mru_mul_size(size_t a, size_t b, size_t *out) {
    if (a != 0 && b > SIZE_MAX / a)
        return -1;
    *out = a * b;
    return 0;
}

int64_t mru_add_time(int64_t a, int64_t b) {
    const int64_t least = INT64_MIN + 2;
    if (b > 0 && a > INT64_MAX - b)
        return INT64_MAX;
    if (b < 0 && a < INT64_MIN - b)
        return least;
    return a + b < least ? least : a + b;
}
