/* SPDX-License-Identifier: Apache-2.0 */
/* src/cli/consent.c - who may do what, and asking before something is changed. */
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/step.h"
#include "base/text.h"
#include "cli/answer.h"
#include "cli/database.h"

/* Puts the refusal into the audit log; a log that cannot be written is said, not hidden. */
static bo_status refuse(
    cli *ctx, const char *event, const char *object, const char *why, bo_error *err)
{
    bo_error log = {0};
    bo_session *session = NULL;
    bo_status st = cli_session(ctx, &session, &log);
    if (st == BO_OK)
        st = ctx->stands_in
                 ? bo_fail(&log, BO_NOTFOUND, "there is no catalog")
                 : bo_audit_note(session, event, object ? object : "", "refused", why, &log);
    bo_status refused = bo_fail(err, BO_REFUSED, "refused: %s", why);
    if (st != BO_OK)
        (void)bo_detail(err, refused, "(and the audit log could not be written: %s)", log.text);
    return refused;
}

static bool is_in(const cli_names *names, const char *user)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], user) == 0)
            return true;
    return false;
}

bo_status cli_permit(
    cli *ctx, const cli_database *database, cli_right right, const char *object, bo_error *err)
{
    static const char *const names[] = {"create", "execute", "prune", "prune", "prune"};
    static const char *const events[] = {
        "point.create", "rollback.execute", "point.prune", "point.release", "doctor.fix"};
    if (!database->config)
        return BO_OK;
    const cli_allow *allow = &database->config->allow;
    const cli_names *lists[] = {
        &allow->create, &allow->execute, &allow->prune, &allow->prune, &allow->prune};
    const struct passwd *entry = getpwuid(getuid());
    const char *user = entry ? entry->pw_name : "?";
    if (lists[right]->count == 0 || (entry && is_in(lists[right], user)))
        return BO_OK;
    char why[200];
    (void)snprintf(why, sizeof why, "user '%s' is not in 'allow: %s' of database '%s'", user,
        names[right], database->shown);
    cli_hint(ctx, "who may do it stands in " CLI_CONFIG_NAME " under allow");
    return refuse(ctx, events[right], object, why, err);
}

/* Reads one line, so that Ctrl-C ends the reading; false: no line. */
static bool read_answer(char *line, size_t size)
{
    struct sigaction usual, ending;
    (void)sigaction(SIGINT, NULL, &usual);
    ending = usual;
    ending.sa_flags &= ~SA_RESTART;
    (void)sigaction(SIGINT, &ending, NULL);
    bool read = fgets(line, (int)size, stdin) != NULL;
    (void)sigaction(SIGINT, &usual, NULL);
    line[read ? strcspn(line, "\r\n") : 0] = '\0';
    return read;
}

/* Asks on the terminal; the answer is `expected`, or yes. */
static bool asked(const char *question, const char *expected)
{
    char line[256];
    (void)fputs(question, stderr);
    (void)fflush(stderr);
    if (!read_answer(line, sizeof line)) {
        (void)fputc('\n', stderr);
        return false;
    }
    if (expected)
        return strcmp(line, expected) == 0;
    return bo_text_same(line, "y") || bo_text_same(line, "yes");
}

static bo_status ask(cli *ctx, const cli_database *database, const cli_consent *consent,
    bool production, bo_error *err)
{
    BO_OWN_VALUE(bo_buf) question = {0};
    const char *shown = database ? database->shown : NULL;
    bo_text_escape(&question, consent->what, strlen(consent->what));
    if (shown) {
        bo_buf_add_str(&question, " in ");
        bo_text_escape(&question, shown, strlen(shown));
    }
    if (production)
        bo_buf_printf(
            &question, "\nThis is a production database. Type its name (%s) to go on: ", shown);
    else
        bo_buf_add_str(&question, "? [y/N] ");
    bo_status st = bo_buf_check(&question, err);
    if (st != BO_OK)
        return st;
    if (asked(bo_buf_str(&question), production ? shown : NULL))
        return BO_OK;
    bo_status refused = refuse(ctx, consent->event, consent->object, "it was not confirmed", err);
    if (!bo_interrupted())
        return refused;
    cli_hint(ctx, "nothing was changed");
    return bo_fail(err, BO_INTERRUPTED, "interrupted");
}

bo_status cli_consent_get(
    cli *ctx, const cli_database *database, const cli_consent *consent, bo_error *err)
{
    bool production = database && database->config && database->config->production;
    if (production && !consent->production) {
        char why[200];
        (void)snprintf(why, sizeof why,
            "'%s' is a production database, and --production is "
            "missing",
            database->shown);
        cli_hint(ctx, "add --production when this is the database you mean");
        return refuse(ctx, consent->event, consent->object, why, err);
    }
    if (consent->yes)
        return BO_OK;
    if (!ctx->terminal) {
        cli_hint(ctx, "%s",
            consent->unasked ? consent->unasked
                             : "add --yes to go on without being asked; --dry-run shows the plan");
        return refuse(ctx, consent->event, consent->object,
            "it was not confirmed, and there is no terminal to ask on", err);
    }
    return ask(ctx, database, consent, production, err);
}
