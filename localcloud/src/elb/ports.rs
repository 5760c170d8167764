//! Listener ports are real: creating a listener opens its socket before the call is answered, so that a port which
//! something else on the machine holds is the call's error. The sockets themselves live outside of the world.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Tag of a listener, shown by `DescribeTags` while its socket is at another port than the API says: that port. It is
/// the local cloud's own and cannot be written, as tags that begin with `aws:` cannot on AWS.
pub(super) const SOCKET_TAG: &str = "localcloud:port";

/// Opens and closes listener sockets. A port is reserved once, however many load balancers listen on it.
pub trait Ports: Send + Sync {
    /// Opens the port; nothing happens if it is open already.
    ///
    /// # Errors
    /// A sentence for people that says why the port cannot be had.
    fn reserve(&self, port: u16) -> Result<(), String>;

    /// Gives the port back.
    fn release(&self, port: u16);

    /// The port of this machine that clients of a listener connect to: the listener's own, unless something else has
    /// that.
    fn socket(&self, port: u16) -> u16;
}

/// Ports in the books only.
struct NoSockets;

impl Ports for NoSockets {
    fn reserve(&self, _port: u16) -> Result<(), String> {
        Ok(())
    }

    fn release(&self, _port: u16) {}

    fn socket(&self, port: u16) -> u16 {
        port
    }
}

/// The ports in use by a region; by default in the books only. A port is given back when no region has a listener on
/// it.
#[derive(Clone)]
pub(super) struct PortsHandle {
    region: String,
    ports: Arc<dyn Ports>,
    /// Ports with the regions that have listeners on them.
    held: Arc<Mutex<BTreeSet<(u16, String)>>>,
}

impl PortsHandle {
    pub(super) fn new(ports: Arc<dyn Ports>) -> Self {
        Self { region: String::new(), ports, held: Arc::default() }
    }

    /// The same ports for another region.
    pub(super) fn beside(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ports: Arc::clone(&self.ports), held: Arc::clone(&self.held) }
    }

    pub(super) fn reserve(&self, port: u16) -> Result<(), String> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        self.ports.reserve(port)?;
        held.insert((port, self.region.clone()));
        Ok(())
    }

    pub(super) fn release(&self, port: u16) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&(port, self.region.clone()));
        if held.iter().all(|(other, _)| *other != port) {
            self.ports.release(port);
        }
    }

    pub(super) fn socket(&self, port: u16) -> u16 {
        self.ports.socket(port)
    }

    /// The socket of a listener's port where it is another port.
    pub(super) fn moved(&self, port: u16) -> Option<u16> {
        Some(self.socket(port)).filter(|socket| *socket != port)
    }
}

impl Default for PortsHandle {
    fn default() -> Self {
        Self::new(Arc::new(NoSockets))
    }
}

impl fmt::Debug for PortsHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Ports")
    }
}
