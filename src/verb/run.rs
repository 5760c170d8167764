//! `run`: the controller, until SIGTERM.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::cli::{ManifestPath, lower};
use crate::failure::Failure;
use crate::running::{self, Settings};
use crate::session::Session;
use crate::verb::Context;

/// Flags of `run`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    manifests: ManifestPath,
    /// Port of the HTTP interface: /livez, /readyz, /metrics, /api/v1/apps
    #[arg(long, default_value_t = 8888)]
    port: u16,
    /// Address that the HTTP interface listens on
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// A name by which the HTTP interface may be called, besides localhost and IP addresses
    #[arg(long = "host", value_name = "NAME", value_parser = lower)]
    hosts: Vec<String>,
    /// Seconds between looks at a converged app
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    interval: u64,
}

/// Runs until a signal comes.
pub async fn run(context: Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    let listener = running::listen(SocketAddr::new(arguments.address, arguments.port))?;
    let session = Session::connect(&context.common).await?;
    let settings = Settings {
        path: arguments.manifests.path,
        interval: Duration::from_secs(arguments.interval),
        names: arguments.hosts,
        shows_health: false,
    };
    let running = running::start(&context, session, listener, settings).await?;
    let received = context.shutdown.received().await;
    running.ended().await;
    Ok(received.exit_code())
}
