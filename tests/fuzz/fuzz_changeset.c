/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/fuzz_changeset.c - a changeset of which nothing is known: it is read, shown, and put
 * in the place of a sealed point's own, which is then assessed, exported and rolled back.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "content.h"
#include "fuzz.h"
#include "shop.h"

/** The point's change is in the file that the input is, as far as the catalog knows. */
static void take_place(const bo_buf *file)
{
    char sql[256];
    BO_OWN_VALUE(bo_buf) root = {0};
    bo_text_hex(&root, file->data + file->size - 8 - 32, 32); /* the trailer's, before its end */
    (void)snprintf(
        sql, sizeof sql, "UPDATE backout_point SET change_root = '%s'", bo_buf_str(&root));
    sqlite3 *db = shop_sqlite("catalog.db");
    fuzz_must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
    (void)sqlite3_close(db);
    fuzz_write(SHOP_CHANGE, file->data, file->size);
}

static void roll_back(bo_session *session)
{
    bo_rollback *done = NULL;
    bo_error err = {0};
    const bo_rollback_options options = {
        .type = BO_ROLLBACK_PARTIAL, .on_conflict = BO_ON_CONFLICT_SKIP};
    bo_status st = bo_rollback_execute(session, &shop_database, SHOP_POINT, &options, &done, &err);
    fuzz_must(st != BO_OK || strcmp(done->proof, "match") == 0, "what was done was proved");
    bo_rollback_free(done);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BO_OWN_VALUE(bo_buf) file = {0};
    if (!content_read(data, size, &file))
        return 0;
    shop_put_back(BO_METHOD_SNAPSHOT);
    take_place(&file);
    bo_session *session = shop_session();
    fuzz_must(session != NULL, "a session");
    bo_content *content = NULL;
    if (bo_content_open_file(session, fuzz_path(SHOP_CHANGE), &content, NULL) == BO_OK) {
        content_show(session, content);
        shop_look(session, SHOP_CHANGESET);
        roll_back(session);
    }
    bo_content_free(content);
    bo_session_free(session);
    return 0;
}
