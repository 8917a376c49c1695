/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/closure.c - the parts of a point, and what foreign keys reach from their rows. */
#include "change/closure.h"

#include <string.h>

struct reach {
    bo_conn *conn;
    bo_arena *arena;
    bo_closure closure;
    bo_closure_rows *rows; /* by table */
};

/* ---- whole tables, or some rows ---- */

/* Of a table that is reached from a whole one every row is.  So it is when a key moves the row keys
 * of its rows: those of a predicate are followed by row key. */
static void choose_rows(struct reach *reach, const bo_part *parts, uint32_t count)
{
    for (uint32_t i = 0; i < reach->closure.table_count; i++) {
        reach->rows[i].some = i >= count || parts[i].predicate;
        reach->rows[i].predicate = i < count ? parts[i].predicate : NULL;
    }
    bool grown = true;
    while (grown) {
        grown = false;
        for (uint32_t e = 0; e < reach->closure.edge_count; e++) {
            const bo_closure_edge *edge = reach->closure.edges[e];
            bo_closure_rows *child = &reach->rows[edge->child];
            if (!child->some || (reach->rows[edge->parent].some && !edge->moves))
                continue;
            *child = (bo_closure_rows){0};
            grown = true;
        }
    }
}

/* ---- refusals and notes ---- */

/* The key that reaches rows of the table; of one that was given, rows its predicate need not name.
 */
static const bo_closure_edge *reaching(const struct reach *reach, uint32_t i)
{
    const bo_closure_edge *edge = reach->closure.tables[i].via;
    for (uint32_t e = 0; !edge && e < reach->closure.edge_count; e++)
        if (reach->closure.edges[e]->child == i)
            edge = reach->closure.edges[e];
    return edge;
}

/* "customers -> orders by foreign key k, ON DELETE CASCADE; orders -> items by ..." */
static bo_status describe_way(
    const struct reach *reach, uint32_t i, const char **out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_closure_way(&text, &reach->closure, reaching(reach, i));
    bo_status st = bo_buf_check(&text, err);
    const char *copy = st == BO_OK ? bo_arena_str(reach->arena, bo_buf_str(&text)) : NULL;
    if (!copy)
        return st == BO_OK ? bo_nomem(err) : st;
    *out = copy;
    return BO_OK;
}

static bo_status check_table(const struct reach *reach, uint32_t i, bo_error *err)
{
    const bo_table *table = reach->closure.tables[i].table;
    const char *way = NULL;
    if (!table->uncovered && (!reach->rows[i].some || table->row_key))
        return BO_OK;
    bo_status st = describe_way(reach, i, &way, err);
    if (st != BO_OK)
        return st;
    if (table->uncovered)
        (void)bo_fail(err, BO_UNSUPPORTED,
            "table '%s' cannot be covered, and the change may reach rows of it\n%s", table->name,
            table->limits[0]);
    else
        (void)bo_fail(err, BO_UNSUPPORTED,
            "the rows of '%s' that the change may reach cannot be told apart\nit has no key, so a "
            "row cannot be found again after the change; take the whole table",
            table->name);
    return bo_detail(err, BO_UNSUPPORTED, "%s", way);
}

/* "orders is in the point as well: rows of it would go with customers (foreign key k, ...)" */
static void note_table(const struct reach *reach, uint32_t i, bool follow, bo_buf *notes)
{
    const bo_closure_edge *edge = reaching(reach, i);
    bool whole = follow && !reach->rows[i].some && reach->rows[edge->parent].some;
    bo_buf_printf(notes, "table %s%s %s%s: rows of it would %s with %s (",
        reach->closure.tables[i].table->name,
        reach->closure.tables[i].via ? " is" : ": rows that its predicate does not name are",
        follow ? "in the point as well" : "not in the point", whole ? ", with all its rows" : "",
        edge->deletes ? "go" : "change", reach->closure.tables[edge->parent].table->name);
    bo_closure_key_text(notes, edge);
    bo_buf_add_str(notes, ")\n");
}

/* ---- parts ---- */

static bo_status fill_part(struct reach *reach, uint32_t i, bo_part *part, bo_error *err)
{
    const bo_closure_table *table = &reach->closure.tables[i];
    if (table->via)
        *part = (bo_part){.was = table->table, .now = table->table};
    else if (!part->predicate || !reaching(reach, i))
        return BO_OK;
    bo_status st = describe_way(reach, i, &part->closure, err);
    part->predicate = NULL;
    if (st == BO_OK && reach->rows[i].some)
        st = bo_closure_predicate(
            reach->conn, &reach->closure, reach->rows, i, reach->arena, &part->predicate, err);
    if (!part->predicate)
        part->entering = NULL;
    return st;
}

static bo_status fill_parts(
    struct reach *reach, const bo_part *given, uint32_t count, bo_part **out, bo_error *err)
{
    bo_part *parts =
        bo_arena_array(reach->arena, (size_t)reach->closure.table_count + 1, sizeof *parts);
    if (!parts)
        return bo_nomem(err);
    memcpy(parts, given, count * sizeof *parts);
    for (uint32_t i = 0; i < reach->closure.table_count; i++) {
        bo_status st = fill_part(reach, i, &parts[i], err);
        if (st != BO_OK)
            return st;
    }
    *out = parts;
    return BO_OK;
}

bo_status bo_closure_add(bo_conn *conn, bool follow, bo_arena *arena, bo_part **parts,
    uint32_t *count, bo_buf *notes, bo_error *err)
{
    struct reach reach = {.conn = conn, .arena = arena};
    const bo_table **given = bo_arena_array(arena, (size_t)*count + 1, sizeof *given);
    if (!given)
        return bo_nomem(err);
    for (uint32_t i = 0; i < *count; i++)
        given[i] = (*parts)[i].now;
    bo_status st = bo_closure_tables(conn, given, *count, arena, &reach.closure, err);
    if (st != BO_OK)
        return st;
    reach.rows = bo_arena_array(arena, (size_t)reach.closure.table_count + 1, sizeof *reach.rows);
    if (!reach.rows)
        return bo_nomem(err);
    choose_rows(&reach, *parts, *count);
    for (uint32_t i = 0; st == BO_OK && i < reach.closure.table_count; i++) {
        if (i < *count && (!(*parts)[i].predicate || !reaching(&reach, i)))
            continue;
        st = follow ? check_table(&reach, i, err) : BO_OK;
        note_table(&reach, i, follow, notes);
    }
    bo_part *all = NULL;
    if (st == BO_OK && follow)
        st = fill_parts(&reach, *parts, *count, &all, err);
    if (st == BO_OK && follow) {
        *parts = all;
        *count = reach.closure.table_count;
    }
    return st;
}
