/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/rows.c - reading rows: ranges, scans, counts, estimates.
 *
 * A range is "r:LOW:HIGH": values of the primary key, one column of integers, above LOW up to and
 * with HIGH; each may be absent.  The outer ones are open, so every row there will ever be is in
 * one of them.  Of other tables the one range is "all".
 */
#include <string.h>

#include "base/text.h"
#include "driver/mariadb/my.h"

#define RANGE_ROWS 20000
#define RANGE_ALL  "all"
#define BOUND_SIZE 24 /* of -9223372036854775808 and 18446744073709551615 */

/* ---- ranges ---- */

/* The column of integers that ranges are cut by, or NULL. */
static const char *range_column(const bo_table *table)
{
    static const char *const integers[] = {"tinyint", "smallint", "mediumint", "int", "bigint"};
    const bo_key *key = table->keys; /* the primary key is the first */
    if (table->key_count == 0 || !key->primary || key->count != 1)
        return NULL;
    const bo_column *column = &table->columns[key->columns[0]];
    const size_t size = strcspn(column->type, "( ");
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        if (strlen(integers[i]) == size && strncmp(column->type, integers[i], size) == 0)
            return column->name;
    }
    return NULL;
}

static bo_status give_range(
    const char *low, const char *high, bo_range_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) id = {0};
    bo_buf_printf(&id, "r:%s:%s", low, high);
    bo_status st = bo_buf_check(&id, err);
    return st == BO_OK ? each(ctx, (bo_span){id.data, id.size}, err) : st;
}

/* The RANGE_ROWS-th key after `low`; "" when there are not so many. */
static bo_status next_bound(my_conn *conn, const bo_table *table, const char *column,
    const char *low, char high[BOUND_SIZE], bo_error *err)
{
    BO_OWN(MYSQL_RES) *found = NULL;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT ");
    my_quote(&sql, column);
    bo_buf_add_str(&sql, " + 0 FROM "); /* ZEROFILL has no part in it */
    my_quote_table(&sql, table);
    if (*low) {
        bo_buf_add_str(&sql, " WHERE ");
        my_quote(&sql, column);
        bo_buf_printf(&sql, " > %s", low);
    }
    bo_buf_add_str(&sql, " ORDER BY ");
    my_quote(&sql, column);
    bo_buf_printf(&sql, " LIMIT 1 OFFSET %d", RANGE_ROWS - 1);
    bo_status st = my_ask_buf(conn, &sql, &found, err);
    if (st != BO_OK)
        return st;
    MYSQL_ROW row = mysql_fetch_row(found);
    high[0] = '\0';
    if (row && row[0] && strlen(row[0]) < BOUND_SIZE)
        memcpy(high, row[0], strlen(row[0]) + 1);
    return BO_OK;
}

bo_status my_ranges(bo_conn *base, const bo_table *table, const bo_span *known, size_t known_count,
    bo_range_fn *each, void *ctx, bo_error *err)
{
    (void)known;
    if (known_count > 0)
        return BO_OK; /* they hold every row, see above */
    const char *column = range_column(table);
    if (!column)
        return each(ctx, (bo_span){(const uint8_t *)RANGE_ALL, strlen(RANGE_ALL)}, err);
    char low[BOUND_SIZE] = "", high[BOUND_SIZE] = "";
    for (;;) {
        bo_status st = next_bound(my_of(base), table, column, low, high, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot tell how large %s is", table->name);
        st = give_range(low, high, each, ctx, err);
        if (st != BO_OK || !high[0])
            return st;
        memcpy(low, high, sizeof low);
    }
}

/* Takes a bound up to `end`; false: it is no number. */
static bool take_bound(const char **at, char end, char out[BOUND_SIZE])
{
    size_t size = 0;
    while ((bo_text_is_digit(**at) || (size == 0 && **at == '-')) && size < BOUND_SIZE - 1)
        out[size++] = *(*at)++;
    out[size] = '\0';
    if (**at != end || strcmp(out, "-") == 0)
        return false;
    *at += end != '\0';
    return true;
}

static void add_bound(bo_buf *sql, const char *column, const char *operator, const char * bound)
{
    if (!*bound)
        return;
    bo_buf_add_str(sql, " AND ");
    my_quote(sql, column);
    bo_buf_printf(sql, " %s %s", operator, bound);
}

/* Adds the condition of a range; nothing for all rows.  The ranges are those of `shape`: the table
 * may have lost its key since. */
static bo_status add_range(
    bo_buf *sql, const bo_table *table, const bo_table *shape, bo_span range, bo_error *err)
{
    char text[64] = "", low[BOUND_SIZE], high[BOUND_SIZE];
    const char *column = range_column(shape);
    if (!column || bo_table_column(table, column) < 0)
        column = range_column(table);
    if (range.size == 0 || (range.size == 3 && memcmp(range.data, RANGE_ALL, 3) == 0))
        return BO_OK;
    if (range.size < sizeof text)
        memcpy(text, range.data, range.size);
    const char *at = text + 2;
    if (strncmp(text, "r:", 2) != 0 || !column || !take_bound(&at, ':', low) ||
        !take_bound(&at, '\0', high))
        return bo_fail(err, BO_CORRUPT, "not a range of %s", table->name);
    add_bound(sql, column, ">", low);
    add_bound(sql, column, "<=", high);
    return BO_OK;
}

/* ---- scans ---- */

typedef struct reader {
    uint16_t count;
    bo_image_fn *each;
    void *ctx;
    bo_buf image;
} reader;

static void reader_done(reader *r)
{
    bo_buf_done(&r->image);
}

static bo_status read_row(
    void *ctx, unsigned count, char **values, const unsigned long *sizes, bo_error *err)
{
    (void)count;
    reader *r = ctx;
    bo_buf_clear(&r->image);
    my_image_add(&r->image, values, sizes, 0, r->count);
    bo_status st = bo_buf_check(&r->image, err);
    return st == BO_OK ? r->each(r->ctx, (bo_image){r->image.data, r->image.size}, err) : st;
}

bo_status my_read_images(my_conn *conn, const bo_buf *sql, const bo_table *shape, bo_image_fn *each,
    void *ctx, bo_error *err)
{
    BO_OWN_VALUE(reader) r = {.count = shape->image_count, .each = each, .ctx = ctx};
    return my_stream(conn, sql, read_row, &r, err);
}

/* By primary key, which is the order on disk, rows come in the same order each time. */
static void add_order(bo_buf *sql, const bo_table *table)
{
    const bo_key *key = table->row_key;
    for (uint16_t i = 0; key && key->primary && i < key->count; i++) {
        bo_buf_add_str(sql, i == 0 ? " ORDER BY " : ", ");
        my_quote(sql, table->columns[key->columns[i]].name);
    }
}

/* The table goes by its own name, as the predicate calls it. */
static bo_status scan_sql(my_conn *conn, const bo_scan *what, bo_buf *sql, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) name = {0};
    BO_OWN_VALUE(bo_buf) from = {0};
    my_quote(&name, what->table->local);
    my_quote_table(&from, what->table);
    bo_buf_add_str(sql, "SELECT ");
    const bo_table *shape = what->shape ? what->shape : what->table;
    my_image_list(sql, shape, what->table, bo_buf_str(&name));
    bo_buf_printf(sql, " FROM %s WHERE 1", bo_buf_str(&from));
    bo_status st = add_range(sql, what->table, shape, what->range, err);
    if (st == BO_OK)
        st = bo_buf_check(&name, err);
    if (st == BO_OK)
        st = bo_buf_check(&from, err);
    if (st == BO_OK)
        st = my_check_predicate(conn, bo_buf_str(&from), what->table, what->predicate, err);
    my_add_predicate(sql, what->predicate);
    add_order(sql, what->table);
    return st;
}

bo_status my_scan(bo_conn *base, const bo_scan *what, bo_image_fn *each, void *ctx, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_status st = scan_sql(conn, what, &sql, err);
    if (st == BO_OK && what->predicate)
        st = my_set_mode(conn, true, err);
    if (st == BO_OK) {
        st = my_read_images(conn, &sql, what->shape ? what->shape : what->table, each, ctx, err);
        bo_status back = what->predicate ? my_set_mode(conn, false, st == BO_OK ? err : NULL) : st;
        st = st == BO_OK ? back : st;
    }
    if (st == BO_OK)
        return BO_OK;
    st = my_denied_hint(conn, st, what->table, "SELECT", err);
    return bo_wrap(err, st, "cannot read %s", what->table->name);
}

/* ---- counts ---- */

bo_status my_count(
    bo_conn *base, const bo_table *table, const char *predicate, uint64_t *out, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN_VALUE(bo_buf) from = {0};
    my_quote_table(&from, table);
    bo_buf_printf(&sql, "SELECT COUNT(*) FROM %s WHERE 1", bo_buf_str(&from));
    my_add_predicate(&sql, predicate);
    bo_status st = bo_buf_check(&from, err);
    if (st == BO_OK)
        st = my_check_predicate(conn, bo_buf_str(&from), table, predicate, err);
    if (st == BO_OK && predicate)
        st = my_set_mode(conn, true, err);
    if (st == BO_OK) {
        st = my_ask_count(conn, &sql, out, err);
        bo_status back = predicate ? my_set_mode(conn, false, st == BO_OK ? err : NULL) : st;
        st = st == BO_OK ? back : st;
    }
    if (st == BO_OK)
        return BO_OK;
    st = my_denied_hint(conn, st, table, "SELECT", err);
    return bo_wrap(err, st, "cannot count the rows of %s", table->name);
}

bo_status my_estimate(
    bo_conn *base, const bo_table *table, uint64_t *rows_out, uint64_t *bytes_out, bo_error *err)
{
    BO_OWN(MYSQL_RES) *found = NULL;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "SELECT COALESCE(TABLE_ROWS, 0), COALESCE(DATA_LENGTH, 0)"
                         " FROM information_schema.TABLES WHERE TABLE_SCHEMA = ");
    my_quote_literal(&sql, table->schema);
    bo_buf_add_str(&sql, " AND TABLE_NAME = ");
    my_quote_literal(&sql, table->local);
    bo_status st = my_ask_buf(my_of(base), &sql, &found, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot estimate the size of %s", table->name);
    MYSQL_ROW row = mysql_fetch_row(found);
    *rows_out = row ? strtoull(row[0], NULL, 10) : 0;
    *bytes_out = row ? strtoull(row[1], NULL, 10) : 0;
    return BO_OK;
}
