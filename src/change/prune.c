/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/change/prune.c - retention: the files of points that no rule keeps and nobody needs go.
 *
 * The catalog says "pruned" before the first file goes, so a point that can be chosen is whole.  A
 * prune that died in between left files of a pruned point: the next one removes them.
 */
#include <string.h>

#include "backout/backup.h"
#include "base/clock.h"
#include "change/captured.h"
#include "change/leftovers.h"
#include "change/release.h"
#include "change/result.h"
#include "change/stored.h"
#include "change/take.h"
#include "change/unsettled.h"

#define DAY_US    INT64_C(86400000000)
#define UNSETTLED "what became of %s (%s) is not settled: backout doctor --fix"

BO_DEFINE_SCOPE(bo_prune);

void bo_prune_free(bo_prune *prune)
{
    bo_result_free(prune);
}

/* A point with what is decided of it. */
struct candidate {
    const bo_point_record *point;
    const char *group; /* kind, database and tables: what keep_last counts by */
    bool chosen;       /* by the table filter */
    bool goes;
    const char *because;
    uint64_t bytes, files;
};

struct pruning {
    bo_session *session;
    const bo_prune_options *options;
    bo_arena *arena;
    int64_t now_us;
    struct candidate *candidates; /* newest first, as in the catalog */
    size_t count;
};

/* ---- reading ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "point\nshop\ncustomers\norders\n": names are sorted, for the order of a scope means nothing. */
static const char *group_of(struct pruning *pruning, const bo_point_record *point)
{
    BO_OWN(json_ref) *details = json_loads(point->details, 0, NULL);
    const json_t *tables = json_object_get(details, "tables");
    size_t count = json_array_size(tables);
    const char **names = bo_arena_array(pruning->arena, count + 1, sizeof *names);
    if (!names)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(tables, i), "name"));
        names[i] = name ? name : "";
    }
    qsort(names, count, sizeof *names, compare_names);
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_buf_printf(&text, "%s\n%s\n", point->kind, point->database);
    for (size_t i = 0; i < count; i++)
        bo_buf_printf(&text, "%s\n", names[i]);
    return text.failed ? NULL : bo_arena_str(pruning->arena, bo_buf_str(&text));
}

/* A record that names no file has none: one of its name is another catalog's. */
static bool has_files(const bo_point_record *point)
{
    return (point->file && point->file[0]) || (point->change_file && point->change_file[0]);
}

/* As they are now: another prune may be at work. */
static bo_status measure(struct pruning *pruning, struct candidate *candidate, bo_error *err)
{
    candidate->files = candidate->bytes = 0;
    if (!has_files(candidate->point))
        return BO_OK;
    for (size_t i = 0; bo_stored_suffixes[i]; i++) {
        uint64_t bytes = 0;
        const char *name =
            bo_arena_printf(pruning->arena, "%s%s", candidate->point->id, bo_stored_suffixes[i]);
        if (!name)
            return bo_nomem(err);
        bo_error absent = {0};
        if (bo_repository_size(pruning->session->repository, name, &bytes, &absent) != BO_OK)
            continue;
        candidate->files++;
        candidate->bytes += bytes;
    }
    return BO_OK;
}

static bo_status load(struct pruning *pruning, bo_error *err)
{
    const bo_point_filter all = {.with_undo = true};
    bo_point_filter some = {.with_undo = true, .table = pruning->options->table};
    bo_point_record *points = NULL, *chosen = NULL;
    size_t count = 0, chosen_count = 0;
    bo_catalog *catalog = pruning->session->catalog;
    bo_status st = bo_catalog_points(catalog, &some, pruning->arena, &chosen, &chosen_count, err);
    if (st == BO_OK)
        st = bo_catalog_points(catalog, &all, pruning->arena, &points, &count, err);
    if (st != BO_OK)
        return st;
    pruning->candidates = bo_arena_array(pruning->arena, count + 1, sizeof *pruning->candidates);
    if (!pruning->candidates)
        return bo_nomem(err);
    size_t at = 0; /* both lists are in the same order; who came between is in the second only */
    for (size_t i = 0; st == BO_OK && i < count; i++) {
        struct candidate *candidate = &pruning->candidates[i];
        candidate->point = &points[i];
        candidate->group = group_of(pruning, &points[i]);
        if (!candidate->group)
            return bo_nomem(err);
        candidate->chosen = at < chosen_count && strcmp(chosen[at].id, points[i].id) == 0;
        at += candidate->chosen;
        st = measure(pruning, candidate, err);
    }
    pruning->count = count;
    return st;
}

/* ---- deciding ---- */

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

static bool is_parent(const bo_point_record *one, const bo_point_record *other)
{
    return other->parent && strcmp(other->parent, one->id) == 0;
}

/* A point, its undo points and the point that it is the undo point of: settling a rollback of one
 * of them changes the records of the others. */
static bool are_related(const bo_point_record *one, const bo_point_record *other)
{
    return strcmp(one->id, other->id) == 0 || is_parent(one, other) || is_parent(other, one);
}

/* Which rollback keeps the point since nobody knows yet what became of it, or NULL. */
static bo_status held_by_unsettled(
    struct pruning *pruning, const bo_point_record *point, const char **why_out, bo_error *err)
{
    bo_catalog *catalog = pruning->session->catalog;
    *why_out = NULL;
    for (size_t i = 0; i < pruning->count; i++) {
        const bo_point_record *other = pruning->candidates[i].point;
        bo_run_record *runs = NULL;
        size_t count = 0;
        if (!are_related(point, other))
            continue;
        bo_status st = bo_catalog_runs(catalog, other->id, 0, pruning->arena, &runs, &count, err);
        if (st != BO_OK)
            return st;
        for (size_t r = 0; r < count; r++) {
            if (!bo_run_is_unsettled(&runs[r]))
                continue;
            *why_out = bo_arena_printf(pruning->arena, UNSETTLED, runs[r].id, runs[r].kind);
            return *why_out ? BO_OK : bo_nomem(err);
        }
    }
    return BO_OK;
}

/* Which run is at work on the point, or NULL; `runs` are all of it, the newest first. */
static bo_status held_by_live(struct pruning *pruning, const bo_point_record *point,
    bo_run_record **runs, size_t *count, const char **why_out, bo_error *err)
{
    *why_out = NULL;
    bo_status st =
        bo_catalog_runs(pruning->session->catalog, point->id, 0, pruning->arena, runs, count, err);
    for (size_t i = 0; st == BO_OK && i < *count; i++) {
        const bo_run_record *run = &(*runs)[i];
        if (!bo_run_is_live(run))
            continue;
        *why_out =
            bo_arena_printf(pruning->arena, "a run is at work on it: %s (%s) of process %lld on %s",
                run->id, run->kind, (long long)run->pid, run->host);
        return *why_out ? BO_OK : bo_nomem(err);
    }
    return st;
}

/* Why the runs of the point keep it, or NULL. */
static bo_status held_by_run(
    struct pruning *pruning, const bo_point_record *point, const char **why_out, bo_error *err)
{
    static const char *const changing[] = {"run", "seal", "rollback", "restore", NULL};
    static const char *const open[] = {"running", "died", "unknown", NULL};
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = held_by_unsettled(pruning, point, why_out, err);
    if (st == BO_OK && !*why_out)
        st = held_by_live(pruning, point, &runs, &count, why_out, err);
    if (st != BO_OK || *why_out)
        return st;
    for (size_t i = 0; i < count; i++) {
        if (!is_one_of(runs[i].kind, changing))
            continue;
        if (is_one_of(runs[i].status, open))
            *why_out = bo_arena_printf(
                pruning->arena, "its last run (%s) did not come to an end", runs[i].kind);
        return !is_one_of(runs[i].status, open) || *why_out ? BO_OK : bo_nomem(err);
    }
    return BO_OK;
}

static const struct candidate *find_parent(
    const struct pruning *pruning, const struct candidate *child)
{
    for (size_t i = 0; child->point->parent && i < pruning->count; i++)
        if (strcmp(pruning->candidates[i].point->id, child->point->parent) == 0)
            return &pruning->candidates[i];
    return NULL;
}

/* An undo point is needed while what it undoes can be rolled back again; NULL: it is not. */
static bo_status held_by_parent(
    struct pruning *pruning, const struct candidate *candidate, const char **why_out, bo_error *err)
{
    const struct candidate *parent = find_parent(pruning, candidate);
    bool stays = parent && !parent->goes && parent->point->status != BO_POINT_PRUNED;
    *why_out = NULL;
    if (strcmp(candidate->point->kind, "undo") != 0 || !stays)
        return BO_OK;
    *why_out = bo_arena_printf(
        pruning->arena, "it is the undo point of %s, which stays", parent->point->id);
    return *why_out ? BO_OK : bo_nomem(err);
}

static const char *held_by_age(const struct pruning *pruning, const bo_point_record *point)
{
    bool fresh = point->created_us > pruning->now_us - DAY_US;
    bool open = point->status == BO_POINT_READY && strcmp(point->kind, "point") == 0;
    return open && fresh ? "it is not sealed, and younger than a day" : NULL;
}

/* How many points of its group that can be returned to are newer. */
static uint32_t newer_ones(const struct pruning *pruning, const struct candidate *candidate)
{
    uint32_t newer = 0;
    for (const struct candidate *one = pruning->candidates; one < candidate; one++)
        newer += bo_point_is_whole(one->point) && strcmp(one->group, candidate->group) == 0;
    return newer;
}

/* A point goes only when every rule that is given lets it. */
static const char *held_by_rule(const struct pruning *pruning, const struct candidate *candidate)
{
    const bo_prune_options *options = pruning->options;
    int64_t age_us = pruning->now_us - candidate->point->created_us;
    if (options->keep_last && newer_ones(pruning, candidate) < options->keep_last)
        return bo_arena_printf(
            pruning->arena, "it is one of the last %u of its tables", options->keep_last);
    if (options->keep_days && age_us < options->keep_days * DAY_US)
        return bo_arena_printf(pruning->arena, "it is younger than %u day%s", options->keep_days,
            options->keep_days == 1 ? "" : "s");
    return "";
}

static bo_status decide_whole(struct pruning *pruning, struct candidate *candidate, bo_error *err)
{
    const char *why = NULL;
    bo_status st = held_by_run(pruning, candidate->point, &why, err);
    if (st == BO_OK && !why)
        why = held_by_age(pruning, candidate->point);
    if (st == BO_OK && !why)
        st = held_by_parent(pruning, candidate, &why, err);
    if (st != BO_OK)
        return st;
    if (!why)
        why = held_by_rule(pruning, candidate);
    if (!why)
        return bo_nomem(err);
    candidate->goes = why[0] == '\0';
    candidate->because = candidate->goes ? "no rule keeps it" : why;
    return BO_OK;
}

/* Why the point is another one than in the plan, or NULL. */
static bo_status changed_meanwhile(struct pruning *pruning, const bo_point_record *point,
    bo_point_record *now, const char **why_out, bo_error *err)
{
    *why_out = NULL;
    bo_status st =
        bo_catalog_point_find(pruning->session->catalog, point->id, pruning->arena, now, err);
    if (st != BO_OK || now->status == point->status)
        return st;
    *why_out = bo_arena_printf(
        pruning->arena, "it became %s meanwhile", bo_point_status_name(now->status));
    return *why_out ? BO_OK : bo_nomem(err);
}

/* Of a point that was never whole only files are left, if anything.  No run is at work on it: is it
 * still not whole? */
static bo_status decide_unfinished(
    struct pruning *pruning, struct candidate *candidate, bo_error *err)
{
    const char *why = NULL;
    bool creating = candidate->point->status == BO_POINT_CREATING;
    bool undo = strcmp(candidate->point->kind, "undo") == 0;
    bo_point_record now;
    bo_status st = held_by_run(pruning, candidate->point, &why, err);
    if (st == BO_OK && !why)
        st = changed_meanwhile(pruning, candidate->point, &now, &why, err);
    if (st != BO_OK)
        return st;
    if (!why && creating && undo)
        why = "whether its rollback was committed is not settled";
    candidate->goes = !why && (creating || candidate->files > 0);
    candidate->because = why ? why : "it was never whole";
    return BO_OK;
}

/* Files are left of it when a prune died, and while one is at work. */
static bo_status decide_pruned(struct pruning *pruning, struct candidate *candidate, bo_error *err)
{
    const char *why = NULL;
    bo_run_record *runs = NULL;
    size_t count = 0;
    if (!candidate->files)
        return BO_OK;
    bo_status st = held_by_live(pruning, candidate->point, &runs, &count, &why, err);
    if (st == BO_OK)
        st = measure(pruning, candidate, err);
    if (st != BO_OK)
        return st;
    candidate->goes = !why && candidate->files > 0;
    candidate->because = why ? why : "an earlier prune did not come to its end";
    return BO_OK;
}

static bo_status decide(struct pruning *pruning, struct candidate *candidate, bo_error *err)
{
    switch (candidate->point->status) {
    case BO_POINT_PRUNED:
        return decide_pruned(pruning, candidate, err);
    case BO_POINT_CREATING:
    case BO_POINT_FAILED:
        return decide_unfinished(pruning, candidate, err);
    default:
        return decide_whole(pruning, candidate, err);
    }
}

/* Nothing to say of a point without files that was pruned or could not be taken. */
static bool is_silent(const struct candidate *candidate)
{
    bo_point_status status = candidate->point->status;
    return !candidate->chosen ||
           ((status == BO_POINT_PRUNED || status == BO_POINT_FAILED) && !candidate->goes);
}

/* ---- removing ---- */

static bo_status remove_files(struct pruning *pruning, const bo_point_record *point, bo_error *err)
{
    for (size_t i = 0; has_files(point) && bo_stored_suffixes[i]; i++) {
        const char *name =
            bo_arena_printf(pruning->arena, "%s%s", point->id, bo_stored_suffixes[i]);
        if (!name)
            return bo_nomem(err);
        bo_error failed = {0};
        bo_status st = bo_repository_remove(pruning->session->repository, name, &failed);
        if (st != BO_OK && st != BO_NOTFOUND) {
            if (err)
                *err = failed;
            return st;
        }
    }
    return BO_OK;
}

/* Under the point's run: what nobody knows the outcome of, undo points that came since included. */
static bo_status check_settled(struct pruning *pruning, const bo_point_record *point, bo_error *err)
{
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_status st = bo_catalog_runs_unsettled(
        pruning->session->catalog, point->id, pruning->arena, &runs, &count, err);
    if (st == BO_OK && count)
        return bo_fail(err, BO_BUSY, UNSETTLED, runs[0].id, runs[0].kind);
    return st;
}

/* Under the point's run: it is still as it was when the plan was made. */
static bo_status set_pruned(struct pruning *pruning, struct candidate *candidate, const char *run,
    bo_point_record *out, bo_error *err)
{
    const char *why = NULL;
    bo_status st = changed_meanwhile(pruning, candidate->point, out, &why, err);
    if (st == BO_OK && why)
        return bo_fail(err, BO_BUSY, "%s", why);
    if (st == BO_OK && out->status != BO_POINT_PRUNED)
        st = check_settled(pruning, out, err);
    if (st == BO_OK)
        st = measure(pruning, candidate, err);
    if (st == BO_OK && out->status == BO_POINT_PRUNED && !candidate->files)
        return bo_fail(err, BO_BUSY, "another prune removed its files meanwhile");
    if (st == BO_OK)
        st = bo_catalog_run_step(pruning->session->catalog, run, "pruning", NULL, NULL, err);
    out->status = BO_POINT_PRUNED;
    return st == BO_OK ? bo_point_update_under(pruning->session, run, out, err) : st;
}

static bo_status end_capture(
    struct pruning *pruning, bo_point_record *point, const char *run, bo_error *err)
{
    const bo_prune_options *options = pruning->options;
    const bo_database known = {.name = point->database, .url = point->url};
    const bo_database *database = &known;
    BO_OWN(bo_target) *target = NULL;
    bo_status st = BO_OK;
    if (options->database)
        st = options->database(options->ctx, point->database, point->url, &database, err);
    if (st == BO_OK)
        st = bo_target_open(database, &target, err);
    return st == BO_OK
               ? bo_point_release_record(pruning->session, target, run, point, pruning->arena, err)
               : st;
}

/* A database that cannot be reached keeps no file here. */
static void try_end_capture(struct pruning *pruning, bo_point_record *point, const char *run)
{
    bo_error error = {0};
    if (!bo_point_captures(point) || end_capture(pruning, point, run, &error) == BO_OK)
        return;
    bo_session_warn(pruning->session,
        "the changes of %s are still captured in its database (%s); backout doctor --fix ends that",
        point->id, error.text);
}

static bo_status remove_point(struct pruning *pruning, struct candidate *candidate, bo_error *err)
{
    bo_session *session = pruning->session;
    const char *id = candidate->point->id;
    char run[64];
    bo_point_record point;
    bo_status st = bo_catalog_run_begin(session->catalog, "prune", id, session->actor, run, err);
    if (st != BO_OK)
        return st;
    st = set_pruned(pruning, candidate, run, &point, err);
    if (st == BO_OK)
        try_end_capture(pruning, &point, run);
    if (st == BO_OK)
        st = bo_catalog_run_step(session->catalog, run, "removing", NULL, NULL, err);
    if (st == BO_OK)
        st = remove_files(pruning, &point, err);
    st = bo_session_run_end(session, run, st, err);
    return bo_session_audit_end(session, "point.prune", id, st,
        json_pack("{s:I, s:I, s:s}", "files", (json_int_t)candidate->files, "bytes",
            (json_int_t)candidate->bytes, "because", candidate->because),
        err);
}

/* Oldest first: what became of its parent is known. */
static bo_status remove_candidate(
    struct pruning *pruning, struct candidate *candidate, bo_error *err)
{
    bo_error failed = {0};
    const char *why = NULL;
    bo_status st =
        bo_point_is_whole(candidate->point) ? held_by_parent(pruning, candidate, &why, err) : BO_OK;
    if (st == BO_OK && why) {
        candidate->goes = false;
        candidate->because = why;
    }
    if (st != BO_OK || why)
        return st;
    st = remove_point(pruning, candidate, &failed);
    if (st == BO_OK)
        return BO_OK;
    if (st == BO_BUSY) { /* somebody came to need it */
        candidate->goes = false;
        candidate->because = bo_arena_str(pruning->arena, failed.text);
        return candidate->because ? BO_OK : bo_nomem(err);
    }
    if (err)
        *err = failed;
    return bo_wrap(err, st, "cannot remove '%s'", candidate->point->id);
}

/* ---- the whole ---- */

/* Decides oldest first, because what becomes of an undo point follows from its parent. */
static bo_status prune(struct pruning *pruning, bo_error *err)
{
    bo_status st = load(pruning, err);
    for (size_t i = pruning->count; st == BO_OK && i-- > 0;)
        if (pruning->candidates[i].chosen)
            st = decide(pruning, &pruning->candidates[i], err);
    if (pruning->options->dry_run)
        return st;
    for (size_t i = pruning->count; st == BO_OK && i-- > 0;)
        if (pruning->candidates[i].goes)
            st = remove_candidate(pruning, &pruning->candidates[i], err);
    return st == BO_OK ? bo_leftovers_remove(pruning->session, err) : st;
}

static bo_status report(const struct pruning *pruning, bo_prune *out, bo_error *err)
{
    bo_prune_item *items = bo_arena_array(pruning->arena, pruning->count + 1, sizeof *items);
    if (!items)
        return bo_nomem(err);
    out->items = items;
    for (size_t i = 0; i < pruning->count; i++) {
        const struct candidate *candidate = &pruning->candidates[i];
        if (is_silent(candidate))
            continue;
        items[out->item_count++] = (bo_prune_item){.point = candidate->point->id,
            .removed = candidate->goes,
            .because = candidate->because,
            .bytes = candidate->bytes};
        out->removed += candidate->goes;
        out->bytes += candidate->goes ? candidate->bytes : 0;
    }
    return BO_OK;
}

bo_status bo_prune_points(
    bo_session *session, const bo_prune_options *options, bo_prune **out, bo_error *err)
{
    if (!options->keep_last && !options->keep_days)
        return bo_fail(err, BO_INVALID, "no rule says which points to keep");
    bo_arena *arena = NULL;
    BO_OWN(bo_prune) *result = bo_result_create(sizeof *result, &arena);
    if (!result)
        return bo_nomem(err);
    struct pruning pruning = {
        .session = session, .options = options, .arena = arena, .now_us = bo_clock_now_us()};
    bo_status st = prune(&pruning, err);
    if (st == BO_OK)
        st = report(&pruning, result, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot remove old points");
    *out = BO_TAKE(result);
    return BO_OK;
}
