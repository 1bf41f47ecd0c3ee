/* tests/postgres/proxy.h - stands between a store and its server, and cuts a
 * connection after a given number of bytes in one direction. */
#ifndef TEST_POSTGRES_PROXY_H
#define TEST_POSTGRES_PROXY_H

#include <pthread.h>

#include "server.h"

enum { PROXY_PAIRS = 64 };

enum proxy_way { TO_SERVER = 0, TO_CLIENT = 1 };

struct proxy {
    char conninfo[192]; /* to be used instead of the server's */
    char path[128], server_path[128];
    pthread_t thread;
    int listening, quit[2];
    int pairs[PROXY_PAIRS][2]; /* the client's and the server's end; -1: free */
    pthread_mutex_t lock; /* guards what follows */
    int armed;
    enum proxy_way way;
    size_t left; /* bytes until the cut */
    size_t bytes[2]; /* that went each way since proxy_count() */
    unsigned long cuts; /* so far */
};

/* 0, or -1. The thread runs until proxy_end(). */
int proxy_start(struct proxy *proxy, const struct server *server);
void proxy_end(struct proxy *proxy);
/* Cuts after this many more bytes: both ends of the connection that sent the last
 * of them are closed. */
void proxy_cut(struct proxy *proxy, enum proxy_way way, size_t after);
/* Not any more. Returns how many cuts there were since the start. */
unsigned long proxy_disarm(struct proxy *proxy);
/* How many bytes went each way since the last call. */
void proxy_count(struct proxy *proxy, size_t bytes[2]);

#endif
