/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_capture_parts.c - PostgreSQL: partitions and tables that inherit,
 * captured. */
#include "contract/pg_capture_world.h"

#include <stdlib.h>
#include <string.h>

#define T PG_NAMES("t")

static void partitions_are_captured_whichever_way_they_are_written(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET a = upper(a) WHERE id = 1; UPDATE t2 SET a = 'direct';"
                   "INSERT INTO tn VALUES (5, 3, 'e'); DELETE FROM t3 WHERE id = 3;"
                   "UPDATE t SET part = 2 WHERE id = 4");
    assert_string_equal(capture_since(w, "t", from),
        "(1|1|a) > (1|1|A)\n(2|2|b) > (2|2|direct)\n(3|3|c) > -\n(4|1|d) > -\n- > (4|2|d)\n"
        "- > (5|3|e)\n");
    from = capture_position(w, T);
    contract_do(w, "TRUNCATE t2");
    assert_string_equal(capture_since(w, "t", from), "(2|2|direct) > -\n(4|2|d) > -\n");
    from = capture_position(w, T);
    contract_do(w, "TRUNCATE t");
    assert_string_equal(capture_since(w, "t", from), "(1|1|A) > -\n(5|3|e) > -\n");
    assert_string_equal(capture_broken(w, "t", "p"), "");
    capture_end(w, "p");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM pg_trigger"), "0");
}

/* A server that moves rows by MERGE; it has them in no transition table.  Rows are met in the order
 * of the source. */
static bool can_merge(contract_world *w)
{
    if (atoi(contract_ask(w, "SHOW server_version_num")) < 150000)
        return false;
    contract_do(w, "SET enable_hashjoin = off; SET enable_mergejoin = off");
    return true;
}

/* Rows (id, part, new id, new part). */
#define MERGE(rows)                                                   \
    "MERGE INTO t USING (VALUES " rows ") AS s (id, part, k, target)" \
    " ON t.id = s.id AND t.part = s.part"
#define MOVES " WHEN MATCHED THEN UPDATE SET id = s.k, part = s.target"

static void rows_that_merge_moves_to_another_partition_are_captured(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    if (!can_merge(w))
        return;
    const char *from = capture_begin(w, "p", T);
    contract_do(w, MERGE("(1, 1, 1, 1), (4, 1, 4, 2)") MOVES ", a = upper(t.a)");
    assert_string_equal(
        capture_since(w, "t", from), "(1|1|a) > (1|1|A)\n(4|1|d) > -\n- > (4|2|D)\n");
    from = capture_position(w, T);
    contract_do(w, "INSERT INTO t VALUES (9, 1, 'n'); UPDATE t SET a = 'm' WHERE id = 9;"
                   "DELETE FROM t WHERE id = 9");
    assert_string_equal(capture_journal(w, "t", from), "I (9|1)\nU (9|1)\nD (9|1)\n");
    capture_end(w, "p");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM pg_trigger"), "0");
}

static void rows_that_merge_moves_take_the_places_of_others(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    if (!can_merge(w))
        return;
    const char *from = capture_begin(w, "p", T);
    contract_do(w, MERGE("(2, 2, 8, 2), (1, 1, 2, 2), (4, 1, 1, 1)") MOVES);
    assert_string_equal(capture_since(w, "t", from),
        "(1|1|a) > (1|1|d)\n(2|2|b) > (2|2|a)\n(4|1|d) > -\n- > (8|2|b)\n");
    from = capture_position(w, T);
    contract_do(w,
        MERGE("(2, 2, 0, 0), (1, 1, 2, 2), (5, 1, 5, 1), (3, 3, 1, 1)") " WHEN MATCHED AND s.k = 0 "
                                                                        "THEN DELETE" MOVES
                                                                        " WHEN NOT MATCHED THEN "
                                                                        "INSERT VALUES (s.id, "
                                                                        "s.part, 'new')");
    assert_string_equal(capture_since(w, "t", from),
        "(1|1|d) > (1|1|c)\n(2|2|a) > (2|2|d)\n(3|3|c) > -\n- > (5|1|new)\n");
}

static void what_a_statement_moved_before_it_failed_is_forgotten(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    if (!can_merge(w))
        return;
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "BEGIN; DO $$ BEGIN " MERGE("(1, 1, 1, 2), (4, 1, 2, 2)") MOVES
        "; RAISE 'moved'; EXCEPTION WHEN unique_violation THEN NULL; END $$;"
        "INSERT INTO t VALUES (9, 1, 'n'); UPDATE t SET a = 'm' WHERE id = 9; COMMIT");
    assert_string_equal(capture_journal(w, "t", from), "I (9|1)\nU (9|1)\n");
}

static void what_no_statement_moves_is_told_once(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (1, 1, 'u'), (9, 1, 'n') ON CONFLICT (part, id)"
                   " DO UPDATE SET a = EXCLUDED.a");
    assert_string_equal(capture_journal(w, "t", from), "U (1|1)\nI (9|1)\n");
    from = capture_position(w, T);
    contract_do(w, "DELETE FROM t WHERE id = 9; INSERT INTO t VALUES (9, 1, 'n')");
    assert_string_equal(capture_journal(w, "t", from), "D (9|1)\nI (9|1)\n");
}

/* Rows of one statement are told apart by their numbers where not all that was written is meant. */
static void rows_beside_those_that_move_are_told_one_by_one(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET a = 'x' WHERE id = 1");
    contract_do(w, "UPDATE t SET a = 'y', part = CASE id WHEN 4 THEN 2 ELSE part END");
    const char *to = capture_position(w, T);
    contract_do(w, "UPDATE t SET a = 'later' WHERE id = 3");
    assert_string_equal(capture_changes(w, "t", &(bo_journal_filter){.from = from, .to = to}),
        "(1|1|a) > (1|1|y)\n(2|2|b) > (2|2|y)\n(3|3|c) > (3|3|y)\n(4|1|d) > -\n- > (4|2|y)\n");
}

static void rows_that_move_beside_an_update_of_a_partition_are_told_after_it(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "SET enable_hashjoin = off; SET enable_mergejoin = off;"
                   "WITH g AS (UPDATE t2 SET a = 'z' RETURNING id) UPDATE t SET part = 1, id = k"
                   " FROM g CROSS JOIN LATERAL (SELECT s.*, g.id FROM (VALUES (1, 8), (3, 1))"
                   " AS s (was, k) OFFSET 0) AS s WHERE t.id = was");
    assert_string_equal(capture_since(w, "t", from),
        "(1|1|a) > (1|1|c)\n(2|2|b) > (2|2|z)\n(3|3|c) > -\n- > (8|1|a)\n");
}

/* Its transition tables of deleted rows have those that moved, too. */
static void a_row_that_came_before_merge_moves_some_and_deletes_others_was_not_there(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    if (!can_merge(w))
        return;
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "BEGIN; INSERT INTO t VALUES (2, 1, 'n'); " MERGE(
                       "(2, 1, 2, 3), (4, 1, 2, 1), (3, 3, 0, 0)") " WHEN MATCHED AND s.k = 0 THEN"
                                                                   " DELETE" MOVES "; COMMIT");
    assert_string_equal(
        capture_since(w, "t", from), "(3|3|c) > -\n(4|1|d) > -\n- > (2|1|d)\n- > (2|3|n)\n");
}

/* The server gives triggers the inserted row as the new one of the next row that is updated. */
static void a_key_that_merge_changes_after_it_inserted_a_row_is_captured(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    if (!can_merge(w))
        return;
    const char *from = capture_begin(w, "p", T);
    contract_do(w, MERGE("(9, 1, 9, 1), (4, 1, 8, 1)") MOVES " WHEN NOT MATCHED THEN INSERT"
                                                             " VALUES (s.id, s.part, 'new')");
    assert_string_equal(capture_since(w, "t", from), "(4|1|d) > -\n- > (8|1|d)\n- > (9|1|new)\n");
}

static void a_partition_that_comes_or_goes_ends_the_capture(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    if (!strstr(capture_coverage(w, "t", BO_COVERED_WITH_LIMITS), "partition"))
        fail_msg("the limit is not said");
    capture_begin(w, "p", T);
    contract_do(w, "CREATE TABLE t5 PARTITION OF t FOR VALUES IN (5)");
    capture_expect_broken(w, "t", "t5 came");
    contract_do(
        w, "INSERT INTO t VALUES (1, 5, 'x'); DROP TABLE t5; ALTER TABLE t DETACH PARTITION t1");
    capture_expect_broken(w, "t", "t1 went");
    contract_do(w, "INSERT INTO t1 VALUES (8, 1, 'x'); UPDATE t SET a = 'y'");
    capture_end(w, "p");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM pg_trigger"), "0");
}

static void writers_go_on_after_they_altered_the_table_in_their_transaction(void **state)
{
    static const char *const changes[] = {"ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t DROP COLUMN a", "ALTER TABLE t ALTER COLUMN a TYPE varchar(9)"};
    for (size_t i = 0; i < 2 * sizeof changes / sizeof *changes; i++) {
        contract_world *w = *state;
        pg_capture_make_parts(w);
        const char *from = capture_begin(w, "p", i % 2 ? PG_NAMES("t1") : T);
        contract_do(w, "BEGIN; UPDATE t SET part = 2 WHERE id = 1; UPDATE t SET a = 'x'");
        contract_do(w, "SAVEPOINT s");
        contract_do(w, changes[i / 2]);
        contract_do(w, "UPDATE t SET part = 2 WHERE id = 4; UPDATE t SET id = 9 WHERE id = 1;"
                       "INSERT INTO t (id, part) VALUES (7, 1); DELETE FROM t WHERE id = 7;"
                       "ROLLBACK TO SAVEPOINT s; UPDATE t SET a = 'y' WHERE id = 4; COMMIT");
        assert_string_equal(capture_since(w, i % 2 ? "t1" : "t", from),
            i % 2 ? "(1|1|a) > -\n(4|1|d) > (4|1|y)\n"
                  : "(1|1|a) > -\n(2|2|b) > (2|2|x)\n(3|3|c) > (3|3|x)\n(4|1|d) > (4|1|y)\n"
                    "- > (1|2|x)\n");
        capture_end(w, "p");
        contract_do(w, "DROP TABLE t");
    }
}

static void a_function_that_resets_settings_hides_nothing(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    if (!can_merge(w))
        return;
    contract_do(w, "CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS"
                   " $$ BEGIN RESET ALL; RETURN 2; END $$");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, MERGE("(1, 1, 1, 2)") " WHEN MATCHED THEN UPDATE SET part = f()");
    assert_string_equal(contract_ask(w, "SELECT part FROM t WHERE id = 1"), "2");
    assert_string_equal(capture_since(w, "t", from), "(1|1|a) > -\n- > (1|2|a)\n");
}

static void a_partition_is_captured_by_itself(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    const char *all = capture_begin(w, "all", T);
    const char *from = capture_begin(w, "p", PG_NAMES("t1"));
    contract_do(w, "UPDATE t SET a = 'x'; UPDATE t1 SET id = id - 1; DELETE FROM t WHERE id = 3;"
                   "UPDATE t SET part = 2 WHERE id = 0");
    assert_string_equal(capture_since(w, "t1", from), "(1|1|a) > -\n(4|1|d) > -\n");
    assert_string_equal(capture_since(w, "t", all),
        "(1|1|a) > -\n(2|2|b) > (2|2|x)\n(3|3|c) > -\n(4|1|d) > -\n- > (0|2|x)\n");
}

static void a_family_of_tables_is_captured_row_by_row(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE base (id integer PRIMARY KEY, a text);"
        "CREATE TABLE t (extra integer, PRIMARY KEY (id)) INHERITS (base);"
        "INSERT INTO base VALUES (1, 'base'); INSERT INTO t VALUES (2, 'b', 0), (3, 'c', 0),"
        " (4, 'd', 0)");
    const char *from = capture_begin(w, "p", PG_NAMES("base", "t"));
    contract_do(w, "UPDATE base SET a = upper(a) WHERE id < 3; DELETE FROM base WHERE id = 4");
    assert_string_equal(capture_since(w, "base", from), "(1|base) > (1|BASE)\n");
    assert_string_equal(capture_since(w, "t", from), "(2|b|0) > (2|B|0)\n(4|d|0) > -\n");
    from = capture_position(w, T);
    contract_do(w, "UPDATE base SET id = id - 1 WHERE id > 1");
    assert_string_equal(
        capture_since(w, "t", from), "(2|B|0) > (2|c|0)\n(3|c|0) > -\n- > (1|B|0)\n");
    from = capture_position(w, T);
    contract_do(w, "TRUNCATE base");
    assert_string_equal(capture_since(w, "t", from), "(1|B|0) > -\n(2|c|0) > -\n");
    assert_string_equal(capture_broken(w, "t", "p"), "");
    contract_do(w, "ALTER TABLE t DROP COLUMN extra; INSERT INTO t VALUES (9, 'n');"
                   "UPDATE base SET id = 10, a = 'x'; DELETE FROM base");
    capture_expect_broken(w, "t", "extra");
}

/* Its name is behind that of ours, which sees the row before it does. */
static void a_trigger_that_moves_the_key_last_of_all_hides_nothing(void **state)
{
    contract_world *w = *state;
    pg_capture_make_parts(w);
    contract_do(w, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                   " NEW.id = NEW.id + 100; RETURN NEW; END $$;"
                   "CREATE TRIGGER \"~c\" BEFORE UPDATE ON t1 FOR EACH ROW EXECUTE FUNCTION f()");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET a = 'x' WHERE part = 1");
    assert_string_equal(
        capture_since(w, "t", from), "(1|1|a) > -\n(4|1|d) > -\n- > (101|1|x)\n- > (104|1|x)\n");
}

/* A statement on an ancestor fires none of the table's statement triggers, which are all it has. */
static void an_ancestor_that_comes_and_goes_is_not_seen(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE base (id integer); CREATE TABLE t (id integer PRIMARY KEY, a text);"
        "INSERT INTO t VALUES (1, 'a'), (2, 'b')");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "ALTER TABLE t INHERIT base; UPDATE base SET id = 3 WHERE id = 1");
    capture_expect_broken(w, "t", "parent public.base came");
    contract_do(w, "ALTER TABLE t NO INHERIT base");
    assert_string_equal(capture_broken(w, "t", "p"), "");
    assert_string_equal(capture_since(w, "t", from), "");
}

CONTRACT_MAIN("pg_capture_parts",
    CONTRACT_TEST(partitions_are_captured_whichever_way_they_are_written),
    CONTRACT_TEST(rows_that_merge_moves_to_another_partition_are_captured),
    CONTRACT_TEST(rows_that_merge_moves_take_the_places_of_others),
    CONTRACT_TEST(what_a_statement_moved_before_it_failed_is_forgotten),
    CONTRACT_TEST(what_no_statement_moves_is_told_once),
    CONTRACT_TEST(rows_beside_those_that_move_are_told_one_by_one),
    CONTRACT_TEST(rows_that_move_beside_an_update_of_a_partition_are_told_after_it),
    CONTRACT_TEST(a_row_that_came_before_merge_moves_some_and_deletes_others_was_not_there),
    CONTRACT_TEST(a_key_that_merge_changes_after_it_inserted_a_row_is_captured),
    CONTRACT_TEST(a_partition_that_comes_or_goes_ends_the_capture),
    CONTRACT_TEST(writers_go_on_after_they_altered_the_table_in_their_transaction),
    CONTRACT_TEST(a_function_that_resets_settings_hides_nothing),
    CONTRACT_TEST(a_partition_is_captured_by_itself),
    CONTRACT_TEST(a_family_of_tables_is_captured_row_by_row),
    CONTRACT_TEST(a_trigger_that_moves_the_key_last_of_all_hides_nothing),
    CONTRACT_TEST(an_ancestor_that_comes_and_goes_is_not_seen))
