/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/test_blocked.c - every driver: what cannot be undone beside the rows that stay. */
#include "contract/contract.h"

#include <string.h>

/* What one call of stage_blocked() reported. */
typedef struct blocks {
    size_t count;
    unsigned table[8];
    uint64_t id[8];
    bo_conflict_class kind[8];
    char other[8][64];
} blocks;

static bo_status keep_block(void *ctx, const bo_blocked *blocked, bo_error *err)
{
    (void)err;
    blocks *self = ctx;
    assert_true(self->count < 8);
    assert_non_null(blocked->constraint);
    self->table[self->count] = blocked->table;
    self->id[self->count] = blocked->id;
    self->kind[self->count] = blocked->conflict_class;
    const char *dot = blocked->other ? strrchr(blocked->other, '.') : NULL;
    const char *other = dot ? dot + 1 : blocked->other;
    strncpy(self->other[self->count], other ? other : "", sizeof self->other[0] - 1);
    self->count++;
    return BO_OK;
}

static blocks find_blocks(stage_undo *undo)
{
    bo_error err = {0};
    blocks found = {0};
    pg_must(undo->conn->driver->stage_blocked(undo->stage, keep_block, &found, &err), &err);
    return found;
}

static void drop(stage_undo *undo, unsigned table, uint64_t id)
{
    bo_error err = {0};
    pg_must(undo->conn->driver->stage_drop(undo->stage, table, &id, 1, &err), &err);
}

/* Exactly one entry is blocked; it is dropped. */
static void expect_one(
    stage_undo *undo, unsigned table, uint64_t id, bo_conflict_class kind, const char *other)
{
    blocks found = find_blocks(undo);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.table[0], table);
    assert_int_equal(found.id[0], id);
    assert_int_equal(found.kind[0], kind);
    assert_string_equal(found.other[0], other);
    drop(undo, table, id);
}

static void expect_none(stage_undo *undo)
{
    assert_int_equal(find_blocks(undo).count, 0);
}

static void begin(contract_world *w, stage_undo *undo, const char *setup, const char *change,
    const char *const *tables)
{
    contract_do(w, setup);
    stage_undo_begin(undo, w->conn, tables);
    contract_do(w, change);
    stage_undo_stage(undo);
}

/* Carries out what is left, and expects the text that `question` is then answered with. */
static void finish(contract_world *w, stage_undo *undo, const char *question, const char *answer)
{
    bo_error err = {0};
    expect_none(undo);
    const bo_driver *driver = w->driver;
    pg_must(driver->stage_apply(undo->stage, undo->applied, &err), &err);
    driver->stage_close(undo->stage);
    undo->stage = NULL;
    pg_must(driver->commit(w->conn, &err), &err);
    uint64_t violations = 1;
    pg_must(
        driver->check_references(w->conn, undo->now, undo->count, &violations, NULL, &err), &err);
    assert_int_equal(violations, 0);
    assert_string_equal(contract_ask(w, question), answer);
    stage_undo_end(undo);
}

#define PARENT_AND_CHILD                       \
    "CREATE TABLE p (id integer PRIMARY KEY);" \
    "CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id) ON DELETE CASCADE);"

static void a_parent_stays_for_a_child_that_stays(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    begin(w, &undo, PARENT_AND_CHILD, "INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (7, 2)",
        PG_NAMES("p"));
    expect_one(&undo, 0, 2, BO_CLASS_FOREIGN_KEY, "c");
    finish(w, &undo, "SELECT (SELECT max(id) FROM p) + (SELECT count(*) FROM c)", "3");
}

static void a_parent_goes_with_a_child_that_goes(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    begin(w, &undo, PARENT_AND_CHILD, "INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (7, 2)",
        PG_NAMES("p", "c"));
    finish(w, &undo, "SELECT (SELECT count(*) FROM p) + (SELECT count(*) FROM c)", "0");
}

static void children_are_found_by_an_index_too(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    begin(w, &undo, PARENT_AND_CHILD "CREATE INDEX c_p ON c (p)",
        "INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (7, 2), (8, 2), (9, NULL)",
        PG_NAMES("p"));
    expect_one(&undo, 0, 2, BO_CLASS_FOREIGN_KEY, "c");
    finish(w, &undo, "SELECT max(id) FROM p", "2");
}

static void a_child_stays_away_when_its_parent_is_gone(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    begin(w, &undo,
        PARENT_AND_CHILD
        "INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (7, 1), (8, 2), (9, NULL)",
        "DELETE FROM c; DELETE FROM p WHERE id = 1", PG_NAMES("c"));
    expect_one(&undo, 0, 1, BO_CLASS_FOREIGN_KEY, "p");
    finish(w, &undo, "SELECT count(*) FROM c", "2");
}

static void a_child_comes_with_a_parent_that_comes(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    begin(w, &undo,
        PARENT_AND_CHILD "INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (7, 1), (8, 2)",
        "DELETE FROM c; DELETE FROM p", PG_NAMES("c", "p"));
    finish(w, &undo, "SELECT (SELECT count(*) FROM p) + (SELECT count(*) FROM c)", "4");
}

/* 10 was the value of row 1, and the change gave it to row 2, which would go back to 20: either the
 * child stays away, or row 2 keeps its value for it. */
static void a_child_does_not_come_to_a_parent_that_loses_its_value(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    begin(w, &undo,
        "CREATE TABLE p (id integer PRIMARY KEY, code integer UNIQUE);"
        "CREATE TABLE c (id integer PRIMARY KEY, code integer REFERENCES p (code));"
        "INSERT INTO p VALUES (1, 10), (2, 20); INSERT INTO c VALUES (7, 10)",
        "DELETE FROM c; UPDATE p SET code = 30 WHERE id = 1; UPDATE p SET code = 10 WHERE id = 2",
        PG_NAMES("p", "c"));
    drop(&undo, 0, 1);
    const bool kept = w->engine == CONTRACT_POSTGRESQL;
    if (kept)
        expect_one(&undo, 0, 2, BO_CLASS_FOREIGN_KEY, "c");
    else
        expect_one(&undo, 1, 1, BO_CLASS_FOREIGN_KEY, "p");
    finish(w, &undo, "SELECT (SELECT sum(code) FROM p) + (SELECT count(*) FROM c)",
        kept ? "41" : "50");
}

static void what_is_dropped_keeps_its_dependants_away(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    begin(w, &undo,
        PARENT_AND_CHILD
        "CREATE TABLE g (id integer PRIMARY KEY, c integer NOT NULL REFERENCES c (id));"
        "INSERT INTO p VALUES (1); INSERT INTO c VALUES (2, 1); INSERT INTO g VALUES (3, 2)",
        "DELETE FROM g; DELETE FROM c; DELETE FROM p", PG_NAMES("p", "c", "g"));
    drop(&undo, 0, 1);
    expect_one(&undo, 1, 1, BO_CLASS_FOREIGN_KEY, "p");
    expect_one(&undo, 2, 1, BO_CLASS_FOREIGN_KEY, "c");
    finish(w, &undo, "SELECT count(*) FROM g", "0");
}

static void a_chain_within_one_table_is_followed(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    begin(w, &undo,
        "CREATE TABLE t (id integer PRIMARY KEY, boss integer REFERENCES t (id));"
        "INSERT INTO t VALUES (1, NULL), (2, 1), (3, 2), (4, NULL)",
        "DELETE FROM t WHERE id = 3; DELETE FROM t WHERE id = 2; DELETE FROM t", PG_NAMES("t"));
    drop(&undo, 0, 1);
    expect_one(&undo, 0, 2, BO_CLASS_FOREIGN_KEY, "t");
    expect_one(&undo, 0, 3, BO_CLASS_FOREIGN_KEY, "t");
    finish(w, &undo, "SELECT min(id) FROM t", "4");
}

static void a_unique_value_of_a_row_that_stays_blocks(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    begin(w, &undo,
        "CREATE TABLE t (id integer PRIMARY KEY, code text UNIQUE);"
        "INSERT INTO t VALUES (1, 'a'), (3, NULL), (4, 'd')",
        "DELETE FROM t; INSERT INTO t VALUES (2, 'a'), (5, NULL)", PG_NAMES("t"));
    expect_none(&undo);
    drop(&undo, 0, 2); /* row 2 stays, and so does its value */
    expect_one(&undo, 0, 1, BO_CLASS_CONSTRAINT, "");
    finish(w, &undo, "SELECT id FROM t WHERE code = 'a'", "2");
}

static void a_value_that_is_referred_to_stays(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    begin(w, &undo,
        "CREATE TABLE p (id integer PRIMARY KEY, code varchar(20) NOT NULL UNIQUE, note text);"
        "CREATE TABLE c (id integer PRIMARY KEY, code varchar(20) REFERENCES p (code));"
        "INSERT INTO p VALUES (1, 'a', ''), (2, 'x', '')",
        "UPDATE p SET code = 'b' WHERE id = 1; UPDATE p SET note = 'n' WHERE id = 2;"
        "INSERT INTO c VALUES (1, 'b'), (2, 'x')",
        PG_NAMES("p"));
    expect_one(&undo, 0, 1, BO_CLASS_FOREIGN_KEY, "c");
    finish(w, &undo, "SELECT code FROM p WHERE id = 1 AND EXISTS (SELECT 1 FROM c)", "b");
}

static void a_reference_of_two_columns_with_a_null_is_none(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    begin(w, &undo,
        "CREATE TABLE p (a integer, b integer, PRIMARY KEY (a, b));"
        "CREATE TABLE c (id integer PRIMARY KEY, a integer, b integer,"
        " FOREIGN KEY (a, b) REFERENCES p (a, b));"
        "INSERT INTO p VALUES (1, 1), (1, 2);"
        "INSERT INTO c VALUES (1, 1, NULL), (2, 1, 2), (3, 1, 1)",
        "DELETE FROM c; DELETE FROM p WHERE b = 2", PG_NAMES("c"));
    expect_one(&undo, 0, 2, BO_CLASS_FOREIGN_KEY, "p");
    finish(w, &undo, "SELECT count(*) FROM c", "2");
}

static void an_entry_is_reported_once(void **state)
{
    contract_world *w = *state;
    stage_undo undo;
    begin(w, &undo,
        PARENT_AND_CHILD "CREATE TABLE d (id integer PRIMARY KEY, p integer REFERENCES p (id),"
                         " q integer REFERENCES p (id));",
        "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1), (2, 1);"
        "INSERT INTO d VALUES (1, 1, 1)",
        PG_NAMES("p"));
    assert_int_equal(find_blocks(&undo).count, 1);
    assert_int_equal(find_blocks(&undo).count, 1); /* and asking changes nothing */
    drop(&undo, 0, 1);
    finish(w, &undo, "SELECT count(*) FROM p", "1");
}

static void what_dangled_before_may_dangle_again(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    stage_undo undo;
    begin(w, &undo,
        contract_pick(w,
            .sqlite =
                "CREATE TABLE p (id integer PRIMARY KEY);"
                "CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id), v text);"
                "INSERT INTO c VALUES (1, 99, 'a')",
            .postgresql = "CREATE TABLE p (id integer PRIMARY KEY);"
                          "CREATE TABLE c (id integer PRIMARY KEY, p integer, v text);"
                          "INSERT INTO c VALUES (1, 99, 'a');"
                          "ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p (id) NOT VALID",
            .mariadb =
                "CREATE TABLE p (id integer PRIMARY KEY);"
                "CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id), v text);"
                "SET foreign_key_checks = 0; INSERT INTO c VALUES (1, 99, 'a');"
                "SET foreign_key_checks = 1"),
        "UPDATE c SET v = 'b'", PG_NAMES("c"));
    expect_none(&undo);
    uint64_t violations = 0;
    BO_OWN_VALUE(bo_buf) example = {0};
    pg_must(w->driver->check_references(w->conn, undo.now, 1, &violations, &example, &err), &err);
    /* PostgreSQL does not count what a constraint that is NOT VALID lets be */
    assert_int_equal(violations, w->engine == CONTRACT_POSTGRESQL ? 0 : 1);
    assert_int_equal(example.size > 0, violations > 0);
    stage_undo_end(&undo);
}

CONTRACT_MAIN("blocked", CONTRACT_TEST(a_parent_stays_for_a_child_that_stays),
    CONTRACT_TEST(a_parent_goes_with_a_child_that_goes),
    CONTRACT_TEST(children_are_found_by_an_index_too),
    CONTRACT_TEST(a_child_stays_away_when_its_parent_is_gone),
    CONTRACT_TEST(a_child_comes_with_a_parent_that_comes),
    CONTRACT_TEST(a_child_does_not_come_to_a_parent_that_loses_its_value),
    CONTRACT_TEST(what_is_dropped_keeps_its_dependants_away),
    CONTRACT_TEST(a_chain_within_one_table_is_followed),
    CONTRACT_TEST(a_unique_value_of_a_row_that_stays_blocks),
    CONTRACT_TEST(a_value_that_is_referred_to_stays),
    CONTRACT_TEST(a_reference_of_two_columns_with_a_null_is_none),
    CONTRACT_TEST(an_entry_is_reported_once), CONTRACT_TEST(what_dangled_before_may_dangle_again))
