/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/target.h - the database that is worked on: its connection and the tables in scope. */
#ifndef BO_CHANGE_TARGET_H
#define BO_CHANGE_TARGET_H

#include "backout/point.h"
#include "driver/driver.h"

typedef struct bo_target {
    const bo_database *database;
    bo_conn *conn;
    bo_identity identity;
    char *url; /* redacted */
} bo_target;

bo_status bo_target_open(const bo_database *database, bo_target **out, bo_error *err);
void bo_target_free(bo_target *target);
BO_DEFINE_SCOPE(bo_target);
/** One more connection with the same settings; `run_id` not NULL: a raw session of a change, named
 * after the run. */
bo_status bo_target_connect(
    const bo_database *database, const char *run_id, bo_conn **out, bo_error *err);
uint32_t bo_target_workers(const bo_target *target);
const char *bo_target_name(const bo_target *target); /* configured name or redacted URL */

/** BO_REFUSED unless this is the database that `server` (bo_identity.server) was recorded of. */
bo_status bo_target_check_server(const bo_target *target, const char *server, bo_error *err);

/** Warns where rows are read of a server that lags behind the one that is written to. */
void bo_target_warn_behind(bo_session *session, const bo_target *target);

/** Where nothing is done to it: a copy that took over from that database, of the same engine, is
 * told by a warning only. */
bo_status bo_target_note_server(bo_session *session, const bo_target *target, const char *server,
    const char *engine, bo_error *err);

/** A table of a point: as it was, as it is (NULL: gone), and which of its rows. */
typedef struct bo_part {
    const bo_table *was;
    const bo_table *now;
    const char *called;    /* not NULL: another table has its name now, and it is called so */
    const char *predicate; /* or NULL */
    const char *entering;  /* rows that come to meet this are counted: the users' own predicate */
    const char *closure;   /* how foreign keys reach rows of it that were not named; or NULL */
    bool captured;         /* its changes since the point are in a journal */
    bool unstored;         /* its rows are not in the snapshot */
    const char *coverage;  /* of its capture when the point was taken; NULL: it was not asked */
    const char *reasons;   /* lines: limits of the capture, or why there is none; or NULL */
    const bo_journal_filter *journal; /* not NULL: a diff reads these writes instead of the rows */
    const bool *made_again;           /* by column of `was`: it had been dropped; NULL: none was */
    const bo_table *aside;            /* restore: it is gone, and this one is filled out of sight */
    bool fresh;                       /* made again by this rollback, still without its keys */
    bool bulk;     /* its rows are not compared one by one: they come back as a whole */
    bool left_out; /* not in this operation (--tables) */
} bo_part;

/**
 * Describes the scope of the options into parts, with what foreign keys reach from it (closure.h).
 * An empty scope is every user table; then uncovered ones are left out.  A named table that is
 * uncovered is refused.  `notes` gets a line for each table that is left out or comes with others.
 */
bo_status bo_target_scope(bo_target *target, const bo_point_options *options, bo_arena *arena,
    bo_part **out, uint32_t *count_out, bo_buf *notes, bo_error *err);

#endif
