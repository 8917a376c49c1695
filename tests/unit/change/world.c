/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/world.c - the small shop, on each engine. */
#include "world.h"

#include <ftw.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/step.h"

static const char shop[] =
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers (id),"
    " total NUMERIC(12,2));"
    "CREATE TABLE log (line TEXT);"
    "INSERT INTO customers VALUES (1, 'Ada'), (2, 'Bob');"
    "INSERT INTO orders VALUES (10, 1, 9.50), (11, 1, 20), (12, 2, NULL);"
    "INSERT INTO log VALUES ('opened'), ('opened')";

void world_ok(bo_status st, const bo_error *err)
{
    assert_string_equal(st == BO_OK ? "" : err->text, "");
    assert_int_equal(st, BO_OK);
}

static void keep_warning(void *ctx, const char *text)
{
    world *w = ctx;
    bo_buf_printf(&w->warnings, "%s\n", text);
}

static void open_session(world *w)
{
    bo_error err = {0};
    world_ok(bo_session_open(&w->settings, &w->session, &err), &err);
}

static void open_connection(world *w)
{
    bo_error err = {0};
    const bo_connect how = {.url = w->url, .raw = true, .create = true};
    world_ok(bo_driver_open(&how, &w->conn, &err), &err);
}

static world *new_world(void)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    (void)snprintf(w->folder, sizeof w->folder, "%.36s/backout-change-XXXXXX", temporary_folder());
    assert_non_null(mkdtemp(w->folder));
    (void)snprintf(w->catalog, sizeof w->catalog, "sqlite:%s/state/catalog.db", w->folder);
    (void)snprintf(w->repository, sizeof w->repository, "%s/state/repository", w->folder);
    w->settings = (bo_settings){.catalog_url = w->catalog,
        .repository = w->repository,
        .actor = "tester",
        .warn = keep_warning,
        .ctx = w};
    w->database = (bo_database){.name = "shop", .url = w->url};
    w->arena = bo_arena_create();
    assert_non_null(w->arena);
    return w;
}

int world_set_up(void **state)
{
    world *w = new_world();
    (void)snprintf(w->url, sizeof w->url, "sqlite:%s/shop.db", w->folder);
    open_connection(w);
    world_sql(w, "PRAGMA journal_mode = WAL");
    world_sql(w, shop);
    open_session(w);
    *state = w;
    return 0;
}

static const char *server_url(world_engine engine)
{
    return getenv(
        engine == WORLD_MARIADB ? "BACKOUT_TEST_MY_SUPER_URL" : "BACKOUT_TEST_PG_SUPER_URL");
}

bo_conn *world_server(world_engine engine)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    const bo_connect how = {.url = server_url(engine), .raw = true};
    world_ok(bo_driver_open(&how, &conn, &err), &err);
    return conn;
}

static void server_sql(world *w, const char *verb)
{
    bo_error err = {0};
    BO_OWN(bo_conn) *conn = world_server(w->engine);
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "%s DATABASE ", verb);
    conn->driver->quote(&sql, w->created);
    world_ok(conn->driver->exec(conn, bo_buf_str(&sql), &err), &err);
}

/* A database of the test's own; the URL is the server's with another path. */
static int set_up_on_server(void **state, world_engine engine)
{
    const char *server = server_url(engine);
    if (!server)
        return 0;
    world *w = new_world();
    w->engine = engine;
    const char *path = strchr(strstr(server, "://") + 3, '/'); /* "postgresql:///postgres?..." */
    assert_non_null(path);
    path++;
    (void)snprintf(w->created, sizeof w->created, "%s", strrchr(w->folder, '/') + 1);
    (void)snprintf(w->url, sizeof w->url, "%.*s%s%s", (int)(path - server), server, w->created,
        path + strcspn(path, "?"));
    server_sql(w, "CREATE");
    open_connection(w);
    world_sql(w, shop);
    open_session(w);
    *state = w;
    return 0;
}

int world_set_up_postgres(void **state)
{
    return set_up_on_server(state, WORLD_POSTGRES);
}

int world_set_up_mariadb(void **state)
{
    return set_up_on_server(state, WORLD_MARIADB);
}

world *world_or_skip(void **state)
{
    if (!*state)
        skip();
    return *state;
}

void world_close(world *w)
{
    bo_session_free(BO_TAKE(w->session));
    bo_conn_free(BO_TAKE(w->conn));
}

void world_reopen(world *w)
{
    world_close(w);
    open_connection(w);
    open_session(w);
}

static const char *deadly;

static void die_at(const char *step)
{
    if (strcmp(step, deadly) == 0)
        (void)raise(SIGKILL);
}

void world_killed_at(
    world *w, const char *step, void (*work)(world *w, const char *what), const char *what)
{
    world_close(w);
    pid_t pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        deadly = step;
        bo_step_hook = die_at;
        if (bo_session_open(&w->settings, &w->session, NULL) == BO_OK)
            work(w, what);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    world_reopen(w);
}

static int remove_entry(const char *path, const struct stat *about, int type, struct FTW *ftw)
{
    (void)about;
    (void)type;
    (void)ftw;
    return remove(path);
}

int world_tear_down(void **state)
{
    world *w = *state;
    if (!w)
        return 0;
    world_close(w);
    if (w->created[0])
        server_sql(w, "DROP");
    bo_arena_free(w->arena);
    bo_buf_done(&w->warnings);
    (void)nftw(w->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

bo_status world_swallow(void *ctx, const char *text, size_t size, bo_error *err)
{
    (void)ctx;
    (void)text;
    (void)size;
    (void)err;
    return BO_OK;
}

void world_sql(world *w, const char *sql)
{
    bo_error err = {0};
    world_ok(w->conn->driver->exec(w->conn, sql, &err), &err);
}

struct first {
    bo_arena *arena;
    const char *text;
};

static bo_status keep_first(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    struct first *first = ctx;
    (void)err;
    if (!first->text && count && values[0].data)
        first->text = bo_arena_strn(first->arena, values[0].data, values[0].size);
    return BO_OK;
}

const char *world_value(world *w, const char *sql)
{
    bo_error err = {0};
    struct first first = {.arena = w->arena};
    world_ok(w->conn->driver->query(w->conn, sql, NULL, 0, keep_first, &first, NULL, &err), &err);
    return first.text ? first.text : "";
}

bo_point_record world_newest(world *w)
{
    bo_error err = {0};
    bo_point_record *points = NULL;
    size_t count = 0;
    const bo_point_filter newest = {.with_undo = true, .limit = 1};
    world_ok(
        bo_catalog_points(w->session->catalog, &newest, w->arena, &points, &count, &err), &err);
    return points[0];
}

const char *world_point_as(world *w, const bo_point_options *options)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    world_ok(bo_point_create(w->session, &w->database, options, &points, &err), &err);
    const char *id = bo_arena_str(w->arena, bo_point_list_get(points, 0)->id);
    bo_point_list_free(points);
    return id;
}

const char *world_point(world *w, const char *table)
{
    const bo_scope_item item = {.table = table};
    const bo_point_options options = {
        .scope = &item, .scope_count = table ? 1 : 0, .migration = "test"};
    return world_point_as(w, &options);
}

const char *world_change(world *w, const char *table, const char *sql)
{
    const char *id = world_point(w, table);
    world_sql(w, sql);
    world_seal(w, id);
    return id;
}

void world_seal(world *w, const char *id)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    world_ok(bo_point_seal(w->session, &w->database, id, &points, &err), &err);
    bo_point_list_free(points);
}

const char *world_roll_back(world *w, const char *id, bo_rollback_type type)
{
    bo_error err = {0};
    bo_rollback *done = NULL;
    const bo_rollback_options options = {.type = type, .discard_later = true};
    world_ok(bo_rollback_execute(w->session, &w->database, id, &options, &done, &err), &err);
    const char *undo = bo_arena_str(w->arena, done->undo_point);
    bo_rollback_free(done);
    return undo;
}

bo_point_record world_record(world *w, const char *id)
{
    bo_error err = {0};
    bo_point_record record = {0};
    world_ok(bo_catalog_point_find(w->session->catalog, id, w->arena, &record, &err), &err);
    return record;
}

void world_set_status(world *w, const char *id, bo_point_status status)
{
    bo_error err = {0};
    bo_point_record record = world_record(w, id);
    record.status = status;
    world_ok(bo_catalog_point_update(w->session->catalog, &record, &err), &err);
}

const char *world_path(world *w, const char *name)
{
    return bo_arena_printf(w->arena, "%s/%s", w->repository, name);
}

bool world_has_file(world *w, const char *name)
{
    return access(world_path(w, name), F_OK) == 0;
}

void world_put_file(world *w, const char *name, const char *content)
{
    bo_error err = {0};
    world_ok(bo_file_write(world_path(w, name), content, strlen(content), true, &err), &err);
}

void world_damage(world *w, const char *name, long offset)
{
    FILE *file = fopen(world_path(w, name), "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_not_equal(byte, EOF);
    assert_int_equal(fseek(file, -1, SEEK_CUR), 0);
    assert_int_equal(fputc(byte ^ 0x5a, file), byte ^ 0x5a);
    assert_int_equal(fclose(file), 0);
}
