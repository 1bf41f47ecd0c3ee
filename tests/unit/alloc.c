/* tests/unit/alloc.c - malloc and its relatives for tests: as glibc's own, but
 * counted, and failing when a test asks for it. See alloc.h. */
#include "alloc.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

static _Thread_local unsigned long count;
static _Thread_local unsigned long fail_in;
static atomic_long live;

#if defined(TEST_ALLOC_WRAP)

/* Linked with --wrap, which leaves malloc to a sanitizer or to valgrind: what the
 * library itself allocates fails as asked; what others allocate does not, and
 * leaks are theirs to find. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static int fails(void) {
    count++;
    if (fail_in == 0 || --fail_in != 0)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size) {
    return fails() ? NULL : __real_realloc(p, size);
}

#elif defined(__GLIBC__) && !defined(SANITIZED)

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

/* 1 when the allocation that is being made is to fail. */
static int fails(void) {
    count++;
    if (fail_in == 0 || --fail_in != 0)
        return 0;
    errno = ENOMEM;
    return 1;
}

static void *counted(void *p) {
    if (p != NULL)
        atomic_fetch_add(&live, 1);
    return p;
}

void *malloc(size_t size) {
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t n, size_t size) {
    return fails() ? NULL : counted(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size) {
    if (fails())
        return NULL;
    if (p == NULL)
        return counted(__libc_realloc(NULL, size));
    void *q = __libc_realloc(p, size);
    if (q == NULL && size == 0)
        atomic_fetch_sub(&live, 1);
    return q;
}

void *aligned_alloc(size_t alignment, size_t size) {
    return fails() ? NULL : counted(__libc_memalign(alignment, size));
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    void *p = fails() ? NULL : counted(__libc_memalign(alignment, size));
    if (p == NULL)
        return ENOMEM;
    *out = p;
    return 0;
}

void free(void *p) {
    if (p != NULL)
        atomic_fetch_sub(&live, 1);
    __libc_free(p);
}

#endif

#if defined(TEST_ALLOC_OPENSSL)
#include <openssl/crypto.h>

/* OpenSSL keeps much of what it once allocated: what it looked up, the texts of
 * errors of each thread. So its blocks fail like others, and are not counted as
 * live; that none of them is lost is for a sanitizer to see. */
#if defined(TEST_ALLOC_WRAP)
#define openssl_real_malloc __real_malloc
#define openssl_real_realloc __real_realloc
#define openssl_real_free free
#elif defined(__GLIBC__) && !defined(SANITIZED)
#define openssl_real_malloc __libc_malloc
#define openssl_real_realloc __libc_realloc
#define openssl_real_free __libc_free
#endif

#if defined(openssl_real_free)
static void *openssl_malloc(size_t size, const char *file, int line) {
    (void)file, (void)line;
    return size == 0 || fails() ? NULL : openssl_real_malloc(size);
}

static void *openssl_realloc(void *p, size_t size, const char *file, int line) {
    (void)file, (void)line;
    if (size > 0)
        return fails() ? NULL : openssl_real_realloc(p, size);
    openssl_real_free(p);
    return NULL;
}

static void openssl_free(void *p, const char *file, int line) {
    (void)file, (void)line;
    openssl_real_free(p);
}

__attribute__((constructor)) static void take_over_openssl(void) {
    /* Refused when OpenSSL has already allocated something. */
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc,
                                 openssl_free) != 1)
        abort();
}
#endif
#endif

int test_alloc_available(void) {
    /* Through pointers: compilers think that malloc changes nothing of ours. */
    void *(*volatile make)(size_t) = malloc;
    void (*volatile drop)(void *) = free;
    unsigned long before = count;
    drop(make(1));
    return count != before;
}

int test_alloc_reaches_others(void) {
#if defined(TEST_ALLOC_WRAP)
    return 0;
#else
    return test_alloc_available();
#endif
}

void test_alloc_fail_at(unsigned long n) { fail_in = n; }

int test_alloc_pending(void) { return fail_in != 0; }

int test_alloc_told(mereau_status status) {
#if defined(TEST_ALLOC_OPENSSL)
    if (status == MEREAU_OK || status == MEREAU_E_CRYPTO)
        return 1;
#endif
    return status == MEREAU_E_NOMEM;
}

unsigned long test_alloc_count(void) { return count; }

long test_alloc_live(void) { return atomic_load(&live); }
