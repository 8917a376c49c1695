/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/undo.h - a rollback on its way: intent, conflicts, undo point, apply, proof.
 *
 * An intent is a changeset read as "this row should be there now (expected), and shall become that
 * (target)".  Partial: the sealed change, inverted: expected = after-image, target = before-image.
 * Full: the diff from now to the point: expected = the row of now, target = the before-image.  From
 * there both are one road.
 */
#ifndef BO_CHANGE_UNDO_H
#define BO_CHANGE_UNDO_H

#include "backout/backup.h"
#include "backout/rollback.h"
#include "change/journal.h"
#include "change/pace.h"
#include "change/take.h"

#define BO_LISTED_MAX 1000u

/** What shall happen to each entry of one table; bits by entry id (from 1). */
typedef struct bo_fate {
    uint64_t entries; /* ids 1..entries */
    uint8_t *listed;  /* bit set: it is in the list of conflicts */
    uint8_t *dropped; /* bit set: not carried out */
} bo_fate;

typedef struct bo_undo_conflict {
    uint32_t table;
    bo_conflict_class conflict_class;
    const uint8_t *image; /* of the row whose key names it; in the arena */
    size_t image_size;
    const char *because;
    size_t column_count;
    const char **columns;
} bo_undo_conflict;

typedef struct bo_undo {
    bo_session *session;
    bo_target *target;
    bo_arena *arena;
    const bo_rollback_options *options;
    bo_point_record record; /* of the point */
    json_t *details;        /* the record's, parsed: its tables are asked for one by one */
    bool sealed;
    bool in_place;       /* partial: it was done inside the database already, and read back there */
    bool full;           /* the whole tables are made as they were (a snapshot is there) */
    const char *follows; /* the run that this one takes the place of, or NULL */
    char run[64];
    char undo_id[BO_ID_SIZE]; /* of the undo point and of the marker; "" until chosen */
    bool nothing_kept;        /* there is no undo point: nothing was there before a restore */
    bool commit_sent;
    bool committed; /* known to be: whatever fails now fails after the rollback */
    bo_pace pace;

    bo_content *snapshot;              /* full, and of chosen writers */
    bo_content *change;                /* sealed: before -> after */
    bo_content *intent;                /* the changeset whose entries are carried out */
    bool inverted;                     /* intent is read from after to before */
    char intent_file[BO_ID_SIZE + 16]; /* full: the spooled diff; removed when it is not kept */
    bo_digest *now;                    /* of each part before apply, where it is known */
    bool *now_known;

    bo_journal *journal;             /* of captured parts; or NULL */
    const char *const *transactions; /* besides the change: those that depend on it (cascade) */
    size_t transaction_count;
    struct bo_dependents *dependents; /* change/dependents.h; NULL: not looked for */
    bo_mixed *mixed; /* per part: rows that others wrote between two writes of the change */

    bo_stage *stage;
    unsigned *staged; /* position in the stage of each part, UINT32_MAX: not staged */
    unsigned stage_count;
    bo_fate *fates;            /* of each part */
    bo_digest *going, *coming; /* of each part: rows that go and that come (for the proof) */

    uint32_t *bulk_order; /* full: the parts that come back in one stream, as they are loaded */
    uint32_t bulk_count;

    uint64_t conflict_count;
    uint64_t blocked_count; /* of class constraint or foreign-key: they cannot be replaced */
    uint64_t *conflicts_of; /* per part */
    size_t listed;
    bo_undo_conflict *conflicts;
    uint64_t lost_rows;
    bool lost_early;   /* some were written before the change, or while it went on */
    bool lost_unclear; /* some are of tables whose shape changed: whether others wrote them is not
                          known */
    uint64_t *lost_of;
    bo_draft *lost; /* full: the changeset from after to now, of what is given up */
    char lost_file[BO_ID_SIZE + 32];
    const char *lost_export; /* path of the JSON Lines file */
    bo_applied *planned;     /* per part */
    bo_applied *applied;     /* per part */
    const char **proofs;     /* per part */
    bool *ahead;             /* restore, per part: made before the transaction; or NULL */
    bool aside;              /* restore: some part may have a table aside */
    bo_buf notes;            /* lines */
    char plan_digest[65];
} bo_undo;

BO_DEFINE_SCOPE(bo_rollback);

/* ---- rollback.c ---- */
/** bo_rollback_execute() in the place of `run`, a live run of this process on the point, which ends
 * as failed when the rollback begins.  When it does not begin, `run` is still live. */
bo_status bo_rollback_follow(bo_session *session, const bo_database *database, const char *id,
    const char *run, const bo_rollback_options *options, bo_rollback **out, bo_error *err);

/* ---- road.c ---- */
/** What the record says of part `table`; NULL: nothing. */
const json_t *bo_undo_recorded(const bo_undo *undo, uint32_t table);

/* ---- intent.c ---- */
/** Opens what the rollback needs, describes the tables, checks their shape, chooses the parts.
 * Inside the transaction. */
bo_status bo_undo_prepare(bo_undo *undo, bo_error *err);
/** Fills undo->intent (full: by a diff) and the fates that the options ask for (only-added, where,
 * results file). */
bo_status bo_undo_intend(bo_undo *undo, bo_error *err);
/** undone.c: leaves out tables without key whose change an earlier rollback has undone. */
bo_status bo_undo_leave_out_undone(bo_undo *undo, bo_content *content, bo_error *err);
/** Begins a working file for undo->intent. */
bo_status bo_undo_spool_intent(
    bo_undo *undo, const bo_part *parts, uint32_t count, bo_draft **out, bo_error *err);
/** choose.c: drops the entries that the options leave out. */
bo_status bo_undo_choose(bo_undo *undo, bo_error *err);
/** It is among the tables and among those with a predicate, as far as any are named. */
bool bo_undo_table_chosen(const bo_rollback_options *options, const char *name);
/** What of the table's rows was asked for; NULL: all. */
const char *bo_undo_predicate(const bo_rollback_options *options, const char *table);
/* ---- writers.c ---- */
/** The change is what chosen writers did (a user, a run, dependent transactions), not what was
 * sealed. */
bool bo_undo_by_writers(const bo_undo *undo);
/** The content whose parts the rollback goes by. */
bo_content *bo_undo_base(const bo_undo *undo);
bool bo_undo_is_captured(const bo_undo *undo);
/** Whether the journals decide what is undone; else the sealed change does, and they are asked only
 * whose the conflicts are. */
bool bo_undo_reads_journal(const bo_undo *undo);
/** Checks the journals of captured parts, once; in type full those whose rows are nowhere else are
 * used. */
bo_status bo_undo_open_journal(bo_undo *undo, bo_error *err);
/** The writes that are undone.  Needs the journal. */
bo_status bo_undo_writers_filter(const bo_undo *undo, bo_journal_filter *filter, bo_error *err);
/** Fills undo->intent with what the chosen writers did. */
bo_status bo_undo_intend_by_writers(bo_undo *undo, bo_error *err);
/** Fills undo->mixed from the record of the seal. */
bo_status bo_undo_read_mixed(bo_undo *undo, bo_error *err);

/* ---- in_place.c ---- */
/** Sets undo->in_place when the whole change could be undone inside the database. */
bo_status bo_undo_try_in_place(bo_undo *undo, bo_error *err);

/* ---- walk.c ---- */
bool bo_fate_dropped(const bo_fate *fate, uint64_t id);
void bo_fate_drop(bo_fate *fate, uint64_t id);

/** Walks the entries of one table of the intent in the order of their ids. */
typedef struct bo_walk {
    bo_undo *undo;
    bo_changes changes;
    uint32_t table;
    uint64_t id;
    bo_image expected, target;
    bool end;
    bool all; /* dropped entries too */
} bo_walk;
bo_status bo_walk_open(bo_walk *walk, bo_undo *undo, uint32_t table, bool all, bo_error *err);
bo_status bo_walk_next(bo_walk *walk, bo_error *err);
void bo_walk_done(bo_walk *walk);

/** Called for every entry that is not dropped, in order, with its row of now (data NULL: there is
 * none). */
typedef bo_status bo_meet_fn(void *ctx, const bo_walk *walk, bo_image now, bo_error *err);
/** bo_driver.stage_locate or bo_driver.stage_readback. */
typedef bo_status bo_stage_find(
    bo_stage *stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err);
/** Walks the entries of `table` beside the rows that `find` reports for position `position` of
 * `stage` (NULL: none). */
bo_status bo_walk_meet(bo_undo *undo, uint32_t table, bo_stage *stage, unsigned position,
    bo_stage_find *find, bo_meet_fn *each, void *ctx, bo_error *err);
/** A bo_stage_next_fn over the walk in `ctx`. */
bo_status bo_walk_stage(void *ctx, bo_stage_entry *entry_out, bool *end_out, bo_error *err);

/* ---- conflict.c ---- */
/** Stages the intent, finds the rows of now, classifies, follows closure; lists conflicts; drops
 * what the policy skips. */
bo_status bo_undo_find_conflicts(bo_undo *undo, bo_error *err);
/** The state before a rollback, where nobody enforces foreign keys: it may have had references that
 * led nowhere, and BO_ON_CONFLICT_REPLACE brings them back. */
bool bo_undo_may_dangle(const bo_undo *undo);
/** All tables of the point become as they were, with the references among them. */
bool bo_undo_is_whole(const bo_undo *undo);
bo_status bo_undo_list_conflict(bo_undo *undo, uint32_t table, bo_conflict_class conflict_class,
    bo_image row, const char *because, const char *const *columns, size_t column_count,
    bo_error *err);

/* ---- bulk.c ---- */
/** Full: marks the parts that the change has emptied; they come back in one stream. */
bo_status bo_undo_choose_bulk(bo_undo *undo, bo_error *err);
bo_status bo_undo_load_bulk(bo_undo *undo, bo_error *err); /* fills them, but for a dry run */
bo_status bo_undo_check_bulk(
    bo_undo *undo, bo_error *err); /* their foreign keys, when all is applied */
/** Their part of the undo point: the rows that came. */
bo_status bo_undo_keep_bulk(bo_undo *undo, uint32_t table, bo_draft *draft, bo_error *err);

/* ---- computed.c ---- */
/** References by foreign keys of generated columns that lead nowhere, where nobody enforces them.
 */
bo_status bo_undo_count_computed(bo_undo *undo, uint64_t *out, bo_buf *example, bo_error *err);
/** BO_CONFLICT: there are more of them than before. */
bo_status bo_undo_check_computed(bo_undo *undo, uint64_t before, bo_error *err);

/* ---- columns.c ---- */
/** Rewrites the intent so that later writes to other columns of a row stay (--by column). */
bo_status bo_undo_merge_columns(bo_undo *undo, bo_error *err);

/* ---- lost.c ---- */
/** Full: the diff from now to the point goes into the intent; what others wrote since the seal into
 * `lost`. */
bo_status bo_undo_diff(bo_undo *undo, bo_error *err);
/** Full and sealed: counts, and writes into `lost`, the rows whose image of now is not what the
 * change left. */
bo_status bo_undo_find_lost(bo_undo *undo, bo_error *err);
/** Makes the lost rows durable in JSON Lines before they go. */
bo_status bo_undo_export_lost(bo_undo *undo, bo_error *err);

/* ---- protect.c ---- */
/** The state before the rollback becomes a point: its changeset is written, read back and recorded.
 */
bo_status bo_undo_protect(bo_undo *undo, bo_error *err);
/** The record of that point, which names no file yet; it borrows from `undo` and what is given. */
bo_point_record bo_undo_point_record(
    const bo_undo *undo, const char *description, const char *details);

/* ---- proof.c ---- */
/** The digest of the whole table of a part as this transaction sees it, with or without hints. */
bo_status bo_undo_read_digest(
    bo_undo *undo, uint32_t table, bool hints, bo_digest *out, bo_error *err);
bo_status bo_undo_prove(bo_undo *undo, bool *match_out, bo_error *err);
/** After the commit: sequences collide with nothing. */
bo_status bo_undo_sequences(bo_undo *undo, bo_error *err);

/* ---- outcome.c ---- */
/** The public result; conflicts get their keys as text (needs the connection). */
bo_status bo_undo_outcome(
    bo_undo *undo, const char *status, double seconds, bo_rollback **out, bo_error *err);

/* ---- recover.c ---- */
/** Asks the marker of run `run` on the target's (new) connection. */
bo_status bo_undo_was_committed(
    bo_session *session, bo_target *target, const char *run, bool *committed_out, bo_error *err);
/**
 * Records what the database decided: point rolled back and undo point usable, or undo point failed
 * and its file removed.
 * @param server  of the database that was changed: the point is rolled back only when it is the
 *                point's own.
 */
bo_status bo_undo_settle(bo_session *session, const bo_point_record *point, const char *undo_id,
    const char *server, bool committed, bo_error *err);
/** Under a run of `point`: settles what dead rollbacks and restores of it left, of its undo points,
 * and of the point that it is the undo point of.  BO_OK when nothing stands in the way any more. */
bo_status bo_undo_recover(bo_session *session, bo_target *target, const char *point, bo_error *err);

const char *bo_conflict_class_name(bo_conflict_class conflict_class);
const char *bo_rollback_type_name(bo_rollback_type type);

#endif
