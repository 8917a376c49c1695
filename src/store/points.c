/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/points.c - points: rows of backout_point in, out, and found. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "store/catalog_sql.h"

enum { PREFIX_MIN = 4, CANDIDATES_LISTED = 5 };

const char *bo_point_status_name(bo_point_status status)
{
    switch (status) {
    case BO_POINT_CREATING:
        return "creating";
    case BO_POINT_READY:
        return "ready";
    case BO_POINT_SEALED:
        return "sealed";
    case BO_POINT_ROLLED_BACK:
        return "rolled-back";
    case BO_POINT_FAILED:
        return "failed";
    case BO_POINT_PRUNED:
        return "pruned";
    }
    return "";
}

bool bo_point_is_whole(const bo_point_record *point)
{
    return point->status == BO_POINT_READY || point->status == BO_POINT_SEALED ||
           point->status == BO_POINT_ROLLED_BACK;
}

static bool status_of(bo_text_value name, bo_point_status *out)
{
    for (bo_point_status status = BO_POINT_CREATING; status <= BO_POINT_PRUNED; status++) {
        const char *known = bo_point_status_name(status);
        if (name.size == strlen(known) && memcmp(name.data, known, name.size) == 0) {
            *out = status;
            return true;
        }
    }
    return false;
}

/* ---- columns ---- */

/* The texts of a record, in the order of POINT_COLUMNS, and what stands for NULL in a column that
 * has none (NULL: the column has). */
static const struct text_column {
    size_t offset;
    const char *absent;
} texts[] = {
#define AT(field) offsetof(bo_point_record, field)
    {AT(kind), ""},
    {AT(migration), ""},
    {AT(description), ""},
    {AT(database), ""},
    {AT(url), ""},
    {AT(server), ""},
    {AT(engine), ""},
    {AT(method), ""},
    {AT(file), ""},
    {AT(change_file), NULL},
    {AT(root), ""},
    {AT(change_root), ""},
    {AT(parent), NULL},
    {AT(run), NULL},
    {AT(entities), "{}"},
    {AT(details), "{}"},
    {AT(id), NULL},
#undef AT
};

#define POINT_COLUMNS                                                                         \
    "kind, migration, description, database, url, server, engine, method, file, change_file," \
    " root, change_root, parent, run, entities, details, id, status, created_us, sealed_us"

enum {
    TEXTS = sizeof texts / sizeof *texts,
    ID = TEXTS - 1,
    STATUS = TEXTS,
    CREATED,
    SEALED,
    COLUMNS
};

static const char **text_at(bo_point_record *record, size_t column)
{
    return (const char **)((char *)record + texts[column].offset);
}

static void bind_texts(const bo_point_record *point, bo_text_value out[TEXTS])
{
    bo_point_record copy = *point;
    for (size_t i = 0; i < TEXTS; i++) {
        const char *text = *text_at(&copy, i);
        out[i] = bo_bind_text(text ? text : texts[i].absent);
    }
}

static bo_status read_point(
    bo_arena *arena, const bo_text_value *values, bo_point_record *out, bo_error *err)
{
    bo_point_record point = {0};
    bool nomem = false;
    for (size_t i = 0; i < TEXTS; i++)
        *text_at(&point, i) = bo_read_text(arena, values[i], &nomem);
    if (nomem)
        return bo_nomem(err);
    if (!status_of(values[STATUS], &point.status))
        return bo_fail(err, BO_CORRUPT, "the point '%s' has an unknown status", point.id);
    point.created_us = bo_read_number(values[CREATED]);
    point.sealed_us = bo_read_number(values[SEALED]);
    *out = point;
    return BO_OK;
}

/* ---- writing ---- */

bo_status bo_catalog_point_add(bo_catalog *catalog, const bo_point_record *point, bo_error *err)
{
    bo_digits created;
    bo_digits sealed;
    bo_text_value params[COLUMNS];
    bind_texts(point, params);
    params[STATUS] = bo_bind_text(bo_point_status_name(point->status));
    params[CREATED] = bo_bind_number(point->created_us, &created);
    params[SEALED] = bo_bind_number(point->sealed_us, &sealed);
    bo_status st = bo_catalog_write_one(catalog,
        "INSERT INTO backout_point (number, " POINT_COLUMNS ")"
        " VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM backout_point), $1, $2, $3, $4, $5,"
        " $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
        " ON CONFLICT (id) DO NOTHING",
        params, COLUMNS, BO_EXISTS, "there is a point of this id already", err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot record the point '%s'", point->id);
}

bo_status bo_catalog_point_update(bo_catalog *catalog, const bo_point_record *point, bo_error *err)
{
    bo_digits created;
    bo_digits sealed;
    bo_text_value texts_in[TEXTS];
    bo_text_value params[COLUMNS];
    bind_texts(point, texts_in);
    memcpy(params, texts_in, ID * sizeof *params); /* the id comes last here */
    params[ID] = bo_bind_text(bo_point_status_name(point->status));
    params[ID + 1] = bo_bind_number(point->created_us, &created);
    params[ID + 2] = bo_bind_number(point->sealed_us, &sealed);
    params[ID + 3] = texts_in[ID];
    bo_status st = bo_catalog_write_one(catalog,
        "UPDATE backout_point SET kind = $1, migration = $2, description = $3, database = $4,"
        " url = $5, server = $6, engine = $7, method = $8, file = $9, change_file = $10,"
        " root = $11, change_root = $12, parent = $13, run = $14, entities = $15, details = $16,"
        " status = $17, created_us = $18, sealed_us = $19 WHERE id = $20",
        params, COLUMNS, BO_NOTFOUND, "no such point", err);
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot record the point '%s'", point->id);
}

/* ---- finding ---- */

struct found {
    bo_arena *arena;
    bo_point_record point; /* the first one */
    size_t count;
};

static bo_status find_one(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    struct found *found = ctx;
    return found->count++ == 0 ? read_point(found->arena, values, &found->point, err) : BO_OK;
}

#define USABLE      "kind NOT IN ('undo', 'dry-run') AND status IN ('ready', 'sealed', 'rolled-back')"
#define OF_A_CHANGE "kind <> 'backup'"
#define BEGINS      "substr(id, 1, length(CAST($1 AS TEXT))) = $2"

static bo_status name_candidate(
    void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    bo_buf *names = ctx;
    bo_buf_add_str(names, names->size ? ", '" : "'");
    bo_buf_add(names, values[0].data, values[0].size);
    bo_buf_add_byte(names, '\'');
    return bo_buf_check(names, err);
}

static bo_status fail_ambiguous(bo_catalog *catalog, const char *id, size_t count, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) names = {0};
    char sql[160];
    (void)snprintf(sql, sizeof sql,
        "SELECT id FROM backout_point WHERE " BEGINS " ORDER BY number DESC LIMIT %d",
        CANDIDATES_LISTED);
    const bo_text_value params[] = {bo_bind_text(id), bo_bind_text(id)};
    bo_status st = bo_catalog_query(catalog, sql, params, 2, name_candidate, &names, NULL, err);
    if (st != BO_OK)
        return st;
    if (count > CANDIDATES_LISTED)
        bo_buf_printf(&names, " and %zu more", count - CANDIDATES_LISTED);
    bo_buf_add_byte(&names, 0);
    return bo_fail(
        err, BO_INVALID, "'%s' is the beginning of several points: %s", id, bo_buf_str(&names));
}

/* Says what there is instead. */
static bo_status fail_no_latest(bo_catalog *catalog, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) name = {0};
    bo_status st = bo_catalog_query(catalog,
        "SELECT id FROM backout_point WHERE " USABLE " ORDER BY number DESC LIMIT 1", NULL, 0,
        name_candidate, &name, NULL, err);
    if (st != BO_OK)
        return st;
    if (name.size == 0)
        return bo_fail(err, BO_NOTFOUND, "no such point: 'latest'");
    bo_buf_add_byte(&name, 0);
    return bo_fail(
        err, BO_NOTFOUND, "no point of a change: the newest is the backup %s", bo_buf_str(&name));
}

#define WITH_ID "SELECT " POINT_COLUMNS " FROM backout_point WHERE id = $1"

bo_status bo_catalog_point_get(bo_catalog *catalog, const char *id, bo_arena *arena,
    bo_point_record *out, bool *there_out, bo_error *err)
{
    const bo_text_value params[] = {bo_bind_text(id)};
    struct found found = {.arena = arena};
    bo_status st = bo_catalog_query(catalog, WITH_ID, params, 1, find_one, &found, NULL, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot look for the point '%s'", id);
    *there_out = found.count > 0;
    if (*there_out)
        *out = found.point;
    return BO_OK;
}

bo_status bo_catalog_point_find(
    bo_catalog *catalog, const char *id, bo_arena *arena, bo_point_record *out, bo_error *err)
{
    const bool latest = strcmp(id, "latest") == 0;
    const bo_text_value params[] = {bo_bind_text(id), bo_bind_text(id)};
    struct found found = {.arena = arena};
    bo_status st = bo_catalog_query(catalog,
        latest ? "SELECT " POINT_COLUMNS " FROM backout_point WHERE " USABLE " AND " OF_A_CHANGE
                 " ORDER BY number DESC LIMIT 1"
               : WITH_ID,
        params, latest ? 0 : 1, find_one, &found, NULL, err);
    if (st == BO_OK && found.count == 0 && !latest && strlen(id) >= PREFIX_MIN)
        st = bo_catalog_query(catalog,
            "SELECT " POINT_COLUMNS " FROM backout_point WHERE " BEGINS " ORDER BY number DESC",
            params, 2, find_one, &found, NULL, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot look for the point '%s'", id);
    if (found.count == 0 && latest)
        return fail_no_latest(catalog, err);
    if (found.count == 0)
        return bo_fail(err, BO_NOTFOUND, "no such point: '%s'", id);
    if (found.count > 1)
        return fail_ambiguous(catalog, id, found.count, err);
    *out = found.point;
    return BO_OK;
}

/* ---- listing ---- */

struct listing {
    const bo_point_filter *filter;
    bo_arena *arena;
    bo_point_record *items;
    size_t count;
};

static bool is_text(const json_t *value, const char *text)
{
    return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

/* What follows the last dot that is not inside of quotes, of a name as it is shown. */
static const char *last_part(const char *name)
{
    const char *last = name;
    char quote = 0;
    for (const char *c = name; *c; c++) {
        if (quote)
            quote = *c == quote ? 0 : quote; /* a doubled one opens it again */
        else if (*c == '"' || *c == '`')
            quote = *c;
        else if (*c == '.')
            last = c + 1;
    }
    return last;
}

static bool part_is(const char *part, const char *name)
{
    char quote = *part == '"' || *part == '`' ? *part : 0;
    if (!quote)
        return strcmp(part, name) == 0;
    for (part++; *part; part++, name++) {
        if (*part == quote && *++part != quote)
            return !*part && !*name;
        if (*part != *name)
            return false;
    }
    return false;
}

/* "t" stands for "s.t" of any schema, and needs no quotes. */
static bool is_table(const json_t *name, const char *table)
{
    return is_text(name, table) ||
           (json_is_string(name) && part_is(last_part(json_string_value(name)), table));
}

static bool has_table(const json_t *details, const char *table)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(details, "tables"), i,
        one) if (is_table(json_object_get(one, "name"), table)) return true;
    return false;
}

/* The part of the filter that looks into JSON, which SQL does not say alike everywhere. */
static bool is_wanted(const bo_point_filter *filter, const bo_point_record *point)
{
    bool wanted = true;
    if (filter->table) {
        json_t *details = json_loads(point->details, 0, NULL);
        wanted = has_table(details, filter->table);
        json_decref(details);
    }
    if (wanted && filter->entity_name) {
        json_t *entities = json_loads(point->entities, 0, NULL);
        const json_t *value = json_object_get(entities, filter->entity_name);
        wanted = filter->entity_value ? is_text(value, filter->entity_value) : value != NULL;
        json_decref(entities);
    }
    return wanted;
}

static bo_status list_one(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    struct listing *listing = ctx;
    if (listing->filter->limit && listing->count >= listing->filter->limit)
        return BO_OK;
    bo_point_record point;
    bo_status st = read_point(listing->arena, values, &point, err);
    if (st != BO_OK || !is_wanted(listing->filter, &point))
        return st;
    bo_point_record *items =
        bo_arena_grow(listing->arena, listing->items, listing->count, sizeof *items);
    if (!items)
        return bo_nomem(err);
    items[listing->count++] = point;
    listing->items = items;
    return BO_OK;
}

bo_status bo_catalog_points(bo_catalog *catalog, const bo_point_filter *filter, bo_arena *arena,
    bo_point_record **out, size_t *count_out, bo_error *err)
{
    static const bo_point_filter everything = {0};
    filter = filter ? filter : &everything;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_text_value params[2];
    uint16_t count = 0;
    bo_buf_add_str(&sql, "SELECT " POINT_COLUMNS " FROM backout_point WHERE 1 = 1");
    if (!filter->with_undo)
        bo_buf_add_str(&sql, " AND kind <> 'undo'");
    if (filter->without_failed)
        bo_buf_add_str(&sql, " AND status <> 'failed'");
    if (filter->usable)
        bo_buf_add_str(&sql, " AND " USABLE);
    if (filter->of_a_change)
        bo_buf_add_str(&sql, " AND " OF_A_CHANGE);
    if (filter->database) {
        params[count++] = bo_bind_text(filter->database);
        bo_buf_printf(&sql, " AND database = $%d", count);
    }
    if (filter->migration) {
        params[count++] = bo_bind_text(filter->migration);
        bo_buf_printf(&sql, " AND migration = $%d", count);
    }
    bo_buf_add_str(&sql, " ORDER BY number DESC");
    if (filter->limit && !filter->table && !filter->entity_name)
        bo_buf_printf(&sql, " LIMIT %u", filter->limit);

    struct listing listing = {.filter = filter, .arena = arena};
    bo_status st = bo_buf_check(&sql, err);
    if (st == BO_OK)
        st = bo_catalog_query(
            catalog, bo_buf_str(&sql), params, count, list_one, &listing, NULL, err);
    if (st != BO_OK)
        return bo_wrap(err, st, "cannot list the points");
    *out = listing.items;
    *count_out = listing.count;
    return BO_OK;
}
