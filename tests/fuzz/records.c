/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/records.c - a row is first a copy of one that was there, then its fields are bound. */
#include "records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { END_OF_RECORD = 0x1e, END_OF_FIELD = 0x1f, AS_IT_WAS = 0x1a };
enum { RECORDS_MOST = 200, COLUMNS_MOST = 32 };

static void run(sqlite3 *db, const char *sql)
{
    fuzz_must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
}

/** Empties the table; temp.before_<table> has its rows. */
static void set_aside(sqlite3 *db, const char *table)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql,
        "CREATE TEMP TABLE before_%s AS SELECT * FROM main.%s; DELETE FROM main.%s", table, table,
        table);
    run(db, sql);
}

/** The row number `at` (or from the beginning again) of those that were there, or NULL. */
static sqlite3_stmt *row_before(sqlite3 *db, const char *table, unsigned at)
{
    char sql[256];
    sqlite3_stmt *statement = NULL;
    (void)snprintf(sql, sizeof sql,
        "SELECT * FROM temp.before_%s LIMIT 1 OFFSET %u %%"
        " max(1, (SELECT count(*) FROM temp.before_%s))",
        table, at, table);
    fuzz_must(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    if (sqlite3_step(statement) == SQLITE_ROW)
        return statement;
    (void)sqlite3_finalize(statement);
    return NULL;
}

static void bind(sqlite3_stmt *statement, int at, const char *field, size_t size)
{
    char digits[32] = "";
    if (size > 1)
        memcpy(digits, field + 1, size - 1 < sizeof digits ? size - 1 : sizeof digits - 1);
    if (size > 0 && field[0] == '#')
        (void)sqlite3_bind_int64(statement, at, strtoll(digits, NULL, 10));
    else if (size > 0 && field[0] == '%')
        (void)sqlite3_bind_double(statement, at, strtod(digits, NULL));
    else if (size > 0 && field[0] == '!')
        (void)sqlite3_bind_blob(statement, at, field + 1, (int)size - 1, SQLITE_TRANSIENT);
    else if (size == 1 && field[0] == '~')
        (void)sqlite3_bind_null(statement, at);
    else
        (void)sqlite3_bind_text(statement, at, field, (int)size, SQLITE_TRANSIENT);
}

static void bind_fields(sqlite3_stmt *insert, sqlite3_stmt *before, const char *fields, size_t size)
{
    int columns = sqlite3_bind_parameter_count(insert);
    for (int i = 0; i < columns; i++) {
        const char *end = size ? memchr(fields, END_OF_FIELD, size) : NULL;
        size_t length = end ? (size_t)(end - fields) : size;
        if (size == 0 || (length == 1 && fields[0] == AS_IT_WAS)) {
            if (before)
                (void)sqlite3_bind_value(insert, i + 1, sqlite3_column_value(before, i));
        } else {
            bind(insert, i + 1, fields, length);
        }
        size -= length + (end != NULL);
        fields += length + (end != NULL);
    }
}

/** A row that the table's own rules refuse is left out. */
static void put_record(
    sqlite3 *db, const record_table *table, unsigned at, const char *fields, size_t size)
{
    char sql[256];
    char marks[2 * COLUMNS_MOST + 2] = "?";
    sqlite3_stmt *shape = NULL;
    sqlite3_stmt *insert = NULL;
    (void)snprintf(sql, sizeof sql, "SELECT * FROM main.%s", table->name);
    fuzz_must(sqlite3_prepare_v2(db, sql, -1, &shape, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    int columns = sqlite3_column_count(shape);
    (void)sqlite3_finalize(shape);
    fuzz_must(columns <= COLUMNS_MOST, "few columns");
    for (int i = 1; i < columns; i++)
        strcat(marks, ",?");
    (void)snprintf(
        sql, sizeof sql, "INSERT OR REPLACE INTO main.%s VALUES (%s)", table->name, marks);
    fuzz_must(sqlite3_prepare_v2(db, sql, -1, &insert, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    sqlite3_stmt *before = row_before(db, table->name, at);
    bind_fields(insert, before, fields, size);
    (void)sqlite3_step(insert);
    (void)sqlite3_finalize(before);
    (void)sqlite3_finalize(insert);
}

void records_put(sqlite3 *db, const record_table *tables, const uint8_t *data, size_t size)
{
    unsigned counts[256] = {0};
    const char *at = (const char *)data;
    run(db, "BEGIN");
    for (const record_table *table = tables; table->letter; table++)
        set_aside(db, table->name);
    for (unsigned records = 0; size > 0 && records < RECORDS_MOST; records++) {
        const char *end = memchr(at, END_OF_RECORD, size);
        size_t length = end ? (size_t)(end - at) : size;
        for (const record_table *table = tables; length > 0 && table->letter; table++) {
            if (*at == table->letter)
                put_record(db, table, counts[(uint8_t)*at]++, at + 1, length - 1);
        }
        size -= length + (end != NULL);
        at += length + (end != NULL);
    }
    run(db, "COMMIT");
}
