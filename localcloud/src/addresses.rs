//! Addresses are virtual: the API shows container instances with host ports, or network interfaces with addresses of a VPC;
//! this table maps them to the loopback ports that processes really listen on.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// First and last loopback port that is given to tasks.
const PORTS: std::ops::RangeInclusive<u16> = 20_000..=31_999;

/// The table of a region. A virtual address is a host (EC2 instance ID or ENI address) and a port on it.
#[derive(Debug)]
pub struct Addresses {
    bound: BTreeMap<(String, u16), SocketAddr>,
    ports: Arc<Mutex<Ports>>,
    /// Whether nothing else on the machine holds a loopback port. Where nothing really runs, every port is free.
    pub port_probe: fn(u16) -> bool,
}

/// The loopback ports, of which every region of a cloud gives tasks their share.
#[derive(Debug, Clone, Default)]
struct Ports {
    taken: BTreeSet<u16>,
    last: Option<u16>,
}

impl Default for Addresses {
    fn default() -> Self {
        Self { bound: BTreeMap::new(), ports: Arc::default(), port_probe: |_| true }
    }
}

impl Clone for Addresses {
    /// A copy of the table goes its own way, and so do its ports.
    fn clone(&self) -> Self {
        let ports = Arc::new(Mutex::new(self.ports().clone()));
        Self { bound: self.bound.clone(), ports, port_probe: self.port_probe }
    }
}

impl Addresses {
    /// An empty table for another region of the same cloud: hosts of one region are not those of another, ports are.
    pub(crate) fn beside(&self) -> Self {
        Self { bound: BTreeMap::new(), ports: Arc::clone(&self.ports), port_probe: self.port_probe }
    }

    /// Begins to give out ports at another place than the first. Clouds that run at once on a machine then stay apart: a port
    /// that another cloud has just given to a task is not held by anything yet.
    pub fn begin_at(&mut self, place: u32) {
        let count = u32::from(*PORTS.end() - *PORTS.start());
        self.ports().last = u16::try_from(place % count).ok().map(|offset| *PORTS.start() + offset);
    }

    /// Binds the virtual address to a free loopback port. Ports are given out in turn, so that one just given back, whose last
    /// connections may still linger, is not used again at once. `None` if no port is left.
    pub fn bind(&mut self, host: &str, port: u16) -> Option<SocketAddr> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.take_port()?));
        self.release(host, port);
        self.bound.insert((host.to_owned(), port), address);
        Some(address)
    }

    /// Where the virtual address is really served.
    pub fn resolve(&self, host: &str, port: u16) -> Option<SocketAddr> {
        self.bound.get(&(host.to_owned(), port)).copied()
    }

    /// Gives the virtual address and its loopback port back.
    pub fn release(&mut self, host: &str, port: u16) {
        if let Some(address) = self.bound.remove(&(host.to_owned(), port)) {
            self.ports().taken.remove(&address.port());
        }
    }

    /// The next port that is free.
    fn take_port(&self) -> Option<u16> {
        let mut ports = self.ports();
        let after_last = ports.last.map_or(*PORTS.start(), |last| last.saturating_add(1));
        let mut in_turn = (after_last..=*PORTS.end()).chain(PORTS);
        let port = in_turn.find(|port| !ports.taken.contains(port) && (self.port_probe)(*port))?;
        ports.taken.insert(port);
        ports.last = Some(port);
        Some(port)
    }

    fn ports(&self) -> MutexGuard<'_, Ports> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Addresses;

    #[test]
    fn a_virtual_address_keeps_its_loopback_port_until_released() {
        let mut addresses = Addresses::default();
        let first = addresses.bind("i-1", 5000);
        assert!(first.is_some());
        assert_eq!(addresses.resolve("i-1", 5000), first);
        assert_ne!(addresses.bind("i-2", 5000), first);
        addresses.release("i-1", 5000);
        assert_eq!(addresses.resolve("i-1", 5000), None);
    }

    #[test]
    fn regions_share_the_ports_but_no_host() {
        let mut one = Addresses::default();
        let mut other = one.beside();
        let (first, second) = (one.bind("10.0.0.1", 5000), other.bind("10.0.0.1", 5000));
        assert!(first.is_some() && second.is_some() && first != second, "{first:?} {second:?}");
        other.release("10.0.0.1", 5000);
        assert_eq!((one.resolve("10.0.0.1", 5000), other.resolve("10.0.0.1", 5000)), (first, None));
    }

    #[test]
    fn clouds_begin_in_different_places() {
        let mut addresses = Addresses::default();
        addresses.begin_at(12_005);
        assert_eq!(addresses.bind("i-1", 1).map(|address| address.port()), Some(20_007));
    }

    #[test]
    fn ports_that_something_else_holds_are_passed_over() {
        let mut addresses = Addresses { port_probe: |port| port > 20_002, ..Addresses::default() };
        assert_eq!(addresses.bind("i-1", 1).map(|address| address.port()), Some(20_003));
        addresses.port_probe = |_| false;
        assert_eq!(addresses.bind("i-1", 2), None);
    }
}
