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
 * restored into a scratch database (SQLite: a temporary file; PostgreSQL: temporary tables of
 * `database`) and compared.
 */
BO_API BO_NODISCARD bo_status bo_check_stored(bo_session *session, const bo_database *database,
    const char *id, bool test_restore, bo_check **out, bo_error *err);

typedef struct bo_prune_options {
    uint32_t keep_last; /* per database and table set; 0: no such rule */
    uint32_t keep_days; /* 0: no such rule */
    const char *table;  /* only points with this table, or NULL */
    bool dry_run;
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

/** Removes files of points that no rule keeps; never what an unfinished run or an unverified
 * rollback needs. */
BO_API BO_NODISCARD bo_status bo_prune_points(
    bo_session *session, const bo_prune_options *options, bo_prune **out, bo_error *err);

#ifdef __cplusplus
}
#endif
#endif
