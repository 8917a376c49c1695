/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_stage.c - every driver: undoing a change through the stage. */
#include "contract/contract.h"

#include <string.h>

static bo_status no_block(void *ctx, const bo_blocked *blocked, bo_error *err)
{
    (void)ctx;
    return bo_fail(err, BO_FAILED, "entry %llu of table %u is blocked by %s",
        (unsigned long long)blocked->id, blocked->table, blocked->constraint);
}

/* Setup, change, undo: all is as it was, and no foreign key is violated. */
static void undo(void **state, const char *setup, const char *change, const char *const *tables)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(w, setup);
    stage_undo_begin(&undo, w->conn, tables);
    contract_do(w, change);
    stage_undo_stage(&undo);
    pg_must(w->driver->stage_blocked(undo.stage, no_block, NULL, &err), &err);
    pg_must(stage_undo_apply(&undo, &err), &err);
    stage_undo_check(&undo);
    uint64_t violations = 1;
    pg_must(
        w->driver->check_references(w->conn, undo.now, undo.count, &violations, NULL, &err), &err);
    assert_int_equal(violations, 0);
    stage_undo_end(&undo);
}

static void rows_come_back_as_they_were(void **state)
{
    undo(state,
        "CREATE TABLE t (id integer PRIMARY KEY, a text, b integer NOT NULL);"
        "INSERT INTO t VALUES (1, 'one', 1), (2, NULL, 2), (3, 'three', 3), (4, '', 4)",
        "UPDATE t SET a = 'changed' WHERE id = 1; DELETE FROM t WHERE id = 2;"
        "UPDATE t SET a = NULL, b = 0 WHERE id = 4; INSERT INTO t VALUES (5, 'five', 5)",
        PG_NAMES("t"));
}

static void every_entry_is_counted_once(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text);"
                   "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')");
    stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET a = 'x' WHERE id = 1; DELETE FROM t WHERE id IN (2, 3);"
                   "INSERT INTO t VALUES (5, 'e'), (6, 'f'), (7, 'g')");
    stage_undo_stage(&undo);
    pg_must(stage_undo_apply(&undo, &err), &err);
    assert_int_equal(undo.applied[0].inserted, 2);
    assert_int_equal(undo.applied[0].updated, 1);
    assert_int_equal(undo.applied[0].deleted, 3);
    stage_undo_end(&undo);
}

static void unique_values_are_swapped_back(void **state)
{
    undo(state,
        "CREATE TABLE t (id integer PRIMARY KEY, code text NOT NULL UNIQUE);"
        "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')",
        "UPDATE t SET code = '?' WHERE id = 1; UPDATE t SET code = 'a' WHERE id = 2;"
        "UPDATE t SET code = 'b' WHERE id = 3; UPDATE t SET code = 'c' WHERE id = 1",
        PG_NAMES("t"));
}

static void a_primary_key_that_moved_moves_back(void **state)
{
    undo(state,
        "CREATE TABLE t (id integer PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'a'), (2, 'b')",
        "UPDATE t SET id = 9 WHERE id = 1; UPDATE t SET id = 1 WHERE id = 2", PG_NAMES("t"));
}

static void a_key_of_several_columns_identifies_rows(void **state)
{
    undo(state,
        "CREATE TABLE t (a varchar(9) NOT NULL, b integer NOT NULL, v text, PRIMARY KEY (b, a));"
        "INSERT INTO t VALUES ('x', 1, 'p'), ('x', 2, 'q'), ('y', 1, 'r')",
        "UPDATE t SET v = 'changed' WHERE a = 'x'; DELETE FROM t WHERE a = 'y'", PG_NAMES("t"));
}

static void a_chain_of_rows_that_refer_to_each_other_comes_back(void **state)
{
    undo(state,
        "CREATE TABLE t (id integer PRIMARY KEY, boss integer REFERENCES t (id));"
        "INSERT INTO t VALUES (1, NULL), (2, 1), (3, 2), (4, 3), (5, 5)",
        "UPDATE t SET boss = NULL WHERE id = 5; DELETE FROM t WHERE id = 5;"
        "DELETE FROM t WHERE id = 4; DELETE FROM t WHERE id = 3;"
        "DELETE FROM t WHERE id = 2; DELETE FROM t WHERE id = 1",
        PG_NAMES("t"));
}

static void two_tables_that_refer_to_each_other_come_back(void **state)
{
    contract_world *w = *state;
    undo(state,
        contract_pick(w,
            .sqlite =
                "CREATE TABLE a (id integer PRIMARY KEY, b integer NOT NULL REFERENCES b (id));"
                "CREATE TABLE b (id integer PRIMARY KEY, a integer NOT NULL REFERENCES a (id));"
                "INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1)",
            .postgresql = "CREATE TABLE a (id integer PRIMARY KEY, b integer NOT NULL);"
                          "CREATE TABLE b (id integer PRIMARY KEY, a integer NOT NULL"
                          " REFERENCES a (id) DEFERRABLE);"
                          "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id) DEFERRABLE;"
                          "BEGIN; SET CONSTRAINTS ALL DEFERRED;"
                          "INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1); COMMIT",
            .mariadb =
                "CREATE TABLE a (id integer PRIMARY KEY, b integer NOT NULL);"
                "CREATE TABLE b (id integer PRIMARY KEY, a integer NOT NULL REFERENCES a (id));"
                "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id);"
                "SET foreign_key_checks = 0;"
                "INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1)"),
        contract_pick(w, .sqlite = "DELETE FROM a; DELETE FROM b",
            .postgresql =
                "BEGIN; SET CONSTRAINTS ALL DEFERRED; DELETE FROM a; DELETE FROM b; COMMIT",
            .mariadb = "DELETE FROM a; DELETE FROM b"),
        PG_NAMES("a", "b"));
}

/* The old customer must be there before the orders go back to it, and has the same e-mail as the
 * new one, who can go only after that. */
static void customers_that_were_merged_are_parted_again(void **state)
{
    undo(state,
        "CREATE TABLE customers (id integer PRIMARY KEY, email text NOT NULL UNIQUE);"
        "CREATE TABLE orders (id integer PRIMARY KEY,"
        " customer integer NOT NULL REFERENCES customers (id));"
        "INSERT INTO customers VALUES (1, 'ann@example.org'), (2, 'bob@example.org');"
        "INSERT INTO orders VALUES (10, 1), (11, 1), (12, 2)",
        "UPDATE customers SET email = 'old' WHERE id = 1;"
        "INSERT INTO customers VALUES (3, 'ann@example.org');"
        "UPDATE orders SET customer = 3 WHERE customer = 1; DELETE FROM customers WHERE id = 1",
        PG_NAMES("customers", "orders"));
}

static void a_cascade_of_the_engine_does_not_run_again(void **state)
{
    contract_world *w = *state;
    undo(state,
        "CREATE TABLE p (id integer PRIMARY KEY, a text);"
        "CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id)"
        " ON DELETE CASCADE ON UPDATE CASCADE);"
        "INSERT INTO p VALUES (1, 'a'), (2, 'b'); INSERT INTO c VALUES (1, 1), (2, 1), (3, 2)",
        "UPDATE p SET a = 'changed' WHERE id = 1", PG_NAMES("p"));
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM c"), "3");
}

static const char *trigger_sql(const contract_world *w)
{
    return contract_pick(w,
        .sqlite =
            "CREATE TABLE t (id integer PRIMARY KEY, a text); CREATE TABLE log (what text);"
            "CREATE TRIGGER one AFTER INSERT ON t BEGIN INSERT INTO log VALUES ('insert'); END;"
            "CREATE TRIGGER two AFTER UPDATE ON t BEGIN INSERT INTO log VALUES ('update'); END;"
            "CREATE TRIGGER three AFTER DELETE ON t BEGIN INSERT INTO log VALUES ('delete'); END;"
            "INSERT INTO t VALUES (1, 'a'), (2, 'b'); DELETE FROM log",
        .postgresql =
            "CREATE TABLE t (id integer PRIMARY KEY, a text); CREATE TABLE log (what text);"
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN INSERT INTO log VALUES (TG_OP); RETURN NULL; END';"
            "CREATE TRIGGER one AFTER INSERT OR UPDATE OR DELETE ON t"
            " FOR EACH ROW EXECUTE FUNCTION note();"
            "INSERT INTO t VALUES (1, 'a'), (2, 'b'); DELETE FROM log");
}

static void triggers_of_users_do_not_fire_and_stay(void **state)
{
    contract_world *w = *state;
    if (w->engine == CONTRACT_MARIADB)
        skip(); /* it cannot keep them from firing: docs/guide/limits.md, test_my_stage.c */
    undo(state, trigger_sql(w),
        "UPDATE t SET a = 'x' WHERE id = 1; DELETE FROM t WHERE id = 2;"
        "INSERT INTO t VALUES (3, 'c'); DELETE FROM log",
        PG_NAMES("t"));
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM log"), "0");
    contract_do(w, "UPDATE t SET a = 'y' WHERE id = 1");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM log"), "1");
}

static void equal_rows_without_a_key_are_counted(void **state)
{
    undo(state,
        "CREATE TABLE t (a integer, b text);"
        "INSERT INTO t VALUES (1, 'x'), (1, 'x'), (1, 'x'), (NULL, NULL), (NULL, NULL), (2, NULL)",
        "DELETE FROM t WHERE a IS NULL; INSERT INTO t VALUES (1, 'x'), (2, NULL), (2, NULL),"
        " (NULL, 'y')",
        PG_NAMES("t"));
}

static void an_undo_of_nothing_changes_nothing(void **state)
{
    undo(state, "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1), (2)",
        "UPDATE t SET id = id", PG_NAMES("t"));
}

static void a_column_that_came_since_keeps_its_values(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text);"
                   "INSERT INTO t VALUES (1, 'a'), (2, 'b')");
    stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
    contract_do(w, "ALTER TABLE t ADD COLUMN extra text; UPDATE t SET a = 'x', extra = 'kept'");
    stage_undo_stage(&undo);
    pg_must(stage_undo_apply(&undo, &err), &err);
    stage_undo_end(&undo);
    assert_string_equal(
        contract_ask(w, "SELECT count(*) FROM t WHERE extra = 'kept' AND a <> 'x'"), "2");
}

static void names_and_values_are_only_names_and_values(void **state)
{
    undo(state,
        "CREATE TABLE \"order\"\"; drop table x --\" (\"%s\nid\" integer PRIMARY KEY,"
        " \"gr\xc3\xb6\xc3\x9f"
        "e\" text UNIQUE, \"select\" text);"
        "INSERT INTO \"order\"\"; drop table x --\" VALUES (1, 'it''s', '%n'), (2, '\"', '--')",
        "UPDATE \"order\"\"; drop table x --\" SET \"select\" = ''';' WHERE \"%s\nid\" = 1;"
        "DELETE FROM \"order\"\"; drop table x --\" WHERE \"%s\nid\" = 2",
        PG_NAMES("\"order\"\"; drop table x --\""));
}

static void a_row_that_appeared_meanwhile_is_a_conflict(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(
        w, "CREATE TABLE t (id integer PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'a')");
    stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
    contract_do(w, "DELETE FROM t");
    stage_undo_stage(&undo);
    pg_must(w->driver->exec(w->conn,
                contract_pick(w, .sqlite = "INSERT INTO t VALUES (1, 'other')",
                    .postgresql = "INSERT INTO public.t VALUES (1, 'other')",
                    .mariadb = "INSERT INTO t VALUES (1, 'other')"),
                &err),
        &err);
    assert_int_equal(stage_undo_apply(&undo, &err), BO_CONFLICT);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "0");
    stage_undo_end(&undo);
}

static void a_row_that_vanished_meanwhile_is_a_conflict(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text);"
                   "INSERT INTO t VALUES (1, 'a'), (2, 'b')");
    stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET a = 'x'; INSERT INTO t VALUES (3, 'c')");
    stage_undo_stage(&undo);
    pg_must(w->driver->exec(w->conn,
                contract_pick(w, .sqlite = "DELETE FROM t WHERE id = 3",
                    .postgresql = "DELETE FROM public.t WHERE id = 3",
                    .mariadb = "DELETE FROM t WHERE id = 3"),
                &err),
        &err);
    assert_int_equal(stage_undo_apply(&undo, &err), BO_CONFLICT);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t WHERE a = 'x'"), "2");
    stage_undo_end(&undo);
}

CONTRACT_MAIN("stage", CONTRACT_TEST(rows_come_back_as_they_were),
    CONTRACT_TEST(every_entry_is_counted_once), CONTRACT_TEST(unique_values_are_swapped_back),
    CONTRACT_TEST(a_primary_key_that_moved_moves_back),
    CONTRACT_TEST(a_key_of_several_columns_identifies_rows),
    CONTRACT_TEST(a_chain_of_rows_that_refer_to_each_other_comes_back),
    CONTRACT_TEST(two_tables_that_refer_to_each_other_come_back),
    CONTRACT_TEST(customers_that_were_merged_are_parted_again),
    CONTRACT_TEST(a_cascade_of_the_engine_does_not_run_again),
    CONTRACT_TEST(triggers_of_users_do_not_fire_and_stay),
    CONTRACT_TEST(equal_rows_without_a_key_are_counted),
    CONTRACT_TEST(an_undo_of_nothing_changes_nothing),
    CONTRACT_TEST(a_column_that_came_since_keeps_its_values),
    CONTRACT_TEST(names_and_values_are_only_names_and_values),
    CONTRACT_TEST(a_row_that_appeared_meanwhile_is_a_conflict),
    CONTRACT_TEST(a_row_that_vanished_meanwhile_is_a_conflict))
