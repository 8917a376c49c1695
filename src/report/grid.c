/* SPDX-License-Identifier: Apache-2.0 */
/* src/report/grid.c - aligned columns of text, laid out by libsmartcols. */
#include "report/grid.h"

#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct bo_grid {
    struct libscols_table *table;
    struct libscols_line *line;
    size_t cell;
    bool color;
    bool failed;
};

static const struct {
    const char *state, *color, *code;
} colors[] = {
    {"match", "green", "\033[32m"},
    {"done", "green", "\033[32m"},
    {"sealed", "green", "\033[32m"},
    {"mismatch", "red", "\033[31m"},
    {"failed", "red", "\033[31m"},
    {"refused", "red", "\033[31m"},
    {"clean", "green", "\033[32m"},
    {"covered", "green", "\033[32m"},
    {"found", "red", "\033[31m"},
    {"uncovered", "red", "\033[31m"},
    {"covered with limits", "yellow", "\033[33m"},
    {"inconclusive", "yellow", "\033[33m"},
    {"unknown", "yellow", "\033[33m"},
    {"open", "yellow", "\033[33m"},
};

const char *bo_state_color(const char *state)
{
    for (size_t i = 0; i < sizeof colors / sizeof colors[0]; i++)
        if (state && strcmp(colors[i].state, state) == 0)
            return colors[i].color;
    return NULL;
}

void bo_state_add(bo_buf *out, const bo_style *style, const char *state)
{
    const char *code = NULL;
    for (size_t i = 0; style->color && i < sizeof colors / sizeof colors[0]; i++)
        if (strcmp(colors[i].state, state) == 0)
            code = colors[i].code;
    if (code)
        bo_buf_add_str(out, code);
    bo_text_escape(out, state, strlen(state));
    if (code)
        bo_buf_add_str(out, "\033[0m");
}

bo_grid *bo_grid_create(const bo_style *style, const bo_grid_column *columns, size_t column_count)
{
    BO_OWN(bo_grid) *grid = calloc(1, sizeof *grid);
    if (!grid)
        return NULL;
    grid->table = scols_new_table();
    if (!grid->table)
        return NULL;
    grid->color = style->color;
    scols_table_enable_colors(grid->table, style->color);
    if (scols_table_set_column_separator(grid->table, "  ") != 0)
        return NULL;
    scols_table_set_termforce(
        grid->table, style->width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
    if (style->width)
        scols_table_set_termwidth(grid->table, style->width);
    scols_table_enable_noheadings(grid->table, column_count && !columns[0].name);
    for (size_t i = 0; i < column_count; i++) {
        int flags = (columns[i].right ? SCOLS_FL_RIGHT : 0) |
                    (columns[i].trim && style->width ? SCOLS_FL_TRUNC : 0) |
                    (columns[i].tree ? SCOLS_FL_TREE : 0);
        struct libscols_column *column =
            scols_table_new_column(grid->table, columns[i].name ? columns[i].name : "", 0, flags);
        /* text is made safe here, in more ways than libsmartcols does; it must not do it again */
        if (!column || scols_column_set_safechars(column, "\\") != 0)
            return NULL;
        if (style->color && scols_cell_set_color(scols_column_get_header(column), "bold") != 0)
            return NULL;
    }
    return BO_TAKE(grid);
}

void bo_grid_free(bo_grid *grid)
{
    if (!grid)
        return;
    scols_unref_table(grid->table);
    free(grid);
}

static void begin_row(bo_grid *grid, struct libscols_line *parent)
{
    grid->line = scols_table_new_line(grid->table, parent);
    grid->cell = 0;
    grid->failed = grid->failed || !grid->line;
}

void bo_grid_row(bo_grid *grid)
{
    begin_row(grid, NULL);
}

void bo_grid_row_under(bo_grid *grid, size_t parent)
{
    begin_row(grid, scols_table_get_line(grid->table, parent));
}

void bo_grid_text(bo_grid *grid, const char *text)
{
    if (grid->failed)
        return;
    BO_OWN_VALUE(bo_buf) safe = {0};
    if (text)
        bo_text_escape(&safe, text, strlen(text));
    if (safe.failed || scols_line_set_data(grid->line, grid->cell++, bo_buf_str(&safe)) != 0)
        grid->failed = true;
}

void bo_grid_key(bo_grid *grid, const char *key)
{
    enum { KEY_BYTES = 120 };
    if (!key || strlen(key) <= KEY_BYTES) {
        bo_grid_text(grid, key);
        return;
    }
    char cut[KEY_BYTES + 8];
    int size = KEY_BYTES;
    while (size > 0 && ((unsigned char)key[size] & 0xc0) == 0x80) /* not inside of a character */
        size--;
    (void)snprintf(cut, sizeof cut, "%.*s…", size, key);
    bo_grid_text(grid, cut);
}

void bo_grid_state(bo_grid *grid, const char *state)
{
    bo_grid_text(grid, state);
    const char *color = bo_state_color(state);
    if (grid->failed || !grid->color || !color)
        return;
    struct libscols_cell *cell = scols_line_get_cell(grid->line, grid->cell - 1);
    if (scols_cell_set_color(cell, color) != 0)
        grid->failed = true;
}

void bo_grid_number(bo_grid *grid, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    bo_grid_text(grid, text);
}

/* The lines of `text`, without the blanks that fill the last column. */
static void add_trimmed(bo_buf *out, const char *text)
{
    while (*text) {
        size_t line = strcspn(text, "\n");
        size_t size = line;
        while (size && text[size - 1] == ' ')
            size--;
        bo_buf_add(out, text, size);
        bo_buf_add_byte(out, '\n');
        text += line + (text[line] == '\n');
    }
}

void bo_grid_print(bo_grid *grid, bo_buf *out)
{
    BO_OWN_MEM char *text = NULL;
    if (grid->failed || scols_print_table_to_string(grid->table, &text) != 0 || !text)
        out->failed = true;
    else
        add_trimmed(out, text);
}
