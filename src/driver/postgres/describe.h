/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/describe.h - what the files that read a table's definition share. */
#ifndef BO_DRIVER_POSTGRES_DESCRIBE_H
#define BO_DRIVER_POSTGRES_DESCRIBE_H

#include "driver/postgres/pg.h"

/** What is asked about a table: the queries of sql/ whose only parameter is its OID. */
typedef enum pg_part {
    PG_PART_RELATION,
    PG_PART_COLUMNS,
    PG_PART_KEYS,
    PG_PART_FOREIGN_KEYS,
    PG_PART_TRIGGERS,
    PG_PART_SEQUENCES,
    PG_PART_INDEXES,
    PG_PART_CHECKS,
    PG_PART_VIEWS,
    PG_PART_PARTITIONS,
    PG_PART_LIMITS,
    PG_PART_DEFINE, /* this and the next: of a table only, not of a view */
    PG_PART_DEFINE_AFTER,
    PG_PART_COUNT,
} pg_part;

/** The answer to each part; NULL when it was not asked. */
typedef struct pg_answers {
    PGresult *of[PG_PART_COUNT];
} pg_answers;

/** A table on its way to being described. */
typedef struct pg_description {
    bo_arena *arena;
    bo_table *table;
    pg_answers answers;
    bool failed; /* an allocation failed: checked once, at the end */
} pg_description;

/* ask.c: the queries are prepared once per connection, for planning takes longer than running */
/** The relations that a name may mean, best first: OID, name, schema, local name, kind. */
bo_status pg_ask_relations(
    pg_conn *conn, const char *schema, const char *local, PGresult **out, bo_error *err);
/** Asks all parts below `count` about the table `oid` in one round trip. */
bo_status pg_ask_parts(
    pg_conn *conn, const char *oid, pg_part count, pg_answers *out, bo_error *err);
void pg_answers_done(pg_answers *answers);

/* describe_parts.c */
/** A cell copied into the arena; NULL for SQL NULL. */
const char *pg_cell(pg_description *about, const PGresult *result, int row, int column);
/** A cell of type boolean, of type "char" (0 when empty), or a number. */
bool pg_cell_true(const PGresult *result, int row, int column);
char pg_cell_char(const PGresult *result, int row, int column);
/** Room for `count` zeroed elements (NULL for none); on no memory sets about->failed. */
void *pg_room(pg_description *about, int count, size_t size);
/** Adds a sentence to the limits. */
void pg_add_limit(pg_description *about, const char *sentence);

/* describe_keys.c */
bo_status pg_describe_keys(pg_description *about, bo_error *err);
bo_status pg_describe_foreign_keys(pg_description *about, bo_error *err);
/* define.c */
bo_status pg_describe_definition(pg_description *about, bo_error *err);

#endif
