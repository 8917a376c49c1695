/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_script.c - rollbacks as SQL, run by psql and sqlite3. */
#include "exported.h"

static const char *changed_point(world *w)
{
    hostile_set_up(w);
    const char *id = world_point(w, NULL);
    hostile_change(w);
    world_seal(w, id);
    return id;
}

static void the_script_brings_every_row_back_as_it_was(void **state)
{
    world *w = world_or_skip(state);
    const char *id = changed_point(w);
    const char *said = "";
    int status = run_shell(w, scripted(w, id), &said);
    assert_string_equal(status ? said : "", "");
    assert_true(verifies(w, id, BO_AGAINST_BEFORE));
}

static void a_second_run_fails_and_changes_nothing(void **state)
{
    world *w = world_or_skip(state);
    const char *id = changed_point(w);
    const char *sql = scripted(w, id);
    const char *said = "";
    assert_int_equal(run_shell(w, sql, &said), 0);
    assert_int_not_equal(run_shell(w, sql, &said), 0);
    assert_non_null(strstr(said, "the row is not as expected"));
    assert_true(verifies(w, id, BO_AGAINST_BEFORE));
}

static void a_later_write_stops_the_script_before_anything_is_changed(void **state)
{
    world *w = world_or_skip(state);
    const char *id = changed_point(w);
    const char *sql = scripted(w, id);
    world_sql(w, "UPDATE orders SET total = 1 WHERE id = 12");
    const char *since = exported(w, id, BO_EXPORT_JSONL, BO_EXPORT_SINCE);
    const char *said = "";
    assert_int_not_equal(run_shell(w, sql, &said), 0);
    assert_non_null(strstr(said, "the row is not as expected"));
    assert_string_equal(exported(w, id, BO_EXPORT_JSONL, BO_EXPORT_SINCE), since);
}

static void rows_of_others_are_not_taken_along_by_a_foreign_key(void **state)
{
    world *w = world_or_skip(state);
    world_sql(w, "CREATE TABLE notes (id INTEGER PRIMARY KEY,"
                 " customer_id INTEGER REFERENCES customers (id) ON DELETE CASCADE)");
    const char *id = world_change(w, "customers", "INSERT INTO customers VALUES (3, 'Cyd')");
    const char *sql = scripted(w, id);
    world_sql(w, "INSERT INTO notes VALUES (1, 3)");
    const char *said = "";
    assert_int_not_equal(run_shell(w, sql, &said), 0);
    assert_non_null(
        strstr(said, on_postgres(w) ? "rows that stay refer to this row" : "foreign key would be"));
    assert_string_equal(world_value(w, "SELECT count(*) FROM customers"), "3");
    assert_string_equal(world_value(w, "SELECT count(*) FROM notes"), "1");
}

static void rows_that_swapped_a_unique_value_swap_it_back(void **state)
{
    world *w = world_or_skip(state);
    world_sql(w, "CREATE TABLE seats (id INTEGER PRIMARY KEY, name TEXT UNIQUE, place TEXT);"
                 "INSERT INTO seats VALUES (1, 'a', 'x'), (2, 'b', 'x'), (3, 'c', 'x');");
    const char *id = world_change(w, "seats",
        "UPDATE seats SET name = 'd' WHERE id = 1;"
        "UPDATE seats SET name = 'a' WHERE id = 2;"
        "UPDATE seats SET name = 'b' WHERE id = 1;"
        "UPDATE seats SET place = 'y' WHERE id = 3;");
    const char *said = "";
    int status = run_shell(w, scripted(w, id), &said);
    assert_string_equal(status ? said : "", "");
    assert_true(verifies(w, id, BO_AGAINST_BEFORE));
}

static void rows_of_one_table_that_refer_to_each_other_come_back(void **state)
{
    world *w = world_or_skip(state);
    world_sql(w, "CREATE TABLE tree (id INTEGER PRIMARY KEY, above INTEGER REFERENCES tree (id));"
                 "INSERT INTO tree VALUES (1, NULL), (3, 1), (2, 3);");
    const char *id = world_change(w, "tree",
        "UPDATE tree SET above = NULL; INSERT INTO tree VALUES (5, 1), (4, 5);"
        "UPDATE tree SET above = 4 WHERE id = 1; DELETE FROM tree WHERE id = 3;");
    const char *said = "";
    int status = run_shell(w, scripted(w, id), &said);
    assert_string_equal(status ? said : "", "");
    assert_true(verifies(w, id, BO_AGAINST_BEFORE));
}

static void rows_that_a_foreign_key_took_along_come_back(void **state)
{
    world *w = world_or_skip(state);
    world_sql(w, "CREATE TABLE up (id INTEGER PRIMARY KEY, name TEXT UNIQUE);"
                 "CREATE TABLE down (id INTEGER PRIMARY KEY,"
                 " up INTEGER REFERENCES up (id) ON DELETE CASCADE ON UPDATE CASCADE);"
                 "INSERT INTO up VALUES (1, 'a'), (2, 'b');"
                 "INSERT INTO down VALUES (1, 1), (2, 1), (3, 2);");
    const char *id = world_change(w, NULL,
        "DELETE FROM up WHERE id = 1; UPDATE up SET id = 20 WHERE id = 2;"
        "UPDATE down SET up = 20;");
    const char *said = "";
    int status = run_shell(w, scripted(w, id), &said);
    assert_string_equal(status ? said : "", "");
    assert_true(verifies(w, id, BO_AGAINST_BEFORE));
}

static void triggers_and_constraints_are_as_they_were_afterwards(void **state)
{
    world *w = world_or_skip(state);
    if (!on_postgres(w))
        return;
    world_sql(w, "ALTER TABLE orders ADD COLUMN before INTEGER REFERENCES orders (id)");
    const char *id = changed_point(w);
    const char *said = "";
    static const char shape[] =
        "SELECT string_agg(t.tgname::text || t.tgenabled::text || t.tgdeferrable, ',' ORDER BY "
        "t.oid) ||"
        " (SELECT string_agg(conname::text || condeferrable || condeferred, ',' ORDER BY oid)"
        " FROM pg_constraint) FROM pg_trigger t";
    const char *was = world_value(w, shape);
    assert_int_equal(run_shell(w, scripted(w, id), &said), 0);
    assert_string_equal(world_value(w, shape), was);
}

static void the_change_is_exported_as_sql_that_does_it_again(void **state)
{
    world *w = world_or_skip(state);
    const char *id = changed_point(w);
    const char *forward = exported(w, id, BO_EXPORT_SQL, BO_EXPORT_CHANGE);
    const char *said = "";
    assert_int_equal(run_shell(w, scripted(w, id), &said), 0);
    int status = run_shell(w, forward, &said);
    assert_string_equal(status ? said : "", "");
    assert_true(verifies(w, id, BO_AGAINST_AFTER));
}

static void the_rows_of_the_point_are_sql_that_fills_empty_tables(void **state)
{
    world *w = world_or_skip(state);
    hostile_set_up(w);
    const char *id = world_point(w, NULL);
    const char *rows = exported(w, id, BO_EXPORT_SQL, BO_EXPORT_BEFORE);
    world_sql(w, "DELETE FROM orders; DELETE FROM customers; DELETE FROM log;");
    world_sql(w, on_postgres(w) ? "DELETE FROM \"sc\"\"hema\".\"odd \"\" na'me;--\n:x\";"
                                  "ALTER TABLE \"sc\"\"hema\".\"odd \"\" na'me;--\n:x\""
                                  " DISABLE TRIGGER USER"
                                : "DELETE FROM \"odd \"\" na'me;--\n:x\"");
    const char *said = "";
    int status = run_shell(w, rows, &said);
    assert_string_equal(status ? said : "", "");
    assert_true(verifies(w, id, BO_AGAINST_BEFORE));
}

static void rows_of_many_columns_come_back(void **state)
{
    world *w = world_or_skip(state);
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "CREATE TABLE wide (id INTEGER PRIMARY KEY");
    for (unsigned i = 0; i < 1200; i++)
        bo_buf_printf(&sql, ", c%u INTEGER DEFAULT %u", i, i);
    bo_buf_add_str(&sql, "); INSERT INTO wide (id) VALUES (1), (2)");
    world_sql(w, bo_buf_str(&sql));
    const char *id = world_change(w, "wide",
        "UPDATE wide SET c7 = NULL, c1199 = -1 WHERE id = 1; DELETE FROM wide WHERE id = 2");
    const char *said = "";
    int status = run_shell(w, scripted(w, id), &said);
    assert_string_equal(status ? said : "", "");
    assert_true(verifies(w, id, BO_AGAINST_BEFORE));
}

static void a_point_that_is_not_sealed_has_no_script(void **state)
{
    world *w = world_or_skip(state);
    bo_error err = {0};
    const char *id = world_point(w, NULL);
    assert_int_equal(bo_script(w->session, &w->database, id, NULL, NULL, &err), BO_REFUSED);
    assert_non_null(strstr(err.text, "is not sealed"));
}

#define BOTH(name) WORLD_TEST(name), WORLD_TEST_POSTGRES(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_script_brings_every_row_back_as_it_was),
        BOTH(a_second_run_fails_and_changes_nothing),
        BOTH(a_later_write_stops_the_script_before_anything_is_changed),
        BOTH(rows_of_others_are_not_taken_along_by_a_foreign_key),
        BOTH(rows_that_swapped_a_unique_value_swap_it_back),
        BOTH(rows_of_one_table_that_refer_to_each_other_come_back),
        BOTH(rows_that_a_foreign_key_took_along_come_back),
        BOTH(triggers_and_constraints_are_as_they_were_afterwards),
        BOTH(the_change_is_exported_as_sql_that_does_it_again),
        BOTH(the_rows_of_the_point_are_sql_that_fills_empty_tables),
        BOTH(rows_of_many_columns_come_back),
        BOTH(a_point_that_is_not_sealed_has_no_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
