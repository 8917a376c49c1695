/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/cli/test_progress.c - what a terminal, a file and a script see of a long operation. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/progress.h"
#include "support/unit.h"

enum { TEXT_MAX = 4096 };

/* Another standard error, whose other end is read. */
typedef struct screen {
    int kept, reading;
} screen;

static screen show_on(int writing, int reading)
{
    screen s = {dup(STDERR_FILENO), reading};
    assert_true(s.kept >= 0);
    assert_true(dup2(writing, STDERR_FILENO) >= 0);
    (void)close(writing);
    return s;
}

static screen open_terminal(void)
{
    int ours = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(ours >= 0);
    assert_int_equal(grantpt(ours), 0);
    assert_int_equal(unlockpt(ours), 0);
    int theirs = open(ptsname(ours), O_RDWR | O_NOCTTY);
    assert_true(theirs >= 0);
    return show_on(theirs, ours);
}

static screen open_pipe(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    return show_on(ends[1], ends[0]);
}

/* What was shown; a dot at the end, so that there is always something to read. */
static const char *read_screen(screen *s)
{
    static char text[TEXT_MAX];
    size_t size = 0;
    (void)fputs(".", stderr);
    (void)fflush(stderr);
    do {
        ssize_t more = read(s->reading, text + size, sizeof text - 1 - size);
        assert_true(more > 0);
        size += (size_t)more;
    } while (text[size - 1] != '.' || (size > 1 && text[size - 2] == '.'));
    text[size - 1] = '\0';
    assert_true(dup2(s->kept, STDERR_FILENO) >= 0);
    (void)close(s->kept);
    (void)close(s->reading);
    return text;
}

static const bo_progress quarter = {
    .operation = "snapshot", .table = "orders", .done = 250, .total = 1000, .seconds = 10};

static void a_terminal_shows_a_bar_and_what_is_left_and_clears_it(void **state)
{
    (void)state;
    cli self = {.output = CLI_OUTPUT_TEXT};
    screen s = open_terminal();
    cli_progress(&self, &quarter);
    cli_progress_end();
    cli_progress_end(); /* there is nothing to clear any more */
    assert_string_equal(read_screen(&s),
        "\r\033[Ksnapshot orders  [######..................]  25%  250 of 1000 rows  25 rows/s"
        "  0:30 left\r\033[K");
}

static void what_is_short_or_quiet_shows_nothing(void **state)
{
    (void)state;
    cli self = {.output = CLI_OUTPUT_TEXT};
    bo_progress soon = quarter;
    soon.seconds = 0.1;
    screen s = open_terminal();
    cli_progress(&self, &soon);
    self.quiet = true;
    cli_progress(&self, &quarter);
    cli_progress_end();
    assert_string_equal(read_screen(&s), "");
}

static void an_estimate_that_was_too_low_is_left_out(void **state)
{
    (void)state;
    cli self = {.output = CLI_OUTPUT_TEXT};
    const bo_progress more = {
        .operation = "diff", .table = "a\x1b[2J", .done = 50, .total = 40, .seconds = 5};
    screen s = open_terminal();
    cli_progress(&self, &more);
    cli_progress_end();
    const char *text = read_screen(&s);
    assert_non_null(strstr(text, "  50 rows  10 rows/s\r"));
    assert_null(strstr(text, "\x1b[2J")); /* a name is no command to the terminal */
}

static void a_file_gets_a_line_now_and_then(void **state)
{
    (void)state;
    cli self = {.output = CLI_OUTPUT_TEXT};
    screen s = open_pipe();
    cli_progress(&self, &quarter);
    cli_progress(&self, &quarter); /* too soon after the first */
    cli_progress_end();
    assert_string_equal(
        read_screen(&s), "snapshot orders  250 of 1000 rows  25 rows/s  0:30 left\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_gets_a_line_now_and_then),
        cmocka_unit_test(a_terminal_shows_a_bar_and_what_is_left_and_clears_it),
        cmocka_unit_test(what_is_short_or_quiet_shows_nothing),
        cmocka_unit_test(an_estimate_that_was_too_low_is_left_out),
    };
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
