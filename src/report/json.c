/* SPDX-License-Identifier: Apache-2.0 */
/* src/report/json.c - results as JSON. */
#include "report/json.h"

#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "base/text.h"

json_t *bo_json_time(int64_t time_us)
{
    if (time_us == 0)
        return json_null();
    char text[BO_TIME_TEXT_SIZE];
    bo_time_format(time_us, text);
    return json_string(text);
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* An array of `count` things made by `make`; NULL when one of them cannot be made. */
static json_t *array_of(const void *items, size_t count, size_t size, json_t *(*make)(const void *))
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < count; i++) {
        if (json_array_append_new(array, make((const char *)items + i * size)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *make_text(const void *item)
{
    return bo_json_string(*(const char *const *)item);
}

static json_t *texts(const char *const *items, size_t count)
{
    return array_of(items, count, sizeof *items, make_text);
}

json_t *bo_json_error(const bo_error *err, const char *hint)
{
    const char *end = strchr(err->text, '\n');
    size_t first = end ? (size_t)(end - err->text) : strlen(err->text);
    json_t *because = json_array();
    while (because && end) {
        const char *line = end + 1;
        end = strchr(line, '\n');
        BO_OWN_MEM char *copy = strndup(line, end ? (size_t)(end - line) : strlen(line));
        if (!copy || json_array_append_new(because, bo_json_string(copy)) != 0) {
            json_decref(because);
            because = NULL;
        }
    }
    BO_OWN_MEM char *message = strndup(err->text, first);
    json_t *error = json_pack("{s:s, s:o, s:o}", "status", bo_status_name(err->status), "message",
        message ? bo_json_string(message) : NULL, "because", because);
    if (error && err->sqlstate[0])
        (void)json_object_set_new(error, "sqlstate", bo_json_string(err->sqlstate));
    if (error && hint)
        (void)json_object_set_new(error, "hint", bo_json_string(hint));
    return error;
}

static json_t *make_point_table(const void *item)
{
    const bo_point_table *table = item;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:b, s:b, s:o, s:o, s:{s:o, s:o, "
                     "s:o}}",
        "name", bo_json_string(table->name), "where", bo_json_string(table->predicate), "closure",
        bo_json_string(table->closure), "rows", number(table->rows), "bytes", number(table->bytes),
        "digest", bo_json_string(table->digest), "has_key", table->has_key, "limits",
        texts(table->limits, table->limit_count), "stored", table->stored, "captured",
        table->captured, "coverage", bo_json_string(table->coverage[0] ? table->coverage : NULL),
        "reasons", texts(table->reasons, table->reason_count), "change", "inserted",
        number(table->inserted), "updated", number(table->updated), "deleted",
        number(table->deleted));
}

static json_t *make_file(const void *item)
{
    const bo_file_info *file = item;
    return json_pack("{s:o, s:o, s:b, s:o, s:b}", "name", bo_json_string(file->name), "bytes",
        number(file->bytes), "present", file->present, "problem",
        bo_json_string(file->problem[0] ? file->problem : NULL), "encrypted", file->encrypted);
}

static json_t *make_run(const void *item)
{
    const bo_run_info *run = item;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}", "id",
        bo_json_string(run->id), "kind", bo_json_string(run->kind), "status",
        bo_json_string(run->status), "step", bo_json_string(run->step), "actor",
        bo_json_string(run->actor), "started_at", bo_json_time(run->started_us), "ended_at",
        bo_json_time(run->ended_us), "dead", run->dead, "explained", bo_json_string(run->explained),
        "next", bo_json_string(run->next));
}

static json_t *entities(const bo_point *point)
{
    json_t *object = json_object();
    for (size_t i = 0; object && i < point->entity_count; i++) {
        const bo_entity *entity = &point->entities[i];
        if (json_object_set_new(object, entity->name, bo_json_string(entity->value)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *point_tables(const bo_point *point)
{
    return array_of(point->tables, point->table_count, sizeof *point->tables, make_point_table);
}

json_t *bo_json_point(const bo_point *point)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
                     "s:o, s:o, s:o}",
        "id", bo_json_string(point->id), "kind", bo_json_string(point->kind), "migration",
        bo_json_string(point->migration), "description", bo_json_string(point->description),
        "database", bo_json_string(point->database), "url", bo_json_string(point->url), "engine",
        bo_json_string(point->engine), "method", bo_json_string(point->method), "status",
        bo_json_string(point->status), "parent", bo_json_string(point->parent), "created_at",
        bo_json_time(point->created_us), "sealed_at", bo_json_time(point->sealed_us), "released_at",
        bo_json_time(point->released_us), "untagged", number(point->untagged), "tables",
        point_tables(point), "entities", entities(point), "files",
        array_of(point->files, point->file_count, sizeof *point->files, make_file), "runs",
        array_of(point->runs, point->run_count, sizeof *point->runs, make_run));
}

json_t *bo_json_point_made(const bo_point *point)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "id", bo_json_string(point->id), "status",
        bo_json_string(point->status), "database", bo_json_string(point->database), "migration",
        bo_json_string(point->migration), "tables", point_tables(point));
}

/* The names of all tables, of the stored, or of the captured ones. */
static json_t *table_names(const bo_point *point, bool stored, bool captured)
{
    json_t *names = json_array();
    for (size_t i = 0; names && i < point->table_count; i++) {
        const bo_point_table *table = &point->tables[i];
        if ((stored && !table->stored) || (captured && !table->captured))
            continue;
        if (json_array_append_new(names, bo_json_string(table->name)) != 0) {
            json_decref(names);
            return NULL;
        }
    }
    return names;
}

json_t *bo_json_points(const bo_point_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < bo_point_list_count(list); i++) {
        const bo_point *point = bo_point_list_get(list, i);
        json_t *item = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
            "id", bo_json_string(point->id), "kind", bo_json_string(point->kind), "migration",
            bo_json_string(point->migration), "database", bo_json_string(point->database), "method",
            bo_json_string(point->method), "tables", table_names(point, false, false), "stored",
            table_names(point, true, false), "captured", table_names(point, false, true), "status",
            bo_json_string(point->status), "created_at", bo_json_time(point->created_us),
            "description", bo_json_string(point->description), "entities", entities(point));
        if (json_array_append_new(array, item) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *make_conflict(const void *item)
{
    const bo_conflict *conflict = item;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "table", bo_json_string(conflict->table), "key",
        bo_json_string(conflict->key), "class", bo_json_string(conflict->conflict_class), "because",
        bo_json_string(conflict->because), "columns",
        texts(conflict->columns, conflict->column_count));
}

static json_t *make_dependent(const bo_dependent *dependent)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:[]}", "transaction",
        bo_json_string(dependent->transaction), "user", bo_json_string(dependent->user),
        "application", bo_json_string(dependent->application), "run",
        bo_json_string(dependent->run), "because", bo_json_string(dependent->because), "table",
        bo_json_string(dependent->table), "key", bo_json_string(dependent->key), "rows",
        number(dependent->rows), "undone", dependent->undone, "dependents");
}

/* Nested: each has its own dependents in it. */
static json_t *dependents(const bo_rollback *r)
{
    json_t *top = json_array();
    json_t **of = calloc(r->dependent_listed + 1, sizeof(json_t *)); /* arrays inside `top` */
    bool failed = !top || !of;
    for (size_t i = 0; !failed && i < r->dependent_listed; i++) {
        const bo_dependent *dependent = &r->dependents[i];
        json_t *item = make_dependent(dependent);
        of[i] = json_object_get(item, "dependents");
        failed = json_array_append_new(dependent->depth ? of[dependent->parent] : top, item) != 0;
    }
    free(of);
    if (failed)
        json_decref(top);
    return failed ? NULL : top;
}

static json_t *make_rollback_table(const void *item)
{
    const bo_rollback_table *table = item;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", bo_json_string(table->name),
        "inserted", number(table->inserted), "updated", number(table->updated), "deleted",
        number(table->deleted), "conflicts", number(table->conflicts), "lost", number(table->lost),
        "proof", bo_json_string(table->proof));
}

/* Type backup takes whole tables and does not ask who wrote them. */
static json_t *rollback_tables(const bo_rollback *r, bool tells_lost)
{
    json_t *tables = array_of(r->tables, r->table_count, sizeof *r->tables, make_rollback_table);
    size_t i;
    json_t *table;
    if (!tells_lost)
        json_array_foreach(tables, i, table)(void) json_object_set_new(table, "lost", json_null());
    return tables;
}

json_t *bo_json_rollback(const bo_rollback *r)
{
    const bool tells_lost = strcmp(r->type, "backup") != 0;
    json_t *lost = json_pack("{s:o, s:o}", "rows", tells_lost ? number(r->lost_rows) : json_null(),
        "export", bo_json_string(r->lost_export));
    json_t *counts = json_pack("{s:o, s:o, s:o}", "inserted", number(r->inserted), "updated",
        number(r->updated), "deleted", number(r->deleted));
    json_t *object = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, "
                               "s:o, s:o}",
        "id", bo_json_string(r->id), "type", bo_json_string(r->type), "status",
        bo_json_string(r->status), "applied", counts, "conflict_count", number(r->conflict_count),
        "conflicts",
        array_of(r->conflicts, r->conflict_listed, sizeof *r->conflicts, make_conflict),
        "dependent_count", number(r->dependent_count), "dependents", dependents(r), "lost", lost,
        "proof", bo_json_string(r->proof[0] ? r->proof : "inconclusive"), "undo_point",
        bo_json_string(r->undo_point), "plan_digest", bo_json_string(r->plan_digest), "duration_s",
        r->duration_s, "tables", rollback_tables(r, tells_lost), "notes",
        texts(r->notes, r->note_count));
    if (!object || !r->recommended || !r->recommended[0])
        return object;
    json_t *advice = json_pack("{s:o, s:o, s:f, s:i}", "recommended",
        bo_json_string(r->recommended), "because", bo_json_string(r->because), "estimate_s",
        r->estimate_s, "estimate_runs", (int)r->estimate_runs);
    if (!advice || json_object_update_new(object, advice) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *make_difference(const void *item)
{
    const bo_difference *difference = item;
    return json_pack("{s:o, s:o, s:o}", "key", bo_json_string(difference->key), "kind",
        bo_json_string(difference->kind), "columns",
        texts(difference->columns, difference->column_count));
}

static json_t *make_verify_table(const void *item)
{
    const bo_verify_table *table = item;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", bo_json_string(table->name),
        "result", bo_json_string(table->result), "because", bo_json_string(table->because), "rows",
        number(table->rows), "expected_rows", number(table->expected_rows), "difference_count",
        number(table->difference_count), "differences",
        array_of(table->differences, table->difference_listed, sizeof *table->differences,
            make_difference));
}

json_t *bo_json_verification(const bo_verification *v)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "id", bo_json_string(v->id), "result",
        bo_json_string(v->result), "tables",
        array_of(v->tables, v->table_count, sizeof *v->tables, make_verify_table), "notes",
        texts(v->notes, v->note_count));
}

static json_t *make_dry_row(const void *item)
{
    const bo_dry_row *row = item;
    return json_pack("{s:o, s:o, s:o, s:o}", "table", bo_json_string(row->table), "key",
        bo_json_string(row->key), "kind", bo_json_string(row->kind), "columns",
        texts(row->columns, row->column_count));
}

static json_t *change_tables(const bo_change_report *r)
{
    json_t *tables = array_of(r->tables, r->table_count, sizeof *r->tables, make_rollback_table);
    for (size_t i = 0; tables && i < r->table_count; i++) {
        if (json_object_set_new(
                json_array_get(tables, i), "closure", bo_json_string(r->closures[i])) != 0) {
            json_decref(tables);
            return NULL;
        }
    }
    return tables;
}

json_t *bo_json_change(const bo_change_report *r)
{
    json_t *would = json_pack("{s:o, s:o, s:o}", "inserted", number(r->inserted), "updated",
        number(r->updated), "deleted", number(r->deleted));
    return json_pack("{s:o, s:s, s:o, s:o, s:o}", "id", bo_json_string(r->point), "status",
        "dry-run", "change", would, "tables", change_tables(r), "rows",
        array_of(r->rows, r->row_listed, sizeof *r->rows, make_dry_row));
}

static json_t *make_check_item(const void *item)
{
    const bo_check_item *check = item;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "point", bo_json_string(check->point),
        "file", bo_json_string(check->file), "result", bo_json_string(check->result), "problem",
        bo_json_string(check->problem), "bytes", number(check->bytes), "rows", number(check->rows));
}

json_t *bo_json_check(const bo_check *check)
{
    return json_pack("{s:o, s:o}", "result", bo_json_string(check->result), "items",
        array_of(check->items, check->item_count, sizeof *check->items, make_check_item));
}

static json_t *make_prune_item(const void *item)
{
    const bo_prune_item *prune = item;
    return json_pack("{s:o, s:b, s:o, s:o}", "id", bo_json_string(prune->point), "removed",
        prune->removed, "because", bo_json_string(prune->because), "bytes", number(prune->bytes));
}

json_t *bo_json_prune(const bo_prune *prune)
{
    return json_pack("{s:o, s:o, s:o}", "removed", number(prune->removed), "bytes",
        number(prune->bytes), "points",
        array_of(prune->items, prune->item_count, sizeof *prune->items, make_prune_item));
}

json_t *bo_json_audit(const bo_audit *audit)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < bo_audit_count(audit); i++) {
        const bo_audit_entry *entry = bo_audit_get(audit, i);
        json_t *details = entry->details ? json_loads(entry->details, JSON_ALLOW_NUL, NULL) : NULL;
        json_t *item = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "sequence",
            number(entry->sequence), "time", bo_json_time(entry->time_us), "event",
            bo_json_string(entry->event), "actor", bo_json_string(entry->actor), "object",
            bo_json_string(entry->object), "outcome", bo_json_string(entry->outcome), "details",
            details ? details : bo_json_string(entry->details), "hash",
            bo_json_string(entry->hash));
        if (json_array_append_new(array, item) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *bo_json_chain(const bo_audit_result *result)
{
    return json_pack("{s:s, s:b, s:o, s:o, s:o, s:o}", "result",
        result->whole ? "match" : "mismatch", "whole", result->whole, "records",
        number(result->records), "broken_at",
        result->whole ? json_null() : number(result->broken_at), "reason",
        bo_json_string(result->reason), "head", bo_json_string(result->head));
}

json_t *bo_json_progress(const bo_progress *progress)
{
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:f}", "type", "progress", "operation",
        bo_json_string(progress->operation), "table", bo_json_string(progress->table), "done",
        number(progress->done), "total", number(progress->total), "bytes", number(progress->bytes),
        "seconds", progress->seconds);
}

static json_t *make_finding(const void *item)
{
    const bo_finding *finding = item;
    return json_pack("{s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b}", "kind",
        bo_json_string(finding->kind), "bad", finding->bad, "point", bo_json_string(finding->point),
        "table", bo_json_string(finding->table), "run", bo_json_string(finding->run), "what",
        bo_json_string(finding->what), "next", bo_json_string(finding->next), "fixable",
        finding->fixable, "foreign", finding->foreign, "fixed", finding->fixed);
}

static json_t *make_coverage(const void *item)
{
    const bo_table_coverage *table = item;
    return json_pack("{s:o, s:o, s:o, s:o}", "name", bo_json_string(table->name), "snapshot",
        bo_json_string(table->snapshot), "capture",
        bo_json_string(table->capture[0] ? table->capture : NULL), "reasons",
        texts(table->reasons, table->reason_count));
}

json_t *bo_json_doctor(const bo_doctor *doctor)
{
    return json_pack("{s:o, s:o, s:o}", "result", bo_json_string(doctor->result), "findings",
        array_of(doctor->findings, doctor->finding_count, sizeof *doctor->findings, make_finding),
        "tables",
        array_of(doctor->tables, doctor->table_count, sizeof *doctor->tables, make_coverage));
}
