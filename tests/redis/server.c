/* tests/redis/server.c - see server.h. */
#if !defined(_XOPEN_SOURCE) || _XOPEN_SOURCE < 700
#undef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include "adapters/redis/redis_store.h"
#include "server.h"

static void pause_ms(long ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* Below those that the system gives to clients, so that a server that was
 * killed finds its own again; so is the port 10000 above, which a node of a
 * cluster needs.
 */
unsigned free_port(void) {
    static unsigned next;
    struct sockaddr_in at;
    int tries = 1000, taken = -1;

    if (next == 0)
        next = (unsigned)getpid() * 61; /* others' tests have pids nearby */
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while (taken != 0 && tries-- > 0) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        at.sin_port = htons((uint16_t)(20000 + next++ * 7919 % 2700));
        taken = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, sizeof at);
        close(fd);
    }
    return ntohs(at.sin_port);
}

/* --- what a test that failed leaves behind --- */

static struct left {
    char folder[64];
    pid_t pid;
} all_left[8];
static pid_t owner;

static int remove_one(const char *path, const struct stat *info, int kind,
                      struct FTW *where) {
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static void clean_up(void) {
    for (size_t i = 0; i < 8 && owner == getpid(); i++) {
        if (all_left[i].pid > 0)
            kill(all_left[i].pid, SIGKILL);
        if (all_left[i].folder[0] != 0)
            nftw(all_left[i].folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    }
}

/* pid 0: it has ended. folder "": it is gone as well. */
static void remember(const struct server *server, int gone) {
    struct left *free_one = NULL;
    if (owner == 0 && atexit(clean_up) == 0)
        owner = getpid();
    for (size_t i = 0; i < 8; i++) {
        struct left *left = &all_left[i];
        if (strcmp(left->folder, server->folder) == 0) {
            left->pid = server->pid;
            if (gone)
                left->folder[0] = 0;
            return;
        }
        if (left->folder[0] == 0)
            free_one = left;
    }
    if (free_one != NULL && !gone) {
        memcpy(free_one->folder, server->folder, sizeof free_one->folder);
        free_one->pid = server->pid;
    }
}

/* --- starting and stopping --- */

static void become_server(const struct server *server) {
    char port[16];
    const char *argv[SERVER_WORDS + 24] = {"redis-server",
                                           "--port",
                                           port,
                                           "--bind",
                                           "127.0.0.1",
                                           "--save",
                                           "",
                                           "--dir",
                                           server->folder,
                                           "--logfile",
                                           "log",
                                           "--daemonize",
                                           "no"};
    size_t n = 13;
    if (getenv("MEREAU_REDIS_SERVER") != NULL)
        argv[0] = getenv("MEREAU_REDIS_SERVER");
    snprintf(port, sizeof port, "%u", server->port);
    for (size_t i = 0; i < SERVER_WORDS && server->words[i] != NULL; i++)
        argv[n++] = server->words[i];
#if defined(__linux__)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getenv("MEREAU_SERVER_OUTPUT") == NULL) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
    }
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* Another test's may have taken the port, and answers while ours is about to end
 * for that reason. What says nothing of itself without a password is taken for
 * ours. */
static int is_ours(const struct server *server) {
    struct timeval wait = {5, 0};
    redisContext *ctx =
        redisConnectWithTimeout("127.0.0.1", (int)server->port, wait);
    redisReply *reply = NULL;
    char line[48];
    int ours = 0;

    snprintf(line, sizeof line, "process_id:%ld\r", (long)server->pid);
    if (ctx != NULL && ctx->err == 0) {
        redisSetTimeout(ctx, wait);
        reply = redisCommand(ctx, "INFO server");
    }
    if (reply != NULL)
        ours = reply->type != REDIS_REPLY_STRING ||
               strstr(reply->str, line) != NULL;
    if (reply != NULL)
        freeReplyObject(reply);
    if (ctx != NULL)
        redisFree(ctx);
    return ours;
}

/* 1 when it answers PING, -1 when it has ended. */
static int is_up(struct server *server) {
    char out[256];
    if (waitpid(server->pid, NULL, WNOHANG) == server->pid)
        return -1;
    server_say(server, "PING", out);
    /* A password, or a primary that it has lost, is an answer, too. */
    if (strcmp(out, "PONG") != 0 && strncmp(out, "NOAUTH", 6) != 0 &&
        strncmp(out, "MASTERDOWN", 10) != 0)
        return 0;
    return is_ours(server);
}

int server_try(struct server *server) {
    int up = 0;
    server->pid = fork();
    if (server->pid == 0)
        become_server(server);
    remember(server, 0);
    for (int i = 0; i < 2000 && up == 0 && server->pid > 0; i++) {
        pause_ms(5);
        up = is_up(server);
    }
    if (up > 0)
        return 0;
    if (up == 0)
        server_kill(server);
    server->pid = 0;
    remember(server, 0);
    return -1;
}

int server_again(struct server *server) {
    int result = server_try(server);
    if (result != 0)
        print_error("redis-server does not start on port %u\n", server->port);
    return result;
}

int server_start(struct server *server, const char *const *words) {
    const char *base = getenv("TMPDIR");
    memset(server, 0, sizeof *server);
    for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
        if (i + 1 >= SERVER_WORDS)
            return -1;
        server->words[i] = words[i];
    }
    snprintf(server->folder, sizeof server->folder, "%.30s/mereau-redis-XXXXXX",
             base != NULL && *base != 0 ? base : "/tmp");
    if (mkdtemp(server->folder) == NULL)
        return -1;
    /* Another process may take the port in between. */
    for (int i = 0; i < 3; i++) {
        server->port = free_port();
        if (server_again(server) == 0)
            return 0;
    }
    return -1;
}

void server_kill(struct server *server) {
    if (server->pid <= 0)
        return;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
    remember(server, 0);
}

int server_await_end(struct server *server, unsigned within_ms) {
    for (unsigned i = 0; i < within_ms; i++) {
        int status;
        if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
            server->pid = 0;
            remember(server, 0);
            return WIFEXITED(status) ? 0 : -1;
        }
        pause_ms(1);
    }
    return -1;
}

void server_end(struct server *server) {
    server_kill(server);
    if (server->folder[0] != 0)
        nftw(server->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    remember(server, 1);
}

/* --- talking to it --- */

void server_say(const struct server *server, const char *command,
                char out[256]) {
    struct timeval wait = {5, 0};
    redisContext *ctx =
        redisConnectWithTimeout("127.0.0.1", (int)server->port, wait);
    redisReply *reply = NULL;

    snprintf(out, 256, "no connection");
    if (ctx != NULL && ctx->err == 0) {
        redisSetTimeout(ctx, wait);
        reply = redisCommand(ctx, command);
        snprintf(out, 256, "no reply");
    }
    if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
        snprintf(out, 256, "%lld", reply->integer);
    else if (reply != NULL && reply->str != NULL)
        snprintf(out, 256, "%.255s", reply->str);
    else if (reply != NULL)
        snprintf(out, 256, "%zu elements", reply->elements);
    if (reply != NULL)
        freeReplyObject(reply);
    if (ctx != NULL)
        redisFree(ctx);
}

void server_must(const struct server *server, const char *command,
                 const char *reply) {
    char out[256];
    server_say(server, command, out);
    out[strlen(reply) < 255 ? strlen(reply) : 255] = 0;
    assert_string_equal(out, reply);
}

mereau_store *server_store(const struct server *server,
                           const mereau_redis_settings *settings) {
    mereau_redis_settings set = MEREAU_REDIS_SETTINGS_INIT;
    mereau_error err = MEREAU_ERROR_INIT;
    mereau_store *store = NULL;

    if (settings != NULL)
        set = *settings;
    set.port = set.port != 0 ? set.port : server->port;
    if (mereau_redis_open(&store, &set, &err) != MEREAU_OK)
        print_error("%s\n", err.text);
    assert_non_null(store);
    return store;
}

struct proxy *server_proxy(const struct server *server) {
    struct sockaddr_in to;
    struct proxy *proxy;
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)server->port);
    proxy = proxy_start((struct sockaddr *)&to, sizeof to);
    assert_non_null(proxy);
    return proxy;
}
