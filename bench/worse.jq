# SPDX-License-Identifier: Apache-2.0
# bench/worse.jq - what in the result $new is worse than in the record: its ratio by more than 15 %, and no
# round as good as the record; or fewer differences found.  Only the same case with as many rows on a machine of
# the same kind says anything.
def kind: [.processor, .cores, .memory_gib];

. as $record | $new[0] as $new
| ($record.cases[$new.case] // {}) as $old
| select(($record.machine | kind) == ($new.machine | kind) and $old.rows == $new.rows)
| $new.results[] as $now
| $old.results[] | select(.what == $now.what and .peer == $now.peer)
| if .found then select($now.found < .found)
        | "\($new.case): \(.what): \($now.found) of the \(.found) that were found before"
    else select($now.ratio > .ratio * 1.15 and $now.best_ratio > .ratio)
        | "\($new.case): \(.what), beside \(.peer): \($now.ratio * 1000 | round / 1000), was \(.ratio * 1000 | round / 1000)"
    end
