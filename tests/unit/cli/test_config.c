/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/cli/test_config.c - backout.yaml: what is read, and what is said about mistakes. */
#include "cli/config.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backout/error.h"
#include "support/unit.h"

typedef struct world {
    bo_arena *arena;
    char folder[4096], path[4200]; /* PATH_MAX, and more */
    cli_config config;
    bo_error err;
} world;

static bo_status read_text(world *w, const char *text)
{
    FILE *file = fopen(w->path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(w->path, 0600), 0);
    memset(&w->err, 0, sizeof w->err);
    return cli_config_read(w->arena, w->path, &w->config, &w->err);
}

static void fails(world *w, const char *text, const char *where)
{
    char expected[5000];
    assert_int_equal(read_text(w, text), BO_INVALID);
    (void)snprintf(expected, sizeof expected, "%s:%s", w->path, where);
    assert_string_equal(w->err.text, expected);
}

static void everything_is_read(void **state)
{
    world *w = *state;
    assert_int_equal(read_text(w, "catalog: .backout/catalog.db\n"
                                  "repository: files\n"
                                  "lock_timeout: 2s\n"
                                  "databases:\n"
                                  "  shop:\n"
                                  "    url: postgresql://app@db/shop\n"
                                  "    production: true\n"
                                  "    password_command: echo x\n"
                                  "    lock_timeout: 500ms\n"
                                  "    workers: 3\n"
                                  "    allow: {create: [ann, bob], execute: [ann]}\n"
                                  "  local: {url: 'sqlite:local.db'}\n"
                                  "encryption: {key_file: /etc/key}\n"
                                  "retention: {keep_last: 5, keep_days: 30}\n"),
        BO_OK);
    char expected[5000];
    (void)snprintf(expected, sizeof expected, "sqlite:%s/.backout/catalog.db", w->folder);
    assert_string_equal(w->config.catalog, expected);
    (void)snprintf(expected, sizeof expected, "%s/files", w->folder);
    assert_string_equal(w->config.repository, expected);
    assert_int_equal(w->config.lock_timeout_ms, 2000);
    assert_int_equal(w->config.database_count, 2);
    const cli_database_config *shop = &w->config.databases[0];
    assert_string_equal(shop->name, "shop");
    assert_string_equal(shop->url, "postgresql://app@db/shop");
    assert_true(shop->production);
    assert_int_equal(shop->lock_timeout_ms, 500);
    assert_int_equal(shop->workers, 3);
    assert_int_equal(shop->allow.create.count, 2);
    assert_string_equal(shop->allow.create.items[1], "bob");
    assert_int_equal(shop->allow.prune.count, 0);
    (void)snprintf(expected, sizeof expected, "sqlite:%s/local.db", w->folder);
    assert_string_equal(w->config.databases[1].url, expected);
    assert_string_equal(w->config.key_file, "/etc/key");
    assert_int_equal(w->config.keep_last, 5);
    assert_int_equal(w->config.keep_days, 30);
}

static void an_empty_file_is_a_configuration(void **state)
{
    world *w = *state;
    assert_int_equal(read_text(w, ""), BO_OK);
    assert_int_equal(read_text(w, "# nothing\n"), BO_OK);
    assert_int_equal(w->config.database_count, 0);
}

static void mistakes_name_line_and_column(void **state)
{
    world *w = *state;
    fails(w, "catalog: c\ncolour: red\n", "2:1: unknown key 'colour'");
    fails(w, "databases:\n  shop:\n    urll: x\n", "3:5: unknown key 'urll'");
    fails(w, "databases:\n  shop:\n    url: x\n    production: maybe\n",
        "4:17: 'maybe' is neither true nor false");
    fails(w, "databases:\n  shop:\n    url: x\n    workers: -1\n",
        "4:14: '-1' is not a number from 0 to 1000000");
    fails(w, "databases:\n  shop:\n    url: x\n    lock_timeout: soon\n",
        "4:19: 'soon' is not a duration like 10s, 500ms or 5m");
    fails(w, "databases:\n  shop: {production: true}\n", "2:3: database 'shop' needs a url");
}

static void passwords_do_not_belong_into_urls(void **state)
{
    world *w = *state;
    assert_int_equal(
        read_text(w, "databases: {a: {url: 'postgresql://u:secret@h/d'}}\n"), BO_INVALID);
    assert_null(strstr(w->err.text, "secret"));
}

static void broken_yaml_and_doubled_keys_are_refused(void **state)
{
    world *w = *state;
    assert_int_equal(read_text(w, "databases: [\n"), BO_INVALID);
    assert_int_equal(read_text(w, "catalog: a\ncatalog: b\n"), BO_INVALID);
    assert_non_null(strstr(w->err.text, "backout.yaml:2:"));
}

static void a_file_that_others_may_write_is_refused(void **state)
{
    world *w = *state;
    assert_int_equal(read_text(w, "catalog: a\n"), BO_OK);
    assert_int_equal(chmod(w->path, 0622), 0);
    assert_int_equal(cli_config_read(w->arena, w->path, &w->config, &w->err), BO_DENIED);
}

/* Swaps the two files until it is told to end. */
struct swapper {
    const char *one, *other;
    atomic_bool over;
};

static void *swap(void *ctx)
{
    struct swapper *swapper = ctx;
    while (!atomic_load(&swapper->over))
        (void)renameat2(AT_FDCWD, swapper->one, AT_FDCWD, swapper->other, RENAME_EXCHANGE);
    return NULL;
}

static void a_file_that_is_swapped_for_another_is_not_trusted(void **state)
{
    world *w = *state;
    char other[4300];
    char trusted[5000];
    (void)snprintf(other, sizeof other, "%s.other", w->path);
    assert_int_equal(read_text(w, "repository: evil\n"), BO_OK);
    assert_int_equal(chmod(w->path, 0666), 0);
    assert_int_equal(rename(w->path, other), 0);
    assert_int_equal(read_text(w, "repository: good\n"), BO_OK);
    (void)snprintf(trusted, sizeof trusted, "%s/good", w->folder);

    struct swapper swapper = {.one = w->path, .other = other};
    pthread_t thread;
    if (renameat2(AT_FDCWD, other, AT_FDCWD, w->path, RENAME_EXCHANGE) != 0) {
        assert_int_equal(unlink(other), 0);
        skip(); /* the file system cannot */
    }
    assert_int_equal(pthread_create(&thread, NULL, swap, &swapper), 0);
    unsigned wrong = 0;
    unsigned times[2] = {0, 0}; /* refused, read */
    while (wrong == 0 && (times[0] < 2000 || times[1] < 2000)) {
        const bool read = cli_config_read(w->arena, w->path, &w->config, &w->err) == BO_OK;
        times[read]++;
        wrong += read && strcmp(w->config.repository, trusted) != 0;
    }
    atomic_store(&swapper.over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(wrong, 0);
}

static void a_pipe_is_refused_and_not_waited_for(void **state)
{
    world *w = *state;
    assert_int_equal(mkfifo(w->path, 0600), 0);
    assert_int_equal(cli_config_read(w->arena, w->path, &w->config, &w->err), BO_INVALID);
    assert_non_null(strstr(w->err.text, "is not a file"));
}

static void a_file_that_is_too_long_is_refused(void **state)
{
    world *w = *state;
    assert_int_equal(read_text(w, "catalog: a\n"), BO_OK);
    assert_int_equal(truncate(w->path, (off_t)CLI_CONFIG_LIMIT + 1), 0);
    assert_int_equal(cli_config_read(w->arena, w->path, &w->config, &w->err), BO_INVALID);
}

static void a_file_with_a_zero_byte_is_refused(void **state)
{
    world *w = *state;
    assert_int_equal(read_text(w, "catalog: a\nrepository: b\n"), BO_OK);
    FILE *file = fopen(w->path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)strlen("catalog: a\n"), SEEK_SET), 0);
    assert_int_equal(fputc(0, file), 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(cli_config_read(w->arena, w->path, &w->config, &w->err), BO_INVALID);
    assert_non_null(strstr(w->err.text, "zero byte"));
}

static void a_file_that_is_not_utf8_is_refused(void **state)
{
    world *w = *state;
    assert_int_equal(read_text(w, "%\xf9"), BO_INVALID); /* libfyaml reads it for ever */
    assert_int_equal(read_text(w, "catalog: \xff\n"), BO_INVALID);
    assert_non_null(strstr(w->err.text, "not UTF-8"));
}

static void the_configuration_is_found_from_folders_below(void **state)
{
    world *w = *state;
    char below[4200];
    assert_int_equal(read_text(w, "repository: files\n"), BO_OK);
    (void)snprintf(below, sizeof below, "%s/below", w->folder);
    assert_int_equal(mkdir(below, 0700), 0);
    assert_int_equal(chdir(below), 0);
    cli_config found = {0};
    bo_status st = cli_config_find(w->arena, NULL, &found, &w->err);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(below), 0);
    assert_int_equal(st, BO_OK);
    assert_string_equal(found.path, w->path);
}

static void durations_have_units(void **state)
{
    (void)state;
    uint32_t ms = 0;
    assert_true(cli_duration("10s", &ms));
    assert_int_equal(ms, 10000);
    assert_true(cli_duration("7", &ms));
    assert_int_equal(ms, 7000);
    assert_true(cli_duration("2h", &ms));
    assert_int_equal(ms, 7200000);
    assert_false(cli_duration("", &ms));
    assert_false(cli_duration("-1s", &ms));
    assert_false(cli_duration("1w", &ms));
    assert_false(cli_duration("9999999h", &ms));
}

static void paths_become_absolute_and_other_urls_stay(void **state)
{
    world *w = *state;
    assert_string_equal(cli_url_absolute(w->arena, "/x", "a.db"), "sqlite:/x/a.db");
    assert_string_equal(cli_url_absolute(w->arena, "/x", "sqlite:/y/a.db"), "sqlite:/y/a.db");
    assert_string_equal(cli_url_absolute(w->arena, "/x", "./a:b.db"), "sqlite:/x/./a:b.db");
    assert_string_equal(cli_url_absolute(w->arena, "/x", "./a?b.db"), "sqlite:/x/./a?b.db?");
    assert_string_equal(
        cli_url_absolute(w->arena, "/x", "sqlite:a.db?mode=ro"), "sqlite:/x/a.db?mode=ro");
    assert_string_equal(cli_url_absolute(w->arena, "/x", "postgresql://h/d"), "postgresql://h/d");
    assert_string_equal(cli_url_absolute(w->arena, "/x", "host=h dbname=d"), "host=h dbname=d");
}

static int make(void **state)
{
    static world w; /* one test at a time */
    memset(&w, 0, sizeof w);
    w.arena = bo_arena_create();
    char template[] = "/tmp/backout-config-XXXXXX";
    if (!w.arena || !mkdtemp(template) || !realpath(template, w.folder))
        return -1;
    (void)snprintf(w.path, sizeof w.path, "%s/" CLI_CONFIG_NAME, w.folder);
    (void)unsetenv("BACKOUT_CONFIG");
    *state = &w;
    return 0;
}

static int drop(void **state)
{
    world *w = *state;
    bo_arena_free(w->arena);
    (void)unlink(w->path);
    return rmdir(w->folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_is_read, make, drop),
        cmocka_unit_test_setup_teardown(an_empty_file_is_a_configuration, make, drop),
        cmocka_unit_test_setup_teardown(mistakes_name_line_and_column, make, drop),
        cmocka_unit_test_setup_teardown(passwords_do_not_belong_into_urls, make, drop),
        cmocka_unit_test_setup_teardown(broken_yaml_and_doubled_keys_are_refused, make, drop),
        cmocka_unit_test_setup_teardown(a_file_that_others_may_write_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(
            a_file_that_is_swapped_for_another_is_not_trusted, make, drop),
        cmocka_unit_test_setup_teardown(a_pipe_is_refused_and_not_waited_for, make, drop),
        cmocka_unit_test_setup_teardown(a_file_that_is_too_long_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(a_file_with_a_zero_byte_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(a_file_that_is_not_utf8_is_refused, make, drop),
        cmocka_unit_test_setup_teardown(the_configuration_is_found_from_folders_below, make, drop),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test_setup_teardown(paths_become_absolute_and_other_urls_stay, make, drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
