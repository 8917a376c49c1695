/* SPDX-License-Identifier: Apache-2.0 */
/* tests/unit/cli/test_parse.c - a command line read against tables of this test's own. */
#include "cli/parse.h"

#include <stdlib.h>

#include "support/unit.h"

struct args {
    const char *id, *note, *db;
    cli_list files, tables, where;
    char **program;
    uint32_t limit;
    int type;
    bool dry;
};

#define AT(field) offsetof(struct args, field)
static const cli_option undo_options[] = {
    {CLI_OPERAND, 0, "id", "ID", AT(id), ""},
    {CLI_OPTIONAL, 0, "note", "NOTE", AT(note), ""},
    {CLI_TEXT, 0, "db", "DB", AT(db), ""},
    {CLI_LIST, 't', "tables", "T,...", AT(tables), ""},
    {CLI_TEXTS, 'w', "where", "T: P", AT(where), ""},
    {CLI_UINT, 'n', "limit", "N", AT(limit), ""},
    {CLI_CHOICE, 0, "type", "full|partial|backup", AT(type), ""},
    {CLI_FLAG, 'd', "dry-run", NULL, AT(dry), ""},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
static const cli_option run_options[] = {
    {CLI_ANY, 0, "file", "FILE", AT(files), ""},
    {CLI_COMMAND, 0, "command", "COMMAND", AT(program), ""},
    {CLI_FLAG, 'd', "dry-run", NULL, AT(dry), ""},
    {CLI_END, 0, NULL, NULL, 0, NULL},
};
static const cli_command undo_command = {
    .name = "undo", .alias = "revert", .options = undo_options, .args_size = sizeof(struct args)};
static const cli_command run_command = {
    .name = "run", .options = run_options, .args_size = sizeof(struct args)};
static const cli_command mark_command = {
    .name = "mark set", .options = run_options, .args_size = sizeof(struct args)};
const cli_command *const cli_commands[] = {&undo_command, &run_command, &mark_command, NULL};

typedef struct world {
    cli ctx;
    const cli_command *command;
    const struct args *args;
    bo_error err;
    char line[400]; /* argv is writable memory, as in a real program */
    char *argv[24];
} world;

static bo_status parse(world *w, const char *line)
{
    bo_arena_free(w->ctx.arena);
    memset(w, 0, sizeof *w);
    w->ctx.arena = bo_arena_create();
    (void)snprintf(w->line, sizeof w->line, "backout|%s", line);
    int argc = 0;
    char *rest = NULL;
    for (char *word = strtok_r(w->line, "|", &rest); word; word = strtok_r(NULL, "|", &rest))
        w->argv[argc++] = word;
    const void *args = NULL;
    bo_status st = cli_parse(&w->ctx, argc, w->argv, &w->command, &args, &w->err);
    w->args = args;
    return st;
}

static void fails(world *w, const char *line, const char *text, const char *hint)
{
    assert_int_equal(parse(w, line), BO_INVALID);
    assert_string_equal(w->err.text, text);
    assert_string_equal(w->ctx.hint, hint);
}

static void options_and_operands_may_be_mixed(void **state)
{
    world *w = *state;
    assert_int_equal(parse(w, "undo|--limit|7|rb_1|-d|--type=partial|note"), BO_OK);
    assert_ptr_equal(w->command, &undo_command);
    assert_string_equal(w->args->id, "rb_1");
    assert_string_equal(w->args->note, "note");
    assert_int_equal(w->args->limit, 7);
    assert_int_equal(w->args->type, 1);
    assert_true(w->args->dry);
}

static void global_flags_stand_before_and_after_the_command(void **state)
{
    world *w = *state;
    assert_int_equal(parse(w, "--output|json|-q|mark|--color=never|set|a|--config|f"), BO_OK);
    assert_ptr_equal(w->command, &mark_command);
    assert_int_equal(w->ctx.flags.output, CLI_OUTPUT_JSON);
    assert_int_equal(w->ctx.flags.color, CLI_COLOR_NEVER);
    assert_true(w->ctx.flags.quiet);
    assert_string_equal(w->ctx.flags.config, "f");
    assert_int_equal(w->args->files.count, 1);
}

static void flags_that_are_not_given_are_known_as_such(void **state)
{
    world *w = *state;
    assert_int_equal(parse(w, "run"), BO_OK);
    assert_int_equal(w->ctx.flags.output, -1);
    assert_int_equal(w->ctx.flags.color, -1);
    assert_null(w->args->program);
    assert_int_equal(w->args->files.count, 0);
}

static void two_dashes_end_the_options(void **state)
{
    world *w = *state;
    assert_int_equal(parse(w, "run|a.sql|--|psql|-d|--|x"), BO_OK);
    assert_int_equal(w->args->files.count, 1);
    assert_false(w->args->dry);
    assert_string_equal(w->args->program[0], "psql");
    assert_string_equal(w->args->program[1], "-d");
    assert_string_equal(w->args->program[2], "--");
    assert_int_equal(parse(w, "undo|--|-d"), BO_OK);
    assert_string_equal(w->args->id, "-d");
    assert_false(w->args->dry);
}

static void lists_are_split_at_commas_outside_of_quotes(void **state)
{
    world *w = *state;
    assert_int_equal(
        parse(w, "undo|x|--tables|orders,\"odd,name\"|-t| `a,b` , items |--where|a: b IN (1,2)"),
        BO_OK);
    assert_int_equal(w->args->tables.count, 4);
    assert_string_equal(w->args->tables.items[1], "\"odd,name\"");
    assert_string_equal(w->args->tables.items[2], "`a,b`");
    assert_string_equal(w->args->tables.items[3], "items");
    assert_int_equal(w->args->where.count, 1);
    assert_string_equal(w->args->where.items[0], "a: b IN (1,2)");
}

static void an_alias_is_the_command(void **state)
{
    world *w = *state;
    assert_int_equal(parse(w, "revert|x"), BO_OK);
    assert_ptr_equal(w->command, &undo_command);
}

static void mistakes_name_what_was_meant(void **state)
{
    world *w = *state;
    fails(w, "nudo|x", "unknown command 'nudo'", "did you mean 'backout undo'?");
    fails(w, "mark|sett", "unknown command 'mark sett'", "did you mean 'backout mark set'?");
    fails(w, "undo|x|--dryrun", "unknown option '--dryrun'", "did you mean '--dry-run'?");
    fails(w, "undo|x|--wehre=1", "unknown option '--wehre'", "did you mean '--where'?");
    fails(w, "zzzzzz", "unknown command 'zzzzzz'", "the commands: backout help");
    fails(w, "undo|x|-Z", "unknown option '-Z'", "options: backout undo --help");
}

static void wrong_values_are_refused(void **state)
{
    world *w = *state;
    fails(w, "undo|x|--tables=", "--tables needs a value", "");
    fails(w, "undo|x|--tables|a,,b", "--tables has an empty name in 'a,,b'", "");
    fails(w, "undo|x|-t|items,", "--tables has an empty name in 'items,'", "");
    fails(w, "undo|x|--limit|-1", "--limit needs a whole number, not '-1'", "");
    fails(w, "undo|x|--limit|4294967296", "--limit needs a whole number, not '4294967296'", "");
    fails(w, "undo|x|--type|half", "--type is one of full|partial|backup, not 'half'", "");
    fails(w, "undo|x|--dry-run=yes", "option '--dry-run' takes no value", "");
    fails(w, "undo|x|--limit", "option '--limit' needs a value", "");
    fails(w, "undo", "'backout undo' needs ID", "usage: backout undo --help");
    fails(w, "undo|a|b|c", "'c' is one argument too many for 'backout undo'", "");
}

static void a_password_in_a_url_is_refused_and_overwritten(void **state)
{
    world *w = *state;
    static const char *const lines[] = {"undo|x|--db|postgresql://ann:secret@h/d",
        "undo|postgresql://ann:secret@h/d", "undo|a|b|mariadb://ann:secret@h/d",
        "postgresql://ann:secret@h/d"};
    for (size_t l = 0; l < sizeof lines / sizeof *lines; l++) {
        assert_int_equal(parse(w, lines[l]), BO_INVALID);
        assert_non_null(strstr(w->err.text, "has a password in it"));
        assert_null(strstr(w->err.text, "secret"));
        for (size_t i = 0; w->argv[i]; i++)
            assert_null(strstr(w->argv[i], "secret"));
    }
}

static void help_needs_no_operands(void **state)
{
    world *w = *state;
    assert_int_equal(parse(w, "undo|--help"), BO_OK);
    assert_true(w->ctx.flags.help);
    assert_int_equal(parse(w, "--help"), BO_OK);
    assert_null(w->command);
    assert_int_equal(parse(w, "mark|--help"), BO_OK);
}

static void json_errors_are_known_before_parsing(void **state)
{
    (void)state;
    char *argv[] = {"backout", "list", "--output", "json", "--", "--output=text", NULL};
    assert_int_equal(cli_output_guess(6, argv), CLI_OUTPUT_JSON);
    char *lines[] = {"backout", "--output=jsonl", NULL};
    assert_int_equal(cli_output_guess(2, lines), CLI_OUTPUT_JSONL);
    assert_int_equal(cli_output_guess(1, lines), CLI_OUTPUT_TEXT);
}

static void only_near_words_are_suggested(void **state)
{
    (void)state;
    assert_true(cli_is_near("exeucte", "execute"));
    assert_true(cli_is_near("des", "description"));
    assert_false(cli_is_near("a", "list"));
    assert_false(cli_is_near("restore", "execute"));
}

static int make(void **state)
{
    *state = calloc(1, sizeof(world));
    return *state ? 0 : -1;
}

static int drop(void **state)
{
    world *w = *state;
    bo_arena_free(w->ctx.arena);
    free(w);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_may_be_mixed),
        cmocka_unit_test(global_flags_stand_before_and_after_the_command),
        cmocka_unit_test(flags_that_are_not_given_are_known_as_such),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(lists_are_split_at_commas_outside_of_quotes),
        cmocka_unit_test(an_alias_is_the_command),
        cmocka_unit_test(mistakes_name_what_was_meant),
        cmocka_unit_test(wrong_values_are_refused),
        cmocka_unit_test(a_password_in_a_url_is_refused_and_overwritten),
        cmocka_unit_test(help_needs_no_operands),
        cmocka_unit_test(json_errors_are_known_before_parsing),
        cmocka_unit_test(only_near_words_are_suggested),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
