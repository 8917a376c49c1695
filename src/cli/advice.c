/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/advice.c - what a person can do about an error: the first row that fits. */
#include "cli/advice.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

#define ANY BO_OK /* any status */

#define STILL_REFERRED                                                                   \
    "rows that are not part of it refer to rows that go, or it refers to rows that are " \
    "gone: change those rows first, or name their tables with --tables as well"
#define NEEDED_FIRST                                                                      \
    "make first what the table needs (types, functions, collations): of a database that " \
    "has it, pg_dump --section=pre-data writes it"
#define NO_CONNECTION_LEFT "the server has no connection left: set workers: 1 in backout.yaml"

static const struct {
    bo_status status;
    const char *sqlstate; /* beginning of it, or NULL */
    const char *words;    /* somewhere in the text, or NULL */
    const char *advice;
} table[] = {
    {ANY, "28", "Access denied for user",
        "check user and password: [client] in ~/.my.cnf, or password_command in backout.yaml"},
    {ANY, "28", NULL,
        "check user and password: ~/.pgpass, PGPASSFILE, or password_command in backout.yaml"},
    {ANY, NULL, "password authentication failed",
        "check user and password: ~/.pgpass, PGPASSFILE, or password_command in backout.yaml"},
    {ANY, NULL, "no password supplied",
        "put the password into ~/.pgpass (mode 0600) or into password_command in backout.yaml"},
    {BO_DATABASE, NULL, "' to database '",
        "check the name of the database in the URL, and the rights"},
    {ANY, NULL, "Unknown database", "check the name of the database in the URL"},
    {ANY, NULL, "Can't connect to", "is the server running, and do host, port or socket fit?"},
    {ANY, NULL, "Unknown server host", "check the host in the URL, and the network"},
    {ANY, "3D000", NULL, "check the name of the database in the URL"},
    {BO_DATABASE, NULL, "' does not exist", "check the names of database and user in the URL"},
    {ANY, NULL, "could not translate host name", "check the host in the URL, and the network"},
    {ANY, NULL, "Connection refused",
        "is the server running, and do host and port of the URL fit?"},
    {BO_DATABASE, NULL, "failed: No such file or directory",
        "is the server running, and do host and port of the URL fit?"},
    {ANY, NULL, "max_allowed_packet", "raise max_allowed_packet of the server"},
    {ANY, "08", NULL, "check that the server can be reached, then try again"},
    {ANY, "57P0", NULL, "the server is stopping or starting: try again in a moment"},
    {ANY, "53300", NULL, NO_CONNECTION_LEFT},
    {ANY, NULL, "too many connections for",
        "no further connection is allowed: set workers: 1 in backout.yaml"},
    {ANY, NULL, "too many clients", NO_CONNECTION_LEFT},
    {ANY, NULL, "connection slots are reserved", NO_CONNECTION_LEFT},
    {ANY, NULL, "temp_file_limit", "raise temp_file_limit for the role, or give it more work_mem"},
    {ANY, "53100", NULL, "the disk of the database server is full: free space there"},
    {BO_CONFLICT, "23503", "cannot roll back to", STILL_REFERRED},
    {ANY, "42501", "row-level security policy",
        "connect as a role with BYPASSRLS, or as the owner of that table where its row security is "
        "not forced on the owner"},
    {ANY, "P0001", "cannot stage rows",
        "it may be an event trigger, which fires for the temporary tables of a rollback as well: "
        "ALTER EVENT TRIGGER NAME DISABLE for that time, or have it let tables of pg_temp pass"},
    {ANY, "P0001", "changes cannot be captured",
        "it may be an event trigger, which fires for what captures as well: ALTER EVENT TRIGGER "
        "NAME DISABLE for that time, or --method snapshot"},
    {ANY, "54011", NULL,
        "all of its rows can come back, and later ones go: backout restore ID --db DB"},
    {ANY, "42501", NULL, "ask the owner of the table for the right that is missing (GRANT)"},
    {BO_DATABASE, "42P01", NULL,
        "check the name of the table; 'schema.table' names another schema"},
    {BO_DATABASE, NULL, "no such table", "check the name of the table"},
    {ANY, NULL, "write the database file: see its log (disk I/O error): No space left",
        "free space on the disk of that file, then try again; where it is the catalog, a megabyte "
        "is enough for 'backout prune', which removes old points"},
    {ANY, NULL, "No space left",
        "free space, or name another folder with --repository; old "
        "points go with: backout prune"},
    {ANY, NULL, "Disk quota", "free space, or name another folder with --repository"},
    {ANY, NULL, "malformed database schema",
        "open it with the sqlite3 of the program that made it: if that reads it, backout needs the "
        "same library"},
    {ANY, NULL, "database disk image is malformed",
        "the SQLite file is damaged: copy it away before anything else, then try its own .recover"},
    {ANY, NULL, "file is not a database", "this is not a SQLite file, or it is encrypted"},
    {ANY, NULL, "could not implement recursive UNION",
        "rows that foreign keys tie into a ring are followed by types that can be hashed only: "
        "take "
        "the whole table with --tables, or --no-closure"},
    {ANY, "55P03", NULL,
        "another session holds a lock: wait for it, or raise lock_timeout in backout.yaml"},
    {BO_BUSY, NULL, "Lock wait timeout exceeded",
        "another session holds a lock: wait for it, or raise lock_timeout in backout.yaml"},
    {ANY, NULL, "database is locked",
        "another program is writing: wait for it, or raise lock_timeout in backout.yaml"},
    {ANY, "40001", NULL, "others wrote to the same rows meanwhile: try again"},
    {ANY, "40P01", NULL, "two sessions waited for each other: try again"},
    {BO_REFUSED, NULL, "ended when the point was released",
        "what the change did can still be undone: backout execute ID --type partial"},
    {BO_REFUSED, NULL, "was rolled back without a seal",
        "the tables as the point has them: backout verify ID, backout export ID --which before"},
    {ANY, NULL, "type partial undoes it without this file",
        "backout execute ID --type partial; backout check ID says what is still whole"},
    {BO_REFUSED, NULL, "has not its rows to make it again",
        "if it was renamed, rename it back, then try again"},
    {BO_REFUSED, NULL, "is not there, and only type full",
        "if it was renamed, rename it back; else type full makes it again: backout execute ID"},
    {BO_CONFLICT, NULL, "a foreign key of generated columns would be broken",
        "change the rows that refer first, or leave out with --where what they refer to; of an "
        "undo point in SQLite: --on-conflict replace"},
    {BO_REFUSED, NULL, "is not the one of the point",
        "rename both back, then try again; or put the rows into the table that has the name now, "
        "its own are kept first: backout restore ID --tables TABLE --db DB"},
    {BO_REFUSED, NULL, "and type partial makes none again",
        "if it was renamed, rename it back, or make it again, and type partial keeps later rows; "
        "--discard-later gives them up (they are exported first)"},
    {BO_REFUSED, NULL, "whose shape the change altered",
        "backout export ID --which before shows the rows that come back; --discard-later gives up "
        "those of now (they are exported first)"},
    {BO_REFUSED, NULL, "had changed its shape",
        "it can be undone as a whole only: backout assess ID, then backout execute ID --type full"},
    {BO_REFUSED, NULL, "and needs a value that the rows of",
        "give that column a default or drop it, then try again; backout backup TABLE --db DB keeps "
        "what is in it"},
    {BO_REFUSED, NULL, "do not fit the table as it is now",
        "alter the table back, then try again: a column that was renamed gets its name back, one "
        "that was dropped is added"},
    {BO_REFUSED, NULL, "again inside a transaction",
        "if it was renamed, rename it back; a table is made again by backout restore ID --tables "
        "TABLE --db DB, a column is added by hand, and its values come back"},
    {ANY, "3F000", "cannot make table '", "make the schema first: CREATE SCHEMA NAME"},
    {ANY, "42704", "cannot make table '", NEEDED_FIRST},
    {ANY, "42883", "cannot make table '", NEEDED_FIRST},
    {ANY, NULL, "cannot make table '",
        "if it was renamed, its keys and indexes still have the names that are needed: rename it "
        "back, then try again"},
    {ANY, NULL, "again without making the table anew",
        "if it was renamed, rename it back; if it was dropped: backout backup TABLE --db DB keeps "
        "the rows of now, then DROP TABLE, and backout execute ID --type backup --tables TABLE"},
    {BO_REFUSED, NULL, "changed its shape, and its rows at the point are not stored",
        "rename back what was renamed, or alter it back, then try again"},
    {ANY, NULL, "not sealed", "the change has no recorded end: backout point seal ID"},
    {BO_EXISTS, NULL, "sealed", "nothing is to be done: see backout details ID"},
    {BO_NOTFOUND, NULL, "there is no catalog at",
        "check --catalog, BACKOUT_CATALOG and backout.yaml; backout init, or the first point, "
        "makes "
        "one"},
    {BO_NOTFOUND, NULL, "no such table",
        "check the name of the table; 'schema.table' names another schema"},
    {BO_NOTFOUND, NULL, "the newest is the backup",
        "its tables as they were: backout restore latest --db DB"},
    {BO_NOTFOUND, NULL, "no such point", "list the points with: backout list --all"},
    {BO_NOTFOUND, NULL, "no rollback point", "list the points with: backout list --all"},
    {BO_NOTFOUND, NULL, "?mode=", "options need a URL: 'sqlite:FILE?mode=ro'"},
    {BO_NOTFOUND, NULL, "?foreign_keys=", "options need a URL: 'sqlite:FILE?foreign_keys=on'"},
    {BO_NOTFOUND, NULL, "no database file", "check the path, or the name in backout.yaml"},
    {BO_NOTFOUND, NULL, "' is not in the ", "see which tables it has: backout details ID"},
    {BO_NOTFOUND, NULL, "cannot use '",
        "bring the file back from a copy of the repository, or name its folder with --repository"},
    {BO_NOTFOUND, NULL, "repository", "name the folder with --repository"},
    {ANY, NULL, "only who may write the catalog can read",
        "copy its folder to where you may write, and name the copy with --catalog"},
    {BO_DENIED, NULL, "belongs to another user",
        "work as its owner, or name another one: --catalog, --repository, --config"},
    {BO_DENIED, NULL, "belongs to somebody else",
        "work as its owner, or name another one: --catalog"},
    {BO_DENIED, NULL, "written by others", "chmod go-w, then try again"},
    {BO_DENIED, NULL, "others may write to the folder", "chmod go-w, then try again"},
    {BO_DENIED, NULL, "encrypted",
        "name the key: BACKOUT_KEY_FILE, BACKOUT_PASSPHRASE_FILE, or encryption in backout.yaml"},
    {BO_DENIED, NULL, "does not open it",
        "it is of another key or passphrase: look at what BACKOUT_KEY_FILE or "
        "BACKOUT_PASSPHRASE_FILE names, or else encryption in backout.yaml"},
    {BO_DENIED, NULL, "read by others", "chmod 600, then try again"},
    {BO_REFUSED, NULL, "a pooler (such as PgBouncer)",
        "connect to the server itself, or to a pool of sessions (PgBouncer: pool_mode = session) "
        "that has some left"},
    {BO_REFUSED, NULL, "the server is a replica: ", "name the primary with --db"},
    {BO_REFUSED, NULL, "server is read-only",
        "use the URL of the primary; on the primary itself: SET GLOBAL read_only = OFF"},
    {BO_CONFLICT, NULL, "changed since the change",
        "see them with: backout assess ID; then: backout execute ID --type partial --on-conflict "
        "skip|replace, or --by column"},
    {BO_CONFLICT, NULL, "which cannot be replaced",
        "--on-conflict skip leaves these rows as they are"},
    {BO_CONFLICT, NULL, "refer to rows that the snapshot does not have",
        "those rows have to go first, or their tables come back as well: see --tables"},
    {BO_CONFLICT, NULL, "refer to rows that are not there",
        "the tables that they refer to have to come back with them: see --tables"},
    {BO_CONFLICT, NULL, "are still referred to by rows of", STILL_REFERRED},
    {BO_CONFLICT, NULL, "a trigger refuses it",
        "in MariaDB triggers fire in a rollback, too: leave the table out with --tables, or drop "
        "the "
        "trigger and make it again afterwards"},
    {BO_REFUSED, NULL, "is not the database the point",
        "name its database with --db (backout details ID shows which it is); to replace all rows "
        "of another one, or of a file that was moved, by the point's: backout restore ID --db DB; "
        "to undo the change alone in a copy that took over: backout script ID --db DB"},
    {BO_REFUSED, NULL, "with tables of its own, and no catalog",
        "give --catalog a file of its own; the database that is worked on is named with --db"},
    {BO_REFUSED, NULL, "is open by another name",
        "end that program, or use the name that it uses: hard links and files that are mounted by "
        "themselves have a -wal each"},
    {BO_REFUSED, NULL, "was moved, replaced or removed after it was opened",
        "look whether the right file is there now, then try again"},
    {BO_REFUSED, NULL, "is a backup: it",
        "its tables as they were: backout execute ID, or backout restore ID --db DB"},
    {BO_REFUSED, NULL, "written after the backup",
        "to give later writes up: backout restore ID --db DB; the tables as they were become a "
        "point"},
    {BO_REFUSED, NULL, "written by others",
        "keep them with --type partial, or give them up with --discard-later (they are exported "
        "first)"},
    {BO_UNSUPPORTED, NULL, "a row before and after is larger than",
        "where the point has the rows of the table, they come back without a changeset: backout "
        "restore ID --db DB; the tables as they are now become a point"},
    {BO_UNSUPPORTED, NULL, "a row is larger than",
        "leave the table out: name the others with --tables"},
    {BO_UNSUPPORTED, NULL, "this version reads up to format",
        "it was written by a later version of backout, which reads it"},
    {BO_UNSUPPORTED, NULL, "the description of the pack ",
        "take a point of fewer tables: name them with --tables"},
    {BO_CORRUPT, NULL, ".snapshot'\ncannot read table '",
        "backout check ID says which tables are whole: backout restore ID --db DB --tables TABLE "
        "brings those back, and backout export ID --which readable gives rows of the others"},
    {BO_CORRUPT, NULL, NULL, "see what is still whole with: backout check ID"},
    {BO_BUSY, NULL, "writing to the catalog",
        "wait for the other work to end, then try again; lock_timeout in backout.yaml waits "
        "longer"},
    {BO_BUSY, NULL, NULL,
        "wait for the other work to end; backout details ID shows who it is, and lock_timeout in "
        "backout.yaml waits longer"},
    {BO_NOMEM, NULL, NULL, "set workers: 1 in backout.yaml, or take fewer tables"},
    {BO_UNKNOWN, NULL, NULL,
        "when the database can be reached again: backout details ID tells what happened"},
    {BO_INTERRUPTED, NULL, NULL, "backout list, then backout details ID, show where it stopped"},
};

static const char *find(const bo_error *err)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].status != ANY && table[i].status != err->status)
            continue;
        if (table[i].sqlstate &&
            strncmp(err->sqlstate, table[i].sqlstate, strlen(table[i].sqlstate)) != 0)
            continue;
        if (table[i].words && !bo_text_find(err->text, table[i].words))
            continue;
        return table[i].advice;
    }
    return NULL;
}

void cli_advice(bo_buf *out, const bo_error *err, const char *point)
{
    static const char placeholder[] = " ID";
    const size_t size = strlen(placeholder);
    const char *advice = find(err);
    if (!advice)
        return;
    for (const char *at = advice; point && (at = strstr(at, placeholder)); at += size) {
        if (bo_text_is_alnum(at[size]))
            continue;
        bo_buf_add(out, advice, (size_t)(at - advice) + 1);
        bo_buf_add_str(out, point);
        advice = at + size;
    }
    bo_buf_add_str(out, advice);
}
