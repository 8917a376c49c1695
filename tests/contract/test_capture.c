/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_capture.c - every driver: the journals of captured tables. */
#include "contract/capture_world.h"

#include <stdio.h>
#include <string.h>

#define T PG_NAMES("t")

static void make_t(contract_world *w)
{
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a varchar(40), n integer);"
                   "INSERT INTO t VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30)");
}

/* ---- what changes did ---- */

static void a_row_that_changed_came_or_went_is_told_with_both_images(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET a = 'uno' WHERE id = 1");
    contract_do(w, "DELETE FROM t WHERE id = 2");
    contract_do(w, "INSERT INTO t VALUES (4, NULL, 40)");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > (1|uno|10)\n"
                                                     "(2|two|20) > -\n"
                                                     "- > (4|~|40)\n");
}

static void nothing_is_told_of_rows_that_nobody_wrote(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    assert_string_equal(capture_since(w, "t", from), "");
    contract_do(w, "UPDATE t SET a = 'none' WHERE id = 99");
    contract_do(w, "DELETE FROM t WHERE id = 99");
    contract_do(w, "INSERT INTO t SELECT * FROM t WHERE id = 99");
    assert_string_equal(capture_since(w, "t", from), "");
    assert_string_equal(capture_journal(w, "t", from), "");
}

static void many_writes_of_one_row_are_one_change(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    for (int i = 0; i < 5; i++)
        contract_do(w, "UPDATE t SET n = n + 1 WHERE id = 1");
    contract_do(w, "DELETE FROM t WHERE id = 2");
    contract_do(w, "INSERT INTO t VALUES (2, 'zwei', 22)");
    contract_do(w, "INSERT INTO t VALUES (5, 'five', 50)");
    contract_do(w, "UPDATE t SET n = 51 WHERE id = 5");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > (1|one|15)\n"
                                                     "(2|two|20) > (2|zwei|22)\n"
                                                     "- > (5|five|51)\n");
}

static void what_came_and_went_again_is_left_out(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (7, 'seven', 70)");
    contract_do(w, "UPDATE t SET n = 71 WHERE id = 7");
    contract_do(w, "DELETE FROM t WHERE id = 7");
    assert_string_equal(capture_since(w, "t", from), "");
}

static void a_statement_over_many_rows_is_told_row_by_row(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t SELECT id + 10, a, n FROM t");
    contract_do(w, "UPDATE t SET n = n * 2 WHERE id < 3 OR id > 12");
    contract_do(w, "DELETE FROM t WHERE id IN (3, 11)");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > (1|one|20)\n"
                                                     "(2|two|20) > (2|two|40)\n"
                                                     "(3|three|30) > -\n"
                                                     "- > (12|two|20)\n"
                                                     "- > (13|three|60)\n");
}

static void what_was_rolled_back_leaves_nothing(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "BEGIN; UPDATE t SET n = 0; INSERT INTO t VALUES (9, 'x', 9); ROLLBACK");
    assert_string_equal(capture_journal(w, "t", from), "");
    contract_do(w, "BEGIN; UPDATE t SET n = 11 WHERE id = 1; SAVEPOINT s;"
                   "UPDATE t SET n = 0; DELETE FROM t WHERE id = 2; ROLLBACK TO SAVEPOINT s;"
                   "UPDATE t SET n = 31 WHERE id = 3; COMMIT");
    assert_string_equal(capture_journal(w, "t", from), "U (1)\nU (3)\n");
    assert_string_equal(
        capture_since(w, "t", from), "(1|one|10) > (1|one|11)\n(3|three|30) > (3|three|31)\n");
}

/* ---- keys ---- */

static void a_key_that_changes_is_a_row_gone_and_a_row_come(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET id = 8, n = 11 WHERE id = 1");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > -\n- > (8|one|11)\n");
}

static void keys_that_move_up_in_one_statement_are_told_right(void **state)
{
    contract_world *w = *state;
    make_t(w);
    contract_do(w, "DELETE FROM t WHERE id = 1");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET id = id - 1");
    assert_string_equal(capture_since(w, "t", from), "(2|two|20) > (2|three|30)\n"
                                                     "(3|three|30) > -\n"
                                                     "- > (1|two|20)\n");
    contract_do(w, "DELETE FROM t WHERE id = 2");
    assert_string_equal(capture_since(w, "t", from), "(2|two|20) > -\n"
                                                     "(3|three|30) > -\n"
                                                     "- > (1|two|20)\n");
}

static void keys_that_are_swapped_are_told_right(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "BEGIN; UPDATE t SET id = 9 WHERE id = 1; UPDATE t SET id = 1 WHERE id = 2;"
                   "UPDATE t SET id = 2 WHERE id = 9; COMMIT");
    assert_string_equal(
        capture_since(w, "t", from), "(1|one|10) > (1|two|20)\n(2|two|20) > (2|one|10)\n");
}

static void a_key_of_several_columns_is_one_key(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (a integer NOT NULL, v integer, b varchar(20) NOT NULL,"
                   " PRIMARY KEY (b, a));"
                   "INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'x'), (1, 3, 'y')");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET v = 9 WHERE a = 1 AND b = 'y'");
    contract_do(w, "UPDATE t SET b = 'z' WHERE a = 2");
    assert_string_equal(capture_since(w, "t", from), "(1|3|y) > (1|9|y)\n"
                                                     "(2|2|x) > -\n"
                                                     "- > (2|2|z)\n");
}

static void names_are_only_names(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE \"order\"\"; drop '$1 %s\" (\"select\" integer PRIMARY KEY, \"a\"\"b\" "
        "varchar(40), \"$x$ %d\" integer);"
        "INSERT INTO \"order\"\"; drop '$1 %s\" VALUES (1, 'a', 1)");
    static const char name[] = "\"order\"\"; drop '$1 %s\"";
    const char *from = capture_begin(w, "p'\"\\", PG_NAMES(name));
    contract_do(w, "UPDATE \"order\"\"; drop '$1 %s\" SET \"a\"\"b\" = 'b', \"$x$ %d\" = 2");
    assert_string_equal(capture_since(w, name, from), "(1|a|1) > (1|b|2)\n");
    assert_string_equal(capture_broken(w, name, "p'\"\\"), "");
    capture_end(w, "p'\"\\");
    assert_string_equal(capture_list(w), "");
}

/* ---- foreign keys ---- */

static void make_family(contract_world *w)
{
    contract_do(w, contract_pick(w, .sqlite = "PRAGMA foreign_keys = ON", .postgresql = "SELECT 1",
                       .mariadb = "SELECT 1"));
    contract_do(w, "CREATE TABLE p (id integer PRIMARY KEY, a varchar(20));"
                   "CREATE TABLE c (id integer PRIMARY KEY, p integer,"
                   " FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE);"
                   "CREATE TABLE g (id integer PRIMARY KEY, c integer,"
                   " FOREIGN KEY (c) REFERENCES c (id) ON DELETE SET NULL);"
                   "INSERT INTO p VALUES (1, 'a'), (2, 'b');"
                   "INSERT INTO c VALUES (11, 1), (12, 1), (21, 2);"
                   "INSERT INTO g VALUES (111, 11), (112, 11), (211, 21)");
}

static void what_cascades_is_told_as_well(void **state)
{
    contract_world *w = *state;
    make_family(w);
    const char *from = capture_begin(w, "p", PG_NAMES("p", "c", "g"));
    contract_do(w, "DELETE FROM p WHERE id = 1");
    assert_string_equal(capture_since(w, "p", from), "(1|a) > -\n");
    assert_string_equal(capture_since(w, "c", from), "(11|1) > -\n(12|1) > -\n");
    assert_string_equal(capture_since(w, "g", from), "(111|11) > (111|~)\n(112|11) > (112|~)\n");
}

static void a_key_that_cascades_is_told_as_well(void **state)
{
    contract_world *w = *state;
    make_family(w);
    const char *from = capture_begin(w, "p", PG_NAMES("p", "c", "g"));
    contract_do(w, "UPDATE p SET id = 5 WHERE id = 1");
    assert_string_equal(capture_since(w, "p", from), "(1|a) > -\n- > (5|a)\n");
    assert_string_equal(capture_since(w, "c", from), "(11|1) > (11|5)\n(12|1) > (12|5)\n");
    assert_string_equal(capture_since(w, "g", from), "");
}

/* ---- which writes ---- */

static void a_row_of_the_journal_says_who_wrote(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET n = 0 WHERE id = 1");
    bo_journal_row first = capture_last(w, "t", from);
    assert_int_equal(first.operation, 'U');
    assert_string_equal(first.run, "");
    capture_tag(w, w->user, "run 1");
    contract_do(w, "DELETE FROM t WHERE id = 2");
    bo_journal_row second = capture_last(w, "t", from);
    assert_int_equal(second.operation, 'D');
    assert_string_equal(second.run, "run 1");
    assert_string_not_equal(second.transaction, first.transaction);
    assert_string_equal(second.user, first.user);
    capture_tag(w, w->user, NULL);
    contract_do(w, "INSERT INTO t VALUES (4, 'four', 40)");
    assert_string_equal(capture_last(w, "t", from).run, "");
    assert_string_equal(capture_journal(w, "t", from), "U (1)\nD (2)\nI (4)\n");
}

static void a_connection_is_tagged_from_its_beginning(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bo_conn *conn = NULL;
    if (!w->driver->capture->tag)
        skip();
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    const bo_connect how = {.url = w->url, .application_name = "a", .raw = true, .run = "run 7"};
    pg_must(bo_driver_open(&how, &conn, &err), &err);
    pg_do(conn, "UPDATE t SET n = 1 WHERE id = 1");
    assert_string_equal(capture_last(w, "t", from).run, "run 7");
    pg_must(w->driver->pin(conn, &err), &err);
    pg_do(conn, contract_pick(w, .sqlite = "UPDATE t SET n = 2 WHERE id = 1",
                    .postgresql = "UPDATE public.t SET n = 2 WHERE id = 1",
                    .mariadb = "UPDATE t SET n = 2 WHERE id = 1"));
    assert_string_equal(capture_last(w, "t", from).run, "run 7");
    bo_conn_free(conn);
}

static void a_tag_outlives_a_transaction_that_is_rolled_back(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    capture_tag(w, w->conn, "run 2");
    w->driver->rollback(w->conn);
    pg_do(w->conn, contract_pick(w, .sqlite = "UPDATE t SET n = 1 WHERE id = 1",
                       .postgresql = "UPDATE public.t SET n = 1 WHERE id = 1",
                       .mariadb = "UPDATE t SET n = 1 WHERE id = 1"));
    assert_string_equal(capture_last(w, "t", from).run, "run 2");
}

static void writes_of_one_run_are_told_without_those_of_others(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    capture_tag(w, w->user, "mine");
    contract_do(w, "UPDATE t SET n = 11 WHERE id = 1");
    contract_do(w, "DELETE FROM t WHERE id = 3");
    capture_tag(w, w->user, "other");
    contract_do(w, "UPDATE t SET n = 12 WHERE id = 1");
    contract_do(w, "UPDATE t SET n = 22 WHERE id = 2");
    contract_do(w, "INSERT INTO t VALUES (3, 'again', 31)");
    bo_journal_filter mine = {.from = from, .run = "mine"};
    assert_string_equal(
        capture_changes(w, "t", &mine), "(1|one|10) > (1|one|11)\n(3|three|30) > -\n");
    bo_journal_filter other = {.from = from, .run = "other"};
    assert_string_equal(capture_changes(w, "t", &other), "(1|one|11) > (1|one|12)\n"
                                                         "(2|two|20) > (2|two|22)\n"
                                                         "- > (3|again|31)\n");
    bo_journal_filter nobody = {.from = from, .run = "nobody"};
    assert_string_equal(capture_changes(w, "t", &nobody), "");
}

static void a_row_that_others_wrote_in_between_is_mixed(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    capture_tag(w, w->user, "mine");
    contract_do(w, "UPDATE t SET n = 11 WHERE id < 3");
    capture_tag(w, w->user, NULL);
    contract_do(w, "UPDATE t SET a = 'others' WHERE id = 1");
    capture_tag(w, w->user, "mine");
    contract_do(w, "UPDATE t SET n = 12 WHERE id < 3");
    capture_tag(w, w->user, NULL);
    contract_do(w, "UPDATE t SET a = 'later' WHERE id = 2");
    bo_journal_filter mine = {.from = from, .run = "mine"};
    assert_string_equal(capture_changes(w, "t", &mine), "(1|one|10) > (1|others|12) mixed\n"
                                                        "(2|two|20) > (2|two|12)\n");
}

static void writes_of_a_user_or_of_transactions_can_be_chosen(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET n = 11 WHERE id = 1");
    bo_journal_row row = capture_last(w, "t", from);
    contract_do(w, "UPDATE t SET n = 22 WHERE id = 2");
    bo_journal_filter one = {.from = from,
        .transactions = &row.transaction,
        .transaction_count = 1,
        .only_transactions = true};
    assert_string_equal(capture_changes(w, "t", &one), "(1|one|10) > (1|one|11)\n");
    bo_journal_filter none = {.from = from, .only_transactions = true};
    assert_string_equal(capture_changes(w, "t", &none), "");
    bo_journal_filter nobody = {.from = from, .user = "nobody's name"};
    assert_string_equal(capture_changes(w, "t", &nobody), "");
    nobody.transactions = &row.transaction;
    nobody.transaction_count = 1;
    assert_string_equal(capture_changes(w, "t", &nobody), "(1|one|10) > (1|one|11)\n");
    bo_journal_filter all = {.from = from, .user = *row.user ? row.user : NULL};
    assert_string_equal(
        capture_changes(w, "t", &all), "(1|one|10) > (1|one|11)\n(2|two|20) > (2|two|22)\n");
}

static void a_rollback_is_neither_the_users_work_nor_that_of_others(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET n = 11");
    capture_tag(w, w->user, BO_CAPTURE_OWN_RUN);
    contract_do(w, "UPDATE t SET n = 10 WHERE id < 3; DELETE FROM t WHERE id = 3");
    capture_tag(w, w->user, NULL);
    contract_do(w, "UPDATE t SET n = 12 WHERE id = 1");
    bo_journal_row row = capture_last(w, "t", from);
    bo_journal_filter user = {.from = from, .user = *row.user ? row.user : NULL};
    if (user.user) /* SQLite knows none */
        assert_string_equal(capture_changes(w, "t", &user),
            "(1|one|10) > (1|one|12)\n(2|two|20) > (2|two|11)\n(3|three|30) > (3|three|11)\n");
}

/* ---- positions ---- */

static void only_what_lies_between_two_positions_is_told(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *begin = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET n = 11 WHERE id = 1");
    const char *from = capture_position(w, T);
    contract_do(w, "UPDATE t SET n = 12 WHERE id = 1");
    contract_do(w, "DELETE FROM t WHERE id = 2");
    const char *to = capture_position(w, T);
    contract_do(w, "UPDATE t SET n = 13 WHERE id = 1");
    contract_do(w, "INSERT INTO t VALUES (2, 'new', 0)");
    bo_journal_filter between = {.from = from, .to = to};
    assert_string_equal(
        capture_changes(w, "t", &between), "(1|one|11) > (1|one|12)\n(2|two|20) > -\n");
    assert_string_equal(
        capture_since(w, "t", begin), "(1|one|10) > (1|one|13)\n(2|two|20) > (2|new|0)\n");
    assert_string_equal(capture_since(w, "t", to), "(1|one|12) > (1|one|13)\n- > (2|new|0)\n");
    assert_string_equal(capture_journal(w, "t", to), "U (1)\nI (2)\n");
}

static void own_writes_after_a_position_are_later(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bo_buf position = {0};
    make_t(w);
    capture_begin(w, "p", T);
    const bo_table *t = contract_table(w, "t");
    pg_must(w->driver->begin(w->user, BO_TX_WRITE, &err), &err);
    pg_must(w->driver->lock(w->user, &t, 1, &err), &err);
    pg_must(w->driver->capture->position(w->user, &t, 1, &position, &err), &err);
    contract_do(w, "DELETE FROM t WHERE id = 1");
    pg_must(w->driver->commit(w->user, &err), &err);
    assert_string_equal(capture_since(w, "t", bo_buf_str(&position)), "(1|one|10) > -\n");
    bo_buf_done(&position);
}

/* ---- points ---- */

static void points_share_a_journal(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *first = capture_begin(w, "p 1", T);
    contract_do(w, "UPDATE t SET n = 11 WHERE id = 1");
    const char *second = capture_begin(w, "p 2", T);
    contract_do(w, "UPDATE t SET n = 12 WHERE id = 1");
    assert_string_equal(capture_list(w), "p 1 t\np 2 t\n");
    assert_string_equal(capture_since(w, "t", first), "(1|one|10) > (1|one|12)\n");
    assert_string_equal(capture_since(w, "t", second), "(1|one|11) > (1|one|12)\n");
    capture_end(w, "p 1");
    assert_string_equal(capture_broken(w, "t", "p 2"), "");
    assert_string_not_equal(capture_broken(w, "t", "p 1"), "");
    contract_do(w, "UPDATE t SET n = 13 WHERE id = 1");
    assert_string_equal(capture_since(w, "t", second), "(1|one|11) > (1|one|13)\n");
    capture_end(w, "p 2");
    assert_string_equal(capture_list(w), "");
    assert_string_not_equal(capture_broken(w, "t", "p 2"), "");
}

static void a_point_that_is_not_known_can_be_ended(void **state)
{
    contract_world *w = *state;
    make_t(w);
    capture_end(w, "nothing");
    capture_begin(w, "p", T);
    capture_end(w, "nothing");
    assert_string_equal(capture_list(w), "p t\n");
}

static bo_status add_name(void *ctx, const char *name, bo_error *err)
{
    (void)err;
    bo_buf_printf(ctx, "%s ", name);
    return BO_OK;
}

static void a_captured_table_looks_as_it_did(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    make_t(w);
    const bo_table *before = contract_table(w, "t");
    capture_begin(w, "p", T);
    const bo_table *now = contract_table(w, "t");
    bo_table_change *changes = NULL;
    uint16_t count = 0;
    pg_must(bo_table_compare(before, now, w->arena, &changes, &count, &err), &err);
    assert_int_equal(count, 0);
    json_t *was_json = bo_table_to_json(before);
    json_t *now_json = bo_table_to_json(now);
    assert_true(json_equal(was_json, now_json));
    json_decref(was_json);
    json_decref(now_json);
    bo_buf names = {0};
    pg_must(w->driver->tables(w->conn, add_name, &names, &err), &err);
    assert_string_equal(bo_buf_str(&names), "t ");
    bo_buf_done(&names);
}

static void a_new_column_is_noticed_and_users_can_go_on(void **state)
{
    contract_world *w = *state;
    make_t(w);
    capture_begin(w, "p", T);
    assert_string_equal(capture_broken(w, "t", "p"), "");
    contract_do(w, "ALTER TABLE t ADD COLUMN extra integer");
    contract_do(w, "UPDATE t SET extra = 1, n = 11 WHERE id = 1");
    contract_do(w, "INSERT INTO t VALUES (4, 'four', 40, 4)");
    contract_do(w, "DELETE FROM t WHERE id = 2");
    const char *why = capture_broken(w, "t", "p");
    if (!strstr(why, "extra"))
        fail_msg("%s", why);
    capture_end(w, "p");
    assert_string_equal(contract_ask(w, "SELECT n FROM t WHERE id = 1"), "11");
    assert_string_equal(capture_list(w), "");
}

static void a_table_that_is_gone_is_listed_and_can_be_ended(void **state)
{
    contract_world *w = *state;
    make_t(w);
    contract_do(w, "CREATE TABLE u (id integer PRIMARY KEY)");
    capture_begin(w, "p", PG_NAMES("t", "u"));
    contract_do(w, "DROP TABLE t");
    assert_string_equal(capture_list(w), "p t gone\np u\n");
    make_t(w);
    assert_string_not_equal(capture_broken(w, "t", "p"), "");
    capture_end(w, "p");
    assert_string_equal(capture_list(w), "");
    contract_do(w, "INSERT INTO u VALUES (1); UPDATE t SET n = 1");
}

static void a_table_without_a_key_is_uncovered(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (a integer); CREATE TABLE u (id integer PRIMARY KEY)");
    const char *why = capture_coverage(w, "t", BO_UNCOVERED);
    if (!strstr(why, "key"))
        fail_msg("%s", why);
    if (w->engine == CONTRACT_MARIADB) /* nothing fires there when a table is emptied */
        assert_non_null(strstr(capture_coverage(w, "u", BO_COVERED_WITH_LIMITS), "TRUNCATE"));
    else
        assert_string_equal(capture_coverage(w, "u", BO_COVERED), "");
    const bo_table *tables[] = {contract_table(w, "u"), contract_table(w, "t")};
    assert_int_equal(w->driver->capture->begin(w->conn, tables, 2, "p", &err), BO_UNSUPPORTED);
    if (!strstr(err.text, "key"))
        fail_msg("%s", err.text);
    assert_string_equal(capture_list(w), "");
}

static void a_writer_that_does_not_end_makes_it_busy(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    make_t(w);
    contract_do(w, "BEGIN");
    contract_do(w, "UPDATE t SET n = 11 WHERE id = 1");
    const bo_table *t = contract_table(w, "t");
    assert_int_equal(w->driver->capture->begin(w->conn, &t, 1, "p", &err), BO_BUSY);
    contract_do(w, "COMMIT");
    assert_string_equal(capture_list(w), "");
    capture_begin(w, "p", T);
    contract_do(w, "BEGIN");
    contract_do(w, "UPDATE t SET n = 12 WHERE id = 1");
    assert_int_equal(w->driver->capture->end(w->conn, "p", &err), BO_BUSY);
    contract_do(w, "COMMIT");
    assert_string_equal(capture_broken(w, "t", "p"), "");
    capture_end(w, "p");
}

static void an_undo_is_captured_with_its_own_tag(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    capture_tag(w, w->user, "change");
    stage_undo_begin(&undo, w->conn, T);
    contract_do(w, "UPDATE t SET n = n + 1; DELETE FROM t WHERE id = 2;"
                   "INSERT INTO t VALUES (4, 'four', 40)");
    capture_tag(w, w->conn, "undo");
    bo_error err = {0};
    stage_undo_stage(&undo);
    pg_must(stage_undo_apply(&undo, &err), &err);
    stage_undo_check(&undo);
    stage_undo_end(&undo);
    assert_string_equal(capture_since(w, "t", from), "");
    bo_journal_filter filter = {.from = from, .run = "undo"};
    assert_string_equal(capture_changes(w, "t", &filter), "(1|one|11) > (1|one|10)\n"
                                                          "(3|three|31) > (3|three|30)\n"
                                                          "(4|four|40) > -\n"
                                                          "- > (2|two|20)\n");
    filter.run = "change";
    assert_string_equal(capture_changes(w, "t", &filter), "(1|one|10) > (1|one|11)\n"
                                                          "(2|two|20) > -\n"
                                                          "(3|three|30) > (3|three|31)\n"
                                                          "- > (4|four|40)\n");
    assert_string_equal(capture_broken(w, "t", "p"), "");
}

CONTRACT_MAIN("capture", CONTRACT_TEST(a_row_that_changed_came_or_went_is_told_with_both_images),
    CONTRACT_TEST(nothing_is_told_of_rows_that_nobody_wrote),
    CONTRACT_TEST(many_writes_of_one_row_are_one_change),
    CONTRACT_TEST(what_came_and_went_again_is_left_out),
    CONTRACT_TEST(a_statement_over_many_rows_is_told_row_by_row),
    CONTRACT_TEST(what_was_rolled_back_leaves_nothing),
    CONTRACT_TEST(a_key_that_changes_is_a_row_gone_and_a_row_come),
    CONTRACT_TEST(keys_that_move_up_in_one_statement_are_told_right),
    CONTRACT_TEST(keys_that_are_swapped_are_told_right),
    CONTRACT_TEST(a_key_of_several_columns_is_one_key), CONTRACT_TEST(names_are_only_names),
    CONTRACT_TEST(what_cascades_is_told_as_well),
    CONTRACT_TEST(a_key_that_cascades_is_told_as_well),
    CONTRACT_TEST(a_row_of_the_journal_says_who_wrote),
    CONTRACT_TEST(a_connection_is_tagged_from_its_beginning),
    CONTRACT_TEST(a_tag_outlives_a_transaction_that_is_rolled_back),
    CONTRACT_TEST(writes_of_one_run_are_told_without_those_of_others),
    CONTRACT_TEST(a_row_that_others_wrote_in_between_is_mixed),
    CONTRACT_TEST(writes_of_a_user_or_of_transactions_can_be_chosen),
    CONTRACT_TEST(a_rollback_is_neither_the_users_work_nor_that_of_others),
    CONTRACT_TEST(only_what_lies_between_two_positions_is_told),
    CONTRACT_TEST(own_writes_after_a_position_are_later), CONTRACT_TEST(points_share_a_journal),
    CONTRACT_TEST(a_point_that_is_not_known_can_be_ended),
    CONTRACT_TEST(a_captured_table_looks_as_it_did),
    CONTRACT_TEST(a_new_column_is_noticed_and_users_can_go_on),
    CONTRACT_TEST(a_table_that_is_gone_is_listed_and_can_be_ended),
    CONTRACT_TEST(a_table_without_a_key_is_uncovered),
    CONTRACT_TEST(a_writer_that_does_not_end_makes_it_busy),
    CONTRACT_TEST(an_undo_is_captured_with_its_own_tag))
