/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/chosen.h - a part with a predicate: its rows are followed by key, wherever the change
 * took them. */
#ifndef BO_CHANGE_CHOSEN_H
#define BO_CHANGE_CHOSEN_H

#include "change/content.h"

typedef struct bo_chosen {
    bo_image_fn *before; /* each row of the snapshot */
    bo_image_fn *now;    /* each row of now that has the key of one of them */
    void *ctx;
} bo_chosen;

/**
 * Reads the rows of part `table` then and now, inside a BO_TX_WRITE transaction.
 * @param entered_out  rows that meet the users' predicate now and are not in the snapshot.  Whether
 * the change added them or only changed them so that they meet it cannot be known; they are left
 * alone.
 */
bo_status bo_chosen_rows(bo_target *target, const char *scratch, bo_content *content,
    uint32_t table, const bo_chosen *chosen, uint64_t *entered_out, bo_error *err);

#endif
