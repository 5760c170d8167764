//! Nothing outlives a cloud that is killed. The test is a program of its own: it is also the cloud that is killed, and the reaper.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use interstella_localcloud::clock::Clock;
use interstella_localcloud::cloud::{Cloud, Runtime};
use interstella_localcloud::effect::{ContainerLaunch, Effect};
use interstella_localcloud::images::{Images, Program};
use interstella_localcloud::runtime::process::{Process, Settings};
use interstella_localcloud::runtime::reaper;
use interstella_localcloud::world::World;
use rustix::process::{Pid, test_kill_process};

const DEADLINE: Duration = Duration::from_secs(20);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("reaper") => reaper::main().unwrap(),
        Some("cloud") => run_cloud(Path::new(&arguments[2])),
        _ => nothing_outlives_a_killed_cloud(),
    }
    ExitCode::SUCCESS
}

fn nothing_outlives_a_killed_cloud() {
    let directory = tempfile::tempdir().unwrap();
    let written = directory.path().join("pids");
    let mut cloud = Command::new(std::env::current_exe().unwrap()).arg("cloud").arg(&written).spawn().unwrap();
    let mut pids = Vec::new();
    wait_until("the task has started", || {
        pids = read_pids(&written);
        pids.len() == 3
    });
    assert!(pids.iter().all(|pid| is_alive(*pid)), "{pids:?}");
    cloud.kill().unwrap();
    cloud.wait().unwrap();
    wait_until("its processes are gone", || pids.iter().all(|pid| !is_alive(*pid)));
    println!("nothing outlives a killed cloud: ok");
}

/// Starts a task that does not end by itself nor on SIGTERM, and waits to be killed.
#[tokio::main]
async fn run_cloud(written: &Path) {
    let program = |arguments: &[&str]| Program {
        path: std::env::current_exe().unwrap(),
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
    };
    let settings = Settings {
        access_key: "local".to_owned(),
        endpoint_url: "http://127.0.0.1:4566".to_owned(),
        region: "us-west-2".to_owned(),
        search_path: "/usr/bin:/bin".to_owned(),
        speed: 1.0,
        scaled_ms: Vec::new(),
        reaper: program(&["reaper"]),
    };
    let process = Process::start(settings).unwrap();
    let world = World::new("us-west-2", 7, Images::default());
    let cloud = Cloud::new(world, Clock::live(1.0), Box::new(process.clone()));
    let script = "trap '' TERM; sleep 1000 & a=$!; sleep 1000 & printf '%s\n' $$ $a $! > \"$WRITTEN\"; wait";
    let launch = ContainerLaunch {
        task_id: "t".to_owned(),
        name: "c".to_owned(),
        program: program(&[]),
        entry_point: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        command: Vec::new(),
        environment: vec![("WRITTEN".to_owned(), written.to_string_lossy().into_owned())],
        working_directory: None,
        ports: Vec::new(),
        log: None,
    };
    process.apply(&cloud, Effect::StartContainer(launch));
    std::future::pending::<()>().await;
}

fn read_pids(written: &Path) -> Vec<i32> {
    let text = fs::read_to_string(written).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        std::thread::yield_now();
    }
}

/// A zombie that nobody has waited for does not count.
fn is_alive(pid: i32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.contains(") Z"),
        Err(_) => Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_ok()),
    }
}
