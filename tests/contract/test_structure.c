/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_structure.c - every driver: definitions, making them again, sequences. */
#include "contract/contract.h"

#include <stdio.h>
#include <string.h>

typedef struct names {
    size_t count;
    char text[16][64];
} names;

static bo_status keep_name(void *ctx, const char *name, bo_error *err)
{
    (void)err;
    names *self = ctx;
    assert_true(self->count < 16);
    snprintf(self->text[self->count++], sizeof self->text[0], "%s", name);
    return BO_OK;
}

/* A name without its schema, for comparing. */
static const char *plain(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

static void tables_are_listed_in_order_and_without_views(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    names found = {0};
    contract_do(w, "CREATE TABLE b (id integer PRIMARY KEY); CREATE TABLE c (x text);"
                   "CREATE TABLE a (id integer); CREATE VIEW v AS SELECT * FROM a;"
                   "CREATE INDEX i ON a (id)");
    pg_must(w->driver->tables(w->conn, keep_name, &found, &err), &err);
    assert_int_equal(found.count, 3);
    assert_string_equal(plain(found.text[0]), "a");
    assert_string_equal(plain(found.text[1]), "b");
    assert_string_equal(plain(found.text[2]), "c");
}

static void a_table_that_is_listed_can_be_described(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    names found = {0};
    contract_do(w, "CREATE TABLE \"Odd \"\"name\" (id integer PRIMARY KEY);"
                   "CREATE TABLE \"select\" (id integer PRIMARY KEY)");
    pg_must(w->driver->tables(w->conn, keep_name, &found, &err), &err);
    assert_int_equal(found.count, 2);
    for (size_t i = 0; i < found.count; i++)
        assert_string_equal(contract_table(w, found.text[i])->name, found.text[i]);
}

static void what_is_no_table_is_not_found(void **state)
{
    contract_world *w = *state;
    static const char *const missing[] = {"nothing", "\"nothing\"", "nowhere.t", "\"T\"x"};
    contract_do(w, "CREATE TABLE t (id integer)");
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        bo_error err = {0};
        const bo_table *table = NULL;
        bo_status st = w->driver->describe(w->conn, missing[i], w->arena, &table, &err);
        if (st != BO_NOTFOUND && st != BO_INVALID)
            fail_msg("%s: %s %s", missing[i], bo_status_name(st), err.text);
        assert_null(table);
    }
}

static const bo_key *find_key(const bo_table *table, const char *column)
{
    for (uint16_t i = 0; i < table->key_count; i++) {
        if (table->keys[i].count == 1 &&
            strcmp(table->columns[table->keys[i].columns[0]].name, column) == 0)
            return &table->keys[i];
    }
    return NULL;
}

static void a_definition_is_described(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE p (id integer PRIMARY KEY, code varchar(40) NOT NULL UNIQUE);"
                   "CREATE TABLE c (id integer PRIMARY KEY, p integer NOT NULL DEFAULT 7,"
                   " note varchar(40), FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE"
                   " ON UPDATE RESTRICT);"
                   "CREATE INDEX c_p ON c (p); CREATE VIEW v AS SELECT note FROM c");
    const bo_table *p = contract_table(w, "p");
    const bo_table *c = contract_table(w, "c");
    assert_string_equal(c->local, "c");
    assert_int_equal(c->column_count, 3);
    assert_int_equal(c->image_count, 3);
    assert_true(c->columns[1].not_null);
    assert_false(c->columns[2].not_null);
    assert_string_equal(c->columns[1].default_expr, "7");
    assert_non_null(c->row_key);
    assert_true(c->row_key->primary);
    assert_int_equal(c->foreign_key_count, 1);
    assert_string_equal(c->foreign_keys[0].parent, p->name);
    assert_string_equal(c->foreign_keys[0].child_columns[0], "p");
    assert_string_equal(c->foreign_keys[0].parent_columns[0], "id");
    assert_int_equal(c->foreign_keys[0].on_delete, 'c');
    assert_int_equal(c->foreign_keys[0].on_update, 'r');
    assert_int_equal(p->referenced_count, 1);
    assert_string_equal(p->referenced_by[0].child, c->name);
    assert_int_equal(c->index_count, 1);
    assert_string_equal(c->indexes[0].name, "c_p");
    assert_int_equal(c->view_count, 1);
    assert_non_null(find_key(p, "code"));
    assert_true(find_key(p, "code")->simple);
    assert_false(c->uncovered);
}

static void only_a_key_that_allows_no_null_identifies_rows(void **state)
{
    contract_world *w = *state;
    static const char partial[] = "CREATE TABLE c (x integer NOT NULL, y integer);"
                                  "CREATE UNIQUE INDEX c_part ON c (x) WHERE y > 0;"
                                  "CREATE UNIQUE INDEX c_expr ON c (abs(x))";
    contract_do(w, "CREATE TABLE a (x integer UNIQUE);"
                   "CREATE TABLE b (x integer NOT NULL UNIQUE, y text)");
    contract_do(w, contract_pick(w, .sqlite = partial, .postgresql = partial,
                       .mariadb = "CREATE TABLE c (x varchar(9) NOT NULL, y integer);"
                                  "CREATE UNIQUE INDEX c_part ON c (x(3))"));
    assert_null(contract_table(w, "a")->row_key);
    assert_non_null(contract_table(w, "b")->row_key);
    const bo_table *c = contract_table(w, "c");
    assert_null(c->row_key);
    for (uint16_t i = 0; i < c->key_count; i++)
        assert_false(c->keys[i].simple);
}

static void a_definition_survives_json(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    const bo_table *read = NULL;
    bo_table_change *changes = NULL;
    uint16_t count = 0;
    contract_do(w, "CREATE TABLE p (id integer PRIMARY KEY, code varchar(9) NOT NULL UNIQUE);"
                   "CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id));"
                   "CREATE INDEX c_p ON c (p)");
    const bo_table *table = contract_table(w, "c");
    json_t *json = bo_table_to_json(table);
    pg_must(bo_table_from_json(json, w->arena, &read, &err), &err);
    json_decref(json);
    pg_must(bo_table_compare(read, table, w->arena, &changes, &count, &err), &err);
    assert_int_equal(count, 0);
}

static void a_dropped_table_is_made_again(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_rows rows = {0};
    bo_table_change *changes = NULL;
    uint16_t change_count = 0;
    uint64_t loaded = 0;
    contract_do(w, "CREATE TABLE p (id integer PRIMARY KEY); INSERT INTO p VALUES (1);"
                   "CREATE TABLE t (id integer PRIMARY KEY, p integer REFERENCES p (id),"
                   " code varchar(9) NOT NULL UNIQUE, n integer DEFAULT 5 CHECK (n > 0));"
                   "CREATE UNIQUE INDEX t_n ON t (n, code); CREATE INDEX t_p ON t (p);"
                   "INSERT INTO t VALUES (1, 1, 'a', 2), (2, NULL, 'b', 3)");
    const bo_table *was = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = was}, &rows);
    contract_do(w, "DROP TABLE t");

    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(w->driver->create(w->conn, was, &err), &err);
    assert_int_equal(rows.count, 2);
    const bo_table *bare = contract_table(w, "t");
    pg_must(w->driver->load(w->conn, was, bare, contract_next, &rows, &loaded, &err), &err);
    pg_must(w->driver->create_after(w->conn, was, &err), &err);
    pg_must(w->driver->commit(w->conn, &err), &err);
    contract_rows_done(&rows);

    const bo_table *now = contract_table(w, "t");
    pg_must(bo_table_compare(was, now, w->arena, &changes, &change_count, &err), &err);
    if (change_count > 0)
        fail_msg("%c %s", changes[0].what, changes[0].name);
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM t"), "2");
    assert_int_not_equal(
        w->driver->exec(w->user, "INSERT INTO t VALUES (3, 1, 'a', 1)", &err), BO_OK);
    assert_int_not_equal(w->driver->create(w->conn, was, &err), BO_OK);
}

static void a_dropped_column_is_added_again(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE TABLE t (id integer PRIMARY KEY, a text, b text DEFAULT 'x');"
                   "INSERT INTO t VALUES (1, 'a', 'b')");
    const bo_table *was = contract_table(w, "t");
    contract_do(w, "ALTER TABLE t DROP COLUMN b");
    const bo_table *now = contract_table(w, "t");
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(w->driver->add_column(w->conn, now, &was->columns[2], &err), &err);
    pg_must(
        w->driver->add_column_after(w->conn, contract_table(w, "t"), &was->columns[2], &err), &err);
    pg_must(w->driver->commit(w->conn, &err), &err);
    const bo_table *after = contract_table(w, "t");
    assert_int_equal(after->column_count, 3);
    assert_string_equal(after->columns[2].name, "b");
    assert_string_equal(after->columns[2].type, was->columns[2].type);
    contract_do(w, "INSERT INTO t (id) VALUES (2)");
    assert_string_equal(contract_ask(w, "SELECT b FROM t WHERE id = 2"), "x");
}

static void a_sequence_is_read_set_and_compared_with_its_column(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    int64_t extreme = 0;
    bool any = true;
    contract_do(w,
        contract_pick(w, .sqlite = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a text)",
            .postgresql = "CREATE TABLE t (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,"
                          " a text)",
            .mariadb = "CREATE TABLE t (id integer AUTO_INCREMENT PRIMARY KEY, a text)"));
    const bo_table *table = contract_table(w, "t");
    assert_int_equal(table->sequence_count, 1);
    bo_sequence sequence = table->sequences[0];
    assert_false(sequence.is_called);
    pg_must(w->driver->sequence_used(w->conn, table, &sequence, &extreme, &any, &err), &err);
    assert_false(any);

    contract_do(w, "INSERT INTO t (a) VALUES ('a'), ('b'), ('c')");
    pg_must(w->driver->sequence_read(w->conn, &sequence, &err), &err);
    assert_true(sequence.is_called);
    assert_int_equal(sequence.last_value, 3);
    sequence.last_value = 40;
    pg_must(w->driver->sequence_set(w->conn, &sequence, &err), &err);
    contract_do(w, "INSERT INTO t (a) VALUES ('d')");
    assert_string_equal(contract_ask(w, "SELECT max(id) FROM t"), "41");
    pg_must(w->driver->sequence_used(w->conn, table, &sequence, &extreme, &any, &err), &err);
    assert_true(any);
    assert_int_equal(extreme, 41);
}

static void foreign_keys_are_checked_from_both_sides(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    uint64_t violations = 7;
    BO_OWN_VALUE(bo_buf) example = {0};
    contract_do(w, "CREATE TABLE p (id integer PRIMARY KEY);"
                   "CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id));"
                   "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1), (2, NULL)");
    const bo_table *p = contract_table(w, "p");
    const bo_table *c = contract_table(w, "c");
    const bo_table *const both[] = {p, c};
    for (unsigned i = 0; i < 2; i++) {
        pg_must(
            w->driver->check_references(w->conn, &both[i], 1, &violations, &example, &err), &err);
        assert_int_equal(violations, 0);
        assert_int_equal(example.size, 0);
    }
    pg_must(w->driver->check_references(w->conn, both, 2, &violations, NULL, &err), &err);
    assert_int_equal(violations, 0);
}

CONTRACT_MAIN("structure", CONTRACT_TEST(tables_are_listed_in_order_and_without_views),
    CONTRACT_TEST(a_table_that_is_listed_can_be_described),
    CONTRACT_TEST(what_is_no_table_is_not_found), CONTRACT_TEST(a_definition_is_described),
    CONTRACT_TEST(only_a_key_that_allows_no_null_identifies_rows),
    CONTRACT_TEST(a_definition_survives_json), CONTRACT_TEST(a_dropped_table_is_made_again),
    CONTRACT_TEST(a_dropped_column_is_added_again),
    CONTRACT_TEST(a_sequence_is_read_set_and_compared_with_its_column),
    CONTRACT_TEST(foreign_keys_are_checked_from_both_sides))
