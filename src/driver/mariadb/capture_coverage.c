/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/capture_coverage.c - can changes of a table be captured, and which of them? */
#include <string.h>

#include "driver/mariadb/journal.h"

#define OLDEST_SERVER 100600ul /* SKIP LOCKED */

static void add_reason(bo_buf *reasons, const char *format, ...) BO_PRINTF(2, 3);
static void add_reason(bo_buf *reasons, const char *format, ...)
{
    va_list args;
    bo_buf_add_str(reasons, reasons->size > 0 ? "\n" : "");
    va_start(args, format);
    bo_buf_vprintf(reasons, format, args);
    va_end(args);
}

/* ---- the table ---- */

static const char *shape_reason(const my_conn *conn, const bo_table *now)
{
    if (now->uncovered)
        return now->limit_count > 0 ? now->limits[0] : "it cannot be read";
    if (!now->row_key)
        return "it has no key that identifies its rows";
    if (strcmp(now->schema, conn->schema) != 0)
        return "it is in another database than the connection's";
    if (now->image_count > MY_JOURNAL_COLUMNS)
        return "it has too many columns: a journal needs seven more";
    for (uint16_t i = 0; i < now->column_count; i++) {
        if (strncmp(now->columns[i].name, "backout_", 8) == 0)
            return "it has a column whose name begins with backout_";
    }
    return NULL;
}

/* ---- the server and the user's rights, in one question ---- */

/* Rights that come by a role are not looked up: what is missing is said when capture begins. */
#define MISSING(RIGHT)                                                                          \
    "IF(CURRENT_ROLE() IS NOT NULL OR EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES" \
    " WHERE PRIVILEGE_TYPE = '" RIGHT "') OR EXISTS (SELECT 1 FROM"                             \
    " information_schema.SCHEMA_PRIVILEGES WHERE PRIVILEGE_TYPE = '" RIGHT                      \
    "' AND DATABASE() LIKE TABLE_SCHEMA), NULL, '" RIGHT "')"

#define RIGHTS                                                                \
    "CONCAT_WS(', ', " MISSING("SELECT") ", " MISSING("INSERT") ", " MISSING( \
        "UPDATE") ", " MISSING("DELETE") ", " MISSING("CREATE") ", " MISSING("DROP") ", " MISSING("TRIGGER") ", " MISSING("LOCK TABLES") ")"

/* Without it no trigger is made while the server writes a binary log that it is not to trust. */
#define MAY_LOG_TRIGGERS                                                      \
    "NOT @@log_bin OR @@log_bin_trust_function_creators OR CURRENT_ROLE() IS" \
    " NOT NULL OR EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES"   \
    " WHERE PRIVILEGE_TYPE = 'SUPER')"

static bool is_true(const char *value)
{
    return value && value[0] != '0';
}

static bo_status server_reasons(my_conn *conn, const bo_table *now, bo_buf *reasons, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) sql = {0};
    BO_OWN(MYSQL_RES) *result = NULL;
    bo_buf_add_str(&sql,
        "SELECT " RIGHTS ", @@log_bin AND @@GLOBAL.binlog_format = 'STATEMENT', " MAY_LOG_TRIGGERS
        ", " MY_IS_REPLICA ", (SELECT COUNT(*) FROM information_schema.SESSION_VARIABLES WHERE"
        " VARIABLE_NAME = 'WSREP_ON' AND VARIABLE_VALUE = 'ON'), (SELECT ENGINE FROM"
        " information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ");
    my_quote_literal(&sql, now->local);
    bo_buf_add_str(&sql, ")");
    bo_status st = my_ask_buf(conn, &sql, &result, err);
    MYSQL_ROW row = st == BO_OK ? mysql_fetch_row(result) : NULL;
    if (!row)
        return st;
    if (row[0] && *row[0])
        add_reason(reasons, "a right is missing: GRANT %s ON %s.*", row[0], conn->schema);
    if (is_true(row[1]))
        add_reason(reasons, "the server writes a binary log of statements (binlog_format), beside "
                            "which it would refuse writes to a captured table");
    if (!is_true(row[2]))
        add_reason(reasons, "the server writes a binary log: to make triggers it wants "
                            "log_bin_trust_function_creators = ON, or the right SUPER");
    if (is_true(row[3]))
        add_reason(reasons, "the server is a replica: what it is sent fires no triggers "
                            "(slave_run_triggers_for_rbr)");
    if (is_true(row[4]))
        add_reason(reasons, "the server is a node of a Galera cluster, where writes of other nodes "
                            "fire no triggers");
    if (!row[5] || strcmp(row[5], "InnoDB") != 0)
        add_reason(reasons, "its engine is %s: only InnoDB undoes what is not committed",
            row[5] ? row[5] : "not known");
    return BO_OK;
}

/* ---- foreign keys ---- */

struct asking {
    const my_actions *actions;
    bo_buf *reasons;
};

static bo_status other_database(void *ctx, const my_action *action, bo_error *err)
{
    (void)err;
    if (!action->child_here || !action->parent_here)
        add_reason(ctx, "foreign key '%s' of '%s.%s' carries changes from one database to another",
            action->name, action->child_schema, action->child);
    return BO_OK;
}

static bo_status no_matter(void *ctx, const my_action *action, bo_error *err)
{
    (void)ctx;
    (void)action;
    (void)err;
    return BO_OK;
}

/* A table that rows go from needs triggers, too: they watch what it does to this one. */
static bo_status watched_parent(void *ctx, const my_action *action, bo_error *err)
{
    struct asking *asking = ctx;
    bo_error refused = {0};
    if (!action->parent_here)
        return other_database(asking->reasons, action, err);
    bo_status st = my_closure_down(asking->actions, action->parent, no_matter, NULL, &refused);
    if (st == BO_UNSUPPORTED)
        add_reason(asking->reasons, "foreign key '%s' leads to it from %s: %s", action->name,
            action->parent, refused.text);
    else if (st != BO_OK)
        return bo_fail(err, st, "%s", refused.text);
    return BO_OK;
}

static bo_status action_reasons(my_conn *conn, const bo_table *now, bo_buf *reasons, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    my_actions actions = {0};
    bo_error refused = {0};
    if (!arena)
        return bo_nomem(err);
    bo_status st = my_actions_read(conn, false, arena, &actions, err);
    if (st == BO_OK)
        st = my_closure_up(
            &actions, now->local, watched_parent, &(struct asking){&actions, reasons}, err);
    if (st != BO_OK)
        return st;
    st = my_closure_down(&actions, now->local, other_database, reasons, &refused);
    if (st == BO_UNSUPPORTED)
        add_reason(reasons, "%s", refused.text);
    else if (st != BO_OK)
        return bo_fail(err, st, "%s", refused.text);
    return BO_OK;
}

/* ---- captures that are there ---- */

/* What is captured since before the binary log stays beside what is captured anew. */
static bo_status harm_reason(my_conn *conn, const bo_table *now, bo_buf *reasons, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    my_registry registry = {0};
    if (!arena)
        return bo_nomem(err);
    bo_status st =
        conn->log == MY_LOG_NOTHING ? BO_OK : my_registry_read(conn, arena, &registry, err);
    for (size_t i = 0; st == BO_OK && i < registry.count; i++) {
        const my_entry *entry = &registry.entries[i];
        bool harms = false;
        if (!entry->on || strcmp(entry->table, now->local) != 0)
            continue;
        st = my_check_harm(conn, entry, &harms, err);
        if (st == BO_OK && harms)
            add_reason(reasons,
                "replicas stop at what its capture for %s writes, which is older than the binary "
                "log: backout point release %s",
                entry->point, entry->point);
    }
    return st;
}

/* ---- the answer ---- */

bo_status my_capture_coverage(
    bo_conn *base, const bo_table *now, bo_coverage *out, bo_buf *reasons, bo_error *err)
{
    my_conn *conn = my_of(base);
    BO_OWN_VALUE(bo_buf) found = {0};
    const char *reason = shape_reason(conn, now);
    if (conn->server < OLDEST_SERVER)
        reason = "the server is older than MariaDB 10.6";
    bo_status st = BO_OK;
    if (reason) {
        bo_buf_add_str(&found, reason);
    } else {
        st = server_reasons(conn, now, &found, err);
        if (st == BO_OK)
            st = action_reasons(conn, now, &found, err);
    }
    if (st != BO_OK)
        return st;
    const bool covered = found.size == 0;
    if (covered)
        bo_buf_add_str(&found, "TRUNCATE is noticed, and what it removes is not captured");
    if (covered)
        st = harm_reason(conn, now, &found, err);
    if (st != BO_OK)
        return st;
    if (covered && now->partition_count > 0)
        add_reason(&found, "a partition that is emptied, dropped or exchanged is noticed, and its "
                           "rows are not captured");
    st = bo_buf_check(&found, err);
    if (st != BO_OK)
        return st;
    bo_buf_add_str(reasons, bo_buf_str(&found));
    *out = covered ? BO_COVERED_WITH_LIMITS : BO_UNCOVERED;
    return bo_buf_check(reasons, err);
}
