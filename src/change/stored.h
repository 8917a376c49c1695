/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/stored.h - which files of the repository belong to which point, and whether a snapshot
 * restores. */
#ifndef BO_CHANGE_STORED_H
#define BO_CHANGE_STORED_H

#include "change/content.h"

/** What comes after a point's id in the names of its files: ".snapshot", ...; NULL-terminated. */
extern const char *const bo_stored_suffixes[];
/** How much of a file's name is a point's id; 0: it is not named like a point's file. */
size_t bo_stored_id_size(const char *name);
/** A spooled diff: the working file of a rollback, of its dry run or of an export. */
bool bo_stored_is_intent(const char *name);
/** Some rollback or restore is at work now, whatever its point; or another process in the
 * repository, whatever its catalog. */
bo_status bo_stored_in_use(bo_session *session, bool *out, bo_error *err);

/** Refuses a point whose files are gone (pruned) or were never whole; err says which. */
bo_status bo_point_check_whole(const bo_point_record *point, bo_error *err);
/** The same, and one whose change has no recorded end; `unknown` says what is not known for it. */
bo_status bo_point_check_sealed(const bo_point_record *point, const char *unknown, bo_error *err);

/** The root hash of the file with what the rollback gave up whose undo point this is; "": it gave
 * up nothing. */
void bo_stored_lost_root(const bo_point_record *undo_point, char out[65]);

/**
 * Really restores a snapshot into a scratch database and compares what can be read there.
 * @param driver    of the snapshot's database.
 * @param database  where temporary tables are made, unless databases are files there.
 * @retval BO_MISMATCH  other rows came out than went in, or the rows were not taken; err says
 * which.
 */
bo_status bo_stored_test_restore(bo_session *session, const bo_driver *driver,
    const bo_database *database, bo_content *content, bo_error *err);

#endif
