# SPDX-License-Identifier: Apache-2.0
# bench/server.bash - a PostgreSQL server of our own, on a private socket, with fsync; started by the first
# case that needs it.

server=""

# PostgreSQL refuses to run as root; Debian's package brings the user 'postgres'.
as_server() {
    (cd / && as_user postgres "$@")
}

# The newest server on this machine: its programs are not on PATH in Debian.
server_programs() {
    local newest
    newest=$(find /usr/lib/postgresql -maxdepth 1 -name '[0-9]*' 2>/dev/null | sort -V | tail -n 1)
    if [ -x "$newest/bin/initdb" ]; then
        echo "$newest/bin"
    else
        dirname "$(command -v initdb)" || die "no PostgreSQL server is installed"
    fi
}

# of_memory PERCENT MOST: that share of the machine's memory, at most so many MB.
of_memory() {
    awk -v percent="$1" -v most="$2" '/^MemTotal/ {
        mb = int($2 / 1024 * percent / 100); print (mb < most ? mb : most) "MB" }' /proc/meminfo
}

configuration() {
    cat <<END
listen_addresses = ''
unix_socket_directories = '$server'
timezone = 'UTC'
shared_buffers = $(of_memory 20 2048)
work_mem = $(of_memory 5 256)
maintenance_work_mem = $(of_memory 10 1024)
max_wal_size = 3GB
autovacuum = off
jit = off
END
}

start_server() {
    [ -z "$server" ] || return 0
    postgres_programs=$(server_programs)
    server=$WORK/pg
    [ ${#server} -le 80 ] || die "$server is too long for the path of a socket"
    install -d -m 700 "$server"
    if [ "$(id -u)" -eq 0 ]; then
        chown postgres "$server"
        chmod 711 "$server" # the socket in it is for root as well
    fi
    as_server "$postgres_programs/initdb" -D "$server/data" -U postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync >/dev/null
    configuration | as_server tee -a "$server/data/postgresql.conf" >/dev/null
    as_server "$postgres_programs/pg_ctl" start -w -s -D "$server/data" -l "$server/log"
    export PGHOST=$server PGUSER=postgres PGDATABASE=orders
    export URL="postgresql:///orders?host=$server&user=postgres"
}

# database_work NAME COMMAND...: runs the command and adds a sample NAME: how long the server worked for
# it, statement by statement, as its log says.
database_work() {
    local name=$1 from
    shift
    sql "ALTER DATABASE orders SET log_min_duration_statement = 0"
    from=$(as_server stat -c %s "$server/log")
    "$@"
    sql "ALTER DATABASE orders RESET log_min_duration_statement"
    as_server tail -c "+$((from + 1))" "$server/log" | awk -v name="$name" -v round="$ROUND" '
        /CHECKPOINT$/ || /ALTER DATABASE orders/ { next }
        / duration: [0-9.]+ ms/ { sub(/.* duration: /, ""); ms += $1 }
        END { printf "{\"name\":\"%s\",\"round\":%d,\"wall\":%.6f}\n", name, round, ms / 1000 }' |
        tee -a "$WORK/samples" | jq -r '"  \(.name)  \(.wall) s"' >&2
}

stop_server() {
    [ -e "$server/data/postmaster.pid" ] || return 0
    as_server "$postgres_programs/pg_ctl" stop -w -s -m immediate -D "$server/data"
}

sql() { # STATEMENT...: each on its own
    local statements=() statement
    for statement in "$@"; do
        statements+=(-c "$statement")
    done
    psql -X -q -A -t -v ON_ERROR_STOP=1 "${statements[@]}"
}

# What was written before must not be paid for by what is measured next.
settle() {
    sync
    [ -z "$server" ] || PGDATABASE=postgres sql "CHECKPOINT"
}
