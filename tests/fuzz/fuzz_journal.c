/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/fuzz_journal.c - a captured database whose journals and registry hold any rows: what
 * is asked is answered or refused, and a rollback does what it proves or nothing.
 */
#include <string.h>

#include "fuzz.h"
#include "records.h"
#include "shop.h"

static const record_table tables[] = {{'c', "backout_journal_1"}, {'o', "backout_journal_2"},
    {'g', "backout_capture"}, {'C', "customers"}, {'O', "orders"}, {0, NULL}};

static void roll_back(bo_session *session, bo_rollback_type type)
{
    bo_error err = {0};
    bo_rollback *done = NULL;
    BO_OWN_VALUE(bo_buf) before = {0};
    BO_OWN_VALUE(bo_buf) after = {0};
    const bo_rollback_options options = {.type = type, .on_conflict = BO_ON_CONFLICT_SKIP};
    shop_rows(&before);
    bo_status st = bo_rollback_execute(session, &shop_database, SHOP_POINT, &options, &done, &err);
    shop_rows(&after);
    bool same = before.size == after.size && memcmp(before.data, after.data, before.size) == 0;
    bool proved = done && strcmp(done->proof, "match") == 0;
    fuzz_must(same || ((st == BO_OK || st == BO_MISMATCH) && proved), "what was done was proved");
    bo_rollback_free(done);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    shop_put_back(BO_METHOD_CAPTURE);
    sqlite3 *db = shop_sqlite("shop.db");
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    records_put(db, tables, data, size);
    (void)sqlite3_close(db);
    bo_session *session = shop_session();
    fuzz_must(session != NULL, "a session");
    shop_look(session, SHOP_PLANS);
    roll_back(session, BO_ROLLBACK_PARTIAL);
    bo_session_free(session);
    return 0;
}
