/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/test_bulk.c - tables that come back in one stream, and what they refer to: as a
 * plain owner, for whom PostgreSQL enforces foreign keys row by row. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#define BROKEN                                                                   \
    "SELECT count(*) FROM a_children c LEFT JOIN z_parents p ON p.id = c.parent" \
    " WHERE c.parent IS NOT NULL AND p.id IS NULL"
#define SUM "SELECT (SELECT sum(parent + id) FROM a_children) + (SELECT sum(id) FROM z_parents)"

/* From now on the tables belong to one who may do nothing else. */
static void become_owner(world *w)
{
    char sql[300];
    char *user = strstr(w->url, "user=postgres");
    if (!user)
        skip();
    memmove(user, "user=app", sizeof "user=app" - 1);
    memmove(user + strlen("user=app"), user + strlen("user=postgres"),
        strlen(user + strlen("user=postgres")) + 1);
    (void)snprintf(sql, sizeof sql,
        "GRANT ALL ON DATABASE \"%s\" TO app; GRANT ALL ON SCHEMA public"
        " TO app",
        w->created);
    world_sql(w, sql);
    world_sql(w, "ALTER TABLE customers OWNER TO app; ALTER TABLE orders OWNER TO app;"
                 "ALTER TABLE log OWNER TO app; ALTER TABLE z_parents OWNER TO app;"
                 "ALTER TABLE a_children OWNER TO app");
}

/* The child comes first by its name. */
static void make_tables(world *w)
{
    world_sql(w, "CREATE TABLE z_parents (id integer PRIMARY KEY, best integer);"
                 "CREATE TABLE a_children (id integer PRIMARY KEY, parent integer, sibling integer,"
                 " FOREIGN KEY (parent) REFERENCES z_parents (id),"
                 " FOREIGN KEY (sibling) REFERENCES a_children (id));"
                 "CREATE INDEX by_parent ON a_children (parent)");
    world_sql(w, "CREATE INDEX by_sibling ON a_children (sibling)");
    world_sql(w, "INSERT INTO log WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                 " WHERE i < 90) SELECT 'x' FROM n");
    world_sql(w, "INSERT INTO z_parents SELECT row_number() OVER (), NULL"
                 " FROM (SELECT 1 AS one FROM log a, log b, log c LIMIT 10001) AS many");
    world_sql(w, "INSERT INTO a_children SELECT id, id, 1 FROM z_parents ORDER BY id");
    if (w->engine == WORLD_POSTGRES)
        become_owner(w);
}

static void undone(world *w, const char *id, const char *sum, bool discard_later)
{
    const bo_rollback_options options = {.discard_later = discard_later};
    bo_rollback *done = NULL;
    bo_error err = {0};
    world_ok(bo_rollback_execute(w->session, &w->database, id, &options, &done, &err), &err);
    assert_string_equal(done->proof, "match");
    bo_rollback_free(done);
    assert_string_equal(world_value(w, SUM), sum);
    assert_string_equal(world_value(w, BROKEN), "0");
}

static void a_table_comes_back_after_the_one_that_it_refers_to(void **state)
{
    world *w = world_or_skip(state);
    make_tables(w);
    const char *sum = world_value(w, SUM);
    const char *id = world_change(w, NULL,
        "UPDATE a_children SET sibling = NULL; DELETE FROM a_children; DELETE FROM z_parents");
    undone(w, id, sum, false);
}

static void rows_of_it_that_come_back_otherwise_are_there_first(void **state)
{
    world *w = world_or_skip(state);
    make_tables(w);
    const char *sum = world_value(w, SUM);
    const char *id = world_change(w, NULL,
        "UPDATE a_children SET sibling = NULL; DELETE FROM a_children;"
        " DELETE FROM z_parents WHERE id = 5");
    undone(w, id, sum, false);
}

static void rows_of_it_that_others_deleted_are_there_first(void **state)
{
    world *w = world_or_skip(state);
    make_tables(w);
    const char *sum = world_value(w, SUM);
    const char *id =
        world_change(w, NULL, "UPDATE a_children SET sibling = NULL; DELETE FROM a_children");
    world_sql(w, "DELETE FROM z_parents WHERE id = 5");
    undone(w, id, sum, true);
}

static void tables_that_refer_to_each_other_come_back(void **state)
{
    world *w = world_or_skip(state);
    if (w->engine == WORLD_SQLITE)
        return; /* it has no ALTER TABLE ... ADD CONSTRAINT */
    make_tables(w);
    world_sql(w, "ALTER TABLE z_parents ADD FOREIGN KEY (best) REFERENCES a_children (id)");
    world_sql(w, "UPDATE z_parents SET best = id");
    const char *sum = world_value(w, SUM);
    const char *id = world_change(w, NULL,
        "UPDATE z_parents SET best = NULL; UPDATE a_children SET sibling = NULL;"
        " DELETE FROM a_children; DELETE FROM z_parents");
    undone(w, id, sum, false);
    assert_string_equal(world_value(w, "SELECT count(best) FROM z_parents"), "10001");
}

#define EACH(name) WORLD_TEST(name), WORLD_TEST_POSTGRES(name), WORLD_TEST_MARIADB(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_table_comes_back_after_the_one_that_it_refers_to),
        EACH(rows_of_it_that_come_back_otherwise_are_there_first),
        EACH(rows_of_it_that_others_deleted_are_there_first),
        EACH(tables_that_refer_to_each_other_come_back),
    };
    return cmocka_run_group_tests_name("bulk", tests, NULL, NULL);
}
