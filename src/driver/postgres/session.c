/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/session.c - opening and closing a session, and which database it is in.
 *
 * Everything libpq knows works here too: PG* variables, .pgpass, service files, several hosts.
 * Source: PostgreSQL manual, "libpq - Database Connection Control Functions".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/postgres/pg.h"

#define OLDEST_SERVER 140000 /* TID range scans */

/* NOTICE and WARNING would go to stderr otherwise. */
static void ignore_notice(void *ctx, const PGresult *result)
{
    (void)ctx;
    (void)result;
}

/* ---- connecting ---- */

static bo_status connect_to(const bo_connect *how, pg_conn *conn, bo_error *err)
{
    bo_status st = pg_dial(how, NULL, &conn->pg, err);
    if (st != BO_OK)
        return st;
    if (PQstatus(conn->pg) != CONNECTION_OK)
        return pg_dial_failed(conn->pg, err);

    PQsetNoticeReceiver(conn->pg, ignore_notice, NULL);
    conn->version = PQserverVersion(conn->pg);
    if (conn->version < OLDEST_SERVER)
        return bo_fail(err, BO_UNSUPPORTED, "PostgreSQL 14 or later is needed; this server is %s",
            PQparameterStatus(conn->pg, "server_version"));
    conn->cancel = PQgetCancel(conn->pg);
    return conn->cancel ? BO_OK : bo_nomem(err);
}

static void pg_conn_free(pg_conn *conn)
{
    if (!conn)
        return;
    PQfreeCancel(conn->cancel);
    pg_leave_pool(conn);
    PQfinish(conn->pg); /* the server rolls back */
    free(conn->user_path);
    free(conn->path);
    free(conn->run);
    free(conn);
}
BO_DEFINE_SCOPE(pg_conn);

/* Within a program that is run, all that is written is the run's: PGOPTIONS says so. */
static bo_status tag(pg_conn *conn, const char *run, bo_error *err)
{
    BO_OWN(PGresult) *now = NULL;
    bo_status st = pg_ask(conn,
        "SELECT coalesce(nullif(pg_catalog.current_setting('backout.run', true), ''), $1)", 1, &run,
        &now, err);
    return st == BO_OK ? pg_capture_tag(&conn->base, PQgetvalue(now, 0, 0), err) : st;
}

bo_status pg_open(const bo_connect *how, bo_conn **out, bo_error *err)
{
    BO_OWN(pg_conn) *conn = calloc(1, sizeof *conn);
    if (!conn)
        return bo_nomem(err);
    conn->base.driver = &bo_driver_postgres;
    conn->raw = how->raw;
    conn->lock_timeout_ms = how->lock_timeout_ms;
    bo_status st = connect_to(how, conn, err);
    if (st == BO_OK && !how->raw)
        st = pg_refuse_shared(conn, how, err);
    if (st == BO_OK && !how->raw)
        st = pg_pin_session(conn, how->lock_timeout_ms, how->schema, err);
    if (st == BO_OK && how->run)
        st = how->raw ? pg_capture_tag(&conn->base, how->run, err) : tag(conn, how->run, err);
    if (st != BO_OK)
        return st;
    *out = &BO_TAKE(conn)->base;
    return BO_OK;
}

void pg_close(bo_conn *base)
{
    pg_conn_free(base ? pg_of(base) : NULL);
}

void pg_cancel(bo_conn *base)
{
    char reason[256];
    (void)PQcancel(pg_of(base)->cancel, reason, sizeof reason);
}

/* ---- which database ---- */

static bo_status read_server(pg_conn *conn, bo_buf *out, bo_error *err)
{
    BO_OWN(PGresult) *allowed = NULL;
    bo_status st = pg_ask(conn,
        "SELECT d.oid, pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', "
        "'EXECUTE') FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()",
        0, NULL, &allowed, err);
    if (st != BO_OK)
        return st;
    if (PQgetvalue(allowed, 0, 1)[0] == 't') {
        BO_OWN(PGresult) *control = NULL;
        st = pg_ask(conn, "SELECT system_identifier FROM pg_catalog.pg_control_system()", 0, NULL,
            &control, err);
        if (st != BO_OK)
            return st;
        bo_buf_printf(out, "%s/", PQgetvalue(control, 0, 0));
    }
    bo_buf_add_str(out, PQgetvalue(allowed, 0, 0));
    return bo_buf_check(out, err);
}

bo_status pg_identity(bo_conn *base, bo_identity *out, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    BO_OWN_VALUE(bo_buf) server = {0};
    bo_status st = read_server(conn, &server, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot tell which database this is");

    BO_OWN_VALUE(bo_buf) name = {0};
    pg_name_target(conn->pg, &name);
    const char *version = PQparameterStatus(conn->pg, "server_version");
    bo_identity identity = {0};
    (void)snprintf(identity.engine, sizeof identity.engine, "PostgreSQL %.*s",
        version ? (int)strcspn(version, " ") : 0, version ? version : "");
    (void)snprintf(identity.database, sizeof identity.database, "%s", bo_buf_str(&name));
    (void)snprintf(identity.server, sizeof identity.server, "%s", bo_buf_str(&server));
    identity.behind = pg_is_standby(conn);
    *out = identity;
    return BO_OK;
}
