/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/pg_world.h - a PostgreSQL database of a test's own. */
#ifndef BO_TESTS_CONTRACT_PG_WORLD_H
#define BO_TESTS_CONTRACT_PG_WORLD_H

#include "driver/driver.h"
#include "support/unit.h"

typedef struct pg_world {
    char database[64];
    char url[600];
    bo_conn *super;  /* on the server's own database, to make and drop ours */
    bo_conn *user;   /* ours, as a user connects: nothing pinned */
    bo_conn *conn;   /* ours, as backout connects */
    bo_arena *arena; /* of one test */
} pg_world;

/** Makes an empty database `name`; NULL when there is no server to test with. */
pg_world *pg_world_create(const char *name);
/** Drops the database. */
void pg_world_free(pg_world *world);

/** Connects and makes `schemas` ("public, other") anew; pg_world_end() closes. */
void pg_world_begin(pg_world *world, const char *const *schemas);
void pg_world_end(pg_world *world);

bo_conn *pg_world_connect(const char *url, bool raw);
/** Fails the test when `st` is not BO_OK. */
void pg_must(bo_status st, const bo_error *err);
void pg_do(bo_conn *conn, const char *sql);
const bo_table *pg_table(bo_conn *conn, bo_arena *arena, const char *name);

#define PG_NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
