/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/fuzz_script.c - a user's SQL file: inside our transaction it may not end that, and its
 * statements follow one another with the lines that they are on.
 *
 * SQLite runs it, without other files and with few steps; PostgreSQL's part of it ends where a
 * server would be needed; MariaDB's is split and looked at.
 */
#include <jansson.h>
#include <pg_query.h>
#include <string.h>

#include "driver/mariadb/my.h"
#include "driver/postgres/pg.h"
#include "driver/sqlite/sqlite.h"
#include "fuzz.h"

enum { STEPS_MOST = 1000, LENGTH_MOST = 100000 };

/* ---- SQLite ---- */

static int stop(void *steps)
{
    return ++*(int *)steps > STEPS_MOST;
}

static void check_sqlite(const char *sql, size_t size, bool inside)
{
    sq_conn conn = {.base = {&bo_driver_sqlite}};
    bo_error err = {0};
    int steps = 0;
    fuzz_must(sqlite3_open(":memory:", &conn.db) == SQLITE_OK, "a database");
    sqlite3_progress_handler(conn.db, 100, stop, &steps);
    (void)sqlite3_limit(conn.db, SQLITE_LIMIT_LENGTH, LENGTH_MOST);
    (void)sqlite3_limit(conn.db, SQLITE_LIMIT_ATTACHED, 0);
    if (inside)
        (void)sqlite3_exec(conn.db, "BEGIN; CREATE TABLE ours (a)", NULL, NULL, NULL);
    bo_status st = sq_script(&conn.base, sql, size, &err);
    if (st == BO_OK)
        fuzz_must(!sqlite3_get_autocommit(conn.db) == inside, "the transaction is still ours");
    if (inside && !sqlite3_get_autocommit(conn.db)) {
        (void)sqlite3_exec(conn.db, "ROLLBACK", NULL, NULL, NULL);
        int rc = sqlite3_table_column_metadata(
            conn.db, "main", "ours", NULL, NULL, NULL, NULL, NULL, NULL);
        fuzz_must(rc != SQLITE_OK, "all of it is undone");
    }
    (void)sqlite3_close_v2(conn.db);
}

/* ---- PostgreSQL ---- */

/** Whether the file has, by PostgreSQL's own parser, a statement that ends a transaction. */
static bool ends_transaction(const char *sql)
{
    PgQueryParseResult result = pg_query_parse(sql);
    json_t *tree = result.error ? NULL : json_loads(result.parse_tree, 0, NULL);
    bool found = false;
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(json_object_get(tree, "stmts"), i, item)
    {
        json_t *node = json_object_get(json_object_get(item, "stmt"), "TransactionStmt");
        const char *kind = json_string_value(json_object_get(node, "kind"));
        found |= kind && !strstr(kind, "SAVEPOINT") && !strstr(kind, "RELEASE") &&
                 !strstr(kind, "ROLLBACK_TO");
    }
    json_decref(tree);
    pg_query_free_parse_result(result);
    return found;
}

static void check_postgres(const char *sql, size_t size)
{
    pg_conn conn = {.base = {&bo_driver_postgres}, .in_transaction = true};
    bo_error err = {0};
    bo_status st = pg_script(&conn.base, sql, size, &err);
    bool refused = st == BO_REFUSED || st == BO_INVALID;
    fuzz_must(refused || memchr(sql, 0, size) || !ends_transaction(sql),
        "what ends the transaction does not get to the server");
}

/* ---- MariaDB ---- */

static void check_mariadb(const char *sql, size_t size, bool no_backslash)
{
    my_splitter split = {.at = sql, .end = sql + size, .no_backslash = no_backslash};
    my_piece piece;
    const char *done = sql;
    unsigned line = 1;
    while (my_split(&split, &piece)) {
        fuzz_must(piece.size > 0 && piece.text >= done && piece.text + piece.size <= sql + size,
            "statements follow one another");
        for (; done < piece.text; done++)
            line += *done == '\n';
        fuzz_must(piece.line == line, "its line");
        char word[32];
        const char *at = piece.text;
        while ((at = my_next_word(at, piece.text + piece.size, word)), word[0])
            fuzz_must(at <= piece.text + piece.size, "a word of the statement");
    }
    fuzz_must(split.at == split.end, "all of the file is read");
    my_conn conn = {.base = {&bo_driver_mariadb}, .in_transaction = true};
    bo_error err = {0};
    (void)my_script(&conn.base, sql, size, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BO_OWN_VALUE(bo_buf) input = {0};
    const char *sql = fuzz_text(&input, data, size); /* a NUL may stand in it */
    check_sqlite(sql, size, true);
    check_sqlite(sql, size, false);
    check_postgres(sql, size);
    check_mariadb(sql, size, false);
    check_mariadb(sql, size, true);
    return 0;
}
