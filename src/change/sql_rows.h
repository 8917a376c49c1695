/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/sql_rows.h - changes of single rows as SQL that psql, sqlite3 and mariadb can run. */
#ifndef BO_CHANGE_SQL_ROWS_H
#define BO_CHANGE_SQL_ROWS_H

#include "change/shown.h"

/* The guards: temporary tables whose constraints say what was found instead. */
#define BO_GUARD_ROWS       "backout_guard"
#define BO_GUARD_REFERENCES "backout_references"

typedef enum bo_sql_dialect { BO_SQL_SQLITE, BO_SQL_POSTGRESQL, BO_SQL_MARIADB } bo_sql_dialect;

/* ---- sql_names.c ---- */
bo_sql_dialect bo_sql_dialect_of(const bo_driver *driver);
/** "schema"."table"; in SQLite the schema is main. */
void bo_sql_name(bo_buf *out, const bo_driver *driver, const bo_table *table);
/** The name of image column `i` of `table`, with `alias.` before it when that is not NULL. */
void bo_sql_column(
    bo_buf *out, const bo_driver *driver, const bo_table *table, const char *alias, uint16_t i);
/** A word of a comment: no line ends, no control characters. */
void bo_sql_comment(bo_buf *out, const char *text);

/** The settings and the transaction, and with `guards` the tables of those.  (sql_begin.c) */
void bo_sql_begin(bo_buf *out, bo_sql_dialect dialect, bool guards);

/** What a row is expected to be and what it shall be; texts are literals. */
typedef struct bo_sql_change {
    const bo_table *table;
    uint64_t number;
    bo_image expected, target; /* data NULL: absent */
    const bo_text_value *expected_texts, *target_texts;
} bo_sql_change;

/** INSERT of a whole row, without guard and without an end. */
void bo_sql_insert(
    bo_buf *out, const bo_driver *driver, const bo_table *table, const bo_text_value *texts);
/** The change with the guard that it touched exactly one row, which was as expected. */
bo_status bo_sql_guarded(
    bo_buf *out, const bo_driver *driver, const bo_sql_change *change, bo_error *err);
/** The guard that no row of `child` refers to the row that goes; the key is a foreign key of child.
 */
void bo_sql_unreferenced(bo_buf *out, const bo_driver *driver, const bo_sql_change *change,
    const bo_foreign_key *key, const bo_table *child);

#endif
