/* tests/unit/alloc.h - lets allocations fail, and counts them. A test that
 * includes this is linked with alloc.c, which stands in for malloc and its
 * relatives. Where that is not possible (a sanitizer, valgrind, another C
 * library than glibc) test_alloc_available() is 0, nothing ever fails, and all
 * counts are 0: skip the test. */
#ifndef TEST_ALLOC_H
#define TEST_ALLOC_H

#include <mereau/error.h>

/* 1 when allocations of this program can be made to fail. */
int test_alloc_available(void);
/* 1 when those of other libraries in the program fail as well; 0 where a sanitizer
 * or valgrind owns malloc (TEST_ALLOC_WRAP), and only our own do. */
int test_alloc_reaches_others(void);
/* The nth allocation of this thread from now on, counted from 1, returns NULL,
 * and only that one. 0: none. */
void test_alloc_fail_at(unsigned long n);
/* 1 while the failure asked for has not happened yet: the code under test made
 * fewer allocations, so a sweep is over. */
int test_alloc_pending(void);
/* 1 for what a call may answer when the nth allocation failed: MEREAU_E_NOMEM; on
 * OpenSSL, which does without some of its memory and does not always say what was
 * missing, MEREAU_OK and MEREAU_E_CRYPTO as well. */
int test_alloc_told(mereau_status status);
/* Allocations of this thread so far, failed ones included. */
unsigned long test_alloc_count(void);
/* Blocks of all threads that are not freed yet. */
long test_alloc_live(void);

#endif
