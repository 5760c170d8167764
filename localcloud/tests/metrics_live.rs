//! Metrics of real processes: a busy and an idle one are told apart by what they use.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use interstella_localcloud::call::Service;
use interstella_localcloud::clock::Clock;
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::images::{Image, Images, Program};
use interstella_localcloud::runtime::process::{Process, Settings};
use interstella_localcloud::seed::{self, SeedOptions};
use interstella_localcloud::world::World;
use serde_json::{Value, json};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(60);
/// A minute of the cloud is a second of the machine.
const SPEED: f64 = 60.0;

/// A cloud whose images `busy` and `idle` do what they are called.
fn cloud() -> (Arc<Cloud>, Process) {
    let settings = Settings {
        access_key: "local".to_owned(),
        endpoint_url: "http://127.0.0.1:4566".to_owned(),
        region: "us-west-2".to_owned(),
        search_path: "/usr/bin:/bin".to_owned(),
        speed: SPEED,
        scaled_ms: Vec::new(),
        reaper: Program { path: "/bin/cat".into(), arguments: Vec::new() },
    };
    let process = Process::start(settings).unwrap();
    let mut images = Images::default();
    for (name, script) in [("busy", "while :; do :; done"), ("idle", "exec sleep 600")] {
        let arguments = vec!["-c".to_owned(), script.to_owned()];
        images.insert(name, Image::new(Program { path: "/bin/sh".into(), arguments }, name.as_bytes()).unwrap());
    }
    let world = World::new("us-west-2", 7, images);
    let cloud = Cloud::new(world, Clock::live(SPEED), Box::new(process.clone()));
    provide(&cloud);
    tokio::spawn(Arc::clone(&cloud).run_timers());
    (cloud, process)
}

/// Provides in a region what the workshop's stack provided.
fn provide(cloud: &Arc<Cloud>) {
    let options = SeedOptions { api_key: "key".to_owned(), api_endpoint: "http://127.0.0.1:8889".to_owned() };
    cloud.with_world(|world, now| seed::workshop(world, now, &options)).unwrap();
}

/// A service of one task that reserves a quarter of a core and 64 MiB.
fn run(cloud: &Arc<Cloud>, name: &str) {
    let container = json!({"name": name, "image": name, "cpu": 256, "memoryReservation": 64});
    call(cloud, Service::Ecs, "RegisterTaskDefinition", json!({"family": name, "containerDefinitions": [container]}));
    let service = json!({"cluster": "interstella", "serviceName": name, "taskDefinition": name, "desiredCount": 1});
    call(cloud, Service::Ecs, "CreateService", service);
}

fn call(cloud: &Arc<Cloud>, service: Service, operation: &str, input: Value) -> Value {
    cloud.call(service, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

/// The last minute's average; `None`: it has none.
fn last(cloud: &Arc<Cloud>, metric: &str, service: &str) -> Option<f64> {
    let now = cloud.now().as_epoch_seconds();
    let input = json!({
        "Namespace": "AWS/ECS",
        "MetricName": metric,
        "Dimensions": [{"Name": "ClusterName", "Value": "interstella"}, {"Name": "ServiceName", "Value": service}],
        "StartTime": now - 120.0,
        "EndTime": now,
        "Period": 60,
        "Statistics": ["Average"],
    });
    let points = call(cloud, Service::CloudWatch, "GetMetricStatistics", input)["Datapoints"].clone();
    points.as_array()?.last()?["Average"].as_f64()
}

/// Both are measured at the same moments, for each region looks at its own tasks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_task_is_told_from_an_idle_one_of_another_region() {
    let (cloud, process) = cloud();
    let abroad = cloud.in_region("eu-west-1").unwrap();
    provide(&abroad);
    let places = [("busy", &cloud), ("idle", &abroad)];
    places.iter().for_each(|(name, place)| run(place, name));
    let told_apart = async {
        let mut pause = tokio::time::interval(Duration::from_millis(20));
        loop {
            pause.tick().await;
            let [busy, idle] = places.map(|(name, place)| last(place, "CPUUtilization", name));
            let memory = places.map(|(name, place)| last(place, "MemoryUtilization", name));
            let held = memory.into_iter().flatten().filter(|percent| (0.01..100.0).contains(percent)).count();
            // Other programs may want the processor too, so a busy task need not get all of a core.
            if busy.is_some_and(|percent| percent > 25.0) && idle.is_some_and(|percent| percent < 5.0) && held == 2 {
                break;
            }
        }
    };
    timeout(DEADLINE, told_apart).await.unwrap();
    process.shut_down(Duration::ZERO).await;
}
