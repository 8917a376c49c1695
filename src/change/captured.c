/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/captured.c - what the record of a point says of its capture. */
#include "change/captured.h"

#include <string.h>

#include "change/journal.h"

static bool any_captured(const json_t *details)
{
    const json_t *tables = json_object_get(details, "tables");
    for (size_t i = 0; i < json_array_size(tables); i++)
        if (json_is_true(json_object_get(json_array_get(tables, i), "captured")))
            return true;
    return false;
}

bool bo_point_is_released(const bo_point_record *point)
{
    BO_OWN(json_ref) *details = json_loads(point->details, 0, NULL);
    return json_object_get(details, "released_us") != NULL;
}

bool bo_point_is_captured_elsewhere(const bo_point_record *point)
{
    BO_OWN(json_ref) *details = json_loads(point->details, 0, NULL);
    return json_is_true(json_object_get(details, BO_CAPTURE_ELSEWHERE));
}

bool bo_point_was_captured(const bo_point_record *point)
{
    if (strcmp(point->method, bo_method_name(BO_METHOD_SNAPSHOT)) == 0)
        return false;
    BO_OWN(json_ref) *details = json_loads(point->details, 0, NULL);
    return !json_object_get(details, "tables") || any_captured(details);
}

bool bo_point_captures(const bo_point_record *point)
{
    return bo_point_was_captured(point) && !bo_point_is_released(point) &&
           !bo_point_is_captured_elsewhere(point);
}
