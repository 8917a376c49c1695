/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/store/catalog.h - backout's own records: points, runs and the audit log.
 *
 * The catalog is a database of ours, SQLite (WAL) by default or PostgreSQL when several hosts share
 * it; the same SQL runs on both through the driver.  It has a schema version with migrations.
 * Several backout processes may use it at once: every change is one transaction that takes the
 * write lock first.  Opened once per process; not shared between threads.
 */
#ifndef BO_STORE_CATALOG_H
#define BO_STORE_CATALOG_H

#include <jansson.h>

#include "driver/driver.h"

typedef struct bo_catalog bo_catalog;

/**
 * Opens the catalog; makes and migrates it when needed.  On SQLite its folder is made 0700 and the
 * file 0600; on PostgreSQL everything is in the schema backout_catalog.
 *
 * @param url  "sqlite:/path/catalog.db" or "postgresql://...".
 * @param lock_timeout_ms  how long to wait for other backout processes: for the write lock, and for
 * the live run of a point; 0: 10 s.
 * @retval BO_DENIED       others may write to the file or its folder, or it is somebody else's.
 * @retval BO_UNSUPPORTED  a later version of backout wrote it.
 * @see docs/design/catalog.md
 */
bo_status bo_catalog_open(const char *url, const char *password, uint32_t lock_timeout_ms,
    bo_catalog **out, bo_error *err);
/** BO_NOTFOUND when no catalog is there; nothing is made or written. */
bo_status bo_catalog_find(
    const char *url, const char *password, uint32_t lock_timeout_ms, bo_error *err);
/** True for a file that is there, and that this process may not write, or its folder not. */
bool bo_catalog_is_frozen(const char *url);
/**
 * Opens such a file to be read as it is; every write to it is BO_DENIED.
 *
 * @retval BO_NOTFOUND     no catalog is there.
 * @retval BO_IO           what was written last is in a journal that only a writer can read.
 * @retval BO_UNSUPPORTED  another version of backout wrote it.
 * @see docs/design/catalog.md, "Read only"
 */
bo_status bo_catalog_open_frozen(const char *url, bo_catalog **out, bo_error *err);
bool bo_catalog_is_read_only(const bo_catalog *catalog);
/** Runs of it that have not ended are dead then.  In a child of the process that opened it only
 * memory is freed: connection and runs are the parent's. */
void bo_catalog_free(bo_catalog *catalog);
BO_DEFINE_SCOPE(bo_catalog);
bo_conn *bo_catalog_conn(bo_catalog *catalog);
/**
 * A write transaction around several calls.  It nests: only the outermost end commits, and whatever
 * these calls promise to be durable is durable then.  BO_BUSY names the process that holds the
 * lock, where that can be told, and the runs that are at work.
 */
bo_status bo_catalog_begin(bo_catalog *catalog, bo_error *err);
/** With `keep` false, here or in an inner one, all is undone; then `keep` true is BO_FAILED. */
bo_status bo_catalog_end(bo_catalog *catalog, bool keep, bo_error *err);
/** Ends a transaction: keeps it if `st` is BO_OK.  Returns `st`, or how the commit failed. */
bo_status bo_catalog_finish(bo_catalog *catalog, bo_status st, bo_error *err);

/* ---- points ---- */
typedef enum bo_point_status {
    BO_POINT_CREATING, /* its files are not whole: never used */
    BO_POINT_READY,    /* taken; the change has not ended */
    BO_POINT_SEALED,   /* the change has ended: what comes later is others' */
    BO_POINT_ROLLED_BACK,
    BO_POINT_FAILED, /* could not be taken */
    BO_POINT_PRUNED, /* files removed; the record stays */
} bo_point_status;
const char *bo_point_status_name(
    bo_point_status status); /* "creating", "ready", "sealed", "rolled-back", ... */

/** A row of the catalog's table point.  Strings are owned by the arena they were read into. */
typedef struct bo_point_record {
    const char *id;
    const char *kind; /* "point", "backup", "undo" (state before a rollback), "dry-run" */
    const char *migration;
    const char *description;
    const char *database; /* name in the configuration or redacted URL */
    const char *url;      /* redacted */
    const char *server;   /* bo_identity.server */
    const char *engine;
    const char *method; /* "snapshot", "capture", "both" */
    bo_point_status status;
    int64_t created_us;
    int64_t sealed_us;       /* 0: not sealed */
    const char *file;        /* snapshot (or, for an undo point, changeset) in the repository */
    const char *change_file; /* changeset before -> after, written by the seal; or NULL */
    const char *root;        /* hex of the pack's root hash; "" until known */
    const char *change_root;
    const char *parent;   /* undo: the point whose rollback made it; or NULL */
    const char *run;      /* run that made it; or NULL */
    const char *entities; /* JSON object {"campaign":"123"} */
    const char *details;  /* JSON object: tables [{name, rows, bytes, digest, predicate, limits}],
                             sequences, warnings */
} bo_point_record;

bo_status bo_catalog_point_add(
    bo_catalog *catalog, const bo_point_record *point, bo_error *err); /* BO_EXISTS */
bo_status bo_catalog_point_update(
    bo_catalog *catalog, const bo_point_record *point, bo_error *err); /* all fields, by id */
/** @param id  a whole id, a unique beginning of one (at least 4 characters), or "latest".
 * "latest" is the newest of a change that one can return to: ready, sealed or rolled back, and not
 * an undo point, a dry run's or a backup.  BO_NOTFOUND; BO_INVALID lists the candidates of an
 * ambiguous beginning.
 */
bo_status bo_catalog_point_find(
    bo_catalog *catalog, const char *id, bo_arena *arena, bo_point_record *out, bo_error *err);

/** The point of exactly this id; *there_out false: there is none, and `out` is as it was. */
bo_status bo_catalog_point_get(bo_catalog *catalog, const char *id, bo_arena *arena,
    bo_point_record *out, bool *there_out, bo_error *err);

/** Its files are there, and one can return to it: ready, sealed or rolled back. */
bool bo_point_is_whole(const bo_point_record *point);

typedef struct bo_point_filter {
    const char *database;     /* or NULL */
    const char *table;        /* or NULL; "t" finds "s.t" too */
    const char *migration;    /* or NULL */
    const char *entity_name;  /* or NULL */
    const char *entity_value; /* NULL: any */
    bool with_undo;           /* undo points too */
    bool without_failed;      /* not those that could not be taken */
    bool usable;              /* only whole ones, and no dry run's: what "latest" is looked among */
    bool of_a_change;         /* no backups */
    uint32_t limit;           /* 0: all */
} bo_point_filter;
/** Newest first.  @param filter  NULL: all but undo points. */
bo_status bo_catalog_points(bo_catalog *catalog, const bo_point_filter *filter, bo_arena *arena,
    bo_point_record **out, size_t *count_out, bo_error *err);

/* ---- runs: one execution of anything that changes state, journalled step by step ---- */
typedef struct bo_run_record {
    const char *id;     /* "run_20261120_041739_ab12" */
    const char *kind;   /* "point", "run", "seal", "rollback", "restore", "prune", "release" */
    const char *point;  /* id or NULL */
    const char *status; /* "running", "done", "failed", "refused", "mismatch", "unknown", "died" */
    const char *step;   /* the last step that was journalled: "applying" */
    int64_t started_us;
    int64_t ended_us; /* 0: not ended */
    int64_t lease_us; /* until when the owner promised to be back; keeper.h */
    const char *host;
    int64_t pid;
    const char *process; /* start time of the process, so that a reused pid is not mistaken */
    const char *actor;
    const char *token;   /* of the commit marker; or NULL */
    const char *details; /* JSON object */
} bo_run_record;

/**
 * Begins a run as this process.  One live run per point, and none beside it on an undo point of it
 * or on the point that it is the undo point of: their records change together.  Another one is
 * waited for as long as the lock timeout says, except inside a transaction of the caller's; BO_BUSY
 * names its process and step.  Runs whose process is gone become "died" and keep their step.  The
 * id is made here.
 */
bo_status bo_catalog_run_begin(bo_catalog *catalog, const char *kind, const char *point,
    const char *actor, char id_out[64], bo_error *err);
/** The same in the place of `before`, a run of this process on this point, which ends as `status`
 * in the same moment: nobody else gets in between.  When it fails, `before` goes on. */
bo_status bo_catalog_run_follow(bo_catalog *catalog, const char *before, const char *status,
    const char *kind, const char *point, const char *actor, char id_out[64], bo_error *err);
/** Journals a step, durably, before it is acted on; renews the lease; then calls bo_step(step).
 * token/details NULL: kept.  BO_CONFLICT: the run is not running any more (another process found it
 * dead): stop. */
bo_status bo_catalog_run_step(bo_catalog *catalog, const char *run, const char *step,
    const char *token, const char *details, bo_error *err);
/** Also of a run that died, once it is known what became of it.  details NULL: kept.  When it
 * cannot be recorded, this process is not at work on the run any more all the same: it is dead. */
bo_status bo_catalog_run_end(
    bo_catalog *catalog, const char *run, const char *status, const char *details, bo_error *err);
bo_status bo_catalog_runs(bo_catalog *catalog, const char *point, uint32_t limit, bo_arena *arena,
    bo_run_record **out, size_t *count_out, bo_error *err); /* newest first; point NULL: all */
/** Those that are "running", of a point, of its undo points and of the point that it is the undo
 * point of, or (NULL) of all; the oldest first.  Their processes may be gone. */
bo_status bo_catalog_runs_running(bo_catalog *catalog, const char *point, bo_arena *arena,
    bo_run_record **out, size_t *count_out, bo_error *err);
/** Rollbacks and restores of a point, its undo points and the point that it is the undo point of,
 * which died or whose outcome is not known; the oldest first.  Under a run of the point none of
 * them is still "running". */
bo_status bo_catalog_runs_unsettled(bo_catalog *catalog, const char *point, bo_arena *arena,
    bo_run_record **out, size_t *count_out, bo_error *err);
/** True when a "running" run's process is gone (this host), when it is this very process and not at
 * work on it any more, or, where it cannot be seen (another host or container), when its lease is
 * over. */
bool bo_run_is_dead(const bo_run_record *run);
/** At work now: "running", and not dead. */
bool bo_run_is_live(const bo_run_record *run);

/* ---- audit log: docs/design/audit.md ---- */
typedef struct bo_audit_record {
    uint64_t sequence;
    int64_t time_us;
    const char *event;    /* "point.create", "rollback.execute", "point.prune", ... */
    const char *actor;    /* user@host[pid] */
    const char *object;   /* point id, table, file */
    const char *outcome;  /* "begun", "done", "failed", "refused", "unknown" */
    const char *details;  /* JSON object, canonical */
    const char *previous; /* hex BLAKE2b-256 */
    const char *hash;
} bo_audit_record;

/**
 * Appends one record and makes it durable before returning.  What a terminal, UTF-8 or JSON cannot
 * take in `actor` and `object` is escaped.
 *
 * @param details  an object, or NULL for {}; borrowed.
 * @retval BO_CORRUPT  the head of the log was tampered with: nothing is added to such a log.
 */
bo_status bo_audit_append(bo_catalog *catalog, const char *event, const char *actor,
    const char *object, const char *outcome, const json_t *details, bo_error *err);
bo_status bo_audit_list(bo_catalog *catalog, uint32_t limit, bo_arena *arena, bo_audit_record **out,
    size_t *count_out, bo_error *err); /* newest first; 0: all */
typedef struct bo_audit_check {
    uint64_t records;
    bool whole;         /* false: broken_at and reason say where and how */
    uint64_t broken_at; /* sequence */
    char reason[160];
    char head[65]; /* hash of the last record, "" when empty */
} bo_audit_check;
/** Reads the whole log, in constant memory, as of one instant.  BO_OK when it could be read: `out`
 * says whether it is whole. */
bo_status bo_audit_verify(bo_catalog *catalog, bo_audit_check *out, bo_error *err);
/** The same for an exported file of at most 512 MiB, offline, without any catalog; a cut tail shows
 * in `head` only.  BO_CORRUPT: not a JSON array at all. */
bo_status bo_audit_verify_file(const char *path, bo_audit_check *out, bo_error *err);
/** Writes the log to `path` (0600, durable) as one JSON array, oldest first.  BO_EXISTS when
 * something is there, unless it is a regular file and `replace` is true. */
bo_status bo_audit_export(bo_catalog *catalog, const char *path, bool replace, bo_error *err);

#endif
