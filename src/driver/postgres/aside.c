/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/aside.c - a table that is made out of sight, in the schema backout, and takes
 * its own name and place in the transaction that wants it.  What it holds until then can be written
 * and read by several connections.
 */
#include "driver/postgres/pg.h"

#define SCHEMA "backout"

/* Only a plain table moves as a whole: not a partition, and nobody's parent or child. */
static bo_status check_plain(pg_conn *conn, const bo_table *table, bo_error *err)
{
    BO_OWN(PGresult) *found = NULL;
    bo_status st = pg_ask(conn,
        "SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = $1::pg_catalog.oid"
        " AND c.relkind = 'r' AND NOT c.relispartition AND NOT EXISTS"
        " (SELECT 1 FROM pg_catalog.pg_inherits i WHERE c.oid IN (i.inhrelid, i.inhparent))",
        1, &table->id, &found, err);
    if (st == BO_OK && PQntuples(found) == 0)
        return bo_fail(err, BO_UNSUPPORTED, "table '%s' is part of others", table->name);
    return st;
}

/* A sequence moves with the table that owns it; an identity's is owned already. */
static bo_status own_sequences(
    pg_conn *conn, const bo_table *was, const bo_table *now, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) table = {0};
    pg_quote_table(&table, now);
    bo_status st = bo_buf_check(&table, err);
    for (uint16_t i = 0; st == BO_OK && i < was->sequence_count; i++) {
        const bo_sequence *sequence = &was->sequences[i];
        int column = bo_table_column(was, sequence->column);
        if (column < 0 || was->columns[column].identity)
            continue;
        BO_OWN_VALUE(bo_buf) quoted = {0};
        pg_quote(&quoted, sequence->column);
        st = bo_buf_check(&quoted, err);
        if (st == BO_OK)
            st = pg_run(conn, NULL, err, "ALTER SEQUENCE %s OWNED BY %s.%s", sequence->name,
                bo_buf_str(&table), bo_buf_str(&quoted));
    }
    return st;
}

static bo_status move(
    pg_conn *conn, const bo_table *table, const char *schema, const char *name, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) from = {0};
    BO_OWN_VALUE(bo_buf) there = {0};
    BO_OWN_VALUE(bo_buf) to_schema = {0};
    BO_OWN_VALUE(bo_buf) to_name = {0};
    pg_quote_table(&from, table);
    pg_quote(&to_schema, schema);
    pg_quote(&to_name, name);
    pg_quote(&there, table->schema);
    bo_buf_printf(&there, ".%s", bo_buf_str(&to_name));
    bo_status st = bo_buf_check(&from, err);
    if (st == BO_OK)
        st = bo_buf_check(&there, err);
    if (st == BO_OK)
        st = pg_run(conn, NULL, err, "ALTER TABLE %s RENAME TO %s", bo_buf_str(&from),
            bo_buf_str(&to_name));
    if (st == BO_OK)
        st = pg_run(conn, NULL, err, "ALTER TABLE %s SET SCHEMA %s", bo_buf_str(&there),
            bo_buf_str(&to_schema));
    return st;
}

static bo_status make_aside(
    bo_conn *base, const bo_table *was, const char *name, bo_arena *arena, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    const bo_table *now = NULL;
    bo_status st = pg_refuse_published(conn, err);
    if (st == BO_OK)
        st = pg_make_own(conn, "", err);
    if (st == BO_OK)
        st = pg_create(base, was, err);
    if (st == BO_OK)
        st = pg_describe(base, was->name, arena, &now, err);
    if (st == BO_OK)
        st = check_plain(conn, now, err);
    if (st == BO_OK)
        st = own_sequences(conn, was, now, err);
    return st == BO_OK ? move(conn, now, SCHEMA, name, err) : st;
}

bo_status pg_put_aside(bo_conn *base, const bo_table *was, const char *name, bo_arena *arena,
    const bo_table **out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) there = {0};
    bo_buf_add_str(&there, SCHEMA ".");
    pg_quote(&there, name);
    bo_status st = bo_buf_check(&there, err);
    if (st == BO_OK)
        st = pg_begin(base, BO_TX_PLAIN, err);
    if (st != BO_OK)
        return st;
    st = make_aside(base, was, name, arena, err);
    if (st == BO_OK)
        st = pg_describe(base, bo_buf_str(&there), arena, out, err);
    if (st == BO_OK)
        st = pg_commit(base, err);
    else
        pg_rollback(base);
    return st;
}

bo_status pg_bring_back(bo_conn *base, const bo_table *aside, const bo_table *was, bo_error *err)
{
    return move(pg_of(base), aside, was->schema, was->local, err);
}

bo_status pg_drop_aside(bo_conn *base, const char *prefix, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    BO_OWN(PGresult) *found = NULL;
    bo_status st = pg_ask(conn,
        "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '" SCHEMA
        "' AND c.relkind = 'r' AND pg_catalog.starts_with(c.relname::text, $1)",
        1, &prefix, &found, err);
    for (int i = 0; st == BO_OK && i < PQntuples(found); i++)
        st = pg_run(conn, NULL, err, "DROP TABLE IF EXISTS %s", PQgetvalue(found, i, 0));
    if (st == BO_OK && PQntuples(found) > 0) {
        bo_error ignored = {
            0}; /* the schema goes when nothing else is in it, and is ours to drop */
        (void)pg_run(conn, NULL, &ignored, "DROP SCHEMA IF EXISTS " SCHEMA " RESTRICT");
    }
    return st;
}
