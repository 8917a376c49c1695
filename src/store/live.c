/* SPDX-License-Identifier: Apache-2.0 */
/* src/store/live.c - the runs that this process is at work on, in one list behind a lock. */
#include "store/live.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct live {
    struct live *next;
    const bo_catalog *catalog;
    bool pending; /* the transaction that records it is open */
    char run[64];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct live *first; /* under lock */

static void hold(void)
{
    pthread_mutex_lock(&lock);
}

static void let_go(void)
{
    pthread_mutex_unlock(&lock);
}

/* No other thread may hold the lock while this one forks: in the child it would stay held. */
static void survive_fork(void)
{
    (void)pthread_atfork(hold, let_go, let_go);
}

bool bo_live_add(const bo_catalog *catalog, const char *run)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, survive_fork);
    struct live *live = calloc(1, sizeof *live);
    if (!live)
        return false;
    live->catalog = catalog;
    live->pending = true;
    (void)snprintf(live->run, sizeof live->run, "%s", run);
    hold();
    live->next = first;
    first = live;
    let_go();
    return true;
}

/* NULL: of any catalog, any run. */
static void remove_those(const bo_catalog *catalog, const char *run, bool only_pending)
{
    hold();
    for (struct live **at = &first; *at;) {
        struct live *live = *at;
        if ((catalog && live->catalog != catalog) || (run && strcmp(live->run, run) != 0) ||
            (only_pending && !live->pending)) {
            at = &live->next;
            continue;
        }
        *at = live->next;
        free(live);
    }
    let_go();
}

void bo_live_settle(const bo_catalog *catalog, bool kept)
{
    if (!kept) {
        remove_those(catalog, NULL, true);
        return;
    }
    hold();
    for (struct live *live = first; live; live = live->next)
        if (live->catalog == catalog)
            live->pending = false;
    let_go();
}

void bo_live_remove(const char *run)
{
    remove_those(NULL, run, false);
}

void bo_live_remove_all(const bo_catalog *catalog)
{
    remove_those(catalog, NULL, false);
}

bool bo_live_has(const char *run)
{
    hold();
    const struct live *live = first;
    while (live && strcmp(live->run, run) != 0)
        live = live->next;
    let_go();
    return live != NULL;
}

void bo_live_list(bo_buf *out)
{
    hold();
    for (const struct live *live = first; live; live = live->next)
        bo_buf_add(out, live->run, strlen(live->run) + 1);
    let_go();
}
