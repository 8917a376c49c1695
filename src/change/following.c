/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/following.c - a transaction that becomes a dependent, and what it used. */
#include "change/following.h"

#include <string.h>

bo_status bo_following_add(bo_following *f, const bo_transaction *writer,
    const bo_dependent_node *how, uint32_t *node_out, bo_error *err)
{
    bo_dependents *found = f->found;
    bo_arena *arena = f->undo->arena;
    bo_span name = {(const uint8_t *)writer->transaction, strlen(writer->transaction)};
    bo_mark *mark = bo_marks_put(&f->transactions, 0, name);
    if (!mark)
        return bo_nomem(err);
    if (mark->node) {
        bo_dependent_node *known = &found->nodes[mark->node];
        known->rows += known->parent == how->parent;
        *node_out = mark->node;
        return BO_OK;
    }
    bo_dependent_node *nodes =
        bo_arena_grow(arena, found->nodes, found->count, sizeof *found->nodes);
    const char **names =
        bo_arena_grow(arena, found->transactions, found->count - 1, sizeof *found->transactions);
    if (!nodes || !names)
        return bo_nomem(err);
    found->nodes = nodes;
    found->transactions = names;
    bo_dependent_node node = *how;
    node.transaction = bo_arena_str(arena, writer->transaction);
    node.user = bo_arena_str(arena, writer->user);
    node.application = bo_arena_str(arena, writer->application);
    node.run = bo_arena_str(arena, writer->run);
    node.operation = writer->operation;
    node.rows = 1;
    bo_status st = bo_span_keep(arena, how->key, &node.key, err);
    if (st == BO_OK && how->tie)
        st = bo_span_keep(arena, how->values, &node.values, err);
    if (st != BO_OK || !node.transaction || !node.user || !node.application || !node.run)
        return st == BO_OK ? bo_nomem(err) : st;
    mark->node = *node_out = (uint32_t)found->count;
    names[found->count - 1] = node.transaction;
    nodes[found->count++] = node;
    return BO_OK;
}

bo_status bo_following_use(
    bo_following *f, uint64_t low, uint64_t high, uint32_t node, bo_error *err)
{
    bo_mark *used = bo_marks_put_hash(&f->found->used, low, high);
    if (!used)
        return bo_nomem(err);
    used->node = node;
    return BO_OK;
}
