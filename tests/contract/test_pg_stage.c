/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_stage.c - changes of every awkward kind are undone exactly, as super-user
 * and as plain owner. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "contract/stage_world.h"

static int start(void **state)
{
    *state = stage_world_create("contract_stage");
    return 0;
}

/* ---- unique values ---- */

static void unique_values_that_were_swapped_go_back(void **state)
{
    WORLD;
    static const char swap[] = "UPDATE customers SET email = 'x' WHERE id = 1;"
                               "UPDATE customers SET email = 'c1@x' WHERE id = 2;"
                               "UPDATE customers SET email = 'c2@x' WHERE id = 1";
    stage_undo_both(w, stage_customers, swap, PG_NAMES("customers"));
    stage_undo_both(w, stage_customers, swap, PG_NAMES("customers", "orders"));
}

static void a_ring_of_three_unique_values_goes_back(void **state)
{
    WORLD;
    stage_undo_both(w, stage_customers,
        "UPDATE customers SET email = id || '-' WHERE id < 4;"
        "UPDATE customers SET email = 'c' || 1 + id % 3 || '@x' WHERE id < 4",
        PG_NAMES("customers"));
}

static void swapped_values_of_every_parkable_type_go_back(void **state)
{
    WORLD;
    static const char *const types[][3] = {
        {"int NOT NULL", "-5", "7"},
        {"numeric(6,2) NOT NULL CHECK (v < 100)", "1.50", "2.00"},
        {"varchar(8) NOT NULL", "'a'", "'b'"},
        {"uuid NOT NULL", "'00000000-0000-0000-0000-000000000001'",
            "'00000000-0000-0000-0000-000000000002'"},
        {"date NOT NULL", "'2026-01-01'", "'2026-01-02'"},
        {"timestamptz NOT NULL", "'2026-01-01'", "'2026-01-02'"},
        {"bytea NOT NULL", "'\\x00'", "'\\x01'"},
        {"ext.citext NOT NULL", "'Foo'", "'bar'"},
        {"int", "1", "2"},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char setup[600];
        char change[600];
        snprintf(setup, sizeof setup,
            "CREATE TABLE p (id int PRIMARY KEY, v %s UNIQUE);"
            "CREATE TABLE c (p int REFERENCES p); INSERT INTO p VALUES (1, %s), (2, %s);"
            "INSERT INTO c VALUES (1), (2)",
            types[i][0], types[i][1], types[i][2]);
        snprintf(change, sizeof change,
            "DELETE FROM c; DELETE FROM p; INSERT INTO p VALUES (2, %s), (1, %s);"
            "INSERT INTO c VALUES (1), (2)",
            types[i][1], types[i][2]);
        stage_undo_both(w, setup, change, PG_NAMES("p"));
    }
}

static void deferrable_unique_keys_are_checked(void **state)
{
    WORLD;
    stage_undo_both(w,
        "CREATE TABLE t (id int PRIMARY KEY, v int UNIQUE DEFERRABLE);"
        "INSERT INTO t SELECT n, n FROM generate_series(1, 20) n",
        "UPDATE t SET v = 21 - v", PG_NAMES("t"));
}

/* ---- foreign keys ---- */

static void merged_customers_are_parted_again(void **state)
{
    WORLD;
    stage_undo_both(w, stage_customers,
        "INSERT INTO customers VALUES (100, 'merged', 'both');"
        "UPDATE orders SET customer = 100 WHERE customer IN (3, 4);"
        "DELETE FROM customers WHERE id IN (3, 4);"
        "UPDATE customers SET email = 'c3@x' WHERE id = 100",
        PG_NAMES("orders", "customers"));
}

static void a_tree_that_refers_to_itself_goes_back(void **state)
{
    WORLD;
    for (int i = 0; i < 4; i++) {
        static const char *const actions[] = {
            "", "ON DELETE CASCADE ON UPDATE CASCADE", "ON DELETE SET NULL", "ON DELETE RESTRICT"};
        char setup[400];
        snprintf(setup, sizeof setup,
            "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t %s, v text);"
            "INSERT INTO t SELECT n, nullif(n / 2, 0), 'v' || n FROM generate_series(1, 200) n",
            actions[i]);
        stage_undo_both(w, setup,
            "INSERT INTO t SELECT n, n - 1, 'new' FROM generate_series(201, 260) n;"
            "UPDATE t SET up = 260 WHERE id = 50; DELETE FROM t WHERE id > 180 AND id < 200;"
            "UPDATE t SET v = 'changed' WHERE id IN (1, 2, 60)",
            PG_NAMES("t"));
    }
}

static void cycles_of_foreign_keys_go_back(void **state)
{
    WORLD;
    static const char setup[] =
        "CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL);"
        "CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a %s);"
        "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b %s;"
        "WITH x AS (INSERT INTO a SELECT n, n FROM generate_series(1, 9) n)"
        " INSERT INTO b SELECT n, n FROM generate_series(1, 9) n";
    static const char change[] =
        "WITH x AS (DELETE FROM a WHERE id < 4) DELETE FROM b WHERE id < 4;"
        "WITH x AS (INSERT INTO a VALUES (20, 21)) INSERT INTO b VALUES (21, 20);"
        "UPDATE a SET b = 21 WHERE id = 6";
    static const char *const kinds[] = {"", "DEFERRABLE", "ON DELETE CASCADE"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char sql[800];
        snprintf(sql, sizeof sql, setup, kinds[i], kinds[i]);
        stage_undo_both(w, sql, change, PG_NAMES("a", "b"));
        stage_undo_both(w, sql, change, PG_NAMES("b", "a"));
    }
}

static void actions_of_foreign_keys_never_fire(void **state)
{
    WORLD;
    static const char *const actions[] = {"ON DELETE CASCADE ON UPDATE CASCADE",
        "ON DELETE SET NULL ON UPDATE SET NULL", "ON DELETE SET DEFAULT",
        "ON DELETE RESTRICT ON UPDATE RESTRICT"};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        char setup[600];
        snprintf(setup, sizeof setup,
            "CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE, v text);"
            "CREATE TABLE c (id int PRIMARY KEY, p int DEFAULT NULL REFERENCES p %s, w int);"
            "INSERT INTO p SELECT n, 'k' || n, 'v' FROM generate_series(1, 50) n;"
            "INSERT INTO c SELECT n, 1 + n %% 40, n FROM generate_series(1, 400) n",
            actions[i]);
        static const char change[] =
            "UPDATE p SET v = 'changed', code = NULL WHERE id <= 20; DELETE FROM p WHERE id > 45;"
            "UPDATE p SET code = 'k' || 1 + id % 20 WHERE id <= 20;"
            "INSERT INTO p SELECT n, 'new' || n, 'new' FROM generate_series(60, 70) n";
        stage_undo_both(w, setup, change, PG_NAMES("p"));
        stage_undo_both(w, setup,
            "UPDATE p SET v = 'changed' WHERE id <= 20; UPDATE c SET p = 41 WHERE p < 4;"
            "DELETE FROM c WHERE p = 9; DELETE FROM p WHERE id IN (1, 2, 3, 9)",
            PG_NAMES("p", "c"));
    }
}

static void children_outside_the_stage_are_untouched(void **state)
{
    WORLD;
    for (int who = 0; who < 2; who++) {
        bo_conn *conn = who ? w->owner : w->super;
        bo_error err = {0};
        stage_world_reset(w,
            "CREATE TABLE p (id int PRIMARY KEY, v text);"
            "CREATE TABLE c (p int REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE);"
            "INSERT INTO p SELECT n, 'v' FROM generate_series(1, 50) n;"
            "INSERT INTO c SELECT n FROM generate_series(1, 50) n");
        stage_undo children;
        stage_undo parents;
        stage_undo_begin(&children, conn, PG_NAMES("c"));
        stage_undo_begin(&parents, conn, PG_NAMES("p"));
        pg_do(w->user, "UPDATE p SET v = 'changed'; INSERT INTO p VALUES (99, 'new')");
        stage_undo_stage(&parents);
        pg_must(stage_undo_apply(&parents, &err), &err);
        assert_int_equal(parents.applied[0].updated, 50);
        assert_int_equal(parents.applied[0].deleted, 1);
        assert_int_equal(parents.applied[0].inserted, 0);
        stage_undo_check(&parents);
        stage_undo_check(&children);
        stage_undo_end(&parents);
        stage_undo_end(&children);
    }
}

/* ---- columns ---- */

static void identity_and_generated_columns_come_back(void **state)
{
    WORLD;
    stage_undo_both(w,
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int,"
        " twice int GENERATED ALWAYS AS (a * 2) STORED);"
        "CREATE TABLE c (t int REFERENCES t);"
        "INSERT INTO t (a) SELECT n FROM generate_series(1, 30) n; INSERT INTO c VALUES (3)",
        "DELETE FROM t WHERE id > 20; UPDATE t SET a = a + 100 WHERE id < 5;"
        "INSERT INTO t (a) VALUES (7)",
        PG_NAMES("t"));
}

static void a_column_added_since_keeps_its_values(void **state)
{
    WORLD;
    for (int who = 0; who < 2; who++) {
        bo_conn *conn = who ? w->owner : w->super;
        bo_error err = {0};
        stage_world_reset(w, "CREATE TABLE t (id int PRIMARY KEY, v text);"
                             "INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 9) n");
        stage_undo undo;
        stage_undo_begin(&undo, conn, PG_NAMES("t"));
        pg_do(w->user, "ALTER TABLE t ADD added int DEFAULT 5; UPDATE t SET added = id;"
                       "UPDATE t SET v = 'changed' WHERE id < 5; DELETE FROM t WHERE id = 9");
        stage_undo_stage(&undo);
        pg_must(stage_undo_apply(&undo, &err), &err);
        stage_undo_end(&undo);
        pg_do(w->user, "DO $$ BEGIN IF (SELECT string_agg(v || added, ',' ORDER BY id) FROM t) <> "
                       "'v11,v22,v33,v44,v55,v66,v77,v88,v95' THEN RAISE 'wrong'; END IF; END $$");
    }
}

static void rows_move_back_between_partitions(void **state)
{
    WORLD;
    stage_undo_both(w,
        "CREATE TABLE t (id int, part int, v text, PRIMARY KEY (id, part)) PARTITION BY LIST "
        "(part);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t2 PARTITION OF t"
        " FOR VALUES IN (2);"
        "CREATE TABLE u (id int, part int, v text) PARTITION BY LIST (part);"
        "CREATE TABLE u1 PARTITION OF u FOR VALUES IN (1); CREATE TABLE u2 PARTITION OF u"
        " FOR VALUES IN (2);"
        "CREATE TABLE c (id int, part int, FOREIGN KEY (id, part) REFERENCES t);"
        "INSERT INTO t SELECT n, 1 + n % 2, 'v' FROM generate_series(1, 20) n;"
        "INSERT INTO u SELECT * FROM t; INSERT INTO c VALUES (2, 1), (3, 2)",
        "UPDATE t SET part = 2 WHERE id IN (4, 6); UPDATE t SET v = 'w' WHERE id < 9;"
        "UPDATE u SET part = 2 WHERE id IN (4, 6)",
        PG_NAMES("t", "u"));
}

/* ---- identity of rows ---- */

static void equal_rows_without_a_key_are_counted(void **state)
{
    WORLD;
    stage_undo_both(w,
        "CREATE TABLE t (a int, b text, c numeric);"
        "INSERT INTO t SELECT n % 3, NULL, 1.0 FROM generate_series(1, 30) n;"
        "INSERT INTO t VALUES (1, 'x', NULL), (1, 'x', NULL), (NULL, NULL, NULL)",
        "DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE a = 1 AND b IS NULL LIMIT 4);"
        "INSERT INTO t SELECT 2, NULL, 1.0 FROM generate_series(1, 5);"
        "INSERT INTO t SELECT 2, NULL, 1.00 FROM generate_series(1, 5);"
        "INSERT INTO t VALUES (NULL, NULL, NULL); DELETE FROM t WHERE b = 'x'",
        PG_NAMES("t"));
}

static void keys_that_are_equal_but_not_the_same_bytes_go_back(void **state)
{
    WORLD;
    stage_undo_both(w,
        "CREATE TABLE n (id numeric PRIMARY KEY, v int);"
        "CREATE TABLE s (id ext.citext PRIMARY KEY, v int);"
        "INSERT INTO n VALUES (1.0, 1), (2, 2), (3.00, 3); INSERT INTO s VALUES ('Foo', 1), ('x', "
        "2)",
        "UPDATE n SET id = 1.00 WHERE v = 1; UPDATE n SET v = 9 WHERE id = 3;"
        "UPDATE s SET id = 'fOO' WHERE v = 1; UPDATE s SET v = 7 WHERE id = 'X'",
        PG_NAMES("n", "s"));
}

static void hostile_names_are_only_names(void **state)
{
    WORLD;
    stage_undo_both(w,
        "CREATE TABLE \"a\"\"; DROP TABLE x; --\" (\"bo_id\" int PRIMARY KEY, \"c0\" text,"
        " \"%s\"\"'\" int UNIQUE, \"select\" text);"
        "CREATE TABLE \"Ünï çödé\" (\"c1\" int REFERENCES \"a\"\"; DROP TABLE x; --\","
        " \"bo_target\" bool, \"\\\" text);"
        "INSERT INTO \"a\"\"; DROP TABLE x; --\" VALUES (1, 'a', 1, 'b'), (2, 'c', 2, 'd');"
        "INSERT INTO \"Ünï çödé\" VALUES (1, true, '\\'), (2, false, NULL)",
        "UPDATE \"a\"\"; DROP TABLE x; --\" SET \"%s\"\"'\" = NULL;"
        "UPDATE \"a\"\"; DROP TABLE x; --\" SET \"%s\"\"'\" = 3 - \"bo_id\", \"c0\" = 'z';"
        "DELETE FROM \"Ünï çödé\" WHERE \"c1\" = 1",
        PG_NAMES("\"a\"\"; DROP TABLE x; --\"", "\"Ünï çödé\""));
}

/* ---- triggers and rules ---- */

static const char triggers[] =
    "CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE log (n int);"
    "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF TG_OP = 'DELETE' THEN RETURN NULL; END IF; NEW.v := 'meddled'; RETURN NEW; END $$;"
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " RAISE 'no'; END $$;"
    "INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 9) n;"
    "CREATE TRIGGER m BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION "
    "meddle();"
    "CREATE TRIGGER \"Always\" AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION "
    "refuse();"
    "CREATE TRIGGER r BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION refuse();"
    "CREATE TRIGGER d BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION refuse();"
    "ALTER TABLE t ENABLE ALWAYS TRIGGER \"Always\"; ALTER TABLE t ENABLE REPLICA TRIGGER r;"
    "ALTER TABLE t DISABLE TRIGGER d;";

static void triggers_do_not_fire_and_keep_their_states(void **state)
{
    WORLD;
    for (int who = 0; who < 2; who++) {
        bo_conn *conn = who ? w->owner : w->super;
        bo_error err = {0};
        stage_world_reset(w, triggers);
        stage_undo undo;
        stage_undo_begin(&undo, conn, PG_NAMES("t"));
        pg_do(w->user,
            "BEGIN; ALTER TABLE t DISABLE TRIGGER m; ALTER TABLE t DISABLE TRIGGER \"Always\";"
            "UPDATE t SET v = 'x' WHERE id < 4; DELETE FROM t WHERE id = 5; INSERT INTO t VALUES "
            "(10);"
            "ALTER TABLE t ENABLE TRIGGER m; ALTER TABLE t ENABLE ALWAYS TRIGGER \"Always\"; "
            "COMMIT");
        stage_undo_stage(&undo);
        pg_must(stage_undo_apply(&undo, &err), &err);
        stage_undo_check(&undo);
        stage_undo_end(&undo);
        pg_do(w->user,
            "DO $$ BEGIN IF (SELECT string_agg(tgname || tgenabled::text, ' ' ORDER BY tgname"
            " COLLATE \"C\") FROM pg_trigger WHERE tgrelid = 't'::regclass) <> "
            "'AlwaysA dD mO rR' THEN RAISE 'states changed'; END IF; END $$");
    }
}

/* An action runs its statement also where no row refers to the one that goes. */
static void triggers_of_statements_that_actions_run_do_not_fire(void **state)
{
    WORLD;
    static const char setup[] =
        "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, 2);"
        "CREATE TABLE c (id int PRIMARY KEY, r int REFERENCES t ON DELETE SET NULL);"
        "CREATE TABLE d (id int PRIMARY KEY, r int REFERENCES t ON UPDATE CASCADE);"
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RAISE ''it fired''; END';"
        "CREATE TRIGGER r BEFORE UPDATE ON c FOR EACH STATEMENT EXECUTE FUNCTION refuse();"
        "CREATE TRIGGER r AFTER UPDATE ON d FOR EACH STATEMENT EXECUTE FUNCTION refuse();";
    for (int who = 0; who < 2; who++) {
        bo_conn *conn = who ? w->owner : w->super;
        bo_error err = {0};
        stage_world_reset(w, setup);
        stage_undo undo;
        stage_undo_begin(&undo, conn, PG_NAMES("t"));
        pg_do(w->user, "INSERT INTO t VALUES (3, 3), (4, 4)");
        stage_undo_stage(&undo);
        pg_must(stage_undo_apply(&undo, &err), &err);
        stage_undo_check(&undo);
        stage_undo_end(&undo);
        pg_do(w->user, "DO $$ BEGIN IF (SELECT count(*) FROM pg_trigger WHERE tgname = 'r' AND"
                       " tgenabled = 'O') <> 2 THEN RAISE 'states changed'; END IF; END $$");
    }
}

static void a_rule_that_swallows_rows_is_refused(void **state)
{
    WORLD;
    static const char setup[] = "CREATE TABLE t (id int PRIMARY KEY, v text);"
                                "INSERT INTO t VALUES (1, 'a'), (2, 'b')";
    bo_error err = {0};
    stage_undo undo;
    stage_world_reset(w, setup);
    stage_undo_begin(&undo, w->owner, PG_NAMES("t"));
    pg_do(w->user, "UPDATE t SET v = 'c'; CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING");
    stage_undo_stage(&undo);
    assert_int_equal(stage_undo_apply(&undo, &err), BO_CONFLICT);
    assert_non_null(strstr(err.text, "rule 'r' of t"));
    assert_non_null(strstr(err.text, "GRANT SET ON PARAMETER"));
    stage_undo_end(&undo);
}

static void the_right_to_set_the_role_is_enough(void **state)
{
    WORLD;
    pg_do(w->super, "GRANT SET ON PARAMETER session_replication_role TO app");
    bo_error err = {0};
    stage_undo undo;
    stage_world_reset(w, stage_customers);
    stage_undo_begin(&undo, w->owner, PG_NAMES("customers", "orders"));
    pg_do(w->user, "DELETE FROM orders; UPDATE customers SET email = id || '+';"
                   "CREATE RULE r AS ON DELETE TO customers DO INSTEAD NOTHING");
    stage_undo_stage(&undo);
    pg_do(w->owner, "LOCK TABLE public.customers, public.orders IN SHARE ROW EXCLUSIVE MODE");
    bo_status st = stage_undo_apply(&undo, &err);
    pg_do(w->super, "REVOKE SET ON PARAMETER session_replication_role FROM app");
    pg_must(st, &err);
    stage_undo_check(&undo);
    stage_undo_end(&undo);
}

/* ---- clear ---- */

static void clear_empties_a_table_without_any_action(void **state)
{
    WORLD;
    for (int who = 0; who < 2; who++) {
        bo_conn *conn = who ? w->owner : w->super;
        const bo_driver *driver = conn->driver;
        bo_error err = {0};
        stage_world_reset(w,
            "CREATE TABLE p (id int PRIMARY KEY, up int REFERENCES p);"
            "CREATE TABLE c (p int REFERENCES p ON DELETE CASCADE);"
            "INSERT INTO p SELECT n, nullif(n / 2, 0) FROM generate_series(1, 9) n;"
            "INSERT INTO c SELECT n FROM generate_series(1, 5) n");
        bo_arena *arena = bo_arena_create();
        const bo_table *parent = pg_table(conn, arena, "p");
        const bo_table *child = pg_table(conn, arena, "c");
        uint64_t rows = 0;
        pg_must(driver->begin(conn, BO_TX_WRITE, &err), &err);
        pg_must(driver->lock(conn, &parent, 1, &err), &err);
        pg_must(driver->lock_referring(conn, &parent, 1, &err), &err);
        bo_status st = driver->clear(conn, parent, &rows, &err);
        if (who) { /* the owner cannot keep the action from running */
            assert_int_equal(st, BO_CONFLICT);
            assert_non_null(strstr(err.text, "change 5 rows of public.c"));
        } else {
            pg_must(st, &err);
            assert_int_equal(rows, 9);
        }
        driver->rollback(conn);
        pg_must(driver->begin(conn, BO_TX_WRITE, &err), &err);
        pg_must(driver->clear(conn, child, &rows, &err), &err);
        assert_int_equal(rows, 5);
        pg_must(driver->clear(conn, parent, &rows, &err), &err);
        assert_int_equal(rows, 9);
        driver->rollback(conn);
        bo_arena_free(arena);
    }
}

/* ---- speed ---- */

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void few_rows_of_many_and_many_rows_are_quick(void **state)
{
    WORLD;
    for (int who = 0; who < 2; who++) {
        bo_conn *conn = who ? w->owner : w->super;
        bo_error err = {0};
        stage_world_reset(w, "CREATE TABLE big (id int PRIMARY KEY, a int, b text);"
                             "INSERT INTO big SELECT n, n, md5(n::text) FROM generate_series(1, "
                             "300000) n; ANALYZE big");
        static const char *const changes[] = {
            "UPDATE big SET a = -1 WHERE id % 3000 = 0", "UPDATE big SET b = 'x' WHERE id % 3 = 0"};
        static const double limits[] = {0.5, 5};
        for (int i = 0; i < 2; i++) {
            stage_undo undo;
            stage_undo_begin(&undo, conn, PG_NAMES("big"));
            pg_do(w->user, changes[i]);
            stage_undo_stage(&undo);
            double begun = now_s();
            pg_must(stage_undo_apply(&undo, &err), &err);
            assert_true(now_s() - begun < limits[i]);
            stage_undo_check(&undo);
            stage_undo_end(&undo);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unique_values_that_were_swapped_go_back),
        cmocka_unit_test(a_ring_of_three_unique_values_goes_back),
        cmocka_unit_test(swapped_values_of_every_parkable_type_go_back),
        cmocka_unit_test(deferrable_unique_keys_are_checked),
        cmocka_unit_test(merged_customers_are_parted_again),
        cmocka_unit_test(a_tree_that_refers_to_itself_goes_back),
        cmocka_unit_test(cycles_of_foreign_keys_go_back),
        cmocka_unit_test(actions_of_foreign_keys_never_fire),
        cmocka_unit_test(children_outside_the_stage_are_untouched),
        cmocka_unit_test(identity_and_generated_columns_come_back),
        cmocka_unit_test(a_column_added_since_keeps_its_values),
        cmocka_unit_test(rows_move_back_between_partitions),
        cmocka_unit_test(equal_rows_without_a_key_are_counted),
        cmocka_unit_test(keys_that_are_equal_but_not_the_same_bytes_go_back),
        cmocka_unit_test(hostile_names_are_only_names),
        cmocka_unit_test(triggers_do_not_fire_and_keep_their_states),
        cmocka_unit_test(triggers_of_statements_that_actions_run_do_not_fire),
        cmocka_unit_test(a_rule_that_swallows_rows_is_refused),
        cmocka_unit_test(the_right_to_set_the_role_is_enough),
        cmocka_unit_test(clear_empties_a_table_without_any_action),
        cmocka_unit_test(few_rows_of_many_and_many_rows_are_quick),
    };
    return cmocka_run_group_tests(tests, start, stage_world_finish);
}
