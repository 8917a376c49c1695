/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/ranges.c - dividing a table into ranges, and how many rows it has about.
 *
 * A range is "r:LOW:HIGH": row numbers above LOW up to and with HIGH, each may be absent.  The
 * outer ones are open, so every row there will ever be is in one of them.  "all" is every row.
 *
 * Both work without reading the table where its row numbers are dense, as they mostly are: some
 * of them are looked up, and how far it is from there to the next row tells how dense.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "driver/sqlite/sqlite.h"

#define RANGE_ROWS   20000
#define RANGE_PROBES 8
#define DENSE_GAP    4 /* numbers to the next row, on average: a range has a quarter of its rows */

#define COUNTED_ROWS 100000 /* up to here an estimate is a count */
#define PROBES       256
#define PROBES_HIT   64 /* fewer: what they tell is too vague */
#define SAMPLE_ROWS  1000

typedef struct row_numbers {
    sq_conn *conn;
    sqlite3_stmt *after; /* the one $2 rows behind the first above $1 */
    int64_t last;
    uint64_t seed;
} row_numbers;

static void row_numbers_done(row_numbers *self)
{
    sqlite3_finalize(self->after);
}
/* The row number `skip` rows behind the first above `from`. */
static bo_status look_up(
    row_numbers *self, int64_t from, int64_t skip, int64_t *out, bool *found_out, bo_error *err)
{
    sqlite3_bind_int64(self->after, 1, from);
    sqlite3_bind_int64(self->after, 2, skip);
    bo_status st = sq_step(self->conn, self->after, found_out, err);
    if (st == BO_OK && *found_out) {
        *out = sqlite3_column_int64(self->after, 0);
        sqlite3_reset(self->after);
    }
    return st;
}

static bo_status open_row_numbers(
    sq_conn *conn, const bo_table *table, row_numbers *out, bool *any_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(sqlite3_stmt) *last = NULL;
    const char *rowid = sq_rowid(table);
    bo_buf_add_str(&sql, "SELECT max(");
    sq_quote(&sql, rowid);
    bo_buf_add_str(&sql, ") FROM ");
    sq_quote_table(&sql, table);
    bo_status st = sq_prepare_buf(conn, &sql, &last, err);
    if (st == BO_OK)
        st = sq_step(conn, last, any_out, err);
    if (st != BO_OK)
        return st;
    *any_out = sqlite3_column_type(last, 0) != SQLITE_NULL;
    out->conn = conn;
    out->last = sqlite3_column_int64(last, 0);

    bo_buf_clear(&sql);
    bo_buf_add_str(&sql, "SELECT ");
    sq_quote(&sql, rowid);
    bo_buf_add_str(&sql, " FROM ");
    sq_quote_table(&sql, table);
    bo_buf_add_str(&sql, " WHERE ");
    sq_quote(&sql, rowid);
    bo_buf_add_str(&sql, " > $1 ORDER BY 1 LIMIT 1 OFFSET $2");
    return sq_prepare_buf(conn, &sql, &out->after, err);
}

/* A number that no pattern of the row numbers goes with: `first` or one of the next `span` - 1. */
static int64_t draw(row_numbers *self, int64_t first, uint64_t span)
{
    self->seed = self->seed * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
    return first + (int64_t)((self->seed >> 32) * span >> 32);
}

/* Whether the RANGE_ROWS numbers from `first` on, all below the last, are mostly rows. */
static bo_status is_dense(row_numbers *self, int64_t first, bool *out, bo_error *err)
{
    uint64_t gaps = 0;
    bo_status st = BO_OK;
    for (int i = 0; st == BO_OK && i < RANGE_PROBES; i++) {
        const int64_t probed = draw(self, first, RANGE_ROWS);
        int64_t next = probed;
        bool found = false;
        st = look_up(self, probed - 1, 0, &next, &found, err);
        gaps += (uint64_t)next - (uint64_t)probed;
    }
    *out = gaps <= DENSE_GAP * RANGE_PROBES;
    return st;
}

/* Where the range of the rows above `from` ends; *end_out: they are no more than one. */
static bo_status next_bound(
    row_numbers *self, int64_t from, int64_t *to, bool *end_out, bo_error *err)
{
    int64_t first = 0;
    bool found = false, dense = false;
    bo_status st = look_up(self, from, 0, &first, &found, err);
    *end_out = !found || (uint64_t)self->last - (uint64_t)first < RANGE_ROWS;
    if (st != BO_OK || *end_out)
        return st;
    st = is_dense(self, first, &dense, err);
    if (st != BO_OK)
        return st;
    if (dense) {
        *to = first + RANGE_ROWS - 1;
        return BO_OK;
    }
    st = look_up(self, from, RANGE_ROWS - 1, to, &found, err);
    *end_out = !found;
    return st;
}

static bo_status give_range(
    const char *low, const char *high, bo_range_fn *each, void *ctx, bo_error *err)
{
    char id[64];
    int size = snprintf(id, sizeof id, "r:%s:%s", low, high);
    return each(ctx, (bo_span){(const uint8_t *)id, (size_t)size}, err);
}

bo_status sq_ranges(bo_conn *conn, const bo_table *table, const bo_span *known, size_t known_count,
    bo_range_fn *each, void *ctx, bo_error *err)
{
    (void)known;
    if (known_count > 0)
        return BO_OK; /* they hold every row, see above */
    if (!sq_rowid(table))
        return each(ctx, (bo_span){(const uint8_t *)SQ_RANGE_ALL, strlen(SQ_RANGE_ALL)}, err);

    BO_OWN_VALUE(row_numbers) numbers = {0};
    char low[24] = "", high[24] = "";
    int64_t from = INT64_MIN;
    bool any = false;
    bo_status st = open_row_numbers(sq_of(conn), table, &numbers, &any, err);
    for (bool end = !any; st == BO_OK && !end;) {
        st = next_bound(&numbers, from, &from, &end, err);
        if (st != BO_OK || end)
            break;
        (void)snprintf(high, sizeof high, "%" PRId64, from);
        st = give_range(low, high, each, ctx, err);
        memcpy(low, high, sizeof low);
    }
    return st == BO_OK ? give_range(low, "", each, ctx, err) : st;
}

/* ---- estimates ---- */

/* Counts the rows, at most `limit`; 0: all of them. */
static bo_status count_up_to(
    sq_conn *conn, const bo_table *table, int limit, uint64_t *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    int64_t count = 0;
    bo_buf_add_str(&sql, "SELECT count(*) FROM (SELECT 1 FROM ");
    sq_quote_table(&sql, table);
    bo_buf_printf(&sql, " LIMIT %d)", limit);
    bo_status st = sq_number(conn, &sql, &count, err);
    if (st == BO_OK)
        *out = (uint64_t)count;
    return st;
}

/* The share of the row numbers that are rows, of some all over the table; *out 0: too few are. */
static bo_status count_by_probes(sq_conn *conn, const bo_table *table, uint64_t *out, bo_error *err)
{
    BO_OWN_VALUE(row_numbers) numbers = {0};
    bool any = false;
    int64_t first = 0;
    uint64_t hits = 0;
    bo_status st = open_row_numbers(conn, table, &numbers, &any, err);
    if (st == BO_OK)
        st = look_up(&numbers, INT64_MIN, 0, &first, &any, err);
    const uint64_t span = (uint64_t)numbers.last - (uint64_t)first;
    for (int i = 0; st == BO_OK && any && span < UINT32_MAX && i < PROBES; i++) {
        const int64_t probed = draw(&numbers, first, span);
        int64_t next = 0;
        bool found = false;
        st = look_up(&numbers, probed - 1, 0, &next, &found, err);
        hits += found && next == probed;
    }
    *out = hits < PROBES_HIT ? 0 : span * hits / PROBES;
    return st;
}

typedef struct sample {
    uint64_t rows;
    uint64_t bytes;
} sample;

static bo_status add_to_sample(void *ctx, bo_image row, bo_error *err)
{
    sample *self = ctx;
    self->rows++;
    self->bytes += row.size;
    /* enough was seen: this ends the scan and is no failure of it */
    return self->rows < SAMPLE_ROWS ? BO_OK : bo_fail(err, BO_INTERRUPTED, "enough");
}

bo_status sq_estimate(
    bo_conn *conn, const bo_table *table, uint64_t *rows_out, uint64_t *bytes_out, bo_error *err)
{
    uint64_t rows = 0, probed = 0;
    sample seen = {0};
    bo_scan what = {.table = table};
    bo_status st = count_up_to(sq_of(conn), table, COUNTED_ROWS, &rows, err);
    if (st == BO_OK && rows == COUNTED_ROWS) {
        if (sq_rowid(table))
            st = count_by_probes(sq_of(conn), table, &probed, err);
        if (st == BO_OK && probed == 0)
            st = sq_count(conn, table, NULL, &probed, err);
        rows = probed;
    }
    if (st == BO_OK)
        st = sq_scan(conn, &what, add_to_sample, &seen, err);
    if (st != BO_OK && seen.rows < SAMPLE_ROWS)
        return st;
    *rows_out = rows;
    *bytes_out = seen.rows > 0 ? rows * (seen.bytes / seen.rows) : 0;
    return BO_OK;
}
