/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/capture_schema.c - may something have been in the schema that is gone again?
 *
 * With a unique index that was made later, REPLACE removes rows of which our triggers know nothing;
 * a trigger that was made later changes a row before ours know that it came.  Both can be dropped
 * again, and nothing of them is left but PRAGMA schema_version, which grows with every statement
 * that makes, alters or drops something, and with VACUUM.
 *
 * Making one object adds one to the version and one to the objects.  So their difference stands
 * still while objects are only made, and what was made is there to be seen; by whatever is dropped
 * or altered it grows, and never goes back.
 */
#include <inttypes.h>

#include "driver/sqlite/capture.h"

#define SCHEMA_STATE                                                        \
    "(SELECT (SELECT schema_version FROM pragma_schema_version) - count(*)" \
    " FROM main.sqlite_schema WHERE sql IS NOT NULL AND name <> 'sqlite_sequence')"

bo_status sq_schema_state(sq_conn *conn, int64_t *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT " SCHEMA_STATE);
    return sq_number(conn, &sql, out, err);
}

bo_status sq_schema_ours(sq_conn *conn, int64_t was, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bool there = false;
    bo_status st = sq_registry_exists(conn, &there, err);
    if (st != BO_OK || !there)
        return st;
    bo_buf_printf(
        &sql, "UPDATE main." SQ_REGISTRY " SET schema = schema + " SCHEMA_STATE " - %" PRId64, was);
    return sq_run_buf(conn, &sql, NULL, err);
}

/* True when the schema was altered since the capture of `now` began for `point`. */
static bo_status is_altered(
    sq_conn *conn, const bo_table *now, const char *point, bool *out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = sq_ask(conn,
        "SELECT 1 FROM main." SQ_REGISTRY
        " WHERE point = $1 AND local = $2 COLLATE NOCASE AND schema <> " SCHEMA_STATE,
        point, &statement, err);
    if (st == BO_OK)
        st = sq_bind_text(conn, statement, 2, now->local, err);
    return st == BO_OK ? sq_step(conn, statement, out, err) : st;
}

/* Only rows that come or change meet an index or a trigger that would hide something. */
static bo_status is_written(sq_conn *conn, const sq_journal *journal, bool *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    int64_t found = 0;
    bo_buf_printf(
        &sql, "SELECT EXISTS (SELECT 1 FROM main.%s WHERE op IN ('I', 'U'))", journal->name);
    bo_status st = sq_number(conn, &sql, &found, err);
    *out = found != 0;
    return st;
}

bo_status sq_capture_doubt(
    bo_conn *conn, const bo_table *now, const char *point, bo_buf *doubt, bo_error *err)
{
    sq_journal journal = {0};
    bool altered = false, written = false;
    bo_status st = sq_journal_find(sq_of(conn), now, point, &journal, err);
    if (st == BO_OK && journal.number > 0)
        st = is_altered(sq_of(conn), now, point, &altered, err);
    if (st == BO_OK && altered)
        st = is_written(sq_of(conn), &journal, &written, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot check the journal of %s", now->name);
    if (written)
        bo_buf_add_str(doubt, "the schema was altered meanwhile, and an index or a trigger that is "
                              "gone may have hidden writes");
    return bo_buf_check(doubt, err);
}
