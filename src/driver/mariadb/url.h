/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/url.h - mariadb://user:password@host:port/database?socket=/path, taken apart.
 */
#ifndef BO_DRIVER_MARIADB_URL_H
#define BO_DRIVER_MARIADB_URL_H

#include <stdbool.h>

#include "base/error.h"
#include "base/scope.h"

/** Every text is decoded; NULL: not given, so that the client library's option files may say it. */
typedef struct my_url {
    char *user;
    char *password;
    char *host;
    char *database; /* never NULL */
    char *socket;
    char *ssl_ca; /* a file of certificates, which the server's must fit */
    bool ssl;     /* never without encryption */
    unsigned port;
    unsigned connect_timeout_s; /* 0: not given */
    unsigned link_timeout_s;    /* of silence until the link counts as broken; 0: not given */
} my_url;

/** @retval BO_INVALID without a part of `text` that may be a password. */
bo_status my_url_parse(const char *text, my_url **out, bo_error *err);
void my_url_free(my_url *url); /* NULL is ignored */
BO_DEFINE_SCOPE(my_url);

#endif
