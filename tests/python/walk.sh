#!/usr/bin/env bash
# The workshop's walk with nothing but the aws CLI: task definition, run-task, logs, load balancer, a service with dynamic ports,
# scale, roll, clean up. Needs `aws`, `curl` and `python3` with boto3 on the PATH, and a release build of `interstella`.
set -euo pipefail
cd "$(dirname "$0")/../.."
port=${CLOUD_PORT:-14566}
listener=${LISTENER_PORT:-15000}
source tests/python/local_cloud.bash

start_cloud --image "walk/echo:1=$PWD/tests/python/echo.py"

until_true "the cloud answers" aws sts get-caller-identity

say "register a task definition"
containers='[{"name":"monolith","image":"interstella/monolith:latest","memoryReservation":128,"essential":true,
  "portMappings":[{"containerPort":5000}],
  "environment":[{"name":"INTERSTELLA_ORDER_TOPIC","value":"arn:aws:sns:us-west-2:123456789012:orderTopic"},
                 {"name":"INTERSTELLA_GATHER_MS","value":"50"}],
  "secrets":[{"name":"INTERSTELLA_API_KEY","valueFrom":"/interstella/apiKey"},
             {"name":"INTERSTELLA_API_ENDPOINT","valueFrom":"/interstella/apiEndpoint"}],
  "logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"walk","awslogs-region":"us-west-2","awslogs-stream-prefix":"walk"}}}]'
aws logs create-log-group --log-group-name walk
register() {
    text ecs register-task-definition --family walk --execution-role-arn arn:aws:iam::123456789012:role/interstella-execution \
        --container-definitions "$1" --query taskDefinition.taskDefinitionArn
}
revision=$(register "$containers")
static_revision=$(register "${containers/\"containerPort\":5000/\"containerPort\":5000,\"hostPort\":5000}")
say "registered $revision and $static_revision"

say "run one task and read its log"
task=$(text ecs run-task --cluster interstella --task-definition "$revision" --query 'tasks[0].taskArn')
task_is() { [ "$(text ecs describe-tasks --cluster interstella --tasks "$task" --query 'tasks[0].lastStatus')" = "$1" ]; }
until_true "the task runs" task_is RUNNING
log_lines() { [ -n "$(text logs get-log-events --log-group-name walk --log-stream-name "walk/monolith/${task##*/}" --query 'events[].message')" ]; }
until_true "its log has lines" log_lines
aws ecs stop-task --cluster interstella --task "$task" --reason "walk" --query task.desiredStatus
until_true "the task has stopped" task_is STOPPED

say "target group, load balancer, listener"
vpc=vpc-0a1b2c3d4e5f60001
group=$(text elbv2 create-target-group --name walk --protocol HTTP --port 80 --vpc-id $vpc --health-check-interval-seconds 5 \
    --health-check-timeout-seconds 2 --healthy-threshold-count 2 --query 'TargetGroups[0].TargetGroupArn')
aws elbv2 modify-target-group-attributes --target-group-arn "$group" \
    --attributes Key=deregistration_delay.timeout_seconds,Value=5 --query 'Attributes[0].Key'
balancer=$(text elbv2 create-load-balancer --name walk --subnets subnet-0a1b2c3d4e5f60001 subnet-0a1b2c3d4e5f60002 \
    --security-groups sg-0a1b2c3d4e5f60001 --query 'LoadBalancers[0].LoadBalancerArn')
aws elbv2 wait load-balancer-available --load-balancer-arns "$balancer"
listener_arn=$(text elbv2 create-listener --load-balancer-arn "$balancer" --protocol HTTP --port "$listener" \
    --default-actions "Type=forward,TargetGroupArn=$group" --query 'Listeners[0].ListenerArn')
host=$(text elbv2 describe-load-balancers --load-balancer-arns "$balancer" --query 'LoadBalancers[0].DNSName')
url="http://$host:$listener"

say "a service with dynamic ports"
aws ecs create-service --cluster interstella --service-name walk --task-definition "$revision" --desired-count 1 \
    --load-balancers "targetGroupArn=$group,containerName=monolith,containerPort=5000" --query service.status
healthy() { [ "$(text elbv2 describe-target-health --target-group-arn "$group" --query 'length(TargetHealthDescriptions[?TargetHealth.State==`healthy`])')" = "$1" ]; }
until_true "one healthy target" healthy 1
until_true "the load balancer answers" curl -fsS "$url/"
grep -q "Welcome to the monolith" "$scratch/last"

say "scale to 2"
aws ecs update-service --cluster interstella --service walk --desired-count 2 --query service.desiredCount
until_true "two healthy targets" healthy 2
aws elbv2 describe-target-health --target-group-arn "$group" --query 'TargetHealthDescriptions[].Target' --output json
say "static host ports conflict on the third task (two instances)"
aws ecs create-service --cluster interstella --service-name static --task-definition "$static_revision" --desired-count 3 --query service.status
conflict() { text ecs describe-services --cluster interstella --services static --query 'services[0].events[].message' | grep -q 'already using a port required by your task'; }
until_true "the placement event says so" conflict
[ "$(text ecs describe-services --cluster interstella --services static --query 'services[0].runningCount')" = 2 ]
aws ecs delete-service --cluster interstella --service static --force --query service.status

say "subscribe the endpoint, publish an order"
topic=arn:aws:sns:us-west-2:123456789012:orderTopic
aws sns subscribe --topic-arn $topic --protocol http --notification-endpoint "$url/order/" --query SubscriptionArn
subscription() { text sns list-subscriptions-by-topic --topic-arn $topic --query "Subscriptions[?Endpoint=='$url/order/'].SubscriptionArn"; }
confirmed() { [[ "$(subscription)" == arn:* ]]; }
until_true "the subscription is confirmed" confirmed
aws sns publish --topic-arn $topic --message '{"bundle": 1}' --query MessageId
gathered() { text logs filter-log-events --log-group-name walk --query 'events[].message' | grep -q 'Gathering Requested Items'; }
until_true "a worker gathers the order" gathered

say "roll to a new revision without a failed request"
next_revision=$(register "${containers/interstella\/monolith:latest/walk\/echo:1}")
python3 tests/python/steady_requests.py "$url/" "$scratch/stop" >"$scratch/requests" &
requests=$!
aws ecs update-service --cluster interstella --service walk --task-definition "$next_revision" --query service.taskDefinition
aws ecs wait services-stable --cluster interstella --services walk
rolled() { [ "$(text ecs describe-services --cluster interstella --services walk --query 'services[0].deployments[].taskDefinition')" = "$next_revision" ]; }
until_true "only the new revision is left" rolled
touch "$scratch/stop" && wait "$requests"
say "$(cat "$scratch/requests")"
say "the two targets alternate: $(python3 tests/python/spread.py "$url" 20)"

say "boto3 parses every answer"
python3 tests/python/parse_answers.py "$group" "$balancer" "$listener_arn" "$topic"

say "delete everything"
aws sns unsubscribe --subscription-arn "$(subscription)"
aws ecs delete-service --cluster interstella --service walk --force --query service.status
aws ecs wait services-inactive --cluster interstella --services walk static
aws elbv2 delete-listener --listener-arn "$listener_arn"
aws elbv2 delete-load-balancer --load-balancer-arn "$balancer"
aws elbv2 delete-target-group --target-group-arn "$group"
for arn in "$revision" "$static_revision" "$next_revision"; do
    aws ecs deregister-task-definition --task-definition "$arn" --query taskDefinition.status
done
aws logs delete-log-group --log-group-name walk
[ "$(text ecs list-tasks --cluster interstella --query 'length(taskArns)')" = 0 ]
say "walked"
