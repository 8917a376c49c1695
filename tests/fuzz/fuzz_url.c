/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/fuzz_url.c - the URL of a database: every reader of it sees the same, and a password
 * in it is known as one and never shown.
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "cli/config.h"
#include "cli/mariadb_url.h"
#include "cli/secret.h"
#include "cli/sqlite_url.h"
#include "driver/driver.h"
#include "driver/mariadb/url.h"
#include "driver/sqlite/url.h"
#include "fuzz.h"

static bool same(const char *a, const bo_buf *b)
{
    return strcmp(a ? a : "", bo_buf_str(b)) == 0;
}

/* The program tells the mariadb client what the driver was told. */
static void check_client(const char *text, const my_url *url)
{
    BO_OWN_VALUE(cli_mariadb_url) client = {0};
    char port[16] = "";
    if (url->port)
        (void)snprintf(port, sizeof port, "%u", url->port);
    fuzz_must(cli_mariadb_url_read(text, &client), "the client's reader reads it, too");
    fuzz_must(same(url->user, &client.user) && same(url->host, &client.host) &&
                  same(url->database, &client.database) && same(url->socket, &client.socket),
        "the client gets the same server, database and user");
    fuzz_must(same(port, &client.port), "the client gets the same port");
}

static bool has_my_password(const char *text)
{
    BO_OWN(my_url) *url = NULL;
    return my_url_parse(text, &url, NULL) == BO_OK && url->password && url->password[0];
}

static void check_mariadb(const char *text, const char *shown)
{
    BO_OWN(my_url) *url = NULL;
    bo_error err = {0};
    if (my_url_parse(text, &url, &err) != BO_OK)
        return;
    check_client(text, url);
    fuzz_must(!url->password || !url->password[0] || cli_url_has_password(text),
        "a password of MariaDB is known as one");
    fuzz_must(!has_my_password(shown), "a password of MariaDB is not shown");
}

static bool has_pg_password(const char *text)
{
    PQconninfoOption *options = PQconninfoParse(text, NULL);
    bool found = false;
    for (PQconninfoOption *option = options; option && option->keyword; option++)
        found |= option->val && option->val[0] && strstr(option->keyword, "password") &&
                 strcmp(option->keyword, "passfile") != 0;
    PQconninfoFree(options);
    return found;
}

static void check_postgres(const char *text, const char *shown)
{
    fuzz_must(!has_pg_password(text) || cli_url_has_password(text),
        "a password of PostgreSQL is known as one");
    fuzz_must(!has_pg_password(shown), "a password of PostgreSQL is not shown");
}

/* A production database is known by its file, whatever the URL. */
static void check_sqlite(const char *text)
{
    BO_OWN(sq_url) *url = NULL;
    BO_OWN_VALUE(bo_buf) path = {0};
    if (sq_url_parse(text, &url, NULL) != BO_OK)
        return;
    fuzz_must(url->path[0] && url->path[0] != ':', "a path that SQLite takes for a file");
    if (strncmp(text, "file:", 5) != 0 && strncmp(text, "sqlite:", 7) != 0)
        return;
    fuzz_must(cli_sqlite_url_path(text, &path), "the program's reader reads it, too");
    size_t before = strlen(url->path) - strlen(bo_buf_str(&path));
    fuzz_must((before == 0 || before == 2) && strcmp(url->path + before, bo_buf_str(&path)) == 0,
        "the program means the same file");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BO_OWN_VALUE(bo_buf) input = {0};
    BO_OWN_VALUE(bo_buf) shown = {0};
    BO_OWN(bo_arena) *arena = bo_arena_create();
    const bo_driver *driver = NULL;
    const char *text = fuzz_text(&input, data, size);
    uint32_t ms = 0;
    (void)cli_duration(text, &ms);
    fuzz_must(cli_url_absolute(arena, "/folder", text) != NULL, "an absolute URL");
    if (bo_driver_find(text, &driver, NULL) != BO_OK || bo_url_redact(text, &shown, NULL) != BO_OK)
        return 0;
    if (driver == &bo_driver_mariadb)
        check_mariadb(text, bo_buf_str(&shown));
    else if (driver == &bo_driver_postgres)
        check_postgres(text, bo_buf_str(&shown));
    else
        check_sqlite(text);
    return 0;
}
