#!/bin/bash
# ranks.sh: a sweep by the pool and by the ranks of an MPI job, the same bytes in every file.
#
# Builds berth with MPI=1, compares results of 1, 2 and 5 processes with those of 1, 3 and 5 ranks,
# then kills sweeps in the middle, each in another way, and continues them. The last line is
# "N passed, M failed". Without mpirun it is left out, but a failure under CI=true.
set -u
cd "$(dirname "$0")/../.."
if ! command -v mpirun >/dev/null 2>&1; then
    echo "left out: no mpirun (Debian: apt-get install libopenmpi-dev openmpi-bin)"
    if [ "${CI:-}" = true ] || [ -n "${STRICT:-}" ]; then echo "0 passed, 1 failed"; exit 1; fi
    echo "0 passed, 0 failed"
    exit 0
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0
failed=0
plain=build/berth
ranks=build/mpi/berth
export TMPDIR=$out OMPI_MCA_rmaps_base_oversubscribe=1

report() { # CODE WORDS
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
        echo "ok   $2"
    else
        failed=$((failed + 1))
        echo "FAIL $2"
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

mpi() { # RANKS ARGUMENT...
    local count=$1
    shift
    timeout 120 mpirun --allow-run-as-root --oversubscribe -n "$count" "$ranks" "$@"
}

cat >"$out/sweep.json" <<'END'
{"version": 1, "name": "sweep", "question": "Which one?",
 "fleet": {"m": {"count": 6, "cpu": 2048, "memory": 4096, "zones": ["a", "b", "c"]}},
 "taskDefinitions": {
   "web": {"definition": {"containerDefinitions": [{"name": "w", "image": "w", "cpu": 256, "memory": 512}]}},
   "job": {"definition": {"containerDefinitions": [{"name": "j", "image": "j", "cpu": 700, "memory": 900}]},
           "lifetime": {"distribution": "exponential", "mean": 120}}},
 "services": {"web": {"taskDefinition": "web", "desiredCount": 6}},
 "arrivals": {"jobs": {"taskDefinition": "job", "ratePerHour": 300, "onFull": "wait"}},
 "timeline": {"dies": {"at": 300, "fail": {"instance": 1, "mode": "terminate", "for": 200}}},
 "run": {"duration": 3600, "events": true},
 "compare": {"variants": {
   "spread": {"run": {"placementStrategy": [{"type": "spread", "field": "attribute:ecs.availability-zone"}]}},
   "binpack": {"run": {"placementStrategy": [{"type": "binpack", "field": "memory"}]}},
   "random": {"run": {"placementStrategy": [{"type": "random"}]}}}}}
END
sweep=$out/sweep.json

for build in "$plain" "$ranks"; do
    option=
    [ "$build" = "$ranks" ] && option="MPI=1 OPT=-O2" # plain: ready sooner
    if ! make --no-print-directory -s -j"$(nproc 2>/dev/null || echo 2)" $option "$build" >"$out/log" 2>&1; then
        tail -n 20 "$out/log"
        report 1 "$build does not build"
        finish
    fi
done

# Every way to compute it, a fixed number of replications and one that follows the precision.
sed 's/"run": {"duration"/"run": {"precision": {"metric": "memoryReservedRatio", "relativeHalfWidth": 0.01, "maximumReplications": 40}, "duration"/' \
    "$sweep" >"$out/precise.json"
for scenario in "$sweep" "$out/precise.json"; do
    name=$(basename "$scenario" .json)
    for way in "jobs 1" "jobs 2" "jobs 5" "ranks 1" "ranks 3" "ranks 5"; do
        set -- $way
        folder=$out/$name-$1-$2
        case "$1" in
        jobs) "$plain" run --no-plots --quiet --jobs "$2" --out "$folder" "$scenario" >"$out/printed" 2>&1 ;;
        ranks) mpi "$2" run --no-plots --quiet --out "$folder" "$scenario" >"$out/printed" 2>&1 ;;
        esac || { cat "$out/printed"; report 1 "$name, $way: it fails"; continue; }
        sed "s#$folder#OUT#" "$out/printed" >"$folder/printed.txt"
        [ "$way" = "jobs 1" ] && continue
        diff -r -q "$out/$name-jobs-1" "$folder"
        report $? "$name, $way: as with --jobs 1"
    done
done

# A long sweep, killed in the middle. setsid: a process group of its own, which ends with it.
long="run --no-plots --replications 600 --out $out/cut"
"$plain" run --no-plots --quiet --replications 600 --out "$out/whole" "$sweep" >"$out/printed" 2>&1
report $? "a long sweep"
rm -f "$out/whole/printed.txt"

begin() { # pool|ranks: in the background, until some parts are there
    rm -rf "$out/cut"
    case "$1" in
    pool) setsid "$plain" $long --jobs 2 "$sweep" >"$out/printed" 2>&1 & ;;
    ranks) setsid mpirun --allow-run-as-root --oversubscribe -n 3 "$ranks" $long "$sweep" \
        >"$out/printed" 2>&1 & ;;
    esac
    victim=$!
    for i in $(seq 500); do
        [ "$(stat -c %s "$out/cut/.parts/parts" 2>/dev/null || echo 0)" -gt 500000 ] && return
        sleep 0.02
    done
}

rank() { # RANK: its process
    for process in $(pgrep -P "$victim"); do
        tr '\0' '\n' <"/proc/$process/environ" | grep -q "^OMPI_COMM_WORLD_RANK=$1\$" && echo "$process"
    done
}

at_work() { # the processes of the sweep that is cut, whoever started them
    pgrep -f -- "--out $out/cut "
}

continued() { # WORDS COMMAND...: the same command goes on where the sweep was left
    words=$1
    shift
    wait "$victim" 2>/dev/null
    for i in $(seq 500); do # ranks whose mpirun was killed notice it a moment later
        at_work >/dev/null || break
        sleep 0.02
    done
    "$@" $long "$sweep" >"$out/printed" 2>&1 || { cat "$out/printed"; report 1 "$words: it fails"; return; }
    grep -q 'continuing: [1-9][0-9]* of 1800 replications are done' "$out/printed" &&
        diff -r -q "$out/whole" "$out/cut"
    report $? "$words, and continued"
}

begin pool
kill -9 -- "-$victim"
continued "kill -9 of a pool" "$plain"
begin pool
kill -9 "$victim"
continued "kill -9 of the master of a pool" "$plain"
begin pool
kill -9 "$(pgrep -P "$victim" | head -n 1)"
wait "$victim"
grep -q 'variant "[a-z]*", replication [0-9]*, seed 1: its process was ended by signal 9' "$out/printed"
report $? "the end of a worker of a pool is told"
continued "kill -9 of a worker of a pool" mpi 3
begin ranks
kill -9 $(at_work)
continued "kill -9 of all ranks" mpi 3
begin ranks
kill -9 "$(rank 0)"
continued "kill -9 of rank 0" mpi 3
begin ranks
kill -9 "$(rank 1)"
continued "kill -9 of rank 1" "$plain"
begin ranks
kill -9 "$(pgrep -P "$(rank 2)")"
wait "$victim"
grep -q 'variant "[a-z]*", replication [0-9]*, seed 1: its process was ended by signal 9' "$out/printed"
report $? "a crash of a rank's task is told"
continued "a crash of a rank's task" mpi 2
begin ranks
kill -TERM "$victim"
continued "SIGTERM to mpirun" mpi 3

mpi 2 run --no-plots --out "$out/none" "$out/none.json" >"$out/printed" 2>&1
code=$?
[ $code -eq 2 ] && [ "$(grep -c 'none.json' "$out/printed")" -eq 1 ]
report $? "a scenario that is not there: told once, exit status 2"
mpirun --allow-run-as-root --oversubscribe -n 1 "$ranks" run --no-plots --out "$out/mixed" "$sweep" : \
    -n 1 "$ranks" run --no-plots --seed 2 --out "$out/mixed" "$sweep" >"$out/printed" 2>&1
grep -q 'rank 1 has another build of berth or another scenario' "$out/printed"
report $? "ranks that are not alike are told"
mpirun --allow-run-as-root --oversubscribe -n 2 "$plain" run --no-plots --out "$out/plain" "$sweep" \
    >"$out/printed" 2>&1
grep -q 'make MPI=1' "$out/printed"
report $? "a build without MPI says what is missing"
finish
