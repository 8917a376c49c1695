/* SPDX-License-Identifier: Apache-2.0 */
/* tests/fault/network.c - the way to the server leads through a proxy that harms it. */
#include "fault/network.h"

#include "fault/scene.h"

proxy *network_proxy(world_engine engine, const proxy_plan *plan, volatile bool *harmed)
{
    char path[108];
    if (engine == WORLD_MARIADB)
        (void)snprintf(path, sizeof path, "%s/socket", getenv("BACKOUT_TEST_MY_DIR"));
    else
        (void)snprintf(path, sizeof path, "%s/.s.PGSQL.%s", getenv("BACKOUT_TEST_PG_DIR"),
            getenv("BACKOUT_TEST_PG_PORT"));
    return proxy_start(path, plan, harmed);
}

void network_url(world_engine engine, const proxy *through, const char *database,
    const char *options, char out[512])
{
    (void)snprintf(out, 512, "%s@127.0.0.1:%u/%s?%s",
        engine == WORLD_MARIADB ? "mariadb://root" : "postgresql://postgres", proxy_port(through),
        database, options);
}

void network_arm(scene *s)
{
    /* ends soon what else would wait for a minute */
    static const char *const hurry[] = {
        [WORLD_POSTGRES] = "connect_timeout=2&tcp_user_timeout=1500&keepalives_idle=1"
                           "&keepalives_interval=1&keepalives_count=2",
        [WORLD_MARIADB] = "connect_timeout=2&link_timeout=2"};
    static char url[512];
    const world_engine engine = s->setting.engine;
    proxy_plan plan = *s->network;
    plan.nth = s->fault.nth;
    const proxy *through = network_proxy(engine, &plan, &s->found->fired);
    network_url(engine, through, s->w->created, hurry[engine], url);
    s->w->database.url = url;
    if (s->setting.shared)
        s->w->settings.catalog_url = url;
}
