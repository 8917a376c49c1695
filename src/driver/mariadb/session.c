/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/session.c - opening a session, what is pinned in it, and which database it is.
 */
#include <stdio.h>
#include <string.h>

#include "driver/mariadb/my.h"
#include "driver/mariadb/url.h"

#define DEFAULT_LOCK_TIMEOUT_MS 10000u

/* ---- opening ---- */

static void my_conn_free(my_conn *conn)
{
    if (!conn)
        return;
    if (conn->my)
        mysql_close(conn->my); /* the server rolls back */
    my_forget_links(conn);
    my_url_free(conn->url);
    free(conn->user_mode);
    free(conn);
}
BO_DEFINE_SCOPE(my_conn);

bo_status my_capture_tag(bo_conn *base, const char *run, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SET @backout_run = ");
    if (run && *run)
        my_quote_literal(&sql, run);
    else
        bo_buf_add_str(&sql, "NULL");
    return my_run_buf(my_of(base), &sql, NULL, err);
}

bo_status my_open(const bo_connect *how, bo_conn **out, bo_error *err)
{
    BO_OWN(my_conn) *conn = calloc(1, sizeof *conn);
    if (!conn)
        return bo_nomem(err);
    conn->base.driver = &bo_driver_mariadb;
    conn->raw = how->raw;
    conn->lock_timeout_ms = how->lock_timeout_ms ? how->lock_timeout_ms : DEFAULT_LOCK_TIMEOUT_MS;
    bo_status st = my_url_parse(how->url, &conn->url, err);
    if (st == BO_OK)
        st = my_dial(how, conn, err);
    if (st == BO_OK && !how->raw)
        st = my_pin_settings(conn, err);
    if (st == BO_OK && how->run)
        st = my_capture_tag(&conn->base, how->run, err);
    if (st != BO_OK)
        return st;
    *out = &BO_TAKE(conn)->base;
    return BO_OK;
}

void my_close(bo_conn *base)
{
    my_conn_free(base ? my_of(base) : NULL);
}

/* ---- pinned settings ---- */

/*
 * How users' sessions read SQL decides how a user's condition is read: "x" is a text or a name.
 * Everything else of the mode is ours, so that every value that a column holds can be written.
 */
#define OUR_MODE "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION"

static bo_status read_server_settings(my_conn *conn, bo_error *err)
{
    static const char *const reading[] = {"ANSI_QUOTES", "PIPES_AS_CONCAT", "NO_BACKSLASH_ESCAPES",
        "IGNORE_SPACE", "HIGH_NOT_PRECEDENCE"};
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_status st = my_ask(conn, &result, err, "SELECT @@GLOBAL.sql_mode, @@max_allowed_packet");
    MYSQL_ROW row = st == BO_OK ? mysql_fetch_row(result) : NULL;
    if (st != BO_OK)
        return st;
    conn->packet = row && row[1] ? strtoul(row[1], NULL, 10) : 0;
    BO_OWN_VALUE(bo_buf) mode = {0};
    bo_buf_add_str(&mode, OUR_MODE);
    for (size_t i = 0; i < sizeof reading / sizeof *reading; i++) {
        if (row && row[0] && strstr(row[0], reading[i]))
            bo_buf_printf(&mode, ",%s", reading[i]);
    }
    free(conn->user_mode);
    conn->user_mode = bo_buf_take_str(&mode);
    return conn->user_mode ? BO_OK : bo_nomem(err);
}

bo_status my_set_mode(my_conn *conn, bool of_user, bo_error *err)
{
    if (conn->raw) /* has it anyway */
        return BO_OK;
    return my_run(
        conn, NULL, err, "SET SESSION sql_mode = '%s'", of_user ? conn->user_mode : OUR_MODE);
}

/* Into a binary log of statements go no rows in bulk and none at READ COMMITTED, and bytes that are
 * bound as if they were text. */
bo_status my_log_rows(my_conn *conn, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t log = 0;
    bo_buf_printf(&sql,
        "SELECT IF(@@log_bin, CASE @@SESSION.binlog_format WHEN 'STATEMENT' THEN %d"
        " WHEN 'MIXED' THEN %d ELSE %d END, %d)",
        MY_LOG_STATEMENTS, MY_LOG_MIXED, MY_LOG_ROWS, MY_LOG_NOTHING);
    bo_status st = my_ask_count(conn, &sql, &log, err);
    conn->log = (my_log)log;
    const bool wanted = log == MY_LOG_STATEMENTS || (log == MY_LOG_MIXED && !conn->raw);
    if (wanted && my_run(conn, NULL, NULL, "SET SESSION binlog_format = ROW") == BO_OK)
        conn->log = MY_LOG_ROWS;
    return st;
}

bo_status my_wants_rows(my_conn *conn, bo_status st, bo_error *err)
{
    return bo_detail(err, st, "needed: GRANT BINLOG ADMIN ON *.* TO '%s'",
        conn->my && conn->my->user ? conn->my->user : "");
}

const char *my_strictly(bool logged)
{
    return logged ? "SET STATEMENT innodb_strict_mode = ON FOR " : "";
}

/* DEFAULT of a setting is what the server gives to every session, not what it is without one. */
bo_status my_pin_settings(my_conn *conn, bo_error *err)
{
    const unsigned seconds = conn->lock_timeout_ms / 1000 + (conn->lock_timeout_ms % 1000 > 0);
    bo_status st = read_server_settings(conn, err);
    if (st == BO_OK)
        st = my_run(conn, NULL, err, "SET NAMES utf8mb4");
    if (st == BO_OK)
        st = my_run(conn, NULL, err,
            "SET SESSION character_set_results = NULL,"
            " sql_mode = '" OUR_MODE "',"
            " time_zone = '+00:00',"
            " foreign_key_checks = ON,"
            " unique_checks = ON,"
            " check_constraint_checks = ON,"
            " innodb_strict_mode = OFF,"
            " default_storage_engine = InnoDB,"
            " default_tmp_storage_engine = InnoDB,"
            " innodb_lock_wait_timeout = %u,"
            " lock_wait_timeout = %u,"
            " max_statement_time = 0,"
            " idle_transaction_timeout = 0,"
            " idle_readonly_transaction_timeout = 0,"
            " idle_write_transaction_timeout = 0,"
            " net_read_timeout = 3600,"
            " net_write_timeout = 3600,"
            " sql_quote_show_create = ON,"
            " sql_auto_is_null = OFF,"
            " sql_safe_updates = OFF,"
            " sql_big_selects = ON,"
            " sql_select_limit = 18446744073709551615,"
            " completion_type = NO_CHAIN,"
            " timestamp = DEFAULT",
            seconds, seconds);
    if (st == BO_OK)
        st = my_run(
            conn, NULL, err, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE");
    if (st == BO_OK && !conn->in_transaction)
        st = my_run(conn, NULL, err, "SET SESSION autocommit = ON");
    if (st == BO_OK)
        st = my_log_rows(conn, err);
    return st == BO_OK ? st : bo_wrap(err, st, "cannot set up the connection");
}

static bo_status use_schema(my_conn *conn, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "USE ");
    my_quote(&sql, conn->schema);
    return my_run_buf(conn, &sql, NULL, err);
}

/* Settings are no part of a transaction: they stay when it is rolled back. */
bo_status my_pin(bo_conn *base, bo_error *err)
{
    my_conn *conn = my_of(base);
    if (!conn->raw)
        return BO_OK;
    bo_status st = my_pin_settings(conn, err);
    if (st == BO_OK)
        st = use_schema(conn, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot take the session over");
    conn->raw = false;
    return BO_OK;
}

/* ---- which database ---- */

bo_status my_identity(bo_conn *base, bo_identity *out, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN(MYSQL_RES) *result = NULL;
    /* older servers have no identity of their own: where they run stands for it */
    bo_status st = my_ask(conn, &result, err,
        "SELECT COALESCE((SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES"
        " WHERE VARIABLE_NAME = 'SERVER_UID'),"
        " CONCAT_WS(':', @@hostname, @@port, @@datadir))");
    MYSQL_ROW row = st == BO_OK ? mysql_fetch_row(result) : NULL;
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot tell which database this is");

    BO_OWN_VALUE(bo_buf) name = {0};
    my_name_target(conn, &name);
    const char *version = mysql_get_server_info(conn->my);
    bo_identity identity = {0};
    (void)snprintf(identity.engine, sizeof identity.engine, "MariaDB %.*s",
        (int)strcspn(version, "-"), version);
    (void)snprintf(identity.database, sizeof identity.database, "%s", bo_buf_str(&name));
    (void)snprintf(identity.server, sizeof identity.server, "%.2000s/%.2000s",
        row && row[0] ? row[0] : "", conn->schema);
    *out = identity;
    return BO_OK;
}
