/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/scene.c - the shop before an operation, and the operation in a process of its own. */
#include "fault/scene.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/step.h"
#include "support/fault_memory.h"

static const char later[] = "INSERT INTO customers VALUES (3, 'Cyd');"
                            "INSERT INTO orders VALUES (13, 3, 5);"
                            "INSERT INTO log VALUES ('later')";
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

/* ---- back to before the operation ---- */

/* A database is recognised by its file, which is therefore written over and never replaced. */
static void copy_folder(const char *from, const char *to)
{
    char command[512];
    (void)snprintf(command, sizeof command,
        "mkdir -p '%s' && find '%s' -type f ! -name shop.db -delete && cp -a '%s/.' '%s'", to, to,
        from, to);
    assert_int_equal(system(command), 0);
}

static void save(scene *s)
{
    if (s->postgres)
        world_sql(s->w, "CREATE SCHEMA saved;"
                        "CREATE TABLE saved.customers AS TABLE customers;"
                        "CREATE TABLE saved.orders AS TABLE orders;"
                        "CREATE TABLE saved.log AS TABLE log");
    if (s->shared)
        world_sql(s->w, "CREATE TABLE saved.points AS TABLE backout_catalog.backout_point;"
                        "CREATE TABLE saved.runs AS TABLE backout_catalog.backout_run;"
                        "CREATE TABLE saved.audit AS TABLE backout_catalog.backout_audit;"
                        "CREATE TABLE saved.meta AS TABLE backout_catalog.backout_meta");
    world_close(s->w);
    copy_folder(s->w->folder, s->saved);
}

static void put_back(scene *s)
{
    world_close(s->w);
    copy_folder(s->saved, s->w->folder);
    if (!s->postgres)
        return;
    world_reopen(s->w);
    world_sql(s->w, "DROP SCHEMA IF EXISTS backout CASCADE;"
                    "TRUNCATE customers, orders, log;"
                    "INSERT INTO customers TABLE saved.customers;"
                    "INSERT INTO orders TABLE saved.orders;"
                    "INSERT INTO log TABLE saved.log");
    if (s->shared)
        world_sql(s->w, "TRUNCATE backout_catalog.backout_point, backout_catalog.backout_run,"
                        " backout_catalog.backout_audit, backout_catalog.backout_meta;"
                        "INSERT INTO backout_catalog.backout_point TABLE saved.points;"
                        "INSERT INTO backout_catalog.backout_run TABLE saved.runs;"
                        "INSERT INTO backout_catalog.backout_audit TABLE saved.audit;"
                        "INSERT INTO backout_catalog.backout_meta TABLE saved.meta");
    world_close(s->w);
}

static const char *take_shop_point(world *w)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_scope_item scope[] = {{"customers", NULL}, {"orders", NULL}, {"log", NULL}};
    const bo_point_options options = {.scope = scope, .scope_count = 3, .migration = "shop"};
    world_ok(bo_point_create(w->session, &w->database, &options, &points, &err), &err);
    const char *id = bo_arena_str(w->arena, bo_point_list_get(points, 0)->id);
    bo_point_list_free(points);
    return id;
}

/* The rows as they would be after `sql`. */
static const char *rows_after(scene *s, const char *sql)
{
    bo_error err = {0};
    world_ok(s->w->conn->driver->begin(s->w->conn, BO_TX_PLAIN, &err), &err);
    world_sql(s->w, sql);
    const char *rows = scene_rows(s);
    s->w->conn->driver->rollback(s->w->conn);
    return rows;
}

scene *scene_open(const operation *op, bool postgres, bool shared)
{
    void *state = NULL;
    assert_int_equal(postgres ? world_set_up_postgres(&state) : world_set_up(&state), 0);
    if (!state)
        return NULL;
    scene *s = calloc(1, sizeof *s);
    assert_non_null(s);
    *s = (scene){.w = state, .op = op, .postgres = postgres, .shared = shared};
    if (shared) {
        s->w->settings.catalog_url = s->w->url;
        world_reopen(s->w);
    }
    (void)snprintf(s->saved, sizeof s->saved, "%s.saved", s->w->folder);
    s->found =
        mmap(NULL, sizeof *s->found, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(s->found, MAP_FAILED);

    s->rows[SCENE_ORIGINAL] = scene_rows(s);
    s->rows[SCENE_CHANGED] = rows_after(s, scene_change);
    s->rows[SCENE_KEPT] = rows_after(s, later);
    if (op->from != SCENE_ORIGINAL) {
        (void)snprintf(s->point, sizeof s->point, "%s", take_shop_point(s->w));
        world_sql(s->w, scene_change);
    }
    if (op->from == SCENE_LATER) {
        world_seal(s->w, s->point);
        world_sql(s->w, later);
        s->rows[SCENE_LATER] = scene_rows(s);
    }
    save(s);
    return s;
}

void scene_close(scene *s)
{
    char command[256];
    void *state = s->w;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", s->saved);
    assert_int_equal(system(command), 0);
    assert_int_equal(munmap(s->found, sizeof *s->found), 0);
    (void)world_tear_down(&state);
    free(s);
}

/* ---- the process that breaks ---- */

static fault armed;
static finding *found;
static unsigned steps;
static bo_conn *server; /* a superuser's, which ends the others' connections */
static char shop_name[64];

static void end_links(void)
{
    char sql[512];
    bo_error err = {0};
    uint64_t left = 1;
    (void)snprintf(sql, sizeof sql,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = '%s' AND application_name LIKE 'backout%%'",
        shop_name);
    for (int i = 0; i < 1000 && left > 0; i++) {
        if (i > 0)
            (void)usleep(2000);
        if (server->driver->query(server, sql, NULL, 0, NULL, NULL, &left, &err) != BO_OK)
            _exit(3);
    }
}

static void at_step(const char *name)
{
    (void)snprintf(found->step, sizeof found->step, "%s", name);
    if (++steps != armed.nth)
        return;
    found->fired = true;
    if (armed.kind == FAULT_KILL_AT_STEP)
        (void)raise(SIGKILL);
    if (armed.kind == FAULT_LINK)
        end_links();
}

static void kill_self(int signal_number)
{
    (void)signal_number;
    found->fired = true;
    (void)raise(SIGKILL);
}

static void open_server(void)
{
    bo_error err = {0};
    const bo_connect how = {.url = getenv("BACKOUT_TEST_PG_SUPER_URL"), .raw = true};
    if (bo_driver_open(&how, &server, &err) != BO_OK)
        _exit(3);
}

static void arm(scene *s)
{
    armed = s->fault;
    found = s->found;
    (void)snprintf(shop_name, sizeof shop_name, "%s", s->w->created);
    bo_step_hook = at_step;
    if (armed.kind == FAULT_LINK)
        open_server();
    if (armed.kind == FAULT_KILL_AFTER_US) {
        struct itimerval once = {.it_value = {.tv_usec = (suseconds_t)armed.nth}};
        (void)signal(SIGALRM, kill_self);
        (void)setitimer(ITIMER_REAL, &once, NULL);
    }
    fault_driver_install();
    if (armed.kind == FAULT_DRIVER_CALL)
        fault_driver_arm(armed.nth);
    if (armed.kind == FAULT_COMMIT_ANSWERED)
        fault_driver_lose_nth_commit(FAULT_COMMIT_DONE, armed.nth);
    if (armed.kind == FAULT_COMMIT_MISSED)
        fault_driver_lose_nth_commit(FAULT_COMMIT_LOST, armed.nth);
    if (armed.kind == FAULT_ALLOCATION)
        fault_memory_arm(armed.nth);
}

/* How the program would run it. */
static void run_alone(scene *s)
{
    bo_error err = {0};
    bo_session *session = NULL;
    arm(s);
    bo_status st = bo_session_open(&s->w->settings, &session, &err);
    if (st == BO_OK)
        st = s->op->run(s, session, &err);
    bo_session_free(session);
    if (armed.kind == FAULT_ALLOCATION)
        found->fired = fault_memory_fired();
    else if (fault_driver_fired())
        found->fired = true;
    found->status = st;
    (void)snprintf(found->text, sizeof found->text, "%s", st == BO_OK ? "" : err.text);
    found->returned = true;
}

bool scene_attempt(scene *s, fault_kind kind, unsigned nth)
{
    put_back(s);
    *s->found = (finding){.step = "none"};
    s->fault = (fault){kind, nth};
    (void)fflush(NULL);
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        run_alone(s);
        _exit(0);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    bool killed = WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL && s->found->fired;
    s->attempts++;
    scene_expect(s, killed || (WIFEXITED(how) && WEXITSTATUS(how) == 0),
        "the process ended with status %#x", (unsigned)how);
    scene_expect(s, killed || s->found->returned, "the operation did not return");
    world_reopen(s->w);
    return s->found->fired;
}
