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
    char url[128];
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

static inline bo_catalog *world_open(const world *w)
{
    bo_catalog *catalog = NULL;
    bo_error err = {0};
    bo_status st = bo_catalog_open(w->url, NULL, &catalog, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(st, BO_OK);
    return catalog;
}

static inline int world_set_up(void **state)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    strcpy(w->folder, "/tmp/backout-catalog-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    (void)snprintf(w->path, sizeof w->path, "%s/state/catalog.db", w->folder);
    (void)snprintf(w->url, sizeof w->url, "sqlite:%s", w->path);
    w->arena = bo_arena_create();
    w->catalog = world_open(w);
    *state = w;
    return 0;
}

static inline int world_tear_down(void **state)
{
    world *w = *state;
    bo_catalog_free(w->catalog);
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

#endif
