//! Cloud, headquarters and controller, each a program of its own, so that a test can look into each. Dropping it kills them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::process::Child;

use super::aws::{Aws, TOPIC};
use super::command::{self, Answer, interstella};
use super::http::post;
use super::manifest::Manifest;
use super::output::Output;
use super::processes::{self, Process};
use super::up::Stats;
use super::wait::{equal, holds, until};

/// Longest time until the app serves, on a machine that does other work as well.
const START: Duration = Duration::from_secs(120);
const END: Duration = Duration::from_secs(30);

/// The three programs.
pub struct Fleet {
    pub manifest: Manifest,
    /// URL of the cloud's API.
    pub endpoint: String,
    /// URL of headquarters.
    pub hq: String,
    cloud: Part,
    headquarters: Part,
    controller: Part,
}

/// A program that runs.
struct Part {
    name: &'static str,
    child: Child,
    output: Output,
}

impl Fleet {
    /// Starts the three with a manifest, and waits until it is served and subscribed. Nothing is published yet.
    pub async fn start(manifest: Manifest) -> Self {
        let cloud = Part::start("cloud", &["cloud", "--port", "0"], &manifest, &[]);
        let endpoint = cloud.output.after("the local cloud answers at ", START).await;
        let endpoint = endpoint.split(';').next().unwrap().to_owned();
        let database = database(&manifest);
        let environment = [
            ("PORT", "0"),
            ("HQ_DATABASE", database.to_str().unwrap()),
            ("HQ_ORDERS_PER_MINUTE", "0"),
            ("AWS_ENDPOINT_URL", &endpoint),
        ];
        let headquarters = Part::start("headquarters", &["hq"], &manifest, &environment);
        let hq = headquarters.says_url("headquarters at ").await;
        let key = command::run(&["hq", "key", "--hq", &hq], manifest.directory()).await.exits(0).stdout;
        put_parameter(&endpoint, "/interstella/apiKey", key.trim()).await;
        put_parameter(&endpoint, "/interstella/apiEndpoint", &format!("{hq}/receiving/")).await;
        let arguments = ["run", manifest.path(), "--endpoint-url", &endpoint, "--port", "0", "--interval", "5"];
        let controller = Part::start("controller", &arguments, &manifest, &[]);
        let fleet = Self { manifest, endpoint, hq, cloud, headquarters, controller };
        fleet.serves(1, START).await;
        let aws = fleet.aws();
        until("the load balancer is subscribed", START, async || {
            let subscriptions = aws.sns.list_subscriptions_by_topic().topic_arn(TOPIC).send().await.unwrap();
            let arns: Vec<_> = subscriptions.subscriptions().iter().filter_map(|one| one.subscription_arn()).collect();
            holds(arns.iter().any(|arn| arn.starts_with("arn:")), format!("{arns:?}"))
        })
        .await;
        fleet
    }

    /// Clients of its cloud.
    pub fn aws(&self) -> Aws {
        Aws::at(&self.endpoint)
    }

    /// Processes of workers.
    pub fn workers(&self) -> BTreeSet<Process> {
        let tree = processes::tree(self.cloud.child.id().expect("the cloud runs"));
        tree.into_iter().filter(|one| one.command.ends_with(" worker")).collect()
    }

    /// Waits until as many workers serve, and no other is left.
    pub async fn serves(&self, count: usize, within: Duration) {
        let aws = self.aws();
        until("the workers serve", within, async || {
            let states = aws.target_states().await;
            let healthy = states.iter().filter(|state| *state == "healthy").count();
            equal((healthy, states.len(), self.workers().len()), (count, count, count))
        })
        .await;
    }

    /// Has headquarters publish so many orders a minute.
    pub async fn rate(&self, per_minute: u32) {
        let arguments = ["hq", "rate", "orderTopic", &per_minute.to_string(), "--hq", &self.hq];
        let _: Answer = command::run(&arguments, self.manifest.directory()).await.exits(0);
    }

    /// What headquarters has counted.
    pub async fn stats(&self) -> Stats {
        Stats::at(&self.hq).await
    }

    /// How often SNS had to try again.
    pub fn redeliveries(&self) -> usize {
        self.cloud.output.since(0).matches("not delivered, to be tried again").count()
    }

    /// Ends headquarters as a person does, and returns where its records are.
    pub async fn end_headquarters(&mut self) -> PathBuf {
        processes::signal(self.headquarters.child.id().expect("headquarters runs"), Signal::TERM);
        let status = tokio::time::timeout(END, self.headquarters.child.wait()).await.expect("it ends").unwrap();
        assert!(status.success(), "{status}");
        database(&self.manifest)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for part in [&self.cloud, &self.headquarters, &self.controller] {
            part.output.explain(part.name);
        }
    }
}

impl Part {
    fn start(name: &'static str, arguments: &[&str], manifest: &Manifest, environment: &[(&str, &str)]) -> Self {
        let mut command = interstella(arguments, manifest.directory());
        // Attempts to deliver are logged one by one, to be counted.
        command.env("NO_COLOR", "1").env("RUST_LOG", "info,interstella_localcloud::sns=debug");
        let mut child = command.envs(environment.iter().copied()).spawn().unwrap();
        let output = Output::read(child.stderr.take().unwrap());
        Self { name, child, output }
    }

    /// The URL that it says after `begin`, once it does.
    async fn says_url(&self, begin: &str) -> String {
        until(&format!("{} says {begin:?}", self.name), START, async || {
            let said = self.output.since(0);
            let url =
                said.split_once(begin).and_then(|(_, rest)| rest.split_whitespace().next().map(ToOwned::to_owned));
            url.ok_or(said)
        })
        .await
    }
}

fn database(manifest: &Manifest) -> PathBuf {
    manifest.directory().join("hq.sqlite")
}

async fn put_parameter(endpoint: &str, name: &str, value: &str) {
    let input = json!({ "Name": name, "Value": value, "Overwrite": true });
    call(endpoint, "ssm", "AmazonSSM.PutParameter", &input).await;
}

/// A call to a service whose SDK is not worth its time to build here.
pub async fn call(endpoint: &str, service: &str, target: &str, input: &Value) -> Value {
    let credential = format!("Credential=local/20260101/us-west-2/{service}/aws4_request");
    let authorization = format!("AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0");
    let version = if service == "sqs" { "1.0" } else { "1.1" };
    let content_type = format!("application/x-amz-json-{version}");
    let headers = [("authorization", &*authorization), ("content-type", &content_type), ("x-amz-target", target)];
    let (status, body) = post(&format!("{endpoint}/"), &headers, input.to_string()).await.unwrap();
    assert_eq!(status, 200, "{target}: {body}");
    serde_json::from_str(&body).unwrap()
}
