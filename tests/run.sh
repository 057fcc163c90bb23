#!/bin/sh
# run.sh BUILD PROGRAM...: run each cmocka program, as many at a time as there are cores, a line
# each as it ends, and sum up. A program that fails, crashes or runs no test is a failure; its output
# is shown. JOBS=1 runs them one after the other.
build=$1
shift
export BERTH="$build/berth"
: "${BERTH_TRACES:=../shared/traces}"
export BERTH_TRACES
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export logs build

# one PROGRAM: runs it and leaves "passed failed skipped" in a file of its own.
cat >"$logs/one" <<'ONE'
program=$1
name=${program#"$build"/tests/}
log=$logs/$(echo "$name" | tr / _)
timeout "${TEST_TIMEOUT:-600}" "$program" >"$log" 2>&1
code=$?
ok=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test(s)\..*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
bad=$(grep '^\[  FAILED  \] [A-Za-z_]' "$log" | sort -u | wc -l)
skip=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test(s).*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
if [ "$code" -eq 0 ] && [ "$ok" -eq 0 ] && [ "$skip" -eq 0 ]; then bad=1; echo "no test was run" >>"$log"; fi
echo "$ok $bad $skip" >"$log.sum"
if [ "$bad" -ne 0 ]; then
    { printf 'FAIL %s (exit %s)\n' "$name" "$code"; cat "$log"; } >"$log.out"
else
    { printf 'ok   %s: %s\n' "$name" "$ok"; grep '^left out:' "$log"; } >"$log.out"
fi
cat "$log.out"
ONE

printf '%s\n' "$@" | xargs -n 1 -P "${JOBS:-$(nproc 2>/dev/null || echo 1)}" sh "$logs/one"
cat "$logs"/*.sum | awk -v strict="$STRICT" '
    {passed += $1; failed += $2; skipped += $3}
    END {
        printf "%d passed, %d failed%s\n", passed, failed, (skipped ? ", " skipped " skipped" : "")
        exit (failed || NR == 0 || (strict != "" && skipped)) ? 1 : 0
    }'
