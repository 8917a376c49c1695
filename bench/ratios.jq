# SPDX-License-Identifier: Apache-2.0
# bench/ratios.jq - rows of the record as gnuplot reads them, the slowest first: label, ratio, target.
[.cases | to_entries[] | .key as $case | select($case | IN("point", "restore", "rollback", "verify", "mariadb", "sqlite"))
    | .value.results[] | select(.ratio)
    | {ratio, target, label: "\({mariadb: "MariaDB: ", sqlite: "SQLite: "}[$case] // "")\(.what)  |  \(.peer | gsub("`"; ""))"}]
| sort_by(-.ratio)[] | "\"\(.label)\" \(.ratio) \(.target // "nan")"
