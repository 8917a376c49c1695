#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tests/cli/capture-marks.bats - what only MariaDB has: its clients' environment, and the mark of a run.

load ../support/bats/common
export BACKOUT_TEST_ENGINE=mariadb
load capture
setup() {
    common_setup
    make_captured_shop
}
teardown() { common_teardown; }

# A client that is told nothing but what the environment has, and reads no option file.
client='mariadb --no-defaults -u "$MYSQL_USER" "$MYSQL_DATABASE"'

@test "a program finds server, user and database in the environment" {
    run -0 --separate-stderr backout run --db "$DB" --tables orders -- \
        sh -c "$client -N -B -e 'SELECT DATABASE(), COUNT(*) FROM orders'"
    [ "${lines[0]}" = "$MY_DATABASE	4" ]
    run -0 --separate-stderr backout run --db "$DB" --tables orders -- sh -c \
        'echo "$MYSQL_UNIX_PORT $MYSQL_HOST ${PGAPPNAME-none} ${PGOPTIONS-none}"'
    [ "${lines[0]}" = "$BACKOUT_TEST_MY_DIR/socket localhost none none" ]
}

@test "a program that marks its writes is rolled back alone" {
    cat >change.sh <<'SH'
mariadb --no-defaults -u "$MYSQL_USER" "$MYSQL_DATABASE" -e "SET @backout_run = '$BACKOUT_RUN_ID';
    DELETE FROM customers WHERE id = 3; UPDATE orders SET total = 1 WHERE id = 10"
mariadb --no-defaults -u "$MYSQL_USER" "$MYSQL_DATABASE" -e "
    UPDATE orders SET total = 7 WHERE id = 12" # somebody else
exit 3
SH
    run -1 --separate-stderr backout run --db "$DB" --method capture --tables customers,orders -- \
        sh change.sh
    [[ $output == *"proof: match"* ]]
    [ "$(ask "SELECT COUNT(*) FROM customers")" = 3 ]
    [ "$(ask "SELECT total FROM orders WHERE id IN (10, 12) ORDER BY id" | tr '\n' ' ')" = "500 7 " ]
}

@test "the mariadb client marks its writes by itself, also with option files of the user's own" {
    mkdir own
    printf '[mysql]\ncomments\nno-auto-rehash\nskip-column-names\n' >own/my.cnf
    cat >change.sh <<'SH'
mariadb -e "DELETE FROM customers WHERE id = 3" &&
    echo "UPDATE orders SET total = 1 WHERE id = 10" | mariadb
mariadb -e "SELECT 'own'" # no heading: its own file is read, too
mariadb-dump "$MYSQL_DATABASE" orders >dump.sql
mariadb --no-defaults -u app "$MYSQL_DATABASE" -e "UPDATE orders SET total = 7 WHERE id = 12" # others
ls "$MYSQL_HOME" >&2
[ "$(stat -c %a "$MYSQL_HOME")" = 700 ] && echo "$MYSQL_HOME" >home
exit 3
SH
    local variable
    for variable in MYSQL_HOME MARIADB_HOME; do
        run -1 --separate-stderr env "$variable=own" backout run --db "$DB" --method capture \
            --tables customers,orders -- sh change.sh
        [[ $output == *"proof: match"* ]]
        [[ $stderr == *my.cnf* ]]
        [[ $output == own$'\n'* ]]
        grep -q "INSERT INTO .orders" dump.sql
        [ "$(ask "SELECT COUNT(*) FROM customers")" = 3 ]
        [ "$(ask "SELECT total FROM orders WHERE id IN (10, 12) ORDER BY id" | tr '\n' ' ')" = "500 7 " ]
        [ ! -e "$(cat home)" ]
        rm home
    done
}

@test "without a place for the option file of the client the run goes on, and says so" {
    TMPDIR=$PWD/nowhere run -0 --separate-stderr backout run --db "$DB" --method capture \
        --tables orders -- sh -c "$client -e 'UPDATE orders SET total = 1 WHERE id = 10'"
    [[ $stderr == *"warning: sessions of the mariadb client are not marked: "*"No such file"* ]]
}

@test "a failed program that does not mark its writes is in doubt" {
    run -1 --separate-stderr backout run --db "$DB" --method capture --tables customers,orders -- \
        sh -c "$client -e 'UPDATE orders SET total = 1 WHERE id = 10'; exit 3"
    [[ $stderr == *"1 row was written meanwhile and none carries the run's mark"* ]]
    [ "$(ask "SELECT total FROM orders WHERE id = 10")" = 1 ]
}

@test "a database that the configuration knows is recognized by another spelling of its URL" {
    printf 'databases: {live: {url: "%s", production: true}}\n' "$DB" >>backout.yaml
    run -3 --separate-stderr backout run --db "${DB/mariadb:/mysql:}&connect_timeout=5" -- true
    [[ $stderr == *"'live' is a production database"* ]]
}

@test "a password in the URL is refused here too" {
    run -2 --separate-stderr backout list --db mariadb://ann:geheim@db/shop
    [[ $stderr != *geheim* ]]
    [[ $stderr == *"has a password in it"* ]]
}
