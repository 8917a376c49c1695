/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/test_sqlite_capture.c - SQLite: REPLACE, row numbers and storage classes, which
 * only it has, captured.
 *
 * A story is SQL before the capture and SQL that is captured.
 */
#include "contract/sqlite_capture_world.h"
#include "driver/sqlite/sqlite.h"

typedef struct story {
    const char *name;
    const char *tables; /* captured, separated by blanks */
    const char *before;
    const char *change;
} story;

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
    {"a key moves, and with it the row's reference to itself", "t",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, up INT REFERENCES t ON UPDATE CASCADE, other INT"
        " REFERENCES t ON UPDATE SET NULL); INSERT INTO t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3)",
        "PRAGMA foreign_keys = ON; UPDATE t SET id = 8 WHERE id = 1;"
        " UPDATE OR REPLACE t SET id = 3 WHERE id = 8; UPDATE OR IGNORE t SET id = 2 WHERE id = 3"},
};

/* In a subquery NEW and OLD would mean tables of these names. */
static const story named[] = {
    {"a key moves in a table that is called new", "new",
        "CREATE TABLE new (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO new VALUES (1, 'a'), (2,"
        " 'b')",
        "UPDATE new SET id = 7 WHERE id = 1; UPDATE OR REPLACE new SET id = 7 WHERE id = 2;"
        " INSERT OR REPLACE INTO new VALUES (7, 'c'); ALTER TABLE new RENAME COLUMN id TO \"new\";"
        " UPDATE new SET \"new\" = 8 WHERE \"new\" = 7"},
    {"rows are replaced in a table that is called old", "old",
        "CREATE TABLE old (id INTEGER PRIMARY KEY, u TEXT UNIQUE);"
        "INSERT INTO old VALUES (1, 'a'), (2, 'b'), (3, 'c')",
        "UPDATE OR REPLACE old SET u = 'b' WHERE id = 1; UPDATE OR REPLACE old SET id = 3 WHERE id"
        " = 1"},
    {"without rowid, in other letters", "\"Old\"",
        "CREATE TABLE \"Old\" (a TEXT, b INT, v UNIQUE, PRIMARY KEY (b, a)) WITHOUT ROWID;"
        "INSERT INTO old VALUES ('x', 1, 1), ('y', 1, 2), ('x', 2, 3)",
        "UPDATE OR REPLACE old SET v = 2 WHERE v = 1; UPDATE OR REPLACE old SET b = 3, v = 9 WHERE"
        " b = 2"},
    {"expressions and conditions", "NEW",
        "CREATE TABLE NEW (id INTEGER PRIMARY KEY, a TEXT, live INT, \"new\" NOT NULL DEFAULT 4);"
        "CREATE UNIQUE INDEX i ON new (lower(a), \"new\") WHERE live > .5 AND a <> 'new.';"
        "INSERT INTO NEW VALUES (1, 'A', 1, 4), (2, 'b', 1, 2), (3, 'a', 0, 4), (4, 'B', 1, 4)",
        "INSERT OR REPLACE INTO new VALUES (9, 'a', 1, NULL);"
        " UPDATE OR REPLACE new SET a = 'B' WHERE id = 9;"
        " UPDATE OR REPLACE new SET a = 'b', \"new\" = 2 WHERE id = 9;"
        " UPDATE new SET id = 8 WHERE id = 9"},
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
        capture_end(fresh, "p");
        assert_string_equal(contract_ask(fresh, OURS), "");
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

static void tables_called_new_and_old_are_told(void **state)
{
    all_tell(*state, named, sizeof named / sizeof *named);
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
        capture_end(w, "p");
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
    const char *from = capture_begin(w, "p", PG_NAMES("t"));
    contract_do(w, "UPDATE t SET a = 'mine' WHERE id = 1; INSERT INTO t (a) VALUES ('mine')");
    const char *to = capture_position(w, PG_NAMES("t"));
    contract_do(w, "UPDATE t SET a = 'other' WHERE id IN (1, 2);"
                   " UPDATE t SET a = 'last' WHERE id = 1");
    const char *only[] = {"1.1", "1.4"}, *last[] = {"1.5"}, *around[] = {"1.5", "1.1", "2.3"};
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
        {{.from = from, .transactions = last, .transaction_count = 1, .only_transactions = true},
            "1:other>last "}, /* nobody else is between */
        {{.from = from, .transactions = around, .transaction_count = 3, .only_transactions = true},
            "1:one>last mixed "},
        {{.from = from, .to = to, .transactions = only, .transaction_count = 2},
            "1:one>mine 2:two>other 6:->mine "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        BO_OWN_VALUE(bo_buf) text = {0};
        pg_must(w->driver->capture->changes(
                    w->conn, table, &cases[i].filter, write_change, &text, &err),
            &err);
        assert_string_equal(bo_buf_str(&text), cases[i].want);
    }
    const bo_journal_filter elsewhere = {.from = "7:1"};
    assert_int_equal(
        w->driver->capture->changes(w->conn, table, &elsewhere, write_change, NULL, &err),
        BO_INVALID);
}

static void a_row_of_a_journal_that_no_trigger_wrote_is_noticed(void **state)
{
    contract_world *w = *state;
    bo_error err = {0};
    contract_do(w, ROWS_T);
    const bo_table *table = contract_table(w, "t");
    const bo_journal_filter all = {.from = capture_begin(w, "p", PG_NAMES("t"))};
    contract_do(w, "UPDATE t SET a = 'mine' WHERE id = 1;"
                   " UPDATE backout_journal_1 SET op = 'X'");
    assert_int_equal(
        w->driver->capture->changes(w->conn, table, &all, write_change, NULL, &err), BO_CORRUPT);
}

CONTRACT_MAIN("sqlite_capture", CONTRACT_TEST(plain_changes_are_told),
    CONTRACT_TEST(what_replace_removes_is_told), CONTRACT_TEST(tables_called_new_and_old_are_told),
    CONTRACT_TEST(triggers_of_users_hide_nothing), CONTRACT_TEST(an_undo_is_told_to_other_points),
    CONTRACT_TEST(a_restore_is_told_to_other_points), CONTRACT_TEST(strict_sessions_can_write),
    CONTRACT_TEST(positions_and_transactions_are_bounds),
    CONTRACT_TEST(a_row_of_a_journal_that_no_trigger_wrote_is_noticed))
