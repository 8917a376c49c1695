/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/stage.c - making, filling and dropping the temporary tables of a stage. */
#include <stdio.h>
#include <string.h>

#include "driver/sqlite/stage.h"

const sq_staged *sq_staged_find(const sq_stage *stage, const char *name)
{
    for (unsigned i = 0; i < stage->count; i++) {
        if (strcmp(stage->tables[i].now->name, name) == 0)
            return &stage->tables[i];
    }
    return NULL;
}

static void key_equal(bo_buf *out, const sq_staged *table, const char *entry, const char *row)
{
    for (uint16_t i = 0; i < table->key->count; i++) {
        uint16_t column = table->key->columns[i];
        bo_buf_printf(out, "%s%s.", i == 0 ? "" : " AND ", row);
        sq_quote(out, table->now->columns[column].name);
        bo_buf_printf(out, " = %s.c%u", entry, column);
    }
}

void sq_staged_address(bo_buf *out, const sq_staged *table, const char *entry, const char *row)
{
    if (!table->rowid) {
        key_equal(out, table, entry, row);
        return;
    }
    bo_buf_printf(out, "%s.live = %s.", entry, row);
    sq_quote(out, table->rowid);
}

void sq_staged_same_key(bo_buf *out, const sq_staged *table, const char *entry, const char *row)
{
    key_equal(out, table, entry, row); /* finds by index; SQL's "=" is not ours, so the bytes too */
    for (uint16_t i = 0; i < table->key->count; i++) {
        uint16_t column = table->key->columns[i];
        BO_OWN_VALUE(bo_buf) live = {0};
        bo_buf_printf(&live, "%s.", row);
        sq_quote(&live, table->now->columns[column].name);
        out->failed |= live.failed;
        bo_buf_printf(out, " AND typeof(%s) = typeof(%s.c%u) AND +%s IS +%s.c%u COLLATE BINARY",
            bo_buf_str(&live), entry, column, bo_buf_str(&live), entry, column);
    }
}

int sq_stage_widest(sq_conn *conn)
{
    return sqlite3_limit(conn->db, SQLITE_LIMIT_COLUMN, -1) - SQ_STAGE_OWN_COLUMNS;
}

static bo_status create_table(sq_stage *self, const sq_staged *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "CREATE TABLE %s (id INTEGER PRIMARY KEY, target INTEGER NOT NULL,"
        " found INTEGER NOT NULL DEFAULT 0, live INTEGER, blocked INTEGER NOT NULL DEFAULT 0,"
        " hint INTEGER, image BLOB",
        table->name);
    for (uint16_t i = 0; i < table->now->image_count; i++) {
        uint16_t position = table->now->image_columns[i];
        const bo_column *column = &table->now->columns[position];
        bo_buf_printf(&sql, ", c%u %s", position, sq_affinity(column->type, table->now->strict));
        if (column->collation) {
            bo_buf_add_str(&sql, " COLLATE ");
            sq_quote(&sql, column->collation);
        }
    }
    bo_buf_add_str(&sql, ")");
    bo_status st = sq_run_buf(self->conn, &sql, NULL, err);
    if (st != BO_OK || table->key)
        return st;
    bo_buf_clear(&sql);
    bo_buf_printf(&sql, "CREATE INDEX %s_image ON %s (image) WHERE target = 0 AND found = 0",
        table->name, strchr(table->name, '.') + 1);
    return sq_run_buf(self->conn, &sql, NULL, err);
}

static bo_status open_table(
    sq_stage *self, unsigned index, const bo_stage_table *shape, bo_error *err)
{
    sq_staged *table = &self->tables[index];
    *table = (sq_staged){.was = shape->was, .now = shape->now, .rowid = sq_rowid(shape->now)};
    snprintf(
        table->name, sizeof table->name, "temp.backout_stage_%u_%u", self->conn->serial, index);
    const int widest = sq_stage_widest(self->conn);
    if (shape->now->image_count > widest)
        return bo_fail(err, BO_UNSUPPORTED,
            "it has %u columns, and with more than %d single rows cannot be changed back\n"
            "restore brings the whole table back",
            shape->now->image_count, widest);
    if (shape->was->row_key) {
        table->key = bo_table_same_key(shape->was, shape->now);
        if (!table->key)
            return bo_fail(err, BO_UNSUPPORTED,
                "the columns that identified rows of %s are no longer a key", shape->now->name);
    } else if (!table->rowid) {
        return bo_fail(err, BO_UNSUPPORTED, "%s has no key and no row number", shape->now->name);
    }

    bo_status st =
        bo_table_given(shape->was, shape->now, self->arena, &table->map, &table->given, err);
    return st == BO_OK ? create_table(self, table, err) : st;
}

bo_status sq_stage_open(
    bo_conn *conn, const bo_stage_table *tables, unsigned count, bo_stage **out, bo_error *err)
{
    BO_OWN(bo_stage) *stage = calloc(1, sizeof(sq_stage));
    if (!stage)
        return bo_nomem(err);
    sq_stage *self = sq_stage_of(stage);
    self->base.driver = conn->driver;
    self->conn = sq_of(conn);
    self->conn->serial++;
    self->arena = bo_arena_create();
    if (!self->arena)
        return bo_nomem(err);
    self->tables = bo_arena_array(self->arena, count + 1u, sizeof *self->tables);
    if (!self->tables)
        return bo_nomem(err);
    for (; self->count < count; self->count++) {
        bo_status st = open_table(self, self->count, &tables[self->count], err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot stage rows of %s", tables[self->count].now->name);
    }
    *out = BO_TAKE(stage);
    return BO_OK;
}

static bo_status prepare_fill(
    sq_stage *self, const sq_staged *table, sqlite3_stmt **out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    unsigned values = 4;
    bo_buf_printf(&sql, "INSERT INTO %s (id, target, image, hint", table->name);
    for (uint16_t i = 0; i < table->was->image_count; i++) {
        if (table->map[i] < 0)
            continue;
        bo_buf_printf(&sql, ", c%d", table->map[i]);
        values++;
    }
    bo_buf_add_str(&sql, ") VALUES ($1");
    for (unsigned i = 2; i <= values; i++)
        bo_buf_printf(&sql, ", $%u", i);
    bo_buf_add_str(&sql, ")");
    return sq_prepare_buf(self->conn, &sql, out, err);
}

static bo_status fill_entry(sq_stage *self, const sq_staged *table, sqlite3_stmt *insert,
    const bo_stage_entry *entry, bo_value *values, bo_error *err)
{
    bo_status st = sq_image_values(entry->row, sq_value_count(table->was), values, err);
    if (st != BO_OK)
        return st;
    bo_span row_values = bo_row_values(table->was, entry->row);
    int rc = sqlite3_bind_int64(insert, 1, (sqlite3_int64)entry->id);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int(insert, 2, entry->has_target);
    if (rc == SQLITE_OK && !table->key && !entry->has_target)
        rc = sqlite3_bind_blob64(insert, 3, row_values.data, row_values.size, SQLITE_STATIC);
    else if (rc == SQLITE_OK)
        rc = sqlite3_bind_null(insert, 3);
    if (rc != SQLITE_OK)
        return sq_error(self->conn, err, "cannot bind a value");

    int index = 5;
    if (table->was->row_hint)
        st = sq_value_bind(self->conn, insert, 4, values[table->was->image_count], err);
    for (uint16_t i = 0; st == BO_OK && i < table->was->image_count; i++) {
        if (table->map[i] >= 0)
            st = sq_value_bind(self->conn, insert, index++, values[i], err);
    }
    bool row = false;
    return st == BO_OK ? sq_step(self->conn, insert, &row, err) : st;
}

bo_status sq_stage_fill(
    bo_stage *stage, unsigned table, bo_stage_next_fn *next, void *ctx, bo_error *err)
{
    sq_stage *self = sq_stage_of(stage);
    const sq_staged *staged = &self->tables[table];
    BO_OWN(sqlite3_stmt) *insert = NULL;
    BO_OWN_MEM bo_value *values = calloc(sq_value_count(staged->was) + 1u, sizeof *values);
    if (!values)
        return bo_nomem(err);
    bo_status st = prepare_fill(self, staged, &insert, err);
    while (st == BO_OK) {
        bo_stage_entry entry = {0};
        bool end = false;
        st = next(ctx, &entry, &end, err);
        if (st != BO_OK || end)
            break;
        st = fill_entry(self, staged, insert, &entry, values, err);
    }
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot stage rows of %s", staged->now->name);
}

bo_status sq_stage_drop(
    bo_stage *stage, unsigned table, const uint64_t *ids, size_t count, bo_error *err)
{
    sq_stage *self = sq_stage_of(stage);
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_buf_printf(&sql, "DELETE FROM %s WHERE id = $1", self->tables[table].name);
    bo_status st = sq_prepare_buf(self->conn, &sql, &statement, err);
    for (size_t i = 0; st == BO_OK && i < count; i++) {
        bool row = false;
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)ids[i]);
        st = sq_step(self->conn, statement, &row, err);
    }
    return st;
}

void sq_stage_close(bo_stage *stage)
{
    if (!stage)
        return;
    sq_stage *self = sq_stage_of(stage);
    for (unsigned i = 0; self->tables && i < self->count; i++) {
        char sql[128]; /* gone already when the transaction was rolled back */
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS %s", self->tables[i].name);
        sqlite3_exec(self->conn->db, sql, NULL, NULL, NULL);
    }
    bo_arena_free(self->arena);
    free(self);
}
