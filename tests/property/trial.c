/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/trial.c - a history that is lived through: point, change, seal, rollback, and the
 * rollback of that. */
#include "property/trial.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void trial_note(trial *t, const char *format, ...)
{
    finding *found = t->found;
    va_list args;
    va_start(args, format);
    size_t room = SCRIPT_MAX - found->script_size;
    int size = vsnprintf(found->script + found->script_size, room, format, args);
    va_end(args);
    if (size > 0 && (size_t)size + 2 < room) {
        found->script_size += (size_t)size;
        found->script[found->script_size++] = '\n';
    }
    found->script[found->script_size] = 0;
}

void trial_expect(trial *t, bool holds, const char *format, ...)
{
    if (holds)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(t->found->text, sizeof t->found->text, format, args);
    va_end(args);
    _exit(1);
}

void trial_ok(trial *t, bo_status st, const bo_error *err, const char *what)
{
    trial_expect(t, st == BO_OK, "cannot %s: %s: %s", what, bo_status_name(st), err->text);
}

/* ---- the point and the change ---- */

static unsigned bits_of(trial *t, const bo_point *point, bool captured_only)
{
    unsigned bits = 0;
    for (size_t i = 0; i < point->table_count; i++) {
        int at = model_table(&t->h->schema, point->tables[i].name);
        if (at < 0)
            continue;
        t->reported[at] = bo_arena_str(t->arena, point->tables[i].name);
        bits |= !captured_only || point->tables[i].captured ? 1u << at : 0;
    }
    return bits;
}

static void read_point(trial *t)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    trial_ok(t, bo_point_get(t->session, t->point, &points, &err), &err, "read the point");
    t->in_point = bits_of(t, bo_point_list_get(points, 0), false);
    t->captured = bits_of(t, bo_point_list_get(points, 0), true);
    bo_point_list_free(points);
}

static bool is_run(const history *h)
{
    return h->made == MADE_BY_RUN || h->made == MADE_BY_FAILED_RUN;
}

/* False: it is refused, for what it says; then there is nothing to roll back. */
static bool take_point(trial *t)
{
    static const char *const methods[] = {"snapshot", "capture", "both"};
    history *h = t->h;
    bo_error err = {0};
    bo_scope_item scope[TABLES_MAX];
    bo_point_options options = {
        .scope = scope, .no_closure = h->no_closure, .method = h->method, .migration = "property"};
    for (unsigned i = 0; i < h->schema.count; i++)
        if (h->scope >> i & 1)
            scope[options.scope_count++] = (bo_scope_item){.table = h->schema.tables[i].name};
    trial_note(t, "-- backout %s, method %s, tables %x%s", is_run(h) ? "run" : "point create",
        methods[h->method], h->scope, h->no_closure ? ", no closure" : "");
    bo_point_list *points = NULL;
    bo_status st = is_run(h) ? bo_run_begin(t->session, &t->database, &options, &t->run, &err)
                             : bo_point_create(t->session, &t->database, &options, &points, &err);
    bool known = h->no_closure || strstr(err.text, "it must be captured as well"); /* MariaDB */
    if (st == BO_UNSUPPORTED && known) {
        trial_note(t, "-- refused: %s", err.text);
        return false;
    }
    trial_ok(t, st, &err, "take a point");
    (void)snprintf(t->point, sizeof t->point, "%s",
        t->run ? bo_run_point_id(t->run) : bo_point_list_get(points, 0)->id);
    bo_point_list_free(points);
    if (t->run)
        (void)snprintf(t->mark, sizeof t->mark, "%s", bo_run_id(t->run));
    else if (h->made == MADE_BY_RUN_OF_MANY)
        (void)snprintf(t->mark, sizeof t->mark, "run_of_session_0");
    t->at_point = t->commit_count;
    read_point(t);
    return true;
}

static void seal(trial *t)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    t->at_seal = t->commit_count;
    if (t->h->made == MADE_UNSEALED || t->h->made == MADE_BY_FAILED_RUN)
        return;
    trial_note(t, "-- sealed");
    trial_ok(t,
        t->run ? bo_run_end(t->run, &points, &err)
               : bo_point_seal(t->session, &t->database, t->point, &points, &err),
        &err, "seal the point");
    bo_point_list_free(points);
}

void trial_release(trial *t)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    if (!t->captured)
        return;
    trial_note(t, "-- backout point release");
    trial_ok(t, bo_point_release(t->session, &t->database, t->point, true, &points, &err), &err,
        "release the point");
    bo_point_list_free(points);
}

/* ---- what the model is asked ---- */

static bool tells_writers(const trial *t)
{
    bool writers = t->h->made != MADE_SEALED && t->h->made != MADE_UNSEALED;
    return writers && t->h->schema.engine != ON_SQLITE;
}

static bool by_writer(const trial *t)
{
    return t->h->made == MADE_BY_RUN_OF_MANY || t->h->made == MADE_BY_USER;
}

/* Did others commit between two commits of the change? */
static bool took_turns(const trial *t, size_t end)
{
    unsigned turns = 0; /* own, others, own */
    for (size_t i = t->at_point + 1; i <= end; i++)
        turns += (t->commits[i].session == 0) == (turns % 2 == 0);
    return turns >= 3;
}

static void tell_changes(trial *t, change_set changes[TABLES_MAX])
{
    const schema *s = &t->h->schema;
    size_t end = by_writer(t) ? t->commit_count : t->at_seal;
    const moment *from = &t->commits[t->at_point].then, *to = &t->commits[t->at_seal].then;
    for (unsigned i = 0; i < s->count; i++) {
        bool told = t->captured >> i & 1 && tells_writers(t);
        if (told)
            changes[i] = change_of_session(
                s, i, &t->commits[t->at_point + 1], end - t->at_point, 0, t->arena);
        else if (t->in_point >> i & 1 && !by_writer(t) && t->h->made != MADE_UNSEALED)
            changes[i] = change_between(s, i, from, to, t->arena);
    }
}

/* ---- rolling back ---- */

/* `loose`: rows that the change wrote last without changing them, after others did, may count
 * either way: what it left is then what they had made of it. */
static void check_verification(
    trial *t, bo_against against, const moment *expected, const change_set *loose)
{
    bo_error err = {0};
    bo_verification *found = NULL;
    bo_status st = bo_verify(t->session, &t->database, t->point, against, &found, &err);
    trial_ok(t, st == BO_MISMATCH ? BO_OK : st, &err, "verify");
    const moment now = players_moment(t);
    for (size_t i = 0; i < found->table_count; i++) {
        const bo_verify_table *table = &found->tables[i];
        int at = model_table(&t->h->schema, table->name);
        uint64_t count = model_differences(&t->h->schema, (unsigned)at, expected, &now, t->arena);
        uint64_t told = table->difference_count, slack = loose ? loose[at].count : 0;
        trial_expect(t, told + slack >= count && told <= count + slack && table->result[0] == 'm',
            "verify (against %s) finds %u differences in %s (%s), and there are %u",
            against == BO_AGAINST_BEFORE ? "before" : "after", (unsigned)table->difference_count,
            table->name, table->result, (unsigned)count);
    }
    bo_verification_free(found);
}

static void note_report(trial *t, bo_status st, const bo_rollback *report, const bo_error *err)
{
    trial_note(t, "-- %s %s: %s", bo_status_name(st), report ? report->status : "", err->text);
    for (size_t i = 0; report && i < report->conflict_listed; i++) {
        const bo_conflict *one = &report->conflicts[i];
        trial_note(
            t, "--   %s %s: %s, %s", one->table, one->key, one->conflict_class, one->because);
        t->found->kept_back += one->conflict_class[0] == 'c' || one->conflict_class[0] == 'f';
    }
    for (size_t i = 0; report && i < report->note_count; i++)
        trial_note(t, "--   note: %s", report->notes[i]);
    bool done = report && strcmp(report->status, "done") == 0;
    t->found->rolled_back += done;
    t->found->refused += !done;
    if (!report)
        return;
    t->found->rows += (unsigned)(report->inserted + report->updated + report->deleted);
    t->found->conflicts += (unsigned)report->conflict_count;
    t->found->lost += (unsigned)report->lost_rows;
}

/* Refusals that the documentation names and the model does not know. */
bool trial_is_documented(const trial *t, bo_status st, const bo_error *err)
{
    static const char *const texts[] = {"would change rows", "exchange values"};
    if (st != BO_REFUSED && st != BO_CONFLICT && st != BO_UNSUPPORTED && st != BO_DENIED)
        return false;
    for (size_t i = 0; t->h->as_owner && i < sizeof texts / sizeof *texts; i++)
        if (strstr(err->text, texts[i]))
            return true;
    return false;
}

static void judge(
    trial *t, question *q, bo_status st, const bo_rollback *report, const bo_error *err)
{
    moment found = players_moment(t);
    note_report(t, st, report, err);
    bool ended = st == BO_OK || st == BO_MISMATCH || st == BO_CONFLICT || st == BO_REFUSED;
    if (trial_is_documented(t, st, err)) {
        const char *changed = moment_difference(&t->h->schema, q->now, &found, t->arena);
        trial_expect(t, changed[0] == 0, "it is refused, and rows have changed:\n%s", changed);
        return;
    }
    trial_expect(t, ended, "the rollback ends with %s: %s", bo_status_name(st), err->text);
    q->h = t->h;
    q->arena = t->arena;
    q->status = st;
    q->error = err->text;
    q->report = report;
    q->found = &found;
    const char *wrong = model_judge(q);
    trial_expect(t, wrong[0] == 0, "%s", wrong);
}

/* What a report says in sum. */
typedef struct tally {
    unsigned inserted, updated, deleted, conflicts;
} tally;

static tally count_up(const bo_rollback *report)
{
    return (tally){(unsigned)report->inserted, (unsigned)report->updated, (unsigned)report->deleted,
        (unsigned)report->conflict_count};
}

/* Rolls back and lets the model judge; the undo point, or NULL. */
static const char *roll_back(
    trial *t, const char *id, const bo_rollback_options *how, question *q, tally *done_out)
{
    bo_error err = {0};
    bo_rollback *report = NULL;
    const moment now = players_moment(t);
    q->now = &now;
    bo_status st = bo_rollback_execute(t->session, &t->database, id, how, &report, &err);
    judge(t, q, st, report, &err);
    const char *undo =
        report && report->undo_point ? bo_arena_str(t->arena, report->undo_point) : NULL;
    if (undo && done_out)
        *done_out = count_up(report);
    bo_rollback_free(report);
    return undo;
}

/* A dry run changes nothing; `planned` is what it says.  False: it says that it would be refused.
 */
static bool rehearse(trial *t, const bo_rollback_options *how, tally *planned)
{
    bo_error err = {0};
    bo_rollback *report = NULL;
    bo_rollback_options dry = *how;
    dry.dry_run = true;
    const moment before = players_moment(t);
    bo_status st = bo_rollback_execute(t->session, &t->database, t->point, &dry, &report, &err);
    bool refused = st == BO_REFUSED || st == BO_CONFLICT;
    trial_ok(t, refused ? BO_OK : st, &err, "rehearse");
    const moment after = players_moment(t);
    const char *difference = moment_difference(&t->h->schema, &before, &after, t->arena);
    trial_expect(t, difference[0] == 0, "the dry run has changed rows:\n%s", difference);
    if (!refused)
        *planned = count_up(report);
    bo_rollback_free(report);
    return !refused;
}

static void check_plan(trial *t, const tally *planned, const tally *done)
{
    trial_expect(t, memcmp(planned, done, sizeof *done) == 0,
        "+%u ~%u -%u with %u conflicts was planned, and +%u ~%u -%u with %u is done",
        planned->inserted, planned->updated, planned->deleted, planned->conflicts, done->inserted,
        done->updated, done->deleted, done->conflicts);
}

/* The options, with names and predicates in them. */
static bo_rollback_options options_of(trial *t, question *q)
{
    const history *h = t->h;
    const schema *s = &h->schema;
    bo_rollback_options how = h->how;
    const char **names = bo_arena_array(t->arena, TABLES_MAX, sizeof *names);
    bo_scope_item *where = bo_arena_alloc(t->arena, sizeof *where);
    unsigned known = by_writer(t) ? t->captured : t->in_point;
    bool some = h->where.table >= 0 && known >> h->where.table & 1;
    q->tables = (h->tables & known) || some ? h->tables & known : known;
    for (unsigned i = 0; h->tables & known && i < s->count; i++)
        if (q->tables >> i & 1)
            names[how.table_count++] = t->reported[i];
    how.tables = names;
    how.where = where;
    if (some) {
        *where = (bo_scope_item){t->reported[h->where.table], condition_sql(h, t->arena)};
        how.where_count = 1;
        q->where = &h->where;
    }
    how.user = h->made == MADE_BY_USER ? "app" : NULL;
    how.run = h->made == MADE_BY_RUN_OF_MANY ? t->mark : NULL;
    return how;
}

static void note_options(trial *t, const bo_rollback_options *how)
{
    static const char *const policies[] = {"refuse", "skip", "replace"};
    static const char *const modes[] = {"", " --mode non-conflict-only", " --mode cascade"};
    BO_OWN_VALUE(bo_buf) text = {0};
    for (size_t i = 0; i < how->table_count; i++)
        bo_buf_printf(&text, "%s%s", i ? "," : " --tables ", how->tables[i]);
    if (how->where_count)
        bo_buf_printf(&text, " --where '%s: %s'", how->where->table, how->where->predicate);
    trial_note(t, "-- backout execute --type %s --on-conflict %s%s%s%s%s%s%s%s",
        how->type == BO_ROLLBACK_FULL ? "full" : "partial", policies[how->on_conflict],
        modes[how->mode], how->by_column ? " --by column" : "",
        how->discard_later ? " --discard-later" : "", how->only_added ? " --only-added" : "",
        how->user ? " --user app" : "", how->run ? " --run ..." : "", bo_buf_str(&text));
}

static void fail_run(trial *t, question *q)
{
    bo_error err = {0};
    bo_rollback *report = NULL;
    const moment now = players_moment(t);
    q->now = &now;
    trial_note(t, "-- the run has failed");
    bo_status st = bo_run_fail(t->run, "the test says so", &report, &err);
    if (st == BO_FAILED && strstr(err.text, "none carries the run's mark"))
        trial_note(t, "-- %s", err.text);
    else
        judge(t, q, st, report, &err);
    if (st == BO_OK)
        t->captured = 0; /* its capture has ended */
    bo_rollback_free(report);
}

/* ---- what comes after it ---- */

static void undo(trial *t, const char *id, const moment *before, const moment *after)
{
    change_set changes[TABLES_MAX] = {0};
    for (unsigned i = 0; i < t->h->schema.count; i++)
        changes[i] = change_between(&t->h->schema, i, before, after, t->arena);
    const bo_rollback_options how = {
        .type = BO_ROLLBACK_PARTIAL, .on_conflict = t->h->undo_conflicts};
    question q = {.how = &how,
        .tables = ~0u,
        .changes = changes,
        .sealed = true,
        .undo = true,
        .point = before};
    trial_note(t, "-- backout execute %s, and so undo the rollback", id);
    (void)roll_back(t, id, &how, &q, NULL);
}

/* Do triggers write to other rows in a rollback? */
static bool is_stirred(const trial *t)
{
    return t->h->schema.engine == ON_MARIADB && (t->h->schema.stirred || t->h->schema.unsettled);
}

/* A second rollback finds nothing to do, or is refused. */
static void again(trial *t, const bo_rollback_options *how)
{
    bo_error err = {0};
    bo_rollback *report = NULL;
    const moment before = players_moment(t);
    bo_status st = bo_rollback_execute(t->session, &t->database, t->point, how, &report, &err);
    bool ended = st == BO_OK || st == BO_MISMATCH || st == BO_CONFLICT || st == BO_REFUSED;
    note_report(t, st, report, &err);
    trial_expect(t, ended, "the second rollback ends with %s: %s", bo_status_name(st), err.text);
    const moment after = players_moment(t);
    const char *difference = moment_difference(&t->h->schema, &before, &after, t->arena);
    bool merged = (how->by_column && how->on_conflict == BO_ON_CONFLICT_REPLACE) || is_stirred(t);
    trial_expect(
        t, merged || difference[0] == 0, "the second rollback has changed rows:\n%s", difference);
    bo_rollback_free(report);
}

static void go_on(trial *t, const char *undo_point, const bo_rollback_options *how,
    const question *asked, unsigned at)
{
    const moment before = *asked->now, after = players_moment(t);
    question repeated = *asked;
    switch (t->h->then) {
    case THEN_NOTHING:
        return;
    case THEN_AGAIN:
        again(t, how);
        return;
    case THEN_WRITE_AND_UNDO:
        players_play(t, &at, t->h->step_count, STEP_POINT);
        undo(t, undo_point, &before, &after);
        return;
    case THEN_UNDO_AND_REPEAT:
    case THEN_UNDO:
        undo(t, undo_point, &before, &after);
    }
    const moment now = players_moment(t);
    const char *difference = moment_difference(&t->h->schema, &before, &now, t->arena);
    bool sound = !moment_violation(&t->h->schema, &before, t->arena)[0];
    trial_expect(t, difference[0] == 0 || !sound || is_stirred(t),
        "the rollback was rolled back, and the rows are not what they were:\n%s", difference);
    if (t->h->then == THEN_UNDO_AND_REPEAT)
        (void)roll_back(t, t->point, how, &repeated, NULL);
}

static void return_to_point(trial *t, unsigned at)
{
    change_set changes[TABLES_MAX] = {0};
    const schema *s = &t->h->schema;
    const moment *point = &t->commits[t->at_point].then;
    tell_changes(t, changes);
    size_t end = by_writer(t) ? t->commit_count : t->at_seal;
    question q = {.changes = changes,
        .sealed = t->h->made != MADE_UNSEALED,
        .loose = tells_writers(t) && t->captured && took_turns(t, end),
        .point = point};
    bo_rollback_options how = options_of(t, &q);
    q.how = &how;
    if (by_writer(t) && !t->captured)
        return;
    if (t->h->made == MADE_BY_FAILED_RUN) {
        fail_run(t, &q);
        return;
    }
    check_verification(t, BO_AGAINST_BEFORE, point, NULL);
    if (q.sealed && !by_writer(t)) {
        const moment sealed = model_after(s, point, changes, t->arena);
        check_verification(t, BO_AGAINST_AFTER, &sealed, q.loose ? changes : NULL);
    }
    if (t->h->released)
        trial_release(t);
    note_options(t, &how);
    tally planned = {0}, done = {0};
    const bool rehearsed = t->h->rehearsed && rehearse(t, &how, &planned);
    const moment before = players_moment(t);
    const char *undo_point = roll_back(t, t->point, &how, &q, &done);
    if (rehearsed && undo_point)
        check_plan(t, &planned, &done);
    if (!t->h->released) /* nobody knows what was written since */
        check_verification(t, BO_AGAINST_BEFORE, point, NULL);
    q.now = &before;
    if (undo_point)
        go_on(t, undo_point, &how, &q, at);
}

/* ---- the whole ---- */

static void open_session(trial *t)
{
    bo_error err = {0};
    t->settings =
        (bo_settings){.catalog_url = t->catalog, .repository = t->repository, .actor = "tester"};
    t->database = (bo_database){
        .name = "property", .url = t->place->url[t->h->as_owner], .lock_timeout_ms = 2000};
    (void)snprintf(t->catalog, sizeof t->catalog, "sqlite:%s/state/catalog.db", t->place->folder);
    (void)snprintf(t->repository, sizeof t->repository, "%s/state/repository", t->place->folder);
    trial_ok(t, bo_session_open(&t->settings, &t->session, &err), &err, "open the catalog");
}

void trial_run(trial *t)
{
    bo_error err = {0};
    unsigned at = 0;
    t->arena = bo_arena_create();
    trial_note(t, "-- seed %llu on %s, as %s", (unsigned long long)t->h->seed,
        place_engine(t->place->engine), t->h->as_owner ? "the owner" : "the superuser");
    trial_ok(t, place_empty(t->place, &err), &err, "empty the database");
    open_session(t);
    at = players_begin(t);
    neighbour_take(t);
    players_play(t, &at, t->h->step_count, STEP_POINT);
    if (take_point(t)) {
        if (t->h->neighbour.end == ENDS_AT_POINT)
            neighbour_end(t, false);
        players_play(t, &at, t->h->step_count, STEP_SEAL);
        seal(t);
        if (t->h->neighbour.end == ENDS_AT_SEAL)
            neighbour_end(t, false);
        players_play(t, &at, t->h->after, STEP_SEAL);
        return_to_point(t, at);
    }
    for (unsigned i = 0; i < SESSIONS; i++)
        bo_conn_free(BO_TAKE(t->players[i]));
    if (t->h->neighbour.end == ENDS_LAST)
        neighbour_return(t);
    neighbour_end(t, true);
    traces_check(t);
    traces_check_released(t);
    bo_run_free(t->run);
    bo_session_free(t->session);
    bo_conn_free(t->reader);
    bo_arena_free(t->arena);
    t->found->ended = true;
}
