#!/bin/sh
# all.sh: what `make test` runs, phase by phase; the last line sums up "N passed, N failed".
#
#   lint        purity line, layers, style
#   tests       every test program and the fuzz corpora, built as shipped
#   ratios      speed against a plain scan and a binary heap, built and run alike
#   sanitizers  the same under AddressSanitizer and UndefinedBehaviorSanitizer
#   compilers   clang and gcc, -O0 and -O3, sanitizers: the same bytes in every result
#   ranks       the same sweep by the pool and by MPI; sweeps killed in the middle and continued
set -u
cd "$(dirname "$0")/.."
jobs=$(nproc 2>/dev/null || echo 2)
make="make --no-print-directory -j$jobs"
totals=$(mktemp)
log=$(mktemp)
trap 'rm -f "$totals" "$log"' EXIT

# phase NAME COMMAND...: a phase that prints its own totals, or counts as one check.
phase() {
    name=$1
    shift
    echo "== $name"
    begin=$(date +%s)
    "$@" >"$log" 2>&1
    code=$?
    cat "$log"
    sum=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
    if [ -z "$sum" ]; then
        if [ $code -eq 0 ]; then sum="1 passed, 0 failed"; else sum="0 passed, 1 failed"; fi
    elif [ $code -ne 0 ] && echo "$sum" | grep -q ' 0 failed'; then
        echo "0 passed, 1 failed" >>"$totals" # Its tests passed, the program around them did not.
    fi
    echo "$sum" >>"$totals"
    echo "== $name: $sum, $(($(date +%s) - begin)) s"
}

phase lint $make lint
phase tests $make quick-test
phase ratios $make quick-bench
phase sanitizers $make asan
phase compilers tests/cli/compilers.sh
phase ranks tests/cli/ranks.sh
awk '{p += $1; f += $3} END {print p + 0 " passed, " f + 0 " failed"; exit f > 0 || p == 0}' "$totals"
