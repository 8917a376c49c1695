/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/journal.h - what the files of capture share; docs/design/capture.md. */
#ifndef BO_DRIVER_MARIADB_JOURNAL_H
#define BO_DRIVER_MARIADB_JOURNAL_H

#include "driver/mariadb/my.h"

#define MY_REGISTRY "`backout_capture`"
#define MY_JOURNAL  "`backout_journal_%u`"
#define MY_NUMBERS  "`backout_numbers_%u`" /* the sequence that numbers a journal's rows */

#define MY_JOURNAL_COLUMNS 1010u /* of a table, at most: InnoDB allows 1017, and seven are ours */

/* What a trigger writes to a journal besides the row: the number of the journal, and the operation.
 */
#define MY_WRITE_COLUMNS \
    "`backout_seq`, `backout_session_tx`, `backout_user`, `backout_run`, `backout_op`"
#define MY_WRITE_VALUES "NEXTVAL(" MY_NUMBERS "), @backout_tx, USER(), @backout_run, '%c'"

/* Operations in a journal are those of bo_journal_row; besides them 'S', a row that was there when
 * a point began, and 'i', a key that an action was about to give to a row, and 'X', a write that
 * was missed. */

/* What triggers of ours run under, whatever the writer's mode is: every value that a row can have
 * is written as it is. */
#define MY_TRIGGER_MODE "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES"

/* Behind the name of a table that a trigger of ours reads.  It changes nothing of how a table is
 * read; a view in its place, whose functions would run with our rights, is refused (error 1176). */
#define MY_NO_VIEW " USE INDEX FOR ORDER BY ()"

/* True (SQL) where rows come from another server, by its binary log; and where they fire no
 * triggers.
 */
#define MY_RECEIVES                                                               \
    "EXISTS (SELECT 1 FROM information_schema.GLOBAL_STATUS WHERE (VARIABLE_NAME" \
    " = 'SLAVE_RUNNING' AND VARIABLE_VALUE = 'ON') OR (VARIABLE_NAME ="           \
    " 'SLAVES_RUNNING' AND VARIABLE_VALUE <> '0'))"
#define MY_IS_REPLICA "(@@GLOBAL.slave_run_triggers_for_rbr = 'NO' AND " MY_RECEIVES ")"

/* ---- capture_registry.c: what is captured for which point ---- */

/** A column of a journal that keeps a value of the table. */
typedef struct my_kept {
    const char *name;
    const char *type;      /* as in bo_column */
    const char *collation; /* or NULL */
    bool in_key;           /* of the row key */
} my_kept;

/**
 * A table that is captured for a point, or that is only watched for one: rows of captured tables
 * go or change with its rows, by the actions of foreign keys, which fire no triggers.
 */
typedef struct my_entry {
    const char *point;
    const char *table;     /* without the schema, which is the connection's */
    unsigned number;       /* of its journal and triggers */
    bool watched;          /* there is no journal */
    bool on;               /* it counts; otherwise it is being installed or removed */
    uint16_t column_count; /* of the journal; 0 when watched */
    const my_kept *columns;
    const char *mark; /* of the table when the point began; "" when watched */
} my_entry;

typedef struct my_registry {
    size_t count;
    my_entry *entries; /* by point and table */
} my_registry;

/** The registry of the connection's schema; empty when there is none. */
bo_status my_registry_read(my_conn *conn, bo_arena *arena, my_registry *out, bo_error *err);
/** The entry of a table for a point; NULL: none. */
my_entry *my_registry_find(const my_registry *registry, const char *point, const char *table);
/** The same of a table that is captured: one that is only watched is none. */
my_entry *my_registry_captured(const my_registry *registry, const char *point, const char *table);
/** Makes the registry when there is none. */
bo_status my_registry_create(my_conn *conn, bo_error *err);
/** Writes an entry, which does not count yet. */
bo_status my_registry_add(my_conn *conn, const my_entry *entry, bo_error *err);
/** All entries of the point count from now on. */
bo_status my_registry_switch_on(my_conn *conn, const char *point, bo_error *err);
/** What a journal of `table` keeps; NULL: no memory. */
const my_kept *my_kept_columns(const bo_table *table, bo_arena *arena);

/* ---- capture_actions.c: foreign keys that change rows ---- */

typedef struct my_action {
    const char *name;
    const char *child_schema;
    const char *child;
    const char *parent;
    bool child_here; /* in the connection's schema */
    bool parent_here;
    char on_delete; /* as in bo_foreign_key */
    char on_update;
    uint16_t count;
    const char **child_columns;
    const char **parent_columns;
    const char *index; /* of the child, beginning with its columns; or NULL */
} my_action;

typedef struct my_actions {
    size_t count;
    my_action *items;
} my_actions;

/** Every foreign key with an action whose child or parent is in the connection's schema; with the
 * indexes only where asked. */
bo_status my_actions_read(
    my_conn *conn, bool indexes, bo_arena *arena, my_actions *out, bo_error *err);

/* ---- capture_closure.c: rows that go or change with a row ---- */

/** A schema under capture for one point: its registry's entries and the actions. */
typedef struct my_scheme {
    my_actions actions;
    my_registry registry;
    const char *point;
    bool logged; /* by the server, to a binary log */
} my_scheme;

typedef enum my_event { MY_DELETED, MY_UPDATED } my_event;

/** Called with an action that rows of the table reach, or that reaches them. */
typedef bo_status my_action_fn(void *ctx, const my_action *action, bo_error *err);
/** Every action, once, that the end or a change of a row of `table` can set off, however many
 * tables are between.
 * @retval BO_UNSUPPORTED  there are too many ways for a trigger. */
bo_status my_closure_down(
    const my_actions *actions, const char *table, my_action_fn *each, void *ctx, bo_error *err);
/** Every action, once, that can change rows of `table`, directly or from further up. */
bo_status my_closure_up(
    const my_actions *actions, const char *table, my_action_fn *each, void *ctx, bo_error *err);
/** The body of the trigger of `table` that journals, before the event, all rows of captured tables
 * that go or change with it; nothing when there are none. */
bo_status my_closure_body(
    bo_buf *out, const my_scheme *scheme, const char *table, my_event event, bo_error *err);

/* ---- capture_triggers.c ---- */

typedef enum my_hook {
    MY_HOOK_AI,
    MY_HOOK_AU,
    MY_HOOK_AD,
    MY_HOOK_BU,
    MY_HOOK_BD,
    MY_HOOK_COUNT,
} my_hook;

/** backout_3_ai */
void my_hook_name(bo_buf *out, my_hook hook, unsigned number);
/** The bodies that the triggers of `entry` have; [i] NULL: there is no such trigger.  In `arena`.
 */
bo_status my_hook_bodies(const my_scheme *scheme, const my_entry *entry, bo_arena *arena,
    const char *bodies[MY_HOOK_COUNT], bo_error *err);
/** Adds the statement that notes a write which the journal has missed. */
void my_add_missed(bo_buf *out, unsigned number);
/**
 * Begins the body of a trigger.  A table, a column or an index that it names may be renamed or
 * dropped, and writers must not get an error from us: then `missed` runs instead, and the check
 * finds what it noted.
 */
void my_body_begin(bo_buf *out, const my_scheme *scheme, const bo_buf *missed);
/** Makes the journal of `table` under a number that is free. */
bo_status my_journal_create(my_conn *conn, const bo_table *table, unsigned number, bo_error *err);
/** Makes the triggers. */
bo_status my_hooks_create(
    my_conn *conn, const my_entry *entry, const char *const bodies[MY_HOOK_COUNT], bo_error *err);
/** Drops the triggers that may have been made. */
bo_status my_hooks_drop(my_conn *conn, unsigned number, bo_error *err);
/** Drops every trigger and every journal that no entry which counts needs, and forgets the entries
 * that do not. */
bo_status my_capture_sweep(my_conn *conn, bo_error *err);

/* ---- capture_check.c ---- */

/** Says in `broken` why the triggers of `entry` are not as they were made; nothing: they are. */
bo_status my_check_hooks(my_conn *conn, const my_scheme *scheme, const my_entry *entry,
    bo_arena *arena, bo_buf *broken, bo_error *err);
/** The same of the journal: it is there, with all its columns, and of the kind that the server
 * needs now. */
bo_status my_check_journal(my_conn *conn, const my_entry *entry, bo_buf *broken, bo_error *err);
/** Replicas would stop at what its triggers write: the server has a binary log, and the journal is
 * of before it. */
bo_status my_check_harm(my_conn *conn, const my_entry *entry, bool *out, bo_error *err);
/** The same of what the journal keeps, and of what it would have to keep for `now`. */
bo_status my_check_columns(
    const my_entry *entry, const bo_table *now, bo_buf *broken, bo_error *err);
/* ---- capture_trace.c ---- */

/** Notes in the journal rows that are there: they cannot go unnoticed from here on. */
bo_status my_note_rows(my_conn *conn, const my_entry *entry, const bo_table *now, bo_error *err);
/** Says in `broken` when rows went or came that the journal knows nothing of; nothing: none is
 * known to. */
bo_status my_check_rows(my_conn *conn, const my_entry *entry, bo_buf *broken, bo_error *err);

/** Adds the mark of a table: a line for when it was last altered and one for each index, constraint
 * and partition, and for the server and what it received as a replica. */
bo_status my_mark_read(my_conn *conn, const char *table, bo_buf *out, bo_error *err);
/** Says in `broken` when the table was altered since, and not just by what has come to it: values
 * may have changed without a trace. */
bo_status my_check_mark(my_conn *conn, const my_entry *entry, bo_buf *broken, bo_error *err);
/** Says in `broken` when the server has received rows as a replica since. */
bo_status my_check_received(my_conn *conn, const my_entry *entry, bo_buf *broken, bo_error *err);
/** The mark was `was`, and we have altered the table: captures go on. Should this fail, they are
 * broken. */
void my_mark_again(my_conn *conn, const char *table, const char *was);

/* ---- capture.c ---- */

/** Only one connection begins or ends capture in a schema at a time.
 * @retval BO_BUSY  another one does. */
bo_status my_take_turn(my_conn *conn, bo_error *err);
void my_pass_turn(my_conn *conn);
/** Waits until nobody uses any of the tables, and keeps everybody away; the registry can be written
 * to meanwhile.  Names the table that is in use. */
bo_status my_lock_tables(
    my_conn *conn, const my_entry *const *entries, size_t count, bo_error *err);
void my_unlock_tables(my_conn *conn);
/** Sweeps; the registry goes with its last entry. */
bo_status my_capture_clean(my_conn *conn, bo_error *err);

/* ---- capture_position.c ---- */

/** Adds "(...)": the condition that a row of journal `number`, called `alias`, is after `position`.
 * @retval BO_INVALID  the position does not speak of it. */
bo_status my_position_after(
    bo_buf *out, const char *position, unsigned number, const char *alias, bo_error *err);
/** `position` speaks of the journal. */
bool my_position_names(const char *position, unsigned number);

/* ---- the driver's functions ---- */
bo_status my_capture_coverage(
    bo_conn *conn, const bo_table *now, bo_coverage *out, bo_buf *reasons, bo_error *err);
bo_status my_capture_begin(
    bo_conn *conn, const bo_table *const *tables, unsigned count, const char *point, bo_error *err);
bo_status my_capture_end(bo_conn *conn, const char *point, bo_error *err);
bo_status my_capture_list(bo_conn *conn, bo_captured_fn *each, void *ctx, bo_error *err);
bo_status my_capture_check(
    bo_conn *conn, const bo_table *now, const char *point, bo_buf *broken, bo_error *err);
bo_status my_capture_position(
    bo_conn *conn, const bo_table *const *tables, unsigned count, bo_buf *out, bo_error *err);
bo_status my_capture_changes(bo_conn *conn, const bo_table *now, const bo_journal_filter *filter,
    bo_journal_change_fn *each, void *ctx, bo_error *err);
bo_status my_capture_walk(bo_conn *conn, const bo_table *now, const char *from,
    bo_journal_row_fn *each, void *ctx, bo_error *err);

extern const bo_capture_driver my_capture_driver;

#endif
