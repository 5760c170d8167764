//! `interstella up`, running. Dropping it kills it, and with it everything that it has started.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::process::{Child, Command};

use super::aws::Aws;
use super::command::{self, Answer, interstella, interstella_limited};
use super::http::get_json;
use super::manifest::Manifest;
use super::output::Output;
use super::processes::{self, Process};
use super::wait::until;

/// Longest time until it has converged, on a machine that does other work as well.
const START: Duration = Duration::from_secs(60);
/// Longest time until published orders are fulfilled.
const FULFIL: Duration = Duration::from_secs(60);

/// What headquarters has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    pub published: u64,
    pub fulfilled: u64,
    pub duplicates: u64,
}

impl Stats {
    /// What the headquarters at `hq` has counted.
    pub async fn at(hq: &str) -> Self {
        let json = get_json(&format!("{hq}/stats")).await.unwrap();
        let count = |name: &str| json[name].as_u64().unwrap_or_else(|| panic!("no {name} in {json}"));
        Stats { published: count("published"), fulfilled: count("fulfilled"), duplicates: count("duplicates") }
    }
}

/// A running `up`.
pub struct Up {
    pub manifest: Manifest,
    pub output: Output,
    pub cloud: String,
    pub controller: String,
    pub hq: String,
    pub started: Instant,
    child: Child,
}

impl Up {
    /// Starts it on a copy of the manifest, with further flags, and waits until its parts have said where they are.
    pub async fn start(flags: &[&str]) -> Self {
        Self::start_on(Manifest::monolith(), flags).await
    }

    /// As [`Self::start`], on another manifest.
    pub async fn start_on(manifest: Manifest, flags: &[&str]) -> Self {
        let command = interstella(&Self::arguments(&manifest, flags), manifest.directory());
        Self::run(manifest, command).await
    }

    /// As [`Self::converged`], with a limit on open files.
    pub async fn converged_within(files: u32, flags: &[&str]) -> Self {
        let manifest = Manifest::monolith();
        let command = interstella_limited(files, &Self::arguments(&manifest, flags), manifest.directory());
        let up = Self::run(manifest, command).await;
        up.output.says("\nconverged", 0, START).await;
        up
    }

    fn arguments<'a>(manifest: &'a Manifest, flags: &[&'a str]) -> Vec<&'a str> {
        [&["up", manifest.path(), "--port", "0", "--cloud-port", "0", "--hq-port", "0"], flags].concat()
    }

    async fn run(manifest: Manifest, mut command: Command) -> Self {
        let started = Instant::now();
        let mut child = command.spawn().unwrap();
        let output = Output::read(child.stderr.take().unwrap());
        let cloud = output.after("local cloud ", START).await;
        let hq = output.after("headquarters ", START).await;
        let controller = output.after("the controller shows itself at ", START).await;
        let controller = controller.strip_suffix("/api/v1/apps").unwrap().to_owned();
        Self { manifest, output, cloud, controller, hq, started, child }
    }

    /// Starts it with many orders, and waits until it has converged.
    pub async fn converged(flags: &[&str]) -> Self {
        Self::converged_on(Manifest::monolith(), &[&["--orders-per-minute", "600"], flags].concat()).await
    }

    /// As [`Self::start_on`], and waits until it has converged.
    pub async fn converged_on(manifest: Manifest, flags: &[&str]) -> Self {
        let up = Self::start_on(manifest, flags).await;
        up.output.says("\nconverged", 0, START).await;
        up
    }

    /// Runs another verb beside it, on its manifest and its cloud.
    pub async fn beside(&self, verb: &[&str]) -> Answer {
        let at = [self.manifest.path(), "--endpoint-url", &self.cloud];
        command::run(&[verb, &at].concat(), self.manifest.directory()).await
    }

    /// Clients of its cloud.
    pub fn aws(&self) -> Aws {
        Aws::at(&self.cloud)
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Processes of workers.
    pub fn workers(&self) -> Vec<Process> {
        processes::tree(self.pid()).into_iter().filter(|one| one.command.ends_with(" worker")).collect()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        processes::signal(self.pid(), signal);
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self, within: Duration) -> ExitStatus {
        tokio::time::timeout(within, self.child.wait()).await.expect("it ends").unwrap()
    }

    /// What headquarters has counted.
    pub async fn stats(&self) -> Stats {
        Stats::at(&self.hq).await
    }

    /// Waits until more than `than` orders are fulfilled.
    pub async fn fulfils_more(&self, than: u64, within: Duration) -> Stats {
        until("orders are fulfilled", within, async || {
            let stats = self.stats().await;
            if stats.fulfilled > than { Ok(stats) } else { Err(format!("{stats:?}")) }
        })
        .await
    }

    /// Publishes no more, and waits until every order that was published is fulfilled, none twice.
    pub async fn nothing_is_lost(&self) -> Stats {
        let arguments = ["hq", "rate", "orderTopic", "0", "--hq", &self.hq];
        command::run(&arguments, self.manifest.directory()).await.exits(0);
        let stats = until("every order is fulfilled", FULFIL, async || {
            let stats = self.stats().await;
            if stats.fulfilled == stats.published { Ok(stats) } else { Err(format!("{stats:?}")) }
        })
        .await;
        assert_eq!(stats.duplicates, 0, "{stats:?}");
        stats
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.output.explain("up");
    }
}
