#!/usr/bin/env bash
# Another deploy tool beside a managed app: the real ecs-deploy deploys, scales, runs a task and pushes a bad image. It copies a
# revision's tags to its own, so nothing may be concluded from them. Needs `ecs` and `aws` on the PATH, and a release build of
# `interstella`.
set -euo pipefail
cd "$(dirname "$0")/../.."
port=${CLOUD_PORT:-14569}
listener=${LISTENER_PORT:-15001}
source tests/python/local_cloud.bash

start_cloud --speed 10

service() { aws ecs describe-services --cluster interstella --services monolith --query "services[0].$1" --output text; }
is() { [ "$(service "$1")" = "$2" ]; }
# Runs interstella on the manifest and demands an exit status.
exits() {
    local wanted=$1 status=0
    shift
    "$program" "$@" >"$scratch/last" 2>&1 || status=$?
    [ "$status" = "$wanted" ] || { echo "interstella $*: exit $status and not $wanted" && cat "$scratch/last" && return 1; }
}
image() {
    aws ecs describe-task-definition --task-definition "$(service taskDefinition)" \
        --query 'taskDefinition.containerDefinitions[0].image' --output text
}

until_true "the cloud answers" aws sts get-caller-identity
manifest=$scratch/monolith.yaml
sed "s/port: 5000, protocol/port: $listener, protocol/" manifests/monolith.yaml >"$manifest"
exits 0 apply "$manifest"
ours=$(service taskDefinition)
say "applied: $ours"

say "it deploys the same again, which is what the manifest says"
ecs deploy interstella monolith --timeout 120 --no-deregister >"$scratch/last"
[ "$(service taskDefinition)" != "$ours" ]
exits 0 plan "$manifest"

say "it scales, which is drift"
ecs scale interstella monolith 3 --timeout 120 >"$scratch/last"
is runningCount 3
exits 2 plan "$manifest"
exits 0 apply "$manifest" --wait stable
is runningCount 1

say "it runs a task of the same revision, which nobody counts as the service's"
ecs run interstella interstella-monolith 1 >"$scratch/last"
grep -q "successfully started 1 instance" -i "$scratch/last"
exits 0 plan "$manifest"

say "it deploys another variable, which is put back"
ecs deploy interstella monolith --env monolith INTERSTELLA_GATHER_MS 7 --timeout 120 --no-deregister >"$scratch/last"
exits 2 plan "$manifest"
exits 0 apply "$manifest"
[ "$(aws ecs describe-task-definition --task-definition "$(service taskDefinition)" \
    --query "taskDefinition.containerDefinitions[0].environment[?name=='INTERSTELLA_GATHER_MS']" --output text)" = "" ]

say "it deploys an image that does not exist, and ECS goes back"
# It may take the end of the rollback for its own success, so its exit status says nothing.
ecs deploy interstella monolith --image monolith interstella/monolith:missing1 --timeout 120 --no-deregister \
    >"$scratch/last" 2>&1 || true
grep -q "Successfully changed task definition" "$scratch/last"
until_true "ECS has gone back" is 'deployments[0].rolloutState' COMPLETED
[ "$(image)" = interstella/monolith:latest ]

say "our app is as its manifest says, and nothing is retried"
exits 0 plan "$manifest"
exits 1 retry monolith -f "$manifest"
grep -q "nothing to retry" "$scratch/last"
exits 1 retry interstella/monolith -f "$scratch/nowhere.yaml"
grep -q "nothing to retry" "$scratch/last"

say "drift is corrected although that failure is on record"
aws ecs update-service --cluster interstella --service monolith --desired-count 2 >"$scratch/last"
exits 0 apply "$manifest" --wait stable
is runningCount 1
[ "$(image)" = interstella/monolith:latest ]

say "destroyed"
exits 0 destroy --yes "$manifest"
