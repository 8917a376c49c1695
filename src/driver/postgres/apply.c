/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/postgres/apply.c - carries the entries of a stage out.
 *
 * Rows that go or change are deleted, then all targets are inserted: whole sets, so that swapped
 * unique values and reused keys never meet.  In the role of a replica nothing stands in the way and
 * the references are checked by our own queries (recheck.c).  Otherwise foreign keys are enforced:
 * a row that rows refer to which stay is changed in place instead (ladder.c, park.c), and each
 * phase is one statement over all tables, because the server checks at its end; cycles need no
 * order then.  Every count is compared with the plan.
 */
#include <string.h>

#include "driver/postgres/stage.h"

/* How many entries of a table go which way. */
typedef struct pg_tally {
    uint64_t added;    /* no row of now, target */
    uint64_t replaced; /* row and target: deleted and inserted */
    uint64_t changed;  /* row and target, in place */
    uint64_t gone;     /* row, no target */
    uint64_t gone_late;
    uint64_t taken_over; /* of those changed: one entry went, another came */
} pg_tally;

/* One statement of a phase. */
typedef struct pg_part {
    const pg_staged *table;
    const char *verb;
    uint64_t planned;
    bo_buf sql;
} pg_part;

typedef struct pg_phase {
    pg_part *parts;
    size_t count;
} pg_phase;

static void pg_phase_done(pg_phase *phase)
{
    for (size_t i = 0; i < phase->count; i++)
        bo_buf_done(&phase->parts[i].sql);
    free(phase->parts);
}

/* At most three parts for each table. */
static bo_status phase_begin(pg_phase *phase, const pg_stage *stage, bo_error *err)
{
    phase->parts = calloc((size_t)stage->count * 3 + 1, sizeof *phase->parts);
    return phase->parts ? BO_OK : bo_nomem(err);
}

static bo_buf *phase_add(
    pg_phase *phase, const pg_staged *table, const char *verb, uint64_t planned)
{
    pg_part *next = &phase->parts[phase->count++];
    *next = (pg_part){.table = table, .verb = verb, .planned = planned};
    return &next->sql;
}

static bo_status compare_count(const pg_part *part, uint64_t rows, bo_error *err)
{
    if (rows == part->planned)
        return BO_OK;
    return bo_fail(err, BO_CONFLICT, "%s of %s touched %llu rows instead of %llu", part->verb,
        part->table->now->name, (unsigned long long)rows, (unsigned long long)part->planned);
}

static bo_status run_apart(pg_stage *stage, const pg_phase *phase, bo_error *err)
{
    for (size_t i = 0; i < phase->count; i++) {
        const pg_part *part = &phase->parts[i];
        uint64_t rows = 0;
        bo_status st = pg_run_buf(stage->conn, &part->sql, &rows, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "%s of %s failed", part->verb, part->table->now->name);
        st = compare_count(part, rows, err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

/* All parts as one statement: foreign keys are checked when all of it is done. */
static bo_status run_together(pg_stage *stage, const pg_phase *phase, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    for (size_t i = 0; i < phase->count; i++) {
        if (phase->parts[i].sql.failed)
            return bo_nomem(err);
        bo_buf_printf(&sql, "%s p%zu AS (%s RETURNING 1)", i ? "," : "WITH", i,
            bo_buf_str(&phase->parts[i].sql));
    }
    for (size_t i = 0; i < phase->count; i++)
        bo_buf_printf(&sql, "%s (SELECT count(*) FROM p%zu)", i ? "," : " SELECT", i);
    bo_status st = bo_buf_check(&sql, err);
    BO_OWN(PGresult) *counts = NULL;
    if (st == BO_OK)
        st = pg_ask(stage->conn, bo_buf_str(&sql), 0, NULL, &counts, err);
    for (size_t i = 0; st == BO_OK && i < phase->count; i++)
        st =
            compare_count(&phase->parts[i], strtoull(PQgetvalue(counts, 0, (int)i), NULL, 10), err);
    return st;
}

static bo_status run_phase(pg_stage *stage, const pg_phase *phase, bo_error *err)
{
    return stage->replica || phase->count < 2 ? run_apart(stage, phase, err)
                                              : run_together(stage, phase, err);
}

/* ---- counting ---- */

static bo_status count_entries(
    pg_stage *stage, const pg_staged *table, pg_tally *out, bo_error *err)
{
    if (table->entries == 0)
        return BO_OK;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "SELECT count(*) FILTER (WHERE bo_target AND bo_loc IS NULL),"
        " count(*) FILTER (WHERE bo_target AND bo_loc IS NOT NULL AND bo_keep IS NULL),"
        " count(*) FILTER (WHERE bo_target AND bo_keep),"
        " count(*) FILTER (WHERE NOT bo_target AND bo_loc IS NOT NULL AND bo_keep IS NULL),"
        " count(*) FILTER (WHERE NOT bo_target AND bo_keep) FROM %s WHERE bo_skip IS NULL",
        table->stage);
    bo_status st = bo_buf_check(&sql, err);
    BO_OWN(PGresult) *row = NULL;
    if (st == BO_OK)
        st = pg_ask(stage->conn, bo_buf_str(&sql), 0, NULL, &row, err);
    if (st != BO_OK)
        return st;
    uint64_t *counts[] = {&out->added, &out->replaced, &out->changed, &out->gone, &out->gone_late};
    for (int i = 0; i < 5; i++)
        *counts[i] = strtoull(PQgetvalue(row, 0, i), NULL, 10);
    return BO_OK;
}

/* ---- phases ---- */

static bo_status save_extra(pg_stage *stage, pg_staged *table, const pg_tally *tally, bo_error *err)
{
    table->extra = NULL;
    if (table->extra_count == 0 || tally->replaced == 0)
        return BO_OK;
    unsigned serial = stage->conn->serial++;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(
        &sql, "CREATE TEMPORARY TABLE bo_extra_%u ON COMMIT DROP AS SELECT s.bo_id", serial);
    for (uint16_t i = 0; i < table->extra_count; i++) {
        bo_buf_add_str(&sql, ", t.");
        pg_quote(&sql, table->now->columns[table->extra_columns[i]].name);
        bo_buf_printf(&sql, " AS x%u", i);
    }
    bo_buf_printf(&sql, " FROM %s s JOIN %s t ON ", table->stage, table->from);
    pg_located(&sql, "s", "t");
    bo_buf_add_str(&sql, " WHERE s.bo_skip IS NULL AND s.bo_target AND s.bo_keep IS NULL");
    bo_status st = pg_run_buf(stage->conn, &sql, NULL, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot save the added columns of %s", table->now->name);
    table->extra = bo_arena_printf(stage->arena, "pg_temp.bo_extra_%u", serial);
    return table->extra ? BO_OK : bo_nomem(err);
}

static void add_delete(pg_phase *phase, const pg_staged *table, bool late, uint64_t planned)
{
    if (planned == 0)
        return;
    bo_buf *sql = phase_add(phase, table, "DELETE", planned);
    bo_buf_printf(sql, "DELETE FROM %s t USING %s s WHERE s.bo_skip IS NULL AND %s AND ",
        table->from, table->stage, late ? "s.bo_keep AND NOT s.bo_target" : "s.bo_keep IS NULL");
    pg_located(sql, "s", "t");
}

static void add_insert(pg_phase *phase, const pg_staged *table, bool with_extra, uint64_t planned)
{
    if (planned == 0)
        return;
    bo_buf *sql = phase_add(phase, table, "INSERT", planned);
    bo_buf_printf(sql, "INSERT INTO %s ", table->live);
    if (table->was->image_count > 0) {
        bo_buf_add_str(sql, "(");
        pg_column_list(sql, table->was, NULL);
        for (uint16_t i = 0; with_extra && i < table->extra_count; i++) {
            bo_buf_add_str(sql, ", ");
            pg_quote(sql, table->now->columns[table->extra_columns[i]].name);
        }
        bo_buf_add_str(sql, ") ");
    }
    bo_buf_add_str(sql, "OVERRIDING SYSTEM VALUE SELECT ");
    pg_stage_columns(sql, table, "s");
    for (uint16_t i = 0; with_extra && i < table->extra_count; i++)
        bo_buf_printf(sql, ", e.x%u", i);
    bo_buf_printf(sql, " FROM %s s", table->stage);
    if (with_extra)
        bo_buf_printf(sql, " JOIN %s e ON e.bo_id = s.bo_id", table->extra);
    bo_buf_printf(sql,
        " WHERE s.bo_skip IS NULL AND s.bo_target AND s.bo_keep IS NULL%s ORDER BY s.bo_id",
        table->extra && !with_extra ? " AND s.bo_loc IS NULL" : "");
}

static void add_update(pg_phase *phase, const pg_staged *table, uint64_t planned)
{
    if (planned == 0)
        return;
    bo_buf *sql = phase_add(phase, table, "UPDATE", planned);
    bo_buf_printf(sql, "UPDATE %s t SET ", table->from);
    const char *comma = "";
    for (uint16_t i = 0; i < table->was->image_count; i++) {
        const char *name = table->was->columns[table->was->image_columns[i]].name;
        const bo_column *column = &table->now->columns[bo_table_column(table->now, name)];
        if (column->identity == 'a')
            continue; /* may not be assigned: the condition below */
        bo_buf_add_str(sql, comma);
        pg_quote(sql, name);
        bo_buf_printf(sql, " = s.c%u", i);
        comma = ", ";
    }
    bo_buf_printf(
        sql, " FROM %s s WHERE s.bo_skip IS NULL AND s.bo_target AND s.bo_keep AND ", table->stage);
    pg_located(sql, "s", "t");
    for (uint16_t i = 0; i < table->was->image_count; i++) {
        const char *name = table->was->columns[table->was->image_columns[i]].name;
        if (table->now->columns[bo_table_column(table->now, name)].identity != 'a')
            continue;
        bo_buf_add_str(sql, " AND t.");
        pg_quote(sql, name);
        bo_buf_printf(sql, " = s.c%u", i);
    }
}

static bo_status run_deletes(pg_stage *stage, const pg_tally *tallies, bool late, bo_error *err)
{
    BO_OWN_VALUE(pg_phase) phase = {0};
    bo_status st = phase_begin(&phase, stage, err);
    if (st != BO_OK)
        return st;
    for (unsigned i = 0; i < stage->count; i++)
        add_delete(&phase, &stage->tables[i], late,
            late ? tallies[i].gone_late : tallies[i].gone + tallies[i].replaced);
    return run_phase(stage, &phase, err);
}

static bo_status run_writes(pg_stage *stage, const pg_tally *tallies, bo_error *err)
{
    BO_OWN_VALUE(pg_phase) phase = {0};
    bo_status st = phase_begin(&phase, stage, err);
    if (st != BO_OK)
        return st;
    for (unsigned i = 0; i < stage->count; i++) {
        const pg_staged *table = &stage->tables[i];
        const pg_tally *tally = &tallies[i];
        add_update(&phase, table, tally->changed);
        if (table->extra)
            add_insert(&phase, table, true, tally->replaced);
        add_insert(&phase, table, false, tally->added + (table->extra ? 0 : tally->replaced));
    }
    return run_phase(stage, &phase, err);
}

/* ---- the way ---- */

/* A rule makes other statements of ours than were counted; in the role of a replica most sleep. */
static bo_status check_rules(pg_stage *stage, bo_error *err)
{
    static const char sql[] =
        "SELECT r.rulename FROM pg_rewrite r WHERE r.ev_class = $1::oid AND r.ev_type <> '1'"
        " AND r.ev_enabled = ANY ($2::\"char\"[]) LIMIT 1";
    for (unsigned i = 0; i < stage->count; i++) {
        if (stage->tables[i].entries == 0)
            continue;
        const char *params[] = {stage->tables[i].now->id, stage->replica ? "{A,R}" : "{A,O}"};
        BO_OWN(PGresult) *rule = NULL;
        bo_status st = pg_ask(stage->conn, sql, 2, params, &rule, err);
        if (st != BO_OK)
            return st;
        if (PQntuples(rule) > 0)
            return bo_fail(err, BO_CONFLICT, "rule '%s' of %s rewrites what is written to it",
                PQgetvalue(rule, 0, 0), stage->tables[i].now->name);
    }
    return BO_OK;
}

/* In the role of a replica neither foreign keys nor deferrable keys are checked: it is taken only
 * when our own queries can. */
static bo_status choose_way(pg_stage *stage, bo_error *err)
{
    bool allowed = false;
    bo_status st = pg_replica_allowed(stage->conn, &allowed, err);
    bool able = !stage->graph.deferrable_unique;
    for (size_t i = 0; i < stage->graph.edge_count; i++) {
        const pg_edge *edge = &stage->graph.edges[i];
        able = able && edge->staged_whole && edge->child_readable && edge->parent_readable;
    }
    BO_OWN_VALUE(bo_buf) ids = {0};
    for (unsigned i = 0; i < stage->count; i++)
        bo_buf_printf(&ids, "%s%s", i ? "," : "{", stage->tables[i].now->id);
    bo_buf_add_str(&ids, "}");
    able = able && !ids.failed && pg_neighbours_locked(stage->conn, bo_buf_str(&ids), true);
    stage->replica = allowed && able;
    stage->right_missing = able && !allowed;
    return st == BO_OK ? check_rules(stage, err) : st;
}

static bo_status triggers_off(pg_stage *stage, bo_error *err)
{
    BO_OWN_MEM const bo_table **tables = calloc((size_t)stage->count + 1, sizeof *tables);
    if (!tables)
        return bo_nomem(err);
    unsigned used = 0;
    for (unsigned i = 0; i < stage->count; i++) {
        if (stage->tables[i].entries > 0)
            tables[used++] = stage->tables[i].now;
    }
    stage->triggers_off = true;
    return pg_triggers_off_as(stage->conn, tables, used, stage->replica, err);
}

static bo_status triggers_on(pg_stage *stage, bo_error *err)
{
    bo_status st = pg_triggers_on(stage->conn, NULL, 0, stage->replica, err);
    if (st == BO_OK)
        stage->triggers_off = false;
    return st;
}

static bo_status take_over(pg_stage *stage, pg_tally *tallies, bo_error *err)
{
    BO_OWN_MEM uint64_t *counts = calloc((size_t)stage->count + 1, sizeof *counts);
    if (!counts)
        return bo_nomem(err);
    bo_status st = pg_ladder_take_over(stage, counts, err);
    for (unsigned i = 0; i < stage->count; i++)
        tallies[i].taken_over = counts[i];
    return st;
}

static bo_status prepare(pg_stage *stage, pg_tally *tallies, bo_error *err)
{
    bo_status st = choose_way(stage, err);
    if (st == BO_OK && !stage->replica)
        st = pg_run(stage->conn, NULL, err, "SET CONSTRAINTS ALL DEFERRED");
    if (st == BO_OK && !stage->replica)
        st = pg_ladder_mark(stage, err);
    if (st == BO_OK && !stage->replica)
        st = take_over(stage, tallies, err);
    for (unsigned i = 0; st == BO_OK && i < stage->count; i++) {
        st = count_entries(stage, &stage->tables[i], &tallies[i], err);
        if (st == BO_OK)
            st = save_extra(stage, &stage->tables[i], &tallies[i], err);
    }
    if (st == BO_OK && !stage->replica)
        st = pg_ladder_check_updates(stage, err);
    if (st == BO_OK && stage->replica)
        st = pg_recheck_begin(stage, err);
    return st == BO_OK ? triggers_off(stage, err) : st;
}

typedef struct applying {
    pg_stage *stage;
    const pg_tally *tallies;
} applying;

static bo_status carry_out(void *ctx, bo_error *err)
{
    pg_stage *stage = ((applying *)ctx)->stage;
    const pg_tally *tallies = ((applying *)ctx)->tallies;
    bo_status st = run_deletes(stage, tallies, false, err);
    if (st == BO_OK && !stage->replica)
        st = pg_park(stage, err);
    if (st == BO_OK)
        st = run_writes(stage, tallies, err);
    if (st == BO_OK && !stage->replica)
        st = pg_ladder_check_computed(stage, err);
    if (st == BO_OK && !stage->replica)
        st = pg_ladder_check_deletes(stage, err);
    if (st == BO_OK)
        st = run_deletes(stage, tallies, true, err);
    if (st == BO_OK && stage->replica)
        st = pg_recheck_end(stage, err);
    if (st == BO_OK && !stage->replica)
        st = pg_run(stage->conn, NULL, err, "SET CONSTRAINTS ALL IMMEDIATE");
    return st == BO_OK ? triggers_on(stage, err) : st;
}

/* Checks, NOT NULL and the bounds of partitions hold in the role of a replica, too. */
static bool holds_anyway(const bo_error *err)
{
    return err && (strcmp(err->sqlstate, "23502") == 0 || strcmp(err->sqlstate, "23514") == 0);
}

bo_status pg_stage_apply(bo_stage *base, bo_applied *counts_out, bo_error *err)
{
    pg_stage *stage = pg_stage_of(base);
    BO_OWN_MEM pg_tally *tallies = calloc((size_t)stage->count + 1, sizeof *tallies);
    if (!tallies)
        return bo_nomem(err);
    bo_status st = prepare(stage, tallies, err);
    if (st == BO_OK)
        st = pg_write_as_users(stage->conn, carry_out, &(applying){stage, tallies}, err);
    if (st == BO_CONFLICT && stage->right_missing && !holds_anyway(err)) {
        const char *user = PQuser(stage->conn->pg);
        BO_OWN_VALUE(bo_buf) name = {0};
        pg_quote(&name, user ? user : "");
        return bo_detail(err, st,
            "with this right no order is needed: GRANT SET ON PARAMETER session_replication_role "
            "TO %s",
            bo_buf_str(&name));
    }
    if (st != BO_OK)
        return st;
    for (unsigned i = 0; i < stage->count; i++)
        counts_out[i] = (bo_applied){
            .inserted = tallies[i].added + tallies[i].taken_over,
            .updated = tallies[i].replaced + tallies[i].changed - tallies[i].taken_over,
            .deleted = tallies[i].gone + tallies[i].gone_late + tallies[i].taken_over,
        };
    return BO_OK;
}
