/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/store/world.h - a folder with a catalog in it, for one test. */
#ifndef BO_TESTS_STORE_WORLD_H
#define BO_TESTS_STORE_WORLD_H

#include "support/unit.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/catalog.h"

typedef struct world {
    char folder[64];
    char path[96]; /* of the catalog's file */
    char url[256];
    bo_arena *arena;
    bo_catalog *catalog;
} world;

static inline int world_remove_entry(
    const char *path, const struct stat *about, int type, struct FTW *ftw)
{
    (void)about;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* On PostgreSQL each test has a database of its own, because the catalog's schema has one name. */
static inline bool world_is_postgres(void)
{
    const char *engine = getenv("BACKOUT_TEST_CATALOG");
    return engine && strcmp(engine, "postgresql") == 0;
}

static inline void world_server_sql(const char *verb, const char *name)
{
    char sql[160];
    bo_error err = {0};
    BO_OWN(bo_conn) *conn = NULL;
    const bo_connect how = {.url = getenv("BACKOUT_TEST_PG_SUPER_URL")};
    bo_status st = bo_driver_open(&how, &conn, &err);
    (void)snprintf(sql, sizeof sql, "%s DATABASE \"%s\"", verb, name);
    if (st == BO_OK)
        st = conn->driver->exec(conn, sql, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(st, BO_OK);
}

/* "postgresql:///postgres?host=..." with another name of the database */
static inline void world_use_postgres(world *w)
{
    const char *url = getenv("BACKOUT_TEST_PG_SUPER_URL");
    const char *slashes = strstr(url, ":///");
    assert_non_null(slashes);
    int scheme = (int)(slashes - url) + 4;
    (void)snprintf(w->path, sizeof w->path, "%s", strrchr(w->folder, '/') + 1);
    for (char *c = w->path; *c; c++)
        *c = *c == '-' ? '_' : *c;
    (void)snprintf(w->url, sizeof w->url, "%.*s%s%s", scheme, url, w->path,
        url + scheme + strcspn(url + scheme, "?"));
    world_server_sql("CREATE", w->path);
}

static inline bo_catalog *world_open_waiting(const world *w, uint32_t lock_timeout_ms)
{
    bo_catalog *catalog = NULL;
    bo_error err = {0};
    bo_status st = bo_catalog_open(w->url, NULL, lock_timeout_ms, &catalog, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(st, BO_OK);
    return catalog;
}

static inline bo_catalog *world_open(const world *w)
{
    return world_open_waiting(w, 0);
}

/* No connection may be open while a test forks. */
static inline void world_close(world *w)
{
    bo_catalog_free(w->catalog);
    w->catalog = NULL;
}

static inline int world_set_up(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    (void)snprintf(w->folder, sizeof w->folder, "%.36s/backout-catalog-XXXXXX", temporary_folder());
    assert_non_null(mkdtemp(w->folder));
    if (world_is_postgres()) {
        world_use_postgres(w);
    } else {
        (void)snprintf(w->path, sizeof w->path, "%s/state/catalog.db", w->folder);
        (void)snprintf(w->url, sizeof w->url, "sqlite:%s", w->path);
    }
    w->arena = bo_arena_create();
    w->catalog = world_open(w);
    *state = w;
    return 0;
}

static inline int world_tear_down(void **state)
{
    world *w = *state;
    world_close(w);
    if (world_is_postgres())
        world_server_sql("DROP", w->path);
    bo_arena_free(w->arena);
    (void)nftw(w->folder, world_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

/* SQL as somebody with the sqlite3 shell would run it. */
static inline void world_sql(world *w, const char *sql)
{
    bo_conn *conn = bo_catalog_conn(w->catalog);
    bo_error err = {0};
    bo_status st = conn->driver->exec(conn, sql, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(st, BO_OK);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

/* Instead of cmocka_run_group_tests(): on PostgreSQL only where there is a server. */
#define WORLD_RUN(tests) (world_is_missing() ? 0 : cmocka_run_group_tests(tests, NULL, NULL))
static inline bool world_is_missing(void)
{
    bool missing = world_is_postgres() && !getenv("BACKOUT_TEST_PG_SUPER_URL");
    if (missing)
        (void)puts("1..0 # SKIP no PostgreSQL server");
    return missing;
}

#endif
