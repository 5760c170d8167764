//! What can be typed: the verbs and the flags they share.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use crate::verb;

/// One declarative manifest says how an app on Amazon ECS should be deployed; this makes the cloud match it, and keeps it matching.
#[derive(Debug, Parser)]
#[command(name = "interstella", version, propagate_version = true, max_term_width = 120)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Flags that every verb takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common flags")]
pub struct Common {
    /// AWS region; default: the profile's, or us-west-2 for an endpoint on loopback
    #[arg(long, global = true, env = "AWS_REGION")]
    pub region: Option<String>,
    /// Profile of the AWS configuration files
    #[arg(long, global = true, env = "AWS_PROFILE")]
    pub profile: Option<String>,
    /// Another endpoint for every AWS service, such as the local cloud's
    #[arg(long, global = true, env = "AWS_ENDPOINT_URL")]
    pub endpoint_url: Option<String>,
    /// Whose resources these are: only what carries this mark is ever changed
    #[arg(long, global = true, default_value = "default")]
    pub manager: String,
    /// Form of the result on standard output
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub output: Format,
    /// More of what happens, on standard error (-vv: even more)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// No colours; the same as a non-empty NO_COLOR
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// Form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For machines: one JSON document.
    Json,
}

/// Where manifests are.
#[derive(Debug, Clone, Args)]
pub struct ManifestPath {
    /// A manifest, or a directory of manifests (*.yaml, *.yml)
    #[arg(default_value = "manifests/monolith.yaml")]
    pub path: PathBuf,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Everything on this machine: local cloud, headquarters and the controller
    #[cfg(feature = "local")]
    Up(verb::up::Arguments),
    /// The line that points other terminals to the local cloud: eval "$(interstella env)"
    Env(verb::env::Arguments),
    /// The local cloud alone, for the aws CLI, SDKs and tests
    #[cfg(feature = "local")]
    Cloud(verb::cloud::Arguments),
    /// Check manifests without any cloud
    Validate(ManifestPath),
    /// Show what would be done; exit 0: nothing, 2: changes, 1: error
    Plan(ManifestPath),
    /// Make the cloud match, and wait until it does
    Apply(verb::apply::Arguments),
    /// The controller: watch manifests, reconcile, correct drift, serve HTTP, until SIGTERM
    Run(verb::run::Arguments),
    /// Conditions, counts, rollout, endpoint, and why an app is not ready
    Status(verb::status::Arguments),
    /// Every app of this manager, with those that no manifest declares
    List(verb::list::Arguments),
    /// Orders by a load profile, at a rate or in bursts, and what becomes of them
    Load(verb::load::Arguments),
    /// Start a new deployment of the same revision, as after pushing a tag again
    Restart(verb::restart::Arguments),
    /// Try a stalled rollout again
    Retry(verb::restart::Arguments),
    /// Try scaling policies against a load curve, without any cloud
    Simulate(Box<crate::simulate::flags::Arguments>),
    /// Remove what is ours, in order, and wait until it is gone
    Destroy(verb::destroy::Arguments),
    /// The JSON Schema of manifests, for editors
    Schema,
    /// A worker: takes orders over HTTP, fulfils each exactly once
    #[cfg(feature = "local")]
    Worker(verb::parts::Arguments),
    /// Headquarters: publishes orders, takes fulfilments, counts
    #[cfg(feature = "local")]
    Hq(verb::parts::Arguments),
    /// Ends the local cloud's processes when the cloud is gone (started by the cloud itself)
    #[cfg(feature = "local")]
    #[command(hide = true)]
    Reaper,
}

/// Reads a name as it is compared with others.
pub fn lower(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.trim_end_matches('.').to_ascii_lowercase())
}

/// Reads how many times faster than that of this machine the cloud's time passes.
pub fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && (0.1..=1000.0).contains(&speed) => Ok(speed),
        _ => Err("a speed is a number from 0.1 to 1000".to_owned()),
    }
}
