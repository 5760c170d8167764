//! A running hq, a fake SNS, an HTTP client, and waiting on conditions.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use interstella_guard::Token;
use interstella_hq::{ApiKey, Config, Database, Hq, StartPublishing, TopicRate};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub const KEY: &str = "bootstrap-key-of-the-tests";
pub const BUNDLE: &str = r#"{"iridium": 1, "magnesite": 1}"#;
pub const DEADLINE: Duration = Duration::from_secs(10);

pub type Fields = BTreeMap<String, String>;

/// Where the tests' token is; the commands under test are pointed there.
pub fn runtime() -> &'static std::path::Path {
    static FOLDER: std::sync::LazyLock<tempfile::TempDir> = std::sync::LazyLock::new(|| tempfile::tempdir().unwrap());
    FOLDER.path()
}

pub fn token() -> Token {
    Token::of_user(&runtime().join("interstella")).unwrap()
}

/// A configuration that publishes nothing.
pub fn quiet() -> Config {
    Config {
        database: Database::InMemory,
        sns_endpoint: None,
        topics: TopicRate::workshop("arn:aws:sns:us-west-2:123456789012:", 0.0),
        bootstrap_key: Some(KEY.parse::<ApiKey>().unwrap()),
        token: token(),
        hosts: Vec::new(),
        start_paused: false,
    }
}

/// A running hq.
pub struct Running {
    pub address: SocketAddr,
    pub publishing: StartPublishing,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

pub async fn start(config: Config) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hq = Hq::open(config).unwrap();
    let publishing = hq.publishing();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(hq.serve(listener, async move {
        let _ = stopped.await;
    }));
    Running { address, publishing, stop, server }
}

impl Running {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Stops it and waits until it has finished.
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(DEADLINE, self.server).await.unwrap().unwrap();
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(Method::GET, &self.url(path), &[], "").await.unwrap()
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        send(Method::POST, &self.url(path), headers, body).await.unwrap()
    }

    /// With the owner's token.
    pub async fn change(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let token = token().header().unwrap();
        let headers = [headers, &[("authorization", token.to_str().unwrap())]].concat();
        self.post(path, &headers, body).await
    }

    /// Reports a fulfilled bundle under an idempotency key.
    pub async fn report(&self, order: &str) -> Answer {
        self.post("/receiving/", &[("x-api-key", KEY), ("idempotency-key", order)], BUNDLE).await
    }

    pub async fn stats(&self) -> Value {
        self.get("/stats").await.json()
    }

    pub async fn count(&self, name: &str) -> u64 {
        self.stats().await[name].as_u64().unwrap()
    }
}

#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// One request on a connection of its own; the error says how it ended without an answer.
pub async fn send(method: Method, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer, String> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let exchange = async {
        let (head, body) = client.request(request).await.map_err(|error| format!("{error:?}"))?.into_parts();
        let body = body.collect().await.map_err(|error| format!("{error:?}"))?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() })
    };
    tokio::time::timeout(DEADLINE, exchange).await.unwrap_or_else(|_| Err("timed out".to_owned()))
}

/// Waits until `condition` holds; fails after the deadline.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, waiting).await.is_ok(), "never happened: {what}");
}

/// SNS as far as hq uses it: records every call, answers what it is told to.
#[derive(Clone, Default)]
pub struct FakeSns(Arc<Mutex<FakeSnsState>>);

#[derive(Default)]
struct FakeSnsState {
    calls: Vec<(HeaderMap, Fields)>,
    failure: Option<(StatusCode, &'static str)>,
}

pub const NOT_FOUND: (StatusCode, &str) =
    (StatusCode::NOT_FOUND, "<ErrorResponse><Error><Code>NotFound</Code></Error></ErrorResponse>");

impl FakeSns {
    /// Starts it; the URL is where it listens.
    pub async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sns = Self::default();
        let router = Router::new().route("/", axum::routing::post(Self::publish)).with_state(sns.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (sns, url)
    }

    async fn publish(State(sns): State<Self>, headers: HeaderMap, body: Bytes) -> (StatusCode, &'static str) {
        let mut state = sns.0.lock().unwrap();
        state.calls.push((headers, form_urlencoded::parse(&body).into_owned().collect()));
        state.failure.unwrap_or((StatusCode::OK, "<PublishResponse/>"))
    }

    /// Fails every call from now on, or none.
    pub fn fail(&self, failure: Option<(StatusCode, &'static str)>) {
        self.0.lock().unwrap().failure = failure;
    }

    pub fn calls(&self) -> Vec<(HeaderMap, Fields)> {
        self.0.lock().unwrap().calls.clone()
    }

    pub fn count(&self) -> usize {
        self.0.lock().unwrap().calls.len()
    }
}
