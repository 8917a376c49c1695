/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/test_sqlite_capture.c - what the capture has to know of SQLite alone.
 *
 * A story is SQL before the capture and SQL that is captured.  What the journal says of it must be
 * just what a comparison of all rows before and after says; nothing more is promised to anybody.
 */
#include <stdio.h>
#include <string.h>

#include "contract/contract.h"
#include "driver/sqlite/sqlite.h"

typedef struct story {
    const char *name;
    const char *tables; /* captured, separated by blanks */
    const char *before;
    const char *change;
} story;

static const bo_capture_driver *capture(const contract_world *w)
{
    return w->driver->capture;
}

static void begin(contract_world *w, const bo_table *table, const char *point)
{
    bo_error err = {0};
    pg_must(capture(w)->begin(w->conn, &table, 1, point, &err), &err);
}

static void end(contract_world *w, const char *point)
{
    bo_error err = {0};
    pg_must(capture(w)->end(w->conn, point, &err), &err);
}

static char *position(contract_world *w)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_error err = {0};
    pg_must(capture(w)->position(w->conn, NULL, 0, &text, &err), &err);
    return bo_arena_str(w->arena, bo_buf_str(&text));
}

static const char *broken(contract_world *w, const char *table, const char *point)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_error err = {0};
    pg_must(capture(w)->check(w->conn, contract_table(w, table), point, &text, &err), &err);
    return bo_arena_str(w->arena, bo_buf_str(&text));
}

/* ---- rows by key ---- */

typedef struct rows {
    const bo_table *table;
    contract_rows all;
} rows;

static bool same_key(const bo_table *table, bo_image a, bo_image b)
{
    uint16_t positions[64];
    const uint16_t count = bo_table_key_positions(table, positions);
    for (uint16_t i = 0; i < count; i++) {
        if (!bo_value_equal(bo_image_value(a, positions[i]), bo_image_value(b, positions[i])))
            return false;
    }
    return true;
}

static bo_image find(rows *in, bo_image like)
{
    bo_error err = {0};
    in->all.at = 0;
    for (;;) {
        bo_image row = {0};
        bool last = false;
        pg_must(contract_next(&in->all, &row, &last, &err), &err);
        if (last)
            return (bo_image){0};
        if (same_key(in->table, row, like))
            return row;
    }
}

static bool same_row(const bo_table *table, bo_image a, bo_image b)
{
    if (!a.data || !b.data)
        return !a.data && !b.data;
    return bo_row_equal(table, a, b);
}

typedef struct compared {
    const char *story;
    rows was;
    rows is;
    contract_rows seen; /* of the journal: a row of each key */
    unsigned wrong;
} compared;

static void wrong(compared *self, const char *what)
{
    print_message("# %s: %s\n", self->story, what);
    self->wrong++;
}

static bo_status compare_change(void *ctx, const bo_journal_change *change, bo_error *err)
{
    compared *self = ctx;
    const bo_table *table = self->was.table;
    bo_image any = change->before.data ? change->before : change->after;
    rows seen = {.table = table, .all = self->seen};
    if (change->before.data && change->after.data &&
        !same_key(table, change->before, change->after))
        wrong(self, "the two images of a change have two keys");
    if (self->seen.count > 0 && find(&seen, any).data)
        wrong(self, "a key is told twice");
    if (!same_row(table, find(&self->was, any), change->before))
        wrong(self, "the image before is not the row as it was");
    if (!same_row(table, find(&self->is, any), change->after))
        wrong(self, "the image after is not the row as it is");
    return contract_collect(&self->seen, any, err);
}

/* Every row that is in one of the two and not the same in the other was told. */
static void all_were_told(compared *self, rows *in, rows *other)
{
    bo_error err = {0};
    rows seen = {.table = in->table, .all = self->seen};
    for (size_t at = 0;;) {
        bo_image row = {0};
        bool last = false;
        in->all.at = at;
        pg_must(contract_next(&in->all, &row, &last, &err), &err);
        at = in->all.at;
        if (last)
            return;
        if (!same_row(in->table, find(other, row), row) &&
            (self->seen.count == 0 || !find(&seen, row).data))
            wrong(self, "a row that changed is not told");
    }
}

static void compare_table(contract_world *w, compared *self, const char *from)
{
    bo_error err = {0};
    const bo_journal_filter filter = {.from = from};
    self->is.table = contract_table(w, self->was.table->name);
    contract_scan(w, &(bo_scan){.table = self->is.table}, &self->is.all);
    pg_must(w->driver->begin(w->conn, BO_TX_READ, &err), &err);
    pg_must(
        capture(w)->changes(w->conn, self->is.table, &filter, compare_change, self, &err), &err);
    w->driver->rollback(w->conn);
    all_were_told(self, &self->was, &self->is);
    all_were_told(self, &self->is, &self->was);
}

static unsigned tell(contract_world *w, const story *told, bool recursive)
{
    compared tables[4] = {{0}};
    unsigned count = 0, bad = 0;
    char names[128], *rest = NULL;
    contract_do(w, told->before);
    snprintf(names, sizeof names, "%s", told->tables);
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        compared *self = &tables[count++];
        self->story = told->name;
        self->was.table = contract_table(w, name);
        contract_scan(w, &(bo_scan){.table = self->was.table}, &self->was.all);
        begin(w, self->was.table, "p");
    }
    char *from = position(w);
    contract_do(
        w, recursive ? "PRAGMA recursive_triggers = ON" : "PRAGMA recursive_triggers = OFF");
    contract_do(w, told->change);
    for (unsigned i = 0; i < count; i++) {
        if (*broken(w, tables[i].was.table->name, "p"))
            wrong(&tables[i], broken(w, tables[i].was.table->name, "p"));
        compare_table(w, &tables[i], from);
        bad += tables[i].wrong;
        contract_rows_done(&tables[i].was.all);
        contract_rows_done(&tables[i].is.all);
        contract_rows_done(&tables[i].seen);
    }
    return bad;
}

#define ROWS_T                                                                                  \
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b UNIQUE, c, d NOT NULL DEFAULT 7);"       \
    "INSERT INTO t VALUES (1, 'one', 10, x'00ff', 1), (2, 'two', 20, 2.5, 2), (3, 'three', 30," \
    " char(97, 0, 98), 3), (4, NULL, NULL, CAST(x'ff41' AS TEXT), 4), (5, '', 50, 1e300, 5);"

static const story plain[] = {
    {"update, insert, delete", "t", ROWS_T,
        "UPDATE t SET a = 'x', c = 1.0 WHERE id < 3; INSERT INTO t (a, b) VALUES ('n', 60);"
        " DELETE FROM t WHERE id = 4; UPDATE t SET a = 'y' WHERE id = 2"},
    {"delete all", "t", ROWS_T, "DELETE FROM t"},
    {"insert and delete again", "t", ROWS_T,
        "INSERT INTO t VALUES (9, 'a', 1, 1, 1); DELETE FROM t WHERE id = 9;"
        " DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (1, 'one', 10, x'00ff', 1)"},
    {"keys move in a ring", "t", ROWS_T,
        "UPDATE t SET id = 100 WHERE id = 1; UPDATE t SET id = 1 WHERE id = 2;"
        " UPDATE t SET id = 2 WHERE id = 100; UPDATE t SET rowid = 77 WHERE id = 3;"
        " UPDATE t SET _rowid_ = 78, a = 'moved' WHERE id = 4; UPDATE t SET oid = 3 WHERE id = 5"},
    {"all keys move at once", "t", ROWS_T, "UPDATE t SET id = id + 1000"},
    {"a savepoint is rolled back", "t", ROWS_T,
        "BEGIN; UPDATE t SET a = 'x'; SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; UPDATE t SET c = 2"
        " WHERE id = 2; COMMIT"},
    {"text keys that only SQL calls equal", "t",
        "CREATE TABLE t (k TEXT NOT NULL COLLATE NOCASE PRIMARY KEY, v);"
        "INSERT INTO t VALUES ('abc', 1), ('x ', 2), ('Q', 3)",
        "UPDATE t SET k = 'ABC' WHERE k = 'abc'; UPDATE t SET v = 5 WHERE k = 'abc';"
        " INSERT OR REPLACE INTO t VALUES ('q', 8)"},
    {"keys of all classes", "t",
        "CREATE TABLE t (k NOT NULL PRIMARY KEY, v);"
        "INSERT INTO t VALUES (1, 'i'), ('1', 't'), (x'31', 'b'), (2.5, 'r'), ('', 'e'), (3, 3)",
        "UPDATE t SET v = v || '!'; UPDATE t SET k = 1.0 WHERE k = 1; DELETE FROM t WHERE k = '';"
        " UPDATE t SET k = '3' WHERE k = 3; INSERT INTO t VALUES (3, 'new')"},
    {"rtrim keys", "t",
        "CREATE TABLE t (k TEXT NOT NULL UNIQUE COLLATE RTRIM, v); INSERT INTO t VALUES ('a', 1)",
        "UPDATE t SET k = 'a  '; INSERT OR REPLACE INTO t VALUES ('a ', 2)"},
    {"without rowid, two columns", "t",
        "CREATE TABLE t (a TEXT, b INT, v UNIQUE, PRIMARY KEY (b, a)) WITHOUT ROWID;"
        "INSERT INTO t VALUES ('x', 1, 1), ('y', 1, 2), ('x', 2, 3)",
        "UPDATE t SET b = 3 WHERE a = 'x' AND b = 2; DELETE FROM t WHERE v = 1;"
        " INSERT OR REPLACE INTO t VALUES ('y', 1, 9); INSERT OR REPLACE INTO t VALUES ('n', 1, "
        "3)"},
    {"a hidden row number", "t",
        "CREATE TABLE t (k TEXT NOT NULL UNIQUE, v); INSERT INTO t VALUES ('a', 1), ('b', 2)",
        "INSERT OR REPLACE INTO t (rowid, k, v) VALUES (1, 'c', 3); UPDATE OR REPLACE t SET rowid ="
        " 1 WHERE k = 'b'; INSERT INTO t VALUES ('d', 4)"},
    {"strict, generated columns", "t",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n ANY, g TEXT AS (lower(a)) UNIQUE,"
        " s INT AS (id * 2) STORED) STRICT;"
        "INSERT INTO t (a, n) VALUES ('A', 1), ('B', '1'), ('C', 1.0)",
        "INSERT OR REPLACE INTO t (id, a, n) VALUES (9, 'b', x'00');"
        " UPDATE OR REPLACE t SET a = 'a' WHERE id = 3"},
    {"names that must be quoted", "\"select\"",
        "CREATE TABLE \"select\" (\"a\"\"b\" INTEGER PRIMARY KEY, \"NEW\" TEXT, \"OLD\" UNIQUE,"
        " \"it's; END\" INT); INSERT INTO \"select\" VALUES (1, 'a', 1, 1), (2, 'b', 2, 2)",
        "INSERT OR REPLACE INTO \"select\" VALUES (3, 'c', 1, 4);"
        " UPDATE \"select\" SET \"it's; END\" = 9"},
};

static const story replaced[] = {
    {"insert or replace by each key", "t", ROWS_T,
        "INSERT OR REPLACE INTO t VALUES (1, 'new', 11, 0, 0);"
        " INSERT OR REPLACE INTO t VALUES (9, 'new', 20, 0, 0);"
        " REPLACE INTO t VALUES (3, 'both', 50, 0, 0)"},
    {"update or replace by each key", "t", ROWS_T,
        "UPDATE OR REPLACE t SET id = 2 WHERE id = 1; UPDATE OR REPLACE t SET b = 50 WHERE id = 3;"
        " UPDATE OR REPLACE t SET rowid = 4 WHERE id = 2"},
    {"the schema says replace", "t",
        "CREATE TABLE t (id INTEGER PRIMARY KEY ON CONFLICT REPLACE, a UNIQUE ON CONFLICT REPLACE,"
        " b NOT NULL ON CONFLICT REPLACE DEFAULT 5 UNIQUE ON CONFLICT REPLACE);"
        "INSERT INTO t VALUES (1, 1, 1), (2, 2, 2), (3, 3, 5), (4, 4, 4)",
        "INSERT INTO t VALUES (1, 9, 9); INSERT INTO t VALUES (8, 2, 8);"
        " INSERT INTO t VALUES (7, 7, NULL); UPDATE t SET b = NULL WHERE id = 4"},
    {"partial unique index", "t",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, live INT);"
        "CREATE UNIQUE INDEX i ON t (a DESC) WHERE live > 0 AND a <> 'it''s -- (';"
        "INSERT INTO t VALUES (1, 'x', 1), (2, 'x', 0), (3, 'y', 0), (4, 'y', 1)",
        "INSERT OR REPLACE INTO t VALUES (5, 'x', 1); UPDATE OR REPLACE t SET live = 1 WHERE id ="
        " 3"},
    {"unique index on expressions", "t",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, \"b (,\" INT, c TEXT);"
        "CREATE UNIQUE INDEX i ON t ( /* , ) */ lower(a) -- ',)\n COLLATE NOCASE DESC,"
        " \"b (,\" + 1 ASC , c COLLATE NOCASE ) WHERE \"b (,\" IS NOT NULL -- end\n;"
        "INSERT INTO t VALUES (1, 'A', 1, 'c'), (2, 'b', 2, 'd'), (3, 'C', NULL, 'e')",
        "INSERT OR REPLACE INTO t VALUES (5, 'a', 1, 'C'); UPDATE OR REPLACE t SET a = 'A',"
        " \"b (,\" = 1, c = 'c' WHERE id = 2"},
    {"a unique index with another collation", "t",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE UNIQUE INDEX i ON t (a COLLATE"
        " NOCASE); INSERT INTO t VALUES (1, 'a'), (2, 'b')",
        "INSERT OR REPLACE INTO t VALUES (3, 'A'); UPDATE OR REPLACE t SET a = 'A' WHERE id = 2"},
    {"upserts", "t", ROWS_T,
        "INSERT INTO t VALUES (1, 'up', 11, 0, 0), (8, 'in', 80, 0, 0) ON CONFLICT (id) DO UPDATE"
        " SET a = excluded.a, b = excluded.b; INSERT INTO t VALUES (9, 'up', 20, 0, 0) ON CONFLICT"
        " (b) DO UPDATE SET id = 33; INSERT INTO t VALUES (3, 'no', 1, 1, 1) ON CONFLICT DO "
        "NOTHING"},
    {"what is ignored is not there", "t", ROWS_T,
        "INSERT OR IGNORE INTO t VALUES (1, 'n', 99, 0, 0), (7, 'n', 10, 0, 0), (6, 'n', 66, 0, 0);"
        " UPDATE OR IGNORE t SET id = 2 WHERE id = 1; UPDATE OR IGNORE t SET b = 50"},
    {"replaced rows are rolled back", "t", ROWS_T,
        "BEGIN; INSERT OR REPLACE INTO t VALUES (1, 'new', 20, 0, 0); ROLLBACK;"
        " UPDATE t SET c = 5 WHERE id = 5"},
    {"the key minus one", "t",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (-1, 'x'), (1, 'y')",
        "INSERT INTO t (a) VALUES ('z'); INSERT OR REPLACE INTO t VALUES (-1, 'new')"},
    {"the children of a replaced row", "p c",
        "CREATE TABLE p (id INTEGER PRIMARY KEY, u UNIQUE);"
        "CREATE TABLE c (id INTEGER PRIMARY KEY, p INT REFERENCES p ON DELETE CASCADE ON UPDATE"
        " CASCADE); INSERT INTO p VALUES (1, 1), (2, 2), (3, 3); INSERT INTO c VALUES (1, 1),"
        " (2, 2), (3, 3), (4, 3)",
        "PRAGMA foreign_keys = ON; INSERT OR REPLACE INTO p VALUES (1, 9); INSERT OR REPLACE INTO p"
        " VALUES (8, 2); UPDATE p SET id = 30 WHERE id = 3; DELETE FROM p WHERE id = 30"},
    {"set null and a table that refers to itself", "t",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, up INT REFERENCES t ON DELETE SET NULL);"
        "INSERT INTO t VALUES (1, NULL), (2, 1), (3, 2), (4, 1)",
        "PRAGMA foreign_keys = ON; DELETE FROM t WHERE id = 1; INSERT OR REPLACE INTO t VALUES"
        " (2, 4)"},
};

static const story triggered[] = {
    {"a trigger that changes the new row again", "t",
        ROWS_T "CREATE TRIGGER u AFTER INSERT ON t BEGIN UPDATE t SET a = a || '!' WHERE id = "
               "NEW.id;"
               " END; CREATE TRIGGER v AFTER UPDATE OF c ON t BEGIN UPDATE t SET d = d + 1 WHERE id"
               " = NEW.id; END;",
        "INSERT INTO t (a) VALUES ('new'), ('newer'); UPDATE t SET c = 8 WHERE id < 3"},
    {"a trigger that takes the row away before", "t",
        ROWS_T "CREATE TRIGGER u BEFORE UPDATE ON t WHEN OLD.id = 2 BEGIN DELETE FROM t WHERE id ="
               " 2; END; CREATE TRIGGER v BEFORE INSERT ON t BEGIN DELETE FROM t WHERE b = NEW.b;"
               " END;",
        "UPDATE t SET a = 'x'; INSERT INTO t VALUES (9, 'n', 30, 1, 1)"},
    {"a trigger that ignores the row", "t",
        ROWS_T "CREATE TRIGGER u BEFORE UPDATE ON t WHEN OLD.id = 2 BEGIN SELECT RAISE(IGNORE);"
               " END; CREATE TRIGGER v BEFORE INSERT ON t WHEN NEW.id = 1 BEGIN SELECT"
               " RAISE(IGNORE); END; CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT RAISE(IGNORE);"
               " END; CREATE TRIGGER y AFTER DELETE ON t BEGIN SELECT RAISE(IGNORE); END;",
        "UPDATE t SET a = 'x'; INSERT OR REPLACE INTO t VALUES (1, 'r', 1, 1, 1);"
        " INSERT INTO t (a) VALUES ('n'); DELETE FROM t WHERE id = 5"},
    {"a trigger that moves the new row", "t",
        ROWS_T "CREATE TRIGGER u AFTER INSERT ON t BEGIN UPDATE t SET id = 500 WHERE id = NEW.id;"
               " END;",
        "INSERT INTO t (a) VALUES ('n'); INSERT OR REPLACE INTO t VALUES (1, 'n', 20, 1, 1)"},
    {"tables that write to each other", "t o",
        ROWS_T "CREATE TABLE o (id INTEGER PRIMARY KEY, n INT); INSERT INTO o VALUES (1, 1);"
               "CREATE TRIGGER u AFTER UPDATE OF a ON t BEGIN UPDATE o SET n = n + 1; END;"
               "CREATE TRIGGER v AFTER UPDATE ON o BEGIN UPDATE t SET c = NEW.n WHERE id = 5; END;",
        "UPDATE t SET a = 'x' WHERE id < 3"},
};

static void all_tell(contract_world *w, const story *stories, size_t count)
{
    unsigned bad = 0;
    for (size_t i = 0; i < 2 * count; i++) {
        void *fresh = NULL;
        print_message("# %s\n", stories[i / 2].name);
        assert_int_equal(contract_start(&fresh), 0);
        bad += tell(fresh, &stories[i / 2], i % 2 != 0);
        end(fresh, "p");
        assert_string_equal(contract_ask(fresh, "SELECT group_concat(name) FROM sqlite_schema"
                                                " WHERE name GLOB 'backout*'"),
            "");
        assert_int_equal(contract_stop(&fresh), 0);
    }
    (void)w;
    assert_int_equal(bad, 0);
}

static void plain_changes_are_told(void **state)
{
    all_tell(*state, plain, sizeof plain / sizeof *plain);
}

static void what_replace_removes_is_told(void **state)
{
    all_tell(*state, replaced, sizeof replaced / sizeof *replaced);
}

static void triggers_of_users_hide_nothing(void **state)
{
    all_tell(*state, triggered, sizeof triggered / sizeof *triggered);
}

int main(int argc, char **argv)
{
    static char engine[] = "sqlite";
    char *args[] = {argv[0], engine, NULL};
    (void)argc;
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(plain_changes_are_told),
        CONTRACT_TEST(what_replace_removes_is_told),
        CONTRACT_TEST(triggers_of_users_hide_nothing),
    };
    return contract_main(2, args, "sqlite_capture", tests, sizeof tests / sizeof *tests);
}
