/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/recheck.c - foreign keys by query, for rows written while the server does not
 * check them: no reference may be broken that was not broken before.
 */
#include "driver/postgres/stage.h"

/* pg_temp.bo_broken_3, pg_temp.bo_leaving_3_0: made once for an apply, by number of the edge. */
static bool is_child(const pg_stage *stage, const pg_edge *edge)
{
    return edge->child_stage >= 0 && stage->tables[edge->child_stage].entries > 0;
}

static bool is_parent(const pg_stage *stage, const pg_edge *edge)
{
    return edge->parent_stage >= 0 && stage->tables[edge->parent_stage].entries > 0;
}

/* Entries whose row of now has the same reference as the target, and it leads nowhere. */
static bo_status note_broken(pg_stage *stage, size_t index, bo_error *err)
{
    const pg_edge *edge = &stage->graph.edges[index];
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "CREATE TEMPORARY TABLE bo_broken_%u_%zu ON COMMIT DROP AS"
        " SELECT s.bo_id FROM %s s JOIN %s c ON ",
        stage->recheck_serial, index, stage->tables[edge->child_stage].stage, edge->child);
    pg_located(&sql, "s", "c");
    bo_buf_add_str(&sql, " WHERE s.bo_skip IS NULL AND s.bo_target AND ");
    pg_edge_not_null(&sql, edge, false, "s", PG_STAGED);
    bo_buf_add_str(&sql, " AND ");
    pg_edge_row(&sql, edge, false, "c", PG_LIVE);
    bo_buf_add_str(&sql, " *= ");
    pg_edge_row(&sql, edge, false, "s", PG_STAGED);
    bo_buf_printf(&sql, " AND NOT EXISTS (SELECT 1 FROM %s p WHERE ", edge->parent);
    pg_edge_match(&sql, edge, "p", PG_LIVE, "s", PG_STAGED);
    bo_buf_add_str(&sql, ")");
    return pg_run_buf(stage->conn, &sql, NULL, err);
}

/* Referenced values of rows that go or change them. */
static bo_status note_leaving(pg_stage *stage, size_t index, bo_error *err)
{
    const pg_edge *edge = &stage->graph.edges[index];
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "CREATE TEMPORARY TABLE bo_leaving_%u_%zu ON COMMIT DROP AS ",
        stage->recheck_serial, index);
    pg_edge_referenced(&sql, stage, edge);
    bo_buf_add_str(&sql, " WHERE s.bo_skip IS NULL AND (NOT s.bo_target OR ");
    pg_edge_row(&sql, edge, true, "s", PG_STAGED);
    bo_buf_add_str(&sql, " *<> ");
    pg_edge_row(&sql, edge, true, "p", PG_LIVE);
    bo_buf_add_str(&sql, ")");
    uint64_t rows = 0;
    bo_status st = pg_run_buf(stage->conn, &sql, &rows, err);
    if (st == BO_OK)
        st = pg_run(stage->conn, NULL, err, "ANALYZE pg_temp.bo_leaving_%u_%zu",
            stage->recheck_serial, index);
    return st;
}

bo_status pg_recheck_begin(pg_stage *stage, bo_error *err)
{
    stage->recheck_serial = stage->conn->serial++;
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < stage->graph.edge_count; i++) {
        const pg_edge *edge = &stage->graph.edges[i];
        if (is_child(stage, edge))
            st = note_broken(stage, i, err);
        if (st == BO_OK && is_parent(stage, edge))
            st = note_leaving(stage, i, err);
    }
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot check foreign keys");
}

static void add_without_parent(bo_buf *sql, const pg_edge *edge, const char *child, pg_place place)
{
    bo_buf_printf(sql, "NOT EXISTS (SELECT 1 FROM %s p WHERE ", edge->parent);
    pg_edge_match(sql, edge, "p", PG_LIVE, child, place);
    bo_buf_add_str(sql, ")");
}

static bo_status count_broken(pg_stage *stage, size_t index, uint64_t *out, bo_error *err)
{
    const pg_edge *edge = &stage->graph.edges[index];
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "SELECT count(*) FROM %s s WHERE s.bo_skip IS NULL AND s.bo_target AND ",
        stage->tables[edge->child_stage].stage);
    pg_edge_not_null(&sql, edge, false, "s", PG_STAGED);
    bo_buf_printf(&sql,
        " AND NOT EXISTS (SELECT 1 FROM pg_temp.bo_broken_%u_%zu b WHERE b.bo_id = s.bo_id) AND ",
        stage->recheck_serial, index);
    add_without_parent(&sql, edge, "s", PG_STAGED);
    return pg_ask_count(stage->conn, &sql, out, err);
}

static bo_status count_left(pg_stage *stage, size_t index, uint64_t *out, bo_error *err)
{
    const pg_edge *edge = &stage->graph.edges[index];
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "SELECT count(*) FROM pg_temp.bo_leaving_%u_%zu g JOIN %s c ON ",
        stage->recheck_serial, index, edge->child);
    pg_edge_match(&sql, edge, "g", PG_SAVED, "c", PG_LIVE);
    bo_buf_add_str(&sql, " WHERE ");
    add_without_parent(&sql, edge, "c", PG_LIVE);
    return pg_ask_count(stage->conn, &sql, out, err);
}

bo_status pg_recheck_end(pg_stage *stage, bo_error *err)
{
    for (size_t i = 0; i < stage->graph.edge_count; i++) {
        const pg_edge *edge = &stage->graph.edges[i];
        uint64_t broken = 0;
        uint64_t left = 0;
        bo_status st = BO_OK;
        if (is_child(stage, edge))
            st = count_broken(stage, i, &broken, err);
        if (st == BO_OK && is_parent(stage, edge))
            st = count_left(stage, i, &left, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot check foreign key '%s'", edge->name);
        if (broken + left > 0)
            return bo_fail(err, BO_CONFLICT, "foreign key '%s' of %s would be broken by %llu rows",
                edge->name, edge->child_name, (unsigned long long)(broken + left));
    }
    return BO_OK;
}
