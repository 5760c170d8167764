//! A cloud as the workshop left it, and controllers that work on it.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use interstella_controller::app::Manager;
use interstella_controller::aws::{Aws, Connect, Identity};
use interstella_controller::desired::{Desired, Presence};
use interstella_controller::manifest::load;
use interstella_controller::memory::Memory;
use interstella_controller::reconcile::{self, Outcome};
use interstella_controller::requeue;
use interstella_localcloud::call::Service;
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::images::{Image, Images, Program};
use interstella_localcloud::journal::Entry;
use interstella_localcloud::runtime::model::Model;
use interstella_localcloud::seed::{self, SeedOptions};
use interstella_localcloud::world::World;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::adapter;

/// The manifest that people copy.
pub const MANIFEST: &str = include_str!("../../manifests/monolith.yaml");
/// The program behind every image.
pub const PROGRAM: &str = "/programs/monolith";
/// When the cloud begins, in milliseconds since the epoch.
const START_MS: i64 = 1_790_000_000_000;
/// Wait between passes over a converged app.
const INTERVAL: Duration = Duration::from_secs(60);
/// Cloud time that a pass takes at least.
const PASS: Duration = Duration::from_millis(50);
/// More passes than any way to a converged app takes.
const MAX_PASSES: usize = 300;

/// A world without anything but the images.
pub fn empty() -> World {
    let mut images = Images::default();
    let program = Program { path: PROGRAM.into(), arguments: Vec::new() };
    let image = Image::new(program, PROGRAM.as_bytes()).unwrap();
    for tag in ["latest", "next"] {
        images.insert(&format!("{}:{tag}", seed::REPOSITORY), image.clone());
    }
    World::new("us-west-2", 7, images)
}

/// The workshop's cloud and a way to it.
pub struct Lab {
    pub cloud: Arc<Cloud>,
    pub model: Model,
    pub aws: Aws,
    pub identity: Identity,
}

impl Lab {
    pub async fn new() -> Self {
        let model = Model::default();
        let cloud = Cloud::new(empty(), Clock::stepped(CloudTime::from_millis(START_MS)), Box::new(model.clone()));
        let lab = Self::on(cloud, model).await;
        lab.provide("http://127.0.0.1:8889");
        lab
    }

    /// A lab like this one, which from now on goes its own way. Its journal is empty.
    pub async fn fork(&self) -> Self {
        let model = self.model.fork();
        let clock = Clock::stepped(self.cloud.now());
        Self::on(Cloud::new(self.cloud.snapshot(), clock, Box::new(model.clone())), model).await
    }

    /// The same cloud seen from another region, in which nothing is provided yet.
    pub async fn seen_from(&self, region: &str) -> Self {
        Self::on(self.cloud.in_region(region).unwrap(), self.model.clone()).await
    }

    /// A way to `cloud`, in which `model` runs the tasks.
    pub async fn on(cloud: Arc<Cloud>, model: Model) -> Self {
        let client = adapter::http_client(&cloud);
        Self::by(client, cloud, model).await
    }

    /// A second way to the same cloud, on which each call takes a permit of `gate`.
    pub async fn beside(&self, gate: &Arc<Semaphore>) -> Self {
        Self::by(adapter::gated_client(&self.cloud, gate), Arc::clone(&self.cloud), self.model.clone()).await
    }

    async fn by(client: SharedHttpClient, cloud: Arc<Cloud>, model: Model) -> Self {
        let connect = Connect {
            region: Some(cloud.region().to_owned()),
            endpoint_url: Some("http://127.0.0.1:4566".to_owned()),
            http_client: Some(client),
            ..Connect::default()
        };
        let aws = Aws::connect(connect).await.unwrap();
        let identity = Identity { account: "123456789012".to_owned(), region: cloud.region().to_owned() };
        Self { cloud, model, aws, identity }
    }

    /// Provides what the workshop's stack provided.
    pub fn provide(&self, api_endpoint: &str) {
        let options = SeedOptions { api_key: "key".to_owned(), api_endpoint: api_endpoint.to_owned() };
        self.cloud.with_world(|world, now| seed::workshop(world, now, &options)).unwrap();
    }

    /// What the text of a manifest with one app wants.
    pub fn present(&self, manifest: &str) -> Desired {
        let loaded = load::load_str("test.yaml", manifest).unwrap_or_else(|problems| panic!("{problems:#?}"));
        Desired::present(&loaded[0].manifest, &self.identity, &Manager::default())
    }

    /// The app of a manifest gone.
    pub fn absent(&self, manifest: &str) -> Desired {
        let loaded = load::load_str("test.yaml", manifest).unwrap_or_else(|problems| panic!("{problems:#?}"));
        Desired::absent(&loaded[0].manifest, &self.identity, &Manager::default())
    }

    /// The app of a manifest, of which only the name is known.
    pub fn by_marks(&self, manifest: &str, presence: Presence) -> Desired {
        Desired::by_marks(self.present(manifest).marks.app, &Manager::default(), presence)
    }

    /// A controller that has just started.
    pub fn controller(&self, desired: Desired) -> Controller<'_> {
        Controller { lab: self, desired, memory: Memory::default(), quiet: 0, failures: 0, passes: Vec::new() }
    }

    /// Brings an app to where a manifest wants it, and lets the cloud come to rest.
    pub async fn converge(&self, manifest: &str) {
        self.controller(self.present(manifest)).converge().await;
    }

    /// A call past the wire, as another person would make it.
    pub fn call(&self, service: Service, operation: &str, input: Value) -> Value {
        let answer = self.cloud.call(service, operation, input);
        answer.unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// All calls since the one with this sequence.
    pub fn calls_since(&self, sequence: u64) -> Vec<Entry> {
        self.cloud.journal.calls().into_iter().filter(|entry| entry.sequence > sequence).collect()
    }

    /// The mutating calls since the one with this sequence, as one reads them.
    pub fn mutations(&self, since: u64) -> Vec<String> {
        self.cloud.journal.mutating_since(since).iter().map(describe).collect()
    }
}

/// A call for people: `ecs:UpdateService Ok`.
pub fn describe(entry: &Entry) -> String {
    format!("{}:{} {:?}", entry.service.map_or("-", Service::scope), entry.operation, entry.outcome)
}

/// Makes passes as the production loop does, only that the cloud's clock does not have to be waited for.
pub struct Controller<'a> {
    lab: &'a Lab,
    pub desired: Desired,
    memory: Memory,
    quiet: u32,
    failures: u32,
    /// What it did so far.
    pub passes: Vec<Pass>,
}

/// What one pass did.
pub struct Pass {
    /// Its calls.
    pub calls: Vec<Entry>,
    /// What it planned; empty if it could not read.
    pub plan: String,
}

impl Controller<'_> {
    /// One pass and the wait after it.
    pub async fn pass(&mut self) -> Outcome {
        let (outcome, wait) = self.pass_only().await;
        self.lab.cloud.advance(wait);
        outcome
    }

    /// One pass, and how long to wait after it.
    pub async fn pass_only(&mut self) -> (Outcome, Duration) {
        let now = Timestamp::from_millisecond(self.lab.cloud.now().as_millis()).unwrap();
        let due = [self.desired.clone()];
        let before = self.lab.cloud.journal.last();
        let mut outcomes = reconcile::pass(&self.lab.aws, &due, &mut self.memory, now).await;
        let outcome = outcomes.remove(&self.desired.marks.app).unwrap();
        let calls = self.lab.calls_since(before);
        self.passes.push(Pass { calls, plan: outcome.plan.as_ref().map(ToString::to_string).unwrap_or_default() });
        self.quiet = if outcome.changed { 0 } else { self.quiet + 1 };
        self.failures = if outcome.errors().next().is_some() { self.failures + 1 } else { 0 };
        let wait = requeue::after(&outcome, self.quiet, self.failures, INTERVAL).max(PASS);
        (outcome, wait)
    }

    /// Makes a number of passes and returns the last one's outcome.
    pub async fn pass_times(&mut self, times: usize) -> Outcome {
        for _ in 1..times {
            self.pass().await;
        }
        self.pass().await
    }

    /// Passes until the app is as it should be and nothing is under way.
    pub async fn converge(&mut self) {
        self.try_to_converge().await.unwrap_or_else(|problem| panic!("{problem}"));
    }

    /// As [`Self::converge`]; what stood in the way if it does not come to that.
    pub async fn try_to_converge(&mut self) -> Result<(), String> {
        let mut last = self.pass().await;
        for _ in 1..MAX_PASSES {
            if last.is_converged() && !last.status.is_progressing() {
                return Ok(());
            }
            last = self.pass().await;
        }
        let errors: Vec<_> = last.errors().map(ToString::to_string).collect();
        let plan = last.plan.as_ref().map(ToString::to_string).unwrap_or_default();
        Err(format!("not converged after {MAX_PASSES} passes:\n{plan}{errors:#?}\n{:#?}", last.status.conditions))
    }
}
