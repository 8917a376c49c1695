/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/main.c - the program: prepares the process, reads the command line, runs the command. */
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/answer.h"
#include "cli/child.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "cli/scratch.h"

#define PATIENCE 3 /* interrupts until the program ends at once */

static void interrupted(int number)
{
    static volatile sig_atomic_t count;
    (void)number;
    bo_interrupt();
    count = count + 1;
    if (count >= PATIENCE)
        _exit(130);
}

static void prepare_signals(void)
{
    struct sigaction action = {.sa_handler = interrupted, .sa_flags = SA_RESTART}, was;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    if (sigaction(SIGHUP, NULL, &was) == 0 && was.sa_handler != SIG_IGN) /* as nohup has it */
        (void)sigaction(SIGHUP, &action, NULL);
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL); /* a closed pipe is an error of write(2) */
    (void)sigaction(SIGXFSZ, &action, NULL); /* and so is the limit of a file's size */
}

/* Passwords and rows are in memory: no core file, nobody may attach; files are ours alone. */
static void prepare_process(void)
{
    int fd;
    do /* descriptors 0 to 2 must not become database files */
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        (void)close(fd);
    struct rlimit core = {0};
    (void)getrlimit(RLIMIT_CORE, &core);
    cli_child_keep(umask(077), core.rlim_cur);
    core.rlim_cur = 0;
    (void)setrlimit(RLIMIT_CORE, &core);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    prepare_signals();
}

/* "json" as the index of the word in "text|json|jsonl"; -1: none of them. */
static int word_index(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (int index = 0;; index++) {
        size_t next = strcspn(words, "|");
        if (next == size && strncmp(words, word, size) == 0)
            return index;
        if (words[next] == '\0')
            return -1;
        words += next + 1;
    }
}

static bo_status choose(
    int flag, const char *variable, const char *words, int otherwise, int *out, bo_error *err)
{
    const char *said = getenv(variable);
    *out = otherwise;
    if (flag >= 0) {
        *out = flag;
    } else if (said && said[0]) {
        int index = word_index(words, said);
        if (index < 0)
            return bo_fail(err, BO_INVALID, "%s is one of %s, not '%s'", variable, words, said);
        *out = index;
    }
    return BO_OK;
}

static unsigned terminal_width(void)
{
    struct winsize size = {0};
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

static bo_status settle(cli *ctx, bo_error *err)
{
    int output = 0, color = 0;
    bo_status st = choose(
        ctx->flags.output, "BACKOUT_OUTPUT", "text|json|jsonl", CLI_OUTPUT_TEXT, &output, err);
    if (st == BO_OK)
        st = choose(
            ctx->flags.color, "BACKOUT_COLOR", "auto|always|never", CLI_COLOR_AUTO, &color, err);
    if (st != BO_OK)
        return st;
    const char *no_color = getenv("NO_COLOR");
    bool raw = ctx->command && ctx->command->raw;
    ctx->output = raw && output == CLI_OUTPUT_JSONL ? CLI_OUTPUT_JSON : (cli_output)output;
    ctx->quiet = ctx->flags.quiet;
    ctx->verbose = ctx->flags.verbose;
    ctx->terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    ctx->style.width = terminal_width();
    ctx->style.color =
        color == CLI_COLOR_ALWAYS ||
        (color == CLI_COLOR_AUTO && isatty(STDOUT_FILENO) && !(no_color && no_color[0]));
    return BO_OK;
}

static bo_status print_help(cli *ctx, const cli_command *command, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) text = {0};
    if (command)
        cli_help_command(&text, command);
    else
        cli_help_overview(&text);
    return cli_print(ctx, &text, err);
}

static bo_status no_command(cli *ctx, bo_error *err)
{
    cli_hint(ctx, "the commands: backout help; a first look: backout demo");
    return bo_fail(err, BO_INVALID, "a command is missing");
}

static bo_status run(cli *ctx, int argc, char **argv, bo_error *err)
{
    const void *args = NULL;
    ctx->output = cli_output_guess(argc, argv);
    bo_status st = cli_parse(ctx, argc, argv, &ctx->command, &args, err);
    if (st == BO_OK)
        st = settle(ctx, err);
    if (st != BO_OK)
        return st;
    if (ctx->flags.version)
        return cli_command_find("version")->run(ctx, NULL, err);
    if (ctx->flags.help)
        return print_help(ctx, ctx->command, err);
    if (!ctx->command)
        return no_command(ctx, err);
    if (!ctx->command->bare) {
        st = cli_config_find(ctx->arena, ctx->flags.config, &ctx->config, err);
        if (st != BO_OK)
            return st;
        if (ctx->config.path)
            cli_verbose(ctx, "backout: configuration %s", ctx->config.path);
    }
    cli_event(
        ctx, json_pack("{s:s, s:s, s:i}", "type", "version", "version", bo_version(), "format", 1));
    return ctx->command->run(ctx, args, err);
}

int main(int argc, char **argv)
{
    prepare_process();
    bo_error err = {0};
    BO_OWN(bo_arena) *arena = bo_arena_create();
    cli ctx = {.arena = arena};
    bo_status st = arena ? run(&ctx, argc, argv, &err) : bo_nomem(&err);
    int code = cli_answer(&ctx, st, &err);
    json_decref(ctx.result);
    bo_session_free(ctx.session);
    cli_scratch_remove(&ctx, ctx.scratch);
    return code;
}
