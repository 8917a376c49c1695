/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/driver/test_mariadb_url.c - mariadb:// URLs, taken apart. */
#include "support/unit.h"

#include <string.h>

#include "driver/mariadb/url.h"
#include "support/fault_memory.h"

static void same(const char *is, const char *wanted)
{
    if (!wanted)
        assert_null(is);
    else
        assert_string_equal(is ? is : "(nothing)", wanted);
}

static void a_url_is_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *user, *password, *host, *database, *socket;
        unsigned port;
    } cases[] = {
        {"mariadb://ann:pw@db.example:3307/shop", "ann", "pw", "db.example", "shop", NULL, 3307},
        {"mysql://db.example/shop", NULL, NULL, "db.example", "shop", NULL, 0},
        {"mariadb:///shop?socket=/run/my%20sql.sock", NULL, NULL, NULL, "shop", "/run/my sql.sock",
            0},
        {"mariadb://ann@localhost/shop?socket=/s&connect_timeout=3", "ann", NULL, "localhost",
            "shop", "/s", 0},
        {"mariadb://a%40b:p%3Aw%2F%3F@[::1]:3306/odd%2Fname", "a@b", "p:w/?", "::1", "odd/name",
            NULL, 3306},
        {"mariadb://ann:@h/shop", "ann", "", "h", "shop", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bo_error err = {0};
        BO_OWN(my_url) *url = NULL;
        if (my_url_parse(cases[i].text, &url, &err) != BO_OK)
            fail_msg("%s: %s", cases[i].text, err.text);
        same(url->user, cases[i].user);
        same(url->password, cases[i].password);
        same(url->host, cases[i].host);
        same(url->database, cases[i].database);
        same(url->socket, cases[i].socket);
        assert_int_equal(url->port, cases[i].port);
    }
}

static void a_url_that_is_none_is_refused_without_its_password(void **state)
{
    (void)state;
    static const char *const bad[] = {"mariadb:shop", "mariadb:x://h/shop",
        "mariadb://ann:s3cret@host", "mariadb://ann:s3cret@host/", "mariadb://ann:s3cret@host:0/db",
        "mariadb://ann:s3cret@host:99999/db", "mariadb://ann:s3cret@host:x/db",
        "mariadb://ann:s3c@ret@host/db", "mariadb://ann:s3cret/x@host/db",
        "mariadb://ann:s3cret%@host/db", "mariadb://ann:s3cret%00@host/db",
        "mariadb://ann@host/db?password=s3cret", "mariadb://ann@host/db/s3cret",
        "mariadb://ann@host/db?socket=/s", "mariadb://h/db?connect_timeout=x",
        "mariadb://h/db?link_timeout=0", "mariadb://h/db?ssl=off", "mariadb:///db?socket"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bo_error err = {0};
        BO_OWN(my_url) *url = NULL;
        if (my_url_parse(bad[i], &url, &err) != BO_INVALID)
            fail_msg("%s is taken", bad[i]);
        assert_null(url);
        assert_null(strstr(err.text, "s3c"));
    }
}

static void the_time_to_wait_is_said_in_seconds(void **state)
{
    (void)state;
    bo_error err = {0};
    BO_OWN(my_url) *url = NULL;
    assert_int_equal(
        my_url_parse("mariadb://h/db?link_timeout=90&connect_timeout=3", &url, &err), BO_OK);
    assert_int_equal(url->link_timeout_s, 90);
    assert_int_equal(url->connect_timeout_s, 3);
}

static void encryption_is_asked_for(void **state)
{
    (void)state;
    bo_error err = {0};
    BO_OWN(my_url) *url = NULL;
    assert_int_equal(my_url_parse("mariadb://h/db?ssl=on&ssl_ca=/etc/ca.pem", &url, &err), BO_OK);
    assert_true(url->ssl);
    assert_string_equal(url->ssl_ca, "/etc/ca.pem");
}

static void memory_that_runs_out_is_no_malformed_url(void **state)
{
    (void)state;
    unsigned nth = 0;
    bo_status st = BO_OK;
    do {
        bo_error err = {0};
        BO_OWN(my_url) *url = NULL;
        fault_memory_arm(++nth);
        st = my_url_parse("mariadb://ann:p%40w@h:1/shop?ssl_ca=/etc/ca.pem", &url, &err);
        if (st != BO_OK)
            assert_int_equal(st, BO_NOMEM);
    } while (fault_memory_fired());
    assert_int_equal(st, BO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_taken_apart),
        cmocka_unit_test(a_url_that_is_none_is_refused_without_its_password),
        cmocka_unit_test(the_time_to_wait_is_said_in_seconds),
        cmocka_unit_test(encryption_is_asked_for),
        cmocka_unit_test(memory_that_runs_out_is_no_malformed_url),
    };
    return cmocka_run_group_tests_name("mariadb_url", tests, NULL, NULL);
}
