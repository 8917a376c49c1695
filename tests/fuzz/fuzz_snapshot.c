/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/fuzz_snapshot.c - a snapshot of which nothing is known: it is read, shown, restored
 * into an empty database and then for good, from a file as `backout restore` does.
 */
#include <string.h>

#include "change/stored.h"
#include "content.h"
#include "fuzz.h"
#include "shop.h"

static void restore(bo_session *session, const char *path)
{
    bo_error err = {0};
    bo_rollback *done = NULL;
    bo_status st = bo_restore(session, &shop_database, path, NULL, 0, true, &done, &err);
    bo_rollback_free(BO_TAKE(done));
    if (st == BO_OK)
        st = bo_restore(session, &shop_database, path, NULL, 0, false, &done, &err);
    for (size_t i = 0; st == BO_OK && i < done->table_count; i++)
        fuzz_must(strcmp(done->tables[i].proof, "match") == 0, "what was restored was proved");
    bo_rollback_free(done);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BO_OWN_VALUE(bo_buf) file = {0};
    if (!content_read(data, size, &file))
        return 0;
    char path[1024];
    shop_put_back(BO_METHOD_SNAPSHOT);
    fuzz_write("input", file.data, file.size);
    strcpy(path, fuzz_path("input"));
    bo_session *session = shop_session();
    fuzz_must(session != NULL, "a session");
    bo_content *content = NULL;
    if (bo_content_open_file(session, path, &content, NULL) == BO_OK) {
        content_show(session, content);
        if (bo_pack_get_kind(content->pack) == BO_PACK_SNAPSHOT)
            (void)bo_stored_test_restore(session, &bo_driver_sqlite, NULL, content, NULL);
        restore(session, path);
    }
    bo_content_free(content);
    bo_session_free(session);
    return 0;
}
