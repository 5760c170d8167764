#!/usr/bin/env bash
# Builds the worker's image with a real Docker engine and runs it: dependencies are compiled once, the image holds the binary
# and certificates only, and in it the worker serves, resolves a name and ends cleanly.
#
# Needs root, a Docker engine and debootstrap (Debian: `apt-get install docker.io debootstrap`, then `dockerd &`). Instead of an
# image from a registry it builds on Debian 12 from the machine's mirror, with the machine's own Rust toolchain and
# certificates; that base image is kept. Takes about a quarter of an hour and 5 GB. PORT is the port to publish, 5000 unless told.
set -euo pipefail
cd "$(dirname "$0")/.."
port=${PORT:-5000}
base=interstella-test-base:$(rustc --version | cut -d ' ' -f 2)
image=interstella-test-worker network=interstella-test
scratch=$(mktemp -d)
# Debian's client has BuildKit built in; another one may lack it.
docker=/usr/bin/docker
[ -x $docker ] || docker=docker

step() { printf '=== %s (%ds)\n' "$1" "$SECONDS"; }
fail() {
    printf 'FAILED: %s\n' "$1" >&2
    exit 1
}
clean() {
    $docker rm -f $image $network-hq >/dev/null 2>&1 || true
    $docker network rm $network >/dev/null 2>&1 || true
}
finish() {
    status=$?
    [ $status = 0 ] || { $docker logs $image 2>&1 || true; tail -n 30 "$scratch"/*.log 2>/dev/null || true; }
    clean
    rm -rf "$scratch"
    exit $status
}
# Repeats a command until it succeeds, for a minute at most.
until_true() {
    local deadline=$((SECONDS + 60))
    until "$@"; do
        [ $SECONDS -lt $deadline ] || fail "gave up waiting: $*"
        sleep 0.1
    done
}

[ "$(id -u)" = 0 ] || fail "debootstrap needs root"
for tool in $docker debootstrap rustc curl git; do
    command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install docker.io debootstrap curl git"
done
$docker info >/dev/null 2>&1 || fail "no Docker engine answers; start one: dockerd >/tmp/dockerd.log 2>&1 &"
trap finish EXIT
clean

make_base() {
    local root=$scratch/root toolchain
    toolchain=$(rustc --print sysroot)
    debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev bookworm "$root" >"$scratch/debootstrap.log"
    # The registry is reached as the machine reaches it.
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    mkdir -p "$root/opt/rust/bin"
    cp "$toolchain"/bin/{cargo,rustc} "$root/opt/rust/bin/"
    cp -a "$toolchain/lib" "$root/opt/rust/"
    tar -C "$root" -c . | $docker import --change 'ENV PATH=/opt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$base" >/dev/null
    rm -rf "$root"
}
step "base image"
$docker image inspect "$base" >/dev/null 2>&1 || make_base

# Builds what is in $scratch/source; the output goes to $scratch/$1.log.
build() {
    local start=$SECONDS
    DOCKER_BUILDKIT=1 $docker build --progress plain --network host --build-arg BUILDER="$base" --tag $image "$scratch/source" \
        >"$scratch/$1.log" 2>&1 || fail "docker build"
    echo "built in $((SECONDS - start)) s, $(grep -c ' Compiling ' "$scratch/$1.log" || true) crates compiled"
}
step "docker build"
mkdir "$scratch/source"
git ls-files --cached --others --exclude-standard -z | xargs -0 cp --parents -Pt "$scratch/source"
build first

step "docker build after an edit of one line"
greeting=$(grep -rl 'Welcome to the monolith' "$scratch/source/worker/src" | head -n 1)
sed -i 's/Welcome to the monolith/Welcome to the edited monolith/' "$greeting"
build second
foreign=$(grep ' Compiling ' "$scratch/second.log" | grep -v ' Compiling interstella' || true)
[ -z "$foreign" ] || fail "dependencies were compiled again: $foreign"
grep -q ' Compiling interstella-worker ' "$scratch/second.log" || fail "the edit was not compiled"
grep -A 2 '\[dependencies .*RUN cargo build' "$scratch/second.log" | grep -q CACHED || fail "the layer of dependencies is not from the cache"
grep ' Compiling ' "$scratch/second.log" | sed 's/.*Compiling/  compiled again:/'

step "what the image holds"
[ "$($docker image inspect -f '{{.Config.User}}' $image)" = 65532:65532 ] || fail "the user is not a number other than root's"
$docker network create $network >/dev/null
$docker create --name $image $image >/dev/null
$docker export $image | tar -tv | awk '$1 ~ /^-/ && $3 > 0 { print $3, $6 }' | tee "$scratch/files"
$docker rm $image >/dev/null
[ "$(cut -d ' ' -f 2 "$scratch/files" | sort | tr '\n' ' ')" = "etc/ssl/certs/ca-certificates.crt worker " ] ||
    fail "the image holds more, or less, than the binary and certificates"
size=$($docker image inspect -f '{{.Size}}' $image)
[ "$size" = "$(awk '{ sum += $1 } END { print sum }' "$scratch/files")" ] || fail "the image is larger than its files: $size bytes"
[ "$(awk '$2 == "worker" { print $1 }' "$scratch/files")" -le 8000000 ] || fail "the binary is larger than 8 MB"
echo "image: $size bytes"

# Headquarters' stand-in says the bytes that it is greeted with: the start of TLS names the host in the clear.
hq=headquarters.interstella.test
listen='$s = IO::Socket::INET->new(Listen => 5, LocalPort => 443) or die; $| = 1;
    while ($c = $s->accept) { sysread $c, $b, 4096; $b =~ s/[^ -~]/./g; print "$b\n" }'
step "docker run -p $port:5000"
$docker run -d --name $network-hq --network $network --network-alias $hq --init "$base" perl -MIO::Socket::INET -e "$listen" >/dev/null
$docker run -d --name $image --network $network -p "$port:5000" \
    -e INTERSTELLA_ORDER_TOPIC=arn:aws:sns:us-west-2:123456789012:orderTopic -e INTERSTELLA_API_KEY=key \
    -e INTERSTELLA_API_ENDPOINT=https://$hq/receiving/ -e INTERSTELLA_DIRECT_FULFIL=true -e INTERSTELLA_GATHER_MS=0 $image >/dev/null
greets() { curl -fsS -m 2 "http://127.0.0.1:$port/" 2>/dev/null | grep -q '^Welcome to the edited monolith'; }
until_true greets
$docker top $image -o pid,uid | grep -q ' 65532$' || fail "the worker does not run as 65532"

step "a name is resolved"
curl -sS -m 20 -o /dev/null -w 'POST /fulfill/ answered %{http_code}\n' -H 'content-type: application/json' -d '{"bundle": 1}' "http://127.0.0.1:$port/fulfill/"
is_called() { $docker logs $network-hq 2>&1 | grep -q "$hq"; }
until_true is_called

step "docker stop"
start=$(date +%s%N)
$docker stop -t 30 $image >/dev/null
took=$((($(date +%s%N) - start) / 1000000))
code=$($docker inspect -f '{{.State.ExitCode}}' $image)
echo "exit code $code after $took ms"
[ "$code" = 0 ] || fail "the worker did not end cleanly"
[ $took -le 15000 ] || fail "the worker took longer than 15 s to stop"
step "all as it should be"
