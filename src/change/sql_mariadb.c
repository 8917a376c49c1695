/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/sql_mariadb.c - SQL for the mariadb client, which stops at the first error.
 *
 * Foreign keys are off while rows change, so that none of their actions runs and the order of rows
 * in a tree does not matter; the last statements look for rows that refer to nothing and did not
 * before.  Triggers of users cannot be kept from firing: what they do to a row of the script is
 * found by the guard that looks at it afterwards.
 */
#include "change/sql_mariadb.h"

#include <inttypes.h>
#include <string.h>

#include "driver/mariadb/kind.h"

/* ---- rows ---- */

static const bo_column *column_of(const bo_table *table, uint16_t i)
{
    return &table->columns[table->image_columns[i]];
}

static bool is_null(bo_text_value text)
{
    return text.size == 4 && memcmp(text.data, "NULL", 4) == 0;
}

/* Without "=" of the type: that takes 'a' for 'A'.  Numbers are compared as they are shown. */
static void add_equal(
    bo_buf *out, const bo_driver *driver, const bo_table *table, uint16_t i, bo_text_value text)
{
    static const char *const as[] = {[MY_PLAIN] = "CHAR",
        [MY_REAL] = "DOUBLE",
        [MY_LABEL] = "UNSIGNED",
        [MY_BYTES] = "BINARY",
        [MY_READABLE] = "CHAR"};
    const my_kind kind = my_kind_of(column_of(table, i)->type);
    if (is_null(text)) {
        bo_sql_column(out, driver, table, NULL, i);
        bo_buf_add_str(out, " IS NULL");
        return;
    }
    bo_buf_add_str(out, "CAST(");
    bo_sql_column(out, driver, table, NULL, i);
    bo_buf_printf(out, " AS %s) = ", as[kind]);
    const char *quote = kind == MY_PLAIN && text.data[0] != '\'' ? "'" : "";
    const bool bytes = kind == MY_BYTES;
    bo_buf_add_str(out, bytes ? "CAST(" : quote);
    bo_buf_add(out, text.data, text.size);
    bo_buf_add_str(out, bytes ? " AS BINARY)" : quote);
}

void bo_sql_mariadb_match(bo_buf *out, const bo_driver *driver, const bo_table *table,
    const bo_text_value *texts, bool one)
{
    uint16_t key[BO_COLUMNS_MAX];
    const uint16_t keys = bo_table_key_positions(table, key);
    for (uint16_t k = 0; k < keys; k++) { /* an index helps */
        bo_sql_column(out, driver, table, NULL, key[k]);
        bo_buf_add_str(out, " = ");
        bo_buf_add(out, texts[key[k]].data, texts[key[k]].size);
        bo_buf_add_str(out, " AND ");
    }
    for (uint16_t i = 0; i < table->image_count; i++) {
        bo_buf_add_str(out, i > 0 ? " AND " : "");
        add_equal(out, driver, table, i, texts[i]);
    }
    bo_buf_add_str(out, table->image_count == 0 ? "1" : "");
    bo_buf_add_str(out, one && keys == 0 ? " LIMIT 1" : "");
}

void bo_sql_mariadb_guard(bo_buf *out, const bo_driver *driver, const bo_sql_change *change)
{
    bo_buf_printf(out, ";\nINSERT INTO " BO_GUARD_ROWS " VALUES (ROW_COUNT(), %" PRIu64 ");\n",
        change->number);
    if (!change->target.data || !change->table->row_key)
        return;
    bo_buf_printf(
        out, "INSERT INTO " BO_GUARD_ROWS " SELECT COUNT(*), %" PRIu64 " FROM ", change->number);
    bo_sql_name(out, driver, change->table);
    bo_buf_add_str(out, " WHERE ");
    bo_sql_mariadb_match(out, driver, change->table, change->target_texts, false);
    bo_buf_add_str(out, ";\n");
}

/* ---- foreign keys ---- */

/* The rows of the child, as c, that refer to nothing. */
static void add_dangling(bo_buf *out, const bo_driver *driver, const bo_foreign_key *key,
    const bo_table *child, const bo_table *parent)
{
    bo_sql_name(out, driver, child);
    bo_buf_add_str(out, " AS c WHERE ");
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(out, "c.");
        driver->quote(out, key->child_columns[i]);
        bo_buf_add_str(out, " IS NOT NULL AND ");
    }
    bo_buf_add_str(out, "NOT EXISTS (SELECT 1 FROM ");
    bo_sql_name(out, driver, parent);
    bo_buf_add_str(out, " AS p WHERE ");
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(out, i > 0 ? " AND p." : "p.");
        driver->quote(out, key->parent_columns[i]);
        bo_buf_add_str(out, " = c.");
        driver->quote(out, key->child_columns[i]);
    }
    bo_buf_add_str(out, ")");
}

void bo_sql_mariadb_reference(bo_buf *out, const bo_driver *driver, const bo_foreign_key *key,
    const bo_table *child, const bo_table *parent, unsigned number, bool before)
{
    if (before) {
        bo_buf_printf(
            out, "CREATE TEMPORARY TABLE backout_violated_%u AS SELECT DISTINCT ", number);
        for (uint16_t i = 0; i < key->count; i++) {
            bo_buf_add_str(out, i > 0 ? ", c." : "c.");
            driver->quote(out, key->child_columns[i]);
        }
        bo_buf_add_str(out, " FROM ");
        add_dangling(out, driver, key, child, parent);
        bo_buf_add_str(out, ";\n");
        return;
    }
    bo_buf_add_str(out, "INSERT INTO " BO_GUARD_REFERENCES " SELECT COUNT(*) FROM ");
    add_dangling(out, driver, key, child, parent);
    bo_buf_printf(
        out, "\n    AND NOT EXISTS (SELECT 1 FROM backout_violated_%u AS v WHERE ", number);
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(out, i > 0 ? " AND v." : "v.");
        driver->quote(out, key->child_columns[i]);
        bo_buf_add_str(out, " = c.");
        driver->quote(out, key->child_columns[i]);
    }
    bo_buf_add_str(out, ");\n");
}
