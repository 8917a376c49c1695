/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/blocked.c - entries that cannot be carried out beside the rows that stay.
 *
 * With the rows that go (located), come (targets) and stay (all others), an entry is blocked when
 *   its row goes, or its referenced values change, while a row that stays or comes refers to them
 *     and no row that comes provides them;
 *   it comes with a reference to a row that is neither there nor comes, and its row of now does not
 *     have the same broken reference already;
 *   it comes with a unique value that another row holds and keeps: one that stays, or one that
 *     changes, by column, in other ones.
 * A reference to a row that goes blocks the going, not the reference: the row that is kept keeps
 * its dependants.
 */
#include "driver/postgres/stage.h"

/* One way in which entries of a table can be blocked. */
typedef struct reason {
    bo_conflict_class conflict_class;
    const char *constraint;
    const char *other;
} reason;

typedef struct finder {
    const pg_stage *stage;
    unsigned table;
    bo_buf sql;
    reason *reasons;
    size_t count;
    bool failed;
} finder;

/* Begins one more part of the statement; its rows are (bo_id, number of the reason). */
static void begin_part(finder *f, reason why, const char *alias)
{
    reason *reasons = bo_arena_grow(f->stage->arena, f->reasons, f->count, sizeof *reasons);
    if (!reasons) {
        f->failed = true;
        return;
    }
    f->reasons = reasons;
    bo_buf_add_str(&f->sql, f->count ? " UNION ALL " : "");
    bo_buf_printf(&f->sql, "SELECT %s.bo_id, %zu AS why FROM ", alias, f->count);
    f->reasons[f->count++] = why;
}

/* Rows that go or whose referenced values change, with those values as r0, r1, ... */
static void add_leaving(bo_buf *sql, const pg_stage *stage, const pg_edge *edge)
{
    const pg_staged *table = &stage->tables[edge->parent_stage];
    bo_buf_add_str(sql, "(SELECT s.bo_id");
    for (uint16_t i = 0; i < edge->count; i++)
        bo_buf_printf(sql, ", p.%s AS r%u", edge->pairs[i].parent, i);
    bo_buf_printf(sql, " FROM %s s JOIN %s p ON ", table->stage, edge->parent);
    pg_located(sql, "s", "p");
    bo_buf_add_str(sql, " WHERE s.bo_skip IS NULL AND (NOT s.bo_target OR ");
    pg_edge_row(sql, edge, true, "s", PG_STAGED);
    bo_buf_add_str(sql, " *<> ");
    pg_edge_row(sql, edge, true, "p", PG_LIVE);
    bo_buf_add_str(sql, ") AND ");
    pg_edge_not_null(sql, edge, true, "p", PG_LIVE);
    bo_buf_printf(sql,
        " AND NOT EXISTS (SELECT 1 FROM %s q WHERE q.bo_skip IS NULL"
        " AND q.bo_target",
        table->stage);
    for (uint16_t i = 0; i < edge->count; i++) {
        const pg_pair *pair = &edge->pairs[i];
        bo_buf_printf(sql, " AND q.c%d %s p.%s", pair->parent_at, pair->equal, pair->parent);
    }
    bo_buf_add_str(sql, ")) g");
}

static void add_leaving_parts(finder *f, const pg_edge *edge)
{
    reason why = {BO_CLASS_FOREIGN_KEY, edge->name, edge->child_name};
    begin_part(f, why, "g");
    add_leaving(&f->sql, f->stage, edge);
    bo_buf_printf(&f->sql, " WHERE EXISTS (SELECT 1 FROM %s c WHERE ", edge->child);
    pg_edge_match(&f->sql, edge, "g", PG_SAVED, "c", PG_LIVE);
    if (edge->child_stage >= 0) {
        bo_buf_printf(&f->sql, " AND NOT EXISTS (SELECT 1 FROM %s x WHERE x.bo_skip IS NULL AND ",
            f->stage->tables[edge->child_stage].stage);
        pg_located(&f->sql, "x", "c");
        bo_buf_add_str(&f->sql, ")");
    }
    bo_buf_add_str(&f->sql, ")");
    if (edge->child_stage < 0)
        return;
    begin_part(f, why, "g");
    add_leaving(&f->sql, f->stage, edge);
    bo_buf_printf(&f->sql,
        " WHERE EXISTS (SELECT 1 FROM %s y WHERE y.bo_skip IS NULL AND y.bo_target AND ",
        f->stage->tables[edge->child_stage].stage);
    pg_edge_match(&f->sql, edge, "g", PG_SAVED, "y", PG_STAGED);
    bo_buf_add_str(&f->sql, ")");
}

static void add_coming_part(finder *f, const pg_edge *edge)
{
    begin_part(f, (reason){BO_CLASS_FOREIGN_KEY, edge->name, edge->parent_name}, "s");
    bo_buf_printf(&f->sql, "%s s WHERE s.bo_skip IS NULL AND s.bo_target AND ",
        f->stage->tables[edge->child_stage].stage);
    pg_edge_not_null(&f->sql, edge, false, "s", PG_STAGED);
    bo_buf_printf(&f->sql, " AND NOT EXISTS (SELECT 1 FROM %s p WHERE ", edge->parent);
    pg_edge_match(&f->sql, edge, "p", PG_LIVE, "s", PG_STAGED);
    if (edge->parent_stage >= 0) {
        bo_buf_printf(&f->sql,
            ") AND NOT EXISTS (SELECT 1 FROM %s q WHERE q.bo_skip IS NULL AND q.bo_target AND ",
            f->stage->tables[edge->parent_stage].stage);
        pg_edge_match(&f->sql, edge, "q", PG_STAGED, "s", PG_STAGED);
    }
    bo_buf_printf(&f->sql, ") AND NOT EXISTS (SELECT 1 FROM %s c WHERE ", edge->child);
    pg_located(&f->sql, "s", "c");
    bo_buf_add_str(&f->sql, " AND ");
    pg_edge_row(&f->sql, edge, false, "c", PG_LIVE);
    bo_buf_add_str(&f->sql, " *= ");
    pg_edge_row(&f->sql, edge, false, "s", PG_STAGED);
    bo_buf_add_str(&f->sql, ")");
}

/* x: an entry that takes the values from the row that holds them. */
static void add_unique_part(finder *f, const pg_unique *key)
{
    const pg_staged *table = &f->stage->tables[key->stage];
    begin_part(f, (reason){BO_CLASS_CONSTRAINT, key->name, NULL}, "s");
    bo_buf_printf(&f->sql, "%s s JOIN %s t ON ", table->stage, table->from);
    pg_unique_match(&f->sql, key, "s", PG_STAGED, "t", PG_LIVE);
    bo_buf_printf(&f->sql, " LEFT JOIN %s x ON x.bo_skip IS NULL AND ", table->stage);
    pg_located(&f->sql, "x", "t");
    bo_buf_add_str(&f->sql, " AND (x.bo_id = s.bo_id OR NOT x.bo_target OR (");
    pg_unique_match(&f->sql, key, "x", PG_STAGED, "s", PG_STAGED);
    bo_buf_add_str(
        &f->sql, ") IS NOT TRUE) WHERE s.bo_skip IS NULL AND s.bo_target AND x.bo_id IS NULL");
}

static bo_status fail_unreadable(
    const pg_stage *stage, const char *table, const char *constraint, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) user = {0};
    const char *name = PQuser(stage->conn->pg);
    pg_quote(&user, name ? name : "");
    return bo_fail(err, BO_DENIED,
        "foreign key '%s' cannot be followed\nneeded: GRANT SELECT ON %s TO %s", constraint, table,
        bo_buf_str(&user));
}

static bo_status add_parts(finder *f, bo_error *err)
{
    const pg_graph *graph = &f->stage->graph;
    for (size_t i = 0; i < graph->edge_count; i++) {
        const pg_edge *edge = &graph->edges[i];
        bool parent = edge->parent_stage == (int)f->table;
        bool child = edge->child_stage == (int)f->table;
        if (!edge->staged_whole || (!parent && !child))
            continue; /* the server enforces what the images do not tell */
        if (!edge->child_readable)
            return fail_unreadable(f->stage, edge->child_name, edge->name, err);
        if (!edge->parent_readable)
            return fail_unreadable(f->stage, edge->parent_name, edge->name, err);
        if (parent)
            add_leaving_parts(f, edge);
        if (child)
            add_coming_part(f, edge);
    }
    for (size_t i = 0; i < graph->unique_count; i++) {
        const pg_unique *key = &graph->uniques[i];
        if (key->stage == (int)f->table && key->in_image && !pg_locates(f->stage, key))
            add_unique_part(f, key);
    }
    return f->failed ? bo_nomem(err) : bo_buf_check(&f->sql, err);
}

static bo_status report_blocked(finder *f, bo_blocked_fn *each, void *ctx, bo_error *err)
{
    if (f->count == 0)
        return BO_OK;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql, "SELECT b.bo_id, min(b.why) FROM (%s) b GROUP BY b.bo_id ORDER BY b.bo_id",
        bo_buf_str(&f->sql));
    bo_status st = bo_buf_check(&sql, err);
    BO_OWN(PGresult) *rows = NULL;
    if (st == BO_OK)
        st = pg_ask(f->stage->conn, bo_buf_str(&sql), 0, NULL, &rows, err);
    for (int i = 0; st == BO_OK && i < PQntuples(rows); i++) {
        const reason *why = &f->reasons[strtoull(PQgetvalue(rows, i, 1), NULL, 10)];
        bo_blocked blocked = {
            .table = f->table,
            .id = strtoull(PQgetvalue(rows, i, 0), NULL, 10),
            .conflict_class = why->conflict_class,
            .constraint = why->constraint,
            .other = why->other,
        };
        st = each(ctx, &blocked, err);
    }
    return st;
}

bo_status pg_stage_blocked(bo_stage *base, bo_blocked_fn *each, void *ctx, bo_error *err)
{
    pg_stage *stage = pg_stage_of(base);
    for (unsigned i = 0; i < stage->count; i++) {
        if (stage->tables[i].entries == 0)
            continue;
        finder f = {.stage = stage, .table = i};
        bo_status st = add_parts(&f, err);
        if (st == BO_OK)
            st = report_blocked(&f, each, ctx, err);
        bo_buf_done(&f.sql);
        if (st != BO_OK)
            return bo_wrap(
                err, st, "cannot find what blocks rows of %s", stage->tables[i].now->name);
    }
    return BO_OK;
}
