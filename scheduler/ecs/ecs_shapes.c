/*
 * ecs_shapes.c -- the members of ECS's shapes that berth reads, by name and kind.
 *
 * The names are those of the Amazon ECS API model, version 2014-11-13: what a definition registered
 * with ECS may hold, berth takes. A member that the model gains later is one row here.
 */
#include "scheduler/ecs/ecs_shapes.h"

#include <stddef.h>

static const struct ecs_member repository_credentials[] = {
    {"credentialsParameter", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member port_mapping[] = {
    {"containerPort", ECS_INTEGER, NULL},
    {"hostPort", ECS_INTEGER, NULL},
    {"protocol", ECS_TEXT, NULL},
    {"name", ECS_TEXT, NULL},
    {"appProtocol", ECS_TEXT, NULL},
    {"containerPortRange", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member container_restart_policy[] = {
    {"enabled", ECS_BOOLEAN, NULL},
    {"ignoredExitCodes", ECS_INTEGERS, NULL},
    {"restartAttemptPeriod", ECS_INTEGER, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member key_value_pair[] = {
    {"name", ECS_TEXT, NULL},
    {"value", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member environment_file[] = {
    {"value", ECS_TEXT, NULL},
    {"type", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member mount_point[] = {
    {"sourceVolume", ECS_TEXT, NULL},
    {"containerPath", ECS_TEXT, NULL},
    {"readOnly", ECS_BOOLEAN, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member volume_from[] = {
    {"sourceContainer", ECS_TEXT, NULL},
    {"readOnly", ECS_BOOLEAN, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member kernel_capabilities[] = {
    {"add", ECS_TEXTS, NULL},
    {"drop", ECS_TEXTS, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member device[] = {
    {"hostPath", ECS_TEXT, NULL},
    {"containerPath", ECS_TEXT, NULL},
    {"permissions", ECS_TEXTS, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member tmpfs[] = {
    {"containerPath", ECS_TEXT, NULL},
    {"size", ECS_INTEGER, NULL},
    {"mountOptions", ECS_TEXTS, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member linux_parameters[] = {
    {"capabilities", ECS_STRUCTURE, kernel_capabilities},
    {"devices", ECS_LIST, device},
    {"initProcessEnabled", ECS_BOOLEAN, NULL},
    {"sharedMemorySize", ECS_INTEGER, NULL},
    {"tmpfs", ECS_LIST, tmpfs},
    {"maxSwap", ECS_INTEGER, NULL},
    {"swappiness", ECS_INTEGER, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member secret[] = {
    {"name", ECS_TEXT, NULL},
    {"valueFrom", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member container_dependency[] = {
    {"containerName", ECS_TEXT, NULL},
    {"condition", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member host_entry[] = {
    {"hostname", ECS_TEXT, NULL},
    {"ipAddress", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member ulimit[] = {
    {"name", ECS_TEXT, NULL},
    {"softLimit", ECS_INTEGER, NULL},
    {"hardLimit", ECS_INTEGER, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member log_configuration[] = {
    {"logDriver", ECS_TEXT, NULL},
    {"options", ECS_MAP, NULL},
    {"secretOptions", ECS_LIST, secret},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member health_check[] = {
    {"command", ECS_TEXTS, NULL},       {"interval", ECS_INTEGER, NULL},
    {"timeout", ECS_INTEGER, NULL},     {"retries", ECS_INTEGER, NULL},
    {"startPeriod", ECS_INTEGER, NULL}, {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member system_control[] = {
    {"namespace", ECS_TEXT, NULL},
    {"value", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member resource_requirement[] = {
    {"value", ECS_TEXT, NULL},
    {"type", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member firelens_configuration[] = {
    {"type", ECS_TEXT, NULL},
    {"options", ECS_MAP, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member container_definition[] = {
    {"name", ECS_TEXT, NULL},
    {"image", ECS_TEXT, NULL},
    {"repositoryCredentials", ECS_STRUCTURE, repository_credentials},
    {"cpu", ECS_INTEGER, NULL},
    {"memory", ECS_INTEGER, NULL},
    {"memoryReservation", ECS_INTEGER, NULL},
    {"links", ECS_TEXTS, NULL},
    {"portMappings", ECS_LIST, port_mapping},
    {"essential", ECS_BOOLEAN, NULL},
    {"restartPolicy", ECS_STRUCTURE, container_restart_policy},
    {"entryPoint", ECS_TEXTS, NULL},
    {"command", ECS_TEXTS, NULL},
    {"environment", ECS_LIST, key_value_pair},
    {"environmentFiles", ECS_LIST, environment_file},
    {"mountPoints", ECS_LIST, mount_point},
    {"volumesFrom", ECS_LIST, volume_from},
    {"linuxParameters", ECS_STRUCTURE, linux_parameters},
    {"secrets", ECS_LIST, secret},
    {"dependsOn", ECS_LIST, container_dependency},
    {"startTimeout", ECS_INTEGER, NULL},
    {"stopTimeout", ECS_INTEGER, NULL},
    {"versionConsistency", ECS_TEXT, NULL},
    {"hostname", ECS_TEXT, NULL},
    {"user", ECS_TEXT, NULL},
    {"workingDirectory", ECS_TEXT, NULL},
    {"disableNetworking", ECS_BOOLEAN, NULL},
    {"privileged", ECS_BOOLEAN, NULL},
    {"readonlyRootFilesystem", ECS_BOOLEAN, NULL},
    {"dnsServers", ECS_TEXTS, NULL},
    {"dnsSearchDomains", ECS_TEXTS, NULL},
    {"extraHosts", ECS_LIST, host_entry},
    {"dockerSecurityOptions", ECS_TEXTS, NULL},
    {"interactive", ECS_BOOLEAN, NULL},
    {"pseudoTerminal", ECS_BOOLEAN, NULL},
    {"dockerLabels", ECS_MAP, NULL},
    {"ulimits", ECS_LIST, ulimit},
    {"logConfiguration", ECS_STRUCTURE, log_configuration},
    {"healthCheck", ECS_STRUCTURE, health_check},
    {"systemControls", ECS_LIST, system_control},
    {"resourceRequirements", ECS_LIST, resource_requirement},
    {"firelensConfiguration", ECS_STRUCTURE, firelens_configuration},
    {"credentialSpecs", ECS_TEXTS, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member host_volume_properties[] = {
    {"sourcePath", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member docker_volume_configuration[] = {
    {"scope", ECS_TEXT, NULL},  {"autoprovision", ECS_BOOLEAN, NULL},
    {"driver", ECS_TEXT, NULL}, {"driverOpts", ECS_MAP, NULL},
    {"labels", ECS_MAP, NULL},  {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member efs_authorization_config[] = {
    {"accessPointId", ECS_TEXT, NULL},
    {"iam", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member efs_volume_configuration[] = {
    {"fileSystemId", ECS_TEXT, NULL},
    {"rootDirectory", ECS_TEXT, NULL},
    {"transitEncryption", ECS_TEXT, NULL},
    {"transitEncryptionPort", ECS_INTEGER, NULL},
    {"authorizationConfig", ECS_STRUCTURE, efs_authorization_config},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member s3_files_volume_configuration[] = {
    {"fileSystemArn", ECS_TEXT, NULL},
    {"rootDirectory", ECS_TEXT, NULL},
    {"transitEncryptionPort", ECS_INTEGER, NULL},
    {"accessPointArn", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member fsx_windows_file_server_authorization_config[] = {
    {"credentialsParameter", ECS_TEXT, NULL},
    {"domain", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member fsx_windows_file_server_volume_configuration[] = {
    {"fileSystemId", ECS_TEXT, NULL},
    {"rootDirectory", ECS_TEXT, NULL},
    {"authorizationConfig", ECS_STRUCTURE, fsx_windows_file_server_authorization_config},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member volume[] = {
    {"name", ECS_TEXT, NULL},
    {"host", ECS_STRUCTURE, host_volume_properties},
    {"dockerVolumeConfiguration", ECS_STRUCTURE, docker_volume_configuration},
    {"efsVolumeConfiguration", ECS_STRUCTURE, efs_volume_configuration},
    {"s3filesVolumeConfiguration", ECS_STRUCTURE, s3_files_volume_configuration},
    {"fsxWindowsFileServerVolumeConfiguration", ECS_STRUCTURE,
     fsx_windows_file_server_volume_configuration},
    {"configuredAtLaunch", ECS_BOOLEAN, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member task_definition_placement_constraint[] = {
    {"type", ECS_TEXT, NULL},
    {"expression", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member tag[] = {
    {"key", ECS_TEXT, NULL},
    {"value", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member proxy_configuration[] = {
    {"type", ECS_TEXT, NULL},
    {"containerName", ECS_TEXT, NULL},
    {"properties", ECS_LIST, key_value_pair},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member inference_accelerator[] = {
    {"deviceName", ECS_TEXT, NULL},
    {"deviceType", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member ephemeral_storage[] = {
    {"sizeInGiB", ECS_INTEGER, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member runtime_platform[] = {
    {"cpuArchitecture", ECS_TEXT, NULL},
    {"operatingSystemFamily", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member attribute[] = {
    {"name", ECS_TEXT, NULL},     {"value", ECS_TEXT, NULL}, {"targetType", ECS_TEXT, NULL},
    {"targetId", ECS_TEXT, NULL}, {NULL, ECS_TEXT, NULL},
};

const struct ecs_member ecs_task_definition_members[] = {
    {"family", ECS_TEXT, NULL},
    {"taskRoleArn", ECS_TEXT, NULL},
    {"executionRoleArn", ECS_TEXT, NULL},
    {"networkMode", ECS_TEXT, NULL},
    {"containerDefinitions", ECS_LIST, container_definition},
    {"volumes", ECS_LIST, volume},
    {"placementConstraints", ECS_LIST, task_definition_placement_constraint},
    {"requiresCompatibilities", ECS_TEXTS, NULL},
    {"cpu", ECS_SIZE, NULL},
    {"memory", ECS_SIZE, NULL},
    {"tags", ECS_LIST, tag},
    {"pidMode", ECS_TEXT, NULL},
    {"ipcMode", ECS_TEXT, NULL},
    {"proxyConfiguration", ECS_STRUCTURE, proxy_configuration},
    {"inferenceAccelerators", ECS_LIST, inference_accelerator},
    {"ephemeralStorage", ECS_STRUCTURE, ephemeral_storage},
    {"runtimePlatform", ECS_STRUCTURE, runtime_platform},
    {"enableFaultInjection", ECS_BOOLEAN, NULL},
    {"taskDefinitionArn", ECS_TEXT, NULL},
    {"revision", ECS_INTEGER, NULL},
    {"status", ECS_TEXT, NULL},
    {"requiresAttributes", ECS_LIST, attribute},
    {"compatibilities", ECS_TEXTS, NULL},
    {"registeredAt", ECS_TIMESTAMP, NULL},
    {"deregisteredAt", ECS_TIMESTAMP, NULL},
    {"deleteRequestedAt", ECS_TIMESTAMP, NULL},
    {"registeredBy", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member capacity_provider_strategy_item[] = {
    {"capacityProvider", ECS_TEXT, NULL},
    {"weight", ECS_INTEGER, NULL},
    {"base", ECS_INTEGER, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member aws_vpc_configuration[] = {
    {"subnets", ECS_TEXTS, NULL},
    {"securityGroups", ECS_TEXTS, NULL},
    {"assignPublicIp", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member network_configuration[] = {
    {"awsvpcConfiguration", ECS_STRUCTURE, aws_vpc_configuration},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member container_override[] = {
    {"name", ECS_TEXT, NULL},
    {"command", ECS_TEXTS, NULL},
    {"environment", ECS_LIST, key_value_pair},
    {"environmentFiles", ECS_LIST, environment_file},
    {"cpu", ECS_INTEGER, NULL},
    {"memory", ECS_INTEGER, NULL},
    {"memoryReservation", ECS_INTEGER, NULL},
    {"resourceRequirements", ECS_LIST, resource_requirement},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member inference_accelerator_override[] = {
    {"deviceName", ECS_TEXT, NULL},
    {"deviceType", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member task_override[] = {
    {"containerOverrides", ECS_LIST, container_override},
    {"cpu", ECS_SIZE, NULL},
    {"inferenceAcceleratorOverrides", ECS_LIST, inference_accelerator_override},
    {"executionRoleArn", ECS_TEXT, NULL},
    {"memory", ECS_SIZE, NULL},
    {"taskRoleArn", ECS_TEXT, NULL},
    {"ephemeralStorage", ECS_STRUCTURE, ephemeral_storage},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member placement_constraint[] = {
    {"type", ECS_TEXT, NULL},
    {"expression", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member placement_strategy[] = {
    {"type", ECS_TEXT, NULL},
    {"field", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member ebs_tag_specification[] = {
    {"resourceType", ECS_TEXT, NULL},
    {"tags", ECS_LIST, tag},
    {"propagateTags", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member task_managed_ebs_volume_termination_policy[] = {
    {"deleteOnTermination", ECS_BOOLEAN, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member task_managed_ebs_volume_configuration[] = {
    {"encrypted", ECS_BOOLEAN, NULL},
    {"kmsKeyId", ECS_TEXT, NULL},
    {"volumeType", ECS_TEXT, NULL},
    {"sizeInGiB", ECS_INTEGER, NULL},
    {"snapshotId", ECS_TEXT, NULL},
    {"volumeInitializationRate", ECS_INTEGER, NULL},
    {"iops", ECS_INTEGER, NULL},
    {"throughput", ECS_INTEGER, NULL},
    {"tagSpecifications", ECS_LIST, ebs_tag_specification},
    {"roleArn", ECS_TEXT, NULL},
    {"terminationPolicy", ECS_STRUCTURE, task_managed_ebs_volume_termination_policy},
    {"filesystemType", ECS_TEXT, NULL},
    {NULL, ECS_TEXT, NULL},
};

static const struct ecs_member task_volume_configuration[] = {
    {"name", ECS_TEXT, NULL},
    {"managedEBSVolume", ECS_STRUCTURE, task_managed_ebs_volume_configuration},
    {NULL, ECS_TEXT, NULL},
};

const struct ecs_member ecs_run_task_members[] = {
    {"capacityProviderStrategy", ECS_LIST, capacity_provider_strategy_item},
    {"cluster", ECS_TEXT, NULL},
    {"count", ECS_INTEGER, NULL},
    {"enableECSManagedTags", ECS_BOOLEAN, NULL},
    {"enableExecuteCommand", ECS_BOOLEAN, NULL},
    {"group", ECS_TEXT, NULL},
    {"launchType", ECS_TEXT, NULL},
    {"networkConfiguration", ECS_STRUCTURE, network_configuration},
    {"overrides", ECS_STRUCTURE, task_override},
    {"placementConstraints", ECS_LIST, placement_constraint},
    {"placementStrategy", ECS_LIST, placement_strategy},
    {"platformVersion", ECS_TEXT, NULL},
    {"propagateTags", ECS_TEXT, NULL},
    {"referenceId", ECS_TEXT, NULL},
    {"startedBy", ECS_TEXT, NULL},
    {"tags", ECS_LIST, tag},
    {"taskDefinition", ECS_TEXT, NULL},
    {"clientToken", ECS_TEXT, NULL},
    {"volumeConfigurations", ECS_LIST, task_volume_configuration},
    {NULL, ECS_TEXT, NULL},
};
