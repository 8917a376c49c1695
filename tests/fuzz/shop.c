/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fuzz/shop.c - made once by the program's own means, then copied from memory. */
#include "shop.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "fuzz.h"

static const char tables[] =
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
    "CREATE TABLE orders (id INTEGER PRIMARY KEY,"
    " customer_id INTEGER REFERENCES customers (id) ON DELETE CASCADE, total NUMERIC(12,2));"
    "CREATE TABLE log (line TEXT);"
    "INSERT INTO customers VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Eve');"
    "INSERT INTO orders VALUES (10, 1, 9.50), (11, 1, 20), (12, 2, NULL);"
    "INSERT INTO log VALUES ('opened'), ('opened')";
static const char change[] = "UPDATE orders SET total = 1 WHERE id < 12;"
                             "DELETE FROM orders WHERE id = 12;"
                             "INSERT INTO customers VALUES (4, 'Dan');"
                             "INSERT INTO log VALUES ('changed')";
static const char others[] = "UPDATE orders SET total = 2 WHERE id = 11;"
                             "INSERT INTO orders VALUES (13, 4, 3)";

static char catalog_url[640], shop_url[640], repository[640];
const bo_database shop_database = {.name = "shop", .url = shop_url};

static struct kept {
    const char *name;
    bo_buf content;
} kept[] = {
    {.name = "catalog.db"}, {.name = "shop.db"}, {.name = SHOP_SNAPSHOT}, {.name = SHOP_CHANGE}};
enum { KEPT = sizeof kept / sizeof *kept };

/* ---- making ---- */

static void must(bo_status st, const bo_error *err)
{
    fuzz_must(st == BO_OK, err->text);
}

static void run_sql(const char *sql)
{
    sqlite3 *db = shop_sqlite("shop.db");
    fuzz_must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

static void make_point(bo_method method)
{
    bo_error err = {0};
    bo_point_list *made = NULL;
    bo_session *session = shop_session();
    const bo_point_options options = {.method = method,
        .migration = "fuzz",
        .entities = &(bo_entity){"campaign", "7"},
        .entity_count = 1,
        .scope = (bo_scope_item[]){{"customers", NULL}, {"orders", NULL}, {"log", NULL}},
        .scope_count = method == BO_METHOD_CAPTURE ? 2 : 3};
    fuzz_must(session != NULL, "a session");
    must(bo_point_create(session, &shop_database, &options, &made, &err), &err);
    fuzz_must(strcmp(bo_point_list_get(made, 0)->id, SHOP_POINT) == 0, "the point's id");
    bo_point_list_free(BO_TAKE(made));
    run_sql(change);
    must(bo_point_seal(session, &shop_database, SHOP_POINT, &made, &err), &err);
    bo_point_list_free(made);
    bo_session_free(session);
    run_sql(others);
}

static void make(bo_method method)
{
    bo_error err = {0};
    (void)snprintf(catalog_url, sizeof catalog_url, "sqlite:%s", fuzz_path("catalog.db"));
    (void)snprintf(shop_url, sizeof shop_url, "sqlite:%s", fuzz_path("shop.db"));
    (void)snprintf(repository, sizeof repository, "%s", fuzz_path("repository"));
    bo_clock_pin(INT64_C(1795132800000000)); /* 2026-11-20: the ids are the same everywhere */
    run_sql(tables);
    make_point(method);
    bo_clock_pin(0);
    for (size_t i = 0; i < KEPT; i++) {
        bo_status st = bo_file_slurp(fuzz_path(kept[i].name), 1u << 20, &kept[i].content, &err);
        fuzz_must(st == BO_OK || st == BO_NOTFOUND, err.text);
    }
}

const bo_buf *shop_file(const char *name)
{
    size_t i = 0;
    while (strcmp(kept[i].name, name) != 0)
        i++;
    return &kept[i].content;
}

/* ---- putting back ---- */

static int remove_file(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    return where->level > 1 || (where->level == 1 && kind != FTW_DP) ? remove(path) : 0;
}

void shop_put_back(bo_method method)
{
    if (kept[0].content.size == 0)
        make(method);
    (void)nftw(fuzz_folder(), remove_file, 16, FTW_DEPTH | FTW_PHYS);
    for (size_t i = 0; i < KEPT; i++) {
        if (kept[i].content.size > 0)
            fuzz_write(kept[i].name, kept[i].content.data, kept[i].content.size);
    }
}

bo_session *shop_session(void)
{
    bo_session *session = NULL;
    const bo_settings settings = {
        .catalog_url = catalog_url, .repository = repository, .actor = "fuzzer"};
    return bo_session_open(&settings, &session, NULL) == BO_OK ? session : NULL;
}

sqlite3 *shop_sqlite(const char *name)
{
    sqlite3 *db = NULL;
    fuzz_must(sqlite3_open(fuzz_path(name), &db) == SQLITE_OK, "a database");
    return db;
}

/* ---- looking ---- */

static int add_row(void *out, int count, char **values, char **names)
{
    (void)names;
    for (int i = 0; i < count; i++) {
        bo_buf_add_str(out, values[i] ? values[i] : "NULL");
        bo_buf_add_byte(out, '|');
    }
    bo_buf_add_byte(out, '\n');
    return 0;
}

void shop_rows(bo_buf *out)
{
    static const char *const names[] = {"customers", "orders", "log"};
    sqlite3 *db = shop_sqlite("shop.db");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char sql[96];
        (void)snprintf(
            sql, sizeof sql, "SELECT '%s', rowid, * FROM %s ORDER BY rowid", names[i], names[i]);
        (void)sqlite3_exec(db, sql, add_row, out, NULL);
    }
    (void)sqlite3_close(db);
}
