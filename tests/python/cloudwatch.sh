#!/usr/bin/env bash
# CloudWatch as others' clients see it: the aws CLI sees an alarm go through its states, and boto3 parses every answer in each of
# the three protocols. Needs `aws` and `python3` with boto3 on the PATH, and a release build of `interstella`.
set -euo pipefail
cd "$(dirname "$0")/../.."
port=${CLOUD_PORT:-14568}
source tests/python/local_cloud.bash

# At this speed a minute of the cloud takes two seconds.
start_cloud --speed 30

until_true "the cloud answers" aws sts get-caller-identity

topic=$(text sns create-topic --name alarms --query TopicArn)
aws cloudwatch put-metric-alarm --alarm-name load --namespace Test --metric-name Load --statistic Average --period 60 \
    --evaluation-periods 1 --threshold 50 --comparison-operator GreaterThanThreshold --alarm-actions "$topic" \
    --tags Key=team,Value=ours
state() { text cloudwatch describe-alarms --alarm-names load --query 'MetricAlarms[0].StateValue'; }
[ "$(state)" = INSUFFICIENT_DATA ] && say "the alarm begins with insufficient data"
# Puts a value for the present moment, and tells whether the alarm is in a state.
put_and_see() {
    aws cloudwatch put-metric-data --namespace Test --metric-name Load --value "$1" && [ "$(state)" = "$2" ]
}
until_true "low values make it OK" put_and_see 10 OK
until_true "high values make it ALARM" put_and_see 1000 ALARM
until_true "low values make it OK again" put_and_see 1 OK
is_unknown() { [ "$(state)" = INSUFFICIENT_DATA ]; }
until_true "without values it has insufficient data" is_unknown
aws cloudwatch describe-alarm-history --alarm-name load --history-item-type StateUpdate \
    --query 'AlarmHistoryItems[].HistorySummary' --output table
aws cloudwatch set-alarm-state --alarm-name load --state-value ALARM --state-reason "a drill"

say "boto3 parses every answer"
for protocol in smithy-rpc-v2-cbor json query; do
    python3 tests/python/cloudwatch.py $protocol
done

aws cloudwatch delete-alarms --alarm-names load
[ "$(text cloudwatch describe-alarms --query 'length(MetricAlarms)')" = 0 ] && say "done"
