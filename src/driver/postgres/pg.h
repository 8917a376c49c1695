/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/pg.h - what the files of the PostgreSQL driver share. */
#ifndef BO_DRIVER_POSTGRES_PG_H
#define BO_DRIVER_POSTGRES_PG_H

#include <libpq-fe.h>

#include "driver/driver.h"

typedef struct pg_conn {
    bo_conn base;
    PGconn *pg;
    PGcancel *cancel; /* for bo_driver.cancel; made once */
    bool in_transaction;
    bo_tx_mode mode;    /* of the open transaction */
    bool raw;           /* session of a user's change: nothing pinned */
    bool pooled;        /* a pooler is between us and the server: found when it was opened */
    int version;        /* PQserverVersion(): 150018 */
    char *user_path;    /* the search_path before it was pinned: for a user's conditions */
    char *path;         /* the pinned search_path */
    char *run;          /* writes are tagged with it; NULL: never were */
    bool tagged_inside; /* in the open transaction: its rollback takes the tag back */
    bool pinned_inside; /* in the open transaction: its rollback takes the settings back */
    uint32_t lock_timeout_ms;
    uint32_t prepared; /* statements of ask.c that the server has; one bit each */
    unsigned serial;   /* makes names of temporary objects unique within the session */
} pg_conn;

static inline pg_conn *pg_of(bo_conn *conn)
{
    return (pg_conn *)conn;
}

/* ---- dial.c ---- */
/** Connects, and nothing else: *out may be a connection that failed.  `beside` (or NULL): to the
 * same address as that one. */
bo_status pg_dial(const bo_connect *how, PGconn *beside, PGconn **out, bo_error *err);
/** Why it failed: libpq's text, as one line, or the server's own words where it answered. */
bo_status pg_dial_failed(PGconn *pg, bo_error *err);
/** Where to, for people: "shop@db.example:5432". */
void pg_name_target(PGconn *pg, bo_buf *out);

/* ---- settings.c ---- */
/** Pins what a value's text or a plan depends on; `schema` (or NULL) is made and goes first in the
 * search path. */
bo_status pg_pin_session(
    pg_conn *conn, uint32_t lock_timeout_ms, const char *schema, bo_error *err);

/** What the triggers of captured tables read as the run. */
bo_status pg_set_run(pg_conn *conn, const char *run, bo_error *err);
/** The same, and the session knows it: bo_capture_driver.tag. */
bo_status pg_capture_tag(bo_conn *conn, const char *run, bo_error *err);

/* ---- pooler.c ---- */
/** BO_REFUSED: a pooler may give each transaction of ours another session of the server's.  Changes
 * no setting, for that would be left to others. */
bo_status pg_refuse_shared(pg_conn *conn, const bo_connect *how, bo_error *err);
/** Takes back what was set in a session that a pooler may give to others. */
void pg_leave_pool(pg_conn *conn);

/* ---- query.c: statements ---- */
/**
 * Turns the server's error into `err` and returns the status that fits the SQLSTATE: 55P03 and
 * 40P01 BO_BUSY, 42501 BO_DENIED, 42P01, 3F000 and 42704 BO_NOTFOUND, 25006 BO_REFUSED, 40001 and
 * 23xxx BO_CONFLICT, 57014 after an interrupt BO_INTERRUPTED, all else (a lost link too)
 * BO_DATABASE. The primary message, then the detail on its own line, without values of rows.
 * `result` may be NULL (then from the connection).
 */
bo_status pg_failure(pg_conn *conn, const PGresult *result, bo_error *err);
/** True when `result` is the last word of the server: it ended the session. */
bool pg_ends_session(const PGresult *result);
/** The same under one line of context. */
bo_status pg_error(pg_conn *conn, const PGresult *result, bo_error *err, const char *format, ...)
    BO_PRINTF(4, 5);

/**
 * Under a BO_DENIED of `table`: the GRANT of `rights` ("SELECT, UPDATE") that is missing, or that
 * row-level security stands in the way.  Any other status is returned as it is.
 */
bo_status pg_denied_hint(
    pg_conn *conn, bo_status st, const bo_table *table, const char *rights, bo_error *err);

static inline void PGresult_free(PGresult *result)
{
    PQclear(result); /* NULL is ignored */
}
BO_DEFINE_SCOPE(PGresult);

/** One statement without results; *rows_out (may be NULL) is the affected count. */
bo_status pg_run(pg_conn *conn, uint64_t *rows_out, bo_error *err, const char *format, ...)
    BO_PRINTF(4, 5);
/** One statement with text parameters and a text result the caller PQclear()s (BO_OWN(PGresult)).
 */
bo_status pg_ask(pg_conn *conn, const char *sql, int count, const char *const *params,
    PGresult **out, bo_error *err);
/** Is there a table of ours, backout.NAME? */
bo_status pg_own_table(pg_conn *conn, const char *name, bool *out, bo_error *err);
/** Makes the schema of ours, for nobody else whatever default privileges say, then runs `tables`.
 */
bo_status pg_make_own(pg_conn *conn, const char *tables, bo_error *err);
/** BO_UNSUPPORTED where a publication is FOR ALL TABLES: rows of a table of ours would be sent to
 * subscribers, which stop at the first one, for they have no such table. */
bo_status pg_refuse_published(pg_conn *conn, bo_error *err);

/** Ends a COPY (a result of status PGRES_COPY_*) that nobody will feed or read. */
void pg_leave_copy(pg_conn *conn, ExecStatusType status);

/* ---- names: the one quoting function ---- */
void pg_quote(bo_buf *out, const char *identifier);
void pg_quote_table(bo_buf *out, const bo_table *table); /* "schema"."local" */
void pg_quote_literal(bo_buf *out,
    const char *text); /* E'' form when needed; standard_conforming_strings is pinned on */

/* ---- copy.c: COPY both ways, as images ---- */

/** Each tuple of `COPY (...) TO STDOUT (FORMAT binary)` as an image. `sql` is the whole COPY
 * statement. */
typedef bo_status pg_tuple_fn(void *ctx, bo_image tuple, bo_error *err);
bo_status pg_copy_out(pg_conn *conn, const char *sql, pg_tuple_fn *each, void *ctx, bo_error *err);
/** The same of tuples that end with images of `shape`, one or more, after `lead` other values. */
bo_status pg_copy_images(pg_conn *conn, const char *sql, const bo_table *shape, uint16_t lead,
    pg_tuple_fn *each, void *ctx, bo_error *err);

/**
 * COPY ... FROM STDIN; `sql` is the whole statement: FORMAT binary for BO_ENCODING_PG_BINARY,
 * FORMAT text for BO_ENCODING_PG_TEXT.  Rows are images, in the column order of `sql`; values of
 * our own (the id of a stage) are values of the image that `next` gives, in the same encoding.
 */
bo_status pg_copy_in(pg_conn *conn, const char *sql, bo_encoding encoding, bo_next_fn *next,
    void *ctx, uint64_t *rows_out, bo_error *err);

/**
 * The select list that reads the image columns of `shape`, by name, from a relation aliased
 * `alias`, in shape's encoding: plain columns for binary; for text, output-function text of each
 * (format('%s', c), NULL kept, xml::text).
 */
void pg_image_list(bo_buf *out, const bo_table *shape, const char *alias);
/** Column names of `shape`'s image columns, quoted, separated by ", ", each with `alias.` before it
 * when alias is not NULL. */
void pg_column_list(bo_buf *out, const bo_table *shape, const char *alias);

/* ---- script.c: users' SQL ---- */

/** BO_INVALID, with the parser's words, unless `predicate` is one SQL condition and nothing more.
 */
bo_status pg_check_predicate(const char *predicate, bo_error *err);

/* ---- path.c: under the search path of users ---- */

typedef bo_status pg_work_fn(void *ctx, bo_error *err);
/**
 * Calls `work` once under conn->user_path, for users' conditions see the names that users see, and
 * pins conn->path again.  The failure of `work` counts before that of pinning.  A session of a
 * user's change (conn->raw) has that path anyway.
 */
bo_status pg_read_as_users(pg_conn *conn, pg_work_fn *work, void *ctx, bo_error *err);
/** The same while rows go in or definitions are made: functions that checks, domains, indexes and
 * generated columns call find by it what they name, as they do when users write.  Our names come
 * first. */
bo_status pg_write_as_users(pg_conn *conn, pg_work_fn *work, void *ctx, bo_error *err);
/** One statement as such work: pg_ask() without parameters. */
typedef struct pg_statement {
    pg_conn *conn;
    const char *sql;
    PGresult **out; /* the caller PQclear()s it */
} pg_statement;
bo_status pg_ask_statement(void *ctx, bo_error *err);

/* ---- rows.c: where a user's condition is used ---- */

/** Appends " AND (<predicate>)". */
void pg_add_predicate(bo_buf *out, const char *predicate);
/** A mistake in a user's condition is the user's, not the database's: BO_INVALID. */
bo_status pg_blame_predicate(bo_status st, bo_error *err);

/* ---- load.c ---- */

/** A temporary table of the recorded types of shape's image columns, dropped with the transaction
 * that is open. `name` is appended to `name_out`, quoted. */
bo_status pg_temp_like(pg_conn *conn, const bo_table *shape, bo_buf *name_out, bo_error *err);

/* ---- the driver's functions, by file ---- */
/* session.c */
bo_status pg_open(const bo_connect *how, bo_conn **out, bo_error *err);
void pg_close(bo_conn *conn);
bo_status pg_identity(bo_conn *conn, bo_identity *out, bo_error *err);
void pg_cancel(bo_conn *conn);
/* settings.c */
bo_status pg_pin(bo_conn *conn, bo_error *err);
/* transaction.c */
bo_status pg_begin(bo_conn *conn, bo_tx_mode mode, bo_error *err);
bo_status pg_commit(bo_conn *conn, bo_error *err);
void pg_rollback(bo_conn *conn);
bo_status pg_share(bo_conn *conn, bo_buf *token_out, bo_error *err);
bo_status pg_join(bo_conn *conn, const char *token, bo_error *err);
/** BO_REFUSED in a transaction that may not write.  Takes no snapshot. */
bo_status pg_refuse_read_only(pg_conn *conn, bo_error *err);
/** A replica that does not take writes. */
bool pg_is_standby(pg_conn *conn);
/* capture.c */
extern const bo_capture_driver pg_capture;
/* lock.c */
bo_status pg_lock(bo_conn *conn, const bo_table *const *tables, unsigned count, bo_error *err);
bo_status pg_lock_referring(
    bo_conn *conn, const bo_table *const *tables, unsigned count, bo_error *err);
/** The modes of pg_locks that keep others from writing. */
#define PG_KEEPS_WRITERS_OUT "('ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')"
/** Nobody else can write to the tables that refer to those of `ids` ("{1,2}"), nor, with `both`, to
 * those that they refer to: our own queries see a snapshot, and can stand for the server's checks
 * only then. */
bool pg_neighbours_locked(pg_conn *conn, const char *ids, bool both);
/** What a lock is wanted for: to read, to keep writers out, or to keep everybody out. */
typedef enum pg_wanted { PG_TO_READ, PG_TO_WRITE, PG_ALONE } pg_wanted;
/** Under a BO_BUSY, who holds (or waits before us for) a lock on `table`; nothing when nobody is
 * left.  Any other status is returned as it is. */
bo_status pg_name_holder(
    pg_conn *conn, bo_status st, const bo_table *table, pg_wanted wanted, bo_error *err);
/* query.c */
bo_status pg_exec(bo_conn *conn, const char *sql, bo_error *err);
bo_status pg_query(bo_conn *conn, const char *sql, const bo_text_value *params, uint16_t count,
    bo_query_fn *each, void *ctx, uint64_t *rows_out, bo_error *err);
/* script.c */
bo_status pg_script(bo_conn *conn, const char *sql, size_t size, bo_error *err);
/* rows.c */
bo_status pg_ranges(bo_conn *conn, const bo_table *table, const bo_span *known, size_t known_count,
    bo_range_fn *each, void *ctx, bo_error *err);
bo_status pg_scan(bo_conn *conn, const bo_scan *what, bo_image_fn *each, void *ctx, bo_error *err);
bo_status pg_count(
    bo_conn *conn, const bo_table *table, const char *predicate, uint64_t *out, bo_error *err);
bo_status pg_written(
    bo_conn *conn, const bo_table *now, uint64_t *rows_out, uint64_t *written_out, bo_error *err);
bo_status pg_estimate(
    bo_conn *conn, const bo_table *table, uint64_t *rows_out, uint64_t *bytes_out, bo_error *err);
/* load.c */
bo_status pg_load(bo_conn *conn, const bo_table *was, const bo_table *now, bo_next_fn *next,
    void *ctx, uint64_t *rows_out, bo_error *err);
bo_status pg_load_enforces(bo_conn *conn, bool *out, bo_error *err);
/* scratch.c */
bo_status pg_scratch_restore(bo_conn *conn, const bo_table *was, bo_next_fn *next, void *next_ctx,
    bo_image_fn *each, void *ctx, bo_error *err);
/* render.c */
bo_status pg_render(bo_conn *conn, const bo_table *shape, bo_render_form form, bo_next_fn *next,
    void *next_ctx, bo_text_row_fn *each, void *ctx, bo_error *err);
/* filter.c */
bo_status pg_filter(bo_conn *conn, const bo_table *shape, const char *predicate, bo_next_fn *next,
    void *next_ctx, bo_status (*each)(void *ctx, uint64_t row, bo_error *err), void *ctx,
    bo_error *err);
/* marker.c: the table is there while something is captured, else while a rollback commits */
#define PG_MAKE_MARKER                          \
    "CREATE TABLE IF NOT EXISTS backout.marker" \
    " (id text PRIMARY KEY, written_at timestamptz NOT NULL)"
/** Drops it and the schema, where nothing else needs them; within the open transaction. */
bo_status pg_marker_drop(pg_conn *conn, bo_error *err);
bo_status pg_mark(bo_conn *conn, const char *id, bo_buf *token_out, bo_error *err);
bo_status pg_marked(bo_conn *conn, const char *id, const char *token, bool *out, bo_error *err);
bo_status pg_unmark(bo_conn *conn, const char *id, bo_error *err);
bo_status pg_traces(bo_conn *conn, bo_trace_fn *each, void *ctx, bo_error *err);
/* aside.c */
bo_status pg_put_aside(bo_conn *conn, const bo_table *was, const char *name, bo_arena *arena,
    const bo_table **out, bo_error *err);
bo_status pg_bring_back(bo_conn *conn, const bo_table *aside, const bo_table *was, bo_error *err);
bo_status pg_drop_aside(bo_conn *conn, const char *prefix, bo_error *err);
/* describe.c, define.c (SQL that makes it again), sequence.c */
bo_status pg_tables(bo_conn *conn, bo_name_fn *each, void *ctx, bo_error *err);
bo_status pg_describe(
    bo_conn *conn, const char *name, bo_arena *arena, const bo_table **out, bo_error *err);
bo_status pg_describe_rows(
    bo_conn *conn, const char *name, bo_arena *arena, const bo_table **out, bo_error *err);
bo_status pg_called(
    bo_conn *conn, const char *id, bo_arena *arena, const char **out, bo_error *err);
bo_status pg_create(bo_conn *conn, const bo_table *table, bo_error *err);
bo_status pg_create_after(bo_conn *conn, const bo_table *table, bo_error *err);
bo_status pg_try_after(bo_conn *conn, const bo_table *table, bo_error *err);
bo_status pg_add_column(bo_conn *conn, const bo_table *now, const bo_column *column, bo_error *err);
bo_status pg_add_column_after(
    bo_conn *conn, const bo_table *now, const bo_column *column, bo_error *err);
bo_status pg_sequence_read(bo_conn *conn, bo_sequence *sequence, bo_error *err);
bo_status pg_sequence_set(bo_conn *conn, const bo_sequence *sequence, bo_error *err);
bo_status pg_sequence_used(bo_conn *conn, const bo_table *now, const bo_sequence *sequence,
    int64_t *extreme_out, bool *any_out, bo_error *err);
/* stage.c (temporary tables), blocked.c (closure), apply.c (order), references.c */
bo_status pg_stage_open(
    bo_conn *conn, const bo_stage_table *tables, unsigned count, bo_stage **out, bo_error *err);
bo_status pg_stage_fill(
    bo_stage *stage, unsigned table, bo_stage_next_fn *next, void *ctx, bo_error *err);
bo_status pg_stage_locate(
    bo_stage *stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err);
bo_status pg_stage_drop(
    bo_stage *stage, unsigned table, const uint64_t *ids, size_t count, bo_error *err);
bo_status pg_stage_blocked(bo_stage *stage, bo_blocked_fn *each, void *ctx, bo_error *err);
bo_status pg_stage_apply(bo_stage *stage, bo_applied *counts_out, bo_error *err);
bo_status pg_stage_readback(
    bo_stage *stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err);
void pg_stage_close(bo_stage *stage);
bo_status pg_clear(bo_conn *conn, const bo_table *now, uint64_t *rows_out, bo_error *err);
bo_status pg_check_references(bo_conn *conn, const bo_table *const *tables, unsigned count,
    uint64_t *violations_out, bo_buf *example_out, bo_error *err);
bo_status pg_refers(bo_conn *conn, const bo_foreign_key *key, const char *const *parent,
    const char *alias, bo_buf *out, bo_error *err);

/**
 * Keeps the users' triggers of `tables` from firing until the end of the transaction:
 * session_replication_role = replica where the right is there (*replica_out true: foreign keys are
 * not checked either, so check them by query), otherwise ALTER TABLE ... DISABLE TRIGGER of each
 * enabled one by name.  pg_triggers_on() puts each back to the state it had.  (apply.c)
 */
bo_status pg_triggers_off(
    pg_conn *conn, const bo_table *const *tables, unsigned count, bool *replica_out, bo_error *err);
bo_status pg_triggers_on(
    pg_conn *conn, const bo_table *const *tables, unsigned count, bool replica, bo_error *err);

#endif
