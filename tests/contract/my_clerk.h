/* SPDX-License-Identifier: Apache-2.0 */
/* tests/contract/my_clerk.h - MariaDB: a user with few rights. */
#ifndef BO_TESTS_CONTRACT_MY_CLERK_H
#define BO_TESTS_CONTRACT_MY_CLERK_H

#include "contract/contract.h"

/** The program runs as a superuser, not as a role that owns one schema. */
bool my_is_super(const contract_world *w);

/** A session of a user of this test's own, who has these rights in its database and, unless
 * `everywhere` is NULL, those on all of the server.  Only a superuser can make it. */
bo_conn *my_clerk_connect(contract_world *w, const char *rights, const char *everywhere);
void my_clerk_drop(contract_world *w, bo_conn *conn);

#endif
