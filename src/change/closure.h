/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/closure.h - the cascade closure: what the engine itself deletes or changes by foreign
 * keys because of what happens to the rows of some tables.  docs/design/closure.md.
 */
#ifndef BO_CHANGE_CLOSURE_H
#define BO_CHANGE_CLOSURE_H

#include "change/target.h"

/** A foreign key whose action can reach rows of its child. */
typedef struct bo_closure_edge {
    const bo_foreign_key *key;
    uint32_t parent, child; /* positions in bo_closure.tables */
    bool deletes;      /* rows of the child would be deleted; otherwise they would be changed */
    bool on_delete;    /* the action that does it is the one of ON DELETE */
    bool moves;        /* it can change the row key of the child's rows */
    const char *match; /* SQL, once it was asked for: closure_sql.c */
} bo_closure_edge;

/** A table of a closure. */
typedef struct bo_closure_table {
    const bo_table *table;
    const bo_closure_edge *via; /* how it was reached first; NULL: it was given */
    bool deleted;               /* rows of it may be deleted */
    bool *changed;              /* by column: values may be changed */
} bo_closure_table;

typedef struct bo_closure {
    uint32_t table_count;
    bo_closure_table *tables; /* those that were given first, in their order */
    uint32_t edge_count;
    bo_closure_edge **edges; /* between them, also from a table to itself */
} bo_closure;

/** The tables that foreign keys reach from `count` tables of which any row may be deleted and any
 * value changed. */
bo_status bo_closure_tables(bo_conn *conn, const bo_table *const *tables, uint32_t count,
    bo_arena *arena, bo_closure *out, bo_error *err);

/** "foreign key k, ON DELETE CASCADE" */
void bo_closure_key_text(bo_buf *out, const bo_closure_edge *edge);
/** The way from a table that was given: "a -> b by foreign key k, ON DELETE CASCADE; b -> ...". */
void bo_closure_way(bo_buf *out, const bo_closure *closure, const bo_closure_edge *edge);

/**
 * The parts, and after them those that foreign keys reach: whole, or with a predicate.  A part with
 * a predicate whose rows are reached by a key, too, gets one that names these rows as well.
 *
 * @param follow  false: nothing is added, and `notes` tells what is left out.
 * @param notes   a line for each table that was reached.
 * @retval BO_UNSUPPORTED  a table that is reached cannot be covered; err has the way to it.
 */
bo_status bo_closure_add(bo_conn *conn, bool follow, bo_arena *arena, bo_part **parts,
    uint32_t *count, bo_buf *notes, bo_error *err);

/* ---- closure_sql.c ---- */

/** A table of a closure of whose rows only some are meant. */
typedef struct bo_closure_rows {
    bool some;             /* otherwise all are, and the rest says nothing */
    const char *predicate; /* the users', or NULL: only what foreign keys reach */
} bo_closure_rows;

/** The condition for the rows of `table` that are meant: those that a user's predicate names and
 * those that foreign keys reach.  `rows` says what of each table is meant; in `arena`. */
bo_status bo_closure_predicate(bo_conn *conn, const bo_closure *closure,
    const bo_closure_rows *rows, uint32_t table, bo_arena *arena, const char **out, bo_error *err);

#endif
