/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/journal.h - what the files of capture_*.c share.  docs/design/capture.md */
#ifndef BO_DRIVER_POSTGRES_JOURNAL_H
#define BO_DRIVER_POSTGRES_JOURNAL_H

#include "driver/postgres/pg.h"

/** A table on its way to being captured or read: answers of sql/capture_columns.sql. */
typedef struct pg_journal {
    const bo_table *table;
    PGresult *columns; /* those of images */
    uint16_t count;
} pg_journal;

void pg_journal_done(pg_journal *journal);
bo_status pg_journal_open(pg_conn *conn, const bo_table *table, pg_journal *out, bo_error *err);

/** backout.journal_<oid><suffix>: the journal, or with a suffix one of its functions. */
static inline void pg_journal_name(bo_buf *out, const bo_table *table, const char *suffix)
{
    bo_buf_printf(out, "backout.journal_%s%s", table->id, suffix);
}

static inline const char *pg_journal_column(const pg_journal *journal, uint16_t i)
{
    return PQgetvalue(journal->columns, i, 0);
}
static inline const char *pg_journal_type(const pg_journal *journal, uint16_t i)
{
    return PQgetvalue(journal->columns, i, 1);
}
static inline const char *pg_journal_collation(const pg_journal *journal, uint16_t i)
{
    return PQgetvalue(journal->columns, i, 2); /* "" or " COLLATE ..." */
}
/** Equal values of it are the same bytes. */
static inline bool pg_journal_exact(const pg_journal *journal, uint16_t i)
{
    return PQgetvalue(journal->columns, i, 3)[0] == 't';
}
static inline bool pg_journal_is_key(const pg_journal *journal, uint16_t i)
{
    return !PQgetisnull(journal->columns, i, 4);
}
/** One value of it has more than one form of bytes, and one text. */
static inline bool pg_journal_is_array(const pg_journal *journal, uint16_t i)
{
    return PQgetvalue(journal->columns, i, 7)[0] == 't';
}
/** The function that hashes it with a seed; "": a record of it is hashed. */
static inline const char *pg_journal_hash(const pg_journal *journal, uint16_t i)
{
    return PQgetvalue(journal->columns, i, 6);
}
/** The operator that the index of the key compares with. */
static inline const char *pg_journal_equal(const pg_journal *journal, uint16_t i)
{
    return PQgetvalue(journal->columns, i, 5);
}

/* ---- capture_install.c ---- */
/** Makes journal, functions and triggers.  The table is locked. */
bo_status pg_journal_make(pg_conn *conn, const bo_table *table, bo_error *err);

/* ---- capture_insert.c: statements of the triggers' functions ---- */
/** The statement that fired the trigger was run by another trigger. */
#define PG_JOURNAL_NESTED "pg_catalog.pg_trigger_depth() OPERATOR(pg_catalog.>) 1"
/** a, b, ...: the columns, or those of the key, each with `prefix` before it. */
void pg_journal_columns(bo_buf *out, const pg_journal *j, bool keys, const char *prefix);
/** Journals the rows of a transition table. */
void pg_journal_insert_rows(
    bo_buf *out, const pg_journal *j, char operation, bool keys, const char *from);
/** Journals that the key of NEW came. */
void pg_journal_insert_come(bo_buf *out, const pg_journal *j);
/** Journals OLD, and which transaction made that version of the row, if it may have been this. */
void pg_journal_insert_old(bo_buf *out, const pg_journal *j, char operation);
/** Notes that a nested statement has brought keys. */
void pg_journal_note_came(bo_buf *out, const pg_journal *j);
/** Notes that the nested statement has moved a key. */
void pg_journal_note_moved(bo_buf *out, const pg_journal *j);
void pg_journal_forget_moved(bo_buf *out, const pg_journal *j);
/** A condition: it has, and the keys that came are not journalled yet. */
void pg_journal_has_moved(bo_buf *out, const pg_journal *j);
/** Journals backout_old, and the keys that came with backout_new; these alone when nested. */
void pg_journal_insert_updated(bo_buf *out, const pg_journal *j);
/** Journals all of the table that is about to be emptied. */
void pg_journal_insert_emptied(bo_buf *out, const pg_journal *j);

/* ---- capture_check.c ---- */
/** Writes the table down for `point`, as it is now. */
bo_status pg_registry_add(pg_conn *conn, const bo_table *table, const char *point, bo_error *err);
/** Its triggers are other versions of themselves, because we switched them. */
bo_status pg_registry_renew(pg_conn *conn, const bo_table *table, bo_error *err);
/**
 * Why the capture of `table` for `point` (NULL: for any) cannot be trusted; nothing added when it
 * can.  *point_out (may be NULL) is the point, empty: there is none.
 */
bo_status pg_registry_check(pg_conn *conn, const bo_table *table, const char *point, bo_buf *broken,
    bo_buf *point_out, bo_error *err);

/* ---- capture_terms.c ---- */
/** `xid` is later than the position: it was not committed then. */
bo_status pg_journal_later(bo_buf *out, const char *position, const char *xid, bo_error *err);
/** Every row after filter->from is meant. */
bool pg_journal_takes_all(const bo_journal_filter *filter);
/** Whether a row `j` of the journal is meant. */
bo_status pg_journal_match(bo_buf *out, const bo_journal_filter *filter, bo_error *err);
/** Adds the condition that we wrote a row `j` ourselves, as the user whose writes are meant. */
void pg_journal_own(bo_buf *out, const bo_journal_filter *filter);
/** i0, i1, ...: what stands for the key where rows of the journal are told apart. */
void pg_journal_identities(bo_buf *out, const pg_journal *journal, const char *alias, bool named);
void pg_journal_identity_names(bo_buf *out, const pg_journal *journal);
void pg_journal_same_identity(bo_buf *out, const pg_journal *journal, const char *a, const char *b);
/** AND the row `t` of the table has the key of the journal's row `b`. */
void pg_journal_same_key(bo_buf *out, const pg_journal *journal);

/* ---- capture_order.c ---- */
/**
 * What stands for the name of the journal in a FROM: the name, or its rows with other numbers where
 * theirs are not in the order of the writes.  Of what is later than `from`.
 *
 * @param nested    some of these rows were written over by the transaction that made them.
 * @param doubtful  some of these rows came, and some went.
 */
bo_status pg_journal_in_order(pg_conn *conn, const pg_journal *journal, const char *from,
    bool nested, bool doubtful, bo_buf *out, bo_error *err);

/* ---- capture_read.c ---- */
/** SELECT had, has, b0, a0, b1, a1, ...: for each key what the filter's writes did, as values. */
bo_status pg_journal_add_sum(pg_conn *conn, const pg_journal *journal,
    const bo_journal_filter *filter, bo_buf *out, bo_error *err);

/* ---- capture_kept.c ---- */
/** Drops all that is kept for `point`. */
bo_status pg_kept_drop(pg_conn *conn, const char *point, bo_error *err);

/* ---- the driver's functions, by file ---- */
/* capture.c */
bo_status pg_capture_begin(
    bo_conn *conn, const bo_table *const *tables, unsigned count, const char *point, bo_error *err);
bo_status pg_capture_end(bo_conn *conn, const char *point, bo_error *err);
bo_status pg_capture_list(bo_conn *conn, bo_captured_fn *each, void *ctx, bo_error *err);
/* capture_check.c */
bo_status pg_capture_coverage(
    bo_conn *conn, const bo_table *now, bo_coverage *out, bo_buf *reasons, bo_error *err);
bo_status pg_capture_check(
    bo_conn *conn, const bo_table *now, const char *point, bo_buf *broken, bo_error *err);
/* capture_read.c */
bo_status pg_capture_position(
    bo_conn *conn, const bo_table *const *tables, unsigned count, bo_buf *out, bo_error *err);
bo_status pg_capture_changes(bo_conn *conn, const bo_table *now, const bo_journal_filter *filter,
    bo_journal_change_fn *each, void *ctx, bo_error *err);
bo_status pg_capture_walk(bo_conn *conn, const bo_table *now, const char *from,
    bo_journal_row_fn *each, void *ctx, bo_error *err);
/* capture_kept.c */
bo_status pg_capture_keep(bo_conn *conn, const char *token, const bo_table *now,
    const bo_journal_filter *filter, const char *point, bo_error *err);
bo_status pg_capture_undo_kept(bo_conn *conn, const bo_table *const *tables, unsigned count,
    const char *point, const bo_applied *wanted, bo_error *err);

#endif
