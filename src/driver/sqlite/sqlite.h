/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/sqlite.h - what the files of the SQLite driver share. */
#ifndef BO_DRIVER_SQLITE_SQLITE_H
#define BO_DRIVER_SQLITE_SQLITE_H

#include <sqlite3.h>
#include <stdatomic.h>

#include "base/error.h"
#include "driver/driver.h"

typedef struct sq_conn {
    bo_conn base;
    sqlite3 *db;
    char *path;
    unsigned serial; /* makes names of temporary tables unique within the connection */
    uint32_t lock_timeout_ms;
    int64_t wait_until_us;     /* of the lock that is waited for */
    atomic_bool cancelled;     /* by sq_cancel(), in another thread */
    uint32_t readers;          /* connections that shall read one state together, see twin.c */
    int64_t changes_before;    /* rows changed before this write transaction */
    struct sq_conn *twins;     /* of this read transaction, until they are given away */
    struct sq_conn *next_twin; /* of the same transaction */
    int64_t version;           /* of a twin: PRAGMA data_version before its transaction */
} sq_conn;

static inline sq_conn *sq_of(bo_conn *conn)
{
    return (sq_conn *)conn;
}

static inline void sqlite3_stmt_free(sqlite3_stmt *statement)
{
    sqlite3_finalize(statement); /* NULL is ignored */
}
BO_DEFINE_SCOPE(sqlite3_stmt);

/* ---- query.c: statements and errors ---- */

/** Describes the last failure of the connection: the context, then SQLite's words and what to do.
 */
bo_status sq_error(sq_conn *conn, bo_error *err, const char *format, ...) BO_PRINTF(3, 4);
/** Prepares the one statement in `sql`; BO_INVALID when something follows it. */
bo_status sq_prepare(sq_conn *conn, const char *sql, sqlite3_stmt **out, bo_error *err);
/** The same from a buffer, whose allocations are checked too. */
bo_status sq_prepare_buf(sq_conn *conn, const bo_buf *sql, sqlite3_stmt **out, bo_error *err);
/** The next row; *row_out false: there is none, and the statement is reset. */
bo_status sq_step(sq_conn *conn, sqlite3_stmt *statement, bool *row_out, bo_error *err);
/** Runs a statement without results; *changed_out (may be NULL) counts the rows. */
bo_status sq_run(sq_conn *conn, const char *sql, uint64_t *changed_out, bo_error *err);
bo_status sq_run_buf(sq_conn *conn, const bo_buf *sql, uint64_t *changed_out, bo_error *err);
bo_status sq_bind_text(
    sq_conn *conn, sqlite3_stmt *statement, int index, const char *text, bo_error *err);
/** Prepares `sql` and binds $1 when `text` is not NULL. */
bo_status sq_ask(
    sq_conn *conn, const char *sql, const char *text, sqlite3_stmt **out, bo_error *err);
/** The statement's first value as an integer, 0 when it returns nothing. */
bo_status sq_number(sq_conn *conn, const bo_buf *sql, int64_t *out, bo_error *err);

/* ---- name.c: the one quoting function, and names as users write them ---- */
void sq_quote(bo_buf *out, const char *identifier);
void sq_quote_table(bo_buf *out, const bo_table *table); /* main."local" */
/** `local` as users write it: quoted only when it must be. */
const char *sq_display_name(bo_arena *arena, const char *local);
/** Takes "t", "main.t" and quoted parts apart. @retval BO_INVALID, BO_NOTFOUND (other schema) */
/** Most values that an image may have for its row to be staged: tables have as many columns. */
int sq_stage_widest(sq_conn *conn);
bo_status sq_parse_name(const char *name, bo_arena *arena, const char **local_out, bo_error *err);

/* ---- image.c: values ---- */

/** What SQLite turns values into when they are stored in a column of `type`: its affinity. */
const char *sq_affinity(const char *type, bool strict);
/** Adds the image of `count` columns of the row that `statement` is on, from column `first`. */
bo_status sq_image_read(
    sqlite3_stmt *statement, int first, uint16_t count, bo_buf *out, bo_error *err);
/** Binds a value of an image; the bytes stay borrowed until the statement is reset. */
bo_status sq_value_bind(
    sq_conn *conn, sqlite3_stmt *statement, int index, bo_value value, bo_error *err);
/** `image` with exactly `count` values. @retval BO_CORRUPT */
bo_status sq_image_values(bo_image image, uint16_t count, bo_value *values, bo_error *err);

/** How many values an image of `shape` has: one more when it ends with the row number. */
static inline uint16_t sq_value_count(const bo_table *shape)
{
    return (uint16_t)(shape->image_count + shape->row_hint);
}
/**
 * The list `alias."column", ...` that reads the image columns of `shape`, by name, from `table`;
 * NULL for a column that the table no longer has, and the row number when the shape asks for it.
 */
void sq_image_list(bo_buf *out, const bo_table *shape, const bo_table *table, const char *alias);

/* ---- describe.c ---- */

/** Tables of the capture, which are not users', as conditions on `name`: see capture.h. */
#define SQ_REGISTRY   "backout_capture"
#define SQ_JOURNAL    "backout_journal_"
#define SQ_IS_JOURNAL "name GLOB '" SQ_JOURNAL "[0-9]*'"
#define SQ_IS_OURS    "(name = '" SQ_REGISTRY "' OR " SQ_IS_JOURNAL ")"

/** Those of a catalog and of a marker, when the file has them. */
#define SQ_IS_RECORD \
    "name IN ('backout_marker', 'backout_meta', 'backout_point', 'backout_run', 'backout_audit')"

/** How names of indexes begin that SQLite makes for PRIMARY KEY and UNIQUE. */
#define SQ_AUTOINDEX "sqlite_autoindex_"

/** Name of a key that has no index: the row number itself. */
#define SQ_ROWID_KEY "primary key"

/* What describe.c reads into; describe_links.c fills what leads to other objects. */
typedef struct sq_describing {
    sq_conn *conn;
    bo_arena *arena;
    bo_table *table;
    bo_error *err;
} sq_describing;

/* ---- describe_parts.c ---- */

/** A name that means the row number in `table`, or NULL: WITHOUT ROWID, or all three are hidden. */
const char *sq_rowid(const bo_table *table);
/** True when a column of the table is the row number (INTEGER PRIMARY KEY). */
bool sq_rowid_is_column(const bo_table *table);
/** A copy of a column of the current row in the arena; *out NULL for NULL. */
bo_status sq_copy(sq_describing *self, sqlite3_stmt *statement, int column, const char **out);
/** One more element of an array in the arena, zeroed; NULL: no memory, and err says so. */
void *sq_grow(sq_describing *self, void *items, size_t count, size_t size);

/* ---- describe_keys.c, describe_links.c ---- */

bo_status sq_read_keys(sq_describing *self);
bo_status sq_read_references(sq_describing *self);
bo_status sq_read_referenced_by(sq_describing *self);
bo_status sq_read_views(sq_describing *self);
bo_status sq_read_kept(sq_describing *self);

/* ---- rows.c, ranges.c ---- */

#define SQ_RANGE_ALL "all" /* the range that is every row */

/* ---- predicate.c ---- */

/**
 * Adds ` AND (predicate)`; nothing for NULL.  It must be one condition on what `from` names, with
 * and without parentheses around it: "1) OR (1" and "1); DROP TABLE t --" are none without,
 * "1 LIMIT 1" and an open comment are none with them.  @retval BO_INVALID
 */
bo_status sq_add_predicate(sq_conn *conn, bo_buf *sql, const char *from, const bo_table *table,
    const char *predicate, bo_error *err);

/* ---- references.c: foreign keys ---- */

/** Where the columns of one side of a comparison are. */
typedef struct sq_side {
    const char *alias;
    const bo_table *staged; /* the stage of this table, or NULL: the table itself */
} sq_side;
void sq_side_column(bo_buf *out, sq_side side, const char *column);

/**
 * Adds `parent.x = child.a AND ...` as SQLite's foreign keys compare: with the parent's affinity
 * and collation.  The child's own affinity is hidden by "+", which also hides its indexes, unless
 * `plain`: then both have the same.
 */
void sq_reference_match(
    bo_buf *out, const bo_foreign_key *key, sq_side parent, sq_side child, bool plain);
/** False when a table or column of the key does not exist. */
bo_status sq_reference_usable(sq_conn *conn, const bo_foreign_key *key, bool *out, bo_error *err);
/** True when rows of the child are found by an index, with the same affinity on both sides. */
bo_status sq_reference_indexed(sq_conn *conn, const bo_foreign_key *key, bool *out, bo_error *err);

/* ---- session.c, twin.c: several connections ---- */

/** One more connection to the file, with the same rights. */
bo_status sq_reopen(const sq_conn *conn, uint32_t lock_timeout_ms, bo_conn **out, bo_error *err);
/** Another file has the name of the connection's, or none has; so it is where SQLite cannot tell.
 */
bool sq_has_moved(sq_conn *conn);
/** Says so.  BO_IO where the disk does not tell what has the name: that is no other file to SQLite.
 */
bo_status sq_moved(sq_conn *conn, bo_error *err);
/** Begins a read transaction and reads, so that its state is settled. */
bo_status sq_begin_read(sq_conn *conn, bo_error *err);
/** The same with twins, as many as the connection shall have and can. */
bo_status sq_begin_together(sq_conn *conn, bo_error *err);
/** Rolls back, and leaves the twins in theirs. */
void sq_end(sq_conn *conn);
/** Closes the twins that were not given away. */
void sq_twins_close(sq_conn *conn);

/* ---- the driver's functions, by file ---- */
/* session.c, twin.c */
bo_status sq_open(const bo_connect *how, bo_conn **out, bo_error *err);
bo_status sq_pin(bo_conn *conn, bo_error *err);
void sq_close(bo_conn *conn);
bo_status sq_identity(bo_conn *conn, bo_identity *out, bo_error *err);
void sq_cancel(bo_conn *conn);
bo_status sq_begin(bo_conn *conn, bo_tx_mode mode, bo_error *err);
bo_status sq_commit(bo_conn *conn, bo_error *err);
void sq_rollback(bo_conn *conn);
bo_status sq_twin(bo_conn *conn, bo_conn **out, bo_error *err);
bo_status sq_lock(bo_conn *conn, const bo_table *const *tables, unsigned count, bo_error *err);
/* query.c, script.c */
bo_status sq_exec(bo_conn *conn, const char *sql, bo_error *err);
bo_status sq_query(bo_conn *conn, const char *sql, const bo_text_value *params, uint16_t count,
    bo_query_fn *each, void *ctx, uint64_t *rows_out, bo_error *err);
bo_status sq_script(bo_conn *conn, const char *sql, size_t size, bo_error *err);
/* tables.c, describe.c, describe_keys.c, describe_links.c, define.c */
bo_status sq_tables(bo_conn *conn, bo_name_fn *each, void *ctx, bo_error *err);
bo_status sq_describe(
    bo_conn *conn, const char *name, bo_arena *arena, const bo_table **out, bo_error *err);
bo_status sq_create(bo_conn *conn, const bo_table *table, bo_error *err);
bo_status sq_create_after(bo_conn *conn, const bo_table *table, bo_error *err);
bo_status sq_add_column(bo_conn *conn, const bo_table *now, const bo_column *column, bo_error *err);
bo_status sq_add_column_after(
    bo_conn *conn, const bo_table *now, const bo_column *column, bo_error *err);
/* ranges.c, rows.c, load.c, render.c, filter.c */
bo_status sq_ranges(bo_conn *conn, const bo_table *table, const bo_span *known, size_t known_count,
    bo_range_fn *each, void *ctx, bo_error *err);
bo_status sq_scan(bo_conn *conn, const bo_scan *what, bo_image_fn *each, void *ctx, bo_error *err);
bo_status sq_count(
    bo_conn *conn, const bo_table *table, const char *predicate, uint64_t *out, bo_error *err);
bo_status sq_estimate(
    bo_conn *conn, const bo_table *table, uint64_t *rows_out, uint64_t *bytes_out, bo_error *err);
bo_status sq_load(bo_conn *conn, const bo_table *was, const bo_table *now, bo_next_fn *next,
    void *ctx, uint64_t *rows_out, bo_error *err);
bo_status sq_scratch_restore(bo_conn *conn, const bo_table *was, bo_next_fn *next, void *next_ctx,
    bo_image_fn *each, void *ctx, bo_error *err); /* scratch.c */
bo_status sq_clear(bo_conn *conn, const bo_table *now, uint64_t *rows_out, bo_error *err);
bo_status sq_render(bo_conn *conn, const bo_table *shape, bo_render_form form, bo_next_fn *next,
    void *next_ctx, bo_text_row_fn *each, void *ctx, bo_error *err);
bo_status sq_filter(bo_conn *conn, const bo_table *shape, const char *predicate, bo_next_fn *next,
    void *next_ctx, bo_status (*each)(void *ctx, uint64_t row, bo_error *err), void *ctx,
    bo_error *err);
bo_status sq_check_references(bo_conn *conn, const bo_table *const *tables, unsigned count,
    uint64_t *violations_out, bo_buf *example_out, bo_error *err);
bo_status sq_refers(bo_conn *conn, const bo_foreign_key *key, const char *const *parent,
    const char *alias, bo_buf *out, bo_error *err);
/* stage.c, locate.c, blocked.c, apply.c */
bo_status sq_stage_open(
    bo_conn *conn, const bo_stage_table *tables, unsigned count, bo_stage **out, bo_error *err);
bo_status sq_stage_fill(
    bo_stage *stage, unsigned table, bo_stage_next_fn *next, void *ctx, bo_error *err);
bo_status sq_stage_locate(
    bo_stage *stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err);
bo_status sq_stage_drop(
    bo_stage *stage, unsigned table, const uint64_t *ids, size_t count, bo_error *err);
bo_status sq_stage_blocked(bo_stage *stage, bo_blocked_fn *each, void *ctx, bo_error *err);
bo_status sq_stage_apply(bo_stage *stage, bo_applied *counts_out, bo_error *err);
bo_status sq_stage_readback(
    bo_stage *stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err);
void sq_stage_close(bo_stage *stage);
extern const bo_capture_driver sq_capture; /* capture_changes.c */
/* sequence.c */
bo_status sq_sequence_read(bo_conn *conn, bo_sequence *sequence, bo_error *err);
bo_status sq_sequence_set(bo_conn *conn, const bo_sequence *sequence, bo_error *err);
bo_status sq_sequence_used(bo_conn *conn, const bo_table *now, const bo_sequence *sequence,
    int64_t *extreme_out, bool *any_out, bo_error *err);
/* marker.c */
bo_status sq_mark(bo_conn *conn, const char *id, bo_buf *token_out, bo_error *err);
bo_status sq_marked(bo_conn *conn, const char *id, const char *token, bool *out, bo_error *err);
bo_status sq_unmark(bo_conn *conn, const char *id, bo_error *err);
bo_status sq_traces(bo_conn *conn, bo_trace_fn *each, void *ctx, bo_error *err);

#endif
