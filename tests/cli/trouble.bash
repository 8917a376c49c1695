# SPDX-License-Identifier: Apache-2.0
# tests/cli/trouble.bash - what tests of trouble share: sentences, small and read-only disks, damage,
# a server that is in trouble.
# shellcheck disable=SC2034,SC2154 # $code is for the test; $stderr, $before are those of the test

mounted=()    # by small_disk
own_server='' # by start_own_server

# said TEXT: a line for people has TEXT in it.
said() {
    [[ $stderr == *"$1"* ]] || {
        printf 'expected: %s\nbut said:\n%s\n' "$1" "$stderr" >&2
        return 1
    }
}

# Nothing is different from what it was when the test began.
unchanged() {
    [ "$(rows)" = "$before" ]
}

# No point is there that a rollback could use; attempts that failed are listed as failed.
no_point() {
    [ "$(backout list --output json | jq 'map(select(.status != "failed")) | length')" = 0 ]
}

# small_disk DIR SIZE: a file system of SIZE bytes (1m) at DIR.
small_disk() {
    mkdir -p "$1"
    mount -t tmpfs -o "size=$2,mode=700" backout-test "$1" 2>/dev/null || skip "no right to mount"
    mounted+=("$PWD/$1")
}

# read_only DIR: nothing in the small disk at DIR can be written any more.
read_only() {
    mount -o remount,ro "$1"
}

unmount() {
    local dir
    for dir in "${mounted[@]}"; do
        umount -l "$dir"
    done
    mounted=()
}

# flip FILE: another bit in the middle of it.
flip() {
    local at size byte
    size=$(stat -c %s "$1")
    at=$((size / 2))
    byte=$(od -An -tu1 -j "$at" -N 1 "$1")
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %x $((byte ^ 1)))" |
        dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# eventually COMMAND...: within ten seconds it succeeds.
eventually() {
    local _
    for _ in $(seq 100); do
        "$@" && return
        sleep 0.1
    done
    return 1
}

# ended PID: waits for a process of this test; its exit code is in $code.
ended() {
    code=0
    wait "$1" || code=$?
}

# ---- a server and a hundred orders; the test defines rows(), pause(), writing() ----

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

# start_own_server DIR: a server like that in DIR, for this test alone; $server_program starts it.
start_own_server() {
    local variables
    own_server=$(mktemp -d "${TMPDIR:-/tmp}/server.XXXXXX")
    chmod 711 "$own_server"
    shared_server=$("$server_program" env "$1")
    variables=$("$server_program" start "$own_server/server")
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
