/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/strays.c - files of the repository that no point names: what died left them, unless
 * somebody is at work. */
#include <string.h>

#include "base/step.h"
#include "change/check.h"

static const bo_point_record *point_of(const bo_checking *checking, const char *name)
{
    size_t size = bo_stored_id_size(name);
    for (size_t i = 0; size && i < checking->point_count; i++)
        if (strncmp(checking->points[i].id, name, size) == 0 && !checking->points[i].id[size])
            return &checking->points[i];
    return NULL;
}

static bo_status add_stray(
    bo_checking *checking, const char *name, const char *problem, bo_error *err)
{
    bo_check_item item = {.point = "", .file = name, .result = "inconclusive", .problem = problem};
    bo_error ignored = {0};
    if (bo_repository_size(checking->session->repository, name, &item.bytes, &ignored) != BO_OK)
        return BO_OK; /* removed meanwhile */
    return bo_check_add(checking, &item, err);
}

static bool is_named(const char *recorded, const char *name)
{
    return recorded && strcmp(recorded, name) == 0;
}

static bool is_lost_change(const char *name)
{
    size_t size = strlen(name), end = strlen(".lost.change");
    return size > end && strcmp(name + size - end, ".lost.change") == 0;
}

/* What a point names, or what its rollback discarded. */
static bool is_own(const bo_point_record *point, const char *name)
{
    return bo_point_is_whole(point) &&
           (is_named(point->file, name) || is_named(point->change_file, name) ||
               is_lost_change(name) || strstr(name, ".lost.jsonl"));
}

/* It looks like a remnant, and is one unless its point is being taken, sealed, pruned or made by a
 * rollback, or just was. */
static bo_status look_again(bo_checking *checking, const char *name, bo_error *err)
{
    bo_point_record now;
    bool known = false;
    const char *id = bo_arena_strn(checking->arena, name, bo_stored_id_size(name));
    if (!id)
        return bo_nomem(err);
    if (bo_check_at_work(checking, id))
        return BO_OK;
    bo_step("check.nobody-at-work");
    bo_status st =
        bo_catalog_point_get(checking->session->catalog, id, checking->arena, &now, &known, err);
    if (st == BO_OK && !known)
        return add_stray(checking, name, "it belongs to no point", err);
    if (st != BO_OK || is_own(&now, name))
        return st;
    if (now.status == BO_POINT_PRUNED)
        return add_stray(checking, name,
            "its point was pruned, and prune did not come to its end; prune removes it", err);
    return bo_point_is_whole(&now)
               ? add_stray(checking, name, "its point does not name it: a seal died", err)
               : BO_OK;
}

struct looking {
    bo_checking *checking;
    bool asked;  /* once, when all files are listed */
    bool in_use; /* somebody may be at work with a spooled diff */
};

static bo_status ask(struct looking *looking, bo_error *err)
{
    if (looking->asked)
        return BO_OK;
    looking->asked = true;
    bo_status st = bo_check_ask_live(looking->checking, err);
    return st == BO_OK ? bo_stored_in_use(looking->checking->session, &looking->in_use, err) : st;
}

static bo_status look_at(void *ctx, const char *name, bo_error *err)
{
    struct looking *looking = ctx;
    bo_checking *checking = looking->checking;
    bo_status st = ask(looking, err);
    if (st != BO_OK)
        return st;
    if (bo_stored_is_intent(name))
        return looking->in_use ? BO_OK
                               : add_stray(checking, name,
                                     "a process that died left it; prune removes it", err);
    const bo_point_record *point = point_of(checking, name);
    if (!point || !is_own(point, name))
        return look_again(checking, name, err);
    char root[65];
    bo_stored_lost_root(point, root);
    if (!is_lost_change(name) || root[0]) /* with a root it is one of the point's own files */
        return BO_OK;
    const bo_checked_file lost = {point, name, NULL, NULL, BO_PACK_CHANGESET};
    return bo_check_file(checking, &lost, err);
}

bo_status bo_check_strays(bo_checking *checking, bo_error *err)
{
    struct looking looking = {.checking = checking};
    return bo_repository_list(checking->session->repository, look_at, &looking, err);
}
