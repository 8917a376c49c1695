/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/capture_check.c - is a capture as it was made, so that its journal can be
 * trusted? */
#include <mysqld_error.h>
#include <string.h>

#include "base/text.h"
#include "driver/mariadb/journal.h"

/* ---- what the journal keeps ---- */

static const my_kept *find_kept(const my_entry *entry, const char *name)
{
    for (uint16_t i = 0; i < entry->column_count; i++) {
        if (strcmp(entry->columns[i].name, name) == 0)
            return &entry->columns[i];
    }
    return NULL;
}

static bool same_text(const char *a, const char *b)
{
    return (!a && !b) || (a && b && strcmp(a, b) == 0);
}

bo_status my_check_columns(
    const my_entry *entry, const bo_table *now, bo_buf *broken, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    const my_kept *wanted = arena ? my_kept_columns(now, arena) : NULL;
    if (!wanted)
        return bo_nomem(err);
    for (uint16_t i = 0; i < now->image_count; i++) {
        const my_kept *kept = find_kept(entry, wanted[i].name);
        const char *what =
            !kept                                              ? "is new"
            : strcmp(kept->type, wanted[i].type) != 0          ? "has another type"
            : !same_text(kept->collation, wanted[i].collation) ? "has another collation"
            : kept->in_key != wanted[i].in_key ? "is now, or is no longer, in the key"
            : kept != &entry->columns[i]       ? "is in another place"
                                               : NULL;
        if (what) {
            bo_buf_printf(broken, "column '%s' %s", wanted[i].name, what);
            return bo_buf_check(broken, err);
        }
    }
    for (uint16_t i = 0; i < entry->column_count; i++) {
        const int at = bo_table_column(now, entry->columns[i].name);
        if (at < 0 || bo_table_image_position(now, (uint16_t)at) < 0) {
            bo_buf_printf(broken, "column '%s' is gone", entry->columns[i].name);
            break;
        }
    }
    return bo_buf_check(broken, err);
}

static bo_status is_versioned(my_conn *conn, const my_entry *entry, uint64_t *out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_printf(&sql,
        "SELECT TABLE_TYPE = 'SYSTEM VERSIONED' FROM information_schema.TABLES"
        " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'backout_journal_%u'",
        entry->number);
    return my_ask_count(conn, &sql, out, err);
}

bo_status my_check_harm(my_conn *conn, const my_entry *entry, bool *out, bo_error *err)
{
    uint64_t versioned = 0;
    bo_status st = conn->log != MY_LOG_NOTHING && !entry->watched
                       ? is_versioned(conn, entry, &versioned, err)
                       : BO_OK;
    if (st == BO_OK)
        *out = versioned != 0;
    return st;
}

/* A versioned one beside a binary log, or a plain one without. */
static bo_status check_kind(my_conn *conn, const my_entry *entry, bo_buf *broken, bo_error *err)
{
    uint64_t versioned = 0;
    bo_status st = is_versioned(conn, entry, &versioned, err);
    const bool logged = conn->log != MY_LOG_NOTHING;
    if (st == BO_OK && versioned && logged)
        bo_buf_add_str(broken, "the server writes a binary log now, and replicas stop at what its "
                               "journal is given: release the point before one follows");
    else if (st == BO_OK && !versioned && !logged)
        bo_buf_add_str(broken, "the server writes no binary log any more: its journal cannot tell "
                               "transactions apart");
    return st;
}

/* The journal is gone, altered, damaged or taken away: what else a question fails with passes. */
static bool is_lost(my_conn *conn, bo_status st)
{
    static const unsigned lost[] = {ER_BAD_FIELD_ERROR, ER_NO_SUCH_TABLE_IN_ENGINE, ER_VIEW_INVALID,
        ER_NOT_FORM_FILE, ER_NOT_KEYFILE, ER_GET_ERRNO, ER_CRASHED_ON_USAGE, ER_TABLE_CORRUPT,
        ER_TABLESPACE_MISSING, ER_TABLESPACE_DISCARDED, ER_COLUMNACCESS_DENIED_ERROR};
    if (my_link_broke(conn))
        return false;
    bool found = st == BO_NOTFOUND || st == BO_DENIED;
    for (size_t i = 0; !found && i < sizeof lost / sizeof *lost; i++)
        found = mysql_errno(conn->my) == lost[i];
    return found;
}

/* The first question reads nothing; it fails when the journal or a column of it is not there. */
bo_status my_check_journal(my_conn *conn, const my_entry *entry, bo_buf *broken, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t missed = 0;
    bo_error refused = {0};
    bo_buf_add_str(&sql, "SELECT `backout_tx`, `backout_user`, `backout_run`, `backout_op`");
    for (uint16_t i = 0; i < entry->column_count; i++) {
        bo_buf_add_str(&sql, ", ");
        my_quote(&sql, entry->columns[i].name);
    }
    bo_buf_printf(&sql, " FROM " MY_JOURNAL " LIMIT 0", entry->number);
    bo_status st = my_ask_count(conn, &sql, &missed, &refused);
    if (st == BO_OK) {
        bo_buf_clear(&sql);
        bo_buf_printf(&sql, "SELECT EXISTS (SELECT 1 FROM " MY_JOURNAL " WHERE `backout_op` = 'X')",
            entry->number);
        st = my_ask_count(conn, &sql, &missed, err);
        if (st == BO_OK)
            st = check_kind(conn, entry, broken, err);
        if (missed && broken->size == 0)
            bo_buf_add_str(broken, "writes were missed while a table, a column or an index had "
                                   "another name, or of rows that are too large for the journal");
    } else if (is_lost(conn, st)) {
        bo_buf_printf(broken, "its journal cannot be read: %s", refused.text);
        st = BO_OK;
    } else if (err) {
        *err = refused;
    }
    return st == BO_OK ? bo_buf_check(broken, err) : st;
}

/* ---- triggers ---- */

/* Name, body, mode, event, timing, order of the table's triggers; whether one is ours. */
static bo_status read_triggers(my_conn *conn, const char *table, MYSQL_RES **out, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    bo_buf_add_str(&sql,
        "SELECT TRIGGER_NAME, ACTION_STATEMENT, SQL_MODE, EVENT_MANIPULATION, ACTION_TIMING,"
        " ACTION_ORDER, TRIGGER_NAME REGEXP " MY_OUR_TRIGGERS
        " FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE()"
        " AND EVENT_OBJECT_TABLE = ");
    my_quote_literal(&sql, table);
    bo_buf_add_str(&sql, " ORDER BY CAST(ACTION_ORDER AS UNSIGNED)");
    return my_ask_buf(conn, &sql, out, err);
}

static MYSQL_ROW find_trigger(MYSQL_RES *result, const char *name)
{
    MYSQL_ROW row;
    mysql_data_seek(result, 0);
    while ((row = mysql_fetch_row(result)) != NULL && strcmp(row[0], name) != 0)
        continue;
    return row;
}

/* A trigger of the user that runs after ours, before the write, could change what is written. */
static const char *later_one(MYSQL_RES *result, MYSQL_ROW ours)
{
    const unsigned long order = strtoul(ours[5], NULL, 10);
    MYSQL_ROW row;
    mysql_data_seek(result, 0);
    while ((row = mysql_fetch_row(result)) != NULL) {
        if (strcmp(row[3], ours[3]) == 0 && strcmp(row[4], ours[4]) == 0 &&
            strtoul(row[5], NULL, 10) > order && row[6][0] == '0')
            return row[0];
    }
    return NULL;
}

/* What follows a quoted name, whose first quote is before `name`. */
static const char *skip_name(const char *name)
{
    for (; *name; name++) {
        if (*name == '`' && *++name != '`')
            break;
    }
    return name;
}

/* What follows the index that is named at `text`, or that none is; else `text`. */
static const char *skip_index(const char *text)
{
    static const char hint[] = " FORCE INDEX (`", none[] = MY_NO_VIEW;
    if (bo_text_starts(text, none))
        return text + sizeof none - 1;
    if (!bo_text_starts(text, hint))
        return text;
    const char *after = skip_name(text + sizeof hint - 1);
    return *after == ')' ? after + 1 : text;
}

/* Bodies are the same but for the indexes that they name: others may be there now. */
static bool same_body(const char *a, const char *b)
{
    for (;; a++, b++) {
        a = skip_index(a);
        b = skip_index(b);
        if (!*a || *a != *b)
            return *a == *b;
    }
}

static void check_hook(
    MYSQL_RES *result, const char *table, const char *name, const char *body, bo_buf *broken)
{
    MYSQL_ROW row = find_trigger(result, name);
    const char *later = row && strcmp(row[4], "BEFORE") == 0 ? later_one(result, row) : NULL;
    if (!row)
        bo_buf_printf(broken, "trigger '%s' of '%s' is missing", name, table);
    else if (!same_body(row[1], body))
        bo_buf_printf(broken,
            "trigger '%s' of '%s' is not what it must be now: columns, keys or foreign keys "
            "changed",
            name, table);
    else if (strcmp(row[2], MY_TRIGGER_MODE) != 0)
        bo_buf_printf(broken, "trigger '%s' of '%s' has another sql_mode", name, table);
    else if (later)
        bo_buf_printf(broken, "trigger '%s' of '%s' runs after '%s'", later, table, name);
}

bo_status my_check_hooks(my_conn *conn, const my_scheme *scheme, const my_entry *entry,
    bo_arena *arena, bo_buf *broken, bo_error *err)
{
    BO_OWN(MYSQL_RES) *result = NULL;
    const char *bodies[MY_HOOK_COUNT] = {0};
    bo_status st = my_hook_bodies(scheme, entry, arena, bodies, err);
    if (st == BO_OK)
        st = read_triggers(conn, entry->table, &result, err);
    for (my_hook hook = 0; st == BO_OK && broken->size == 0 && hook < MY_HOOK_COUNT; hook++) {
        BO_OWN_VALUE(bo_buf) name = {0};
        my_hook_name(&name, hook, entry->number);
        st = bo_buf_check(&name, err);
        if (st == BO_OK && bodies[hook])
            check_hook(result, entry->table, bo_buf_str(&name), bodies[hook], broken);
    }
    return st == BO_OK ? bo_buf_check(broken, err) : st;
}

/* ---- tables whose rows take ours along ---- */

struct parents {
    my_conn *conn;
    const my_scheme *scheme;
    bo_arena *arena;
    bo_buf *broken;
};

static bo_status check_parent(void *ctx, const my_action *action, bo_error *err)
{
    struct parents *parents = ctx;
    const my_scheme *scheme = parents->scheme;
    const my_entry *entry = my_registry_find(&scheme->registry, scheme->point, action->parent);
    if (parents->broken->size > 0)
        return BO_OK;
    if (entry && action->parent_here)
        return my_check_hooks(parents->conn, scheme, entry, parents->arena, parents->broken, err);
    const my_entry none = {.point = scheme->point, .table = action->parent, .watched = true};
    const char *bodies[MY_HOOK_COUNT] = {0};
    bo_status st = my_hook_bodies(scheme, &none, parents->arena, bodies, err);
    if (st == BO_OK && (!action->parent_here || bodies[MY_HOOK_BU] || bodies[MY_HOOK_BD]))
        bo_buf_printf(parents->broken, "foreign key '%s' of '%s' is new: its actions are not seen",
            action->name, action->child);
    return st;
}

/* ---- writers that fire no triggers ---- */

static bo_status check_replica(my_conn *conn, bo_buf *broken, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    uint64_t replica = 0;
    bo_buf_add_str(&sql, "SELECT " MY_IS_REPLICA);
    bo_status st = my_ask_count(conn, &sql, &replica, err);
    if (st == BO_OK && replica)
        bo_buf_add_str(broken, "the server is a replica now: what it is sent fires no triggers");
    return st == BO_OK ? bo_buf_check(broken, err) : st;
}

/* ---- all of it ---- */

static bo_status check_entry(my_conn *conn, const my_scheme *scheme, const my_entry *entry,
    const bo_table *now, bo_buf *broken, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    struct parents parents = {conn, scheme, arena, broken};
    bo_status st = my_check_columns(entry, now, broken, err);
    if (st == BO_OK && broken->size == 0)
        st = my_check_journal(conn, entry, broken, err);
    if (st == BO_OK && broken->size == 0)
        st = my_check_hooks(conn, scheme, entry, arena, broken, err);
    if (st == BO_OK && broken->size == 0)
        st = my_closure_up(&scheme->actions, entry->table, check_parent, &parents, err);
    if (st == BO_OK && broken->size == 0)
        st = check_replica(conn, broken, err);
    if (st == BO_OK && broken->size == 0)
        st = my_check_received(conn, entry, broken, err);
    if (st == BO_OK && broken->size == 0)
        st = my_check_rows(conn, entry, broken, err);
    if (st == BO_OK && broken->size == 0)
        st = my_check_mark(conn, entry, broken, err);
    return st;
}

bo_status my_capture_check(
    bo_conn *base, const bo_table *now, const char *point, bo_buf *broken, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN(bo_arena) *arena = bo_arena_create();
    BO_OWN_VALUE(bo_buf) found = {0};
    my_scheme scheme = {.point = point, .logged = conn->log != MY_LOG_NOTHING};
    if (!arena)
        return bo_nomem(err);
    bo_status st = my_registry_read(conn, arena, &scheme.registry, err);
    if (st == BO_OK)
        st = my_actions_read(conn, false, arena, &scheme.actions, err);
    if (st != BO_OK)
        return st;
    const my_entry *entry = my_registry_captured(&scheme.registry, point, now->local);
    if (!entry)
        bo_buf_add_str(&found, "it is not captured for this point");
    else if (!entry->on)
        bo_buf_add_str(&found, "its capture was not begun or ended completely");
    else if (!now->row_key)
        bo_buf_add_str(&found, "it has no key any more");
    else
        st = check_entry(conn, &scheme, entry, now, &found, err);
    if (st == BO_OK)
        st = bo_buf_check(&found, err);
    if (st == BO_OK && found.size > 0)
        bo_buf_add_str(broken, bo_buf_str(&found));
    return st == BO_OK ? bo_buf_check(broken, err) : st;
}
