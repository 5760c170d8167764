//! `interstella cloud`, running: a cloud without a controller. Dropping it kills it.

use std::time::{Duration, Instant};

use tokio::process::Child;

use super::aws::Aws;
use super::command::{self, Answer, interstella};
use super::manifest::Manifest;
use super::output::Output;

const START: Duration = Duration::from_secs(30);

/// What a verb waits between two passes when there is nothing to do.
const INTERVAL: Duration = Duration::from_secs(5);
/// How often a verb may be slow because the machine is.
const TRIES: u32 = 4;

/// A running cloud, with a manifest for it.
pub struct Cloud {
    pub manifest: Manifest,
    pub endpoint: String,
    output: Output,
    pub child: Child,
}

impl Cloud {
    /// Starts it. Cloud time passes faster, so that tests do not wait for health checks and deregistration.
    pub async fn start() -> Self {
        Self::start_with(&[], &[]).await
    }

    /// As [`Self::start`], with further flags and variables.
    pub async fn start_with(flags: &[&str], environment: &[(&str, &str)]) -> Self {
        let manifest = Manifest::monolith();
        let arguments = [&["cloud", "--port", "0", "--speed", "5"], flags].concat();
        let mut command = interstella(&arguments, manifest.directory());
        let mut child = command.envs(environment.iter().copied()).spawn().unwrap();
        let output = Output::read(child.stderr.take().unwrap());
        let said = output.after("the local cloud answers at ", START).await;
        let endpoint = said.split(';').next().unwrap().to_owned();
        Self { manifest, endpoint, output, child }
    }

    /// Runs a verb on its manifest.
    pub async fn run(&self, verb: &[&str]) -> Answer {
        let at = [self.manifest.path(), "--endpoint-url", &self.endpoint];
        command::run(&[verb, &at].concat(), self.manifest.directory()).await
    }

    /// As [`Self::run`], for a verb that has nothing to do and therefore does not wait for a second pass. A busy machine may be slow
    /// at it, but not every time.
    pub async fn run_at_once(&self, verb: &[&str]) -> Answer {
        let mut took = Vec::new();
        for _ in 0..TRIES {
            let started = Instant::now();
            let answer = self.run(verb).await;
            took.push(started.elapsed());
            if took.last() < Some(&INTERVAL) {
                return answer;
            }
        }
        panic!("{verb:?} waits: {took:?}");
    }

    /// Its clients.
    pub fn aws(&self) -> Aws {
        Aws::at(&self.endpoint)
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.output.explain("cloud");
    }
}
