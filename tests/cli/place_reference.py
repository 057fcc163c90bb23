#!/usr/bin/env python3
"""place_reference.py BERTH [CASES [SEED]]: `berth place` against a naive model of ECS's rules.

Random clusters in the shapes of `aws ecs describe-*`, random RunTask requests; the model below reads the
rules plainly (filters in order, strategies as successive narrowing, tie-break) and must agree on every
placed copy and on every failure. Written in another language and without looking at the C, so that a
misreading has to be made twice. The request's and cluster's files of a disagreement are kept and named.
"""
import json
import os
import random
import re
import subprocess
import sys
import tempfile

REGION = "arn:aws:ecs:eu-central-1:111122223333"
ZONES = ["a", "b", "c"]


def attribute(instance, name):
    for item in instance["attributes"]:
        if item["name"] == name:
            return True, item.get("value")
    return False, None


# --- cluster query language, as (text, predicate) pairs -------------------------------------------------


def random_expression(rng, depth=0):
    if depth < 2 and rng.random() < 0.4:
        kind = rng.choice(["and", "or", "not"])
        left, left_is = random_expression(rng, depth + 1)
        if kind == "not":
            return rng.choice(["!(%s)", "not (%s)"]) % left, lambda i, s: not left_is(i, s)
        right, right_is = random_expression(rng, depth + 1)
        if kind == "and":
            return "(%s) %s (%s)" % (left, rng.choice(["&&", "and"]), right), lambda i, s: left_is(i, s) and right_is(i, s)
        return "(%s) %s (%s)" % (left, rng.choice(["||", "or"]), right), lambda i, s: left_is(i, s) or right_is(i, s)
    name = rng.choice(["rack", "disk", "ecs.availability-zone", "nothing"])
    value = rng.choice(["r1", "r2", "ssd", "hdd", "a", "b"])
    kind = rng.randrange(7)
    if kind == 0:
        return "attribute:%s %s %s" % (name, rng.choice(["==", "equals"]), value), lambda i, s: attribute(i, name)[1] == value
    if kind == 1:
        return "attribute:%s != %s" % (name, value), lambda i, s: attribute(i, name)[1] != value
    if kind == 2:
        values = [value, "zz"]
        return "attribute:%s in [%s]" % (name, ", ".join(values)), lambda i, s: attribute(i, name)[1] in values
    if kind == 3:
        values = [value, "zz"]
        return "attribute:%s !in [%s]" % (name, ",".join(values)), lambda i, s: attribute(i, name)[1] not in values
    if kind == 4:
        return "attribute:%s exists" % name, lambda i, s: attribute(i, name)[0]
    if kind == 5:
        pattern = rng.choice(["r.", "s*d", "[ab]", "h.*"])
        quote = "'" if "]" in pattern else rng.choice(["", "'", '"'])
        return "attribute:%s =~ %s%s%s" % (name, quote, pattern, quote), lambda i, s: attribute(i, name)[1] is not None and re.fullmatch(pattern, attribute(i, name)[1]) is not None
    group = rng.choice(["service:web", "family:job", "service:none"])
    return "task:group == %s" % group, lambda i, s: s["groups"].get((i["_id"], group), 0) > 0


# --- random input ---------------------------------------------------------------------------------------


def random_cluster(rng):
    instances = []
    for _ in range(rng.choice([0, 1, 3, 8, 20])):
        number = "%032x" % rng.getrandbits(rng.choice([8, 128]))
        if any(i["_id"] == number for i in instances):
            continue
        cpu, mem, gpus = rng.choice([2048, 4096]), rng.choice([4000, 8000]), rng.choice([0, 0, 2, 4])
        free = rng.sample(["gpu%d" % g for g in range(gpus)], rng.randint(0, gpus))
        attributes = []
        if rng.random() < 0.9:
            attributes.append({"name": "ecs.availability-zone", "value": rng.choice(ZONES)})
        if rng.random() < 0.7:
            attributes.append({"name": "rack", "value": rng.choice(["r1", "r2", "r3"])})
        if rng.random() < 0.5:
            attributes.append({"name": "disk", "value": rng.choice(["ssd", "hdd"])})
        if rng.random() < 0.3:
            attributes.append({"name": "flag"})
        tcp = sorted({"22"} | set(rng.sample(["80", "443", "8080"], rng.randint(0, 2))))
        udp = rng.sample(["53", "80"], rng.randint(0, 1))

        def resources(cpu_now, mem_now, gpu_now):
            listed = [
                {"name": "CPU", "type": "INTEGER", "integerValue": cpu_now},
                {"name": "MEMORY", "type": "INTEGER", "integerValue": mem_now},
                {"name": "PORTS", "type": "STRINGSET", "stringSetValue": tcp},
                {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": udp},
            ]
            if gpus:
                listed.append({"name": "GPU", "type": "STRINGSET", "stringSetValue": gpu_now})
            return listed

        instances.append({
            "_id": number,
            "containerInstanceArn": "%s:container-instance/demo/%s" % (REGION, number),
            "ec2InstanceId": "i-%017x" % rng.getrandbits(68),
            "status": rng.choice(["ACTIVE"] * 8 + ["DRAINING"]),
            "agentConnected": rng.random() < 0.93,
            "registeredResources": resources(cpu, mem, ["gpu%d" % g for g in range(gpus)]),
            "remainingResources": resources(rng.choice([cpu, cpu // 2, cpu // 4, 100]), rng.choice([mem, mem // 2, 512]), free),
            "attributes": attributes,
            "registeredAt": rng.choice([1700000000.123, "2023-11-14T22:13:20.123000+00:00"]),
            "runningTasksCount": 0, "pendingTasksCount": 0,
        })
    tasks = []
    for number in range(rng.randint(0, 12) if instances else 0):
        tasks.append({
            "taskArn": "%s:task/demo/%032x" % (REGION, number),
            "containerInstanceArn": rng.choice(instances)["containerInstanceArn"],
            "taskDefinitionArn": REGION + ":task-definition/web:1",
            "group": rng.choice(["service:web", "family:job"]),
            "desiredStatus": rng.choice(["RUNNING", "RUNNING", "STOPPED"]),
            "lastStatus": "RUNNING", "createdAt": 1700000000.5,
        })
    return instances, tasks


def random_definition(rng):
    container = {"name": "main", "image": "busybox", "essential": True,
                 "cpu": rng.choice([0, 100, 256, 1024]), "memory": rng.choice([128, 512, 2048])}
    if rng.random() < 0.3:
        container["memoryReservation"] = container["memory"] // 2
    if rng.random() < 0.3:
        container["portMappings"] = [{"containerPort": 80, "hostPort": rng.choice([0, 80, 8080, 53]),
                                      "protocol": rng.choice(["tcp", "udp"])}]
    if rng.random() < 0.25:
        container["resourceRequirements"] = [{"type": "GPU", "value": rng.choice(["1", "2", "0.5", "0.3"])}]
    definition = {"family": "job", "revision": 3, "status": "ACTIVE", "containerDefinitions": [container],
                  "taskDefinitionArn": REGION + ":task-definition/job:3"}
    if rng.random() < 0.3 and container["cpu"] <= 256:
        definition["cpu"] = rng.choice(["512", "0.5 vCPU"])
    if rng.random() < 0.3 and container["memory"] <= 512:
        definition["memory"] = rng.choice(["1024", "1 GB"])
    if rng.random() < 0.2:
        definition["networkMode"] = "host"
        for mapping in container.get("portMappings", []):
            mapping["hostPort"] = rng.choice([0, mapping["containerPort"]])
    if rng.random() < 0.2:
        definition["requiresAttributes"] = [rng.choice([{"name": "flag"}, {"name": "disk", "value": "ssd"}])]
    return definition


def demand_of(definition, request):
    container = definition["containerDefinitions"][0]
    cpu = 512 if "cpu" in definition else container["cpu"]
    mem = 1024 if "memory" in definition else container.get("memoryReservation", container["memory"])
    overrides = request.get("overrides", {})
    cpu = int(overrides.get("cpu", cpu))
    mem = int(overrides.get("memory", mem))
    ports = {"tcp": set(), "udp": set()}
    for mapping in container.get("portMappings", []):
        port = mapping["hostPort"]
        if definition.get("networkMode") == "host":
            port = 80
        if port:
            ports[mapping["protocol"]].add(port)
    gpu = [round(float(r["value"]) * 1000) for r in container.get("resourceRequirements", [])]
    return cpu, mem, ports, gpu


# --- the rules ------------------------------------------------------------------------------------------


def resource(instance, which, name):
    for item in instance[which]:
        if item["name"] == name:
            return item.get("integerValue", item.get("stringSetValue"))
    return [] if name in ("PORTS", "PORTS_UDP", "GPU") else 0


def model_state(instances, tasks):
    state = {"groups": {}, "left": {}}
    for instance in instances:
        every = resource(instance, "registeredResources", "GPU")
        free = set(resource(instance, "remainingResources", "GPU"))
        state["left"][instance["_id"]] = {
            "cpu": resource(instance, "remainingResources", "CPU"),
            "mem": resource(instance, "remainingResources", "MEMORY"),
            "tcp": {int(p) for p in resource(instance, "remainingResources", "PORTS")},
            "udp": {int(p) for p in resource(instance, "remainingResources", "PORTS_UDP")},
            "gpu": [1000 if g in free else 0 for g in every],
        }
    for task in tasks:
        if task["desiredStatus"] == "RUNNING":
            key = (task["containerInstanceArn"].rsplit("/", 1)[1], task["group"])
            state["groups"][key] = state["groups"].get(key, 0) + 1
    return state


def gpu_take(cards, requests):
    cards = list(cards)
    for milli in requests:
        if milli < 1000:
            fitting = [(free, index) for index, free in enumerate(cards) if free >= milli]
            if not fitting:
                return None
            cards[min(fitting)[1]] -= milli
        else:
            for _ in range(milli // 1000):
                if 1000 not in cards:
                    return None
                cards[cards.index(1000)] = 0
    return cards


def check(instance, state, definition, demand, constraints, group):
    cpu, mem, ports, gpu = demand
    left = state["left"][instance["_id"]]
    if instance["status"] != "ACTIVE":
        return "INACTIVE"
    if not instance["agentConnected"]:
        return "AGENT"
    for wanted in definition.get("requiresAttributes", []):
        exists, value = attribute(instance, wanted["name"])
        if not exists or ("value" in wanted and value != wanted["value"]):
            return "ATTRIBUTE"
    if left["cpu"] < cpu and cpu > 0:
        return "RESOURCE:CPU"
    if left["mem"] < mem:
        return "RESOURCE:MEMORY"
    if ports["tcp"] & left["tcp"] or ports["udp"] & left["udp"]:
        return "RESOURCE:PORTS"
    if gpu_take(left["gpu"], gpu) is None:
        return "RESOURCE:GPU"
    for kind, test in constraints:
        if kind == "memberOf" and not test(instance, state):
            return "MemberOf placement constraint unsatisfied"
    for kind, _ in constraints:
        if kind == "distinctInstance" and state["groups"].get((instance["_id"], group), 0):
            return "DistinctInstance placement constraint unsatisfied"
    return None


def spread_value(instance, field):
    if field in ("instanceId", "host"):
        return instance["_id"]
    return attribute(instance, field.split(":", 1)[1])[1] or ""


def narrow(candidates, everyone, state, strategy, group):
    kind, field = strategy["type"], strategy.get("field")
    if kind == "binpack":
        key = "cpu" if field.lower() == "cpu" else "mem"
        least = min(state["left"][i["_id"]][key] for i in candidates)
        return [i for i in candidates if state["left"][i["_id"]][key] == least]
    counts = {}
    for instance in everyone:
        value = spread_value(instance, field)
        counts[value] = counts.get(value, 0) + state["groups"].get((instance["_id"], group), 0)
    least = min(counts[spread_value(i, field)] for i in candidates)
    return [i for i in candidates if counts[spread_value(i, field)] == least]


def expected(instances, tasks, definition, request, constraints):
    state = model_state(instances, tasks)
    group = request.get("group", "family:job")
    demand = demand_of(definition, request)
    placed = []
    everyone = sorted(instances, key=lambda i: i["_id"])
    for _ in range(request.get("count", 1)):
        verdicts = [(i, check(i, state, definition, demand, constraints, group)) for i in everyone]
        candidates = [i for i, verdict in verdicts if verdict is None]
        if not candidates:
            if not instances:
                return placed, ["NO ACTIVE INSTANCES"]
            return placed, [(i["containerInstanceArn"], v) for i, v in verdicts]
        for strategy in request["placementStrategy"]:
            candidates = narrow(candidates, everyone, state, strategy, group)
        chosen = min(candidates, key=lambda i: (state["groups"].get((i["_id"], group), 0), i["_id"]))
        left = state["left"][chosen["_id"]]
        left["cpu"] -= demand[0]
        left["mem"] -= demand[1]
        left["tcp"] |= demand[2]["tcp"]
        left["udp"] |= demand[2]["udp"]
        left["gpu"] = gpu_take(left["gpu"], demand[3])
        key = (chosen["_id"], group)
        state["groups"][key] = state["groups"].get(key, 0) + 1
        placed.append(chosen["containerInstanceArn"])
    return placed, []


def one_case(berth, rng, folder):
    instances, tasks = random_cluster(rng)
    definition = random_definition(rng)
    constraints, listed = [], []
    if rng.random() < 0.4:
        text, test = random_expression(rng)
        constraints.append(("memberOf", test))
        listed.append({"type": "memberOf", "expression": text})
    if rng.random() < 0.2:
        constraints.append(("distinctInstance", None))
        listed.append({"type": "distinctInstance"})
    pool = [{"type": "binpack", "field": "memory"}, {"type": "binpack", "field": "cpu"},
            {"type": "spread", "field": "attribute:ecs.availability-zone"}, {"type": "spread", "field": "instanceId"},
            {"type": "spread", "field": "attribute:rack"}, {"type": "spread", "field": "host"}]
    request = {"cluster": "demo", "taskDefinition": rng.choice(["job", "job:3", definition["taskDefinitionArn"]]),
               "count": rng.choice([1, 2, 7, 30]), "placementStrategy": rng.sample(pool, rng.randint(1, 3)),
               "placementConstraints": listed}
    if rng.random() < 0.3:
        request["group"] = "service:web"
    if rng.random() < 0.2:
        request["overrides"] = {"cpu": "1100", "memory": "2100"}
    rng.shuffle(instances)
    cluster = {"containerInstances": [{k: v for k, v in i.items() if k != "_id"} for i in instances], "tasks": tasks,
               "taskDefinitions": [{"taskDefinition": definition} if rng.random() < 0.5 else definition]}
    paths = [os.path.join(folder, name) for name in ("cluster.json", "request.json")]
    for path, content in zip(paths, (cluster, request)):
        with open(path, "w") as out:
            json.dump(content, out, indent=1)
    run = subprocess.run([berth, "place", "--cluster", paths[0], "--request", paths[1], "--format", "json"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    placed, failures = expected(instances, tasks, definition, request, constraints)
    if run.returncode not in (0, 1):
        return "exit %d: %s" % (run.returncode, run.stderr)
    answer = json.loads(run.stdout)
    got = [t["containerInstanceArn"] for t in answer["tasks"]]
    if got != placed:
        return "placed %s, expected %s" % (got, placed)
    if failures == ["NO ACTIVE INSTANCES"]:
        if [f["reason"] for f in answer["failures"]] != failures:
            return "failures %s, expected NO ACTIVE INSTANCES" % answer["failures"]
    elif [(f["arn"], f["reason"]) for f in answer["failures"]] != failures:
        return "failures %s, expected %s" % (answer["failures"], failures)
    if run.returncode != (1 if failures else 0):
        return "exit %d with %d failures" % (run.returncode, len(failures))
    return None


def main():
    berth = sys.argv[1]
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    with tempfile.TemporaryDirectory() as folder:
        for case in range(cases):
            wrong = one_case(berth, random.Random(seed * 1000003 + case), folder)
            if wrong:
                keep = tempfile.mkdtemp(prefix="berth-place-")
                for name in ("cluster.json", "request.json"):
                    os.rename(os.path.join(folder, name), os.path.join(keep, name))
                print("case %d of seed %d: %s\nfiles kept in %s" % (case, seed, wrong, keep))
                return 1
    print("%d cases agree" % cases)
    return 0


sys.exit(main())
