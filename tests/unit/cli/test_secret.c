/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/cli/test_secret.c - passwords: found in URLs, taken from commands and files. */
#include "cli/secret.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/unit.h"

static void urls_with_a_password_are_known(void **state)
{
    (void)state;
    assert_true(cli_url_has_password("postgresql://u:p@h/d"));
    assert_true(cli_url_has_password("postgres://u:p%40@h:5432/d?x=y"));
    assert_true(cli_url_has_password("postgresql://h/d?user=u&password=p"));
    assert_true(cli_url_has_password("host=h password = p"));
    assert_true(cli_url_has_password("mariadb://u:p@h/d"));
    assert_true(cli_url_has_password("postgresql://u:p?q@h/d"));
    assert_true(cli_url_has_password("postgresql://u:#@h/d"));
}

static void urls_without_a_password_are_known(void **state)
{
    (void)state;
    assert_false(cli_url_has_password("postgresql://u@h:5432/d"));
    assert_false(cli_url_has_password("postgresql://u:@h/d"));
    assert_false(cli_url_has_password("postgresql:///d?host=/tmp:1"));
    assert_false(cli_url_has_password("postgresql://[::1]:5432/d"));
    assert_false(cli_url_has_password("sqlite:/a:b@c.db"));
    assert_false(cli_url_has_password("a/password.db"));
    assert_false(cli_url_has_password("host=h dbname=d passfile=/f"));
}

static void a_command_gives_its_output_without_the_line_end(void **state)
{
    (void)state;
    bo_error err = {0};
    BO_OWN(cli_secret) *secret = NULL;
    assert_int_equal(cli_secret_command("printf ' a b\\n'", "the password", &secret, &err), BO_OK);
    assert_string_equal(cli_secret_text(secret), " a b");
}

static void a_command_that_fails_or_says_nothing_is_an_error(void **state)
{
    (void)state;
    bo_error err = {0};
    cli_secret *secret = NULL;
    assert_int_equal(
        cli_secret_command("echo x; exit 3", "the password", &secret, &err), BO_FAILED);
    assert_string_equal(err.text, "the command for the password failed with exit code 3");
    assert_int_equal(cli_secret_command("true", "the password", &secret, &err), BO_INVALID);
    assert_string_equal(err.text, "the password is empty");
    assert_int_equal(
        cli_secret_command("head -c 5000 /dev/zero | tr '\\0' x", "the password", &secret, &err),
        BO_INVALID);
    assert_null(secret);
}

static void a_file_that_others_can_read_is_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/backout-secret-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "pw\n", 3), 3);
    assert_int_equal(close(fd), 0);
    bo_error err = {0};
    BO_OWN(cli_secret) *secret = NULL;
    assert_int_equal(cli_secret_file(path, "the password", &secret, &err), BO_OK);
    assert_string_equal(cli_secret_text(secret), "pw");
    cli_secret *none = NULL;
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(cli_secret_file(path, "the password", &none, &err), BO_DENIED);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(cli_secret_file(path, "the password", &none, &err), BO_NOTFOUND);
    assert_null(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_with_a_password_are_known),
        cmocka_unit_test(urls_without_a_password_are_known),
        cmocka_unit_test(a_command_gives_its_output_without_the_line_end),
        cmocka_unit_test(a_command_that_fails_or_says_nothing_is_an_error),
        cmocka_unit_test(a_file_that_others_can_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
