/* SPDX-License-Identifier: Apache-2.0 */
/* src/driver/mariadb/kind.h - what MariaDB's types have in common; docs/design/image.md. */
#ifndef BO_DRIVER_MARIADB_KIND_H
#define BO_DRIVER_MARIADB_KIND_H

/** What of a type decides how its values are read and written. */
typedef enum my_kind {
    MY_PLAIN,    /* number, date or time: the server's text */
    MY_REAL,     /* FLOAT, DOUBLE: the shortest text of the same double */
    MY_LABEL,    /* ENUM, SET: the number, as text */
    MY_BYTES,    /* CHAR, VARCHAR, TEXT, JSON, BINARY, BLOB, BIT, spatial types: as stored */
    MY_READABLE, /* UUID, INET4, INET6: the server's text, written as text */
} my_kind;
/** Of a type as the server writes it: "enum('a','b')". */
my_kind my_kind_of(const char *type);

#endif
