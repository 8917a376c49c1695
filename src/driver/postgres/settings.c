/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/settings.c - what is pinned in a session: settings, search path, the run. */
#include <stdlib.h>
#include <string.h>

#include "driver/postgres/pg.h"

#define DEFAULT_LOCK_TIMEOUT_MS 10000u

static bo_status make_schema(pg_conn *conn, const char *schema, bo_error *err)
{
    static const char exists[] = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1";
    BO_OWN_VALUE(bo_buf) name = {0};
    pg_quote(&name, schema);
    /* Two that make it at once: one of them is told that it exists, and looks again. */
    for (int attempt = 0;; attempt++) {
        BO_OWN(PGresult) *found = NULL;
        bo_status st = pg_ask(conn, exists, 1, &schema, &found, err);
        if (st != BO_OK || PQntuples(found) == 1)
            return st;
        st = pg_run(conn, NULL, err, "CREATE SCHEMA IF NOT EXISTS %s", bo_buf_str(&name));
        if (st == BO_OK || attempt == 1)
            return st == BO_OK ? st
                               : bo_wrap(err, st, "cannot make the schema %s", bo_buf_str(&name));
    }
}

/* The path as it was for users' conditions, and ours; pg_temp last so that it shadows nothing, and
 * what is in the server itself first, also where a schema is named: there it is not written, since
 * tables are made in what is. */
static bo_status set_paths(pg_conn *conn, const char *schema, bo_error *err)
{
    BO_OWN(PGresult) *shown = NULL;
    bo_status st = pg_ask(conn, "SHOW search_path", 0, NULL, &shown, err);
    if (st != BO_OK)
        return st;
    BO_OWN_VALUE(bo_buf) path = {0};
    if (schema)
        pg_quote(&path, schema);
    else
        bo_buf_add_str(&path, "pg_catalog");
    bo_buf_add_str(&path, ", pg_temp");
    free(conn->user_path);
    free(conn->path);
    conn->user_path = strdup(PQgetvalue(shown, 0, 0));
    conn->path = bo_buf_take_str(&path);
    return conn->user_path && conn->path ? BO_OK : bo_nomem(err);
}

bo_status pg_pin_session(pg_conn *conn, uint32_t lock_timeout_ms, const char *schema, bo_error *err)
{
    bo_status st = schema ? make_schema(conn, schema, err) : BO_OK;
    if (st == BO_OK)
        st = set_paths(conn, schema, err);
    if (st != BO_OK)
        return st;

    const char *server_encoding = PQparameterStatus(conn->pg, "server_encoding");
    bool bytes_only = server_encoding && strcmp(server_encoding, "SQL_ASCII") == 0;
    st = pg_run(conn, NULL, err,
        "SET search_path = %s;"
        "SET client_encoding = %s;"
        "SET TimeZone = 'UTC';"
        "SET DateStyle = 'ISO, YMD';"
        "SET IntervalStyle = 'postgres';"
        "SET extra_float_digits = 3;"
        "SET bytea_output = 'hex';"
        "SET lc_monetary = 'C';"
        "SET xmloption = 'content';"
        "SET standard_conforming_strings = on;"
        "SET array_nulls = on;"
        "SET quote_all_identifiers = off;"
        "SET row_security = off;"
        "SET lock_timeout = %u;"
        "SET statement_timeout = 0;"
        "SET idle_in_transaction_session_timeout = 0;"
        "SET idle_session_timeout = 0;"
        "SELECT set_config('transaction_timeout', '0', false)" /* since 17 */
        " WHERE current_setting('transaction_timeout', true) IS NOT NULL;"
        "SELECT set_config('synchronous_commit', 'on', false)" /* what is done stays done */
        " WHERE current_setting('synchronous_commit') = 'off';"
        "SET exit_on_error = off;"
        "SET tcp_keepalives_idle = 30;" /* locks of a host that is gone are in the way of others */
        "SET tcp_keepalives_interval = 10;"
        "SET tcp_keepalives_count = 3;"
        "SET tcp_user_timeout = 60000;"
        "SET default_transaction_read_only = off;"
        "SET synchronize_seqscans = off;"
        "SET plan_cache_mode = force_generic_plan;"
        "SET max_parallel_workers_per_gather = 0;"
        "SET jit = off",
        conn->path, bytes_only ? "SQL_ASCII" : "UTF8",
        lock_timeout_ms ? lock_timeout_ms : DEFAULT_LOCK_TIMEOUT_MS);
    return st == BO_OK ? st : bo_wrap(err, st, "cannot set up the connection");
}

bo_status pg_set_run(pg_conn *conn, const char *run, bo_error *err)
{
    BO_OWN(PGresult) *set = NULL;
    return pg_ask(
        conn, "SELECT pg_catalog.set_config('backout.run', $1, false)", 1, &run, &set, err);
}

bo_status pg_capture_tag(bo_conn *base, const char *run, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    BO_OWN_MEM char *copy = strdup(run ? run : "");
    if (!copy)
        return bo_nomem(err);
    bo_status st = pg_set_run(conn, copy, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot tag the session");
    free(conn->run);
    conn->run = BO_TAKE(copy);
    conn->tagged_inside = conn->in_transaction;
    return BO_OK;
}

/*
 * What a script may have left behind is put back to what a new session would have, the search path
 * for users' conditions first of all; then it is pinned as any other.
 */
bo_status pg_pin(bo_conn *base, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    if (!conn->raw)
        return BO_OK;
    bo_status st = pg_run(
        conn, NULL, err, "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; DEALLOCATE ALL");
    if (st == BO_OK)
        st = pg_pin_session(conn, conn->lock_timeout_ms, NULL, err);
    if (st == BO_OK && conn->run)
        st = pg_set_run(conn, conn->run, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot take the session over");
    conn->raw = false;
    conn->prepared = 0;
    conn->pinned_inside = conn->in_transaction;
    return BO_OK;
}
