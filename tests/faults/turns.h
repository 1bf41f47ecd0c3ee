/* tests/faults/turns.h - how many round trips a get and a commit take, counted by a
 * proxy between a store and its server. */
#ifndef TEST_TURNS_H
#define TEST_TURNS_H

#include <mereau/host.h>

#include "proxy.h"

/* On a connection that is there and was used. */
struct turns {
    unsigned get; /* of 5 keys, 3 of which are there */
    unsigned commit; /* PUT, CHECK and DELETE under conditions, 5 writes */
    unsigned conflict; /* the same again, which fails */
    unsigned large; /* a commit of 128 records of 1000 bytes */
};

/* The store has one connection, through the proxy, and partition "turns" is
 * empty. The test fails when an answer is another than it should be. */
struct turns turns_count(struct proxy *proxy, mereau_store *store);

#endif
