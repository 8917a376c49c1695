/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/shown.h - the rows of a pack with their texts, one at a time. */
#ifndef BO_CHANGE_SHOWN_H
#define BO_CHANGE_SHOWN_H

#include "change/content.h"

/** What a change does to a row, read from before to after. */
enum { BO_SHOWN_INSERT = 1u, BO_SHOWN_UPDATE = 2u, BO_SHOWN_DELETE = 4u, BO_SHOWN_ALL = 7u };

/** A change, or a row of a snapshot (which has a before-image only); valid during the call. */
typedef struct bo_shown {
    const bo_table *table; /* as it was: the shape of the images */
    uint16_t count;
    bo_image before, after;            /* data NULL: absent */
    const bo_text_value *before_texts; /* NULL: absent */
    const bo_text_value *after_texts;
} bo_shown;
typedef bo_status bo_shown_fn(void *ctx, const bo_shown *shown, bo_error *err);

unsigned bo_shown_kind(bo_image before, bo_image after); /* BO_SHOWN_INSERT, ... */

/**
 * The rows of one table, in the order of the pack.
 * @param kinds  which changes of a changeset; a snapshot gives all of its rows.
 */
bo_status bo_shown_table(bo_conn *conn, bo_content *content, uint32_t table, bo_render_form form,
    unsigned kinds, bo_shown_fn *each, void *ctx, bo_error *err);

/** A row of some table, and the key that names it to people. */
typedef struct bo_named_row {
    uint32_t table; /* position in the parts of the content */
    bo_image row;
    const char *key; /* set by bo_name_rows() */
} bo_named_row;

/** Gives each row its key as text, in `arena`, in the shape of the content; one question for each
 * table. */
bo_status bo_name_rows(bo_conn *conn, const bo_content *content, bo_arena *arena,
    bo_named_row *rows, size_t count, bo_error *err);

/** "7", "(7, a)": the key of a rendered row, or the whole row when the table has none. NULL: no
 * memory. */
char *bo_key_text(
    bo_arena *arena, const bo_table *was, uint16_t count, const bo_text_value *values);

#endif
