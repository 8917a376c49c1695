/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/capture.h - before-images, kept in the database while rows change.
 *
 * Triggers of ours write to a journal: one table of ours for each captured table, in the same
 * database and in the writer's own transaction, so aborted writes leave nothing.  A row of the
 * journal says: just before this write the row with this key was so, or was not there; and who
 * wrote.  It may speak of a row that the write then left as it was (what a cascade might reach):
 * what a write did is told by what comes after it, the next row of the journal with the same key
 * or else the table itself.  Only tables with a row key can be captured.
 *
 * A position is a moment in the journals as the driver's own text: everything that was committed
 * before it is earlier, all else is later, transactions that were open then as well.
 *
 * docs/design/capture.md.
 */
#ifndef BO_DRIVER_CAPTURE_H
#define BO_DRIVER_CAPTURE_H

#include "data/table.h"

struct bo_conn;
struct bo_applied;

typedef enum bo_coverage { BO_COVERED, BO_COVERED_WITH_LIMITS, BO_UNCOVERED } bo_coverage;

/** A table that is captured for a point. */
typedef struct bo_captured {
    const char *table; /* as users write it; of a table that is gone: as it was called */
    const char *point; /* id, as given to begin() */
    bool gone;         /* the table is not there any more */
    bool received;     /* another server captures, of which this one is or was a replica */
    bool harms;        /* replicas stop at what it writes, as long as it lasts */
} bo_captured;
typedef bo_status bo_captured_fn(void *ctx, const bo_captured *captured, bo_error *err);

/** The tag of what we write ourselves, in rollbacks and restores. */
#define BO_CAPTURE_OWN_RUN "backout"

/**
 * Which writes are meant: those after `from`, not after `to`, and of `run` and `user` where these
 * are given; besides them all of `transactions`, wherever they are after `from`.  What we wrote as
 * `user` is neither meant nor somebody else's.
 */
typedef struct bo_journal_filter {
    const char *from;
    const char *to;   /* or NULL: until now */
    const char *run;  /* or NULL: any */
    const char *user; /* database user; or NULL: any */
    const char *const *transactions;
    size_t transaction_count;
    bool only_transactions; /* nothing but `transactions` */
} bo_journal_filter;

/** What the writes that are meant did to one row, in sum. */
typedef struct bo_journal_change {
    bo_image before; /* before the first of them; data NULL: it was not there */
    bo_image after;  /* after the last of them */
    bool mixed;      /* somebody else wrote the row between the first and the last */
} bo_journal_change;
typedef bo_status bo_journal_change_fn(void *ctx, const bo_journal_change *change, bo_error *err);

/** One row of the journal. */
typedef struct bo_journal_row {
    uint64_t sequence;       /* ascending within the table; of one row in the order of its writes */
    const char *transaction; /* the same text for all that one transaction wrote */
    const char *user;        /* "" where the engine has none */
    const char *application; /* "" where it is not known */
    const char *run;         /* "" unless the write was tagged */
    char operation; /* 'I' came (by its key), 'U' changed, 'D' went, 'T' went by TRUNCATE, 'C' may
                       have been reached by a cascade */
    bo_span key;    /* image of the key's columns, as bo_row_key() of a row makes it */
} bo_journal_row;
typedef bo_status bo_journal_row_fn(void *ctx, const bo_journal_row *row, bo_error *err);

/* BO_CAP_CAPTURE: bo_driver.capture */
typedef struct bo_capture_driver {
    /** What of this table's changes would be captured.  `reasons` gets a line for each limit, or
     * why it is uncovered: no key, triggers not possible, not transactional, a right is missing. */
    bo_status (*coverage)(struct bo_conn *conn, const bo_table *now, bo_coverage *out,
        bo_buf *reasons, bo_error *err);

    /**
     * From here on changes of these tables are captured for `point`.  A transaction of its own
     * (MariaDB: statements that commit themselves, the last of which makes it count); tables that
     * are captured for another point already keep their journal.  Waits for locks as long as the
     * connection's timeout says. BO_BUSY names table and holder; BO_UNSUPPORTED an uncovered table;
     * BO_EXISTS: something is captured for a point of that name already.  Nothing is left behind
     * then.
     */
    bo_status (*begin)(struct bo_conn *conn, const bo_table *const *tables, unsigned count,
        const char *point, bo_error *err);
    /** The point needs its journals no more.  What no other point needs is removed: triggers,
     * journals, with the last one everything of ours.  A point that is not known is BO_OK. */
    bo_status (*end)(struct bo_conn *conn, const char *point, bo_error *err);
    /** Every table of every point, ordered by point and table. */
    bo_status (*list)(struct bo_conn *conn, bo_captured_fn *each, void *ctx, bo_error *err);

    /** Is the capture of `now` for `point` as begin() left it, so that the journal can be trusted?
     * `broken` gets nothing when it is, else one line that says why not: a trigger is missing or
     * switched off, the journal is gone, the definition of the table changed, ... */
    bo_status (*check)(struct bo_conn *conn, const bo_table *now, const char *point, bo_buf *broken,
        bo_error *err);
    /** All is as check() wants it; may the schema still have been such for a while that writes are
     * told wrong?  `doubt` gets one line then: who knows the rows as they were does better without
     * the journal.  NULL: check() finds all that there is. */
    bo_status (*doubt)(
        struct bo_conn *conn, const bo_table *now, const char *point, bo_buf *doubt, bo_error *err);

    /** The position of the open transaction's snapshot; outside of one, of a moment at which no
     * writer of these tables is under way or from which all that are count as later. */
    bo_status (*position)(struct bo_conn *conn, const bo_table *const *tables, unsigned count,
        bo_buf *out, bo_error *err);

    /** What the filter's writes did, row by row in no order, in the shape of `now`; rows that are
     * neither there before nor after are left out.  Inside a transaction, whose view is "now". */
    bo_status (*changes)(struct bo_conn *conn, const bo_table *now, const bo_journal_filter *filter,
        bo_journal_change_fn *each, void *ctx, bo_error *err);
    /** Every row of the journal after `from`, by ascending sequence. */
    bo_status (*walk)(struct bo_conn *conn, const bo_table *now, const char *from,
        bo_journal_row_fn *each, void *ctx, bo_error *err);

    /** From here on writes of this connection are tagged with `run` ("" or NULL: not).  NULL where
     * it cannot be told whose writes they are (SQLite): then a filter's user or run means none. */
    bo_status (*tag)(struct bo_conn *conn, const char *run, bo_error *err);

    /* -- undo where the rows are; both NULL where the engine has no gain from it -- */

    /** Keeps what the filter's writes did, in sum, beside the journal as one table of both images:
     * before and after are final from here on.  In a transaction of its own on the shared snapshot
     * `token` (bo_driver.share), so that it is what changes() says there.  Goes with end(). */
    bo_status (*keep)(struct bo_conn *conn, const char *token, const bo_table *now,
        const bo_journal_filter *filter, const char *point, bo_error *err);
    /**
     * Inside an open write transaction with the tables locked: undoes all that is kept of these
     * tables for `point` without a row leaving the database, every statement with the number of
     * rows that it must touch, and reads it back.  Rows are taken only where they are byte for byte
     * as the change left them.
     *
     * @param wanted  what undoing it must come to, one element per table.
     * @retval BO_CONFLICT     some row is not as the change left it, or stands in the way.
     * @retval BO_UNSUPPORTED  not kept, or foreign keys, triggers or rules want the longer way.
     * @retval BO_DENIED       only the owner of the table can, for one, switch the capture's
     * triggers. In these cases nothing of it is done and the transaction is usable.
     */
    bo_status (*undo_kept)(struct bo_conn *conn, const bo_table *const *tables, unsigned count,
        const char *point, const struct bo_applied *wanted, bo_error *err);
} bo_capture_driver;

#endif
