/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/rows.c - reading rows: scans and counts. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "driver/sqlite/sqlite.h"

static bool parse_bound(const char **text, char end, bool *given, int64_t *out)
{
    char *stop = NULL;
    *given = **text != end;
    errno = 0;
    if (*given)
        *out = strtoll(*text, &stop, 10);
    else
        stop = (char *)(uintptr_t)*text;
    if (errno || *stop != end)
        return false;
    *text = stop + (end != 0);
    return true;
}

/* Adds the condition of a range; nothing for all rows. */
static bo_status add_range(bo_buf *sql, const bo_table *table, bo_span range, bo_error *err)
{
    char text[64] = "";
    const char *rowid = sq_rowid(table);
    if (range.size == 0 || (range.size == 3 && memcmp(range.data, SQ_RANGE_ALL, 3) == 0))
        return BO_OK;
    if (range.size < sizeof text)
        memcpy(text, range.data, range.size);

    bool low = false, high = false;
    int64_t from = 0, to = 0;
    const char *p = text + 2;
    if (strncmp(text, "r:", 2) != 0 || !rowid || !parse_bound(&p, ':', &low, &from) ||
        !parse_bound(&p, 0, &high, &to))
        return bo_fail(err, BO_CORRUPT, "not a range of %s", table->name);
    if (low) {
        bo_buf_add_str(sql, " AND ");
        sq_quote(sql, rowid);
        bo_buf_printf(sql, " > %" PRId64, from);
    }
    if (high) {
        bo_buf_add_str(sql, " AND ");
        sq_quote(sql, rowid);
        bo_buf_printf(sql, " <= %" PRId64, to);
    }
    return BO_OK;
}

/* Rows of the same table come in the same order each time. */
static void add_order(bo_buf *sql, const bo_table *table, const char *name)
{
    const char *rowid = sq_rowid(table);
    const bo_key *key = table->row_key;
    if (rowid) {
        bo_buf_printf(sql, " ORDER BY %s.", name);
        sq_quote(sql, rowid);
        return;
    }
    for (uint16_t i = 0; key && i < key->count; i++) {
        bo_buf_printf(sql, i == 0 ? " ORDER BY %s." : ", %s.", name);
        sq_quote(sql, table->columns[key->columns[i]].name);
    }
}

/* The table goes by its own name, as the predicate calls it. */
static bo_status scan_sql(sq_conn *conn, const bo_scan *what, bo_buf *sql, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) name = {0};
    BO_OWN_VALUE(bo_buf) from = {0};
    sq_quote(&name, what->table->local);
    sq_quote_table(&from, what->table);
    bo_status st = bo_buf_check(&name, err);
    if (st == BO_OK)
        st = bo_buf_check(&from, err);
    if (st != BO_OK)
        return st;
    bo_buf_add_str(sql, "SELECT ");
    sq_image_list(sql, what->shape ? what->shape : what->table, what->table, bo_buf_str(&name));
    bo_buf_printf(sql, " FROM %s WHERE 1", bo_buf_str(&from));
    st = add_range(sql, what->table, what->range, err);
    if (st == BO_OK)
        st = sq_add_predicate(conn, sql, bo_buf_str(&from), what->table, what->predicate, err);
    add_order(sql, what->table, bo_buf_str(&name));
    return st;
}

bo_status sq_scan(bo_conn *conn, const bo_scan *what, bo_image_fn *each, void *ctx, bo_error *err)
{
    sq_conn *self = sq_of(conn);
    const bo_table *shape = what->shape ? what->shape : what->table;
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN_VALUE(bo_buf) image = {0};
    BO_OWN(sqlite3_stmt) *statement = NULL;
    bo_status st = scan_sql(self, what, &sql, err);
    if (st == BO_OK)
        st = sq_prepare_buf(self, &sql, &statement, err);
    while (st == BO_OK) {
        bool row = false;
        st = sq_step(self, statement, &row, err);
        if (st != BO_OK || !row)
            break;
        bo_buf_clear(&image);
        st = sq_image_read(statement, 0, sq_value_count(shape), &image, err);
        if (st == BO_OK)
            st = each(ctx, (bo_image){image.data, image.size}, err);
    }
    return st;
}

bo_status sq_count(
    bo_conn *conn, const bo_table *table, const char *predicate, uint64_t *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN_VALUE(bo_buf) from = {0};
    sq_quote_table(&from, table);
    bo_status st = bo_buf_check(&from, err);
    if (st != BO_OK)
        return st;
    bo_buf_printf(&sql, "SELECT count(*) FROM %s WHERE 1", bo_buf_str(&from));
    st = sq_add_predicate(sq_of(conn), &sql, bo_buf_str(&from), table, predicate, err);
    int64_t count = 0;
    if (st == BO_OK)
        st = sq_number(sq_of(conn), &sql, &count, err);
    if (st == BO_OK)
        *out = (uint64_t)count;
    return st;
}
