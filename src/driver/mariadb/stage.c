/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/stage.c - making, filling and dropping the temporary tables of a stage. */
#include <mysqld_error.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "driver/mariadb/stage.h"

const my_staged *my_staged_find(const my_stage *stage, const char *name)
{
    for (unsigned i = 0; i < stage->count; i++) {
        if (strcmp(stage->tables[i].now->name, name) == 0)
            return &stage->tables[i];
    }
    return NULL;
}

/* ---- conditions ---- */

void my_staged_value(bo_buf *out, const my_staged *table, uint16_t column, const char *entry)
{
    char name[16];
    bo_column staged = table->now->columns[column];
    (void)snprintf(name, sizeof name, "c%u", column);
    staged.name = name;
    my_read_value(out, &staged, entry);
}

void my_staged_same_key(bo_buf *out, const my_staged *table, const char *entry, const char *row)
{
    for (uint16_t i = 0; i < table->key->count; i++) {
        uint16_t position = table->key->columns[i];
        const bo_column *column = &table->now->columns[position];
        bo_buf_printf(out, "%s%s.", i == 0 ? "" : " AND ", row);
        my_quote(out, column->name);
        bo_buf_printf(out, " = %s.c%u", entry, position); /* finds by index */
        if (my_kind_of(column->type) == MY_PLAIN)
            continue;
        bo_buf_add_str(out, " AND CAST("); /* SQL's "=" is not ours */
        my_read_value(out, column, row);
        bo_buf_add_str(out, " AS BINARY) = CAST(");
        my_staged_value(out, table, position, entry);
        bo_buf_add_str(out, " AS BINARY)");
    }
}

/* The hash of the hashes of the values, because one value may be as long as a packet. */
static void add_hash(bo_buf *out, const my_staged *table, const char *row, bool staged)
{
    bo_buf_add_str(out, "UNHEX(SHA2(CONCAT_WS(','");
    for (uint16_t i = 0; i < table->was->image_count; i++) {
        if (table->map[i] < 0)
            continue;
        uint16_t position = (uint16_t)table->map[i];
        bo_buf_add_str(out, ", COALESCE(SHA2(CAST(");
        if (staged)
            my_staged_value(out, table, position, row);
        else
            my_read_value(out, &table->now->columns[position], row);
        bo_buf_add_str(out, " AS BINARY), 256), '-')");
    }
    bo_buf_add_str(out, "), 256))");
}

void my_staged_image(bo_buf *out, const my_staged *table, const char *row)
{
    add_hash(out, table, row, false);
}

void my_staged_stays(bo_buf *out, const my_staged *table, const char *row)
{
    if (!table)
        return;
    bo_buf_printf(out, " AND NOT EXISTS (SELECT 1 FROM %s AS g WHERE g.found AND ", table->name);
    if (table->key) {
        my_staged_same_key(out, table, "g", row);
    } else {
        bo_buf_add_str(out, "g.whole AND g.image = ");
        my_staged_image(out, table, row);
    }
    bo_buf_add_str(out, ")");
}

/* ---- open ---- */

#define LONG_STRING 100u /* characters */

/* Characters (or bytes) that a column may hold; 0: it is no string, UINT32_MAX: TEXT, BLOB. */
static uint32_t string_size(const char *type)
{
    const char *size = strchr(type, '(');
    if (my_kind_of(type) != MY_BYTES || strncmp(type, "bit", 3) == 0)
        return 0;
    return size ? (uint32_t)strtoul(size + 1, NULL, 10) : UINT32_MAX;
}

/* Long strings are TEXT and BLOB here: a row of 65,535 bytes would have no room for our columns. */
static void add_columns(bo_buf *sql, const bo_table *now)
{
    for (uint16_t i = 0; i < now->image_count; i++) {
        uint16_t position = now->image_columns[i];
        bo_column column = now->columns[position];
        if (strncmp(column.type, "var", 3) == 0 && string_size(column.type) > LONG_STRING)
            column.type = strncmp(column.type, "varchar", 7) == 0 ? "mediumtext" : "mediumblob";
        bo_buf_printf(sql, ", c%u", position);
        my_add_type(sql, &column);
        bo_buf_add_str(sql, " NULL");
    }
}

/* What the index of a column holds of it: an index is no longer than 3072 bytes. */
static void add_index_part(bo_buf *sql, const bo_table *now, uint16_t position, uint16_t count)
{
    uint32_t limit = 700u / count < LONG_STRING ? 700u / count : LONG_STRING;
    bo_buf_printf(sql, "c%u", position);
    if (string_size(now->columns[position].type) > limit)
        bo_buf_printf(sql, "(%u)", limit);
}

/* An index on the columns that children refer to; nothing when one is not in images. */
static void add_reference_index(bo_buf *sql, const bo_table *now, const bo_foreign_key *key)
{
    for (uint16_t i = 0; i < key->count; i++) {
        int column = bo_table_column(now, key->parent_columns[i]);
        if (column < 0 || !now->columns[column].in_image)
            return;
    }
    bo_buf_add_str(sql, ", KEY (");
    for (uint16_t i = 0; i < key->count; i++) {
        bo_buf_add_str(sql, i == 0 ? "" : ", ");
        add_index_part(
            sql, now, (uint16_t)bo_table_column(now, key->parent_columns[i]), key->count);
    }
    bo_buf_add_str(sql, ")");
}

static bool refers_to_key(const bo_table *table, const bo_foreign_key *a, const bo_key *key)
{
    bool same = key && a->count == key->count;
    for (uint16_t i = 0; same && i < a->count; i++)
        same = strcmp(a->parent_columns[i], table->columns[key->columns[i]].name) == 0;
    return same;
}

static bool refers_to_same(const bo_foreign_key *a, const bo_foreign_key *b)
{
    bool same = a->count == b->count;
    for (uint16_t i = 0; same && i < a->count; i++)
        same = strcmp(a->parent_columns[i], b->parent_columns[i]) == 0;
    return same;
}

static bo_status create_table(my_stage *self, const my_staged *table, bo_error *err)
{
    const bo_table *now = table->now;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "%sCREATE TEMPORARY TABLE %s (id bigint unsigned NOT NULL PRIMARY KEY,"
        " target tinyint NOT NULL, found tinyint NOT NULL DEFAULT 0,"
        " in_place tinyint NOT NULL DEFAULT 0, whole tinyint NOT NULL DEFAULT 0,"
        " blocked int unsigned NOT NULL DEFAULT 0,"
        " image binary(32)",
        my_strictly(self->conn->log == MY_LOG_MIXED), table->name);
    add_columns(&sql, now);
    bo_buf_add_str(&sql, table->key ? ", KEY (" : ", KEY (image)");
    for (uint16_t i = 0; table->key && i < table->key->count; i++) {
        bo_buf_add_str(&sql, i == 0 ? "" : ", ");
        add_index_part(&sql, now, table->key->columns[i], table->key->count);
    }
    bo_buf_add_str(&sql, table->key ? ")" : "");
    for (uint16_t i = 0; i < now->referenced_count; i++) {
        bool known = refers_to_key(now, &now->referenced_by[i], table->key);
        for (uint16_t j = 0; j < i; j++)
            known |= refers_to_same(&now->referenced_by[i], &now->referenced_by[j]);
        if (!known)
            add_reference_index(&sql, now, &now->referenced_by[i]);
    }
    bo_buf_add_str(&sql, ") ENGINE = InnoDB ROW_FORMAT = DYNAMIC");
    bo_status st = my_run_buf(self->conn, &sql, NULL, err);
    if (st != BO_OK && mysql_errno(self->conn->my) == ER_TOO_BIG_ROWSIZE &&
        self->conn->log == MY_LOG_MIXED)
        return my_wants_rows(self->conn, st, err);
    if (st != BO_DENIED)
        return st;
    BO_OWN_VALUE(bo_buf) schema = {0};
    my_quote(&schema, self->conn->schema);
    return bo_detail(err, st, "needed: GRANT CREATE TEMPORARY TABLES ON %s.* TO '%s'",
        bo_buf_str(&schema), self->conn->my->user ? self->conn->my->user : "");
}

static bo_status name_tables(my_stage *self, my_staged *table, unsigned index, bo_error *err)
{
    char local[64];
    BO_OWN_VALUE(bo_buf) name = {0};
    BO_OWN_VALUE(bo_buf) live = {0};
    (void)snprintf(local, sizeof local, "backout_stage_%u_%u", self->conn->serial, index);
    my_quote(&name, self->conn->schema);
    bo_buf_add_str(&name, ".");
    my_quote(&name, local);
    my_quote_table(&live, table->now);
    table->name = bo_arena_str(self->arena, bo_buf_str(&name));
    table->live = bo_arena_str(self->arena, bo_buf_str(&live));
    return name.failed || live.failed || !table->name || !table->live ? bo_nomem(err) : BO_OK;
}

static bo_status open_table(
    my_stage *self, unsigned index, const bo_stage_table *shape, bo_error *err)
{
    my_staged *table = &self->tables[index];
    *table = (my_staged){.was = shape->was, .now = shape->now};
    bo_status st = name_tables(self, table, index, err);
    if (st != BO_OK)
        return st;
    if (shape->was->row_key) {
        table->key = bo_table_same_key(shape->was, shape->now);
        if (!table->key)
            return bo_fail(err, BO_UNSUPPORTED,
                "the columns that identified rows of %s are no longer a key", shape->now->name);
    }
    st = bo_table_given(shape->was, shape->now, self->arena, &table->map, &table->given, err);
    return st == BO_OK ? create_table(self, table, err) : st;
}

bo_status my_stage_open(
    bo_conn *conn, const bo_stage_table *tables, unsigned count, bo_stage **out, bo_error *err)
{
    BO_OWN(bo_stage) *stage = calloc(1, sizeof(my_stage));
    if (!stage)
        return bo_nomem(err);
    my_stage *self = my_stage_of(stage);
    self->base.driver = conn->driver;
    self->conn = my_of(conn);
    self->conn->serial++;
    self->arena = bo_arena_create();
    if (!self->arena)
        return bo_nomem(err);
    self->tables = bo_arena_array(self->arena, count + 1u, sizeof *self->tables);
    if (!self->tables)
        return bo_nomem(err);
    while (self->count < count) {
        unsigned index = self->count++;
        bo_status st = open_table(self, index, &tables[index], err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot stage rows of %s", tables[index].now->name);
    }
    *out = BO_TAKE(stage);
    return BO_OK;
}

/* ---- fill, drop, close ---- */

typedef struct filler {
    const my_staged *table;
    bo_stage_next_fn *next;
    void *ctx;
    bo_value *values;
    bo_buf row;
} filler;

static bo_status next_row(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    filler *f = ctx;
    const bo_table *was = f->table->was;
    bo_stage_entry entry = {0};
    bool end = false;
    bo_status st = f->next(f->ctx, &entry, &end, err);
    *end_out = st == BO_OK && end;
    if (st != BO_OK || end)
        return st;
    uint16_t count = bo_image_count(entry.row);
    if (count != was->image_count)
        return bo_fail(err, BO_CORRUPT, "a row for %s has %u values instead of %u", was->name,
            count, was->image_count);
    bo_image_values(entry.row, f->values);
    uint16_t mapped = 0;
    for (uint16_t i = 0; i < count; i++)
        mapped = (uint16_t)(mapped + (f->table->map[i] >= 0));
    char id[24];
    int size = snprintf(id, sizeof id, "%llu", (unsigned long long)entry.id);
    bo_buf_clear(&f->row);
    bo_image_begin(&f->row, (uint16_t)(mapped + 2));
    bo_image_add(&f->row, id, size);
    bo_image_add(&f->row, entry.has_target ? "1" : "0", 1);
    for (uint16_t i = 0; i < count; i++) {
        if (f->table->map[i] >= 0 && f->values[i].size < 0)
            bo_image_add_null(&f->row);
        else if (f->table->map[i] >= 0)
            bo_image_add(&f->row, f->values[i].data, f->values[i].size);
    }
    *row_out = (bo_image){f->row.data, f->row.size};
    return bo_buf_check(&f->row, err);
}

static uint16_t insert_sql(bo_buf *sql, const my_staged *table)
{
    uint16_t count = 2;
    BO_OWN_VALUE(bo_buf) values = {0};
    bo_buf_printf(sql, "INSERT INTO %s (id, target", table->name);
    for (uint16_t i = 0; i < table->was->image_count; i++) {
        if (table->map[i] < 0)
            continue;
        bo_buf_printf(sql, ", c%d", table->map[i]);
        bo_buf_add_str(&values, ", ");
        my_write_value(&values, &table->now->columns[table->map[i]]);
        count++;
    }
    bo_buf_printf(sql, ") VALUES (?, ?%s)", bo_buf_str(&values));
    sql->failed |= values.failed;
    return count;
}

static bo_status note_images(my_stage *self, const my_staged *table, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "UPDATE %s AS s SET s.image = ", table->name);
    add_hash(&sql, table, "s", true);
    return my_run_buf(self->conn, &sql, NULL, err);
}

bo_status my_stage_fill(
    bo_stage *stage, unsigned index, bo_stage_next_fn *next, void *ctx, bo_error *err)
{
    my_stage *self = my_stage_of(stage);
    my_staged *table = &self->tables[index];
    BO_OWN_MEM bo_value *values = calloc(table->was->image_count + 1u, sizeof *values);
    if (!values)
        return bo_nomem(err);
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint16_t count = insert_sql(&sql, table);
    filler f = {.table = table, .next = next, .ctx = ctx, .values = values};
    uint64_t rows = 0;
    self->checked = false;
    bo_status st = my_insert(self->conn, &sql, count, next_row, &f, &rows, err);
    bo_buf_done(&f.row);
    if (st == BO_OK && !table->key)
        st = note_images(self, table, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot stage rows of %s", table->now->name);
    table->entries += rows;
    return BO_OK;
}

bo_status my_stage_drop(
    bo_stage *stage, unsigned table, const uint64_t *ids, size_t count, bo_error *err)
{
    enum { AT_ONCE = 1000 };
    my_stage *self = my_stage_of(stage);
    bo_status st = BO_OK;
    self->checked = false;
    for (size_t from = 0; st == BO_OK && from < count; from += AT_ONCE) {
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_printf(&sql, "DELETE FROM %s WHERE id IN (", self->tables[table].name);
        for (size_t i = from; i < count && i < from + AT_ONCE; i++)
            bo_buf_printf(&sql, "%s%llu", i == from ? "" : ", ", (unsigned long long)ids[i]);
        bo_buf_add_str(&sql, ")");
        st = my_run_buf(self->conn, &sql, NULL, err);
    }
    return st;
}

void my_stage_close(bo_stage *stage)
{
    if (!stage)
        return;
    my_stage *self = my_stage_of(stage);
    for (unsigned i = 0; self->tables && self->conn->my && i < self->count; i++) {
        if (self->tables[i].name) /* DROP TEMPORARY TABLE commits nothing */
            (void)my_run(
                self->conn, NULL, NULL, "DROP TEMPORARY TABLE IF EXISTS %s", self->tables[i].name);
    }
    bo_arena_free(self->arena);
    free(self);
}
