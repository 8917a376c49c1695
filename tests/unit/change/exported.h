/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/change/exported.h - what is exported, and psql and sqlite3 to run it. */
#ifndef BO_TESTS_CHANGE_EXPORTED_H
#define BO_TESTS_CHANGE_EXPORTED_H

#include "world.h"

#include "backout/export.h"

/** A table with awkward names and every awkward value; `change_hostile` does all kinds of changes
 * to all tables. */
void hostile_set_up(world *w);
void hostile_change(world *w);
bool on_postgres(const world *w);

/** Texts of the calls, which must succeed; in the world's arena. */
const char *exported(world *w, const char *id, bo_export_format format, bo_export_which which);
const char *scripted(world *w, const char *id);
/** Runs SQL with psql or sqlite3 on the shop; the exit status.  What they say is in *said_out. */
int run_shell(world *w, const char *sql, const char **said_out);
/** bo_verify() says match. */
bool verifies(world *w, const char *id, bo_against against);

#endif
