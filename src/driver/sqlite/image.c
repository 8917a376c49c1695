/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/image.c - SQLite's values as bytes of an image, and back. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "driver/sqlite/sqlite.h"

static bool contains(const char *type, const char *word)
{
    return sqlite3_strlike(word, type, 0) == 0;
}

/* The five rules of "Datatypes In SQLite", section 3.1, and ANY of STRICT tables. */
const char *sq_affinity(const char *type, bool strict)
{
    if (strict && bo_text_same(type, "ANY"))
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

enum { HEAD_SIZE = 4 + 1, NUMBER_SIZE = HEAD_SIZE + 8 }; /* length and class; with a number */

/* Adds a number; the caller has made room. */
static void put_number(bo_buf *out, uint8_t kind, uint64_t bits)
{
    uint8_t *at = out->data + out->size;
    bo_put_u32(at, 1 + 8);
    at[4] = kind;
    bo_put_u64(at + HEAD_SIZE, bits);
    out->size += NUMBER_SIZE;
}

/* Leaves the room that there was. */
static bo_status put_bytes(
    bo_buf *out, size_t room, uint8_t kind, const void *data, int size, bo_error *err)
{
    if (size == INT32_MAX)
        return bo_fail(err, BO_UNSUPPORTED, "a value is larger than 2 GiB");
    if (!bo_buf_reserve(out, HEAD_SIZE + (size_t)size + room))
        return bo_nomem(err);
    uint8_t *at = out->data + out->size;
    bo_put_u32(at, (uint32_t)size + 1);
    at[4] = kind;
    if (size > 0)
        memcpy(at + HEAD_SIZE, data, (size_t)size);
    out->size += HEAD_SIZE + (size_t)size;
    return BO_OK;
}

/* `room` bytes are there, enough if it is a number. */
static bo_status read_value(sqlite3_value *value, bo_buf *out, size_t room, bo_error *err)
{
    const void *data = NULL;
    switch (sqlite3_value_type(value)) {
    case SQLITE_NULL:
        bo_put_u32(out->data + out->size, UINT32_MAX);
        out->size += HEAD_SIZE - 1;
        return BO_OK;
    case SQLITE_INTEGER:
        put_number(out, BO_SQLITE_INTEGER, (uint64_t)sqlite3_value_int64(value));
        return BO_OK;
    case SQLITE_FLOAT: {
        double number = sqlite3_value_double(value);
        uint64_t bits = 0;
        memcpy(&bits, &number, sizeof bits);
        put_number(out, BO_SQLITE_REAL, bits);
        return BO_OK;
    }
    case SQLITE_TEXT: /* the pointer first: it settles the encoding that the size is of */
        data = sqlite3_value_text(value);
        if (!data)
            return bo_nomem(err);
        return put_bytes(out, room, BO_SQLITE_TEXT, data, sqlite3_value_bytes(value), err);
    default:
        data = sqlite3_value_blob(value);
        if (!data && sqlite3_value_bytes(value) > 0)
            return bo_nomem(err);
        return put_bytes(out, room, BO_SQLITE_BLOB, data, sqlite3_value_bytes(value), err);
    }
}

bo_status sq_image_read(
    sqlite3_stmt *statement, int first, uint16_t count, bo_buf *out, bo_error *err)
{
    const size_t room = (size_t)count * NUMBER_SIZE;
    bo_image_begin(out, count);
    if (!bo_buf_reserve(out, room))
        return bo_nomem(err);
    for (uint16_t i = 0; i < count; i++) {
        /* each is looked up once; the connection has no mutex, so none needs to be held */
        sqlite3_value *value = sqlite3_column_value(statement, first + i);
        bo_status st = read_value(value, out, room, err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
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
        if (isnan(number)) /* that is NULL to SQLite */
            return bo_fail(err, BO_CORRUPT, "an image has a value that is not SQLite's");
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
