#!/usr/bin/env bash
# The controller against ministack, a second AWS written by others, which answers empty texts for what was never given: create,
# no-op, change of image, health check and count, destroy.
# Needs `aws` and `ministack` on the PATH, and a release build of `interstella`.
set -euo pipefail
cd "$(dirname "$0")/../.."
port=${MINISTACK_PORT:-15556}
source tests/python/stand_in.bash
revisions() { text ecs list-task-definitions --status ACTIVE --query 'length(taskDefinitionArns)'; }

# Without a Docker to reach it says that tasks run, and runs none.
GATEWAY_PORT=$port BIND_HOST=127.0.0.1 MINISTACK_REGION=us-west-2 MINISTACK_ACCOUNT_ID=123456789012 \
    DOCKER_HOST=unix://$scratch/no-docker.sock ministack >"$scratch/server.log" 2>&1 &
server=$!
await_server /health
workshop

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
