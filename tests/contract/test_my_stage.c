/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_my_stage.c - what only MariaDB's stage, locks and marker have to show. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "contract/my_clerk.h"

/* ---- triggers ---- */

static bo_status compare_row(void *ctx, uint64_t id, bo_image row, bo_error *err)
{
    (void)id;
    (void)err;
    const stage_undo *undo = ctx;
    const bo_buf *wanted = &undo->before[0].rows[0].image;
    return bo_image_equal(row, (bo_image){wanted->data, wanted->size}) ? BO_OK : BO_MISMATCH;
}

static void what_a_trigger_of_a_user_does_to_a_row_is_read_back(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(
        w, "CREATE TABLE t (id integer PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'a')");
    contract_do(
        w, "CREATE TRIGGER louder BEFORE INSERT ON t FOR EACH ROW SET NEW.a = upper(NEW.a)");
    stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
    contract_do(w, "DELETE FROM t");
    stage_undo_stage(&undo);
    pg_must(w->driver->stage_apply(undo.stage, undo.applied, &err), &err);
    assert_int_equal(
        w->driver->stage_readback(undo.stage, 0, compare_row, &undo, &err), BO_MISMATCH);
    stage_undo_end(&undo);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "0");
}

static void triggers_of_users_fire_and_stay(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text); CREATE TABLE log (what text);"
                   "INSERT INTO t VALUES (1, 'a'), (2, 'b')");
    contract_do(
        w, "CREATE TRIGGER one AFTER INSERT ON t FOR EACH ROW INSERT INTO log VALUES ('in')");
    stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
    contract_do(w, "DELETE FROM t");
    stage_undo_stage(&undo);
    pg_must(stage_undo_apply(&undo, &err), &err);
    stage_undo_check(&undo);
    stage_undo_end(&undo);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM log"), "2"); /* the limit */
    contract_do(w, "INSERT INTO t VALUES (3, 'c')");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM log"), "3");
}

static void a_trigger_that_refuses_a_row_refuses_the_rollback(void **state)
{
    contract_world *w = *state;
    static const struct {
        const char *body, *words;
    } ways[] = {
        {"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rows of t stay'", "rows of t stay"},
        {"SIGNAL SQLSTATE '02000' SET MESSAGE_TEXT = 'no row'", "no row"},
        {"SIGNAL SQLSTATE '23000' SET MESSAGE_TEXT = 'in use'", "in use"},
        {"UPDATE t SET a = 'x' WHERE id = 1", "already used by statement"},
        {"CALL nobody()", "does not exist"},
    };
    contract_do(
        w, "CREATE TABLE t (id integer PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'a')");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        bo_error err = {0};
        stage_undo undo;
        char sql[200];
        snprintf(sql, sizeof sql, "CREATE TRIGGER never BEFORE DELETE ON t FOR EACH ROW %s",
            ways[i].body);
        contract_do(w, sql);
        stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
        contract_do(w, "INSERT INTO t VALUES (2, 'b')");
        stage_undo_stage(&undo);
        bo_status st = stage_undo_apply(&undo, &err);
        if (st != BO_CONFLICT || !strstr(err.text, "a trigger refuses it\n") ||
            !strstr(err.text, ways[i].words))
            fail_msg("%s: %s", bo_status_name(st), err.text);
        stage_undo_end(&undo);
        assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "2");
        contract_do(w, "DROP TRIGGER never; DELETE FROM t WHERE id = 2");
    }
}

static void a_row_is_changed_in_place_when_triggers_watch(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(w,
        "CREATE TABLE t (id integer PRIMARY KEY, code varchar(9) UNIQUE, a text,"
        " touched timestamp(6) NOT NULL DEFAULT current_timestamp(6)"
        " ON UPDATE current_timestamp(6)); CREATE TABLE log (what text);"
        "INSERT INTO t (id, code, a) VALUES (1, 'x', 'a'), (2, 'y', 'b'), (3, 'z', 'c')");
    stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET a = 'changed'; UPDATE t SET code = NULL WHERE id = 1;"
                   "UPDATE t SET code = 'x' WHERE id = 2; UPDATE t SET code = 'y' WHERE id = 1");
    contract_do(w, "CREATE TRIGGER one AFTER UPDATE ON t FOR EACH ROW"
                   " INSERT INTO log VALUES (concat('update ', NEW.id))");
    contract_do(w, "CREATE TRIGGER two AFTER DELETE ON t FOR EACH ROW"
                   " INSERT INTO log VALUES (concat('delete ', OLD.id))");
    stage_undo_stage(&undo);
    pg_must(stage_undo_apply(&undo, &err), &err);
    assert_int_equal(undo.applied[0].updated, 3);
    stage_undo_check(&undo);
    stage_undo_end(&undo);
    assert_string_equal(contract_ask(w, "SELECT group_concat(what ORDER BY what) FROM log"),
        "delete 1,delete 2,update 3"); /* the first two have each other's code */
}

/* ---- rows ---- */

static void rows_as_wide_as_rows_can_be_are_staged(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(w,
        "CREATE TABLE t (a varchar(500) COLLATE utf8mb4_bin PRIMARY KEY, b varchar(15872),"
        " c varbinary(20) NOT NULL UNIQUE);"
        "INSERT INTO t VALUES (repeat('k', 500), repeat('b', 15872), 'c'),"
        " (concat(repeat('k', 499), 'K'), repeat('B', 15872), 'C')");
    stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET b = upper(b) WHERE c = 'c'; DELETE FROM t WHERE c = 'C'");
    stage_undo_stage(&undo);
    pg_must(stage_undo_apply(&undo, &err), &err);
    stage_undo_check(&undo);
    stage_undo_end(&undo);
}

/* ---- the session after an undo ---- */

static void foreign_keys_are_enforced_again_after_an_undo(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    for (int fails = 0; fails < 2; fails++) {
        stage_undo undo;
        contract_do(w, "DROP TABLE IF EXISTS c, p;"
                       "CREATE TABLE p (id integer PRIMARY KEY);"
                       "CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id));"
                       "INSERT INTO p VALUES (1)");
        stage_undo_begin(&undo, w->conn, PG_NAMES("p"));
        contract_do(w, "DELETE FROM p");
        stage_undo_stage(&undo);
        if (fails) /* the row is there already */
            pg_do(w->conn, "INSERT INTO p VALUES (1)");
        assert_int_equal(stage_undo_apply(&undo, &err), fails ? BO_CONFLICT : BO_OK);
        stage_undo_end(&undo);
        assert_int_equal(
            w->driver->exec(w->conn, "INSERT INTO c VALUES (1, 9)", &err), BO_CONFLICT);
    }
}

static void a_reference_that_an_undo_would_break_is_a_conflict(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(w, "CREATE TABLE p (id integer PRIMARY KEY);"
                   "CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id)"
                   " ON DELETE CASCADE)");
    stage_undo_begin(&undo, w->conn, PG_NAMES("p"));
    contract_do(w, "INSERT INTO p VALUES (1)");
    stage_undo_stage(&undo);
    contract_do(w, "INSERT INTO c VALUES (7, 1)"); /* nobody asked stage_blocked() */
    assert_int_equal(stage_undo_apply(&undo, &err), BO_CONFLICT);
    stage_undo_end(&undo);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM c"), "1");
}

/* The transaction's snapshot is older than what they did. */
static void references_that_others_break_meanwhile_are_counted(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    uint64_t violations = 0;
    contract_do(w, "CREATE TABLE p (id integer PRIMARY KEY);"
                   "CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id));"
                   "INSERT INTO p VALUES (1), (2), (3); INSERT INTO c VALUES (3, 3)");
    const bo_table *child = contract_table(w, "c");
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    uint64_t rows = 0;
    pg_must(w->driver->count(w->conn, contract_table(w, "p"), NULL, &rows, &err), &err);
    contract_do(w, "DELETE FROM p WHERE id = 1");
    pg_do(w->conn, "SET foreign_key_checks = 0; INSERT INTO c VALUES (1, 1), (2, 2)");
    pg_must(w->driver->check_references(w->conn, &child, 1, &violations, NULL, &err), &err);
    assert_int_equal(violations, 1);
    contract_do(w, "SET innodb_lock_wait_timeout = 1");
    assert_int_equal(w->driver->exec(w->user, "DELETE FROM p WHERE id = 2", &err), BO_BUSY);
    w->driver->rollback(w->conn);
}

static void nothing_of_a_stage_is_left_in_the_session(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)");
    stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
    contract_do(w, "DELETE FROM t");
    stage_undo_stage(&undo);
    pg_must(stage_undo_apply(&undo, &err), &err);
    stage_undo_end(&undo);
    assert_int_not_equal(w->driver->exec(w->conn, "SELECT 1 FROM backout_stage_1_0", &err), BO_OK);
}

/* ---- locks ---- */

static void readers_go_on_beside_a_lock(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1), (3)");
    const bo_table *table = contract_table(w, "t");
    contract_do(w, "SET innodb_lock_wait_timeout = 1");
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(w->driver->lock(w->conn, &table, 1, &err), &err);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "2");
    assert_int_equal(w->driver->exec(w->user, "INSERT INTO t VALUES (2)", &err), BO_BUSY);
    assert_int_equal(w->driver->exec(w->user, "UPDATE t SET id = 4 WHERE id = 3", &err), BO_BUSY);
    pg_do(w->conn, "INSERT INTO t VALUES (2)");
    pg_must(w->driver->commit(w->conn, &err), &err);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "3");
}

static void without_a_lock_the_rows_that_a_stage_finds_are_locked(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text);"
                   "INSERT INTO t VALUES (1, 'a'), (5, 'b')");
    stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET a = 'x' WHERE id = 1; SET innodb_lock_wait_timeout = 1");
    stage_undo_stage(&undo); /* as a dry run does */
    assert_int_equal(w->driver->exec(w->user, "UPDATE t SET a = 'y' WHERE id = 1", &err), BO_BUSY);
    contract_do(w, "UPDATE t SET a = 'y' WHERE id = 5");
    stage_undo_end(&undo);
    contract_do(w, "UPDATE t SET a = 'y' WHERE id = 1");
}

typedef struct rollback {
    stage_undo undo;
    bo_status status;
} rollback;

static void *apply_and_end(void *ctx)
{
    rollback *self = ctx;
    bo_error err = {0};
    self->status = stage_undo_apply(&self->undo, &err);
    return NULL;
}

static void of_two_rollbacks_at_once_one_is_busy_and_changes_nothing(void **state)
{
    contract_world *w = *state;
    rollback one = {0}, two = {0};
    bo_conn *other = contract_connect(w, false);
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text);"
                   "INSERT INTO t VALUES (1, 'a'), (2, 'b')");
    stage_undo_begin(&one.undo, w->conn, PG_NAMES("t"));
    stage_undo_begin(&two.undo, other, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET a = 'x'");
    stage_undo_stage(&one.undo);
    stage_undo_stage(&two.undo);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, apply_and_end, &one), 0);
    apply_and_end(&two);
    pthread_join(thread, NULL);
    assert_true((one.status == BO_OK && two.status == BO_BUSY) ||
                (one.status == BO_BUSY && two.status == BO_OK));
    stage_undo_check(&one.undo);
    stage_undo_end(&one.undo);
    stage_undo_end(&two.undo);
    bo_conn_free(other);
}

static void who_holds_a_lock_is_told_to_those_who_may_know(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY)");
    const bo_table *table = contract_table(w, "t");
    pg_must(w->driver->begin(w->user, BO_TX_PLAIN, &err), &err);
    contract_do(w, "INSERT INTO t VALUES (1)");
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    assert_int_equal(w->driver->lock(w->conn, &table, 1, &err), BO_BUSY);
    assert_non_null(strstr(err.text, "cannot lock t"));
    if (my_is_super(w))
        assert_non_null(strstr(err.text, "of user 'root'"));
    w->driver->rollback(w->conn);
    w->driver->rollback(w->user);
}

static void who_holds_a_row_that_is_referred_to_is_told_as_well(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    uint64_t violations = 0;
    contract_do(w, "CREATE TABLE p (id integer PRIMARY KEY);"
                   "CREATE TABLE c (id integer PRIMARY KEY, r integer REFERENCES p (id));"
                   "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)");
    const bo_table *child = contract_table(w, "c");
    pg_must(w->driver->begin(w->user, BO_TX_PLAIN, &err), &err);
    contract_do(w, "UPDATE p SET id = id");
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    assert_int_equal(
        w->driver->check_references(w->conn, &child, 1, &violations, NULL, &err), BO_BUSY);
    assert_non_null(strstr(err.text, "cannot check foreign key"));
    assert_non_null(strstr(err.text, my_is_super(w) ? "of user 'root'" : "the right PROCESS"));
    w->driver->rollback(w->conn);
    w->driver->rollback(w->user);
}

/* ---- a user with few rights ---- */

static void without_the_right_to_lock_tables_rows_are_locked(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    if (!my_is_super(w))
        skip(); /* only it makes users */
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY)");
    bo_conn *clerk =
        my_clerk_connect(w, "SELECT, INSERT, UPDATE, DELETE, CREATE TEMPORARY TABLES", NULL);
    const bo_table *table = pg_table(clerk, w->arena, "t");
    contract_do(w, "SET innodb_lock_wait_timeout = 1");
    pg_must(w->driver->begin(clerk, BO_TX_WRITE, &err), &err);
    pg_must(w->driver->lock(clerk, &table, 1, &err), &err);
    assert_int_equal(w->driver->exec(w->user, "INSERT INTO t VALUES (1)", &err), BO_BUSY);
    w->driver->rollback(clerk);
    my_clerk_drop(w, clerk);
}

static void rights_that_are_missing_are_named(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    if (!my_is_super(w))
        skip();
    BO_OWN_VALUE(bo_buf) token = {0};
    bo_stage *stage = NULL;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY)");
    bo_conn *clerk = my_clerk_connect(w, "SELECT, INSERT, UPDATE, DELETE", NULL);
    const bo_table *table = pg_table(clerk, w->arena, "t");
    pg_must(w->driver->begin(clerk, BO_TX_WRITE, &err), &err);
    bo_stage_table tables = {table, table};
    assert_int_equal(w->driver->stage_open(clerk, &tables, 1, &stage, &err), BO_DENIED);
    assert_non_null(strstr(err.text, "GRANT CREATE TEMPORARY TABLES"));
    assert_int_equal(w->driver->mark(clerk, "one", &token, &err), BO_DENIED);
    assert_non_null(strstr(err.text, "needed: GRANT CREATE"));
    w->driver->rollback(clerk);
    my_clerk_drop(w, clerk);
}

/* ---- the marker ---- */

static void a_marker_of_a_transaction_that_still_runs_is_not_known(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bool marked = true;
    BO_OWN_VALUE(bo_buf) token = {0};
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(w->driver->mark(w->conn, "one", &token, &err), &err);
    bo_conn *other = contract_connect(w, false);
    assert_int_equal(
        w->driver->marked(other, "one", bo_buf_str(&token), &marked, &err), BO_UNKNOWN);
    pg_must(w->driver->unmark(other, "other", &err), &err); /* leaves the table to its user */
    pg_must(w->driver->commit(w->conn, &err), &err);
    pg_must(w->driver->marked(other, "one", bo_buf_str(&token), &marked, &err), &err);
    assert_true(marked);
    pg_must(w->driver->unmark(other, "one", &err), &err);
    bo_conn_free(other);
}

CONTRACT_MAIN("my_stage", CONTRACT_TEST(what_a_trigger_of_a_user_does_to_a_row_is_read_back),
    CONTRACT_TEST(triggers_of_users_fire_and_stay),
    CONTRACT_TEST(a_trigger_that_refuses_a_row_refuses_the_rollback),
    CONTRACT_TEST(a_row_is_changed_in_place_when_triggers_watch),
    CONTRACT_TEST(rows_as_wide_as_rows_can_be_are_staged),
    CONTRACT_TEST(foreign_keys_are_enforced_again_after_an_undo),
    CONTRACT_TEST(a_reference_that_an_undo_would_break_is_a_conflict),
    CONTRACT_TEST(references_that_others_break_meanwhile_are_counted),
    CONTRACT_TEST(nothing_of_a_stage_is_left_in_the_session),
    CONTRACT_TEST(readers_go_on_beside_a_lock),
    CONTRACT_TEST(without_a_lock_the_rows_that_a_stage_finds_are_locked),
    CONTRACT_TEST(of_two_rollbacks_at_once_one_is_busy_and_changes_nothing),
    CONTRACT_TEST(who_holds_a_lock_is_told_to_those_who_may_know),
    CONTRACT_TEST(who_holds_a_row_that_is_referred_to_is_told_as_well),
    CONTRACT_TEST(without_the_right_to_lock_tables_rows_are_locked),
    CONTRACT_TEST(rights_that_are_missing_are_named),
    CONTRACT_TEST(a_marker_of_a_transaction_that_still_runs_is_not_known))
