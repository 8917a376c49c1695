/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/test_sqlite_capture_guard.c - SQLite: a capture is not seen, what breaks it is
 * noticed, and what cannot be captured is refused.
 */
#include "contract/sqlite_capture_world.h"
#include "driver/sqlite/sqlite.h"

#include <stdio.h>
#include <string.h>

/* ---- nothing of ours is seen, and nothing stays ---- */

static bo_status count_name(void *ctx, const char *name, bo_error *err)
{
    (void)name, (void)err;
    ++*(unsigned *)ctx;
    return BO_OK;
}

static char *definition(contract_world *w, const char *name)
{
    json_t *json = bo_table_to_json(contract_table(w, name));
    char *text = json_dumps(json, JSON_SORT_KEYS);
    json_decref(json);
    assert_non_null(text);
    return text;
}

#define SCHEMA "SELECT group_concat(type || name || coalesce(sql, ''), ';') FROM sqlite_schema"

static void a_captured_table_looks_like_any_other(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    unsigned count = 0;
    contract_do(w, ROWS_T "CREATE INDEX i ON t (c); CREATE TRIGGER u AFTER INSERT ON t BEGIN SELECT"
                          " 1; END; CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT)");
    const char *schema = contract_ask(w, SCHEMA);
    BO_OWN_MEM char *was = definition(w, "t");
    capture_begin(w, "p", PG_NAMES("t", "s"));
    capture_begin(w, "q", PG_NAMES("t"));
    contract_do(w, "INSERT INTO t (a) VALUES (1); INSERT INTO s DEFAULT VALUES; ANALYZE");
    BO_OWN_MEM char *is = definition(w, "t");
    assert_string_equal(is, was);
    pg_must(w->driver->tables(w->conn, count_name, &count, &err), &err);
    assert_int_equal(count, 2);
    const bo_table *ours = NULL;
    assert_int_equal(
        w->driver->describe(w->conn, "backout_journal_1", w->arena, &ours, &err), BO_NOTFOUND);
    assert_int_equal(
        w->driver->describe(w->conn, "backout_capture", w->arena, &ours, &err), BO_NOTFOUND);
    capture_end(w, "p");
    assert_string_equal(capture_broken(w, "t", "q"), "");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM backout_journal_1"), "1");
    capture_end(w, "q");
    capture_end(w, "q");
    contract_do(w, "DROP TABLE sqlite_stat1");
    assert_string_equal(contract_ask(w, SCHEMA), schema);
    assert_string_equal(contract_ask(w, "SELECT group_concat(name) FROM sqlite_sequence"), "s");
}

/* ---- what cannot be trusted is said ---- */

static void a_broken_capture_is_noticed(void **state)
{
    static const struct {
        const char *change, *table, *why;
    } cases[] = {
        {"DROP TRIGGER backout_journal_1_moved", "t", "backout_journal_1_moved is missing"},
        {"DROP TABLE backout_journal_1", "t", "backout_journal_1 is missing"},
        {"ALTER TABLE t ADD COLUMN e", "t", "changed: column 'e'"},
        {"ALTER TABLE t RENAME TO n", "n", "n is not captured for 'p'"},
        {"CREATE UNIQUE INDEX i ON t (c)", "t", "the definition of the table or of"},
        {"CREATE TABLE n AS SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t;"
         " CREATE UNIQUE INDEX i ON t (id)",
            "t", "t has no key that identifies its rows"},
        {"CREATE TABLE n (id INTEGER PRIMARY KEY, a TEXT, b UNIQUE, c, d NOT NULL DEFAULT 7);"
         " INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
            "t", "backout_journal_1_came is missing"},
        {"CREATE TRIGGER late AFTER INSERT ON t BEGIN DELETE FROM t; END", "t",
            "the trigger 'late' was made later"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *fresh = NULL;
        assert_int_equal(contract_start(&fresh), 0);
        contract_world *w = fresh;
        contract_do(w, ROWS_T);
        capture_begin(w, "p", PG_NAMES("t"));
        assert_string_equal(capture_broken(w, "t", "p"), "");
        contract_do(w, cases[i].change);
        const char *why = capture_broken(w, cases[i].table, "p");
        if (!strstr(why, cases[i].why))
            fail_msg("%s: %s", cases[i].change, why);
        capture_end(w, "p");
        assert_string_equal(contract_ask(w, OURS), "");
        assert_int_equal(contract_stop(&fresh), 0);
    }
    (void)state;
}

static bool in_doubt(contract_world *w, const char *table)
{
    BO_OWN_VALUE(bo_buf) doubt = {0};
    bo_error err = {0};
    pg_must(w->driver->capture->doubt(w->conn, contract_table(w, table), "p", &doubt, &err), &err);
    return doubt.size > 0;
}

/* What was there for a while only leaves the journal whole, and wrong. */
static void what_was_in_the_schema_for_a_while_puts_a_journal_in_doubt(void **state)
{
    contract_world *w = *state;
    static const char *const changes[] = {
        "CREATE UNIQUE INDEX ux ON t (a); INSERT OR REPLACE INTO t VALUES (9, 'one', 9, 9, 9);"
        " DROP INDEX ux",
        "CREATE TRIGGER norm AFTER INSERT ON t BEGIN UPDATE t SET a = lower(a) WHERE id = NEW.id;"
        " END; INSERT INTO t VALUES (9, 'X', 9, 9, 9); DROP TRIGGER norm",
        "CREATE TABLE other (a); CREATE UNIQUE INDEX ux ON t (a); INSERT OR REPLACE INTO t VALUES"
        " (9, 'one', 9, 9, 9); DROP INDEX ux; CREATE VIEW v AS SELECT 1",
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        contract_do(w, "DROP TABLE IF EXISTS t; " ROWS_T);
        capture_begin(w, "p", PG_NAMES("t"));
        assert_false(in_doubt(w, "t"));
        contract_do(w, changes[i]);
        assert_string_equal(capture_broken(w, "t", "p"), "");
        if (!in_doubt(w, "t"))
            fail_msg("%s", changes[i]);
        capture_end(w, "p");
    }
}

static void harmless_definitions_leave_no_doubt(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    BO_OWN_VALUE(bo_buf) token = {0};
    contract_do(w, ROWS_T "CREATE TABLE u (id INTEGER PRIMARY KEY, a); INSERT INTO u VALUES (1, "
                          "1)");
    capture_begin(w, "p", PG_NAMES("t", "u"));
    contract_do(w, "CREATE TABLE more (id INTEGER PRIMARY KEY AUTOINCREMENT, t INT UNIQUE);"
                   " CREATE INDEX i ON t (c); CREATE TABLE copied AS SELECT * FROM t;"
                   " CREATE VIEW v AS SELECT * FROM t; CREATE TRIGGER on_more AFTER INSERT ON more"
                   " BEGIN SELECT 1; END; CREATE VIRTUAL TABLE f USING fts5 (text);"
                   " CREATE TABLE w (a PRIMARY KEY, b UNIQUE) WITHOUT ROWID; ANALYZE; REINDEX;"
                   " CREATE TEMP TABLE passing (a); DROP TABLE passing; UPDATE t SET c = 1;"
                   " INSERT INTO t (b) VALUES (99)");
    capture_begin(w, "q", PG_NAMES("t", "more"));
    capture_begin(w, "r", PG_NAMES("u"));
    capture_end(w, "q");
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(w->driver->mark(w->conn, "m", &token, &err), &err);
    pg_must(w->driver->commit(w->conn, &err), &err);
    pg_must(w->driver->unmark(w->conn, "m", &err), &err);
    assert_false(in_doubt(w, "t"));
    contract_do(w, "DELETE FROM u; ALTER TABLE more ADD COLUMN a");
    assert_true(in_doubt(w, "t"));
    assert_false(in_doubt(w, "u")); /* what could hide a row that only went? */
}

/* A journal that is broken is not used for the next point. */
static void the_next_point_gets_a_whole_journal(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "ALTER TABLE t ADD COLUMN e; UPDATE t SET e = 1");
    tell_state telling;
    capture_begin(w, "q", PG_NAMES("t"));
    assert_string_not_equal(capture_broken(w, "t", "p"), "");
    assert_string_equal(capture_broken(w, "t", "q"), "");
    capture_end(w, "p");
    assert_string_equal(capture_broken(w, "t", "q"), "");
    tell_begin(&telling, w, "after a broken one", "t");
    contract_do(w, "UPDATE t SET e = 2; DELETE FROM t WHERE id = 1");
    assert_int_equal(tell_end(&telling), 0);
}

/* SQLite renames it in our triggers, too. */
static void a_renamed_column_is_captured_on(void **state)
{
    contract_world *w = *state;
    tell_state telling;
    contract_do(w, ROWS_T);
    capture_begin(w, "q", PG_NAMES("t"));
    contract_do(w, "ALTER TABLE t RENAME COLUMN a TO \"new \"\"name\"; ALTER TABLE t RENAME COLUMN"
                   " id TO i; ALTER TABLE t RENAME COLUMN b TO a");
    tell_begin(&telling, w, "renamed columns", "t");
    contract_do(w, "UPDATE t SET a = a + 1; INSERT OR REPLACE INTO t (i, a) VALUES (9, 11);"
                   " UPDATE t SET i = 12 WHERE i = 2");
    assert_int_equal(tell_end(&telling), 0);
}

/* A later trigger breaks the journal of then, not the one that is made after it. */
static void only_what_came_after_a_journal_breaks_it(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "CREATE TRIGGER late AFTER INSERT ON t BEGIN UPDATE t SET a = 'late' WHERE id ="
                   " NEW.id; END");
    assert_string_not_equal(capture_broken(w, "t", "p"), "");
    capture_begin(w, "q", PG_NAMES("t"));
    assert_string_equal(capture_broken(w, "t", "q"), "");
    assert_string_not_equal(capture_broken(w, "t", "p"), "");
}

/* What somebody took away of ours hurts its point alone, and goes with the last one. */
static void lost_parts_do_not_hinder_other_points(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T "CREATE TABLE u (id INTEGER PRIMARY KEY)");
    capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "DROP TABLE backout_capture");
    capture_begin(w, "q", PG_NAMES("t"));
    capture_begin(w, "r", PG_NAMES("u"));
    contract_do(w, "DROP TABLE backout_journal_2");
    assert_string_equal(capture_position(w, PG_NAMES("t")), "3:0");
    assert_string_not_equal(capture_broken(w, "t", "q"), "");
    assert_string_equal(capture_broken(w, "u", "r"), "");
    capture_end(w, "q");
    capture_end(w, "r");
    assert_string_equal(contract_ask(w, OURS), "");
    contract_do(w, "UPDATE t SET a = 1");
}

/* ---- what is refused ---- */

static void make_wide(contract_world *w, const char *name, unsigned columns)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "CREATE TABLE %s (id INTEGER PRIMARY KEY", name);
    for (unsigned i = 1; i < columns; i++)
        bo_buf_printf(&sql, ", x%u", i);
    bo_buf_printf(&sql, "); INSERT INTO %s DEFAULT VALUES", name);
    contract_do(w, bo_buf_str(&sql));
}

static void what_cannot_be_captured_is_refused_by_name(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE VIRTUAL TABLE f USING fts5(a); CREATE TABLE k (a, b);"
                   "CREATE TABLE o (a TEXT PRIMARY KEY); CREATE TABLE g (a TEXT PRIMARY KEY NOT"
                   " NULL)");
    make_wide(w, "wide", 2000);
    make_wide(w, "most", 1993);
    assert_non_null(strstr(capture_coverage(w, "f", BO_UNCOVERED), "virtual table"));
    assert_non_null(
        strstr(capture_coverage(w, "f_content", BO_UNCOVERED), "belongs to a virtual table"));
    assert_non_null(strstr(capture_coverage(w, "k", BO_UNCOVERED), "no key"));
    assert_non_null(strstr(capture_coverage(w, "wide", BO_UNCOVERED),
        "it has 2000 columns, and with more than 1993 "));
    assert_non_null(strstr(capture_coverage(w, "o", BO_COVERED_WITH_LIMITS), "allows NULL"));
    assert_string_equal(capture_coverage(w, "g", BO_COVERED), "");
    const bo_table *tables[] = {contract_table(w, "g"), contract_table(w, "k")};
    assert_int_equal(w->driver->capture->begin(w->conn, tables, 2, "p", &err), BO_UNSUPPORTED);
    assert_non_null(strstr(err.text, "cannot capture changes of k"));
    assert_string_equal(contract_ask(w, OURS), "");
    tell_state telling;
    tell_begin(&telling, w, "as wide as can be", "most");
    contract_do(w, "UPDATE most SET x1992 = 'last'; INSERT INTO most (x7) VALUES (7);"
                   " INSERT OR REPLACE INTO most (id) VALUES (2)");
    assert_int_equal(tell_end(&telling), 0);
}

static void a_database_in_use_is_busy(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, ROWS_T);
    const bo_table *table = contract_table(w, "t");
    contract_do(w, "BEGIN IMMEDIATE");
    sq_of(w->conn)->lock_timeout_ms = 50;
    assert_int_equal(w->driver->capture->begin(w->conn, &table, 1, "p", &err), BO_BUSY);
    contract_do(w, "ROLLBACK");
    capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "BEGIN IMMEDIATE");
    assert_int_equal(w->driver->capture->end(w->conn, "p", &err), BO_BUSY);
    contract_do(w, "ROLLBACK");
    assert_string_equal(capture_broken(w, "t", "p"), "");
}

static void a_text_in_double_quotes_is_not_followed(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE UNIQUE INDEX i ON t (a)"
                   " WHERE a <> \"text\"");
    assert_non_null(strstr(capture_coverage(w, "t", BO_UNCOVERED), "cannot be"));
}

/* In a trigger it would name the row that is written. */
static void a_condition_that_names_a_table_called_new_is_not_followed(void **state)
{
    contract_world *w = *state;
    static const char *const conditions[] = {"new.a > 0", "a > 1.5 AND \"NEW\" . a", "[new].a"};
    contract_do(w, "CREATE TABLE new (id INTEGER PRIMARY KEY, a, b)");
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        char sql[128];
        capture_begin(w, "p", PG_NAMES("new"));
        (void)snprintf(sql, sizeof sql, "CREATE UNIQUE INDEX i ON new (b) WHERE %s", conditions[i]);
        contract_do(w, sql);
        assert_non_null(strstr(capture_broken(w, "new", "p"), "'i' names its table"));
        assert_non_null(strstr(capture_coverage(w, "new", BO_UNCOVERED), "'i' names its table"));
        contract_do(w, "DROP INDEX i");
        capture_end(w, "p");
    }
    contract_do(w, "CREATE UNIQUE INDEX i ON new (b) WHERE a <> 'new' OR a = 'new.a'");
    assert_string_equal(capture_coverage(w, "new", BO_COVERED), "");
}

CONTRACT_MAIN("sqlite_capture_guard", CONTRACT_TEST(a_captured_table_looks_like_any_other),
    CONTRACT_TEST(a_broken_capture_is_noticed),
    CONTRACT_TEST(what_was_in_the_schema_for_a_while_puts_a_journal_in_doubt),
    CONTRACT_TEST(harmless_definitions_leave_no_doubt),
    CONTRACT_TEST(the_next_point_gets_a_whole_journal),
    CONTRACT_TEST(a_renamed_column_is_captured_on),
    CONTRACT_TEST(only_what_came_after_a_journal_breaks_it),
    CONTRACT_TEST(lost_parts_do_not_hinder_other_points),
    CONTRACT_TEST(what_cannot_be_captured_is_refused_by_name),
    CONTRACT_TEST(a_database_in_use_is_busy),
    CONTRACT_TEST(a_text_in_double_quotes_is_not_followed),
    CONTRACT_TEST(a_condition_that_names_a_table_called_new_is_not_followed))
