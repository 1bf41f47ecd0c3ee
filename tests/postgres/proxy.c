/* tests/postgres/proxy.c - see proxy.h. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy.h"

static int open_socket(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path)
        return -1;
    memcpy(address->sun_path, path, strlen(path));
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static void close_pair(struct proxy *proxy, int pair) {
    for (int end = 0; end < 2; end++)
        if (proxy->pairs[pair][end] >= 0) {
            close(proxy->pairs[pair][end]);
            proxy->pairs[pair][end] = -1;
        }
}

static void accept_one(struct proxy *proxy) {
    struct sockaddr_un address;
    int client = accept(proxy->listening, NULL, NULL), server, pair = 0;
    if (client < 0)
        return;
    server = open_socket(proxy->server_path, &address);
    while (pair < PROXY_PAIRS && proxy->pairs[pair][0] >= 0)
        pair++;
    if (pair == PROXY_PAIRS || server < 0 ||
        connect(server, (struct sockaddr *)&address, sizeof address) != 0) {
        close(client);
        if (server >= 0)
            close(server);
        return;
    }
    proxy->pairs[pair][0] = client;
    proxy->pairs[pair][1] = server;
}

/* How many of n bytes may pass; *cut: and then no more. */
static size_t allow(struct proxy *proxy, int way, size_t n, int *cut) {
    *cut = 0;
    pthread_mutex_lock(&proxy->lock);
    if (proxy->armed && way == (int)proxy->way) {
        if (n >= proxy->left) {
            n = proxy->left;
            *cut = 1;
            proxy->armed = 0;
            proxy->cuts++;
        }
        proxy->left -= n;
    }
    proxy->bytes[way] += n;
    pthread_mutex_unlock(&proxy->lock);
    return n;
}

static int send_all(int fd, const char *data, size_t n) {
    while (n > 0) {
        ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return -1;
        data += sent;
        n -= (size_t)sent;
    }
    return 0;
}

static void pass(struct proxy *proxy, int pair, int end) {
    char data[16384];
    ssize_t n = recv(proxy->pairs[pair][end], data, sizeof data, 0);
    int cut = 0;
    if (n > 0) {
        size_t some = allow(proxy, end, (size_t)n, &cut);
        if (send_all(proxy->pairs[pair][!end], data, some) != 0)
            n = 0;
    }
    if (n <= 0 || cut)
        close_pair(proxy, pair);
}

static void *run(void *arg) {
    struct proxy *proxy = arg;
    struct pollfd fds[2 + 2 * PROXY_PAIRS];
    for (;;) {
        fds[0] = (struct pollfd){proxy->quit[0], POLLIN, 0};
        fds[1] = (struct pollfd){proxy->listening, POLLIN, 0};
        for (int i = 0; i < 2 * PROXY_PAIRS; i++)
            fds[2 + i] = (struct pollfd){proxy->pairs[i / 2][i % 2], POLLIN, 0};
        if (poll(fds, 2 + 2 * PROXY_PAIRS, -1) < 0)
            continue;
        if (fds[0].revents != 0)
            return NULL;
        for (int i = 0; i < 2 * PROXY_PAIRS; i++)
            if (fds[2 + i].revents != 0 && proxy->pairs[i / 2][i % 2] >= 0 &&
                proxy->pairs[i / 2][i % 2] == fds[2 + i].fd)
                pass(proxy, i / 2, i % 2);
        if (fds[1].revents != 0)
            accept_one(proxy);
    }
}

int proxy_start(struct proxy *proxy, const struct server *server) {
    struct sockaddr_un address;
    memset(proxy, 0, sizeof *proxy);
    memset(proxy->pairs, -1, sizeof proxy->pairs);
    pthread_mutex_init(&proxy->lock, NULL);
    snprintf(proxy->path, sizeof proxy->path, "%s/.s.PGSQL.5433",
             server->folder);
    snprintf(proxy->server_path, sizeof proxy->server_path, "%s/.s.PGSQL.5432",
             server->folder);
    snprintf(proxy->conninfo, sizeof proxy->conninfo,
             "host=%s port=5433 user=mereau dbname=postgres", server->folder);
    (void)unlink(proxy->path);
    proxy->listening = open_socket(proxy->path, &address);
    if (proxy->listening < 0 || pipe(proxy->quit) != 0 ||
        bind(proxy->listening, (struct sockaddr *)&address, sizeof address) !=
            0 ||
        listen(proxy->listening, 64) != 0)
        return -1;
    return pthread_create(&proxy->thread, NULL, run, proxy);
}

void proxy_end(struct proxy *proxy) {
    close(proxy->quit[1]);
    pthread_join(proxy->thread, NULL);
    for (int i = 0; i < PROXY_PAIRS; i++)
        close_pair(proxy, i);
    close(proxy->quit[0]);
    close(proxy->listening);
    (void)unlink(proxy->path);
    pthread_mutex_destroy(&proxy->lock);
}

void proxy_cut(struct proxy *proxy, enum proxy_way way, size_t after) {
    pthread_mutex_lock(&proxy->lock);
    proxy->armed = 1;
    proxy->way = way;
    proxy->left = after;
    pthread_mutex_unlock(&proxy->lock);
}

unsigned long proxy_disarm(struct proxy *proxy) {
    unsigned long cuts;
    pthread_mutex_lock(&proxy->lock);
    proxy->armed = 0;
    cuts = proxy->cuts;
    pthread_mutex_unlock(&proxy->lock);
    return cuts;
}

void proxy_count(struct proxy *proxy, size_t bytes[2]) {
    pthread_mutex_lock(&proxy->lock);
    memcpy(bytes, proxy->bytes, sizeof proxy->bytes);
    memset(proxy->bytes, 0, sizeof proxy->bytes);
    pthread_mutex_unlock(&proxy->lock);
}
