#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tests/cli/meanwhile.bats - commands that wait for another one find what that one has made.

load ../support/bats/common
load shop
setup() {
    common_setup
    make_shop
}

# hold: a writer keeps the database locked until let_go.
hold() {
    mkfifo tap
    sqlite3 shop.db <tap >held 3>&- &
    holder=$!
    exec 4>tap
    echo "BEGIN IMMEDIATE; SELECT 'held';" >&4
    eventually grep -q held held
}

let_go() {
    exec 4>&-
    wait "$holder"
}

# find_creating: the point that is being taken; its id is in $id.
find_creating() {
    id=$(backout list --output json | jq -er '.[] | select(.status == "creating") | .id')
}

@test "release does not end the capture of a point that was being taken, unasked" {
    hold
    backout -q point create --db shop.db --tables items --method both >made 2>&1 3>&- 4>&- &
    local maker=$!
    eventually find_creating
    backout point release "$id" >released 2>&1 3>&- 4>&- &
    local releaser=$! code=0
    eventually opened "$releaser" catalog.db
    sleep 0.5 # it has read the point, and waits
    let_go
    wait "$maker"
    wait "$releaser" || code=$?
    [ "$code" = 3 ] || { cat released; false; }
    [[ $(<released) == *"'$id' is not sealed"* ]] || { cat released; false; }
    run -0 --separate-stderr backout details "$id" --output json
    [ "$(jq -c '[.status, .released_at, .tables[0].captured]' <<<"$output")" = \
        '["ready",null,true]' ]
    run -0 backout -q point release "$id" --yes
}
