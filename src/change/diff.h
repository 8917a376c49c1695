/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/diff.h - the changeset that leads from a snapshot to the tables as they are now.
 *
 * Ranges whose rows still have the digest they had cost one read and nothing else.  Of a range that
 * differs, rows that are in both sides are dropped by their 128-bit hash; what remains of both
 * sides is sorted by table and key and merged, so rows that moved meet their before-image again.
 * Memory does not grow with the table.  docs/design/diff.md.
 */
#ifndef BO_CHANGE_DIFF_H
#define BO_CHANGE_DIFF_H

#include "change/journal.h"

/** One change, in the order of (table, key); either image may be absent. Images are valid during
 * the call. */
typedef bo_status bo_change_fn(
    void *ctx, uint32_t table, bo_image before, bo_image after, bo_error *err);

typedef struct bo_diff_result {
    bo_digest *now;    /* of each part, in the shape of the snapshot; filled when not NULL */
    uint64_t *entered; /* of each part with a predicate: rows that meet it now and are not in the
                          point; filled when not NULL */
    bo_mixed *mixed;   /* of each part with a journal; filled when not NULL */
    bool resting;      /* in: of parts with a journal, rows that were written and are as they were
                          are told, too: before and after are equal */
    const char *operation; /* for progress: "diff", "seal" */
} bo_diff_result;

/**
 * @param content  a snapshot, described (bo_content_describe); parts with left_out are passed over,
 * a part whose table is gone counts as empty. The target's connection is inside a transaction; a
 * snapshot with predicates needs BO_TX_WRITE (rows are found by key through a stage).
 */
bo_status bo_diff(bo_session *session, bo_target *target, bo_content *content, uint32_t workers,
    bo_change_fn *each, void *ctx, bo_diff_result *result, bo_error *err);

#endif
