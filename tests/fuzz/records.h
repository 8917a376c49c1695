/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/records.h - rows of a SQLite database as a text that mutates well.
 *
 * A record ends with byte 1E, a field with 1F; the first byte of a record names its table.  A field
 * is the value of a column, in the table's order: text as it is, "#" and digits an integer, "%" and
 * digits a real, "!" and bytes a blob, "~" NULL.  What is missing, or byte 1A, is as in the n-th
 * row that the table has, n for the n-th record of the table, so "o" alone is a row as it was.
 */
#ifndef BO_TESTS_FUZZ_RECORDS_H
#define BO_TESTS_FUZZ_RECORDS_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

typedef struct record_table {
    char letter;
    const char *name;
} record_table;

/** Replaces all rows of each table, up to one with letter 0, by the records. */
void records_put(sqlite3 *db, const record_table *tables, const uint8_t *data, size_t size);

#endif
