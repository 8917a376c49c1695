/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/players.c - three sessions that write, and what the rows are after each commit. */
#include <string.h>

#include "property/trial.h"

moment players_moment(trial *t)
{
    bo_error err = {0};
    moment now;
    trial_ok(t, moment_read(&t->h->schema, t->reader, t->arena, &now, &err), &err, "read the rows");
    return now;
}

const moment *players_now(const trial *t)
{
    return &t->commits[t->commit_count].then;
}

static bo_status sql(trial *t, unsigned session, const char *text, bo_error *err)
{
    bo_conn *conn = t->players[session];
    *err = (bo_error){0};
    return conn->driver->exec(conn, text, err);
}

static void note_step(
    trial *t, unsigned session, const char *text, bo_status st, const bo_error *err)
{
    const char *line = strrchr(err->text, '\n'); /* the last one says why */
    trial_note(t, "%s; -- session %u%s%s", text, session, st == BO_OK ? "" : ": ",
        st == BO_OK ? ""
        : line      ? line + 1
                    : err->text);
}

static void change_settings(trial *t, unsigned session)
{
    bo_error err = {0};
    const char *text = t->h->settings[session];
    if (!text)
        return;
    trial_ok(t, sql(t, session, text, &err), &err, "change the session's settings");
    note_step(t, session, text, BO_OK, &err);
}

unsigned players_begin(trial *t)
{
    bo_error err = {0};
    unsigned at = 0;
    BO_OWN_VALUE(bo_buf) text = {0};
    BO_OWN(bo_conn) *owner = NULL;
    schema_write(&t->h->schema, &text);
    trial_note(t, "%s", bo_buf_str(&text));
    trial_ok(t, place_connect(t->place, true, NULL, &owner, &err), &err, "connect");
    trial_ok(t, owner->driver->exec(owner, bo_buf_str(&text), &err), &err, "make the tables");
    trial_ok(t, place_connect(t->place, false, NULL, &t->reader, &err), &err, "connect");
    t->players[1] = BO_TAKE(owner);
    for (; t->h->steps[at].kind == STEP_TRIGGER || t->h->steps[at].kind == STEP_ROW; at++) {
        const step *one = &t->h->steps[at];
        if (t->left_out[at])
            continue;
        bo_status st = sql(t, 1, one->sql, &err);
        note_step(t, 1, one->sql, st, &err);
        if (one->kind == STEP_TRIGGER)
            trial_ok(t, st, &err, "make a trigger");
    }
    change_settings(t, 1);
    t->commits[0].then = players_moment(t);
    if (t->h->made == MADE_BY_USER) /* the owner is who makes the change */
        bo_conn_free(BO_TAKE(t->players[1]));
    return at;
}

static bo_conn *player(trial *t, unsigned session)
{
    bo_error err = {0};
    bool as_owner = t->h->made != MADE_BY_USER || session == 0;
    if (t->players[session])
        return t->players[session];
    trial_ok(t,
        place_connect(t->place, as_owner, session == 0 && t->mark[0] ? t->mark : NULL,
            &t->players[session], &err),
        &err, "connect");
    change_settings(t, session);
    return t->players[session];
}

static void keep_commit(trial *t, unsigned session)
{
    trial_expect(t, t->commit_count < COMMITS_MAX, "there are too many commits");
    const moment *before = players_now(t);
    t->commits[++t->commit_count] = (commit){session, players_moment(t)};
    t->found->commits++;
    t->found->changing +=
        moment_difference(&t->h->schema, before, players_now(t), t->arena)[0] != 0;
}

static void give_up(trial *t, unsigned session)
{
    bo_error err = {0};
    bo_status st = sql(t, session, "ROLLBACK", &err);
    note_step(t, session, "ROLLBACK", st, &err);
    t->in_transaction[session] = false;
}

/* A statement failed: the savepoint, or the whole transaction, or (not in PostgreSQL) neither. */
static void recover(trial *t, unsigned session, const bo_error *why)
{
    bo_error err = {0};
    bool waits = why->status == BO_BUSY || strncmp(why->sqlstate, "40", 2) == 0; /* a deadlock */
    if (t->saved[session] && !waits) {
        bo_status st = sql(t, session, "ROLLBACK TO SAVEPOINT s", &err);
        note_step(t, session, "ROLLBACK TO SAVEPOINT s", st, &err);
        if (st == BO_OK)
            return;
    }
    if (t->h->schema.engine == ON_POSTGRES || waits)
        give_up(t, session);
}

/* Half of the transactions on PostgreSQL survive a statement that fails, as with psql's
 * ON_ERROR_ROLLBACK. */
static bool is_guarded(const trial *t, const step *one)
{
    return t->h->schema.engine == ON_POSTGRES && one->transaction % 2;
}

static void play(trial *t, const step *one)
{
    bo_error err = {0};
    unsigned session = one->session;
    (void)player(t, session);
    if (one->kind != STEP_BEGIN && !t->in_transaction[session])
        return; /* it was given up */
    bool guarded = one->kind == STEP_SQL && is_guarded(t, one);
    if (guarded)
        (void)sql(t, session, "SAVEPOINT guard", &err);
    bo_status st = sql(t, session, one->sql, &err);
    note_step(t, session, one->sql, st, &err);
    if (guarded && st != BO_OK && st != BO_BUSY &&
        sql(t, session, "ROLLBACK TO SAVEPOINT guard", &err) == BO_OK)
        return;
    switch (one->kind) {
    case STEP_BEGIN:
        t->in_transaction[session] = st == BO_OK;
        t->saved[session] = false;
        break;
    case STEP_SAVEPOINT:
        t->saved[session] = st == BO_OK;
        break;
    case STEP_COMMIT:
        if (st != BO_OK)
            give_up(t, session);
        else
            keep_commit(t, session);
        t->in_transaction[session] = false;
        break;
    case STEP_ROLLBACK:
        t->in_transaction[session] = false;
        break;
    default:
        if (st != BO_OK && t->in_transaction[session])
            recover(t, session, &err);
    }
}

void players_play(trial *t, unsigned *at, unsigned end, step_kind until)
{
    for (; *at < end && t->h->steps[*at].kind != until; ++*at)
        if (!t->left_out[*at])
            play(t, &t->h->steps[*at]);
    if (*at < end)
        ++*at;
}
