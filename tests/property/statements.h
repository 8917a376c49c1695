/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/statements.h - parts that random statements are made of. */
#ifndef BO_TESTS_PROPERTY_STATEMENTS_H
#define BO_TESTS_PROPERTY_STATEMENTS_H

#include "property/history.h"

/** "(id, n)": columns by their bits. */
void statement_list(const schema *s, const table_def *t, unsigned given, bo_buf *out);
/** "(id, n) SELECT id + 30, n", what a copy of rows takes over, with `shift` behind the numbers of
 * the key: no generated columns, and unless they are replaced no unique ones. */
void statement_copy(
    const schema *s, const table_def *t, bool replaced, const char *shift, bo_buf *out);
/** `first`: which of the first rows; -1: any row. */
void statement_insert(const schema *s, unsigned table, const char *verb, unsigned rows, int first,
    dice *d, bo_buf *out);
void statement_condition(const schema *s, unsigned table, dice *d, bo_buf *out);
/** The text, and `sql` is empty. */
const char *statement_take(bo_buf *sql, bo_arena *arena);

#endif
