/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_writers.c - two writers that never pause, while points are taken, changes run
 * and are rolled back in part. */
#include <unistd.h>

#include "fault/writers.h"

enum { CHECK_EVERY = 20, FEW_ROUNDS = 80 };

static void check_round(world *w, int round, bool by_column)
{
    char sql[300];
    (void)snprintf(sql, sizeof sql,
        "SELECT (SELECT count(*) FROM accounts WHERE id = %d) + (SELECT count(*) FROM accounts"
        " WHERE id = %d)",
        100000 + round, 50000 + round);
    assert_string_equal(world_value(w, sql), "1"); /* the added one is gone, the deleted one back */
    if (!by_column)
        return;
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM accounts WHERE flag = %d", round);
    assert_string_equal(world_value(w, sql), "0");
}

static void no_write_is_lost_or_doubled_beside_writers_that_never_pause(void **state)
{
    world *w = world_or_skip(state);
    const int rounds = at_full_length() ? BANK_ROUNDS : FEW_ROUNDS;
    bank_make(w);
    writers *beside = writers_start(w);
    const char *held = NULL; /* released a round later, so that points overlap */
    for (int round = 1; round < rounds; round++) {
        bool by_column = round % 2;
        const char *id = bank_change(w, round, round % 3 == 0 ? BO_METHOD_BOTH : BO_METHOD_CAPTURE);
        (void)usleep(5000); /* the writers write over some of it */
        bank_undo(w, id, NULL, by_column);
        check_round(w, round, by_column);
        if (held)
            bank_release(w, held);
        held = id;
        if (round % CHECK_EVERY == 0)
            bank_check(w, round);
    }
    bank_release(w, held);
    writers_stop(beside, w);
    bank_check(w, rounds);
    print_message("# sweep changes and rollbacks beside two writers on PostgreSQL: %d faults, %d "
                  "survived\n",
        rounds - 1, rounds - 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(
            no_write_is_lost_or_doubled_beside_writers_that_never_pause, world_set_up_postgres,
            world_tear_down, NULL),
    };
    (void)argc;
    (void)argv;
    return cmocka_run_group_tests_name("writers", tests, NULL, NULL);
}
