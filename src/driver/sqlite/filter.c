/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/filter.c - which images meet a user's condition, by asking SQLite.
 *
 * The images go into a temporary table with the names, affinities and collations of the shape's
 * columns, numbered.  It has no row number of its own: where the real table has one, `rowid` and
 * its other names are columns too.  Generated columns are computed by a second temporary table,
 * the real definition, that holds one row at a time.  All of it happens behind a savepoint that is
 * always rolled back to: nothing of it remains, and an open transaction goes on.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "driver/sqlite/sqlite.h"

#define CREATE_TABLE "CREATE TABLE " /* how SQLite itself begins every stored definition */

typedef struct filter {
    sq_conn *conn;
    const bo_table *shape;
    bo_buf name;        /* temp.backout_filter_1 */
    char number[32];    /* column: the number of the row */
    bool computed;      /* there are generated columns */
    sqlite3_stmt *mold; /* computed: one row into the real definition; $1...: its values */
    sqlite3_stmt *put;  /* $1: the number; then the values, or, from the mold, only the hint */
    sqlite3_stmt *wipe; /* computed: empties the mold */
} filter;

static void filter_done(filter *self)
{
    sqlite3_finalize(self->mold);
    sqlite3_finalize(self->put);
    sqlite3_finalize(self->wipe);
    bo_buf_done(&self->name);
}

static bool has_column(const bo_table *shape, const char *name)
{
    for (uint16_t i = 0; i < shape->column_count; i++) {
        if (bo_text_same(shape->columns[i].name, name))
            return true;
    }
    return false;
}

/* The names of the row number that no column hides; the hint is the first of them. */
static void add_rowids(bo_buf *sql, const bo_table *shape)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    const char *source = sq_rowid(shape);
    if (shape->row_hint && source)
        bo_buf_printf(sql, ", %s INTEGER", source);
    for (size_t i = 0; source && i < sizeof names / sizeof *names; i++) {
        if (has_column(shape, names[i]) || strcmp(names[i], source) == 0)
            continue;
        bo_buf_printf(sql, ", %s INTEGER AS (", names[i]);
        sq_quote(sql, source);
        bo_buf_add_str(sql, ")");
    }
}

static bo_status create_table(filter *self, bo_error *err)
{
    const bo_table *shape = self->shape;
    BO_OWN_VALUE(bo_buf) sql = {0};
    unsigned serial = 0;
    do
        (void)snprintf(self->number, sizeof self->number, "backout_row_%u", serial++);
    while (has_column(shape, self->number));
    bo_buf_printf(&self->name, "temp.backout_filter_%u", ++self->conn->serial);
    bo_buf_printf(
        &sql, CREATE_TABLE "%s (%s INTEGER PRIMARY KEY", bo_buf_str(&self->name), self->number);
    for (uint16_t i = 0; i < shape->column_count; i++) {
        const bo_column *column = &shape->columns[i];
        bo_buf_add_str(&sql, ", ");
        sq_quote(&sql, column->name);
        bo_buf_printf(&sql, " %s", sq_affinity(column->type, shape->strict));
        if (column->collation) {
            bo_buf_add_str(&sql, " COLLATE ");
            sq_quote(&sql, column->collation);
        }
        self->computed |= !column->in_image;
    }
    add_rowids(&sql, shape);
    bo_buf_add_str(&sql, ") WITHOUT ROWID");
    bo_status st = bo_buf_check(&self->name, err);
    return st == BO_OK ? sq_run_buf(self->conn, &sql, NULL, err) : st;
}

static void add_names(bo_buf *sql, const bo_table *shape, bool images_only)
{
    bool first = true;
    for (uint16_t i = 0; i < shape->column_count; i++) {
        if (images_only && !shape->columns[i].in_image)
            continue;
        bo_buf_add_str(sql, first ? "" : ", ");
        sq_quote(sql, shape->columns[i].name);
        first = false;
    }
}

static void add_parameters(bo_buf *sql, unsigned count)
{
    for (unsigned i = 1; i <= count; i++)
        bo_buf_printf(sql, "%s$%u", i == 1 ? "" : ", ", i);
}

/* Until it is dropped the mold hides the real table: the condition is not asked before. */
static bo_status create_mold(filter *self, bo_error *err)
{
    const bo_table *shape = self->shape;
    const char *definition = shape->definition;
    BO_OWN_VALUE(bo_buf) sql = {0};
    if (strncmp(definition, CREATE_TABLE, strlen(CREATE_TABLE)) != 0)
        return bo_fail(err, BO_UNSUPPORTED, "its generated columns cannot be computed");
    bo_buf_printf(&sql, CREATE_TABLE "temp.%s", definition + strlen(CREATE_TABLE));
    bo_status st = sq_run_buf(self->conn, &sql, NULL, err);
    if (st != BO_OK)
        return st;
    bo_buf_clear(&sql);
    bo_buf_add_str(&sql, "INSERT OR ABORT INTO temp.");
    sq_quote(&sql, shape->local);
    bo_buf_add_str(&sql, " (");
    add_names(&sql, shape, true);
    bo_buf_add_str(&sql, ") VALUES (");
    add_parameters(&sql, shape->image_count);
    bo_buf_add_str(&sql, ")");
    st = sq_prepare_buf(self->conn, &sql, &self->mold, err);
    if (st != BO_OK)
        return st;
    bo_buf_clear(&sql);
    bo_buf_add_str(&sql, "DELETE FROM temp.");
    sq_quote(&sql, shape->local);
    return sq_prepare_buf(self->conn, &sql, &self->wipe, err);
}

static bo_status prepare_put(filter *self, bo_error *err)
{
    const bo_table *shape = self->shape;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "INSERT INTO %s (%s, ", bo_buf_str(&self->name), self->number);
    add_names(&sql, shape, false);
    if (shape->row_hint)
        bo_buf_printf(&sql, ", %s", sq_rowid(shape));
    if (self->computed) {
        bo_buf_add_str(&sql, ") SELECT $1, ");
        add_names(&sql, shape, false);
        bo_buf_add_str(&sql, shape->row_hint ? ", $2 FROM temp." : " FROM temp.");
        sq_quote(&sql, shape->local);
    } else {
        bo_buf_add_str(&sql, ") VALUES (");
        add_parameters(&sql, sq_value_count(shape) + 1u);
        bo_buf_add_str(&sql, ")");
    }
    return sq_prepare_buf(self->conn, &sql, &self->put, err);
}

static bo_status bind_values(filter *self, sqlite3_stmt *statement, int first,
    const bo_value *values, unsigned count, bo_error *err)
{
    bo_status st = BO_OK;
    for (unsigned i = 0; st == BO_OK && i < count; i++)
        st = sq_value_bind(self->conn, statement, first + (int)i, values[i], err);
    return st;
}

static bo_status put_row(filter *self, sqlite3_int64 number, const bo_value *values, bo_error *err)
{
    const bo_table *shape = self->shape;
    bool row = false;
    bo_status st = BO_OK;
    if (self->computed) {
        st = bind_values(self, self->mold, 1, values, shape->image_count, err);
        if (st == BO_OK)
            st = sq_step(self->conn, self->mold, &row, err);
        values += shape->image_count;
    }
    if (st == BO_OK && sqlite3_bind_int64(self->put, 1, number) != SQLITE_OK)
        st = sq_error(self->conn, err, "cannot bind a value");
    unsigned count = self->computed ? shape->row_hint : sq_value_count(shape);
    if (st == BO_OK)
        st = bind_values(self, self->put, 2, values, count, err);
    if (st == BO_OK)
        st = sq_step(self->conn, self->put, &row, err);
    if (st == BO_OK && self->computed)
        st = sq_step(self->conn, self->wipe, &row, err);
    return st;
}

static bo_status fill_table(filter *self, bo_next_fn *next, void *next_ctx, bo_error *err)
{
    uint16_t count = sq_value_count(self->shape);
    BO_OWN_MEM bo_value *values = calloc(count + 1u, sizeof *values);
    if (!values)
        return bo_nomem(err);
    bo_status st = self->computed ? create_mold(self, err) : BO_OK;
    if (st == BO_OK)
        st = prepare_put(self, err);
    for (sqlite3_int64 number = 0; st == BO_OK; number++) {
        bo_image row = {0};
        bool end = false;
        st = next(next_ctx, &row, &end, err);
        if (st != BO_OK || end)
            break;
        st = sq_image_values(row, count, values, err);
        if (st == BO_OK)
            st = put_row(self, number, values, err);
    }
    if (st != BO_OK || !self->computed)
        return st;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "DROP TABLE temp.");
    sq_quote(&sql, self->shape->local);
    return sq_run_buf(self->conn, &sql, NULL, err);
}

static bo_status ask(filter *self, const char *predicate,
    bo_status (*each)(void *ctx, uint64_t row, bo_error *err), void *ctx, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) from = {0};
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_buf_printf(&from, "%s AS ", bo_buf_str(&self->name));
    sq_quote(&from, self->shape->local);
    bo_status st = bo_buf_check(&from, err);
    if (st != BO_OK)
        return st;
    bo_buf_printf(&sql, "SELECT %s FROM %s WHERE 1", self->number, bo_buf_str(&from));
    st = sq_add_predicate(self->conn, &sql, bo_buf_str(&from), self->shape, predicate, err);
    bo_buf_add_str(&sql, " ORDER BY 1");
    if (st == BO_OK)
        st = sq_prepare_buf(self->conn, &sql, &statement, err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(self->conn, statement, &row, err);
        if (st != BO_OK || !row)
            break;
        st = each(ctx, (uint64_t)sqlite3_column_int64(statement, 0), err);
    }
    return st;
}

static bo_status filter_rows(sq_conn *conn, const bo_table *shape, const char *predicate,
    bo_next_fn *next, void *next_ctx, bo_status (*each)(void *ctx, uint64_t row, bo_error *err),
    void *ctx, bo_error *err)
{
    BO_OWN_VALUE(filter) self = {.conn = conn, .shape = shape};
    bo_status st = create_table(&self, err);
    if (st == BO_OK)
        st = fill_table(&self, next, next_ctx, err);
    return st == BO_OK ? ask(&self, predicate, each, ctx, err) : st;
}

bo_status sq_filter(bo_conn *conn, const bo_table *shape, const char *predicate, bo_next_fn *next,
    void *next_ctx, bo_status (*each)(void *ctx, uint64_t row, bo_error *err), void *ctx,
    bo_error *err)
{
    bo_status st = sq_exec(conn, "SAVEPOINT backout_filter", err);
    if (st == BO_OK) {
        st = filter_rows(sq_of(conn), shape, predicate, next, next_ctx, each, ctx, err);
        /* gone already when SQLite itself has rolled the transaction back */
        bool open = !sqlite3_get_autocommit(sq_of(conn)->db);
        bo_status back = open ? sq_exec(conn, "ROLLBACK TO backout_filter; RELEASE backout_filter",
                                    st == BO_OK ? err : NULL)
                              : BO_OK;
        st = st == BO_OK ? back : st;
    }
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot choose rows of %s", shape->name);
}
