/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/my.h - what the files of the MariaDB driver share. */
#ifndef BO_DRIVER_MARIADB_MY_H
#define BO_DRIVER_MARIADB_MY_H

#include <mysql.h>

#include "driver/driver.h"
#include "driver/mariadb/kind.h"

struct my_url;
struct my_links;

/** What the server writes of a session to its binary log. */
typedef enum my_log {
    MY_LOG_NOTHING, /* it has none */
    MY_LOG_ROWS,
    MY_LOG_MIXED,      /* temporary tables, too: replicas make them */
    MY_LOG_STATEMENTS, /* and the user may not change that */
} my_log;

typedef struct my_conn {
    bo_conn base;
    MYSQL *my; /* NULL: the link was dropped */
    bool in_transaction;
    bo_tx_mode mode;      /* of the open transaction */
    bool tables_locked;   /* LOCK TABLES was done in it: its end unlocks them */
    bool undone;          /* by the server, after a deadlock: there is nothing left to commit */
    bool raw;             /* session of a user's change: nothing pinned */
    bool guarded;         /* the open transaction is one that only we can end */
    unsigned long server; /* mysql_get_server_version(): 101119 */
    struct my_url *url;
    const char *schema;     /* the database of the URL: where names without one are looked up */
    char *user_mode;        /* sql_mode for users' conditions: read as their sessions read them */
    struct my_links *links; /* links.c; or NULL */
    bool no_dictionary;     /* InnoDB's must not be read, or is not there */
    uint32_t lock_timeout_ms;
    unsigned long packet; /* max_allowed_packet of the server; 0: not asked */
    my_log log;
    unsigned serial; /* makes names of temporary objects unique within the session */
} my_conn;

static inline my_conn *my_of(bo_conn *conn)
{
    return (my_conn *)(void *)conn;
}

static inline void MYSQL_RES_free(MYSQL_RES *result)
{
    mysql_free_result(result); /* NULL is ignored */
}
BO_DEFINE_SCOPE(MYSQL_RES);

static inline void MYSQL_STMT_free(MYSQL_STMT *statement)
{
    if (statement)
        (void)mysql_stmt_close(statement);
}
BO_DEFINE_SCOPE(MYSQL_STMT);

/* ---- ask.c: statements and errors ---- */

/**
 * Turns the connection's last error into `err` and returns the status that fits: 1205 and 1213
 * BO_BUSY, missing rights BO_DENIED, no such table or database BO_NOTFOUND, a read-only server or
 * transaction BO_REFUSED, broken constraints BO_CONFLICT, 1317 after an interrupt BO_INTERRUPTED,
 * all else (a lost link too: sqlstate 08006) BO_DATABASE.  Without values of rows.
 */
bo_status my_failure(my_conn *conn, bo_error *err);
/** The same of a prepared statement. */
bo_status my_statement_failure(my_conn *conn, MYSQL_STMT *statement, bo_error *err);
/** True when the link is gone: no answer will come any more. */
bool my_link_broke(my_conn *conn);

/** One statement, whose results (if any) are read and dropped; *rows_out (may be NULL) is how many
 * rows it matched. */
bo_status my_run(my_conn *conn, uint64_t *rows_out, bo_error *err, const char *format, ...)
    BO_PRINTF(4, 5);
/** The same; *result_out is what it returned, NULL when it returns nothing. */
bo_status my_run_keep(my_conn *conn, const char *sql, size_t size, MYSQL_RES **result_out,
    uint64_t *rows_out, bo_error *err);
bo_status my_run_text(
    my_conn *conn, const char *sql, size_t size, uint64_t *rows_out, bo_error *err);
/** The statement in `sql`, or that there was no memory for it. */
bo_status my_run_buf(my_conn *conn, const bo_buf *sql, uint64_t *rows_out, bo_error *err);
/** A question with a small answer, kept whole: mysql_fetch_row(), mysql_fetch_lengths(). */
bo_status my_ask(my_conn *conn, MYSQL_RES **out, bo_error *err, const char *format, ...)
    BO_PRINTF(4, 5);
bo_status my_ask_buf(my_conn *conn, const bo_buf *sql, MYSQL_RES **out, bo_error *err);
/** One number, the only value of the answer; NULL is 0. */
bo_status my_ask_count(my_conn *conn, const bo_buf *sql, uint64_t *out, bo_error *err);

/** A row of an answer; `values[i]` NULL is SQL NULL. */
typedef bo_status my_row_fn(
    void *ctx, unsigned count, char **values, const unsigned long *sizes, bo_error *err);
/** Each row as it comes from the server; only one is in memory.  `each` must not use the
 * connection. */
bo_status my_stream(my_conn *conn, const bo_buf *sql, my_row_fn *each, void *ctx, bo_error *err);

/* Names (patterns) of what we make in a database: nothing else is hidden from users. */
#define MY_OUR_TABLES   "'^backout_(capture|marker|(journal|numbers)_[0-9]+)$'"
#define MY_OUR_TRIGGERS "'^backout_[0-9]+_(ai|au|ad|bu|bd)$'"

/** A server that takes no writes of this account says so before anything is done.
 * @retval BO_REFUSED  it is read-only. */
bo_status my_refuse_read_only(my_conn *conn, bo_error *err);

/** Under a BO_DENIED of `table`: the GRANT of `rights` ("SELECT, UPDATE") that is missing.  Any
 * other status is returned as it is. */
bo_status my_denied_hint(
    my_conn *conn, bo_status st, const bo_table *table, const char *rights, bo_error *err);

/** The same for a write of ours to a table of users; also says where a trigger of theirs refused
 * it.
 * @retval BO_CONFLICT  it did. */
bo_status my_write_failed(
    my_conn *conn, bo_status st, const bo_table *table, const char *rights, bo_error *err);

/** Prepares `sql`, with ? for parameters. */
bo_status my_prepare(my_conn *conn, const bo_buf *sql, MYSQL_STMT **out, bo_error *err);

/* ---- name.c: the one quoting function, and names as users write them ---- */

void my_quote(bo_buf *out, const char *identifier);
void my_quote_table(bo_buf *out, const bo_table *table); /* `schema`.`local` */
/** The name in a recorded definition: without the schema that is the connection's own, so that a
 * restore into another database makes it there. */
void my_quote_recorded(bo_buf *out, const my_conn *conn, const char *schema, const char *local);
/** The text as a literal that no sql_mode reads otherwise: _utf8mb4 x'...'. */
void my_quote_literal(bo_buf *out, const char *text);
/** The name as users write it: schema only when it is not the connection's, quoted when it must. */
const char *my_display_name(
    const my_conn *conn, bo_arena *arena, const char *schema, const char *local);
/** Takes "t", "s.t" and quoted parts apart; without a schema it is the connection's.
 * @retval BO_INVALID */
bo_status my_parse_name(const my_conn *conn, const char *name, bo_arena *arena,
    const char **schema_out, const char **local_out, bo_error *err);

/* ---- image.c: values.  docs/design/image.md says what their bytes are ---- */

/** The expression that reads the column's value as it is in images: `alias`.`c`, CAST(...). */
void my_read_value(bo_buf *out, const bo_column *column, const char *alias);
/** The expression that writes one value of an image, bound as a BLOB: ?, CAST(? AS UNSIGNED). */
void my_write_value(bo_buf *out, const bo_column *column);
/** my_read_value() of the image columns of `shape`, by name, from `table`, separated by ", "; NULL
 * for a column that the table no longer has. */
void my_image_list(bo_buf *out, const bo_table *shape, const bo_table *table, const char *alias);
/** Names of the image columns, quoted, and my_write_value() of each, separated by ", ". */
void my_column_list(bo_buf *out, const bo_table *shape);
void my_value_list(bo_buf *out, const bo_table *shape);
/** Adds the column's type as recorded, with its collation: " varchar(9) COLLATE utf8mb4_bin". */
void my_add_type(bo_buf *out, const bo_column *column);
/** The image of `count` values of an answer from `values[first]`. */
void my_image_add(
    bo_buf *out, char **values, const unsigned long *sizes, unsigned first, uint16_t count);

/* ---- insert.c ---- */

/**
 * Runs `sql`, a statement with `count` parameters (INSERT ... VALUES (?, ...)), once for each image
 * that `next` gives, which must have `count` values; many go to the server at once.
 */
bo_status my_insert(my_conn *conn, const bo_buf *sql, uint16_t count, bo_next_fn *next, void *ctx,
    uint64_t *rows_out, bo_error *err);
/**
 * A temporary table `name` (quoted, of temporary tables of ours) with the recorded types, character
 * sets and collations of shape's image columns, no keys, no defaults, all nullable; `more` (or
 * NULL) are more column definitions before them.  Drop it with DROP TEMPORARY TABLE, which commits
 * nothing.
 */
bo_status my_temp_like(
    my_conn *conn, const bo_table *shape, const char *more, bo_buf *name_out, bo_error *err);
/** Drops it; nothing when the link is gone. */
void my_temp_drop(my_conn *conn, const bo_buf *name);

/* ---- predicate.c: users' conditions ---- */

/** BO_INVALID unless `predicate` (NULL: none) is one condition on the columns of `from`. */
bo_status my_check_predicate(
    my_conn *conn, const char *from, const bo_table *table, const char *predicate, bo_error *err);
/** Adds " AND (<predicate>)"; nothing for NULL. */
void my_add_predicate(bo_buf *out, const char *predicate);

/* ---- rows.c ---- */

/** The images of `shape` that `sql` selects by my_image_list(). */
bo_status my_read_images(my_conn *conn, const bo_buf *sql, const bo_table *shape, bo_image_fn *each,
    void *ctx, bo_error *err);

/* ---- split.c: a user's SQL file as the mariadb client reads it ---- */

typedef struct my_splitter {
    const char *at;
    const char *end;
    unsigned line;      /* of `at`, from 1 */
    char delimiter[16]; /* "" is ";" */
    bool no_backslash;  /* sql_mode NO_BACKSLASH_ESCAPES, which a statement may change */
} my_splitter;

typedef struct my_piece {
    const char *text; /* one statement, without its delimiter; begins with its first word */
    size_t size;
    unsigned line; /* of its first word */
} my_piece;

/** The next statement; false: there is none. */
bool my_split(my_splitter *self, my_piece *out);
/** The next word of `text`, in capitals, past blanks and comments; what is inside of an executable
 * comment counts.  Another character alone is a word; "" is the end. */
const char *my_next_word(const char *text, const char *end, char out[32]);

/* ---- dial.c ---- */

/** Connects as `conn->url` says, and nothing else. */
bo_status my_dial(const bo_connect *how, my_conn *conn, bo_error *err);
/** A second link of the same user, nothing pinned; the caller closes it. */
bo_status my_connect_again(const my_conn *conn, MYSQL **out, bo_error *err);
/** Where to, for people: "shop@db.example:3306". */
void my_name_target(const my_conn *conn, bo_buf *out);

/* ---- session.c ---- */

/** Pins what a value's bytes or a plan depend on. */
bo_status my_pin_settings(my_conn *conn, bo_error *err);
/** Lets the session log rows where the server logs statements; one of ours also where it is MIXED.
 * Sets conn->log to what it may. */
bo_status my_log_rows(my_conn *conn, bo_error *err);
/** Adds to an error what right is missing to log rows; returns `st`. */
bo_status my_wants_rows(my_conn *conn, bo_status st, bo_error *err);
/** What a statement begins with that makes a table which is `logged`: replicas are strict, and
 * would stop at one that InnoDB took from us. */
const char *my_strictly(bool logged);
/** What tables refer to each other is asked anew: it may have changed.  (links.c) */
void my_forget_links(my_conn *conn);
/** The sql_mode in which a user's condition is read, or ours again. */
bo_status my_set_mode(my_conn *conn, bool of_user, bo_error *err);

/* ---- the driver's functions, by file ---- */
/* session.c, dial.c, transaction.c */
bo_status my_open(const bo_connect *how, bo_conn **out, bo_error *err);
void my_close(bo_conn *conn);
bo_status my_pin(bo_conn *conn, bo_error *err);
bo_status my_identity(bo_conn *conn, bo_identity *out, bo_error *err);
/** What the triggers of captured tables read as the run. */
bo_status my_capture_tag(bo_conn *conn, const char *run, bo_error *err);
void my_cancel(bo_conn *conn);
/** BO_TX_WRITE begins with autocommit off and nothing else, so that LOCK TABLES of lock() may
 * follow and the snapshot is taken by the first statement after it.  Commit and rollback unlock. */
bo_status my_begin(bo_conn *conn, bo_tx_mode mode, bo_error *err);
bo_status my_commit(bo_conn *conn, bo_error *err);
void my_rollback(bo_conn *conn);
/* lock.c */
bo_status my_lock(bo_conn *conn, const bo_table *const *tables, unsigned count, bo_error *err);
/** Adds to BO_BUSY whose transaction is the oldest of the database, which is who it most likely is;
 * seen with the right PROCESS only. */
bo_status my_name_holder(my_conn *conn, bo_status st, bo_error *err);
/* query.c, script.c */
bo_status my_exec(bo_conn *conn, const char *sql, bo_error *err);
bo_status my_query(bo_conn *conn, const char *sql, const bo_text_value *params, uint16_t count,
    bo_query_fn *each, void *ctx, uint64_t *rows_out, bo_error *err);
bo_status my_script(bo_conn *conn, const char *sql, size_t size, bo_error *err);
/* tables.c, describe*.c, define.c */
bo_status my_tables(bo_conn *conn, bo_name_fn *each, void *ctx, bo_error *err);
bo_status my_describe(
    bo_conn *conn, const char *name, bo_arena *arena, const bo_table **out, bo_error *err);
bo_status my_create(bo_conn *conn, const bo_table *table, bo_error *err);
bo_status my_create_after(bo_conn *conn, const bo_table *table, bo_error *err);
bo_status my_drop_made(bo_conn *conn, const bo_table *table, bo_error *err);
bo_status my_add_column(bo_conn *conn, const bo_table *now, const bo_column *column, bo_error *err);
bo_status my_add_column_after(
    bo_conn *conn, const bo_table *now, const bo_column *column, bo_error *err);
/* rows.c, scratch.c, render.c, filter.c */
bo_status my_ranges(bo_conn *conn, const bo_table *table, const bo_span *known, size_t known_count,
    bo_range_fn *each, void *ctx, bo_error *err);
bo_status my_scan(bo_conn *conn, const bo_scan *what, bo_image_fn *each, void *ctx, bo_error *err);
bo_status my_count(
    bo_conn *conn, const bo_table *table, const char *predicate, uint64_t *out, bo_error *err);
bo_status my_estimate(
    bo_conn *conn, const bo_table *table, uint64_t *rows_out, uint64_t *bytes_out, bo_error *err);
bo_status my_scratch_restore(bo_conn *conn, const bo_table *was, bo_next_fn *next, void *next_ctx,
    bo_image_fn *each, void *ctx, bo_error *err);
bo_status my_render(bo_conn *conn, const bo_table *shape, bo_render_form form, bo_next_fn *next,
    void *next_ctx, bo_text_row_fn *each, void *ctx, bo_error *err);
bo_status my_filter(bo_conn *conn, const bo_table *shape, const char *predicate, bo_next_fn *next,
    void *next_ctx, bo_status (*each)(void *ctx, uint64_t row, bo_error *err), void *ctx,
    bo_error *err);
/* sequence.c */
bo_status my_sequence_read(bo_conn *conn, bo_sequence *sequence, bo_error *err);
bo_status my_sequence_set(bo_conn *conn, const bo_sequence *sequence, bo_error *err);
bo_status my_sequence_used(bo_conn *conn, const bo_table *now, const bo_sequence *sequence,
    int64_t *extreme_out, bool *any_out, bo_error *err);
/* load.c, references.c */
bo_status my_load(bo_conn *conn, const bo_table *was, const bo_table *now, bo_next_fn *next,
    void *ctx, uint64_t *rows_out, bo_error *err);
bo_status my_clear(bo_conn *conn, const bo_table *now, uint64_t *rows_out, bo_error *err);
bo_status my_check_references(bo_conn *conn, const bo_table *const *tables, unsigned count,
    uint64_t *violations_out, bo_buf *example_out, bo_error *err);
bo_status my_refers(bo_conn *conn, const bo_foreign_key *key, const char *const *parent,
    const char *alias, bo_buf *out, bo_error *err);
/* marker.c */
bo_status my_mark(bo_conn *conn, const char *id, bo_buf *token_out, bo_error *err);
bo_status my_marked(bo_conn *conn, const char *id, const char *token, bool *out, bo_error *err);
bo_status my_unmark(bo_conn *conn, const char *id, bo_error *err);
bo_status my_traces(bo_conn *conn, bo_trace_fn *each, void *ctx, bo_error *err);
/* stage.c and what it is split into */
bo_status my_stage_open(
    bo_conn *conn, const bo_stage_table *tables, unsigned count, bo_stage **out, bo_error *err);
bo_status my_stage_fill(
    bo_stage *stage, unsigned table, bo_stage_next_fn *next, void *ctx, bo_error *err);
bo_status my_stage_locate(
    bo_stage *stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err);
bo_status my_stage_drop(
    bo_stage *stage, unsigned table, const uint64_t *ids, size_t count, bo_error *err);
bo_status my_stage_blocked(bo_stage *stage, bo_blocked_fn *each, void *ctx, bo_error *err);
bo_status my_stage_apply(bo_stage *stage, bo_applied *counts_out, bo_error *err);
bo_status my_stage_readback(
    bo_stage *stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err);
void my_stage_close(bo_stage *stage);

#endif
