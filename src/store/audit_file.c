/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/audit_file.c - the audit log as a JSON file: exporting it, and checking it offline. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "store/audit_chain.h"
#include "store/catalog_sql.h"

#define FILE_LIMIT ((size_t)512 << 20) /* bytes; the whole file is in memory when it is checked */

/* ---- exporting ---- */

struct export
{
    bo_outfile *file;
    bool begun;
};

/* Details as an object, for people, where that says every byte; otherwise as the text that it is.
 */
static json_t *export_details(bo_text_value details)
{
    json_t *object = json_loadb(details.data, details.size, JSON_REJECT_DUPLICATES, NULL);
    BO_OWN_MEM char *again = object ? bo_audit_canonical(object) : NULL;
    if (json_is_object(object) && again && strlen(again) == details.size &&
        memcmp(again, details.data, details.size) == 0)
        return object;
    json_decref(object);
    return json_stringn(details.data, details.size);
}

static json_t *export_record(const bo_text_value *values)
{
    char time[BO_TIME_TEXT_SIZE];
    int64_t time_us = bo_read_number(values[BO_AUDIT_TIME]);
    bo_time_format(time_us, time);
    return json_pack("{s:I, s:s, s:I, s:s%, s:s%, s:s%, s:s%, s:o, s:s%, s:s%}", "sequence",
        (json_int_t)bo_read_number(values[BO_AUDIT_SEQUENCE]), "time", time, "time_us",
        (json_int_t)time_us, "event", values[BO_AUDIT_EVENT].data, values[BO_AUDIT_EVENT].size,
        "actor", values[BO_AUDIT_ACTOR].data, values[BO_AUDIT_ACTOR].size, "object",
        values[BO_AUDIT_OBJECT].data, values[BO_AUDIT_OBJECT].size, "outcome",
        values[BO_AUDIT_OUTCOME].data, values[BO_AUDIT_OUTCOME].size, "details",
        export_details(values[BO_AUDIT_DETAILS]), "previous", values[BO_AUDIT_PREVIOUS].data,
        values[BO_AUDIT_PREVIOUS].size, "hash", values[BO_AUDIT_HASH].data,
        values[BO_AUDIT_HASH].size);
}

static bo_status export_one(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    struct export *export = ctx;
    json_t *record = export_record(values);
    BO_OWN_MEM char *text = record ? bo_json_dump(record, JSON_COMPACT) : NULL;
    json_decref(record);
    if (!text)
        return bo_fail(err, BO_CORRUPT, "record %.*s is not text that JSON can hold",
            (int)values[BO_AUDIT_SEQUENCE].size, values[BO_AUDIT_SEQUENCE].data);
    const char *before = export->begun ? ",\n" : "\n";
    export->begun = true;
    bo_status st = bo_outfile_write(export->file, before, strlen(before), err);
    return st == BO_OK ? bo_outfile_write(export->file, text, strlen(text), err) : st;
}

static bo_status export_all(bo_catalog *catalog, bo_outfile *file, bo_error *err)
{
    struct export export = {.file = file};
    bo_status st = bo_catalog_read_begin(catalog, err);
    if (st != BO_OK)
        return st;
    st = bo_outfile_write(file, "[", 1, err);
    if (st == BO_OK)
        st = bo_audit_each(catalog, export_one, &export, err);
    bo_catalog_read_end(catalog);
    return st == BO_OK ? bo_outfile_write(file, "\n]\n", 3, err) : st;
}

bo_status bo_audit_export(bo_catalog *catalog, const char *path, bool replace, bo_error *err)
{
    BO_OWN(bo_outfile) *file = NULL;
    bo_status st = bo_outfile_create(path, &file, err);
    if (st == BO_OK)
        st = export_all(catalog, file, err);
    if (st == BO_OK)
        st = bo_outfile_commit(file, replace, err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot export the audit log to '%s'", path);
}

/* ---- checking ---- */

/* The texts of a record; `memory` keeps what they point to. */
struct parsed {
    bo_digits sequence;
    bo_digits time;
    char *details;
};

static bo_text_value string_of(const json_t *record, const char *name)
{
    const json_t *value = json_object_get(record, name);
    return (bo_text_value){json_string_value(value), json_string_length(value)};
}

static bo_text_value number_of(const json_t *record, const char *name, bo_digits *memory)
{
    const json_t *value = json_object_get(record, name);
    if (!json_is_integer(value))
        return (bo_text_value){0};
    return bo_bind_number(json_integer_value(value), memory);
}

static bo_text_value details_of(const json_t *record, struct parsed *memory)
{
    const json_t *value = json_object_get(record, "details");
    if (json_is_string(value))
        return string_of(record, "details");
    if (json_is_object(value))
        memory->details = bo_audit_canonical(value);
    return bo_bind_text(memory->details);
}

/* Beside the fields that are hashed a record has the time for people, and nothing else. */
static bool is_record(const json_t *record)
{
    char time[BO_TIME_TEXT_SIZE];
    const char *shown = json_string_value(json_object_get(record, "time"));
    bo_time_format(json_integer_value(json_object_get(record, "time_us")), time);
    return json_object_size(record) == BO_AUDIT_FIELDS + 1 && shown && strcmp(shown, time) == 0;
}

static void check_one(bo_chain *chain, const json_t *record)
{
    struct parsed memory = {.details = NULL};
    const bo_text_value fields[BO_AUDIT_FIELDS] = {
        [BO_AUDIT_SEQUENCE] = number_of(record, "sequence", &memory.sequence),
        [BO_AUDIT_TIME] = number_of(record, "time_us", &memory.time),
        [BO_AUDIT_EVENT] = string_of(record, "event"),
        [BO_AUDIT_ACTOR] = string_of(record, "actor"),
        [BO_AUDIT_OBJECT] = string_of(record, "object"),
        [BO_AUDIT_OUTCOME] = string_of(record, "outcome"),
        [BO_AUDIT_DETAILS] = details_of(record, &memory),
        [BO_AUDIT_PREVIOUS] = string_of(record, "previous"),
        [BO_AUDIT_HASH] = string_of(record, "hash"),
    };
    bo_chain_add(chain, fields);
    if (chain->found.whole && !is_record(record))
        bo_chain_break(chain, chain->found.records,
            "record %" PRIu64 " has other fields or another time than it was written with",
            chain->found.records);
    free(memory.details);
}

bo_status bo_audit_verify_file(const char *path, bo_audit_check *out, bo_error *err)
{
    if (sodium_init() < 0)
        return bo_fail(err, BO_FAILED, "the cryptographic library cannot be started");
    BO_OWN_VALUE(bo_buf) text = {0};
    bo_status st = bo_file_slurp(path, FILE_LIMIT, &text, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot check the audit log '%s'", path);

    json_error_t where;
    json_t *records =
        json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &where);
    bo_chain chain;
    bo_chain_open(&chain);
    if (!json_is_array(records)) {
        json_decref(records);
        return bo_fail(err, BO_CORRUPT, "'%s' is not a JSON array of audit records", path);
    }
    size_t i;
    const json_t *record;
    json_array_foreach(records, i, record) check_one(&chain, record);
    json_decref(records);
    *out = chain.found;
    return BO_OK;
}
