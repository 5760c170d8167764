"""Has boto3 parse every answer of CloudWatch in one protocol. Usage: cloudwatch.py smithy-rpc-v2-cbor|json|query

Expects the alarm `load` and its metric, as cloudwatch.sh leaves them."""

import datetime
import sys

import boto3
import botocore.client

[protocol] = sys.argv[1:]

# boto3 chooses the protocol of a service by its model; here the choice is narrowed to one, as an older version's is.
load = botocore.client.ClientCreator._load_service_model


def narrowed(self, *arguments, **options):
    model = load(self, *arguments, **options)
    model.metadata.update(protocol=protocol, protocols=[protocol])
    return model


botocore.client.ClientCreator._load_service_model = narrowed
cloudwatch = boto3.client("cloudwatch")
spoken = []
cloudwatch.meta.events.register("before-send.cloudwatch", lambda request, **_: spoken.append(request))

# The cloud's clock is ahead of this machine's: its time is what it last said.
now = cloudwatch.describe_alarm_history(AlarmName="load", MaxRecords=1)["AlarmHistoryItems"][0]["Timestamp"]
assert isinstance(now, datetime.datetime), now
day = datetime.timedelta(days=1)
minute = now.replace(second=0, microsecond=0)
window = {"StartTime": minute - day / 2, "EndTime": minute + day / 2}
stat = {"Metric": {"Namespace": "Test", "MetricName": "Load"}, "Period": 60, "Stat": "Average"}
queries = [{"Id": "m1", "MetricStat": stat, "ReturnData": False}, {"Id": "e1", "Expression": "FILL(m1, 0) * 2"}]
of_load = {"Namespace": "Test", "MetricName": "Load", "Period": 60, **window}
name = f"math-{protocol}"
arn = cloudwatch.describe_alarms(AlarmNames=["load"])["MetricAlarms"][0]["AlarmArn"]
answers = [
    cloudwatch.put_metric_data(Namespace="Test", MetricData=[
        {"MetricName": "Many", "Values": [1.0, 2.5], "Counts": [2.0, 1.0], "Timestamp": now, "Unit": "Seconds",
         "Dimensions": [{"Name": "Number", "Value": str(number)}]} for number in range(200)
    ]),
    cloudwatch.put_metric_alarm(
        AlarmName=name, Metrics=queries, EvaluationPeriods=2, DatapointsToAlarm=1, Threshold=0.5,
        ComparisonOperator="LessThanOrEqualToThreshold", TreatMissingData="ignore", ActionsEnabled=False,
        Tags=[{"Key": "team", "Value": "ours"}],
    ),
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="ä drill", StateReasonData="{}"),
    cloudwatch.describe_alarms(AlarmNames=[name]),
    cloudwatch.describe_alarms_for_metric(Namespace="Test", MetricName="Load"),
    cloudwatch.describe_alarm_history(AlarmName=name),
    cloudwatch.list_metrics(Namespace="Test", MetricName="Many"),
    cloudwatch.get_metric_statistics(**of_load, Statistics=["Average", "Maximum"]),
    cloudwatch.get_metric_statistics(**of_load, ExtendedStatistics=["p90"]),
    cloudwatch.get_metric_data(MetricDataQueries=queries, **window),
    cloudwatch.enable_alarm_actions(AlarmNames=[name]),
    cloudwatch.disable_alarm_actions(AlarmNames=[name]),
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "app", "Value": "a/b"}]),
    cloudwatch.list_tags_for_resource(ResourceARN=arn),
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["app"]),
    cloudwatch.delete_alarms(AlarmNames=[name]),
]
[alarm] = answers[3]["MetricAlarms"]
assert (alarm["StateValue"], alarm["StateReason"], alarm["Threshold"]) == ("OK", "ä drill", 0.5), alarm
assert alarm["ActionsEnabled"] is False and alarm["OKActions"] == [] and alarm["Metrics"] == [
    {"Id": "m1", "MetricStat": {**stat, "Metric": {**stat["Metric"], "Dimensions": []}}, "ReturnData": False},
    {**queries[1], "ReturnData": True},
], alarm
assert isinstance(alarm["StateUpdatedTimestamp"], datetime.datetime), alarm
assert [item["AlarmName"] for item in answers[4]["MetricAlarms"]] == ["load"], answers[4]
assert len(answers[6]["Metrics"]) == 200, answers[6]
assert any(point["Maximum"] == 1000.0 for point in answers[7]["Datapoints"]), answers[7]
assert all(point["ExtendedStatistics"]["p90"] > 0 for point in answers[8]["Datapoints"]), answers[8]
[result] = answers[9]["MetricDataResults"]
assert result["StatusCode"] == "Complete" and len(result["Values"]) == len(result["Timestamps"]) == 1440, result["Id"]
assert all(isinstance(value, float) for value in result["Values"]) and max(result["Values"]) > 100
assert {tag["Key"] for tag in answers[13]["Tags"]} == {"app", "team"}, answers[13]
try:
    cloudwatch.set_alarm_state(AlarmName="missing", StateValue="OK", StateReason="none")
    sys.exit("an alarm that is not there was given a state")
except cloudwatch.exceptions.ResourceNotFound:
    pass
try:
    cloudwatch.put_metric_data(Namespace="AWS/ECS", MetricData=[{"MetricName": "m", "Value": 1}])
    sys.exit("a namespace of AWS was written to")
except cloudwatch.exceptions.InvalidParameterValueException as error:
    assert error.response["Error"]["Code"] in ("InvalidParameterValue", "InvalidParameterValueException"), error.response

mark = {"smithy-rpc-v2-cbor": "smithy-protocol", "json": "X-Amz-Target", "query": "Content-Type"}[protocol]
assert spoken and all(mark in request.headers for request in spoken), "another protocol was spoken"
assert protocol == "smithy-rpc-v2-cbor" or not any("smithy-protocol" in request.headers for request in spoken)
gzipped = sum(request.headers.get("Content-Encoding") in ("gzip", b"gzip") for request in spoken)
assert gzipped, "no request was compressed, though PutMetricData's body is large"
print(f"{protocol}: {len(answers)} answers parsed, {gzipped} compressed")
