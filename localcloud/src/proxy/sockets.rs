//! Listener sockets on loopback, opened when a listener is created and closed when the last listener of the port is gone.
//!
//! The API reserves and releases ports while the accept loops run elsewhere, so a port is in the table exactly as long as its sockets are
//! open: a loop that ends closes them under the table's lock, and a port that is wanted again meanwhile simply stays open.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Mutex, MutexGuard, PoisonError};

use socket2::{Domain, Protocol, Socket, Type};

use crate::elb::Ports;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// The sockets.
#[derive(Debug, Default)]
pub struct Sockets {
    open: Mutex<BTreeMap<u16, Port>>,
}

#[derive(Debug)]
struct Port {
    /// Whether a listener uses it.
    wanted: bool,
    /// The sockets until an accept loop takes them.
    sockets: Vec<TcpListener>,
    /// Whether an accept loop has taken them.
    accepting: bool,
}

impl Ports for Sockets {
    fn reserve(&self, port: u16) -> Result<(), String> {
        let mut open = self.lock();
        if let Some(held) = open.get_mut(&port) {
            held.wanted = true;
            return Ok(());
        }
        let sockets = bind(port).map_err(|error| reason(&error))?;
        open.insert(port, Port { wanted: true, sockets, accepting: false });
        Ok(())
    }

    fn release(&self, port: u16) {
        let mut open = self.lock();
        if let Some(held) = open.get_mut(&port) {
            held.wanted = false;
            if !held.accepting {
                open.remove(&port);
            }
        }
    }
}

impl Sockets {
    /// The sockets of a port, once.
    pub(super) fn take(&self, port: u16) -> Option<Vec<TcpListener>> {
        let mut open = self.lock();
        let held = open.get_mut(&port).filter(|held| !held.accepting)?;
        held.accepting = true;
        Some(std::mem::take(&mut held.sockets))
    }

    /// Closes a port with `close` unless it is wanted (again). Returns whether it was closed.
    pub(super) fn close_unwanted(&self, port: u16, close: impl FnOnce()) -> bool {
        let mut open = self.lock();
        if open.get(&port).is_some_and(|held| held.wanted) {
            return false;
        }
        close();
        open.remove(&port);
        true
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u16, Port>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sockets on 127.0.0.1 and, where there is IPv6, on `::1`: a name that ends in `.localhost` may mean either.
fn bind(port: u16) -> io::Result<Vec<TcpListener>> {
    let mut sockets = vec![listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?];
    match listen(SocketAddr::from((Ipv6Addr::LOCALHOST, port))) {
        Ok(socket) => sockets.push(socket),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
        Err(error) => tracing::debug!(port, %error, "no IPv6 on loopback"),
    }
    Ok(sockets)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of an earlier run may linger.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program on this machine holds it".to_owned(),
        io::ErrorKind::PermissionDenied => "ports below 1024 need privileges".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_port_that_something_else_holds_is_refused_with_the_reason() {
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = other.local_addr().unwrap().port();
        let sockets = Sockets::default();
        assert_eq!(sockets.reserve(port), Err("another program on this machine holds it".to_owned()));
        drop(other);
        assert_eq!(sockets.reserve(port), Ok(()));
    }

    #[test]
    fn a_port_stays_open_while_it_is_wanted() {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let sockets = Sockets::default();
        sockets.reserve(port).unwrap();
        let taken = sockets.take(port).unwrap();
        assert!(sockets.take(port).is_none());
        sockets.release(port);
        sockets.reserve(port).unwrap();
        assert!(!sockets.close_unwanted(port, || ()));
        sockets.release(port);
        assert!(sockets.close_unwanted(port, || drop(taken)));
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    }
}
