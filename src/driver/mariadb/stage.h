/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/stage.h - the temporary tables of a stage.
 *
 * One per table: id, target (1: the entry has one), found (1: its row of now was located), in_place
 * (1: that row is changed where it is), whole (without a key: 1 when no equal row stays), image
 * (without a key: what tells one image from another), blocked, and a column c<position> for each
 * column of now that is in images, of its type, character set and collation: so it holds what the
 * table would hold.
 */
#ifndef BO_DRIVER_MARIADB_STAGE_H
#define BO_DRIVER_MARIADB_STAGE_H

#include "driver/mariadb/my.h"

typedef struct my_staged {
    const bo_table *was;
    const bo_table *now;
    const int *map;    /* value of an image of `was` -> column of `now`, or -1: dropped since */
    const bool *given; /* per column of `now`: images of `was` have it */
    const bo_key *key; /* of `now`, the columns that identify rows; NULL: a multiset */
    const char *name;  /* `shop`.`backout_stage_1_0` */
    const char *live;  /* `shop`.`orders` */
    uint64_t entries;
} my_staged;

typedef struct my_stage {
    bo_stage base;
    my_conn *conn;
    bo_arena *arena;
    unsigned count;
    my_staged *tables;
    bool checked; /* nothing is in the way of the entries as they are, and what says so is locked */
} my_stage;

static inline my_stage *my_stage_of(bo_stage *stage)
{
    return (my_stage *)(void *)stage;
}

/** The staged table that `name` (as in bo_table.name) is, or NULL. */
const my_staged *my_staged_find(const my_stage *stage, const char *name);

/** Adds the column's value as images have it, from an entry of the stage. */
void my_staged_value(bo_buf *out, const my_staged *table, uint16_t column, const char *entry);
/** Adds the condition that row and entry (both aliases) have the same bytes in the key's columns.
 */
void my_staged_same_key(bo_buf *out, const my_staged *table, const char *entry, const char *row);
/** Adds what tells the image of a row of now from other images, without a key: compared with
 * `image` of the stage. */
void my_staged_image(bo_buf *out, const my_staged *table, const char *row);
/** Adds the condition that the row stays, unless `table` is NULL: no entry has located it. */
void my_staged_stays(bo_buf *out, const my_staged *table, const char *row);

/** BO_CONFLICT when an entry would break a foreign key that is whole now.  (blocked.c) */
bo_status my_check_edges(my_stage *stage, bo_error *err);

/* ---- references.c ---- */

/** Takes the actions and checks of foreign keys away, or puts them back. */
bo_status my_references(my_conn *conn, bool enforced, bo_error *err);
/** A name as in bo_table.name, quoted for SQL. */
bo_status my_quote_name(my_conn *conn, const char *name, bo_buf *out, bo_error *err);

#endif
