/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/operations.c - everything that changes state, and how a person goes on after it
 * broke. */
#include "backout/doctor.h"
#include "backout/run.h"
#include "fault/scene.h"

const char scene_change[] = "DELETE FROM orders WHERE id = 12;"
                            "DELETE FROM customers WHERE id = 2;"
                            "UPDATE orders SET total = 0 WHERE id = 10;"
                            "INSERT INTO orders VALUES (14, 1, 7);"
                            "DELETE FROM log;"
                            "INSERT INTO log VALUES ('cleaned')";
/* In one table, which no foreign key concerns: then it can be undone in place. */
const char scene_big_shop[] =
    "ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey;"
    "INSERT INTO customers SELECT n, 'n' || n FROM generate_series(1000, 3200) n";
const char scene_big_change[] = "UPDATE customers SET name = name || '!' WHERE id >= 1000;"
                                "INSERT INTO customers VALUES (4, 'Dot');"
                                "DELETE FROM customers WHERE id = 1500";

/* ---- points ---- */

static bo_status point_of(scene *s, bo_session *session, char id[160], bo_error *err)
{
    static const bo_scope_item scope[] = {{"customers", NULL}, {"orders", NULL}, {"log", NULL}};
    const bo_point_options options = {
        .scope = scope, .scope_count = 3, .migration = "sweep", .method = s->setting.method};
    bo_point_list *points = NULL;
    bo_status st = bo_point_create(session, &s->w->database, &options, &points, err);
    if (st == BO_OK)
        (void)snprintf(id, 160, "%s", bo_point_list_get(points, 0)->id);
    bo_point_list_free(points);
    return st;
}

static bo_status take_point(scene *s, bo_session *session, bo_error *err)
{
    return point_of(s, session, s->second, err);
}

static bo_status roll_back_with(
    scene *s, bo_session *session, const char *id, const bo_rollback_options *how, bo_error *err)
{
    bo_rollback *done = NULL;
    bo_status st = bo_rollback_execute(session, &s->w->database, id, how, &done, err);
    bo_rollback_free(done);
    return st;
}

static bo_status roll_back(
    scene *s, bo_session *session, const char *id, bo_rollback_type type, bo_error *err)
{
    return roll_back_with(
        s, session, id, &(bo_rollback_options){.type = type, .discard_later = true}, err);
}

static bo_status expect_difference(
    scene *s, bo_session *session, const char *id, bool different, bo_error *err)
{
    bo_verification *found = NULL;
    bo_status st = bo_verify(session, &s->w->database, id, BO_AGAINST_BEFORE, &found, err);
    bo_verification_free(found);
    if (st == BO_MISMATCH && different)
        return BO_OK;
    return st == BO_OK && different ? bo_fail(err, BO_FAILED, "a user's write went unnoticed") : st;
}

static bo_status seal_point(scene *s, bo_session *session, const char *id, bo_error *err)
{
    bo_point_list *points = NULL;
    bo_status st = bo_point_seal(session, &s->w->database, id, &points, err);
    bo_point_list_free(points);
    return st;
}

/* Nothing was written since this point: what a user writes is noticed, and can be undone. */
static bo_status prove_point(scene *s, bo_session *session, const char *id, bo_error *err)
{
    bo_status st = expect_difference(s, session, id, false, err);
    if (st != BO_OK)
        return st;
    world_sql(s->w, "UPDATE orders SET total = 21 WHERE id = 11;"
                    "INSERT INTO customers VALUES (50, 'Ned')");
    st = expect_difference(s, session, id, true, err);
    if (st == BO_OK)
        st = seal_point(s, session, id, err);
    if (st == BO_OK)
        st = roll_back(s, session, id, BO_ROLLBACK_PARTIAL, err);
    return st == BO_OK ? expect_difference(s, session, id, false, err) : st;
}

static bo_status take_another(scene *s, bo_session *session, bo_error *err)
{
    bo_status st = take_point(s, session, err);
    return st == BO_OK ? prove_point(s, session, s->second, err) : st;
}

static bo_status seal(scene *s, bo_session *session, bo_error *err)
{
    return seal_point(s, session, s->point, err);
}

static bo_status seal_again(scene *s, bo_session *session, bo_error *err)
{
    bo_status st = seal(s, session, err);
    return st == BO_OK || st == BO_EXISTS
               ? roll_back(s, session, s->point, BO_ROLLBACK_PARTIAL, err)
               : st;
}

/* The older point has lost nothing by what became of the second one. */
static bo_status prove_both(scene *s, bo_session *session, bo_error *err)
{
    bo_status st = take_another(s, session, err);
    return st == BO_OK ? seal_again(s, session, err) : st;
}

/* ---- runs ---- */

static bo_status change(scene *s, bo_session *session, bool fails, bo_error *err)
{
    static const bo_scope_item scope[] = {{"customers", NULL}, {"orders", NULL}, {"log", NULL}};
    const bo_point_options options = {
        .scope = scope, .scope_count = 3, .migration = "sweep", .method = s->setting.method};
    bo_run *run = NULL;
    bo_rollback *undone = NULL;
    bo_error why = {0};
    bo_status st = bo_run_begin(session, &s->w->database, &options, &run, err);
    if (st != BO_OK)
        return st;
    st = bo_sql_execute(
        &s->w->database, bo_run_id(run), scene_change, strlen(scene_change), true, true, &why);
    if (st == BO_OK && !fails)
        st = bo_run_end(run, NULL, err);
    else if (st == BO_OK || bo_run_fail(run, why.text, &undone, err) == BO_OK)
        st = st == BO_OK ? bo_run_fail(run, "the test says so", &undone, err)
                         : bo_fail(err, st, "%s", why.text);
    bo_rollback_free(undone);
    bo_run_free(run);
    return st;
}

static bo_status run_well(scene *s, bo_session *session, bo_error *err)
{
    return change(s, session, false, err);
}

static bo_status run_badly(scene *s, bo_session *session, bo_error *err)
{
    return change(s, session, true, err);
}

/* Back to the newest point, if the run came that far: without one nothing was changed yet. */
static bo_status back_to_latest(scene *s, bo_session *session, bo_error *err)
{
    bo_point_list *points = NULL;
    bo_status st = bo_point_get(session, "latest", &points, err);
    if (st == BO_NOTFOUND)
        return BO_OK;
    if (st != BO_OK)
        return st;
    const bo_point *point = bo_point_list_get(points, 0);
    bool sealed = strcmp(point->status, "ready") != 0;
    st = roll_back(s, session, point->id, sealed ? BO_ROLLBACK_PARTIAL : BO_ROLLBACK_FULL, err);
    bo_point_list_free(points);
    return st;
}

/* ---- rollbacks ---- */

static bo_status partial(scene *s, bo_session *session, bo_error *err)
{
    return roll_back(s, session, s->point, BO_ROLLBACK_PARTIAL, err);
}

static bo_status full(scene *s, bo_session *session, bo_error *err)
{
    return roll_back(s, session, s->point, BO_ROLLBACK_FULL, err);
}

static bo_status by_run(scene *s, bo_session *session, bo_error *err)
{
    const bo_rollback_options how = {.type = BO_ROLLBACK_PARTIAL, .run = SCENE_RUN};
    return roll_back_with(s, session, s->point, &how, err);
}

static bo_status by_user(scene *s, bo_session *session, bo_error *err)
{
    const bo_rollback_options how = {.type = BO_ROLLBACK_PARTIAL,
        .user = s->setting.engine == WORLD_MARIADB ? "root@localhost" : "postgres"};
    return roll_back_with(s, session, s->point, &how, err);
}

/* Somebody changes the order that the change has added. */
static void depend(scene *s)
{
    world_sql(s->w, "UPDATE orders SET total = 8 WHERE id = 14");
}

static bo_status cascade(scene *s, bo_session *session, bo_error *err)
{
    const bo_rollback_options how = {
        .type = BO_ROLLBACK_PARTIAL, .mode = BO_BACKOUT_CASCADE, .discard_later = true};
    return roll_back_with(s, session, s->point, &how, err);
}

static bo_status restore(scene *s, bo_session *session, bo_error *err)
{
    bo_rollback *done = NULL;
    bo_status st = bo_restore(session, &s->w->database, s->point, NULL, 0, false, &done, err);
    bo_rollback_free(done);
    return st;
}

static bo_status restore_file(scene *s, bo_session *session, bo_error *err)
{
    bo_rollback *done = NULL;
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s.snapshot", s->w->repository, s->point);
    bo_status st = bo_restore(session, &s->w->database, path, NULL, 0, false, &done, err);
    bo_rollback_free(done);
    return st;
}

static bo_status verify(scene *s, bo_session *session, bo_error *err)
{
    return expect_difference(s, session, s->point, true, err);
}

/* ---- ends of a capture ---- */

static void take_second(scene *s)
{
    bo_error err = {0};
    world_ok(take_point(s, s->w->session, &err), &err);
}

static bo_status release(scene *s, bo_session *session, bo_error *err)
{
    bo_point_list *points = NULL;
    bo_status st = bo_point_release(session, &s->w->database, s->point, false, &points, err);
    bo_point_list_free(points);
    return st;
}

static bo_status prune(scene *s, bo_session *session, bo_error *err)
{
    const bo_prune_options options = {.keep_last = 1};
    bo_prune *done = NULL;
    (void)s;
    bo_status st = bo_prune_points(session, &options, &done, err);
    bo_prune_free(done);
    return st;
}

/* What was sealed of the point is in its file, and a second one has lost nothing. */
static bo_status release_again(scene *s, bo_session *session, bo_error *err)
{
    bo_status st = release(s, session, err);
    if (st == BO_OK && s->second[0])
        st = prove_point(s, session, s->second, err);
    return st == BO_OK ? partial(s, session, err) : st;
}

static bo_status prune_again(scene *s, bo_session *session, bo_error *err)
{
    bo_status st = prune(s, session, err);
    return st == BO_OK ? prove_point(s, session, s->second, err) : st;
}

/* A point of which only its triggers and journals were made. */
static void halve(scene *s)
{
    take_second(s);
    world_set_status(s->w, s->second, BO_POINT_CREATING);
}

static bo_status fix(scene *s, bo_session *session, bo_error *err)
{
    const bo_doctor_options options = {.fix = true};
    bo_doctor *found = NULL;
    bo_status st = bo_doctor_examine(session, &s->w->database, &options, &found, err);
    if (st == BO_MISMATCH)
        st = bo_fail(err, st, "something is left: %s", found->findings[0].what);
    bo_doctor_free(found);
    return st;
}

#define STAYS(moment)   moment, moment, moment
#define BACK_TO(moment) SCENE_LATER, moment, moment
#define EVERYWHERE      ON_ALL, BY_ALL
#define CAPTURED        ON_ALL, BY_CAPTURE
#define STORED          ON_ALL, (BY(BO_METHOD_SNAPSHOT) | BY(BO_METHOD_BOTH))
#define TOLD_APART      ON_SERVERS, BY_CAPTURE /* the database knows who wrote */
#define KEPT_IN_PLACE   ON(WORLD_POSTGRES), BY_CAPTURE

const operation scene_operations[] = {
    {"point", EVERYWHERE, STAYS(SCENE_ORIGINAL), take_point, take_another, SCENE_ORIGINAL},
    {"seal", EVERYWHERE, STAYS(SCENE_CHANGED), seal, seal_again, SCENE_ORIGINAL},
    {"run", EVERYWHERE, SCENE_ORIGINAL, SCENE_CHANGED, SCENE_CHANGED, run_well, back_to_latest,
        SCENE_ORIGINAL},
    {"failing run", EVERYWHERE, SCENE_ORIGINAL, SCENE_CHANGED, SCENE_ORIGINAL, run_badly,
        back_to_latest, SCENE_ORIGINAL},
    {"partial", EVERYWHERE, BACK_TO(SCENE_KEPT), partial, partial, SCENE_KEPT},
    {"full", EVERYWHERE, BACK_TO(SCENE_ORIGINAL), full, full, SCENE_ORIGINAL},
    {"restore", STORED, BACK_TO(SCENE_ORIGINAL), restore, restore, SCENE_ORIGINAL},
    {"restore of a file", STORED, BACK_TO(SCENE_ORIGINAL), restore_file, restore_file,
        SCENE_ORIGINAL},
    {"verify", EVERYWHERE, STAYS(SCENE_LATER), verify, verify, SCENE_LATER},
    {"second point", CAPTURED, STAYS(SCENE_CHANGED), take_point, prove_both, SCENE_ORIGINAL},
    {"by run", TOLD_APART, BACK_TO(SCENE_CAPTURED), by_run, by_run, SCENE_CAPTURED},
    {"by user", TOLD_APART, BACK_TO(SCENE_EMPTIED), by_user, by_user, SCENE_EMPTIED},
    {"cascade", CAPTURED, BACK_TO(SCENE_KEPT), cascade, cascade, SCENE_KEPT, .prepare = depend},
    {"release", CAPTURED, STAYS(SCENE_LATER), release, release_again, SCENE_KEPT},
    {"release of one", CAPTURED, STAYS(SCENE_LATER), release, release_again, SCENE_KEPT,
        .prepare = take_second},
    {"prune of one", CAPTURED, STAYS(SCENE_LATER), prune, prune_again, SCENE_LATER,
        .prepare = take_second},
    {"doctor", CAPTURED, STAYS(SCENE_ORIGINAL), fix, fix, SCENE_ORIGINAL, .prepare = halve},
    {"seal of a big change", KEPT_IN_PLACE, STAYS(SCENE_CHANGED), seal, seal_again, SCENE_ORIGINAL,
        .big = true},
    {"undo of a big change", KEPT_IN_PLACE, BACK_TO(SCENE_KEPT), partial, partial, SCENE_KEPT,
        .big = true, .through = "rollback.undone-in-place"},
};
const size_t scene_operation_count = sizeof scene_operations / sizeof *scene_operations;

const operation *scene_operation(const char *name)
{
    for (size_t i = 0; i < scene_operation_count; i++)
        if (strcmp(scene_operations[i].name, name) == 0)
            return &scene_operations[i];
    fail_msg("no operation '%s'", name);
    return NULL;
}
