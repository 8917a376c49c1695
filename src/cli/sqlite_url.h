/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/sqlite_url.h - which file a SQLite URL names: sqlite:shop.db,
 * file:/folder/shop.db?mode=ro.
 */
#ifndef BO_CLI_SQLITE_URL_H
#define BO_CLI_SQLITE_URL_H

#include "base/buf.h"

/** Sets `out` to the path, decoded; false: no URL of a file.  Whether its options are known is for
 * the driver to say. */
bool cli_sqlite_url_path(const char *url, bo_buf *out);

#endif
