# table.awk: metrics.csv files of convergence runs, in, one Markdown table, out.
# Means over the replications with the half width of their 95 % interval (Student's t).

function t95(n,    i) {
    # t(0.975, n - 1); beyond the table the normal's value is near enough.
    split("12.706 4.303 3.182 2.776 2.571 2.447 2.365 2.306 2.262 2.228 2.201 2.179 2.160 2.145 " \
          "2.131 2.120 2.110 2.101 2.093 2.086 2.080 2.074 2.069 2.064 2.060 2.056 2.052 2.048 2.045", table, " ")
    i = n - 1
    return i < 1 ? 0 : i <= 29 ? table[i] : 1.96
}

function cell(key, scale, decimals,    n, mean, variance) {
    n = count[key]
    if (n == 0)
        return "-"
    mean = sum[key] / n
    variance = n > 1 ? (squares[key] - n * mean * mean) / (n - 1) : 0
    if (variance < 0)
        variance = 0
    return sprintf("%.*f ± %.*f", decimals, mean * scale, decimals, t95(n) * sqrt(variance / n) * scale)
}

BEGIN {
    FS = ","
    strategy[1] = "spread zone, spread instance"
    strategy[2] = "spread zone, binpack memory"
    strategy[3] = "binpack memory"
    strategy[4] = "random"
    wanted = "timeToConvergeMax taskSecondsBelowDesired availability tasksDisturbed"
}

/^#/ {
    sub(/^# /, "")
    origin[++origins] = $0
    next
}

$1 == "variant" {
    for (i = 1; i <= NF; i++)
        column[$i] = i
    # The size is in the folder's name: results/convergence-1000/metrics.csv
    size = FILENAME
    sub(/\/[^\/]*$/, "", size)
    sub(/.*-/, "", size)
    sizes[++size_count] = size
    next
}

{
    # "zone-loss/strategy=2"
    split($1, part, "/strategy=")
    if (!(part[1] in seen)) {
        seen[part[1]] = 1
        faults[++fault_count] = part[1]
    }
    n = split(wanted, metric, " ")
    for (i = 1; i <= n; i++) {
        value = $column[metric[i]]
        if (value == "")
            continue
        key = size SUBSEP part[1] SUBSEP part[2] SUBSEP metric[i]
        count[key]++
        sum[key] += value
        squares[key] += value * value
    }
}

END {
    print "# Convergence: how soon is all well again?"
    print ""
    print "One disturbance at a time, in a cluster that is half full: 10 services, 4 tasks of 1 vCPU to an instance of 8."
    print "Renewed by `make convergence`; the scenarios are in `scenarios/convergence/`."
    print ""
    print "- **instance-loss**: one instance is terminated. **rack-loss**, **zone-loss**: its hosts lose power for 20 minutes (7 hosts to a"
    print "  rack at 100 instances, 20 at more); their agents are missed after 3 minutes and declared lost 5 minutes later."
    print "- **partition**: the agents of a zone are cut off for 20 minutes, and their tasks, which run on, are replaced and stopped at the end."
    print "- **controller-crash**: the scheduler is away for 2 minutes, and an instance is terminated meanwhile."
    print "- **bad-release**: a revision that crashes after seconds is deployed to one service; the circuit breaker takes it back."
    print ""
    print "*Time to converge*: until every service is steady, serves its desired count, and stays so. *Task-minutes missing*: the time"
    print "integral of desired minus serving tasks. *Availability*: one minus that, by what was desired in the 40 minutes from the disturbance on. *Tasks disturbed*:"
    print "tasks that ran and were stopped or killed."
    print ""
    print "| disturbance | strategy | instances | time to converge, s | task-minutes missing | availability, % | tasks disturbed |"
    print "|---|---|--:|--:|--:|--:|--:|"
    for (f = 1; f <= fault_count; f++)
        for (s = 1; s <= 4; s++)
            for (z = 1; z <= size_count; z++) {
                key = sizes[z] SUBSEP faults[f] SUBSEP s SUBSEP
                if (!((key "tasksDisturbed") in count))
                    continue
                printf "| %s | %s | %s | %s | %s | %s | %s |\n", faults[f], strategy[s], sizes[z], \
                    cell(key "timeToConvergeMax", 1, 1), cell(key "taskSecondsBelowDesired", 1 / 60, 1), \
                    cell(key "availability", 100, 3), cell(key "tasksDisturbed", 1, 1)
            }
    print ""
    print "Means and 95 % intervals. Origin:"
    print ""
    for (i = 1; i <= origins; i++)
        print "- `" origin[i] "`"
}
