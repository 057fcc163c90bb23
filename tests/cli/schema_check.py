"""Hold scenarios/scenario.schema.json and `berth validate` together.

Usage: schema_check.py BERTH

1. Every scenario under scenarios/ passes both.
2. Every row of tests/unit/sim/scenario/verdicts.json gets the verdict of the table from the schema,
   except those that a schema cannot know to be wrong.
3. Small changes at every place of the table's scenario and of scenarios/first-look.json: what the
   schema refuses, validate refuses; what only validate refuses is of the kinds below.

Prints one line for each disagreement and exits 1 if there is any.
"""
import copy
import glob
import json
import os
import subprocess
import sys
import tempfile

import jsonschema

# Reasons that need more than one value, a file, or a language within a text.
BEYOND_A_SCHEMA = (
    "there is no ", "is above ", "is before ", "below a microsecond", "not shorter than", "no such file",
    "column ", "leads nowhere", "is the same as ", "weights for", "weights are all 0", "more than 100000 rows",
    "instances; at most", "below run.replications", "the fleet is empty", "a DAEMON service has no",
    "is a folder", "No such file", "makes ", "out of range", "is not a time", "must be above 0", "is not a name",
    "is not a number of", ":/compare/variants/", "a second container", "no container is essential", "unknown key, not one of ECS's",
    "change the bounds", "changes nothing", "is not a schedule",
)


def merged(target, patch):
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def places(value, path=()):
    """Every place of a document but within ECS's own JSON, which the schema leaves to ECS."""
    if "containerDefinitions" in path or path[-1:] == ("definition",):
        return
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], path + (key,))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], path + (index,))


def changed(document, path, change):
    result = copy.deepcopy(document)
    parent = result
    for key in path[:-1]:
        parent = parent[key]
    change(parent, path[-1])
    return result


def setter(value):
    def change(parent, key):
        parent[key] = copy.deepcopy(value)
    return change


def deleter(parent, key):
    del parent[key]


def adder(parent, key):
    if isinstance(parent[key], dict):
        parent[key]["unknownKey"] = 1
    else:
        parent[key] = {"unknownKey": 1}


CHANGES = [deleter, adder] + [setter(v) for v in (None, True, -1, 0, 1.5, 3e12, "x", "10m", "", [], [1], {})]


def mutants(document, step):
    number = 0
    for path in places(document):
        for change in CHANGES:
            number += 1
            if number % step == 0:
                yield changed(document, path, change)


def validate(berth, documents):
    """The verdicts of `berth validate`: None, or the error."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for index, document in enumerate(documents):
            names.append(os.path.join(folder, f"{index}.json"))
            with open(names[-1], "w", encoding="utf-8") as file:
                json.dump(document, file)
        output = subprocess.run([berth, "validate", "--format", "json"] + names, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300).stdout
        return [None if one["ok"] else one["error"] for one in json.loads(output)]


def inlined(document):
    """Paths of task definitions are relative to the file; a moved copy must not depend on them."""
    text = json.dumps(document)
    return json.loads(text.replace('"task-definitions/', '"' + os.path.abspath("scenarios") + "/task-definitions/"))


def main():
    berth = os.path.abspath(sys.argv[1])
    with open("scenarios/scenario.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    wrong = []
    checked = 0

    files = [name for name in sorted(glob.glob("scenarios/*.json") + glob.glob("scenarios/theory/*.json"))
             if not name.endswith(".schema.json")]
    for name in files:
        with open(name, encoding="utf-8") as file:
            document = json.load(file)
        if "version" not in document:
            continue  # a part that others include
        for error in validator.iter_errors(document):
            wrong.append(f"{name}: the schema refuses {list(error.absolute_path)}: {error.message[:200]}")
        checked += 1

    with open("tests/unit/sim/scenario/verdicts.json", encoding="utf-8") as file:
        verdicts = json.load(file)
    for row in verdicts["rows"]:
        is_right = "says" not in row or row.get("schema", False)
        if validator.is_valid(merged(verdicts["base"], row["patch"])) != is_right:
            wrong.append(f"row \"{row['what']}\": the schema {'refuses' if is_right else 'accepts'} it")
        checked += 1

    with open("scenarios/first-look.json", encoding="utf-8") as file:
        first_look = inlined(json.load(file))
    documents = list(mutants(verdicts["base"], 5)) + list(mutants(first_look, 13))
    for document, error in zip(documents, validate(berth, documents)):
        checked += 1
        is_valid = validator.is_valid(document)
        if error is None and not is_valid:
            refusal = next(validator.iter_errors(document))
            wrong.append(f"only the schema refuses {list(refusal.absolute_path)}: {refusal.message[:200]}")
        elif error is not None and is_valid and not any(reason in error for reason in BEYOND_A_SCHEMA):
            wrong.append(f"the schema accepts what validate refuses: {error}")

    for line in sorted(set(wrong)):
        print(line)
    print(f"{checked} documents, {len(wrong)} disagreements")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
