/* tests/postgres/server.h - a PostgreSQL server of the test's own: data in a
 * private folder, reached through a socket there only, run as an unprivileged
 * user, started and stopped by its process id. */
#ifndef TEST_POSTGRES_SERVER_H
#define TEST_POSTGRES_SERVER_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

struct server {
    char folder[64];
    char programs[128]; /* folder of initdb and postgres */
    char conninfo[192];
    uid_t uid;
    gid_t gid;
    pid_t pid; /* 0: not running */
    pid_t owner; /* who started it */
    int orphans; /* processes of one that was killed may still be there */
};

/* Makes a new database and starts its server. 0, or -1 after having said why. */
int server_make(struct server *server);
/* The same in 60 MB, with short logs. */
int server_make_small(struct server *server);
/* The same without a database, and not running: data comes from elsewhere. */
int server_make_empty(struct server *server);
/* Runs one of the programs that come with the server, as the server's user and in
 * its folder; argv ends with NULL. 0, or -1 after having said why. */
int server_run(const struct server *server, const char *const *argv);
/* Stops it and removes all of it. */
void server_remove(struct server *server);
/* Starts it again. setting: one more "name=value", or NULL. 0, or -1. */
int server_start(struct server *server, const char *setting);
/* Until it takes connections, as after a crash of one of its processes. 0, or
 * -1. */
int server_wait(struct server *server);
/* The same; it is started again if it has ended by itself. */
int server_revive(struct server *server);
/* SIGINT: fast; SIGQUIT: immediate, as after a crash. Waits for its end. SIGKILL:
 * its other processes find out by themselves; server_start() waits for them. */
void server_stop(struct server *server, int sig);

/* Where it listens, for a proxy in front of it; and how to get through that. */
void server_address(const struct server *server, struct sockaddr_un *at);
void server_through(unsigned port, char *conninfo, size_t cap);

/* Runs SQL as another program would. out, if not NULL: the first value of the
 * last result. 0, or -1 after having said why. */
int server_sql(const char *conninfo, const char *sql, char *out, size_t cap);

#endif
