/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/sqlite/capture.h - what the files of the capture share.
 *
 * A journal is a table: seq, op, r (the row number, in the journal of a table with a row hint), and
 * c0, c1, ... for the columns of an image.  They have no types, so values stay as they were.  A row
 * with op 'I' has only the columns of the row key.  Which journal is whose stands in the registry:
 * point, local name of the table, number of the journal; and the state of the schema then.
 */
#ifndef BO_DRIVER_SQLITE_CAPTURE_H
#define BO_DRIVER_SQLITE_CAPTURE_H

#include "driver/sqlite/sqlite.h"

typedef struct sq_journal {
    int64_t number; /* 0: none */
    char name[40];
} sq_journal;

/* ---- capture_unique.c: what a REPLACE removes ---- */

/** The unique values of a table, for a trigger that knows NEW. */
typedef struct sq_uniques {
    uint16_t count;
    const char **matches; /* conditions on rows of the table: it has the values of NEW in a key */
    bool *columns;        /* per column of the table: it is in a key */
    bool derived;         /* expressions, conditions or generated columns read other columns, too */
} sq_uniques;
bo_status sq_read_uniques(
    sq_conn *conn, const bo_table *table, bo_arena *arena, sq_uniques *out, bo_error *err);

/* ---- capture_shape.c: the SQL of a journal and of its triggers ---- */

#define SQ_TRIGGER_COUNT 6u
void sq_journal_name(sq_journal *journal, int64_t number);
/** Adds what follows CREATE TABLE. */
void sq_journal_sql(bo_buf *out, const sq_journal *journal, const bo_table *table);
void sq_trigger_name(bo_buf *out, const sq_journal *journal, unsigned index);
/** Adds what follows CREATE TRIGGER. */
bo_status sq_trigger_sql(bo_buf *out, const sq_journal *journal, const bo_table *table,
    const sq_uniques *uniques, unsigned index, bo_error *err);
/** In a subquery on this table NEW or OLD would mean the table itself, because it is called so. */
bool sq_hides_row(const bo_table *table);
/** Adds ` FROM "t"` for a subquery in a trigger, with another name where `t` hides the row. */
void sq_add_from(bo_buf *out, const bo_table *table);
/** Adds `c0, c1, ...`: the values of an image in the journal, with the row number if it is one. */
void sq_journal_list(bo_buf *out, const bo_table *table);
/** Adds `c4, c7`: the columns of the row key in the journal. */
void sq_journal_key_list(bo_buf *out, const bo_table *table);

/* ---- capture_registry.c ---- */

/** *out false: there are no journals. */
bo_status sq_registry_exists(sq_conn *conn, bool *out, bo_error *err);
/** The journal of `now` for `point`; number 0: none. */
bo_status sq_journal_find(
    sq_conn *conn, const bo_table *now, const char *point, sq_journal *out, bo_error *err);

/* ---- capture.c ---- */

bo_status sq_capture_begin(
    bo_conn *conn, const bo_table *const *tables, unsigned count, const char *point, bo_error *err);
bo_status sq_capture_end(bo_conn *conn, const char *point, bo_error *err);
bo_status sq_capture_list(bo_conn *conn, bo_captured_fn *each, void *ctx, bo_error *err);
bo_status sq_capture_position(
    bo_conn *conn, const bo_table *const *tables, unsigned count, bo_buf *out, bo_error *err);

/* ---- capture_check.c ---- */

/** `broken` gets one line when the journal of `now` or one of its triggers is not as it was made.
 */
bo_status sq_journal_check(
    sq_conn *conn, const bo_table *now, const sq_journal *journal, bo_buf *broken, bo_error *err);
/** The journal of `now` that is as it was made; number 0: none. */
bo_status sq_journal_intact(sq_conn *conn, const bo_table *now, sq_journal *out, bo_error *err);
bo_status sq_capture_coverage(
    bo_conn *conn, const bo_table *now, bo_coverage *out, bo_buf *reasons, bo_error *err);
bo_status sq_capture_check(
    bo_conn *conn, const bo_table *now, const char *point, bo_buf *broken, bo_error *err);

/* ---- capture_schema.c ---- */

/** A number that stays as it is while objects are only made. */
bo_status sq_schema_state(sq_conn *conn, int64_t *out, bo_error *err);
/** The state was `was` before this transaction dropped objects of ours: captures go on. */
bo_status sq_schema_ours(sq_conn *conn, int64_t was, bo_error *err);
bo_status sq_capture_doubt(
    bo_conn *conn, const bo_table *now, const char *point, bo_buf *doubt, bo_error *err);

/* ---- capture_own.c: the journals of tables that we write to; nothing for one without ---- */

/** Before all rows go. */
bo_status sq_journal_clear(sq_conn *conn, const bo_table *now, bo_error *err);
/** A statement for each row that comes, NULL: none; its parameters are the values *key_out of an
 * image of `was`. */
bo_status sq_journal_coming(sq_conn *conn, const bo_table *was, const bo_table *now, const int *map,
    bo_arena *arena, sqlite3_stmt **out, int **key_out, bo_error *err);
/** One row came. */
bo_status sq_journal_came(sq_conn *conn, sqlite3_stmt *statement, const bo_value *values,
    const int *key, uint16_t count, bo_error *err);

/* ---- capture_changes.c ---- */
bo_status sq_capture_changes(bo_conn *conn, const bo_table *now, const bo_journal_filter *filter,
    bo_journal_change_fn *each, void *ctx, bo_error *err);
bo_status sq_capture_walk(bo_conn *conn, const bo_table *now, const char *from,
    bo_journal_row_fn *each, void *ctx, bo_error *err);

#endif
