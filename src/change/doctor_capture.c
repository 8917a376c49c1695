/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/doctor_capture.c - captures: which nobody needs, which are broken, and which tables
 * can have one. */
#include <string.h>

#include "change/captured.h"
#include "change/doctor.h"
#include "change/journal.h"

/* ---- what is captured, against what the catalog knows ---- */

/* The tables that are captured for one point. */
struct claim {
    bo_examination *examination;
    const char *point;
    bool received;  /* by a replica, from its source */
    bool harms;     /* replicas */
    bo_buf *tables; /* "orders, items" */
};

/* Why nobody needs what is captured for the point, or NULL. */
static const char *why_unneeded(const bo_examination *examination, const bo_point_record *point)
{
    if (!bo_doctor_is_here(examination, point))
        return "was taken of another database, which this one is a copy of";
    if (point->status == BO_POINT_FAILED)
        return "could not be taken";
    if (point->status == BO_POINT_PRUNED)
        return "was pruned";
    return bo_point_captures(point) ? NULL : "was released";
}

/* What is about to end the capture has said so in the catalog first. */
static bo_status add_unneeded(
    const struct claim *claim, const bo_point_record *point, const char *why, bo_error *err)
{
    bo_examination *examination = claim->examination;
    const bo_run_record *live = NULL;
    bo_status st = bo_doctor_live_now(examination, point->id, &live, err);
    if (st != BO_OK || live || bo_doctor_is_live(examination, point->id))
        return st;
    const bo_finding found = {.kind = "unneeded-capture",
        .bad = true,
        .point = point->id,
        .what = bo_arena_printf(examination->arena, "changes of %s are captured for %s, which %s",
            bo_buf_str(claim->tables), point->id, why),
        .next = "backout doctor --fix",
        .fixable = true};
    return bo_doctor_add(examination, &found, err);
}

/* A seal finds by the snapshot, where there is one, what the change did. */
static bo_status add_harmful(const struct claim *claim, const bo_point_record *point, bo_error *err)
{
    bo_arena *arena = claim->examination->arena;
    const bool open = point->status == BO_POINT_READY;
    const bo_finding found = {.kind = "harmful-capture",
        .bad = true,
        .point = point->id,
        .what = bo_arena_printf(arena,
            "changes of %s are captured for %s since before the server wrote a binary log: "
            "replicas, and whoever plays the log back, stop at the next write",
            bo_buf_str(claim->tables), point->id),
        .next = bo_arena_printf(arena, "%s%s%sbackout point release %s",
            open ? "backout point seal " : "", open ? point->id : "", open ? ", then: " : "",
            point->id)};
    return bo_doctor_add(claim->examination, &found, err);
}

static bo_status judge_known(const struct claim *claim, const bo_point_record *point, bo_error *err)
{
    bo_arena *arena = claim->examination->arena;
    const char *why = why_unneeded(claim->examination, point);
    if (why)
        return add_unneeded(claim, point, why, err);
    if (claim->harms && bo_point_is_whole(point))
        return add_harmful(claim, point, err);
    if (point->status != BO_POINT_SEALED && point->status != BO_POINT_ROLLED_BACK)
        return BO_OK; /* needed, or half installed */
    const bo_finding found = {.kind = "still-capturing",
        .point = point->id,
        .what = bo_arena_printf(arena,
            "changes of %s are still captured for %s, whose change has ended",
            bo_buf_str(claim->tables), point->id),
        .next = bo_arena_printf(arena, "backout point release %s", point->id)};
    return bo_doctor_add(claim->examination, &found, err);
}

/* What it still sends would find no journal: only who knows that it sends nothing more lets it go.
 */
static bo_status add_received(const struct claim *claim, bo_error *err)
{
    bo_arena *arena = claim->examination->arena;
    const bo_finding found = {.kind = "source-capture",
        .point = claim->point,
        .what = bo_arena_printf(arena,
            "changes of %s are captured for %s by the server that this one is or was a replica of",
            bo_buf_str(claim->tables), claim->point),
        .next = "it ends with its point, on that server; when this one has taken over: "
                "backout doctor --fix --foreign",
        .fixable = true,
        .foreign = true};
    return bo_doctor_add(claim->examination, &found, err);
}

static bo_status judge(const struct claim *claim, bo_error *err)
{
    bo_examination *examination = claim->examination;
    if (!claim->point)
        return BO_OK;
    bo_status st = bo_buf_check(claim->tables, err);
    if (st != BO_OK)
        return st;
    const bo_point_record *point = bo_doctor_point(examination, claim->point);
    if (claim->received && !(point && bo_doctor_is_here(examination, point)))
        return add_received(claim, err);
    if (point && !bo_point_is_captured_elsewhere(point))
        return judge_known(claim, point, err);
    const bo_point_record *taken = NULL; /* meanwhile? */
    st = point ? BO_OK : bo_doctor_point_now(examination, claim->point, &taken, err);
    if (st != BO_OK || taken)
        return st;
    bo_finding found = {.kind = "foreign-capture",
        .bad = true,
        .point = claim->point,
        .what = bo_arena_printf(examination->arena,
            "changes of %s are captured for %s, which this catalog does not know; another catalog "
            "may",
            bo_buf_str(claim->tables), claim->point),
        .next = "when nobody needs it: backout doctor --fix --foreign",
        .fixable = true,
        .foreign = true};
    return bo_doctor_add(examination, &found, err);
}

static bo_status add_captured(void *ctx, const bo_captured *captured, bo_error *err)
{
    struct claim *claim = ctx;
    if (!claim->point || strcmp(claim->point, captured->point) != 0) {
        bo_status st = judge(claim, err);
        if (st != BO_OK)
            return st;
        claim->point = bo_arena_str(claim->examination->arena, captured->point);
        if (!claim->point)
            return bo_nomem(err);
        claim->received = captured->received;
        claim->harms = false;
        bo_buf_clear(claim->tables);
    }
    claim->harms = claim->harms || captured->harms;
    bo_buf_printf(claim->tables, "%s%s%s", claim->tables->size ? ", " : "", captured->table,
        captured->gone ? " (which is gone)" : "");
    return BO_OK;
}

/* ---- points that were never whole ---- */

/* Its run is not at work any more: it died, unless the point is whole by now. */
static bo_status add_half(bo_examination *examination, const char *id, bo_error *err)
{
    const bo_point_record *now = NULL;
    bo_status st = bo_doctor_point_now(examination, id, &now, err);
    if (st != BO_OK || !now || now->status != BO_POINT_CREATING)
        return st;
    const bo_finding found = {.kind = "half-capture",
        .bad = true,
        .point = now->id,
        .run = now->run,
        .what = bo_arena_printf(examination->arena,
            "backout died while %s was taken; its triggers and journals may be there", now->id),
        .next = "backout doctor --fix",
        .fixable = true};
    return bo_doctor_add(examination, &found, err);
}

static bo_status find_halves(bo_examination *examination, bo_error *err)
{
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < examination->point_count; i++) {
        const bo_point_record *point = &examination->points[i];
        if (point->status == BO_POINT_CREATING && bo_doctor_is_here(examination, point) &&
            bo_point_captures(point) && !bo_doctor_is_live(examination, point->id))
            st = add_half(examination, point->id, err);
    }
    return st;
}

/* ---- captures that somebody counts on ---- */

static bo_status check_table(bo_examination *examination, const bo_point_record *point,
    const char *name, bo_buf *broken, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    bo_conn *conn = examination->target->conn;
    const bo_table *now = NULL;
    bo_error missing = {0};
    if (!arena)
        return bo_nomem(err);
    bo_status st = conn->driver->describe(conn, name, arena, &now, &missing);
    if (st == BO_NOTFOUND)
        bo_buf_add_str(broken, "the table is gone");
    else if (st == BO_OK)
        st = conn->driver->capture->check(conn, now, point->id, broken, &missing);
    if (st == BO_OK || st == BO_NOTFOUND)
        return bo_buf_check(broken, err);
    if (err)
        *err = missing;
    return bo_wrap(err, st, "the capture of table '%s' cannot be checked", name);
}

static bool counts_on_capture(const bo_examination *examination, const bo_point_record *point)
{
    return bo_point_is_whole(point) && bo_doctor_is_here(examination, point) &&
           bo_point_captures(point);
}

/* Whoever is at work on the point may be ending the capture, or have done so just now; only the run
 * of the change itself counts on it. */
static bo_status add_broken(
    bo_examination *examination, const char *id, const char *table, const char *why, bo_error *err)
{
    bo_arena *arena = examination->arena;
    const bo_run_record *live = NULL;
    const bo_point_record *now = NULL;
    bo_status st = bo_doctor_live_now(examination, id, &live, err);
    if (st == BO_OK)
        st = bo_doctor_point_now(examination, id, &now, err);
    if (st != BO_OK || (live && strcmp(live->kind, "run") != 0) || !now ||
        !counts_on_capture(examination, now))
        return st;
    bool open = now->status == BO_POINT_READY;
    const bo_finding found = {.kind = "broken-capture",
        .bad = open,
        .point = now->id,
        .table = bo_arena_str(arena, table),
        .what = bo_arena_printf(arena, "the capture of %s for %s is broken: %.*s", table, now->id,
            (int)strcspn(why, "\n"), why),
        .next = bo_arena_printf(
            arena, open ? "backout point seal %s" : "backout point release %s", now->id)};
    return found.table && found.next ? bo_doctor_add(examination, &found, err) : bo_nomem(err);
}

static bo_status check_point(
    bo_examination *examination, const bo_point_record *point, bo_error *err)
{
    BO_OWN(json_ref) *details = json_loads(point->details, 0, NULL);
    const json_t *tables = json_object_get(details, "tables");
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < json_array_size(tables); i++) {
        const json_t *table = json_array_get(tables, i);
        const char *name = json_string_value(json_object_get(table, "name"));
        BO_OWN_VALUE(bo_buf) broken = {0};
        if (!name || !json_is_true(json_object_get(table, "captured")))
            continue;
        st = check_table(examination, point, name, &broken, err);
        if (st == BO_OK && broken.size)
            st = add_broken(examination, point->id, name, bo_buf_str(&broken), err);
    }
    return st;
}

static bo_status find_broken(bo_examination *examination, bo_error *err)
{
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < examination->point_count; i++)
        if (counts_on_capture(examination, &examination->points[i]))
            st = check_point(examination, &examination->points[i], err);
    return st;
}

bo_status bo_doctor_captures(bo_examination *examination, bo_error *err)
{
    const bo_capture_driver *capture = examination->target->conn->driver->capture;
    if (!capture)
        return BO_OK;
    BO_OWN_VALUE(bo_buf) tables = {0};
    struct claim claim = {.examination = examination, .tables = &tables};
    bo_status st = capture->list(examination->target->conn, add_captured, &claim, err);
    if (st == BO_DENIED)
        return bo_doctor_denied(examination, "whether changes are captured", st, err);
    if (st == BO_OK)
        st = judge(&claim, err);
    if (st == BO_OK)
        st = find_halves(examination, err);
    return st == BO_OK ? find_broken(examination, err) : st;
}

/* ---- what can be covered ---- */

/* Adds each line that is not there yet. */
static bo_status add_lines(bo_texts *lines, const char *text, bo_error *err)
{
    bo_status st = BO_OK;
    while (st == BO_OK && text && *text) {
        size_t size = strcspn(text, "\n");
        if (size > 0 && !bo_texts_have(lines, text, size))
            st = bo_texts_add(lines, text, size, err);
        text += size + (text[size] == '\n');
    }
    return st;
}

/* A table that may not be read is uncovered, and no reason to stop. */
static bo_status cover(
    bo_examination *examination, const char *name, bo_table_coverage *out, bo_error *err)
{
    bo_conn *conn = examination->target->conn;
    bo_texts lines = {.arena = examination->arena};
    const bo_table *now = NULL;
    bo_error why = {0};
    bo_status st = conn->driver->describe(conn, name, examination->arena, &now, &why);
    out->snapshot = out->capture = bo_coverage_name(BO_UNCOVERED);
    if (st == BO_DENIED || st == BO_UNSUPPORTED || st == BO_NOTFOUND) {
        st = add_lines(&lines, why.text, err);
    } else if (st != BO_OK) {
        if (err)
            *err = why;
        return st;
    } else {
        out->snapshot = bo_coverage_name(now->uncovered     ? BO_UNCOVERED
                                         : now->limit_count ? BO_COVERED_WITH_LIMITS
                                                            : BO_COVERED);
        for (uint16_t i = 0; st == BO_OK && i < now->limit_count; i++)
            st = add_lines(&lines, now->limits[i], err);
        if (st == BO_OK && !now->uncovered && conn->driver->capture) {
            bo_coverage coverage = BO_UNCOVERED;
            const char *reasons = NULL;
            st = bo_capture_coverage(
                examination->target, now, &coverage, &reasons, examination->arena, err);
            out->capture = bo_coverage_name(coverage);
            if (st == BO_OK)
                st = add_lines(&lines, reasons, err);
        }
    }
    if (!conn->driver->capture)
        out->capture = "";
    out->reasons = lines.items;
    out->reason_count = lines.count;
    return st;
}

static bo_status add_name(void *ctx, const char *name, bo_error *err)
{
    return bo_texts_add(ctx, name, strlen(name), err);
}

bo_status bo_doctor_coverage(bo_examination *examination, bo_error *err)
{
    bo_conn *conn = examination->target->conn;
    bo_texts names = {.arena = examination->arena};
    bo_status st = conn->driver->tables(conn, add_name, &names, err);
    if (st != BO_OK)
        return st;
    examination->tables =
        bo_arena_array(examination->arena, names.count + 1, sizeof *examination->tables);
    if (!examination->tables)
        return bo_nomem(err);
    for (size_t i = 0; st == BO_OK && i < names.count; i++) {
        bo_table_coverage *table = &examination->tables[examination->table_count++];
        table->name = names.items[i];
        st = cover(examination, names.items[i], table, err);
    }
    return st;
}
