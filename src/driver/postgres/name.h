/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/postgres/name.h - names of tables as users write them. */
#ifndef BO_DRIVER_POSTGRES_NAME_H
#define BO_DRIVER_POSTGRES_NAME_H

#include "base/buf.h"

/** A name taken apart, as the catalogs spell it; `{ 0 }` is empty. */
typedef struct pg_name {
    char *schema; /* or NULL */
    char *local;
} pg_name;

void pg_name_done(pg_name *name);

/**
 * Takes "t", "s.t" and quoted parts apart the way SQL does: what is not quoted is folded to lower
 * case.  A text that is no such name ("odd name") is taken as it is, as the name of a table.
 */
bo_status pg_name_parse(const char *text, pg_name *out, bo_error *err);

#endif
