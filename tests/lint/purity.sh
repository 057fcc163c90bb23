#!/bin/sh
# purity.sh BUILD OBJECT...: the purity line, checked by machine.
#
# Links the pure objects with each other and nothing else. What is still undefined must be in
# pure_symbols.txt; nothing in them may be writable data. A stray time(), rand(), printf() or static
# variable fails here by name.
set -e
build=$1
shift
here=$(dirname "$0")
ld -r -o "$build/pure.o" "$@"
nm -u "$build/pure.o" | awk '{print $2}' | sort -u | grep -v -E '^(__asan|__ubsan|__lsan|_GLOBAL_OFFSET)' >"$build/pure.undefined" || true
grep -v '^#' "$here/pure_symbols.txt" | sort -u >"$build/pure.allowed"
stray=$(comm -23 "$build/pure.undefined" "$build/pure.allowed")
if [ -n "$stray" ]; then
    echo "purity: the pure core must not call:" $stray >&2
    for object in "$@"; do
        for name in $stray; do
            nm -u "$object" | grep -qw "$name" && echo "  $name in $object" >&2
        done
    done
    exit 1
fi
# Constant tables of pointers are relocated once and then read-only: .data.rel.ro is no writable data.
writable=$(nm -f sysv "$build/pure.o" | awk -F'|' '{gsub(/ /, "")}
    $3 ~ /^[bBdDsSgG]$/ && $7 !~ /^\.data\.rel\.ro/ && $1 !~ /^(__asan|__ubsan|\.L|\.str)/ {print $1}')
if [ -n "$writable" ]; then
    echo "purity: the pure core must not have writable globals:" $writable >&2
    exit 1
fi
echo "purity: $(wc -l <"$build/pure.undefined") outside symbols, all allowed; no writable globals"
