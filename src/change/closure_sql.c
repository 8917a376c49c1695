/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/closure_sql.c - the rows that foreign keys reach, as a condition in SQL.
 *
 *   ("id") IN (WITH RECURSIVE
 *     backout_0 (t0_0) AS (SELECT "id" FROM "public"."customers" WHERE (id = 7))
 *     SELECT t1."id" FROM backout_0 p JOIN "public"."orders" t1 ON p.t0_0 = t1.customer_id)
 *
 * Each table on the way is a common table expression of the columns that are needed: its row key,
 * and what is referred to.  Tables that foreign keys tie into a ring are one recursive expression,
 * of the columns of all of them; a row of it is a row of one of the tables, the rest is NULL.
 * UNION makes it end: there are only so many rows.  An engine need know no more than one recursive
 * reference, on the left of outer joins.
 */
#include <string.h>

#include "change/closure.h"

#define NONE UINT32_MAX

/* What is carried of one table. */
struct carried {
    uint16_t count;
    const char **names; /* of columns; those of the row key come first */
};

struct writer {
    bo_conn *conn;
    bo_arena *arena;
    const bo_closure *closure;
    const bo_closure_rows *rows;
    uint32_t target;
    struct carried *carried; /* by table */
    uint32_t *group;         /* by table: number of the expression it is in, or NONE */
    uint32_t *seen, *low;    /* by table: Tarjan's numbers, from 1 */
    uint32_t *stack;
    uint32_t depth, last_seen;
    bool any_group; /* is written */
    bool in_ring;   /* the group that was finished last is one; in the end, the target's */
    bo_buf sql;
};

static bool is_active(const struct writer *w, const bo_closure_edge *edge)
{
    return w->rows[edge->parent].some && w->rows[edge->child].some;
}

/* ---- columns ---- */

static bo_status carry_column(
    struct carried *carried, bo_arena *arena, const char *name, bo_error *err)
{
    for (uint16_t i = 0; i < carried->count; i++)
        if (strcmp(carried->names[i], name) == 0)
            return BO_OK;
    const char **names =
        bo_arena_grow(arena, (void *)carried->names, carried->count, sizeof *names);
    if (!names)
        return bo_nomem(err);
    carried->names = names;
    names[carried->count++] = name;
    return BO_OK;
}

static bo_status carry_columns(struct writer *w, bo_error *err)
{
    bo_status st = BO_OK;
    for (uint32_t t = 0; t < w->closure->table_count; t++) {
        const bo_table *table = w->closure->tables[t].table;
        for (uint16_t i = 0; st == BO_OK && w->rows[t].some && i < table->row_key->count; i++)
            st = carry_column(
                &w->carried[t], w->arena, table->columns[table->row_key->columns[i]].name, err);
    }
    for (uint32_t e = 0; e < w->closure->edge_count; e++) {
        const bo_closure_edge *edge = w->closure->edges[e];
        for (uint16_t i = 0; st == BO_OK && is_active(w, edge) && i < edge->key->count; i++)
            st = carry_column(
                &w->carried[edge->parent], w->arena, edge->key->parent_columns[i], err);
    }
    return st;
}

static uint16_t carried_position(const struct carried *carried, const char *name)
{
    uint16_t i = 0;
    while (strcmp(carried->names[i], name) != 0)
        i++;
    return i;
}

/* `t3."a", t3."b"`, or without the alias: the first `count` carried columns. */
static void add_columns(struct writer *w, uint32_t table, bool alias, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        bo_buf_add_str(&w->sql, i ? ", " : "");
        if (alias)
            bo_buf_printf(&w->sql, "t%u.", table);
        w->conn->driver->quote(&w->sql, w->carried[table].names[i]);
    }
}

static void add_names(struct writer *w, uint32_t table, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++)
        bo_buf_printf(&w->sql, "%st%u_%u", i ? ", " : "", table, i);
}

static void add_table(struct writer *w, uint32_t table)
{
    w->conn->driver->quote(&w->sql, w->closure->tables[table].table->schema);
    bo_buf_add_byte(&w->sql, '.');
    w->conn->driver->quote(&w->sql, w->closure->tables[table].table->local);
}

/* ---- rows ---- */

/* The row of the child refers to row p of the expression that holds the parent.  An engine may have
 * to ask its catalog for that, so it is written once. */
static bo_status add_match(struct writer *w, bo_closure_edge *edge, bo_error *err)
{
    if (!edge->match) {
        BO_OWN_VALUE(bo_buf) text = {0};
        const bo_foreign_key *key = edge->key;
        const char **parent = bo_arena_array(w->arena, (size_t)key->count + 1, sizeof *parent);
        const char *alias = bo_arena_printf(w->arena, "t%u", edge->child);
        for (uint16_t i = 0; parent && i < key->count; i++) {
            parent[i] = bo_arena_printf(w->arena, "p.t%u_%u", edge->parent,
                carried_position(&w->carried[edge->parent], key->parent_columns[i]));
            if (!parent[i])
                return bo_nomem(err);
        }
        if (!parent || !alias)
            return bo_nomem(err);
        bo_status st = w->conn->driver->refers(w->conn, key, parent, alias, &text, err);
        if (st != BO_OK)
            return st;
        edge->match = bo_arena_str(w->arena, bo_buf_str(&text));
        if (!edge->match)
            return bo_nomem(err);
    }
    bo_buf_add_str(&w->sql, edge->match);
    return BO_OK;
}

/* SELECT of the rows that are meant by a predicate or reached from outside of the table's group:
 * the first `count` carried columns. */
static bo_status add_seed(struct writer *w, uint32_t table, uint16_t count, bo_error *err)
{
    bool any = w->rows[table].predicate != NULL;
    if (any) {
        bo_buf_add_str(&w->sql, "SELECT ");
        add_columns(w, table, false, count);
        bo_buf_add_str(&w->sql, " FROM ");
        add_table(w, table);
        /* the line's end closes a comment */
        bo_buf_printf(&w->sql, " WHERE (%s\n)", w->rows[table].predicate);
    }
    for (uint32_t e = 0; e < w->closure->edge_count; e++) {
        bo_closure_edge *edge = w->closure->edges[e];
        if (edge->child != table || !is_active(w, edge) || w->group[edge->parent] == NONE ||
            w->group[edge->parent] == w->group[table])
            continue;
        bo_buf_add_str(&w->sql, any ? " UNION SELECT " : "SELECT ");
        add_columns(w, table, true, count);
        bo_buf_printf(&w->sql, " FROM backout_%u p JOIN ", w->group[edge->parent]);
        add_table(w, table);
        bo_buf_printf(&w->sql, " t%u ON ", table);
        bo_status st = add_match(w, edge, err);
        if (st != BO_OK)
            return st;
        any = true;
    }
    if (!any) {
        bo_buf_add_str(&w->sql, "SELECT ");
        add_columns(w, table, false, count);
        bo_buf_add_str(&w->sql, " FROM ");
        add_table(w, table);
        bo_buf_add_str(&w->sql, " WHERE 1 = 0");
    }
    return BO_OK;
}

/* ---- rings ---- */

struct ring {
    uint32_t number; /* of the group */
    const uint32_t *members;
    uint32_t count;
};

static void add_ring_columns(struct writer *w, const struct ring *ring)
{
    for (uint32_t m = 0; m < ring->count; m++) {
        bo_buf_add_str(&w->sql, m ? ", " : "SELECT ");
        add_columns(w, ring->members[m], true, w->carried[ring->members[m]].count);
    }
}

/* One line for each member, so that each joins on a line of its own. */
static void add_lines(struct writer *w, const struct ring *ring)
{
    for (uint32_t m = 0; m < ring->count; m++)
        bo_buf_printf(&w->sql, m ? " UNION ALL SELECT %u" : "(SELECT %u AS s", m);
    bo_buf_add_str(&w->sql, ") s");
}

static bo_status add_step(struct writer *w, const struct ring *ring, uint32_t m, bo_error *err)
{
    bo_buf_add_str(&w->sql, " LEFT JOIN ");
    add_table(w, ring->members[m]);
    bo_buf_printf(&w->sql, " t%u ON s.s = %u AND (", ring->members[m], m);
    bool any = false;
    for (uint32_t e = 0; e < w->closure->edge_count; e++) {
        bo_closure_edge *edge = w->closure->edges[e];
        if (edge->child != ring->members[m] || !is_active(w, edge) ||
            w->group[edge->parent] != ring->number)
            continue;
        bo_buf_add_str(&w->sql, any ? " OR " : "");
        bo_status st = add_match(w, edge, err);
        if (st != BO_OK)
            return st;
        any = true;
    }
    bo_buf_add_str(&w->sql, ")");
    return BO_OK;
}

static bo_status add_ring(struct writer *w, const struct ring *ring, bo_error *err)
{
    bo_buf_printf(&w->sql, "backout_%u (", ring->number);
    for (uint32_t m = 0; m < ring->count; m++) {
        bo_buf_add_str(&w->sql, m ? ", " : "");
        add_names(w, ring->members[m], w->carried[ring->members[m]].count);
    }
    bo_buf_add_str(&w->sql, ") AS (");
    add_ring_columns(w, ring);
    bo_buf_add_str(&w->sql, " FROM ");
    add_lines(w, ring);
    bo_status st = BO_OK;
    for (uint32_t m = 0; st == BO_OK && m < ring->count; m++) {
        bo_buf_add_str(&w->sql, " LEFT JOIN (");
        st = add_seed(w, ring->members[m], w->carried[ring->members[m]].count, err);
        bo_buf_printf(&w->sql, ") t%u ON s.s = %u", ring->members[m], m);
    }
    bo_buf_add_str(&w->sql, " UNION ");
    add_ring_columns(w, ring);
    bo_buf_printf(&w->sql, " FROM backout_%u p CROSS JOIN ", ring->number);
    add_lines(w, ring);
    for (uint32_t m = 0; st == BO_OK && m < ring->count; m++)
        st = add_step(w, ring, m, err);
    bo_buf_add_str(&w->sql, ")");
    return st;
}

/* ---- the tables on the way, parents first ---- */

static bool refers_to_itself(const struct writer *w, uint32_t table)
{
    for (uint32_t e = 0; e < w->closure->edge_count; e++)
        if (w->closure->edges[e]->parent == table && w->closure->edges[e]->child == table)
            return true;
    return false;
}

/* The members are the top of the stack.  The target's own rows are no expression but the answer,
 * unless it is in a ring. */
static bo_status add_group(struct writer *w, uint32_t first, bo_error *err)
{
    struct ring ring = {
        .number = w->stack[first], .members = &w->stack[first], .count = w->depth - first};
    for (uint32_t m = 0; m < ring.count; m++)
        w->group[ring.members[m]] = ring.number;
    w->in_ring = ring.count > 1 || refers_to_itself(w, ring.number);
    w->depth = first;
    if (!w->in_ring && ring.number == w->target)
        return BO_OK;
    bo_buf_add_str(&w->sql, w->any_group ? ", " : "");
    w->any_group = true;
    if (w->in_ring)
        return add_ring(w, &ring, err);
    bo_buf_printf(&w->sql, "backout_%u (", ring.number);
    add_names(w, ring.number, w->carried[ring.number].count);
    bo_buf_add_str(&w->sql, ") AS (");
    bo_status st = add_seed(w, ring.number, w->carried[ring.number].count, err);
    bo_buf_add_str(&w->sql, ")");
    return st;
}

/* Strongly connected components, after R. Tarjan, "Depth-First Search and Linear Graph Algorithms"
 * (1972); along the keys from child to parent, so that parents are complete first. */
static bo_status visit(struct writer *w, uint32_t table, bo_error *err)
{
    uint32_t place = w->depth;
    w->seen[table] = w->low[table] = ++w->last_seen;
    w->stack[w->depth++] = table;
    for (uint32_t e = 0; e < w->closure->edge_count; e++) {
        const bo_closure_edge *edge = w->closure->edges[e];
        if (edge->child != table || !is_active(w, edge))
            continue;
        bo_status st = w->seen[edge->parent] ? BO_OK : visit(w, edge->parent, err);
        if (st != BO_OK)
            return st;
        if (w->group[edge->parent] == NONE && w->low[edge->parent] < w->low[table])
            w->low[table] = w->low[edge->parent];
    }
    return w->low[table] == w->seen[table] ? add_group(w, place, err) : BO_OK;
}

static bo_status allocate(struct writer *w, bo_error *err)
{
    size_t count = (size_t)w->closure->table_count + 1;
    w->carried = bo_arena_array(w->arena, count, sizeof *w->carried);
    w->group = bo_arena_array(w->arena, count, sizeof *w->group);
    w->seen = bo_arena_array(w->arena, count, sizeof *w->seen);
    w->low = bo_arena_array(w->arena, count, sizeof *w->low);
    w->stack = bo_arena_array(w->arena, count, sizeof *w->stack);
    if (!w->carried || !w->group || !w->seen || !w->low || !w->stack)
        return bo_nomem(err);
    memset(w->group, 0xff, count * sizeof *w->group);
    return carry_columns(w, err);
}

static bo_status write_condition(struct writer *w, bo_error *err)
{
    uint16_t key = w->closure->tables[w->target].table->row_key->count;
    bo_buf_add_str(&w->sql, "(");
    add_columns(w, w->target, false, key);
    bo_buf_add_str(&w->sql, ") IN (WITH RECURSIVE ");
    bo_status st = visit(w, w->target, err);
    if (st != BO_OK)
        return st;
    bo_buf_add_byte(&w->sql, ' ');
    if (w->in_ring) {
        bo_buf_add_str(&w->sql, "SELECT ");
        add_names(w, w->target, key);
        bo_buf_printf(
            &w->sql, " FROM backout_%u WHERE t%u_0 IS NOT NULL", w->group[w->target], w->target);
    } else {
        st = add_seed(w, w->target, key, err);
    }
    bo_buf_add_str(&w->sql, ")");
    return st;
}

static bool is_reached(const struct writer *w)
{
    for (uint32_t e = 0; e < w->closure->edge_count; e++)
        if (w->closure->edges[e]->child == w->target && is_active(w, w->closure->edges[e]))
            return true;
    return false;
}

bo_status bo_closure_predicate(bo_conn *conn, const bo_closure *closure,
    const bo_closure_rows *rows, uint32_t table, bo_arena *arena, const char **out, bo_error *err)
{
    struct writer w = {
        .conn = conn, .arena = arena, .closure = closure, .rows = rows, .target = table};
    if (!is_reached(&w)) {
        *out = rows[table].predicate;
        return BO_OK;
    }
    bo_status st = allocate(&w, err);
    if (st == BO_OK)
        st = write_condition(&w, err);
    if (st == BO_OK)
        st = bo_buf_check(&w.sql, err);
    const char *text = st == BO_OK ? bo_arena_str(arena, bo_buf_str(&w.sql)) : NULL;
    bo_buf_done(&w.sql);
    if (!text)
        return st == BO_OK ? bo_nomem(err) : st;
    *out = text;
    return BO_OK;
}
