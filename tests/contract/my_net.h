/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/contract/my_net.h - eight tables in a net of foreign keys that carry changes on, and writes
 * over it at random.
 */
#ifndef BO_TESTS_CONTRACT_MY_NET_H
#define BO_TESTS_CONTRACT_MY_NET_H

#include "contract/contract.h"

enum { NET_TABLES = 8 };
#define NET PG_NAMES("a", "b", "c", "d", "e", "f", "g", "h")

/** The tables, with rows in them. */
void net_make(contract_world *w);
/** One statement; that the engine refuses it is part of the game. */
void net_write(bo_conn *conn, unsigned *seed);

#endif
