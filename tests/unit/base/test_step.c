/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/base/test_step.c - interrupts and the hook of crash tests. */
#include "base/step.h"

#include <signal.h>

#include "support/unit.h"

static const char *seen;

static void remember(const char *name)
{
    seen = name;
}

static void on_signal(int number)
{
    (void)number;
    bo_interrupt();
}

static void a_step_without_a_hook_does_nothing(void **state)
{
    (void)state;
    bo_step_hook = NULL;
    bo_step("anything");
    assert_null(seen);
}

static void a_hook_hears_the_name_of_the_step(void **state)
{
    (void)state;
    bo_step_hook = remember;
    bo_step("rollback.applied");
    bo_step_hook = NULL;
    assert_string_equal(seen, "rollback.applied");
}

static void a_signal_asks_to_stop_until_it_is_cleared(void **state)
{
    (void)state;
    bo_error err = {0};
    assert_false(bo_interrupted());
    assert_int_equal(bo_interrupt_check(&err), BO_OK);
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    assert_true(bo_interrupted());
    assert_int_equal(bo_interrupt_check(&err), BO_INTERRUPTED);
    assert_int_equal(err.status, BO_INTERRUPTED);
    bo_interrupt_clear();
    assert_int_equal(bo_interrupt_check(NULL), BO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_without_a_hook_does_nothing),
        cmocka_unit_test(a_hook_hears_the_name_of_the_step),
        cmocka_unit_test(a_signal_asks_to_stop_until_it_is_cleared),
    };
    return cmocka_run_group_tests_name("base/step", tests, NULL, NULL);
}
