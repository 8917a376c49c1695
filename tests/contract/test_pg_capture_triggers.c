/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_capture_triggers.c - PostgreSQL: statements that users' triggers run while
 * the statement that fired them is not told yet. */
#include "contract/pg_capture_world.h"

#include <stdlib.h>

#define T PG_NAMES("t")

static void make_function(contract_world *w, const char *body)
{
    char sql[1024];
    snprintf(sql, sizeof(sql),
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s END $$", body);
    contract_do(w, sql);
}

/* Not for its own statement. */
#define ADDS_TO_ALL "IF pg_trigger_depth() = 1 THEN UPDATE t SET n = n + 1; END IF; RETURN NULL;"

/* f: `when` is "AFTER INSERT ON t FOR EACH ROW", say. */
static void make_trigger(contract_world *w, const char *when, const char *body)
{
    char sql[256];
    make_function(w, body);
    snprintf(sql, sizeof(sql), "CREATE TRIGGER f %s EXECUTE FUNCTION f()", when);
    contract_do(w, sql);
}

static void a_trigger_that_writes_the_row_again_does_not_hide_what_was(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(w, "AFTER INSERT OR UPDATE ON t FOR EACH ROW", ADDS_TO_ALL);
    contract_do(w, "CREATE TRIGGER once AFTER DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION f()");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (4, 'four', 0), (5, 'five', 0)");
    assert_string_equal(capture_since(w, "t", from),
        "(1|one|10) > (1|one|12)\n(2|two|20) > (2|two|22)\n(3|three|30) > (3|three|32)\n"
        "- > (4|four|2)\n- > (5|five|2)\n");
    from = capture_position(w, T);
    contract_do(w, "UPDATE t SET a = 'x', id = id + 10 WHERE id > 3");
    assert_string_equal(capture_since(w, "t", from),
        "(1|one|12) > (1|one|14)\n(2|two|22) > (2|two|24)\n(3|three|32) > (3|three|34)\n"
        "(4|four|2) > -\n(5|five|2) > -\n- > (14|x|4)\n- > (15|x|4)\n");
    from = capture_position(w, T);
    contract_do(w, "DELETE FROM t WHERE id > 1");
    assert_string_equal(capture_since(w, "t", from),
        "(14|x|4) > -\n(15|x|4) > -\n(1|one|14) > (1|one|15)\n(2|two|24) > -\n"
        "(3|three|34) > -\n");
    assert_string_equal(capture_broken(w, "t", "p"), "");
}

/* It fires for the rows that were updated before ours fires for those that were inserted. */
static void a_trigger_of_a_statement_writes_after_all_that_the_statement_wrote(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(w, "AFTER UPDATE ON t FOR EACH STATEMENT", ADDS_TO_ALL);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (3, 'drei', 1), (4, 'four', 2)"
                   " ON CONFLICT (id) DO UPDATE SET a = excluded.a");
    assert_string_equal(capture_since(w, "t", from),
        "(1|one|10) > (1|one|11)\n(2|two|20) > (2|two|21)\n(3|three|30) > (3|drei|31)\n"
        "- > (4|four|3)\n");
}

/* It fires for the rows that were deleted before ours fires for those that were updated. */
static void a_trigger_of_a_delete_writes_after_all_that_merge_wrote(void **state)
{
    contract_world *w = *state;
    if (atoi(contract_ask(w, "SHOW server_version_num")) < 150000)
        return;
    pg_capture_make_t(w);
    make_trigger(w, "AFTER DELETE ON t FOR EACH STATEMENT", ADDS_TO_ALL);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "MERGE INTO t USING (VALUES (1), (2)) AS s (id) ON t.id = s.id"
                   " WHEN MATCHED AND s.id = 1 THEN DELETE WHEN MATCHED THEN UPDATE SET a = 'm'");
    assert_string_equal(capture_since(w, "t", from),
        "(1|one|10) > -\n(2|two|20) > (2|m|21)\n(3|three|30) > (3|three|31)\n");
}

/* A table without triggers is captured by statement. */
static void a_trigger_that_is_made_later_hides_nothing(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    const char *from = capture_begin(w, "p", T);
    make_trigger(w, "AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH ROW", ADDS_TO_ALL);
    contract_do(w, "UPDATE t SET a = 'x', id = 11 WHERE id = 1");
    contract_do(w, "INSERT INTO t VALUES (4, 'four', 0), (5, 'five', 0)");
    contract_do(w, "DELETE FROM t WHERE id IN (3, 5)");
    const char *changes = "(1|one|10) > -\n(2|two|20) > (2|two|25)\n(3|three|30) > -\n"
                          "- > (11|x|15)\n- > (4|four|4)\n";
    assert_string_equal(capture_since(w, "t", from), changes);
    contract_do(w, "DROP TRIGGER f ON t");
    assert_string_equal(capture_broken(w, "t", "p"), "");
    assert_string_equal(capture_since(w, "t", from), changes);
}

/* ---- rows that are written before they are told ---- */

static void a_row_that_an_upsert_inserted_was_not_there(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(w, "AFTER UPDATE ON t FOR EACH ROW",
        "IF pg_trigger_depth() = 1 THEN UPDATE t SET n = n + 1 WHERE id = 4; END IF; RETURN NULL;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (3, 'drei', 1), (4, 'four', 2)"
                   " ON CONFLICT (id) DO UPDATE SET a = excluded.a");
    assert_string_equal(
        capture_since(w, "t", from), "(3|three|30) > (3|drei|30)\n- > (4|four|3)\n");
}

static void a_row_that_an_upsert_updated_has_its_first_image(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(
        w, "AFTER INSERT ON t FOR EACH ROW", "UPDATE t SET n = n + 1 WHERE id = 3; RETURN NULL;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (4, 'four', 2), (5, 'five', 2), (3, 'drei', 1)"
                   " ON CONFLICT (id) DO UPDATE SET a = excluded.a");
    assert_string_equal(capture_since(w, "t", from),
        "(3|three|30) > (3|drei|32)\n- > (4|four|2)\n- > (5|five|2)\n");
}

static void a_row_that_came_and_went_was_never_there(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(
        w, "AFTER DELETE ON t FOR EACH ROW", "DELETE FROM t WHERE id = OLD.id + 30; RETURN NULL;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "WITH gone AS (DELETE FROM t WHERE id = 3 RETURNING *)"
                   " INSERT INTO t SELECT id + 30, a, n FROM gone");
    assert_string_equal(capture_since(w, "t", from), "(3|three|30) > -\n");
}

/* Each row takes something from the one before it. */
static void before_triggers_write_rows_that_the_statement_has_written(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(w, "BEFORE INSERT OR UPDATE ON t FOR EACH ROW WHEN (pg_trigger_depth() = 0)",
        "UPDATE t SET a = a || '-' WHERE id = NEW.id - 1; RETURN NEW;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (4, 'four', 4), (5, 'five', 5), (6, 'six', 6)");
    assert_string_equal(capture_since(w, "t", from),
        "(3|three|30) > (3|three-|30)\n- > (4|four-|4)\n- > (5|five-|5)\n- > (6|six|6)\n");
    from = capture_position(w, T);
    contract_do(w, "UPDATE t SET id = id + 10 WHERE id > 4");
    assert_string_equal(capture_since(w, "t", from),
        "(5|five-|5) > -\n(6|six|6) > -\n- > (15|five--|5)\n- > (16|six|6)\n");
}

/* The trigger's statement is a part of the transaction with a number of its own; so may be the
 * other. */
static void parts_of_a_transaction_are_told_apart(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(w, "BEFORE INSERT ON t FOR EACH ROW",
        "BEGIN UPDATE t SET a = 'x' WHERE id = NEW.id - 1;"
        " EXCEPTION WHEN division_by_zero THEN NULL; END; RETURN NEW;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "BEGIN; UPDATE t SET n = 0 WHERE id = 3; SAVEPOINT a;"
                   "INSERT INTO t VALUES (4, 'four', 1), (5, 'five', 1); RELEASE a;"
                   "UPDATE t SET n = 2 WHERE id > 3; COMMIT");
    assert_string_equal(
        capture_since(w, "t", from), "(3|three|30) > (3|x|0)\n- > (4|x|2)\n- > (5|five|2)\n");
}

static void a_key_that_moved_and_left_again_was_free(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    contract_do(w,
        "CREATE TABLE c (id integer PRIMARY KEY, r integer REFERENCES t ON UPDATE CASCADE);"
        " INSERT INTO c VALUES (1, 1), (2, 2)");
    make_trigger(w, "BEFORE UPDATE ON c FOR EACH ROW",
        "IF OLD.r = 1 THEN UPDATE t SET n = n + 1 WHERE id = NEW.r;"
        " ELSE UPDATE t SET id = 50 WHERE id = 13; DELETE FROM t WHERE id = 50; END IF;"
        " RETURN NEW;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET id = id + 10");
    assert_string_equal(capture_since(w, "t", from),
        "(1|one|10) > -\n(2|two|20) > -\n(3|three|30) > -\n- > (11|one|11)\n- > (12|two|20)\n");
}

/* By batch, and by statement: the trigger is there when the capture begins, or comes later. */
static void keys_that_a_trigger_moves_are_told_right(void **state)
{
    contract_world *w = *state;
    for (int later = 0; later < 2; later++) {
        pg_capture_make_t(w);
        make_function(w, "IF pg_trigger_depth() = 1 THEN UPDATE t SET id = id - 1;"
                         " UPDATE t SET id = 20 WHERE id = 2; END IF; RETURN NULL;");
        const char *make =
            "CREATE TRIGGER f AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()";
        if (!later)
            contract_do(w, make);
        const char *from = capture_begin(w, "p", T);
        if (later)
            contract_do(w, make);
        contract_do(w, "INSERT INTO t VALUES (9, 'nine', 90)");
        assert_string_equal(capture_since(w, "t", from),
            "(1|one|10) > (1|two|20)\n(2|two|20) > -\n(3|three|30) > -\n"
            "- > (0|one|10)\n- > (20|three|30)\n- > (8|nine|90)\n");
        capture_end(w, "p");
        contract_do(w, "DROP TABLE t; DROP FUNCTION f()");
    }
}

/* By batch the trigger fires at the first row of the nested statement, whose key stays. */
static void a_key_that_a_trigger_moves_after_a_row_that_stays_is_told(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(w, "AFTER INSERT ON t FOR EACH STATEMENT",
        "IF pg_trigger_depth() = 1 THEN UPDATE t SET id = CASE WHEN id > 1 THEN id + 18 ELSE id "
        "END;"
        " UPDATE t SET n = n + 1; END IF; RETURN NULL;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (9, 'nine', 90)");
    assert_string_equal(capture_since(w, "t", from),
        "(1|one|10) > (1|one|11)\n(2|two|20) > -\n(3|three|30) > -\n"
        "- > (20|two|21)\n- > (21|three|31)\n- > (27|nine|91)\n");
}

/* Each time as a part of the transaction of its own, which is all that tells who made the row. */
static void a_row_that_several_parts_wrote_again_has_its_first_image(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_function(w, "IF pg_trigger_depth() = 1 THEN BEGIN"
                     " UPDATE t SET n = n + 1 WHERE id = TG_ARGV[0]::integer;"
                     " EXCEPTION WHEN division_by_zero THEN NULL; END; END IF; RETURN NEW;");
    contract_do(w, "CREATE TRIGGER i BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id > 4)"
                   " EXECUTE FUNCTION f(4)");
    contract_do(w, "CREATE TRIGGER u BEFORE UPDATE ON t FOR EACH ROW WHEN (OLD.id > 1)"
                   " EXECUTE FUNCTION f(1)");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (4, 'four', 4), (5, 'five', 5), (6, 'six', 6)");
    contract_do(w, "UPDATE t SET a = 'x' WHERE id < 4");
    assert_string_equal(capture_since(w, "t", from),
        "(1|one|10) > (1|x|12)\n(2|two|20) > (2|x|20)\n(3|three|30) > (3|x|30)\n"
        "- > (4|four|6)\n- > (5|five|5)\n- > (6|six|6)\n");
}

/* The row that the statement wrote goes, and another one comes in its place. */
static void a_row_that_a_trigger_replaces_has_its_first_image(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(w, "BEFORE UPDATE ON t FOR EACH ROW WHEN (OLD.id = 2)",
        "DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 'new', 0); RETURN NEW;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET a = 'x'");
    assert_string_equal(capture_since(w, "t", from),
        "(1|one|10) > (1|new|0)\n(2|two|20) > (2|x|20)\n(3|three|30) > (3|x|30)\n");
}

static void a_row_that_came_and_went_in_the_place_of_another_was_never_there(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(w, "BEFORE DELETE ON t FOR EACH ROW WHEN (OLD.id = 2)",
        "INSERT INTO t VALUES (1, 'new', 0); UPDATE t SET n = 7 WHERE id = 1;"
        " DELETE FROM t WHERE id = 1; RETURN OLD;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "DELETE FROM t WHERE id < 3");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > -\n(2|two|20) > -\n");
}

static void a_key_that_was_used_by_two_transactions_was_free(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(w, "BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id = 5)",
        "UPDATE t SET n = n + 1 WHERE id = 4; RETURN NEW;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "BEGIN; INSERT INTO t VALUES (4, 'four', 4), (5, 'five', 5);"
                   "DELETE FROM t WHERE id = 4; DELETE FROM t WHERE id = 5; COMMIT");
    contract_do(w, "INSERT INTO t VALUES (4, 'four', 4), (5, 'five', 5)");
    assert_string_equal(capture_since(w, "t", from), "- > (4|four|5)\n- > (5|five|5)\n");
}

static void a_key_that_a_trigger_used_before_its_statement_was_free(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(w, "BEFORE INSERT ON t FOR EACH ROW WHEN (pg_trigger_depth() = 0)",
        "IF NEW.id = 5 THEN UPDATE t SET n = n + 1 WHERE id = 4;"
        " ELSE INSERT INTO t VALUES (4, 'new', 0); DELETE FROM t WHERE id = 4; END IF;"
        " RETURN NEW;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (4, 'four', 4), (5, 'five', 5)");
    assert_string_equal(capture_since(w, "t", from), "- > (4|four|5)\n- > (5|five|5)\n");
}

/* Before ours tells that it left: of what an action writes, ours are told last of all. */
static void a_key_that_left_and_is_used_again_has_its_first_image(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    contract_do(w, "CREATE TABLE p (id integer PRIMARY KEY); INSERT INTO p VALUES (1), (2);"
                   "ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES p ON UPDATE CASCADE NOT VALID");
    make_trigger(w, "AFTER UPDATE ON p FOR EACH ROW",
        "INSERT INTO p VALUES (OLD.id); INSERT INTO t VALUES (OLD.id, 'new', 0);"
        " UPDATE t SET n = n + 1 WHERE id = 2; RETURN NULL;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE p SET id = id + 10");
    contract_do(w, "DELETE FROM t WHERE id = 2");
    assert_string_equal(capture_since(w, "t", from),
        "(1|one|10) > (1|new|0)\n(2|two|20) > -\n- > (11|one|10)\n- > (12|two|21)\n");
}

/* The key left, another row came to it, and that is gone before ours counts. */
static void a_key_that_moved_and_went_again_was_taken(void **state)
{
    contract_world *w = *state;
    pg_capture_make_t(w);
    make_trigger(w, "BEFORE UPDATE ON t FOR EACH ROW WHEN (OLD.id = 3)",
        "DELETE FROM t WHERE id = 1; RETURN NEW;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET id = id - 1");
    assert_string_equal(capture_since(w, "t", from),
        "(1|one|10) > -\n(2|two|20) > (2|three|30)\n(3|three|30) > -\n- > (0|one|10)\n");
}

/* ---- the same, row by row ---- */

/* An update and a delete may meet in a row: t is captured row by row. */
static void make_tree(contract_world *w)
{
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer, s text);"
                   "INSERT INTO t VALUES (1, NULL, NULL, 'x'), (2, NULL, NULL, 'y');"
                   "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES t ON DELETE CASCADE"
                   " DEFERRABLE INITIALLY DEFERRED;"
                   "ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES t ON DELETE CASCADE"
                   " ON UPDATE CASCADE");
}

static void a_row_of_the_same_insert_that_a_trigger_removes_was_never_there(void **state)
{
    contract_world *w = *state;
    make_tree(w);
    make_trigger(
        w, "AFTER INSERT ON t FOR EACH ROW", "DELETE FROM t WHERE id = NEW.b; RETURN NULL;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (9, 8, 8, 'n'), (8, 8, 9, 'm')");
    assert_string_equal(capture_since(w, "t", from), "");
}

static void a_row_of_the_same_update_that_a_trigger_removes_has_its_first_image(void **state)
{
    contract_world *w = *state;
    make_tree(w);
    make_trigger(w, "AFTER UPDATE ON t FOR EACH ROW", "DELETE FROM t WHERE id = 2; RETURN NULL;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET s = s || '!', a = 1");
    assert_string_equal(capture_since(w, "t", from), "(1|~|~|x) > (1|1|~|x!)\n(2|~|~|y) > -\n");
}

/* What another transaction made is not of this one, though its number is higher. */
static void a_row_that_others_wrote_in_between_has_their_image(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, n integer) PARTITION BY RANGE (id);"
                   "CREATE TABLE t1 PARTITION OF t DEFAULT; INSERT INTO t VALUES (1, 0), (2, 0)");
    make_trigger(w, "BEFORE UPDATE ON t FOR EACH ROW WHEN (pg_trigger_depth() = 0)",
        "UPDATE t SET n = n + 100 WHERE id = NEW.id - 1; RETURN NEW;");
    (void)capture_begin(w, "p", T);
    bo_conn *other = pg_capture_super(w);
    contract_do(w, "BEGIN; INSERT INTO t VALUES (9, 0)");
    pg_do(other, "SET session_replication_role = replica; UPDATE t SET n = 5");
    bo_conn_free(other);
    const char *from = capture_position(w, T);
    contract_do(w, "UPDATE t SET n = n + 1 WHERE id < 3; COMMIT");
    assert_string_equal(capture_since(w, "t", from), "(1|5) > (1|106)\n(2|5) > (2|6)\n- > (9|0)\n");
}

static void a_row_of_the_same_update_that_an_action_changes_had_another_key(void **state)
{
    contract_world *w = *state;
    make_tree(w);
    contract_do(w, "CREATE TABLE log (id integer PRIMARY KEY REFERENCES t ON UPDATE CASCADE);"
                   "UPDATE t SET b = 1 WHERE id = 2; ALTER TABLE t DROP CONSTRAINT t_a_fkey");
    make_trigger(w, "AFTER UPDATE ON log FOR EACH ROW", "RETURN NULL;");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET id = id + 40");
    assert_string_equal(capture_since(w, "t", from),
        "(1|~|~|x) > -\n(2|~|1|y) > -\n- > (41|~|~|x)\n- > (42|~|41|y)\n");
}

CONTRACT_MAIN("pg_capture_triggers",
    CONTRACT_TEST(a_trigger_that_writes_the_row_again_does_not_hide_what_was),
    CONTRACT_TEST(a_trigger_of_a_statement_writes_after_all_that_the_statement_wrote),
    CONTRACT_TEST(a_trigger_of_a_delete_writes_after_all_that_merge_wrote),
    CONTRACT_TEST(a_trigger_that_is_made_later_hides_nothing),
    CONTRACT_TEST(a_row_that_an_upsert_inserted_was_not_there),
    CONTRACT_TEST(a_row_that_an_upsert_updated_has_its_first_image),
    CONTRACT_TEST(a_row_that_came_and_went_was_never_there),
    CONTRACT_TEST(before_triggers_write_rows_that_the_statement_has_written),
    CONTRACT_TEST(parts_of_a_transaction_are_told_apart),
    CONTRACT_TEST(a_key_that_moved_and_left_again_was_free),
    CONTRACT_TEST(keys_that_a_trigger_moves_are_told_right),
    CONTRACT_TEST(a_key_that_a_trigger_moves_after_a_row_that_stays_is_told),
    CONTRACT_TEST(a_row_that_several_parts_wrote_again_has_its_first_image),
    CONTRACT_TEST(a_row_that_a_trigger_replaces_has_its_first_image),
    CONTRACT_TEST(a_row_that_came_and_went_in_the_place_of_another_was_never_there),
    CONTRACT_TEST(a_key_that_was_used_by_two_transactions_was_free),
    CONTRACT_TEST(a_key_that_a_trigger_used_before_its_statement_was_free),
    CONTRACT_TEST(a_key_that_left_and_is_used_again_has_its_first_image),
    CONTRACT_TEST(a_key_that_moved_and_went_again_was_taken),
    CONTRACT_TEST(a_row_of_the_same_insert_that_a_trigger_removes_was_never_there),
    CONTRACT_TEST(a_row_of_the_same_update_that_a_trigger_removes_has_its_first_image),
    CONTRACT_TEST(a_row_that_others_wrote_in_between_has_their_image),
    CONTRACT_TEST(a_row_of_the_same_update_that_an_action_changes_had_another_key))
