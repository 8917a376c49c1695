/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/check.h - a check of what is stored, on its way: what it reads, what it has found. */
#ifndef BO_CHANGE_CHECK_H
#define BO_CHANGE_CHECK_H

#include "backout/backup.h"
#include "change/stored.h"

typedef struct bo_checking {
    bo_session *session;
    const bo_database *database;
    bool test_restore;
    bool all;        /* no point was asked for by name */
    bo_arena *arena; /* of the result */
    bo_check_item *items;
    size_t count;
    bo_point_record *points;
    size_t point_count;
    const bo_run_record *live; /* bo_check_ask_live() */
    size_t live_count;
} bo_checking;

/** A file of a point: what it must be, or what nothing is recorded of (root and details NULL). */
typedef struct bo_checked_file {
    const bo_point_record *point;
    const char *name, *root, *details;
    bo_pack_kind kind;
} bo_checked_file;

/* ---- check_file.c ---- */
/** Reads which runs are at work; for all that was seen before, once. */
bo_status bo_check_ask_live(bo_checking *checking, bo_error *err);
/** A process was at work on the point then, or on the rollback that it is the undo point of.  A
 * record that is read afterwards says what became of it. */
bool bo_check_at_work(const bo_checking *checking, const char *point);
/** Adds a copy of what is said of a file. */
bo_status bo_check_add(bo_checking *checking, const bo_check_item *item, bo_error *err);
/** Reads the file, frame by frame, and adds what is to be said of it. */
bo_status bo_check_file(bo_checking *checking, const bo_checked_file *file, bo_error *err);

/* ---- strays.c ---- */
/** Files of the repository that no point names. */
bo_status bo_check_strays(bo_checking *checking, bo_error *err);

#endif
