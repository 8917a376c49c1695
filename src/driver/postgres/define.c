/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/define.c - SQL that makes a table, or a column of it, again. */
#include <string.h>

#include "base/text.h"
#include "driver/postgres/describe.h"

static bo_status describe_after(pg_description *about, bo_error *err)
{
    const PGresult *found = about->answers.of[PG_PART_DEFINE_AFTER];
    const int count = PQntuples(found);
    if (count > UINT16_MAX)
        return bo_fail(err, BO_UNSUPPORTED, "its definition has %d statements", count);
    const char **after = pg_room(about, count, sizeof *after);
    if (about->failed)
        return bo_nomem(err);
    for (int i = 0; i < count; i++)
        after[i] = pg_cell(about, found, i, 0);
    about->table->after = after;
    about->table->definition_count = (uint16_t)count;
    return BO_OK;
}

bo_status pg_describe_definition(pg_description *about, bo_error *err)
{
    const PGresult *found = about->answers.of[PG_PART_DEFINE];
    BO_OWN_VALUE(bo_buf) sql = {0};
    for (int i = 0; i < PQntuples(found); i++)
        bo_buf_printf(&sql, "%s;\n", PQgetvalue(found, i, 0));
    bo_status st = bo_buf_check(&sql, err);
    if (st != BO_OK)
        return st;
    about->table->definition = bo_arena_str(about->arena, bo_buf_str(&sql));
    if (!about->table->definition)
        return bo_nomem(err);
    return describe_after(about, err);
}

bo_status pg_create(bo_conn *conn, const bo_table *table, bo_error *err)
{
    if (!table->definition)
        return bo_fail(
            err, BO_UNSUPPORTED, "the definition of table '%s' was not recorded", table->name);
    bo_status st = pg_exec(conn, table->definition, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot make table '%s' again", table->name);
    return BO_OK;
}

/* Values are computed and checked by users' functions, in what a definition makes. */
static bo_status ask_for_users(bo_conn *conn, const char *sql, PGresult **out, bo_error *err)
{
    pg_statement statement = {pg_of(conn), sql, out};
    return pg_write_as_users(pg_of(conn), pg_ask_statement, &statement, err);
}

static bo_status exec_for_users(bo_conn *conn, const char *sql, bo_error *err)
{
    BO_OWN(PGresult) *nothing = NULL;
    return ask_for_users(conn, sql, &nothing, err);
}

/* One statement; what it returns, if anything, are statements to run (as psql's \gexec does). */
static bo_status run_after(bo_conn *conn, const char *sql, bo_error *err)
{
    BO_OWN(PGresult) *more = NULL;
    bo_status st = ask_for_users(conn, sql, &more, err);
    for (int i = 0; st == BO_OK && i < PQntuples(more); i++)
        st = exec_for_users(conn, PQgetvalue(more, i, 0), err);
    return st;
}

static bo_status complete(bo_conn *conn, const bo_table *table,
    bo_status (*run)(bo_conn *conn, const char *sql, bo_error *err), bo_error *err)
{
    for (uint16_t i = 0; i < table->definition_count; i++) {
        bo_status st = run(conn, table->after[i], err);
        if (st != BO_OK) {
            st = bo_detail(err, st, "in: %s", table->after[i]);
            return bo_wrap(err, st, "cannot complete table '%s'", table->name);
        }
    }
    return BO_OK;
}

bo_status pg_create_after(bo_conn *conn, const bo_table *table, bo_error *err)
{
    return complete(conn, table, run_after, err);
}

/* A foreign key of another table finds rows there that refer to nothing yet. */
static bo_status try_one(bo_conn *conn, const char *sql, bo_error *err)
{
    bo_error refused = {0};
    bo_status st = pg_run(pg_of(conn), NULL, err, "SAVEPOINT backout_try");
    if (st != BO_OK)
        return st;
    st = run_after(conn, sql, &refused);
    if (st == BO_OK)
        return pg_run(pg_of(conn), NULL, err, "RELEASE SAVEPOINT backout_try");
    if (strcmp(refused.sqlstate, "23503") == 0)
        return pg_run(pg_of(conn), NULL, err,
            "ROLLBACK TO SAVEPOINT backout_try; RELEASE SAVEPOINT backout_try");
    if (err)
        *err = refused;
    return st;
}

bo_status pg_try_after(bo_conn *conn, const bo_table *table, bo_error *err)
{
    return complete(conn, table, try_one, err);
}

/* ---- one column ---- */

static void alter(bo_buf *sql, const bo_table *now, const char *action, const bo_column *column)
{
    bo_buf_add_str(sql, "ALTER TABLE ");
    pg_quote_table(sql, now);
    bo_buf_printf(sql, " %s COLUMN ", action);
    pg_quote(sql, column->name);
}

bo_status pg_add_column(bo_conn *conn, const bo_table *now, const bo_column *column, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    alter(&sql, now, "ADD", column);
    bo_buf_printf(&sql, " %s", column->type);
    if (column->collation)
        bo_buf_printf(&sql, " COLLATE %s", column->collation);
    if (column->generated != BO_GENERATED_NO)
        bo_buf_printf(&sql, " GENERATED ALWAYS AS (%s)%s", column->default_expr,
            column->generated == BO_GENERATED_STORED ? " STORED" : "");
    bo_status st = bo_buf_check(&sql, err);
    if (st == BO_OK)
        st = exec_for_users(conn, bo_buf_str(&sql), err);
    if (st != BO_OK)
        return bo_wrap(
            err, st, "cannot put column '%s' of table '%s' back", column->name, now->name);
    return BO_OK;
}

/*
 * Appends what stands in nextval('...'::regclass): the name of a sequence, as SQL inside a literal.
 * False: `expression` is not of that form.
 */
static bool sequence_of_default(bo_buf *name, const char *expression)
{
    static const char head[] = "nextval('";
    static const char tail[] = "'::regclass)";
    const size_t size = strlen(expression);
    if (size < sizeof head + sizeof tail || !bo_text_starts(expression, head) ||
        strcmp(expression + size - (sizeof tail - 1), tail) != 0)
        return false;

    const char *end = expression + size - (sizeof tail - 1);
    for (const char *at = expression + sizeof head - 1; at < end; at++) {
        bo_buf_add(name, at, 1);
        if (at[0] == '\'' && at[1] == '\'')
            at++;
    }
    bo_buf_add_str(name, ""); /* ends it */
    return true;
}

/* The sequence of a serial column goes with the column: makes it again. */
static bo_status add_lost_sequence(
    bo_conn *conn, const bo_table *now, const bo_column *column, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) name = {0};
    if (!sequence_of_default(&name, column->default_expr))
        return BO_OK;
    bo_status st = bo_buf_check(&name, err);
    if (st != BO_OK)
        return st;

    BO_OWN(PGresult) *there = NULL;
    const char *const params[] = {bo_buf_str(&name)};
    st = pg_ask(pg_of(conn), "SELECT 1 WHERE pg_catalog.to_regclass($1::text) IS NOT NULL", 1,
        params, &there, err);
    if (st != BO_OK || PQntuples(there) == 1)
        return st;

    const bool small = strcmp(column->type, "smallint") == 0;
    const bool whole = small || strcmp(column->type, "integer") == 0;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "CREATE SEQUENCE %s AS %s OWNED BY ", bo_buf_str(&name),
        whole ? column->type : "bigint");
    pg_quote_table(&sql, now);
    bo_buf_add_str(&sql, ".");
    pg_quote(&sql, column->name);
    st = bo_buf_check(&sql, err);
    return st == BO_OK ? pg_exec(conn, bo_buf_str(&sql), err) : st;
}

static void add_settings(bo_buf *sql, const bo_table *now, const bo_column *column)
{
    if (column->default_expr && column->generated == BO_GENERATED_NO) {
        alter(sql, now, "ALTER", column);
        bo_buf_printf(sql, " SET DEFAULT %s;\n", column->default_expr);
    }
    if (column->not_null) {
        alter(sql, now, "ALTER", column);
        bo_buf_add_str(sql, " SET NOT NULL;\n");
    }
    if (column->identity) {
        alter(sql, now, "ALTER", column);
        bo_buf_printf(sql, " ADD GENERATED %s AS IDENTITY;\n",
            column->identity == 'a' ? "ALWAYS" : "BY DEFAULT");
    }
}

bo_status pg_add_column_after(
    bo_conn *conn, const bo_table *now, const bo_column *column, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    add_settings(&sql, now, column);
    bo_status st = bo_buf_check(&sql, err);
    if (st == BO_OK && column->default_expr)
        st = add_lost_sequence(conn, now, column, err);
    if (st == BO_OK && sql.size > 0)
        st = pg_exec(conn, bo_buf_str(&sql), err);
    if (st != BO_OK)
        return bo_wrap(
            err, st, "cannot complete column '%s' of table '%s'", column->name, now->name);
    return BO_OK;
}
