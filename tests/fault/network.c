/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/network.c - the way to the server leads through a proxy that harms it. */
#include "fault/scene.h"

/* Ends soon what would else wait for a minute. */
static const char *const hurry[] = {[WORLD_POSTGRES] =
                                        "connect_timeout=2&tcp_user_timeout=1500&keepalives_idle=1"
                                        "&keepalives_interval=1&keepalives_count=2",
    [WORLD_MARIADB] = "connect_timeout=2"};
static const char *const schemes[] = {
    [WORLD_POSTGRES] = "postgresql://postgres", [WORLD_MARIADB] = "mariadb://root"};

/* The server's own socket: it sees the users that it always sees. */
static void find_socket(world_engine engine, char out[108])
{
    if (engine == WORLD_MARIADB)
        (void)snprintf(out, 108, "%s/socket", getenv("BACKOUT_TEST_MY_DIR"));
    else
        (void)snprintf(out, 108, "%s/.s.PGSQL.%s", getenv("BACKOUT_TEST_PG_DIR"),
            getenv("BACKOUT_TEST_PG_PORT"));
}

void network_arm(scene *s)
{
    static char url[512];
    char path[108];
    proxy_plan plan = *s->network;
    plan.nth = s->fault.nth;
    find_socket(s->setting.engine, path);
    const proxy *through = proxy_start(path, &plan, &s->found->fired);
    (void)snprintf(url, sizeof url, "%s@127.0.0.1:%u/%s?%s", schemes[s->setting.engine],
        proxy_port(through), s->w->created, hurry[s->setting.engine]);
    s->w->database.url = url;
    if (s->setting.shared)
        s->w->settings.catalog_url = url;
}
