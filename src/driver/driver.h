/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/driver.h - what a database must be able to do; one const table of functions each.
 *
 * A driver calls only base/ and data/.  tests/contract/ runs unchanged against every driver and is
 * the definition of the words below.  A bo_conn is used by one thread at a time.  Every function
 * that can fail returns a bo_status, fills `err` and leaves its outputs alone; a statement of the
 * driver that touches another number of rows than it was told to is BO_CONFLICT.
 */
#ifndef BO_DRIVER_DRIVER_H
#define BO_DRIVER_DRIVER_H

#include "base/arena.h"
#include "base/scope.h"
#include "data/image.h"
#include "data/table.h"
#include "driver/capture.h"

typedef struct bo_driver bo_driver;
typedef struct bo_stage bo_stage;

/** First member of each driver's own connection struct. */
typedef struct bo_conn {
    const bo_driver *driver;
} bo_conn;

enum {
    BO_CAP_SHARE = 1u << 0, /* several connections can read one snapshot: share() and join() */
    BO_CAP_SEQUENCES = 1u << 1,
    BO_CAP_SCHEMAS = 1u << 2,
    BO_CAP_TRANSACTIONAL_DDL = 1u << 3,
    BO_CAP_CAPTURE = 1u << 4, /* changes can be captured by triggers: `capture` */
    BO_CAP_FILES = 1u << 5,   /* a database is a file: open() with `create` makes an empty one */
    BO_CAP_WRITTEN = 1u << 6, /* the rows this transaction wrote can be counted: written() */
    /** Tables can be made out of sight: put_aside(), bring_back(), drop_aside(). */
    BO_CAP_ASIDE = 1u << 7,
    /** Foreign keys of generated columns hold while stage_apply() writes, as those of others do. */
    BO_CAP_COMPUTED_KEYS = 1u << 8,
    /** Foreign keys bind only the sessions that ask for it: rows may refer to nothing. */
    BO_CAP_DANGLING = 1u << 9,
};

/** How to connect. */
typedef struct bo_connect {
    const char *url; /* "sqlite:shop.db", "postgresql://...": no password is ever kept from it */
    const char *password;         /* or NULL: the client library's own files and environment */
    const char *application_name; /* "backout"; shown by the server */
    uint32_t lock_timeout_ms;     /* how long to wait for a lock before BO_BUSY; 0: 10 s */
    bool create;                  /* SQLite: make the file when it is absent */
    bool look;        /* SQLite: only read, also where no file can be made beside the database */
    uint32_t readers; /* SQLite: connections that read one state together, see twin(); 0: 1 */
    bool raw;         /* the session of a change: nothing pinned but application_name */
    const char
        *run; /* not NULL: writes of this session are tagged with it, where they are captured */
    const char *schema; /* our own catalog: create and use this schema (PostgreSQL); or NULL */
} bo_connect;

/** Which database this is, to refuse a rollback on another one. */
typedef struct bo_identity {
    char engine[32];    /* "PostgreSQL 15.18", "SQLite 3.40.1" */
    char database[256]; /* name or file, without secrets */
    char server[4104];  /* PostgreSQL: system_identifier/database oid; SQLite: "file:" and
                           the canonical path, so a copy put in its place is the same database */
    bool behind; /* a standby of PostgreSQL: its rows are those that its primary had a while ago */
} bo_identity;

typedef enum bo_tx_mode {
    BO_TX_READ,  /* one snapshot for everything in it; SQLite: a read transaction */
    BO_TX_WRITE, /* PostgreSQL: repeatable read, locks first; SQLite: BEGIN IMMEDIATE */
    BO_TX_PLAIN, /* read committed: our own catalog, users' files; SQLite: BEGIN IMMEDIATE */
} bo_tx_mode;

/** A bound value or a result: `data` NULL is SQL NULL.  Text in UTF-8; no conversions promised. */
typedef struct bo_text_value {
    const char *data;
    size_t size;
} bo_text_value;

typedef bo_status bo_query_fn(
    void *ctx, uint16_t count, const bo_text_value *values, bo_error *err);
typedef bo_status bo_image_fn(void *ctx, bo_image row, bo_error *err);
typedef bo_status bo_range_fn(void *ctx, bo_span range, bo_error *err);
typedef bo_status bo_name_fn(void *ctx, const char *name, bo_error *err);
/** The next row to write: sets *row_out, or *end_out.  The row stays valid until the next call. */
typedef bo_status bo_next_fn(void *ctx, bo_image *row_out, bool *end_out, bo_error *err);

/** What to read. */
typedef struct bo_scan {
    const bo_table *table; /* as it is now */
    const bo_table
        *shape;    /* whose image columns, by name, and encoding the images get; NULL: `table` */
    bo_span range; /* from ranges(); size 0: all rows */
    const char *predicate; /* a user's SQL condition, or NULL */
} bo_scan;

/* ---- the stage: rows of a rollback on their way in, inside the open transaction ----
 *
 * One entry is one row of one table: its key, and its target image (what the row shall be) or no
 * target (the row shall not be).  For a table without row key an entry with target is one row more,
 * one without is one equal row less.  The order of calls: open, fill each table, locate each table,
 * drop what is not to be done, blocked until it reports nothing, apply, readback, close.  Engines
 * do it set by set in temporary tables; how rows are ordered against foreign keys and unique values
 * is the driver's.
 */
typedef struct bo_stage_table {
    const bo_table *was; /* shape of the images */
    const bo_table *now;
} bo_stage_table;

/** An entry to stage. `row` is the target, or with has_target false any image with the key (no key:
 * the whole row). */
typedef struct bo_stage_entry {
    uint64_t id; /* ascending, unique within the table, from 1 */
    bool has_target;
    bo_image row;
} bo_stage_entry;
typedef bo_status bo_stage_next_fn(
    void *ctx, bo_stage_entry *entry_out, bool *end_out, bo_error *err);
typedef bo_status bo_stage_row_fn(void *ctx, uint64_t id, bo_image row, bo_error *err);

typedef enum bo_conflict_class {
    BO_CLASS_DATA,        /* the row has other values than expected */
    BO_CLASS_NOT_FOUND,   /* the row is gone */
    BO_CLASS_EXISTS,      /* there is a row where none was expected */
    BO_CLASS_CONSTRAINT,  /* a unique value is held by a row that stays */
    BO_CLASS_FOREIGN_KEY, /* a row that stays refers to it, or its parent is not there */
} bo_conflict_class;

typedef struct bo_blocked {
    unsigned table; /* position in the stage */
    uint64_t id;
    bo_conflict_class conflict_class;
    const char *constraint; /* foreign key or key */
    const char *other;      /* the other table of a foreign key, or NULL */
} bo_blocked;
typedef bo_status bo_blocked_fn(void *ctx, const bo_blocked *blocked, bo_error *err);

/** Something of a rollback that is not removed yet. */
typedef enum bo_trace_kind { BO_TRACE_MARKER, BO_TRACE_ASIDE } bo_trace_kind;
typedef struct bo_trace {
    bo_trace_kind kind;
    const char *name; /* the marker's id; the name that the table was put aside under */
} bo_trace;
typedef bo_status bo_trace_fn(void *ctx, const bo_trace *trace, bo_error *err);

/** Rows that a rollback touched. */
typedef struct bo_applied {
    uint64_t inserted;
    uint64_t updated;
    uint64_t deleted;
} bo_applied;

/** Text of one row: as people read it, or as literals of this database's SQL. */
typedef enum bo_render_form { BO_RENDER_TEXT, BO_RENDER_LITERAL } bo_render_form;
typedef bo_status bo_text_row_fn(
    void *ctx, uint16_t count, const bo_text_value *values, bo_error *err);

struct bo_stage {
    const bo_driver *driver;
}; /* first member of each driver's own stage struct */

struct bo_driver {
    const char *name;    /* "sqlite", "postgresql" */
    const char *schemes; /* of URLs, separated by blanks: "sqlite file" */
    uint32_t caps;

    /* -- connection -- */
    bo_status (*open)(const bo_connect *how, bo_conn **out, bo_error *err);
    void (*close)(bo_conn *conn); /* NULL is ignored; rolls back first */
    bo_status (*identity)(bo_conn *conn, bo_identity *out, bo_error *err);
    void (*cancel)(
        bo_conn *conn); /* from another thread or a signal handler: stop the statement that runs */

    /* -- transactions -- */
    bo_status (*begin)(bo_conn *conn, bo_tx_mode mode, bo_error *err);
    bo_status (*commit)(bo_conn *conn, bo_error *err); /* BO_UNKNOWN: the answer was lost */
    void (*rollback)(
        bo_conn *conn); /* cannot fail: drops the link if it must; nothing without a transaction */
    bo_status (*share)(bo_conn *conn, bo_buf *token_out,
        bo_error *err); /* BO_CAP_SHARE: name of this transaction's snapshot */
    bo_status (*join)(
        bo_conn *conn, const char *token, bo_error *err); /* begins a read transaction on it */
    /** Or NULL.  Without a name for the snapshot: one more connection, in a read transaction that
     * sees what this one sees; to be closed before this one writes.  A read transaction has as many
     * as it was opened with `readers`, less one.  BO_BUSY: there is none, and nobody waits. */
    bo_status (*twin)(bo_conn *conn, bo_conn **out, bo_error *err);
    /** In a write transaction: keeps others from writing to the tables until its end.  In a read
     * transaction: keeps others from altering, emptying or dropping them.  BO_BUSY names table and
     * holder. */
    bo_status (*lock)(bo_conn *conn, const bo_table *const *tables, unsigned count, bo_error *err);
    /** In a write transaction, beside lock(): keeps others from writing to the tables that refer to
     * these, where clear() removes rows and what others commit meanwhile would not be seen.  NULL
     * where it always is. */
    bo_status (*lock_referring)(
        bo_conn *conn, const bo_table *const *tables, unsigned count, bo_error *err);

    /* -- SQL: our own catalog, small questions.  Parameters are $1, $2, ... each used once and in
     * order -- */
    bo_status (*exec)(bo_conn *conn, const char *sql, bo_error *err); /* one or more statements */
    bo_status (*query)(bo_conn *conn, const char *sql, const bo_text_value *params, uint16_t count,
        bo_query_fn *each, void *ctx, uint64_t *rows_out,
        bo_error *err); /* each may be NULL; rows_out: returned, or changed if none is returned; may
                           be NULL */
    /** Runs a user's SQL file statement by statement; err gets the line of the one that failed.
     * Inside a transaction a file that would begin or end one (savepoints do not) is BO_REFUSED:
     * what would do it does not run, what stands before it may have, and the caller rolls back. */
    bo_status (*script)(bo_conn *conn, const char *sql, size_t size, bo_error *err);
    void (*quote)(bo_buf *out, const char *identifier);

    /* -- structure -- */
    bo_status (*tables)(bo_conn *conn, bo_name_fn *each, void *ctx,
        bo_error *err); /* users' tables, sorted; not partitions */
    /** @retval BO_NOTFOUND no such table; accepts "t", "s.t" and quoted parts. */
    bo_status (*describe)(
        bo_conn *conn, const char *name, bo_arena *arena, const bo_table **out, bo_error *err);
    /** The same without limits and without the SQL that makes the table again; NULL where that is
     * not quicker. */
    bo_status (*describe_rows)(
        bo_conn *conn, const char *name, bo_arena *arena, const bo_table **out, bo_error *err);
    /** What the table with this bo_table.id is called now; *out NULL: there is none any more.  NULL
     * where tables have no ids. */
    bo_status (*called)(
        bo_conn *conn, const char *id, bo_arena *arena, const char **out, bo_error *err);
    bo_status (*create)(bo_conn *conn, const bo_table *table,
        bo_error *err); /* from its recorded definition, bare: fit to be filled, in any order */
    bo_status (*create_after)(bo_conn *conn, const bo_table *table,
        bo_error *err); /* keys, indexes, foreign keys, triggers, comments; not those it has */
    /** The same of a table whose rows are not there, to see whether it can be done: without the
     * foreign keys that need them.  NULL: create_after() minds no rows. */
    bo_status (*try_after)(bo_conn *conn, const bo_table *table, bo_error *err);
    /** Without BO_CAP_TRANSACTIONAL_DDL: drops a table that create() made.
     * @retval BO_CONFLICT it has rows, and stays. */
    bo_status (*drop_made)(bo_conn *conn, const bo_table *table, bo_error *err);
    bo_status (*add_column)(bo_conn *conn, const bo_table *now, const bo_column *column,
        bo_error *err); /* a dropped one, nullable until filled */
    bo_status (*add_column_after)(bo_conn *conn, const bo_table *now, const bo_column *column,
        bo_error *err); /* NOT NULL etc. */

    /* -- BO_CAP_ASIDE: a table that several connections fill before anybody can see it -- */
    /** Makes `was`, bare, out of sight under `name`, in a transaction of its own.  BO_UNSUPPORTED:
     * it cannot move. */
    bo_status (*put_aside)(bo_conn *conn, const bo_table *was, const char *name, bo_arena *arena,
        const bo_table **out, bo_error *err);
    bo_status (*bring_back)(bo_conn *conn, const bo_table *aside, const bo_table *was,
        bo_error *err); /* to its name and place */
    bo_status (*drop_aside)(
        bo_conn *conn, const char *prefix, bo_error *err); /* all whose name begins so */

    /* -- rows -- */
    /** Ranges that together hold every row, except those in `known` (which stay valid ids for
     * ever). */
    bo_status (*ranges)(bo_conn *conn, const bo_table *table, const bo_span *known,
        size_t known_count, bo_range_fn *each, void *ctx, bo_error *err);
    bo_status (*scan)(
        bo_conn *conn, const bo_scan *what, bo_image_fn *each, void *ctx, bo_error *err);
    bo_status (*count)(
        bo_conn *conn, const bo_table *table, const char *predicate, uint64_t *out, bo_error *err);
    /** BO_CAP_WRITTEN: rows of the table as this transaction sees it, and how many of them it wrote
     * itself. */
    bo_status (*written)(bo_conn *conn, const bo_table *now, uint64_t *rows_out,
        uint64_t *written_out, bo_error *err);
    bo_status (*estimate)(bo_conn *conn, const bo_table *table, uint64_t *rows_out,
        uint64_t *bytes_out, bo_error *err);
    /** Appends rows (images of `was`, by column name); triggers of users do not fire where that can
     * be had. */
    bo_status (*load)(bo_conn *conn, const bo_table *was, const bo_table *now, bo_next_fn *next,
        void *ctx, uint64_t *rows_out, bo_error *err);
    /** Whether load() enforces foreign keys: what rows refer to must be there before them.  NULL:
     * it never does. */
    bo_status (*load_enforces)(bo_conn *conn, bool *out, bo_error *err);
    /** Really restores rows of `was`, inside the open transaction, into a table that nobody else
     * sees, and calls `each` with every row as it reads from there.  With BO_CAP_FILES `conn` is on
     * an empty database and the table is made whole, with its constraints and indexes; elsewhere it
     * is a temporary one with the recorded types.  The caller rolls the transaction back. */
    bo_status (*scratch_restore)(bo_conn *conn, const bo_table *was, bo_next_fn *next,
        void *next_ctx, bo_image_fn *each, void *ctx, bo_error *err);
    bo_status (*clear)(bo_conn *conn, const bo_table *now, uint64_t *rows_out,
        bo_error *err); /* all rows; no foreign-key action runs */
    /** Foreign-key violations of these tables, both ways: how many, and the name of one
     * (example_out may be NULL). */
    bo_status (*check_references)(bo_conn *conn, const bo_table *const *tables, unsigned count,
        uint64_t *violations_out, bo_buf *example_out, bo_error *err);
    /** Adds the condition that row `alias` of the child of `key` refers by it to the row whose
     * referenced columns are the SQL expressions `parent`: compared as the engine's own foreign key
     * does, and never true of a NULL. */
    bo_status (*refers)(bo_conn *conn, const bo_foreign_key *key, const char *const *parent,
        const char *alias, bo_buf *out, bo_error *err);
    bo_status (*render)(bo_conn *conn, const bo_table *shape, bo_render_form form, bo_next_fn *next,
        void *next_ctx, bo_text_row_fn *each, void *ctx, bo_error *err);

    /** Which of these rows meet a user's predicate: calls `each` with the numbers, from 0, of those
     * that do, ascending. */
    bo_status (*filter)(bo_conn *conn, const bo_table *shape, const char *predicate,
        bo_next_fn *next, void *next_ctx, bo_status (*each)(void *ctx, uint64_t row, bo_error *err),
        void *ctx, bo_error *err);
    /** A raw session becomes one of ours: settings are pinned, inside the open transaction too. */
    bo_status (*pin)(bo_conn *conn, bo_error *err);

    /* -- the stage; see above -- */
    bo_status (*stage_open)(
        bo_conn *conn, const bo_stage_table *tables, unsigned count, bo_stage **out, bo_error *err);
    bo_status (*stage_fill)(
        bo_stage *stage, unsigned table, bo_stage_next_fn *next, void *ctx, bo_error *err);
    /** Finds the rows of now that have the entries' keys and reports them by ascending id; none:
     * not reported. */
    bo_status (*stage_locate)(
        bo_stage *stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err);
    bo_status (*stage_drop)(
        bo_stage *stage, unsigned table, const uint64_t *ids, size_t count, bo_error *err);
    /** Entries that cannot be carried out beside the rows that stay.  Reports each at most once per
     * call. */
    bo_status (*stage_blocked)(bo_stage *stage, bo_blocked_fn *each, void *ctx, bo_error *err);
    /** Carries all entries out; counts_out has one element per table.  BO_CONFLICT: a count was not
     * as planned. */
    bo_status (*stage_apply)(bo_stage *stage, bo_applied *counts_out, bo_error *err);
    /** Like locate, after apply: the rows that now have the entries' keys, and only reads.  Without
     * a row key: a row for each entry with target; one less of equal rows cannot be seen. */
    bo_status (*stage_readback)(
        bo_stage *stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err);
    void (*stage_close)(bo_stage *stage); /* puts triggers and settings back; NULL is ignored */

    /* -- sequences -- */
    bo_status (*sequence_read)(
        bo_conn *conn, bo_sequence *sequence, bo_error *err); /* fills last_value, is_called */
    bo_status (*sequence_set)(bo_conn *conn, const bo_sequence *sequence, bo_error *err);
    bo_status (*sequence_used)(bo_conn *conn, const bo_table *now, const bo_sequence *sequence,
        int64_t *extreme_out, bool *any_out, bo_error *err); /* furthest value in the column */

    /* -- the marker: did this transaction commit?  docs/design/proof.md -- */
    bo_status (*mark)(bo_conn *conn, const char *id, bo_buf *token_out,
        bo_error *err); /* inside the transaction */
    bo_status (*marked)(bo_conn *conn, const char *id, const char *token, bool *out,
        bo_error *err); /* BO_UNKNOWN: still running */
    bo_status (*unmark)(bo_conn *conn, const char *id, bo_error *err); /* leaves no trace of ours */
    /** What rollbacks have left here: markers, tables aside.  Captures are listed by theirs. */
    bo_status (*traces)(bo_conn *conn, bo_trace_fn *each, void *ctx, bo_error *err);

    const bo_capture_driver *capture; /* BO_CAP_CAPTURE: driver/capture.h; or NULL */
};

/** Closes whatever the driver; for BO_OWN(bo_conn). */
void bo_conn_free(bo_conn *conn);
BO_DEFINE_SCOPE(bo_conn);

extern const bo_driver bo_driver_sqlite;
extern const bo_driver bo_driver_postgres;
extern const bo_driver bo_driver_mariadb;

/** Closes whatever the driver; for BO_OWN(bo_stage). */
static inline void bo_stage_free(bo_stage *stage)
{
    if (stage)
        stage->driver->stage_close(stage);
}
BO_DEFINE_SCOPE(bo_stage);

/** The driver for `url` ("sqlite:x", a plain path, "postgresql://..."); BO_INVALID names the
 * schemes there are. */
bo_status bo_driver_find(const char *url, const bo_driver **out, bo_error *err);
/** Finds the driver and opens.  Tests may set bo_driver_wrap to put a fault driver in between. */
bo_status bo_driver_open(const bo_connect *how, bo_conn **out, bo_error *err);
extern bo_conn *(*bo_driver_wrap)(bo_conn *conn);
/** `url` without password and query secrets, for people, logs and the catalog. */
bo_status bo_url_redact(const char *url, bo_buf *out, bo_error *err);

#endif
