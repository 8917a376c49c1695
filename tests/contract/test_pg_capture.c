/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_pg_capture.c - PostgreSQL: what only it has, captured. */
#include "contract/capture_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T PG_NAMES("t")

static void make_t(contract_world *w)
{
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text, n integer);"
                   "INSERT INTO t VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30)");
}

static bo_conn *super_session(const contract_world *w)
{
    const char *like = getenv("BACKOUT_TEST_PG_SUPER_URL");
    char url[600];
    const char *database = strstr(w->url, "///") + 3;
    snprintf(url, sizeof url, "postgresql:///%.*s%s", (int)strcspn(database, "?"), database,
        strchr(like, '?'));
    return pg_world_connect(url, true);
}

static void expect_broken(contract_world *w, const char *table, const char *words)
{
    const char *why = capture_broken(w, table, "p");
    if (!strstr(why, words))
        fail_msg("'%s' is not in: %s", words, why);
}

static bo_status try_begin(contract_world *w, const char *table, bo_error *err)
{
    const bo_table *t = contract_table(w, table);
    return w->driver->capture->begin(w->conn, &t, 1, "p", err);
}

/* ---- statements ---- */

static void a_table_that_is_emptied_is_told_whole(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "TRUNCATE t; INSERT INTO t VALUES (2, 'new', 0)");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > -\n"
                                                     "(2|two|20) > (2|new|0)\n"
                                                     "(3|three|30) > -\n");
    assert_string_equal(capture_journal(w, "t", from), "T (1)\nT (2)\nT (3)\nI (2)\n");
}

static void tables_that_are_emptied_with_it_are_told_too(void **state)
{
    contract_world *w = *state;
    make_t(w);
    contract_do(w, "CREATE TABLE c (id integer PRIMARY KEY, t integer REFERENCES t);"
                   "INSERT INTO c VALUES (1, 1)");
    const char *from = capture_begin(w, "p", PG_NAMES("t", "c"));
    contract_do(w, "TRUNCATE t CASCADE");
    assert_string_equal(capture_since(w, "c", from), "(1|1) > -\n");
}

static void inserts_that_turn_into_updates_are_told_as_such(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (3, 'drei', 1), (4, 'four', 2)"
                   " ON CONFLICT (id) DO UPDATE SET a = excluded.a;"
                   "INSERT INTO t VALUES (1, 'x', 0), (5, 'five', 3) ON CONFLICT DO NOTHING");
    assert_string_equal(capture_since(w, "t", from), "(3|three|30) > (3|drei|30)\n"
                                                     "- > (4|four|2)\n- > (5|five|3)\n");
}

static void statements_that_do_several_things_are_told_right(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "WITH d AS (DELETE FROM t WHERE id < 3 RETURNING *)"
                   " INSERT INTO t SELECT id, a || '!', n FROM d WHERE id = 2");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > -\n(2|two|20) > (2|two!|20)\n");
    if (atoi(contract_ask(w, "SHOW server_version_num")) < 150000)
        return;
    from = capture_position(w, T);
    contract_do(w,
        "MERGE INTO t USING (VALUES (2, 'm'), (3, NULL), (9, 'nine')) AS s (id, a) ON t.id = s.id"
        " WHEN MATCHED AND s.a IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET a = s.a"
        " WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.a, 0)");
    assert_string_equal(
        capture_since(w, "t", from), "(2|two!|20) > (2|m|20)\n(3|three|30) > -\n- > (9|nine|0)\n");
}

static void a_prepared_transaction_is_later_than_what_it_outlived(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "BEGIN; UPDATE t SET n = 11 WHERE id = 1; PREPARE TRANSACTION 'backout_test'");
    const char *meanwhile = capture_position(w, T);
    assert_string_equal(capture_since(w, "t", from), "");
    contract_do(w, "COMMIT PREPARED 'backout_test'");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > (1|one|11)\n");
    assert_string_equal(capture_since(w, "t", meanwhile), "(1|one|10) > (1|one|11)\n");
}

static void open_transactions_are_later_and_ended_ones_are_not(void **state)
{
    contract_world *w = *state;
    make_t(w);
    bo_conn *other = contract_connect(w, true);
    const char *begin = capture_begin(w, "p", T);
    pg_do(other, "BEGIN; UPDATE t SET n = 11 WHERE id = 1");
    contract_do(w, "UPDATE t SET n = 22 WHERE id = 2");
    const char *from = capture_position(w, T);
    pg_do(other, "UPDATE t SET n = 33 WHERE id = 3; COMMIT");
    assert_string_equal(
        capture_since(w, "t", from), "(1|one|10) > (1|one|11)\n(3|three|30) > (3|three|33)\n");
    bo_journal_filter filter = {.from = begin, .to = from};
    assert_string_equal(capture_changes(w, "t", &filter), "(2|two|20) > (2|two|22)\n");
    bo_conn_free(other);
}

/* ---- foreign keys that act ---- */

static void a_row_that_two_foreign_keys_change_has_its_first_image(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE u (id integer PRIMARY KEY); INSERT INTO u VALUES (1), (2);"
        "CREATE TABLE m (id integer PRIMARY KEY, a integer REFERENCES u ON DELETE SET NULL,"
        " b integer REFERENCES u ON DELETE SET NULL); INSERT INTO m VALUES (5, 1, 1), (6, 2, 1)");
    const char *from = capture_begin(w, "p", PG_NAMES("m"));
    contract_do(w, "DELETE FROM u WHERE id = 1");
    assert_string_equal(capture_since(w, "m", from), "(5|1|1) > (5|~|~)\n(6|2|1) > (6|2|~)\n");
}

static void keys_of_a_tree_that_cascade_to_itself_are_told_right(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY,"
                   " up integer REFERENCES t ON UPDATE CASCADE ON DELETE CASCADE, a text);"
                   "INSERT INTO t VALUES (1, NULL, 'r'), (2, 1, 'x'), (3, 2, 'y')");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET id = id + 100");
    assert_string_equal(capture_since(w, "t", from), "(1|~|r) > -\n(2|1|x) > -\n(3|2|y) > -\n"
                                                     "- > (101|~|r)\n- > (102|101|x)\n"
                                                     "- > (103|102|y)\n");
    from = capture_position(w, T);
    contract_do(w, "DELETE FROM t WHERE id = 101");
    assert_string_equal(
        capture_since(w, "t", from), "(101|~|r) > -\n(102|101|x) > -\n(103|102|y) > -\n");
}

/* ---- users' triggers ---- */

static void a_trigger_that_writes_the_row_again_does_not_hide_what_was(void **state)
{
    contract_world *w = *state;
    make_t(w);
    contract_do(w,
        "CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF pg_trigger_depth() = 1 THEN UPDATE t SET n = n + 1; END IF; RETURN NULL; END $$;"
        "CREATE TRIGGER again AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION again();"
        "CREATE TRIGGER once AFTER DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION again()");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "INSERT INTO t VALUES (4, 'four', 0), (5, 'five', 0)");
    assert_string_equal(capture_since(w, "t", from),
        "(1|one|10) > (1|one|12)\n(2|two|20) > (2|two|22)\n(3|three|30) > (3|three|32)\n"
        "- > (4|four|2)\n- > (5|five|2)\n");
    from = capture_position(w, T);
    contract_do(w, "UPDATE t SET a = 'x', id = id + 10 WHERE id > 3");
    assert_string_equal(capture_since(w, "t", from),
        "(1|one|12) > (1|one|14)\n(2|two|22) > (2|two|24)\n(3|three|32) > (3|three|34)\n"
        "(4|four|2) > -\n(5|five|2) > -\n- > (14|x|4)\n- > (15|x|4)\n");
    from = capture_position(w, T);
    contract_do(w, "DELETE FROM t WHERE id > 1");
    assert_string_equal(capture_since(w, "t", from),
        "(14|x|4) > -\n(15|x|4) > -\n(1|one|14) > (1|one|15)\n(2|two|24) > -\n"
        "(3|three|34) > -\n");
    assert_string_equal(capture_broken(w, "t", "p"), "");
}

static void a_trigger_that_could_write_again_ends_the_capture(void **state)
{
    contract_world *w = *state;
    make_t(w);
    capture_begin(w, "p", T);
    contract_do(w,
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;"
        "CREATE TRIGGER b BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"
        "CREATE TRIGGER s AFTER INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION f()");
    assert_string_equal(capture_broken(w, "t", "p"), "");
    contract_do(w, "CREATE TRIGGER a AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()");
    expect_broken(w, "t", "AFTER ROW trigger");
}

/* ---- partitions and relatives ---- */

static void make_parts(contract_world *w)
{
    contract_do(w,
        "CREATE TABLE t (id integer, part integer, a text, PRIMARY KEY (part, id))"
        " PARTITION BY LIST (part);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);"
        "CREATE TABLE t2 (a text, id integer NOT NULL, dropped integer, part integer NOT NULL);"
        "ALTER TABLE t2 DROP COLUMN dropped; ALTER TABLE t ATTACH PARTITION t2 FOR VALUES IN (2);"
        "CREATE TABLE tn PARTITION OF t FOR VALUES IN (3, 4) PARTITION BY LIST (part);"
        "CREATE TABLE t3 PARTITION OF tn FOR VALUES IN (3);"
        "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c'), (4, 1, 'd')");
}

static void partitions_are_captured_whichever_way_they_are_written(void **state)
{
    contract_world *w = *state;
    make_parts(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET a = upper(a) WHERE id = 1; UPDATE t2 SET a = 'direct';"
                   "INSERT INTO tn VALUES (5, 3, 'e'); DELETE FROM t3 WHERE id = 3;"
                   "UPDATE t SET part = 2 WHERE id = 4");
    assert_string_equal(capture_since(w, "t", from),
        "(1|1|a) > (1|1|A)\n(2|2|b) > (2|2|direct)\n(3|3|c) > -\n(4|1|d) > -\n- > (4|2|d)\n"
        "- > (5|3|e)\n");
    from = capture_position(w, T);
    contract_do(w, "TRUNCATE t2");
    assert_string_equal(capture_since(w, "t", from), "(2|2|direct) > -\n(4|2|d) > -\n");
    from = capture_position(w, T);
    contract_do(w, "TRUNCATE t");
    assert_string_equal(capture_since(w, "t", from), "(1|1|A) > -\n(5|3|e) > -\n");
    assert_string_equal(capture_broken(w, "t", "p"), "");
    capture_end(w, "p");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM pg_trigger"), "0");
}

static void a_partition_that_comes_or_goes_ends_the_capture(void **state)
{
    contract_world *w = *state;
    make_parts(w);
    if (!strstr(capture_coverage(w, "t", BO_COVERED_WITH_LIMITS), "partition"))
        fail_msg("the limit is not said");
    capture_begin(w, "p", T);
    contract_do(w, "CREATE TABLE t5 PARTITION OF t FOR VALUES IN (5)");
    expect_broken(w, "t", "t5 came");
    contract_do(
        w, "INSERT INTO t VALUES (1, 5, 'x'); DROP TABLE t5; ALTER TABLE t DETACH PARTITION t1");
    expect_broken(w, "t", "t1 went");
    contract_do(w, "INSERT INTO t1 VALUES (8, 1, 'x'); UPDATE t SET a = 'y'");
    capture_end(w, "p");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM pg_trigger"), "0");
}

static void a_partition_is_captured_by_itself(void **state)
{
    contract_world *w = *state;
    make_parts(w);
    const char *all = capture_begin(w, "all", T);
    const char *from = capture_begin(w, "p", PG_NAMES("t1"));
    contract_do(w, "UPDATE t SET a = 'x'; UPDATE t1 SET id = id - 1; DELETE FROM t WHERE id = 3;"
                   "UPDATE t SET part = 2 WHERE id = 0");
    assert_string_equal(capture_since(w, "t1", from), "(1|1|a) > -\n(4|1|d) > -\n");
    assert_string_equal(capture_since(w, "t", all),
        "(1|1|a) > -\n(2|2|b) > (2|2|x)\n(3|3|c) > -\n(4|1|d) > -\n- > (0|2|x)\n");
}

static void a_family_of_tables_is_captured_row_by_row(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE base (id integer PRIMARY KEY, a text);"
        "CREATE TABLE t (extra integer, PRIMARY KEY (id)) INHERITS (base);"
        "INSERT INTO base VALUES (1, 'base'); INSERT INTO t VALUES (2, 'b', 0), (3, 'c', 0),"
        " (4, 'd', 0)");
    const char *from = capture_begin(w, "p", PG_NAMES("base", "t"));
    contract_do(w, "UPDATE base SET a = upper(a) WHERE id < 3; DELETE FROM base WHERE id = 4");
    assert_string_equal(capture_since(w, "base", from), "(1|base) > (1|BASE)\n");
    assert_string_equal(capture_since(w, "t", from), "(2|b|0) > (2|B|0)\n(4|d|0) > -\n");
    from = capture_position(w, T);
    contract_do(w, "UPDATE base SET id = id - 1 WHERE id > 1");
    assert_string_equal(
        capture_since(w, "t", from), "(2|B|0) > (2|c|0)\n(3|c|0) > -\n- > (1|B|0)\n");
    from = capture_position(w, T);
    contract_do(w, "TRUNCATE base");
    assert_string_equal(capture_since(w, "t", from), "(1|B|0) > -\n(2|c|0) > -\n");
    assert_string_equal(capture_broken(w, "t", "p"), "");
    contract_do(w, "ALTER TABLE t DROP COLUMN extra; INSERT INTO t VALUES (9, 'n');"
                   "UPDATE base SET id = 10, a = 'x'; DELETE FROM base");
    expect_broken(w, "t", "extra");
}

/* ---- values ---- */

static void keys_are_told_apart_by_their_bytes(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;"
                   "CREATE TABLE t (k citext, n numeric, f float8, PRIMARY KEY (k, n, f));"
                   "INSERT INTO t VALUES ('Foo', 1.0, '-0'), ('bar', 2, 1)");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET k = 'fOO' WHERE k = 'foo'");
    assert_string_equal(capture_since(w, "t", from), "(Foo|1.0|-0) > -\n- > (fOO|1.0|-0)\n");
    contract_do(w, "UPDATE t SET n = 1.00 WHERE k = 'foo'; UPDATE t SET f = 0 WHERE k = 'foo'");
    assert_string_equal(capture_since(w, "t", from), "(Foo|1.0|-0) > -\n- > (fOO|1.00|0)\n");
    contract_do(w, "UPDATE t SET k = 'Foo', n = 1.0, f = '-0' WHERE k = 'FOO'");
    assert_string_equal(capture_since(w, "t", from), "");
}

static void values_of_any_type_come_through_as_they_were(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE DOMAIN short AS varchar(5) CHECK (VALUE <> 'no'); CREATE TYPE mood AS ENUM ('x', "
        "'y');"
        "CREATE TABLE t (id integer PRIMARY KEY, d short NOT NULL, c char(4), b bit(3), v "
        "numeric(9,3),"
        " m mood, ar mood[], ts timestamp(0), j jsonb, g integer GENERATED ALWAYS AS (id * 2) "
        "STORED, r regclass, x xml, s text COLLATE \"C\");"
        "INSERT INTO t VALUES (1, 'ab', 'c', '101', 1.5, 'x', '{x,y}', '2026-11-20 07:00:00',"
        " '{\"a\": 1.00}', DEFAULT, 'pg_class', '<a/>', 'z')");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET d = 'cd', ar = NULL, r = NULL, x = NULL, v = 0");
    const char *changed = capture_since(w, "t", from);
    assert_string_equal(changed,
        "(1|ab|c   |101|1.500|x|{x,y}|2026-11-20 07:00:00|{\"a\": 1.00}|pg_class|<a/>|z) > "
        "(1|cd|c   |101|0.000|x|~|2026-11-20 07:00:00|{\"a\": 1.00}|~|~|z)\n");
}

static void a_binary_image_from_the_journal_is_that_of_the_row(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE DOMAIN money2 AS numeric(9,2);"
                   "CREATE TABLE t (id bigint PRIMARY KEY, d money2, c char(4), b varbit(5));"
                   "INSERT INTO t VALUES (1, 1.5, 'c', '10101')");
    const char *from = capture_begin(w, "p", T);
    const bo_table *t = contract_table(w, "t");
    assert_int_equal(t->encoding, BO_ENCODING_PG_BINARY);
    contract_do(w, "UPDATE t SET d = 9; UPDATE t SET d = 1.5");
    assert_string_equal(capture_since(w, "t", from), ""); /* the same bytes */
}

/* ---- definitions ---- */

static void make_wide(contract_world *w)
{
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text, n integer, v varchar(9));"
                   "INSERT INTO t VALUES (1, 'one', 10, 'x'), (2, 'two', 20, 'y')");
}

static void whatever_happens_to_columns_users_can_write(void **state)
{
    contract_world *w = *state;
    static const char *const changes[] = {"ALTER TABLE t DROP COLUMN a",
        "ALTER TABLE t ALTER COLUMN n TYPE text", "ALTER TABLE t ALTER COLUMN id TYPE bigint",
        "ALTER TABLE t ALTER COLUMN n TYPE bigint", "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t ALTER COLUMN a TYPE jsonb USING to_jsonb(a)",
        "ALTER TABLE t ALTER COLUMN v TYPE varchar(99)", "ALTER TABLE t DROP CONSTRAINT t_pkey",
        "ALTER TABLE t DROP COLUMN id", "ALTER TABLE t RENAME COLUMN id TO key"};
    bo_conn *other = contract_connect(w, true);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        make_wide(w);
        capture_begin(w, "p", T);
        static const char writes[] =
            "UPDATE t SET v = v || 'z'; DELETE FROM t WHERE v = 'xz';"
            "INSERT INTO t SELECT * FROM t WHERE false; INSERT INTO t (v) SELECT 'k' WHERE false";
        pg_do(other, "UPDATE t SET v = v; INSERT INTO t VALUES (3, NULL, 1, 'q');"
                     "UPDATE t SET id = 4 WHERE id = 3; DELETE FROM t WHERE id = 4");
        contract_do(w, changes[i]);
        contract_do(w, writes);
        pg_do(other, writes);
        pg_do(other, "TRUNCATE t");
        assert_string_not_equal(capture_broken(w, "t", "p"), "");
        contract_do(w, "DROP TABLE t");
        capture_end(w, "p");
    }
    bo_conn_free(other);
}

static void a_table_can_be_renamed_and_moved(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "ALTER TABLE t RENAME TO u; UPDATE u SET id = 9 WHERE id = 1; TRUNCATE u");
    assert_string_equal(capture_list(w), "p u\n");
    assert_string_equal(capture_broken(w, "u", "p"), "");
    assert_string_equal(
        capture_since(w, "u", from), "(1|one|10) > -\n(2|two|20) > -\n(3|three|30) > -\n");
}

static void a_key_that_others_use_can_be_another(void **state)
{
    contract_world *w = *state;
    make_t(w);
    contract_do(w, "ALTER TABLE t ALTER COLUMN n SET NOT NULL");
    capture_begin(w, "p", T);
    contract_do(w, "ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (n)");
    expect_broken(w, "t", "key changed");
}

/* ---- what can be done to a capture ---- */

static void whatever_is_done_to_the_triggers_is_noticed(void **state)
{
    contract_world *w = *state;
    static const char *const harm[][2] = {
        {"ALTER TABLE t DISABLE TRIGGER ALL", "is switched off"},
        {"ALTER TABLE t DISABLE TRIGGER USER; ALTER TABLE t ENABLE TRIGGER USER",
            "not ENABLE ALWAYS"},
        {"ALTER TABLE t DISABLE TRIGGER \"%s\"; ALTER TABLE t ENABLE ALWAYS TRIGGER \"%s\"",
            "was switched off for a while"},
        {"DROP TRIGGER \"%s\" ON t", "is missing"},
        {"ALTER TRIGGER \"%s\" ON t RENAME TO other", "is missing"},
        {"ALTER FUNCTION backout.journal_%i_update() SET work_mem = '1MB'", "function"},
        {"ALTER TABLE backout.journal_%i DROP COLUMN a", "journal was altered"},
        {"DROP TABLE backout.journal_%i", "journal is gone"},
    };
    for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
        if (i > 0)
            contract_do(w, "DROP TABLE t");
        make_t(w);
        capture_begin(w, "p", T);
        assert_string_equal(capture_broken(w, "t", "p"), "");
        const char *name = contract_ask(w, "SELECT tgname FROM pg_trigger WHERE tgname LIKE"
                                           " '%update%' AND NOT tgisinternal");
        const char *oid = contract_ask(w, "SELECT 't'::regclass::oid");
        bo_buf sql = {0};
        for (const char *c = harm[i][0]; *c; c++) {
            if (*c == '%') {
                c++;
                bo_buf_add_str(&sql, *c == 's' ? name : oid);
            } else {
                bo_buf_add_byte(&sql, (uint8_t)*c);
            }
        }
        bo_buf_add_str(&sql, "");
        contract_do(w, bo_buf_str(&sql));
        bo_buf_done(&sql);
        expect_broken(w, "t", harm[i][1]);
        bo_error err = {0};
        const bo_table *t = contract_table(w, "t");
        assert_int_equal(w->driver->capture->begin(w->conn, &t, 1, "q", &err), BO_REFUSED);
        capture_end(w, "p");
    }
}

static void writers_in_the_role_of_a_replica_are_captured(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    bo_conn *super = super_session(w);
    pg_do(super, "SET session_replication_role = replica; UPDATE t SET n = 0 WHERE id = 1");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > (1|one|0)\n");
    assert_string_equal(capture_last(w, "t", from).user, "postgres");
    bo_conn_free(super);
}

/* The functions run with their maker's rights: nothing of the writer's may run in them. */
static void a_writers_search_path_gets_nowhere(void **state)
{
    contract_world *w = *state;
    static const char *const operators[] = {"=", "<>", ">", "||"};
    static const char *const types[] = {"anyelement", "bigint", "integer", "text", "name", "oid"};
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    bo_conn *super = super_session(w);
    pg_do(super, "DROP SCHEMA IF EXISTS evil CASCADE; CREATE SCHEMA evil;"
                 "CREATE TABLE evil.backout_old (id integer); CREATE TABLE evil.backout_new (id "
                 "integer)");
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        char sql[500];
        snprintf(sql, sizeof sql,
            "CREATE FUNCTION evil.boom(%s, %s) RETURNS boolean LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'called'; END $$",
            types[t], types[t]);
        pg_do(super, sql);
        for (size_t o = 0; o < sizeof operators / sizeof *operators; o++) {
            snprintf(sql, sizeof sql,
                "CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.boom)",
                operators[o], types[t], types[t]);
            pg_do(super, sql);
        }
    }
    pg_do(super,
        "CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'called'; END $$;"
        "CREATE FUNCTION evil.current_setting(text, boolean) RETURNS text LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;"
        "CREATE FUNCTION evil.concat(text, regclass, text) RETURNS text LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'called'; END $$;"
        "CREATE DOMAIN evil.text AS integer; CREATE DOMAIN evil.\"char\" AS integer;"
        "CREATE DOMAIN evil.int4 AS pg_catalog.text; GRANT USAGE ON SCHEMA evil TO PUBLIC");
    contract_do(w, "SET search_path = evil, pg_catalog");
    contract_do(w, "UPDATE public.t SET n = 0 WHERE id OPERATOR(pg_catalog.=) 1;"
                   "UPDATE public.t SET id = 7 WHERE id OPERATOR(pg_catalog.=) 2;"
                   "INSERT INTO public.t VALUES (4, 'four', 4); TRUNCATE public.t");
    contract_do(w, "SET search_path = public");
    assert_string_equal(
        capture_since(w, "t", from), "(1|one|10) > -\n(2|two|20) > -\n(3|three|30) > -\n");
    pg_do(super, "DROP SCHEMA evil CASCADE");
    bo_conn_free(super);
}

static void a_writer_without_any_right_on_the_journal_is_captured(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    bo_conn *super = super_session(w);
    pg_do(super, "DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN;"
                 "GRANT USAGE ON SCHEMA public TO clerk;"
                 "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON t TO clerk;"
                 "SET SESSION AUTHORIZATION clerk; SET application_name = 'till 4';"
                 "UPDATE t SET n = 0 WHERE id = 1; INSERT INTO t VALUES (4, 'four', 4)");
    bo_journal_row row = capture_last(w, "t", from);
    assert_string_equal(row.user, "clerk");
    assert_string_equal(row.application, "till 4");
    bo_error err = {0};
    assert_int_equal(w->driver->exec(super, "SELECT * FROM backout.capture", &err), BO_DENIED);
    bo_journal_filter filter = {.from = from, .user = "clerk"};
    assert_string_equal(
        capture_changes(w, "t", &filter), "(1|one|10) > (1|one|0)\n- > (4|four|4)\n");
    pg_do(super, "TRUNCATE t; RESET SESSION AUTHORIZATION; DROP OWNED BY clerk; DROP ROLE clerk");
    bo_conn_free(super);
}

/* ---- begin and end ---- */

static void what_cannot_be_captured_says_why(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE UNLOGGED TABLE un (id integer PRIMARY KEY);"
                   "CREATE TABLE ours (id integer PRIMARY KEY, backout_seq integer);"
                   "CREATE TABLE gen (id integer, g integer GENERATED ALWAYS AS (id) STORED,"
                   " PRIMARY KEY (g));"
                   "CREATE TABLE lo (id integer PRIMARY KEY, o oid);"
                   "CREATE TABLE ru (id integer PRIMARY KEY);"
                   "CREATE RULE ru AS ON INSERT TO ru DO INSTEAD NOTHING;"
                   "DO $$ BEGIN EXECUTE 'CREATE TABLE wide (id integer PRIMARY KEY, '"
                   " || (SELECT string_agg('c' || i || ' integer', ', ') FROM"
                   " generate_series(1, 800) i) || ')'; END $$");
    static const struct {
        const char *table;
        bo_coverage coverage;
        const char *words;
    } cases[] = {
        {"un", BO_UNCOVERED, "unlogged"},
        {"ours", BO_UNCOVERED, "backout_seq"},
        {"gen", BO_UNCOVERED, "computes"},
        {"wide", BO_UNCOVERED, "750"},
        {"lo", BO_COVERED_WITH_LIMITS, "large objects"},
        {"ru", BO_COVERED_WITH_LIMITS, "rule ru"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bo_error err = {0};
        const char *why = capture_coverage(w, cases[i].table, cases[i].coverage);
        if (!strstr(why, cases[i].words))
            fail_msg("%s: %s", cases[i].table, why);
        bool uncovered = cases[i].coverage == BO_UNCOVERED;
        assert_int_equal(try_begin(w, cases[i].table, &err), uncovered ? BO_UNSUPPORTED : BO_OK);
        if (uncovered && !strstr(err.text, cases[i].words))
            fail_msg("%s: %s", cases[i].table, err.text);
    }
}

static void a_table_with_750_columns_is_captured(void **state)
{
    contract_world *w = *state;
    contract_do(w, "DO $$ BEGIN EXECUTE 'CREATE TABLE t (id integer PRIMARY KEY, '"
                   " || (SELECT string_agg('c' || i || ' integer', ', ') FROM"
                   " generate_series(1, 749) i) || ')'; END $$; INSERT INTO t VALUES (1, 1)");
    const char *from = capture_begin(w, "p", T);
    contract_do(w, "UPDATE t SET c700 = 2");
    bo_journal_filter filter = {.from = from, .run = ""};
    if (!strstr(capture_changes(w, "t", &filter), " > (1|1|~"))
        fail_msg("%s", capture_changes(w, "t", &filter));
}

static void missing_rights_are_named(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bo_conn *super = super_session(w);
    make_t(w);
    pg_do(super, "DROP ROLE IF EXISTS clerk; CREATE ROLE clerk LOGIN;"
                 "GRANT USAGE ON SCHEMA public TO clerk; GRANT ALL ON t TO clerk");
    char url[600];
    const char *like = getenv("BACKOUT_TEST_PG_SUPER_URL");
    const char *database = strstr(w->url, "///") + 3;
    const char *user = strstr(like, "user=postgres");
    snprintf(url, sizeof url, "postgresql:///%.*s%.*suser=clerk", (int)strcspn(database, "?"),
        database, (int)(user - strchr(like, '?')), strchr(like, '?'));
    bo_conn *clerk = pg_world_connect(url, false);
    const bo_table *t = pg_table(clerk, w->arena, "t");
    assert_int_equal(w->driver->capture->begin(clerk, &t, 1, "p", &err), BO_DENIED);
    if (!strstr(err.text, "owner of"))
        fail_msg("%s", err.text);
    pg_do(super, "ALTER TABLE t OWNER TO clerk");
    assert_int_equal(w->driver->capture->begin(clerk, &t, 1, "p", &err), BO_DENIED);
    if (!strstr(err.text, "GRANT CREATE ON DATABASE"))
        fail_msg("%s", err.text);
    bo_conn_free(clerk);
    pg_do(super, "DROP TABLE t; DROP OWNED BY clerk; DROP ROLE clerk");
    bo_conn_free(super);
}

static void a_session_that_may_not_write_is_refused(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    make_t(w);
    pg_do(w->conn, "SET default_transaction_read_only = on");
    assert_int_equal(try_begin(w, "t", &err), BO_REFUSED);
    assert_string_equal(capture_list(w), "");
}

static void the_marker_and_the_capture_share_a_schema(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    bo_buf token = {0};
    make_t(w);
    capture_begin(w, "p", T);
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(w->driver->mark(w->conn, "m", &token, &err), &err);
    pg_must(w->driver->commit(w->conn, &err), &err);
    capture_end(w, "p");
    bool marked = false;
    pg_must(w->driver->marked(w->conn, "m", bo_buf_str(&token), &marked, &err), &err);
    assert_true(marked);
    bo_buf_done(&token);
    capture_begin(w, "p", T);
    pg_must(w->driver->unmark(w->conn, "m", &err), &err);
    assert_string_equal(capture_broken(w, "t", "p"), "");
    capture_end(w, "p");
    assert_string_equal(
        contract_ask(w, "SELECT count(*) FROM pg_namespace WHERE nspname = 'backout'"), "0");
}

static void nothing_is_left_behind(void **state)
{
    contract_world *w = *state;
    make_parts(w);
    contract_do(w, "CREATE TABLE u (id integer PRIMARY KEY, r regclass)");
    capture_begin(w, "p", PG_NAMES("t", "u"));
    capture_begin(w, "q", PG_NAMES("u"));
    capture_end(w, "p");
    capture_end(w, "q");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM pg_trigger"), "0");
    assert_string_equal(
        contract_ask(w, "SELECT count(*) FROM pg_namespace WHERE nspname = 'backout'"), "0");
}

static void a_reader_keeps_the_triggers_from_being_dropped(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    make_t(w);
    const char *from = capture_begin(w, "p", T);
    bo_conn *other = contract_connect(w, true);
    pg_do(other, "SET application_name = 'report'; BEGIN; SELECT * FROM t");
    assert_int_equal(w->driver->capture->end(w->conn, "p", &err), BO_BUSY);
    if (!strstr(err.text, "report"))
        fail_msg("%s", err.text);
    contract_do(w, "UPDATE t SET n = 0 WHERE id = 1");
    assert_string_equal(capture_since(w, "t", from), "(1|one|10) > (1|one|0)\n");
    pg_do(other, "COMMIT");
    capture_end(w, "p");
    bo_conn_free(other);
}

CONTRACT_MAIN("pg_capture", CONTRACT_TEST(a_table_that_is_emptied_is_told_whole),
    CONTRACT_TEST(tables_that_are_emptied_with_it_are_told_too),
    CONTRACT_TEST(inserts_that_turn_into_updates_are_told_as_such),
    CONTRACT_TEST(statements_that_do_several_things_are_told_right),
    CONTRACT_TEST(a_prepared_transaction_is_later_than_what_it_outlived),
    CONTRACT_TEST(open_transactions_are_later_and_ended_ones_are_not),
    CONTRACT_TEST(a_row_that_two_foreign_keys_change_has_its_first_image),
    CONTRACT_TEST(keys_of_a_tree_that_cascade_to_itself_are_told_right),
    CONTRACT_TEST(a_trigger_that_writes_the_row_again_does_not_hide_what_was),
    CONTRACT_TEST(a_trigger_that_could_write_again_ends_the_capture),
    CONTRACT_TEST(partitions_are_captured_whichever_way_they_are_written),
    CONTRACT_TEST(a_partition_that_comes_or_goes_ends_the_capture),
    CONTRACT_TEST(a_partition_is_captured_by_itself),
    CONTRACT_TEST(a_family_of_tables_is_captured_row_by_row),
    CONTRACT_TEST(keys_are_told_apart_by_their_bytes),
    CONTRACT_TEST(values_of_any_type_come_through_as_they_were),
    CONTRACT_TEST(a_binary_image_from_the_journal_is_that_of_the_row),
    CONTRACT_TEST(whatever_happens_to_columns_users_can_write),
    CONTRACT_TEST(a_table_can_be_renamed_and_moved),
    CONTRACT_TEST(a_key_that_others_use_can_be_another),
    CONTRACT_TEST(whatever_is_done_to_the_triggers_is_noticed),
    CONTRACT_TEST(writers_in_the_role_of_a_replica_are_captured),
    CONTRACT_TEST(a_writers_search_path_gets_nowhere),
    CONTRACT_TEST(a_writer_without_any_right_on_the_journal_is_captured),
    CONTRACT_TEST(what_cannot_be_captured_says_why),
    CONTRACT_TEST(a_table_with_750_columns_is_captured), CONTRACT_TEST(missing_rights_are_named),
    CONTRACT_TEST(a_session_that_may_not_write_is_refused),
    CONTRACT_TEST(the_marker_and_the_capture_share_a_schema), CONTRACT_TEST(nothing_is_left_behind),
    CONTRACT_TEST(a_reader_keeps_the_triggers_from_being_dropped))
