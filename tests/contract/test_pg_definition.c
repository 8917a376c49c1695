/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_definition.c - a table that was dropped is made again exactly as it was.
 */
#include "support/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "driver/driver.h"

typedef struct world {
    char url[600];
    char database[64];
    bo_conn *super; /* on the server's own database, to make and drop ours */
    bo_conn *user;  /* as the user connects: nothing pinned */
    bo_conn *conn;
    bo_arena *arena;
} world;

static void must(bo_status st, const bo_error *err)
{
    if (st != BO_OK)
        fail_msg("%s: %s", bo_status_name(st), err->text);
}

static void run(bo_conn *conn, const char *sql)
{
    bo_error err = {0};
    must(conn->driver->exec(conn, sql, &err), &err);
}

static bo_conn *connect_to(const char *url, bool raw)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    must(bo_driver_postgres.open(
             &(bo_connect){.url = url, .application_name = "backout", .raw = raw}, &conn, &err),
        &err);
    return conn;
}

static const char *const roles[] = {"owner", "reader", "odd \"role"};

static void drop_roles(bo_conn *conn)
{
    char sql[200];
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        snprintf(sql, sizeof sql, "DROP ROLE IF EXISTS \"definition %s\"",
            i == 2 ? "odd \"\"role" : roles[i]);
        run(conn, sql);
    }
}

/* A database of our own with two schemas, and three roles; all dropped at the end. */
static int world_start(void **state)
{
    const char *super = getenv("BACKOUT_TEST_PG_SUPER_URL");
    if (!super)
        return 0;
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    snprintf(w->database, sizeof w->database, "definition_%ld", (long)getpid());
    const char *query = strchr(super, '?');
    snprintf(w->url, sizeof w->url, "postgresql:///%s%s", w->database, query ? query : "");
    w->super = connect_to(super, false);

    char sql[200];
    snprintf(sql, sizeof sql, "CREATE DATABASE %s", w->database);
    run(w->super, sql);
    drop_roles(w->super);
    run(w->super, "CREATE ROLE \"definition owner\"");
    run(w->super, "CREATE ROLE \"definition reader\"");
    run(w->super, "CREATE ROLE \"definition odd \"\"role\"");
    *state = w;
    return 0;
}

static int world_end(void **state)
{
    world *w = *state;
    if (!w)
        return 0;
    char sql[200];
    snprintf(sql, sizeof sql, "DROP DATABASE %s", w->database);
    run(w->super, sql);
    drop_roles(w->super);
    bo_conn_free(w->super);
    free(w);
    return 0;
}

static int begin(void **state)
{
    world *w = *state;
    if (!w)
        return 0;
    w->conn = connect_to(w->url, false);
    w->user = connect_to(w->url, true);
    w->arena = bo_arena_create();
    assert_non_null(w->arena);
    run(w->user, "DROP SCHEMA IF EXISTS public, \"Odd schema\" CASCADE;"
                 "CREATE SCHEMA public; CREATE SCHEMA \"Odd schema\";"
                 "GRANT ALL ON SCHEMA public, \"Odd schema\" TO \"definition owner\"");
    return 0;
}

static int end(void **state)
{
    world *w = *state;
    if (!w)
        return 0;
    bo_arena_free(w->arena);
    bo_conn_free(w->user);
    bo_conn_free(w->conn);
    w->arena = NULL;
    w->user = w->conn = NULL;
    return 0;
}

#define WORLD          \
    world *w = *state; \
    if (!w)            \
    skip()

/* What pg_dump says of the schema, without the lines that are random. */
static char *dump(const world *w)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    char command[800];
    snprintf(command, sizeof command, "pg_dump --schema-only --dbname='%s'", w->url);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    BO_OWN_MEM char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, pipe) > 0) {
        if (strncmp(line, "\\restrict", 9) != 0 && strncmp(line, "\\unrestrict", 11) != 0)
            bo_buf_add_str(&text, line);
    }
    assert_int_equal(pclose(pipe), 0);
    char *taken = bo_buf_take_str(&text);
    assert_non_null(taken);
    return taken;
}

/* Fails with the two places where the texts part. */
static void same_text(const char *before, const char *after)
{
    size_t at = 0;
    while (before[at] && before[at] == after[at])
        at++;
    const bool same = before[at] == after[at];
    while (at > 0 && before[at - 1] != '\n')
        at--;
    if (!same)
        fail_msg("was: %.300s\nis: %.300s", before + at, after + at);
}

static const bo_table *describe(const world *w, const char *name)
{
    bo_error err = {0};
    const bo_table *table = NULL;
    must(w->conn->driver->describe(w->conn, name, w->arena, &table, &err), &err);
    return table;
}

#define TABLES_MAX 8

/* Describes, drops and makes the tables again, children and parents in the order given. */
static void round_trip(const world *w, const char *setup, const char *const *names)
{
    run(w->user, setup);
    BO_OWN_MEM char *before = dump(w);
    const bo_table *tables[TABLES_MAX];
    size_t count = 0;
    for (; names[count]; count++) {
        assert_true(count < TABLES_MAX);
        tables[count] = describe(w, names[count]);
    }

    char sql[1000];
    for (size_t i = 0; i < count; i++) {
        BO_OWN_VALUE(bo_buf) quoted = {0};
        w->conn->driver->quote(&quoted, tables[i]->schema);
        bo_buf_add_str(&quoted, ".");
        w->conn->driver->quote(&quoted, tables[i]->local);
        snprintf(sql, sizeof sql, "DROP TABLE %s CASCADE", bo_buf_str(&quoted));
        run(w->conn, sql);
    }
    bo_error err = {0};
    for (size_t i = 0; i < count; i++)
        must(w->conn->driver->create(w->conn, tables[i], &err), &err);
    for (size_t i = 0; i < count; i++)
        must(w->conn->driver->create_after(w->conn, tables[i], &err), &err);

    BO_OWN_MEM char *after = dump(w);
    same_text(before, after);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_table_with_every_kind_of_column_comes_back(void **state)
{
    WORLD;
    round_trip(w,
        "CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');"
        "CREATE DOMAIN \"Odd schema\".codes AS text[] CHECK (cardinality(VALUE) < 9);"
        "CREATE TYPE pair AS (a integer, b \"Odd schema\".codes);"
        "CREATE SEQUENCE shared START 7 INCREMENT -2 MINVALUE -100 MAXVALUE 100 CYCLE;"
        "CREATE TABLE t ("
        " id bigint GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 5 CACHE 3),"
        " other integer GENERATED BY DEFAULT AS IDENTITY,"
        " serial smallserial, big bigserial, shared bigint DEFAULT nextval('shared'),"
        " name varchar(20) COLLATE \"C\" NOT NULL DEFAULT 'it''s \\ odd',"
        " price numeric(12,2) DEFAULT 1.50, moods mood[] DEFAULT '{happy}', pairs pair[],"
        " at timestamptz(3) DEFAULT now(), bits bit varying(8), codes \"Odd schema\".codes,"
        " total numeric GENERATED ALWAYS AS (price * 2) STORED, body text, gone integer,"
        " CONSTRAINT price_is_positive CHECK (price > 0), CHECK (name <> '') NO INHERIT)"
        " WITH (fillfactor=70, autovacuum_enabled=false, toast.autovacuum_enabled=false);"
        "ALTER TABLE t DROP COLUMN gone, ADD late date;"
        "ALTER TABLE t ALTER body SET STORAGE EXTERNAL, ALTER body SET COMPRESSION pglz,"
        " ALTER name SET STATISTICS 500, ALTER name SET (n_distinct=-0.5),"
        " ADD CONSTRAINT later CHECK (late > '2000-01-01') NOT VALID;"
        "ALTER TABLE t ADD PRIMARY KEY (id) INCLUDE (name) WITH (fillfactor=90);"
        "CREATE UNLOGGED TABLE u (id serial PRIMARY KEY, \"order\" text)",
        NAMES("t", "u"));
}

static void keys_indexes_and_what_hangs_on_a_table_come_back(void **state)
{
    WORLD;
    round_trip(w,
        "CREATE TABLE t (id serial, a integer NOT NULL, b text, c integer, r int4range,"
        " CONSTRAINT t_key PRIMARY KEY (id) DEFERRABLE INITIALLY DEFERRED,"
        " CONSTRAINT \"odd \"\"unique\" UNIQUE NULLS NOT DISTINCT (a, b),"
        " CONSTRAINT apart EXCLUDE USING gist (r WITH &&) WHERE (a > 0));"
        "CREATE UNIQUE INDEX by_lower ON t (lower(b) text_pattern_ops) WHERE c IS NOT NULL;"
        "CREATE UNIQUE INDEX by_a ON t (a); ALTER TABLE t REPLICA IDENTITY USING INDEX by_a;"
        "CREATE INDEX by_c ON t USING btree (c DESC NULLS LAST) INCLUDE (b) WITH (fillfactor=50);"
        "ALTER TABLE t CLUSTER ON by_c; CREATE STATISTICS ab ON a, c FROM t;"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER one BEFORE INSERT OR UPDATE OF b ON t FOR EACH ROW WHEN (NEW.a > 1)"
        " EXECUTE FUNCTION f('x', '\\y');"
        "CREATE TRIGGER two AFTER DELETE ON t REFERENCING OLD TABLE AS gone EXECUTE FUNCTION f();"
        "CREATE CONSTRAINT TRIGGER three AFTER INSERT ON t DEFERRABLE FOR EACH ROW"
        " EXECUTE FUNCTION f();"
        "ALTER TABLE t DISABLE TRIGGER one, ENABLE ALWAYS TRIGGER two, ENABLE REPLICA TRIGGER "
        "three;"
        "CREATE RULE r AS ON DELETE TO t WHERE OLD.a = 5 DO INSTEAD NOTHING;"
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY p ON t AS RESTRICTIVE FOR UPDATE TO \"definition reader\","
        " \"definition odd \"\"role\" USING (a > 1) WITH CHECK (a > 2);"
        "CREATE POLICY q ON t USING (true); CREATE PUBLICATION pub FOR TABLE t;"
        "COMMENT ON TABLE t IS 'it''s \\ a table'; COMMENT ON COLUMN t.b IS E'two\\nlines';"
        "COMMENT ON CONSTRAINT t_key ON t IS 'key'; COMMENT ON INDEX by_c IS 'index';"
        "COMMENT ON TRIGGER one ON t IS 'trigger'; COMMENT ON SEQUENCE t_id_seq IS 'sequence';"
        "COMMENT ON POLICY p ON t IS 'policy'; COMMENT ON RULE r ON t IS 'rule';"
        "ALTER TABLE t OWNER TO \"definition owner\";"
        "GRANT SELECT, INSERT ON t TO \"definition reader\" WITH GRANT OPTION;"
        "GRANT UPDATE (a, b) ON t TO \"definition odd \"\"role\"; GRANT SELECT ON t TO PUBLIC;"
        "GRANT USAGE ON SEQUENCE t_id_seq TO \"definition reader\"",
        NAMES("t"));
    run(w->user, "DROP PUBLICATION pub");
}

static void tables_that_refer_to_each_other_come_back(void **state)
{
    WORLD;
    round_trip(w,
        "CREATE TABLE a (x integer, y text, b_id integer, up_x integer, up_y text,"
        " PRIMARY KEY (x, y),"
        " CONSTRAINT self FOREIGN KEY (up_x, up_y) REFERENCES a ON DELETE SET NULL);"
        "CREATE TABLE \"Odd schema\".b (id integer UNIQUE, ax integer, ay text,"
        " CONSTRAINT to_a FOREIGN KEY (ay, ax) REFERENCES a (y, x) MATCH FULL"
        "  ON DELETE CASCADE ON UPDATE RESTRICT DEFERRABLE INITIALLY DEFERRED);"
        "ALTER TABLE a ADD CONSTRAINT to_b FOREIGN KEY (b_id) REFERENCES \"Odd schema\".b (id)"
        "  ON UPDATE SET DEFAULT NOT VALID;"
        "CREATE TABLE stays (x integer, y text, CONSTRAINT stay FOREIGN KEY (x, y) REFERENCES a)",
        NAMES("a", "\"Odd schema\".b"));
}

static void a_partitioned_table_comes_back_with_its_partitions(void **state)
{
    WORLD;
    round_trip(w,
        "CREATE TABLE parent (k integer PRIMARY KEY);"
        "CREATE TABLE p (id integer NOT NULL, region text DEFAULT 'x', v integer, "
        " ref integer REFERENCES parent, gone integer, PRIMARY KEY (id, region), CHECK (v > 0))"
        " PARTITION BY LIST (region);"
        "ALTER TABLE p DROP COLUMN gone;"
        "CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a', 'it''s')"
        " PARTITION BY RANGE (id);"
        "CREATE TABLE p_a1 PARTITION OF p_a FOR VALUES FROM (0) TO (10) WITH (fillfactor=60);"
        "CREATE TABLE \"Odd schema\".p_a2 PARTITION OF p_a FOR VALUES FROM (10) TO (MAXVALUE);"
        "CREATE TABLE p_rest PARTITION OF p DEFAULT;"
        "ALTER TABLE p_rest ALTER region SET DEFAULT 'rest', ALTER v SET NOT NULL,"
        " ADD CONSTRAINT only_here CHECK (v < 100);"
        "CREATE INDEX p_v ON p (v); CREATE INDEX only_rest ON p_rest (v, id);"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        "CREATE TRIGGER t AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION f();"
        "ALTER TABLE p_rest DISABLE TRIGGER t;"
        "GRANT SELECT ON p TO \"definition reader\"; COMMENT ON TABLE p_a1 IS 'first'",
        NAMES("p"));
    const bo_table *p = describe(w, "p");
    assert_int_equal(p->kind, 'p');
    assert_int_equal(p->partition_count, 3);
    assert_string_equal(p->partitions[0], "\"Odd schema\".p_a2");
    assert_int_equal(p->key_count, 1);
    assert_int_equal(p->foreign_key_count, 1);
    assert_int_equal(describe(w, "parent")->referenced_count, 1);
}

static void a_table_that_inherits_comes_back(void **state)
{
    WORLD;
    round_trip(w,
        "CREATE TABLE base (id integer NOT NULL DEFAULT 1, name text, CHECK (id > 0));"
        "CREATE TABLE child (extra date PRIMARY KEY) INHERITS (base);"
        "ALTER TABLE child ALTER id SET DEFAULT 2, ALTER name SET NOT NULL",
        NAMES("child"));
    const bo_table *base = describe(w, "base");
    assert_int_equal(base->limit_count, 2);
    assert_string_equal(base->limits[0], "table child inherits from it and is a table of its own");
}

static void hostile_names_come_back(void **state)
{
    WORLD;
    round_trip(w,
        "CREATE TABLE \"order\"\"; DROP TABLE x --\n%s %1$I\" ("
        " \"a\"\"b\" serial PRIMARY KEY, \"new\nline $$ $1\" integer DEFAULT 1,"
        " \"sixty-three bytes sixty-three bytes sixty-three bytes sixty-thr\" text UNIQUE,"
        " \"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\" text CHECK "
        "(\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""
        "  <> '$$'), \"select\" text, \" on only \" integer);"
        "CREATE INDEX \" ON ONLY \"\"\" ON \"order\"\"; DROP TABLE x --\n%s %1$I\" (\" on only \");"
        "CREATE TABLE p (id integer) PARTITION BY HASH (id);"
        "CREATE TABLE \"p 0\" PARTITION OF p FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
        "CREATE INDEX \"p ON ONLY \"\"x\" ON p (id);"
        "CREATE TABLE \"Odd schema\".\"it's.a 'name'\" (x integer PRIMARY KEY,"
        " up integer, CONSTRAINT \"it's \"\"a\\key\" FOREIGN KEY (up) REFERENCES"
        " \"Odd schema\".\"it's.a 'name'\");"
        "COMMENT ON COLUMN \"Odd schema\".\"it's.a 'name'\".up IS '''; DROP TABLE x --'",
        NAMES("\"order\"\"; DROP TABLE x --\n%s %1$I\"", "p", "\"Odd schema\".\"it's.a 'name'\""));
    const bo_table *odd = describe(w, "order\"; DROP TABLE x --\n%s %1$I"); /* not quoted at all */
    assert_string_equal(odd->local, "order\"; DROP TABLE x --\n%s %1$I");
    assert_string_equal(odd->name, "\"order\"\"; DROP TABLE x --\n%s %1$I\"");
    assert_string_equal(odd->sequences[0].column, "a\"b");
}

static void a_table_with_a_thousand_columns_comes_back(void **state)
{
    WORLD;
    round_trip(w,
        "DO $$ BEGIN EXECUTE 'CREATE TABLE wide (' || (SELECT string_agg('c' || i || ' text'"
        " || CASE WHEN i % 3 = 0 THEN ' NOT NULL DEFAULT ''x''' ELSE '' END, ',')"
        " FROM generate_series(1, 1000) i) || ')'; END $$;"
        "ALTER TABLE wide DROP COLUMN c500, DROP COLUMN c1, ADD PRIMARY KEY (c999)",
        NAMES("wide"));
    const bo_table *wide = describe(w, "wide");
    assert_int_equal(wide->column_count, 998);
    assert_int_equal(wide->image_count, 998);
    assert_string_equal(wide->columns[wide->row_key->columns[0]].name, "c999");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_table_with_every_kind_of_column_comes_back),
        TEST(keys_indexes_and_what_hangs_on_a_table_come_back),
        TEST(tables_that_refer_to_each_other_come_back),
        TEST(a_partitioned_table_comes_back_with_its_partitions),
        TEST(a_table_that_inherits_comes_back),
        TEST(hostile_names_come_back),
        TEST(a_table_with_a_thousand_columns_comes_back),
    };
    return cmocka_run_group_tests_name("definition", tests, world_start, world_end);
}
