/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/unsettled.c - what the catalog's record of a run tells of its outcome. */
#include "change/unsettled.h"

#include <string.h>

#include "change/session.h"

bool bo_run_undoes(const bo_run_record *run)
{
    return strcmp(run->kind, "rollback") == 0 || strcmp(run->kind, "restore") == 0;
}

bool bo_run_is_unsettled(const bo_run_record *run)
{
    if (!bo_run_undoes(run))
        return false;
    if (strcmp(run->status, "running") == 0)
        return bo_run_is_dead(run);
    return strcmp(run->status, "died") == 0 || strcmp(run->status, "unknown") == 0;
}

bool bo_run_has_marker(const bo_run_record *run, const char *marker)
{
    if (!bo_run_undoes(run))
        return false;
    BO_OWN(json_ref) *details = json_loads(run->details ? run->details : "{}", 0, NULL);
    const char *own = json_string_value(json_object_get(details, "undo_point"));
    return own && strcmp(own, marker) == 0;
}
