/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_proxy.c - the network fails at messages to and from the server: it resets links,
 * half-closes them, falls silent, or slows down. */
#include "fault/sweep.h"

#define TO_US     .way = PROXY_TO_CLIENT
#define TO_SERVER .way = PROXY_TO_SERVER
#define COMMIT    .harm = PROXY_CUT, TO_SERVER, .commits = true

static const proxy_plan answer_cut = {.harm = PROXY_CUT, TO_US};
static const proxy_plan question_cut = {.harm = PROXY_CUT, TO_SERVER};
static const proxy_plan gone = {.harm = PROXY_CUT, TO_US, .all = true};
static const proxy_plan answer_ends = {.harm = PROXY_HALF_CLOSE, TO_US};
static const proxy_plan question_ends = {.harm = PROXY_HALF_CLOSE, TO_SERVER};
static const proxy_plan silence = {.harm = PROXY_SILENCE, TO_US};
static const proxy_plan unheard = {.harm = PROXY_SILENCE, TO_SERVER};
static const proxy_plan all_silent = {.harm = PROXY_SILENCE, TO_US, .all = true};
static const proxy_plan missed = {COMMIT};
static const proxy_plan unanswered = {COMMIT, .answered = true};
static const proxy_plan missed_for_good = {COMMIT, .all = true};
static const proxy_plan unanswered_for_good = {COMMIT, .answered = true, .all = true};

/* What prunes finds the database by the URL in the catalog, which knows of no proxy. */
#define NETWORK  .kind = FAULT_NETWORK, .engines = ON_SERVERS, .skip = "prune of one"
#define COMMITS  .kind = FAULT_NETWORK, .only = "partial", .engines = ON_SERVERS, CAPTURED
#define CAPTURED .methods = BY(BO_METHOD_CAPTURE)
#define ONE      CAPTURED, .only = "partial"
#define SHARED                                                                               \
    .kind = FAULT_NETWORK, .engines = ON(WORLD_POSTGRES), .shared = true, .only = "partial", \
    .methods = BY(BO_METHOD_CAPTURE), .stride = 151, .full_stride = 5
#define ALL .methods = BY_EITHER, .full = true, .full_stride = 3
/* What only reads commits nothing, and tables and triggers commit by themselves in MariaDB. */
#define STORED                                                                                     \
    .kind = FAULT_NETWORK, .engines = ON_SERVERS, .methods = BY(BO_METHOD_SNAPSHOT), .full = true, \
    .skip = "prune of one,verify,point,seal"
#define CAPTURED_PG                                                               \
    .kind = FAULT_NETWORK, .engines = ON(WORLD_POSTGRES), CAPTURED, .full = true, \
    .skip = "prune of one,verify,seal"
#define CAPTURED_MY                                                              \
    .kind = FAULT_NETWORK, .engines = ON(WORLD_MARIADB), CAPTURED, .full = true, \
    .skip = "prune of one,verify,seal,point,second point,release,release of one,doctor"
#define SLOW .methods = BY_EITHER, .full = true, .full_stride = 29

static const sweep sweeps[] = {
    {NETWORK, CAPTURED, .network = &answer_cut, .name = "an answer is cut in",
        .only = "run,partial,release", .stride = 131},
    {NETWORK, CAPTURED, .network = &question_cut, .name = "a question is cut in",
        .only = "point,partial,by user", .stride = 131},
    {NETWORK, CAPTURED, .network = &gone, .name = "the network goes in", .only = "run,partial",
        .stride = 131},
    {NETWORK, ONE, .network = &answer_ends, .name = "nothing more comes to us in", .stride = 127},
    {NETWORK, ONE, .network = &question_ends, .name = "nothing more leaves us in", .stride = 127},
    {NETWORK, ONE, .network = &silence, .name = "the server falls silent in", .stride = 131,
        .full_stride = 7},
    {NETWORK, ONE, .network = &unheard, .name = "the server hears nothing in", .dense = 3,
        .stride = 193, .full_stride = 7},
    {NETWORK, ONE, .network = &all_silent, .name = "the network falls silent in", .stride = 193,
        .full_stride = 7},
    {COMMITS, .network = &missed, .name = "a commit does not arrive in"},
    {COMMITS, .network = &unanswered, .name = "the answer to a commit is lost in"},
    {COMMITS, .network = &missed_for_good, .name = "no commit arrives in"},
    {COMMITS, .network = &unanswered_for_good, .name = "all is lost after a commit in"},
    {SHARED, .network = &answer_cut, .name = "with a shared catalog, an answer is cut in"},
    {SHARED, .network = &gone, .name = "with a shared catalog, the network goes in"},

    {NETWORK, ALL, .network = &answer_cut, .name = "an answer is cut in"},
    {NETWORK, ALL, .network = &question_cut, .name = "a question is cut in"},
    {NETWORK, ALL, .network = &gone, .name = "the network goes in"},
    {NETWORK, SLOW, .network = &answer_ends, .name = "nothing more comes to us in"},
    {NETWORK, SLOW, .network = &question_ends, .name = "nothing more leaves us in"},
    {NETWORK, SLOW, .network = &silence, .name = "the server falls silent in"},
    {NETWORK, SLOW, .network = &unheard, .name = "the server hears nothing in"},
    {NETWORK, SLOW, .network = &all_silent, .name = "the network falls silent in"},
    {STORED, .network = &missed, .name = "a commit does not arrive in"},
    {CAPTURED_PG, .network = &missed, .name = "a commit does not arrive in"},
    {CAPTURED_MY, .network = &missed, .name = "a commit does not arrive in"},
    {STORED, .network = &unanswered, .name = "the answer to a commit is lost in"},
    {CAPTURED_PG, .network = &unanswered, .name = "the answer to a commit is lost in"},
    {CAPTURED_MY, .network = &unanswered, .name = "the answer to a commit is lost in"},
    {STORED, .network = &missed_for_good, .name = "no commit arrives in"},
    {CAPTURED_PG, .network = &missed_for_good, .name = "no commit arrives in"},
    {CAPTURED_MY, .network = &missed_for_good, .name = "no commit arrives in"},
    {STORED, .network = &unanswered_for_good, .name = "all is lost after a commit in"},
    {CAPTURED_PG, .network = &unanswered_for_good, .name = "all is lost after a commit in"},
    {CAPTURED_MY, .network = &unanswered_for_good, .name = "all is lost after a commit in"},
};

int main(int argc, char **argv)
{
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
