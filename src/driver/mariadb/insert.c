/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/insert.c - images on their way into tables.
 *
 * A statement is prepared once and executed for a batch of rows in one packet: the bulk execution
 * of MariaDB's protocol, with the values of one column side by side.  A row that is larger than a
 * batch goes alone and value by value, because the server limits the size of a packet.
 */
#include <string.h>

#include "driver/mariadb/my.h"

#define BATCH_ROWS   1000u
#define BATCH_VALUES 65536u
#define BATCH_BYTES  1048576u

/* The rows of one packet, and where each value of them is; column by column. */
typedef struct batch {
    uint16_t count; /* values of a row */
    unsigned most;  /* rows */
    size_t limit;   /* bytes: of the rows together, and of a piece of a large value */
    unsigned rows;
    bo_buf bytes;      /* images, one after another */
    size_t *offsets;   /* of the images */
    const void **data; /* count x most */
    unsigned long *sizes;
    char *indicators;
    MYSQL_BIND *binds;
    bo_value *values;
} batch;

static void batch_done(batch *b)
{
    bo_buf_done(&b->bytes);
    free(b->offsets);
    free(b->data);
    free(b->sizes);
    free(b->indicators);
    free(b->binds);
    free(b->values);
}

static bo_status batch_begin(batch *b, const my_conn *conn, uint16_t count, bo_error *err)
{
    b->limit = conn->packet && conn->packet / 2 < BATCH_BYTES ? conn->packet / 2 : BATCH_BYTES;
    const unsigned fit = BATCH_VALUES / (count > 0 ? count : 1u);
    b->count = count;
    b->most = fit < 1 ? 1 : fit > BATCH_ROWS ? BATCH_ROWS : fit;
    const size_t cells = (size_t)b->most * count + 1;
    b->offsets = calloc(b->most, sizeof *b->offsets);
    b->data = calloc(cells, sizeof *b->data);
    b->sizes = calloc(cells, sizeof *b->sizes);
    b->indicators = calloc(cells, sizeof *b->indicators);
    b->binds = calloc((size_t)count + 1, sizeof *b->binds);
    b->values = calloc((size_t)count + 1, sizeof *b->values);
    if (!b->offsets || !b->data || !b->sizes || !b->indicators || !b->binds || !b->values)
        return bo_nomem(err);
    for (uint16_t i = 0; i < count; i++) {
        const size_t at = (size_t)i * b->most;
        b->binds[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_BLOB,
            .buffer = (void *)&b->data[at],
            .length = &b->sizes[at],
            .u.indicator = &b->indicators[at]};
    }
    return BO_OK;
}

/* The buffer of the images has its final place only now. */
static void point_at_values(batch *b)
{
    for (unsigned row = 0; row < b->rows; row++) {
        const size_t from = b->offsets[row];
        bo_image_values((bo_image){b->bytes.data + from, b->bytes.size - from}, b->values);
        for (uint16_t i = 0; i < b->count; i++) {
            const size_t at = (size_t)i * b->most + row;
            const bool null = b->values[i].size < 0;
            b->data[at] = null ? "" : (const void *)b->values[i].data;
            b->sizes[at] = null ? 0 : (unsigned long)b->values[i].size;
            b->indicators[at] = null ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
        }
    }
}

/* Large values go before the statement, in pieces. */
static bool send_value(MYSQL_STMT *statement, unsigned number, bo_value value, int32_t piece)
{
    for (int32_t at = 0; at < value.size;) {
        const int32_t left = value.size - at;
        const int32_t size = left < piece ? left : piece;
        if (mysql_stmt_send_long_data(
                statement, number, (const char *)value.data + at, (unsigned long)size))
            return false;
        at += size;
    }
    return true;
}

/* The only row of the batch, whose values were pointed at. */
static bool execute_large(MYSQL_STMT *statement, batch *b)
{
    const unsigned none = 0;
    const int32_t piece = (int32_t)b->limit;
    BO_OWN_MEM MYSQL_BIND *binds = calloc((size_t)b->count + 1, sizeof *binds);
    if (!binds || mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &none))
        return false;
    for (uint16_t i = 0; i < b->count; i++) {
        const bool null = b->values[i].size < 0;
        binds[i] = (MYSQL_BIND){.buffer_type = null ? MYSQL_TYPE_NULL : MYSQL_TYPE_BLOB,
            .buffer = (void *)(uintptr_t)b->values[i].data,
            .buffer_length = null ? 0 : (unsigned long)b->values[i].size};
    }
    bool good = !mysql_stmt_bind_param(statement, binds);
    for (uint16_t i = 0; good && i < b->count; i++) {
        if (b->values[i].size > piece / (2 * b->count)) /* the others fit into one packet */
            good = send_value(statement, i, b->values[i], piece);
    }
    return good && mysql_stmt_execute(statement) == 0;
}

static bool execute_many(MYSQL_STMT *statement, batch *b)
{
    return !mysql_stmt_attr_set(statement, STMT_ATTR_ARRAY_SIZE, &b->rows) &&
           !mysql_stmt_bind_param(statement, b->binds) && mysql_stmt_execute(statement) == 0;
}

/* Sends the batch; `rows_out` counts on. */
static bo_status send_batch(
    my_conn *conn, MYSQL_STMT *statement, batch *b, uint64_t *rows_out, bo_error *err)
{
    bo_status st = bo_buf_check(&b->bytes, err);
    if (st != BO_OK || b->rows == 0)
        return st;
    point_at_values(b);
    const bool large = b->rows == 1 && b->bytes.size > b->limit;
    /* Without parameters there is nothing to send many of. */
    const unsigned times = b->count > 0 ? 1 : b->rows;
    for (unsigned i = 0; i < times; i++) {
        const bool good = b->count == 0 ? mysql_stmt_execute(statement) == 0
                          : large       ? execute_large(statement, b)
                                        : execute_many(statement, b);
        if (!good && mysql_stmt_errno(statement) == 0)
            return bo_nomem(err);
        if (!good)
            return my_statement_failure(conn, statement, err);
        *rows_out += mysql_stmt_affected_rows(statement);
    }
    bo_buf_clear(&b->bytes);
    b->rows = 0;
    return BO_OK;
}

static bo_status add_row(batch *b, bo_image row, bo_error *err)
{
    if (bo_image_count(row) != b->count)
        return bo_fail(err, BO_CORRUPT, "a row has another number of values than columns");
    b->offsets[b->rows++] = b->bytes.size;
    bo_buf_add(&b->bytes, row.data, row.size);
    return BO_OK;
}

static bo_status refuse_statements(my_conn *conn, bo_error *err)
{
    return my_wants_rows(
        conn, bo_fail(err, BO_DENIED, "the server writes a binary log of statements"), err);
}

bo_status my_insert(my_conn *conn, const bo_buf *sql, uint16_t count, bo_next_fn *next, void *ctx,
    uint64_t *rows_out, bo_error *err)
{
    BO_OWN_VALUE(batch) b = {0};
    BO_OWN(MYSQL_STMT) *statement = NULL;
    uint64_t rows = 0;
    bo_status st = conn->log == MY_LOG_STATEMENTS ? refuse_statements(conn, err)
                                                  : batch_begin(&b, conn, count, err);
    if (st == BO_OK)
        st = my_prepare(conn, sql, &statement, err);
    for (bool end = false; st == BO_OK && !end;) {
        bo_image row = {0};
        st = next(ctx, &row, &end, err);
        if (st != BO_OK)
            break;
        const bool full = b.rows == b.most || b.bytes.size + row.size > b.limit;
        if (end || full)
            st = send_batch(conn, statement, &b, &rows, err);
        if (st == BO_OK && !end)
            st = add_row(&b, row, err);
    }
    if (st == BO_OK && rows_out)
        *rows_out = rows;
    return st;
}

/* ---- temporary tables ---- */

bo_status my_temp_like(
    my_conn *conn, const bo_table *shape, const char *more, bo_buf *name_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) name = {0};
    BO_OWN_VALUE(bo_buf) sql = {0};
    my_quote(&name, conn->schema);
    bo_buf_printf(&name, ".`backout_temp_%u`", ++conn->serial);
    bo_buf_printf(&sql, "%sCREATE TEMPORARY TABLE %s (", my_strictly(conn->log == MY_LOG_MIXED),
        bo_buf_str(&name));
    bo_buf_add_str(&sql, more ? more : "");
    for (uint16_t i = 0; i < shape->image_count; i++) {
        const bo_column *column = &shape->columns[shape->image_columns[i]];
        bo_buf_add_str(&sql, i > 0 || more ? ", " : "");
        my_quote(&sql, column->name);
        my_add_type(&sql, column);
        bo_buf_add_str(&sql, " NULL");
    }
    if (shape->image_count == 0 && !more)
        bo_buf_add_str(&sql, "`backout_nothing` int NULL");
    bo_buf_add_str(&sql, ") ENGINE = InnoDB ROW_FORMAT = DYNAMIC");
    bo_status st = bo_buf_check(&name, err);
    if (st == BO_OK)
        st = my_run_buf(conn, &sql, NULL, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot make a temporary table");
    bo_buf_add_str(name_out, bo_buf_str(&name));
    return bo_buf_check(name_out, err);
}

void my_temp_drop(my_conn *conn, const bo_buf *name)
{
    if (name->size > 0)
        (void)my_run(conn, NULL, NULL, "DROP TEMPORARY TABLE IF EXISTS %s", bo_buf_str(name));
}
