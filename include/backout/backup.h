/* SPDX-License-Identifier: Apache-2.0 */
/* include/backout/backup.h - backups tied to no change, checks of what is stored, retention. */
#ifndef BACKOUT_BACKUP_H
#define BACKOUT_BACKUP_H

#include "backout/rollback.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Restores whole tables from a point's or backup's snapshot, or straight from a file without any
 * catalog record.  Tables that do not exist are made from the recorded definition.  The state
 * before is a point (undo_point).  Proved by a digest of every table before it is committed.
 *
 * @param what  a point id or the path of a pack file.
 * @param out   as from bo_rollback_execute().
 */
BO_API BO_NODISCARD bo_status bo_restore(bo_session *session, const bo_database *database,
    const char *what, const char *const *tables, size_t table_count, bool dry_run,
    bo_rollback **out, bo_error *err);

typedef struct bo_check_item {
    const char *point; /* id, or "" for a stray file */
    const char *file;
    const char *result;  /* "match", "mismatch", "inconclusive" */
    const char *problem; /* "" when it matches; names the part that is broken and what is still
                            restorable */
    uint64_t bytes, rows;
} bo_check_item;

typedef struct bo_check {
    const char *result;
    size_t item_count;
    const bo_check_item *items;
} bo_check;
BO_API void bo_check_free(bo_check *check);

/**
 * Reads every byte of the stored files (of one point, or all with `id` NULL): present, readable,
 * decryptable, checksums right, counts as recorded.  With test_restore each snapshot is really
 * restored into a scratch database (SQLite: a temporary file; on a server: temporary tables of
 * `database`, rolled back) and compared.  Files that belong to nothing are "inconclusive" items.
 *
 * @param database  may be NULL where no snapshot of a server is restored.
 * @param out  set on BO_OK, which may hold "inconclusive" items (no passphrase, no server), and on
 * BO_MISMATCH.
 * @retval BO_MISMATCH  a file is missing or not what was written.
 * @retval BO_INVALID   a snapshot of a server is to be restored, and `database` is NULL.
 * @retval BO_REFUSED   the point `id` has no files: it was pruned, or was never whole.
 */
BO_API BO_NODISCARD bo_status bo_check_stored(bo_session *session, const bo_database *database,
    const char *id, bool test_restore, bo_check **out, bo_error *err);

/** Where a point's database is: name and URL as the catalog has them.  What *out points to must
 * stay valid until the next call. */
typedef bo_status bo_database_fn(
    void *ctx, const char *name, const char *url, const bo_database **out, bo_error *err);

typedef struct bo_prune_options {
    uint32_t keep_last; /* per database and table set; 0: no such rule */
    uint32_t keep_days; /* 0: no such rule */
    const char *table;  /* only points with this table, or NULL */
    bool dry_run;
    bo_database_fn *database; /* of a point whose capture has to be ended; NULL: the URL alone */
    void *ctx;
} bo_prune_options;

typedef struct bo_prune_item {
    const char *point;
    bool removed;        /* (or would be) */
    const char *because; /* why it goes or stays */
    uint64_t bytes;
} bo_prune_item;

typedef struct bo_prune {
    size_t item_count;
    const bo_prune_item *items;
    uint64_t removed, bytes;
} bo_prune;
BO_API void bo_prune_free(bo_prune *prune);

/**
 * Removes the files of points that every given rule lets go.  Whatever the rules, a point stays
 * while a run is at work on it or its last run did not come to an end; for a day when it is not
 * sealed; an undo point, while its parent stays.  What an interrupted prune, and processes that
 * died, left behind goes too.  The capture of a point that goes is ended in its database; one that
 * cannot be reached is a warning, and bo_doctor_examine() ends the capture later.  Each point that
 * goes is audited.
 *
 * @retval BO_INVALID  no rule is given.
 */
BO_API BO_NODISCARD bo_status bo_prune_points(
    bo_session *session, const bo_prune_options *options, bo_prune **out, bo_error *err);

#ifdef __cplusplus
}
#endif
#endif
