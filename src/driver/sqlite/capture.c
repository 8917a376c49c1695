/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/capture.c - which tables are captured for which points: begin, end, list. */
#include <inttypes.h>

#include "driver/sqlite/capture.h"

static bo_status run_with(
    sq_conn *conn, const char *sql, const char *first, const char *second, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_status st = sq_ask(conn, sql, first, &statement, err);
    if (st == BO_OK && second)
        st = sq_bind_text(conn, statement, 2, second, err);
    return st == BO_OK ? sq_step(conn, statement, &row, err) : st;
}

/* ---- begin and end ---- */

static bo_status make(sq_conn *conn, const char *what, const bo_buf *definition, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "CREATE %s main.%s", what, bo_buf_str(definition));
    sql.failed |= definition->failed;
    return sq_run_buf(conn, &sql, NULL, err);
}

static bo_status make_journal(
    sq_conn *conn, const bo_table *now, sq_journal *journal, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN_VALUE(bo_buf) sql = {0};
    sq_uniques uniques = {0};
    int64_t last = 0;
    if (!arena)
        return bo_nomem(err);
    bo_buf_add_str(&sql, /* the registry, or a journal that it has lost */
        "SELECT max(number) FROM (SELECT journal AS number FROM main." SQ_REGISTRY
        " UNION ALL SELECT CAST(substr(name, length('" SQ_JOURNAL "') + 1) AS INTEGER)"
        " FROM main.sqlite_schema WHERE " SQ_IS_JOURNAL ")");
    bo_status st = sq_number(conn, &sql, &last, err);
    if (st == BO_OK)
        st = sq_read_uniques(conn, now, arena, &uniques, err);
    sq_journal_name(journal, last + 1);
    bo_buf_clear(&sql);
    sq_journal_sql(&sql, journal, now);
    if (st == BO_OK)
        st = make(conn, "TABLE", &sql, err);
    for (unsigned i = 0; st == BO_OK && i < SQ_TRIGGER_COUNT; i++) {
        bo_buf_clear(&sql);
        st = sq_trigger_sql(&sql, journal, now, &uniques, i, err);
        if (st == BO_OK)
            st = make(conn, "TRIGGER", &sql, err);
    }
    return st;
}

static bo_status register_journal(
    sq_conn *conn, const bo_table *now, const char *point, const sq_journal *journal, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    int64_t schema = 0;
    bo_status st = sq_schema_state(conn, &schema, err);
    bo_buf_printf(&sql,
        "INSERT INTO main." SQ_REGISTRY " VALUES ($1, $2, %" PRId64 ", %" PRId64 ")",
        journal->number, schema);
    if (st == BO_OK)
        st = bo_buf_check(&sql, err);
    return st == BO_OK ? run_with(conn, bo_buf_str(&sql), point, now->local, err) : st;
}

/* The table is described again: nobody else can alter it from here on. */
static bo_status capture_table(
    bo_conn *conn, const bo_table *table, const char *point, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN_VALUE(bo_buf) reasons = {0};
    const bo_table *now = NULL;
    bo_coverage coverage = BO_UNCOVERED;
    sq_journal journal = {0};
    if (!arena)
        return bo_nomem(err);
    bo_status st = sq_describe(conn, table->name, arena, &now, err);
    if (st == BO_OK)
        st = sq_capture_coverage(conn, now, &coverage, &reasons, err);
    if (st != BO_OK)
        return st;
    if (coverage == BO_UNCOVERED)
        return bo_fail(err, BO_UNSUPPORTED, "%s", bo_buf_str(&reasons));
    st = sq_journal_find(sq_of(conn), now, point, &journal, err);
    if (st != BO_OK || journal.number > 0)
        return st;
    st = sq_journal_intact(sq_of(conn), now, &journal, err);
    if (st == BO_OK && journal.number == 0)
        st = make_journal(sq_of(conn), now, &journal, err);
    return st == BO_OK ? register_journal(sq_of(conn), now, point, &journal, err) : st;
}

static bo_status check_new(sq_conn *conn, const char *point, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool there = false;
    bo_status st =
        sq_ask(conn, "SELECT 1 FROM main." SQ_REGISTRY " WHERE point = $1", point, &statement, err);
    if (st == BO_OK)
        st = sq_step(conn, statement, &there, err);
    return st == BO_OK && there
               ? bo_fail(err, BO_EXISTS, "changes are captured for a point '%s' already", point)
               : st;
}

bo_status sq_capture_begin(
    bo_conn *conn, const bo_table *const *tables, unsigned count, const char *point, bo_error *err)
{
    bo_status st = sq_begin(conn, BO_TX_WRITE, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot begin to capture changes");
    st = sq_exec(conn,
        "CREATE TABLE IF NOT EXISTS main." SQ_REGISTRY
        " (point TEXT NOT NULL, local TEXT NOT NULL, journal INTEGER NOT NULL,"
        " schema INTEGER NOT NULL, PRIMARY KEY (point, local)) WITHOUT ROWID",
        err);
    if (st == BO_OK)
        st = check_new(sq_of(conn), point, err);
    for (unsigned i = 0; st == BO_OK && i < count; i++) {
        st = capture_table(conn, tables[i], point, err);
        if (st != BO_OK)
            bo_wrap(err, st, "cannot capture changes of %s", tables[i]->name);
    }
    if (st == BO_OK)
        st = sq_commit(conn, err);
    if (st != BO_OK)
        sq_rollback(conn);
    return st;
}

/* The first name that the query returns, in `out`; "" when there is none. */
static bo_status first_name(
    sq_conn *conn, const char *sql, const char *parameter, bo_buf *out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_buf_clear(out);
    bo_buf_add_str(out, "");
    bo_status st = sq_ask(conn, sql, parameter, &statement, err);
    if (st == BO_OK)
        st = sq_step(conn, statement, &row, err);
    if (st == BO_OK && row)
        bo_buf_add_str(out, (const char *)sqlite3_column_text(statement, 0));
    return st == BO_OK ? bo_buf_check(out, err) : st;
}

/* Drops one after another what the query names. */
static bo_status drop_all(
    sq_conn *conn, const char *what, const char *query, const char *parameter, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) name = {0};
    BO_OWN_VALUE(bo_buf) sql = {0};
    for (;;) {
        bo_status st = first_name(conn, query, parameter, &name, err);
        if (st != BO_OK || name.size == 0)
            return st;
        bo_buf_clear(&sql);
        bo_buf_printf(&sql, "DROP %s main.", what);
        sq_quote(&sql, bo_buf_str(&name));
        st = sq_run_buf(conn, &sql, NULL, err);
        if (st != BO_OK)
            return st;
    }
}

/* Of no use: journals that stand in the registry no more, and triggers that write to none. */
#define NOT_REGISTERED                                                                      \
    SQ_IS_JOURNAL " AND CAST(substr(name, length('" SQ_JOURNAL "') + 1) AS INTEGER) NOT IN" \
                  " (SELECT journal FROM main." SQ_REGISTRY ") LIMIT 1"

static bo_status remove_point(sq_conn *conn, const char *point, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) left = {0};
    int64_t schema = 0;
    bo_status st = sq_schema_state(conn, &schema, err);
    if (st == BO_OK)
        st = run_with(conn, "DELETE FROM main." SQ_REGISTRY " WHERE point = $1", point, NULL, err);
    if (st == BO_OK)
        st = drop_all(conn, "TRIGGER",
            "SELECT name FROM main.sqlite_schema WHERE type = 'trigger' AND " NOT_REGISTERED, NULL,
            err);
    if (st == BO_OK)
        st = drop_all(conn, "TABLE",
            "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND " NOT_REGISTERED, NULL,
            err);
    if (st == BO_OK)
        st = sq_schema_ours(conn, schema, err);
    if (st == BO_OK)
        st = first_name(conn, "SELECT point FROM main." SQ_REGISTRY " LIMIT 1", NULL, &left, err);
    return st == BO_OK && left.size == 0 ? sq_exec(&conn->base, "DROP TABLE main." SQ_REGISTRY, err)
                                         : st;
}

bo_status sq_capture_end(bo_conn *conn, const char *point, bo_error *err)
{
    bool there = false;
    bo_status st = sq_registry_exists(sq_of(conn), &there, err);
    if (st == BO_OK && !there)
        return BO_OK;
    if (st == BO_OK)
        st = sq_begin(conn, BO_TX_WRITE, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot end the capture for '%s'", point);
    st = sq_registry_exists(sq_of(conn), &there, err);
    if (st == BO_OK && there)
        st = remove_point(sq_of(conn), point, err);
    if (st == BO_OK)
        st = sq_commit(conn, err);
    if (st != BO_OK)
        sq_rollback(conn);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot end the capture for '%s'", point);
}

bo_status sq_capture_list(bo_conn *conn, bo_captured_fn *each, void *ctx, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    bool there = false;
    if (!arena)
        return bo_nomem(err);
    bo_status st = sq_registry_exists(sq_of(conn), &there, err);
    if (st != BO_OK || !there)
        return st;
    st = sq_ask(sq_of(conn),
        "SELECT c.point, c.local, NOT EXISTS (SELECT 1 FROM main.sqlite_schema AS s"
        "  WHERE s.type = 'table' AND s.name = c.local COLLATE NOCASE)"
        " FROM main." SQ_REGISTRY " AS c ORDER BY c.point, c.local",
        NULL, &statement, err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(sq_of(conn), statement, &row, err);
        if (st != BO_OK || !row)
            break;
        const char *point = (const char *)sqlite3_column_text(statement, 0);
        const char *local = (const char *)sqlite3_column_text(statement, 1);
        const bo_captured captured = {
            .table = local ? sq_display_name(arena, local) : NULL,
            .point = point,
            .gone = sqlite3_column_int(statement, 2) != 0,
        };
        if (!captured.table || !point)
            return bo_nomem(err);
        st = each(ctx, &captured, err);
    }
    return st;
}

/* "1:500 2:7": of each journal the last row.  Nobody deletes rows of a journal, and writers come
 * one after another, so what is written later has a higher number. */
static bo_status add_positions(sq_conn *conn, bo_buf *out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool there = false;
    bo_status st = sq_registry_exists(conn, &there, err);
    if (st == BO_OK && there)
        st = sq_ask(conn,
            "SELECT DISTINCT journal FROM main." SQ_REGISTRY " WHERE EXISTS (SELECT 1 FROM"
            " main.sqlite_schema WHERE type = 'table' AND name = '" SQ_JOURNAL "' || journal)"
            " ORDER BY journal",
            NULL, &statement, err);
    while (st == BO_OK && there) {
        BO_OWN_VALUE(bo_buf) sql = {0};
        sq_journal journal = {0};
        int64_t last = 0;
        st = sq_step(conn, statement, &there, err);
        if (st != BO_OK || !there)
            break;
        sq_journal_name(&journal, sqlite3_column_int64(statement, 0));
        bo_buf_printf(&sql, "SELECT max(seq) FROM main.%s", journal.name);
        st = sq_number(conn, &sql, &last, err);
        bo_buf_printf(
            out, "%s%" PRId64 ":%" PRId64, out->size > 0 ? " " : "", journal.number, last);
    }
    return st == BO_OK ? bo_buf_check(out, err) : st;
}

bo_status sq_capture_position(
    bo_conn *conn, const bo_table *const *tables, unsigned count, bo_buf *out, bo_error *err)
{
    (void)tables, (void)count; /* all of them: one text fits every table */
    BO_OWN_VALUE(bo_buf) found = {0};
    const bool own = sqlite3_get_autocommit(sq_of(conn)->db);
    bo_status st = own ? sq_begin(conn, BO_TX_READ, err) : BO_OK;
    if (st == BO_OK)
        st = add_positions(sq_of(conn), &found, err);
    if (own)
        sq_rollback(conn);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the position of the journals");
    bo_buf_add_str(out, bo_buf_str(&found));
    return bo_buf_check(out, err);
}
