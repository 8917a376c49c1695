/* SPDX-License-Identifier: Apache-2.0 */
/* src/report/text_rollback.c - rollbacks, verifications and dry runs as text. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "report/text.h"

static bool said(const char *text)
{
    return text && text[0];
}

/* "a, b, c" */
static void names(bo_buf *out, const char *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i)
            bo_buf_add_str(out, ", ");
        bo_buf_add_str(out, items[i]);
    }
}

static void more(bo_buf *out, uint64_t all, size_t shown, const char *what)
{
    if (all > shown)
        bo_buf_printf(
            out, "  ... and %" PRIu64 " more %s (--output json lists more)\n", all - shown, what);
}

static size_t shown_of(size_t count)
{
    return count < BO_REPORT_LINES ? count : BO_REPORT_LINES;
}

static void rollback_tables(bo_buf *out, const bo_style *style, const bo_rollback *r, bool plan)
{
    const bool tells_lost = strcmp(r->type, "backup") != 0; /* who wrote is not asked there */
    const bo_grid_column columns[] = {
        {"Table", .trim = true},
        {plan ? "Insert" : "Inserted", .right = true},
        {plan ? "Update" : "Updated", .right = true},
        {plan ? "Delete" : "Deleted", .right = true},
        {"Conflicts", .right = true},
        {"Lost", .right = true},
        {"Proof"},
    };
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < r->table_count; i++) {
        const bo_rollback_table *table = &r->tables[i];
        bo_grid_row(grid);
        bo_grid_text(grid, table->name);
        bo_grid_number(grid, table->inserted);
        bo_grid_number(grid, table->updated);
        bo_grid_number(grid, table->deleted);
        bo_grid_number(grid, table->conflicts);
        if (tells_lost)
            bo_grid_number(grid, table->lost);
        else
            bo_grid_text(grid, "-");
        bo_grid_state(grid, said(table->proof) ? table->proof : "-");
    }
    if (r->table_count)
        bo_grid_print(grid, out);
}

static void conflicts(bo_buf *out, const bo_style *style, const bo_rollback *r)
{
    static const bo_grid_column columns[] = {
        {"Table"},
        {"Key", .trim = true},
        {"Conflict"},
        {"Columns"},
        {"Because", .trim = false},
    };
    if (!r->conflict_listed)
        return;
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    size_t shown = shown_of(r->conflict_listed);
    for (size_t i = 0; i < shown; i++) {
        const bo_conflict *conflict = &r->conflicts[i];
        BO_OWN_VALUE(bo_buf) list = {0};
        names(&list, conflict->columns, conflict->column_count);
        bo_grid_row(grid);
        bo_grid_text(grid, conflict->table);
        bo_grid_key(grid, conflict->key);
        bo_grid_text(grid, conflict->conflict_class);
        bo_grid_text(grid, bo_buf_str(&list));
        bo_grid_text(grid, conflict->because);
    }
    bo_buf_add_byte(out, '\n');
    bo_grid_print(grid, out);
    more(out, r->conflict_count, shown, "conflicts");
}

/* "transaction 815 of alice (psql): changed orders 7" */
static void name_dependent(bo_buf *out, const bo_dependent *dependent)
{
    if (said(dependent->transaction))
        bo_buf_printf(out, "transaction %s of %s", dependent->transaction, dependent->user);
    if (said(dependent->transaction) && said(dependent->application))
        bo_buf_printf(out, " (%s)", dependent->application);
    if (said(dependent->transaction))
        bo_buf_add_str(out, ": ");
    bo_buf_add_str(out, dependent->because);
}

static void dependents(bo_buf *out, const bo_style *style, const bo_rollback *r)
{
    static const bo_grid_column columns[] = {{NULL, .tree = true}};
    if (!r->dependent_listed)
        return;
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    BO_OWN_VALUE(bo_buf) line = {0};
    bo_buf_printf(&line, "%s (the change)", r->id);
    bo_grid_row(grid);
    bo_grid_text(grid, bo_buf_str(&line));
    size_t shown = shown_of(r->dependent_listed);
    for (size_t i = 0; i < shown; i++) {
        const bo_dependent *dependent = &r->dependents[i];
        bo_buf_clear(&line);
        name_dependent(&line, dependent);
        out->failed = out->failed || line.failed;
        bo_grid_row_under(grid, dependent->depth ? dependent->parent + 1 : 0);
        bo_grid_text(grid, bo_buf_str(&line));
    }
    bo_buf_add_str(out, r->dependents[0].undone ? "\nundone with the change, for they used it\n"
                                                : "\nused since by\n");
    bo_grid_print(grid, out);
    more(out, r->dependent_count, shown, "dependents");
}

static void headline(bo_buf *out, const bo_style *style, const bo_rollback *r)
{
    if (strcmp(r->type, "backup") == 0) {
        bo_buf_add_str(out, "restore of ");
    } else {
        bo_text_safe(out, r->type);
        bo_buf_add_str(out, " rollback to ");
    }
    bo_text_safe(out, r->id);
    bo_buf_add_str(out, ": ");
    bo_state_add(out, style, r->status);
    if (said(r->proof)) {
        bo_buf_add_str(out, ", proof: ");
        bo_state_add(out, style, r->proof);
    }
    if (r->duration_s > 0)
        bo_buf_printf(out, ", %.2f s", r->duration_s);
    bo_buf_add_byte(out, '\n');
}

static void notes(bo_buf *out, const char *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bo_buf_add_str(out, "note: ");
        bo_text_safe(out, items[i]);
        bo_buf_add_byte(out, '\n');
    }
}

/* With encryption there is no file of rows that people can read. */
static void lost_export(bo_buf *out, const bo_rollback *r)
{
    if (!said(r->lost_export))
        return;
    const char *ending = strrchr(r->lost_export, '.');
    const bool readable = ending && strcmp(ending, ".jsonl") == 0;
    bo_buf_add_str(out, readable ? ", exported to " : ", kept encrypted in ");
    bo_text_safe(out, r->lost_export);
    if (readable || !said(r->undo_point))
        return;
    bo_buf_add_str(out, "\nbackout export ");
    bo_text_safe(out, r->undo_point);
    bo_buf_add_str(out, " --which lost prints them");
}

static void afterwards(bo_buf *out, const bo_rollback *r, bool plan)
{
    if (r->lost_rows && said(r->recommended)) {
        bo_text_count(out, r->lost_rows, r->lost_unclear ? "row may have been" : "row was",
            r->lost_unclear ? "rows may have been" : "rows were");
        bo_buf_add_str(out, " written by others since; type full would give that up\n");
    } else if (r->lost_rows) {
        bo_buf_add_str(out, plan ? "would give up " : "gave up ");
        if (r->lost_unclear)
            bo_text_count(out, r->lost_rows, "row that others may have written",
                "rows that others may have written");
        else
            bo_text_count(out, r->lost_rows, "later write of others", "later writes of others");
        lost_export(out, r);
        bo_buf_add_byte(out, '\n');
    }
    notes(out, r->notes, r->note_count);
    if (said(r->recommended)) {
        bo_buf_add_str(out, "recommended: ");
        bo_text_safe(out, r->recommended);
        if (said(r->because)) {
            bo_buf_add_str(out, ", because ");
            bo_text_safe(out, r->because);
        }
        if (r->estimate_s < 1)
            bo_buf_add_str(out, "\nshould take less than a second\n");
        else
            bo_buf_printf(out, "\nshould take %.0f s%s\n", r->estimate_s,
                r->estimate_runs ? ", as earlier rollbacks did" : "");
    }
}

void bo_text_rollback(bo_buf *out, const bo_style *style, const bo_rollback *r)
{
    bool plan = strcmp(r->status, "done") != 0;
    headline(out, style, r);
    rollback_tables(out, style, r, plan);
    conflicts(out, style, r);
    dependents(out, style, r);
    afterwards(out, r, plan);
    if (said(r->undo_point)) {
        bo_buf_add_str(out, "backout execute ");
        bo_text_safe(out, r->undo_point);
        bo_buf_add_str(out, " brings the state before it back\n");
    }
}

static void differences(bo_buf *out, const bo_style *style, const bo_verify_table *table)
{
    static const bo_grid_column columns[] = {
        {"Key", .trim = true},
        {"Difference"},
        {"Columns"},
    };
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    size_t shown = shown_of(table->difference_listed);
    for (size_t i = 0; i < shown; i++) {
        const bo_difference *difference = &table->differences[i];
        BO_OWN_VALUE(bo_buf) list = {0};
        names(&list, difference->columns, difference->column_count);
        bo_grid_row(grid);
        bo_grid_key(grid, difference->key);
        bo_grid_text(grid, difference->kind);
        bo_grid_text(grid, bo_buf_str(&list));
    }
    bo_buf_add_byte(out, '\n');
    bo_text_safe(out, table->name);
    bo_buf_add_byte(out, '\n');
    bo_grid_print(grid, out);
    more(out, table->difference_count, shown, "differences");
}

/* The lines of the last cell of a row, the second and those after it in rows of their own. */
static void cell_lines(bo_buf *out, bo_grid *grid, size_t cells_before, const char *text)
{
    BO_OWN_VALUE(bo_buf) line = {0};
    for (bool first = true; first || *text; first = false) {
        size_t size = strcspn(text, "\n");
        bo_buf_clear(&line);
        bo_buf_add(&line, text, size);
        if (!first)
            bo_grid_row(grid);
        for (size_t i = 0; !first && i < cells_before; i++)
            bo_grid_text(grid, "");
        out->failed = out->failed || line.failed;
        bo_grid_text(grid, bo_buf_str(&line));
        text += size + (text[size] == '\n');
    }
}

void bo_text_verification(bo_buf *out, const bo_style *style, const bo_verification *v)
{
    static const bo_grid_column columns[] = {
        {"Table", .trim = true},
        {"Result"},
        {"Rows", .right = true},
        {"Expected", .right = true},
        {"Differences", .right = true},
        {"Because", .trim = false},
    };
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    bo_text_safe(out, v->id);
    bo_buf_add_str(out, ": ");
    bo_state_add(out, style, v->result);
    bo_buf_add_byte(out, '\n');
    for (size_t i = 0; i < v->table_count; i++) {
        const bo_verify_table *table = &v->tables[i];
        bo_grid_row(grid);
        bo_grid_text(grid, table->name);
        bo_grid_state(grid, table->result);
        bo_grid_number(grid, table->rows);
        bo_grid_number(grid, table->expected_rows);
        bo_grid_number(grid, table->difference_count);
        cell_lines(out, grid, 5, table->because);
    }
    bo_grid_print(grid, out);
    for (size_t i = 0; i < v->table_count; i++)
        if (v->tables[i].difference_listed)
            differences(out, style, &v->tables[i]);
    notes(out, v->notes, v->note_count);
}

static void dry_rows(bo_buf *out, const bo_style *style, const bo_change_report *r)
{
    static const bo_grid_column columns[] = {
        {"Table"},
        {"Key", .trim = true},
        {"Change"},
        {"Columns", .trim = false},
    };
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    size_t shown = shown_of(r->row_listed);
    for (size_t i = 0; i < shown; i++) {
        const bo_dry_row *row = &r->rows[i];
        BO_OWN_VALUE(bo_buf) list = {0};
        names(&list, row->columns, row->column_count);
        bo_grid_row(grid);
        bo_grid_text(grid, row->table);
        bo_grid_key(grid, row->key);
        bo_grid_text(grid, row->kind);
        bo_grid_text(grid, bo_buf_str(&list));
    }
    if (shown) {
        bo_buf_add_byte(out, '\n');
        bo_grid_print(grid, out);
    }
    more(out, r->inserted + r->updated + r->deleted, shown, "rows");
}

void bo_text_change(bo_buf *out, const bo_style *style, const bo_change_report *r)
{
    static const bo_grid_column columns[] = {
        {"Table", .trim = true}, {"Insert", .right = true}, {"Update", .right = true},
        {"Delete", .right = true}, {"Reached", .trim = true}, /* left out when nothing is */
    };
    bool any = false;
    for (size_t i = 0; i < r->table_count; i++)
        any = any || r->closures[i];
    BO_OWN(bo_grid) *grid =
        bo_grid_create(style, columns, sizeof columns / sizeof columns[0] - !any);
    if (!grid) {
        out->failed = true;
        return;
    }
    bo_buf_add_str(out, "dry run: would insert ");
    bo_buf_printf(out, "%" PRIu64 ", update %" PRIu64 ", delete %" PRIu64 "; nothing was changed\n",
        r->inserted, r->updated, r->deleted);
    for (size_t i = 0; i < r->table_count; i++) {
        bo_grid_row(grid);
        bo_grid_text(grid, r->tables[i].name);
        bo_grid_number(grid, r->tables[i].inserted);
        bo_grid_number(grid, r->tables[i].updated);
        bo_grid_number(grid, r->tables[i].deleted);
        if (any)
            bo_grid_text(grid, r->closures[i] ? "by foreign keys" : "");
    }
    if (r->table_count)
        bo_grid_print(grid, out);
    dry_rows(out, style, r);
    if (said(r->point)) {
        bo_buf_add_str(out, "rehearse with: backout details ");
        bo_text_safe(out, r->point);
        bo_buf_add_byte(out, '\n');
    }
}
