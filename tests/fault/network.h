/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/network.h - servers of the tests, reached by TCP through a proxy. */
#ifndef BO_TESTS_FAULT_NETWORK_H
#define BO_TESTS_FAULT_NETWORK_H

#include "support/proxy.h"
#include "unit/change/world.h"

/** Leads to the server's own socket, so that it sees the users that it always sees. */
proxy *network_proxy(world_engine engine, const proxy_plan *plan, volatile bool *harmed);
/** URL of the superuser through it, with more options (not empty). */
void network_url(world_engine engine, const proxy *through, const char *database,
    const char *options, char out[512]);

#endif
