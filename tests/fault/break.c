/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/break.c - the process that breaks: an operation as the program runs it, and a fault.
 */
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/step.h"
#include "fault/scene.h"
#include "fault/statements.h"
#include "support/fault_memory.h"
#include "support/own_server.h"

static fault armed;
static finding *found;
static const char *through;
static unsigned steps;
static bo_conn *server; /* a superuser's, which ends the others' connections */
static world_engine engine;
static char shop_name[64];

static bo_status end_link(void *ctx, uint16_t count, const bo_text_value *values, bo_error *err)
{
    char sql[64];
    bo_conn *other = ctx;
    bo_error gone = {0}; /* it may have ended by itself */
    (void)count;
    (void)err;
    (void)snprintf(sql, sizeof sql, "KILL %.*s", (int)values[0].size, values[0].data);
    (void)other->driver->exec(other, sql, &gone);
    return BO_OK;
}

/* Until none is left: the server takes its time. */
static void end_links(void)
{
    static const char *const questions[] = {
        [WORLD_POSTGRES] = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                           " WHERE application_name LIKE 'backout%' AND datname =",
        [WORLD_MARIADB] = "SELECT id FROM information_schema.PROCESSLIST WHERE db ="};
    char sql[512];
    bo_error err = {0};
    uint64_t left = 1;
    (void)snprintf(sql, sizeof sql, "%s '%s'", questions[engine], shop_name);
    for (int i = 0; i < 1000 && left > 0; i++) {
        if (i > 0)
            (void)usleep(2000);
        if (server->driver->query(server, sql, NULL, 0, engine == WORLD_MARIADB ? end_link : NULL,
                server, &left, &err) != BO_OK)
            _exit(3);
    }
}

static void die(void)
{
    found->fired = true;
    (void)raise(SIGKILL);
}

static void at_step(const char *name)
{
    (void)snprintf(found->step, sizeof found->step, "%s", name);
    found->through = found->through || (through && strcmp(name, through) == 0);
    files_step();
    if (++steps != armed.nth)
        return;
    if (armed.kind == FAULT_KILL_AT_STEP)
        die();
    if (armed.kind == FAULT_SERVER_AT_STEP) {
        found->fired = true;
        own_server_kill(steps % 2);
    }
    if (armed.kind == FAULT_LINK) {
        found->fired = true;
        end_links();
    }
}

static void at_alarm(int signal_number)
{
    (void)signal_number;
    die();
}

static void arm_kill_after(unsigned us)
{
    struct itimerval once = {.it_value = {.tv_usec = (suseconds_t)us}};
    (void)signal(SIGALRM, at_alarm);
    (void)setitimer(ITIMER_REAL, &once, NULL);
}

static void arm(scene *s)
{
    armed = s->fault;
    found = s->found;
    through = s->op->through;
    engine = s->setting.engine;
    (void)snprintf(shop_name, sizeof shop_name, "%s", s->w->created);
    if (armed.kind == FAULT_LINK || armed.kind == FAULT_LINK_AT_CALL)
        server = world_server(engine);
    bo_step_hook = at_step;
    fault_driver_install();
    if (armed.kind == FAULT_KILL_AFTER_US)
        arm_kill_after(armed.nth);
    if (armed.kind == FAULT_DRIVER_CALL)
        fault_driver_arm(armed.nth);
    if (armed.kind == FAULT_SERVER_GONE)
        fault_driver_arm_for_good(armed.nth);
    if (armed.kind == FAULT_KILL_AT_CALL)
        fault_driver_arm_action(armed.nth, die);
    if (armed.kind == FAULT_LINK_AT_CALL)
        fault_driver_arm_action(armed.nth, end_links);
    if (armed.kind == FAULT_COMMIT_ANSWERED)
        fault_driver_lose_nth_commit(FAULT_COMMIT_DONE, armed.nth);
    if (armed.kind == FAULT_COMMIT_MISSED)
        fault_driver_lose_nth_commit(FAULT_COMMIT_LOST, armed.nth);
    if (armed.kind == FAULT_KILL_AT_STATEMENT)
        fault_statement_arm(STATEMENT_KILL, armed.nth, &found->fired);
    if (armed.kind == FAULT_STATEMENT_FAILS)
        fault_statement_arm(STATEMENT_FAILS, armed.nth, &found->fired);
    if (armed.kind == FAULT_STATEMENT_LOST)
        fault_statement_arm(STATEMENT_LOST, armed.nth, &found->fired);
    if (armed.kind == FAULT_NETWORK)
        network_arm(s);
    if (armed.kind == FAULT_ALLOCATION)
        fault_memory_arm(armed.nth);
    files_arm(s);
}

void scene_break(scene *s)
{
    bo_error err = {0};
    bo_session *session = NULL;
    arm(s);
    bo_status st = bo_session_open(&s->w->settings, &session, &err);
    if (st == BO_OK)
        st = s->op->run(s, session, &err);
    found->status = st;
    (void)snprintf(found->text, sizeof found->text, "%s", st == BO_OK ? "" : err.text);
    found->returned = true;
    files_returned();
    bo_session_free(session);
    if (armed.kind == FAULT_ALLOCATION)
        found->fired = fault_memory_fired();
    else if (fault_driver_fired())
        found->fired = true;
    files_end();
    found->ended = true;
}
