/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/journal.c - which tables of a point are captured, and whether their journals can be
 * trusted. */
#include "change/journal.h"

#include <string.h>

#include "change/stored.h"

const char *bo_method_name(bo_method method)
{
    static const char *const names[] = {"snapshot", "capture", "both"};
    return names[method];
}

const char *bo_coverage_name(bo_coverage coverage)
{
    static const char *const names[] = {"covered", "covered with limits", "uncovered"};
    return names[coverage];
}

static const bo_capture_driver *capture_of(const bo_target *target)
{
    return target->conn->driver->capture;
}

/* ---- choosing ---- */

bo_status bo_capture_coverage(bo_target *target, const bo_table *now, bo_coverage *out,
    const char **reasons_out, bo_arena *arena, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) reasons = {0};
    bo_coverage coverage = BO_UNCOVERED;
    bo_status st = capture_of(target)->coverage(target->conn, now, &coverage, &reasons, err);
    if (st == BO_OK)
        st = bo_buf_check(&reasons, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "whether '%s' can be captured is not known", now->name);
    *reasons_out = bo_arena_str(arena, bo_buf_str(&reasons));
    *out = coverage;
    return *reasons_out ? BO_OK : bo_nomem(err);
}

static bo_status choose_part(
    bo_target *target, bo_method method, bo_part *part, bo_arena *arena, bo_error *err)
{
    bo_coverage coverage = BO_UNCOVERED;
    if (part->predicate)
        return BO_OK;
    bo_status st = bo_capture_coverage(target, part->now, &coverage, &part->reasons, arena, err);
    if (st != BO_OK)
        return st;
    part->coverage = bo_coverage_name(coverage);
    part->captured = coverage != BO_UNCOVERED;
    part->unstored = part->captured && method == BO_METHOD_CAPTURE;
    return BO_OK;
}

bo_status bo_capture_choose(bo_target *target, bo_method method, bo_part *parts, uint32_t count,
    bo_arena *arena, bo_error *err)
{
    if (method == BO_METHOD_SNAPSHOT)
        return BO_OK;
    if (!capture_of(target))
        return bo_fail(err, BO_UNSUPPORTED, "%s cannot capture changes", target->identity.engine);
    for (uint32_t i = 0; i < count; i++) {
        bo_status st = choose_part(target, method, &parts[i], arena, err);
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

static bo_status captured_tables(const bo_part *parts, uint32_t count, bo_arena *arena,
    const bo_table ***out, unsigned *count_out, bo_error *err)
{
    const bo_table **tables = bo_arena_array(arena, (size_t)count + 1, sizeof *tables);
    if (!tables)
        return bo_nomem(err);
    *count_out = 0;
    for (uint32_t i = 0; i < count; i++)
        if (parts[i].captured && parts[i].now)
            tables[(*count_out)++] = parts[i].now;
    *out = tables;
    return BO_OK;
}

struct seek {
    const char *point;
    bool found;
};

static bo_status compare_point(void *ctx, const bo_captured *captured, bo_error *err)
{
    (void)err;
    struct seek *seek = ctx;
    seek->found = seek->found || strcmp(captured->point, seek->point) == 0;
    return BO_OK;
}

/* Ids are unique in a catalog; two catalogs may name a point alike within one second. */
static bo_status check_unused(bo_target *target, const char *point, bo_error *err)
{
    struct seek seek = {.point = point};
    bo_status st = capture_of(target)->list(target->conn, compare_point, &seek, err);
    if (st == BO_OK && seek.found)
        return bo_fail(
            err, BO_EXISTS, "another catalog captures changes for a point called '%s', too", point);
    return st;
}

bo_status bo_capture_begin(
    bo_target *target, const bo_part *parts, uint32_t count, const char *point, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    const bo_table **tables = NULL;
    unsigned used = 0;
    bo_status st =
        arena ? captured_tables(parts, count, arena, &tables, &used, err) : bo_nomem(err);
    if (st != BO_OK || used == 0)
        return st;
    st = check_unused(target, point, err);
    if (st == BO_OK)
        st = capture_of(target)->begin(target->conn, tables, used, point, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "changes cannot be captured");
}

bo_status bo_capture_end(bo_target *target, const char *point, bo_error *err)
{
    if (!capture_of(target))
        return BO_OK;
    bo_status st = capture_of(target)->end(target->conn, point, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "the capture for '%s' cannot be ended", point);
}

bo_status bo_journal_note(bo_target *target, const bo_part *parts, uint32_t count, json_t *details,
    const char *name, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN_VALUE(bo_buf) position = {0};
    const bo_table **tables = NULL;
    unsigned used = 0;
    bo_status st =
        arena ? captured_tables(parts, count, arena, &tables, &used, err) : bo_nomem(err);
    if (st != BO_OK || used == 0)
        return st;
    st = capture_of(target)->position(target->conn, tables, used, &position, err);
    if (st == BO_OK)
        st = bo_buf_check(&position, err);
    if (st != BO_OK)
        return st;
    json_t *capture = json_object_get(details, "capture");
    if (!capture && json_object_set_new(details, "capture", capture = json_object()) != 0)
        return bo_nomem(err);
    return json_object_set_new(capture, name, json_string(bo_buf_str(&position))) == 0
               ? BO_OK
               : bo_nomem(err);
}

/* ---- trusting ---- */

static const char released_text[] = "it was ended when the point was released";

/* In doubt the snapshot tells what the change did, where there is one. */
static bo_status check_doubt(bo_target *target, const bo_point_record *record, const bo_part *part,
    bo_buf *broken, bo_error *err)
{
    const bo_capture_driver *capture = capture_of(target);
    return broken->size == 0 && !part->unstored && capture->doubt
               ? capture->doubt(target->conn, part->now, record->id, broken, err)
               : BO_OK;
}

static bo_status check_part(bo_target *target, const bo_point_record *record, bo_content *content,
    uint32_t i, bool sealed, const char **broken_out, bo_error *err)
{
    const bo_part *part = &content->parts[i];
    BO_OWN_VALUE(bo_buf) broken = {0};
    if (!part->now)
        bo_buf_add_str(&broken, "the table is gone");
    bo_status st =
        part->now ? capture_of(target)->check(target->conn, part->now, record->id, &broken, err)
                  : BO_OK;
    if (st == BO_OK && part->now && !sealed)
        st = check_doubt(target, record, part, &broken, err);
    if (st == BO_OK)
        st = bo_buf_check(&broken, err);
    if (st != BO_OK || broken.size == 0)
        return st;
    *broken_out =
        bo_arena_strn(content->arena, bo_buf_str(&broken), strcspn(bo_buf_str(&broken), "\n"));
    return *broken_out ? BO_OK : bo_nomem(err);
}

bo_status bo_journal_open(bo_target *target, const bo_point_record *record, bo_content *content,
    bo_journal **out, bo_error *err)
{
    bo_journal *journal = bo_arena_alloc(content->arena, sizeof *journal);
    if (!journal)
        return bo_nomem(err);
    *journal = (bo_journal){.broken = bo_arena_array(content->arena,
                                (size_t)content->part_count + 1, sizeof *journal->broken)};
    if (!journal->broken)
        return bo_nomem(err);
    BO_OWN(json_ref) *details = json_loads(record->details, 0, NULL);
    const json_t *capture = json_object_get(details, "capture");
    const char *from = json_string_value(json_object_get(capture, "position"));
    const char *to = json_string_value(json_object_get(capture, "sealed"));
    journal->filter.from = bo_arena_str(content->arena, from);
    journal->filter.to = bo_arena_str(content->arena, to);
    journal->run = bo_arena_str(content->arena, json_string_value(json_object_get(capture, "run")));
    bool released = json_object_get(details, "released_us") != NULL;
    for (uint32_t i = 0; i < content->part_count; i++) {
        if (!content->parts[i].captured || content->parts[i].left_out)
            continue;
        if (released) {
            journal->broken[i] = released_text;
            continue;
        }
        if (!capture_of(target) || !journal->filter.from)
            return bo_fail(err, BO_CORRUPT,
                "the catalog's record of '%s' does not say since when changes are captured",
                record->id);
        bo_status st = check_part(target, record, content, i, to != NULL, &journal->broken[i], err);
        if (st != BO_OK)
            return bo_wrap(err, st, "the capture of table '%s' cannot be checked",
                content->parts[i].was->name);
    }
    *out = journal;
    return BO_OK;
}

/* The database is asked to end the capture before the catalog knows that it has. */
static bo_status is_being_released(
    bo_session *session, const char *point, bo_arena *arena, bool *out, bo_error *err)
{
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs(session->catalog, point, 0, arena, &runs, &count, err);
    for (size_t i = 0; st == BO_OK && i < count; i++)
        if (strcmp(runs[i].kind, "release") == 0 &&
            (strcmp(runs[i].step, "releasing") == 0 || strcmp(runs[i].step, "released") == 0) &&
            bo_run_is_live(&runs[i]))
            *out = true;
    return st;
}

bo_status bo_journal_look_again(bo_session *session, const bo_point_record *record,
    const bo_content *content, bo_journal *journal, bo_error *err)
{
    bool broken = false, released = false;
    for (uint32_t i = 0; i < content->part_count; i++)
        broken = broken || journal->broken[i];
    if (!broken)
        return BO_OK;
    bo_point_record now;
    bo_status st = is_being_released(session, record->id, content->arena, &released, err);
    if (st == BO_OK)
        st = bo_catalog_point_find(session->catalog, record->id, content->arena, &now, err);
    if (st == BO_OK)
        st = bo_point_check_whole(&now, err);
    if (st != BO_OK)
        return st;
    BO_OWN(json_ref) *details = json_loads(now.details, 0, NULL);
    released = released || json_object_get(details, "released_us");
    for (uint32_t i = 0; released && i < content->part_count; i++)
        if (journal->broken[i])
            journal->broken[i] = released_text;
    return BO_OK;
}

bo_status bo_journal_use_unstored(bo_content *content, bo_journal *journal, bo_error *err)
{
    bo_journal_filter *all = bo_arena_alloc(content->arena, sizeof *all);
    if (!all)
        return bo_nomem(err);
    *all = (bo_journal_filter){.from = journal->filter.from};
    for (uint32_t i = 0; i < content->part_count; i++) {
        bo_part *part = &content->parts[i];
        if (!part->unstored || part->left_out)
            continue;
        if (journal->broken[i])
            return bo_fail(err, BO_REFUSED,
                "what happened to table '%s' since the point is not known\nits changes were "
                "captured, and the capture is broken: %s",
                part->was->name, journal->broken[i]);
        part->journal = all;
    }
    return BO_OK;
}

/* ---- mixed rows ---- */

static int by_key(const void *a, const void *b)
{
    return bo_span_compare(*(const bo_span *)a, *(const bo_span *)b);
}

bo_status bo_mixed_add(bo_mixed *mixed, bo_arena *arena, bo_span key, bo_error *err)
{
    bo_span *keys = bo_arena_grow(arena, mixed->keys, mixed->count, sizeof *keys);
    if (!keys)
        return bo_nomem(err);
    mixed->keys = keys;
    bo_status st = bo_span_keep(arena, key, &keys[mixed->count], err);
    mixed->count += st == BO_OK;
    return st;
}

void bo_mixed_sort(bo_mixed *mixed)
{
    if (mixed->count)
        qsort(mixed->keys, mixed->count, sizeof *mixed->keys, by_key);
}

bool bo_mixed_has(const bo_mixed *mixed, bo_span key)
{
    return mixed->count && bsearch(&key, mixed->keys, mixed->count, sizeof key, by_key);
}
