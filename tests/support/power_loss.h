/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/support/power_loss.h - what is left of a folder when the power is cut.
 *
 * It learns from fault_files.h what the process does below the folder.  What was there when it
 * began, and what was followed by an fsync() of the file or, for an entry, of the folder that it is
 * in, is kept; all else is as the disk happened to have it:
 *
 *     bytes       written since the last fsync() of the file: none, a beginning of them, or some of
 *                 their 512-byte sectors
 *     entries     made, renamed or removed since the last fsync() of the folder: none or some; a
 *                 rename within one folder is done or not done
 *
 * Nothing is taken for granted that POSIX does not promise, except that a write harms no byte
 * beside it and that a rename replaces at once: SQLite counts on the same.  So its files take part,
 * but for the -shm of WAL, which is mapped, and which it makes anew when no process has it.
 */
#ifndef BO_TESTS_POWER_LOSS_H
#define BO_TESTS_POWER_LOSS_H

typedef enum power_loss {
    LOSS_OF_ALL,     /* nothing that was not synced is there */
    LOSS_OF_BYTES,   /* entries are there, what was written is not */
    LOSS_OF_ENTRIES, /* the other way round */
    LOSS_OF_A_TAIL,  /* a beginning of each file's bytes and of the changes of entries */
    LOSS_OF_SECTORS, /* some sectors, some entries, some sizes */
    LOSSES
} power_loss;

/** Arms fault_files.h and begins with what is in `folder`.
 * @param before  called before each call that changes or syncs a file there; or NULL. */
void power_loss_begin(const char *folder, void (*before)(void));
/** What is synced below `folder` is not, from now on: a disk that lies. */
void power_loss_lies(const char *folder);
/** Makes the folder what is left of it; the process has to end then.  The same seed, the same rest.
 */
void power_loss_strike(power_loss how, unsigned seed);

#endif
