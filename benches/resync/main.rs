//! What it costs to find a thousand apps as they should be, and to plan ten thousand.
//!
//! `cargo bench --bench resync`. The SDK and the wire protocols are real, but there is no socket, so the times are the
//! controller's and the local cloud's, not a network's. Nothing here asserts: figures are for people.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../../tests/in_process/adapter.rs"]
mod adapter;
#[path = "../../tests/in_process/crowd.rs"]
mod crowd;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/in_process/lab.rs"]
mod lab;

use std::time::{Duration, Instant};

use interstella_controller::desired::Desired;
use interstella_controller::memory::Memory;
use interstella_controller::observe::{self, Cache};
use interstella_controller::plan;
use interstella_controller::reconcile::Outcome;
use lab::Lab;

const APPS: usize = 1_000;
const PLANS: usize = 10_000;
/// Resyncs that are measured.
const RESYNCS: u32 = 20;
const INTERVAL: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    for (name, more) in [("converged", ""), ("converged and autoscaled", crowd::SCALING)] {
        measure(name, more).await;
    }
}

async fn measure(name: &str, more: &str) {
    let lab = Lab::new().await;
    let apps = crowd::apps(&lab, APPS, more);
    crowd::converge(&lab, &apps, &mut Memory::default()).await;
    let mut fresh = Memory::default();
    let (calls, took) = resync(&lab, &apps, &mut fresh).await;
    println!("{APPS} {name} apps");
    println!("first pass of a new controller: {:.2} calls an app, {took:.2?}", per_app(calls));
    let (mut all, mut most, mut time) = (0, 0, Duration::ZERO);
    for _ in 0..RESYNCS {
        let (calls, took) = resync(&lab, &apps, &mut fresh).await;
        (all, most, time) = (all + calls, most.max(calls), time + took);
    }
    let mean = per_app(all) / f64::from(RESYNCS);
    println!("resync: {mean:.2} calls an app (at most {:.2}), {:.2?}", per_app(most), time / RESYNCS);
    plans(&lab, &apps).await;
}

fn per_app(calls: usize) -> f64 {
    f64::from(u32::try_from(calls).unwrap()) / f64::from(u32::try_from(APPS).unwrap())
}

/// How many calls a resync makes, and how long it takes. None of them may change anything.
async fn resync(lab: &Lab, apps: &[Desired], memory: &mut Memory) -> (usize, Duration) {
    lab.cloud.advance(INTERVAL);
    let (before, start) = (lab.cloud.journal.last(), Instant::now());
    let outcomes = crowd::pass(lab, apps, memory).await;
    let took = start.elapsed();
    assert!(outcomes.values().all(Outcome::is_converged), "something differs");
    let calls = lab.calls_since(before);
    assert!(calls.iter().all(|call| !call.mutating), "something was changed");
    (calls.len(), took)
}

async fn plans(lab: &Lab, apps: &[Desired]) {
    let mut cache = Cache::default();
    let mut observed = observe::observe(&lab.aws, &apps.iter().collect::<Vec<_>>(), &mut cache).await;
    let pairs: Vec<_> =
        apps.iter().map(|desired| (desired, observed.remove(&desired.marks.app).unwrap().unwrap())).collect();
    let start = Instant::now();
    let empty = pairs.iter().cycle().take(PLANS).filter(|(desired, observed)| plan::plan(desired, observed).is_empty());
    assert_eq!(empty.count(), PLANS);
    println!("{PLANS} plans: {:.2?}", start.elapsed());
}
