/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/data/table.h - the definition of a table, as read from a live database.
 *
 * A bo_table and all that hangs on it lives in one bo_arena and is immutable once described.  It
 * goes into snapshot files and the catalog as JSON (bo_table_to_json) so that rows can be put
 * back by column name, never by position, and a dropped table can be made again.
 */
#ifndef BO_DATA_TABLE_H
#define BO_DATA_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "data/image.h"

/* How values of this table's images are encoded; see data/image.h. */
typedef enum bo_encoding {
    BO_ENCODING_SQLITE = 1,
    BO_ENCODING_PG_BINARY = 2,
    BO_ENCODING_PG_TEXT = 3,
    BO_ENCODING_MARIADB = 4,
} bo_encoding;

typedef enum bo_generated {
    BO_GENERATED_NO = 0,
    BO_GENERATED_STORED,
    BO_GENERATED_VIRTUAL,
} bo_generated;

typedef struct bo_column {
    const char *name;
    const char
        *type; /* as the database writes it: "numeric(12,2)", "INTEGER"; "" when SQLite has none */
    uint32_t type_oid; /* PostgreSQL; 0 elsewhere */
    bool not_null;
    bool in_image;            /* false: generated columns, which the database computes by itself */
    const char *default_expr; /* or NULL */
    bo_generated generated;
    char identity;         /* PostgreSQL: 'a' always, 'd' by default, 0 none */
    const char *collation; /* or NULL */
} bo_column;

typedef struct bo_key {
    const char *name; /* of the constraint or index */
    uint16_t count;
    const uint16_t *columns; /* positions in bo_table.columns */
    bool primary;
    bool is_row_key;  /* may identify a row: no NULL possible, immediate, not partial, no expression
                       */
    bool nulls_equal; /* NULLS NOT DISTINCT */
    bool simple;      /* plain columns only, not partial: `columns` says it all */
    const char *definition; /* SQL that makes it again; NULL when part of the table's own SQL */
} bo_key;

typedef struct bo_foreign_key {
    const char *name;  /* SQLite: "fk0", "fk1", ... */
    const char *child; /* qualified table names, as in bo_table.name */
    const char *parent;
    uint16_t count;
    const char *const *child_columns;
    const char *const *parent_columns;
    char on_delete; /* 'a' no action, 'r' restrict, 'c' cascade, 'n' set null, 'd' set default */
    char on_update;
    bool deferrable;
    bool deferred;
    bool validated;
    const char *definition;
} bo_foreign_key;

typedef struct bo_trigger {
    const char *name;
    const char *definition;
    char enabled; /* PostgreSQL's tgenabled: 'O', 'D', 'R', 'A'; SQLite: 'O' */
} bo_trigger;

typedef struct bo_sequence {
    const char *name;   /* qualified; SQLite: the table's row in sqlite_sequence */
    const char *column; /* that owns it, or whose default calls it */
    int64_t last_value;
    bool is_called;
    int64_t increment;
    uint16_t tables; /* whose columns use it, as it is now; 0: not known to be more than this one */
} bo_sequence;

typedef struct bo_named_sql {
    const char *name;
    const char *definition;
} bo_named_sql;

typedef struct bo_table {
    const char *
        name; /* as users write and read it: "orders", "sales.orders", "\"odd name\"" when needed */
    const char *schema; /* PostgreSQL: "public"; SQLite: "main" */
    const char *local;  /* name inside the schema, not quoted */
    const char *id;     /* PostgreSQL: OID; SQLite: root page is not stable, so "" */
    bo_encoding encoding;
    char kind;             /* 'r' table, 'p' partitioned, 'v' virtual, 'f' foreign */
    bool without_rowid;    /* SQLite */
    bool row_hint;         /* images end with one value more than image_count says: the rowid, an
                              SQLite integer.  Rows that come back take it when it is free; it is never
                              compared */
    bool strict;           /* SQLite */
    bool row_security;     /* PostgreSQL: policies apply to the connected user */
    bool system_versioned; /* kept for MariaDB */

    uint16_t column_count;
    const bo_column *columns;      /* all, in the table's order */
    uint16_t image_count;          /* columns that are in images */
    const uint16_t *image_columns; /* positions in `columns`, in image order */

    const bo_key *row_key; /* one of `keys`: it identifies rows; or NULL: rows are a multiset */
    uint16_t key_count;
    const bo_key *keys; /* primary and unique */
    uint16_t foreign_key_count;
    const bo_foreign_key *foreign_keys; /* of this table: it is the child */
    uint16_t referenced_count;
    const bo_foreign_key *referenced_by; /* of any table: this one is the parent */
    uint16_t trigger_count;
    const bo_trigger *triggers; /* users' own */
    uint16_t kept_count;
    const char *const *kept; /* SQLite: other tables that triggers of this one write to, by now */
    uint16_t sequence_count;
    const bo_sequence *sequences;
    uint16_t index_count;
    const bo_named_sql *indexes; /* not the ones behind keys */
    uint16_t check_count;
    const bo_named_sql *checks;
    uint16_t view_count;
    const char *const *views; /* that read it: said when the table is dropped or made again */
    uint16_t partition_count;
    const char *const *partitions;

    const char *definition; /* SQL that makes the table again (without indexes, triggers and foreign
                               keys) */
    uint16_t definition_count;
    const char *const *after; /* SQL after the rows are in: keys, indexes, foreign keys, triggers,
                                 comments, grants */

    uint16_t limit_count; /* what of this table cannot be undone, one sentence each; [0] of an
                             uncovered one says why */
    const char *const *limits;
    bool uncovered; /* no point can be taken: virtual, foreign, unreadable ... limits[0] is the
                       reason */
} bo_table;

/** PostgreSQL: the values are arrays.  A domain over an array is none. */
bool bo_column_is_array(const bo_column *column);
/** Position in `columns` of the column `name`, or -1. */
int bo_table_column(const bo_table *table, const char *name);
bool bo_table_has_partition(const bo_table *table, const char *name);
/** All rows of `inner` are rows of `table` as well: it is a partition of it, of any level. */
bool bo_table_is_inside(const bo_table *inner, const bo_table *table);
/** Position among the values of an image of column `position`, or -1 when it is not in images. */
int bo_table_image_position(const bo_table *table, uint16_t position);
/** Positions in the image of the row key's columns: fills `out` (room for row_key->count); 0
 * without a row key. */
uint16_t bo_table_key_positions(const bo_table *table, uint16_t *out);

/** What of an image of `table` is compared: all of it but the hint. */
bo_span bo_row_values(const bo_table *table, bo_image row);
/** The same values: the same bytes, hints apart. Both images are there. */
bool bo_row_equal(const bo_table *table, bo_image a, bo_image b);
/** The same of images that may be absent (data NULL): both are there and equal, or none is. */
bool bo_row_same(const bo_table *table, bo_image a, bo_image b);

json_t *bo_table_to_json(const bo_table *table); /* new reference; NULL: no memory */
/** Reads what bo_table_to_json() wrote; BO_CORRUPT names the missing or wrong member. */
bo_status bo_table_from_json(
    const json_t *json, bo_arena *arena, const bo_table **out, bo_error *err);

/**
 * One way in which a table is no longer as it was.  Blocking ones: a column of the images dropped,
 * generated now, or of another type (types bind nobody in SQLite) or, in MariaDB, another character
 * set; a column added that needs a value and has no default; other columns in the row key.
 */
typedef struct bo_table_change {
    char what; /* '+' column added, '-' column dropped, 't' type or collation changed, 'k' key,
                  'f' foreign key, 'g' trigger, 'c' check, 'i' index, 'n' nullability, 'd' default,
                  generation or identity */
    const char *name;
    const char *was; /* or NULL */
    const char *now; /* or NULL */
    bool blocks;     /* rows of then cannot be put into the table of now */
} bo_table_change;

/** What happened to the definition since; in `arena`. */
bo_status bo_table_compare(const bo_table *was, const bo_table *now, bo_arena *arena,
    bo_table_change **changes_out, uint16_t *count_out, bo_error *err);

/**
 * How to write images of `was` by column name into `now`: map_out[i] is the position in `now`'s
 * columns for value i of an image of `was`, or -1: dropped since, or generated now.  In `arena`.
 */
bo_status bo_table_map(
    const bo_table *was, const bo_table *now, bo_arena *arena, int **map_out, bo_error *err);

/** The same with, of each column of `now`, whether an image of `was` gives it a value. */
bo_status bo_table_given(const bo_table *was, const bo_table *now, bo_arena *arena,
    const int **map_out, const bool **given_out, bo_error *err);

/** The key of `now` that has the columns of the row key of `was`, whatever their order; or NULL. */
const bo_key *bo_table_same_key(const bo_table *was, const bo_table *now);

#endif
