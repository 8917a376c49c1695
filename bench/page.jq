# SPDX-License-Identifier: Apache-2.0
# bench/page.jq - the record becomes docs/benchmarks.md.
include "table";

. as $record
| [$order | split(" ")[] | select($record.cases[.])] as $cases
| ([$cases[] | $record.cases[.].versions] | add // {}) as $versions
| ([$cases[] as $case | $record.cases[$case].results[] | select(.target)]) as $judged
| "# Benchmarks",
"",
"backout beside what people use today and beside the physical limit: the same rows, the same machine, the same run.",
"This page is written by `make bench` from [results.json](../bench/results.json), which has every sample. How it is measured: [bench](../bench/README.md).",
"",
"\(.machine.processor), \(.machine.cores) cores, \(.machine.memory_gib) GiB, \(.machine.kernel). \($versions | to_entries | map("\(.key) \(.value)") | join(", ")).",
"",
"A ratio is backout's time by that of the other, within a round, and the median of the rounds; below 1 backout takes less. Seconds, memory and bytes are *backout's / the other's*; memory is that of the program, not of the server. Everything is cached, so these are limits of the CPU. Of \($judged | length) rows with a target, \([$judged[] | select(.ratio <= .target)] | length) meet it.",
"",
($plots | split("\n")[] | if . == "ratios"
    then "![Ratios of time, one bar for each row of the tables](images/bench-ratios.svg)"
    else "![\(.): seconds by \(if . == "undo" then "changed rows" else "rows of the table" end), backout and others](images/bench-\(.).svg)" end, ""),
"The bars come from the tables below\(if $record.cases.growth then ", the curves from `make bench CASES=growth`" else "" end).",
($cases[] as $case | "", ($record.cases[$case] + {$case} | section))
