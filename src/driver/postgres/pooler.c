/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/pooler.c - a pooler between us and the server, such as PgBouncer.
 *
 * A pooler names a process of its own when it is connected to, so that it can pass cancellations
 * on. What we do needs one session: settings are pinned in it, statements prepared, snapshots
 * exported. Where a pooler gives sessions out by transaction, they are lost, and what is pinned
 * stays for others, whose tables are not found any more.  Two connections that are both open never
 * have the same process of the server where it gives them out by session. Source: PostgreSQL
 * manual, "Message Formats" (BackendKeyData); PgBouncer, "pool_mode".
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/step.h"
#include "driver/postgres/pg.h"

/* Several, because a pooler may be of several processes, each with sessions of its own. */
#define ATTEMPTS 8

#define BETWEEN "a pooler (such as PgBouncer) is between here and the server"

static void PGconn_free(PGconn *pg)
{
    PQfinish(pg);
}
BO_DEFINE_SCOPE(PGconn);

static bo_status no_second(bo_error *err, const char *why)
{
    return bo_fail(err, BO_REFUSED,
        BETWEEN ", and whether it keeps one session for us cannot be told\n"
                "a second connection to it was not answered: %.*s",
        (int)strcspn(why, "\n"), why);
}

static int timeout_ms(PGconn *pg)
{
    int seconds = 0;
    PQconninfoOption *options = PQconninfo(pg);
    for (PQconninfoOption *o = options; o && o->keyword; o++)
        if (strcmp(o->keyword, "connect_timeout") == 0 && o->val)
            seconds = atoi(o->val);
    PQconninfoFree(options);
    return (seconds > 0 && seconds < 3600 ? seconds : 10) * 1000;
}

/* Until there is an answer: a pooler that has no session left lets us wait. */
static bool wait_answer(PGconn *pg)
{
    const int64_t end_us = bo_clock_monotonic_us() + timeout_ms(pg) * (int64_t)1000;
    while (PQconsumeInput(pg) && PQisBusy(pg)) {
        const int64_t left_us = end_us - bo_clock_monotonic_us();
        struct pollfd look = {.fd = PQsocket(pg), .events = POLLIN};
        if (left_us <= 0 || bo_interrupted() ||
            (poll(&look, 1, (int)(left_us / 1000) + 1) < 0 && errno != EINTR))
            return false;
    }
    return PQstatus(pg) == CONNECTION_OK;
}

/* The process of the server that answers; 0: none does. */
static int process_of(PGconn *pg)
{
    if (!PQsendQuery(pg, "SELECT pg_catalog.pg_backend_pid()") || !wait_answer(pg))
        return 0;
    int process = 0;
    PGresult *result = NULL;
    while ((result = PQgetResult(pg)) != NULL) {
        if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
            process = atoi(PQgetvalue(result, 0, 0));
        PQclear(result);
    }
    return process;
}

/* One more connection, to see whether it or ours gets a process that ours has, or had. */
static bo_status look_beside(
    pg_conn *conn, const bo_connect *how, int own, bool *shared_out, bo_error *err)
{
    BO_OWN(PGconn) *other = NULL;
    bo_status st = pg_dial(how, conn->pg, &other, err);
    if (st != BO_OK)
        return st;
    if (PQstatus(other) != CONNECTION_OK)
        return no_second(err, "it could not be made");
    const int others = process_of(other);
    if (others == 0)
        return no_second(err, "all its sessions are in use");
    *shared_out = others == own || process_of(conn->pg) != own;
    return BO_OK;
}

/* Of a link that is there and silent libpq has nothing to tell. */
static bo_status no_answer(pg_conn *conn, bo_error *err)
{
    bo_status st = bo_interrupt_check(err);
    if (st != BO_OK || PQstatus(conn->pg) != CONNECTION_OK)
        return st != BO_OK ? st : pg_error(conn, NULL, err, "the server does not answer");
    st = bo_fail(err, BO_DATABASE, "the server took the connection, and does not answer");
    if (err)
        memcpy(err->sqlstate, "08006", sizeof err->sqlstate);
    return bo_wrap(err, st, "the link to the database broke");
}

bo_status pg_refuse_shared(pg_conn *conn, const bo_connect *how, bo_error *err)
{
    const int own = process_of(conn->pg);
    if (own == 0)
        return no_answer(conn, err);
    conn->pooled = own != PQbackendPID(conn->pg);
    bool shared = false;
    bo_status st = BO_OK;
    for (int i = 0; st == BO_OK && conn->pooled && !shared && i < ATTEMPTS; i++)
        st = look_beside(conn, how, own, &shared, err);
    if (st == BO_OK && !shared)
        return BO_OK;
    conn->pooled = false; /* nothing of ours is in it */
    return st != BO_OK
               ? st
               : bo_fail(err, BO_REFUSED,
                     BETWEEN
                     ", and gives each transaction another session\n"
                     "settings and snapshots need one session, and would be left to others in it");
}

void pg_leave_pool(pg_conn *conn)
{
    if (conn->pooled && PQtransactionStatus(conn->pg) == PQTRANS_IDLE)
        PQclear(PQexec(conn->pg, "DISCARD ALL"));
}
