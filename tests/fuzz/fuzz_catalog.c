/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/fuzz_catalog.c - a catalog with any rows: what is asked is answered or refused, and an
 * audit log is called whole only if the chain is, computed here once more.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "records.h"
#include "shop.h"

static const record_table tables[] = {{'p', "backout_point"}, {'r', "backout_run"},
    {'a', "backout_audit"}, {'m', "backout_meta"}, {0, NULL}};

/* ---- the chain as docs/design/audit.md has it ---- */

enum { HASHED = 7, PREVIOUS = HASHED, HASH };

static void add_field(crypto_generichash_state *state, sqlite3_stmt *row, int at)
{
    uint8_t size[4];
    const unsigned char *text = sqlite3_column_text(row, at);
    bo_put_u32(size, (uint32_t)sqlite3_column_bytes(row, at));
    (void)crypto_generichash_update(state, size, sizeof size);
    (void)crypto_generichash_update(state, text, (unsigned long long)sqlite3_column_bytes(row, at));
}

static bool is_text(sqlite3_stmt *row, int at, const char *text)
{
    const void *data = sqlite3_column_text(row, at);
    size_t size = (size_t)sqlite3_column_bytes(row, at);
    return data && size == strlen(text) && memcmp(data, text, size) == 0;
}

/** Whether the row is number `count` and follows `hash`, which becomes its own. */
static bool is_next(sqlite3_stmt *row, unsigned count, char hash[65])
{
    char number[16];
    uint8_t bytes[32];
    crypto_generichash_state state;
    (void)snprintf(number, sizeof number, "%u", count);
    if (!is_text(row, 0, number) || !is_text(row, PREVIOUS, hash))
        return false;
    (void)sodium_hex2bin(bytes, sizeof bytes, hash, 64, NULL, NULL, NULL);
    (void)crypto_generichash_init(&state, NULL, 0, sizeof bytes);
    (void)crypto_generichash_update(&state, bytes, sizeof bytes);
    for (int i = 0; i < HASHED; i++)
        add_field(&state, row, i);
    (void)crypto_generichash_final(&state, bytes, sizeof bytes);
    (void)sodium_bin2hex(hash, 65, bytes, sizeof bytes);
    return is_text(row, HASH, hash);
}

static bool is_whole(sqlite3 *db)
{
    char hash[65] = "0000000000000000000000000000000000000000000000000000000000000000";
    char head[96];
    unsigned count = 0;
    bool whole = true;
    sqlite3_stmt *row = NULL;
    const char *sql = "SELECT sequence, time_us, event, actor, object, outcome, details, previous,"
                      " hash FROM backout_audit ORDER BY sequence";
    fuzz_must(sqlite3_prepare_v2(db, sql, -1, &row, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    while (whole && sqlite3_step(row) == SQLITE_ROW)
        whole = is_next(row, ++count, hash);
    (void)sqlite3_finalize(row);
    sql = "SELECT value FROM backout_meta WHERE key = 'audit_head'";
    fuzz_must(sqlite3_prepare_v2(db, sql, -1, &row, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    (void)snprintf(head, sizeof head, "%u %s", count, hash);
    whole = whole && sqlite3_step(row) == SQLITE_ROW && is_text(row, 0, head);
    (void)sqlite3_finalize(row);
    return whole;
}

/* ---- the target ---- */

static void check_chain(bo_session *session, bool whole)
{
    bo_audit_result result = {0};
    bo_error err = {0};
    bo_status st = bo_audit_check_chain(session, NULL, &result, &err);
    fuzz_must(st != BO_OK || (whole && result.whole), "only a whole chain is called whole");
    fuzz_must(st == BO_OK || !whole, "a whole chain is called whole");
    char path[1024];
    (void)snprintf(path, sizeof path, "%s", fuzz_path("audit.json"));
    if (bo_audit_save(session, path, true, &err) != BO_OK)
        return;
    st = bo_audit_check_chain(session, path, &result, &err);
    fuzz_must(st == BO_OK || !whole, "a whole log is whole when it was exported");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    shop_put_back(BO_METHOD_SNAPSHOT);
    sqlite3 *db = shop_sqlite("catalog.db");
    records_put(db, tables, data, size);
    bool whole = is_whole(db);
    (void)sqlite3_close(db);
    bo_session *session = shop_session();
    if (!session)
        return 0;
    check_chain(session, whole);
    shop_look(session, SHOP_ALL);
    bo_session_free(session);
    return 0;
}
