/* SPDX-License-Identifier: Apache-2.0 */
/* include/backout/point.h - rollback points: named moments a set of tables (or rows) can return to.
 */
#ifndef BACKOUT_POINT_H
#define BACKOUT_POINT_H

#include "backout/session.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Which rows of which tables. */
typedef struct bo_scope_item {
    const char *table;     /* "orders", "sales.orders", "\"odd name\"" */
    const char *predicate; /* SQL condition, or NULL: the whole table */
} bo_scope_item;

typedef struct bo_entity {
    const char *name;  /* "campaign" */
    const char *value; /* "123" */
} bo_entity;

/** How the state before a change is kept. */
typedef enum bo_method {
    BO_METHOD_SNAPSHOT, /* every row is read and stored now */
    BO_METHOD_CAPTURE,  /* rows are kept as they change, by triggers and journals in the database */
    BO_METHOD_BOTH,     /* captured, and a snapshot for when the capture turns out broken */
} bo_method;

typedef struct bo_point_options {
    const bo_scope_item *scope; /* none: every user table */
    size_t scope_count;
    bool no_closure; /* only what is named: not the rows that the engine itself would delete or
                        change because of these, by foreign keys */
    bo_method method;
    const char *migration;   /* names the point: rb_<migration>_<time>; NULL: "manual" */
    const char *description; /* or NULL */
    const bo_entity *entities;
    size_t entity_count;
    const char
        *kind; /* NULL: "point"; "backup"; "dry-run" (id gets DRY_RUN_ before it); no other */
} bo_point_options;

/** One table of a point. */
typedef struct bo_point_table {
    const char *name;
    const char *predicate; /* as it was given, or NULL */
    const char *closure;   /* how foreign keys reach rows of it that were not named; or NULL */
    uint64_t rows;
    uint64_t bytes;       /* of images, before compression */
    const char *digest;   /* hex */
    bool stored;          /* its rows are in the snapshot; otherwise `rows` is an estimate */
    bool captured;        /* its changes are in a journal in the database */
    const char *coverage; /* of the capture, when the point was taken: "covered", "covered with
                             limits", "uncovered" (it is stored then); "": none was asked for */
    size_t reason_count;
    const char *const *reasons; /* the limits of the capture, or why there is none */
    bool has_key;               /* rows are identified by a key; otherwise as a multiset */
    size_t limit_count;
    const char *const *limits; /* what cannot be undone, one sentence each */
    bool reshaped; /* the change altered its shape: what it did to the rows is not told apart, and
                      only type full takes it back */
    /* what the sealed change did to it */
    uint64_t inserted, updated, deleted;
} bo_point_table;

typedef struct bo_file_info {
    const char *name;
    uint64_t bytes;
    bool present;
    const char *problem; /* "": none; "missing", "removed by prune" or "cannot be read" */
    bool encrypted;      /* bo_point_get() only */
} bo_file_info;

/** An execution that belongs to a point, with what a person should do when it did not end. */
typedef struct bo_run_info {
    const char *id, *kind, *status, *step, *actor;
    int64_t started_us, ended_us;
    bool dead;             /* its process is gone */
    const char *explained; /* what is known of its outcome, one or two sentences */
    const char *next;      /* command to run next, or "" */
} bo_run_info;

/** Everything the catalog knows of a point; owned by the call that made it. */
typedef struct bo_point {
    const char *id, *kind, *migration, *description, *database, *url, *engine, *method, *status,
        *parent;
    int64_t created_us, sealed_us; /* microseconds since 1970; sealed_us 0: not sealed */
    int64_t released_us;           /* when its capture ended; 0: it has not, or there was none */
    uint64_t untagged; /* captured: rows written during the run, when none carries its mark: whether
                          they are the change's is not known */
    size_t table_count;
    const bo_point_table *tables;
    size_t entity_count;
    const bo_entity *entities;
    size_t file_count;
    const bo_file_info *files;
    size_t run_count;
    const bo_run_info *runs; /* newest first; bo_point_get() only */
} bo_point;

typedef struct bo_point_list bo_point_list;
BO_API size_t bo_point_list_count(const bo_point_list *list);
BO_API const bo_point *bo_point_list_get(const bo_point_list *list, size_t index); /* borrowed */
BO_API void bo_point_list_free(bo_point_list *list);

/**
 * Takes a rollback point: every table of the scope as of one instant, on disk, read back and
 * verified, before anything is destroyed.  Writers are not blocked (SQLite: in WAL mode only).
 * One scan per table; memory does not grow with the table.
 *
 * @param out  a list of one.
 * @retval BO_NOTFOUND     a table does not exist; err names it.
 * @retval BO_INVALID      a predicate has an error; err has the database's words.
 * @retval BO_UNSUPPORTED  a table cannot be covered; err says why.
 * @retval BO_DENIED       a right is missing; err names it.
 * @retval BO_IO           the snapshot was not written (disk full); no partial file remains.
 */
BO_API BO_NODISCARD bo_status bo_point_create(bo_session *session, const bo_database *database,
    const bo_point_options *options, bo_point_list **out, bo_error *err);

/**
 * The change has ended: writes what it did (the changeset from before to after) and its counts;
 * later changes are others'.  Sealing a sealed point is BO_EXISTS.
 */
BO_API BO_NODISCARD bo_status bo_point_seal(bo_session *session, const bo_database *database,
    const char *id, bo_point_list **out, bo_error *err);

/**
 * Ends the capture of a point: triggers and journals that no other point needs leave the database.
 * What the sealed change did stays in the repository, so type partial works on; what others did
 * since, and who wrote what, is not known any more.  Doing it again is BO_OK.
 *
 * @param discard  end it also when the point is not sealed: what the change did to tables that are
 *                 not stored is not known then.
 * @param out      a list of one.
 * @retval BO_REFUSED  not sealed, and `discard` is false; or nothing was captured for it.
 * @retval BO_BUSY     a run is at work on the point, or a table is locked.
 */
BO_API BO_NODISCARD bo_status bo_point_release(bo_session *session, const bo_database *database,
    const char *id, bool discard, bo_point_list **out, bo_error *err);

typedef struct bo_point_query {
    const char *database;    /* or NULL */
    const char *table;       /* or NULL */
    const char *migration;   /* or NULL */
    const bo_entity *entity; /* or NULL */
    bool with_undo;          /* also the points that rollbacks made of the state before them */
    bool without_failed;     /* not the points that could not be taken */
    bool usable;             /* only points that one can return to, and no dry run's */
    bool of_a_change;        /* no backups */
    uint32_t limit;          /* 0: all */
} bo_point_query;
/** Points, newest first; with files, which are not read. */
BO_API BO_NODISCARD bo_status bo_point_find(
    bo_session *session, const bo_point_query *query, bo_point_list **out, bo_error *err);
/** One point by id, by a unique beginning of it, or "latest" (of a change: backups are none); with
 * files and runs. */
BO_API BO_NODISCARD bo_status bo_point_get(
    bo_session *session, const char *id, bo_point_list **out, bo_error *err);

#ifdef __cplusplus
}
#endif
#endif
