/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/proxy.c - a thread that passes on what it is given, or does not. */
#include "support/proxy.h"

#include "support/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINKS_MAX = 32, CHUNK = 65536 };

/* What is on its way from one end to the other. */
typedef struct stream {
    uint8_t data[CHUNK];
    size_t at, size;
    bool ended;       /* the sender has no more */
    bool shut;        /* and the receiver knows */
    bool cut, closes; /* when what is on its way has arrived */
} stream;

typedef struct pair {
    int ends[2];       /* by the way that leads there: the server's, the client's; -1: free */
    stream streams[2]; /* by way */
    bool dead;         /* nothing is passed on any more */
    bool awaited;      /* the next answer is harmed */
} pair;

struct proxy {
    proxy_plan plan;
    volatile bool *harmed;
    char path[108];
    int listener, stop[2];
    unsigned port, count;
    bool down; /* for all */
    atomic_ulong passed[2];
    pthread_t thread;
    pair links[LINKS_MAX];
};

/* ---- what can happen ---- */

/* A reset, not an orderly end. */
static void reset(int *end)
{
    const struct linger at_once = {.l_onoff = 1};
    if (*end < 0)
        return;
    (void)setsockopt(*end, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)close(*end);
    *end = -1;
}

static void cut_link(pair *l)
{
    reset(&l->ends[PROXY_TO_SERVER]);
    reset(&l->ends[PROXY_TO_CLIENT]);
}

/* The kernel drops what comes, before it is acknowledged. */
static void deafen(int end)
{
    struct sock_filter none = {BPF_RET | BPF_K, 0, 0, 0};
    const struct sock_fprog program = {1, &none};
    (void)setsockopt(end, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static void harm_link(proxy *self, pair *l)
{
    if (self->plan.harm == PROXY_CUT) {
        cut_link(l);
        return;
    }
    if (self->plan.harm == PROXY_SILENCE)
        deafen(l->ends[PROXY_TO_CLIENT]);
    l->dead = true;
}

static void harm_all(proxy *self)
{
    self->down = true;
    for (size_t i = 0; i < LINKS_MAX; i++)
        if (self->links[i].ends[PROXY_TO_CLIENT] >= 0)
            harm_link(self, &self->links[i]);
    if (self->plan.harm == PROXY_SILENCE)
        deafen(self->listener);
    if (self->plan.harm == PROXY_CUT)
        (void)shutdown(self->listener, SHUT_RDWR);
}

/* How much of a message passes: nothing, some, nearly all; of a commit that is lost nothing. */
static size_t part_of(const proxy *self, size_t size)
{
    return self->plan.commits ? 0 : size * (self->plan.nth % 4) / 4;
}

static void harm(proxy *self, pair *l, stream *s)
{
    *self->harmed = true;
    switch (self->plan.harm) {
    case PROXY_CUT:
        s->size = part_of(self, s->size);
        s->cut = true;
        break;
    case PROXY_HALF_CLOSE:
        s->size = part_of(self, s->size);
        s->closes = true;
        break;
    default:
        if (self->plan.all)
            harm_all(self);
        else
            harm_link(self, l);
    }
}

/* Both protocols have five bytes before the statement. */
static bool is_commit(const stream *s)
{
    static const char commit[] = "COMMIT";
    const size_t size = sizeof commit - 1;
    return s->size >= 5 + size && s->size <= 6 + size && memcmp(s->data + 5, commit, size) == 0;
}

/* Is this the message that is meant? */
static bool is_meant(proxy *self, pair *l, proxy_way way, const stream *s)
{
    const proxy_plan *plan = &self->plan;
    if (plan->harm == PROXY_PASS || plan->harm == PROXY_DELAY || *self->harmed)
        return false;
    if (l->awaited && way == PROXY_TO_CLIENT)
        return true;
    if (way != plan->way || (plan->commits && !is_commit(s)) || ++self->count != plan->nth)
        return false;
    l->awaited = plan->answered;
    return !plan->answered;
}

/* ---- passing on ---- */

static void take(proxy *self, pair *l, proxy_way way)
{
    stream *s = &l->streams[way];
    const ssize_t got = recv(l->ends[1 - way], s->data, sizeof s->data, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0) {
        cut_link(l);
        return;
    }
    s->at = 0;
    s->size = s->closes ? 0 : (size_t)got; /* after the end, all is lost */
    s->ended = got == 0;
    if (self->plan.harm == PROXY_DELAY) {
        (void)usleep(self->plan.delay_us);
        *self->harmed = true;
    }
    if (s->size > 0 && is_meant(self, l, way, s))
        harm(self, l, s);
}

static void pass(proxy *self, pair *l, proxy_way way)
{
    stream *s = &l->streams[way];
    if (s->at < s->size) {
        const ssize_t put =
            send(l->ends[way], s->data + s->at, s->size - s->at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0 && errno != EAGAIN && errno != EINTR)
            cut_link(l);
        if (put > 0) {
            s->at += (size_t)put;
            atomic_fetch_add(&self->passed[way], (unsigned long)put);
        }
    }
    if (l->ends[way] < 0 || s->at < s->size)
        return;
    if (s->cut && self->plan.all)
        harm_all(self);
    else if (s->cut)
        cut_link(l);
    else if ((s->ended || s->closes) && !s->shut) {
        s->shut = true;
        (void)shutdown(l->ends[way], SHUT_WR);
    }
}

static bool is_over(const pair *l)
{
    return l->streams[0].ended && l->streams[0].shut && l->streams[1].ended && l->streams[1].shut;
}

static void serve(proxy *self, pair *l)
{
    for (int way = 0; way < 2; way++) {
        stream *s = &l->streams[way];
        if (!l->dead && l->ends[way] >= 0 && s->at == s->size && !s->ended)
            take(self, l, (proxy_way)way);
        if (!l->dead && l->ends[way] >= 0)
            pass(self, l, (proxy_way)way);
    }
    if (l->ends[0] >= 0 && is_over(l)) {
        (void)close(l->ends[0]);
        (void)close(l->ends[1]);
        l->ends[0] = l->ends[1] = -1;
    }
}

static void take_connection(proxy *self)
{
    const int client = accept(self->listener, NULL, NULL);
    if (client < 0)
        return;
    pair *l = self->links;
    while (l < self->links + LINKS_MAX && l->ends[PROXY_TO_CLIENT] >= 0)
        l++;
    struct sockaddr_un there = {.sun_family = AF_UNIX};
    (void)snprintf(there.sun_path, sizeof there.sun_path, "%s", self->path);
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l == self->links + LINKS_MAX || server < 0 ||
        connect(server, (const struct sockaddr *)&there, sizeof there) != 0) {
        (void)close(client);
        (void)close(server);
        return;
    }
    *l = (pair){.ends = {server, client}};
    if (self->down)
        harm_link(self, l);
}

/* An end is asked for what it sends while there is room for it, and for room while there is not. */
static short wanted(const pair *l, proxy_way here)
{
    const stream *from = &l->streams[1 - here], *to = &l->streams[here];
    if (l->dead)
        return 0;
    return (short)((from->at == from->size && !from->ended ? POLLIN : 0) |
                   (to->at < to->size ? POLLOUT : 0));
}

static void *run(void *ctx)
{
    proxy *self = ctx;
    for (;;) {
        struct pollfd polled[2 + 2 * LINKS_MAX] = {{.fd = self->stop[0], .events = POLLIN},
            {.fd = self->down && self->plan.harm == PROXY_CUT ? -1 : self->listener,
                .events = POLLIN}};
        for (int i = 0; i < 2 * LINKS_MAX; i++) {
            const pair *l = &self->links[i / 2];
            const short events = wanted(l, (proxy_way)(i % 2));
            polled[2 + i] = (struct pollfd){.fd = events ? l->ends[i % 2] : -1, .events = events};
        }
        if (poll(polled, 2 + 2 * LINKS_MAX, -1) < 0 && errno != EINTR)
            return NULL;
        if (polled[0].revents)
            return NULL;
        if (polled[1].revents)
            take_connection(self);
        for (size_t i = 0; i < LINKS_MAX; i++)
            if (polled[2 + 2 * i].revents || polled[3 + 2 * i].revents)
                serve(self, &self->links[i]);
    }
}

/* ---- its life ---- */

proxy *proxy_start(const char *path, const proxy_plan *plan, volatile bool *harmed)
{
    proxy *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->plan = *plan;
    self->harmed = harmed;
    (void)snprintf(self->path, sizeof self->path, "%s", path);
    for (size_t i = 0; i < LINKS_MAX; i++)
        self->links[i].ends[0] = self->links[i].ends[1] = -1;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof here;
    self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_not_equal(self->listener, -1);
    assert_int_equal(bind(self->listener, (struct sockaddr *)&here, size), 0);
    assert_int_equal(listen(self->listener, LINKS_MAX), 0);
    assert_int_equal(getsockname(self->listener, (struct sockaddr *)&here, &size), 0);
    self->port = ntohs(here.sin_port);
    assert_int_equal(pipe2(self->stop, O_CLOEXEC), 0);
    assert_int_equal(pthread_create(&self->thread, NULL, run, self), 0);
    return self;
}

unsigned proxy_port(const proxy *self)
{
    return self->port;
}

unsigned long proxy_passed(const proxy *self, proxy_way way)
{
    return atomic_load(&self->passed[way]);
}

void proxy_stop(proxy *self)
{
    assert_int_equal(close(self->stop[1]), 0);
    assert_int_equal(pthread_join(self->thread, NULL), 0);
    for (size_t i = 0; i < LINKS_MAX; i++)
        cut_link(&self->links[i]);
    (void)close(self->stop[0]);
    (void)close(self->listener);
    free(self);
}
