/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/test_my_capture_closure.c - MariaDB: foreign keys, which fire no triggers: what
 * they carry on is captured as far as the engine goes.
 */
#include "contract/my_capture_world.h"
#include "contract/my_net.h"

#include <stdlib.h>
#include <string.h>

static void three_levels_of_composite_keys_are_told(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE a (x int, y int, n int, PRIMARY KEY (x, y));"
        "CREATE TABLE b (x int, y int, z int, PRIMARY KEY (x, y, z), FOREIGN KEY (x, y)"
        " REFERENCES a (x, y) ON DELETE CASCADE ON UPDATE CASCADE);"
        "CREATE TABLE c (id int PRIMARY KEY, x int, y int, z int, FOREIGN KEY (x, y, z)"
        " REFERENCES b (x, y, z) ON DELETE CASCADE ON UPDATE CASCADE, UNIQUE (id, x, y));"
        "CREATE TABLE d (c int, x int, y int, i int, PRIMARY KEY (i, y), FOREIGN KEY (c, x, y)"
        " REFERENCES c (id, x, y) ON DELETE CASCADE ON UPDATE CASCADE)");
    contract_do(w, "INSERT INTO a VALUES (1, 1, 0), (1, 2, 0), (2, 1, 0);"
                   "INSERT INTO b SELECT x, y, seq FROM a, seq_1_to_3;"
                   "INSERT INTO c SELECT x * 100 + y * 10 + z, x, y, z FROM b;"
                   "INSERT INTO d SELECT id, x, y, id * 10 + seq FROM c, seq_1_to_2");
    watched all = watch_begin(w, PG_NAMES("a", "b", "c", "d"));
    contract_do(w, "DELETE FROM a WHERE x = 1 AND y = 1");
    contract_do(w, "UPDATE a SET y = 7 WHERE y = 2");
    contract_do(w, "UPDATE a SET n = 1");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM d WHERE y = 7"), "6");
    watch_end(&all);
}

static void trees_and_rings_are_told_as_deep_as_the_engine_goes(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE e (id int PRIMARY KEY, up int, boss int, FOREIGN KEY (up) REFERENCES e (id)"
        " ON DELETE CASCADE, FOREIGN KEY (boss) REFERENCES e (id) ON DELETE SET NULL);"
        "INSERT INTO e VALUES (1, NULL, NULL);"
        "INSERT INTO e SELECT seq, seq - 1, 1 + seq DIV 2 FROM seq_2_to_15;"
        "INSERT INTO e SELECT seq, seq - 15, NULL FROM seq_16_to_29");
    contract_do(w, "CREATE TABLE r (id int PRIMARY KEY, s int);"
                   "CREATE TABLE s (id int PRIMARY KEY, r int, FOREIGN KEY (r) REFERENCES r (id)"
                   " ON DELETE CASCADE);"
                   "ALTER TABLE r ADD FOREIGN KEY (s) REFERENCES s (id) ON DELETE CASCADE;"
                   "INSERT INTO r VALUES (1, NULL), (2, NULL), (3, NULL), (9, NULL);"
                   "INSERT INTO s VALUES (1, 1), (2, 2), (3, 3);"
                   "UPDATE r SET s = id - 1 WHERE id IN (2, 3); UPDATE r SET s = 3 WHERE id = 1");
    watched all = watch_begin(w, PG_NAMES("e", "r", "s"));
    contract_do(w, "DELETE FROM e WHERE id = 5");
    contract_do(w, "DELETE FROM r WHERE id = 2");
    watch_end(&all);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM r"), "1");
}

static void a_column_set_to_null_carries_on(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE a (id int PRIMARY KEY);"
        "CREATE TABLE b (id int PRIMARY KEY, a int, UNIQUE (a), FOREIGN KEY (a) REFERENCES a (id)"
        " ON DELETE SET NULL ON UPDATE CASCADE);"
        "CREATE TABLE c (id int PRIMARY KEY, b int, FOREIGN KEY (b) REFERENCES b (a)"
        " ON DELETE CASCADE ON UPDATE CASCADE);"
        "CREATE TABLE d (id int PRIMARY KEY, b int, FOREIGN KEY (b) REFERENCES b (a)"
        " ON DELETE CASCADE ON UPDATE SET NULL);"
        "INSERT INTO a VALUES (1), (2), (3); INSERT INTO b VALUES (11, 1), (12, 2), (13, 3);"
        "INSERT INTO c VALUES (21, 1), (22, 2); INSERT INTO d VALUES (31, 1), (32, 2), (33, 3)");
    watched all = watch_begin(w, PG_NAMES("a", "b", "c", "d"));
    contract_do(w, "DELETE FROM a WHERE id = 1; UPDATE a SET id = 9 WHERE id = 2;"
                   "DELETE FROM b WHERE a = 3");
    watch_end(&all);
}

static void a_reference_that_changes_only_its_letters_is_told(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE a (k varchar(9) COLLATE utf8mb4_general_ci PRIMARY KEY);"
                   "CREATE TABLE b (k varchar(9) COLLATE utf8mb4_general_ci PRIMARY KEY, n int,"
                   " FOREIGN KEY (k) REFERENCES a (k) ON UPDATE CASCADE);"
                   "INSERT INTO a VALUES ('abc'); INSERT INTO b VALUES ('abc', 1)");
    watched all = watch_begin(w, PG_NAMES("a", "b"));
    contract_do(w, "UPDATE a SET k = 'ABC'");
    assert_string_equal(capture_since(w, "b", all.from), "(abc|1) > (ABC|1)\n");
    watch_end(&all);
}

static void a_table_that_rows_go_from_must_be_captured_as_well(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w,
        "CREATE TABLE a (id int PRIMARY KEY);"
        "CREATE TABLE child (id int PRIMARY KEY, a int, FOREIGN KEY (a) REFERENCES a (id)"
        " ON DELETE CASCADE)");
    const bo_table *a = contract_table(w, "a");
    assert_int_equal(w->driver->capture->begin(w->conn, &a, 1, "p", &err), BO_UNSUPPORTED);
    assert_non_null(strstr(err.text, "'child'"));
    assert_string_equal(capture_list(w), "");
}

static void a_table_whose_rows_take_others_along_is_watched(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE top (id int PRIMARY KEY);"
        "CREATE TABLE middle (id int PRIMARY KEY, top int, FOREIGN KEY (top) REFERENCES top (id)"
        " ON DELETE CASCADE ON UPDATE CASCADE);"
        "CREATE TABLE low (id int PRIMARY KEY, middle int, FOREIGN KEY (middle) REFERENCES"
        " middle (id) ON DELETE SET NULL);"
        "INSERT INTO top VALUES (1), (2), (3); INSERT INTO middle VALUES (11, 1), (12, 2), (13, 3);"
        "INSERT INTO low VALUES (111, 11), (112, 12), (113, 13)");
    watched low = watch_begin(w, PG_NAMES("low"));
    assert_string_equal(capture_list(w), "p low\n");
    contract_do(w, "DELETE FROM top WHERE id = 1; DELETE FROM middle WHERE id = 12");
    assert_string_equal(
        capture_since(w, "low", low.from), "(111|11) > (111|~)\n(112|12) > (112|~)\n");
    watch_check(&low);
    contract_do(w, "DROP TRIGGER backout_3_bd");
    assert_non_null(strstr(capture_broken(w, "low", "p"), "backout_3_bd"));
    const char *from = capture_begin(w, "q", PG_NAMES("low"));
    contract_do(w, "DELETE FROM top WHERE id = 3");
    assert_string_equal(capture_since(w, "low", from), "(113|13) > (113|~)\n");
    assert_string_equal(capture_broken(w, "low", "q"), "");
    capture_end(w, "q");
    for (unsigned i = 0; i < low.count; i++)
        watch_free(low.was[i]);
}

/* Twice to itself, fifteen levels deep: more than a trigger can follow. */
static void a_table_below_too_many_ways_is_not_captured(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE top (id int PRIMARY KEY, a int, b int,"
        " FOREIGN KEY (a) REFERENCES top (id) ON DELETE CASCADE,"
        " FOREIGN KEY (b) REFERENCES top (id) ON DELETE CASCADE);"
        "CREATE TABLE low (id int PRIMARY KEY, top int, FOREIGN KEY (top) REFERENCES top (id)"
        " ON DELETE CASCADE)");
    assert_non_null(strstr(capture_coverage(w, "top", BO_UNCOVERED), "200 ways"));
    assert_non_null(strstr(capture_coverage(w, "low", BO_UNCOVERED), "200 ways"));
}

static void a_foreign_key_that_is_new_breaks_the_capture(void **state)
{
    contract_world *w = *state;
    contract_do(
        w, "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int)");
    capture_begin(w, "p", PG_NAMES("a", "b"));
    contract_do(w, "ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a (id) ON DELETE RESTRICT");
    assert_string_equal(capture_broken(w, "b", "p"), "");
    contract_do(w, "ALTER TABLE b ADD FOREIGN KEY (id) REFERENCES a (id) ON DELETE CASCADE");
    assert_string_not_equal(capture_broken(w, "a", "p"), "");
    assert_string_not_equal(capture_broken(w, "b", "p"), "");
}

static void an_index_that_goes_stops_no_writer(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE a (id int PRIMARY KEY);"
                   "CREATE TABLE b (id int PRIMARY KEY, a int, KEY named (a), FOREIGN KEY (a)"
                   " REFERENCES a (id) ON DELETE CASCADE);"
                   "INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (11, 1), (12, 2)");
    const char *from = capture_begin(w, "p", PG_NAMES("a", "b"));
    contract_do(w, "ALTER TABLE b ADD INDEX a_first (a, id)");
    contract_do(w, "DELETE FROM a WHERE id = 1");
    assert_string_equal(capture_since(w, "b", from), "(11|1) > -\n");
    assert_string_equal(capture_broken(w, "a", "p"), "");
    contract_do(w, "ALTER TABLE b DROP INDEX named");
    contract_do(w, "DELETE FROM a WHERE id = 2");
    contract_do(w, "ALTER TABLE b ADD INDEX named (a)");
    assert_string_not_equal(capture_broken(w, "b", "p"), "");
}

static void tables_and_columns_that_change_stop_no_writer(void **state)
{
    contract_world *w = *state;
    static const struct {
        const char *change;
        const char *back;
    } cases[] = {
        {"ALTER TABLE b DROP COLUMN n", "ALTER TABLE b ADD COLUMN n int"},
        {"ALTER TABLE b RENAME COLUMN n TO m", "ALTER TABLE b RENAME COLUMN m TO n"},
        {"RENAME TABLE b TO moved", "RENAME TABLE moved TO b"},
        {"RENAME TABLE backout_journal_2 TO away", "RENAME TABLE away TO backout_journal_2"},
        {"RENAME TABLE backout_numbers_2 TO away", "RENAME TABLE away TO backout_numbers_2"},
        {"SET system_versioning_alter_history = KEEP; ALTER TABLE backout_journal_2 DROP COLUMN n",
            "SELECT 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        contract_do(w, "CREATE TABLE a (id int PRIMARY KEY);"
                       "CREATE TABLE b (id int PRIMARY KEY, a int, n int, FOREIGN KEY (a)"
                       " REFERENCES a (id) ON DELETE CASCADE);"
                       "INSERT INTO a VALUES (1), (2), (3);"
                       "INSERT INTO b VALUES (11, 1, 1), (12, 2, 2), (13, 3, 3)");
        capture_begin(w, "p", PG_NAMES("a", "b"));
        contract_do(w, cases[i].change);
        contract_do(w, i == 2 ? "DELETE FROM moved WHERE id = 13; UPDATE moved SET id = 20 WHERE id"
                                " = 12"
                              : "DELETE FROM b WHERE id = 13; UPDATE b SET id = 20 WHERE id = 12");
        contract_do(w, "DELETE FROM a WHERE id = 1; UPDATE a SET id = 7 WHERE id = 3");
        contract_do(w, cases[i].back);
        assert_string_not_equal(capture_broken(w, "b", "p"), "");
        capture_end(w, "p");
        assert_string_equal(capture_list(w), "");
        contract_do(w, "DROP TABLE b; DROP TABLE a");
    }
}

static void an_action_that_the_engine_did_not_take_is_not_told(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE a (x int PRIMARY KEY, n int);"
        "CREATE TABLE c (x int, z int, PRIMARY KEY (x, z), FOREIGN KEY (x) REFERENCES a (x)"
        " ON DELETE CASCADE ON UPDATE CASCADE);"
        "INSERT INTO a VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 5), (2, 6)");
    watched all = watch_begin(w, PG_NAMES("a", "c"));
    contract_do(w, "UPDATE IGNORE a SET x = 2 WHERE x = 1");
    assert_string_equal(capture_journal(w, "c", all.from), "C (1|5)\nI (2|5)\n");
    watch_check(&all);
    bo_error err = {0};
    contract_do(w, "INSERT INTO c VALUES (2, 5)");
    assert_int_equal(
        w->driver->exec(w->user, "UPDATE IGNORE a SET x = 2 WHERE x = 1", &err), BO_CONFLICT);
    contract_do(w, "SET foreign_key_checks = OFF; UPDATE a SET x = 3 WHERE x = 1;"
                   "DELETE FROM a WHERE x = 2; SET foreign_key_checks = ON");
    assert_string_equal(capture_journal(w, "c", all.from), "C (1|5)\nI (2|5)\nI (2|5)\n");
    watch_end(&all);
}

static void whatever_foreign_keys_do_is_told(void **state)
{
    contract_world *w = *state;
    net_make(w);
    for (unsigned round = 0; round < 3; round++) {
        unsigned seed = 100 + round;
        watched all = watch_begin(w, NET);
        for (int i = 0; i < 100; i++) {
            const bool together = rand_r(&seed) % 4 == 0;
            if (together)
                contract_do(w, "BEGIN");
            for (int k = 0; k < 3; k++)
                net_write(w->user, &seed);
            if (together)
                contract_do(w, rand_r(&seed) % 2 ? "COMMIT" : "ROLLBACK");
        }
        watch_end(&all);
    }
}

CONTRACT_MAIN("my_capture_closure", CONTRACT_TEST(three_levels_of_composite_keys_are_told),
    CONTRACT_TEST(trees_and_rings_are_told_as_deep_as_the_engine_goes),
    CONTRACT_TEST(a_column_set_to_null_carries_on),
    CONTRACT_TEST(a_reference_that_changes_only_its_letters_is_told),
    CONTRACT_TEST(a_table_that_rows_go_from_must_be_captured_as_well),
    CONTRACT_TEST(a_table_whose_rows_take_others_along_is_watched),
    CONTRACT_TEST(a_table_below_too_many_ways_is_not_captured),
    CONTRACT_TEST(a_foreign_key_that_is_new_breaks_the_capture),
    CONTRACT_TEST(an_index_that_goes_stops_no_writer),
    CONTRACT_TEST(tables_and_columns_that_change_stop_no_writer),
    CONTRACT_TEST(an_action_that_the_engine_did_not_take_is_not_told),
    CONTRACT_TEST(whatever_foreign_keys_do_is_told))
