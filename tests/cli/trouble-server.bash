# SPDX-License-Identifier: Apache-2.0
# tests/cli/trouble-server.bash - a server in trouble: a hundred orders on it, and a rollback that can be
# stopped in its middle.  The test defines rows(), pause() and writing(), and loads trouble before.
# shellcheck disable=SC2034,SC2154 # $id, $before and $server_program are of the test

own_server='' # by start_own_server

# What the change will be, and the rows before it.
prepare_damage() {
    echo 'UPDATE orders SET total = 0 WHERE id <= 10; DELETE FROM orders WHERE id = 20;' >damage.sql
    before=$(rows)
}

# The change, as a point in $id; its rows are in $damaged.
damage() {
    id=$(backout -q run --db shop damage.sql --output json | jq -r .id)
    damaged=$(rows)
}

# Starts a rollback and returns when it is in the middle of its writing: $pid, file `told`.
begin_rollback() {
    backout execute "$id" --yes >told 2>&1 &
    pid=$!
    eventually writing
}

told() {
    grep -qF -- "$1" told || { cat told >&2; return 1; }
}

# After trouble: the rows are as damaged, and the rollback works.
rollback_works() {
    [ "$(rows)" = "$damaged" ]
    pause 0
    run -0 --separate-stderr backout execute "$id" --yes
    [ "$(rows)" = "$before" ]
}

# hold_by SQL CLIENT...: the client executes it and keeps its session open until let_go; what it
# answers is in `holding`.
hold_by() {
    local sql=$1
    shift
    mkfifo tap
    "$@" <tap >holding 2>&1 &
    holder=$!
    exec 9>tap
    printf '%s\n' "$sql" >&9
    eventually test -s holding
}

let_go() {
    exec 9>&-
    ended "$holder"
    rm tap holding
}

# start_own_server DIR [SETTING...]: a server like that in DIR, for this test alone; $server_program starts
# it.
start_own_server() {
    local variables
    own_server=$(mktemp -d "${TMPDIR:-/tmp}/server.XXXXXX")
    chmod 711 "$own_server"
    shared_server=$("$server_program" env "$1")
    variables=$("$server_program" start "$own_server/server" "${@:2}")
    eval "$variables"
}

# Ends it, if there is one, and returns to the one that all share.
end_own_server() {
    [ -n "$own_server" ] || return 0
    "$server_program" stop "$own_server/server"
    rm -rf "$own_server"
    eval "$shared_server"
    own_server=''
}
