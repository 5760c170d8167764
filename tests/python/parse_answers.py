"""Has boto3 parse the answers about everything the walk made. Usage: parse_answers.py TARGET_GROUP LOAD_BALANCER LISTENER TOPIC"""

import sys

import boto3

target_group, load_balancer, listener, topic = sys.argv[1:]
ecs, elb, logs, sns, ssm, sts, ecr, tagging = map(
    boto3.client, ["ecs", "elbv2", "logs", "sns", "ssm", "sts", "ecr", "resourcegroupstaggingapi"]
)
cluster = {"cluster": "interstella"}
service = ecs.describe_services(**cluster, services=["walk"], include=["TAGS"])["services"][0]
revision = ecs.describe_task_definition(taskDefinition=service["taskDefinition"], include=["TAGS"])
tasks = ecs.list_tasks(**cluster, serviceName="walk")["taskArns"]
instances = ecs.list_container_instances(**cluster)["containerInstanceArns"]
deployments = ecs.list_service_deployments(**cluster, service="walk")["serviceDeployments"]
answers = [
    service,
    revision,
    ecs.describe_clusters(clusters=["interstella"]),
    ecs.list_services(**cluster),
    ecs.list_task_definitions(familyPrefix="walk"),
    ecs.describe_tasks(**cluster, tasks=tasks),
    ecs.describe_container_instances(**cluster, containerInstances=instances),
    ecs.describe_service_deployments(serviceDeploymentArns=[d["serviceDeploymentArn"] for d in deployments]),
    ecs.describe_service_revisions(serviceRevisionArns=[deployments[0]["targetServiceRevisionArn"]]),
    elb.describe_load_balancers(LoadBalancerArns=[load_balancer]),
    elb.describe_load_balancer_attributes(LoadBalancerArn=load_balancer),
    elb.describe_target_groups(TargetGroupArns=[target_group]),
    elb.describe_target_group_attributes(TargetGroupArn=target_group),
    elb.describe_target_health(TargetGroupArn=target_group),
    elb.describe_listeners(ListenerArns=[listener]),
    elb.describe_rules(ListenerArn=listener),
    elb.describe_tags(ResourceArns=[load_balancer]),
    logs.describe_log_groups(logGroupNamePrefix="walk"),
    logs.describe_log_streams(logGroupName="walk"),
    logs.filter_log_events(logGroupName="walk"),
    sns.list_topics(),
    sns.get_topic_attributes(TopicArn=topic),
    sns.list_subscriptions_by_topic(TopicArn=topic),
    ssm.get_parameters(Names=["/interstella/apiKey", "/interstella/missing"], WithDecryption=True),
    sts.get_caller_identity(),
    ecr.describe_repositories(),
    tagging.get_resources(),
]
assert service["deployments"][0]["rolloutState"] == "COMPLETED", service["deployments"]
assert service["createdAt"].year >= 2024 and revision["taskDefinition"]["containerDefinitions"][0]["essential"] is True
assert answers[23]["InvalidParameters"] == ["/interstella/missing"], answers[23]["InvalidParameters"]
try:
    ecs.describe_services(cluster="nowhere", services=["walk"])
    sys.exit("an unknown cluster was answered with a success")
except ecs.exceptions.ClusterNotFoundException:
    pass
print(f"{len(answers)} answers parsed")
