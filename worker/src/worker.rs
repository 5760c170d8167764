//! Puts the parts together and takes them down again in order.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use interstella_guard::doors::{Size, descriptors};
use interstella_guard::gate::Hosts;
use interstella_guard::{Arrival, Bounds, Doors, Gate, Stage, serve};
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::admin::Admin;
use crate::capacity::Capacity;
use crate::client::HttpApi;
use crate::clock::{Clock, Skew};
use crate::config::{ApiKey, Config, LedgerChoice};
use crate::fulfil::Fulfiller;
use crate::ledger::{Ledger, LedgerError, MemoryLedger, SqliteLedger};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::outbound::{Observer, Outbound};
use crate::routes::{Parts, Routes};
use crate::sns::{Confirmer, KeyCache, Rules, Signer, Verifier};

/// The longest that orders in flight are waited for; with the lag it stays under 15 seconds.
const FINISH: Duration = Duration::from_secs(12);
const MAX_ADMIN_CONNECTIONS: usize = 32;
/// Connections beyond the cap that are answered from the reserve.
const RESERVE: usize = 64;
/// File descriptors for everything but accepted connections.
const OTHER_FILES: usize = 128;

/// What a worker takes from outside, apart from its configuration. The default is the real thing.
pub struct Environment {
    /// Tells the time.
    pub clock: Clock,
    /// Is told of every outbound connection.
    pub observer: Option<Observer>,
    /// Used in place of the configured ledger.
    pub ledger: Option<Arc<dyn Ledger>>,
    /// How long anything may take.
    pub limits: Limits,
}

impl Default for Environment {
    fn default() -> Self {
        Environment { clock: Clock::system(), observer: None, ledger: None, limits: Limits::default() }
    }
}

/// Why a worker could not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The ledger cannot be opened.
    #[error("cannot open the ledger; check INTERSTELLA_LEDGER: {0}")]
    Ledger(#[from] LedgerError),
    /// TLS cannot be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// Orders were still in flight when the time was up. They will be delivered again.
    #[error("stopped with orders in flight after {}s; they will be delivered again", FINISH.as_secs())]
    Unfinished,
}

/// Takes orders on `listener` until `shutdown` resolves, then finishes what was begun. Probes and metrics are on `admin`.
pub async fn run(
    config: Config,
    listener: TcpListener,
    admin: Option<TcpListener>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    run_in(Environment::default(), config, listener, admin, shutdown).await
}

/// As [`run`], in an environment of the caller's.
pub async fn run_in(
    environment: Environment,
    config: Config,
    listener: TcpListener,
    admin: Option<TcpListener>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let (stages, stage) = watch::channel(Stage::Serving);
    let metrics = Arc::new(Metrics::default());
    let in_flight = Arc::new(Semaphore::new(config.max_in_flight));
    let limits = environment.limits;
    let capacity = Arc::new(Capacity::new(&config, limits, metrics.waiting.clone()));
    let routes = routes(environment, &config, &metrics, &in_flight, &capacity, stage.clone()).await?;
    let (gate, bounds) = (gate(&config), bounds(limits));
    let connections = metrics.connections.clone();
    let orders = serve(listener, doors(config.max_connections), gate.clone(), bounds, stage.clone(), {
        move |_: &TcpStream, _: Arrival| {
            let (routes, count) = (routes.clone(), Counted::new(&connections));
            service_fn(move |request| {
                let (routes, _) = (routes.clone(), &count);
                async move { Ok::<_, Infallible>(routes.handle(request).await) }
            })
        }
    });
    let orders = tokio::spawn(orders);
    let probes = admin.map(|listener| {
        let admin = Admin { metrics: Arc::clone(&metrics), stage: stage.clone() };
        let connections = metrics.connections.clone();
        tokio::spawn(serve(listener, doors(MAX_ADMIN_CONNECTIONS), gate, bounds, stage, move |_: &TcpStream, _| {
            let (admin, count) = (admin.clone(), Counted::new(&connections));
            service_fn(move |request| {
                let (admin, _) = (admin.clone(), &count);
                async move { Ok::<_, Infallible>(admin.handle(request).await) }
            })
        }))
    });

    shutdown.await;
    tracing::info!("Draining");
    stages.send_replace(Stage::Draining);
    lag(config.drain_lag).await;
    stages.send_replace(Stage::Closed);
    capacity.close();
    let finish = async {
        drop(orders.await);
        // Every permit is back when no order is in flight, whether or not its sender still waits.
        let everything = u32::try_from(config.max_in_flight).unwrap_or(u32::MAX);
        drop(in_flight.acquire_many(everything).await);
    };
    let finished = tokio::time::timeout(FINISH, finish).await.map_err(|_| Error::Unfinished);
    if let Some(probes) = probes {
        probes.abort();
    }
    finished
}

/// A connection in the metrics, for as long as it is open.
struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Counted(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// At most `wanted` connections, and at most what the limit on open files leaves room for.
fn doors(wanted: usize) -> Doors {
    let room = descriptors().saturating_sub(OTHER_FILES);
    Doors::new(Size { connections: wanted, reserve: RESERVE }.within(room))
}

/// On a laptop, a browser reaches this worker too, and health checks call it by its address, as AWS's do. In production the load
/// balancer's names are the service's own.
fn gate(config: &Config) -> Gate {
    let hosts = if config.local_origin.is_some() { Hosts::Addresses } else { Hosts::Any };
    Gate { hosts, also: config.hosts.clone(), links: true }
}

fn bounds(limits: Limits) -> Bounds {
    let Limits { first_byte, head, idle, .. } = limits;
    Bounds { first_byte, head, idle, ..Bounds::default() }
}

/// Load balancers go on sending until they have noticed.
#[expect(clippy::disallowed_methods, reason = "nothing tells when the last load balancer has noticed")]
async fn lag(duration: Duration) {
    tokio::time::sleep(duration).await;
}

async fn routes(
    environment: Environment,
    config: &Config,
    metrics: &Arc<Metrics>,
    in_flight: &Arc<Semaphore>,
    capacity: &Arc<Capacity>,
    stage: watch::Receiver<Stage>,
) -> Result<Routes, Error> {
    let Environment { clock, observer, ledger, limits } = environment;
    let outbound = Outbound::new(observer)?;
    let skew = Arc::new(Skew::default());
    let is_local = config.local_origin.is_some();
    let keys = KeyCache::new(outbound.clone(), clock.clone(), Arc::clone(&skew), is_local, limits.certificate);
    let rules = Rules {
        topics: config.topics.clone(),
        local_origin: config.local_origin.clone(),
        allow_signature_v1: config.allow_signature_v1,
        max_age: config.max_age,
    };
    let ledger = match ledger {
        Some(ledger) => ledger,
        None => open_ledger(config, &clock).await?,
    };
    Ok(Routes::new(Parts {
        verifier: Verifier::new(rules, keys, clock.clone(), skew),
        fulfiller: fulfiller(
            config,
            ledger,
            outbound.clone(),
            clock.clone(),
            Arc::clone(metrics),
            Arc::clone(capacity),
            limits,
        ),
        limits,
        confirmer: Confirmer {
            outbound,
            local_origin: config.local_origin.clone(),
            deadline: limits.confirmation,
            signer: signer(config).await,
            clock: clock.clone(),
        },
        metrics: Arc::clone(metrics),
        clock,
        direct_fulfil: config.direct_fulfil,
        in_flight: Arc::clone(in_flight),
        stage,
    }))
}

/// Who signs confirmations, if they are to be signed.
#[cfg(feature = "signed-confirmation")]
async fn signer(config: &Config) -> Option<Signer> {
    if config.authenticate_unsubscribe { Signer::from_env().await } else { None }
}

#[cfg(not(feature = "signed-confirmation"))]
async fn signer(_config: &Config) -> Option<Signer> {
    None
}

/// Opens the configured ledger.
pub(crate) async fn open_ledger(config: &Config, clock: &Clock) -> Result<Arc<dyn Ledger>, LedgerError> {
    let (retention, clock) = (config.ledger_retention, clock.clone());
    Ok(match &config.ledger {
        LedgerChoice::Memory => Arc::new(MemoryLedger::new(clock, retention, config.ledger_limit)),
        LedgerChoice::Sqlite(path) => Arc::new(SqliteLedger::open_with(path, clock, retention)?),
        #[cfg(feature = "dynamodb")]
        LedgerChoice::DynamoDb(table) => Arc::new(crate::ledger::DynamoDbLedger::open(table, retention).await?),
    })
}

/// What fulfils orders under this configuration.
pub(crate) fn fulfiller(
    config: &Config,
    ledger: Arc<dyn Ledger>,
    outbound: Outbound,
    clock: Clock,
    metrics: Arc<Metrics>,
    capacity: Arc<Capacity>,
    limits: Limits,
) -> Fulfiller {
    let endpoint = config.api_endpoint.clone();
    let api_key = ApiKey::new(config.api_key.clone(), config.api_key_file.clone());
    let api = HttpApi::new(outbound, endpoint, api_key, config.idempotent, clock.clone(), limits);
    Fulfiller {
        ledger,
        api: Arc::new(api),
        clock,
        metrics,
        capacity,
        gather: config.gather,
        idempotent: config.idempotent,
    }
}
