/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/tree.c - the dependents of a change as people see them: a tree, with the rows by which
 * they depend. */
#include <string.h>

#include "change/dependents.h"
#include "change/shown.h"

const char *bo_dependent_name(const bo_dependent_node *node, bo_arena *arena)
{
    if (!node->user[0])
        return "";
    if (!node->application[0])
        return bo_arena_printf(arena, "transaction %s of user %s", node->transaction, node->user);
    return bo_arena_printf(
        arena, "transaction %s of user %s (%s)", node->transaction, node->user, node->application);
}

/* ---- the order of a tree ---- */

/* The positions of the nodes in that order, the change itself not among them: every child after
 * its parent, and before what comes after its parent. */
static const uint32_t *tree_order(const bo_dependents *found, bo_arena *arena)
{
    uint32_t *order = bo_arena_array(arena, found->count, sizeof *order);
    uint32_t *child = bo_arena_array(arena, found->count, sizeof *child);
    uint32_t *next = bo_arena_array(arena, found->count, sizeof *next);
    if (!order || !child || !next)
        return NULL;
    for (size_t i = found->count - 1; i > 0; i--) {
        uint32_t parent = found->nodes[i].parent;
        next[i] = child[parent];
        child[parent] = (uint32_t)i;
    }
    size_t count = 0;
    for (uint32_t at = child[0]; at; at = next[at]) {
        order[count++] = at;
        while (child[at]) {
            at = child[at];
            order[count++] = at;
        }
        while (!next[at] && found->nodes[at].parent)
            at = found->nodes[at].parent;
    }
    return order;
}

/* ---- text of keys and values ---- */

struct texts {
    bo_arena *arena;
    const bo_table *shape;
    const bo_span *images; /* of the nodes, data NULL: not in this shape */
    const char **out;
    size_t count, given, taken;
};

static bo_status next_image(void *ctx, bo_image *row_out, bool *end_out, bo_error *err)
{
    (void)err;
    struct texts *texts = ctx;
    while (texts->given < texts->count && !texts->images[texts->given].data)
        texts->given++;
    *end_out = texts->given == texts->count;
    if (!*end_out)
        *row_out = texts->images[texts->given++];
    return BO_OK;
}

static bo_status take_text(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    struct texts *texts = ctx;
    while (!texts->images[texts->taken].data)
        texts->taken++;
    const char *text = bo_key_text(texts->arena, texts->shape, count, values);
    texts->out[texts->taken++] = text;
    return text ? BO_OK : bo_nomem(err);
}

/* A table with no other columns in its images than these, and no key. */
static const bo_table *shape_of(
    const bo_table *table, const uint16_t *positions, uint16_t count, bo_arena *arena)
{
    bo_table *shape = bo_arena_alloc(arena, sizeof *shape);
    uint16_t *columns = bo_arena_array(arena, (size_t)count + 1, sizeof *columns);
    if (!shape || !columns)
        return NULL;
    for (uint16_t i = 0; i < count; i++)
        columns[i] = table->image_columns[positions[i]];
    *shape = *table;
    shape->image_count = count;
    shape->image_columns = columns;
    shape->row_hint = false;
    shape->row_key = NULL;
    return shape;
}

struct telling {
    bo_undo *undo;
    bo_arena *arena;
    const uint32_t *order;
    size_t count;
    const char **keys, **values; /* text of the row and of the tie, by place in `order` */
    bo_span *images;             /* for one question */
};

static const bo_dependent_node *node_at(const struct telling *telling, size_t i)
{
    return &telling->undo->dependents->nodes[telling->order[i]];
}

static const bo_part *part_of(const struct telling *telling, uint32_t table)
{
    return &bo_undo_base(telling->undo)->parts[table];
}

static bo_status ask(
    struct telling *telling, const bo_table *shape, const char **out, bo_error *err)
{
    bo_conn *conn = telling->undo->target->conn;
    struct texts texts = {.arena = telling->arena,
        .shape = shape,
        .images = telling->images,
        .out = out,
        .count = telling->count};
    if (!shape)
        return bo_nomem(err);
    return conn->driver->render(
        conn, shape, BO_RENDER_TEXT, next_image, &texts, take_text, &texts, err);
}

static bo_status tell_keys(struct telling *telling, uint32_t table, bo_error *err)
{
    bool any = false;
    for (size_t i = 0; i < telling->count; i++) {
        const bo_dependent_node *node = node_at(telling, i);
        telling->images[i] = node->table == table ? node->key : (bo_span){0};
        any = any || node->table == table;
    }
    if (!any)
        return BO_OK;
    uint16_t positions[BO_COLUMNS_MAX];
    const bo_table *now = bo_part_shape(part_of(telling, table));
    uint16_t count = bo_table_key_positions(now, positions);
    return ask(telling, shape_of(now, positions, count, telling->arena), telling->keys, err);
}

static bo_status tell_values(struct telling *telling, const bo_tie *tie, bo_error *err)
{
    for (size_t i = 0; i < telling->count; i++) {
        const bo_dependent_node *node = node_at(telling, i);
        telling->images[i] = node->tie == tie ? node->values : (bo_span){0};
    }
    const bo_table *now = bo_part_shape(part_of(telling, tie->to));
    return ask(
        telling, shape_of(now, tie->to_columns, tie->count, telling->arena), telling->values, err);
}

static bo_status tell_all(struct telling *telling, bo_error *err)
{
    const bo_content *content = bo_undo_base(telling->undo);
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < content->part_count; i++)
        st = tell_keys(telling, i, err);
    for (size_t i = 0; st == BO_OK && i < telling->count; i++) {
        const bo_dependent_node *node = node_at(telling, i);
        if (node->tie && node->tie->kind == BO_TIE_REFERS && !telling->values[i])
            st = tell_values(telling, node->tie, err);
    }
    return st;
}

/* ---- one sentence for each ---- */

static const char *word_of(char operation)
{
    switch (operation) {
    case 'I':
        return "inserted";
    case 'D':
        return "deleted";
    case 'T':
        return "truncated";
    default:
        return "changed";
    }
}

static const char *because(const struct telling *telling, size_t i)
{
    const bo_dependent_node *node = node_at(telling, i);
    const char *table = part_of(telling, node->table)->was->name;
    const char *key = telling->keys[i];
    BO_OWN_VALUE(bo_buf) text = {0};
    if (!node->tie) {
        bo_buf_printf(&text, "%s %s %s%s", word_of(node->operation), table, key,
            node->operation == 'I' ? " again" : "");
    } else if (node->tie->kind == BO_TIE_REFERS) {
        bo_buf_printf(&text, "refers to %s %s from %s %s",
            part_of(telling, node->tie->from)->was->name, telling->values[i], table, key);
    } else if (node->tie->kind == BO_TIE_NEEDED) {
        bo_buf_printf(&text, "%s %s %s, which %s referred to", word_of(node->operation), table, key,
            part_of(telling, node->tie->from)->was->name);
    } else {
        bo_buf_printf(
            &text, "took a value of the unique key '%s' for %s %s", node->tie->name, table, key);
    }
    if (node->rows > 1)
        bo_buf_printf(&text, ", and %llu more row%s", (unsigned long long)node->rows - 1,
            node->rows == 2 ? "" : "s");
    return text.failed ? NULL : bo_arena_str(telling->arena, bo_buf_str(&text));
}

static bo_status list_one(const struct telling *telling, size_t i, const uint32_t *place,
    bo_dependent *list, bo_error *err)
{
    const bo_dependent_node *node = node_at(telling, i);
    bo_arena *arena = telling->arena;
    bool top = node->parent == 0;
    bo_dependent *out = &list[i];
    *out = (bo_dependent){.parent = top ? SIZE_MAX : place[node->parent],
        .depth = top ? 0 : list[place[node->parent]].depth + 1,
        .transaction = bo_arena_str(arena, node->user[0] ? node->transaction : ""),
        .user = bo_arena_str(arena, node->user),
        .application = bo_arena_str(arena, node->application),
        .run = bo_arena_str(arena, node->run),
        .because = because(telling, i),
        .table = bo_arena_str(arena, part_of(telling, node->table)->was->name),
        .key = telling->keys[i],
        .rows = node->rows,
        .undone = telling->undo->transaction_count > 0};
    bool all =
        out->transaction && out->user && out->application && out->run && out->because && out->table;
    return all ? BO_OK : bo_nomem(err);
}

bo_status bo_undo_list_dependents(bo_undo *undo, bo_arena *arena, bo_rollback *out, bo_error *err)
{
    const bo_dependents *found = undo->dependents;
    if (!found || found->count == 1 || !undo->target->conn)
        return BO_OK;
    size_t count = found->count - 1 < BO_LISTED_MAX ? found->count - 1 : BO_LISTED_MAX;
    struct telling telling = {.undo = undo,
        .arena = arena,
        .order = tree_order(found, undo->arena),
        .count = count,
        .keys = bo_arena_array(arena, count, sizeof *telling.keys),
        .values = bo_arena_array(arena, count, sizeof *telling.values),
        .images = bo_arena_array(undo->arena, count, sizeof *telling.images)};
    uint32_t *place = bo_arena_array(undo->arena, found->count, sizeof *place);
    bo_dependent *list = bo_arena_array(arena, count, sizeof *list);
    if (!telling.order || !telling.keys || !telling.values || !telling.images || !place || !list)
        return bo_nomem(err);
    bo_status st = tell_all(&telling, err);
    for (size_t i = 0; st == BO_OK && i < count; i++) {
        place[telling.order[i]] = (uint32_t)i;
        st = list_one(&telling, i, place, list, err);
    }
    if (st != BO_OK)
        return st;
    out->dependents = list;
    out->dependent_listed = count;
    out->dependent_count = found->count - 1;
    return BO_OK;
}
