# SPDX-License-Identifier: Apache-2.0
# bench/mariadb.bash - a MariaDB server of our own, on a private socket, durable; started by the first case
# that needs it.

mariadb_server=""

# MariaDB refuses to run as root; Debian's package brings the user 'mysql'.
as_mariadb() {
    (cd / && as_user mysql "$@")
}

mariadb_configuration() {
    cat <<END
[mariadbd]
datadir = $mariadb_server/data
tmpdir = $mariadb_server
socket = $mariadb_server/socket
pid_file = $mariadb_server/pid
log_error = $mariadb_server/log
skip_networking
skip_log_bin
character_set_server = utf8mb4
default_time_zone = '+00:00'
innodb_buffer_pool_size = $(of_memory 20 2048 | tr -d B)
innodb_log_file_size = 1G
innodb_flush_log_at_trx_commit = 1
END
}

start_mariadb() {
    [ -z "$mariadb_server" ] || return 0
    PATH=$PATH:/usr/sbin # the server's program is there in Debian
    mariadb_server=$WORK/my
    install -d -m 711 "$mariadb_server"
    if [ "$(id -u)" -eq 0 ]; then
        chown mysql "$mariadb_server"
    fi
    mariadb_configuration | as_mariadb tee "$mariadb_server/my.cnf" >/dev/null
    as_mariadb mariadb-install-db --defaults-file="$mariadb_server/my.cnf" --skip-test-db \
        --auth-root-authentication-method=normal >/dev/null 2>&1 || die "mariadb-install-db failed"
    as_mariadb mariadbd --defaults-file="$mariadb_server/my.cnf" >/dev/null 2>&1 </dev/null &
    local tries
    for ((tries = 0; ; tries++)); do
        mariadb_sql -e "SELECT 1" >/dev/null 2>&1 && break
        [ $tries -lt 600 ] || die "MariaDB does not start: $(as_mariadb tail -n 5 "$mariadb_server/log")"
        sleep 0.1
    done
    export MARIADB_SOCKET=$mariadb_server/socket
    export MARIADB_URL="mariadb://root@localhost/orders?socket=$MARIADB_SOCKET"
}

stop_mariadb() {
    [ -n "$mariadb_server" ] && [ -e "$mariadb_server/pid" ] || return 0
    kill "$(cat "$mariadb_server/pid")"
    while [ -e "$mariadb_server/pid" ]; do
        sleep 0.1
    done
}

mariadb_sql() { # OPTION...
    mariadb --no-defaults --batch --skip-column-names --socket="$mariadb_server/socket" --user=root "$@"
}
