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
#include "support/fault_memory.h"

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

typedef struct key_rows {
    const bo_table *table;
    contract_rows all;
} key_rows;

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

static bo_image find(key_rows *in, bo_image like)
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
    key_rows was;
    key_rows is;
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
    key_rows seen = {.table = table, .all = self->seen};
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
static void all_were_told(compared *self, key_rows *in, key_rows *other)
{
    bo_error err = {0};
    key_rows seen = {.table = in->table, .all = self->seen};
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

/* A story that was begun: its tables as they were, captured for point "p". */
typedef struct tell_state {
    contract_world *world;
    compared tables[4];
    unsigned count;
    const char *from;
} tell_state;

static void tell_begin(tell_state *self, contract_world *w, const char *title, const char *tables)
{
    char names[128], *rest = NULL;
    *self = (tell_state){.world = w};
    snprintf(names, sizeof names, "%s", tables);
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        compared *table = &self->tables[self->count++];
        table->story = title;
        table->was.table = contract_table(w, name);
        contract_scan(w, &(bo_scan){.table = table->was.table}, &table->was.all);
        begin(w, table->was.table, "p");
    }
    self->from = position(w);
}

static unsigned tell_end(tell_state *self)
{
    unsigned bad = 0;
    for (unsigned i = 0; i < self->count; i++) {
        compared *table = &self->tables[i];
        const char *why = broken(self->world, table->was.table->name, "p");
        if (*why)
            wrong(table, why);
        compare_table(self->world, table, self->from);
        bad += table->wrong;
        contract_rows_done(&table->was.all);
        contract_rows_done(&table->is.all);
        contract_rows_done(&table->seen);
    }
    return bad;
}

static unsigned tell(contract_world *w, const story *told, bool recursive)
{
    tell_state telling;
    contract_do(w, told->before);
    tell_begin(&telling, w, told->name, told->tables);
    contract_do(
        w, recursive ? "PRAGMA recursive_triggers = ON" : "PRAGMA recursive_triggers = OFF");
    contract_do(w, told->change);
    return tell_end(&telling);
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
    {"a key to and fro between classes", "t",
        "CREATE TABLE t (k NOT NULL PRIMARY KEY, v); INSERT INTO t VALUES (1, 'i')",
        "UPDATE t SET k = 1.0; UPDATE t SET k = 1, v = 2; UPDATE t SET k = 1.0; UPDATE t SET k = 1;"
        " UPDATE t SET k = 1.0"},
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
    {"a trigger of the session that changes the row again", "t", ROWS_T,
        "CREATE TEMP TRIGGER s AFTER UPDATE OF a ON t BEGIN UPDATE t SET d = d + 1 WHERE id ="
        " NEW.id; END; UPDATE t SET a = 'x' WHERE id < 3"},
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

/* ---- what backout writes itself ---- */

#define CHANGE_T                                                                       \
    "UPDATE t SET a = 'x', c = 1 WHERE id < 3; INSERT INTO t (a, b) VALUES ('n', 60);" \
    " DELETE FROM t WHERE id = 4; UPDATE t SET id = 33 WHERE id = 3"

static void an_undo_is_told_to_other_points(void **state)
{
    static const char *const setups[] = {ROWS_T,
        "CREATE TABLE t (id INT PRIMARY KEY NOT NULL, a, b UNIQUE, c, d DEFAULT 1);"
        "INSERT INTO t VALUES (1, 2, 3, 4, 5), (2, 'x', 'y', x'00', NULL), (3, 1, 1, 1, 1),"
        " (4, 4, 4, 4, 4)",
        "CREATE TABLE t (id TEXT PRIMARY KEY COLLATE NOCASE, a, b UNIQUE, c, d DEFAULT 1) WITHOUT"
        " ROWID; INSERT INTO t VALUES (1, 2, 3, 4, 5), (2, 'x', 'y', x'00', NULL), (3, 1, 1, 1, 1),"
        " (4, 4, 4, 4, 4)"};
    static const char *const changes[] = {CHANGE_T,
        "DELETE FROM t WHERE id = 1; UPDATE t SET id = 30 WHERE id = 3; UPDATE t SET a = 7",
        "DELETE FROM t WHERE id = '1'; UPDATE t SET id = '30' WHERE id = '3'; UPDATE t SET a = 7"};
    contract_world *w = *state;
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
        bo_error err = {0};
        stage_undo undo;
        tell_state telling;
        contract_do(w, setups[i]);
        stage_undo_begin(&undo, w->conn, PG_NAMES("t"));
        contract_do(w, changes[i]);
        tell_begin(&telling, w, "undo", "t");
        stage_undo_stage(&undo);
        pg_must(stage_undo_apply(&undo, &err), &err);
        stage_undo_check(&undo);
        stage_undo_end(&undo);
        assert_int_equal(tell_end(&telling), 0);
        end(w, "p");
        contract_do(w, "DROP TABLE t");
    }
}

static void a_restore_is_told_to_other_points(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    tell_state telling;
    contract_rows rows = {0};
    uint64_t count = 0;
    contract_do(w, ROWS_T);
    const bo_table *table = contract_table(w, "t");
    contract_scan(w, &(bo_scan){.table = table}, &rows);
    contract_do(w, CHANGE_T);
    tell_begin(&telling, w, "restore", "t");
    pg_must(w->driver->begin(w->conn, BO_TX_WRITE, &err), &err);
    pg_must(w->driver->clear(w->conn, table, &count, &err), &err);
    pg_must(w->driver->load(w->conn, table, table, contract_next, &rows, &count, &err), &err);
    pg_must(w->driver->commit(w->conn, &err), &err);
    contract_rows_done(&rows);
    assert_int_equal(tell_end(&telling), 0);
}

/* ---- nothing of ours is seen, and nothing stays ---- */

static bo_status count_name(void *ctx, const char *name, bo_error *err)
{
    (void)name, (void)err;
    ++*(unsigned *)ctx;
    return BO_OK;
}

static char *definition(contract_world *w, const char *name)
{
    json_t *json = bo_table_to_json(contract_table(w, name));
    char *text = json_dumps(json, JSON_SORT_KEYS);
    json_decref(json);
    assert_non_null(text);
    return text;
}

#define SCHEMA "SELECT group_concat(type || name || coalesce(sql, ''), ';') FROM sqlite_schema"

static void a_captured_table_looks_like_any_other(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    unsigned count = 0;
    contract_do(w, ROWS_T "CREATE INDEX i ON t (c); CREATE TRIGGER u AFTER INSERT ON t BEGIN SELECT"
                          " 1; END; CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT)");
    const char *schema = contract_ask(w, SCHEMA);
    BO_OWN_MEM char *was = definition(w, "t");
    begin(w, contract_table(w, "t"), "p");
    begin(w, contract_table(w, "s"), "p");
    begin(w, contract_table(w, "t"), "q");
    contract_do(w, "INSERT INTO t (a) VALUES (1); INSERT INTO s DEFAULT VALUES; ANALYZE");
    BO_OWN_MEM char *is = definition(w, "t");
    assert_string_equal(is, was);
    pg_must(w->driver->tables(w->conn, count_name, &count, &err), &err);
    assert_int_equal(count, 2);
    const bo_table *ours = NULL;
    assert_int_equal(
        w->driver->describe(w->conn, "backout_journal_1", w->arena, &ours, &err), BO_NOTFOUND);
    assert_int_equal(
        w->driver->describe(w->conn, "backout_capture", w->arena, &ours, &err), BO_NOTFOUND);
    end(w, "p");
    assert_string_equal(broken(w, "t", "q"), "");
    assert_string_equal(contract_ask(w, "SELECT count(*) FROM backout_journal_1"), "1");
    end(w, "q");
    end(w, "q");
    contract_do(w, "DROP TABLE sqlite_stat1");
    assert_string_equal(contract_ask(w, SCHEMA), schema);
    assert_string_equal(contract_ask(w, "SELECT group_concat(name) FROM sqlite_sequence"), "s");
}

/* ---- what cannot be trusted is said ---- */

static void a_broken_capture_is_noticed(void **state)
{
    static const struct {
        const char *change, *table, *why;
    } cases[] = {
        {"DROP TRIGGER backout_journal_1_moved", "t", "backout_journal_1_moved is missing"},
        {"DROP TABLE backout_journal_1", "t", "backout_journal_1 is missing"},
        {"ALTER TABLE t ADD COLUMN e", "t", "changed: column 'e'"},
        {"ALTER TABLE t RENAME TO n", "n", "n is not captured for 'p'"},
        {"CREATE UNIQUE INDEX i ON t (c)", "t", "the definition of the table or of"},
        {"CREATE TABLE n AS SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t;"
         " CREATE UNIQUE INDEX i ON t (id)",
            "t", "t has no key that identifies its rows"},
        {"CREATE TABLE n (id INTEGER PRIMARY KEY, a TEXT, b UNIQUE, c, d NOT NULL DEFAULT 7);"
         " INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
            "t", "backout_journal_1_came is missing"},
        {"CREATE TRIGGER late AFTER INSERT ON t BEGIN DELETE FROM t; END", "t",
            "the trigger 'late' was made later"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *fresh = NULL;
        assert_int_equal(contract_start(&fresh), 0);
        contract_world *w = fresh;
        contract_do(w, ROWS_T);
        begin(w, contract_table(w, "t"), "p");
        assert_string_equal(broken(w, "t", "p"), "");
        contract_do(w, cases[i].change);
        const char *why = broken(w, cases[i].table, "p");
        if (!strstr(why, cases[i].why))
            fail_msg("%s: %s", cases[i].change, why);
        end(w, "p");
        assert_string_equal(contract_ask(w, "SELECT count(*) FROM sqlite_schema WHERE name GLOB"
                                            " 'backout*'"),
            "0");
        assert_int_equal(contract_stop(&fresh), 0);
    }
    (void)state;
}

/* A journal that is broken is not used for the next point. */
static void the_next_point_gets_a_whole_journal(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    begin(w, contract_table(w, "t"), "p");
    contract_do(w, "ALTER TABLE t ADD COLUMN e; UPDATE t SET e = 1");
    tell_state telling;
    begin(w, contract_table(w, "t"), "q");
    assert_string_not_equal(broken(w, "t", "p"), "");
    assert_string_equal(broken(w, "t", "q"), "");
    end(w, "p");
    assert_string_equal(broken(w, "t", "q"), "");
    tell_begin(&telling, w, "after a broken one", "t");
    contract_do(w, "UPDATE t SET e = 2; DELETE FROM t WHERE id = 1");
    assert_int_equal(tell_end(&telling), 0);
}

/* SQLite renames it in our triggers, too. */
static void a_renamed_column_is_captured_on(void **state)
{
    contract_world *w = *state;
    tell_state telling;
    contract_do(w, ROWS_T);
    begin(w, contract_table(w, "t"), "p");
    contract_do(w, "ALTER TABLE t RENAME COLUMN a TO \"new \"\"name\"; ALTER TABLE t RENAME COLUMN"
                   " id TO i; ALTER TABLE t RENAME COLUMN b TO a");
    tell_begin(&telling, w, "renamed columns", "t");
    contract_do(w, "UPDATE t SET a = a + 1; INSERT OR REPLACE INTO t (i, a) VALUES (9, 11);"
                   " UPDATE t SET i = 12 WHERE i = 2");
    assert_int_equal(tell_end(&telling), 0);
}

/* A later trigger breaks the journal of then, not the one that is made after it. */
static void only_what_came_after_a_journal_breaks_it(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T);
    begin(w, contract_table(w, "t"), "p");
    contract_do(w, "CREATE TRIGGER late AFTER INSERT ON t BEGIN UPDATE t SET a = 'late' WHERE id ="
                   " NEW.id; END");
    assert_string_not_equal(broken(w, "t", "p"), "");
    begin(w, contract_table(w, "t"), "q");
    assert_string_equal(broken(w, "t", "q"), "");
    assert_string_not_equal(broken(w, "t", "p"), "");
}

/* What somebody took away of ours hurts its point alone, and goes with the last one. */
static void lost_parts_do_not_hinder_other_points(void **state)
{
    contract_world *w = *state;
    contract_do(w, ROWS_T "CREATE TABLE u (id INTEGER PRIMARY KEY)");
    begin(w, contract_table(w, "t"), "p");
    contract_do(w, "DROP TABLE backout_capture");
    begin(w, contract_table(w, "t"), "q");
    begin(w, contract_table(w, "u"), "r");
    contract_do(w, "DROP TABLE backout_journal_2");
    assert_string_equal(position(w), "3:0");
    assert_string_not_equal(broken(w, "t", "q"), "");
    assert_string_equal(broken(w, "u", "r"), "");
    end(w, "q");
    end(w, "r");
    assert_string_equal(
        contract_ask(w, "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'backout*'"), "0");
    contract_do(w, "UPDATE t SET a = 1");
}

static bo_coverage coverage(contract_world *w, const char *table, const char *reason)
{
    BO_OWN_VALUE(bo_buf) reasons = {0};
    bo_error err = {0};
    bo_coverage found = BO_COVERED;
    pg_must(capture(w)->coverage(w->conn, contract_table(w, table), &found, &reasons, &err), &err);
    if (!strstr(bo_buf_str(&reasons), reason) || (!*reason && reasons.size > 0))
        fail_msg("%s: %s", table, bo_buf_str(&reasons));
    return found;
}

static void make_wide(contract_world *w, const char *name, unsigned columns)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "CREATE TABLE %s (id INTEGER PRIMARY KEY", name);
    for (unsigned i = 1; i < columns; i++)
        bo_buf_printf(&sql, ", x%u", i);
    bo_buf_printf(&sql, "); INSERT INTO %s DEFAULT VALUES", name);
    contract_do(w, bo_buf_str(&sql));
}

static void what_cannot_be_captured_is_refused_by_name(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, "CREATE VIRTUAL TABLE f USING fts5(a); CREATE TABLE k (a, b);"
                   "CREATE TABLE o (a TEXT PRIMARY KEY); CREATE TABLE g (a TEXT PRIMARY KEY NOT"
                   " NULL)");
    make_wide(w, "wide", 2000);
    make_wide(w, "most", 1997);
    assert_int_equal(coverage(w, "f", "virtual table"), BO_UNCOVERED);
    assert_int_equal(coverage(w, "f_content", "belongs to a virtual table"), BO_UNCOVERED);
    assert_int_equal(coverage(w, "k", "no key"), BO_UNCOVERED);
    assert_int_equal(coverage(w, "wide", "at most 1997 columns, and it has 2000"), BO_UNCOVERED);
    assert_int_equal(coverage(w, "o", "allows NULL"), BO_COVERED_WITH_LIMITS);
    assert_int_equal(coverage(w, "g", ""), BO_COVERED);
    const bo_table *tables[] = {contract_table(w, "g"), contract_table(w, "k")};
    assert_int_equal(capture(w)->begin(w->conn, tables, 2, "p", &err), BO_UNSUPPORTED);
    assert_non_null(strstr(err.text, "cannot capture changes of k"));
    assert_string_equal(
        contract_ask(w, "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'backout*'"), "0");
    tell_state telling;
    tell_begin(&telling, w, "as wide as can be", "most");
    contract_do(w, "UPDATE most SET x1996 = 'last'; INSERT INTO most (x7) VALUES (7);"
                   " INSERT OR REPLACE INTO most (id) VALUES (2)");
    assert_int_equal(tell_end(&telling), 0);
}

static void a_database_in_use_is_busy(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, ROWS_T);
    const bo_table *table = contract_table(w, "t");
    contract_do(w, "BEGIN IMMEDIATE");
    sq_of(w->conn)->lock_timeout_ms = 50;
    assert_int_equal(capture(w)->begin(w->conn, &table, 1, "p", &err), BO_BUSY);
    contract_do(w, "ROLLBACK");
    begin(w, table, "p");
    contract_do(w, "BEGIN IMMEDIATE");
    assert_int_equal(capture(w)->end(w->conn, "p", &err), BO_BUSY);
    contract_do(w, "ROLLBACK");
    assert_string_equal(broken(w, "t", "p"), "");
}

/* ---- other sessions ---- */

static void strict_sessions_can_write(void **state)
{
    contract_world *w = *state;
    tell_state telling;
    contract_do(w, ROWS_T "CREATE UNIQUE INDEX i ON t (lower(a), abs(d)) WHERE c <> 'never';");
    tell_begin(&telling, w, "strict", "t");
    sqlite3 *db = sq_of(w->user)->db;
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    contract_do(w, "INSERT OR REPLACE INTO t VALUES (9, 'ONE', 99, 1, -1); DELETE FROM t WHERE id ="
                   " 3; UPDATE OR REPLACE t SET a = 'Two', d = 2, c = 1 WHERE id = 9");
    assert_int_equal(tell_end(&telling), 0);
}

static void a_text_in_double_quotes_is_not_followed(void **state)
{
    contract_world *w = *state;
    contract_do(w, "CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE UNIQUE INDEX i ON t (a)"
                   " WHERE a <> \"text\"");
    assert_int_equal(coverage(w, "t", "cannot be"), BO_UNCOVERED);
}

/* ---- filters ---- */

/* Of a row of t: the text of `a`, "-" when there is none. */
static void write_side(bo_buf *out, bo_image row)
{
    bo_value a = {0};
    if (row.data)
        a = bo_image_value(row, 1);
    if (row.data)
        bo_buf_add(out, a.data + 1, (size_t)a.size - 1);
    else
        bo_buf_add_str(out, "-");
}

static bo_status write_change(void *ctx, const bo_journal_change *change, bo_error *err)
{
    bo_buf *out = ctx;
    bo_value id = bo_image_value(change->before.data ? change->before : change->after, 0);
    bo_buf_printf(out, "%u:", (unsigned)bo_get_u64(id.data + 1));
    write_side(out, change->before);
    bo_buf_add_str(out, ">");
    write_side(out, change->after);
    bo_buf_add_str(out, change->mixed ? " mixed " : " ");
    return bo_buf_check(out, err);
}

static void positions_and_transactions_are_bounds(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, ROWS_T);
    const bo_table *table = contract_table(w, "t");
    begin(w, table, "p");
    const char *from = position(w);
    contract_do(w, "UPDATE t SET a = 'mine' WHERE id = 1; INSERT INTO t (a) VALUES ('mine')");
    const char *to = position(w);
    contract_do(w, "UPDATE t SET a = 'other' WHERE id IN (1, 2);"
                   " UPDATE t SET a = 'last' WHERE id = 1");
    const char *only[] = {"1.1", "1.4"}, *around[] = {"1.5", "1.1", "2.3"};
    const struct {
        bo_journal_filter filter;
        const char *want;
    } cases[] = {
        {{.from = from}, "1:one>last 2:two>other 6:->mine "},
        {{.from = from, .to = to}, "1:one>mine 6:->mine "},
        {{.from = to}, "1:mine>last 2:two>other "},
        {{.from = to, .to = to}, ""},
        {{.from = from, .user = "me"}, ""},
        {{.from = from, .run = "r"}, ""},
        {{.from = from, .transactions = only, .transaction_count = 2, .only_transactions = true},
            "1:one>mine 2:two>other "},
        {{.from = from, .transactions = around, .transaction_count = 3, .only_transactions = true},
            "1:one>last mixed "},
        {{.from = from, .to = to, .transactions = only, .transaction_count = 2},
            "1:one>mine 2:two>other 6:->mine "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BO_OWN_VALUE(bo_buf) text = {0};
        pg_must(
            capture(w)->changes(w->conn, table, &cases[i].filter, write_change, &text, &err), &err);
        assert_string_equal(bo_buf_str(&text), cases[i].want);
    }
    const bo_journal_filter elsewhere = {.from = "7:1"};
    assert_int_equal(
        capture(w)->changes(w->conn, table, &elsewhere, write_change, NULL, &err), BO_INVALID);
}

/* ---- no memory ---- */

static bo_status see_change(void *ctx, const bo_journal_change *change, bo_error *err)
{
    (void)change, (void)err;
    ++*(unsigned *)ctx;
    return BO_OK;
}

static bo_status see_row(void *ctx, const bo_journal_row *row, bo_error *err)
{
    (void)row, (void)err;
    ++*(unsigned *)ctx;
    return BO_OK;
}

static bo_status see_captured(void *ctx, const bo_captured *captured, bo_error *err)
{
    (void)captured, (void)err;
    ++*(unsigned *)ctx;
    return BO_OK;
}

enum { BEGIN, CHECK, POSITION, LIST, CHANGES, WALK, END, STEPS };

static bo_status take_step(
    contract_world *w, unsigned step, const bo_table *table, unsigned *seen, bo_error *err)
{
    const bo_capture_driver *driver = capture(w);
    const bo_journal_filter filter = {.from = "1:0"};
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_status st = BO_OK;
    switch (step) {
    case BEGIN:
        return driver->begin(w->conn, &table, 1, "p", err);
    case CHECK:
        st = driver->check(w->conn, table, "p", &text, err);
        *seen += st == BO_OK && text.size == 0;
        return st;
    case POSITION:
        st = driver->position(w->conn, NULL, 0, &text, err);
        *seen += st == BO_OK && strcmp(bo_buf_str(&text), "1:6") == 0;
        return st;
    case LIST:
        return driver->list(w->conn, see_captured, seen, err);
    case CHANGES:
        return driver->changes(w->conn, table, &filter, see_change, seen, err);
    case WALK:
        return driver->walk(w->conn, table, "1:0", see_row, seen, err);
    default:
        return driver->end(w->conn, "p", err);
    }
}

#define OBJECTS "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'backout*'"

/* A step that fails has done nothing, and the next round does it. */
static void every_allocation_may_fail_once(void **state)
{
    static const unsigned told[STEPS] = {0, 1, 1, 1, 5, 6, 0};
#ifdef UNDER_ASAN
    skip(); /* which allocates by itself */
#endif
    contract_world *w = *state;
    contract_do(w, ROWS_T "CREATE UNIQUE INDEX i ON t (lower(a) DESC) WHERE d > 0;");
    const bo_table *table = contract_table(w, "t");
    for (unsigned step = BEGIN; step < STEPS; step++) {
        bo_status st = BO_OK;
        unsigned nth = 0, seen = 0;
        bool fired = false;
        do {
            bo_error err = {0};
            seen = 0;
            fault_memory_arm(++nth);
            st = take_step(w, step, table, &seen, &err);
            fired = fault_memory_fired();
            const bool there = atoi(contract_ask(w, OBJECTS)) > 0;
            assert_int_equal(there, (step != BEGIN || st == BO_OK) && (step != END || st != BO_OK));
            if (st != BO_OK)
                assert_int_equal(st, BO_NOMEM);
            else if (fired && step == BEGIN) /* it could do without: once more */
                end(w, "p");
            else if (fired && step == END)
                begin(w, table, "p");
        } while (fired);
        assert_int_equal(st, BO_OK);
        assert_int_equal(seen, told[step]);
        assert_true(nth > 1);
        if (step == BEGIN)
            contract_do(w, "UPDATE t SET a = a || '!' WHERE id < 4; DELETE FROM t WHERE id = 4;"
                           " INSERT INTO t (a) VALUES ('n'); UPDATE t SET c = 1 WHERE id = 1");
    }
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
        CONTRACT_TEST(an_undo_is_told_to_other_points),
        CONTRACT_TEST(a_restore_is_told_to_other_points),
        CONTRACT_TEST(a_captured_table_looks_like_any_other),
        CONTRACT_TEST(a_broken_capture_is_noticed),
        CONTRACT_TEST(the_next_point_gets_a_whole_journal),
        CONTRACT_TEST(a_renamed_column_is_captured_on),
        CONTRACT_TEST(only_what_came_after_a_journal_breaks_it),
        CONTRACT_TEST(lost_parts_do_not_hinder_other_points),
        CONTRACT_TEST(what_cannot_be_captured_is_refused_by_name),
        CONTRACT_TEST(a_database_in_use_is_busy),
        CONTRACT_TEST(strict_sessions_can_write),
        CONTRACT_TEST(a_text_in_double_quotes_is_not_followed),
        CONTRACT_TEST(positions_and_transactions_are_bounds),
        CONTRACT_TEST(every_allocation_may_fail_once),
    };
    return contract_main(2, args, "sqlite_capture", tests, sizeof tests / sizeof *tests);
}
