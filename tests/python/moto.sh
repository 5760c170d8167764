#!/usr/bin/env bash
# The controller against moto, an AWS written by others: create, no-op, change of image, health check, count and scaling, destroy.
# Needs `aws`, `moto_server` and `python3` on the PATH, and a release build of `interstella`.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${INTERSTELLA:-target/release/interstella}
port=${MOTO_PORT:-15555}
scratch=$(mktemp -d)
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-west-2 AWS_DEFAULT_REGION=us-west-2 AWS_PAGER=""
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export XDG_RUNTIME_DIR=$scratch

moto_server -H 127.0.0.1 -p "$port" >"$scratch/moto.log" 2>&1 &
moto=$!
finish() {
    status=$?
    kill "$moto" 2>/dev/null && wait "$moto" 2>/dev/null || true
    [ "$status" = 0 ] || tail -n 200 "$scratch/moto.log" | grep -v '" 200 -' | tail -n 40
    rm -rf "$scratch"
    exit "$status"
}
trap finish EXIT

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
text() { aws "$@" --output text; }
# Fails unless two values are equal.
same() { [ "$2" = "$3" ] || { echo "$1: found '$2', wanted '$3'" && return 1; }; }

for _ in $(seq 300); do
    curl -fsS "$AWS_ENDPOINT_URL/moto-api/" >/dev/null 2>&1 && break
    kill -0 "$moto" || { cat "$scratch/moto.log" && exit 1; }
    sleep 0.1
done

say "what the workshop's stack provides: cluster, topic, two subnets, a security group"
aws ecs create-cluster --cluster-name interstella --query cluster.status
aws sns create-topic --name orderTopic --query TopicArn
read -r first second _ <<<"$(text ec2 describe-subnets --query 'Subnets[].SubnetId')"
group=$(text ec2 describe-security-groups --query 'SecurityGroups[0].GroupId')

manifest=$scratch/monolith.yaml
sed -e "s/subnet-0a1b2c3d4e5f60001/$first/; s/subnet-0a1b2c3d4e5f60002/$second/; s/sg-0a1b2c3d4e5f60001/$group/" \
    manifests/monolith.yaml >"$manifest"
# Changes the manifest, which must differ after it.
edit() {
    cp "$manifest" "$scratch/before"
    sed -i.old "$1" "$manifest"
    ! cmp -s "$manifest" "$scratch/before"
}
apply() { "$program" apply --wait configured --timeout 60 "$manifest"; }
plan_exits() {
    local status=0
    "$program" plan "$manifest" >"$scratch/plan" 2>"$scratch/plan.err" || status=$?
    same "exit status of plan: $(cat "$scratch/plan" "$scratch/plan.err")" "$status" "$1"
}

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
target_group() { text elbv2 describe-target-groups --names monolith --query "TargetGroups[0].$1"; }
aws elbv2 register-targets --target-group-arn "$(target_group TargetGroupArn)" --targets "Id=$instance,Port=32768"
apply
service() { text ecs describe-services --cluster interstella --services monolith --query "services[0].$1"; }
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
grep -o 'The [a-z_]* action has not been implemented' "$scratch/moto.log" | sort -u | sed 's/^/skipped by name: moto: /'
say "moto: converged, changed, destroyed"
