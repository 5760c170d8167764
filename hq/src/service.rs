//! hq put together: opens the records, starts the publishers, serves until told to stop.

use std::sync::Arc;

use interstella_guard::{Gate, Token};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::api_key::KeyRing;
use crate::client::Client;
use crate::config::{Config, ConfigError, TopicRate};
use crate::endpoint::LoopbackUrl;
use crate::in_flight::InFlight;
use crate::publisher::Publisher;
use crate::rates::{InvalidRate, Rates};
use crate::server;
use crate::stats::Rejections;
use crate::store::{Store, StoreError};

/// Why hq could not start.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Rate(#[from] InvalidRate),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the handlers of requests share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) keys: KeyRing,
    pub(crate) rates: Rates,
    pub(crate) token: Token,
    pub(crate) in_flight: InFlight,
    pub(crate) rejections: Rejections,
    #[cfg(feature = "faults")]
    pub(crate) faults: crate::faults::Faults,
}

/// Headquarters with its records open, not yet serving.
pub struct Hq {
    shared: Arc<Shared>,
    endpoint: Option<LoopbackUrl>,
    topics: Vec<TopicRate>,
    hosts: Vec<String>,
    started: watch::Sender<bool>,
}

/// Starts the orders of an [`Hq`] that was configured to start paused.
#[derive(Clone)]
pub struct StartPublishing(watch::Sender<bool>);

impl StartPublishing {
    /// Publishes the first order now and goes on at the set rates. Calling it again does nothing.
    pub fn start(&self) {
        self.0.send_replace(true);
    }
}

/// Opens headquarters and serves until `shutdown`.
///
/// # Errors
/// [`Error`] if the configuration or the database cannot be used. Once it serves, it does not fail.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    Hq::open(config)?.serve(listener, shutdown).await;
    Ok(())
}

impl Hq {
    /// Checks the configuration, opens the database and reads the issued keys. Blocks for as long as that takes.
    ///
    /// # Errors
    /// [`Error`] if the configuration or the database cannot be used.
    pub fn open(config: Config) -> Result<Self, Error> {
        config.check()?;
        let store = Store::open(&config.database)?;
        let shared = Shared {
            keys: KeyRing::default(),
            rates: Rates::new(config.topics.iter().map(|topic| (topic.name.as_str(), topic.per_minute)))?,
            token: config.token,
            in_flight: InFlight::default(),
            rejections: Rejections::default(),
            #[cfg(feature = "faults")]
            faults: crate::faults::Faults::default(),
            store,
        };
        for (hash, expires_at) in shared.store.keys()? {
            shared.keys.add(hash, Some(expires_at));
        }
        if let Some(key) = &config.bootstrap_key {
            shared.keys.add(key.hash(), None);
        }
        let started = watch::Sender::new(!config.start_paused);
        Ok(Self {
            shared: Arc::new(shared),
            endpoint: config.sns_endpoint,
            topics: config.topics,
            hosts: config.hosts,
            started,
        })
    }

    /// A handle that starts the orders later.
    #[must_use]
    pub fn publishing(&self) -> StartPublishing {
        StartPublishing(self.started.clone())
    }

    /// Publishes and serves until `shutdown`, then finishes what is in flight, for ten seconds at most.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let stop = watch::Sender::new(false);
        let mut publishers = self.start_publishers(&stop);
        let stopping = async {
            shutdown.await;
            stop.send_replace(true);
        };
        let gate = match listener.local_addr() {
            Ok(address) => Gate { also: self.hosts, ..Gate::of(address) },
            Err(error) => return tracing::error!(%error, "cannot tell where hq listens"),
        };
        server::serve(listener, server::router(Arc::clone(&self.shared)), gate, stopping).await;
        while publishers.join_next().await.is_some() {}
    }

    fn start_publishers(&self, stop: &watch::Sender<bool>) -> JoinSet<()> {
        let mut publishers = JoinSet::new();
        let Some(endpoint) = &self.endpoint else {
            tracing::warn!("no AWS_ENDPOINT_URL: no orders are published, fulfilments are taken");
            return publishers;
        };
        let client = Client::new();
        for topic in &self.topics {
            let (Ok(region), Some(rate)) = (topic.region(), self.shared.rates.follow(&topic.name)) else { continue };
            let publisher = Publisher {
                client: client.clone(),
                endpoint: endpoint.clone(),
                region: region.to_owned(),
                topic: topic.clone(),
                store: self.shared.store.clone(),
            };
            publishers.spawn(publisher.run(rate, self.started.subscribe(), stop.subscribe()));
        }
        publishers
    }
}
