# SPDX-License-Identifier: Apache-2.0
# tests/support/as-user.bash - for programs that refuse to run as root, as servers do.

# as_user USER COMMAND...: as USER when root calls it, else as whoever does.
as_user() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u "$1" -- "${@:2}"
    else
        "${@:2}"
    fi
}
