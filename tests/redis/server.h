/* tests/redis/server.h - real Redis servers for tests: on loopback, a free port
 * and a folder of their own; stopped by process id, also when the test dies.
 * MEREAU_REDIS_SERVER: another program than redis-server, such as
 * valkey-server. */
#ifndef TEST_REDIS_SERVER_H
#define TEST_REDIS_SERVER_H

#include <sys/types.h>

#include <mereau/redis.h>

#include "faults/proxy.h"

enum { SERVER_WORDS = 24 };

struct server {
    pid_t pid; /* 0: not running */
    unsigned port;
    char folder[64];
    const char *words[SERVER_WORDS]; /* settings given by the test */
};

/* What claims DURABLE. */
#define DURABLE_WORDS "--appendonly", "yes", "--appendfsync", "always"

/* Starts a server with these settings, up to a NULL, and waits until it
 * answers: 0, or -1 after having said why not. */
int server_start(struct server *server, const char *const *words);
/* The same folder, port and settings. */
int server_again(struct server *server);
/* The same, where it may fail. */
int server_try(struct server *server);
/* By SIGKILL; the folder stays. */
void server_kill(struct server *server);
/* 0 when it ends of itself within this time, as one does that cannot write its log;
 * else -1. The folder stays. */
int server_await_end(struct server *server, unsigned within_ms);
/* Stops it and removes the folder. */
void server_end(struct server *server);

/* Sends one command, its words parted by spaces, as another client would. The
 * reply as text: a status, an error, a string or a number. */
void server_say(const struct server *server, const char *command,
                char out[256]);
/* The same, and the test fails unless the reply begins like this. */
void server_must(const struct server *server, const char *command,
                 const char *reply);

/* A store on it; settings may be NULL. The test fails when it cannot be opened.
 * */
mereau_store *server_store(const struct server *server,
                           const mereau_redis_settings *settings);
/* Between clients and it. */
struct proxy *server_proxy(const struct server *server);
/* A port that is free now. */
unsigned free_port(void);

#endif
