#!/usr/bin/env bash
# The controller against moto, an AWS written by others: create, no-op, change of image, health check, count and scaling, destroy.
# Needs `aws`, `moto_server` and `python3` on the PATH, and a release build of `interstella`.
set -euo pipefail
cd "$(dirname "$0")/../.."
port=${MOTO_PORT:-15555}
source tests/python/stand_in.bash

moto_server -H 127.0.0.1 -p "$port" >"$scratch/server.log" 2>&1 &
server=$!
await_server /moto-api/
workshop

# Passes until only what moto cannot do is left: it runs no tasks, so nothing ever registers a target.
say "create, up to the subscription, which waits for a healthy target"
plan_exits 2
if "$program" apply --wait configured --timeout 3 "$manifest" 2>"$scratch/apply"; then
    echo "the subscription did not wait for a healthy target" && exit 1
fi
grep -q 'needs a healthy target' "$scratch/apply" || { cat "$scratch/apply" && exit 1; }

say "skipped by name: moto runs no tasks, so a target is registered by hand in their place"
instance=$(text ec2 run-instances --image-id "$(text ec2 describe-images --query 'Images[0].ImageId')" --subnet-id "$first" \
    --query 'Instances[0].InstanceId')
aws elbv2 register-targets --target-group-arn "$(target_group TargetGroupArn)" --targets "Id=$instance,Port=32768"
apply
same "status of the service" "$(service status)" ACTIVE
same "subscriptions" "$(text sns list-subscriptions --query 'length(Subscriptions)')" 1

say "no-op"
plan_exits 0
grep -q "nothing to do" "$scratch/plan"

say "change of image, health check and count"
first_revision=$(service taskDefinition)
edit 's#interstella/monolith:latest#interstella/monolith:next#; s#path: /, interval#path: /livez, interval#; s#desiredCount: 1#desiredCount: 3#'
plan_exits 2
apply
same "desired count" "$(service desiredCount)" 3
same "path of the health check" "$(target_group HealthCheckPath)" /livez
revision=$(service taskDefinition)
[ "$revision" != "$first_revision" ]
same "image" "$(text ecs describe-task-definition --task-definition "$revision" --query 'taskDefinition.containerDefinitions[0].image')" \
    interstella/monolith:next
plan_exits 0

say "auto scaling: create, no-op, change"
# Adds it at the end of the app's spec.
cat >>"$manifest" <<'SCALING'
  scaling:
    minCapacity: 1
    maxCapacity: 5
    targetTracking: [{ name: cpu, metric: ECSServiceAverageCPUUtilization, target: 60 }]
    scheduled: [{ name: night, schedule: cron(0 22 * * ? *), maxCapacity: 3 }]
SCALING
scalable() { text application-autoscaling "$1" --service-namespace ecs --query "$2"; }
plan_exits 2
apply
same "bounds" "$(scalable describe-scalable-targets 'ScalableTargets[0].[MinCapacity,MaxCapacity]')" $'1\t5'
same "policies" "$(scalable describe-scaling-policies 'ScalingPolicies[].PolicyName')" interstella.cpu
same "actions" "$(scalable describe-scheduled-actions 'ScheduledActions[].ScheduledActionName')" interstella.night
same "desired count" "$(service desiredCount)" 3
plan_exits 0
grep -q "nothing to do" "$scratch/plan"
edit 's/maxCapacity: 5/maxCapacity: 6/; s/target: 60/target: 50/; s/cron(0 22/cron(0 23/'
plan_exits 2
apply
same "maximum" "$(scalable describe-scalable-targets 'ScalableTargets[0].MaxCapacity')" 6
same "target" "$(scalable describe-scaling-policies \
    'ScalingPolicies[0].TargetTrackingScalingPolicyConfiguration.TargetValue')" 50.0
same "schedule" "$(scalable describe-scheduled-actions 'ScheduledActions[0].Schedule')" "cron(0 23 * * ? *)"
plan_exits 0

say "destroy"
"$program" destroy --yes --timeout 120 "$manifest"
# moto lists deleted services for ever.
same "status of the service" "$(service status)" INACTIVE
same "task definitions" "$(text ecs list-task-definitions --status ACTIVE --query 'length(taskDefinitionArns)')" 0
same "load balancers" "$(text elbv2 describe-load-balancers --query 'length(LoadBalancers)')" 0
same "target groups" "$(text elbv2 describe-target-groups --query 'length(TargetGroups)')" 0
same "log groups" "$(text logs describe-log-groups --query 'length(logGroups)')" 0
same "subscriptions" "$(text sns list-subscriptions --query 'length(Subscriptions)')" 0
same "scalable targets" "$(scalable describe-scalable-targets 'length(ScalableTargets)')" 0
same "policies" "$(scalable describe-scaling-policies 'length(ScalingPolicies)')" 0
same "actions" "$(scalable describe-scheduled-actions 'length(ScheduledActions)')" 0
grep -o 'The [a-z_]* action has not been implemented' "$scratch/server.log" | sort -u | sed 's/^/skipped by name: moto: /'
say "moto: converged, changed, destroyed"
