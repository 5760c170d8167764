#!/usr/bin/env bash
# The controller against ministack, a second AWS written by others, which answers empty texts for what was never given: create,
# no-op, change of image, health check and count, destroy.
# Needs `aws` and `ministack` on the PATH, and a release build of `interstella`.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${INTERSTELLA:-target/release/interstella}
port=${MINISTACK_PORT:-15556}
scratch=$(mktemp -d)
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-west-2 AWS_DEFAULT_REGION=us-west-2 AWS_PAGER=""
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export XDG_RUNTIME_DIR=$scratch

# Without a Docker to reach it says that tasks run, and runs none.
GATEWAY_PORT=$port BIND_HOST=127.0.0.1 MINISTACK_REGION=us-west-2 MINISTACK_ACCOUNT_ID=123456789012 \
    DOCKER_HOST=unix://$scratch/no-docker.sock ministack >"$scratch/ministack.log" 2>&1 &
ministack=$!
finish() {
    status=$?
    kill "$ministack" 2>/dev/null && wait "$ministack" 2>/dev/null || true
    [ "$status" = 0 ] || tail -n 40 "$scratch/ministack.log"
    rm -rf "$scratch"
    exit "$status"
}
trap finish EXIT

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
text() { aws "$@" --output text; }
# Fails unless two values are equal.
same() { [ "$2" = "$3" ] || { echo "$1: found '$2', wanted '$3'" && return 1; }; }

for _ in $(seq 300); do
    curl -fsS "$AWS_ENDPOINT_URL/health" >/dev/null 2>&1 && break
    kill -0 "$ministack" || { cat "$scratch/ministack.log" && exit 1; }
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
service() { text ecs describe-services --cluster interstella --services monolith --query "services[0].$1"; }
target_group() { text elbv2 describe-target-groups --names monolith --query "TargetGroups[0].$1"; }
revisions() { text ecs list-task-definitions --status ACTIVE --query 'length(taskDefinitionArns)'; }

# Passes until only what ministack cannot do is left: nothing registers a target.
say "create, up to the subscription, which waits for a healthy target"
plan_exits 2
if "$program" apply --wait configured --timeout 3 "$manifest" 2>"$scratch/apply"; then
    echo "the subscription did not wait for a healthy target" && exit 1
fi
grep -q 'needs a healthy target' "$scratch/apply" || { cat "$scratch/apply" && exit 1; }

say "skipped by name: ministack runs no tasks without Docker, so a target is registered by hand in their place"
aws elbv2 register-targets --target-group-arn "$(target_group TargetGroupArn)" --targets Id=i-0a1b2c3d4e5f60001,Port=32768
apply
same "status of the service" "$(service status)" ACTIVE
same "subscriptions" "$(text sns list-subscriptions --query 'length(Subscriptions)')" 1
same "revisions" "$(revisions)" 1

say "no-op: passes register nothing"
plan_exits 0
grep -q "nothing to do" "$scratch/plan"
for _ in 1 2 3 4 5; do apply >/dev/null 2>&1; done
same "revisions" "$(revisions)" 1

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
same "revisions" "$(revisions)" 2
plan_exits 0

say "skipped by name: ministack has no Application Auto Scaling"

say "destroy"
"$program" destroy --yes --timeout 120 "$manifest"
same "task definitions" "$(revisions)" 0
same "load balancers" "$(text elbv2 describe-load-balancers --query 'length(LoadBalancers)')" 0
same "target groups" "$(text elbv2 describe-target-groups --query 'length(TargetGroups)')" 0
same "log groups" "$(text logs describe-log-groups --query 'length(logGroups)')" 0
same "subscriptions" "$(text sns list-subscriptions --query 'length(Subscriptions)')" 0
say "ministack: converged, changed, destroyed"
