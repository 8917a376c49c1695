/* SPDX-License-Identifier: Apache-2.0 */
/* src/base/process.h - who a run's process is, so that its death is noticed and never guessed. */
#ifndef BO_BASE_PROCESS_H
#define BO_BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct bo_process {
    char host[128];
    int64_t pid;
    char identity[128]; /* "<boot id>/<pid namespace>/<start time>"; "" where /proc is not there */
} bo_process;

void bo_process_self(bo_process *out);

typedef enum bo_process_state {
    BO_PROCESS_LIVES,
    BO_PROCESS_GONE,
    BO_PROCESS_UNSEEN, /* another host, another container, hidden: only a lease can tell */
} bo_process_state;
bo_process_state bo_process_look(const char *host, int64_t pid, const char *identity);

/** What anybody may know of a process of this host; "" and 0 where it is not known. */
typedef struct bo_process_facts {
    char command[64]; /* the program's name, without what it was given */
    char user[64];
    int64_t started_us;
} bo_process_facts;
void bo_process_describe(int64_t pid, bo_process_facts *out);

#endif
