/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/database.c - which database a command works on. */
#include "cli/database.h"

#include <libpq-fe.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/answer.h"
#include "cli/mariadb_url.h"
#include "cli/sqlite_url.h"

void cli_database_done(cli_database *database)
{
    cli_secret_free(database->password);
    *database = (cli_database){0};
}

static void free_parameters(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

static const char *parameter(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *o = options; o && o->keyword; o++)
        if (strcmp(o->keyword, keyword) == 0)
            return o->val && o->val[0] ? o->val : NULL;
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The file of a SQLite URL; false: none that is there. */
static bool find_file(const char *url, struct stat *out)
{
    BO_OWN_VALUE(bo_buf) path = {0};
    return cli_sqlite_url_path(url, &path) && stat(bo_buf_str(&path), out) == 0;
}

/* Do two URLs name one database?  The user and options do not matter. */
static bool same_database(const char *a, const char *b)
{
    static const char *const keywords[] = {"host", "hostaddr", "port", "dbname", "service"};
    struct stat file_of_a, file_of_b;
    if (strcmp(a, b) == 0)
        return true;
    if (find_file(a, &file_of_a) && find_file(b, &file_of_b))
        return file_of_a.st_dev == file_of_b.st_dev && file_of_a.st_ino == file_of_b.st_ino;
    BO_OWN_VALUE(cli_mariadb_url) first = {0};
    BO_OWN_VALUE(cli_mariadb_url) second = {0};
    bool is_first = cli_mariadb_url_read(a, &first);
    bool is_second = cli_mariadb_url_read(b, &second);
    if (is_first || is_second)
        return is_first && is_second && cli_mariadb_url_same(&first, &second);
    PQconninfoOption *of_a __attribute__((cleanup(free_parameters))) = PQconninfoParse(a, NULL);
    PQconninfoOption *of_b __attribute__((cleanup(free_parameters))) = PQconninfoParse(b, NULL);
    if (!of_a || !of_b)
        return false;
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        const char *of_first = parameter(of_a, keywords[i]);
        const char *of_second = parameter(of_b, keywords[i]);
        if (strcmp(keywords[i], "port") == 0) {
            of_first = of_first ? of_first : "5432";
            of_second = of_second ? of_second : "5432";
        }
        if (!same_text(of_first, of_second))
            return false;
    }
    return true;
}

static const cli_database_config *known(const cli *ctx, const char *name, const char *url)
{
    for (size_t i = 0; i < ctx->config.database_count; i++) {
        const cli_database_config *config = &ctx->config.databases[i];
        if (name ? strcmp(config->name, name) == 0 : same_database(config->url, url))
            return config;
    }
    return NULL;
}

/* The password: from the file that the environment names, or from the command of the
 * configuration; otherwise the driver looks in its usual places. */
static bo_status find_password(cli_database *database, bo_error *err)
{
    const char *file = getenv("BACKOUT_PASSWORD_FILE");
    const cli_database_config *config = database->config;
    bo_status st = BO_OK;
    if (file && file[0])
        st = cli_secret_file(file, "the password", &database->password, err);
    else if (config && config->password_command)
        st = cli_secret_command(config->password_command, "the password", &database->password, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot get the password of '%s'", database->shown);
    database->db.password = cli_secret_text(database->password);
    return BO_OK;
}

static bo_status use(
    cli *ctx, const cli_database_config *config, const char *url, cli_database *out, bo_error *err)
{
    cli_database database = {.config = config};
    database.shown = config ? config->name : url;
    database.db = (bo_database){
        .name = config ? config->name : NULL,
        .url = url ? url : config->url, /* the user of a URL is the one it names */
        .lock_timeout_ms = config ? config->lock_timeout_ms : 0,
        .workers = config ? config->workers : 0,
    };
    bo_status st = find_password(&database, err);
    if (st != BO_OK) {
        cli_database_done(&database);
        return st;
    }
    cli_verbose(ctx, "backout: database %s", database.shown);
    *out = database;
    return BO_OK;
}

bo_status cli_database_find(cli *ctx, const char *flag, cli_database *out, bo_error *err)
{
    const char *said = flag ? flag : getenv("BACKOUT_DB");
    if (!said || !said[0]) {
        if (ctx->config.database_count == 1)
            return use(ctx, &ctx->config.databases[0], NULL, out, err);
        cli_hint(ctx, "--db takes a URL, a path, or a name under 'databases:' in " CLI_CONFIG_NAME);
        return bo_fail(err, BO_INVALID,
            ctx->config.database_count ? "several databases are configured: name one with --db"
                                       : "which database? name it with --db");
    }
    const cli_database_config *config = known(ctx, said, NULL);
    if (config)
        return use(ctx, config, NULL, out, err);
    if (cli_url_has_password(said)) {
        cli_hint(ctx, "put it into ~/.pgpass, or name a file in BACKOUT_PASSWORD_FILE");
        return bo_fail(err, BO_INVALID, "the URL of the database has a password in it");
    }
    const char *url = cli_url_absolute(ctx->arena, NULL, said);
    if (!url)
        return bo_nomem(err);
    return use(ctx, known(ctx, NULL, url), url, out, err);
}

bo_status cli_database_of(
    cli *ctx, const char *flag, const bo_point *point, cli_database *out, bo_error *err)
{
    if (flag)
        return cli_database_find(ctx, flag, out, err);
    const cli_database_config *config = point->database ? known(ctx, point->database, NULL) : NULL;
    if (!config)
        config = known(ctx, NULL, point->url);
    if (config)
        return use(ctx, config, NULL, out, err);
    const char *url = bo_arena_str(ctx->arena, point->url);
    return url ? use(ctx, NULL, url, out, err) : bo_nomem(err);
}
