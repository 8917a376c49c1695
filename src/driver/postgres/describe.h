/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/describe.h - what the files that read a table's definition share. */
#ifndef BO_DRIVER_POSTGRES_DESCRIBE_H
#define BO_DRIVER_POSTGRES_DESCRIBE_H

#include "driver/postgres/pg.h"

/** A table on its way to being described. */
typedef struct pg_description {
    pg_conn *conn;
    bo_arena *arena;
    const char *oid; /* of the table, as text */
    bo_table *table;
    bool failed; /* an allocation failed: checked once, at the end */
} pg_description;

/** Asks one of the queries of sql/, whose only parameter is the table's OID. */
bo_status pg_describe_ask(
    const pg_description *about, const char *sql, PGresult **out, bo_error *err);
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
