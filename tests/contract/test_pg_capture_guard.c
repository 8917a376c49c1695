/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_capture_guard.c - PostgreSQL: a capture under DDL and hostile hands;
 * what it refuses and what it leaves. */
#include "contract/pg_capture_world.h"

#include <stdio.h>
#include <string.h>

#define T PG_NAMES("t")

/* ---- definitions ---- */

static void make_wide(contract_world *w)
{
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text, n integer, v varchar(9));"
                   "INSERT INTO t VALUES (1, 'one', 10, 'x'), (2, 'two', 20, 'y')");
}

static void whatever_happens_to_columns_users_can_write(void **state)
{
    contract_world *w = *state;
    static const char *const changes[] = {"ALTER TABLE t DROP COLUMN a",
        "ALTER TABLE t ALTER COLUMN n TYPE text", "ALTER TABLE t ALTER COLUMN id TYPE bigint",
        "ALTER TABLE t ALTER COLUMN n TYPE bigint", "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t ALTER COLUMN a TYPE jsonb USING to_jsonb(a)",
        "ALTER TABLE t ALTER COLUMN v TYPE varchar(99)", "ALTER TABLE t DROP CONSTRAINT t_pkey",
        "ALTER TABLE t DROP COLUMN id", "ALTER TABLE t RENAME COLUMN id TO key"};
    bo_conn *other = contract_connect(w, true);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make_wide(w);
        capture_begin(w, "p", T);
        static const char writes[] =
            "UPDATE t SET v = v || 'z'; DELETE FROM t WHERE v = 'xz';"
            "INSERT INTO t SELECT * FROM t WHERE false; INSERT INTO t (v) SELECT 'k' WHERE false";
        pg_do(other, "UPDATE t SET v = v; INSERT INTO t VALUES (3, NULL, 1, 'q');"
                     "UPDATE t SET id = 4 WHERE id = 3; DELETE FROM t WHERE id = 4");
        contract_do(w, changes[i]);
        contract_do(w, writes);
        pg_do(other, writes);
        pg_do(other, "TRUNCATE t");
        assert_string_not_equal(capture_broken(w, "t", "p"), "");
        contract_do(w, "DROP TABLE t");
        capture_end(w, "p");
    }
    bo_conn_free(other);
}

/* The same columns as before, and other values: no trigger fires. */
static void a_table_that_an_alter_writes_anew_is_noticed(void **state)
{
    contract_world *w = *state;
    static const char *const changes[] = {"ALTER TABLE t ALTER COLUMN v TYPE varchar(9) USING 'y'",
        "ALTER TABLE t ALTER COLUMN n TYPE integer USING n + 1; VACUUM FULL t",
        "ALTER TABLE t DROP COLUMN v; ALTER TABLE t ADD COLUMN v varchar(9)",
        ("ALTER TABLE t DROP COLUMN v, ADD COLUMN w varchar(9) DEFAULT 'z';"
         " ALTER TABLE t RENAME COLUMN w TO v")};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make_wide(w);
        capture_begin(w, "p", T);
        for (const char *sql = changes[i]; sql; sql = strchr(sql, ';')) {
            char statement[200];
            sql += *sql == ';';
            snprintf(statement, sizeof statement, "%.*s", (int)strcspn(sql, ";"), sql);
            contract_do(w, statement);
        }
        capture_expect_broken(
            w, "t", i < 2 ? "written its rows anew" : "'v character varying(9)' came");
        contract_do(w, "DROP TABLE t");
        capture_end(w, "p");
    }
    pg_capture_make_parts(w);
    capture_begin(w, "p", T);
    contract_do(w, "ALTER TABLE t ALTER COLUMN a TYPE text USING upper(a)");
    capture_expect_broken(w, "t", "written its rows anew");
}

static void a_table_that_is_only_stored_anew_is_not_broken(void **state)
{
    contract_world *w = *state;
    static const char *const changes[] = {"VACUUM FULL t", "CLUSTER t USING t_pkey", "TRUNCATE t",
        "VACUUM FREEZE t", "VACUUM FREEZE pg_attribute", "ANALYZE t", "REINDEX TABLE t"};
    bo_conn *super = pg_capture_super(w);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make_wide(w);
        capture_begin(w, "p", T);
        pg_do(super, changes[i]);
        assert_string_equal(capture_broken(w, "t", "p"), "");
        contract_do(w, "DROP TABLE t");
        capture_end(w, "p");
    }
    make_wide(w);
    capture_begin(w, "p", T);
    contract_do(w, "ALTER TABLE t ALTER COLUMN a SET DEFAULT 'a', ALTER COLUMN n SET STATISTICS 7,"
                   " ALTER COLUMN n TYPE integer; GRANT SELECT (a) ON t TO PUBLIC; ANALYZE t");
    assert_string_equal(capture_broken(w, "t", "p"), "");
    contract_do(w, "TRUNCATE t"); /* together they look like an ALTER */
    capture_expect_broken(w, "t", "written its rows anew");
    contract_do(w, "DROP TABLE t");
    capture_end(w, "p");
    make_wide(w);
    contract_do(w, "ALTER TABLE t ADD COLUMN later integer DEFAULT 5");
    capture_begin(w, "p", T);
    pg_do(super, "VACUUM FULL t"); /* writes the default into the rows, and that into the column */
    capture_expect_broken(w, "t", "written its rows anew");
    bo_conn_free(super);
}

static void a_table_can_be_renamed_and_moved(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "ALTER TABLE t RENAME TO u; UPDATE u SET id = 9 WHERE id = 1; TRUNCATE u");
    assert_string_equal(capture_list(w), "p u\n");
    assert_string_equal(capture_broken(w, "u", "p"), "");
    assert_string_equal(
        capture_since(w, "u", from), "(1|one|10) > -\n(2|two|20) > -\n(3|three|30) > -\n");
}

static void a_key_that_others_use_can_be_another(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    contract_do(w, "ALTER TABLE t ALTER COLUMN n SET NOT NULL");
    capture_begin(w, "p", T);
    contract_do(w, "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (n)");
    capture_expect_broken(w, "t", "key changed");
}

/* ---- what can be done to a capture ---- */

static void whatever_is_done_to_the_triggers_is_noticed(void **state)
{
    contract_world *w = *state;
    static const char *const harm[][2] = {
        {"ALTER TABLE t DISABLE TRIGGER ALL", "is switched off"},
        {"ALTER TABLE t DISABLE TRIGGER USER; ALTER TABLE t ENABLE TRIGGER USER",
            "not ENABLE ALWAYS"},
        {"ALTER TABLE t DISABLE TRIGGER \"%s\"; ALTER TABLE t ENABLE ALWAYS TRIGGER \"%s\"",
            "was switched off for a while"},
        {"DROP TRIGGER \"%s\" ON t", "is missing"},
        {"ALTER TRIGGER \"%s\" ON t RENAME TO other", "is missing"},
        {"ALTER FUNCTION backout.journal_%i_update() SET work_mem = '1MB'", "function"},
        {"ALTER TABLE backout.journal_%i DROP COLUMN a", "journal was altered"},
        {"DROP TABLE backout.journal_%i", "journal is gone"},
    };
    for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
        if (i > 0)
            contract_do(w, "DROP TABLE t");
        pg_capture_make_t(w);
        capture_begin(w, "p", T);
        assert_string_equal(capture_broken(w, "t", "p"), "");
        const char *name = contract_ask(w, "SELECT tgname FROM pg_trigger WHERE tgname LIKE"
                                           " '%update%' AND NOT tgisinternal");
        const char *oid = contract_ask(w, "SELECT 't'::regclass::oid");
        bo_buf sql = {0};
        for (const char *c = harm[i][0]; *c; c++) {
            if (*c == '%') {
                c++;
                bo_buf_add_str(&sql, *c == 's' ? name : oid);
            } else {
                bo_buf_add_byte(&sql, (uint8_t)*c);
            }
        }
        bo_buf_add_str(&sql, "");
        contract_do(w, bo_buf_str(&sql));
        bo_buf_done(&sql);
        capture_expect_broken(w, "t", harm[i][1]);
        bo_error err = {0};
        const bo_table *t = contract_table(w, "t");
        assert_int_equal(w->driver->capture->begin(w->conn, &t, 1, "q", &err), BO_REFUSED);
        capture_end(w, "p");
    }
}

static void writers_in_the_role_of_a_replica_are_captured(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    const char *from = capture_begin(w, "p", T);
    bo_conn *super = pg_capture_super(w);
    pg_do(super, "SET session_replication_role = replica; UPDATE t SET n = 0 WHERE id = 1");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > (1|one|0)\n");
    assert_string_equal(capture_last(w, "t", from).user, "postgres");
    bo_conn_free(super);
}

/* The functions run with their maker's rights: nothing of the writer's may run in them. */
static void a_writers_search_path_gets_nowhere(void **state)
{
    contract_world *w = *state;
    static const char *const operators[] = {"=", "<>", ">", "||"};
    static const char *const types[] = {"anyelement", "bigint", "integer", "text", "name", "oid"};
    pg_capture_make_t(w);
    const char *from = capture_begin(w, "p", T);
    bo_conn *super = pg_capture_super(w);
    pg_do(super, "DROP SCHEMA IF EXISTS evil CASCADE; CREATE SCHEMA evil;"
                 "CREATE TABLE evil.backout_old (id integer); CREATE TABLE evil.backout_new (id "
                 "integer)");
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        char sql[500];
        snprintf(sql, sizeof sql,
            "CREATE FUNCTION evil.boom(%s, %s) RETURNS boolean LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'called'; END $$",
            types[t], types[t]);
        pg_do(super, sql);
        for (size_t o = 0; o < sizeof operators / sizeof *operators; o++) {
            snprintf(sql, sizeof sql,
                "CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.boom)",
                operators[o], types[t], types[t]);
            pg_do(super, sql);
        }
    }
    pg_do(super,
        "CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'called'; END $$;"
        "CREATE FUNCTION evil.current_setting(text, boolean) RETURNS text LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;"
        "CREATE FUNCTION evil.concat(text, regclass, text) RETURNS text LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;"
        "CREATE DOMAIN evil.text AS integer; CREATE DOMAIN evil.\"char\" AS integer;"
        "CREATE DOMAIN evil.int4 AS pg_catalog.text; GRANT USAGE ON SCHEMA evil TO PUBLIC");
    contract_do(w, "SET search_path = evil, pg_catalog");
    contract_do(w, "UPDATE public.t SET n = 0 WHERE id OPERATOR(pg_catalog.=) 1;"
                   "UPDATE public.t SET id = 7 WHERE id OPERATOR(pg_catalog.=) 2;"
                   "INSERT INTO public.t VALUES (4, 'four', 4); TRUNCATE public.t");
    contract_do(w, "SET search_path = public");
    assert_string_equal(
        capture_since(w, "t", from), "(1|one|10) > -\n(2|two|20) > -\n(3|three|30) > -\n");
    pg_do(super, "DROP SCHEMA evil CASCADE");
    bo_conn_free(super);
}

static void a_writer_without_any_right_on_the_journal_is_captured(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    const char *from = capture_begin(w, "p", T);
    bo_conn *super = pg_capture_super(w);
    pg_capture_do_about_clerk(super,
        "DROP ROLE IF EXISTS %; CREATE ROLE % LOGIN; GRANT USAGE ON SCHEMA public TO %;"
        "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON t TO %;"
        "SET SESSION AUTHORIZATION %; SET application_name = 'till 4';"
        "UPDATE t SET n = 0 WHERE id = 1; INSERT INTO t VALUES (4, 'four', 4)");
    bo_journal_row row = capture_last(w, "t", from);
    assert_string_equal(row.user, pg_capture_clerk());
    assert_string_equal(row.application, "till 4");
    bo_error err = {0};
    assert_int_equal(w->driver->exec(super, "SELECT * FROM backout.capture", &err), BO_DENIED);
    bo_journal_filter filter = {.from = from, .user = pg_capture_clerk()};
    assert_string_equal(
        capture_changes(w, "t", &filter), "(1|one|10) > (1|one|0)\n- > (4|four|4)\n");
    pg_capture_do_about_clerk(
        super, "TRUNCATE t; RESET SESSION AUTHORIZATION; DROP OWNED BY %; DROP ROLE %");
    bo_conn_free(super);
}

/* ---- begin and end ---- */

static void a_table_with_another_owner_can_be_written(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    capture_begin(w, "p", T);
    bo_conn *super = pg_capture_super(w);
    pg_capture_do_about_clerk(super,
        "DROP ROLE IF EXISTS %; CREATE ROLE % LOGIN; GRANT USAGE ON SCHEMA public TO %;"
        "ALTER TABLE t OWNER TO %; SET SESSION AUTHORIZATION %; UPDATE t SET id = id + 10;"
        "TRUNCATE t; RESET SESSION AUTHORIZATION");
    char came[60];
    snprintf(came, sizeof came, "owner %s came", pg_capture_clerk());
    capture_expect_broken(w, "t", came);
    pg_capture_do_about_clerk(super, "DROP TABLE t; DROP OWNED BY %; DROP ROLE %");
    bo_conn_free(super);
    capture_end(w, "p");
}

/* What the functions keep for a transaction, any session may set. */
static void a_session_that_sets_our_settings_can_hide(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    contract_do(w, "CREATE TABLE heir () INHERITS (t)"); /* by row */
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "SELECT set_config('backout.fits_' || 't'::regclass::oid, 'no 0', false);"
                   "UPDATE t SET n = 0 WHERE id = 1");
    assert_string_equal(capture_since(w, "t", from), "");
    assert_string_equal(capture_broken(w, "t", "p"), "");
}

static void row_security_that_is_forced_later_stops_no_writer(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    capture_begin(w, "p", T);
    contract_do(w, "CREATE POLICY p ON t USING (id < 100) WITH CHECK (true);"
                   "ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
                   "UPDATE t SET id = id + 10; TRUNCATE t; SET row_security = off; TRUNCATE t");
    capture_expect_broken(w, "t", "row security");
}

static void what_cannot_be_captured_says_why(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE UNLOGGED TABLE un (id integer PRIMARY KEY);"
                   "CREATE TABLE ours (id integer PRIMARY KEY, backout_seq integer);"
                   "CREATE TABLE gen (id integer, g integer GENERATED ALWAYS AS (id) STORED,"
                   " PRIMARY KEY (g));"
                   "CREATE TABLE lo (id integer PRIMARY KEY, o oid);"
                   "CREATE TABLE ru (id integer PRIMARY KEY);"
                   "CREATE RULE ru AS ON INSERT TO ru DO INSTEAD NOTHING;"
                   "DO $$ BEGIN EXECUTE 'CREATE TABLE wide (id integer PRIMARY KEY, '"
                   " || (SELECT string_agg('c' || i || ' integer', ', ') FROM"
                   " generate_series(1, 800) i) || ')'; END $$");
    static const struct {
        const char *table;
        bo_coverage coverage;
        const char *words;
    } cases[] = {
        {"un", BO_UNCOVERED, "unlogged"},
        {"ours", BO_UNCOVERED, "backout_seq"},
        {"gen", BO_UNCOVERED, "it has no key"},
        {"wide", BO_UNCOVERED, "750"},
        {"lo", BO_COVERED_WITH_LIMITS, "large objects"},
        {"ru", BO_COVERED_WITH_LIMITS, "rule ru"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bo_error err = {0};
        const char *why = capture_coverage(w, cases[i].table, cases[i].coverage);
        if (!strstr(why, cases[i].words))
            fail_msg("%s: %s", cases[i].table, why);
        bool uncovered = cases[i].coverage == BO_UNCOVERED;
        assert_int_equal(
            pg_capture_try(w, cases[i].table, &err), uncovered ? BO_UNSUPPORTED : BO_OK);
        assert_int_equal(w->driver->capture->end(w->conn, "p", NULL), BO_OK);
        if (uncovered && !strstr(err.text, cases[i].words))
            fail_msg("%s: %s", cases[i].table, err.text);
    }
}

static void a_table_with_750_columns_is_captured(void **state)
{
    contract_world *w = *state;
    contract_do(w, "DO $$ BEGIN EXECUTE 'CREATE TABLE t (id integer PRIMARY KEY, '"
                   " || (SELECT string_agg('c' || i || ' integer', ', ') FROM"
                   " generate_series(1, 749) i) || ')'; END $$; INSERT INTO t VALUES (1, 1)");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET c700 = 2");
    bo_journal_filter filter = {.from = from, .run = ""};
    if (!strstr(capture_changes(w, "t", &filter), " > (1|1|~"))
        fail_msg("%s", capture_changes(w, "t", &filter));
}

static void a_session_that_may_not_write_is_refused(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    pg_capture_make_t(w);
    pg_do(w->conn, "SET default_transaction_read_only = on");
    assert_int_equal(pg_capture_try(w, "t", &err), BO_REFUSED);
    assert_string_equal(capture_list(w), "");
}

static void the_marker_and_the_capture_share_a_schema(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bo_buf token = {0};
    pg_capture_make_t(w);
    capture_begin(w, "p", T);
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(w->driver->mark(w->conn, "m", &token, &err), &err);
    pg_must(w->driver->commit(w->conn, &err), &err);
    capture_end(w, "p");
    bool marked = false;
    pg_must(w->driver->marked(w->conn, "m", bo_buf_str(&token), &marked, &err), &err);
    assert_true(marked);
    bo_buf_done(&token);
    capture_begin(w, "p", T);
    pg_must(w->driver->unmark(w->conn, "m", &err), &err);
    assert_string_equal(capture_broken(w, "t", "p"), "");
    capture_end(w, "p");
    assert_string_equal(
        contract_ask(w, "SELECT count(*) FROM pg_namespace WHERE nspname = 'backout'"), "0");
}

static void nothing_is_left_behind(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    contract_do(w, "CREATE TABLE u (id integer PRIMARY KEY, r regclass)");
    capture_begin(w, "p", PG_NAMES("t", "u"));
    capture_begin(w, "q", PG_NAMES("u"));
    capture_end(w, "p");
    capture_end(w, "q");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM pg_trigger"), "0");
    assert_string_equal(
        contract_ask(w, "SELECT count(*) FROM pg_namespace WHERE nspname = 'backout'"), "0");
}

static void a_reader_keeps_the_triggers_from_being_dropped(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    pg_capture_make_t(w);
    const char *from = capture_begin(w, "p", T);
    bo_conn *other = contract_connect(w, true);
    pg_do(other, "SET application_name = 'report'; BEGIN; SELECT * FROM t");
    assert_int_equal(w->driver->capture->end(w->conn, "p", &err), BO_BUSY);
    if (!strstr(err.text, "report"))
        fail_msg("%s", err.text);
    contract_do(w, "UPDATE t SET n = 0 WHERE id = 1");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > (1|one|0)\n");
    pg_do(other, "COMMIT");
    capture_end(w, "p");
    bo_conn_free(other);
}

CONTRACT_MAIN("pg_capture_guard", CONTRACT_TEST(whatever_happens_to_columns_users_can_write),
    CONTRACT_TEST(a_table_that_an_alter_writes_anew_is_noticed),
    CONTRACT_TEST(a_table_that_is_only_stored_anew_is_not_broken),
    CONTRACT_TEST(a_table_can_be_renamed_and_moved),
    CONTRACT_TEST(a_key_that_others_use_can_be_another),
    CONTRACT_TEST(whatever_is_done_to_the_triggers_is_noticed),
    CONTRACT_TEST(writers_in_the_role_of_a_replica_are_captured),
    CONTRACT_TEST(a_writers_search_path_gets_nowhere),
    CONTRACT_TEST(a_writer_without_any_right_on_the_journal_is_captured),
    CONTRACT_TEST(a_table_with_another_owner_can_be_written),
    CONTRACT_TEST(a_session_that_sets_our_settings_can_hide),
    CONTRACT_TEST(row_security_that_is_forced_later_stops_no_writer),
    CONTRACT_TEST(what_cannot_be_captured_says_why),
    CONTRACT_TEST(a_table_with_750_columns_is_captured),
    CONTRACT_TEST(a_session_that_may_not_write_is_refused),
    CONTRACT_TEST(the_marker_and_the_capture_share_a_schema), CONTRACT_TEST(nothing_is_left_behind),
    CONTRACT_TEST(a_reader_keeps_the_triggers_from_being_dropped))
