/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/change/world.h - a session, its catalog and repository, and a small shop to work on:
 *
 *     customers (id, name)   orders (id, customer_id -> customers, total)   log (line), no key
 *
 * two customers, three orders, two equal lines.  The real thing throughout; the same on PostgreSQL
 * and on MariaDB.
 */
#ifndef BO_TESTS_CHANGE_WORLD_H
#define BO_TESTS_CHANGE_WORLD_H

#include "support/unit.h"

#include "backout/backup.h"
#include "change/session.h"
#include "change/target.h"

typedef enum world_engine { WORLD_SQLITE, WORLD_POSTGRES, WORLD_MARIADB } world_engine;

typedef struct world {
    world_engine engine;
    char folder[64]; /* everything that is on disk */
    char catalog[128];
    char repository[128];
    char url[512];    /* of the shop */
    char created[64]; /* on a server: database to drop in the end */
    bo_settings settings;
    bo_database database;
    bo_session *session;
    bo_conn *conn; /* to the shop, as an application has it: nothing pinned */
    bo_arena *arena;
    bo_buf warnings; /* one line each */
} world;

int world_set_up(void **state); /* SQLite */
/** A PostgreSQL database of the test's own; without a server *state stays NULL: world_or_skip(). */
int world_set_up_postgres(void **state);
int world_set_up_mariadb(void **state); /* the same there */
int world_tear_down(void **state);
world *world_or_skip(void **state);
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
#define WORLD_TEST_POSTGRES(name) \
    cmocka_unit_test_setup_teardown(name, world_set_up_postgres, world_tear_down)
#define WORLD_TEST_MARIADB(name) \
    cmocka_unit_test_setup_teardown(name, world_set_up_mariadb, world_tear_down)

/** Fails the test, showing `err`, unless `st` is BO_OK. */
void world_ok(bo_status st, const bo_error *err);
/** Closes the session and opens it again, as the next process would. */
void world_reopen(world *w);
/** Closes session and connection: nothing may be open while a test forks. */
void world_close(world *w);
/** A process of its own does `work` with a session of its own and is killed at the step; then all
 * is open again. */
void world_killed_at(
    world *w, const char *step, void (*work)(world *w, const char *what), const char *what);

/** A connection to the server's own database, with all rights; the caller closes it. */
bo_conn *world_server(world_engine engine);

/** SQL of an application. */
void world_sql(world *w, const char *sql);
/** First value of the first row as text, "" when there is none or it is NULL. */
const char *world_value(world *w, const char *sql);

/** Takes a point of one table (NULL: of all) and returns its id. */
const char *world_point(world *w, const char *table);
/** The record of the newest point, undo points among them. */
bo_point_record world_newest(world *w);
/** Takes a point as the options say and returns its id. */
const char *world_point_as(world *w, const bo_point_options *options);
/** Takes a point of one table (NULL: of all), makes the change, seals it; returns the point's id.
 */
const char *world_change(world *w, const char *table, const char *sql);
void world_seal(world *w, const char *id);
/** Rolls back, must succeed, and returns the id of the undo point. */
const char *world_roll_back(world *w, const char *id, bo_rollback_type type);
bo_point_record world_record(world *w, const char *id);
/** The status of the point in the catalog, set aside from every rule. */
void world_set_status(world *w, const char *id, bo_point_status status);

/** Takes what an export writes, and keeps nothing. */
bo_status world_swallow(void *ctx, const char *text, size_t size, bo_error *err);

/** Files of the repository. */
const char *world_path(world *w, const char *name);
bool world_has_file(world *w, const char *name);
void world_put_file(world *w, const char *name, const char *content);
/** Turns over one byte; a negative offset counts from the end. */
void world_damage(world *w, const char *name, long offset);

#endif
