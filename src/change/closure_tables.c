/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/closure_tables.c - which tables foreign keys reach.
 *
 * A table can lose rows, and its columns can be changed.  A foreign key carries that from parent to
 * child: a lost parent row runs its ON DELETE action, a changed column that it refers to its ON
 * UPDATE action.  What a child can lose and what is changed in it only grows, so this ends.
 */
#include <string.h>

#include "change/closure.h"

static bool has_column(
    const bo_table *table, const char *const *names, uint16_t count, const bool *among)
{
    for (uint16_t i = 0; i < count; i++) {
        int column = bo_table_column(table, names[i]);
        if (column >= 0 && among[column])
            return true;
    }
    return false;
}

static bool in_row_key(const bo_table *table, const char *const *names, uint16_t count)
{
    for (uint16_t k = 0; table->row_key && k < table->row_key->count; k++)
        for (uint16_t i = 0; i < count; i++)
            if (strcmp(table->columns[table->row_key->columns[k]].name, names[i]) == 0)
                return true;
    return false;
}

/* SQLite knows keys that refer to columns which are not there: then nothing can be done to their
 * parent at all. */
static bool is_whole(const bo_table *parent, const bo_foreign_key *key)
{
    for (uint16_t i = 0; i < key->count; i++)
        if (bo_table_column(parent, key->parent_columns[i]) < 0)
            return false;
    return true;
}

static bool writes(char action)
{
    return action == 'c' || action == 'n' || action == 'd';
}

static bo_status add_table(bo_closure *closure, bo_arena *arena, const bo_table *table,
    const bo_closure_edge *via, bo_error *err)
{
    bo_closure_table *tables =
        bo_arena_grow(arena, closure->tables, closure->table_count, sizeof *tables);
    bool *changed = bo_arena_array(arena, (size_t)table->column_count + 1, sizeof *changed);
    if (!tables || !changed)
        return bo_nomem(err);
    closure->tables = tables;
    if (!via)
        memset(changed, true, table->column_count * sizeof *changed);
    tables[closure->table_count++] =
        (bo_closure_table){.table = table, .via = via, .deleted = via == NULL, .changed = changed};
    return BO_OK;
}

static bo_status find_child(
    bo_conn *conn, bo_closure *closure, bo_arena *arena, bo_closure_edge *edge, bo_error *err)
{
    for (uint32_t i = 0; i < closure->table_count; i++) {
        if (strcmp(closure->tables[i].table->name, edge->key->child) == 0) {
            edge->child = i;
            return BO_OK;
        }
    }
    const bo_table *table = NULL;
    bo_status st = conn->driver->describe(conn, edge->key->child, arena, &table, err);
    if (st != BO_OK)
        return bo_wrap(
            err, st, "cannot follow foreign key '%s' of %s", edge->key->name, edge->key->child);
    for (uint32_t i = 0; i < closure->table_count; i++) {
        if (bo_table_is_inside(table, closure->tables[i].table)) { /* it goes along with that */
            edge->child = i;
            return BO_OK;
        }
    }
    edge->child = closure->table_count;
    return add_table(closure, arena, table, edge, err);
}

static bo_closure_edge *find_edge(
    const bo_closure *closure, uint32_t parent, const bo_foreign_key *key)
{
    for (uint32_t i = 0; i < closure->edge_count; i++)
        if (closure->edges[i]->parent == parent && closure->edges[i]->key == key)
            return closure->edges[i];
    return NULL;
}

static bo_status follow_key(bo_conn *conn, bo_closure *closure, bo_arena *arena, uint32_t parent,
    const bo_foreign_key *key, bool on_delete, bo_closure_edge **out, bo_error *err)
{
    *out = find_edge(closure, parent, key);
    if (*out)
        return BO_OK;
    bo_closure_edge *edge = bo_arena_alloc(arena, sizeof *edge);
    bo_closure_edge **edges =
        bo_arena_grow(arena, closure->edges, closure->edge_count, sizeof(bo_closure_edge *));
    if (!edge || !edges)
        return bo_nomem(err);
    *edge = (bo_closure_edge){.key = key, .parent = parent, .on_delete = on_delete};
    closure->edges = edges;
    edges[closure->edge_count++] = edge;
    *out = edge;
    return find_child(conn, closure, arena, edge, err);
}

static void change_column(bo_closure_table *table, int column, bool *grown)
{
    *grown |= column >= 0 && !table->changed[column];
    if (column >= 0)
        table->changed[column] = true;
}

/* Of a row that is changed, what is computed from its columns may change as well. */
static void change_computed(bo_closure_table *table, bool *grown)
{
    for (uint16_t i = 0; i < table->table->column_count; i++)
        if (table->table->columns[i].generated != BO_GENERATED_NO)
            change_column(table, i, grown);
}

/* Carries what can happen to the parent over to the child; *grown_out: something was new. */
static void carry(
    bo_closure *closure, bo_closure_edge *edge, bool deleted, bool updated, bool *grown_out)
{
    const bo_foreign_key *key = edge->key;
    const bo_table *parent = closure->tables[edge->parent].table;
    bo_closure_table *child = &closure->tables[edge->child];
    edge->deletes = deleted && key->on_delete == 'c';
    *grown_out |= edge->deletes && !child->deleted;
    child->deleted |= edge->deletes;
    bool set = (deleted && !edge->deletes) || updated;
    for (uint16_t i = 0; set && i < key->count; i++)
        change_column(child, bo_table_column(child->table, key->child_columns[i]), grown_out);
    if (set)
        change_computed(child, grown_out);
    /* where the parent's own row key would move, its rows are lost sight of anyway */
    bool followed = !in_row_key(parent, key->parent_columns, key->count);
    edge->moves = ((deleted && !edge->deletes) || (updated && followed)) &&
                  in_row_key(child->table, key->child_columns, key->count);
}

static bo_status follow_table(
    bo_conn *conn, bo_closure *closure, bo_arena *arena, uint32_t at, bool *grown, bo_error *err)
{
    const bo_table *parent = closure->tables[at].table;
    for (uint16_t i = 0; i < parent->referenced_count; i++) {
        const bo_foreign_key *key = &parent->referenced_by[i];
        bool deleted = closure->tables[at].deleted && writes(key->on_delete);
        bool updated = writes(key->on_update) && has_column(parent, key->parent_columns, key->count,
                                                     closure->tables[at].changed);
        if ((!deleted && !updated) || !is_whole(parent, key))
            continue;
        bo_closure_edge *edge = NULL;
        uint32_t before = closure->table_count;
        bo_status st = follow_key(conn, closure, arena, at, key, deleted, &edge, err);
        if (st != BO_OK)
            return st;
        *grown |= closure->table_count > before;
        carry(closure, edge, deleted, updated, grown);
    }
    return BO_OK;
}

bo_status bo_closure_tables(bo_conn *conn, const bo_table *const *tables, uint32_t count,
    bo_arena *arena, bo_closure *out, bo_error *err)
{
    bo_closure closure = {0};
    bo_status st = BO_OK;
    for (uint32_t i = 0; st == BO_OK && i < count; i++)
        st = add_table(&closure, arena, tables[i], NULL, err);
    bool grown = true;
    while (st == BO_OK && grown) {
        grown = false;
        for (uint32_t i = 0; st == BO_OK && i < closure.table_count; i++)
            st = follow_table(conn, &closure, arena, i, &grown, err);
    }
    if (st == BO_OK)
        *out = closure;
    return st;
}

/* ---- in words ---- */

static const char *action_name(char action)
{
    return action == 'c' ? "CASCADE" : action == 'n' ? "SET NULL" : "SET DEFAULT";
}

void bo_closure_key_text(bo_buf *out, const bo_closure_edge *edge)
{
    bo_buf_printf(out, "foreign key %s, %s %s", edge->key->name,
        edge->on_delete ? "ON DELETE" : "ON UPDATE",
        action_name(edge->on_delete ? edge->key->on_delete : edge->key->on_update));
}

void bo_closure_way(bo_buf *out, const bo_closure *closure, const bo_closure_edge *edge)
{
    const bo_closure_edge *before = closure->tables[edge->parent].via;
    if (before) {
        bo_closure_way(out, closure, before);
        bo_buf_add_str(out, "; ");
    }
    bo_buf_printf(out, "%s -> %s by ", closure->tables[edge->parent].table->name, edge->key->child);
    bo_closure_key_text(out, edge);
}
