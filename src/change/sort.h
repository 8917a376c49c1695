/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/sort.h - sorting more records than memory holds: sorted runs in an unlinked temporary
 * file, merged. */
#ifndef BO_CHANGE_SORT_H
#define BO_CHANGE_SORT_H

#include "base/scope.h"
#include "data/image.h"

typedef struct bo_sorter bo_sorter;

/** @param folder  where runs are spilled (bo_repository_scratch);  @param memory_bytes  kept in
 * memory at most. */
bo_status bo_sorter_create(const char *folder, size_t memory_bytes, bo_sorter **out, bo_error *err);
void bo_sorter_free(bo_sorter *sorter);
BO_DEFINE_SCOPE(bo_sorter);
/** Copies key and payload.  Safe from several threads until bo_sorter_finish(). */
bo_status bo_sorter_add(bo_sorter *sorter, bo_span key, bo_span payload, bo_error *err);
bo_status bo_sorter_finish(bo_sorter *sorter, bo_error *err);
/** Records in the byte order of their keys; spans are valid until the next call.  False in
 * *more_out at the end. */
bo_status bo_sorter_next(
    bo_sorter *sorter, bo_span *key_out, bo_span *payload_out, bool *more_out, bo_error *err);

#endif
