/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_my_describe.c - MariaDB: definitions read and made again. */
#include "base/text.h"
#include "contract/my_clerk.h"

#include <stdio.h>
#include <string.h>

static const bo_driver *const my = &bo_driver_mariadb;

static const bo_column *column_of(const bo_table *table, const char *name)
{
    const int position = bo_table_column(table, name);
    assert_true(position >= 0);
    return &table->columns[position];
}

static void columns_are_described_as_they_are_written(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE t (id bigint unsigned AUTO_INCREMENT PRIMARY KEY,"
        " price decimal(12, 2) NOT NULL DEFAULT 1.50, name varchar(20) CHARACTER SET latin1 DEFAULT"
        " 'it''s', at timestamp NULL DEFAULT current_timestamp ON UPDATE current_timestamp,"
        " state enum ('', 'a,b') INVISIBLE, twice decimal(13, 2) AS (price * 2) VIRTUAL,"
        " kept integer AS (price + 1) PERSISTENT, j json, none integer, zero integer NULL DEFAULT"
        " NULL)");
    const bo_table *t = contract_table(w, "t");
    assert_int_equal(t->encoding, BO_ENCODING_MARIADB);
    assert_int_equal(t->kind, 'r');
    assert_int_equal(t->column_count, 10);
    assert_int_equal(t->image_count, 8);
    assert_string_equal(column_of(t, "id")->type, "bigint(20) unsigned");
    assert_int_equal(column_of(t, "id")->identity, 'd');
    assert_null(column_of(t, "id")->default_expr);
    assert_string_equal(column_of(t, "price")->type, "decimal(12,2)");
    assert_string_equal(column_of(t, "price")->default_expr, "1.50");
    assert_true(column_of(t, "price")->not_null);
    assert_null(column_of(t, "price")->collation);
    assert_string_equal(column_of(t, "name")->collation, "latin1_swedish_ci");
    assert_string_equal(column_of(t, "name")->default_expr, "'it''s'");
    assert_string_equal(
        column_of(t, "at")->default_expr, "current_timestamp() ON UPDATE current_timestamp()");
    assert_string_equal(column_of(t, "state")->type, "enum('','a,b')");
    assert_int_equal(column_of(t, "twice")->generated, BO_GENERATED_VIRTUAL);
    assert_false(column_of(t, "twice")->in_image);
    assert_string_equal(column_of(t, "twice")->default_expr, "`price` * 2");
    assert_int_equal(column_of(t, "kept")->generated, BO_GENERATED_STORED);
    assert_string_equal(column_of(t, "j")->type, "longtext");
    assert_null(column_of(t, "none")->default_expr);
    assert_null(column_of(t, "zero")->default_expr);
}

static void keys_say_whether_they_find_a_row(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE t (a varchar(300) NOT NULL, b integer NOT NULL, c integer, d text NOT NULL,"
        " g integer AS (b + 1) PERSISTENT, UNIQUE part (a(10)), UNIQUE nullable (b, c),"
        " UNIQUE hashed (d), UNIQUE computed (g), UNIQUE good (b, a), KEY plain (c),"
        " FULLTEXT KEY words (d))");
    const bo_table *t = contract_table(w, "t");
    static const struct {
        const char *name;
        bool row_key, simple;
    } wanted[] = {{"computed", false, true}, {"good", true, true}, {"hashed", false, true},
        {"nullable", false, true}, {"part", false, false}};
    assert_int_equal(t->key_count, 5);
    for (uint16_t i = 0; i < 5; i++) {
        assert_string_equal(t->keys[i].name, wanted[i].name);
        assert_int_equal(t->keys[i].is_row_key, wanted[i].row_key);
        assert_int_equal(t->keys[i].simple, wanted[i].simple);
        assert_int_equal(!t->keys[i].definition, wanted[i].simple);
    }
    assert_ptr_equal(t->row_key, &t->keys[1]);
    assert_int_equal(t->row_key->count, 2);
    assert_int_equal(t->row_key->columns[0], 1);
    assert_int_equal(t->row_key->columns[1], 0);
    assert_int_equal(t->index_count, 2);
    assert_string_equal(t->indexes[0].definition, "KEY `plain` (`c`)");
    assert_string_equal(t->indexes[1].name, "words");
}

static void foreign_keys_are_read_across_schemas(void **state)
{
    contract_world *w = *state;
    char sql[600];
    const char *other = contract_ask(w, "SELECT CONCAT(DATABASE(), '-b ü')");
    if (!my_is_super(w))
        skip(); /* who owns one schema may make no other */
    snprintf(sql, sizeof sql,
        "CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b));"
        "CREATE DATABASE `%s`; CREATE TABLE `%s`.`c /@ü%%` (x integer, `y``z` integer,"
        " CONSTRAINT `f``k` FOREIGN KEY (x, `y``z`) REFERENCES %.*s.p (a, b)"
        " ON DELETE SET NULL ON UPDATE NO ACTION)",
        other, other, (int)(strlen(other) - strlen("-b ü")), other);
    contract_do(w, sql);
    const bo_table *p = contract_table(w, "p");
    snprintf(sql, sizeof sql, "`%s`.`c /@ü%%`", other);
    const bo_table *c = contract_table(w, sql);
    snprintf(sql, sizeof sql, "DROP DATABASE `%s`", other);
    contract_do(w, sql);
    assert_string_equal(c->local, "c /@ü%");
    assert_int_equal(c->foreign_key_count, 1);
    assert_int_equal(p->referenced_count, 1);
    for (int side = 0; side < 2; side++) {
        const bo_foreign_key *key = side ? p->referenced_by : c->foreign_keys;
        assert_string_equal(key->name, "f`k");
        assert_string_equal(key->child, c->name);
        assert_string_equal(key->parent, "p");
        assert_int_equal(key->count, 2);
        assert_string_equal(key->child_columns[1], "y`z");
        assert_string_equal(key->parent_columns[1], "b");
        assert_int_equal(key->on_delete, 'n');
        assert_int_equal(key->on_update, 'a');
        assert_true(key->validated);
    }
}

/* With the right PROCESS the dictionary says that there are such. */
static void tables_that_a_user_may_not_see_do_not_refer(void **state)
{
    static const char *const everywhere[] = {NULL, "PROCESS", "PROCESS, SELECT"};
    contract_world *w = *state;
    char sql[400];
    const char *other = contract_ask(w, "SELECT CONCAT(DATABASE(), '_c')");
    if (!my_is_super(w))
        skip(); /* who owns one schema may make no other, and no user */
    snprintf(sql, sizeof sql,
        "CREATE TABLE p (a integer PRIMARY KEY); CREATE DATABASE %s;"
        "CREATE TABLE %s.c (x integer REFERENCES %.*s.p (a));"
        "CREATE TABLE mine (x integer REFERENCES p (a))",
        other, other, (int)(strlen(other) - 2), other);
    contract_do(w, sql);
    for (int i = 0; i < 3; i++) {
        bo_conn *clerk = my_clerk_connect(w, "SELECT", everywhere[i]);
        const bo_table *p = pg_table(clerk, w->arena, "p");
        my_clerk_drop(w, clerk);
        assert_int_equal(p->referenced_count, i < 2 ? 1 : 2);
    }
    snprintf(sql, sizeof sql, "DROP DATABASE %s", other);
    contract_do(w, sql);
}

static void make_or_drop_schemas(contract_world *w, const char *verb, const char *beside)
{
    char sql[200];
    for (int i = 0; i < 70; i++) {
        snprintf(sql, sizeof sql, "%s DATABASE %s_%d", verb, beside, i);
        contract_do(w, sql);
    }
}

/* Schemas are named in the question, while they are few. */
static void links_are_read_from_few_schemas_and_from_many(void **state)
{
    contract_world *w = *state;
    char sql[900];
    const char *here = contract_ask(w, "SELECT DATABASE()");
    if (!my_is_super(w))
        skip(); /* who owns one schema may make no other, and no user */
    snprintf(sql, sizeof sql,
        "CREATE TABLE p (a integer PRIMARY KEY); CREATE DATABASE %s_c; CREATE DATABASE %s_C;"
        "CREATE TABLE %s_c.c (x integer, CONSTRAINT k1 FOREIGN KEY (x) REFERENCES %s.p (a));"
        "CREATE TABLE %s_C.c (x integer, CONSTRAINT k2 FOREIGN KEY (x) REFERENCES %s.p (a));"
        "CREATE VIEW %s_C.v AS SELECT * FROM %s.p; CREATE DATABASE `ínformation_schema`;"
        "CREATE TABLE `ínformation_schema`.c (x integer,"
        " CONSTRAINT k3 FOREIGN KEY (x) REFERENCES %s.p (a))",
        here, here, here, here, here, here, here, here, here);
    contract_do(w, sql);
    const bo_table *p[2];
    for (int many = 0; many < 2; many++) {
        if (many)
            make_or_drop_schemas(w, "CREATE", here);
        bo_conn *clerk = my_clerk_connect(w, "SELECT", "SELECT, SHOW VIEW");
        p[many] = pg_table(clerk, w->arena, "p");
        my_clerk_drop(w, clerk);
    }
    make_or_drop_schemas(w, "DROP", here);
    snprintf(sql, sizeof sql,
        "DROP DATABASE %s_c; DROP DATABASE %s_C; DROP DATABASE `ínformation_schema`", here, here);
    contract_do(w, sql);
    for (int many = 0; many < 2; many++) {
        assert_int_equal(p[many]->referenced_count, 3);
        assert_int_equal(p[many]->view_count, 1);
    }
}

/* Where names of tables are folders and files, as on Linux. */
static void names_in_other_letters_are_other_tables(void **state)
{
    contract_world *w = *state;
    if (strcmp(contract_ask(w, "SELECT @@lower_case_table_names"), "0") != 0)
        skip();
    contract_do(w, "CREATE TABLE p (a integer PRIMARY KEY);"
                   "CREATE TABLE kid (x integer, CONSTRAINT k1 FOREIGN KEY (x) REFERENCES p (a));"
                   "CREATE TABLE Kid (x integer, CONSTRAINT k2 FOREIGN KEY (x) REFERENCES p (a),"
                   " CHECK (x > 0), UNIQUE (x));"
                   "CREATE TABLE kïd (x integer, y integer,"
                   " CONSTRAINT k3 FOREIGN KEY (x) REFERENCES p (a));"
                   "CREATE TABLE P (a integer, b integer, c integer);"
                   "CREATE TRIGGER f BEFORE INSERT ON Kid FOR EACH ROW SET NEW.x = 1;"
                   "CREATE VIEW v AS SELECT * FROM Kid");
    const bo_table *p = contract_table(w, "p");
    assert_int_equal(p->referenced_count, 3);
    static const struct {
        const char *name;
        int columns, keys, checks, triggers, views, parents;
    } wanted[] = {{"kid", 1, 0, 0, 0, 0, 1}, {"Kid", 1, 1, 1, 1, 1, 1}, {"`kïd`", 2, 0, 0, 0, 0, 1},
        {"P", 3, 0, 0, 0, 0, 0}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const bo_table *t = contract_table(w, wanted[i].name);
        assert_int_equal(t->column_count, wanted[i].columns);
        assert_int_equal(t->key_count, wanted[i].keys);
        assert_int_equal(t->check_count, wanted[i].checks);
        assert_int_equal(t->trigger_count, wanted[i].triggers);
        assert_int_equal(t->view_count, wanted[i].views);
        assert_int_equal(t->foreign_key_count, wanted[i].parents);
        assert_int_equal(t->referenced_count, 0);
    }
}

static void what_hangs_on_a_table_is_described(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE SEQUENCE s START WITH 100 INCREMENT BY 10;"
        "CREATE TABLE t (id integer NOT NULL DEFAULT nextval(s), n integer CHECK (n > 0),"
        " CONSTRAINT both_set CHECK (id < 1000 OR n IS NULL), PRIMARY KEY (id))"
        " PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (500),"
        " PARTITION high VALUES LESS THAN MAXVALUE);"
        "CREATE VIEW v AS SELECT n FROM t; CREATE VIEW other AS SELECT 1");
    contract_do(w, "CREATE TRIGGER late BEFORE UPDATE ON t FOR EACH ROW SET NEW.n = NEW.n + 1");
    contract_do(w, "CREATE TRIGGER early BEFORE UPDATE ON t FOR EACH ROW PRECEDES late"
                   " SET NEW.n = NEW.n * 2");
    contract_do(w, "CREATE TRIGGER backout_1_au AFTER UPDATE ON t FOR EACH ROW SET @x = 1");
    const bo_table *t = contract_table(w, "t");
    assert_int_equal(t->check_count, 2);
    assert_string_equal(t->checks[0].name, "both_set");
    assert_string_equal(t->checks[1].definition, "CHECK (`n` > 0)");
    assert_int_equal(t->partition_count, 2);
    assert_string_equal(t->partitions[0], "low");
    assert_int_equal(t->view_count, 1);
    assert_string_equal(t->views[0], "v");
    assert_int_equal(t->trigger_count, 2); /* users' own, as they fire */
    assert_string_equal(t->triggers[0].name, "early");
    assert_non_null(strstr(t->triggers[1].definition, "SET NEW.n = NEW.n + 1"));
    assert_int_equal(t->sequence_count, 1);
    assert_string_equal(t->sequences[0].name, "s");
    assert_string_equal(t->sequences[0].column, "id");
    assert_int_equal(t->limit_count, 1);
    assert_non_null(strstr(t->limits[0], "triggers fire"));
}

static void what_cannot_be_undone_is_uncovered(void **state)
{
    contract_world *w = *state;
    static const struct {
        const char *sql, *reason;
    } cases[] = {
        {"CREATE VIEW t AS SELECT 1", "it is a view"},
        {"CREATE SEQUENCE t", "it is a sequence"},
        {"CREATE TABLE t (a integer) ENGINE = MyISAM", "engine MyISAM is not transactional"},
        {"CREATE TABLE t (a integer) ENGINE = Aria", "engine Aria is not transactional"},
        {"CREATE TABLE t (a integer) ENGINE = MEMORY", "engine MEMORY is not transactional"},
        {"CREATE TABLE t (a integer NOT NULL) ENGINE = CSV", "engine CSV is not transactional"},
        {"CREATE TABLE t (a integer) WITH SYSTEM VERSIONING", "it is system-versioned"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        contract_do(w, cases[i].sql);
        const bo_table *t = contract_table(w, "t");
        assert_true(t->uncovered);
        if (!strstr(t->limits[0], cases[i].reason))
            fail_msg("%s: %s", cases[i].sql, t->limits[0]);
        contract_do(w, i == 0 ? "DROP VIEW t" : i == 1 ? "DROP SEQUENCE t" : "DROP TABLE t");
    }
    contract_do(w, "CREATE TABLE t (a integer)");
    assert_false(contract_table(w, "t")->uncovered);
    assert_non_null(strstr(contract_table(w, "t")->limits[0], "no key"));
}

static void a_temporary_table_hides_no_other_unsaid(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    const bo_table *table = NULL;
    contract_do(w, "CREATE TABLE t (a integer)");
    pg_must(my->exec(w->conn, "CREATE TEMPORARY TABLE t (b integer)", &err), &err);
    assert_int_equal(my->describe(w->conn, "t", w->arena, &table, &err), BO_REFUSED);
    assert_null(table);
    assert_non_null(strstr(err.text, "temporary table"));
}

/* ---- made again ---- */

static bo_status keep_second(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)err;
    assert_true(count >= 2);
    bo_buf_add(ctx, values[1].data, values[1].size);
    return BO_OK;
}

/* What the server says of the table `t` and its triggers. */
static const char *shown(contract_world *w)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_error err = {0};
    pg_must(
        my->query(w->conn, "SHOW CREATE TABLE t", NULL, 0, keep_second, &text, NULL, &err), &err);
    bo_buf_add_str(&text,
        contract_ask(w,
            "SELECT GROUP_CONCAT(TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER,"
            " ACTION_STATEMENT, SQL_MODE, DEFINER, COLLATION_CONNECTION ORDER BY 1 SEPARATOR '/')"
            " FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE()"
            " AND EVENT_OBJECT_TABLE = 't'"));
    return bo_arena_str(w->arena, bo_buf_str(&text));
}

static void a_table_is_made_again_to_the_letter(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w,
        "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE t ("
        " id integer AUTO_INCREMENT COMMENT 'a, (b) `c` \\ ''d''', `odd ``(name` varchar(9)"
        " DEFAULT '`,)' INVISIBLE, p integer, j json, g integer AS (p + 1) VIRTUAL,"
        " at datetime(3) DEFAULT current_timestamp(3) ON UPDATE current_timestamp(3),"
        " PRIMARY KEY (id), UNIQUE u (p, `odd ``(name` DESC), KEY k (`odd ``(name`(4)) COMMENT"
        " 'x', CONSTRAINT f FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE,"
        " CONSTRAINT self FOREIGN KEY (p) REFERENCES t (id), CONSTRAINT c CHECK (j <> 7))"
        " ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'AUTO_INCREMENT=5 (x'"
        " AUTO_INCREMENT = 77 CHARACTER SET latin1;"
        "CREATE TABLE child (t integer, CONSTRAINT to_t FOREIGN KEY (t) REFERENCES t (id))");
    contract_do(w, "CREATE TRIGGER b BEFORE INSERT ON t FOR EACH ROW SET NEW.j = '{}'");
    contract_do(w, "SET sql_mode = 'ANSI_QUOTES', collation_connection = utf8mb4_bin");
    contract_do(w, "CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW BEGIN END");
    const bo_table *was = contract_table(w, "t");
    const char *before = shown(w);
    contract_do(w, "SET foreign_key_checks = 0; DROP TABLE t; SET foreign_key_checks = 1");
    pg_must(my->create(w->conn, was, &err), &err);
    assert_int_equal(contract_table(w, "t")->foreign_key_count, 2);
    assert_int_equal(contract_table(w, "t")->trigger_count, 0);
    assert_int_equal(my->create(w->conn, was, &err), BO_EXISTS);
    pg_must(my->create_after(w->conn, was, &err), &err);
    pg_must(my->sequence_set(w->conn, &was->sequences[0], &err), &err);
    assert_string_equal(shown(w), before);
    bo_table_change *changes = NULL;
    uint16_t count = 0;
    pg_must(bo_table_compare(was, contract_table(w, "t"), w->arena, &changes, &count, &err), &err);
    assert_int_equal(count, 0);
}

static void a_foreign_key_that_a_child_lost_is_made_again(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY);"
                   "CREATE TABLE child (t integer, CONSTRAINT f FOREIGN KEY (t) REFERENCES t (id));"
                   "CREATE TABLE gone (t integer, CONSTRAINT g FOREIGN KEY (t) REFERENCES t (id))");
    const bo_table *was = contract_table(w, "t");
    assert_int_equal(was->referenced_count, 2);
    contract_do(w, "DROP TABLE gone; ALTER TABLE child DROP FOREIGN KEY f; DROP TABLE t");
    pg_must(my->create(w->conn, was, &err), &err);
    pg_must(my->create_after(w->conn, was, &err), &err);
    assert_int_equal(contract_table(w, "t")->referenced_count, 1);
    bo_status st = my->exec(w->conn, "INSERT INTO child VALUES (5)", &err);
    assert_int_equal(st, BO_CONFLICT); /* keys are checked as before */
}

static void a_table_that_was_made_is_dropped_unless_others_wrote_to_it(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w,
        "CREATE TABLE t (id integer PRIMARY KEY);"
        "CREATE TABLE child (t integer, CONSTRAINT f FOREIGN KEY (t) REFERENCES t (id))");
    const bo_table *was = contract_table(w, "t");
    contract_do(w, "SET foreign_key_checks = 0; DROP TABLE t; SET foreign_key_checks = 1");
    pg_must(my->create(w->conn, was, &err), &err);
    contract_do(w, "INSERT INTO t VALUES (1)");
    assert_int_equal(my->drop_made(w->conn, was, &err), BO_CONFLICT);
    contract_do(w, "DELETE FROM t"); /* and nothing is locked any more */
    pg_must(my->drop_made(w->conn, was, &err), &err);
    pg_must(my->create(w->conn, was, &err), &err);
    assert_int_equal(my->exec(w->conn, "INSERT INTO child VALUES (5)", &err), BO_CONFLICT);
}

static void a_column_is_added_again_with_all_that_it_had(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a varchar(9) CHARACTER SET latin1"
                   " COLLATE latin1_bin NOT NULL DEFAULT 'x', g integer AS (id * 2) PERSISTENT);"
                   "INSERT INTO t (id) VALUES (1)");
    const bo_table *was = contract_table(w, "t");
    contract_do(w, "ALTER TABLE t DROP COLUMN a, DROP COLUMN g");
    for (int i = 1; i < 3; i++) {
        pg_must(my->add_column(w->conn, contract_table(w, "t"), &was->columns[i], &err), &err);
        contract_do(w, "UPDATE t SET a = 'y'");
        pg_must(
            my->add_column_after(w->conn, contract_table(w, "t"), &was->columns[i], &err), &err);
    }
    bo_table_change *changes = NULL;
    uint16_t count = 0;
    pg_must(bo_table_compare(was, contract_table(w, "t"), w->arena, &changes, &count, &err), &err);
    assert_int_equal(count, 0);
    assert_string_equal(contract_ask(w, "SELECT a || g FROM t"), "y2");
}

/* ---- counters ---- */

static void a_sequence_that_a_default_takes_from_is_set(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    int64_t extreme = 0;
    bool any = false;
    contract_do(w, "CREATE SEQUENCE s START WITH 10 INCREMENT BY 5 NOCACHE;"
                   "CREATE TABLE t (id integer PRIMARY KEY DEFAULT nextval(s), a integer)");
    const bo_table *table = contract_table(w, "t");
    assert_false(table->sequences[0].is_called);
    assert_int_equal(table->sequences[0].last_value, 10);
    contract_do(w, "INSERT INTO t (a) VALUES (1), (2), (3)");
    bo_sequence sequence = table->sequences[0];
    pg_must(my->sequence_read(w->conn, &sequence, &err), &err);
    assert_true(sequence.is_called);
    assert_int_equal(sequence.last_value, 20);
    pg_must(my->sequence_used(w->conn, table, &sequence, &extreme, &any, &err), &err);
    assert_int_equal(extreme, 20);
    contract_do(w, "DELETE FROM t");
    pg_must(my->sequence_set(w->conn, &table->sequences[0], &err), &err); /* back */
    contract_do(w, "INSERT INTO t (a) VALUES (1)");
    assert_string_equal(contract_ask(w, "SELECT id FROM t"), "10");
}

static void a_counter_is_not_set_where_it_would_commit(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY AUTO_INCREMENT)");
    const bo_table *table = contract_table(w, "t");
    pg_must(my->begin(w->conn, BO_TX_WRITE, &err), &err);
    assert_int_equal(my->sequence_set(w->conn, &table->sequences[0], &err), BO_REFUSED);
    my->rollback(w->conn);
}

static bo_status count_name(void *ctx, const char *name, bo_error *err)
{
    (void)err;
    if (bo_text_find(name, "backout_"))
        ++*(unsigned *)ctx;
    return BO_OK;
}

static void a_table_is_not_ours_because_its_name_begins_like_that(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    unsigned found = 0;
    contract_do(w,
        "CREATE TABLE backout_history (id integer PRIMARY KEY);"
        "CREATE TABLE backout_journal_a (id integer PRIMARY KEY);"
        "CREATE TABLE backout_journal_1 (id integer PRIMARY KEY);"
        "CREATE TABLE t (id integer PRIMARY KEY);"
        "CREATE TRIGGER backout_note BEFORE UPDATE ON t FOR EACH ROW SET NEW.id = OLD.id;"
        "CREATE TRIGGER backout_1_ai AFTER INSERT ON t FOR EACH ROW SET @a = 1");
    pg_must(my->tables(w->conn, count_name, &found, &err), &err);
    assert_int_equal(found, 2);
    const bo_table *t = contract_table(w, "t");
    assert_int_equal(t->trigger_count, 1);
    assert_string_equal(t->triggers[0].name, "backout_note");
}

CONTRACT_MAIN("my_describe", CONTRACT_TEST(columns_are_described_as_they_are_written),
    CONTRACT_TEST(keys_say_whether_they_find_a_row),
    CONTRACT_TEST(foreign_keys_are_read_across_schemas),
    CONTRACT_TEST(tables_that_a_user_may_not_see_do_not_refer),
    CONTRACT_TEST(links_are_read_from_few_schemas_and_from_many),
    CONTRACT_TEST(names_in_other_letters_are_other_tables),
    CONTRACT_TEST(what_hangs_on_a_table_is_described),
    CONTRACT_TEST(what_cannot_be_undone_is_uncovered),
    CONTRACT_TEST(a_temporary_table_hides_no_other_unsaid),
    CONTRACT_TEST(a_table_is_made_again_to_the_letter),
    CONTRACT_TEST(a_foreign_key_that_a_child_lost_is_made_again),
    CONTRACT_TEST(a_table_that_was_made_is_dropped_unless_others_wrote_to_it),
    CONTRACT_TEST(a_column_is_added_again_with_all_that_it_had),
    CONTRACT_TEST(a_sequence_that_a_default_takes_from_is_set),
    CONTRACT_TEST(a_counter_is_not_set_where_it_would_commit),
    CONTRACT_TEST(a_table_is_not_ours_because_its_name_begins_like_that))
