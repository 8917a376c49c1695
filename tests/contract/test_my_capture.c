/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/test_my_capture.c - MariaDB: what only it has, captured: statements and values of
 * its own, and who wrote.
 */
#include "contract/my_capture_world.h"

#include <string.h>

/* ---- statements ---- */

static void replace_and_on_duplicate_key_update_are_told(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    watched t = watch_begin(w, PG_NAMES("t"));
    contract_do(w, "REPLACE INTO t VALUES (1, 20, 'took two rows away'), (4, 40, 'new')");
    contract_do(w, "INSERT INTO t VALUES (9, 30, 'x') ON DUPLICATE KEY UPDATE a = 'changed'");
    contract_do(w, "INSERT INTO t VALUES (9, 90, 'x') ON DUPLICATE KEY UPDATE a = 'changed'");
    contract_do(w, "INSERT IGNORE INTO t VALUES (9, 1, 'no'), (10, 100, 'yes'), (11, 40, 'no')");
    contract_do(w, "UPDATE IGNORE t SET u = 90 WHERE id > 3");
    contract_do(w, "UPDATE IGNORE t SET id = 4, a = 'no' WHERE id = 1");
    contract_do(w, "UPDATE IGNORE t JOIN (SELECT 3 AS x) AS one ON x = id SET id = 4");
    watch_end(&t);
}

static void statements_over_several_tables_are_told(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    contract_do(w, "CREATE TABLE s (id integer PRIMARY KEY, t integer, v integer);"
                   "INSERT INTO s VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3), (4, 3, 4)");
    watched both = watch_begin(w, PG_NAMES("t", "s"));
    contract_do(w, "UPDATE t JOIN s ON s.t = t.id SET t.a = s.v, s.v = s.v + 1 WHERE t.id < 3");
    contract_do(w, "DELETE t, s FROM t JOIN s ON s.t = t.id WHERE t.id = 1");
    contract_do(w, "INSERT INTO s SELECT id + 10, id, u FROM t");
    contract_do(w, "UPDATE t SET id = id + 1 ORDER BY id DESC");
    watch_end(&both);
}

static void triggers_of_users_go_on_and_what_they_write_is_told(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    contract_do(w, "CREATE TABLE log (n integer PRIMARY KEY AUTO_INCREMENT, what varchar(40))");
    contract_do(w, "CREATE TRIGGER first BEFORE UPDATE ON t FOR EACH ROW SET NEW.a = upper(NEW.a)");
    contract_do(w, "CREATE TRIGGER second AFTER UPDATE ON t FOR EACH ROW"
                   " INSERT INTO log (what) VALUES (concat(OLD.a, '>', NEW.a))");
    contract_do(w, "CREATE TRIGGER third AFTER DELETE ON t FOR EACH ROW"
                   " DELETE FROM log ORDER BY n LIMIT 1");
    watched both = watch_begin(w, PG_NAMES("t", "log"));
    contract_do(w, "UPDATE t SET a = 'changed' WHERE id > 1; DELETE FROM t WHERE id = 2");
    assert_string_equal(contract_ask(w, "SELECT group_concat(what) FROM log"), "three>CHANGED");
    watch_end(&both);
    contract_do(w, "UPDATE t SET a = 'once more'");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM log"), "3");
}

static void writers_see_nothing_of_the_journal(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY AUTO_INCREMENT, a varchar(5));"
                   "INSERT INTO t (a) VALUES ('a'), ('b'), ('c')");
    watched t = watch_begin(w, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET a = 'x'"); /* the journal's numbers are ahead now */
    contract_do(w, "INSERT INTO t (a) VALUES ('d')");
    assert_string_equal(contract_ask(w, "SELECT LAST_INSERT_ID()"), "4");
    contract_do(w, "SET INSERT_ID = 70; INSERT INTO t (a) VALUES ('e')");
    assert_string_equal(contract_ask(w, "SELECT max(id) FROM t"), "70");
    contract_do(w, "UPDATE t SET a = 'y' WHERE id < 3");
    assert_string_equal(contract_ask(w, "SELECT ROW_COUNT()"), "2");
    contract_do(w, "SET @backout_run = repeat('long', 100); UPDATE t SET a = 'z'");
    assert_string_equal(contract_ask(w, "SELECT @@warning_count"), "0");
    watch_end(&t);
}

/* ---- values ---- */

static void values_that_the_writers_mode_forbids_are_kept(void **state)
{
    contract_world *w = *state;
    contract_do(w, "SET sql_mode = ''");
    contract_do(w,
        "CREATE TABLE t (id integer PRIMARY KEY, e enum ('a', 'b') NOT NULL,"
        " s set ('x', 'y', 'z'), d date NOT NULL, dt datetime(3), ts timestamp NOT NULL"
        " DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, b bit(64),"
        " u bigint unsigned, f float, r double, n decimal(30, 10), y year,"
        " l varchar(20) CHARACTER SET latin1, k varchar(20) CHARACTER SET utf16,"
        " c char(5) COLLATE utf8mb4_bin, bin binary(4), bl blob, j json, id6 inet6,"
        " uu uuid, tm time(6), g point, gen integer GENERATED ALWAYS AS (id * 2) STORED)");
    contract_do(w,
        "INSERT INTO t (id, e, s, d, dt, ts, b, u, f, r, n, y, l, k, c, bin, bl, j, id6, uu, tm, g)"
        " VALUES (1, '', 'x,z', '0000-00-00', '2020-00-31', '0000-00-00', -1,"
        " 18446744073709551615, 16777217, 0.1, 1.50, 0, 0xE9, 'x', 'a ', 0x00, 0x00FF,"
        " '{ \"a\":1}', '::1', '123e4567-e89b-12d3-a456-426655440000', '-838:59:59.999999',"
        " POINT(1, 2)),"
        " (2, 'b', '', '2020-02-31', NULL, '2020-06-01 12:00:00', 0, 0, -0.0, 1e300, NULL, 1999,"
        " '', '', '', 'abcd', '', NULL, NULL, NULL, NULL, NULL)");
    contract_do(w, "SET sql_mode = 'TRADITIONAL,PAD_CHAR_TO_FULL_LENGTH'");
    watched t = watch_begin(w, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET id = id + 100");
    contract_do(w, "SET time_zone = '+07:00'; DELETE FROM t WHERE id = 101");
    contract_do(w, "UPDATE t SET f = 2 WHERE id = 102");
    watch_end(&t);
}

static void a_key_is_found_as_its_collation_says(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (k varchar(20) COLLATE utf8mb4_general_ci PRIMARY KEY, n int);"
                   "INSERT INTO t VALUES ('anna', 1), ('BERT', 2)");
    watched t = watch_begin(w, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET k = 'Anna' WHERE k = 'ANNA'");
    contract_do(w, "UPDATE t SET n = 11 WHERE k = 'aNNA'");
    contract_do(w, "DELETE FROM t WHERE k = 'bert'; INSERT INTO t VALUES ('bert', 2)");
    assert_string_equal(
        capture_since(w, "t", t.from), "(BERT|2) > (bert|2)\n(anna|1) > (Anna|11)\n");
    watch_end(&t);
}

/* ---- who wrote ---- */

static void a_user_is_known_with_and_without_the_host(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    const char *from = capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "UPDATE t SET u = 11 WHERE id = 1");
    const char *user = capture_last(w, "t", from).user;
    assert_non_null(strstr(user, "@localhost"));
    const char *name = bo_arena_strn(w->arena, user, (size_t)(strchr(user, '@') - user));
    bo_journal_filter filter = {.from = from, .user = name};
    assert_string_equal(capture_changes(w, "t", &filter), "(1|10|one) > (1|11|one)\n");
    filter.user = "ap";
    assert_string_equal(capture_changes(w, "t", &filter), "");
}

static bo_status tell_nothing(void *ctx, const bo_journal_change *change, bo_error *err)
{
    (void)ctx, (void)change, (void)err;
    fail_msg("a change is told");
    return BO_OK;
}

static void a_transaction_is_one_however_many_statements_it_has(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    const char *from = capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "BEGIN; UPDATE t SET u = 11 WHERE id = 1");
    contract_do(w, "SAVEPOINT s; UPDATE t SET u = 21 WHERE id = 2; ROLLBACK TO s");
    contract_do(w, "UPDATE t SET u = 31 WHERE id = 3; COMMIT");
    bo_journal_row one = capture_last(w, "t", from);
    contract_do(w, "UPDATE t SET u = 22 WHERE id = 2");
    assert_string_not_equal(capture_last(w, "t", from).transaction, one.transaction);
    bo_journal_filter filter = {.from = from,
        .transactions = &one.transaction,
        .transaction_count = 1,
        .only_transactions = true};
    assert_string_equal(
        capture_changes(w, "t", &filter), "(1|10|one) > (1|11|one)\n(3|30|three) > (3|31|three)\n");
    const char *wrong = "1) OR (1 = 1";
    filter.transactions = &wrong;
    bo_error err = {0};
    assert_int_equal(w->driver->capture->changes(
                         w->conn, contract_table(w, "t"), &filter, tell_nothing, NULL, &err),
        BO_INVALID);
}

CONTRACT_MAIN("my_capture", CONTRACT_TEST(replace_and_on_duplicate_key_update_are_told),
    CONTRACT_TEST(statements_over_several_tables_are_told),
    CONTRACT_TEST(triggers_of_users_go_on_and_what_they_write_is_told),
    CONTRACT_TEST(writers_see_nothing_of_the_journal),
    CONTRACT_TEST(values_that_the_writers_mode_forbids_are_kept),
    CONTRACT_TEST(a_key_is_found_as_its_collation_says),
    CONTRACT_TEST(a_user_is_known_with_and_without_the_host),
    CONTRACT_TEST(a_transaction_is_one_however_many_statements_it_has))
