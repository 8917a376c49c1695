/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/url.h - which file a URL means, and how to open it. */
#ifndef BO_DRIVER_SQLITE_URL_H
#define BO_DRIVER_SQLITE_URL_H

#include <stdbool.h>

#include "base/error.h"
#include "base/scope.h"

typedef struct sq_url {
    char *path; /* never one that SQLite would take for something else than a file */
    bool read_only;
    bool foreign_keys;
} sq_url;

/**
 * A plain path is taken as it is.  `sqlite:PATH[?OPTIONS]` is too, up to the last '?';
 * `file:PATH[?OPTIONS]` has %XX decoded.  Both may have `//` and an empty host or `localhost`
 * before an absolute path.  OPTIONS, separated by '&': mode=ro, mode=rw, foreign_keys=on,
 * foreign_keys=off.
 *
 * @retval BO_INVALID  no path, a host, a broken %XX or an unknown option.
 */
bo_status sq_url_parse(const char *url, sq_url **out, bo_error *err);
void sq_url_free(sq_url *url);
BO_DEFINE_SCOPE(sq_url);

#endif
