/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/proxy.h - the network between a program and a server, as bad as it can be.
 *
 * A thread of this process takes TCP connections on a port of the loopback and passes everything on
 * to the socket of a server, until it comes to a message that something is to happen to.  A message
 * is what arrives at once, in one way; they are counted over all connections.
 */
#ifndef BO_TESTS_PROXY_H
#define BO_TESTS_PROXY_H

#include <stdbool.h>

typedef enum proxy_harm {
    PROXY_PASS,       /* nothing */
    PROXY_CUT,        /* a part of the message passes, then both ends are reset */
    PROXY_HALF_CLOSE, /* so it does, and then the sender seems to have closed; the other way works
                       */
    PROXY_SILENCE,    /* the message and all after it are lost, and not even acknowledged */
    PROXY_FREEZE,     /* they are acknowledged, and go nowhere */
    PROXY_DELAY,      /* each message waits before it passes */
} proxy_harm;

typedef enum proxy_way { PROXY_TO_SERVER, PROXY_TO_CLIENT } proxy_way;

typedef struct proxy_plan {
    proxy_harm harm;
    proxy_way way;
    unsigned nth;  /* the message; how much of it passes is decided by the number */
    bool commits;  /* only those to the server count that are a COMMIT */
    bool answered; /* the message passes whole, and harmed is the answer to it */
    bool all;      /* every connection is harmed, and new ones are */
    unsigned delay_us;
} proxy_plan;

typedef struct proxy proxy;

/** Listens; `path` is the server's socket.  Fails the test when it cannot. */
proxy *proxy_start(const char *path, const proxy_plan *plan, volatile bool *harmed);
unsigned proxy_port(const proxy *self);
/** Bytes that passed to the server and to the client. */
unsigned long proxy_passed(const proxy *self, proxy_way way);
/** Ends all connections and the thread. */
void proxy_stop(proxy *self);

#endif
