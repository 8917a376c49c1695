/* SPDX-License-Identifier: Apache-2.0 */
/* src/report/grid.h - aligned columns of text, laid out by libsmartcols. */
#ifndef BO_REPORT_GRID_H
#define BO_REPORT_GRID_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/scope.h"

/** How text is laid out. */
typedef struct bo_style {
    bool color;
    unsigned width; /* columns of the terminal; 0: lines are as long as they need to be */
} bo_style;

typedef struct bo_grid_column {
    const char *name; /* NULL: nothing above the columns, which goes for all of them */
    bool right;       /* numbers */
    bool trim;        /* may be cut when the line is too long for the style's width */
    bool tree;        /* rows hang on their parents here */
} bo_grid_column;

typedef struct bo_grid bo_grid;

/** @retval NULL  out of memory. */
bo_grid *bo_grid_create(const bo_style *style, const bo_grid_column *columns, size_t column_count);
void bo_grid_free(bo_grid *grid); /* NULL is ignored */
BO_DEFINE_SCOPE(bo_grid);

/** Begins a row; cells are added from left to right. */
void bo_grid_row(bo_grid *grid);
/** The same under the row that was begun as number `parent`, from 0. */
void bo_grid_row_under(bo_grid *grid, size_t parent);
/** Text from a database or a file: made safe for terminals.  NULL is an empty cell. */
void bo_grid_text(bo_grid *grid, const char *text);
/** A row's key or, without one, all its values: cut where it gets long. */
void bo_grid_key(bo_grid *grid, const char *key);
/** A result or status: coloured by what it says. */
void bo_grid_state(bo_grid *grid, const char *state);
void bo_grid_number(bo_grid *grid, uint64_t number);

/** Adds the laid out lines to `out`; a failed allocation marks `out` as failed. */
void bo_grid_print(bo_grid *grid, bo_buf *out);

/** The colour a result or status is shown in ("green"), or NULL. */
const char *bo_state_color(const char *state);
/** Adds `state`, coloured when the style says so. */
void bo_state_add(bo_buf *out, const bo_style *style, const char *state);

#endif
