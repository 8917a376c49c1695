/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/target.c - connecting to the database that is worked on, and describing what is in
 * scope. */
#include "change/target.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "change/closure.h"
#include "change/session.h"

static uint32_t workers(const bo_database *database)
{
    return database->workers ? database->workers : 2;
}

bo_status bo_target_connect(
    const bo_database *database, const char *run_id, bo_conn **out, bo_error *err)
{
    char name[128] = "backout";
    if (run_id)
        snprintf(name, sizeof name, "backout:%s", run_id);
    bo_connect how = {.url = database->url,
        .password = database->password,
        .application_name = name,
        .run = run_id ? run_id : BO_CAPTURE_OWN_RUN,
        .lock_timeout_ms = database->lock_timeout_ms,
        .readers = run_id ? 1 : workers(database),
        .raw = run_id != NULL};
    return bo_driver_open(&how, out, err);
}

bo_status bo_target_open(const bo_database *database, bo_target **out, bo_error *err)
{
    BO_OWN(bo_target) *target = calloc(1, sizeof *target);
    if (!target)
        return bo_nomem(err);
    target->database = database;
    BO_OWN_VALUE(bo_buf) url = {0};
    bo_status st = bo_url_redact(database->url, &url, err);
    if (st != BO_OK)
        return st;
    target->url = strdup(bo_buf_str(&url));
    if (!target->url)
        return bo_nomem(err);
    st = bo_target_connect(database, NULL, &target->conn, err);
    if (st != BO_OK)
        return st;
    st = target->conn->driver->identity(target->conn, &target->identity, err);
    if (st != BO_OK)
        return st;
    *out = BO_TAKE(target);
    return BO_OK;
}

void bo_target_warn_behind(bo_session *session, const bo_target *target)
{
    if (target->identity.behind)
        bo_session_warn(session,
            "the server is a replica: rows are read as it has them, which may be behind its "
            "primary");
}

void bo_target_free(bo_target *target)
{
    if (!target)
        return;
    bo_conn_free(target->conn);
    free(target->url);
    free(target);
}

uint32_t bo_target_workers(const bo_target *target)
{
    const bo_driver *driver = target->conn->driver;
    return driver->caps & BO_CAP_SHARE || driver->twin ? workers(target->database) : 1;
}

const char *bo_target_name(const bo_target *target)
{
    return target->database->name ? target->database->name : target->url;
}

struct names {
    bo_arena *arena;
    bo_scope_item *items;
    size_t count;
};

static bo_status collect_name(void *ctx, const char *name, bo_error *err)
{
    struct names *names = ctx;
    bo_scope_item *items = bo_arena_grow(names->arena, names->items, names->count, sizeof *items);
    char *copy = bo_arena_str(names->arena, name);
    if (!items || !copy)
        return bo_nomem(err);
    names->items = items;
    items[names->count++] = (bo_scope_item){.table = copy};
    return BO_OK;
}

/* Why no point can be taken of it; NULL: one can.  The catalog's records are JSON. */
static const char *uncovered(const bo_table *table)
{
    if (table->uncovered)
        return table->limits[0];
    return bo_text_is_utf8(table->name, strlen(table->name)) ? NULL : "its name is not UTF-8";
}

static bo_status check_covered(const bo_part *part, bo_error *err)
{
    const bo_table *table = part->was;
    if (uncovered(table))
        return bo_fail(
            err, BO_UNSUPPORTED, "table '%s' cannot be covered\n%s", table->name, uncovered(table));
    if (part->predicate && !bo_text_is_utf8(part->predicate, strlen(part->predicate)))
        return bo_fail(err, BO_INVALID, "the predicate of %s is not UTF-8", table->name);
    if (part->predicate && !table->row_key)
        return bo_fail(err, BO_UNSUPPORTED,
            "rows of '%s' cannot be chosen by a predicate\nit has no key, so a row cannot be found "
            "again after the change; take the whole table",
            table->name);
    return BO_OK;
}

static bo_status describe_part(bo_target *target, const bo_scope_item *item, bo_arena *arena,
    bo_part *parts, uint32_t used, bo_error *err)
{
    bo_part *part = &parts[used];
    bo_status st =
        target->conn->driver->describe(target->conn, item->table, arena, &part->was, err);
    if (st != BO_OK)
        return st;
    part->now = part->was;
    part->predicate = item->predicate ? bo_arena_str(arena, item->predicate) : NULL;
    part->entering = part->predicate;
    for (uint32_t j = 0; j < used; j++)
        if (strcmp(parts[j].was->name, part->was->name) == 0)
            return bo_fail(err, BO_INVALID, "table '%s' is named twice", part->was->name);
    return BO_OK;
}

bo_status bo_target_scope(bo_target *target, const bo_point_options *options, bo_arena *arena,
    bo_part **out, uint32_t *count_out, bo_buf *notes, bo_error *err)
{
    const bo_scope_item *scope = options->scope;
    size_t count = options->scope_count;
    struct names names = {.arena = arena};
    bool everything = count == 0;
    if (everything) {
        bo_status st = target->conn->driver->tables(target->conn, collect_name, &names, err);
        if (st != BO_OK)
            return st;
        scope = names.items;
        count = names.count;
    }
    bo_part *parts = bo_arena_array(arena, count + 1, sizeof *parts);
    if (!parts)
        return bo_nomem(err);
    uint32_t used = 0;
    for (size_t i = 0; i < count; i++) {
        bo_status st = describe_part(target, &scope[i], arena, parts, used, err);
        if (st == BO_OK && (!everything || !uncovered(parts[used].was)))
            st = check_covered(&parts[used++], err);
        else if (st == BO_OK)
            bo_buf_printf(notes, "left out: table %s: %s\n", parts[used].was->name,
                uncovered(parts[used].was));
        if (st != BO_OK)
            return st;
    }
    if (used == 0)
        return bo_fail(err, BO_NOTFOUND, "there is no table to take a point of");
    bo_status st = BO_OK;
    if (!everything)
        st = bo_closure_add(target->conn, !options->no_closure, arena, &parts, &used, notes, err);
    if (st == BO_OK)
        st = bo_buf_check(notes, err);
    if (st != BO_OK)
        return st;
    *out = parts;
    *count_out = used;
    return BO_OK;
}

bo_status bo_target_check_server(const bo_target *target, const char *server, bo_error *err)
{
    if (!server[0] || strcmp(server, target->identity.server) == 0)
        return BO_OK;
    return bo_fail(
        err, BO_REFUSED, "'%s' is not the database the point was taken of", bo_target_name(target));
}

bo_status bo_target_note_server(bo_session *session, const bo_target *target, const char *server,
    const char *engine, bo_error *err)
{
    bo_error other = {0};
    bo_status st = bo_target_check_server(target, server, &other);
    if (st == BO_OK)
        return BO_OK;
    if (strncmp(engine, target->identity.engine, strcspn(engine, " ") + 1) != 0) {
        if (err)
            *err = other;
        return st;
    }
    bo_session_warn(session, "%s: it should be a copy that took over from it", other.text);
    return BO_OK;
}
