/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/change/test_golden.c - snapshots of earlier versions come back as tables: their rows,
 * and what their definitions say.
 *
 * tests/golden/v1-ENGINE.snapshot is a backup of the tables that ENGINE.sql makes; it stays as it
 * is. A member of bo_table that came later is not in it, and has to be done without.
 */
#include "world.h"

static void restore(world *w, const char *name)
{
    bo_error err = {0};
    bo_rollback *done = NULL;
    const char *path = bo_arena_printf(w->arena, "%s/%s", GOLDEN_FOLDER, name);
    world_ok(bo_restore(w->session, &w->database, path, NULL, 0, false, &done, &err), &err);
    assert_string_equal(done->proof, "match");
    bo_rollback_free(done);
}

static void assert_value(world *w, const char *sql, const char *expected)
{
    assert_string_equal(world_value(w, sql), expected);
}

static void a_snapshot_of_sqlite_comes_back(void **state)
{
    world *w = *state;
    restore(w, "v1-sqlite.snapshot");
    assert_value(w,
        "SELECT group_concat(rowid || iif(a = 1e999, 'inf', quote(a)) || hex(b) || quote(c) || "
        "quote(d), ' ')"
        " FROM (SELECT rowid, * FROM golden_odd ORDER BY rowid)",
        "79223372036854775807781.5X'00FF' 9NULL6100623.0'text' 11infNULLX''");
    assert_value(w,
        "SELECT group_concat(k || n || coalesce(of, '') || twice, ' ') FROM golden_child",
        "a1-52 a24");
    assert_value(w, "SELECT group_concat(name || id, ' ') FROM golden_parent",
        "minus five-5 large9000000000");
    assert_value(w,
        "SELECT group_concat(type || ' ' || name, ', ') FROM sqlite_schema"
        " WHERE name IN ('golden_of', 'golden_t')",
        "index golden_of, trigger golden_t");
    assert_value(w, "SELECT seq FROM sqlite_sequence WHERE name = 'golden_parent'", "9000000000");
}

static void a_snapshot_of_postgresql_comes_back(void **state)
{
    world *w = world_or_skip(state);
    restore(w, "v1-postgresql.snapshot");
    assert_value(w,
        "SELECT string_agg(concat_ws('|', n, f, t, b, a, j, ts AT TIME ZONE 'UTC', d, i, u, o), '  "
        "'"
        " ORDER BY o) FROM golden_odd",
        "1.00|-0|a\nb\\|\\x0001|{1,NULL,3}|{\"a\": 1}|2026-11-21 12:00:00|2026-01-01|1 day "
        "02:00:00|"
        "00000000-0000-0000-0000-000000000001|t  NaN|NaN||{}|infinity|-infinity");
    assert_value(w,
        "SELECT string_agg(concat_ws('|', id, r, t), '  ' ORDER BY id) FROM golden_text",
        "1|pg_class|a\tb\\  2|");
    assert_value(w,
        "SELECT string_agg(concat_ws('|', k, n, of, twice), '  ' ORDER BY n) FROM golden_child",
        "a|1|-5|2  a|2|4");
    assert_value(w, "SELECT string_agg(name || id, ' ' ORDER BY id) FROM golden_parent",
        "minus five-5 large9000000000");
    assert_value(w,
        "SELECT string_agg(pg_get_constraintdef(oid), ', ' ORDER BY contype)"
        " FROM pg_constraint WHERE conrelid = 'golden_child'::regclass",
        "CHECK ((n > 0)), FOREIGN KEY (of) REFERENCES golden_parent(id) ON DELETE CASCADE"
        " DEFERRABLE, PRIMARY KEY (k, n)");
}

static void a_snapshot_of_mariadb_comes_back(void **state)
{
    world *w = world_or_skip(state);
    restore(w, "v1-mariadb.snapshot");
    assert_value(w,
        "SELECT GROUP_CONCAT(CONCAT_WS('|', c, HEX(b), HEX(bi), d, f, db, dt, e, s, j, z, t, y,"
        " ST_AsText(g)) ORDER BY c DESC SEPARATOR '  ') FROM golden_odd",
        "ab|61620000|5|1.00|0.1|1e308|2026-01-02 "
        "03:04:05.678|b|x,z|{\"a\":1}|00042|-12:34:56.78|2026"
        "|POINT(1 2)  |00000000|0|5e-324|");
    assert_value(w,
        "SELECT GROUP_CONCAT(CONCAT_WS('|', HEX(k), n, of, twice) ORDER BY n SEPARATOR '  ')"
        " FROM golden_child",
        "E9|1|-5|2  61|2|4");
    assert_value(w,
        "SELECT GROUP_CONCAT(CONCAT(name, id) ORDER BY id SEPARATOR ' ') FROM golden_parent",
        "minus five-5 large9000000000");
    assert_value(w,
        "SELECT CONCAT(constraint_name, ' ', delete_rule) FROM"
        " information_schema.referential_constraints WHERE constraint_schema = DATABASE()"
        " AND table_name = 'golden_child'",
        "golden_of CASCADE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_snapshot_of_sqlite_comes_back),
        WORLD_TEST_POSTGRES(a_snapshot_of_postgresql_comes_back),
        WORLD_TEST_MARIADB(a_snapshot_of_mariadb_comes_back),
    };
    return cmocka_run_group_tests_name("golden", tests, NULL, NULL);
}
