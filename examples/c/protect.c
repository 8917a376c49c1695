/* SPDX-License-Identifier: Apache-2.0 */
/* examples/c/protect.c - a change that is rolled back when it fails, in forty lines.
 *
 *   cc protect.c $(pkg-config --cflags --libs backout) -o protect
 *   ./protect sqlite:shop.db 'UPDATE products SET price = price * 2'
 */
#include <backout/backout.h>
#include <stdio.h>
#include <string.h>

static int fail(const bo_error *err)
{
    fprintf(stderr, "%s\n", err->text);
    return bo_status_exit_code(err->status);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return fprintf(stderr, "usage: protect URL SQL\n"), 2;
    bo_error err = {0};
    bo_session *session = NULL;
    bo_run *run = NULL;
    bo_point_list *made = NULL;
    bo_rollback *undone = NULL;
    const bo_settings settings = {
        .catalog_url = "sqlite:.backout/catalog.db", .repository = ".backout/repository"};
    const bo_database database = {.url = argv[1]};
    const bo_point_options point = {.migration = "example"};

    if (bo_session_open(&settings, &session, &err) != BO_OK)
        return fail(&err);
    bo_status st = bo_run_begin(session, &database, &point, &run, &err);
    if (st == BO_OK)
        st = bo_sql_execute(&database, bo_run_id(run), argv[2], strlen(argv[2]), false, true, &err);
    if (st == BO_OK)
        st = bo_run_end(run, &made, &err);
    if (st == BO_OK)
        printf("done; undo it with: backout execute %s\n", bo_point_list_get(made, 0)->id);
    else if (run && bo_run_fail(run, err.text, &undone, &(bo_error){0}) == BO_OK)
        printf("rolled back, proof: %s\n", undone->proof);
    bo_rollback_free(undone);
    bo_point_list_free(made);
    bo_run_free(run);
    bo_session_free(session);
    return st == BO_OK ? 0 : fail(&err);
}
