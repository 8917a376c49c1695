/* SPDX-License-Identifier: Apache-2.0 */
/* src/report/text.c - points, backups and the audit log as text; what the other forms share. */
#include "report/text.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

void bo_text_time(bo_buf *out, int64_t time_us)
{
    char text[BO_TIME_TEXT_SIZE];
    bo_time_format(time_us, text);
    bo_buf_printf(out, "%.10s %.8s", text, text + 11);
}

/* "  Database     shop", unless there is no value. */
static void field(bo_buf *out, const char *name, const char *value)
{
    if (!value || !value[0])
        return;
    bo_buf_printf(out, "  %-12s ", name);
    bo_text_safe(out, value);
    bo_buf_add_byte(out, '\n');
}

static void time_field(bo_buf *out, const char *name, int64_t time_us)
{
    if (time_us == 0)
        return;
    bo_buf_printf(out, "  %-12s ", name);
    bo_text_time(out, time_us);
    bo_buf_add_str(out, " UTC\n");
}

static void point_table_grid(bo_buf *out, const bo_style *style, const bo_point *point)
{
    static const bo_grid_column columns[] = {
        {"Table", .trim = true},
        {"Rows", .right = true},
        {"Rows where", .trim = true},
        {"Inserted", .right = true},
        {"Updated", .right = true},
        {"Deleted", .right = true},
        {"Identified by"},
    };
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    bool sealed = point->sealed_us != 0;
    for (size_t i = 0; i < point->table_count; i++) {
        const bo_point_table *table = &point->tables[i];
        bo_grid_row(grid);
        bo_grid_text(grid, table->name);
        bo_text_rows(grid, table);
        BO_OWN_VALUE(bo_buf) where = {0};
        bo_buf_printf(&where, "%s%s%s", table->predicate ? table->predicate : "",
            table->predicate && table->closure ? ", and " : "",
            table->closure ? "by foreign keys" : "");
        bo_grid_text(grid, bo_buf_str(&where));
        const uint64_t counts[] = {table->inserted, table->updated, table->deleted};
        for (size_t c = 0; c < 3; c++) {
            if (sealed)
                bo_grid_number(grid, counts[c]);
            else
                bo_grid_text(grid, "-");
        }
        bo_grid_text(grid, table->has_key ? "key" : "all values");
    }
    bo_grid_print(grid, out);
}

static void closure(bo_buf *out, const bo_point *point)
{
    for (size_t i = 0; i < point->table_count; i++) {
        if (!point->tables[i].closure)
            continue;
        bo_buf_add_str(out, "  reached: ");
        bo_text_safe(out, point->tables[i].closure);
        bo_buf_add_byte(out, '\n');
    }
}

static void limits(bo_buf *out, const bo_point *point)
{
    for (size_t i = 0; i < point->table_count; i++) {
        for (size_t l = 0; l < point->tables[i].limit_count; l++) {
            bo_buf_add_str(out, "  limit: ");
            bo_text_safe(out, point->tables[i].name);
            bo_buf_add_str(out, ": ");
            bo_text_safe(out, point->tables[i].limits[l]);
            bo_buf_add_byte(out, '\n');
        }
    }
}

static void files(bo_buf *out, const bo_point *point)
{
    if (point->file_count)
        bo_buf_add_str(out, "\nFiles\n");
    for (size_t i = 0; i < point->file_count; i++) {
        const bo_file_info *file = &point->files[i];
        bo_buf_add_str(out, "  ");
        bo_text_safe(out, file->name);
        bo_buf_add_str(out, "  ");
        bo_text_bytes(out, file->bytes);
        bo_buf_printf(out, "%s%s%s\n", file->encrypted ? ", encrypted" : "",
            file->problem[0] ? ", " : "",
            strcmp(file->problem, "missing") == 0 ? "MISSING" : file->problem);
    }
}

static void runs(bo_buf *out, const bo_style *style, const bo_point *point)
{
    if (point->run_count)
        bo_buf_add_str(out, "\nRuns, newest first\n");
    for (size_t i = 0; i < point->run_count; i++) {
        const bo_run_info *run = &point->runs[i];
        bo_buf_add_str(out, "  ");
        bo_text_safe(out, run->id);
        bo_buf_add_str(out, "  ");
        bo_text_safe(out, run->kind);
        bo_buf_add_str(out, "  ");
        bo_state_add(out, style, run->status);
        bo_buf_add_str(out, "  ");
        bo_text_time(out, run->started_us);
        bo_buf_add_str(out, "  ");
        bo_text_safe(out, run->actor);
        bo_buf_add_byte(out, '\n');
        if (run->explained && run->explained[0]) {
            bo_buf_add_str(out, "    ");
            bo_text_safe(out, run->explained);
            bo_buf_add_byte(out, '\n');
        }
        if (run->next && run->next[0]) {
            bo_buf_add_str(out, "    next: ");
            bo_text_safe(out, run->next);
            bo_buf_add_byte(out, '\n');
        }
    }
}

void bo_text_point(bo_buf *out, const bo_style *style, const bo_point *point)
{
    bo_text_safe(out, point->id);
    bo_buf_add_str(out, "  ");
    bo_state_add(out, style, point->status);
    bo_buf_add_str(out, "\n");
    field(out, "Kind", point->kind);
    field(out, "Migration", point->migration);
    field(out, "Description", point->description);
    field(out, "Database", point->database);
    field(out, "URL", point->url);
    field(out, "Engine", point->engine);
    field(out, "Method", point->method);
    field(out, "Undo of", point->parent);
    time_field(out, "Created", point->created_us);
    time_field(out, "Sealed", point->sealed_us);
    time_field(out, "Released", point->released_us);
    for (size_t i = 0; i < point->entity_count; i++)
        field(out, point->entities[i].name, point->entities[i].value);
    bo_buf_add_str(out, "\n");
    point_table_grid(out, style, point);
    closure(out, point);
    limits(out, point);
    bo_text_untagged(out, point);
    bo_text_coverage(out, style, point);
    files(out, point);
    runs(out, style, point);
}

void bo_text_point_made(bo_buf *out, const bo_style *style, const bo_point *point)
{
    uint64_t rows = 0, changed = 0, reshaped = 0;
    bool about = false;
    for (size_t i = 0; i < point->table_count; i++) {
        const bo_point_table *table = &point->tables[i];
        rows += table->rows;
        about = about || !table->stored;
        changed += table->inserted + table->updated + table->deleted;
        reshaped += table->reshaped;
    }
    bo_text_safe(out, point->id);
    bo_buf_add_str(out, "  ");
    bo_state_add(out, style, point->status);
    bo_buf_add_str(out, "  ");
    bo_text_count(out, point->table_count, "table", "tables");
    bo_buf_add_str(out, about ? ", about " : ", ");
    bo_text_count(out, rows, "row", "rows");
    if (point->sealed_us) {
        bo_buf_add_str(out, "; the change touched ");
        bo_text_count(out, changed, "row", "rows");
    }
    if (reshaped) {
        bo_buf_add_str(out, " and altered the shape of ");
        bo_text_count(out, reshaped, "table", "tables");
    }
    if (point->released_us)
        bo_buf_add_str(out, "; no longer captured");
    bo_buf_add_byte(out, '\n');
    limits(out, point);
    bo_text_untagged(out, point);
    if (!point->sealed_us) /* it was said before the change */
        bo_text_coverage(out, style, point);
}

static void table_names(bo_buf *out, const bo_point *point)
{
    for (size_t i = 0; i < point->table_count; i++)
        bo_buf_printf(out, "%s%s", i ? ", " : "", point->tables[i].name);
}

void bo_text_points(bo_buf *out, const bo_style *style, const bo_point_list *list)
{
    static const bo_grid_column columns[] = {
        {"Rollback ID"},
        {"Migration ID", .trim = true},
        {"Table", .trim = true},
        {"Status"},
        {"Created At"},
        {"Description", .trim = true},
    };
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < bo_point_list_count(list); i++) {
        const bo_point *point = bo_point_list_get(list, i);
        BO_OWN_VALUE(bo_buf) tables = {0};
        BO_OWN_VALUE(bo_buf) created = {0};
        table_names(&tables, point);
        bo_text_time(&created, point->created_us);
        bo_grid_row(grid);
        bo_grid_text(grid, point->id);
        bo_grid_text(grid, point->migration);
        bo_grid_text(grid, bo_buf_str(&tables));
        bo_grid_state(grid, point->status);
        bo_grid_text(grid, bo_buf_str(&created));
        bo_grid_text(grid, point->description);
        out->failed = out->failed || tables.failed || created.failed;
    }
    bo_grid_print(grid, out);
}

void bo_text_check(bo_buf *out, const bo_style *style, const bo_check *check)
{
    static const bo_grid_column columns[] = {
        {"Point"},
        {"File", .trim = true},
        {"Result"},
        {"Rows", .right = true},
        {"Size", .right = true},
        {"Problem", .trim = false},
    };
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < check->item_count; i++) {
        const bo_check_item *item = &check->items[i];
        BO_OWN_VALUE(bo_buf) size = {0};
        bo_text_bytes(&size, item->bytes);
        bo_grid_row(grid);
        bo_grid_text(grid, item->point);
        bo_grid_text(grid, item->file);
        bo_grid_state(grid, item->result);
        bo_grid_number(grid, item->rows);
        bo_grid_text(grid, bo_buf_str(&size));
        bo_grid_text(grid, item->problem);
    }
    if (check->item_count)
        bo_grid_print(grid, out);
    bo_buf_add_str(out, "result: ");
    bo_state_add(out, style, check->result);
    bo_buf_add_byte(out, '\n');
}

void bo_text_prune(bo_buf *out, const bo_style *style, const bo_prune *prune, bool dry_run)
{
    static const bo_grid_column columns[] = {
        {"Point"},
        {"Result"},
        {"Size", .right = true},
        {"Because", .trim = false},
    };
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < prune->item_count; i++) {
        const bo_prune_item *item = &prune->items[i];
        BO_OWN_VALUE(bo_buf) size = {0};
        bo_text_bytes(&size, item->bytes);
        bo_grid_row(grid);
        bo_grid_text(grid, item->point);
        bo_grid_text(grid, !item->removed ? "stays" : dry_run ? "would go" : "removed");
        bo_grid_text(grid, bo_buf_str(&size));
        bo_grid_text(grid, item->because);
    }
    if (prune->item_count)
        bo_grid_print(grid, out);
    bo_buf_add_str(out, dry_run ? "would remove " : "removed ");
    bo_text_count(out, prune->removed, "point", "points");
    bo_buf_add_str(out, ", ");
    bo_text_bytes(out, prune->bytes);
    bo_buf_add_byte(out, '\n');
}

void bo_text_audit(bo_buf *out, const bo_style *style, const bo_audit *audit)
{
    static const bo_grid_column columns[] = {
        {"#", .right = true},
        {"Time"},
        {"Event"},
        {"Actor"},
        {"Object"},
        {"Outcome"},
        {"Details", .trim = true},
    };
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < bo_audit_count(audit); i++) {
        const bo_audit_entry *entry = bo_audit_get(audit, i);
        BO_OWN_VALUE(bo_buf) time = {0};
        bo_text_time(&time, entry->time_us);
        bo_grid_row(grid);
        bo_grid_number(grid, entry->sequence);
        bo_grid_text(grid, bo_buf_str(&time));
        bo_grid_text(grid, entry->event);
        bo_grid_text(grid, entry->actor);
        bo_grid_text(grid, entry->object);
        bo_grid_state(grid, entry->outcome);
        bo_grid_text(grid, entry->details);
    }
    bo_grid_print(grid, out);
}

void bo_text_chain(bo_buf *out, const bo_style *style, const bo_audit_result *result)
{
    bo_buf_add_str(out, "audit log: ");
    bo_state_add(out, style, result->whole ? "match" : "mismatch");
    bo_buf_add_str(out, ", ");
    bo_text_count(out, result->records, "record", "records");
    bo_buf_add_byte(out, '\n');
    if (!result->whole) {
        bo_buf_printf(out, "  broken at record %" PRIu64 ": ", result->broken_at);
        bo_text_safe(out, result->reason);
        bo_buf_add_byte(out, '\n');
    }
    if (result->head[0])
        bo_buf_printf(
            out, "  head %s (keep it elsewhere: it shows when the log was cut)\n", result->head);
}
