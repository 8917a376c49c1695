/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/stage.h - what the files of the stage share; docs/design/proof.md. */
#ifndef BO_DRIVER_POSTGRES_STAGE_H
#define BO_DRIVER_POSTGRES_STAGE_H

#include "driver/postgres/pg.h"

/**
 * A staged table and its temporary table:
 *
 *     bo_id, bo_target      as filled
 *     bo_skip               true: dropped, not to be done; otherwise NULL
 *     bo_keep               true: the row is changed in place, because rows that stay refer to it
 *     bo_rel, bo_loc        tableoid and ctid of the row of now; NULL: there is none
 *     c0, c1, ...           the values of the image, with the types of now
 *
 * Columns are numbered so that no name of a user's can meet one of ours.
 */
typedef struct pg_staged {
    const bo_table *was;
    const bo_table *now;
    const char *stage; /* pg_temp.bo_stage_3 */
    const char *live;  /* "s"."t"; what rows are inserted into */
    const char *from;  /* ONLY "s"."t", or "s"."t" when partitioned: what is read and changed */
    const char *extra; /* pg_temp.bo_extra_3 while columns added since are carried over, or NULL */
    uint16_t extra_count;
    const uint16_t *extra_columns; /* positions in now->columns */
    uint64_t entries;
} pg_staged;

/** A column of a foreign key or unique key. */
typedef struct pg_pair {
    const char *child;  /* quoted; of a key: the column */
    const char *parent; /* quoted; of a key: NULL */
    int child_at;       /* position in the image of the stage, or -1 */
    int parent_at;
    const char *equal;   /* OPERATOR(pg_catalog.=), parent's value on the left */
    const char *collate; /* " COLLATE s.c" where both sides have different ones, or "" */
    bool not_null;       /* of a key */
    uint16_t position;   /* of a key: in now->columns */
} pg_pair;

/** A foreign key that touches a staged table. */
typedef struct pg_edge {
    const char *name;
    const char *child; /* ready for FROM */
    const char *parent;
    const char *child_name; /* for people */
    const char *parent_name;
    int child_stage; /* position in the stage, or -1 */
    int parent_stage;
    bool validated;
    bool waits; /* deferrable and without actions: SET CONSTRAINTS puts its check off */
    bool child_readable;
    bool parent_readable;
    bool staged_whole; /* every column is in the images, and no side is a single partition */
    char on_delete;
    char on_update;
    uint16_t count;
    pg_pair *pairs;
} pg_edge;

/** A unique key of plain columns of a staged table. */
typedef struct pg_unique {
    const char *name;
    int stage;
    bool immediate;
    bool nulls_equal;
    bool in_image; /* every column is */
    uint16_t count;
    pg_pair *pairs;
} pg_unique;

typedef struct pg_graph {
    size_t edge_count;
    pg_edge *edges;
    size_t unique_count;
    pg_unique *uniques;
    bool deferrable_unique; /* a key or exclusion that only its own trigger checks */
} pg_graph;

typedef struct pg_stage {
    bo_stage base;
    pg_conn *conn;
    bo_arena *arena;
    unsigned count;
    pg_staged *tables;
    pg_graph graph;
    bool kept;          /* some row is marked bo_keep */
    bool right_missing; /* the role of a replica would do, and may not be taken */
    bool triggers_off;
    bool replica;            /* no foreign key is enforced while the rows go in */
    unsigned recheck_serial; /* in the names of the tables of recheck.c */
    unsigned acting_serial;  /* and of those of ladder.c */
} pg_stage;

static inline pg_stage *pg_stage_of(bo_stage *stage)
{
    return (pg_stage *)(void *)stage;
}

/* ---- graph.c ---- */
/** Foreign keys (both ways) and unique keys of `tables`; stage positions are those in `tables`. */
bo_status pg_graph_read(pg_conn *conn, const pg_staged *tables, unsigned count, bo_arena *arena,
    pg_graph *out, bo_error *err);
/** What FROM needs to read or change the rows of `table` itself. */
const char *pg_from(bo_arena *arena, const bo_table *table);

/** Where a value of a pair is read. */
typedef enum pg_place {
    PG_LIVE,   /* alias."column" */
    PG_STAGED, /* alias.c4 */
    PG_SAVED,  /* alias.r0: position in the pair list */
} pg_place;

/** `p.x = c.y AND ...`, with the operators the foreign key itself uses. */
void pg_edge_match(bo_buf *out, const pg_edge *edge, const char *parent, pg_place parent_place,
    const char *child, pg_place child_place);
/** `a.x = b.x AND ...`, as the unique key itself compares. */
void pg_unique_match(bo_buf *out, const pg_unique *key, const char *a, pg_place a_place,
    const char *b, pg_place b_place);
/** ROW(...) of the child's (or parent's) columns, for image comparison (as a record:
 * ROW() itself would be compared value by value). */
void pg_edge_row(bo_buf *out, const pg_edge *edge, bool parent, const char *alias, pg_place place);
/** SELECT of the referenced values (PG_SAVED) of the rows `p` of the parent that have an entry `s`;
 * a WHERE can follow. */
void pg_edge_referenced(bo_buf *out, const pg_stage *stage, const pg_edge *edge);
/** `a.x IS NOT NULL AND ...` of the child's (or parent's) columns. */
void pg_edge_not_null(
    bo_buf *out, const pg_edge *edge, bool parent, const char *alias, pg_place place);

/* ---- stage.c ---- */
/** `alias.bo_loc = row.ctid AND alias.bo_rel = row.tableoid`. */
void pg_located(bo_buf *out, const char *alias, const char *row);
/** c0, c1, ... each with `alias.` before it. */
void pg_stage_columns(bo_buf *out, const pg_staged *table, const char *alias);
/** Tells the planner what is in the stage. */
bo_status pg_analyze_stage(pg_conn *conn, const pg_staged *table, bo_error *err);
/** Entries find their rows by this key, byte by byte: no row that stays holds it against them. */
bool pg_locates(const pg_stage *stage, const pg_unique *key);
/** Runs the statement in `sql`, or says that there was no memory for it. */
bo_status pg_run_buf(pg_conn *conn, const bo_buf *sql, uint64_t *rows_out, bo_error *err);
/** One number, the only value of the result. */
bo_status pg_ask_count(pg_conn *conn, const bo_buf *sql, uint64_t *out, bo_error *err);

/* ---- ladder.c: while foreign keys are enforced ---- */
/** Marks (bo_keep) the rows that other rows refer to which stay: these are changed in place. */
bo_status pg_ladder_mark(pg_stage *stage, bo_error *err);
/** Rows that go, and are kept, become those that come with the same values for all that may refer
 * to them: changes in place.  `counts_out`: how many, by table. */
bo_status pg_ladder_take_over(pg_stage *stage, uint64_t *counts_out, bo_error *err);
/** BO_CONFLICT when a change in place would make a foreign key's action run. */
bo_status pg_ladder_check_updates(pg_stage *stage, bo_error *err);
/** The same once the rows are written, of values that the server computes. */
bo_status pg_ladder_check_computed(pg_stage *stage, bo_error *err);
/** BO_CONFLICT when a row that goes last is still referred to. */
bo_status pg_ladder_check_deletes(pg_stage *stage, bo_error *err);

/* ---- park.c ---- */
/** Makes the rows that stay in place let go of unique values that other entries need. */
bo_status pg_park(pg_stage *stage, bo_error *err);

/* ---- recheck.c ---- */
/** Before: notes what refers to nothing already and which referenced values go. */
bo_status pg_recheck_begin(pg_stage *stage, bo_error *err);
/** After: BO_CONFLICT when a reference is broken that was not broken before. */
bo_status pg_recheck_end(pg_stage *stage, bo_error *err);

/* ---- triggers.c ---- */
bo_status pg_replica_allowed(pg_conn *conn, bool *out, bo_error *err);
bo_status pg_triggers_off_as(
    pg_conn *conn, const bo_table *const *tables, unsigned count, bool replica, bo_error *err);

#endif
