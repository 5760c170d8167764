//! `cloud`: the local cloud alone, for the aws CLI, SDKs and tests.

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use interstella_localcloud::seed::SeedOptions;

use crate::cli::{lower, speed};
use crate::failure::Failure;
use crate::image::GivenImage;
use crate::machine::{self, Machine, Plan};
use crate::output;
use crate::verb::Context;
use crate::verb::env::export_line;

/// How long tasks may take to end.
pub const STOP_GRACE: Duration = Duration::from_secs(5);

/// Flags of `cloud`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Port of the API on loopback
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// Cloud seconds in a second of this machine
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// A further image: its name, and the program that stands for it (may be repeated; docs/local-programs.md)
    #[arg(long = "image", value_name = "NAME[:TAG]=PATH")]
    images: Vec<GivenImage>,
    /// Access key that callers have to use as AWS_ACCESS_KEY_ID; without it any will do
    ///
    /// Whoever can call this cloud can run any program as you: that is what a task is. It listens on loopback and answers no
    /// web page; on a machine that you share with others, set this too.
    #[arg(long, env = "INTERSTELLA_CLOUD_TOKEN", hide_env_values = true)]
    token: Option<AccessKey>,
    /// A name by which the cloud and its load balancers may be called, besides those of loopback
    #[arg(long = "host", value_name = "NAME", value_parser = lower)]
    hosts: Vec<String>,
    /// Address of the fulfilment API, given to tasks as the parameter /interstella/apiEndpoint
    #[arg(long, default_value = "http://127.0.0.1:8889/receiving/")]
    api_endpoint: String,
    /// Nothing of the workshop's: no cluster, topics, parameters or repository, in no region
    #[arg(long, conflicts_with = "api_endpoint")]
    empty: bool,
}

/// An access key that nothing shows.
#[derive(Clone)]
struct AccessKey(String);

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKey(…)")
    }
}

impl FromStr for AccessKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain =
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/' && byte != b',');
        if is_plain { Ok(Self(text.to_owned())) } else { Err("an access key is printable, without slash or comma") }
    }
}

/// Serves until a signal comes.
pub async fn run(context: Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    let workshop = SeedOptions { api_key: "local".to_owned(), api_endpoint: arguments.api_endpoint };
    let plan = Plan {
        region: context.common.local_region().to_owned(),
        port: arguments.port,
        speed: arguments.speed,
        images: arguments.images,
        workshop: (!arguments.empty).then_some(workshop),
        program: machine::program(&context.environment)?,
        search_path: machine::search_path(&context.environment),
        access_key: arguments.token.map(|AccessKey(key)| key),
        names: arguments.hosts,
        moved: None,
        own_ports: BTreeMap::new(),
    };
    let machine = Machine::start(plan).await?;
    output::note(format_args!("the local cloud answers at {}; in other terminals:", machine.endpoint_url));
    output::line(export_line(&machine.endpoint_url, &machine.region))?;
    let received = context.shutdown.received().await;
    output::note("stopping the tasks");
    machine.stop(STOP_GRACE).await;
    Ok(received.exit_code())
}
