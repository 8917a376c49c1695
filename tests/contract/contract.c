/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/contract.c - a fresh database for each test of the contract. */
#include "contract/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the program was started for. */
typedef struct suite {
    const char *name;
    contract_engine engine;
    const char *url;  /* environment: how to connect */
    const char *want; /* environment: "off" skips; NULL: needs no server */
    void (*start)(contract_world *world);
} suite;

static const suite *chosen;

/* ---- SQLite: a file in a folder of its own ---- */

static void start_sqlite(contract_world *world)
{
    snprintf(world->folder, sizeof world->folder, "%.40s/contract-XXXXXX", temporary_folder());
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->url, sizeof world->url, "sqlite:%s/shop.db", world->folder);
    bo_error err = {0};
    bo_conn *conn = NULL;
    pg_must(bo_driver_sqlite.open(
                &(bo_connect){.url = world->url, .create = true, .raw = true}, &conn, &err),
        &err);
    pg_do(conn, "PRAGMA journal_mode = WAL");
    bo_conn_free(conn);
}

static void stop_sqlite(contract_world *world)
{
    static const char *const files[] = {"/shop.db", "/shop.db-wal", "/shop.db-shm", ""};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s%s", world->folder, files[i]);
        remove(path);
    }
}

/* ---- PostgreSQL: a database per program, an empty schema public per test ---- */

static char pg_database[64];

static bo_conn *pg_super(const char *database)
{
    const char *like = getenv("BACKOUT_TEST_PG_SUPER_URL");
    char url[600];
    snprintf(url, sizeof url, "postgresql:///%s%s", database, strchr(like, '?'));
    return pg_world_connect(url, true);
}

static void pg_database_command(const char *before, const char *after)
{
    char sql[200];
    bo_conn *conn = pg_super("postgres");
    snprintf(sql, sizeof sql, "%s %s %s", before, pg_database, after);
    pg_do(conn, sql);
    bo_conn_free(conn);
}

static void begin_postgresql(void)
{
    snprintf(pg_database, sizeof pg_database, "contract_%ld", (long)getpid());
    pg_database_command("CREATE DATABASE", "OWNER app");
}

static void end_postgresql(void)
{
    pg_database_command("DROP DATABASE", "WITH (FORCE)");
}

static void start_postgresql(contract_world *world)
{
    const char *like = getenv(chosen->url);
    snprintf(world->url, sizeof world->url, "postgresql:///%s%s", pg_database, strchr(like, '?'));
    bo_conn *conn = pg_super(pg_database);
    pg_do(conn,
        "DROP SCHEMA IF EXISTS backout, public CASCADE; CREATE SCHEMA public AUTHORIZATION app");
    bo_conn_free(conn);
}

/* ---- MariaDB: a database per program, made anew per test ---- */

static char my_database[64];

/* `like` with another database: mariadb://user@host/database?socket=... */
static void my_url(const char *like, const char *database, char *out, size_t size)
{
    const char *slash = strchr(strstr(like, "://") + 3, '/');
    snprintf(out, size, "%.*s/%s%s", (int)(slash - like), like, database, strchr(like, '?'));
}

static void my_super(const char *sql)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    const bo_connect how = {.url = getenv("BACKOUT_TEST_MY_SUPER_URL"), .raw = true};
    pg_must(bo_driver_open(&how, &conn, &err), &err);
    pg_do(conn, sql);
    bo_conn_free(conn);
}

static void begin_mariadb(void)
{
    char sql[200];
    snprintf(my_database, sizeof my_database, "contract_%ld", (long)getpid());
    snprintf(sql, sizeof sql, "GRANT ALL ON %s.* TO app@localhost", my_database);
    my_super(sql);
}

static void end_mariadb(void)
{
    char sql[300];
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s; REVOKE ALL ON %s.* FROM app@localhost",
        my_database, my_database);
    my_super(sql);
}

static void start_mariadb(contract_world *world)
{
    char sql[300];
    my_url(getenv(chosen->url), my_database, world->url, sizeof world->url);
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s; CREATE DATABASE %s", my_database,
        my_database);
    my_super(sql);
}

/* The SQL that all engines read: "names", a || b, \ is a letter; and long recursions. */
static void read_as_the_standard(bo_conn *conn)
{
    pg_do(conn, "SET SESSION sql_mode = CONCAT(@@sql_mode,"
                " ',ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'),"
                " max_recursive_iterations = 1000000");
}

/* ---- what tests use ---- */

bo_conn *contract_connect(const contract_world *world, bool raw)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    const bo_connect how = {
        .url = world->url, .application_name = "backout", .lock_timeout_ms = 300, .raw = raw};
    pg_must(bo_driver_open(&how, &conn, &err), &err);
    if (raw && world->engine == CONTRACT_MARIADB)
        read_as_the_standard(conn);
    return conn;
}

int contract_start(void **state)
{
    contract_world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->engine = chosen->engine;
    chosen->start(world);
    world->conn = contract_connect(world, false);
    world->user = contract_connect(world, true);
    world->driver = world->conn->driver;
    world->arena = bo_arena_create();
    assert_non_null(world->arena);
    *state = world;
    return 0;
}

int contract_stop(void **state)
{
    contract_world *world = *state;
    bo_conn_free(world->user);
    bo_conn_free(world->conn);
    if (world->engine == CONTRACT_SQLITE)
        stop_sqlite(world);
    bo_arena_free(world->arena);
    free(world);
    return 0;
}

static const suite suites[] = {
    {"sqlite", CONTRACT_SQLITE, NULL, NULL, start_sqlite},
    {"postgresql", CONTRACT_POSTGRESQL, "BACKOUT_TEST_PG_SUPER_URL", "BACKOUT_TEST_PG",
        start_postgresql},
    {"postgresql-owner", CONTRACT_POSTGRESQL, "BACKOUT_TEST_PG_APP_URL", "BACKOUT_TEST_PG",
        start_postgresql},
    {"mariadb", CONTRACT_MARIADB, "BACKOUT_TEST_MY_SUPER_URL", "BACKOUT_TEST_MY", start_mariadb},
    {"mariadb-owner", CONTRACT_MARIADB, "BACKOUT_TEST_MY_APP_URL", "BACKOUT_TEST_MY",
        start_mariadb},
};

static int begin(void **state)
{
    (void)state;
    if (chosen->engine == CONTRACT_POSTGRESQL)
        begin_postgresql();
    if (chosen->engine == CONTRACT_MARIADB)
        begin_mariadb();
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (chosen->engine == CONTRACT_POSTGRESQL)
        end_postgresql();
    if (chosen->engine == CONTRACT_MARIADB)
        end_mariadb();
    return 0;
}

int contract_main(
    int argc, char **argv, const char *name, const struct CMUnitTest *tests, size_t count)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        if (argc == 2 && strcmp(suites[i].name, argv[1]) == 0)
            chosen = &suites[i];
    }
    if (!chosen) {
        fprintf(stderr, "usage: %s sqlite|postgresql|postgresql-owner|mariadb|mariadb-owner\n",
            argv[0]);
        return 2;
    }
    const char *wanted = chosen->want ? getenv(chosen->want) : NULL;
    if (wanted && strcmp(wanted, "off") == 0) {
        printf("1..0 # SKIP %s=off\n", chosen->want);
        return 0;
    }
    if (chosen->url && !getenv(chosen->url)) {
        fprintf(stderr, "%s needs a server: tools/run-tests, or %s=off\n", argv[0], chosen->want);
        return 1;
    }
    return _cmocka_run_group_tests(name, tests, count, begin, end);
}

void contract_do(contract_world *world, const char *sql)
{
    pg_do(world->user, sql);
}

const bo_table *contract_table(contract_world *world, const char *name)
{
    return pg_table(world->conn, world->arena, name);
}

typedef struct answer {
    bo_arena *arena;
    const char *text;
} answer;

static bo_status keep_first(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)err;
    answer *self = ctx;
    if (count > 0 && values[0].data && !*self->text)
        self->text = bo_arena_strn(self->arena, values[0].data, values[0].size);
    return BO_OK;
}

const char *contract_ask(contract_world *world, const char *sql)
{
    bo_error err = {0};
    answer found = {world->arena, ""};
    pg_must(world->driver->query(world->user, sql, NULL, 0, keep_first, &found, NULL, &err), &err);
    return found.text;
}

const char *contract_pick_of(const contract_world *world, contract_texts texts)
{
    const char *text = world->engine == CONTRACT_SQLITE       ? texts.sqlite
                       : world->engine == CONTRACT_POSTGRESQL ? texts.postgresql
                                                              : texts.mariadb;
    assert_non_null(text);
    return text;
}

void contract_rows_done(contract_rows *rows)
{
    bo_buf_done(&rows->bytes);
}

bo_status contract_collect(void *ctx, bo_image row, bo_error *err)
{
    contract_rows *rows = ctx;
    size_t size = 0;
    bo_status st = bo_image_measure(row, &size, err);
    if (st != BO_OK)
        return st;
    assert_int_equal(size, row.size);
    bo_buf_add(&rows->bytes, row.data, row.size);
    rows->count++;
    return BO_OK;
}

bo_status contract_next(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    contract_rows *rows = ctx;
    if (rows->at == rows->bytes.size) {
        *end_out = true;
        return BO_OK;
    }
    bo_span rest = {rows->bytes.data + rows->at, rows->bytes.size - rows->at};
    bo_status st = bo_image_measure(rest, &rest.size, err);
    if (st != BO_OK)
        return st;
    rows->at += rest.size;
    *row_out = rest;
    return BO_OK;
}

void contract_scan(contract_world *world, const bo_scan *what, contract_rows *out)
{
    bo_error err = {0};
    pg_must(world->driver->scan(world->conn, what, contract_collect, out, &err), &err);
}
