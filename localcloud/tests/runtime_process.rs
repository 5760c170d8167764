//! The process runtime from outside: tasks end with it, and deliveries are real, signed and repeated to the byte.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use interstella_localcloud::call::Service;
use interstella_localcloud::clock::Clock;
use interstella_localcloud::cloud::{Cloud, Runtime};
use interstella_localcloud::ecs::container_instance;
use interstella_localcloud::effect::{ContainerLaunch, Effect};
use interstella_localcloud::images::{Image, Images, Program};
use interstella_localcloud::runtime::process::{Process, Settings, port_is_free};
use interstella_localcloud::world::World;
use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(20);
const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:orderTopic";

/// A live cloud at 100 times the speed, with its runtime.
fn cloud() -> (Arc<Cloud>, Process) {
    let settings = Settings {
        access_key: "local".to_owned(),
        endpoint_url: "http://127.0.0.1:4566".to_owned(),
        region: "us-west-2".to_owned(),
        search_path: "/usr/bin:/bin".to_owned(),
        speed: 100.0,
        scaled_ms: Vec::new(),
        reaper: Program { path: "/bin/cat".into(), arguments: Vec::new() },
    };
    let process = Process::start(settings).unwrap();
    let world = World::new("us-west-2", 7, Images::default());
    let cloud = Cloud::new(world, Clock::live(100.0), Box::new(process.clone()));
    tokio::spawn(Arc::clone(&cloud).run_timers());
    (cloud, process)
}

fn ok(cloud: &Arc<Cloud>, service: Service, operation: &str, input: Value) -> Value {
    cloud.call(service, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

struct Received {
    headers: HeaderMap,
    path: String,
    body: String,
}

/// Answers each request with the next status, then 200, and passes it on.
async fn receiver(statuses: Vec<u16>) -> (SocketAddr, mpsc::UnboundedReceiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (pass, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut statuses = statuses.into_iter();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let status = StatusCode::from_u16(statuses.next().unwrap_or(200)).unwrap();
            let pass = pass.clone();
            let answer = service_fn(move |request: Request<Incoming>| {
                let pass = pass.clone();
                async move {
                    let (parts, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    let body = String::from_utf8(body.to_vec()).unwrap();
                    let _ = pass.send(Received { headers: parts.headers, path: parts.uri.to_string(), body });
                    let mut response = Response::new(Full::new(Bytes::new()));
                    *response.status_mut() = status;
                    Ok::<_, Infallible>(response)
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    (address, received)
}

async fn next(received: &mut mpsc::UnboundedReceiver<Received>) -> Received {
    timeout(DEADLINE, received.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_endpoint_confirms_and_gets_signed_messages_again_until_it_takes_them() {
    let (cloud, process) = cloud();
    let (address, mut received) = receiver(vec![200, 503, 503]).await;
    ok(&cloud, Service::Sns, "CreateTopic", json!({ "Name": "orderTopic" }));
    let endpoint = format!("http://interstella.us-west-2.elb.localhost:{}/order/", address.port());
    ok(&cloud, Service::Sns, "Subscribe", json!({ "TopicArn": TOPIC, "Protocol": "http", "Endpoint": endpoint }));

    let confirmation = next(&mut received).await;
    assert_eq!(confirmation.path, "/order/");
    assert_eq!(confirmation.headers["host"], format!("interstella.us-west-2.elb.localhost:{}", address.port()));
    assert_eq!(confirmation.headers["x-amz-sns-message-type"], "SubscriptionConfirmation");
    let body: Value = serde_json::from_str(&confirmation.body).unwrap();
    let path = body["SigningCertURL"].as_str().unwrap().strip_prefix("http://127.0.0.1:4566").unwrap();
    assert!(cloud.page(path).is_some(), "{path}");
    ok(&cloud, Service::Sns, "ConfirmSubscription", json!({ "TopicArn": TOPIC, "Token": body["Token"] }));

    let published = ok(&cloud, Service::Sns, "Publish", json!({ "TopicArn": TOPIC, "Message": "{\"bundle\": 1}" }));
    let attempts = [next(&mut received).await, next(&mut received).await, next(&mut received).await];
    assert!(attempts.iter().all(|attempt| attempt.body == attempts[0].body));
    assert!(attempts[0].body.starts_with("{\n  \"Type\" : \"Notification\",\n"), "{}", attempts[0].body);
    let body: Value = serde_json::from_str(&attempts[0].body).unwrap();
    assert_eq!(body["MessageId"], published["MessageId"]);
    assert_eq!(attempts[0].headers["x-amz-sns-message-id"], published["MessageId"].as_str().unwrap());
    assert_eq!(body["Signature"].as_str().unwrap().len(), 344);
    process.shut_down(Duration::ZERO).await;
}

#[tokio::test]
async fn a_message_that_nobody_takes_is_a_dead_letter_with_its_signature() {
    let (cloud, process) = cloud();
    let (address, mut received) = receiver(vec![200, 503, 503, 503, 503]).await;
    ok(&cloud, Service::Sns, "CreateTopic", json!({ "Name": "orderTopic" }));
    let queue = ok(&cloud, Service::Sqs, "CreateQueue", json!({ "QueueName": "lost" }))["QueueUrl"].clone();
    let redrive = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-west-2:123456789012:lost"}"#;
    ok(
        &cloud,
        Service::Sns,
        "Subscribe",
        json!({
            "TopicArn": TOPIC, "Protocol": "http", "Endpoint": format!("http://{address}/"),
            "Attributes": { "RedrivePolicy": redrive },
        }),
    );
    let confirmation: Value = serde_json::from_str(&next(&mut received).await.body).unwrap();
    ok(&cloud, Service::Sns, "ConfirmSubscription", json!({ "TopicArn": TOPIC, "Token": confirmation["Token"] }));
    ok(&cloud, Service::Sns, "Publish", json!({ "TopicArn": TOPIC, "Message": "m" }));
    let sent = next(&mut received).await.body;
    let letter = timeout(DEADLINE, async {
        let mut pause = tokio::time::interval(Duration::from_millis(10));
        loop {
            pause.tick().await;
            let answer = ok(&cloud, Service::Sqs, "ReceiveMessage", json!({ "QueueUrl": queue }));
            if let Some(message) = answer["Messages"].get(0) {
                return message["Body"].as_str().unwrap().to_owned();
            }
        }
    });
    assert_eq!(letter.await.unwrap(), sent);
    process.shut_down(Duration::ZERO).await;
}

#[tokio::test]
async fn an_orderly_end_leaves_nothing_and_starts_nothing() {
    let (cloud, process) = cloud();
    ok(&cloud, Service::Logs, "CreateLogGroup", json!({ "logGroupName": "g" }));
    let task = |task_id: &str| {
        Effect::StartContainer(ContainerLaunch {
            task_id: task_id.to_owned(),
            name: "c".to_owned(),
            program: Program { path: "/bin/sh".into(), arguments: Vec::new() },
            entry_point: Vec::new(),
            command: [
                "-c",
                "exec 2>/dev/null; trap 'echo drained; exit 0' TERM; echo ready; while :; do sleep 0.02; done",
            ]
            .map(str::to_owned)
            .to_vec(),
            environment: Vec::new(),
            working_directory: None,
            ports: Vec::new(),
            log: Some(("g".to_owned(), task_id.to_owned())),
        })
    };
    let lines = |stream: &str| {
        let input = json!({ "logGroupName": "g", "logStreamNames": [stream] });
        let answer = ok(&cloud, Service::Logs, "FilterLogEvents", input);
        let events = answer["events"].as_array().unwrap().iter();
        events.map(|event| event["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    process.apply(&cloud, task("one"));
    timeout(DEADLINE, async {
        let mut pause = tokio::time::interval(Duration::from_millis(5));
        while lines("one").is_empty() {
            pause.tick().await;
        }
    })
    .await
    .unwrap();
    timeout(DEADLINE, process.shut_down(DEADLINE)).await.unwrap();
    assert_eq!(lines("one"), ["ready", "drained"]);
    process.apply(&cloud, task("two"));
    timeout(DEADLINE, process.shut_down(DEADLINE)).await.unwrap();
    assert_eq!(lines("two"), Vec::<String>::new());
}

/// A container instance, and the image `sh`, which runs until it is told to end.
fn machine() -> (Arc<Cloud>, Process) {
    let (cloud, process) = cloud();
    ok(&cloud, Service::Ecs, "CreateCluster", json!({ "clusterName": "c" }));
    cloud.with_world(|world, now| {
        container_instance::register(world, now, "c", 2048, 4096);
        let arguments = ["-c", "trap 'exit 0' TERM; while :; do sleep 0.02; done"].map(str::to_owned).to_vec();
        let program = Program { path: "/bin/sh".into(), arguments };
        world.images.insert("sh", Image::new(program, &b"sh"[..]).unwrap());
    });
    (cloud, process)
}

/// Runs a task that is checked with this command, and waits for what its container says once its health is known.
async fn checked(cloud: &Arc<Cloud>, command: Value) -> (String, String) {
    let check = json!({ "command": command, "interval": 5, "timeout": 2, "retries": 1 });
    let container = json!({
        "name": "main", "image": "sh", "memory": 64, "healthCheck": check, "portMappings": [{ "containerPort": 80 }],
        "environment": [{ "name": "GREETING", "value": "hello" }],
    });
    ok(cloud, Service::Ecs, "RegisterTaskDefinition", json!({ "family": "f", "containerDefinitions": [container] }));
    let task = ok(cloud, Service::Ecs, "RunTask", json!({ "cluster": "c", "taskDefinition": "f" }))["tasks"][0].clone();
    let input = json!({ "cluster": "c", "tasks": [task["taskArn"]] });
    let known = async {
        let mut pause = tokio::time::interval(Duration::from_millis(10));
        loop {
            pause.tick().await;
            let task = ok(cloud, Service::Ecs, "DescribeTasks", input.clone())["tasks"][0].clone();
            if task["healthStatus"] != "UNKNOWN" {
                let of = |member: &Value| member.as_str().unwrap_or_default().to_owned();
                return (of(&task["healthStatus"]), of(&task["containers"][0]["reason"]));
            }
        }
    };
    timeout(DEADLINE, known).await.unwrap()
}

#[tokio::test]
async fn a_health_check_runs_with_the_environment_of_its_container_and_decides() {
    let (cloud, process) = machine();
    let (status, reason) = checked(&cloud, json!(["CMD-SHELL", "exit 1"])).await;
    assert_eq!((status.as_str(), reason.as_str()), ("UNHEALTHY", "the health check ended with exit code 1"));
    let command = json!(["CMD-SHELL", "test $GREETING = hello && test $PORT -ge 20000"]);
    assert_eq!(checked(&cloud, command).await, ("HEALTHY".to_owned(), String::new()));
    assert_eq!(checked(&cloud, json!(["CMD", "true"])).await.0, "HEALTHY");
    let (_, reason) = checked(&cloud, json!(["CMD", "echo", "no", "shell"])).await;
    assert_eq!(reason, "", "it passed");
    let (_, reason) = checked(&cloud, json!(["CMD", "no-such-program"])).await;
    assert!(reason.starts_with("the health check could not be started: no-such-program: No such file"), "{reason}");
    let (_, reason) = checked(&cloud, json!(["CMD-SHELL", "echo out; echo err >&2; kill -9 $$"])).await;
    assert_eq!(reason, "the health check ended with exit code 137: out err");
    process.shut_down(DEADLINE).await;
}

#[tokio::test]
async fn a_health_check_is_bounded_and_leaves_nothing_behind() {
    let (cloud, process) = machine();
    let directory = tempfile::tempdir().unwrap();
    let written = directory.path().join("pids");
    let script = format!("sleep 1000 & echo $$ $! > {}; yes; wait", written.display());
    let (status, reason) = checked(&cloud, json!(["CMD-SHELL", script])).await;
    assert_eq!(status, "UNHEALTHY");
    assert!(reason.starts_with("the health check took longer than its timeout of 2 s: y y y"), "{reason}");
    assert!(reason.len() < 1024, "{}", reason.len());
    let pids: Vec<i32> =
        std::fs::read_to_string(&written).unwrap().split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    timeout(DEADLINE, ended(&pids)).await.unwrap();
    process.shut_down(DEADLINE).await;
}

#[tokio::test]
async fn a_health_check_ends_with_its_container() {
    let (cloud, process) = machine();
    let directory = tempfile::tempdir().unwrap();
    let written = directory.path().join("pids");
    let check = json!({
        "command": ["CMD-SHELL", format!("echo $$ > {}; exec sleep 1000", written.display())], "interval": 5, "timeout": 60,
    });
    let container = json!({ "name": "main", "image": "sh", "memory": 64, "healthCheck": check });
    ok(&cloud, Service::Ecs, "RegisterTaskDefinition", json!({ "family": "f", "containerDefinitions": [container] }));
    ok(&cloud, Service::Ecs, "RunTask", json!({ "cluster": "c", "taskDefinition": "f" }));
    let running = async {
        let mut pause = tokio::time::interval(Duration::from_millis(10));
        loop {
            pause.tick().await;
            if let Some(pid) = std::fs::read_to_string(&written).ok().and_then(|text| text.trim().parse().ok()) {
                return pid;
            }
        }
    };
    let pid = timeout(DEADLINE, running).await.unwrap();
    process.shut_down(DEADLINE).await;
    timeout(DEADLINE, ended(&[pid])).await.unwrap();
}

/// Waits until none of the processes is alive. A zombie that nobody has waited for does not count.
async fn ended(pids: &[i32]) {
    let is_alive = |pid: &i32| match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.contains(") Z"),
        Err(_) => Pid::from_raw(*pid).is_some_and(|pid| test_kill_process(pid).is_ok()),
    };
    let mut pause = tokio::time::interval(Duration::from_millis(5));
    while pids.iter().any(is_alive) {
        pause.tick().await;
    }
}

#[tokio::test]
async fn a_port_that_something_holds_is_not_free() {
    let held = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = held.local_addr().unwrap().port();
    assert!(!port_is_free(port));
    drop(held);
    // Another process may take one free port at the same moment, but hardly each of ten.
    let mut others = Vec::new();
    for _ in 0..10 {
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
        others.push(other.local_addr().unwrap().port());
    }
    assert!(others.into_iter().any(port_is_free));
}
