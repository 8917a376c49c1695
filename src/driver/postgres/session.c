/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/session.c - connecting, the settings that are pinned, and transactions.
 *
 * Everything libpq knows works here too: PG* variables, .pgpass, service files, several hosts.
 * Source: PostgreSQL manual, "libpq - Database Connection Control Functions".
 */
#include <stdio.h>
#include <string.h>

#include "driver/postgres/journal.h"

#define DEFAULT_LOCK_TIMEOUT_MS 10000u
#define OLDEST_SERVER           140000 /* TID range scans */

/* NOTICE and WARNING would go to stderr otherwise. */
static void ignore_notice(void *ctx, const PGresult *result)
{
    (void)ctx;
    (void)result;
}

/* ---- connecting ---- */

static const char *option_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *o = options; o && o->keyword; o++) {
        if (strcmp(o->keyword, keyword) == 0)
            return o->val;
    }
    return NULL;
}

/*
 * A password with an unescaped '@', '/' or ':' ends up in host, port or database name, and from
 * there in libpq's texts: such URLs are refused before libpq can quote a part of them.
 */
static bool looks_torn(const char *url, const PQconninfoOption *options)
{
    const char *host = option_of(options, "host");
    const char *port = option_of(options, "port");
    const char *name = option_of(options, "dbname");
    if (host && strpbrk(host, "@:") && host[0] != '/' && !strchr(url, '['))
        return true;
    if (port && port[strspn(port, "0123456789,")] != '\0')
        return true;
    return name && strchr(name, '@') && !strstr(url, "%40");
}

/*
 * How long is waited for a host that is gone and answers nothing, not even with a reset.  A
 * statement itself may take as long as it does.
 */
static const struct {
    const char *keyword, *value;
} patience[] = {
    {"connect_timeout", "10"},
    {"keepalives_idle", "30"},
    {"keepalives_interval", "10"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "60000"},
};
enum { PATIENCES = sizeof patience / sizeof *patience };

/* The bits of those of `patience` that `options` say. */
static unsigned said_in(const PQconninfoOption *options)
{
    unsigned said = 0;
    for (unsigned i = 0; i < PATIENCES; i++)
        said |= option_of(options, patience[i].keyword) ? 1u << i : 0;
    return said;
}

static bo_status check_url(const char *url, unsigned *said_out, bo_error *err)
{
    if (strncmp(url, "postgresql://", 13) != 0 && strncmp(url, "postgres://", 11) != 0)
        return bo_fail(err, BO_INVALID, "a PostgreSQL URL begins with postgresql://");
    char *wrong = NULL; /* what libpq says quotes the URL, and with it the password */
    PQconninfoOption *options = PQconninfoParse(url, &wrong);
    bool no_memory = !options && !wrong;
    bool bad = !options || looks_torn(url, options);
    unsigned said = said_in(options);
    PQfreemem(wrong);
    PQconninfoFree(options);
    if (no_memory)
        return bo_nomem(err);
    if (bad)
        return bo_fail(err, BO_INVALID,
            "the PostgreSQL URL is malformed (special characters in a password are written %%40, "
            "%%2F, %%3A ...)");

    PQconninfoOption *defaults = PQconndefaults();
    said |= said_in(defaults);
    PQconninfoFree(defaults);
    *said_out = said;
    return BO_OK;
}

/* Where to, for people: "shop@db.example:5432". */
static void name_target(PGconn *pg, bo_buf *out)
{
    const char *host = PQhost(pg);
    const char *port = PQport(pg);
    const char *name = PQdb(pg);
    bo_buf_printf(out, "%s@%s", name ? name : "", host && *host ? host : "local");
    if (port && *port)
        bo_buf_printf(out, ":%s", port);
}

/* libpq's text, as one line: the server's own words where it answered. */
static bo_status connect_failed(PGconn *pg, bo_error *err)
{
    const char *text = PQerrorMessage(pg);
    const char *fatal = strstr(text, "FATAL:");
    if (fatal)
        text = fatal + strlen("FATAL:");
    text += strspn(text, " \n");
    const char *secret = PQpass(pg);
    BO_OWN_VALUE(bo_buf) line = {0};
    bool hidden = secret && *secret && strstr(text, secret);
    for (const char *c = hidden ? "(the reason is not shown: it has the password in it)" : text;
         *c && *c != '\n'; c++)
        bo_buf_add_byte(&line, *c == '"' ? '\'' : (uint8_t)*c);
    bo_buf_add_byte(&line, '\0');

    BO_OWN_VALUE(bo_buf) target = {0};
    name_target(pg, &target);
    bo_status st =
        bo_fail(err, BO_DATABASE, "%s", line.failed ? "out of memory" : (const char *)line.data);
    return bo_wrap(err, st, "cannot connect to '%s'", bo_buf_str(&target));
}

bo_status pg_dial(const bo_connect *how, PGconn *beside, PGconn **out, bo_error *err)
{
    unsigned said = 0;
    bo_status st = check_url(how->url, &said, err);
    if (st != BO_OK)
        return st;

    const char *keywords[7 + PATIENCES] = {"dbname", "fallback_application_name"};
    const char *values[7 + PATIENCES] = {
        how->url, how->application_name ? how->application_name : "backout"};
    unsigned count = 2;
    if (how->password) {
        keywords[count] = "password";
        values[count++] = how->password;
    }
    for (unsigned i = 0; i < PATIENCES; i++) {
        if (said >> i & 1u)
            continue;
        keywords[count] = patience[i].keyword;
        values[count++] = patience[i].value;
    }
    if (beside) { /* one of several hosts, or one of the addresses of a name */
        keywords[count] = "host";
        values[count++] = PQhost(beside);
        keywords[count] = "hostaddr";
        values[count++] = PQhostaddr(beside);
        keywords[count] = "port";
        values[count++] = PQport(beside);
    }
    *out = PQconnectdbParams(keywords, values, 1);
    return *out ? BO_OK : bo_nomem(err);
}

static bo_status connect_to(const bo_connect *how, pg_conn *conn, bo_error *err)
{
    bo_status st = pg_dial(how, NULL, &conn->pg, err);
    if (st != BO_OK)
        return st;
    if (PQstatus(conn->pg) != CONNECTION_OK)
        return connect_failed(conn->pg, err);

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

/* ---- pinned settings ---- */

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

static bool is_standby(pg_conn *conn)
{
    const char *standby = PQparameterStatus(conn->pg, "in_hot_standby");
    return standby && strcmp(standby, "on") == 0;
}

bo_status pg_identity(bo_conn *base, bo_identity *out, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    BO_OWN_VALUE(bo_buf) server = {0};
    bo_status st = read_server(conn, &server, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot tell which database this is");

    BO_OWN_VALUE(bo_buf) name = {0};
    name_target(conn->pg, &name);
    const char *version = PQparameterStatus(conn->pg, "server_version");
    bo_identity identity = {0};
    (void)snprintf(identity.engine, sizeof identity.engine, "PostgreSQL %.*s",
        version ? (int)strcspn(version, " ") : 0, version ? version : "");
    (void)snprintf(identity.database, sizeof identity.database, "%s", bo_buf_str(&name));
    (void)snprintf(identity.server, sizeof identity.server, "%s", bo_buf_str(&server));
    identity.behind = is_standby(conn);
    *out = identity;
    return BO_OK;
}

/* ---- transactions ---- */

static void note_transaction(pg_conn *conn, bo_tx_mode mode)
{
    conn->in_transaction = true;
    conn->mode = mode;
}

/* The statement after BEGIN must not take a snapshot: locks come first. */
bo_status pg_refuse_read_only(pg_conn *conn, bo_error *err)
{
    BO_OWN(PGresult) *shown = NULL;
    bo_status st = pg_ask(conn, "SHOW transaction_read_only", 0, NULL, &shown, err);
    if (st != BO_OK || strcmp(PQgetvalue(shown, 0, 0), "on") != 0)
        return st;
    if (is_standby(conn))
        return bo_fail(err, BO_REFUSED, "the server is a replica: it cannot be written to");
    return bo_fail(err, BO_REFUSED, "the session is read-only");
}

bo_status pg_begin(bo_conn *base, bo_tx_mode mode, bo_error *err)
{
    static const char *const how[] = {
        [BO_TX_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        [BO_TX_WRITE] = "BEGIN ISOLATION LEVEL REPEATABLE READ",
        [BO_TX_PLAIN] = "BEGIN ISOLATION LEVEL READ COMMITTED",
    };
    pg_conn *conn = pg_of(base);
    bo_status st = pg_run(conn, NULL, err, "%s", how[mode]);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot begin a transaction");
    note_transaction(conn, mode);
    if (mode == BO_TX_WRITE)
        st = pg_refuse_read_only(conn, err);
    if (st != BO_OK)
        pg_rollback(base);
    return st;
}

static void drop_link(pg_conn *conn)
{
    PQfinish(conn->pg);
    conn->pg = NULL; /* libpq answers every later call with an error */
}

/* The settings that were pinned in a transaction went back with it, and so did a tag. */
static void pin_again(pg_conn *conn)
{
    bo_status st = BO_OK;
    if (conn->pinned_inside) {
        conn->raw = true;
        st = pg_pin(&conn->base, NULL);
    } else if (conn->tagged_inside) {
        st = pg_set_run(conn, conn->run, NULL);
    }
    conn->pinned_inside = false;
    conn->tagged_inside = false;
    if (st != BO_OK)
        drop_link(conn);
}

bo_status pg_commit(bo_conn *base, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    if (PQstatus(conn->pg) != CONNECTION_OK)
        return bo_fail(
            err, BO_DATABASE, "the link to the database broke before the transaction ended");
    BO_OWN(PGresult) *result = PQexec(conn->pg, "COMMIT");
    conn->in_transaction = false;
    if (PQresultStatus(result) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(result), "COMMIT") == 0)
        conn->pinned_inside = conn->tagged_inside = false;
    else
        pin_again(conn);
    /* A session may be ended after its commit, while it waits for a standby. */
    if (PQstatus(conn->pg) != CONNECTION_OK || !result || pg_ends_session(result)) {
        (void)pg_error(conn, result, err, "no answer to COMMIT came");
        if (err)
            err->status = BO_UNKNOWN;
        return BO_UNKNOWN;
    }
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        return pg_error(conn, result, err, "the transaction was not committed");
    if (strcmp(PQcmdStatus(result), "ROLLBACK") == 0)
        return bo_fail(err, BO_DATABASE,
            "the server rolled the transaction back: a statement in it had failed");
    return BO_OK;
}

void pg_rollback(bo_conn *base)
{
    pg_conn *conn = pg_of(base);
    if (!conn->in_transaction)
        return;
    conn->in_transaction = false;
    PQclear(PQexec(conn->pg, "ROLLBACK"));
    if (PQtransactionStatus(conn->pg) == PQTRANS_IDLE)
        pin_again(conn);
    else
        drop_link(conn);
}

bo_status pg_share(bo_conn *base, bo_buf *token_out, bo_error *err)
{
    BO_OWN(PGresult) *result = NULL;
    bo_status st =
        pg_ask(pg_of(base), "SELECT pg_catalog.pg_export_snapshot()", 0, NULL, &result, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot share the snapshot");
    BO_OWN_VALUE(bo_buf) token = {0};
    bo_buf_add_str(&token, PQgetvalue(result, 0, 0));
    st = bo_buf_check(&token, err);
    if (st == BO_OK)
        bo_buf_add_str(token_out, bo_buf_str(&token));
    return st == BO_OK ? bo_buf_check(token_out, err) : st;
}

bo_status pg_join(bo_conn *base, const char *token, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    bo_status st = pg_begin(base, BO_TX_READ, err);
    if (st != BO_OK)
        return st;
    BO_OWN_VALUE(bo_buf) literal = {0};
    pg_quote_literal(&literal, token);
    st = bo_buf_check(&literal, err);
    if (st == BO_OK)
        st = pg_run(conn, NULL, err, "SET TRANSACTION SNAPSHOT %s", bo_buf_str(&literal));
    if (st == BO_OK)
        return BO_OK;
    pg_rollback(base);
    return bo_wrap(err, st, "cannot join the snapshot");
}
