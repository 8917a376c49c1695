# SPDX-License-Identifier: Apache-2.0
# bench/record.jq - the record with the result $new in the place of its case; each row and each sample has a
# line of its own, so that two records can be compared by eye.
def same_machine($a; $b): [$a, $b | .processor, .cores, .memory_gib] | .[:3] == .[3:];
def lines: map("      " + tojson) | join(",\n");

def case_text:
    "    \"\(.case)\": {\n"
    + ([del(.case, .machine, .results, .samples) | to_entries[] | "      \(.key | tojson): \(.value | tojson),"]
        | join("\n"))
    + "\n      \"results\": [\n\(.results | lines)\n      ],\n      \"samples\": [\n\(.samples | lines)\n      ]\n    }";

$new[0] as $new
| (if same_machine(.machine; $new.machine) then .cases else {} end)
| .[$new.case] = ($new | del(.case))
| "{\n  \"machine\": \($new.machine | tojson),\n  \"cases\": {\n"
    + ([to_entries[] | .value + {case: .key} | case_text] | join(",\n"))
    + "\n  }\n}"
