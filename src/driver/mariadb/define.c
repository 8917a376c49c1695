/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/define.c - making a dropped table or column again.
 *
 * Every one of these statements commits what is open before it (no BO_CAP_TRANSACTIONAL_DDL).
 */
#include <string.h>

#include "base/error.h"
#include "driver/mariadb/stage.h"

static bo_status exists(
    my_conn *conn, const char *sql, const char *a, const char *b, bool *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) question = {0};
    uint64_t count = 0;
    bo_buf_add_str(&question, sql);
    my_quote_literal(&question, a);
    bo_buf_add_str(&question, " AND TABLE_NAME = ");
    my_quote_literal(&question, b);
    bo_status st = my_ask_count(conn, &question, &count, err);
    if (st == BO_OK)
        *out = count > 0;
    return st;
}

/* A foreign key, unless its table has it still or is not there. */
static bo_status add_reference(my_conn *conn, const bo_foreign_key *key, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    const char *schema = NULL, *local = NULL;
    bool child = false, there = false;
    if (!arena)
        return bo_nomem(err);
    bo_status st = my_parse_name(conn, key->child, arena, &schema, &local, err);
    if (st == BO_OK)
        st = exists(conn,
            "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = ", schema, local,
            &child, err);
    if (st != BO_OK || !child)
        return st;
    BO_OWN_VALUE(bo_buf) question = {0};
    bo_buf_add_str(&question, "SELECT COUNT(*) FROM information_schema.TABLE_CONSTRAINTS"
                              " WHERE CONSTRAINT_NAME = ");
    my_quote_literal(&question, key->name);
    bo_buf_add_str(&question, " AND TABLE_SCHEMA = ");
    st = bo_buf_check(&question, err);
    if (st == BO_OK)
        st = exists(conn, bo_buf_str(&question), schema, local, &there, err);
    if (st != BO_OK || there)
        return st;
    return my_run_text(conn, key->definition, strlen(key->definition), NULL, err);
}

/* ---- a table without rows ---- */

static bo_status check_name_free(my_conn *conn, const bo_table *table, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    const char *schema = NULL, *local = NULL;
    bool there = false;
    if (!arena)
        return bo_nomem(err);
    bo_status st = my_parse_name(conn, table->name, arena, &schema, &local, err);
    if (st == BO_OK)
        st = exists(conn,
            "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = ", schema, local,
            &there, err);
    return st == BO_OK && there ? bo_fail(err, BO_EXISTS, "there is a '%s' already", table->name)
                                : st;
}

static bo_status drop(my_conn *conn, const bo_table *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "DROP TABLE ");
    bo_status st = my_quote_name(conn, table->name, &sql, err);
    return st == BO_OK ? my_run_buf(conn, &sql, NULL, err) : st;
}

/* With its foreign keys, for which no load looks, and whose tables may not be there yet. */
static bo_status make(my_conn *conn, const bo_table *table, bo_error *err)
{
    bo_status st = my_references(conn, false, err);
    if (st == BO_OK)
        st = my_run_text(conn, table->definition, strlen(table->definition), NULL, err);
    if (st != BO_OK)
        return st;
    for (uint16_t i = 0; i < table->foreign_key_count && st == BO_OK; i++)
        st = add_reference(conn, &table->foreign_keys[i], err);
    if (st != BO_OK)
        (void)drop(conn, table, NULL);
    return st;
}

static bo_status name_right(my_conn *conn, bo_status st, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) schema = {0};
    if (st != BO_DENIED || !conn->my)
        return st;
    my_quote(&schema, conn->schema);
    return bo_detail(err, st, "needed: GRANT CREATE, ALTER, DROP, REFERENCES ON %s.* TO '%s'",
        bo_buf_str(&schema), conn->my->user ? conn->my->user : "");
}

bo_status my_create(bo_conn *base, const bo_table *table, bo_error *err)
{
    my_conn *conn = my_of(base);
    bo_status st = check_name_free(conn, table, err);
    if (st != BO_OK)
        return st;
    st = name_right(conn, make(conn, table, err), err);
    bo_status back = my_references(conn, true, st == BO_OK ? err : NULL);
    if (st == BO_OK)
        st = back;
    my_forget_links(conn);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot make the table %s", table->name);
}

static bo_status drop_empty(my_conn *conn, const bo_table *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) name = {0};
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_error refused = {0};
    uint64_t rows = 0;
    bo_status st = my_quote_name(conn, table->name, &name, err);
    if (st != BO_OK)
        return st;
    st = my_run(conn, NULL, &refused, "LOCK TABLES %s WRITE", bo_buf_str(&name));
    if (st != BO_OK && st != BO_DENIED) { /* without the right to nobody is kept away */
        if (err)
            *err = refused;
        return st;
    }
    bo_buf_printf(&sql, "SELECT COUNT(*) FROM %s", bo_buf_str(&name));
    st = my_ask_count(conn, &sql, &rows, err);
    if (st == BO_OK && rows)
        st = bo_fail(err, BO_CONFLICT, "others have written to it");
    if (st == BO_OK)
        st = my_references(conn, false, err);
    return st == BO_OK ? drop(conn, table, err) : st;
}

bo_status my_drop_made(bo_conn *base, const bo_table *table, bo_error *err)
{
    my_conn *conn = my_of(base);
    bo_status st = drop_empty(conn, table, err);
    bo_status back = my_run(conn, NULL, st == BO_OK ? err : NULL, "UNLOCK TABLES");
    if (back == BO_OK)
        back = my_references(conn, true, st == BO_OK ? err : NULL);
    my_forget_links(conn);
    return st == BO_OK ? back : st;
}

/* ---- what comes after the rows ---- */

/* Its foreign keys come first (my_describe_after()).  Rows that referred to nothing did so before:
 * the keys are made without a look at them. */
static bo_status add_all(my_conn *conn, const bo_table *table, bo_error *err)
{
    my_forget_links(conn);
    bo_status st = my_references(conn, false, err);
    for (uint16_t i = 0; i < table->foreign_key_count && st == BO_OK; i++)
        st = add_reference(conn, &table->foreign_keys[i], err);
    for (uint16_t i = table->foreign_key_count; i < table->definition_count && st == BO_OK; i++)
        st = my_run_text(conn, table->after[i], strlen(table->after[i]), NULL, err);
    for (uint16_t i = 0; i < table->referenced_count && st == BO_OK; i++)
        st = add_reference(conn, &table->referenced_by[i], err);
    return st;
}

bo_status my_create_after(bo_conn *base, const bo_table *table, bo_error *err)
{
    my_conn *conn = my_of(base);
    bo_status st = add_all(conn, table, err);
    bo_status back = my_pin_settings(conn, st == BO_OK ? err : NULL);
    if (st == BO_OK)
        st = back;
    return st == BO_OK
               ? st
               : bo_wrap(err, st, "cannot make keys and triggers of the table %s", table->name);
}

/* ---- columns ---- */

static void add_expression(bo_buf *sql, const bo_column *column)
{
    if (column->generated != BO_GENERATED_NO)
        bo_buf_printf(sql, " GENERATED ALWAYS AS (%s) %s", column->default_expr,
            column->generated == BO_GENERATED_STORED ? "STORED" : "VIRTUAL");
    else if (column->identity)
        bo_buf_add_str(sql, " AUTO_INCREMENT");
    else if (column->default_expr)
        bo_buf_printf(sql, " DEFAULT %s", column->default_expr);
}

static bo_status alter(my_conn *conn, const bo_table *now, const char *what,
    const bo_column *column, bool whole, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    const bool generated = column->generated != BO_GENERATED_NO;
    bo_buf_add_str(&sql, "ALTER TABLE ");
    my_quote_table(&sql, now);
    bo_buf_printf(&sql, " %s COLUMN ", what);
    my_quote(&sql, column->name);
    my_add_type(&sql, column);
    if (!generated)
        bo_buf_add_str(&sql, whole && column->not_null ? " NOT NULL" : " NULL");
    if (whole || generated)
        add_expression(&sql, column);
    return my_run_buf(conn, &sql, NULL, err);
}

bo_status my_add_column(bo_conn *base, const bo_table *now, const bo_column *column, bo_error *err)
{
    bo_status st = alter(my_of(base), now, "ADD", column, false, err);
    return st == BO_OK ? st : bo_wrap(err, st, "cannot add the column '%s'", column->name);
}

bo_status my_add_column_after(
    bo_conn *base, const bo_table *now, const bo_column *column, bo_error *err)
{
    if (column->generated != BO_GENERATED_NO)
        return BO_OK; /* it is whole */
    bo_status st = alter(my_of(base), now, "MODIFY", column, true, err);
    return st == BO_OK ? st : bo_wrap(err, st, "cannot finish the column '%s'", column->name);
}
