#!/usr/bin/env python3
"""Trims botocore's service models to what the local cloud answers.

    trim.py            writes the models beside this script
    trim.py --check    fails if they differ from what it would write

Every operation keeps its name, so that "known but not implemented" and "unknown" can be told apart; input, output,
pagination and shapes are kept only for the operations in IMPLEMENTED. Documentation is left out. The models are those of
exactly one botocore release, so that a check on another machine compares like with like:

    pip install botocore==1.44.5
"""

import gzip
import json
import pathlib
import sys

import botocore

BOTOCORE = "1.44.5"
HERE = pathlib.Path(__file__).resolve().parent
DATA = pathlib.Path(botocore.__file__).parent / "data"

IMPLEMENTED = {
    "application-autoscaling": """
        DeleteScalingPolicy DeleteScheduledAction DeregisterScalableTarget DescribeScalableTargets DescribeScalingActivities
        DescribeScalingPolicies DescribeScheduledActions ListTagsForResource PutScalingPolicy PutScheduledAction
        RegisterScalableTarget TagResource UntagResource
    """,
    "cloudwatch": """
        DeleteAlarms DescribeAlarmHistory DescribeAlarms DescribeAlarmsForMetric DisableAlarmActions EnableAlarmActions
        GetMetricData GetMetricStatistics ListMetrics ListTagsForResource PutMetricAlarm PutMetricData SetAlarmState
        TagResource UntagResource
    """,
    "ecs": """
        CreateCluster CreateService DeleteCluster DeleteService DeleteTaskDefinitions DeregisterTaskDefinition
        DescribeClusters DescribeContainerInstances DescribeServiceDeployments DescribeServiceRevisions DescribeServices
        DescribeTaskDefinition DescribeTasks ListClusters ListContainerInstances ListServiceDeployments ListServices
        ListTagsForResource ListTaskDefinitionFamilies ListTaskDefinitions ListTasks RegisterTaskDefinition RunTask
        StopServiceDeployment StopTask TagResource UntagResource UpdateService
    """,
    "elbv2": """
        AddTags CreateListener CreateLoadBalancer CreateRule CreateTargetGroup DeleteListener DeleteLoadBalancer DeleteRule
        DeleteTargetGroup DeregisterTargets DescribeListenerAttributes DescribeListeners DescribeLoadBalancerAttributes
        DescribeLoadBalancers DescribeRules DescribeTags DescribeTargetGroupAttributes DescribeTargetGroups
        DescribeTargetHealth ModifyListener ModifyListenerAttributes ModifyLoadBalancerAttributes ModifyRule
        ModifyTargetGroup ModifyTargetGroupAttributes RegisterTargets RemoveTags SetRulePriorities SetSecurityGroups
        SetSubnets
    """,
    "logs": """
        CreateLogGroup CreateLogStream DeleteLogGroup DeleteLogStream DeleteRetentionPolicy DescribeLogGroups
        DescribeLogStreams FilterLogEvents GetLogEvents ListTagsForResource PutLogEvents PutRetentionPolicy TagResource
        UntagResource
    """,
    "sns": """
        ConfirmSubscription CreateTopic DeleteTopic GetSubscriptionAttributes GetTopicAttributes ListSubscriptions
        ListSubscriptionsByTopic ListTagsForResource ListTopics Publish PublishBatch SetSubscriptionAttributes
        SetTopicAttributes Subscribe TagResource Unsubscribe UntagResource
    """,
    "sqs": """
        CreateQueue DeleteMessage DeleteQueue GetQueueAttributes GetQueueUrl ListQueues PurgeQueue ReceiveMessage SendMessage
        SetQueueAttributes
    """,
    "ssm": "DeleteParameter DeleteParameters DescribeParameters GetParameter GetParameters PutParameter",
    "ecr": "BatchGetImage CreateRepository DeleteRepository DescribeImages DescribeRepositories ListImages",
    "sts": "GetCallerIdentity",
    "resourcegroupstaggingapi": "GetResources TagResources UntagResources",
}

# A service may speak several protocols; the local cloud speaks the first of these that it has, which every client knows. Of
# CloudWatch every protocol has clients: CBOR the Rust SDK, JSON newer and query older versions of boto3.
PROTOCOLS = ["json", "query"]
EVERY_PROTOCOL = {"cloudwatch": ["cbor", "json", "query"]}

# Patterns are written for Java. What the local cloud's regular expressions lack is said in other words: printable ASCII,
# characters beyond 16 bits, and a name that is looked ahead at for what it must not have.
PATTERNS = {
    "\\p{Print}": "[ -~]",
    "\\uD800\\uDC00-\\uDBFF\\uDFFF": "\\x{10000}-\\x{10FFFF}",
    "(?!((^[ ]+.*)|(.*([\\u0000-\\u001f]|[\\u007f-\\u009f]|[:/|])+.*)|(.*[ ]+$))).+":
        "[^ \\x00-\\x1f\\x7f-\\x9f:/|]([^\\x00-\\x1f\\x7f-\\x9f:/|]*[^ \\x00-\\x1f\\x7f-\\x9f:/|])?",
}

METADATA = ["apiVersion", "jsonVersion", "targetPrefix", "xmlNamespace"]
SHAPE = ["type", "enum", "min", "max", "pattern", "sensitive", "document", "required"]


def main():
    if botocore.__version__ != BOTOCORE:
        sys.exit(f"this needs botocore {BOTOCORE}, found {botocore.__version__}: pip install botocore=={BOTOCORE}")
    stale = []
    for service, operations in IMPLEMENTED.items():
        text = json.dumps(trimmed(service, operations.split()), separators=(",", ":"), sort_keys=True) + "\n"
        path = HERE / f"{service}.json"
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    if stale:
        sys.exit(f"stale: {', '.join(stale)}; run localcloud/models/trim.py and commit the result")


def trimmed(service, implemented):
    """The model of one service, with shapes for the operations in `implemented`."""
    folder = max(path for path in (DATA / service).iterdir() if path.is_dir())
    model = load(folder / "service-2")
    pages = load(folder / "paginators-1")["pagination"]
    unknown = set(implemented) - set(model["operations"])
    if unknown:
        sys.exit(f"{service} has no operation {', '.join(sorted(unknown))}")
    operations, wanted = {name: {} for name in model["operations"]}, []
    for name in implemented:
        operations[name] = operation(model["operations"][name], pages.get(name))
        wanted += [operations[name][key] for key in ("input", "output") if key in operations[name]]
    metadata = {key: model["metadata"][key] for key in METADATA if key in model["metadata"]}
    spoken = [name for name in PROTOCOLS if name in model["metadata"]["protocols"]][:1]
    metadata["protocols"] = EVERY_PROTOCOL.get(service, spoken)
    if "query" in metadata["protocols"] and len(metadata["protocols"]) > 1:
        metadata["errorShapes"] = error_shapes(model["shapes"])
    return {
        "metadata": metadata,
        "operations": operations,
        "shapes": shapes(model["shapes"], wanted),
    }


def error_shapes(source):
    """Names of errors in JSON and CBOR by their codes in awsQuery, where these differ."""
    errors = {shape["error"]["code"]: name for name, shape in source.items() if "code" in shape.get("error", {})}
    return {code: name for code, name in errors.items() if code != name}


def load(path):
    """Reads a JSON file that botocore ships with or without compression, depending on how it was packed."""
    packed = path.with_suffix(".json.gz")
    return json.loads(gzip.decompress(packed.read_bytes()) if packed.exists() else path.with_suffix(".json").read_bytes())


def operation(source, pages):
    """Names of the input and output shapes, and how the operation is paginated if it has one list and one token."""
    kept = {key: source[key]["shape"] for key in ("input", "output") if key in source}
    if "resultWrapper" in source.get("output", {}):
        kept["resultWrapper"] = source["output"]["resultWrapper"]
    if pages and all(isinstance(pages[key], str) for key in ("input_token", "output_token", "result_key")):
        kept["pagination"] = {
            "inputToken": pages["input_token"], "outputToken": pages["output_token"], "list": pages["result_key"],
        }
    return kept


def shapes(source, wanted):
    """Every shape that can be reached from the names in `wanted`."""
    kept, queue = {}, list(wanted)
    while queue:
        name = queue.pop()
        if name in kept:
            continue
        kept[name] = shape(source[name])
        queue += [reference["shape"] for reference in references(kept[name])]
    return kept


def shape(source):
    kept = {key: source[key] for key in SHAPE if key in source}
    for javas, ours in PATTERNS.items():
        if "pattern" in kept:
            kept["pattern"] = kept["pattern"].replace(javas, ours)
    if "members" in source:
        kept["members"] = {name: reference(member) for name, member in source["members"].items()}
    for key in ("member", "key", "value"):
        if key in source:
            kept[key] = reference(source[key])
    return kept


def reference(source):
    return {key: source[key] for key in ("shape", "locationName") if key in source}


def references(kept):
    yield from kept.get("members", {}).values()
    for key in ("member", "key", "value"):
        if key in kept:
            yield kept[key]


main()
