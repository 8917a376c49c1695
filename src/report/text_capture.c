/* SPDX-License-Identifier: Apache-2.0 */
/* src/report/text_capture.c - what is captured, what can be, and what is left over, as text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "report/text.h"

/* As the method is called that keeps it. */
static const char *kept_by(const bo_point_table *table)
{
    return !table->captured ? "snapshot" : table->stored ? "both" : "capture";
}

void bo_text_rows(bo_grid *grid, const bo_point_table *table)
{
    char text[40];
    (void)snprintf(text, sizeof text, "%s%" PRIu64, table->stored ? "" : "about ", table->rows);
    bo_grid_text(grid, text);
}

static bool is_captured(const bo_point *point)
{
    bool any = false;
    for (size_t i = 0; i < point->table_count; i++)
        any = any || point->tables[i].captured || point->tables[i].coverage[0];
    return any;
}

void bo_text_untagged(bo_buf *out, const bo_point *point)
{
    if (!point->untagged)
        return;
    bo_buf_add_str(out, "  note: ");
    bo_text_count(out, point->untagged, "row was", "rows were");
    bo_buf_add_str(out, " written during the run, and none carries its mark: whether they are the "
                        "change's is not known\n");
}

/* The reason of a row, and those below it in rows of their own. */
static void reasons(bo_grid *grid, size_t cells, const char *const *lines, size_t count)
{
    bo_grid_text(grid, count ? lines[0] : "");
    for (size_t i = 1; i < count; i++) {
        bo_grid_row(grid);
        for (size_t c = 0; c < cells; c++)
            bo_grid_text(grid, "");
        bo_grid_text(grid, lines[i]);
    }
}

void bo_text_coverage(bo_buf *out, const bo_style *style, const bo_point *point)
{
    static const bo_grid_column columns[] = {
        {"Table", .trim = true},
        {"Rows", .right = true},
        {"Kept by"},
        {"Capture"},
        {"Because", .trim = false},
    };
    if (!is_captured(point))
        return;
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < point->table_count; i++) {
        const bo_point_table *table = &point->tables[i];
        bo_grid_row(grid);
        bo_grid_text(grid, table->name);
        bo_text_rows(grid, table);
        bo_grid_text(grid, kept_by(table));
        bo_grid_state(grid, table->coverage[0] ? table->coverage : "-");
        reasons(grid, 4, table->reasons, table->reason_count);
    }
    bo_buf_add_byte(out, '\n');
    bo_grid_print(grid, out);
}

/* ---- doctor ---- */

static const char *state_of(const bo_finding *found)
{
    if (found->fixed)
        return strcmp(found->kind, "dead-run") == 0 ? "settled" : "removed";
    return found->bad ? "found" : "note";
}

/* The sentence, then what is known besides, indented. */
static void finding(bo_buf *out, const bo_style *style, const bo_finding *found)
{
    bo_state_add(out, style, state_of(found));
    const char *line = found->what;
    for (const char *before = ": "; line; before = "  ") {
        size_t size = strcspn(line, "\n");
        bo_buf_add_str(out, before);
        bo_text_escape(out, line, size);
        bo_buf_add_byte(out, '\n');
        line = line[size] ? line + size + 1 : NULL;
    }
    if (!found->fixed && found->next[0]) {
        bo_buf_add_str(out, "  next: ");
        bo_text_safe(out, found->next);
        bo_buf_add_byte(out, '\n');
    }
}

static void coverage(bo_buf *out, const bo_style *style, const bo_doctor *doctor)
{
    static const bo_grid_column columns[] = {
        {"Table", .trim = true},
        {"By snapshot"},
        {"By capture"},
        {"Because", .trim = false},
    };
    BO_OWN(bo_grid) *grid = bo_grid_create(style, columns, sizeof columns / sizeof columns[0]);
    if (!grid) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < doctor->table_count; i++) {
        const bo_table_coverage *table = &doctor->tables[i];
        bo_grid_row(grid);
        bo_grid_text(grid, table->name);
        bo_grid_state(grid, table->snapshot);
        bo_grid_state(grid, table->capture[0] ? table->capture : "-");
        reasons(grid, 3, table->reasons, table->reason_count);
    }
    if (doctor->table_count)
        bo_grid_print(grid, out);
}

void bo_text_doctor(bo_buf *out, const bo_style *style, const bo_doctor *doctor)
{
    coverage(out, style, doctor);
    if (doctor->table_count && doctor->finding_count)
        bo_buf_add_byte(out, '\n');
    for (size_t i = 0; i < doctor->finding_count; i++)
        finding(out, style, &doctor->findings[i]);
    bo_buf_add_str(out, "result: ");
    bo_state_add(out, style, doctor->result);
    bo_buf_add_byte(out, '\n');
}
