/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_proxy.c - the network fails at every message to and from the server. */
#include "fault/sweep.h"

static const proxy_plan cut_answer = {.harm = PROXY_CUT, .way = PROXY_TO_CLIENT};
static const proxy_plan cut_question = {.harm = PROXY_CUT, .way = PROXY_TO_SERVER};
static const proxy_plan gone = {.harm = PROXY_CUT, .way = PROXY_TO_CLIENT, .all = true};
static const proxy_plan half_answer = {.harm = PROXY_HALF_CLOSE, .way = PROXY_TO_CLIENT};
static const proxy_plan half_question = {.harm = PROXY_HALF_CLOSE, .way = PROXY_TO_SERVER};
static const proxy_plan missed = {.harm = PROXY_CUT, .way = PROXY_TO_SERVER, .commits = true};
static const proxy_plan answered = {
    .harm = PROXY_CUT, .way = PROXY_TO_SERVER, .commits = true, .answered = true};
static const proxy_plan missed_for_good = {
    .harm = PROXY_CUT, .way = PROXY_TO_SERVER, .commits = true, .all = true};
static const proxy_plan answered_for_good = {
    .harm = PROXY_CUT, .way = PROXY_TO_SERVER, .commits = true, .answered = true, .all = true};

#define NETWORK .kind = FAULT_NETWORK, .engines = ON_SERVERS
#define SAMPLE  .methods = BY_EITHER

int main(int argc, char **argv)
{
    static const sweep sweeps[] = {
        {NETWORK, SAMPLE, .network = &cut_answer, .name = "an answer is cut in", .stride = 31},
        {NETWORK, SAMPLE, .network = &cut_question, .name = "a question is cut in", .stride = 31},
        {NETWORK, SAMPLE, .network = &gone, .name = "the network goes during", .stride = 31},
        {NETWORK, SAMPLE, .network = &half_answer, .name = "half a link ends to us in",
            .stride = 31},
        {NETWORK, SAMPLE, .network = &half_question, .name = "half a link ends to the server in",
            .stride = 31},
        {NETWORK, SAMPLE, .network = &missed, .name = "a commit does not arrive in",
            .skip = "verify"},
        {NETWORK, SAMPLE, .network = &answered, .name = "the answer to a commit does not arrive in",
            .skip = "verify"},
        {NETWORK, SAMPLE, .network = &missed_for_good, .name = "no commit arrives in",
            .skip = "verify"},
        {NETWORK, SAMPLE, .network = &answered_for_good,
            .name = "nothing arrives after a commit in", .skip = "verify"},
    };
    return sweep_run(sweeps, sizeof sweeps / sizeof *sweeps, argc > 1 ? argv[1] : NULL);
}
