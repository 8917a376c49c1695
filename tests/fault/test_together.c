/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fault/test_together.c - every two acts that can meet: two processes on one catalog, on one
 * point, on one repository and on one database.
 *
 * With BACKOUT_TEST_SWEEP=full every pair meets BACKOUT_TEST_ROUNDS times (20 on SQLite, 5 on
 * servers), otherwise some meet once.  BACKOUT_TEST_SEED begins another row of delays.
 */
#include "backout/run.h"
#include "fault/together.h"

enum {
    TESTS_MAX = 128,
    ROUNDS_ON_SQLITE = 20,
    ROUNDS_ON_SERVERS = 5,
    FEW_ON_SQLITE = 5,
    FEW_ON_SERVERS = 1
};

/* ---- acts ---- */

/* The undo point of the rollback before brings the change back. */
static bo_status redo(scene *s, bo_session *session, bo_error *err)
{
    const bo_rollback_options how = {.type = BO_ROLLBACK_PARTIAL};
    bo_rollback *done = NULL;
    bo_status st = bo_rollback_execute(session, &s->w->database, s->second, &how, &done, err);
    bo_rollback_free(done);
    return st;
}

/* When nothing goes because somebody is at work on it, that is a refusal. */
static bo_status run_prune(scene *s, bo_session *session, bo_error *err)
{
    static const char *const held[] = {"at work on it", "is in use: run", "meanwhile"};
    const bo_prune_options options = {.keep_last = 1};
    bo_prune *done = NULL;
    (void)s;
    bo_status st = bo_prune_points(session, &options, &done, err);
    for (size_t i = 0; st == BO_OK && done->removed == 0 && i < done->item_count; i++)
        for (size_t h = 0; h < sizeof held / sizeof *held; h++)
            if (strstr(done->items[i].because, held[h]))
                st = bo_fail(
                    err, BO_BUSY, "%s stays: %s", done->items[i].point, done->items[i].because);
    bo_prune_free(done);
    return st;
}

/* Of tables with keys, whose captured changes tell whose they are.  What is to be undone is of
 * other rows: until then it is there for everybody. */
static bo_status change_keyed(scene *s, bo_session *session, bool fails, bo_error *err)
{
    const char *sql = fails
                          ? "UPDATE orders SET total = 77 WHERE id = 11;"
                            "INSERT INTO customers VALUES (70, 'Eve')"
                          : "DELETE FROM orders WHERE id = 12; DELETE FROM customers WHERE id = 2;"
                            "UPDATE orders SET total = 0 WHERE id = 10;"
                            "INSERT INTO orders VALUES (14, 1, 7)";
    static const bo_scope_item scope[] = {{"customers", NULL}, {"orders", NULL}};
    const bo_point_options options = {
        .scope = scope, .scope_count = 2, .migration = "keyed", .method = s->setting.method};
    bo_run *run = NULL;
    bo_rollback *undone = NULL;
    bo_error why = {0};
    bo_status st = bo_run_begin(session, &s->w->database, &options, &run, err);
    if (st != BO_OK)
        return st;
    bo_run_trust_mark(run);
    bo_status changed =
        bo_sql_execute(&s->w->database, bo_run_id(run), sql, strlen(sql), true, true, &why);
    if (changed == BO_OK && !fails)
        st = bo_run_end(run, NULL, err);
    else
        st = bo_run_fail(run, "it is to fail", &undone, err);
    if (st == BO_OK && changed != BO_OK)
        st = bo_fail(err, changed, "%s", why.text);
    bo_rollback_free(undone);
    bo_run_free(run);
    return st;
}

static bo_status run_keyed(scene *s, bo_session *session, bo_error *err)
{
    return change_keyed(s, session, false, err);
}

static bo_status fail_keyed(scene *s, bo_session *session, bo_error *err)
{
    return change_keyed(s, session, true, err);
}

/* What only looks, in the middle of everything. */
static bo_status look_at_all(scene *s, bo_session *session, bo_error *err)
{
    const bo_rollback_options dry = {.type = BO_ROLLBACK_PARTIAL, .dry_run = true};
    bo_check *check = NULL;
    bo_rollback *plan = NULL;
    bo_status st = bo_check_stored(session, &s->w->database, NULL, false, &check, err);
    bo_check_free(check);
    if (st == BO_OK)
        st = bo_rollback_execute(session, &s->w->database, s->point, &dry, &plan, err);
    bo_rollback_free(plan);
    return st == BO_OK || bo_status_exit_code(st) == 3 ? BO_OK : st;
}

#define STORED_TOO (BY(BO_METHOD_SNAPSHOT) | BY(BO_METHOD_BOTH))
static const act point = {"point", NULL, ON_ALL, BY_ALL, false, false};
static const act seal = {"seal", NULL, ON_ALL, BY_ALL, false, true};
static const act run = {"run", NULL, ON_ALL, BY_ALL, true, true};
static const act failing = {"failing run", NULL, ON_ALL, BY_ALL, true, true};
static const act keyed = {"run of keyed tables", run_keyed, ON_SERVERS, BY_CAPTURE, true, false};
static const act failing_keyed = {
    "failing run of keyed tables", fail_keyed, ON_SERVERS, BY_CAPTURE, true, false};
static const act partial = {"partial", NULL, ON_ALL, BY_ALL, true, false};
static const act full = {"full", NULL, ON_ALL, BY_ALL, true, false};
static const act restore = {"restore", NULL, ON_ALL, STORED_TOO, true, false};
static const act file = {"restore of a file", NULL, ON_ALL, STORED_TOO, true, false};
static const act verify = {"verify", NULL, ON_ALL, BY_ALL, false, false};
static const act by_run = {"by run", NULL, ON_SERVERS, BY_CAPTURE, true, false};
static const act by_user = {"by user", NULL, ON_SERVERS, BY_CAPTURE, true, false};
static const act cascade = {"cascade", NULL, ON_ALL, BY_CAPTURE, true, false};
static const act release = {"release", NULL, ON_ALL, BY_CAPTURE, false, false};
static const act prune = {"prune", run_prune, ON_ALL, BY_ALL, false, false, .leaves = true};
static const act doctor = {"doctor", NULL, ON_ALL, BY_CAPTURE, false, false};
static const act redoing = {"redo", redo, ON_ALL, BY_ALL, true, false};
static const act looking = {"check and dry run", look_at_all, ON_ALL, BY_ALL, false, false};

/* ---- moments before ---- */

static void take_second(scene *s)
{
    bo_error err = {0};
    world_ok(scene_operation("point")->run(s, s->w->session, &err), &err);
}

/* Rolled back: there is an undo point. */
static void undo(scene *s)
{
    const char *id = world_roll_back(s->w, s->point, BO_ROLLBACK_PARTIAL);
    (void)snprintf(s->second, sizeof s->second, "%s", id);
}

typedef struct beginning {
    const char *name;
    operation before;
    second_catalog other;
    bool shared; /* the catalog is in PostgreSQL */
    const act *acts[16];
} beginning;

static const beginning beginnings[] = {
    {"before a change", {.name = "before a change", .from = SCENE_ORIGINAL, .prepare = take_second},
        OTHER_SAME_CATALOG, false,
        {&keyed, &failing_keyed, &point, &run, &failing, &doctor, &prune, &looking}},
    {"after a change", {.name = "after a change", .from = SCENE_CHANGED, .prepare = take_second},
        OTHER_SAME_CATALOG, false,
        {&seal, &full, &restore, &verify, &release, &prune, &point, &doctor, &partial, &looking}},
    {"after a sealed change",
        {.name = "after a sealed change", .from = SCENE_LATER, .prepare = take_second},
        OTHER_SAME_CATALOG, false,
        {&partial, &full, &restore, &file, &verify, &release, &prune, &point, &doctor, &cascade,
            &by_run, &by_user, &looking}},
    {"after a rollback", {.name = "after a rollback", .from = SCENE_LATER, .prepare = undo},
        OTHER_SAME_CATALOG, false,
        {&redoing, &partial, &full, &prune, &verify, &release, &looking}},
    {"with a shared catalog",
        {.name = "with a shared catalog", .from = SCENE_LATER, .prepare = take_second},
        OTHER_SAME_CATALOG, true,
        {&partial, &full, &verify, &release, &prune, &point, &doctor, &looking}},
    {"with two catalogs", {.name = "with two catalogs", .from = SCENE_LATER}, OTHER_CATALOG, false,
        {&partial, &full, &restore, &verify, &release, &prune, &point, &looking}},
    {"with two catalogs and one repository",
        {.name = "with two catalogs and one repository", .from = SCENE_LATER},
        OTHER_CATALOG_SAME_REPOSITORY, false, {&partial, &full, &prune, &point, &release}},
};
enum { BEGINNINGS = sizeof beginnings / sizeof *beginnings };

/* ---- which meet ---- */

struct one {
    const beginning *how;
    setting setting;
    unsigned shift; /* which of the pairs meet */
    char name[120];
    unsigned met, survived;
};

static bool takes_part(const act *a, const setting *at)
{
    return (a->engines & ON(at->engine)) && (a->methods & BY(at->method));
}

/* What others write while a run is at work is the run's, as far as its tables have no key; and what
 * is undone in the end is there for others until then. */
static bool can_be_told(const act *a, const act *b)
{
    bool both_fail = a == &failing_keyed && b == &failing_keyed;
    return !both_fail && !((a->by_run && b->changes) || (b->by_run && a->changes));
}

static bool can_meet(const struct one *one, const act *a, const act *b)
{
    return takes_part(a, &one->setting) && takes_part(b, &one->setting) && can_be_told(a, b);
}

static void meet(struct one *one, meeting *m, const act *a, const act *b, unsigned rounds)
{
    const unsigned seed = (unsigned)number_from("BACKOUT_TEST_SEED", 1);
    meeting_choose(m, a, b);
    for (unsigned i = 0; i < rounds; i++) {
        one->met++;
        meeting_take_place(m, seed * 7919u + one->met);
        one->survived++;
    }
}

/* Both orders matter where the processes differ. */
static void meet_each_other(void **state)
{
    struct one *one = *state;
    const beginning *how = one->how;
    meeting *m = meeting_open(&how->before, &one->setting, how->other);
    if (!m)
        skip();
    const bool here = one->setting.engine == WORLD_SQLITE;
    const unsigned few = here ? FEW_ON_SQLITE : FEW_ON_SERVERS;
    const unsigned many = here ? ROUNDS_ON_SQLITE : ROUNDS_ON_SERVERS;
    const unsigned rounds =
        at_full_length() ? (unsigned)number_from("BACKOUT_TEST_ROUNDS", many) : 1;
    unsigned pairs = 0;
    for (size_t i = 0; how->acts[i]; i++)
        for (size_t j = how->other == OTHER_SAME_CATALOG ? i : 0; how->acts[j]; j++)
            pairs += can_meet(one, how->acts[i], how->acts[j]);
    const unsigned every = at_full_length() || pairs <= few ? 1 : pairs / few;
    unsigned at = one->shift % every;
    for (size_t i = 0; how->acts[i]; i++) {
        for (size_t j = how->other == OTHER_SAME_CATALOG ? i : 0; how->acts[j]; j++)
            if (can_meet(one, how->acts[i], how->acts[j]) && at++ % every == 0)
                meet(one, m, how->acts[i], how->acts[j], rounds);
    }
    meeting_close(m);
}

static const char *const engines[] = {"SQLite", "PostgreSQL", "MariaDB"};

static bool is_chosen(const beginning *how, const setting *at)
{
    return (!how->shared || at->engine == WORLD_POSTGRES) &&
           (at_full_length() || at->method != BO_METHOD_BOTH);
}

static size_t make_tests(struct one *all, struct CMUnitTest *tests)
{
    static const char *const methods[] = {"", ", captured,", ", captured and stored,"};
    size_t used = 0;
    for (size_t i = 0; i < BEGINNINGS * (size_t)9; i++) {
        const beginning *how = &beginnings[i / 9];
        const setting at = {.engine = (world_engine)(i % 9 / 3),
            .method = (bo_method)(i % 3),
            .shared = how->shared};
        if (!is_chosen(how, &at))
            continue;
        assert_true(used < TESTS_MAX);
        all[used] = (struct one){.how = how, .setting = at, .shift = (unsigned)used * 5};
        (void)snprintf(all[used].name, sizeof all[used].name, "two at once %s%s on %s", how->name,
            methods[at.method], engines[at.engine]);
        tests[used] = (struct CMUnitTest){
            .name = all[used].name, .test_func = meet_each_other, .initial_state = &all[used]};
        used++;
    }
    return used;
}

int main(int argc, char **argv)
{
    static struct one all[TESTS_MAX];
    static struct CMUnitTest tests[TESTS_MAX];
    const size_t used = make_tests(all, tests);
    cmocka_set_test_filter(argc > 1 ? argv[1] : NULL);
    int failed = _cmocka_run_group_tests("together", tests, used, NULL, NULL);
    for (int engine = WORLD_SQLITE; engine <= WORLD_MARIADB; engine++) {
        unsigned met = 0, survived = 0;
        for (size_t i = 0; i < used; i++) {
            met += (int)all[i].setting.engine == engine ? all[i].met : 0;
            survived += (int)all[i].setting.engine == engine ? all[i].survived : 0;
        }
        if (met > 0)
            print_message("# sweep two processes at once on %s: %u faults, %u survived\n",
                engines[engine], met, survived);
    }
    return failed;
}
