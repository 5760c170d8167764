//! The load balancers' data plane, with real sockets on both sides.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "proxy/backend.rs"]
mod backend;
#[path = "proxy/errors.rs"]
mod errors;
#[path = "proxy/framing.rs"]
mod framing;
#[path = "proxy/hostile.rs"]
mod hostile;
#[path = "proxy/streams.rs"]
mod streams;
#[path = "proxy/targets.rs"]
mod targets;
#[path = "proxy/through_the_api.rs"]
mod through_the_api;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use interstella_localcloud::elb::Counts;
use interstella_localcloud::elb::routing::{ForwardedFor, Front, Group, RoutedTarget, Routing, UseFor};
use interstella_localcloud::elb::{Action, Ports, Target};
use interstella_localcloud::proxy::{Proxy, Sockets};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// How long a condition may take to hold.
const PATIENCE: Duration = Duration::from_secs(10);

/// A proxy with one listener and one target group, `web`.
struct Bench {
    port: u16,
    proxy: Arc<Proxy>,
    sockets: Arc<Sockets>,
    routing: watch::Sender<Arc<Routing>>,
    client: Client<HttpConnector, Full<Bytes>>,
    shutdown: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

/// An answer, read to the end.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Bench {
    async fn new(targets: &[(SocketAddr, UseFor)]) -> Self {
        let sockets = Arc::new(Sockets::default());
        let port = reserve(&sockets);
        let proxy = Arc::new(Proxy::new(Arc::clone(&sockets), Vec::new()));
        let routing = watch::Sender::new(Arc::new(Routing::default()));
        let (shutdown, ended) = oneshot::channel();
        let running = tokio::spawn({
            let (proxy, routing) = (Arc::clone(&proxy), routing.subscribe());
            async move {
                proxy
                    .run(routing, async {
                        let _either = ended.await;
                    })
                    .await;
            }
        });
        let client = Client::builder(TokioExecutor::new()).build_http();
        let bench = Self { port, proxy, sockets, routing, client, shutdown: Some(shutdown), running };
        bench.route(targets).await;
        bench
    }

    /// Sets the targets of the group and waits until they are adopted.
    async fn route(&self, targets: &[(SocketAddr, UseFor)]) {
        self.publish(routing(self.port, vec![front("lb.localhost", "web")], targets));
        until("the routing is adopted", || self.proxy.counts().contains_key("web")).await;
    }

    fn publish(&self, routing: Routing) {
        self.routing.send_replace(Arc::new(routing));
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let answer = self.client.request(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body).into_owned();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(self.url(path)).body(Full::default()).unwrap()).await
    }

    async fn post(&self, path: &str, body: &'static str) -> Answer {
        self.send(Request::post(self.url(path)).body(Full::from(body)).unwrap()).await
    }

    fn counts(&self) -> Counts {
        self.proxy.counts().remove("web").unwrap()
    }
}

/// Reserves a port that is free.
fn reserve(sockets: &Sockets) -> u16 {
    let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    (0..100).map(|_| free()).find(|port| sockets.reserve(*port).is_ok()).unwrap()
}

/// A listener that forwards everything to one group.
fn front(dns_name: &str, group: &str) -> Front {
    Front {
        dns_name: dns_name.to_owned(),
        idle_timeout: Duration::from_secs(60),
        client_keep_alive: Duration::from_secs(3600),
        forwarded_for: ForwardedFor::Append,
        client_port: false,
        drop_invalid_headers: false,
        server_header: true,
        rules: Vec::new(),
        default_action: Action::Forward(vec![(group.to_owned(), 1)]),
    }
}

fn routing(port: u16, fronts: Vec<Front>, targets: &[(SocketAddr, UseFor)]) -> Routing {
    let target = |(address, use_for): &(SocketAddr, UseFor)| {
        let routed = RoutedTarget { address: Some(*address), use_for: *use_for };
        (Target { id: "i-1".to_owned(), port: address.port() }, routed)
    };
    let group = Group {
        least_outstanding: false,
        healthy_min_count: 1,
        healthy_min_percent: 0,
        targets: targets.iter().map(target).collect(),
    };
    Routing { ports: BTreeMap::from([(port, fronts)]), target_groups: BTreeMap::from([("web".to_owned(), group)]) }
}

/// Waits until the condition holds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(tokio::time::Instant::now() < deadline, "in vain: {what}");
        #[expect(clippy::disallowed_methods, reason = "paces the wait on a condition")]
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
