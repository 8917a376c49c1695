/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/test_my_capture.c - capture where only MariaDB has something to show: statements
 * and values of its own, foreign keys that fire no triggers, statements that commit themselves.
 *
 * What the journals tell is compared with what there was and what there is, row by row.
 */
#include "contract/capture_world.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* ---- what the journal must tell ---- */

typedef struct image_set {
    size_t count;
    bo_buf items[4000];
} image_set;

static void add_image(image_set *set, bo_image image)
{
    assert_true(set->count < sizeof set->items / sizeof *set->items);
    bo_buf_add(&set->items[set->count], image.data, image.size);
    assert_false(set->items[set->count].failed);
    set->count++;
}

static int compare_images(const void *a, const void *b)
{
    const bo_buf *x = a, *y = b;
    return bo_span_compare((bo_span){x->data, x->size}, (bo_span){y->data, y->size});
}

static void set_free(image_set *set)
{
    for (size_t i = 0; set && i < set->count; i++)
        bo_buf_done(&set->items[i]);
    free(set);
}

static image_set *set_create(void)
{
    image_set *set = calloc(1, sizeof *set);
    assert_non_null(set);
    return set;
}

static bo_status keep_row(void *ctx, bo_image row, bo_error *err)
{
    (void)err;
    add_image(ctx, row);
    return BO_OK;
}

static image_set *scan(bo_conn *conn, const bo_table *table)
{
    bo_error err = {0};
    image_set *set = set_create();
    pg_must(conn->driver->scan(conn, &(bo_scan){.table = table}, keep_row, set, &err), &err);
    qsort(set->items, set->count, sizeof *set->items, compare_images);
    return set;
}

typedef struct told {
    image_set *before;
    image_set *after;
} told;

static bo_status keep_change(void *ctx, const bo_journal_change *change, bo_error *err)
{
    (void)err;
    told *all = ctx;
    if (change->before.data && change->after.data && bo_image_equal(change->before, change->after))
        return BO_OK;
    if (change->before.data)
        add_image(all->before, change->before);
    if (change->after.data)
        add_image(all->after, change->after);
    return BO_OK;
}

/* `part` is what is in `a` and not in `b`. */
static void assert_difference(
    const char *table, const image_set *part, const image_set *a, const image_set *b)
{
    size_t at = 0, k = 0;
    for (size_t i = 0; i < a->count; i++) {
        while (k < b->count && compare_images(&b->items[k], &a->items[i]) < 0)
            k++;
        if (k < b->count && compare_images(&b->items[k], &a->items[i]) == 0)
            continue;
        if (at == part->count || compare_images(&part->items[at], &a->items[i]) != 0)
            fail_msg("'%s': row %zu of %zu is not told", table, i, a->count);
        at++;
    }
    if (at != part->count)
        fail_msg("'%s': %zu rows too many are told", table, part->count - at);
}

/* What the journal tells between two moments is what lies between the rows of then and now. */
static void assert_told(bo_conn *conn, const bo_table *table, const bo_journal_filter *filter,
    const image_set *was, const image_set *is)
{
    bo_error err = {0};
    told all = {set_create(), set_create()};
    pg_must(conn->driver->capture->changes(conn, table, filter, keep_change, &all, &err), &err);
    qsort(all.before->items, all.before->count, sizeof(bo_buf), compare_images);
    qsort(all.after->items, all.after->count, sizeof(bo_buf), compare_images);
    assert_difference(table->name, all.before, was, is);
    assert_difference(table->name, all.after, is, was);
    set_free(all.before);
    set_free(all.after);
}

enum { TABLES_MAX = 12 };

typedef struct watched {
    contract_world *w;
    const char *from;
    unsigned count;
    const bo_table *tables[TABLES_MAX];
    image_set *was[TABLES_MAX];
} watched;

static watched watch(contract_world *w, const char *const *names)
{
    watched self = {.w = w, .from = capture_begin(w, "p", names)};
    for (; names[self.count]; self.count++) {
        self.tables[self.count] = contract_table(w, names[self.count]);
        self.was[self.count] = scan(w->conn, self.tables[self.count]);
    }
    return self;
}

/* Everything is told since watch(), nothing else is, and the capture is trusted. */
static void check_all(watched *self)
{
    const bo_journal_filter filter = {.from = self->from};
    for (unsigned i = 0; i < self->count; i++) {
        image_set *is = scan(self->w->conn, self->tables[i]);
        assert_told(self->w->conn, self->tables[i], &filter, self->was[i], is);
        assert_string_equal(capture_broken(self->w, self->tables[i]->name, "p"), "");
        set_free(is);
    }
}

static void unwatch(watched *self)
{
    check_all(self);
    for (unsigned i = 0; i < self->count; i++)
        set_free(self->was[i]);
    capture_end(self->w, "p");
    assert_string_equal(contract_ask(self->w, "SELECT count(*) FROM information_schema.TRIGGERS"
                                              " WHERE TRIGGER_SCHEMA = DATABASE()"
                                              " AND TRIGGER_NAME LIKE 'backout%'"),
        "0");
    assert_string_equal(contract_ask(self->w, "SELECT count(*) FROM information_schema.TABLES"
                                              " WHERE TABLE_SCHEMA = DATABASE()"
                                              " AND TABLE_NAME LIKE 'backout%'"),
        "0");
}

/* ---- statements ---- */

static void make_t(contract_world *w)
{
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, u integer UNIQUE, a varchar(40));"
                   "INSERT INTO t VALUES (1, 10, 'one'), (2, 20, 'two'), (3, 30, 'three')");
}

static void replace_and_on_duplicate_key_update_are_told(void **state)
{
    contract_world *w = *state;
    make_t(w);
    watched t = watch(w, PG_NAMES("t"));
    contract_do(w, "REPLACE INTO t VALUES (1, 20, 'took two rows away'), (4, 40, 'new')");
    contract_do(w, "INSERT INTO t VALUES (9, 30, 'x') ON DUPLICATE KEY UPDATE a = 'changed'");
    contract_do(w, "INSERT INTO t VALUES (9, 90, 'x') ON DUPLICATE KEY UPDATE a = 'changed'");
    contract_do(w, "INSERT IGNORE INTO t VALUES (9, 1, 'no'), (10, 100, 'yes'), (11, 40, 'no')");
    contract_do(w, "UPDATE IGNORE t SET u = 90 WHERE id > 3");
    contract_do(w, "UPDATE IGNORE t SET id = 4, a = 'no' WHERE id = 1");
    contract_do(w, "UPDATE IGNORE t JOIN (SELECT 3 AS x) AS one ON x = id SET id = 4");
    unwatch(&t);
}

static void statements_over_several_tables_are_told(void **state)
{
    contract_world *w = *state;
    make_t(w);
    contract_do(w, "CREATE TABLE s (id integer PRIMARY KEY, t integer, v integer);"
                   "INSERT INTO s VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3), (4, 3, 4)");
    watched both = watch(w, PG_NAMES("t", "s"));
    contract_do(w, "UPDATE t JOIN s ON s.t = t.id SET t.a = s.v, s.v = s.v + 1 WHERE t.id < 3");
    contract_do(w, "DELETE t, s FROM t JOIN s ON s.t = t.id WHERE t.id = 1");
    contract_do(w, "INSERT INTO s SELECT id + 10, id, u FROM t");
    contract_do(w, "UPDATE t SET id = id + 1 ORDER BY id DESC");
    unwatch(&both);
}

static void triggers_of_users_go_on_and_what_they_write_is_told(void **state)
{
    contract_world *w = *state;
    make_t(w);
    contract_do(w, "CREATE TABLE log (n integer PRIMARY KEY AUTO_INCREMENT, what varchar(40))");
    contract_do(w, "CREATE TRIGGER first BEFORE UPDATE ON t FOR EACH ROW SET NEW.a = upper(NEW.a)");
    contract_do(w, "CREATE TRIGGER second AFTER UPDATE ON t FOR EACH ROW"
                   " INSERT INTO log (what) VALUES (concat(OLD.a, '>', NEW.a))");
    contract_do(w, "CREATE TRIGGER third AFTER DELETE ON t FOR EACH ROW"
                   " DELETE FROM log ORDER BY n LIMIT 1");
    watched both = watch(w, PG_NAMES("t", "log"));
    contract_do(w, "UPDATE t SET a = 'changed' WHERE id > 1; DELETE FROM t WHERE id = 2");
    assert_string_equal(contract_ask(w, "SELECT group_concat(what) FROM log"), "three>CHANGED");
    unwatch(&both);
    contract_do(w, "UPDATE t SET a = 'once more'");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM log"), "3");
}

static void writers_see_nothing_of_the_journal(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY AUTO_INCREMENT, a varchar(5));"
                   "INSERT INTO t (a) VALUES ('a'), ('b'), ('c')");
    watched t = watch(w, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET a = 'x'"); /* the journal's numbers are ahead now */
    contract_do(w, "INSERT INTO t (a) VALUES ('d')");
    assert_string_equal(contract_ask(w, "SELECT LAST_INSERT_ID()"), "4");
    contract_do(w, "SET INSERT_ID = 70; INSERT INTO t (a) VALUES ('e')");
    assert_string_equal(contract_ask(w, "SELECT max(id) FROM t"), "70");
    contract_do(w, "UPDATE t SET a = 'y' WHERE id < 3");
    assert_string_equal(contract_ask(w, "SELECT ROW_COUNT()"), "2");
    contract_do(w, "SET @backout_run = repeat('long', 100); UPDATE t SET a = 'z'");
    assert_string_equal(contract_ask(w, "SELECT @@warning_count"), "0");
    unwatch(&t);
}

/* ---- values ---- */

static void values_that_the_writers_mode_forbids_are_kept(void **state)
{
    contract_world *w = *state;
    contract_do(w, "SET sql_mode = ''");
    contract_do(w,
        "CREATE TABLE t (id integer PRIMARY KEY, e enum ('a', 'b') NOT NULL,"
        " s set ('x', 'y', 'z'), d date NOT NULL, dt datetime(3), ts timestamp NOT NULL"
        " DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, b bit(64),"
        " u bigint unsigned, f float, r double, n decimal(30, 10), y year,"
        " l varchar(20) CHARACTER SET latin1, k varchar(20) CHARACTER SET utf16,"
        " c char(5) COLLATE utf8mb4_bin, bin binary(4), bl blob, j json, id6 inet6,"
        " uu uuid, tm time(6), g point, gen integer GENERATED ALWAYS AS (id * 2) STORED)");
    contract_do(w,
        "INSERT INTO t (id, e, s, d, dt, ts, b, u, f, r, n, y, l, k, c, bin, bl, j, id6, uu, tm, g)"
        " VALUES (1, '', 'x,z', '0000-00-00', '2020-00-31', '0000-00-00', -1,"
        " 18446744073709551615, 16777217, 0.1, 1.50, 0, 0xE9, 'x', 'a ', 0x00, 0x00FF,"
        " '{ \"a\":1}', '::1', '123e4567-e89b-12d3-a456-426655440000', '-838:59:59.999999',"
        " POINT(1, 2)),"
        " (2, 'b', '', '2020-02-31', NULL, '2020-06-01 12:00:00', 0, 0, -0.0, 1e300, NULL, 1999,"
        " '', '', '', 'abcd', '', NULL, NULL, NULL, NULL, NULL)");
    contract_do(w, "SET sql_mode = 'TRADITIONAL,PAD_CHAR_TO_FULL_LENGTH'");
    watched t = watch(w, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET id = id + 100");
    contract_do(w, "SET time_zone = '+07:00'; DELETE FROM t WHERE id = 101");
    contract_do(w, "UPDATE t SET f = 2 WHERE id = 102");
    unwatch(&t);
}

static void a_key_is_found_as_its_collation_says(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (k varchar(20) COLLATE utf8mb4_general_ci PRIMARY KEY, n int);"
                   "INSERT INTO t VALUES ('anna', 1), ('BERT', 2)");
    watched t = watch(w, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET k = 'Anna' WHERE k = 'ANNA'");
    contract_do(w, "UPDATE t SET n = 11 WHERE k = 'aNNA'");
    contract_do(w, "DELETE FROM t WHERE k = 'bert'; INSERT INTO t VALUES ('bert', 2)");
    assert_string_equal(
        capture_since(w, "t", t.from), "(BERT|2) > (bert|2)\n(anna|1) > (Anna|11)\n");
    unwatch(&t);
}

/* ---- foreign keys ---- */

static void three_levels_of_composite_keys_are_told(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE a (x int, y int, n int, PRIMARY KEY (x, y));"
        "CREATE TABLE b (x int, y int, z int, PRIMARY KEY (x, y, z), FOREIGN KEY (x, y)"
        " REFERENCES a (x, y) ON DELETE CASCADE ON UPDATE CASCADE);"
        "CREATE TABLE c (id int PRIMARY KEY, x int, y int, z int, FOREIGN KEY (x, y, z)"
        " REFERENCES b (x, y, z) ON DELETE CASCADE ON UPDATE CASCADE, UNIQUE (id, x, y));"
        "CREATE TABLE d (c int, x int, y int, i int, PRIMARY KEY (i, y), FOREIGN KEY (c, x, y)"
        " REFERENCES c (id, x, y) ON DELETE CASCADE ON UPDATE CASCADE)");
    contract_do(w, "INSERT INTO a VALUES (1, 1, 0), (1, 2, 0), (2, 1, 0);"
                   "INSERT INTO b SELECT x, y, seq FROM a, seq_1_to_3;"
                   "INSERT INTO c SELECT x * 100 + y * 10 + z, x, y, z FROM b;"
                   "INSERT INTO d SELECT id, x, y, id * 10 + seq FROM c, seq_1_to_2");
    watched all = watch(w, PG_NAMES("a", "b", "c", "d"));
    contract_do(w, "DELETE FROM a WHERE x = 1 AND y = 1");
    contract_do(w, "UPDATE a SET y = 7 WHERE y = 2");
    contract_do(w, "UPDATE a SET n = 1");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM d WHERE y = 7"), "6");
    unwatch(&all);
}

static void trees_and_rings_are_told_as_deep_as_the_engine_goes(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE e (id int PRIMARY KEY, up int, boss int, FOREIGN KEY (up) REFERENCES e (id)"
        " ON DELETE CASCADE, FOREIGN KEY (boss) REFERENCES e (id) ON DELETE SET NULL);"
        "INSERT INTO e VALUES (1, NULL, NULL);"
        "INSERT INTO e SELECT seq, seq - 1, 1 + seq DIV 2 FROM seq_2_to_15;"
        "INSERT INTO e SELECT seq, seq - 15, NULL FROM seq_16_to_29");
    contract_do(w, "CREATE TABLE r (id int PRIMARY KEY, s int);"
                   "CREATE TABLE s (id int PRIMARY KEY, r int, FOREIGN KEY (r) REFERENCES r (id)"
                   " ON DELETE CASCADE);"
                   "ALTER TABLE r ADD FOREIGN KEY (s) REFERENCES s (id) ON DELETE CASCADE;"
                   "INSERT INTO r VALUES (1, NULL), (2, NULL), (3, NULL), (9, NULL);"
                   "INSERT INTO s VALUES (1, 1), (2, 2), (3, 3);"
                   "UPDATE r SET s = id - 1 WHERE id IN (2, 3); UPDATE r SET s = 3 WHERE id = 1");
    watched all = watch(w, PG_NAMES("e", "r", "s"));
    contract_do(w, "DELETE FROM e WHERE id = 5");
    contract_do(w, "DELETE FROM r WHERE id = 2");
    unwatch(&all);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM r"), "1");
}

static void a_column_set_to_null_carries_on(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE a (id int PRIMARY KEY);"
        "CREATE TABLE b (id int PRIMARY KEY, a int, UNIQUE (a), FOREIGN KEY (a) REFERENCES a (id)"
        " ON DELETE SET NULL ON UPDATE CASCADE);"
        "CREATE TABLE c (id int PRIMARY KEY, b int, FOREIGN KEY (b) REFERENCES b (a)"
        " ON DELETE CASCADE ON UPDATE CASCADE);"
        "CREATE TABLE d (id int PRIMARY KEY, b int, FOREIGN KEY (b) REFERENCES b (a)"
        " ON DELETE CASCADE ON UPDATE SET NULL);"
        "INSERT INTO a VALUES (1), (2), (3); INSERT INTO b VALUES (11, 1), (12, 2), (13, 3);"
        "INSERT INTO c VALUES (21, 1), (22, 2); INSERT INTO d VALUES (31, 1), (32, 2), (33, 3)");
    watched all = watch(w, PG_NAMES("a", "b", "c", "d"));
    contract_do(w, "DELETE FROM a WHERE id = 1; UPDATE a SET id = 9 WHERE id = 2;"
                   "DELETE FROM b WHERE a = 3");
    unwatch(&all);
}

static void a_reference_that_changes_only_its_letters_is_told(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE a (k varchar(9) COLLATE utf8mb4_general_ci PRIMARY KEY);"
                   "CREATE TABLE b (k varchar(9) COLLATE utf8mb4_general_ci PRIMARY KEY, n int,"
                   " FOREIGN KEY (k) REFERENCES a (k) ON UPDATE CASCADE);"
                   "INSERT INTO a VALUES ('abc'); INSERT INTO b VALUES ('abc', 1)");
    watched all = watch(w, PG_NAMES("a", "b"));
    contract_do(w, "UPDATE a SET k = 'ABC'");
    assert_string_equal(capture_since(w, "b", all.from), "(abc|1) > (ABC|1)\n");
    unwatch(&all);
}

static void a_table_that_rows_go_from_must_be_captured_as_well(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w,
        "CREATE TABLE a (id int PRIMARY KEY);"
        "CREATE TABLE child (id int PRIMARY KEY, a int, FOREIGN KEY (a) REFERENCES a (id)"
        " ON DELETE CASCADE)");
    const bo_table *a = contract_table(w, "a");
    assert_int_equal(w->driver->capture->begin(w->conn, &a, 1, "p", &err), BO_UNSUPPORTED);
    assert_non_null(strstr(err.text, "'child'"));
    assert_string_equal(capture_list(w), "");
}

static void a_table_whose_rows_take_others_along_is_watched(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE top (id int PRIMARY KEY);"
        "CREATE TABLE middle (id int PRIMARY KEY, top int, FOREIGN KEY (top) REFERENCES top (id)"
        " ON DELETE CASCADE ON UPDATE CASCADE);"
        "CREATE TABLE low (id int PRIMARY KEY, middle int, FOREIGN KEY (middle) REFERENCES"
        " middle (id) ON DELETE SET NULL);"
        "INSERT INTO top VALUES (1), (2), (3); INSERT INTO middle VALUES (11, 1), (12, 2), (13, 3);"
        "INSERT INTO low VALUES (111, 11), (112, 12), (113, 13)");
    watched low = watch(w, PG_NAMES("low"));
    assert_string_equal(capture_list(w), "p low\n");
    contract_do(w, "DELETE FROM top WHERE id = 1; DELETE FROM middle WHERE id = 12");
    assert_string_equal(
        capture_since(w, "low", low.from), "(111|11) > (111|~)\n(112|12) > (112|~)\n");
    check_all(&low);
    contract_do(w, "DROP TRIGGER backout_3_bd");
    assert_non_null(strstr(capture_broken(w, "low", "p"), "backout_3_bd"));
    const char *from = capture_begin(w, "q", PG_NAMES("low"));
    contract_do(w, "DELETE FROM top WHERE id = 3");
    assert_string_equal(capture_since(w, "low", from), "(113|13) > (113|~)\n");
    assert_string_equal(capture_broken(w, "low", "q"), "");
    capture_end(w, "q");
    for (unsigned i = 0; i < low.count; i++)
        set_free(low.was[i]);
}

static void a_foreign_key_that_is_new_breaks_the_capture(void **state)
{
    contract_world *w = *state;
    contract_do(
        w, "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int)");
    capture_begin(w, "p", PG_NAMES("a", "b"));
    contract_do(w, "ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a (id) ON DELETE RESTRICT");
    assert_string_equal(capture_broken(w, "b", "p"), "");
    contract_do(w, "ALTER TABLE b ADD FOREIGN KEY (id) REFERENCES a (id) ON DELETE CASCADE");
    assert_string_not_equal(capture_broken(w, "a", "p"), "");
    assert_string_not_equal(capture_broken(w, "b", "p"), "");
}

static void an_index_that_goes_stops_no_writer(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE a (id int PRIMARY KEY);"
                   "CREATE TABLE b (id int PRIMARY KEY, a int, KEY named (a), FOREIGN KEY (a)"
                   " REFERENCES a (id) ON DELETE CASCADE);"
                   "INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (11, 1), (12, 2)");
    const char *from = capture_begin(w, "p", PG_NAMES("a", "b"));
    contract_do(w, "ALTER TABLE b ADD INDEX a_first (a, id)");
    contract_do(w, "DELETE FROM a WHERE id = 1");
    assert_string_equal(capture_since(w, "b", from), "(11|1) > -\n");
    assert_string_equal(capture_broken(w, "a", "p"), "");
    contract_do(w, "ALTER TABLE b DROP INDEX named");
    contract_do(w, "DELETE FROM a WHERE id = 2");
    contract_do(w, "ALTER TABLE b ADD INDEX named (a)");
    assert_string_not_equal(capture_broken(w, "b", "p"), "");
}

static void tables_and_columns_that_change_stop_no_writer(void **state)
{
    contract_world *w = *state;
    static const struct {
        const char *change;
        const char *back;
    } cases[] = {
        {"ALTER TABLE b DROP COLUMN n", "ALTER TABLE b ADD COLUMN n int"},
        {"ALTER TABLE b RENAME COLUMN n TO m", "ALTER TABLE b RENAME COLUMN m TO n"},
        {"RENAME TABLE b TO moved", "RENAME TABLE moved TO b"},
        {"RENAME TABLE backout_journal_2 TO away", "RENAME TABLE away TO backout_journal_2"},
        {"RENAME TABLE backout_numbers_2 TO away", "RENAME TABLE away TO backout_numbers_2"},
        {"SET system_versioning_alter_history = KEEP; ALTER TABLE backout_journal_2 DROP COLUMN n",
            "SELECT 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        contract_do(w, "CREATE TABLE a (id int PRIMARY KEY);"
                       "CREATE TABLE b (id int PRIMARY KEY, a int, n int, FOREIGN KEY (a)"
                       " REFERENCES a (id) ON DELETE CASCADE);"
                       "INSERT INTO a VALUES (1), (2), (3);"
                       "INSERT INTO b VALUES (11, 1, 1), (12, 2, 2), (13, 3, 3)");
        capture_begin(w, "p", PG_NAMES("a", "b"));
        contract_do(w, cases[i].change);
        contract_do(w, i == 2 ? "DELETE FROM moved WHERE id = 13; UPDATE moved SET id = 20 WHERE id"
                                " = 12"
                              : "DELETE FROM b WHERE id = 13; UPDATE b SET id = 20 WHERE id = 12");
        contract_do(w, "DELETE FROM a WHERE id = 1; UPDATE a SET id = 7 WHERE id = 3");
        contract_do(w, cases[i].back);
        assert_string_not_equal(capture_broken(w, "b", "p"), "");
        capture_end(w, "p");
        assert_string_equal(capture_list(w), "");
        contract_do(w, "DROP TABLE b; DROP TABLE a");
    }
}

static void an_action_that_the_engine_did_not_take_is_not_told(void **state)
{
    contract_world *w = *state;
    contract_do(w,
        "CREATE TABLE a (x int PRIMARY KEY, n int);"
        "CREATE TABLE c (x int, z int, PRIMARY KEY (x, z), FOREIGN KEY (x) REFERENCES a (x)"
        " ON DELETE CASCADE ON UPDATE CASCADE);"
        "INSERT INTO a VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 5), (2, 6)");
    watched all = watch(w, PG_NAMES("a", "c"));
    contract_do(w, "UPDATE IGNORE a SET x = 2 WHERE x = 1");
    assert_string_equal(capture_journal(w, "c", all.from), "C (1|5)\nI (2|5)\n");
    check_all(&all);
    bo_error err = {0};
    contract_do(w, "INSERT INTO c VALUES (2, 5)");
    assert_int_equal(
        w->driver->exec(w->user, "UPDATE IGNORE a SET x = 2 WHERE x = 1", &err), BO_CONFLICT);
    contract_do(w, "SET foreign_key_checks = OFF; UPDATE a SET x = 3 WHERE x = 1;"
                   "DELETE FROM a WHERE x = 2; SET foreign_key_checks = ON");
    assert_string_equal(capture_journal(w, "c", all.from), "C (1|5)\nI (2|5)\nI (2|5)\n");
    unwatch(&all);
}

/* Statements over a net of foreign keys, most of which reach further; those that the engine refuses
 * are part of it. */
static const char *const net[] = {
    "CREATE TABLE a (x int, y int, n int, PRIMARY KEY (x, y))",
    "CREATE TABLE b (id int PRIMARY KEY, x int, y int, k int UNIQUE, FOREIGN KEY (x, y)"
    " REFERENCES a (x, y) ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE c (x int, y int, z int, PRIMARY KEY (x, y, z), FOREIGN KEY (x, y)"
    " REFERENCES a (x, y) ON DELETE CASCADE ON UPDATE CASCADE)",
    "CREATE TABLE d (id int PRIMARY KEY, x int, y int, z int, FOREIGN KEY (x, y, z)"
    " REFERENCES c (x, y, z) ON DELETE SET NULL ON UPDATE CASCADE, UNIQUE (z, id))",
    "CREATE TABLE e (id int PRIMARY KEY, up int, bk int, FOREIGN KEY (up) REFERENCES e (id)"
    " ON DELETE CASCADE, FOREIGN KEY (bk) REFERENCES b (k) ON DELETE SET NULL ON UPDATE CASCADE)",
    "CREATE TABLE f (id int PRIMARY KEY, e int, bk int UNIQUE, FOREIGN KEY (e) REFERENCES e (id)"
    " ON DELETE CASCADE ON UPDATE CASCADE, FOREIGN KEY (bk) REFERENCES b (k) ON DELETE SET NULL"
    " ON UPDATE SET NULL)",
    "CREATE TABLE g (bk int, i int, PRIMARY KEY (i), FOREIGN KEY (bk) REFERENCES f (bk)"
    " ON DELETE CASCADE ON UPDATE SET NULL)",
    "CREATE TABLE h (id int PRIMARY KEY, d int, g int, FOREIGN KEY (d) REFERENCES d (id)"
    " ON DELETE CASCADE ON UPDATE CASCADE, FOREIGN KEY (g) REFERENCES g (i) ON DELETE CASCADE)",
};

#define NET PG_NAMES("a", "b", "c", "d", "e", "f", "g", "h")

static const char *const net_writes[] = {
    "INSERT IGNORE INTO a VALUES (%u, %u, 0)",
    "INSERT INTO b VALUES (%u * 6 + %u, %u, %u, %u)",
    "INSERT IGNORE INTO c VALUES (%u, %u, %u)",
    "INSERT INTO d VALUES (%u * 6 + %u, %u, %u, %u)",
    "INSERT INTO e VALUES (%u * 6 + %u, NULLIF(%u, 0), NULLIF(%u, 0))",
    "INSERT INTO f VALUES (%u * 6 + %u, %u, NULLIF(%u, 0))",
    "INSERT INTO g VALUES (%u, %u)",
    "INSERT INTO h VALUES (%u * 6 + %u, %u, %u)",
    "DELETE FROM a WHERE x = %u AND y = %u",
    "DELETE FROM b WHERE k = %u OR id = %u",
    "DELETE FROM c WHERE y = %u AND z = %u",
    "DELETE FROM e WHERE id = %u * 6 + %u",
    "DELETE FROM f WHERE id %% 6 = %u AND e > %u",
    "UPDATE a SET y = %u + 6 WHERE x = %u",
    "UPDATE a SET x = %u + 3, n = n + 1 WHERE y = %u",
    "UPDATE IGNORE a SET y = y %% 6, x = x %% 6 WHERE x > %u",
    "UPDATE b SET k = NULLIF(%u, 0) WHERE id %% 6 = %u",
    "UPDATE c SET z = z + %u WHERE x = %u AND y = %u",
    "UPDATE d SET id = id + %u WHERE id %% 6 = %u",
    "UPDATE e SET up = NULLIF(%u, 0), bk = NULLIF(%u, 0) WHERE id %% 5 = %u",
    "UPDATE f SET bk = NULL WHERE e = %u",
    "REPLACE INTO a VALUES (%u, %u, %u)",
    "REPLACE INTO e VALUES (%u, NULL, NULLIF(%u, 0))",
    "DELETE a, b FROM a JOIN b ON b.x = a.x AND b.k = %u",
};

static void write_at_random(bo_conn *conn, unsigned *seed)
{
    char sql[300];
    bo_error err = {0};
    const size_t kinds = sizeof net_writes / sizeof *net_writes;
    const char *form = net_writes[(unsigned)rand_r(seed) % kinds];
    unsigned n[5];
    for (int i = 0; i < 5; i++)
        n[i] = (unsigned)rand_r(seed) % 6;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(sql, sizeof sql, form, n[0], n[1], n[2], n[3], n[4]);
#pragma GCC diagnostic pop
    bo_status st = conn->driver->exec(conn, sql, &err);
    if (st != BO_OK && st != BO_CONFLICT && st != BO_BUSY && !strstr(err.text, "error 193"))
        fail_msg("%s: %s", sql, err.text);
}

static void make_net(contract_world *w)
{
    for (size_t i = 0; i < sizeof net / sizeof *net; i++)
        contract_do(w, net[i]);
    unsigned seed = 1;
    for (int i = 0; i < 400; i++)
        write_at_random(w->user, &seed);
}

static void whatever_foreign_keys_do_is_told(void **state)
{
    contract_world *w = *state;
    make_net(w);
    for (unsigned round = 0; round < 3; round++) {
        unsigned seed = 100 + round;
        watched all = watch(w, NET);
        for (int i = 0; i < 100; i++) {
            const bool together = rand_r(&seed) % 4 == 0;
            if (together)
                contract_do(w, "BEGIN");
            for (int k = 0; k < 3; k++)
                write_at_random(w->user, &seed);
            if (together)
                contract_do(w, rand_r(&seed) % 2 ? "COMMIT" : "ROLLBACK");
        }
        unwatch(&all);
    }
}

/* ---- positions, while others write ---- */

static void a_writer_that_commits_after_a_position_is_later(void **state)
{
    contract_world *w = *state;
    make_t(w);
    capture_begin(w, "p", PG_NAMES("t"));
    bo_conn *other = contract_connect(w, true);
    pg_do(other, "BEGIN; UPDATE t SET a = 'open' WHERE id = 1");
    contract_do(w, "UPDATE t SET a = 'committed' WHERE id = 2");
    contract_do(w, "BEGIN; UPDATE t SET a = 'undone' WHERE id = 3; ROLLBACK");
    contract_do(w, "UPDATE t SET u = 21 WHERE id = 2");
    const char *position = capture_position(w, PG_NAMES("t"));
    pg_do(other, "COMMIT");
    contract_do(w, "UPDATE t SET u = 31 WHERE id = 3");
    assert_string_equal(
        capture_since(w, "t", position), "(1|10|one) > (1|10|open)\n(3|30|three) > (3|31|three)\n");
    bo_conn_free(other);
}

struct writer {
    pthread_t thread;
    const contract_world *w;
    unsigned seed;
    atomic_bool *stop;
    unsigned written;
};

static void *write_until_stopped(void *ctx)
{
    struct writer *self = ctx;
    bo_conn *conn = contract_connect(self->w, true);
    while (!atomic_load(self->stop)) {
        const bool together = rand_r(&self->seed) % 3 == 0;
        bo_error err = {0};
        if (together)
            (void)conn->driver->exec(conn, "BEGIN", &err);
        for (int i = 0; i < 3; i++, self->written++)
            write_at_random(conn, &self->seed);
        if (together)
            (void)conn->driver->exec(conn, rand_r(&self->seed) % 3 ? "COMMIT" : "ROLLBACK", &err);
    }
    bo_conn_free(conn);
    return NULL;
}

enum { WRITERS = 3, MOMENTS = 12 };

struct moment {
    const char *position;
    image_set *rows[8];
};

/* Position and rows in one snapshot. */
static struct moment take_moment(contract_world *w, const bo_table *const tables[8])
{
    bo_error err = {0};
    bo_buf position = {0};
    struct moment moment = {0};
    pg_must(w->driver->begin(w->conn, BO_TX_READ, &err), &err);
    pg_must(w->driver->capture->position(w->conn, tables, 8, &position, &err), &err);
    for (int i = 0; i < 8; i++)
        moment.rows[i] = scan(w->conn, tables[i]);
    w->driver->rollback(w->conn);
    moment.position = bo_arena_str(w->arena, bo_buf_str(&position));
    bo_buf_done(&position);
    return moment;
}

static void start_writers(
    const contract_world *w, struct writer writers[WRITERS], atomic_bool *stop)
{
    atomic_store(stop, false);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.w = w, .seed = 500 + i, .stop = stop};
        assert_int_equal(
            pthread_create(&writers[i].thread, NULL, write_until_stopped, &writers[i]), 0);
    }
}

static void stop_writers(struct writer writers[WRITERS], atomic_bool *stop)
{
    atomic_store(stop, true);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
}

static void any_two_moments_among_writers_are_told_apart_exactly(void **state)
{
    contract_world *w = *state;
    struct writer writers[WRITERS];
    struct moment moments[MOMENTS];
    const bo_table *tables[8];
    atomic_bool stop;
    make_net(w);
    capture_begin(w, "p", NET);
    for (int i = 0; i < 8; i++)
        tables[i] = contract_table(w, NET[i]);
    start_writers(w, writers, &stop);
    for (int i = 0; i < MOMENTS; i++) {
        usleep(30000);
        moments[i] = take_moment(w, tables);
    }
    stop_writers(writers, &stop);
    for (int i = 0; i < MOMENTS; i++) {
        for (int k = i + 1; k < MOMENTS; k++) {
            const bo_journal_filter filter = {
                .from = moments[i].position, .to = moments[k].position};
            for (int t = 0; t < 8; t++)
                assert_told(w->conn, tables[t], &filter, moments[i].rows[t], moments[k].rows[t]);
        }
    }
    for (int i = 0; i < MOMENTS * 8; i++)
        set_free(moments[i / 8].rows[i % 8]);
}

static void points_come_and_go_among_writers_and_lose_nothing(void **state)
{
    contract_world *w = *state;
    struct writer writers[WRITERS];
    atomic_bool stop;
    make_net(w);
    const bo_connect how = {.url = w->url, .lock_timeout_ms = 60000};
    bo_error err = {0};
    bo_conn_free(w->conn); /* one that waits for writers */
    w->conn = NULL;
    pg_must(bo_driver_open(&how, &w->conn, &err), &err);
    watched all = watch(w, NET);
    start_writers(w, writers, &stop);
    for (int i = 0; i < 4; i++) {
        capture_begin(w, "q", i % 2 ? NET : PG_NAMES("g", "h"));
        usleep(10000);
        capture_end(w, "q");
    }
    stop_writers(writers, &stop);
    unwatch(&all);
}

/* ---- what breaks a capture ---- */

static void a_table_that_was_emptied_behind_our_back_is_noticed(void **state)
{
    contract_world *w = *state;
    make_t(w);
    capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "TRUNCATE TABLE t");
    assert_non_null(strstr(capture_broken(w, "t", "p"), "TRUNCATE"));
    contract_do(w, "INSERT INTO t VALUES (1, 10, 'one')");
    assert_non_null(strstr(capture_broken(w, "t", "p"), "TRUNCATE"));
    contract_do(w, "DELETE FROM t");
    capture_begin(w, "q", PG_NAMES("t")); /* nothing is in it */
    contract_do(w, "INSERT INTO t VALUES (1, 10, 'one')");
    assert_string_equal(capture_broken(w, "t", "q"), "");
    contract_do(w, "TRUNCATE TABLE t");
    assert_non_null(strstr(capture_broken(w, "t", "q"), "TRUNCATE"));
    contract_do(w, "INSERT INTO t VALUES (7, 70, 'seven')");
    assert_non_null(strstr(capture_broken(w, "t", "q"), "TRUNCATE"));
    capture_begin(w, "r", PG_NAMES("t")); /* does not share what is broken */
    assert_string_equal(capture_broken(w, "t", "r"), "");
    assert_non_null(strstr(capture_broken(w, "t", "q"), "TRUNCATE"));
}

static void partitions_that_are_emptied_or_exchanged_are_noticed(void **state)
{
    contract_world *w = *state;
    static const char *const changes[] = {"ALTER TABLE t TRUNCATE PARTITION p1",
        "ALTER TABLE t EXCHANGE PARTITION p2 WITH TABLE one", "ALTER TABLE t DROP PARTITION p1"};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        contract_do(w,
            "CREATE OR REPLACE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id)"
            " (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20),"
            " PARTITION p2 VALUES LESS THAN (30));"
            "INSERT INTO t SELECT seq, 0 FROM seq_1_to_29;"
            "CREATE OR REPLACE TABLE one (id int PRIMARY KEY, n int)");
        assert_non_null(strstr(capture_coverage(w, "t", BO_COVERED_WITH_LIMITS), "partition"));
        const char *from = capture_begin(w, "p", PG_NAMES("t"));
        contract_do(
            w, "UPDATE t SET n = 1 WHERE id IN (5, 15); UPDATE t SET id = 25 WHERE id = 25");
        contract_do(w, "DELETE FROM t WHERE id = 29; UPDATE t SET id = 29 WHERE id = 3");
        assert_string_equal(
            capture_since(w, "t", from), "(15|0) > (15|1)\n(3|0) > -\n(5|0) > (5|1)\n");
        assert_string_equal(capture_broken(w, "t", "p"), "");
        contract_do(w, changes[i]);
        assert_non_null(strstr(capture_broken(w, "t", "p"), "TRUNCATE"));
        capture_end(w, "p");
    }
}

static void the_row_that_was_there_may_go_come_back_and_go_again(void **state)
{
    contract_world *w = *state;
    make_t(w);
    capture_begin(w, "p", PG_NAMES("t"));
    static const char *const writes[] = {"DELETE FROM t WHERE id = 1",
        "INSERT INTO t VALUES (1, 10, 'one')", "UPDATE t SET id = 8 WHERE id = 1",
        "UPDATE t SET id = 1 WHERE id = 8", "REPLACE INTO t VALUES (1, 1, 'x')", "DELETE FROM t"};
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        contract_do(w, writes[i]);
        assert_string_equal(capture_broken(w, "t", "p"), "");
    }
}

static void triggers_that_are_not_ours_any_more_are_noticed(void **state)
{
    contract_world *w = *state;
    make_t(w);
    capture_begin(w, "p", PG_NAMES("t"));
    contract_do(
        w, "CREATE OR REPLACE TRIGGER backout_1_au AFTER UPDATE ON t FOR EACH ROW SET @a = 1");
    assert_non_null(strstr(capture_broken(w, "t", "p"), "backout_1_au"));
    const char *from = capture_begin(w, "q", PG_NAMES("t"));
    contract_do(w, "UPDATE t SET u = 11 WHERE id = 1");
    assert_string_equal(capture_since(w, "t", from), "(1|10|one) > (1|11|one)\n");
    capture_end(w, "p");
    assert_string_equal(capture_broken(w, "t", "q"), "");
    contract_do(w, "DROP TABLE backout_journal_2");
    assert_non_null(strstr(capture_broken(w, "t", "q"), "journal"));
    capture_end(w, "q");
    contract_do(w, "UPDATE t SET u = 12 WHERE id = 1");
}

static void a_trigger_of_a_user_that_would_run_after_ours_is_noticed(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE a (id int PRIMARY KEY);"
                   "CREATE TABLE b (id int PRIMARY KEY, a int, FOREIGN KEY (a) REFERENCES a (id)"
                   " ON UPDATE CASCADE)");
    capture_begin(w, "p", PG_NAMES("a", "b"));
    contract_do(w, "CREATE TRIGGER x AFTER UPDATE ON a FOR EACH ROW SET @a = 1");
    assert_string_equal(capture_broken(w, "a", "p"), "");
    contract_do(w, "CREATE TRIGGER y BEFORE UPDATE ON a FOR EACH ROW SET NEW.id = NEW.id + 1");
    assert_non_null(strstr(capture_broken(w, "a", "p"), "'y'"));
}

static void a_table_that_was_renamed_is_gone(void **state)
{
    contract_world *w = *state;
    make_t(w);
    capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "RENAME TABLE t TO moved");
    assert_string_equal(capture_list(w), "p t gone\n");
    contract_do(w, "UPDATE moved SET u = 5 WHERE id = 1");
    assert_string_not_equal(capture_broken(w, "moved", "p"), "");
    capture_end(w, "p");
    contract_do(w, "UPDATE moved SET u = 6 WHERE id = 1");
}

/* ---- who wrote ---- */

static void a_user_is_known_with_and_without_the_host(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "UPDATE t SET u = 11 WHERE id = 1");
    const char *user = capture_last(w, "t", from).user;
    assert_non_null(strstr(user, "@localhost"));
    const char *name = bo_arena_strn(w->arena, user, (size_t)(strchr(user, '@') - user));
    bo_journal_filter filter = {.from = from, .user = name};
    assert_string_equal(capture_changes(w, "t", &filter), "(1|10|one) > (1|11|one)\n");
    filter.user = "ap";
    assert_string_equal(capture_changes(w, "t", &filter), "");
}

static void a_transaction_is_one_however_many_statements_it_has(void **state)
{
    contract_world *w = *state;
    make_t(w);
    const char *from = capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "BEGIN; UPDATE t SET u = 11 WHERE id = 1");
    contract_do(w, "SAVEPOINT s; UPDATE t SET u = 21 WHERE id = 2; ROLLBACK TO s");
    contract_do(w, "UPDATE t SET u = 31 WHERE id = 3; COMMIT");
    bo_journal_row one = capture_last(w, "t", from);
    contract_do(w, "UPDATE t SET u = 22 WHERE id = 2");
    assert_string_not_equal(capture_last(w, "t", from).transaction, one.transaction);
    bo_journal_filter filter = {.from = from,
        .transactions = &one.transaction,
        .transaction_count = 1,
        .only_transactions = true};
    assert_string_equal(
        capture_changes(w, "t", &filter), "(1|10|one) > (1|11|one)\n(3|30|three) > (3|31|three)\n");
    const char *wrong = "1) OR (1 = 1";
    filter.transactions = &wrong;
    bo_error err = {0};
    assert_int_equal(w->driver->capture->changes(
                         w->conn, contract_table(w, "t"), &filter, keep_change, NULL, &err),
        BO_INVALID);
}

/* ---- beginning and ending ---- */

static bool is_super(const contract_world *w)
{
    return strstr(w->url, "//root@") != NULL;
}

static bo_conn *connect_patiently(const contract_world *w)
{
    const bo_connect how = {.url = w->url, .lock_timeout_ms = 8000};
    bo_conn *conn = NULL;
    bo_error err = {0};
    pg_must(bo_driver_open(&how, &conn, &err), &err);
    return conn;
}

/* Begins and ends until it is killed. */
static void come_and_go(const contract_world *w, const bo_table *const *tables, unsigned count)
{
    bo_error err = {0};
    bo_conn *conn = connect_patiently(w);
    for (;;) {
        if (conn->driver->capture->begin(conn, tables, count, "dying", &err) != BO_OK ||
            conn->driver->capture->end(conn, "dying", &err) != BO_OK)
            _exit(1);
    }
}

static void one_that_dies_leaves_nothing_that_stays_or_stops_a_writer(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE a (id int PRIMARY KEY, n int); INSERT INTO a VALUES (1, 0);"
                   "CREATE TABLE b (id int PRIMARY KEY, a int, FOREIGN KEY (a) REFERENCES a (id)"
                   " ON DELETE CASCADE)");
    bo_conn_free(w->conn);
    w->conn = connect_patiently(w);
    const bo_table *tables[] = {contract_table(w, "a"), contract_table(w, "b")};
    const char *kept = capture_begin(w, "kept", PG_NAMES("b"));
    for (unsigned i = 0; i < 16; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            come_and_go(w, tables, 2);
        usleep(10000 + i * 7300);
        contract_do(w, "UPDATE a SET n = n + 1; REPLACE INTO b VALUES (1, 1)");
        assert_int_equal(kill(child, SIGKILL), 0);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        contract_do(w, "UPDATE a SET n = n + 1; REPLACE INTO b VALUES (1, 1)");
        const char *from = capture_begin(w, "p", PG_NAMES("a", "b"));
        contract_do(w, "DELETE FROM a");
        assert_string_equal(capture_since(w, "b", from), "(1|1) > -\n");
        contract_do(w, "INSERT INTO a VALUES (1, 0)");
        assert_string_equal(capture_broken(w, "a", "p"), "");
        capture_end(w, "p");
        capture_end(w, "dying"); /* it may have been killed between its begin and its end */
        assert_string_equal(capture_list(w), "kept b\n");
    }
    assert_string_equal(capture_broken(w, "b", "kept"), "");
    assert_string_equal(capture_since(w, "b", kept), "");
    capture_end(w, "kept");
    assert_string_equal(
        contract_ask(w, "SELECT (SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA"
                        " = DATABASE()) + (SELECT count(*) FROM information_schema.TRIGGERS"
                        " WHERE TRIGGER_SCHEMA = DATABASE())"),
        "2");
}

static void what_is_busy_is_named(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    make_t(w);
    contract_do(w, "CREATE TABLE s (id integer PRIMARY KEY)");
    const bo_table *tables[] = {contract_table(w, "s"), contract_table(w, "t")};
    contract_do(w, "BEGIN; UPDATE t SET u = 11 WHERE id = 1");
    assert_int_equal(w->driver->capture->begin(w->conn, tables, 2, "p", &err), BO_BUSY);
    assert_non_null(strstr(err.text, "'t'"));
    contract_do(w, "COMMIT");
    capture_begin(w, "p", PG_NAMES("s", "t"));
    assert_int_equal(w->driver->capture->begin(w->conn, tables, 2, "p", &err), BO_EXISTS);
    assert_string_equal(capture_broken(w, "t", "p"), "");
}

static void only_one_begins_at_a_time(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    make_t(w);
    contract_do(w, "DO GET_LOCK(CONCAT('backout.capture.', MD5(DATABASE())), 0)");
    const bo_table *t = contract_table(w, "t");
    assert_int_equal(w->driver->capture->begin(w->conn, &t, 1, "p", &err), BO_BUSY);
    assert_int_equal(w->driver->capture->end(w->conn, "p", &err), BO_BUSY);
    contract_do(w, "DO RELEASE_ALL_LOCKS()");
    capture_begin(w, "p", PG_NAMES("t"));
}

static void what_cannot_be_captured_is_refused_with_the_reason(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE m (id int PRIMARY KEY) ENGINE = MyISAM;"
                   "CREATE TABLE ours (id int PRIMARY KEY, backout_run int)");
    assert_string_not_equal(capture_coverage(w, "m", BO_UNCOVERED), "");
    assert_non_null(strstr(capture_coverage(w, "ours", BO_UNCOVERED), "backout_"));
    if (!is_super(w))
        return;
    make_t(w);
    contract_do(w, "CREATE OR REPLACE USER capless@localhost");
    contract_do(w, "SET @grant = CONCAT('GRANT SELECT, INSERT, UPDATE, DELETE, LOCK TABLES ON ',"
                   " DATABASE(), '.* TO capless@localhost'); EXECUTE IMMEDIATE @grant");
    char url[700];
    snprintf(url, sizeof url, "mariadb://capless%s", strchr(w->url, '@'));
    const bo_connect how = {.url = url};
    bo_conn *conn = NULL;
    bo_error err = {0};
    pg_must(bo_driver_open(&how, &conn, &err), &err);
    bo_conn *own = w->conn;
    w->conn = conn;
    assert_non_null(
        strstr(capture_coverage(w, "t", BO_UNCOVERED), "GRANT CREATE, DROP, TRIGGER ON"));
    w->conn = own;
    bo_conn_free(conn);
    contract_do(w, "DROP USER capless@localhost");
}

static void changes_carried_between_databases_are_refused(void **state)
{
    contract_world *w = *state;
    if (!is_super(w))
        return;
    contract_do(w, "CREATE OR REPLACE DATABASE capture_other;"
                   "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY);"
                   "SET @home = DATABASE(); CREATE TABLE capture_other.p (id int PRIMARY KEY);"
                   "ALTER TABLE c ADD FOREIGN KEY (id) REFERENCES capture_other.p (id) ON DELETE"
                   " CASCADE");
    contract_do(w, "SET @sql = CONCAT('CREATE TABLE capture_other.b (id int PRIMARY KEY, FOREIGN"
                   " KEY (id) REFERENCES ', DATABASE(), '.a (id) ON DELETE CASCADE)');"
                   "EXECUTE IMMEDIATE @sql");
    const char *down = capture_coverage(w, "a", BO_UNCOVERED);
    const char *up = capture_coverage(w, "c", BO_UNCOVERED);
    contract_do(w, "DROP TABLE c; DROP DATABASE capture_other");
    assert_non_null(strstr(down, "capture_other.b"));
    assert_non_null(strstr(up, ".c'"));
}

CONTRACT_MAIN("my_capture", CONTRACT_TEST(replace_and_on_duplicate_key_update_are_told),
    CONTRACT_TEST(statements_over_several_tables_are_told),
    CONTRACT_TEST(triggers_of_users_go_on_and_what_they_write_is_told),
    CONTRACT_TEST(writers_see_nothing_of_the_journal),
    CONTRACT_TEST(values_that_the_writers_mode_forbids_are_kept),
    CONTRACT_TEST(a_key_is_found_as_its_collation_says),
    CONTRACT_TEST(three_levels_of_composite_keys_are_told),
    CONTRACT_TEST(trees_and_rings_are_told_as_deep_as_the_engine_goes),
    CONTRACT_TEST(a_column_set_to_null_carries_on),
    CONTRACT_TEST(a_reference_that_changes_only_its_letters_is_told),
    CONTRACT_TEST(a_table_that_rows_go_from_must_be_captured_as_well),
    CONTRACT_TEST(a_table_whose_rows_take_others_along_is_watched),
    CONTRACT_TEST(a_foreign_key_that_is_new_breaks_the_capture),
    CONTRACT_TEST(an_index_that_goes_stops_no_writer),
    CONTRACT_TEST(tables_and_columns_that_change_stop_no_writer),
    CONTRACT_TEST(an_action_that_the_engine_did_not_take_is_not_told),
    CONTRACT_TEST(whatever_foreign_keys_do_is_told),
    CONTRACT_TEST(a_writer_that_commits_after_a_position_is_later),
    CONTRACT_TEST(any_two_moments_among_writers_are_told_apart_exactly),
    CONTRACT_TEST(points_come_and_go_among_writers_and_lose_nothing),
    CONTRACT_TEST(a_table_that_was_emptied_behind_our_back_is_noticed),
    CONTRACT_TEST(partitions_that_are_emptied_or_exchanged_are_noticed),
    CONTRACT_TEST(the_row_that_was_there_may_go_come_back_and_go_again),
    CONTRACT_TEST(triggers_that_are_not_ours_any_more_are_noticed),
    CONTRACT_TEST(a_trigger_of_a_user_that_would_run_after_ours_is_noticed),
    CONTRACT_TEST(a_table_that_was_renamed_is_gone),
    CONTRACT_TEST(a_user_is_known_with_and_without_the_host),
    CONTRACT_TEST(a_transaction_is_one_however_many_statements_it_has),
    CONTRACT_TEST(one_that_dies_leaves_nothing_that_stays_or_stops_a_writer),
    CONTRACT_TEST(what_is_busy_is_named), CONTRACT_TEST(only_one_begins_at_a_time),
    CONTRACT_TEST(what_cannot_be_captured_is_refused_with_the_reason),
    CONTRACT_TEST(changes_carried_between_databases_are_refused))
