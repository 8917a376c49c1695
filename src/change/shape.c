/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/shape.c - DDL between a point and now is found by name and type, and said. */
#include "change/shape.h"

#include <string.h>

/* What happened, with the name in the middle: before and after it. */
static const char *const texts[][2] = {
    ['+'] = {"column '", "' was added"},
    ['-'] = {"column '", "' was dropped"},
    ['t'] = {"the type of column '", "' changed"},
    ['k'] = {"key '", "' changed"},
    ['f'] = {"foreign key '", "' changed"},
    ['g'] = {"trigger '", "' changed"},
    ['c'] = {"check '", "' changed"},
    ['i'] = {"index '", "' changed"},
    ['n'] = {"NOT NULL of column '", "' changed"},
    ['d'] = {"the default or generation of column '", "' changed"},
};

static void note_change(bo_buf *notes, const bo_part *part, const bo_table_change *change)
{
    const char *const *text = texts[(unsigned char)change->what];
    bool thing = change->what != '+' && change->what != '-';
    bo_buf_printf(notes, "%s: %s%s", part->was->name, text[0], change->name);
    if (change->what == '+' || (thing && !change->was && change->now))
        bo_buf_add_str(notes, "' was added since the point, and stays");
    else if (thing && change->was && !change->now)
        bo_buf_printf(notes, "' is gone since the point, and is %s",
            change->what == 'f' ? "made again only with the table that it refers to"
                                : "not made again");
    else
        bo_buf_printf(notes, "%s since the point", text[1]);
    if (change->was && change->now)
        bo_buf_printf(notes, " (from %s to %s)", change->was, change->now);
    bo_buf_add_str(notes, "\n");
}

/* Rows of a partition that is gone fit only if another one takes them; one that came brought rows.
 */
static void note_partitions(bo_buf *notes, const bo_part *part)
{
    for (uint16_t i = 0; i < part->was->partition_count; i++)
        if (!bo_table_has_partition(part->now, part->was->partitions[i]))
            bo_buf_printf(notes,
                "%s: partition '%s' is gone since the point; make it again before its rows come "
                "back\n",
                part->was->name, part->was->partitions[i]);
    for (uint16_t i = 0; part->now->kind == 'p' && i < part->now->partition_count; i++)
        if (!bo_table_has_partition(part->was, part->now->partitions[i]))
            bo_buf_printf(notes,
                "%s: partition '%s' came since the point; detach it before, where rows that it "
                "brought are to stay in it\n",
                part->was->name, part->now->partitions[i]);
}

bo_status bo_shape_refuse_twice(const bo_content *content, bo_error *err)
{
    for (uint32_t i = 0; i < content->part_count; i++) {
        const bo_part *whole = &content->parts[i];
        for (uint32_t k = 0; k < content->part_count && whole->now && !whole->left_out; k++) {
            const bo_part *part = &content->parts[k];
            if (part->left_out || !part->now || !bo_table_is_inside(part->now, whole->now))
                continue;
            if (bo_table_is_inside(part->was, whole->was))
                return bo_fail(err, BO_REFUSED,
                    "table '%s' is a partition of '%s', and its rows would be put back twice\n"
                    "leave one of both out: --tables",
                    part->was->name, whole->was->name);
            return bo_fail(err, BO_REFUSED,
                "table '%s' is a partition of '%s' now, and was a table of its own at the point\n"
                "make it one again: ALTER TABLE %s DETACH PARTITION %s",
                part->was->name, whole->was->name, whole->was->name, part->was->name);
        }
    }
    return BO_OK;
}

/* What keeps the rows of the point out of the table as it is, a line each, and nothing else. */
static bo_status note_reasons(const bo_part *part, bo_arena *arena, bo_buf *reasons, bo_error *err)
{
    bo_table_change *changes = NULL;
    uint16_t count = 0;
    bo_status st = bo_table_compare(part->was, part->now, arena, &changes, &count, err);
    for (uint16_t i = 0; st == BO_OK && i < count; i++) {
        if (!changes[i].blocks)
            continue;
        if (changes[i].what == '+')
            bo_buf_printf(reasons,
                "%s: column '%s' was added since the point, and needs a value that the rows of the "
                "point do not have\n",
                part->was->name, changes[i].name);
        else
            note_change(reasons, part, &changes[i]);
    }
    return st == BO_OK ? bo_buf_check(reasons, err) : st;
}

bo_status bo_shape_refuse(const bo_part *part, bo_arena *arena, bo_error *err)
{
    if (!part->now)
        return bo_fail(err, BO_REFUSED,
            "table '%s' is not there, and only type full makes a table again", part->was->name);
    if (part->called)
        return bo_fail(err, BO_REFUSED,
            "table '%s' is not the one of the point\nthat one is called '%s' now, and another one "
            "has its name",
            part->was->name, part->called);
    BO_OWN_VALUE(bo_buf) reasons = {0};
    bo_status st = note_reasons(part, arena, &reasons, err);
    if (st != BO_OK)
        return st;
    return bo_fail(err, BO_REFUSED, "the rows of '%s' do not fit the table as it is now\n%.*s",
        part->was->name, (int)(reasons.size - 1), bo_buf_str(&reasons));
}

bo_status bo_shape_of(
    const bo_part *part, bo_arena *arena, bo_shape *out, bo_buf *notes, bo_error *err)
{
    if (!part->now) {
        bo_buf_printf(notes, "%s: the table is not there\n", part->was->name);
        *out = BO_SHAPE_DROPPED;
        return bo_buf_check(notes, err);
    }
    if (part->called) {
        bo_buf_printf(notes,
            "%s: the table of the point is called '%s' now, and another one has its name\n",
            part->was->name, part->called);
        *out = BO_SHAPE_BLOCKED;
        return bo_buf_check(notes, err);
    }
    bo_table_change *changes = NULL;
    uint16_t count = 0;
    bo_status st = bo_table_compare(part->was, part->now, arena, &changes, &count, err);
    if (st != BO_OK)
        return st;
    bo_shape shape = BO_SHAPE_SAME;
    for (uint16_t i = 0; i < count; i++) {
        note_change(notes, part, &changes[i]);
        if (changes[i].blocks && changes[i].what != '-')
            shape = BO_SHAPE_BLOCKED;
        else if (changes[i].blocks && shape == BO_SHAPE_SAME)
            shape = BO_SHAPE_COLUMNS;
    }
    note_partitions(notes, part);
    *out = shape;
    return bo_buf_check(notes, err);
}

bo_status bo_shape_restore_columns(bo_conn *conn, bo_part *part, bo_arena *arena, bo_error *err)
{
    bool *made = bo_arena_array(arena, (size_t)part->was->column_count + 1, sizeof *made);
    if (!made)
        return bo_nomem(err);
    for (uint16_t i = 0; i < part->was->column_count; i++) {
        const bo_column *column = &part->was->columns[i];
        if (bo_table_column(part->now, column->name) >= 0)
            continue;
        bo_status st = conn->driver->add_column(conn, part->now, column, err);
        if (st != BO_OK)
            return bo_wrap(
                err, st, "cannot make column '%s' of '%s' again", column->name, part->was->name);
        made[i] = true;
    }
    part->made_again = made;
    return conn->driver->describe(conn, part->was->name, arena, &part->now, err);
}

static bo_status finish_columns(bo_conn *conn, const bo_part *part, bo_error *err)
{
    for (uint16_t i = 0; part->made_again && i < part->was->column_count; i++) {
        const bo_column *column = &part->was->columns[i];
        bo_status st = part->made_again[i]
                           ? conn->driver->add_column_after(conn, part->now, column, err)
                           : BO_OK;
        if (st != BO_OK)
            return bo_wrap(
                err, st, "cannot make column '%s' of '%s' again", column->name, part->was->name);
    }
    return BO_OK;
}

static bo_status complete(bo_conn *conn, const bo_table *was, bool filled, bo_error *err)
{
    bo_status st = !filled && conn->driver->try_after ? conn->driver->try_after(conn, was, err)
                                                      : conn->driver->create_after(conn, was, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot make table '%s' again", was->name);
}

bo_status bo_shape_finish(bo_conn *conn, bo_part *part, bo_arena *arena, bo_error *err)
{
    if (!part->fresh)
        return finish_columns(conn, part, err);
    bo_status st = complete(conn, part->was, true, err);
    if (st == BO_OK)
        st = conn->driver->describe(conn, part->was->name, arena, &part->now, err);
    return st;
}

static bool is_gone(const bo_part *part)
{
    return !part->left_out && !part->now;
}

bo_status bo_shape_try(bo_conn *conn, const bo_content *content, bo_error *err)
{
    bo_status st = BO_OK;
    if (!(conn->driver->caps & BO_CAP_TRANSACTIONAL_DDL))
        return BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++) {
        const bo_table *was = content->parts[i].was;
        st = is_gone(&content->parts[i]) ? conn->driver->create(conn, was, err) : BO_OK;
        if (st != BO_OK)
            st = bo_wrap(err, st, "cannot make table '%s' again", was->name);
    }
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++)
        if (is_gone(&content->parts[i]))
            st = complete(conn, content->parts[i].was, false, err);
    return st;
}
