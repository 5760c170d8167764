//! The cloud on a socket, on loopback only.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::service::TowerToHyperService;
use interstella_guard::doors::{Size, descriptors};
use interstella_guard::gate::Hosts;
use interstella_guard::{Arrival, Bounds, Doors, Gate, serve_until};
use tokio::net::{TcpListener, TcpStream};

use super::service::service;
use crate::cloud::Cloud;

const SIZE: Size = Size { connections: 512, reserve: 16 };
/// The share of the process's file descriptors that connections may take: load balancers and tasks need many more.
const SHARE_OF_DESCRIPTORS: usize = 6;
/// Bytes of a request's head: presigned requests have long ones.
const HEAD_BYTES: usize = 64 * 1024;
/// Fields of a request's head.
const FIELDS: usize = 128;
/// Wall time that running requests get to finish.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// Who may call. Whoever may, can run any program as this user: that is what a task is.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Names by which the cloud goes besides those of loopback, in lower case.
    pub names: Vec<String>,
    /// The access key that calls have to be signed with; without it, any will do.
    pub access_key: Option<Arc<str>>,
}

/// Serves `cloud` until `shutdown`, then lets running requests finish for a second. Fails at once if `listener` is not on
/// loopback: whoever reaches this cloud can run programs with it.
pub async fn serve(
    cloud: Arc<Cloud>,
    listener: TcpListener,
    access: Access,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        let text = format!("the local cloud listens on loopback only, not on {address}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let Access { names, access_key } = access;
    let service = TowerToHyperService::new(service(cloud).signed_with(access_key));
    // A link is a GET, and some calls are too.
    let gate = Gate { hosts: Hosts::Loopback, also: names, links: false };
    let bounds = Bounds { head_bytes: HEAD_BYTES, fields: FIELDS, ..Bounds::default() };
    let doors = Doors::new(SIZE.within(descriptors() / SHARE_OF_DESCRIPTORS));
    let serving = |stage| {
        interstella_guard::serve(listener, doors, gate, bounds, stage, |_: &TcpStream, _: Arrival| service.clone())
    };
    // Calls that are cut off are looked at again by whoever made them.
    let _all_ended = serve_until(shutdown, SHUTDOWN_GRACE, serving).await;
    Ok(())
}
