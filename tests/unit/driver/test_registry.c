/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/driver/test_registry.c - which driver a URL is for, and what of it may be shown. */
#include "support/unit.h"

#include <string.h>

#include "driver/driver.h"

static void a_url_or_path_finds_its_driver(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const bo_driver *driver;
    } cases[] = {
        {"shop.db", &bo_driver_sqlite},
        {"./a:b.db", &bo_driver_sqlite},
        {"/abs/shop.db", &bo_driver_sqlite},
        {"sqlite:shop.db", &bo_driver_sqlite},
        {"sqlite:/abs/shop.db", &bo_driver_sqlite},
        {"file:///abs/shop.db", &bo_driver_sqlite},
        {"postgresql://host/db", &bo_driver_postgres},
        {"postgres:///db", &bo_driver_postgres},
        {"mariadb://ann@host:3306/db?socket=/run/x", &bo_driver_mariadb},
        {"mysql://host/db", &bo_driver_mariadb},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bo_error err = {0};
        const bo_driver *driver = NULL;
        assert_int_equal(bo_driver_find(cases[i].url, &driver, &err), BO_OK);
        assert_ptr_equal(driver, cases[i].driver);
    }
}

static void an_unknown_scheme_names_the_known_ones(void **state)
{
    (void)state;
    bo_error err = {0};
    const bo_driver *driver = NULL;
    assert_int_equal(bo_driver_find("oracle://host/db", &driver, &err), BO_INVALID);
    assert_null(driver);
    assert_non_null(strstr(err.text, "oracle"));
    assert_non_null(strstr(err.text, "sqlite"));
    assert_non_null(strstr(err.text, "postgresql"));
    assert_non_null(strstr(err.text, "mariadb"));
    assert_int_equal(bo_driver_find("", &driver, &err), BO_INVALID);
    /* what compares URLs would not know another spelling for the same database */
    assert_int_equal(bo_driver_find("MariaDB://host/db", &driver, &err), BO_INVALID);
    assert_int_equal(bo_driver_find("SQLite:/abs/shop.db", &driver, &err), BO_INVALID);
}

static void what_may_hold_a_password_is_not_repeated(void **state)
{
    (void)state;
    bo_error err = {0};
    const bo_driver *driver = NULL;
    assert_int_equal(bo_driver_find("host=h password=s3cret", &driver, &err), BO_INVALID);
    assert_null(strstr(err.text, "s3cret"));
    assert_int_equal(bo_driver_find("oracle://u:s3cret@h/db", &driver, &err), BO_INVALID);
    assert_null(strstr(err.text, "s3cret"));
}

static void a_redacted_url_has_no_secrets(void **state)
{
    (void)state;
    static const struct {
        const char *url, *shown;
    } cases[] = {
        {"postgresql://ann:s3cret@host:5432/db", "postgresql://ann@host:5432/db"},
        {"postgresql://ann:s3:c/r?e#t@host/db", "postgresql://ann@host/db"},
        {"postgresql://ann:a@b@host/db", "postgresql://ann@host/db"},
        {"postgresql://:s3cret@host/db", "postgresql://@host/db"},
        {"postgresql://ann@host/db", "postgresql://ann@host/db"},
        {"postgresql:///db?host=/tmp&password=s3cret&user=ann",
            "postgresql:///db?host=/tmp&user=ann"},
        {"postgresql:///db?sslpassword=s3cret", "postgresql:///db"},
        {"postgresql:///db?PASSWORD=s3cret&port=1", "postgresql:///db?port=1"},
        {"mariadb://ann:s3cret@host:3306/db", "mariadb://ann@host:3306/db"},
        {"mysql://ann:a@b/c?d@host/db?ssl=on&password=s3cret", "mysql://ann@host/db?ssl=on"},
        {"mariadb://localhost/db?socket=/run/s&secret=1", "mariadb://localhost/db?socket=/run/s"},
        {"postgresql://host/db?password=s3c@ret", "postgresql://host/db"},
        {"postgresql://ann@host/db?user=b@c&password=s3@cret", "postgresql://ann@host/db?user=b@c"},
        {"postgresql://ann:s3cret@host/db?password=s3@cret", "postgresql://ann"},
        {"postgresql://ann:s3?cret=@host/db", "postgresql://ann"},
        {"postgresql://ann?user=x@host?password=s3cret", "postgresql://ann"},
        {"postgresql://ann?user=x@host/db?password=s3cret", "postgresql://ann"},
        {"postgresql://ann?user=x:s3cret@host/db", "postgresql://ann"},
        {"mariadb://host?user=a@b&password=s3cret", "mariadb://host?user=a@b"},
        {"sqlite:/x/a@b.db?mode=ro", "sqlite:/x/a@b.db?mode=ro"},
        {"sqlite:/x/a?b.db?key=s3cret", "sqlite:/x/a?b.db?"},
        {"sqlite:/x/a?b.db?", "sqlite:/x/a?b.db?"},
        {"/x/a:b@c.db", "/x/a:b@c.db"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bo_error err = {0};
        BO_OWN_VALUE(bo_buf) shown = {0};
        assert_int_equal(bo_url_redact(cases[i].url, &shown, &err), BO_OK);
        assert_string_equal(bo_buf_str(&shown), cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_or_path_finds_its_driver),
        cmocka_unit_test(an_unknown_scheme_names_the_known_ones),
        cmocka_unit_test(what_may_hold_a_password_is_not_repeated),
        cmocka_unit_test(a_redacted_url_has_no_secrets),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
