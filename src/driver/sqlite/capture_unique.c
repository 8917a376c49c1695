/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/capture_unique.c - the rows that a REPLACE would remove, as conditions.
 *
 * SQLite tells the columns of an index, but of its expressions and its condition only the text of
 * CREATE INDEX, which is taken apart here.  Expressions of NEW are made from the same text over a
 * row with the names of the table's columns.
 */
#include <string.h>

#include "base/text.h"
#include "driver/sqlite/capture.h"

typedef struct piece {
    const char *text;
    size_t size;
} piece;

typedef struct collecting {
    sq_conn *conn;
    const bo_table *table;
    bo_arena *arena;
    sq_uniques *out;
    bo_error *err;
} collecting;

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static bool is_blank(const char *p)
{
    return strchr(" \t\r\n\f", *p) || strncmp(p, "--", 2) == 0 || strncmp(p, "/*", 2) == 0;
}

/* After the token, blank or comment that `p` is on. */
static const char *skip_token(const char *p)
{
    if (strncmp(p, "--", 2) == 0)
        return p + strcspn(p, "\n");
    if (strncmp(p, "/*", 2) == 0) {
        const char *end = strstr(p + 2, "*/");
        return end ? end + 2 : p + strlen(p);
    }
    if (is_word(*p)) {
        while (is_word(*p))
            p++;
        return p;
    }
    char quote = *p == '[' ? ']' : *p;
    if (!strchr("'\"`]", quote))
        return p + 1;
    for (p++; *p; p++) {
        if (*p == quote && (quote == ']' || p[1] != quote))
            return p + 1;
        if (*p == quote)
            p++;
    }
    return p;
}

static bool is_order(piece word)
{
    return (word.size == 3 && bo_text_same_part(word.text, "asc", 3)) ||
           (word.size == 4 && bo_text_same_part(word.text, "desc", 4));
}

/* The term that begins at `p`, without ASC or DESC; returns where the "," or ")" after it is. */
static const char *read_term(const char *p, piece *out)
{
    const char *start = p, *end = p;
    piece last = {p, 0};
    for (int depth = 0; *p && (depth > 0 || (*p != ',' && *p != ')'));) {
        depth += *p == '(' ? 1 : *p == ')' ? -1 : 0;
        const char *next = skip_token(p);
        if (!is_blank(p)) {
            last = (piece){p, (size_t)(next - p)};
            end = next;
        }
        p = next;
    }
    if (is_order(last))
        end = last.text;
    *out = (piece){start, (size_t)(end - start)};
    return p;
}

/* Term `wanted` of CREATE INDEX; `condition` gets what follows WHERE. False: it cannot be read. */
static bool read_index_sql(const char *sql, int wanted, piece *term, piece *condition)
{
    while (*sql && *sql != '(')
        sql = skip_token(sql);
    for (int i = 0; *sql == '(' || *sql == ','; i++) {
        piece found;
        sql = read_term(sql + 1, &found);
        if (i == wanted)
            *term = found;
    }
    if (*sql++ != ')')
        return false;
    while (*sql && is_blank(sql))
        sql = skip_token(sql);
    *condition = (piece){sql, strlen(sql)};
    if (condition->size == 0)
        return true;
    *condition = (piece){sql + 5, condition->size < 5 ? 0 : condition->size - 5};
    return bo_text_same_part(sql, "where", 5);
}

/* True when a column in `condition` is written with the table's name before it. */
static bool names_table(piece condition, const char *table)
{
    const size_t size = strlen(table);
    const char *name = NULL;
    for (const char *p = condition.text, *next; p < condition.text + condition.size; p = next) {
        next = skip_token(p);
        if (is_blank(p))
            continue;
        if (*p == '.' && name && bo_text_same_part(name, table, size))
            return true;
        const size_t quoted = strchr("'\"`[", *p) ? 1 : 0;
        name = (size_t)(next - p) == size + 2 * quoted ? p + quoted : NULL;
    }
    return false;
}

/* A REPLACE puts the default in the place of NULL first. */
static void add_new(bo_buf *out, const bo_column *column)
{
    bool replaced = column->not_null && column->default_expr;
    bo_buf_add_str(out, replaced ? "coalesce(NEW." : "NEW.");
    sq_quote(out, column->name);
    if (replaced)
        bo_buf_printf(out, ", (%s\n))", column->default_expr);
}

static void add_expression(bo_buf *out, const bo_table *table, piece term)
{
    bo_buf_printf(out, "(%.*s\n) = (SELECT (%.*s\n) FROM (SELECT ", (int)term.size, term.text,
        (int)term.size, term.text);
    for (uint16_t i = 0; i < table->column_count; i++) {
        bo_buf_add_str(out, i == 0 ? "" : ", ");
        add_new(out, &table->columns[i]);
        bo_buf_add_str(out, " AS ");
        sq_quote(out, table->columns[i].name);
    }
    bo_buf_add_str(out, "))");
}

static void add_column(collecting *self, bo_buf *out, uint16_t position, const char *collation)
{
    const bo_column *column = &self->table->columns[position];
    self->out->columns[position] = true;
    self->out->derived |= column->generated != BO_GENERATED_NO;
    sq_quote(out, column->name);
    bo_buf_add_str(out, " = ");
    add_new(out, column);
    if (collation && !bo_text_same(collation, column->collation ? column->collation : "BINARY")) {
        bo_buf_add_str(out, " COLLATE ");
        sq_quote(out, collation);
    }
}

static bo_status add_match(collecting *self, const bo_buf *match)
{
    sq_uniques *out = self->out;
    const char **matches =
        bo_arena_grow(self->arena, out->matches, out->count, sizeof *out->matches);
    const char *text = match->failed ? NULL : bo_arena_str(self->arena, bo_buf_str(match));
    if (!matches || !text)
        return bo_nomem(self->err);
    matches[out->count++] = text;
    out->matches = matches;
    return BO_OK;
}

static bo_status read_index(collecting *self, const char *name, const char *sql)
{
    BO_OWN(sqlite3_stmt) *statement = NULL;
    BO_OWN_VALUE(bo_buf) match = {0};
    piece condition = {"", 0};
    bo_status st = sq_ask(self->conn,
        "SELECT seqno, cid, coll FROM pragma_index_xinfo($1, 'main') WHERE \"key\" ORDER BY seqno",
        name, &statement, self->err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(self->conn, statement, &row, self->err);
        if (st != BO_OK || !row)
            break;
        int term = sqlite3_column_int(statement, 0), position = sqlite3_column_int(statement, 1);
        piece expression = {"", 0};
        bo_buf_add_str(&match, term == 0 ? "" : " AND ");
        if (sql && !read_index_sql(sql, term, &expression, &condition))
            return bo_fail(self->err, BO_UNSUPPORTED, "the index '%s' cannot be read", name);
        if (position >= 0) {
            add_column(
                self, &match, (uint16_t)position, (const char *)sqlite3_column_text(statement, 2));
            continue;
        }
        self->out->derived = true;
        add_expression(&match, self->table, expression);
    }
    if (condition.size > 0) {
        if (sq_hides_row(self->table) && names_table(condition, self->table->local))
            st = bo_fail(self->err, BO_UNSUPPORTED,
                "the condition of the index '%s' names its table, which is '%s'", name,
                self->table->local);
        self->out->derived = true;
        bo_buf_printf(&match, " AND (%.*s\n)", (int)condition.size, condition.text);
    }
    return st == BO_OK ? add_match(self, &match) : st;
}

static bo_status read_rowid(collecting *self)
{
    BO_OWN_VALUE(bo_buf) match = {0};
    const char *rowid = sq_rowid(self->table);
    if (!rowid)
        return BO_OK;
    if (sq_rowid_is_column(self->table))
        self->out->columns[self->table->row_key->columns[0]] = true;
    sq_quote(&match, rowid);
    bo_buf_add_str(&match, " = NEW.");
    sq_quote(&match, rowid);
    return add_match(self, &match);
}

bo_status sq_read_uniques(
    sq_conn *conn, const bo_table *table, bo_arena *arena, sq_uniques *out, bo_error *err)
{
    *out = (sq_uniques){0};
    collecting self = {conn, table, arena, out, err};
    out->columns = bo_arena_array(arena, table->column_count + 1u, sizeof *out->columns);
    if (!out->columns)
        return bo_nomem(err);
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = read_rowid(&self);
    if (st == BO_OK)
        st = sq_ask(conn,
            "SELECT l.name, s.sql FROM pragma_index_list($1, 'main') AS l LEFT JOIN"
            " main.sqlite_schema AS s ON s.type = 'index' AND s.name = l.name"
            " WHERE l.\"unique\" ORDER BY l.name",
            table->local, &statement, err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(conn, statement, &row, err);
        if (st != BO_OK || !row)
            break;
        st = read_index(&self, (const char *)sqlite3_column_text(statement, 0),
            (const char *)sqlite3_column_text(statement, 1));
    }
    return st;
}
