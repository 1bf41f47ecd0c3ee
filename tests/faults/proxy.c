/* tests/faults/proxy.c - see proxy.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"
#include "proxy.h"

enum { MOST = 64, REQUESTS = 0, REPLIES = 1 };

/* One connection. fd[0] is the client's, fd[1] the server's; left[d]: how many
 * bytes it passes on in a direction until it is cut. */
struct line {
    int used;
    int fd[2];
    int asked; /* the last that passed was a request */
    uint64_t left[2];
};

struct proxy {
    struct sockaddr_storage to;
    socklen_t to_len;
    int listener, wake[2];
    unsigned port;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all that follows */
    int over;
    uint64_t random;
    uint32_t up_to[2];
    int once; /* 1 + direction */
    uint32_t once_n;
    struct proxy_cuts cuts;
    unsigned turns;
    struct line lines[MOST];
};

/* --- one connection --- */

static void hang_up(struct line *line, int hard) {
    struct linger linger = {1, 0}; /* a reset instead of an end */
    if (hard)
        (void)setsockopt(line->fd[0], SOL_SOCKET, SO_LINGER, &linger,
                         sizeof linger);
    close(line->fd[0]);
    close(line->fd[1]);
    line->used = 0;
}

static void take_call(struct proxy *proxy) {
    struct line *line = NULL;
    int client = accept(proxy->listener, NULL, NULL), server, on = 1;
    for (size_t i = 0; i < MOST; i++)
        if (!proxy->lines[i].used)
            line = &proxy->lines[i];
    server = socket(proxy->to.ss_family, SOCK_STREAM, 0);
    if (client < 0 || server < 0 || line == NULL ||
        connect(server, (struct sockaddr *)&proxy->to, proxy->to_len) != 0) {
        close(client);
        close(server);
        return;
    }
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    line->used = 1;
    line->asked = 0;
    line->fd[0] = client;
    line->fd[1] = server;
    line->left[REQUESTS] = line->left[REPLIES] = UINT64_MAX;
    if (proxy->up_to[0] + proxy->up_to[1] > 0) {
        int which = proxy->up_to[REQUESTS] == 0 ? REPLIES
                    : proxy->up_to[REPLIES] == 0
                        ? REQUESTS
                        : (int)(next_random(&proxy->random) & 1);
        line->left[which] = next_random(&proxy->random) % proxy->up_to[which];
    }
}

static int write_all(int fd, const char *data, size_t len) {
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Passes on what came from one side. */
static void pass(struct proxy *proxy, struct line *line, int which) {
    char bytes[65536];
    ssize_t n = recv(line->fd[which], bytes, sizeof bytes, 0);
    size_t len = n > 0 ? (size_t)n : 0;
    int cut = 0;

    if (n > 0) {
        proxy->turns += which == REQUESTS && !line->asked;
        line->asked = which == REQUESTS;
    }
    if (n > 0 && proxy->once == 1 + which) {
        proxy->once = 0;
        line->left[which] = proxy->once_n;
    }
    if (n > 0 && line->left[which] != UINT64_MAX) {
        cut = line->left[which] < len;
        len = cut ? (size_t)line->left[which] : len;
        line->left[which] -= len;
    }
    if (n <= 0 || write_all(line->fd[!which], bytes, len) != 0 || cut) {
        if (cut && which == REQUESTS)
            proxy->cuts.requests++;
        else if (cut)
            proxy->cuts.replies++;
        hang_up(line, cut && (next_random(&proxy->random) & 1));
    }
}

/* --- the thread --- */

/* Fills what is to be waited for; which[i]: line * 2 + side. */
static nfds_t gather(const struct proxy *proxy, struct pollfd *polls,
                     size_t *which) {
    nfds_t n = 2;
    polls[0] = (struct pollfd){proxy->wake[0], POLLIN, 0};
    polls[1] = (struct pollfd){proxy->listener, POLLIN, 0};
    for (size_t i = 0; i < MOST; i++)
        for (size_t side = 0; proxy->lines[i].used && side < 2; side++) {
            which[n] = i * 2 + side;
            polls[n++] = (struct pollfd){proxy->lines[i].fd[side], POLLIN, 0};
        }
    return n;
}

static void *serve(void *arg) {
    struct proxy *proxy = arg;
    struct pollfd polls[2 + 2 * MOST];
    size_t which[2 + 2 * MOST];
    int over = 0;

    while (!over) {
        nfds_t n = gather(proxy, polls, which);
        if (poll(polls, n, -1) < 0)
            continue;
        pthread_mutex_lock(&proxy->lock);
        over = proxy->over;
        for (nfds_t i = 2; i < n && !over; i++) {
            struct line *line = &proxy->lines[which[i] / 2];
            if (polls[i].revents != 0 && line->used)
                pass(proxy, line, (int)(which[i] % 2));
        }
        if (!over && polls[1].revents != 0)
            take_call(proxy);
        pthread_mutex_unlock(&proxy->lock);
    }
    return NULL;
}

/* 0, or -1. */
static int open_listener(struct proxy *proxy) {
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(proxy->listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(proxy->listener, MOST) != 0 ||
        getsockname(proxy->listener, (struct sockaddr *)&at, &len) != 0)
        return -1;
    proxy->port = ntohs(at.sin_port);
    return 0;
}

struct proxy *proxy_start(const struct sockaddr *to, socklen_t len) {
    struct proxy *proxy = calloc(1, sizeof *proxy);
    if (proxy == NULL)
        return NULL;
    memcpy(&proxy->to, to, len);
    proxy->to_len = len;
    if (pipe(proxy->wake) != 0 || open_listener(proxy) != 0 ||
        pthread_mutex_init(&proxy->lock, NULL) != 0 ||
        pthread_create(&proxy->thread, NULL, serve, proxy) != 0) {
        free(proxy);
        return NULL;
    }
    return proxy;
}

unsigned proxy_port(const struct proxy *proxy) { return proxy->port; }

void proxy_stop(struct proxy *proxy) {
    if (proxy == NULL)
        return;
    pthread_mutex_lock(&proxy->lock);
    proxy->over = 1;
    pthread_mutex_unlock(&proxy->lock);
    (void)!write(proxy->wake[1], "", 1);
    pthread_join(proxy->thread, NULL);
    for (size_t i = 0; i < MOST; i++)
        if (proxy->lines[i].used)
            hang_up(&proxy->lines[i], 0);
    close(proxy->listener);
    close(proxy->wake[0]);
    close(proxy->wake[1]);
    pthread_mutex_destroy(&proxy->lock);
    free(proxy);
}

/* --- what is to be cut --- */

void proxy_cut_at_random(struct proxy *proxy, uint64_t seed, uint32_t requests,
                         uint32_t replies) {
    pthread_mutex_lock(&proxy->lock);
    proxy->random = seed;
    proxy->up_to[REQUESTS] = requests;
    proxy->up_to[REPLIES] = replies;
    pthread_mutex_unlock(&proxy->lock);
}

void proxy_cut_once(struct proxy *proxy, int replies, uint32_t n) {
    pthread_mutex_lock(&proxy->lock);
    proxy->once = 1 + (replies != 0);
    proxy->once_n = n;
    pthread_mutex_unlock(&proxy->lock);
}

struct proxy_cuts proxy_cuts(struct proxy *proxy) {
    struct proxy_cuts cuts;
    pthread_mutex_lock(&proxy->lock);
    cuts = proxy->cuts;
    pthread_mutex_unlock(&proxy->lock);
    return cuts;
}

unsigned proxy_turns(struct proxy *proxy) {
    unsigned turns;
    pthread_mutex_lock(&proxy->lock);
    turns = proxy->turns;
    pthread_mutex_unlock(&proxy->lock);
    return turns;
}

unsigned proxy_open(struct proxy *proxy) {
    unsigned n = 0;
    pthread_mutex_lock(&proxy->lock);
    for (size_t i = 0; i < MOST; i++)
        n += proxy->lines[i].used != 0;
    pthread_mutex_unlock(&proxy->lock);
    return n;
}
