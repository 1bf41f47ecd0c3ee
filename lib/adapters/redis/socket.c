/* lib/adapters/redis/socket.c - sockets of the store's own: connected within a
 * time, closed at exec, and written to without SIGPIPE, which hiredis would
 * raise in the host's program. */
#define _POSIX_C_SOURCE 200809L
#include "redis_store.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* systems without it have SO_NOSIGPIPE */
#endif

static int set_up(int fd, int family, uint32_t timeout_ms) {
    struct timeval t = {(time_t)(timeout_ms / 1000),
                        (suseconds_t)(timeout_ms % 1000 * 1000)};
    int on = 1;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) != 0)
        return -1;
#ifdef SO_NOSIGPIPE
    if (setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) != 0)
        return -1;
#endif
    if (family == AF_UNIX)
        return 0;
    /* A peer that vanished while the connection was idle is noticed. */
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* 0, or -1 and errno. */
static int connect_within(int fd, const struct sockaddr *to, socklen_t len,
                          uint32_t timeout_ms) {
    struct pollfd wait = {fd, POLLOUT, 0};
    int error = 0, n;
    socklen_t size = sizeof error;

    if (connect(fd, to, len) == 0)
        return 0;
    if (errno != EINPROGRESS && errno != EINTR)
        return -1;
    do
        n = poll(&wait, 1,
                 timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        errno = ETIMEDOUT;
    if (n <= 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return -1;
    errno = error;
    return error == 0 ? 0 : -1;
}

static int open_one(const mereau_redis_settings *set, int family,
                    const struct sockaddr *to, socklen_t len) {
    int fd = socket(family, SOCK_STREAM, 0), error, flags;
    if (fd < 0)
        return -1;
    flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
        fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
        connect_within(fd, to, len, set->connect_timeout_ms) == 0 &&
        set_up(fd, family, set->timeout_ms) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

static const char *reason(void) {
    switch (errno) {
    case ECONNREFUSED:
        return "connection refused";
    case ETIMEDOUT:
        return "no answer in time";
    case ENOENT:
        return "no such socket";
    case EACCES:
    case EPERM:
        return "no right to connect";
    case ENETUNREACH:
    case EHOSTUNREACH:
        return "no way to that host";
    case EMFILE:
    case ENFILE:
        return "no more open files are allowed";
    default:
        return "a connection that failed";
    }
}

static int open_unix(const mereau_redis_settings *set, const char **why) {
    struct sockaddr_un to;
    size_t len = strlen(set->host);
    int fd;

    *why = "a path that is too long";
    memset(&to, 0, sizeof to);
    if (len >= sizeof to.sun_path)
        return -1;
    to.sun_family = AF_UNIX;
    memcpy(to.sun_path, set->host, len + 1);
    fd = open_one(set, AF_UNIX, (const struct sockaddr *)&to, sizeof to);
    if (fd < 0)
        *why = reason();
    return fd;
}

int mru_redis_socket(const mereau_redis_settings *set, const char **why) {
    struct addrinfo hints, *list = NULL;
    char port[16];
    int fd = -1;

    if (set->host[0] == '/')
        return open_unix(set, why);
    memset(&hints, 0, sizeof hints);
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    snprintf(port, sizeof port, "%u", (unsigned)set->port);
    if (getaddrinfo(set->host, port, &hints, &list) != 0) {
        *why = "no such host";
        return -1;
    }
    for (struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next)
        fd = open_one(set, a->ai_family, a->ai_addr, a->ai_addrlen);
    if (fd < 0)
        *why = reason();
    freeaddrinfo(list);
    return fd;
}

int mru_redis_is_stale(int fd) {
    struct pollfd look = {fd, POLLIN, 0};
    return poll(&look, 1, 0) != 0;
}

int mru_redis_send(int fd, const uint8_t *data, size_t len) {
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}
