# SPDX-License-Identifier: Apache-2.0
# tests/cli/standby.bats - a standby of PostgreSQL: looked at, lagging behind, and promoted.

load ../support/bats/common
load ../support/as-user
load trouble
load trouble-server

setup() {
    server_program=$BATS_TEST_DIRNAME/../support/pg-server
    common_setup
    [ -n "${BACKOUT_TEST_PG_DIR:-}" ] || skip "no PostgreSQL server"
    start_own_server "$BACKOUT_TEST_PG_DIR"
    start_standby
    pg_database
    sql -c "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'a' FROM generate_series(1, 50) i"
    standby_url=${PG_URL/$BACKOUT_TEST_PG_DIR/$own_server/standby}
    echo "UPDATE t SET v = 'b' WHERE id <= 7; DELETE FROM t WHERE id > 48" >change.sql
    before=$(rows)
    backout -q init
    caught_up
}
teardown() {
    cd /
    [ -z "${own_server:-}" ] || as_user postgres pg_ctl stop -w -s -m immediate -D "$own_server/standby/data" || true
    end_own_server
}

rows() { sql -c 'SELECT * FROM t ORDER BY 1'; }
on_standby() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$standby_url" "$@"; }

start_standby() {
    local dir=$own_server/standby super=$BACKOUT_TEST_PG_SUPER_URL
    cd "$own_server" || return
    as_user postgres tee -a "$own_server/server/data/pg_hba.conf" >/dev/null <<<"local replication all trust"
    psql -X -q "$super" -c 'SELECT pg_reload_conf()' >/dev/null
    mkdir -m 700 "$dir"
    [ "$(id -u)" -ne 0 ] || chown postgres "$dir"
    as_user postgres pg_basebackup -R -c fast -D "$dir/data" -h "$BACKOUT_TEST_PG_DIR" -p "$BACKOUT_TEST_PG_PORT" -U postgres
    as_user postgres tee -a "$dir/data/postgresql.auto.conf" >/dev/null <<<"unix_socket_directories = '$dir'
listen_addresses = ''"
    as_user postgres pg_ctl start -w -s -D "$dir/data" -l "$dir/log" -o "-p $BACKOUT_TEST_PG_PORT" >/dev/null 3>&-
    cd "$BATS_TEST_TMPDIR/work" || return
}

# As far as the primary is now.
reached() {
    [ "$(on_standby -c "SELECT pg_last_wal_replay_lsn() >= '$1'")" = t ]
}
caught_up() {
    eventually reached "$(sql -c 'SELECT pg_current_wal_lsn()')"
}

@test "a lagging standby seals no point, and a look at it is said to be one" {
    run -0 --separate-stderr backout point create --db "$PG_URL"
    [[ $stderr != *replica* ]]
    psql -X -q "${standby_url/user=app/user=postgres}" -c 'SELECT pg_wal_replay_pause()'
    sql -f change.sql
    run -0 --separate-stderr backout verify latest --db "$standby_url"
    said 'warning: the server is a replica: rows are read as it has them, which may be behind its primary'
    run -3 --separate-stderr backout point seal latest --db "$standby_url"
    said 'because: the server is a replica: the end of the change may not have reached it yet'
    said 'hint: name the primary with --db'
    run -0 --separate-stderr backout point seal latest
    [[ $output == *"the change touched 9 rows"* ]]
    backout -q execute latest --type partial --yes
    [ "$(rows)" = "$before" ]
    run -0 --separate-stderr backout point create --db "$standby_url"
    said 'warning: the server is a replica'
}

@test "what cannot be begun on a standby leaves nothing to look after" {
    for command in 'point create DB --method capture' 'run DB change.sql' 'run DB --dry-run change.sql'; do
        # shellcheck disable=SC2086 # words
        run -3 --separate-stderr backout ${command/DB/"--db $standby_url"}
        said 'because: the server is a replica: it cannot be written to'
        said 'hint: name the primary with --db'
        [[ $stderr != *"still there"* ]]
    done
    run -0 backout doctor --db "$standby_url"
}

@test "what was captured on the primary is taken back on the standby that took over" {
    backout -q run --db "$PG_URL" --method capture change.sql
    sql -c "UPDATE t SET v = 'other' WHERE id = 20"
    expected=$(sed 's/^20|a$/20|other/' <<<"$before")
    caught_up
    cd /
    "$server_program" stop "$own_server/server"
    as_user postgres pg_ctl promote -w -s -D "$own_server/standby/data"
    cd -
    run -0 --separate-stderr backout execute latest --type partial --yes --db "$standby_url"
    [[ $output == *"proof: match"* ]]
    [ "$(on_standby -c 'SELECT * FROM t ORDER BY 1')" = "$expected" ]
    backout -q point release latest --db "$standby_url"
    [ "$(on_standby -c "SELECT count(*) FROM pg_namespace WHERE nspname = 'backout'")" = 0 ]
}
