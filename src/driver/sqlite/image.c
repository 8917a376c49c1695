/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/image.c - SQLite's values as bytes of an image, and back. */
#include <string.h>
#include <strings.h>

#include "driver/sqlite/sqlite.h"

static bool contains(const char *type, const char *word)
{
    return sqlite3_strlike(word, type, 0) == 0;
}

/* The five rules of "Datatypes In SQLite", section 3.1, and ANY of STRICT tables. */
const char *sq_affinity(const char *type, bool strict)
{
    if (strict && strcasecmp(type, "ANY") == 0)
        return "";
    if (contains(type, "%INT%"))
        return "INTEGER";
    if (contains(type, "%CHAR%") || contains(type, "%CLOB%") || contains(type, "%TEXT%"))
        return "TEXT";
    if (!*type || contains(type, "%BLOB%"))
        return "";
    if (contains(type, "%REAL%") || contains(type, "%FLOA%") || contains(type, "%DOUB%"))
        return "REAL";
    return "NUMERIC";
}

static bo_status add_bytes(bo_buf *out, uint8_t kind, const void *data, int size, bo_error *err)
{
    if (size == INT32_MAX)
        return bo_fail(err, BO_UNSUPPORTED, "a value is larger than 2 GiB");
    if (!bo_buf_reserve(out, (size_t)size + 5))
        return bo_nomem(err);
    bo_buf_add_u32(out, (uint32_t)size + 1);
    bo_buf_add_byte(out, kind);
    if (size > 0)
        bo_buf_add(out, data, (size_t)size);
    return BO_OK;
}

static bo_status read_value(sqlite3_stmt *statement, int column, bo_buf *out, bo_error *err)
{
    uint8_t fixed[9];
    const void *data = NULL;
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
        bo_image_add_null(out);
        return BO_OK;
    case SQLITE_INTEGER:
        fixed[0] = BO_SQLITE_INTEGER;
        bo_put_u64(fixed + 1, (uint64_t)sqlite3_column_int64(statement, column));
        bo_image_add(out, fixed, sizeof fixed);
        return BO_OK;
    case SQLITE_FLOAT: {
        double number = sqlite3_column_double(statement, column);
        uint64_t bits = 0;
        memcpy(&bits, &number, sizeof bits);
        fixed[0] = BO_SQLITE_REAL;
        bo_put_u64(fixed + 1, bits);
        bo_image_add(out, fixed, sizeof fixed);
        return BO_OK;
    }
    case SQLITE_TEXT: /* the pointer first: it settles the encoding that the size is of */
        data = sqlite3_column_text(statement, column);
        if (!data)
            return bo_nomem(err);
        return add_bytes(out, BO_SQLITE_TEXT, data, sqlite3_column_bytes(statement, column), err);
    default:
        data = sqlite3_column_blob(statement, column);
        if (!data && sqlite3_column_bytes(statement, column) > 0)
            return bo_nomem(err);
        return add_bytes(out, BO_SQLITE_BLOB, data, sqlite3_column_bytes(statement, column), err);
    }
}

bo_status sq_image_read(
    sqlite3_stmt *statement, int first, uint16_t count, bo_buf *out, bo_error *err)
{
    bo_image_begin(out, count);
    for (uint16_t i = 0; i < count; i++) {
        bo_status st = read_value(statement, first + i, out, err);
        if (st != BO_OK)
            return st;
    }
    return bo_buf_check(out, err);
}

bo_status sq_image_values(bo_image image, uint16_t count, bo_value *values, bo_error *err)
{
    size_t size = 0;
    bo_status st = bo_image_measure(image, &size, err);
    if (st != BO_OK)
        return st;
    if (size != image.size || bo_image_count(image) != count)
        return bo_fail(err, BO_CORRUPT, "an image has not the %u values of its table", count);
    bo_image_values(image, values);
    return BO_OK;
}

bo_status sq_value_bind(
    sq_conn *conn, sqlite3_stmt *statement, int index, bo_value value, bo_error *err)
{
    if (value.size < 0)
        return sqlite3_bind_null(statement, index) == SQLITE_OK
                   ? BO_OK
                   : sq_error(conn, err, "cannot bind a value");
    uint8_t kind = value.size > 0 ? value.data[0] : 0;
    bool fixed = kind == BO_SQLITE_INTEGER || kind == BO_SQLITE_REAL;
    if (kind < BO_SQLITE_INTEGER || kind > BO_SQLITE_BLOB || (fixed && value.size != 9))
        return bo_fail(err, BO_CORRUPT, "an image has a value that is not SQLite's");

    const uint8_t *data = value.data + 1;
    sqlite3_uint64 size = (sqlite3_uint64)value.size - 1;
    int rc = SQLITE_OK;
    if (kind == BO_SQLITE_INTEGER) {
        rc = sqlite3_bind_int64(statement, index, (sqlite3_int64)bo_get_u64(data));
    } else if (kind == BO_SQLITE_REAL) {
        uint64_t bits = bo_get_u64(data);
        double number = 0;
        memcpy(&number, &bits, sizeof number);
        rc = sqlite3_bind_double(statement, index, number);
    } else if (kind == BO_SQLITE_TEXT) {
        rc = sqlite3_bind_text64(
            statement, index, (const char *)data, size, SQLITE_STATIC, SQLITE_UTF8);
    } else {
        rc = sqlite3_bind_blob64(statement, index, data, size, SQLITE_STATIC);
    }
    return rc == SQLITE_OK ? BO_OK : sq_error(conn, err, "cannot bind a value");
}

void sq_image_list(bo_buf *out, const bo_table *shape, const bo_table *table, const char *alias)
{
    for (uint16_t i = 0; i < shape->image_count; i++) {
        const char *name = shape->columns[shape->image_columns[i]].name;
        if (i > 0)
            bo_buf_add_str(out, ", ");
        if (bo_table_column(table, name) < 0) {
            bo_buf_add_str(out, "NULL");
            continue;
        }
        bo_buf_printf(out, "%s.", alias);
        sq_quote(out, name);
    }
    if (!shape->row_hint)
        return;
    const char *rowid = sq_rowid(table);
    bo_buf_printf(out, rowid ? ", %s." : ", 0", alias);
    if (rowid)
        sq_quote(out, rowid);
}
