#!/bin/sh
# compilers.sh [SCENARIO...]: one scenario, many builds, the same bytes in every file but PNGs.
#
# Builds berth as shipped (optimised at link time), with each compiler that is installed plainly at
# two levels, and with sanitizers, runs the scenarios (default: failures, spot, queues, a CSV) and
# compares the results folders with those of the first build. The last line is "N passed, M failed".
set -u
cd "$(dirname "$0")/../.."
jobs=$(nproc 2>/dev/null || echo 2)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0
failed=0

[ $# -gt 0 ] || set -- scenarios/first-look.json scenarios/spot.json scenarios/theory/erlang-c.json \
    scenarios/theory/packing.json

# builds: FOLDER CC OPT SAN
cat >"$out/builds" <<END
build gcc default
build/gcc-O0 gcc -O0
build/gcc-O3 gcc -O3
build/clang-O0 clang -O0
build/clang-O3 clang -O3
build/asan gcc -O1 address,undefined
END

report() { # CODE WORDS
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok   $2"
    else
        failed=$((failed + 1))
        echo "FAIL $2"
    fi
}

first=
while read -r folder cc opt san; do
    if ! command -v "$cc" >/dev/null 2>&1; then
        echo "left out: $folder, no $cc"
        [ -z "${STRICT:-}" ] || report 1 "$cc is not installed"
        continue
    fi
    level=OPT=$opt
    [ "$opt" != default ] || level=
    if ! make --no-print-directory -s -j"$jobs" BUILD="$folder" CC="$cc" $level SAN="${san:-}" \
        "$folder/berth" >"$out/log" 2>&1; then
        tail -n 20 "$out/log"
        report 1 "$folder does not build"
        continue
    fi
    for scenario in "$@"; do
        name=$(basename "$scenario" .json)
        # Few replications, events of everything: breadth, not precision.
        if ! "$folder/berth" run --quiet --replications 4 --out "$out/$folder/$name" "$scenario" \
            >"$out/$name.txt" 2>&1; then
            cat "$out/$name.txt"
            report 1 "$folder: $scenario"
            continue
        fi
        # What is printed names the folder; the rest of it must be the same as well.
        sed "s#$out/$folder#OUT#" "$out/$name.txt" >"$out/$folder/$name/printed.txt"
        [ -n "$first" ] || continue
        diff -r -q -x '*.png' "$out/$first/$name" "$out/$folder/$name" </dev/null
        report $? "$folder ($cc $opt${san:+, $san}): $name as from $first"
    done
    [ -n "$first" ] || first=$folder
done <"$out/builds"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
