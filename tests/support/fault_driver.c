/* SPDX-License-Identifier: Apache-2.0 */
/* tests/support/fault_driver.c - a driver whose n-th call fails. */
#include "support/fault_driver.h"

#include <stdatomic.h>

#include "base/error.h"

typedef struct fault_conn {
    bo_conn base;
    bo_driver driver; /* as the inner one, with our functions where it has some */
    bo_capture_driver capture;
    bo_conn *inner;
} fault_conn;

typedef struct fault_stage {
    bo_stage base;
    bo_stage *inner;
} fault_stage;

/* Several connections may read a table together, each in its thread. */
static atomic_uint countdown;
static atomic_bool fired;
static void (*action_then)(void); /* instead of failing */
static bool for_good;             /* a server is gone from the fault on */
static fault_commit next_commit;
static unsigned commits_left; /* until the one whose answer is lost */

static bo_conn *inside(bo_conn *conn)
{
    return ((fault_conn *)conn)->inner;
}

static bo_stage *inside_stage(bo_stage *stage)
{
    return ((fault_stage *)stage)->inner;
}

static bool hit(const bo_driver *driver, const char *function, bo_error *err)
{
    if (for_good && atomic_load(&fired) && !(driver->caps & BO_CAP_FILES)) {
        bo_fail(err, BO_DATABASE, "fault in %s: the server is gone", function);
        return true;
    }
    unsigned now = atomic_load(&countdown);
    while (now > 0 && !atomic_compare_exchange_weak(&countdown, &now, now - 1))
        ;
    if (now != 1)
        return false;
    atomic_store(&fired, true);
    if (action_then) {
        action_then();
        return false;
    }
    bo_fail(err, BO_DATABASE, "fault in %s", function);
    return true;
}

/* A function of the table that fails when its turn has come, and else is the inner one's. */
#define FAULTY(function, parameters, arguments)          \
    static bo_status faulty_##function parameters        \
    {                                                    \
        if (hit(conn->driver, #function, err))           \
            return BO_DATABASE;                          \
        return inside(conn)->driver->function arguments; \
    }
#define FAULTY_CAPTURE(function, parameters, arguments)           \
    static bo_status faulty_capture_##function parameters         \
    {                                                             \
        if (hit(conn->driver, "capture." #function, err))         \
            return BO_DATABASE;                                   \
        return inside(conn)->driver->capture->function arguments; \
    }
#define FAULTY_STAGE(function, parameters, arguments)           \
    static bo_status faulty_##function parameters               \
    {                                                           \
        if (hit(stage->driver, #function, err))                 \
            return BO_DATABASE;                                 \
        return inside_stage(stage)->driver->function arguments; \
    }

FAULTY(identity, (bo_conn * conn, bo_identity *out, bo_error *err), (inside(conn), out, err))
FAULTY(begin, (bo_conn * conn, bo_tx_mode mode, bo_error *err), (inside(conn), mode, err))
FAULTY(share, (bo_conn * conn, bo_buf *token, bo_error *err), (inside(conn), token, err))
FAULTY(join, (bo_conn * conn, const char *token, bo_error *err), (inside(conn), token, err))

static bo_conn *wrap(bo_conn *inner);

static bo_status faulty_twin(bo_conn *conn, bo_conn **out, bo_error *err)
{
    bo_conn *made = NULL;
    if (hit(conn->driver, "twin", err))
        return BO_DATABASE;
    bo_status st = inside(conn)->driver->twin(inside(conn), &made, err);
    if (st != BO_OK)
        return st;
    made = wrap(made);
    if (!made)
        return bo_nomem(err);
    *out = made;
    return BO_OK;
}

FAULTY(lock, (bo_conn * conn, const bo_table *const *tables, unsigned count, bo_error *err),
    (inside(conn), tables, count, err))
FAULTY(lock_referring,
    (bo_conn * conn, const bo_table *const *tables, unsigned count, bo_error *err),
    (inside(conn), tables, count, err))
FAULTY(exec, (bo_conn * conn, const char *sql, bo_error *err), (inside(conn), sql, err))
FAULTY(query,
    (bo_conn * conn, const char *sql, const bo_text_value *params, uint16_t count,
        bo_query_fn *each, void *ctx, uint64_t *rows, bo_error *err),
    (inside(conn), sql, params, count, each, ctx, rows, err))
FAULTY(script, (bo_conn * conn, const char *sql, size_t size, bo_error *err),
    (inside(conn), sql, size, err))
FAULTY(tables, (bo_conn * conn, bo_name_fn *each, void *ctx, bo_error *err),
    (inside(conn), each, ctx, err))
FAULTY(describe,
    (bo_conn * conn, const char *name, bo_arena *arena, const bo_table **out, bo_error *err),
    (inside(conn), name, arena, out, err))
FAULTY(create, (bo_conn * conn, const bo_table *table, bo_error *err), (inside(conn), table, err))
FAULTY(create_after, (bo_conn * conn, const bo_table *table, bo_error *err),
    (inside(conn), table, err))
FAULTY(
    try_after, (bo_conn * conn, const bo_table *table, bo_error *err), (inside(conn), table, err))
FAULTY(
    drop_made, (bo_conn * conn, const bo_table *table, bo_error *err), (inside(conn), table, err))
FAULTY(add_column, (bo_conn * conn, const bo_table *now, const bo_column *column, bo_error *err),
    (inside(conn), now, column, err))
FAULTY(add_column_after,
    (bo_conn * conn, const bo_table *now, const bo_column *column, bo_error *err),
    (inside(conn), now, column, err))
FAULTY(ranges,
    (bo_conn * conn, const bo_table *table, const bo_span *known, size_t known_count,
        bo_range_fn *each, void *ctx, bo_error *err),
    (inside(conn), table, known, known_count, each, ctx, err))
FAULTY(scan, (bo_conn * conn, const bo_scan *what, bo_image_fn *each, void *ctx, bo_error *err),
    (inside(conn), what, each, ctx, err))
FAULTY(count,
    (bo_conn * conn, const bo_table *table, const char *predicate, uint64_t *out, bo_error *err),
    (inside(conn), table, predicate, out, err))
FAULTY(put_aside,
    (bo_conn * conn, const bo_table *was, const char *name, bo_arena *arena, const bo_table **out,
        bo_error *err),
    (inside(conn), was, name, arena, out, err))
FAULTY(bring_back, (bo_conn * conn, const bo_table *aside, const bo_table *was, bo_error *err),
    (inside(conn), aside, was, err))
FAULTY(drop_aside, (bo_conn * conn, const char *prefix, bo_error *err), (inside(conn), prefix, err))
FAULTY(written,
    (bo_conn * conn, const bo_table *now, uint64_t *rows, uint64_t *written, bo_error *err),
    (inside(conn), now, rows, written, err))
FAULTY(estimate,
    (bo_conn * conn, const bo_table *table, uint64_t *rows, uint64_t *bytes, bo_error *err),
    (inside(conn), table, rows, bytes, err))
FAULTY(load,
    (bo_conn * conn, const bo_table *was, const bo_table *now, bo_next_fn *next, void *ctx,
        uint64_t *rows, bo_error *err),
    (inside(conn), was, now, next, ctx, rows, err))
FAULTY(load_enforces, (bo_conn * conn, bool *out, bo_error *err), (inside(conn), out, err))
FAULTY(clear, (bo_conn * conn, const bo_table *now, uint64_t *rows, bo_error *err),
    (inside(conn), now, rows, err))
FAULTY(check_references,
    (bo_conn * conn, const bo_table *const *tables, unsigned count, uint64_t *violations,
        bo_buf *example, bo_error *err),
    (inside(conn), tables, count, violations, example, err))
FAULTY(refers,
    (bo_conn * conn, const bo_foreign_key *key, const char *const *parent, const char *alias,
        bo_buf *out, bo_error *err),
    (inside(conn), key, parent, alias, out, err))
FAULTY(called, (bo_conn * conn, const char *id, bo_arena *arena, const char **out, bo_error *err),
    (inside(conn), id, arena, out, err))
FAULTY(render,
    (bo_conn * conn, const bo_table *shape, bo_render_form form, bo_next_fn *next, void *next_ctx,
        bo_text_row_fn *each, void *ctx, bo_error *err),
    (inside(conn), shape, form, next, next_ctx, each, ctx, err))
FAULTY(filter,
    (bo_conn * conn, const bo_table *shape, const char *predicate, bo_next_fn *next, void *next_ctx,
        bo_status (*each)(void *ctx, uint64_t row, bo_error *err), void *ctx, bo_error *err),
    (inside(conn), shape, predicate, next, next_ctx, each, ctx, err))
FAULTY(pin, (bo_conn * conn, bo_error *err), (inside(conn), err))
FAULTY(scratch_restore,
    (bo_conn * conn, const bo_table *was, bo_next_fn *next, void *next_ctx, bo_image_fn *each,
        void *ctx, bo_error *err),
    (inside(conn), was, next, next_ctx, each, ctx, err))
FAULTY(sequence_read, (bo_conn * conn, bo_sequence *sequence, bo_error *err),
    (inside(conn), sequence, err))
FAULTY(sequence_set, (bo_conn * conn, const bo_sequence *sequence, bo_error *err),
    (inside(conn), sequence, err))
FAULTY(sequence_used,
    (bo_conn * conn, const bo_table *now, const bo_sequence *sequence, int64_t *extreme, bool *any,
        bo_error *err),
    (inside(conn), now, sequence, extreme, any, err))
FAULTY(mark, (bo_conn * conn, const char *id, bo_buf *token, bo_error *err),
    (inside(conn), id, token, err))
FAULTY(marked, (bo_conn * conn, const char *id, const char *token, bool *out, bo_error *err),
    (inside(conn), id, token, out, err))
FAULTY(unmark, (bo_conn * conn, const char *id, bo_error *err), (inside(conn), id, err))
FAULTY(traces, (bo_conn * conn, bo_trace_fn *each, void *ctx, bo_error *err),
    (inside(conn), each, ctx, err))

FAULTY_CAPTURE(coverage,
    (bo_conn * conn, const bo_table *now, bo_coverage *out, bo_buf *reasons, bo_error *err),
    (inside(conn), now, out, reasons, err))
FAULTY_CAPTURE(begin,
    (bo_conn * conn, const bo_table *const *tables, unsigned count, const char *point,
        bo_error *err),
    (inside(conn), tables, count, point, err))
FAULTY_CAPTURE(end, (bo_conn * conn, const char *point, bo_error *err), (inside(conn), point, err))
FAULTY_CAPTURE(list, (bo_conn * conn, bo_captured_fn *each, void *ctx, bo_error *err),
    (inside(conn), each, ctx, err))
FAULTY_CAPTURE(check,
    (bo_conn * conn, const bo_table *now, const char *point, bo_buf *broken, bo_error *err),
    (inside(conn), now, point, broken, err))
FAULTY_CAPTURE(position,
    (bo_conn * conn, const bo_table *const *tables, unsigned count, bo_buf *out, bo_error *err),
    (inside(conn), tables, count, out, err))
FAULTY_CAPTURE(changes,
    (bo_conn * conn, const bo_table *now, const bo_journal_filter *filter,
        bo_journal_change_fn *each, void *ctx, bo_error *err),
    (inside(conn), now, filter, each, ctx, err))
FAULTY_CAPTURE(walk,
    (bo_conn * conn, const bo_table *now, const char *from, bo_journal_row_fn *each, void *ctx,
        bo_error *err),
    (inside(conn), now, from, each, ctx, err))
FAULTY_CAPTURE(tag, (bo_conn * conn, const char *run, bo_error *err), (inside(conn), run, err))
FAULTY_CAPTURE(keep,
    (bo_conn * conn, const char *token, const bo_table *now, const bo_journal_filter *filter,
        const char *point, bo_error *err),
    (inside(conn), token, now, filter, point, err))
FAULTY_CAPTURE(undo_kept,
    (bo_conn * conn, const bo_table *const *tables, unsigned count, const char *point,
        const bo_applied *wanted, bo_error *err),
    (inside(conn), tables, count, point, wanted, err))

FAULTY_STAGE(stage_fill,
    (bo_stage * stage, unsigned table, bo_stage_next_fn *next, void *ctx, bo_error *err),
    (inside_stage(stage), table, next, ctx, err))
FAULTY_STAGE(stage_locate,
    (bo_stage * stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err),
    (inside_stage(stage), table, each, ctx, err))
FAULTY_STAGE(stage_drop,
    (bo_stage * stage, unsigned table, const uint64_t *ids, size_t count, bo_error *err),
    (inside_stage(stage), table, ids, count, err))
FAULTY_STAGE(stage_blocked, (bo_stage * stage, bo_blocked_fn *each, void *ctx, bo_error *err),
    (inside_stage(stage), each, ctx, err))
FAULTY_STAGE(stage_apply, (bo_stage * stage, bo_applied *counts, bo_error *err),
    (inside_stage(stage), counts, err))
FAULTY_STAGE(stage_readback,
    (bo_stage * stage, unsigned table, bo_stage_row_fn *each, void *ctx, bo_error *err),
    (inside_stage(stage), table, each, ctx, err))

static bo_status faulty_commit(bo_conn *conn, bo_error *err)
{
    fault_commit how = commits_left > 0 && --commits_left == 0 ? next_commit : FAULT_COMMIT_NONE;
    if (hit(conn->driver, "commit", err))
        return BO_DATABASE;
    if (how == FAULT_COMMIT_LOST)
        inside(conn)->driver->rollback(inside(conn));
    bo_status st =
        how == FAULT_COMMIT_LOST ? BO_OK : inside(conn)->driver->commit(inside(conn), err);
    if (st != BO_OK || how == FAULT_COMMIT_NONE)
        return st;
    atomic_store(&fired, true);
    return bo_fail(err, BO_UNKNOWN, "fault in commit: the answer was lost");
}

static bo_status faulty_stage_open(
    bo_conn *conn, const bo_stage_table *tables, unsigned count, bo_stage **out, bo_error *err)
{
    if (hit(conn->driver, "stage_open", err))
        return BO_DATABASE;
    fault_stage *stage = calloc(1, sizeof *stage);
    if (!stage)
        return bo_nomem(err);
    stage->base.driver = conn->driver;
    bo_status st =
        inside(conn)->driver->stage_open(inside(conn), tables, count, &stage->inner, err);
    if (st == BO_OK)
        *out = &stage->base;
    else
        free(stage);
    return st;
}

static void passing_stage_close(bo_stage *stage)
{
    if (stage)
        inside_stage(stage)->driver->stage_close(inside_stage(stage));
    free(stage);
}

static void passing_close(bo_conn *conn)
{
    if (conn)
        bo_conn_free(inside(conn));
    free(conn);
}

static void passing_cancel(bo_conn *conn)
{
    inside(conn)->driver->cancel(inside(conn));
}

static void passing_rollback(bo_conn *conn)
{
    inside(conn)->driver->rollback(inside(conn));
}

static const bo_driver functions = {
    .close = passing_close,
    .identity = faulty_identity,
    .cancel = passing_cancel,
    .begin = faulty_begin,
    .commit = faulty_commit,
    .rollback = passing_rollback,
    .twin = faulty_twin,
    .share = faulty_share,
    .join = faulty_join,
    .lock = faulty_lock,
    .lock_referring = faulty_lock_referring,
    .exec = faulty_exec,
    .query = faulty_query,
    .script = faulty_script,
    .tables = faulty_tables,
    .describe = faulty_describe,
    .create = faulty_create,
    .create_after = faulty_create_after,
    .try_after = faulty_try_after,
    .drop_made = faulty_drop_made,
    .add_column = faulty_add_column,
    .add_column_after = faulty_add_column_after,
    .ranges = faulty_ranges,
    .scan = faulty_scan,
    .count = faulty_count,
    .put_aside = faulty_put_aside,
    .bring_back = faulty_bring_back,
    .drop_aside = faulty_drop_aside,
    .written = faulty_written,
    .estimate = faulty_estimate,
    .load = faulty_load,
    .load_enforces = faulty_load_enforces,
    .clear = faulty_clear,
    .check_references = faulty_check_references,
    .render = faulty_render,
    .refers = faulty_refers,
    .called = faulty_called,
    .filter = faulty_filter,
    .pin = faulty_pin,
    .scratch_restore = faulty_scratch_restore,
    .stage_open = faulty_stage_open,
    .stage_fill = faulty_stage_fill,
    .stage_locate = faulty_stage_locate,
    .stage_drop = faulty_stage_drop,
    .stage_blocked = faulty_stage_blocked,
    .stage_apply = faulty_stage_apply,
    .stage_readback = faulty_stage_readback,
    .stage_close = passing_stage_close,
    .sequence_read = faulty_sequence_read,
    .sequence_set = faulty_sequence_set,
    .sequence_used = faulty_sequence_used,
    .mark = faulty_mark,
    .marked = faulty_marked,
    .unmark = faulty_unmark,
    .traces = faulty_traces,
};

static const bo_capture_driver capture_functions = {
    .coverage = faulty_capture_coverage,
    .begin = faulty_capture_begin,
    .end = faulty_capture_end,
    .list = faulty_capture_list,
    .check = faulty_capture_check,
    .position = faulty_capture_position,
    .changes = faulty_capture_changes,
    .walk = faulty_capture_walk,
    .tag = faulty_capture_tag,
    .keep = faulty_capture_keep,
    .undo_kept = faulty_capture_undo_kept,
};

/* Functions that an engine may not have. */
static void wrap_optional(fault_conn *conn)
{
    const bo_driver *inner = conn->inner->driver;
    if (!inner->share) {
        conn->driver.share = NULL;
        conn->driver.join = NULL;
    }
    if (!inner->twin)
        conn->driver.twin = NULL;
    if (!inner->traces)
        conn->driver.traces = NULL;
    if (!inner->lock_referring)
        conn->driver.lock_referring = NULL;
    if (!inner->try_after)
        conn->driver.try_after = NULL;
    if (!inner->load_enforces)
        conn->driver.load_enforces = NULL;
    if (!inner->called)
        conn->driver.called = NULL;
    if (!inner->capture)
        return;
    conn->capture = capture_functions;
    conn->driver.capture = &conn->capture;
    if (!inner->capture->tag)
        conn->capture.tag = NULL;
    if (!inner->capture->keep) {
        conn->capture.keep = NULL;
        conn->capture.undo_kept = NULL;
    }
}

static bo_conn *wrap(bo_conn *inner)
{
    fault_conn *conn = calloc(1, sizeof *conn);
    if (!conn) {
        bo_conn_free(inner);
        return NULL;
    }
    conn->inner = inner;
    conn->driver = functions;
    conn->driver.name = inner->driver->name;
    conn->driver.schemes = inner->driver->schemes;
    conn->driver.caps = inner->driver->caps;
    conn->driver.open = inner->driver->open;
    conn->driver.quote = inner->driver->quote;
    wrap_optional(conn);
    conn->base.driver = &conn->driver;
    return &conn->base;
}

void fault_driver_install(void)
{
    bo_driver_wrap = wrap;
}

void fault_driver_remove(void)
{
    bo_driver_wrap = NULL;
}

void fault_driver_arm(unsigned nth)
{
    action_then = NULL;
    for_good = false;
    atomic_store(&countdown, nth);
    if (nth > 0)
        atomic_store(&fired, false);
}

void fault_driver_arm_for_good(unsigned nth)
{
    fault_driver_arm(nth);
    for_good = true;
}

void fault_driver_arm_action(unsigned nth, void (*action)(void))
{
    fault_driver_arm(nth);
    action_then = action;
}

bool fault_driver_fired(void)
{
    return atomic_load(&fired);
}

void fault_driver_lose_commit(fault_commit how)
{
    fault_driver_lose_nth_commit(how, 1);
}

void fault_driver_lose_nth_commit(fault_commit how, unsigned nth)
{
    next_commit = how;
    commits_left = how == FAULT_COMMIT_NONE ? 0 : nth;
    atomic_store(&fired, false);
}
