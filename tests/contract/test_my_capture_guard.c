/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/test_my_capture_guard.c - MariaDB: statements that commit themselves and the other
 * things that break a capture; what it refuses.
 */
#include "contract/my_capture_world.h"
#include "contract/my_clerk.h"

#include <stdio.h>
#include <string.h>

/* ---- what breaks a capture ---- */

static void a_table_that_was_emptied_behind_our_back_is_noticed(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "TRUNCATE TABLE t");
    assert_non_null(strstr(capture_broken(w, "t", "p"), "TRUNCATE"));
    contract_do(w, "INSERT INTO t VALUES (1, 10, 'one')");
    assert_non_null(strstr(capture_broken(w, "t", "p"), "TRUNCATE"));
    contract_do(w, "DELETE FROM t");
    capture_begin(w, "q", PG_NAMES("t")); /* nothing is in it */
    contract_do(w, "INSERT INTO t VALUES (1, 10, 'one')");
    assert_string_equal(capture_broken(w, "t", "q"), "");
    contract_do(w, "TRUNCATE TABLE t");
    assert_non_null(strstr(capture_broken(w, "t", "q"), "TRUNCATE"));
    contract_do(w, "INSERT INTO t VALUES (7, 70, 'seven')");
    assert_non_null(strstr(capture_broken(w, "t", "q"), "TRUNCATE"));
    capture_begin(w, "r", PG_NAMES("t")); /* does not share what is broken */
    assert_string_equal(capture_broken(w, "t", "r"), "");
    assert_non_null(strstr(capture_broken(w, "t", "q"), "TRUNCATE"));
}

/* Each leaves the table as it was, but for values; when it was altered is known to the second. */
static void an_alteration_that_may_have_changed_values_is_noticed(void **state)
{
    contract_world *w = *state;
    static const char *const changes[] = {
        "ALTER TABLE t0 DROP COLUMN a, ADD COLUMN a varchar(40), ALGORITHM=INSTANT",
        "ALTER TABLE t1 DROP COLUMN a; ALTER TABLE t1 ADD COLUMN a varchar(40)",
        "SET sql_mode = ''; ALTER TABLE t2 MODIFY a char(2); ALTER TABLE t2 MODIFY a varchar(40)",
        "SET sql_mode = ''; ALTER TABLE t3 MODIFY a varchar(40) NOT NULL",
        "ALTER TABLE t4 DROP COLUMN u, ADD COLUMN u integer AFTER id, ALGORITHM=COPY",
    };
    const unsigned count = sizeof changes / sizeof *changes;
    for (unsigned i = 0; i < count; i++) {
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_printf(&sql,
            "CREATE TABLE t%u (id integer PRIMARY KEY, u integer, a varchar(40), KEY (u));"
            "INSERT INTO t%u VALUES (1, 10, 'one'), (2, 20, NULL)",
            i, i);
        contract_do(w, bo_buf_str(&sql));
    }
    contract_do(w, "CREATE TABLE plain (id integer PRIMARY KEY, u integer);"
                   "DO SLEEP(1.1)");
    const char *tables[] = {"t0", "t1", "t2", "t3", "t4", "plain", NULL};
    capture_begin(w, "p", tables);
    for (unsigned i = 0; i < count; i++) {
        assert_string_equal(capture_broken(w, tables[i], "p"), "");
        contract_do(w, changes[i]);
        if (!strstr(capture_broken(w, tables[i], "p"), "the table was altered"))
            fail_msg("%s: %s", changes[i], capture_broken(w, tables[i], "p"));
    }
    contract_do(w, "ALTER TABLE plain ADD INDEX (u), ADD CHECK (u < 7); ANALYZE TABLE plain;"
                   "INSERT INTO plain VALUES (1, 1)");
    assert_string_equal(capture_broken(w, "plain", "p"), "");
    capture_begin(w, "q", PG_NAMES("t0")); /* since its own begin nobody has altered it */
    assert_string_equal(capture_broken(w, "t0", "q"), "");
}

static void columns_in_another_order_are_noticed_in_the_first_second_too(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a integer, b integer)");
    capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "ALTER TABLE t MODIFY b integer AFTER id");
    assert_string_equal(capture_broken(w, "t", "p"), "column 'b' is in another place");
}

static void a_counter_that_we_put_back_breaks_no_capture(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (id integer AUTO_INCREMENT PRIMARY KEY);"
                   "INSERT INTO t VALUES (7); DO SLEEP(1.1)");
    const bo_table *was = contract_table(w, "t");
    capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "INSERT INTO t VALUES (99); DELETE FROM t WHERE id = 99");
    assert_int_equal(was->sequence_count, 1);
    pg_must(w->driver->sequence_set(w->conn, &was->sequences[0], &err), &err);
    assert_string_equal(capture_broken(w, "t", "p"), "");
}

static void partitions_that_are_emptied_or_exchanged_are_noticed(void **state)
{
    contract_world *w = *state;
    static const char *const changes[] = {"ALTER TABLE t TRUNCATE PARTITION p1",
        "ALTER TABLE t EXCHANGE PARTITION p2 WITH TABLE one", "ALTER TABLE t DROP PARTITION p1"};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        contract_do(w,
            "CREATE OR REPLACE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id)"
            " (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20),"
            " PARTITION p2 VALUES LESS THAN (30));"
            "INSERT INTO t SELECT seq, 0 FROM seq_1_to_29;"
            "CREATE OR REPLACE TABLE one (id int PRIMARY KEY, n int)");
        assert_non_null(strstr(capture_coverage(w, "t", BO_COVERED_WITH_LIMITS), "partition"));
        const char *from = capture_begin(w, "p", PG_NAMES("t"));
        contract_do(
            w, "UPDATE t SET n = 1 WHERE id IN (5, 15); UPDATE t SET id = 25 WHERE id = 25");
        contract_do(w, "DELETE FROM t WHERE id = 29; UPDATE t SET id = 29 WHERE id = 3");
        assert_string_equal(
            capture_since(w, "t", from), "(15|0) > (15|1)\n(3|0) > -\n(5|0) > (5|1)\n");
        assert_string_equal(capture_broken(w, "t", "p"), "");
        contract_do(w, changes[i]);
        assert_non_null(strstr(capture_broken(w, "t", "p"), "TRUNCATE"));
        capture_end(w, "p");
    }
}

static void the_row_that_was_there_may_go_come_back_and_go_again(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    capture_begin(w, "p", PG_NAMES("t"));
    static const char *const writes[] = {"DELETE FROM t WHERE id = 1",
        "INSERT INTO t VALUES (1, 10, 'one')", "UPDATE t SET id = 8 WHERE id = 1",
        "UPDATE t SET id = 1 WHERE id = 8", "REPLACE INTO t VALUES (1, 1, 'x')", "DELETE FROM t"};
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        contract_do(w, writes[i]);
        assert_string_equal(capture_broken(w, "t", "p"), "");
    }
}

static void triggers_that_are_not_ours_any_more_are_noticed(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    capture_begin(w, "p", PG_NAMES("t"));
    contract_do(
        w, "CREATE OR REPLACE TRIGGER backout_1_au AFTER UPDATE ON t FOR EACH ROW SET @a = 1");
    assert_non_null(strstr(capture_broken(w, "t", "p"), "backout_1_au"));
    const char *from = capture_begin(w, "q", PG_NAMES("t"));
    contract_do(w, "UPDATE t SET u = 11 WHERE id = 1");
    assert_string_equal(capture_since(w, "t", from), "(1|10|one) > (1|11|one)\n");
    capture_end(w, "p");
    assert_string_equal(capture_broken(w, "t", "q"), "");
    contract_do(w, "DROP TABLE backout_journal_2");
    assert_non_null(strstr(capture_broken(w, "t", "q"), "journal"));
    capture_end(w, "q");
    contract_do(w, "UPDATE t SET u = 12 WHERE id = 1");
}

static void a_trigger_of_a_user_that_would_run_after_ours_is_noticed(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE a (id int PRIMARY KEY);"
                   "CREATE TABLE b (id int PRIMARY KEY, a int, FOREIGN KEY (a) REFERENCES a (id)"
                   " ON UPDATE CASCADE)");
    capture_begin(w, "p", PG_NAMES("a", "b"));
    contract_do(w, "CREATE TRIGGER x AFTER UPDATE ON a FOR EACH ROW SET @a = 1");
    assert_string_equal(capture_broken(w, "a", "p"), "");
    contract_do(w, "CREATE TRIGGER y BEFORE UPDATE ON a FOR EACH ROW SET NEW.id = NEW.id + 1");
    assert_non_null(strstr(capture_broken(w, "a", "p"), "'y'"));
}

static void a_table_that_was_renamed_is_gone(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "RENAME TABLE t TO moved");
    assert_string_equal(capture_list(w), "p t gone\n");
    contract_do(w, "UPDATE moved SET u = 5 WHERE id = 1");
    assert_string_not_equal(capture_broken(w, "moved", "p"), "");
    capture_end(w, "p");
    contract_do(w, "UPDATE moved SET u = 6 WHERE id = 1");
}

/* ---- what is refused ---- */

static void what_cannot_be_captured_is_refused_with_the_reason(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE m (id int PRIMARY KEY) ENGINE = MyISAM;"
                   "CREATE TABLE ours (id int PRIMARY KEY, backout_run int)");
    assert_string_not_equal(capture_coverage(w, "m", BO_UNCOVERED), "");
    assert_non_null(strstr(capture_coverage(w, "ours", BO_UNCOVERED), "backout_"));
    if (!my_is_super(w))
        return;
    contract_do(w, ROWS_T);
    contract_do(w, "CREATE OR REPLACE USER capless@localhost");
    contract_do(w, "SET @grant = CONCAT('GRANT SELECT, INSERT, UPDATE, DELETE, LOCK TABLES ON ',"
                   " DATABASE(), '.* TO capless@localhost'); EXECUTE IMMEDIATE @grant");
    char url[700];
    snprintf(url, sizeof url, "mariadb://capless%s", strchr(w->url, '@'));
    const bo_connect how = {.url = url};
    bo_conn *conn = NULL;
    bo_error err = {0};
    pg_must(bo_driver_open(&how, &conn, &err), &err);
    bo_conn *own = w->conn;
    w->conn = conn;
    assert_non_null(
        strstr(capture_coverage(w, "t", BO_UNCOVERED), "GRANT CREATE, DROP, TRIGGER ON"));
    w->conn = own;
    bo_conn_free(conn);
    contract_do(w, "DROP USER capless@localhost");
}

static void refuse_changes_carried_to(contract_world *w, const char *other)
{
    char sql[600];
    const char *here = contract_ask(w, "SELECT DATABASE()");
    snprintf(sql, sizeof sql,
        "CREATE DATABASE %s; CREATE TABLE %s.p (id int PRIMARY KEY);"
        "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY,"
        " FOREIGN KEY (id) REFERENCES %s.p (id) ON DELETE CASCADE);"
        "CREATE TABLE %s.b (id int PRIMARY KEY,"
        " FOREIGN KEY (id) REFERENCES %s.a (id) ON DELETE CASCADE)",
        other, other, other, other, here);
    contract_do(w, sql);
    const char *down = capture_coverage(w, "a", BO_UNCOVERED);
    const char *up = capture_coverage(w, "c", BO_UNCOVERED);
    snprintf(sql, sizeof sql, "DROP TABLE c; DROP DATABASE %s; DROP TABLE a", other);
    contract_do(w, sql);
    snprintf(sql, sizeof sql, "'%s.b'", other);
    assert_non_null(strstr(down, sql));
    assert_non_null(strstr(up, ".c'"));
}

static void changes_carried_between_databases_are_refused(void **state)
{
    contract_world *w = *state;
    if (!my_is_super(w))
        skip(); /* who owns one schema may make no other */
    refuse_changes_carried_to(w, "capture_other");
    if (strcmp(contract_ask(w, "SELECT @@lower_case_table_names"), "0") == 0)
        refuse_changes_carried_to(w, contract_ask(w, "SELECT UPPER(DATABASE())"));
}

/* A backup does that: it passes. */
static void a_journal_that_cannot_be_read_just_now_is_not_broken(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bo_buf broken = {0};
    contract_do(w, ROWS_T);
    capture_begin(w, "p", PG_NAMES("t"));
    const bo_table *t = contract_table(w, "t");
    contract_do(w, "LOCK TABLES backout_journal_1 WRITE");
    assert_int_equal(w->driver->capture->check(w->conn, t, "p", &broken, &err), BO_BUSY);
    assert_int_equal(broken.size, 0);
    contract_do(w, "UNLOCK TABLES");
    assert_string_equal(capture_broken(w, "t", "p"), "");
}

CONTRACT_MAIN("my_capture_guard",
    CONTRACT_TEST(a_journal_that_cannot_be_read_just_now_is_not_broken),
    CONTRACT_TEST(a_table_that_was_emptied_behind_our_back_is_noticed),
    CONTRACT_TEST(an_alteration_that_may_have_changed_values_is_noticed),
    CONTRACT_TEST(columns_in_another_order_are_noticed_in_the_first_second_too),
    CONTRACT_TEST(a_counter_that_we_put_back_breaks_no_capture),
    CONTRACT_TEST(partitions_that_are_emptied_or_exchanged_are_noticed),
    CONTRACT_TEST(the_row_that_was_there_may_go_come_back_and_go_again),
    CONTRACT_TEST(triggers_that_are_not_ours_any_more_are_noticed),
    CONTRACT_TEST(a_trigger_of_a_user_that_would_run_after_ours_is_noticed),
    CONTRACT_TEST(a_table_that_was_renamed_is_gone),
    CONTRACT_TEST(what_cannot_be_captured_is_refused_with_the_reason),
    CONTRACT_TEST(changes_carried_between_databases_are_refused))
