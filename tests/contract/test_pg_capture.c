/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_capture.c - PostgreSQL: what only it has, captured. */
#include "contract/pg_capture_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define T PG_NAMES("t")

/* ---- statements ---- */

static void a_table_that_is_emptied_is_told_whole(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "TRUNCATE t; INSERT INTO t VALUES (2, 'new', 0)");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > -\n"
                                                     "(2|two|20) > (2|new|0)\n"
                                                     "(3|three|30) > -\n");
    assert_string_equal(capture_journal(w, "t", from), "T (1)\nT (2)\nT (3)\nI (2)\n");
}

static void tables_that_are_emptied_with_it_are_told_too(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    contract_do(w, "CREATE TABLE c (id integer PRIMARY KEY, t integer REFERENCES t);"
                   "INSERT INTO c VALUES (1, 1)");
    const char *from = capture_begin(w, "p", PG_NAMES("t", "c"));
    contract_do(w, "TRUNCATE t CASCADE");
    assert_string_equal(capture_since(w, "c", from), "(1|1) > -\n");
}

static void inserts_that_turn_into_updates_are_told_as_such(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (3, 'drei', 1), (4, 'four', 2)"
                   " ON CONFLICT (id) DO UPDATE SET a = excluded.a;"
                   "INSERT INTO t VALUES (1, 'x', 0), (5, 'five', 3) ON CONFLICT DO NOTHING");
    assert_string_equal(capture_since(w, "t", from), "(3|three|30) > (3|drei|30)\n"
                                                     "- > (4|four|2)\n- > (5|five|3)\n");
}

static void statements_that_do_several_things_are_told_right(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "WITH d AS (DELETE FROM t WHERE id < 3 RETURNING *)"
                   " INSERT INTO t SELECT id, a || '!', n FROM d WHERE id = 2");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > -\n(2|two|20) > (2|two!|20)\n");
    if (atoi(contract_ask(w, "SHOW server_version_num")) < 150000)
        return;
    from = capture_position(w, T);
    contract_do(w,
        "MERGE INTO t USING (VALUES (2, 'm'), (3, NULL), (9, 'nine')) AS s (id, a) ON t.id = s.id"
        " WHEN MATCHED AND s.a IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET a = s.a"
        " WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.a, 0)");
    assert_string_equal(
        capture_since(w, "t", from), "(2|two!|20) > (2|m|20)\n(3|three|30) > -\n- > (9|nine|0)\n");
}

/* The journal says first that the new row came, and then that the old one went. */
static void a_row_that_takes_the_place_of_another_in_one_statement_is_told_right(void **state)
{
    static const char swap[] = "WITH d AS (DELETE FROM t WHERE id = 2 RETURNING *)"
                               " INSERT INTO t SELECT 2, '%s', 0 WHERE EXISTS (SELECT 1 FROM d)";
    contract_world *w = *state;
    pg_capture_make_t(w);
    const char *from = capture_begin(w, "p", T);
    char sql[200];
    snprintf(sql, sizeof sql, swap, "new");
    contract_do(w, sql);
    const char *to = capture_position(w, T);
    assert_string_equal(capture_journal(w, "t", from), "I (2)\nD (2)\n");
    assert_string_equal(capture_since(w, "t", from), "(2|two|20) > (2|new|0)\n");
    snprintf(sql, sizeof sql, swap, "newer");
    contract_do(w, sql);
    contract_do(w, "UPDATE t SET n = 1 WHERE id = 2; INSERT INTO t VALUES (4, 'four', 0);"
                   "DELETE FROM t WHERE id = 4; DELETE FROM t WHERE id = 1");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > -\n(2|two|20) > (2|newer|1)\n");
    bo_journal_filter filter = {.from = from, .to = to};
    assert_string_equal(capture_changes(w, "t", &filter), "(2|two|20) > (2|new|0)\n");
    contract_do(w, "DELETE FROM t WHERE id = 2");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > -\n(2|two|20) > -\n");
}

static void a_merge_that_deletes_and_inserts_a_key_is_told_right(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    if (atoi(contract_ask(w, "SHOW server_version_num")) < 150000)
        return;
    contract_do(w, "CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                   " IF pg_trigger_depth() = 1 THEN UPDATE t SET n = n + 1 WHERE id = 1; END IF;"
                   " RETURN NULL; END $$");
    static const char *const triggers[] = {"",
        "CREATE TRIGGER again AFTER INSERT OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION again()"};
    for (size_t i = 0; i < sizeof triggers / sizeof *triggers; i++) {
        contract_do(w, "TRUNCATE t; INSERT INTO t VALUES (1, 'one', 10)");
        if (*triggers[i])
            contract_do(w, triggers[i]);
        const char *from = capture_begin(w, "p", T);
        contract_do(w, "MERGE INTO t USING (VALUES (5, 'in'), (1, 'out'), (1, 'in')) AS s (id, op)"
                       " ON t.id = s.id AND s.op = 'out' WHEN MATCHED THEN DELETE"
                       " WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'new', 0)");
        assert_string_equal(
            capture_since(w, "t", from), i ? "(1|one|10) > (1|new|3)\n- > (5|new|0)\n"
                                           : "(1|one|10) > (1|new|0)\n- > (5|new|0)\n");
        capture_end(w, "p");
    }
}

static void a_prepared_transaction_is_later_than_what_it_outlived(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    const char *from = capture_begin(w, "p", T);
    char sql[100]; /* its name is the server's, which others use as well */
    snprintf(sql, sizeof sql,
        "BEGIN; UPDATE t SET n = 11 WHERE id = 1; PREPARE TRANSACTION 'backout_%d'", (int)getpid());
    contract_do(w, sql);
    const char *meanwhile = capture_position(w, T);
    assert_string_equal(capture_since(w, "t", from), "");
    snprintf(sql, sizeof sql, "COMMIT PREPARED 'backout_%d'", (int)getpid());
    contract_do(w, sql);
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > (1|one|11)\n");
    assert_string_equal(capture_since(w, "t", meanwhile), "(1|one|10) > (1|one|11)\n");
}

static void open_transactions_are_later_and_ended_ones_are_not(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    bo_conn *other = contract_connect(w, true);
    const char *begin = capture_begin(w, "p", T);
    pg_do(other, "BEGIN; UPDATE t SET n = 11 WHERE id = 1");
    contract_do(w, "UPDATE t SET n = 22 WHERE id = 2");
    const char *from = capture_position(w, T);
    pg_do(other, "UPDATE t SET n = 33 WHERE id = 3; COMMIT");
    assert_string_equal(
        capture_since(w, "t", from), "(1|one|10) > (1|one|11)\n(3|three|30) > (3|three|33)\n");
    bo_journal_filter filter = {.from = begin, .to = from};
    assert_string_equal(capture_changes(w, "t", &filter), "(2|two|20) > (2|two|22)\n");
    bo_conn_free(other);
}

/* ---- foreign keys that act ---- */

static void a_row_that_two_foreign_keys_change_has_its_first_image(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE u (id integer PRIMARY KEY); INSERT INTO u VALUES (1), (2);"
        "CREATE TABLE m (id integer PRIMARY KEY, a integer REFERENCES u ON DELETE SET NULL,"
        " b integer REFERENCES u ON DELETE SET NULL); INSERT INTO m VALUES (5, 1, 1), (6, 2, 1)");
    const char *from = capture_begin(w, "p", PG_NAMES("m"));
    contract_do(w, "DELETE FROM u WHERE id = 1");
    assert_string_equal(capture_since(w, "m", from), "(5|1|1) > (5|~|~)\n(6|2|1) > (6|2|~)\n");
}

/* The action's own triggers fire last of the statement. */
static void a_row_that_an_action_changes_before_a_trigger_has_its_first_image(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE u (id integer PRIMARY KEY); INSERT INTO u VALUES (1), (2), (3);"
                   "CREATE TABLE m (id integer PRIMARY KEY, a integer REFERENCES u ON DELETE SET "
                   "NULL, s text);"
                   "INSERT INTO m VALUES (5, 1, 'x'), (6, 2, 'y'), (7, 3, 'z');"
                   "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                   " UPDATE m SET s = 'again' WHERE a IS NULL; DELETE FROM m WHERE id = 6; RETURN "
                   "NULL; END $$;"
                   "CREATE TRIGGER f AFTER DELETE ON u FOR EACH ROW EXECUTE FUNCTION f()");
    const char *from = capture_begin(w, "p", PG_NAMES("m"));
    contract_do(w, "UPDATE m SET s = 'first' WHERE id = 7; DELETE FROM u WHERE id < 3");
    assert_string_equal(
        capture_since(w, "m", from), "(5|1|x) > (5|~|again)\n(6|2|y) > -\n(7|3|z) > (7|3|first)\n");
}

/* Statement triggers for what was deleted may fire before those for what was updated. */
static void a_row_that_one_action_updates_and_another_deletes_has_its_first_image(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE m (id integer PRIMARY KEY, a integer, b integer, s text);"
        "INSERT INTO m VALUES (1, NULL, 1, 'x'), (2, 1, NULL, 'y'), (12, 2, 1, 'z');"
        "ALTER TABLE m ADD CONSTRAINT f1 FOREIGN KEY (a) REFERENCES m ON DELETE CASCADE;"
        "ALTER TABLE m ADD CONSTRAINT f2 FOREIGN KEY (b) REFERENCES m ON DELETE SET NULL;");
    const char *from = capture_begin(w, "p", PG_NAMES("m"));
    contract_do(w, "DELETE FROM m WHERE id = 1");
    assert_string_equal(
        capture_since(w, "m", from), "(12|2|1|z) > -\n(1|~|1|x) > -\n(2|1|~|y) > -\n");
    capture_end(w, "p");
    contract_do(w, "ALTER TABLE m DROP CONSTRAINT f2");
    capture_begin(w, "p", PG_NAMES("m"));
    contract_do(
        w, "ALTER TABLE m ADD CONSTRAINT f2 FOREIGN KEY (b) REFERENCES m ON DELETE SET NULL");
    capture_expect_broken(w, "m", "foreign keys whose actions meet in public.m came");
}

/* The same by way of tables that another one reaches: with `c`, there is an update after all. */
static void actions_that_begin_in_one_table_may_meet_in_another(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE root (id integer PRIMARY KEY); INSERT INTO root VALUES (1);"
        "CREATE TABLE one (id integer PRIMARY KEY, r integer REFERENCES root ON DELETE CASCADE);"
        "CREATE TABLE two (id integer PRIMARY KEY, r integer REFERENCES root ON DELETE CASCADE);"
        "CREATE TABLE three (id integer PRIMARY KEY, r integer REFERENCES root ON DELETE CASCADE);"
        "INSERT INTO one VALUES (1, 1); INSERT INTO two VALUES (1, 1);"
        "INSERT INTO three VALUES (1, 1);"
        "CREATE TABLE m (id integer PRIMARY KEY, a integer REFERENCES one ON DELETE SET NULL,"
        " b integer REFERENCES two ON DELETE CASCADE, c integer REFERENCES three ON DELETE SET "
        "NULL);"
        "INSERT INTO m VALUES (5, 1, 1, 1);"
        "CREATE TABLE leaf (id integer PRIMARY KEY, m integer REFERENCES m ON DELETE CASCADE);"
        "INSERT INTO leaf VALUES (9, 5)");
    const char *from = capture_begin(w, "p", PG_NAMES("m", "leaf"));
    contract_do(w, "DELETE FROM root");
    assert_string_equal(capture_since(w, "m", from), "(5|1|1|1) > -\n");
    assert_string_equal(capture_since(w, "leaf", from), "(9|5) > -\n");
}

/* Tables that have nothing to do with each other, emptied by one statement: a limit. */
static void actions_that_one_statement_begins_in_several_tables_are_told_wrong(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE one (id integer PRIMARY KEY); INSERT INTO one VALUES (1);"
        "CREATE TABLE two (id integer PRIMARY KEY); INSERT INTO two VALUES (1);"
        "CREATE TABLE three (id integer PRIMARY KEY); INSERT INTO three VALUES (1);"
        "CREATE TABLE m (id integer PRIMARY KEY, a integer REFERENCES one ON DELETE SET NULL,"
        " b integer REFERENCES two ON DELETE CASCADE,"
        " c integer REFERENCES three ON DELETE SET NULL);"
        "INSERT INTO m VALUES (5, 1, 1, 1);");
    const char *from = capture_begin(w, "p", PG_NAMES("m"));
    contract_do(w, "WITH x AS (DELETE FROM one), y AS (DELETE FROM two) DELETE FROM three");
    assert_string_equal(capture_since(w, "m", from), "(5|1|1|~) > -\n");
}

static void a_key_that_an_action_moves_before_a_trigger_was_free(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE u (id integer PRIMARY KEY); INSERT INTO u VALUES (1), (2), (3);"
                   "CREATE TABLE m (id integer PRIMARY KEY REFERENCES u ON UPDATE CASCADE, s text);"
                   "INSERT INTO m VALUES (1, 'x'), (2, 'y'), (3, 'z');"
                   "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                   " UPDATE m SET s = s || '!'; RETURN NULL; END $$;"
                   "CREATE TRIGGER f AFTER UPDATE ON u FOR EACH STATEMENT EXECUTE FUNCTION f()");
    const char *from = capture_begin(w, "p", PG_NAMES("m"));
    contract_do(w, "UPDATE u SET id = id - 1");
    assert_string_equal(capture_since(w, "m", from), "(1|x) > (1|y!)\n(2|y) > (2|z!)\n(3|z) > -\n"
                                                     "- > (0|x!)\n");
}

/* Statements that write one row, or none, have a way of their own. */
static void one_row_keeps_its_key_or_moves(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (a numeric, b integer, n integer, PRIMARY KEY (b, a));"
                   "INSERT INTO t VALUES (1.0, 1, 10), (2.0, 1, 20), (3.0, 1, 30)");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET n = 11 WHERE a = 1; UPDATE t SET a = 2.00 WHERE a = 2;"
                   "UPDATE t SET b = 2 WHERE a = 3; UPDATE t SET n = 0 WHERE b = 9;"
                   "DELETE FROM t WHERE b = 9; INSERT INTO t SELECT * FROM t WHERE b = 9;"
                   "INSERT INTO t VALUES (4.0, 1, 40); DELETE FROM t WHERE a = 1");
    assert_string_equal(capture_since(w, "t", from), "(1.0|1|10) > -\n(2.0|1|20) > -\n"
                                                     "(3.0|1|30) > -\n- > (2.00|1|20)\n"
                                                     "- > (3.0|2|30)\n- > (4.0|1|40)\n");
}

static void keys_of_a_tree_that_cascade_to_itself_are_told_right(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY,"
                   " up integer REFERENCES t ON UPDATE CASCADE ON DELETE CASCADE, a text);"
                   "INSERT INTO t VALUES (1, NULL, 'r'), (2, 1, 'x'), (3, 2, 'y')");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET id = id + 100");
    assert_string_equal(capture_since(w, "t", from), "(1|~|r) > -\n(2|1|x) > -\n(3|2|y) > -\n"
                                                     "- > (101|~|r)\n- > (102|101|x)\n"
                                                     "- > (103|102|y)\n");
    from = capture_position(w, T);
    contract_do(w, "DELETE FROM t WHERE id = 101");
    assert_string_equal(
        capture_since(w, "t", from), "(101|~|r) > -\n(102|101|x) > -\n(103|102|y) > -\n");
}

/* ---- values ---- */

static void keys_are_told_apart_by_their_bytes(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;"
                   "CREATE TABLE t (k citext, n numeric, f float8, PRIMARY KEY (k, n, f));"
                   "INSERT INTO t VALUES ('Foo', 1.0, '-0'), ('bar', 2, 1)");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET k = 'fOO' WHERE k = 'foo'");
    assert_string_equal(capture_since(w, "t", from), "(Foo|1.0|-0) > -\n- > (fOO|1.0|-0)\n");
    contract_do(w, "UPDATE t SET n = 1.00 WHERE k = 'foo'; UPDATE t SET f = 0 WHERE k = 'foo'");
    assert_string_equal(capture_since(w, "t", from), "(Foo|1.0|-0) > -\n- > (fOO|1.00|0)\n");
    contract_do(w, "UPDATE t SET k = 'Foo', n = 1.0, f = '-0' WHERE k = 'FOO'");
    assert_string_equal(capture_since(w, "t", from), "");
}

static void values_of_any_type_come_through_as_they_were(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE DOMAIN short AS varchar(5) CHECK (VALUE <> 'no'); CREATE TYPE mood AS ENUM ('x', "
        "'y');"
        "CREATE TABLE t (id integer PRIMARY KEY, d short NOT NULL, c char(4), b bit(3), v "
        "numeric(9,3),"
        " m mood, ar mood[], ts timestamp(0), j jsonb, g integer GENERATED ALWAYS AS (id * 2) "
        "STORED, r regclass, x xml, s text COLLATE \"C\");"
        "INSERT INTO t VALUES (1, 'ab', 'c', '101', 1.5, 'x', '{x,y}', '2026-11-20 07:00:00',"
        " '{\"a\": 1.00}', DEFAULT, 'pg_class', '<a/>', 'z')");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET d = 'cd', ar = NULL, r = NULL, x = NULL, v = 0");
    const char *changed = capture_since(w, "t", from);
    assert_string_equal(changed,
        "(1|ab|c   |101|1.500|x|{x,y}|2026-11-20 07:00:00|{\"a\": 1.00}|pg_class|<a/>|z) > "
        "(1|cd|c   |101|0.000|x|~|2026-11-20 07:00:00|{\"a\": 1.00}|~|~|z)\n");
}

static void a_binary_image_from_the_journal_is_that_of_the_row(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE DOMAIN money2 AS numeric(9,2);"
                   "CREATE TABLE t (id bigint PRIMARY KEY, d money2, c char(4), b varbit(5));"
                   "INSERT INTO t VALUES (1, 1.5, 'c', '10101')");
    const char *from = capture_begin(w, "p", T);
    const bo_table *t = contract_table(w, "t");
    assert_int_equal(t->encoding, BO_ENCODING_PG_BINARY);
    contract_do(w, "UPDATE t SET d = 9; UPDATE t SET d = 1.5");
    assert_string_equal(capture_since(w, "t", from), ""); /* the same bytes */
}

CONTRACT_MAIN("pg_capture", CONTRACT_TEST(a_table_that_is_emptied_is_told_whole),
    CONTRACT_TEST(tables_that_are_emptied_with_it_are_told_too),
    CONTRACT_TEST(inserts_that_turn_into_updates_are_told_as_such),
    CONTRACT_TEST(statements_that_do_several_things_are_told_right),
    CONTRACT_TEST(a_row_that_takes_the_place_of_another_in_one_statement_is_told_right),
    CONTRACT_TEST(a_merge_that_deletes_and_inserts_a_key_is_told_right),
    CONTRACT_TEST(a_prepared_transaction_is_later_than_what_it_outlived),
    CONTRACT_TEST(open_transactions_are_later_and_ended_ones_are_not),
    CONTRACT_TEST(a_row_that_two_foreign_keys_change_has_its_first_image),
    CONTRACT_TEST(a_row_that_an_action_changes_before_a_trigger_has_its_first_image),
    CONTRACT_TEST(a_row_that_one_action_updates_and_another_deletes_has_its_first_image),
    CONTRACT_TEST(actions_that_begin_in_one_table_may_meet_in_another),
    CONTRACT_TEST(actions_that_one_statement_begins_in_several_tables_are_told_wrong),
    CONTRACT_TEST(a_key_that_an_action_moves_before_a_trigger_was_free),
    CONTRACT_TEST(one_row_keeps_its_key_or_moves),
    CONTRACT_TEST(keys_of_a_tree_that_cascade_to_itself_are_told_right),
    CONTRACT_TEST(keys_are_told_apart_by_their_bytes),
    CONTRACT_TEST(values_of_any_type_come_through_as_they_were),
    CONTRACT_TEST(a_binary_image_from_the_journal_is_that_of_the_row))
