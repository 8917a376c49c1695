/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/test_silence.c - servers that are slow, say nothing at all, or went unnoticed. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "fault/network.h"
#include "fault/scene.h"

static world_engine postgres = WORLD_POSTGRES, mariadb = WORLD_MARIADB;

/* Skips without a server. */
static world_engine engine_of(void **state)
{
    const world_engine engine = *(const world_engine *)*state;
    if (!getenv(engine == WORLD_MARIADB ? "BACKOUT_TEST_MY_DIR" : "BACKOUT_TEST_PG_DIR"))
        skip();
    return engine;
}

static bo_status connect_by(
    world_engine engine, const proxy *through, const char *options, bo_conn **out, bo_error *err)
{
    char url[512];
    network_url(engine, through, engine == WORLD_MARIADB ? "mysql" : "postgres", options, url);
    return bo_driver_open(&(bo_connect){.url = url}, out, err);
}

static void a_server_that_does_not_greet_is_given_up(void **state)
{
    static const proxy_plan plans[] = {
        {.harm = PROXY_FREEZE, .way = PROXY_TO_CLIENT, .nth = 1, .all = true},
        {.harm = PROXY_SILENCE, .way = PROXY_TO_CLIENT, .nth = 2, .all = true},
    };
    const world_engine engine = engine_of(state);
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        bo_error err = {0};
        bo_conn *conn = NULL;
        volatile bool harmed = false;
        proxy *through = network_proxy(engine, &plans[i], &harmed);
        const int64_t began_us = bo_clock_monotonic_us();
        assert_int_equal(
            connect_by(engine, through, "connect_timeout=2", &conn, &err), BO_DATABASE);
        assert_true(bo_clock_monotonic_us() - began_us < 10000000);
        assert_true(harmed);
        assert_non_null(strstr(err.text, "cannot connect to"));
        proxy_stop(through);
    }
}

/* Our end of a link to the proxy. */
static int find_link(const proxy *through)
{
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in there = {0};
        socklen_t size = sizeof there;
        if (getpeername(fd, (struct sockaddr *)&there, &size) == 0 && there.sin_family == AF_INET &&
            ntohs(there.sin_port) == proxy_port(through))
            return fd;
    }
    fail_msg("there is no link");
    return -1;
}

static int option_of(int fd, int level, int name)
{
    int value = 0;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &size), 0);
    return value;
}

static void a_network_that_falls_silent_is_given_up_after_a_minute(void **state)
{
    bo_error err = {0};
    bo_conn *conn = NULL;
    volatile bool harmed = false;
    const world_engine engine = engine_of(state);
    proxy *through = network_proxy(engine, &(proxy_plan){.harm = PROXY_PASS}, &harmed);
    world_ok(connect_by(engine, through, "connect_timeout=9", &conn, &err), &err);
    const int fd = find_link(through);
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
    bo_conn_free(conn);
    proxy_stop(through);
}

/* Beyond what the network is given, and what it takes to connect. */
static void a_statement_may_take_longer_than_a_network_may_be_silent(void **state)
{
    static const char *const options[] = {
        [WORLD_POSTGRES] = "connect_timeout=1&tcp_user_timeout=1000&keepalives_idle=1"
                           "&keepalives_interval=1&keepalives_count=1",
        [WORLD_MARIADB] = "connect_timeout=1&link_timeout=1"};
    static const char *const sleeps[] = {
        [WORLD_POSTGRES] = "SELECT pg_sleep(2.5)", [WORLD_MARIADB] = "DO SLEEP(2.5)"};
    bo_error err = {0};
    bo_conn *conn = NULL;
    volatile bool harmed = false;
    const world_engine engine = engine_of(state);
    proxy *through = network_proxy(engine, &(proxy_plan){.harm = PROXY_PASS}, &harmed);
    world_ok(connect_by(engine, through, options[engine], &conn, &err), &err);
    world_ok(conn->driver->exec(conn, sleeps[engine], &err), &err);
    bo_conn_free(conn);
    proxy_stop(through);
}

static bo_status keep_number(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    (void)count;
    (void)err;
    *(int *)ctx = atoi(values[0].data);
    return BO_OK;
}

/* A transaction whose program's host is gone holds its locks until the server looks. */
static void a_server_looks_whether_we_are_there(void **state)
{
    static const struct {
        const char *setting;
        int value;
    } settings[] = {{"tcp_keepalives_idle", 30}, {"tcp_keepalives_interval", 10},
        {"tcp_keepalives_count", 3}, {"tcp_user_timeout", 60000}};
    bo_error err = {0};
    BO_OWN(bo_conn) *conn = NULL;
    (void)engine_of(state);
    const bo_connect how = {.url = getenv("BACKOUT_TEST_PG_TCP_URL")};
    world_ok(bo_driver_open(&how, &conn, &err), &err);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        int value = 0;
        const bo_text_value name = {settings[i].setting, strlen(settings[i].setting)};
        world_ok(conn->driver->query(conn, /* not SHOW, which has a unit */
                     "SELECT setting FROM pg_catalog.pg_settings WHERE name = $1", &name, 1,
                     keep_number, &value, NULL, &err),
            &err);
        assert_int_equal(value, settings[i].value);
    }
}

static bo_status call(bo_conn *conn, int which, bo_arena *arena, bo_error *err)
{
    const bo_table *table = NULL;
    switch (which) {
    case 0:
        return conn->driver->exec(conn, "SELECT 1", err);
    case 1:
        return conn->driver->begin(conn, BO_TX_WRITE, err);
    case 2:
        return conn->driver->describe(conn, "nothing", arena, &table, err);
    case 3: /* which drops the link */
        conn->driver->rollback(conn);
        return conn->driver->exec(conn, "SELECT 1", err);
    default:
        return conn->driver->query(conn, "SELECT 1", NULL, 0, NULL, NULL, NULL, err);
    }
}

static void a_link_that_broke_while_nobody_looked_is_told(void **state)
{
    const world_engine engine = engine_of(state);
    BO_OWN(bo_arena) *arena = bo_arena_create();
    for (int which = 0; which < 5; which++) {
        bo_error err = {0};
        bo_conn *conn = NULL;
        volatile bool harmed = false;
        proxy *through = network_proxy(engine, &(proxy_plan){.harm = PROXY_PASS}, &harmed);
        world_ok(connect_by(engine, through, "connect_timeout=9", &conn, &err), &err);
        if (which == 3)
            world_ok(conn->driver->begin(conn, BO_TX_PLAIN, &err), &err);
        proxy_stop(through);
        assert_int_equal(call(conn, which, arena, &err), BO_DATABASE);
        if (!strstr(err.text, "the link to the database broke"))
            fail_msg("call %d: %s", which, err.text);
        bo_conn_free(conn);
    }
}

static void a_slow_network_is_no_failure(void **state)
{
    static const proxy_plan slow = {.harm = PROXY_DELAY, .delay_us = 500};
    const setting at = {.engine = engine_of(state), .method = BO_METHOD_CAPTURE};
    scene *s = scene_open(scene_operation("partial"), &at);
    s->network = &slow;
    assert_true(scene_attempt(s, FAULT_NETWORK, 1));
    scene_expect(s, s->found->status == BO_OK, "slowness is taken for a failure");
    scene_check(s);
    scene_close(s);
}

#define TEST_ON(engine, name_of_it, test)                                            \
    {                                                                                \
        .name = #test " on " name_of_it, .test_func = test, .initial_state = &engine \
    }
#define TEST_ON_EACH(test) TEST_ON(postgres, "PostgreSQL", test), TEST_ON(mariadb, "MariaDB", test)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST_ON_EACH(a_server_that_does_not_greet_is_given_up),
        TEST_ON_EACH(a_network_that_falls_silent_is_given_up_after_a_minute),
        TEST_ON_EACH(a_statement_may_take_longer_than_a_network_may_be_silent),
        TEST_ON(postgres, "PostgreSQL", a_server_looks_whether_we_are_there),
        TEST_ON_EACH(a_link_that_broke_while_nobody_looked_is_told),
        TEST_ON_EACH(a_slow_network_is_no_failure),
    };
    cmocka_set_test_filter(argc > 1 ? argv[1] : NULL);
    return cmocka_run_group_tests_name("silence", tests, NULL, NULL);
}
