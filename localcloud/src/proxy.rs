//! The load balancers' data plane: real sockets, HTTP/1.1 on both sides, bodies streamed.
//!
//! ```text
//!   routing snapshot ─▶ Table (pools, counters) ─▶ accept ─▶ route (Host, rule) ─▶ forward (target, timeouts) ─▶ target
//! ```
//!
//! It never takes the world's lock and decides nothing about health: it reads the snapshot that `elb` publishes. Time-outs are wall
//! time. Not done: HTTPS, HTTP/2, WebSockets (answered with 501), stickiness and slow start (refused by the API).

mod accept;
mod answer;
mod body;
mod counts;
mod forward;
mod headers;
mod histogram;
mod names;
mod pattern;
mod pool;
mod route;
mod sockets;
mod table;
mod target_stream;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use interstella_guard::Doors;
use interstella_guard::doors::{Size, descriptors};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

pub use sockets::{Moved, Sockets};

use crate::elb::routing::Routing;
use crate::elb::{Counts, Traffic};
use table::Table;

/// Client connections that are served at once, if there are file descriptors for as many and for the connections to targets.
const SIZE: Size = Size { connections: 4096, reserve: 16 };
/// The share of the process's file descriptors that client connections may take; those to targets take as many.
const SHARE_OF_DESCRIPTORS: usize = 6;
/// More than there are ever connections.
const CONNECTIONS_MAX: u32 = 1 << 16;
/// How long requests in flight may take to end when the proxy ends.
const CLOSING_GRACE: Duration = Duration::from_secs(2);
/// Idle timeout of connections to a port whose listener has just gone.
const IDLE_TIMEOUT_WITHOUT_LISTENER: Duration = Duration::from_secs(1);

/// The data plane of all load balancers. Clones are the same one.
#[derive(Clone)]
pub struct Proxy {
    shared: Arc<Shared>,
}

impl Traffic for Proxy {
    fn counts(&self, target_group_arn: &str) -> Counts {
        let table = self.shared.table.borrow();
        table.groups.get(target_group_arn).map(|group| group.shared.counters.read()).unwrap_or_default()
    }
}

/// What the proxy's tasks share.
struct Shared {
    sockets: Arc<Sockets>,
    table: watch::Sender<Arc<Table>>,
    life: watch::Sender<Life>,
    doors: Doors,
    /// Names by which load balancers go besides their own and those of loopback, in lower case.
    names: Vec<String>,
    /// A permit for each connection that is open.
    room: Arc<Semaphore>,
    /// Requests so far.
    turn: AtomicUsize,
}

/// Where the proxy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Life {
    Serving,
    /// No new connections and requests; those in flight end.
    Closing,
    /// What is still open breaks off.
    Over,
}

impl Proxy {
    /// A proxy for the listeners whose ports are reserved in `sockets`. `names` are those by which load balancers go besides their
    /// own, those of their rules and those of loopback, in lower case.
    pub fn new(sockets: Arc<Sockets>, names: Vec<String>) -> Self {
        let shared = Shared {
            sockets,
            table: watch::Sender::new(Arc::default()),
            life: watch::Sender::new(Life::Serving),
            doors: Doors::new(SIZE.within(descriptors() / SHARE_OF_DESCRIPTORS)),
            names,
            room: Arc::new(Semaphore::new(CONNECTIONS_MAX as usize)),
            turn: AtomicUsize::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Counters of each target group in use, by ARN.
    pub fn counts(&self) -> BTreeMap<String, Counts> {
        let table = self.shared.table.borrow();
        table.groups.iter().map(|(arn, group)| (arn.clone(), group.shared.counters.read())).collect()
    }

    /// Serves by the routing as it changes (see [`crate::elb::subscribe`]) until `shutdown` resolves; then lets requests in flight
    /// end, at most for two seconds.
    pub async fn run(&self, mut routing: watch::Receiver<Arc<Routing>>, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let snapshot = Arc::clone(&routing.borrow_and_update());
            self.adopt(snapshot);
            tokio::select! {
                changed = routing.changed() => if changed.is_err() { break },
                () = &mut shutdown => break,
            }
        }
        self.shared.life.send_replace(Life::Closing);
        // All permits together: no connection is open any more.
        let _all_or_late = timeout(CLOSING_GRACE, self.shared.room.acquire_many(CONNECTIONS_MAX)).await;
        self.shared.life.send_replace(Life::Over);
    }

    fn adopt(&self, routing: Arc<Routing>) {
        let ports: Vec<u16> = routing.ports.keys().copied().collect();
        self.shared.table.send_modify(|table| *table = Arc::new(table.next(routing)));
        for port in ports {
            if let Some(sockets) = self.shared.sockets.take(port) {
                tokio::spawn(accept::run(Arc::clone(&self.shared), port, sockets));
            }
        }
    }
}

impl Shared {
    /// Resolves when the proxy's life has come to `stage`.
    async fn reached(&self, stage: Life) {
        let mut life = self.life.subscribe();
        let _come = life.wait_for(|life| *life >= stage).await;
    }

    /// Idle and keep-alive time of client connections to a port: the longest that its load balancers allow, because whom a
    /// connection is for shows only with its first request.
    fn client_times(&self, port: u16) -> (Duration, Duration) {
        let table = self.table.borrow();
        let fronts = table.routing.ports.get(&port).map_or(&[][..], Vec::as_slice);
        let idle = fronts.iter().map(|front| front.idle_timeout).max();
        let keep_alive = fronts.iter().map(|front| front.client_keep_alive).max();
        (idle.unwrap_or(IDLE_TIMEOUT_WITHOUT_LISTENER), keep_alive.unwrap_or(IDLE_TIMEOUT_WITHOUT_LISTENER))
    }
}
