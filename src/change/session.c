/* SPDX-License-Identifier: Apache-2.0 */
/* src/change/session.c - opening catalog and repository together; progress, warnings, audit. */
#include "change/session.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/scope.h"
#include "base/text.h"

#define PROGRESS_EVERY_US 100000

const char *bo_version(void)
{
    return "0.1.0";
}

static char *own_actor(void)
{
    char host[128] = "localhost";
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = 0;
    struct passwd entry, *found = NULL;
    char names[4096];
    char *text = NULL;
    const char *user = getpwuid_r(geteuid(), &entry, names, sizeof names, &found) == 0 && found
                           ? found->pw_name
                           : "unknown";
    if (asprintf(&text, "%s@%s[%ld]", user, host, (long)getpid()) < 0)
        return NULL;
    return text;
}

static bo_status copy_secrets(bo_session *session, const bo_settings *settings, bo_error *err)
{
    if (settings->passphrase) {
        session->passphrase = strdup(settings->passphrase);
        if (!session->passphrase)
            return bo_nomem(err);
        session->key.kind = BO_KEY_PASSPHRASE;
        session->key.passphrase = session->passphrase;
        session->key.derived = bo_pack_derived_create();
        if (!session->key.derived)
            return bo_nomem(err);
    } else if (settings->key) {
        session->key.kind = BO_KEY_BYTES;
        memcpy(session->key.bytes, settings->key, sizeof session->key.bytes);
    }
    return BO_OK;
}

bo_status bo_session_open(const bo_settings *settings, bo_session **out, bo_error *err)
{
    BO_OWN(bo_session) *session = calloc(1, sizeof *session);
    if (!session)
        return bo_nomem(err);
    pthread_mutex_init(&session->lock, NULL);
    session->progress = settings->progress;
    session->warn = settings->warn;
    session->ctx = settings->ctx;
    session->actor = settings->actor ? strdup(settings->actor) : own_actor();
    if (!session->actor)
        return bo_nomem(err);
    bo_status st = copy_secrets(session, settings, err);
    if (st != BO_OK)
        return st;
    const bool frozen = settings->looks && bo_catalog_is_frozen(settings->catalog_url);
    if (settings->existing && !frozen)
        st = bo_catalog_find(
            settings->catalog_url, settings->catalog_password, settings->lock_timeout_ms, err);
    if (st == BO_OK)
        st = bo_repository_open(settings->repository, &session->repository, err);
    if (st == BO_OK && settings->scratch)
        st = bo_repository_write_to(session->repository, settings->scratch, err);
    if (st == BO_OK)
        st = frozen ? bo_catalog_open_frozen(settings->catalog_url, &session->catalog, err)
                    : bo_catalog_open(settings->catalog_url, settings->catalog_password,
                          settings->lock_timeout_ms, &session->catalog, err);
    if (st != BO_OK)
        return st;
    *out = BO_TAKE(session);
    return BO_OK;
}

void bo_session_free(bo_session *session)
{
    if (!session)
        return;
    bo_catalog_free(session->catalog);
    bo_repository_free(session->repository);
    if (session->passphrase)
        explicit_bzero(session->passphrase, strlen(session->passphrase));
    free(session->passphrase);
    bo_pack_derived_free(session->key.derived);
    explicit_bzero(&session->key, sizeof session->key);
    free(session->actor);
    pthread_mutex_destroy(&session->lock);
    free(session);
}

void bo_meter_start(bo_meter *meter, bo_session *session, const char *operation, uint64_t total)
{
    *meter = (bo_meter){.session = session,
        .operation = operation,
        .table = "",
        .total = total,
        .started_us = bo_clock_monotonic_us()};
}

void bo_meter_add(bo_meter *meter, const char *table, uint64_t rows, uint64_t bytes)
{
    bo_session *session = meter->session;
    pthread_mutex_lock(&session->lock);
    meter->done += rows;
    meter->bytes += bytes;
    int64_t now = bo_clock_monotonic_us();
    if (session->progress && now - session->told_us >= PROGRESS_EVERY_US) {
        session->told_us = now;
        bo_progress progress = {.operation = meter->operation,
            .table = table ? table : meter->table,
            .done = meter->done,
            .total = meter->total,
            .bytes = meter->bytes,
            .seconds = (double)(now - meter->started_us) / 1e6};
        session->progress(session->ctx, &progress);
    }
    pthread_mutex_unlock(&session->lock);
}

void bo_session_warn(bo_session *session, const char *format, ...)
{
    if (!session->warn)
        return;
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    BO_OWN_VALUE(bo_buf) line = {0};
    bo_text_one_line(&line, text);
    session->warn(session->ctx, line.failed ? text : bo_buf_str(&line));
}

const char *bo_outcome_name(bo_status st)
{
    switch (st) {
    case BO_OK:
        return "done";
    case BO_UNKNOWN:
        return "unknown";
    case BO_MISMATCH:
        return "mismatch";
    default:
        return bo_status_exit_code(st) == 3 || st == BO_INVALID ? "refused" : "failed";
    }
}

bo_status bo_session_run_end(bo_session *session, const char *run, bo_status st, bo_error *err)
{
    bo_error second = {0};
    bo_status ended = bo_catalog_run_end(session->catalog, run, bo_outcome_name(st), NULL, &second);
    if (st != BO_OK || ended == BO_OK)
        return st;
    if (err)
        *err = second;
    return ended;
}

bo_status bo_session_audit(bo_session *session, const char *event, const char *object,
    const char *outcome, json_t *details, bo_error *err)
{
    BO_OWN(json_ref) *owned = details ? details : json_object();
    if (!owned)
        return bo_nomem(err);
    if (bo_catalog_is_read_only(session->catalog)) {
        bo_session_warn(session,
            "the audit log could not be written, because the catalog cannot be: %s of '%s' (%s)",
            event, object ? object : "", outcome);
        return BO_OK;
    }
    return bo_audit_append(
        session->catalog, event, session->actor, object ? object : "", outcome, owned, err);
}

bo_status bo_session_audit_end(bo_session *session, const char *event, const char *object,
    bo_status st, json_t *details, bo_error *err)
{
    BO_OWN(json_ref) *owned = details ? details : json_object();
    if (owned && st != BO_OK && err)
        json_object_set_new(owned, "error", bo_json_string(err->text));
    bo_error second = {0};
    bo_status audited =
        bo_session_audit(session, event, object, bo_outcome_name(st), BO_TAKE(owned), &second);
    if (audited == BO_OK)
        return st;
    if (st == BO_OK)
        return bo_fail(
            err, audited, "done, but it could not be written to the audit log\n%s", second.text);
    return bo_detail(err, st, "and it could not be written to the audit log: %s", second.text);
}
