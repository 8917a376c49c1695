/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/place.c - a database that histories take place in, one after the other. */
#include "property/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/unit.h"

const char *place_engine(engine on)
{
    static const char *const names[] = {"sqlite", "postgresql", "mariadb"};
    return names[on];
}

static const char *server_url(engine on, bool as_owner)
{
    static const char *const variables[][2] = {{"", ""},
        {"BACKOUT_TEST_PG_SUPER_URL", "BACKOUT_TEST_PG_APP_URL"},
        {"BACKOUT_TEST_MY_SUPER_URL", "BACKOUT_TEST_MY_APP_URL"}};
    return getenv(variables[on][as_owner]);
}

/* The server's URL with another database: "postgresql:///postgres?..." */
static void name_url(const char *server, const char *name, char out[512])
{
    const char *path = strchr(strstr(server, "://") + 3, '/') + 1;
    (void)snprintf(
        out, 512, "%.*s%s%s", (int)(path - server), server, name, path + strcspn(path, "?"));
}

static bo_status server_sql(const place *p, const char *sql, bo_error *err)
{
    BO_OWN(bo_conn) *conn = NULL;
    const bo_connect how = {.url = server_url(p->engine, false), .raw = true};
    bo_status st = bo_driver_open(&how, &conn, err);
    return st == BO_OK ? conn->driver->exec(conn, sql, err) : st;
}

static bo_status server_database(const place *p, const char *verb, bo_error *err)
{
    char sql[512];
    const char *owner = p->engine == ON_POSTGRES && verb[0] == 'C' ? " OWNER app" : "";
    (void)snprintf(sql, sizeof sql, "%s DATABASE %s%s", verb, p->name, owner);
    return server_sql(p, sql, err);
}

static void must(bo_status st, const bo_error *err)
{
    assert_string_equal(st == BO_OK ? "" : err->text, "");
}

bool place_open(place *p, engine on)
{
    bo_error err = {0};
    *p = (place){.engine = on};
    (void)snprintf(
        p->folder, sizeof p->folder, "%.36s/backout-property-XXXXXX", temporary_folder());
    if (on != ON_SQLITE && !server_url(on, false))
        return false;
    assert_non_null(mkdtemp(p->folder));
    if (on == ON_SQLITE) {
        (void)snprintf(p->url[0], sizeof p->url[0], "sqlite:%s/shop.db", p->folder);
        memcpy(p->url[1], p->url[0], sizeof p->url[1]);
        return true;
    }
    (void)snprintf(p->name, sizeof p->name, "property_%d", (int)getpid());
    name_url(server_url(on, false), p->name, p->url[0]);
    name_url(server_url(on, true), p->name, p->url[1]);
    must(server_database(p, "CREATE", &err), &err);
    if (on == ON_MARIADB) {
        char sql[200];
        (void)snprintf(sql, sizeof sql, "GRANT ALL ON %s.* TO app@localhost", p->name);
        must(server_sql(p, sql, &err), &err);
    }
    return true;
}

void place_close(place *p)
{
    bo_error err = {0};
    char command[100];
    if (p->engine != ON_SQLITE)
        must(server_database(p, "DROP", &err), &err);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
    assert_int_equal(system(command), 0);
}

bo_status place_connect(
    const place *p, bool as_owner, const char *run, bo_conn **out, bo_error *err)
{
    static const char *const settings[] = {"PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 0",
        "SET lock_timeout = '20ms'; SET statement_timeout = '5s'",
        "SET SESSION innodb_lock_wait_timeout = 0, lock_wait_timeout = 1"};
    const bo_connect how = {.url = p->url[as_owner], .raw = true, .create = true, .run = run};
    BO_OWN(bo_conn) *conn = NULL;
    bo_status st = bo_driver_open(&how, &conn, err);
    if (st == BO_OK)
        st = conn->driver->exec(conn, settings[p->engine], err);
    if (st == BO_OK)
        *out = BO_TAKE(conn);
    return st;
}

bo_status place_empty(const place *p, bo_error *err)
{
    BO_OWN(bo_conn) *conn = NULL;
    if (p->engine == ON_SQLITE) {
        char path[128];
        static const char *const ends[] = {"", "-wal", "-shm"};
        for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) {
            (void)snprintf(path, sizeof path, "%s/shop.db%s", p->folder, ends[i]);
            (void)unlink(path);
        }
        bo_status st = place_connect(p, false, NULL, &conn, err);
        return st == BO_OK ? conn->driver->exec(conn, "PRAGMA journal_mode = WAL", err) : st;
    }
    if (p->engine == ON_MARIADB) {
        bo_status st = server_database(p, "DROP", err);
        return st == BO_OK ? server_database(p, "CREATE", err) : st;
    }
    bo_status st = place_connect(p, false, NULL, &conn, err);
    return st == BO_OK ? conn->driver->exec(conn,
                             "SET client_min_messages = warning; DROP SCHEMA public CASCADE;"
                             "DROP SCHEMA IF EXISTS backout CASCADE;"
                             "CREATE SCHEMA public AUTHORIZATION app",
                             err)
                       : st;
}
