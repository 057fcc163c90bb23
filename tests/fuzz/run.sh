#!/bin/sh
# run.sh SECONDS [TARGET...]: every fuzz target (or those named: expression) under libFuzzer with
# ASan and UBSan, one after the other. New inputs are kept in build/fuzz/corpus; a crash is written
# to build/fuzz/crashes, printed, and makes the exit status 1. To keep a found input, copy it to
# tests/fuzz/corpus/TARGET: `make test` runs it from then on.
set -u
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
build=build/fuzz
jobs=$(nproc 2>/dev/null || echo 2)
make --no-print-directory -j"$jobs" CC=clang OPT=-O1 BUILD=$build \
    SAN=fuzzer-no-link,address,undefined WARN= $build/libberth.a $build/libcore.a || exit 1
libs=$(pkg-config --libs gsl jansson zlib libpcre2-8 libcrypto sqlite3 libcurl)
cflags=$(pkg-config --cflags gsl jansson zlib libpcre2-8 libcrypto sqlite3 libcurl)
[ $# -gt 0 ] || set -- $(ls tests/fuzz/fuzz_*.c | sed 's/.*fuzz_\(.*\)\.c/\1/')
failed=0
mkdir -p $build/crashes
for target in "$@"; do
    support=$(ls tests/support/*.c | grep -v fuzz_main)
    clang -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -g -I. -I$build $cflags \
        -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
        -o $build/fuzz_"$target" tests/fuzz/fuzz_"$target".c $support \
        $build/libberth.a $build/libcore.a $libs -lcmocka -lm -pthread || exit 1
    mkdir -p $build/corpus/"$target"
    printf '%s: %s s ... ' "$target" "$seconds"
    log=$build/fuzz_$target.log
    if UBSAN_OPTIONS=print_stacktrace=1 $build/fuzz_"$target" -max_total_time="$seconds" \
        -timeout=10 -rss_limit_mb=2048 -max_len=65536 -artifact_prefix=$build/crashes/"$target"- \
        $build/corpus/"$target" tests/fuzz/corpus/"$target" >"$log" 2>&1; then
        sed -n 's/^Done \([0-9]* runs\).*/\1, no crash/p' "$log"
    else
        echo "FAILED"
        tail -n 40 "$log"
        failed=1
    fi
done
exit $failed
