/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/driver/mariadb/capture_closure.c - rows that go or change with a row, by foreign keys.
 *
 * The engine's actions fire no triggers, so a trigger of the parent journals the rows that they are
 * about to reach.  It follows every way that the actions can take, one INSERT ... SELECT for each,
 * a level below only when there were rows above.  That misses nothing, cycles included, because the
 * engine goes no deeper than 15 levels and refuses to update a table twice on one way.  The rows
 * are read in share mode: as they are now, not as the writer's snapshot shows them.  (FOR UPDATE
 * would be refused for a table that the writer's own statement uses.)
 */
#include <string.h>

#include "driver/mariadb/journal.h"

enum {
    LEVELS_MAX = 15, /* FK_MAX_CASCADE_DEL of InnoDB */
    WAYS_MAX = 200,  /* for one trigger */
};

/** A place on a way: the rows of a table that something happens to. */
struct step {
    const struct step *before; /* NULL: the row that the trigger is for */
    const my_action *action;   /* that leads here; NULL: none */
    const char *table;
    my_event event;
    unsigned level;
};

struct body {
    bo_buf *out;
    const my_scheme *scheme;
};

/* ---- where actions lead ---- */

static char rule_of(const struct step *step)
{
    return step->before->event == MY_DELETED ? step->action->on_delete : step->action->on_update;
}

/* The parent's column whose value goes into `column`; or NULL. */
static const char *source_of(const my_action *action, const char *column)
{
    for (uint16_t i = 0; i < action->count; i++) {
        if (strcmp(action->child_columns[i], column) == 0)
            return action->parent_columns[i];
    }
    return NULL;
}

/* At `step`, rows are updated: `column` is among what may get another value. */
static bool is_changed(const struct step *step, const char *column)
{
    if (!step->before)
        return true;
    const char *source = source_of(step->action, column);
    return source && (rule_of(step) != 'c' || is_changed(step->before, source));
}

static bool updated_before(const struct step *step, const char *table)
{
    for (; step; step = step->before) {
        if (step->event == MY_UPDATED && strcmp(step->table, table) == 0)
            return true;
    }
    return false;
}

/* Sets *out to where `action` leads from `at`; false: it is not set off, or the engine refuses. */
static bool follow(const struct step *at, const my_action *action, struct step *out)
{
    if (!action->parent_here || strcmp(action->parent, at->table) != 0 || at->level == LEVELS_MAX)
        return false;
    *out = (struct step){at, action, action->child, MY_UPDATED, at->level + 1};
    if (rule_of(out) == 'r')
        return false;
    if (at->event == MY_DELETED && action->on_delete == 'c')
        out->event = MY_DELETED;
    bool changed = at->event == MY_DELETED;
    for (uint16_t i = 0; i < action->count; i++)
        changed = changed || is_changed(at, action->parent_columns[i]);
    return changed && !(out->event == MY_UPDATED && updated_before(at, action->child));
}

static bo_status count_ways(
    const my_actions *actions, const struct step *at, unsigned *ways, bool *seen, bo_error *err)
{
    for (size_t i = 0; i < actions->count; i++) {
        const my_action *action = &actions->items[i];
        struct step next;
        if (!follow(at, action, &next))
            continue;
        seen[i] = true;
        if (++*ways > WAYS_MAX)
            return bo_fail(
                err, BO_UNSUPPORTED, "its foreign keys reach rows in more than %d ways", WAYS_MAX);
        bo_status st = action->child_here ? count_ways(actions, &next, ways, seen, err) : BO_OK;
        if (st != BO_OK)
            return st;
    }
    return BO_OK;
}

static bo_status call_seen(
    const my_actions *actions, const bool *seen, my_action_fn *each, void *ctx, bo_error *err)
{
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < actions->count; i++) {
        if (seen[i])
            st = each(ctx, &actions->items[i], err);
    }
    return st;
}

bo_status my_closure_down(
    const my_actions *actions, const char *table, my_action_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_MEM bool *seen = calloc(actions->count + 1, sizeof *seen);
    if (!seen)
        return bo_nomem(err);
    bo_status st = BO_OK;
    for (my_event event = MY_DELETED; st == BO_OK && event <= MY_UPDATED; event++) {
        const struct step root = {.table = table, .event = event};
        unsigned ways = 0;
        st = count_ways(actions, &root, &ways, seen, err);
    }
    if (st != BO_OK)
        return st;
    return call_seen(actions, seen, each, ctx, err);
}

bo_status my_closure_up(
    const my_actions *actions, const char *table, my_action_fn *each, void *ctx, bo_error *err)
{
    BO_OWN_MEM bool *seen = calloc(actions->count + 1, sizeof *seen);
    if (!seen)
        return bo_nomem(err);
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < actions->count; i++) {
            const my_action *action = &actions->items[i];
            bool reaches = strcmp(action->child, table) == 0;
            for (size_t k = 0; k < actions->count && !reaches; k++)
                reaches = seen[k] && actions->items[k].parent_here &&
                          strcmp(actions->items[k].parent, action->child) == 0;
            reaches = reaches && action->child_here;
            more = more || (reaches && !seen[i]);
            seen[i] = seen[i] || reaches;
        }
    }
    return call_seen(actions, seen, each, ctx, err);
}

/* ---- the body ---- */

static void cut(bo_buf *out, size_t size)
{
    out->size = size;
    if (out->data)
        out->data[size] = '\0';
}

static void add_name(bo_buf *out, const char *name)
{
    bo_buf_add_str(out, ", ");
    my_quote(out, name);
}

static void add_column(bo_buf *out, const char *before, unsigned level, const char *name)
{
    if (level > 0)
        bo_buf_printf(out, "%s%u.", before, level);
    else
        bo_buf_printf(out, "%s.", before);
    my_quote(out, name);
}

/* The value of `column` after the event, as far as the actions tell it. */
static void add_new_value(bo_buf *out, const struct step *step, const char *column)
{
    if (!step->before) {
        add_column(out, "NEW", 0, column);
        return;
    }
    const char *source = source_of(step->action, column);
    if (source && rule_of(step) != 'c')
        bo_buf_add_str(out, "NULL");
    else if (source && is_changed(step->before, source))
        add_new_value(out, step->before, source);
    else
        add_column(out, "c", step->level, column);
}

/* "FROM `a` c1 STRAIGHT_JOIN `b` c2 ON ... ", and the condition for the first one. */
static void add_tables(bo_buf *out, const struct step *step, bo_buf *where)
{
    const my_action *action = step->action;
    const bool first = step->level == 1;
    if (!first)
        add_tables(out, step->before, where);
    bo_buf_add_str(out, first ? " FROM " : " STRAIGHT_JOIN ");
    my_quote(out, action->child);
    bo_buf_printf(out, " c%u", step->level);
    if (action->index) {
        bo_buf_add_str(out, " FORCE INDEX (");
        my_quote(out, action->index);
        bo_buf_add_str(out, ")");
    } else {
        bo_buf_add_str(out, MY_NO_VIEW);
    }
    bo_buf *condition = first ? where : out;
    bo_buf_add_str(condition, first ? " WHERE " : " ON ");
    for (uint16_t i = 0; i < action->count; i++) {
        bo_buf_add_str(condition, i > 0 ? " AND " : "");
        add_column(condition, "c", step->level, action->child_columns[i]);
        bo_buf_add_str(condition, " = ");
        add_column(condition, first ? "OLD" : "c", step->level - 1, action->parent_columns[i]);
    }
}

/* The key moves; to where no row is, or else the engine refuses, with IGNORE, too. */
static void add_moved(bo_buf *out, const struct step *step, const my_entry *entry)
{
    const char *separator = " AND NOT (";
    for (uint16_t i = 0; i < entry->column_count; i++) {
        if (!entry->columns[i].in_key)
            continue;
        bo_buf_add_str(out, separator);
        add_column(out, "c", step->level, entry->columns[i].name);
        bo_buf_add_str(out, " = ");
        add_new_value(out, step, entry->columns[i].name);
        separator = " AND ";
    }
    bo_buf_add_str(out, ")");
}

/* INSERT INTO the journal of the step's table: the rows as they are; or, `moved`, those that get
 * another key, as they will be: 'i', for IGNORE may leave them where they are. */
static void add_insert(bo_buf *out, const struct step *step, const my_entry *entry, bool moved)
{
    BO_OWN_VALUE(bo_buf) where = {0};
    bo_buf_printf(out, "INSERT INTO " MY_JOURNAL " (" MY_WRITE_COLUMNS, entry->number);
    for (uint16_t i = 0; i < entry->column_count; i++)
        add_name(out, entry->columns[i].name);
    bo_buf_printf(out, ") SELECT " MY_WRITE_VALUES, entry->number, moved ? 'i' : 'C');
    for (uint16_t i = 0; i < entry->column_count; i++) {
        bo_buf_add_str(out, ", ");
        if (moved)
            add_new_value(out, step, entry->columns[i].name);
        else
            add_column(out, "c", step->level, entry->columns[i].name);
    }
    add_tables(out, step, &where);
    if (moved)
        add_moved(&where, step, entry);
    bo_buf_printf(out, "%s LOCK IN SHARE MODE;\n", bo_buf_str(&where));
    out->failed = out->failed || where.failed;
}

static bool moves_key(const struct step *step, const my_entry *entry)
{
    for (uint16_t i = 0; step->event == MY_UPDATED && i < entry->column_count; i++) {
        if (entry->columns[i].in_key && is_changed(step, entry->columns[i].name))
            return true;
    }
    return false;
}

static void add_ways(struct body *body, const struct step *at);

static void add_step(struct body *body, const struct step *step)
{
    const my_entry *entry =
        my_registry_captured(&body->scheme->registry, body->scheme->point, step->table);
    bo_buf *out = body->out;
    if (!entry) {
        add_ways(body, step);
        return;
    }
    add_insert(out, step, entry, false);
    const size_t before = out->size;
    bo_buf_add_str(out, "IF ROW_COUNT() > 0 THEN\n");
    const size_t empty = out->size;
    if (moves_key(step, entry))
        add_insert(out, step, entry, true);
    add_ways(body, step);
    if (out->size > empty)
        bo_buf_add_str(out, "END IF;\n");
    else
        cut(out, before);
}

/* Only what is referred to counts: it is compared byte by byte, as the engine does. */
static void add_guard(bo_buf *out, const my_action *action)
{
    bo_buf_add_str(out, "IF NOT (");
    for (uint16_t i = 0; i < action->count; i++) {
        bo_buf_add_str(out, i > 0 ? " AND BINARY " : "BINARY ");
        add_column(out, "NEW", 0, action->parent_columns[i]);
        bo_buf_add_str(out, " <=> BINARY ");
        add_column(out, "OLD", 0, action->parent_columns[i]);
    }
    bo_buf_add_str(out, ") THEN\n");
}

static void add_ways(struct body *body, const struct step *at)
{
    const my_actions *actions = &body->scheme->actions;
    bo_buf *out = body->out;
    for (size_t i = 0; i < actions->count; i++) {
        struct step next;
        if (!actions->items[i].child_here || !follow(at, &actions->items[i], &next))
            continue;
        const bool guarded = !at->before && at->event == MY_UPDATED;
        const size_t before = out->size;
        if (guarded)
            add_guard(out, next.action);
        const size_t empty = out->size;
        add_step(body, &next);
        if (out->size == empty)
            cut(out, before);
        else if (guarded)
            bo_buf_add_str(out, "END IF;\n");
    }
}

static bo_status add_missed(void *ctx, const my_action *action, bo_error *err)
{
    (void)err;
    struct body *body = ctx;
    const my_entry *entry =
        my_registry_captured(&body->scheme->registry, body->scheme->point, action->child);
    if (entry && action->child_here)
        my_add_missed(body->out, entry->number);
    return BO_OK;
}

/* Without foreign_key_checks the engine does nothing. */
bo_status my_closure_body(
    bo_buf *out, const my_scheme *scheme, const char *table, my_event event, bo_error *err)
{
    const struct step root = {.table = table, .event = event};
    BO_OWN_VALUE(bo_buf) ways = {0};
    BO_OWN_VALUE(bo_buf) missed = {0};
    struct body body = {&ways, scheme};
    add_ways(&body, &root);
    if (ways.size == 0)
        return bo_buf_check(&ways, err);
    body.out = &missed;
    bo_status st = my_closure_down(&scheme->actions, table, add_missed, &body, err);
    if (st != BO_OK)
        return st;
    bo_buf_add_str(out, "IF @@foreign_key_checks THEN\n");
    my_body_begin(out, scheme, &missed);
    bo_buf_printf(out, "%sEND;\nEND IF", bo_buf_str(&ways));
    out->failed = out->failed || ways.failed;
    return bo_buf_check(out, err);
}
