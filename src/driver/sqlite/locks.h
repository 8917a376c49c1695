/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/sqlite/locks.h - which other processes have the files of a database, as the system
 * knows it: proc(5). */
#ifndef BO_DRIVER_SQLITE_LOCKS_H
#define BO_DRIVER_SQLITE_LOCKS_H

#include <stdbool.h>

#include "base/buf.h"

/** Adds "\nit is held by process 4711 (sqlite3) of ann, running since ..." for who keeps others
 * from the database at `path`; nothing where that is not known. */
void sq_locks_holder(const char *path, bo_buf *out);

/**
 * True when another process has the file of the database at `path`, which is in WAL mode, but not
 * its -wal: it came by another name (a hard link, a file that is mounted by itself) and has a -wal
 * there, or the -wal was removed under it.  Adds "process 4711 (...) ... as '/other/name'".
 */
bool sq_locks_stranger(const char *path, bo_buf *out);

#endif
