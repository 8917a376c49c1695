/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/aside.c - a table that is made out of sight, in the schema backout, and takes
 * its own name and place in the transaction that wants it.  What it holds until then can be written
 * and read by several connections.
 */
#include <string.h>

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

/* The table owned it: what completes the table says so. */
static bool was_owned(const bo_table *was, const bo_sequence *sequence)
{
    static const char head[] = "ALTER SEQUENCE ", tail[] = " OWNED BY ";
    const size_t size = strlen(sequence->name);
    for (uint16_t i = 0; i < was->definition_count; i++) {
        const char *text = was->after[i];
        if (strncmp(text, head, sizeof head - 1) == 0 &&
            strncmp(text + sizeof head - 1, sequence->name, size) == 0 &&
            strncmp(text + sizeof head - 1 + size, tail, sizeof tail - 1) == 0)
            return true;
    }
    return false;
}

/* Which sequences come with the table: its own ones, but for those that are there, which others may
 * use.  One that is nobody's and gone would be seen before its table. */
static bo_status find_coming(
    pg_conn *conn, const bo_table *was, bo_arena *arena, bool **coming_out, bo_error *err)
{
    bool *coming = bo_arena_array(arena, was->sequence_count + 1u, sizeof *coming);
    if (!coming)
        return bo_nomem(err);
    for (uint16_t i = 0; i < was->sequence_count; i++) {
        const bo_sequence *sequence = &was->sequences[i];
        const int column = bo_table_column(was, sequence->column);
        if (column < 0 || was->columns[column].identity) /* an identity's is owned already */
            continue;
        BO_OWN(PGresult) *found = NULL;
        bo_status st = pg_ask(
            conn, "SELECT pg_catalog.to_regclass($1) IS NOT NULL", 1, &sequence->name, &found, err);
        if (st != BO_OK)
            return st;
        coming[i] = PQgetvalue(found, 0, 0)[0] == 'f';
        if (coming[i] && !was_owned(was, sequence))
            return bo_fail(err, BO_UNSUPPORTED, "sequence %s is gone", sequence->name);
    }
    *coming_out = coming;
    return BO_OK;
}

/* A sequence moves with the table that owns it. */
static bo_status own_sequences(
    pg_conn *conn, const bo_table *was, const bo_table *now, const bool *coming, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) table = {0};
    pg_quote_table(&table, now);
    bo_status st = bo_buf_check(&table, err);
    for (uint16_t i = 0; st == BO_OK && i < was->sequence_count; i++) {
        const bo_sequence *sequence = &was->sequences[i];
        if (!coming[i])
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

/* "a"."b" */
static void add_qualified(bo_buf *out, const char *schema, const char *name)
{
    pg_quote(out, schema);
    bo_buf_add_byte(out, '.');
    pg_quote(out, name);
}

/* Whichever way it goes, it is outside of our schema under the name that is nobody's. */
static bo_status move(pg_conn *conn, const bo_table *table, const char *schema, const char *name,
    bool back, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) from = {0};
    BO_OWN_VALUE(bo_buf) between = {0};
    BO_OWN_VALUE(bo_buf) to_schema = {0};
    BO_OWN_VALUE(bo_buf) to_name = {0};
    pg_quote_table(&from, table);
    add_qualified(&between, back ? schema : table->schema, back ? table->local : name);
    pg_quote(&to_schema, schema);
    pg_quote(&to_name, name);
    if (from.failed || between.failed || to_schema.failed || to_name.failed)
        return bo_nomem(err);
    bo_status st = pg_run(conn, NULL, err,
        back ? "ALTER TABLE %s SET SCHEMA %s" : "ALTER TABLE %s RENAME TO %s", bo_buf_str(&from),
        bo_buf_str(back ? &to_schema : &to_name));
    if (st != BO_OK)
        return st;
    return pg_run(conn, NULL, err,
        back ? "ALTER TABLE %s RENAME TO %s" : "ALTER TABLE %s SET SCHEMA %s", bo_buf_str(&between),
        bo_buf_str(back ? &to_name : &to_schema));
}

static bo_status make_aside(
    bo_conn *base, const bo_table *was, const char *name, bo_arena *arena, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    const bo_table *now = NULL;
    bool *coming = NULL;
    bo_status st = pg_refuse_published(conn, err);
    if (st == BO_OK)
        st = find_coming(conn, was, arena, &coming, err);
    if (st == BO_OK)
        st = pg_make_own(conn, "", err);
    if (st == BO_OK)
        st = pg_create(base, was, err);
    if (st == BO_OK)
        st = pg_describe(base, was->name, arena, &now, err);
    if (st == BO_OK)
        st = check_plain(conn, now, err);
    if (st == BO_OK)
        st = own_sequences(conn, was, now, coming, err);
    return st == BO_OK ? move(conn, now, SCHEMA, name, false, err) : st;
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
    return move(pg_of(base), aside, was->schema, was->local, true, err);
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
