/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/history.c - random transactions of three sessions, and what is rolled back of
 * them. */
#include "property/history.h"

#include <assert.h>
#include <string.h>

/* Transactions of several sessions, woven into each other. */
struct weave {
    history *h;
    dice *dice, *more;
    bo_arena *arena;
    unsigned open[SESSIONS]; /* its transaction, or 0 */
    unsigned left[SESSIONS]; /* statements to come in it */
    bool saved[SESSIONS];    /* it has a savepoint */
    unsigned transactions;
};

static void add_step(
    struct weave *w, step_kind what, unsigned session, unsigned transaction, const char *sql)
{
    assert(w->h->step_count < STEPS_MAX);
    w->h->steps[w->h->step_count++] = (step){what, session, transaction, sql};
}

/* How much a transaction sees of others' is its own choice. */
static const char *random_begin(engine on, dice *d)
{
    static const char *const ways[][4] = {
        {"BEGIN IMMEDIATE", "BEGIN EXCLUSIVE", "BEGIN DEFERRED", "BEGIN IMMEDIATE"},
        {"BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN ISOLATION LEVEL SERIALIZABLE",
            "BEGIN ISOLATION LEVEL SERIALIZABLE, DEFERRABLE",
            "BEGIN ISOLATION LEVEL REPEATABLE READ"},
        {"SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; BEGIN",
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN",
            "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; BEGIN",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT"}};
    return dice_chance(d, 35) ? ways[on][dice_roll(d, 4)] : "BEGIN";
}

static void begin(struct weave *w, unsigned session)
{
    w->open[session] = ++w->transactions;
    w->left[session] = 1 + dice_roll(w->dice, 4);
    w->saved[session] = false;
    add_step(w, STEP_BEGIN, session, w->open[session], random_begin(w->h->schema.engine, w->more));
}

static void end_now(struct weave *w, unsigned session, bool gives_up)
{
    if (w->open[session])
        add_step(w, gives_up ? STEP_ROLLBACK : STEP_COMMIT, session, w->open[session],
            gives_up ? "ROLLBACK" : "COMMIT");
    w->open[session] = 0;
}

static void end(struct weave *w, unsigned session, unsigned rollbacks)
{
    end_now(w, session, dice_chance(w->dice, rollbacks));
}

/* Nobody can read a table while somebody empties it so, the test neither. */
static void empty_tables(struct weave *w, unsigned session)
{
    const char *sql = statement_truncate(&w->h->schema, w->more, w->arena);
    add_step(w, STEP_SQL, session, w->open[session], sql);
    end_now(w, session, dice_chance(w->more, 12));
}

static void go_on(struct weave *w, unsigned session)
{
    unsigned how = dice_roll(w->dice, 100), transaction = w->open[session];
    if (how < 12 && !w->saved[session]) {
        add_step(w, STEP_SAVEPOINT, session, transaction, "SAVEPOINT s");
        w->saved[session] = true;
    } else if (how < 30 && w->saved[session]) {
        add_step(w, STEP_BACK, session, transaction, "ROLLBACK TO SAVEPOINT s");
        w->saved[session] = false;
    } else {
        const char *sql = statement_random(&w->h->schema, w->dice, w->arena);
        if (dice_chance(w->more, 20))
            sql = statement_wide(&w->h->schema, w->more, w->arena);
        add_step(w, STEP_SQL, session, transaction, sql);
        w->left[session]--;
        if (w->h->schema.engine == ON_POSTGRES && dice_chance(w->more, 2))
            empty_tables(w, session);
    }
}

/* One who writes; in SQLite the others would only be told to wait. */
static unsigned choose_session(struct weave *w, unsigned first, unsigned weight)
{
    if (w->h->schema.engine == ON_SQLITE && dice_chance(w->dice, 90))
        for (unsigned i = 0; i < SESSIONS; i++)
            if (w->open[i])
                return i;
    if (first == 0 && dice_chance(w->dice, weight))
        return 0;
    return 1 + dice_roll(w->dice, SESSIONS - 1);
}

static void weave(struct weave *w, unsigned first, unsigned weight, unsigned actions)
{
    for (unsigned i = 0; i < actions; i++) {
        unsigned session = choose_session(w, first, weight);
        if (!w->open[session])
            begin(w, session);
        else if (w->left[session])
            go_on(w, session);
        else
            end(w, session, 12);
    }
}

static void end_all(struct weave *w)
{
    for (unsigned i = 0; i < SESSIONS; i++)
        end(w, i, 12);
}

static void weave_all(struct weave *w)
{
    history *h = w->h;
    const schema *s = &h->schema;
    for (unsigned t = 0; t < s->count; t++) {
        unsigned rows = dice_chance(w->dice, 10) ? 0 : 4 + dice_roll(w->dice, 5);
        for (unsigned i = 0; i < rows; i++)
            add_step(w, STEP_ROW, 1, 0, statement_first(s, t, i, w->dice, w->arena));
    }
    bool others_may_be_open = h->method == BO_METHOD_SNAPSHOT && s->engine != ON_SQLITE;
    weave(w, 1, 0, dice_roll(w->dice, 7));
    if (!others_may_be_open || dice_chance(w->dice, 50))
        end_all(w);
    add_step(w, STEP_POINT, 0, 0, NULL);
    weave(w, 0, dice_chance(w->dice, 40) ? 100 : 60, 10 + dice_roll(w->dice, 30));
    end(w, 0, 5);                                /* the change has ended */
    bool failed = h->made == MADE_BY_FAILED_RUN; /* is rolled back now */
    if (s->engine == ON_SQLITE || failed || dice_chance(w->dice, 50))
        end_all(w);
    add_step(w, STEP_SEAL, 0, 0, NULL);
    bool goes_on = h->made == MADE_BY_RUN_OF_MANY || h->made == MADE_BY_USER;
    if (!failed && dice_chance(w->dice, 70))
        weave(w, goes_on ? 0 : 1, 30, 4 + dice_roll(w->dice, 22));
    end_all(w);
    h->after = h->step_count;
    if (h->then == THEN_WRITE_AND_UNDO)
        weave(w, 1, 0, 3 + dice_roll(w->dice, 9));
    end_all(w);
}

/* ---- what is rolled back ---- */

static condition random_condition(const schema *s, dice *d)
{
    condition c = {.table = (int)dice_roll(d, s->count), .number = 1 + (int)dice_roll(d, 8)};
    const table_def *t = &s->tables[c.table];
    bool by_key = t->key_count && t->columns[t->key[0]].kind == kind_of_numbers(s->engine) &&
                  dice_chance(d, 50);
    c.column = by_key ? t->key[0] : (unsigned)schema_column(t, PLAIN_COLUMN);
    c.how = dice_chance(d, 50) ? IS_LESS : dice_chance(d, 70) ? IS_MORE : IS_NULL;
    return c;
}

const char *condition_sql(const history *h, bo_arena *arena)
{
    const condition *c = &h->where;
    const char *name = h->schema.tables[c->table].columns[c->column].name;
    if (c->how == IS_NULL)
        return bo_arena_printf(arena, "%s IS NULL", name);
    return bo_arena_printf(arena, "%s %s %d", name, c->how == IS_LESS ? "<" : ">", c->number);
}

static unsigned some_tables(const schema *s, dice *d)
{
    return 1 + dice_roll(d, (1u << s->count) - 1);
}

static void choose_options(history *h, dice *d)
{
    bo_rollback_options *how = &h->how;
    bool writers = h->made == MADE_BY_RUN_OF_MANY || h->made == MADE_BY_USER;
    bool partial = writers || h->made == MADE_BY_FAILED_RUN || dice_chance(d, 60);
    if (h->made == MADE_UNSEALED)
        partial = false;
    how->type = partial ? BO_ROLLBACK_PARTIAL : BO_ROLLBACK_FULL;
    h->where.table = -1;
    if (h->made == MADE_BY_FAILED_RUN)
        return;
    how->on_conflict = (bo_on_conflict)dice_roll(d, 3);
    how->by_column = partial && dice_chance(d, 30);
    how->discard_later = !partial && dice_chance(d, 70);
    how->only_added = dice_chance(d, 12);
    bool follows = partial && !writers;
    if (how->on_conflict == BO_ON_CONFLICT_SKIP && follows && dice_chance(d, 50))
        how->mode = BO_BACKOUT_NON_CONFLICT_ONLY;
    h->rehearsed = dice_chance(d, 25);
    h->released = follows && h->method != BO_METHOD_SNAPSHOT && dice_chance(d, 15);
    if (follows && !h->released && dice_chance(d, 15)) {
        *how = (bo_rollback_options){.type = BO_ROLLBACK_PARTIAL, .mode = BO_BACKOUT_CASCADE};
        return;
    }
    if (dice_chance(d, 20))
        h->tables = some_tables(&h->schema, d);
    if (dice_chance(d, 15))
        h->where = random_condition(&h->schema, d);
}

static making random_making(engine on, dice *d)
{
    unsigned how = dice_roll(d, 100);
    if (how < 45)
        return MADE_SEALED;
    if (how < 53)
        return MADE_UNSEALED;
    if (how < 75 || on == ON_SQLITE)
        return how < 90 ? MADE_BY_RUN : MADE_BY_FAILED_RUN;
    return how < 80 ? MADE_BY_FAILED_RUN : how < 90 ? MADE_BY_RUN_OF_MANY : MADE_BY_USER;
}

/* Writers whose sessions are not as ours are. */
static const char *random_settings(const schema *s, dice *d)
{
    static const char *const all[][6] = {
        {"PRAGMA reverse_unordered_selects = ON", "PRAGMA trusted_schema = OFF",
            "PRAGMA recursive_triggers = ON", "PRAGMA foreign_keys = OFF",
            "PRAGMA legacy_alter_table = ON; PRAGMA automatic_index = OFF",
            "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY"},
        {"SET DateStyle = 'German, DMY'; SET IntervalStyle = 'iso_8601'",
            "SET TimeZone = 'America/St_Johns'; SET extra_float_digits = -10",
            "SET bytea_output = 'escape'; SET transform_null_equals = on",
            "SET search_path = pg_catalog, public; SET row_security = off",
            "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan",
            "SET xmloption = document; SET array_nulls = off"},
        {"SET sql_mode = ''", "SET sql_mode = 'TRADITIONAL'; SET time_zone = '+05:45'",
            "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'",
            "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,PAD_CHAR_TO_FULL_LENGTH'; SET NAMES latin1",
            "SET sql_mode = 'SIMULTANEOUS_ASSIGNMENT'; SET collation_connection = 'utf8mb4_bin'",
            "SET foreign_key_checks = 0"}};
    const char *chosen = all[s->engine][dice_roll(d, 6)];
    bool endless = s->has_triggers && strstr(chosen, "recursive"); /* they cause each other */
    return dice_chance(d, 25) && !endless ? chosen : NULL;
}

history *history_make(engine on, uint64_t seed, bo_arena *arena)
{
    history *h = bo_arena_alloc(arena, sizeof *h);
    dice d = {.state = seed * 1000003u + on};
    dice more = {.state = ~seed * 1000003u + on}; /* what came later leaves a seed what it was */
    h->seed = seed;
    schema_make(&h->schema, on, &d, &more);
    h->schema.has_triggers = dice_chance(&more, 50);
    h->made = random_making(on, &d);
    h->method = (bo_method)dice_roll(&d, 3);
    if (h->made == MADE_BY_RUN_OF_MANY || h->made == MADE_BY_USER)
        h->method = dice_chance(&d, 50) ? BO_METHOD_CAPTURE : BO_METHOD_BOTH;
    h->scope = dice_chance(&d, 25) ? some_tables(&h->schema, &d) : 0;
    h->no_closure = h->scope && dice_chance(&d, 30);
    h->as_owner = on != ON_SQLITE && dice_chance(&d, 50);
    choose_options(h, &d);
    h->then = (sequel)dice_roll(&d, 5);
    h->undo_conflicts = (bo_on_conflict)dice_roll(&d, 3);
    struct weave w = {.h = h, .dice = &d, .more = &more, .arena = arena};
    for (unsigned i = 0; i < SESSIONS; i++)
        h->settings[i] = random_settings(&h->schema, &more);
    h->neighbour = (neighbour){
        dice_chance(&more, 25), (bo_method)dice_roll(&more, 3), (ending)dice_roll(&more, 3)};
    weave_all(&w);
    if (h->schema.has_triggers)
        triggers_make(h, &more, arena);
    return h;
}
