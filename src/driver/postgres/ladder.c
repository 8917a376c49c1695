/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/ladder.c - what stays in place while foreign keys are enforced.
 *
 * A row may be deleted (to be inserted again, or for good) when no row refers to it that stays:
 * then no action of a foreign key has anything to act on.  All others are changed in place, and go
 * last, if they go.  Where one goes and another comes with the same values for all that may refer
 * to it, as in a table without a key, the one becomes the other.
 */
#include "driver/postgres/stage.h"

/* ` AND NOT EXISTS (...)`: the row `row` of the edge's child is not an entry that meets `what`. */
static void add_not_entry(
    bo_buf *sql, const pg_stage *stage, const pg_edge *edge, const char *row, const char *what)
{
    if (edge->child_stage < 0)
        return;
    bo_buf_printf(sql, " AND NOT EXISTS (SELECT 1 FROM %s x WHERE x.bo_skip IS NULL AND %s AND ",
        stage->tables[edge->child_stage].stage, what);
    pg_located(sql, "x", row);
    bo_buf_add_str(sql, ")");
}

/* Marks one level; a row that refers to it may be kept by a mark set later. */
static bo_status mark_edge(
    pg_stage *stage, const pg_edge *edge, uint64_t *marked_out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "UPDATE %s s SET bo_keep = true FROM %s p WHERE s.bo_skip IS NULL AND s.bo_keep IS NULL"
        " AND ",
        stage->tables[edge->parent_stage].stage, edge->parent);
    pg_located(&sql, "s", "p");
    bo_buf_printf(&sql, " AND EXISTS (SELECT 1 FROM %s c WHERE ", edge->child);
    pg_edge_match(&sql, edge, "p", PG_LIVE, "c", PG_LIVE);
    add_not_entry(&sql, stage, edge, "c", "x.bo_keep IS NULL");
    bo_buf_add_str(&sql, ")");
    uint64_t marked = 0;
    bo_status st = pg_run_buf(stage->conn, &sql, &marked, err);
    if (st != BO_OK)
        return bo_wrap(
            err, st, "cannot follow foreign key '%s' of %s", edge->name, edge->child_name);
    *marked_out += marked;
    if (marked == 0)
        return BO_OK;
    stage->kept = true;
    return pg_analyze_stage(stage->conn, &stage->tables[edge->parent_stage], err);
}

bo_status pg_ladder_mark(pg_stage *stage, bo_error *err)
{
    stage->kept = false;
    uint64_t marked;
    do {
        marked = 0;
        for (size_t i = 0; i < stage->graph.edge_count; i++) {
            const pg_edge *edge = &stage->graph.edges[i];
            if (edge->parent_stage < 0 || edge->waits ||
                stage->tables[edge->parent_stage].entries == 0)
                continue;
            bo_status st = mark_edge(stage, edge, &marked, err);
            if (st != BO_OK)
                return st;
        }
    } while (marked > 0);
    return BO_OK;
}

/* Whether rows refer to the table, and " AND " the condition that `x` comes with all values that
 * they may refer to in `t`. */
static bool add_same_references(bo_buf *sql, const pg_graph *graph, int table)
{
    bool any = false;
    for (size_t i = 0; i < graph->edge_count; i++) {
        const pg_edge *edge = &graph->edges[i];
        if (edge->parent_stage != table)
            continue;
        if (!edge->staged_whole)
            return false;
        bo_buf_add_str(sql, " AND ");
        pg_edge_row(sql, edge, true, "x", PG_STAGED);
        bo_buf_add_str(sql, " *= ");
        pg_edge_row(sql, edge, true, "t", PG_LIVE);
        any = true;
    }
    return any;
}

static bo_status take_over(pg_stage *stage, int i, uint64_t *count_out, bo_error *err)
{
    const pg_staged *table = &stage->tables[i];
    BO_OWN_VALUE(bo_buf) take = {0};
    BO_OWN_VALUE(bo_buf) leave = {0};
    bo_buf_printf(&take,
        "UPDATE %s x SET bo_rel = s.bo_rel, bo_loc = s.bo_loc, bo_keep = true FROM %s s JOIN %s t"
        " ON ",
        table->stage, table->stage, table->from);
    pg_located(&take, "s", "t");
    bo_buf_add_str(&take, " WHERE s.bo_skip IS NULL AND s.bo_keep AND NOT s.bo_target AND x.bo_skip"
                          " IS NULL AND x.bo_target AND x.bo_loc IS NULL");
    if (!add_same_references(&take, &stage->graph, i))
        return BO_OK;
    bo_buf_printf(&leave,
        "UPDATE %s s SET bo_rel = NULL, bo_loc = NULL, bo_keep = NULL FROM %s x WHERE s.bo_keep"
        " AND NOT s.bo_target AND x.bo_keep AND x.bo_target AND x.bo_loc = s.bo_loc AND x.bo_rel ="
        " s.bo_rel",
        table->stage, table->stage);
    bo_status st = pg_run_buf(stage->conn, &take, NULL, err);
    return st == BO_OK ? pg_run_buf(stage->conn, &leave, count_out, err) : st;
}

bo_status pg_ladder_take_over(pg_stage *stage, uint64_t *counts_out, bo_error *err)
{
    bo_status st = BO_OK;
    for (unsigned i = 0; st == BO_OK && stage->kept && i < stage->count; i++) {
        if (stage->tables[i].entries > 0)
            st = take_over(stage, (int)i, &counts_out[i], err);
    }
    return st;
}

static bool acts(char action)
{
    return action == 'c' || action == 'n' || action == 'd';
}

static bool is_computed(const pg_edge *edge)
{
    for (uint16_t i = 0; i < edge->count; i++)
        if (edge->pairs[i].parent_at < 0)
            return true;
    return false;
}

/* `sql` counts the rows whose change would make it act. */
static bo_status refuse_acting(
    pg_stage *stage, const pg_edge *edge, const bo_buf *sql, bo_error *err)
{
    uint64_t count = 0;
    bo_status st = pg_ask_count(stage->conn, sql, &count, err);
    if (st != BO_OK || count == 0)
        return st;
    return bo_fail(err, BO_CONFLICT,
        "the action of foreign key '%s' would change rows of %s that are not in the plan",
        edge->name, edge->child_name);
}

/* What the server computes is known once it has: here the values that rows refer to now. */
static bo_status note_computed(pg_stage *stage, size_t index, bo_error *err)
{
    const pg_edge *edge = &stage->graph.edges[index];
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "CREATE TEMPORARY TABLE bo_referred_%u_%zu ON COMMIT DROP AS ",
        stage->acting_serial, index);
    pg_edge_referenced(&sql, stage, edge);
    bo_buf_printf(&sql,
        " WHERE s.bo_skip IS NULL AND s.bo_keep AND s.bo_target AND EXISTS (SELECT 1 FROM %s c"
        " WHERE ",
        edge->child);
    pg_edge_match(&sql, edge, "p", PG_LIVE, "c", PG_LIVE);
    bo_buf_add_str(&sql, ")");
    return pg_run_buf(stage->conn, &sql, NULL, err);
}

bo_status pg_ladder_check_computed(pg_stage *stage, bo_error *err)
{
    for (size_t i = 0; stage->kept && i < stage->graph.edge_count; i++) {
        const pg_edge *edge = &stage->graph.edges[i];
        if (edge->parent_stage < 0 || !acts(edge->on_update) || !is_computed(edge))
            continue;
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_printf(&sql,
            "SELECT count(*) FROM pg_temp.bo_referred_%u_%zu g WHERE NOT EXISTS"
            " (SELECT 1 FROM %s p WHERE ",
            stage->acting_serial, i, edge->parent);
        pg_edge_row(&sql, edge, true, "p", PG_LIVE);
        bo_buf_add_str(&sql, " *= ");
        pg_edge_row(&sql, edge, true, "g", PG_SAVED);
        bo_buf_add_str(&sql, ")");
        bo_status st = refuse_acting(stage, edge, &sql, err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

/* The server compares bytes before it acts: 1.0 to 1.00 is a change to it, and to us. */
bo_status pg_ladder_check_updates(pg_stage *stage, bo_error *err)
{
    stage->acting_serial = stage->conn->serial++;
    for (size_t i = 0; stage->kept && i < stage->graph.edge_count; i++) {
        const pg_edge *edge = &stage->graph.edges[i];
        if (edge->parent_stage < 0 || !acts(edge->on_update))
            continue;
        if (is_computed(edge)) {
            bo_status st = note_computed(stage, i, err);
            if (st != BO_OK)
                return st;
            continue;
        }
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_printf(&sql, "SELECT count(*) FROM %s s JOIN %s p ON ",
            stage->tables[edge->parent_stage].stage, edge->parent);
        pg_located(&sql, "s", "p");
        bo_buf_add_str(&sql, " WHERE s.bo_skip IS NULL AND s.bo_keep AND s.bo_target AND ");
        pg_edge_row(&sql, edge, true, "s", PG_STAGED);
        bo_buf_add_str(&sql, " *<> ");
        pg_edge_row(&sql, edge, true, "p", PG_LIVE);
        bo_buf_printf(&sql, " AND EXISTS (SELECT 1 FROM %s c WHERE ", edge->child);
        pg_edge_match(&sql, edge, "p", PG_LIVE, "c", PG_LIVE);
        bo_buf_add_str(&sql, ")");
        bo_status st = refuse_acting(stage, edge, &sql, err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

bo_status pg_ladder_check_deletes(pg_stage *stage, bo_error *err)
{
    for (size_t i = 0; stage->kept && i < stage->graph.edge_count; i++) {
        const pg_edge *edge = &stage->graph.edges[i];
        if (edge->parent_stage < 0 || edge->waits)
            continue;
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_printf(&sql, "SELECT count(*) FROM %s s JOIN %s p ON ",
            stage->tables[edge->parent_stage].stage, edge->parent);
        pg_located(&sql, "s", "p");
        bo_buf_printf(&sql,
            " WHERE s.bo_skip IS NULL AND s.bo_keep AND NOT s.bo_target"
            " AND EXISTS (SELECT 1 FROM %s c WHERE ",
            edge->child);
        pg_edge_match(&sql, edge, "p", PG_LIVE, "c", PG_LIVE);
        add_not_entry(&sql, stage, edge, "c", "x.bo_keep AND NOT x.bo_target");
        bo_buf_add_str(&sql, ")");
        uint64_t count = 0;
        bo_status st = pg_ask_count(stage->conn, &sql, &count, err);
        if (st != BO_OK)
            return st;
        if (count > 0)
            return bo_fail(err, BO_CONFLICT,
                "rows of %s that go are still referred to by rows of %s (foreign key '%s')",
                stage->tables[edge->parent_stage].now->name, edge->child_name, edge->name);
    }
    return BO_OK;
}
