#!/usr/bin/env bash
# Auto scaling with nothing but the aws CLI: a scalable target, a policy of each kind, a scheduled action, and alarms that move
# from INSUFFICIENT_DATA to ALARM and OK and scale the service. Needs `aws` on the PATH and a release build of `interstella`.
set -euo pipefail
cd "$(dirname "$0")/../.."
port=${CLOUD_PORT:-14567}
patience=90
source tests/python/local_cloud.bash

start_cloud --speed 20 --image "scaled/echo:1=$PWD/tests/python/echo.py"

target=(--service-namespace ecs --resource-id service/interstella/scaled --scalable-dimension ecs:service:DesiredCount)
scaling() { text application-autoscaling "$@"; }
desired() { [ "$(text ecs describe-services --cluster interstella --services scaled --query 'services[0].desiredCount')" "$1" "$2" ]; }
state() { [ "$(text cloudwatch describe-alarms --alarm-names "$1" --query 'MetricAlarms[0].StateValue')" = "$2" ]; }

until_true "the cloud answers" aws sts get-caller-identity

say "a service, and its scalable target"
containers='[{"name":"echo","image":"scaled/echo:1","memoryReservation":16,"portMappings":[{"containerPort":5000}]}]'
aws ecs register-task-definition --family scaled --execution-role-arn arn:aws:iam::123456789012:role/interstella-execution \
    --container-definitions "$containers" --query taskDefinition.revision
aws ecs create-service --cluster interstella --service-name scaled --task-definition scaled --desired-count 1 --query service.status
aws application-autoscaling register-scalable-target "${target[@]}" --min-capacity 2 --max-capacity 4 --tags team=x
until_true "registering raised the count to the minimum" desired = 2
aws application-autoscaling describe-scalable-targets --service-namespace ecs \
    --query 'ScalableTargets[].[ResourceId,MinCapacity,MaxCapacity,SuspendedState]' --output json
[ "$(text resourcegroupstaggingapi get-resources --resource-type-filters application-autoscaling \
    --query 'ResourceTagMappingList[].Tags[].Value')" = x ]

say "a policy of each kind"
metric='{"Namespace":"Script","MetricName":"load","Statistic":"Average"}'
scaling put-scaling-policy "${target[@]}" --policy-name tracking --policy-type TargetTrackingScaling \
    --target-tracking-scaling-policy-configuration "{\"TargetValue\":100,\"CustomizedMetricSpecification\":$metric,\"ScaleOutCooldown\":60}" \
    --query 'Alarms[].AlarmName'
scaling put-scaling-policy "${target[@]}" --policy-name cpu --policy-type TargetTrackingScaling \
    --target-tracking-scaling-policy-configuration '{"TargetValue":60,"DisableScaleIn":true,"PredefinedMetricSpecification":{"PredefinedMetricType":"ECSServiceAverageCPUUtilization"}}' \
    --query 'Alarms[].AlarmName'
step=$(scaling put-scaling-policy "${target[@]}" --policy-name steps --policy-type StepScaling \
    --step-scaling-policy-configuration '{"AdjustmentType":"ChangeInCapacity","StepAdjustments":[{"MetricIntervalLowerBound":0,"ScalingAdjustment":1}]}' \
    --query PolicyARN)
scaling put-scaling-policy "${target[@]}" --policy-name forecast --policy-type PredictiveScaling \
    --predictive-scaling-policy-configuration '{"MetricSpecifications":[{"TargetValue":40,"PredefinedMetricPairSpecification":{"PredefinedMetricType":"ECSServiceCPUUtilization"}}]}'
aws cloudwatch put-metric-alarm --alarm-name steps --namespace Script --metric-name queue --statistic Average --period 60 \
    --evaluation-periods 1 --threshold 10 --comparison-operator GreaterThanThreshold --alarm-actions "$step"
[ "$(scaling describe-scaling-policies --service-namespace ecs --query 'length(ScalingPolicies)')" = 4 ]
scaling describe-scaling-policies --service-namespace ecs --query 'ScalingPolicies[].[PolicyName,PolicyType,join(`,`,Alarms[].AlarmName)]'

say "a scheduled action"
aws application-autoscaling put-scheduled-action "${target[@]}" --scheduled-action-name often --schedule 'rate(1 minute)' \
    --scalable-target-action MaxCapacity=3
aws application-autoscaling describe-scheduled-actions --service-namespace ecs --query 'ScheduledActions[].[ScheduledActionName,Schedule]' --output text
maximum() { [ "$(scaling describe-scalable-targets --service-namespace ecs --query 'ScalableTargets[0].MaxCapacity')" = 3 ]; }
until_true "it lowered the maximum" maximum
aws application-autoscaling delete-scheduled-action "${target[@]}" --scheduled-action-name often

say "load, by the metric"
high=$(scaling describe-scaling-policies --service-namespace ecs --policy-names tracking \
    --query 'ScalingPolicies[0].Alarms[?contains(AlarmName,`AlarmHigh`)].AlarmName')
state "$high" INSUFFICIENT_DATA
# A minute of the cloud is three seconds here: values are put as often as the CLI manages, of which three in a row decide.
put() { aws cloudwatch put-metric-data --namespace Script --metric-name load --value "$1"; }
put_until() { put "$1" && state "$high" "$2"; }
until_true "three values above the target raise the alarm" put_until 400 ALARM
until_true "the service has as many tasks as the maximum allows" desired = 3
until_true "a value below it lowers the alarm" put_until 95 OK
activities() { scaling describe-scaling-activities --service-namespace ecs --include-not-scaled-activities --query "$1"; }
fulfilled() { activities 'ScalingActivities[].StatusMessage' | grep -q "desired count to 3. Change successfully fulfilled by ecs."; }
until_true "the activity has ended" fulfilled
activities 'ScalingActivities[].[StatusCode,Description,Cause]' | tee "$scratch/activities"
for cause in "minimum capacity was set to 2" "scheduled action name often was triggered" "in state ALARM triggered policy tracking"; do
    grep -q "$cause" "$scratch/activities"
done

say "delete everything"
aws application-autoscaling delete-scaling-policy "${target[@]}" --policy-name steps
state steps OK || state steps INSUFFICIENT_DATA
aws application-autoscaling deregister-scalable-target "${target[@]}"
[ "$(text cloudwatch describe-alarms --alarm-name-prefix TargetTracking- --query 'length(MetricAlarms)')" = 0 ]
aws cloudwatch delete-alarms --alarm-names steps
aws ecs delete-service --cluster interstella --service scaled --force --query service.status
say "scaled"
