//! `up`: everything on this machine: local cloud, headquarters and the controller.

mod follow;
mod live;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use interstella_guard::Token;
use interstella_hq::{ApiKey, Config, Database, Hq, StartPublishing, TopicRate};
use interstella_localcloud::proxy::Moved;
use interstella_localcloud::seed::SeedOptions;
use tokio::net::TcpListener;

use crate::cli::{Common, ManifestPath, lower, speed};
use crate::failure::Failure;
use crate::headquarters::Headquarters;
use crate::image::GivenImage;
use crate::machine::{self, Machine, Plan};
use crate::running::{Running, Settings};
use crate::session::Session;
use crate::shutdown::Received;
use crate::verb::Context;
use crate::verb::cloud::STOP_GRACE;
use crate::{manifests, output, running, screen};
use follow::Places;
use live::Live;

/// Port of the local cloud's API unless another is asked for.
const DEFAULT_CLOUD_PORT: u16 = 4566;

/// Flags of `up`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    manifests: ManifestPath,
    /// Port of the controller's HTTP interface
    #[arg(long, default_value_t = 8888)]
    port: u16,
    /// Port of the local cloud's API
    #[arg(long, default_value_t = DEFAULT_CLOUD_PORT)]
    cloud_port: u16,
    /// Port of headquarters
    #[arg(long, default_value_t = 8889)]
    hq_port: u16,
    /// A name by which everything here may be called, besides those of loopback
    #[arg(long = "host", value_name = "NAME", value_parser = lower)]
    hosts: Vec<String>,
    /// Orders that headquarters publishes
    #[arg(long, default_value_t = 60.0)]
    orders_per_minute: f64,
    /// Cloud seconds in a second of this machine
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// A further image: its name, and the program that stands for it (may be repeated; docs/local-programs.md)
    #[arg(long = "image", value_name = "NAME[:TAG]=PATH")]
    images: Vec<GivenImage>,
    /// Seconds between the controller's looks at a converged app
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    interval: u64,
}

/// Starts everything, says when it has converged, and ends everything at a signal.
pub async fn run(context: Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    manifests::require(&context, &arguments.manifests.path)?;
    let hq_listener = machine::bind(arguments.hq_port, "--hq-port")?;
    let controller_listener = running::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)))?;
    let hq_address = hq_listener.local_addr().map_err(|error| Failure::because("cannot tell the port", &error))?;
    let api_key = ApiKey::generate().map_err(|error| Failure::because("cannot make an API key", &error))?;
    let controller_address =
        controller_listener.local_addr().map_err(|error| Failure::because("cannot tell the port", &error))?;
    let machine = start_machine(&context, &arguments, &api_key, hq_address, controller_address).await?;
    output::note(format_args!("local cloud    {}", machine.endpoint_url));
    let ended = run_on(&context, arguments, &machine, api_key, hq_listener, controller_listener).await;
    output::note("stopping everything");
    machine.stop(STOP_GRACE).await;
    ended.map(Received::exit_code)
}

async fn start_machine(
    context: &Context,
    arguments: &Arguments,
    api_key: &ApiKey,
    hq_address: SocketAddr,
    controller_address: SocketAddr,
) -> Result<Machine, Failure> {
    let plan = Plan {
        region: context.common.local_region().to_owned(),
        port: arguments.cloud_port,
        speed: arguments.speed,
        images: arguments.images.clone(),
        workshop: Some(SeedOptions {
            api_key: api_key.expose().to_owned(),
            api_endpoint: format!("http://{hq_address}/receiving/"),
        }),
        program: machine::program(&context.environment)?,
        search_path: machine::search_path(&context.environment),
        access_key: None,
        names: arguments.hosts.clone(),
        moved: Some(moved),
        own_ports: BTreeMap::from([
            (hq_address.port(), "headquarters"),
            (controller_address.port(), "the controller's HTTP interface"),
        ]),
    };
    Machine::start(plan).await
}

/// Runs headquarters and the controller on the cloud until a signal comes.
async fn run_on(
    context: &Context,
    arguments: Arguments,
    machine: &Machine,
    api_key: ApiKey,
    hq_listener: TcpListener,
    controller_listener: TcpListener,
) -> Result<Received, Failure> {
    let hq = start_hq(context, &arguments, machine, api_key, hq_listener)?;
    let common = Common {
        endpoint_url: Some(machine.endpoint_url.clone()),
        region: Some(machine.region.clone()),
        profile: None,
        ..context.common.clone()
    };
    let session = Session::connect(&common).await?;
    let path = arguments.manifests.path.clone();
    let settings = Settings {
        path: path.clone(),
        interval: Duration::from_secs(arguments.interval),
        names: arguments.hosts,
        shows_health: true,
    };
    let controller = running::start(context, session, controller_listener, settings).await?;
    let env = env_command(context, machine)?;
    let places = Places { manifests: &path, hq: &hq.url, controller: &controller.url, env: &env };
    let live = tokio::spawn(live(context, &controller, &hq.url).draw());
    tokio::select! {
        () = follow::until_ready(&controller.shared, &hq.publishing, &places) => {}
        _ = context.shutdown.received() => {}
    }
    let received = context.shutdown.received().await;
    live.abort();
    // Once it has ended, however that was, nothing draws any more.
    let _ = live.await;
    screen::clear();
    controller.ended().await;
    Ok(received)
}

struct Orders {
    url: String,
    publishing: StartPublishing,
}

fn start_hq(
    context: &Context,
    arguments: &Arguments,
    machine: &Machine,
    api_key: ApiKey,
    listener: TcpListener,
) -> Result<Orders, Failure> {
    let address = listener.local_addr().map_err(|error| Failure::because("cannot tell the port", &error))?;
    let url = format!("http://{address}");
    let failed = |error: &dyn std::error::Error| Failure::because("headquarters cannot start", error);
    let topics = format!("arn:aws:sns:{}:{}:", machine.region, interstella_localcloud::world::ACCOUNT);
    let hq = Hq::open(Config {
        database: Database::InMemory,
        sns_endpoint: Some(machine.endpoint_url.parse().map_err(|error| failed(&error))?),
        topics: TopicRate::workshop(&topics, arguments.orders_per_minute),
        bootstrap_key: Some(api_key),
        token: Token::of_user(&running::runtime_folder(&context.environment)).map_err(|error| failed(&error))?,
        hosts: arguments.hosts.clone(),
        start_paused: true,
    })
    .map_err(|error| failed(&error))?;
    let publishing = hq.publishing();
    tokio::spawn(hq.serve(listener, context.shutdown.clone().over()));
    output::note(format_args!("headquarters   {url}"));
    Ok(Orders { url, publishing })
}

/// Says where a listener went whose port could not be had.
fn moved(moved: &Moved) {
    let Moved { port, socket, reason } = moved;
    output::note(format_args!("listener port {port}: {reason}; its clients connect to {socket} instead"));
}

fn live(context: &Context, controller: &Running, hq_url: &str) -> Live {
    Live {
        shared: Arc::clone(&controller.shared),
        headquarters: Headquarters::at(hq_url.to_owned()),
        foot: vec!["Ctrl-C ends everything".to_owned(), format!("{}/api/v1/apps", controller.url)],
        colors: output::colors(&context.common, &context.environment),
    }
}

/// What a person types to point another terminal to the cloud.
fn env_command(context: &Context, machine: &Machine) -> Result<String, Failure> {
    let program = machine::program(&context.environment)?;
    let port = machine.endpoint_url.rsplit(':').next().filter(|port| *port != DEFAULT_CLOUD_PORT.to_string());
    let flag = port.map(|port| format!(" --cloud-port {port}")).unwrap_or_default();
    Ok(format!("eval \"$({} env{flag})\"", program.display()))
}
