/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/capture.c - which tables are captured for which points: begin, end, list.
 *
 * Every step commits itself, so the order matters: an entry is written, then what it speaks of is
 * made, then it counts; and the other way round.  One connection at a time does this, so whatever
 * does not count and is not its own was left by one that died, and is removed.
 */
#include <string.h>

#include "driver/mariadb/journal.h"

/* ---- one at a time ---- */

#define TURN "CONCAT('backout.capture.', MD5(DATABASE()))"

/* Nobody any more, or somebody who may not be seen: then only that there was one is known. */
static bo_status name_turn(my_conn *conn, bo_error *err)
{
    BO_OWN(MYSQL_RES) *found = NULL;
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_status st = bo_fail(err, BO_BUSY, "another backout begins or ends capture in this database");
    bo_buf_add_str(&sql, "SELECT ID, USER, HOST FROM information_schema.PROCESSLIST"
                         " WHERE ID = IS_USED_LOCK(" TURN ")");
    bo_status asked = my_ask_buf(conn, &sql, &found, NULL);
    MYSQL_ROW row = asked == BO_OK ? mysql_fetch_row(found) : NULL;
    return row ? bo_detail(
                     err, st, "it is connection %s of user '%s' at '%s'", row[0], row[1], row[2])
               : st;
}

bo_status my_take_turn(my_conn *conn, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t taken = 0;
    if (conn->in_transaction)
        return bo_fail(err, BO_INVALID, "capture cannot begin or end inside a transaction");
    bo_buf_printf(&sql, "SELECT GET_LOCK(" TURN ", %u.%03u)", conn->lock_timeout_ms / 1000,
        conn->lock_timeout_ms % 1000); /* %g has the comma of the locale */
    bo_status st = my_ask_count(conn, &sql, &taken, err);
    if (st == BO_OK && !taken)
        return name_turn(conn, err);
    return st;
}

void my_pass_turn(my_conn *conn)
{
    (void)my_run(conn, NULL, NULL, "DO RELEASE_LOCK(" TURN ")");
}

/* ---- locks ---- */

/* The first of the tables that is in the way, as a line of the error. */
static bo_status name_busy(
    my_conn *conn, const my_entry *const *entries, size_t count, bo_status st, bo_error *err)
{
    for (size_t i = 0; st == BO_BUSY && i < count; i++) {
        BO_OWN_VALUE(bo_buf) sql = {0};
        bo_buf_add_str(&sql, "LOCK TABLES ");
        my_quote(&sql, entries[i]->table);
        bo_buf_add_str(&sql, " WRITE NOWAIT");
        if (my_run_buf(conn, &sql, NULL, NULL) == BO_BUSY)
            return bo_wrap(
                err, st, "table '%s' is in use by an open transaction", entries[i]->table);
    }
    return st;
}

bo_status my_lock_tables(my_conn *conn, const my_entry *const *entries, size_t count, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "LOCK TABLES " MY_REGISTRY " WRITE");
    for (size_t i = 0; i < count; i++) {
        bo_buf_add_str(&sql, ", ");
        my_quote(&sql, entries[i]->table);
        bo_buf_add_str(&sql, " WRITE");
    }
    bo_status st = my_run_buf(conn, &sql, NULL, err);
    return st == BO_OK ? BO_OK : name_busy(conn, entries, count, st, err);
}

void my_unlock_tables(my_conn *conn)
{
    (void)my_run(conn, NULL, NULL, "UNLOCK TABLES");
}

/* ---- which tables exist ---- */

typedef struct names {
    size_t count;
    const char **items;
} names;

static bo_status read_names(my_conn *conn, bo_arena *arena, names *out, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_status st = my_ask(conn, &result, err,
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()");
    if (st != BO_OK)
        return st;
    names found = {.count = (size_t)mysql_num_rows(result)};
    found.items = bo_arena_array(arena, found.count + 1, sizeof *found.items);
    if (!found.items)
        return bo_nomem(err);
    for (size_t i = 0; i < found.count; i++) {
        found.items[i] = bo_arena_str(arena, mysql_fetch_row(result)[0]);
        if (!found.items[i])
            return bo_nomem(err);
    }
    *out = found;
    return BO_OK;
}

static bool exists(const names *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->items[i], name) == 0)
            return true;
    }
    return false;
}

/* ---- whose capture it is ---- */

struct role {
    unsigned long server;
    bool receives; /* it is a replica now */
    bool received; /* it is or was one: else what others made came by a copy */
};

static bo_status read_role(my_conn *conn, struct role *out, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_status st = my_ask(conn, &result, err,
        "SELECT @@GLOBAL.server_id, " MY_RECEIVES ", @@GLOBAL.gtid_slave_pos <> ''");
    MYSQL_ROW row = st == BO_OK ? mysql_fetch_row(result) : NULL;
    if (!row)
        return st == BO_OK ? bo_fail(err, BO_DATABASE, "the server does not say what it is") : st;
    *out = (struct role){strtoul(row[0], NULL, 10), row[1][0] != '0', false};
    out->received = out->receives || row[2][0] != '0';
    return BO_OK;
}

/* Another server began it, and sends or sent what it writes. */
static bool is_received(const struct role *role, const my_entry *entry)
{
    const char *server = strstr(entry->mark, "\nr ");
    return server && role->received && strtoul(server + 3, NULL, 10) != role->server;
}

bo_status my_capture_list(bo_conn *base, bo_captured_fn *each, void *ctx, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN(bo_arena) *arena = bo_arena_create();
    my_registry registry = {0};
    names all = {0};
    struct role role = {0};
    if (!arena)
        return bo_nomem(err);
    bo_status st = my_registry_read(conn, arena, &registry, err);
    if (st == BO_OK && registry.count > 0)
        st = read_names(conn, arena, &all, err);
    if (st == BO_OK && registry.count > 0)
        st = read_role(conn, &role, err);
    for (size_t i = 0; st == BO_OK && i < registry.count; i++) {
        const my_entry *entry = &registry.entries[i];
        if (entry->watched)
            continue;
        const char *name = my_display_name(conn, arena, conn->schema, entry->table);
        if (!name)
            return bo_nomem(err);
        bo_captured captured = {.table = name,
            .point = entry->point,
            .gone = !exists(&all, entry->table),
            .received = is_received(&role, entry)};
        st = my_check_harm(conn, entry, &captured.harms, err);
        if (st == BO_OK)
            st = each(ctx, &captured, err);
    }
    return st;
}

/* ---- end ---- */

static bool needed_elsewhere(const my_registry *registry, const my_entry *entry)
{
    for (size_t i = 0; i < registry->count; i++) {
        const my_entry *other = &registry->entries[i];
        if (other->on && other->number == entry->number && strcmp(other->point, entry->point) != 0)
            return true;
    }
    return false;
}

/* The entries of the point whose triggers go; of tables that are there. */
static bo_status find_doomed(my_conn *conn, const my_registry *registry, const char *point,
    bo_arena *arena, const my_entry ***out, size_t *count_out, bo_error *err)
{
    names all = {0};
    size_t count = 0;
    const my_entry **doomed = bo_arena_array(arena, registry->count + 1, sizeof *doomed);
    if (!doomed)
        return bo_nomem(err);
    bo_status st = read_names(conn, arena, &all, err);
    for (size_t i = 0; st == BO_OK && i < registry->count; i++) {
        const my_entry *entry = &registry->entries[i];
        if (strcmp(entry->point, point) == 0 && !needed_elsewhere(registry, entry) &&
            exists(&all, entry->table))
            doomed[count++] = entry;
    }
    *out = doomed;
    *count_out = count;
    return st;
}

/* With the tables locked, so that either nothing has happened or nobody writes half captured. */
static bo_status remove_hooks(
    my_conn *conn, const char *point, const my_entry *const *doomed, size_t count, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql, "UPDATE " MY_REGISTRY " SET `state` = 'ending' WHERE `point` = ");
    my_quote_literal(&sql, point);
    bo_status st = my_lock_tables(conn, doomed, count, err);
    if (st == BO_OK)
        st = my_run_buf(conn, &sql, NULL, err);
    for (size_t i = 0; st == BO_OK && i < count; i++)
        st = my_hooks_drop(conn, doomed[i]->number, err);
    my_unlock_tables(conn);
    return st;
}

bo_status my_capture_clean(my_conn *conn, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t left = 0;
    bo_buf_add_str(&sql, "SELECT COUNT(*) FROM " MY_REGISTRY);
    bo_status st = my_capture_sweep(conn, err);
    if (st == BO_OK)
        st = my_ask_count(conn, &sql, &left, err);
    return st == BO_OK && left == 0 ? my_run(conn, NULL, err, "DROP TABLE " MY_REGISTRY) : st;
}

/* What the source still sends would find no journal. */
static bo_status refuse_received(
    my_conn *conn, const my_registry *registry, const char *point, bo_error *err)
{
    struct role role = {0};
    bo_status st = read_role(conn, &role, err);
    for (size_t i = 0; st == BO_OK && role.receives && i < registry->count; i++) {
        const my_entry *entry = &registry->entries[i];
        if (strcmp(entry->point, point) == 0 && is_received(&role, entry))
            st = bo_fail(
                err, BO_REFUSED, "the server is a replica, which would stop: end it on its source");
    }
    return st;
}

static bool speaks_of(const my_registry *registry, const char *point)
{
    bool found = false;
    for (size_t i = 0; i < registry->count && !found; i++)
        found = strcmp(registry->entries[i].point, point) == 0;
    return found;
}

static bo_status end_point(my_conn *conn, const char *point, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    my_registry registry = {0};
    const my_entry **doomed = NULL;
    size_t count = 0;
    if (!arena)
        return bo_nomem(err);
    bo_status st = my_registry_read(conn, arena, &registry, err);
    if (st != BO_OK || !registry.entries) /* there is no registry */
        return st;
    if (registry.count == 0) /* somebody died before the first entry */
        return my_capture_clean(conn, err);
    if (!speaks_of(&registry, point))
        return BO_OK;
    st = refuse_received(conn, &registry, point, err);
    if (st == BO_OK)
        st = my_refuse_read_only(conn, err);
    if (st == BO_OK)
        st = find_doomed(conn, &registry, point, arena, &doomed, &count, err);
    if (st == BO_OK)
        st = remove_hooks(conn, point, doomed, count, err);
    return st == BO_OK ? my_capture_clean(conn, err) : st;
}

bo_status my_capture_end(bo_conn *base, const char *point, bo_error *err)
{
    my_conn *conn = my_of(base);
    bo_status st = my_take_turn(conn, err);
    if (st == BO_OK) {
        st = end_point(conn, point, err);
        my_pass_turn(conn);
    }
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot end the capture for '%s'", point);
}

const bo_capture_driver my_capture_driver = {
    .coverage = my_capture_coverage,
    .begin = my_capture_begin,
    .end = my_capture_end,
    .list = my_capture_list,
    .check = my_capture_check,
    .position = my_capture_position,
    .changes = my_capture_changes,
    .walk = my_capture_walk,
    .tag = my_capture_tag,
};
