/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/operations.c - everything that changes state, and how a person goes on after it
 * broke. */
#include "backout/run.h"
#include "fault/scene.h"

const char scene_change[] = "DELETE FROM orders WHERE id = 12;"
                            "DELETE FROM customers WHERE id = 2;"
                            "UPDATE orders SET total = 0 WHERE id = 10;"
                            "INSERT INTO orders VALUES (14, 1, 7);"
                            "DELETE FROM log;"
                            "INSERT INTO log VALUES ('cleaned')";

static const bo_scope_item scope[] = {{"customers", NULL}, {"orders", NULL}, {"log", NULL}};
static const bo_point_options options = {
    .scope = scope, .scope_count = sizeof scope / sizeof *scope, .migration = "sweep"};

static bo_status take_point(scene *s, bo_session *session, bo_error *err)
{
    bo_point_list *points = NULL;
    bo_status st = bo_point_create(session, &s->w->database, &options, &points, err);
    bo_point_list_free(points);
    return st;
}

static bo_status take_another(scene *s, bo_session *session, bo_error *err)
{
    bo_verification *verification = NULL;
    bo_status st = take_point(s, session, err);
    if (st == BO_OK)
        st = bo_verify(session, &s->w->database, "latest", BO_AGAINST_BEFORE, &verification, err);
    bo_verification_free(verification);
    return st;
}

static bo_status roll_back(
    scene *s, bo_session *session, const char *id, bo_rollback_type type, bo_error *err)
{
    bo_rollback *done = NULL;
    const bo_rollback_options how = {.type = type, .discard_later = true};
    bo_status st = bo_rollback_execute(session, &s->w->database, id, &how, &done, err);
    bo_rollback_free(done);
    return st;
}

static bo_status seal(scene *s, bo_session *session, bo_error *err)
{
    bo_point_list *points = NULL;
    bo_status st = bo_point_seal(session, &s->w->database, s->point, &points, err);
    bo_point_list_free(points);
    return st;
}

static bo_status seal_again(scene *s, bo_session *session, bo_error *err)
{
    bo_status st = seal(s, session, err);
    return st == BO_OK || st == BO_EXISTS
               ? roll_back(s, session, s->point, BO_ROLLBACK_PARTIAL, err)
               : st;
}

static bo_status change(scene *s, bo_session *session, bool fails, bo_error *err)
{
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

static bo_status partial(scene *s, bo_session *session, bo_error *err)
{
    return roll_back(s, session, s->point, BO_ROLLBACK_PARTIAL, err);
}

static bo_status full(scene *s, bo_session *session, bo_error *err)
{
    return roll_back(s, session, s->point, BO_ROLLBACK_FULL, err);
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
    bo_verification *verification = NULL;
    bo_status st =
        bo_verify(session, &s->w->database, s->point, BO_AGAINST_BEFORE, &verification, err);
    bo_verification_free(verification);
    return st == BO_MISMATCH ? BO_OK : st == BO_OK ? bo_fail(err, BO_FAILED, "it matched") : st;
}

#define SAME_AS_LATER   SCENE_LATER, SCENE_LATER, SCENE_LATER
#define BACK_TO(moment) SCENE_LATER, moment, moment

const operation scene_operations[] = {
    {"point", SCENE_ORIGINAL, SCENE_ORIGINAL, SCENE_ORIGINAL, take_point, take_another,
        SCENE_ORIGINAL},
    {"seal", SCENE_CHANGED, SCENE_CHANGED, SCENE_CHANGED, seal, seal_again, SCENE_ORIGINAL},
    {"run", SCENE_ORIGINAL, SCENE_CHANGED, SCENE_CHANGED, run_well, back_to_latest, SCENE_ORIGINAL},
    {"failing run", SCENE_ORIGINAL, SCENE_CHANGED, SCENE_ORIGINAL, run_badly, back_to_latest,
        SCENE_ORIGINAL},
    {"partial", BACK_TO(SCENE_KEPT), partial, partial, SCENE_KEPT},
    {"full", BACK_TO(SCENE_ORIGINAL), full, full, SCENE_ORIGINAL},
    {"restore", BACK_TO(SCENE_ORIGINAL), restore, restore, SCENE_ORIGINAL},
    {"restore of a file", BACK_TO(SCENE_ORIGINAL), restore_file, restore_file, SCENE_ORIGINAL},
    {"verify", SAME_AS_LATER, verify, verify, SCENE_LATER},
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
