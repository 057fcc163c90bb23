#!/bin/sh
# run.sh BUILD PROGRAM...: run each cmocka program, a line each, and sum up.
# A program that fails, crashes or runs no test is a failure; its output is shown.
build=$1
shift
passed=0
failed=0
skipped=0
export BERTH="$build/berth"
: "${BERTH_TRACES:=../shared/traces}"
export BERTH_TRACES
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for program in "$@"; do
    name=${program#"$build"/tests/}
    timeout "${TEST_TIMEOUT:-600}" "$program" >"$log" 2>&1
    code=$?
    ok=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s)\..*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
    bad=$(grep '^\[  FAILED  \] [A-Za-z_]' "$log" | sort -u | wc -l)
    skip=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test(s).*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
    if [ "$code" -eq 0 ] && [ "$ok" -eq 0 ] && [ "$skip" -eq 0 ]; then bad=1; echo "no test was run" >>"$log"; fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    skipped=$((skipped + skip))
    if [ "$bad" -ne 0 ]; then
        printf 'FAIL %s (exit %s)\n' "$name" "$code"
        cat "$log"
    else
        printf 'ok   %s: %s\n' "$name" "$ok"
        grep '^left out:' "$log"
    fi
done
echo "$passed passed, $failed failed$([ "$skipped" -gt 0 ] && echo ", $skipped skipped")"
[ "$failed" -eq 0 ] && { [ -z "$STRICT" ] || [ "$skipped" -eq 0 ]; }
