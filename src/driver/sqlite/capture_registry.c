/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/capture_registry.c - what the registry says is captured. */
#include "driver/sqlite/capture.h"

bo_status sq_registry_exists(sq_conn *conn, bool *out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = sq_ask(conn,
        "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = '" SQ_REGISTRY "'", NULL,
        &statement, err);
    return st == BO_OK ? sq_step(conn, statement, out, err) : st;
}

bo_status sq_journal_find(
    sq_conn *conn, const bo_table *now, const char *point, sq_journal *out, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool there = false, row = false;
    *out = (sq_journal){0};
    bo_status st = sq_registry_exists(conn, &there, err);
    if (st != BO_OK || !there)
        return st;
    st = sq_ask(conn,
        "SELECT journal FROM main." SQ_REGISTRY " WHERE point = $1 AND local = $2 COLLATE NOCASE",
        point, &statement, err);
    if (st == BO_OK)
        st = sq_bind_text(conn, statement, 2, now->local, err);
    if (st == BO_OK)
        st = sq_step(conn, statement, &row, err);
    if (st == BO_OK && row)
        sq_journal_name(out, sqlite3_column_int64(statement, 0));
    return st;
}
