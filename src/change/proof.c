/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/proof.c - reading back what a rollback wrote, before it is committed.
 * docs/design/proof.md */
#include <string.h>

#include "change/undo.h"

struct proving {
    const bo_table *was;
    uint64_t wrong;
};

static bo_status prove_entry(void *ctx, const bo_walk *walk, bo_image now, bo_error *err)
{
    (void)err;
    struct proving *proving = ctx;
    proving->wrong += !bo_row_same(proving->was, now, walk->target);
    return BO_OK;
}

/* Every row that was touched is read back by its key. */
static bo_status prove_rows(bo_undo *undo, uint32_t table, uint64_t *wrong_out, bo_error *err)
{
    struct proving proving = {.was = undo->intent->parts[table].was};
    bo_status st = bo_walk_meet(undo, table, undo->stage, undo->staged[table],
        undo->target->conn->driver->stage_readback, prove_entry, &proving, err);
    *wrong_out = proving.wrong;
    return st;
}

struct summing {
    const bo_table *was;
    bool hints;
    bo_digest digest;
};

static bo_status add_row(void *ctx, bo_image row, bo_error *err)
{
    (void)err;
    struct summing *summing = ctx;
    bo_digest_add(&summing->digest, summing->hints ? row : bo_row_values(summing->was, row));
    return BO_OK;
}

bo_status bo_undo_read_digest(
    bo_undo *undo, uint32_t table, bool hints, bo_digest *out, bo_error *err)
{
    const bo_part *part = &undo->intent->parts[table];
    bo_conn *conn = undo->target->conn;
    bo_scan scan = {.table = part->now, .shape = part->was};
    struct summing summing = {.was = part->was, .hints = hints};
    bo_status st = conn->driver->scan(conn, &scan, add_row, &summing, err);
    if (st == BO_OK)
        *out = summing.digest;
    return st;
}

/* The whole table: what was there, less what went, plus what came. */
static bo_status prove_by_digest(bo_undo *undo, uint32_t table, bool *match_out, bo_error *err)
{
    bo_digest now = {0}, expected = undo->now[table];
    bo_status st = bo_undo_read_digest(undo, table, false, &now, err);
    if (st != BO_OK)
        return st;
    bo_digest_merge(&expected, &undo->coming[table]);
    bo_digest_merge(&now, &undo->going[table]);
    *match_out = bo_digest_equal(&now, &expected);
    return BO_OK;
}

/*
 * The rows that were to come were read back by their keys; here, that this transaction wrote no
 * other row of the table, and deleted none.  Nobody else could write since the table was locked
 * and compared, so all other rows are as they were then.
 */
static bo_status prove_by_count(bo_undo *undo, uint32_t table, bool *match_out, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    uint64_t rows = 0, written = 0;
    bo_status st =
        conn->driver->written(conn, undo->intent->parts[table].now, &rows, &written, err);
    if (st == BO_OK)
        *match_out =
            written == undo->coming[table].rows &&
            rows + undo->going[table].rows == undo->now[table].rows + undo->coming[table].rows;
    return st;
}

/* A table that comes back as a whole, or has no key, has no rows that were read back. */
static bo_status prove_table(bo_undo *undo, uint32_t table, bool *match_out, bo_error *err)
{
    const bo_part *part = &undo->intent->parts[table];
    bool counted = undo->target->conn->driver->caps & BO_CAP_WRITTEN;
    *match_out = false;
    if (counted && part->was->row_key && !part->bulk && !part->made_again) {
        bo_status st = prove_by_count(undo, table, match_out, err);
        if (st != BO_OK || *match_out)
            return st; /* a count that differs may be of rows frozen long ago: read them all */
    }
    return prove_by_digest(undo, table, match_out, err);
}

static bool needs_whole_table(const bo_undo *undo, uint32_t table)
{
    return undo->now_known[table] &&
           (undo->intent->parts[table].bulk || undo->staged[table] != UINT32_MAX);
}

bo_status bo_undo_prove(bo_undo *undo, bool *match_out, bo_error *err)
{
    bool all = true;
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        const bo_table *was = undo->intent->parts[i].was;
        if (undo->intent->parts[i].left_out)
            continue;
        bool match = true;
        if (undo->staged[i] != UINT32_MAX && was->row_key) {
            uint64_t wrong = 0;
            bo_status st = prove_rows(undo, i, &wrong, err);
            if (st != BO_OK)
                return st;
            match = wrong == 0;
        }
        if (match && needs_whole_table(undo, i)) {
            bo_status st = prove_table(undo, i, &match, err);
            if (st != BO_OK)
                return st;
        }
        undo->proofs[i] = match ? "match" : "mismatch";
        all = all && match;
    }
    *match_out = all;
    return BO_OK;
}

/*
 * ---- sequences: as far on as the rows that are there need ----
 *
 * A sequence never goes below where it is now, but in type full, where every row is the point's:
 * then it is the point's too.  Where rows that stay were skipped there, it stays beyond the values
 * they use.
 */

static int64_t further(int64_t a, int64_t b, int64_t increment)
{
    return increment < 0 ? (a < b ? a : b) : (a > b ? a : b);
}

/* As it was when the table was locked; NULL: the table does not use it any more. */
static const bo_sequence *when_locked(const bo_part *part, const char *name)
{
    for (uint16_t i = 0; i < part->now->sequence_count; i++) {
        if (strcmp(part->now->sequences[i].name, name) == 0)
            return &part->now->sequences[i];
    }
    return NULL;
}

/* The counter is not where it was when the table was locked. */
static bool moved_on(const bo_part *part, const bo_sequence *now)
{
    const bo_sequence *then = when_locked(part, now->name);
    return then && (then->last_value != now->last_value || then->is_called != now->is_called);
}

/* Every row of the table is the point's, but for those that were skipped. */
static bool comes_back_whole(const bo_undo *undo, const bo_part *part)
{
    return undo->full && !part->predicate && !bo_undo_predicate(undo->options, part->was->name);
}

/* Tables that do not come back as a whole have values of it as well. */
static bool is_shared(const bo_undo *undo, const bo_part *part, const char *name)
{
    const bo_sequence *sequence = when_locked(part, name);
    uint32_t ours = 0;
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        const bo_part *other = &undo->intent->parts[i];
        ours += !other->left_out && comes_back_whole(undo, other) && other->now &&
                when_locked(other, name);
    }
    return sequence && sequence->tables > ours;
}

static bo_status set_sequence(
    bo_undo *undo, const bo_part *part, const bo_sequence *was, bo_error *err)
{
    bo_conn *conn = undo->target->conn;
    bo_sequence now = *was, then = *was;
    bool back = comes_back_whole(undo, part), any = false;
    int64_t used = 0;
    bo_status st = conn->driver->sequence_read(conn, &now, err);
    if (st == BO_OK && back && undo->conflict_count)
        st = conn->driver->sequence_used(conn, part->now, was, &used, &any, err);
    if (st != BO_OK)
        return st;
    if (back && (moved_on(part, &now) || is_shared(undo, part, was->name)))
        back = false; /* others take numbers of it */
    if (!back && further(now.last_value, was->last_value, was->increment) == now.last_value)
        then = now;
    if (any && further(used, then.last_value, was->increment) == used) {
        then.last_value = used;
        then.is_called = true;
    }
    if (then.last_value == now.last_value && then.is_called == now.is_called)
        return BO_OK;
    return conn->driver->sequence_set(conn, &then, err);
}

bo_status bo_undo_sequences(bo_undo *undo, bo_error *err)
{
    if (!(undo->target->conn->driver->caps & BO_CAP_SEQUENCES))
        return BO_OK;
    for (uint32_t i = 0; i < undo->intent->part_count; i++) {
        const bo_part *part = &undo->intent->parts[i];
        for (uint16_t s = 0; !part->left_out && part->now && s < part->was->sequence_count; s++) {
            bo_status st = set_sequence(undo, part, &part->was->sequences[s], err);
            if (st != BO_OK)
                return bo_wrap(
                    err, st, "cannot set the sequence '%s'", part->was->sequences[s].name);
        }
    }
    return BO_OK;
}
