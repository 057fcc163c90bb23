/* import.c -- `berth import KIND INPUT... -o DIR`: real clusters and public traces. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "scheduler/cli/command.h"
#include "sim/import/import.h"

struct kind {
    const char *name;
    int inputs;
    const char *usage;
    bool fills; /* --fill and --seed mean something */
    enum berth_err (*run)(char **inputs, const struct import_fill *fill, const char *folder,
                          struct berth_error *err);
};

static enum berth_err run_openb(char **inputs, const struct import_fill *fill, const char *folder,
                                struct berth_error *err)
{
    return import_openb(inputs[0], inputs[1], fill, folder, stdout, err);
}

static enum berth_err run_azure_vm(char **inputs, const struct import_fill *fill,
                                   const char *folder, struct berth_error *err)
{
    (void)fill;
    return import_azure_vm(inputs[0], folder, stdout, err);
}

static enum berth_err run_aws(char **inputs, const struct import_fill *fill, const char *folder,
                              struct berth_error *err)
{
    (void)fill;
    return import_aws(inputs[0], folder, stdout, err);
}

static const struct kind kinds[] = {
    {"openb", 2, "openb NODES.csv[.gz] PODS.csv[.gz] -o DIR", true, run_openb},
    {"aws", 1, "aws FOLDER -o DIR", false, run_aws},
    {"azure-vm", 1, "azure-vm VMS.csv[.gz] -o DIR", false, run_azure_vm},
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static enum berth_err find_kind(const char *name, const struct kind **out, struct berth_error *err)
{
    const char *names[KIND_COUNT + 1] = {NULL};
    for (size_t i = 0; i < KIND_COUNT; i++) {
        names[i] = kinds[i].name;
        *out = &kinds[i];
        if (strcmp(kinds[i].name, name) == 0)
            return BERTH_OK;
    }
    const char *near = berth_nearest(name, names);
    return berth_fail(err, BERTH_ERR_INPUT, "cannot import \"%.40s\"; %s%s%s", name,
                      near ? "did you mean " : "see berth import --help", near ? near : "",
                      near ? "?" : "");
}

static enum berth_err run(int argc, char **argv, struct berth_error *err)
{
    const char *folder = NULL, *percent = NULL, *seed = NULL;
    unsigned long long numbers[2] = {0, 1};
    const struct command_flag flags[] = {{"-o", &folder, NULL},
                                         {"--output", &folder, NULL},
                                         {"--fill", &percent, NULL},
                                         {"--seed", &seed, NULL},
                                         {NULL, NULL, NULL}};
    const struct kind *kind;
    int count;
    enum berth_err code = command_parse(&command_import, argc, argv, flags, &count, err);
    if (code != BERTH_OK)
        return code;
    if (count == 0)
        return berth_fail(err, BERTH_ERR_INPUT, "what is to be imported? See berth import --help");
    code = find_kind(argv[0], &kind, err);
    if (code != BERTH_OK)
        return code;
    if (count - 1 != kind->inputs)
        return berth_fail(err, BERTH_ERR_INPUT, "%s inputs given; usage: berth import %s",
                          count - 1 < kind->inputs ? "not enough" : "too many", kind->usage);
    if (folder == NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "-o DIR is missing; usage: berth import %s",
                          kind->usage);
    if (percent != NULL && !kind->fills)
        return berth_fail(err, BERTH_ERR_INPUT, "--fill is for openb, whose nodes are known");
    if (seed != NULL && percent == NULL)
        return berth_fail(err, BERTH_ERR_INPUT, "--seed: nothing is drawn without --fill");
    code = command_number("--fill", percent, 1, 1000, &numbers[0], err);
    if (code == BERTH_OK)
        code = command_number("--seed", seed, 0, INT64_MAX, &numbers[1], err);
    const struct import_fill fill = {.percent = (uint32_t)numbers[0], .seed = numbers[1]};
    return code == BERTH_OK ? kind->run(argv + 1, &fill, folder, err) : code;
}

const struct command command_import = {
    .name = "import",
    .summary = "turn a public trace or a real cluster into a scenario",
    .help =
        "Usage: berth import openb NODES.csv[.gz] PODS.csv[.gz] [--fill P [--seed N]] -o DIR\n"
        "       berth import azure-vm VMS.csv[.gz] -o DIR\n"
        "       berth import aws FOLDER -o DIR\n"
        "\n"
        "Reads the input, plain or gzip (seen from the content), and writes DIR/scenario.json and\n"
        "the DIR/workload.csv that it names; DIR is made when absent. Prints what was read: "
        "counts,\n"
        "exact time averages and peaks of a replay on an unlimited cluster, and what rounding to\n"
        "whole CPU units and MiB added. Then: berth run DIR/scenario.json\n"
        "\n"
        "  openb     Alibaba's GPU trace of 2023 (openb_node_list_*.csv, openb_pod_list_*.csv).\n"
        "            Nodes become fleet groups with the attribute gpu-model, gpu_spec becomes a\n"
        "            memberOf constraint. Pods live from creation to deletion; a list without "
        "times\n"
        "            is a population: one pod a second, all stay.\n"
        "  azure-vm  VMs of the Azure Public Dataset V1: columns arrival_s, flavor, vcpu, mem_gb,\n"
        "            dur_lo_s, censored and, if there, batch. A flavor becomes a task definition, "
        "a\n"
        "            batch a task group. The trace has no machines: the scenario chooses some.\n"
        "\n"
        "  aws       Your own cluster: a FOLDER of saved outputs (*.json) of aws ecs\n"
        "            describe-container-instances, describe-services, describe-tasks and\n"
        "            describe-task-definition, told apart by what they hold. Services keep their\n"
        "            counts, strategies and constraints; running standalone tasks come at time 0\n"
        "            and stay. Variants ask what if: packed by memory, spread, a zone lost, fewer\n"
        "            larger instances.\n"
        "\n"
        "Options:\n"
        "  -o, --output DIR   where to write\n"
        "  --fill P           openb: not the pods' own times, but a cluster that fills up: the "
        "pods\n"
        "                     in an order drawn by the seed, then more of them, drawn from the "
        "list,\n"
        "                     until they ask for P percent of the nodes' GPUs (1 to 1000); one "
        "comes\n"
        "                     a second, and all stay\n"
        "  --seed N           of --fill (default: 1)\n"
        "\n"
        "Example, in the region and account of the cluster:\n"
        "  aws ecs describe-services --services web api >cluster/services.json\n"
        "  berth import aws cluster -o study && berth run study/scenario.json\n"
        "\n"
        "Exit status: 0 done; 2 bad input; 3 the folder cannot be written.\n",
    .run = run,
};
