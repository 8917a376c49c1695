/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/change/test_dependents.c - transactions that used what a change wrote, and the three
 * backout modes.
 *
 * Each story is a change and the transactions after it; what must be left is written down for each
 * mode.  The first ones are those by which Oracle explains TRANSACTION_BACKOUT, and end as they do
 * there.  SQLite does not tell transactions: each row that is written is one of its own there.
 */
#include "world.h"

#include <string.h>

#include "backout/run.h"
#include "support/fault_memory.h"

#define LATER_MAX 4

struct rows {
    const char *same;   /* on every engine */
    const char *sqlite; /* or there, where other writes of the same transaction stay */
};

static const struct story {
    const char *name;
    const char *before; /* tables and rows */
    const char *change;
    const char *later[LATER_MAX]; /* one transaction each */
    const char *ask;              /* SQL for the rows as one text */
    const char *classes;          /* of the conflicts, sorted */
    struct rows non_conflict, cascade;
    const char *tree;        /* depth and reason of each dependent */
    const char *sqlite_tree; /* or there */
} stories[] = {
    {.name = "write after write",
        .before = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);"
                  "INSERT INTO t VALUES (1, 'a'), (2, 'b')",
        .change = "UPDATE t SET name = name || '1'; INSERT INTO t VALUES (3, 'c')",
        .later = {"UPDATE t SET name = name || '2' WHERE id = 1; INSERT INTO t VALUES (4, 'd')"},
        .ask = "SELECT id || name AS r FROM t",
        .classes = "data",
        .non_conflict = {"1a12 2b 4d"},
        .cascade = {"1a 2b", "1a 2b 4d"},
        .tree = "0 changed t 1"},
    {.name = "two of three rows written again",
        .before = "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER);"
                  "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)",
        .change = "UPDATE t SET v = v * 11",
        .later = {"UPDATE t SET v = v * 10 + v / 11 WHERE id > 1"},
        .ask = "SELECT v AS r FROM t",
        .classes = "data data",
        .non_conflict = {"1 222 333", "1 222 333"},
        .cascade = {"1 2 3"},
        .tree = "0 changed t 2, and 1 more row",
        .sqlite_tree = "0 changed t 2; 0 changed t 3"},
    {.name = "a chain of three",
        .before = "CREATE TABLE regions (id INTEGER PRIMARY KEY, name TEXT)",
        .change = "INSERT INTO regions VALUES (5, 'Pole')",
        .later = {"UPDATE regions SET name = 'Poles' WHERE id = 5",
            "UPDATE regions SET name = 'North and South Poles' WHERE id = 5"},
        .ask = "SELECT name AS r FROM regions",
        .classes = "data",
        .non_conflict = {"North and South Poles"},
        .cascade = {""},
        .tree = "0 changed regions 5; 1 changed regions 5"},
    {.name = "a primary key used again",
        .before = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);"
                  "INSERT INTO t VALUES (7, 'old'), (8, 'other')",
        .change = "DELETE FROM t WHERE id IN (7, 8)",
        .later = {"INSERT INTO t VALUES (7, 'new')"},
        .ask = "SELECT id || name AS r FROM t",
        .classes = "exists",
        .non_conflict = {"7new 8other"},
        .cascade = {"7old 8other"},
        .tree = "0 inserted t 7 again"},
    {.name = "a foreign key to what was inserted",
        .before =
            "CREATE TABLE a (a1 INTEGER PRIMARY KEY);"
            "CREATE TABLE b (id INTEGER PRIMARY KEY, b1 INTEGER REFERENCES a (a1), n INTEGER);"
            "INSERT INTO a VALUES (1); INSERT INTO b VALUES (10, 1, 0), (11, 1, 0)",
        .change = "INSERT INTO a VALUES (2), (3)",
        .later = {"UPDATE b SET n = 5 WHERE id = 10", "UPDATE b SET b1 = 2 WHERE id = 10",
            "INSERT INTO b VALUES (12, 2, 0)", "UPDATE b SET n = 6 WHERE id IN (11, 12)"},
        .ask = "SELECT 'a' || a1 AS r FROM a UNION ALL SELECT id || '-' || b1 || '-' || n FROM b",
        .classes = "foreign-key",
        .non_conflict = {"10-2-5 11-1-6 12-2-6 a1 a2"},
        .cascade = {"10-1-5 11-1-0 a1", "10-1-5 11-1-6 a1"},
        .tree = "0 refers to a 2 from b 10; 0 refers to a 2 from b 12; 1 changed b 12"},
    {.name = "the row that a foreign key needs",
        .before = "CREATE TABLE a (a1 INTEGER PRIMARY KEY);"
                  "CREATE TABLE b (id INTEGER PRIMARY KEY, b1 INTEGER REFERENCES a (a1));"
                  "INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (10, 1), (11, 2)",
        .change = "DELETE FROM b",
        .later = {"DELETE FROM a WHERE a1 = 2"},
        .ask = "SELECT 'a' || a1 AS r FROM a UNION ALL SELECT id || '-' || b1 FROM b",
        .classes = "foreign-key",
        .non_conflict = {"10-1 a1"},
        .cascade = {"10-1 11-2 a1 a2"},
        .tree = "0 deleted a 2, which b referred to"},
    {.name = "a unique value taken",
        .before = "CREATE TABLE t (id INTEGER PRIMARY KEY, mail VARCHAR(20) UNIQUE);"
                  "INSERT INTO t VALUES (1, 'x'), (2, 'y')",
        .change = "DELETE FROM t",
        .later = {"INSERT INTO t VALUES (9, 'y')"},
        .ask = "SELECT id || mail AS r FROM t",
        .classes = "constraint",
        .non_conflict = {"1x 9y"},
        .cascade = {"1x 2y"},
        .tree = "0 took a value of the unique key '%' for t 9"},
    {.name = "dependents of dependents, in other tables",
        .before = "CREATE TABLE p (id INTEGER PRIMARY KEY, v INTEGER);"
                  "CREATE TABLE q (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p (id), v INTEGER);"
                  "INSERT INTO p VALUES (1, 0), (2, 0); INSERT INTO q VALUES (5, 1, 0), (6, 1, 0)",
        .change = "UPDATE p SET v = 1 WHERE id = 1",
        .later = {"UPDATE p SET v = 2 WHERE id = 1; INSERT INTO p VALUES (3, 0)",
            "INSERT INTO q VALUES (7, 3, 0); UPDATE q SET v = 1 WHERE id = 5",
            "UPDATE q SET v = 2 WHERE id = 5", "UPDATE q SET v = 3 WHERE id = 6"},
        .ask = "SELECT 'p' || id || '-' || v AS r FROM p"
               " UNION ALL SELECT id || '-' || p || '-' || v FROM q",
        .classes = "data",
        .non_conflict = {"5-1-2 6-1-3 7-3-0 p1-2 p2-0 p3-0"},
        .cascade = {"5-1-0 6-1-3 p1-0 p2-0", "5-1-2 6-1-3 7-3-0 p1-0 p2-0 p3-0"},
        .tree = "0 changed p 1; 1 refers to p 3 from q 7; 2 changed q 5",
        .sqlite_tree = "0 changed p 1"},
    {.name = "who wrote before a dependent stays",
        .before = "CREATE TABLE p (id INTEGER PRIMARY KEY, v INTEGER);"
                  "INSERT INTO p VALUES (1, 0), (2, 0)",
        .change = "UPDATE p SET v = 1 WHERE id = 1",
        .later = {"UPDATE p SET v = 5 WHERE id = 2", "UPDATE p SET v = v + 1",
            "UPDATE p SET v = 9 WHERE id = 2"},
        .ask = "SELECT '' || v AS r FROM p",
        .classes = "data",
        .non_conflict = {"2 9"},
        .cascade = {"0 5", "0 9"},
        .tree = "0 changed p 1; 1 changed p 2",
        .sqlite_tree = "0 changed p 1"},
    {.name = "what was set back is in nobody's way",
        .before = "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER);"
                  "INSERT INTO t VALUES (1, 8), (2, 8)",
        .change = "UPDATE t SET v = 10",
        .later = {"UPDATE t SET v = 12 WHERE id = 1", "UPDATE t SET v = 10 WHERE id = 1"},
        .ask = "SELECT v AS r FROM t",
        .classes = "",
        .non_conflict = {"8 8"},
        .cascade = {"8 8"},
        .tree = ""},
    {.name = "what is in no journal is undone with the rest",
        .before = "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER);"
                  "CREATE TABLE a (line TEXT); CREATE TABLE z (line TEXT);"
                  "INSERT INTO t VALUES (1, 8); INSERT INTO z VALUES ('old')",
        .change = "UPDATE t SET v = 10; INSERT INTO a VALUES ('new'); DELETE FROM z",
        .later = {"UPDATE t SET v = 12"},
        .ask = "SELECT line AS r FROM a UNION ALL SELECT line FROM z"
               " UNION ALL SELECT '' || v FROM t",
        .classes = "data",
        .non_conflict = {"12 old"},
        .cascade = {"8 old"},
        .tree = "0 changed t 1"},
};

static const struct story *told; /* by the test that runs */

static const char *rows(world *w)
{
    static const char *const lists[] = {[WORLD_SQLITE] =
                                            "SELECT group_concat(r, ' ') FROM"
                                            " (SELECT '' || r AS r FROM (%s) x ORDER BY 1) y",
        [WORLD_POSTGRES] = "SELECT string_agg(r::text, ' ' ORDER BY r::text COLLATE \"C\")"
                           " FROM (%s) x",
        [WORLD_MARIADB] = "SELECT group_concat(r ORDER BY CAST(r AS CHAR) SEPARATOR ' ')"
                          " FROM (%s) x"};
    BO_OWN_VALUE(bo_buf) sql = {0};
    const char *list = lists[w->engine], *here = strstr(list, "%s");
    bo_buf_add(&sql, list, (size_t)(here - list));
    bo_buf_add_str(&sql, told->ask);
    bo_buf_add_str(&sql, here + 2);
    return world_value(w, bo_buf_str(&sql));
}

/* The tables as the change and all later transactions left them; returns the point. */
static const char *tell_with(world *w, bo_method method)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_point_options options = {.migration = "story", .method = method};
    if (w->engine == WORLD_MARIADB)
        world_sql(w, "SET sql_mode = 'ANSI,TRADITIONAL'");
    world_sql(w, told->before);
    world_ok(bo_point_create(w->session, &w->database, &options, &points, &err), &err);
    const char *id = bo_arena_str(w->arena, bo_point_list_get(points, 0)->id);
    bo_point_list_free(points);
    world_sql(w, told->change);
    world_seal(w, id);
    for (size_t i = 0; i < LATER_MAX && told->later[i]; i++)
        world_sql(w, bo_arena_printf(w->arena, "BEGIN; %s; COMMIT", told->later[i]));
    return id;
}

static const char *tell(world *w)
{
    return tell_with(w, BO_METHOD_BOTH);
}

static bo_status back_out(
    world *w, const char *id, bo_backout_mode mode, bool dry_run, bo_rollback **out)
{
    bo_error err = {0};
    const bo_rollback_options options = {
        .type = BO_ROLLBACK_PARTIAL, .mode = mode, .dry_run = dry_run};
    bo_status st = bo_rollback_execute(w->session, &w->database, id, &options, out, &err);
    if (st != BO_OK)
        print_message("# %s: %s\n", told->name, err.text);
    for (size_t i = 0; *out && i < (*out)->conflict_listed; i++)
        print_message("# %s: %s\n", (*out)->conflicts[i].key, (*out)->conflicts[i].because);
    for (size_t i = 0; *out && i < (*out)->note_count; i++)
        print_message("# note: %s\n", (*out)->notes[i]);
    return st;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *classes(world *w, const bo_rollback *rollback)
{
    const char *names[16];
    size_t count = rollback->conflict_listed;
    assert_in_range(count, 0, 16);
    for (size_t i = 0; i < count; i++)
        names[i] = rollback->conflicts[i].conflict_class;
    qsort(names, count, sizeof *names, by_text);
    const char *text = "";
    for (size_t i = 0; i < count; i++)
        text = bo_arena_printf(w->arena, "%s%s%s", text, i ? " " : "", names[i]);
    return text;
}

/* "0 changed t 1; 1 changed t 1"; names in quotes are up to the engine. */
static const char *tree(world *w, const bo_rollback *rollback)
{
    const char *text = "";
    assert_int_equal(rollback->dependent_count, rollback->dependent_listed);
    for (size_t i = 0; i < rollback->dependent_listed; i++) {
        const bo_dependent *dependent = &rollback->dependents[i];
        bool top = dependent->depth == 0;
        assert_int_equal(top, dependent->parent == SIZE_MAX);
        if (!top)
            assert_int_equal(rollback->dependents[dependent->parent].depth + 1, dependent->depth);
        char *because = bo_arena_str(w->arena, dependent->because);
        char *quote = strchr(because, '\'');
        if (quote)
            memmove(quote + 2, strchr(quote + 1, '\''), strlen(strchr(quote + 1, '\'')) + 1);
        if (quote)
            quote[1] = '%';
        text =
            bo_arena_printf(w->arena, "%s%s%u %s", text, i ? "; " : "", dependent->depth, because);
        assert_int_equal(dependent->user[0] == 0, !w->created[0]);
        assert_int_equal(dependent->transaction[0] == 0, !w->created[0]);
    }
    return text;
}

static const char *of(world *w, const struct rows *expected)
{
    return !w->created[0] && expected->sqlite ? expected->sqlite : expected->same;
}

static const char *told_tree(world *w)
{
    return !w->created[0] && told->sqlite_tree ? told->sqlite_tree : told->tree;
}

static void no_cascade_refuses_and_says_whose_the_rows_are(void **state)
{
    world *w = world_or_skip(state);
    const char *id = tell(w);
    const char *before = rows(w);
    bo_rollback *rollback = NULL;
    bo_status st = back_out(w, id, BO_BACKOUT_NO_CASCADE, false, &rollback);
    assert_int_equal(st, told->classes[0] ? BO_CONFLICT : BO_OK);
    if (told->classes[0])
        assert_string_equal(rows(w), before);
    assert_string_equal(classes(w, rollback), told->classes);
    assert_string_equal(tree(w, rollback), told_tree(w));
    for (size_t i = 0; i < rollback->conflict_listed; i++)
        assert_int_equal(
            strstr(rollback->conflicts[i].because, "by transaction ") != NULL, w->created[0] != 0);
    for (size_t i = 0; i < rollback->dependent_listed; i++)
        assert_false(rollback->dependents[i].undone);
    bo_rollback_free(rollback);
}

static void non_conflict_only_undoes_what_nobody_used(void **state)
{
    world *w = world_or_skip(state);
    const char *id = tell(w);
    bo_rollback *rollback = NULL;
    bo_status st = back_out(w, id, BO_BACKOUT_NON_CONFLICT_ONLY, false, &rollback);
    assert_int_equal(st, told->classes[0] ? BO_MISMATCH : BO_OK);
    assert_string_equal(rows(w), of(w, &told->non_conflict));
    assert_string_equal(rollback->proof, told->non_conflict.same[0] ? rollback->proof : "match");
    assert_string_equal(tree(w, rollback), told_tree(w));
    bo_rollback_free(rollback);
}

static void cascade_undoes_the_dependents_too_and_its_undo_point_brings_all_back(void **state)
{
    world *w = world_or_skip(state);
    const char *id = tell(w);
    const char *before = rows(w);
    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, true, &rollback), BO_OK);
    assert_string_equal(rows(w), before);
    const char *planned = tree(w, rollback);
    bo_rollback_free(rollback);
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_OK);
    assert_string_equal(rows(w), of(w, &told->cascade));
    assert_string_equal(rollback->proof, "match");
    assert_string_equal(tree(w, rollback), told_tree(w));
    assert_string_equal(tree(w, rollback), planned);
    for (size_t i = 0; i < rollback->dependent_listed; i++)
        assert_true(rollback->dependents[i].undone);
    const char *undo = bo_arena_str(w->arena, rollback->undo_point);
    bo_rollback_free(rollback);
    (void)world_roll_back(w, undo, BO_ROLLBACK_PARTIAL);
    assert_string_equal(rows(w), before);
}

static void without_journals_cascade_meets_conflicts_and_says_why(void **state)
{
    world *w = *state;
    told = &stories[0];
    const char *id = tell_with(w, BO_METHOD_SNAPSHOT), *before = rows(w);
    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_CONFLICT);
    assert_string_equal(classes(w, rollback), "data");
    assert_string_equal(tree(w, rollback), "");
    assert_int_equal(rollback->note_count, 1);
    assert_non_null(strstr(rollback->notes[0], "nothing of this point is captured"));
    assert_string_equal(rows(w), before);
    bo_rollback_free(rollback);
}

static void a_reference_of_another_width_is_followed(void **state)
{
    static const struct story story = {.name = "other width",
        .before = "CREATE TABLE a (a1 smallint PRIMARY KEY);"
                  "CREATE TABLE b (id int PRIMARY KEY, b1 bigint REFERENCES a (a1))",
        .change = "INSERT INTO a VALUES (-2)",
        .later = {"INSERT INTO b VALUES (10, -2)"},
        .ask = "SELECT a1 AS r FROM a UNION ALL SELECT id FROM b"};
    world *w = world_or_skip(state);
    told = &story;
    const char *id = tell(w);
    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_OK);
    assert_string_equal(tree(w, rollback), "0 refers to a -2 from b 10");
    assert_string_equal(rows(w), "");
    bo_rollback_free(rollback);
}

/* 2 and 2.0 are one value to the foreign key, and not the same bytes. */
static void a_reference_that_cannot_be_followed_refuses_cascade(void **state)
{
    static const struct story story = {.name = "other bytes",
        .before = "CREATE TABLE a (a1 numeric PRIMARY KEY);"
                  "CREATE TABLE b (id int PRIMARY KEY, b1 numeric REFERENCES a (a1))",
        .change = "INSERT INTO a VALUES (2)",
        .later = {"INSERT INTO b VALUES (10, 2.0)"},
        .ask = "SELECT a1 AS r FROM a UNION ALL SELECT id FROM b"};
    world *w = world_or_skip(state);
    told = &story;
    const char *id = tell(w), *before = rows(w);
    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_CONFLICT);
    assert_string_equal(classes(w, rollback), "foreign-key");
    assert_string_equal(rows(w), before);
    bo_rollback_free(rollback);
}

/* SQLite notes that row 1 may go before it ignores the new one. */
static void who_could_have_reached_a_row_and_did_not_is_no_dependent(void **state)
{
    static const struct story story = {.name = "reached",
        .before = "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT UNIQUE, v INTEGER);"
                  "INSERT INTO t VALUES (1, 'x', 0), (2, 'y', 0)",
        .change = "UPDATE t SET v = 1",
        .later = {"UPDATE t SET v = 2 WHERE id = 1", "INSERT OR IGNORE INTO t VALUES (3, 'x', 0)",
            "INSERT OR REPLACE INTO t VALUES (4, 'y', 0)"},
        .ask = "SELECT id || mail || v AS r FROM t"};
    world *w = *state;
    told = &story;
    const char *id = tell(w);
    const char *reached =
        bo_arena_printf(w->arena, "SELECT count(*) FROM backout_journal_%s WHERE op = 'C'",
            world_value(w, "SELECT journal FROM backout_capture WHERE local = 't'"));
    assert_string_equal(world_value(w, reached), "2");
    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_OK);
    assert_string_equal(tree(w, rollback),
        "0 changed t 1; 0 changed t 2; 1 took a value of the unique key '%' for t 4");
    assert_string_equal(rows(w), "1x0 2y0");
    bo_rollback_free(rollback);
}

static void what_dependents_wrote_elsewhere_stays(void **state)
{
    static const struct story story = {.name = "elsewhere",
        .ask = "SELECT id || name AS r FROM customers UNION ALL SELECT line FROM log"};
    world *w = world_or_skip(state);
    told = &story;
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_scope_item customers = {.table = "customers"};
    const bo_point_options options = {
        .scope = &customers, .scope_count = 1, .migration = "test", .method = BO_METHOD_CAPTURE};
    world_ok(bo_point_create(w->session, &w->database, &options, &points, &err), &err);
    const char *id = bo_arena_str(w->arena, bo_point_list_get(points, 0)->id);
    bo_point_list_free(points);
    world_sql(w, "UPDATE customers SET name = 'Eve' WHERE id = 1");
    world_seal(w, id);
    world_sql(w, "UPDATE customers SET name = 'Fay'; INSERT INTO log VALUES ('two renamed')");
    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_OK);
    assert_string_equal(rows(w), w->created[0] ? "1Ada 2Bob opened opened two renamed"
                                               : "1Ada 2Fay opened opened two renamed");
    assert_int_equal(rollback->note_count, 1);
    assert_non_null(strstr(rollback->notes[0], "what they wrote elsewhere stays"));
    bo_rollback_free(rollback);
}

/* One allocation in five fails, once each: the plan is whole, or says what is missing, or there is
 * none. */
static void a_plan_without_memory_is_whole_or_no_plan(void **state)
{
    world *w = *state;
    told = &stories[4];
    const char *id = tell(w), *before = rows(w);
    for (int mode = BO_BACKOUT_NO_CASCADE; mode <= BO_BACKOUT_CASCADE; mode += BO_BACKOUT_CASCADE) {
        const bo_rollback_options options = {
            .type = BO_ROLLBACK_PARTIAL, .mode = (bo_backout_mode)mode, .dry_run = true};
        bool fired = true;
        for (unsigned nth = 1; fired; nth += 5) {
            bo_error err = {0};
            bo_rollback *plan = NULL;
            fault_memory_arm(nth);
            bo_status st = bo_rollback_execute(w->session, &w->database, id, &options, &plan, &err);
            fired = fault_memory_fired();
            assert_int_equal(st == BO_OK, plan != NULL);
            if (st != BO_OK)
                assert_int_equal(st, BO_NOMEM);
            else if (plan->dependent_count)
                assert_string_equal(tree(w, plan), told_tree(w));
            else
                assert_true(fired && plan->note_count > 0);
            bo_rollback_free(plan);
        }
    }
    assert_string_equal(rows(w), before);
}

static void tables_and_rows_are_not_chosen_with_cascade(void **state)
{
    world *w = *state;
    told = &stories[0];
    const char *id = tell(w), *table = "t";
    const bo_rollback_options options[] = {{.type = BO_ROLLBACK_PARTIAL,
                                               .mode = BO_BACKOUT_CASCADE,
                                               .tables = &table,
                                               .table_count = 1},
        {.type = BO_ROLLBACK_PARTIAL, .mode = BO_BACKOUT_CASCADE, .only_added = true},
        {.type = BO_ROLLBACK_FULL, .mode = BO_BACKOUT_CASCADE}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        bo_error err = {0};
        bo_rollback *rollback = NULL;
        assert_int_equal(
            bo_rollback_execute(w->session, &w->database, id, &options[i], &rollback, &err),
            BO_INVALID);
    }
}

/* ---- whose writes the change is, where a server tells ---- */

static const struct story of_writers = {.name = "writers",
    .before = "CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER);"
              "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0), (4, 0)",
    .ask = "SELECT id || '-' || v AS r FROM t"};

static void of_run(world *w, bo_conn *conn, const char *sql)
{
    (void)w;
    bo_error err = {0};
    world_ok(conn->driver->exec(conn, sql, &err), &err);
}

static void dependents_of_a_run_are_told_from_those_who_wrote_before_it(void **state)
{
    world *w = world_or_skip(state);
    told = &of_writers;
    world_sql(w, told->before);
    bo_error err = {0};
    bo_run *run = NULL;
    const bo_point_options options = {.migration = "test", .method = BO_METHOD_CAPTURE};
    world_ok(bo_run_begin(w->session, &w->database, &options, &run, &err), &err);
    BO_OWN(bo_conn) *own = NULL;
    const bo_connect how = {.url = w->url, .raw = true, .run = bo_run_id(run)};
    world_ok(bo_driver_open(&how, &own, &err), &err);
    of_run(w, own, "UPDATE t SET v = 10 WHERE id = 1");
    world_sql(w, "UPDATE t SET v = 5 WHERE id IN (2, 3)"); /* before the run wrote it */
    of_run(w, own, "UPDATE t SET v = v + 10 WHERE id IN (2, 4)");
    world_sql(w, "UPDATE t SET v = 11 WHERE id = 1"); /* while it is under way */
    world_sql(w, "UPDATE t SET v = v + 1 WHERE id = 4");
    of_run(w, own, "UPDATE t SET v = v + 10 WHERE id = 4");
    world_ok(bo_run_end(run, NULL, &err), &err);
    world_sql(w, "UPDATE t SET v = 12 WHERE id = 1");
    of_run(w, own, "UPDATE t SET v = 99 WHERE id = 2"); /* it looks like the run, and is not */
    const char *id = bo_arena_str(w->arena, bo_run_point_id(run));
    bo_run_free(run);

    bo_rollback *rollback = NULL;
    assert_int_equal(back_out(w, id, BO_BACKOUT_NO_CASCADE, false, &rollback), BO_CONFLICT);
    assert_int_equal(rollback->conflict_count, 3);
    static const char *const whose[] = {"was changed after the change, by transaction ",
        "was changed after the change, by transaction ",
        "between two writes of the change, by transaction "};
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(rollback->conflicts[i].because, whose[i]));
    bo_rollback_free(rollback);
    assert_int_equal(back_out(w, id, BO_BACKOUT_CASCADE, false, &rollback), BO_OK);
    assert_string_equal(
        tree(w, rollback), "0 changed t 1; 1 changed t 1; 0 changed t 4; 0 changed t 2");
    assert_string_equal(rows(w), "1-0 2-5 3-5 4-0");
    bo_rollback_free(rollback);
}

static void dependents_of_a_user_are_other_users(void **state)
{
    world *w = world_or_skip(state);
    told = &of_writers;
    world_sql(w, told->before);
    world_sql(w, "GRANT ALL ON t TO app");
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_point_options point = {.migration = "test", .method = BO_METHOD_CAPTURE};
    world_ok(bo_point_create(w->session, &w->database, &point, &points, &err), &err);
    const char *id = bo_arena_str(w->arena, bo_point_list_get(points, 0)->id);
    bo_point_list_free(points);
    world_sql(w, "UPDATE t SET v = 1 WHERE id IN (1, 2)");
    world_sql(w, "SET SESSION AUTHORIZATION app; UPDATE t SET v = 10 WHERE id IN (1, 3)");
    world_sql(w, "RESET SESSION AUTHORIZATION; UPDATE t SET v = 20 WHERE id = 3;"
                 "UPDATE t SET v = 21 WHERE id = 4");
    world_sql(w, "UPDATE t SET v = 22 WHERE id = 2");
    const bo_rollback_options options = {
        .type = BO_ROLLBACK_PARTIAL, .user = "app", .mode = BO_BACKOUT_CASCADE};
    bo_rollback *rollback = NULL;
    world_ok(bo_rollback_execute(w->session, &w->database, id, &options, &rollback, &err), &err);
    assert_string_equal(tree(w, rollback), "0 changed t 3");
    assert_string_equal(rollback->dependents[0].user, "postgres");
    assert_string_equal(rows(w), "1-1 2-22 3-0 4-0");
    bo_rollback_free(rollback);
}

static int on_sqlite(void **state)
{
    told = *state;
    return world_set_up(state);
}

static int on_mariadb(void **state)
{
    told = *state;
    *state = NULL;
    return world_set_up_mariadb(state);
}

static int on_postgres(void **state)
{
    told = *state;
    *state = NULL; /* without a server it stays so */
    return world_set_up_postgres(state);
}

int main(void)
{
    static const struct {
        const char *name;
        CMUnitTestFunction run;
    } modes[] = {{"no-cascade", no_cascade_refuses_and_says_whose_the_rows_are},
        {"non-conflict-only", non_conflict_only_undoes_what_nobody_used},
        {"cascade", cascade_undoes_the_dependents_too_and_its_undo_point_brings_all_back}};
    static const struct {
        const char *name;
        CMFixtureFunction set_up;
    } engines[] = {{"SQLite", on_sqlite}, {"PostgreSQL", on_postgres}, {"MariaDB", on_mariadb}};
    static const struct CMUnitTest others[] = {
        WORLD_TEST(tables_and_rows_are_not_chosen_with_cascade),
        WORLD_TEST(without_journals_cascade_meets_conflicts_and_says_why),
        WORLD_TEST_POSTGRES(a_reference_of_another_width_is_followed),
        WORLD_TEST_POSTGRES(a_reference_that_cannot_be_followed_refuses_cascade),
        WORLD_TEST(who_could_have_reached_a_row_and_did_not_is_no_dependent),
        WORLD_TEST(what_dependents_wrote_elsewhere_stays),
        WORLD_TEST_POSTGRES(what_dependents_wrote_elsewhere_stays),
        WORLD_TEST(a_plan_without_memory_is_whole_or_no_plan),
        WORLD_TEST_POSTGRES(dependents_of_a_run_are_told_from_those_who_wrote_before_it),
        WORLD_TEST_POSTGRES(dependents_of_a_user_are_other_users),
    };
    enum { STORIES = sizeof stories / sizeof *stories, OTHERS = sizeof others / sizeof *others };
    static struct CMUnitTest tests[STORIES * 9 + OTHERS];
    static char names[STORIES * 9][120];
    for (size_t i = 0; i < STORIES * 9; i++) {
        const struct story *story = &stories[i / 9];
        (void)snprintf(names[i], sizeof names[i], "%s, %s, on %s", modes[i / 3 % 3].name,
            story->name, engines[i % 3].name);
        tests[i] = (struct CMUnitTest){names[i], modes[i / 3 % 3].run, engines[i % 3].set_up,
            world_tear_down, (void *)(uintptr_t)story};
    }
    memcpy(tests + STORIES * 9, others, sizeof others);
    return cmocka_run_group_tests_name("backout modes", tests, NULL, NULL);
}
