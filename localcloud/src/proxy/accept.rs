//! Client connections: the accept loop of one port, and each connection's life.

use std::convert::Infallible;
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
use hyper_util::rt::TokioIo;
use interstella_guard::doors::Place;
use interstella_guard::{Bounds, Socket, Watched, watched};
use tokio::net::{TcpListener, TcpStream};

use super::body::Body;
use super::headers::Client;
use super::{Life, Shared, answer, names, route};
use crate::elb::Ports;

/// Bytes of a request's head. An ALB's bounds are checked on the parsed head; what is beyond even this is answered with 431.
const HEAD_BYTES_MAX: usize = 96 * 1024;
/// Header fields of a request.
const FIELDS_MAX: usize = 256;
/// How long a client may take to begin a request, and to finish its head, unless the idle timeout is shorter.
const HEAD_TIME: Duration = Duration::from_secs(10);
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
            accepted = accept(&sockets) => match accepted {
                Ok((stream, client)) => {
                    if let Some(place) = shared.doors.admit() {
                        tokio::spawn(serve(Arc::clone(&shared), port, stream, client, place));
                    }
                }
                Err(error) => pause(port, &error).await,
            }
        }
    }
}

/// The next connection on any of the sockets.
async fn accept(sockets: &[TcpListener]) -> io::Result<(TcpStream, SocketAddr)> {
    poll_fn(|context| {
        for socket in sockets {
            if let Poll::Ready(accepted) = socket.poll_accept(context) {
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    })
    .await
}

async fn pause(port: u16, error: &io::Error) {
    tracing::warn!(port, %error, "a listener cannot accept connections");
    #[expect(clippy::disallowed_methods, reason = "there is no condition to wait for: the error may pass or not")]
    tokio::time::sleep(PAUSE).await;
}

/// Serves one client connection until either side ends it.
async fn serve(shared: Arc<Shared>, port: u16, stream: TcpStream, client: SocketAddr, place: Place) {
    let Ok(open) = Arc::clone(&shared.room).try_acquire_owned() else { return };
    let (idle_timeout, keep_alive) = shared.client_times(port);
    let reached_port = shared.sockets.socket(port);
    let client = Client { address: client.ip(), port: client.port(), listener_port: port, reached_port };
    let head_time = idle_timeout.min(HEAD_TIME);
    let bounds = Bounds {
        first_byte: head_time,
        head: head_time,
        idle: idle_timeout,
        head_bytes: HEAD_BYTES_MAX,
        fields: FIELDS_MAX,
    };
    let is_shed = place.is_shed();
    let socket = Socket::new(stream, place, bounds);
    let phase = socket.phase();
    let service = service_fn(|request| {
        let busy = watched(&phase);
        let response = respond(&shared, client, is_shed, request);
        async { Ok::<_, Infallible>(busy.until_sent(response.await)) as Result<Response<Watched<Body>>, _> }
    });
    let connection = http1::Builder::new()
        .keep_alive(!is_shed)
        .max_buf_size(bounds.head_bytes)
        .max_headers(bounds.fields)
        .serve_connection(TokioIo::new(socket), service);
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
    drop(open);
}

fn log_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a client's connection ended");
    }
}

async fn respond(shared: &Shared, client: Client, is_shed: bool, request: Request<Incoming>) -> Response<Body> {
    if is_shed {
        return answer::error(503);
    }
    let table = Arc::clone(&shared.table.borrow());
    let fronts = table.routing.ports.get(&client.listener_port).map_or(&[][..], Vec::as_slice);
    if !names::is_called(fronts, &shared.names, &request) {
        return answer::misdirected();
    }
    let turn = shared.turn.fetch_add(1, Ordering::Relaxed);
    route::answer(table, &shared.sockets, client, turn, trace_id(), request).await
}

/// A new ID for X-Amzn-Trace-Id: version, seconds since 1970 and 96 random bits, in hexadecimal.
#[expect(clippy::disallowed_methods, reason = "the header carries wall time, and nothing is decided by it")]
fn trace_id() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let random = uuid::Uuid::new_v4().as_u128() >> 32;
    format!("1-{seconds:08x}-{random:024x}")
}
