/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/check.c - whether what is stored is what was written: every file the catalog names,
 * and those that it does not. */
#include "change/check.h"

#include <stdio.h>
#include <string.h>

#include "base/step.h"
#include "change/result.h"
#include "change/take.h"

BO_DEFINE_SCOPE(bo_check);

void bo_check_free(bo_check *check)
{
    bo_result_free(check);
}

/* ---- points ---- */

static bo_status check_files(bo_checking *checking, const bo_point_record *point, bo_error *err)
{
    bo_status st = BO_OK;
    if (point->file && point->file[0]) {
        const bo_checked_file snapshot = {
            point, point->file, point->root, point->details, BO_PACK_SNAPSHOT};
        st = bo_check_file(checking, &snapshot, err);
    }
    if (st == BO_OK && point->change_file && point->change_file[0]) {
        const bo_checked_file change = {
            point, point->change_file, point->change_root, point->details, BO_PACK_CHANGESET};
        st = bo_check_file(checking, &change, err);
    }
    char name[BO_ID_SIZE + 32], root[65];
    bo_stored_lost_root(point, root);
    if (st == BO_OK && root[0]) {
        (void)snprintf(name, sizeof name, "%s.lost.change", point->id);
        const bo_checked_file lost = {point, name, root, NULL, BO_PACK_CHANGESET};
        st = bo_check_file(checking, &lost, err);
    }
    return st;
}

/* A point that is being taken is nobody's business, unless the one who took it is dead.  It may be
 * whole by now. */
static bo_status check_unfinished(
    bo_checking *checking, const bo_point_record *point, bo_error *err)
{
    bo_point_record now;
    if (bo_check_at_work(checking, point->id))
        return BO_OK;
    bo_status st =
        bo_catalog_point_find(checking->session->catalog, point->id, checking->arena, &now, err);
    if (st != BO_OK)
        return st;
    if (now.status == BO_POINT_CREATING && strcmp(now.kind, "undo") != 0)
        bo_session_warn(checking->session,
            "'%s' cannot be used: backout died while it was taken; prune removes it", now.id);
    return bo_point_is_whole(&now) ? check_files(checking, &now, err) : BO_OK;
}

static bo_status check_point(bo_checking *checking, const bo_point_record *point, bo_error *err)
{
    if (point->status == BO_POINT_CREATING)
        return check_unfinished(checking, point, err);
    return bo_point_is_whole(point) ? check_files(checking, point, err) : BO_OK;
}

/* ---- the whole ---- */

/* Before the long work: what a test restore will need is there. */
static bo_status check_database(
    const bo_checking *checking, const bo_point_record *point, bo_error *err)
{
    const bo_driver *driver = NULL;
    if (!checking->test_restore || checking->database || !bo_point_is_whole(point) ||
        !point->file || !point->file[0])
        return BO_OK;
    bo_status st = bo_driver_find(point->url, &driver, err);
    if (st == BO_OK && !(driver->caps & BO_CAP_FILES))
        return bo_fail(err, BO_INVALID,
            "a test restore of '%s' needs a database to make temporary tables in (--db)",
            point->id);
    return st;
}

static bo_status load_points(bo_checking *checking, const char *id, bo_error *err)
{
    if (!id) {
        const bo_point_filter all = {.with_undo = true};
        return bo_catalog_points(checking->session->catalog, &all, checking->arena,
            &checking->points, &checking->point_count, err);
    }
    checking->points = bo_arena_array(checking->arena, 1, sizeof *checking->points);
    if (!checking->points)
        return bo_nomem(err);
    checking->point_count = 1;
    bo_status st = bo_catalog_point_find(
        checking->session->catalog, id, checking->arena, checking->points, err);
    if (st == BO_OK && !bo_point_is_whole(checking->points))
        return bo_fail(err, BO_REFUSED, "'%s' is %s: there is nothing to check", id,
            bo_point_status_name(checking->points->status));
    return st;
}

static bo_status check_all(bo_checking *checking, bo_error *err)
{
    bo_step("check.points-listed");
    bo_status st = bo_check_ask_live(checking, err);
    for (size_t i = checking->point_count; st == BO_OK && i-- > 0;) /* oldest first */
        st = check_point(checking, &checking->points[i], err);
    bo_step("check.points-read");
    return st == BO_OK ? bo_check_strays(checking, err) : st;
}

static const char *worst(const bo_checking *checking)
{
    const char *result = "match";
    for (size_t i = 0; i < checking->count; i++) {
        if (strcmp(checking->items[i].result, "mismatch") == 0)
            return "mismatch";
        if (strcmp(checking->items[i].result, "inconclusive") == 0)
            result = "inconclusive";
    }
    return result;
}

static bo_status check(bo_checking *checking, const char *id, bo_error *err)
{
    bo_status st = load_points(checking, id, err);
    for (size_t i = 0; st == BO_OK && i < checking->point_count; i++)
        st = check_database(checking, &checking->points[i], err);
    if (st != BO_OK)
        return st;
    return id ? check_point(checking, checking->points, err) : check_all(checking, err);
}

bo_status bo_check_stored(bo_session *session, const bo_database *database, const char *id,
    bool test_restore, bo_check **out, bo_error *err)
{
    bo_arena *arena = NULL;
    BO_OWN(bo_check) *result = bo_result_create(sizeof *result, &arena);
    if (!result)
        return bo_nomem(err);
    bo_checking checking = {.session = session,
        .database = database,
        .test_restore = test_restore,
        .all = !id,
        .arena = arena};
    bo_status st = check(&checking, id, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot check what is stored");
    *result = (bo_check){
        .result = worst(&checking), .item_count = checking.count, .items = checking.items};
    if (strcmp(result->result, "mismatch") == 0)
        st = bo_fail(err, BO_MISMATCH, "some of what is stored is not what was written");
    *out = BO_TAKE(result);
    return st;
}
