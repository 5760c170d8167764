//! The fulfilment API, which is headquarters, on a port that stays its own while it is away.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use http::StatusCode;
use interstella_guard::Token;
use interstella_hq::{ApiKey, Config, Database, Hq};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::orders;

/// The worker's key.
pub const API_KEY: &str = "a-key-for-the-outage";

/// How the API is away.
#[derive(Debug, Clone, Copy)]
pub enum Away {
    /// Nothing listens: a call is certainly not processed.
    Refusing,
    /// What stands in front of it answers 502: nobody knows whether a call was processed.
    Failing,
}

/// The API. Its records are in a file, so that they outlive its absences.
pub struct Api {
    address: SocketAddr,
    database: PathBuf,
    /// Bound and never listening: connections are refused, and nobody else is given the port.
    _reserved: TcpSocket,
    server: Option<Server>,
}

struct Server {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Api {
    /// An API that is away.
    pub fn new(database: PathBuf) -> Self {
        let reserved = TcpSocket::new_v4().unwrap();
        reserved.set_reuseaddr(true).unwrap();
        reserved.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        Self { address: reserved.local_addr().unwrap(), database, _reserved: reserved, server: None }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}/receiving/", self.address)
    }

    /// It comes, or comes back.
    pub async fn comes(&mut self) {
        self.ends().await;
        let config = Config {
            database: Database::Path(self.database.clone()),
            sns_endpoint: None,
            topics: Vec::new(),
            bootstrap_key: Some(API_KEY.parse::<ApiKey>().unwrap()),
            token: Token::generate().unwrap(),
            hosts: Vec::new(),
            start_paused: true,
        };
        let (hq, listener) = (Hq::open(config).unwrap(), self.listen().await);
        self.server = Some(Server::start(|stopped| tokio::spawn(hq.serve(listener, stopped))));
    }

    /// It goes.
    pub async fn goes(&mut self, away: Away) {
        self.ends().await;
        if let Away::Failing = away {
            let failing = axum::Router::new().fallback(async || StatusCode::BAD_GATEWAY);
            let listener = self.listen().await;
            self.server = Some(Server::start(|stopped| {
                let server = axum::serve(listener, failing).with_graceful_shutdown(stopped);
                tokio::spawn(async { server.await.unwrap() })
            }));
        }
    }

    /// How often each order took effect, by its idempotency key.
    pub fn effects(&self) -> BTreeMap<Uuid, u32> {
        orders::effects(&self.database).into_iter().map(|(key, (_, count))| (key, count)).collect()
    }

    async fn listen(&self) -> TcpListener {
        TcpListener::bind(self.address).await.unwrap()
    }

    async fn ends(&mut self) {
        if let Some(Server { stop, ended }) = self.server.take() {
            drop(stop);
            ended.await.unwrap();
        }
    }
}

impl Server {
    /// Starts what serves until the future it is given resolves.
    fn start(serve: impl FnOnce(Stopped) -> JoinHandle<()>) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, ended: serve(Box::pin(async { drop(stopped.await) })) }
    }
}

type Stopped = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
