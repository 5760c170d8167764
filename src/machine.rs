//! The local cloud of this machine, put together from its parts: processes, sockets, the wire.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use interstella_localcloud::clock::Clock;
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::elb::Ports;
use interstella_localcloud::images::{Image, Images, Program};
use interstella_localcloud::proxy::{Moved, Proxy, Sockets};
use interstella_localcloud::runtime::process::{Process, Settings, port_is_free};
use interstella_localcloud::seed::{self, SeedOptions};
use interstella_localcloud::wire::Access;
use interstella_localcloud::world::World;
use interstella_localcloud::{elb, region, wire};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::image::GivenImage;
use crate::telemetry::lookup;

/// Milliseconds of cloud time that the monolith's simulated work takes unless a task says otherwise.
const GATHER_MS: u64 = 1000;
/// How far apart programs that start one after the other begin to give ports to tasks.
const PORTS_APART: u32 = 97;
/// Images that are built in, by the name in the workshop's repository and by a short one.
const WORKER_IMAGES: [&str; 2] = ["interstella/monolith", "worker"];
const HQ_IMAGES: [&str; 2] = ["interstella/hq", "hq"];

/// What a local cloud has to be told.
#[derive(Debug)]
pub struct Plan {
    /// The region where the cloud begins.
    pub region: String,
    /// Port of the API on loopback; 0 = any.
    pub port: u16,
    /// Cloud seconds in a second.
    pub speed: f64,
    /// Further images.
    pub images: Vec<GivenImage>,
    /// Key and address of the fulfilment API, which tasks read as parameters; `None`: nothing of the workshop's is
    /// there.
    pub workshop: Option<SeedOptions>,
    /// This program, which also is the built-in images.
    pub program: PathBuf,
    /// `PATH` of tasks.
    pub search_path: String,
    /// The access key that calls have to be signed with, if not any.
    pub access_key: Option<String>,
    /// Names by which the listeners go besides those of loopback, in lower case.
    pub names: Vec<String>,
    /// Whether a listener's socket goes to another port where it cannot have the listener's own, and who is told;
    /// otherwise the call fails.
    pub moved: Option<fn(&Moved)>,
    /// Ports of the programs beside the cloud, and what each is. SNS delivers to none of them.
    pub own_ports: BTreeMap<u16, &'static str>,
}

/// A running local cloud.
pub struct Machine {
    /// URL of the API.
    pub endpoint_url: String,
    /// The region where the cloud began.
    pub region: String,
    process: Process,
    stop: watch::Sender<bool>,
    parts: JoinSet<()>,
}

impl Machine {
    /// Starts the cloud and returns when its API answers.
    pub async fn start(plan: Plan) -> Result<Self, Failure> {
        check_region(&plan.region)?;
        let listener = bind(plan.port, "--cloud-port (or --port of `interstella cloud`)")?;
        let address =
            listener.local_addr().map_err(|error| Failure::because("cannot tell the cloud's port", &error))?;
        let endpoint_url = format!("http://{address}");
        let clock = Clock::live(plan.speed);
        let sockets = Arc::new(plan.moved.map_or_else(Sockets::default, Sockets::moving));
        let mut world = world(&plan, &clock, &endpoint_url, &sockets)?;
        world.own_ports.insert(address.port(), "the local cloud's own API");
        let proxy = Proxy::new(sockets, plan.names.clone());
        world.elb.count_with(Arc::new(proxy.clone()));
        let routing = elb::subscribe(&mut world);
        let process = Process::start(settings(&plan, &endpoint_url))
            .map_err(|error| Failure::because(format!("cannot start {}", plan.program.display()), &error))?;
        let cloud = Cloud::new(world, clock, Box::new(process.clone()));
        cloud.journal.keep_at_most(0);
        let region = plan.region.clone();
        let access = Access { names: plan.names, access_key: plan.access_key.map(Into::into) };
        let (stop, stopped) = watch::channel(false);
        let mut parts = JoinSet::new();
        parts.spawn(Arc::clone(&cloud).run_timers());
        let until = wait_for(stopped.clone());
        parts.spawn(async move { proxy.run(routing, until).await });
        let until = wait_for(stopped);
        parts.spawn(async move {
            if let Err(error) = wire::serve(cloud, listener, access, until).await {
                tracing::error!(%error, "the local cloud's API has stopped");
            }
        });
        Ok(Self { endpoint_url, region, process, stop, parts })
    }

    /// Ends every task and then the cloud; what has not ended after `grace` is killed.
    pub async fn stop(mut self, grace: Duration) {
        self.process.shut_down(grace).await;
        self.stop.send_replace(true);
        self.parts.shutdown().await;
    }
}

async fn wait_for(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Opens a loopback port; `flag` is what to change when it is taken.
pub fn bind(port: u16, flag: &str) -> Result<TcpListener, Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    interstella_guard::listen(address).map_err(|error| {
        Failure::because(format!("cannot listen on {address}"), &error).remedy(format!(
            "end the program that holds the port (is another `interstella up` running?), or choose another with {flag}"
        ))
    })
}

fn world(plan: &Plan, clock: &Clock, endpoint_url: &str, sockets: &Arc<Sockets>) -> Result<World, Failure> {
    let now = clock.now();
    // Identifiers differ from run to run, as they do on AWS.
    let seed_of_ids = now.as_millis().unsigned_abs();
    let mut world = World::new(&plan.region, seed_of_ids, images(plan)?);
    endpoint_url.clone_into(&mut world.endpoint_url);
    world.speed = plan.speed;
    world.own_ports.clone_from(&plan.own_ports);
    world.addresses.port_probe = port_is_free;
    world.addresses.begin_at(std::process::id().wrapping_mul(PORTS_APART));
    let ports: Arc<dyn Ports> = Arc::<Sockets>::clone(sockets);
    world.elb.listen_on(ports);
    if let Some(workshop) = &plan.workshop {
        seed::workshop(&mut world, now, workshop)
            .map_err(|error| Failure::because("cannot provide what the workshop's stack provided", &error))?;
    }
    Ok(world)
}

fn check_region(region: &str) -> Result<(), Failure> {
    if region::is_name(region) {
        return Ok(());
    }
    let remedy = "choose one of the partition aws with --region, such as us-west-2";
    Err(Failure::new(format!("the local cloud cannot have a region {region:?}")).remedy(remedy))
}

/// What tasks can be made of. Every program is read once, for its digest.
fn images(plan: &Plan) -> Result<Images, Failure> {
    let mut images = Images::default();
    let worker = image(Program { path: plan.program.clone(), arguments: vec!["worker".to_owned()] })?;
    let hq = Program { path: plan.program.clone(), arguments: vec!["hq".to_owned()] };
    let hq = Image { program: hq, ..worker.clone() };
    for name in WORKER_IMAGES {
        images.insert(name, worker.clone());
    }
    for name in HQ_IMAGES {
        images.insert(name, hq.clone());
    }
    for GivenImage { name, path } in &plan.images {
        images.insert(name, image(Program { path: path.clone(), arguments: Vec::new() })?);
    }
    Ok(images)
}

fn image(program: Program) -> Result<Image, Failure> {
    let path = program.path.clone();
    let read = File::open(&path).and_then(|file| Image::new(program, file));
    read.map_err(|error| Failure::because(format!("cannot read {}, an image's program", path.display()), &error))
}

fn settings(plan: &Plan, endpoint_url: &str) -> Settings {
    Settings {
        endpoint_url: endpoint_url.to_owned(),
        region: plan.region.clone(),
        search_path: plan.search_path.clone(),
        speed: plan.speed,
        access_key: plan.access_key.clone().unwrap_or_else(|| "local".to_owned()),
        scaled_ms: vec![("INTERSTELLA_GATHER_MS".to_owned(), GATHER_MS)],
        reaper: Program { path: plan.program.clone(), arguments: vec!["reaper".to_owned()] },
    }
}

/// The program that runs now, unless a test names another.
pub fn program(environment: &[(String, String)]) -> Result<PathBuf, Failure> {
    match lookup(environment, "INTERSTELLA_PROGRAM") {
        Some(path) => Ok(Path::new(path).to_owned()),
        None => std::env::current_exe().map_err(|error| Failure::because("cannot tell where this program is", &error)),
    }
}

/// `PATH` of tasks: that of this process.
pub fn search_path(environment: &[(String, String)]) -> String {
    lookup(environment, "PATH").unwrap_or("/usr/bin:/bin").to_owned()
}
