/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_capture_parts.c - PostgreSQL: partitions and tables that inherit,
 * captured. */
#include "contract/capture_world.h"

#include <stdlib.h>
#include <string.h>

#define T PG_NAMES("t")

static void make_parts(contract_world *w)
{
    contract_do(w,
        "CREATE TABLE t (id integer, part integer, a text, PRIMARY KEY (part, id))"
        " PARTITION BY LIST (part);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);"
        "CREATE TABLE t2 (a text, id integer NOT NULL, dropped integer, part integer NOT NULL);"
        "ALTER TABLE t2 DROP COLUMN dropped; ALTER TABLE t ATTACH PARTITION t2 FOR VALUES IN (2);"
        "CREATE TABLE tn PARTITION OF t FOR VALUES IN (3, 4) PARTITION BY LIST (part);"
        "CREATE TABLE t3 PARTITION OF tn FOR VALUES IN (3);"
        "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c'), (4, 1, 'd')");
}

static void partitions_are_captured_whichever_way_they_are_written(void **state)
{
    contract_world *w = *state;
    make_parts(w);
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

/* docs/guide/limits.md: where this fails, the server shows such rows, and the limit can go. */
static void a_row_that_merge_moves_to_another_partition_is_not_captured(void **state)
{
    contract_world *w = *state;
    make_parts(w);
    if (atoi(contract_ask(w, "SHOW server_version_num")) < 150000)
        return;
    if (!strstr(capture_coverage(w, "t", BO_COVERED_WITH_LIMITS), "that MERGE moves"))
        fail_msg("the limit is not said");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "MERGE INTO t USING (VALUES (1, 1, 1), (4, 1, 2)) AS s (id, part, to_part)"
                   " ON t.id = s.id AND t.part = s.part"
                   " WHEN MATCHED THEN UPDATE SET a = upper(t.a), part = s.to_part");
    assert_string_equal(
        contract_ask(w, "SELECT string_agg(part || a, ' ' ORDER BY id) FROM t WHERE id IN (1, 4)"),
        "1A 2D");
    assert_string_equal(capture_since(w, "t", from), "(1|1|a) > (1|1|A)\n");
    capture_end(w, "p");
}

static void a_partition_that_comes_or_goes_ends_the_capture(void **state)
{
    contract_world *w = *state;
    make_parts(w);
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

static void a_partition_is_captured_by_itself(void **state)
{
    contract_world *w = *state;
    make_parts(w);
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

CONTRACT_MAIN("pg_capture_parts",
    CONTRACT_TEST(partitions_are_captured_whichever_way_they_are_written),
    CONTRACT_TEST(a_row_that_merge_moves_to_another_partition_is_not_captured),
    CONTRACT_TEST(a_partition_that_comes_or_goes_ends_the_capture),
    CONTRACT_TEST(a_partition_is_captured_by_itself),
    CONTRACT_TEST(a_family_of_tables_is_captured_row_by_row))
