# For scripts that run the controller against an AWS written by others. They set `port`, read this file, start the server in the
# background with its log in $scratch/server.log, set `server` to its number, and say `await_server` and `workshop`.
program=${INTERSTELLA:-target/release/interstella}
scratch=$(mktemp -d)
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_REGION=us-west-2 AWS_DEFAULT_REGION=us-west-2 AWS_PAGER=""
export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export XDG_RUNTIME_DIR=$scratch

finish() {
    status=$?
    [ -z "${server:-}" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
    [ "$status" = 0 ] || tail -n 200 "$scratch/server.log" | grep -v '" 200 -' | tail -n 40
    rm -rf "$scratch"
    exit "$status"
}
trap finish EXIT

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
text() { aws "$@" --output text; }
# Fails unless two values are equal.
same() { [ "$2" = "$3" ] || { echo "$1: found '$2', wanted '$3'" && return 1; }; }

# Waits until the server answers at a path.
await_server() {
    for _ in $(seq 300); do
        curl -fsS "$AWS_ENDPOINT_URL$1" >/dev/null 2>&1 && return
        kill -0 "$server" || { cat "$scratch/server.log" && exit 1; }
        sleep 0.1
    done
}

# What the workshop's stack provides, and a manifest that names it.
workshop() {
    say "what the workshop's stack provides: cluster, topic, two subnets, a security group"
    aws ecs create-cluster --cluster-name interstella --query cluster.status
    aws sns create-topic --name orderTopic --query TopicArn
    read -r first second _ <<<"$(text ec2 describe-subnets --query 'Subnets[].SubnetId')"
    group=$(text ec2 describe-security-groups --query 'SecurityGroups[0].GroupId')
    manifest=$scratch/monolith.yaml
    sed -e "s/subnet-0a1b2c3d4e5f60001/$first/; s/subnet-0a1b2c3d4e5f60002/$second/; s/sg-0a1b2c3d4e5f60001/$group/" \
        manifests/monolith.yaml >"$manifest"
}

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
