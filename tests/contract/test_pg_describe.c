/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_describe.c - what backout knows of a PostgreSQL table, and how it finds
 * it. */
#include <stdio.h>
#include <string.h>

#include "contract/pg_world.h"

static int start(void **state)
{
    pg_world *w = pg_world_create("contract_describe");
    if (w)
        pg_do(w->super, "DROP ROLE IF EXISTS describe_reader; CREATE ROLE describe_reader LOGIN");
    *state = w;
    return 0;
}

static int finish(void **state)
{
    if (*state)
        pg_world_free(*state);
    return 0;
}

static int begin(void **state)
{
    pg_world *w = *state;
    if (!w)
        return 0;
    pg_world_begin(w, PG_NAMES("public", "s", "other"));
    pg_do(w->user, "GRANT USAGE ON SCHEMA public TO describe_reader");
    return 0;
}

static int end(void **state)
{
    if (*state)
        pg_world_end(*state);
    return 0;
}

/* A role with few rights. */
static bo_conn *connect_reader(const pg_world *w)
{
    char url[700];
    const char *user = strstr(w->url, "user=");
    assert_non_null(user);
    snprintf(url, sizeof url, "%.*suser=describe_reader", (int)(user - w->url), w->url);
    return pg_world_connect(url, false);
}

#define WORLD             \
    pg_world *w = *state; \
    if (!w)               \
    skip()

static const bo_table *describe(const pg_world *w, const char *name)
{
    return pg_table(w->conn, w->arena, name);
}

static bo_status add_name(void *ctx, const char *name, bo_error *err)
{
    (void)err;
    bo_buf_printf(ctx, "%s|", name);
    return BO_OK;
}

static void tables_are_the_users_own_without_partitions(void **state)
{
    WORLD;
    pg_do(w->user, "CREATE TABLE b (i integer); CREATE TABLE \"A b\" (i integer);"
                   "CREATE TABLE s.\"order\" (i integer); CREATE UNLOGGED TABLE u (i integer);"
                   "CREATE TABLE p (i integer) PARTITION BY LIST (i);"
                   "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
                   "CREATE VIEW v AS SELECT * FROM b; CREATE TEMPORARY TABLE t (i integer);"
                   "CREATE SCHEMA backout; CREATE TABLE backout.marker (i integer)");
    BO_OWN_VALUE(bo_buf) names = {0};
    bo_error err = {0};
    pg_must(w->conn->driver->tables(w->conn, add_name, &names, &err), &err);
    assert_string_equal(bo_buf_str(&names), "\"A b\"|b|p|s.\"order\"|u|");
    pg_do(w->user, "DROP SCHEMA backout CASCADE");
}

static void a_name_is_found_as_sql_would(void **state)
{
    WORLD;
    pg_do(w->user, "CREATE TABLE t (i integer); CREATE TABLE s.t (i integer);"
                   "CREATE TABLE s.only_here (i integer); CREATE TABLE \"Mixed\" (i integer);"
                   "CREATE TABLE s.twice (i integer); CREATE TABLE other.twice (i integer);"
                   "CREATE TABLE \"a.b\" (i integer)");
    assert_string_equal(describe(w, "T")->name, "t");
    assert_string_equal(describe(w, "public.t")->name, "t");
    assert_string_equal(describe(w, "S.t")->name, "s.t");
    assert_string_equal(describe(w, "\"s\".\"t\"")->schema, "s");
    assert_string_equal(describe(w, "only_here")->name, "s.only_here");
    assert_string_equal(describe(w, "\"Mixed\"")->name, "\"Mixed\"");
    assert_string_equal(describe(w, "\"a.b\"")->local, "a.b");

    bo_error err = {0};
    const bo_table *table = NULL;
    assert_int_equal(
        w->conn->driver->describe(w->conn, "twice", w->arena, &table, &err), BO_NOTFOUND);
    assert_non_null(strstr(err.text, "'other.twice', 's.twice'"));
    assert_int_equal(
        w->conn->driver->describe(w->conn, "mixed", w->arena, &table, &err), BO_NOTFOUND);
    assert_string_equal(err.text, "no such table: 'mixed'\nsimilar names: '\"Mixed\"'");
    assert_int_equal(w->conn->driver->describe(w->conn, "", w->arena, &table, &err), BO_NOTFOUND);
    assert_int_equal(
        w->conn->driver->describe(w->conn, "t; DROP", w->arena, &table, &err), BO_NOTFOUND);
    assert_null(table);
}

static bo_encoding encoding_of(const pg_world *w, const char *type)
{
    char sql[300];
    snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS e; CREATE TABLE e (i integer, x %s)", type);
    pg_do(w->user, sql);
    return describe(w, "e")->encoding;
}

static void text_is_used_where_binary_would_hold_the_numbers_of_types(void **state)
{
    WORLD;
    pg_do(w->user,
        "CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN whole AS integer;"
        "CREATE DOMAIN moods AS mood[]; CREATE DOMAIN list AS integer[];"
        "CREATE TYPE plain AS (a integer, b text); CREATE TYPE built AS (a integer, b text[]);"
        "CREATE TYPE made AS (a integer, b mood); CREATE DOMAIN made_too AS made;"
        "CREATE TYPE moodrange AS RANGE (SUBTYPE = mood);"
        "CREATE TYPE maderange AS RANGE (SUBTYPE = made)");
    static const char *const binary[] = {"text", "numeric(8,2)", "jsonb", "integer[]", "mood",
        "whole", "plain", "moodrange", "int4multirange", "tsvector", "oidvector", "point", "oid"};
    for (size_t i = 0; i < sizeof binary / sizeof binary[0]; i++)
        assert_int_equal(encoding_of(w, binary[i]), BO_ENCODING_PG_BINARY);
    static const char *const text[] = {"xml", "xml[]", "aclitem", "aclitem[]", "regclass", "mood[]",
        "moods", "whole[]", "built", "list", "made", "made_too", "built[]", "maderange",
        "moodmultirange[]"};
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
        assert_int_equal(encoding_of(w, text[i]), BO_ENCODING_PG_TEXT);
    assert_int_equal(
        encoding_of(w, "integer GENERATED ALWAYS AS (1) STORED"), BO_ENCODING_PG_BINARY);
    assert_int_equal(describe(w, "e")->image_count, 1);
    assert_false(describe(w, "e")->columns[1].in_image);
}

static const bo_key *key(const bo_table *table, const char *name)
{
    for (uint16_t i = 0; i < table->key_count; i++) {
        if (strcmp(table->keys[i].name, name) == 0)
            return &table->keys[i];
    }
    fail_msg("no key '%s'", name);
    return NULL;
}

static void only_a_key_that_cannot_be_null_identifies_rows(void **state)
{
    WORLD;
    pg_do(w->user,
        "CREATE TABLE t (gone integer, a integer NOT NULL, b integer NOT NULL, c integer,"
        " r int4range, CONSTRAINT late PRIMARY KEY (a) DEFERRABLE,"
        " CONSTRAINT nullable UNIQUE (c), CONSTRAINT two UNIQUE (b, a),"
        " CONSTRAINT same_null UNIQUE NULLS NOT DISTINCT (c),"
        " CONSTRAINT apart EXCLUDE USING gist (r WITH &&));"
        "CREATE UNIQUE INDEX part ON t (a) WHERE b > 0;"
        "CREATE UNIQUE INDEX expr ON t ((a + b));"
        "CREATE INDEX plain ON t (c); ALTER TABLE t DROP COLUMN gone");
    const bo_table *t = describe(w, "t");
    assert_int_equal(t->key_count, 7);
    assert_string_equal(t->row_key->name, "two");
    assert_int_equal(t->row_key->count, 2);
    assert_int_equal(t->row_key->columns[0], 1);
    assert_int_equal(t->row_key->columns[1], 0);
    assert_true(key(t, "late")->primary && !key(t, "late")->is_row_key && key(t, "late")->simple);
    assert_true(key(t, "nullable")->simple && !key(t, "nullable")->nulls_equal);
    assert_true(key(t, "same_null")->nulls_equal && !key(t, "same_null")->is_row_key);
    assert_false(key(t, "part")->simple || key(t, "part")->is_row_key);
    assert_false(key(t, "expr")->simple || key(t, "expr")->count);
    assert_false(key(t, "apart")->simple || key(t, "apart")->is_row_key);
    assert_string_equal(
        key(t, "nullable")->definition, "ALTER TABLE public.t ADD CONSTRAINT nullable UNIQUE (c)");
    assert_int_equal(t->index_count, 1);
    assert_string_equal(t->indexes[0].name, "plain");
}

static void foreign_keys_are_seen_from_both_tables(void **state)
{
    WORLD;
    pg_do(w->user,
        "CREATE TABLE p (x integer, y integer, up_x integer, up_y integer, PRIMARY KEY (x, y),"
        " CONSTRAINT self FOREIGN KEY (up_x, up_y) REFERENCES p);"
        "CREATE TABLE s.c (b integer, a integer, CONSTRAINT f FOREIGN KEY (b, a)"
        " REFERENCES p (y, x) ON DELETE CASCADE ON UPDATE SET NULL"
        " DEFERRABLE INITIALLY DEFERRED NOT VALID) PARTITION BY LIST (a);"
        "CREATE TABLE s.c1 PARTITION OF s.c FOR VALUES IN (1)");
    const bo_table *p = describe(w, "p");
    assert_int_equal(p->foreign_key_count, 1);
    assert_int_equal(p->referenced_count, 2);
    const bo_foreign_key *f = &p->referenced_by[0];
    assert_string_equal(f->name, "f");
    assert_string_equal(f->child, "s.c");
    assert_string_equal(f->parent, "p");
    assert_int_equal(f->count, 2);
    assert_string_equal(f->child_columns[0], "b");
    assert_string_equal(f->parent_columns[0], "y");
    assert_string_equal(f->parent_columns[1], "x");
    assert_true(f->on_delete == 'c' && f->on_update == 'n' && f->deferrable && f->deferred);
    assert_string_equal(p->referenced_by[1].name, "self");
    assert_int_equal(describe(w, "s.c")->foreign_key_count, 1);
    assert_int_equal(describe(w, "s.c1")->foreign_key_count, 1);
}

static void a_foreign_key_to_a_partition_refers_to_the_whole_table_too(void **state)
{
    WORLD;
    pg_do(w->user, "CREATE TABLE p (x integer PRIMARY KEY) PARTITION BY LIST (x);"
                   "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
                   "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2) PARTITION BY LIST (x);"
                   "CREATE TABLE p21 PARTITION OF p2 FOR VALUES IN (2);"
                   "CREATE TABLE a (x integer REFERENCES p, y integer REFERENCES p21);");
    const bo_table *p = describe(w, "p");
    assert_int_equal(p->foreign_key_count, 0);
    assert_int_equal(p->referenced_count, 2);
    assert_string_equal(p->referenced_by[0].name, "a_x_fkey");
    assert_string_equal(p->referenced_by[1].name, "a_y_fkey");
    assert_string_equal(p->referenced_by[1].parent, "p21");
    assert_int_equal(describe(w, "p21")->referenced_count, 2);
    assert_int_equal(describe(w, "a")->foreign_key_count, 2);
    assert_int_equal(describe(w, "a")->referenced_count, 0);
}

static void a_table_is_found_by_its_id_whatever_it_is_called(void **state)
{
    WORLD;
    pg_do(w->user, "CREATE TABLE t (x integer); CREATE TABLE s.\"A b\" (x integer)");
    const char *t = describe(w, "t")->id, *b = describe(w, "s.\"A b\"")->id, *name = NULL;
    bo_error err = {0};
    pg_do(w->user, "ALTER TABLE t RENAME TO t_old; ALTER TABLE s.\"A b\" RENAME TO t;"
                   "ALTER TABLE t_old SET SCHEMA other");
    pg_must(w->conn->driver->called(w->conn, t, w->arena, &name, &err), &err);
    assert_string_equal(name, "other.t_old");
    pg_must(w->conn->driver->called(w->conn, b, w->arena, &name, &err), &err);
    assert_string_equal(name, "s.t");
    pg_do(w->user, "DROP TABLE other.t_old");
    pg_must(w->conn->driver->called(w->conn, t, w->arena, &name, &err), &err);
    assert_null(name);
}

static bool has_limit(const bo_table *table, const char *sentence)
{
    for (uint16_t i = 0; i < table->limit_count; i++) {
        if (strcmp(table->limits[i], sentence) == 0)
            return true;
    }
    return false;
}

static void what_cannot_be_undone_is_said(void **state)
{
    WORLD;
    pg_do(w->user,
        "CREATE TABLE t (i integer, picture oid);"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f();"
        "ALTER TABLE t ENABLE ALWAYS TRIGGER g;"
        "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;"
        "CREATE VIEW v AS SELECT * FROM t; CREATE TABLE none ();"
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER x FOREIGN DATA WRAPPER w;"
        "CREATE FOREIGN TABLE far (i integer) SERVER x");
    const bo_table *t = describe(w, "t");
    assert_false(t->uncovered);
    assert_true(has_limit(t, "column picture may hold numbers of large objects, whose contents are "
                             "not covered"));
    assert_true(has_limit(t, "rule r replaces every DELETE of the table"));
    assert_true(has_limit(
        t, "trigger g is ENABLE ALWAYS: it fires also where others are kept from firing"));
    assert_true(has_limit(t, "it has no key: rows are identified by all their values"));
    assert_string_equal(t->views[0], "v");
    assert_int_equal(t->trigger_count, 1);
    assert_int_equal(t->triggers[0].enabled, 'A');

    assert_true(describe(w, "v")->uncovered);
    assert_string_equal(describe(w, "v")->limits[0], "it is a view");
    assert_string_equal(
        describe(w, "far")->limits[0], "it is a foreign table: its rows are in another database");
    assert_true(describe(w, "none")->uncovered);
    pg_do(w->user, "DROP FOREIGN DATA WRAPPER w CASCADE");
}

static void a_missing_right_is_named(void **state)
{
    WORLD;
    pg_do(w->user, "CREATE TABLE closed (i integer PRIMARY KEY);"
                   "CREATE TABLE secured (i integer PRIMARY KEY);"
                   "CREATE TABLE half (i serial PRIMARY KEY, j integer);"
                   "ALTER TABLE secured ENABLE ROW LEVEL SECURITY;"
                   "CREATE TABLE s.hidden (i integer PRIMARY KEY);"
                   "GRANT SELECT ON secured TO describe_reader;"
                   "GRANT SELECT (i, j), INSERT, DELETE ON half TO describe_reader");
    BO_OWN(bo_conn) *reader = connect_reader(w);
    const bo_table *t = pg_table(reader, w->arena, "closed");
    assert_true(t->uncovered);
    assert_string_equal(
        t->limits[0], "a right is missing: GRANT SELECT ON closed TO describe_reader");
    t = pg_table(reader, w->arena, "secured");
    assert_true(t->uncovered && t->row_security);
    assert_string_equal(t->limits[0],
        "row security hides rows from describe_reader: ALTER ROLE describe_reader BYPASSRLS, or "
        "connect as a role that has it");
    t = pg_table(reader, w->arena, "s.hidden");
    assert_string_equal(
        t->limits[0], "a right is missing: GRANT USAGE ON SCHEMA s TO describe_reader");
    t = pg_table(reader, w->arena, "half");
    assert_false(t->uncovered);
    assert_true(
        has_limit(t, "rows cannot be put back before GRANT UPDATE ON half TO describe_reader"));
    assert_true(has_limit(t, "sequence half_i_seq cannot be put back before GRANT SELECT, UPDATE "
                             "ON SEQUENCE public.half_i_seq TO describe_reader"));
}

static void sequences_are_read_set_and_compared_with_their_column(void **state)
{
    WORLD;
    pg_do(w->user,
        "CREATE SEQUENCE down INCREMENT -1 MINVALUE -50 MAXVALUE 9;"
        "CREATE TABLE t (id serial PRIMARY KEY, n bigint DEFAULT nextval('down'),"
        " g integer GENERATED ALWAYS AS IDENTITY, code text DEFAULT 'c' || nextval('down'));"
        "INSERT INTO t (id) VALUES (DEFAULT), (DEFAULT), (40)");
    const bo_table *t = describe(w, "t");
    assert_int_equal(t->sequence_count, 4);
    assert_string_equal(t->sequences[0].name, "public.t_id_seq");
    assert_string_equal(t->sequences[0].column, "id");
    assert_int_equal(t->sequences[0].last_value, 2);
    assert_true(t->sequences[0].is_called);
    assert_int_equal(t->sequences[1].increment, -1);
    assert_string_equal(t->sequences[2].name, "public.t_g_seq");

    bo_error err = {0};
    int64_t extreme = 0;
    bool any = false;
    const bo_driver *driver = w->conn->driver;
    pg_must(driver->sequence_used(w->conn, t, &t->sequences[0], &extreme, &any, &err), &err);
    assert_true(any && extreme == 40);
    pg_must(driver->sequence_used(w->conn, t, &t->sequences[1], &extreme, &any, &err), &err);
    assert_true(any && extreme < 9);
    pg_must(driver->sequence_used(w->conn, t, &t->sequences[3], &extreme, &any, &err), &err);
    assert_false(any);

    bo_sequence s = t->sequences[0];
    s.last_value = 77;
    s.is_called = false;
    pg_must(driver->sequence_set(w->conn, &s, &err), &err);
    s.last_value = 0;
    s.is_called = true;
    pg_must(driver->sequence_read(w->conn, &s, &err), &err);
    assert_true(s.last_value == 77 && !s.is_called);
    s.name = "public.absent";
    assert_int_equal(driver->sequence_set(w->conn, &s, &err), BO_NOTFOUND);
}

static void a_dropped_column_comes_back(void **state)
{
    WORLD;
    pg_do(w->user, "CREATE TABLE t (k integer PRIMARY KEY, id serial, name varchar(9) COLLATE \"C\""
                   "  NOT NULL DEFAULT 'it''s', twice integer GENERATED ALWAYS AS (k * 2) STORED,"
                   " g smallint GENERATED BY DEFAULT AS IDENTITY, \"odd \"\"x\" text)");
    const bo_table *was = describe(w, "t");
    pg_do(w->user, "ALTER TABLE t DROP id, DROP name, DROP twice, DROP g, DROP \"odd \"\"x\"");
    bo_error err = {0};
    const bo_table *now = describe(w, "t");
    assert_int_equal(now->column_count, 1);
    for (uint16_t i = 1; i < was->column_count; i++)
        pg_must(w->conn->driver->add_column(w->conn, now, &was->columns[i], &err), &err);
    for (uint16_t i = 1; i < was->column_count; i++)
        pg_must(w->conn->driver->add_column_after(w->conn, now, &was->columns[i], &err), &err);

    now = describe(w, "t");
    assert_int_equal(now->column_count, was->column_count);
    assert_int_equal(now->sequence_count, was->sequence_count);
    bo_table_change *changes = NULL;
    uint16_t count = 0;
    pg_must(bo_table_compare(was, now, w->arena, &changes, &count, &err), &err);
    assert_int_equal(count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(tables_are_the_users_own_without_partitions),
        TEST(a_name_is_found_as_sql_would),
        TEST(text_is_used_where_binary_would_hold_the_numbers_of_types),
        TEST(only_a_key_that_cannot_be_null_identifies_rows),
        TEST(foreign_keys_are_seen_from_both_tables),
        TEST(a_foreign_key_to_a_partition_refers_to_the_whole_table_too),
        TEST(a_table_is_found_by_its_id_whatever_it_is_called),
        TEST(what_cannot_be_undone_is_said),
        TEST(a_missing_right_is_named),
        TEST(sequences_are_read_set_and_compared_with_their_column),
        TEST(a_dropped_column_comes_back),
    };
    return cmocka_run_group_tests_name("describe", tests, start, finish);
}
