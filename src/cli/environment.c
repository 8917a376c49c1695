/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/environment.c - the environment of a command that makes a change. */
#include "cli/environment.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "base/text.h"
#include "cli/mariadb_url.h"
#include "cli/sqlite_url.h"

/* ---- PostgreSQL ---- */

static void free_parameters(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

/* What the URL or PGOPTIONS gives already, as libpq prefers them. */
static void given_options(const PQconninfoOption *options, bo_buf *out)
{
    const char *given = getenv("PGOPTIONS");
    for (const PQconninfoOption *o = options; o && o->keyword; o++)
        if (o->val && o->val[0] && strcmp("options", o->keyword) == 0)
            given = o->val;
    if (given && given[0])
        bo_buf_add_str(out, given);
}

/* Every session of the command carries the run, whatever program it is: libpq hands PGOPTIONS to
 * the server, and the triggers of a capture read the setting. */
static void mark_options(const PQconninfoOption *options, const char *run_id, bo_buf *out)
{
    given_options(options, out);
    bo_buf_printf(out, "%s-c backout.run=%s", out->size ? " " : "", run_id);
}

bool cli_environment_marks(const bo_database *database, const char *run_id)
{
    PQconninfoOption *options __attribute__((cleanup(free_parameters))) =
        PQconninfoParse(database->url, NULL);
    BO_OWN_VALUE(bo_buf) marked = {0};
    if (!options)
        return true; /* of another engine */
    mark_options(options, run_id, &marked);
    const char *const keywords[] = {"dbname", "options", "connect_timeout", "password", NULL};
    const char *const values[] = {
        database->url, bo_buf_str(&marked), "10", database->password, NULL};
    PGconn *conn = PQconnectdbParams(keywords, values, 1);
    const bool refused = PQstatus(conn) != CONNECTION_OK &&
                         bo_text_find(PQerrorMessage(conn), "unsupported startup parameter");
    PQfinish(conn);
    return !refused;
}

/* What the clients of PostgreSQL read, from the URL. */
static void set_postgres(const cli_child *child)
{
    static const struct {
        const char *keyword, *variable;
    } names[] = {
        {"host", "PGHOST"},
        {"hostaddr", "PGHOSTADDR"},
        {"port", "PGPORT"},
        {"user", "PGUSER"},
        {"dbname", "PGDATABASE"},
        {"service", "PGSERVICE"},
        {"sslmode", "PGSSLMODE"},
        {"sslrootcert", "PGSSLROOTCERT"},
    };
    PQconninfoOption *options __attribute__((cleanup(free_parameters))) =
        PQconninfoParse(child->database->url, NULL);
    for (PQconninfoOption *o = options; o && o->keyword; o++)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (o->val && o->val[0] && strcmp(names[i].keyword, o->keyword) == 0)
                (void)setenv(names[i].variable, o->val, 1);
    char name[128]; /* tells the rows of this run in pg_stat_activity and in the server's log */
    (void)snprintf(name, sizeof name, "backout:%s", child->run_id);
    (void)setenv("PGAPPNAME", name, 1);
    BO_OWN_VALUE(bo_buf) marked = {0};
    if (child->marked)
        mark_options(options, child->run_id, &marked);
    else
        given_options(options, &marked);
    if (marked.size > 0 && !marked.failed)
        (void)setenv("PGOPTIONS", bo_buf_str(&marked), 1);
}

/* ---- MariaDB ---- */

static void set(const char *variable, const bo_buf *value)
{
    if (value->size)
        (void)setenv(variable, bo_buf_str(value), 1);
}

/* Host, port and socket are what the clients of MariaDB read; they are told user and database only
 * by their arguments, so these two are for the command to pass on. */
static void set_mariadb(const cli_child *child, const cli_mariadb_url *url)
{
    cli_option_file_use(child->options);
    set("MYSQL_HOST", &url->host);
    set("MYSQL_TCP_PORT", &url->port);
    set("MYSQL_UNIX_PORT", &url->socket);
    set("MYSQL_USER", &url->user);
    set("MYSQL_DATABASE", &url->database);
}

/* ---- SQLite ---- */

/* The file, without the options of the URL; false: another engine's. */
static bool set_sqlite(const char *url)
{
    BO_OWN_VALUE(bo_buf) path = {0};
    if (!cli_sqlite_url_path(url, &path))
        return false;
    BO_OWN_MEM char *full = bo_buf_str(&path)[0] == '/' ? NULL : realpath(bo_buf_str(&path), NULL);
    (void)setenv("BACKOUT_SQLITE_FILE", full ? full : bo_buf_str(&path), 1);
    return true;
}

/* ---- all ---- */

void cli_environment_set(const cli_child *child)
{
    const char *url = child->database->url;
    BO_OWN_VALUE(cli_mariadb_url) mariadb = {0};
    (void)setenv("BACKOUT_RUN_ID", child->run_id, 1);
    (void)setenv("BACKOUT_POINT_ID", child->point_id, 1);
    (void)setenv("BACKOUT_DB", child->shown, 1);
    (void)unsetenv("BACKOUT_PASSWORD_FILE");
    (void)unsetenv("BACKOUT_PASSPHRASE_FILE");
    (void)unsetenv("BACKOUT_KEY_FILE");
    if (set_sqlite(url))
        return;
    if (cli_mariadb_url_read(url, &mariadb))
        set_mariadb(child, &mariadb);
    else
        set_postgres(child);
}
