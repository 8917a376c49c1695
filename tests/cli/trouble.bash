# SPDX-License-Identifier: Apache-2.0
# tests/cli/trouble.bash - what tests of trouble share: sentences, small and read-only disks, damage.
# shellcheck disable=SC2034,SC2154 # $code is for the test; $stderr, $before are those of the test

mounted=() # by small_disk

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

# No point is there that a rollback could use; attempts that failed are not listed.
no_point() {
    [ "$(backout list --output json)" = "[]" ]
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
        rmdir "$dir" 2>/dev/null || true
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

# hold_file FILE SQL...: a program executes it and keeps the database open until let_file_go; it is process
# $holder.
hold_file() {
    sqlite3 "$@" '.shell touch held; while [ -e held ]; do sleep 0.1; done' >/dev/null &
    holder=$!
    eventually test -e held
}

let_file_go() {
    rm held
    ended "$holder"
}

# ended PID: waits for a process of this test; its exit code is in $code.
ended() {
    code=0
    wait "$1" || code=$?
}
