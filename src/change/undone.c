/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/undone.c - tables without key whose change is undone already.
 *
 * A row with a key tells by itself whether the change is still there; one of several equal rows
 * does not, and undoing the change twice would put them back twice.  What tells is the undo point
 * of the rollback that did it, as long as that was not rolled back itself.
 */
#include <jansson.h>
#include <string.h>

#include "change/undo.h"

static bool changed_in(const json_t *table)
{
    return json_integer_value(json_object_get(table, "inserted")) > 0 ||
           json_integer_value(json_object_get(table, "updated")) > 0 ||
           json_integer_value(json_object_get(table, "deleted")) > 0;
}

/* A restore keeps whole tables and counts nothing. */
static bool was_undone(const bo_point_record *undo_point, const json_t *details, const char *name)
{
    size_t i;
    const json_t *table;
    json_array_foreach(json_object_get(details, "tables"), i, table)
    {
        const char *its_name = json_string_value(json_object_get(table, "name"));
        if (its_name && strcmp(its_name, name) == 0)
            return changed_in(table) || (undo_point->file && undo_point->file[0]);
    }
    return false;
}

static bo_status leave_out(
    bo_undo *undo, bo_part *part, const bo_point_record *points, size_t count, bo_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const bo_point_record *point = &points[i];
        if (!point->parent || strcmp(point->parent, undo->record.id) != 0 ||
            strcmp(point->server, undo->record.server) != 0 || point->status != BO_POINT_SEALED)
            continue;
        BO_OWN(json_ref) *details = json_loads(point->details, 0, NULL);
        if (!details)
            return bo_fail(err, BO_CORRUPT,
                "whether table '%s' was rolled back already is not known\n"
                "the catalog's record of '%s' cannot be read",
                part->was->name, point->id);
        if (!was_undone(point, details, part->was->name))
            continue;
        part->left_out = true;
        bo_buf_printf(&undo->notes,
            "table '%s' has no key and is left alone: its change was undone already, see '%s'\n",
            part->was->name, point->id);
        return BO_OK;
    }
    return BO_OK;
}

bo_status bo_undo_leave_out_undone(bo_undo *undo, bo_content *content, bo_error *err)
{
    const bo_point_filter everything = {.with_undo = true};
    bo_point_record *points = NULL;
    size_t count = 0;
    bool known = false;
    for (uint32_t i = 0; !undo->full && i < content->part_count; i++) {
        bo_part *part = &content->parts[i];
        if (part->left_out || part->was->row_key)
            continue;
        bo_status st = known ? BO_OK
                             : bo_catalog_points(undo->session->catalog, &everything, undo->arena,
                                   &points, &count, err);
        known = true;
        if (st == BO_OK)
            st = leave_out(undo, part, points, count, err);
        if (st != BO_OK)
            return st;
    }
    return bo_buf_check(&undo->notes, err);
}
