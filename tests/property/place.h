/* SPDX-License-Identifier: Apache-2.0 */
/* tests/property/place.h - a database that histories take place in, one after the other. */
#ifndef BO_TESTS_PROPERTY_PLACE_H
#define BO_TESTS_PROPERTY_PLACE_H

#include "property/schema.h"

typedef struct place {
    engine engine;
    char folder[64];  /* everything that is on disk */
    char name[64];    /* of the database, on a server */
    char url[2][512]; /* as the superuser; as the user that owns the database */
} place;

/** False: there is no server for the engine. */
bool place_open(place *p, engine on);
void place_close(place *p);
/** Empties the database. */
bo_status place_empty(const place *p, bo_error *err);
/** A connection as an application has it.  `run` marks what it writes; or NULL. */
bo_status place_connect(
    const place *p, bool as_owner, const char *run, bo_conn **out, bo_error *err);
const char *place_engine(engine on);

#endif
