/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/sequence.c - AUTOINCREMENT counters, which are rows of sqlite_sequence. */
#include "driver/sqlite/sqlite.h"

bo_status sq_sequence_read(bo_conn *conn, bo_sequence *sequence, bo_error *err)
{
    sq_conn *self = sq_of(conn);
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_status st = sq_ask(self, "SELECT max(seq) FROM main.sqlite_sequence WHERE name = $1",
        sequence->name, &statement, err);
    if (st == BO_OK)
        st = sq_step(self, statement, &row, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the counter of '%s'", sequence->name);
    sequence->is_called = row && sqlite3_column_type(statement, 0) != SQLITE_NULL;
    sequence->last_value = sequence->is_called ? sqlite3_column_int64(statement, 0) : 0;
    return BO_OK;
}

static bo_status change_counter(
    sq_conn *self, const char *sql, const bo_sequence *sequence, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_status st = sq_ask(self, sql, sequence->name, &statement, err);
    if (st == BO_OK && sqlite3_bind_parameter_count(statement) == 2 &&
        sqlite3_bind_int64(statement, 2, sequence->last_value) != SQLITE_OK)
        st = sq_error(self, err, "cannot bind a value");
    if (st == BO_OK)
        st = sq_step(self, statement, &row, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot set the counter of '%s'", sequence->name);
}

/* A counter that is there keeps its place in sqlite_sequence, which dumps show. */
bo_status sq_sequence_set(bo_conn *conn, const bo_sequence *sequence, bo_error *err)
{
    sq_conn *self = sq_of(conn);
    if (!sequence->is_called)
        return change_counter(
            self, "DELETE FROM main.sqlite_sequence WHERE name = $1", sequence, err);
    bo_status st = change_counter(
        self, "UPDATE main.sqlite_sequence SET seq = ?2 WHERE name = ?1", sequence, err);
    if (st != BO_OK || sqlite3_changes64(self->db) > 0)
        return st;
    return change_counter(
        self, "INSERT INTO main.sqlite_sequence (name, seq) VALUES (?1, ?2)", sequence, err);
}

bo_status sq_sequence_used(bo_conn *conn, const bo_table *now, const bo_sequence *sequence,
    int64_t *extreme_out, bool *any_out, bo_error *err)
{
    sq_conn *self = sq_of(conn);
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_buf_add_str(&sql, "SELECT max(");
    sq_quote(&sql, sequence->column);
    bo_buf_add_str(&sql, ") FROM ");
    sq_quote_table(&sql, now);
    bo_status st = sq_prepare_buf(self, &sql, &statement, err);
    if (st == BO_OK)
        st = sq_step(self, statement, &row, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read the furthest value of '%s'", sequence->column);
    *any_out = row && sqlite3_column_type(statement, 0) == SQLITE_INTEGER;
    *extreme_out = *any_out ? sqlite3_column_int64(statement, 0) : 0;
    return BO_OK;
}
