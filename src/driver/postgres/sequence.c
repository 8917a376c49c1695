/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/sequence.c - where sequences stand, and where they must not stand. */
#include "driver/postgres/pg.h"
#include "driver/postgres/pg_sql.h"

bo_status pg_sequence_read(bo_conn *conn, bo_sequence *sequence, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "SELECT last_value, is_called FROM %s", sequence->name);
    bo_status st = bo_buf_check(&sql, err);
    if (st != BO_OK)
        return st;

    BO_OWN(PGresult) *found = NULL;
    st = pg_ask(pg_of(conn), bo_buf_str(&sql), 0, NULL, &found, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read sequence '%s'", sequence->name);
    sequence->last_value = strtoll(PQgetvalue(found, 0, 0), NULL, 10);
    sequence->is_called = PQgetvalue(found, 0, 1)[0] == 't';
    return BO_OK;
}

bo_status pg_sequence_set(bo_conn *conn, const bo_sequence *sequence, bo_error *err)
{
    char value[24];
    snprintf(value, sizeof value, "%lld", (long long)sequence->last_value);
    const char *const params[] = {sequence->name, value, sequence->is_called ? "t" : "f"};
    BO_OWN(PGresult) *set = NULL;
    bo_status st = pg_ask(pg_of(conn),
        "SELECT pg_catalog.setval($1::pg_catalog.regclass, $2::bigint, $3::boolean)", 3, params,
        &set, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot set sequence '%s'", sequence->name);
    return BO_OK;
}

static bo_status is_numeric(pg_conn *conn, const bo_column *column, bool *out, bo_error *err)
{
    char oid[16];
    snprintf(oid, sizeof oid, "%u", (unsigned)column->type_oid);
    const char *const params[] = {oid};
    BO_OWN(PGresult) *found = NULL;
    bo_status st =
        pg_ask(conn, "SELECT 1 FROM pg_catalog.pg_type WHERE oid = $1::oid AND typcategory = 'N'",
            1, params, &found, err);
    if (st == BO_OK)
        *out = PQntuples(found) == 1;
    return st;
}

/* max() and min() of a plain column are answered from its index. */
bo_status pg_sequence_used(bo_conn *conn, const bo_table *now, const bo_sequence *sequence,
    int64_t *extreme_out, bool *any_out, bo_error *err)
{
    const int column = bo_table_column(now, sequence->column);
    bool numeric = false;
    if (column >= 0) {
        bo_status st = is_numeric(pg_of(conn), &now->columns[column], &numeric, err);
        if (st != BO_OK)
            return st;
    }
    if (!numeric) { /* the sequence is part of some other value: nothing to collide with */
        *any_out = false;
        return BO_OK;
    }

    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, sequence->increment < 0 ? "SELECT min(" : "SELECT max(");
    pg_quote(&sql, sequence->column);
    bo_buf_add_str(&sql, ") FROM ");
    pg_quote_table(&sql, now);
    bo_status st = bo_buf_check(&sql, err);
    if (st != BO_OK)
        return st;

    BO_OWN(PGresult) *found = NULL;
    st = pg_ask(pg_of(conn), bo_buf_str(&sql), 0, NULL, &found, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot see how far sequence '%s' is used", sequence->name);
    *any_out = !PQgetisnull(found, 0, 0);
    if (*any_out)
        *extreme_out = strtoll(PQgetvalue(found, 0, 0), NULL, 10);
    return BO_OK;
}
