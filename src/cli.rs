//! What can be typed: the verbs and the flags they share.

mod flags;
mod suggestion;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use interstella_controller::aws::LOCAL_REGION;

use crate::verb;

/// One declarative manifest says how an app on Amazon ECS should be deployed; this makes the cloud match it, and
/// keeps it matching.
#[derive(Debug, Parser)]
#[command(name = "interstella", version, propagate_version = true, max_term_width = 120)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub verb: Verb,
}

impl Cli {
    /// Reads what was typed, beginning with the program's name.
    ///
    /// # Errors
    /// For what cannot be typed, and for a common flag that would do nothing. The error is also how help is asked for.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = command();
        let matches = command.try_get_matches_from_mut(arguments).map_err(suggestion::mended)?;
        flags::refuse_idle(&mut command, &matches)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        cli.common.region = cli.common.region.filter(|_| flags::is_meant(&matches, "region"));
        Ok(cli)
    }
}

/// The command line, with the common flags in one place.
pub fn command() -> Command {
    flags::shown_once(Cli::command())
}

/// The command line for completions, where each verb has the common flags that it acts on.
pub fn command_for_completions() -> Command {
    flags::each_its_own(&Cli::command())
}

/// Flags that verbs share. Each verb acts on some of them and refuses the others (`flags`).
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common flags")]
pub struct Common {
    /// AWS region; default: the profile's, or us-west-2 for an endpoint on loopback
    ///
    /// For `up` and `cloud` the region in which the workshop's resources are made, us-west-2 if it is not typed:
    /// AWS_REGION is that of an account at AWS.
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
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Text)]
    pub output: Format,
    /// More of what happens, on standard error (-vv: even more)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// No colours; the same as a non-empty NO_COLOR
    #[arg(long, global = true)]
    pub no_color: bool,
}

impl Common {
    /// The region where a local cloud begins: the one that was typed, as that of the environment is not meant (`flags`).
    pub fn local_region(&self) -> &str {
        self.region.as_deref().unwrap_or(LOCAL_REGION)
    }
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
    /// Conditions, counts, rollout, endpoint, and why an app is not ready; exit 0: ready, 2: progressing, 1: stalled,
    /// somebody else's or unreadable
    Status(verb::status::Arguments),
    /// The apps with their rollouts as they go, redrawn in place, for a controller or an account
    Top(verb::top::Arguments),
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
    /// What a shell reads to complete verbs and flags: source <(interstella completions bash)
    Completions(verb::shell::Completions),
    /// The manual, of the program or of a verb: interstella man apply | man -l -
    Man(verb::shell::Man),
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
