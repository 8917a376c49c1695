/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/fuzz_predicate.c - what is taken for a condition is one: SQLite finds rows of the
 * table by it and does nothing else; for PostgreSQL its own parser finds no more in our statement.
 */
#include <jansson.h>
#include <pg_query.h>
#include <string.h>

#include "driver/postgres/pg.h"
#include "driver/sqlite/sqlite.h"
#include "fuzz.h"

enum { ROWS = 3, STEPS_MOST = 20000 };

/* ---- SQLite ---- */

static int stop(void *steps)
{
    return ++*(int *)steps > STEPS_MOST / 100;
}

static bo_status is_row(void *ctx, bo_image row, bo_error *err)
{
    (void)err;
    static const char *const texts[ROWS] = {"one", "two", NULL};
    bo_value number = bo_image_value(row, 0);
    uint64_t id = number.size == 9 ? bo_get_u64(number.data + 1) : 0;
    fuzz_must(bo_image_count(row) == 2 && id >= 1 && id <= ROWS, "a row of the table");
    bo_value text = bo_image_value(row, 1);
    const char *known = texts[id - 1];
    fuzz_must(known ? text.size == 4 && memcmp(text.data + 1, known, 3) == 0 : text.size < 0,
        "a row as it is in the table");
    ++*(unsigned *)ctx;
    return BO_OK;
}

static bo_conn *open_database(const bo_table **table_out)
{
    static bo_arena *arena;
    static bo_conn *conn;
    static const bo_table *table;
    if (!conn) {
        const bo_connect how = {.url = fuzz_path("predicate.db"), .create = true};
        bo_error err = {0};
        arena = bo_arena_create();
        fuzz_must(bo_driver_open(&how, &conn, &err) == BO_OK, err.text);
        bo_status st = conn->driver->exec(conn,
            "CREATE TABLE t (id INTEGER PRIMARY KEY, \"a b\" TEXT);"
            "INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, NULL)",
            &err);
        fuzz_must(st == BO_OK, err.text);
        fuzz_must(conn->driver->describe(conn, "t", arena, &table, &err) == BO_OK, err.text);
        sqlite3 *db = sq_of(conn)->db;
        (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 100000);
        (void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    }
    *table_out = table;
    return conn;
}

static void check_sqlite(const char *predicate)
{
    const bo_table *table = NULL;
    bo_conn *conn = open_database(&table);
    sqlite3 *db = sq_of(conn)->db;
    int steps = 0;
    unsigned rows = 0;
    uint64_t count = 0;
    bo_error err = {0};
    const int before = sqlite3_total_changes(db);
    const bo_scan what = {.table = table, .predicate = predicate};
    sqlite3_progress_handler(db, 100, stop, &steps);
    if (conn->driver->count(conn, table, predicate, &count, &err) == BO_OK)
        fuzz_must(count <= ROWS, "not more rows than there are");
    (void)conn->driver->scan(conn, &what, is_row, &rows, &err);
    fuzz_must(rows <= ROWS, "no row twice");
    sqlite3_progress_handler(db, 0, NULL, NULL);
    fuzz_must(sqlite3_total_changes(db) == before && sqlite3_get_autocommit(db), "nothing changes");
}

/* ---- PostgreSQL ---- */

static bool is_known(const char *clause)
{
    static const char *const known[] = {
        "targetList", "fromClause", "whereClause", "limitOption", "op"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i], clause) == 0)
            return true;
    }
    return false;
}

static void check_postgres(const char *predicate)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    if (pg_check_predicate(predicate, NULL) != BO_OK)
        return;
    bo_buf_add_str(&sql, "SELECT a FROM t WHERE true");
    pg_add_predicate(&sql, predicate);
    PgQueryParseResult result = pg_query_parse(bo_buf_str(&sql));
    fuzz_must(!result.error, "a condition can be put into a statement");
    json_t *tree = json_loads(result.parse_tree, 0, NULL);
    json_t *statements = json_object_get(tree, "stmts");
    json_t *select =
        json_object_get(json_object_get(json_array_get(statements, 0), "stmt"), "SelectStmt");
    const char *clause = NULL;
    json_t *value = NULL;
    fuzz_must(!tree || (json_array_size(statements) == 1 && select), "one SELECT");
    json_object_foreach(select, clause, value) fuzz_must(is_known(clause), "no clause but WHERE");
    json_decref(tree);
    pg_query_free_parse_result(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BO_OWN_VALUE(bo_buf) input = {0};
    const char *predicate = fuzz_text(&input, data, size);
    check_sqlite(predicate);
    check_postgres(predicate);
    return 0;
}
