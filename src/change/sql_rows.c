/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/sql_rows.c - one row, one statement, one guard.
 *
 * A row is found by its key and by all of its bytes: in PostgreSQL with the record-image operator
 * (*=), in SQLite by storage class and by BINARY comparison, in MariaDB as sql_mariadb.c says.  A
 * guard inserts the number of rows that were touched into a temporary table that takes nothing
 * but 1.
 */
#include "change/sql_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "change/sql_mariadb.h"

#define FIRST_USER_OID                                                         \
    16384u /* types below are PostgreSQL's own; "=" of others may be elsewhere \
            */

static bool is_sqlite(const bo_table *table)
{
    return table->encoding == BO_ENCODING_SQLITE;
}

static bool is_mariadb(const bo_table *table)
{
    return table->encoding == BO_ENCODING_MARIADB;
}

static const bo_column *column_of(const bo_table *table, uint16_t i)
{
    return &table->columns[table->image_columns[i]];
}

/* ---- PostgreSQL: finding the row ---- */

/* The same value may be stored in two forms; its text is one. */
static const char *as_compared(const bo_column *column)
{
    return bo_column_is_array(column) || strcmp(column->type, "tsquery") == 0 ? "::text" : "";
}

/* As records: SQL would compare two ROW()s column by column. */
static void add_record(bo_buf *out, const bo_driver *driver, const bo_table *table,
    const char *alias, const bo_text_value *texts)
{
    bo_buf_add_str(out, "ROW(");
    for (uint16_t i = 0; i < table->image_count; i++) {
        bo_buf_add_str(out, i ? ", " : "");
        bo_sql_column(out, driver, table, alias, i);
        bo_buf_add_str(out, as_compared(column_of(table, i)));
    }
    bo_buf_add_str(out, ")::record *= ROW(");
    for (uint16_t i = 0; i < table->image_count; i++) {
        bo_buf_add_str(out, i ? ", " : "");
        bo_buf_add(out, texts[i].data, texts[i].size);
        if (texts[i].data[0] == 'N') /* NULL: without a type it would be text */
            bo_buf_printf(out, "::%s", column_of(table, i)->type);
        bo_buf_add_str(out, as_compared(column_of(table, i)));
    }
    bo_buf_add_str(out, ")::record");
}

static void add_from(bo_buf *out, const bo_driver *driver, const bo_table *table)
{
    bo_buf_add_str(out, table->kind == 'p' ? "" : "ONLY ");
    bo_sql_name(out, driver, table);
}

static bool is_key_position(const bo_table *table, uint16_t i)
{
    for (uint16_t k = 0; table->row_key && k < table->row_key->count; k++)
        if (table->row_key->columns[k] == table->image_columns[i])
            return true;
    return false;
}

static void add_pg_match(bo_buf *out, const bo_driver *driver, const bo_sql_change *change)
{
    const bo_table *table = change->table;
    const bo_text_value *texts = change->expected_texts;
    if (!table->row_key) {
        bo_buf_add_str(out, "(t.tableoid, t.ctid) = (SELECT s.tableoid, s.ctid FROM ");
        add_from(out, driver, table);
        bo_buf_add_str(out, " AS s WHERE ");
        add_record(out, driver, table, "s", texts);
        bo_buf_add_str(out, " LIMIT 1)");
        return;
    }
    for (uint16_t i = 0; i < table->image_count; i++) {
        if (!is_key_position(table, i) || column_of(table, i)->type_oid >= FIRST_USER_OID)
            continue;
        bo_sql_column(out, driver, table, "t", i);
        bo_buf_add_str(out, " = ");
        bo_buf_add(out, texts[i].data, texts[i].size);
        bo_buf_add_str(out, " AND ");
    }
    add_record(out, driver, table, "t", texts);
}

/* ---- SQLite: finding the row ---- */

static const char *class_of(bo_value value)
{
    static const char *const names[] = {[BO_SQLITE_INTEGER] = "integer",
        [BO_SQLITE_REAL] = "real",
        [BO_SQLITE_TEXT] = "text",
        [BO_SQLITE_BLOB] = "blob"};
    uint8_t kind = value.size > 0 ? value.data[0] : 0;
    return kind >= BO_SQLITE_INTEGER && kind <= BO_SQLITE_BLOB ? names[kind] : "null";
}

/* SQLite takes no expression more than 1,000 deep (https://www.sqlite.org/limits.html), and each
 * AND is a step down: conditions of wide tables are grouped. */
enum { GROUP = 100 };

static void add_sqlite_columns(bo_buf *out, const bo_driver *driver, const bo_sql_change *change)
{
    const bo_table *table = change->table;
    const bool wide = table->image_count > GROUP;
    for (uint16_t i = 0; i < table->image_count; i++) {
        bo_buf_add_str(out, wide && i > 0 && i % GROUP == 0 ? ")" : "");
        bo_buf_add_str(out, i ? " AND " : "");
        bo_buf_add_str(out, wide && i % GROUP == 0 ? "(" : "");
        if (is_key_position(table, i)) { /* with the column's own collation: an index helps */
            bo_sql_column(out, driver, table, NULL, i);
            bo_buf_add_str(out, " IS ");
            bo_buf_add(out, change->expected_texts[i].data, change->expected_texts[i].size);
            bo_buf_add_str(out, " AND ");
        }
        bo_buf_add_str(out, "typeof(");
        bo_sql_column(out, driver, table, NULL, i);
        bo_buf_printf(out, ") = '%s' AND ", class_of(bo_image_value(change->expected, i)));
        bo_sql_column(out, driver, table, NULL, i);
        bo_buf_add_str(out, " COLLATE BINARY IS ");
        bo_buf_add(out, change->expected_texts[i].data, change->expected_texts[i].size);
    }
    bo_buf_add_str(out, wide ? ")" : "");
}

static const char *free_rowid(const bo_table *table)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        bool taken = false;
        for (uint16_t i = 0; i < table->column_count && !taken; i++)
            taken = bo_text_same(table->columns[i].name, names[n]);
        if (!taken)
            return names[n];
    }
    return NULL;
}

static bo_status add_sqlite_match(
    bo_buf *out, const bo_driver *driver, const bo_sql_change *change, bo_error *err)
{
    if (change->table->row_key) {
        add_sqlite_columns(out, driver, change);
        return BO_OK;
    }
    const char *rowid = free_rowid(change->table);
    if (!rowid)
        return bo_fail(err, BO_UNSUPPORTED,
            "one of equal rows of '%s' cannot be named: it has no key, and columns hide its row "
            "number",
            change->table->name);
    bo_buf_printf(out, "%s = (SELECT %s FROM ", rowid, rowid);
    bo_sql_name(out, driver, change->table);
    bo_buf_add_str(out, " WHERE ");
    add_sqlite_columns(out, driver, change);
    bo_buf_add_str(out, " LIMIT 1)");
    return BO_OK;
}

/* ---- statements ---- */

void bo_sql_insert(
    bo_buf *out, const bo_driver *driver, const bo_table *table, const bo_text_value *texts)
{
    bo_buf_add_str(out, is_sqlite(table) ? "INSERT OR ABORT INTO " : "INSERT INTO ");
    bo_sql_name(out, driver, table);
    if (table->image_count == 0) {
        bo_buf_add_str(out, is_mariadb(table) ? " () VALUES ()" : " DEFAULT VALUES");
        return;
    }
    bo_buf_add_str(out, " (");
    for (uint16_t i = 0; i < table->image_count; i++) {
        bo_buf_add_str(out, i ? ", " : "");
        bo_sql_column(out, driver, table, NULL, i);
    }
    const bool overrides = !is_sqlite(table) && !is_mariadb(table);
    bo_buf_add_str(out, overrides ? ") OVERRIDING SYSTEM VALUE VALUES (" : ") VALUES (");
    for (uint16_t i = 0; i < table->image_count; i++) {
        bo_buf_add_str(out, i ? ", " : "");
        bo_buf_add(out, texts[i].data, texts[i].size);
    }
    bo_buf_add_str(out, ")");
}

static void add_assignments(bo_buf *out, const bo_driver *driver, const bo_sql_change *change)
{
    bool more = false;
    for (uint16_t i = 0; i < change->table->image_count; i++) {
        if (bo_value_equal(bo_image_value(change->expected, i), bo_image_value(change->target, i)))
            continue;
        bo_buf_add_str(out, more ? ", " : "");
        bo_sql_column(out, driver, change->table, NULL, i);
        bo_buf_add_str(out, " = ");
        bo_buf_add(out, change->target_texts[i].data, change->target_texts[i].size);
        more = true;
    }
}

static bo_status add_statement(
    bo_buf *out, const bo_driver *driver, const bo_sql_change *change, bo_error *err)
{
    const bo_table *table = change->table;
    bool sqlite = is_sqlite(table), mariadb = is_mariadb(table);
    if (!change->expected.data) {
        bo_sql_insert(out, driver, table, change->target_texts);
        return BO_OK;
    }
    if (change->target.data)
        bo_buf_add_str(out, sqlite ? "UPDATE OR ABORT " : "UPDATE ");
    else
        bo_buf_add_str(out, "DELETE FROM ");
    if (sqlite || mariadb) {
        bo_sql_name(out, driver, table);
    } else {
        add_from(out, driver, table);
        bo_buf_add_str(out, " AS t");
    }
    if (change->target.data) {
        bo_buf_add_str(out, " SET ");
        add_assignments(out, driver, change);
    }
    bo_buf_add_str(out, " WHERE ");
    if (sqlite)
        return add_sqlite_match(out, driver, change, err);
    if (mariadb)
        bo_sql_mariadb_match(out, driver, table, change->expected_texts, true);
    else
        add_pg_match(out, driver, change);
    return BO_OK;
}

bo_status bo_sql_guarded(
    bo_buf *out, const bo_driver *driver, const bo_sql_change *change, bo_error *err)
{
    unsigned kind = bo_shown_kind(change->expected, change->target);
    bo_buf_printf(out, "\n-- change %" PRIu64 ": %s ", change->number,
        kind == BO_SHOWN_INSERT   ? "insert into"
        : kind == BO_SHOWN_UPDATE ? "update"
                                  : "delete from");
    bo_sql_comment(out, change->table->name);
    bool sqlite = is_sqlite(change->table), mariadb = is_mariadb(change->table);
    bo_buf_add_str(out, sqlite || mariadb ? "\n" : "\nWITH changed AS (");
    bo_status st = add_statement(out, driver, change, err);
    if (st != BO_OK)
        return st;
    if (sqlite)
        bo_buf_printf(out,
            ";\nINSERT INTO temp." BO_GUARD_ROWS " VALUES (changes(), %" PRIu64 ");\n",
            change->number);
    else if (mariadb)
        bo_sql_mariadb_guard(out, driver, change);
    else
        bo_buf_printf(out,
            " RETURNING 1)\nINSERT INTO pg_temp." BO_GUARD_ROWS " SELECT count(*), %" PRIu64
            " FROM changed;\n",
            change->number);
    return bo_buf_check(out, err);
}

void bo_sql_unreferenced(bo_buf *out, const bo_driver *driver, const bo_sql_change *change,
    const bo_foreign_key *key, const bo_table *child)
{
    bo_buf_printf(out, "\n-- before change %" PRIu64 ": no row of ", change->number);
    bo_sql_comment(out, child->name);
    bo_buf_add_str(out, " may go with it\nINSERT INTO pg_temp." BO_GUARD_REFERENCES);
    bo_buf_printf(out, " SELECT count(*), %" PRIu64 " FROM ", change->number);
    add_from(out, driver, child);
    bo_buf_add_str(out, " AS c WHERE true");
    for (uint16_t i = 0; i < key->count; i++) {
        int column = bo_table_column(change->table, key->parent_columns[i]);
        int at = column < 0 ? -1 : bo_table_image_position(change->table, (uint16_t)column);
        if (at < 0)
            continue;
        bo_buf_add_str(out, " AND c.");
        driver->quote(out, key->child_columns[i]);
        bo_buf_add_str(out, " = ");
        bo_buf_add(out, change->expected_texts[at].data, change->expected_texts[at].size);
    }
    bo_buf_add_str(out, ";\n");
}
