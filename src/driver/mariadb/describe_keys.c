/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/describe_keys.c - keys, indexes and foreign keys of a table. */
#include <string.h>

#include "driver/mariadb/describe.h"

enum { INDEX_NAME, INDEX_UNIQUE, INDEX_COLUMN, INDEX_PART, INDEX_TYPE };

static bo_status ask_unique(my_description *about, MYSQL_RES **out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT INDEX_NAME, NON_UNIQUE = 0, COLUMN_NAME, SUB_PART, INDEX_TYPE"
                         " FROM information_schema.STATISTICS");
    my_where_table(&sql, "TABLE", about->table->schema, about->table->local);
    bo_buf_add_str(&sql, " AND NON_UNIQUE = 0 ORDER BY INDEX_NAME <> 'PRIMARY',"
                         " CAST(INDEX_NAME AS BINARY), SEQ_IN_INDEX");
    return my_ask_buf(about->conn, &sql, out, err);
}

/* One more column of `key`.  Only a part of a text, or a hash of it, finds no row by its value. */
static void add_key_column(my_description *about, MYSQL_ROW row, bo_key *key)
{
    const int position = bo_table_column(about->table, row[INDEX_COLUMN] ? row[INDEX_COLUMN] : "");
    uint16_t *columns = my_grow(about, key->columns, key->count, sizeof *columns);
    if (!columns)
        return;
    key->columns = columns;
    if (position < 0 || row[INDEX_PART]) {
        key->simple = key->is_row_key = false;
        return;
    }
    columns[key->count++] = (uint16_t)position;
    const bo_column *column = &about->table->columns[position];
    if (!column->not_null || !column->in_image || strcmp(row[INDEX_TYPE], "BTREE") != 0)
        key->is_row_key = false;
}

/* The name of the key item `text`, or "" when it is no key. */
static const char *key_name(my_description *about, const char *text)
{
    const char *key = strstr(text, "KEY `");
    if (*text == '`' || strncmp(text, "CONSTRAINT ", 11) == 0 || !key || key - text > 9)
        return "";
    BO_OWN_VALUE(bo_buf) name = {0};
    for (key += 5; *key && (*key != '`' || key[1] == '`'); key++) {
        key += *key == '`';
        bo_buf_add_byte(&name, (uint8_t)*key);
    }
    const char *copy = name.failed ? NULL : my_cell(about, bo_buf_str(&name));
    about->failed |= !copy;
    return copy ? copy : "";
}

/* A unique key over whole columns says it all by them; of another, and of an index, the text does.
 */
static void describe_indexes(my_description *about, const my_ddl *ddl, bo_key *keys)
{
    bo_table *table = about->table;
    for (size_t i = 0; i < ddl->count; i++) {
        const char *text = ddl->items[i].text;
        const char *name = key_name(about, text);
        if (!*name)
            continue;
        if (strncmp(text, "UNIQUE ", 7) == 0) {
            const bool periods = strstr(text, "WITHOUT OVERLAPS") != NULL;
            for (uint16_t k = 0; k < table->key_count; k++) {
                if (strcmp(keys[k].name, name) != 0)
                    continue;
                keys[k].simple &= !periods;
                keys[k].definition = keys[k].simple ? NULL : text;
            }
            continue;
        }
        bo_named_sql *indexes = my_grow(about, table->indexes, table->index_count, sizeof *indexes);
        if (!indexes)
            return;
        indexes[table->index_count++] = (bo_named_sql){name, text};
        table->indexes = indexes;
    }
}

bo_status my_describe_keys(my_description *about, const my_ddl *ddl, bo_error *err)
{
    BO_OWN(MYSQL_RES) *found = NULL;
    bo_table *table = about->table;
    bo_key *keys = NULL;
    bo_status st = ask_unique(about, &found, err);
    if (st != BO_OK)
        return st;
    for (MYSQL_ROW row; (row = mysql_fetch_row(found)) != NULL;) {
        if (table->key_count == 0 || strcmp(keys[table->key_count - 1].name, row[INDEX_NAME])) {
            bo_key *more = my_grow(about, keys, table->key_count, sizeof *keys);
            const char *name = my_cell(about, row[INDEX_NAME]);
            if (!more || !name)
                return bo_nomem(err);
            keys = more;
            keys[table->key_count++] = (bo_key){.name = name,
                .primary = strcmp(name, "PRIMARY") == 0,
                .is_row_key = true,
                .simple = true};
        }
        add_key_column(about, row, &keys[table->key_count - 1]);
        if (about->failed)
            return bo_nomem(err);
    }
    describe_indexes(about, ddl, keys);
    for (uint16_t i = table->key_count; i-- > 0;) {
        if (keys[i].is_row_key)
            table->row_key = &keys[i]; /* the primary key is the first */
    }
    table->keys = keys;
    return about->failed ? bo_nomem(err) : BO_OK;
}

/* ---- foreign keys ---- */

static bo_status add_reference(my_description *about, const char *item, const char *schema,
    const char *local, const char *parent, const bo_foreign_key **keys, uint16_t *count,
    bo_error *err)
{
    bo_foreign_key key = {0};
    bo_status st = my_ddl_reference(about, item, schema, local, &key, err);
    if (st != BO_OK || (parent && strcmp(parent, key.parent) != 0))
        return st;
    bo_foreign_key *more = my_grow(about, *keys, *count, sizeof *more);
    if (!more)
        return bo_nomem(err);
    more[(*count)++] = key;
    *keys = more;
    return BO_OK;
}

/* The foreign keys of one child; only those to `parent` when it is not NULL. */
static bo_status add_references(my_description *about, const my_ddl *ddl, const char *schema,
    const char *local, const char *parent, const bo_foreign_key **keys, uint16_t *count,
    bo_error *err)
{
    bo_status st = BO_OK;
    for (size_t i = 0; i < ddl->count && st == BO_OK; i++) {
        if (my_ddl_is_reference(ddl->items[i].text))
            st = add_reference(about, ddl->items[i].text, schema, local, parent, keys, count, err);
    }
    return st;
}

/* Foreign keys of tables that this user may not see are nothing to it. */
static bo_status read_child(
    my_description *about, const char *schema, const char *local, my_ddl *out, bo_error *err)
{
    bo_error why = {0};
    bo_status st = my_ddl_read(about->conn, schema, local, about->arena, out, &why);
    if (st == BO_DENIED || st == BO_NOTFOUND) {
        BO_OWN_VALUE(bo_buf) sql = {0};
        uint64_t seen = 0;
        bo_buf_add_str(&sql, "SELECT COUNT(*) FROM information_schema.TABLES");
        my_where_table(&sql, "TABLE", schema, local);
        bo_status asked = my_ask_count(about->conn, &sql, &seen, err);
        if (asked != BO_OK || seen == 0)
            return asked;
    }
    if (st != BO_OK && err)
        *err = why;
    return st;
}

static bo_status describe_referenced(my_description *about, bo_error *err)
{
    bo_table *table = about->table;
    bo_status st = BO_OK;
    mysql_data_seek(about->links->references, 0);
    for (MYSQL_ROW row; st == BO_OK && (row = mysql_fetch_row(about->links->references));) {
        if (strcmp(row[0], table->schema) != 0 || strcmp(row[1], table->local) != 0)
            continue;
        my_ddl ddl = {0};
        st = read_child(about, row[2], row[3], &ddl, err);
        if (st == BO_OK)
            st = add_references(about, &ddl, row[2], row[3], table->name, &table->referenced_by,
                &table->referenced_count, err);
    }
    return st;
}

bo_status my_describe_references(my_description *about, const my_ddl *ddl, bo_error *err)
{
    bo_table *table = about->table;
    bo_status st = add_references(about, ddl, table->schema, table->local, NULL,
        &table->foreign_keys, &table->foreign_key_count, err);
    return st == BO_OK ? describe_referenced(about, err) : st;
}
