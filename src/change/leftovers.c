/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/leftovers.c - spooled diffs and temporary files of processes that died. */
#include "change/leftovers.h"

#include <string.h>

#include "change/stored.h"

static bo_status list_spool(void *ctx, const char *name, bo_error *err)
{
    return bo_stored_is_intent(name) ? bo_texts_add(ctx, name, strlen(name), err) : BO_OK;
}

static bo_status remove_spool(bo_session *session, const char *name, bo_error *err)
{
    bo_error failed = {0};
    bo_status st = bo_repository_remove(session->repository, name, &failed);
    if (st != BO_OK && st != BO_NOTFOUND && err)
        *err = failed;
    return st == BO_NOTFOUND ? BO_OK : st;
}

/* Listed before anybody is asked: the spool of a rollback that begins after the answer is not in
 * the list. */
bo_status bo_leftovers_remove(bo_session *session, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    bool in_use = false;
    uint64_t removed = 0;
    bo_texts spools = {.arena = arena};
    bo_status st = bo_repository_list(session->repository, list_spool, &spools, err);
    if (st == BO_OK && spools.count)
        st = bo_stored_in_use(session, &in_use, err);
    for (size_t i = 0; st == BO_OK && !in_use && i < spools.count; i++)
        st = remove_spool(session, spools.items[i], err);
    return st == BO_OK ? bo_repository_sweep(session->repository, &removed, err) : st;
}
