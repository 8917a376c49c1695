/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/describe_links.c - foreign keys in both directions, views on a table, and what
 * its triggers write to.
 */
#include <string.h>

#include "driver/sqlite/sqlite.h"

/* One row per column of a foreign key.  A parent's name and columns are as the parent has them,
 * not as the child spells them; no parent column means the parent's primary key. */
#define SELECT_REFERENCES                                                         \
    "SELECT m.name, coalesce(p.name, f.\"table\"), f.id, f.seq, f.\"from\","      \
    " coalesce((SELECT x.name FROM pragma_table_xinfo(f.\"table\", 'main') x"     \
    "           WHERE CASE WHEN f.\"to\" IS NULL THEN x.pk = f.seq + 1"           \
    "                 ELSE x.name = f.\"to\" COLLATE NOCASE END), f.\"to\", '')," \
    " f.on_delete, f.on_update"                                                   \
    " FROM main.sqlite_schema m, pragma_foreign_key_list(m.name, 'main') f"       \
    " LEFT JOIN main.sqlite_schema p ON p.type = 'table'"                         \
    "  AND p.name = f.\"table\" COLLATE NOCASE"                                   \
    " WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%'"

/* Of thousands of tables few are looked into: whose definition has the name of the parent in it.
 * A name with a quote is written in several ways. */
#define NAMES_PARENT " AND (m.sql LIKE '%' || $1 || '%' OR $1 GLOB '*[\"''`]*')"

static char action_of(const char *text)
{
    static const struct {
        const char *text;
        char action;
    } actions[] = {{"CASCADE", 'c'}, {"SET NULL", 'n'}, {"SET DEFAULT", 'd'}, {"RESTRICT", 'r'}};
    for (size_t i = 0; text && i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(text, actions[i].text) == 0)
            return actions[i].action;
    }
    return 'a';
}

static const char *display_copy(sq_describing *self, sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    const char *name = text ? sq_display_name(self->arena, text) : NULL;
    if (!name)
        bo_nomem(self->err);
    return name;
}

static bo_status begin_reference(sq_describing *self, sqlite3_stmt *statement, bo_foreign_key *key)
{
    key->name = bo_arena_printf(self->arena, "fk%d", sqlite3_column_int(statement, 2));
    key->child = display_copy(self, statement, 0);
    key->parent = display_copy(self, statement, 1);
    if (!key->name || !key->child || !key->parent)
        return bo_nomem(self->err);
    key->on_delete = action_of((const char *)sqlite3_column_text(statement, 6));
    key->on_update = action_of((const char *)sqlite3_column_text(statement, 7));
    key->validated = true;
    return BO_OK;
}

static bo_status add_pair(sq_describing *self, sqlite3_stmt *statement, bo_foreign_key *key)
{
    const char **child =
        sq_grow(self, (void *)(uintptr_t)key->child_columns, key->count, sizeof *child);
    const char **parent =
        sq_grow(self, (void *)(uintptr_t)key->parent_columns, key->count, sizeof *parent);
    if (!child || !parent)
        return BO_NOMEM;
    bo_status st = sq_copy(self, statement, 4, &child[key->count]);
    if (st == BO_OK)
        st = sq_copy(self, statement, 5, &parent[key->count]);
    key->count++;
    key->child_columns = child;
    key->parent_columns = parent;
    return st;
}

static bo_status read_references(
    sq_describing *self, const char *sql, const bo_foreign_key **keys_out, uint16_t *count_out)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_foreign_key *keys = NULL;
    uint16_t count = 0;
    bo_status st = sq_ask(self->conn, sql, self->table->local, &statement, self->err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(self->conn, statement, &row, self->err);
        if (st != BO_OK || !row)
            break;
        if (sqlite3_column_int(statement, 3) == 0) {
            keys = sq_grow(self, keys, count, sizeof *keys);
            if (!keys)
                return BO_NOMEM;
            st = begin_reference(self, statement, &keys[count++]);
        }
        if (st == BO_OK)
            st = add_pair(self, statement, &keys[count - 1]);
    }
    *keys_out = keys;
    *count_out = count;
    return st;
}

bo_status sq_read_references(sq_describing *self)
{
    return read_references(self, SELECT_REFERENCES " AND m.name = $1 ORDER BY f.id, f.seq",
        &self->table->foreign_keys, &self->table->foreign_key_count);
}

bo_status sq_read_referenced_by(sq_describing *self)
{
    return read_references(self,
        SELECT_REFERENCES NAMES_PARENT
        " AND f.\"table\" = $1 COLLATE NOCASE ORDER BY m.name, f.id, f.seq",
        &self->table->referenced_by, &self->table->referenced_count);
}

/* Which tables a statement reads is what SQLite asks its authorizer. */
typedef struct reads {
    const char *table;
    bool found;
} reads;

static int note_read(void *ctx, int action, const char *first, const char *second,
    const char *database, const char *view)
{
    (void)second;
    (void)view;
    reads *self = ctx;
    if (action == SQLITE_READ && database && strcmp(database, "main") == 0 &&
        strcmp(first, self->table) == 0)
        self->found = true;
    return SQLITE_OK;
}

static bo_status view_reads(sq_describing *self, const char *view, bool *out)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT * FROM main.");
    sq_quote(&sql, view);
    if (sql.failed)
        return bo_nomem(self->err);
    reads seen = {.table = self->table->local};
    BO_OWN(sqlite3_stmt) *statement = NULL;
    sqlite3_set_authorizer(self->conn->db, note_read, &seen);
    int rc = sqlite3_prepare_v2(self->conn->db, bo_buf_str(&sql), -1, &statement, NULL);
    sqlite3_set_authorizer(self->conn->db, NULL, NULL);
    *out = seen.found; /* a view that is broken already reads nothing */
    return (rc & 0xff) == SQLITE_NOMEM ? bo_nomem(self->err) : BO_OK;
}

bo_status sq_read_views(sq_describing *self)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    const char **views = NULL;
    bo_status st =
        sq_ask(self->conn, "SELECT name FROM main.sqlite_schema WHERE type = 'view' ORDER BY name",
            NULL, &statement, self->err);
    while (st == BO_OK) {
        bool row = false, found = false;
        st = sq_step(self->conn, statement, &row, self->err);
        if (st != BO_OK || !row)
            break;
        const char *name = NULL;
        st = sq_copy(self, statement, 0, &name);
        if (st == BO_OK)
            st = view_reads(self, name, &found);
        if (st != BO_OK || !found)
            continue;
        views = sq_grow(self, views, self->table->view_count, sizeof *views);
        if (!views)
            return BO_NOMEM;
        views[self->table->view_count] = sq_display_name(self->arena, name);
        if (!views[self->table->view_count++])
            return bo_nomem(self->err);
    }
    self->table->views = views;
    return st;
}

/* ---- what triggers write to ---- */

typedef struct writes {
    sq_describing *of;
    const char **names; /* of tables and views, as they are in the schema */
    uint16_t count;
    bool failed;
} writes;

static int note_write(void *ctx, int action, const char *first, const char *second,
    const char *database, const char *trigger)
{
    (void)second;
    writes *self = ctx;
    const bool is_write =
        action == SQLITE_INSERT || action == SQLITE_UPDATE || action == SQLITE_DELETE;
    if (!is_write || !trigger || strncmp(trigger, SQ_JOURNAL, strlen(SQ_JOURNAL)) == 0 ||
        !database || strcmp(database, "main") != 0 || strcmp(first, self->of->table->local) == 0)
        return SQLITE_OK;
    for (uint16_t i = 0; i < self->count; i++)
        if (strcmp(self->names[i], first) == 0)
            return SQLITE_OK;
    const char **names =
        bo_arena_grow(self->of->arena, self->names, self->count, sizeof *self->names);
    const char *name = bo_arena_str(self->of->arena, first);
    self->failed |= !names || !name;
    if (names && name) {
        names[self->count++] = name;
        self->names = names;
    }
    return SQLITE_OK;
}

/* Nothing is executed.  A trigger that cannot be compiled here writes to nothing that is known. */
static bo_status compile_writes(writes *self, const char *sql)
{
    static const int options[] = {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_DQS_DML};
    enum { OPTIONS = sizeof options / sizeof *options };
    sqlite3 *db = self->of->conn->db;
    int were[OPTIONS], now = 0;
    for (size_t i = 0; i < OPTIONS; i++) {
        sqlite3_db_config(db, options[i], -1, &were[i]);
        sqlite3_db_config(db, options[i], 1, &now);
    }
    BO_OWN(sqlite3_stmt) *statement = NULL;
    sqlite3_set_authorizer(db, note_write, self);
    const int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    sqlite3_set_authorizer(db, NULL, NULL);
    for (size_t i = 0; i < OPTIONS; i++)
        sqlite3_db_config(db, options[i], were[i], &now);
    return self->failed || (rc & 0xff) == SQLITE_NOMEM ? bo_nomem(self->of->err) : BO_OK;
}

static void add_update(bo_buf *sql, const bo_table *table)
{
    bo_buf_add_str(sql, "UPDATE ");
    sq_quote_table(sql, table);
    for (uint16_t i = 0; i < table->image_count; i++) {
        bo_buf_add_str(sql, i == 0 ? " SET " : ", ");
        sq_quote(sql, table->columns[table->image_columns[i]].name);
        bo_buf_add_str(sql, " = NULL");
    }
}

/* Of what is written to, the tables. */
static bo_status add_kept(sq_describing *self, const char *local)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_table *table = self->table;
    bool row = false;
    bo_status st =
        sq_ask(self->conn, "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = $1",
            local, &statement, self->err);
    if (st == BO_OK)
        st = sq_step(self->conn, statement, &row, self->err);
    if (st != BO_OK || !row)
        return st;
    const char **kept =
        sq_grow(self, (void *)(uintptr_t)table->kept, table->kept_count, sizeof *kept);
    const char *name = kept ? sq_display_name(self->arena, local) : NULL;
    if (!name)
        return bo_nomem(self->err);
    kept[table->kept_count++] = name;
    table->kept = kept;
    return BO_OK;
}

bo_status sq_read_kept(sq_describing *self)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    writes seen = {.of = self};
    bo_status st = BO_OK;
    for (int i = 0; st == BO_OK && self->table->trigger_count > 0 && i < 3; i++) {
        bo_buf_clear(&sql);
        if (i == 2)
            add_update(&sql, self->table);
        else {
            bo_buf_add_str(&sql, i == 0 ? "INSERT INTO " : "DELETE FROM ");
            sq_quote_table(&sql, self->table);
            bo_buf_add_str(&sql, i == 0 ? " DEFAULT VALUES" : "");
        }
        st = sql.failed ? bo_nomem(self->err) : compile_writes(&seen, bo_buf_str(&sql));
    }
    for (uint16_t i = 0; st == BO_OK && i < seen.count; i++)
        st = add_kept(self, seen.names[i]);
    return st;
}
