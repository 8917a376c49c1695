/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/check_file.c - one file of a point, frame by frame, against what the catalog says of
 * it. */
#include <string.h>

#include "base/step.h"
#include "base/text.h"
#include "change/check.h"
#include "change/unsettled.h"

/* ---- what is said of a file ---- */

bo_status bo_check_add(bo_checking *checking, const bo_check_item *item, bo_error *err)
{
    bo_check_item *items =
        bo_arena_grow(checking->arena, checking->items, checking->count, sizeof *items);
    if (!items)
        return bo_nomem(err);
    checking->items = items;
    items[checking->count] = *item;
    bo_check_item *added = &items[checking->count++];
    added->point = bo_arena_str(checking->arena, item->point);
    added->file = bo_arena_str(checking->arena, item->file);
    added->problem = bo_arena_str(checking->arena, item->problem);
    return added->point && added->file && added->problem ? BO_OK : bo_nomem(err);
}

/* A finding about one file; anything that is none (no memory, an interrupt) ends the check. */
typedef struct finding {
    const char *result;
    bo_buf problem;
} finding;

static void finding_done(finding *found)
{
    bo_buf_done(&found->problem);
}

static void note(finding *found, const char *result, const char *text)
{
    if (strcmp(found->result, "mismatch") != 0)
        found->result = result;
    if (found->problem.size)
        bo_buf_add_str(&found->problem, "; ");
    bo_text_one_line(&found->problem, text);
}

static bool ends_check(bo_status st)
{
    return st == BO_NOMEM || st == BO_INTERRUPTED;
}

/* What was not read, decrypted or reached is not known to be wrong. */
static bool is_wrong(bo_status st)
{
    return st == BO_CORRUPT || st == BO_NOTFOUND || st == BO_MISMATCH;
}

static bo_status note_failure(finding *found, bo_status st, const bo_error *failure, bo_error *err)
{
    if (ends_check(st)) {
        if (err)
            *err = *failure;
        return st;
    }
    note(found, is_wrong(st) ? "mismatch" : "inconclusive", failure->text);
    return BO_OK;
}

/* ---- frames ---- */

struct damage {
    uint32_t broken; /* frames of one table */
    uint64_t rows, lost;
};

/* `worst` is the first frame that is not what was written, or else the first that was not read. */
static void note_damage(
    finding *found, const bo_content *content, const struct damage *damage, const bo_error *worst)
{
    note(found, is_wrong(worst->status) ? "mismatch" : "inconclusive", worst->text);
    BO_OWN_VALUE(bo_buf) whole = {0};
    BO_OWN_VALUE(bo_buf) broken = {0};
    for (uint32_t i = 0; i < content->part_count; i++) {
        const char *name = content->parts[i].was->name;
        if (damage[i].broken == 0)
            bo_buf_printf(&whole, "%s%s", whole.size ? ", " : "", name);
        else
            bo_buf_printf(&broken, "%s%s (%llu of %llu rows)", broken.size ? ", " : "", name,
                (unsigned long long)(damage[i].rows - damage[i].lost),
                (unsigned long long)damage[i].rows);
    }
    bo_buf_printf(&found->problem, "; whole: %s; readable in part: %s",
        whole.size ? bo_buf_str(&whole) : "no table", bo_buf_str(&broken));
    found->problem.failed = found->problem.failed || whole.failed || broken.failed;
}

static bo_status read_frames(bo_checking *checking, bo_content *content, finding *found,
    struct damage *damage, bo_error *err)
{
    BO_OWN(bo_frame_reader) *reader = NULL;
    bo_error worst = {0};
    bo_meter meter;
    bo_meter_start(&meter, checking->session, "check", 0);
    bo_status st = bo_frame_reader_create(content->pack, &reader, err);
    for (uint32_t i = 0; st == BO_OK && i < bo_pack_frame_count(content->pack); i++) {
        const bo_frame *frame = bo_pack_get_frame(content->pack, i);
        bo_error failure = {0};
        st = bo_interrupt_check(err);
        if (st != BO_OK)
            break;
        bo_status loaded = bo_frame_reader_load(reader, i, &failure);
        if (ends_check(loaded))
            return note_failure(found, loaded, &failure, err);
        damage[frame->table].rows += frame->rows;
        if (loaded != BO_OK) {
            damage[frame->table].broken++;
            damage[frame->table].lost += frame->rows;
            if (worst.status == BO_OK || (is_wrong(loaded) && !is_wrong(worst.status)))
                worst = failure;
        }
        bo_meter_add(&meter, content->parts[frame->table].was->name, frame->rows, frame->raw_size);
    }
    if (st == BO_OK && worst.status != BO_OK)
        note_damage(found, content, damage, &worst);
    return st;
}

/* ---- against the catalog ---- */

static uint64_t number(const json_t *object, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

static void compare_table(
    finding *found, const bo_content *content, const json_t *table, const struct damage *damage)
{
    const char *name = json_string_value(json_object_get(table, "name"));
    int part = name ? bo_content_find(content, name) : -1;
    BO_OWN_VALUE(bo_buf) text = {0};
    if (part < 0) {
        bo_buf_printf(&text, "table '%s' is not in it", name ? name : "");
    } else if (bo_pack_get_kind(content->pack) == BO_PACK_SNAPSHOT) {
        bo_digest digest = {0};
        char hex[BO_DIGEST_TEXT_SIZE];
        bo_pack_table_digest(content->pack, (uint32_t)part, &digest);
        bo_digest_format(&digest, hex);
        const char *recorded = json_string_value(json_object_get(table, "digest"));
        if (digest.rows != number(table, "rows") || !recorded || strcmp(hex, recorded) != 0)
            bo_buf_printf(&text,
                "table '%s' has %llu rows and is not the one of the catalog (%llu)", name,
                (unsigned long long)digest.rows, (unsigned long long)number(table, "rows"));
    } else {
        uint64_t changes =
            number(table, "inserted") + number(table, "updated") + number(table, "deleted");
        if (changes != damage[part].rows)
            bo_buf_printf(&text, "table '%s' has %llu changes, and %llu in the catalog", name,
                (unsigned long long)damage[part].rows, (unsigned long long)changes);
    }
    if (text.size || text.failed)
        note(found, "mismatch", bo_buf_str(&text));
    found->problem.failed = found->problem.failed || text.failed;
}

static void compare_details(
    finding *found, const bo_content *content, const char *details, const struct damage *damage)
{
    BO_OWN(json_ref) *recorded = json_loads(details, 0, NULL);
    const json_t *tables = json_object_get(recorded, "tables");
    if (json_array_size(tables) != content->part_count)
        note(found, "mismatch", "it has other tables than the catalog says");
    else
        for (size_t i = 0; i < json_array_size(tables); i++)
            compare_table(found, content, json_array_get(tables, i), damage);
}

/* ---- others go on meanwhile ---- */

bo_status bo_check_ask_live(bo_checking *checking, bo_error *err)
{
    bo_run_record *runs = NULL;
    size_t count = 0, live = 0;
    bo_status st = bo_catalog_runs_running(
        checking->session->catalog, NULL, checking->arena, &runs, &count, err);
    for (size_t i = 0; st == BO_OK && i < count; i++)
        if (bo_run_is_live(&runs[i])) /* a lease that is seen later may have been renewed */
            runs[live++] = runs[i];
    checking->live = runs;
    checking->live_count = st == BO_OK ? live : 0;
    return st;
}

bool bo_check_at_work(const bo_checking *checking, const char *point)
{
    for (size_t i = 0; i < checking->live_count; i++) {
        const bo_run_record *run = &checking->live[i];
        bool own = run->point && strcmp(run->point, point) == 0;
        if (own || bo_run_has_marker(run, point))
            return true;
    }
    return false;
}

/* Was the point pruned while its files were read? */
static bo_status is_pruned_now(
    bo_checking *checking, const bo_point_record *point, bool *out, bo_error *err)
{
    bo_point_record now;
    bo_status st =
        bo_catalog_point_find(checking->session->catalog, point->id, checking->arena, &now, err);
    *out = st == BO_OK && !bo_point_is_whole(&now);
    if (*out && !checking->all)
        return bo_fail(err, BO_REFUSED, "'%s' became %s meanwhile: there is nothing to check",
            point->id, bo_point_status_name(now.status));
    return st;
}

/* ---- one file ---- */

static bo_status test_restore(bo_checking *checking, const bo_checked_file *stored,
    bo_content *content, finding *found, bo_error *err)
{
    const bo_driver *driver = NULL;
    bo_error failure = {0};
    bo_status st = bo_driver_find(stored->point->url, &driver, &failure);
    if (st == BO_OK)
        st = bo_stored_test_restore(
            checking->session, driver, checking->database, content, &failure);
    if (st == BO_NOTFOUND) /* a type, say: the scratch database lacks it, the file does not */
        st = BO_DATABASE;
    return st == BO_OK ? BO_OK : note_failure(found, st, &failure, err);
}

static bo_status read_content(bo_checking *checking, const bo_checked_file *stored,
    bo_content *content, finding *found, uint64_t *rows_out, bo_error *err)
{
    struct damage *damage =
        bo_arena_array(content->arena, (size_t)content->part_count + 1, sizeof *damage);
    if (!damage)
        return bo_nomem(err);
    if (bo_pack_get_kind(content->pack) != stored->kind) {
        note(found, "mismatch",
            stored->kind == BO_PACK_SNAPSHOT ? "it is not a snapshot" : "it holds no changes");
        return BO_OK;
    }
    bo_status st = read_frames(checking, content, found, damage, err);
    if (st != BO_OK)
        return st;
    for (uint32_t i = 0; i < content->part_count; i++)
        *rows_out += damage[i].rows;
    if (stored->details)
        compare_details(found, content, stored->details, damage);
    if (checking->test_restore && stored->kind == BO_PACK_SNAPSHOT &&
        strcmp(found->result, "match") == 0)
        st = test_restore(checking, stored, content, found, err);
    return st;
}

bo_status bo_check_file(bo_checking *checking, const bo_checked_file *stored, bo_error *err)
{
    BO_OWN(bo_content) *content = NULL;
    BO_OWN_VALUE(finding) found = {.result = "match"};
    bo_check_item item = {.point = stored->point->id, .file = stored->name};
    bo_error failure = {0};
    bo_status st =
        bo_repository_size(checking->session->repository, stored->name, &item.bytes, &failure);
    if (st == BO_OK)
        st = bo_content_open(checking->session, stored->name, stored->root, &content, &failure);
    if (st == BO_OK)
        st = read_content(checking, stored, content, &found, &item.rows, err);
    else {
        st = note_failure(&found, st, &failure, err);
        if (st == BO_OK && strcmp(found.result, "mismatch") == 0)
            note(&found, "mismatch", "nothing of it can be restored");
    }
    item.result = found.result;
    item.problem = bo_buf_str(&found.problem);
    if (st == BO_OK)
        st = bo_buf_check(&found.problem, err);
    bool pruned = false;
    if (st == BO_OK && strcmp(found.result, "match") != 0)
        st = is_pruned_now(checking, stored->point, &pruned, err);
    return st != BO_OK || pruned ? st : bo_check_add(checking, &item, err);
}
