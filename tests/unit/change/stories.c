/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/stories.c - a change, the transactions after it, and what must be left of it.
 */
#include "stories.h"

#include <string.h>

const struct story stories[] = {
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
const size_t story_count = sizeof stories / sizeof *stories;

const struct story *story_named(const char *name)
{
    for (size_t i = 0; i < story_count; i++)
        if (strcmp(stories[i].name, name) == 0)
            return &stories[i];
    fail_msg("no story is named %s", name);
    return NULL;
}

const struct story *told;

const char *rows(world *w)
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

const char *tell_with(world *w, bo_method method)
{
    const bo_point_options options = {.migration = "story", .method = method};
    if (w->engine == WORLD_MARIADB)
        world_sql(w, "SET sql_mode = 'ANSI,TRADITIONAL'");
    world_sql(w, told->before);
    const char *id = world_point_as(w, &options);
    world_sql(w, told->change);
    world_seal(w, id);
    for (size_t i = 0; i < LATER_MAX && told->later[i]; i++)
        world_sql(w, bo_arena_printf(w->arena, "BEGIN; %s; COMMIT", told->later[i]));
    return id;
}

const char *tell(world *w)
{
    return tell_with(w, BO_METHOD_BOTH);
}

bo_status back_out(world *w, const char *id, bo_backout_mode mode, bool dry_run, bo_rollback **out)
{
    bo_error err = {0};
    const bo_rollback_options options = {
        .type = BO_ROLLBACK_PARTIAL, .mode = mode, .dry_run = dry_run};
    bo_status st = bo_rollback_execute(w->session, &w->database, id, &options, out, &err);
    if (st != BO_OK)
        print_message("# %s: %.*s\n", told->name, (int)strcspn(err.text, "\n"), err.text);
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

const char *classes(world *w, const bo_rollback *rollback)
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

const char *tree(world *w, const bo_rollback *rollback)
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

const char *expected_rows(world *w, const struct story_rows *expected)
{
    return !w->created[0] && expected->sqlite ? expected->sqlite : expected->same;
}

const char *expected_tree(world *w)
{
    return !w->created[0] && told->sqlite_tree ? told->sqlite_tree : told->tree;
}
