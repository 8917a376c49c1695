/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/rows.h - all rows of all tables as canonical text, read with plain SQL. */
#ifndef BO_TESTS_PROPERTY_ROWS_H
#define BO_TESTS_PROPERTY_ROWS_H

#include "property/schema.h"

/** A row: NULL stands for none.  Two rows are the same when their images are. */
typedef struct row {
    const char *key;           /* "7", "(7, a)"; without a key the image */
    const char *image;         /* all values */
    const char *const *values; /* by column; NULL is SQL's */
} row;

typedef struct row_set {
    const row **items; /* by key, then image */
    size_t count;
} row_set;

typedef struct moment {
    row_set tables[TABLES_MAX];
} moment;

bo_status moment_read(const schema *s, bo_conn *conn, bo_arena *arena, moment *out, bo_error *err);
/** With other rows, which share nothing with those of `from`. */
moment moment_copy(const schema *s, const moment *from, bo_arena *arena);
/** What differs, one line a row; "" when nothing does. */
const char *moment_difference(
    const schema *s, const moment *expected, const moment *found, bo_arena *arena);

bool row_same(const row *a, const row *b);
/** By SQL's `=` in these columns; a NULL equals nothing. */
bool row_equal_in(
    const table_def *t, const row *a, const row *b, const unsigned *columns, unsigned count);
const row *row_find(const row_set *set, const char *key); /* or NULL */
size_t row_count(const row_set *set, const char *image);
/** Puts `now` (NULL: nothing) in the place of one row `was` (NULL: of none). */
void row_put(row_set *set, const row *was, const row *now, bo_arena *arena);
/** A row with other values; the image is made of them. */
const row *row_make(
    const table_def *t, const char *key, const char *const *values, bo_arena *arena);

/** The first foreign key or unique set that is broken, in words; "" when none is. */
const char *moment_violation(const schema *s, const moment *rows, bo_arena *arena);

#endif
