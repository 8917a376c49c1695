/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/journal.h - points whose changes are captured: which tables, since when, and reading
 * their journals as changes.  docs/design/capture.md.
 */
#ifndef BO_CHANGE_JOURNAL_H
#define BO_CHANGE_JOURNAL_H

#include "change/content.h"

const char *bo_method_name(bo_method method);       /* "snapshot", "capture", "both" */
const char *bo_coverage_name(bo_coverage coverage); /* "covered", "covered with limits", ... */

/** What of this table's changes would be captured; reasons_out: lines, in `arena`.  The database
 * can capture. */
bo_status bo_capture_coverage(bo_target *target, const bo_table *now, bo_coverage *out,
    const char **reasons_out, bo_arena *arena, bo_error *err);

/**
 * Decides which parts are captured and which are stored, as `method` asks and their coverage
 * allows.  Parts with a predicate are few rows: they are stored.  So is a table that cannot be
 * captured; the part says why.
 */
bo_status bo_capture_choose(bo_target *target, bo_method method, bo_part *parts, uint32_t count,
    bo_arena *arena, bo_error *err);
/** In the details of a point that could not be taken because another catalog has a capture of its
 * name: what is captured under that name is not this catalog's. */
#define BO_CAPTURE_ELSEWHERE "captured_elsewhere"

/** Captures the captured parts for `point` from here on; nothing when none is.  BO_EXISTS: another
 * catalog has a capture of this name. */
bo_status bo_capture_begin(
    bo_target *target, const bo_part *parts, uint32_t count, const char *point, bo_error *err);
/** The point needs its journals no more. */
bo_status bo_capture_end(bo_target *target, const char *point, bo_error *err);

/** Where the journals are now, for the point or its seal: added to `details`. */
bo_status bo_journal_note(bo_target *target, const bo_part *parts, uint32_t count, json_t *details,
    const char *name, bo_error *err);

/** Reading what was written since the point. */
typedef struct bo_journal {
    bo_journal_filter filter; /* since the point, up to the seal */
    const char *run;          /* whose writes the sealed change is; NULL: all of them */
    const char **broken;      /* of each part: why its journal cannot be trusted, or NULL */
} bo_journal;

/**
 * Checks the capture of every captured part and makes the filter of all writes since the point,
 * in content->arena.  Inside the transaction that will read.
 */
bo_status bo_journal_open(bo_target *target, const bo_point_record *record, bo_content *content,
    bo_journal **out, bo_error *err);
/**
 * What reads a point without a run of it asks again before it calls a capture broken: others may
 * have ended it since the record was read, or be ending it.  BO_REFUSED: the point was pruned.
 */
bo_status bo_journal_look_again(bo_session *session, const bo_point_record *record,
    const bo_content *content, bo_journal *journal, bo_error *err);
/** Parts whose rows are not in the snapshot are compared through the journal from here on.
 * BO_REFUSED: one of their journals cannot be trusted. */
bo_status bo_journal_use_unstored(bo_content *content, bo_journal *journal, bo_error *err);

/** Rows that somebody else wrote between two of a change's own writes: their keys, sorted. */
typedef struct bo_mixed {
    bo_span *keys; /* as bo_row_key() makes them */
    size_t count;
} bo_mixed;
bo_status bo_mixed_add(bo_mixed *mixed, bo_arena *arena, bo_span key, bo_error *err);
void bo_mixed_sort(bo_mixed *mixed);
bool bo_mixed_has(const bo_mixed *mixed, bo_span key);

#endif
