/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_session.c - PostgreSQL: connecting, transactions, users' files, the
 * marker.
 */
#include "contract/pg_world.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct world {
    pg_world *db;
    bo_conn *conn;      /* as the owner of the database, no superuser */
    char app_url[600];  /* the owner */
    char poor_url[600]; /* a role with a password and few rights */
    char set_url[900];  /* the owner, with settings that are in our way */
    bo_arena *arena;
} world;

static const bo_driver *const pg = &bo_driver_postgres;

static bo_conn *connect_with(bo_connect how)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    pg_must(pg->open(&how, &conn, &err), &err);
    return conn;
}

static bo_conn *connect_app(const world *w)
{
    return connect_with((bo_connect){.url = w->app_url, .lock_timeout_ms = 100});
}

static bo_status keep_text(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)err;
    assert_int_equal(count, 1);
    snprintf(ctx, 256, "%s", values[0].data ? values[0].data : "NULL");
    return BO_OK;
}

/* The one value that `sql` returns; valid until the next call. */
static const char *ask(bo_conn *conn, const char *sql)
{
    static char text[256];
    bo_error err = {0};
    text[0] = '\0';
    pg_must(pg->query(conn, sql, NULL, 0, keep_text, text, NULL, &err), &err);
    return text;
}

static void name_url(const world *w, const char *variable, char out[600])
{
    snprintf(out, 600, "postgresql:///%s%s", w->db->database, strchr(getenv(variable), '?'));
}

static int world_start(void **state)
{
    pg_world *db = pg_world_create("contract_session");
    if (!db)
        return 0;
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->db = db;
    name_url(w, "BACKOUT_TEST_PG_APP_URL", w->app_url);
    name_url(w, "BACKOUT_TEST_PG_PASSWORD_URL", w->poor_url);
    (void)snprintf(w->set_url, sizeof w->set_url,
        "%s&options=-carray_nulls%%3Doff%%20-cquote_all_identifiers%%3Don%%20-cexit_on_error%%3Don"
        "%%20-cidle_session_timeout%%3D100%%20-csynchronous_commit%%3Doff",
        w->app_url);
    pg_do(db->super, "ALTER DATABASE contract_session OWNER TO app");
    w->conn = connect_app(w);
    w->arena = bo_arena_create();
    pg_do(w->conn,
        "CREATE TABLE public.a (id int PRIMARY KEY); CREATE TABLE public.b (id int PRIMARY KEY)");
    *state = w;
    return 0;
}

static int world_end(void **state)
{
    world *w = *state;
    if (!w)
        return 0;
    pg->close(w->conn);
    pg_world_free(w->db);
    bo_arena_free(w->arena);
    free(w);
    return 0;
}

#define WORLD(w)        \
    world *w = *state;  \
    if (!w) {           \
        skip();         \
        return;         \
    }                   \
    bo_error err = {0}; \
    (void)err

/* ---- connecting ---- */

static void a_wrong_password_is_told_without_the_password(void **state)
{
    WORLD(w);
    bo_conn *conn = NULL;
    bo_connect how = {.url = w->poor_url, .password = "wr0ng secret"};
    assert_int_equal(pg->open(&how, &conn, &err), BO_DATABASE);
    assert_null(conn);
    assert_non_null(strstr(err.text, "cannot connect to 'contract_session@"));
    assert_non_null(strstr(err.text, "password authentication failed for user 'locked'"));
    assert_null(strstr(err.text, "wr0ng"));

    how.password = getenv("BACKOUT_TEST_PG_PASSWORD");
    pg_must(pg->open(&how, &conn, &err), &err);
    pg->close(conn);
}

static void a_torn_url_is_refused_without_showing_a_part_of_it(void **state)
{
    WORLD(w);
    static const char *const urls[] = {"postgresql://u:s3cret@host@x/db",
        "postgresql://u:s3c/ret@host/db", "postgresql://u:12/s3cret@host/db",
        "postgresql://u:s3cret@host/db?s3cret", "postgresql://u:%zzs3cret@host/db",
        "postgresql:s3cret"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        bo_conn *conn = NULL;
        bo_status st = pg->open(&(bo_connect){.url = urls[i]}, &conn, &err);
        assert_int_equal(st, BO_INVALID);
        assert_null(strstr(err.text, "s3c"));
    }
}

static void a_stopped_server_is_told_as_such(void **state)
{
    WORLD(w);
    bo_conn *conn = NULL;
    bo_connect how = {.url = "postgresql:///app?host=/nonexistent&port=1&user=app"};
    assert_int_equal(pg->open(&how, &conn, &err), BO_DATABASE);
    assert_non_null(strstr(err.text, "cannot connect to 'app@/nonexistent:1'"));
}

static void a_pinned_session_has_our_settings_and_a_raw_one_its_own(void **state)
{
    WORLD(w);
    assert_string_equal(ask(w->conn, "SHOW search_path"), "pg_catalog, pg_temp");
    assert_string_equal(ask(w->conn, "SHOW row_security"), "off");
    assert_string_equal(ask(w->conn, "SHOW extra_float_digits"), "3");
    assert_string_equal(ask(w->conn, "SHOW lock_timeout"), "100ms");
    assert_string_equal(ask(w->conn, "SHOW DateStyle"), "ISO, YMD");
    bo_conn *set = connect_with((bo_connect){.url = w->set_url});
    assert_string_equal(ask(set, "SHOW array_nulls"), "on");
    assert_string_equal(ask(set, "SHOW quote_all_identifiers"), "off");
    assert_string_equal(ask(set, "SHOW idle_session_timeout"), "0");
    assert_string_equal(ask(set, "SHOW exit_on_error"), "off");
    assert_string_equal(ask(set, "SHOW synchronous_commit"), "on");
    pg->close(set);
    bo_conn *raw = connect_with(
        (bo_connect){.url = w->app_url, .raw = true, .application_name = "backout-test"});
    assert_string_equal(ask(raw, "SHOW search_path"), "\"$user\", public");
    assert_string_equal(ask(raw, "SHOW application_name"), "backout-test");
    assert_string_equal(ask(raw, "SHOW row_security"), "on");
    pg->close(raw);
}

static void a_catalog_connection_makes_and_uses_its_schema(void **state)
{
    WORLD(w);
    const char *schema = "our Cat\"alog";
    for (int i = 0; i < 2; i++) {
        bo_conn *conn = connect_with((bo_connect){.url = w->app_url, .schema = schema});
        pg_do(conn, "CREATE TABLE IF NOT EXISTS here (id int)");
        assert_string_equal(ask(conn, "SELECT 'here'::regclass::oid IS NOT NULL"), "t");
        if (i == 1) {
            assert_string_equal(ask(conn, "SELECT nspname LIKE '%Cat\"alog' FROM pg_class c JOIN "
                                          "pg_namespace n ON n.oid = relnamespace "
                                          "WHERE c.oid = 'here'::regclass"),
                "t");
            pg_do(conn, "DROP SCHEMA \"our Cat\"\"alog\" CASCADE");
        }
        pg->close(conn);
    }
}

static void identity_tells_engine_database_and_server(void **state)
{
    WORLD(w);
    bo_identity identity = {0};
    pg_must(pg->identity(w->conn, &identity, &err), &err);
    assert_memory_equal(identity.engine, "PostgreSQL 1", 12);
    assert_null(strchr(identity.engine, '('));
    assert_memory_equal(identity.database, "contract_session@", 17);
    assert_non_null(strchr(identity.server, '/'));
}

/* ---- statements ---- */

static void a_query_takes_nulls_and_any_text_and_tells_how_many_rows(void **state)
{
    WORLD(w);
    char text[256] = "";
    bo_text_value params[] = {{"it's \\ \"q\" \xc3\xbc", 13}, {NULL, 0}};
    uint64_t rows = 0;
    pg_must(pg->query(w->conn, "SELECT $1::text || COALESCE($2::text, ' none')", params, 2,
                keep_text, text, &rows, &err),
        &err);
    assert_string_equal(text, "it's \\ \"q\" \xc3\xbc none");
    assert_int_equal(rows, 1);
    bo_text_value zero = {"a\0b", 3};
    assert_int_equal(
        pg->query(w->conn, "SELECT $1::text", &zero, 1, NULL, NULL, NULL, &err), BO_INVALID);
}

static void errors_carry_the_servers_code_and_keep_values_out(void **state)
{
    WORLD(w);
    pg_do(w->conn, "CREATE TABLE public.c (a text NOT NULL, b text, CHECK (b <> 'x'))");
    assert_int_equal(
        pg->exec(w->conn, "INSERT INTO public.c VALUES (NULL, 's3cret')", &err), BO_CONFLICT);
    assert_string_equal(err.sqlstate, "23502");
    assert_null(strstr(err.text, "s3cret"));
    assert_int_equal(pg->exec(w->conn, "SELECT 's3cret'::int", &err), BO_DATABASE);
    assert_null(strstr(err.text, "s3cret"));
    assert_int_equal(pg->exec(w->conn, "SELECT * FROM public.nothing_here", &err), BO_NOTFOUND);
    assert_int_equal(pg->exec(w->conn, "SELECT * FROM pg_catalog.pg_authid", &err), BO_DENIED);
}

static void *cancel_soon(void *conn)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    pg->cancel(conn);
    return NULL;
}

static void a_statement_is_stopped_from_another_thread(void **state)
{
    WORLD(w);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, w->conn), 0);
    assert_int_equal(pg->exec(w->conn, "SELECT pg_sleep(20)", &err), BO_DATABASE);
    assert_string_equal(err.sqlstate, "57014");
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(ask(w->conn, "SELECT 1"), "1");
}

/* ---- transactions ---- */

static void a_failed_statement_makes_commit_fail(void **state)
{
    WORLD(w);
    pg_must(pg->begin(w->conn, BO_TX_PLAIN, &err), &err);
    assert_int_not_equal(pg->exec(w->conn, "SELECT 1/0", &err), BO_OK);
    assert_int_equal(pg->commit(w->conn, &err), BO_DATABASE);
    assert_string_equal(ask(w->conn, "SELECT 1"), "1");
}

static void a_link_that_breaks_during_commit_leaves_the_outcome_unknown(void **state)
{
    WORLD(w);
    bo_conn *doomed = connect_app(w);
    pg_must(pg->begin(doomed, BO_TX_WRITE, &err), &err);
    /* A deferred trigger ends its own server process in the middle of COMMIT. */
    pg_do(doomed, "CREATE FUNCTION public.die() RETURNS trigger LANGUAGE plpgsql AS "
                  "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'");
    pg_do(doomed,
        "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON public.a DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION public.die(); INSERT INTO public.a VALUES (1)");
    assert_int_equal(pg->commit(doomed, &err), BO_UNKNOWN);
    assert_int_equal(err.status, BO_UNKNOWN);
    assert_int_not_equal(pg->exec(doomed, "SELECT 1", &err), BO_OK);
    pg->close(doomed);
}

static void a_lock_that_is_held_is_busy_and_names_the_holder(void **state)
{
    WORLD(w);
    bo_conn *holder = connect_with(
        (bo_connect){.url = w->app_url, .raw = true, .application_name = "nightly job"});
    const bo_table *tables[] = {
        pg_table(w->conn, w->arena, "public.b"), pg_table(w->conn, w->arena, "public.a")};
    pg_do(holder, "BEGIN; INSERT INTO public.b VALUES (9)");
    pg_must(pg->begin(w->conn, BO_TX_WRITE, &err), &err);
    assert_int_equal(pg->lock(w->conn, tables, 2, &err), BO_BUSY);
    assert_string_equal(err.sqlstate, "55P03");
    assert_non_null(strstr(err.text, tables[0]->name));
    assert_non_null(strstr(err.text, "of user 'app' (nightly job)"));
    pg->rollback(w->conn);

    pg_must(pg->begin(w->conn, BO_TX_READ, &err), &err); /* readers are not in the way */
    pg_must(pg->lock(w->conn, tables, 2, &err), &err);
    pg->rollback(w->conn);
    pg->close(holder);
}

static void locks_come_before_the_snapshot(void **state)
{
    WORLD(w);
    const bo_table *tables[] = {pg_table(w->conn, w->arena, "public.a")};
    bo_conn *other = connect_app(w);
    pg_must(pg->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_do(other, "INSERT INTO public.a VALUES (77)");
    pg_must(pg->lock(w->conn, tables, 1, &err), &err);
    assert_string_equal(ask(w->conn, "SELECT count(*) FROM public.a WHERE id = 77"), "1");
    assert_int_equal(pg->exec(other, "INSERT INTO public.a VALUES (78)", &err), BO_BUSY);
    pg->rollback(w->conn);
    pg->close(other);
}

static void a_joined_transaction_reads_the_same_snapshot(void **state)
{
    WORLD(w);
    bo_conn *reader = connect_app(w);
    bo_conn *writer = connect_app(w);
    BO_OWN_VALUE(bo_buf) token = {0};
    pg_must(pg->begin(w->conn, BO_TX_READ, &err), &err);
    pg_must(pg->share(w->conn, &token, &err), &err);
    pg_do(writer, "INSERT INTO public.b VALUES (500)");
    pg_must(pg->join(reader, bo_buf_str(&token), &err), &err);
    assert_string_equal(ask(reader, "SELECT count(*) FROM public.b WHERE id = 500"), "0");
    assert_string_equal(ask(writer, "SELECT count(*) FROM public.b WHERE id = 500"), "1");
    pg->rollback(w->conn);
    pg->rollback(reader);
    assert_int_not_equal(pg->join(reader, "no such snapshot", &err), BO_OK);
    assert_string_equal(ask(reader, "SELECT count(*) FROM public.b WHERE id = 500"), "1");
    pg->close(reader);
    pg->close(writer);
}

/* ---- users' files ---- */

static bo_status script(bo_conn *conn, const char *sql, bo_error *err)
{
    return pg->script(conn, sql, strlen(sql), err);
}

static void a_file_runs_statement_by_statement_and_names_the_line_that_failed(void **state)
{
    WORLD(w);
    pg_must(script(w->conn,
                "-- a comment; with a semicolon\n"
                "CREATE TEMP TABLE f (t text);\n"
                "INSERT INTO f VALUES ('a;b'), (E'x\n\\\\y');\n"
                "CREATE FUNCTION pg_temp.g() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;\n"
                "DO $$ BEGIN PERFORM 1; PERFORM 2; END $$;\n"
                "/* last */ INSERT INTO f VALUES ('c')",
                &err),
        &err);
    assert_string_equal(ask(w->conn, "SELECT count(*) FROM f"), "3");

    assert_int_equal(script(w->conn,
                         "INSERT INTO f VALUES ('\xc3\xbc');\n\n"
                         "-- \xc3\xbc\nSELECT '\xc3\xbc\xc3\xbc',\n  no_such_column\nFROM f;",
                         &err),
        BO_DATABASE);
    assert_memory_equal(err.text, "line 5", 6);
    assert_string_equal(ask(w->conn, "SELECT count(*) FROM f"), "4");

    assert_int_equal(script(w->conn, "\n\nSELECT 1;\nSELECT 1/0;", &err), BO_DATABASE);
    assert_memory_equal(err.text, "line 4", 6);
    assert_int_equal(script(w->conn, "SELECT 1;\nSELEC 2;", &err), BO_DATABASE);
    assert_memory_equal(err.text, "line 2", 6);
    pg_must(script(w->conn, " -- nothing\n", &err), &err);
    pg_must(script(w->conn, "", &err), &err);
}

static void what_only_psql_can_run_is_refused_before_anything_runs(void **state)
{
    WORLD(w);
    pg_do(w->conn, "CREATE TEMP TABLE g (t text)");
    static const char *const files[] = {
        "INSERT INTO g VALUES ('a');\nCOPY g FROM STDIN;\nx\n\\.\n",
        "INSERT INTO g VALUES ('a');\n\\set x 1\nSELECT 1;",
        "INSERT INTO g VALUES ('a');\ncopy g to stdout;",
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        assert_int_equal(script(w->conn, files[i], &err), BO_INVALID);
        assert_memory_equal(err.text, "line 2", 6);
        assert_non_null(strstr(err.text, "backout run -- psql -v ON_ERROR_STOP=1 -f FILE"));
    }
    assert_string_equal(ask(w->conn, "SELECT count(*) FROM g"), "0");
    pg_must(script(w->conn, "INSERT INTO g VALUES ('\n\\d is text here\n')", &err), &err);
}

static void a_file_cannot_end_the_transaction_it_runs_in(void **state)
{
    WORLD(w);
    pg_must(pg->begin(w->conn, BO_TX_PLAIN, &err), &err);
    assert_int_equal(script(w->conn, "SELECT 1;\nCOMMIT;", &err), BO_REFUSED);
    assert_memory_equal(err.text, "line 2", 6);
    pg_must(script(w->conn, "SAVEPOINT x; SELECT 1; ROLLBACK TO x; RELEASE x", &err), &err);
    pg_must(pg->commit(w->conn, &err), &err);
    pg_must(script(w->conn, "BEGIN; SELECT 1; COMMIT;", &err), &err);
    assert_int_equal(script(w->conn, "BEGIN;\nPREPARE TRANSACTION 'x';", &err), BO_INVALID);
    assert_memory_equal(err.text, "line 2", 6);
}

/* ---- the marker ---- */

static void a_marker_tells_whether_the_transaction_committed(void **state)
{
    WORLD(w);
    bo_conn *other = connect_app(w);
    bool committed = true;
    for (int commits = 0; commits < 2; commits++) {
        BO_OWN_VALUE(bo_buf) token = {0};
        pg_must(pg->begin(w->conn, BO_TX_WRITE, &err), &err);
        pg_must(pg->mark(w->conn, "undo-1", &token, &err), &err);
        assert_memory_equal(token.data, "row:", 4);
        assert_int_equal(
            pg->marked(other, "undo-1", bo_buf_str(&token), &committed, &err), BO_UNKNOWN);
        if (commits)
            pg_must(pg->commit(w->conn, &err), &err);
        else
            pg->rollback(w->conn);
        pg_must(pg->marked(other, "undo-1", bo_buf_str(&token), &committed, &err), &err);
        assert_int_equal(committed, commits);
    }
    pg_must(pg->unmark(other, "undo-1", &err), &err);
    assert_string_equal(
        ask(other, "SELECT count(*) FROM pg_namespace WHERE nspname = 'backout'"), "0");
    pg_must(pg->unmark(other, "undo-1", &err), &err);
    pg->close(other);
}

static void two_that_mark_at_once_do_not_wait_for_each_other(void **state)
{
    WORLD(w);
    bo_conn *other = connect_app(w);
    BO_OWN_VALUE(bo_buf) first = {0};
    BO_OWN_VALUE(bo_buf) second = {0};
    bool committed = false;
    pg_must(pg->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(pg->begin(other, BO_TX_WRITE, &err), &err);
    pg_must(pg->mark(w->conn, "undo-a", &first, &err), &err);
    pg_must(pg->mark(other, "undo-b", &second, &err), &err);
    assert_memory_equal(second.data, "xid:", 4);
    pg_must(pg->commit(w->conn, &err), &err);
    pg_must(pg->commit(other, &err), &err);
    pg_must(pg->marked(w->conn, "undo-a", bo_buf_str(&first), &committed, &err), &err);
    assert_true(committed);
    pg_must(pg->marked(w->conn, "undo-b", bo_buf_str(&second), &committed, &err), &err);
    assert_true(committed);

    pg_must(pg->begin(other, BO_TX_WRITE, &err), &err); /* a row stays: so does the table */
    bo_buf_clear(&second);
    pg_must(pg->mark(other, "undo-c", &second, &err), &err);
    pg_must(pg->commit(other, &err), &err);
    pg_must(pg->unmark(w->conn, "undo-a", &err), &err);
    pg_must(pg->marked(w->conn, "undo-c", bo_buf_str(&second), &committed, &err), &err);
    assert_true(committed);
    pg_must(pg->unmark(w->conn, "undo-c", &err), &err);
    assert_string_equal(
        ask(other, "SELECT count(*) FROM pg_namespace WHERE nspname = 'backout'"), "0");
    pg->close(other);
}

static void without_the_right_to_make_a_schema_the_servers_own_record_tells(void **state)
{
    WORLD(w);
    bo_conn *poor = connect_with(
        (bo_connect){.url = w->poor_url, .password = getenv("BACKOUT_TEST_PG_PASSWORD")});
    for (int commits = 0; commits < 2; commits++) {
        BO_OWN_VALUE(bo_buf) token = {0};
        bool committed = !commits;
        pg_must(pg->begin(poor, BO_TX_WRITE, &err), &err);
        pg_must(pg->mark(poor, "undo-2", &token, &err), &err);
        assert_memory_equal(token.data, "xid:", 4);
        assert_string_equal(ask(poor, "SHOW lock_timeout"), "10s");
        assert_int_equal(
            pg->marked(w->conn, "undo-2", bo_buf_str(&token), &committed, &err), BO_UNKNOWN);
        if (commits)
            pg_must(pg->commit(poor, &err), &err);
        else
            pg->rollback(poor);
        pg_must(pg->marked(w->conn, "undo-2", bo_buf_str(&token), &committed, &err), &err);
        assert_int_equal(committed, commits);
    }
    pg->close(poor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_password_is_told_without_the_password),
        cmocka_unit_test(a_torn_url_is_refused_without_showing_a_part_of_it),
        cmocka_unit_test(a_stopped_server_is_told_as_such),
        cmocka_unit_test(a_pinned_session_has_our_settings_and_a_raw_one_its_own),
        cmocka_unit_test(a_catalog_connection_makes_and_uses_its_schema),
        cmocka_unit_test(identity_tells_engine_database_and_server),
        cmocka_unit_test(a_query_takes_nulls_and_any_text_and_tells_how_many_rows),
        cmocka_unit_test(errors_carry_the_servers_code_and_keep_values_out),
        cmocka_unit_test(a_statement_is_stopped_from_another_thread),
        cmocka_unit_test(a_failed_statement_makes_commit_fail),
        cmocka_unit_test(locks_come_before_the_snapshot),
        cmocka_unit_test(a_lock_that_is_held_is_busy_and_names_the_holder),
        cmocka_unit_test(a_joined_transaction_reads_the_same_snapshot),
        cmocka_unit_test(a_link_that_breaks_during_commit_leaves_the_outcome_unknown),
        cmocka_unit_test(a_file_runs_statement_by_statement_and_names_the_line_that_failed),
        cmocka_unit_test(what_only_psql_can_run_is_refused_before_anything_runs),
        cmocka_unit_test(a_file_cannot_end_the_transaction_it_runs_in),
        cmocka_unit_test(a_marker_tells_whether_the_transaction_committed),
        cmocka_unit_test(two_that_mark_at_once_do_not_wait_for_each_other),
        cmocka_unit_test(without_the_right_to_make_a_schema_the_servers_own_record_tells),
    };
    return cmocka_run_group_tests_name("session", tests, world_start, world_end);
}
