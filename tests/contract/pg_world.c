/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/pg_world.c - a PostgreSQL database of a test's own. */
#include "contract/pg_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pg_must(bo_status st, const bo_error *err)
{
    if (st != BO_OK)
        fail_msg("%s: %s", bo_status_name(st), err->text);
}

void pg_do(bo_conn *conn, const char *sql)
{
    bo_error err = {0};
    pg_must(conn->driver->exec(conn, sql, &err), &err);
}

bo_conn *pg_world_connect(const char *url, bool raw)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    const bo_connect how = {.url = url, .application_name = "backout", .raw = raw};
    pg_must(bo_driver_postgres.open(&how, &conn, &err), &err);
    return conn;
}

const bo_table *pg_table(bo_conn *conn, bo_arena *arena, const char *name)
{
    bo_error err = {0};
    const bo_table *table = NULL;
    pg_must(conn->driver->describe(conn, name, arena, &table, &err), &err);
    return table;
}

static void database_command(const pg_world *world, const char *command)
{
    char sql[200];
    snprintf(sql, sizeof sql, "%s %s", command, world->database);
    pg_do(world->super, sql);
}

pg_world *pg_world_create(const char *name)
{
    const char *super = getenv("BACKOUT_TEST_PG_SUPER_URL");
    if (!super)
        return NULL;
    pg_world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    const char *query = strchr(super, '?');
    snprintf(world->database, sizeof world->database, "%s", name);
    snprintf(world->url, sizeof world->url, "postgresql:///%s%s", name, query ? query : "");
    world->super = pg_world_connect(super, false);
    database_command(world, "DROP DATABASE IF EXISTS");
    database_command(world, "CREATE DATABASE");
    return world;
}

void pg_world_free(pg_world *world)
{
    database_command(world, "DROP DATABASE");
    world->super->driver->close(world->super);
    free(world);
}

void pg_world_begin(pg_world *world, const char *const *schemas)
{
    world->conn = pg_world_connect(world->url, false);
    world->user = pg_world_connect(world->url, true);
    world->arena = bo_arena_create();
    assert_non_null(world->arena);
    for (; *schemas; schemas++) {
        char sql[300];
        snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS %s CASCADE; CREATE SCHEMA %s", *schemas,
            *schemas);
        pg_do(world->user, sql);
    }
}

void pg_world_end(pg_world *world)
{
    bo_arena_free(world->arena);
    world->user->driver->close(world->user);
    world->conn->driver->close(world->conn);
}
