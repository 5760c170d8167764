//! Client connections: the accept loop of one port, and each connection's life.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;

use super::body::Body;
use super::headers::Client;
use super::{Life, Shared, route};

/// Bytes of a request's head. An ALB's bounds are checked on the parsed head; what is beyond even this is answered with 431.
const HEAD_BYTES_MAX: usize = 96 * 1024;
/// Header fields of a request.
const FIELDS_MAX: usize = 256;
/// How long accepting pauses after an error, such as having no file descriptor left.
const PAUSE: Duration = Duration::from_millis(50);

/// Accepts connections on a port until no listener wants it or the proxy ends.
pub(super) async fn run(shared: Arc<Shared>, port: u16, sockets: Vec<std::net::TcpListener>) {
    let mut sockets: Vec<TcpListener> =
        sockets.into_iter().filter_map(|socket| TcpListener::from_std(socket).ok()).collect();
    let mut table = shared.table.subscribe();
    loop {
        let served = table.borrow_and_update().routing.ports.contains_key(&port);
        if !served && shared.sockets.close_unwanted(port, || sockets.clear()) {
            return;
        }
        tokio::select! {
            () = shared.reached(Life::Closing) => return,
            changed = table.changed() => if changed.is_err() { return },
            accepted = accept(&shared, &sockets) => match accepted {
                Ok((stream, client, permit)) => {
                    tokio::spawn(serve(Arc::clone(&shared), port, stream, client, permit));
                }
                Err(error) => pause(port, &error).await,
            }
        }
    }
}

/// The next connection on any of the sockets, once there is room for one more.
async fn accept(shared: &Shared, sockets: &[TcpListener]) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(&shared.room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, client) = poll_fn(|context| {
        for socket in sockets {
            if let Poll::Ready(accepted) = socket.poll_accept(context) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    })
    .await?;
    Ok((stream, client, permit))
}

async fn pause(port: u16, error: &io::Error) {
    tracing::warn!(port, %error, "a listener cannot accept connections");
    #[expect(clippy::disallowed_methods, reason = "there is no condition to wait for: the error may pass or not")]
    tokio::time::sleep(PAUSE).await;
}

/// Serves one client connection until either side ends it.
async fn serve(shared: Arc<Shared>, port: u16, stream: TcpStream, client: SocketAddr, permit: OwnedSemaphorePermit) {
    // Small answers should not wait for more to come; failing to say so costs only time.
    let _best_effort = stream.set_nodelay(true);
    let (idle_timeout, keep_alive) = shared.client_times(port);
    let client = Client { address: client.ip(), port: client.port(), listener_port: port };
    let service = service_fn(|request| respond(&shared, client, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(FIELDS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // Whichever comes first; both mean the same.
    let closing = tokio::time::timeout(keep_alive, shared.reached(Life::Closing));
    tokio::select! {
        ended = connection.as_mut() => return log_end(ended),
        _either = closing => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        ended = connection => log_end(ended),
        () = shared.reached(Life::Over) => {}
    }
    drop(permit);
}

fn log_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a client's connection ended");
    }
}

async fn respond(
    shared: &Shared,
    client: Client,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::convert::Infallible> {
    let table = Arc::clone(&shared.table.borrow());
    let turn = shared.turn.fetch_add(1, Ordering::Relaxed);
    Ok(route::answer(table, client, turn, trace_id(), request).await)
}

/// A new ID for X-Amzn-Trace-Id: version, seconds since 1970 and 96 random bits, in hexadecimal.
#[expect(clippy::disallowed_methods, reason = "the header carries wall time, and nothing is decided by it")]
fn trace_id() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let random = uuid::Uuid::new_v4().as_u128() >> 32;
    format!("1-{seconds:08x}-{random:024x}")
}
