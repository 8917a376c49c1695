/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/ahead.c - making missing tables before the transaction that fills them. */
#include "change/ahead.h"

#include "change/content.h"
#include "change/road.h"

bool bo_ahead_not_needed(const bo_undo *undo)
{
    return undo->target->conn->driver->caps & BO_CAP_TRANSACTIONAL_DDL;
}

bool bo_ahead_made(const bo_undo *undo, uint32_t table)
{
    return undo->ahead && undo->ahead[table];
}

json_t *bo_ahead_names(const bo_undo *undo)
{
    json_t *names = undo->ahead ? json_array() : NULL;
    for (uint32_t i = 0; names && i < undo->intent->part_count; i++)
        if (undo->ahead[i])
            json_array_append_new(names, json_string(undo->intent->parts[i].was->name));
    return names;
}

bo_status bo_ahead_make(bo_undo *undo, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    uint32_t count = undo->intent->part_count;
    bool any = false;
    if (bo_ahead_not_needed(undo))
        return BO_OK;
    undo->ahead = bo_arena_array(undo->arena, (size_t)count + 1, sizeof *undo->ahead);
    if (!undo->ahead)
        return bo_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        undo->ahead[i] = !undo->intent->parts[i].left_out && !undo->intent->parts[i].now;
        any = any || undo->ahead[i];
    }
    bo_status st = any ? bo_undo_step(undo, "planning", NULL, err) : BO_OK;
    for (uint32_t i = 0; i < count; i++) {
        bo_part *part = &undo->intent->parts[i];
        if (!undo->ahead[i])
            continue;
        bool tried = st == BO_OK;
        if (tried)
            st = conn->driver->create(conn, part->was, err);
        if (tried && st != BO_OK)
            st = bo_wrap(err, st, "cannot make table '%s'", part->was->name);
        undo->ahead[i] = part->fresh = st == BO_OK;
    }
    return st;
}

void bo_ahead_finish(bo_undo *undo)
{
    bo_conn *conn = undo->target->conn;
    for (uint32_t i = 0; undo->ahead && i < undo->intent->part_count; i++) {
        const bo_table *was = undo->intent->parts[i].was;
        bo_error error = {0};
        if (undo->ahead[i] && conn->driver->create_after(conn, was, &error) != BO_OK)
            bo_session_warn(undo->session,
                "the rows of table %s are back, but not all that belongs to it: %s", was->name,
                error.text);
    }
}

void bo_ahead_drop(bo_undo *undo)
{
    bo_conn *conn = undo->target->conn;
    for (uint32_t i = 0; undo->ahead && i < undo->intent->part_count; i++) {
        const bo_table *was = undo->intent->parts[i].was;
        bo_error error = {0};
        if (!undo->ahead[i])
            continue;
        bo_status st = conn ? conn->driver->drop_made(conn, was, &error)
                            : bo_fail(&error, BO_DATABASE, "the link to the database broke");
        if (st != BO_OK)
            bo_session_warn(undo->session,
                "table %s was made for the restore and is still there: %s", was->name, error.text);
    }
}

/* ---- a run that died ---- */

/* It has no more than what was made of it before its rows: it is nobody's yet. */
static bool is_bare(const bo_part *part, bo_arena *arena)
{
    bo_table_change *changes = NULL;
    uint16_t count = 0;
    bo_error ignored = {0};
    bool bare = bo_table_compare(part->was, part->now, arena, &changes, &count, &ignored) == BO_OK;
    for (uint16_t i = 0; bare && i < count; i++)
        bare = (changes[i].what == 'f' || changes[i].what == 'g') && !changes[i].now;
    return bare;
}

static bo_status recover_part(
    bo_conn *conn, const bo_part *part, bo_arena *arena, bool committed, bo_error *err)
{
    if (!part->now)
        return BO_OK;
    if (!committed)
        return is_bare(part, arena) ? conn->driver->drop_made(conn, part->was, err) : BO_OK;
    if (part->now->trigger_count > 0 && part->now->trigger_count < part->was->trigger_count)
        return bo_fail(err, BO_CONFLICT, "it has not all of its triggers");
    return part->now->trigger_count == 0 ? conn->driver->create_after(conn, part->was, err) : BO_OK;
}

void bo_ahead_recover(bo_session *session, bo_conn *conn, const bo_point_record *point,
    const json_t *names, bool committed)
{
    BO_OWN(bo_content) *content = NULL;
    bo_error error = {0};
    if (json_array_size(names) == 0)
        return;
    bo_status st = point->kind ? bo_content_open_of(session, point, false, &content, &error)
                               : bo_content_open_file(session, point->id, &content, &error);
    if (st == BO_OK)
        st = bo_content_describe(content, conn, &error);
    for (size_t i = 0; st == BO_OK && i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        int part = name ? bo_content_find(content, name) : -1;
        bo_error why = {0};
        if (part >= 0 &&
            recover_part(conn, &content->parts[part], content->arena, committed, &why) != BO_OK)
            bo_session_warn(session,
                committed ? "the rows of table %s are back, but not all that belongs to it: %s"
                          : "table %s was made for the restore and is still there: %s",
                name, why.text);
    }
    if (st != BO_OK)
        bo_session_warn(session,
            "tables that were made for a restore may be there still, or not be whole: %s",
            error.text);
}
