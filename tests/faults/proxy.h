/* tests/faults/proxy.h - stands between a store and its server, and cuts
 * connections: in the middle of a request, or of the reply to it. It also counts how
 * often a reply was waited for. A thread of the test's own process. */
#ifndef TEST_PROXY_H
#define TEST_PROXY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct proxy;

/* Listens on a free port of loopback and passes on to an address. NULL: it
 * cannot. */
struct proxy *proxy_start(const struct sockaddr *to, socklen_t len);
unsigned proxy_port(const struct proxy *proxy);
/* Cuts what is open, and ends. */
void proxy_stop(struct proxy *proxy);

/* From now on each new connection is cut after less than so many bytes of its
 * requests, or of its replies. 0: none is. */
void proxy_cut_at_random(struct proxy *proxy, uint64_t seed, uint32_t requests,
                         uint32_t replies);
/* One cut of the connection that passes the next byte: after n more bytes of
 * requests or of replies. */
void proxy_cut_once(struct proxy *proxy, int replies, uint32_t n);

struct proxy_cuts {
    unsigned requests, replies;
};
struct proxy_cuts proxy_cuts(struct proxy *proxy);

/* How often a client began to send, on any connection, after it had been sent
 * something or for the first time: its round trips. */
unsigned proxy_turns(struct proxy *proxy);
/* How many connections are open now. */
unsigned proxy_open(struct proxy *proxy);

#endif
