/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/capture_begin.c - capture begins for a point: what must be made, and making
 * it. */
#include <string.h>

#include "driver/mariadb/journal.h"

/** What is captured for the point when all is done. */
struct plan {
    my_conn *conn;
    bo_arena *arena;
    my_registry others;      /* what is there already */
    my_scheme scheme;        /* what will be: entries of this point only */
    const bo_table **tables; /* of the entries; NULL: watched */
    bool *made;              /* triggers (and the journal) are made for the entry */
    unsigned next;           /* a number that is free */
};

/* ---- what there must be ---- */

static bo_status add_entry(
    struct plan *plan, const char *name, const bo_table *table, bo_error *err)
{
    const size_t count = plan->scheme.registry.count;
    BO_OWN_VALUE(bo_buf) mark = {0};
    bo_status st = table ? my_mark_read(plan->conn, name, &mark, err) : BO_OK;
    if (st != BO_OK)
        return st;
    my_entry *entries =
        bo_arena_grow(plan->arena, plan->scheme.registry.entries, count, sizeof *entries);
    const bo_table **tables = bo_arena_grow(plan->arena, plan->tables, count, sizeof *tables);
    bool *made = bo_arena_grow(plan->arena, plan->made, count, sizeof *made);
    if (!entries || !tables || !made)
        return bo_nomem(err);
    plan->scheme.registry.entries = entries;
    plan->tables = tables;
    plan->made = made;
    entries[count] = (my_entry){.point = plan->scheme.point,
        .table = name,
        .watched = !table,
        .mark = bo_arena_str(plan->arena, bo_buf_str(&mark))};
    if (table) {
        entries[count].column_count = table->image_count;
        entries[count].columns = my_kept_columns(table, plan->arena);
    }
    if ((table && !entries[count].columns) || !entries[count].mark)
        return bo_nomem(err);
    tables[count] = table;
    made[count] = false;
    plan->scheme.registry.count = count + 1;
    return BO_OK;
}

static bo_status add_tables(
    struct plan *plan, const bo_table *const *tables, unsigned count, bo_error *err)
{
    bo_status st = BO_OK;
    for (size_t i = 0; i < plan->others.count; i++) {
        if (strcmp(plan->others.entries[i].point, plan->scheme.point) == 0)
            return bo_fail(err, BO_EXISTS, "changes are captured for this point already");
    }
    for (unsigned i = 0; st == BO_OK && i < count; i++) {
        if (!my_registry_find(&plan->scheme.registry, plan->scheme.point, tables[i]->local))
            st = add_entry(plan, tables[i]->local, tables[i], err);
    }
    return st;
}

static bo_status require_child(void *ctx, const my_action *action, bo_error *err)
{
    struct plan *plan = ctx;
    if (action->child_here &&
        my_registry_captured(&plan->scheme.registry, plan->scheme.point, action->child))
        return BO_OK;
    return bo_fail(err, BO_UNSUPPORTED,
        "rows of '%s' go or change with rows of '%s' by foreign key '%s': it must be captured as "
        "well",
        action->child, action->parent, action->name);
}

static bo_status watch_parent(void *ctx, const my_action *action, bo_error *err)
{
    struct plan *plan = ctx;
    if (!action->parent_here)
        return bo_fail(err, BO_UNSUPPORTED,
            "rows of '%s' go or change with rows of another database by foreign key '%s'",
            action->child, action->name);
    if (my_registry_find(&plan->scheme.registry, plan->scheme.point, action->parent))
        return BO_OK;
    return add_entry(plan, action->parent, NULL, err);
}

static bo_status accept_action(void *ctx, const my_action *action, bo_error *err)
{
    (void)ctx;
    (void)action;
    (void)err;
    return BO_OK;
}

/* Tables that the foreign keys' actions lead to are captured, those they come from are watched. */
static bo_status follow_actions(struct plan *plan, bo_error *err)
{
    const my_actions *actions = &plan->scheme.actions;
    const size_t captured = plan->scheme.registry.count;
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < captured; i++) {
        const char *table = plan->scheme.registry.entries[i].table;
        st = my_closure_down(actions, table, require_child, plan, err);
        if (st == BO_OK)
            st = my_closure_up(actions, table, watch_parent, plan, err);
        if (st != BO_OK)
            return bo_wrap(err, st, "cannot capture changes of '%s'", table);
    }
    for (size_t i = captured; st == BO_OK && i < plan->scheme.registry.count; i++)
        st = my_closure_down(
            actions, plan->scheme.registry.entries[i].table, accept_action, plan, err);
    return st;
}

/* ---- what is there already ---- */

static bool same_columns(const my_entry *a, const my_entry *b)
{
    bool same = a->column_count == b->column_count;
    for (uint16_t i = 0; same && i < a->column_count; i++) {
        const my_kept *x = &a->columns[i], *y = &b->columns[i];
        same = strcmp(x->name, y->name) == 0 && strcmp(x->type, y->type) == 0 &&
               strcmp(x->collation ? x->collation : "", y->collation ? y->collation : "") == 0 &&
               x->in_key == y->in_key;
    }
    return same;
}

/* A capture of another point that keeps what this one needs; NULL: none. */
static const my_entry *find_shared(const struct plan *plan, const my_entry *entry)
{
    for (size_t i = plan->others.count; i-- > 0;) {
        const my_entry *other = &plan->others.entries[i];
        if (other->on && strcmp(other->table, entry->table) == 0 &&
            (entry->watched || (!other->watched && same_columns(entry, other))))
            return other;
    }
    return NULL;
}

/* Says in *out whether the entry, with the number of another one, is all that is needed. */
static bo_status is_intact(struct plan *plan, size_t i, bool *out, bo_error *err)
{
    const my_entry *entry = &plan->scheme.registry.entries[i];
    BO_OWN_VALUE(bo_buf) broken = {0};
    bo_status st = my_check_hooks(plan->conn, &plan->scheme, entry, plan->arena, &broken, err);
    if (st == BO_OK && broken.size == 0 && !entry->watched)
        st = my_check_journal(plan->conn, entry, &broken, err);
    if (st == BO_OK && broken.size == 0 && !entry->watched)
        st = my_check_rows(plan->conn, entry, &broken, err);
    if (st == BO_OK)
        *out = broken.size == 0;
    return st;
}

/* A trigger names the journals of other tables: one that is made anew makes those anew that write
 * to it. */
static bo_status share(struct plan *plan, bo_error *err)
{
    my_registry *mine = &plan->scheme.registry;
    for (size_t i = 0; i < mine->count; i++) {
        const my_entry *other = find_shared(plan, &mine->entries[i]);
        plan->made[i] = !other;
        mine->entries[i].number = other ? other->number : plan->next++;
    }
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < mine->count; i++) {
            bool intact = plan->made[i];
            bo_status st = intact ? BO_OK : is_intact(plan, i, &intact, err);
            if (st != BO_OK)
                return st;
            if (intact)
                continue;
            plan->made[i] = again = true;
            mine->entries[i].number = plan->next++;
        }
    }
    return BO_OK;
}

/* A table whose rows reach nothing captured needs no trigger. */
static bo_status forget_idle(struct plan *plan, bo_error *err)
{
    my_registry *mine = &plan->scheme.registry;
    size_t kept = 0;
    for (size_t i = 0; i < mine->count; i++) {
        const char *bodies[MY_HOOK_COUNT] = {0};
        bo_status st = my_hook_bodies(&plan->scheme, &mine->entries[i], plan->arena, bodies, err);
        if (st != BO_OK)
            return st;
        if (mine->entries[i].watched && !bodies[MY_HOOK_BU] && !bodies[MY_HOOK_BD])
            continue;
        mine->entries[kept] = mine->entries[i];
        plan->tables[kept++] = plan->tables[i];
    }
    mine->count = kept;
    return BO_OK;
}

static bo_status make_plan(
    struct plan *plan, const bo_table *const *tables, unsigned count, bo_error *err)
{
    bo_status st = my_registry_read(plan->conn, plan->arena, &plan->others, err);
    for (size_t i = 0; st == BO_OK && i < plan->others.count; i++) {
        if (strcmp(plan->others.entries[i].point, plan->scheme.point) == 0)
            return bo_fail(err, BO_EXISTS, "changes are captured for a point '%s' already",
                plan->scheme.point);
    }
    if (st == BO_OK)
        st = my_actions_read(plan->conn, true, plan->arena, &plan->scheme.actions, err);
    if (st == BO_OK)
        st = add_tables(plan, tables, count, err);
    if (st == BO_OK)
        st = follow_actions(plan, err);
    plan->next = 1;
    for (size_t i = 0; i < plan->others.count; i++) {
        if (plan->others.entries[i].number >= plan->next)
            plan->next = plan->others.entries[i].number + 1;
    }
    if (st == BO_OK)
        st = forget_idle(plan, err);
    return st == BO_OK ? share(plan, err) : st;
}

/* ---- making it ---- */

static bo_status register_all(struct plan *plan, bo_error *err)
{
    const my_registry *mine = &plan->scheme.registry;
    bo_status st = BO_OK;
    for (size_t i = 0; st == BO_OK && i < mine->count; i++)
        st = my_registry_add(plan->conn, &mine->entries[i], err);
    for (size_t i = 0; st == BO_OK && i < mine->count; i++) {
        if (plan->made[i] && plan->tables[i])
            st = my_journal_create(plan->conn, plan->tables[i], mine->entries[i].number, err);
    }
    return st;
}

/* While nobody can write to any of the tables. */
static bo_status make_hooks(struct plan *plan, bo_error *err)
{
    const my_registry *mine = &plan->scheme.registry;
    const my_entry **entries = bo_arena_array(plan->arena, mine->count + 1, sizeof(my_entry *));
    size_t count = 0;
    if (!entries)
        return bo_nomem(err);
    for (size_t i = 0; i < mine->count; i++) {
        if (plan->made[i])
            entries[count++] = &mine->entries[i];
    }
    if (count == 0)
        return BO_OK;
    bo_status st = my_lock_tables(plan->conn, entries, count, err);
    for (size_t i = 0; st == BO_OK && i < count; i++) {
        const char *bodies[MY_HOOK_COUNT] = {0};
        st = my_hook_bodies(&plan->scheme, entries[i], plan->arena, bodies, err);
        if (st == BO_OK)
            st = my_hooks_create(plan->conn, entries[i], bodies, err);
    }
    my_unlock_tables(plan->conn);
    return st;
}

static bo_status make_all(struct plan *plan, bo_error *err)
{
    const my_registry *mine = &plan->scheme.registry;
    bo_status st = register_all(plan, err);
    if (st == BO_OK)
        st = make_hooks(plan, err);
    for (size_t i = 0; st == BO_OK && i < mine->count; i++) {
        if (plan->tables[i])
            st = my_note_rows(plan->conn, &mine->entries[i], plan->tables[i], err);
    }
    return st == BO_OK ? my_registry_switch_on(plan->conn, plan->scheme.point, err) : st;
}

/* ---- begin ---- */

static bo_status check_coverage(
    my_conn *conn, const bo_table *const *tables, unsigned count, bo_error *err)
{
    bo_status st = BO_OK;
    for (unsigned i = 0; st == BO_OK && i < count; i++) {
        BO_OWN_VALUE(bo_buf) reasons = {0};
        bo_coverage coverage = BO_UNCOVERED;
        st = my_capture_coverage(&conn->base, tables[i], &coverage, &reasons, err);
        if (st == BO_OK && coverage == BO_UNCOVERED)
            st = bo_fail(
                err, BO_UNSUPPORTED, "table '%s': %s", tables[i]->name, bo_buf_str(&reasons));
    }
    return st;
}

/* What one that died has left is removed before anything is planned on it. */
static bo_status begin_point(
    my_conn *conn, const bo_table *const *tables, unsigned count, const char *point, bo_error *err)
{
    BO_OWN(bo_arena) *arena = bo_arena_create();
    if (!arena)
        return bo_nomem(err);
    struct plan plan = {.conn = conn,
        .arena = arena,
        .scheme = {.point = point, .logged = conn->log != MY_LOG_NOTHING}};
    bo_status st = check_coverage(conn, tables, count, err);
    if (st == BO_OK)
        st = my_registry_create(conn, err);
    if (st != BO_OK)
        return st;
    st = my_capture_sweep(conn, err);
    if (st == BO_OK)
        st = make_plan(&plan, tables, count, err);
    if (st == BO_OK)
        st = make_all(&plan, err);
    if (st != BO_OK)
        (void)my_capture_clean(conn, NULL); /* the entries do not count: nothing stays */
    return st;
}

bo_status my_capture_begin(
    bo_conn *base, const bo_table *const *tables, unsigned count, const char *point, bo_error *err)
{
    my_conn *conn = my_of(base);
    bo_status st = my_refuse_read_only(conn, err);
    if (st == BO_OK)
        st = my_take_turn(conn, err);
    if (st == BO_OK) {
        st = begin_point(conn, tables, count, point, err);
        my_pass_turn(conn);
    }
    return st == BO_OK ? BO_OK : bo_wrap(err, st, "cannot capture changes for '%s'", point);
}
