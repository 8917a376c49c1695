/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/scene.c - the shop before an operation, again and again. */
#include "fault/scene.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backout/run.h"
#include "fault/folder.h"

/* A process that ends by _exit() is not asked for what it leaked. */
#ifdef UNDER_ASAN
void __lsan_do_leak_check(void);
#define LEAKS_END_HERE() __lsan_do_leak_check()
#else
#define LEAKS_END_HERE() (void)0
#endif
#include "support/own_server.h"

static const char later[] = "INSERT INTO customers VALUES (3, 'Cyd');"
                            "INSERT INTO orders VALUES (13, 3, 5);"
                            "INSERT INTO log VALUES ('later')";
/* What turns LATER into CAPTURED, and CAPTURED into EMPTIED. */
static const char unchange[] = "INSERT INTO customers VALUES (2, 'Bob');"
                               "INSERT INTO orders VALUES (12, 2, NULL);"
                               "UPDATE orders SET total = 9.50 WHERE id = 10;"
                               "DELETE FROM orders WHERE id = 14";
static const char empty[] = "DELETE FROM orders WHERE id = 13;"
                            "DELETE FROM customers WHERE id = 3";

const char *scene_engine(const scene *s)
{
    static const char *const names[] = {"SQLite", "PostgreSQL", "MariaDB"};
    return names[s->setting.engine];
}

/* ---- rows ---- */

static bo_status add_row(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    bo_buf *out = ctx;
    for (uint16_t i = 0; i < count; i++) {
        bo_buf_add_str(out, i ? "|" : "");
        bo_buf_add(
            out, values[i].data ? values[i].data : "NULL", values[i].data ? values[i].size : 4);
    }
    bo_buf_add_str(out, "\n");
    return bo_buf_check(out, err);
}

const char *scene_rows(scene *s)
{
    static const char *const questions[] = {"SELECT * FROM customers ORDER BY id",
        "SELECT * FROM orders ORDER BY id", "SELECT * FROM log ORDER BY line"};
    BO_OWN_VALUE(bo_buf) out = {0};
    bo_error err = {0};
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        world_ok(
            s->w->conn->driver->query(s->w->conn, questions[i], NULL, 0, add_row, &out, NULL, &err),
            &err);
    return bo_arena_strn(s->w->arena, (const char *)out.data, out.size);
}

/* The rows as they would be after `sql` and `more`. */
static const char *rows_after(scene *s, const char *sql, const char *more)
{
    bo_error err = {0};
    world_ok(s->w->conn->driver->begin(s->w->conn, BO_TX_PLAIN, &err), &err);
    world_sql(s->w, sql);
    if (more)
        world_sql(s->w, more);
    const char *rows = scene_rows(s);
    s->w->conn->driver->rollback(s->w->conn);
    return rows;
}

/* ---- up to the operation ---- */

static const char *change_of(const scene *s)
{
    return s->op->big ? scene_big_change : scene_change;
}

static void take_point(scene *s)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_scope_item scope[] = {{"customers", NULL}, {"orders", NULL}, {"log", NULL}};
    const bo_point_options options = {
        .scope = scope, .scope_count = 3, .migration = "shop", .method = s->setting.method};
    world_ok(bo_point_create(s->w->session, &s->w->database, &options, &points, &err), &err);
    (void)snprintf(s->point, sizeof s->point, "%s", bo_point_list_get(points, 0)->id);
    bo_point_list_free(points);
}

static void build(scene *s)
{
    bo_error err = {0};
    const char *change = change_of(s);
    if (s->op->from != SCENE_ORIGINAL) {
        take_point(s);
        world_ok(
            bo_sql_execute(&s->w->database, SCENE_RUN, change, strlen(change), true, true, &err),
            &err);
    }
    if (s->op->from == SCENE_LATER) {
        world_seal(s->w, s->point);
        world_sql(s->w, later);
    }
    if (s->op->prepare)
        s->op->prepare(s);
}

/* ---- back to before the operation ---- */

bool scene_is_rebuilt(const scene *s)
{
    return s->setting.engine == WORLD_MARIADB && s->setting.method != BO_METHOD_SNAPSHOT;
}

/* Of PostgreSQL the whole database is copied; a point knows it by its number, which it keeps. */
static bool is_copied(const scene *s)
{
    return s->setting.engine == WORLD_POSTGRES;
}

static void on_server(scene *s, const char *format, ...) BO_PRINTF(2, 3);

static void on_server(scene *s, const char *format, ...)
{
    char sql[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sql, sizeof sql, format, args);
    va_end(args);
    bo_error err = {0};
    BO_OWN(bo_conn) *conn = world_server(s->setting.engine);
    world_ok(conn->driver->exec(conn, sql, &err), &err);
}

static void save(scene *s)
{
    if (is_copied(s))
        (void)snprintf(s->number, sizeof s->number, "%s",
            world_value(
                s->w, "SELECT oid::text FROM pg_database WHERE datname = current_database()"));
    else if (s->setting.engine != WORLD_SQLITE)
        world_sql(s->w, "CREATE TABLE saved_customers AS SELECT * FROM customers;"
                        "CREATE TABLE saved_orders AS SELECT * FROM orders;"
                        "CREATE TABLE saved_log AS SELECT * FROM log");
    world_close(s->w);
    folder_copy(s->w->folder, s->saved, "shop.db");
    if (is_copied(s))
        on_server(s, "CREATE DATABASE \"%s.saved\" TEMPLATE \"%s\" STRATEGY file_copy",
            s->w->created, s->w->created);
}

static void copy_database_back(scene *s)
{
    on_server(s, "DROP DATABASE \"%s\" WITH (FORCE)", s->w->created);
    on_server(s, "CREATE DATABASE \"%s\" OID %s TEMPLATE \"%s.saved\" STRATEGY file_copy",
        s->w->created, s->number, s->w->created);
}

static void put_rows_back(scene *s)
{
    world_reopen(s->w);
    world_sql(s->w, "DELETE FROM orders; DELETE FROM customers; DELETE FROM log;"
                    "INSERT INTO customers SELECT * FROM saved_customers;"
                    "INSERT INTO orders SELECT * FROM saved_orders;"
                    "INSERT INTO log SELECT * FROM saved_log");
    if (scene_is_rebuilt(s))
        build(s);
    world_close(s->w);
}

void scene_put_back(scene *s)
{
    world_close(s->w);
    folder_copy(s->saved, s->w->folder, "shop.db");
    if (is_copied(s))
        copy_database_back(s);
    else if (s->setting.engine != WORLD_SQLITE)
        put_rows_back(s);
}

static int (*const set_up[])(void **) = {world_set_up, world_set_up_postgres, world_set_up_mariadb};

scene *scene_open(const operation *op, const setting *at)
{
    void *state = NULL;
    assert_int_equal(set_up[at->engine](&state), 0);
    if (!state)
        return NULL;
    scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    *s = (scene){.w = state, .op = op, .setting = *at};
    if (at->shared) {
        s->w->settings.catalog_url = s->w->url;
        world_reopen(s->w);
    }
    (void)snprintf(s->saved, sizeof s->saved, "%s.saved", s->w->folder);
    s->found =
        mmap(NULL, sizeof *s->found, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(s->found, MAP_FAILED);

    if (op->big)
        world_sql(s->w, scene_big_shop);
    if (at->journal)
        world_sql(s->w, "PRAGMA journal_mode = DELETE");
    s->rows[SCENE_ORIGINAL] = scene_rows(s);
    s->rows[SCENE_CHANGED] = rows_after(s, change_of(s), NULL);
    s->rows[SCENE_KEPT] = rows_after(s, later, NULL);
    if (scene_is_rebuilt(s))
        save(s);
    world_reopen(s->w);
    build(s);
    if (op->from == SCENE_LATER) {
        s->rows[SCENE_LATER] = scene_rows(s);
    }
    if (op->from == SCENE_LATER && !op->big && !op->prepare) {
        s->rows[SCENE_CAPTURED] = rows_after(s, unchange, NULL);
        s->rows[SCENE_EMPTIED] = rows_after(s, unchange, empty);
    }
    if (scene_is_rebuilt(s))
        scene_clean(s);
    else
        save(s);
    return s;
}

void scene_close(scene *s)
{
    char command[256];
    void *state = s->w;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", s->saved);
    assert_int_equal(system(command), 0);
    if (is_copied(s))
        on_server(s, "DROP DATABASE \"%s.saved\"", s->w->created);
    assert_int_equal(munmap(s->found, sizeof *s->found), 0);
    (void)world_tear_down(&state);
    free(s);
}

/* ---- an attempt ---- */

/* The server notices a little later that a process was killed. */
static void wait_for_server(scene *s)
{
    static const char *const others[] = {
        [WORLD_POSTGRES] = "SELECT count(*) FROM pg_stat_activity"
                           " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        [WORLD_MARIADB] = "SELECT count(*) FROM information_schema.PROCESSLIST"
                          " WHERE db = DATABASE() AND id <> CONNECTION_ID()"};
    if (s->setting.engine == WORLD_SQLITE || s->setting.shared)
        return; /* a shared catalog has a connection of our own */
    for (int i = 0; i < 2500; i++) {
        if (world_value(s->w, others[s->setting.engine])[0] == '0')
            return;
        (void)usleep(2000);
    }
    fail_msg("the connections of the other process do not end");
}

/* Unless the operation was faster. */
static void kill_server_after(scene *s, unsigned us)
{
    (void)usleep(us);
    if (s->found->returned)
        return;
    s->found->fired = true;
    own_server_kill(us % 2);
}

bool scene_attempt(scene *s, fault_kind kind, unsigned nth)
{
    scene_put_back(s);
    *s->found = (finding){.step = "none"};
    s->fault = (fault){kind, nth};
    (void)fflush(NULL);
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        scene_break(s);
        LEAKS_END_HERE();
        _exit(0);
    }
    if (kind == FAULT_SERVER_AFTER_US)
        kill_server_after(s, nth);
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    bool killed = WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL && s->found->fired;
    s->attempts++;
    scene_expect(s, killed || (WIFEXITED(how) && WEXITSTATUS(how) == 0),
        "the process ended with status %#x", (unsigned)how);
    scene_expect(s, killed || s->found->returned, "the operation did not return");
    if (s->found->fired && (kind == FAULT_SERVER_AT_STEP || kind == FAULT_SERVER_AFTER_US))
        own_server_again();
    world_reopen(s->w);
    wait_for_server(s);
    return s->found->fired;
}
