# SPDX-License-Identifier: Apache-2.0
# tests/cli/pooler.bats - a PgBouncer between the program and PostgreSQL.

load ../support/bats/common
load ../support/as-user
load trouble

setup() {
    common_setup
    pooler_program=$(PATH=$PATH:/usr/sbin command -v pgbouncer) || skip "no pgbouncer"
    pg_database
    sql -c "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'a' FROM generate_series(1, 50) i"
    echo "UPDATE t SET v = 'b' WHERE id <= 7; DELETE FROM t WHERE id > 48" >change.sql
    before=$(rows)
    backout -q init
    unset pooler
}
teardown() {
    if [ -n "${pooler:-}" ]; then
        kill "$(cat "$pooler/pid")"
        rm -rf "$pooler"
    fi
    common_teardown
}

rows() { sql -c 'SELECT * FROM t ORDER BY 1'; }

# start_pooler MODE [SETTING...]: $pooled is the URL of the test's database through it.
start_pooler() {
    pooler=$(mktemp -d "${TMPDIR:-/tmp}/pooler.XXXXXX")
    chmod 711 "$pooler"
    cat >"$pooler/ini" <<END
[databases]
* = host=$BACKOUT_TEST_PG_DIR port=$BACKOUT_TEST_PG_PORT
[pgbouncer]
listen_port = 6432
unix_socket_dir = $pooler
auth_type = trust
auth_file = $pooler/users
logfile = $pooler/log
pidfile = $pooler/pid
pool_mode = $1
$(printf '%s\n' "${@:2}")
END
    echo '"app" ""' >"$pooler/users"
    if [ "$(id -u)" -eq 0 ]; then
        chown -R postgres "$pooler"
    fi
    as_user postgres "$pooler_program" -q -d "$pooler/ini" 3>&-
    pooled="postgresql:///$PG_DATABASE?host=$pooler&port=6432&user=app"
    eventually psql -X -q "$pooled" -c ''
}

# What another session of the pool finds.
settings() {
    psql -X -q -A -t "$pooled" -c "SELECT name, setting FROM pg_settings WHERE source = 'session'
        AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'TimeZone', 'standard_conforming_strings')" \
        -c 'SELECT name FROM pg_prepared_statements' -c 'SELECT count(*) FROM t'
}

refused() {
    said 'because: a pooler (such as PgBouncer) is between here and the server'
    said 'hint: connect to the server itself, or to a pool of sessions (PgBouncer: pool_mode = session)'
}

@test "where transactions share sessions everything is refused at once, and nothing is left to others" {
    backout -q run --db "$PG_URL" change.sql
    changed=$(rows)
    for mode in transaction statement; do
        start_pooler "$mode"
        as_found=$(settings)
        for command in 'doctor DB' 'point create DB' 'point create DB --method capture' 'backup DB t' \
            'run DB change.sql' 'run DB --dry-run change.sql' 'run DB -- false' 'restore latest DB --yes' \
            'execute latest DB --yes' 'execute latest DB --dry-run' 'verify latest DB' 'assess latest DB'; do
            # shellcheck disable=SC2086 # words
            run -3 --separate-stderr backout ${command/DB/"--db $pooled"}
            refused
        done
        [ "$(settings)" = "$as_found" ]
        kill "$(cat "$pooler/pid")"
        rm -rf "$pooler"
        unset pooler
    done
    [ "$(rows)" = "$changed" ]
    [ "$(sql -c "SELECT count(*) FROM pg_namespace WHERE nspname = 'backout'")" = 0 ]
    backout -q execute latest --yes
    [ "$(rows)" = "$before" ]
}

@test "sessions of a pool that is dealt out in turn are told apart as well" {
    start_pooler transaction server_round_robin=1 min_pool_size=4
    run -3 --separate-stderr backout point create --db "$pooled"
    refused
}

@test "through a pool of sessions a change is taken back, and its sessions are as they were" {
    start_pooler session server_reset_query=
    as_found=$(settings)
    for method in snapshot capture; do
        backout -q run --db "$pooled" --method "$method" change.sql
        [ "$(rows)" != "$before" ]
        backout -q execute latest --type partial --yes
        [ "$(rows)" = "$before" ]
        backout -q verify latest
    done
    [ "$(settings)" = "$as_found" ]
}

@test "a pool of sessions that has none left is refused after the time to connect" {
    start_pooler session default_pool_size=1
    run -3 --separate-stderr backout point create --db "$pooled&connect_timeout=2"
    refused
    said 'because: a second connection to it was not answered: all its sessions are in use'
}

@test "a program that is run gets a connection where a pooler takes no options" {
    start_pooler session
    for method in snapshot capture; do
        run -0 --separate-stderr backout run --db "$pooled" --method "$method" -- \
            sh -c "psql -X -q -c \"SET backout.run = '\$BACKOUT_RUN_ID'\" -c \"UPDATE t SET v = 'c'\""
        backout -q execute latest --type partial --yes
        [ "$(rows)" = "$before" ]
    done
    said "warning: what is between here and the server takes no 'options'"
    run -0 --separate-stderr backout run --db "$pooled" -- sh -c 'echo "options: $PGOPTIONS"'
    [ "${lines[0]}" = "options: " ]
    [[ $stderr != *warning* ]]
}
