/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/describe.c - the definition of a table, as SQLite has it now. */
#include <string.h>

#include "base/text.h"
#include "driver/sqlite/sqlite.h"

bo_status sq_tables(bo_conn *conn, bo_name_fn *each, void *ctx, bo_error *err)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = sq_ask(sq_of(conn),
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND NOT " SQ_IS_RECORD " AND NOT " SQ_IS_OURS
        " ORDER BY name",
        NULL, &statement, err);
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(sq_of(conn), statement, &row, err);
        if (st != BO_OK || !row)
            break;
        const char *name = sq_display_name(arena, (const char *)sqlite3_column_text(statement, 0));
        st = name ? each(ctx, name, err) : bo_nomem(err);
    }
    return st;
}

static bo_status add_limit(sq_describing *self, const char *text)
{
    bo_table *table = self->table;
    const char **limits =
        sq_grow(self, (void *)(uintptr_t)table->limits, table->limit_count, sizeof *limits);
    if (!limits || !text)
        return bo_nomem(self->err);
    limits[table->limit_count++] = text;
    table->limits = limits;
    return BO_OK;
}

/* A table that no point can be taken of: the reason is its first limit. */
static bo_status uncover(sq_describing *self, const char *why)
{
    self->table->uncovered = true;
    return add_limit(self, why);
}

static bo_status find_table(sq_describing *self, const char *local, const char *name)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_status st = sq_ask(self->conn,
        "SELECT name, type, wr, strict FROM pragma_table_list($1)"
        " WHERE schema = 'main' AND name = $1 COLLATE NOCASE"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND NOT " SQ_IS_OURS,
        local, &statement, self->err);
    if (st == BO_OK)
        st = sq_step(self->conn, statement, &row, self->err);
    if (st != BO_OK)
        return st;
    if (!row)
        return bo_fail(self->err, BO_NOTFOUND, "no such table: %s", name);

    bo_table *table = self->table;
    const char *type = (const char *)sqlite3_column_text(statement, 1);
    if (!type)
        return bo_nomem(self->err);
    if (strcmp(type, "view") == 0)
        return bo_fail(self->err, BO_UNSUPPORTED, "'%s' is a view, not a table", name);
    table->kind = strcmp(type, "virtual") == 0 ? 'v' : 'r';
    table->without_rowid = sqlite3_column_int(statement, 2) != 0;
    table->strict = sqlite3_column_int(statement, 3) != 0;
    st = sq_copy(self, statement, 0, &table->local);
    if (st != BO_OK)
        return st;
    table->name = sq_display_name(self->arena, table->local);
    if (!table->name)
        return bo_nomem(self->err);
    if (table->kind == 'v')
        return uncover(self, "it is a virtual table: its module keeps the rows");
    if (strcmp(type, "shadow") == 0)
        return uncover(self, "it belongs to a virtual table");
    return BO_OK;
}

static bo_status read_column(
    sq_describing *self, sqlite3_stmt *statement, bo_column *column, bool *hidden_out)
{
    bo_status st = sq_copy(self, statement, 0, &column->name);
    if (st == BO_OK)
        st = sq_copy(self, statement, 1, &column->type);
    if (st == BO_OK)
        st = sq_copy(self, statement, 3, &column->default_expr);
    if (st != BO_OK)
        return st;
    column->not_null = sqlite3_column_int(statement, 2) != 0;
    int hidden = sqlite3_column_int(statement, 4);
    *hidden_out = hidden == 1;
    column->generated = hidden == 2   ? BO_GENERATED_VIRTUAL
                        : hidden == 3 ? BO_GENERATED_STORED
                                      : BO_GENERATED_NO;
    column->in_image = column->generated == BO_GENERATED_NO;
    if (!column->type)
        column->type = "";

    const char *collation = NULL;
    if (sqlite3_table_column_metadata(self->conn->db, "main", self->table->local, column->name,
            NULL, &collation, NULL, NULL, NULL) != SQLITE_OK)
        return sq_error(self->conn, self->err, "cannot describe column '%s'", column->name);
    if (collation && !bo_text_same(collation, "BINARY")) {
        column->collation = bo_arena_str(self->arena, collation);
        if (!column->collation)
            return bo_nomem(self->err);
    }
    return BO_OK;
}

static bo_status read_columns(sq_describing *self)
{
    bo_table *table = self->table;
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_column *columns = NULL;
    uint16_t *images = NULL;
    bool any_hidden = false;
    bo_status st = sq_ask(self->conn,
        "SELECT name, type, \"notnull\", dflt_value, hidden FROM pragma_table_xinfo($1, 'main')",
        table->local, &statement, self->err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(self->conn, statement, &row, self->err);
        if (st != BO_OK || !row)
            break;
        columns = sq_grow(self, columns, table->column_count, sizeof *columns);
        images = sq_grow(self, images, table->column_count, sizeof *images);
        if (!columns || !images)
            return BO_NOMEM;
        bool hidden = false;
        st = read_column(self, statement, &columns[table->column_count], &hidden);
        any_hidden |= hidden;
        if (columns[table->column_count].in_image)
            images[table->image_count++] = table->column_count;
        table->column_count++;
    }
    table->columns = columns;
    table->image_columns = images;
    if (st == BO_OK && any_hidden)
        st = uncover(self, "it has hidden columns");
    return st;
}

/* Indexes that are not keys, triggers, and the SQL of all that is made after the rows are in. */
static bo_status read_attached(sq_describing *self)
{
    bo_table *table = self->table;
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_trigger *triggers = NULL;
    const char **after = NULL;
    bo_status st = sq_ask(self->conn,
        "SELECT type, name, sql FROM main.sqlite_schema WHERE tbl_name = $1 COLLATE NOCASE"
        " AND type IN ('index', 'trigger') AND sql IS NOT NULL AND NOT " SQ_IS_OURS
        " ORDER BY type, rowid",
        table->local, &statement, self->err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(self->conn, statement, &row, self->err);
        if (st != BO_OK || !row)
            break;
        after = sq_grow(self, after, table->definition_count, sizeof *after);
        if (!after)
            return BO_NOMEM;
        st = sq_copy(self, statement, 2, &after[table->definition_count]);
        if (st != BO_OK)
            return st;
        const char *sql = after[table->definition_count++];
        if (strcmp((const char *)sqlite3_column_text(statement, 0), "trigger") != 0)
            continue;
        triggers = sq_grow(self, triggers, table->trigger_count, sizeof *triggers);
        if (!triggers)
            return BO_NOMEM;
        bo_trigger *trigger = &triggers[table->trigger_count++];
        *trigger = (bo_trigger){.definition = sql, .enabled = 'O'};
        st = sq_copy(self, statement, 1, &trigger->name);
    }
    table->after = after;
    table->triggers = triggers;
    return st;
}

static bo_status read_definition(sq_describing *self)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_status st =
        sq_ask(self->conn, "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = $1",
            self->table->local, &statement, self->err);
    if (st == BO_OK)
        st = sq_step(self->conn, statement, &row, self->err);
    if (st == BO_OK && row)
        st = sq_copy(self, statement, 0, &self->table->definition);
    if (st == BO_OK && !self->table->definition)
        self->table->definition = "";
    return st;
}

/* AUTOINCREMENT keeps its counter in a table of SQLite's. */
static bo_status read_sequence(sq_describing *self)
{
    bo_table *table = self->table;
    int counts = 0;
    if (!sq_rowid_is_column(table))
        return BO_OK;
    const bo_column *column = &table->columns[table->row_key->columns[0]];
    if (sqlite3_table_column_metadata(self->conn->db, "main", table->local, column->name, NULL,
            NULL, NULL, NULL, &counts) != SQLITE_OK)
        return sq_error(self->conn, self->err, "cannot describe column '%s'", column->name);
    if (!counts)
        return BO_OK;
    bo_sequence *sequence = bo_arena_alloc(self->arena, sizeof *sequence);
    if (!sequence)
        return bo_nomem(self->err);
    *sequence = (bo_sequence){.name = table->local, .column = column->name, .increment = 1};
    table->sequences = sequence;
    table->sequence_count = 1;
    return sq_sequence_read(&self->conn->base, sequence, self->err);
}

/* A table that cannot even be written to: a collation or function of its is not loaded. */
static bo_status check_writable(sq_describing *self)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "INSERT INTO ");
    sq_quote_table(&sql, self->table);
    bo_buf_add_str(&sql, " DEFAULT VALUES");
    if (sql.failed)
        return bo_nomem(self->err);
    BO_OWN(sqlite3_stmt) *statement = NULL;
    if (sqlite3_prepare_v2(self->conn->db, bo_buf_str(&sql), -1, &statement, NULL) == SQLITE_OK)
        return BO_OK;
    return uncover(self, bo_arena_printf(self->arena, "SQLite cannot write to it: %s",
                             sqlite3_errmsg(self->conn->db)));
}

static bo_status read_limits(sq_describing *self)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bool row = false;
    bo_status st = check_writable(self);
    if (st == BO_OK && !self->table->row_key && !sq_rowid(self->table))
        st = uncover(
            self, self->table->without_rowid
                      ? "its primary key has more than 64 columns, or a collation that is not its "
                        "column's"
                      : "it has no key, and columns hide its row number (rowid, oid, _rowid_)");
    if (st == BO_OK && self->table->image_count > sq_stage_widest(self->conn))
        st = add_limit(self, "it has too many columns for single rows to be changed back: restore "
                             "brings the whole table back");
    if (st == BO_OK)
        st = sq_ask(self->conn, "PRAGMA main.encoding", NULL, &statement, self->err);
    if (st == BO_OK)
        st = sq_step(self->conn, statement, &row, self->err);
    if (st == BO_OK && row && strcmp((const char *)sqlite3_column_text(statement, 0), "UTF-8") != 0)
        st = add_limit(self,
            "text is read as UTF-8 from a UTF-16 database: surrogates without a pair are lost");
    return st;
}

static bo_status read_table(sq_describing *self)
{
    static bo_status (*const parts[])(sq_describing *) = {read_columns, sq_read_keys,
        sq_read_references, sq_read_referenced_by, read_attached, sq_read_views, sq_read_kept,
        read_sequence, read_limits};
    bo_status st = read_definition(self);
    for (size_t i = 0; st == BO_OK && i < sizeof parts / sizeof *parts; i++) {
        if (self->table->kind != 'v')
            st = parts[i](self);
    }
    return st;
}

bo_status sq_describe(
    bo_conn *conn, const char *name, bo_arena *arena, const bo_table **out, bo_error *err)
{
    const char *local = NULL;
    bo_status st = sq_parse_name(name, arena, &local, err);
    bo_table *table = bo_arena_alloc(arena, sizeof *table);
    if (st != BO_OK)
        return st;
    if (!table)
        return bo_nomem(err);
    *table = (bo_table){.schema = "main", .id = "", .encoding = BO_ENCODING_SQLITE};
    sq_describing self = {sq_of(conn), arena, table, err};
    st = find_table(&self, local, name);
    if (st != BO_OK)
        return st;
    st = read_table(&self);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot describe %s", name);
    table->row_hint = table->kind == 'r' && sq_rowid(table) && !sq_rowid_is_column(table);
    *out = table;
    return BO_OK;
}
