/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/neighbour.c - another point beside the one that the history is about: neither may
 * know of the other. */
#include <string.h>

#include "property/trial.h"

void neighbour_take(trial *t)
{
    static const char *const methods[] = {"snapshot", "capture", "both"};
    bo_error err = {0};
    bo_point_list *points = NULL;
    const bo_point_options options = {.method = t->h->neighbour.method, .migration = "neighbour"};
    if (!t->h->neighbour.taken)
        return;
    trial_note(
        t, "-- backout point create of all tables, method %s", methods[t->h->neighbour.method]);
    bo_status st = bo_point_create(t->session, &t->database, &options, &points, &err);
    if (st == BO_UNSUPPORTED && strstr(err.text, "it must be captured as well"))
        return; /* MariaDB: of a table without a key */
    trial_ok(t, st, &err, "take another point");
    const bo_point *point = bo_point_list_get(points, 0);
    (void)snprintf(t->neighbour, sizeof t->neighbour, "%s", point->id);
    for (size_t i = 0; i < point->table_count; i++) {
        int at = model_table(&t->h->schema, point->tables[i].name);
        t->in_neighbour |= at >= 0 ? 1u << at : 0;
        t->neighbour_captures = t->neighbour_captures || point->tables[i].captured;
    }
    bo_point_list_free(points);
    t->then = players_moment(t);
}

void neighbour_end(trial *t, bool last)
{
    bo_error err = {0};
    bo_point_list *points = NULL;
    if (!t->neighbour[0] || !t->neighbour_captures)
        return;
    trial_note(t, "-- backout point release of the other one");
    bo_status st = bo_point_release(t->session, &t->database, t->neighbour, true, &points, &err);
    if (st == BO_BUSY && !last)
        return; /* somebody writes: later, then */
    trial_ok(t, st, &err, "release the other point");
    bo_point_list_free(points);
    t->neighbour[0] = 0;
}

/* Only the tables of the point: what it does not cover is what it was. */
static moment expected_moment(trial *t, const moment *now)
{
    moment expected = *now;
    for (unsigned i = 0; i < t->h->schema.count; i++)
        if (t->in_neighbour >> i & 1)
            expected.tables[i] = t->then.tables[i];
    return expected;
}

static void check_differences(trial *t, const moment *now)
{
    bo_error err = {0};
    bo_verification *found = NULL;
    bo_status st =
        bo_verify(t->session, &t->database, t->neighbour, BO_AGAINST_BEFORE, &found, &err);
    trial_ok(t, st == BO_MISMATCH ? BO_OK : st, &err, "verify the other point");
    for (size_t i = 0; i < found->table_count; i++) {
        const bo_verify_table *table = &found->tables[i];
        int at = model_table(&t->h->schema, table->name);
        uint64_t count = model_differences(&t->h->schema, (unsigned)at, &t->then, now, t->arena);
        trial_expect(t, table->difference_count == count,
            "verify of the other point finds %u differences in %s (%s), and there are %u",
            (unsigned)table->difference_count, table->name, table->result, (unsigned)count);
    }
    bo_verification_free(found);
}

void neighbour_return(trial *t)
{
    bo_error err = {0};
    bo_rollback *report = NULL;
    const schema *s = &t->h->schema;
    const bo_rollback_options how = {.type = BO_ROLLBACK_FULL, .discard_later = true};
    if (!t->neighbour[0])
        return;
    const moment now = players_moment(t);
    check_differences(t, &now);
    trial_note(t, "-- backout execute of the other point --type full --discard-later");
    bo_status st = bo_rollback_execute(t->session, &t->database, t->neighbour, &how, &report, &err);
    trial_note(t, "-- %s %s: %s", bo_status_name(st), report ? report->status : "", err.text);
    const moment found = players_moment(t), all = expected_moment(t, &now);
    bool stirred = s->engine == ON_MARIADB && (s->stirred || s->unsettled);
    bool sound = !moment_violation(s, &now, t->arena)[0] && !moment_violation(s, &all, t->arena)[0];
    const moment *expected = st == BO_OK ? &all : &now;
    const char *difference = moment_difference(s, expected, &found, t->arena);
    trial_expect(t, st == BO_OK || stirred || !sound || trial_is_documented(t, st, &err),
        "the rollback to the other point ends with %s: %s", bo_status_name(st), err.text);
    trial_expect(t, difference[0] == 0 || stirred,
        "the other point is returned to, and the rows are not as they were:\n%s", difference);
    bo_rollback_free(report);
}
