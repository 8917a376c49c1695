/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/rows.c - reading rows: ranges of blocks, scans, counts, estimates.
 *
 * A range is a cell of a fixed grid of 512 blocks of one table without partitions (a leaf):
 * "<oid>:<first block>:<last block, exclusive>".  Cells are whole whatever the table's size was, so
 * a row is in exactly one cell for as long as it stays where it is, and a cell that was read half
 * empty has its later rows too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "driver/postgres/pg.h"

#define CELL_BLOCKS     512u
#define RANGE_TEXT_SIZE 48

typedef struct cell {
    uint32_t leaf;
    uint32_t from; /* block */
    uint32_t to;
} cell;

/* ---- ids of ranges ---- */

static bool read_number(const char **at, char end, uint32_t *out)
{
    const char *c = *at;
    uint64_t value = 0;
    while (*c >= '0' && *c <= '9' && value <= UINT32_MAX)
        value = value * 10 + (uint64_t)(*c++ - '0');
    if (c == *at || *c != end || value > UINT32_MAX)
        return false;
    *at = c + 1;
    *out = (uint32_t)value;
    return true;
}

static bo_status read_cell(bo_span range, cell *out, bo_error *err)
{
    char text[RANGE_TEXT_SIZE] = "";
    const char *at = text;
    cell c = {0};
    if (range.size < sizeof text)
        memcpy(text, range.data, range.size);
    if (!read_number(&at, ':', &c.leaf) || !read_number(&at, ':', &c.from) ||
        !read_number(&at, '\0', &c.to))
        return bo_fail(err, BO_INVALID, "not the id of a range of rows");
    *out = c;
    return BO_OK;
}

static int compare_cells(const void *a, const void *b)
{
    const cell *x = a;
    const cell *y = b;
    if (x->leaf != y->leaf)
        return x->leaf < y->leaf ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

/* ---- ranges ---- */

/* The tables that hold the rows of $1, with their sizes in blocks. */
static const char leaves_sql[] =
    "SELECT c.oid, (pg_catalog.pg_relation_size(c.oid, 'main')"
    "   + pg_catalog.current_setting('block_size')::pg_catalog.int8 - 1)"
    "   / pg_catalog.current_setting('block_size')::pg_catalog.int8"
    " FROM pg_catalog.pg_class c"
    " WHERE c.relkind = 'r' AND (c.oid = $1::pg_catalog.oid OR c.oid IN"
    "   (SELECT relid FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid) WHERE isleaf))"
    " ORDER BY c.oid";

static bo_status give_leaf(uint32_t leaf, uint64_t blocks, const cell *known, size_t known_count,
    bo_range_fn *each, void *ctx, bo_error *err)
{
    bo_status st = BO_OK;
    for (uint64_t from = 0; from < blocks && st == BO_OK; from += CELL_BLOCKS) {
        uint64_t to = from + CELL_BLOCKS < UINT32_MAX ? from + CELL_BLOCKS : UINT32_MAX;
        cell c = {leaf, (uint32_t)from, (uint32_t)to};
        if (known_count > 0 && bsearch(&c, known, known_count, sizeof c, compare_cells))
            continue;
        char text[RANGE_TEXT_SIZE];
        int size =
            snprintf(text, sizeof text, "%" PRIu32 ":%" PRIu32 ":%" PRIu32, c.leaf, c.from, c.to);
        st = each(ctx, (bo_span){(const uint8_t *)text, (size_t)size}, err);
    }
    return st;
}

bo_status pg_ranges(bo_conn *base, const bo_table *table, const bo_span *known, size_t known_count,
    bo_range_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_MEM cell *cells = calloc(known_count + 1, sizeof *cells);
    if (!cells)
        return bo_nomem(err);
    bo_status st = BO_OK;
    for (size_t i = 0; i < known_count && st == BO_OK; i++)
        st = read_cell(known[i], &cells[i], err);
    if (st != BO_OK)
        return st;
    qsort(cells, known_count, sizeof *cells, compare_cells);

    BO_OWN(PGresult) *leaves = NULL;
    st = pg_ask(pg_of(base), leaves_sql, 1, &table->id, &leaves, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot tell how large %s is", table->name);
    for (int i = 0; i < PQntuples(leaves) && st == BO_OK; i++) {
        uint32_t leaf = (uint32_t)strtoul(PQgetvalue(leaves, i, 0), NULL, 10);
        uint64_t blocks = strtoull(PQgetvalue(leaves, i, 1), NULL, 10);
        st = give_leaf(leaf, blocks, cells, known_count, each, ctx, err);
    }
    return st;
}

/* ---- scans ---- */

typedef struct source {
    bo_buf from;  /* what follows FROM, aliased with the table's own name */
    bo_buf where; /* conditions, each with " AND " before it */
    bool gone;    /* the leaf is not the table's any more: no rows */
} source;

static void source_done(source *s)
{
    bo_buf_done(&s->from);
    bo_buf_done(&s->where);
}

static void add_alias(bo_buf *out, const bo_table *table)
{
    bo_buf_add_str(out, " AS ");
    pg_quote(out, table->local);
}

static void add_whole_table(bo_buf *out, const bo_table *table)
{
    if (table->kind != 'p')
        bo_buf_add_str(out, "ONLY ");
    pg_quote_table(out, table);
    add_alias(out, table);
}

/*
 * Reads the leaf itself, or, where only the partitioned table may be read, the leaf's rows through
 * it.
 */
static bo_status add_cell(
    pg_conn *conn, const bo_table *table, bo_span range, source *out, bo_error *err)
{
    static const char sql[] =
        "SELECT n.nspname, c.relname, pg_catalog.has_table_privilege(c.oid, 'SELECT')"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.oid = $2::pg_catalog.oid AND (c.oid = $1::pg_catalog.oid OR c.oid IN"
        "   (SELECT relid FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid)))";
    cell c = {0};
    bo_status st = read_cell(range, &c, err);
    if (st != BO_OK)
        return st;
    char leaf[16];
    (void)snprintf(leaf, sizeof leaf, "%" PRIu32, c.leaf);
    const char *params[] = {table->id, leaf};
    BO_OWN(PGresult) *found = NULL;
    st = pg_ask(conn, sql, 2, params, &found, err);
    if (st != BO_OK)
        return st;
    out->gone = PQntuples(found) == 0;
    if (out->gone)
        return BO_OK;
    if (PQgetvalue(found, 0, 2)[0] == 't') {
        bo_buf_add_str(&out->from, "ONLY ");
        pg_quote(&out->from, PQgetvalue(found, 0, 0));
        bo_buf_add_str(&out->from, ".");
        pg_quote(&out->from, PQgetvalue(found, 0, 1));
        add_alias(&out->from, table);
    } else {
        add_whole_table(&out->from, table);
        bo_buf_add_str(&out->where, " AND ");
        pg_quote(&out->where, table->local);
        bo_buf_printf(&out->where, ".tableoid OPERATOR(pg_catalog.=) %s", leaf);
    }
    BO_OWN_VALUE(bo_buf) ctid = {0};
    pg_quote(&ctid, table->local);
    bo_buf_printf(&out->where,
        " AND %s.ctid OPERATOR(pg_catalog.>=) '(%" PRIu32 ",0)'::pg_catalog.tid"
        " AND %s.ctid OPERATOR(pg_catalog.<) '(%" PRIu32 ",0)'::pg_catalog.tid",
        bo_buf_str(&ctid), c.from, bo_buf_str(&ctid), c.to);
    return bo_buf_check(&ctid, err);
}

void pg_add_predicate(bo_buf *out, const char *predicate)
{
    bo_buf_add_str(out, " AND (");
    bo_buf_add_str(out, predicate);
    bo_buf_add_str(out, "\n)"); /* the line's end closes a comment */
}

bo_status pg_blame_predicate(bo_status st, bo_error *err)
{
    if (st == BO_OK || st == BO_DENIED || !err || strncmp(err->sqlstate, "42", 2) != 0)
        return st;
    err->status = BO_INVALID;
    return BO_INVALID;
}

static bo_status check_shape(const bo_table *table, const bo_table *shape, bo_error *err)
{
    for (uint16_t i = 0; shape != table && i < shape->image_count; i++) {
        const char *name = shape->columns[shape->image_columns[i]].name;
        if (bo_table_column(table, name) < 0)
            return bo_fail(err, BO_CONFLICT, "column '%s' of %s was dropped", name, table->name);
    }
    return BO_OK;
}

/*
 * Names in a value (regclass) are written as the search path has it: the rows are chosen under the
 * users' path, all of them, and written under ours.
 */
static void add_chosen(
    bo_buf *sql, const pg_conn *conn, const bo_table *shape, const source *from, const char *alias)
{
    bo_buf_add_str(sql, "WITH chosen AS MATERIALIZED (SELECT ");
    pg_column_list(sql, shape, alias);
    bo_buf_printf(sql, " FROM %s WHERE true%s)", bo_buf_str(&from->from), bo_buf_str(&from->where));
    bo_buf_add_str(sql, ", pinned AS MATERIALIZED (SELECT pg_catalog.set_config('search_path', ");
    pg_quote_literal(sql, conn->path);
    bo_buf_add_str(sql, ", true) FROM (SELECT pg_catalog.count(*) FROM chosen) AS c) SELECT ");
    pg_image_list(sql, shape, alias);
    bo_buf_printf(sql, " FROM pinned, chosen AS %s", alias);
}

typedef struct scanning {
    pg_conn *conn;
    const bo_scan *what;
    source *from;
    bo_image_fn *each;
    void *ctx;
} scanning;

static bo_status copy_source(void *ctx, bo_error *err)
{
    const scanning *self = ctx;
    pg_conn *conn = self->conn;
    const bo_scan *what = self->what;
    const source *from = self->from;
    const bo_table *shape = what->shape ? what->shape : what->table;
    BO_OWN_VALUE(bo_buf) alias = {0};
    pg_quote(&alias, what->table->local);
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "COPY (");
    if (what->predicate && shape->encoding == BO_ENCODING_PG_TEXT && !conn->raw) {
        add_chosen(&sql, conn, shape, from, bo_buf_str(&alias));
    } else {
        bo_buf_add_str(&sql, "SELECT ");
        pg_image_list(&sql, shape, bo_buf_str(&alias));
        bo_buf_printf(
            &sql, " FROM %s WHERE true%s", bo_buf_str(&from->from), bo_buf_str(&from->where));
    }
    bo_buf_add_str(&sql, ") TO STDOUT (FORMAT binary)");
    bo_status st = bo_buf_check(&sql, err);
    if (st == BO_OK)
        st = bo_buf_check(&alias, err);
    return st == BO_OK
               ? pg_copy_images(conn, bo_buf_str(&sql), shape, 0, self->each, self->ctx, err)
               : st;
}

static bo_status scan_source(scanning *self, bo_error *err)
{
    if (!self->what->predicate)
        return copy_source(self, err);
    pg_add_predicate(&self->from->where, self->what->predicate);
    return pg_blame_predicate(pg_read_as_users(self->conn, copy_source, self, err), err);
}

bo_status pg_scan(bo_conn *base, const bo_scan *what, bo_image_fn *each, void *ctx, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    bo_status st = check_shape(what->table, what->shape ? what->shape : what->table, err);
    if (st == BO_OK && what->predicate)
        st = pg_check_predicate(what->predicate, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot read %s", what->table->name);

    BO_OWN_VALUE(source) from = {0};
    if (what->range.size == 0)
        add_whole_table(&from.from, what->table);
    else
        st = add_cell(conn, what->table, what->range, &from, err);
    if (st == BO_OK)
        st = bo_buf_check(&from.from, err);
    if (st == BO_OK)
        st = bo_buf_check(&from.where, err);
    scanning self = {conn, what, &from, each, ctx};
    if (st == BO_OK && !from.gone)
        st = scan_source(&self, err);
    if (st == BO_OK)
        return BO_OK;
    st = pg_denied_hint(conn, st, what->table, "SELECT", err);
    return bo_wrap(err, st, "cannot read %s", what->table->name);
}

/* ---- counts ---- */

static bo_status count_rows(
    pg_conn *conn, const bo_table *table, const char *predicate, uint64_t *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT pg_catalog.count(*) FROM ");
    add_whole_table(&sql, table);
    bo_buf_add_str(&sql, " WHERE true");
    if (predicate)
        pg_add_predicate(&sql, predicate);
    bo_status st = bo_buf_check(&sql, err);
    if (st != BO_OK)
        return st;
    BO_OWN(PGresult) *result = NULL;
    pg_statement counting = {conn, bo_buf_str(&sql), &result};
    if (predicate)
        st = pg_blame_predicate(pg_read_as_users(conn, pg_ask_statement, &counting, err), err);
    else
        st = pg_ask_statement(&counting, err);
    if (st == BO_OK)
        *out = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    return st;
}

bo_status pg_count(
    bo_conn *base, const bo_table *table, const char *predicate, uint64_t *out, bo_error *err)
{
    pg_conn *conn = pg_of(base);
    bo_status st = predicate ? pg_check_predicate(predicate, err) : BO_OK;
    if (st == BO_OK)
        st = count_rows(conn, table, predicate, out, err);
    if (st == BO_OK)
        return BO_OK;
    st = pg_denied_hint(conn, st, table, "SELECT", err);
    return bo_wrap(err, st, "cannot count the rows of %s", table->name);
}

/*
 * Every row version names the transaction that wrote it; a savepoint's has a later number than its
 * transaction.  Others cannot have written here since this transaction took its lock, so what is as
 * young as this transaction, or younger, is its own.  PostgreSQL manual, "System Columns".
 */
bo_status pg_written(
    bo_conn *base, const bo_table *now, uint64_t *rows_out, uint64_t *written_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql,
        "WITH own AS MATERIALIZED (SELECT pg_catalog.age(pg_catalog.pg_current_xact_id()::xid) a)"
        " SELECT pg_catalog.count(*), pg_catalog.count(*)"
        " FILTER (WHERE pg_catalog.age(xmin) <= (SELECT a FROM own)) FROM ");
    add_whole_table(&sql, now);
    BO_OWN(PGresult) *result = NULL;
    bo_status st = bo_buf_check(&sql, err);
    if (st == BO_OK)
        st = pg_ask(pg_of(base), bo_buf_str(&sql), 0, NULL, &result, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot count the rows of %s", now->name);
    *rows_out = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    *written_out = strtoull(PQgetvalue(result, 0, 1), NULL, 10);
    return BO_OK;
}

/* The density at the last ANALYZE times the size of now; 64 rows a block where there was none. */
bo_status pg_estimate(
    bo_conn *base, const bo_table *table, uint64_t *rows_out, uint64_t *bytes_out, bo_error *err)
{
    static const char sql[] =
        "SELECT COALESCE(pg_catalog.sum(CASE WHEN c.reltuples > 0 AND c.relpages > 0"
        "   THEN c.reltuples / c.relpages ELSE 64 END"
        "   * (pg_catalog.pg_relation_size(c.oid, 'main')"
        "   / pg_catalog.current_setting('block_size')::pg_catalog.int8))::pg_catalog.int8, 0),"
        " COALESCE(pg_catalog.sum(pg_catalog.pg_table_size(c.oid)), 0)"
        " FROM pg_catalog.pg_class c"
        " WHERE c.relkind = 'r' AND (c.oid = $1::pg_catalog.oid OR c.oid IN"
        "   (SELECT relid FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid) WHERE isleaf))";
    BO_OWN(PGresult) *result = NULL;
    bo_status st = pg_ask(pg_of(base), sql, 1, &table->id, &result, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot estimate the size of %s", table->name);
    *rows_out = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
    *bytes_out = strtoull(PQgetvalue(result, 0, 1), NULL, 10);
    return BO_OK;
}
