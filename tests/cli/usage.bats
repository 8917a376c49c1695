#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tests/cli/usage.bats - wrong usage exits 2 and says what was meant; help, manual, completions.

load ../support/bats/common
setup() { common_setup; }
teardown() { common_teardown; }

# usage_error MESSAGE HINT -- ARGUMENT...
usage_error() {
    local message=$1 hint=$2
    shift 3
    run -2 --separate-stderr backout "$@"
    [ "$output" = "" ]
    [ "${stderr_lines[0]}" = "backout: $message" ]
    [ "${stderr_lines[1]:-}" = "${hint:+  hint: $hint}" ]
}

@test "without a command it exits 2 and names the first steps" {
    usage_error "a command is missing" "the commands: backout help; a first look: backout demo" --
}

@test "an unknown command exits 2 and names the nearest" {
    usage_error "unknown command 'exeucte'" "did you mean 'backout execute'?" -- exeucte rb_1
}

@test "an unknown option exits 2 and names the nearest" {
    usage_error "unknown option '--dryrun'" "did you mean '--dry-run'?" -- execute rb_1 --dryrun
}

@test "a missing operand, one too many and a wrong value exit 2" {
    usage_error "'backout execute' needs ID" "usage: backout execute --help" -- execute
    usage_error "'b' is one argument too many for 'backout details'" "" -- details a b
    usage_error "--limit needs a whole number, not 'ten'" "" -- list --limit ten
    usage_error "--type is one of full|partial|transaction|backup, not 'half'" "" \
        -- execute rb_1 --type half
}

@test "run needs files or a command, not both" {
    usage_error "'backout run' needs SQL files, or '--' and a command" \
        "as in: backout run --db DB CHANGE.sql, or: backout run --db DB -- PROGRAM" -- run --db x
    touch a.sql
    run -2 --separate-stderr backout run --db x a.sql -- true
    [ "${stderr_lines[0]}" = "backout: either SQL files or a command after '--', not both" ]
}

@test "a password in a URL exits 2 and is not repeated" {
    run -2 --separate-stderr backout list --db postgresql://ann:geheim@db/shop
    [ "$output" = "" ]
    [[ $stderr != *geheim* ]]
    [[ ${stderr_lines[0]} == *"has a password in it"* ]]
    [[ ${stderr_lines[1]} == *".pgpass"* ]]
}

@test "with --output json an error is one JSON object on stdout and nothing else" {
    run -2 --separate-stderr backout --output json list --nope
    [ "$stderr" = "" ]
    [ "$(jq -r .error.status <<<"$output")" = invalid ]
    [ "$(jq -r .error.message <<<"$output")" = "unknown option '--nope'" ]
    [ "$(jq -c .error.because <<<"$output")" = "[]" ]
    BACKOUT_OUTPUT=json run -2 --separate-stderr backout nope
    [ "$(jq -r .error.status <<<"$output")" = invalid ]
}

@test "without init a command exits 3 and names init" {
    run -3 --separate-stderr backout list
    [[ ${stderr_lines[0]} == "backout: there is no catalog here"* ]]
    [ "${stderr_lines[1]}" = "  hint: begin with: backout init" ]
}

@test "a mistake in backout.yaml exits 2 with line and column" {
    printf 'databases:\n  shop:\n    urll: x\n' >backout.yaml
    run -2 --separate-stderr backout list
    [[ ${stderr_lines[0]} == *"/backout.yaml:3:5: unknown key 'urll'" ]]
}

@test "backout.yaml that others can write to is not read" {
    echo 'catalog: x' >backout.yaml
    chmod 666 backout.yaml
    run -3 --separate-stderr backout list
    [[ ${stderr_lines[0]} == *"can be written by others" ]]
}

@test "help goes to stdout and lists every command" {
    run -0 --separate-stderr backout help
    [ "$stderr" = "" ]
    local overview=$output
    for command in init demo "point create" "point seal" "point release" run list details assess \
        execute verify script export backup restore check prune doctor audit; do
        [[ $overview == *"  $command "* ]]
        run -0 backout $command --help
        [[ $output == *"usage: backout $command"* ]]
        run -0 backout help $command
    done
}

@test "help has no events in it, whatever the form of the answer" {
    backout help run >plain
    backout help run --output jsonl | cmp - plain
}

@test "the version is printed, as JSON too" {
    run -0 backout --version
    [[ $output =~ ^backout\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    run -0 backout version --output json
    [[ $(jq -r .version <<<"$output") =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "manual pages have no mistakes" {
    command -v mandoc >/dev/null || skip "no mandoc"
    for command in "" init demo "point create" "point seal" "point release" run list details assess \
        execute verify script export backup restore check prune doctor audit completion version help; do
        backout help --man $command >page.1
        mandoc -T lint -W error page.1
    done
}

@test "every manual page that another one names is installed" {
    for page in $(backout help --man | sed -n 's/^\.Xr \(backout-[a-z-]*\) 1.*/\1/p'); do
        words=${page#backout-}
        grep -F "['${words/-/\', \'}']" "$BACKOUT_SOURCE/src/cli/manual/meson.build"
    done
}

@test "completions for bash complete commands, options and choices" {
    backout completion bash >completion
    source ./completion
    COMP_WORDS=(backout point "") COMP_CWORD=2
    _backout
    [ "${COMPREPLY[*]}" = "create seal release" ]
    COMP_WORDS=(backout execute --ty) COMP_CWORD=2
    _backout
    [ "${COMPREPLY[*]}" = "--type" ]
    COMP_WORDS=(backout execute --type "") COMP_CWORD=3
    _backout
    [ "${COMPREPLY[*]}" = "full partial transaction backup" ]
    run -2 backout completion tcsh
}

@test "completions for zsh and fish name every command and its options" {
    local shell command
    for shell in zsh fish; do
        backout completion $shell >completion
        for command in init point seal execute verify restore doctor completion; do
            grep -qw -e "$command" completion
        done
        grep -q -e 'discard-later' completion
        grep -q -e 'full.*partial.*transaction.*backup' completion
    done
}

@test "output to a full device is an error" {
    [ -c /dev/full ] || skip "no /dev/full"
    run -1 --separate-stderr bash -c 'backout help >/dev/full'
    [[ $stderr == *"cannot write to the standard output"* ]]
}

@test "an empty name in --tables exits 2: it never stands for all tables" {
    local command
    for command in "execute rb_1" "restore rb_1 --db x" "point create --db x" "run --db x a.sql"; do
        # shellcheck disable=SC2086 # several words
        usage_error "--tables needs a value" "" -- $command --tables ""
        # shellcheck disable=SC2086
        usage_error "--tables needs a value" "" -- $command --tables " "
        # shellcheck disable=SC2086
        usage_error "--tables has an empty name in 'a,,b'" "" -- $command --tables a,,b
        # shellcheck disable=SC2086
        usage_error "--tables has an empty name in 'a,'" "" -- $command --tables=a,
    done
}

@test "blanks around the names of --tables are no part of them" {
    backout -q init
    sqlite3 shop.db 'CREATE TABLE "a,b" (x); CREATE TABLE c (x)'
    run -0 --separate-stderr backout point create --db shop.db --tables '"a,b" , c' --output json
    [ "$(jq -c '[.tables[].name]' <<<"$output")" = '["\"a,b\"","c"]' ]
}
