//! The cloud on a socket, on loopback only.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::service::{CloudService, service};
use crate::cloud::Cloud;

/// Connections at one time; more wait in the listener's queue.
const MAX_CONNECTIONS: usize = 512;
/// Wall time in which a request's head has to arrive. It also ends idle connections, so it is longer than the 90 s for which
/// the SDKs keep theirs: a connection that closes while a request is on its way looks like a lost call.
const HEAD_DEADLINE: Duration = Duration::from_secs(100);
/// Wall time that running requests get to finish.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);
/// Wall time to wait when no connection can be accepted, which is when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `cloud` until `shutdown`, then lets running requests finish for a second. Fails at once if `listener` is not on
/// loopback: whoever reaches this cloud can run programs with it.
pub async fn serve(cloud: Arc<Cloud>, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        let text = format!("the local cloud listens on loopback only, not on {address}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let service = service(cloud);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(shutdown);
    loop {
        let (stream, slot) = tokio::select! {
            accepted = accept(&listener, &free) => accepted,
            () = &mut shutdown => break,
        };
        let connection = graceful.watch(connection(stream, service.clone()));
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
            drop(slot);
        });
        while connections.try_join_next().is_some() {}
    }
    // What is left after the grace ends with `connections`.
    let _ = tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await;
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> (TcpStream, Option<tokio::sync::OwnedSemaphorePermit>) {
    // The semaphore is never closed, so the permit is always there.
    let slot = Arc::clone(free).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, slot),
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                #[expect(clippy::disallowed_methods, reason = "nothing tells when file descriptors are free again")]
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn connection(
    stream: TcpStream,
    service: CloudService,
) -> http1::Connection<TokioIo<TcpStream>, TowerToHyperService<CloudService>> {
    // Answers are written in one piece; waiting to fill a packet would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
}
