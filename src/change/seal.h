/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/seal.h - sealing, as run and rollback need it too. */
#ifndef BO_CHANGE_SEAL_H
#define BO_CHANGE_SEAL_H

#include "change/take.h"

/** Whose writes the change is. */
typedef struct bo_writer {
    const char *run; /* NULL: everybody's since the point */
    bool trusted;    /* every write of the run carries its mark: when none does, it wrote nothing */
} bo_writer;

/** Under the live run `run` of the point: writes the changeset from the point to now and updates
 * the record (status, change_file, details).  Of captured tables only what `writer` wrote is the
 * change.
 *
 * @retval BO_CONFLICT  `run` was found dead meanwhile: the record is left as it is. */
bo_status bo_point_seal_record(bo_session *session, bo_target *target, const char *run,
    bo_point_record *record, bo_writer writer, bo_arena *arena, bo_error *err);
/** The recorded details; BO_CORRUPT when they are no JSON.  The caller's to free. */
bo_status bo_point_details_read(const bo_point_record *record, json_t **out, bo_error *err);
/** Of these: true when the seal could not tell what the change did to this table (DDL), so that all
 * since counts as the change. */
bool bo_point_is_open(const json_t *details, uint32_t table);
/** True when the recorded details say so of some table: "open", "unstored", ... */
bool bo_point_has_table(const bo_point_record *record, const char *flag);
/** True when the rows of every table are in the point's snapshot. */
bool bo_point_stores_rows(const bo_point_record *record);
bool bo_content_has_predicate(const bo_content *content);

#endif
