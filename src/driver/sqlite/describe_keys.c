/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/describe_keys.c - primary keys, unique keys and indexes of a table. */
#include <string.h>

#include "base/text.h"
#include "driver/sqlite/sqlite.h"

#define SQ_KEY_WIDEST 64 /* columns by which rows are found and put in order */

static bo_status add_key(sq_describing *self, const bo_key *key)
{
    bo_table *table = self->table;
    bo_key *keys = sq_grow(self, (void *)(uintptr_t)table->keys, table->key_count, sizeof *keys);
    if (!keys)
        return BO_NOMEM;
    keys[table->key_count++] = *key;
    table->keys = keys;
    return BO_OK;
}

/* Columns of an index, and whether they say all of it: no expression, no collation of its own. */
static bo_status read_index_columns(sq_describing *self, bo_key *key)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    uint16_t *columns = NULL;
    bo_status st = sq_ask(self->conn,
        "SELECT cid, coll FROM pragma_index_xinfo($1, 'main') WHERE \"key\" ORDER BY seqno",
        key->name, &statement, self->err);
    key->is_row_key = key->simple;
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(self->conn, statement, &row, self->err);
        if (st != BO_OK || !row)
            break;
        int position = sqlite3_column_int(statement, 0);
        if (position < 0) {
            key->simple = key->is_row_key = false;
            continue;
        }
        const bo_column *column = &self->table->columns[position];
        const char *collation = (const char *)sqlite3_column_text(statement, 1);
        bool own = !bo_text_same(
            collation ? collation : "BINARY", column->collation ? column->collation : "BINARY");
        key->simple &= !own;
        key->is_row_key &= !own && (column->not_null || key->primary) && column->in_image;
        columns = sq_grow(self, columns, key->count, sizeof *columns);
        if (!columns)
            return BO_NOMEM;
        columns[key->count++] = (uint16_t)position;
    }
    key->columns = columns;
    if (key->count > SQ_KEY_WIDEST) /* nor can such a key be compared in one expression */
        key->simple = key->is_row_key = false;
    return st;
}

/* SQLite lets NULL into a primary key that does not say NOT NULL, and NULL identifies no row: such
 * a key is one as long as there is none in it. */
static bo_status refuse_nulls(sq_describing *self, bo_key *key)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    int64_t nulls = 0;
    bool nullable = false;
    bo_buf_add_str(&sql, "SELECT EXISTS (SELECT 1 FROM ");
    sq_quote_table(&sql, self->table);
    for (uint16_t i = 0; i < key->count; i++) {
        const bo_column *column = &self->table->columns[key->columns[i]];
        if (column->not_null)
            continue;
        bo_buf_add_str(&sql, nullable ? " OR " : " WHERE ");
        sq_quote(&sql, column->name);
        bo_buf_add_str(&sql, " IS NULL");
        nullable = true;
    }
    bo_buf_add_str(&sql, ")");
    if (!key->is_row_key || !nullable || self->table->without_rowid)
        return BO_OK;
    bo_status st = sq_number(self->conn, &sql, &nulls, self->err);
    key->is_row_key = nulls == 0;
    return st;
}

static bo_status index_sql(sq_describing *self, const char *name, const char **out)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_status st =
        sq_ask(self->conn, "SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND name = $1",
            name, &statement, self->err);
    if (st == BO_OK)
        st = sq_step(self->conn, statement, &row, self->err);
    return st == BO_OK && row ? sq_copy(self, statement, 0, out) : st;
}

static bo_status read_index(sq_describing *self, sqlite3_stmt *statement)
{
    bo_table *table = self->table;
    bo_key key = {0};
    bo_status st = sq_copy(self, statement, 0, &key.name);
    if (st == BO_OK)
        st = index_sql(self, key.name, &key.definition);
    if (st != BO_OK)
        return st;
    if (sqlite3_column_int(statement, 1)) {
        key.primary = strcmp((const char *)sqlite3_column_text(statement, 2), "pk") == 0;
        key.simple = !sqlite3_column_int(statement, 3);
        st = read_index_columns(self, &key);
        if (st == BO_OK)
            st = refuse_nulls(self, &key);
        return st == BO_OK ? add_key(self, &key) : st;
    }
    bo_named_sql *indexes =
        sq_grow(self, (void *)(uintptr_t)table->indexes, table->index_count, sizeof *indexes);
    if (!indexes)
        return BO_NOMEM;
    indexes[table->index_count++] = (bo_named_sql){key.name, key.definition};
    table->indexes = indexes;
    return BO_OK;
}

static bo_status read_indexes(sq_describing *self)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = sq_ask(self->conn,
        "SELECT name, \"unique\", origin, partial FROM pragma_index_list($1, 'main')"
        " ORDER BY origin <> 'pk', name",
        self->table->local, &statement, self->err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(self->conn, statement, &row, self->err);
        if (st != BO_OK || !row)
            break;
        st = read_index(self, statement);
    }
    return st;
}

/* A primary key without an index is the row number; any other one is found with the indexes. */
static bo_status read_rowid_key(sq_describing *self)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    if (self->table->without_rowid)
        return BO_OK;
    bo_status st = sq_ask(self->conn,
        "SELECT cid FROM pragma_table_xinfo($1, 'main') WHERE pk > 0 AND NOT EXISTS"
        " (SELECT 1 FROM pragma_index_list($1, 'main') WHERE origin = 'pk')",
        self->table->local, &statement, self->err);
    if (st == BO_OK)
        st = sq_step(self->conn, statement, &row, self->err);
    if (st != BO_OK || !row)
        return st;
    uint16_t *column = bo_arena_alloc(self->arena, sizeof *column);
    if (!column)
        return bo_nomem(self->err);
    *column = (uint16_t)sqlite3_column_int(statement, 0);
    bo_key key = {.name = SQ_ROWID_KEY,
        .count = 1,
        .columns = column,
        .primary = true,
        .is_row_key = true,
        .simple = true};
    return add_key(self, &key);
}

bo_status sq_read_keys(sq_describing *self)
{
    bo_table *table = self->table;
    bo_status st = read_rowid_key(self);
    if (st == BO_OK)
        st = read_indexes(self);
    for (uint16_t i = 0; st == BO_OK && !table->row_key && i < table->key_count; i++) {
        if (table->keys[i].is_row_key)
            table->row_key = &table->keys[i];
    }
    return st;
}
