//! Listener sockets on loopback, opened when a listener is created and closed when the last listener of the port is gone.
//!
//! A port that something else on this machine holds, or that needs privileges, is the call's error, or, where that is
//! wanted, the listener's socket goes to another port while the API keeps the listener's own.
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
/// How far up from its own port a listener's socket goes: 5000 to 15000, 80 to 10080.
const MOVED_BY: u16 = 10_000;

/// The sockets. By default a port that cannot be had is an error.
#[derive(Debug, Default)]
pub struct Sockets {
    open: Mutex<BTreeMap<u16, Port>>,
    /// Whether sockets go to another port then, and who is told.
    moves: Option<fn(&Moved)>,
}

/// A listener whose socket is at another port than its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The listener's port, as the API has it.
    pub port: u16,
    /// Where its clients connect.
    pub socket: u16,
    /// Why, for people.
    pub reason: String,
}

#[derive(Debug)]
struct Port {
    /// The sockets' port.
    socket: u16,
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
        let (socket, sockets) = self.bind(port)?;
        open.insert(port, Port { socket, wanted: true, sockets, accepting: false });
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

    fn socket(&self, port: u16) -> u16 {
        self.lock().get(&port).map_or(port, |held| held.socket)
    }
}

impl Sockets {
    /// Sockets that go to another port where they cannot have the listener's; `said` is told of each that does.
    #[must_use]
    pub fn moving(said: fn(&Moved)) -> Self {
        Self { moves: Some(said), ..Self::default() }
    }

    /// Opens the sockets of a listener, at its own port if that can be had.
    fn bind(&self, port: u16) -> Result<(u16, Vec<TcpListener>), String> {
        let error = match bind(port) {
            Ok(sockets) => return Ok((port, sockets)),
            Err(error) => error,
        };
        let may_move = matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied);
        let Some(said) = self.moves.filter(|_| may_move) else { return Err(reason(&error)) };
        let mut elsewhere = port.checked_add(MOVED_BY).unwrap_or(MOVED_BY)..=u16::MAX;
        let found = elsewhere.find_map(|socket| Some((socket, bind(socket).ok()?)));
        let (socket, sockets) = found.ok_or_else(|| reason(&error))?;
        said(&Moved { port, socket, reason: reason(&error) });
        Ok((socket, sockets))
    }

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
    fn a_port_that_something_else_holds_is_had_elsewhere_where_that_is_wanted() {
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = other.local_addr().unwrap().port();
        let sockets = Sockets::moving(|moved| assert_ne!(moved.port, moved.socket));
        sockets.reserve(port).unwrap();
        let socket = sockets.socket(port);
        assert_ne!(socket, port);
        TcpListener::bind((Ipv4Addr::LOCALHOST, socket)).unwrap_err();
        let at = sockets.take(port).unwrap()[0].local_addr().unwrap();
        assert_eq!(at.port(), socket);
        assert_eq!(sockets.socket(socket), socket, "a port that no listener has is itself");
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
