//! Targets: an HTTP server that says who it is, and one that writes what it is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// A server that answers with its name and, in `x-request`, with the request as it came. `/hold` waits for a permit of `gate`;
/// `/echo` gives the body back.
pub struct Backend {
    pub address: SocketAddr,
    pub connections: Arc<AtomicUsize>,
    /// Requests that have come.
    pub requests: Arc<AtomicUsize>,
    /// Requests that were given up before they were answered.
    pub abandoned: Arc<AtomicUsize>,
    pub gate: Arc<Semaphore>,
}

#[derive(Clone)]
struct State {
    name: &'static str,
    requests: Arc<AtomicUsize>,
    abandoned: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

/// Counts a request that is dropped before its answer.
struct Unanswered(Arc<AtomicUsize>, bool);

impl Drop for Unanswered {
    fn drop(&mut self) {
        if !self.1 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Backend {
    pub async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let backend = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Arc::default(),
            abandoned: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        };
        let (requests, abandoned) = (Arc::clone(&backend.requests), Arc::clone(&backend.abandoned));
        let state = State { name, requests, abandoned, gate: Arc::clone(&backend.gate) };
        let connections = Arc::clone(&backend.connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let state = state.clone();
                let service = service_fn(move |request| answer(state.clone(), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        backend
    }

    pub fn seen(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn answer(state: State, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    state.requests.fetch_add(1, Ordering::SeqCst);
    let mut unanswered = Unanswered(Arc::clone(&state.abandoned), false);
    let path = request.uri().path().to_owned();
    let mut lines: Vec<String> =
        request.headers().iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
    lines.sort();
    let shown = format!("{} {} {}", request.method(), request.uri(), lines.join("|"));
    let body = request.into_body().collect().await?.to_bytes();
    if path == "/hold" {
        state.gate.acquire().await.unwrap().forget();
    }
    let answer = if path == "/echo" { body } else { Bytes::from(state.name) };
    unanswered.1 = true;
    Ok(Response::builder()
        .header("x-request", shown)
        .header("keep-alive", "timeout=5")
        .body(Full::from(answer))
        .unwrap())
}

/// A server that reads a request's head and then does what `script` says with the connection.
pub async fn raw<F, Fut>(script: F) -> SocketAddr
where
    F: Fn(TcpStream, usize) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut count = 0;
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(script(stream, count));
            count += 1;
        }
    });
    address
}

/// Reads until the end of a head.
pub async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await.unwrap_or(0) == 0 {
            break;
        }
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Reads a head and answers with these bytes.
pub async fn reply(stream: &mut TcpStream, bytes: &[u8]) {
    read_head(stream).await;
    // The proxy may have hung up, which is the test's to see.
    let _sent = stream.write_all(bytes).await;
}
