/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/folder.h - the files of a scene, kept and put back. */
#ifndef BO_TESTS_FAULT_FOLDER_H
#define BO_TESTS_FAULT_FOLDER_H

/** Makes `to` what `from` is: its folders and files with their rights and times, and nothing else.
 * A file named `kept` is written over and never replaced, for a database is recognised by its file;
 * where `from` has none, it stays as it is. */
void folder_copy(const char *from, const char *to, const char *kept);

#endif
