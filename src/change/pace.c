/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/pace.c - rates of earlier rollbacks: recorded with their runs, read for an estimate.
 */
#include "change/pace.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "change/session.h"

#define RUNS_READ 200u
#define RUNS_USED 10u   /* the newest ones */
#define ROWS_MIN  1000u /* with fewer, what does not grow with the rows is most of the time */

static const char *const steps[BO_PACE_PHASES] = {
    "planning", "protecting", "applying", "proving", "committing"};

void bo_pace_step(bo_pace *pace, const char *step)
{
    int64_t now = bo_clock_monotonic_us();
    if (pace->phase)
        pace->seconds[pace->phase - 1] += (double)(now - pace->since_us) / 1e6;
    pace->since_us = now;
    pace->phase = 0;
    for (int i = 0; i < BO_PACE_PHASES; i++)
        if (strcmp(steps[i], step) == 0)
            pace->phase = i + 1;
}

json_t *bo_pace_json(const bo_pace *pace, uint64_t rows)
{
    json_t *json = json_pack("{s:I}", "rows", (json_int_t)rows);
    for (int i = 0; json && i < BO_PACE_PHASES; i++) {
        if (json_object_set_new(json, steps[i], json_real(pace->seconds[i])) != 0) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

/* False: the run says nothing that an estimate could use. */
static bool read_run(const bo_run_record *run, const char *server, double *rows, double *seconds)
{
    if (strcmp(run->kind, "rollback") != 0 || strcmp(run->status, "done") != 0 || !run->details)
        return false;
    BO_OWN(json_ref) *details = json_loads(run->details, 0, NULL);
    const char *where = json_string_value(json_object_get(details, "server"));
    const json_t *pace = json_object_get(details, "pace");
    json_int_t count = json_integer_value(json_object_get(pace, "rows"));
    if (!where || strcmp(where, server) != 0 || count < (json_int_t)ROWS_MIN)
        return false;
    double sum = 0;
    for (int i = BO_PACE_PROTECT; i < BO_PACE_PHASES; i++)
        sum += json_number_value(json_object_get(pace, steps[i]));
    if (!isfinite(sum) || sum <= 0)
        return false;
    *rows += (double)count;
    *seconds += sum;
    return true;
}

double bo_pace_estimate(
    struct bo_session *session, const char *server, uint64_t rows, unsigned *runs_out)
{
    *runs_out = 0;
    BO_OWN(bo_arena) *arena = bo_arena_create();
    bo_run_record *runs = NULL;
    size_t count = 0;
    bo_error ignored = {0};
    if (!arena ||
        bo_catalog_runs(session->catalog, NULL, RUNS_READ, arena, &runs, &count, &ignored) != BO_OK)
        return 0;
    double done = 0, seconds = 0;
    for (size_t i = 0; i < count && *runs_out < RUNS_USED; i++)
        *runs_out += read_run(&runs[i], server, &done, &seconds);
    return *runs_out ? seconds / done * (double)rows : 0;
}
