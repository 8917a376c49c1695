/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/model.c - what a rollback should have done, row by row, and what it says. */
#include "property/model.h"

#include <stdlib.h>
#include <string.h>

/* ---- the work in hand ---- */

struct judging {
    const question *q;
    const schema *s;
    moment expected;                 /* the rows as they should be */
    change_set intended[TABLES_MAX]; /* `after` is expected now, `before` is to come */
    uint64_t conflicts;              /* that have to be reported */
    uint64_t allowed;                /* that may be, besides these */
    uint64_t lost;                   /* rows of others that go */
    uint64_t lost_more, lost_less;   /* that may count besides these, and of these may not */
    bool blocked;                    /* foreign keys or unique values keep a row back */
    bool sound;                      /* nothing was broken before: REPLACE on SQLite does that */
    const char *wrong;
};

/* The first thing that is wrong is what is told. */
static void wrong(struct judging *j, const char *format, ...) BO_PRINTF(2, 3);
static void wrong(struct judging *j, const char *format, ...)
{
    if (j->wrong[0])
        return;
    BO_OWN_VALUE(bo_buf) text = {0};
    va_list args;
    va_start(args, format);
    bo_buf_vprintf(&text, format, args);
    va_end(args);
    j->wrong = bo_arena_str(j->q->arena, bo_buf_str(&text));
}

static const char *name_of(const struct judging *j, unsigned t)
{
    return j->s->tables[t].name;
}

static const bo_conflict *reported(const struct judging *j, unsigned t, const char *key)
{
    const bo_rollback *report = j->q->report;
    for (size_t i = 0; report && i < report->conflict_listed; i++)
        if (model_table(j->s, report->conflicts[i].table) == (int)t &&
            strcmp(report->conflicts[i].key, key) == 0)
            return &report->conflicts[i];
    return NULL;
}

static bool is_blocked(const bo_conflict *conflict)
{
    return strcmp(conflict->conflict_class, "constraint") == 0 ||
           strcmp(conflict->conflict_class, "foreign-key") == 0;
}

/* ---- which rows are meant ---- */

/* Do triggers write to it while others' rows are put back? */
static bool is_stirred(const struct judging *j, unsigned t)
{
    return j->s->engine == ON_MARIADB && j->s->stirred >> t & 1;
}

static bool meets(const condition *c, const row *r)
{
    if (!r)
        return false;
    const char *value = r->values[c->column];
    if (c->how == IS_NULL || !value)
        return c->how == IS_NULL && !value;
    long number = strtol(value, NULL, 10);
    return c->how == IS_LESS ? number < c->number : number > c->number;
}

static bool is_meant(const struct judging *j, unsigned t, const change *one)
{
    const condition *where = j->q->where;
    if (j->q->how->only_added && one->before)
        return false;
    if (where && where->table == (int)t)
        return meets(where, one->before) || meets(where, one->after);
    return j->q->tables >> t & 1;
}

static void intend(struct judging *j)
{
    const question *q = j->q;
    bool full = q->how->type == BO_ROLLBACK_FULL;
    for (unsigned t = 0; t < j->s->count; t++) {
        if (q->undo && is_stirred(j, t))
            continue; /* the undo point has what backout did, not what came of it */
        change_set all = full ? change_between(j->s, t, q->point, q->now, q->arena) : q->changes[t];
        for (size_t i = 0; i < all.count; i++) {
            change_set *out = &j->intended[t];
            if (!is_meant(j, t, &all.items[i]))
                continue;
            out->items = bo_arena_grow(q->arena, out->items, out->count, sizeof *out->items);
            out->items[out->count++] = all.items[i];
        }
    }
}

/* ---- what of others' work goes with type full ---- */

static const change *change_to(const change_set *set, const char *key)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].key, key) == 0)
            return &set->items[i];
    return NULL;
}

/* Equal rows pair off one by one. */
static void lose_keyless(struct judging *j, unsigned t)
{
    const bo_rollback *report = j->q->report;
    for (size_t i = 0; report && i < report->conflict_listed; i++) /* these stay */
        j->lost_less += is_blocked(&report->conflicts[i]) &&
                        model_table(j->s, report->conflicts[i].table) == (int)t;
    const change_set *done = &j->q->changes[t];
    bool *used = bo_arena_array(j->q->arena, done->count + 1, sizeof *used);
    for (size_t i = 0; i < j->intended[t].count; i++) {
        const change *one = &j->intended[t].items[i];
        size_t at = 0;
        while (at < done->count && (used[at] || strcmp(done->items[at].key, one->key) != 0 ||
                                       !row_same(done->items[at].after, one->after)))
            at++;
        j->lost += at == done->count;
        used[at] = true;
    }
}

static void lose(struct judging *j, unsigned t)
{
    if (j->s->tables[t].key_count == 0) {
        lose_keyless(j, t);
        return;
    }
    for (size_t i = 0; i < j->intended[t].count; i++) {
        const change *one = &j->intended[t].items[i];
        const change *did = change_to(&j->q->changes[t], one->key);
        const row *before = did ? did->before : one->before;
        const row *after = did ? did->after : one->before;
        const bo_conflict *told = reported(j, t, one->key);
        if (told && is_blocked(told)) /* it stays */
            continue;
        bool others = !row_same(after, one->after) || !row_same(before, one->before);
        j->lost += others || (did && did->mixed);
        j->lost_more += j->q->loose && !others && !(did && did->mixed);
    }
}

/* ---- one row ---- */

static bool spans(const bool *ours, const bool *theirs, const unsigned *columns, unsigned count)
{
    bool some_ours = false, some_theirs = false;
    for (unsigned i = 0; i < count; i++) {
        some_ours = some_ours || ours[columns[i]];
        some_theirs = some_theirs || theirs[columns[i]];
    }
    return some_ours && some_theirs;
}

static bool value_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The row of now with the old values in the columns of the change; NULL: both wrote to one, or to
 * one key. */
static const row *merge(const struct judging *j, unsigned t, const change *one, const row *now)
{
    const table_def *def = &j->s->tables[t];
    bool ours[COLUMNS_MAX] = {0}, theirs[COLUMNS_MAX] = {0};
    const char *values[COLUMNS_MAX];
    if (!one->before || !one->after || !now)
        return NULL;
    for (unsigned i = 0; i < def->column_count; i++) {
        unsigned from = def->columns[i].generated ? (unsigned)schema_column(def, PLAIN_COLUMN) : i;
        bool own = !value_same(one->before->values[from], one->after->values[from]);
        values[i] = own ? one->before->values[i] : now->values[i];
        if (def->columns[i].generated)
            continue;
        ours[i] = own;
        theirs[i] = !value_same(now->values[i], one->after->values[i]);
        if (ours[i] && theirs[i])
            return NULL;
    }
    for (unsigned i = 0; i < def->unique_count; i++)
        if (spans(ours, theirs, def->uniques[i].columns, def->uniques[i].count))
            return NULL;
    for (unsigned i = 0; i < def->link_count; i++)
        if (spans(ours, theirs, def->links[i].columns, def->links[i].count))
            return NULL;
    return row_make(def, now->key, values, j->q->arena);
}

static const char *class_of(const change *one, const row *now)
{
    return !now ? "not-found" : one->after ? "data" : "exists";
}

static void put(struct judging *j, unsigned t, const row *was, const row *now)
{
    row_put(&j->expected.tables[t], was, now, j->q->arena);
}

/* A row that is neither as the change left it nor as it was. */
static void expect_conflict(struct judging *j, unsigned t, const change *one, const row *now)
{
    const bo_conflict *told = reported(j, t, one->key);
    const char *expected_class =
        one->mixed && row_same(now, one->after) ? "data" : class_of(one, now);
    j->conflicts++;
    if (j->q->report && !told)
        wrong(j, "%s %s is a conflict, and is not reported", name_of(j, t), one->key);
    if (told && strcmp(told->conflict_class, expected_class) != 0 && !j->q->loose)
        wrong(j, "%s %s is a conflict of class %s, and is reported as %s", name_of(j, t), one->key,
            expected_class, told->conflict_class);
    if (j->q->how->on_conflict == BO_ON_CONFLICT_REPLACE)
        put(j, t, now, one->before);
}

/* The row of now that has the key of the change.  PostgreSQL looks for it with SQL's `=`, to which
 * 'a' and 'A' may be one: the row belongs to the change with its very letters where there is one.
 */
static const row *row_now(const struct judging *j, unsigned t, const change *one)
{
    const table_def *def = &j->s->tables[t];
    const row_set *rows = &j->q->now->tables[t];
    const row *exact = row_find(rows, one->key);
    const row *had = one->after ? one->after : one->before;
    if (j->s->engine != ON_POSTGRES || exact || !had)
        return exact;
    for (size_t i = 0; i < rows->count; i++)
        if (row_equal_in(def, rows->items[i], had, def->key, def->key_count) &&
            !change_to(&j->intended[t], rows->items[i]->key))
            return rows->items[i];
    return NULL;
}

static void expect_row(struct judging *j, unsigned t, const change *one)
{
    const question *q = j->q;
    const row *now = row_now(j, t, one);
    const bo_conflict *told = reported(j, t, one->key);
    bool full = q->how->type == BO_ROLLBACK_FULL;
    const row *merged =
        q->how->by_column && !full && !row_same(now, one->after) ? merge(j, t, one, now) : NULL;
    bool as_left = row_same(now, one->after) || merged;
    if (row_same(one->before, one->after) && (!one->mixed || !one->before))
        return; /* what came and went by the change is nothing, whoever wrote to it in between */
    if (!full && q->loose && told && !is_blocked(told) && as_left && !one->mixed) {
        j->allowed++; /* and what it met then may have been others' */
        if (q->how->on_conflict == BO_ON_CONFLICT_REPLACE)
            put(j, t, now, row_find(&q->found->tables[t], one->key));
    } else if (as_left && one->mixed && !full) {
        expect_conflict(j, t, one, now);
    } else if (as_left) {
        put(j, t, now, merged ? merged : one->before);
    } else if (full && !q->sealed && now && !row_same(now, one->before)) {
        put(j, t, now, one->before); /* in its place, with other letters, and not of the change */
        j->lost++;
    } else if (!row_same(now, one->before)) {
        expect_conflict(j, t, one, now);
    }
}

/* Equal rows that are not there any more were taken away already. */
static void expect_keyless(struct judging *j, unsigned t)
{
    for (size_t i = 0; i < j->intended[t].count; i++) {
        const change *one = &j->intended[t].items[i];
        if (one->before)
            put(j, t, NULL, one->before);
        else if (row_count(&j->expected.tables[t], one->key))
            put(j, t, one->after, NULL);
    }
}

/* What cannot be told is taken as it is reported. */
static void allow_conflicts(struct judging *j, unsigned t)
{
    const bo_rollback *report = j->q->report;
    for (size_t i = 0; report && i < report->conflict_listed; i++)
        j->allowed += model_table(j->s, report->conflicts[i].table) == (int)t &&
                      !is_blocked(&report->conflicts[i]);
}

static void expect(struct judging *j)
{
    j->expected = moment_copy(j->s, j->q->now, j->q->arena);
    for (unsigned t = 0; t < j->s->count; t++) {
        if (j->q->undo && is_stirred(j, t))
            allow_conflicts(j, t);
        if (j->s->tables[t].key_count == 0)
            expect_keyless(j, t);
        for (size_t i = 0; j->s->tables[t].key_count && i < j->intended[t].count; i++)
            expect_row(j, t, &j->intended[t].items[i]);
        if (j->q->how->type == BO_ROLLBACK_FULL && j->q->sealed)
            lose(j, t);
    }
}

/* Rows that were kept back by foreign keys and unique values stay as they are. */
static bool keep_back(struct judging *j)
{
    const bo_rollback *report = j->q->report;
    bool by_row = true;
    for (size_t i = 0; report && i < report->conflict_listed; i++) {
        const bo_conflict *one = &report->conflicts[i];
        int t = model_table(j->s, one->table);
        if (!is_blocked(one))
            continue;
        j->blocked = true;
        j->allowed++;
        if (t < 0 || j->s->tables[t].key_count == 0) {
            by_row = false;
            continue;
        }
        bool known = !(j->q->undo && is_stirred(j, (unsigned)t));
        if (known && !change_to(&j->intended[t], one->key))
            wrong(j, "%s %s is kept back, and nobody meant it", one->table, one->key);
        const row *now = row_find(&j->q->now->tables[t], one->key);
        put(j, (unsigned)t, row_find(&j->expected.tables[t], one->key), now);
    }
    return by_row;
}

/* ---- what is said, and what is found ---- */

static void check_unchanged(struct judging *j)
{
    const char *difference = moment_difference(j->s, j->q->now, j->q->found, j->q->arena);
    if (difference[0])
        wrong(j, "it is refused, and rows have changed:\n%s", difference);
}

static bool key_folds(const table_def *t)
{
    bool folds = false;
    for (unsigned i = 0; i < t->key_count; i++)
        folds = folds || t->columns[t->key[i]].kind->folds;
    return folds;
}

static void check_counts(struct judging *j)
{
    for (unsigned t = 0; t < j->s->count; t++) {
        if (is_stirred(j, t))
            continue;
        bo_rollback_table found = {0}, told = {0};
        change_set done = change_between(j->s, t, j->q->now, j->q->found, j->q->arena);
        for (size_t i = 0; i < done.count; i++) {
            found.inserted += !done.items[i].before;
            found.deleted += !done.items[i].after;
            found.updated += done.items[i].before && done.items[i].after;
        }
        for (size_t i = 0; i < j->q->report->table_count; i++)
            if (model_table(j->s, j->q->report->tables[i].name) == (int)t)
                told = j->q->report->tables[i];
        /* a row that got other letters is one to the server, and two by its bytes */
        uint64_t turned = key_folds(&j->s->tables[t]) && told.updated > found.updated
                              ? told.updated - found.updated
                              : 0;
        if (told.inserted + turned != found.inserted || told.updated - turned != found.updated ||
            told.deleted + turned != found.deleted)
            wrong(j, "%s: +%u ~%u -%u is reported, and +%u ~%u -%u is found", name_of(j, t),
                (unsigned)told.inserted, (unsigned)told.updated, (unsigned)told.deleted,
                (unsigned)found.inserted, (unsigned)found.updated, (unsigned)found.deleted);
    }
}

static void check_report(struct judging *j)
{
    const bo_rollback *report = j->q->report;
    uint64_t conflicts = 0, lost = 0;
    for (size_t i = 0; i < report->table_count; i++) {
        conflicts += report->tables[i].conflicts;
        lost += report->tables[i].lost;
    }
    if (conflicts != report->conflict_count || report->conflict_count != report->conflict_listed)
        wrong(j, "the conflicts of the tables are not those of the whole");
    if (lost != report->lost_rows)
        wrong(j, "the lost rows of the tables are not those of the whole");
    if (report->lost_rows + j->lost_less < j->lost || report->lost_rows > j->lost + j->lost_more)
        wrong(j, "%u rows of others would go, and %u are reported", (unsigned)j->lost,
            (unsigned)report->lost_rows);
}

static bool discards(const struct judging *j)
{
    return j->q->how->type == BO_ROLLBACK_FULL && !j->q->how->discard_later &&
           (j->lost || (j->lost_more && j->q->report && j->q->report->lost_rows));
}

/* docs/guide/limits.md: conflicts of class constraint and foreign-key */
static bool may_dangle(const question *q)
{
    return q->undo && q->h->schema.engine == ON_SQLITE &&
           q->how->on_conflict == BO_ON_CONFLICT_REPLACE;
}

/* docs/guide/limits.md: triggers fire in a rollback on MariaDB.  What the proof does not look at,
 * rows that are skipped among it, is then whatever they made of it. */
static void leave_to_triggers(struct judging *j)
{
    const moment found = moment_copy(j->s, j->q->found, j->q->arena);
    for (unsigned t = 0; t < j->s->count; t++) {
        row_set *expected = &j->expected.tables[t];
        const change_set *intended = &j->intended[t];
        if (!is_stirred(j, t))
            continue;
        const row_set theirs = *expected;
        *expected = found.tables[t];
        for (size_t i = 0; j->s->tables[t].key_count && i < intended->count; i++) {
            const char *key = intended->items[i].key;
            const row *right = row_find(&theirs, key);
            if (!row_same(right, row_find(&j->q->now->tables[t], key)))
                put(j, t, row_find(expected, key), right);
        }
    }
}

static void check_done(struct judging *j, const char *violation, bool by_row)
{
    const question *q = j->q;
    if (discards(j))
        wrong(j, "it gives up %u rows of others unasked", (unsigned)j->lost);
    if (q->how->on_conflict != BO_ON_CONFLICT_SKIP && j->blocked)
        wrong(j, "it is done, and rows are kept back");
    if (q->how->on_conflict == BO_ON_CONFLICT_REFUSE && q->report->conflict_count)
        wrong(j, "it is done, and there are conflicts");
    if (j->blocked && !violation[0] && j->sound)
        wrong(j, "rows are kept back, and nothing would be broken without it");
    if (q->report->conflict_count != j->conflicts + j->allowed)
        wrong(j, "%u conflicts are reported, and there are %u", (unsigned)q->report->conflict_count,
            (unsigned)(j->conflicts + j->allowed));
    bool skipped = q->report->conflict_count && q->how->on_conflict == BO_ON_CONFLICT_SKIP;
    if ((q->status == BO_MISMATCH) != skipped)
        wrong(j, "its status is %s", bo_status_name(q->status));
    check_counts(j);
    leave_to_triggers(j);
    const char *difference = moment_difference(j->s, &j->expected, q->found, q->arena);
    if (by_row && difference[0])
        wrong(j, "the rows are not what they should be:\n%s", difference);
    const char *broken = moment_violation(j->s, q->found, q->arena);
    if (broken[0] && j->sound && !may_dangle(q))
        wrong(j, "%s", broken);
}

/* By the proof, or by the trigger. */
static bool by_triggers(const struct judging *j)
{
    const schema *s = j->s;
    bool failed = j->q->report && strcmp(j->q->report->status, "failed") == 0;
    bool met = strstr(j->q->error, " instead of ") || /* a row without a key that they changed */
               strstr(j->q->error, "a trigger refuses it");
    return (failed || met) && s->engine == ON_MARIADB && (s->stirred || s->unsettled);
}

/* docs/guide/limits.md: keys that are equal in other letters */
static bool by_letters(const struct judging *j)
{
    bool referred = false;
    for (unsigned t = 0; t < j->s->count; t++) {
        const table_def *def = &j->s->tables[t];
        for (unsigned l = 0; l < def->link_count; l++)
            for (unsigned i = 0; i < def->links[l].count; i++)
                referred = referred || def->columns[def->links[l].columns[i]].kind->folds;
    }
    return referred && j->s->engine == ON_POSTGRES && strstr(j->q->error, " still referenced from");
}

static void check_refused(struct judging *j, const char *violation)
{
    const question *q = j->q;
    check_unchanged(j);
    bool by_conflict = q->how->on_conflict == BO_ON_CONFLICT_REFUSE &&
                       (j->conflicts || j->allowed || violation[0]);
    bool by_blocked = q->how->on_conflict == BO_ON_CONFLICT_REPLACE && violation[0];
    if (!discards(j) && !by_conflict && !by_blocked && !by_triggers(j) && !by_letters(j) &&
        j->sound)
        wrong(j, "it is refused for no reason");
}

/* Whose transactions go with the change is not known here: but nothing of the change is left, what
 * is said is found, and nothing is broken. */
static void check_cascade(struct judging *j, bool done)
{
    const question *q = j->q;
    if (!done) {
        check_unchanged(j);
        return;
    }
    check_counts(j);
    const char *broken = moment_violation(j->s, q->found, q->arena);
    if (broken[0] && j->sound)
        wrong(j, "%s", broken);
    for (unsigned t = 0; !q->loose && t < j->s->count; t++) {
        for (size_t i = 0; j->s->tables[t].key_count && i < j->intended[t].count; i++) {
            const change *one = &j->intended[t].items[i];
            bool nothing = row_same(one->before, one->after); /* others' writes may stay there */
            if (!nothing && !row_same(row_find(&q->found->tables[t], one->key), one->before))
                wrong(j, "%s %s is not as it was before the change", name_of(j, t), one->key);
        }
    }
}

const char *model_judge(const question *q)
{
    struct judging j = {.q = q, .s = &q->h->schema, .wrong = ""};
    j.sound = !moment_violation(j.s, q->now, q->arena)[0] &&
              !moment_violation(j.s, q->point, q->arena)[0] &&
              !(q->undo && j.s->engine == ON_MARIADB && j.s->stirred);
    intend(&j);
    bool done = q->report && strcmp(q->report->status, "done") == 0;
    if (q->how->mode == BO_BACKOUT_CASCADE) {
        check_cascade(&j, done);
        return j.wrong;
    }
    expect(&j);
    const char *violation = moment_violation(j.s, &j.expected, q->arena);
    if (q->report)
        check_report(&j);
    bool by_row = keep_back(&j);
    if (done)
        check_done(&j, violation, by_row);
    else
        check_refused(&j, violation);
    return j.wrong;
}
